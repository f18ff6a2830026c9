"""What the report says in words: whether it holds, what to do first, the answers by question."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import pytest
from depth import thorough
from marketplace import marketplace

from archcheck.diagrams.views import Effect, Loss
from archcheck.findings import Objective, Reading
from archcheck.graph import Graph
from archcheck.graph.reach import dependencies, dependents
from archcheck.model import System
from archcheck.planning import JourneyLimit, StationFlow
from archcheck.reporting.report import Review, carry_out
from archcheck.reporting.report.answers import first_steps, journey_verdicts, verdict
from archcheck.reporting.report.elements import deployed, owned, owner_of
from archcheck.reporting.report.losses import Lost, losses
from archcheck.reporting.report.questions import QUESTIONS, answered, limited, on_failures
from archcheck.reporting.report.sections import identities, ranked, shown_findings, shown_proofs
from archcheck.simulation import SimulationResult, simulate

P95 = Objective("checkout", "p95", 0.4)
FLOOR = Objective("browse", "availability", 0.99)


@cache
def shop() -> System:
    return marketplace(7)


@cache
def review() -> Review:
    return carry_out(shop(), without=("simulation", "plan"))


@cache
def run() -> SimulationResult:
    return simulate(shop(), shop().scenario("evening"), duration=1)


def reading(objective: Objective, value: float, half: float | None = 0.001) -> Reading:
    return Reading(objective, value, half)


class Told(SimulationResult):
    """A run that came to other readings."""

    told: tuple[Reading, ...]

    @property
    def objectives(self) -> tuple[Reading, ...]:  # type: ignore[override]
        return self.told


def with_readings(*readings: Reading, **more: object) -> Review:
    told = object.__new__(Told)
    told.__dict__.update(run().__dict__, told=readings)
    return replace(review(), run=told, **more)  # type: ignore[arg-type]


def quiet(**more: object) -> Review:
    """A review without a finding or a question."""
    checked = replace(review().verification, outcomes=())
    assert review().proofs is not None
    return replace(review(), verification=checked, proofs=None, **more)  # type: ignore[arg-type]


@thorough
def test_errors_missed_objectives_and_refuted_claims_say_no() -> None:
    said = verdict(review())
    assert (said.state, said.lead) == ("missed", "It does not hold")
    assert "9 errors" in said.reasons
    assert "no objective simulated" in said.reasons
    missed = replace(quiet(), run=with_readings(reading(P95, 0.5), reading(FLOOR, 0.999)).run)
    said = verdict(missed)
    assert said.state == "missed"
    assert "of 2 objectives under evening 1 is met, 1 is missed" in said.reasons
    refuted = verdict(replace(quiet(), proofs=review().proofs))
    assert refuted.lead == "It does not hold in every case"


def test_open_objectives_leave_it_open_and_kept_ones_say_yes() -> None:
    open_ = replace(quiet(), run=with_readings(reading(P95, 0.4, 0.1)).run)
    assert verdict(open_).lead == "Whether it holds is open"
    kept = replace(quiet(), run=with_readings(reading(P95, 0.2)).run)
    assert (verdict(kept).state, verdict(kept).lead) == ("met", "It holds")
    assert "1 objective met under evening" in verdict(kept).reasons


def test_journeys_are_told_with_their_gravest_reading_first() -> None:
    better = replace(P95, name="p50")
    told = journey_verdicts(
        with_readings(reading(FLOOR, 0.5), reading(better, 0.1), reading(P95, 0.5))
    )
    assert [(each.name, each.state) for each in told] == [
        ("checkout", "missed"), ("browse", "missed"),
    ]  # fmt: skip
    assert told[0].readings[0].startswith("p95 500 ms")
    assert "(at most 400 ms)" in told[0].readings[0]
    assert "(at least 99%)" in told[1].readings[0]


def busy(load: float) -> StationFlow:
    return StationFlow("orders-rules", "cores", 1, 1.0, load, 0.0)


def test_what_makes_a_critical_journey_miss_comes_first_and_names_the_resource() -> None:
    found = ranked(review().verification.findings)
    limits = (JourneyLimit("checkout", 60.0, busy(0.9), 1.1),)
    missed = with_readings(reading(P95, 0.5), limits=limits)
    steps = first_steps(missed, found)
    assert len(steps) == 5
    assert steps[0].what.startswith("relieve orders-rules cores")
    assert "checkout misses what is promised: p95 500 ms" in steps[0].effect
    assert all("fixes" in step.effect for step in steps[1:])
    idle = with_readings(reading(P95, 0.5), limits=(JourneyLimit("checkout", 60.0, busy(0.1), 9),))
    assert first_steps(idle, found)[0].what.startswith("shorten checkout")


def test_actions_link_to_their_findings_and_say_which_journeys_need_what_they_mend() -> None:
    found = ranked(review().verification.findings)
    names = {f"#{name}" for name in identities(found)}
    steps = first_steps(review(), found)
    assert 1 <= len(steps) <= 5
    assert all(step.href in names and step.fault for step in steps)
    assert any(step.effect.endswith("checkout needs it") for step in steps)


def test_findings_have_names_of_their_own_that_outlive_a_change_of_the_order() -> None:
    found = ranked(review().verification.findings)
    names = identities(found)
    assert len({*names}) == len(found)
    assert [*reversed(identities(found[::-1]))] == names


def test_every_finding_and_proof_stands_under_one_question() -> None:
    found = [*shown_findings(ranked(review().verification.findings))]
    proofs = [*shown_proofs(review())]
    parts = [*answered(review(), found, proofs, losses(review().canvas.graph))]
    assert [part.question for part in parts] == [*QUESTIONS]
    assert sorted(f.identity for part in parts for f in part.findings) == sorted(
        f.identity for f in found
    )
    assert sorted(p.name for part in parts for p in part.proofs) == sorted(p.name for p in proofs)


def test_losses_are_the_failure_views_and_the_proofs() -> None:
    graph = Graph(shop())
    found = losses(graph)
    assert [lost.name for lost in found[:3]] == ["a", "b", "c"]
    assert found[0].stops == ("checkout",)
    assert "payments-db" in found[0].gone
    for lost in found[3:]:
        loss = Loss(graph, lost.name)
        fails = [j.name for j in shop().journeys if loss.of_journey(j) is Effect.FAILS]
        assert [*lost.stops] == fails
        assert lost.effects[lost.name] == Effect.FAILS
    assert (
        "The loss of zone a stops checkout and may stop browse. "
        "The loss of zone b or zone c may stop checkout, browse." in on_failures(found)
    )


@pytest.mark.parametrize(
    ("zones", "said"),
    [
        (
            [((), ()), ((), ())],
            "Every journey survives the loss of any one of 2 zones, if what is left carries the "
            "load.",
        ),
        ([(("buy",), ()), ((), ())], "The loss of zone a stops buy. The loss of zone b stops no"),
    ],
)
def test_zones_with_the_same_fate_are_one_sentence(
    zones: list[tuple[tuple[str, ...], tuple[str, ...]]], said: str
) -> None:
    lost = [
        Lost(name, "zone", stops, may_stop, (), ())
        for name, (stops, may_stop) in zip("ab", zones, strict=True)
    ]
    assert on_failures(lost).startswith(said)


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (
            JourneyLimit("buy", 60.0, busy(0.6), 1 / 0.6),
            "buy is limited by orders-rules cores, 60% busy at 60/s and full at 100/s (x1.67)",
        ),
        (
            JourneyLimit("buy", 60.0, busy(0.6), 1 / 0.6, 0.5, P95),
            "buy misses its p95 from 30/s (x0.5) on; the first resource on its way to be full is "
            "orders-rules cores, 60% busy at 60/s and full at 100/s (x1.67)",
        ),
        (
            JourneyLimit("buy", 60.0, busy(0.6), math.nan),
            "buy is limited by orders-rules cores, 60% busy at 60/s",
        ),
        (
            JourneyLimit("buy", 60.0, None, math.inf),
            "nothing that buy waits for is known to fill up",
        ),
    ],
)
def test_what_limits_a_journey_is_one_sentence(limit: JourneyLimit, said: str) -> None:
    assert limited(limit) == said


def test_what_runs_where_is_what_the_model_declares() -> None:
    rows = {row.name: row for row in deployed(review())}
    assert [*rows] == [service.name for service in shop().services]
    api, rules = rows["orders-api"], rows["orders-rules"]
    assert (api.zones, api.replicas) == ("a, b, c", "3 to 9")
    assert api.platform == "Kubernetes, namespace orders"
    assert rules.given == "orders/rules:1.4.2, CPU 1, memory 512 MiB"


def test_who_owns_an_element_and_who_depends_on_it() -> None:
    graph = Graph(shop())
    core, store = shop().find("orders-core"), shop().find("orders-db")
    assert owner_of(graph, core) == "team-orders"
    assert owner_of(graph, store) == "team-orders"  # of those whose data it is
    assert dependents(graph)[core.name] == ("orders-api",)
    assert dependencies(graph)[core.name] == ("orders-db", "orders-events")
    assert dependencies(graph)["orders-jobs"] == ("orders-archive", "orders-events")
    assert [row.name for row in owned(review())] == [m.name for m in review().canvas.drawn]


def test_a_zone_that_there_is_no_time_for_may_stop_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("archcheck.reporting.report.losses._SECONDS", 0.0)
    journeys = {journey.name for journey in shop().journeys}
    zones = [lost for lost in losses(Graph(shop())) if lost.is_zone]
    assert [lost.name for lost in zones] == ["a", "b", "c"]
    assert all(set(lost.may_stop) == journeys for lost in zones)
