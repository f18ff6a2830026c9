"""What is refuted, a run shows; and what is said wrongly, a run does not show."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction as Rational
from pathlib import Path
from random import Random

import pytest
from commands import archcheck
from contracts.test_failures_in_runs import drawn
from contracts.test_runs_and_proofs import Guarded
from depth import sample

from archcheck import (
    Absent,
    Autoscale,
    Call,
    Client,
    Constant,
    Deterministic,
    Endpoint,
    External,
    Journey,
    Kubernetes,
    Load,
    MongoDB,
    MySQL,
    Probe,
    Quorum,
    Read,
    Retry,
    RetryBudget,
    Scenario,
    Service,
    System,
    Wait,
    Work,
    Write,
    ZoneLoss,
)
from archcheck.graph import Graph
from archcheck.loading import load
from archcheck.proof import FailureSet, LongestRun, Refuted, RetryStorm, WorstPoint, prove
from archcheck.proof.survival.structure import Unit
from archcheck.replaying import replay
from archcheck.simulation import simulate
from archcheck.units import ms, percent, s

ROOT = Path(__file__).parents[2]
MODELS = [*sorted(ROOT.glob("models/*/")), ROOT / "examples" / "broken_shop.py"]
CASES = sorted((ROOT / "tests" / "cases" / "proofs").glob("*.py"))
NOT_PLAYED = {"policies", "dead-policies", "sagas", "availability"}


def refuted(system: System, *names: str) -> list[tuple[str, Refuted]]:
    proofs = prove(Graph(system), names)
    return [(part.question.name, each) for part in proofs.answered for each in part.refuted]


@pytest.mark.parametrize("path", sample([*MODELS, *CASES]), ids=lambda path: path.stem)
def test_every_refutation_of_a_model_is_shown_by_a_run(path: Path) -> None:
    for system in load(path):
        for name, answer in refuted(system):
            found = replay(Graph(system), answer)
            assert found.is_shown is (None if name in NOT_PLAYED else True), f"{answer}\n{found}"


@pytest.mark.parametrize("seed", range(12))
def test_what_random_failures_stop_a_run_shows(seed: int) -> None:
    check(seed)


def check(seed: int) -> None:
    system = drawn(seed)
    for _, answer in refuted(system, "zones", "failures", "fallbacks"):
        found = replay(Graph(system), answer)
        assert found.is_shown, f"{answer}\n{found}"


def test_a_fallback_that_asks_the_same_callee_is_another_attempt() -> None:
    """Nobody notices a dead replica, but the fallback's turn is that of the next one."""
    check(530001068)


@pytest.mark.parametrize("seed", [seed for seed in range(16) if seed not in (7, 9, 12)])
def test_late_answers_and_retries_of_random_systems_are_shown(seed: int) -> None:
    """But for two, in which several answers would have to be late in one way of many, and for one,
    in which a mesh ejects who was late before it is late again.
    """
    system = Guarded(Random(seed)).system()
    for _, answer in refuted(system, "deadlines", "retries"):
        found = replay(Graph(system), answer)
        assert found.is_shown, f"{answer}\n{found}"


def test_budgets_that_other_requests_fill_do_not_hide_a_long_run() -> None:
    retry = Retry(attempts=2, backoff=10 * ms, budget=RetryBudget(20 * percent))
    patient = Client(None, timeout=1 * s, retry=retry)
    asks = Endpoint("buy", steps=[Call("orders"), Call("stock")])
    callee = Endpoint("do", steps=[Work(Constant(1 * ms))])
    system = System(
        "budgets",
        [
            Service("edge", endpoints=[Endpoint("go", steps=[Call("web", timeout=4 * s)])]),
            Service("web", endpoints=[asks], clients=[patient]),
            Service("orders", endpoints=[callee]),
            Service("stock", endpoints=[callee]),
        ],
        journeys=[Journey("use", "edge.go")],
    )
    (_, answer), *_ = refuted(system, "deadlines")
    found = replay(Graph(system), answer)
    assert found.is_shown, f"{answer}\n{found}"


def test_failures_by_chance_do_not_hide_a_storm() -> None:
    often = Retry(attempts=12, backoff=1 * ms)
    tells = Endpoint("tell", steps=[Call("sms", timeout=100 * ms, retry=often)])
    sms = External("sms", latency=Constant(1 * ms), error_rate=10 * percent)
    web, use = Service("web", endpoints=[tells]), Journey("use", "web.tell")
    system = System("storm", [web, sms], journeys=[use])
    (_, answer), *_ = refuted(system, "retries")
    found = replay(Graph(system), answer)
    assert found.is_shown, f"{answer}\n{found}"


# -- a replay can fail ----------------------------------------------------------------------------


def plain() -> System:
    orders = Endpoint("place", steps=[Read("db", timeout=50 * ms), Work(Constant(2 * ms))])
    ask = Call("orders", timeout=100 * ms, retry=Absent("once"))
    return System(
        "plain",
        [
            MySQL("db", read=Constant(1 * ms), zones=["a"]),
            Service("web", endpoints=[Endpoint("buy", steps=[ask])]),
            Service(
                "orders",
                endpoints=[orders],
                deployment=Kubernetes(
                    replicas=2, zones=["a", "b"], readiness=Probe("http", "/ready")
                ),
            ),
        ],
        journeys=[Journey("use", "web")],
        scenarios=[Scenario("calm", load=[Load("use", Deterministic(1 / s))])],
    )


def test_a_limit_that_nothing_exceeds_is_not_shown() -> None:
    system = plain()
    [call] = Graph(system).outgoing["web.buy"]
    wrong = LongestRun("too long", (), limit=Rational(1, 5), waits=())
    answer = Refuted(call, "it fits", replace(wrong, waits=_waits(system)))
    assert replay(Graph(system), answer).is_shown is False


def _waits(system: System) -> tuple[object, ...]:
    tight = replace(system, journeys=[Journey("use", "web", timeout=1 * ms)])
    (_, answer), *_ = refuted(tight, "deadlines")
    assert isinstance(answer.counterexample, LongestRun)
    return answer.counterexample.waits


def test_no_replay_takes_longer_than_the_longest_run() -> None:
    asks = Endpoint("buy", steps=[Wait(30 * ms), Call("orders", timeout=100 * ms)])
    system = System(
        "waits",
        [
            Service("web", endpoints=[asks]),
            Service("orders", endpoints=[Endpoint("place", steps=[Wait(200 * ms)])]),
        ],
        journeys=[Journey("use", "web.buy", timeout=150 * ms)],
    )
    answers = {str(answer.subject): answer for _, answer in refuted(system, "deadlines")}
    found = replay(Graph(system), next(a for a in answers.values() if "use" in a.claim))
    assert "took 220 ms" in found.text


def test_a_failure_that_does_not_matter_is_not_shown() -> None:
    system = plain()
    wrong = FailureSet("it stops", (), sets=((Unit("zone", "b"),),))
    found = replay(Graph(system), Refuted(system.journeys[0], "it survives", wrong))
    assert found.is_shown is False
    assert "without zone b" in found.text


def test_retries_that_nobody_makes_are_not_shown() -> None:
    system = plain()
    path = (Graph(system).outgoing["orders.place"][0],)
    wrong = RetryStorm("a storm", (), path=path, factors=(Rational(20),))
    found = replay(Graph(system), Refuted(system.find("db"), "few", wrong))
    assert found.is_shown is False
    assert "asked db 1 times" in found.text


def test_a_load_that_is_carried_is_not_shown() -> None:
    system = plain()
    rates = {"use": Rational(10)}
    wrong = WorstPoint("too busy", (), (), {"orders": "busy"}, rates, limit=Rational(4, 5), units=2)
    found = replay(Graph(system), Refuted(system.find("orders"), "carried", wrong))
    assert found.is_shown is False


def test_what_is_lost_at_any_load_is_no_overload() -> None:
    """The bank never answers in time, whatever the load is."""
    slow = Endpoint("pay", steps=[Work(Constant(80 * ms))])
    ask = Call("bank", timeout=50 * ms, retry=Absent("once"), optional=True)
    system = System(
        "late",
        [
            Service("web", endpoints=[Endpoint("buy", steps=[ask])]),
            Service("bank", endpoints=[slow], deployment=Kubernetes(replicas=2)),
        ],
        journeys=[Journey("use", "web")],
    )
    wrong = WorstPoint(
        "too busy",
        (),
        (),
        {"bank": "busy"},
        {"use": Rational(10)},
        busy=Rational(3),
        capacity=Rational(2),
        limit=Rational(4, 5),
        units=2,
    )
    found = replay(Graph(system), Refuted(system.find("bank"), "carried", wrong))
    assert found.is_shown is False, found


# -- the command ----------------------------------------------------------------------------------


def test_the_command_says_what_runs_show(tmp_path: Path) -> None:
    model = str(ROOT / "examples" / "broken_shop.py")
    done = archcheck("prove", model, "--question", "quorums", "--question", "sagas", "--replay")
    assert done.returncode == 1
    assert "  replayed: of " in done.stdout
    assert "  not replayed: a run has no messages of a saga" in done.stdout
    arguments = ("--question", "quorums", "--replay", "--format", "json")
    [question] = json.loads(archcheck("prove", model, *arguments).stdout)["questions"]
    [answer] = [each for each in question["answers"] if each["verdict"] == "refuted"]
    assert answer["replay"]["shown"] is True
    plainly = archcheck("prove", model, "--question", "quorums")
    assert "replayed" not in plainly.stdout


def test_a_circle_of_calls_leaves_the_other_questions_answered(tmp_path: Path) -> None:
    model = tmp_path / "circle.py"
    model.write_text(
        "from archcheck import *\nfrom archcheck.units import *\n"
        'a = Service("a", endpoints=[Endpoint("get", steps=[Call("b.get", timeout=1 * s)])])\n'
        'b = Service("b", endpoints=[Endpoint("get", steps=[Call("a.get", timeout=1 * s)])])\n'
        'calm = Scenario("calm", load=[Load("j", Poisson(1 / s))])\n'
        'system = System("x", [a, b], journeys=[Journey("j", "a.get", critical=True)], '
        "scenarios=[calm])\n"
    )
    done = archcheck("prove", str(model))
    assert done.returncode == 0, done.stderr
    assert "undecided[load] needs an end of the calls: " in done.stdout
    assert "questions not answered in full" in done.stdout


# -- what replays found in the simulator ----------------------------------------------------------


def good(store: object, zone: str, *steps: object) -> tuple[int, int]:
    service = Service("web", endpoints=[Endpoint("buy", steps=[*steps])])  # type: ignore[list-item]
    lost = ZoneLoss(zone, start=0 * s, end=200 * s)
    scenario = Scenario("lost", load=[Load("use", Deterministic(10 / s))], faults=[lost])
    journeys = [Journey("use", "web")]
    system = System("made", [store, service], journeys=journeys, scenarios=[scenario])  # type: ignore[list-item]
    (found,) = simulate(system, scenario, duration=100 * s, warmup=60 * s).journeys
    return found.ok, found.failed


WRITE, READ = Write("db", timeout=50 * ms), Read("db", timeout=50 * ms)


TWO_OF_THREE = Quorum(copies=3, read=1, write=2)
STORES = {
    "all in one zone": (MongoDB("db", copies=3, failover="automatic", zones=["a"]), READ, False),
    "spread": (MongoDB("db", copies=3, failover="automatic", zones=["a", "b", "c"]), READ, True),
    "by hand": (MySQL("db", copies=2, failover="manual", zones=["a", "b"]), READ, False),
    "taken over": (MySQL("db", copies=2, failover="automatic", zones=["a", "b"]), WRITE, True),
    "too few to write": (
        MongoDB("db", failover="automatic", zones=["a", "b"], quorum=TWO_OF_THREE),
        WRITE,
        False,
    ),
    "enough to read": (
        MongoDB("db", failover="automatic", zones=["a", "b"], quorum=TWO_OF_THREE),
        READ,
        True,
    ),
}


@pytest.mark.parametrize(("store", "step", "answers"), STORES.values(), ids=STORES)
def test_a_store_comes_back_only_if_enough_copies_are_left(
    store: object, step: object, answers: bool
) -> None:
    ok, failed = good(store, "a", step)
    assert (ok, failed) == ((400, 0) if answers else (0, 400))


@pytest.mark.parametrize(("zones", "after"), [(["a"], 0), (["a", "b"], 400)])
def test_an_autoscaler_starts_replicas_in_zones_that_are_there(
    zones: list[str], after: int
) -> None:
    """In a lost zone nothing starts; in another one the replacement of what was lost does."""
    scale = Autoscale(min=2, max=4, target_cpu=50 * percent, start_up=5 * s)
    probe = Probe("http", "/ready", period=1 * s, failure_threshold=1)
    deployment = Kubernetes(autoscale=scale, zones=zones, readiness=probe)
    web = Service("web", deployment=deployment, endpoints=[Endpoint("buy")])
    lost = ZoneLoss("a", start=1 * s, end=200 * s)
    scenario = Scenario("lost", load=[Load("use", Deterministic(10 / s))], faults=[lost])
    system = System("made", [web], journeys=[Journey("use", "web")], scenarios=[scenario])
    found = simulate(system, scenario, duration=100 * s, warmup=60 * s)
    assert found.journeys[0].ok == after
    assert found.resource("web").nodes == 2
