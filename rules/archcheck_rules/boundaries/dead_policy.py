"""Every policy forbids something that no other does, and each exemption allows something.

Why it matters: a policy that says nothing new makes the list longer and the next change harder:
whoever relaxes one of two policies that say the same wonders why nothing changes.

A policy is dead when every dependency that it forbids is forbidden by others, paths by policies
that look at paths. Of policies that say the same, the last ones are reported.

An exemption (``except_for``) is dead when the policy would not forbid that edge, or when nothing
depends on anything there: it only waits for the dependency to come back without notice.

How to fix: remove the policy or the exemption, or make the other policies narrower.

False positives: a policy that says the same as a longer one on purpose, as a second lock.

Sources: Istio, analysis message IST0130 (unreachable rules); import-linter,
unmatched_ignore_imports_alerting; Al-Shaer and Hamed, Discovery of
Policy Anomalies in Distributed Firewalls, 2004 (redundancy).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Call,
    Deny,
    Endpoint,
    Independent,
    Layers,
    OnlyVia,
    Policy,
    Service,
    System,
)
from archcheck.findings import NotApplicable, Result, Rule, Violation
from archcheck.graph import Digraph, Graph
from archcheck.graph.policies import exempt_edges, forbidden
from archcheck.graph.walks import reached_from
from archcheck.proof import dead_policies, results

rule = Rule("BND017", "dead-policy", severity="info", method="proof", on_unknown="never")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    exempting = [policy for policy in graph.system.policies if policy.except_for]
    if len(graph.system.policies) < 2 and not exempting:
        yield NotApplicable("the system declares fewer than two policies and no exemption")
    yield from results(dead_policies(graph))
    direct = graph.dependencies(starters=True)
    for policy in exempting:
        edges = graph.with_messages(direct) if policy.transitive else direct
        for source, target in sorted(exempt_edges(policy)):
            why = _why_dead(graph, edges, policy, source, target)
            if why:
                yield Violation(
                    policy,
                    f"the exemption '{source} -> {target}' of {policy.title()!r} allows nothing: "
                    f"{why}",
                    fix=f'take "{source} -> {target}" out of except_for',
                )


def _why_dead(graph: Graph, edges: Digraph, policy: Policy, source: str, target: str) -> str:
    unknown = [n for n in (source, target) if n not in graph.system.directory.elements]
    if unknown:
        return f"there is no {unknown[0]}"
    if source not in edges or target not in reached_from(edges, source):
        return f"{source} does not depend on {target}"
    if policy.transitive:
        return ""
    if target not in edges[source]:
        return f"{source} does not depend on {target} directly"
    bans = forbidden(graph, policy)
    forbids = any(source in ban.sources and target in ban.targets for ban in bans)
    return "" if forbids else "the policy does not forbid it"


def _shop(*policies: Policy) -> System:
    return System(
        "shop",
        [
            Service("web", boundary="edge", endpoints=[Endpoint("page", steps=[Call("bank")])]),
            Service("orders", boundary="domain"),
            Service("search", boundary="domain"),
            Service("bank", boundary="money", endpoints=[Endpoint("pay")]),
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


@rule.bad("edge must not depend on money", "edge must not depend on money")
def exemptions_of_nothing() -> System:
    return _shop(Deny("edge", "money", except_for=["web -> bonk", "orders -> bank"]))


@rule.borderline("domain must not depend on money")
def an_exemption_of_what_is_not_forbidden() -> System:
    return _shop(Deny("domain", "money", except_for=["web -> bank"]))


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


@rule.borderline()
def one_policy_implies_nothing() -> System:
    return _shop(Deny("web", "nobody"))
