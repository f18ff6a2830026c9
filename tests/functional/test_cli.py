"""What a user types and sees: output, exit codes, files; and one sentence for what is wrong."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from commands import archcheck

from archcheck.cli.main import COMMANDS
from archcheck.version import __version__

ROOT = Path(__file__).parents[2]
BOUTIQUE = str(ROOT / "models" / "online_boutique")
SHOP = str(ROOT / "models" / "shop")

HEAD = "from archcheck import *\nfrom archcheck.units import *\n"
SMALL = (
    HEAD
    + 'a = Service("a", endpoints=[Endpoint("run", steps=[Work(1 * ms)])])\n'
    + 'go = Journey("go", "a.run")\n'
    + 'calm = Scenario("calm", load=[Load("go", Poisson(10 / s))], duration=5 * s)\n'
)


def model(folder: Path, text: str, name: str = "model.py") -> str:
    (folder / name).write_text(text)
    return name


# -- results ------------------------------------------------------------------------------------


def test_the_help_names_every_command() -> None:
    done = archcheck("--help")
    assert done.returncode == 0
    for command in ("init", "verify", "simulate", "diagram", "rules", "explain", "export"):
        assert command in done.stdout
        assert archcheck(command, "--help").returncode == 0


def test_the_help_groups_commands_by_what_a_person_is_doing() -> None:
    text = archcheck("--help").stdout
    groups = {
        "Start": ("init", "import", "explain", "rules"),
        "Judge": ("verify", "prove", "fix"),
        "Load": ("simulate", "compare", "plan", "chaos", "phase-map", "availability"),
        "See": ("diagram", "report", "export", "schema"),
    }
    expected = [word for name, commands in groups.items() for word in (f"{name}:", *commands)]
    first = [line.split()[0] for line in text.splitlines() if re.match(r"(  )?[A-Za-z-]+:?", line)]
    assert [word for word in first if word in expected] == expected
    assert {name for group in groups.values() for name in group} == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help(command: str) -> None:
    done = archcheck(command, "--help")
    assert done.returncode == 0
    assert f"archcheck {command} " in done.stdout.splitlines()[0]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("verfy",), "there is no command 'verfy'; did you mean 'verify'?"),
        (("phasemap",), "there is no command 'phasemap'; did you mean 'phase-map'?"),
        (("xyz",), "there is no command 'xyz'\n"),
        (("simulate", "--chaos"), "no option --chaos any more; write: archcheck chaos\n"),
        (
            ("simulate", "models/shop", "--phase-map", "load"),
            "no option --phase-map any more; write: archcheck phase-map TRIGGER\n",
        ),
        (
            ("simulate", "--set=payments.replicas=2"),
            "no option --set any more; write: archcheck compare --set PATH=VALUE\n",
        ),
        (("simulate", "--chartt", "x.svg"), "Did you mean '--chart'?"),
        (("verify", "--chaos"), "No such option '--chaos'"),
    ],
)
def test_what_is_not_there_says_what_to_write(arguments: tuple[str, ...], says: str) -> None:
    done = archcheck(*arguments)
    assert done.returncode == 2
    assert says in done.stderr


def test_verify_exits_with_1_on_errors_and_shows_place_and_fix() -> None:
    done = archcheck("verify", "models/online_boutique")
    assert done.returncode == 1
    assert "error[RES001] no-timeout: a step waits for another process" in done.stdout
    assert "  --> models/online_boutique/backend.py:77\n" in done.stdout
    assert "   77 |             steps=[Work(assumed.CART), Read(" in done.stdout
    assert "fix: timeout=250 * ms" in done.stdout
    assert "5 errors, 13 warnings, 0 infos" in done.stdout


def test_verify_exits_with_0_when_every_rule_holds() -> None:
    assert archcheck("verify", "models/shop").returncode == 0


def test_findings_below_fail_on_do_not_fail(tmp_path: Path) -> None:
    unowned = HEAD + 'a = Service("a")\n'
    model(tmp_path, unowned)
    assert archcheck("verify", "model.py", cwd=tmp_path).returncode == 0
    assert archcheck("verify", "model.py", "--fail-on", "warning", cwd=tmp_path).returncode == 1


def test_strict_exits_with_3_when_a_rule_is_undecided(tmp_path: Path) -> None:
    model(tmp_path, HEAD + 'a = Service("a", owner="team")\n')
    done = archcheck("verify", "model.py", "--strict", cwd=tmp_path)
    assert done.returncode == 3
    assert "undecided" in done.stdout


def test_verify_writes_json_to_a_file(tmp_path: Path) -> None:
    done = archcheck("verify", SHOP, "--format", "json", "-o", "report.json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    (report,) = json.loads((tmp_path / "report.json").read_text())
    assert report["summary"]["errors"] == 0
    assert report["summary"]["rules"]["violated"] == 0
    assert report["summary"]["rules"]["undecided"] == 0


def test_models_are_found_without_naming_them(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    model(tmp_path / "models", SMALL)
    assert "models: 1 service" in archcheck("verify", cwd=tmp_path).stdout


def test_simulate_prints_latencies_the_bottleneck_and_assumptions(tmp_path: Path) -> None:
    model(tmp_path, SMALL)
    done = archcheck("simulate", "model.py", cwd=tmp_path)
    assert done.returncode == 0
    for expected in ("p99.9", "bottleneck: a cores", "assumed, because the model does not"):
        assert expected in done.stdout


def test_a_missed_objective_exits_with_1(tmp_path: Path) -> None:
    text = SMALL.replace('"a.run")', '"a.run", slo=Slo(p50=0.1 * ms))')
    model(tmp_path, text)
    done = archcheck("simulate", "model.py", cwd=tmp_path)
    assert done.returncode == 1
    assert re.search(r"p50 of go +100 us +[0-9.]+ \w+ ± .* missed", done.stdout)
    done = archcheck("simulate", "model.py", "--replications", "1", cwd=tmp_path)
    assert done.returncode == 0
    assert re.search(r"p50 of go +100 us +[0-9.]+ \w+, with no interval +open", done.stdout)


def test_simulate_takes_faults_and_shows_what_they_do(tmp_path: Path) -> None:
    model(tmp_path, SMALL)
    fault = ("--fault", "a slow x400 from 1s to 3s")
    done = archcheck("simulate", "model.py", *fault, "--chart", "run.svg", cwd=tmp_path)
    assert done.returncode == 0
    assert "work (a)" in done.stdout
    assert (tmp_path / "run.svg").read_text().startswith("<svg")
    slow, calm = (
        json.loads(archcheck("simulate", "model.py", *how, "--format", "json", cwd=tmp_path).stdout)
        for how in (fault, ())
    )
    p99 = [run["journeys"][0]["latency"]["p99"] for run in (slow, calm)]
    assert p99[0] > 20 * p99[1]


def test_what_cannot_be_simulated_is_shown_where_it_is_declared(tmp_path: Path) -> None:
    load, fault = 'Load("go", Poisson(0 / s))', "Kill('a', replicas=9)"
    model(tmp_path, SMALL + f'none = Scenario("none", load=[{load}])\n')
    done = archcheck("simulate", "model.py", "--scenario", "none", cwd=tmp_path)
    assert done.stderr == "error: model.py:6: the load go has a rate of zero\n"
    hurt = 'hurt = Scenario(\n    "hurt", load=[Load("go", Poisson(1 / s))],\n'
    model(tmp_path, SMALL + hurt + f"    faults=[{fault}],\n)\n")
    done = archcheck("simulate", "model.py", "--scenario", "hurt", cwd=tmp_path)
    assert done.stderr == "error: model.py:8: Kill cannot take 9 of the 1 nodes of a\n"


def test_simulate_says_when_there_is_no_steady_state(tmp_path: Path) -> None:
    model(tmp_path, SMALL.replace("10 / s", "5200 / s").replace("5 * s", "3 * s"))
    done = archcheck("simulate", "model.py", cwd=tmp_path)
    assert done.returncode == 1
    assert re.search(r"no steady state: a receives 1\.\d+ times what it can serve", done.stdout)
    data = json.loads(archcheck("simulate", "model.py", "--format", "json", cwd=tmp_path).stdout)
    assert data["steady_state"] is False
    assert data["journeys"][0]["latency"]["mean"] is None


def test_replications_do_not_depend_on_the_number_of_cores(tmp_path: Path) -> None:
    model(tmp_path, SMALL)
    outputs = {
        archcheck(
            *("simulate", "model.py", "--replications", "4", "--format", "json"),
            *("--warmup", "1s", "--jobs", jobs),
            cwd=tmp_path,
        ).stdout
        for jobs in ("1", "2")
    }
    (output,) = outputs
    data = json.loads(output)
    assert data["replications"] == 4
    mean = data["estimates"]["go"]["mean"]
    assert mean["method"] == "replications"
    assert 0 < mean["half_width"] < mean["value"]


def test_simulate_replicates_until_it_is_precise(tmp_path: Path) -> None:
    model(tmp_path, SMALL)
    done = archcheck("simulate", "model.py", "--precision", "10%", "--jobs", "1", cwd=tmp_path)
    assert re.search(r"precision of 10.00% reached with \d+ replications", done.stdout)


def test_simulate_gives_the_same_json_for_the_same_seed(tmp_path: Path) -> None:
    model(tmp_path, SMALL)
    first, second, other = (
        archcheck("simulate", "model.py", "--format", "json", "--seed", seed, cwd=tmp_path).stdout
        for seed in ("3", "3", "4")
    )
    assert first == second != other
    assert json.loads(first)["seed"] == 3


def test_an_exported_model_verifies_the_same_and_follows_the_schema(tmp_path: Path) -> None:
    assert archcheck("export", SHOP, "-o", "shop.json", cwd=tmp_path).returncode == 0
    schema = json.loads(archcheck("schema", "model").stdout)
    jsonschema.validate(json.loads((tmp_path / "shop.json").read_text()), schema)
    done = archcheck("verify", "shop.json", cwd=tmp_path)
    assert done.returncode == 0
    assert "0 errors, 0 warnings, 0 infos; " in done.stdout
    assert "0 undecided" in done.stdout
    again = archcheck("export", "shop.json", cwd=tmp_path).stdout
    assert again.strip() == (tmp_path / "shop.json").read_text().strip()


def test_diagrams_are_self_contained_and_searchable(tmp_path: Path) -> None:
    done = archcheck("diagram", BOUTIQUE, "-o", "shop.svg", cwd=tmp_path)
    assert done.returncode == 0
    svg = (tmp_path / "shop.svg").read_text()
    assert "checkoutservice" in svg
    assert "data:image/png;base64," in svg
    assert "<script" not in svg
    assert 'href="http' not in svg
    assert archcheck("diagram", BOUTIQUE, "-o", "shop.png", cwd=tmp_path).returncode == 0
    assert (tmp_path / "shop.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_names_are_escaped_in_pictures(tmp_path: Path) -> None:
    model(tmp_path, HEAD + 'a = Service("a", description="<script>alert(1)</script> & \\"x\\"")\n')
    assert archcheck("diagram", "model.py", "-o", "a.svg", cwd=tmp_path).returncode == 0
    assert "<script" not in (tmp_path / "a.svg").read_text()


# -- what is wrong ------------------------------------------------------------------------------

WRONG = {
    "an unknown reference": (
        'b = Service("b", endpoints=[Endpoint("run", steps=[Call("a.rum")])])\n',
        r"model.py:7: .*'a.rum'.*did you mean 'a.run'",
    ),
    "a bare number": ("x = Work(4)\n", "model.py:7: .*bare number 4; write for example 4 \\* ms"),
    "a negative duration": ("x = Work(-4 * ms)\n", "model.py:7: .*must not be negative, got -4 ms"),
    "the wrong dimension": ("x = Work(4 / s)\n", "model.py:7: .*must be .*got .*4/s"),
    "a misspelt argument": (
        'x = Call("a.run", timout=1 * ms)\n',
        "model.py:7: .*no argument 'timout'; did you mean 'timeout'",
    ),
    "duplicate names": ('x = Service("a")\n', "model.py:7: .*'a'.*model.py:3"),
    "a syntax error": ("def (\n", "model.py:7: syntax error"),
    "a module that raises": ('raise RuntimeError("no")\n', "model.py:7: .*RuntimeError: no"),
    "a missing import": ("import no_such_thing\n", "model.py:7: .*no_such_thing"),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_in_a_model_gets_one_sentence_and_exit_2(mistake: str, tmp_path: Path) -> None:
    addition, sentence = WRONG[mistake]
    model(tmp_path, SMALL + "\n" + addition)
    for command in ("verify", "simulate", "diagram", "export"):
        one_sentence(archcheck(command, "model.py", cwd=tmp_path), sentence)


def one_sentence(done: subprocess.CompletedProcess[str], sentence: str) -> None:
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert re.search(sentence, done.stderr), done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2


def test_cyclic_nesting_is_one_sentence(tmp_path: Path) -> None:
    text = (
        "steps = [Work(1 * ms)]\nsteps.append(steps)\n"
        'b = Service("b", endpoints=[Endpoint("run", steps=steps)])\n'
    )
    model(tmp_path, HEAD + text)
    one_sentence(archcheck("verify", "model.py", cwd=tmp_path), "model.py:5: ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("verify", "nowhere.py"), "there is no file, folder or module 'nowhere.py'"),
        (("verify", "empty.txt"), "empty.txt"),
        (("verify", "wrong.json"), "wrong.json:1: is not JSON"),
        (("verify", "deep.json"), "deep.json:1: .*deep"),
        (("verify", "list.json"), "list.json:1: is not a model"),
        (("verify", "binary.json"), "binary.json"),
        (("verify", "no.such.module:system"), "module 'no.such.module:system'"),
        (("verify", "broken.part:system"), "broken/__init__.py:1: .*RuntimeError: no"),
        (("verify",), "models"),
        (("simulate", "model.py", "--scenario", "clam"), "'clam'.*did you mean 'calm'"),
        (("simulate", "model.py", "--duration", "60"), "60.*unit"),
        (("simulate", "model.py", "--fault", "b slow x2 at 1s"), "'b', which the system does not"),
        (("simulate", "model.py", "--fault", "a slow"), "'a slow' does not say when"),
        (("simulate", "model.py", "--replications", "0"), "0 is not in the range x>=1"),
        (("simulate", "model.py", "--precision", "0%"), "precision is a share between 0 and 1"),
        (("simulate", "model.py", "--chart", "x.gif"), "cannot draw 'x.gif'"),
        (("simulate", "model.py", "--duration", "5s", "--warmup", "9s"), "must be shorter"),
        (("diagram", "model.py", "-o", "x.gif"), "x.gif.*.svg, .png, .pdf, .mmd"),
        (("diagram", "model.py", "-o", "no/folder/x.svg"), "x.svg: there is no folder"),
        (("verify", "model.py", "-o", "no/folder/x.txt"), "x.txt: there is no folder"),
        (("verify", "model.py", "--fail-on", "never"), "fail-on"),
    ],
)
def test_a_wrong_command_line_gets_one_sentence(
    arguments: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    model(tmp_path, SMALL)
    model(tmp_path, "", "empty.txt")
    model(tmp_path, "{", "wrong.json")
    model(tmp_path, "[" * 100_000, "deep.json")
    model(tmp_path, "[]", "list.json")
    (tmp_path / "broken").mkdir()
    model(tmp_path / "broken", 'raise RuntimeError("no")', "__init__.py")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    done = archcheck(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert re.search(sentence, done.stderr), done.stderr


def test_the_version_says_what_results_may_depend_on() -> None:
    first, engine, python, packages = archcheck("--version").stdout.splitlines()
    assert first == f"archcheck {__version__}"
    assert engine.startswith("engine: ")
    assert python.startswith(f"Python: {sys.version.split()[0]}")
    assert "z3-solver" in packages
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert str(cited["version"]) == __version__
