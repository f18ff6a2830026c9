"""Names that a model can have, out of names that files have."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

_ODD = re.compile(r"[^\w\-/:+@()# ]|->")

Key = TypeVar("Key")


def legible(name: str) -> str:
    """A name that a model can have: dots separate a service from its endpoint."""
    return _ODD.sub("-", name).strip(" -")[:200].strip() or "unnamed"


def unique_names(names: Mapping[Key, str], wider: Callable[[Key], Iterable[str]]) -> dict[Key, str]:
    """A name for each key that no other key has.

    A name that several have is replaced by the first one of ``wider`` that is free; the last one of
    these must be free.
    """
    chosen = {key: legible(name) for key, name in names.items()}
    counts = Counter(chosen.values())
    taken = {name for name, count in counts.items() if count == 1}
    for key, name in chosen.items():
        if counts[name] > 1:
            others = [legible(other) for other in wider(key)]
            free = next((other for other in others if other not in taken), others[-1])
            chosen[key] = free
            taken.add(free)
    return chosen
