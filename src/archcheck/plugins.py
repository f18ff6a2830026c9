"""Rules found where they are: entry points in the group ``archcheck.rules``, and folders.

The catalogue that comes with archcheck is found like any other pack; nothing in the core
imports it. A pack is a package; every module in it that has a ``rule`` is a rule. A repository
keeps rules of its own in its folder ``rules/``, as a package or as single files: finding them
runs them.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from archcheck.findings import Rule
from archcheck.loading import modules_in
from archcheck.model import ArchcheckError

GROUP = "archcheck.rules"


class PluginError(ArchcheckError):
    """A rule pack is there but not usable."""


def rules(*folders: Path) -> tuple[Rule, ...]:
    """All installed rules and those in ``folders``, by id.

    Raises :class:`PluginError` with the file of what is wrong.
    """
    return _rules(*(folder.resolve() for folder in folders))


@cache
def _rules(*folders: Path) -> tuple[Rule, ...]:
    found: dict[str, tuple[Rule, ModuleType]] = {}
    for rule, module in _installed():
        _add(found, rule, module)
    if not found:
        raise PluginError(
            "no rules are installed; install archcheck-models (in its repository: make install)"
        )
    known = {module.__file__ for _, module in found.values()}
    for folder in folders:
        for rule, module in _rules_of(modules_in(folder, known)):
            _add(found, rule, module)
    return tuple(found[identity][0] for identity in sorted(found))


def _installed() -> Iterator[tuple[Rule, ModuleType]]:
    for point in entry_points(group=GROUP):
        try:
            package = importlib.import_module(point.value)
            names = [i.name for i in pkgutil.walk_packages(package.__path__, f"{point.value}.")]
            modules = [importlib.import_module(name) for name in names]
        except Exception as error:
            raise PluginError(
                f"the rule pack {point.value!r} cannot be imported: {type(error).__name__}: {error}"
            ) from error
        yield from _rules_of(modules)


def _rules_of(modules: Iterable[ModuleType]) -> Iterator[tuple[Rule, ModuleType]]:
    for module in modules:
        rule = getattr(module, "rule", None)
        if isinstance(rule, Rule):
            _validate(rule, module)
            yield rule, module


def _add(found: dict[str, tuple[Rule, ModuleType]], rule: Rule, module: ModuleType) -> None:
    if rule.id in found:
        raise PluginError(
            f"{module.__file__}: the rule id {rule.id} is taken by {found[rule.id][1].__file__}"
        )
    found[rule.id] = (rule, module)


def _validate(rule: Rule, module: ModuleType) -> None:
    try:
        parameters = inspect.signature(rule.checker).parameters
    except ValueError as error:
        raise PluginError(f"{module.__file__}: {error}") from None
    expected = rule.arguments()
    if len(parameters) != len(expected):
        line = inspect.getsourcelines(rule.checker)[1]
        raise PluginError(
            f"{module.__file__}:{line}: the check of rule {rule.id} must take "
            f"({', '.join(expected)}); it takes ({', '.join(parameters)})"
        )
