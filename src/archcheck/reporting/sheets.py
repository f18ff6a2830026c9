"""Tables as data, made once and rendered for a terminal, for HTML and for Markdown.

Texts are shown as they are in all three: neither Rich's markup nor HTML nor Markdown reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from archcheck.reporting.console import printable

Tone = Literal["", "good", "warning", "bad", "strong", "quiet"]
"""What a cell means; a renderer makes a colour of it, or nothing."""

STYLES: dict[Tone, str] = {
    "": "",
    "good": "green",
    "warning": "yellow",
    "bad": "bold red",
    "strong": "bold",
    "quiet": "dim",
}
"""The tones on a terminal."""
_MARKDOWN = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<>|~#"})


@dataclass(frozen=True)
class Cell:
    """A text with a tone; a plain string is one without."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True)
class Words:
    """The heading of a column of text: on the left, and broken where it is too long."""

    title: str


@dataclass(frozen=True)
class Sheet:
    """A table: a title, columns, rows, a remark.

    The first column and those headed by :class:`Words` are text, the others numbers.
    """

    title: str
    columns: tuple[str | Words, ...]
    rows: tuple[tuple[str | Cell, ...], ...]
    remark: str = ""


def _text(cell: str | Cell) -> str:
    return cell if isinstance(cell, str) else cell.text


def _title(column: str | Words) -> str:
    return column if isinstance(column, str) else column.title


# -- for a terminal -------------------------------------------------------------------------------


def print_sheet(console: Console, sheet: Sheet) -> None:
    """The table with its title above and its remark below; without rows, the title alone."""
    if sheet.rows:
        console.print(_table(sheet))
    elif sheet.title:
        console.print(Text(printable(sheet.title), style="italic"))
    if sheet.remark:
        console.print(Text(printable(sheet.remark), style="dim"))


def print_sheets(console: Console, sheets: Iterable[Sheet]) -> None:
    """Several tables, each after an empty line."""
    for sheet in sheets:
        console.print()
        print_sheet(console, sheet)


def _table(sheet: Sheet) -> Table:
    title = Text(printable(sheet.title)) if sheet.title else None
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(sheet.columns):
        is_text = not number or isinstance(column, Words)
        table.add_column(
            Text(printable(_title(column))),
            justify="left" if is_text else "right",
            no_wrap=not is_text,
            overflow="fold",
        )
    for row in sheet.rows:
        table.add_row(*map(_styled, row))
    return table


def _styled(cell: str | Cell) -> Text:
    """A cell may have several lines; each is made printable by itself."""
    lines = "\n".join(map(printable, _text(cell).split("\n")))
    return Text(lines, style="" if isinstance(cell, str) else STYLES[cell.tone])


# -- for a page -----------------------------------------------------------------------------------


def sheet_html(sheet: Sheet, level: int = 2) -> Markup:
    """A table with its title as a heading of this level; all texts are escaped."""
    rows = Markup("").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(
                Markup("<td{}>{}</td>").format(_class(column, number, cell), _lines(cell))
                for number, (column, cell) in enumerate(zip(sheet.columns, row, strict=True))
            )
        )
        for row in sheet.rows
    )
    columns = Markup("").join(
        Markup('<th scope="col"{}>{}</th>').format(_class(column, number), _title(column))
        for number, column in enumerate(sheet.columns)
    )
    table = Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>")
    shown = table.format(columns, rows) if sheet.rows else Markup("")
    remark = Markup('<p class="remark">{}</p>').format(sheet.remark) if sheet.remark else Markup("")
    title = (Markup("<h2>{}</h2>") if level == 2 else Markup("<h3>{}</h3>")).format(sheet.title)
    box_ = Markup('<div class="scroll" tabindex="0" role="region" aria-label="{}">{}</div>')
    boxed = box_.format(sheet.title, shown) if shown else Markup("")
    return Markup("<section>{}{}{}</section>").format(title, boxed, remark)


def _lines(cell: str | Cell) -> Markup:
    return Markup("<br>").join(_text(cell).split("\n"))


def _class(column: str | Words, number: int, cell: str | Cell = "") -> Markup:
    """The first column is text by the style sheet itself."""
    tone = "" if isinstance(cell, str) else cell.tone
    names = [
        *(["words"] if number and isinstance(column, Words) else []),
        *([tone] if tone else []),
    ]
    return Markup(' class="{}"').format(" ".join(names)) if names else Markup("")


# -- for Markdown ---------------------------------------------------------------------------------


def sheet_markdown(sheet: Sheet, level: int = 2) -> str:
    """A table as GitHub reads it, below a heading of this level where it has a title."""
    parts = [f"{'#' * level} {escaped(sheet.title)}"] if sheet.title else []
    if sheet.rows:
        rules = (
            "---" if not number or isinstance(column, Words) else "---:"
            for number, column in enumerate(sheet.columns)
        )
        lines = [
            _row(escaped(_title(column)) for column in sheet.columns),
            _row(rules),
            *(_row(escaped(_text(cell)) for cell in row) for row in sheet.rows),
        ]
        parts.append("\n".join(lines))
    if sheet.remark:
        parts.append(escaped(sheet.remark))
    return "\n\n".join(parts) + "\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def escaped(text: str) -> str:
    """A text that Markdown shows as it is, on one line."""
    lines = (printable(line).translate(_MARKDOWN) for line in text.split("\n"))
    return "<br>".join(lines)
