"""Upward: from the waits at stations to the times of operations and calls, and how they end."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from archcheck.planning.flow.calls import AttemptFlow, Outcomes, called
from archcheck.planning.flow.moments import Moments, longest
from archcheck.planning.flow.sources import moments_of
from archcheck.planning.flow.state import FlowState
from archcheck.simulation.plan import Discipline, Plan, StepKind, StepSpec


@dataclass(frozen=True)
class Run:
    """What a run through steps takes, and the chance that it fails."""

    time: Moments
    failed: float = 0.0


@dataclass
class Upward:
    """One way up."""

    state: FlowState
    _known: dict[tuple[int, int], Run] = field(default_factory=dict)

    @property
    def _plan(self) -> Plan:
        return self.state.shape.plan

    def go(self) -> None:
        """Renew the times of operations."""
        for operation in reversed(self.state.shape.order):
            row = self._plan.operations[operation]
            run = self._block(row.block, row.group)
            time = run.time.with_probability(self.state.begun(operation))
            self.state.services[operation] = time
            self.state.errors[operation] = 1 - (1 - run.failed) * (1 - row.error_rate)
            queue = self.state.queues.get(("slots", row.group))
            self.state.answers[operation] = time + queue.wait if queue else time

    def calls(self) -> None:
        """Renew what becomes of calls."""
        for sites in self.state.shape.alike:
            outcome = self._outcome(sites[0])
            self.state.outcomes.update(dict.fromkeys(sites, outcome))

    def _block(self, block: int, group: int) -> Run:
        key = block, group
        if key not in self._known:
            parts = [self._step(step, group) for step in self._plan.blocks[block]]
            time, passes = Moments(), 1.0
            for part in parts:
                is_rarer = passes < 1 and self.state.relieves
                time += part.time.with_probability(passes) if is_rarer else part.time
                passes *= 1 - part.failed
            if self.state.relieves:
                self.state.failing[block] = tuple(part.failed for part in parts)
            self._known[key] = Run(time, 1 - passes)
        return self._known[key]

    def _step(self, step: StepSpec, group: int) -> Run:
        inner = [self._block(block, group) for block in step.blocks]
        match step.kind:
            case StepKind.WORK | StepKind.WAIT:
                assert step.sampler is not None  # noqa: S101  # the compiler gives it one
                return Run(self._worked(moments_of(step.sampler), group, step.kind))
            case StepKind.CALL:
                return self._asked(step.call, group)
            case StepKind.PUBLISH:
                return Run(Moments(step.number))
            case StepKind.PARALLEL:
                waited = [b for b, is_waited in zip(inner, step.waited, strict=True) if is_waited]
                passes = math.prod(1 - branch.failed for branch in waited)
                return Run(longest([branch.time for branch in waited]), 1 - passes)
            case StepKind.WITH_PROBABILITY:
                return Run(
                    inner[0].time.with_probability(step.number), inner[0].failed * step.number
                )
            case StepKind.REPEAT:
                passes = (1 - inner[0].failed) ** step.number
                return Run(inner[0].time.times(step.number), 1 - passes)
            case StepKind.CACHED:
                miss = 1 - self.state.hits(step)
                found = Run(inner[0].time.with_probability(miss), inner[0].failed * miss)
                if step.call >= 0:
                    look = self._asked(step.call, group)  # a failed look-up is a miss
                    found = Run(found.time + look.time, found.failed)
                return found
            case _:
                return inner[0]

    def _worked(self, work: Moments, group: int, kind: StepKind) -> Moments:
        host = self.state.shape.host(group) if group >= 0 else -1
        queue = self.state.queues.get(("cores", host))
        if queue is None or kind == StepKind.WAIT:
            return work
        station = self._plan.stations[self._plan.groups[host].cores]
        wait, mean = queue.wait, self.state.core_work[host].mean
        if station.discipline == Discipline.SHARING:
            wait = wait.longer(work.mean / mean) if mean else Moments()
        quota = self.state.quotas.get(host)
        return work + wait + quota.pauses(work) if quota else work + wait

    def _asked(self, site: int, group: int) -> Run:
        found = self.state.outcomes.get(site)
        policy = self._plan.calls[site].policy
        if found is None:
            return Run(Moments(), 0.0)
        if policy.fallback >= 0:
            other = self._block(policy.fallback, group)
            time = found.time + other.time.with_probability(found.failed)
            return Run(time, 0.0 if policy.optional else found.failed * other.failed)
        return Run(found.time, 0.0 if policy.optional else found.failed)

    def _outcome(self, site: int) -> Outcomes:
        call = self._plan.calls[site]
        target = call.target if call.target >= 0 else self._plan.operations[call.operation].group
        answer = self.state.answers.get(call.operation, Moments())
        network = call.there + call.back + 2 * call.across * self.state.shape.apart(call)
        slots, cores = (
            self.state.queues.get(("slots", target)),
            self.state.queues.get(("cores", target)),
        )
        accepted = (1 - (slots.rejected if slots else 0.0)) * (
            1 - (cores.rejected if cores else 0.0)
        )
        time = answer + Moments(network)
        for kind, index in (("pool", call.pool), ("bulkhead", call.policy.bulkhead)):
            queue = self.state.queues.get((kind, index))
            if queue is not None:
                time = time + queue.wait
                accepted *= 1 - queue.rejected
        limited = self._limited(site)
        budget = math.inf
        if call.policy.budget >= 0 and self.state.calls.get(site):
            spec = self._plan.budgets[call.policy.budget]
            nodes = self._plan.groups[call.source].nodes if call.source >= 0 else 1
            budget = spec.ratio + spec.floor * nodes / self.state.calls[site]
        rejected = 1 - accepted * (1 - limited)
        attempt = AttemptFlow(time, rejected, self.state.errors.get(call.operation, 0.0))
        return called(call.policy, attempt, budget)

    def _limited(self, site: int) -> float:
        """The share that rate limits turn away, of the caller and of the callee."""
        call = self._plan.calls[site]
        row = self._plan.operations[call.operation]
        passes = 1.0
        for limit, rate, group, owner in (
            (call.policy.limit, self.state.calls.get(site, 0.0), call.source, -1),
            (row.limit, self.state.rates.get(call.operation, 0.0), row.group, call.operation),
        ):
            if limit >= 0 and rate:
                passes *= min(1.0, self.state.shape.limit(limit, group, owner) / rate)
        return 1 - passes
