"""How many copies of its data a datastore keeps."""

from __future__ import annotations

from archcheck.model import Datastore, Quorum, effective

_BY_PROVIDER = 3
"""Zones, and so copies, of stores whose provider spreads them by itself."""


def copies_of(store: Datastore) -> int | None:
    """As declared, by itself or by its quorum, else as documented; ``None``: nobody says."""
    quorum = getattr(store, "quorum", None)
    if store.copies is None and isinstance(quorum, Quorum):
        return quorum.copies
    found: int | None = effective(store, "copies").value
    return _BY_PROVIDER if found is None and store.spread_by_provider else found
