"""Python files as text and tree: which call made a part, and where a name gets its value.

The tree of :mod:`ast` has the place of every expression to the column, and so has the bytecode of
every call. So a call that made a part is found whatever else stands in its line.
"""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import TypeAlias

from archcheck.model.sites import Frame

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_End: TypeAlias = tuple[int | None, int | None]
"""Line and column."""
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_SCOPES = (*FUNCTIONS, ast.ClassDef, ast.Module)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_MOST_FOLDERS = 8
"""Folders above a file in which the modules are looked for that it imports. A choice."""
_BOM = "\ufeff"


@dataclass(frozen=True, eq=False)
class Binding:
    """A name that gets its value at one place only: of a module, or inside a function."""

    source: PythonSource
    scope: ast.AST
    name: str
    value: ast.expr | None
    """``None`` for a parameter."""


@dataclass(frozen=True)
class Loop:
    """What a loop goes over, and which item of each row a name is: ``name, (n, to)``."""

    over: ast.expr
    path: tuple[int, ...]


class PythonSource:
    """A Python file: its text, its tree and its names."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.body = text.removeprefix(_BOM)
        self.tree = ast.parse(self.body)
        self._lines: list[str] = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", self.body)
        shift = len(text) - len(self.body)
        self._starts = list(itertools.accumulate(map(len, self._lines), initial=shift))
        self._parents = {
            id(inner): outer
            for outer in ast.walk(self.tree)
            for inner in ast.iter_child_nodes(outer)
        }

    @property
    def line_end(self) -> str:
        """How lines end here."""
        return "\r\n" if "\r\n" in self.text else "\n"

    def line(self, number: int) -> str:
        """The text of a line, with its end."""
        return self._lines[number - 1]

    def start_of(self, number: int) -> int:
        """The offset at which a line begins, or the text ends."""
        return self._starts[min(number, len(self._starts)) - 1]

    def span(self, node: ast.expr | ast.keyword | ast.alias) -> tuple[int, int]:
        """The offsets in the text at which a node begins and ends."""
        return (
            self._offset(node.lineno, node.col_offset),
            self._offset(node.end_lineno or 0, node.end_col_offset or 0),
        )

    def _offset(self, line: int, column: int) -> int:
        """``column`` counts bytes of UTF-8."""
        text = self._lines[line - 1]
        return self._starts[line - 1] + len(text.encode()[:column].decode())

    # -- calls ------------------------------------------------------------------------------------

    def call_at(self, frame: Frame) -> ast.Call | None:
        """The call that was in progress; no two calls end at the same place."""
        unit = frame.instruction // 2
        every = self._ends.get((frame.code, frame.first_line), [])
        found = {ends[unit] for ends in every if unit < len(ends)}
        calls = [self._calls[end] for end in found if end in self._calls]
        return calls[0] if len(calls) == 1 else None

    def call_over(self, start: int, end: int) -> ast.Call:
        """The call between two offsets."""
        return self._by_span[start, end]

    @functools.cached_property
    def _by_span(self) -> dict[tuple[int, int], ast.Call]:
        return {self.span(call): call for call in self.calls()}

    @functools.cached_property
    def _calls(self) -> dict[_End, ast.Call]:
        return {(node.end_lineno, node.end_col_offset): node for node in self.calls()}

    def calls(self) -> Iterator[ast.Call]:
        """All calls but those in formatted texts, whose places are not to be relied upon."""
        inside = {
            id(inner)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.JoinedStr)
            for inner in ast.walk(node)
        }
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and id(node) not in inside:
                yield node

    @functools.cached_property
    def _ends(self) -> dict[tuple[str, int], list[list[_End]]]:
        """For functions by name and first line, where the expression of each instruction ends."""
        found: dict[tuple[str, int], list[list[_End]]] = defaultdict(list)
        waiting = [compile(self.body, self.file, "exec", dont_inherit=True)]
        while waiting:
            code = waiting.pop()
            ends = [(line, column) for _, line, _, column in code.co_positions()]
            found[code.co_name, code.co_firstlineno].append(ends)
            waiting += [each for each in code.co_consts if isinstance(each, CodeType)]
        return found

    # -- names ------------------------------------------------------------------------------------

    @functools.cached_property
    def imports(self) -> dict[str, tuple[str, int, str | None]]:
        """Name to the module, the dots before it and the name in it; none for the module itself."""
        found: dict[str, tuple[str, int, str | None]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.names[0].name != "*":
                for alias in node.names:
                    found[alias.asname or alias.name] = node.module or "", node.level, alias.name
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.asname or "." not in alias.name:
                        found[alias.asname or alias.name] = alias.name, 0, None
        return found

    @functools.cached_property
    def starred(self) -> list[tuple[str, int]]:
        """The modules, and the dots before them, all of whose names are imported."""
        return [
            (node.module or "", node.level)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
        ]

    def scopes(self, node: ast.AST) -> Iterator[ast.AST]:
        """What encloses a node and may give names a value, from inside outwards."""
        outer: ast.AST | None = self._parents.get(id(node))
        while outer is not None:
            if isinstance(outer, (*_SCOPES, *_COMPREHENSIONS)):
                yield outer
            outer = self._parents.get(id(outer))

    def binding(self, node: ast.Name) -> Binding | None:
        """Where a name gets its value; ``None`` if nowhere here, at several places or by a loop."""
        for scope in self.scopes(node):
            if isinstance(scope, ast.ClassDef) or node.id not in self._stores(scope):
                continue
            return self.bound(scope, node.id)
        return None

    def is_bound(self, node: ast.Name) -> bool:
        """Whether a name gets a value in this file, here or there."""
        return any(node.id in self._stores(scope) for scope in self.scopes(node))

    def bound(self, scope: ast.AST, name: str) -> Binding | None:
        """The one place in a scope at which a name gets its value."""
        stores = self._stores(scope).get(name, [])
        if len(stores) != 1 or name in self._elsewhere:
            return None
        if isinstance(stores[0], ast.arg):
            is_plain = isinstance(scope, FUNCTIONS) and stores[0] in _parameters(scope)
            return Binding(self, scope, name, None) if is_plain else None
        outer = self._parents.get(id(stores[0]))
        if isinstance(outer, ast.Assign) and stores[0] in outer.targets:
            return Binding(self, scope, name, outer.value)
        if isinstance(outer, ast.AnnAssign | ast.NamedExpr) and outer.value is not None:
            return Binding(self, scope, name, outer.value)
        return None

    def class_of(self, node: ast.Name) -> ast.ClassDef | None:
        """The class of this file that a name stands for."""
        for scope in self.scopes(node):
            stores = self._stores(scope).get(node.id, [])
            if stores and not isinstance(scope, ast.ClassDef):
                is_class = len(stores) == 1 and isinstance(stores[0], ast.ClassDef)
                return stores[0] if is_class else None  # type: ignore[return-value]  # tested
        return None

    def loop_of(self, node: ast.Name) -> Loop | None:
        """The loop or comprehension, of those around a name, that gives it its values."""
        inner: ast.AST = node
        outer = self._parents.get(id(node))
        while outer is not None:
            for target, over in _turns(outer, inner):
                path = _path_of(target, node.id)
                if path is not None:
                    return Loop(over, path)
            if isinstance(outer, FUNCTIONS) and node.id in self._stores(outer):
                return None
            inner, outer = outer, self._parents.get(id(outer))
        return None

    def spread_of(self, node: ast.expr) -> Function | None:
        """The function whose arguments by name, ``**name``, an expression is."""
        if not isinstance(node, ast.Name):
            return None
        scope = next((s for s in self.scopes(node) if node.id in self._stores(s)), None)
        if not isinstance(scope, FUNCTIONS) or scope.args.kwarg is None:
            return None
        return scope if scope.args.kwarg.arg == node.id else None

    @functools.cached_property
    def _elsewhere(self) -> set[str]:
        """Names that a function sets outside itself."""
        return {
            name
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Global | ast.Nonlocal)
            for name in node.names
        }

    def _stores(self, scope: ast.AST) -> dict[str, list[ast.AST]]:
        return self._all_stores.get(id(scope), {})

    @functools.cached_property
    def _all_stores(self) -> dict[int, dict[str, list[ast.AST]]]:
        """For each scope, the nodes that give a name a value, by the name."""
        found: dict[int, dict[str, list[ast.AST]]] = defaultdict(lambda: defaultdict(list))
        for node in ast.walk(self.tree):
            for name in _stored(node):
                scope = next(self.scopes(node), self.tree)
                if isinstance(scope, _COMPREHENSIONS) and isinstance(
                    self._parents.get(id(node)), ast.NamedExpr
                ):
                    scope = next(s for s in self.scopes(node) if isinstance(s, _SCOPES))
                found[id(scope)][name].append(node)
        return found

    def reads(self, name: str) -> Iterator[ast.expr]:
        """Where the value of something called so, here or where it is imported from, is read."""
        also = {alias for alias, (_, _, real) in self.imports.items() if real == name}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                if node.id == name or node.id in also:
                    yield node
            elif isinstance(node, ast.Attribute) and node.attr == name:
                yield node


def _turns(outer: ast.AST, inner: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The targets of a loop that ``inner``, directly in it, may name, and what they go over."""
    match outer:
        case (
            ast.For(target=target, iter=over, body=body)
            | ast.AsyncFor(target=target, iter=over, body=body)
        ) if any(each is inner for each in body):
            yield target, over
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            before = itertools.takewhile(lambda each: each is not inner, outer.generators)
            yield from ((each.target, each.iter) for each in reversed([*before]))
        case ast.comprehension(target=target, iter=over) if inner is not over:
            yield target, over


def _path_of(target: ast.expr, name: str) -> tuple[int, ...] | None:
    """Where in a target a name stands: ``(1, 0)`` is ``n`` in ``name, (n, to)``."""
    if isinstance(target, ast.Name):
        return () if target.id == name else None
    if isinstance(target, ast.Tuple | ast.List):
        for index, each in enumerate(target.elts):
            path = _path_of(each, name)
            if isinstance(each, ast.Starred):
                return None
            if path is not None:
                return index, *path
    return None


def _stored(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in names)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            yield name


def _parameters(function: Function) -> list[ast.arg]:
    given = function.args
    return [*given.posonlyargs, *given.args, *given.kwonlyargs]


def default_of(function: Function, name: str) -> ast.expr | None:
    """What a parameter is when a call does not give it."""
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    pairs = [
        *zip(reversed(positional), reversed(given.defaults), strict=False),
        *zip(given.kwonlyargs, given.kw_defaults, strict=True),
    ]
    return next((value for arg, value in pairs if arg.arg == name), None)


def position_of(function: Function, name: str) -> int | None:
    """The place of a parameter among those that may be given without a name."""
    positional = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args)]
    return positional.index(name) if name in positional else None


class Sources:
    """The files of a model, each read once; those that cannot be edited are not there."""

    def __init__(self) -> None:
        self._read: dict[str, PythonSource | None] = {}

    def of(self, file: str) -> PythonSource | None:
        """A file, unless it is no Python in UTF-8 or belongs to an installed library."""
        if file not in self._read:
            self._read[file] = _read(file)
        return self._read[file]

    def resolve(self, source: PythonSource, node: ast.expr) -> Binding | None:
        """Where a name, or a name in a module, gets its value; through imports."""
        if isinstance(node, ast.Name):
            return self._named(source, node)
        if isinstance(node, ast.Attribute):
            base = node.value
            if isinstance(base, ast.Name) and base.id in source.imports:
                module, level, name = source.imports[base.id]
                inner = ".".join(part for part in (module, name) if part)
                found = self._in_module(source, inner, level, node.attr)
                return found or self._in_class(source, module, level, name, node.attr)
            if isinstance(base, ast.Name) and (holder := source.class_of(base)) is not None:
                return source.bound(holder, node.attr)
        return None

    def _named(self, source: PythonSource, node: ast.Name) -> Binding | None:
        found = source.binding(node)
        if found is not None:
            return found
        if node.id in source.imports:
            module, level, name = source.imports[node.id]
            return self._in_module(source, module, level, name) if name is not None else None
        if source.is_bound(node):
            return None
        every = (self._in_module(source, module, dots, node.id) for module, dots in source.starred)
        return next((each for each in every if each is not None), None)

    def _in_module(
        self, source: PythonSource, module: str, level: int, name: str
    ) -> Binding | None:
        file = _module_file(source.file, module, level)
        found = self.of(file) if file else None
        if found is None:
            return None
        if name in found.imports and found is not source:
            inner, dots, real = found.imports[name]
            return self._in_module(found, inner, dots, real) if real else None
        return found.bound(found.tree, name)

    def _in_class(
        self, source: PythonSource, module: str, level: int, name: str | None, field: str
    ) -> Binding | None:
        """A value of a class of another module."""
        file = _module_file(source.file, module, level)
        found = self.of(file) if file else None
        holders = [
            node
            for node in (found.tree.body if found else ())
            if isinstance(node, ast.ClassDef) and node.name == name
        ]
        return found.bound(holders[0], field) if found and len(holders) == 1 else None

    def uses(self, binding: Binding) -> Iterator[ast.expr]:
        """Where the value of a binding is read: in its file, and in those that lie beside it."""
        for file in sorted({*self._read, *_beside([*self._read])}):
            if binding.value is None and file != binding.source.file:
                continue
            source = self.of(file)
            if source is None or binding.name not in source.text:
                continue
            for node in source.reads(binding.name):
                found = self.resolve(source, node)
                if found and found.scope is binding.scope and found.name == binding.name:
                    yield node


def _read(file: str) -> PythonSource | None:
    path = Path(file)
    if path.suffix != ".py" or "site-packages" in path.parts or not path.is_file():
        return None
    try:
        return PythonSource(file, path.read_bytes().decode("utf-8"))
    except (OSError, UnicodeDecodeError, SyntaxError, ValueError):
        return None


def _beside(files: list[str]) -> set[str]:
    folders = {Path(file).parent for file in files}
    return {str(path) for folder in folders if folder.is_dir() for path in folder.glob("*.py")}


def _module_file(file: str, module: str, level: int) -> str | None:
    """The file of a module that ``file`` imports, if it belongs to the model."""
    parents = Path(file).parents
    folders = parents[level - 1 : level] if level else parents[:_MOST_FOLDERS]
    for folder in folders:
        path = folder.joinpath(*module.split(".")) if module else folder
        for candidate in (path.with_suffix(".py"), path / "__init__.py"):
            if candidate.is_file():
                return str(candidate)
    return None
