"""An event loop is never blocked.

Why it matters: an event loop serves all requests of a process with one thread or a few. One call
that holds the thread stops them all; ten milliseconds of it at a hundred requests a second leave
no time for anything else.

Calls, queries and lookups of a cache count as they or their clients declare; the clients of
Node.js, nginx and Envoy cannot block. What is asked in the process waits for nobody.
Computing that may take 100 ms and more blocks, unless it declares that it runs elsewhere; a time
that varies counts as its mean and three standard deviations. Where a service blocks and does not
say what runs it, the rule asks.

How to fix: use the non-blocking client (R2DBC, the reactive driver, ``await``), or hand the call
to a pool for blocking work (``@ExecuteOn(TaskExecutors.BLOCKING)`` in Micronaut).

False positives: calls that already run on such a pool; declare them with ``blocking=False``.

Sources: nodejs.org, Don't Block the Event Loop; Micronaut documentation, Reactive and blocking
operations; Reactor reference, How do I wrap a synchronous, blocking call?
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcheck import (
    Cached,
    Client,
    Constant,
    CustomRuntime,
    Endpoint,
    LocalCache,
    Micronaut,
    MySQL,
    NodeJs,
    Parallel,
    Read,
    Redis,
    Runtime,
    Service,
    Step,
    System,
    WithProbability,
    Work,
    effective,
)
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction, Operation
from archcheck.graph.exact import exact, longest, shown
from archcheck.model.clients import from_client
from archcheck.model.steps import Group
from archcheck.units import ms, percent

rule = Rule("TEC003", "blocking-in-event-loop", severity="error", method="attr")

_LONG = exact(100 * ms)
"""Computing that nobody should do on a loop. A choice: blocked-at reports 20 ms, Vert.x' checker of
blocked threads warns at 2 s."""


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    loops = {
        service.name: service.runtime
        for service in graph.system.services
        if effective(service.runtime, "concurrency").value == "event_loop"
    }
    if not loops:
        yield NotApplicable("no service runs on an event loop")
    yield from _unknown(graph)
    for operation in graph.operations.values():
        if operation.owner.name not in loops:
            continue
        runtime = loops[operation.owner.name]
        waits = runtime is not None and runtime.only_waits_asynchronously
        for step in _asked(graph, operation):
            blocking = _blocking(step)
            if blocking is None and (waits or step.mode == "cache" or step.is_in_process):
                continue
            if blocking is None:
                told = f"holds with {step.set_in('blocking=False')}" if step.is_fallback else ""
                yield Undecided(step, "blocking", told)
            elif blocking:
                yield _violation(operation, f"the {step.mode} of {step.target_name}")
        for work in _work(operation.part.steps):
            if _blocks(work):
                longest_time = shown(longest(work.time)[0])
                yield _violation(operation, f"work of up to {longest_time}")


def _asked(graph: Graph, operation: Operation) -> Iterator[Interaction]:
    """What an operation asks, and what it asks instead."""
    for step in graph.outgoing[operation.name]:
        yield from (way for way in (step, step.fallback) if way is not None)


def _blocking(step: Interaction) -> bool | None:
    """Whether it holds the thread, as the step says or the client of whom it asks."""
    own: bool | None = getattr(step.step, "blocking", None)
    if own is not None or step.is_in_process:
        return own
    return bool(said) if (said := from_client(step.source, step.step, "blocking")) else None


def _unknown(graph: Graph) -> Iterator[Undecided]:
    """Asks for the runtime of services that block a thread, where it may be an event loop."""
    for service in graph.system.services:
        if effective(service.runtime, "concurrency").is_known:
            continue
        operations = [each for each in graph.operations.values() if each.owner is service]
        steps = [step for each in operations for step in _asked(graph, each)]
        work = [step for each in operations for step in _work(each.part.steps)]
        if any(map(_blocking, steps)) or any(map(_blocks, work)):
            missing = "runtime.concurrency" if service.runtime else "runtime"
            yield Undecided(service, missing, "holds without an event loop")


def _blocks(work: Work) -> bool:
    """Whether nothing else runs on a loop for too long, as declared or by its length."""
    return work.blocking or (work.blocking is None and longest(work.time)[0] >= _LONG)


def _violation(operation: Operation, what: str) -> Violation:
    runtime = getattr(operation.owner, "runtime", None)
    label = runtime.label if runtime else "an event loop"
    return Violation(
        operation,
        f"{what} blocks the event loop of {operation.owner.name} ({label})",
        fix="use a non-blocking client (blocking=False), or another executor",
    )


def _work(steps: Sequence[Step]) -> Iterator[Work]:
    for step in steps:
        if isinstance(step, Work):
            yield step
        elif isinstance(step, Group):
            yield from _work(step.steps)


def _reading(step: Step, runtime: Runtime | None) -> System:
    return System(
        "shop",
        [
            MySQL("ledger"),
            Service("billing", runtime=runtime, endpoints=[Endpoint("due", steps=[step])]),
        ],
    )


@rule.bad("billing.due")
def jdbc_on_the_event_loop() -> System:
    return _reading(Read("ledger", blocking=True), Micronaut("4.7"))


@rule.bad("billing.due")
def sleeping_on_the_event_loop() -> System:
    return _reading(Work(20 * ms, blocking=True), Micronaut("4.7"))


@rule.good
def a_reactive_driver() -> System:
    return _reading(Read("ledger", blocking=False), Micronaut("4.7"))


@rule.unknown("blocking")
def nobody_says() -> System:
    return _reading(Read("ledger"), Micronaut("4.7"))


@rule.borderline()
def a_thread_for_each_request_may_block() -> System:
    runtime = Micronaut("4.7", concurrency="blocking")
    return System(
        "shop",
        [
            *_reading(Read("ledger", blocking=True), runtime).elements,
            Service("loop", runtime=Micronaut("4.7")),
        ],
    )


@rule.borderline("billing.due")
def deep_inside_a_group() -> System:
    step = WithProbability(1 * percent, [Parallel([Work(1 * ms, blocking=True)])])
    return _reading(step, Micronaut("4.7"))


@rule.bad("billing.due")
def half_a_second_of_computing() -> System:
    return _reading(Work(500 * ms), NodeJs())


@rule.good
def the_computing_is_done_elsewhere() -> System:
    return _reading(Work(500 * ms, blocking=False), NodeJs())


@rule.good
def no_client_of_the_runtime_blocks() -> System:
    return _reading(Read("ledger"), NodeJs())


@rule.unknown("runtime")
def nobody_says_what_is_blocked() -> System:
    return _reading(Read("ledger", blocking=True), None)


@rule.unknown("runtime.concurrency")
def nobody_says_how_the_framework_works() -> System:
    return _reading(Work(20 * ms, blocking=True), CustomRuntime())


@rule.borderline()
def who_does_not_block_may_run_anywhere() -> System:
    return _reading(Read("ledger", blocking=False), None)


@rule.borderline("billing.due")
def a_tenth_of_a_second_is_long() -> System:
    return _reading(Work(Constant(100 * ms)), NodeJs())


@rule.borderline()
def less_is_not() -> System:
    return _reading(Work(Constant(99.9 * ms)), NodeJs())


@rule.bad("billing.due")
def the_client_of_a_cache_blocks() -> System:
    due = Endpoint("due", steps=[Cached("hot", [Read("ledger", blocking=False)])])
    client = Client("hot", blocking=True)
    billing = Service("billing", runtime=NodeJs(), endpoints=[due], clients=[client])
    return System("shop", [Redis("hot"), MySQL("ledger"), billing])


@rule.borderline()
def a_cache_in_the_process_waits_for_nobody() -> System:
    system = _reading(Read("ledger"), Micronaut(concurrency="event_loop"))
    return System("shop", [LocalCache("ledger"), *system.elements[1:]])
