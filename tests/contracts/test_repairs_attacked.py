"""Repairs that were broken once by somebody who knew the pages only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from depth import sample
from hypothesis import given
from hypothesis import strategies as st

from archcheck import (
    Arrivals,
    Call,
    Client,
    Diurnal,
    Endpoint,
    Http1,
    Journey,
    Kubernetes,
    Load,
    Mmpp,
    ModelError,
    Network,
    Poisson,
    Pool,
    PostgreSQL,
    Probe,
    RateStep,
    Read,
    Resources,
    Retry,
    Scenario,
    Service,
    Slo,
    SpringBoot,
    Step,
    Stepped,
    Suppression,
    System,
    Work,
    Write,
    fix,
)
from archcheck.editing import apply
from archcheck.findings import Result, Rule, Violation, subject_name
from archcheck.graph import Graph
from archcheck.graph.exact import Rational, preferred_down, preferred_up
from archcheck.mending import explain, of_edits, shortest_timeouts, without_losses
from archcheck.mending.losses import Losses
from archcheck.mending.runs import judging_runs
from archcheck.plugins import rules
from archcheck.proof import Proved, Refuted, prove, suggest_sizes
from archcheck.reporting.repairs import headline, outcome, what_it_mends
from archcheck.simulation import compare
from archcheck.units import Duration, GiB, cores, hours, minutes, ms, percent, s


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


@pytest.mark.parametrize("arrivals", sample(LATE), ids=lambda each: type(each).__name__)
def test_a_peak_that_comes_late_is_waited_for(arrivals: Arrivals) -> None:
    """A minute's run does not see it."""
    done = fix(charging(arrivals))
    assert {edit.label for edit in done.edits} == {"web.buy -> pay.charge", "pay.charge -> db"}
    busiest = Scenario("day", load=[Load("buy", Poisson(430 / s))], duration=60 * s)
    both = [("old", done.original, busiest), ("new", done.system, busiest)]
    _, new = compare(both, seed=977, replications=3).variants
    assert all(reading.state != "missed" for reading in new.result.objectives)


def test_a_timeout_that_cuts_a_late_peak_is_a_loss() -> None:
    quiet = charging(LATE[0])
    pay = next(each for each in quiet.services if each.name == "pay")
    hasty = replace(
        pay,
        endpoints=[
            Endpoint("charge", Http1(), idempotent=True, steps=[Write("db", timeout=70 * ms)])
        ],
    )
    after = replace(quiet, elements=[hasty if e is pay else e for e in quiet.elements])
    losses = Losses(quiet).first(after)
    assert losses
    assert all("under day at its peak" in loss.text for loss in losses)


def test_a_peak_that_nothing_carries_is_named_and_not_run() -> None:
    """How long requests wait then hangs on the length of the run."""
    over = charging(Stepped([RateStep(50 / s, 30 * minutes), RateStep(900 / s, 5 * minutes)]))
    assert judging_runs(over).not_run == ("day at its peak (db cannot carry it for long)",)
    assert float(shortest_timeouts(over).get("pay.charge -> db", 0)) < 1


UP = Kubernetes(zones=["a", "b"], spread="topology_spread", readiness=Probe("http", period=5 * s))


def pods(count: int, cpu: int = 1) -> Kubernetes:
    limits = Resources(cpu=cpu * cores, cpu_limit=cpu * cores, memory=1 * GiB, memory_limit=1 * GiB)
    return replace(UP, replicas=count, resources=limits)


def stays_proved(before: System, after: System) -> None:
    """Claims with the same words, and none that is refuted for the first time."""
    old, new = (
        {
            (subject_name(each.subject), each.claim): type(each)
            for part in prove(Graph(system)).answered
            for each in part.answers
        }
        for system in (before, after)
    )
    for key, kind in old.items():
        if kind is Proved:
            assert new.get(key, Proved) is Proved, key
    for key, kind in new.items():
        assert kind is not Refuted or old.get(key) in (Refuted, Proved), key


def paying() -> System:
    """Six replicas with large pools: fewer carry the load, and lose what is proved of a zone."""
    charge = [Work(3 * ms), Read("db", timeout=200 * ms), Write("db", timeout=200 * ms)]
    look = [Work(3 * ms), Read("db", timeout=2 * s, time=400 * ms)]
    ask = Call("pay.charge", timeout=900 * ms, retry=Retry(attempts=5))
    return System(
        "paying",
        [
            Service("web", deployment=pods(2), endpoints=[Endpoint("buy", Http1(), steps=[ask])]),
            Service(
                "pay",
                runtime=SpringBoot("4.1", threads=60),
                deployment=pods(6, 2),
                pools=[Pool("db", size=40)],
                endpoints=[Endpoint("charge", Http1(), idempotent=True, steps=charge)],
            ),
            Service(
                "stats",
                runtime=SpringBoot("4.1", threads=60),
                deployment=pods(2, 2),
                pools=[Pool("db", size=40)],
                endpoints=[Endpoint("get", Http1(), idempotent=True, steps=look)],
            ),
            PostgreSQL(
                "db",
                copies=2,
                zones=["a", "b"],
                replication="sync",
                failover="automatic",
                read=6 * ms,
                write=12 * ms,
            ),
        ],
        journeys=[Journey("buy", "web.buy", critical=True), Journey("look", "stats.get")],
        scenarios=[
            Scenario("day", load=[Load("buy", Poisson(150 / s)), Load("look", Poisson(50 / s))])
        ],
    )


def test_fewer_replicas_lose_nothing_that_is_proved() -> None:
    system = paying()
    wanted = suggest_sizes(Graph(system)).edits
    kept = without_losses(system, wanted).edits
    assert kept
    assert kept != wanted
    stays_proved(system, apply(system, kept))


def test_pools_that_are_too_many_shrink_by_what_they_are_for() -> None:
    """In proportion to their size, one would be too small when a zone is lost."""
    done = fix(paying(), [rule for rule in rules() if rule.id in ("DAT005", "DEP013")])
    sizes = {edit.label: edit.values["size"] for edit in done.edits}
    assert sizes.keys() == {"pay: pool of db", "stats: pool of db"}
    assert sizes["stats: pool of db"] > 2 * sizes["pay: pool of db"]
    assert not done.after


def home() -> System:
    """What is optional takes longer than it is waited for; the page promises 300 ms."""
    ask = Call("rec.get", timeout=200 * ms, retry=Retry(attempts=3, backoff=20 * ms, jitter=True))
    return System(
        "home",
        [
            Service(
                "web",
                endpoints=[
                    Endpoint(
                        "home",
                        Http1(),
                        steps=[
                            Call("list.get", timeout=200 * ms),
                            Call("ads.get", timeout=80 * ms, optional=True),
                        ],
                    )
                ],
            ),
            *(
                Service(name, endpoints=[Endpoint("get", Http1(), idempotent=True, steps=steps)])
                for name, steps in [
                    ("list", [Work(3 * ms)]),
                    ("ads", [Work(3 * ms), ask]),
                    ("rec", [Work(6 * ms)]),
                ]
            ),
        ],
        journeys=[Journey("home", "web.home", slo=Slo(p99=300 * ms))],
        scenarios=[Scenario("day", load=[Load("home", Poisson(100 / s))])],
        network=Network(delay=0.2 * ms),
    )


def test_a_deadline_that_is_proved_stays_proved() -> None:
    system = home()
    done = fix(system, [rule for rule in rules() if rule.id in ("RES002", "RES003")])
    assert done.before
    assert not done.after
    stays_proved(system, done.system)


def reading(timeout: Duration | None) -> System:
    steps = [Read("db", timeout=timeout)]
    return System(
        "reading",
        [Service("pay", endpoints=[Endpoint("do", steps=steps)]), PostgreSQL("db", read=2 * ms)],
        journeys=[Journey("buy", "pay.do", timeout=1 * s)],
    )


def test_without_a_load_a_new_timeout_is_what_the_rule_advises() -> None:
    done = fix(reading(None), [rule for rule in rules() if rule.id == "RES001"])
    (edit,) = done.edits
    assert edit.values["timeout"] == 250 * ms
    assert done.not_run == (
        "anything under load, as no load is declared: timeouts are those of declared times",
    )


def test_without_a_load_no_timeout_is_cut_below_its_tail() -> None:
    """Exponential, 2 ms on average: one in a thousand takes 13.8 ms."""
    system = reading(50 * ms)
    assert float(shortest_timeouts(system)["pay.do -> db"]) == 0.014
    unknown = replace(system, elements=[*system.services, PostgreSQL("db")])
    assert float(shortest_timeouts(unknown)["pay.do -> db"]) == 0.050


def busy(count: int, rate: float = 140) -> System:
    pay = Service(
        "pay",
        runtime=SpringBoot("4.1"),
        deployment=pods(count),
        endpoints=[Endpoint("charge", Http1(), idempotent=True, steps=[Work(10 * ms)])],
    )
    return System(
        "busy",
        [pay],
        journeys=[Journey("buy", "pay.charge", critical=True)],
        scenarios=[Scenario("sale", load=[Load("buy", Poisson(rate / s))])],
    )


def test_where_a_number_is_refused_the_next_ones_are_tried() -> None:
    """Four replicas carry the load without a zone, but not in a rollout (DEP013)."""
    done = fix(busy(2), [rule for rule in rules() if rule.id in ("PRF001", "DEP013")])
    (edit,) = done.edits
    assert edit.values == {"replicas": 6}
    assert not done.after
    assert not done.refused


def own_rule(check: Callable[[Graph], Iterator[Result]]) -> list[Rule]:
    rule = Rule("OWN001", "own", severity="error", method="attr")
    rule.check(check)
    return [rule]


def test_a_longer_timeout_that_a_rule_forbids_becomes_a_shorter_one_below() -> None:
    def no_longer_than_300(graph: Graph) -> Iterator[Result]:
        for step in graph.calls():
            if isinstance(step.timeout, Duration) and step.timeout > 300 * ms:
                yield Violation(step, "waits too long")

    ask, pay = Call("pay.charge", timeout=300 * ms), Call("bank.pay", timeout=300 * ms)
    system = System(
        "shared",
        [
            Service("front", endpoints=[Endpoint("buy", Http1(), steps=[ask])]),
            Service("pay", endpoints=[Endpoint("charge", Http1(), steps=[Work(5 * ms), pay])]),
            Service("bank", endpoints=[Endpoint("pay", Http1(), steps=[Work(10 * ms)])]),
        ],
        journeys=[Journey("buy", "front.buy")],
        scenarios=[Scenario("peak", load=[Load("buy", Poisson(50 / s))])],
    )
    chosen = [rule for rule in rules() if rule.id in ("RES002", "RES003")]
    done = fix(system, [*chosen, *own_rule(no_longer_than_300)])
    assert done.before
    assert not done.after
    assert [edit.label for edit in done.edits] == ["pay.charge -> bank.pay"]


def test_a_rule_that_fails_afterwards_has_mended_nothing() -> None:
    def few(graph: Graph) -> Iterator[Result]:
        for service in graph.system.services:
            if service.deployment is not None and service.deployment.replicas != 1:
                raise ValueError("more than one")
            yield Violation(service, "has one replica")

    single = busy(1, rate=5)
    done = fix(single, [*(rule for rule in rules() if rule.id == "RES012"), *own_rule(few)])
    assert not done.edits
    ((_, why),) = done.refused
    assert why == "brings OWN001 (the rule itself fails)"


def test_a_suppression_of_what_is_mended_is_removed_with_it() -> None:
    accepted = Suppression("RES012", "pay", reason="cheap")
    system = replace(busy(1), suppressions=[accepted])
    done = fix(system, [r for r in rules() if r.id in ("RES012", "PRF001", "MOD007")])
    assert done.edits
    assert done.needless == ("suppression of RES012 for pay",)
    assert "remove with it: the suppression of RES012 for pay" in "\n".join(outcome(done))
    assert "introduced:" not in "\n".join(outcome(done))


def test_what_two_rules_ask_for_is_one_edit_and_paid_once() -> None:
    names = ("pay", "stock")
    ask = [Call(f"{name}.do", timeout=100 * ms) for name in names]
    steps: list[Step] = [Work(1 * ms)]
    system = System(
        "pair",
        [
            Service("web", deployment=pods(4), endpoints=[Endpoint("do", Http1(), steps=ask)]),
            *(
                Service(name, deployment=pods(1), endpoints=[Endpoint("do", Http1(), steps=steps)])
                for name in names
            ),
        ],
        journeys=[Journey("buy", "web.do", critical=True)],
    )
    done = fix(system, [rule for rule in rules() if rule.id in ("RES012", "RES013", "DEP002")])
    assert sorted(edit.label for edit in done.edits) == ["pay: deployment", "stock: deployment"]
    assert done.cost == done.at_least == 8
    assert not done.after


def test_a_headline_says_what_is_the_case() -> None:
    fine = busy(6)
    assert headline(fix(fine, [])) == "nothing is found that fix could mend"
    late = fix(busy(1), proof_budget=0.0)
    assert headline(late).startswith("nothing was found in the time")
    some = fix(busy(1, rate=5), [rule for rule in rules() if rule.id == "RES012"])
    assert headline(some) == "1 edit at a cost of 4, the least that is possible"
    assert headline(of_edits(some, [])) == "nothing was taken"


def test_two_steps_of_a_name_are_told_apart() -> None:
    steps: list[Step] = [Read("db"), Write("db"), Read("db", timeout=1 * s), Read("db")]
    system = System(
        "reading",
        [Service("pay", endpoints=[Endpoint("do", steps=steps)]), PostgreSQL("db", read=2 * ms)],
    )
    done = fix(system, [rule for rule in rules() if rule.id == "RES001"])
    assert [edit.label for edit in done.edits] == [
        "pay.do -> db (read 1)",
        "pay.do -> db (write)",
        "pay.do -> db (read 3)",
    ]


def test_a_timeout_that_is_a_clients_is_named() -> None:
    """Three attempts of 300 ms do not fit into the 300 ms that the caller's client gives it."""
    retry = Retry(attempts=3, backoff=10 * ms)
    client = Client(timeout=300 * ms)
    asks = Call("bank.pay", timeout=300 * ms, retry=retry)
    system = System(
        "clients",
        [
            Service("front", clients=[client], endpoints=[Endpoint("buy", steps=[Call("pay.do")])]),
            Service("pay", endpoints=[Endpoint("do", steps=[asks])]),
            Service("bank", endpoints=[Endpoint("pay", idempotent=True, steps=[Work(200 * ms)])]),
        ],
        network=Network(delay=0.2 * ms),
    )
    done = fix(system, [rule for rule in rules() if rule.id == "RES003"], costs={"timeout": 1.0})
    label = "front.buy -> pay.do (300 ms from its client)"
    assert label in {edit.label for edit in done.edits}


@given(st.integers(1, 10**7).map(lambda number: Rational(number, 1000)))
def test_what_people_write_is_a_quarter_away_at_most(seconds: Rational) -> None:
    above, below = preferred_up(seconds), preferred_down(seconds)
    assert below <= seconds <= above
    assert above <= Rational(5, 4) * seconds
    assert preferred_up(above) == above == preferred_down(above)


def test_reasons_keep_to_the_time_and_claim_nothing_that_is_left() -> None:
    chosen = [rule for rule in rules() if rule.id in ("RES002", "RES003")]
    done = fix(home(), chosen)
    for each in explain(done, chosen):
        assert each.mends
        assert not done.after.intersection(each.mends)
    late = explain(done, chosen, seconds=-1.0)
    assert [each.mends for each in late] == [None] * len(done.edits)
    assert what_it_mends(late[0]) == "not looked at: the time was up"


def test_what_fix_has_no_edits_for_is_named() -> None:
    """Four replicas carry the load without a zone, but not while they are rolled out."""
    done = fix(busy(4), [rule for rule in rules() if rule.id in ("PRF001", "DEP013")])
    assert not done.edits
    assert "left, as fix has no edits for it: DEP013 (1)" in [*outcome(done)]


def test_a_repair_shows_itself_in_a_line() -> None:
    done = fix(busy(6))
    assert len(repr(done)) < 120
    with pytest.raises(ModelError, match="fix takes a System"):
        fix("model.py")  # type: ignore[arg-type]  # what somebody tries first
