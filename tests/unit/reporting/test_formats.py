"""Each format: valid by its own standard, pointing at the right line, and safe to show."""

from __future__ import annotations

import io
import json
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from rich.cells import cell_len
from rich.console import Console

from archcheck import Absent, Call, Endpoint, Journey, Read, Redis, Service, Suppression, System
from archcheck.configuration import Settings
from archcheck.loading import load
from archcheck.model import ModelError
from archcheck.plugins import rules
from archcheck.reporting.schemas import schema
from archcheck.reporting.verification import WRITERS, print_verification, sarif
from archcheck.verification import Baseline, Verification, verify

HERE = Path(__file__)
SARIF = HERE.parents[4] / "shared" / "schemas" / "sarif-2.1.0.json"
NASTY = "<b>\"x\"</b> & 'y' 架构 | `a` ::error::%0A,;"
STRICT = Settings(profile="strict")
VALIDATOR = jsonschema.Draft202012Validator(schema("verify"))


def sample(name: str = "web") -> System:
    """Findings with a path, an accepted one, and things undecided."""
    return System(
        "shop",
        [
            Service(
                name, endpoints=[Endpoint("page", steps=[Call("stock", timeout=Absent(NASTY))])]
            ),
            Service(
                "stock", endpoints=[Endpoint("get", steps=[Read("cart"), Call(f"{name}.page")])]
            ),
            Redis("cart", role="store", copies=1),
        ],
        journeys=[Journey("browse", f"{name}.page", critical=True)],
        suppressions=[Suppression("BND007", "stock", reason="nobody yet")],
    )


@pytest.fixture
def result() -> Verification:
    return verify(sample(), settings=STRICT)


def line_of(text: str) -> int:
    return HERE.read_text().splitlines().index(text) + 1


# -- SARIF ----------------------------------------------------------------------------------------


def log(*results: Verification) -> dict[str, object]:
    made: dict[str, object] = json.loads(sarif(results, everything=True))
    return made


@pytest.mark.skipif(not SARIF.exists(), reason="the official schema is not beside the repository")
@pytest.mark.parametrize("name", ["web", "前端 <服务>", 'the "shop" & co'])
def test_sarif_follows_the_official_schema(name: str) -> None:
    official = json.loads(SARIF.read_text())
    checked = verify(sample(name), settings=STRICT)
    baselined = verify(sample(name), settings=STRICT, baseline=Baseline.of([checked]))
    for each in (checked, baselined, verify(System("nothing"))):
        jsonschema.Draft7Validator(official).validate(log(each))


def run_of(result: Verification) -> dict[str, list[dict[str, object]]]:
    (run,) = log(result)["runs"]  # type: ignore[misc]
    return run  # type: ignore[return-value]


def test_sarif_points_at_the_file_and_line(result: Verification) -> None:
    entries = [r for r in run_of(result)["results"] if r["ruleId"] == "DAT001"]
    (entry,) = [r for r in entries if r.get("kind") is None]
    physical = entry["locations"][0]["physicalLocation"]  # type: ignore[index]
    shown = unquote(physical["artifactLocation"]["uri"])
    assert (Path.cwd() / shown).resolve() == HERE.resolve()
    expected = line_of('            Redis("cart", role="store", copies=1),')
    assert physical["region"]["startLine"] == expected


def test_sarif_explains_rules_and_shows_the_path(result: Verification) -> None:
    run = log(result)["runs"][0]  # type: ignore[index]
    rules = run["tool"]["driver"]["rules"]
    for entry in run["results"]:
        rule = rules[entry["ruleIndex"]]
        assert rule["id"] == entry["ruleId"]
        assert "Why it matters" in rule["help"]["markdown"]
    (cycle,) = [r for r in run["results"] if r["ruleId"] == "BND001"]
    assert len(cycle["relatedLocations"]) == 2
    kinds = {r.get("kind") for r in run["results"]}
    assert kinds == {None, "open"}
    suppressed = [r for r in run["results"] if "suppressions" in r]
    assert [r["ruleId"] for r in suppressed] == ["BND007"]


# -- the others -----------------------------------------------------------------------------------


def test_json_follows_its_published_schema(result: Verification) -> None:
    VALIDATOR.validate(json.loads(WRITERS["json"]([result])))


def test_junit_counts_what_it_lists(result: Verification) -> None:
    suite = ET.fromstring(WRITERS["junit"]([result])).find("testsuite")
    assert suite is not None
    assert int(suite.get("tests", "")) == len(suite.findall("testcase")) == len(result.outcomes)
    assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure"))
    assert int(suite.get("skipped", "")) == len(suite.findall("testcase/skipped"))
    failure = suite.find("testcase[@name='RES001 no-timeout']/failure")
    assert failure is not None
    assert repr(NASTY) in (failure.text or "")


def test_github_annotations_are_one_line_each_and_the_gravest_come_first(
    result: Verification,
) -> None:
    lines = WRITERS["github"]([result]).splitlines()
    kinds = [line[2:].partition(" ")[0] for line in lines]
    assert kinds == sorted(kinds, key=["error", "warning", "notice"].index)
    total = sum(len(finding.occurrences) for finding in result.findings)
    assert len(lines) == total
    (line,) = [line for line in lines if "RES001" in line and "%250A" in line]
    head, _, message = line[2:].partition("::")
    assert "::error::%250A" in message
    assert "file=" in head
    assert "title=RES001 no-timeout" in head


def test_gitlab_entries_are_complete(result: Verification) -> None:
    entries = json.loads(WRITERS["gitlab"]([result]))
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)
    for entry in entries:
        assert entry["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert entry["location"]["lines"]["begin"] >= 1
        assert entry["description"]


def test_markdown_escapes_what_it_shows(result: Verification) -> None:
    text = WRITERS["markdown"]([result])
    assert "<b>" not in text
    assert "&lt;b&gt;" in text
    assert "\\| \\`a\\`" in text
    assert text.startswith("## archcheck: shop\n")


def test_a_long_comment_is_cut_and_says_so() -> None:
    services = [Service(f"service-{n:04}", description="x") for n in range(1500)]
    text = WRITERS["markdown"]([verify(System("large", services), settings=STRICT)])
    assert len(text) < 65_536
    assert "more part" in text


def test_the_text_report_marks_the_place_as_a_compiler_does(result: Verification) -> None:
    text = printed(result)
    line = line_of('            Redis("cart", role="store", copies=1),')
    source = '            Redis("cart", role="store", copies=1),'
    assert f"{line:>5} | {source}\n      | {' ' * 12}{'^' * len(source.strip(' ,'))}\n" in text


def marked(source: str, folder: Path) -> str:
    """The text under the carets, of the first finding in a model that has this line."""
    model = folder / "wide.py"
    head = "from archcheck import *\nfrom archcheck.units import ms\n"
    model.write_text(f'{head}{source}\nb = Service("b", endpoints=[Endpoint("x")])\n')
    [system] = load(model)
    lines = printed(verify(system, rules=[r for r in rules() if r.id == "RES001"])).splitlines()
    at = next(number for number, line in enumerate(lines) if "^^^" in line)
    code, carets = lines[at - 1], lines[at]
    assert len(code) < 130
    start = cell_len(carets[: carets.index("^")])
    return "".join(
        sign
        for column, sign in enumerate(code)
        if start <= cell_len(code[:column]) < start + carets.count("^")
    )


def test_a_place_far_to_the_right_is_shown(tmp_path: Path) -> None:
    steps = "Work(5 * ms), " * 12
    line = f'a = Service("a", endpoints=[Endpoint("y", steps=[{steps}Call("b.x"), {steps}])])'
    assert marked(line, tmp_path) == 'Call("b.x")'


def test_carets_stand_under_wide_signs(tmp_path: Path) -> None:
    line = 'a = Service("支付服务", endpoints=[Endpoint("扣款", steps=[Call("b.x")])])'
    assert marked(line, tmp_path) == 'Call("b.x")'


def test_text_cannot_steer_the_terminal() -> None:
    with pytest.raises(ModelError, match=r"U\+001B"):
        Absent("\x1b[31mred\x1b[0m")
    evil = Absent("a\tb\nc \u200b")
    system = System(
        "shop",
        [
            Service("a", endpoints=[Endpoint("run", steps=[Call("b", timeout=evil)])]),
            Service("b", endpoints=[Endpoint("run")]),
        ],
    )
    text = printed(verify(system))
    assert r"a\tb\nc \u200b" in text
    assert "\u200b" not in text


def printed(result: Verification) -> str:
    buffer = io.StringIO()
    console = Console(file=buffer, width=120, soft_wrap=True, no_color=True)
    print_verification(console, result, verbose=True)
    return buffer.getvalue()
