"""Make the pages and pictures that come from the code; ``--check`` only says what is stale."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from commands import commands_page
from defaults import defaults_page
from fields import fields_page
from gallery import gallery_page, gallery_pictures
from json_forms import json_page

from archcheck.diagrams import (
    Diagram,
    Overlay,
    canvas_of,
    laid_over,
    overlays,
    svg_of,
    view_of,
)
from archcheck.graph import Graph
from archcheck.loading import load
from archcheck.model import System
from archcheck.plugins import rules
from archcheck.proof import prove
from archcheck.reporting.charts import save_chart, simulation_chart
from archcheck.reporting.rules import rule_page, rules_index
from archcheck.reporting.vocabulary import vocabulary_pages
from archcheck.simulation import parse_fault, simulate

DOCS = Path(__file__).parent
ROOT = DOCS.parent


def pages() -> dict[Path, str]:
    """Every generated page."""
    made = {DOCS / "rules" / f"{rule.id}.md": rule_page(rule) for rule in rules()}
    made[DOCS / "gallery.md"] = gallery_page()
    made[DOCS / "commands.md"] = commands_page()
    made[DOCS / "json.md"] = json_page()
    made[DOCS / "decisions" / "README.md"] = decisions_page()
    made[DOCS / "simulation" / "fields.md"] = fields_page()
    made[DOCS / "simulation" / "defaults.md"] = defaults_page()
    made |= {DOCS / "vocabulary" / name: text for name, text in vocabulary_pages().items()}
    return {DOCS / "rules" / "README.md": rules_index(rules()), **made}


def decisions_page() -> str:
    """The decisions, each with its title."""
    pages = sorted(path for path in (DOCS / "decisions").glob("*.md") if path.stem != "README")
    rows = (f"- [{path.read_text().partition(chr(10))[0][2:]}]({path.name})\n" for path in pages)
    head = "# Decisions\nWhat a newcomer would question, and why we decided so, a page each.\n\n"
    return head + "".join(rows)


def pictures() -> dict[Path, str]:
    """The pictures of the README: a loaded example, and a real system."""
    (example,) = load(ROOT / "examples" / "checkout.py")
    (boutique,) = load(ROOT / "models" / "online_boutique")
    (broken,) = load(ROOT / "examples" / "broken_shop.py")
    busy = overlays.utilisation(simulate(example, example.scenarios[0]))
    refuted = overlays.counterexample(prove(Graph(broken)).refuted)
    return {
        DOCS / "images" / "broken_shop.svg": drawn(broken, refuted),
        DOCS / "images" / "checkout.svg": drawn(example, busy),
        DOCS / "images" / "online_boutique.svg": drawn(boutique),
        **dict(gallery_pictures()),
    }


def drawn(system: System, overlay: Overlay | None = None) -> str:
    """The containers, with an overlay."""
    canvas = canvas_of(system)
    view = view_of(canvas)
    if overlay is not None and isinstance(view, Diagram):
        view = laid_over(view, overlay)
    return svg_of(view, look=canvas.look)


def main() -> int:
    """Write what changed; with ``--check``, return 1 when a page is stale."""
    stale = [
        path for path, text in pages().items() if not path.exists() or path.read_text() != text
    ]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is stale; run make pages")
        return 1 if stale else 0
    for path, text in {**pages(), **pictures()}.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    chart()
    return 0


def chart() -> None:
    """The picture of docs/simulation/README.md: the shop when its ledger is slow for a while."""
    (shop,) = load(ROOT / "models" / "shop")
    faults = [parse_fault("ledger slow x40 from 20s to 40s")]
    scenario = replace(shop.scenario("evening"), faults=faults)
    save_chart(simulation_chart(simulate(shop, scenario)), DOCS / "images" / "shop_fault.svg")


if __name__ == "__main__":
    sys.exit(main())
