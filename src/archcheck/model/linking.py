"""References: found in the elements, resolved to names, checked.

A system is linked once, when it is put together. Afterwards every reference in it is the name
of an element that exists and has the right role.
"""

from __future__ import annotations

import copy
import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from archcheck.model.element import Element, field_names, nearest
from archcheck.model.errors import ModelError, Place
from archcheck.model.named import Named, Part, Refers
from archcheck.model.services import Consumer, Endpoint, External, Service
from archcheck.units import Quantity

_APART = frozenset({"journey", "scenario", "boundary", "flag"})
_ROLES = {
    "any": "an element",
    "endpoint": "an endpoint",
    "callable": "a service or external",
    "datastore": "a datastore",
    "channel": "a topic or queue",
    "broker": "a broker",
    "platform": "an observability platform",
    "journey": "a journey",
    "flag": "a feature flag",
}


@dataclass(frozen=True)
class Reference:
    """A field of an element that refers to another one."""

    holder: Element
    field: str
    target: str
    allowed: frozenset[str]


def place_of(part: Element) -> Place | None:
    """Where ``part`` was declared, if that is known."""
    return part.site.place if part.site else None


def walk(part: Element) -> Iterator[Element]:
    """``part`` and everything inside it, outermost first."""
    waiting = [part]
    while waiting:
        current = waiting.pop()
        yield current
        inside: list[Element] = []
        for name in part_fields(type(current)):
            value = getattr(current, name)
            if isinstance(value, Element):
                inside.append(value)
            elif isinstance(value, tuple):
                inside += [item for item in value if isinstance(item, Element)]
        waiting += reversed(inside)


def references(part: Element) -> Iterator[Reference]:
    """Every reference in ``part`` and in what is inside it; endpoints must be names by now."""
    for holder in walk(part):
        yield from references_of(holder)


def references_of(holder: Element) -> Iterator[Reference]:
    """The references of an element itself."""
    for name, refers in reference_fields(type(holder)).items():
        value = getattr(holder, name)
        for target in value if isinstance(value, tuple) else (value,):
            if isinstance(target, str):
                yield Reference(holder, name, target, refers.to)


def part_fields(kind: type[Element]) -> tuple[str, ...]:
    """The fields of ``kind`` that can hold elements, or references to them."""
    if kind not in _part_fields:
        hints = get_type_hints(kind, include_extras=True)
        _part_fields[kind] = tuple(n for n in field_names(kind) if _holds_parts(hints[n]))
    return _part_fields[kind]


_part_fields: dict[type[Element], tuple[str, ...]] = {}
_PLAIN = (str, int, float, Quantity, datetime.date, NoneType)
"""Values that are no elements and hold none."""


def _holds_parts(annotation: Any) -> bool:
    if isinstance(annotation, type):
        return not issubclass(annotation, _PLAIN)
    if get_origin(annotation) is Literal or annotation is Ellipsis:
        return False
    inner = get_args(annotation) or (object,)
    if get_origin(annotation) is Annotated:
        inner = inner[:1]
    return _marker(annotation) is not None or any(map(_holds_parts, inner))


def reference_fields(kind: type[Element]) -> Mapping[str, Refers]:
    """The fields of ``kind`` that hold references."""
    if kind not in _reference_fields:
        _reference_fields[kind] = _find_reference_fields(kind)
    return _reference_fields[kind]


_reference_fields: dict[type[Element], Mapping[str, Refers]] = {}


def _find_reference_fields(kind: type[Element]) -> Mapping[str, Refers]:
    hints = get_type_hints(kind, include_extras=True)
    found = {field.name: _marker(hints[field.name]) for field in fields(kind)}  # type: ignore[arg-type]
    return {name: marker for name, marker in found.items() if marker}


def _marker(annotation: Any) -> Refers | None:
    if get_origin(annotation) is Annotated:
        for extra in annotation.__metadata__:
            if isinstance(extra, Refers):
                return extra
    for argument in get_args(annotation):
        if marker := _marker(argument):
            return marker
    return None


def rewrite(part: Element, change: Callable[[Any], Any]) -> Element:
    """``part`` with ``change`` applied to the value of each reference; the same object if none."""
    updates: dict[str, Any] = {}
    markers = reference_fields(type(part))
    for name in part_fields(type(part)):
        old = getattr(part, name)
        if not isinstance(old, Element | tuple):
            continue
        new = _rewritten(old, change, is_reference=name in markers)
        if new is not old:
            updates[name] = new
    if not updates:
        return part
    changed = copy.copy(part)
    for name, value in updates.items():
        object.__setattr__(changed, name, value)
    return changed


def _rewritten(value: Any, change: Callable[[Any], Any], *, is_reference: bool) -> Any:
    if isinstance(value, tuple):
        items = tuple(_rewritten(item, change, is_reference=is_reference) for item in value)
        same = all(new is old for new, old in zip(items, value, strict=True))
        return value if same else items
    if is_reference and isinstance(value, Part):
        return change(value)
    if isinstance(value, Element):
        return rewrite(value, change)
    return value


def link(elements: Iterable[Named], others: Iterable[Element]) -> list[Element]:
    """Replace endpoint objects by their full names, in ``elements`` and then in ``others``."""
    members = list(elements)
    names: dict[int, list[str]] = {}
    for owner in members:
        for part in parts_of(owner):
            names.setdefault(id(part), []).append(f"{owner.name}.{part.name}")

    def full_name(part: Part) -> str:
        owners = names.get(id(part), [])
        if len(owners) == 1:
            return owners[0]
        if owners:
            raise ModelError(
                f"the endpoint {part.name!r} belongs to several services; refer to it by name: "
                f"{' or '.join(repr(owner) for owner in owners)}",
                place_of(part),
            )
        raise ModelError(
            f"the endpoint {part.name!r} is referred to but belongs to no service of the system",
            place_of(part),
        )

    return [rewrite(part, full_name) for part in (*members, *others)]


def parts_of(owner: Named) -> tuple[Endpoint | Consumer, ...]:
    """The endpoints and consumers of a service or external."""
    if isinstance(owner, Service):
        return (*owner.endpoints, *owner.consumers)
    if isinstance(owner, External):
        return tuple(owner.endpoints)
    return ()


class Directory:
    """All names of a system, for resolving references.

    Journeys, scenarios and boundaries have namespaces of their own: a service and the bounded
    context around it may have the same name.
    """

    def __init__(self, elements: Iterable[Named]) -> None:
        self.elements: dict[str, Named] = {}
        self._apart: dict[tuple[str, str], Named] = {}
        self.parts: dict[str, tuple[Named, Endpoint | Consumer]] = {}
        for member in elements:
            self._add(member)

    def _add(self, member: Named) -> None:
        if member.referred_as in _APART:
            key = (member.referred_as, member.name)
            if key in self._apart:
                raise _duplicate(member.name, self._apart[key], member)
            self._apart[key] = member
            return
        if member.name in self.elements:
            raise _duplicate(member.name, self.elements[member.name], member)
        self.elements[member.name] = member
        for part in parts_of(member):
            full = f"{member.name}.{part.name}"
            if full in self.parts:
                raise _duplicate(full, self.parts[full][1], part)
            self.parts[full] = (member, part)

    def check(self, reference: Reference) -> None:
        """Raise :class:`ModelError` unless the reference resolves to something allowed."""
        target, allowed = reference.target, reference.allowed
        where = place_of(reference.holder)
        label = f"{type(reference.holder).__name__} {reference.field}"
        if allowed <= _APART:
            self._check_apart(label, target, allowed, where)
            return
        if target in self.parts:
            if allowed & {"any", "endpoint"}:
                return
            raise ModelError(f"{label}: {target!r} is an endpoint, not {_phrase(allowed)}", where)
        if target not in self.elements:
            known = [*self.elements, *self.parts]
            raise ModelError(
                f"{label}: there is no {target!r} in the system{nearest(target, known)}", where
            )
        member = self.elements[target]
        if "any" not in allowed and member.referred_as not in allowed:
            raise ModelError(
                f"{label}: {target!r} is a {member.kind}, not {_phrase(allowed)}", where
            )
        if "endpoint" in allowed:
            self._check_single_endpoint(label, member, where)

    def _check_apart(
        self, label: str, target: str, allowed: frozenset[str], where: Place | None
    ) -> None:
        known = [name for space, name in self._apart if space in allowed]
        if target not in known:
            raise ModelError(
                f"{label}: there is no {_phrase(allowed).partition(' ')[2]} {target!r} in the "
                f"system{nearest(target, known)}",
                where,
            )

    def _check_single_endpoint(self, label: str, member: Named, where: Place | None) -> None:
        endpoints = [part for part in parts_of(member) if isinstance(part, Endpoint)]
        if len(endpoints) == 1 or (isinstance(member, External) and not endpoints):
            return
        if not isinstance(member, Service | External):
            raise ModelError(f"{label}: a {member.kind} cannot be called", where)
        if not endpoints:
            raise ModelError(f"{label}: {member.name!r} has no endpoint to call", where)
        choices = ", ".join(f"'{member.name}.{part.name}'" for part in endpoints[:4])
        raise ModelError(
            f"{label}: {member.name!r} has {len(endpoints)} endpoints; name one of them: {choices}",
            where,
        )


def _phrase(allowed: frozenset[str]) -> str:
    return " or ".join(_ROLES[role] for role in sorted(allowed))


def _duplicate(name: str, first: Element, second: Element) -> ModelError:
    already = declared_before(first) or ", declared twice"
    return ModelError(f"duplicate name {name!r}{already}", place_of(second))


def declared_before(first: Element) -> str:
    """Where the first of two elements was declared, for the sentence about the second."""
    before = place_of(first)
    return f", already declared at {before}" if before else ""
