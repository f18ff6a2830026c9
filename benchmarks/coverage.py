"""How often intervals of 95% cover the exact value, and how often "met" is false.

M/M/1 and M/M/16 from half to nearly full, whose mean and percentiles of the time in the system are
known (an exponential in M/M/1; in M/M/c a mixture, solved by bisection). Runs of a minute, whose
verdicts may be open, and runs as long as archcheck finds them needed. *early*: what is too short to
know says so. *false met*: a bound 3% and 13% below the exact p99 that is said to be met.
``python benchmarks/coverage.py 200`` uses 200 seeds.

Then systems whose percentiles no formula gives: work with a heavy tail, three tiers under timeouts,
errors with retries, a cache that is filled, closed users. Exact is what runs of a hundred times the
length say together; where theory has the mean or the share of errors, that.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archcheck import (
    Absent,
    Bulkhead,
    Cached,
    Call,
    Closed,
    CustomRuntime,
    Datastore,
    Docker,
    Endpoint,
    Journey,
    KeySpace,
    Load,
    Lognormal,
    MySQL,
    Network,
    Poisson,
    Pool,
    Read,
    Redis,
    Retry,
    Scenario,
    Service,
    Step,
    System,
    Work,
)
from archcheck.capacity import erlang_c
from archcheck.findings import Objective
from archcheck.model.scenarios import Arrivals
from archcheck.simulation import SimulationResult, simulate
from archcheck.units import Fraction, ms, s

WORK = 0.01
LOADS = (0.5, 0.8, 0.9, 0.95)
RUNS = 5
OTHERS = ("mean", "p50", "p99", "error_rate", "throughput")
NO = Absent("not in these systems")


def queue(servers: int, load: float) -> System:
    """A service of ``servers`` threads with work of 10 ms, as busy as ``load``."""
    runtime = CustomRuntime(
        concurrency="blocking", threads=servers, accept_queue=Absent("unbounded")
    )
    work = Endpoint("run", steps=[Work(10 * ms)])
    service = Service("q", deployment=Docker(replicas=1), runtime=runtime, endpoints=[work])
    journey = Journey("visit", "q.run")
    scenario = Scenario("r", load=[Load("visit", Poisson(load * servers / WORK / s))])
    network = Network(delay=0 * s)
    return System("m", [service], journeys=[journey], network=network, scenarios=[scenario])


def beyond(servers: int, load: float, time: float) -> float:
    """The probability that a request takes longer than ``time`` (Gross and others, Fundamentals of
    Queueing Theory, 2008, section 2.3)."""
    rate, waits = 1 / WORK, erlang_c(servers, load * servers)
    drain = servers * rate * (1 - load)
    if math.isclose(drain, rate):
        return math.exp(-rate * time) * (1 + waits * rate * time)
    mixed = waits * rate / (rate - drain) * (math.exp(-drain * time) - math.exp(-rate * time))
    return math.exp(-rate * time) + mixed


def quantile(servers: int, load: float, share: float) -> float:
    """The exact percentile."""
    low, high = 0.0, 1e3
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(servers, load, middle) > 1 - share else (low, middle)
    return low


def tiers(
    name: str,
    *services: Service,
    arrivals: Arrivals,
    stores: tuple[Datastore, ...] = (),
    seconds: float = 120.0,
) -> Case:
    """A chain of services, of which the first is asked, and how long a run of it is."""
    system = System(
        "m",
        [*services, *stores],
        journeys=[Journey("visit", f"{services[0].name}.run")],
        network=Network(delay=0.25 * ms),
        scenarios=[Scenario("r", load=[Load("visit", arrivals)])],
    )
    return Case(name, system, seconds)


def service(
    name: str,
    *steps: Step,
    threads: int = 8,
    errors: float = 0.0,
    room: int | Absent = NO,
    pools: Sequence[Pool] = (),
) -> Service:
    """One replica with threads that wait for what they ask."""
    return Service(
        name,
        deployment=Docker(replicas=1),
        runtime=CustomRuntime(concurrency="blocking", threads=threads, accept_queue=room),
        endpoints=[Endpoint("run", steps=steps, idempotent=True, error_rate=Fraction(errors))],
        pools=pools,
    )


@dataclass(frozen=True)
class Case:
    """A system without formulas."""

    name: str
    system: System
    seconds: float


def cases() -> list[Case]:
    """The systems whose figures long runs say."""
    heavy = Lognormal(mean=WORK * s, p99=8 * WORK * s)
    waits = Bulkhead(2, max_wait=3600 * s)
    patient = {"timeout": NO, "fallback": NO}
    hurried = {"timeout": 120 * ms, "retry": NO, "fallback": NO}
    again = Call("b.run", retry=Retry(attempts=3, backoff=1 * ms), **patient)
    cached = Cached(
        "cache", keys=KeySpace(count=2_000, skew=0.8), steps=[Call("b.run", retry=NO, **patient)]
    )
    return [
        tiers("lognormal, 60%", service("a", Work(heavy), threads=1), arrivals=Poisson(60 / s)),
        tiers(
            "lognormal, 85%",
            service("a", Work(heavy), threads=1),
            arrivals=Poisson(85 / s),
            seconds=1_000,
        ),
        tiers(
            "a queue that is seldom full",
            service("a", Work(WORK * s), threads=1, room=30),
            arrivals=Poisson(80 / s),
            seconds=200.0,
        ),
        tiers(
            "a pool of one, 80%",
            service("a", Read("db", timeout=NO, retry=NO), threads=20_000, pools=[Pool("db", 1)]),
            arrivals=Poisson(80 / s),
            stores=(MySQL("db", read=WORK * s, parallelism=64, max_connections=10_000),),
            seconds=240.0,
        ),
        tiers(
            "a bulkhead of two that waits, 80%",
            service("a", Call("b.run", retry=NO, bulkhead=waits, **patient), threads=20_000),
            service("b", Work(WORK * s), threads=64),
            arrivals=Poisson(160 / s),
        ),
        tiers(
            "three tiers, timeouts",
            service("a", Work(2 * ms), Call("b.run", **hurried), threads=32),
            service("b", Work(5 * ms), Call("c.run", retry=NO, **patient), threads=16),
            service("c", Work(10 * ms), threads=2),
            arrivals=Poisson(160 / s),
        ),
        tiers(
            "errors, retries",
            service("a", Work(2 * ms), again, threads=32),
            service("b", Work(5 * ms), threads=2, errors=0.1),
            arrivals=Poisson(200 / s),
        ),
        tiers(
            "a cache",
            service("a", Work(1 * ms), cached, threads=32),
            service("b", Work(10 * ms), threads=4),
            stores=(Redis("cache", ttl=20 * s),),
            arrivals=Poisson(300 / s),
        ),
        tiers(
            "users",
            service("a", Work(5 * ms), Call("b.run", retry=NO, **patient), threads=16),
            service("b", Work(10 * ms), threads=2),
            arrivals=Closed(60, think=400 * ms),
        ),
    ]


def other(case: Case, seeds: int) -> str:
    """The coverage of a system against runs that are far longer."""
    made, seconds = case.system, case.seconds
    long = simulate(made, made.scenarios[0], duration=100 * seconds * s, replications=8, seed=999)
    exact = {name: long.estimates["visit"][name].value for name in OTHERS}
    return f"| {case.name} | {covered(made, exact, seconds, seeds)} |"


def main() -> None:
    """Print a row for each queue, load and length."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    print("| queue | busy | a run | early | mean | p50 | p99 | false met |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for servers in (1, 16):
        for load in LOADS:
            relaxation = WORK / servers / (1 - math.sqrt(load)) ** 2
            for seconds in (60.0, 110 * relaxation):
                if seconds >= 60:
                    print(row(servers, load, seconds, seeds), flush=True)
    print("| system | a run | early | mean | p50 | p99 | errors | throughput | false met |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for case in cases():
        print(other(case, seeds), flush=True)


def row(servers: int, load: float, seconds: float, seeds: int) -> str:
    """The coverage of one queue with runs of one length."""
    exact = {
        "mean": WORK * (1 + erlang_c(servers, load * servers) / (servers * (1 - load))),
        "p50": quantile(servers, load, 0.5),
        "p99": quantile(servers, load, 0.99),
    }
    shares = covered(queue(servers, load), exact, seconds, seeds)
    return f"| M/M/{servers} | {load:.0%} | {shares} |"


def covered(model: System, exact: Mapping[str, float], seconds: float, seeds: int) -> str:
    """How often runs of so many seconds are too short to know, cover each exact value where they
    are not, and call a bound met that is missed.
    """
    inside, settled, false_met = dict.fromkeys(exact, 0), 0, 0
    for seed in range(seeds):
        run = simulate(
            model, model.scenarios[0], duration=seconds * s, replications=RUNS, seed=7919 * seed + 1
        )
        false_met += sum(_met(run, share * exact["p99"]) for share in (0.87, 0.97))
        if run.early:
            continue
        settled += 1
        for name, value in exact.items():
            estimate = run.estimates["visit"][name]
            inside[name] += abs(estimate.value - value) <= estimate.half_width
    shares = " | ".join(f"{inside[name] / settled:.0%}" if settled else "-" for name in exact)
    early = f"{(seeds - settled) / seeds:.0%}"
    return f"{seconds:.0f} s | {early} | {shares} | {false_met / seeds / 2:.1%}"


def _met(run: SimulationResult, bound: float) -> bool:
    return run.reading(Objective("visit", "p99", bound)).state == "met"


if __name__ == "__main__":
    main()
