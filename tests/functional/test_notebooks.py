"""The notebooks of the examples are executed, and their results show themselves."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from depth import thorough
from nbclient import NotebookClient

pytestmark = thorough

NOTEBOOKS = Path(__file__).parents[2] / "examples" / "notebooks"
NAMES = ("first_model", "capacity_planning", "resilience_review")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("default")
def test_the_notebook_runs_and_shows_its_results(name: str) -> None:
    book = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    assert not [cell for cell in book.cells if cell.get("outputs")], "kept without outputs"
    NotebookClient(book, timeout=240, resources={"metadata": {"path": NOTEBOOKS}}).execute()
    kinds = {
        kind
        for cell in book.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        for kind in output.get("data", ())
    }
    assert {"image/svg+xml", "text/html", "text/plain"} <= kinds
    assert [kind for kind in kinds if "vegalite" in kind]


def test_all_notebooks_are_tested() -> None:
    assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} == set(NAMES)
