"""At its largest scale a service carries the peak load with one zone lost.

Why it matters: an autoscaler can only save what fits below its maximum. When a zone goes, the
others get its load at once; if the maximum does not leave room for that, the loss of a zone is
the loss of the service.

By Little's law the load keeps rate x time workers busy. What is left at full scale without the
fullest zone, replicas spread evenly, must be at least that.

A service that is exactly full without the zone is rule PRF001's finding; the ``max`` that is
printed stays below its limit as well.

How to fix: a higher ``max``, larger replicas, or one zone more.

A service that sheds load (``shedding=LoadShedding(...)``) is left out: it turns away what is too
much.

False positives: limits of the load in front of the service that the model does not have.

Sources: Amazon Builders' Library, Static stability using Availability Zones; Kubernetes,
Horizontal Pod Autoscaling; Little, A Proof for the Queuing Formula L = lambda W, 1961.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from archcheck import (
    Autoscale,
    Constant,
    Endpoint,
    Journey,
    Kubernetes,
    Load,
    LoadShedding,
    Poisson,
    Scenario,
    Service,
    SpringBoot,
    System,
    Work,
)
from archcheck.capacity import Resource
from archcheck.findings import NotApplicable, Result, Rule, Undecided, UnderLoad, Violation
from archcheck.graph import Graph
from archcheck.proof import worst_demands
from archcheck.proof.limits.load import LIMIT
from archcheck.units import ms, percent, s
from archcheck_rules.hits import whatever_hits

rule = Rule("DEP005", "autoscaler-too-small", severity="error", method="calc")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    yield from whatever_hits(graph, _judged)


def _judged(graph: Graph) -> Iterator[Result]:
    scaled = [
        (service, deployment, deployment.autoscale)
        for service in graph.system.services
        if (deployment := service.deployment) is not None
        and deployment.autoscale is not None
        and not isinstance(service.shedding, LoadShedding)
    ]
    if not worst_demands(graph) or not scaled:
        yield NotApplicable("no service is scaled automatically, or no scenario declares a load")
        return
    for demand in worst_demands(graph):
        for service, deployment, autoscale in scaled:
            need = demand.unsized_of(service)
            if need is not None:
                yield Undecided(service, need.attribute)
                continue
            resource = demand.resource_of(service)
            if resource is None:
                continue
            zones = len(set(deployment.zones))
            if not zones:
                yield Undecided(service, "deployment.zones")
                continue
            left = autoscale.max - math.ceil(autoscale.max / zones) if zones > 1 else 0
            for missing in resource.missing:
                yield Undecided(missing.holder, missing.attribute)
            if resource.busy > left * resource.per_unit:
                needed = math.ceil(resource.busy / resource.per_unit)
                yield Violation(
                    service,
                    f"{service.name} keeps {left} of {autoscale.max} replicas when "
                    f"{_lost(zones)} is lost, and needs {needed} in scenario "
                    f"{demand.scenario.name!r}",
                    fix=f"max={_enough(resource, zones)}",
                    evidence=(resource.shown,),
                    load=UnderLoad(demand.scenario.name, resource.busy),
                )


def _lost(zones: int) -> str:
    return f"one of {zones} zones" if zones > 1 else "its only zone"


def _enough(resource: Resource, zones: int) -> int | str:
    """The least replicas of which enough stay without the fullest zone, as rule PRF001 asks."""
    if zones < 2:
        return "..., in more than one zone"
    needed = math.ceil(resource.busy / (float(LIMIT) * resource.per_unit) - 1e-9)
    return math.ceil(needed * zones / (zones - 1))


def _scaled(rate: float, most: int, *zones: str, threads: int | None = 10) -> System:
    runtime = SpringBoot(threads=threads) if threads else None
    return System(
        "shop",
        [
            Service(
                "orders",
                runtime=runtime,
                deployment=Kubernetes(autoscale=Autoscale(min=2, max=most), zones=zones),
                endpoints=[Endpoint("place", steps=[Work(Constant(100 * ms))])],
            )
        ],
        journeys=[Journey("buy", "orders.place")],
        scenarios=[Scenario("peak", load=[Load("buy", Poisson(rate / s))])],
    )


@rule.bad("orders")
def it_fits_only_with_all_zones() -> System:
    return _scaled(500, 6, "a", "b", "c")  # 50 threads; 4 replicas are left


@rule.bad("orders")
def a_single_zone() -> System:
    return _scaled(100, 6, "a")


@rule.borderline()
def just_enough_are_left() -> System:
    return _scaled(400, 6, "a", "b", "c")


@rule.borderline()
def what_is_too_much_is_shed() -> System:
    system = _scaled(500, 6, "a", "b", "c")
    (orders,) = system.services
    sheds = replace(orders, shedding=LoadShedding(max_utilisation=90 * percent))
    return replace(system, elements=(sheds,))


@rule.good
def plenty() -> System:
    return _scaled(400, 12, "a", "b", "c")


@rule.unknown("deployment.zones")
def nobody_says_where() -> System:
    return _scaled(400, 12)


@rule.unknown("runtime")
def no_runtime() -> System:
    return _scaled(400, 12, "a", "b", threads=None)


@rule.borderline("orders")
def one_thread_more_than_is_left() -> System:
    return _scaled(401, 6, "a", "b", "c")


@rule.bad("orders")
def seven_replicas_over_three_zones() -> System:
    return _scaled(450, 7, "a", "b", "c")  # the fullest zone has 3, so 4 are left for 45 threads


@rule.borderline()
def no_load() -> System:
    return System("shop", _scaled(500, 6, "a", "b", "c").elements)


@rule.unknown("deployment.zones")
def one_of_two_services_says_where() -> System:
    said = _scaled(100, 12, "a", "b")
    idle = Service("idle", deployment=Kubernetes(autoscale=Autoscale(min=1, max=2)))
    (orders,) = said.services
    silent = replace(
        orders, name="silent", deployment=Kubernetes(autoscale=Autoscale(min=2, max=9))
    )
    return System(
        "shop",
        [idle, orders, silent],
        journeys=[Journey("buy", entries=["orders.place", "silent.place"])],
        scenarios=said.scenarios,
    )
