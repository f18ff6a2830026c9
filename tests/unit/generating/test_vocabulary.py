"""Every word of the vocabulary is written and read back, and what is written passes the tools."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest
import strategies
from depth import thorough
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from vocabulary import SURROUNDINGS, kinds, said, samples
from written import again, again_as_package, saved

from archcheck import (
    Boundary,
    Element,
    Kubernetes,
    Look,
    ModelError,
    Named,
    Network,
    Policy,
    Prices,
    Service,
    Suppression,
    System,
    Team,
)
from archcheck.generating import write_python
from archcheck.generating.python.expressions import Expressions
from archcheck.generating.python.identifiers import Names
from archcheck.generating.python.modules import Module
from archcheck.generating.python.packages import packaged
from archcheck.loading import load
from archcheck.model import Between, from_json, to_json
from archcheck.model.plain import HIDDEN

ROOT = Path(__file__).parents[3]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize("kind", [k for k in kinds() if k is not System], ids=lambda k: k.__name__)
def test_every_field_is_tried(kind: type[Element]) -> None:
    assert said(samples(kind)) == {each.name for each in fields(kind)}  # type: ignore[arg-type]


def every_value() -> tuple[str, list[Element]]:
    """A file that declares all samples, and these."""
    module = Module("Every word.", Expressions(), Names())
    parts = [part for kind in kinds() if kind is not System for part in samples(kind)]
    for number, part in enumerate(parts):
        module.assign(f"value_{number}", module.expressions.made(part))
    return module.text(), parts


def test_every_field_is_read_back() -> None:
    text, parts = every_value()
    names: dict[str, object] = {}
    exec(text, names)  # noqa: S102  # what we have written
    for number, part in enumerate(parts):
        assert names[f"value_{number}"] == part


def members(*without: type[Named]) -> list[Named]:
    """All elements with names, each under its own."""
    wanted = [k for k in kinds() if issubclass(k, Named) and not issubclass(k, without)]
    return [
        replace(part, name=f"{kind.__name__} {number}")  # type: ignore[type-var]
        for kind in wanted
        for number, part in enumerate(samples(kind))
    ]


def of(base: type[Element]) -> list[Element]:
    return [part for kind in kinds() if issubclass(kind, base) for part in samples(kind)]


def whole() -> System:
    """A system with everything in it."""
    return System(
        "whole",
        [*SURROUNDINGS, *members(Team, Boundary)],
        policies=of(Policy),  # type: ignore[arg-type]
        suppressions=of(Suppression),  # type: ignore[arg-type]
        uncertain=of(Between),  # type: ignore[arg-type]
        look=of(Look),  # type: ignore[arg-type]
        network=samples(Network)[-1],  # type: ignore[arg-type]
        prices=samples(Prices)[-1],  # type: ignore[arg-type]
        entities=["order"],
        description="Everything.",
        revision="1",
    )


def test_a_system_with_everything_is_read_back() -> None:
    system = whole()
    assert said((system,)) == {each.name for each in fields(System)}  # type: ignore[arg-type]
    assert again(system) == system
    assert again_as_package(system) == system
    assert again(from_json(to_json(system))) == system


def test_teams_and_boundaries_are_read_back() -> None:
    system = System("people", [*members(Named), *of(Team)[:1], *of(Boundary)[:1]])  # type: ignore[list-item]
    assert again(system) == system


# -- the tools ------------------------------------------------------------------------------------


def written_files() -> Iterator[tuple[str, dict[str, str]]]:
    """Packages of all kinds: real models, generated ones, one with everything."""
    for name in ("shop", "online_boutique", "social_network"):
        (system,) = load(ROOT / "models" / name)
        yield name, write_python(system)
        yield f"{name}_alone", write_python(system, one_file=True)
        yield f"{name}_commented", write_python(system, comment=source_of)
    yield "whole", packaged(whole())
    yield "vocabulary", {"__init__.py": every_value()[0]}
    odd = ["class", "заказы", "'; \"", "0:0", "/tmp/x", "x" * 150, "a b " * 45 + "c", "b\u00a0b"]  # noqa: S108
    services = [
        Service(name, boundary=name, description=f"{name} says: \u2013\n {name}\t" * 3)
        for name in odd
    ]
    yield "odd", packaged(System("odd", services, entities=["0.0.0.0", *odd]))  # noqa: S104
    yield "texts", packaged(System("texts", odd_services()))
    for number, system in enumerate(generated()):
        yield f"generated_{number}", packaged(system)


ODD_TEXTS = st.one_of(
    st.text(max_size=150),
    st.text("ab \"'\\\n\t{}é漢\U0001f69a\u0301\u2013l", max_size=220),
    st.from_regex(r"[a-z \"']{60,200}", fullmatch=True),
).filter(lambda text: not HIDDEN.search(text))


def odd_services() -> list[Service]:
    """Services with texts that are hard to break into lines, the same in each run."""
    found: list[Service] = []

    @settings(max_examples=150, derandomize=True, database=None, phases=[Phase.generate])
    @given(ODD_TEXTS, st.lists(ODD_TEXTS, max_size=4))
    def collect(text: str, tags: list[str]) -> None:
        image = Kubernetes(image=text, namespace=text[:40])
        boundary = f"b{len(found) % 20}"
        name = f"s{len(found)} {text[:20]}".strip().replace(".", ":").replace("->", "")
        name = name if "\n" not in name and "\t" not in name else f"s{len(found)}"
        service = {"description": text, "docs": text[::-1], "tags": tags, "boundary": boundary}
        try:
            found.append(Service(name, deployment=image, **service))  # type: ignore[arg-type]
        except ModelError:
            found.append(Service(f"s{len(found)}", deployment=image, **service))  # type: ignore[arg-type]

    collect()
    return found


def test_odd_texts_are_read_back() -> None:
    system = System("texts", odd_services())
    assert len(system.elements) >= 100
    assert again(system) == system
    assert again_as_package(system) == system


def source_of(part: Element) -> str:
    """A comment above every element, from a file of its kind."""
    return f"deploy/{type(part).__name__}.yaml:12"


def generated() -> list[System]:
    """The five largest of some random systems, the same in each run."""
    found: list[System] = []

    @settings(max_examples=30, derandomize=True, database=None, phases=[Phase.generate])
    @given(strategies.systems())
    def collect(system: System) -> None:
        found.append(system)

    collect()
    return sorted(found, key=lambda system: len(str(system)))[-5:]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    for name, files in written_files():
        saved(files, folder / name)
    return folder


def passes(*command: str | Path, cwd: Path, **environment: str) -> None:
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, check=False, cwd=cwd, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr


@thorough
def test_ruff_finds_nothing(written: Path) -> None:
    config = ROOT / "pyproject.toml"
    for arguments in (("format", "--check"), ("check",)):
        passes(BIN / "ruff", *arguments, "--no-cache", "--config", config, ".", cwd=written)


@thorough
def test_mypy_finds_nothing(written: Path) -> None:
    options = ["--config-file=", "--strict", "--follow-imports=silent", "--no-error-summary"]
    cache = str(written / ".cache")
    packages = [word for path in sorted(written.iterdir()) for word in ("-p", path.name)]
    command = [sys.executable, "-m", "mypy", *options, "--cache-dir", cache, *packages]
    passes(*command, cwd=written, MYPYPATH=f"{written}:{ROOT / 'src'}")
