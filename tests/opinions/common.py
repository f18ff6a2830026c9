"""What a second opinion is: a rule, systems on both sides of its limit, and what a run shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from archcheck import (
    Absent,
    Arrivals,
    Constant,
    CustomRuntime,
    Endpoint,
    Fault,
    Journey,
    Load,
    Named,
    Network,
    Poisson,
    Scenario,
    Service,
    Slo,
    System,
)
from archcheck.simulation import simulate
from archcheck.simulation.results import ResourceResult, SimulationResult
from archcheck.units import Duration, s

NONE = Absent("not here")
ROOMY = CustomRuntime(concurrency="lightweight", parallelism=10_000, accept_queue=NONE)
"""Nobody waits for a core."""
SEED = 7


class Draw:
    """Chooses what a system is like."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def pick(self, *values: Any) -> Any:
        return values[self.random.randrange(len(values))]

    def whole(self, least: int, most: int) -> int:
        return self.random.randint(least, most)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def around(self, critical: float) -> float:
        """A value below or above what decides, and now and then close to it."""
        return critical * self.pick(
            self.random.uniform(0.4, 0.9),
            self.random.uniform(0.9, 1.1),
            self.random.uniform(1.1, 2.0),
        )


@dataclass(frozen=True)
class Case:
    """A system, and what a run of it measures of the rule's claim.

    ``margin``: words of the rule's page that allow it to disagree with a run.
    """

    system: System
    measured: Callable[[System], float]
    margin: str = ""


@dataclass(frozen=True)
class Opinion:
    """What of a run says that a rule is right.

    A finding is wrong where the observable is below ``calm``; silence is wrong where it is above
    ``broken``. Between them a run of this length cannot tell, or chance decides: ``tolerance``
    says why.
    """

    rule: str
    observable: str
    draw: Callable[[Draw], Case]
    calm: float
    broken: float
    tolerance: str

    def case(self, seed: int) -> Case:
        """The system that is drawn with a seed."""
        return self.draw(Draw(Random(f"{self.rule}:{seed}")))


FULL = {
    "calm": 0.95,
    "broken": 1.08,
    "tolerance": "a minute cannot tell 98% busy from too much",
}
"""Of resources that are full or not: how busy, or what comes over what can be done."""


def system(
    elements: Sequence[Named],
    rate: float | Arrivals,
    *,
    entry: str = "web.go",
    faults: Sequence[Fault] = (),
    slo: Slo | None = None,
    timeout: Duration | None = None,
    critical: bool = False,
    scenarios: Sequence[Scenario] = (),
) -> System:
    """A system with one journey under a steady load, without a network in between."""
    arrivals = rate if isinstance(rate, Arrivals) else Poisson(rate / s)
    load = [Load("use", arrivals)]
    return System(
        "drawn",
        list(elements),
        journeys=[Journey("use", entry, slo=slo, timeout=timeout, critical=critical)],
        scenarios=[Scenario("day", load=load, faults=faults), *scenarios],
        network=Network(delay=0 * s),
    )


def web(*steps: Any, **fields: Any) -> Service:
    """The service at the entry: it has room for everything, unless said otherwise."""
    return Service("web", endpoints=[Endpoint("go", steps=steps)], **{"runtime": ROOMY, **fields})


def run(
    model: System,
    *faults: Fault,
    seconds: float = 60,
    warmup: float = 10,
    seed: int = SEED,
    **others: Any,
) -> SimulationResult:
    """A run of the first scenario, with other faults."""
    scenario = replace(model.scenarios[0], faults=faults)
    return simulate(model, scenario, duration=seconds * s, warmup=warmup * s, seed=seed, **others)


def pressure(result: SimulationResult, *names: str) -> float:
    """How busy the busiest of the resources is; above one: what comes over what can be done."""
    wanted = [r for r in result.resources if not names or r.name in names]
    busy = [r.utilisation for r in wanted if not math.isnan(r.utilisation)]
    busy += [r.busiest for r in wanted if r.what == "consumers"]  # one with more partitions
    over = [_over(result, r) for r in wanted if max(r.utilisation, r.busiest) > SATURATED]
    return max([*busy, *over], default=0.0)


SATURATED = 0.97


def _over(result: SimulationResult, found: ResourceResult) -> float:
    """What comes over what leaves, by the growth of its queue in the second half of a run.

    A result has this itself of runs without faults.
    """
    if found.name not in result.waiting_series:  # a pool: all who wait for it are in the journey
        (journey,) = result.journeys
        return journey.started / max(journey.finished, 1)
    waiting = result.waiting_series[found.name]
    half = len(waiting) // 2
    came = found.visits / (result.duration - result.warmup) * result.duration / 2
    grown = waiting[-1] - waiting[half]
    return 1 / max(1 - grown / came, 1e-3) if came else 0.0


def good(result: SimulationResult) -> float:
    """The share of the finished journeys with a good answer; none finished: none is good."""
    (journey,) = result.journeys
    return (journey.ok + journey.degraded) / journey.finished if journey.finished else 0.0


def constant(seconds: float) -> Constant:
    return Constant(seconds * s)
