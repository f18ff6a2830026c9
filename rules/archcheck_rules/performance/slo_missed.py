"""Simulated under the declared load, journeys meet their objectives.

Why it matters: sums of service times say nothing about waiting. Queues, retries, full pools and
garbage of timed-out work decide the high percentiles, and they depend on the load.

Every scenario with a steady load and without faults is simulated five times with a fixed seed, with
as many requests as its rarest promised journey needs, or as a number of events allows in a large
system, and longer while an objective is open: the same model gives the same answer. An objective is
missed when the whole 95% interval of the percentile, or of the share of failures, lies beyond it,
and met when the whole interval lies within; it is undecided when the interval contains it, when the
runs that ten million events allow are too short for a slow queue on the way, or when more than a
tenth of the time goes through a value that the model does not declare, or a service on the way does
not say what it works with, so that in a run nobody waits for it. A journey that waits for an
overloaded element misses its latencies. A journey of a single request that promises nothing has
what its endpoint promises. Where none of n requests failed, the share of failures is at most 3.8/n.
Loads that change and scenarios with faults are for ``archcheck simulate``. ``archcheck verify
--no-sim`` leaves this rule out.

How to fix: `archcheck simulate` shows where the time goes and what saturates first; give that more
replicas, threads or connections, or cache, or promise less.

False positives: service times or a load that are declared higher than they are.

Sources: Law, Simulation Modeling and Analysis, 2015, chapter 9 (confidence intervals of replicated
runs).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from archcheck import (
    Call,
    Constant,
    CustomRuntime,
    Docker,
    Endpoint,
    Go,
    Journey,
    Load,
    MySQL,
    Network,
    Poisson,
    Read,
    Scenario,
    Service,
    Slo,
    System,
    Work,
)
from archcheck.capacity import demands
from archcheck.findings import NotApplicable, Reading, Result, Rule, Undecided, Violation, option
from archcheck.graph import Graph
from archcheck.units import Duration, Fraction, ms, percent, s

if TYPE_CHECKING:
    from archcheck.simulation import SimulationResult
    from archcheck.simulation.plan import Assumption


@dataclass(frozen=True)
class Options:
    """Thresholds of the rule."""

    requests: int = option(2_000, "requests of the rarest promised journey in each run")
    assumed: Fraction = option(10 * percent, "share of the time that may rest on assumed values")


rule = Rule("PRF003", "slo-missed", severity="error", method="sim", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    system = _with_promises_of_entries(graph.system)
    promised = [journey for journey in system.journeys if journey.slo is not None]
    if not promised:
        yield NotApplicable("neither a journey nor its endpoint declares an objective")
    elif not system.scenarios:
        yield NotApplicable("no load is declared: the system has no scenario")
    else:
        yield from _of_scenarios(system, options)


def _with_promises_of_entries(system: System) -> System:
    """A journey of a single request that promises nothing has what its endpoint promises."""
    journeys = []
    for journey in system.journeys:
        entries = journey.all_entries()
        if journey.slo is None and len(entries) == 1:
            _, endpoint = system.endpoint(entries[0])
            promise = endpoint.slo if endpoint is not None else None
            journey = replace(journey, slo=promise)
        journeys.append(journey)
    return replace(system, journeys=journeys)


def _of_scenarios(system: System, options: Options) -> Iterator[Result]:
    from archcheck.simulation import judge_objectives  # takes its time; only those who need it

    looked_at = False
    for scenario in system.scenarios:
        judged = judge_objectives(system, scenario, requests=options.requests)
        if judged is not None:
            looked_at = True
            yield from _results(system, scenario, judged, options)
    if not looked_at:
        yield NotApplicable("no scenario has a steady load without faults and a promised journey")


def _results(
    system: System, scenario: Scenario, judged: SimulationResult, options: Options
) -> Iterator[Result]:
    journeys = {journey.name: journey for journey in system.journeys}
    for reading in judged.objectives:
        journey = journeys[reading.objective.subject]
        if reading.state == "missed":
            yield Violation(
                journey,
                f"under {scenario.name}, {reading}",
                fix=_advice(scenario, judged, reading),
                evidence=tuple(map(str, judged.overloads)),
            )
        elif reading.state == "open":
            yield _open(journey, scenario, reading)
        else:
            for assumption in judged.assumptions:
                if assumption.influence > float(options.assumed):
                    yield _asked(system, journey, assumption, f"{reading} if it is ")
            yield from _without_queues(system, scenario, journey)


def _open(journey: Journey, scenario: Scenario, reading: Reading) -> Undecided:
    """What an objective that is neither met nor missed lacks, and how a person gets it."""
    if reading.requests == 0:
        return Undecided(journey, f"a load of {journey.name} in scenario {scenario.name}")
    missing = f"a longer run of scenario {scenario.name}"
    how = f"archcheck simulate --scenario {scenario.name} --duration ... runs longer"
    if reading.is_early or reading.half_width is None:
        return Undecided(journey, missing, f"{reading}; {how}")
    return Undecided(
        journey,
        f"more room in slo.{reading.objective.name}, or {missing}",
        f"{reading}, which lies within the interval; {how}",
    )


def _asked(system: System, journey: Journey, assumption: Assumption, met: str) -> Undecided:
    """Asks for a value that the simulation had to assume, where it is declared."""
    holder = system.directory.elements.get(assumption.subject)
    if holder is None:
        missing = f"{assumption.attribute} of {assumption.subject}"
        return Undecided(journey, missing, f"{met}{assumption.value}")
    return Undecided(holder, assumption.attribute, f"{met}{assumption.value}")


def _without_queues(system: System, scenario: Scenario, journey: Journey) -> Iterator[Undecided]:
    """Asks what the services of a journey work with: a run lets nobody wait where none says it."""
    graph = Graph(system)
    used = {name.partition(".")[0] for name in graph.entries(journey)}
    used |= {step.target.name for step, _ in graph.visits(journey).interactions}
    for demand in demands(graph):
        for need in demand.unsized if demand.scenario is scenario else ():
            if need.holder.name in used and isinstance(need.holder, Service):
                yield Undecided(need.holder, need.attribute, "met in a run in which nobody waits")


_BUSY = 0.5
"""Below it nobody waits long for a resource, and more of it helps nobody. A choice."""


def _advice(scenario: Scenario, judged: SimulationResult, reading: Reading) -> str:
    limit = judged.bottleneck
    more = f"archcheck simulate --scenario {scenario.name} shows where the time goes"
    if reading.objective.name == "availability":
        failed = next((f for f in judged.failures if f.journey == reading.objective.subject), None)
        if failed is not None:
            cause = failed.causes[0]
            return f"{cause.share:.0%} of those that fail: {cause.reason} ({cause.place}); {more}"
    if limit is None or limit.utilisation < _BUSY:
        return f"less work on the way, or a looser objective; {more}"
    return f"more {limit.what} for {limit.name}: {limit.utilisation:.0%} are busy; {more}"


def _served(threads: int, bound: Duration, rate: int = 80) -> System:
    runtime = CustomRuntime(concurrency="blocking", threads=threads)
    return System(
        "shop",
        [
            Service(
                "billing",
                runtime=runtime,
                deployment=Docker(replicas=1),
                endpoints=[Endpoint("due", steps=[Work(Constant(10 * ms))])],
            )
        ],
        journeys=[Journey("pay", "billing.due", slo=Slo(p99=bound))],
        scenarios=[Scenario("day", load=[Load("pay", Poisson(rate / s))])],
        network=Network(delay=0 * ms),
    )


@rule.bad("pay")
def one_thread_is_busy_most_of_the_time() -> System:
    return _served(threads=1, bound=30 * ms)


@rule.bad("pay")
def more_comes_than_can_be_served() -> System:
    return _served(threads=1, bound=30 * ms, rate=120)


@rule.bad("pay")
def answers_come_too_late() -> System:
    """Two threads are busy half of the time; it is the caller's timeout that fails a tenth."""
    system = _served(threads=2, bound=1 * s)
    shop = Service(
        "shop",
        runtime=Go(parallelism=8),
        deployment=Docker(replicas=1),
        endpoints=[Endpoint("buy", steps=[Call("billing.due", timeout=12 * ms)])],
    )
    promise = Slo(availability=99 * percent)
    journeys = [Journey("pay", "shop.buy", slo=promise)]
    return replace(system, elements=[*system.elements, shop], journeys=journeys)


@rule.good
def a_second_thread() -> System:
    return _served(threads=2, bound=30 * ms)


@rule.bad("pay")
def its_endpoint_promises_it() -> System:
    system = _served(1, 20 * ms)
    (bank,) = system.services
    promise = replace(bank.endpoints[0], slo=Slo(p99=20 * ms))
    (pay,) = system.journeys
    elements = [part for part in system.elements if part is not bank]
    return replace(
        system,
        elements=(*elements, replace(bank, endpoints=(promise,))),
        journeys=(replace(pay, slo=None),),
    )


@rule.borderline()
def exactly_the_service_time() -> System:
    """Threads enough that nobody waits: the 99th percentile is the service time."""
    return _served(threads=50, bound=10.1 * ms)


@rule.borderline("pay")
def just_below_the_service_time() -> System:
    return _served(threads=50, bound=9.9 * ms)


@rule.unknown("read")
def the_time_goes_into_a_query_that_is_not_declared() -> System:
    system = _served(threads=50, bound=500 * ms)
    asks = Service("front", runtime=Go(), endpoints=[Endpoint("ask", steps=[Read("ledger")])])
    return replace(
        system,
        elements=[*system.elements, asks, MySQL("ledger")],
        journeys=[Journey("pay", "front.ask", slo=Slo(p99=500 * ms))],
    )


@rule.unknown("runtime")
def nobody_says_what_runs_it() -> System:
    system = _served(threads=2, bound=30 * ms)
    (billing,) = system.services
    return replace(system, elements=[replace(billing, runtime=None)])
