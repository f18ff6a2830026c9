"""A plan as somebody would simulate it with SimPy by hand: one generator process for each request.

Held threads and cores, network delays, parallel and conditional steps, caches with a hit ratio,
timeouts with orphaned work and retries with backoff; it measures the latency of each journey and
operation. That is what a script of a day has, and less than the engines do: no breakers, limits,
pools, faults, messages, and no account of where the time went.
"""

from __future__ import annotations

import random
from collections.abc import Generator
from typing import Any

import simpy

from archcheck.simulation.plan import Plan, Sampler, SamplerShape, StepKind, StepSpec, Stream

Process = Generator[simpy.Event, Any, Any]


class ByHand:
    """One run; ``latencies`` has the seconds of each journey that ended."""

    def __init__(self, plan: Plan, seed: int) -> None:
        self.env = simpy.Environment()
        self.random = random.Random(seed)
        self.plan = plan
        self.slots = [self._servers(group.slots, group.nodes) for group in plan.groups]
        self.cores = [self._servers(group.cores, group.nodes) for group in plan.groups]
        self.turns = [0] * len(plan.groups)
        self.latencies: list[list[float]] = [[] for _ in plan.journeys]
        self.seconds: list[list[float]] = [[] for _ in plan.operations]

    def _servers(self, station: int, nodes: int) -> list[simpy.Resource | None]:
        servers = self.plan.stations[station].servers if station >= 0 else None
        if servers is None:
            return [None] * nodes
        return [simpy.Resource(self.env, int(servers)) for _ in range(nodes)]

    def run(self, duration: float) -> int:
        """Simulate; returns the number of journeys."""
        for stream in self.plan.streams:
            self.env.process(self.arrivals(stream))
        self.env.run(until=duration)
        return sum(map(len, self.latencies))

    def arrivals(self, stream: Stream) -> Process:
        journeys = [journey for journey, _ in stream.choices]
        weights = [reached for _, reached in stream.choices]
        while True:
            yield self.env.timeout(self.random.expovariate(stream.rate))
            (journey,) = self.random.choices(journeys, cum_weights=weights)
            self.env.process(self.journey(journey))

    def journey(self, index: int) -> Process:
        start = self.env.now
        for entry in self.plan.journeys[index].entries:
            yield from self.call(entry)
        self.latencies[index].append(self.env.now - start)

    def call(self, index: int) -> Process:
        policy = self.plan.calls[index].policy
        for attempt in range(policy.attempts):
            if policy.timeout == float("inf"):
                yield from self.attempt(index)
                return
            done = self.env.process(self.attempt(index))
            yield done | self.env.timeout(policy.timeout)
            if done.processed:
                return
            yield self.env.timeout(policy.backoff * policy.factor**attempt)

    def attempt(self, index: int) -> Process:
        site = self.plan.calls[index]
        if site.there:
            yield self.env.timeout(site.there)
        yield from self.request(site.operation)
        if site.back:
            yield self.env.timeout(site.back)

    def request(self, index: int) -> Process:
        start = self.env.now
        operation = self.plan.operations[index]
        group = operation.group
        if group < 0:
            yield from self.steps(operation.block, None)
        else:
            node = self.turns[group] % self.plan.groups[group].nodes
            self.turns[group] += 1
            slots, cores = self.slots[group][node], self.cores[group][node]
            if slots is None:
                yield from self.steps(operation.block, cores)
            else:
                with slots.request() as slot:
                    yield slot
                    yield from self.steps(operation.block, cores)
        self.seconds[index].append(self.env.now - start)

    def steps(self, block: int, cores: simpy.Resource | None) -> Process:
        for step in self.plan.blocks[block]:
            yield from self.step(step, cores)

    def step(self, step: StepSpec, cores: simpy.Resource | None) -> Process:
        if step.kind in (StepKind.WORK, StepKind.WAIT):
            assert step.sampler is not None
            if cores is None or step.kind == StepKind.WAIT:
                yield self.env.timeout(self.sample(step.sampler))
            else:
                with cores.request() as core:
                    yield core
                    yield self.env.timeout(self.sample(step.sampler))
        elif step.kind == StepKind.CALL:
            yield from self.call(step.call)
        elif step.kind == StepKind.PARALLEL:
            branches = [self.env.process(self.steps(block, cores)) for block in step.blocks]
            yield simpy.AllOf(self.env, branches)
        elif step.kind == StepKind.CACHED:
            yield from self.call(step.call)
            if self.random.random() >= step.number:
                yield from self.steps(step.blocks[0], cores)
        elif step.kind == StepKind.REPEAT:
            for _ in range(int(step.number)):
                yield from self.steps(step.blocks[0], cores)
        elif step.kind == StepKind.SERIES or self.random.random() < step.number:
            yield from self.steps(step.blocks[0], cores)

    def sample(self, sampler: Sampler) -> float:
        if sampler.shape == SamplerShape.EXPONENTIAL:
            return self.random.expovariate(1 / sampler.a)
        assert sampler.shape == SamplerShape.CONSTANT
        return sampler.a
