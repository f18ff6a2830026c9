"""What the faults of a scenario make of its load: the moments between which they change.

Bursts and slow elements are counted: each moment at which one begins is a load of its own. What the
other faults do is not, and a claim about such a scenario says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from archcheck.editing import Edit, apply
from archcheck.model import (
    Burst,
    Datastore,
    Element,
    External,
    Fault,
    FlushCache,
    Read,
    Scenario,
    Service,
    Slow,
    System,
    Wait,
    Work,
    Write,
    ZoneLoss,
)
from archcheck.model.distributions import Time, times_as_long
from archcheck.model.linking import walk

Faults = tuple[Fault, ...]


def phases(scenario: Scenario) -> tuple[Faults, ...]:
    """The faults that change the load, in each set in which they come together; first none."""
    if not _is_steady(scenario):
        return ((),)
    counted = [fault for fault in scenario.faults if _is_counted(fault)]
    moments = sorted({float(fault.start) for fault in counted})
    together = (
        tuple(f for f in counted if float(f.start) <= now < float(f.end)) for now in moments
    )
    return ((), *dict.fromkeys(faults for faults in together if faults))


def uncounted(scenario: Scenario) -> str:
    """The faults of which nobody counts what they do to the load, for people.

    The loss of one zone is a part of what is asked anyway.
    """
    zones = [fault for fault in scenario.faults if isinstance(fault, ZoneLoss)]
    others = [
        fault
        for fault in scenario.faults
        if not (isinstance(fault, ZoneLoss) and len(zones) == 1)
        and not (_is_counted(fault) and _is_steady(scenario))
    ]
    return " and ".join(dict.fromkeys(map(_called, others)))


def _called(fault: Fault) -> str:
    about = getattr(fault, "target", None) or getattr(fault, "zone", None) or "the load"
    return f"{type(fault).__name__} of {about}"


def _is_counted(fault: Fault) -> bool:
    return isinstance(fault, Burst | Slow) and fault.factor >= 1


def _is_steady(scenario: Scenario) -> bool:
    """Whether every moment of a scenario has its highest rates."""
    return all(stream.arrivals.is_steady for stream in scenario.load)


def said(faults: Faults) -> str:
    """`` while a is 5 times as slow``; empty without a fault."""
    words = [
        f"{fault.target} is {fault.factor:g} times as slow"
        if isinstance(fault, Slow)
        else f"{fault.factor:g} times as much comes"
        for fault in faults
        if isinstance(fault, Slow | Burst)
    ]
    return f" while {' and '.join(words)}" if words else ""


def in_runs(faults: Faults) -> Faults:
    """Those that a run needs beside the rates, for as long as it lasts."""
    lasting = [Slow(f.target, factor=f.factor) for f in faults if isinstance(f, Slow)]
    return (*lasting, *(FlushCache(f.target) for f in faults if isinstance(f, FlushCache)))


def bursts(scenario: Scenario, faults: Faults) -> Mapping[int, float]:
    """By how much each stream of a scenario is multiplied; a burst adds to what comes anyway."""
    found: dict[int, float] = defaultdict(lambda: 1.0)
    for number, stream in enumerate(scenario.load):
        own = Scenario("one stream", load=[stream]).journeys()
        for fault in faults:
            if isinstance(fault, Burst) and (fault.journey is None or str(fault.journey) in own):
                found[number] += fault.factor - 1
    return found


# -- slow elements --------------------------------------------------------------------------------


def slowed(system: System, faults: Faults) -> System:
    """The system with all times of slow elements as long as they are then."""
    factors: dict[str, float] = defaultdict(lambda: 1.0)
    for fault in faults:
        if isinstance(fault, Slow):
            factors[str(fault.target)] *= fault.factor
    if not factors:
        return system
    edits: dict[int, tuple[Element, dict[str, Any]]] = {}
    for target, factor in factors.items():
        for part, attribute in _times(system, target):
            _, changes = edits.setdefault(id(part), (part, {}))
            known: Time = changes.get(attribute, getattr(part, attribute))
            changes[attribute] = times_as_long(known, factor)
    return apply(system, [Edit(part, changes, "slow") for part, changes in edits.values()])


def _times(system: System, target: str) -> Iterator[tuple[Element, str]]:
    """What takes time in an element, or in one endpoint of it: part and attribute."""
    owner, _, name = target.partition(".")
    member = system.find(owner)
    if isinstance(member, External):
        found: Iterator[tuple[Element, str]] = iter(((member, "latency"),))
    elif isinstance(member, Datastore):
        found = _of_store(system, member)
    else:
        found = _of_service(member, name)
    return ((part, each) for part, each in found if getattr(part, each) is not None)


def _of_store(system: System, store: Datastore) -> Iterator[tuple[Element, str]]:
    yield store, "read"
    yield store, "write"
    for whole in system.services:
        for step in walk(whole):
            if isinstance(step, Read | Write) and str(step.target) == store.name:
                yield step, "time"


def _of_service(member: object, name: str) -> Iterator[tuple[Element, str]]:
    if not isinstance(member, Service):
        return
    for part in (*member.endpoints, *member.consumers):
        if name in ("", part.name):
            yield from ((step, "time") for step in walk(part) if isinstance(step, Work | Wait))
