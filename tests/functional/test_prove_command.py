"""``archcheck prove`` as people and CI use it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from commands import archcheck
from depth import thorough

from archcheck.proof.questions import questions as all_questions

ROOT = Path(__file__).parents[2]

BROKEN = """
from archcheck import *
from archcheck.units import ms, percent, s

bank = External("bank", latency=Constant(5 * ms))
db = MySQL("db", zones=["a"], copies=1)
web = Service(
    "web",
    deployment=Kubernetes(replicas=2, zones=["a"]),
    endpoints=[
        Endpoint(
            "buy",
            steps=[
                Call("pay.go", timeout=100 * ms, retry=Retry(attempts=4, backoff=0 * ms)),
                Read("db", timeout=50 * ms),
            ],
        )
    ],
)
pay = Service(
    "pay",
    deployment=Kubernetes(replicas=2, zones=["a", "b"]),
    endpoints=[
        Endpoint(
            "go",
            steps=[
                Call("bank", timeout=90 * ms, retry=Retry(attempts=3, backoff=0 * ms)),
                Call("bank", timeout=90 * ms, retry=Absent("no")),
            ],
        )
    ],
)
journey = Journey("buy", "web.buy", critical=True, timeout=300 * ms)
"""


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    (tmp_path / "broken.py").write_text(BROKEN)
    return tmp_path / "broken.py"


def test_the_shop_is_proved() -> None:
    done = archcheck("prove", "models/shop", "--strict")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "refuted[" not in done.stdout
    assert "undecided[" not in done.stdout
    assert done.stdout.splitlines()[-1].endswith(" proved, 0 refuted, 0 undecided")


def test_the_broken_shop_has_a_counterexample_for_every_question() -> None:
    done = archcheck("prove", "examples/broken_shop.py")
    assert done.returncode == 1
    golden = (ROOT / "examples" / "broken_shop.txt").read_text()
    assert [line.rstrip() for line in done.stdout.splitlines()] == golden.splitlines()
    questions = {question.name for question in all_questions()}
    assert all(f"refuted[{name}]" in golden for name in questions)


def test_counterexamples_are_stories_with_lines(broken: Path) -> None:
    done = archcheck("prove", broken.name, "--question", "deadlines", cwd=broken.parent)
    assert done.returncode == 1
    text = done.stdout
    assert (
        "refuted[deadlines] web.buy gives up on pay.go after 100 ms, but it may take 360 ms" in text
    )
    assert "  --> broken.py:14\n" in text
    assert "    pay.go -> bank waits 3 x 90 ms = 270 ms\n" in text
    assert "  cannot all stand: web.buy -> pay.go, pay.go -> bank\n" in text
    assert "refuted[deadlines] buy: its users give up after 300 ms, but in the worst" in text


def test_all_questions_as_data(broken: Path) -> None:
    done = archcheck("prove", broken.name, "--format", "json", cwd=broken.parent)
    assert done.returncode == 1
    data: dict[str, Any] = json.loads(done.stdout)
    assert data["format"] == "archcheck.prove/1"
    answers = {q["name"]: q["answers"] for q in data["questions"]}
    (storm,) = [a for a in answers["retries"] if a["verdict"] == "refuted"]
    assert storm["subject"] == "bank"
    assert storm["counterexample"]["message"].endswith("makes up to 12 calls of it: 4 x 3")
    (zones,) = answers["zones"]
    assert zones["counterexample"]["marks"] == {"db": "lost", "web": "lost"}
    assert [entry["journey"] for entry in data["availability"]] == ["buy"]


def test_the_same_model_gives_the_same_answers(broken: Path) -> None:
    runs = {archcheck("prove", broken.name, "-v", cwd=broken.parent).stdout for _ in range(2)}
    assert len(runs) == 1


def test_a_budget_that_is_spent_is_said(broken: Path) -> None:
    done = archcheck("prove", broken.name, "--proof-budget", "0s", "--strict", cwd=broken.parent)
    assert done.returncode == 3
    assert (
        "undecided[deadlines] needs more time than its part of the proof budget of 0 s"
        in done.stdout
    )
    verified = archcheck("verify", broken.name, "--proof-budget", "0s", cwd=broken.parent)
    assert "RES003" not in verified.stdout.partition("undecided")[0]
    assert "more time than its part of the proof budget of 0 s" in verified.stdout


def test_counterexamples_are_drawn(broken: Path) -> None:
    picture = broken.parent / "proof.svg"
    done = archcheck("prove", broken.name, "--diagram", picture, cwd=broken.parent)
    assert done.returncode == 1
    assert f"wrote {picture}" in done.stderr
    text = picture.read_text()
    assert "waits 360 ms" in text
    assert "asked 12 times" in text


def test_suggested_timeouts_mend_the_model(broken: Path) -> None:
    done = archcheck("prove", broken.name, "--suggest", "timeouts", cwd=broken.parent)
    assert done.returncode == 0
    assert '+                Call("pay.go", timeout=' in done.stdout
    assert "undecided: pay.go -> bank" not in done.stderr
    subprocess.run(
        ["git", "apply"], input=done.stdout, text=True, check=True, cwd=broken.parent, timeout=20
    )
    again = archcheck("prove", broken.name, "--question", "deadlines", cwd=broken.parent)
    assert again.returncode == 0


@thorough
@thorough
def test_suggested_sizes_are_a_patch(tmp_path: Path) -> None:
    done = archcheck("prove", "models/shop", "--suggest", "replicas")
    assert done.returncode == 0
    assert '-    pools=[Pool("stock-db", 30)],\n+    pools=[Pool("stock-db", 10)],' in done.stdout
    assert "not suggested: orders: pool of orders-db" in done.stderr  # too few for what is admitted
    assert "# by hand: models/shop/payment.py" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--question", "load,dedlines"], "there is no question 'dedlines'; did you mean"),
        (["--question", "dedlines"], "there is no question 'dedlines'; did you mean 'deadlines'"),
        (["--failures", "7"], "the number of failures at once must be from 1 to 4, got 7"),
        (["--diagram", "x.gif"], "cannot draw 'x.gif'; name a file that ends in one of"),
        (["--proof-budget", "soon"], "Invalid value for '--proof-budget'"),
        (["--suggest", "luck"], "Invalid value for '--suggest'"),
    ],
)
def test_wrong_input_is_one_sentence(arguments: list[str], sentence: str) -> None:
    done = archcheck("prove", "examples/checkout.py", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
