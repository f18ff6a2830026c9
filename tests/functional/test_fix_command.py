"""``archcheck fix`` as people use it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def archcheck(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "archcheck", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "120"},
    )


def test_the_readme_model_is_mended_by_two_timeouts() -> None:
    done = archcheck("fix", "examples/checkout.py")
    assert done.stdout.startswith("checkout: 2 edits at a cost of 2, the least that is possible\n")
    assert (
        '+                        steps=[Work(60 * ms), Write("ledger", timeout=16 * ms)])],'
        in (done.stdout)
    )
    # the missing contract and the pool of the framework stay
    assert "3 findings before, 2 after: 1 fixed, 0 introduced" in done.stdout
    # ... and under load these timeouts cut requests that would have been answered
    assert done.returncode == 1
    assert re.search(r"costs answers: under peak, 2\.[0-9]+% of checkout end", done.stdout)
    assert "costs answers: under peak, availability of checkout is 97." in done.stdout


def test_a_json_model_is_written_and_simulated(tmp_path: Path) -> None:
    file = tmp_path / "checkout.json"
    archcheck("export", "examples/checkout.py", "-o", file)
    text = file.read_text()
    refused = archcheck("fix", file, "--write", cwd=tmp_path)
    assert refused.returncode == 2
    assert "nothing is written: the edits would cost answers" in refused.stderr
    assert file.read_text() == text
    file.write_text(text.replace('"110/s"', '"1/d"'))
    done = archcheck("fix", file, "--write", "--simulate", "peak", cwd=tmp_path)
    assert done.returncode == 0
    assert "wrote" in done.stderr
    assert "checkout under peak" in done.stdout
    again = archcheck("verify", file, "--select", "RES001,RES003", cwd=tmp_path)
    assert again.returncode == 0


def test_costs_come_from_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "archcheck.toml").write_text("[edits]\nbreaker = 1\n")
    done = archcheck("fix", ROOT / "examples" / "checkout.py", cwd=tmp_path)
    assert done.returncode == 1
    assert "left: RES001 payments.Charge -> ledger: no allowed edit sets a timeout" in done.stdout
    (tmp_path / "archcheck.toml").write_text("[edits]\nbraeker = 1\n")
    wrong = archcheck("fix", ROOT / "examples" / "checkout.py", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "archcheck.toml:1: there is no kind of edit 'braeker'; did you mean 'breaker'" in (
        wrong.stderr
    )


def test_a_model_without_findings_is_left_alone() -> None:
    done = archcheck("fix", "models/shop", "--isolated")
    assert done.returncode == 0
    assert done.stdout.startswith("shop: 0 edits at a cost of 0")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--write"], "--write changes JSON models only; apply the patch to a Python model"),
        (["--allow", "luck=1"], "there is no kind of edit 'luck'; there are timeout,"),
        (["--allow", "timeout=much"], "--allow takes KIND=COST, such as timeout=1"),
        (["--allow", ","], "no edit is allowed; allow some of timeout"),
        (["--proof-budget", "0s"], "the cheapest repair is not found: it needs more time than"),
        (["--simulate", "nothing"], "has no scenario 'nothing'"),
    ],
)
def test_wrong_input_is_one_sentence(arguments: list[str], sentence: str) -> None:
    done = archcheck("fix", "examples/checkout.py", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
