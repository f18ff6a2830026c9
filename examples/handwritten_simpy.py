"""The same system twice: as a model, and as the SimPy script that one would write by hand.

A shop's checkout: three services in a row, replicas behind round robin, threads that are held
while they wait, a pool of connections to a database with two shards, timeouts and retries with
jittered backoff. ``simulate_by_hand`` is plain SimPy: a generator process for each request,
``simpy.Resource`` for threads and connections, ``AnyOf`` for timeouts. Both must agree on
latency, throughput and utilisation; ``benchmarks/reference_engine.py`` compares their speed.
"""

from __future__ import annotations

import random
import statistics
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import simpy

from archcheck import (
    Absent,
    Call,
    CustomRuntime,
    Docker,
    Endpoint,
    Journey,
    Load,
    MySQL,
    Network,
    Poisson,
    Pool,
    Read,
    Retry,
    Scenario,
    Service,
    System,
    Work,
    Write,
)
from archcheck.units import Duration, ms, s

RATE = 120.0
DELAY = 0.000_25
TIMEOUT = 0.25
ATTEMPTS = 3
BACKOFF = 0.02


def _service(name: str, replicas: int, threads: int, *steps: Any, pools: Any = ()) -> Service:
    runtime = CustomRuntime(
        concurrency="blocking", threads=threads, accept_queue=Absent("unbounded")
    )
    return Service(
        name,
        runtime=runtime,
        deployment=Docker(replicas=replicas),
        endpoints=[Endpoint("run", steps=list(steps))],
        pools=list(pools),
    )


def _call(target: str) -> Call:
    retry = Retry(attempts=ATTEMPTS, backoff=BACKOFF * s, jitter=True, on=["timeout", "failed"])
    return Call(target, timeout=TIMEOUT * s, retry=retry, balancing="round_robin")


system = System(
    "checkout",
    [
        _service("edge", 2, 40, Work(2 * ms), _call("checkout.run"), Work(1 * ms)),
        _service("checkout", 3, 16, Work(4 * ms), _call("payments.run"), _call("stock.run")),
        _service("payments", 2, 8, Work(6 * ms), Write("ledger"), pools=[Pool("ledger", 4)]),
        _service("stock", 2, 8, Work(3 * ms), Read("ledger"), pools=[Pool("ledger", 4)]),
        MySQL("ledger", shards=2, read=4 * ms, write=8 * ms, parallelism=4, max_connections=400),
    ],
    journeys=[Journey("checkout", "edge.run")],
    scenarios=[Scenario("busy", load=[Load("checkout", Poisson(RATE / s))])],
    network=Network(delay=DELAY * s),
)


# -- by hand --------------------------------------------------------------------------------------

Process = Generator[Any, Any, Any]


class Station(simpy.Resource):
    """A resource that integrates its users and its queue over time (SimPy's monitoring guide)."""

    def __init__(self, env: simpy.Environment, capacity: int) -> None:
        super().__init__(env, capacity)
        self.busy = 0.0
        self.waiting = 0.0
        self.since = 0.0

    def tick(self) -> None:
        span = self._env.now - self.since
        self.busy += self.count * span
        self.waiting += len(self.queue) * span
        self.since = self._env.now

    def request(self, *args: Any, **kwargs: Any) -> Any:
        self.tick()
        return super().request(*args, **kwargs)

    def release(self, *args: Any, **kwargs: Any) -> Any:
        self.tick()
        return super().release(*args, **kwargs)


class Replicas:
    """The replicas of a service, each with its thread pool; latencies of its requests."""

    def __init__(self, env: simpy.Environment, count: int, threads: int) -> None:
        self.nodes = [Station(env, threads) for _ in range(count)]
        self.count = count
        self.threads = threads
        self.latencies: list[float] = []

    def utilisation(self, seconds: float) -> float:
        return sum(node.busy for node in self.nodes) / seconds / self.count / self.threads

    def waiting(self, seconds: float) -> float:
        return sum(node.waiting for node in self.nodes) / seconds


class ByHand:
    """The checkout system in SimPy's own terms."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.env = simpy.Environment()
        self.services = {
            "edge": Replicas(self.env, 2, 40),
            "checkout": Replicas(self.env, 3, 16),
            "payments": Replicas(self.env, 2, 8),
            "stock": Replicas(self.env, 2, 8),
        }
        self.shards = Replicas(self.env, 2, 4)
        self.pools = {
            (name, node): Station(self.env, 4)
            for name in ("payments", "stock")
            for node in range(2)
        }
        self.turns: Counter[tuple[str, str]] = Counter()
        self.steps = {
            "edge": self.edge,
            "checkout": self.checkout,
            "payments": self.payments,
            "stock": self.stock,
        }
        self.latencies: list[float] = []

    def work(self, mean: float) -> simpy.Timeout:
        return self.env.timeout(self.random.expovariate(1 / mean))

    def users(self) -> Process:
        while True:
            yield self.env.timeout(self.random.expovariate(RATE))
            self.env.process(self.user())

    def user(self) -> Process:
        start = self.env.now
        yield self.env.process(self.serve("edge", self.next_node("users", "edge")))
        self.latencies.append(self.env.now - start)

    def next_node(self, caller: str, name: str) -> int:
        """Round robin, counted by each replica of the caller for itself."""
        self.turns[caller, name] += 1
        return self.turns[caller, name] % self.services[name].count

    def serve(self, name: str, node: int) -> Process:
        start = self.env.now
        service = self.services[name]
        with service.nodes[node].request() as thread:
            yield thread
            done = yield self.env.process(self.steps[name](node))
        service.latencies.append(self.env.now - start)
        return done

    def call(self, caller: str, name: str) -> Process:
        """Attempts with a timeout; a late callee goes on working for nobody."""
        for attempt in range(ATTEMPTS):
            answer = self.env.process(self.travel(name, self.next_node(caller, name)))
            timeout = self.env.timeout(TIMEOUT)
            yield answer | timeout
            if answer.triggered and answer.value:
                return True
            if attempt + 1 < ATTEMPTS:
                yield self.env.timeout(self.random.random() * BACKOFF * 2**attempt)
        return False

    def travel(self, name: str, node: int) -> Process:
        yield self.env.timeout(DELAY)
        done = yield self.env.process(self.serve(name, node))
        yield self.env.timeout(DELAY)
        return done

    def edge(self, node: int) -> Process:
        yield self.work(0.002)
        done = yield self.env.process(self.call(f"edge{node}", "checkout"))
        if done:
            yield self.work(0.001)
        return done

    def checkout(self, node: int) -> Process:
        yield self.work(0.004)
        done = yield self.env.process(self.call(f"checkout{node}", "payments"))
        if done:
            done = yield self.env.process(self.call(f"checkout{node}", "stock"))
        return done

    def payments(self, node: int) -> Process:
        yield self.work(0.006)
        yield self.env.process(self.query("payments", node, 0.008))
        return True

    def stock(self, node: int) -> Process:
        yield self.work(0.003)
        yield self.env.process(self.query("stock", node, 0.004))
        return True

    def query(self, name: str, node: int, mean: float) -> Process:
        with self.pools[name, node].request() as connection:
            yield connection
            yield self.env.timeout(DELAY)
            start = self.env.now
            with self.shards.nodes[self.random.randrange(2)].request() as worker:
                yield worker
                yield self.work(mean)
            self.shards.latencies.append(self.env.now - start)
            yield self.env.timeout(DELAY)


@dataclass(frozen=True)
class Measured:
    """What both ways must agree on; latency in seconds."""

    mean: float
    p95: float
    throughput: float
    ledger: float
    payments_waiting: float


def simulate_by_hand(seconds: float, seed: int) -> Measured:
    """The script's numbers."""
    script = ByHand(seed)
    script.env.process(script.users())
    script.env.run(until=seconds)
    return Measured(
        statistics.fmean(script.latencies),
        statistics.quantiles(script.latencies, n=20)[18],
        len(script.latencies) / seconds,
        script.shards.utilisation(seconds),
        script.services["payments"].waiting(seconds),
    )


def simulate_model(seconds: float, seed: int) -> Measured:
    """archcheck's numbers."""
    from archcheck.simulation import simulate

    length = Duration(seconds)
    result = simulate(
        system, system.scenarios[0], duration=length, warmup=0 * s, seed=seed, engine="simpy"
    )
    journey = result.journey("checkout")
    return Measured(
        journey.latency.mean,
        journey.latency.p95,
        journey.throughput,
        result.resource("ledger").utilisation,
        result.resource("payments").waiting,
    )


if __name__ == "__main__":
    for title, way in (("by hand", simulate_by_hand), ("archcheck", simulate_model)):
        runs = [way(60.0, seed) for seed in range(1, 6)]
        shown = Measured(
            *(
                statistics.fmean(getattr(run, name) for run in runs)
                for name in ("mean", "p95", "throughput", "ledger", "payments_waiting")
            )
        )
        print(
            f"{title}: mean {shown.mean * 1000:.1f} ms, p95 {shown.p95 * 1000:.0f} ms, "
            f"{shown.throughput:.0f}/s, ledger {shown.ledger:.1%} busy, "
            f"{shown.payments_waiting:.2f} waiting for payments"
        )
