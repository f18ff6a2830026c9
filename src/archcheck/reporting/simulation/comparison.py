"""Variants side by side, as tables and as plain data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rich.console import Console
from rich.text import Text

from archcheck.findings import Reading
from archcheck.reporting.console import figure, printable
from archcheck.reporting.forms import Count, plain, printed_as
from archcheck.reporting.objectives import TONES
from archcheck.reporting.sheets import Cell, Sheet, Words, print_sheets
from archcheck.simulation import Estimate
from archcheck.simulation.comparing import METRICS, Compared, Comparison, Side, VariantResult
from archcheck.units import spoken

_REMARK = (
    "differences to the first have 95% intervals of the paired runs; "
    "* marks those that exclude zero"
)
_EARLY = (
    "the runs are too short for what changes slowly in a variant (archcheck simulate names it): a "
    "difference to it is known on one side, or not at all"
)


def print_comparison(console: Console, found: Comparison) -> None:
    """The variants, then a table for each journey: variants are rows, metrics are columns."""
    console.print(Text(printable(comparison_headline(found)), style="bold"))
    print_sheets(console, comparison_sheets(found))


def comparison_sheets(found: Comparison) -> Iterator[Sheet]:
    """The variants with their letters, each journey, the objectives, the busiest resources."""
    variants = [*zip(_labels(found), found.variants, strict=True)]
    named = tuple((label, variant.name) for label, variant in variants)
    yield Sheet("variants", ("", Words("what")), named)
    names = _journeys(found)
    for name in names:
        rows = []
        for label, variant in variants:
            growing = name in variant.result.held_up
            cells = [_cell(each, growing) for each in variant.compared if each.journey == name]
            rows.append((label, *(cells or ["-"] * len(METRICS))))
        remark = _remark(found) if name == names[-1] else ""
        yield Sheet(name, ("", *METRICS), tuple(rows), remark)
    if any(variant.result.objectives for _, variant in variants):
        yield _objectives(variants)
    busiest = tuple((label, *_bottleneck(variant)) for label, variant in variants)
    yield Sheet("busiest resource", ("", Words("bottleneck"), "busy"), busiest)


def _remark(found: Comparison) -> str:
    if any(variant.result.early for variant in found.variants):
        return f"{_REMARK}; {_EARLY}"
    return _REMARK


def _objectives(variants: Sequence[tuple[str, VariantResult]]) -> Sheet:
    rows = tuple(
        (label, str(reading.objective), reading.shown, Cell(reading.state, TONES[reading.state]))
        for label, variant in variants
        for reading in variant.result.objectives
    )
    return Sheet("objectives", ("", Words("objective"), "reading", "state"), rows)


def comparison_headline(found: Comparison) -> str:
    """What was compared, and how."""
    first = found.variants[0].result
    return (
        f"{first.system.name} under {found.scenario}: {len(found.variants)} variants, "
        f"{found.replications} replications of {spoken(first.duration)} with the same random "
        f"numbers, seed {found.seed}, "
        f"engine {found.engine}"
        + ("" if found.is_complete else "; STOPPED before the last variant")
    )


def _journeys(found: Comparison) -> list[str]:
    return list(dict.fromkeys(each.journey for each in found.variants[0].compared))


def _labels(found: Comparison) -> list[str]:
    return [_label(number) for number in range(len(found.variants))]


def _bottleneck(variant: VariantResult) -> tuple[str, str]:
    limit = variant.result.bottleneck
    return (limit.label, f"{limit.utilisation:.1%}") if limit else ("-", "-")


def _label(number: int) -> str:
    """A, B, ... Z, A2, B2 ..."""
    round_, place = divmod(number, 26)
    return chr(ord("A") + place) + (str(round_ + 1) if round_ else "")


def _cell(each: Compared, growing: bool) -> str | Cell:
    """``growing``: its times grow for as long as it runs, and those who wait count nowhere."""
    if growing and each.metric != "throughput":
        return "-" if each.metric == "errors" else Cell("grows", "bad")
    if math.isnan(each.value):
        return "-"
    shown = _shown(each.value, each.metric)
    found = each.difference
    if found is None:
        return shown
    mark = "*" if each.is_certain else ""
    difference = f"{difference_shown(found, each.metric, each.side)}{mark}"
    return Cell(f"{shown}\n{difference}", "strong" if each.is_certain else "")


def _shown(value: float, metric: str) -> str:
    if metric == "errors":
        return f"{value:.2%}"
    return f"{figure(value)}/s" if metric == "throughput" else spoken(value)


def difference_shown(found: Estimate, metric: str, side: Side = "between") -> str:
    """A difference with its interval and unit, or as far as it is known."""
    factor, unit = {"errors": (100, " pp"), "throughput": (1, "/s")}.get(metric, (1000, " ms"))
    value, half = factor * found.value, factor * found.half_width
    if max(abs(value), half) < 5e-4:
        return "same"
    if side == "unknown":
        return "not known"
    if side != "between":
        return f"{side} {_plain(value + half if side == 'at most' else value - half, '+.3g')}{unit}"
    return f"{_plain(value, '+.3g')} ±{_plain(half, '.2g')}{unit}"


def _plain(value: float, digits: str) -> str:
    """A number to so many digits, and without an exponent."""
    text = f"{value:{digits}}"
    if "e" not in text:
        return text
    sign = "+" if text.startswith("+") else ""
    return f"{float(text):{sign},.0f}"


@dataclass(frozen=True)
class ComparedForm:
    """A metric of a journey in one variant."""

    journey: str
    """Its name."""
    metric: str
    """mean or a percentile (seconds), throughput (answers a second), errors (a share of one)."""
    value: float
    """Its value over all runs."""
    estimate: Estimate | None
    """The value with its interval; null where a run has no value, or the runs are too short."""
    difference: Estimate | None
    """How it differs from the first variant, in the paired runs; null in the first variant, or
    where a run has no value."""
    side: Side
    """What is known of the difference in the long run: both ends of its interval (between), one of
    them (at least, at most) where the runs of one of the two variants are too short, or none."""
    certain: bool
    """Whether what is known of the difference excludes zero."""


@printed_as
def compared_form(each: Compared) -> ComparedForm:
    """A metric, and whether its difference is certain."""
    return ComparedForm(
        each.journey,
        each.metric,
        each.value,
        each.estimate,
        each.difference,
        each.side,
        each.is_certain,
    )


@dataclass(frozen=True)
class VariantForm:
    """A variant."""

    name: str
    """What is different in it; the first is the model as it is."""
    bottleneck: str | None
    """Its most limiting resource; null where none is limited."""
    steady_state: bool
    """Whether every queue stays bounded."""
    objectives: tuple[Reading, ...]
    """What its journeys promise, and what was read."""
    compared: tuple[Compared, ...]
    """Each metric of each journey."""


@dataclass(frozen=True, kw_only=True)
class ComparisonForm:
    """The result of archcheck compare."""

    format: Literal["archcheck.compare/2"] = "archcheck.compare/2"
    """The name and version of this form."""
    scenario: str
    """The name of the scenario."""
    engine: str
    """fast (compiled) or simpy (the reference)."""
    seed: int
    """The seed; the same seed gives the same result."""
    replications: Count
    """Independent runs of each variant."""
    complete: bool
    """Whether all variants were run; false: somebody stopped it."""
    variants: tuple[VariantForm, ...]
    """The variants in the order in which they were given."""


def comparison_data(found: Comparison) -> dict[str, Any]:
    """Seconds, shares of one, answers a second; what does not exist (NaN) is null."""
    form = ComparisonForm(
        scenario=found.scenario,
        engine=found.engine,
        seed=found.seed,
        replications=found.replications,
        complete=found.is_complete,
        variants=tuple(map(_variant, found.variants)),
    )
    data: dict[str, Any] = plain(form)
    return data


def _variant(variant: VariantResult) -> VariantForm:
    result = variant.result
    return VariantForm(
        variant.name,
        result.bottleneck.name if result.bottleneck else None,
        not result.overloads,
        result.objectives,
        variant.compared,
    )
