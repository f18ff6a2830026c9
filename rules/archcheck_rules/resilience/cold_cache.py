"""The system carries its declared load with every cache empty.

Why it matters: caches start empty: after a restart, a flush, a failover, a change of keys. When
what lies behind them cannot take the full load, the system does not come back by itself,
because failing requests never fill the cache.

The load of every resource is computed again with all hit ratios at zero, without coalescing. A
resource that is already overloaded with warm caches is left to the other rules. A lookup that
declares its keys instead of a hit ratio counts, while warm, with the most popular keys that fit.

How to fix: capacity for the cold case, warming before taking traffic, coalesced misses, or
admission that ramps up.

False positives: caches that keep their content over restarts and are never lost together;
coalescing, which the rule does not count.

Sources: Huang et al., Metastable Failures in the Wild, OSDI 2022; Amazon Builders' Library,
Caching challenges and strategies.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Cached,
    Constant,
    Endpoint,
    Go,
    Journey,
    KeySpace,
    Kubernetes,
    Load,
    MySQL,
    Poisson,
    Read,
    Redis,
    Scenario,
    Service,
    SpringBoot,
    System,
    TiDB,
)
from archcheck.capacity import Demand, demands, open_lookups, with_hits_by_keys
from archcheck.findings import NotApplicable, Result, Rule, Undecided, UnderLoad, Violation
from archcheck.graph import Graph, Interaction
from archcheck.units import Duration, Rate, ms, percent, s

rule = Rule("RES024", "cold-cache", severity="warning", method="calc")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    if not demands(graph) or not any(step.mode == "cache" for step in graph.interactions):
        yield NotApplicable("no cache is used, or no scenario declares a load")
        return
    cold = demands(Graph(graph.system, today=graph.today, cold_caches=True))
    usual = demands(with_hits_by_keys(graph))
    for warm, empty in zip(usual, cold, strict=True):
        yield from _compare(warm, empty)
        if any(resource.utilisation > 1 for resource in warm.resources):
            yield from (Undecided(s, "hit_ratio") for s in open_lookups(graph) if _is_open(s))


def _is_open(step: Interaction) -> bool:
    """Whether nobody says how much a cache takes away: it counts as nothing while warm, too."""
    lookup = step.step
    return isinstance(lookup, Cached) and lookup.keys is None


def _compare(warm: Demand, cold: Demand) -> Iterator[Result]:
    for need in cold.unsized:
        before = warm.unsized_of(need.holder)
        if before is None or need.busy > before.busy:
            yield Undecided(need.holder, need.attribute, f"holds with more than {need.busy:.3g}")
    for resource in cold.resources:
        before_it = warm.resource_of(resource.holder)
        usual = before_it.utilisation if before_it else 0.0
        name = resource.holder.name
        if cold.rates.get(name, 0.0) > warm.rates.get(name, 0.0):
            for missing in resource.missing:
                yield Undecided(missing.holder, missing.attribute)
        if usual <= 1 < resource.utilisation:
            carried = Rate(sum(cold.journeys.values()) * resource.headroom)
            yield Violation(
                resource.holder,
                f"with empty caches {resource.holder.name} needs {resource.utilisation:.0%} of its "
                f"{resource.called} in scenario {warm.scenario.name!r}; the system then carries "
                f"{carried:.3}",
                fix="coalesced misses and warming, or more capacity behind the cache",
                evidence=(
                    f"warm: {usual:.0%} busy",
                    f"cold: {resource.busy:.3g} of {resource.servers:g} busy",
                ),
                load=UnderLoad(warm.scenario.name, resource.busy, resource.what),
            )


def _cached(rate: float, read: Duration | None = 5 * ms) -> System:
    find = Cached("hot", [Read("pages")], hit_ratio=95 * percent)
    return System(
        "shop",
        [
            Redis("hot", read=0.1 * ms),
            MySQL("pages", read=read, parallelism=10),
            Service("web", runtime=Go(), endpoints=[Endpoint("page", steps=[find])]),
        ],
        journeys=[Journey("browse", "web.page")],
        scenarios=[Scenario("peak", load=[Load("browse", Poisson(rate / s))])],
    )


@rule.bad("pages")
def the_cache_hides_twenty_times_the_load() -> System:
    return _cached(4000)


@rule.bad("pages")
def the_cache_holds_all_keys() -> System:
    system = _cached(4000)
    find = Cached("hot", [Read("pages")], keys=KeySpace(1000))
    hot = Redis("hot", read=0.1 * ms, max_entries=1000)
    pages = MySQL("pages", read=5 * ms, parallelism=10)
    web = Service("web", runtime=Go(), endpoints=[Endpoint("page", steps=[find])])
    return System("shop", [hot, pages, web], journeys=system.journeys, scenarios=system.scenarios)


@rule.borderline()
def just_full_with_an_empty_cache() -> System:
    return _cached(2000)


@rule.good
def it_fits_without_the_cache() -> System:
    return _cached(500)


@rule.unknown("read")
def the_query_time_is_not_declared() -> System:
    return _cached(500, read=None)


@rule.bad("web")
def the_threads_wait_for_the_database() -> System:
    find = Cached("hot", [Read("pages")], hit_ratio=95 * percent)
    return System(
        "shop",
        [
            Redis("hot", read=Constant(1 * ms)),
            MySQL("pages", read=Constant(50 * ms), parallelism=100),
            Service(
                "web",
                runtime=SpringBoot(threads=10),
                deployment=Kubernetes(replicas=1),
                endpoints=[Endpoint("page", steps=[find])],
            ),
        ],
        journeys=[Journey("browse", "web.page")],
        scenarios=[Scenario("peak", load=[Load("browse", Poisson(400 / s))])],
    )


@rule.borderline()
def already_overloaded_with_a_warm_cache() -> System:
    return _cached(100_000)


@rule.borderline()
def no_cache_at_all() -> System:
    system = _cached(4000)
    web = Service("web", runtime=Go(), endpoints=[Endpoint("page", steps=[Read("pages")])])
    return System(
        "shop",
        [*system.datastores, web],
        journeys=system.journeys,
        scenarios=system.scenarios,
    )


@rule.borderline()
def no_load_at_all() -> System:
    return System("shop", _cached(4000).elements)


@rule.unknown("parallelism")
def nobody_says_how_many_queries_at_a_time() -> System:
    find = Cached("hot", [Read("pages")], hit_ratio=95 * percent)
    return System(
        "shop",
        [
            Redis("hot", read=0.1 * ms),
            TiDB("pages", read=5 * ms),
            Service("web", runtime=Go(), endpoints=[Endpoint("page", steps=[find])]),
        ],
        journeys=[Journey("browse", "web.page")],
        scenarios=[Scenario("peak", load=[Load("browse", Poisson(400 / s))])],
    )


@rule.unknown("hit_ratio")
def nobody_says_how_much_the_cache_takes_away() -> System:
    find = Cached("hot", [Read("pages")])
    return System(
        "shop",
        [
            Redis("hot", read=0.1 * ms),
            MySQL("pages", read=5 * ms, parallelism=1),
            Service("web", runtime=Go(), endpoints=[Endpoint("page", steps=[find])]),
        ],
        journeys=[Journey("browse", "web.page")],
        scenarios=[Scenario("peak", load=[Load("browse", Poisson(500 / s))])],
    )


def _of_keys(entries: int | None, rate: float) -> System:
    """A thousand keys by Zipf's law; of ten the popular ones are 39% of the lookups."""
    system = _cached(rate)
    find = Cached("hot", [Read("pages")], keys=KeySpace(1000, skew=1.0))
    hot = Redis("hot", read=0.1 * ms, max_entries=entries)
    web = Service("web", runtime=Go(), endpoints=[Endpoint("page", steps=[find])])
    elements = [hot, system.find("pages"), web]
    return System("shop", elements, journeys=system.journeys, scenarios=system.scenarios)


@rule.borderline("pages")
def ten_entries_are_just_enough() -> System:
    return _of_keys(10, 3200)


@rule.borderline()
def ten_entries_are_too_few_for_more() -> System:
    return _of_keys(10, 3300)  # full while the cache is warm, which other rules say


@rule.bad("pages")
def nobody_says_how_many_entries_there_are() -> System:
    return _of_keys(None, 3300)


@rule.good
def the_database_takes_what_no_entry_has() -> System:
    return _of_keys(1, 1900)
