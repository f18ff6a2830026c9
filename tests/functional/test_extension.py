"""Rules of one's own, the pytest plugin, and the first steps."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from commands import archcheck
from depth import thorough

from archcheck.cli import installing
from archcheck.cli.installing import PLACEHOLDER, install_command

ROOT = Path(__file__).parents[2]


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "100"},
    )


# -- the first steps ------------------------------------------------------------------------------


@pytest.mark.parametrize("ci", ["github", "gitlab", "none"])
def test_init_gives_a_model_that_verifies(ci: str, tmp_path: Path) -> None:
    done = archcheck("init", "--yes", "--ci", ci, "--name", "my shop", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    verified = archcheck("verify", cwd=tmp_path)
    assert verified.returncode == 0, verified.stdout
    assert verified.stdout.startswith("my shop: 2 services")
    assert "0 errors, 0 warnings, 0 infos" in verified.stdout
    assert archcheck("simulate", cwd=tmp_path).returncode == 0
    tomllib.loads((tmp_path / "archcheck.toml").read_text())
    made = {path.name for path in tmp_path.rglob("*.yml")}
    assert made == {"github": {"architecture.yml"}, "gitlab": {".gitlab-ci.yml"}}.get(ci, set())


@pytest.mark.parametrize(
    ("origin", "line"),
    [
        (
            {
                "url": "https://u:secret@git.example/a.git",
                "vcs_info": {"vcs": "git", "commit_id": "c0ffee"},
            },
            'pip install "archcheck-models @ git+https://git.example/a.git@c0ffee"',
        ),
        (
            {
                "url": "ssh://git@git.example/a.git",
                "vcs_info": {"vcs": "git", "commit_id": "c0ffee"},
            },
            'pip install "archcheck-models @ git+ssh://git@git.example/a.git@c0ffee"',
        ),
        (
            {"url": "https://files.example/a-1.whl", "archive_info": {}},
            'pip install "archcheck-models @ https://files.example/a-1.whl"',
        ),
        ({"url": "file:///home/me/archcheck", "dir_info": {"editable": True}}, PLACEHOLDER),
        ({"url": "file:///r", "vcs_info": {"vcs": "git", "commit_id": "c0ffee"}}, PLACEHOLDER),
        ({"url": 'https://x/$(reboot)"', "archive_info": {}}, PLACEHOLDER),
        (None, PLACEHOLDER),
    ],
)
def test_a_pipeline_installs_archcheck_from_where_it_came(
    origin: object, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Installed:
        @staticmethod
        def read_text(name: str) -> str | None:
            return None if origin is None else json.dumps(origin)

    monkeypatch.setattr(installing, "distribution", lambda _: Installed)
    assert install_command() == line


def test_a_pipeline_never_installs_a_name_from_an_index(tmp_path: Path) -> None:
    done = archcheck("init", "--yes", "--ci", "github", cwd=tmp_path)
    text = (tmp_path / ".github/workflows/architecture.yml").read_text()
    assert "pip install archcheck" not in text
    steps = yaml.safe_load(text)["jobs"]["verify"]["steps"]
    assert steps[2]["run"].strip() == PLACEHOLDER  # an editable installation cannot be repeated
    assert "edit its first step" in done.stdout


def test_init_changes_nothing_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "archcheck.toml").write_text("# mine\n")
    done = archcheck("init", "--yes", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "error: archcheck.toml exists already; nothing was written\n"
    assert [path.name for path in tmp_path.iterdir()] == ["archcheck.toml"]


def test_init_says_what_to_do_where_nobody_answers(tmp_path: Path) -> None:
    done = archcheck("init", "shop", cwd=tmp_path, stdin="")
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert not (tmp_path / "shop").exists()


def test_init_asks_when_it_is_not_told(tmp_path: Path) -> None:
    done = archcheck("init", cwd=tmp_path, stdin="bakery\nteam-bread\nnone\n")
    assert done.returncode == 0
    assert '"bakery"' in (tmp_path / "models" / "architecture.py").read_text()
    assert "team-bread" in (tmp_path / "models" / "architecture.py").read_text()


@pytest.mark.parametrize("name", ['a"b', "a{b}", "a.b", "a\\b"])
def test_init_refuses_names_that_would_not_load(name: str, tmp_path: Path) -> None:
    done = archcheck("init", "--yes", "--name", name, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


# -- rules of one's own ---------------------------------------------------------------------------


def test_a_new_rule_runs_at_once_and_is_right_about_its_examples(tmp_path: Path) -> None:
    archcheck("init", "--yes", "--ci", "none", cwd=tmp_path)
    done = archcheck("rules", "--new", "no-description", "--id", "ACM001", cwd=tmp_path)
    assert done.returncode == 0
    assert "rules/no_description.py" in done.stderr
    verified = archcheck("verify", "--select", "ACM", "--strict", cwd=tmp_path)
    assert verified.returncode == 3
    assert "declare description in 2 places: decides ACM001" in verified.stdout
    assert "ACM001" in archcheck("rules", cwd=tmp_path).stdout
    page = archcheck("explain", "no-description", cwd=tmp_path).stdout
    assert page.startswith("# ACM001 no-description")
    assert "min-words" in page
    (tmp_path / "test_rules.py").write_text(EXAMPLES)
    tested = run("pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path)
    assert tested.returncode == 0, tested.stdout
    assert "4 passed" in tested.stdout


EXAMPLES = """
from pathlib import Path
import pytest
from archcheck.findings import evaluate
from archcheck.plugins import rules

RULE = next(rule for rule in rules(Path(__file__).parent / "rules") if rule.id == "ACM001")

@pytest.mark.parametrize("example", RULE.examples, ids=lambda e: e.build.__name__)
def test_example(example):
    outcome = evaluate(RULE, example.graph())
    found = [place.subject for finding in outcome.findings for place in finding.occurrences]
    missing = [question.missing for question in outcome.questions]
    assert (missing if example.kind == "unknown" else found) == list(example.expected)
"""


@pytest.mark.parametrize("arguments", [("--new", "No Good"), ("--new", "good", "--id", "x1")])
def test_a_new_rule_needs_a_proper_name_and_id(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = archcheck("rules", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: a rule's ")
    assert not list(tmp_path.iterdir())


def test_explain_knows_ids_and_names_and_the_nearest(tmp_path: Path) -> None:
    by_id = archcheck("explain", "res002", cwd=tmp_path).stdout
    assert by_id == archcheck("explain", "timeout-inversion", cwd=tmp_path).stdout
    assert by_id == (ROOT / "docs" / "rules" / "RES002.md").read_text()
    done = archcheck("explain", "timeout-inversoin", cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean 'timeout-inversion'" in done.stderr


def test_the_rules_are_listed_by_concern(tmp_path: Path) -> None:
    done = archcheck("rules", "--profile", "minimal", cwd=tmp_path)
    assert done.returncode == 0
    for concern in ("service boundaries", "resilience", "the model"):
        assert concern in done.stdout
    assert re.search(r"RES001 +no-timeout +error +yes", done.stdout)
    assert re.search(r"RES009 +no-circuit-breaker +warning +no", done.stdout)


@pytest.mark.parametrize("pack", sorted(p.name for p in (ROOT / "examples" / "packs").iterdir()))
def test_the_packs_in_the_examples_are_right(pack: str) -> None:
    folder = ROOT / "examples" / "packs" / pack
    done = archcheck("verify", "--config", "archcheck.toml", cwd=folder)
    shown = re.search(r"```\n(.*?)\n```", (folder / "README.md").read_text(), re.DOTALL)
    assert shown is not None
    assert done.stdout.strip() == shown[1].strip()


# -- pytest ---------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    archcheck("init", "--yes", "--ci", "none", cwd=tmp_path)
    (tmp_path / "test_it.py").write_text(
        'def test_architecture(archcheck):\n    archcheck.check("models")\n'
    )
    return tmp_path


def pytest_in(project: Path, *arguments: str) -> str:
    return run("pytest", "-p", "no:cacheprovider", "-rs", *arguments, cwd=project).stdout


@thorough
def test_there_is_a_test_for_each_rule(project: Path) -> None:
    text = pytest_in(project, "--archcheck", "-v")
    assert re.search(r"RES001 no-timeout PASSED", text)
    assert re.search(r"SKIPPED .*: undecided: breaker is not declared", text)
    assert re.search(r"SKIPPED .*: not applicable: ", text)
    assert " failed" not in text
    assert "1 passed" in pytest_in(project)


def test_a_violation_fails_with_its_place_and_no_traceback(project: Path) -> None:
    model = project / "models" / "architecture.py"
    model.write_text(model.read_text().replace(", timeout=200 * ms", ""))
    text = pytest_in(project, "--archcheck")
    assert re.search(r"architecture.py:\d+: web.show calls items.get without a timeout", text)
    assert "2 failed" in text  # the rule, and the test that checks all
    assert "error[RES001] no-timeout" in text
    assert "pytest_plugin.py" not in text.partition("RES001 no-timeout ___")[2].partition("___")[0]


def test_the_plugin_keeps_quiet_when_it_is_not_asked(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_nothing():\n    pass\n")
    assert "1 passed" in pytest_in(tmp_path)


# -- files for other tools ------------------------------------------------------------------------


def test_the_action_and_the_workflows_follow_their_schemas(tmp_path: Path) -> None:
    archcheck("init", "--yes", "--ci", "github", "a", cwd=tmp_path)
    archcheck("init", "--yes", "--ci", "gitlab", "b", cwd=tmp_path)
    page = (ROOT / "docs" / "how-to" / "gate-a-merge.md").read_text()
    github, gitlab = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "github.yml").write_text(github)
    (tmp_path / "gitlab.yml").write_text(gitlab)
    for schema, path in (
        ("vendor.github-actions", ROOT / "action.yml"),
        ("vendor.github-workflows", tmp_path / "github.yml"),
        ("vendor.gitlab-ci", tmp_path / "gitlab.yml"),
        ("vendor.github-workflows", tmp_path / "a/.github/workflows/architecture.yml"),
        ("vendor.gitlab-ci", tmp_path / "b/.gitlab-ci.yml"),
    ):
        done = run("check_jsonschema", "--builtin-schema", schema, str(path), cwd=tmp_path)
        assert done.returncode == 0, done.stdout


def test_the_pre_commit_hook_is_complete() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["entry"] == "archcheck verify"
    assert re.search(hook["files"], "models/shop.py")
    assert not re.search(hook["files"], "src/models.py")
