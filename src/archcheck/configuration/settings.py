"""Settings: which rules run, on what, how gravely, with which thresholds.

Of ``select`` and ``ignore`` the more specific entry wins (an id before a glob, a longer group
before a shorter one), and ``ignore`` between equals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Literal

from archcheck.configuration.folders import relative_to_first, repository_of
from archcheck.findings import Finding, Occurrence, Rule, Severity
from archcheck.graph import Graph
from archcheck.model import ModelError, Named, Place
from archcheck.model.element import nearest

Profile = Literal["minimal", "recommended", "strict"]

RANK: dict[Severity, int] = {"error": 2, "warning": 1, "info": 0}
"""Severities in order."""


@dataclass(frozen=True)
class Override:
    """Other settings for what is declared in files that match ``path``."""

    path: str
    """Files, such as models/legacy/**, relative to the folder of the configuration."""
    ignore: tuple[str, ...] = ()
    """Rules that do not run there: ids, groups or globs."""
    severity: Mapping[str, Severity] = field(default_factory=dict)
    """Rule id, group or glob to its severity there."""

    def matches(self, file: str) -> bool:
        """Whether a file is meant; ``**`` stands for any folders."""
        return _path_matches(file, self.path)


@dataclass(frozen=True)
class Settings:
    """What to check, how, and what makes the run fail."""

    profile: Profile = "recommended"
    """The rules that run: the errors, those worth reading on a real system, or all."""
    select: tuple[str, ...] = ()
    """Rules that run instead of the profile's, when not empty: ids, groups or globs."""
    extend_select: tuple[str, ...] = ()
    """Rules that run beside the profile's: ids, groups or globs."""
    ignore: tuple[str, ...] = ()
    """Rules that do not run: ids, groups or globs."""
    fail_on: Severity = "error"
    """The least severity of a finding that fails archcheck verify."""
    strict: bool = False
    """Whether undecided rules fail it, too."""
    baseline: Path | None = None
    """A file with known findings, which do not fail it."""
    severity: Mapping[str, Severity] = field(default_factory=dict)
    """Rule id, group or glob to the severity of its findings."""
    targets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Rule id, group or glob to what it looks at: names, kind:, tag: or boundary:."""
    options: Mapping[str, object] = field(default_factory=dict)
    """Rule id to an instance of its options class."""
    overrides: tuple[Override, ...] = ()
    """Other settings for what is declared in some files."""
    folder: Path | None = field(default=None, compare=False)
    """Where the configuration is: paths of overrides are relative to it."""
    edits: Mapping[str, float] = field(default_factory=dict)
    """Kind of edit to its cost, for repairs; empty: the usual ones."""
    icons: Mapping[str, Path] = field(default_factory=dict)
    """Element, ``tag:NAME`` or technology to a picture file, for diagrams."""
    colours: Mapping[str, str] = field(default_factory=dict)
    """Tag to ``#rrggbb``, for diagrams."""

    def chosen(self, rules: Iterable[Rule]) -> list[Rule]:
        """The rules that run, in their order."""
        return [rule for rule in rules if self._is_chosen(rule)]

    def _is_chosen(self, rule: Rule) -> bool:
        selected = max(_specificities((*self.select, *self.extend_select), rule), default=0)
        if not selected and not self.select and self._in_profile(rule):
            selected = 1
        return selected > max(_specificities(self.ignore, rule), default=0)

    def _in_profile(self, rule: Rule) -> bool:
        if self.profile == "strict":
            return True
        return rule.recommended and (self.profile == "recommended" or rule.severity == "error")

    def targets_of(self, rule: Rule) -> tuple[str, ...]:
        """The selectors that say what the rule looks at; none: everything."""
        return tuple(
            selector
            for pattern, chosen in self.targets.items()
            if specificity(pattern, rule.id)
            for selector in chosen
        )

    def is_narrowed(self, rule: Rule) -> bool:
        """Whether targets or overrides keep some findings of the rule from being reported."""
        ignored = (_specificities(part.ignore, rule) for part in self.overrides)
        return bool(self.targets_of(rule)) or any(ignored)

    def adjusted(self, finding: Finding) -> tuple[Finding, ...]:
        """The finding with its configured severity, without places where it is ignored.

        A severity belongs to a place: where overrides differ, there is a finding for each severity.
        """
        general = _latest(self.severity, finding.rule) or finding.severity
        kept: dict[Severity, list[Occurrence]] = {}
        for occurrence in finding.occurrences:
            overrides = self._overrides(occurrence.place)
            if any(_specificities(part.ignore, finding.rule) for part in overrides):
                continue
            severity = general
            for part in overrides:
                severity = _latest(part.severity, finding.rule) or severity
            kept.setdefault(severity, []).append(occurrence)
        return tuple(
            replace(finding, severity=severity, occurrences=tuple(places))
            for severity, places in kept.items()
        )

    def _overrides(self, place: Place | None) -> list[Override]:
        """Those for the file of a place: below the configuration, else in the repository."""
        if place is None or not self.overrides:
            return []
        repository = repository_of(Path(place.file).parent)
        file = relative_to_first(place.file, self.folder, repository, Path.cwd())
        return [part for part in self.overrides if part.matches(file)]

    def reported_file(self, place: Place) -> str:
        """The file of a place as code hosts know it: from the root of the repository.

        Without a repository, from the folder of the configuration, else from the working folder.
        """
        return _from_the_root(place.file, self.folder, Path.cwd())


@lru_cache(maxsize=1_024)  # many places lie in few files, and repositories are looked for on disk
def _from_the_root(file: str, folder: Path | None, here: Path) -> str:
    repositories = repository_of(here), repository_of(Path(file).parent)
    return relative_to_first(file, *repositories, folder, here)


def _latest(severities: Mapping[str, Severity], rule: Rule) -> Severity | None:
    """The severity of the most specific pattern."""
    matching = [(specificity(pattern, rule.id), pattern) for pattern in severities]
    best = max(matching, default=(0, ""))
    return severities[best[1]] if best[0] else None


def _specificities(patterns: Iterable[str], rule: Rule) -> list[int]:
    return [found for pattern in patterns if (found := specificity(pattern, rule.id))]


def specificity(pattern: str, identity: str) -> int:
    """How narrowly a pattern means a rule: 0 not at all, 100 by its id."""
    if pattern == identity:
        return 100
    if pattern == "ALL":
        return 1
    if any(sign in pattern for sign in "*?["):
        return 1 + len(pattern) if fnmatchcase(identity, pattern) else 0
    return 1 + len(pattern) if identity.startswith(pattern) else 0


def is_target(graph: Graph, selector: str, member: Named) -> bool:
    """Whether a selector (a name, ``kind:``, ``tag:``, ``boundary:``) means an element."""
    kind, _, word = selector.partition(":")
    if not word:
        return member.name == selector or fnmatchcase(member.name, selector)
    match kind:
        case "kind":
            return word in (member.kind, *(base.__name__.lower() for base in type(member).__mro__))
        case "tag":
            return word in getattr(member, "tags", ())
        case _:
            return graph.boundary_of(member) == word


def _path_matches(path: str, pattern: str) -> bool:
    return _parts_match(PurePosixPath(path).parts, PurePosixPath(pattern).parts)


def _parts_match(path: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not path
    if pattern[0] == "**":
        rest = pattern[1:] or ("*",)
        return any(_parts_match(path[start:], rest) for start in range(len(path))) or (
            pattern[1:] == () and bool(path)
        )
    return bool(path) and fnmatchcase(path[0], pattern[0]) and _parts_match(path[1:], pattern[1:])


def check_patterns(patterns: Iterable[str], rules: Sequence[Rule]) -> None:
    """Refuse what means no rule. Raises :class:`ModelError` with the nearest id."""
    for pattern in patterns:
        if pattern != "ALL" and not any(specificity(pattern, rule.id) for rule in rules):
            raise ModelError(
                f"no rule is called {pattern!r}{nearest(pattern, [rule.id for rule in rules])}"
            )
