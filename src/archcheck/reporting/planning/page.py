"""A capacity plan as one HTML page without anything to load."""

from __future__ import annotations

from html import escape

from archcheck.planning import CapacityPlan
from archcheck.reporting.charts import capacity_chart, chart_svg
from archcheck.reporting.planning.tables import headline, sheets, verdicts
from archcheck.reporting.sheets import sheet_html

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #8884; }
th, td { text-align: right; white-space: nowrap; }
th:first-child, td:first-child, .words { text-align: left; }
td.bad, td.strong { font-weight: bold; }
li.met::before { content: "\\2713  "; color: #2a7d2a; }
li.missed::before { content: "!  "; color: #c62828; }
li.open::before { content: "?  "; }
ul { list-style: none; padding: 0; } .remark { opacity: .75; }
figure { margin: 1rem 0; background: #fff; } figure svg { max-width: 100%; height: auto; }
"""


def plan_page(plan: CapacityPlan) -> str:
    """The page."""
    answers = "".join(
        f'<li class="{state}">{escape(sentence)}</li>' for state, sentence in verdicts(plan)
    )
    svg = chart_svg(capacity_chart(plan))
    tables = "".join(sheet_html(sheet) for sheet in sheets(plan))
    assumed = "".join(
        f"<li>{escape(f'{each.subject} {each.attribute} = {each.value} ({each.reason})')}</li>"
        for each in plan.assumptions
    )
    title = escape(f"Capacity of {plan.system.name}")
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>{title}</h1>"
        f"<p>{escape(headline(plan))}</p><ul>{answers}</ul>"
        f'<figure role="img" aria-label="Capacity curve">{svg[svg.index("<svg") :]}</figure>'
        f"{tables}<details><summary>{len(plan.assumptions)} values were assumed</summary>"
        f"<ul>{assumed}</ul></details></main></body></html>\n"
    )
