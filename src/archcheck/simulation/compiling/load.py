"""The load of a scenario as streams: arrivals, mixes, sessions, bursts, scheduled jobs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

from archcheck.model import (
    Burst,
    Closed,
    Deterministic,
    Diurnal,
    Load,
    Mix,
    Mmpp,
    Move,
    Poisson,
    Ramp,
    Recorded,
    Scenario,
    ScenarioError,
    Session,
    Stepped,
)
from archcheck.model.element import nearest
from archcheck.model.errors import ModelError
from archcheck.model.recordings import times_in
from archcheck.model.scenarios import Arrivals, Choice
from archcheck.simulation.compiling.places import declared_at
from archcheck.simulation.plan import ArrivalKind, PlannedSession, Stream
from archcheck.simulation.randomness import place_hash
from archcheck.simulation.sampling import compile_time
from archcheck.units import Duration

Cumulative = tuple[tuple[int, float], ...]


def compile_streams(scenario: Scenario, journeys: Sequence[str]) -> tuple[Stream, ...]:
    """The streams of a scenario; journeys become indexes into ``journeys``.

    Raises :class:`ScenarioError` for a load that does not exist or is nothing.
    """
    streams: list[Stream] = []
    for index, load in enumerate(scenario.load):
        with declared_at(load):
            stream, names = _compile(load, index, journeys)
        streams.append(stream)
        for number, fault in enumerate(scenario.faults):
            if isinstance(fault, Burst) and _concerns(fault, names):
                with declared_at(fault):
                    streams += _burst(stream, fault, number)
    return tuple(streams)


def _compile(
    load: Load | Mix | Session, index: int, journeys: Sequence[str]
) -> tuple[Stream, list[str]]:
    match load:
        case Load():
            name = str(load.journey)
            choices = _cumulative([Choice(name, 1.0)], journeys)
            stream = _stream(f"{name}#{index}", load.arrivals, load.weight, choices)
            return _with_clients(stream, load.clients, load.weight), [name]
        case Mix():
            choices = _cumulative(load.choices, journeys)
            stream = _stream(load.name, load.arrivals, 1.0, choices)
            stream = _with_clients(stream, load.clients)
            return stream, [str(choice.journey) for choice in load.choices]
        case _:
            session = _session(load, journeys)
            stream = _stream(load.name, load.arrivals, 1.0, ((session.first, 1.0),))
            stream = _with_clients(stream, load.clients)
            return replace(stream, session=session), list(journeys)


def _with_clients(stream: Stream, clients: int | None, weight: float = 1.0) -> Stream:
    return replace(stream, clients=max(1, round(clients * weight))) if clients else stream


def _cumulative(
    choices: Sequence[Choice], journeys: Sequence[str], leave: float = 0.0
) -> Cumulative:
    if not choices:
        raise ScenarioError("a mix needs at least one choice")
    total = math.fsum(choice.weight for choice in choices) + leave
    reached, result = 0.0, []
    for choice in choices:
        reached += choice.weight / total
        result.append((_index(str(choice.journey), journeys), reached))
    return tuple(result)


def _index(journey: str, journeys: Sequence[str]) -> int:
    if journey not in journeys:
        raise ScenarioError(
            f"the scenario loads the journey {journey!r}, which the system does not have"
            f"{nearest(journey, list(journeys))}"
        )
    return journeys.index(journey)


def _session(session: Session, journeys: Sequence[str]) -> PlannedSession:
    moves: dict[str | None, Move] = {}
    for move in session.moves:
        after = str(move.after) if move.after is not None else None
        if after in moves:
            shown = f"after {after}" if after else "without 'after'"
            raise ScenarioError(f"session {session.name!r} has two moves {shown}")
        if after is not None:
            _index(after, journeys)
        moves[after] = move
    rows: list[Cumulative] = []
    for journey in journeys:
        follows = moves.get(journey) or moves.get(None)
        rows.append(_cumulative(follows.to, journeys, follows.leave) if follows else ())
    first = _index(str(session.first), journeys)
    return PlannedSession(first, tuple(rows), compile_time(session.pause))


def _stream(name: str, arrivals: Arrivals, weight: float, choices: Cumulative) -> Stream:
    place = place_hash(f"load {name}")
    stream = Stream(name, place, ArrivalKind.POISSON, choices)
    match arrivals:
        case Poisson(rate=rate):
            return replace(stream, rate=_positive(float(rate) * weight, name))
        case Deterministic(rate=rate):
            kind = ArrivalKind.DETERMINISTIC
            return replace(stream, kind=kind, rate=_positive(float(rate) * weight, name))
        case Closed(users=users, think=think):
            return replace(
                stream,
                kind=ArrivalKind.CLOSED,
                users=max(1, round(users * weight)),
                think=compile_time(think),
            )
        case Ramp(start=start, end=end, over=over):
            points = ((0.0, float(start)), (float(over), float(end)))
            return _piecewise(stream, points, weight)
        case Stepped():
            return _piecewise(stream, _steps(arrivals), weight)
        case Diurnal(low=low, high=high, period=period):
            _positive(float(high) * weight, name)
            return replace(
                stream,
                kind=ArrivalKind.SINE,
                rate=float(low) * weight,
                high=float(high) * weight,
                period=float(period),
            )
        case Mmpp():
            _positive(max(float(arrivals.calm), float(arrivals.busy)) * weight, name)
            return replace(
                stream,
                kind=ArrivalKind.MMPP,
                rate=float(arrivals.calm) * weight,
                high=float(arrivals.busy) * weight,
                points=((_lasting(arrivals.calm_lasts), _lasting(arrivals.busy_lasts)),),
            )
        case Recorded():
            return replace(stream, kind=ArrivalKind.RECORDED, times=_recorded(arrivals, name))
        case other:
            raise ScenarioError(f"the engines do not know arrivals of {type(other).__name__}")


def _positive(rate: float, name: str) -> float:
    if rate <= 0:
        raise ScenarioError(f"the load {name.partition('#')[0]} has a rate of zero")
    return rate


def _lasting(lasts: Duration) -> float:
    seconds = float(lasts)
    if seconds <= 0:
        raise ScenarioError("the states of an Mmpp need to last longer than zero")
    return seconds


def _piecewise(stream: Stream, points: tuple[tuple[float, float], ...], weight: float) -> Stream:
    _positive(max((rate for _, rate in points), default=0.0) * weight, stream.name)
    weighted = tuple((time, rate * weight) for time, rate in points)
    return replace(stream, kind=ArrivalKind.PIECEWISE, points=weighted)


def _steps(arrivals: Stepped) -> tuple[tuple[float, float], ...]:
    points, now = [], 0.0
    for step in arrivals.steps:
        points.append((now, float(step.rate)))
        now += float(step.lasts)
        points.append((now, float(step.rate)))
    return tuple(points)


def _recorded(arrivals: Recorded, name: str) -> tuple[float, ...]:
    times = tuple(map(float, arrivals.times))
    if arrivals.file is not None:
        try:
            times += times_in(arrivals.file, arrivals.site)
        except ModelError as error:
            raise ScenarioError(error.sentence) from None
    if not times:
        raise ScenarioError(f"the load {name.partition('#')[0]} is recorded and has no times")
    if any(after < before for before, after in itertools.pairwise(times)):
        raise ScenarioError(f"the recorded times of {name.partition('#')[0]} do not ascend")
    return times


def _concerns(burst: Burst, journeys: list[str]) -> bool:
    return burst.journey is None or str(burst.journey) in journeys


def _burst(stream: Stream, burst: Burst, number: int) -> list[Stream]:
    """What a burst adds: a stream of its own, so that the draws of the others stay as they are.

    Less load than declared thins the stream itself.
    """
    start, end, more = float(burst.start), float(burst.end), burst.factor - 1
    if more <= 0:
        raise ScenarioError(
            f"a burst needs a factor above 1, got {burst.factor:g}; for less load use Stepped"
        )
    extra = replace(
        stream,
        name=f"{stream.name} burst {number}",
        place=place_hash(f"load {stream.name} burst {number}"),
        start=start,
        end=end,
    )
    extra = _with_clients(extra, stream.clients, more)
    match stream.kind:
        case ArrivalKind.CLOSED:
            users = round(stream.users * more)
            return [replace(extra, users=users)] if users else []
        case ArrivalKind.POISSON | ArrivalKind.DETERMINISTIC:
            return [replace(extra, rate=stream.rate * more)]
        case ArrivalKind.PIECEWISE:
            points = tuple((time, rate * more) for time, rate in stream.points)
            return [replace(extra, points=points)]
        case ArrivalKind.RECORDED:
            return [replace(extra, factor=more)]
        case _:
            return [replace(extra, rate=stream.rate * more, high=stream.high * more)]


def job_stream(name: str, rate: float, journey: int) -> Stream:
    """The stream of a scheduled job, one client: its first run comes after one period."""
    place = place_hash(f"job {name}")
    kind = ArrivalKind.DETERMINISTIC
    return Stream(name, place, kind, ((journey, 1.0),), rate=rate, clients=1)


def is_stationary(scenario: Scenario) -> bool:
    """Whether the load stays as it is and nothing goes wrong: there can be a steady state."""
    return not scenario.faults and all(load.arrivals.is_steady for load in scenario.load)
