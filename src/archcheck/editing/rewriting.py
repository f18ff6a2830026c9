"""New values in the text of a file: all else stays as it is, to the byte."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from archcheck.editing.sources import PythonSource
from archcheck.editing.tracing import Slot
from archcheck.model import __all__ as vocabulary

_WIDTH = 88
"""Columns of a line, unless the file has wider ones: what Black does if nobody says otherwise."""
_BETWEEN = re.compile(r"#[^\r\n]*|\r\n|[\s\\]|[,)]")
"""What may stand between the last argument of a call and its end."""
_COMMENT = re.compile(r"[ \t]*#[^\r\n]*")
_UNIT_MODULE = "archcheck.units"


def rewritten(source: PythonSource, values: Mapping[Slot, str]) -> str:
    """The text of a file with new values in its slots."""
    changes: list[tuple[int, int, str]] = []
    added: dict[tuple[int, int], list[str]] = {}
    for slot, value in values.items():
        if slot.keyword is None:
            changes.append((slot.start, slot.end, value))
        else:
            added.setdefault((slot.start, slot.end), []).append(f"{slot.keyword}={value}")
    changes += [_appended(source, *span, arguments) for span, arguments in added.items()]
    changes += _imports(source, values.values())
    text = source.text
    for start, end, new in sorted(changes, reverse=True):
        text = text[:start] + new + text[end:]
    return _broken(source, text)


# -- arguments ------------------------------------------------------------------------------------


def _appended(
    source: PythonSource, start: int, end: int, arguments: list[str]
) -> tuple[int, int, str]:
    """Arguments more for the call between two offsets."""
    call = source.call_over(start, end)
    given = _arguments(source, call)
    close = end - 1
    if not given:
        return close, close, ", ".join(arguments)
    last = given[-1]
    at, comma = _after_argument(source.text, source.span(last)[1], close)
    if last.end_lineno == call.end_lineno or source.text[at:close].strip(" \t") == "":
        return at, at, (" " if comma else ", ") + ", ".join(arguments)
    line = source.line(last.lineno)
    space = source.line_end + line[: len(line) - len(line.lstrip(" \t"))]
    found = _COMMENT.match(source.text, at)
    comment = found[0] if found else ""
    new = space + f",{space}".join(arguments)
    return at, at + len(comment), f"{comment}{new}," if comma else f",{comment}{new}"


def _arguments(source: PythonSource, call: ast.Call) -> list[ast.expr | ast.keyword]:
    """The arguments of a call in the order of the text."""
    return sorted([*call.args, *call.keywords], key=source.span)


def _after_argument(text: str, start: int, close: int) -> tuple[int, bool]:
    """Where more may be added behind the last argument, and whether a comma is there already.

    The argument may be in brackets.
    """
    at = start
    while start < close:
        token = _BETWEEN.match(text, start)
        if token is None:
            break
        start = token.end()
        if token[0] == ")":
            at = start
        elif token[0] == ",":
            return start, True
    return at, False


# -- imports --------------------------------------------------------------------------------------


def _imports(source: PythonSource, values: Iterable[str]) -> Iterator[tuple[int, int, str]]:
    """The imports of what new values name and the file does not know."""
    known = {node.id for node in ast.walk(source.tree) if isinstance(node, ast.Name)}
    known |= set(source.imports)
    starred = {module for module, level in source.starred if not level}
    missing: dict[str, list[str]] = {}
    for name in sorted(_names(values) - known):
        module = "archcheck" if name in vocabulary else _UNIT_MODULE
        if module not in starred:
            missing.setdefault(module, []).append(name)
    for module, names in missing.items():
        node = _import_from(source, module)
        if node is not None and _fits(source, node, names):
            yield from _joined(source, node, names)
        else:
            at = _after_imports(source)
            yield at, at, f"from {module} import {', '.join(names)}{source.line_end}"


def _import_from(source: PythonSource, module: str) -> ast.ImportFrom | None:
    """The import of other names of a module at the top of a file."""
    for node in itertools.takewhile(_is_top, source.tree.body):
        if isinstance(node, ast.ImportFrom) and node.module == module and not node.level:
            return node
    return None


def _fits(source: PythonSource, node: ast.ImportFrom, names: Sequence[str]) -> bool:
    """Whether more names go into the lines of an import without a second thought."""
    if node.lineno != node.end_lineno:
        start, end = (source.start_of(number) for number in (node.lineno, node.end_lineno or 0))
        return "#" not in source.text[start:end] and len(_lines_of(node)) == len(node.names)
    line = source.line(node.lineno).rstrip("\r\n")
    return len(line) + len("".join(f", {name}" for name in names)) <= _width(source)


def _lines_of(node: ast.ImportFrom) -> set[int]:
    return {each.lineno for each in node.names}


def _joined(
    source: PythonSource, node: ast.ImportFrom, names: Sequence[str]
) -> Iterator[tuple[int, int, str]]:
    """More names among those of an import, in its order."""
    between = ", "
    if node.lineno != node.end_lineno:
        line = source.line(node.names[0].lineno)
        between = "," + source.line_end + line[: len(line) - len(line.lstrip(" \t"))]
    for name in names:
        before = [each for each in node.names if each.name < name]
        if before:
            at = source.span(before[-1])[1]
            yield at, at, f"{between}{name}"
        else:
            at = source.span(node.names[0])[0]
            yield at, at, f"{name}{between}"


def _names(values: Iterable[str]) -> set[str]:
    return {
        node.id
        for value in values
        for node in ast.walk(ast.parse(value))
        if isinstance(node, ast.Name)
    }


def _after_imports(source: PythonSource) -> int:
    """Behind the imports at the top of a file, which may begin with a text of its own."""
    top = list(itertools.takewhile(_is_top, source.tree.body))
    if top:
        return source.start_of((top[-1].end_lineno or 0) + 1)
    return source.start_of(1)


def _is_top(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


# -- long lines -----------------------------------------------------------------------------------


def _broken(before: PythonSource, text: str) -> str:
    """With the calls and lists in lines that are too long broken: each part on its own line."""
    width = _width(before)
    while True:
        source = PythonSource(before.file, text)
        found = _too_long(source, width)
        if not found:
            return text
        for node in reversed(found):
            start, end = source.span(node)
            text = text[:start] + _exploded(source, node) + text[end:]


def _width(source: PythonSource) -> int:
    lines = re.findall(r"[^\n]+", source.text)
    return max([_WIDTH, *(len(line.rstrip("\r\n")) for line in lines)])


def _too_long(source: PythonSource, width: int) -> list[ast.Call | ast.List]:
    """The outermost call or list of each line that is too long, where it may be broken."""
    found: dict[int, ast.Call | ast.List] = {}
    lists = [node for node in ast.walk(source.tree) if isinstance(node, ast.List)]
    candidates: list[ast.Call | ast.List] = [*source.calls(), *lists]
    for node in candidates:
        if (
            node.lineno == node.end_lineno
            and len(source.line(node.lineno).rstrip("\r\n")) > width
            and (parts := _parts(source, node))
            and not any(isinstance(each, ast.GeneratorExp) for each in parts)
        ):
            other = found.setdefault(node.lineno, node)
            if _columns(node) > _columns(other):
                found[node.lineno] = node
    return [found[number] for number in sorted(found)]


def _parts(source: PythonSource, node: ast.Call | ast.List) -> Sequence[ast.expr | ast.keyword]:
    return _arguments(source, node) if isinstance(node, ast.Call) else node.elts


def _columns(node: ast.expr) -> int:
    return (node.end_col_offset or 0) - node.col_offset


def _exploded(source: PythonSource, node: ast.Call | ast.List) -> str:
    line = source.line(node.lineno)
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    inner = indent + ("\t" if "\t" in indent else "    ")
    start, end = source.span(node)
    opening = start + 1
    if isinstance(node, ast.Call):
        opening = source.text.index("(", source.span(node.func)[1]) + 1
    bounds = [source.span(part) for part in _parts(source, node)]
    starts = [opening, *(source.text.index(",", over) + 1 for _, over in bounds[:-1])]
    ends = [each - 1 for each in starts[1:]] + [end - 1]
    parts = [source.text[a:b].strip(" \t").rstrip(",") for a, b in zip(starts, ends, strict=True)]
    lines = "".join(f"{source.line_end}{inner}{part}," for part in parts)
    return f"{source.text[start:opening]}{lines}{source.line_end}{indent}{source.text[end - 1]}"
