"""Verification: suppressions, baselines, suggestions, and rules that break."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from depth import examples
from hypothesis import given
from hypothesis import strategies as st
from strategies import systems

from archcheck import (
    Call,
    Endpoint,
    Journey,
    Kafka,
    Kubernetes,
    Load,
    MySQL,
    Poisson,
    Publish,
    Read,
    Redis,
    Repeat,
    Scenario,
    Service,
    Slo,
    Suppression,
    System,
    Topic,
    Work,
    Write,
)
from archcheck.configuration import Settings
from archcheck.findings import OpenQuestion, Result, Rule, Violation, evaluate
from archcheck.graph import Graph
from archcheck.model import ModelError, from_json, to_json
from archcheck.plugins import rules
from archcheck.reporting.schemas import schema
from archcheck.reporting.verification import WRITERS
from archcheck.units import ms, s
from archcheck.verification import Baseline, Verification, verify
from archcheck.verification.suggesting import suggestions

STRICT = Settings(profile="strict")
QUICK = Settings(profile="strict", ignore=("PRF003", "RES025"))
"""Without the two rules that simulate, which take nine tenths of the time."""
VALIDATOR = jsonschema.Draft202012Validator(schema("verify"))


def shop(*suppressions: Suppression) -> System:
    return System(
        "shop",
        [
            Service("web", endpoints=[Endpoint("page", steps=[Call("stock"), Call("stock")])]),
            Service("stock", endpoints=[Endpoint("get")]),
        ],
        suppressions=suppressions,
    )


def places(result: Verification, rule: str) -> int:
    found = [finding for finding in result.findings if finding.rule.id == rule]
    return sum(len(finding.occurrences) for finding in found)


# -- one fact is one finding -----------------------------------------------------------------------


def said(result: Verification, *rules: str) -> set[tuple[str, str]]:
    return {
        (finding.rule.id, place.subject)
        for finding in result.findings
        if finding.rule.id in rules
        for place in finding.occurrences
    }


def single_points() -> System:
    steps = [Read("ledger"), Read("sessions", optional=True), Publish("placed")]
    return System(
        "shop",
        [
            MySQL("ledger", copies=1),
            MySQL("sessions", copies=1),
            Redis("hot", copies=1, role="cache"),
            Kafka("kafka", nodes=1),
            Topic("placed", broker="kafka"),
            Service(
                "orders",
                deployment=Kubernetes(replicas=1),
                endpoints=[Endpoint("place", steps=[*steps, Write("hot")])],
            ),
        ],
        journeys=[Journey("checkout", "orders.place", critical=True)],
    )


def test_a_datastore_that_exists_once_is_said_by_the_rule_for_datastores_alone() -> None:
    both = "DAT001", "RES012"
    assert said(verify(single_points()), *both) == {
        ("DAT001", "ledger"),
        ("DAT001", "sessions"),
        ("RES012", "hot"),
        ("RES012", "kafka"),
        ("RES012", "orders"),
    }
    alone = verify(single_points(), settings=Settings(ignore=("DAT001",)))
    assert ("RES012", "ledger") in said(alone, *both)


def test_copies_that_nobody_declares_are_asked_for_once() -> None:
    place = Endpoint("place", steps=[Read("ledger")])
    system = System(
        "shop",
        [MySQL("ledger"), Service("orders", endpoints=[place])],
        journeys=[Journey("checkout", "orders.place", critical=True)],
    )
    asking = [q.rule.id for q in verify(system).questions if q.missing == "copies"]
    assert "DAT001" in asking
    assert "RES012" not in asking


def looping(times: int, *others: Call | Read, behind: int = 1) -> System:
    page = Endpoint("page", steps=[Repeat(times, [Call("stock.get")], per_item=True), *others])
    more = [Endpoint(f"more{n}") for n in range(40)]
    get = Endpoint("get", steps=[Read("db") for _ in range(behind)])
    return System(
        "shop",
        [
            MySQL("db"),
            Service("web", endpoints=[page]),
            Service("stock", endpoints=[get, *more]),
        ],
        journeys=[Journey("browse", "web.page")],
    )


CHATTY = "COM007", "BND010", "PRF012"


@pytest.mark.parametrize("behind", [0, 1, 3])
def test_a_loop_is_one_finding_whatever_it_makes_of_pairs_and_journeys(behind: int) -> None:
    system = looping(40, behind=behind)
    assert said(verify(system), *CHATTY) == {("COM007", "web.page -> stock.get")}
    others = verify(system, settings=Settings(ignore=("COM007",)))
    assert said(others, *CHATTY) >= {("BND010", "web.page -> stock.get")}
    none = verify(system, settings=Settings(ignore=("COM007", "BND010")))
    assert said(none, *CHATTY) == {("PRF012", "browse")}


def test_a_pair_that_asks_many_things_is_one_finding_and_the_journey_is_not_another() -> None:
    many = [Call(f"stock.more{n}") for n in range(31)]
    assert said(verify(looping(1, *many)), *CHATTY) == {("BND010", "web.page -> stock.get")}


def test_many_calls_beside_a_loop_are_a_finding_of_their_own() -> None:
    reads = [Read("db") for _ in range(30)]
    assert said(verify(looping(4, *reads)), *CHATTY) == {
        ("COM007", "web.page -> stock.get"),
        ("PRF012", "browse"),
    }


def test_a_suppressed_root_is_not_said_in_other_words() -> None:
    system = looping(40)
    accepted = Suppression("COM007", "web.page*", reason="bounded by the page's design")
    quiet = replace(system, suppressions=[accepted])
    assert said(verify(quiet), *CHATTY, "MOD007") == set()


def test_a_suppression_of_what_follows_another_rule_is_judged() -> None:
    idle = Suppression("PRF012", "browse", reason="once there were many")
    quiet = replace(looping(1), suppressions=[idle])
    assert said(verify(quiet), "MOD007") == {("MOD007", quiet.suppressions[0].title())}


# -- suppressions ---------------------------------------------------------------------------------


def test_a_suppression_takes_findings_away_and_keeps_count_of_them() -> None:
    plain, quiet = verify(shop()), verify(shop(Suppression("RES001", "web.*", reason="x")))
    assert (places(plain, "RES001"), places(quiet, "RES001")) == (2, 0)
    assert sum(len(finding.occurrences) for finding in quiet.suppressed) == 2


@pytest.mark.parametrize(
    ("day", "kept"), [(datetime.date(2026, 1, 31), 0), (datetime.date(2026, 2, 1), 2)]
)
def test_a_suppression_counts_through_its_last_day(day: datetime.date, kept: int) -> None:
    system = shop(Suppression("RES001", reason="x", until="2026-01-31"))  # type: ignore[arg-type]
    result = verify(system, today=day)
    assert places(result, "RES001") == kept
    assert places(result, "MOD004") == (1 if kept else 0)


def test_a_suppression_of_one_element_leaves_the_others() -> None:
    quiet = verify(shop(Suppression("BND007", "web", reason="x")))
    (finding,) = [finding for finding in quiet.findings if finding.rule.id == "BND007"]
    assert [place.subject for place in finding.occurrences] == ["stock"]


def test_suppressions_survive_the_json_form() -> None:
    system = shop(Suppression("RES001", "web.*", reason="x", until=datetime.date(2030, 1, 1)))
    assert from_json(to_json(system)) == system


# -- baselines ------------------------------------------------------------------------------------


def test_what_is_gone_is_named() -> None:
    baseline = Baseline.of([verify(shop())])
    mended = System("shop", [Service("web"), Service("stock")])
    gone = baseline.gone([verify(mended, baseline=baseline)])
    assert ("RES001", "web.page -> stock.get") in gone


def test_a_baseline_is_written_and_read(tmp_path: Path) -> None:
    baseline = Baseline.of([verify(shop())])
    baseline.write(tmp_path / "base.json")
    assert Baseline.read(tmp_path / "base.json") == baseline
    entries = json.loads((tmp_path / "base.json").read_text())["accepted"]
    assert entries == sorted(entries, key=lambda e: (e["rule"], e["element"], e["fingerprint"]))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", r"base.json:1: is not JSON"),
        ("[]", r"base.json:1: is not a baseline of archcheck"),
        ('{"format": "other/1", "accepted": []}', r"is not a baseline"),
        ('{"format": "archcheck.baseline/1", "accepted": [1]}', r"is not a baseline"),
        ("[" * 100_000, r"base.json:1: is not"),
        (b"\xff\xfe\x00", r"base.json:1: is not"),
        (None, r"base.json:1: there is no such baseline; write one with --update-baseline"),
    ],
)
def test_an_unreadable_baseline_gets_one_sentence(
    text: str | bytes | None, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "base.json"
    if text is not None:
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ModelError, match=sentence):
        Baseline.read(path)


# -- suggestions, broken rules, and every rule on every system ------------------------------------


def test_what_decides_most_rules_comes_first() -> None:
    ranked = suggestions(verify(shop(), settings=STRICT).outcomes)
    counts = [len(suggestion.rules) for suggestion in ranked]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 1


def broken_rule() -> Rule:
    rule = Rule("TST001", "always-broken", severity="error", method="attr")

    @rule.check
    def check(graph: Graph) -> Iterator[Result]:
        yield Violation(graph.system, "found before it broke", fix="none")
        raise KeyError("oops")

    return rule


def test_a_rule_that_raises_is_reported_and_the_others_run() -> None:
    result = verify(shop(), [broken_rule(), *rules()])
    (broken,) = result.broken
    assert broken.rule.id == "TST001"
    assert broken.broken.startswith("KeyError: 'oops' (")
    assert "test_verification.py" in broken.broken
    assert places(result, "RES001") == 2
    assert result.verdicts()["broken"] == 1


@examples()
@given(systems(), st.sampled_from((STRICT, *[QUICK] * 4)))
def test_what_is_true_of_every_verification(system: System, settings: Settings) -> None:
    """Each system is drawn and verified once for all of it: that is what takes the time."""
    first, second = (verify(system, settings=settings) for _ in range(2))
    no_rule_breaks_and_each_says_the_same_twice(first, second)
    elsewhere, baseline = from_json(to_json(system)), Baseline.of([first])
    accepted = verify(elsewhere, settings=settings, baseline=baseline)
    fingerprints_are_unique_and_do_not_depend_on_lines(first, accepted)
    a_baseline_accepts_what_it_was_made_from(first, accepted)
    every_format_takes_it(first)


def every_format_takes_it(result: Verification) -> None:
    VALIDATOR.validate(json.loads(WRITERS["json"]([result])))
    ET.fromstring(WRITERS["junit"]([result]))
    for write in WRITERS.values():
        assert write([result]) == write([result])


def no_rule_breaks_and_each_says_the_same_twice(first: Verification, second: Verification) -> None:
    assert first.broken == ()
    assert [o.verdict for o in first.outcomes] == [o.verdict for o in second.outcomes]
    assert first.findings == second.findings


def fingerprints_are_unique_and_do_not_depend_on_lines(
    first: Verification, read: Verification
) -> None:
    prints = [
        [p.fingerprint for f in findings for p in f.occurrences]
        for findings in (first.findings, read.baselined)
    ]
    assert sorted(prints[0]) == sorted(prints[1])
    assert len(set(prints[0])) == len(prints[0])


def a_baseline_accepts_what_it_was_made_from(first: Verification, accepted: Verification) -> None:
    assert accepted.findings == ()
    assert {f.rule.id for f in accepted.baselined} == {f.rule.id for f in first.findings}
    again = Baseline.of([accepted])
    assert again == Baseline.of([first])
    assert again.gone([accepted]) == []


def test_calls_without_end_are_a_question_and_break_nothing() -> None:
    steps = [Call("b.run", timeout=5 * ms)]
    system = System(
        "loop",
        [
            Service("a", endpoints=[Endpoint("run", steps=steps)]),
            Service("b", endpoints=[Endpoint("run", steps=[Call("a.run", timeout=9 * ms)])]),
        ],
        journeys=[],
    )
    result = verify(system, settings=STRICT)
    assert result.broken == ()
    assert places(result, "BND001") == 1


def test_a_scenario_that_cannot_be_run_is_a_question_and_breaks_nothing() -> None:
    web = Service("web", endpoints=[Endpoint("page", steps=[Work(1 * ms)])])
    system = System(
        "shop",
        [web],
        journeys=[Journey("browse", "web.page", slo=Slo(p99=1 * s))],
        scenarios=[Scenario("day", load=[Load("browse", Poisson(10 / s))], warmup=100_000 * s)],
    )
    result = verify(system, [rule for rule in rules() if rule.id == "PRF003"], settings=STRICT)
    assert result.broken == ()
    assert any("the warm-up" in question.missing for question in result.questions)


def test_a_system_of_nothing_is_fine() -> None:
    result = verify(System("nothing"), settings=STRICT)
    assert (result.findings, result.questions, result.broken) == ((), (), ())


def test_one_cause_is_one_finding_in_the_order_of_the_lines() -> None:
    rule = next(rule for rule in rules() if rule.id == "RES001")
    (finding,) = evaluate(rule, Graph(shop())).findings
    assert len(finding.occurrences) == 2
    assert finding.message == "a step waits for another process without a timeout, in 2 places"
    lines = [place.place.line for place in finding.occurrences if place.place]
    assert lines == sorted(lines)


def test_what_is_wrong_in_several_scenarios_is_the_worst_and_names_the_others() -> None:
    rule = next(rule for rule in rules() if rule.id == "TEC002")
    system = rule.examples[0].build()
    (peak,) = system.scenarios
    more = [
        replace(peak, name=name, load=[Load("checkout", Poisson(rate / s))])
        for name, rate in (("calm", 10), ("sale", 2000), ("evening", 1000))
    ]
    outcome = evaluate(rule, Graph(replace(system, scenarios=[*more, peak])))
    ((found,),) = (finding.occurrences for finding in outcome.findings)
    assert "needs 1,000 threads in scenario 'sale'" in found.message
    assert found.message.endswith(" (also in 'evening' and 'peak')")


@pytest.mark.parametrize(
    ("missing", "request_"),
    [
        ("read", "declare read"),
        ("growth.size, growth.per_month", "declare growth.size, growth.per_month"),
        ("a load that reaches it", "needs a load that reaches it"),
    ],
)
def test_attributes_are_declared_and_everything_else_is_needed(missing: str, request_: str) -> None:
    assert OpenQuestion(rules()[0], missing, ()).request == request_


def test_a_missed_share_of_good_answers_names_what_fails() -> None:
    from archcheck_rules.performance import slo_missed

    outcome = evaluate(slo_missed.rule, Graph(slo_missed.answers_come_too_late()))
    ((found,),) = [finding.occurrences for finding in outcome.findings]
    assert found.fix is not None
    assert found.fix.startswith(
        "100% of those that fail: no answer in time (shop.buy -> billing.due)"
    )
