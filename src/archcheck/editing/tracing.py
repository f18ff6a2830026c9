"""From a value of a part back to the places at which it stands in the files.

A timeout may stand at the call that makes the part, be a parameter of a helper and stand at the
call of the helper or as the parameter's default, be a constant there, of this module or of
another one, or stand in a row of a table that a loop goes over. Each of these places is a *stop*.
Whoever changes the text there changes the values of all parts whose values come by this stop.

Only a value is a stop. A parameter, an attribute of ``self``, the item of a row or a choice leads
to what was taken: if it were replaced itself, whatever it stood for would have no effect any more.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, TypeAlias

from archcheck.editing.arguments import (
    Argument,
    Arguments,
    GivenArgument,
    MissingArgument,
    Unknown,
    name_of,
)
from archcheck.editing.literals import Literals, UnknownValueError
from archcheck.editing.sources import Binding, PythonSource, Sources
from archcheck.editing.tables import Tables
from archcheck.model.element import Element, field_names
from archcheck.model.sites import Frame

_MOST_STEPS = 12
"""Names and choices that are followed, besides the calls that led to a part. A choice."""
_PASSING = frozenset({"list", "tuple"})
"""Calls that give what they are given."""
_CHOOSING = frozenset({"max", "min"})

Key: TypeAlias = tuple[int, str]
"""The identity of a part, and the name of one of its fields."""


class Slot(NamedTuple):
    """A place for a value: an expression that is replaced, or a call that gets a keyword more."""

    file: str
    start: int
    end: int
    keyword: str | None = None


@dataclass(frozen=True)
class Stop:
    """A slot, and the names all of whose uses have to be known before it is changed."""

    slot: Slot
    through: tuple[Binding, ...] = ()


class _Aim(NamedTuple):
    """What is traced: a part and the value that it has."""

    part: Element
    value: Any


class Traces:
    """The stops of the values of all parts of a system."""

    def __init__(self, parts: Iterable[Element], names: Iterable[str]) -> None:
        self.sources = Sources()
        self.stops: dict[Key, tuple[Stop, ...]] = {}
        """From the part outwards."""
        self.users: dict[Slot, set[Key]] = defaultdict(set)
        """Whose values change with the text in a slot."""
        self.reached: dict[Key, Slot] = {}
        """The last expression on the way to a value, whether it is a value itself or not."""
        self._visited: list[GivenArgument] = []
        self._arguments = Arguments(self.sources)
        self._literals = Literals(self.sources)
        self._tables = Tables(self.sources, self._arguments, self._literals)
        self._is_known: dict[tuple[int, str], bool] = {}
        every, wanted = [*parts], set(names)
        self._numbers = _Numbers(every)
        for part in every:
            self._trace(part, wanted)

    def _trace(self, part: Element, wanted: set[str]) -> None:
        frames = part.site.frames if part.site else ()
        source = self.sources.of(frames[0].file) if frames else None
        call = source.call_at(frames[0]) if source else None
        if source is None or call is None:
            return
        half = self._half_made(source, call)
        if not self._makes(source, call, part) and not (half and self._names(half, part)):
            return
        for name in field_names(type(part)):
            given = self._given(source, call, part, name, frames)
            usual = _usual(half, name) if half and isinstance(given, MissingArgument) else None
            is_open = isinstance(given, MissingArgument) and usual is None and name not in wanted
            if isinstance(given, Unknown) or is_open:
                continue
            key, aim = (id(part), name), _Aim(part, getattr(part, name))
            self._visited.clear()
            stops = self._of_argument(given, name, aim)
            self._note(key, (*stops, *(self._stops(usual, aim, 0) if usual else ())))
            if self._visited:
                self.reached[key] = _slot_of(self._visited[-1])

    def _note(self, key: Key, stops: tuple[Stop, ...]) -> None:
        self.stops[key] = stops
        for stop in stops:
            self.users[stop.slot].add(key)

    def is_known(self, stop: Stop) -> bool:
        """Whether nothing but values of parts is read from the names that a slot is reached by."""
        return all(map(self._all_uses_known, stop.through))

    def _all_uses_known(self, binding: Binding) -> bool:
        key = id(binding.scope), binding.name
        if key not in self._is_known:
            known = self._arguments.known
            self._is_known[key] = all(id(use) in known for use in self.sources.uses(binding))
        return self._is_known[key]

    # -- calls ------------------------------------------------------------------------------------

    def _makes(self, source: PythonSource, call: ast.Call, part: Element) -> bool:
        """Whether a call is the constructor of a part, or ``dataclasses.replace``."""
        name = name_of(call.func)
        real = source.imports.get(name, ("", 0, name))[2]
        return real in {type(part).__name__, "replace"}

    def _half_made(self, source: PythonSource, call: ast.Call) -> GivenArgument | None:
        """The ``partial(Call, timeout=...)`` that a call completes."""
        binding = self.sources.resolve(source, call.func)
        value = binding.value if binding is not None else None
        if binding is None or not isinstance(value, ast.Call) or len(value.args) != 1:
            return None
        return GivenArgument(value, binding.source) if name_of(value.func) == "partial" else None

    def _names(self, half: GivenArgument, part: Element) -> bool:
        assert isinstance(half.node, ast.Call)  # noqa: S101  # found so
        name = name_of(half.node.args[0])
        return half.source.imports.get(name, ("", 0, name))[2] == type(part).__name__

    def _given(
        self,
        source: PythonSource,
        call: ast.Call,
        part: Element,
        name: str,
        frames: tuple[Frame, ...],
    ) -> Argument:
        position = None
        if name_of(call.func) != "replace" and not part._gathers:
            positional = [each.name for each in fields(part) if not each.kw_only]  # type: ignore[arg-type]  # a dataclass
            position = positional.index(name) if name in positional else None
        return self._arguments.of_call(source, call, name, position, frames)

    def _of_argument(
        self, given: Argument, name: str, aim: _Aim, depth: int = 0
    ) -> tuple[Stop, ...]:
        """The stops of an argument of a call."""
        if isinstance(given, GivenArgument):
            return self._stops(given, aim, depth)
        if isinstance(given, MissingArgument):
            source = given.source
            return (Stop(Slot(source.file, *source.span(given.call), name)),)
        return ()

    # -- expressions ------------------------------------------------------------------------------

    def _stops(self, at: GivenArgument, aim: _Aim, depth: int) -> tuple[Stop, ...]:
        """The stops of a value, from an expression outwards."""
        self._visited.append(at)
        self._arguments.known.add(id(at.node))
        is_value = self._literals.is_value(at.source, at.node) or self._is_field(at)
        here = (Stop(_slot_of(at)),) if is_value else ()
        deeper = depth <= len(at.frames) + _MOST_STEPS
        further = self._further(at, aim, depth + 1) if deeper else ()
        return _all_through((*here, *further), at.through)

    def _is_field(self, at: GivenArgument) -> bool:
        """Whether an expression names the value of a field of a class, or of an object.

        An attribute of a parameter, ``self`` for one, may be another value next time.
        """
        root = at.node
        while isinstance(root, ast.Attribute):
            root = root.value
        if root is at.node or not isinstance(root, ast.Name):
            return False
        binding = self.sources.resolve(at.source, root)
        is_object = binding is not None and binding.value is not None
        if not is_object and at.source.class_of(root) is None:
            return False
        found = self._tables.candidates(at)
        (own,) = found if len(found) == 1 else (None,)
        return own is not None and self._literals.is_value(own.source, own.node)

    def _further(self, at: GivenArgument, aim: _Aim, depth: int) -> tuple[Stop, ...]:
        """Where an expression that is more than a value has it from."""
        match at.node:
            case ast.NamedExpr(target=target):
                return self._of_binding(at.source.binding(target), at, aim, depth)
            case ast.IfExp(body=body, orelse=orelse):
                return self._of_choice([at.inside(body), at.inside(orelse)], aim, depth)
            case ast.BoolOp(values=values):
                return self._of_choice([*map(at.inside, values)], aim, depth)
            case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in _PASSING:
                return self._stops(at.inside(inner), aim, depth)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _CHOOSING:
                return self._of_choice([*map(at.inside, args)], aim, depth)
            case ast.Subscript() | ast.Call(func=ast.Attribute(attr="get")):
                return self._of_item(at, aim, depth)
            case ast.Name() if at.source.loop_of(at.node) is not None:
                return self._of_item(at, aim, depth)
        binding = self.sources.resolve(at.source, at.node)
        if binding is None and isinstance(at.node, ast.Attribute):
            return self._of_item(at, aim, depth)
        return self._of_binding(binding, at, aim, depth)

    def _of_binding(
        self, binding: Binding | None, at: GivenArgument, aim: _Aim, depth: int
    ) -> tuple[Stop, ...]:
        if binding is None:
            return ()
        if binding.value is not None:
            inner = at.frames if binding.source is at.source else ()
            found = self._stops(GivenArgument(binding.value, binding.source, inner), aim, depth)
        else:
            given, default = self._arguments.of_parameter(binding, at.frames)
            if isinstance(given, MissingArgument) and default is None:
                return ()
            found = self._of_argument(given, binding.name, aim, depth)
            if isinstance(given, MissingArgument) and default is not None:
                found = (*found, *self._stops(default, aim, depth))
        return _all_through(found, (binding,))

    def _of_choice(
        self, options: Sequence[GivenArgument], aim: _Aim, depth: int
    ) -> tuple[Stop, ...]:
        """The stops of the one option that was taken."""
        taken = [each for each in options if self._fits(each, aim.value)]
        return self._stops(taken[0], aim, depth) if len(taken) == 1 else ()

    def _of_item(self, at: GivenArgument, aim: _Aim, depth: int) -> tuple[Stop, ...]:
        """The stops of the item of a table that a part has got."""
        found = self._tables.candidates(at)
        number = self._numbers.among(aim.part, len(found))
        if number is not None and (own := found[number]) and self._fits(own, aim.value):
            return self._stops(own, aim, depth)
        fitting = {id(each.node): each for each in found if each and self._fits(each, aim.value)}
        (own,) = fitting.values() if len(fitting) == 1 else (None,)
        return self._stops(own, aim, depth) if own is not None and own.node is not at.node else ()

    def _fits(self, at: GivenArgument, value: Any, depth: int = 0) -> bool:
        """Whether an expression is worth so much, as far as can be seen."""
        try:
            return bool(self._literals.of(at.source, at.node) == value)
        except UnknownValueError:
            found = self._tables.candidates(at) if depth < _MOST_STEPS else ()
            (own,) = found if len(found) == 1 else (None,)
            if own is None or own.node is at.node:
                return False
            return self._fits(own, value, depth + 1)


class _Numbers:
    """The number of each part among those that the same calls have made, and of what it is in."""

    def __init__(self, parts: Sequence[Element]) -> None:
        self._outer = {id(inner): part for part in parts for inner in _inside(part)}
        self._places: dict[int, tuple[int, list[int]]] = {}
        groups: dict[tuple[type, tuple[Frame, ...]], list[int]] = defaultdict(list)
        for part in parts:
            if part.site is not None and part.site.frames:
                group = groups[type(part), part.site.frames]
                self._places[id(part)] = len(group), group
                group.append(id(part))

    def among(self, part: Element, count: int) -> int | None:
        """The number of a part, or of one that it is in, where there are so many of them."""
        outer: Element | None = part
        while outer is not None:
            number, group = self._places.get(id(outer), (0, []))
            if len(group) == count:
                return number
            outer = self._outer.get(id(outer))
        return None


def _inside(part: Element) -> Iterator[Element]:
    for name in field_names(type(part)):
        value = getattr(part, name)
        every = value if isinstance(value, tuple) else (value,)
        yield from (each for each in every if isinstance(each, Element))


def _usual(half: GivenArgument, name: str) -> GivenArgument | None:
    """What ``partial`` gives by name unless the call says otherwise."""
    assert isinstance(half.node, ast.Call)  # noqa: S101  # found so
    words = [word.value for word in half.node.keywords if word.arg == name]
    return half.inside(words[0]) if words else None


def _slot_of(at: GivenArgument) -> Slot:
    return Slot(at.source.file, *at.source.span(at.node))


def _all_through(stops: Iterable[Stop], bindings: tuple[Binding, ...]) -> tuple[Stop, ...]:
    return tuple(replace(stop, through=(*stop.through, *bindings)) for stop in stops)
