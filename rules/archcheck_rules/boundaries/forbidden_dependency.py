"""The declared policies hold: layers, independence, deny, allow, only-via, only-within.

Why it matters: the dependencies that a team has agreed on erode one reasonable exception at a
time, unless something says no.

A dependency is whatever makes one element ask another: a step, what a fallback asks, an action or
compensation of a saga, a consumer of its topic, a person or a schedule of what it uses.

A transitive ``Deny`` also follows messages: whoever publishes what another consumes has asked, in
the end, for all that the consumer asks for. The message itself is no dependency on its consumer, so
that an event inverts a dependency for all other policies, and for a consumer that is the target.

Where feature flags decide about steps, a dependency counts that is there in any configuration that
the flags allow, and the finding says in which.

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

from archcheck import (
    Allow,
    Call,
    Consumer,
    Deny,
    Endpoint,
    External,
    Fallback,
    Feature,
    Flag,
    Independent,
    Layers,
    OnlyVia,
    OnlyWithin,
    Person,
    Policy,
    Publish,
    Saga,
    SagaStep,
    Service,
    System,
    Topic,
)
from archcheck.findings import NotApplicable, Result, Rule, Violation
from archcheck.graph import Digraph, Graph
from archcheck.graph.policies import exempt_edges, forbidden, selectors_of
from archcheck.graph.selectors import selected
from archcheck.graph.walks import kept, reached_from
from archcheck.proof.feature_flags import Configuration, FeatureFlags, described

rule = Rule("BND005", "forbidden-dependency", severity="error", method="graph", on_unknown="never")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    if not graph.system.policies:
        yield NotApplicable("the system declares no policies")
        return
    edges = graph.dependencies(starters=True)
    family = FeatureFlags(graph.system)
    for policy in graph.system.policies:
        for selector in selectors_of(policy):
            if not selected(graph, selector):
                yield Violation(
                    policy,
                    f"the selector {selector!r} matches no element",
                    fix="correct the selector, or remove the policy",
                )
        for ways, path, flags in _forbidden_paths(graph, edges, family, policy):
            yield _violation(ways, policy, path, flags)


def _forbidden_paths(
    graph: Graph, edges: Digraph, family: FeatureFlags, policy: Policy
) -> Iterator[tuple[Digraph, tuple[str, ...], Configuration]]:
    exempt = exempt_edges(policy)
    if policy.transitive:
        edges = kept(edges, lambda a, b: (a, b) not in exempt)
    follows_messages = policy.transitive and isinstance(policy, Deny)
    wide = graph.with_messages(edges) if follows_messages else edges
    reported = set()
    for ban in forbidden(graph, policy):
        for source in sorted(ban.sources & set(edges)):
            reached = reached_from(wide, source) if policy.transitive else edges[source].keys()
            for target in sorted(reached & ban.targets):
                pair = (source, target)
                if source != target and pair not in exempt and pair not in reported:
                    reported.add(pair)
                    between = (
                        _ending_in(edges, wide, target)
                        if policy.transitive
                        else {source: {target: edges[source][target]}}
                    )
                    found = family.path(between, source, target)
                    if found is not None:
                        yield (between, *found)


def _ending_in(edges: Digraph, wide: Digraph, target: str) -> Digraph:
    """The edges of ``wide``, of which only those of ``edges`` lead to the target."""
    if wide is edges:
        return edges
    return kept(wide, lambda a, b: b != target or b in edges[a])


def _violation(
    edges: Digraph, policy: Policy, path: tuple[str, ...], flags: Configuration
) -> Violation:
    steps = [
        step
        for source, target in itertools.pairwise(path)
        for step in edges[source][target]
        if all(flags[name] is on for name, on in step.flags)
    ]
    because = f" ({policy.reason})" if policy.reason else ""
    when = f" {described(flags)}" if any(flags.values()) else ""
    return Violation(
        steps[0] if steps else policy,
        f"{' -> '.join(path)} is forbidden: {policy.title()}{because}{when}",
        fix=f'invert the dependency, or exempt it: except_for=["{path[0]} -> {path[-1]}"]',
        evidence=tuple(steps),
    )


def _over_an_event(policy: Policy) -> System:
    """Whoever publishes makes the consumer pay."""
    charge = Consumer("placed", steps=[Call("bank")])
    return System(
        "shop",
        [
            Topic("placed"),
            External("bank"),
            Service("web", endpoints=[Endpoint("page", steps=[Publish("placed")])]),
            Service("billing", consumers=[charge]),
            Service("mails", consumers=[Consumer("placed")]),
        ],
        policies=[policy],
    )


@rule.bad("web.page -> placed")
def an_event_makes_another_ask() -> System:
    return _over_an_event(Deny("web", "bank", transitive=True))


@rule.borderline()
def an_event_is_no_dependency_on_its_consumer() -> System:
    return _over_an_event(Deny("web", "billing", transitive=True))


@rule.borderline()
def consumers_of_one_topic_do_not_know_each_other() -> System:
    return _over_an_event(Deny("mails", "bank", transitive=True))


def _flagged(*flags: Flag) -> System:
    """The edge reaches the data over a new way in front and an old one behind."""
    return System(
        "shop",
        [
            *flags,
            Service(
                "web",
                boundary="edge",
                endpoints=[Endpoint("page", steps=[Feature("new", [Call("core.run")])])],
            ),
            Service(
                "core",
                boundary="domain",
                endpoints=[Endpoint("run", steps=[Feature("old", [Call("bank.pay")])])],
            ),
            Service("bank", boundary="data", endpoints=[Endpoint("pay")]),
        ],
        policies=[Deny("edge", "data", transitive=True)],
    )


@rule.bad("web.page -> core.run")
def with_both_flags_on() -> System:
    return _flagged(Flag("new", on=False), Flag("old", on=True))


@rule.borderline()
def the_flags_exclude_each_other() -> System:
    return _flagged(Flag("new", excludes=["old"]), Flag("old"))


@rule.borderline()
def one_flag_needs_what_the_other_excludes() -> System:
    return _flagged(Flag("new", requires=["beta"]), Flag("beta"), Flag("old", excludes=["beta"]))


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


@rule.bad("bank is reached only via core")
def a_person_goes_past_the_only_way() -> System:
    bank = Service("bank", endpoints=[Endpoint("pay")])
    return System(
        "shop",
        [Service("core"), bank, Person("clerk", uses=["bank.pay"])],
        policies=[OnlyVia("bank", "core")],
    )


@rule.bad("core.run -> bank.pay", "core.run -> spare.pay")
def asked_by_a_saga_and_by_a_fallback() -> System:
    saga = Saga([SagaStep("bank.pay", compensation="bank.undo")])
    instead = Fallback("call", target="spare.pay")
    return System(
        "shop",
        [
            Service(
                "core",
                endpoints=[Endpoint("run", atomicity=saga, steps=[Call("ext", fallback=instead)])],
            ),
            External("ext"),
            Service("bank", endpoints=[Endpoint("pay"), Endpoint("undo")]),
            Service("spare", endpoints=[Endpoint("pay")]),
        ],
        policies=[Deny("core", "bank"), Deny("core", "spare")],
    )


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
