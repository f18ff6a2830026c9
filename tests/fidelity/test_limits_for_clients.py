"""Who a client of a rate limit is: each user, session or request that comes from outside."""

from __future__ import annotations

from typing import Any

import pytest
from fidelity.harness import service, system, work

from archcheck import (
    Call,
    Choice,
    Closed,
    Constant,
    Deterministic,
    Journey,
    Load,
    Mix,
    Move,
    Poisson,
    RateLimit,
    Scenario,
    Schedule,
    Session,
    System,
)
from archcheck.findings import Objective
from archcheck.planning import at_peak
from archcheck.planning.sustaining import analytic_limit
from archcheck.simulation import SimulationResult, simulate
from archcheck.simulation.compiling import compile_plan
from archcheck.units import ms, s

LIMIT = RateLimit(5 / s, burst=5, per="client")
"""What the API of the case ``limit_per_client`` allows each of its 50 users of 1 request/s."""


def api(limit: RateLimit = LIMIT) -> System:
    return system(service("api", work(1), endpoint={"rate_limit": limit, "public": True}))


def run(load: Any, model: System | None = None) -> SimulationResult:
    scenario = Scenario("load", load=[load])
    return simulate(model or api(), scenario, duration=60 * s, warmup=0 * s, seed=1)


@pytest.mark.on_both
@pytest.mark.parametrize(
    "load",
    [
        Load("visit", Closed(50, think=1 * s)),
        Load("visit", Poisson(50 / s)),
        Load("visit", Poisson(50 / s), clients=500),
        Mix([Choice("visit", 1)], Poisson(50 / s), clients=500),
        Session(
            "visit", Poisson(5 / s), moves=[Move(to=[Choice("visit", 9)], leave=1)], pause=1 * s
        ),
    ],
    ids=["users", "requests", "clients", "mix", "sessions"],
)
def test_nobody_is_near_a_limit_that_each_has_alone(load: Any) -> None:
    found = run(load).journey("visit")
    assert found.rejected == 0
    assert found.ok > 1000


@pytest.mark.on_both
def test_a_user_above_the_limit_is_held_to_it_and_the_others_are_not() -> None:
    """Ten users of ten requests a second each: five of each are let through."""
    found = run(Load("visit", Closed(10, think=Constant(99 * ms))))
    assert found.journey("visit").ok == pytest.approx(10 * 5 * 60, rel=0.02)


@pytest.mark.on_both
@pytest.mark.parametrize("clients", [1, 4])
def test_declared_clients_share_the_load(clients: int) -> None:
    load = Load("visit", Deterministic(100 / s), clients=clients)
    found = run(load).journey("visit")
    assert found.ok == pytest.approx(clients * 5 * 60, rel=0.02)


def test_users_may_belong_to_fewer_clients() -> None:
    """Forty workers of two partners."""
    load = Load("visit", Closed(40, think=100 * ms), clients=2)
    assert run(load).journey("visit").ok == pytest.approx(2 * 5 * 60, rel=0.03)


@pytest.mark.on_both
def test_the_requests_of_one_journey_come_from_one_client() -> None:
    """Seven requests of a journey without a pause: the burst of five lets five through."""
    model = api()
    seven = Journey("visit", entries=["api.run"] * 7)
    model = System(model.name, model.services, journeys=[seven], network=model.network)
    found = run(Load("visit", Deterministic(2 / s)), model)
    assert found.journey("visit").ok == 0
    assert found.operation("api.run").rejected == found.journey("visit").rejected


def test_a_session_is_one_client() -> None:
    """Ten requests a second of one session, and a limit of five."""
    move = Move(to=[Choice("visit", 1)])
    load = Session("visit", Deterministic(0.1 / s), moves=[move], pause=Constant(99 * ms))
    found = run(load).journey("visit")
    assert found.ok == pytest.approx(found.started / 2, rel=0.1)


def test_the_replicas_of_a_calling_service_are_one_client() -> None:
    front = service("front", Call("api.run"), replicas=3)
    model = system(front, *api().services)
    assert run(Load("visit", Closed(50, think=1 * s)), model).operation(
        "api.run"
    ).ok == pytest.approx(5 * 60, rel=0.05)


def test_a_schedule_is_one_client() -> None:
    model = system(*api().services, Schedule("job", calls="api.run", every=100 * ms))
    found = run(Load("visit", Poisson(0.001 / s)), model).operation("api.run")
    assert found.ok == pytest.approx(5 * 60, rel=0.05)


def test_who_the_clients_are_is_an_assumption_where_nothing_says_it() -> None:
    def assumed(load: Any, model: System | None = None) -> set[tuple[str, str]]:
        found = run(load, model).assumptions
        return {(each.subject, each.value) for each in found if each.attribute == "clients"}

    assert assumed(Load("visit", Poisson(5 / s))) == {("visit", "each request is one")}
    assert not assumed(Load("visit", Poisson(5 / s), clients=5))
    assert not assumed(Load("visit", Closed(5, think=1 * s)))
    assert not assumed(Load("visit", Poisson(5 / s)), api(RateLimit(5 / s, per="service")))
    front = system(service("front", Call("api.run")), *api().services)
    assert assumed(Load("visit", Poisson(5 / s)), front) == {("front -> api", "the service is one")}


@pytest.mark.parametrize(
    "load", [Load("visit", Closed(50, think=1 * s)), Load("visit", Poisson(50 / s), clients=50)]
)
def test_more_load_is_more_clients(load: Load) -> None:
    """A plan grows the load by users and clients, and never beyond what the cores carry."""
    model = system(
        service("api", work(5), threads=2, endpoint={"rate_limit": LIMIT, "public": True})
    )
    plan = at_peak(compile_plan(model, Scenario("load", load=[load])))
    factor, limit = analytic_limit(plan, (Objective("visit", "availability", 0.99),))
    assert factor == pytest.approx(8, rel=0.1)
    assert limit is not None
