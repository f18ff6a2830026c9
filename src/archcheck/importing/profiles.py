"""Profiles of settings that a deployment turns on: which of an application's files count there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from archcheck.importing.facts import KnownAs, Said
from archcheck.model import Place

_VARIABLES = frozenset(
    {"SPRING_PROFILES_ACTIVE", "spring.profiles.active", "MICRONAUT_ENVIRONMENTS"}
)
"""Spring Boot, Profiles; Micronaut, Application Environments."""
_ARGUMENT = re.compile(
    r"(?:^|\s)(?:-D|--)(?:spring\.profiles\.active|micronaut\.environments)=([\w.,-]{1,200})"
)
"""A system property of Java or an argument, also within ``JAVA_TOOL_OPTIONS``."""


def profiles_told(element: str, name: str, text: str, place: Place) -> Iterator[KnownAs]:
    """The profiles that a variable, or an argument without a name, turns on."""
    listed = text if name in _VARIABLES else ",".join(_ARGUMENT.findall(text[:4_000]))
    for profile in filter(None, map(str.strip, listed.split(","))):
        if "$" not in profile:
            yield KnownAs(element, profile, "", place, "profile")


def profiles_by_name(said: Iterable[Said]) -> Mapping[str, tuple[str, ...]]:
    """The profiles of what runs, by all its names and the folder that it is built from; none for
    a name of several that run with different ones."""
    on: dict[str, dict[str, None]] = {}
    names: dict[str, set[str]] = {}
    for each in (each for one in said for each in one.statements if isinstance(each, KnownAs)):
        names.setdefault(each.element, {each.element.lower()})
        if each.kind == "profile":
            on.setdefault(each.element, {})[each.name] = None
        else:
            names[each.element].add(each.name.lower())
    found: dict[str, set[tuple[str, ...]]] = {}
    for element, every in names.items():
        for name in every:
            found.setdefault(name, set()).add(tuple(on.get(element, ())))
    return {name: next(iter(each)) if len(each) == 1 else () for name, each in found.items()}
