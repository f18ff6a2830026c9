"""The picture of the report in the README: made in a headless Chromium, where there is one."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from archcheck.loading import load
from archcheck.reporting.report import carry_out, report_page

ROOT = Path(__file__).parent.parent


def main(browser: str) -> None:
    """Open the report of the shop, and colour its diagram by load."""
    (shop,) = load(ROOT / "models" / "shop")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder) / "shop.html"
        scenario = shop.scenario("sale")
        page_file.write_text(report_page(carry_out(shop, scenario, without=["plan"])))
        launched = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = launched.new_page(viewport={"width": 1360, "height": 900})
        page.goto(page_file.as_uri())
        page.wait_for_selector("html[data-ready=yes]")
        page.select_option("#overlay", "utilisation")
        page.screenshot(path=ROOT / "docs" / "images" / "report.png")
        launched.close()


if __name__ == "__main__":
    found = shutil.which("chromium")
    if found is None:
        sys.exit("the picture of the report needs chromium")
    main(found)
