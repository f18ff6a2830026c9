"""Whatever is in a file, there is an answer or one sentence: never a traceback, never a wait."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest
from depth import SHARE, examples, sample
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imported import write

from archcheck.importing import Choices, import_paths
from archcheck.importing.addresses import addresses_in
from archcheck.importing.compose.interpolation import Variables, substituted
from archcheck.importing.kubernetes import rendering
from archcheck.importing.yaml_files import read_yaml
from archcheck.model import ArchcheckError, ModelError, Place, from_json, to_json

SAMPLES = Path(__file__).parent / "samples"
EXAMPLES = int(os.environ.get("ARCHCHECK_FUZZ", "250"))
"""Inputs for each sample: 250 in the suite, thousands in all; more by hand."""
WORDS = (
    "{}", "[]", "~", "-1", "1e999", "99999999999999999999", "''", "*a", "&a [*a]", "!reset null",
    "${A:-${B:-${A}}}", "$", "$$", "${", "\u202e", "a.b", "->", "0.1", "true", "2024-01-01",
    "services", "include: [compose.yaml]", "extends: {service: web}", "kind: List", "items:",
    "<<: *x", "<<: [*x, *x]", "? [a]\n: b", "|", ">-", "http://[::1]:80", "jdbc:x:y:z://a,b,c:99999",
    '"""', "a = b = c", "{", "}", "a -> b {", "-> x", "!include .", "!include ../x.dsl", "/*", "\\",
    "workspace extends a.dsl", "!var A ${A}${A}", "!elements element.parent==shop {", "x -> x",
    "rpc A(B) returns (C);", "${A:${B}}", "timeout: 0s", "retries: {attempts: -1}", "host: '*'",
    "node-type: actor", "target: web", "lb://a", "1.5s", "9" * 40 + "s", "PT1H", "openapi: 3.0.0",
    "extend library {", "-[async]-> x", ".async x", "#next", "'''", "a = service 'x' {",
    "metadata {", "cluster: x", "retry_policy: {retry_on: 5xx}", "0s", "resources: [../x]",
    "namePrefix: a-",
)  # fmt: skip

texts = st.one_of(st.sampled_from(WORDS), st.text(max_size=12))


@st.composite
def mutated(draw: st.DrawFn, name: str) -> str:
    """A real file in which lines are changed, lost, repeated, moved, and words replaced."""
    (path,) = SAMPLES.parent.glob(f"*samples/{name}")
    lines = path.read_text(encoding="utf-8").splitlines()
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(lines) - 1)))
        match draw(st.sampled_from(["lose", "repeat", "indent", "value", "line", "swap", "cut"])):
            case "lose":
                del lines[at : at + draw(st.integers(1, 3))]
            case "repeat":
                lines[at:at] = lines[at : at + draw(st.integers(1, 4))]
            case "indent":
                lines[at : at + 1] = [" " * draw(st.integers(0, 8)) + "".join(lines[at : at + 1])]
            case "value":
                key, colon, _ = "".join(lines[at : at + 1]).partition(":")
                lines[at : at + 1] = [f"{key}{colon} {draw(texts)}"]
            case "line":
                lines.insert(at, draw(texts))
            case "swap":
                other = draw(st.integers(0, max(0, len(lines) - 1)))
                if lines:
                    lines[at], lines[other] = lines[other], lines[at]
            case _:
                lines = lines[: at + 1]
        if not lines:
            lines = [draw(texts)]
    return "\n".join(lines)


def answers(name: str, text: str, *, named: bool, **beside: str) -> None:
    """An import of the file, or of its folder: a system that can be written, or a sentence that
    says where."""
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder).resolve(), **beside) / name
        path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
        try:
            target = path if named else path.parent
            system = import_paths([target], choices=Choices(render=True)).system
        except ArchcheckError as error:
            refused = error
        else:
            assert from_json(to_json(system)) == system
            return
        assert str(refused)
        assert not named or getattr(refused, "place", None) is not None, refused


@pytest.mark.parametrize(
    "name",
    [
        "compose.yaml",
        "manifests.yaml",
        "workspace.json",
        "envoy.yaml",
        "envoy-config-map.yaml",
        "events.yaml",
        "catalog-info.yaml",
        "bookshop.dsl",
        "mesh.yaml",
        "payments.proto",
        "grpc_service_config.json",
        "shop-openapi.yaml",
        "application.yml",
        "trading.calm.json",
        "threats.yaml",
        "likec4.json",
        "library.c4",
    ],
)
@pytest.mark.parametrize("examples", sample([EXAMPLES // SHARE, EXAMPLES]))
def test_mutated_files_give_an_answer_or_a_sentence_with_a_line(name: str, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=[*HealthCheck])
    @given(mutated(name), st.booleans())
    def run(text: str, named: bool) -> None:
        answers(name, text, named=named)

    run()


@pytest.mark.parametrize("examples", sample([EXAMPLES // SHARE, EXAMPLES]))
def test_mutated_kustomizations_and_what_is_printed_of_them(
    monkeypatch: pytest.MonkeyPatch, examples: int
) -> None:
    """With a program that prints anything."""
    manifests = (SAMPLES / "manifests.yaml").read_text(encoding="utf-8")
    printed = [manifests]
    monkeypatch.setattr(rendering.shutil, "which", lambda program: program)
    monkeypatch.setattr(rendering, "printed_by", lambda *_: printed[0])

    @settings(max_examples=examples, deadline=None, suppress_health_check=[*HealthCheck])
    @given(mutated("kustomization.yaml"), mutated("manifests.yaml"), st.booleans(), st.booleans())
    def run(text: str, output: str, named: bool, kept: bool) -> None:
        printed[0] = manifests if kept else output
        beside = {
            "manifests_dot_yaml": manifests, "settings_dot_env": "A=b",
            "parts__kustomization_dot_yaml": "kind: Component",
        }  # fmt: skip
        answers("kustomization.yaml", text, named=named, **beside)

    run()


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (to_json(import_paths([SAMPLES]).system) for _ in range(2))
    assert first == second


@examples(300)
@given(st.text(max_size=300))
def test_any_text_is_read_as_yaml_or_refused(text: str) -> None:
    with suppress(ModelError):
        read_yaml(text, "some.yaml")


@examples(300)
@given(st.text(alphabet="ab1:/@,.=;()${}-?+ ", max_size=200), st.booleans())
def test_any_text_has_addresses_or_none(text: str, bare: bool) -> None:
    for address in addresses_in(text, bare=bare):
        assert address.host
        assert address.port is None or 0 < address.port <= 65_535
    substituted(text, Variables(), Place("x", 1))


@pytest.mark.parametrize("bad", [b"\xff\xfe\x00", b"services:\n  web:\n    image: \xff\n", b""])
def test_bytes_that_are_no_text_are_one_sentence(tmp_path: Path, bad: bytes) -> None:
    path = tmp_path / "compose.yaml"
    path.write_bytes(bad)
    with pytest.raises(ArchcheckError) as error:
        import_paths([path])
    assert "compose.yaml" in str(error.value)


def test_a_large_schema_of_custom_resources_takes_no_time(tmp_path: Path) -> None:
    """Deeply indented lines were searched for signs of contracts in the square of their width."""
    lines = "".join(f"{' ' * 3_000}a{n}: {{kind: x}}\n" for n in range(1_500))
    text = f"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec:\n{lines}"
    pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {}\n"
    (tmp_path / "crd.yaml").write_text(f"{text}{pod}")
    start = time.perf_counter()
    found = import_paths([tmp_path])
    assert time.perf_counter() - start < 4
    [web] = found.system.elements
    assert web.name == "web"
    assert found.system.place(web) == Place(str(tmp_path / "crd.yaml"), 1_507)


def test_addresses_are_found_in_no_time_in_long_texts() -> None:
    for text in (
        "a" * 100_000,
        "a." * 50_000,
        "http://" * 20_000,
        "a:1," * 30_000,
        "host=" * 9_000,
    ):
        list(addresses_in(text, bare=True))
