"""The model declares what its rules need to decide.

Why it matters: a rule that cannot decide protects nothing; most of them wait for the same few
attributes.

The finding names the attribute that keeps the most rules from deciding; ``archcheck verify
--suggest`` lists them all with their places.

How to fix: declare it where it is missing; one line in a helper function often serves for many
elements.

False positives: attributes that do not matter in this system; leave out the rules that ask.

Sources: Checkov, issue 7458 (unknown results left out of reports); our own ranking.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Call, Endpoint, Service, System
from archcheck.findings import NotApplicable, Result, Rule, RuleOutcome, Violation
from archcheck.graph import Graph
from archcheck.verification.suggesting import suggestions

rule = Rule(
    "MOD003",
    "undecided-attributes",
    severity="info",
    method="attr",
    on_unknown="never",
    recommended=False,
)


@rule.review
def check(graph: Graph, outcomes: tuple[RuleOutcome, ...]) -> Iterator[Result]:
    if not outcomes:
        yield NotApplicable("no other rule was put to the system")
    found = suggestions(outcomes)
    if found:
        first = found[0]
        yield Violation(
            graph.system,
            f"{len(found)} undeclared "
            f"{'attribute keeps' if len(found) == 1 else 'attributes keep'} "
            f"{len({rule for s in found for rule in s.rules})} rules from deciding; "
            f"{first.attribute} alone keeps {len(first.rules)}, in {len(first.subjects)} "
            f"{'place' if len(first.subjects) == 1 else 'places'}",
            fix=f"declare {first.attribute}; archcheck verify --suggest lists what comes next",
        )


@rule.bad("shop")
def hardly_anything_is_declared() -> System:
    return System(
        "shop",
        [
            Service("web", endpoints=[Endpoint("page", steps=[Call("stock")])]),
            Service("stock", endpoints=[Endpoint("get")]),
        ],
    )


@rule.borderline("shop")
def a_bare_service() -> System:
    return System("shop", [Service("web")])


@rule.good
def nothing_to_decide() -> System:
    return System("shop")
