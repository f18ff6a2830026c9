from collections.abc import Mapping
from enum import IntEnum

from archcheck.simulation.plan import Plan
from archcheck.simulation.record import Record

class StoppedError(Exception):
    reason: int
    time: float
    stations: set[int]

class Run:
    def __init__(
        self, plan: Plan, seed: int, duration: float, warmup: float, share: float | None
    ) -> None: ...
    @property
    def time(self) -> float: ...
    @property
    def pending(self) -> int: ...
    def go_on(self) -> bool: ...
    def record(self) -> Record: ...
    def spans(self) -> list[tuple[int, int, int, int, float, float, int]]: ...

def numbers_of_the_plan() -> Mapping[type[IntEnum], tuple[int, ...]]: ...
