"""How much a replica can compute: the cores that its runtime uses, and its CPU limit."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from archcheck.graph.exact import Rational, exact
from archcheck.model import Absent, Named, Service, effective
from archcheck.model.runtimes import FromLimit, Runtime

NO_LIMIT = "services whose CPU limit nobody declares have none"
"""What is assumed of them: a limit makes everything in a replica slower."""
NO_CORES = "services that block have a core for each of their threads, where nobody declares cores"
"""What is assumed of them, in runs, too."""
PERIOD = 0.1
"""Seconds for which a quota of CPU time lasts. Kubernetes: the kubelet's ``cpuCFSQuotaPeriod``;
Docker: ``--cpu-period``."""


@dataclass(frozen=True)
class Cores:
    """The cores of a replica.

    ``parallel``: computations that run at the same time; ``None``: nobody says. ``source``: where
    that is documented, empty where it is declared. ``limit``: cores of which it may use the time,
    over periods of 100 ms; ``None``: no limit, or none that is known.
    """

    parallel: int | None
    source: str
    limit: float | None


def cpu_limit_of(service: Service) -> float | None:
    """The CPU limit of a replica in cores; ``None``: there is none, or nobody says."""
    resources = service.deployment.resources if service.deployment else None
    limit = resources.cpu_limit if resources else None
    return None if limit is None or isinstance(limit, Absent) else float(limit)


def says_its_cpu_limit(service: Service) -> bool:
    """Whether a limit, or that there is none on purpose, is declared."""
    resources = service.deployment.resources if service.deployment else None
    return resources is not None and resources.cpu_limit is not None


def cores_of(service: Service) -> Cores:
    """What a replica computes with: declared, documented, or as its runtime reads the limit."""
    limit = cpu_limit_of(service)
    found = effective(service.runtime, "parallelism")
    if found.is_known:
        return Cores(found.value, found.source if found.origin == "default" else "", limit)
    runtime = service.runtime
    read = runtime.from_limit if runtime else None
    if runtime is None or read is None or limit is None or not _does_so(runtime, read):
        return Cores(None, "", limit)
    processors = max(1, math.ceil(limit) if read.rounds_up else math.floor(limit))
    loops = effective(runtime, "concurrency").value == "event_loop"
    each = read.each if loops else 1  # threads run on processors, whatever event loops there are
    return Cores(max(read.least, each * processors), read.source, limit)


def longest_computing(holder: Named, seconds: Rational) -> Rational:
    """The longest that work of so many seconds takes, if no other request uses up the quota."""
    return seconds + pauses(holder, seconds)[1]


def pauses(holder: Named, seconds: Rational) -> tuple[Rational, Rational]:
    """The pauses of work of so many seconds in one go, if no other request uses up the quota: those
    that come in any case, and with one more before it, where the same request has computed before.

    A pause comes after each whole quota, if more is to do. With the limit of a core or more one
    thread knows no pauses.
    """
    limit = cpu_limit_of(holder) if isinstance(holder, Service) else None
    if limit is None or limit >= 1 or not seconds:
        return Rational(0), Rational(0)
    period = exact(PERIOD)
    quota = exact(limit) * period
    whole = math.ceil(seconds / quota)
    return (whole - 1) * (period - quota), whole * (period - quota)


def _does_so(runtime: Runtime, read: FromLimit) -> bool:
    if read.since is None:
        return True
    numbers = re.match(r"(\d+)\.(\d+)", runtime.version or "")
    return numbers is not None and (int(numbers[1]), int(numbers[2])) >= read.since
