"""What a plan's tables say about its shape, and the state of a solution on the way."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import repeat
from typing import Literal

from archcheck.planning.flow.calls import Outcomes
from archcheck.planning.flow.moments import Moments
from archcheck.planning.flow.populations import Populations
from archcheck.planning.flow.queues import Holding, QueueFlow
from archcheck.planning.flow.quotas import Quota
from archcheck.planning.flow.sources import hit_ratio, visits_of
from archcheck.simulation.plan import (
    ArrivalKind,
    Balance,
    CallSite,
    Plan,
    Scope,
    StepKind,
    StepSpec,
    Stream,
    Subscription,
)

Start = Literal["calm", "congested"]
_ENOUGH = 1000
"""Deliveries of a message that are added up at most."""
Kept = tuple[str, int]
"""A queue: for ``slots`` and ``cores`` the group, for ``pool`` and ``bulkhead`` their row."""


@dataclass(frozen=True, eq=False)
class CallOrder:
    """A plan's operations in the order of their calls, and who asks whom."""

    plan: Plan

    def steps(self, block: int) -> list[StepSpec]:
        found = []
        for step in self.plan.blocks[block]:
            found.append(step)
            for inner in step.blocks:
                found += self.steps(inner)
            if step.call >= 0 and self.plan.calls[step.call].policy.fallback >= 0:
                found += self.steps(self.plan.calls[step.call].policy.fallback)
        return found

    @cached_property
    def order(self) -> list[int]:
        """Operations, callers before those they ask."""
        done: list[int] = []
        seen: set[int] = set()

        def visit(operation: int) -> None:
            if operation in seen:
                return
            seen.add(operation)
            for step in self.steps(self.plan.operations[operation].block):
                if step.call >= 0:
                    visit(self.plan.calls[step.call].operation)
                if step.kind == StepKind.PUBLISH:
                    for each in self.plan.channels[step.channel].subscriptions:
                        visit(each.operation)
            done.append(operation)

        for operation in range(len(self.plan.operations)):
            visit(operation)
        return done[::-1]

    def host(self, group: int) -> int:
        """The group on whose nodes an operation of a group does its work."""
        found = self.plan.groups[group].host
        return found if found >= 0 else group

    @cached_property
    def populations(self) -> Populations:
        """How many requests of each group there can be at once."""
        return Populations(self.plan)

    @cached_property
    def shared_hosts(self) -> set[int]:
        """Groups on whose nodes operations of another group work, too."""
        return {
            group.host
            for number, group in enumerate(self.plan.groups)
            if group.host >= 0 and group.host != number
        }

    @cached_property
    def others(self) -> float:
        """The part of the load that a request of closed users meets: all but their own.

        One where anybody comes from outside (arrival theorem, Bard and Schweitzer).
        """
        streams = [s for s in self.plan.streams if not self._is_job(s)]
        if not streams or any(stream.kind != ArrivalKind.CLOSED for stream in streams):
            return 1.0
        users = sum(stream.users for stream in streams)
        return max(users - 1, 1e-6) / users

    def _is_job(self, stream: Stream) -> bool:
        return all(self.plan.journeys[index].is_job for index, _ in stream.choices)

    @cached_property
    def sites(self) -> dict[int, list[int]]:
        """Group to the call sites that ask it."""
        found: dict[int, list[int]] = defaultdict(list)
        for index, call in enumerate(self.plan.calls):
            found[self.plan.operations[call.operation].group].append(index)
        return found

    @cached_property
    def fed_at_random(self) -> set[int]:
        """Groups that some caller does not ask in turn."""
        return {
            group
            for group, sites in self.sites.items()
            if any(self.plan.calls[site].balance != Balance.ROUND_ROBIN for site in sites)
        }

    @cached_property
    def alike(self) -> list[list[int]]:
        """Call sites in lots whose calls end alike: the same question to the same operation.

        Limits and retry budgets look at the rate of a site, so a call with one is alone.
        """
        lots: dict[tuple[object, ...], list[int]] = defaultdict(list)
        for site, call in enumerate(self.plan.calls):
            policy = call.policy
            own = site if policy.limit >= 0 or policy.budget >= 0 else -1
            network = call.there + call.back + 2 * call.across * self.apart(call)
            policy = replace(policy, fallback=-1, optional=False)
            key = (own, call.operation, call.target, network, call.pool, policy)
            lots[key].append(site)
        return list(lots.values())

    def limit(self, index: int, group: int, operation: int = -1) -> float:
        """Requests a second that a rate limit lets through, of all replicas of ``group``.

        ``operation``: whose limit it is; without it the limit is the caller's own.
        """
        spec = self.plan.limits[index]
        if spec.scope == Scope.CLIENT and operation >= 0:
            return spec.rate * self.clients(operation)
        shared = spec.scope != Scope.REPLICA or group < 0
        return spec.rate * (1 if shared else self.plan.groups[group].nodes)

    def clients(self, operation: int) -> float:
        """How many clients an operation has; infinite where each request or session is one."""
        sites = {n for n, call in enumerate(self.plan.calls) if call.operation == operation}
        groups = {self.plan.calls[site].source for site in sites} - {-1}
        found: float = len(groups)
        for stream in self.plan.streams:
            visited = visits_of(stream, len(self.plan.journeys))
            if any(sites.intersection(self.plan.journeys[index].entries) for index in visited):
                is_closed = stream.kind == ArrivalKind.CLOSED
                found += stream.clients or (stream.users if is_closed else math.inf)
        return found

    def callers(self, bulkhead: int) -> int:
        for call in self.plan.calls:
            if call.policy.bulkhead == bulkhead and call.source >= 0:
                return self.plan.groups[call.source].nodes
        return 1

    def nodes_of(self, group: int) -> int:
        """Nodes; of consumers, no more than there are partitions."""
        nodes = self.plan.groups[group].nodes
        for channel in self.plan.channels:
            for each in channel.subscriptions:
                if each.ordered and self.plan.operations[each.operation].group == group:
                    nodes = min(nodes, each.partitions)
        return max(1, nodes)

    def share_of_busiest(self, group: int) -> float:
        """What of a group's requests one of its nodes gets that nobody chooses among.

        Partitions that do not divide evenly leave some consumers with one more than others.
        """
        nodes = self.nodes_of(group)
        for channel in self.plan.channels:
            for each in channel.subscriptions:
                if each.ordered and self.plan.operations[each.operation].group == group:
                    return math.ceil(each.partitions / nodes) / each.partitions
        return 1 / nodes

    def contents_of(self, cache: int) -> int:
        for operation in self.plan.operations:
            for step in self.steps(operation.block):
                if step.cache == cache and operation.group >= 0:
                    return self.plan.groups[self.host(operation.group)].nodes
        return 1

    def apart(self, call: CallSite) -> float:
        """The chance that caller and callee are in different zones."""
        if call.source < 0 or call.target < 0:
            return 0.0
        zones = set(self.plan.groups[call.target].zones) | set(self.plan.groups[call.source].zones)
        return 1 - 1 / len(zones) if len(zones) > 1 else 0.0


@dataclass
class FlowState:
    """Rates and times as far as they are known.

    ``rates``: arrivals a second of each operation; ``calls``: calls a second of each call site,
    first attempts only; ``answers``: from arrival to answer; ``services``: from admission to
    answer; ``lookups``: (cache, place) to look-ups a second.
    """

    shape: CallOrder
    start: Start
    rates: dict[int, float] = field(default_factory=dict)
    calls: dict[int, float] = field(default_factory=dict)
    answers: dict[int, Moments] = field(default_factory=dict)
    services: dict[int, Moments] = field(default_factory=dict)
    errors: dict[int, float] = field(default_factory=dict)
    queues: dict[Kept, QueueFlow] = field(default_factory=dict)
    outcomes: dict[int, Outcomes] = field(default_factory=dict)
    lookups: dict[tuple[int, int], float] = field(default_factory=dict)
    core_work: dict[int, Moments] = field(default_factory=dict)
    journey_rates: dict[int, float] = field(default_factory=dict)
    failing: dict[int, tuple[float, ...]] = field(default_factory=dict)
    """Block to the chance of each of its steps that it fails: then the rest is not done."""
    holding: dict[int, Holding] = field(default_factory=dict)
    """Group to what its threads are held for, where they may be too few."""
    quotas: dict[int, Quota] = field(default_factory=dict)
    """Group to the CPU time that its nodes may use."""
    relieves: bool = True
    """Whether what fails relieves what it would have asked next."""
    visits: dict[int, float] = field(default_factory=dict)
    """Group to how often a journey that comes to its nodes does so, where that is asked."""
    departures: dict[int, float] = field(default_factory=dict)
    """Group to the squared coefficient of variation between the requests that leave it."""
    rounds: dict[int, float] = field(default_factory=dict)
    """Stream of closed users to the rounds that they go in a second."""

    def taken(self, block: int, count: float) -> Iterator[tuple[StepSpec, float]]:
        """The steps of a block that is begun ``count`` times, and how often each is, if at all."""
        steps = self.shape.plan.blocks[block]
        for step, failed in zip(steps, self.failing.get(block, repeat(0.0)), strict=False):
            if not count:
                return  # an earlier step always fails
            yield step, count
            count *= 1 - failed

    def begun(self, operation: int) -> float:
        """The share of requests whose steps are begun: the others fail at once."""
        return 1 - self.shape.plan.operations[operation].error_rate

    def attempts(self, site: int) -> float:
        """Attempts for each call."""
        if site in self.outcomes:
            return self.outcomes[site].attempts
        policy = self.shape.plan.calls[site].policy
        return float(policy.attempts) if self.start == "congested" else 1.0

    def deliveries(self, reader: Subscription) -> float:
        """How often a message is worked on: again each time that it takes longer than it is hidden.

        What fails comes again as well, and is left out here.
        """
        if reader.visibility <= 0 or reader.operation not in self.services:
            return 1.0
        late = self.services[reader.operation].exceeds(reader.visibility)
        return float(sum(late**number for number in range(min(reader.deliveries, _ENOUGH))))

    def falls_back(self, site: int) -> float:
        """How often the fallback of a call runs."""
        return self.outcomes[site].failed if site in self.outcomes else 0.0

    def hits(self, step: StepSpec) -> float:
        """The share of look-ups that find what they look for."""
        if step.cache < 0 or step.keys is None:
            return step.number
        cache = self.shape.plan.caches[step.cache]
        total = sum(rate for (index, _), rate in self.lookups.items() if index == step.cache)
        contents = 1 if cache.shared else self.shape.contents_of(step.cache)
        return hit_ratio(cache, step.keys, float(f"{total / contents:.4g}")) if total else 0.5

    def inner(self, step: StepSpec) -> float:
        """How often the steps within a step run."""
        if step.kind in (StepKind.WITH_PROBABILITY, StepKind.REPEAT):
            return step.number
        return 1 - self.hits(step) if step.kind == StepKind.CACHED else 1.0

    def journey(self, index: int) -> tuple[Moments, float]:
        """Duration of a journey, and the chance that it fails."""
        time, passes = Moments(), 1.0
        for entry in self.shape.plan.journeys[index].entries:
            found = self.outcomes.get(entry)
            if found is not None:
                time, passes = time + found.time, passes * (1 - found.failed)
        return time, 1 - passes
