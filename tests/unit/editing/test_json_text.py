"""A JSON model is edited in its text: only the values change, in the style of the place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from archcheck import Call, Kubernetes, Pool, Service
from archcheck.editing import Edit, apply, patch_of, unshared
from archcheck.editing.json_text import json_with
from archcheck.loading import load
from archcheck.model import to_json
from archcheck.model.linking import walk
from archcheck.units import ms

MODEL = """
from archcheck import *
from archcheck.units import ms
web = Service("web", deployment=Kubernetes(zones=["a"]), pools=[Pool("db", 5)], endpoints=[
    Endpoint("go", steps=[Call("pay", timeout=50 * ms), Call("pay")])])
pay = Service("pay", endpoints=[Endpoint("do")])
db = MySQL("db")
"""


@pytest.fixture
def text(tmp_path: Path) -> str:
    (tmp_path / "model.py").write_text(MODEL)
    (system,) = load(str(tmp_path / "model.py"))
    return to_json(system)


def _tabs_and_returns(text: str) -> str:
    data = json.loads(text)
    return (json.dumps(data, indent="\t", ensure_ascii=False) + "\n").replace("\n", "\r\n")


STYLES: dict[str, Callable[[str], str]] = {
    "as exported": lambda text: json.dumps(json.loads(text), indent=2) + "\n",
    "compact": lambda text: json.dumps(json.loads(text), separators=(",", ":")),
    "one line": lambda text: json.dumps(json.loads(text)),
    "four spaces, a mark": lambda text: "\ufeff" + json.dumps(json.loads(text), indent=4),
    "tabs and returns": _tabs_and_returns,
}


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_only_the_values_change(text: str, style: Callable[[str], str], tmp_path: Path) -> None:
    before = style(text)
    file = tmp_path / "model.json"
    file.write_bytes(before.encode())
    (system,) = load(str(file))
    system = unshared(system)
    web = next(each for each in system.services if each.name == "web")
    first, second = (part for part in walk(web) if isinstance(part, Call))
    assert isinstance(web, Service)
    assert isinstance(web.deployment, Kubernetes)
    edits = [
        Edit(first, {"timeout": 1.7 * ms}, "first"),
        Edit(second, {"timeout": 80 * ms}, "second"),
        Edit(web.deployment, {"replicas": 3, "zones": ["a", "b"]}, "web"),
        Edit(next(part for part in web.pools if isinstance(part, Pool)), {"size": 4}, "pool"),
    ]
    promised = apply(system, edits)
    patch = patch_of(system, edits)
    patch.write()
    (again,) = load(str(file))
    assert again == promised
    written = file.read_bytes().decode()
    assert written == style(written.removeprefix("\ufeff"))  # as if it had been so from the start
    lines = before.splitlines()
    changed = [line for line in written.splitlines() if line not in lines]
    assert len(changed) <= 8


def test_a_value_that_becomes_the_default_is_still_said(text: str, tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    before = text.replace(
        '"timeout": "50 ms"', '"timeout": "50 ms",\n              "optional": true'
    )
    assert before != text
    file.write_text(before)
    (system,) = load(str(file))
    first = next(part for each in system.services for part in walk(each) if isinstance(part, Call))
    patch_of(system, [Edit(first, {"optional": False}, "first")]).write()
    assert file.read_text() == before.replace('"optional": true', '"optional": false')


@pytest.mark.parametrize(
    ("before", "new", "after"),
    [
        ('{"a": 1, "b": [1, {"c": "x"}]}', {"a": 2, "b": [1, {"c": "y"}]}, None),
        ('{ "a" : 1 }', {"a": 1, "b": 2}, '{ "a" : 1, "b" : 2 }'),
        ('{"a":1,"b":2}', {"b": 2}, '{"b":2}'),
        ('{"a": 1, "b": 2, "c": 3}', {"a": 1, "d": None}, '{"a": 1, "d": null}'),
        ('{"a": "}\\"{,", "b": 1}', {"a": '}"{,', "b": 2}, '{"a": "}\\"{,", "b": 2}'),
        ('{\n  "a": [1]\n}', {"a": [1, 2]}, '{\n  "a": [1, 2]\n}'),
        ('{\n  "a": [\n    1\n  ]\n}', {"a": [1, 2]}, '{\n  "a": [\n    1,\n    2\n  ]\n}'),
        ('{\n\t"a": 1\n}', {"a": 1, "b": {"c": 1}}, '{\n\t"a": 1,\n\t"b": {\n\t\t"c": 1\n\t}\n}'),
        ('{"a": "é", "b": -1.5e3}', {"a": "ü", "b": 0}, '{"a": "ü", "b": 0}'),
    ],
)
def test_values_in_the_style_of_the_place(before: str, new: object, after: str | None) -> None:
    expected = after if after is not None else json.dumps(new)
    assert json_with(before, json.loads(before), new) == expected
