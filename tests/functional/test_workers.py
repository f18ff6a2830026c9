"""Worker processes that die, or that outlive who began them; and Ctrl-C in every command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

MODEL = """
from archcheck import *
from archcheck.units import ms, s
one = Service("one", runtime=SpringBoot(threads=4), deployment=Docker(replicas=1),
              endpoints=[Endpoint("run", steps=[Work(5 * ms)])])
m = System("m", [one], journeys=[Journey("go", "one.run")],
           scenarios=[Scenario("load", load=[Load("go", Poisson(200 / s))])])
"""
SIMULATE = [
    "simulate", "model.py", "--engine", "simpy", "--jobs", "2", "--replications", "4",
    "--duration", "15s", "--warmup", "1s", "--format", "json",
]  # fmt: skip

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are read from /proc")


def begun(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    (folder / "model.py").write_text(MODEL)
    command = [sys.executable, "-m", "archcheck", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder
    )


def workers_of(process: subprocess.Popen[str], least: int = 2) -> list[int]:
    """The workers of a process, as soon as there are so many."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        found = []
        for entry in Path("/proc").iterdir():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                line = (entry / "cmdline").read_text()
            except (OSError, ValueError, IndexError):
                continue
            if parent == process.pid and "popen_loky" in line:
                found.append(int(entry.name))
        if len(found) >= least:
            return found
        time.sleep(0.05)
    raise AssertionError(f"no workers: {process.communicate()}")


def test_the_runs_of_a_killed_worker_are_done_again(tmp_path: Path) -> None:
    undisturbed = begun(tmp_path, *SIMULATE)
    disturbed = begun(tmp_path, *SIMULATE)
    os.kill(workers_of(disturbed)[0], signal.SIGKILL)
    (expected, _), (out, err) = undisturbed.communicate(), disturbed.communicate()
    assert disturbed.returncode == undisturbed.returncode, err
    assert out == expected


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    process = begun(tmp_path, *SIMULATE)
    workers = workers_of(process)
    time.sleep(2)  # some of them have begun their runs
    process.kill()
    process.communicate()
    end = time.monotonic() + 20
    while any(Path(f"/proc/{worker}").exists() for worker in workers) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
