"""What all graphs of the same elements have in common: the operations, and what each of them asks.

A rule may look at a system in several ways (each attempt counted, cold caches, journeys that are
supposed to be critical). The steps are the same ones, and finding them takes longer than most of
what is asked about them.
"""

from __future__ import annotations

from weakref import WeakValueDictionary

from archcheck.graph.interactions import Interaction, Operation, interactions, operations
from archcheck.model import System


class SystemTables:
    """The operations of a system by name, and the interactions of each. Nobody changes them."""

    def __init__(self, system: System, *, cold_caches: bool) -> None:
        self.elements = system.elements
        """They live as long as the tables, so that no others take their identities."""
        self.operations: dict[str, Operation] = {
            operation.name: operation for operation in operations(system)
        }
        self.outgoing: dict[str, tuple[Interaction, ...]] = {
            name: tuple(interactions(system, operation, cold_caches=cold_caches))
            for name, operation in self.operations.items()
        }


_known: WeakValueDictionary[tuple[bool, tuple[int, ...]], SystemTables] = WeakValueDictionary()


def tables_of(system: System, *, cold_caches: bool) -> SystemTables:
    """The tables of these very elements, while a graph has them."""
    key = cold_caches, tuple(map(id, system.elements))
    found = _known.get(key)
    if found is None:
        found = _known[key] = SystemTables(system, cold_caches=cold_caches)
    return found
