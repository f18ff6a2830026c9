"""``archcheck export --format python``: a model becomes files, and nothing that exists changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import ROOT, archcheck

from archcheck.loading import load

SHOP = str(ROOT / "models" / "shop")


def export(*arguments: object, cwd: Path, model: str = SHOP) -> tuple[int, str, str]:
    done = archcheck("export", model, "--format", "python", *arguments, cwd=cwd)
    return done.returncode, done.stdout, done.stderr


def test_a_model_becomes_a_package(tmp_path: Path) -> None:
    code, out, err = export("-o", "models/shop", cwd=tmp_path)
    assert (code, out) == (0, "")
    assert err.startswith("wrote models/shop (")
    assert {"__init__.py", "catalogue.py", "payment.py", "shared.py", "journeys.py"} <= {
        path.name for path in (tmp_path / "models" / "shop").iterdir()
    }
    assert load(tmp_path / "models" / "shop") == load(SHOP)
    assert archcheck("verify", cwd=tmp_path).returncode == 0


def test_a_model_becomes_one_file_or_is_printed(tmp_path: Path) -> None:
    assert export("-o", "shop.py", cwd=tmp_path) == (0, "", "wrote shop.py\n")
    assert load(tmp_path / "shop.py") == load(SHOP)
    code, out, _ = export(cwd=tmp_path)
    assert code == 0
    assert out == (tmp_path / "shop.py").read_text()


def test_a_json_model_becomes_python_and_json_again(tmp_path: Path) -> None:
    assert archcheck("export", SHOP, "-o", "shop.json", cwd=tmp_path).returncode == 0
    assert export("-o", "shop.py", cwd=tmp_path, model="shop.json")[0] == 0
    again = archcheck("export", "shop.py", cwd=tmp_path).stdout
    assert again == (tmp_path / "shop.json").read_text()


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        assert export("-o", folder, cwd=tmp_path)[0] == 0
    one, two = (sorted((tmp_path / each).rglob("*.py")) for each in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "mine.txt").write_text("mine")
    (tmp_path / "shop.py").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "folder.py").mkdir()
    for target in ("shop", "shop.py", "link", "folder.py", "shop.py/inside"):
        code, _, err = export("-o", target, cwd=tmp_path)
        assert code == 2
        assert err == (
            f"error: {target} exists already and nothing was written; write the model to another "
            "place and compare the two, or move this one away\n"
        )
    assert (tmp_path / "shop.py").read_text() == "mine"
    assert [path.name for path in (tmp_path / "shop").iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_a_place(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    assert export("-o", "shop", cwd=tmp_path)[0] == 0


@pytest.mark.parametrize(
    ("target", "better"),
    [
        ("my-shop", "my_shop"),
        ("models/shop.v2", "models/shop_v2"),
        ("class", "model_class"),
        ("2shop.py", "model_2shop.py"),
    ],
)
def test_a_name_that_python_cannot_import_is_refused(
    target: str, better: str, tmp_path: Path
) -> None:
    code, _, err = export("-o", target, cwd=tmp_path)
    assert code == 2
    assert err.endswith(f"; write to {better}\n")
    assert not list(tmp_path.iterdir())


def test_a_wrong_model_leaves_no_folder(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text("from archcheck import Service\nService(1)\n")
    code, _, err = export("-o", "models/new", cwd=tmp_path, model="wrong.py")
    assert code == 2
    assert "wrong.py:2" in err
    assert not (tmp_path / "models").exists()


def test_files_that_a_model_names_are_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(
        "from archcheck import *\n"
        'a = Service("a", endpoints=[Endpoint("run")])\n'
        'go = Journey("go", "a.run")\n'
        'day = Scenario("day", load=[Load("go", Recorded(file="day.txt"))])\n'
    )
    code, _, err = export("-o", "new.py", cwd=tmp_path, model="m.py")
    assert code == 0
    assert "day.txt is not copied: put it beside the written file that names it\n" in err


COMPOSE = """services:
  web:
    image: registry.example/web:1.0
    environment:
      DATABASE_URL: postgres://shop@db:5432/shop
    deploy:
      replicas: 3
  db:
    image: postgres:16.1
"""


def test_an_import_is_written_as_python_that_names_its_sources(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    done = archcheck("import", "compose.yaml", "-o", "models/shop", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "wrote models/shop (1 file" in done.stderr
    text = (tmp_path / "models/shop/__init__.py").read_text()
    assert "# compose.yaml:2\nweb = Service(" in text
    archcheck("import", "compose.yaml", "-o", "shop.json", cwd=tmp_path)
    (imported,) = load(tmp_path / "shop.json")
    (written,) = load(tmp_path / "models/shop")
    assert {part.name: part for part in written.elements} == {
        part.name: part for part in imported.elements
    }
    assert written.name == imported.name
    again = archcheck("import", "compose.yaml", "-o", "models/shop", cwd=tmp_path)
    assert again.returncode == 2
    assert "exists already and nothing was written" in again.stderr
