"""Variants side by side, for a terminal and as plain data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from archcheck.reporting.console import printable
from archcheck.reporting.sheets import Sheet
from archcheck.simulation import Estimate
from archcheck.simulation.comparing import METRICS, Compared, Comparison, VariantResult

FORMAT = "archcheck.compare/1"
_REMARK = (
    "differences to the first have 95% intervals of the paired runs; "
    "* marks those that exclude zero"
)


def print_comparison(console: Console, found: Comparison) -> None:
    """A table for each journey: variants are rows, metrics are columns."""
    console.print(Text(comparison_headline(found), style="bold"))
    for label, variant in zip(_labels(found), found.variants, strict=True):
        console.print(Text(f"{label:>2}  {printable(variant.name)}"))
    for name in _journeys(found):
        table = _table(name)
        for metric in METRICS:
            table.add_column(metric, justify="right", no_wrap=True)
        for label, variant in zip(_labels(found), found.variants, strict=True):
            cells = [_cell(each) for each in variant.compared if each.journey == name]
            table.add_row(label, *(cells or [Text("-")] * len(METRICS)))
        console.print()
        console.print(table)
    table = _table("busiest resource")
    table.add_column("bottleneck")
    table.add_column("busy", justify="right")
    for label, variant in zip(_labels(found), found.variants, strict=True):
        table.add_row(label, *map(printable, _bottleneck(variant)))
    console.print()
    console.print(table)
    console.print(_REMARK)


def comparison_sheets(found: Comparison) -> Iterator[Sheet]:
    """The same for a page: a table for each journey, and the busiest resources."""
    for name in _journeys(found):
        rows = []
        for variant in found.variants:
            cells = [_cell(each).plain for each in variant.compared if each.journey == name]
            rows.append((variant.name, *(cells or ["-"] * len(METRICS))))
        yield Sheet(name, ("variant", *METRICS), tuple(rows), _REMARK)
    busiest = tuple((variant.name, *_bottleneck(variant)) for variant in found.variants)
    yield Sheet("busiest resource", ("variant", "bottleneck", "busy"), busiest)


def comparison_headline(found: Comparison) -> str:
    """What was compared, and how."""
    first = found.variants[0].result
    return (
        f"{first.system.name} under {found.scenario}: {len(found.variants)} variants, "
        f"{found.replications} replications with the same random numbers, seed {found.seed}, "
        f"engine {found.engine}"
        + ("" if found.is_complete else "; STOPPED before the last variant")
    )


def _journeys(found: Comparison) -> list[str]:
    return list(dict.fromkeys(each.journey for each in found.variants[0].compared))


def _labels(found: Comparison) -> list[str]:
    return [_label(number) for number in range(len(found.variants))]


def _table(title: str) -> Table:
    """A table for a terminal, its first column without a heading."""
    table = Table(title=printable(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    return table


def _bottleneck(variant: VariantResult) -> tuple[str, str]:
    limit = variant.result.bottleneck
    return (f"{limit.name} {limit.what}", f"{limit.utilisation:.1%}") if limit else ("-", "-")


def _label(number: int) -> str:
    """A, B, ... Z, A2, B2 ..."""
    round_, place = divmod(number, 26)
    return chr(ord("A") + place) + (str(round_ + 1) if round_ else "")


def _cell(each: Compared) -> Text:
    if math.isnan(each.value):
        return Text("-")
    text = Text(_shown(each.value, each.metric))
    found = each.difference
    if found is not None:
        mark = "*" if each.is_certain else ""
        text.append(
            f"\n{_difference(found, each.metric)}{mark}",
            style="bold" if each.is_certain else "dim",
        )
    return text


def _shown(value: float, metric: str) -> str:
    if metric == "errors":
        return f"{value:.2%}"
    return f"{value:.4g}/s" if metric == "throughput" else f"{1000 * value:.3g} ms"


def _difference(found: Estimate, metric: str) -> str:
    factor, unit = {"errors": (100, " pp"), "throughput": (1, "/s")}.get(metric, (1000, " ms"))
    value, half = factor * found.value, factor * found.half_width
    if max(abs(value), half) < 5e-4:
        return "same"
    return f"{value:+.3g} ±{half:.2g}{unit}"


def comparison_data(found: Comparison) -> dict[str, Any]:
    """Seconds, shares of one, answers a second; what does not exist (NaN) is null."""
    return {
        "format": FORMAT,
        "scenario": found.scenario,
        "engine": found.engine,
        "seed": found.seed,
        "replications": found.replications,
        "complete": found.is_complete,
        "variants": [
            {
                "name": variant.name,
                "bottleneck": variant.result.bottleneck.name if variant.result.bottleneck else None,
                "steady_state": not variant.result.overloads,
                "missed_objectives": list(variant.result.missed_objectives()),
                "compared": [
                    {
                        **asdict(each),
                        "value": None if math.isnan(each.value) else each.value,
                        "certain": each.is_certain,
                    }
                    for each in variant.compared
                ],
            }
            for variant in found.variants
        ],
    }
