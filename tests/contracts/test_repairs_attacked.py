"""Repairs that were broken once by somebody who knew the pages only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archcheck import (
    Arrivals,
    Call,
    Diurnal,
    Endpoint,
    Http1,
    Journey,
    Load,
    Mmpp,
    Poisson,
    PostgreSQL,
    RateStep,
    Scenario,
    Service,
    Slo,
    SpringBoot,
    Stepped,
    System,
    Work,
    Write,
    fix,
)
from archcheck.mending import shortest_timeouts
from archcheck.mending.losses import Losses
from archcheck.mending.runs import judging_runs
from archcheck.simulation import compare
from archcheck.units import hours, minutes, ms, percent, s


def charging(arrivals: Arrivals) -> System:
    """A database that is 86% busy at 430 requests a second, and 10% at 50."""
    charge = [Work(3 * ms), Write("db")]
    return System(
        "charging",
        [
            Service("web", endpoints=[Endpoint("buy", Http1(), steps=[Call("pay.charge")])]),
            Service(
                "pay",
                runtime=SpringBoot("4.1", threads=16),
                endpoints=[Endpoint("charge", Http1(), idempotent=True, steps=charge)],
            ),
            PostgreSQL("db", copies=2, write=8 * ms, parallelism=4),
        ],
        journeys=[Journey("buy", "web.buy", slo=Slo(availability=99.9 * percent))],
        scenarios=[Scenario("day", load=[Load("buy", arrivals)])],
    )


LATE = [
    Stepped([RateStep(50 / s, 30 * minutes), RateStep(430 / s, 5 * minutes)]),
    Diurnal(low=50 / s, high=430 / s, period=24 * hours),
    Mmpp(calm=50 / s, busy=430 / s, calm_lasts=30 * minutes, busy_lasts=2 * minutes),
]


@pytest.mark.parametrize("arrivals", LATE, ids=lambda each: type(each).__name__)
def test_a_peak_that_comes_late_is_waited_for(arrivals: Arrivals) -> None:
    """A minute's run does not see it."""
    done = fix(charging(arrivals))
    assert {edit.label for edit in done.edits} == {"web.buy -> pay.charge", "pay.charge -> db"}
    busiest = Scenario("day", load=[Load("buy", Poisson(430 / s))], duration=60 * s)
    both = [("old", done.original, busiest), ("new", done.system, busiest)]
    _, new = compare(both, seed=977, replications=4).variants
    assert all(reading.state != "missed" for reading in new.result.objectives)


def test_a_timeout_that_cuts_a_late_peak_is_a_loss() -> None:
    quiet = charging(LATE[0])
    pay = next(each for each in quiet.services if each.name == "pay")
    hasty = replace(
        pay,
        endpoints=[
            Endpoint("charge", Http1(), idempotent=True, steps=[Write("db", timeout=64 * ms)])
        ],
    )
    after = replace(quiet, elements=[hasty if e is pay else e for e in quiet.elements])
    losses = [*Losses(quiet).of(after)]
    assert losses
    assert all("under day at its peak" in loss.text for loss in losses)


def test_a_peak_that_nothing_carries_is_named_and_not_run() -> None:
    """How long requests wait then hangs on the length of the run."""
    over = charging(Stepped([RateStep(50 / s, 30 * minutes), RateStep(900 / s, 5 * minutes)]))
    assert judging_runs(over).not_run == ("day at its peak (db cannot carry it for long)",)
    assert float(shortest_timeouts(over).get("pay.charge -> db", 0)) < 1
