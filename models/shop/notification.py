"""Mails: Micronaut, fed by events only."""

from archcheck import Consumer, Micronaut, Service, Work
from archcheck.units import minutes, ms

from .platform import LOGS, MESH, METRICS, TRACING, kubernetes, pipeline

notifications = Service(
    "notifications",
    boundary="notification",
    owner="team-orders",
    tier=3,
    runtime=Micronaut("4.7", parallelism=2, accept_queue=100),
    deployment=kubernetes("notifications", "1.3.0", replicas=(2, 4)),
    mesh=MESH,
    metrics=METRICS,
    logs=LOGS,
    tracing=TRACING,
    pipeline=pipeline(),
    consumers=[
        Consumer(
            topic,
            name=f"on_{topic}",
            idempotent=True,
            concurrency=8,
            max_deliveries=3,
            freshness=1 * minutes,
            steps=[Work(5 * ms)],
        )
        for topic in ("placed", "paid")
    ],
)
