"""Online Boutique, the microservices demo of Google Cloud, as its release manifests deploy it."""

from archcheck import Network, System
from archcheck.units import ms

system = System.from_package(
    __name__,
    description="Eleven services in five languages behind a web frontend, gRPC inside.",
    revision="v0.10.6",
    network=Network(delay=0.25 * ms),
)
