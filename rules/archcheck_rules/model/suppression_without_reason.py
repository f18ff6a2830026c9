"""Suppressions say why.

Why it matters: without a reason nobody dares to remove a suppression, and nobody can tell an
accepted risk from a shortcut.

How to fix: ``reason="the vendor's client has no timeout; ticket SHOP-123"``.

False positives: none.

Sources: Trivy, statement in the ignore file; Threagile, risk tracking with justification.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Suppression, System
from archcheck.findings import NotApplicable, Result, Rule, Violation
from archcheck.graph import Graph

rule = Rule(
    "MOD005",
    "suppression-without-reason",
    severity="warning",
    method="attr",
    on_unknown="violation",
)


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    if not graph.system.suppressions:
        yield NotApplicable("nothing is suppressed")
    for suppression in graph.system.suppressions:
        if suppression.reason is None or not suppression.reason.strip():
            yield Violation(
                suppression,
                f"the {suppression.title()} gives no reason",
                fix='reason="..."',
            )


def _because(reason: str | None) -> System:
    return System("shop", suppressions=[Suppression("RES001", "web.page", reason=reason)])


@rule.bad("suppression of RES001 for web.page")
def no_reason() -> System:
    return _because(None)


@rule.borderline("suppression of RES001 for web.page")
def an_empty_reason() -> System:
    return _because(" ")


@rule.good
def a_reason() -> System:
    return _because("the client has no timeout; ticket SHOP-123")
