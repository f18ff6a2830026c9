"""What joining gives: a system, and everything that was decided on the way to it."""

from __future__ import annotations

from dataclasses import dataclass

from archcheck.importing.building import Conflict
from archcheck.importing.facts import Fact, Reaches, Remark
from archcheck.model import System


@dataclass(frozen=True)
class Edge:
    """An element reaches another one, and what says so."""

    source: str
    target: str
    reach: Reaches


@dataclass(frozen=True)
class Candidate:
    """An address that may be an edge, and why it is not taken for one."""

    reach: Reaches
    targets: tuple[str, ...]
    reason: str


@dataclass
class Joined:
    """One system, and everything that was decided on the way to it."""

    system: System
    facts: tuple[Fact, ...] = ()
    edges: tuple[Edge, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    unexplained: tuple[Reaches, ...] = ()
    """Addresses that no file explains."""
    unheld: tuple[Fact, ...] = ()
    remarks: tuple[Remark, ...] = ()
