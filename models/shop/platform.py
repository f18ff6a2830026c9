"""What every service of the shop has: zones, probes, telemetry, a pipeline."""

from archcheck import (
    Absent,
    Alert,
    Autoscale,
    Boundary,
    Canary,
    DisruptionBudget,
    Grafana,
    Jaeger,
    Kubernetes,
    Logs,
    Managed,
    Mesh,
    Metrics,
    OpenTelemetryCollector,
    Pipeline,
    Probe,
    Prometheus,
    Resources,
    Retry,
    Rizhiyi,
    RollingUpdate,
    Rollout,
    Secret,
    Slo,
    Team,
    Tracing,
)
from archcheck.units import Duration, Fraction, MiB, cores, days, percent, s

ZONES = ("zone-a", "zone-b", "zone-c")

teams = [
    Team("team-web", contact="#web"),
    Team("team-orders", contact="#orders"),
    Team("team-money", contact="#money"),
    Team("team-catalogue", contact="#catalogue"),
    Team("team-platform", contact="#platform"),
]
boundaries = [
    Boundary("edge", owner="team-web"),
    Boundary("ordering", owner="team-orders"),
    Boundary("payment", owner="team-money"),
    Boundary("catalogue", owner="team-catalogue"),
    Boundary("notification", owner="team-orders"),
]

prometheus = Prometheus(
    "prometheus", owner="team-platform", scrape_interval=15 * s, retention=30 * days
)
rizhiyi = Rizhiyi("rizhiyi", owner="team-platform", retention=90 * days)
collector = OpenTelemetryCollector(
    "otel-collector", owner="team-platform", forwards_to=["jaeger", "prometheus"]
)
jaeger = Jaeger("jaeger", owner="team-platform", retention=7 * days)
grafana = Grafana("grafana", owner="team-platform", reads=["prometheus", "jaeger"])

MESH = Mesh(
    "istio",
    retry=Retry(attempts=1),  # the code retries; Istio would by default, too
    mutual_tls=True,
    outlier_detection=False,
    tracing=True,
)
METRICS = Metrics(
    "prometheus", path="/metrics", indicators=["rate", "errors", "duration", "saturation"]
)
LOGS = Logs("rizhiyi", structured=True, correlation_id=True, shipping="agent", retention=90 * days)
TRACING = Tracing("otel-collector", propagation="w3c", sampling="tail", export="async")


CLOUD = Managed("the cloud provider", availability=99.99 * percent)
"""Datastores and the broker run there, on volumes of the provider."""


def kubernetes(
    name: str,
    version: str,
    *,
    replicas: tuple[int, int] = (3, 12),
    start_up: Duration = 40 * s,
    rollout: Rollout | None = None,
) -> Kubernetes:
    """A deployment over three zones that scales between two numbers of replicas."""
    fewest, most = replicas
    return Kubernetes(
        image=f"registry.shop.example/{name}:{version}",
        zones=ZONES,
        spread="topology_spread",
        resources=Resources(
            cpu=1 * cores,
            memory=512 * MiB,
            memory_limit=768 * MiB,
            cpu_limit=Absent("throttling hurts latency"),
        ),
        autoscale=Autoscale(
            min=fewest, max=most, target_cpu=60 * percent, start_up=start_up, stabilisation=300 * s
        ),
        readiness=Probe("http", "/ready", period=5 * s, failure_threshold=2),
        liveness=Probe("http", "/live", initial_delay=30 * s),
        startup=Probe("http", "/live", period=2 * s, failure_threshold=30),
        rollout=rollout or RollingUpdate(max_surge=1, max_unavailable=0),
        grace=45 * s,
        deregistration=5 * s,
        disruption_budget=DisruptionBudget(max_unavailable=1),
        secrets=[Secret(f"{name}-credentials", store="vault")],
        environment=["staging", "production"],
        availability=99.9 * percent,
    )


CAREFUL = Canary(steps=[5 * percent, 25 * percent, 100 * percent], abort_on="error budget burns")


def pipeline(*consumers: str) -> Pipeline:
    """Build, test, check the consumers' contracts, scan, deploy, and be able to go back."""
    return Pipeline(
        "GitLab CI",
        stages=["build", "lint", "test", "contract_test", "scan", "deploy", "rollback"],
        contract_tests=consumers,
        rollback_tested_on="2026-10-20",
    )


def objective(p99: Duration, name: str, availability: Fraction = 99.9 * percent) -> Slo:
    """Latency and availability, with an alert on the error budget.

    What others rest on promises more than they do.
    """
    return Slo(
        p95=p99 * 0.6,
        p99=p99,
        availability=availability,
        window=30 * days,
        indicator=f"{name}_duration_seconds",
        alert=Alert(f"{name} burns its error budget", runbook=f"runbooks/{name}.md"),
    )
