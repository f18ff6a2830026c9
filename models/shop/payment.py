"""Money: Spring Boot, a ledger in MySQL, and the bank outside."""

from archcheck import (
    Absent,
    Backup,
    Call,
    CircuitBreaker,
    Client,
    Endpoint,
    External,
    Fallback,
    Growth,
    Grpc,
    Http1,
    Lognormal,
    MySQL,
    Outbox,
    Pool,
    Publish,
    RateLimit,
    Service,
    ShardKey,
    SpringBoot,
    Work,
    Write,
)
from archcheck.units import GB, KiB, hours, minutes, ms, percent, s

from .ordering import events
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

paid = events("paid", "contracts/paid.v1.avsc", "payments", 12)

ledger = MySQL(
    "ledger",
    belongs_to="payments",
    version="8.4",
    shards=4,
    shard_key=ShardKey(
        name="account_id",
        cardinality=3_000_000,
        immutable=True,
        monotonic=False,
        in_queries=100 * percent,
        skew=0.1,
    ),
    sharding="hash",
    copies=3,
    replication="sync",
    failover="automatic",
    zones=ZONES,
    consistency="strong",
    max_connections=400,
    parallelism=16,
    read=1 * ms,
    write=2 * ms,
    data=["personal", "payment"],
    entities=["payment"],
    encrypted_at_rest=True,
    backup=Backup(
        every=1 * hours,
        log_shipping=True,
        recovery_point=1 * minutes,
        recovery_time=15 * minutes,
        restored_on="2026-10-31",
    ),
    deployment=CLOUD,
    growth=Growth(size=600 * GB, per_month=25 * GB),
)

bank = External(
    "bank",
    owner="team-money",
    protocol=Http1("POST", "/authorisations", format="json", encrypted=True, keep_alive=True),
    latency=Lognormal(120 * ms, 400 * ms),
    error_rate=0.1 * percent,
    availability=99.95 * percent,
    rate_limit=RateLimit(500 / s),
    clearance=["payment"],
)

payments = Service(
    "payments",
    boundary="payment",
    owner="team-money",
    tier=1,
    runtime=SpringBoot(
        "4.1", threads=200, accept_queue=50, libraries=["resilience4j"], deadline_propagation=True
    ),
    deployment=kubernetes("payments", "1.8.2", replicas=(3, 9), rollout=CAREFUL),
    mesh=MESH,
    metrics=METRICS,
    logs=LOGS,
    tracing=TRACING,
    pipeline=pipeline("orders"),
    clients=[
        Client(
            bank,
            timeout=700 * ms,
            breaker=CircuitBreaker(failure_rate=50 * percent, slow_call=500 * ms),
            authenticated=True,
            discovery="dns",
            reuses_connections=True,
        )
    ],
    pools=[Pool(ledger, 30, max_wait=50 * ms)],
    entities=["payment"],
    clearance=["personal", "payment"],
    endpoints=[
        Endpoint(
            "Charge",
            Grpc("payments.v1.Payments", contract="contracts/payments.proto", encrypted=True),
            idempotent=True,
            request_size=2 * KiB,
            response_size=1 * KiB,
            slo=objective(600 * ms, "charge", availability=99.98 * percent),
            atomicity=Outbox(relay="Debezium"),
            steps=[
                Work(4 * ms),
                Call(
                    bank,
                    retry=Absent("the static answer is booked later"),
                    fallback=Fallback("static"),
                    result_used=True,
                    data=["payment"],
                ),
                Write(ledger, timeout=80 * ms, request_size=2 * KiB),
                Publish(paid, outbox=True, acks="all"),
            ],
        )
    ],
)
