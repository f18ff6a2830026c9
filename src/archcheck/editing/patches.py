"""Edits as a patch: new values where the values stand, in the files that declare a model.

Which text to change is traced back from the parts (``tracing``), chosen (``placing``), changed
(``rewriting``), and then tried: the model is loaded with the new texts. An edit is written only if
that gives the system that was promised; what is not written is listed (``advice``).
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from archcheck.editing.advice import told, unneeded, unwritten
from archcheck.editing.differences import unified_diff
from archcheck.editing.edits import Edit, apply
from archcheck.editing.json_text import data_like, json_with
from archcheck.editing.placing import DIFFERENT, SHARED, TextPlaces
from archcheck.editing.spelling import source_of
from archcheck.files import write_files
from archcheck.loading import load_changed, origin
from archcheck.model import ArchcheckError, ModelError, Place, System, from_json, to_json
from archcheck.model.codec import to_data
from archcheck.model.element import Element

__all__ = ["Patch", "by_hand", "patch_of", "sharing", "source_of"]

_MOST_LOADS = 12
"""Times that a model is loaded to see what edits of its text give, at most. A choice: one edit in a
hundred that gives something else is found with so many."""
_NOT_LOADABLE = "the model is no file that can be loaded again"
_UNTRIED = "not tried: too many others give something else"


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
            line
            for file, (before, after) in sorted(self.files.items())
            for line in unified_diff(before, after, f"a/{_shown(file)}", f"b/{_shown(file)}")
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
    after = json_with(text, to_data(system), data_like(system, edited))
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
    return TextPlaces(system, made).sharing()


def by_hand(system: System, edits: Iterable[Edit], why: str) -> tuple[str, ...]:
    """Edits that are not written: the place, the change, the new text and the reason."""
    made = tuple(edits)
    if not made or (system.site is not None and system.site.place.file.endswith(".json")):
        return tuple(told(system, edit, why) for edit in made)
    return unneeded(TextPlaces(system, made), why)


class _Writer:
    """Tries what edits give, and writes those that give what they promise."""

    def __init__(self, system: System, edits: Sequence[Edit]) -> None:
        self.system = system
        self.edits = edits
        self._places = TextPlaces(system, edits)
        self._target = origin(system)
        self._loads = 0

    def patch(self) -> Patch:
        """As many edits as can be written."""
        places = self._places
        kept = self._kept(places.groups(self.edits))
        files = {
            file: (places.before(file), text)
            for file, text in places.texts(kept).items()
            if text != places.before(file)
        }
        left = [edit for edit in self.edits if edit not in kept]
        return Patch(files, tuple(unwritten(places, edit) for edit in left), kept)

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
            if objection == DIFFERENT and self._places.move_in(groups[0]):
                return self._kept(groups, before)
            self._places.why.update(dict.fromkeys(groups[0], objection))
            return before
        half = len(groups) // 2
        return self._kept(groups[half:], self._kept(groups[:half], before))

    def _objection(self, edits: Sequence[Edit]) -> str | None:
        """Why the model with these edits in its text is not the system with these edits."""
        if self._target is None:
            return _NOT_LOADABLE
        if self._loads >= _MOST_LOADS:
            return _UNTRIED
        if len(self._places.plan(edits).edits) < len(edits):
            return SHARED
        self._loads += 1
        try:
            texts = self._places.texts(edits)
        except SyntaxError:
            return DIFFERENT
        found = _loaded(self._target, texts)
        if found.pop(self.system.name, None) != to_json(apply(self.system, edits)):
            return DIFFERENT
        return None if not found or found == self._others else DIFFERENT

    @functools.cached_property
    def _others(self) -> Mapping[str, str]:
        """The other systems that are read from the same files, as they are."""
        assert self._target is not None  # noqa: S101  # something is loaded
        texts = {file: self._places.before(file) for file in self._places.files()}
        found = _loaded(self._target, texts)
        found.pop(self.system.name, None)
        return found


def _loaded(target: str, texts: Mapping[str, str]) -> dict[str, str]:
    """The systems that the changed files give, by name, in the JSON form; none if they fail."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return {system.name: to_json(system) for system in load_changed(target, texts)}
    except ArchcheckError:
        return {}
