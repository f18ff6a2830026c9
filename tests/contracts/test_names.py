"""A name of a class means one thing, wherever it is read."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "src" / "archcheck"
SAME_THING = {
    "Undecided": "neither holds nor fails, of a rule and of a proof: the word that results print",
}
"""Classes of two places that mean the same in both."""


def test_no_public_class_has_a_namesake() -> None:
    homes = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        for statement in ast.parse(path.read_text()).body:
            if isinstance(statement, ast.ClassDef) and not statement.name.startswith("_"):
                homes[statement.name].add(str(path.relative_to(PACKAGE)))
    assert len(homes) > 500
    shared = {name: sorted(places) for name, places in homes.items() if len(places) > 1}
    assert sorted(shared) == sorted(SAME_THING), shared
