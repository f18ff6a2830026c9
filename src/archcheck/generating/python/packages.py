"""A system as a package, or as one file where it is small."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

from archcheck.generating.python.arranging import Arrangement, arranged, in_order_of_files
from archcheck.generating.python.expressions import Comment, Expressions, no_comment
from archcheck.generating.python.identifiers import Names
from archcheck.generating.python.layout import Atom, BracketEntry, Brackets, call, laid_out
from archcheck.generating.python.modules import (
    Module,
    commented,
    define,
    import_of,
    shorthands_in,
    shorthands_of,
)
from archcheck.generating.python.shorthands import NamedConstant, Shorthand, shorthands_for
from archcheck.model import Element, Named, System
from archcheck.model.codec import declared

SMALL = 300
"""Lines up to which a system is one file. A choice."""
_CLEARLY_LARGE = 5
"""How many times as long a system is that need not be tried as one file: constants save less."""
_ROOT = "__init__"


def write_python(
    system: System, *, comment: Comment = no_comment, one_file: bool = False
) -> dict[str, str]:
    """The files of a package that declares ``system``: relative name to text.

    Loading the package gives an equal system. A small system, or ``one_file``, is all in
    ``__init__.py``, which can as well be a file of another name. ``comment`` says what stands
    above an element, such as ``compose.yaml:12``: where its values are from. Raises
    :class:`~archcheck.model.errors.ModelError` with the place of what has no form in Python.
    """
    lines = _lines_of(system)
    if not one_file and sum(map(lines, system.elements)) > _CLEARLY_LARGE * SMALL:
        return packaged(system, comment=comment)
    alone = _Package(system, comment, None).files()
    if one_file or alone[f"{_ROOT}.py"].count("\n") <= SMALL:
        return alone
    return packaged(system, comment=comment) if system.elements else alone


def packaged(system: System, *, comment: Comment = no_comment) -> dict[str, str]:
    """The files of a package, however small ``system`` is."""
    return _Package(system, comment, arranged(system, _lines_of(system))).files()


def in_written_order(system: System) -> System:
    """``system`` with its elements in the order in which a package declares them by itself.

    For systems whose order means nothing: written, they need no list of their elements.
    """
    return replace(system, elements=tuple(in_order_of_files(system, _lines_of(system))))


def _length(value: Element) -> int:
    return len(Expressions().made(value).flat or "")


def _lines_of(system: System) -> Callable[[Named], int]:
    """How many lines each element takes, and the empty one behind it."""
    lines = {
        id(member): laid_out(Expressions().made(member)).count("\n") + 2
        for member in system.elements
    }
    return lambda member: lines[id(member)]


class _Package:
    """The files of a system; without an arrangement there is one."""

    def __init__(self, system: System, comment: Comment, arrangement: Arrangement | None) -> None:
        self._system = system
        self._comment = comment
        self._plan = arrangement
        self._files = arrangement.files if arrangement else (_ROOT,) * len(system.elements)
        self._shared = arrangement.shared if arrangement else _ROOT
        self._load = arrangement.journeys if arrangement else _ROOT
        roots = [root for parts in self._roots.values() for root in parts]
        self._known = shorthands_for(roots, _length)
        self._variables: dict[int, str] = {}

    @cached_property
    def _roots(self) -> dict[str, list[Element]]:
        """What each file declares."""
        found: dict[str, list[Element]] = {}
        for file, member in zip(self._files, self._system.elements, strict=True):
            found.setdefault(file, []).append(member)
        load = [*self._system.journeys, *self._system.scenarios]
        if load:
            found.setdefault(self._load, []).extend(load)
        found.setdefault(_ROOT, []).extend(self._rest())
        return found

    def _rest(self) -> Iterator[Element]:
        """What the system itself says."""
        for each, value in declared(self._system):
            if each.name not in ("elements", "journeys", "scenarios"):
                for item in value if isinstance(value, tuple) else (value,):
                    if isinstance(item, Element):
                        yield item

    def files(self) -> dict[str, str]:
        """Every file."""
        modules = self._modules()
        for file, member in zip(self._files, self._system.elements, strict=True):
            self._variables[id(member)] = modules[file].declare(member, member.kind)
        load = modules.get(self._load)
        for name in ("journeys", "scenarios"):
            if load is not None and (parts := getattr(self._system, name)):
                load.declare_list(name, parts)
        root = modules[_ROOT]
        root.assign("system", self._call(root))
        return {f"{file}.py": self._text(file, modules[file]) for file in sorted(modules)}

    # -- constants and helpers --------------------------------------------------------------

    @cached_property
    def _places(self) -> dict[Shorthand, str]:
        """The file of each shorthand: the only one that needs it, or the shared one."""
        users: dict[Shorthand, dict[str, None]] = {}
        for file, parts in self._roots.items():
            for part in parts:
                for short in shorthands_in(part, self._known):
                    users.setdefault(short, {})[file] = None
        places: dict[Shorthand, str] = {}
        for short in reversed(self._inner_first(users)):
            files = users[short]
            places[short] = next(iter(files)) if len(files) == 1 else self._shared
            for inner in shorthands_of(short, self._known):
                users.setdefault(inner, {})[places[short]] = None
        return {short: places[short] for short in self._inner_first(users)}

    def _inner_first(self, shorts: Iterable[Shorthand]) -> list[Shorthand]:
        """In the order of use, each behind those that its definition needs."""
        found: dict[Shorthand, None] = {}

        def add(short: Shorthand) -> None:
            if short not in found:
                for inner in shorthands_of(short, self._known):
                    add(inner)
                found[short] = None

        for short in shorts:
            add(short)
        return list(found)

    def _modules(self) -> dict[str, Module]:
        """The files with their constants and helpers, nothing declared yet."""
        files = {*self._roots, *self._places.values()}
        names = {file: Names() for file in files}
        called: dict[Shorthand, str] = {}
        for is_shared in (True, False):
            for short, file in self._places.items():
                if (file == self._shared) == is_shared:
                    called[short] = _name_of(short, names[file])
            if is_shared:
                for file in files - {self._shared}:
                    names[file].and_not(called.values())
        modules = {
            file: Module(
                self._title(file), Expressions(self._known, called, self._comment), names[file]
            )
            for file in sorted(files)
        }
        for short, file in self._places.items():
            define(modules[file], short, called[short])
        self._called = called
        return modules

    # -- files ------------------------------------------------------------------------------

    def _title(self, file: str) -> str:
        if file == _ROOT:
            return f"The architecture of {self._system.name}."
        if file == self._shared:
            return "What several files need."
        if file == self._load:
            return "What the system is used for, and the load to simulate."
        return self._plan.titles[file] if self._plan else ""

    def _text(self, file: str, module: Module) -> str:
        needed = [
            self._called[short]
            for short in module.expressions.shorthands
            if self._places[short] == self._shared
        ]
        local = [self._imported_files()] if file == _ROOT else []
        if file != self._shared:
            local.append(import_of(f".{self._shared}", needed))
        return module.text(local)

    def _imported_files(self) -> str:
        if not self._lists_elements:
            return ""
        return import_of(".", {*self._files, *([self._load] if self._has_load else [])})

    @property
    def _has_load(self) -> bool:
        return bool(self._system.journeys or self._system.scenarios)

    @property
    def _lists_elements(self) -> bool:
        """Whether the order cannot be said by naming the files."""
        return self._plan is not None and not self._plan.is_kept_together

    # -- the system -------------------------------------------------------------------------

    def _call(self, root: Module) -> Brackets:
        """``System(...)``, or ``System.from_package(...)`` where the files say the rest."""
        root.expressions.vocabulary.add("System")
        collected = self._plan is not None and not self._lists_elements
        entries = [] if collected else [BracketEntry(root.expressions.of(self._system.name))]
        if collected:
            entries.append(BracketEntry(Atom("__name__")))
        for each, value in declared(self._system):
            if each.name == "name":
                if collected:
                    entries += [BracketEntry(root.expressions.of(value), "name"), *self._order()]
            elif each.name in ("elements", "journeys", "scenarios"):
                if not collected:
                    entries.append(self._listed(each.name))
            else:
                entries.append(self._said(root.expressions, each.name, value))
        return call("System.from_package" if collected else "System", entries)

    def _said(self, expressions: Expressions, name: str, value: Any) -> BracketEntry:
        if isinstance(value, tuple) and value and isinstance(value[0], Element):
            return BracketEntry(
                Brackets("", tuple(commented(expressions, item) for item in value)), name
            )
        return BracketEntry(expressions.of(value), name)

    def _order(self) -> list[BracketEntry]:
        """The files, where their names do not have the order of the elements."""
        order = self._plan.order() if self._plan else []
        if order == sorted(order):
            return []
        expressions = Expressions()
        return [
            BracketEntry(
                Brackets("", tuple(BracketEntry(expressions.of(each)) for each in order)), "order"
            )
        ]

    def _listed(self, name: str) -> BracketEntry:
        if name != "elements":
            return BracketEntry(Atom(f"{self._load}.{name}" if self._plan else name), name)
        elements = []
        for file, member in zip(self._files, self._system.elements, strict=True):
            variable = self._variables[id(member)]
            elements.append(BracketEntry(Atom(f"{file}.{variable}" if self._plan else variable)))
        return BracketEntry(Brackets("", tuple(elements)))


def _name_of(short: Shorthand, names: Names) -> str:
    if isinstance(short, NamedConstant):
        return names.constant(short.candidates)
    return names.function(short.candidates)
