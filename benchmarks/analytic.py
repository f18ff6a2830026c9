"""How far the analytic solution is from simulations of random systems, kind by kind.

Each system has two to four services in a chain or a tree over a datastore, with random pools,
threads, cores, replicas and times. Open ones are loaded until the solution says that their busiest
resource is between 20% and 80% busy; closed ones have from 2 to 150 users, who may fill them.

A gap is small where the mean is within 10% and the throughput within 3%. Of the others the table
has what half of them and nine of ten are within.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from archcheck import (
    Absent,
    Call,
    Closed,
    Constant,
    CustomRuntime,
    Endpoint,
    Exponential,
    Journey,
    Kubernetes,
    Load,
    Lognormal,
    MySQL,
    Network,
    Poisson,
    Pool,
    Read,
    Repeat,
    Resources,
    Retry,
    Scenario,
    Service,
    Step,
    System,
    Uniform,
    Work,
)
from archcheck.model.distributions import Time
from archcheck.planning import Flow, solve_plan
from archcheck.planning.flow.accuracy import band
from archcheck.simulation import simulate
from archcheck.simulation.compiling import compile_plan
from archcheck.units import Fraction, cores, ms, s

NO = Absent("not in these systems")
KINDS = (
    "threads",
    "event loops",
    "shared cores",
    "threads and cores",
    "CPU limits",
    "lognormal work",
    "errors and retries",
    "timeouts and retries",
)
MIXED = "of all kinds"
CLOSED = ("threads", "shared cores", "threads and cores", "CPU limits")
LEARNT_KINDS = (
    *("threads", "shared cores", "threads and cores", "CPU limits"),
    *("errors and retries", "timeouts and retries"),
    *(f"users, {kind}" for kind in CLOSED),
)
USERS = (2, 5, 10, 20, 50, 100, 150)


class Maker:
    """Draws a system of one kind; the same for the same seed, whatever its load."""

    def __init__(self, kind: str, seed: int) -> None:
        self.kind = kind
        self.random = Random(seed)
        self.is_mixed = kind == MIXED

    def time(self, low: float, high: float) -> Time:
        mean = self.random.uniform(low, high)
        if self.kind == "lognormal work":
            return Lognormal(mean=mean * s, p99=mean * self.random.uniform(3, 8) * s)
        kinds = (Exponential(mean * s), Exponential(mean * s), Constant(mean * s))
        return self.random.choice([*kinds, Uniform(0 * s, 2 * mean * s)])

    def runtime(self) -> CustomRuntime:
        few = self.random.choice([1, 1, 2, 4])
        if self.kind == "event loops":
            return CustomRuntime(concurrency="event_loop", parallelism=few, accept_queue=NO)
        if self.kind == "shared cores":
            return CustomRuntime(concurrency="lightweight", parallelism=2 * few, accept_queue=NO)
        threads = self.random.choice([2, 4, 8, 16, 32])
        if self.kind == "CPU limits" and self.random.random() < 0.5:
            return CustomRuntime(concurrency="lightweight", parallelism=2 * few, accept_queue=NO)
        has_cores = self.kind in ("threads and cores", "CPU limits")
        own = {"parallelism": few} if has_cores else {}
        return CustomRuntime(concurrency="blocking", threads=threads, accept_queue=NO, **own)

    def limits(self) -> Resources | None:
        if self.kind != "CPU limits":
            return None
        return Resources(cpu_limit=self.random.choice([0.1, 0.2, 0.5, 1.0, 2.0]) * cores)

    def asks(self, callee: str) -> Step:
        step: Step = Read("db", retry=NO, timeout=NO)
        if callee != "db":
            retry: Retry | Absent = NO
            timeout = self.random.uniform(20, 100) * ms
            if self.kind == "errors and retries":
                retry = Retry(attempts=self.random.choice([2, 3]), backoff=1 * ms)
            elif self.kind == "timeouts and retries":
                retry = self.random.choice([NO, Retry(attempts=2, backoff=5 * ms)])
            patient = self.kind != "timeouts and retries"
            step = Call(f"{callee}.go", retry=retry, timeout=NO if patient else timeout)
        return Repeat(2, [step]) if self.random.random() < 0.2 else step

    def service(self, name: str, below: Sequence[str]) -> Service:
        random = self.random
        if self.is_mixed:
            self.kind = random.choice(KINDS)
        steps: list[Step] = [Work(self.time(0.001, 0.01))]
        steps += map(self.asks, random.sample(below, min(len(below), random.choice([1, 1, 2]))))
        if random.random() < 0.5:
            steps.append(Work(self.time(0.001, 0.005)))
        failing = random.choice([0.02, 0.05, 0.1, 0.2])
        rate = Fraction(failing) if self.kind == "errors and retries" else None
        return Service(
            name,
            runtime=self.runtime(),
            endpoints=[Endpoint("go", steps=steps, error_rate=rate)],
            deployment=Kubernetes(replicas=random.choice([1, 1, 2, 3]), resources=self.limits()),
            pools=[Pool("db", random.choice([4, 8, 16]))],
        )

    def system(self, *, rate: float = 0.0, users: int = 0, classes: int = 1) -> System:
        below, services = ["db"], []
        for number in range(self.random.choice([2, 3, 4])):
            services.append(self.service(f"s{number}", below))
            below.append(f"s{number}")
        nodes = self.random.choice([2, 4, 8])
        db = MySQL("db", read=self.time(0.001, 0.006), parallelism=nodes, max_connections=10_000)
        journeys = [Journey(f"to {name}", f"{name}.go") for name in below[-classes:]]
        load = [
            Load(each.name, Closed(users, think=self.random.uniform(0.05, 1) * s))
            if users
            else Load(each.name, Poisson(rate / s))
            for each in journeys
        ]
        return System(
            "random",
            [*services, db],
            journeys=journeys,
            scenarios=[Scenario("load", load=load)],
            network=Network(delay=0.25 * ms),
        )


@dataclass(frozen=True)
class Gap:
    """Of one journey: how far throughput, mean and 95th percentile are from the simulated ones, and
    the load of the busiest resource.
    """

    throughput: float
    mean: float
    p95: float
    load: float

    @property
    def is_small(self) -> bool:
        return abs(self.throughput) < 0.03 and abs(self.mean) < 0.1


def solved(system: System) -> Flow:
    return solve_plan(compile_plan(system, system.scenarios[0]))


def loaded(kind: str, seed: int, most: float = 0.8) -> System:
    """An open system whose busiest resource is as busy as was drawn for it."""
    wanted, rate = Random(-seed - 1).uniform(0.2, most), 10.0
    for _ in range(12):
        system = Maker(kind, seed).system(rate=rate)
        busiest = solved(system).busiest
        assert busiest is not None
        if abs(busiest.load - wanted) < 0.01:
            break
        rate *= wanted / busiest.load if busiest.load < 1.5 else 0.5
    return system


def gaps(system: System, seed: int) -> tuple[Flow, list[Gap]]:
    """The solution, and how far it is off."""
    flow = solved(system)
    length = min(4000.0, max(60.0, 40_000 / min(each.rate for each in flow.journeys)))
    result = simulate(
        system, system.scenarios[0], duration=length * s, warmup=0.1 * length * s, seed=seed
    )
    found = []
    assert flow.busiest is not None
    label = flow.busiest.label
    busiest = next(each.utilisation for each in result.resources if each.label == label)
    for each in flow.journeys:
        seen = result.journey(each.name)
        found.append(
            Gap(
                each.rate * (1 - each.failed) / seen.throughput - 1 if seen.throughput else 1.0,
                each.time.mean / seen.latency.mean - 1,
                each.quantile(0.95) / seen.latency.p95 - 1,
                min(flow.busiest.load, 1.0) / busiest - 1,
            )
        )
    return flow, found


def row(name: str, systems: Sequence[System]) -> str:
    """The kind's line in the table."""
    settled = [gaps(system, seed) for seed, system in enumerate(systems)]
    every = [gap for flow, found in settled if flow.converged for gap in found]
    small = sum(gap.is_small for gap in every) / len(every)

    def at(share: int, values: Sequence[float]) -> str:
        return f"{statistics.quantiles(map(abs, values), n=10)[share - 1]:.1%}"

    rates, means = [gap.throughput for gap in every], [gap.mean for gap in every]
    tails = [gap.p95 for gap in every]
    open_ends = sum(not flow.converged for flow, _ in settled)
    return (
        f"| {name} | {small:.0%} | {at(5, rates)} / {at(9, rates)} | {at(5, means)} / "
        f"{at(9, means)} | {at(5, tails)} / {at(9, tails)} | {open_ends} |"
    )


LEAST = {"mean": 0.03, "p95": 0.08, "load": 0.03}
"""Gaps below which chance has its part in one run of a system."""
FIRST = 1_000
"""The first seed of what is learnt: smaller ones were looked at when approximations were made."""


def drawn(kind: str, seed: int, most: float) -> System:
    """A system of a kind, open or with users."""
    users = kind.removeprefix("users, ")
    if users != kind:
        return Maker(users, seed).system(users=USERS[seed % len(USERS)])
    return loaded(kind, seed, most)


def nine_of_ten(found: Sequence[Gap], name: str) -> float:
    """What nine of ten gaps are within."""
    return statistics.quantiles([abs(getattr(each, name)) for each in found], n=10)[-1]


def learn(count: int) -> None:
    """Print what nine of ten journeys of each kind are within, for each band of loads."""
    for kind in LEARNT_KINDS:
        found: dict[int, list[Gap]] = {}
        for seed in range(FIRST, FIRST + count):
            flow, seen = gaps(drawn(kind, seed, 0.95), seed)
            assert flow.busiest is not None
            number = band(flow.busiest.load)
            if flow.converged and (number < 3 or kind.startswith("users")):
                found.setdefault(number, []).extend(seen)
        print(f'    "{kind}": (')
        for number in sorted(found):
            shown = ", ".join(
                f"{math.ceil(100 * max(least, nine_of_ten(found[number], name))) / 100:g}"
                for name, least in LEAST.items()
            )
            print(f"        Accuracy({shown}),  # {len(found[number])} journeys")
        print("    ),", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--systems", type=int, default=100, help="of each kind")
    parser.add_argument("--learn", action="store_true", help="print the table of accuracies")
    chosen = parser.parse_args()
    count = chosen.systems
    if chosen.learn:
        learn(count)
        return
    print("| systems | small | throughput | mean | p95 | not settled |")
    print("|---|---|---|---|---|---|")
    for kind in KINDS:
        print(row(kind, [loaded(kind, seed) for seed in range(count)]), flush=True)
    for classes, name in ((1, "users"), (2, "two kinds of users")):
        for kind in CLOSED:
            closed = [
                Maker(kind, seed).system(users=USERS[seed % len(USERS)], classes=classes)
                for seed in range(count)
            ]
            print(row(f"{name}, {kind}", closed), flush=True)


if __name__ == "__main__":
    main()
