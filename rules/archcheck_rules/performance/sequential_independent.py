"""Calls that do not need each other's answers run at the same time.

Why it matters: one after the other their latencies add up; beside each other only the longest
counts.

A step with ``independent=True`` that waits for its turn behind others of its sequence could run
beside them. The saving is the shorter of the two times, without queueing.

How to fix: ``Parallel([Call(...), Call(...)])``.

False positives: calls that are kept apart to spare the callee; then they are not independent.

Sources: Amdahl, 1967; Nygard, Release It!, 2nd edition, 2018; gRPC and CompletableFuture
documentation on concurrent calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcheck import Call, Endpoint, LocalCache, Parallel, Service, Step, System, Work
from archcheck.capacity import OperationLatencies, latency_of
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction
from archcheck.graph.shapes import shape_of
from archcheck.model.linking import walk
from archcheck.model.steps import Group
from archcheck.units import Duration, ms

rule = Rule("PRF007", "sequential-independent", severity="info", method="graph", recommended=False)


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    latencies = OperationLatencies(graph)
    for name, operation in graph.operations.items():
        waiting = {
            part: step
            for part, step in graph.leaving(name).items()
            if step.mode in ("call", "read") and not isinstance(step.target, LocalCache)
        }
        for before, later in _behind_others(graph.system, operation.part.steps, waiting):
            independent = getattr(later.step, "independent", None)
            if independent is None:
                yield Undecided(later, "independent")
            elif independent:
                yield _violation(latencies, before, later)


def _behind_others(
    system: System, steps: Sequence[Step], waiting: dict[int, Interaction]
) -> Iterator[tuple[list[Interaction], Interaction]]:
    """Each step that waits for others of its own sequence, with these."""
    before: list[Interaction] = []
    for step in _in_turn(system, steps):
        found = waiting.get(id(step))
        if found is not None:
            if before:
                yield list(before), found
            before.append(found)
        elif isinstance(step, Group):
            for sequence in shape_of(system, step).sequences:
                yield from _behind_others(system, sequence, waiting)
                flat = (part for each in sequence for part in walk(each))
                before += [waiting[id(part)] for part in flat if id(part) in waiting]


def _in_turn(system: System, steps: Sequence[Step]) -> Iterator[Step]:
    """The steps of a sequence, and of groups that change nothing."""
    for step in steps:
        shape = shape_of(system, step) if isinstance(step, Group) else None
        if shape is not None and shape.is_plain:
            yield from _in_turn(system, shape.steps)
        else:
            yield step


def _violation(
    latencies: OperationLatencies, before: list[Interaction], later: Interaction
) -> Violation:
    earlier = sum(latency_of(latencies, step).seconds for step in before)
    saved = Duration(min(earlier, latency_of(latencies, later).seconds))
    gain = f": saves {saved:.3}" if saved else ""
    return Violation(
        later,
        f"{later.name} needs no answer of {before[-1].target_name} and waits for it{gain}",
        fix=f"Parallel([{_written(before[-1])}, {_written(later)}])",
        evidence=(*before, later),
    )


def _written(step: Interaction) -> str:
    return f'{type(step.step).__name__}("{step.target_name}")'


def _page(*steps: Step) -> System:
    leaves = [Service(n, endpoints=[Endpoint("get", steps=[Work(10 * ms)])]) for n in ("a", "b")]
    return System("shop", [Service("web", endpoints=[Endpoint("page", steps=steps)]), *leaves])


@rule.bad("web.page -> b.get")
def one_after_the_other() -> System:
    return _page(Call("a"), Call("b", independent=True))


@rule.borderline()
def the_first_has_nothing_to_wait_for() -> System:
    return _page(Work(1 * ms), Call("a", independent=True))


@rule.good
def beside_each_other() -> System:
    return _page(Parallel([Call("a"), Call("b")]))


@rule.good
def the_second_needs_the_first() -> System:
    return _page(Call("a"), Call("b", independent=False))


@rule.borderline("web.page -> b.get")
def behind_a_fan_out() -> System:
    return _page(Parallel([Call("a"), Call("a")]), Call("b", independent=True))


@rule.unknown("independent")
def nobody_says() -> System:
    return _page(Call("a"), Call("b"))
