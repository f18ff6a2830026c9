"""What changes more slowly than a run, beside queues: buckets, bursts, autoscalers."""

from __future__ import annotations

import pytest
from fidelity.harness import service, system

from archcheck import (
    Autoscale,
    CustomRuntime,
    Deterministic,
    Endpoint,
    Journey,
    Kubernetes,
    Load,
    Mmpp,
    Poisson,
    RateLimit,
    Resources,
    Scenario,
    Service,
    Slo,
    System,
    Work,
)
from archcheck.model.scenarios import Arrivals
from archcheck.simulation import compare, simulate, simulate_until_decided
from archcheck.units import cores, ms, percent, s


def made(slo: Slo, arrivals: Arrivals, **parts: object) -> System:
    """One service of a step of 10 ms."""
    one = Service("a", **parts)  # type: ignore[arg-type]  # each test gives parts of its own
    load = [Load("visit", arrivals)]
    return System(
        "m",
        [one],
        journeys=[Journey("visit", "a.run", slo=slo)],
        scenarios=[Scenario("r", load=load, duration=60 * s)],
    )


def test_a_full_bucket_is_no_proof_of_what_comes_after_it() -> None:
    """A tenth too much, and a bucket for the first ten minutes: nine of ten are missed later."""
    run = Endpoint("run", steps=[Work(1 * ms)], rate_limit=RateLimit(100 / s, burst=6000))
    loop = CustomRuntime(concurrency="event_loop", parallelism=4)
    model = made(Slo(availability=99 * percent), Poisson(110 / s), endpoints=[run], runtime=loop)
    short = simulate(model, model.scenarios[0], duration=60 * s, replications=5)
    assert short.journey("visit").rejected == 0
    assert short.objectives[0].state == "open"
    assert "bucket of a" in str(short.unsettled[-1])
    found = simulate_until_decided(model, model.scenarios[0])
    assert found.objectives[0].state != "met"


def test_a_burst_in_a_run_is_no_overload() -> None:
    bursts = Mmpp(285 / s, 475 / s, calm_lasts=2 * s, busy_lasts=2 * s)
    four = CustomRuntime(concurrency="blocking", threads=4)
    run = Endpoint("run", steps=[Work(10 * ms)])
    model = made(Slo(p95=20 * s), bursts, endpoints=[run], runtime=four)
    for seed in range(8):
        found = simulate(model, model.scenarios[0], replications=5, seed=seed)
        assert not found.overloads
        assert found.early == ("visit",)
        assert found.objectives[0].state == "open"


def test_what_is_still_scaled_out_is_neither_overloaded_nor_missed() -> None:
    scaled = Kubernetes(
        replicas=1,
        resources=Resources(cpu=1 * cores),
        autoscale=Autoscale(min=1, max=10, target_cpu=60 * percent, start_up=30 * s),
    )
    one = CustomRuntime(concurrency="blocking", threads=1, parallelism=1)
    run = Endpoint("run", steps=[Work(10 * ms)])
    model = made(
        Slo(p95=100 * ms), Poisson(300 / s), endpoints=[run], runtime=one, deployment=scaled
    )
    short = simulate(model, model.scenarios[0], duration=60 * s, replications=5)
    assert not short.overloads
    assert short.objectives[0].state == "open"
    assert "still being scaled" in str(short.unsettled[0])
    found = simulate(model, model.scenarios[0], duration=3600 * s, replications=5)
    assert found.objectives[0].state == "met"


@pytest.mark.parametrize("arrivals", [Poisson(402 / s), Deterministic(402 / s)])
def test_an_overload_is_one_where_no_deployment_is_declared(arrivals: Arrivals) -> None:
    four = CustomRuntime(concurrency="blocking", threads=4)
    run = Endpoint("run", steps=[Work(10 * ms)])
    model = made(Slo(p95=1 * s), arrivals, endpoints=[run], runtime=four)
    found = simulate(model, model.scenarios[0], duration=600 * s)
    assert [each.name for each in found.overloads] == ["a"]


def test_a_difference_to_what_grows_for_ever_is_at_least_so_much() -> None:
    queue = system(service("queue", Work(10 * ms), threads=1))
    loads = [
        (name, queue, Scenario("r", load=[Load("visit", Poisson(rate / s))]))
        for name, rate in (("calm", 50), ("growing", 140))
    ]
    found = compare(loads, duration=20 * s).variants[1]
    (mean,) = [each for each in found.compared if each.metric == "mean"]
    assert (mean.side, mean.is_certain) == ("at least", True)


def test_a_limit_of_nothing_turns_all_away_and_has_no_bucket_to_wait_for() -> None:
    run = Endpoint("run", steps=[Work(1 * ms)], rate_limit=RateLimit(0 / s))
    model = made(Slo(availability=99 * percent), Poisson(50 / s), endpoints=[run])
    found = simulate(model, model.scenarios[0], duration=20 * s, replications=5)
    assert found.objectives[0].state == "missed"


def test_what_is_turned_away_at_once_is_no_word_on_how_long_the_others_take() -> None:
    """While the bucket lasts all are served, and later half of them have an answer at once."""
    run = Endpoint("run", steps=[Work(10 * ms)], rate_limit=RateLimit(50 / s, burst=20_000))
    many = CustomRuntime(concurrency="blocking", threads=64)
    model = made(Slo(p50=2 * ms), Poisson(100 / s), endpoints=[run], runtime=many)
    found = simulate(model, model.scenarios[0], duration=60 * s, replications=5)
    assert [each.state for each in found.objectives] == ["open"]
    other = made(Slo(p50=2 * ms), Poisson(90 / s), endpoints=[run], runtime=many)
    pair = [("a", model, model.scenarios[0]), ("b", other, other.scenarios[0])]
    sides = {each.metric: each.side for each in compare(pair).variants[1].compared}
    assert sides["p50"] == "unknown"
