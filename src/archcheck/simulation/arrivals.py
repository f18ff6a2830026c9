"""Streams of requests: compiled from a scenario, and walked by an engine."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from archcheck.model import (
    Closed,
    Deterministic,
    Diurnal,
    Load,
    Mix,
    Poisson,
    Ramp,
    Recorded,
    Scenario,
    ScenarioError,
    Stepped,
)
from archcheck.model.element import nearest
from archcheck.model.scenarios import Arrivals
from archcheck.simulation.plan import ArrivalKind, Stream
from archcheck.simulation.randomness import mix, place_hash, stream, uniform
from archcheck.simulation.sampling import compile_time

_GAP, _THIN, _CHOICE = 0, 1, 2


def compile_streams(scenario: Scenario, journeys: Sequence[str]) -> tuple[Stream, ...]:
    """The streams of a scenario; journeys become indexes into ``journeys``."""
    streams = []
    for index, load in enumerate(scenario.load):
        if isinstance(load, Load):
            choices, weight = [(str(load.journey), 1.0)], load.weight
            name = f"{load.journey}#{index}"
        elif isinstance(load, Mix):
            choices = [(str(choice.journey), choice.weight) for choice in load.choices]
            name, weight = load.name, 1.0
        streams.append(_stream(name, load.arrivals, weight, _cumulative(choices, journeys)))
    return tuple(streams)


def _cumulative(
    choices: Sequence[tuple[str, float]], journeys: Sequence[str]
) -> tuple[tuple[int, float], ...]:
    total = math.fsum(weight for _, weight in choices)
    if not choices:
        raise ScenarioError("a mix needs at least one choice")
    reached, result = 0.0, []
    for journey, weight in choices:
        if journey not in journeys:
            raise ScenarioError(
                f"the scenario loads the journey {journey!r}, which the system does not have"
                f"{nearest(journey, list(journeys))}"
            )
        reached += weight / total
        result.append((journeys.index(journey), reached))
    return tuple(result)


def _stream(
    name: str, arrivals: Arrivals, weight: float, choices: tuple[tuple[int, float], ...]
) -> Stream:
    place = place_hash(f"load {name}")
    match arrivals:
        case Poisson(rate=rate):
            return Stream(name, place, ArrivalKind.POISSON, choices, rate=float(rate) * weight)
        case Deterministic(rate=rate):
            return Stream(
                name, place, ArrivalKind.DETERMINISTIC, choices, rate=float(rate) * weight
            )
        case Closed(users=users, think=think):
            return Stream(
                name,
                place,
                ArrivalKind.CLOSED,
                choices,
                users=max(1, round(users * weight)),
                think=compile_time(think),
            )
        case Ramp(start=start, end=end, over=over):
            points = ((0.0, float(start) * weight), (float(over), float(end) * weight))
            return Stream(name, place, ArrivalKind.PIECEWISE, choices, points=points)
        case Stepped():
            return Stream(
                name, place, ArrivalKind.PIECEWISE, choices, points=_steps(arrivals, weight)
            )
        case Diurnal(low=low, high=high, period=period):
            return Stream(
                name,
                place,
                ArrivalKind.SINE,
                choices,
                rate=float(low) * weight,
                high=float(high) * weight,
                period=float(period),
            )
        case Recorded(file=None, times=times) if times:
            return Stream(
                name, place, ArrivalKind.RECORDED, choices, times=tuple(map(float, times))
            )
        case other:
            raise ScenarioError(
                f"this version does not simulate arrivals of the kind {type(other).__name__}; use "
                "Poisson, Deterministic, Ramp, Stepped, Diurnal, Recorded(times) or Closed"
            )


def _steps(arrivals: Stepped, weight: float) -> tuple[tuple[float, float], ...]:
    points, now = [], 0.0
    for step in arrivals.steps:
        points += [(now, float(step.rate) * weight)]
        now += float(step.lasts)
        points += [(now, float(step.rate) * weight)]
    return tuple(points)


def arrival_times(source: Stream, seed: int) -> Iterator[float]:
    """The times of an open stream, ascending, without end (or until the records end)."""
    draws = stream(seed, source.place)
    match source.kind:
        case ArrivalKind.RECORDED:
            yield from source.times
        case ArrivalKind.DETERMINISTIC if source.rate > 0:
            number = 1
            while True:
                yield number / source.rate
                number += 1
        case ArrivalKind.POISSON if source.rate > 0:
            yield from _poisson(source.rate, draws)
        case ArrivalKind.PIECEWISE | ArrivalKind.SINE:
            yield from _thinned(source, draws)


def _poisson(rate: float, draws: int) -> Iterator[float]:
    now, number = 0.0, 0
    while True:
        now -= math.log(uniform(draws, number, _GAP)) / rate
        yield now
        number += 1


def _thinned(source: Stream, draws: int) -> Iterator[float]:
    """A Poisson stream of varying rate (Lewis and Shedler, 1979: thinning)."""
    peak = max((rate for _, rate in source.points), default=source.high)
    if peak <= 0:
        return
    for number, now in enumerate(_poisson(peak, draws)):
        if uniform(draws, number, _THIN) * peak <= rate_at(source, now):
            yield now


def rate_at(source: Stream, now: float) -> float:
    """The rate of a stream of varying rate at a time."""
    if source.kind == ArrivalKind.SINE:
        swing = (1 - math.cos(2 * math.pi * now / source.period)) / 2
        return source.rate + (source.high - source.rate) * swing
    before = source.points[0]
    for point in source.points[1:]:
        if now < point[0]:
            share = (now - before[0]) / (point[0] - before[0])
            return before[1] + share * (point[1] - before[1])
        before = point
    return before[1]


def entry_key(source: Stream, number: int) -> int:
    """The key of the ``number``-th journey of a stream: the root of its lineage."""
    return mix(source.place + number)


def chosen_journey(source: Stream, seed: int, key: int) -> int:
    """The journey that an entry of a mix takes."""
    if len(source.choices) == 1:
        return source.choices[0][0]
    point = uniform(stream(seed, source.place), key, _CHOICE)
    for journey, reached in source.choices:
        if point <= reached:
            return journey
    return source.choices[-1][0]
