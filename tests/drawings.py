"""The systems that every view is drawn of."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from landscape import landscape

from archcheck.diagrams import Canvas, Diagram, Drawing, canvas_of, readable, view_of
from archcheck.loading import load

ROOT = Path(__file__).parents[1]
SYSTEMS = ("online_boutique", "shop", "social_network", "landscape")
OF = {
    "online_boutique": ("checkoutservice", "checkout", "currencyservice"),
    "shop": ("orders", "checkout", "ledger"),
    "social_network": ("compose-post-service", "compose_post", "user-timeline-mongodb"),
    "landscape": ("orders-0", "visit", "accounts-1"),
}
"""System to a service, a journey and an element for the views that are of one."""


@cache
def canvas(name: str) -> Canvas:
    if name == "landscape":
        return canvas_of(landscape())
    (system,) = load(ROOT / "models" / name)
    return canvas_of(system)


def drawing(name: str, kind: str) -> Drawing:
    """A view as the command line draws it."""
    service, journey, element = OF[name]
    of = {"components": service, "journey": journey, "sequence": journey, "failure": element}
    found = view_of(canvas(name), kind, of.get(kind))
    return readable(found) if isinstance(found, Diagram) else found
