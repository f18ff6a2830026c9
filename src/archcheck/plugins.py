"""Rules found where they are installed: entry points in the group ``archcheck.rules``.

The catalogue that comes with archcheck is found like any other pack; nothing in the core
imports it. A pack is a package; every module in it that has a ``rule`` is a rule.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType

from archcheck.findings import Rule
from archcheck.model import ArchcheckError

GROUP = "archcheck.rules"


class PluginError(ArchcheckError):
    """A rule pack is installed but not usable."""


@cache
def rules() -> tuple[Rule, ...]:
    """All installed rules, by id. Raises :class:`PluginError` with the file of what is wrong."""
    found: dict[str, tuple[Rule, ModuleType]] = {}
    for point in entry_points(group=GROUP):
        for rule, module in _rules_in(importlib.import_module(point.value)):
            if rule.id in found:
                raise PluginError(
                    f"{module.__file__}: the rule id {rule.id} is taken by "
                    f"{found[rule.id][1].__file__}"
                )
            found[rule.id] = (rule, module)
    if not found:
        raise PluginError(
            "no rules are installed; install archcheck-models (in its repository: make install)"
        )
    return tuple(found[identity][0] for identity in sorted(found))


def _rules_in(package: ModuleType) -> Iterator[tuple[Rule, ModuleType]]:
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(info.name)
        rule = getattr(module, "rule", None)
        if isinstance(rule, Rule):
            _validate(rule, module)
            yield rule, module


def _validate(rule: Rule, module: ModuleType) -> None:
    try:
        parameters = inspect.signature(rule.checker).parameters
    except ValueError as error:
        raise PluginError(f"{module.__file__}: {error}") from None
    if len(parameters) != 1:
        line = inspect.getsourcelines(rule.checker)[1]
        raise PluginError(
            f"{module.__file__}:{line}: the check of rule {rule.id} must take one argument, the "
            f"graph; it takes {len(parameters)}"
        )
