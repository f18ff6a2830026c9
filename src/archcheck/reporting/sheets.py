"""Tables as data, made once and rendered for a terminal, for HTML and for Markdown.

Texts are shown as they are in all three: neither Rich's markup nor HTML nor Markdown reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.padding import Padding
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
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$])")
_LEAST = 16
"""A column of text stays this wide in a narrow window: names broken at each sign are no names."""
_ANY = 10_000
_BAR = 10
"""Signs of a bar: one for each tenth."""


@dataclass(frozen=True)
class Cell:
    """A text with a tone; a plain string is one without.

    ``share``: a terminal draws it as a bar before the text. ``is_markdown``: the text is Markdown
    already, such as a rule's documentation, and is not escaped there.
    """

    text: str
    tone: Tone = ""
    share: float | None = None
    is_markdown: bool = False


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
        _print_rows(console, sheet)
    elif sheet.title:
        console.print(Text(printable(sheet.title), style="italic"))
    if sheet.remark:
        console.print(Text(printable(sheet.remark), style="dim"))


def _print_rows(console: Console, sheet: Sheet) -> None:
    """As a table; in a window that is too narrow for one, row by row with the headings."""
    table = _table(sheet)
    needed = Measurement.get(console, console.options.update(max_width=_ANY), table).minimum
    if needed <= console.width:
        console.print(table)
    elif not console.is_terminal:  # a file is as wide as it must be
        width, console.width = console.width, needed
        console.print(table)
        console.width = width
    else:
        if sheet.title:
            console.print(Text(printable(sheet.title), style="italic"))
        for first, *others in sheet.rows:
            console.print(Text(printable(_text(first)), style="bold"))
            pairs = zip(sheet.columns[1:], others, strict=True)
            told = (f"{_title(column)} {_text(cell)}" for column, cell in pairs if _text(cell))
            text = Text(", ".join(printable(each.replace("\n", " ")) for each in told))
            console.print(Padding(text, (0, 0, 0, 2)))


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
            min_width=_least(sheet, number, is_text=is_text),
        )
    for row in sheet.rows:
        table.add_row(*map(_styled, row))
    return table


def _least(sheet: Sheet, number: int, *, is_text: bool) -> int:
    """The width below which a column is not broken: numbers never are."""
    cells = [sheet.columns[number], *(row[number] for row in sheet.rows)]
    longest = max(map(_width, cells))
    return min(_LEAST, longest) if is_text else longest


def _width(cell: str | Cell | Words) -> int:
    if isinstance(cell, Words):
        return len(cell.title)
    bar = _BAR + 1 if isinstance(cell, Cell) and cell.share is not None else 0
    return bar + max(map(cell_len, _text(cell).split("\n")))


def _styled(cell: str | Cell) -> Text:
    """A cell may have several lines; each is made printable by itself."""
    lines = "\n".join(map(printable, _text(cell).split("\n")))
    if isinstance(cell, str):
        return Text(lines)
    style = STYLES[cell.tone]
    return Text(lines, style=style) if cell.share is None else _bar(cell.share, style, lines)


def _bar(share: float, style: str, text: str) -> Text:
    filled = min(_BAR, round(share * _BAR))
    return Text.assemble(
        ("\N{FULL BLOCK}" * filled, style),
        ("\N{LIGHT SHADE}" * (_BAR - filled), "dim"),
        f" {text:>6}",
    )


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
    parts = [f"{'#' * level} {markdown_text(sheet.title)}"] if sheet.title else []
    if sheet.rows:
        rules = (
            "---" if not number or isinstance(column, Words) else "---:"
            for number, column in enumerate(sheet.columns)
        )
        lines = [
            _row(markdown_text(_title(column)) for column in sheet.columns),
            f"|{'|'.join(rules)}|",
            *(_row(map(_markdown, row)) for row in sheet.rows),
        ]
        parts.append("\n".join(lines))
    if sheet.remark:
        parts.append(markdown_text(sheet.remark))
    return "\n\n".join(parts) + "\n"


def _row(cells: Iterable[str]) -> str:
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def _markdown(cell: str | Cell) -> str:
    if isinstance(cell, Cell) and cell.is_markdown:
        return cell.text
    return "<br>".join(map(markdown_text, _text(cell).split("\n")))


def markdown_text(text: str) -> str:
    """A text that Markdown and HTML leave as it is, on one line."""
    plain = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", plain).replace("@", "@&#8203;")
