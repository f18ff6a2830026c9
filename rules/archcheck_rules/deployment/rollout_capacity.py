"""While a new version rolls out, enough replicas are left for the load.

Why it matters: a rollout takes replicas away, and it happens at any time of the day. What looks
like a harmless release at noon is an overload.

A rolling update keeps replicas minus ``max_unavailable`` (Kubernetes: 25% unless told otherwise,
rounded down); recreating keeps none. The replicas are those that are always there. Consumers must
work off what comes with the replicas that are left, too.

How to fix: ``RollingUpdate(max_surge=1, max_unavailable=0)``, or more replicas. A StatefulSet has
no ``max_surge``: it needs more replicas.

False positives: releases that only happen at night.

Sources: Kubernetes, Deployments (rolling update); kube-score, deployment-strategy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from archcheck import (
    BlueGreen,
    Canary,
    Constant,
    Consumer,
    Docker,
    Endpoint,
    Journey,
    Kubernetes,
    Load,
    Poisson,
    Publish,
    Recreate,
    RollingUpdate,
    Scenario,
    Service,
    SpringBoot,
    System,
    Topic,
    Work,
    effective,
)
from archcheck.capacity import (
    ConsumerFlow,
    Demand,
    consumer_flows,
    demands,
    messages_at_a_time,
)
from archcheck.findings import NotApplicable, Result, Rule, Undecided, UnderLoad, Violation
from archcheck.graph import Graph
from archcheck.model import Deployment, Effective, Rollout
from archcheck.units import ms, percent, s
from archcheck_rules.hits import whatever_hits

rule = Rule("DEP007", "rollout-capacity", severity="warning", method="calc")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    yield from whatever_hits(graph, _judged)


def _judged(graph: Graph) -> Iterator[Result]:
    if not demands(graph):
        yield NotApplicable("no scenario declares a load")
    for demand in demands(graph):
        for service in graph.system.services:
            if service.deployment is not None:
                yield from _judge(demand, service, service.deployment)
            elif demand.resource_of(service) or demand.unsized_of(service):
                yield Undecided(service, "deployment")
        for flow in consumer_flows(demand):
            yield from _judge_consumer(flow)


def _judge_consumer(flow: ConsumerFlow) -> Iterator[Result]:
    """Whether the replicas that are left work off what comes; with all of them, PRF008 asks."""
    deployment = getattr(flow.operation.owner, "deployment", None)
    if deployment is None:
        yield Undecided(flow.operation.owner, "deployment")
        return
    replicas, rollout = deployment.fewest_replicas(), effective(deployment, "rollout")
    if replicas is None or not rollout.is_known:
        return
    left = replicas - rollout.value.unavailable(replicas)
    if flow.slots is None and left < replicas:
        for missing in flow.missing:
            yield Undecided(missing.holder, missing.attribute)
    if flow.slots is None or flow.rate > flow.capacity:
        return
    slots = messages_at_a_time(flow.channel, left * (flow.consumer.concurrency or 1))
    if left < replicas and flow.needed > slots * (1 + 1e-9):
        yield Violation(
            flow.operation,
            f"a rollout leaves {left} of {replicas} replicas of {flow.operation.owner.name}, which "
            f"work on {slots:.3g} messages of {flow.channel.name} at a time, and the load needs "
            f"{flow.needed:.3g} in scenario {flow.demand.scenario.name!r}",
            fix=_fix(deployment, rollout.value, replicas),
            load=UnderLoad(flow.demand.scenario.name, flow.needed),
        )


def _judge(demand: Demand, service: Service, deployment: Deployment) -> Iterator[Result]:
    resource = demand.resource_of(service)
    rollout = effective(deployment, "rollout")
    if resource is None:
        yield from _unsized(demand, service, rollout)
        return
    if not rollout.is_known:
        yield Undecided(service, "deployment.rollout")
        return
    missing = rollout.value.unavailable(resource.units)
    left = resource.units - missing
    needed = math.ceil(resource.busy / resource.per_unit - 1e-9)
    # an overload with all replicas is not the rollout's
    if missing and left < needed <= resource.units:
        default = f" (default: {rollout.source})" if rollout.origin == "default" else ""
        yield Violation(
            service,
            f"a rollout leaves {left} of {resource.units} replicas of {service.name}{default}, and "
            f"the load needs {needed} in scenario {demand.scenario.name!r}",
            fix=_fix(deployment, rollout.value, needed),
            evidence=(resource.shown,),
            load=UnderLoad(demand.scenario.name, resource.busy),
        )


def _fix(deployment: Deployment, rollout: Rollout, needed: int) -> str:
    """A StatefulSet stops a pod before it starts the new one: it needs more of them."""
    if getattr(deployment, "kind", "") == "StatefulSet":
        more = rollout.enough_for(needed)
        return f"min={more} in its Autoscale" if deployment.autoscale else f"replicas={more}"
    return "rollout=RollingUpdate(max_surge=1, max_unavailable=0)"


def _unsized(demand: Demand, service: Service, rollout: Effective) -> Iterator[Undecided]:
    """Asks what a service works with, where a rollout may take some of it away."""
    need = demand.unsized_of(service)
    replicas = service.deployment.fewest_replicas() if service.deployment else None
    stays = rollout.is_known and replicas is not None and not rollout.value.unavailable(replicas)
    if need is not None and not stays:
        yield Undecided(service, need.attribute)


def _rolling(rate: float, deployment: Deployment | None) -> System:
    return System(
        "shop",
        [
            Service(
                "orders",
                runtime=SpringBoot(threads=10),
                deployment=deployment,
                endpoints=[Endpoint("place", steps=[Work(Constant(100 * ms))])],
            )
        ],
        journeys=[Journey("buy", "orders.place")],
        scenarios=[Scenario("peak", load=[Load("buy", Poisson(rate / s))])],
    )


@rule.bad("orders")
def the_default_takes_a_quarter() -> System:
    return _rolling(350, Kubernetes(replicas=4))


@rule.bad("orders")
def all_are_stopped_first() -> System:
    return _rolling(10, Kubernetes(replicas=4, rollout=Recreate()))


@rule.bad("orders")
def two_at_a_time() -> System:
    return _rolling(250, Kubernetes(replicas=4, rollout=RollingUpdate(max_unavailable=2)))


@rule.bad("orders")
def a_quarter_of_three_is_one_where_none_may_be_added() -> System:
    """Kubernetes rounds 25% of 3 down to none, and takes one: else nothing would go on."""
    return _rolling(280, Kubernetes(replicas=3, rollout=RollingUpdate(max_surge=0)))


@rule.bad("mail.consume")
def consumers_fall_behind() -> System:
    return _worked_off(2)


def _worked_off(concurrency: int | None) -> System:
    two = RollingUpdate(max_surge=0, max_unavailable=2)
    consumer = Consumer("placed", concurrency=concurrency, steps=[Work(Constant(100 * ms))])
    return System(
        "shop",
        [
            Topic("placed", partitions=8),
            Service("orders", endpoints=[Endpoint("place", steps=[Publish("placed")])]),
            Service("mail", deployment=Kubernetes(replicas=4, rollout=two), consumers=[consumer]),
        ],
        journeys=[Journey("buy", "orders.place")],
        scenarios=[Scenario("peak", load=[Load("buy", Poisson(70 / s))])],
    )


@rule.borderline()
def just_enough_are_left() -> System:
    return _rolling(300, Kubernetes(replicas=4))


@rule.borderline()
def a_quarter_of_three_is_none() -> System:
    return _rolling(300, Kubernetes(replicas=3))


@rule.good
def the_new_one_comes_first() -> System:
    return _rolling(400, Kubernetes(replicas=4, rollout=RollingUpdate(max_unavailable=0)))


@rule.good
def beside_the_old_one() -> System:
    return _rolling(400, Kubernetes(replicas=4, rollout=BlueGreen()))


@rule.good
def a_canary_comes_on_top() -> System:
    return _rolling(400, Kubernetes(replicas=4, rollout=Canary(steps=[5 * percent])))


@rule.unknown("deployment.rollout")
def nobody_says() -> System:
    return _rolling(10, Docker(replicas=4))


@rule.unknown("deployment")
def no_deployment() -> System:
    return _rolling(10, None)


@rule.unknown("runtime")
def nobody_says_what_runs_it() -> System:
    system = _rolling(10, Kubernetes(replicas=4))
    (orders,) = system.services
    return replace(system, elements=[replace(orders, runtime=None)])


@rule.borderline()
def a_rollout_that_takes_nothing_away() -> System:
    gentle = RollingUpdate(max_surge=1, max_unavailable=0)
    system = _rolling(10, Kubernetes(replicas=4, rollout=gentle))
    (orders,) = system.services
    return replace(system, elements=[replace(orders, runtime=None)])


@rule.unknown("concurrency")
def nobody_says_how_many_messages_at_a_time() -> System:
    return _worked_off(None)
