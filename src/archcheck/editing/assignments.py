"""Assignments: one value of a model, named as people say it, and the system with it.

==============================================  ==================================================
``payments.replicas=6``                         a field of an element, of its deployment or runtime
``payments.Charge.work=8ms``                    the time of an endpoint's work
``orders->payments.timeout=150ms``              a field of all calls from one to the other
``orders.place->payments.Charge.timeout=1s``    of those between two endpoints
``orders->payments.retry.attempts=3``           a field of a part of them
``orders->payments.retry=none``                 nothing instead of a part, a client's included
``load=x2``, ``checkout.load=x1.5``             the declared load times a factor
==============================================  ==================================================

A number of replicas takes the place of an autoscaler.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from archcheck.editing.edits import Edit, apply, copied
from archcheck.model import (
    Absent,
    Closed,
    Deployment,
    Element,
    Load,
    Mix,
    ModelError,
    Scenario,
    Session,
    Step,
    System,
    Work,
)
from archcheck.model.clients import from_client
from archcheck.model.element import field_names, nearest
from archcheck.model.linking import walk
from archcheck.model.renamed import renamed
from archcheck.units import Quantity, Rate

_INSIDE = ("deployment", "runtime", "autoscale", "shedding")
"""Parts of an element whose fields can be named as if they were its own."""
_FACTOR = re.compile(r"x\s*([0-9]+(?:\.[0-9]+)?)", re.IGNORECASE)


def with_settings(system: System, settings: Mapping[str, Any]) -> System:
    """The system with other values: ``{"payments.replicas": 6, "orders->payments.timeout": "1s"}``.

    Values are objects (``150 * ms``) or texts (``"150ms"``). Raises
    :class:`~archcheck.model.ModelError` for what the system does not have, with the nearest names,
    and for a value that does not fit.
    """
    changed = system
    for path, value in settings.items():
        if path == "load" or path.endswith(".load"):
            changed = _loaded(changed, path.removesuffix("load").removesuffix("."), value)
        else:
            changed = _set(changed, path, value)
    return changed


def _set(system: System, path: str, value: Any) -> System:
    system = _unshared(system, path)
    parts = [*_chosen(system, path)]
    last: ModelError | None = None
    for candidate in _candidates(value):
        try:
            return apply(system, [_edit(system, part, field, candidate) for part, field in parts])
        except (ModelError, TypeError, ValueError) as error:
            last = last or ModelError(f"{path}={value}: {_reason(error)}")
    assert last is not None  # noqa: S101  # there is at least one candidate
    raise last


def _reason(error: Exception) -> str:
    return error.sentence if isinstance(error, ModelError) else str(error)


def _candidates(value: Any) -> Iterator[Any]:
    """What a text may mean: a whole number, a number, a word, a quantity."""
    if isinstance(value, str):
        words: dict[str, Any] = {"none": None, "true": True, "false": False}
        if value.lower() in words:
            yield words[value.lower()]
            return
        for number in (int, float):
            try:
                yield number(value)
            except ValueError:
                continue
    yield value


def _edit(system: System, part: Element, field: str, value: Any) -> Edit:
    values = {field: value}
    if value is None and isinstance(part, Step) and _inherited(system, part, field) is not None:
        values[field] = Absent("set to none")
    if field == "replicas" and isinstance(part, Deployment) and part.autoscale is not None:
        values["autoscale"] = None
    return Edit(part, values, f"{type(part).__name__} {field}")


def _unshared(system: System, path: str) -> System:
    """The system in which the named element has its parts for itself: an edit changes it alone.

    Models share parts: a deployment of two services, a retry of all calls. The calls of
    ``a->b.field`` also say themselves what they inherit from a client.
    """
    name = _named(system, path.partition("->")[0], path)[0].partition(".")[0]
    elements = [copied(part) if part.name == name else part for part in system.elements]
    apart = dataclasses.replace(system, elements=elements)
    object.__setattr__(apart, "_site", system.site)
    holders, fields = _holders(apart, path)
    edits = [
        Edit(step, {fields[0]: copied(value)}, path)
        for step in holders
        if fields
        and getattr(step, fields[0], None) is None
        and (value := _inherited(apart, step, fields[0])) is not None
    ]
    return apply(apart, edits)


def _inherited(system: System, step: Element, field: str) -> Any:
    """What a client of its service says for a step."""
    if not isinstance(step, Step) or not hasattr(step, field):
        return None
    source = next(each for each in system.services if any(part is step for part in walk(each)))
    return from_client(source, step, field)


# -- what is meant --------------------------------------------------------------------------------


def _chosen(system: System, path: str) -> list[tuple[Element, str]]:
    """The parts that a path means, each with the field of it."""
    holders, fields = _holders(system, path)
    if not fields:
        raise ModelError(
            f"the setting {path!r} names no field; write one as in payments.replicas=6"
        )
    return [_field(holder, fields, path) for holder in holders]


def _holders(system: System, path: str) -> tuple[list[Element], list[str]]:
    """The elements or steps that a path begins with, and the fields after them."""
    if "->" in path:
        source, _, rest = (side.strip() for side in path.partition("->"))
        target, fields = _named(system, rest, path)
        return _steps(system, source, target, path), fields
    name, fields = _named(system, path, path)
    return [_part(system, name)], fields


def _named(system: System, text: str, path: str) -> tuple[str, list[str]]:
    """The longest name that a text begins with, and the fields after it."""
    names = [*system.directory.elements, *system.directory.parts]
    words = text.strip().split(".")
    for end in range(len(words), 0, -1):
        name = ".".join(words[:end])
        if name in names:
            return name, words[end:]
    raise ModelError(
        f"the setting {path!r}: there is no {words[0]!r} in the system {system.name!r}"
        f"{nearest(words[0], names)}"
    )


def _part(system: System, name: str) -> Element:
    if name in system.directory.parts:
        return system.directory.parts[name][1]
    return system.directory.elements[name]


def _steps(system: System, source: str, target: str, path: str) -> list[Element]:
    """All steps of ``source`` that ask ``target``."""
    name, rest = _named(system, source, path)
    if rest:
        raise ModelError(f"the setting {path!r}: {source!r} is neither an element nor an endpoint")
    found = [
        step
        for step in walk(_part(system, name))
        if (asked := _asked(step)) is not None
        and (asked == target or asked.partition(".")[0] == target)
    ]
    if not found:
        raise ModelError(f"the setting {path!r}: {source} does not ask {target}")
    return found


def _asked(step: Element) -> str | None:
    for field in ("target", "cache"):
        value = getattr(step, field, None)
        if value is not None:
            return str(value)
    return None


def _field(holder: Element, fields: list[str], path: str) -> tuple[Element, str]:
    """Follow fields into parts of an element."""
    part = holder
    for field in fields[:-1]:
        inside = getattr(part, field, None) if field in field_names(type(part)) else None
        if not isinstance(inside, Element) or isinstance(inside, Absent):
            known = list(field_names(type(part)))
            meant = "" if field in known else nearest(field, known)
            raise ModelError(f"the setting {path!r}: {_title(holder)} declares no {field}{meant}")
        part = inside
    return _holder_of(part, fields[-1], path, holder)


def _holder_of(part: Element, field: str, path: str, named: Element) -> tuple[Element, str]:
    """The part itself, or the one inside it that has the field."""
    known = list(field_names(type(part)))
    if field in known:
        return part, field
    if sentence := renamed(type(part), field):
        raise ModelError(f"the setting {path!r}: {sentence}")
    if field == "work":
        works = [step for step in walk(part) if isinstance(step, Work)]
        if len(works) == 1:
            return works[0], "time"
        raise ModelError(f"the setting {path!r}: {_title(named)} has {len(works)} steps of work")
    for name in _INSIDE:
        inside = getattr(part, name, None)
        if isinstance(inside, Element):
            deeper = getattr(inside, "autoscale", None)
            for each in (inside, deeper):
                if isinstance(each, Element) and field in field_names(type(each)):
                    return each, field
                known += field_names(type(each)) if isinstance(each, Element) else ()
    raise ModelError(
        f"the setting {path!r}: {_title(named)} has no {field!r}{nearest(field, known)}"
    )


def _title(part: Element) -> str:
    name = getattr(part, "name", None) or _asked(part)
    return f"{type(part).__name__} {name!r}" if name else type(part).__name__


# -- load -----------------------------------------------------------------------------------------


def _loaded(system: System, journey: str, value: Any) -> System:
    found = _FACTOR.fullmatch(str(value).strip())
    if found is None or not float(found[1]):
        raise ModelError(f"a load is set by a factor, such as x2, got {value}")
    names = [each.name for each in system.journeys]
    if journey and journey not in names:
        raise ModelError(f"there is no journey {journey!r}{nearest(journey, names)}")
    scenarios = [_grown(scenario, float(found[1]), journey) for scenario in system.scenarios]
    changed = dataclasses.replace(system, scenarios=scenarios)
    object.__setattr__(changed, "_site", system.site)
    return changed


def _grown(scenario: Scenario, factor: float, journey: str) -> Scenario:
    """All loads of a scenario, or those of one journey, times a factor."""
    loads = [_grown_load(load, factor, journey, scenario) for load in scenario.load]
    return dataclasses.replace(scenario, load=loads)


def _grown_load(
    load: Load | Mix | Session, factor: float, journey: str, scenario: Scenario
) -> Load | Mix | Session:
    if isinstance(load, Load):
        mine = not journey or str(load.journey) == journey
        return dataclasses.replace(load, weight=load.weight * factor) if mine else load
    if journey:
        if isinstance(load, Mix) and journey not in {str(each.journey) for each in load.choices}:
            return load
        raise ModelError(
            f"scenario {scenario.name!r}: users choose {journey!r} among others, so its load "
            "cannot grow alone; set load=x2"
        )
    clients = max(1, round(load.clients * factor)) if load.clients else None
    return dataclasses.replace(
        load, arrivals=_grown_arrivals(load.arrivals, factor), clients=clients
    )


def _grown_arrivals(arrivals: Any, factor: float) -> Any:
    if isinstance(arrivals, Closed):
        return dataclasses.replace(arrivals, users=max(1, round(arrivals.users * factor)))
    changes: dict[str, Any] = {}
    for name in field_names(type(arrivals)):
        value = getattr(arrivals, name)
        if isinstance(value, Rate):
            changes[name] = Rate(float(value) * factor)
        elif isinstance(value, tuple) and value and isinstance(value[0], Element):
            changes[name] = [_grown_arrivals(each, factor) for each in value]
    if not changes:
        raise ModelError(f"a load of {type(arrivals).__name__} has no rate that could grow")
    return dataclasses.replace(arrivals, **changes)


# -- sweeps ---------------------------------------------------------------------------------------

_MOST = 60
"""Values of one setting at most. A choice: a comparison simulates each several times."""
_RANGE = re.compile(r"(?P<low>[^./][^/]*?)\.\.(?P<high>[^/]+?)(?:/(?P<count>[0-9]+))?")


def parse_setting(text: str) -> tuple[str, list[str]]:
    """``PATH=VALUE``: the path and its values.

    Several values: ``2,4,8``, or ``2..8`` for all whole numbers, or ``100ms..500ms/5`` for five
    values evenly apart. Raises :class:`~archcheck.model.ModelError` for anything else.
    """
    path, equals, value = text.rpartition("=")
    if not equals or not path.strip() or not value.strip():
        raise ModelError(f"the setting {text!r} is not of the form payments.replicas=6")
    found = _RANGE.fullmatch(value.strip())
    values = _between(found, text) if found else [each.strip() for each in value.split(",")]
    if "" in values:
        raise ModelError(f"the setting {text!r} has an empty value")
    return path.strip(), values


def _between(found: re.Match[str], text: str) -> list[str]:
    low, high, count = found["low"].strip(), found["high"].strip(), found["count"]
    if count is None:
        try:
            first, last = int(low), int(high)
        except ValueError:
            raise ModelError(
                f"the setting {text!r}: say how many values, as in {low}..{high}/5"
            ) from None
        _check_count(last - first + 1, text)
        return [str(number) for number in range(first, last + 1)]
    _check_count(int(count), text)
    steps = max(1, int(count) - 1)
    start, end, unit = _read(low, high, text)
    values = [start + (end - start) * step / steps for step in range(int(count))]
    plain = [float(f"{value:.12g}") for value in values]
    return [str(unit(value)) if unit is not None else f"{value:g}" for value in plain]


def _check_count(count: int, text: str) -> None:
    if not 1 <= count <= _MOST:
        raise ModelError(f"the setting {text!r} has {count} values; there can be 1 to {_MOST}")


def _read(low: str, high: str, text: str) -> tuple[float, float, type[Quantity] | None]:
    try:
        return float(low), float(high), None
    except ValueError:
        pass
    for unit in Quantity.__subclasses__():
        try:
            return float(unit.parse(low)), float(unit.parse(high)), unit
        except ValueError:
            continue
    raise ModelError(f"the setting {text!r}: {low!r} and {high!r} are no numbers with one unit")


def variants(settings: Iterable[str]) -> list[dict[str, str]]:
    """All combinations of the values of settings, in their order."""
    found: list[dict[str, str]] = [{}]
    for text in settings:
        path, values = parse_setting(text)
        found = [{**known, path: value} for known in found for value in values]
        _check_count(len(found), text)
    return found
