"""Loads in ranges against all corners, sizes against exhaustive search, wrong ranges."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from fractions import Fraction as Rational

import pytest
from depth import examples
from hypothesis import given
from hypothesis import strategies as st

from archcheck import (
    Between,
    Cached,
    Closed,
    Constant,
    Endpoint,
    Journey,
    Kubernetes,
    Load,
    LoadRange,
    ModelError,
    MySQL,
    Poisson,
    Pool,
    RateBetween,
    RateLimit,
    Read,
    Recorded,
    Redis,
    RollingUpdate,
    Scenario,
    Service,
    ShareBetween,
    SpringBoot,
    System,
    Work,
    Write,
)
from archcheck.capacity import demands
from archcheck.editing import apply
from archcheck.graph import Graph
from archcheck.proof import (
    Proved,
    Refuted,
    Undecided,
    WorstPoint,
    admissions,
    carried,
    rollouts,
    suggest_sizes,
    worst_demands,
)
from archcheck.proof.limits.ranges import loads_of
from archcheck.units import ms, percent, s

LIMIT = Rational(4, 5)


def shop(
    write: float = 2,
    hit: float = 0.9,
    work: float = 5,
    rates: Sequence[float] = (100, 50),
    *,
    between: Sequence[Between] = (),
    uncertain: Sequence[LoadRange] = (),
    replicas: int = 3,
) -> System:
    """Two journeys over a service with threads, a database and a cache in front of another one."""
    return System(
        "shop",
        [
            MySQL("orders-db", write=write * ms, parallelism=1, max_connections=100),
            MySQL("pages", read=4 * ms, parallelism=1),
            Redis("cache", read=0 * ms),
            Service(
                "web",
                runtime=SpringBoot(threads=2),
                deployment=Kubernetes(replicas=replicas, zones=["a", "b", "c"]),
                endpoints=[
                    Endpoint("buy", steps=[Work(work * ms), Write("orders-db")]),
                    Endpoint(
                        "look",
                        steps=[
                            Work(1 * ms),
                            Cached("cache", [Read("pages")], hit_ratio=hit * 100 * percent),
                        ],
                    ),
                ],
            ),
        ],
        journeys=[Journey("buy", "web.buy"), Journey("look", "web.look")],
        scenarios=[
            Scenario(
                "peak",
                load=[Load("buy", Poisson(rates[0] / s)), Load("look", Poisson(rates[1] / s))],
                uncertain=uncertain,
            )
        ],
        uncertain=between,
    )


def overloaded(system: System) -> set[str]:
    """What is above the limit for the declared values, by capacity's own sums."""
    (demand,) = demands(Graph(system))
    found = set()
    for resource in demand.resources:
        if isinstance(resource.holder, Service):
            left = resource.units - math.ceil(resource.units / 3)
            if resource.busy > 0.8 * resource.per_unit * left + 1e-12:
                found.add(resource.holder.name)
    for store, asked in demand.stores.items():
        servers, _ = asked.servers_of_a_node()
        if servers is not None and asked.busiest_node() > 0.8 * servers + 1e-12:
            found.add(store.name)
    return found


@examples(100)
@given(
    st.lists(st.integers(1, 12), min_size=2, max_size=2).map(sorted),
    st.lists(st.integers(50, 99), min_size=2, max_size=2).map(sorted),
    st.lists(st.integers(1, 20), min_size=2, max_size=2).map(sorted),
    st.lists(st.integers(1, 400), min_size=2, max_size=2).map(sorted),
)
def test_the_worst_of_all_corners_is_found(
    write: list[int], hit: list[int], work: list[int], rate: list[int]
) -> None:
    """Every combination of ends is computed with the plain sums of capacity."""
    system = shop(
        write[0],
        hit[0] / 100,
        work[0],
        (rate[0], 300),
        between=[
            Between("orders-db", "write", write[0] * ms, write[1] * ms),
            Between("cache", "hit_ratio", hit[0] * percent, hit[1] * percent),
            Between("web.buy", "work", work[0] * ms, work[1] * ms),
        ],
        uncertain=[RateBetween("buy", rate[0] / s, rate[1] / s)],
    )
    expected = set[str]()
    for corner in itertools.product(write, hit, work, rate):
        expected |= overloaded(shop(corner[0], corner[1] / 100, corner[2], (corner[3], 300)))
    answers = list(carried(Graph(system), LIMIT))
    assert {a.subject.name for a in answers if isinstance(a, Refuted)} == expected  # type: ignore[union-attr]
    open_answers = [answer for answer in answers if isinstance(answer, Undecided)]
    reasons = ("the waits in queues below", "nobody declares its delay")
    assert all(any(why in answer.reason for why in reasons) for answer in open_answers)


def test_a_network_without_a_delay_may_be_what_makes_it_too_much() -> None:
    between = [Between("web.buy", "work", 1 * ms, 13 * ms)]
    made = shop(
        1, 0.5, 13, (1, 300), between=between, uncertain=[RateBetween("buy", 1 / s, 144 / s)]
    )
    (web,) = [a for a in carried(Graph(made), LIMIT) if isinstance(a, Undecided)]
    assert "what the network (nobody declares its delay), hedges" in web.reason


@examples(60)
@given(
    st.lists(st.integers(0, 300), min_size=2, max_size=2).map(sorted),
    st.lists(st.integers(0, 300), min_size=2, max_size=2).map(sorted),
    st.lists(st.integers(0, 100), min_size=2, max_size=2).map(sorted),
)
def test_the_worst_mix_is_found(first: list[int], second: list[int], share: list[int]) -> None:
    """The worst rates within shares are at least those of every point of a grid."""
    uncertain = [
        RateBetween("buy", first[0] / s, first[1] / s),
        RateBetween("look", second[0] / s, second[1] / s),
        ShareBetween("buy", share[0] * percent, share[1] * percent),
    ]
    system = shop(rates=(first[0], second[0]), uncertain=uncertain)
    loads = loads_of(system, system.scenarios[0])
    weights = {"buy": Rational(3, 1000), "look": Rational(1, 1000)}
    grid = [
        (Rational(a), Rational(b))
        for a in {first[0] + (first[1] - first[0]) * n // 12 for n in range(13)}
        for b in {second[0] + (second[1] - second[0]) * n // 12 for n in range(13)}
        if (a + b) * share[0] <= 100 * a <= (a + b) * share[1]
    ]
    try:
        worst, point = loads.worst(weights)
    except ModelError:  # nothing is in all ranges at once, then nothing of the grid is
        assert not grid
        return
    assert all(weights["buy"] * a + weights["look"] * b <= worst for a, b in grid)
    a, b = point["buy"], point["look"]
    assert weights["buy"] * a + weights["look"] * b == worst
    assert first[0] <= a <= first[1]
    assert second[0] <= b <= second[1]
    assert (a + b) * share[0] <= 100 * a <= (a + b) * share[1]


def test_exactly_the_limit_holds() -> None:
    """0.1 + 0.2 queries at a time are 3/10 of one, though not as floats."""
    system = shop(write=1, rates=(800, 1))
    (answer,) = [a for a in carried(Graph(system)) if a.subject.name == "orders-db"]  # type: ignore[union-attr]
    assert isinstance(answer, Proved)
    worse = shop(write=1, rates=(800.000001, 1))
    (answer,) = [a for a in carried(Graph(worse)) if a.subject.name == "orders-db"]  # type: ignore[union-attr]
    assert isinstance(answer, Refuted)
    assert isinstance(answer.counterexample, WorstPoint)
    assert answer.counterexample.busy > LIMIT * answer.counterexample.capacity


def test_other_rules_take_the_worst_corner_too() -> None:
    between = [Between("orders-db", "write", 1 * ms, 9 * ms)]
    (demand,) = worst_demands(Graph(shop(between=between)))
    assert {store.name: asked.write_busy for store, asked in demand.stores.items()}[
        "orders-db"
    ] == (pytest.approx(0.9))


# -- sizes --------------------------------------------------------------------------------------


@examples(40)
@given(st.integers(1, 500), st.integers(1, 40))
def test_the_fewest_replicas_are_the_fewest(rate: int, work: int) -> None:
    """Against trying every number of replicas."""

    def carries(replicas: int) -> bool:
        system = shop(0.001, 0.99, work, (rate, 1), replicas=replicas)
        return "web" not in {
            a.subject.name  # type: ignore[union-attr]
            for a in carried(Graph(system), LIMIT)
            if isinstance(a, Refuted)
        }

    fewest = next(count for count in range(1, 200) if carries(count))
    sizes = suggest_sizes(Graph(shop(0.001, 0.99, work, (rate, 1), replicas=199)))
    (edit,) = [edit for edit in sizes.edits if "web" in edit.label]
    assert edit.values == {"replicas": fewest}


def pooled(size: int, accepted: int = 100) -> System:
    system = shop(write=8, work=1)
    (web,) = system.services
    store = MySQL("orders-db", write=8 * ms, parallelism=1, max_connections=accepted)
    others = [member for member in system.elements if member.name not in ("web", "orders-db")]
    pool = [Pool("orders-db", size)]
    return dataclasses.replace(
        system, elements=[store, *others, dataclasses.replace(web, pools=pool)]
    )


def test_pools_get_the_connections_that_they_use() -> None:
    sizes = suggest_sizes(Graph(pooled(40)))
    assert [str(edit) for edit in sizes.edits] == [
        "web: deployment: replicas: 3 becomes 2",
        "web: pool of orders-db: size: 40 becomes 1",
    ]
    assert sizes.conflicts == ()


def test_a_database_that_takes_too_few_connections_is_named() -> None:
    sizes = suggest_sizes(Graph(pooled(40, accepted=1)))
    assert any(text.startswith("orders-db: the smallest pools need") for text in sizes.conflicts)


def test_suggested_sizes_carry_the_load() -> None:
    system = shop(work=20, rates=(300, 300))
    sizes = suggest_sizes(Graph(system))
    mended = apply(system, sizes.edits)
    assert not any(
        isinstance(a, Refuted) and a.subject.name == "web"  # type: ignore[union-attr]
        for a in carried(Graph(mended))
    )


# -- admission and rollouts -----------------------------------------------------------------------


@examples(40)
@given(st.integers(1, 900), st.integers(1, 20))
def test_admission_is_the_load_that_fills_the_weakest_part(limit: int, work: int) -> None:
    """Two replicas of ten threads, against the bottleneck law."""
    place = Endpoint("place", steps=[Work(Constant(work * ms))], rate_limit=RateLimit(limit / s))
    up = Kubernetes(replicas=2)
    system = System(
        "shop",
        [Service("web", runtime=SpringBoot(threads=10), deployment=up, endpoints=[place])],
    )
    (answer,) = admissions(Graph(system))
    assert isinstance(answer, Refuted if limit * work > 20 * 1000 else Proved)


def test_rollouts_against_every_placement() -> None:
    """Replicas in three zones, any zone lost, any others away for the rollout."""
    for replicas, away, needed in itertools.product(range(2, 8), range(3), range(1, 7)):
        up = Kubernetes(
            replicas=replicas, zones=["a", "b", "c"], rollout=RollingUpdate(max_unavailable=away)
        )
        place = Endpoint("place", steps=[Work(Constant(100 * ms))])
        system = System(
            "shop",
            [Service("web", runtime=SpringBoot(threads=1), deployment=up, endpoints=[place])],
            journeys=[Journey("buy", "web.place")],
            scenarios=[Scenario("peak", load=[Load("buy", Poisson((10 * needed - 1) / s))])],
        )
        zones = [number % 3 for number in range(replicas)]
        left = min(
            sum(zones[n] != lost and n not in gone for n in range(replicas))
            for lost in range(3)
            for gone in itertools.combinations(range(replicas), min(away, replicas))
        )
        (answer,) = rollouts(Graph(system))
        assert isinstance(answer, Refuted if left < needed else Proved)


# -- wrong input ----------------------------------------------------------------------------------


def wrong(system: System) -> str:
    with pytest.raises(ModelError) as caught:
        list(carried(Graph(system)))
    assert "\n" not in str(caught.value)
    return caught.value.sentence


@pytest.mark.parametrize(
    ("between", "sentence"),
    [
        (
            [Between("orders-db", "write", 3 * ms, 4 * ms)],
            "orders-db declares a write of 2 ms, which is not between 3 ms and 4 ms",
        ),
        (
            [
                Between("orders-db", "write", 1 * ms, 2 * ms),
                Between("orders-db", "write", 3 * ms, 4 * ms),
            ],
            "orders-db has a write between 3 ms and 4 ms here, but between 1 ms and 2 ms at",
        ),
        ([Between("web", "write", 1 * ms, 2 * ms)], "'web' has no write"),
        ([Between("pages", "hit_ratio", 1 * percent, 2 * percent)], "no step asks 'pages' as a"),
        ([Between("orders-db", "work", 1 * ms, 2 * ms)], "'orders-db' is a datastore and cannot"),
    ],
)
def test_ranges_that_contradict_are_one_sentence(between: list[Between], sentence: str) -> None:
    assert sentence in wrong(shop(between=between))


@pytest.mark.parametrize(
    ("uncertain", "sentence"),
    [
        (
            [RateBetween("buy", 200 / s, 300 / s)],
            "buy is started 100 times a second at the peak of 'peak', which is not between",
        ),
        (
            [ShareBetween("buy", 70 * percent, 80 * percent), ShareBetween("look", "50%", "60%")],
            "the shares of the scenario 'peak' add up to at least 120%; 100% must be possible",
        ),
        (
            [ShareBetween("buy", 10 * percent, 20 * percent), ShareBetween("look", "5%", "60%")],
            "the shares of the scenario 'peak' add up to at most 80%",
        ),
    ],
)
def test_loads_that_contradict_are_one_sentence(uncertain: list[LoadRange], sentence: str) -> None:
    assert sentence in wrong(shop(uncertain=uncertain))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Between("db", "write", 4 * ms, 1 * ms),
        lambda: Between("db", "hit_ratio", 4 * ms, 1 * ms),
        lambda: Between("db", "write", 4 * percent, 9 * percent),
        lambda: RateBetween("buy", 4 / s, 1 / s),
        lambda: ShareBetween("buy", 40 * percent, 1 * percent),
    ],
)
def test_a_range_that_is_none_is_refused(make: object) -> None:
    with pytest.raises(ModelError, match="needs a"):
        make()  # type: ignore[operator]


def test_a_range_of_a_journey_without_load() -> None:
    system = shop()
    lonely = Scenario(
        "peak", load=[Load("buy", Poisson(1 / s))], uncertain=[RateBetween("look", 1 / s, 2 / s)]
    )
    assert "has no load of 'look'" in wrong(dataclasses.replace(system, scenarios=[lonely]))


def test_a_load_without_a_rate_is_a_question() -> None:
    system = shop()
    streams = [Load("buy", Recorded(times=[1 * s])), Load("look", Closed(3, think=1 * s))]
    asked = dataclasses.replace(system, scenarios=[Scenario("peak", load=streams)])
    answers = [a for a in carried(Graph(asked)) if isinstance(a, Undecided)]
    assert "load" in [gap.attribute for answer in answers for gap in answer.gaps]


def test_ranges_survive_json_and_keep_their_targets() -> None:
    from archcheck.model import from_json, to_json

    system = shop(
        between=[Between("cache", "hit_ratio", 80 * percent, 95 * percent)],
        uncertain=[RateBetween("buy", 1 / s, 200 / s), ShareBetween("buy", "1%", "99%")],
    )
    assert from_json(to_json(system)) == system
    with pytest.raises(ModelError, match="there is no 'nowhere'"):
        shop(between=[Between("nowhere", "write", 1 * ms, 2 * ms)])
