"""What fixes most: one fix for many findings, counted once."""

from __future__ import annotations

from html import unescape

from archcheck import Call, Endpoint, Journey, Kubernetes, Read, Service, Step, System
from archcheck import MySQL as Database
from archcheck.configuration import Settings
from archcheck.findings import Evidence, Finding, Occurrence, Rule
from archcheck.model import Place
from archcheck.reporting.report.page import report_page
from archcheck.reporting.report.review import carry_out
from archcheck.verification import verify
from archcheck.verification.actions import Action, actions

ERROR = Rule("ABC001", "one", severity="error", method="attr")
WARNING = Rule("ABC002", "other", severity="warning", method="attr")


def place(line: int, fix: str, subject: str = "web", *evidence: str) -> Occurrence:
    steps = tuple(Evidence(text, Place("shop.py", 99)) for text in evidence)
    where = Place("shop.py", line)
    return Occurrence(subject, "Service", where, "is wrong", steps, fix, f"{line}{fix}{subject}")


def finding(rule: Rule, *places: Occurrence) -> Finding:
    return Finding(rule, rule.severity, "", places)


def told(found: list[Action]) -> list[tuple[str, int, int]]:
    return [(action.fix, action.count, action.edits) for action in found]


def test_one_fix_at_one_place_is_an_action_whatever_rules_ask_for_it() -> None:
    both = [finding(ERROR, place(7, "replicas=2")), finding(WARNING, place(7, "replicas=3"))]
    (action,) = actions(both)
    assert (action.fix, action.edits) == ("replicas=...", 1)
    assert action.fixed == (("ABC001", 1), ("ABC002", 1))
    assert action.effect == "fixes 2 findings (ABC001, ABC002), all at shop.py:7"


def test_the_same_fix_at_many_places_leaves_numbers_and_names_open() -> None:
    many = [
        finding(ERROR, place(n, f"wait {n}.5 s, or shorten b{n}.run", f"a{n}.x -> b{n}.run"))
        for n in range(1, 4)
    ]
    assert told(actions(many)) == [("wait ..., or shorten ...", 3, 3)]
    assert "the first at shop.py:1" in actions(many)[0].effect


def test_elements_of_a_loop_are_one_edit() -> None:
    places = [place(3, "timeout=250 * ms", f"s{n}") for n in range(40)]
    (action,) = actions([finding(ERROR, *places)])
    assert (action.fix, action.count, action.edits) == ("timeout=250 * ms", 40, 1)


def test_errors_come_first_and_nothing_is_counted_twice() -> None:
    found = actions(
        [
            finding(WARNING, *(place(n, 'owner="team"') for n in range(10, 30))),
            finding(ERROR, place(1, "copies=2"), place(2, "copies=2")),
            finding(WARNING, place(1, "copies=2"), place(5, "copies=2")),
        ]
    )
    assert told(found) == [("copies=2", 2, 2), ('owner="team"', 20, 20), ("copies=2", 2, 2)]


def test_what_fixes_a_single_finding_is_left_to_the_finding_and_five_are_enough() -> None:
    assert actions([finding(ERROR, place(1, "copies=2"))]) == []
    many = [
        finding(ERROR, place(n, f"{sign}=1"), place(n + 50, f"{sign}=1"))
        for n, sign in enumerate("abcdefgh")
    ]
    assert len(actions(many)) == 5


def test_what_is_about_critical_elements_comes_before_as_grave_findings_elsewhere() -> None:
    many = [
        finding(ERROR, *(place(n, "retries=1", "side.run") for n in range(10, 20))),
        finding(ERROR, place(1, "copies=2", "web.page -> db"), place(2, "copies=2", "db")),
        finding(WARNING, *(place(n, 'owner="team"', "db") for n in range(30, 60))),
    ]
    assert [action.fix for action in actions(many)] == ["retries=1", "copies=2", 'owner="team"']
    first = actions(many, critical={"db"})
    assert [action.fix for action in first] == ["copies=2", "retries=1", 'owner="team"']
    assert first[0].subjects == ("web.page -> db", "db")


def test_an_action_may_fix_one_place_where_somebody_asks_for_that() -> None:
    (action,) = actions([finding(ERROR, place(1, "copies=2"))], fewest=1)
    assert action.effect == "fixes 1 finding (ABC001), at shop.py:1"


def shop() -> System:
    steps: list[Step] = [Call("stock.get"), Read("db"), Call("stock.get")]
    return System(
        "shop",
        [
            Database("db", copies=1),
            Service("web", endpoints=[Endpoint("page", steps=steps)], deployment=Kubernetes()),
            Service("stock", endpoints=[Endpoint("get", steps=[Read("db")])]),
        ],
        journeys=[Journey("browse", "web.page", critical=True)],
    )


def test_no_action_claims_more_than_was_found() -> None:
    findings = verify(shop(), settings=Settings()).findings
    places = sum(len(each.occurrences) for each in findings)
    assert 0 < sum(action.count for action in actions(findings)) <= places


def test_the_report_begins_with_the_same_actions() -> None:
    review = carry_out(shop(), without=("proofs", "simulation", "plan"))
    overview = report_page(review).partition('<section id="diagram"')[0]
    expected = actions(review.verification.findings, fewest=1, critical=("web", "stock", "db"))
    assert expected
    assert "What to do first" in overview
    assert all(action.effect in unescape(overview) for action in expected)
