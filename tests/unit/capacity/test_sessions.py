"""Visits of sessions: closed forms, and one answer for declared and for compiled ones."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcheck import (
    Choice,
    Closed,
    Constant,
    Distribution,
    Empirical,
    Endpoint,
    Exponential,
    Gamma,
    Journey,
    Lognormal,
    Move,
    Pareto,
    Scenario,
    Service,
    Session,
    System,
    Uniform,
    Weibull,
    Work,
)
from archcheck.capacity.load import _visits
from archcheck.capacity.sessions import session_visits
from archcheck.planning.flow.sources import leaves, moments_of, visits_of
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.sampling import compile_time
from archcheck.units import ms, s


def test_users_who_come_back_with_a_share_make_geometric_rounds() -> None:
    assert session_visits([{0: 0.75}], 0) == ((4.0,), True)


def test_a_session_may_be_longer_than_any_loop_would_follow() -> None:
    """Ten million rounds on average."""
    visits, _ = session_visits([{0: 1 - 1e-7}], 0)
    assert visits[0] == pytest.approx(1e7, rel=1e-6)


def test_users_who_never_leave_have_long_run_shares() -> None:
    visits, ends = session_visits([{1: 1.0}, {2: 1.0}, {0: 0.5, 1: 0.5}], 0)
    assert not ends
    assert visits == pytest.approx((0.2, 0.4, 0.4))


def test_users_end_in_one_of_two_circles_by_their_choice() -> None:
    visits, ends = session_visits([{1: 0.25, 3: 0.75}, {2: 1.0}, {1: 1.0}, {3: 1.0}], 0)
    assert not ends
    assert visits == pytest.approx((0, 0.125, 0.125, 0.75))


_shares = st.lists(st.integers(0, 4), min_size=5, max_size=5)


@given(st.lists(_shares, min_size=4, max_size=4), st.integers(0, 3))
def test_visits_solve_the_traffic_equations(weights: list[list[int]], first: int) -> None:
    """``v = e + v p``; where nobody leaves, shares of the whole are left as they are by p."""
    totals = [sum(row) for row in weights]
    moves = [
        {to: weight / total for to, weight in enumerate(row[:4])} if total else {}
        for row, total in zip(weights, totals, strict=True)
    ]
    visits, ends = session_visits(moves, first)
    for place, count in enumerate(visits):
        asked = (visits[i] * move[place] for i, move in enumerate(moves) if move.get(place))
        came = math.fsum(asked) + (ends and place == first)
        assert count == pytest.approx(came) or math.isinf(count)
    assert ends or math.fsum(visits) == pytest.approx(1)


def test_where_some_are_trapped_visits_have_no_end() -> None:
    visits, ends = session_visits([{1: 0.5}, {1: 1.0}, {}], 0)
    assert ends
    assert visits == (1.0, math.inf, 0.0)


@given(st.lists(st.lists(st.integers(0, 5), min_size=4, max_size=4), min_size=3, max_size=3))
def test_declared_and_compiled_sessions_are_answered_alike(weights: list[list[int]]) -> None:
    names = ["a", "b", "c"]
    moves = [
        Move(
            after=name,
            to=[Choice(to, n) for to, n in zip(names, row, strict=False) if n] or [Choice("a", 1)],
            leave=row[3] + 1,
        )
        for name, row in zip(names, weights, strict=True)
    ]
    session = Session("a", Closed(3, think=1 * s), moves=moves, pause=1 * s)
    scenario = Scenario("day", load=[session])
    system = System(
        "shop",
        [Service("web", endpoints=[Endpoint("run", steps=[Work(1 * ms)])])],
        journeys=[Journey(name, "web.run") for name in names],
        scenarios=[scenario],
    )
    declared, never_leaves = _visits(session)
    plan = compile_plan(system, scenario)
    (stream,) = plan.streams
    found = {plan.journeys[i].name: count for i, count in visits_of(stream, 3).items()}
    assert stream.session is not None
    assert leaves(stream.session, 3) is not never_leaves
    assert {name: count for name, count in declared.items() if count} == pytest.approx(found)


@pytest.mark.parametrize(
    "time",
    [
        Constant(3 * ms),
        Exponential(3 * ms),
        Lognormal(3 * ms, p99=20 * ms),
        Gamma(3 * ms, shape=2.5),
        Weibull(3 * ms, shape=0.7),
        Pareto(3 * ms, alpha=2.5),
        Uniform(1 * ms, 9 * ms),
        Empirical([1 * ms, 2 * ms, 9 * ms]),
    ],
    ids=lambda time: type(time).__name__,
)
def test_plans_know_the_moments_that_models_declare(time: Distribution) -> None:
    found = moments_of(compile_time(time))
    assert found.mean == pytest.approx(time.mean_seconds())
    assert found.variability == pytest.approx(time.squared_variation())
