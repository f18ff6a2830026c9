"""The documentation as a site: complete, read without a network, and strict about its links."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urldefrag

import pytest
from axe_playwright_python.sync_playwright import Axe
from depth import thorough
from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
HERE = ("http:", "https:", "//")
"""How addresses begin that are elsewhere."""


def build(source: Path, target: Path, *more: str) -> subprocess.CompletedProcess[str]:
    words = ["-q", "-W", "-j", "auto", "-d", target / "trees", "-c", ROOT / "docs", *more]
    return subprocess.run(
        [sys.executable, "-m", "sphinx", *map(str, words), str(source), str(target / "site")],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("documentation")
    done = build(ROOT, target)
    assert done.returncode == 0, done.stderr
    return target / "site"


class Links(HTMLParser):
    """Where a page leads, what it loads, and its anchors."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.leads: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors.add(found.get("id", ""))
        if tag == "a" and "href" in found:
            self.leads.append(found["href"])
        elif tag in ("link", "script", "img"):
            self.loads.append(found.get("src") or found.get("href") or "")


@thorough
def test_every_page_is_reached_from_the_start_and_every_link_leads_somewhere(site: Path) -> None:
    pages = {path.resolve(): Links(path) for path in site.rglob("*.html")}
    generated = {site / name for name in ("genindex.html", "search.html")}
    reached, todo = set(generated), [(site / "index.html").resolve()]
    while todo:
        page = todo.pop()
        reached.add(page)
        for address in pages[page].leads:
            if address.startswith((*HERE, "mailto:")):
                continue
            path, anchor = urldefrag(unquote(address))
            linked = (page.parent / path).resolve() if path else page
            assert linked.exists(), f"{page.name}: {address}"
            if linked in pages:
                assert not anchor or anchor in pages[linked].anchors, f"{page.name}: {address}"
                todo += [linked] if linked not in reached else []
                reached.add(linked)
    assert pages.keys() <= reached


@thorough
def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert not [each for each in Links(page).loads if each.startswith(HERE)], page.name
    for style in site.rglob("*.css"):
        assert "url(http" not in style.read_text()
        assert "@import" not in style.read_text()


@thorough
@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("gate a merge", "Gate a merge"),
        ("bottleneck", "Find the bottleneck"),
        ("RES002", "RES002 timeout-inversion"),
        ("CircuitBreaker", "CircuitBreaker"),
        ("phase-map", "Commands"),
    ],
)
def test_the_search_finds_a_page_in_a_file_without_a_server(
    words: str, page: str, site: Path, browser: Browser
) -> None:
    opened = browser.new_page()
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto((site / "index.html").as_uri())
    opened.wait_for_url("**/docs/README.html")
    opened.fill("input[name=q]", words)
    opened.press("input[name=q]", "Enter")
    opened.wait_for_selector("#search-results li")
    opened.wait_for_function(
        "document.querySelector('#search-results').innerText.includes('found')"
    )
    found = opened.locator("#search-results li").all_inner_texts()
    opened.close()
    assert page in [text.partition("\n")[0].strip() for text in found[:5]], found[:8]
    assert all(url.startswith(("file:", "data:")) for url in asked)


@thorough
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_fit_a_screen_and_can_be_read_with_a_screen_reader(
    width: int, site: Path, browser: Browser
) -> None:
    schemes: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
    for scheme in schemes:
        opened = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
        for name in ("README", "rules/RES002", "vocabulary/Call", "how-to/gate-a-merge", "json"):
            opened.goto((site / "docs" / f"{name}.html").as_uri())
            assert opened.evaluate("document.documentElement.scrollWidth") <= width, name
            grave = [
                (each["id"], [node["html"][:160] for node in each["nodes"]][:3])
                for each in Axe().run(opened).response["violations"]
                if each["impact"] in ("serious", "critical")
            ]
            assert grave == [], f"{name}, {scheme}"
        opened.close()


@pytest.mark.parametrize("link", ["[a page](missing.md)", "[a heading](page.md#missing)"])
def test_a_dead_link_fails_the_build(link: str, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text(f"# A page\n{link}\n")
    done = build(tmp_path, tmp_path / "out", "-D", "root_doc=docs/page")
    assert done.returncode != 0
    assert "missing" in done.stderr
