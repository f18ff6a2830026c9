"""Availabilities for a terminal and as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rich.console import Console
from rich.text import Text

from archcheck.findings import State
from archcheck.model import System
from archcheck.proof import Gap
from archcheck.reporting.console import counted, printable, some, spoken
from archcheck.reporting.forms import Count, plain
from archcheck.reporting.objectives import TONES
from archcheck.reporting.sheets import Cell, Sheet, Words, print_sheet
from archcheck.resilience import Answers, AvailabilityResult, Available

_MONTH = 30 * 24 * 3600.0
"""Seconds of thirty days, the usual window of an availability."""


def print_availability(
    console: Console, result: AvailabilityResult, *, verbose: bool = False
) -> None:
    """A row for each journey and endpoint: exact, sampled, promised, minutes lost in a month.

    Endpoints of which nothing is known are counted; ``verbose`` lists them, and all that is not
    declared.
    """
    console.print(Text(f"availability of {printable(result.system.name)}", style="bold"))
    known = [each for each in result.found if verbose or each.is_journey or not each.is_unknown]
    print_sheet(console, availability_sheet(known))
    unknown = len(result.found) - len(known)
    if unknown:
        console.print(f"{counted(unknown, 'endpoint')} more: unknown; -v lists them")
    missing: dict[str, dict[str, None]] = {}
    for each in result.found:
        for gap in each.gaps:
            missing.setdefault(gap.attribute, {})[_holder(gap)] = None
    for attribute, holders in sorted(missing.items()):
        names = some(sorted(holders), verbose=verbose)
        text = f"not declared, so it can be anything: {printable(attribute)} of {names}"
        console.print(Text(text, style="dim"))


def availability_sheet(found: Iterable[Available]) -> Sheet:
    """A row for each journey and endpoint."""
    estimates = ("exact", "sampled, 95% interval", "down in 30 days")
    columns = ("journey or endpoint", *estimates, "promised", "state")
    return Sheet("", columns, tuple(map(_row, found)))


def _row(each: Available) -> tuple[str | Cell, ...]:
    low, high = float(each.exact.low), float(each.exact.high)
    exact = _share(high) if each.exact.is_exact else f"{_share(low)} to {_share(high)}"
    sampled = f"{each.low:.4%} to {each.high:.4%}"
    down = spoken((1 - high) * _MONTH)
    if each.gaps:  # what is not declared can be worse, and counts as always up in both methods
        exact, sampled, down = f"at most {exact}", f"at most {each.high:.4%}", f"at least {down}"
    if each.is_unknown:
        exact = sampled = down = "unknown"
    return (
        Cell(each.name, "" if each.is_journey else "quiet"),
        exact,
        sampled,
        down,
        f"{each.promised:.4%}" if each.promised is not None else "",
        Cell(each.state, TONES[each.state]) if each.state is not None else "",
    )


def _share(share: float) -> str:
    """What is not certain is not shown as 100%."""
    return "over 99.999999%" if 1 - 5e-9 < share < 1 else f"{share:.6%}"


def _holder(gap: Gap) -> str:
    return str(getattr(gap.holder, "name", type(gap.holder).__name__))


@dataclass(frozen=True)
class AvailableForm:
    """A journey or an endpoint: the share of the time for which it can answer."""

    name: str
    """Its name."""
    is_journey: bool
    """Whether it is a journey; false: an endpoint."""
    promised: float | None
    """The share that it promises (of one); null: nothing."""
    state: State | None
    """Whether that is met; null where nothing is promised."""
    exact: tuple[float, float]
    """The least and the greatest share that is possible (of one); the same where all is known."""
    sampled: float
    """The share of Monte Carlo (of one)."""
    interval: tuple[float, float]
    """The 95% interval of that share."""
    agrees: bool
    """Whether both methods agree."""
    not_declared: tuple[str, ...]
    """Availabilities that nobody declares, and that count as one."""


@dataclass(frozen=True, kw_only=True)
class AvailabilityForm:
    """The result of archcheck availability."""

    format: Literal["archcheck.availability/2"] = "archcheck.availability/2"
    """The name and version of this form."""
    system: str
    """The name of the system."""
    availability: tuple[AvailableForm, ...]
    """Each journey and each endpoint."""


def availability_data(result: AvailabilityResult) -> dict[str, Any]:
    """Shares of one."""
    found = tuple(map(_available, result.found))
    data: dict[str, Any] = plain(AvailabilityForm(system=result.system.name, availability=found))
    return data


def _available(each: Available) -> AvailableForm:
    return AvailableForm(
        name=each.name,
        is_journey=each.is_journey,
        promised=each.promised,
        state=each.state,
        exact=(0.0 if each.gaps else float(each.exact.low), float(each.exact.high)),
        sampled=each.sampled,
        interval=(each.low, each.high),
        agrees=each.agrees,
        not_declared=tuple(f"{_holder(gap)} {gap.attribute}" for gap in each.gaps),
    )


def print_killed(
    console: Console,
    system: System,
    found: Sequence[Sequence[Answers]],
    rates: Mapping[str, float] | None = None,
) -> None:
    """A row for each journey, a column for each share; with ``rates``, their weighted mean."""
    title = f"{printable(system.name)}: the chance to answer, from the call graph alone"
    console.print(Text(title, style="bold"))
    print_sheet(console, killed_sheet(found, rates))


def killed_sheet(
    found: Sequence[Sequence[Answers]], rates: Mapping[str, float] | None = None
) -> Sheet:
    """A row for each journey; with ``rates``, one for their weighted mean."""
    columns = (f"{each[0].killed} of {each[0].containers} killed" for each in found)
    rows = []
    for row in zip(*found, strict=True):
        needed = ", ".join(f"{name} x{n}" if n > 1 else name for name, n in row[0].needed)
        chances = (f"{float(each.probability):.3f}" for each in row)
        rows.append((row[0].journey, *chances, needed))
    if rates:
        means = (f"{mean_chance(answers, rates):.3f}" for answers in found)
        rows.append(("weighted by their rates", *means, ""))
    return Sheet("", ("journey", *columns, Words("needs")), tuple(rows))


def mean_chance(answers: Sequence[Answers], rates: Mapping[str, float]) -> float:
    """The chance of a journey of a mix."""
    total = sum(rates.get(each.journey, 0.0) for each in answers)
    return sum(rates.get(each.journey, 0.0) * float(each.probability) for each in answers) / total


@dataclass(frozen=True)
class AnswersForm:
    """Whether a journey answers."""

    name: str
    """Its name."""
    needed: Mapping[str, Count]
    """The elements without which it does not, with their replicas."""
    probability: float
    """The probability that it answers (of one)."""
    exact: str
    """The same as a fraction, such as 7/10."""


@dataclass(frozen=True)
class KilledForm:
    """What answers when a share of the containers is killed."""

    containers: Count
    """Containers there are."""
    killed: Count
    """Containers that are killed at random."""
    weighted: float | None
    """The mean probability of the journeys by their rates; null without a scenario."""
    journeys: tuple[AnswersForm, ...]
    """Each journey."""


@dataclass(frozen=True, kw_only=True)
class KilledSharesForm:
    """The result of archcheck availability --kill."""

    format: Literal["archcheck.killed/1"] = "archcheck.killed/1"
    """The name and version of this form."""
    system: str
    """The name of the system."""
    shares: tuple[KilledForm, ...]
    """Each share that was asked for."""


def killed_data(
    system: System,
    found: Sequence[Sequence[Answers]],
    rates: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Probabilities as floats and as exact fractions."""
    shares = tuple(_killed(answers, rates) for answers in found)
    data: dict[str, Any] = plain(KilledSharesForm(system=system.name, shares=shares))
    return data


def _killed(answers: Sequence[Answers], rates: Mapping[str, float] | None) -> KilledForm:
    return KilledForm(
        answers[0].containers if answers else 0,
        answers[0].killed if answers else 0,
        mean_chance(answers, rates) if rates else None,
        tuple(
            AnswersForm(
                each.journey, dict(each.needed), float(each.probability), str(each.probability)
            )
            for each in answers
        ),
    )
