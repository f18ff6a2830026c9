"""What a load must keep: the objectives of its journeys, and queues that end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from archcheck.model import System
from archcheck.planning.flow import Flow
from archcheck.simulation import ResourceResult, SimulationResult

FULL = 0.98
"""The load of a resource from which on its queue counts as one without an end.

At 98% a queue of one server is fifty long, and a simulation as short as ours cannot tell it from
one that grows.
"""
_UNEVEN = 1.3
"""The busiest node over the mean from which on the busiest one counts.

A choice: nodes of one group differ by chance in a run as short as a probe's; a hot shard differs by
more. A smaller value would take noise for a hot shard.
"""
_SHARES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


@dataclass(frozen=True)
class Target:
    """An upper bound: of ``p95`` and the like of a journey in seconds, of its ``errors`` as a
    share, of the ``load`` of a resource."""

    subject: str
    what: str
    bound: float

    def __str__(self) -> str:
        if self.what in ("errors", "load"):
            return f"{self.what} of {self.subject} at most {self.bound:.4g}".replace(
                f"{self.bound:.4g}", f"{100 * self.bound:.4g}%"
            )
        return f"{self.what} of {self.subject} at most {1000 * self.bound:.4g} ms"


@dataclass(frozen=True)
class Reading:
    """What a target came to: its value, and the half width of its interval where there is one."""

    target: Target
    value: float
    half_width: float = 0.0

    @property
    def strain(self) -> float:
        """The value over the bound: above one the target is missed."""
        if not self.target.bound:
            return math.inf if self.value > 0 else 0.0
        return self.value / self.target.bound

    @property
    def slack(self) -> float:
        """The half width over the bound."""
        return self.half_width / self.target.bound if self.target.bound else 0.0


def targets_of(system: System, journeys: Iterable[str]) -> tuple[Target, ...]:
    """The objectives of those journeys that declare any."""
    found = []
    wanted = set(journeys)
    for journey in system.journeys:
        if journey.slo is None or journey.name not in wanted:
            continue
        found += [
            Target(journey.name, name, float(bound)) for name, _, bound in journey.slo.latencies()
        ]
        if journey.slo.availability is not None:
            found.append(Target(journey.name, "errors", 1 - float(journey.slo.availability)))
    return tuple(found)


def read_flow(
    targets: Iterable[Target],
    flow: Flow,
    most: float = FULL,
    shares: Mapping[Target, float] | None = None,
) -> tuple[Reading, ...]:
    """What an analytic solution says about targets, and about the busiest resource.

    ``most``: how busy a resource may be; ``shares``: the part of a bound that may be used.
    """
    found = []
    for target in targets:
        journey = flow.journey(target.subject)
        if target.what == "errors":
            value = journey.failed
        else:
            value = journey.quantile(_SHARES[target.what])
        share = shares.get(target, 1.0) if shares is not None else 1.0
        found.append(Reading(replace(target, bound=target.bound * share), value))
    if flow.busiest is not None:
        busiest = flow.busiest
        found.append(Reading(Target(f"{busiest.name} {busiest.what}", "load", most), busiest.load))
    return tuple(found)


def read_result(
    targets: Iterable[Target], result: SimulationResult, most: float = FULL
) -> tuple[Reading, ...]:
    """What a simulation says about targets, with 95% intervals, and about the busiest resource."""
    found = []
    for target in targets:
        journey = result.journey(target.subject)
        if not journey.finished:
            continue
        name = "error_rate" if target.what == "errors" else target.what
        estimate = result.estimates.get(target.subject, {}).get(name)
        measured = journey.error_rate if name == "error_rate" else getattr(journey.latency, name)
        value = estimate.value if estimate is not None else measured
        half = estimate.half_width if estimate is not None else 0.0
        found.append(Reading(target, math.inf if math.isnan(value) else value, half))
    loads = [(_load(resource), resource) for resource in result.bottlenecks]
    if loads:
        load, resource = max(loads, key=lambda each: each[0])
        name = f"{resource.name} {resource.what}"
        found.append(Reading(Target(name, "load", most), max(load, _overload(result))))
    return tuple(found)


def _load(resource: ResourceResult) -> float:
    """Of all nodes; of the busiest, where it is so much busier that chance cannot be the reason."""
    uneven = resource.busiest > _UNEVEN * resource.utilisation
    return resource.busiest if uneven else resource.utilisation


def _overload(result: SimulationResult) -> float:
    return max((overload.ratio for overload in result.overloads), default=0.0)


def tightest(readings: Iterable[Reading]) -> Reading:
    """The target that is nearest to being missed, or missed the most."""
    return max(readings, key=lambda reading: reading.strain)
