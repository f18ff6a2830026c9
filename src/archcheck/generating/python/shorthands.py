"""What a model says several times, said once: constants, and helper functions.

A constant stands for a setting that is the same in several places (a retry policy, a probe, the
reason for an absence). A helper stands for settings that differ in a few values only: the
deployments of a system differ in their images. Both are exact: values are immutable, and equal
ones cannot be told apart.

Steps, endpoints and elements with names of their own are what a model is about and are never
abbreviated; a short setting stays where it is, because a name is no easier to read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from archcheck.generating.python.identifiers import words
from archcheck.model import (
    Absent,
    Arrivals,
    Between,
    Choice,
    Client,
    Distribution,
    Element,
    Fault,
    Grpc,
    Load,
    LoadRange,
    Look,
    Mix,
    Move,
    Named,
    Network,
    Policy,
    Pool,
    Prices,
    RateStep,
    SagaStep,
    Session,
    Step,
    Suppression,
    Thrift,
)
from archcheck.model.codec import declared
from archcheck.model.named import Part
from archcheck.units import Quantity

_WHOLE = (
    *(Named, Part, Step, Policy, Suppression, Look, Fault, SagaStep, Client, Pool, Network, Prices),
    *(Distribution, Arrivals, RateStep, Load, Mix, Session, Choice, Move, Between, LoadRange),
)
"""What a model is about; and what is short, or stands in a system once."""
_FEWEST = 3
"""Uses of a value or a helper that are worth a name. A choice: people hoist the third copy."""
_SHORTEST = 24
"""Characters that are worth a name."""
_SAVED = 120
"""Characters, over all uses, that a constant saves; a helper saves twice as many."""
_MOST_PARAMETERS = 3
"""Values in which the uses of a helper differ."""

Length = Callable[[Element], int]
"""How many characters an element has on one line."""


@dataclass(frozen=True)
class NamedConstant:
    """A name for a value."""

    value: Element
    candidates: tuple[str, ...]
    """Names for it, best first."""


@dataclass(frozen=True)
class Helper:
    """A function for values that differ in some fields only."""

    example: Element
    """One of the values."""
    parameters: tuple[str, ...]
    """The fields that differ, in the vocabulary's order."""
    candidates: tuple[str, ...]
    """Names for it, best first."""


Shorthand = NamedConstant | Helper


def shorthands_for(roots: Iterable[Element], length: Length) -> dict[Element, Shorthand]:
    """The shorthand of each value that has one."""
    roots = list(roots)
    fields_of = _where_values_stand(roots)
    constants = _repeated(roots, length)
    names = {value: list(_constant_names(value, fields_of[value])) for value in constants}
    found: dict[Element, Shorthand] = {
        value: NamedConstant(value, (*_told_apart(value, names), *names[value]))
        for value in constants
    }
    for helper, values in _helpers(roots, constants, fields_of, length):
        found.update(dict.fromkeys(values, helper))
    return found


def inside(value: Element) -> Iterator[tuple[str, Element]]:
    """The elements directly inside one, with the names of their fields."""
    for each, content in declared(value):
        for item in content if isinstance(content, tuple) else (content,):
            if isinstance(item, Element):
                yield each.name, item


def _may_have_a_name(value: Element) -> bool:
    return not isinstance(value, _WHOLE)


def _where_values_stand(roots: Iterable[Element]) -> dict[Element, Counter[str]]:
    """The fields that each setting stands in."""
    found: dict[Element, Counter[str]] = {}
    waiting = list(roots)
    while waiting:
        for name, item in inside(waiting.pop()):
            waiting.append(item)
            if _may_have_a_name(item):
                found.setdefault(item, Counter())[name] += 1
    return found


# -- constants ------------------------------------------------------------------------------------


def _repeated(roots: list[Element], length: Length) -> list[Element]:
    """The settings that get a name, in the order in which they are met."""
    lengths: dict[Element, int] = {}

    def is_worth_it(value: Element, uses: int) -> bool:
        if uses < _FEWEST:
            return False
        if value not in lengths:
            lengths[value] = length(value)
        return lengths[value] >= _SHORTEST and (uses - 1) * lengths[value] >= _SAVED

    chosen: set[Element] = set()
    for _ in range(8):  # a setting inside others that have a name is written less often
        uses = _uses(roots, chosen)
        better = {value for value, count in uses.items() if is_worth_it(value, count)}
        if better == chosen:
            break
        chosen = better
    return [value for value in uses if value in chosen]


def _uses(roots: list[Element], named: set[Element]) -> Counter[Element]:
    """How often each setting is written, where these have a name and are written out once."""
    found: Counter[Element] = Counter()
    waiting = list(reversed(roots))
    while waiting:
        for _, item in reversed([*inside(waiting.pop())]):
            if _may_have_a_name(item):
                found[item] += 1
                if item in named and found[item] > 1:
                    continue
            waiting.append(item)
    return found


def _constant_names(value: Element, stands_in: Counter[str]) -> Iterator[str]:
    """Names by what a value is for: its service, its field, its kind."""
    kind = words(type(value).__name__)
    if isinstance(value, Absent):
        yield _name_of_absence(value, stands_in)
        return
    if isinstance(value, Grpc | Thrift) and value.service:
        yield _label(value.service)
    if len(stands_in) == 1:
        yield next(iter(stands_in))
    yield kind


def _told_apart(value: Element, names: Mapping[Element, list[str]]) -> Iterator[str]:
    """A name with what tells a value from others of the same name: ``RESOURCES_512_MIB``."""
    name = names[value][0]
    others = [other for other, known in names.items() if known[0] == name and other is not value]
    for each, content in declared(value) if others else ():
        is_plain = isinstance(content, str | int | Quantity) and not isinstance(content, bool)
        if is_plain and all(getattr(other, each.name, None) != content for other in others):
            text = str(content).lower() if isinstance(content, Quantity) else str(content)
            yield f"{name}_{_label(text)}".rstrip("_")
            return


def _name_of_absence(value: Absent, stands_in: Counter[str]) -> str:
    """The reason, or what is absent where the reason is long."""
    reason = words(value.reason)
    if reason and len(reason) <= _LONGEST:
        return reason
    if len(stands_in) <= _FEW_FIELDS:
        return f"no_{'_or_'.join(stands_in)}"
    return _first_words(reason) or "absent"


_FEW_FIELDS = 2
_LONGEST = 30
"""Characters of a name that is made of words of a sentence."""


def _first_words(sentence: str) -> str:
    found = ""
    for word in words(sentence).split("_"):
        if len(found) + len(word) + 1 > _LONGEST:
            break
        found = f"{found}_{word}" if found else word
    return found


def _label(text: str) -> str:
    """A text without its path and its version: ``mongo`` of ``library/mongo:4.4``."""
    last = text.rstrip("/").rpartition("/")[2].partition(":")[0]
    first, *rest = last.split(".")
    return _first_words(rest[-1] if rest and rest[-1][:1].isupper() else first)


# -- helpers --------------------------------------------------------------------------------------


def _helpers(
    roots: list[Element],
    constants: Iterable[Element],
    fields_of: Mapping[Element, Counter[str]],
    length: Length,
) -> Iterator[tuple[Helper, list[Element]]]:
    named = set(constants)
    uses = _uses(roots, named)
    alike: dict[object, list[Element]] = {}
    for value in uses:
        if value not in named:
            shape = (type(value), tuple(each.name for each, _ in declared(value)))
            alike.setdefault(shape, []).append(value)
    for values in alike.values():
        differing = _differing(values)
        count = sum(uses[value] for value in values)
        if differing and count >= _FEWEST and _saves(values, differing, uses, length):
            base = words(type(values[0]).__name__)
            stands_in = next(iter(fields_of[values[0]]))
            yield Helper(values[0], differing, (base, f"{base}_{stands_in}")), values


def _differing(values: list[Element]) -> tuple[str, ...]:
    """The fields in which values differ; none where a helper cannot have them as parameters."""
    found = []
    same = 0
    for each, first in declared(values[0]):
        others = [getattr(value, each.name) for value in values]
        if all(other == first for other in others):
            same += 1
        elif _can_be_a_parameter(each.type, others):
            found.append(each.name)
        else:
            return ()
    return tuple(found) if len(found) <= _MOST_PARAMETERS and same >= len(found) else ()


def _can_be_a_parameter(annotation: object, values: list[Any]) -> bool:
    """Whether a type can be written that all of these have and that the field takes."""
    kinds = {type(value) for value in values}
    return len(kinds) == 1 and kinds != {tuple} and not _has_literals(annotation)


def _has_literals(annotation: object) -> bool:
    return get_origin(annotation) is Literal or any(map(_has_literals, get_args(annotation)))


def _saves(
    values: list[Element], differing: tuple[str, ...], uses: Counter[Element], length: Length
) -> bool:
    """Whether the fixed part, written so often, is longer than the function is."""
    shared = sum(
        len(each.name) + _estimate(value, length) + len("=, ")
        for each, value in declared(values[0])
        if each.name not in differing
    )
    count = sum(uses[value] for value in values)
    return shared >= 2 * _SHORTEST and (count - 1) * shared >= 2 * _SAVED


def _estimate(value: object, length: Length) -> int:
    return length(value) if isinstance(value, Element) else len(str(value))
