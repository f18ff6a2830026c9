"""The scaling target leaves room for the load that arrives while new replicas start.

Why it matters: between the rise of the load and the first request that a new replica takes lie
the autoscaler's period and the start of the process. Until then the old replicas carry all; if
they run too hot, the rise is an outage.

For each moment at which the declared load changes its course, the replicas that the autoscaler
keeps then (the load over the target, between min and max) must carry what comes within the
start-up time and a sync period of 15 s. A ``Burst`` among the faults of a scenario is such a rise.

How to fix: a lower ``target_cpu``, a higher ``min`` (so many that a rollout, too, leaves enough),
replicas that start faster, or scaling on a schedule before the rise.

False positives: steps of a load test that real traffic does not take. An autoscaler of Kubernetes
does nothing within a tenth of its target, so that it may keep a replica more than the rule counts.

Sources: Kubernetes, Horizontal Pod Autoscaling (sync period, algorithm); Google SRE workbook,
chapter 11 (managing load).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from archcheck import (
    Autoscale,
    Burst,
    Constant,
    Endpoint,
    GoKit,
    Journey,
    Kubernetes,
    Load,
    NodeJs,
    RateStep,
    Runtime,
    Scenario,
    Service,
    Stepped,
    System,
    Work,
    effective,
)
from archcheck.capacity import Demand, Resource, demands
from archcheck.findings import NotApplicable, Result, Rule, Undecided, UnderLoad, Violation
from archcheck.graph import Graph
from archcheck.units import Duration, minutes, ms, percent, s
from archcheck_rules.hits import whatever_hits

rule = Rule("DEP006", "autoscaler-too-hot", severity="warning", method="calc")

SYNC_PERIOD = 15.0
"""Seconds between two decisions of Kubernetes' autoscaler."""


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    yield from whatever_hits(graph, _judged)


def _judged(graph: Graph) -> Iterator[Result]:
    scaled = [
        (service, autoscale)
        for service in graph.system.services
        if service.deployment and (autoscale := service.deployment.autoscale)
    ]
    if not demands(graph) or not scaled:
        yield NotApplicable("no service is scaled automatically, or no scenario declares a load")
        return
    for demand in demands(graph):
        for service, autoscale in scaled:
            yield from _judge(demand, service, autoscale)


def _judge(demand: Demand, service: Service, autoscale: Autoscale) -> Iterator[Result]:
    resource = demand.resource_of(service)
    if autoscale.target_metric is not None:
        return
    if resource is None:
        need = demand.unsized_of(service)
        if need is not None:
            yield Undecided(service, need.attribute)
        return
    if autoscale.target_cpu is None:
        yield Undecided(service, "deployment.autoscale.target_cpu")
        return
    start_up = float(autoscale.start_up) if autoscale.start_up is not None else 0.0
    growth, burst = demand.growth(service, start_up + SYNC_PERIOD), demand.burst(service)
    after = resource.busy
    if burst > growth:
        growth, after = burst, after * burst
    before = after / growth if growth != math.inf else 0.0
    kept = math.ceil(before / (float(autoscale.target_cpu) * resource.per_unit) - 1e-9)
    kept = min(max(kept, autoscale.min), autoscale.max)
    if after > kept * resource.per_unit * (1 + 1e-9):
        factor = "from nothing" if growth == math.inf else f"to {growth:.2g} times its rate"
        replicas = (
            "replica that runs by then carries" if kept == 1 else "replicas that run by then carry"
        )
        yield Violation(
            service,
            f"the load of {service.name} rises {factor} within "
            f"{Duration(start_up + SYNC_PERIOD)} in "
            f"scenario {demand.scenario.name!r}, and the {kept} {replicas} "
            f"{kept * resource.per_unit / after:.0%} of it",
            fix=f"min={_enough(service, resource, after)}, or a lower target_cpu",
            evidence=(
                f"before: {before:.3g} {resource.called} busy at a target of "
                f"{autoscale.target_cpu}",
                f"after: {after:.3g} busy, {resource.per_unit:g} in each replica",
            ),
            load=UnderLoad(demand.scenario.name, after),
        )
    elif autoscale.start_up is None and growth > 1:
        yield Undecided(service, "deployment.autoscale.start_up")


def _enough(service: Service, resource: Resource, after: float) -> int:
    """Replicas that carry what comes, and of which a rollout leaves enough for the load."""
    rollout = effective(service.deployment, "rollout").value
    always = math.ceil(resource.busy / resource.per_unit - 1e-9)
    left = rollout.enough_for(always) if rollout is not None else always
    return max(math.ceil(after / resource.per_unit), left)


def _rising(
    low: float,
    high: float,
    target: float | None = 60,
    *,
    start_up: Duration | None = 45 * s,
    runtime: Runtime | None = None,
) -> System:
    goal = target * percent if target else None
    autoscale = Autoscale(min=1, max=50, target_cpu=goal, start_up=start_up)
    steps = [RateStep(low / s, 5 * minutes), RateStep(high / s, 5 * minutes)]
    return System(
        "shop",
        [
            Service(
                "web",
                runtime=runtime or NodeJs(),
                deployment=Kubernetes(autoscale=autoscale),
                endpoints=[Endpoint("page", steps=[Work(Constant(10 * ms))])],
            )
        ],
        journeys=[Journey("browse", "web.page")],
        scenarios=[Scenario("sale", load=[Load("browse", Stepped(steps))])],
    )


@rule.bad("web")
def twice_the_load_at_once() -> System:
    return _rising(600, 1200)  # 10 replicas at 60%, 12 needed


@rule.bad("web")
def a_burst_of_ten_times_the_load() -> System:
    system = _rising(600, 600)
    (sale,) = system.scenarios
    burst = Burst(10, start=60 * s, end=300 * s)
    return replace(system, scenarios=(replace(sale, faults=(burst,)),))


@rule.borderline()
def the_target_just_leaves_room() -> System:
    return _rising(600, 1000)


@rule.good
def a_steady_load() -> System:
    return _rising(600, 600)


@rule.unknown("deployment.autoscale.target_cpu")
def no_target() -> System:
    return _rising(600, 1200, None)


@rule.unknown("deployment.autoscale.start_up")
def nobody_measured_the_start() -> System:
    return _rising(600, 900, start_up=None)


@rule.bad("web")
def two_cores_in_each_replica() -> System:
    return _rising(650, 1300, runtime=GoKit(parallelism=2))  # 6 replicas carry 1,200/s


@rule.borderline("web")
def from_nothing() -> System:
    return _rising(0, 150)


@rule.borderline()
def a_steady_load_needs_no_new_replicas() -> System:
    return _rising(600, 600, start_up=None)


@rule.borderline()
def nobody_says_what_comes() -> System:
    return System("shop", [*_rising(600, 1200).elements])


@rule.borderline()
def a_queue_steers_it() -> System:
    (web,) = _rising(600, 1200).services
    scaled = Kubernetes(autoscale=Autoscale(min=1, max=50, target_metric="lag"))
    other = _rising(600, 1200)
    return replace(other, elements=(replace(web, deployment=scaled),))


@rule.unknown("runtime")
def nobody_says_what_runs_it() -> System:
    system = _rising(600, 1200)
    (web,) = system.services
    return replace(system, elements=[replace(web, runtime=None)])
