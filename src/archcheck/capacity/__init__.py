"""What follows from the declared load without simulating: rates, latencies, bottlenecks."""

from archcheck.capacity.bottleneck import Resource, Unsized, resources
from archcheck.capacity.latency import Latencies, Latency, Missing
from archcheck.capacity.load import journey_rates, operation_rates, peak_rate

__all__ = [
    "Latencies",
    "Latency",
    "Missing",
    "Resource",
    "Unsized",
    "journey_rates",
    "operation_rates",
    "peak_rate",
    "resources",
]
