"""Results in a notebook: how they show themselves, their data frames, their charts.

In IPython, ``import archcheck`` is enough: results show what the command line prints, with its
colours. ``%load_ext archcheck.notebook`` does the same where IPython started later. Elsewhere
:func:`text` and :func:`html` give what would be shown.

``frame(result)`` is a data frame of pandas (extra ``notebook``) or polars, ``chart(result)`` the
chart that the command line writes, made with Altair.

Nothing is imported before a result is shown; results are known to IPython by their names.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, get_args

from archcheck.extras import require, what_to_install
from archcheck.model.errors import ArchcheckError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.lib.pretty import RepresentationPrinter

    from archcheck.notebook.kinds import Kind
    from archcheck.reporting.charts import Figure

__all__ = ["Library", "chart", "frame", "html", "load_ipython_extension", "register", "text"]

Library: TypeAlias = Literal["pandas", "polars"]
"""Whose data frames."""
T = TypeVar("T")

SHOWN = (
    ("archcheck.planning.planning", "CapacityPlan"),
    ("archcheck.proof.questions", "Proofs"),
    ("archcheck.proof.repair.repairing", "Repair"),
    ("archcheck.resilience.availability", "AvailabilityResult"),
    ("archcheck.resilience.chaos", "ChaosResult"),
    ("archcheck.resilience.phases", "PhaseMap"),
    ("archcheck.simulation.comparing", "Comparison"),
    ("archcheck.simulation.results", "SimulationResult"),
    ("archcheck.verification", "Verification"),
)
"""Module and name of the results that are shown; ``kinds`` says how."""


def text(result: object) -> str:
    """What the command line prints of a result."""
    from archcheck.reporting.console import plain_text

    kind = _kind(result)
    return plain_text(lambda console: kind.show(console, result)).rstrip()


def html(result: object) -> str:
    """The same as HTML, with colours."""
    from archcheck.reporting.console import html_text

    kind = _kind(result)
    return html_text(lambda console: kind.show(console, result))


def frame(result: object, of: str | None = None, *, library: Library = "pandas") -> Any:
    """A data frame of a result; times are in seconds.

    A verification has a row for each place of a finding, proofs for each answer, a plan for each
    point of the capacity curve, an availability for each journey and endpoint. A simulation has
    four frames: ``"journeys"`` (the default), ``"resources"``, ``"times"``, which says where the
    time of each journey and band went, and ``"failures"``, which says what made journeys fail.
    Raises :class:`~archcheck.model.ArchcheckError`.
    """
    rows = _named(_kind(result).frames, of, f"{type(result).__name__} has no frame")(result)
    if library not in get_args(Library):
        raise ArchcheckError(f"a frame is of pandas or polars, not of {library!r}")
    try:
        frames = importlib.import_module(library)
    except ImportError:
        raise ArchcheckError(what_to_install(library)) from None
    return frames.DataFrame(rows)


def chart(result: object, of: str | None = None) -> Figure:
    """The chart of a result; ``.save(path)`` writes it.

    A simulation has two: ``"run"`` (the default: where the time went and how the run went) and
    ``"percentiles"``. Plans, chaos and phase maps have one. Raises
    :class:`~archcheck.model.ArchcheckError`.
    """
    from archcheck.reporting.charts import Figure

    require("altair", "vl_convert")
    return Figure(_named(_kind(result).charts, of, f"{type(result).__name__} has no chart")(result))


# -- registering ----------------------------------------------------------------------------------


def register(shell: InteractiveShell | None = None) -> None:
    """Let results show themselves in an IPython shell, by default the one that runs, if any."""
    from IPython import get_ipython

    shell = shell or get_ipython()
    display = shell.display_formatter if shell is not None else None
    if display is None:
        return
    for module, name in SHOWN:
        display.formatters["text/html"].for_type_by_name(module, name, html)
        display.formatters["text/plain"].for_type_by_name(module, name, _pretty)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """What ``%load_ext archcheck.notebook`` calls."""
    register(shell)


def _pretty(result: object, printer: RepresentationPrinter, _cycle: bool) -> None:
    printer.text(text(result))  # type: ignore[no-untyped-call]


# -- kinds of results -----------------------------------------------------------------------------


def _kind(result: object) -> Kind:
    from archcheck.notebook.kinds import KINDS

    kind = KINDS.get(type(result))
    if kind is None:
        known = ", ".join(name for _, name in SHOWN)
        raise ArchcheckError(f"a {type(result).__name__} is no result; results are {known}")
    return kind


def _named(options: Mapping[str, T], name: str | None, what: str) -> T:
    """The option of a name, or the first one."""
    chosen = name if name is not None else next(iter(options), None)
    if chosen is None or chosen not in options:
        has = f"; it has {', '.join(options)}" if options else ""
        raise ArchcheckError(f"{what}{f' {chosen!r}' if chosen else ''}{has}")
    return options[chosen]
