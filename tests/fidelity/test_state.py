"""Caches, shards, scaling and load against what must come out."""

from __future__ import annotations

import math

import pytest
from depth import sample
from fidelity.harness import assert_contains, runs, service, system

from archcheck import (
    Autoscale,
    Cached,
    CockroachDB,
    Constant,
    Deterministic,
    KeySpace,
    Kubernetes,
    LocalCache,
    Mmpp,
    MySQL,
    Poisson,
    RateStep,
    Read,
    Redis,
    ShardKey,
    Stepped,
    Work,
)
from archcheck.model.deployment import Resources
from archcheck.simulation import SimulationResult
from archcheck.units import millicores, ms, percent, s


def hit_ratio(result: SimulationResult) -> float:
    name = "front.run -> cache.read"
    hits, misses = (result.counts.get(f"{what}: {name}", 0) for what in ("hits", "misses"))
    return hits / (hits + misses)


def cached(cache: Redis | LocalCache, keys: KeySpace) -> object:
    return system(
        service("front", Cached("cache", [Read("db")], keys=keys)),
        cache,
        MySQL("db", read=Constant(0 * s), parallelism=10_000),
    )


@pytest.mark.parametrize("lifetimes", sample([2.0, 0.5, 8.0]))
def test_the_hit_ratio_of_a_ttl(lifetimes: float) -> None:
    """One key that is asked lambda times a second lives T: lambda T / (1 + lambda T) are hits."""
    cache = Redis("cache", ttl=lifetimes / 10 * s, read=Constant(0 * s), parallelism=10_000)
    found = runs(cached(cache, KeySpace(1)), Poisson(10 / s), 600.0)
    assert_contains(found, hit_ratio, lifetimes / (1 + lifetimes))


def test_the_hit_ratio_of_a_ttl_over_keys_by_zipf() -> None:
    """The same for each key, weighted by its popularity."""
    count, skew, rate, ttl = 50, 0.9, 100.0, 1.0
    weights = [k**-skew for k in range(1, count + 1)]
    shares = [weight / sum(weights) for weight in weights]
    exact = sum(p * (x := p * rate * ttl) / (1 + x) for p in shares)
    cache = Redis("cache", ttl=ttl * s, read=Constant(0 * s), parallelism=10_000)
    found = runs(cached(cache, KeySpace(count, skew=skew)), Poisson(rate / s), 100.0)
    assert_contains(found, hit_ratio, exact)


def test_a_full_cache_of_equally_popular_keys_hits_its_share_of_them() -> None:
    """Least recently used with independent even requests: capacity over keys (King, 1971)."""
    cache = LocalCache("cache", max_entries=30)
    found = runs(cached(cache, KeySpace(100)), Poisson(100 / s), 100.0)
    assert_contains(found, hit_ratio, 0.3)


def test_the_hottest_shard_gets_the_share_of_its_keys() -> None:
    key = ShardKey(name="customer", cardinality=10_000, skew=1.2)
    model = system(
        service("front", Read("db")),
        CockroachDB("db", shards=8, shard_key=key, read=1 * ms, parallelism=4, copies=1),
    )
    (result,) = runs(model, Poisson(500 / s), 60.0, count=1)
    store = result.resource("db")
    first = 1 / sum(k**-1.2 for k in range(1, 10_001))
    assert store.busiest > first * store.busy / 4
    assert store.busiest > 1.5 * store.utilisation


def test_the_autoscaler_takes_kubernetes_steps() -> None:
    """40 requests of 100 ms a second need 4 cores, and 8 of them at a target of 50%.

    Two replicas are saturated at 15 s: ceil(2 * 100% / 50%) = 4 are ready at 20 s, and are
    saturated at 30 s as well: 8 are ready at 35 s, half busy, and it stays at that.
    """
    deployment = Kubernetes(
        image="shop/x:1.0",
        resources=Resources(cpu=1000 * millicores),
        autoscale=Autoscale(min=2, max=20, target_cpu=50 * percent, start_up=5 * s),
    )
    model = system(service("front", Work(Constant(100 * ms)), cores=1, deployment=deployment))
    (result,) = runs(model, Deterministic(40 / s), 600.0, count=1, share=0)
    servers = result.servers_series["front"]
    assert servers[0] == pytest.approx(2)
    assert servers[1:5] == pytest.approx((2, 4, (4 * 5 + 8 * 5) / 10, 8))
    assert servers[-1] == pytest.approx(8, abs=1)
    assert result.counts["scaled out: front"] >= 6


def test_bursts_have_the_mean_rate_of_their_states() -> None:
    """MMPP-2: each state's rate, weighted by how long it lasts (Fischer and Meier-Hellstern, 1993).

    Its counts vary more than Poisson's: over a window t the index of dispersion is
    1 + 2 p q (l1 - l2)^2 / (mean (a + b)) * (1 - (1 - e^-(a+b)t) / ((a+b) t)).
    """
    bursts = Mmpp(20 / s, 200 / s, calm_lasts=3 * s, busy_lasts=1 * s)
    model = system(service("front", Work(Constant(1 * ms))))
    found = runs(model, bursts, 200.0, share=0)
    mean = (20 * 3 + 200) / 4
    assert_contains(found, lambda r: r.journey("visit").started / 200.0, mean)
    a, b, window = 1 / 3, 1.0, 200.0 / 60
    p, q, decay = 0.75, 0.25, a + b
    spread = 2 * p * q * 180**2 / (mean * decay)
    exact = 1 + spread * (1 - (1 - math.exp(-decay * window)) / (decay * window))

    def dispersion(result: SimulationResult) -> float:
        counts = [point.throughput * window for point in result.series["visit"]]
        average = sum(counts) / len(counts)
        return sum((n - average) ** 2 for n in counts) / (len(counts) - 1) / average

    assert_contains(found, dispersion, exact)


def scaled(replicas: int, most: int, start_up: float, stabilisation: float) -> Kubernetes:
    return Kubernetes(
        resources=Resources(cpu=1000 * millicores),
        autoscale=Autoscale(
            min=replicas,
            max=most,
            target_cpu=50 * percent,
            start_up=start_up * s,
            stabilisation=stabilisation * s,
        ),
    )


def test_replicas_that_are_not_ready_are_the_first_to_go() -> None:
    """A spike of 40 s, starts of 90 s: all that it asked for is given up, and two stay ready."""
    deployment = scaled(2, 10, start_up=90, stabilisation=30)
    model = system(service("front", Work(Constant(10 * ms)), cores=1, deployment=deployment))
    spike = [RateStep(60 / s, 60 * s), RateStep(190 / s, 40 * s), RateStep(10 / s, 200 * s)]
    (result,) = runs(model, Stepped(spike), 300.0, count=1, share=0)
    assert min(result.servers_series["front"]) == pytest.approx(2)
    assert result.journey("visit").latency.max < 2.0
    assert result.counts["scaled in: front"] > 0


def test_what_is_wished_is_counted_from_ready_replicas() -> None:
    """At 26% of one core 2 replicas are 13% busy: ceil(2 * 13% / 50%) = 1, however many start."""
    deployment = scaled(1, 10, start_up=100, stabilisation=0)
    model = system(service("front", Work(Constant(10 * ms)), cores=1, deployment=deployment))
    spike = [RateStep(90 / s, 16 * s), RateStep(26 / s, 200 * s)]
    (result,) = runs(model, Stepped(spike), 200.0, count=1, share=0)
    assert result.counts["scaled out: front"] == result.counts["scaled in: front"]
    assert max(result.servers_series["front"]) == pytest.approx(1)
