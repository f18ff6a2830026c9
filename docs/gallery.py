"""The gallery: every view of three real systems and of a generated one, and its page."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from archcheck.diagrams import (
    VIEWS,
    Diagram,
    canvas_of,
    difference_view,
    filtered,
    laid_over,
    overlays,
    readable,
    svg_of,
    view_of,
)
from archcheck.diagrams.look import Theme
from archcheck.editing import with_settings
from archcheck.simulation import simulate
from archcheck.verification import verify

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from drawings import OF, SYSTEMS, canvas, drawing  # noqa: E402  # the systems of the tests

IMAGES = ROOT / "docs" / "images" / "gallery"
TITLES = {
    "online_boutique": "Online Boutique",
    "shop": "The shop",
    "social_network": "The Social Network",
    "landscape": "A company of 300 services",
}
EXTRAS = {
    "shop-dark": ("The dark theme", "--theme dark"),
    "online_boutique-findings": (
        "The findings of Online Boutique on its containers",
        "--overlay findings",
    ),
    "shop-utilisation": ("Utilisation", "--simulate evening"),
    "shop-flow": ("Calls, queries and messages a second", "--overlay flow --simulate evening"),
    "shop-difference": ("What changed between two revisions", "--against old.json"),
    "landscape-inside": ("One group open", "--expand orders --near orders-0 --hops 2"),
}


def gallery_pictures() -> Iterator[tuple[Path, str]]:
    """File and SVG of each picture of the page."""
    for system in SYSTEMS:
        for kind in VIEWS:
            found = drawing(system, kind)
            yield IMAGES / f"{system}-{kind}.svg", svg_of(found, look=canvas(system).look)
    yield from ((IMAGES / f"{name}.svg", svg) for name, svg in _extras())


def _extras() -> Iterator[tuple[str, str]]:
    shop = canvas("shop").graph.system
    run = simulate(shop, shop.scenario("evening"))
    boutique = canvas("online_boutique").graph.system
    yield "shop-dark", _containers("shop", theme="dark")
    yield (
        "online_boutique-findings",
        _containers("online_boutique", overlays.findings(verify(boutique))),
    )
    yield "shop-utilisation", _containers("shop", overlays.utilisation(run))
    yield "shop-flow", _containers("shop", overlays.flow(run))
    changed = {"payments.replicas": "6", "orders->payments.timeout": "700ms"}
    newer = canvas_of(with_settings(shop, changed))
    yield "shop-difference", svg_of(difference_view(canvas("shop"), newer))
    whole = view_of(canvas("landscape"))
    if isinstance(whole, Diagram):
        opened = readable(whole, ["orders"])
        yield "landscape-inside", svg_of(filtered(opened, near="orders-0", hops=2))


def _containers(
    system: str, overlay: overlays.Overlay | None = None, theme: Theme = "light"
) -> str:
    found = drawing(system, "containers")
    if overlay is not None and isinstance(found, Diagram):
        found = laid_over(found, overlay)
    return svg_of(found, theme=theme, look=canvas(system).look)


def gallery_page() -> str:
    """The page in Markdown."""
    parts = [
        "# Gallery",
        "Every view of the three models in `models/` and of a generated company of 300 services, "
        "as `archcheck diagram` draws them. Views of more than 60 cards are collapsed by boundary; "
        "`--expand` opens one of them. All pictures are made by `make pages`.",
    ]
    for system in SYSTEMS:
        parts.append(f"## {TITLES[system]}")
        for kind, view in VIEWS.items():
            service, journey, element = OF[system]
            of = {"service": service, "journey": journey, "element": element}.get(view.of, "")
            named = f" --of {of}" if of else ""
            parts.append(f"**{kind}**: {view.shows} (`--view {kind}{named}`)")
            parts.append(f"![{kind} of {TITLES[system]}](images/gallery/{system}-{kind}.svg)")
    parts.append("## Overlays, themes, differences")
    for name, (title, options) in EXTRAS.items():
        parts.append(f"**{title}** (`{options}`)")
        parts.append(f"![{title}](images/gallery/{name}.svg)")
    return "\n\n".join(parts) + "\n"
