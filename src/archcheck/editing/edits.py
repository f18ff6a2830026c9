"""What changes in which part of a system, and the system that this gives."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from archcheck.model import Element, System
from archcheck.model.element import field_names

E = TypeVar("E", bound=Element)


@dataclass(frozen=True, eq=False)
class Edit:
    """New values for fields of ``part``, an element or a part of one in a system.

    ``label`` names the part for people: ``orders.place -> payments.Charge``.
    """

    part: Element
    values: Mapping[str, Any]
    label: str

    def __str__(self) -> str:
        changes = [
            f"{name}: {_shown(getattr(self.part, name))} becomes {_shown(value)}"
            for name, value in self.values.items()
        ]
        return f"{self.label}: {', '.join(changes)}"


def _shown(value: Any) -> str:
    return "nothing" if value is None or value == () else str(value)


def apply(system: System, edits: Iterable[Edit]) -> System:
    """The system with all edits made; every part keeps the line that declares it.

    Raises :class:`~archcheck.model.ModelError` when a new value is wrong.
    """
    changes = _changes(edits)
    edited = dataclasses.replace(
        system,
        elements=[_edited(part, changes) for part in system.elements],
        journeys=[_edited(part, changes) for part in system.journeys],
        scenarios=[_edited(part, changes) for part in system.scenarios],
    )
    object.__setattr__(edited, "_site", system.site)
    return edited


def unshared(system: System) -> System:
    """The system in which no two elements have a part in common; the same one, where none has.

    A model may give several steps one retry, or several services one deployment. As values they are
    apart: an edit of one changes no other.
    """
    seen: set[int] = set()
    elements = [_apart(part, seen) for part in system.elements]
    if all(new is old for new, old in zip(elements, system.elements, strict=True)):
        return system
    made = dataclasses.replace(system, elements=elements)
    vars(made).update({name: vars(system)[name] for name in _ORIGIN if name in vars(system)})
    return made


_ORIGIN = ("_site", "_loaded_from")
"""What a system knows of the files that it is from."""


def _apart(value: Any, seen: set[int]) -> Any:
    if isinstance(value, tuple):
        items = tuple(_apart(item, seen) for item in value)
        same = all(new is old for new, old in zip(items, value, strict=True))
        return value if same else items
    if not isinstance(value, Element):
        return value
    if id(value) in seen:
        return copied(value)
    seen.add(id(value))
    inside = {name: getattr(value, name) for name in field_names(type(value))}
    changed = {name: _apart(each, seen) for name, each in inside.items()}
    if all(changed[name] is inside[name] for name in inside):
        return value
    made = copy.copy(value)
    for name, each in changed.items():
        object.__setattr__(made, name, each)
    return made


def copied(value: Any) -> Any:
    """An element with copies of all elements inside it; each keeps the line that declares it."""
    if isinstance(value, tuple):
        return tuple(copied(item) for item in value)
    if not isinstance(value, Element):
        return value
    made = copy.copy(value)
    for name in field_names(type(value)):
        object.__setattr__(made, name, copied(getattr(value, name)))
    return made


def edited_part(part: E, edits: Iterable[Edit]) -> E:
    """A part, or an element, with the edits of it and of what is inside it made."""
    return _edited(part, _changes(edits))


def _changes(edits: Iterable[Edit]) -> dict[int, dict[str, Any]]:
    changes: dict[int, dict[str, Any]] = {}
    for edit in edits:
        changes.setdefault(id(edit.part), {}).update(edit.values)
    return changes


def rebased(original: System, edited: System, edits: Iterable[Edit]) -> list[Edit]:
    """Edits of parts of ``edited`` as edits of the same parts of ``original``.

    An edit of a part that came with an earlier edit stays as it is.
    """
    parts: dict[int, Element] = {}
    for name in ("elements", "journeys", "scenarios"):
        _note_pairs(getattr(edited, name), getattr(original, name), parts)
    return [dataclasses.replace(edit, part=parts.get(id(edit.part), edit.part)) for edit in edits]


def _note_pairs(edited: Any, original: Any, parts: dict[int, Element]) -> None:
    if isinstance(edited, tuple) and isinstance(original, tuple):
        for one, other in zip(edited, original, strict=False):
            _note_pairs(one, other, parts)
    elif isinstance(edited, Element) and type(edited) is type(original):
        parts[id(edited)] = original
        for name in field_names(type(edited)):
            _note_pairs(getattr(edited, name), getattr(original, name), parts)


def _edited(part: E, changes: Mapping[int, Mapping[str, Any]]) -> E:
    inside: dict[str, Any] = {}
    for name in field_names(type(part)):
        old = getattr(part, name)
        new = _value(old, changes)
        if new is not old:
            inside[name] = new
    own = changes.get(id(part), {})
    if not inside and not own:
        return part
    changed = copy.copy(part)
    for name, value in inside.items():
        object.__setattr__(changed, name, value)
    if not own:
        return changed
    checked: E = dataclasses.replace(changed, **own)  # type: ignore[type-var]  # a dataclass
    object.__setattr__(checked, "_site", part.site)
    return checked


def _value(value: Any, changes: Mapping[int, Mapping[str, Any]]) -> Any:
    if isinstance(value, Element):
        return _edited(value, changes)
    if isinstance(value, tuple):
        items = tuple(_value(item, changes) for item in value)
        same = all(new is old for new, old in zip(items, value, strict=True))
        return value if same else items
    return value
