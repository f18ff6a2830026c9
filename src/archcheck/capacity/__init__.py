"""What follows from the declared load without simulating: rates, latencies, bottlenecks.

``networks`` solves queueing networks of any kind; it is imported by those who need it.
"""

from archcheck.capacity.attempts import Attempted
from archcheck.capacity.bottleneck import (
    CPU,
    Resource,
    Unsized,
    busy_servers,
    resources,
    servers_called,
)
from archcheck.capacity.closed_users import rates_of_users
from archcheck.capacity.concurrency import ConcurrencyLimit, concurrency_limits
from archcheck.capacity.consumers import ConsumerFlow, consumer_flows, messages_at_a_time
from archcheck.capacity.demand import Demand, StoreDemand, demands
from archcheck.capacity.hits import open_lookups, with_best_hits, with_hits_by_keys
from archcheck.capacity.latency import (
    Latency,
    Missing,
    OperationLatencies,
    advised_timeout,
    latency_of,
    query_time,
)
from archcheck.capacity.load import journey_rates, operation_rates
from archcheck.capacity.queueing import erlang_c, hottest_share, mean_wait, residence, zipf_share
from archcheck.capacity.scaling import Rest, rest_of
from archcheck.capacity.waiting import Held, Waiting

__all__ = [
    "CPU",
    "Attempted",
    "ConcurrencyLimit",
    "ConsumerFlow",
    "Demand",
    "Held",
    "Latency",
    "Missing",
    "OperationLatencies",
    "Resource",
    "Rest",
    "StoreDemand",
    "Unsized",
    "Waiting",
    "advised_timeout",
    "busy_servers",
    "concurrency_limits",
    "consumer_flows",
    "demands",
    "erlang_c",
    "hottest_share",
    "journey_rates",
    "latency_of",
    "mean_wait",
    "messages_at_a_time",
    "open_lookups",
    "operation_rates",
    "query_time",
    "rates_of_users",
    "residence",
    "resources",
    "rest_of",
    "servers_called",
    "with_best_hits",
    "with_hits_by_keys",
    "zipf_share",
]
