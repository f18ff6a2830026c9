"""What the documentation shows is what the program does."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import archcheck
from depth import thorough

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text()


def block(text: str, start: str) -> str:
    """The fenced block that begins with ``start``."""
    (found,) = re.findall(rf"```\w*\n({re.escape(start)}.*?)\n```", text, re.DOTALL)
    return str(found)


def test_the_model_of_the_readme_is_the_example() -> None:
    assert block(README, "from archcheck import") in (ROOT / "examples/checkout.py").read_text()


def test_the_readme_shows_what_verify_prints() -> None:
    shown, _, summary = block(README, "checkout: 2 services").partition("\n...\n")
    done = archcheck("verify", "examples/checkout.py")
    assert done.returncode == 1
    assert done.stdout.startswith(shown)
    assert done.stdout.rstrip().endswith(summary)


def test_the_readme_shows_what_simulate_prints() -> None:
    done = archcheck("simulate", "examples/checkout.py")
    printed = "\n".join(line.rstrip() for line in done.stdout.rstrip().splitlines())
    printed = re.sub(r"engine simpy \(.*\)", "engine fast (compiled)", printed)  # not compiled here
    assert printed == block(README, "checkout under peak")


def test_the_readme_shows_what_plan_prints() -> None:
    done = archcheck("plan", "examples/checkout.py", "--growth", "5%")
    printed = [" ".join(line.split()) for line in done.stdout.splitlines()]
    for line in block(README, "? declared load").splitlines():
        assert line == "..." or " ".join(line.split()) in printed


def test_the_network_of_the_planning_page_is_solved() -> None:
    page = (ROOT / "docs" / "planning.md").read_text()
    names: dict[str, object] = {}
    exec(block(page, "from archcheck.capacity.networks"), names)  # noqa: S102  # our own page
    assert "product form" in names["found"].trust  # type: ignore[attr-defined]


def test_the_resilience_page_shows_what_availability_prints() -> None:
    page = (ROOT / "docs" / "resilience.md").read_text()
    shown = re.findall(
        r"^\| .*`--scenario mixed --kill 30%` \| ([0-9.]+) \| ([0-9.]+) \|", page, re.M
    )
    services = ("compose-post", "home-timeline", "user-timeline", "text", "media")
    more = [word for name in services for word in ("--replicas", f"{name}-service=3")]
    base = ("availability", "models/social_network", "--scenario", "mixed", "--kill", "30%")
    printed = [
        re.findall(r"weighted by their rates +([0-9.]+)", archcheck(*base, *extra).stdout)[0]
        for extra in ((), more)
    ]
    assert shown == [tuple(printed)]


def test_the_export_page_shows_what_export_writes() -> None:
    page = (ROOT / "docs" / "export.md").read_text()
    done = archcheck("export", "examples/checkout.py", "--format", "python")
    assert f"\n{block(page, 'orders = Service(')}\n" in done.stdout


def test_the_script_prints_findings_and_the_bottleneck() -> None:
    done = subprocess.run(
        [sys.executable, "examples/notebook_face.py"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout.splitlines() == [
        "warning COM002 payments.Charge",
        "error RES001 payments.Charge -> ledger",
        "warning TEC004 payments",  # the pool of the framework is larger than its eight threads
        "payments is the bottleneck: 90% busy",
    ]


def test_the_first_page_to_start_with_shows_the_example() -> None:
    page = (ROOT / "docs" / "start" / "check.md").read_text()
    example = (ROOT / "examples" / "checkout.py").read_text()
    assert block(page, "# checkout.py").partition("\n")[2] in example


@thorough
def test_the_generated_pages_are_current() -> None:
    done = subprocess.run(
        [sys.executable, "docs/make.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
    assert done.returncode == 0


def test_the_tutorial_breaks_payments_for_ten_seconds(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        block(TUTORIAL, "from archcheck import Call, Endpoint, Journey")
    )
    command = block(TUTORIAL, "archcheck simulate shop.py --scenario calm --fault")
    done = archcheck(*shlex.split(command)[1:], cwd=tmp_path)
    assert done.returncode == 1
    assert "waiting for a thread (orders)" in done.stdout
    assert (tmp_path / "slow.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "state"),
    [("calm", "met"), ("rush", "missed"), ("rush --duration 60s", "open")],
)
def test_the_tutorial_tells_the_truth(arguments: str, state: str, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        block(TUTORIAL, "from archcheck import Call, Endpoint, Journey")
    )
    done = archcheck("simulate", "shop.py", "--scenario", *arguments.split(), cwd=tmp_path)
    assert done.returncode == (state == "missed")
    assert re.search(rf"p99 of checkout .* {state}", done.stdout)
    assert "bottleneck: payments threads" in done.stdout


RETRIES = (
    ("Load, Poisson, Scenario", "Load, Poisson, Retry, Scenario"),
    ("timeout=800 * ms)", "timeout=300 * ms, retry=Retry(attempts=3, backoff=10 * ms))"),
    ("threads=8)", "threads=8, accept_queue=1000)"),
)
SESSIONS_OF_THE_TUTORIAL = re.findall(
    r"```console\n\$ (archcheck [^\n]*)\n(.*?)```", TUTORIAL, re.DOTALL
)


@thorough
@pytest.mark.parametrize("number", range(len(SESSIONS_OF_THE_TUTORIAL)))
def test_the_tutorial_shows_what_is_printed(number: int, tmp_path: Path) -> None:
    """What is left out is a line of dots; the last session is of the shop that asks again."""
    command, expected = SESSIONS_OF_THE_TUTORIAL[number]
    model = block(TUTORIAL, "from archcheck import Call, Endpoint, Journey")
    if number == len(SESSIONS_OF_THE_TUTORIAL) - 1:
        for old, new in RETRIES:
            assert old in model
            model = model.replace(old, new)
    (tmp_path / "shop.py").write_text(model)
    done = archcheck(*shlex.split(command)[1:], cwd=tmp_path)
    printed = "\n".join(line.rstrip() for line in done.stdout.splitlines())
    at = 0
    for part in expected.split("...\n"):
        at = printed.index(part.rstrip("\n"), at)


def test_the_tutorial_begins_with_a_finding(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        block(TUTORIAL, "from archcheck import Call, Endpoint, Service")
    )
    assert "error[RES001] no-timeout" in archcheck("verify", "shop.py", cwd=tmp_path).stdout


SIMULATION = ROOT / "docs" / "simulation"
SESSIONS = [
    (page.name, command, expected)
    for page in sorted(SIMULATION.glob("*.md"))
    for command, expected in re.findall(
        r"```console\n\$ (archcheck [^\n]*)\n(.*?)```", page.read_text(), re.DOTALL
    )
]


def only_model(page: str) -> str:
    """The one model of a page on simulation; ``times.py`` is the model of ``times.md``."""
    (found,) = re.findall(r"```python\n(.*?)```", (SIMULATION / page).read_text(), re.DOTALL)
    return str(found)


def assert_printed(expected: str, printed: str) -> None:
    """Each line of ``expected`` is printed, in this order; dots stand for lines left out."""
    lines = iter([line.split() for line in printed.splitlines()])
    for line in expected.splitlines():
        assert line == "..." or line.split() in lines, line


@pytest.mark.parametrize(("page", "command", "expected"), SESSIONS)
def test_the_pages_on_simulation_show_what_is_printed(
    page: str, command: str, expected: str, tmp_path: Path
) -> None:
    model = command.split()[2]
    (tmp_path / model).write_text(only_model(model.replace(".py", ".md")))
    done = archcheck(*shlex.split(command)[1:], cwd=tmp_path)
    assert done.stderr == "" or page == "traces.md"
    assert_printed(expected, done.stdout)


FOLLOWED = [*sorted(ROOT.glob("docs/start/*.md")), *sorted(ROOT.glob("docs/how-to/*.md"))]
LONG = ("find-the-bottleneck", "review", "size-for-a-sale")


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=page.stem, marks=thorough if page.stem in LONG else ())
        for page in (*FOLLOWED, ROOT / "docs" / "json.md")
    ],
)
def test_a_page_that_is_followed_from_top_to_bottom_shows_what_is_printed(
    page: Path, tmp_path: Path
) -> None:
    """Blocks whose first line names a file are written, and commands are run, in a folder with the
    examples and the models."""
    for folder in ("examples", "models"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    assert any(kind == "console" for kind, _ in blocks)
    for kind, text in blocks:
        named = re.match(r"# (\S+\.(?:py|toml))\n", text)
        if named:
            path = tmp_path / named[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for session in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:] if kind == "console" else ():
            command, _, expected = session.partition("\n")
            done = archcheck(*shlex.split(command)[1:], cwd=tmp_path, COLUMNS="120")
            assert done.returncode in (0, 1), done.stderr
            assert_printed(expected, done.stdout)


def test_the_page_on_traces_shows_rows_of_the_trace(tmp_path: Path) -> None:
    page = (SIMULATION / "traces.md").read_text()
    (tmp_path / "times.py").write_text(only_model("times.md"))
    archcheck("simulate", "times.py", "--trace", "run.csv", "--trace-share", "1%", cwd=tmp_path)
    assert (tmp_path / "run.csv").read_text().startswith(block(page, "kind,name") + "\n")


def test_the_page_on_engines_prints_the_same_number_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    exec(only_model("engines.md"), {})  # noqa: S102  # our own page
    first, second = capsys.readouterr().out.split()
    assert first == second


def test_links_lead_somewhere() -> None:
    folders = ("*.md", "docs/**/*.md", "examples/**/*.md", "models/*/README.md")
    for page in [page for folder in folders for page in ROOT.glob(folder)]:
        for target, anchor in re.findall(
            r"\]\((?!http)([^)#\s]*)(?:#([^)\s]*))?\)", page.read_text()
        ):
            linked = page.parent / target if target else page
            assert linked.exists(), f"{page.name}: {target}"
            assert not anchor or anchor in anchors(linked), f"{page.name}: {target}#{anchor}"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_repository_of_the_examples_is_imported_as_its_page_says(tmp_path: Path) -> None:
    page = (ROOT / "examples" / "repository" / "README.md").read_text()
    assert "archcheck import examples/repository\n" in page
    done = archcheck("import", "examples/repository", "-o", tmp_path / "shop")
    assert done.returncode == 0
    assert done.stdout.startswith("repository: 5 Service")
    assert "joined: 11 edges by addresses" in done.stdout
    assert "compose.yaml: another deployment of the same services" in done.stdout
    verified = archcheck("verify", tmp_path / "shop")
    assert "DEP001" in verified.stdout
    straight = archcheck("verify", "examples/repository")
    assert straight.stdout.splitlines()[-1] == verified.stdout.splitlines()[-1]
