"""From a value of a part back to the places at which it stands in the files.

A timeout may stand at the call that makes the part, be a parameter of a helper and stand at the
call of the helper or as the parameter's default, and be a constant there, of this module or of
another one. Each of these places is a *stop*. Whoever changes the text there changes the values of
all parts whose values come by this stop.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import NamedTuple, TypeAlias

from archcheck.editing.sources import (
    Binding,
    Function,
    PythonSource,
    Sources,
    default_of,
    position_of,
)
from archcheck.model.element import Element, field_names
from archcheck.model.sites import Frame

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


class _Missing:
    """Nothing is given."""


class _Unknown:
    """Whether something is given cannot be seen: lists and dictionaries are spread."""


class Traces:
    """The stops of the values of all parts of a system."""

    def __init__(self, parts: Iterable[Element], names: Iterable[str]) -> None:
        self.sources = Sources()
        self.stops: dict[Key, tuple[Stop, ...]] = {}
        """From the part outwards."""
        self.users: dict[Slot, set[Key]] = defaultdict(set)
        """Whose values change with the text in a slot."""
        self._known: set[int] = set()
        self._is_known: dict[tuple[int, str], bool] = {}
        wanted = set(names)
        for part in parts:
            frames = part.site.frames if part.site else ()
            source = self.sources.of(frames[0].file) if frames else None
            call = source.call_at(frames[0]) if source else None
            if source is None or call is None or not self._makes(source, call, part):
                continue
            for name in field_names(type(part)):
                given = self._given(source, call, part, name)
                if isinstance(given, _Unknown) or (
                    isinstance(given, _Missing) and name not in wanted
                ):
                    continue
                self._note((id(part), name), self._at_call(given, source, call, name, frames))

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
            self._is_known[key] = all(id(use) in self._known for use in self.sources.uses(binding))
        return self._is_known[key]

    # -- calls ------------------------------------------------------------------------------------

    def _makes(self, source: PythonSource, call: ast.Call, part: Element) -> bool:
        """Whether a call is the constructor of a part, or ``dataclasses.replace``."""
        name = _name(call.func)
        real = source.imports.get(name, ("", 0, name))[2]
        return real in {type(part).__name__, "replace"}

    def _given(
        self, source: PythonSource, call: ast.Call, part: Element, name: str
    ) -> _Given | _Missing | _Unknown:
        position = None
        if _name(call.func) != "replace" and not part._gathers:
            positional = [each.name for each in fields(part) if not each.kw_only]  # type: ignore[arg-type]  # a dataclass
            position = positional.index(name) if name in positional else None
        return self._argument(source, call, name, position)

    def _argument(
        self, source: PythonSource, call: ast.Call, name: str, position: int | None
    ) -> _Given | _Missing | _Unknown:
        for word in call.keywords:
            if word.arg == name:
                return _Given(word.value, source)
        if position is not None:
            before = call.args[: position + 1]
            if any(isinstance(each, ast.Starred) for each in before):
                return _Unknown()
            if position < len(call.args):
                return _Given(call.args[position], source)
        for word in call.keywords:
            if word.arg is None:
                found = self._spread(source, word.value, name)
                if not isinstance(found, _Missing):
                    return found
        return _Missing()

    def _spread(
        self, source: PythonSource, node: ast.expr, name: str
    ) -> _Given | _Missing | _Unknown:
        """What a dictionary that is spread into a call gives for a name."""
        through: tuple[Binding, ...] = ()
        if isinstance(node, ast.Name | ast.Attribute):
            binding = self.sources.resolve(source, node)
            if binding is None or binding.value is None:
                return _Unknown()
            self._known.add(id(node))
            through, source, node = (binding,), binding.source, binding.value
        pairs: list[tuple[object, ast.expr]]
        match node:
            case ast.Dict(keys=keys, values=values):
                pairs = [
                    (key.value if isinstance(key, ast.Constant) else None, value)
                    for key, value in zip(keys, values, strict=True)
                ]
            case ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords):
                pairs = [(word.arg, word.value) for word in keywords]
            case _:
                return _Unknown()
        found = [value for key, value in pairs if key == name]
        if any(key is None for key, _ in pairs) or len(found) > 1:
            return _Unknown()
        return _Given(found[0], source, through) if found else _Missing()

    def _at_call(
        self,
        given: _Given | _Missing | _Unknown,
        source: PythonSource,
        call: ast.Call,
        name: str,
        frames: tuple[Frame, ...],
    ) -> tuple[Stop, ...]:
        """The stops of an argument of a call; ``frames`` begin with that of the call."""
        if isinstance(given, _Given):
            stops = self._stops(given.node, given.source, frames)
            return _all_through(stops, given.through)
        if isinstance(given, _Missing):
            return (Stop(Slot(source.file, *source.span(call), name)),)
        return ()

    # -- expressions ------------------------------------------------------------------------------

    def _stops(
        self, node: ast.expr, source: PythonSource, frames: tuple[Frame, ...], depth: int = 0
    ) -> tuple[Stop, ...]:
        """The stops of a value, from an expression outwards."""
        self._known.add(id(node))
        here = (Stop(Slot(source.file, *source.span(node))),)
        binding = self.sources.resolve(source, node) if depth <= len(frames) + 12 else None
        if binding is None:
            return here
        if binding.value is not None:
            inner = frames if binding.source is source else ()
            further = self._stops(binding.value, binding.source, inner, depth + 1)
        else:
            further = self._of_parameter(binding, frames, depth)
        return (*here, *_all_through(further, (binding,)))

    def _of_parameter(
        self, binding: Binding, frames: tuple[Frame, ...], depth: int
    ) -> tuple[Stop, ...]:
        function = binding.scope
        assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)  # noqa: S101  # bound so
        outer = _frames_of_caller(function, binding.source, frames)
        source = self.sources.of(outer[0].file) if outer else None
        call = source.call_at(outer[0]) if source else None
        if source is None or call is None or not _calls(call, function, source):
            return ()
        position = position_of(function, binding.name)
        if position is not None and _is_bound(call, function, binding.source):
            position -= 1
        given = self._argument(source, call, binding.name, position)
        if isinstance(given, _Given):
            stops = self._stops(given.node, given.source, outer, depth + 1)
            return _all_through(stops, given.through)
        default = default_of(function, binding.name)
        if isinstance(given, _Unknown) or default is None:
            return ()
        added = Stop(Slot(source.file, *source.span(call), binding.name))
        return (added, *self._stops(default, binding.source, (), depth + 1))


@dataclass(frozen=True)
class _Given:
    """An argument, the file in which it stands, and the names by which it is reached."""

    node: ast.expr
    source: PythonSource
    through: tuple[Binding, ...] = ()


def _all_through(stops: Iterable[Stop], bindings: tuple[Binding, ...]) -> tuple[Stop, ...]:
    return tuple(replace(stop, through=(*stop.through, *bindings)) for stop in stops)


def _frames_of_caller(
    function: Function, source: PythonSource, frames: tuple[Frame, ...]
) -> tuple[Frame, ...]:
    first = min([function.lineno, *(each.lineno for each in function.decorator_list)])
    for index, frame in enumerate(frames):
        if (frame.file, frame.code, frame.first_line) == (source.file, function.name, first):
            return frames[index + 1 :]
    return ()


def _calls(call: ast.Call, function: Function, source: PythonSource) -> bool:
    name = _name(call.func)
    return source.imports.get(name, ("", 0, name))[2] == function.name


def _is_bound(call: ast.Call, function: Function, source: PythonSource) -> bool:
    """Whether the first parameter is the object whose method is called."""
    if not isinstance(next(source.scopes(function), None), ast.ClassDef):
        return False
    names = {_name(each) for each in function.decorator_list}
    return "staticmethod" not in names and isinstance(call.func, ast.Attribute)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
