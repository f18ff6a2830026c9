"""Every suppression still suppresses something.

Why it matters: a suppression whose finding is gone waits for the next one at the same place and
hides it; a misspelt one never did anything.

Only suppressions of rules that ran are judged.

How to fix: remove it, or correct the name: it must be the element as the report shows it.

False positives: none.

Sources: import-linter, unmatched_ignore_imports_alerting; mypy, warn_unused_ignores; Threagile,
orphaned risk tracking.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from archcheck import Call, Endpoint, Service, Suppression, System
from archcheck.findings import NotApplicable, Result, Rule, RuleOutcome, Violation
from archcheck.graph import Graph
from archcheck.plugins import rules
from archcheck.units import ms
from archcheck.verification.suppressing import covers

rule = Rule("MOD007", "suppression-unmatched", severity="error", method="attr", on_unknown="never")


@rule.review
def check(graph: Graph, outcomes: tuple[RuleOutcome, ...]) -> Iterator[Result]:
    if not graph.system.suppressions:
        yield NotApplicable("nothing is suppressed")
    for suppression in graph.system.suppressions:
        known = any(fnmatchcase(each.id, suppression.rule) for each in rules())
        ran = [o for o in outcomes if fnmatchcase(o.rule.id, suppression.rule) and not o.broken]
        if not known and not ran:
            yield Violation(
                suppression,
                f"the {suppression.title()} names no rule",
                fix="the id of a rule, such as RES001",
            )
        elif ran and not any(_suppresses(suppression, outcome) for outcome in ran):
            yield Violation(
                suppression,
                f"the {suppression.title()} suppresses nothing",
                fix="remove it, or correct the name of the element",
            )


def _suppresses(suppression: Suppression, outcome: RuleOutcome) -> bool:
    return any(
        covers(suppression, outcome.rule, place)
        for finding in outcome.findings
        for place in finding.occurrences
    )


def _suppressing(rule_id: str, subject: str, call: Call | None = None) -> System:
    return System(
        "shop",
        [
            Service("web", endpoints=[Endpoint("page", steps=[call or Call("stock")])]),
            Service("stock", endpoints=[Endpoint("get")]),
        ],
        suppressions=[Suppression(rule_id, subject, reason="accepted")],
    )


@rule.bad("suppression of RES001 for web.page -> stock.get")
def the_finding_is_gone() -> System:
    return _suppressing("RES001", "web.page -> stock.get", Call("stock", timeout=50 * ms))


@rule.bad("suppression of RES999 for *")
def no_such_rule() -> System:
    return _suppressing("RES999", "*")


@rule.borderline()
def a_glob_that_matches() -> System:
    return _suppressing("RES00*", "web.* -> stock.*")


@rule.good
def it_suppresses() -> System:
    return _suppressing("RES001", "web.page -> stock.get")
