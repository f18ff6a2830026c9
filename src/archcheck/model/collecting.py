"""Elements found in the modules of a model."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from archcheck.model.element import Element, nearest
from archcheck.model.errors import ModelError
from archcheck.model.journeys import Journey
from archcheck.model.named import Named
from archcheck.model.policies import Policy
from archcheck.model.scenarios import Scenario
from archcheck.model.suppressions import Suppression


@dataclass
class Collected:
    """What modules declare, each object once, in the order of declaration."""

    members: list[Named] = field(default_factory=list)
    journeys: list[Journey] = field(default_factory=list)
    policies: list[Policy] = field(default_factory=list)
    scenarios: list[Scenario] = field(default_factory=list)
    suppressions: list[Suppression] = field(default_factory=list)
    others: list[Element] = field(default_factory=list)

    def add(self, part: Element) -> None:
        """Sort ``part`` to its kind."""
        match part:
            case Journey():
                self.journeys.append(part)
            case Scenario():
                self.scenarios.append(part)
            case Named():
                self.members.append(part)
            case Policy():
                self.policies.append(part)
            case Suppression():
                self.suppressions.append(part)
            case _:
                self.others.append(part)


def modules_of(package: ModuleType) -> list[ModuleType]:
    """``package`` and all its submodules, imported, in the order of their names."""
    modules = [package]
    for info in pkgutil.walk_packages(getattr(package, "__path__", []), f"{package.__name__}."):
        if not info.name.rpartition(".")[2].startswith("__"):
            modules.append(importlib.import_module(info.name))
    return modules


def in_order(modules: Sequence[ModuleType], order: Sequence[str]) -> list[ModuleType]:
    """A package and its submodules, of which those in ``order`` come before the others.

    ``order`` has their names in the package. Raises :class:`ModelError` where there is no such one.
    """
    package, *inner = modules
    known = {each.__name__.removeprefix(f"{package.__name__}."): each for each in inner}
    for name in order:
        if name not in known:
            raise ModelError(
                f"order: there is no module {name!r} in the package{nearest(name, [*known])}"
            )
    return [package, *(known[name] for name in dict.fromkeys([*order, *known]))]


def collect(modules: Iterable[ModuleType]) -> Collected:
    """All elements that the modules hold at their top level, under names without underscore."""
    found = Collected()
    seen: set[int] = set()
    for module in modules:
        for name, value in list(vars(module).items()):
            if name.startswith("_"):
                continue
            for part in _elements_in(value):
                if id(part) not in seen:
                    seen.add(id(part))
                    found.add(part)
    return found


def _elements_in(value: Any) -> Iterator[Element]:
    if isinstance(value, Element):
        yield value
    elif isinstance(value, Mapping):
        for item in list(value.values()):
            if isinstance(item, Element):
                yield item
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            if isinstance(item, Element):
                yield item
