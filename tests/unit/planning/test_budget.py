"""A plan keeps its budget, and says what it has not worked out."""

from __future__ import annotations

import time

import pytest
from depth import sample

from archcheck import (
    Call,
    Endpoint,
    Journey,
    Kubernetes,
    Load,
    Poisson,
    PostgreSQL,
    Read,
    Resources,
    Retry,
    Scenario,
    Service,
    Slo,
    SpringBoot,
    System,
    Work,
)
from archcheck.findings import objectives_of, tightest
from archcheck.model import ScenarioError
from archcheck.planning import plan_capacity, solve_plan
from archcheck.planning.changes import at_peak, loaded
from archcheck.planning.readings import read_flow
from archcheck.planning.sustaining import analytic_limit
from archcheck.reporting.planning.tables import verdicts
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.engines import fast
from archcheck.simulation.plan import Plan
from archcheck.units import cores, ms, s

compiled = pytest.mark.skipif(not fast.is_compiled(), reason="the engine is not compiled")


def large(rate: float = 140, layers: int = 4, width: int = 7, calls: int = 7) -> System:
    """28 services with 20 stores whose journeys make several hundred calls, near saturation."""
    services, stores = [], []
    for number in range(layers * width):
        layer, place = divmod(number, width)
        steps: list[Work | Read | Call] = [Work(3 * ms)]
        if number < 20:
            stores.append(PostgreSQL(f"db{number}", belongs_to=f"s{number}", read=2 * ms))
            steps.append(Read(f"db{number}"))
        below = [(layer + 1) * width + (place + n) % width for n in range(calls)]
        steps += [
            Call(f"s{other}.run", timeout=500 * ms, retry=Retry(attempts=2, backoff=10 * ms))
            for other in (below if layer < layers - 1 else ())
        ]
        services.append(
            Service(
                f"s{number}",
                runtime=SpringBoot("3.4", threads=50),
                deployment=Kubernetes(replicas=4, resources=Resources(cpu_limit=2 * cores)),
                endpoints=[Endpoint("run", steps=steps)],
            )
        )
    names = [f"j{number}" for number in range(5)]
    return System(
        "large",
        [*services, *stores],
        journeys=[Journey(n, f"s{i}.run", slo=Slo(p99=3 * s)) for i, n in enumerate(names)],
        scenarios=[Scenario("peak", load=[Load(name, Poisson(rate / s)) for name in names])],
    )


def steady(system: System) -> Plan:
    return at_peak(compile_plan(system, system.scenarios[0]))


def test_the_generated_system_is_as_large_as_those_that_were_slow() -> None:
    flow = solve_plan(steady(large(rate=2)))
    calls = flow.requests / sum(journey.rate for journey in flow.journeys)
    assert 300 < calls < 900


@compiled
@pytest.mark.parametrize("budget", sample([3.0, 8.0]))
def test_a_plan_ends_within_its_budget_and_says_what_is_missing_and_why(budget: float) -> None:
    begun = time.monotonic()
    plan = plan_capacity(large(rate=10), budget=budget)
    assert time.monotonic() - begun < 3 * budget + 10  # without a budget it took minutes
    assert not plan.is_complete
    assert plan.sustained is not None or any("sustainable" in m.part for m in plan.missing)
    sentences = [text for _, text in verdicts(plan)]
    said = next(text for text in sentences if "not worked out" in text)
    assert f"the budget of {budget:g} s was too short (--budget)" in said
    for part in ("sizes", "capacity curve"):
        assert (part in said) == any(missing.part.startswith(part) for missing in plan.missing)
    if plan.sizing is None:
        assert not plan.is_fine


def test_a_budget_that_is_not_enough_for_one_solution_is_one_sentence() -> None:
    with pytest.raises(ScenarioError, match="the budget of 0 s is too short for one analytic"):
        plan_capacity(large(), budget=0.0)


def test_the_parts_after_a_long_one_get_their_share_of_the_time() -> None:
    plan = plan_capacity(large(rate=10), budget=4.0)
    assert plan.costs is not None
    missing = {each.part for each in plan.missing}
    assert plan.today or "today's load, simulated" in missing
    assert plan.alone or "each journey alone" in missing


@pytest.mark.parametrize("bound", [60, 300, 100_000])
def test_the_analytic_limit_is_that_of_a_fine_bisection(bound: float) -> None:
    system = large(rate=2, layers=2, width=3, calls=3)
    journeys = [
        Journey(j.name, f"s{i}.run", slo=Slo(p99=bound * ms))
        for i, j in enumerate(system.journeys[:3])
    ]
    load = [Load(j.name, Poisson(2 / s)) for j in journeys]
    system = System(
        "small", system.elements, journeys=journeys, scenarios=[Scenario("peak", load=load)]
    )
    plan, objectives = steady(system), objectives_of(system, ["j0", "j1", "j2"])
    factor, limit = analytic_limit(plan, objectives)
    assert limit is not None

    def carries(at: float) -> bool:
        return tightest(read_flow(objectives, solve_plan(loaded(plan, at)))).strain <= 1

    assert carries(factor / 1.0011)
    assert not carries(factor * 1.0011)


@compiled
def test_a_review_leaves_out_what_its_budget_has_no_time_for_and_says_so() -> None:
    from archcheck.reporting.report import carry_out

    review = carry_out(large(rate=10), rules=(), budget=3.0)
    assert any("for which the budget of 3 s was too short" in each for each in review.left_out)
