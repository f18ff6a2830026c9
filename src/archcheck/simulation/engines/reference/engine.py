"""One run: the clock, the node_groups, the streams of random numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import simpy

from archcheck.simulation.engines.reference.caches import Content, Lookup
from archcheck.simulation.engines.reference.calls import Attempt, PendingCall
from archcheck.simulation.engines.reference.client_state import TokenBucket
from archcheck.simulation.engines.reference.clock import Clock, Timeouts, rarely_collecting
from archcheck.simulation.engines.reference.deadlock import check_progress
from archcheck.simulation.engines.reference.faults import Faults
from archcheck.simulation.engines.reference.load import start
from archcheck.simulation.engines.reference.messages import Subscribers
from archcheck.simulation.engines.reference.node_groups import Caller, NodeGroup
from archcheck.simulation.engines.reference.requests import Request
from archcheck.simulation.engines.reference.scaling import Autoscaler
from archcheck.simulation.engines.reference.servers import Recorder
from archcheck.simulation.engines.reference.walks import Walk
from archcheck.simulation.engines.stops import too_deep
from archcheck.simulation.plan import Outcome, Plan, Scope, StepSpec
from archcheck.simulation.randomness import place_hash, stream, uniform
from archcheck.simulation.record import BUCKETS, Record
from archcheck.simulation.trace import Span, SpanKind, Tracer

_TRACE = place_hash("trace")
_MANY_SPANS = 10_000
"""Spans that are written at once. A choice: a row group of Parquet, and about a megabyte."""


def run(
    plan: Plan,
    *,
    seed: int,
    duration: float,
    warmup: float,
    watch: Callable[[float], bool] | None = None,
    tracer: Tracer | None = None,
) -> Record:
    """Simulate ``duration`` seconds; statistics start after ``warmup`` seconds.

    ``watch`` is called 60 times, with the simulated seconds, and says whether to stop. ``tracer``
    gets what has ended.
    """
    engine = Engine(plan, seed, duration, warmup)
    engine.watch, engine.tracer = watch, tracer
    try:
        return engine.simulate()
    except RecursionError:
        raise too_deep(engine.time) from None


class Streams(dict[int, int]):
    """The stream of random numbers of each place, made when it is first asked for."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __missing__(self, place: int) -> int:
        made = self[place] = stream(self._seed, place)
        return made


class Engine(Clock):
    """The clock, the node_groups and the streams of one run."""

    new_call = PendingCall

    def __init__(self, plan: Plan, seed: int, duration: float, warmup: float) -> None:
        super().__init__()
        self.plan = plan
        self.seed = seed
        self.warmup = warmup
        self.record = Record(plan, duration, warmup)
        self.watch: Callable[[float], bool] | None = None
        self.tracer: Tracer | None = None
        self._spans: list[Span] = []
        self.is_stopped = False
        self.is_draining = False
        self.recorders: list[Recorder] = []
        self.timeouts = [Timeouts(self, site.policy.timeout) for site in plan.calls]
        self.streams = Streams(seed)
        self._outsiders: dict[int, Caller] = {}
        self.faults = Faults(self)
        self.subscribers: list[list[Subscribers]] = []
        self.node_groups = [NodeGroup(self, index) for index in range(len(plan.groups))]
        self.limits = [TokenBucket(spec) for spec in plan.limits]
        self.clients = {n: place_hash(f"clients {n}") for n in range(-1, len(plan.groups))}
        self._buckets: dict[int, dict[int, TokenBucket]] = {}
        self.contents = [Content(self, spec) for spec in plan.caches]
        self.subscribers = [
            [Subscribers(self, channel, spec) for spec in channel.subscriptions]
            for channel in plan.channels
        ]

    def simulate(self) -> Record:
        """Run until the end."""
        duration = self.record.duration
        self._begin()
        with rarely_collecting():
            self.run(until=duration)
        if self.is_stopped:
            self.record.end = self.time
        else:
            self.time = duration  # SimPy stops before the events of the last instant
            self._snapshot(BUCKETS - 1)
        self._write_spans()
        self.record.events = self.events
        for recorder in self.recorders:
            if not recorder.is_closed:
                recorder.add_up(self.time)
        if self.plan.drains and not self.is_stopped:
            self._drain()
        return self.record

    def _begin(self) -> None:
        """What is known at the beginning."""
        duration = self.record.duration
        for groups in self.subscribers:
            for group in groups:
                group.start()
        self.faults.start()
        self.work_off()
        for source in self.plan.streams:
            start(self, source)
        for node_group in self.node_groups:
            if node_group.spec.scaling is not None:
                Autoscaler(self, node_group, node_group.spec.scaling).start()
        if self.warmup > 0:
            self.after(self.warmup, self._warm_up_is_over)
        for bucket in range(1, BUCKETS):
            self.after(duration * bucket / BUCKETS, partial(self._snapshot, bucket - 1))

    def _drain(self) -> None:
        """Let those who are under way come to an end, for as long again as the run at most."""
        record = self.record
        kept = record.keep()
        self.is_draining = True
        for bucket in range(1, BUCKETS + 1):
            record.settle()
            is_unwanted = self.watch is not None and self.watch(record.duration)
            if not record.in_flight or is_unwanted:
                break
            self.run(until=record.duration * (1 + bucket / BUCKETS))
        record.settle()
        vars(record).update(kept)
        self._write_spans()

    def _warm_up_is_over(self) -> None:
        for recorder in self.recorders:
            recorder.start(self.time)

    def _snapshot(self, bucket: int) -> None:
        now, record = self.time, self.record
        for recorder in self.recorders:
            busy, waiting, servers = recorder.since_last_look(now)
            if recorder.station >= 0:
                record.busy_series[recorder.station][bucket] += busy
                record.waiting_series[recorder.station][bucket] += waiting
                record.capacity_series[recorder.station][bucket] += servers
        record.settle()
        if self.plan.may_deadlock:
            check_progress(self)
        if self.watch is not None and self.watch(now):
            self.is_stopped = True
            raise simpy.core.StopSimulation(None)

    # -- what requests need of others ---------------------------------------------------------

    def look_up(self, walk: Walk, step: StepSpec) -> bool:
        """Ask a cache; whether it has answered at once."""
        return Lookup(walk, step).start()

    def new_content(self, cache: int) -> Content:
        """An empty cache."""
        return Content(self, self.plan.caches[cache])

    def publish(self, channel: int, root: int, key: int) -> None:
        """Send a message to everybody who reads the channel."""
        spec = self.plan.channels[channel]
        for group in self.subscribers[channel]:
            self.after(spec.delay, partial(group.receive, root, key))
        if not self.subscribers[channel]:
            self.count(f"nobody reads: {spec.name}")

    def has_token(self, request: Request) -> bool:
        """Whether the server-side limit of a request's operation lets it in."""
        limit = request.operation.limit
        scope = self.plan.limits[limit].scope
        bucket = self.limits[limit]
        if scope == Scope.REPLICA and request.replica is not None:
            bucket = request.replica.limit(limit)
        elif scope == Scope.CLIENT and isinstance(request.origin, Attempt):
            bucket = self._bucket_of(request.origin.call.client, limit)
        return bucket.takes(self.time)

    def _bucket_of(self, client: int, limit: int) -> TokenBucket:
        buckets = self._buckets.setdefault(client, {})
        if limit not in buckets:
            buckets[limit] = TokenBucket(self.plan.limits[limit])
        return buckets[limit]

    def forget_client(self, client: int) -> None:
        """A client has gone and will not come again."""
        self._buckets.pop(client, None)

    def consumers_on(self, node_group: int) -> list[Subscribers]:
        """The consumer groups whose members live on the replicas of a node_group."""
        return [
            group
            for groups in self.subscribers
            for group in groups
            if group.node_group.spec.host == node_group
        ]

    def outsider(self, place: int) -> Caller:
        """A caller that is no replica of the system."""
        found = self._outsiders.get(place)
        if found is None:
            found = self._outsiders[place] = Caller(self, place)
        return found

    def trace(
        self, kind: SpanKind, index: int, root: int, key: int, start: float, outcome: int
    ) -> None:
        """Note what has just ended, if it belongs to a journey that is looked at."""
        tracer = self.tracer
        if tracer is None:
            return
        if tracer.share >= 1 or uniform(self.streams[_TRACE], root) < tracer.share:
            span = Span(kind, index, root, key, start, self.time, Outcome(outcome))
            self._spans.append(span)
            if len(self._spans) == _MANY_SPANS:
                self._write_spans()

    def _write_spans(self) -> None:
        if self.tracer is not None:
            self.tracer.write(self._spans)
            self._spans = []

    def count(self, what: str) -> None:
        """Count something that happened after the warm-up."""
        if self.time >= self.warmup:
            self.record.counts.values[what] += 1
