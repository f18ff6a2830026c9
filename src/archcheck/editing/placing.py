"""Where the new values of edits are put: as far out in the text as all agree that change there."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archcheck.editing.edits import Edit, edited_part
from archcheck.editing.rewriting import rewritten
from archcheck.editing.spelling import source_of
from archcheck.editing.tracing import Key, Slot, Traces
from archcheck.model import System
from archcheck.model.element import Element, field_names
from archcheck.model.linking import walk

NO_PLACE = "no line of a file stands for it"
SHARED = "other values come from the same text, and stay"
DIFFERENT = "the text that was tried does not give this value, or changes others"


@dataclass
class TextPlan:
    """Edits, and the places of their values."""

    edits: tuple[Edit, ...]
    raised: dict[int, Key] = field(default_factory=dict)
    """The parts that are written anew as a whole, each with the field whose value it is."""
    values: Mapping[Key, Any] = field(default_factory=dict)
    slots: Mapping[Key, Slot | None] = field(default_factory=dict)

    def keys(self, edit: Edit) -> Sequence[Key]:
        """The fields that get new values by an edit."""
        raised = self.raised.get(id(edit.part))
        return [*keys_of(edit)] if raised is None else [raised]

    def promised(self, parts: Mapping[int, Element]) -> dict[Key, Any]:
        """The new values of fields."""
        found = _promised(e for e in self.edits if id(e.part) not in self.raised)
        for part, key in self.raised.items():
            found[key] = edited_part(parts[part], self.edits)
        return found


class TextPlaces:
    """The places of edits in the files of a system."""

    def __init__(self, system: System, edits: Sequence[Edit]) -> None:
        self.system = system
        self.edits = edits
        self._wholes = (*system.elements, *system.journeys, *system.scenarios)
        self._parts = {id(part): part for whole in self._wholes for part in walk(whole)}
        self.traces = Traces(self._parts.values(), {name for edit in edits for name in edit.values})
        self.why: dict[Edit, str] = {}
        """Why edits have no place, or are not written."""
        self.barred: set[Slot] = set()
        """Places at which a new value gives something else."""

    def plan(self, edits: Sequence[Edit]) -> TextPlan:
        """Where the new values of edits are put.

        A part that others have from the same text is written anew at the call that is given it.
        """
        plan = TextPlan(tuple(edits))
        while True:
            promised = plan.promised(self._parts)
            lost = [e for e in plan.edits if not all(self._slot(k, promised) for k in plan.keys(e))]
            if not lost:
                plan.slots = {key: self._slot(key, promised) for key in promised}
                plan.values = promised
                return plan
            raised = {id(edit.part) for edit in lost} - set(plan.raised)
            raised = {part for part in raised if self._may_be_raised(part, promised)}
            if raised:
                plan.raised |= {part: self._outer[part] for part in raised}
                continue
            for edit in lost:
                traced = all(self.traces.stops.get(key) for key in keys_of(edit))
                self.why[edit] = SHARED if traced else NO_PLACE
            plan = TextPlan(tuple(edit for edit in plan.edits if edit not in lost))

    def _may_be_raised(self, part: int, promised: Mapping[Key, Any]) -> bool:
        outer = self._outer.get(part)
        return outer is not None and outer not in promised and bool(self.traces.stops.get(outer))

    @functools.cached_property
    def _outer(self) -> Mapping[int, Key]:
        """Where each part is the value of a field: the part that it is in, and the field."""
        return {
            id(value): (id(part), name)
            for part in self._parts.values()
            for name in field_names(type(part))
            if isinstance(value := getattr(part, name), Element)
        }

    def _slot(self, key: Key, promised: Mapping[Key, Any]) -> Slot | None:
        """Where the new value of a field is put: as far out as all that is changed there agrees."""
        for stop in reversed(self.traces.stops.get(key, ())):
            users = self.traces.users[stop.slot]
            agree = all(each in promised and promised[each] == promised[key] for each in users)
            if agree and stop.slot not in self.barred and self.traces.is_known(stop):
                return stop.slot
        return None

    def groups(self, edits: Sequence[Edit]) -> list[tuple[Edit, ...]]:
        """Edits that share a text: they are written together or not at all."""
        plan = self.plan(edits)
        groups: list[tuple[set[Slot | None], tuple[Edit, ...]]] = []
        for edit in plan.edits:
            slots = {plan.slots[key] for key in plan.keys(edit)}
            joined = [group for group in groups if group[0] & slots]
            groups = [group for group in groups if group not in joined]
            groups.append(
                (
                    slots.union(*(group[0] for group in joined)),
                    (*(e for group in joined for e in group[1]), edit),
                )
            )
        return [group for _, group in groups]

    # -- texts ------------------------------------------------------------------------------------

    def before(self, file: str) -> str:
        """The text of a file as it is."""
        source = self.traces.sources.of(file)
        assert source is not None  # noqa: S101  # it has slots
        return source.text

    def texts(self, edits: Sequence[Edit]) -> dict[str, str]:
        """The new texts of the files that edits change."""
        plan = self.plan(edits)
        by_file: dict[str, dict[Slot, str]] = defaultdict(dict)
        for key, value in plan.values.items():
            slot = plan.slots[key]
            if slot is not None:
                by_file[slot.file][slot] = source_of(value)
        texts = {}
        for file, values in by_file.items():
            source = self.traces.sources.of(file)
            assert source is not None  # noqa: S101  # it has slots
            texts[file] = rewritten(source, values)
        return texts

    def move_in(self, edits: Sequence[Edit]) -> bool:
        """Give edits places nearer to the parts than those that were tried, if there are some."""
        tried = {slot for slot in self.plan(edits).slots.values() if slot is not None}
        self.barred |= tried
        if len(self.plan(edits).edits) == len(edits):
            return True
        self.barred -= tried
        return False

    def sharing(self) -> dict[Edit, tuple[Element, ...]]:
        """For edits of one value without a place of its own, what the same call makes too."""
        placed = self.plan(self.edits).edits
        edited = {id(edit.part) for edit in self.edits}
        found = {}
        for edit in self.edits:
            stops = [self.traces.stops.get(key, ())[:1] for key in keys_of(edit)]
            if edit in placed or len(stops) != 1 or not stops[0]:
                continue
            users = self.traces.users[stops[0][0].slot]
            if {name for _, name in users} == set(edit.values):
                others = sorted(part for part, _ in users if part != id(edit.part))
                if not edited.intersection(others):
                    found[edit] = tuple(self._parts[part] for part in self._parts if part in others)
        return found

    def files(self) -> set[str]:
        """The files in which a value stands."""
        return {stop.slot.file for stops in self.traces.stops.values() for stop in stops}


def keys_of(edit: Edit) -> Iterator[Key]:
    """The fields that an edit changes."""
    return ((id(edit.part), name) for name in edit.values)


def _promised(edits: Iterable[Edit]) -> dict[Key, Any]:
    return {(id(e.part), name): value for e in edits for name, value in e.values.items()}
