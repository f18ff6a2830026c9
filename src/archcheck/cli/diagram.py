"""``archcheck diagram``: a picture of a system."""

from __future__ import annotations

from pathlib import Path

import click

from archcheck.cli.common import choose_scenario, models_argument, one_system
from archcheck.diagrams import container_view, to_dot, to_png, to_svg
from archcheck.model import ModelError
from archcheck.reporting.console import spinner
from archcheck.simulation import simulate


@click.command("diagram")
@models_argument
@click.option("--system", "system_name", metavar="NAME", help="Which system, if there are several.")
@click.option(
    "-o", "--output", metavar="FILE", help="A .svg, .png or .dot file (default: NAME.svg)."
)
@click.option(
    "--simulate",
    "scenario",
    metavar="SCENARIO",
    help="Simulate this scenario and colour by utilisation.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the simulation.")
def command(
    models: tuple[str, ...],
    system_name: str | None,
    output: str | None,
    scenario: str | None,
    seed: int,
) -> None:
    """Draw the containers of a model: services, data, brokers, and how they talk.

    Loading a Python model runs it.
    """
    system = one_system(models, system_name)
    path = Path(output or f"{system.name}.svg")
    if path.suffix not in (".svg", ".png", ".dot"):
        raise ModelError(f"cannot draw {path.name!r}; name a file that ends in .svg, .png or .dot")
    utilisation = None
    if scenario is not None:
        with spinner(f"simulating {system.name} under {scenario}"):
            result = simulate(system, choose_scenario(system, scenario), seed=seed)
        utilisation = {resource.name: resource.utilisation for resource in result.resources}
    view = container_view(system, utilisation)
    if path.suffix == ".dot":
        path.write_text(to_dot(view), encoding="utf-8")
    elif path.suffix == ".png":
        path.write_bytes(to_png(to_svg(view)))
    else:
        path.write_text(to_svg(view), encoding="utf-8")
    click.echo(f"wrote {path}", err=True)
