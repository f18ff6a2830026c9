"""The engines against each other, against scripts by hand and against other simulators.

All runs of a table are interleaved in one process; a figure is the median of its rounds. Others are
measured where they are installed (the extra ``bench``). ``floor`` is what the engine's event list
alone takes to give the next event and take a new one, with as many pending as the run has.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from multiprocessing import Process
from pathlib import Path

from cells import cells
from idiomatic_simpy import ByHand

from archcheck import (
    Absent,
    Closed,
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
from archcheck.loading import load
from archcheck.model import Call
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.engines import reference
from archcheck.simulation.engines.fast import _engine, run
from archcheck.simulation.plan import Plan
from archcheck.simulation.record import Record
from archcheck.simulation.replications import Replicator
from archcheck.units import ms, s

ROOT = Path(__file__).parents[1]
ROUNDS = 5
Runner = Callable[[], float]
"""Simulates, and returns how many requests."""


def medians(runners: Mapping[str, Runner], rounds: int = ROUNDS) -> dict[str, float]:
    """Requests a second of each, run in turns."""
    rates: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(rounds):
        for name, runner in runners.items():
            start = time.perf_counter()
            requests = runner()
            rates[name].append(requests / (time.perf_counter() - start))
    return {name: statistics.median(each) for name, each in rates.items()}


def journeys(record: Record) -> float:
    """Journeys that were started."""
    return sum(tally.started for tally in record.journeys)


def on_fast(plan: Plan, seconds: float) -> Runner:
    return lambda: journeys(run(plan, seed=1, duration=seconds, warmup=0.0))


def on_reference(plan: Plan, seconds: float) -> Runner:
    return lambda: journeys(reference.run(plan, seed=1, duration=seconds, warmup=0.0))


def by_hand(plan: Plan, seconds: float) -> Runner:
    return lambda: ByHand(plan, 1).run(seconds)


# -- systems ----------------------------------------------------------------------------------


def boutique(rate: float, replicas: int) -> Plan:
    """Online Boutique under so many journeys a second, with so many replicas of each service."""
    (system,) = load(ROOT / "models/online_boutique")
    elements = [
        dataclasses.replace(
            each, deployment=dataclasses.replace(each.deployment, replicas=replicas)
        )
        if isinstance(each, Service) and each.deployment
        else each
        for each in system.elements
    ]
    busy = next(each for each in system.scenarios if each.name == "busy")
    mix = dataclasses.replace(busy.load[0], arrivals=Poisson(rate / s))
    return compile_plan(
        dataclasses.replace(system, elements=elements), dataclasses.replace(busy, load=[mix])
    )


def with_timeouts(plan: Plan) -> Plan:
    """Every call gives up after two seconds, and is tried twice."""
    calls = [
        dataclasses.replace(
            site, policy=dataclasses.replace(site.policy, timeout=2.0, attempts=2, backoff=0.01)
        )
        for site in plan.calls
    ]
    return dataclasses.replace(plan, calls=tuple(calls))


def declared(model: str, scenario: str) -> Plan:
    (system,) = load(ROOT / "models" / model)
    chosen = next(each for each in system.scenarios if each.name == scenario)
    return compile_plan(system, chosen)


def queue() -> Plan:
    """M/M/4 with a utilisation of 80%."""
    return compile_plan(*_system([_service("q", 4, Work(1 * s))], "q", Poisson(3.2 / s)))


def three_tiers() -> Plan:
    """Fifty users who think for a second; each tier holds a thread while it waits for the next."""
    tiers = [
        _service("web", 40, Work(5 * ms), Call("app.run")),
        _service("app", 20, Work(10 * ms), Call("db.run")),
        _service("db", 4, Work(15 * ms)),
    ]
    return compile_plan(*_system(tiers, "web", Closed(50, think=1 * s)))


def _service(name: str, threads: int, *steps: Work | Call) -> Service:
    runtime = CustomRuntime(
        concurrency="blocking", threads=threads, accept_queue=Absent("unbounded")
    )
    return Service(
        name,
        runtime=runtime,
        deployment=Docker(replicas=1),
        endpoints=[Endpoint("run", steps=list(steps))],
    )


def _system(
    services: list[Service], entry: str, arrivals: Poisson | Closed
) -> tuple[System, Scenario]:
    scenario = Scenario("load", load=[Load("go", arrivals)])
    system = System(
        entry,
        services,
        journeys=[Journey("go", f"{entry}.run")],
        scenarios=[scenario],
        network=Network(delay=0 * ms),
    )
    return system, scenario


# -- other simulators -------------------------------------------------------------------------


def ciw_queue(seconds: float) -> float:
    import ciw

    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(3.2)],
        service_distributions=[ciw.dists.Exponential(1.0)],
        number_of_servers=[4],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(seconds)
    return float(len(simulation.get_all_records()))


def salabim_queue(seconds: float) -> float:
    import salabim

    salabim.yieldless(False)

    class Customer(salabim.Component):
        def process(self):
            yield self.request(servers)
            yield self.hold(salabim.Exponential(1).sample())
            self.release()

    class Arrivals(salabim.Component):
        served = 0

        def process(self):
            while True:
                yield self.hold(salabim.Exponential(1 / 3.2).sample())
                Arrivals.served += 1
                Customer()

    env = salabim.Environment(trace=False, random_seed=1)
    servers = salabim.Resource("servers", capacity=4)
    Arrivals()
    env.run(till=seconds)
    return float(Arrivals.served)


# -- tables -----------------------------------------------------------------------------------


def floors(sizes: list[int]) -> list[float]:
    """Nanoseconds for giving an event and taking one, with so many pending."""
    headers = ROOT / "src/archcheck/simulation/engines/fast"
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "event_list"
        source = ROOT / "benchmarks/event_list/event_list.c"
        command = ["cc", "-O3", f"-I{headers}", str(source), "-o", str(program), "-lm"]
        subprocess.run(command, check=True)
        done = subprocess.run(
            [str(program), *map(str, sizes)], check=True, capture_output=True, text=True
        )
    return [float(line) for line in done.stdout.split()]


def pending(plan: Plan, seconds: float) -> int:
    """Events that are pending after the first million."""
    made = _engine.Run(plan, 1, seconds, 0.0, None)
    made.go_on()
    return max(1, made.pending)


def print_systems() -> None:
    """Speed on systems: both engines and a script by hand, and the cost of an event."""
    plans = {
        "Online Boutique, 50/s": (boutique(50, 1), 2000.0, 10.0),
        "Online Boutique, 500/s, ten replicas": (boutique(500, 10), 200.0, 2.0),
        "the same with a timeout on each call": (with_timeouts(boutique(500, 10)), 200.0, 2.0),
        "Social Network": (declared("social_network", "mixed"), 500.0, 5.0),
        "the shop": (declared("shop", "evening"), 300.0, 5.0),
        "three tiers, 50 users": (three_tiers(), 10_000.0, 100.0),
        "10 services": (cells(10, 100), 1000.0, 10.0),
        "100 services": (cells(100, 1000), 100.0, 1.0),
        "1,000 services, 10,000/s": (cells(1000, 10_000), 60.0, 0.2),
    }
    compiled = {
        name: (compile_plan(plan, plan.scenarios[0]) if isinstance(plan, System) else plan, a, b)
        for name, (plan, a, b) in plans.items()
    }
    sizes = [pending(plan, 10 * seconds) for plan, seconds, _ in compiled.values()]
    print(
        "| system | journeys/s | reference | ratio | by hand | ratio | events/journey | ns/event "
        "| pending | floor, ns | ratio |\n|---|" + "---:|" * 10
    )
    for (name, (plan, long, short)), size, floor in zip(
        compiled.items(), sizes, floors(sizes), strict=True
    ):
        runners = {"fast": on_fast(plan, long), "reference": on_reference(plan, short)}
        if all(site.policy.breaker < 0 for site in plan.calls) and plan.streams[0].rate:
            runners["hand"] = by_hand(plan, short)
        rates = medians(runners, rounds=3)
        record = run(plan, seed=1, duration=long, warmup=0.0)
        events = record.events / journeys(record)
        cost = 1e9 / rates["fast"] / events
        hand = (
            f"{rates['hand']:,.0f} | {rates['fast'] / rates['hand']:.0f}"
            if "hand" in rates
            else " | "
        )
        print(
            f"| {name} | {rates['fast']:,.0f} | {rates['reference']:,.0f} | "
            f"{rates['fast'] / rates['reference']:.0f} | {hand} | {events:.1f} | {cost:.0f} | "
            f"{size} | {floor:.0f} | {cost / floor:.1f} |",
            flush=True,
        )


def print_queue() -> None:
    """M/M/4: customers a second of every simulator that is there."""
    plan = queue()
    runners = {
        "archcheck, fast": on_fast(plan, 300_000.0),
        "archcheck, simpy": on_reference(plan, 5_000.0),
        "SimPy by hand": by_hand(plan, 20_000.0),
    }
    if importlib.util.find_spec("ciw"):
        runners["Ciw"] = lambda: ciw_queue(5_000.0)
    if importlib.util.find_spec("salabim"):
        runners["salabim"] = lambda: salabim_queue(5_000.0)
    if importlib.util.find_spec("cimba"):
        import cimba_queue

        cimba_queue.simulate(10.0)  # compiles
        runners["cimba"] = lambda: cimba_queue.simulate(300_000.0)
    print("\n| M/M/4 | customers/s | fast is |\n|---|---:|---:|")
    rates = medians(runners)
    for name, rate in rates.items():
        print(f"| {name} | {rate:,.0f} | {rates['archcheck, fast'] / rate:.1f} |")


def print_load_and_cores() -> None:
    """Cost against load, and what two cores gain beside two processes that share nothing."""
    print("\n| Online Boutique, ten replicas | journeys/s | ns/event |\n|---|---:|---:|")
    for rate in (50, 200, 500, 800):
        plan = boutique(rate, 10)
        seconds = 100_000.0 / rate
        speed = medians({"fast": on_fast(plan, seconds)}, rounds=3)["fast"]
        record = run(plan, seed=1, duration=seconds, warmup=0.0)
        print(f"| {rate}/s | {speed:,.0f} | {1e9 * journeys(record) / speed / record.events:.0f} |")
    replicator = Replicator(boutique(50, 1), "fast", 1, 1000.0, 0.0)
    alone, spread, control = [], [], []
    for _ in range(ROUNDS):
        alone.append(_seconds(lambda: replicator.records(range(8))))
        both = dataclasses.replace(replicator, jobs=2)
        spread.append(_seconds(lambda both=both: both.records(range(8))))
        control.append(_seconds(lambda: _apart(replicator)))
    gain = statistics.median(alone) / statistics.median(spread)
    apart = statistics.median(alone) / statistics.median(control)
    print(
        f"\neight replications on two cores: {gain:.2f} times as fast as on one; two processes "
        f"that share nothing: {apart:.2f}; ratio {gain / apart:.2f}"
    )


def _apart(replicator: Replicator) -> None:
    """The same work in two processes that were started before and know nothing of each other."""
    workers = [
        Process(target=replicator.records, args=(numbers,)) for numbers in (range(4), range(4, 8))
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    parts = {"systems": print_systems, "queue": print_queue, "cores": print_load_and_cores}
    for part in sys.argv[1:] or parts:
        parts[part]()
