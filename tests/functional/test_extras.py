"""What works without any extra: the same verdicts, and one line to type for the rest."""

from __future__ import annotations

import re
import shlex
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from commands import ROOT, as_process
from depth import thorough
from installations import python_with_only, with_only, with_their_own
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CORE = {canonicalize_name(Requirement(each).name) for each in PROJECT["dependencies"]}
EXTRAS = PROJECT["optional-dependencies"]
MOST = 100
"""Megabytes of the packages beside z3, which has 90: below a third of what drawing needs."""


@thorough
@pytest.mark.parametrize(
    "line",
    [
        "verify models/online_boutique --format json",
        "verify models/shop --format json",
        "prove models/shop --format json",
        "prove examples/broken_shop.py --format json",
        "simulate models/social_network --format json",
        "availability models/shop",
        "export models/shop --format json",
    ],
)
def test_the_core_gives_the_answers_of_a_whole_installation(line: str) -> None:
    words = line.split()
    here, there = as_process(*words), with_only(CORE, *words)
    assert there.returncode == here.returncode, there.stderr
    assert there.stdout == here.stdout


@pytest.mark.parametrize(
    ("line", "extra"),
    [
        ("diagram models/shop -o {out}.svg", "draw"),
        ("diagram models/shop -o {out}.dot", "draw"),
        ("simulate models/shop --chart {out}.png", "draw"),
        ("plan models/shop", "plan"),
        ("chaos models/shop", "plan"),
        ("report models/shop -o {out}.html", "report"),
        ("verify examples/repository", "import"),
        ("simulate examples/checkout.py --trace {out}.parquet", "trace"),
        ("simulate examples/checkout.py --replications 2 --backend dask://127.0.0.1:1", "cluster"),
    ],
)
def test_what_is_missing_is_named_with_the_line_to_type(
    line: str, extra: str, tmp_path: Path
) -> None:
    done = with_only(CORE, *shlex.split(line.format(out=tmp_path / "out")))
    assert done.returncode == 2, done.stdout + done.stderr
    (said,) = re.findall(
        rf"this needs the extra '{extra}' of archcheck \([\w-]+ is not installed\); "
        r"type: pip install ([\w -]+)",
        done.stderr,
    )
    assert set(said.split()) == packages_of(extra)
    assert not list(tmp_path.iterdir())


def test_a_page_asks_for_its_chart_before_it_is_planned(tmp_path: Path) -> None:
    line = ["plan", "models/shop", "--format", "html", "-o", str(tmp_path / "plan.html")]
    done = with_only(CORE | packages_of("plan"), *line)
    assert done.returncode == 2
    assert "this needs the extra 'draw' of archcheck" in done.stderr
    assert "simulation" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("call", ["plan(system)", "chaos(system)", "report(system)"])
def test_a_program_gets_the_line_to_type_too(call: str) -> None:
    done = python_with_only(
        CORE,
        "import archcheck\n"
        "from archcheck.loading import load\n"
        "(system,) = load('examples/checkout.py')\n"
        f"archcheck.{call}\n",
    )
    last = done.stderr.splitlines()[-1]
    assert re.match(r"ModuleNotFoundError: this needs the extra '\w+' of archcheck .*pip ", last)


@thorough
def test_a_rule_that_needs_an_extra_never_passes_without_it() -> None:
    done = with_only(CORE, "verify", "models/shop", "--profile", "strict")
    assert done.returncode == 4
    assert "broken rule RES025 metastable: this needs the extra 'plan' of archcheck" in done.stdout


@pytest.mark.parametrize("ending", [".mmd", ".puml", ".d2", ".dsl"])
def test_text_for_other_tools_needs_no_extra(ending: str, tmp_path: Path) -> None:
    done = with_only(CORE, "diagram", "models/shop", "-o", tmp_path / f"shop{ending}")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / f"shop{ending}").stat().st_size > 1000


def packages_of(extra: str) -> set[str]:
    """The packages of an extra, those of the extras in it included."""
    found: set[str] = set()
    for each in map(Requirement, EXTRAS[extra]):
        own = each.name == PROJECT["name"]
        found |= set().union(*map(packages_of, each.extras)) if own else {each.name}
    return found


def test_the_core_is_small() -> None:
    packages = with_their_own(CORE) - {"z3-solver"}
    files = [file.locate() for name in packages for file in distribution(name).files or ()]
    assert sum(Path(str(file)).stat().st_size for file in files if file.exists()) < MOST * 1e6


def test_all_has_everything_but_what_developers_need() -> None:
    (whole,) = map(Requirement, EXTRAS["all"])
    assert whole.extras == set(EXTRAS) - {"all", "bench", "dev", "docs", "mutation"}
