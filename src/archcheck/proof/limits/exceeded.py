"""What the declared loads are sure to exceed while nothing has failed.

A claim that takes room for granted (that what is left after a failure carries the load) must not
take for granted what the model itself contradicts: it asks here first.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from archcheck.findings import subject_name
from archcheck.graph import Graph, Interaction, Operation
from archcheck.graph.exact import Rational
from archcheck.graph.once import once
from archcheck.model.errors import EndlessError
from archcheck.proof.answers import Gap, Refuted
from archcheck.proof.limits.barriers import Barrier, key_of
from archcheck.proof.limits.figures import Occupancy
from archcheck.proof.limits.load import carried
from archcheck.proof.limits.upstream import shed_at
from archcheck.proof.limits.worst import losses, worst_barriers, worst_figures

_ROOM = "room for its load (rule PRF001)"
_UNSHED = "room for its load without any that it sheds"
_FULL = Rational(1)
"""The share of a resource that can be busy: of more, requests wait for ever longer."""


@dataclass(frozen=True)
class Exceeded:
    """By name, what asks for more than there is; each is what would have to be larger."""

    elements: dict[str, Gap] = field(default_factory=dict)
    """Services, datastores and external parties that do not carry a load, or that do not once a
    zone is lost."""
    operations: dict[str, Gap] = field(default_factory=dict)
    """Endpoints whose rate limit is lower than their rate."""
    steps: dict[tuple[str, str], Gap] = field(default_factory=dict)
    """Operation and target of the steps whose rate limit, bulkhead or pool is too small."""

    def of(self, step: Interaction) -> tuple[Gap, ...]:
        """What a step lacks on its caller's side."""
        gap = self.steps.get(key_of(step))
        return () if gap is None else (gap,)


@once
def exceeded(graph: Graph) -> Exceeded:
    """Everything that is too small for a scenario at its highest declared rates.

    Nothing where operations call each other without end: they have no rates.
    """
    found = Exceeded()
    try:
        _fill(found, graph)
    except EndlessError:
        return Exceeded()
    return found


def _fill(found: Exceeded, graph: Graph) -> None:
    for answer in carried(graph, _FULL):
        if isinstance(answer, Refuted):
            found.elements[subject_name(answer.subject)] = Gap(answer.subject, _ROOM)
    for _, figure, _ in worst_figures(graph):
        shed = shed_at(graph.system.find(figure.holder.name))
        if shed is not None and figure.each is not None and _sheds(figure, shed):
            found.elements[figure.holder.name] = Gap(figure.holder, _UNSHED)
    own = {key_of(step): step for step in graph.interactions}
    for _, barrier, _ in worst_barriers(graph):
        units = _left(barrier)
        if units is None or not barrier.exceeds(barrier.room(units)):
            continue
        more = barrier.enough(units)
        if isinstance(barrier.subject, Operation) and barrier.kind == "rate_limit":
            operation = graph.operations[barrier.subject.name]
            found.operations[operation.name] = Gap(operation, more)
        for step in barrier.steps:
            found.steps[key_of(step)] = Gap(own[key_of(step)], more)


def _sheds(figure: Occupancy, shed: Rational) -> bool:
    """Whether a service turns requests away for certain, with all replicas or without a zone."""
    return any(case.figure.busy > shed * case.figure.room(case.surely) for case in losses(figure))


def _left(barrier: Barrier) -> int | None:
    """The replicas that a lost zone leaves of the largest scale, at least one.

    Whether one is left at all is asked elsewhere. ``None``: nobody says.
    """
    units = barrier.left(surely=True)
    return None if units is None or barrier.each is None else max(1, units)
