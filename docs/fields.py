"""The page about the fields that no run follows: from the tables of the compiler."""

from __future__ import annotations

from collections import defaultdict

from archcheck.simulation.compiling.left_out import DESCRIPTIVE, LEFT_OUT

_HEAD = """# Which fields a run follows
Every field of the vocabulary is one of three:

1. **Simulated.** The compiler reads it. That is every field that is not on this page.
2. **Listed.** Results list it under *declared, but not simulated* where a model declares it.
3. **Descriptive.** No run needs it.

The test `tests/contracts/test_fields.py` goes over all fields. `Datastore`, `Deployment`,
`Broker`, `Channel` and `Runtime` stand for all of their kind.
"""


def fields_page() -> str:
    """The two tables."""
    listed = defaultdict(list)
    for name, entry in LEFT_OUT.items():
        listed[entry.what].append(name)
    descriptive = defaultdict(list)
    for name, why in DESCRIPTIVE.items():
        descriptive[why].append(name)
    rows = [_HEAD, "\n## Listed\n| what is not simulated | fields |\n|---|---|\n"]
    rows += [_row(what, names) for what, names in sorted(listed.items())]
    rows.append("\n## Descriptive\n| why | fields |\n|---|---|\n")
    rows += [_row(why, names) for why, names in descriptive.items()]
    return "".join(rows)


def _row(text: str, names: list[str]) -> str:
    return f"| {text} | {', '.join(f'`{_shown(name)}`' for name in sorted(names))} |\n"


def _shown(name: str) -> str:
    """The kind as a reader of models knows it, not the class that holds what others share."""
    return name.lstrip("_").replace("StoreFields", "Datastore")
