"""What an operation does itself: its own steps, and those of its service's endpoints it calls.

A service that calls an endpoint of its own stays in the same transaction script, whatever the model
calls it: a crash stops both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from archcheck.graph import Graph, Interaction
from archcheck.graph.once import once


def steps_of(graph: Graph, operation: str, *, fallbacks: bool = False) -> list[Interaction]:
    """The steps of an operation, each call to its own service followed by the steps behind it.

    Those behind a call have the feature flags of the call as well. ``fallbacks``: also what a
    fallback of a step that changes nothing here asks of its own service.
    """
    found: list[Interaction] = []
    seen = {operation}
    waiting = list(reversed(graph.outgoing.get(operation, ())))
    while waiting:
        step = waiting.pop()
        found.append(step)
        instead = step.fallback
        if fallbacks and instead is not None and step.mode in ("call", "read"):
            step = step if _is_own(step) else instead
        if _is_own(step) and step.target_name not in seen:
            seen.add(step.target_name)
            inside = graph.outgoing.get(step.target_name, ())
            waiting += [replace(one, flags=(*step.flags, *one.flags)) for one in reversed(inside)]
    return found


def _is_own(step: Interaction) -> bool:
    return step.mode == "call" and step.target is step.source


def is_done_below(graph: Graph, operation: str, steps: Iterable[Interaction]) -> bool:
    """Whether an endpoint of its own service that the operation calls does all of these steps.

    What keeps them together, or does not, is then said of that endpoint.
    """
    wanted = {id(step.declared) for step in steps}
    for name in _own(graph).get(operation, ()):
        if operation not in _own(graph)[name]:  # else each of them would leave it to the other
            below = steps_of(graph, name, fallbacks=True)
            if wanted <= {id(step.declared) for step in below}:
                return True
    return False


def with_own(graph: Graph, operations: Iterable[str]) -> set[str]:
    """The operations, and the endpoints of their own services that they call."""
    named = set(operations)
    return named.union(*(_own(graph).get(name, ()) for name in named))


@once
def _own(graph: Graph) -> Mapping[str, set[str]]:
    """Each operation with the endpoints of its own service that it asks, by others of them too."""
    return {name: set(_asked(graph, name)) for name in graph.operations}


def _asked(graph: Graph, operation: str) -> Iterator[str]:
    for step in steps_of(graph, operation, fallbacks=True):
        for each in (step, step.fallback):
            if each is not None and _is_own(each):
                yield each.target_name
