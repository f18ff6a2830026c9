"""New values in the text of a file: all else stays as it is, to the byte."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable, Mapping

from archcheck.editing.sources import Source
from archcheck.editing.tracing import Slot
from archcheck.model import __all__ as vocabulary

_WIDTH = 88
"""Columns of a line, unless the file has wider ones: what Black does if nobody says otherwise."""
_BETWEEN = re.compile(r"#[^\r\n]*|\r\n|[\s\\]|[,)]")
"""What may stand between the last argument of a call and its end."""
_COMMENT = re.compile(r"[ \t]*#[^\r\n]*")
_UNIT_MODULE = "archcheck.units"


def rewritten(source: Source, values: Mapping[Slot, str]) -> str:
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


def _appended(source: Source, start: int, end: int, arguments: list[str]) -> tuple[int, int, str]:
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


def _arguments(source: Source, call: ast.Call) -> list[ast.expr | ast.keyword]:
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


def _imports(source: Source, values: Iterable[str]) -> list[tuple[int, int, str]]:
    """The imports of what new values name and the file does not know."""
    known = {node.id for node in ast.walk(source.tree) if isinstance(node, ast.Name)}
    known |= set(source.imports)
    starred = {module for module, level in source.starred if not level}
    lines = []
    for name in sorted(_names(values) - known):
        module = "archcheck" if name in vocabulary else _UNIT_MODULE
        if module not in starred:
            lines.append(f"from {module} import {name}{source.line_end}")
    if not lines:
        return []
    at = _after_imports(source)
    return [(at, at, "".join(lines))]


def _names(values: Iterable[str]) -> set[str]:
    return {
        node.id
        for value in values
        for node in ast.walk(ast.parse(value))
        if isinstance(node, ast.Name)
    }


def _after_imports(source: Source) -> int:
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


def _broken(before: Source, text: str) -> str:
    """With the calls in new lines that are too long broken: each argument on its own line."""
    width = max(
        [_WIDTH, *(len(line.rstrip("\r\n")) for line in re.findall(r"[^\n]+", before.text))]
    )
    while True:
        source = Source(before.file, text)
        found = _long_calls(source, width)
        if not found:
            return text
        for call in reversed(found):
            start, end = source.span(call)
            text = text[:start] + _exploded(source, call) + text[end:]


def _long_calls(source: Source, width: int) -> list[ast.Call]:
    """The outermost call of each line that is too long, where it may be broken."""
    found: dict[int, ast.Call] = {}
    for node in source.calls():
        if (
            node.lineno == node.end_lineno
            and len(source.line(node.lineno).rstrip("\r\n")) > width
            and (node.args or node.keywords)
            and not any(isinstance(each, ast.GeneratorExp) for each in node.args)
        ):
            other = found.setdefault(node.lineno, node)
            if _columns(node) > _columns(other):
                found[node.lineno] = node
    return [found[number] for number in sorted(found)]


def _columns(node: ast.expr) -> int:
    return (node.end_col_offset or 0) - node.col_offset


def _exploded(source: Source, call: ast.Call) -> str:
    line = source.line(call.lineno)
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    inner = indent + ("\t" if "\t" in indent else "    ")
    start, end = source.span(call)
    given = _arguments(source, call)
    opening = source.text.index("(", source.span(call.func)[1]) + 1
    bounds = [source.span(node) for node in given]
    starts = [opening, *(source.text.index(",", over) + 1 for _, over in bounds[:-1])]
    ends = [each - 1 for each in starts[1:]] + [end - 1]
    parts = [source.text[a:b].strip(" \t").rstrip(",") for a, b in zip(starts, ends, strict=True)]
    lines = "".join(f"{source.line_end}{inner}{part}," for part in parts)
    return f"{source.text[start:opening]}{lines}{source.line_end}{indent})"
