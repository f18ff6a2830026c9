"""Every command judges objectives with the same words, and the same runs with the same word."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from depth import sample
from rich.console import Console

from archcheck import (
    Constant,
    CustomRuntime,
    Docker,
    Endpoint,
    Journey,
    Load,
    Network,
    Poisson,
    Scenario,
    Service,
    Slo,
    System,
    Work,
)
from archcheck.findings import PERCENTILES, Objective, Reading, evaluate, gravest
from archcheck.graph import Graph
from archcheck.loading import load
from archcheck.planning import at_peak, plan_capacity
from archcheck.planning.probing import PlanSimulator
from archcheck.planning.readings import read_flow, read_result
from archcheck.plugins import rules
from archcheck.reporting.planning import plan_data
from archcheck.reporting.report import carry_out, report_page
from archcheck.reporting.simulation import comparison_data, print_simulation, simulation_data
from archcheck.simulation import Latencies, SimulationResult, compare, judge_objectives, simulate
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.run_lengths import RUNS
from archcheck.units import Duration, ms, percent, s

MODELS = sorted((Path(__file__).parents[2] / "models").iterdir())
FIELDS = {"subject", "name", "bound", "value", "half_width", "early", "basis", "state"}


def shop(threads: int, bound: Duration, rate: int = 80, *, availability: bool = True) -> System:
    """A service of ten milliseconds: met, missed, open or overloaded, as the numbers say."""
    promised = Slo(p99=bound, availability=99.9 * percent if availability else None)
    calm = Service("calm", endpoints=[Endpoint("look", steps=[Work(1 * ms)])])
    busy = Service(
        "busy",
        runtime=CustomRuntime(concurrency="blocking", threads=threads),
        deployment=Docker(replicas=1),
        endpoints=[Endpoint("due", steps=[Work(Constant(10 * ms))])],
    )
    return System(
        "shop",
        [busy, calm],
        journeys=[
            Journey("pay", "busy.due", slo=promised),
            Journey("look", "calm.look", slo=Slo(p95=50 * ms)),
            Journey("never", "calm.look", slo=Slo(p95=50 * ms)),
        ],
        scenarios=[
            Scenario(
                "day",
                load=[Load("pay", Poisson(rate / s)), Load("look", Poisson(50 / s))],
                duration=20 * s,
            )
        ],
        network=Network(delay=0 * ms),
    )


SMALL = {
    "met": shop(2, 100 * ms),
    "missed": shop(1, 12 * ms),
    "open": shop(1, 95 * ms),
    "overloaded": shop(1, 95 * ms, rate=120),
}


def words(data: list[dict[str, object]]) -> dict[tuple[object, object], object]:
    assert all(set(each) == FIELDS for each in data)
    return {
        (each["subject"], each["name"]): each["state"] for each in data if each["name"] != "load"
    }


def of(readings: tuple[Reading, ...]) -> dict[tuple[str, str], str]:
    return {
        (each.objective.subject, each.objective.name): each.state
        for each in readings
        if each.objective.name != "load"
    }


def shown(result: SimulationResult) -> str:
    console = Console(file=io.StringIO(), width=200)
    print_simulation(console, result)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


def assert_says_the_same(result: SimulationResult) -> None:
    """Of the same runs, every report and every reader of results."""
    states = of(result.objectives)
    assert words(simulation_data(result)["objectives"]) == states
    read = read_result([each.objective for each in result.objectives], result)
    assert of(read) == states
    text = " ".join(shown(result).split())
    for reading in result.objectives:
        objective = reading.objective
        row = f"{objective.name} of {objective.subject} {objective.shown(objective.bound)}"
        assert f"{row} {reading.shown} {reading.state}" in text


def systems() -> list[System]:
    return [load(path)[0] for path in MODELS] + list(SMALL.values())


@pytest.mark.parametrize("system", sample([*systems()]), ids=lambda system: system.name)
def test_the_same_runs_get_the_same_words_everywhere(system: System) -> None:
    scenario = system.scenarios[0]
    options = {"replications": RUNS, "seed": 3}
    compared = compare([("as declared", system, scenario)], duration=5 * s, **options)
    ran = compared.variants[0].result.duration  # longer, where queues need it
    result = simulate(system, scenario, duration=ran * s, **options)
    assert_says_the_same(result)
    (variant,) = comparison_data(compared)["variants"]
    assert words(variant["objectives"]) == of(result.objectives)
    single = simulate(system, scenario, duration=5 * s)
    assert_says_the_same(single)
    assert all(each.state != "met" or each.half_width is not None for each in single.objectives)


@pytest.mark.parametrize("kind", SMALL)
def test_the_rule_says_what_its_runs_say(kind: str) -> None:
    system = SMALL[kind]
    judged = judge_objectives(system, system.scenarios[0], requests=500)
    assert judged is not None
    (rule,) = (rule for rule in rules() if rule.id == "PRF003")
    outcome = evaluate(rule, Graph(system))
    states = of(judged.objectives)
    assert_says_the_same(judged)
    assert states[("look", "p95")] == "met"
    assert ("never", "p95") not in states
    if kind != "open":
        violated = {occurrence.subject for f in outcome.findings for occurrence in f.occurrences}
        assert violated == ({"pay"} if states[("pay", "p99")] == "missed" else set())
        assert states[("pay", "p99")] == ("missed" if kind == "overloaded" else kind)


@pytest.mark.parametrize("kind", sample([*SMALL]))
def test_no_command_contradicts_another(kind: str) -> None:
    """Each with runs of its own: one may leave open what another decides, none says otherwise."""
    system = SMALL[kind]
    judged = judge_objectives(system, system.scenarios[0], requests=2_000)
    planned = plan_capacity(system, target=1.0, stop=lambda: True)
    plan = at_peak(compile_plan(system, system.scenarios[0]))
    confirmed = PlanSimulator(system, system.scenarios[0]).simulated(
        plan, planned.flow, planned.objectives
    )
    planned.today = read_result(planned.objectives, confirmed)
    review = carry_out(system, rules=[], without=("proofs", "plan"))
    assert judged is not None
    assert review.run is not None
    found = [of(judged.objectives), of(planned.today), of(review.run.objectives)]
    assert words(plan_data(planned)["objectives"]) == found[1]
    for objective in found[0]:
        assert not {"met", "missed"} <= {each[objective] for each in found}
    assert plan_data(planned)["carried"] == planned.carried == gravest(planned.today)
    page = report_page(review)
    for reading in review.run.objectives:
        assert f">{reading.state}</td>" in page


def test_every_percentile_that_can_be_promised_is_measured() -> None:
    every = Slo(**dict.fromkeys(PERCENTILES, 1 * ms))  # type: ignore[arg-type]
    assert {name: share for name, share, _ in every.latencies()} == PERCENTILES
    assert set(PERCENTILES) <= set(Latencies.__dataclass_fields__)


def test_one_formula_decides() -> None:
    p99 = Objective("pay", "p99", 0.4)
    good = Objective("pay", "availability", 0.999)
    cases = {
        ("met", p99, 0.39, 0.01),
        ("open", p99, 0.39, 0.02),
        ("open", p99, 0.41, 0.02),
        ("missed", p99, 0.43, 0.02),
        ("missed", p99, float("inf"), None),
        ("open", p99, 0.1, None),
        ("open", p99, float("nan"), None),
        ("met", good, 1.0, 0.0),
        ("met", good, 0.9995, 0.0001),
        ("open", good, 0.9995, 0.001),
        ("missed", good, 0.99, 0.001),
    }
    for state, objective, value, half in cases:
        assert Reading(objective, value, half).state == state
    assert str(Reading(p99, 0.39, 0.01)) == "p99 of pay is 390 ms ± 10 ms, promised 400 ms"
    assert str(Reading(good, 0.9995, 0.0001)) == (
        "availability of pay is 99.95% ± 0.01%, promised 99.9%"
    )


def test_an_analytic_answer_is_open_within_its_usual_error() -> None:
    def judged(bound: Duration) -> tuple[Reading, float]:
        plan = plan_capacity(shop(1, bound), target=1.0, stop=lambda: True)
        assert not plan.today
        readings = read_flow(plan.objectives, plan.flow)
        assert {reading.basis for reading in readings} == {"analytic"}
        assert plan.carried == gravest(readings)
        assert plan.flow.accuracy is not None
        return readings[0], plan.flow.accuracy.tail

    reading, off = judged(10 * ms)
    assert reading.half_width == pytest.approx(off * reading.value)
    bounds = (reading.value * (1 + share * off) for share in (-1.3, -0.7, 0.7, 1.3))
    states = [judged(Duration(bound))[0].state for bound in bounds]
    assert states == ["missed", "open", "open", "met"]
    assert reading.state == "missed"
