"""The functions of the package: lazily loaded, typed, and giving the results themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from depth import thorough

import archcheck
import archcheck.notebook
from archcheck import (
    Endpoint,
    Journey,
    Load,
    ModelError,
    Poisson,
    Scenario,
    ScenarioError,
    Service,
    System,
    Work,
)  # fmt: skip
from archcheck.loading import load
from archcheck.planning import CapacityPlan
from archcheck.proof import Proofs
from archcheck.proof.repair import Repair
from archcheck.resilience import AvailabilityResult, ChaosResult, PhaseMap
from archcheck.simulation import Comparison, SimulationResult
from archcheck.units import ms, percent, s
from archcheck.verification import Verification

EXAMPLE = Path(__file__).parents[2] / "examples" / "checkout.py"
HEAVY = {"z3", "simpy", "diagrams", "altair", "rich", "numpy", "networkx", "IPython"}
FUNCTIONS = {
    "availability", "chaos", "compare", "diagram", "fix", "phase_map", "plan", "prove", "report",
    "simulate", "verify", "with_",
}  # fmt: skip


def loaded(program: str) -> set[str]:
    """The modules that a program has loaded at its end, by their first name."""
    end = "; import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", program + end],
        capture_output=True,
        text=True,
        check=True,
        cwd=EXAMPLE.parents[1],
    )
    return set(done.stdout.split())


def test_the_functions_load_nothing_before_they_are_called() -> None:
    assert not HEAVY & loaded("import archcheck; archcheck.Service; archcheck.verify")
    assert "pydantic" not in loaded("import archcheck")


def test_verifying_does_not_load_what_draws() -> None:
    program = f"import archcheck.loading as l; s, = l.load({str(EXAMPLE)!r}); import archcheck"
    assert not {"z3", "diagrams", "altair", "rich"} & loaded(f"{program}; archcheck.verify(s)")


def test_a_command_loads_only_what_it_needs() -> None:
    """No proof of this model needs a solver, no rule a simulation, no journey a matrix."""
    words = ["archcheck", "verify", "models/shop", "--no-sim", "--output", os.devnull]
    program = f"import sys; sys.argv = {words}; from archcheck.cli.main import archcheck"
    assert not (HEAVY | {"pydantic"}) & loaded(program)
    heavy = HEAVY - {"rich"}
    assert not heavy & loaded(f"{program}; archcheck(standalone_mode=False)")


def test_all_functions_are_found_and_a_star_brings_the_vocabulary_alone() -> None:
    assert set(dir(archcheck)) >= FUNCTIONS
    assert not FUNCTIONS & set(archcheck.__all__)
    assert all(callable(getattr(archcheck, name)) for name in FUNCTIONS)
    with pytest.raises(AttributeError, match="has no attribute 'verfy'"):
        archcheck.verfy  # type: ignore[attr-defined]  # noqa: B018


def test_each_gives_the_result_itself() -> None:
    (system,) = load(EXAMPLE)
    assert isinstance(archcheck.verify(system), Verification)
    assert isinstance(archcheck.prove(system, ["deadlines"]), Proofs)
    assert isinstance(archcheck.simulate(system, duration=5 * s), SimulationResult)
    assert isinstance(archcheck.plan(system, target=1.0), CapacityPlan)
    available = archcheck.availability(system, zone_availability=99 * percent, samples=100)
    assert isinstance(available, AvailabilityResult)
    assert available.system is system


@thorough
def test_variants_triggers_and_phases_are_results_too() -> None:
    system = System(
        "one",
        [Service("a", endpoints=[Endpoint("run", steps=[Work(1 * ms)])])],
        journeys=[Journey("go", "a.run")],
        scenarios=[Scenario("calm", load=[Load("go", Poisson(2 / s))])],
    )
    found = archcheck.compare(system, [{"load": "x2"}], "calm", duration=20 * s)
    assert isinstance(found, Comparison)
    assert [each.name for each in found.variants] == ["as declared", "load=x2"]
    first, second = (each.result.journey("go").started for each in found.variants)
    assert second == pytest.approx(2 * first, rel=0.3)
    tried = archcheck.chaos(system, jobs=1)
    assert isinstance(tried, ChaosResult)
    assert archcheck.notebook.text(tried)
    mapped = archcheck.phase_map(system, "a fails", "calm", jobs=1)
    assert isinstance(mapped, PhaseMap)
    assert mapped.trigger == "a fails"
    with pytest.raises(ScenarioError):
        archcheck.phase_map(system, "a explodes", "calm")


def test_a_repair_has_its_patch() -> None:
    (system,) = load(EXAMPLE)
    found = archcheck.fix(system, costs={"timeout": 1.0})
    assert isinstance(found, Repair)
    assert found.original is system
    assert "timeout=" in found.patch.diff()
    assert len(found.after) < len(found.before)
    assert found.is_complete
    hurried = archcheck.fix(system, proof_budget=0.0)
    assert hurried.is_out_of_time
    assert not hurried.is_complete


def test_a_scenario_is_a_value_a_name_or_the_first() -> None:
    (system,) = load(EXAMPLE)
    by_name = archcheck.simulate(system, "peak", duration=5 * s)
    assert archcheck.simulate(system, duration=5 * s).journeys == by_name.journeys
    value = archcheck.simulate(system, system.scenarios[0], duration=5 * s)
    assert value.journeys == by_name.journeys
    with pytest.raises(ModelError, match="did you mean 'peak'"):
        archcheck.simulate(system, "paek")
    with pytest.raises(ScenarioError, match="declares no endpoint, so there is no request"):
        archcheck.simulate(System("empty", []))
    served = Service("shop", endpoints=[Endpoint("order")])
    with pytest.raises(ScenarioError, match="declares no journey; write one, such as Journey"):
        archcheck.simulate(System("served", [served]))
    journey = Journey("checkout", "shop.order")
    with pytest.raises(ScenarioError, match="declares no scenario; write one, such as Scenario"):
        archcheck.simulate(System("idle", [served], journeys=[journey]))
    assert isinstance(system.scenarios[0], Scenario)
