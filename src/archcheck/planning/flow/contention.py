"""Contention: what the visitors of each station, pool and bulkhead wait."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace

from archcheck.capacity.queueing import hottest_share
from archcheck.planning.flow.downward import Downward
from archcheck.planning.flow.moments import Moments, mixed
from archcheck.planning.flow.queues import (
    Holding,
    QueueFlow,
    for_cores,
    for_threads,
    impatient,
    sharing,
    waiting,
    waits_when_slow,
)
from archcheck.planning.flow.quotas import Quota
from archcheck.planning.flow.sources import moments_of
from archcheck.planning.flow.state import FlowState, Kept
from archcheck.simulation.plan import Balance, Discipline, Plan, Station, StepKind

Cases = list[tuple[float, Moments]]
"""Rates, and for how long each holds a server."""


@dataclass
class Contention:
    """The queues of a state."""

    state: FlowState

    @property
    def _plan(self) -> Plan:
        return self.state.shape.plan

    def cores(self) -> None:
        """Waits for cores, from the work of all operations that run on them."""
        cases: dict[int, Cases] = defaultdict(list)
        whole: dict[int, Cases] = defaultdict(list)
        self.state.holding.clear()
        for operation, rate in self.state.rates.items():
            row = self._plan.operations[operation]
            if row.group < 0 or not rate:
                continue
            host = self.state.shape.host(row.group)
            if self._plan.groups[host].cores >= 0:
                begun = self.state.begun(operation)
                works = self._works(row.block, begun)
                cases[host] += [(rate * count, work) for count, work in works]
                whole[host].append((rate, _sum(works)))
        for host, parts in cases.items():
            if not parts:
                continue
            total, work = _together(parts)
            self.state.core_work[host] = work
            station = self._plan.stations[self._plan.groups[host].cores]
            shared = station.discipline == Discipline.SHARING
            holding = self._holding(host, parts)
            if holding is not None:
                self.state.holding[host] = holding
            queue = self._spread(host, station.servers, station.queue, total, work, shared, holding)
            if is_limited(station):
                queue = self._limited(host, *_together(whole[host]), total, queue)
            self.state.queues["cores", host] = queue

    def _limited(
        self, host: int, rate: float, work: Moments, bursts: float, queue: QueueFlow
    ) -> QueueFlow:
        """The queue for cores that now and then stand still; notes the quota of the nodes.

        ``rate``: requests a second; ``work``: all that one of them computes there; ``bursts``: in a
        second. Where there is room for so many only, nobody waits longer than at cores that are
        slower all the time, and as many are turned away.
        """
        station = self._plan.stations[self._plan.groups[host].cores]
        limit, cores = station.limit or 0.0, station.servers or math.inf
        shared = station.discipline == Discipline.SHARING or station.servers is None
        nodes = self._nodes(host, rate, work.mean / limit)
        most, rejected = math.inf, queue.rejected
        holding = self.state.holding.get(host)
        if station.queue is not None:
            servers, slower = as_slower_cores(station)
            slow = self._spread(host, servers, station.queue, rate, work.longer(slower), shared)
            most, rejected = slow.wait.mean + (slower - 1) * work.mean, slow.rejected
        elif holding is not None and holding.room is not None:
            most = waits_when_slow(nodes[0][1], holding)
        at_once = max(1.0, self._visits(host) / self.state.shape.nodes_of(host))
        self.state.quotas[host] = Quota(
            limit, cores, shared, work, bursts / rate, at_once, nodes, most
        )
        busiest = max(each for _, each, _ in nodes) / self.state.shape.others
        return QueueFlow(queue.wait, busiest * work.mean / limit, rejected)

    def _visits(self, host: int) -> float:
        """How often a journey that comes to the nodes of a group does so, fallbacks left out."""
        state = self.state
        if not state.visits:
            visits: dict[int, Cases] = defaultdict(list)
            for index, rate in state.journey_rates.items():
                each: dict[int, float] = defaultdict(float)
                for operation, often in Downward(state).of_journey(index).items():
                    group = self._plan.operations[operation].group
                    if group >= 0 and often:
                        each[state.shape.host(group)] += often
                for group, often in each.items():
                    visits[group].append((often, Moments(often / rate)))
            state.visits = {group: _together(parts)[1].mean for group, parts in visits.items()}
        return state.visits.get(host, 1.0)

    def _nodes(
        self, group: int, rate: float, work: float
    ) -> tuple[tuple[float, float, float], ...]:
        """Of the nodes of a group, which share of the requests some get, and how many and how
        evenly each of them gets. ``work``: seconds for which a request keeps a node busy.
        """
        nodes = self.state.shape.nodes_of(group)
        hot, _, arrivals, _ = self._choice(group, nodes, min(rate * work / nodes, 1.0))
        rate *= self.state.shape.others
        if hot <= 1 / nodes + 1e-9:
            return ((1.0, rate / nodes, arrivals),)
        return ((hot, rate * hot, 1.0), (1 - hot, rate * (1 - hot) / (nodes - 1), 1.0))

    def _holding(self, host: int, parts: Cases) -> Holding | None:
        """What the threads of a group are held for, if all that computes there has one of them.

        ``None`` where they are so many that nobody waits for one.
        """
        group = self._plan.groups[host]
        if group.slots < 0 or host in self.state.shape.shared_hosts:
            return None
        threads = self._plan.stations[group.slots]
        station = self._plan.stations[group.cores]
        lasting = station.lasting
        known = [
            (rate, self.state.services[operation].mean)
            for operation, rate in self.state.rates.items()
            if self._plan.operations[operation].group == host and operation in self.state.services
        ]
        requests = sum(rate for rate, _ in known)
        before = self.state.queues.get(("cores", host))
        if lasting is None or not requests or before is None:
            return None
        waits = before.wait.mean
        if host in self.state.quotas:
            pauses = self.state.quotas[host].pauses
            all_bursts = sum(rate for rate, _ in parts)
            waits += sum(rate * pauses(part).mean for rate, part in parts) / all_bursts
        held = sum(rate * mean for rate, mean in known) / requests
        bursts = sum(rate for rate, _ in parts) / requests
        work = sum(rate * part.mean for rate, part in parts) / requests
        if not work or not math.isfinite(held + waits):
            return None
        outside = max(0.0, held - work - bursts * waits)
        at_once = requests * held / self.state.shape.nodes_of(host)
        if threads.servers is None or threads.servers > at_once + 8 * math.sqrt(at_once) + 8:
            return None
        burst = mixed([(rate / bursts / requests, part) for rate, part in parts])
        return Holding(
            int(threads.servers),
            threads.queue,
            int(station.servers or threads.servers),
            work,
            bursts,
            outside,
            burst.variability,
            lasting if is_limited(station) else math.inf,
        )

    def work_of(self, operation: int) -> float:
        """Seconds of work of a request, waiting and the work of others left out."""
        row = self._plan.operations[operation]
        works = self._works(row.block, self.state.begun(operation))
        return sum(count * work.mean for count, work in works)

    def _works(self, block: int, count: float) -> Cases:
        found: Cases = []
        for step, often in self.state.taken(block, count):
            if step.kind == StepKind.WORK and step.sampler is not None:
                found.append((often, moments_of(step.sampler)))
            for branch in step.blocks:
                found += self._works(branch, often * self.state.inner(step))
            if step.call >= 0 and self._plan.calls[step.call].policy.fallback >= 0:
                fallback = self._plan.calls[step.call].policy.fallback
                found += self._works(fallback, often * self.state.falls_back(step.call))
        return found

    def held(self) -> None:
        """Waits for what is held until an answer: threads, stores, pools and bulkheads."""
        cases: dict[Kept, Cases] = defaultdict(list)
        for operation, rate in self.state.rates.items():
            group = self._plan.operations[operation].group
            if group >= 0 and rate and self._plan.groups[group].slots >= 0:
                cases["slots", group].append((rate, self.state.services[operation]))
        for site, rate in self.state.calls.items():
            call = self._plan.calls[site]
            time = self.state.answers[call.operation] + Moments(call.there + call.back)
            time = _at_most(time, call.policy.timeout)
            for kind, index in (("pool", call.pool), ("bulkhead", call.policy.bulkhead)):
                if index >= 0 and rate:
                    cases[kind, index].append((rate * self.state.attempts(site), time))
        for (kind, index), parts in cases.items():
            self.state.queues[kind, index] = self._queue(kind, index, *_together(parts))

    def _queue(self, kind: str, index: int, rate: float, held: Moments) -> QueueFlow:
        if kind == "slots":
            station = self._plan.stations[self._plan.groups[index].slots]
            holding = self.state.holding.get(index)
            return self._spread(
                index,
                station.servers,
                station.queue,
                rate,
                held,
                False,
                holding,
                is_of_threads=True,
            )
        if kind == "pool":
            pool = self._plan.pools[index]
            size, nodes = pool.size, self._plan.groups[pool.group].nodes
            longest = pool.max_wait
        else:
            spec = self._plan.bulkheads[index]
            size, nodes = spec.size, self.state.shape.callers(index)
            longest = spec.max_wait
        return impatient(size, rate / nodes, held, longest)

    def _spread(
        self,
        group: int,
        servers: float | None,
        room: int | None,
        rate: float,
        service: Moments,
        shared: bool,
        holding: Holding | None = None,
        is_of_threads: bool = False,
    ) -> QueueFlow:
        """The queue at the nodes of a group, as its callers choose among them."""
        nodes = self.state.shape.nodes_of(group)
        load = rate * service.mean / (nodes * servers) if servers else 0.0
        hot, pooled, arrivals, whole_stream = self._choice(group, nodes, min(load, 1.0))
        self.state.departures[group] = _departures(
            servers * nodes if servers else None, load, whole_stream, service.variability
        )

        others = self.state.shape.others

        def queue(count: float | None, each: float, variability: float) -> QueueFlow:
            found = (
                sharing(count, each * others, service, variability)
                if shared
                else waiting(count, room, each * others, service, variability)
            )
            if holding is not None and each and count == servers:
                found = (
                    for_threads(found, each * others, service, variability, holding)
                    if is_of_threads
                    else for_cores(found, each * others, holding)
                )
            return replace(found, load=found.load / others) if others < 1 else found

        found = queue(servers, rate / nodes, arrivals)
        if hot > 1 / nodes + 1e-9:
            peak = queue(servers, rate * hot, 1.0)
            rest = queue(servers, rate * (1 - hot) / (nodes - 1), 1.0)
            wait = mixed([(hot, peak.wait), (1 - hot, rest.wait)])
            found = QueueFlow(wait, peak.load, hot * peak.rejected + (1 - hot) * rest.rejected)
        if pooled and servers is not None and nodes > 1:
            whole = queue(servers * nodes, rate, 1.0)
            wait = mixed([(pooled, whole.wait), (1 - pooled, found.wait)])
            found = QueueFlow(wait, found.load, found.rejected)
        return found

    def _choice(self, group: int, nodes: int, load: float) -> tuple[float, float, float, float]:
        """The busiest node's share, how far nodes are like one, and how evenly requests come.

        Evenness at a node, and at all together, by the squared coefficients of variation of QNA
        (Whitt, The Queueing Network Analyzer, 1983): what leaves a group of callers, dealt out to
        the nodes in turn or at random. What leaves it is one stream: callers that got their
        requests in turn are not independent, and together give back what was dealt out to them.
        Many callers that deal in turn, each for itself, are nearer to dealing at random: by QNA's
        weight where they are independent, by less where they got their requests in turn (fitted
        to simulations of 2 to 8 callers of 2 to 4 nodes, within 8%).
        """
        shape = self.state.shape
        total = hot = pooled = variability = stream = 0.0
        for site in shape.sites.get(group, ()):
            call, rate = shape.plan.calls[site], self.state.calls.get(site, 0.0)
            callers = shape.plan.groups[call.source].nodes if call.source >= 0 else 1
            total += rate
            keys = call.keys
            hot += rate * (hottest_share(keys.count, keys.skew, nodes) if keys else 1 / nodes)
            whole = self.state.departures.get(call.source, 1.0)
            in_turn = 0.0
            if call.balance == Balance.ROUND_ROBIN:
                apart = 4 if call.source in shape.fed_at_random else 1
                in_turn = 1 / (1 + apart * (1 - load) ** 2 * (callers - 1))
            at_random = 1 + (whole - 1) / nodes
            variability += rate * (in_turn * whole / nodes + (1 - in_turn) * at_random)
            stream += rate * whole
            if call.balance == Balance.LEAST_OUTSTANDING:
                pooled += rate / callers
            elif call.balance == Balance.POWER_OF_TWO:
                pooled += rate / callers / 2
        if not total:
            return shape.share_of_busiest(group), 0.0, 1.0, 1.0
        return hot / total, pooled / total, variability / total, stream / total


def is_limited(station: Station) -> bool:
    """Whether nodes stand still when the CPU time of a period is used up."""
    return station.limit is not None and station.limit < (station.servers or math.inf)


def as_slower_cores(station: Station) -> tuple[float | None, float]:
    """The cores of a station, and how many times longer work takes on them.

    Less than the whole of a core in the long run, by a CPU limit, is taken as cores that are slower
    all the time: exact where work takes many periods.
    """
    lasting = station.lasting
    if station.limit is None or lasting is None:
        return station.servers, 1.0
    count = math.ceil(lasting)
    return count, count / lasting


def _departures(servers: float | None, load: float, arrivals: float, services: float) -> float:
    """How evenly requests leave a group (Whitt, 1983, equation 39)."""
    if servers is None or load >= 1:
        return arrivals if servers is None else services
    spread = (max(services, 0.2) - 1) / math.sqrt(servers)
    return max(0.05, 1 + (1 - load**2) * (arrivals - 1) + load**2 * spread)


def _together(parts: Cases) -> tuple[float, Moments]:
    total = sum(rate for rate, _ in parts)
    return total, mixed([(rate / total, part) for rate, part in parts])


def _sum(works: Cases) -> Moments:
    """All the work of a request that does each so often."""
    total = Moments()
    for count, work in works:
        total += work.with_probability(count) if count < 1 else work.times(count)
    return total


def _at_most(time: Moments, most: float) -> Moments:
    return time if time.mean <= most else Moments(most)
