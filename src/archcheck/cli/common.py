"""What several commands need: model arguments, output, choosing a system."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from archcheck import configuration
from archcheck.configuration import Settings
from archcheck.editing import variants, with_settings
from archcheck.loading import load
from archcheck.model import ModelError, Scenario, System
from archcheck.model.element import nearest
from archcheck.plugins import rules
from archcheck.units import Quantity

F = TypeVar("F", bound=Callable[..., Any])
Q = TypeVar("Q", bound=Quantity)


def models_argument(function: F) -> F:
    """Paths of models; ``models/`` when none is given. Python models are run."""
    return click.argument("models", nargs=-1, metavar="[MODEL]...")(function)


def output_option(function: F) -> F:
    """Write to a file instead of standard output."""
    return click.option("-o", "--output", metavar="FILE", help="Write to this file.")(function)


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


def load_systems(models: tuple[str, ...]) -> tuple[System, ...]:
    """The systems in ``models``, or in the folder ``models`` of the working folder."""
    if models:
        return load(*models)
    if not Path("models").is_dir():
        raise ModelError("name a model, or keep models in a folder called models")
    return load("models")


def configured() -> Settings:
    """The settings of the working folder."""
    found = configuration.find(Path.cwd())
    return configuration.read(found, rules(Path("rules"))) if found else Settings()


def one_system(models: tuple[str, ...], name: str | None) -> System:
    """The only system in ``models``, or the one called ``name``."""
    systems = {system.name: system for system in load_systems(models)}
    if name is not None:
        if name not in systems:
            raise ModelError(f"there is no system {name!r}{nearest(name, list(systems))}")
        return systems[name]
    if len(systems) > 1:
        raise ModelError(f"choose one of the systems with --system: {', '.join(systems)}")
    return next(iter(systems.values()))


def cases_of(
    system: System, scenario: Scenario, settings: tuple[str, ...], *, keep_faults: bool = False
) -> list[tuple[str, System, Scenario]]:
    """The system as it is, and all variants of it, for a comparison.

    ``keep_faults``: the scenario's faults come from the command line and hold for all.
    """
    cases = [("as declared", system, scenario)]
    declared = scenario.name in {each.name for each in system.scenarios}
    for values in variants(settings):
        changed = with_settings(system, values)
        under = changed.scenario(scenario.name) if declared else scenario
        if keep_faults:
            under = replace(under, faults=scenario.faults)
        name = ", ".join(f"{path}={value}" for path, value in values.items())
        cases.append((name, changed, under))
    return cases


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
    if output is None:
        click.echo(text, nl=not text.endswith("\n"))
        return
    Path(output).write_text(text, encoding="utf-8")
    click.echo(f"wrote {output}", err=True)
