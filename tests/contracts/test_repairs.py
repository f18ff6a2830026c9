"""A repair is offered only if it costs no answers: judged by runs that it has not seen."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from depth import sample
from generated import generated

from archcheck import (
    Absent,
    Cached,
    Call,
    Constant,
    CustomRuntime,
    Endpoint,
    Exponential,
    Journey,
    Kubernetes,
    Load,
    MySQL,
    Network,
    Poisson,
    Pool,
    Read,
    Redis,
    Retry,
    Scenario,
    Service,
    Slo,
    System,
    Wait,
    Work,
    fix,
)
from archcheck.mending import shortest_timeouts
from archcheck.mending.losses import Losses
from archcheck.mending.waits import SHORTEST
from archcheck.plugins import rules
from archcheck.simulation import compare
from archcheck.units import ms, percent, s


def keeps_its_word(system: System, mended: System) -> None:
    """Other seeds and longer runs than those by which the repair was judged."""
    for scenario in system.scenarios:
        longer = replace(scenario, duration=120 * s)
        old, new = compare(
            [("old", system, longer), ("new", mended, longer)], seed=977, replications=8
        ).variants
        for each in new.compared:
            more = each.difference
            assert more is not None
            if each.metric == "errors":
                assert more.value - more.half_width <= 0.0005, str(each)
        met = {reading.objective for reading in old.result.objectives if reading.state == "met"}
        for reading in new.result.objectives:
            assert reading.state != "missed" or reading.objective not in met, str(reading)


def check(services: int, seed: int) -> None:
    """A generated system: something is mended, and nothing is lost."""
    system = generated(services, seed)
    done = fix(system)
    assert done.edits
    assert done.after < done.before
    assert done.at_least <= done.cost
    keeps_its_word(system, done.system)


@pytest.mark.parametrize(("services", "seed"), sample([(8, 1), (8, 2), (12, 3), (15, 1), (25, 1)]))
def test_generated_systems_lose_nothing(services: int, seed: int) -> None:
    check(services, seed)


def shop(*, patience: int, tail: int, tries: int = 1, rate: float = 20) -> System:
    """A call that waits ``patience`` ms for what takes ``tail`` ms on average, with attempts."""
    up = Kubernetes(replicas=2)
    retry = Retry(attempts=tries, backoff=1 * ms, jitter=True)
    ask = Call("orders", timeout=patience * ms)
    query = Read("db", timeout=600 * ms, retry=retry)
    return System(
        "shop",
        [
            MySQL("db", read=Exponential(tail * ms), copies=1),
            Service("web", deployment=up, endpoints=[Endpoint("buy", steps=[ask])]),
            Service(
                "orders",
                deployment=up,
                pools=[Pool("db", size=20)],
                endpoints=[Endpoint("place", steps=[Work(Constant(1 * ms)), query])],
            ),
        ],
        journeys=[Journey("checkout", "web.buy", slo=Slo(availability=99 * percent))],
        scenarios=[Scenario("day", load=[Load("checkout", Poisson(rate / s))])],
        network=Network(delay=0.2 * ms),
    )


@pytest.mark.parametrize("tail", [2, 20, 60])
@pytest.mark.parametrize("tries", [1, 3])
def test_a_timeout_leaves_room_for_what_it_waits_for(tail: int, tries: int) -> None:
    """The query may take 600 ms and the caller waits 300 ms: one of them must change."""
    system = shop(patience=300, tail=tail, tries=tries)
    chosen = [rule for rule in rules() if rule.id in ("RES002", "RES003")]
    done = fix(system, chosen)
    assert done.before
    assert not done.after
    keeps_its_word(system, done.system)
    for edit in done.edits:
        if edit.label.endswith("db") and "timeout" in edit.values:
            assert float(edit.values["timeout"]) >= 6.9 * tail / 1000  # p99.9 of an exponential


def test_what_cannot_be_mended_keeps_nothing_else_from_it() -> None:
    """Users wait 5 ms for what takes 20: nothing helps. A query without a timeout gets one."""
    system = shop(patience=900, tail=20)
    hopeless = Journey("hasty", "web.buy", timeout=5 * ms)
    orders = system.find("orders")
    assert isinstance(orders, Service)
    open_ = replace(orders, endpoints=[Endpoint("place", steps=[Read("db")])])
    made = replace(
        system,
        elements=[open_ if part is orders else part for part in system.elements],
        journeys=[*system.journeys, hopeless],
    )
    chosen = [rule for rule in rules() if rule.id in ("RES001", "RES002", "RES003")]
    done = fix(made, chosen)
    assert ("RES001", "orders.place -> db") not in done.after
    assert [text for text in done.impossible if text.startswith("RES003 hasty: ")]
    assert not done.is_complete
    keeps_its_word(made, done.system)


def test_out_of_time_is_said_and_keeps_what_is_found() -> None:
    system = generated(15, 1)
    done = fix(system, proof_budget=0.001)
    assert done.is_out_of_time
    assert all("not repaired within the time" in text for text in done.impossible)


def test_requests_that_nobody_took_hide_no_tail() -> None:
    """Of 1,000 requests a second the two threads take some; all others are turned away at once."""
    crowd = shop(patience=300, tail=20, rate=1000)
    orders = crowd.find("orders")
    assert isinstance(orders, Service)
    small = replace(
        orders,
        runtime=CustomRuntime(concurrency="blocking", threads=1, accept_queue=Absent("none")),
    )
    made = replace(crowd, elements=[small if part is orders else part for part in crowd.elements])
    shortest = shortest_timeouts(made)
    assert float(shortest["orders.place -> db"]) > 6.9 * 0.020
    assert float(shortest["web.buy -> orders.place"]) > 6.9 * 0.020


def test_of_few_requests_the_longest_is_not_yet_the_tail() -> None:
    """Once a second among a thousand others: of some fifty attempts one lasts four means."""
    rare = Endpoint("rare", steps=[Read("db")])
    made = System(
        "shop",
        [
            MySQL("db", read=5 * ms),
            Service("web", endpoints=[rare, Endpoint("often", steps=[Work(Constant(1 * ms))])]),
        ],
        journeys=[Journey(name, f"web.{name}") for name in ("rare", "often")],
        scenarios=[
            Scenario(
                "day",
                load=[Load("rare", Poisson(1 / s)), Load("often", Poisson(1000 / s))],
                duration=60 * s,
            )
        ],
    )
    assert float(shortest_timeouts(made)["web.rare -> db"]) > 1.5 * 6.9 * 0.005


def test_what_a_cache_takes_is_measured_too() -> None:
    lookup = Cached("cache", hit_ratio=90 * percent, timeout=50 * ms, steps=[Work(1 * ms)])
    made = System(
        "shop",
        [
            Redis("cache", read=0.2 * ms),
            Service("web", endpoints=[Endpoint("get", steps=[lookup])]),
        ],
        journeys=[Journey("use", "web.get")],
        scenarios=[Scenario("day", load=[Load("use", Poisson(100 / s))], duration=60 * s)],
    )
    assert float(shortest_timeouts(made)["web.get -> cache"]) == SHORTEST


def test_a_missed_objective_is_a_loss_of_its_journey() -> None:
    """All is answered, too late."""
    system = shop(patience=900, tail=5)
    web = next(each for each in system.services if each.name == "web")
    slow = replace(web, endpoints=[Endpoint("buy", steps=[Wait(90 * ms), *web.endpoints[0].steps])])
    promised = replace(system.journeys[0], slo=Slo(p99=80 * ms))
    before = replace(system, journeys=[promised])
    after = replace(before, elements=[slow if e.name == "web" else e for e in before.elements])
    (loss,) = Losses(before).first(after)
    assert loss.journey == "checkout"
    assert re.fullmatch(r"under day, p99 of checkout is .* ms, promised 80 ms", loss.text)
