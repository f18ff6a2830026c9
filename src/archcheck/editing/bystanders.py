"""Parts that get the values of an edit because one text makes them all: their names, their loss."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archcheck.editing.edits import Edit
from archcheck.graph import Graph
from archcheck.model import Element, Pool, System
from archcheck.model.element import field_names
from archcheck.model.linking import walk
from archcheck.units import Duration, Quantity


def labels_of(system: System) -> dict[int, str]:
    """What people call each part: the step that it is or belongs to, or the element and where."""
    found = {
        id(part): f"{element.name}: {name}" if name else element.name
        for element in system.elements
        for part, name in _named(element, "")
    }
    for step in Graph(system).interactions:
        found |= {id(part): step.name for part in walk(step.declared)}
    return found


def _named(part: Element, name: str) -> Iterator[tuple[Element, str]]:
    """A part and what is inside it, each with the field that it is in or what it is for."""
    yield part, name
    for field_name in field_names(type(part)):
        value = getattr(part, field_name)
        if isinstance(value, Element):
            yield from _named(value, field_name)
        elif isinstance(value, tuple):
            for each in value:
                if isinstance(each, Pool):
                    yield each, f"pool of {each.target}"
                elif isinstance(each, Element):
                    yield from _named(each, field_name)


def gets_less(part: Element, edit: Edit) -> bool:
    """Whether the values of an edit would take something from another part that gets them, too.

    Any number that gets smaller does, a time, a size, a count of replicas, and so do zones that are
    no longer among them. Attempts do not: to try less often is listed, and the runs beside the
    original tell whether it costs answers.
    """
    return any(
        _is_less(value, getattr(part, name))
        for name, value in edit.values.items()
        if name != "attempts"
    )


def _is_less(new: Any, old: Any) -> bool:
    if isinstance(new, Duration) and old is None:
        return True  # it waits for as long as it takes
    if isinstance(new, tuple) and isinstance(old, tuple):
        return not set(old) <= set(new)
    are_numbers = all(isinstance(each, float | int | Quantity) for each in (new, old))
    return are_numbers and bool(new < old)
