"""What a person has to write for edits that are not written, where and why."""

from __future__ import annotations

from archcheck.editing.edits import Edit
from archcheck.editing.placing import DIFFERENT, NO_PLACE, SHARED, TextPlaces, keys_of
from archcheck.editing.spelling import source_of
from archcheck.editing.tracing import Key, Slot
from archcheck.model import Place, System

_COMPUTED = "what stands there is more than a value, or gives others"
_LEGIBLE = 60
"""Signs of a text that are shown. A choice."""


def unwritten(places: TextPlaces, edit: Edit) -> str:
    """An edit that is not written, with the text that gives its value."""
    why = places.why.get(edit, DIFFERENT)
    if why in {DIFFERENT, NO_PLACE, SHARED} and len(edit.values) == 1:
        (key,) = keys_of(edit)
        advice = _advice(places, key, source_of(edit.values[key[1]]), why)
        if advice is not None:
            place, text = advice
            return f"{place}: {edit}; {text}"
    return told(places.system, edit, why)


def unneeded(places: TextPlaces, why: str) -> tuple[str, ...]:
    """Edits with the places that they would have, and why they are not made."""
    plan = places.plan(places.edits)
    texts = []
    for edit in places.edits:
        slots = [plan.slots[key] for key in plan.keys(edit)] if edit in plan.edits else []
        if len(slots) == 1 and slots[0] is not None:
            new = source_of(plan.values[plan.keys(edit)[0]])
            place, text = _place(places, slots[0]), _replacing(places, slots[0], new)
            texts.append(f"{place}: {edit}; {text} ({why})")
        else:
            texts.append(told(places.system, edit, why))
    return tuple(texts)


def told(system: System, edit: Edit, why: str) -> str:
    """An edit of which nothing is known but the line that declares the part."""
    place = system.place(edit.part)
    new = ", ".join(f"{name}={source_of(value)}" for name, value in edit.values.items())
    return f"{place}: {edit}; write {new} ({why})" if place else f"{edit} ({why})"


def _advice(places: TextPlaces, key: Key, new: str, why: str) -> tuple[Place, str] | None:
    """The line at which a value is to be changed, and what to write there or to know of it."""
    traces = places.traces
    slots = [stop.slot for stop in traces.stops.get(key, ()) if stop.slot not in places.barred]
    if slots and why == SHARED:
        slot = min(reversed(slots), key=lambda each: len(traces.users[each]))
        others = len(traces.users[slot]) - 1
        return _place(places, slot), f"{_replacing(places, slot, new)} ({_for_others(others)})"
    reached = traces.reached.get(key)
    if reached is None:
        return None
    return _place(places, reached), f"write {new} for {_text(places, reached)} ({_COMPUTED})"


def _for_others(number: int) -> str:
    if not number:
        return "not written: what else reads it is not known"
    return f"{number} other value{'' if number == 1 else 's'} would change with it"


def _replacing(places: TextPlaces, slot: Slot, new: str) -> str:
    text = _text(places, slot)
    if slot.keyword is not None:
        return f"write {slot.keyword}={new} into {text}"
    return f"write {new} for {text}"


def _text(places: TextPlaces, slot: Slot) -> str:
    """The text in a slot, on one line."""
    text = " ".join(places.before(slot.file)[slot.start : slot.end].split())
    return text if len(text) <= _LEGIBLE else f"{text[:_LEGIBLE]}..."


def _place(places: TextPlaces, slot: Slot) -> Place:
    return Place(slot.file, places.before(slot.file).count("\n", 0, slot.start) + 1)
