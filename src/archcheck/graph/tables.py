"""What all graphs of one system have in common: its operations, and what each of them asks.

A rule may look at a system in several ways (each attempt counted, cold caches, a single load). The
steps are the same ones, and finding them takes longer than most of what is asked about them.
"""

from __future__ import annotations

import weakref
from functools import cached_property

from archcheck.graph.interactions import Interaction, Operation, interactions, operations
from archcheck.model import System


class Tables:
    """The operations of a system by name, and the interactions of each. Nobody changes them."""

    def __init__(self, system: System, *, cold_caches: bool) -> None:
        self._system = weakref.ref(system)
        self._cold_caches = cold_caches

    @cached_property
    def operations(self) -> dict[str, Operation]:
        """Endpoints and consumers by full name."""
        system = self._system()
        assert system is not None  # noqa: S101  # whoever asks has it
        return {operation.name: operation for operation in operations(system)}

    @cached_property
    def outgoing(self) -> dict[str, tuple[Interaction, ...]]:
        """Operation name to what it does outside its process."""
        system = self._system()
        assert system is not None  # noqa: S101  # whoever asks has it
        return {
            name: tuple(interactions(system, operation, cold_caches=self._cold_caches))
            for name, operation in self.operations.items()
        }


_known: dict[tuple[int, bool], Tables] = {}


def tables_of(system: System, *, cold_caches: bool) -> Tables:
    """The tables of this very system, as long as it lives."""
    key = id(system), cold_caches
    if key not in _known:
        _known[key] = Tables(system, cold_caches=cold_caches)
        weakref.finalize(system, _known.pop, key, None)
    return _known[key]
