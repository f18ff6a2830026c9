"""Make the pages and pictures that come from the code; ``--check`` only says what is stale."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from archcheck.diagrams import container_view, to_svg
from archcheck.graph import Graph
from archcheck.loading import load
from archcheck.model import System
from archcheck.plugins import rules
from archcheck.proof import marked, prove
from archcheck.reporting.rules import rule_page, rules_index
from archcheck.reporting.simulation import draw_charts
from archcheck.simulation import parse_fault, simulate

DOCS = Path(__file__).parent
ROOT = DOCS.parent


def pages() -> dict[Path, str]:
    """Every generated page."""
    made = {DOCS / "rules" / f"{rule.id}.md": rule_page(rule) for rule in rules()}
    return {DOCS / "rules" / "README.md": rules_index(rules()), **made}


def pictures() -> dict[Path, str]:
    """The pictures of the README: a loaded example, and a real system."""
    (example,) = load(ROOT / "examples" / "checkout.py")
    (boutique,) = load(ROOT / "models" / "online_boutique")
    result = simulate(example, example.scenarios[0])
    busy = {resource.name: resource.utilisation for resource in result.resources}
    (broken,) = load(ROOT / "examples" / "broken_shop.py")
    return {
        DOCS / "images" / "broken_shop.svg": to_svg(container_view(broken, marks=marks_of(broken))),
        DOCS / "images" / "checkout.svg": to_svg(container_view(example, busy)),
        DOCS / "images" / "online_boutique.svg": to_svg(container_view(boutique)),
    }


def marks_of(system: System) -> dict[str, str]:
    """What the counterexamples of all questions do to each element."""
    asked = prove(Graph(system))
    return marked(refuted for part in asked for refuted in part.refuted)


def main() -> int:
    """Write what changed; with ``--check``, return 1 when a page is stale."""
    stale = [
        path for path, text in pages().items() if not path.exists() or path.read_text() != text
    ]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is stale; run make docs")
        return 1 if stale else 0
    for path, text in {**pages(), **pictures()}.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    chart()
    return 0


def chart() -> None:
    """The picture of docs/simulation.md: the shop when its ledger is slow for a while."""
    (shop,) = load(ROOT / "models" / "shop")
    faults = [parse_fault("ledger slow x40 from 20s to 40s")]
    scenario = replace(shop.scenario("evening"), faults=faults)
    draw_charts(simulate(shop, scenario), str(DOCS / "images" / "shop_fault.svg"))


if __name__ == "__main__":
    sys.exit(main())
