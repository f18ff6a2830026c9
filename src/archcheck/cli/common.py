"""What several commands need: their options, choosing a system, writing what was found."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from archcheck import configuration
from archcheck.cli.completion import files
from archcheck.cli.streams import guests
from archcheck.configuration import Settings
from archcheck.editing import variants
from archcheck.facade import variants_of
from archcheck.files import check_writable, write_file
from archcheck.importing.loading import load_and_import
from archcheck.model import ModelError, Scenario, System
from archcheck.model.element import nearest
from archcheck.plugins import rules
from archcheck.reporting.console import Console, counted, report_console
from archcheck.units import Duration, Quantity

if TYPE_CHECKING:
    from archcheck.reporting.charts import Chart

F = TypeVar("F", bound=Callable[..., Any])
Q = TypeVar("Q", bound=Quantity)
T = TypeVar("T")


class Option(Protocol):
    """What ``click.option`` gives: it adds an option to a command."""

    def __call__(self, command: F, /) -> F:
        """The command with the option."""


class QuantityType(click.ParamType[Q]):
    """A quantity with its unit on the command line: ``--duration 60s``."""

    def __init__(self, quantity: type[Q]) -> None:
        self._quantity = quantity
        self.name = quantity.dimension()

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Q:
        try:
            return value if isinstance(value, self._quantity) else self._quantity.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


system_option: Option = click.option(
    "--system", "system_name", metavar="NAME", help="The system, if the model has several."
)
strict_option: Option = click.option(
    "--strict", is_flag=True, help="Exit with 3 if something is undecided."
)


def output_option(what: str = "Write to this file instead of standard output.") -> Option:
    """``-o FILE``; ``-`` is standard output."""
    return click.option(
        "-o",
        "--output",
        metavar="FILE",
        callback=checked_output,
        shell_complete=files,
        help=what,
    )


def checked_output(ctx: click.Context, option: click.Parameter, file: str | None) -> str | None:
    """A file that cannot be written is refused before anything is computed."""
    if file == "":
        raise click.BadParameter("is empty", ctx, option)
    if file not in (None, "-"):
        check_writable(file)
    return file


def models_argument(function: F) -> F:
    """Paths of models; ``models/`` when none is given. Python models are run."""
    return click.argument("models", nargs=-1, metavar="[MODEL]...", shell_complete=files)(function)


def scenario_option(what: str) -> Option:
    """``--scenario NAME``, and what it is for."""
    return click.option("--scenario", metavar="NAME", help=what)


def set_option(what: str, *, required: bool = False) -> Option:
    """``--set PATH=VALUE``: what if."""
    return click.option(
        "--set", "settings", multiple=True, required=required, metavar="PATH=VALUE", help=what
    )


def format_option(*others: str) -> Option:
    """``--format``: text, or one of the others."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(["text", *others]),
        default="text",
        show_default=True,
        help="Format of the report.",
    )


def seed_option(what: str = "The same seed gives the same result.") -> Option:
    """``--seed``, and what it decides."""
    seeds = click.IntRange(0, 2**63 - 1)  # what an engine hashes, and every tool can read
    return click.option("--seed", type=seeds, default=1, show_default=True, help=what)


def jobs_option(what: str = "Cores to use; -1: all.") -> Option:
    """``--jobs``, and what the cores are for."""
    return click.option(
        "--jobs", type=int, default=-1, show_default=True, callback=_some_cores, help=what
    )


def _some_cores(ctx: click.Context, option: click.Parameter, number: int) -> int:
    if number < -1 or number == 0:
        raise click.BadParameter(f"{number} cores; write 1 or more, or -1 for all", ctx, option)
    return number


def chart_option(what: str) -> Option:
    """``--chart FILE``, and what is drawn into it."""
    return click.option(
        "--chart",
        metavar="FILE",
        callback=_drawable,
        shell_complete=files,
        help=f"Also draw {what} (.svg, .png, .pdf).",
    )


def _drawable(ctx: click.Context, option: click.Parameter, file: str | None) -> str | None:
    """A chart that cannot be drawn is refused before anything is computed."""
    if file is not None:
        from archcheck.reporting.charts import checked_target

        checked_target(file)
    return file


def proof_budget_option(what: str, default: str = "10s") -> Option:
    """``--proof-budget``, and what happens when it is spent."""
    return click.option(
        "--proof-budget",
        type=QuantityType(Duration),
        default=default,
        show_default=True,
        help=what,
    )


def verbose_option(what: str) -> Option:
    """``-v``, and what it adds."""
    return click.option("-v", "--verbose", is_flag=True, help=what)


def load_systems(models: tuple[str, ...]) -> tuple[System, ...]:
    """The systems in ``models``, or in the folder ``models`` of the working folder.

    Files of other tools are imported, and a line says so.
    """
    if not models and not Path("models").is_dir():
        raise ModelError("name a model; there is no folder called models here")
    with guests():
        systems, found = load_and_import(*models or ("models",))
    if found is None:
        return systems
    kinds = ", ".join(dict.fromkeys(file.kind for file in found.files))
    files = counted(len(found.files), "file")
    click.echo(
        f"imported {found.system.name} from {files} ({kinds}); archcheck import shows what was "
        "joined, left out and is missing",
        err=True,
    )
    return (*systems, found.system)


def configured() -> Settings:
    """The settings of the working folder."""
    found = configuration.find(Path.cwd())
    if found is None:
        return Settings()
    with guests():
        own = rules(Path("rules"))
    return configuration.read(found, own)


def one_system(models: tuple[str, ...], name: str | None) -> System:
    """The only system in ``models``, or the one called ``name``."""
    systems = {system.name: system for system in load_systems(models)}
    if name is not None:
        if name not in systems:
            raise ModelError(f"there is no system {name!r}{nearest(name, list(systems))}")
        return systems[name]
    if len(systems) > 1:
        raise ModelError(
            f"there are several systems; choose one with --system: {', '.join(systems)}"
        )
    return next(iter(systems.values()))


def cases_of(
    system: System, scenario: Scenario, settings: tuple[str, ...], *, keep_faults: bool = False
) -> list[tuple[str, System, Scenario]]:
    """The system as it is, and all variants of it, for a comparison.

    ``keep_faults``: the scenario's faults come from the command line and hold for all.
    """
    return variants_of(system, scenario, variants(settings), keep_faults=keep_faults)


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed; pressed again, it ends the command at once."""
    stopped = threading.Event()

    def stop(*_: object) -> None:
        stopped.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stopped.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def write(text: str, output: str | None) -> None:
    """Print ``text``, or write it to a file and say so."""
    if output in (None, "-"):
        click.echo(text, nl=not text.endswith("\n"))
        return
    write_file(output, text)
    click.echo(f"wrote {output}", err=True)


def write_result(
    found: T,
    format_: str,
    output: str | None,
    *,
    data: Callable[[T], object],
    show: Callable[[Console, T], None],
) -> None:
    """Report what was found, as JSON or as text."""
    if format_ == "json":
        write(json.dumps(data(found), indent=2), output)
        return
    with report_console(output) as console:
        show(console, found)


def write_chart(chart: Chart, target: str) -> None:
    """Draw a chart into a file and say so."""
    from archcheck.reporting.charts import save_chart

    save_chart(chart, target)
    click.echo(f"wrote {target}", err=True)
