"""All mistakes of a model are said at once, each with its place; none is said twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from archcheck import Call, Endpoint, Journey, Read, Repeat, Service, System, facade
from archcheck.loading import load
from archcheck.model import ModelError
from archcheck.model.codec import from_json
from archcheck.units import Duration, spoken

HEAD = "from archcheck import *\nfrom archcheck.units import ms, s\n"


def said(error: pytest.ExceptionInfo[ModelError]) -> list[str]:
    return str(error.value).splitlines()


def test_every_wrong_reference_is_said() -> None:
    steps = [Call("b.runn"), Read("stor")]
    services = [
        Service("a", endpoints=[Endpoint("run", steps=steps)]),
        Service("b", endpoints=[Endpoint("run")]),
    ]
    with pytest.raises(ModelError) as error:
        System("m", services, journeys=[Journey("j", "a.rum")])
    first, second, third = said(error)
    assert "there is no 'b.runn' in the system; did you mean 'b.run'" in first
    assert "there is no 'stor'" in second
    assert "there is no 'a.rum' in the system; did you mean 'a.run'" in third


def test_every_wrong_argument_of_an_element_is_said() -> None:
    with pytest.raises(ModelError) as error:
        Service("a", owner=3, ownr="x")  # type: ignore[call-arg, arg-type]
    first, second = said(error)
    assert "there is no argument 'ownr'; did you mean 'owner'" in first
    assert "owner must be a valid string" in second


def test_an_argument_that_is_given_twice_is_said() -> None:
    with pytest.raises(ModelError, match="Repeat: times is given twice, by its place and by its"):
        Repeat(3, [Call("b")], times=2)  # type: ignore[misc]


def test_every_file_says_its_mistake_and_no_mistake_is_said_twice(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(f"{HEAD}import b\na = Service('a', ownr='x')\n")
    (tmp_path / "b.py").write_text(f"{HEAD}b = Service('b', replica=2)\n")
    (tmp_path / "c.py").write_text(f"{HEAD}c = Service('c', threads=2)\n")
    with pytest.raises(ModelError) as error:
        load(tmp_path)
    lines = said(error)
    assert len(lines) == 2
    assert lines[0].startswith(f"{tmp_path}/b.py:3: ")
    assert lines[1].startswith(f"{tmp_path}/c.py:3: ")


def test_every_mistake_of_a_json_model_has_its_line() -> None:
    text = """{"type": "System", "name": "m", "elements": [
{"type": "Service", "name": "a", "replicas": 2},
{"type": "Service", "name": "b", "runtime":
{"type": "SpringBoot", "threads": "many"}}
]}"""
    with pytest.raises(ModelError) as error:
        from_json(text, "m.json")
    first, second = said(error)
    assert first.startswith("m.json:2: ")
    assert second.startswith("m.json:4: ")


def test_files_that_import_each_other_are_told_to_refer_by_name(tmp_path: Path) -> None:
    package = tmp_path / "pack"
    package.mkdir()
    (package / "__init__.py").write_text("from pack import a, b\n")
    (package / "a.py").write_text(f"{HEAD}from pack.b import B\nA = Service('a')\n")
    (package / "b.py").write_text(f"{HEAD}from pack.a import A\nB = Service('b')\n")
    with pytest.raises(ModelError, match=r"in a circle, and 'A' is not there yet.*refer by name"):
        load(package)


BARE = (
    f"{HEAD}a = Service('a', endpoints=[Endpoint('go', steps=[Call('b.put')])])\n"
    "b = Service('b', endpoints=[Endpoint('put', steps=[Work(5 * ms)])])\n"
    "Suppression('RES001', 'a.*', reason='the client has none')\n"
)


def test_a_suppression_without_a_name_has_effect(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(BARE)
    (system,) = load(tmp_path / "m.py")
    result = facade.verify(system)
    assert [each.rule.id for each in result.suppressed] == ["RES001"]
    assert "RES001" not in {each.rule.id for each in result.findings}


def test_a_suppression_that_the_system_does_not_list_is_said(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(f"{BARE}system = System('m', [a, b])\n")
    with pytest.raises(ModelError, match=r"m\.py:5: the suppression of RES001 .* no system"):
        load(tmp_path / "m.py")


def test_a_suppression_that_the_system_lists_itself_is_fine(tmp_path: Path) -> None:
    listed = BARE.replace("Suppression(", "_s = Suppression(")
    (tmp_path / "m.py").write_text(f"{listed}system = System('m', [a, b], suppressions=[_s])\n")
    (system,) = load(tmp_path / "m.py")
    assert len(system.suppressions) == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(70, "70 s"), (5400, "1.5 h"), (100_000, "100000 s"), (1.3, "1.3 s"), (1.2996, "1.2996 s")],
)
def test_a_duration_is_written_in_the_unit_that_people_can_read(seconds: float, text: str) -> None:
    assert str(Duration(seconds)) == text
    assert Duration.parse(text) == Duration(seconds)


def test_times_are_spoken_without_powers_of_ten() -> None:
    assert [spoken(each) for each in (70, 1.3, 1300, 0.25)] == [
        "1 min 10 s", "1.3 s", "21 min 40 s", "250 ms",
    ]  # fmt: skip
