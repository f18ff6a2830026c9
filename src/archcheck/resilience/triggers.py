"""The standard suite: what goes wrong in every system sooner or later.

A burst of load, a slow dependency, a burst of errors, a lost replica, a lost zone, a flushed cache,
a broker that stalls. Each kind is tried on the elements that most of the load asks.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

from archcheck.graph.copies import zone_called
from archcheck.model import (
    Burst,
    Consumer,
    Errors,
    Fault,
    FlushCache,
    Kill,
    ScenarioError,
    Slow,
    System,
    ZoneLoss,
)
from archcheck.planning import Flow
from archcheck.simulation.plan import Plan
from archcheck.units import Duration, Fraction

BURST, SLOW, ERRORS, STALL = 3.0, 10.0, 0.5, 1000.0
"""Times the load, times as slow, the share that fails, times as slow for a broker's consumers.

A choice: large enough to fill queues at a usual load. A consumer that is 1000 times as slow gets
nothing done while a trigger lasts.
"""
_MOST = 3
"""Elements on which a kind of trigger is tried, those with the most load. A choice: it bounds the
time of a suite; elements with less load do less harm."""


@dataclass(frozen=True)
class Trigger:
    """Something that goes wrong: its kind, what a person calls it, and the faults it is made of."""

    kind: str
    name: str
    faults: tuple[Fault, ...]


def standard_triggers(
    system: System, plan: Plan, flow: Flow, start: float, end: float
) -> tuple[Trigger, ...]:
    """The suite for a system under a load, each between two times."""
    return tuple(_triggers(system, plan, flow, Duration(start), Duration(end)))


def _triggers(
    system: System, plan: Plan, flow: Flow, start: Duration, end: Duration
) -> Iterator[Trigger]:
    yield Trigger("burst", f"load x{BURST:g}", (Burst(BURST, start=start, end=end),))
    asked = _asked(system, plan, flow)
    for name in asked[:_MOST]:
        yield Trigger(
            "slow dependency",
            f"{name} slow x{SLOW:g}",
            (Slow(name, factor=SLOW, start=start, end=end),),
        )
    for name in asked[:_MOST]:
        errors = Errors(name, rate=Fraction(ERRORS), start=start, end=end)
        yield Trigger("error burst", f"{name} fails {ERRORS:.0%}", (errors,))
    for name in _busiest(system, plan, flow)[:_MOST]:
        yield Trigger(
            "lost replica", f"{name} loses a replica", (Kill(name, start=start, end=end),)
        )
    for zone in plan.zones[:1]:
        loss = ZoneLoss(zone, start=start, end=end)
        yield Trigger("lost zone", f"{zone_called(zone)} lost", (loss,))
    for cache in [
        store.name for store in system.datastores if store.is_cache and store.name in asked
    ]:
        fault = FlushCache(cache, start=start, end=end)
        yield Trigger("cache flush", f"{cache} flushed", (fault,))
    consumers = [
        f"{service.name}.{part.name}"
        for service in system.services
        for part in getattr(service, "consumers", ())
        if isinstance(part, Consumer)
    ]
    if consumers:
        stalled = tuple(Slow(name, factor=STALL, start=start, end=end) for name in consumers)
        yield Trigger("broker stall", "consumers get nothing done", stalled)


def _asked(system: System, plan: Plan, flow: Flow) -> list[str]:
    """Elements that others call, those that are asked most first."""
    callees: dict[str, None] = {}
    for call in plan.calls:
        if call.source >= 0:
            callees[plan.operations[call.operation].name.partition(".")[0]] = None
    entries = {
        plan.operations[plan.calls[entry].operation].name.partition(".")[0]
        for journey in plan.journeys
        for entry in journey.entries
    }
    known = [name for name in callees if name in system.directory.elements and name not in entries]
    busy = {name: sum(shares.values()) for name, shares in flow.shares.items()}
    outside = {external.name for external in system.externals}
    return sorted(known, key=lambda name: (name not in outside, -busy.get(name, 0.0), name))


def _busiest(system: System, plan: Plan, flow: Flow) -> list[str]:
    """Services with their own nodes, the busiest first."""
    loads = {station.name.removesuffix(" cores"): station.load for station in flow.stations}
    services = {service.name for service in system.services}
    names = [group.name for group in plan.groups if group.name in services]
    return sorted((n for n in names if loads.get(n)), key=lambda name: (-loads[name], name))


def moved_to(fault: Fault, start: float, end: float) -> Fault:
    """The same fault at another time."""
    moved = copy.copy(fault)
    object.__setattr__(moved, "start", Duration(start))
    object.__setattr__(moved, "end", Duration(end))
    return moved


def sized_trigger(text: str, size: float, start: float, end: float) -> Trigger:
    """A trigger whose size can be varied: ``load``, ``NAME slow`` or ``NAME fails``.

    The size is a factor, or the share that fails. Raises :class:`ScenarioError` for other words.
    """
    since, until = Duration(start), Duration(end)
    words = text.split()
    if words == ["load"]:
        return Trigger("burst", f"load x{size:g}", (Burst(size, start=since, end=until),))
    if len(words) == 2 and words[1] == "slow":
        fault: Fault = Slow(words[0], factor=size, start=since, end=until)
        return Trigger("slow dependency", f"{words[0]} slow x{size:g}", (fault,))
    if len(words) == 2 and words[1] == "fails":
        fault = Errors(words[0], rate=Fraction(size), start=since, end=until)
        return Trigger("error burst", f"{words[0]} fails {size:.0%}", (fault,))
    raise ScenarioError(
        f"the trigger {text!r} has no size; write 'load', 'payments slow' or 'payments fails'"
    )
