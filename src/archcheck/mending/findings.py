"""What counts as a finding of a system that is mended."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from archcheck import verification
from archcheck.configuration import Settings
from archcheck.findings import Rule
from archcheck.model import System
from archcheck.proof.repair import Found

_FAILS = "(the rule itself fails)"


class Finder:
    """The findings of systems, by rules that do not simulate.

    Each step of a search verifies again, and the runs beside the original judge the same as rules
    that simulate. A rule that fails on a changed system has not said that all is well: that is a
    finding of its own. One that fails on the original as well has nothing to say.
    """

    def __init__(self, rules: Iterable[Rule], settings: Settings, original: System) -> None:
        chosen = [*rules]
        self._rules = [rule for rule in chosen if rule.method != "sim"]
        self._settings = settings
        self._original = original
        self.leaves_out = len(self._rules) < len(chosen)
        """Whether there are rules that simulate."""
        found = self._verified(original)
        self._failing = frozenset(outcome.rule.id for outcome in found.broken)
        self._before = self._places(found)

    def __call__(self, made: System) -> Found:
        if made is self._original:
            return self._before
        return self._places(self._verified(made))

    def _places(self, found: verification.Verification) -> Found:
        failing = (outcome.rule.id for outcome in found.broken)
        return frozenset(
            chain(
                (
                    (finding.rule.id, occurrence.subject)
                    for finding in found.findings
                    for occurrence in finding.occurrences
                ),
                ((name, _FAILS) for name in failing if name not in self._failing),
            )
        )

    def _verified(self, made: System) -> verification.Verification:
        return verification.verify(made, self._rules, settings=self._settings)
