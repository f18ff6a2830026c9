"""What TAB completes in a shell: commands, options, choices, files, rules; no model is loaded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from commands import ROOT, as_process
from commands import archcheck as run

from archcheck.cli.main import COMMANDS, archcheck

SCRIPT = Path(sys.executable).parent / "archcheck"
"""The script that pip installs: Click takes the name of the variable from its name."""


def asked(line: str) -> dict[str, str]:
    """The environment in which bash asks what completes the last word of a line."""
    words = line.split(" ")
    return {
        "_ARCHCHECK_COMPLETE": "bash_complete",
        "COMP_WORDS": "\n".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }


def completed(line: str, cwd: Path) -> list[str]:
    """What Click answers, as ``kind,value``."""
    done = run(cwd=cwd, **asked(line))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "answers"),
    [
        ("archcheck ", [f"plain,{name}" for name in COMMANDS]),
        ("archcheck ver", ["plain,verify"]),
        ("archcheck --v", ["plain,--version"]),
        ("archcheck phase", ["plain,phase-map"]),
        ("archcheck verify --f", ["plain,--format", "plain,--fail-on"]),
        ("archcheck verify --format s", ["plain,sarif"]),
        ("archcheck verify --format=s", ["plain,sarif"]),
        ("archcheck verify mod", ["file,mod"]),
        ("archcheck verify --config a", ["file,a"]),
        ("archcheck phase-map trigger mod", ["file,mod"]),
        ("archcheck init a", ["dir,a"]),
        ("archcheck import --env-file .e", ["file,.e"]),
        ("archcheck explain res00", [f"plain,RES00{number}" for number in range(1, 10)]),
        ("archcheck explain timeout-inv", ["plain,timeout-inversion"]),
        ("archcheck explain Journe", ["plain,Journey"]),
        ("archcheck explain Call.time", ["plain,Call.timeout"]),
        ("archcheck simulate --scenario ", []),
    ],
)
def test_the_last_word_is_completed(line: str, answers: list[str], tmp_path: Path) -> None:
    assert completed(line, tmp_path) == answers


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_that_takes_a_file_completes_files(name: str) -> None:
    context = click.Context(archcheck)
    command = archcheck.get_command(context, name)
    assert command is not None
    for parameter in command.get_params(click.Context(command, parent=context)):
        if parameter.metavar in ("FILE", "PATH", "PATH...", "MODEL", "[MODEL]..."):
            (item,) = parameter.shell_complete(context, "some")
            assert (item.type, item.value) == ("file", "some"), parameter.name


def test_completion_runs_no_model_and_no_rule_of_the_folder(tmp_path: Path) -> None:
    ran = "from pathlib import Path\nPath('ran').touch()\n"
    for folder in ("models", "rules"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "one.py").write_text(ran)
    for line in ("verify ", "verify models --", "explain RES", "simulate models --scenario "):
        completed(f"archcheck {line}", tmp_path)
    assert not (tmp_path / "ran").exists()


def test_completion_writes_none_of_the_files_that_are_named(tmp_path: Path) -> None:
    completed("archcheck simulate -o a.txt --chart a.svg --trace a.csv ", tmp_path)
    completed("archcheck import -o shop ", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("line", ["archcheck ", "archcheck ver", "archcheck --"])
def test_completing_a_command_imports_none(line: str) -> None:
    done = subprocess.run(
        [SCRIPT],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1", **asked(line)},
    )
    imported = {entry.rpartition("|")[2].strip() for entry in done.stderr.splitlines()}
    assert "archcheck.cli.main" in imported
    slow = {"pydantic", "networkx", "numpy", "rich", "archcheck.model", "archcheck.cli.verify"}
    assert not slow & imported


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_script_of_a_shell_is_printed(shell: str) -> None:
    done = run(_ARCHCHECK_COMPLETE=f"{shell}_source")
    assert done.returncode == 0
    assert f"_ARCHCHECK_COMPLETE={shell}_complete" in done.stdout


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_bash_completes_with_the_line_of_the_help() -> None:
    (line,) = (
        text.removeprefix("bash").strip()
        for text in map(str.strip, as_process("--help").stdout.splitlines())
        if text.startswith("bash ")
    )
    done = subprocess.run(
        ["bash", "-c", f"{line}\nCOMP_WORDS=(archcheck ver); COMP_CWORD=1\n"
         "_archcheck_completion archcheck\necho ${COMPREPLY[@]}"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PATH": f"{SCRIPT.parent}{os.pathsep}{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.stdout == "verify\n"


def test_the_page_has_the_lines_of_the_help() -> None:
    page = (ROOT / "docs" / "completion.md").read_text().replace("\\|", "|")
    lines = [line.strip() for line in run("--help").stdout.splitlines() if "_COMPLETE=" in line]
    assert [line.split()[0] for line in lines] == ["bash", "zsh", "fish"]
    for line in lines:
        assert f"`{line.split(maxsplit=1)[1]}`" in page
