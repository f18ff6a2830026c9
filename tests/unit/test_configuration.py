"""Configuration: which rules run, how, on what; and one sentence for each mistake."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archcheck import Call, Endpoint, Service, System
from archcheck.configuration import Settings, find, read
from archcheck.model import ModelError
from archcheck.plugins import rules
from archcheck.units import Duration
from archcheck.verification import verify

RULES = rules()


def settings(folder: Path, text: str) -> Settings:
    path = folder / "archcheck.toml"
    path.write_text(text)
    return read(path, RULES)


def ids(chosen: Settings) -> set[str]:
    return {rule.id for rule in chosen.chosen(RULES)}


# -- which rules ----------------------------------------------------------------------------------


def test_the_profiles_grow_from_minimal_to_strict() -> None:
    minimal, recommended, strict = (
        ids(Settings(profile=profile)) for profile in ("minimal", "recommended", "strict")
    )
    assert minimal < recommended < strict
    assert strict == {rule.id for rule in RULES}
    assert {rule.severity for rule in RULES if rule.id in minimal} == {"error"}


@pytest.mark.parametrize(
    ("chosen", "inside", "outside"),
    [
        (Settings(select=("RES",)), {"RES001", "RES018"}, {"BND001"}),
        (Settings(select=("RES001", "B*1")), {"RES001", "BND001", "BND011"}, {"RES002", "BND002"}),
        (Settings(select=("RES001",), ignore=("RES",)), {"RES001"}, {"RES002"}),
        (Settings(select=("RES",), ignore=("RES001",)), {"RES002"}, {"RES001"}),
        (Settings(ignore=("RES00*",)), {"RES010"}, {"RES001"}),
        (Settings(extend_select=("PRF009",)), {"PRF009", "RES001"}, {"PRF007"}),
        (Settings(select=("ALL",)), {"PRF009", "MOD003"}, set()),
        (Settings(ignore=("ALL",)), set(), {"RES001", "BND001"}),
        (Settings(select=("RES001",), ignore=("RES001",)), set(), {"RES001"}),
    ],
)
def test_the_more_specific_choice_wins(
    chosen: Settings, inside: set[str], outside: set[str]
) -> None:
    assert inside <= ids(chosen)
    assert not outside & ids(chosen)


# -- how ------------------------------------------------------------------------------------------


def chain(services: int) -> System:
    def one(n: int) -> Service:
        calls = [Call(f"s{n + 1}.run")] if n < services else []
        return Service(f"s{n}", tags=[f"tier{n}"], endpoints=[Endpoint("run", steps=calls)])

    return System("chain", [one(n) for n in range(1, services + 1)])


def found(system: System, chosen: Settings) -> list[tuple[str, str, str]]:
    return [
        (finding.rule.id, finding.severity, occurrence.subject)
        for finding in verify(system, RULES, settings=chosen).findings
        for occurrence in finding.occurrences
    ]


def test_a_threshold_changes_what_a_rule_finds(tmp_path: Path) -> None:
    for depth, expected in ((3, [("BND011", "warning", "s1.run")]), (4, [])):
        text = f'select = ["BND011"]\n[rules.BND011]\nmax-depth = {depth}\n'
        assert found(chain(4), settings(tmp_path, text)) == expected


def test_quantities_are_read_with_their_unit(tmp_path: Path) -> None:
    chosen = settings(tmp_path, '[rules.PRF011]\noutage = "2 min"\n')
    assert chosen.options["PRF011"] == type(chosen.options["PRF011"])(outage=Duration(120.0))


def test_severities_go_by_the_most_specific_pattern(tmp_path: Path) -> None:
    text = 'select = ["RES001"]\n[severity]\nRES001 = "info"\nRES = "warning"\n'
    assert found(chain(2), settings(tmp_path, text)) == [("RES001", "info", "s1.run -> s2.run")]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("tag:tier1", {"s1.run -> s2.run"}),
        ("s2", {"s2.run -> s3.run"}),
        ("kind:service", {"s1.run -> s2.run", "s2.run -> s3.run"}),
        ("boundary:nowhere", set()),
        ("kind:datastore", set()),
    ],
)
def test_targets_narrow_a_rule(selector: str, expected: set[str], tmp_path: Path) -> None:
    text = f'select = ["RES001"]\n[targets]\nRES001 = ["{selector}"]\n'
    assert {subject for _, _, subject in found(chain(3), settings(tmp_path, text))} == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("tests/unit/*.py", []),
        ("**/test_configuration.py", []),
        ("tests/**", []),
        ("models/**", [("RES001", "error", "s1.run -> s2.run")]),
    ],
)
def test_overrides_go_by_the_file_of_the_finding(
    pattern: str,
    expected: list[tuple[str, str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    text = f'select = ["RES001"]\n[[overrides]]\npath = "{pattern}"\nignore = ["RES"]\n'
    assert found(chain(2), settings(tmp_path, text)) == expected


def test_overrides_can_change_a_severity(tmp_path: Path) -> None:
    text = 'select = ["RES001"]\n[[overrides]]\npath = "**"\nseverity = {RES001 = "info"}\n'
    assert [severity for _, severity, _ in found(chain(2), settings(tmp_path, text))] == ["info"]


# -- where it is ----------------------------------------------------------------------------------


def test_the_nearest_configuration_counts(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.archcheck]\nstrict = true\n")
    assert find(inner) == tmp_path / "pyproject.toml"
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert find(inner) == tmp_path / "pyproject.toml"
    (tmp_path / "a" / "archcheck.toml").write_text("")
    assert find(inner) == tmp_path / "a" / "archcheck.toml"


def test_two_configurations_in_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.archcheck]\nstrict = true\n")
    (tmp_path / "archcheck.toml").write_text("strict = false\n")
    with pytest.raises(ModelError, match=r"archcheck.toml:1: pyproject.toml has .* keep one"):
        find(tmp_path)


def test_the_search_ends_at_the_root_of_a_repository(tmp_path: Path) -> None:
    (tmp_path / "archcheck.toml").write_text("")
    (tmp_path / "inner" / ".git").mkdir(parents=True)
    assert find(tmp_path / "inner") is None


def test_pyproject_and_archcheck_toml_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.archcheck]\nstrict = true\n[tool.archcheck.rules.BND011]\nmax-depth = 4\n"
    )
    own = settings(tmp_path, "strict = true\n[rules.BND011]\nmax-depth = 4\n")
    assert read(tmp_path / "pyproject.toml", RULES) == own
    assert own == replace(Settings(strict=True), options=own.options)


# -- what is wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("\nprofil = 1\n", r":2: there is no setting 'profil'; did you mean 'profile'"),
        ('profile = "strickt"\n', r":1: profile must be one of .*did you mean 'strict'"),
        ("strict = 1\n", r":1: strict must be true or false, got 1"),
        ('select = "RES"\n', r":1: select must be a list"),
        ('select = ["RES099"]\n', r":1: select: no rule is called 'RES099'; did you mean"),
        ('ignore = ["XYZ"]\n', r":1: ignore: no rule is called 'XYZ'"),
        ('[severity]\nRES001 = "fatal"\n', r":2: RES001 must be one of error"),
        ('[severity]\nNOPE = "error"\n', r":2: NOPE: no rule is called 'NOPE'"),
        ("[rules.BND099]\nx = 1\n", r":1: no rule is called 'BND099'; did you mean 'BND"),
        (
            "[rules.BND011]\nmax-dept = 4\n",
            r":2: .*threshold 'max-dept'; did you mean 'max_depth'",
        ),
        (
            '[rules.BND011]\nmax-depth = "4"\n',
            r":2: max-depth of BND011: .*valid integer",
        ),
        ("[rules.PRF011]\noutage = 5\n", r":2: outage of PRF011: .*bare number 5"),
        ("[rules.BND001]\nx = 4\n", r":1: the rule BND001 has no thresholds"),
        ('[targets]\nRES001 = ["tagg:x"]\n', r":2: a selector is .*did you mean 'tag'"),
        ("[[overrides]]\nignore = []\n", r":1: an override needs a path"),
        (
            "[[overrides]]\npath = 'x'\nselect = []\n",
            r":3: there is no setting 'select' in",
        ),
        ("a = \n", r":1: is not TOML"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=sentence):
        settings(tmp_path, text)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("pyproject.toml", "[tool]\narchcheck = 3\n", "tool.archcheck must be a table"),
        ("pyproject.toml", "tool = true\n", "tool must be a table"),
    ],
)
def test_a_table_that_is_none_is_one_sentence(
    tmp_path: Path, name: str, text: str, says: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ModelError, match=says):
        read(find(tmp_path) or tmp_path / name, ())


def test_a_configuration_that_links_nowhere_is_said(tmp_path: Path) -> None:
    (tmp_path / "archcheck.toml").symlink_to("/nowhere/at/all.toml")
    with pytest.raises(ModelError, match=r"links to /nowhere/at/all\.toml, which does not exist"):
        find(tmp_path)
