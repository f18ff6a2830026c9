"""Realistic systems of any size, the same for the same size and seed.

Shape, after the call graphs of Alibaba's traces (Luo et al., Characterizing Microservice
Dependency and Performance, SoCC 2021): calls go down through 3 to 8 levels, who is called follows
a power law, so that a few hubs are shared by many, and most services have few callees. About four
calls a service, a datastore for every second one, caches, topics with consumers, journeys at the
top, and a load. Most attributes are declared, as in a model that somebody looks after.
"""

from __future__ import annotations

import itertools
import random
import sys
from pathlib import Path

from archcheck import (
    Absent,
    Autoscale,
    Call,
    CircuitBreaker,
    Consumer,
    Datastore,
    Endpoint,
    Gateway,
    GoKit,
    Grpc,
    Http2,
    Journey,
    Kafka,
    Kubernetes,
    Load,
    Logs,
    Metrics,
    Micronaut,
    MySQL,
    Named,
    Parallel,
    Poisson,
    Pool,
    PostgreSQL,
    Probe,
    Prometheus,
    Publish,
    Read,
    Redis,
    Resources,
    Retry,
    Rizhiyi,
    Scenario,
    Service,
    Slo,
    SpringBoot,
    Step,
    System,
    Topic,
    Work,
    Write,
)
from archcheck.model import to_json
from archcheck.units import MiB, ms, percent, s

CALLS_PER_SERVICE = 4
ZONES = ("a", "b", "c")


def generate(services: int, seed: int = 1) -> System:
    """A system of so many services."""
    return _Generator(services, seed).system()


class _Generator:
    def __init__(self, services: int, seed: int) -> None:
        self._count = services
        self._random = random.Random(seed)
        self._depth = min(8, max(3, services.bit_length() - 3))
        self._levels = self._spread()
        self._stores: list[Named] = []
        self._topics: list[str] = []

    def _spread(self) -> list[list[int]]:
        """Service numbers by level: few gateways on top, then wider, hubs at the bottom."""
        gateways = max(1, self._count // 100)
        levels: list[list[int]] = [list(range(gateways))]
        rest = list(range(gateways, self._count))
        size = len(rest) // (self._depth - 1) + 1
        levels += [rest[start : start + size] for start in range(0, len(rest), size)]
        return levels

    def system(self) -> System:
        """All of it."""
        level_of = {n: depth for depth, level in enumerate(self._levels) for n in level}
        calls = self._calls(level_of)
        services = [self._service(n, level_of[n], calls) for n in range(self._count)]
        journeys = [
            Journey(
                f"journey-{n}",
                entries=[f"s{n}.do{part}" for part in range(self._parts(calls[n]))],
                public=True,
                critical=n % 3 == 0,
                slo=Slo(p99=2 * s, availability=99 * percent),
                timeout=5 * s,
            )
            for n in self._levels[0]
        ]
        load = [Load(journey, Poisson(5 / s)) for journey in journeys]
        topics = [
            Topic(name, broker="kafka", partitions=12, copies=3, min_in_sync=2)
            for name in self._topics
        ]
        platforms: list[Named] = [
            Kafka("kafka", nodes=3, zones=ZONES),
            Prometheus("prometheus"),
            Rizhiyi("rizhiyi"),
        ]
        return System(
            f"generated-{self._count}",
            [*services, *self._stores, *topics, *platforms],
            journeys=journeys,
            scenarios=[Scenario("peak", load=load)],
        )

    def _calls(self, level_of: dict[int, int]) -> dict[int, list[int]]:
        """Caller to callees on lower levels; popularity follows a power law."""
        found: dict[int, list[int]] = {n: [] for n in range(self._count)}
        for above, level in itertools.pairwise(self._levels):
            for number, callee in enumerate(level):  # everything is called by something
                found[above[number % len(above)]].append(callee)
        deepest = len(self._levels) - 1
        callers = [n for n in found if level_of[n] < deepest]
        below = {
            depth: [n for level in self._levels[depth + 1 :] for n in level]
            for depth in range(deepest)
        }
        weights = {
            depth: list(itertools.accumulate(1 / (rank + 1) for rank in range(len(members))))
            for depth, members in below.items()
        }
        for members in below.values():
            self._random.shuffle(members)
        for number in range(self._count * (CALLS_PER_SERVICE - 1)):
            caller = self._random.choice(callers)
            depth = level_of[caller]
            members = below[depth]
            # half of the calls go anywhere, half to what is popular
            (hub,) = self._random.choices(members, cum_weights=weights[depth])
            found[caller].append(hub if number % 2 else self._random.choice(members))
        return found

    def _parts(self, callees: list[int]) -> int:
        """Endpoints of a service: one for every four calls, four at most."""
        return min(4, 1 + len(callees) // 4)

    def _service(self, number: int, level: int, calls: dict[int, list[int]]) -> Service:
        callees = calls[number]
        kind = Gateway if level == 0 else Service
        name = f"s{number}"
        store = self._store(number) if number % 2 else None
        steps = [self._call(callee, level, self._parts(calls[callee])) for callee in callees]
        parts = self._parts(callees)
        endpoints = [
            self._endpoint(name, part, level, steps[part::parts], store if part == 0 else None)
            for part in range(parts)
        ]
        runtime = (
            SpringBoot("4.1", threads=200, libraries=["resilience4j"]),
            GoKit("0.13", parallelism=2, accept_queue=1000, libraries=["gobreaker"]),
            Micronaut("4.7", parallelism=2, accept_queue=500),
        )[number % 3]
        return kind(
            name,
            boundary=f"boundary-{number % max(1, self._count // 12)}",
            owner=f"team-{number % max(1, self._count // 20)}",
            runtime=runtime,
            deployment=self._deployment(name),
            endpoints=endpoints,
            consumers=self._consumers(number),
            pools=[Pool(store, 20)] if store else [],
            metrics=Metrics("prometheus"),
            logs=Logs("rizhiyi", structured=True, shipping="agent"),
        )

    def _endpoint(
        self, name: str, part: int, level: int, steps: list[Step], store: str | None
    ) -> Endpoint:
        protocol = (
            Http2("GET", "/", contract=f"{name}.v1.yaml", format="json", encrypted=True)
            if level == 0
            else Grpc(f"{name}.v1.Api", contract=f"{name}.proto", encrypted=True)
        )
        work: list[Step] = [Work(1 * ms)]
        if len(steps) > 2:
            work.append(Parallel(steps[:2]))
            steps = steps[2:]
        work += steps
        if store:
            work.append(Read(store, timeout=50 * ms))
            if self._random.random() < 0.5:
                work.append(Write(store, timeout=50 * ms))
        if self._random.random() < 0.05:
            topic = f"t{len(self._topics)}"
            self._topics.append(topic)
            work.append(Publish(topic, outbox=True))
        return Endpoint(
            f"do{part}",
            protocol,
            steps=work,
            public=level == 0,
            authentication="oauth2" if level == 0 else None,
            idempotent=True,
        )

    def _call(self, callee: int, level: int, endpoints: int) -> Step:
        timeout = (self._depth - level) * 300 * ms
        retry = (
            Retry(attempts=2, backoff=10 * ms, jitter=True)
            if self._random.random() < 0.05
            else Absent("the edge retries")
        )
        return Call(
            f"s{callee}.do{self._random.randrange(endpoints)}",
            timeout=timeout,
            retry=retry,
            breaker=CircuitBreaker(failure_rate=50 * percent),
            balancing="least_outstanding",
            balanced_by="mesh",
            discovery="mesh",
        )

    def _store(self, number: int) -> str:
        name = f"db{number}"
        kind: type[Datastore] = PostgreSQL if number % 4 == 1 else MySQL
        store = kind(
            name, belongs_to=f"s{number}", copies=3, read=1 * ms, write=2 * ms, zones=ZONES
        )
        self._stores.append(store)
        if number % 9 == 0:
            self._stores.append(Redis(f"cache{number}", belongs_to=f"s{number}", ttl=60 * s))
        return name

    def _consumers(self, number: int) -> list[Consumer]:
        if not self._topics or number % 10:
            return []
        topic = self._random.choice(self._topics)
        return [Consumer(topic, idempotent=True, concurrency=4, steps=[Work(1 * ms)])]

    def _deployment(self, name: str) -> Kubernetes:
        return Kubernetes(
            image=f"registry/{name}:1.0.0",
            zones=ZONES,
            autoscale=Autoscale(min=3, max=9, target_cpu=60 * percent, start_up=30 * s),
            resources=Resources(memory=256 * MiB, memory_limit=512 * MiB),
            readiness=Probe("http", "/ready"),
            liveness=Probe("http", "/live"),
        )


def main() -> None:
    """``python benchmarks/systems.py 1000 FILE`` writes a system as JSON."""
    size, path = int(sys.argv[1]), Path(sys.argv[2])
    path.write_text(to_json(generate(size)))


if __name__ == "__main__":
    main()
