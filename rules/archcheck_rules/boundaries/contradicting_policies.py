"""The declared policies can be of use together: none forbids all that another permits.

Why it matters: two policies that contradict each other cannot both be meant. Whoever meets them
first works around one of them, and from then on neither is believed.

`OnlyVia` and `OnlyWithin` permit what they leave, `Allow` each of its targets, `Layers` the
dependencies downwards. Where other policies forbid all of that, the finding names the smallest set
of policies that do.

How to fix: decide which one is meant; remove or narrow the other, or list an edge in `except_for`.

False positives: a policy that is kept for a time to come; declare it then.

Sources: Istio, analysis message IST0109 (conflicting rules); Lupu and Sloman, Conflicts in
Policy-Based Distributed Systems Management, 1999; Reiter, A Theory of Diagnosis from First
Principles, 1987 (minimal conflict sets).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Allow,
    Deny,
    Independent,
    Layers,
    OnlyVia,
    OnlyWithin,
    Policy,
    Service,
    System,
)
from archcheck.findings import NotApplicable, Result, Rule
from archcheck.graph import Graph
from archcheck.proof import contradictions, results

rule = Rule(
    "BND016", "contradicting-policies", severity="error", method="proof", on_unknown="never"
)


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    if len(graph.system.policies) < 2:
        yield NotApplicable("the system declares fewer than two policies")
    yield from results(contradictions(graph))


def _shop(*policies: Policy) -> System:
    return System(
        "shop",
        [
            Service("web", boundary="edge"),
            Service("orders", boundary="domain"),
            Service("search", boundary="domain"),
            Service("bank", boundary="money"),
        ],
        policies=policies,
    )


@rule.bad("bank is reached only via orders")
def the_only_way_is_forbidden() -> System:
    return _shop(OnlyVia("bank", "orders"), Deny("domain", "money"))


@rule.bad("bank is reached only via orders", "bank is reached only via search")
def two_only_ways() -> System:
    return _shop(OnlyVia("bank", "orders"), OnlyVia("bank", "search"))


@rule.bad("layers edge > domain", "layers domain > edge")
def layers_in_both_orders() -> System:
    return _shop(Layers("edge", "domain"), Layers("domain", "edge"))


@rule.bad("edge may only depend on domain, money")
def one_of_two_targets_is_forbidden() -> System:
    return _shop(Allow("edge", ["domain", "money"]), Independent("edge", "money"))


@rule.borderline()
def one_of_two_services_may_still() -> System:
    return _shop(OnlyWithin("bank", "domain"), Deny("search", "bank"))


@rule.borderline("bank is used only within domain")
def neither_of_two_services_may() -> System:
    return _shop(OnlyWithin("bank", "domain"), Deny("search", "bank"), Deny("orders", "bank"))


@rule.borderline()
def an_exempt_edge_is_left() -> System:
    denied = Deny("domain", "money", except_for=["orders -> bank"])
    return _shop(OnlyVia("bank", "orders"), denied)


@rule.good
def they_agree() -> System:
    return _shop(Layers("edge", "domain", "money"), OnlyVia("bank", "orders"), Deny("edge", "bank"))
