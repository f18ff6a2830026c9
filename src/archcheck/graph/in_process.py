"""What an operation does itself: its own steps, and those of its service's endpoints it calls.

A service that calls an endpoint of its own stays in the same transaction script, whatever the model
calls it: a crash stops both.
"""

from __future__ import annotations

from dataclasses import replace

from archcheck.graph import Graph, Interaction


def steps_of(graph: Graph, operation: str) -> list[Interaction]:
    """The steps of an operation, each call to its own service followed by the steps behind it.

    Those behind a call have the feature flags of the call as well.
    """
    found: list[Interaction] = []
    seen = {operation}
    waiting = list(reversed(graph.outgoing.get(operation, ())))
    while waiting:
        step = waiting.pop()
        found.append(step)
        own = step.mode == "call" and step.target is step.source
        if own and step.target_name not in seen:
            seen.add(step.target_name)
            inside = graph.outgoing.get(step.target_name, ())
            waiting += [replace(one, flags=(*step.flags, *one.flags)) for one in reversed(inside)]
    return found
