"""A flushed cache takes the database down, unless misses of a key wait for each other.

The database can answer 200 queries a second; a warm cache leaves it four. When the cache is
flushed, a thousand requests a second ask the database for a few popular keys, until the first
answer has filled each in. That takes long enough for a queue that is longer than the timeout; from
then on every answer comes too late, the cache stays empty, and the next requests ask as well.
"""

from archcheck import (
    Cached,
    Constant,
    CustomRuntime,
    Docker,
    Endpoint,
    FlushCache,
    Journey,
    KeySpace,
    Load,
    MySQL,
    Network,
    Ramp,
    Read,
    Redis,
    Scenario,
    Service,
    System,
)
from archcheck.units import ms, s


def pages(name: str, *, coalesced: bool) -> System:
    return System(
        name,
        [
            Service(
                "pages",
                runtime=CustomRuntime(concurrency="lightweight", parallelism=8),
                deployment=Docker(replicas=2),
                endpoints=[
                    Endpoint(
                        "show",
                        steps=[
                            Cached(
                                "cache",
                                [Read("catalogue", timeout=1.2 * s)],
                                keys=KeySpace(500, skew=1.0),
                            )
                        ],
                    )
                ],
            ),
            Redis("cache", read=0.1 * ms, ttl=120 * s, jitter=True, coalesced=coalesced),
            MySQL("catalogue", read=Constant(300 * ms), parallelism=60, max_connections=5_000),
        ],
        journeys=[Journey("page", "pages.show")],
        scenarios=[
            Scenario(
                "the cache is flushed",
                load=[Load("page", Ramp(20 / s, 1_000 / s, over=30 * s))],
                faults=[FlushCache("cache", start=45 * s, end=45.1 * s)],
                duration=90 * s,
            )
        ],
        network=Network(delay=0.2 * ms),
    )


happens = pages("every miss asks the database", coalesced=False)
fixed = pages("misses of a key wait for the first", coalesced=True)
