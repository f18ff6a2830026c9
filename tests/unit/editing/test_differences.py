"""Diffs against ``git apply``: what it makes of the one text is the other."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from depth import examples
from hypothesis import given
from hypothesis import strategies as st

from archcheck.editing.differences import unified_diff

LINES = st.lists(st.sampled_from(["{", "}", "a", "b", "c", "a\r", "\x0c", ""]), max_size=30)
TEXTS = st.tuples(LINES, st.booleans()).map(
    lambda drawn: "\n".join(drawn[0]) + ("\n" if drawn[1] and drawn[0] else "")
)


def applied(before: str, after: str, folder: Path) -> str:
    """What git makes of ``before`` with the diff to ``after``."""
    file = folder / "f"
    file.write_bytes(before.encode())
    patch = "".join(unified_diff(before, after, "a/f", "b/f"))
    if patch:
        subprocess.run(
            ["git", "apply", "--whitespace=nowarn"],
            input=patch.encode(), cwd=folder, check=True, timeout=20,
        )  # fmt: skip
    return file.read_bytes().decode() if file.exists() else ""


@examples(100)
@given(TEXTS, TEXTS)
def test_git_makes_the_other_text_of_it(
    tmp_path_factory: pytest.TempPathFactory, before: str, after: str
) -> None:
    folder = tmp_path_factory.mktemp("diff")
    assert applied(before, after, folder) == after
    assert bool(list(unified_diff(before, after, "a/f", "b/f"))) == (before != after)


def test_texts_that_have_nothing_in_common(tmp_path: Path) -> None:
    before = "".join(f"old {n}\n" for n in range(500))
    after = "".join(f"new {n}\n" for n in range(450))
    assert applied(before, after, tmp_path) == after


def test_only_what_changes_is_in_it() -> None:
    """Braces are alike everywhere, and so are most values."""
    lines = ["{", '"timeout": "1 s",', '"retry": null', "},"] * 5_000
    changed = [*lines]
    for at in range(1, len(lines), 400):
        changed[at] = '"timeout": "10 ms",'
    patch = list(unified_diff("\n".join(lines) + "\n", "\n".join(changed) + "\n", "a/f", "b/f"))
    assert sum(line.startswith("+") for line in patch) == 1 + len(range(1, len(lines), 400))
    assert sum(line.startswith("@@") for line in patch) == len(range(1, len(lines), 400))
