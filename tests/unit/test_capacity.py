"""Rates, latencies and bottlenecks against sums done by hand."""

from __future__ import annotations

import pytest

from archcheck import (
    Call,
    Choice,
    Closed,
    Endpoint,
    Journey,
    Kubernetes,
    Load,
    Mix,
    MySQL,
    Network,
    Parallel,
    Poisson,
    Ramp,
    Read,
    Scenario,
    Service,
    SpringBoot,
    System,
    Work,
)
from archcheck.capacity import Latencies, journey_rates, operation_rates, peak_rate, resources
from archcheck.graph import Graph
from archcheck.units import minutes, ms, s


@pytest.fixture
def graph() -> Graph:
    both = Parallel([Call("back.look"), Work(4 * ms)])
    return Graph(
        System(
            "s",
            [
                Service(
                    "front",
                    runtime=SpringBoot("3.4", threads=10),
                    deployment=Kubernetes(replicas=2),
                    endpoints=[Endpoint("get", steps=[Work(3 * ms), both])],
                ),
                Service("back", endpoints=[Endpoint("look", steps=[Read("rows")])]),
                MySQL("rows", read=5 * ms, max_connections=50),
                Journey("j", "front.get"),
            ],
            network=Network(delay=1 * ms),
        )
    )


def test_latency_adds_steps_and_takes_the_slowest_branch(graph: Graph) -> None:
    assert Latencies(graph).of("front.get").seconds == pytest.approx(0.003 + 0.002 + 0.002 + 0.005)


def test_a_thread_is_held_to_the_end(graph: Graph) -> None:
    sized, unsized = resources(graph, {"j": 100.0})
    front = next(resource for resource in sized if resource.holder.name == "front")
    assert front.servers == 20
    assert front.busy == pytest.approx(100 * 0.012)
    assert front.headroom == pytest.approx(20 / 1.2)
    assert [open_.holder.name for open_ in unsized] == []


def test_rates_follow_the_visits(graph: Graph) -> None:
    rates = operation_rates(graph, {"j": 7.0})
    assert (rates["front.get"], rates["back.look"], rates["rows"]) == (7.0, 7.0, 7.0)


def test_peak_rates_of_streams() -> None:
    assert peak_rate(Ramp(10 / s, 60 / s, over=1 * minutes)) == 60
    assert peak_rate(Closed(30, think=2 * s)) == 15


def test_a_mix_is_divided_by_weight_and_loads_add() -> None:
    scenario = Scenario(
        "peak",
        load=[
            Mix([Choice("a", 3), Choice("b", 1)], Poisson(100 / s)),
            Load("b", Poisson(5 / s)),
        ],
    )
    assert journey_rates(scenario) == {"a": 75.0, "b": 30.0}
