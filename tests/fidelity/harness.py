"""Small models, independent runs, and the intervals that must contain the exact value."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from typing import Any

from archcheck import (
    Absent,
    Constant,
    CustomRuntime,
    Docker,
    Endpoint,
    Fault,
    Journey,
    Load,
    Named,
    Network,
    Recorded,
    Scenario,
    Service,
    Step,
    System,
    Work,
)
from archcheck.model.scenarios import Arrivals, Mix, Session
from archcheck.simulation import SimulationResult, simulate
from archcheck.simulation.estimates import quantile_t
from archcheck.units import Duration, ms, s

RUNS = 10


def service(
    name: str,
    *steps: Step,
    threads: int | None = None,
    cores: int | None = None,
    replicas: int = 1,
    room: int | None = None,
    scheduling: Any = None,
    **others: Any,
) -> Service:
    """A service with one endpoint, ``run``.

    With ``threads`` it holds one for each request, else only ``cores`` while it works (as many as
    it needs, where none are given). ``room``: requests that may wait.
    """
    model = "blocking" if threads is not None else "event_loop"
    if threads is None and cores is None:
        cores = 1_000_000
    runtime = CustomRuntime(
        concurrency=model,
        threads=threads,
        parallelism=cores,
        scheduling=scheduling,
        accept_queue=Absent("unbounded") if room is None else room,
    )
    endpoint = Endpoint("run", steps=list(steps), **others.pop("endpoint", {}))
    others.setdefault("deployment", Docker(replicas=replicas))
    return Service(name, runtime=runtime, endpoints=[endpoint], **others)


def system(*elements: Named, journeys: Sequence[Journey] = (), **others: Any) -> System:
    """A system without network delay whose journey ``visit`` enters the first element."""
    first = Journey("visit", f"{elements[0].name}.run")
    return System(
        "theory",
        list(elements),
        journeys=list(journeys) or [first],
        network=Network(delay=0 * s),
        **others,
    )


def runs(
    model: System,
    load: Arrivals | Mix | Session,
    seconds: float,
    *,
    count: int = RUNS,
    share: float = 1 / 6,
    seeds: int = 0,
    **scenario: Any,
) -> list[SimulationResult]:
    """Independent runs; ``share`` of each is warm-up."""
    stream = load if isinstance(load, Mix | Session) else Load("visit", load)
    chosen = Scenario("load", load=[stream], **scenario)
    return [
        simulate(
            model,
            chosen,
            duration=Duration(seconds),
            warmup=Duration(seconds * share),
            seed=seeds + number,
        )
        for number in range(1, count + 1)
    ]


def work(milliseconds: float) -> Work:
    return Work(Constant(milliseconds * ms))


def run(
    model: System,
    *at: float,
    faults: tuple[Fault, ...] = (),
    duration: Duration = 60 * s,
    journey: str = "visit",
) -> SimulationResult:
    """Requests at given seconds."""
    load = [Load(journey, Recorded(times=[time * s for time in at]))]
    scenario = Scenario("load", load=load, faults=faults)
    return simulate(model, scenario, duration=duration, warmup=0 * s)


def longest(result: SimulationResult) -> float:
    return result.journey("visit").latency.max


def assert_contains(
    results: Sequence[SimulationResult], measure: Callable[[SimulationResult], float], exact: float
) -> None:
    """The 99% confidence interval of the mean over the runs contains ``exact``."""
    values = [measure(result) for result in results]
    mean = statistics.fmean(values)
    half = quantile_t(len(values) - 1, 0.99) * statistics.stdev(values) / math.sqrt(len(values))
    assert abs(mean - exact) <= half, f"{mean} +- {half} does not contain {exact}"


def mean_of(
    results: Sequence[SimulationResult], measure: Callable[[SimulationResult], float]
) -> float:
    """The mean over the runs."""
    return statistics.fmean(measure(result) for result in results)


def latency(result: SimulationResult) -> float:
    """Mean latency of the journey ``visit``, in seconds."""
    return result.journey("visit").latency.mean


def throughput(result: SimulationResult) -> float:
    """Good answers of the journey ``visit`` in a second."""
    return result.journey("visit").throughput


def response(operation: str) -> Callable[[SimulationResult], float]:
    """Mean time from arrival to answer of an operation."""
    return lambda result: result.operation(operation).latency.mean


def utilisation(resource: str) -> Callable[[SimulationResult], float]:
    """Share of the servers that were busy."""
    return lambda result: result.resource(resource).utilisation


def erlang_c(servers: int, load: float) -> float:
    """The probability of waiting in M/M/c with ``load`` = lambda / mu (Erlang, 1917)."""
    terms = [load**n / math.factorial(n) for n in range(servers)]
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    return last / (sum(terms) + last)
