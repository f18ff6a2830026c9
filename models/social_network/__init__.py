"""Social Network of DeathStarBench, as its Docker Compose file starts it: 27 containers."""

from archcheck import Network, System
from archcheck.units import ms

system = System.from_package(
    __name__,
    description="A broadcast-style social network in C++, Thrift inside, nginx at the edge.",
    network=Network(delay=0.1 * ms),
)
