"""The compiled engine against the reference engine: the same trajectories, to the last bit."""

from __future__ import annotations

import random

import pytest
from depth import examples, sample
from differential.compare import Collected, difference, in_spans
from differential.generator import END, plan_from
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from archcheck import (
    Call,
    Endpoint,
    Journey,
    Load,
    Network,
    Poisson,
    Scenario,
    ScenarioError,
    Service,
    System,
)
from archcheck.simulation import simulate
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.engines import fast
from archcheck.simulation.plan import Outcome
from archcheck.simulation.record import BUCKETS
from archcheck.units import ms, s

pytestmark = pytest.mark.skipif(not fast.is_compiled(), reason="the engine is not compiled")

CHUNKS, PER_CHUNK = 20, 25
"""A small share of what ``make attack`` compares."""


def check(seed: int) -> None:
    warmup = 0.1 if seed % 3 == 0 else 0.0
    found = difference(plan_from(random.Random(seed)), seed=seed, duration=END, warmup=warmup)
    assert found is None, f"seed {seed}: {found}"


@pytest.mark.parametrize("chunk", sample(range(CHUNKS)))
def test_both_engines_agree_on_every_event_of_generated_systems(chunk: int) -> None:
    for seed in range(chunk * PER_CHUNK, (chunk + 1) * PER_CHUNK):
        check(seed)


@pytest.mark.parametrize("chunk", sample(range(CHUNKS)))
def test_every_journey_that_fails_has_one_reason(chunk: int) -> None:
    for seed in range(chunk * PER_CHUNK, (chunk + 1) * PER_CHUNK):
        plan = plan_from(random.Random(seed))
        try:
            record = fast.run(plan, seed=seed, duration=END, warmup=0.1 * END)
        except ScenarioError:  # a deadlock
            continue
        for tally, series, failures in zip(
            record.journeys, record.series, record.failures, strict=True
        ):
            assert sum(failures.counts.values()) == sum(tally.outcomes[Outcome.TIMED_OUT :])
            by_interval = [sum(each) for each in zip(*failures.series.values(), strict=True)]
            assert (by_interval or [0] * BUCKETS) == series.failed


@examples(100, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False), st.integers(0, 2**32), st.sampled_from([0.0, 0.2]))
def test_a_difference_is_shrunk_to_the_smallest_system(
    source: random.Random, seed: int, warmup: float
) -> None:
    found = difference(plan_from(source), seed=seed, duration=END, warmup=warmup)
    assert found is None, found


def test_the_compiled_engine_knows_the_numbers_of_the_plan() -> None:
    from archcheck.simulation.engines.fast._engine import numbers_of_the_plan

    for enumeration, numbers in numbers_of_the_plan().items():
        assert numbers == tuple(enumeration), enumeration


def test_a_difference_is_told_with_the_event_that_differs() -> None:
    plan = plan_from(random.Random(3))
    tracer = Collected()
    fast.run(plan, seed=3, duration=END, warmup=0.0, tracer=tracer)
    spans = tracer.spans
    changed = [*spans[:5], spans[5]._replace(end=1.5), *spans[6:]]
    told = in_spans(plan, spans, changed)
    assert told is not None
    assert told.startswith("event 5: the reference engine has ")
    assert "to 1.5" in told
    assert "nothing more" in str(in_spans(plan, spans, spans[:-1]))


def chain(length: int, delay: float) -> System:
    services = [Service("svc0", endpoints=[Endpoint("run")])]
    for n in range(1, length):
        endpoint = Endpoint("run", steps=[Call(f"svc{n - 1}.run")])
        services.append(Service(f"svc{n}", endpoints=[endpoint]))
    return System(
        "chain",
        services,
        journeys=[Journey("go", f"svc{length - 1}.run")],
        scenarios=[Scenario("load", load=[Load("go", Poisson(10 / s))])],
        network=Network(delay=delay * ms),
    )


@pytest.mark.parametrize("engine", sample(["fast", "simpy"]))
def test_calls_too_deep_to_follow_end_with_a_sentence(engine: str) -> None:
    system = chain(1200, 0.0)
    with pytest.raises(Exception, match="calls within calls too deep to follow"):
        simulate(system, system.scenarios[0], duration=1 * s, engine=engine)  # type: ignore[arg-type]
    system = chain(1200, 0.1)
    result = simulate(system, system.scenarios[0], duration=1 * s, engine=engine)  # type: ignore[arg-type]
    assert result.journeys[0].ok > 0


def test_the_same_result_on_both_engines() -> None:
    system = chain(3, 0.1)
    plan = compile_plan(system, system.scenarios[0])
    assert difference(plan, seed=1, duration=20.0) is None
