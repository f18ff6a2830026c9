"""Full disks, odd streams, hostile models and options: the old file, or one sentence."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import commands
import pytest
from depth import sample, thorough

from archcheck.cli.main import archcheck
from archcheck.files import write_file
from archcheck.loading import load
from archcheck.model import ModelError
from archcheck.reporting.report import PARTS
from archcheck.verification import Baseline

HEAD = "from archcheck import *\nfrom archcheck.units import *\n"
MODEL = (
    HEAD
    + 'a = Service("pay [v2]", endpoints=[Endpoint("run", steps=[Work(1 * ms)])])\n'
    + 'go = Journey("go [/x]", "pay [v2].run")\n'
    + 'calm = Scenario("[bold]x[/bold]", load=[Load(go, Poisson(10 / s))], duration=5 * s)\n'
)
WITHOUT = [word for part in PARTS for word in ("--without", part)]


def run(
    *arguments: str,
    cwd: Path,
    before: Callable[[], None] | None = None,
    stdout: int = subprocess.PIPE,
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "archcheck", *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "100", **variables},
        preexec_fn=before,  # sets limits only
        timeout=120,
    )


def small_disk() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))


def is_one_sentence(done: subprocess.CompletedProcess[str]) -> bool:
    said = done.stderr.strip().splitlines()
    return done.returncode == 2 and len(said) == 1 and said[0].startswith("error: ")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.py").write_text(MODEL)
    return tmp_path


# -- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "file"),
    sample(
        [
            (["verify", "model.py"], "old.txt"),
            (["report", "model.py", *WITHOUT], "old.html"),
            (["diagram", "model.py"], "old.svg"),
            (["export", "model.py"], "old.json"),
        ]
    ),
    ids=["text", "report", "diagram", "export"],
)
def test_a_full_disk_leaves_the_old_file(folder: Path, arguments: list[str], file: str) -> None:
    (folder / file).write_text("the old one")
    done = run(*arguments, "-o", file, cwd=folder, before=small_disk)
    assert is_one_sentence(done)
    assert file in done.stderr
    assert (folder / file).read_text() == "the old one"
    assert not list(folder.glob(".archcheck*"))


def test_a_full_disk_leaves_no_part_of_a_package(folder: Path) -> None:
    (folder / "model.py").write_text(f'{MODEL}b = Service("b", description="long " * 200)\n')
    done = run(
        "export", "model.py", "--format", "python", "-o", "new/shop", cwd=folder, before=small_disk
    )
    assert is_one_sentence(done)
    assert [path.name for path in folder.iterdir() if path.name != "__pycache__"] == ["model.py"]


@thorough
def test_a_full_disk_leaves_a_trace_a_chart_and_a_baseline(folder: Path) -> None:
    for option, file in (("--trace", "old.csv"), ("--chart", "old.png")):
        (folder / file).write_text("the old one")
        done = run("simulate", "model.py", option, file, cwd=folder, before=small_disk)
        assert done.returncode == 2
        assert f"error: {file}: File too large" in done.stderr
        assert (folder / file).read_text() == "the old one"
    commands.archcheck(
        "verify", "model.py", "--baseline", "b.json", "--update-baseline", cwd=folder
    )
    old = (folder / "b.json").read_text()
    shop = HEAD + "".join(f's{n} = Service("s{n}")\n' for n in range(20))
    (folder / "model.py").write_text(shop)
    update = ["verify", "model.py", "--baseline", "b.json", "--update-baseline"]
    assert is_one_sentence(run(*update, cwd=folder, before=small_disk))
    assert (folder / "b.json").read_text() == old


def test_a_full_disk_leaves_the_model_that_is_to_be_mended(folder: Path) -> None:
    broken = HEAD + (
        'b = Service("b", endpoints=[Endpoint("y")])\n'
        'a = Service("a", endpoints=[Endpoint("x", steps=[Call("b.y")])])\n'
    )
    (folder / "model.py").write_text(broken)
    commands.archcheck("export", "model.py", "-o", "m.json", cwd=folder)
    old = (folder / "m.json").read_text()
    fix = ["fix", "m.json", "--select", "RES001", "--write"]
    done = run(*fix, cwd=folder, before=small_disk)
    assert done.returncode == 2
    assert (folder / "m.json").read_text() == old
    commands.archcheck(*fix, cwd=folder)
    assert '"timeout"' in (folder / "m.json").read_text()


def test_a_link_stays_a_link_and_permissions_stay(folder: Path) -> None:
    (folder / "real.svg").write_text("old")
    (folder / "real.svg").chmod(0o640)
    (folder / "link.svg").symlink_to("real.svg")
    assert commands.archcheck("diagram", "model.py", "-o", "link.svg", cwd=folder).returncode == 0
    assert (folder / "link.svg").is_symlink()
    assert "<svg" in (folder / "real.svg").read_text()
    assert (folder / "real.svg").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "model.py", "-o", "none/x.txt"],
        ["simulate", "model.py", "--chart", "none/x.svg"],
        ["simulate", "model.py", "--trace", "none/x.csv"],
        ["availability", "model.py", "-o", "."],
        ["prove", "model.py", "--diagram", "none/x.svg"],
        ["fix", "model.py", "-o", ""],
    ],
    ids=lambda arguments: arguments[0],
)
def test_outputs_are_asked_for_before_the_work(folder: Path, arguments: list[str]) -> None:
    (folder / "model.py").write_text("raise SystemExit('the work has begun')")
    done = commands.archcheck(*arguments, cwd=folder)
    assert done.returncode == 2
    assert "the work has begun" not in done.stderr or "no folder" in done.stderr


def test_a_hyphen_is_standard_output(folder: Path) -> None:
    done = commands.archcheck("export", "model.py", "-o", "-", cwd=folder)
    assert json.loads(done.stdout)
    page = commands.archcheck("report", "model.py", *WITHOUT, "-o", "-", cwd=folder)
    assert page.stdout.startswith("<!DOCTYPE html>")
    assert not (folder / "-").exists()


def test_a_pipe_in_a_folder_of_models_is_left_out_and_said(folder: Path) -> None:
    os.mkfifo(folder / "z.py")
    os.mkfifo(folder / "z.json")
    done = commands.archcheck("verify", ".", "-q", cwd=folder)
    assert done.returncode in (0, 1)
    assert done.stderr.count("left out, it is no ordinary file") == 2


def test_a_baseline_is_what_it_says(folder: Path) -> None:
    for entry in ("null", "[]", "{}", '{"rule": null, "element": "x", "fingerprint": "y"}'):
        text = f'{{"format": "archcheck.baseline/1", "accepted": [{entry}]}}'
        (folder / "b.json").write_text(text)
        with pytest.raises(ModelError, match="is not a baseline"):
            Baseline.read(folder / "b.json")
    (folder / "notes.txt").write_text("mine")
    done = commands.archcheck(
        "verify", "model.py", "--baseline", "notes.txt", "--update-baseline", cwd=folder
    )
    assert is_one_sentence(done)
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_working_folder_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    done = run("verify", "x.py", cwd=gone, before=gone.rmdir)
    assert is_one_sentence(done)
    assert "the working folder does not exist any more" in done.stderr


def test_an_empty_name_is_not_the_working_folder(folder: Path) -> None:
    done = commands.archcheck("verify", "", cwd=folder)
    assert is_one_sentence(done)
    assert "is empty" in done.stderr


# -- streams --------------------------------------------------------------------------------------


def test_standard_output_that_is_closed_or_full(folder: Path) -> None:
    closed = run("verify", "model.py", cwd=folder, before=lambda: os.close(1))
    assert is_one_sentence(closed)
    with Path("/dev/full").open("w") as full:
        assert is_one_sentence(run("verify", "model.py", cwd=folder, stdout=full.fileno()))
    done = run("verify", "model.py", cwd=folder, before=lambda: os.close(2))
    assert done.returncode in (0, 1)


def test_what_a_model_prints_is_not_in_the_output(folder: Path) -> None:
    loud = (
        "import os, sys\n"
        "print('printed')\n"
        "os.system('echo from a child')\n"
        "sys.__stdout__.write('straight\\n')\n"
        "sys.stdout.close()\n"
        "sys.stdout = None\n"
        "os.close(1)\n"
    )
    (folder / "model.py").write_text(loud + MODEL)
    for command in (
        ["verify", "model.py", "--format", "json"],
        ["simulate", "model.py", "--format", "json"],
    ):
        done = run(*command, cwd=folder)
        assert json.loads(done.stdout)
        for text in ("printed", "from a child", "straight"):
            assert text in done.stderr


def test_what_a_rule_prints_is_not_in_the_output(folder: Path) -> None:
    run("rules", "--new", "loud", "--id", "OWN001", cwd=folder)
    path = folder / "rules" / "loud.py"
    text = path.read_text()
    assert "    for " in text
    text = text.replace("    for ", "    print('judging')\n    for ", 1)
    path.write_text(f"{text}\nprint('loading')\n")
    done = run("verify", "model.py", "--format", "json", cwd=folder)
    assert json.loads(done.stdout)
    assert "loading" in done.stderr
    assert "judging" in done.stderr


@pytest.mark.parametrize(
    ("code", "sentence"),
    sample(
        [
            ("import os; os._exit(0)", "ends the process"),
            ("raise GeneratorExit", "the model raises GeneratorExit"),
            ("raise SystemExit(0)", "the model raises SystemExit"),
            ("class E(BaseException): pass\nraise E('x')", "the model raises E: x"),
        ]
    ),
    ids=["exit", "base", "system exit", "own"],
)
def test_a_model_that_ends_the_process_is_no_success(
    folder: Path, code: str, sentence: str
) -> None:
    (folder / "model.py").write_text(code)
    done = run("verify", "model.py", cwd=folder)
    assert is_one_sentence(done)
    assert sentence in done.stderr


def test_texts_that_python_took_away(folder: Path) -> None:
    assert is_one_sentence(run("verify", "model.py", cwd=folder, PYTHONOPTIMIZE="2"))


@pytest.mark.parametrize("command", ["simulate", "availability"])
def test_names_with_brackets_are_shown_as_they_are(folder: Path, command: str) -> None:
    done = run(command, "model.py", cwd=folder)
    assert done.returncode == 0
    assert "go [/x]" in done.stdout


# -- text and numbers -----------------------------------------------------------------------------


def refusal(path: Path) -> str:
    """The sentence with which a model is refused."""
    with pytest.raises(ModelError) as caught:
        load(path)
    return str(caught.value)


@pytest.mark.parametrize("sign", ["\x1b", "\x00", "\x9b", "\ufffe", "\u202e", "\ud800"], ids=ascii)
@pytest.mark.parametrize("field", ["description", "tags", "version"])
def test_text_that_cannot_be_shown_is_refused(tmp_path: Path, sign: str, field: str) -> None:
    text = f"a{sign}b"
    value = [text] if field == "tags" else text
    part = {"type": "MySQL", "name": "d", field: value}
    model = {"type": "System", "name": "s", "elements": [part]}
    (tmp_path / "m.json").write_text(json.dumps(model, indent=1))
    said = refusal(tmp_path / "m.json")
    assert f"U+{ord(sign):04X}" in said
    assert "m.json:5" in said


def test_odd_json(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    good = '{"type": "System", "name": "s", "elements": [{"type": "Service", "name": "a"}]}'
    path.write_text("\ufeff" + good)
    assert load(path)[0].name == "s"
    path.write_text('{"type": "System",\n "name": ' + "9" * 5000 + "}")
    assert "m.json:2: a number has too many digits" in refusal(path)
    path.write_text('{"type": ["System"]}')
    assert "got ['System']" in refusal(path)
    path.write_text('{"name": "s"}')
    assert 'says with "type"' in refusal(path)


@pytest.mark.parametrize(
    "part",
    [
        'MySQL("d", copies=2147483648)',
        'MySQL("d", max_connections=10**13)',
        'MySQL("d", copies=10**5000)',
        'Redis("r", max_entries=10**5000)',
        'Topic("t", partitions=10**7)',
        "KeySpace(10**13)",
        'Service("b", deployment=Kubernetes(autoscale=Autoscale(min=1, max=2**63)))',
        'Service("b", endpoints=[Endpoint("x", steps=[Work(1e17 * s)])])',
        'Service("b", endpoints=[Endpoint("x", steps=[Call("a", timeout=1e300 * s)])])',
        'Service("b", rate_limit=RateLimit(1e18 / s))',
        'External("e", latency=Constant(1e200 * s))',
    ],
)
def test_every_number_has_a_bound_and_a_sentence(tmp_path: Path, part: str) -> None:
    (tmp_path / "model.py").write_text(HEAD + f"x = {part}\n")
    said = refusal(tmp_path / "model.py")
    assert "model.py:3" in said
    assert "must be" in said


@pytest.mark.parametrize(
    "option",
    [
        ["simulate", "--seed", "-1"],
        ["plan", "--seed", "99999999999999999999999"],
        ["chaos", "--seed", "-1"],
        ["simulate", "--jobs", "0"],
        ["simulate", "--replications", "0"],
        ["report", "--port", "99999"],
        ["availability", "--samples", "2000000000"],
        ["prove", "--failures", "-1"],
    ],
    ids=" ".join,
)
def test_numbers_of_options_have_bounds(option: list[str]) -> None:
    command, name, value = option
    with pytest.raises(click.BadParameter) as caught:
        archcheck([command, "model.py", name, value], standalone_mode=False)
    assert name in caught.value.format_message()


# -- signals --------------------------------------------------------------------------------------


def test_a_trace_that_is_interrupted_leaves_the_old_one(folder: Path) -> None:
    (folder / "model.py").write_text(MODEL.replace("5 * s", "50000 * s"))
    (folder / "old.csv").write_text("the old one")
    command = [sys.executable, "-m", "archcheck", "simulate", "model.py", "--trace", "old.csv"]
    with subprocess.Popen(command, cwd=folder, stdout=-3, stderr=-3) as process:
        while not (begun := list(folder.glob(".archcheck*"))):
            assert process.poll() is None
        assert begun
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 128 + signal.SIGTERM
    assert (folder / "old.csv").read_text() == "the old one"
    assert not list(folder.glob(".archcheck*"))


def test_a_signal_as_soon_as_there_is_a_file_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = Path.touch

    def interrupted(path: Path, mode: int = 0o666, exist_ok: bool = True) -> None:
        create(path, mode, exist_ok)
        raise SystemExit(128 + signal.SIGTERM)

    monkeypatch.setattr(Path, "touch", interrupted)
    with pytest.raises(SystemExit):
        write_file(tmp_path / "trace.csv", "new")
    assert not list(tmp_path.iterdir())
