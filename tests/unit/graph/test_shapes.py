"""Groups of steps take the same for latencies, proofs and runs."""

from __future__ import annotations

from random import Random

import pytest

import archcheck
from archcheck import (
    Call,
    Constant,
    CustomRuntime,
    Deterministic,
    Endpoint,
    Feature,
    Flag,
    Journey,
    Load,
    Network,
    Parallel,
    Repeat,
    Scenario,
    Series,
    Service,
    Step,
    System,
    WithProbability,
    Work,
)
from archcheck.capacity import OperationLatencies
from archcheck.graph import Graph
from archcheck.graph.shapes import shape_of
from archcheck.model.element import element_types
from archcheck.model.steps import Group
from archcheck.proof.worst_cases import WorstCases
from archcheck.units import ms, percent, s

ROOMY = CustomRuntime(concurrency="lightweight", parallelism=10_000)


def tree(random: Random, depth: int = 3) -> Step:
    """Groups in groups, with constant work at the leaves; all of it is always taken."""
    kind = random.randrange(6) if depth else 0
    inside = [tree(random, depth - 1) for _ in range(random.randint(1, 3))] if kind else []
    match kind:
        case 1:
            return Series(inside)
        case 2:
            return Repeat(random.randint(1, 3), inside)
        case 3:
            return Feature("new", inside)
        case 4:
            return WithProbability(100 * percent, inside)
        case 5:
            slow = Call("worker.slow", optional=random.random() < 0.3, timeout=1 * s)
            return Parallel([*inside, slow])
        case _:
            return Work(Constant(random.randint(1, 9) * ms))


def system_of(*steps: Step) -> System:
    return System(
        "trees",
        [
            Service("front", runtime=ROOMY, endpoints=[Endpoint("get", steps=steps)]),
            Service(
                "worker",
                runtime=ROOMY,
                endpoints=[Endpoint("slow", steps=[Work(Constant(20 * ms))])],
            ),
            Flag("new", on=True),
        ],
        journeys=[Journey("visit", "front.get")],
        network=Network(delay=0 * ms),
    )


@pytest.mark.parametrize("seed", range(40))
def test_latency_and_run_agree_on_what_groups_take(seed: int) -> None:
    system = system_of(tree(Random(seed)))
    scenario = Scenario("calm", load=[Load("visit", Deterministic(1 / s))], duration=5 * s)
    result = archcheck.simulate(system, scenario, warmup=0 * s)
    graph = Graph(system)
    assert result.journeys[0].latency.mean == pytest.approx(
        OperationLatencies(graph).of("front.get").seconds, rel=0.01
    )


@pytest.mark.parametrize("seed", range(40))
def test_the_worst_case_of_work_alone_is_its_latency(seed: int) -> None:
    def without_calls(step: Step) -> Step:
        if isinstance(step, Parallel):
            return Series([without_calls(each) for each in step.steps[:-1]])
        if isinstance(step, Repeat):
            return Repeat(step.times, [without_calls(each) for each in step.steps])
        if isinstance(step, Group):
            return Series([without_calls(each) for each in step.steps])
        return step

    graph = Graph(system_of(without_calls(tree(Random(seed)))))
    worst = WorstCases(graph).of("front.get")
    assert float(worst.seconds) == pytest.approx(OperationLatencies(graph).of("front.get").seconds)


def test_every_group_of_the_vocabulary_has_a_shape() -> None:
    system = system_of(Work(1 * ms))
    some = {"times": 2, "probability": 50 * percent, "flag": "new", "cache": "cache"}
    for kind in element_types().values():
        if issubclass(kind, Group):
            required = {name: value for name, value in some.items() if name in kind.__annotations__}
            group = kind(steps=[Work(1 * ms)], **required)
            assert shape_of(system, group).steps == tuple(group.steps)
