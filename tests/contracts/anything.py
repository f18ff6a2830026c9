"""Systems drawn from the whole vocabulary that claims are about, with values at their limits.

Capacities are large, since proofs of deadlines and retries take it that nobody waits for a thread;
whatever else a proof or a run may look at is drawn, the extreme among it: zero where it is legal,
one replica, a second or a microsecond, all or nothing of a share.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from archcheck import (
    Absent,
    Autoscale,
    Between,
    BlueGreen,
    Bulkhead,
    Cached,
    Call,
    Canary,
    Cassandra,
    ChangeCapture,
    Choice,
    CircuitBreaker,
    Client,
    Closed,
    CockroachDB,
    Constant,
    Consumer,
    CustomRuntime,
    Deterministic,
    Diurnal,
    Docker,
    Empirical,
    Endpoint,
    Envoy,
    Exponential,
    External,
    Fallback,
    Feature,
    Flag,
    Gamma,
    Gateway,
    Go,
    Grpc,
    Hedge,
    Http1,
    JavaGrpc,
    Journey,
    Kafka,
    KeySpace,
    Kubernetes,
    Load,
    LoadShedding,
    LocalCache,
    Lognormal,
    Managed,
    Memcached,
    Mesh,
    Mix,
    Mmpp,
    MongoDB,
    Move,
    MySQL,
    Named,
    Nats,
    Network,
    Outbox,
    Parallel,
    Pareto,
    Person,
    Poisson,
    Pool,
    PostgreSQL,
    Probe,
    Publish,
    Queue,
    Quorum,
    RabbitMQ,
    Ramp,
    RateBetween,
    RateLimit,
    RateStep,
    Read,
    Recorded,
    Redis,
    Repeat,
    Resources,
    Retry,
    RetryBudget,
    RollingUpdate,
    Saga,
    SagaStep,
    Scenario,
    Schedule,
    Series,
    Service,
    Session,
    ShardKey,
    ShareBetween,
    Slo,
    Sqs,
    Step,
    Stepped,
    System,
    Topic,
    TwoPhaseCommit,
    Uniform,
    VirtualMachines,
    Wait,
    Weibull,
    WithProbability,
    Work,
    Write,
)
from archcheck.units import GB, MB, B, cores, ms, percent, s, us

MANY = 10_000
ZONES = ("z1", "z2", "z3")
LAYERS = (80 * ms, 600 * ms, 4 * s, 25 * s)
"""Timeouts that nest, whatever is tried again."""
NO = Absent("no")


class Anything:
    """Draws one system; services call those that were made before them.

    Half of the systems are ``calm``: while nothing is wrong, nothing fails, so that what fails
    under a fault fails because of it.
    """

    def __init__(self, random: Random, *, is_busy: bool = False) -> None:
        self.random = random
        self.is_busy = is_busy
        """Whether capacities are small and work takes long: for claims of loads."""
        self.is_calm = random.random() < 0.5
        self.is_loud = not self.is_calm and random.random() < 0.2
        """Some times have no bound: proofs of deadlines take their 99th percentile."""
        self.layer = 0
        """Of how many services before it the one that is made may ask one."""
        self.has_budgets = random.random() < 0.3
        self.has_breakers = random.random() < 0.5

    def pick(self, *values: Any) -> Any:
        return values[self.random.randrange(len(values))]

    def maybe(self, value: Any, share: float = 0.3) -> Any:
        """A value, or else nothing that is declared."""
        return value() if self.random.random() < share else None

    def time(self, *more: Any) -> Any:
        if self.is_busy:
            return self.pick(Constant(5 * ms), Uniform(0 * ms, 20 * ms), 10 * ms)
        plain = (Constant(1 * ms), Constant(3 * ms), Uniform(1 * ms, 3 * ms), Constant(0 * ms))
        if not self.is_loud:
            return self.pick(*plain, Empirical([0 * ms, 2 * ms]), *more)
        tails = (
            1 * ms,
            Exponential(1 * ms),
            Lognormal(1 * ms, p99=9 * ms),
            Gamma(1 * ms, shape=0.5),
            Weibull(1 * ms, shape=0.7),
            Pareto(1 * ms, alpha=2.5),
        )
        return self.pick(*plain, *tails, *more)

    def share_of_errors(self, *shares: int) -> Any:
        some = () if self.is_calm else tuple(share * percent for share in shares)
        return self.pick(None, None, 0 * percent, *some)

    # -- what protects a call -------------------------------------------------------------------

    def timeout(self) -> Any:
        if self.is_calm:
            return self.pick(*[LAYERS[self.layer]] * 5, NO)
        return self.pick(None, 8 * ms, 20 * ms, 50 * ms, 50 * ms, 1 * us, 3600 * s)

    def retry(self) -> Retry:
        on = [("timeout", "rejected", "failed"), ("timeout",), ("failed", "broken"), ("broken",)]
        return Retry(
            attempts=self.pick(1, 2, 2, 3),
            backoff=self.pick(None, 0 * ms, 5 * ms, 20 * ms),
            factor=self.pick(1.0, 2.0, 4.0),
            jitter=self.pick(None, True, False),
            max_backoff=self.pick(None, 0 * ms, 6 * ms),
            on=self.pick(*on),
            budget=self.maybe(self.budget, 0.5) if self.has_budgets else None,
            idempotency_key=self.pick(None, True),
        )

    def budget(self) -> RetryBudget:
        return RetryBudget(self.pick(0, 20, 100) * percent, minimum=self.pick(None, 1 / s))

    def breaker(self) -> CircuitBreaker:
        slow = None if self.is_calm else self.pick(None, 5 * ms)  # which calls take anyway
        return CircuitBreaker(
            failure_rate=self.pick(1, 50, 100) * percent,
            window=self.pick(1, 5, 100, 1 * s, 10 * s),
            minimum_calls=self.pick(1, 5, 100),
            open_for=self.pick(None, 0.1 * s, 1 * s),
            half_open_calls=self.pick(1, 10),
            slow_call=slow,
            slow_call_rate=slow and self.pick(50, 100) * percent,
        )

    def bulkhead(self) -> Bulkhead:
        most = MANY if self.is_calm else self.pick(1, MANY)
        return Bulkhead(most, max_wait=self.pick(None, 0 * ms, 5 * ms))

    def limit(self) -> RateLimit:
        return RateLimit(
            self.pick(1, 20, 1000) / s if not self.is_calm else MANY / s,
            burst=self.pick(None, 1, 100) if not self.is_calm else None,
            per=self.pick("replica", "service", "client"),
        )

    def hedge(self) -> Hedge:
        return Hedge(self.pick(0, 3, 8, 20) * ms, max_attempts=self.pick(2, 3))

    def mesh(self) -> Mesh:
        own = None if self.is_calm else self.pick(10 * ms, 60 * ms)
        return Mesh(
            self.pick("istio", "linkerd"),
            timeout=self.pick(None, own),
            retry=self.pick(None, self.retry()),
            per_try_timeout=None if self.is_calm else self.pick(None, 7 * ms, 25 * ms),
            outlier_detection=self.pick(None, True, False),
        )

    def fallback(self, callees: Sequence[str]) -> Any:
        kinds = [None, None, NO, Fallback("static"), Fallback("omit")]
        kinds += [Fallback("cache", target="cache")]
        if callees:
            kinds += [Fallback("call", target=self.pick(*callees))] * 2
        return self.pick(*kinds)

    def guards(self, callees: Sequence[str]) -> dict[str, Any]:
        return {
            "timeout": self.timeout(),
            "retry": self.pick(None, NO, self.retry(), self.retry()),
            "optional": self.random.random() < 0.3,
            "fallback": self.fallback(callees),
            "breaker": self.maybe(self.breaker, 0.3) if self.has_breakers else None,
            "bulkhead": self.maybe(self.bulkhead, 0.2),
            "blocking": self.pick(None, None, True, False),
            "request_size": self.pick(None, None, 0 * B, 100_000 * B),
            "response_size": self.pick(None, None, 200_000 * B),
            "independent": self.pick(None, True),
            "result_used": self.pick(None, False),
        }

    def of_client(self) -> dict[str, Any]:
        return {
            "hedge": self.maybe(self.hedge, 0.2),
            "rate_limit": self.maybe(self.limit, 0.1),
            "balancing": self.pick(
                None, NO, "round_robin", "random", "least_outstanding", "power_of_two"
            ),
            "balanced_by": self.pick(None, "client", "mesh", "proxy", "connection"),
            "connect_timeout": self.pick(None, None, 2 * ms),
            "reuses_connections": self.pick(None, True, False),
            "propagates_deadline": self.pick(None, None, False, True),
        }

    def client(self, target: str | None) -> Client:
        return Client(
            target,
            timeout=self.timeout(),
            retry=self.pick(None, NO, self.retry()),
            breaker=self.maybe(self.breaker) if self.has_breakers else None,
            bulkhead=self.maybe(self.bulkhead, 0.15),
            blocking=self.pick(None, True, False),
            **self.of_client(),
        )

    # -- steps ----------------------------------------------------------------------------------

    def step(self, callees: Sequence[str], depth: int = 0) -> Step:
        kind = self.random.randrange(14)
        if kind < 2 or not callees:
            return self.pick(Work(self.time(), blocking=self.pick(True, False)), Wait(self.time()))
        if kind < 6:
            return Call(self.pick(*callees), **self.of_client(), **self.guards(callees))
        if kind < 9:
            return self.query(callees)
        if kind == 9:
            return self.publish()
        return self.group(callees, depth) if depth < 2 else Wait(self.time())

    def query(self, callees: Sequence[str]) -> Step:
        time = self.pick(None, None, self.time())
        if self.random.random() < 0.5:
            stale = self.pick(None, True, False)
            return Read("db", time=time, stale=stale, **self.guards(callees))
        return Write("db", time=time, **self.guards(callees))

    def publish(self) -> Publish:
        guards = self.guards(())
        guards.pop("response_size")
        return Publish(
            self.pick("events", "jobs"),
            acks=self.pick(None, "all", "leader", "none"),
            key=self.pick(None, "id"),
            outbox=self.pick(None, True),
            **guards,
        )

    def group(self, callees: Sequence[str], depth: int) -> Step:
        inner = [self.step(callees, depth + 1) for _ in range(self.pick(1, 2))]
        return self.pick(
            Parallel([*inner, Series([Wait(self.time())])]),
            Repeat(self.pick(1, 2, 3), inner, per_item=self.pick(True, False)),
            Feature(self.pick("new", "old"), inner, off=self.pick(True, False)),
            WithProbability(self.pick(0, 50, 100) * percent, inner),
            self.cached(inner),
        )

    def cached(self, inner: list[Step]) -> Cached:
        ratio = self.pick(None, 0 * percent, 50 * percent, 100 * percent)
        keys = (
            None if ratio is not None else self.maybe(lambda: KeySpace(self.pick(1, 9), skew=1.0))
        )
        return Cached(
            self.pick("cache", "local"),
            inner,
            hit_ratio=ratio,
            keys=keys,
            timeout=self.pick(None, 2 * ms, 50 * ms, NO),
            ttl=self.pick(None, 10 * ms, NO),
            hot_keys=self.pick(None, True),
        )

    # -- stores, messages, others ----------------------------------------------------------------

    def store(self) -> Named:
        kind = self.pick(MySQL, PostgreSQL, MongoDB, Cassandra, CockroachDB)
        copies = self.pick(None, 1, 2, 3, 5)
        quorum = self.maybe(lambda: Quorum(copies=copies or 3, read=1, write=copies or 3), 0.15)
        return kind(  # type: ignore[no-any-return]  # one of several kinds
            "db",
            version=self.pick(None, "8.0"),
            read=self.time(),
            write=self.time(),
            max_connections=MANY * 10,
            parallelism=self.pick(1, 4) if self.is_busy else self.pick(None, MANY),
            reserved_connections=self.pick(None, 3),
            max_rate=self.pick(None, 1000 / s),
            shards=self.pick(None, 1, 3),
            shard_key=self.pick(None, ShardKey(name="id", cardinality=20, skew=1.0)),
            copies=copies if quorum is None else quorum.copies,
            quorum=quorum,
            zones=self.pick((), ZONES, ZONES[:2], ZONES[:1]),
            failover=self.pick(None, "automatic", "manual", "none"),
            replication=self.pick(None, "async", "sync", "consensus"),
            consistency=self.pick(None, "strong", "eventual"),
            readiness=self.pick(None, Probe("tcp")),
            deployment=self.maybe(self.deployment),
        )

    def caches(self) -> list[Named]:
        common = {
            "ttl": self.pick(None, NO, 20 * ms, 10 * s),
            "jitter": self.pick(None, True, False),
            "max_entries": self.pick(None, 1, 100),
            "coalesced": self.pick(None, True, False),
            "invalidation": self.pick(None, "ttl", "event"),
        }
        shared = {"read": self.time(), "parallelism": MANY, "max_connections": MANY * 10}
        redis = Redis("cache", role=self.pick("cache", "store"), eviction="lfu", **common, **shared)
        return [
            self.pick(redis, Memcached("cache", **common, **shared)),
            LocalCache("local", read=self.pick(None, Constant(1 * ms)), **common),
        ]

    def party(self) -> External:
        endpoint = Endpoint(
            "pay",
            protocol=self.protocol(),
            rate_limit=self.maybe(self.limit, 0.2),
            error_rate=self.share_of_errors(30),
            request_size=self.pick(None, 1000 * B),
            response_size=self.pick(None, 1000 * B),
        )
        return External(
            "bank",
            endpoints=[endpoint],
            latency=self.pick(None, self.time()),
            rate_limit=self.maybe(self.limit, 0.2),
            error_rate=self.share_of_errors(10, 100),
            availability=self.pick(None, 99 * percent),
        )

    def messages(self) -> list[Named]:
        broker = self.pick(Kafka, RabbitMQ, Nats, Sqs)
        place = self.maybe(self.deployment)
        common: dict[str, Any] = {
            "broker": "broker",
            "delivery": self.pick(None, "at_least_once", "at_most_once"),
            "dead_letter": self.pick(None, NO, "dead"),
            "max_length": self.pick(None, NO, 1, 1000),
            "message_size": self.pick(None, 1000 * B),
            "retention": self.pick(None, 1 * s),
            "partitions": self.pick(None, 1, 3),
        }
        topic = Topic(
            "events",
            key=self.pick(None, "id"),
            copies=self.pick(None, 1, 3),
            min_in_sync=self.pick(None, 1, 2),
            **common,
        )
        hidden = self.pick(None, 5 * ms, 1 * s)
        priority = self.pick(None, True)
        return [
            broker(
                "broker",
                nodes=self.pick(None, 1, 3),
                zones=self.pick((), ZONES),
                delivery=self.pick(None, "at_least_once", "at_most_once"),
                retention=self.pick(None, 10 * s),
                deployment=place,
            ),
            topic,
            Queue("jobs", visibility_timeout=hidden, priority=priority, **common),
            Queue("dead", broker="broker"),
        ]

    def flags(self) -> list[Named]:
        link = self.pick({}, {"requires": ["new"]}, {"excludes": ["new"]})
        return [Flag("new", on=self.pick(None, True, False)), Flag("old", **link)]

    # -- services -------------------------------------------------------------------------------

    def protocol(self) -> Any:
        coding = self.pick(None, 100 * MB / s)
        return self.pick(
            None,
            Grpc(coding_rate=coding, streaming=self.pick("no", "server")),
            Http1(
                self.pick("GET", "POST"),
                "/x",
                coding_rate=coding,
                keep_alive=self.pick(None, False),
            ),
        )

    def runtime(self) -> Any:
        roomy: dict[str, Any] = {
            "connection_pool": MANY,
            "deadline_propagation": self.pick(None, True, False),
            "drops_late_requests": self.pick(None, True, False),
            "stops_late_work": self.pick(None, None, True, False),
            "graceful_stop": self.pick(None, NO, 1 * s),
            "accept_queue": self.pick(None, 0, NO),
            "version": self.pick(None, "1.0"),
        }
        cores_ = {"parallelism": self.pick(1, 4) if self.is_busy else MANY}
        blocking = {"threads": self.pick(2, 20) if self.is_busy else MANY}
        return self.pick(
            CustomRuntime(concurrency="lightweight", **cores_, **roomy),
            CustomRuntime(concurrency="event_loop", scheduling="fifo", **cores_, **roomy),
            CustomRuntime(concurrency="blocking", **blocking, **cores_, **roomy),
            CustomRuntime(concurrency="blocking", **blocking, **roomy),
            Go(**cores_, **roomy),
            JavaGrpc(**blocking, **roomy),
        )

    def probe(self) -> Probe:
        return Probe(
            self.pick("http", "tcp"),
            period=self.pick(None, 0.1 * s, 1 * s),
            failure_threshold=self.pick(None, 1, 3),
            initial_delay=self.pick(None, 1 * s),
            timeout=self.pick(None, 1 * s),
            touches=self.pick((), (), ("db",)),
        )

    def resources(self) -> Resources:
        limit = self.pick(None, NO, MANY * cores)
        return Resources(cpu=1 * cores, cpu_limit=limit, memory_limit=1 * GB)

    def shedding(self) -> Any:
        above = self.pick(None, 100 * percent)
        return self.pick(
            None,
            NO,
            LoadShedding(max_utilisation=above, priorities=self.pick((), ("gold", "bronze"))),
        )

    def deployment(self) -> Any:
        probe = self.pick(None, NO, self.probe(), self.probe())
        common: dict[str, Any] = {
            "zones": self.pick((), ZONES, ZONES[:2], ZONES[:1]),
            "readiness": probe,
            "liveness": self.pick(None, self.probe()),
            "startup": self.pick(None, self.probe()),
            "grace": self.pick(None, 0 * s, 1 * s),
            "deregistration": self.pick(None, 1 * s),
            "availability": self.pick(None, 99 * percent, 100 * percent),
            "resources": self.pick(None, self.resources()),
            "rollout": self.pick(
                None,
                RollingUpdate(max_surge=1, max_unavailable=0),
                RollingUpdate(max_surge=50 * percent, max_unavailable=50 * percent),
                BlueGreen(abort_on="errors"),
                Canary(steps=[5 * percent], abort_on="errors"),
            ),
        }
        if self.random.random() < 0.15:
            scale = Autoscale(
                min=self.pick(1, 2),
                max=4,
                target_cpu=self.pick(None, 50 * percent),
                target_metric=self.pick(None, "lag"),
                start_up=self.pick(None, 0 * s, 1 * s),
                stabilisation=self.pick(None, 1 * s),
            )
            return Kubernetes(autoscale=scale, **common)
        if self.is_calm and self.random.random() < 0.7:  # so that something survives
            common |= {"zones": ZONES, "readiness": self.probe()}
            return Kubernetes(replicas=self.pick(2, 3), **common)
        replicas = self.pick(1, 1, 2, 3)
        kind = self.pick("Deployment", "StatefulSet")
        spread = self.pick(None, NO, "topology_spread")
        return self.pick(
            Kubernetes(replicas=replicas, kind=kind, spread=spread, **common),
            Docker(replicas=replicas, **common),
            Managed(replicas=replicas, **common),
            VirtualMachines(replicas=replicas, **common),
        )

    def service(self, name: str, callees: Sequence[str]) -> Service:
        kind = self.pick(Service, Service, Gateway)
        runtime = self.pick(Envoy(parallelism=MANY), self.runtime())
        endpoint = Endpoint(
            "go",
            protocol=self.protocol(),
            steps=[self.step(callees) for _ in range(self.pick(0, 1, 2, 3))],
            error_rate=self.share_of_errors(10),
            rate_limit=self.maybe(self.limit, 0.1),
            request_size=self.pick(None, None, 100_000 * B),
            response_size=self.pick(None, None, 100_000 * B),
            atomicity=self.pick(None, None, Outbox(), TwoPhaseCommit(), ChangeCapture()),
            idempotent=self.pick(None, True, False),
        )
        pool = Pool("db", MANY, max_wait=self.pick(None, 1 * ms), processes=self.pick(1, 2))
        clients = self.pick([], [self.client(None)], [self.client(None), self.client("db")])
        return kind(  # type: ignore[no-any-return]  # one of two kinds
            name,
            runtime=runtime if kind is Gateway else self.runtime(),
            deployment=self.deployment(),
            endpoints=[endpoint],
            clients=clients,
            pools=self.pick([], [pool]),
            mesh=self.pick(None, None, NO, self.mesh()),
            shedding=self.shedding(),
            consumers=self.consumers(callees) if name == "s1" else [],
        )

    def consumers(self, callees: Sequence[str]) -> list[Consumer]:
        return [
            Consumer(
                channel,
                name=f"on_{channel}",
                steps=[self.step(callees) for _ in range(self.pick(1, 2))],
                concurrency=self.pick(None, 1, 100),
                max_deliveries=self.pick(None, 1, 2, 3),
                dead_letter=self.pick(None, NO, "dead"),
                batch=self.pick(None, 10),
                idempotent=self.pick(None, True),
                group=self.pick(None, "readers") if channel == "events" else None,
            )
            for channel in self.pick((), ("events",), ("jobs",), ("events", "jobs"))
        ]

    def saga(self) -> Service:
        steps = [
            SagaStep(
                action="s0.go",
                compensation=self.pick(None, "bank.pay"),
                guarded=self.pick(None, True),
            ),
            SagaStep(action="bank.pay", pivot=True),
            SagaStep(action="s1.go", retriable=self.pick(None, True)),
        ]
        saga = Saga(steps=steps, coordinator=self.pick(None, "sagas"))
        endpoint = Endpoint("order", steps=[Work(Constant(1 * ms))], atomicity=saga)
        return Service("sagas", runtime=self.runtime(), endpoints=[endpoint])

    def slo(self) -> Slo:
        bound = self.pick(1 * us, 50 * ms, 3600 * s)
        which = self.pick("p50", "p90", "p95", "p99", "p999")
        return Slo(availability=self.pick(None, 99 * percent), **{which: bound})

    def arrivals(self) -> Any:
        rate = self.pick(1, 20, 50)
        return self.pick(
            Poisson(rate / s),
            Deterministic(rate / s),
            Ramp(1 / s, rate / s, over=2 * s),
            Stepped([RateStep(rate / s, 1 * s), RateStep(0 / s, 1 * s)]),
            Diurnal(low=0 / s, high=rate / s, period=2 * s),
            Mmpp(1 / s, rate / s, calm_lasts=1 * s, busy_lasts=0.1 * s),
            Recorded(times=[0 * s, 0 * s, 1 * s]),
            Closed(self.pick(1, 9), think=self.pick(0 * s, 0.1 * s)),
        )

    def load(self) -> Any:
        clients, both = self.pick(None, 1, 3), [Choice("use", 9), Choice("both", 1)]
        moves = [Move(after="use", to=both, leave=self.pick(0.5, 9.0))]
        return self.pick(
            Load("use", self.arrivals(), weight=self.pick(1.0, 0.5), clients=clients),
            Load("use", self.arrivals(), weight=1.0, clients=clients),
            Mix(both, self.arrivals(), name="mixed", clients=clients),
            Session(
                "use", self.arrivals(), moves=moves, pause=0.1 * s, name="people", clients=clients
            ),
        )

    def scenarios(self) -> list[Scenario]:
        """The first is steady; the second may be anything."""
        steady = Load("use", Deterministic(self.pick(1, 20, 50) / s))
        ranges = self.pick([], [RateBetween("use", 1 / s, 60 / s)])
        shares = [ShareBetween("both", 0 * percent, 20 * percent)]
        mixed = Mix([Choice("use", 9), Choice("both", 1)], Poisson(20 / s))
        return [
            Scenario(
                "steady", load=[steady], uncertain=ranges, duration=self.pick(None, 0.4 * s, 60 * s)
            ),
            Scenario("any", load=[self.load()]),
            Scenario("shares", load=[mixed], uncertain=shares),
        ]

    def system(self) -> System:
        callees = ["bank.pay"]
        services = []
        for number in range(self.pick(2, 3, 4)):
            self.layer = number
            services.append(self.service(f"s{number}", callees))
            callees.append(f"s{number}.go")
        last = callees[-1]
        patience = 1000 * s if self.is_calm else self.pick(None, NO, 30 * ms, 90 * ms, 3600 * s)
        journeys = [
            Journey("use", last, timeout=patience, critical=True, priority=self.pick(None, "gold")),
            Journey("both", entries=["s0.go", last], slo=self.slo()),
        ]
        every = self.pick(None, 0.5 * s)
        jobs = [Schedule("job", calls="s0.go", every=every)] if self.random.random() < 0.2 else []
        sagas = [self.saga()] if self.random.random() < 0.2 else []
        between = Between("db", "read", 0 * ms, 10 * ms)
        elements: list[Named] = [
            self.store(),
            *self.caches(),
            self.party(),
            *self.messages(),
            *self.flags(),
            *services,
            *jobs,
            *sagas,
            Person("customer", uses=[last]),
        ]
        return System(
            "anything",
            elements,
            journeys=journeys,
            scenarios=self.scenarios(),
            network=self.pick(
                None,
                Network(delay=0 * ms),
                Network(delay=2 * ms, zone_delay=5 * ms, bandwidth=10 * MB / s, entry=3 * ms),
            ),
            uncertain=self.pick([], [between]),
        )
