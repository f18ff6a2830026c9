"""Models that a type checker accepts."""

from typing import assert_type

from archcheck import Absent, Call, Endpoint, Grpc, MySQL, Retry, Service, SpringBoot, System, Work
from archcheck.units import Duration, KiB, Rate, ms, percent, s

ledger = MySQL("ledger", shards=4, max_connections=400, read=1 * ms)
payments = Service(
    "payments",
    runtime=SpringBoot("3.4", threads=200),
    endpoints=[
        Endpoint(
            "Charge",
            Grpc("payments.v1.Payments"),
            request_size=4 * KiB,
            error_rate=0.1 * percent,
            steps=[
                Work(4 * ms),
                Call("bank.authorise", timeout=800 * ms, retry=Retry(attempts=2, backoff=10 * ms)),
                Call("audit.log", timeout=Absent("the mesh enforces one")),
            ],
        )
    ],
)
shop = System("shop", [ledger, payments])

assert_type(250 * ms, Duration)
assert_type(500 / s, Rate)
assert_type((1 * s) / (250 * ms), float)
assert_type(payments.name, str)
