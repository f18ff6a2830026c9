"""Where the work of an operation comes from: requests or a clock, and the loops around it."""

from __future__ import annotations

from collections import defaultdict

from archcheck.graph import Graph
from archcheck.graph.walks import backward, components
from archcheck.model import Schedule


def caused_by_requests(graph: Graph) -> tuple[str, ...]:
    """The operations that somebody's request causes, in the order of their declaration.

    Schedules start the others: nobody waits for them, and nobody's request is behind them. An
    operation that nothing starts is taken to be somebody's request.
    """
    below = _below(graph)
    started = graph.entered_from_outside()
    caused = {name for names in below.values() for name in names}
    requests = [
        name
        for name in graph.operations
        if any(not isinstance(who, Schedule) for who in started.get(name, ()))
        or (name not in started and name not in caused)
    ]
    found = _reached(below, requests)
    # circles that nothing outside starts or asks are somebody's request too
    by_clock = _reached(below, [name for name in started if name not in found])
    return tuple(name for name in graph.operations if name in found or name not in by_clock)


def _below(graph: Graph) -> defaultdict[str, list[str]]:
    """Each operation with those that it makes work."""
    below = defaultdict[str, list[str]](list)
    for edge in graph.edges:
        if edge.mode == "publish":
            below[edge.operation.name] += graph.consumers.get(edge.target.name, ())
        elif edge.target_name in graph.operations:
            below[edge.operation.name].append(edge.target_name)
    return below


def _reached(below: defaultdict[str, list[str]], waiting: list[str]) -> set[str]:
    found = set[str]()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += below[name]
    return found


def loops_above(graph: Graph) -> dict[str, int]:
    """How often the loops of its callers make one request ask an operation, at most.

    A call back into a chain of calls is not followed.
    """
    loops: dict[str, dict[str, int]] = {name: {} for name in graph.operations}
    for step in graph.calls():
        source, target = step.operation.name, step.target_name
        times = 1 if getattr(step.step, "batch", False) else step.repeats
        if target in graph.operations:
            loops[source][target] = max(times, loops[source].get(target, 1))
    found: dict[str, int] = {}
    callers = backward(loops)
    for members in components(loops):
        above = [
            found[source] * loops[source][name]
            for name in members
            for source in callers[name]
            if source not in members
        ]
        found.update(dict.fromkeys(members, max(above, default=1)))
    return found
