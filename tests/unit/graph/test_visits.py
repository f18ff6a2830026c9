"""How often a journey visits what: the traffic equations against sums done by hand."""

from __future__ import annotations

import pytest

from archcheck import (
    Cached,
    Call,
    Consumer,
    Endpoint,
    Journey,
    Kafka,
    ModelError,
    Parallel,
    PostgreSQL,
    Publish,
    Read,
    Redis,
    Repeat,
    Service,
    System,
    Topic,
    WithProbability,
)
from archcheck.graph import Graph
from archcheck.units import percent


def visited(*steps: object) -> dict[str, float]:
    """Visits of one run of a journey whose entry has ``steps``."""
    journey = Journey("j", "front.get")
    system = System(
        "s",
        [
            Service("front", endpoints=[Endpoint("get", steps=steps)]),  # type: ignore[arg-type]
            Service("back", endpoints=[Endpoint("look", steps=[Read("rows"), Read("rows")])]),
            Service("worker", consumers=[Consumer("jobs", name="work", steps=[Call("back.look")])]),
            PostgreSQL("rows"),
            Redis("fast"),
            Kafka("kafka"),
            Topic("jobs", broker="kafka"),
            journey,
        ],
    )
    visits = Graph(system).visits(journey)
    return {**visits.of_targets(), **visits.operations}


def test_probabilities_repeats_and_cache_misses_multiply() -> None:
    inner = Cached("fast", [Call("back.look")], hit_ratio=75 * percent)
    counts = visited(WithProbability(50 * percent, [Repeat(8, [inner])]))
    assert counts["fast"] == 4
    assert counts["back.look"] == 1
    assert counts["rows"] == 2


def test_parallel_branches_are_all_visited() -> None:
    assert visited(Parallel([Call("back.look"), Call("back.look")]))["back.look"] == 2


def test_what_a_message_causes_is_part_of_the_journey() -> None:
    counts = visited(Publish("jobs"))
    assert counts["worker.work"] == 1
    assert counts["rows"] == 2


def cyclic(probability: float) -> Graph:
    again = WithProbability(probability * percent, [Call("b.y")])
    return Graph(
        System(
            "s",
            [
                Service("a", endpoints=[Endpoint("x", steps=[again])]),
                Service("b", endpoints=[Endpoint("y", steps=[Call("a.x")])]),
                Journey("j", "a.x"),
            ],
        )
    )


def test_a_cycle_that_dies_out_is_a_geometric_series() -> None:
    graph = cyclic(50)
    assert graph.visits(graph.system.journeys[0]).operations["a.x"] == pytest.approx(2.0)


def test_a_cycle_without_end_is_refused_by_name() -> None:
    graph = cyclic(100)
    with pytest.raises(ModelError, match="call each other without end"):
        graph.visits(graph.system.journeys[0])
