"""The declared policies hold: layers, independence, deny, allow, only-via, only-within.

Why it matters: the dependencies that a team has agreed on erode one reasonable exception at a
time, unless something says no.

How to fix: invert the dependency with an event or an adapter in the lower layer, or list the
edge in the policy's ``except_for`` with a reason.

False positives: a selector that means more than was intended; the finding shows which elements
it matched. A selector that matches nothing is reported too: it protects nothing.

Sources: import-linter, contract types; Dijkstra, The Structure of the THE Multiprogramming
System, 1968 (layers).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import networkx as nx

from archcheck import (
    Allow,
    Call,
    Deny,
    Endpoint,
    Independent,
    Layers,
    OnlyVia,
    OnlyWithin,
    Policy,
    Service,
    System,
)
from archcheck.findings import NotApplicable, Result, Rule, Violation
from archcheck.graph import Graph
from archcheck.graph.selectors import selected

rule = Rule("BND005", "forbidden-dependency", severity="error", method="graph", on_unknown="never")


@dataclass(frozen=True)
class _Ban:
    """Nothing in ``sources`` may depend on anything in ``targets``."""

    sources: frozenset[str]
    targets: frozenset[str]


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    if not graph.system.policies:
        yield NotApplicable("the system declares no policies")
        return
    edges = graph.dependencies()
    for policy in graph.system.policies:
        for selector in _selectors(policy):
            if not selected(graph, selector):
                yield Violation(
                    policy,
                    f"the selector {selector!r} matches no element",
                    fix="correct the selector, or remove the policy",
                )
        for path in _forbidden_paths(graph, edges, policy):
            yield _violation(graph, edges, policy, path)


def _forbidden_paths(
    graph: Graph, edges: nx.DiGraph[str], policy: Policy
) -> Iterator[tuple[str, ...]]:
    exempt = {tuple(part.strip() for part in edge.split("->")) for edge in policy.except_for}
    if policy.transitive:
        edges = nx.subgraph_view(edges, filter_edge=lambda a, b: (a, b) not in exempt)
    reported = set()
    for ban in _bans(graph, policy):
        for source in sorted(ban.sources & set(edges)):
            reached = set(nx.descendants(edges, source) if policy.transitive else edges[source])
            for target in sorted(reached & ban.targets):
                pair = (source, target)
                if source != target and pair not in exempt and pair not in reported:
                    reported.add(pair)
                    yield tuple(nx.shortest_path(edges, source, target))


def _violation(
    graph: Graph, edges: nx.DiGraph[str], policy: Policy, path: tuple[str, ...]
) -> Violation:
    steps = [
        step
        for source, target in itertools.pairwise(path)
        for step in edges.edges[source, target]["interactions"]
    ]
    because = f" ({policy.reason})" if policy.reason else ""
    return Violation(
        steps[0] if steps else policy,
        f"{' -> '.join(path)} is forbidden: {policy.title()}{because}",
        fix=f'invert the dependency, or exempt it: except_for=["{path[0]} -> {path[-1]}"]',
        evidence=tuple(steps),
    )


def _selectors(policy: Policy) -> tuple[str, ...]:
    match policy:
        case Layers():
            return tuple(policy.layers)
        case Independent():
            return tuple(policy.parts)
        case Deny():
            return (policy.source, policy.target)
        case Allow():
            return (policy.source, *policy.targets)
        case OnlyVia():
            return (policy.target, policy.via)
        case OnlyWithin():
            return (policy.target, policy.part)
        case _:
            return ()


def _bans(graph: Graph, policy: Policy) -> Iterator[_Ban]:
    def names(selector: str) -> frozenset[str]:
        return frozenset(selected(graph, selector))

    everything = frozenset(member.name for member in graph.system.elements)
    match policy:
        case Layers():
            yield from _layer_bans([names(layer) for layer in policy.layers], policy.strict)
        case Independent():
            for part, other in itertools.permutations(policy.parts, 2):
                yield _Ban(names(part), names(other))
        case Deny():
            yield _Ban(names(policy.source), names(policy.target))
        case Allow():
            allowed = frozenset().union(*map(names, policy.targets)) | names(policy.source)
            yield _Ban(names(policy.source), everything - allowed)
        case OnlyVia(target=target, via=inside) | OnlyWithin(target=target, part=inside):
            yield _Ban(everything - names(inside) - names(target), names(target))


def _layer_bans(layers: list[frozenset[str]], strict: bool) -> Iterator[_Ban]:
    for upper, lower in itertools.combinations(range(len(layers)), 2):
        yield _Ban(layers[lower], layers[upper])
        if strict and lower > upper + 1:
            yield _Ban(layers[upper], layers[lower])


def _three(*policies: Policy) -> System:
    return System(
        "shop",
        [
            Service("web", boundary="edge", endpoints=[Endpoint("page", steps=[Call("core.run")])]),
            Service(
                "core", boundary="domain", endpoints=[Endpoint("run", steps=[Call("bank.pay")])]
            ),
            Service("bank", boundary="data", endpoints=[Endpoint("pay")]),
        ],
        policies=policies,
    )


@rule.bad("core.run -> bank.pay")
def against_the_layers() -> System:
    return _three(Layers("edge", "data", "domain"))


@rule.bad("web.page -> core.run")
def denied_over_a_path() -> System:
    return _three(Deny("edge", "data", transitive=True))


@rule.bad("core.run -> bank.pay", "web must not depend on moneyy")
def not_allowed_and_a_selector_that_matches_nothing() -> System:
    return _three(Allow("domain", ["edge"]), Deny("web", "moneyy"))


@rule.bad("core.run -> bank.pay", "core.run -> bank.pay", "web.page -> core.run")
def reached_past_the_only_way() -> System:
    return _three(OnlyVia("bank", "web"), OnlyWithin("bank", "edge"), Independent("web", "core"))


@rule.good
def all_policies_hold() -> System:
    return _three(
        Layers("edge", "domain", "data", strict=True),
        Deny("edge", "data"),
        Allow("edge", ["domain"]),
        OnlyVia("bank", "core"),
        OnlyWithin("bank", "domain"),
        Independent("web", "bank"),
    )


@rule.borderline()
def the_only_edge_is_exempt() -> System:
    return _three(
        Deny("edge", "data", transitive=True, except_for=["core -> bank"]),
        Deny("domain", "data", except_for=["core -> bank"]),
    )


@rule.borderline("web.page -> core.run")
def an_exemption_of_another_edge() -> System:
    return _three(Deny("edge", "domain", except_for=["core -> bank"]))


@rule.borderline("web.page -> bank.pay")
def a_strict_layer_is_skipped() -> System:
    return System(
        "shop",
        [
            Service("web", boundary="edge", endpoints=[Endpoint("page", steps=[Call("bank.pay")])]),
            Service("core", boundary="domain"),
            Service("bank", boundary="data", endpoints=[Endpoint("pay")]),
        ],
        policies=[Layers("edge", "domain", "data", strict=True)],
    )
