"""After a bad minute the system comes back by itself.

Why it matters: a burst, a slow dependency or a lost replica is over in seconds, but retries, queues
of requests that nobody waits for any more and cold caches can keep a system down for hours, at a
load that it carries on every other day.

Each scenario is simulated at the peak of its load, once as it is and once with each trigger: its
own faults, a burst of three times the load, each of the busiest dependencies ten times as slow, a
lost replica, a flushed cache. A system that has not come back, and does not get better, in several
times the length of the trigger is stuck. The first run that shows it is believed, since a stuck
state is no matter of chance.

How to fix: fewer attempts, a retry budget, timeouts that are passed on, short queues, or load
shedding; `archcheck phase-map` shows from which load on, and what brings it back.

False positives: recoveries that take longer than was watched, without progress in between.

Sources: Bronson, Aghayev, Charapko and Zhu, Metastable Failures in Distributed Systems, HotOS 2021;
Huang et al., Metastable Failures in the Wild, OSDI 2022. The triggers' sizes are our proposal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archcheck import (
    Call,
    Constant,
    CustomRuntime,
    Docker,
    Endpoint,
    Journey,
    Load,
    Poisson,
    Retry,
    Scenario,
    Service,
    Slow,
    System,
    Work,
)
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation, option
from archcheck.graph import Graph
from archcheck.units import Duration, ms, s

if TYPE_CHECKING:
    from archcheck.resilience import ChaosResult, Trials, Trigger


@dataclass(frozen=True)
class Options:
    """Thresholds of the rule."""

    events: int = option(400_000, "events of a run at most; above them triggers are shorter")
    trigger: Duration = option(10 * s, "how long a trigger lasts")


rule = Rule(
    "RES025", "metastable", severity="error", method="sim", options=Options, recommended=False
)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    from archcheck.resilience import Trials, run_chaos  # takes its time; only those who need it

    system = graph.system
    loaded = [scenario for scenario in system.scenarios if scenario.load]
    if not loaded:
        yield NotApplicable("no load is declared: the system has no scenario")
    for scenario in loaded:
        trials = Trials(
            system,
            scenario,
            replications=1,
            jobs=1,
            trigger=float(options.trigger),
            events=options.events,
        )
        triggers = [*_declared(scenario, trials), *_standard(trials)]
        found = run_chaos(system, scenario, triggers, trials=trials)
        yield from _results(system, scenario, found, trials)


def _declared(scenario: Scenario, trials: Trials) -> Iterator[Trigger]:
    """The faults of the scenario itself, at the time at which triggers come."""
    from archcheck.resilience import Trigger, moved_to

    clock = trials.clock
    for fault in scenario.faults:
        target = getattr(fault, "target", None) or getattr(fault, "zone", None) or "load"
        name = f"{type(fault).__name__} of {target}"
        moved = moved_to(fault, clock.start, clock.end)
        yield Trigger("declared", name, (moved,))


def _standard(trials: Trials) -> Iterator[Trigger]:
    from archcheck.resilience import standard_triggers

    clock = trials.clock
    kinds = ("burst", "slow dependency", "lost replica", "cache flush")
    for trigger in standard_triggers(
        trials.system, trials.compiled(()), trials.flow, clock.start, clock.end
    ):
        if trigger.kind in kinds:
            yield trigger


def _results(
    system: System, scenario: Scenario, found: ChaosResult, trials: Trials
) -> Iterator[Result]:
    started = [journey for journey in system.journeys if trials.flow.journey(journey.name).rate]
    if not started:
        return
    if not found.carried:
        yield Undecided(
            started[0], f"a load that is carried under {scenario.name}", "nothing recovers from it"
        )
        return
    for result in found.results:
        if result.stuck is None:
            continue
        lost = max(
            result.budgets,
            key=lambda each: each.errors.value if each.errors is not None else 0.0,
        )
        journey = next((j for j in started if j.name == lost.journey), started[0])
        yield Violation(
            journey,
            f"under {scenario.name}, {result.trigger.name} for {Duration(result.lasted):.3} leaves "
            f"{result.stuck}",
            fix="fewer attempts, a retry budget or load shedding; archcheck chaos "
            f"--scenario {scenario.name} shows the rest",
            cause="the system does not come back",
        )


def _retrying(rate: float, attempts: int = 2, *faults: Slow, queue: int = 20_000) -> System:
    """Thirty workers of 100 ms carry 300 requests a second; the caller waits for one second."""
    runtime = CustomRuntime(concurrency="blocking", threads=30, accept_queue=queue)
    retry = Retry(attempts=attempts, backoff=10 * ms)
    ask = Call("database.query", timeout=1 * s, retry=retry)
    front = CustomRuntime(concurrency="lightweight", parallelism=64, accept_queue=20_000)
    return System(
        "shop",
        [
            Service(
                "database",
                runtime=runtime,
                deployment=Docker(replicas=1),
                endpoints=[Endpoint("query", steps=[Work(Constant(100 * ms))], idempotent=True)],
            ),
            Service(
                "web",
                runtime=front,
                deployment=Docker(replicas=1),
                endpoints=[Endpoint("page", steps=[ask])],
            ),
        ],
        journeys=[Journey("visit", "web.page")],
        scenarios=[
            Scenario("evening", load=[Load("visit", Poisson(rate / s))], faults=faults),
        ],
    )


@rule.bad("visit", "visit")
def retries_keep_the_database_full() -> System:
    return _retrying(280)  # the example of Bronson et al.: 280 of 300 a second, one retry


@rule.borderline("visit", "visit")
def a_little_more_than_half_of_what_is_carried() -> System:
    return _retrying(180)  # two attempts for each make it 360 of 300 a second


@rule.good
def below_what_retries_need() -> System:
    return _retrying(100)


@rule.good
def nobody_tries_again_and_the_queue_is_short() -> System:
    return _retrying(250, 1, queue=100)


@rule.unknown("a load that is carried under evening")
def overloaded_anyway() -> System:
    return _retrying(330)
