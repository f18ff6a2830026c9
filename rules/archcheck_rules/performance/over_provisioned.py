"""Services are not kept far larger than their busiest scenario needs.

Why it matters: idle replicas cost money each hour, and hide how little the system needs.

At the peak of the busiest scenario a service must be busier than ``min_utilisation``, unless
fewer replicas would leave less than two, or less than one for each of its zones.

How to fix: a lower ``min`` of the autoscaler, smaller replicas, or fewer.

False positives: room for loads that no scenario declares; declare them.

Sources: Google SRE book, chapter 18 (intent-based capacity planning); FinOps Foundation,
utilisation and efficiency. The default floor is our proposal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import (
    Constant,
    Endpoint,
    Journey,
    Kubernetes,
    Load,
    Poisson,
    Scenario,
    Service,
    SpringBoot,
    System,
    Work,
)
from archcheck.capacity import Resource, demands
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation, option
from archcheck.graph import Graph
from archcheck.units import Fraction, ms, percent, s


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    min_utilisation: Fraction = option(10 * percent, "how busy a service is at least at the peak")


rule = Rule(
    "PRF009",
    "over-provisioned",
    severity="info",
    method="calc",
    options=Options,
    recommended=False,
)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    if not demands(graph):
        yield NotApplicable("no scenario declares a load")
    busiest: dict[str, Resource] = {}
    for demand in demands(graph):
        for need in demand.unsized:
            yield Undecided(need.holder, need.attribute)
        for resource in demand.resources:
            known = busiest.get(resource.holder.name)
            if known is None or resource.utilisation > known.utilisation:
                busiest[resource.holder.name] = resource
    for resource in busiest.values():
        service = resource.holder
        if not isinstance(service, Service) or service.deployment is None:
            continue
        least = max(2, len(set(service.deployment.zones)))
        is_idle = resource.utilisation < float(options.min_utilisation) and resource.units > least
        if is_idle and resource.missing:
            yield from (Undecided(gap.holder, gap.attribute) for gap in resource.missing)
        elif is_idle:
            yield Violation(
                service,
                f"{resource.utilisation:.1%} of the {resource.called} of {resource.holder.name} "
                f"are busy at the busiest peak, less "
                f"than {options.min_utilisation}, with {resource.units} replicas",
                fix=f"min={least} in its Autoscale"
                if service.deployment.autoscale
                else f"replicas={least}",
                evidence=(f"{resource.busy:.3g} of {resource.servers} busy",),
            )


def _idle(rate: float, replicas: int, *zones: str, threads: int | None = 10) -> System:
    return System(
        "shop",
        [
            Service(
                "orders",
                runtime=SpringBoot(threads=threads) if threads else None,
                deployment=Kubernetes(replicas=replicas, zones=zones),
                endpoints=[Endpoint("place", steps=[Work(Constant(100 * ms))])],
            )
        ],
        journeys=[Journey("buy", "orders.place")],
        scenarios=[
            Scenario("peak", load=[Load("buy", Poisson(rate / s))]),
            Scenario("night", load=[Load("buy", Poisson(1 / s))]),
        ],
    )


@rule.bad("orders")
def five_replicas_for_nothing() -> System:
    return _idle(40, 5)  # 4 of 50 threads


@rule.borderline()
def just_busy_enough() -> System:
    return _idle(50, 5)


@rule.borderline()
def one_for_each_zone() -> System:
    return _idle(1, 3, "a", "b", "c")


@rule.good
def busy() -> System:
    return _idle(300, 5)


@rule.unknown("runtime")
def no_runtime() -> System:
    return _idle(40, 5, threads=None)
