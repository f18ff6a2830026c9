"""Who asks whom inside a system.

A step asks its target; a fallback asks somebody instead; an endpoint that a saga makes whole asks
for the actions of the saga, and for their compensations when one of them fails. Rules about
structure (circles, boundaries, zones, policies, contracts) look at all of them; rules about what
an attempt is protected by, loads and runs look at steps, and at fallbacks as part of their step.
Other tables say who starts a request (:meth:`archcheck.graph.Graph.entered_from_outside`), reads a
topic (``consumers``) and touches whom in a check (``start_up``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from archcheck.graph.interactions import Interaction, Operation, asking
from archcheck.model import Call, Endpoint, Saga, SagaStep, System


def edges(
    system: System, operations: Iterable[Operation], steps: Iterable[Interaction]
) -> Iterator[Interaction]:
    """The steps, each followed by what its fallback asks, then what only sagas ask for."""
    made = set[tuple[str, str]]()
    for step in steps:
        for edge in (step, step.fallback):
            if edge is not None:
                made.add((edge.operation.name, edge.target_name))
                yield edge
    for operation in operations:
        saga = operation.part.atomicity if isinstance(operation.part, Endpoint) else None
        if isinstance(saga, Saga):
            for part in saga.steps:
                for edge in _of_saga(system, operation, part):
                    if (operation.name, edge.target_name) not in made:
                        yield edge


def connections(system: System, made: Iterable[Interaction]) -> Iterator[tuple[str, str]]:
    """Service and callee of each client that no step uses: it reaches it, and nobody says for what.

    Deployment files say no more, so this is all that an imported model knows of its calls.
    """
    known = {(edge.source.name, edge.target.name) for edge in made}
    for service in system.services:
        for client in service.clients:
            pair = (service.name, str(client.target))
            if client.target is not None and pair not in known:
                yield pair


def is_saga_action(edge: Interaction) -> bool:
    """Whether it is an action of a saga that no step takes, and no compensation."""
    part = edge.declared
    return isinstance(part, SagaStep) and str(getattr(edge.step, "target", "")) == str(part.action)


def _of_saga(system: System, operation: Operation, part: SagaStep) -> Iterator[Interaction]:
    """The action and its compensation, where they are another element's."""
    for reference in (part.action, part.compensation):
        if reference is None:
            continue
        found = asking(system, operation, Call(str(reference)))
        if found.target is not operation.owner:
            yield replace(found, declared=part)
