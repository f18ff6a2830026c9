"""Eight shards of which seven are less than half busy, and one that is not.

Keys are as popular as Zipf's law says: the first customer gets more than a fifth of all queries,
and lives in one shard. A key with more values, none of them popular, spreads them.
"""

from archcheck import (
    Cassandra,
    CustomRuntime,
    Docker,
    Endpoint,
    Journey,
    Load,
    Network,
    Ramp,
    Read,
    Scenario,
    Service,
    ShardKey,
    System,
)
from archcheck.units import ms, s


def orders(name: str, key: ShardKey) -> System:
    return System(
        name,
        [
            Service(
                "orders",
                runtime=CustomRuntime(concurrency="lightweight", parallelism=8),
                deployment=Docker(replicas=2),
                endpoints=[Endpoint("list", steps=[Read("history", timeout=1 * s)])],
            ),
            Cassandra("history", shards=8, shard_key=key, read=10 * ms, parallelism=2),
        ],
        journeys=[Journey("list", "orders.list")],
        scenarios=[
            Scenario(
                "growing load",
                load=[Load("list", Ramp(100 / s, 1_000 / s, over=80 * s))],
                duration=90 * s,
            )
        ],
        network=Network(delay=0.5 * ms),
    )


happens = orders("sharded by customer", ShardKey(name="customer", cardinality=1_000, skew=1.2))
fixed = orders("sharded by order", ShardKey(name="order", cardinality=10_000_000, skew=0.0))
