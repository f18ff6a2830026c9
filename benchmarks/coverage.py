"""How often intervals of 95% cover the exact value, and how often "met" is false.

M/M/1 and M/M/16 from half to nearly full, whose mean and percentiles of the time in the system are
known (an exponential in M/M/1; in M/M/c a mixture, solved by bisection). Runs of a minute, whose
verdicts may be open, and runs as long as archcheck finds them needed. *early*: what is too short to
know says so. *false met*: a bound 3% and 13% below the exact p99 that is said to be met.
``python benchmarks/coverage.py 200`` uses 200 seeds.
"""

from __future__ import annotations

import math
import sys

from archcheck import (
    Absent,
    CustomRuntime,
    Docker,
    Endpoint,
    Journey,
    Load,
    Network,
    Poisson,
    Scenario,
    Service,
    System,
    Work,
)
from archcheck.capacity import erlang_c
from archcheck.findings import Objective
from archcheck.simulation import SimulationResult, simulate
from archcheck.units import ms, s

WORK = 0.01
LOADS = (0.5, 0.8, 0.9, 0.95)
RUNS = 5


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


def row(servers: int, load: float, seconds: float, seeds: int) -> str:
    """The coverage of one queue with runs of one length."""
    model = queue(servers, load)
    exact = {
        "mean": WORK * (1 + erlang_c(servers, load * servers) / (servers * (1 - load))),
        "p50": quantile(servers, load, 0.5),
        "p99": quantile(servers, load, 0.99),
    }
    covered, settled, false_met = dict.fromkeys(exact, 0), 0, 0
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
            covered[name] += abs(estimate.value - value) <= estimate.half_width
    shares = " | ".join(f"{covered[name] / settled:.0%}" if settled else "-" for name in exact)
    early = f"{(seeds - settled) / seeds:.0%}"
    wrong = f"{false_met / seeds / 2:.1%}"
    return f"| M/M/{servers} | {load:.0%} | {seconds:.0f} s | {early} | {shares} | {wrong} |"


def _met(run: SimulationResult, bound: float) -> bool:
    return run.reading(Objective("visit", "p99", bound)).state == "met"


if __name__ == "__main__":
    main()
