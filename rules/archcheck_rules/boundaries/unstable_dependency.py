"""A stable service does not depend on one that is far less stable.

Why it matters: a service that many depend on must rarely change; what it depends on changes for
its own reasons, and drags everybody along.

Instability is out / (in + out), of the services and externals that a service calls (out) and is
called by (in): 0 is stable, 1 is free to change.

How to fix: turn the dependency round with an event or an interface that the stable side owns.

False positives: the numbers say little about services with very few neighbours; raise
``min_neighbours``.

Sources: Martin, Agile Software Development, 2002 (stable dependencies principle). The margin is
our proposal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import Call, Endpoint, Service, System
from archcheck.findings import Result, Rule, Violation, option
from archcheck.graph import Graph
from archcheck.graph.idempotence import is_read
from archcheck.graph.walks import backward, pairs


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    margin: float = option(0.3, "how much less stable the callee may be")
    min_neighbours: int = option(3, "fewer neighbours than this make no number")


rule = Rule(
    "BND013",
    "unstable-dependency",
    severity="info",
    method="graph",
    on_unknown="never",
    options=Options,
    recommended=False,
)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    calls = graph.service_calls()
    callers = backward(calls)
    sizes = {name: len(callees) + len(callers[name]) for name, callees in calls.items()}
    instability = {name: len(calls[name]) / size for name, size in sizes.items() if size}
    for source, target in pairs(calls):
        if min(sizes[source], sizes[target]) < options.min_neighbours or source == target:
            continue
        here, there = instability[source], instability[target]
        if there > here + options.margin + 1e-9:
            steps = calls[source][target]
            yield Violation(
                steps[0],
                f"{source} (instability {here:.2f}) depends on {target} (instability {there:.2f})",
                fix=f"keep a copy of what {source} reads, fed by events of {target}"
                if any(is_read(step) for step in steps)
                else f"let {target} subscribe to an event of {source}, or own the interface there",
                evidence=tuple(steps),
            )


def _stable(callees_of_target: int) -> System:
    """A hub with three callers calls a target with so many callees."""
    callers = [
        Service(f"c{n}", endpoints=[Endpoint("run", steps=[Call("hub.run")])]) for n in range(3)
    ]
    leaves = [Service(f"l{n}", endpoints=[Endpoint("run")]) for n in range(callees_of_target)]
    calls = [Call(f"l{n}.run") for n in range(callees_of_target)]
    return System(
        "shop",
        [
            *callers,
            Service("hub", endpoints=[Endpoint("run", steps=[Call("far.run")])]),
            Service("far", endpoints=[Endpoint("run", steps=calls)]),
            *leaves,
        ],
    )


@rule.bad("hub.run -> far.run")
def the_hub_depends_on_what_changes() -> System:
    return _stable(3)  # hub 1/4, far 3/4


@rule.borderline()
def too_few_neighbours_to_tell() -> System:
    return _stable(1)


@rule.good
def a_leaf_is_stable() -> System:
    return _stable(0)


@rule.borderline()
def just_within_the_margin() -> System:
    """The caller has 2 of 5 neighbours behind it, the callee 2 of 3: 0.27 apart."""
    callers = [
        Service(f"c{n}", endpoints=[Endpoint("run", steps=[Call("hub.run")])]) for n in range(3)
    ]
    leaves = [Service(f"l{n}", endpoints=[Endpoint("run")]) for n in range(3)]
    return System(
        "shop",
        [
            *callers,
            Service("hub", endpoints=[Endpoint("run", steps=[Call("far.run"), Call("l2.run")])]),
            Service("far", endpoints=[Endpoint("run", steps=[Call("l0.run"), Call("l1.run")])]),
            *leaves,
        ],
    )


@rule.borderline()
def a_service_that_calls_itself() -> System:
    calls = [Call("hub.other"), Call("l0.run"), Call("l1.run"), Call("l2.run")]
    leaves = [Service(f"l{n}", endpoints=[Endpoint("run")]) for n in range(3)]
    hub = Service("hub", endpoints=[Endpoint("run", steps=calls), Endpoint("other")])
    return System("shop", [hub, *leaves])
