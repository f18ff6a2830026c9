"""``archcheck import``: what it prints and writes, and what every command does with such files."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from commands import archcheck

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    shutil.copytree(SAMPLES, tmp_path / "deploy")
    return tmp_path


def test_it_says_what_was_read_joined_and_is_missing(shop: Path) -> None:
    done = archcheck("import", "deploy/compose.yaml", cwd=shop)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("corner-shop: ")
    assert "read: 1 file of Docker Compose" in done.stdout
    assert "5 start orders" in done.stdout
    assert "addresses of nobody in the files: 1\n  orders: https://mail.example.com" in done.stdout
    assert "missing most:" in done.stdout
    assert "There are no journeys" in done.stdout


def test_verbose_shows_where_each_value_is_from(shop: Path) -> None:
    done = archcheck("import", "deploy/compose.yaml", "-v", cwd=shop)
    assert "orders: deployment.restart = on-failure (deploy/compose.yaml:51)" in done.stdout
    assert "the variable DB_PASSWORD is set by no file" in done.stdout


def test_kubernetes_wins_over_compose_and_the_rest_is_joined(shop: Path) -> None:
    files = ("deploy/compose.yaml", "deploy/manifests.yaml")
    done = archcheck("import", *files, cwd=shop)
    assert "in conflict: 2\n  web: deployment is Kubernetes (deploy/manifests.yaml:14), not " in (
        done.stdout
    )
    assert "web -> collector: environment OTEL_EXPORTER_OTLP_ENDPOINT" in done.stdout
    assert "another deployment of it counts, which is not given this address" in done.stdout
    assert "left out" not in done.stdout


def test_of_two_deployments_of_the_same_services_one_is_read(shop: Path) -> None:
    for name in ("web", "orders", "stock", "base"):
        (shop / "deploy" / f"{name}.yaml").write_text(
            f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: shop}}\n",
            encoding="utf-8",
        )
    done = archcheck("import", "deploy", cwd=shop)
    assert "deploy/compose.yaml: another deployment of the same services: name it" in done.stdout
    assert "Kafka" not in done.stdout


def test_the_model_is_written_and_can_be_used(shop: Path) -> None:
    done = archcheck("import", "deploy", "-o", "shop.json", "--name", "shop", cwd=shop)
    assert done.returncode == 0, done.stderr
    assert archcheck("verify", "shop.json", cwd=shop).stdout.startswith("shop: ")
    assert archcheck("diagram", "shop.json", "-o", "shop.svg", cwd=shop).returncode == 0
    drawing = (shop / "shop.svg").read_text(encoding="utf-8")
    assert "what it asks is not declared" in drawing


def test_a_model_that_is_there_stays(shop: Path) -> None:
    (shop / "shop.json").write_text("mine", encoding="utf-8")
    done = archcheck("import", "deploy", "-o", "shop.json", cwd=shop)
    assert done.returncode == 2
    assert "shop.json is there already and stays as it is" in done.stderr
    assert (shop / "shop.json").read_text(encoding="utf-8") == "mine"


def test_json_says_the_same(shop: Path) -> None:
    done = archcheck("import", "deploy/manifests.yaml", "--format", "json", cwd=shop)
    found = json.loads(done.stdout)
    assert found["format"] == "archcheck.import/1"
    assert {"source": "web", "target": "cache", "said": "environment CACHE_HOST",
            "file": "deploy/manifests.yaml", "line": 59} in found["edges"]  # fmt: skip
    assert found["files"] == [{"path": "deploy/manifests.yaml", "kind": "Kubernetes"}]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere"], "there is no file or folder nowhere"),
        (["deploy", "--from", "kubernets"], "there is no importer 'kubernets'; did you mean"),
        (["empty"], "nothing in empty is known; archcheck reads Kubernetes, Docker Compose"),
        (["notes.yaml"], "notes.yaml:1: is none of what is known here"),
        (["deploy", "-o", "my-shop"], "Python cannot import 'my-shop'; write to my_shop"),
    ],
)
def test_what_it_cannot_do_is_one_sentence(shop: Path, words: list[str], sentence: str) -> None:
    (shop / "empty").mkdir()
    (shop / "notes.yaml").write_text("a: b\n", encoding="utf-8")
    done = archcheck("import", *words, cwd=shop)
    assert done.returncode == 2
    assert sentence in done.stderr


def test_a_broken_file_of_a_folder_is_left_out_with_the_reason(shop: Path) -> None:
    broken = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {replicas: many}\n"
    (shop / "deploy" / "broken.yaml").write_text(broken, encoding="utf-8")
    done = archcheck("import", "deploy", cwd=shop)
    assert done.returncode == 0, done.stderr
    assert "deploy/broken.yaml: line 4: replicas must be a whole number" in done.stdout
    named = archcheck("import", "deploy/broken.yaml", cwd=shop)
    assert named.returncode == 2
    assert "deploy/broken.yaml:4: replicas must be a whole number, got 'many'" in named.stderr


@pytest.mark.parametrize("command", ["simulate", "plan", "chaos"])
def test_load_needs_journeys_and_says_so(shop: Path, command: str) -> None:
    done = archcheck(command, "deploy/compose.yaml", cwd=shop)
    assert done.returncode == 2
    assert "declares no endpoint, so there is no request to follow; declare" in done.stderr


def test_python_of_a_repository_is_not_run(shop: Path) -> None:
    (shop / "deploy" / "setup.py").write_text("raise SystemExit('run')", encoding="utf-8")
    done = archcheck("verify", "deploy", cwd=shop)
    assert "imported deploy from 1 file (Kubernetes)" in done.stderr


def test_a_folder_of_models_is_no_import(shop: Path) -> None:
    (shop / "models").mkdir()
    (shop / "models" / "shop.py").write_text(
        "from archcheck import Service\nshop = Service('mine')\n", encoding="utf-8"
    )
    (shop / "models" / "values.yaml").write_text("kind: nothing\n", encoding="utf-8")
    assert archcheck("verify", cwd=shop).stdout.startswith("models: 1 service")


def test_helm_charts_say_how_they_are_read(shop: Path) -> None:
    chart = shop / "deploy" / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("name: shop\nversion: 1.0.0\n", encoding="utf-8")
    (chart / "templates" / "web.yaml").write_text("kind: {{ .Values.kind }}\n", encoding="utf-8")
    done = archcheck("import", "deploy", cwd=shop)
    how = "a Helm chart is rendered by 'archcheck import --render', which runs helm"
    assert f"deploy/chart/Chart.yaml: {how}" in done.stdout
    alone = archcheck("import", "deploy/chart", cwd=shop)
    assert alone.returncode == 2
    assert how in alone.stderr


@pytest.mark.parametrize("name", ["archive", "archive-service", "old-town", "unused-seats"])
def test_a_service_is_not_given_up_because_of_its_name(shop: Path, name: str) -> None:
    (shop / "deploy" / name).mkdir()
    (shop / "deploy" / name / "web.yaml").write_text(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ghost}\n", encoding="utf-8"
    )
    done = archcheck("import", "deploy", "-v", cwd=shop)
    assert "ghost: kind = Service" in done.stdout


@pytest.mark.parametrize("name", ["old", "old-docs", "Deprecated", "old_k8s"])
def test_what_nobody_uses_is_no_second_opinion(shop: Path, name: str) -> None:
    """Left out, unless it is named: else its images and replicas would count."""
    (shop / "deploy" / name).mkdir()
    (shop / "deploy" / name / "ghost.yaml").write_text(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ghost}\n", encoding="utf-8"
    )
    done = archcheck("import", "deploy", cwd=shop)
    assert f"deploy/{name}/: given up, by its name; name it to read it" in done.stdout
    named = archcheck("import", f"deploy/{name}", cwd=shop)
    assert named.returncode == 0, named.stderr


def test_init_offers_the_import_where_there_is_something(shop: Path) -> None:
    done = archcheck("init", "--yes", "--ci", "none", cwd=shop)
    assert "there are manifests or Compose files here: archcheck import . makes" in done.stdout
    (shop / "empty").mkdir()
    done = archcheck("init", "empty", "--yes", "--ci", "none", cwd=shop)
    assert "archcheck import" not in done.stdout


def test_without_the_extra_it_says_what_to_type(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    done = archcheck("import", "deploy", cwd=shop)
    assert done.returncode == 2
    assert "needs the extra 'import' of archcheck" in done.stderr
    assert done.stderr.rstrip().endswith("type: pip install pyyaml")


def test_a_model_of_nothing_is_none(tmp_path: Path) -> None:
    """It would have no findings, as if all were well: charts that are not rendered say nothing."""
    for name in ("web", "api"):
        chart = tmp_path / "charts" / name / "Chart.yaml"
        chart.parent.mkdir(parents=True)
        chart.write_text(f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n")
    quota = "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: all}\n"
    (tmp_path / "quota.yaml").write_text(quota)
    done = archcheck("import", ".", "-o", "model", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: what was read in . names nothing that runs; left out: ")
    assert "is rendered by 'archcheck import --render'" in " ".join(done.stderr.split())
    assert not (tmp_path / "model").exists()
