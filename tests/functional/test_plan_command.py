"""``archcheck plan``, ``compare``, ``chaos``, ``phase-map``, ``availability``."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from commands import archcheck
from depth import thorough

from archcheck.planning import CapacityPlan, plan_capacity
from archcheck.planning.planning import Progress
from archcheck.simulation.engines import fast

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "models" / "shop"
BOUTIQUE = ROOT / "models" / "online_boutique"
compiled = pytest.mark.skipif(not fast.is_compiled(), reason="the engine is not compiled")

pytestmark = compiled


def run(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    done = archcheck(*arguments, cwd=cwd)
    assert "Traceback" not in done.stderr
    return done


# -- plan -------------------------------------------------------------------------------------


def test_plan_of_a_real_system(tmp_path: Path) -> None:
    chart = tmp_path / "plan.png"
    done = run("plan", BOUTIQUE, "--target", "x10", "--chart", chart, "--budget", "5min")
    assert done.returncode == 0, done.stderr
    text = done.stdout
    assert re.search(r"sustainable load: x4\.9\d* \(4\.\d+ to 4\.\d+ by simulation\)", text)
    assert "load of frontend cores at most 98%" in text
    assert re.search(r"frontend +replicas +1 +3 ", text)
    for title in ("what breaks first", "capacity curve", "what to measure", "cost of journeys"):
        assert title in text
    assert "knee at x" in text
    assert "…" not in text  # nothing is cut in a pipe
    assert chart.read_bytes().startswith(b"\x89PNG")


@thorough
def test_plan_as_json() -> None:
    options = ["--growth", "8%", "--target", "150%", "--budget", "5min"]
    done = run("plan", SHOP, "--format", "json", *options)
    data = json.loads(done.stdout)
    assert data["format"] == "archcheck.plan/2"
    assert data["complete"]
    assert data["sizing"]["factor"] == 1.5
    found = data["sustained"]
    assert found["low"] <= found["factor"] <= found["high"]
    assert data["headroom"]["low"] <= data["headroom"]["months"] <= data["headroom"]["high"]
    for compared in data["analytic_and_simulated"]:
        assert abs(compared["gap"]) < 0.1


class Page(HTMLParser):
    """What a page would load from elsewhere, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "iframe", "img"):
            self.loads.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_plan_as_a_page(tmp_path: Path) -> None:
    model = tmp_path / "odd.py"
    model.write_text(
        "from archcheck import *\nfrom archcheck.units import ms, s\n"
        "a = Service('a', runtime=SpringBoot(threads=4), deployment=Docker(replicas=1),\n"
        "            endpoints=[Endpoint('run', steps=[Work(5 * ms)])])\n"
        "go = Journey('<b>go</b>', 'a.run')\n"
        "system = System('odd <i>', [a], journeys=[go],\n"
        "    scenarios=[Scenario('peak', load=[Load(go, Poisson(50 / s))])])\n"
    )
    page = tmp_path / "plan.html"
    done = run("plan", model, "--format", "html", "-o", page)
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    parsed = Page()
    parsed.feed(text)
    assert parsed.loads == []
    assert "<b>go</b>" in parsed.text
    assert "<b>" not in text
    assert "<svg" in text


@thorough
def test_an_unreachable_target_names_the_element() -> None:
    done = run("plan", SHOP, "--target", "x20")
    assert done.returncode == 1
    assert "x20 cannot be reached by sizes" in done.stdout
    assert "the rate limit of edge.browse (5000/s)" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--target", "twice"], "is no factor; write one such as x2"),
        (["--target", "x0"], "must be above 0"),
        (["--growth", "5"], "a growth of 500% a month cannot be planned with"),
        (["--growth=-200%"], "cannot be planned with"),
        (["--max-utilisation", "100%"], "between 0% and 100%"),
        (["--scenario", "nothing"], "has no scenario 'nothing'"),
        (["--chart", "x.gif"], "use a name that ends in .svg, .png or .pdf"),
    ],
)
def test_wrong_options_of_plan(arguments: list[str], says: str) -> None:
    done = run("plan", SHOP, *arguments)
    assert done.returncode == 2
    assert says in done.stderr


def test_after_ctrl_c_the_plan_says_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signal comes with the first word of progress: early, and never after the end."""

    def interrupted(*arguments: Any, progress: Progress, **options: Any) -> CapacityPlan:
        pressed = []

        def first(what: str, done: float) -> None:
            if not pressed:
                pressed.append(what)
                signal.raise_signal(signal.SIGINT)
            progress(what, done)

        return plan_capacity(*arguments, progress=first, **options)

    monkeypatch.setattr("archcheck.cli.plan.plan_capacity", interrupted)
    done = archcheck("plan", SHOP, "--confirm-alone")
    assert done.returncode == 1
    assert "sustainable load" in done.stdout
    assert "STOPPED before the end" in done.stdout
    assert "Traceback" not in done.stderr


# -- what if ----------------------------------------------------------------------------------


def test_variants_side_by_side() -> None:
    done = run(
        "compare", SHOP, "--duration", "5s",
        "--set", "payments.replicas=2,6", "--set", "orders->payments.timeout=150ms",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert " C   payments.replicas=6, orders->payments.timeout=150ms" in done.stdout
    assert "pp*" in done.stdout  # a timeout as short as that loses orders for certain
    assert "…" not in done.stdout


def test_variants_as_json() -> None:
    done = run("compare", SHOP, "--duration", "2s", "--set", "load=x2", "--format", "json")
    data = json.loads(done.stdout)
    base, other = data["variants"]
    assert base["name"] == "as declared"
    pairs = {(each["journey"], each["metric"]): each for each in other["compared"]}
    assert pairs["browse", "throughput"]["difference"]["value"] > 250
    assert pairs["browse", "throughput"]["certain"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["compare", SHOP], "Missing option '--set'"),
        (["compare", SHOP, "--set", "paymnts.replicas=2"], "did you mean 'payments'"),
        (["compare", SHOP, "--set", "payments.replicas=2", "--trace", "x"], "'--trace'"),
        (["compare", SHOP, "--set", "payments.replicas=2", "--precision", "1%"], "'--precision'"),
        (
            ["compare", SHOP, "--set", "payments.replicas=2", "--replications", "1"],
            "at least 2 rep",
        ),
        (["chaos", SHOP, "--set", "a.b=1"], "'--set'"),
        (["chaos", SHOP, "--fault", "load x2"], "'--fault'"),
        (["chaos", SHOP, "--chart", "x.doc"], "cannot draw 'x.doc'"),
        (["phase-map"], "Missing argument 'TRIGGER'"),
        (["phase-map", "payments breaks", SHOP], "has no size"),
        (["phase-map", "paymnts slow", SHOP], "did you mean 'payments'"),
    ],
)
def test_wrong_options_are_one_sentence(arguments: list[str], says: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert says in done.stderr


# -- under fault ------------------------------------------------------------------------------


@thorough
def test_chaos(tmp_path: Path) -> None:
    chart = tmp_path / "chaos.svg"
    done = run("chaos", SHOP, "--chart", chart)
    assert done.returncode == 0, done.stderr
    assert "zone-a lost" in done.stdout
    assert "of 30 days" in done.stdout
    assert "zone-a lost" in chart.read_text()


RETRIES = """
from archcheck import *
from archcheck.units import ms, s

db = Service(
    "db",
    runtime=CustomRuntime(concurrency="blocking", threads=30, accept_queue=20_000),
    deployment=Docker(replicas=1),
    endpoints=[Endpoint("query", steps=[Work(Constant(100 * ms))], idempotent=True)],
)
again = Retry(attempts=2, backoff=10 * ms)
app = Service(
    "app",
    runtime=CustomRuntime(concurrency="lightweight", parallelism=64),
    deployment=Docker(replicas=1),
    endpoints=[Endpoint("page", steps=[Call("db.query", timeout=1 * s, retry=again)])],
)
visit = Journey("visit", "app.page")
system = System(
    "storm", [db, app], journeys=[visit],
    scenarios=[Scenario("evening", load=[Load(visit, Poisson(200 / s))])],
)
"""


@thorough
def test_a_system_that_stays_broken(tmp_path: Path) -> None:
    model = tmp_path / "storm.py"
    model.write_text(RETRIES)
    done = run("chaos", model)
    assert done.returncode == 1
    assert "stays broken: after load x3, 0% of the good answers" in done.stdout
    data = json.loads(run("chaos", model, "--format", "json").stdout)
    assert [each["verdict"] for each in data["triggers"]].count("stuck") >= 2
    chart = tmp_path / "map.png"
    done = run("phase-map", "db slow", model, "--chart", chart)
    assert done.returncode == 0, done.stderr
    assert "vulnerable" in done.stdout
    assert "escape at x" in done.stdout
    assert chart.stat().st_size > 5_000
    found = json.loads(run("phase-map", "db fails", model, "--format", "json").stdout)
    assert {phase for row in found["rows"] for phase in row["phases"]} == {"stable", "overloaded"}


# -- availability -----------------------------------------------------------------------------


def test_availability() -> None:
    done = run("availability", SHOP, "--zone-availability", "99.9%")
    assert done.returncode == 0, done.stderr
    assert "checkout" in done.stdout
    data = json.loads(run("availability", SHOP, "--format", "json").stdout)
    assert all(each["agrees"] for each in data["availability"])
    assert data["availability"][0]["promised"] == pytest.approx(0.999)


def test_what_is_unknown_is_counted_and_listed_on_demand() -> None:
    network = ROOT / "models" / "social_network"
    short, long = run("availability", network), run("availability", network, "-v")
    assert "25 endpoints more: unknown; -v lists them" in short.stdout
    assert re.search(r"deployment.availability of .* and \d+ more$", short.stdout, re.MULTILINE)
    assert "more" not in long.stdout
    assert "nginx-thrift.compose" in long.stdout
    assert "nginx-thrift.compose" not in short.stdout


def test_availability_from_the_call_graph_alone() -> None:
    network = ROOT / "models" / "social_network"
    done = run("availability", network, "--kill", "30%", "--kill", "50%", "--scenario", "mixed")
    assert "4 of 12 killed" in done.stdout
    assert "weighted by their rates" in done.stdout
    found = json.loads(
        run(
            "availability", network, "--kill", "30%", "--format", "json", "--stores",
            "--replicas", "text-service=3",
        ).stdout
    )  # fmt: skip
    assert found["shares"][0]["journeys"][0]["needed"]["text-service"] == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--stores"], "belong to --kill"),
        (["--kill", "30%", "--replicas", "payments"], "not of the form NAME=N"),
        (["--kill", "30%", "--replicas", "nobody=2"], "there is no 'nobody'"),
        (["--kill", "130%"], "between 0% and 100%"),
        (["--samples", "0"], "0 is not in the range 1<=x<=10000000"),
    ],
)
def test_wrong_options_of_availability(arguments: list[str], says: str) -> None:
    done = run("availability", SHOP, *arguments)
    assert done.returncode == 2
    assert says in done.stderr
