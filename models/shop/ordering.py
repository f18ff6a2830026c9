"""Orders: Spring Boot on servlets, a sharded MySQL, events through an outbox."""

from archcheck import (
    Absent,
    Backup,
    Bulkhead,
    Call,
    CircuitBreaker,
    Consumer,
    Contract,
    Endpoint,
    Growth,
    Grpc,
    Http2,
    Kafka,
    MySQL,
    Outbox,
    Parallel,
    Pool,
    Publish,
    Read,
    Retry,
    RetryBudget,
    Saga,
    SagaStep,
    Schedule,
    Service,
    ShardKey,
    SpringBoot,
    Topic,
    Work,
    Write,
)
from archcheck.units import GB, KiB, days, hours, minutes, ms, percent, s

from .platform import (
    CAREFUL,
    CLOUD,
    LOGS,
    MESH,
    METRICS,
    TRACING,
    ZONES,
    kubernetes,
    objective,
    pipeline,
)

kafka = Kafka(
    "kafka",
    owner="team-platform",
    version="3.9",
    nodes=3,
    zones=ZONES,
    encrypted=True,
    delivery="at_least_once",
    deployment=CLOUD,
)


def events(name: str, path: str, belongs_to: str, partitions: int) -> Topic:
    """A topic with a schema, three copies and a dead-letter topic of its own."""
    return Topic(
        name,
        broker="kafka",
        belongs_to=belongs_to,
        format="avro",
        contract=Contract(path, compatibility="backward_transitive"),
        message_size=2 * KiB,
        partitions=partitions,
        copies=3,
        min_in_sync=2,
        key="order_id",
        retention=7 * days,
        replayed=False,
        dead_letter="dead-letters",
        lag_metric="kafka_consumergroup_lag",
        carries_correlation_id=True,
    )


placed = events("placed", "contracts/placed.v2.avsc", "orders", 12)
dead_letters = Topic(
    "dead-letters",
    broker="kafka",
    owner="team-platform",
    message_size=2 * KiB,
    partitions=3,
    dead_letter=Absent("the end of the line"),
    lag_metric="kafka_consumergroup_lag",
)

orders_db = MySQL(
    "orders-db",
    belongs_to="orders",
    version="8.4",
    shards=4,
    shard_key=ShardKey(
        name="customer_id",
        cardinality=4_000_000,
        immutable=True,
        monotonic=False,
        in_queries=95 * percent,
        skew=0.2,
    ),
    sharding="hash",
    copies=3,
    replication="semi_sync",
    failover="automatic",
    zones=ZONES,
    consistency="strong",
    max_connections=650,
    reserved_connections=10,
    parallelism=16,
    read=1 * ms,
    write=2 * ms,
    max_rate=4000 / s,
    data=["personal"],
    entities=["order"],
    encrypted_at_rest=True,
    backup=Backup(
        every=1 * hours,
        log_shipping=True,
        recovery_point=5 * minutes,
        recovery_time=30 * minutes,
        restored_on="2026-09-30",
    ),
    deployment=CLOUD,
    growth=Growth(size=900 * GB, per_month=40 * GB, traffic_per_month=4 * percent),
)

orders = Service(
    "orders",
    boundary="ordering",
    owner="team-orders",
    tier=1,
    runtime=SpringBoot(
        "4.1",
        threads=200,
        accept_queue=100,
        libraries=["resilience4j"],
        deadline_propagation=True,
        graceful_stop=40 * s,
    ),
    deployment=kubernetes("orders", "5.2.0", rollout=CAREFUL),
    mesh=MESH,
    metrics=METRICS,
    logs=LOGS,
    tracing=TRACING,
    pipeline=pipeline("edge", "notifications"),
    pools=[Pool("orders-db", 40, max_wait=50 * ms)],
    entities=["order"],
    clearance=["personal"],
    endpoints=[
        Endpoint(
            "place",
            Http2(
                "POST",
                "/orders",
                contract="contracts/orders.v5.yaml",
                format="json",
                encrypted=True,
            ),
            slo=objective(700 * ms, "place_order", availability=99.95 * percent),
            request_size=8 * KiB,
            response_size=2 * KiB,
            idempotent=True,
            atomicity=Saga(
                [
                    SagaStep("stock.Reserve", compensation="stock.Release", guarded=True),
                    SagaStep("payments.Charge", pivot=True),
                    SagaStep("orders.confirm", retriable=True),
                ],
                coordinator="orders",
            ),
            steps=[
                Work(3 * ms),
                Parallel(
                    [
                        Call(
                            "stock.Reserve",
                            timeout=150 * ms,
                            retry=Absent("the saga goes back instead"),
                            breaker=CircuitBreaker(failure_rate=50 * percent),
                            balancing="round_robin",
                            balanced_by="mesh",
                            bulkhead=Bulkhead(60),
                            result_used=True,
                            idempotency_key=True,
                        ),
                        Read("orders-db", timeout=50 * ms, request_size=1 * KiB),
                    ]
                ),
                Call(
                    "payments.Charge",
                    timeout=900 * ms,
                    retry=Absent("the saga asks again"),
                    breaker=CircuitBreaker(failure_rate=50 * percent, open_for=30 * s),
                    balancing="round_robin",
                    balanced_by="mesh",
                    bulkhead=Bulkhead(120),
                    result_used=True,
                    independent=False,
                    idempotency_key=True,
                    propagates_deadline=True,
                ),
                Write(
                    "orders-db",
                    timeout=80 * ms,
                    request_size=4 * KiB,
                    retry=Retry(
                        attempts=2,
                        backoff=20 * ms,
                        jitter=True,
                        on=["timeout"],
                        idempotency_key=True,
                        budget=RetryBudget(10 * percent),
                    ),
                ),
                Publish(placed, outbox=True, acks="all", key="order_id"),
            ],
        ),
        Endpoint(
            "confirm",
            Http2(
                "PUT",
                "/orders/{id}/confirmation",
                contract="contracts/orders.v5.yaml",
                format="json",
                encrypted=True,
            ),
            idempotent=True,
            request_size=1 * KiB,
            steps=[Work(1 * ms), Write("orders-db", timeout=80 * ms, request_size=1 * KiB)],
        ),
        Endpoint(
            "expire",
            Grpc("orders.v1.Orders", contract="contracts/orders.proto", encrypted=True),
            idempotent=True,
            atomicity=Outbox(relay="Debezium"),
            steps=[Work(20 * ms), Write("orders-db", timeout=500 * ms, request_size=64 * KiB)],
        ),
    ],
    consumers=[
        Consumer(
            "paid",
            name="on_paid",
            idempotent=True,
            concurrency=4,
            max_deliveries=5,
            freshness=30 * s,
            steps=[Work(1 * ms), Write("orders-db", timeout=80 * ms, request_size=1 * KiB)],
        )
    ],
)

nightly = Schedule("nightly", calls="orders.expire", every=24 * hours)
