"""Tables: the same texts in a terminal, in HTML and in Markdown, whatever signs they have."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from archcheck import (
    Endpoint,
    Journey,
    Load,
    Poisson,
    Scenario,
    Service,
    Slo,
    Slow,
    System,
    Work,
    simulate,
)
from archcheck.reporting.console import console_for, plain_text
from archcheck.reporting.sheets import (
    Cell,
    Sheet,
    Words,
    print_sheet,
    sheet_html,
    sheet_markdown,
)
from archcheck.reporting.simulation import print_simulation
from archcheck.reporting.simulation.comparison import difference_shown
from archcheck.reporting.simulation.tables import seconds_shown
from archcheck.simulation import Estimate
from archcheck.units import ms, s

NAMES = [
    "payments[v2]",
    "[bold]a[/bold]",
    "[/]",
    "a|b",
    "*x*",
    "<b>",
    "a & b",
    "`c`",
    "[link=x]y[/link]",
]
SHEET = Sheet(
    "[red]all[/red]",
    ("name[1]", "busy", Words("why")),
    tuple((name, Cell("88.6%", "bad", share=0.886), f"because of {name}") for name in NAMES),
    "a remark about [v2]",
)


def printed(sheet: Sheet, width: int, *, terminal: bool = True) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None)
    print_sheet(console, sheet)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize("width", [30, 80, 120])
def test_a_terminal_shows_names_as_they_are(width: int) -> None:
    text = printed(SHEET, width)
    for name in (*NAMES, "[red]all[/red]", "a remark about [v2]"):
        assert name in text


def test_a_page_shows_names_as_they_are() -> None:
    page = str(sheet_html(SHEET))
    for name in NAMES:
        shown = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        assert f"<td>{shown}</td>" in page
    assert '<td class="bad">88.6%</td>' in page
    assert '<td class="words">' in page


def test_markdown_shows_names_as_they_are() -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(sheet_markdown(SHEET))
    cells = [
        "".join(part.content for part in token.children or () if part.type.startswith("text"))
        for token in tokens
        if token.type == "inline"
    ]
    for name in NAMES:
        assert name in cells
    assert "|---|---:|---|" in sheet_markdown(SHEET)


@given(
    st.integers(20, 130),
    st.lists(
        st.tuples(st.text("ab[]", min_size=1, max_size=40), st.integers(0, 10**9)),
        min_size=1,
        max_size=4,
    ),
)
def test_no_number_is_ever_cut(width: int, rows: list[tuple[str, int]]) -> None:
    columns = ("name", "one", "two", "three", "four")
    sheet = Sheet("", columns, tuple((name, *(f"{n:,}" for _ in range(4))) for name, n in rows))
    for terminal in (True, False):
        text = printed(sheet, width, terminal=terminal)
        for _, number in rows:
            assert text.count(f"{number:,}") >= 4


def test_a_narrow_window_gets_row_by_row_what_does_not_fit() -> None:
    sheet = Sheet("busy", ("name", "first", "second"), (("orders", "1,234,567", "7,654,321"),))
    told = "busy orders first 1,234,567, second 7,654,321"
    assert " ".join(printed(sheet, 28).split()) == told


def test_a_run_shows_names_with_brackets_outside_of_tables_too() -> None:
    system = System(
        "shop[eu]",
        [Service("payments[v2]", endpoints=[Endpoint("run", steps=[Work(1 * ms)])])],
        journeys=[Journey("pay[b]", "payments[v2].run", slo=Slo(p95=1 * ms))],
        scenarios=[Scenario("peak[1]", load=[Load("pay[b]", Poisson(5 / s))])],
    )
    result = simulate(system, duration=5 * s)
    text = plain_text(lambda console: print_simulation(console, result))
    for name in ("shop[eu]", "peak[1]", "pay[b]", "payments[v2]", "p95 of pay[b]"):
        assert name in text
    file = io.StringIO()
    console_for(file).print("payments[v2]")
    assert file.getvalue() == "payments[v2]\n"


def test_a_fault_after_the_end_of_the_run_is_said() -> None:
    system = System(
        "shop",
        [Service("payments", endpoints=[Endpoint("run", steps=[Work(1 * ms)])])],
        journeys=[Journey("pay", "payments.run")],
        scenarios=[
            Scenario(
                "slow",
                load=[Load("pay", Poisson(5 / s))],
                faults=[
                    Slow("payments", factor=5, start=1 * s),
                    Slow("payments", factor=5, start=10 * s),
                ],
            )
        ],
    )
    result = simulate(system, duration=5 * s)
    text = plain_text(lambda console: print_simulation(console, result))
    assert "never begins: Slow of payments at 10 s, as the run ends at 5 s" in text
    assert text.count("never begins") == 1


@pytest.mark.parametrize(
    ("value", "half", "metric", "shown"),
    [
        (-0.431, 0.42, "p99", "-431 ±420 ms"),
        (-0.0991, 0.1, "p99", "-99.1 ±100 ms"),
        (12.3456, 4.5, "mean", "+12,300 ±4,500 ms"),
        (0.0433, 0.06, "throughput", "+0.0433 ±0.06/s"),
        (-0.000207, 0.00035, "p50", "-0.207 ±0.35 ms"),
    ],
)
def test_a_difference_has_no_exponent(value: float, half: float, metric: str, shown: str) -> None:
    assert difference_shown(Estimate(value, half, "replications", 5), metric) == shown


def test_a_wait_that_is_rounding_is_none() -> None:
    assert [seconds_shown(each) for each in (1.33e-15, 0.0, 5e-9)] == ["0 s", "0 s", "5 ns"]
