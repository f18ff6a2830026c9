"""The functions of the package: lazily loaded, typed, and giving the results themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import archcheck
from archcheck import ModelError, Scenario, ScenarioError, System
from archcheck.loading import load
from archcheck.planning import CapacityPlan
from archcheck.proof import Proofs
from archcheck.proof.repair import Repair
from archcheck.resilience import AvailabilityResult
from archcheck.simulation import SimulationResult
from archcheck.units import percent, s
from archcheck.verification import Verification

EXAMPLE = Path(__file__).parents[2] / "examples" / "checkout.py"
HEAVY = {"z3", "simpy", "diagrams", "altair", "rich", "numpy", "networkx", "IPython"}
FUNCTIONS = {
    "availability", "diagram", "fix", "plan", "prove", "report", "simulate", "verify", "with_",
}  # fmt: skip


def loaded(program: str) -> set[str]:
    """The modules that a program has loaded at its end, by their first name."""
    end = "; import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", program + end], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_functions_load_nothing_before_they_are_called() -> None:
    assert not HEAVY & loaded("import archcheck; archcheck.Service; archcheck.verify")
    assert "pydantic" not in loaded("import archcheck")


def test_verifying_does_not_load_what_draws() -> None:
    program = f"import archcheck.loading as l; s, = l.load({str(EXAMPLE)!r}); import archcheck"
    assert not {"z3", "diagrams", "altair", "rich"} & loaded(f"{program}; archcheck.verify(s)")


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


def test_a_repair_has_its_patch() -> None:
    (system,) = load(EXAMPLE)
    found = archcheck.fix(system, costs={"timeout": 1.0})
    assert isinstance(found, Repair)
    assert found.original is system
    assert "timeout=" in found.patch.diff()
    assert archcheck.verify(found.system).count("error") < archcheck.verify(system).count("error")
    with pytest.raises(ModelError, match="the cheapest repair is not found"):
        archcheck.fix(system, proof_budget=0.0)


def test_a_scenario_is_a_value_a_name_or_the_first() -> None:
    (system,) = load(EXAMPLE)
    by_name = archcheck.simulate(system, "peak", duration=5 * s)
    assert archcheck.simulate(system, duration=5 * s).journeys == by_name.journeys
    value = archcheck.simulate(system, system.scenarios[0], duration=5 * s)
    assert value.journeys == by_name.journeys
    with pytest.raises(ModelError, match="did you mean 'peak'"):
        archcheck.simulate(system, "paek")
    with pytest.raises(ScenarioError, match="declares no scenario; write one, such as Scenario"):
        archcheck.simulate(System("empty", []))
    assert isinstance(system.scenarios[0], Scenario)
