"""Replications on a Dask cluster: a real scheduler and workers, one of which dies in the middle."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from depth import thorough

from archcheck import Constant, Endpoint, Journey, Load, Poisson, Scenario, Service, System, Work
from archcheck.model import ScenarioError
from archcheck.reporting.simulation import simulation_data
from archcheck.simulation import simulate
from archcheck.units import ms, s

SYSTEM = System(
    "cluster",
    [Service("a", endpoints=[Endpoint("run", steps=[Work(Constant(1 * ms))])])],
    journeys=[Journey("go", "a.run")],
    scenarios=[Scenario("load", load=[Load("go", Poisson(200 / s))])],
)
REPLICATIONS = 24


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def dask(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "dask", *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The address of a scheduler, and its two workers."""
    address = f"127.0.0.1:{free_port()}"
    scheduler = dask("scheduler", "--host", f"tcp://{address}", "--no-dashboard", "--no-show")
    options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory")
    workers = [dask("worker", address, *options, str(tmp_path / name)) for name in "ab"]
    yield address, workers
    for process in (*workers, scheduler):
        process.kill()
        process.wait()


@thorough
def test_a_lost_worker_changes_nothing(
    cluster: tuple[str, list[subprocess.Popen[bytes]]],
) -> None:
    address, workers = cluster
    seen: list[float] = []

    def progress(done: float) -> None:
        seen.append(done)
        if len(seen) == 3:
            workers[0].kill()

    spread = simulate(
        SYSTEM,
        SYSTEM.scenarios[0],
        duration=20 * s,
        replications=REPLICATIONS,
        backend=f"dask://{address}",
        progress=progress,
    )
    alone = simulate(SYSTEM, SYSTEM.scenarios[0], duration=20 * s, replications=REPLICATIONS)
    assert workers[0].wait() != 0
    assert workers[1].poll() is None
    assert sorted(seen) == [float(n) for n in range(1, REPLICATIONS + 1)]
    assert json.dumps(simulation_data(spread)) == json.dumps(simulation_data(alone))


@thorough
@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("spark://host:1", "a backend is written dask://HOST:PORT, got 'spark://host:1'"),
        ("dask://", "a backend is written dask://HOST:PORT"),
        ("dask://127.0.0.1:1", "no Dask scheduler answers at 127.0.0.1:1"),
    ],
)
def test_a_backend_that_is_not_there_is_one_sentence(backend: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        simulate(SYSTEM, SYSTEM.scenarios[0], duration=1 * s, replications=2, backend=backend)
