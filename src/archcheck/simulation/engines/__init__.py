"""The engines: both run the same plan and write the same record, to the last bit.

``reference`` defines what is right and is written to be read; ``fast`` is compiled, where a C
compiler was there when archcheck was installed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

from archcheck.model import ScenarioError
from archcheck.simulation.engines import fast, reference
from archcheck.simulation.plan import Plan
from archcheck.simulation.record import Record
from archcheck.simulation.trace import Tracer

EngineName = Literal["auto", "fast", "simpy"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)

Watch = Callable[[float], bool]
"""Called now and then with the simulated seconds; says whether to stop."""


class EngineChoice(NamedTuple):
    """The engine that runs, ``fast`` or ``simpy``, and why."""

    name: EngineName
    why: str


def choose(name: EngineName) -> EngineChoice:
    """The engine of a name; ``auto`` is the compiled one where it is there.

    Raises :class:`ScenarioError` for an unknown name, or when the compiled engine is not there.
    """
    if name not in ENGINES:
        raise ScenarioError(f"there is no engine {name!r}; there are {', '.join(ENGINES)}")
    if name == "simpy":
        return EngineChoice("simpy", "as asked")
    if fast.is_compiled():
        return EngineChoice("fast", "compiled" if name == "auto" else "as asked")
    if name == "fast":
        raise ScenarioError(
            f"the compiled engine is not installed ({fast.WHY_NOT}); install archcheck where there "
            "is a C compiler, or take the engine simpy"
        )
    return EngineChoice("simpy", "the compiled engine is not installed")


def run(
    name: EngineName,
    plan: Plan,
    *,
    seed: int,
    duration: float,
    warmup: float,
    watch: Watch | None = None,
    tracer: Tracer | None = None,
) -> Record:
    """Simulate ``duration`` seconds on an engine; statistics start after ``warmup`` seconds.

    A run that ``watch`` stops has a record that ends early. ``tracer`` gets the spans.
    """
    engine = fast.run if name == "fast" else reference.run
    return engine(plan, seed=seed, duration=duration, warmup=warmup, watch=watch, tracer=tracer)
