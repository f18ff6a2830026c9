"""Tables as data: the same for a terminal, a page and a report."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Sheet:
    """A table: a title, columns (the first is text, the others are numbers), rows, a remark."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remark: str = ""


def sheet_html(sheet: Sheet, level: int = 2) -> Markup:
    """A table with its title as a heading of this level; all texts are escaped."""
    cell, head = Markup("<td>{}</td>"), Markup('<th scope="col">{}</th>')
    rows = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(map(cell.format, row))) for row in sheet.rows
    )
    columns = Markup("").join(map(head.format, sheet.columns))
    table = Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>")
    shown = table.format(columns, rows) if sheet.rows else Markup("")
    remark = Markup('<p class="remark">{}</p>').format(sheet.remark) if sheet.remark else Markup("")
    title = (Markup("<h2>{}</h2>") if level == 2 else Markup("<h3>{}</h3>")).format(sheet.title)
    box = Markup('<div class="scroll" tabindex="0" role="region" aria-label="{}">{}</div>')
    boxed = box.format(sheet.title, shown) if shown else Markup("")
    return Markup("<section>{}{}{}</section>").format(title, boxed, remark)
