"""``archcheck diagram`` as it is typed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import commands
import pytest

from archcheck.diagrams import VIEWS

ROOT = Path(__file__).parents[2]
MODEL = """
from archcheck import Call, Endpoint, Icon, Journey, Load, Poisson, PostgreSQL, Read, Scenario
from archcheck import Service, System, TagColour, Work
from archcheck.units import ms, s

system = System(
    "small",
    [
        Service("front", boundary="web", tags=["pci"], docs="https://docs.example.org/front",
                endpoints=[Endpoint("go", steps=[Work(1 * ms), Call("back.get", timeout=1 * s)])]),
        Service("back", boundary="core", endpoints=[Endpoint("get", steps=[Read("db")])]),
        PostgreSQL("db", belongs_to="back", read=2 * ms),
    ],
    journeys=[Journey("visit", "front.go", critical=True)],
    scenarios=[Scenario("usual", load=[Load("visit", Poisson(50 / s))])],
    look=[TagColour("pci", "#fbd38d")],
)
"""
ICON = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="4"/></svg>'


def archcheck(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return commands.archcheck(*arguments, cwd=folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.py").write_text(MODEL)
    return tmp_path


def drawn(folder: Path, *arguments: str, output: str = "out.svg") -> str:
    done = archcheck(folder, "diagram", "model.py", *arguments, "-o", output)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert done.stderr == f"wrote {output}\n"
    return (folder / output).read_text(errors="replace")


def test_views_are_named_and_some_are_of_something(folder: Path) -> None:
    assert "small: context" in drawn(folder, "--view", "context")
    assert "small: sequence of visit" in drawn(folder, "--view", "sequence", "--of", "visit")
    assert "small: without db" in drawn(folder, "--view", "failure", "--of", "db")
    said = archcheck(folder, "diagram", "--help").stdout
    assert not [view for view in VIEWS if f"{view}:" not in " ".join(said.split())]


@pytest.mark.parametrize("ending", ["pdf", "mmd"])
def test_another_process_writes_the_same_bytes(folder: Path, ending: str) -> None:
    first = drawn(folder, output=f"one.{ending}")
    assert first == drawn(folder, output=f"two.{ending}")
    assert "front" in first or ending == "pdf"


def test_overlays_are_laid_over(folder: Path) -> None:
    assert "% busy" in drawn(folder, "--simulate", "usual")
    assert "p95 " in drawn(folder, "--overlay", "latency")
    assert "/s</text>" in drawn(folder, "--overlay", "flow", "--simulate", "usual")
    both = drawn(folder, "--overlay", "findings", "--overlay", "flow")
    assert "error" in both
    assert "/s</text>" in both
    assert "fails in the counterexample" in drawn(folder, "--overlay", "proof")


def test_filters_and_groups(folder: Path) -> None:
    near = drawn(folder, "--near", "db")
    assert 'data-key="back"' in near
    assert 'data-key="front"' not in near
    assert 'data-key="back"' not in drawn(folder, "--boundary", "web")
    assert 'data-key="front"' in drawn(folder, "--tag", "pci")
    opened = drawn(folder, "--expand", "web")
    assert 'data-key="group core"' in opened
    assert 'data-key="front"' in opened


def test_links_colours_and_icons_of_ones_own(folder: Path) -> None:
    picture = drawn(folder)
    assert 'href="https://docs.example.org/front"' in picture
    assert 'fill="#fbd38d"' in picture
    assert "tag pci" in picture
    (folder / "icons").mkdir()
    (folder / "icons" / "own.svg").write_text(ICON)
    (folder / "archcheck.toml").write_text(
        '[look.icons]\nPostgreSQL = "icons/own.svg"\n[look.colours]\npci = "#c6f7d0"\n'
    )
    changed = drawn(folder)
    assert "data:image/svg+xml;base64," in changed
    assert 'fill="#fbd38d"' in changed, "the model's colour goes before the configuration's"
    text = MODEL.replace("look=[", 'look=[Icon("front", "icons/own.svg"), ')
    (folder / "archcheck.toml").unlink()
    (folder / "model.py").write_text(text)
    assert "data:image/svg+xml;base64," in drawn(folder)


def test_the_difference_to_an_earlier_model(folder: Path) -> None:
    archcheck(folder, "export", "model.py", "-o", "old.json")
    text = MODEL.replace('Read("db")', 'Read("db", timeout=20 * ms)')
    (folder / "model.py").write_text(
        text.replace('"front", boundary', '"entry", boundary').replace("front.go", "entry.go")
    )
    picture = drawn(folder, "--against", "old.json")
    for words in ("1 added, 1 removed, 1 changed", "changed: endpoints"):
        assert words in picture


def test_the_date_is_the_models_not_the_clocks(folder: Path) -> None:
    import os

    os.utime(folder / "model.py", (1_700_000_000, 1_700_000_000))
    assert "2023-11-14" in drawn(folder)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--view", "container"), "there is no view 'container'; did you mean 'containers'"),
        (("--view", "journey"), "the view 'journey' is of one journey; name it"),
        (("--view", "failure", "--of", "dbb"), "there is no 'dbb' in the system 'small'; did you"),
        (("--near", "fron"), "the view has no element 'fron'; did you mean 'front'?"),
        (("--tag", "pcy"), "the view has no tag 'pcy'; did you mean 'pci'?"),
        (("--expand", "wep"), "the view has no group 'wep'; did you mean 'web'?"),
        (("-o", "x.gif"), "cannot draw 'x.gif'; name a file that ends in one of .svg"),
        (("-o", "x"), "cannot draw 'x'; name a file that ends in one of .svg"),
        (("--view", "sequence", "--of", "visit", "-o", "x.dsl"), "has no sequence diagrams"),
        (("--view", "sequence", "--of", "visit", "--tag", "pci"), "takes neither filters nor"),
        (("--against", "none.json"), "none.json"),
        (("--simulate", "usua"), "has no scenario 'usua'; did you mean 'usual'?"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(
    folder: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    done = archcheck(folder, "diagram", "model.py", *arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert sentence in done.stderr


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('look=[Icon("front", "none.png")]', "model.py:16: there is no icon"),
        ('look=[Icon("front", "model.py")]', "must be a .png or .svg file"),
        ('look=[Icon("front", "../x.png")]', "must lie in the folder of the model"),
        ('look=[Icon("front", "linked.svg")]', "must be a drawing without links"),
        (
            'look=[TagColour("pci", "red")]',
            "model.py:16: TagColour 'pci': colour must be a colour such as '#fbd38d', got 'red'",
        ),
    ],
)
def test_a_wrong_look_says_where(folder: Path, text: str, sentence: str) -> None:
    link = ICON.replace("<circle", '<image href="file:///etc/hostname"/><circle')
    (folder / "linked.svg").write_text(link)
    wrong = MODEL.replace('look=[TagColour("pci", "#fbd38d")]', text)
    (folder / "model.py").write_text(wrong)
    done = archcheck(folder, "diagram", "model.py")
    assert done.returncode == 2
    assert sentence in done.stderr


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[look]\nicon = "x"\n', "archcheck.toml:2: there is no setting 'icon' in look; did you"),
        ('[look.icons]\nGo = "none.png"\n', "archcheck.toml:2: there is no .png or .svg file"),
        ('[look.colours]\npci = "red"\n', "archcheck.toml:2: the colour of pci must be like"),
    ],
)
def test_a_wrong_configuration_says_where(folder: Path, text: str, sentence: str) -> None:
    (folder / "archcheck.toml").write_text(text)
    done = archcheck(folder, "diagram", "model.py")
    assert done.returncode == 2
    assert sentence in done.stderr
