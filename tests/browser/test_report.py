"""The report in a real browser: what people see, find, press and read with a screen reader."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.conftest import Opened
from depth import thorough
from landscape import landscape
from marketplace import marketplace
from playwright.sync_api import Page

from archcheck import (
    Call,
    Endpoint,
    Journey,
    Load,
    Poisson,
    PostgreSQL,
    Read,
    Scenario,
    Service,
    Slow,
    System,
    Work,
)
from archcheck.loading import load
from archcheck.reporting.report import carry_out, report_page
from archcheck.units import ms, s

pytestmark = thorough

ROOT = Path(__file__).parents[2]
SCRIPT = "<img src=x onerror='alert(1)'><script>alert(2)</script>"
NAMES = (
    SCRIPT,
    "\"quotes\" 'and' `more` & </script><!--",
    "x\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd",
    "w" * 200,
)


def hostile() -> System:
    """Names and descriptions that try to be markup, script, or too long."""
    services = [
        Service(
            name,
            boundary=name,
            owner=SCRIPT,
            tags=[SCRIPT],
            docs="javascript:alert(3)",
            description=SCRIPT + "y" * 10_000,
            endpoints=[Endpoint("get", steps=[Work(1 * ms), Read("db")])],
        )
        for name in NAMES
    ]
    calls = [Call(f"{service.name}.get", timeout=1 * s) for service in services]
    slow = Slow("db", factor=3, start=5 * s, end=10 * s)
    return System(
        "</title><script>alert(4)</script>",
        [
            Service("front", endpoints=[Endpoint("go", steps=calls)]),
            *services,
            PostgreSQL("db", belongs_to="front", read=1 * ms),
        ],
        journeys=[Journey("<b>visit</b>", "front.go", critical=True)],
        scenarios=[Scenario("all", load=[Load("<b>visit</b>", Poisson(20 / s))], faults=[slow])],
        description=SCRIPT + "z" * 10_000,
        revision=SCRIPT,
    )


def real(name: str) -> System:
    (system,) = load(ROOT / "models" / name)
    return system


SYSTEMS: dict[str, tuple[Callable[[], System], tuple[str, ...]]] = {
    "boutique": (lambda: real("online_boutique"), ("plan",)),
    "shop": (lambda: real("shop"), ("plan",)),
    "social": (lambda: real("social_network"), ("plan",)),
    "hostile": (hostile, ()),
    "landscape": (lambda: landscape(325), ("plan",)),
    "marketplace": (lambda: marketplace(7), ("plan", "simulation")),
    "large": (lambda: marketplace(25), ("plan", "simulation", "proofs")),
}


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("reports")

    def write(name: str) -> Path:
        path = folder / f"{name}.html"
        if not path.exists():
            make, without = SYSTEMS[name]
            path.write_text(report_page(carry_out(make(), without=without)), encoding="utf-8")
        return path

    return write


def on(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("opened", names, indirect=True)


def unfold(page: Page) -> None:
    """Open what each question opens to."""
    page.evaluate("document.querySelectorAll('.part').forEach(each => each.open = true)")


@on("boutique", "shop", "social", "hostile", "landscape")
def test_it_opens_without_a_network_and_without_a_complaint(opened: Opened) -> None:
    page = opened.page
    views = page.eval_on_selector_all("#view option", "all => all.map(each => each.value)")
    assert len(views) >= 5
    for view in views:
        page.select_option("#view", view)
        assert page.locator("#canvas svg .node").count() > 0
    unfold(page)
    for figure in page.locator(".chart").all():
        figure.scroll_into_view_if_needed()
        figure.locator("svg.marks, svg").first.wait_for()
    assert not opened.complaints
    assert [url for url in opened.requests if not url.startswith(("file:", "data:"))] == []


@on("boutique", "landscape", "hostile")
def test_every_element_is_found_by_search(opened: Opened) -> None:
    page = opened.page
    names = page.evaluate(
        "Object.keys(JSON.parse(document.getElementById('facts').textContent).elements)"
    )
    for name in names[:: max(1, len(names) // 40)]:
        page.fill("#search", name)
        page.keyboard.press("Enter")
        assert page.locator("#panel h3").inner_text().split() == name.split()
        assert page.evaluate("document.activeElement.closest('.node') !== null")
    assert not opened.complaints


@on("boutique", "hostile")
def test_every_finding_is_found_by_search(opened: Opened) -> None:
    page = opened.page
    findings = page.eval_on_selector_all(
        ".finding", "all => all.map(e => [e.id, e.querySelector('h4 + p').textContent])"
    )
    assert findings
    for target, text in findings:
        rule = str(page.locator(f"#{target} h4 a").text_content())
        page.fill("#search", f"{rule} {text}")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == target
        assert page.locator(f"#{target}").is_visible()


@on("boutique")
def test_the_diagram_works_by_keyboard_alone(opened: Opened) -> None:
    page = opened.page
    page.focus("#canvas .node[tabindex='0']")
    seen = []
    for _ in range(page.locator("#canvas .node").count()):
        page.keyboard.press("Enter")
        seen.append(page.locator("#panel h3").inner_text())
        page.keyboard.press("PageDown")
    elements = page.evaluate(
        "Object.keys(JSON.parse(document.getElementById('facts').textContent).elements)"
    )
    assert sorted(seen) == sorted(elements)
    before = page.get_attribute("#canvas svg", "viewBox")
    page.keyboard.press("+")
    assert page.get_attribute("#canvas svg", "viewBox") != before
    page.keyboard.press("0")
    assert page.get_attribute("#canvas svg", "viewBox") == before
    page.keyboard.press("Home")
    first = page.evaluate("document.activeElement.dataset.key")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.key") != first
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"


@on("boutique")
def test_a_click_shows_declaration_findings_and_figures(opened: Opened) -> None:
    page = opened.page
    page.click("#canvas .node[data-key=checkoutservice]")
    panel = page.locator("#panel").inner_text()
    assert "checkoutservice" in panel
    assert "models/online_boutique/" in panel
    assert "PlaceOrder" in panel
    assert "RES001" in panel
    page.click("#panel a[href^='#finding-']")
    assert page.evaluate("location.hash").startswith("#finding-")
    page.click("#panel .among button >> nth=0")
    assert page.locator("#panel h3").inner_text() != "checkoutservice"


@on("boutique")
def test_dragging_and_the_wheel_move_the_diagram(opened: Opened) -> None:
    page = opened.page
    page.locator("#canvas").scroll_into_view_if_needed()
    area = page.locator("#canvas").bounding_box()
    assert area
    x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] - 30
    before = page.get_attribute("#canvas svg", "viewBox")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 80, y - 40, steps=4)
    page.mouse.up()
    moved = page.get_attribute("#canvas svg", "viewBox")
    assert moved != before
    page.mouse.wheel(0, -300)
    page.wait_for_function(
        "old => document.querySelector('#canvas svg').getAttribute('viewBox') !== old", arg=moved
    )
    page.click("[data-zoom=fit]")
    assert page.get_attribute("#canvas svg", "viewBox") == before


@on("shop")
def test_an_overlay_and_the_slider_change_what_is_shown(opened: Opened) -> None:
    page = opened.page

    def shown() -> dict[str, str]:
        found: dict[str, str] = page.evaluate(
            "Object.fromEntries([...document.querySelectorAll('#canvas .node')].map(node => "
            "[node.dataset.key, node.querySelector('.badge')?.textContent || '']))"
        )
        return found

    assert set(shown().values()) == {""}
    page.select_option("#overlay", "utilisation")
    whole = shown()
    assert whole["orders"].endswith("% busy")
    assert "below 50% busy" in page.locator("#legend").inner_text()
    moments = []
    for value in ("5", "30", "60"):
        page.locator("#time").fill(value)
        moments.append((shown(), page.locator("#journeys").inner_text()))
        assert " s" in page.locator("#moment").inner_text()
    assert len({json.dumps(each) for each in moments}) == 3
    assert "checkout" in moments[0][1]
    page.locator("#time").fill("0")
    assert page.locator("#moment").inner_text() == "whole run"
    assert shown() == whole
    page.select_option("#overlay", "latency")
    assert shown()["orders"].startswith("p95 ")
    page.select_option("#overlay", "flow")
    widths = page.eval_on_selector_all(
        "#canvas .edge path", "all => all.map(e => +e.getAttribute('stroke-width'))"
    )
    assert max(widths) > 5
    assert "/s" in str(page.locator("#canvas .edge-label").first.text_content())
    page.select_option("#overlay", "")
    assert set(shown().values()) == {""}


@on("landscape")
def test_groups_of_a_large_system_open(opened: Opened) -> None:
    page = opened.page
    assert page.locator("#canvas .node").count() < 60
    page.click("#canvas .node[data-key='group orders']")
    page.click("text=Open this group")
    assert page.locator("#canvas .node[data-key='orders-0']").count() == 1
    page.select_option("#overlay", "utilisation")
    assert page.locator("#canvas .badge").count() > 0


@on("hostile")
def test_hostile_names_are_text(opened: Opened) -> None:
    page = opened.page
    for name in NAMES:
        page.fill("#search", name)
        page.keyboard.press("Enter")
        assert page.locator("#panel h3").inner_text().split() == name.split()
        assert page.locator("#panel a[href^=javascript]").count() == 0
    for overlay in ("findings", "utilisation", "queues"):
        page.select_option("#overlay", overlay)
    unfold(page)
    for figure in page.locator(".chart").all():
        figure.scroll_into_view_if_needed()
        figure.locator("svg").first.wait_for()
        marks = figure.locator("path[aria-roledescription], .mark-symbol path, .mark-rect path")
        if marks.count():
            marks.first.hover(force=True)
    assert page.locator("img").count() == 0
    assert page.evaluate("document.scripts.length") == 5
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
    assert not opened.complaints


@on("boutique")
def test_no_serious_accessibility_fault(opened: Opened) -> None:
    page = opened.page
    for theme in ("light", "dark"):
        page.select_option("#overlay", "utilisation")
        page.click("#canvas .node >> nth=2")
        page.fill("#search", "a")
        unfold(page)
        for figure in page.locator(".chart").all():
            figure.scroll_into_view_if_needed()
            figure.locator("svg").first.wait_for()
        page.evaluate(
            "document.querySelectorAll('details').forEach((each, i) => each.open = i < 12)"
        )
        found = Axe().run(page)
        grave = [
            (each["id"], each["help"], [node["html"][:160] for node in each["nodes"]][:3])
            for each in found.response["violations"]
            if each["impact"] in ("serious", "critical")
        ]
        assert grave == [], theme
        page.click("#theme")


@on("boutique")
def test_on_paper_there_are_no_controls(opened: Opened) -> None:
    page = opened.page
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert not page.locator(".controls").is_visible()
    assert page.locator("#canvas svg").is_visible()
    assert page.locator(".finding").first.is_visible()


@on("shop", "large")
def test_it_fits_a_narrow_screen(opened: Opened) -> None:
    page = opened.page
    for width in (390, 700):
        page.set_viewport_size({"width": width, "height": 900})
        unfold(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
        canvas = page.locator("#canvas").bounding_box()
        assert canvas
        assert canvas["height"] > 500
    page.click("#canvas .node >> nth=0")
    for part in ("#canvas", "#panel"):  # one above the other
        box = page.locator(part).bounding_box()
        assert box
        assert box["height"] > 200


@on("boutique", "marketplace", "large", "landscape")
def test_the_first_screen_has_the_answer_and_the_diagram(opened: Opened) -> None:
    """Whether it holds, what to do first, and the diagram as wide as the window."""
    page = opened.page
    for width, height in ((1280, 800), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.locator(".verdict").inner_text().startswith("It does not hold")
        actions = page.locator(".actions li")
        assert 1 <= actions.count() <= 5
        shown = page.locator("#canvas").bounding_box()
        assert shown
        for part in (
            page.locator(".verdict"),
            actions.last,
            page.locator(".limited, .answer").last,
        ):
            box = part.bounding_box()
            assert box
            assert box["y"] + box["height"] <= shown["y"]
        assert shown["width"] >= 0.96 * width
        assert shown["height"] >= 300
        assert shown["y"] + shown["height"] <= height
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")


@on("marketplace")
def test_names_can_be_read_on_the_first_screen(opened: Opened) -> None:
    page = opened.page
    page.set_viewport_size({"width": 1920, "height": 1080})
    title = page.locator("#canvas .node .t").first.bounding_box()
    assert title
    assert title["height"] >= 9
    page.fill("#search", "payments-db")  # an element that is folded into a group
    page.keyboard.press("Enter")
    assert page.locator("#view").input_value() == "containers of payments"
    assert page.locator("#canvas .node.chosen").count() == 1
    found = page.locator("#canvas .node.chosen .t").first.bounding_box()
    assert found
    assert found["height"] >= 9


@on("marketplace")
def test_an_element_says_whose_it_is_who_asks_it_and_what_its_loss_stops(opened: Opened) -> None:
    page = opened.page
    page.fill("#search", "payments-db")
    page.keyboard.press("Enter")
    panel = page.locator("#panel").inner_text()
    assert "team-payments" in panel
    assert "Asked by (1)\n\npayments-core" in panel
    assert "stops checkout" in panel
    page.click("#panel >> text=Show it")
    lost = page.locator("#canvas .node[data-key=payments-db] .badge").text_content()
    assert lost == "lost"
    assert page.locator("#canvas .node[data-key=payments-core] .badge").text_content() == "fails"
    assert "fails without payments-db" in page.locator("#legend").inner_text()
    page.keyboard.press("Escape")
    assert not page.locator("#panel").is_visible()
    assert page.locator("#canvas .badge").count() == 0


@on("marketplace")
def test_views_elements_and_findings_have_addresses_and_the_back_button_works(
    opened: Opened,
) -> None:
    page = opened.page
    page.select_option("#view", "data")
    page.click("#canvas .node[data-key=cart-db]")
    assert page.evaluate("location.hash") == "#view=data&element=cart-db"
    page.click(".actions a >> nth=0")
    assert page.evaluate("location.hash").startswith("#finding-")
    assert page.locator(page.evaluate("location.hash")).is_visible()
    page.go_back()
    assert page.locator("#view").input_value() == "data"
    assert page.locator("#panel h3").inner_text() == "cart-db"
    page.go_back()
    assert not page.locator("#panel").is_visible()
    page.go_back()
    assert page.locator("#view").input_value() == "containers"
    address = page.url.partition("#")[0]
    page.goto("about:blank")
    page.goto(f"{address}#element=orders-api")
    page.wait_for_selector("html[data-ready=yes]")
    assert page.locator("#panel h3").inner_text() == "orders-api"
    finding = str(page.locator(".finding").first.get_attribute("id"))
    page.goto("about:blank")
    page.goto(f"{address}#{finding}")
    page.wait_for_selector("html[data-ready=yes]")
    assert page.locator(f"#{finding}").is_visible()
    unfold(page)
    page.click("#elements a >> text=stock-db >> nth=0")
    assert page.locator("#panel h3").inner_text() == "stock-db"
    assert not opened.complaints


@on("marketplace")
def test_the_diagram_drills_from_the_context_to_the_endpoints_of_a_service(opened: Opened) -> None:
    page = opened.page

    def crumbs() -> list[str]:
        return page.locator("#crumbs li").all_inner_texts()

    page.select_option("#view", "context")
    page.click("#canvas .node[data-key=marketplace-7]")
    page.click("text=Open its containers")
    assert crumbs() == ["context", "containers"]
    page.click("#canvas .node[data-key='group orders']")
    page.click("text=Open this group")
    page.click("#canvas .node[data-key=orders-core]")
    page.click("#panel >> text=Its endpoints")
    assert crumbs() == ["context", "containers", "inside orders", "endpoints of orders-core"]
    assert page.locator("#canvas .node[data-key='orders-core.save']").count() == 1
    page.click("#crumbs >> text=inside orders")
    assert page.locator("#view").input_value() == "containers of orders"
    page.click("#canvas .node[data-key=orders-jobs]")
    page.click("#panel >> text=Only its neighbours")
    near = page.locator("#canvas .node:not(.far)").count()
    assert 0 < near < page.locator("#canvas .node").count()
    page.keyboard.press("Escape")
    assert page.locator("#canvas .far").count() == 0


@on("marketplace")
def test_a_journey_is_played_step_by_step_and_a_picture_says_what_is_folded(opened: Opened) -> None:
    page = opened.page
    assert not page.locator("#play").is_visible()
    page.select_option("#view", "sequence checkout")
    assert "22 messages and 22 participants folded" in page.locator("#remark").inner_text()
    page.select_option("#view", "journey checkout")
    page.focus("#play")
    page.keyboard.press("Enter")
    assert page.locator("#play").inner_text() == "Stop (1)"
    assert page.locator("#canvas .edge.now").get_attribute("data-source") == "shopper"
    page.locator("#play", has_text="Stop (2)").wait_for()
    assert page.locator("#canvas .edge.now").get_attribute("data-target") == "cart-api"
    page.keyboard.press("Enter")
    assert page.locator("#play").inner_text() == "Play"
    assert page.locator("#canvas .edge.now").count() == 0


@on("marketplace", "large")
def test_printed_it_is_a_document_and_not_a_book(opened: Opened) -> None:
    """What is folded on the screen is printed, but for what each finding opens to."""
    opened.page.emulate_media(media="print")
    assert opened.page.locator(".finding.error").first.is_visible()
    pages = len(re.findall(rb"/Type\s*/Page\b", opened.page.pdf(format="A4")))
    assert 4 <= pages <= 25


@pytest.mark.parametrize("name", ["boutique", "landscape", "hostile"])
def test_the_file_is_small(name: str, reports: Callable[[str], Path]) -> None:
    path = reports(name)
    assert path.stat().st_size < 3_000_000
