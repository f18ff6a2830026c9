"""Every policy forbids something that no other policy forbids already.

Why it matters: a policy that says nothing new makes the list longer and the next change harder:
whoever relaxes one of two policies that say the same wonders why nothing changes.

A policy is dead when every dependency that it forbids is forbidden by others, paths by policies
that look at paths. Of policies that say the same, the last ones are reported.

How to fix: remove the policy, or make the others narrower.

False positives: a policy that says the same as a longer one on purpose, as a second lock.

Sources: Istio, analysis message IST0130 (unreachable rules); Al-Shaer and Hamed, Discovery of
Policy Anomalies in Distributed Firewalls, 2004 (redundancy).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Deny, Independent, Layers, OnlyVia, Policy, Service, System
from archcheck.findings import NotApplicable, Result, Rule
from archcheck.graph import Graph
from archcheck.proof import dead_policies, results

rule = Rule("BND017", "dead-policy", severity="info", method="proof", on_unknown="never")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    if len(graph.system.policies) < 2:
        yield NotApplicable("the system declares fewer than two policies")
    yield from results(dead_policies(graph))


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


@rule.bad("domain must not depend on edge")
def the_layers_say_so_already() -> System:
    return _shop(Layers("edge", "domain", "money"), Deny("domain", "edge"))


@rule.bad("edge must not depend on money")
def two_say_it_together() -> System:
    halves = [Deny("edge", "bank"), Deny("tag:none", "bank")]
    return _shop(*halves, Deny("edge", "money"))


@rule.bad("web, orders are independent")
def the_same_twice() -> System:
    return _shop(Independent("orders", "web"), Independent("web", "orders"))


@rule.borderline()
def paths_are_more_than_edges() -> System:
    return _shop(Deny("edge", "domain"), Deny("web", "orders", transitive=True))


@rule.borderline("edge must not depend on money")
def edges_are_less_than_paths() -> System:
    return _shop(Deny("web", "bank", transitive=True), Deny("edge", "money"))


@rule.borderline()
def the_other_has_an_exemption() -> System:
    return _shop(Deny("edge", "bank", except_for=["web -> bank"]), Deny("web", "money"))


@rule.good
def each_says_something() -> System:
    return _shop(Layers("edge", "domain"), Independent("orders", "search"), OnlyVia("bank", "web"))
