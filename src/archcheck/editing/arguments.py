"""What a call gives for a parameter, and which call gave it."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from archcheck.editing.sources import (
    Binding,
    Function,
    PythonSource,
    Sources,
    default_of,
    position_of,
)
from archcheck.model.sites import Frame

Frames: TypeAlias = tuple[Frame, ...]


@dataclass(frozen=True)
class GivenArgument:
    """An expression, where it stands, and the names by which it is reached."""

    node: ast.expr
    source: PythonSource
    frames: Frames = field(default=(), repr=False)
    """The calls in progress when it was worth something, from its own function outwards."""
    through: tuple[Binding, ...] = ()

    def inside(self, node: ast.expr) -> GivenArgument:
        """A part of the expression."""
        return GivenArgument(node, self.source, self.frames)


class MissingArgument(NamedTuple):
    """Nothing is given; the call that may say it."""

    source: PythonSource
    call: ast.Call


class Unknown:
    """Whether something is given cannot be seen: lists and dictionaries are spread."""


Argument: TypeAlias = GivenArgument | MissingArgument | Unknown


class Arguments:
    """Finds what calls give, through dictionaries that are spread and the callers of helpers."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self.known: set[int] = set()
        """Uses of names of which it is known what comes of them."""

    def of_call(
        self,
        source: PythonSource,
        call: ast.Call,
        name: str,
        position: int | None,
        frames: Frames,
    ) -> Argument:
        """What a call gives by name, at a position, or in a dictionary that is spread."""
        for word in call.keywords:
            if word.arg == name:
                return GivenArgument(word.value, source, frames)
        if position is not None:
            before = call.args[: position + 1]
            if any(isinstance(each, ast.Starred) for each in before):
                return Unknown()
            if position < len(call.args):
                return GivenArgument(call.args[position], source, frames)
        missing = MissingArgument(source, call)
        for word in call.keywords:
            if word.arg is None:
                found = self._spread(source, word.value, name, frames)
                if isinstance(found, GivenArgument | Unknown):
                    return found
                missing = found or missing
        return missing

    def _spread(
        self, source: PythonSource, node: ast.expr, name: str, frames: Frames
    ) -> Argument | None:
        """What a dictionary that is spread gives for a name; ``None``: nothing."""
        function = source.spread_of(node)
        if function is not None:
            outer = self.caller(function, source, frames)
            return Unknown() if outer is None else self.of_call(*outer[:2], name, None, outer[2])
        through: tuple[Binding, ...] = ()
        if isinstance(node, ast.Name | ast.Attribute):
            binding = self._sources.resolve(source, node)
            if binding is None or binding.value is None:
                return Unknown()
            self.known.add(id(node))
            frames = frames if binding.source is source else ()
            through, source, node = (binding,), binding.source, binding.value
        pairs = pairs_of(node)
        found = [value for key, value in pairs or () if key == name]
        if pairs is None or any(key is None for key, _ in pairs) or len(found) > 1:
            return Unknown()
        return GivenArgument(found[0], source, frames, through) if found else None

    def of_parameter(
        self, binding: Binding, frames: Frames
    ) -> tuple[Argument, GivenArgument | None]:
        """What the call of a function gives for its parameter, and the parameter's default."""
        function = binding.scope
        assert isinstance(function, Function)  # noqa: S101  # bound so
        outer = self.caller(function, binding.source, frames)
        if outer is None:
            return Unknown(), None
        source, call, further = outer
        position = position_of(function, binding.name)
        if position is not None and _is_bound(call, function, binding.source):
            if position == 0:  # the object itself stands before the dot
                return Unknown(), None
            position -= 1
        given = self.of_call(source, call, binding.name, position, further)
        default = default_of(function, binding.name)
        return given, GivenArgument(default, binding.source) if default is not None else None

    def caller(
        self, function: Function, source: PythonSource, frames: Frames
    ) -> tuple[PythonSource, ast.Call, Frames] | None:
        """The call of a function that is in progress; decorators pass on what they are given."""
        outer = _frames_of_caller(function, source, frames)
        while outer:
            file = self._sources.of(outer[0].file)
            call = file.call_at(outer[0]) if file else None
            if file is None or call is None:
                return None
            if self._calls(file, call, function):
                return file, call, outer
            if not _passes_all(call):
                return None
            outer = outer[1:]
        return None

    def _calls(self, source: PythonSource, call: ast.Call, function: Function) -> bool:
        if isinstance(function, ast.Lambda):
            binding = self._sources.resolve(source, call.func)
            return binding is not None and binding.value is function
        name = name_of(call.func)
        return source.imports.get(name, ("", 0, name))[2] == function.name


def pairs_of(node: ast.expr) -> list[tuple[object, ast.expr]] | None:
    """The keys and values of a dictionary as it is written; no key for what is not known."""
    match node:
        case ast.Dict(keys=keys, values=values):
            return [
                (key.value if isinstance(key, ast.Constant) else None, value)
                for key, value in zip(keys, values, strict=True)
            ]
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords):
            return [(word.arg, word.value) for word in keywords]
    return None


def name_of(node: ast.expr) -> str:
    """The last name of ``known.read`` or of ``read``."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _frames_of_caller(function: Function, source: PythonSource, frames: Frames) -> Frames:
    code, first = "<lambda>", function.lineno
    if not isinstance(function, ast.Lambda):
        code = function.name
        first = min([first, *(each.lineno for each in function.decorator_list)])
    for index, frame in enumerate(frames):
        if (frame.file, frame.code, frame.first_line) == (source.file, code, first):
            return frames[index + 1 :]
    return ()


def _passes_all(call: ast.Call) -> bool:
    """Whether a call is ``function(*args, **kwargs)``."""
    words: Iterable[ast.keyword] = call.keywords
    return all(isinstance(each, ast.Starred) for each in call.args) and all(
        word.arg is None for word in words
    )


def _is_bound(call: ast.Call, function: Function, source: PythonSource) -> bool:
    """Whether the first parameter is the object whose method is called."""
    if not isinstance(next(source.scopes(function), None), ast.ClassDef):
        return False
    decorators = [] if isinstance(function, ast.Lambda) else function.decorator_list
    names = {name_of(each) for each in decorators}
    return "staticmethod" not in names and isinstance(call.func, ast.Attribute)
