"""LikeC4's language: the same model as LikeC4 itself exports, and the same refusals."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from depth import thorough
from imported import mutants, service, write

from archcheck import Client, External, Go, Person, PostgreSQL, Redis, Service
from archcheck.importing import Import, import_paths
from archcheck.importing.landscapes import c4
from archcheck.importing.sources import SourceFile
from archcheck.importing.values import Value
from archcheck.model import ModelError

SAMPLE = Path(__file__).parent / "catalogue_samples" / "library.c4"
ROOT = Path(__file__).parents[3]
NODE = Path(os.environ.get("ARCHCHECK_NODE", ROOT / ".venv" / "node"))
MUST = os.environ.get("ARCHCHECK_LEAVES_OUT") == "nothing"
needs_likec4 = pytest.mark.skipif(
    not MUST and (shutil.which("node") is None or not (NODE / "node_modules" / "likec4").is_dir()),
    reason="left out: Node.js and LikeC4 are not installed",
)
SPECIFICATION = """
specification {
  element actor
  element system
  element service
  element component
  tag v1
  relationship async
}
"""


def model(folder: Path, text: str) -> Import:
    write(folder, model_dot_c4=f"{SPECIFICATION}model {{\n{text}\n}}\n")
    return import_paths([folder])


def edges(found: Import) -> set[tuple[str, str]]:
    return {(edge.source, edge.target) for edge in found.joined.edges}


def test_a_system() -> None:
    found = import_paths([SAMPLE])
    assert {e.name: type(e) for e in found.system.elements} == {
        "Reader": Person, "Staff": Person, "Post office": External, "Desk": Service,
        "Reminders": Service, "Books": PostgreSQL, "Cache": Redis,
    }  # fmt: skip
    desk = service(found, "Desk")
    assert (desk.owner, desk.boundary) == ("team-desk", "Library")
    assert set(desk.tags) == {"team-red", "next"}
    assert desk.description == 'What readers "see" first [Go]'
    assert isinstance(desk.runtime, Go)
    assert {str(client.target) for client in desk.clients} == {
        "Books", "Post office", "Cache", "Reminders",
    }  # fmt: skip
    books = found.system.find("Books")
    assert isinstance(books, PostgreSQL)
    assert books.owner == "team-books"  # of a block that extends it
    assert set(books.tags) == {"stateful", "next", "Database"}
    said = {remark.sentence for remark in found.joined.remarks}
    assert {"views of LikeC4 are no part of a model",
            "deployments of LikeC4 are no part of a model"} <= said  # fmt: skip


def test_places_are_lines_of_the_text() -> None:
    found = import_paths([SAMPLE])
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    for fact in found.joined.facts:
        if fact.path == ("owner",):
            assert str(fact.value) in lines[fact.place.line - 1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = service { b = component }\nc = service { -> a }", ("c", "a")),
        ("a = service\nb = service\na -> b", ("a", "b")),
        ("service a\nservice b\na .async b", ("a", "b")),
        ("a = service\nb = service { this -> a }", ("b", "a")),
        ("a = service\nb = service { it -[async]-> a 'x' 'y' 'z' #v1 { } }", ("b", "a")),
        ("s = system { a = service }\nb = service\nb -> a", ("b", "a")),  # one is called so
        ("s = system { a = service }\na = service\nb = service\nb -> s.a", ("b", "s/a")),
        ("s = system { t = system { a = service } }\nb = service { -> s.a }", ("b", "a")),
        ("s = system { a = service }\nb = service\nextend s { -> b\n c = service { -> a } }",
         ("c", "a")),
        ("line = service\nstyle-guide = service\nline -> style-guide", ("line", "style-guide")),
    ],
)  # fmt: skip
def test_who_is_meant(tmp_path: Path, text: str, expected: tuple[str, str]) -> None:
    found = model(tmp_path, text)
    source, target = expected
    names = {name.rpartition("/")[2] for _, name in edges(found)}
    assert (source, target.rpartition("/")[2]) in {
        (one, other.rpartition("/")[2]) for one, other in edges(found)
    }, names


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("a = srevice", 1, "the kind 'srevice' is in no specification.*did you mean 'service'"),
        ("a = service\na = service", 2, "the element 'a' is there already"),
        ("a = service\na -> nobody", 2, "there is no element 'nobody' here"),
        ("s = system { a = service }\ns -> s.a", 2, "an element has no relation with itself"),
        ("a = service\na -> a", 2, "an element has no relation with itself"),
        ("s = system { a = service }\nt = system { a = service }\nb = service\nb -> a", 4,
         "there is no element 'a' here"),
        ("a = service {\n#v2\n}", 2, "the tag 'v2' is in no specification"),
        ("a = service {\ntitle 'x'\nb = component\ntitle 'y'\n}", 4, "properties of an element"),
        ("a = service {\ndescription x\n}", 2, "description must be a text in quotes"),
        ("a = service {\nlink 'x'\n}", 2, "link must be an address"),
        ("a = service {\nstyle { shape hexagon }\n}", 2, "shape must be one of"),
        ("a = service {", 1, "a block has no end"),
        ("a = service 'x", 1, "a text or comment has no end"),
        ("-> a", 1, "a relation must name where it starts"),
        ("a = service\nb = service { .sync a }", 2, "the kind 'sync' of relations"),
        ("extend a.b { }", 1, "there is no element 'a' at the top of a model"),
        ("this = service", 1, "'this' is a word of the language"),
        ("a = service {" * 200, 1, "is nested deeper than 100"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence_with_its_line(
    tmp_path: Path, text: str, line: int, sentence: str
) -> None:
    write(tmp_path, model_dot_c4=f"{SPECIFICATION}model {{\n{text}\n}}\n")
    with pytest.raises(ModelError, match=sentence) as error:
        import_paths([tmp_path / "model.c4"])
    assert error.value.place is not None
    start = len(SPECIFICATION.splitlines()) + 1
    assert error.value.place.line - start in (line, 0 if "no end" in sentence else line)


def test_a_file_that_is_named_brings_the_others_of_its_folder(tmp_path: Path) -> None:
    write(
        tmp_path,
        spec_dot_c4=SPECIFICATION,
        more__b_dot_likec4="model { b = service { -> a } }",
        a_dot_c4="model { a = service }",
        node_modules__other__other_dot_c4="model { nobody's }",
    )
    found = import_paths([tmp_path / "a.c4"])
    assert edges(found) == {("b", "a")}


def test_projects_are_told_apart_by_their_configuration(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path / name, model_dot_c4=f"{SPECIFICATION}model {{ {name} = service }}")
        (tmp_path / name / "likec4.config.json").write_text(f'{{"name": "{name}"}}')
    write(tmp_path / "two", more_dot_c4="import { one } from 'one'\nmodel { two -> one }")
    found = import_paths([tmp_path])
    assert {e.name for e in found.system.elements} == {"one", "two"}
    assert import_paths([tmp_path / "two"]).system.name == "two"


# -- LikeC4 itself ---------------------------------------------------------------------------------


def plain(value: Value) -> Any:
    if isinstance(value.raw, dict):
        return {key: plain(each) for key, each in value.raw.items()}
    if isinstance(value.raw, list):
        return [plain(each) for each in value.raw]
    return value.raw


def read_here(text: str) -> dict[str, Any] | ModelError:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.c4"
        path.write_text(text, encoding="utf-8")
        try:
            [(_, document)] = c4.projects([SourceFile(path, Path(folder))])
        except ModelError as error:
            return error
        return dict(plain(document))


def read_there(texts: list[str], folder: Path) -> list[dict[str, Any]]:
    (folder / "in.json").write_text(json.dumps(texts), encoding="utf-8")
    script = ROOT / "tests" / "parsers" / "likec4.mjs"
    command = ["node", str(script), str(NODE), str(folder / "in.json"), str(folder / "out.json")]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    return list(json.loads((folder / "out.json").read_text(encoding="utf-8")))


def compared(document: dict[str, Any]) -> tuple[object, object]:
    """What a model is made of: elements with all that is said of them, and relations."""
    elements = {
        id_: (
            each["kind"], each.get("title"), each.get("technology") or None,
            each.get("description"), each.get("tags") or [],
            [link["url"] for link in each.get("links") or []],
            {key: ", ".join(value) if isinstance(value, list) else value
             for key, value in (each.get("metadata") or {}).items()},
            each["style"].get("shape"),
        )
        for id_, each in document["elements"].items()
    }  # fmt: skip
    relations = sorted(
        (_end(each["source"]), _end(each["target"]), each.get("title") or "",
         each.get("technology") or "")
        for each in document["relations"].values()
    )  # fmt: skip
    return elements, relations


def _end(end: str | dict[str, str]) -> str:
    return end["model"] if isinstance(end, dict) else end


@thorough
@needs_likec4
def test_the_same_model_comes_out_of_the_text_and_of_the_export(tmp_path: Path) -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    [there] = read_there([text], tmp_path)
    assert not there["lines"]
    here = read_here(text)
    assert isinstance(here, dict)
    assert compared(here) == compared(there["document"])
    exported = tmp_path / "exported"
    exported.mkdir()
    (exported / "library.json").write_text(json.dumps(there["document"]), encoding="utf-8")
    by_export, by_text = import_paths([exported]), import_paths([SAMPLE])
    assert {e.name: e for e in by_export.system.elements} == {
        e.name: e for e in by_text.system.elements
    }


@thorough
@needs_likec4
def test_mutants_are_the_same_model_or_refused_by_both(tmp_path: Path) -> None:
    """Words of the language as names (``opacity = service``) LikeC4 refuses, and we need not."""
    start = SAMPLE.read_text(encoding="utf-8").partition("\ndeployment {")[0]
    texts = [*mutants(start, r"[\w.-]+|'[^'\n]*'|[{}#,=]|->", 60)]
    differ = []
    for text, there in zip(texts, read_there(texts, tmp_path), strict=True):
        here = read_here(text)
        is_same = isinstance(here, ModelError) == bool(there["lines"])
        if is_same and isinstance(here, dict):
            is_same = compared(here) == compared(there["document"])
        if not is_same:
            differ.append((text, str(here)[:300], there["lines"]))
    assert len(differ) <= 2, differ


def test_clients_are_what_relations_say(tmp_path: Path) -> None:
    found = model(tmp_path, "a = service\nb = service { technology 'Go' }\na -> b 'asks' '' 'gRPC'")
    assert service(found, "a").clients == (Client("b"),)
    assert isinstance(service(found, "b").runtime, Go)
