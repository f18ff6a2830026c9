"""Suppressions are not past their date.

Why it matters: somebody promised to mend it by then. After its last day a suppression no longer
counts, and what it hid is reported again.

How to fix: mend the finding and remove the suppression, or agree on another date.

False positives: none.

Sources: OSV-Scanner, ignoreUntil; Trivy, expired_at in the ignore file.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from archcheck import Suppression, System
from archcheck.findings import EXAMPLES_DAY, NotApplicable, Result, Rule, Violation
from archcheck.graph import Graph
from archcheck.verification.suppressing import is_over

rule = Rule("MOD004", "suppression-expired", severity="error", method="attr", on_unknown="never")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    if not graph.system.suppressions:
        yield NotApplicable("nothing is suppressed")
    for suppression in graph.system.suppressions:
        if is_over(suppression, graph.today):
            yield Violation(
                suppression,
                f"the {suppression.title()} ended on {suppression.until}",
                fix="mend what it hid and remove it, or agree on another date",
            )


def _until(day: datetime.date | None) -> System:
    return System("shop", suppressions=[Suppression("RES001", "web.*", reason="x", until=day)])


@rule.bad("suppression of RES001 for web.*")
def yesterday() -> System:
    return _until(EXAMPLES_DAY - datetime.timedelta(days=1))


@rule.borderline()
def its_last_day() -> System:
    return _until(EXAMPLES_DAY)


@rule.good
def without_an_end() -> System:
    return _until(None)
