"""Processes under a real CPU limit, measured on this machine, beside what a simulation says.

A process computes for a known CPU time (by the clock of its own thread) whenever a request is due;
requests come at intended times, drawn before, and wait their turn. The process is in a control
group with a quota (Linux, version 1 or 2 of control groups; needs the right to make one). The same
times are replayed in a simulation of a service with that limit. Run as root on Linux::

    python benchmarks/truth/cpu_limit.py            # the table
    python benchmarks/truth/cpu_limit.py --write    # and docs/truth.md
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np

from archcheck import (
    Constant,
    CustomRuntime,
    Endpoint,
    Journey,
    Kubernetes,
    Load,
    Network,
    Recorded,
    Resources,
    Scenario,
    Service,
    System,
    Work,
)
from archcheck.simulation import simulate
from archcheck.simulation.plan import Plan
from archcheck.simulation.trace import Span, SpanKind
from archcheck.units import Duration, cores, s

PERIOD = 100_000
"""Microseconds: what Kubernetes and Docker use."""
PAGE = Path(__file__).parents[2] / "docs" / "truth.md"


SECONDS = 75.0
"""How long requests come in each case."""
PHASES = 25
"""Simulations of a case: nobody knows when the periods of the real process began."""


class Case(NamedTuple):
    """Requests of ``work`` seconds to ``workers`` processes with one limit, ``load`` of it used."""

    limit: float
    work: float
    workers: int
    load: float


CASES = [
    *(Case(0.2, 0.030, 1, load) for load in (0.1, 0.5, 0.8)),
    *(Case(0.5, 0.010, 1, load) for load in (0.1, 0.5, 0.8)),
    *(Case(0.5, 0.030, 2, load) for load in (0.1, 0.5, 0.8)),
    *(Case(1.0, 0.040, 2, load) for load in (0.5, 0.8)),
    Case(8.0, 0.030, 1, 0.06),
]
"""The last has a limit that never acts: what is off there, the machine is to blame for."""


# -- the real thing -------------------------------------------------------------------------------


@contextlib.contextmanager
def control_group(limit: float) -> Iterator[Path]:
    """A group with a quota of CPU time; raises :class:`OSError` where none can be made."""
    second = Path("/sys/fs/cgroup/cgroup.controllers")
    root = Path("/sys/fs/cgroup") if second.exists() else Path("/sys/fs/cgroup/cpu")
    group = root / f"truth-{os.getpid()}"
    group.mkdir()
    try:
        quota = round(limit * PERIOD)
        if second.exists():
            (group / "cpu.weight").write_text("10000")  # others on this machine shall not count
            (group / "cpu.max").write_text(f"{quota} {PERIOD}")
        else:
            (group / "cpu.shares").write_text("262144")
            (group / "cpu.cfs_period_us").write_text(str(PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        yield group
    finally:
        group.rmdir()


def measured(case: Case, arrivals: Sequence[float]) -> list[float]:
    """How long each request took from its intended time."""
    following = multiprocessing.Value("i", 0)
    with control_group(case.limit) as group, tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / str(number) for number in range(case.workers)]
        begin = time.monotonic() + 0.5
        children = []
        for file in files:
            child = os.fork()
            if not child:
                _serve(case, arrivals, following, begin, group, file)
            children.append(child)
        if any(os.waitpid(child, 0)[1] for child in children):
            raise OSError("a worker could not be limited")
        return [float(line) for file in files for line in file.read_text().split()]


def _serve(
    case: Case, arrivals: Sequence[float], following: Any, begin: float, group: Path, file: Path
) -> None:
    """A worker takes the next request when it is free. Ends the process."""
    status = 1
    try:
        (group / "cgroup.procs").write_text(str(os.getpid()))
        took = []
        while True:
            with following.get_lock():
                index = following.value
                following.value += 1
            if index >= len(arrivals):
                break
            due = begin + arrivals[index]
            if (wait := due - time.monotonic()) > 0:
                time.sleep(wait)
            until = time.thread_time() + case.work
            while time.thread_time() < until:
                pass
            took.append(str(time.monotonic() - due))
        file.write_text(" ".join(took))
        status = 0
    finally:
        os._exit(status)


# -- the prediction -------------------------------------------------------------------------------


def predicted(case: Case, arrivals: Sequence[float], shift: float) -> list[float]:
    """The same requests in a simulation, with periods that begin ``shift`` seconds earlier."""
    web = Service(
        "web",
        runtime=CustomRuntime(
            concurrency="event_loop", parallelism=case.workers, scheduling="fifo"
        ),
        deployment=Kubernetes(resources=Resources(cpu_limit=case.limit * cores)),
        endpoints=[Endpoint("run", steps=[Work(Constant(Duration(case.work)))])],
    )
    journey = Journey("go", "web.run")
    times = [Duration(moment + shift) for moment in arrivals]
    scenario = Scenario("measured", load=[Load(journey, Recorded(times=times))])
    system = System("truth", [web], journeys=[journey], network=Network(delay=0 * s))
    ends = _Ends()
    simulate(
        system,
        scenario,
        duration=Duration(arrivals[-1] + 120),
        warmup=0 * s,
        tracer=ends,
    )
    return ends.took


class _Ends:
    """How long each journey took."""

    share = 1.0

    def __init__(self) -> None:
        self.took: list[float] = []

    def begin(self, plan: Plan) -> None:
        """Nothing to prepare."""

    def write(self, spans: Sequence[Span]) -> None:
        self.took += [span.end - span.start for span in spans if span.kind == SpanKind.JOURNEY]


# -- side by side ---------------------------------------------------------------------------------


def percentiles(took: Sequence[float]) -> list[float]:
    """p50, p90 and p99, in milliseconds."""
    return [1000 * float(each) for each in np.percentile(took, [50, 90, 99])]


def compared(case: Case, seed: int) -> tuple[list[float], list[float]]:
    """Measured and predicted percentiles of a case."""
    random = Random(seed)
    rate = case.load * case.limit / case.work
    arrivals, moment = [], 0.0
    while (moment := moment + random.expovariate(rate)) < SECONDS:
        arrivals.append(moment)
    took = measured(case, arrivals)
    period = PERIOD / 1e6
    foreseen = [
        seconds
        for phase in range(PHASES)
        for seconds in predicted(case, arrivals, period * phase / PHASES)
    ]
    return percentiles(took), percentiles(foreseen)


HEAD = "| limit | work | processes | load | p50 | p90 | p99 |\n|---:|---:|---:|---:|---:|---:|---:|"


def row(case: Case, real: Sequence[float], foreseen: Sequence[float]) -> str:
    """A line of the table: measured, and how far the prediction is off."""
    cells = (f"{a:.0f} ms ({b / a - 1:+.0%})" for a, b in zip(real, foreseen, strict=True))
    return (
        f"| {case.limit:g} | {case.work * 1000:.0f} ms | {case.workers} | {case.load:.0%} | "
        + " | ".join(cells)
        + " |"
    )


def main() -> int:
    """Measure, compare, print; with ``--write`` into the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="renew the table of docs/truth.md")
    write = parser.parse_args().write
    lines = [HEAD]
    print(HEAD)
    for seed, case in enumerate(CASES):
        try:
            found = compared(case, seed)
        except OSError as error:
            print(f"no control group can be made here: {error}", file=sys.stderr)
            return 2
        lines.append(row(case, *found))
        print(lines[-1], flush=True)
    if write:
        text = PAGE.read_text()
        before, _, rest = text.partition("<!-- measured -->")
        after = rest.partition("<!-- end -->")[2]
        machine = f"Linux {platform.release().split('-')[0]}, {os.cpu_count()} cores."
        table = "\n".join(lines)
        PAGE.write_text(f"{before}<!-- measured -->\n{table}\n\n{machine}\n<!-- end -->{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
