"""The container file, without a builder: what it copies, installs and runs, and that it is enough.

Whether an image is built from it, only a builder can say.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from commands import ROOT
from depth import thorough
from installations import with_only
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

FILE = (ROOT / "Containerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@dataclass(frozen=True)
class Instruction:
    stage: int
    name: str
    text: str


def instructions() -> list[Instruction]:
    without_comments = re.sub(r"^#.*\n", "", FILE, flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", without_comments).splitlines()
    found: list[Instruction] = []
    for name, _, text in (line.partition(" ") for line in lines if line):
        stage = sum(each.name == "FROM" for each in found) - (name != "FROM")
        found.append(Instruction(stage, name, text))
    return found


def texts(name: str) -> list[str]:
    return [each.text for each in instructions() if each.name == name]


def last_stage() -> dict[str, str]:
    return {each.name: each.text for each in instructions() if each.stage == 1}


def installed() -> set[str]:
    """The packages that the image gets beside archcheck."""
    (words,) = re.findall(
        r"/opt/archcheck install --constraint \S+ ([^&]+)", " ".join(texts("RUN"))
    )
    return set(words.split())


def required() -> set[str]:
    extras = PROJECT["optional-dependencies"]
    declared = [*PROJECT["dependencies"], *extras["import"], *extras["plan"]]
    return {canonicalize_name(Requirement(each).name) for each in declared}


def test_there_are_two_stages_on_one_base_whose_version_is_named() -> None:
    bases = [text.split()[0] for text in texts("FROM")]
    assert len(bases) == 2
    assert len(set(bases)) == 1
    version = re.fullmatch(r"python:(3\.\d+)-slim", bases[0])
    assert version is not None
    assert version[1] in SpecifierSet(PROJECT["requires-python"])


def test_what_is_copied_is_there_and_sent_to_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    copied = [text.split()[:-1] for text in texts("COPY") if "--from" not in text]
    sources = [source for sources in copied for source in sources]
    assert {f"!{source}" for source in sources} == {line for line in ignored if line[:1] == "!"}
    for source in sources:
        assert (ROOT / source).exists(), source


def test_the_build_has_the_files_that_the_project_names() -> None:
    copied = " ".join(texts("COPY")).split()
    files = (PROJECT["readme"], *PROJECT["license-files"], "setup.py", "MANIFEST.in")
    assert all(file in copied or file.split("/")[0] in copied for file in files)


def test_it_runs_as_a_user_without_rights_and_takes_the_words_of_archcheck() -> None:
    last = last_stage()
    user, group = map(int, last["USER"].split(":"))
    assert user >= 10_000
    assert group >= 10_000
    assert f"useradd --uid {user} " in last["RUN"]
    assert last["ENTRYPOINT"] == '["archcheck"]'
    assert Path(last["WORKDIR"]).is_absolute()


def test_archcheck_comes_from_the_checkout_and_no_cache_stays() -> None:
    assert PROJECT["name"] not in FILE
    assert "PIP_NO_CACHE_DIR=1" in texts("ENV")[0]
    for text in texts("RUN"):
        assert "apt-get install" not in text or "rm -rf /var/lib/apt/lists/*" in text


def test_it_has_the_packages_of_the_core_of_imports_and_of_plans() -> None:
    assert installed() == required()


pytestmark = thorough


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("verify models/shop", 0),
        ("verify models/online_boutique --format sarif", 1),
        ("verify examples/repository", 0),
        ("prove models/shop", 0),
        ("simulate examples/checkout.py", 0),
        ("explain RES001", 0),
    ],
)
def test_its_packages_are_enough_for_text(line: str, code: int) -> None:
    done = with_only(installed(), *line.split())
    assert done.returncode == code, done.stderr
    assert done.stdout


def test_a_picture_says_which_package_is_not_there(tmp_path: Path) -> None:
    done = with_only(installed(), "diagram", "models/shop", "-o", tmp_path / "shop.svg")
    assert (done.returncode, done.stderr) == (
        2,
        "error: this needs the extra 'draw' of archcheck (diagrams is not installed); type: "
        "pip install altair diagrams fonttools graphviz-pure pikepdf pillow vl-convert-python\n",
    )
