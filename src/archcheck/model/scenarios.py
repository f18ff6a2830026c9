"""Scenarios: the load and the faults that a system is put through.

A scenario is a value of its own, apart from the system: one architecture serves many.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import field
from typing import Annotated, ClassVar

from pydantic import Field

from archcheck.model.distributions import Distribution, distribution_of
from archcheck.model.element import Element, Many, Name, Probability, element
from archcheck.model.named import Described, JourneyRef, Ref
from archcheck.model.recordings import busiest_rate
from archcheck.model.uncertainty import LoadRange
from archcheck.units import Duration, Fraction, Rate

_JUST_BEFORE = 1e-6
"""Seconds before a step at which its old rate still counts: too short for anything to happen."""
Factor = Annotated[float, Field(gt=0, le=1_000_000)]
Clients = Annotated[int, Field(ge=1, le=1_000_000)]
"""How many clients the requests come from, for limits ``per="client"``."""


class Arrivals(Element):
    """When requests come."""

    is_steady: ClassVar[bool] = True
    """Whether its rate, over some time, is always the same."""

    def peak_rate(self) -> float | None:
        """The highest rate, in requests a second; ``None`` when it cannot be told."""
        raise TypeError(f"{type(self).__name__} has no rate")

    def rate_at(self, moment: float, *, calm: bool = False) -> float | None:
        """The rate ``moment`` seconds after the start; a steady stream's is its peak.

        ``calm`` takes the lower rate of a stream that changes at random.
        """
        return self.peak_rate()

    def turning_points(self) -> Iterator[float]:
        """Seconds after the start around which its growth is at its worst, the start aside."""
        return iter(())


class OpenArrivals(Arrivals):
    """Requests that come whether or not earlier ones were answered."""


@element
class Poisson(OpenArrivals):
    """Independent users: exponential times between requests."""

    rate: Rate = field(kw_only=False)
    """Requests in a second, on average."""

    def peak_rate(self) -> float:
        return float(self.rate)


@element
class Deterministic(OpenArrivals):
    """A metronome: the same time between all requests."""

    rate: Rate = field(kw_only=False)
    """Requests in a second."""

    def peak_rate(self) -> float:
        return float(self.rate)


@element
class Ramp(OpenArrivals):
    """A Poisson stream whose rate goes from one value to another, then stays."""

    is_steady = False

    start: Rate = field(kw_only=False)
    """The rate at first."""
    end: Rate = field(kw_only=False)
    """The rate in the end."""
    over: Duration
    """How long the change takes."""

    def peak_rate(self) -> float:
        return max(float(self.start), float(self.end))

    def rate_at(self, moment: float, *, calm: bool = False) -> float:
        share = min(1.0, moment / float(self.over)) if self.over else 1.0
        return float(self.start) + (float(self.end) - float(self.start)) * share


@element
class RateStep(Element):
    """A rate and how long it lasts."""

    rate: Rate = field(kw_only=False)
    """Requests in a second."""
    lasts: Duration = field(kw_only=False)
    """How long."""


@element
class Stepped(OpenArrivals):
    """Poisson streams one after the other; the last one stays."""

    is_steady = False

    steps: Many[RateStep] = field(kw_only=False)
    """The rates in order."""

    def peak_rate(self) -> float:
        return max((float(step.rate) for step in self.steps), default=0.0)

    def rate_at(self, moment: float, *, calm: bool = False) -> float:
        rate = 0.0
        for step in self.steps:
            rate = float(step.rate)
            if moment < float(step.lasts):
                break
            moment -= float(step.lasts)
        return rate

    def turning_points(self) -> Iterator[float]:
        ends = itertools.accumulate(float(step.lasts) for step in self.steps)
        return (max(0.0, end - _JUST_BEFORE) for end in ends)


@element
class Diurnal(OpenArrivals):
    """A Poisson stream whose rate swings like a sine between two values."""

    is_steady = False

    low: Rate = field(kw_only=False)
    """The rate at the quietest time, at which it starts."""
    high: Rate = field(kw_only=False)
    """The rate at the busiest time."""
    period: Duration = Duration(86400.0)
    """Length of the day."""

    def peak_rate(self) -> float:
        return float(self.high)

    def rate_at(self, moment: float, *, calm: bool = False) -> float:
        low, high = float(self.low), float(self.high)
        swing = (1 - math.cos(2 * math.pi * moment / float(self.period))) / 2
        return low + (high - low) * swing

    def turning_points(self) -> Iterator[float]:
        return (float(self.period) * hour / 24 for hour in range(24))


@element
class Mmpp(OpenArrivals):
    """Bursts: a Markov-modulated Poisson process with a calm and a busy state."""

    calm: Rate = field(kw_only=False)
    """The rate in the calm state."""
    busy: Rate = field(kw_only=False)
    """The rate in the busy state."""
    calm_lasts: Duration
    """Mean time in the calm state."""
    busy_lasts: Duration
    """Mean time in the busy state."""

    def mean_rate(self) -> float:
        """The rate in the long run, requests a second."""
        calm, busy = float(self.calm_lasts), float(self.busy_lasts)
        return (float(self.calm) * calm + float(self.busy) * busy) / (calm + busy)

    def peak_rate(self) -> float:
        return max(float(self.busy), float(self.calm))

    def rate_at(self, moment: float, *, calm: bool = False) -> float:
        return min(float(self.busy), float(self.calm)) if calm else self.peak_rate()


@element
class Recorded(OpenArrivals):
    """Requests at given times after the start."""

    is_steady = False

    times: Many[Duration] = ()
    """The times, ascending."""
    file: str | None = None
    """Or a file with a time in seconds on each line."""

    def peak_rate(self) -> float | None:
        """The mean rate of the busiest minute, or of all requests that come within a minute."""
        return busiest_rate([float(time) for time in self.times])


@element
class Closed(Arrivals):
    """A number of users who each wait for the answer, think, and ask again."""

    users: Annotated[int, Field(ge=1, le=1_000_000)] = field(kw_only=False)
    """How many."""
    think: Duration | Distribution
    """Time between an answer and the next request."""

    def peak_rate(self) -> float | None:
        """The bound of the asymptotic analysis, users over think time: answers take no time."""
        think = distribution_of(self.think).mean_seconds()
        return self.users / think if think else None


@element
class Load(Element):
    """A journey and how often it is started: ``Load("checkout", Poisson(200 / s))``."""

    journey: JourneyRef = field(kw_only=False)
    """The journey."""
    arrivals: Arrivals = field(kw_only=False)
    """When its requests come."""
    weight: Annotated[float, Field(gt=0)] = 1.0
    """Multiplies the rates, or the users, and the clients: for mixes."""
    clients: Clients | None = None
    """How many clients the requests come from, each from one at random (users: in turn). ``None``:
    each user is one, and of an open load each request."""


@element
class Choice(Element):
    """A journey and its weight in a mix."""

    journey: JourneyRef = field(kw_only=False)
    """The journey."""
    weight: Annotated[float, Field(gt=0)] = field(kw_only=False)
    """How often it is chosen, relative to the others."""


@element
class Mix(Element):
    """One stream of users who choose a journey at each request, by weight (Locust's tasks)."""

    choices: Many[Choice] = field(kw_only=False)
    """The journeys and their weights."""
    arrivals: Arrivals = field(kw_only=False)
    """When requests come."""
    name: Name = "mix"
    """Names the stream of random numbers."""
    clients: Clients | None = None
    """How many clients the requests come from, as those of a :class:`Load`."""


@element
class Move(Element):
    """What a user does next.

    ``Move(after="home", to=[Choice("product", 3), Choice("cart", 1)])``.
    """

    after: JourneyRef | None = None
    """The journey that was just finished; ``None``: any that has no move of its own."""
    to: Many[Choice]
    """The journeys that may follow, and their weights."""
    leave: Annotated[float, Field(ge=0)] = 0.0
    """The weight of leaving, relative to those."""


@element
class Session(Element):
    """Users who walk from journey to journey (a Markov chain, as in Locust or customer models).

    ``Session("home", Closed(10, think=1 * s), moves=[Move(to=[Choice("cart", 1)])], pause=5 * s)``.
    The arrivals are those of users; a closed user who leaves thinks and begins a new session.
    """

    first: JourneyRef = field(kw_only=False)
    """The journey that every session begins with."""
    arrivals: Arrivals = field(kw_only=False)
    """When users come."""
    moves: Many[Move]
    """What follows; after a journey without a move the user leaves."""
    pause: Duration | Distribution
    """Time between two journeys."""
    name: Name = "session"
    """Names the stream of random numbers."""
    clients: Clients | None = None
    """How many clients the users are; ``None``: each user, and of open arrivals each session."""


class Fault(Element):
    """Something that goes wrong for a while."""

    start: Duration
    end: Duration


@element
class _Fault(Fault):
    """Fields that every fault has."""

    _is_abstract = True

    start: Duration = Duration(0.0)
    """When it begins, after the start of the simulation."""
    end: Duration = Duration(86400.0 * 365)
    """When it is over."""


@element
class Slow(_Fault):
    """An element takes longer."""

    target: Ref = field(kw_only=False)
    """What is slow."""
    factor: Factor
    """How many times longer everything takes; below 1 it is faster."""


@element
class Errors(_Fault):
    """An element fails a share of its requests."""

    target: Ref = field(kw_only=False)
    """What fails."""
    rate: Probability
    """The share."""


@element
class Kill(_Fault):
    """Replicas are gone."""

    target: Ref = field(kw_only=False)
    """Whose."""
    replicas: Annotated[int, Field(ge=1)] = 1
    """How many."""


@element
class ZoneLoss(_Fault):
    """Everything in a zone is gone."""

    zone: str = field(kw_only=False)
    """The zone."""


@element
class CutLink(_Fault):
    """One element cannot reach another."""

    source: Ref = field(kw_only=False)
    """Who calls."""
    target: Ref = field(kw_only=False)
    """Who cannot be reached."""


@element
class FlushCache(_Fault):
    """A cache loses its content."""

    target: Ref = field(kw_only=False)
    """The cache."""


@element
class Burst(_Fault):
    """More load than declared."""

    factor: Factor = field(kw_only=False)
    """How many times as much."""
    journey: JourneyRef | None = None
    """Of which journey; ``None``: of all."""


@element
class Release(_Fault):
    """A new version replaces the old one, as the deployment's rollout says.

    A rolling update, a recreation or a switch (blue-green) begins at ``start`` and ends when all
    replicas are new; ``end`` has no meaning.
    """

    target: Ref = field(kw_only=False)
    """The service."""
    start_up: Duration | None = None
    """From the start of a new replica until it serves; ``None``: the autoscaler's, else unknown."""


@element
class Scenario(Described):
    """Load and faults: ``Scenario("peak", load=[Load("checkout", Poisson(200 / s))])``."""

    referred_as = "scenario"

    load: Many[Load | Mix | Session]
    """The streams of requests."""
    faults: Many[Fault] = ()
    """What goes wrong."""
    uncertain: Many[LoadRange] = ()
    """What is only known of the load to lie between two values."""
    growth: Fraction | None = None
    """Growth of the load in a month; ``None``: unknown."""
    duration: Duration | None = None
    """How long to simulate; the command line can say otherwise."""
    warmup: Duration | None = None
    """Time at the start that is left out of the statistics."""
    drain: bool = False
    """Whether journeys that are under way at the end are finished and counted, while nobody new
    comes, as a measurement counts them."""

    def journeys(self) -> frozenset[str]:
        """The names of the journeys that its load starts."""
        found: set[str] = set()
        for load in self.load:
            match load:
                case Load():
                    found.add(str(load.journey))
                case Mix():
                    found |= {str(choice.journey) for choice in load.choices}
                case Session():
                    found.add(str(load.first))
                    found |= {str(choice.journey) for move in load.moves for choice in move.to}
        return frozenset(found)
