"""Plans from elsewhere: what is wrong is named by its field, and nothing crashes."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from depth import examples
from differential.generator import plan_from
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from archcheck import ScenarioError
from archcheck.loading import load
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.engines import fast, reference
from archcheck.simulation.plan import Plan
from archcheck.simulation.plan.checking import PlanError, check_plan
from archcheck.simulation.plan.jsonform import plan_from_json, plan_to_json

MODELS = Path(__file__).parents[3] / "models"


@pytest.mark.parametrize("model", ["online_boutique", "shop", "social_network"])
def test_a_plan_survives_the_way_through_json(model: str) -> None:
    for system in load(MODELS / model):
        for scenario in system.scenarios:
            plan = compile_plan(system, scenario)
            assert plan_from_json(plan_to_json(plan)) == plan


@pytest.mark.parametrize(
    ("table", "field", "value", "message"),
    [
        ("calls", "operation", 99, r"calls\[0\]: operation is 99, but there are \d+ of them"),
        ("calls", "there", -1.0, r"calls\[0\]: there must be a number from 0"),
        ("calls", "there", float("nan"), r"calls\[0\]: there must be a number from 0"),
        ("groups", "nodes", -1, r"groups\[0\]: nodes must be a whole number from 0"),
        ("groups", "nodes", "many", r"groups\[0\]: nodes must be a whole number"),
        ("stations", "group", -1, r"stations\[0\]: group is -1"),
        ("operations", "error_rate", 1.5, r"operations\[0\]: error_rate must be a number from 0"),
        ("journeys", "entries", (), r"journeys\[0\]: a journey needs an entry"),
        ("streams", "factor", float("inf"), r"streams\[0\]: factor must be a number"),
    ],
)
def test_a_plan_made_by_hand_is_refused_by_its_field(
    table: str, field: str, value: Any, message: str
) -> None:
    plan = plan_from(random.Random(1))
    first, *others = getattr(plan, table)
    broken = dataclasses.replace(
        plan, **{table: (dataclasses.replace(first, **{field: value}), *others)}
    )
    with pytest.raises(PlanError, match=message):
        check_plan(broken)


def test_blocks_that_run_each_other_are_refused() -> None:
    plan = plan_from(random.Random(5))
    index = next(n for n, steps in enumerate(plan.blocks) if any(step.blocks for step in steps))
    looped = tuple(
        dataclasses.replace(step, blocks=tuple(index for _ in step.blocks))
        for step in plan.blocks[index]
    )
    blocks = (*plan.blocks[:index], looped, *plan.blocks[index + 1 :])
    with pytest.raises(PlanError, match=rf"blocks\[{index}\]: the block runs itself"):
        check_plan(dataclasses.replace(plan, blocks=blocks))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "the text is not JSON"),
        ("[]", "the plan"),
        ("[" * 100_000, "the text is not JSON"),
        ('{"stations": 1}', "stations"),
        ('{"stations": []}', "groups: Missing required argument|groups: Field required"),
    ],
)
def test_a_text_that_is_no_plan_is_one_sentence(text: str, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        plan_from_json(text)


WEIRD = st.sampled_from(
    [
        *(None, -1, 0, 1, 3, 2**31, 2**63, 2**64, 10**30, -5, 0.5, 1e308),
        *(float("nan"), float("inf"), float("-inf"), "x", "", True, [], [0], {}, [[1, 2]]),
    ]
)


@examples(300, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 200), st.integers(0, 2**31), WEIRD)
def test_a_corrupted_plan_is_refused_or_runs(seed: int, where: int, value: object) -> None:
    data = json.loads(plan_to_json(plan_from(random.Random(seed))))
    places = list(_places(data))
    holder, key = places[where % len(places)]
    holder[key] = value
    try:
        plan = plan_from_json(json.dumps(data))
        if fast.is_compiled():
            _run_a_little(plan)
    except (PlanError, ScenarioError, MemoryError):
        return


def _run_a_little(plan: Plan) -> None:
    record = fast.run(plan, seed=1, duration=0.2, warmup=0.0, watch=lambda _: True)
    assert record.events >= 0


def _places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in nested lists and objects at which a value stands."""
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in items:
        yield data, key
        if isinstance(value, dict | list):
            yield from _places(value)


@pytest.mark.skipif(not fast.is_compiled(), reason="the engine is not compiled")
def test_a_run_that_is_stopped_says_how_far_it_came() -> None:
    (system,) = load(MODELS / "shop")
    scenario = next(each for each in system.scenarios if each.name == "evening")
    plan = compile_plan(system, scenario)
    for engine in (fast, reference):
        seen: list[float] = []

        def watch(time: float, seen: list[float] = seen) -> bool:
            seen.append(time)
            return True

        record = engine.run(plan, seed=1, duration=1200.0, warmup=0.0, watch=watch)
        assert not record.is_complete
        assert 0 < record.end == seen[0] < 1200
        assert len(seen) == 1
        for tally in record.journeys:
            assert tally.started == tally.finished + tally.in_flight
