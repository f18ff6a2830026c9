"""A request fits into the quota of its CPU limit.

Why it matters: a CPU limit is a quota in each period of 100 ms. When it is used up, the whole
container stands still until the next period begins, whatever else is idle. Where one request
computes for longer than the quota lasts, each request has such pauses, even on an empty machine,
and the mean utilisation that a dashboard shows is low all the while.

The work of an operation is the mean of its ``Work``, by weight; a thread that sleeps
(``blocking=True``) uses no quota. A limit of a core or more does not stop one thread; what many
threads use up together a simulation shows (*throttled*). The rule looks at limits that are
declared. Where work is done for the misses of a cache alone, and nobody says how often it hits, the
rule asks if it matters.

How to fix: a limit of at least the work over 100 ms; or no limit: where a machine is full, requests
(``cpu=``) share it fairly. Or less work in a request.

False positives: batches that nobody waits for; computing that waits interrupt, of which a part may
fall into the next period: fewer requests pause, and none where each wait lasts for a period.

Sources: Linux kernel documentation, CFS Bandwidth Control; Kubernetes, Resource Management for
Pods and Containers (CPU limits are enforced by throttling).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from archcheck import (
    Absent,
    Cached,
    Call,
    Endpoint,
    GoKit,
    Kubernetes,
    LocalCache,
    Repeat,
    Resources,
    Service,
    SpringBoot,
    Step,
    System,
    Work,
)
from archcheck.capacity import OperationLatencies
from archcheck.findings import NotApplicable, Result, Rule, Violation
from archcheck.graph import Graph
from archcheck.graph.cpu import PERIOD, cpu_limit_of, says_its_cpu_limit
from archcheck.units import Cpu, Duration, cores, ms
from archcheck_rules.hits import whatever_hits

rule = Rule("DEP015", "throttled-by-limit", severity="warning", method="calc")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    if not any(map(says_its_cpu_limit, graph.system.services)):
        yield NotApplicable("no service says whether it has a CPU limit")
    yield from whatever_hits(graph, _throttled)


def _throttled(graph: Graph) -> Iterator[Result]:
    latencies = OperationLatencies(graph)
    for service in graph.system.services:
        limit = cpu_limit_of(service)
        if limit is None or limit >= 1:
            continue
        quota = limit * PERIOD
        for operation in graph.operations_of(service):
            work = latencies.on_cores(operation.name).seconds
            if work <= quota * (1 + 1e-9):
                continue
            pauses = math.ceil(work / quota - 1e-9) - 1
            takes = work + pauses * (PERIOD - quota)
            least = math.ceil(work / PERIOD * 100 - 1e-9) / 100
            advice = f"cpu_limit={least:g} * cores at least, or none" if least < 1 else "no limit"
            yield Violation(
                operation,
                f"a request of {operation.name} computes for {Duration(work):.3}, and the limit of "
                f"{limit:.3g} cores gives it {Duration(quota):.3} in each {Duration(PERIOD)}: it "
                f"takes up to {Duration(takes):.3} where nothing else runs",
                fix=f"{advice}; or less work in a request",
                cause=f"{service.name} is throttled by its CPU limit",
            )


def _thumbnails(
    *steps: Step, limit: Cpu | Absent | None = 0.2 * cores, blocking: bool = False
) -> System:
    return System(
        "shop",
        [
            Service(
                "images",
                runtime=SpringBoot() if blocking else GoKit(parallelism=4),
                deployment=Kubernetes(resources=Resources(cpu_limit=limit)),
                endpoints=[Endpoint("resize", steps=steps)],
            ),
            Service("store", endpoints=[Endpoint("put", steps=[Work(50 * ms)])]),
        ],
    )


@rule.bad("images.resize")
def more_work_than_quota() -> System:
    return _thumbnails(Work(30 * ms))


@rule.bad("images.resize")
def many_small_steps() -> System:
    return _thumbnails(Repeat(10, [Work(3 * ms)], per_item=True))


@rule.bad("images.resize")
def two_parts_together() -> System:
    return _thumbnails(Work(15 * ms), Call("store.put"), Work(15 * ms))


@rule.bad("images.resize")
def nearly_a_core_and_long_work() -> System:
    return _thumbnails(Work(200 * ms), limit=0.9 * cores)


@rule.borderline()
def just_the_quota() -> System:
    return _thumbnails(Work(20 * ms))


@rule.good
def a_whole_core() -> System:
    return _thumbnails(Work(200 * ms), limit=1 * cores)


@rule.good
def work_of_others_is_their_own() -> System:
    return _thumbnails(Work(5 * ms), Call("store.put"))


@rule.good
def sleeping_uses_no_quota() -> System:
    return _thumbnails(Work(60 * ms, blocking=True), blocking=True)


@rule.good
def no_limit_on_purpose() -> System:
    return _thumbnails(Work(60 * ms), limit=Absent("throttling hurts latency"))


@rule.borderline()
def no_limit() -> System:
    return _thumbnails(Work(60 * ms), limit=None)


@rule.unknown("hit_ratio")
def work_for_the_misses_of_a_cache() -> System:
    resize = Endpoint("resize", steps=[Cached("hot", [Work(80 * ms)])])
    limited = Kubernetes(resources=Resources(cpu_limit=0.2 * cores))
    images = Service("images", deployment=limited, endpoints=[resize])
    return System("shop", [LocalCache("hot"), images])
