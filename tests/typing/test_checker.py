"""A type checker finds the mistakes in a model: wrong dimension, bare number, misspelt argument."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from depth import thorough

pytestmark = thorough

HERE = Path(__file__).parent
ERROR = re.compile(r"models_wrong\.py:(\d+): error: .*\[([a-z-]+)\]$", re.MULTILINE)


def checked(file: str, cache: Path) -> str:
    options = ["--config-file=", "--strict", "--no-error-summary", "--follow-imports=silent"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "--cache-dir", str(cache), str(HERE / file)],
        capture_output=True,
        text=True,
        check=False,
        env={"MYPYPATH": str(HERE.parents[1] / "src")},
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def test_right_models_pass(tmp_path: Path) -> None:
    assert checked("models_right.py", tmp_path) == ""


def test_the_functions_of_the_package_give_typed_results(tmp_path: Path) -> None:
    assert checked("roof_right.py", tmp_path) == ""


def test_each_mistake_is_found_and_nothing_else(tmp_path: Path) -> None:
    lines = (HERE / "models_wrong.py").read_text().splitlines()
    expected = {
        (number, line.partition("# error: ")[2])
        for number, line in enumerate(lines, 1)
        if "# error: " in line and not line.startswith('"')
    }
    found = {
        (int(line), code) for line, code in ERROR.findall(checked("models_wrong.py", tmp_path))
    }
    assert len(expected) == 17
    assert found == expected
