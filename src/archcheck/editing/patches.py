"""Edits as a patch: new values where the values stand, in the files that declare a model.

Which text to change is traced back from the parts (``tracing``), changed (``rewriting``), and then
tried: the model is loaded with the new texts. An edit is written only if that gives the system that
was promised; what is not written is listed.
"""

from __future__ import annotations

import difflib
import functools
import itertools
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archcheck.editing.edits import Edit, apply, edited_part
from archcheck.editing.json_text import json_with
from archcheck.editing.rewriting import rewritten
from archcheck.editing.spelling import source_of
from archcheck.editing.tracing import Key, Slot, Traces
from archcheck.files import write_files
from archcheck.loading import load_changed, origin
from archcheck.model import ArchcheckError, ModelError, Place, System, from_json, to_json
from archcheck.model.codec import to_data
from archcheck.model.element import Element, field_names
from archcheck.model.linking import walk

__all__ = ["Patch", "by_hand", "patch_of", "sharing", "source_of"]

_MOST_LOADS = 12
"""Times that a model is loaded to see what edits of its text give, at most. A choice: one edit in a
hundred that gives something else is found with so many."""
_NO_PLACE = "no line of a file stands for it"
_SHARED = "other values come from the same text, and stay"
_COMPUTED = "what stands there is more than a value, or gives others"
_LEGIBLE = 60
"""Signs of a text that are shown in advice. A choice."""
_NOT_LOADABLE = "the model is no file that can be loaded again"
_UNTRIED = "not tried: too many others give something else"
_DIFFERENT = "the text that was tried does not give this value, or changes others"


@dataclass(frozen=True)
class Patch:
    """New texts of files, and the edits that are not among them."""

    files: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """File to its text before and after."""
    by_hand: tuple[str, ...] = ()
    """Edits that are not written: place, change, new text and why."""
    written: tuple[Edit, ...] = ()
    """The edits that the new texts make. Loaded, they give just these."""

    def diff(self) -> str:
        """A unified diff that ``git apply`` and ``patch -p1`` take."""
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for line in itertools.chain.from_iterable(
                difflib.unified_diff(
                    _lines(before), _lines(after), f"a/{_shown(file)}", f"b/{_shown(file)}"
                )
                for file, (before, after) in sorted(self.files.items())
            )
        )

    def write(self) -> None:
        """Write the new texts, all or none. Raises :class:`ModelError` if a file has changed."""
        for file, (before, _) in self.files.items():
            if _text_of(file) != before:
                raise _changed(file)
        write_files({file: after for file, (_, after) in self.files.items()})


def _changed(file: str) -> ModelError:
    name = Place(file, 1).shown_file()
    return ModelError(f"{name} has changed since it was read: nothing is written")


def _lines(text: str) -> list[str]:
    """As git counts them: other characters that end lines for Python do not here."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _shown(file: str) -> str:
    return Place(file, 1).shown_file().lstrip("/")


def patch_of(system: System, edits: Iterable[Edit], edited: System | None = None) -> Patch:
    """The patch that makes ``edits`` in the files that ``system`` was read from.

    ``edited`` is the system with the edits, where they were made one after the other. A Python
    model is loaded again, with the new texts, which runs it; nothing is written.
    """
    made = tuple(edits)
    site = system.site
    if site is not None and site.place.file.endswith(".json"):
        before = _text_of(site.place.file)
        if from_json(before, site.place.file) != system:
            raise _changed(site.place.file)
        after = _json_after(before, system, edited or apply(system, made))
        return Patch({site.place.file: (before, after)}, written=made)
    if not made:
        return Patch()
    return _Writer(system, made).patch()


def _json_after(text: str, system: System, edited: System) -> str:
    """The text of a JSON model with the edits, written anew only if it says things otherwise."""
    if edited == system:
        return text
    after = json_with(text, to_data(system), to_data(edited))
    try:
        if from_json(after) == edited:
            return after
    except ModelError:
        pass
    return to_json(edited)


def _text_of(file: str) -> str:
    """The text of a file with the line ends that it has."""
    return Path(file).read_bytes().decode("utf-8")


def sharing(system: System, edits: Iterable[Edit]) -> dict[Edit, tuple[Element, ...]]:
    """For edits that would have a place if other parts got the same values: these parts."""
    made = tuple(edits)
    if not made or (system.site is not None and system.site.place.file.endswith(".json")):
        return {}
    return _Writer(system, made).sharing()


def by_hand(system: System, edits: Iterable[Edit], why: str) -> tuple[str, ...]:
    """Edits that are not written: the place, the change, the new text and the reason."""
    made = tuple(edits)
    if not made or (system.site is not None and system.site.place.file.endswith(".json")):
        return tuple(_told(system, edit, why) for edit in made)
    return _Writer(system, made).told(why)


def _told(system: System, edit: Edit, why: str) -> str:
    """What is known without the text: the line that declares the part."""
    place = system.place(edit.part)
    new = ", ".join(f"{name}={source_of(value)}" for name, value in edit.values.items())
    return f"{place}: {edit}; write {new} ({why})" if place else f"{edit} ({why})"


@dataclass
class _Plan:
    """Edits, and the places of their values."""

    edits: tuple[Edit, ...]
    raised: dict[int, Key] = field(default_factory=dict)
    """The parts that are written anew as a whole, each with the field whose value it is."""
    values: Mapping[Key, Any] = field(default_factory=dict)
    slots: Mapping[Key, Slot | None] = field(default_factory=dict)

    def keys(self, edit: Edit) -> Sequence[Key]:
        """The fields that get new values by an edit."""
        raised = self.raised.get(id(edit.part))
        return [*_keys(edit)] if raised is None else [raised]

    def promised(self, parts: Mapping[int, Element]) -> dict[Key, Any]:
        """The new values of fields."""
        found = _promised(e for e in self.edits if id(e.part) not in self.raised)
        for part, key in self.raised.items():
            found[key] = edited_part(parts[part], self.edits)
        return found


class _Writer:
    """Finds places for edits, and tries what they give."""

    def __init__(self, system: System, edits: Sequence[Edit]) -> None:
        self.system = system
        self.edits = edits
        self._wholes = (*system.elements, *system.journeys, *system.scenarios)
        self._parts = {id(part): part for whole in self._wholes for part in walk(whole)}
        names = {name for edit in edits for name in edit.values}
        self._traces = Traces(self._parts.values(), names)
        self._why: dict[Edit, str] = {}
        self._target = origin(system)
        self._loads = 0
        self._barred: set[Slot] = set()
        """Places at which a new value gives something else."""

    def patch(self) -> Patch:
        """As many edits as can be written."""
        kept = self._kept(self._groups(self.edits))
        files = {
            file: (self._before(file), text)
            for file, text in self._texts(kept).items()
            if text != self._before(file)
        }
        left = [edit for edit in self.edits if edit not in kept]
        return Patch(files, tuple(map(self._described, left)), kept)

    def sharing(self) -> dict[Edit, tuple[Element, ...]]:
        """For edits of one value without a place of its own, what the same call makes too."""
        placed = self._placed(self.edits)
        edited = {id(edit.part) for edit in self.edits}
        found = {}
        for edit in self.edits:
            stops = [self._traces.stops.get(key, ())[:1] for key in _keys(edit)]
            if edit in placed or len(stops) != 1 or not stops[0]:
                continue
            users = self._traces.users[stops[0][0].slot]
            if {name for _, name in users} == set(edit.values):
                others = sorted(part for part, _ in users if part != id(edit.part))
                if not edited.intersection(others):
                    found[edit] = tuple(self._parts[part] for part in self._parts if part in others)
        return found

    # -- places -----------------------------------------------------------------------------------

    def _plan(self, edits: Sequence[Edit]) -> _Plan:
        """Where the new values of edits are put.

        A part that others have from the same text is written anew at the call that is given it.
        """
        plan = _Plan(tuple(edits))
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
                traced = all(self._traces.stops.get(key) for key in _keys(edit))
                self._why[edit] = _SHARED if traced else _NO_PLACE
            plan = _Plan(tuple(edit for edit in plan.edits if edit not in lost))

    def _may_be_raised(self, part: int, promised: Mapping[Key, Any]) -> bool:
        outer = self._outer.get(part)
        return outer is not None and outer not in promised and bool(self._traces.stops.get(outer))

    @functools.cached_property
    def _outer(self) -> Mapping[int, Key]:
        """Where each part is the value of a field: the part that it is in, and the field."""
        return {
            id(value): (id(part), name)
            for part in self._parts.values()
            for name in field_names(type(part))
            if isinstance(value := getattr(part, name), Element)
        }

    def _placed(self, edits: Sequence[Edit]) -> tuple[Edit, ...]:
        """The edits all of whose values have a place that no other value minds."""
        return self._plan(edits).edits

    def _slot(self, key: Key, promised: Mapping[Key, Any]) -> Slot | None:
        """Where the new value of a field is put: as far out as all that is changed there agrees."""
        for stop in reversed(self._traces.stops.get(key, ())):
            users = self._traces.users[stop.slot]
            agree = all(each in promised and promised[each] == promised[key] for each in users)
            if agree and stop.slot not in self._barred and self._traces.is_known(stop):
                return stop.slot
        return None

    def _groups(self, edits: Sequence[Edit]) -> list[tuple[Edit, ...]]:
        """Edits that share a text: they are written together or not at all."""
        plan = self._plan(edits)
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

    def _before(self, file: str) -> str:
        source = self._traces.sources.of(file)
        assert source is not None  # noqa: S101  # it has slots
        return source.text

    def _texts(self, edits: Sequence[Edit]) -> dict[str, str]:
        plan = self._plan(edits)
        by_file: dict[str, dict[Slot, str]] = defaultdict(dict)
        for key, value in plan.values.items():
            slot = plan.slots[key]
            if slot is not None:
                by_file[slot.file][slot] = source_of(value)
        texts = {}
        for file, values in by_file.items():
            source = self._traces.sources.of(file)
            assert source is not None  # noqa: S101  # it has slots
            texts[file] = rewritten(source, values)
        return texts

    # -- trials -----------------------------------------------------------------------------------

    def _kept(
        self, groups: Sequence[tuple[Edit, ...]], before: tuple[Edit, ...] = ()
    ) -> tuple[Edit, ...]:
        """``before`` and as many of ``groups`` as give what they promise, found by halving."""
        if not groups:
            return before
        every = (*before, *(edit for group in groups for edit in group))
        objection = self._objection(every)
        if objection is None:
            return every
        if len(groups) == 1:
            if objection == _DIFFERENT and self._is_further_in(groups[0]):
                return self._kept(groups, before)
            self._why.update(dict.fromkeys(groups[0], objection))
            return before
        half = len(groups) // 2
        return self._kept(groups[half:], self._kept(groups[:half], before))

    def _is_further_in(self, edits: Sequence[Edit]) -> bool:
        """Whether edits have other places, nearer to the parts, than those that were tried."""
        tried = {slot for slot in self._plan(edits).slots.values() if slot is not None}
        self._barred |= tried
        if len(self._placed(edits)) == len(edits):
            return True
        self._barred -= tried
        return False

    def _objection(self, edits: Sequence[Edit]) -> str | None:
        """Why the model with these edits in its text is not the system with these edits."""
        if self._target is None:
            return _NOT_LOADABLE
        if self._loads >= _MOST_LOADS:
            return _UNTRIED
        if len(self._placed(edits)) < len(edits):
            return _SHARED
        self._loads += 1
        try:
            texts = self._texts(edits)
        except SyntaxError:
            return _DIFFERENT
        found = _loaded(self._target, texts)
        if found.pop(self.system.name, None) != to_json(apply(self.system, edits)):
            return _DIFFERENT
        return None if not found or found == self._others else _DIFFERENT

    @functools.cached_property
    def _others(self) -> Mapping[str, str]:
        """The other systems that are read from the same files, as they are."""
        assert self._target is not None  # noqa: S101  # something is loaded
        files = {stop.slot.file for stops in self._traces.stops.values() for stop in stops}
        found = _loaded(self._target, {file: self._before(file) for file in files})
        found.pop(self.system.name, None)
        return found

    # -- by hand ----------------------------------------------------------------------------------

    def told(self, why: str) -> tuple[str, ...]:
        """The edits with the places that they would have, and why they are not made."""
        plan = self._plan(self.edits)
        texts = []
        for edit in self.edits:
            slots = [plan.slots[key] for key in plan.keys(edit)] if edit in plan.edits else [None]
            if len(slots) == 1 and slots[0] is not None:
                new = source_of(plan.values[plan.keys(edit)[0]])
                place, text = self._place(slots[0]), self._replacing(slots[0], new)
                texts.append(f"{place}: {edit}; {text} ({why})")
            else:
                texts.append(_told(self.system, edit, why))
        return tuple(texts)

    def _described(self, edit: Edit) -> str:
        """An edit that is not written, with the text that gives its value."""
        why = self._why.get(edit, _DIFFERENT)
        if why in {_DIFFERENT, _NO_PLACE, _SHARED} and len(edit.values) == 1:
            (key,) = _keys(edit)
            advice = self._advice(key, source_of(edit.values[key[1]]), why)
            if advice is not None:
                place, text = advice
                return f"{place}: {edit}; {text}"
        return _told(self.system, edit, why)

    def _advice(self, key: Key, new: str, why: str) -> tuple[Place, str] | None:
        """The line at which a value is to be changed, and what to write there or to know of it."""
        stops = self._traces.stops.get(key, ())
        slots = [stop.slot for stop in stops if stop.slot not in self._barred]
        if slots and why == _SHARED:
            slot = min(reversed(slots), key=lambda each: len(self._traces.users[each]))
            others = len(self._traces.users[slot]) - 1
            return self._place(slot), f"{self._replacing(slot, new)} ({_for_others(others)})"
        reached = self._traces.reached.get(key)
        if reached is None:
            return None
        return self._place(reached), f"write {new} for {self._text(reached)} ({_COMPUTED})"

    def _replacing(self, slot: Slot, new: str) -> str:
        text = self._text(slot)
        if slot.keyword is not None:
            return f"write {slot.keyword}={new} into {text}"
        return f"write {new} for {text}"

    def _text(self, slot: Slot) -> str:
        """The text in a slot, on one line."""
        text = " ".join(self._before(slot.file)[slot.start : slot.end].split())
        return text if len(text) <= _LEGIBLE else f"{text[:_LEGIBLE]}..."

    def _place(self, slot: Slot) -> Place:
        return Place(slot.file, self._before(slot.file).count("\n", 0, slot.start) + 1)


def _loaded(target: str, texts: Mapping[str, str]) -> dict[str, str]:
    """The systems that the changed files give, by name, in the JSON form; none if they fail."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return {system.name: to_json(system) for system in load_changed(target, texts)}
    except ArchcheckError:
        return {}


def _for_others(number: int) -> str:
    if not number:
        return "not written: what else reads it is not known"
    return f"{number} other value{'s'[: number - 1]} would change with it"


def _keys(edit: Edit) -> Iterator[Key]:
    return ((id(edit.part), name) for name in edit.values)


def _promised(edits: Iterable[Edit]) -> dict[Key, Any]:
    return {(id(e.part), name): value for e in edits for name, value in e.values.items()}
