"""Retries after rejections do not add up, unless an attempt may wait before it is rejected."""

from __future__ import annotations

import pytest

from archcheck import (
    Bulkhead,
    Call,
    Constant,
    Docker,
    Endpoint,
    Journey,
    LoadShedding,
    MySQL,
    Network,
    Poisson,
    Pool,
    Read,
    Retry,
    Scenario,
    Service,
    SpringBoot,
    System,
    Work,
)
from archcheck.graph import Graph
from archcheck.model import Load
from archcheck.proof import Proved, Refuted, deadline_budgets
from archcheck.simulation import simulate
from archcheck.units import ms, s

AGAIN = Retry(attempts=3, backoff=1 * ms, factor=1, jitter=False, on=["rejected"])


def claim(system: System) -> object:
    """What is said of the edge's timeout of 400 ms for the service."""
    (answer,) = [
        each
        for each in deadline_budgets(Graph(system))
        if getattr(each.subject, "name", "") == "edge.run -> middle.run"
    ]
    return answer


def asking(middle: Service, *others: object) -> System:
    edge = Service(
        "edge", endpoints=[Endpoint("run", steps=[Call("middle.run", timeout=400 * ms)])]
    )
    journey = Journey("j", "edge.run", timeout=10 * s)
    load = Scenario("c", load=[Load(journey, Poisson(20 / s))])
    elements = [edge, middle, *others]
    return System("x", elements, journeys=[journey], scenarios=[load], network=Network(delay=0 * s))


def calling(bulkhead: Bulkhead | None = None, shedding: LoadShedding | None = None) -> System:
    call = Call("below.run", timeout=200 * ms, retry=AGAIN, bulkhead=bulkhead)
    middle = Service("middle", endpoints=[Endpoint("run", steps=[call])])
    below = Service("below", shedding=shedding, endpoints=[Endpoint("run", steps=[Work(1 * ms)])])
    return asking(middle, below)


def test_a_rejected_call_is_rejected_at_once() -> None:
    assert isinstance(claim(calling()), Proved)
    assert isinstance(claim(calling(Bulkhead(5, max_wait=0 * s))), Proved)


@pytest.mark.parametrize(
    "system",
    [
        calling(Bulkhead(5)),  # its longest wait is anything
        calling(Bulkhead(5, max_wait=190 * ms)),
        calling(shedding=LoadShedding(priorities=["gold", "iron"])),  # displaced while it waits
    ],
)
def test_a_call_that_may_wait_first_adds_up(system: System) -> None:
    assert isinstance(claim(system), Refuted)


def test_a_query_may_wait_for_a_connection_and_a_run_shows_it() -> None:
    store = MySQL("store", read=Constant(180 * ms), parallelism=4)
    read = Read("store", timeout=200 * ms, retry=AGAIN)
    middle = Service(
        "middle",
        runtime=SpringBoot(threads=50),
        deployment=Docker(replicas=1),
        pools=[Pool("store", 1, max_wait=190 * ms)],
        endpoints=[Endpoint("run", steps=[read])],
    )
    system = asking(middle, store)
    assert isinstance(claim(system), Refuted)
    run = simulate(system, system.scenarios[0], duration=20 * s)
    assert run.call("edge.run -> middle.run").timed_out > 0
