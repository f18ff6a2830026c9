"""``archcheck diagram``: pictures of a system."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import click

from archcheck.cli.common import (
    configured,
    load_systems,
    models_argument,
    one_system,
    output_option,
    seed_option,
    system_option,
)
from archcheck.cli.completion import files
from archcheck.cli.streams import guests
from archcheck.diagrams import (
    VIEWS,
    Canvas,
    Diagram,
    Drawing,
    Overlay,
    Picture,
    TeamLook,
    Theme,
    canvas_of,
    checked_format,
    difference_view,
    filtered,
    laid_over,
    overlays,
    readable,
    view_of,
)
from archcheck.facade import chosen_scenario
from archcheck.files import check_writable
from archcheck.graph import Graph
from archcheck.model import ModelError, System
from archcheck.proof import prove
from archcheck.reporting.console import time_left
from archcheck.simulation import simulate
from archcheck.verification import verify

OVERLAYS = ("findings", "proof", *overlays.MEASURES)


@dataclass(frozen=True)
class Filtering:
    """What the options say about how much of a view is shown."""

    tags: tuple[str, ...]
    boundaries: tuple[str, ...]
    near: str | None
    hops: int
    expand: tuple[str, ...]
    flat: bool

    def of(self, view: Diagram) -> Diagram:
        """The view, filtered and collapsed."""
        view = filtered(
            view, tags=self.tags, boundaries=self.boundaries, near=self.near, hops=self.hops
        )
        return view if self.flat else readable(view, self.expand)


@click.command("diagram")
@models_argument
@system_option
@click.option(
    "--view",
    "kind",
    default="containers",
    show_default=True,
    metavar="VIEW",
    help="; ".join(f"{name}: {view.shows}" for name, view in VIEWS.items()) + ".",
)
@click.option("--of", metavar="NAME", help="The service, journey or element that the view shows.")
@click.option(
    "--against",
    metavar="MODEL",
    shell_complete=files,
    help="Show what changed since this model.",
)
@click.option("--tag", "tags", multiple=True, help="Only elements with this tag.")
@click.option("--boundary", "boundaries", multiple=True, help="Only elements of this boundary.")
@click.option("--near", metavar="ELEMENT", help="Only this element and its neighbours.")
@click.option(
    "--hops",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="With --near: how many arrows away.",
)
@click.option("--expand", multiple=True, metavar="GROUP", help="Open this group; can be repeated.")
@click.option("--flat", is_flag=True, help="Do not collapse large views.")
@click.option(
    "--overlay",
    "layers",
    multiple=True,
    type=click.Choice(OVERLAYS),
    help="Colour the view by this; can be repeated.",
)
@click.option(
    "--simulate",
    "scenario",
    metavar="SCENARIO",
    help="The scenario of overlays that need a simulation (alone: --overlay utilisation).",
)
@seed_option("Seed of the simulation.")
@click.option("--theme", type=click.Choice(["light", "dark"]), default="light", show_default=True)
@output_option("A .svg, .png, .pdf, .mmd, .d2, .puml, .dsl or .dot file (default: NAME.svg).")
def command(
    models: tuple[str, ...],
    system_name: str | None,
    kind: str,
    of: str | None,
    against: str | None,
    tags: tuple[str, ...],
    boundaries: tuple[str, ...],
    near: str | None,
    hops: int,
    expand: tuple[str, ...],
    flat: bool,
    layers: tuple[str, ...],
    scenario: str | None,
    seed: int,
    theme: Theme,
    output: str | None,
) -> None:
    """Draw a model: its containers, or another view of it.

    Views with more than 60 cards are collapsed by boundary. The ending of the file says what is
    written: a picture (SVG, PNG, PDF), or text for other tools (Mermaid, D2, PlantUML with C4,
    Structurizr DSL, Graphviz). Loading a Python model runs its code.
    """
    system = one_system(models, system_name)
    path = Path(output or f"{system.name}.svg")
    checked_format(str(path))
    check_writable(path)
    settings = configured()
    look = TeamLook(settings.icons, settings.colours)
    canvas = canvas_of(system, look)
    drawing = _drawing(canvas, kind, of, against, look)
    checked_format(str(path), drawing)
    narrowing = Filtering(tags, boundaries, near, hops, expand, flat)
    if isinstance(drawing, Diagram):
        drawing = narrowing.of(drawing)
        wanted = layers or (("utilisation",) if scenario else ())
        for overlay in _overlays(system, wanted, scenario, seed):
            drawing = laid_over(drawing, overlay)
    elif layers or tags or boundaries or near or expand:
        raise ModelError("a sequence takes neither filters nor overlays; use the view journey")
    Picture(drawing, canvas.look).save(path, theme=theme)
    click.echo(f"wrote {path}", err=True)


def _drawing(
    canvas: Canvas, kind: str, of: str | None, against: str | None, look: TeamLook
) -> Drawing:
    if against is None:
        return view_of(canvas, kind, of)
    if kind != "containers" or of is not None:
        raise ModelError("--against shows the difference of containers; leave --view and --of out")
    found = {system.name: system for system in load_systems((against,))}
    old = found.get(canvas.graph.system.name) or next(iter(found.values()))
    return difference_view(canvas_of(old, look), canvas)


def _overlays(
    system: System, layers: Iterable[str], scenario: str | None, seed: int
) -> Iterable[Overlay]:
    result = None
    for layer in layers:
        if layer == "findings":
            with guests():
                verified = verify(system)
            yield overlays.overlay_of(verified)
        elif layer == "proof":
            yield overlays.overlay_of(prove(Graph(system)))
        else:
            if result is None:
                chosen = chosen_scenario(system, scenario)
                with time_left(f"simulating {system.name} under {chosen.name}"):
                    result = simulate(system, chosen, seed=seed)
            yield overlays.overlay_of(result, layer)
