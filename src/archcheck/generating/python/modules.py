"""One Python file: its docstring, imports, constants, helpers and declarations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from archcheck.generating.python.expressions import Expressions
from archcheck.generating.python.identifiers import Names
from archcheck.generating.python.layout import LINE, Atom, BracketEntry, Brackets, laid_out
from archcheck.generating.python.shorthands import Helper, NamedConstant, Shorthand
from archcheck.model import Element
from archcheck.model.codec import declared


@dataclass
class Module:
    """A file that is being written."""

    title: str
    """Its docstring."""
    expressions: Expressions
    names: Names
    blocks: list[str] = field(default_factory=list)
    """Constants, functions and declarations, in order."""

    def assign(self, name: str, value: Brackets | Atom, comment: str | None = None) -> None:
        """Declare a name."""
        above = f"# {comment}\n" if comment else ""
        self.blocks.append(f"{above}{name} = {laid_out(value, used=len(name) + 3)}\n")

    def declare(self, part: Element, kind: str) -> str:
        """Declare an element under a name of its own, which is returned."""
        name = self.names.variable(str(getattr(part, "name", kind)), kind)
        comment = self.expressions.comment_of(part)
        self.assign(name, self.expressions.made(part, comment), comment)
        return name

    def declare_list(self, name: str, parts: Iterable[Element]) -> None:
        """Declare a list of elements."""
        expressions = self.expressions
        self.assign(name, Brackets("", tuple(commented(expressions, part) for part in parts)))

    def text(self, imports: Iterable[str] = ()) -> str:
        """The whole file."""
        head = f'"""{docstring(self.title)}"""\n'
        exempt = _exemptions(self.expressions)
        imported = _import_block(self.expressions, imports)
        parts = [head, *([exempt] if exempt else []), *([imported] if imported else [])]
        body = "".join(_apart(before, block) + block for before, block in self._pairs())
        return "\n".join(parts) + body

    def _pairs(self) -> list[tuple[str, str]]:
        return list(zip(["", *self.blocks], self.blocks, strict=False))


def commented(expressions: Expressions, part: Element) -> BracketEntry:
    """An element of a list, under its comment."""
    comment = expressions.comment_of(part)
    return BracketEntry(expressions.made(part, comment), comment=comment)


def _apart(before: str, block: str) -> str:
    """Functions stand two lines from everything, short constants together."""
    if block.startswith("def ") or before.startswith("def "):
        return "\n\n"
    return "" if _is_short_constant(before) and _is_short_constant(block) else "\n"


def _is_short_constant(block: str) -> bool:
    return block[:1].isupper() and block.count("\n") == 1


# -- docstring and imports ------------------------------------------------------------------------

_ODD = re.compile(r"[^ -~]|\\|\"\"\"")


def docstring(text: str) -> str:
    """``text`` where it is a plain line that fits, else a plain sentence."""
    is_plain = not _ODD.search(text) and not text.endswith('"') and text.strip() == text != ""
    return text if is_plain and len(text) + 6 <= LINE else "A part of the architecture."


def _exemptions(expressions: Expressions) -> str:
    """Names in other scripts look like English ones to linters, and addresses like mistakes."""
    codes = ["RUF001"] if expressions.has_odd_text else []
    codes += ["S104", "S108"] if expressions.has_odd_paths else []
    return f"# ruff: noqa: {', '.join([*codes, 'RUF100'])}\n" if codes else ""


def _import_block(expressions: Expressions, local: Iterable[str]) -> str:
    sections = ["from datetime import date\n" if expressions.has_dates else ""]
    sections += [
        import_of("archcheck", expressions.vocabulary)
        + import_of("archcheck.units", expressions.units)
    ]
    sections += ["".join(local)]
    return "\n".join(section for section in sections if section)


def import_of(module: str, names: Iterable[str]) -> str:
    """A line, or several, that import names, as isort and ruff sort them; empty without names."""
    ordered = sorted(names, key=_import_order)
    if not ordered:
        return ""
    line = f"from {module} import {', '.join(ordered)}\n"
    if len(line) <= LINE + 1:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in ordered) + ")\n"


def _import_order(name: str) -> tuple[int, list[tuple[bool, int, str]], str]:
    """Constants, classes, the rest; numbers in names by their size."""
    if len(name) > 1 and name.isupper():
        kind = 0
    else:
        kind = 1 if name[0].isupper() else 2
    parts = re.findall(r"\d+|\D+", name.lower())
    return kind, [(not p.isdigit(), int(p) if p.isdigit() else 0, p) for p in parts], name


# -- constants and helpers ------------------------------------------------------------------------


def define(module: Module, short: Shorthand, name: str) -> None:
    """Write a constant or a helper function into a file."""
    with module.expressions.without_comments():
        match short:
            case NamedConstant():
                module.assign(name, module.expressions.made(short.value))
            case Helper():
                module.blocks.append(_function(module.expressions, short, name))


def _function(expressions: Expressions, helper: Helper, name: str) -> str:
    example = helper.example
    parameters = {each: each for each in helper.parameters}
    made = expressions.made(example, parameters=parameters)
    kind = expressions.annotation(type(example))
    typed = ", ".join(
        f"{each}: {expressions.annotation(type(getattr(example, each)))}" for each in parameters
    )
    differ = " and ".join(each.replace("_", " ") for each in parameters)
    head = f"def {name}({typed}) -> {kind}:"
    if len(head) > LINE:
        head = f"def {name}(\n    {typed}\n) -> {kind}:"
    body = laid_out(made, indent=4, used=11)
    return f'{head}\n    """All alike but for {differ}."""\n    return {body}\n'


def shorthands_in(value: Element, known: Mapping[Element, Shorthand]) -> list[Shorthand]:
    """The shorthands that are written when ``value`` is written out, each once."""
    return _met(_elements(value), known)


def shorthands_of(short: Shorthand, known: Mapping[Element, Shorthand]) -> list[Shorthand]:
    """The shorthands in the definition of another one."""
    if isinstance(short, NamedConstant):
        return shorthands_in(short.value, known)
    fixed = [each.name for each, _ in declared(short.example)]
    fixed = [name for name in fixed if name not in short.parameters]
    return _met(_elements(short.example, only=fixed), known)


def _met(waiting: list[Element], known: Mapping[Element, Shorthand]) -> list[Shorthand]:
    found: dict[Shorthand, None] = {}
    while waiting:
        item, *waiting = waiting
        short = known.get(item)
        if short is None:
            waiting = _elements(item) + waiting
            continue
        found[short] = None
        if isinstance(short, Helper):  # its arguments stand where it is used
            waiting = _elements(item, only=short.parameters) + waiting
    return list(found)


def _elements(part: Element, only: Iterable[str] | None = None) -> list[Element]:
    return [
        item
        for each, content in declared(part)
        if only is None or each.name in only
        for item in (content if isinstance(content, tuple) else (content,))
        if isinstance(item, Element)
    ]
