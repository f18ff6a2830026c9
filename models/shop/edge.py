"""The way in: a gateway for browsers and apps."""

from archcheck import (
    Absent,
    Bulkhead,
    Call,
    CircuitBreaker,
    Endpoint,
    Fallback,
    Gateway,
    Http2,
    LoadShedding,
    Micronaut,
    Person,
    RateLimit,
    Retry,
    Work,
)
from archcheck.units import Duration, KiB, ms, percent, s

from .platform import CAREFUL, LOGS, MESH, METRICS, TRACING, kubernetes, objective, pipeline

shopper = Person("shopper", description="Somebody with a browser or the app.")


def breaker(slow_call: Duration) -> CircuitBreaker:
    """Opens when half of the last 200 calls failed; calls above a time count as slow."""
    return CircuitBreaker(
        failure_rate=50 * percent,
        window=200,
        minimum_calls=50,
        open_for=20 * s,
        slow_call=slow_call,
    )


def page(method: str, path: str) -> Http2:
    """JSON over HTTP/2 with TLS, described by the gateway's OpenAPI file."""
    return Http2(
        method,
        path,
        contract="contracts/edge.v3.yaml",
        format="json",
        encrypted=True,
        max_message=1024 * KiB,
    )


edge = Gateway(
    "edge",
    boundary="edge",
    owner="team-web",
    tier=1,
    runtime=Micronaut("4.7", parallelism=2, accept_queue=500, deadline_propagation=True),
    deployment=kubernetes("edge", "3.14.1", rollout=CAREFUL),
    mesh=MESH,
    metrics=METRICS,
    logs=LOGS,
    tracing=TRACING,
    pipeline=pipeline(),
    shedding=LoadShedding(max_utilisation=85 * percent, priorities=["checkout", "browse"]),
    endpoints=[
        Endpoint(
            "checkout",
            page("POST", "/v3/orders"),
            public=True,
            authentication="oauth2",
            rate_limit=RateLimit(1000 / s, burst=2000),
            request_size=8 * KiB,
            response_size=4 * KiB,
            slo=objective(800 * ms, "checkout", availability=99.92 * percent),
            steps=[
                Work(0.4 * ms),
                Call(
                    "orders.place",
                    timeout=880 * ms,
                    breaker=breaker(slow_call=700 * ms),
                    retry=Absent("an order is never placed twice"),
                    balancing="least_outstanding",
                    balanced_by="mesh",
                    discovery="mesh",
                    blocking=False,
                    result_used=True,
                    propagates_deadline=True,
                    authenticated=True,
                ),
            ],
        ),
        Endpoint(
            "browse",
            page("GET", "/v3/products/{id}"),
            public=True,
            authentication="anonymous",
            idempotent=True,
            rate_limit=RateLimit(5000 / s, burst=10_000),
            request_size=1 * KiB,
            response_size=30 * KiB,
            slo=objective(300 * ms, "browse", availability=99.92 * percent),
            steps=[
                Work(0.3 * ms),
                Call(
                    "catalogue.Get",
                    timeout=180 * ms,
                    breaker=breaker(slow_call=140 * ms),
                    retry=Retry(attempts=2, backoff=20 * ms, max_backoff=100 * ms, jitter=True),
                    bulkhead=Bulkhead(400),
                    fallback=Fallback("cache"),
                    balancing="least_outstanding",
                    balanced_by="mesh",
                    discovery="mesh",
                    blocking=False,
                    result_used=True,
                    propagates_deadline=True,
                ),
            ],
        ),
    ],
)
