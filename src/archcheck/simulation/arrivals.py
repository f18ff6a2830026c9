"""When requests come, and what they are: pure functions of a stream and the seed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from archcheck.simulation.plan import ArrivalKind, PlannedSession, Stream
from archcheck.simulation.randomness import mix, stream, uniform

_GAP, _THIN, _CHOICE, _COPIES, _STATE, _NEXT, _CLIENT = range(7)


def arrival_times(source: Stream, seed: int) -> Iterator[float]:
    """The times of an open stream, ascending, without end (or until the records end).

    Only those between its start and its end, each ``factor`` times.
    """
    draws = stream(seed, source.place)
    for number, time in enumerate(_times(source, draws)):
        if time >= source.end:
            return
        if time < source.start:
            continue
        copies = 1
        if source.factor != 1:
            copies = int(source.factor + uniform(draws, number, _COPIES))
        for _ in range(copies):
            yield time


def _times(source: Stream, draws: int) -> Iterator[float]:
    match source.kind:
        case ArrivalKind.RECORDED:
            yield from source.times
        case ArrivalKind.DETERMINISTIC:
            number = 1
            while True:
                yield number / source.rate
                number += 1
        case ArrivalKind.POISSON:
            yield from _poisson(source.rate, draws)
        case ArrivalKind.MMPP:
            yield from _bursts(source, draws)
        case _:
            yield from _thinned(source, draws)


def _poisson(rate: float, draws: int) -> Iterator[float]:
    now, number = 0.0, 0
    while rate > 0:
        now -= math.log(uniform(draws, number, _GAP)) / rate
        yield now
        number += 1


def _thinned(source: Stream, draws: int) -> Iterator[float]:
    """A Poisson stream of varying rate (Lewis and Shedler, 1979: thinning)."""
    peak = max((rate for _, rate in source.points), default=source.high)
    for number, now in enumerate(_poisson(peak, draws)):
        if uniform(draws, number, _THIN) * peak <= rate_at(source, now):
            yield now


def _bursts(source: Stream, draws: int) -> Iterator[float]:
    """A Poisson stream that is thinned while it is calm (or busy, whichever is slower)."""
    peak = max(source.rate, source.high)
    calm_lasts, busy_lasts = source.points[0]
    busy, until, changes = False, 0.0, 0
    rate = source.rate
    for number, now in enumerate(_poisson(peak, draws)):
        while now >= until:
            if changes:
                busy = not busy
            rate = source.high if busy else source.rate
            lasts = busy_lasts if busy else calm_lasts
            until -= lasts * math.log(uniform(draws, changes, _STATE))
            changes += 1
        if uniform(draws, number, _THIN) * peak <= rate:
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


def client_of(source: Stream, seed: int, key: int) -> int:
    """The client that the request or session with a key comes from, in an open stream."""
    if not source.clients:
        return key
    point = uniform(stream(seed, source.place), key, _CLIENT)
    return entry_key(source, int(point * source.clients))


def chosen_journey(source: Stream, seed: int, key: int) -> int:
    """The journey that an entry of a mix takes."""
    if len(source.choices) == 1:
        return source.choices[0][0]
    point = uniform(stream(seed, source.place), key, _CHOICE)
    found = _reached(source.choices, point)
    return source.choices[-1][0] if found is None else found


def next_journey(
    source: Stream, session: PlannedSession, seed: int, journey: int, key: int
) -> int | None:
    """The journey that a user takes after another one; ``None``: the user leaves."""
    return _reached(session.rows[journey], uniform(stream(seed, source.place), key, _NEXT))


def _reached(choices: Sequence[tuple[int, float]], point: float) -> int | None:
    for choice, reached in choices:
        if point <= reached:
            return choice
    return None
