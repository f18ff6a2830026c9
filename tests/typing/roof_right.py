"""What the package's functions give, as a type checker sees it."""

from pathlib import Path
from typing import assert_type

import archcheck
from archcheck import Scenario, System
from archcheck.diagrams import Picture
from archcheck.planning import CapacityPlan
from archcheck.proof import Proofs
from archcheck.proof.repair import Repair
from archcheck.resilience import AvailabilityResult, ChaosResult, PhaseMap
from archcheck.simulation import Comparison, SimulationResult
from archcheck.units import percent, s
from archcheck.verification import Verification

shop = System("shop", [])
peak = Scenario("peak", load=[])

assert_type(archcheck.verify(shop), Verification)
assert_type(archcheck.prove(shop, ["deadlines"], failures=2), Proofs)
assert_type(archcheck.fix(shop, costs={"timeout": 1.0}), Repair)
assert_type(archcheck.simulate(shop, "peak", duration=30 * s), SimulationResult)
assert_type(archcheck.simulate(shop, peak, precision=2 * percent), SimulationResult)
assert_type(archcheck.compare(shop, [{"payments.replicas": 6}], "peak"), Comparison)
assert_type(archcheck.chaos(shop, "peak"), ChaosResult)
assert_type(archcheck.phase_map(shop, "payments slow"), PhaseMap)
assert_type(archcheck.plan(shop, growth=5 * percent), CapacityPlan)
assert_type(archcheck.availability(shop, zone_availability=99.9 * percent), AvailabilityResult)
assert_type(archcheck.diagram(archcheck.verify(shop), "failure", of="ledger"), Picture)
assert_type(archcheck.report(shop), Path)
assert_type(archcheck.with_(shop, {"payments.replicas": 6}), System)
