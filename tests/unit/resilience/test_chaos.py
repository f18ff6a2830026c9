"""Triggers, recoveries and metastable states against published examples."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from depth import thorough

from archcheck import (
    Call,
    Constant,
    CustomRuntime,
    Docker,
    Endpoint,
    Journey,
    Load,
    Poisson,
    Retry,
    RetryBudget,
    Scenario,
    ScenarioError,
    Service,
    Slo,
    System,
    Work,
)
from archcheck.loading import load
from archcheck.resilience import phase_map, run_chaos, sized_trigger
from archcheck.resilience.chaos import MONTH, try_trigger
from archcheck.resilience.trials import Trials, shed
from archcheck.units import ms, percent, s

ROOT = Path(__file__).parents[3]


def web(
    rate: float,
    *,
    attempts: int = 2,
    capacity: float = 300,
    timeout: float = 1.0,
    queue: int = 20_000,
    budget: RetryBudget | None = None,
) -> System:
    """A stateless web application that queries a database: the first example of Bronson et al.

    The database answers up to 300 queries a second within 100 ms; the application waits for a
    second and tries once more.
    """
    retry = Retry(attempts=attempts, backoff=0 * ms, budget=budget)
    return System(
        "web",
        [
            Service(
                "db",
                runtime=CustomRuntime(concurrency="blocking", threads=30, accept_queue=queue),
                deployment=Docker(replicas=1),
                endpoints=[
                    Endpoint("query", steps=[Work(Constant(30 / capacity * s))], idempotent=True)
                ],
            ),
            Service(
                "app",
                runtime=CustomRuntime(concurrency="lightweight", parallelism=64),
                deployment=Docker(replicas=1),
                endpoints=[
                    Endpoint("page", steps=[Call("db.query", timeout=timeout * s, retry=retry)])
                ],
            ),
        ],
        journeys=[Journey("visit", "app.page", slo=Slo(availability=99.9 * percent))],
        scenarios=[Scenario("load", load=[Load("visit", Poisson(rate / s))])],
    )


def phases(system: System, *factors: float, size: float = 10.0) -> list[str]:
    found = phase_map(system, system.scenarios[0], "db slow", factors=factors, sizes=[size], jobs=2)
    return [row.phases[0] for row in found.rows]


def test_bronson_et_al_2021_retries() -> None:
    """Below 150/s the system recovers from any trigger, above it does not, above 300/s it fails.

    Metastable Failures in Distributed Systems, section 2: 280 queries a second of 300 become 560
    with one retry each; only below 150 does the doubled load fit.
    """
    system = web(100)
    assert phases(system, 1.0, 1.2, 1.8, 2.3, 2.8, 3.3) == [
        "stable",
        "stable",
        "vulnerable",
        "vulnerable",
        "vulnerable",
        "overloaded",
    ]


@pytest.mark.parametrize(("attempts", "stable", "vulnerable"), [(1, 2.5, None), (3, 0.8, 1.4)])
def test_the_hidden_capacity_is_that_over_the_attempts(
    attempts: int, stable: float, vulnerable: float | None
) -> None:
    """Without retries nothing sustains a failure; with two each, from a third of it on."""
    system = web(100, attempts=attempts, queue=20_000 if attempts > 1 else 250)
    assert phases(system, stable) == ["stable"]
    if vulnerable is not None:
        assert phases(system, vulnerable) == ["vulnerable"]


def test_a_retry_budget_makes_it_stable() -> None:
    """Retries that are a tenth of the first attempts at most: 280 become 308 at the worst."""
    budget = RetryBudget(5 * percent)
    assert phases(web(100, budget=budget, queue=200), 2.5) == ["stable"]


@thorough
def test_huang_et_al_2022_more_load_needs_a_smaller_trigger() -> None:
    """Vulnerability is a matter of degree: the nearer to the limit, the less it takes.

    Metastable Failures in the Wild, section 3: the trigger that is needed shrinks with the load.
    """
    system = web(100)
    found = phase_map(
        system,
        system.scenarios[0],
        "load",
        factors=[1.55, 2.0, 2.4, 2.9],
        sizes=[1.05, 1.2, 1.5, 2.0, 3.0],
        jobs=2,
    )
    needed = [row.phases.count("stable") for row in found.rows]
    assert needed == sorted(needed, reverse=True)
    assert needed[0] > needed[-1]


def test_the_escape_sheds_enough_for_long_enough() -> None:
    """What the map names does bring the system back, a little less does not."""
    system = web(160)
    found = phase_map(system, system.scenarios[0], "db slow", factors=[1.0], sizes=[10.0], jobs=2)
    escapes = {escape.seconds: escape.keep for escape in found.escapes}
    kept = [keep for keep in escapes.values() if keep is not None]
    assert kept == sorted(kept)  # the longer, the more may be kept
    assert kept
    assert max(kept) < 150 / 160


def test_a_stuck_state_is_described() -> None:
    system = web(280)
    found = run_chaos(system, system.scenarios[0], jobs=2)
    stuck = {result.trigger.name: result.stuck for result in found.results}
    state = stuck["db slow x10"]
    assert state is not None
    assert state.good < 0.05
    assert state.amplification == pytest.approx(2, abs=0.1)
    assert state.queue == "db threads"
    assert not found.is_fine
    assert "attempts for each call" in str(state)


def test_the_error_budget_that_a_trigger_costs() -> None:
    """Half of the requests fail for ten seconds: a retry halves that again."""
    system = web(50)
    trials = Trials(system, system.scenarios[0], jobs=2)
    clock = trials.clock
    found = try_trigger(trials, sized_trigger("db fails", 0.5, clock.start, clock.end))
    (spent,) = found.budgets
    assert spent.errors is not None
    lost = 50 * 10 * 0.25
    assert spent.errors.value == pytest.approx(lost, rel=0.2)
    assert spent.share == pytest.approx(spent.errors.value / (0.001 * 50 * MONTH))
    assert found.verdict == "recovers"
    assert found.recovery is not None
    assert found.recovery <= found.resolution


@thorough
def test_our_shop_comes_back_from_everything() -> None:
    (shop,) = load(ROOT / "models" / "shop")
    found = run_chaos(shop, shop.scenario("evening"), jobs=2)
    assert found.is_fine
    kinds = {result.trigger.kind for result in found.results}
    assert kinds == {
        "burst",
        "slow dependency",
        "error burst",
        "lost replica",
        "lost zone",
        "cache flush",
        "broker stall",
    }


def test_an_overloaded_system_is_said_to_be() -> None:
    system = web(400)
    found = run_chaos(system, system.scenarios[0], jobs=2)
    assert not found.carried
    assert not found.results
    assert not found.is_fine


def test_stopped_triggers_are_counted() -> None:
    calls = 0

    def stop() -> bool:
        nonlocal calls
        calls += 1
        return calls > 8

    found = run_chaos(web(50), web(50).scenarios[0], stop=stop, jobs=1)
    assert found.untried or not found.results
    assert not found.is_fine


def test_shedding_thins_the_load_between_two_times() -> None:
    system = web(100)
    trials = Trials(system, system.scenarios[0], jobs=2)
    run = trials.watched(shed(trials.compiled(()), 0.5, 40.0, 80.0))
    row = run.intervals["visit"]
    rates = [row_.good for row_ in row]
    width = trials.clock.interval
    during = rates[int(42 / width) : int(78 / width)]
    outside = rates[int(84 / width) : -1]
    assert sum(during) / len(during) == pytest.approx(50, rel=0.05)
    assert sum(outside) / len(outside) == pytest.approx(100, rel=0.05)


def test_the_same_seed_gives_the_same_verdicts() -> None:
    system = web(160)
    one = run_chaos(system, system.scenarios[0], jobs=1)
    other = run_chaos(system, system.scenarios[0], jobs=2)
    assert [dataclasses.replace(r, trigger=one.results[0].trigger) for r in one.results] == [
        dataclasses.replace(r, trigger=one.results[0].trigger) for r in other.results
    ]


@pytest.mark.parametrize("text", ["payments", "db slow now", "db explodes", ""])
def test_triggers_without_a_size(text: str) -> None:
    with pytest.raises(ScenarioError, match="has no size"):
        sized_trigger(text, 2.0, 0.0, 1.0)
