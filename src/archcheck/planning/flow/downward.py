"""Downward: from the streams through calls, retries and messages to the rate of each operation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from archcheck.planning.flow.sources import leaves, moments_of, open_rate, visits_of
from archcheck.planning.flow.state import FlowState
from archcheck.simulation.plan import ArrivalKind, Plan, StepKind, Stream


@dataclass
class Downward:
    """One way down."""

    state: FlowState

    def __post_init__(self) -> None:
        self._rates: dict[int, float] = defaultdict(float)
        self._calls: dict[int, float] = defaultdict(float)
        self._lookups: dict[tuple[int, int], float] = defaultdict(float)

    @property
    def _plan(self) -> Plan:
        return self.state.shape.plan

    def go(self, damping: float) -> None:
        """Renew the rates of the state; ``damping`` is the part that changes."""
        state = self.state
        state.journey_rates = self._journeys()
        self._follow(state.journey_rates)
        state.rates = {
            index: old + damping * (rate - old)
            for index, rate in self._rates.items()
            for old in (state.rates.get(index, rate),)
        }
        state.calls, state.lookups = dict(self._calls), dict(self._lookups)

    def of_journey(self, index: int) -> dict[int, float]:
        """The requests a second that one journey causes at each operation."""
        self._follow({index: self.state.journey_rates.get(index, 0.0)})
        return self._rates

    def _follow(self, journeys: Mapping[int, float]) -> None:
        for index, rate in journeys.items():
            for entry in self._plan.journeys[index].entries:
                self._call(entry, rate)
        for operation in self.state.shape.order:
            rate = self._rates.get(operation, 0.0) * self.state.begun(operation)
            self._block(self._plan.operations[operation].block, rate)

    def _call(self, site: int, rate: float) -> None:
        self._calls[site] += rate
        self._rates[self._plan.calls[site].operation] += rate * self.state.attempts(site)

    def _block(self, block: int, rate: float) -> None:
        for step, often in self.state.taken(block, rate):
            if step.call >= 0:
                self._call(step.call, often)
                fallback = self._plan.calls[step.call].policy.fallback
                if fallback >= 0:
                    self._block(fallback, often * self.state.falls_back(step.call))
            if step.kind == StepKind.PUBLISH:
                for each in self._plan.channels[step.channel].subscriptions:
                    self._rates[each.operation] += often * self.state.deliveries(each)
            if step.cache >= 0:
                self._lookups[step.cache, step.place] += often
            for branch in step.blocks:
                self._block(branch, often * self.state.inner(step))

    def _journeys(self) -> dict[int, float]:
        """Starts of each journey a second."""
        found: dict[int, float] = defaultdict(float)
        count = len(self._plan.journeys)
        for number, stream in enumerate(self._plan.streams):
            visits = visits_of(stream, count)
            if stream.kind == ArrivalKind.CLOSED:
                rate = self.state.rounds.get(number, 0.0)
            elif stream.session is not None and not leaves(stream.session, count):
                continue  # users who come and never leave: there is no steady state
            else:
                rate = open_rate(stream)
            for index, visit in visits.items():
                found[index] += rate * visit
        return found


def cycle(state: FlowState, stream: Stream) -> float:
    """Seconds from one start of a round of a closed user to the next."""
    count = len(state.shape.plan.journeys)
    visits = visits_of(stream, count)
    total = sum(visit * state.journey(index)[0].mean for index, visit in visits.items())
    return think_of(stream, count) + total


def think_of(stream: Stream, journeys: int) -> float:
    """Seconds of a round in which a closed user asks for nothing."""
    think = moments_of(stream.think).mean if stream.think is not None else 0.0
    if stream.session is None:
        return think
    pause = moments_of(stream.session.pause).mean
    visits = sum(visits_of(stream, journeys).values())
    return think + (visits - 1) * pause if leaves(stream.session, journeys) else visits * pause
