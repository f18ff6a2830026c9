"""Systems, loads and faults with everything that the engines know, from a source of randomness.

``random.Random(seed)`` gives a system in a millisecond; Hypothesis' ``randoms()`` one that can be
shrunk. A third of the systems has only round times, so that many events are simultaneous.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any, Literal, TypeVar

from archcheck import (
    Autoscale,
    Bulkhead,
    Burst,
    Cached,
    Call,
    Choice,
    CircuitBreaker,
    Closed,
    Constant,
    Consumer,
    CustomRuntime,
    CutLink,
    Deterministic,
    Diurnal,
    Empirical,
    Endpoint,
    Errors,
    External,
    Fallback,
    Fault,
    FlushCache,
    Gamma,
    Grpc,
    Hedge,
    Http1,
    Journey,
    Kafka,
    KeySpace,
    Kill,
    Kubernetes,
    Load,
    LoadShedding,
    LocalCache,
    Lognormal,
    Mesh,
    Mix,
    Mmpp,
    Move,
    MySQL,
    Named,
    Network,
    NodeJs,
    Parallel,
    Pareto,
    Poisson,
    Pool,
    Probe,
    Publish,
    Queue,
    Ramp,
    RateLimit,
    RateStep,
    Read,
    Recorded,
    Redis,
    Release,
    Repeat,
    Resources,
    Retry,
    RetryBudget,
    Scenario,
    ScenarioError,
    Schedule,
    Service,
    Session,
    ShardKey,
    Slow,
    SpringBoot,
    Step,
    Stepped,
    System,
    Topic,
    Uniform,
    Wait,
    Weibull,
    WithProbability,
    Work,
    Write,
    ZoneLoss,
)
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.plan import Plan
from archcheck.units import MB, B, cores, ms, percent, s

END = 0.6
"""Seconds in which loads change and faults happen."""

T = TypeVar("T")
TIMES = (1, 2, 5, 10)


class Generator:
    """Draws one system with a scenario."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.is_round = self.chance(0.3)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def pick(self, values: Sequence[T]) -> T:
        return values[self.random.randrange(len(values))]

    def maybe(self, make: Callable[[], T], probability: float = 0.3) -> T | None:
        return make() if self.chance(probability) else None

    # -- times ----------------------------------------------------------------------------------

    def time(self) -> Any:
        """How long work takes."""
        mean = self.pick(TIMES)
        if self.is_round:
            return Constant(mean * ms)
        return self.pick(
            (
                mean * ms,
                Constant(mean * ms),
                Uniform(0 * ms, mean * ms),
                Lognormal(mean * ms, p99=5 * mean * ms),
                Gamma(mean * ms, shape=self.pick((0.5, 1.0, 3.0))),
                Weibull(mean * ms, shape=self.pick((0.7, 2.0))),
                Pareto(mean * 0.5 * ms, alpha=2.5),
                Empirical([1 * ms, mean * ms, 3 * mean * ms]),
            )
        )

    def timeout(self) -> Any:
        return self.pick((None, 3 * ms, 10 * ms, 40 * ms))

    # -- policies -------------------------------------------------------------------------------

    def retry(self) -> Retry:
        return Retry(
            attempts=self.pick((2, 3)),
            backoff=self.pick((None, 2 * ms, 5 * ms)),
            jitter=self.pick((None, True, False)),
            max_backoff=self.pick((None, 6 * ms)),
            on=self.pick((("timeout", "rejected", "failed"), ("timeout", "broken"))),
            budget=self.maybe(lambda: RetryBudget(10 * percent, minimum=self.pick((1, 20)) / s)),
        )

    def breaker(self) -> CircuitBreaker:
        return CircuitBreaker(
            failure_rate=self.pick((20, 50)) * percent,
            window=self.pick((5, 20, 2 * s)),
            minimum_calls=5,
            open_for=self.pick((None, 50 * ms)),
            half_open_calls=self.pick((1, 3)),
            slow_call=self.pick((None, 5 * ms)),
            slow_call_rate=50 * percent,
        )

    def limit(self) -> RateLimit:
        return RateLimit(
            rate=self.pick((20, 100)) / s,
            burst=self.pick((None, 1, 10)),
            per=self.pick(("replica", "service", "client")),
        )

    def mesh(self) -> Mesh:
        return Mesh(
            "istio",
            timeout=self.timeout(),
            retry=self.maybe(self.retry, 0.5),
            per_try_timeout=self.timeout(),
            outlier_detection=self.pick((None, True)),
        )

    def fallback(self) -> Fallback:
        return self.pick(
            (Fallback("static"), Fallback("cache", target="cache"), Fallback("call", target="bank"))
        )

    def asked(self) -> dict[str, Any]:
        """What every remote step can declare."""
        return {
            "timeout": self.timeout(),
            "retry": self.maybe(self.retry),
            "optional": self.chance(0.2),
            "fallback": self.maybe(self.fallback, 0.2),
            "breaker": self.maybe(self.breaker, 0.2),
            "bulkhead": self.maybe(
                lambda: Bulkhead(self.pick((1, 3)), max_wait=self.pick((None, 0 * ms, 4 * ms))), 0.2
            ),
        }

    # -- steps ----------------------------------------------------------------------------------

    def step(self, callees: Sequence[str], depth: int = 0) -> Step:
        kind = self.random.randrange(12 if depth < 2 else 7)
        if kind < 2 or (kind < 4 and not callees):
            if self.chance(0.2):
                return Wait(self.time())
            return Work(self.time(), blocking=self.chance(0.2))
        if kind < 4:
            return Call(
                self.pick(callees),
                hedge=self.maybe(lambda: Hedge(2 * ms, max_attempts=self.pick((2, 3))), 0.15),
                rate_limit=self.maybe(self.limit, 0.15),
                balancing=self.pick(
                    (None, "round_robin", "random", "least_outstanding", "power_of_two")
                ),
                propagates_deadline=self.pick((None, True, False)),
                request_size=self.maybe(lambda: 1000 * B),
                **self.asked(),
            )
        if kind == 4:
            return Read("db", time=self.maybe(self.time), stale=self.chance(0.3), **self.asked())
        if kind == 5:
            return Write("db", **self.asked())
        if kind == 6:
            return Publish(self.pick(("events", "keyed", "work")))
        return self.grouped(kind, callees, depth)

    def grouped(self, kind: int, callees: Sequence[str], depth: int) -> Step:
        inner = [self.step(callees, depth + 1) for _ in range(self.pick((1, 1, 2)))]
        if kind == 7:
            return Parallel([*inner, self.step(callees, depth + 1)])
        if kind == 8:
            return WithProbability(self.pick((0, 30, 100)) * percent, inner)
        if kind == 9:
            return Repeat(self.pick((1, 2, 3)), inner)
        if kind == 10:
            return Cached("cache", inner, hit_ratio=self.pick((None, 50 * percent)))
        keys = KeySpace(self.pick((1, 5, 50)), skew=self.pick((0.0, 0.8, 1.0)))
        return Cached(self.pick(("cache", "local")), inner, keys=keys)

    # -- elements -------------------------------------------------------------------------------

    def stores(self) -> list[Named]:
        delivery: Literal["at_most_once"] | None = self.pick((None, "at_most_once"))
        return [
            MySQL(
                "db",
                read=self.time(),
                write=self.time(),
                max_connections=self.pick((1, 3, 50)),
                parallelism=self.pick((None, 1, 2)),
                shards=self.pick((None, 3)),
                shard_key=self.maybe(
                    lambda: ShardKey(name="id", cardinality=20, skew=self.pick((None, 1.0)))
                ),
                copies=self.pick((None, 3)),
            ),
            Redis(
                "cache",
                read=self.pick((Constant(1 * ms), 0.2 * ms)),
                ttl=self.pick((None, 20 * ms)),
                jitter=self.chance(0.5),
                max_entries=self.pick((None, 3)),
                coalesced=self.chance(0.5),
            ),
            LocalCache("local", ttl=30 * ms, coalesced=self.chance(0.5)),
            External(
                "bank",
                endpoints=[Endpoint("pay", rate_limit=self.maybe(self.limit))],
                latency=self.time(),
                error_rate=self.pick((None, 10 * percent)),
            ),
            Kafka("kafka", nodes=3),
            Topic("events", broker="kafka", partitions=self.pick((1, 3))),
            Topic("keyed", broker="kafka", partitions=3, key="id", delivery=delivery),
            Queue("work", broker="kafka", visibility_timeout=self.pick((None, 2 * ms, 10 * ms))),
            Queue("dead", broker="kafka"),
        ]

    def consumers(self) -> list[Consumer]:
        failing = [Work(self.time()), Read("db", timeout=self.pick((None, 2 * ms)))]
        return [
            Consumer(
                topic,
                name=f"on_{topic}",
                steps=self.pick(([Work(self.time())], failing)),
                concurrency=self.pick((None, 1, 2)),
                max_deliveries=self.pick((None, 1, 3)),
                dead_letter=dead,
            )
            for topic, dead in (("events", "work"), ("keyed", None), ("work", "dead"))
            if self.chance(0.7)
        ]

    def runtime(self) -> Any:
        return self.pick(
            (
                None,
                SpringBoot(threads=self.pick((1, 3)), accept_queue=self.pick((0, 4))),
                NodeJs(accept_queue=50),
                CustomRuntime(
                    concurrency=self.pick(("blocking", "event_loop", "lightweight")),
                    threads=self.pick((1, 4)),
                    parallelism=self.pick((1, 2)),
                    scheduling=self.pick((None, "fifo", "processor_sharing")),
                    accept_queue=self.pick((None, 2)),
                    deadline_propagation=self.pick((None, True)),
                    drops_late_requests=self.pick((None, True, False)),
                    stops_late_work=self.pick((None, None, False, True)),
                ),
            )
        )

    def deployment(self) -> Any:
        scaled = Autoscale(
            min=1,
            max=4,
            target_cpu=50 * percent,
            start_up=30 * ms,
            stabilisation=self.pick((None, 40 * ms)),
        )
        return self.pick(
            (
                None,
                Kubernetes(
                    image="shop/x:1.0",
                    replicas=self.pick((1, 2, 3)),
                    zones=self.pick(((), ("a", "b"))),
                    readiness=self.maybe(lambda: Probe("tcp", period=20 * ms, failure_threshold=1)),
                    grace=self.pick((None, 5 * ms)),
                    resources=self.resources(),
                ),
                Kubernetes(image="shop/x:1.0", autoscale=scaled, resources=self.resources()),
            )
        )

    def resources(self) -> Any:
        """A limit that throttles, so that runs of a few seconds know it."""
        limits = (0.05, 0.3, 1.5)
        return self.maybe(lambda: Resources(cpu_limit=self.pick(limits) * cores), 0.4)

    def service(self, name: str, callees: Sequence[str]) -> Service:
        return Service(
            name,
            runtime=self.runtime(),
            deployment=self.deployment(),
            endpoints=[
                Endpoint(
                    "run",
                    self.pick((None, Grpc(coding_rate=200 * MB / s), Http1("GET", "/x"))),
                    steps=[self.step(callees) for _ in range(self.pick((0, 1, 2, 3)))],
                    error_rate=self.pick((None, None, 5 * percent)),
                    rate_limit=self.maybe(self.limit, 0.2),
                )
            ],
            consumers=self.consumers() if name == "svc0" else [],
            pools=[Pool("db", self.pick((1, 4)), max_wait=self.pick((None, 3 * ms)))]
            if self.chance(0.5)
            else [],
            mesh=self.maybe(self.mesh, 0.3),
            shedding=self.maybe(
                lambda: LoadShedding(
                    max_utilisation=80 * percent, priorities=self.pick(([], ["gold", "bronze"]))
                ),
                0.3,
            ),
        )

    # -- load and faults ------------------------------------------------------------------------

    def arrivals(self) -> Any:
        rate = self.pick((20, 80, 200))
        if self.is_round:
            return self.pick(
                (Deterministic(100 / s), Recorded(times=[k // 3 * 10 * ms for k in range(60)]))
            )
        return self.pick(
            (
                Poisson(rate / s),
                Deterministic(rate / s),
                Ramp(10 / s, rate / s, over=END * s),
                Stepped([RateStep(10 / s, 0.2 * s), RateStep(rate / s, 1 * s)]),
                Diurnal(low=5 / s, high=rate / s, period=END * s),
                Mmpp(20 / s, rate / s, calm_lasts=100 * ms, busy_lasts=50 * ms),
                Closed(self.pick((1, 5, 12)), think=self.time()),
            )
        )

    def load(self) -> Any:
        kind, clients = self.random.randrange(6), self.pick((None, None, 1, 3))
        if kind == 0:
            return Mix([Choice("go", 7), Choice("pay", 3)], self.arrivals(), clients=clients)
        if kind == 1:
            moves = [
                Move(after="go", to=[Choice("go", 3), Choice("pay", 4)], leave=3),
                Move(to=[Choice("go", 1)], leave=4),
            ]
            pause = self.time()
            return Session("go", self.arrivals(), moves=moves, pause=pause, clients=clients)
        return Load("go", self.arrivals(), clients=clients)

    def fault(self, names: Sequence[str]) -> Any:
        start = self.pick((0.0, 0.1, 0.2)) if self.is_round else END * self.random.random()
        start = 0.0 if self.chance(0.1) else start
        window = {"start": start * s, "end": (start + self.pick((0.05, 0.1, 0.3))) * s}
        name = self.pick(names)
        return self.pick(
            (
                lambda: Slow(name, factor=5.0, **window),
                lambda: Errors(name, rate=40 * percent, **window),
                lambda: Kill(name, **window),
                lambda: ZoneLoss("a", **window),
                lambda: CutLink(name, self.pick((*names, "db", "bank")), **window),
                lambda: FlushCache("cache", **window),
                lambda: Burst(3.0, **window),
                lambda: Release(name, start_up=20 * ms, start=window["start"]),
            )
        )()

    def system(self) -> System:
        names = [f"svc{index}" for index in range(self.pick((1, 2, 3, 4)))]
        callees = ["bank.pay"]
        services = []
        for name in names:
            services.append(self.service(name, callees))
            callees.append(f"{name}.run")
        journeys = [
            Journey(
                "go",
                callees[-1],
                timeout=self.pick((None, 50 * ms)),
                priority=self.pick((None, "gold", "bronze")),
            ),
            Journey("pay", entries=["bank.pay", "svc0.run"], priority="bronze"),
        ]
        faults = [self.fault(names) for _ in range(self.pick((0, 0, 1, 3)))]
        jobs: list[Named] = (
            [Schedule("job", calls="svc0.run", every=100 * ms)] if self.chance(0.1) else []
        )
        return System(
            "generated",
            [*self.stores(), *services, *jobs],
            journeys=journeys,
            scenarios=[Scenario("load", load=[self.load()], faults=faults, drain=self.chance(0.3))],
            network=self.pick(
                (
                    None,
                    Network(delay=0.2 * ms, zone_delay=1 * ms, entry=0.3 * ms),
                    Network(delay=0 * ms),
                )
            ),
        )


def system_from(random: Random) -> System:
    """A system with one scenario."""
    return Generator(random).system()


def plan_from(random: Random) -> Plan:
    """The plan of a system, without the faults that have nothing to happen to."""
    system = system_from(random)
    scenario = system.scenarios[0]
    try:
        return compile_plan(system, scenario)
    except ScenarioError:
        faults = [fault for fault in scenario.faults if _has_effect(system, scenario, fault)]
        return compile_plan(system, replace(scenario, faults=faults))


def _has_effect(system: System, scenario: Scenario, fault: Fault) -> bool:
    try:
        compile_plan(system, replace(scenario, faults=[fault]))
    except ScenarioError:
        return False
    return True
