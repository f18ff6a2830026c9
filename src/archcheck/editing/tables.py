"""Rows of tables that loops go over, items of dictionaries and lists, fields of objects.

``for name, (n, to) in SIZES.items()`` gives ``n`` the first item of each row in turn. Which row a
part comes from is told by its value where that stands in one row only, or else by the number of
the part among those that the same text has made.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any, TypeAlias

from archcheck.editing.arguments import Arguments, GivenArgument, name_of, pairs_of
from archcheck.editing.literals import Literals, UnknownValueError
from archcheck.editing.sources import Sources

_MOST_STEPS = 12
"""Names and tables that are followed. A choice."""
Row: TypeAlias = "GivenArgument | tuple[Row, ...] | None"
"""An item that a loop gives its target; ``None`` for one that stands nowhere."""
Candidates: TypeAlias = Sequence[GivenArgument | None]


class Tables:
    """What an expression that stands for an item of a table may come from."""

    def __init__(self, sources: Sources, arguments: Arguments, literals: Literals) -> None:
        self._sources = sources
        self._arguments = arguments
        self._literals = literals
        self._found: dict[tuple[int, Any], Candidates] = {}

    def candidates(self, at: GivenArgument, depth: int = 0) -> Candidates:
        """The expressions that an expression may stand for, one for each turn of its loop."""
        key = id(at.node), at.frames
        if key not in self._found:
            self._found[key] = (at,) if depth > _MOST_STEPS else self._candidates(at, depth + 1)
        return self._found[key]

    def _candidates(self, at: GivenArgument, depth: int) -> Candidates:
        match at.node:
            case ast.Subscript(value=base, slice=key):
                return self._members(at, base, key, depth)
            case ast.Call(func=ast.Attribute(value=base, attr="get"), args=[key, *default]):
                found = self._members(at, base, key, depth)
                if any(found) or not default:
                    return found
                return self.candidates(at.inside(default[0]), depth)
            case ast.Name():
                loop = at.source.loop_of(at.node)
                if loop is not None:
                    rows = self._rows(at.inside(loop.over), depth)
                    return [self._item(row, loop.path, depth) for row in rows]
        return self._named(at, depth)

    def _named(self, at: GivenArgument, depth: int) -> Candidates:
        binding = self._sources.resolve(at.source, at.node)
        if binding is None and isinstance(at.node, ast.Attribute):
            objects = self.candidates(at.inside(at.node.value), depth)
            return [self._attribute(each, at.node.attr, depth) for each in objects]
        if binding is None:
            return (at,)
        if binding.value is not None:
            frames = at.frames if binding.source is at.source else ()
            return self.candidates(GivenArgument(binding.value, binding.source, frames), depth)
        given, default = self._arguments.of_parameter(binding, at.frames)
        found = given if isinstance(given, GivenArgument) else default
        return (at,) if found is None else self.candidates(found, depth)

    # -- items ------------------------------------------------------------------------------------

    def _members(self, at: GivenArgument, base: ast.expr, key: ast.expr, depth: int) -> Candidates:
        """The items of one table with several keys, of several with one, or of each with its own.

        Where a key is not known, all items.
        """
        tables = self.candidates(at.inside(base), depth)
        keys = self.candidates(at.inside(key), depth)
        if len(tables) == 1 and tables[0] is not None:
            worth = [self._worth(each) for each in keys]
            if any(each is None for each in worth):
                return [tables[0].inside(value) for _, value in pairs_of(tables[0].node) or ()]
            return [self._member(tables[0], each) for each in worth]
        if len(keys) == 1:
            return [self._member(each, self._worth(keys[0])) for each in tables]
        if len(keys) == len(tables):
            both = zip(tables, keys, strict=True)
            return [self._member(table, self._worth(each)) for table, each in both]
        return ()

    def _worth(self, at: GivenArgument | None) -> Any:
        try:
            return None if at is None else self._literals.of(at.source, at.node)
        except UnknownValueError:
            return None

    def _member(self, table: GivenArgument | None, key: Any) -> GivenArgument | None:
        if table is None or key is None:
            return None
        if isinstance(key, int):
            elements = _elements(table.node)
            fits = elements is not None and -len(elements) <= key < len(elements)
            return table.inside(elements[key]) if elements and fits else None
        found = [value for name, value in pairs_of(table.node) or () if name == key]
        return table.inside(found[0]) if len(found) == 1 else None

    def _attribute(self, made: GivenArgument | None, name: str, depth: int) -> GivenArgument | None:
        """A field of an object, as its constructor or ``replace`` is given it, or its class."""
        if made is None or not isinstance(made.node, ast.Call):
            return made if name == "value" else None  # the member of an enumeration
        func, args = made.node.func, made.node.args
        given = [word.value for word in made.node.keywords if word.arg == name]
        if given:
            return made.inside(given[0])
        if name_of(func) == "replace" and args and depth <= _MOST_STEPS:
            before = self.candidates(made.inside(args[0]), depth + 1)
            return self._attribute(before[0], name, depth + 1) if len(before) == 1 else None
        holder = made.source.class_of(func) if isinstance(func, ast.Name) and not args else None
        usual = made.source.bound(holder, name) if holder is not None else None
        return made.inside(usual.value) if usual is not None and usual.value is not None else None

    # -- rows -------------------------------------------------------------------------------------

    def _rows(self, over: GivenArgument, depth: int) -> Sequence[Row]:
        """What a loop goes over, turn by turn."""
        match over.node:
            case ast.Call(func=ast.Attribute(value=base, attr="items" | "values" as word), args=[]):
                return self._pairs(over.inside(base), word, depth)
            case ast.Call(func=ast.Name(id="enumerate"), args=[inner, *_]):
                return [(None, row) for row in self._rows(over.inside(inner), depth)]
            case ast.Call(func=ast.Name(id="zip"), args=args):
                return [*zip(*(self._rows(over.inside(a), depth) for a in args), strict=False)]
            case ast.Call(func=ast.Name(id="list" | "tuple" | "sorted"), args=[inner]):
                return self._rows(over.inside(inner), depth)
            case ast.Constant(value=str(text)):
                return [None] * len(text)
        found = self.candidates(over, depth)
        if len(found) != 1 or found[0] is None:
            return ()
        if found[0].node is not over.node:
            return self._rows(found[0], depth)
        if isinstance(over.node, ast.Dict):
            return [over.inside(key) if key is not None else None for key in over.node.keys]
        return [over.inside(each) for each in _elements(over.node) or ()]

    def _pairs(self, table: GivenArgument, word: str, depth: int) -> Sequence[Row]:
        found = self.candidates(table, depth)
        if len(found) != 1 or found[0] is None:
            return ()
        inside = found[0].inside
        keys = getattr(found[0].node, "keys", None)
        rows: list[Row] = []
        for number, (_, value) in enumerate(pairs_of(found[0].node) or ()):
            key = inside(keys[number]) if keys and keys[number] is not None else None
            rows.append((key, inside(value)) if word == "items" else inside(value))
        return rows

    def _item(self, row: Row, path: tuple[int, ...], depth: int) -> GivenArgument | None:
        for index in path:
            if isinstance(row, GivenArgument):
                (row,) = found if len(found := self.candidates(row, depth)) == 1 else (None,)
            if isinstance(row, GivenArgument):
                row = self._member(row, index)
            elif isinstance(row, tuple):
                row = row[index] if index < len(row) else None
        return row if isinstance(row, GivenArgument) else None


def _elements(node: ast.expr) -> list[ast.expr] | None:
    """The elements of a list as it is written."""
    match node:
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return None if any(isinstance(e, ast.Starred) for e in elements) else elements
    return None
