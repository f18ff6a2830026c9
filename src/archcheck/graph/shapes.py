"""How a group of steps runs: in turn or side by side, how often, for which share of the requests.

Every part that follows the steps of an operation (visits, latencies, worst cases, the compiler of
runs, sequence diagrams) asks here what a group does with what is inside it. A new kind of group is
its class in :mod:`archcheck.model.steps` and its case in :func:`shape_of`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archcheck.model import (
    Cached,
    Feature,
    Parallel,
    Repeat,
    Series,
    Step,
    System,
    WithProbability,
)
from archcheck.model.steps import Group


@dataclass(frozen=True)
class Shape:
    """What a group does with its steps.

    ``sequences`` are the steps inside: one sequence, or one for each branch where they run side by
    side; ``waited`` says for each whether the request goes on only after it.
    """

    sequences: tuple[Sequence[Step], ...]
    waited: tuple[bool, ...] = (True,)
    is_parallel: bool = False
    share: float = 1.0
    """The share of the requests that take the steps."""
    is_share_known: bool = True
    """``False``: the share is not declared, and all requests were taken."""
    times: int = 1
    """How often one request takes them, one after the other."""
    grows: bool = False
    """Whether ``times`` grows with the data."""
    flag: tuple[str, bool] | None = None
    """The feature flag in front, and how it must stand."""
    lookup: Cached | None = None
    """The group itself, where it asks a cache first and takes the steps on a miss."""

    @property
    def is_beside_others(self) -> bool:
        """Whether something runs beside it: a single branch that is waited for runs alone."""
        return self.is_parallel and (len(self.sequences) > 1 or not all(self.waited))

    @property
    def is_plain(self) -> bool:
        """Whether the steps run as if there was no group around them."""
        runs_once = self.share == 1 and self.times == 1 and not self.is_beside_others
        return runs_once and self.flag is None and self.lookup is None

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps directly inside."""
        return tuple(step for sequence in self.sequences for step in sequence)


def shape_of(system: System, group: Group, *, cold_caches: bool = False) -> Shape:
    """The shape of a group of steps. With ``cold_caches`` every lookup is a miss."""
    inside = (group.steps,)
    match group:
        case Series():
            return Shape(inside)
        case WithProbability(probability=share):
            return Shape(inside, share=float(share))
        case Repeat(times=times, per_item=grows):
            return Shape(inside, times=times, grows=grows)
        case Feature(flag=flag, off=off):
            taken = 1.0 if system.runs(group) else 0.0
            return Shape(inside, share=taken, flag=(str(flag), not off))
        case Parallel(steps=branches):
            waited = tuple(not getattr(branch, "optional", False) for branch in branches)
            return Shape(tuple((branch,) for branch in branches), waited, is_parallel=True)
        case Cached(hit_ratio=hits):
            is_known = hits is not None or cold_caches
            misses = 1.0 if hits is None or cold_caches else 1 - float(hits)
            return Shape(inside, share=misses, is_share_known=is_known, lookup=group)
        case _:
            raise TypeError(f"{type(group).__name__} is not a known group of steps")
