"""``archcheck simulate``: engines, traces, Ctrl-C."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from commands import archcheck, as_process
from depth import thorough

from archcheck.simulation.engines import fast

ROOT = Path(__file__).parents[2]
SHOP = str(ROOT / "models" / "shop")
compiled = pytest.mark.skipif(not fast.is_compiled(), reason="the engine is not compiled")


def simulate(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return archcheck("simulate", SHOP, *arguments, cwd=cwd)


@thorough
@compiled
def test_both_engines_print_the_same_numbers() -> None:
    printed = {}
    for engine in ("fast", "simpy"):
        done = simulate("--engine", engine, "--duration", "20s", "--format", "json")
        data = json.loads(done.stdout)
        assert data.pop("engine") == engine
        assert data.pop("engine_reason") == "as asked"
        printed[engine] = data
    assert printed["fast"] == printed["simpy"]


@compiled
def test_the_report_says_which_engine_ran_and_why() -> None:
    assert "engine fast (compiled)" in simulate("--duration", "2s").stdout
    assert "engine simpy (as asked)" in simulate("--duration", "2s", "--engine", "simpy").stdout


def test_without_the_compiled_engine_simpy_runs_and_says_so(tmp_path: Path) -> None:
    """An installation without a C compiler: the module is not there."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nsys.modules['archcheck.simulation.engines.fast._engine'] = None\n"
    )
    where = str(tmp_path)
    done = as_process("simulate", SHOP, "--duration", "2s", PYTHONPATH=where)
    assert "engine simpy (the compiled engine is not installed)" in done.stdout
    done = as_process("simulate", SHOP, "--engine", "fast", PYTHONPATH=where)
    assert done.returncode == 2
    assert "the compiled engine is not installed" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_trace_has_every_journey_and_what_belongs_to_it(ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"run.{ending}"
    done = simulate("--duration", "3s", "--trace", str(file), "--format", "json", "--warmup", "0s")
    rows = _rows(file)
    journeys = {row["trace"]: row for row in rows if row["kind"] == "journey"}
    counts = {each["name"]: each["started"] for each in json.loads(done.stdout)["journeys"]}
    in_flight = sum(each["in_flight"] for each in json.loads(done.stdout)["journeys"])
    assert len(journeys) == sum(counts.values()) - in_flight
    for row in rows:
        if row["kind"] == "attempt" and row["trace"] in journeys:
            assert float(row["start"]) >= float(journeys[row["trace"]]["start"])
    assert {row["name"] for row in journeys.values()} <= set(counts)
    assert {row["outcome"] for row in rows} >= {"ok"}


def test_a_share_of_the_journeys_is_traced_whole(tmp_path: Path) -> None:
    all_of_it, part = tmp_path / "all.csv", tmp_path / "part.csv"
    simulate("--duration", "3s", "--trace", str(all_of_it))
    simulate("--duration", "3s", "--trace", str(part), "--trace-share", "20%")
    rows, some = _rows(all_of_it), _rows(part)
    chosen = {row["trace"] for row in some}
    assert some == [row for row in rows if row["trace"] in chosen]
    traces = {row["trace"] for row in rows}
    assert 0.1 * len(traces) < len(chosen) < 0.3 * len(traces)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--trace", "run.txt"], "a trace is a .parquet or .csv file, got 'run.txt'"),
        (["--trace", "no/run.csv"], "there is no folder 'no' to write it to"),
        (["--trace", "run.csv", "--trace-share", "0%"], "between 0 and 1"),
        (["--trace", "run.csv", "--replications", "2"], "a trace is of a single run"),
        (["--replications", "2", "--backend", "x://y"], "a backend is written dask://HOST:PORT"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    done = simulate("--duration", "1s", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("engine", "duration"),
    [
        pytest.param("simpy", "2000s", marks=thorough),
        pytest.param("fast", "30d", marks=compiled),
    ],
)
def test_after_ctrl_c_what_is_there_is_reported(engine: str, duration: str, tmp_path: Path) -> None:
    trace = tmp_path / "run.csv"
    process = start("--engine", engine, "--duration", duration, "--trace", str(trace))
    while not any(len(f.read_text().splitlines()) > 1 for f in tmp_path.glob(".archcheck-*")):
        assert process.poll() is None
        time.sleep(0.2)  # until the simulation has begun
    assert_reports_what_is_there(process)


@thorough
@compiled
def test_after_ctrl_c_the_replications_that_are_complete_are_reported() -> None:
    process = start("--engine", "fast", "--duration", "600s", "--replications", "5000")
    time.sleep(10)
    assert_reports_what_is_there(process)


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "archcheck", "simulate", SHOP, "--warmup", "0s", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def assert_reports_what_is_there(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert "STOPPED before the end" in out
    assert "checkout" in out
    assert process.returncode == 1
    assert "Traceback" not in err


def _rows(file: Path) -> list[dict[str, Any]]:
    if file.suffix == ".csv":
        with file.open() as lines:
            return list(csv.DictReader(lines))
    parquet = pytest.importorskip("pyarrow.parquet")
    rows: list[dict[str, Any]] = parquet.read_table(file).to_pylist()
    return rows


NEAR_FULL = """\
from archcheck import *
from archcheck.units import ms, s

one = CustomRuntime(concurrency="blocking", threads=1)
work = Work(Exponential(10 * ms))
go = Endpoint("go", steps=[work])
web = Service("web", deployment=Docker(replicas=1), runtime=one, endpoints=[go])
use = Journey("use", "web.go", slo=Slo(p99=1500 * ms))
busy = Scenario("busy", load=[Load("use", Poisson(96 / s))])
network = Network(delay=0 * s)
"""


def test_a_larger_budget_decides_what_a_small_one_leaves_open(tmp_path: Path) -> None:
    """M/M/1 at 96%: p99 is ln(100) * 0.01 s / 0.04 = 1.151 s."""
    (tmp_path / "model.py").write_text(NEAR_FULL)
    short = archcheck("simulate", "model.py", "--budget", "100 ms", "--strict", cwd=tmp_path)
    assert short.returncode == 3, short.stdout
    long = archcheck("simulate", "model.py", "--budget", "20s", "--strict", cwd=tmp_path)
    assert long.returncode == 0, long.stdout
    again = archcheck("simulate", "model.py", "--budget", "20s", "--strict", cwd=tmp_path)
    assert again.stdout == long.stdout
    both = archcheck("simulate", "model.py", "--budget", "20s", "--duration", "9s", cwd=tmp_path)
    assert both.returncode == 2
    assert "--budget is for runs whose length is chosen by objectives" in both.stderr
