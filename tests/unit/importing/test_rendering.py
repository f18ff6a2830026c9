"""Kustomizations and charts are rendered if it is asked for, and nothing else is run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from depth import thorough
from imported import mutants, service, write

from archcheck.importing import Choices, Import, import_paths
from archcheck.importing.kubernetes import rendering, running
from archcheck.model import ModelError

ROOT = Path(__file__).parents[3]
GO = Path(os.environ.get("ARCHCHECK_GO", ROOT / ".venv" / "go" / "bin"))
MUST = os.environ.get("ARCHCHECK_LEAVES_OUT") == "nothing"

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: shop/web:1
        env:
        - {name: ORDERS_URL, value: "http://orders"}
"""
ORDERS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: orders}
spec:
  template:
    metadata: {labels: {app: orders}}
    spec: {containers: [{name: orders, image: shop/orders}]}
---
apiVersion: v1
kind: Service
metadata: {name: orders}
spec: {selector: {app: orders}}
"""
PATCH = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - name: web
        resources: {limits: {cpu: 500m}}
"""
PROD = """
resources: [../../base]
namePrefix: prod-
namespace: shop
images:
- {name: shop/web, newTag: "2"}
replicas:
- {name: web, count: 5}
patches:
- path: limits.yaml
"""
API = """
{{- if .Values.enabled }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-api
spec:
  replicas: {{ .Values.replicas }}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
      - name: api
        image: shop/api:1
        resources:
          limits:
            cpu: 250m
{{- end }}
"""


def tree(folder: Path, **files: str) -> Path:
    (folder / ".git").mkdir(parents=True)
    return write(folder, **files)


def overlays(folder: Path) -> Path:
    return tree(
        folder,
        base__kustomization_dot_yaml="resources: [web.yaml, orders.yaml]\n",
        base__web_dot_yaml=WEB,
        base__orders_dot_yaml=ORDERS,
        overlays__prod__kustomization_dot_yaml=PROD,
        overlays__prod__limits_dot_yaml=PATCH,
        overlays__dev__kustomization_dot_yaml="resources: [../../base, seed.yaml]\n",
        overlays__dev__seed_dot_yaml=WEB.replace("web", "seed"),
    )


def chart(folder: Path) -> Path:
    return write(
        folder,
        Chart_dot_yaml="apiVersion: v2\nname: shop\nversion: 1.0.0\n",
        values_dot_yaml="replicas: 3\nenabled: true\n",
        templates__api_dot_yaml=API,
    )


def names(found: Import) -> set[str]:
    return {element.name for element in found.system.elements}


def reasons(found: Import) -> dict[str, str]:
    return {Path(path).parent.name: reason for path, reason in found.skipped}


def rendered(*paths: Path) -> Import:
    return import_paths(paths, choices=Choices(render=True))


Tool = Callable[..., Path]


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    """A program of this name is all that is on the PATH: a script of the shell."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def made(name: str, script: str) -> Path:
        program = folder / name
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
        return program

    return made


# -- what happens unasked --------------------------------------------------------------------------


def test_nothing_is_run_unasked(tmp_path: Path, tool: Tool) -> None:
    run = tmp_path / "run"
    for name in ("kustomize", "kubectl", "helm"):
        tool(name, f"echo > {run}")
    found = import_paths([overlays(tmp_path / "shop")])
    assert names(found) == {"web", "orders", "seed"}
    assert not run.exists()
    how = "a kustomization is rendered by 'archcheck import --render', which runs kustomize"
    assert all(how in reasons(found)[each] for each in ("base", "dev"))
    with pytest.raises(ModelError, match="a Helm chart is rendered by 'archcheck import --render'"):
        import_paths([chart(tmp_path / "chart")])
    assert not run.exists()


def test_a_kustomization_may_have_no_suffix(tmp_path: Path) -> None:
    shop = tree(tmp_path / "shop", Kustomization="resources: [web.yaml]\n", web_dot_yaml=WEB)
    assert "a kustomization is rendered by" in reasons(import_paths([shop]))["shop"]


def test_what_would_be_rendered_and_is_named_is_one_sentence(tmp_path: Path) -> None:
    path = overlays(tmp_path / "shop") / "overlays" / "prod" / "kustomization.yaml"
    with pytest.raises(ModelError, match="is rendered by 'archcheck import --render'") as error:
        import_paths([path])
    assert error.value.place is not None
    assert error.value.place.file == str(path)


@pytest.mark.parametrize("render", [False, True])
def test_a_component_that_nobody_includes_is_no_part(
    tmp_path: Path, tool: Tool, render: bool
) -> None:
    shop = tree(
        tmp_path / "shop",
        web_dot_yaml=WEB,
        more__kustomization_dot_yaml="kind: Component\nresources: [orders.yaml, ../web.yaml]\n",
        more__orders_dot_yaml=ORDERS,
        kustomization_dot_yaml="resources: [web.yaml]\n# components: [more]\n",
    )
    found = import_paths([shop], choices=Choices(render=render))
    assert names(found) == {"web"}
    assert reasons(found)["more"] == "a component that no kustomization in the files includes"
    (shop / "kustomization.yaml").write_text("resources: [web.yaml]\ncomponents: [more]\n")
    assert names(import_paths([shop])) == {"web", "orders"}


# -- without the programs --------------------------------------------------------------------------


def test_without_the_programs_files_are_read_as_they_lie(tmp_path: Path, tool: Tool) -> None:
    shop = overlays(tmp_path / "shop")
    chart(shop / "chart")
    found = rendered(shop)
    assert names(found) == {"web", "orders", "seed"}
    said = reasons(found)
    assert said["base"] == "is rendered by kustomize or kubectl, which are not on the PATH"
    assert said["chart"] == "is rendered by helm, which is not on the PATH"


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("echo 'Error: no such thing' >&2; exit 1", "kustomize refuses it: no such thing"),
        ("exit 3", "kustomize refuses it: it ends with 3"),
        ("echo 'a: [b'", "what kustomize prints is not YAML"),
        ("while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done", "prints more than 1 MiB"),
        ("while :; do :; done", "takes longer than 0.5 s"),
        ("/bin/sleep 60; echo", "takes longer than 0.5 s"),  # by what it has started
    ],
)
def test_programs_that_fail_are_one_sentence(
    tmp_path: Path, tool: Tool, monkeypatch: pytest.MonkeyPatch, script: str, sentence: str
) -> None:
    monkeypatch.setattr(running, "MOST_SECONDS", 0.5)
    monkeypatch.setattr(running, "MAX_BYTES", 1024**2)
    tool("kustomize", script)
    path = overlays(tmp_path / "shop") / "overlays" / "prod" / "kustomization.yaml"
    with pytest.raises(ModelError, match=sentence):
        rendered(path)


def test_a_program_that_is_none_is_one_sentence(tmp_path: Path, tool: Tool) -> None:
    tool("kustomize", "").write_bytes(b"\x7fELF")
    with pytest.raises(ModelError, match="kustomize cannot be run: Exec format error"):
        rendered(overlays(tmp_path / "shop") / "overlays" / "prod" / "kustomization.yaml")


def test_programs_see_nothing_of_the_user(
    tmp_path: Path, tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No credentials, no settings, no other program (Kustomize clones with git), no network, and of
    the files only those that are meant."""
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    seen = tmp_path / "seen"
    tool("kustomize", f"/usr/bin/env > {seen}; /usr/bin/find . -type f >> {seen}; exit 1")
    shop = overlays(tmp_path / "shop")
    (shop / "base" / "private.yaml").write_text("a: b\n", encoding="utf-8")
    with pytest.raises(ModelError):
        rendered(shop / "overlays" / "prod" / "kustomization.yaml")
    lines = seen.read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if "hunter2" in line or str(Path.home()) in line]
    said = dict(line.split("=", 1) for line in lines if "=" in line)
    assert not [*Path(said["PATH"]).glob("*")]
    assert said["HTTPS_PROXY"] == "http://127.0.0.1:9"
    assert sorted(line for line in lines if line.startswith("./")) == [
        "./base/kustomization.yaml", "./base/orders.yaml", "./base/web.yaml",
        "./overlays/prod/kustomization.yaml", "./overlays/prod/limits.yaml",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("resources: ['https://example.com/web.yaml']", "nothing is fetched from elsewhere"),
        ("resources: ['github.com/shop/base']", "nothing is fetched from elsewhere"),
        ("resources: ['git@example.com:shop/base']", "nothing is fetched from elsewhere"),
        ("resources: ['base?ref=v1']", "nothing is fetched from elsewhere"),
        ("components: ['https://example.com/c']", "nothing is fetched from elsewhere"),
        ("patches: [{path: 'https://example.com/p.yaml'}]", "nothing is fetched from elsewhere"),
        ("transformers: [fetches.yaml]", "names what is elsewhere"),
        ('generators: ["a: b\\npath: https://example.com/p"]', "names what is elsewhere"),
        ("crds: ['https://example.com/c.json']", "nothing is fetched from elsewhere"),
        ("openapi: {path: 'https://example.com/s.json'}", "nothing is fetched from elsewhere"),
        ("configMapGenerator: [{name: a, files: ['b=https://example.com/c']}]",
         "nothing is fetched from elsewhere"),
        ("helmCharts: [{name: redis}]", "has helmCharts, for which Kustomize fetches charts"),
        ("resources: [../../elsewhere]", "lies outside of shop"),
        ("resources: [wbe.yaml]", "there is no file 'wbe.yaml'"),
        ("resources: {web.yaml: 1}", "resources must be a list"),
        ("kind: Component", "is a component: a part that"),
    ],
)  # fmt: skip
def test_what_is_elsewhere_is_refused_before_anything_runs(
    tmp_path: Path, tool: Tool, text: str, sentence: str
) -> None:
    run = tmp_path / "run"
    tool("kustomize", f"echo > {run}; exit 1")
    (tmp_path / "elsewhere").mkdir()
    fetches = "kind: PatchTransformer\npath: https://example.com/p\n"
    shop = tree(
        tmp_path / "shop",
        kustomization_dot_yaml=text,
        web_dot_yaml=WEB,
        fetches_dot_yaml=fetches,
    )
    (shop / "github.com" / "shop" / "base").mkdir(parents=True)
    with pytest.raises(ModelError, match=sentence):
        rendered(shop / "kustomization.yaml")
    assert not run.exists()
    if "kind" not in text:
        assert names(rendered(shop)) == {"web"}


def test_all_renderings_together_end(
    tmp_path: Path, tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "MOST_SECONDS", 0.0)
    tool("kustomize", "echo")
    found = rendered(overlays(tmp_path / "shop"))
    assert names(found) == {"web", "orders", "seed"}
    assert "rendering has taken 0 s; name it by itself" in reasons(found)["base"]


def test_links_of_a_chart_are_refused(tmp_path: Path, tool: Tool) -> None:
    tool("helm", "echo")
    folder = chart(tmp_path / "shop")
    (folder / "secret.txt").symlink_to("/etc/hostname")
    with pytest.raises(ModelError, match="holds a link, 'secret"):
        rendered(folder / "Chart.yaml")


def test_bases_of_bases_end(tmp_path: Path) -> None:
    shop = tree(tmp_path / "shop", web_dot_yaml=WEB)
    for number in range(60):
        write(shop, **{f"k{number}__kustomization_dot_yaml": f"resources: [../k{number + 1}]"})
    with pytest.raises(ModelError, match="bases of bases, more than 30 deep"):
        rendered(shop / "k0" / "kustomization.yaml")


# -- with the real programs ------------------------------------------------------------------------


def real(name: str, *others: str) -> pytest.MarkDecorator:
    there = any((GO / each).exists() or shutil.which(each) for each in (name, *others))
    return pytest.mark.skipif(not MUST and not there, reason=f"left out: {name} is not installed")


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{GO}{os.pathsep}{os.environ['PATH']}")


def lines(found: Import, element: str) -> dict[str, str]:
    return {
        str(fact).partition(": ")[2]: f"{Path(fact.place.file).name}:{fact.place.line}"
        for fact in found.joined.facts
        if fact.element == element
    }


@thorough
@real("kustomize", "kubectl")
@pytest.mark.usefixtures("programs")
def test_an_overlay_that_is_named_is_the_system(tmp_path: Path) -> None:
    found = rendered(overlays(tmp_path / "shop") / "overlays" / "prod")
    assert names(found) == {"prod-web", "prod-orders"}
    assert lines(found, "prod-web") == {
        "kind = Service": "web.yaml:5",
        "deployment = Kubernetes": "web.yaml:5",
        "deployment.kind = Deployment": "web.yaml:3",
        "deployment.namespace = shop": "kustomization.yaml:4",
        "deployment.replicas = 5": "kustomization.yaml:7",
        "deployment.image = shop/web:2": "kustomization.yaml:5",
        "deployment.resources = Resources": "limits.yaml:10",
        "deployment.resources.cpu_limit = 500 m": "limits.yaml:10",
    }
    assert not found.skipped
    [address] = found.joined.unexplained  # Kustomize renames no host in a text
    assert (address.place.file[-8:], address.place.line) == ("web.yaml", 15)


@thorough
@real("kustomize", "kubectl")
@pytest.mark.usefixtures("programs")
def test_of_several_overlays_the_base_is_the_system(tmp_path: Path) -> None:
    found = rendered(overlays(tmp_path / "shop"))
    assert names(found) == {"web", "orders"}
    assert not found.joined.conflicts  # what is rendered is not read a second time
    assert service(found, "web").deployment.replicas == 2  # type: ignore[union-attr]
    variant = "one of several variants of the same: name its folder to import it"
    assert reasons(found) == {"prod": variant, "dev": variant}


@thorough
@real("kustomize", "kubectl")
@pytest.mark.usefixtures("programs")
def test_a_shallow_overlay_counts_and_a_single_one_too(tmp_path: Path) -> None:
    shop = overlays(tmp_path / "shop")
    shutil.rmtree(shop / "overlays" / "dev")
    assert names(rendered(shop)) == {"prod-web", "prod-orders"}
    write(shop, kustomization_dot_yaml="resources: [base]\nnameSuffix: -v2\n")
    assert names(rendered(shop)) == {"web-v2", "orders-v2"}


@thorough
@real("kustomize", "kubectl")
@pytest.mark.usefixtures("programs")
def test_kustomizations_side_by_side_are_all_read(tmp_path: Path) -> None:
    shop = tree(
        tmp_path / "shop",
        a__kustomization_dot_yaml="resources: [web.yaml]\nnamespace: one\n",
        a__web_dot_yaml=WEB,
        b__kustomization_dot_yaml="resources: [orders.yaml]\ncomponents: [../c]\n",
        b__orders_dot_yaml=ORDERS,
        c__kustomization_dot_yaml="kind: Component\nlabels: [{pairs: {team: red}}]\n"
        "apiVersion: kustomize.config.k8s.io/v1alpha1\n",
        plain_dot_yaml=ORDERS.replace("orders", "stock"),
    )
    found = rendered(shop)
    assert names(found) == {"web", "orders", "stock"}
    assert service(found, "orders").owner == "red"


@thorough
@real("kustomize", "kubectl")
@pytest.mark.usefixtures("programs")
def test_what_is_wrong_in_a_rendered_file_is_said_with_its_line(tmp_path: Path) -> None:
    shop = overlays(tmp_path / "shop")
    (shop / "base" / "web.yaml").write_text(WEB.replace("replicas: 2", "replicas: many"))
    dev = shop / "overlays" / "dev"
    with pytest.raises(ModelError, match=r"web.yaml:7: replicas must be a whole number"):
        rendered(dev / "kustomization.yaml")
    found = rendered(shop)
    assert "orders" in names(found)
    assert "web.yaml:7: replicas must be a whole number" in reasons(found)["base"]


@thorough
@real("kustomize", "kubectl")
@pytest.mark.usefixtures("programs")
def test_bases_in_a_circle_are_one_sentence(tmp_path: Path) -> None:
    shop = tree(
        tmp_path / "shop",
        a__kustomization_dot_yaml="resources: [../b]\n",
        b__kustomization_dot_yaml="resources: [../a]\n",
    )
    with pytest.raises(ModelError, match=r"(kustomize|kubectl) refuses it: .* cycle"):
        rendered(shop / "a" / "kustomization.yaml")


@thorough
@real("helm")
@pytest.mark.usefixtures("programs")
def test_a_chart_is_read_with_the_lines_of_its_templates(tmp_path: Path) -> None:
    found = rendered(chart(tmp_path / "shop"))
    assert names(found) == {"shop-api"}
    assert lines(found, "shop-api") == {
        "kind = Service": "api.yaml:6",
        "deployment = Kubernetes": "api.yaml:6",
        "deployment.kind = Deployment": "api.yaml:4",
        "deployment.replicas = 3": "api.yaml:8",
        "deployment.image = shop/api:1": "api.yaml:14",
        "deployment.resources = Resources": "api.yaml:15",
        "deployment.resources.cpu_limit = 250 m": "api.yaml:17",
    }


@thorough
@real("helm")
@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"templates__bad_dot_yaml": "{{ .Values.a.b.c }}"}, "helm refuses it: .*nil pointer"),
        ({"templates__bad_dot_yaml": "{{ while }}"}, "helm refuses it: parse error"),
        (
            {"templates__bad_dot_yaml": '{{ range until 99999999 }}{{ repeat 999 "a" }}{{ end }}'},
            "helm",
        ),
        (
            {"Chart_dot_yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\ndependencies:\n"
             "- {name: redis, version: 1.0.0, repository: 'https://example.com'}\n"},
            r"helm refuses it: .*found in Chart.yaml, but missing in charts/ directory: redis",
        ),
        (
            {"Chart_dot_yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\ntype: library\n"},
            "is a library for other charts",
        ),
    ],
)  # fmt: skip
def test_charts_that_cannot_be_rendered_are_one_sentence(
    tmp_path: Path, more: dict[str, str], sentence: str
) -> None:
    folder = write(chart(tmp_path / "shop"), **more)
    with pytest.raises(ModelError, match=sentence):
        rendered(folder / "Chart.yaml")


def kustomized(folder: Path) -> subprocess.CompletedProcess[str]:
    tool = GO / "kustomize"
    command = [str(tool), "build"] if tool.exists() else ["kubectl", "kustomize"]
    return subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)


def facts(path: Path, *, render: bool = False) -> set[str] | None:
    try:
        found = import_paths([path], choices=Choices(render=render))
    except ModelError:
        return None
    return {str(fact) for fact in found.joined.facts}


@thorough
@real("kustomize", "kubectl")
@pytest.mark.usefixtures("programs")
def test_mutants_are_what_kustomize_makes_of_them_or_refused_by_both(tmp_path: Path) -> None:
    shop = overlays(tmp_path / "shop")
    named = shop / "overlays" / "prod" / "kustomization.yaml"
    for text in mutants(PROD.lstrip(), r"[\w./-]+", 60):
        named.write_text(text, encoding="utf-8")
        done = kustomized(named.parent)
        printed = write(tmp_path / "printed", all_dot_yaml=done.stdout) / "all.yaml"
        expected = facts(printed) if not done.returncode else None
        assert facts(named, render=True) == expected, text


@thorough
@real("kustomize", "kubectl")
@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize(
    "more",
    [
        "namePrefix: a-\nnameSuffix: -b\n",
        "commonLabels: {team: red}\n",
        "configMapGenerator: [{name: web, literals: ['ORDERS_URL=http://orders']}]\n",
        "configMapGenerator: [{name: web, files: [w=web.yaml], envs: [web.env]}]\n",
        "patches:\n- target: {kind: Deployment}\n  patch: |-\n"
        "    - {op: add, path: /spec/replicas, value: 7}\n",
        "patchesStrategicMerge: [limits.yaml]\n",
        "replacements: [{source: {kind: Deployment, name: web, fieldPath: spec.replicas}, targets: "
        "[{select: {kind: Deployment, name: orders}, fieldPaths: [spec.replicas], "
        "options: {create: true}}]}]\n",
    ],
)
def test_what_is_read_is_what_kustomize_prints(tmp_path: Path, more: str) -> None:
    """The same facts as of its output in a file, with lines of files that people write."""
    shop = tree(
        tmp_path / "shop",
        kustomization_dot_yaml=f"resources: [web.yaml, orders.yaml]\n{more}",
        web_dot_yaml=WEB,
        orders_dot_yaml=ORDERS,
        web_dot_env="A=b\n",
        **({"limits_dot_yaml": PATCH} if "limits" in more else {}),
    )
    printed = kustomized(shop)
    assert not printed.returncode, printed.stderr
    other = write(tmp_path / "printed", all_dot_yaml=printed.stdout)
    found, plain = rendered(shop), import_paths([other])
    assert {str(fact) for fact in found.joined.facts} == {str(fact) for fact in plain.joined.facts}
    for fact in found.joined.facts:
        assert Path(fact.place.file).parent == shop
        assert fact.place.line <= len(Path(fact.place.file).read_text().splitlines())
