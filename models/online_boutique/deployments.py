"""What all deployments of the release have in common."""

from collections.abc import Sequence

from archcheck import (
    Absent,
    Endpoint,
    Grpc,
    Kubernetes,
    Probe,
    Resources,
    Runtime,
    Service,
)
from archcheck.units import Cpu, Duration, MiB, Size, millicores, s

REPOSITORY = "us-central1-docker.pkg.dev/online-boutique-ci/microservices-demo"
PROTO = "protos/demo.proto"
NOT_IN_MANIFESTS = Absent("the manifests of the release have none")

SMALL = Resources(
    cpu=100 * millicores, cpu_limit=200 * millicores, memory=64 * MiB, memory_limit=128 * MiB
)


def resources(cpu: int, cpu_limit: int, memory: Size, memory_limit: Size) -> Resources:
    """Requests and limits, CPU in millicores."""
    request, limit = Cpu(cpu / 1000), Cpu(cpu_limit / 1000)
    return Resources(cpu=request, cpu_limit=limit, memory=memory, memory_limit=memory_limit)


def grpc_service(
    name: str,
    *,
    boundary: str,
    runtime: Runtime,
    endpoints: Sequence[Endpoint],
    resources: Resources = SMALL,
    grace: Duration | None = 5 * s,
    image: str | None = None,
) -> Service:
    """A service of the release: one replica, gRPC probes, its own image."""
    probe = Probe("grpc")
    return Service(
        name,
        boundary=boundary,
        runtime=runtime,
        deployment=Kubernetes(
            image=image or f"{REPOSITORY}/{name}:v0.10.6",
            resources=resources,
            readiness=probe,
            liveness=probe,
            grace=grace,
        ),
        endpoints=endpoints,
        metrics=NOT_IN_MANIFESTS,
        tracing=NOT_IN_MANIFESTS,
    )


def contract(service: str) -> Grpc:
    """A service of demo.proto, spoken without TLS."""
    return Grpc(f"hipstershop.{service}", contract=PROTO, encrypted=False)
