"""Pictures and the report: how long they take to draw, and to open in a browser.

The browser's own clock says when a page is ready: from the start of the navigation until the
diagram can be used. An empty page in the same browser and run is the base.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from archcheck.diagrams import canvas_of, svg_of, view_of
from archcheck.loading import load
from archcheck.model import System
from archcheck.reporting.report import carry_out, report_page

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from landscape import landscape  # noqa: E402  # the generated company of the tests

ROUNDS = 5
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def opened(browser: Browser, path: Path, ready: str) -> float:
    """The median of the seconds until ``ready`` matches an element of the page."""
    found = []
    for _ in range(ROUNDS):
        page = browser.new_page(viewport={"width": 1400, "height": 950})
        page.goto(path.as_uri(), wait_until="commit")
        page.wait_for_selector(ready, state="attached")
        found.append(page.evaluate("performance.now()") / 1000)
        page.close()
    return statistics.median(found)


def drawing() -> None:
    """SVG of growing systems, flat, nothing collapsed."""
    for services in (50, 100, 300):
        system = landscape(services)
        start = time.perf_counter()
        view = view_of(canvas_of(system))
        size = len(svg_of(view))
        seconds = time.perf_counter() - start
        count = len(getattr(view, "cards", ()))
        print(f"SVG of {count} elements: {seconds:.2f} s, {size / 1e6:.2f} MB")


def reports(browser: Browser, folder: Path) -> None:
    """The reports of a small and of a large system."""
    empty = folder / "empty.html"
    empty.write_text("<!DOCTYPE html><title>empty</title>")
    base = opened(browser, empty, "title")
    print(f"empty page: {base:.3f} s")
    (boutique,) = load(ROOT / "models" / "online_boutique")
    cases: list[tuple[System, tuple[str, ...], float]] = [
        (boutique, (), 1.0),
        (landscape(325), ("plan",), 3.0),
    ]
    for system, without, target in cases:
        path = folder / f"{system.name}.html"
        path.write_text(report_page(carry_out(system, without=without)))
        seconds = opened(browser, path, "html[data-ready=yes]")
        print(
            f"report of {system.name}: opens in {seconds:.2f} s (target {target:g}), "
            f"{seconds / base:.0f} times an empty page, "
            f"{path.stat().st_size / 1e6:.2f} MB (target 3)"
        )


def main() -> None:
    """Draw, then open."""
    drawing()
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("opening a report needs chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        reports(browser, Path(folder))
        browser.close()


if __name__ == "__main__":
    main()
