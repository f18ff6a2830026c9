"""The views of a system, each a function from a :class:`Canvas` to plain data.

``VIEWS`` is their list: what each shows, and what it is of (a service, a journey, an element).
Views that a model declares come to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from archcheck.diagrams.look import TeamLook, look_of
from archcheck.diagrams.view import Diagram, Sequence
from archcheck.diagrams.views.boundaries import boundary_view
from archcheck.diagrams.views.components import component_view
from archcheck.diagrams.views.containers import container_view
from archcheck.diagrams.views.context import context_view
from archcheck.diagrams.views.data import data_view
from archcheck.diagrams.views.deployment import deployment_view
from archcheck.diagrams.views.difference import difference_view
from archcheck.diagrams.views.failure import Effect, Loss, failure_view
from archcheck.diagrams.views.journey import journey_view, sequence_view
from archcheck.diagrams.views.own import own_view, own_views
from archcheck.diagrams.views.parts import Canvas
from archcheck.graph import Graph
from archcheck.model import ModelError, System
from archcheck.model.element import nearest

__all__ = [
    "VIEWS",
    "Canvas",
    "Drawing",
    "Effect",
    "Loss",
    "canvas_of",
    "difference_view",
    "own_views",
    "view_of",
]

Drawing: TypeAlias = Diagram | Sequence


@dataclass(frozen=True)
class ViewKind:
    """A view: what it shows, what it needs the name of, and how it is made."""

    shows: str
    of: Literal["", "service", "journey", "element"]
    make: Callable[..., Drawing]


VIEWS: Mapping[str, ViewKind] = {
    "context": ViewKind("the system among people and other systems", "", context_view),
    "containers": ViewKind("services, data, topics, and how they talk", "", container_view),
    "components": ViewKind("the endpoints of a service", "service", component_view),
    "deployment": ViewKind("platforms, zones, replicas, nodes", "", deployment_view),
    "data": ViewKind("who owns, reads and writes what", "", data_view),
    "boundaries": ViewKind("the map of teams and domains", "", boundary_view),
    "journey": ViewKind("the numbered path of a journey", "journey", journey_view),
    "sequence": ViewKind("a journey as a sequence diagram", "journey", sequence_view),
    "failure": ViewKind("what the loss of an element breaks", "element", failure_view),
}


def canvas_of(system: System, configured: TeamLook | None = None) -> Canvas:
    """What the views of ``system`` are made from, in its own look over the configured one."""
    return Canvas(Graph(system), look_of(system, configured))


def view_of(canvas: Canvas, kind: str = "containers", of: str | None = None) -> Drawing:
    """The view called ``kind``, of the element or journey called ``of`` where it needs one.

    Raises :class:`ModelError` that says which views there are, or what is missing.
    """
    own = own_views(canvas, VIEWS)
    if kind not in VIEWS and kind not in own:
        known = [*VIEWS, *own]
        raise ModelError(
            f"there is no view {kind!r}{nearest(kind, known)}; there are {', '.join(known)}"
        )
    if of is not None and (kind in own or not VIEWS[kind].of):
        shows = "what it includes" if kind in own else "the whole system"
        raise ModelError(f"the view {kind!r} shows {shows}; leave {of!r} out")
    if kind in own:
        return own_view(canvas, own[kind])
    found = VIEWS[kind]
    if not found.of:
        return found.make(canvas)
    if of is None:
        raise ModelError(
            f"the view {kind!r} is of one {found.of}; name it, with --of on the command line"
        )
    return found.make(canvas, of)
