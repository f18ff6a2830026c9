"""For every load in the declared ranges, and with any one zone lost, resources stay below a limit.

Why it matters: waiting grows without bound as a resource nears its capacity, and the day on which a
zone is lost or the mix of users shifts is the day on which nobody can add replicas fast enough.

By Little's law a load keeps rate x time held of a resource busy. Rates, shares of a mix, times and
hit ratios that are declared as ranges (`RateBetween`, `ShareBetween`, `Between`) are taken at their
worst for each resource. A service counts at the largest scale that its autoscaler may reach,
without the fullest of its zones; a datastore by the busiest node of an even shard. Schedules and
hedges that are surely sent count. An external party must not be asked more often than its
``rate_limit`` lets through. A service that sheds load above a declared utilisation (``shedding=``)
must stay below that instead, with all zones there. Where all retries, hedges and fallbacks, or
waits in queues below that hold threads, may exceed the limit, the rule is undecided. A cache of
which nobody says how often it hits counts at its best for what is violated, and at its worst for
what holds; between the two, the rule asks.

How to fix: more replicas or a higher `max`, one zone more, larger replicas, a cache.
`archcheck prove --suggest replicas` finds the fewest.

False positives: service times that were measured with waiting included; ranges that are wider than
life.

Sources: Lazowska et al., Quantitative System Performance, 1984, chapter 3 (utilisation law); AWS
Builders' Library, Static stability using Availability Zones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archcheck import (
    Autoscale,
    Between,
    Cached,
    Call,
    Choice,
    Constant,
    Endpoint,
    External,
    GoKit,
    Journey,
    Kubernetes,
    Load,
    LoadRange,
    Mix,
    MySQL,
    Poisson,
    RateBetween,
    RateLimit,
    Read,
    Redis,
    Scenario,
    Service,
    ShareBetween,
    SpringBoot,
    System,
    Work,
)
from archcheck.findings import NotApplicable, Result, Rule, option
from archcheck.graph import Graph
from archcheck.proof import carried, exact, results
from archcheck.units import Fraction, ms, percent, s


@dataclass(frozen=True)
class Options:
    """Thresholds of the rule."""

    limit: Fraction = option(80 * percent, "share of a resource that may be busy")


rule = Rule("PRF001", "over-utilised", severity="error", method="proof", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    if not any(scenario.load for scenario in graph.system.scenarios):
        yield NotApplicable("no scenario declares a load")
    yield from results(carried(graph, exact(options.limit)))


def _shop(
    rate: float,
    *,
    replicas: int = 6,
    zones: Sequence[str] = ("a", "b", "c"),
    uncertain: Sequence[LoadRange] = (),
    between: Sequence[Between] = (),
    threads: int | None = 10,
) -> System:
    """Sixty threads, forty without a zone: 320 requests of 100 ms a second keep 80% busy."""
    up = Kubernetes(autoscale=Autoscale(min=2, max=replicas), zones=zones)
    ask = Cached("cache", [Read("db")], hit_ratio=90 * percent)
    runtime = SpringBoot(threads=threads) if threads else None
    return System(
        "shop",
        [
            MySQL("db", read=10 * ms, parallelism=1, max_connections=100),
            Redis("cache", read=0 * ms),
            Service(
                "orders",
                runtime=runtime,
                deployment=up,
                endpoints=[Endpoint("place", steps=[Work(Constant(100 * ms))])],
            ),
            Service(
                "shelf",
                runtime=SpringBoot(),
                deployment=Kubernetes(replicas=9, zones=("a", "b", "c")),
                endpoints=[Endpoint("look", steps=[ask])],
            ),
        ],
        journeys=[Journey("buy", "orders.place"), Journey("look", "shelf.look")],
        scenarios=[Scenario("peak", load=[Load("buy", Poisson(rate / s))], uncertain=uncertain)],
        uncertain=between,
    )


def _looking(rate: float, *, between: Sequence[Between] = ()) -> System:
    """A database of one query at a time behind a cache: 800 lookups a second keep 80% busy."""
    system = _shop(1, between=between)
    peak = Scenario("peak", load=[Load("look", Poisson(rate / s))])
    return System(
        "shop", system.elements, journeys=system.journeys, scenarios=[peak], uncertain=between
    )


@rule.bad("orders")
def it_fits_only_with_all_zones() -> System:
    return _shop(350)


@rule.bad("orders")
def more_than_all_replicas_can_do() -> System:
    return _shop(590)


@rule.bad("orders")
def the_rate_may_be_higher() -> System:
    return _shop(300, uncertain=[RateBetween("buy", 100 / s, 330 / s)])


@rule.bad("db")
def the_cache_may_hit_less() -> System:
    return _looking(500, between=[Between("cache", "hit_ratio", 80 * percent, 95 * percent)])


@rule.bad("orders")
def the_mix_may_shift() -> System:
    return _mixed(ShareBetween("buy", 10 * percent, 70 * percent))


def _mixed(*uncertain: LoadRange) -> System:
    """Users who buy half of the time; between 400 and 500 choices a second."""
    system = _shop(1)
    mix = Mix([Choice("buy", 1), Choice("look", 1)], Poisson(500 / s))
    rates = [RateBetween("buy", 0 / s, 400 / s), RateBetween("look", 150 / s, 400 / s)]
    peak = Scenario("peak", load=[mix], uncertain=[*rates, *uncertain])
    return System("shop", system.elements, journeys=system.journeys, scenarios=[peak])


@rule.bad("bank")
def a_party_that_takes_less() -> System:
    return System(
        "shop",
        [
            External("bank", rate_limit=RateLimit(100 / s), latency=Constant(10 * ms)),
            Service(
                "orders",
                runtime=GoKit(parallelism=64),
                deployment=Kubernetes(replicas=4, zones=["a", "b"]),
                endpoints=[Endpoint("place", steps=[Call("bank")])],
            ),
        ],
        journeys=[Journey("buy", "orders.place")],
        scenarios=[Scenario("peak", load=[Load("buy", Poisson(200 / s))])],
    )


@rule.borderline()
def exactly_at_the_limit() -> System:
    return _shop(320)


@rule.borderline("orders")
def just_above_the_limit() -> System:
    return _shop(320.1)


@rule.borderline()
def the_lowest_hit_ratio_is_enough() -> System:
    return _looking(400, between=[Between("cache", "hit_ratio", 80 * percent, 95 * percent)])


@rule.borderline()
def a_share_that_keeps_it_low() -> System:
    return _mixed(ShareBetween("buy", 10 * percent, 44 * percent))  # of 720 at most: 317


@rule.borderline()
def a_single_zone_is_another_rule() -> System:
    return _shop(480, zones=["a"])


@rule.good
def plenty() -> System:
    return _shop(100)


@rule.unknown("deployment.zones")
def nobody_says_where() -> System:
    return _shop(100, zones=())


@rule.unknown("runtime")
def nobody_says_how_many_at_a_time() -> System:
    return _shop(100, threads=None)
