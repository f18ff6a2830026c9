"""The report's page: a template, a style sheet and one script, filled with a review.

A content security policy lets nothing but the page's own scripts run and nothing be loaded. Texts
of the model are escaped by the template, or travel as data that the script only ever shows as text.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from html import unescape
from importlib.resources import files
from itertools import islice
from typing import Any

from archcheck.diagrams.formats.picture import SHOWN
from archcheck.diagrams.formats.primitives import Icons
from archcheck.diagrams.formats.stylesheet import colour_names, rules
from archcheck.diagrams.look import PALETTES, Theme
from archcheck.diagrams.text_width import font_faces
from archcheck.findings import Finding, Rule
from archcheck.reporting.charts import theme_of
from archcheck.reporting.objectives import objectives_sheet
from archcheck.reporting.report import sections
from archcheck.reporting.report.answers import first_steps, journey_verdicts, verdict
from archcheck.reporting.report.drawings import PagePicture, pictures
from archcheck.reporting.report.elements import deployed, kept, owned
from archcheck.reporting.report.facts import facts
from archcheck.reporting.report.losses import Lost, losses
from archcheck.reporting.report.questions import answered, on_load
from archcheck.reporting.report.review import Review
from archcheck.reporting.rules import rule_summary
from archcheck.reporting.sheets import sheet_html
from archcheck.reporting.simulation import comparison_headline, comparison_sheets
from archcheck.reporting.simulation.tables import failures_sheet

_LETTERS = "".join(map(chr, range(0x20, 0x7F))) + "\u00d7\u00b7\u2192\u2026\u00b1"
_SHOWN_DEPLOYED = 150
"""Rows of the table of deployments, as above: the deployment view has all of them."""
_SCRIPTS = ("zoom.js", "diagram.js", "page.js")
"""One script in three files: each uses what those before it define."""
_SHOWN_LOSSES = 100
"""Rows of the table of losses, the gravest first. A choice that bounds the size of the file: the
panel of each element says what its own loss does."""


def report_page(review: Review) -> str:
    """The whole page as HTML."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    icons = Icons()
    drawn = [*pictures(review.canvas, icons)]
    found = sections.ranked(review.verification.findings)
    lost = losses(review.canvas.graph)
    charts = sections.charts(review)
    script = "".join(map(_own, _SCRIPTS))
    library = vega() if charts else ""
    shown = unescape("".join("".join(SHOWN.findall(picture.svg)) for picture in drawn))
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(
        sheet=sheet_html,
        objectives_sheet=objectives_sheet,
        failures_sheet=failures_sheet,
        sections=sections,
    )
    return environment.from_string(_own("page.html")).render(
        _told(review, found, lost),
        policy=_policy(script, library),
        heading=review.canvas.heading("review"),
        system=review.system,
        style=Markup(_style("".join(sorted({*shown, *_LETTERS})))),
        symbols=Markup(icons.symbols()),
        pictures=[(picture, Markup(picture.svg)) for picture in drawn],
        view_groups=_by_group(drawn),
        review=review,
        repair=sections.repair_of(review),
        comparison_headline=comparison_headline,
        comparison_sheets=comparison_sheets,
        rule_pages=[
            (outcome, Markup(rule_html(outcome.rule))) for outcome in review.verification.outcomes
        ],
        charts={name: title for name, (title, _) in charts.items()},
        facts=_data(facts(review, drawn, found, lost)),
        specs=_data({name: spec for name, (_, spec) in charts.items()}),
        themes=_data({theme: theme_of(theme) for theme in PALETTES}),
        library=Markup(library),
        script=Markup(script),
    )


def _by_group(drawn: Sequence[PagePicture]) -> dict[str, list[PagePicture]]:
    """The views as the page lists them: groups in the order of their first view."""
    found: dict[str, list[PagePicture]] = {}
    for picture in drawn:
        found.setdefault(picture.group, []).append(picture)
    return found


def _told(review: Review, found: Sequence[Finding], lost: Sequence[Lost]) -> dict[str, Any]:
    """What the page says in words and tables, from the first screen downwards."""
    grave = [each for each in lost if each.is_zone or each.stops or each.degrades]
    return {
        "verdict": verdict(review),
        "journeys": journey_verdicts(review),
        "limited": on_load(review),
        "steps": first_steps(review, found),
        "answers": [
            *answered(
                review,
                [*sections.shown_findings(found)],
                [*sections.shown_proofs(review)],
                lost,
            )
        ],
        "owned": owned(review),
        "losses": grave[:_SHOWN_LOSSES],
        "not_listed": len(lost) - len(grave[:_SHOWN_LOSSES]),
        "zones": sum(each.is_zone for each in lost),
        "kept": [*kept(review)],
        "deployed": [*islice(deployed(review), _SHOWN_DEPLOYED)],
        "figures": [*sections.figures(review)],
        "plan": sections.plan_parts(review),
        "variants": review.variants,
        "assumptions": sections.assumptions(review),
        "assumed": sum(len(each.subjects) for each in sections.assumptions(review)),
    }


def _own(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def vega() -> str:
    """The JavaScript of Vega-Lite, which the wheel of vl-convert hands out."""
    import vl_convert

    bundle = str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))
    return bundle.replace("</script", "<\\/script")


def _data(value: Any) -> Any:
    """JSON that cannot end the element that it stands in."""
    from markupsafe import Markup

    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _policy(*scripts: str) -> str:
    """Only these scripts run; pictures and fonts are data; nothing is loaded."""
    digests = (hashlib.sha256(text.encode()).digest() for text in scripts if text)
    allowed = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "font-src data:; base-uri 'none'; form-action 'none'"
    )


def _style(signs: str) -> str:
    """The page's style sheet, the diagrams' in variables, both themes, and the font."""
    names = colour_names(PALETTES["light"])
    variables = {theme: _variables(theme) for theme in PALETTES}
    return (
        font_faces(signs)
        + f":root{{color-scheme:light;{variables['light']}}}"
        + f":root[data-theme=dark]{{color-scheme:dark;{variables['dark']}}}"
        + rules(lambda name: f"var(--{name})" if name in names else name)
        + _own("page.css")
    )


def _variables(theme: Theme) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in colour_names(PALETTES[theme]).items())


def rule_html(rule: Rule) -> str:
    """A rule's page as HTML, without its examples; its headings are below those of the report."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(rule_summary(rule).partition("\n\n")[2])
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
    return str(reader.renderer.render(tokens, reader.options, {}))
