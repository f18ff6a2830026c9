"""Targets that leave a rule nothing to judge: it must not look as if the rule held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from archcheck.configuration import Settings, is_target
from archcheck.findings import Rule, Subject
from archcheck.findings.results import subject_owner
from archcheck.graph import Graph
from archcheck.model import Named, System

if TYPE_CHECKING:
    from archcheck.verification import Verification


@dataclass
class Targeting:
    """Which subjects a rule may speak of, and what it spoke of beside them."""

    graph: Graph
    selectors: tuple[str, ...]
    _kept: bool = False
    _left_out: set[str] = field(default_factory=set)

    def __call__(self, subject: Subject) -> bool:
        """Whether the subject belongs to a target."""
        owner = subject_owner(subject)
        if owner is not None and any(is_target(self.graph, s, owner) for s in self.selectors):
            self._kept = True
            return True
        self._left_out.add(type(subject).__name__.lower() if owner is None else owner.kind)
        return False

    def missed(self) -> str:
        """Why the targets leave the rule nothing to judge, or nothing.

        A rule that speaks only of other elements of the targets' kinds holds for the targets.
        """
        named = ", ".join(self.selectors)
        kinds = {
            member.kind
            for selector in self.selectors
            for member in matched_by(self.graph, selector)
        }
        if not kinds:
            return f"its targets match nothing: {named}"
        if self._left_out and not self._kept and not self._left_out & kinds:
            return f"it judges {_listed(self._left_out)}, its targets are {_listed(kinds)}: {named}"
        return ""


def _listed(kinds: Iterable[str]) -> str:
    return " and ".join(f"a {kind}" for kind in sorted(kinds))


def matched_by(graph: Graph, selector: str) -> list[Named]:
    """The elements that a selector means."""
    return [member for member in _elements(graph.system) if is_target(graph, selector, member)]


def _elements(system: System) -> tuple[Named, ...]:
    return (*system.elements, *system.journeys, *system.scenarios)


def targets_in_vain(
    results: Iterable[Verification], rules: Iterable[Rule], settings: Settings
) -> Iterator[str]:
    """A sentence for each selector that means nothing, and each rule that its targets disable."""
    made = list(results)
    graphs = [Graph(result.system) for result in made]
    chosen = settings.chosen(rules)
    in_vain = set()
    for selector in dict.fromkeys(s for rule in chosen for s in settings.targets_of(rule)):
        if not any(matched_by(graph, selector) for graph in graphs):
            in_vain.add(selector)
            ids = ", ".join(rule.id for rule in chosen if selector in settings.targets_of(rule))
            yield f"the target {selector!r} of {ids} matches nothing"
    for rule in chosen:
        outcomes = [o for result in made for o in result.outcomes if o.rule.id == rule.id]
        is_said = set(settings.targets_of(rule)) <= in_vain
        if outcomes and not is_said and all(outcome.off_target for outcome in outcomes):
            yield f"{rule.id} judges nothing: {outcomes[0].not_applicable}"
