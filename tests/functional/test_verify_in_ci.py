"""verify as CI uses it: exit codes, baselines, files, and whatever people put into names."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from commands import archcheck

from archcheck.reporting.verification import WRITERS

ROOT = Path(__file__).parents[2]
HEAD = "from archcheck import *\nfrom archcheck.units import *\n"
CALLING = HEAD + (
    'a = Service("a", owner="t", endpoints=[Endpoint("run", steps=[Call("b.run")])])\n'
    'b = Service("b", owner="t", endpoints=[Endpoint("run")])\n'
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "shop.py").write_text(CALLING)
    return tmp_path


# -- exit codes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 1),
        (("--select", "BND"), 0),
        (("--ignore", "RES001"), 0),
        (("--ignore", "RES001", "--strict"), 3),
        (("--strict",), 1),
        (("--profile", "minimal"), 1),
        (("--select", "COM002", "--fail-on", "warning"), 0),
        (("--select", "NOPE"), 2),
        (("--config", "nowhere.toml"), 2),
        (("--date", "yesterday"), 2),
        (("--update-baseline",), 2),
    ],
)
def test_the_exit_code_says_what_happened(
    arguments: tuple[str, ...], code: int, repository: Path
) -> None:
    done = archcheck("verify", *arguments, cwd=repository)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_the_configuration_is_found_and_the_command_line_wins(repository: Path) -> None:
    (repository / "archcheck.toml").write_text('ignore = ["RES001"]\nfail-on = "info"\n')
    assert archcheck("verify", "--select", "RES", cwd=repository).returncode == 0
    assert archcheck("verify", "--isolated", cwd=repository).returncode == 1
    wrong = "[rules.BND011]\nmax-dept = 3\n"
    (repository / "archcheck.toml").write_text(wrong)
    done = archcheck("verify", cwd=repository)
    assert done.returncode == 2
    assert done.stderr == (
        "error: archcheck.toml:2: the rule BND011 has no threshold 'max-dept'; "
        "did you mean 'max_depth'?\n"
    )


def test_a_rule_that_breaks_is_named_with_exit_4_and_the_others_run(repository: Path) -> None:
    (repository / "rules").mkdir()
    text = (
        '"""Breaks."""\nfrom archcheck.findings import Rule\n'
        'rule = Rule("OWN001", "breaks", severity="info", method="attr")\n\n'
        "@rule.check\ndef check(graph):\n    return 1 / 0\n"
    )
    (repository / "rules" / "breaks.py").write_text(text)
    done = archcheck("verify", cwd=repository)
    assert done.returncode == 4
    assert "broken rule OWN001 breaks: ZeroDivisionError: division by zero (rules/" in done.stdout
    assert "error[RES001]" in done.stdout
    (report,) = json.loads(archcheck("verify", "--format", "json", cwd=repository).stdout)
    assert report["summary"]["rules"]["broken"] == 1
    sarif = json.loads(archcheck("verify", "--format", "sarif", cwd=repository).stdout)
    assert sarif["runs"][0]["invocations"][0]["executionSuccessful"] is False


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("rule = 1 / 0\n", "rules/own.py:1: the model raises ZeroDivisionError"),
        ("def (\n", "rules/own.py:1: syntax error"),
        (
            "from archcheck.findings import Rule\n"
            'rule = Rule("OWN001", "own", severity="info", method="attr")\n',
            "rules/own.py: rule OWN001 has no check",
        ),
        (
            "from archcheck.findings import Rule\n"
            'rule = Rule("OWN001", "own", severity="info", method="attr")\n'
            "@rule.check\ndef check(graph, options):\n    yield\n",
            "rules/own.py:3: the check of rule OWN001 must take (graph); it takes (graph, options)",
        ),
        (
            "from archcheck.findings import Rule\n"
            'rule = Rule("RES001", "own", severity="info", method="attr")\n'
            "@rule.check\ndef check(graph):\n    yield\n",
            "rules/own.py: the rule id RES001 is taken by",
        ),
    ],
)
def test_a_wrong_rule_gets_one_sentence(text: str, sentence: str, repository: Path) -> None:
    (repository / "rules").mkdir()
    (repository / "rules" / "own.py").write_text(text)
    done = archcheck("verify", cwd=repository)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


# -- the configuration ----------------------------------------------------------------------------


FRESH = HEAD + (
    'orders = Service("orders", endpoints=[Endpoint("place", steps=[Call("payments.charge")])])\n'
    'payments = Service("payments", endpoints=[Endpoint("charge")])\n'
)
LEGACY = HEAD + (
    'crm = Service("crm", endpoints=[Endpoint("sync", steps=[Call("payments.charge")])])\n'
)


@pytest.fixture
def two_files(tmp_path: Path) -> Path:
    """A model of two files with the same fault in both, and an override for one of them."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "fresh.py").write_text(FRESH)
    (tmp_path / "models" / "legacy_crm.py").write_text(LEGACY)
    return tmp_path


def override(folder: Path, severity: str, general: str, path: str = "models/legacy*.py") -> None:
    (folder / "archcheck.toml").write_text(
        f'select = ["RES001"]\nseverity = {{ RES001 = "{general}" }}\n'
        f'[[overrides]]\npath = "{path}"\nseverity = {{ RES001 = "{severity}" }}\n'
    )


@pytest.mark.parametrize(
    ("severity", "general"), [("error", "warning"), ("info", "error"), ("warning", "info")]
)
def test_the_severity_of_an_override_belongs_to_its_files(
    severity: str, general: str, two_files: Path
) -> None:
    override(two_files, severity, general)
    done = archcheck("verify", "--format", "json", cwd=two_files)
    assert done.returncode == ("error" in (severity, general))
    (report,) = json.loads(done.stdout)
    found = {
        place["place"]["file"]: finding["severity"]
        for finding in report["findings"]
        for place in finding["places"]
    }
    assert found == {"models/fresh.py": general, "models/legacy_crm.py": severity}
    lines = archcheck("verify", "--format", "github", cwd=two_files).stdout.splitlines()
    command = {"error": "error", "warning": "warning", "info": "notice"}
    assert {line.split()[0].strip(":") for line in lines} == {command[severity], command[general]}


@pytest.mark.parametrize("folder", [".", "models", "elsewhere"])
def test_overrides_mean_the_same_from_every_folder(folder: str, two_files: Path) -> None:
    override(two_files, "error", "warning")
    here = two_files / folder
    here.mkdir(exist_ok=True)
    models = os.path.relpath(two_files / "models", here)
    done = archcheck("verify", models, "--format", "json", cwd=here)
    (report,) = json.loads(done.stdout)
    assert [finding["severity"] for finding in report["findings"]] == ["warning", "error"]


def test_overrides_for_files_beside_the_configuration_start_at_the_repository(
    two_files: Path,
) -> None:
    (two_files / ".git").mkdir()
    (two_files / "ci").mkdir()
    override(two_files / "ci", "error", "warning")
    here = two_files / "models"
    done = archcheck("verify", ".", "--config", "../ci/archcheck.toml", "-q", cwd=here)
    assert "1 error, 1 warning" in done.stdout


def files_in(form: str, text: str) -> set[str]:
    """The files that a report names."""
    match form:
        case "gitlab":
            return {entry["location"]["path"] for entry in json.loads(text)}
        case "sarif":
            (run,) = json.loads(text)["runs"]
            places = [place for result in run["results"] for place in result["locations"]]
            artifacts = [place["physicalLocation"]["artifactLocation"] for place in places]
            assert {artifact["uriBaseId"] for artifact in artifacts} == {"%SRCROOT%"}
            return {unquote(artifact["uri"]) for artifact in artifacts}
        case _:
            return set(re.findall(r",file=([^,]*),line", text))


@pytest.mark.parametrize("form", ["gitlab", "github", "sarif"])
@pytest.mark.parametrize(
    ("root", "folder", "expected"),
    [
        (".git", ".", "services/shop app/models/"),
        (".git", "services/shop app", "services/shop app/models/"),
        (".git", "services/shop app/models", "services/shop app/models/"),
        ("services/shop app/archcheck.toml", "services/shop app/models", "models/"),
        ("unmarked", "services/shop app", "models/"),
    ],
)
def test_reports_for_code_hosts_name_files_from_the_root_of_the_repository(
    form: str, root: str, folder: str, expected: str, tmp_path: Path
) -> None:
    models = tmp_path / "services" / "shop app" / "models"
    models.mkdir(parents=True)
    (models / "fresh.py").write_text(FRESH)
    (models / "crm.py").write_text(LEGACY)
    if root == ".git":
        (tmp_path / root).mkdir()
        (models.parent / "archcheck.toml").write_text("")
    else:
        (tmp_path / root).write_text("")
    here = tmp_path / folder
    arguments = (os.path.relpath(models, here), "--select", "RES001", "--format", form)
    done = archcheck("verify", *arguments, cwd=here)
    assert files_in(form, done.stdout) == {f"{expected}fresh.py", f"{expected}crm.py"}


PROMISING = CALLING + (
    'j = Journey("go", "a.run", critical=True, slo=Slo(p99=60 * ms))\n'
    'sc = Scenario("p", load=[Load(j, Poisson(50 / s))])\n'
    'old = Suppression("RES001", "a.*", reason="known", until="2020-01-01")\n'
)


@pytest.mark.parametrize(
    ("rule", "targets", "verdict", "sentence"),
    [
        ("RES001", ["tag:tire1"], "not applicable", "the target 'tag:tire1' of RES001 matches no"),
        ("RES001", ["kind:servce"], "not applicable", "the target 'kind:servce' of RES001 match"),
        ("RES001", ["a", "c"], "violated", "the target 'c' of RES001 matches nothing"),
        ("RES001", ["go"], "not applicable", "RES001 judges nothing: it judges a service, its ta"),
        ("MOD004", ["a"], "not applicable", "MOD004 judges nothing: it judges a suppression, it"),
        ("RES001", ["b"], "holds", ""),
        ("RES001", ["kind:service"], "violated", ""),
    ],
)
def test_targets_that_leave_nothing_to_judge_are_said(
    rule: str, targets: list[str], verdict: str, sentence: str, repository: Path
) -> None:
    (repository / "models" / "shop.py").write_text(PROMISING)
    text = f'select = ["{rule}"]\n[targets]\n{rule} = {json.dumps(targets)}\n'
    (repository / "archcheck.toml").write_text(text)
    done = archcheck("verify", "--format", "json", cwd=repository)
    (report,) = json.loads(done.stdout)
    assert [each["verdict"] for each in report["rules"]] == [verdict]
    assert done.stderr.startswith(f"warning: {sentence}" if sentence else "")
    assert bool(done.stderr) == bool(sentence)


# -- baselines ------------------------------------------------------------------------------------


def test_a_baseline_survives_reformatting_and_lets_new_findings_through(repository: Path) -> None:
    model = repository / "models" / "shop.py"
    update = ("verify", "--baseline", "base.json", "--update-baseline")
    assert archcheck(*update, cwd=repository).returncode == 0
    before = (repository / "base.json").read_bytes()
    assert archcheck("verify", "--baseline", "base.json", cwd=repository).returncode == 0
    model.write_text(HEAD + "\n\n\n" + CALLING.removeprefix(HEAD).replace(", ", ",\n    "))
    assert archcheck(*update, cwd=repository).returncode == 0
    assert (repository / "base.json").read_bytes() == before
    model.write_text(CALLING + 'c = Service("c", endpoints=[Endpoint("x", steps=[Call(b)])])\n')
    done = archcheck("verify", "--baseline", "base.json", "--format", "json", cwd=repository)
    assert done.returncode == 1
    (report,) = json.loads(done.stdout)
    errors = [f for f in report["findings"] if f["severity"] == "error"]
    assert [p["element"] for f in errors for p in f["places"]] == ["c.x -> b.run"]


def test_what_the_baseline_accepts_in_vain_is_named(repository: Path) -> None:
    archcheck("verify", "--baseline", "base.json", "--update-baseline", cwd=repository)
    fixed = CALLING.replace('Call("b.run")', 'Call("b.run", timeout=1 * s)')
    (repository / "models" / "shop.py").write_text(fixed)
    done = archcheck("verify", "--baseline", "base.json", cwd=repository)
    assert done.returncode == 0
    assert "the baseline accepts RES001 for a.run -> b.run, which is not found" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "configuration"),
    [
        (("--select", "BND"), ""),
        (("--ignore", "RES001"), ""),
        (("--no-sim", "--ignore", "RES"), ""),
        ((), '[targets]\nRES001 = ["b"]\n'),
        ((), '[[overrides]]\npath = "models/**"\nignore = ["RES001"]\n'),
    ],
)
def test_findings_of_rules_that_did_not_judge_stay_in_the_baseline(
    arguments: tuple[str, ...], configuration: str, repository: Path
) -> None:
    base = repository / "base.json"
    update = ("verify", "--baseline", "base.json", "--update-baseline")
    archcheck(*update, cwd=repository)
    before = json.loads(base.read_text())["accepted"]
    (repository / "archcheck.toml").write_text(configuration)
    done = archcheck("verify", "--baseline", "base.json", *arguments, cwd=repository)
    assert "not found any more" not in done.stderr
    archcheck(*update, *arguments, cwd=repository)
    after = json.loads(base.read_text())["accepted"]
    assert [entry for entry in before if entry not in after] == []


def test_a_file_that_is_no_baseline_is_not_overwritten(repository: Path) -> None:
    notes = repository / "notes.txt"
    notes.write_text("mine\n")
    update = ("verify", "--baseline", "notes.txt", "--update-baseline")
    done = archcheck(*update, cwd=repository)
    assert done.returncode == 2
    assert done.stderr.startswith("error: notes.txt:1: is not JSON")
    assert notes.read_text() == "mine\n"


# -- JUnit and SARIF ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fail_on", "source"), [("error", "option"), ("warning", "option"), ("info", "file")]
)
def test_junit_fails_where_the_exit_code_does(fail_on: str, source: str, repository: Path) -> None:
    (repository / "archcheck.toml").write_text(
        'select = ["RES001", "COM002"]\nseverity = { RES001 = "warning" }\n'
        + (f'fail-on = "{fail_on}"\n' if source == "file" else "")
    )
    more = ("--fail-on", fail_on) if source == "option" else ()
    done = archcheck("verify", "--format", "junit", *more, cwd=repository)
    suite = ET.fromstring(done.stdout).find("testsuite")
    assert suite is not None
    failures = suite.findall("testcase/failure")
    assert int(suite.get("failures", "")) == len(failures) == done.returncode
    texts = [each.text or "" for each in (*failures, *suite.findall("testcase/system-out"))]
    assert any("calls b.run without a timeout" in text for text in texts)


def test_sarif_leaves_out_what_would_be_a_false_alert(repository: Path) -> None:
    (repository / "models" / "shop.py").write_text(
        CALLING + 'ok = Suppression("RES001", "a.*", reason="agreed")\n'
    )
    archcheck("verify", "--baseline", "base.json", "--update-baseline", cwd=repository)
    arguments = ("verify", "--baseline", "base.json", "--format", "sarif")

    def results(*more: str) -> list[dict[str, object]]:
        (run,) = json.loads(archcheck(*arguments, *more, cwd=repository).stdout)["runs"]
        found: list[dict[str, object]] = run["results"]
        return found

    assert results() == []
    kinds = {key for result in results("--sarif-everything") for key in result}
    assert {"suppressions", "kind"} <= kinds


# -- the same bytes, and odd models ---------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", *WRITERS])
def test_the_same_run_gives_the_same_bytes(form: str, repository: Path) -> None:
    runs = [
        archcheck("verify", "--format", form, "--profile", "strict", "-v", cwd=repository).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert runs[0]


def test_a_model_without_services_is_fine(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(HEAD + 'system = System("空的")\n')
    done = archcheck("verify", "model.py", "--profile", "strict", cwd=tmp_path)
    assert done.returncode == 0
    assert "空的: nothing declared" in done.stdout


@pytest.mark.parametrize("form", ["text", *WRITERS])
def test_names_may_be_anything_printable(form: str, tmp_path: Path) -> None:
    names = ["支付 服务", 'the "quoted" one', "<script>alert(1)</script>", "a & b | c", "it's `x`"]
    lines = [f"s{n} = Service({name!r})\n" for n, name in enumerate(names)]
    (tmp_path / "model.py").write_text(HEAD + "".join(lines), encoding="utf-8")
    done = archcheck("verify", "model.py", "--format", form, "-v", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    if form in ("junit", "markdown"):
        assert "<script>" not in done.stdout
    if form == "text":
        for name in names:
            assert name in done.stdout
    picture = archcheck("diagram", "model.py", "-o", "x.svg", cwd=tmp_path)
    assert picture.returncode == 0, picture.stderr
    assert "<script>" not in (tmp_path / "x.svg").read_text()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "m.py"),
        ("verify", "m.py", "--format", "markdown"),
        ("explain", "RES001"),
        ("prove", "m.py"),
        ("export", "m.py"),
        ("availability", "m.py"),
        ("diagram", "m.py", "--format", "mermaid"),
    ],
)
def test_any_encoding_of_standard_output_will_do(
    arguments: tuple[str, ...], encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.py").write_text(CALLING.replace('"a"', '"zahlung-ü-支付"'), encoding="utf-8")
    usual = archcheck(*arguments, cwd=tmp_path)
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    done = archcheck(*arguments, cwd=tmp_path)
    assert done.returncode == usual.returncode, done.stderr
    assert "has a bug" not in done.stderr


@pytest.mark.parametrize("name", ["a.b", "a -> b", " a", "a\n", "\u202eabc", ""])
def test_names_that_would_confuse_are_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(HEAD + f"x = Service({name!r})\n")
    done = archcheck("verify", "model.py", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: model.py:3: Service ")
    assert "must be a name" in done.stderr


def test_suggest_says_where_to_begin(repository: Path) -> None:
    done = archcheck("verify", "--suggest", cwd=repository)
    assert "  1.  declare " in done.stdout
    assert "models/shop.py:3" in done.stdout


# -- large systems --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred services, of which a journey reaches one."""
    folder = tmp_path_factory.mktemp("large")
    (folder / "models").mkdir()
    (folder / "models" / "shop.py").write_text(
        HEAD
        + "db = MySQL('db')\n"
        + "parts = [\n    Service(f's{n}', endpoints=[Endpoint('run', steps=[Read('db')] * 2)])\n"
        "    for n in range(100)\n]\n"
        "buy = Journey('buy', 's0.run', critical=True, public=True)\n"
    )
    return folder


def blocks(text: str) -> int:
    return len(re.findall(r"^(?:error|warning|info)\[", text, re.MULTILINE))


def test_the_terminal_shows_the_gravest_findings_and_counts_the_others(large: Path) -> None:
    done = archcheck("verify", "--select", "BND012,RES001,BND007", cwd=large)
    assert len(done.stdout.splitlines()) < 150
    assert blocks(done.stdout) == 20
    left = re.search(r"and (\d+) more findings \(-v shows them", done.stdout)
    assert left is not None
    assert f"warning[BND012] unreachable: {left[1]} more (--select BND012)" in done.stdout
    everything = archcheck("verify", "-v", "--select", "BND012,RES001,BND007", cwd=large)
    assert blocks(everything.stdout) == 20 + int(left[1])
    assert "-v shows" not in everything.stdout


def test_each_rule_has_its_say_before_one_fills_the_terminal(large: Path) -> None:
    done = archcheck("verify", cwd=large)
    shown = set(re.findall(r"^\w+\[(\w+)\]", done.stdout, re.MULTILINE))
    assert {"BND006", "RES001", "BND007", "BND012", "OBS004"} <= shown


def test_what_fixes_most_stands_before_the_findings(large: Path) -> None:
    head, _, rest = archcheck("verify", cwd=large).stdout.partition("error[")
    assert "what fixes most" in head
    assert "timeout=250 * ms: fixes 200 findings (RES001), all at models/shop.py:5" in head
    assert 1 <= len(re.findall(r"^  \d\. ", head, re.MULTILINE)) <= 5
    assert rest


def test_a_file_has_all_findings_and_all_places(large: Path) -> None:
    done = archcheck("verify", "--output", "out.txt", cwd=large)
    text = (large / "out.txt").read_text()
    assert done.returncode == 1
    assert "-v shows" not in text
    data = json.loads(archcheck("verify", "--format", "json", cwd=large).stdout)
    (system,) = data
    assert blocks(text) == len(system["findings"]) > 100
    assert text.count("without a timeout") >= 200


def test_few_findings_need_no_list_of_actions(repository: Path) -> None:
    done = archcheck("verify", "--select", "RES001", cwd=repository)
    assert "what fixes most" not in done.stdout
