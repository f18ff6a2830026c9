"""Edits as a patch: the lines of the files that declare a model, before and after."""

from __future__ import annotations

import ast
import difflib
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from archcheck.editing.edits import Edit, apply
from archcheck.files import write_files
from archcheck.model import Place, System, to_json
from archcheck.model import __all__ as vocabulary
from archcheck.model.element import Element
from archcheck.model.linking import walk
from archcheck.units import Duration, Fraction, Rate, Size


@dataclass(frozen=True)
class Patch:
    """New texts of files, and the edits that no line of a file stands for."""

    files: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """File to its text before and after."""
    by_hand: tuple[str, ...] = ()

    def diff(self) -> str:
        """A unified diff that ``git apply`` and ``patch -p1`` take."""
        return "".join(
            itertools.chain.from_iterable(
                difflib.unified_diff(
                    before.splitlines(keepends=True),
                    after.splitlines(keepends=True),
                    f"a/{_shown(file)}",
                    f"b/{_shown(file)}",
                )
                for file, (before, after) in sorted(self.files.items())
            )
        )

    def write(self) -> None:
        """Write the new texts, all or none."""
        write_files({file: after for file, (_, after) in self.files.items()})


def _shown(file: str) -> str:
    return Place(file, 1).shown_file().lstrip("/")


def patch_of(system: System, edits: Iterable[Edit], edited: System | None = None) -> Patch:
    """The patch that makes ``edits`` in the files that ``system`` was read from.

    ``edited`` is the system with the edits, where they were made one after the other.
    """
    made = list(edits)
    site = system.site
    if site is not None and site.place.file.endswith(".json"):
        before = _text_of(site.place.file)
        return Patch({site.place.file: (before, to_json(edited or apply(system, made)))})
    lines = Counter(
        (type(part), part.site.place)
        for part in {id(p): p for whole in _all_of(system) for p in walk(whole)}.values()
        if part.site is not None
    )
    by_file: dict[str, list[Edit]] = defaultdict(list)
    by_hand: list[str] = []
    for edit in made:
        if edit.part.site is None:
            by_hand.append(_described(system, edit))
        else:
            by_file[edit.part.site.place.file].append(edit)
    files = {}
    for file, inside in by_file.items():
        before = _text_of(file)
        source = _Source(before)
        for edit in inside:
            sharing = lines[type(edit.part), edit.part.site.place] if edit.part.site else 0
            if not source.change(edit, sharing):
                by_hand.append(_described(system, edit))
        if source.text() != before:
            files[file] = before, source.text()
    return Patch(files, tuple(by_hand))


def _text_of(file: str) -> str:
    """The text of a file with the line ends that it has."""
    return Path(file).read_bytes().decode("utf-8")


def _all_of(system: System) -> tuple[Element, ...]:
    return (*system.elements, *system.journeys, *system.scenarios)


def _described(system: System, edit: Edit) -> str:
    place = system.place(edit.part)
    return f"{place}: {edit}" if place else str(edit)


class _Source:
    """A Python file whose constructor calls are given other arguments."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines(keepends=True)
        self._line_end = "\r\n" if "\r\n" in text else "\n"
        self._tree = ast.parse(text)
        self._known = {
            *(node.id for node in ast.walk(self._tree) if isinstance(node, ast.Name)),
            *(
                alias.asname or alias.name
                for node in ast.walk(self._tree)
                if isinstance(node, ast.Import | ast.ImportFrom)
                for alias in node.names
            ),
        }
        self._changes: list[tuple[int, int, str]] = []
        """Offsets of what is replaced, and by what."""
        self._starts = list(itertools.accumulate(map(len, self._lines), initial=0))

    def change(self, edit: Edit, sharing: int) -> bool:
        """Note the change of a part; ``False`` when its call cannot be told from others.

        ``sharing`` parts of the system are made by the calls on its line.
        """
        call = self._call(edit.part, sharing)
        if call is None:
            return False
        for name, value in edit.values.items():
            source = source_of(value)
            given = _given(call, edit.part, name)
            if given is not None:
                self._replace(given, source)
            else:
                self._append(call, f"{name}={source}")
            self._import(source)
        return True

    def _call(self, part: Element, sharing: int) -> ast.Call | None:
        line = part.site.place.line if part.site else 0
        calls = [
            node
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Call)
            and node.lineno == line
            and _name(node.func) == type(part).__name__
        ]
        if len(calls) != sharing:  # a helper or a loop makes several with one call
            return None
        if len(calls) > 1:
            first = getattr(part, "target", getattr(part, "name", None))
            calls = [call for call in calls if call.args and _constant(call.args[0]) == first]
        return calls[0] if len(calls) == 1 else None

    def _replace(self, node: ast.expr, source: str) -> None:
        self._changes.append((self._offset(node), self._offset(node, end=True), source))

    def _append(self, call: ast.Call, argument: str) -> None:
        given = [*call.args, *(word.value for word in call.keywords)]
        if not given:
            end = self._offset(call, end=True) - 1
            self._changes.append((end, end, argument))
            return
        last = max(given, key=lambda node: (node.end_lineno or 0, node.end_col_offset or 0))
        end = self._offset(last, end=True)
        whole = last.end_lineno != call.end_lineno
        indent = self._lines[_first_line(call, last) - 1]
        space = self._line_end + indent[: len(indent) - len(indent.lstrip())] if whole else " "
        self._changes.append((end, end, f",{space}{argument}"))

    def _offset(self, node: ast.expr, *, end: bool = False) -> int:
        line = (node.end_lineno if end else node.lineno) or 0
        column = (node.end_col_offset if end else node.col_offset) or 0
        text = self._lines[line - 1]
        return self._starts[line - 1] + len(text.encode()[:column].decode())

    def _import(self, source: str) -> None:
        names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
        for name in sorted(names - self._known):
            self._known.add(name)
            module = "archcheck" if name in vocabulary else "archcheck.units"
            self._changes.append(
                (self._after_imports(), -1, f"from {module} import {name}{self._line_end}")
            )

    def _after_imports(self) -> int:
        imports = [n for n in self._tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
        return self._starts[imports[-1].end_lineno or 0] if imports else 0

    def text(self) -> str:
        """The file with all changes made."""
        text = "".join(self._lines)
        in_order = sorted(self._changes, key=lambda change: change[0])
        for start, end, source in reversed(in_order):
            text = text[:start] + source + text[end if end >= 0 else start :]
        return text


def _given(call: ast.Call, part: Element, name: str) -> ast.expr | None:
    """The argument for a field, by its name or by its position."""
    for word in call.keywords:
        if word.arg == name:
            return word.value
    positional = [each.name for each in fields(part) if not each.kw_only]  # type: ignore[arg-type]  # a dataclass
    place = positional.index(name) if name in positional else len(call.args)
    return call.args[place] if place < len(call.args) else None


def _first_line(call: ast.Call, last: ast.expr) -> int:
    """The line on which the last argument, with its name, begins."""
    for word in call.keywords:
        if word.value is last:
            return word.lineno
    return last.lineno


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _constant(node: ast.expr) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def source_of(value: Any) -> str:
    """The Python that makes a value of a field, as a person would write it."""
    match value:
        case tuple() | list():
            return f"[{', '.join(map(source_of, value))}]"
        case Fraction():
            return str(value).replace("%", " * percent")
        case Rate():
            return str(value).replace("/", " / ")
        case Duration() | Size():
            return str(value).replace(" ", " * ")
        case Element():
            return f"{type(value).__name__}({', '.join(_arguments(value))})"
        case _:
            return repr(value)


def _arguments(part: Element) -> Iterator[str]:
    for each in fields(part):  # type: ignore[arg-type]  # every element is a dataclass
        value = getattr(part, each.name)
        if value != each.default:
            source = source_of(value)
            yield f"{each.name}={source}" if each.kw_only else source
