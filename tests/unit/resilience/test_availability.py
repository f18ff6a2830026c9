"""Availabilities against enumeration, and the published experiment on the Social Network."""

from __future__ import annotations

import itertools
from fractions import Fraction as Rational
from pathlib import Path

import pytest
from depth import examples
from hypothesis import given
from hypothesis import strategies as st

from archcheck import (
    Absent,
    Call,
    Docker,
    Endpoint,
    External,
    Fallback,
    Journey,
    Kubernetes,
    Managed,
    ModelError,
    MySQL,
    Probe,
    Read,
    Service,
    Slo,
    System,
)
from archcheck.capacity import journey_rates
from archcheck.graph import Graph
from archcheck.loading import load
from archcheck.resilience import estimate_availability, when_killed
from archcheck.resilience.availability import surviving
from archcheck.simulation.estimates import wilson
from archcheck.units import percent

ROOT = Path(__file__).parents[3]
REPLICATED = {
    f"{name}-service": 3
    for name in ("compose-post", "home-timeline", "user-timeline", "text", "media")
}
"""The services that the experiment scales to three replicas."""


@examples(60)
@given(st.lists(st.integers(1, 3), min_size=1, max_size=4), st.integers(0, 4), st.integers(0, 8))
def test_killed_containers_are_counted_as_enumeration_does(
    needed: list[int], others: int, killed: int
) -> None:
    containers = [i for i, count in enumerate(needed) for _ in range(count)] + [-1] * others
    killed = min(killed, len(containers))
    sets = list(itertools.combinations(range(len(containers)), killed))
    good = 0
    for dead in sets:
        alive = {containers[i] for i in range(len(containers)) if i not in dead}
        good += set(range(len(needed))) <= alive
    assert surviving(needed, len(containers), killed) == Rational(good, len(sets))


def test_krasnovsky_and_zorkin_2025() -> None:
    """Their predictions for 30% killed: 0.161 without replicas, 0.305 with.

    By their sets of needed services (twelve in the discovered graph; home timeline with the social
    graph) and their workload of 60% home, 30% user timelines and 10% posts; posts, which need ten
    to twelve services, add what is left.
    """
    home, user = surviving([1, 1, 1, 1], 12, 4), surviving([1, 1, 1], 12, 4)
    assert float(0.6 * home + 0.3 * user) == pytest.approx(0.161, abs=0.0005)
    home, user = surviving([1, 1, 1, 3], 22, 7), surviving([1, 1, 3], 22, 7)
    together = 0.6 * float(home) + 0.3 * float(user) + 0.1 * their_posts()
    assert together == pytest.approx(0.305, abs=0.002)


def their_posts() -> float:
    """Posts need nine services for certain, and three more with the chances of the workload."""
    certain = [1, 1, 1, 1, 1, 3, 3, 3, 3]
    total = 0.0
    for media, short, mention in itertools.product((0, 1), repeat=3):
        chance = (0.8 if media else 0.2) * (0.83 if short else 0.17) * (0.83 if mention else 0.17)
        needed = certain + [3] * media + [1] * short + [1] * mention
        total += chance * float(surviving(needed, 22, 7))
    return total


def test_our_social_network_in_their_experiment() -> None:
    (system,) = load(ROOT / "models" / "social_network")
    graph = Graph(system)
    rates = journey_rates(system.scenario("mixed"))
    alone = when_killed(graph, 0.3, journeys=rates)
    assert (alone[0].containers, alone[0].killed) == (12, 4)
    by_name = {each.journey: each.probability for each in alone}
    assert by_name["read_user_timeline"] == surviving([1, 1, 1], 12, 4)
    more = when_killed(graph, 0.3, journeys=rates, replicas=REPLICATED)
    assert (more[0].containers, more[0].killed) == (22, 7)
    for before, after in zip(alone, more, strict=True):
        assert after.probability > before.probability


AVAILABLE = st.sampled_from([90, 99, 99.9])


@examples(20)
@given(AVAILABLE, AVAILABLE, st.integers(1, 3), st.booleans())
def test_samples_agree_with_the_exact_value(
    first: float, second: float, replicas: int, falls_back: bool
) -> None:
    fallback = Fallback("cache", target="spare.run") if falls_back else None
    system = System(
        "x",
        [
            Service(
                "a",
                deployment=Kubernetes(replicas=replicas, availability=first * percent),
                endpoints=[Endpoint("run", steps=[Call("b", fallback=fallback)])],
            ),
            External("b", availability=second * percent),
            Service(
                "spare",
                deployment=Kubernetes(replicas=1, availability=90 * percent),
                endpoints=[Endpoint("run")],
            ),
        ],
        journeys=[Journey("go", "a.run")],
    )
    found = estimate_availability(Graph(system), samples=100_000).found[0]
    own = 1 - (1 - first / 100) ** replicas
    below = 1 - (1 - second / 100) * (0.1 if falls_back else 1.0)
    assert found.exact.is_exact
    assert float(found.exact.low) == pytest.approx(own * below)
    assert found.sampled == pytest.approx(own * below, abs=0.005)


def test_zones_fail_with_all_that_runs_in_them() -> None:
    system = System(
        "x",
        [
            Service(
                "a",
                deployment=Kubernetes(replicas=2, zones=["one", "two"], availability=99 * percent),
                endpoints=[Endpoint("run")],
            ),
            Service(
                "b",
                deployment=Kubernetes(replicas=2, zones=["one"], availability=99 * percent),
                endpoints=[Endpoint("run")],
            ),
        ],
        journeys=[Journey("spread", "a.run"), Journey("together", "b.run")],
    )
    spread, together = estimate_availability(Graph(system), zone_availability=0.9).found[:2]
    each = 0.9 * 0.99
    assert float(spread.exact.low) == pytest.approx(1 - (1 - each) ** 2)
    assert float(together.exact.low) == pytest.approx(0.9 * (1 - 0.01**2))
    assert spread.agrees
    assert together.agrees


def test_a_promise_that_cannot_be_kept() -> None:
    system = System(
        "x",
        [
            Service(
                "a",
                deployment=Docker(replicas=1, availability=99 * percent),
                endpoints=[Endpoint("run", slo=Slo(availability=99.9 * percent))],
            )
        ],
        journeys=[Journey("go", "a.run", slo=Slo(availability=98 * percent))],
    )
    journey, endpoint = estimate_availability(Graph(system), samples=1_000).found
    assert journey.state == "met"
    assert endpoint.state == "missed"


def test_what_is_not_declared_is_named() -> None:
    system = System(
        "x",
        [Service("a", deployment=Docker(replicas=1), endpoints=[Endpoint("run")])],
        journeys=[Journey("go", "a.run")],
    )
    (journey, _) = estimate_availability(Graph(system), samples=10).found
    assert [gap.attribute for gap in journey.gaps] == ["deployment.availability"]


@given(st.integers(1, 400), st.floats(0, 1))
def test_wilson_intervals_contain_the_share(count: int, part: float) -> None:
    share = round(part * count) / count
    low, high = wilson(share, count)
    assert 0 <= low <= share <= high <= 1


def test_numbers_that_mean_nothing() -> None:
    (system,) = load(ROOT / "models" / "social_network")
    graph = Graph(system)
    for call, says in (
        (lambda: when_killed(graph, 1.5), "between 0% and 100%"),
        (lambda: when_killed(graph, 0.1, replicas={"x": 1}), "there is no 'x'"),
        (lambda: when_killed(graph, 0.1, replicas={"text-service": 0}), "at least one replica"),
        (lambda: estimate_availability(graph, samples=0), "needs samples"),
        (lambda: estimate_availability(graph, zone_availability=2.0), "is a share"),
    ):
        with pytest.raises(ModelError, match=says):
            call()


def test_an_optional_call_without_a_timeout_is_not_a_matter_of_availability() -> None:
    """Cut links have no declared availability, and are none of the units that are drawn."""
    call = Call("bank", optional=True, timeout=Absent("none"))
    up = Kubernetes(
        replicas=2, availability=99 * percent, readiness=Probe("http"), zones=["x", "y"]
    )
    page = Endpoint("page", steps=[call])
    model = System(
        "shop",
        [External("bank"), Service("web", deployment=up, endpoints=[page])],
        journeys=[Journey("visit", "web.page")],
    )
    found = estimate_availability(Graph(model)).found[0]
    assert found.exact.is_exact
    assert float(found.exact.low) == pytest.approx(0.9999)


def test_zones_that_fail_make_nothing_better() -> None:
    """A provider promises 99.95% of a store of three copies: not of each copy."""
    zones = ("a", "b", "c")
    store = MySQL(
        "db",
        copies=3,
        failover="automatic",
        zones=zones,
        deployment=Managed("cloud", availability=99.95 * percent),
    )
    web = Service(
        "web",
        endpoints=[Endpoint("get", steps=[Read("db")])],
        deployment=Kubernetes(
            replicas=3, zones=zones, readiness=Probe("http"), availability=99.9 * percent
        ),
    )
    graph = Graph(System("shop", [store, web], journeys=[Journey("use", "web.get")]))
    still = estimate_availability(graph, samples=10).found[0].exact
    zoned = estimate_availability(graph, samples=10, zone_availability=0.99).found[0].exact
    replicas_down = (1 - Rational(999, 1000) * Rational(99, 100)) ** 3
    assert zoned.low == zoned.high == Rational(9995, 10000) * (1 - replicas_down)
    assert zoned.high < still.low
