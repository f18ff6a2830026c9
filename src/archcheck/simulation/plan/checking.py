"""Whether a plan hangs together: every index inside its table, every number in its range.

A compiled model always does. A plan from elsewhere, made by hand or read from JSON, is looked
through before an engine relies on it; what is wrong is named by its field.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Sized
from contextlib import contextmanager
from math import isfinite
from typing import Any

from archcheck.model import ArchcheckError
from archcheck.simulation.plan import (
    ANY_NUMBER,
    Balance,
    Keys,
    OperationSpec,
    Plan,
    Sampler,
    SamplerShape,
    StepKind,
    StepSpec,
)
from archcheck.simulation.plan.load import (
    ArrivalKind,
    FaultKind,
    PlannedFault,
    PlannedSession,
    Stream,
)
from archcheck.simulation.plan.protection import PolicySpec

_FOREVER = float("inf")
_MANY = 2**31 - 1
"""The largest number of anything that is counted: the compiled engine keeps 32-bit integers."""
_PLACES = 2**64
"""Places are hashes of 64 bits."""


class PlanError(ArchcheckError):
    """A plan that no engine can run; the text begins with the field."""


def check_plan(plan: Plan) -> None:
    """Raise :class:`PlanError` for the first field that is wrong."""
    _Checker(plan).check()


class _Checker:
    """Goes through a plan; ``_path`` is where it is."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._path = ""

    def check(self) -> None:
        try:
            self._check_all()
        except (TypeError, AttributeError, ValueError) as error:
            raise PlanError(f"{self._path}: {error}") from None

    def _check_all(self) -> None:
        self._check_servers()
        for index, steps in enumerate(self._plan.blocks):
            for step in self._each(f"blocks[{index}]", steps):
                self._check_step(step)
        self._check_circles()
        for each in self._each("calls", self._plan.calls):
            self._check_call(each)
        self._check_callers()
        self._check_channels()
        self._check_load()

    # -- one table after the other ----------------------------------------------------------------

    def _check_servers(self) -> None:
        plan = self._plan
        for each in self._each("stations", plan.stations):
            self._optional_number("servers", each.servers)
            self._optional_number("queue", each.queue)
            if each.limit is not None and not 0 < each.limit < _MANY:
                raise ValueError("limit: more than 0 cores")
            self._whole("discipline", each.discipline, 0, 2)
            self._index("group", each.group, plan.groups)
        for each in self._each("groups", plan.groups):
            self._check_group(each)
        for each in self._each("operations", plan.operations):
            self._place(each.place)
            self._index("group", each.group, plan.groups, optional=True)
            self._index("block", each.block, plan.blocks)
            self._number("error_rate", each.error_rate, 0, 1)
            self._index("limit", each.limit, plan.limits, optional=True)
            if each.beside:
                self._check_sidecar(each)

    def _check_sidecar(self, operation: OperationSpec) -> None:
        """A sidecar hangs up at any moment, so nothing but its call may be under way."""
        steps = self._plan.blocks[operation.block]
        if operation.group >= 0 or len(steps) != 1 or steps[0].kind != StepKind.CALL:
            raise ValueError("an operation beside its caller has no group and makes one call")
        self._index("call", steps[0].call, self._plan.calls)
        if self._plan.calls[steps[0].call].policy.fallback >= 0:
            raise ValueError("the call of an operation beside its caller has no fallback")

    def _check_load(self) -> None:
        plan = self._plan
        for each in self._each("journeys", plan.journeys):
            if not each.entries:
                raise ValueError("a journey needs an entry")
            for entry in each.entries:
                self._index("entries", entry, plan.calls)
            self._check_rank(each.rank)
        for each in self._each("streams", plan.streams):
            self._check_stream(each)
        for each in self._each("faults", plan.faults):
            self._check_fault(each)

    def _check_group(self, group: Any) -> None:
        plan = self._plan
        self._whole("nodes", group.nodes, 0, 1_000_000)
        for name in ("slots", "cores"):
            self._index(name, getattr(group, name), plan.stations, optional=True)
        self._index("host", group.host, plan.groups, optional=True)
        for zone in group.zones:
            self._whole("zones", zone, -1, _MANY)
        self._number("detection", group.detection, 0)
        self._number("shed", group.shed, 0)
        for rank in group.ranks:
            self._whole("ranks", rank, 0, 1_000)
        if group.scaling is not None:
            with self._inside("scaling"):
                scaling = group.scaling
                self._whole("least", scaling.least, 0, 1_000_000)
                self._whole("most", scaling.most, scaling.least, 1_000_000)
                for name in ("target", "requested", "period"):
                    self._number(name, getattr(scaling, name), 1e-9, 1e9)
                for name in ("tolerance", "stabilisation", "start_up"):
                    self._number(name, getattr(scaling, name), 0)

    def _check_step(self, step: StepSpec) -> None:
        plan, kind = self._plan, step.kind
        self._whole("kind", kind, 0, max(StepKind))
        self._place(step.place)
        if kind in (StepKind.WORK, StepKind.WAIT):
            self._sampler("sampler", step.sampler)
        self._index(
            "call", step.call, plan.calls, optional=kind not in (StepKind.CALL, StepKind.CACHED)
        )
        self._index("channel", step.channel, plan.channels, optional=kind != StepKind.PUBLISH)
        for block in step.blocks:
            self._index("blocks", block, plan.blocks)
        if (
            kind in (StepKind.WITH_PROBABILITY, StepKind.REPEAT, StepKind.CACHED, StepKind.SERIES)
            and not step.blocks
        ):
            raise ValueError("the step needs a block")
        self._number("number", step.number, 0, 1e15)
        if kind == StepKind.PARALLEL and len(step.waited) != len(step.blocks):
            raise ValueError(f"waited has {len(step.waited)} entries for {len(step.blocks)} blocks")
        needs_content = kind == StepKind.CACHED and step.keys is not None
        self._index("cache", step.cache, plan.caches, optional=not needs_content)
        self._keys(step.keys)

    def _check_circles(self) -> None:
        """Blocks run other blocks; none may run itself."""
        inside: dict[int, set[int]] = {
            index: {block for step in steps for block in step.blocks}
            for index, steps in enumerate(self._plan.blocks)
        }
        while inside:
            leaves = [index for index, blocks in inside.items() if not blocks & inside.keys()]
            if not leaves:
                raise PlanError(f"blocks[{min(inside)}]: the block runs itself, or in a circle")
            for index in leaves:
                del inside[index]

    def _check_call(self, call: Any) -> None:
        plan = self._plan
        self._place(call.place)
        self._index("operation", call.operation, plan.operations)
        self._whole("balance", call.balance, 0, 4)
        self._index("pool", call.pool, plan.pools, optional=True)
        for name in ("there", "back", "across"):
            self._number(name, getattr(call, name), 0, 1e9)
        self._index("source", call.source, plan.groups, optional=True)
        self._index("target", call.target, plan.groups, optional=True)
        if call.target != plan.operations[call.operation].group:
            raise ValueError("target is not the group of the operation")
        if call.balance == Balance.SHARD and call.target >= 0:
            self._whole("nodes of the target", plan.groups[call.target].nodes, 1, _MANY)
        self._keys(call.keys)
        with self._inside("policy"):
            self._check_policy(call.policy)

    def _check_policy(self, policy: PolicySpec) -> None:
        plan = self._plan
        for name in ("timeout", "max_backoff", "hedge_after", "backoff"):
            self._number(name, getattr(policy, name), 0)
        self._number("factor", policy.factor, 0, 1e9)
        self._whole("attempts", policy.attempts, 1, _MANY)
        self._whole("retried", policy.retried, 0, 63)
        self._whole("hedges", policy.hedges, 1, _MANY)
        self._index("fallback", policy.fallback, plan.blocks, optional=True)
        self._index("bulkhead", policy.bulkhead, plan.bulkheads, optional=True)
        self._index("breaker", policy.breaker, plan.breakers, optional=True)
        self._index("limit", policy.limit, plan.limits, optional=True)
        self._index("budget", policy.budget, plan.budgets, optional=True)

    def _check_callers(self) -> None:
        plan = self._plan
        for each in self._each("pools", plan.pools):
            self._number("size", each.size, 0, 1e9)
            self._number("max_wait", each.max_wait, 0)
        for each in self._each("bulkheads", plan.bulkheads):
            self._number("size", each.size, 0, 1e9)
            self._number("max_wait", each.max_wait, 0)
        for each in self._each("breakers", plan.breakers):
            for name in ("failure_rate", "slow_rate", "slow", "open_for"):
                self._number(name, getattr(each, name), 0)
            self._number("window", each.window, 1, 1e9)
            self._number("minimum", each.minimum, 0, 1e9)
            self._number("probes", each.probes, 1, 1e9)
        for each in self._each("limits", plan.limits):
            self._number("rate", each.rate, 0)
            self._number("burst", each.burst, 0)
            self._whole("scope", each.scope, 0, 2)
        for each in self._each("budgets", plan.budgets):
            self._number("ratio", each.ratio, 0)
            self._number("floor", each.floor, 0)
        for each in self._each("caches", plan.caches):
            self._place(each.place)
            self._number("capacity", each.capacity, 0, 1e15)
            self._number("ttl", each.ttl, 0)

    def _check_channels(self) -> None:
        plan = self._plan
        for channel in self._each("channels", plan.channels):
            self._place(channel.place)
            self._number("delay", channel.delay, 0, 1e9)
            for index, read in enumerate(channel.subscriptions):
                with self._inside(f"subscriptions[{index}]"):
                    self._index("operation", read.operation, plan.operations)
                    self._whole("concurrency", read.concurrency, 1, ANY_NUMBER)
                    self._whole("partitions", read.partitions, 1, ANY_NUMBER)
                    self._whole("deliveries", read.deliveries, 0, _MANY)
                    self._number("visibility", read.visibility, 0)
                    self._index("dead", read.dead, plan.channels, optional=True)
                    self._check_consumers(read.operation)

    def _check_consumers(self, operation: int) -> None:
        """Consumers are nodes with servers that live on the nodes of a service."""
        groups = self._plan.groups
        group = self._plan.operations[operation].group
        self._index("operation's group", group, groups)
        self._index("operation's group's host", groups[group].host, groups)
        if groups[group].nodes < 1 or groups[groups[group].host].nodes < 1:
            raise ValueError("consumers and their service need a node each")

    def _check_stream(self, stream: Stream) -> None:
        kind = stream.kind
        self._whole("kind", kind, 0, max(ArrivalKind))
        self._place(stream.place)
        self._choices("choices", stream.choices, needed=stream.session is None)
        for name in ("rate", "high"):
            self._number(name, getattr(stream, name), 0, 1e9)
        if kind == ArrivalKind.DETERMINISTIC:
            self._number("rate", stream.rate, 1e-300, 1e9)
        if kind == ArrivalKind.SINE:
            self._number("period", stream.period, 1e-9, 1e300)
        self._check_points(stream)
        for time in stream.times:
            self._number("times", time, 0)
        self._whole("users", stream.users, 0, 1_000_000)
        self._whole("clients", stream.clients, 0, 1_000_000_000)
        if kind == ArrivalKind.CLOSED:
            self._sampler("think", stream.think)
        self._number("start", stream.start, 0)
        self._number("end", stream.end, 0)
        self._number("factor", stream.factor, 0, 1e6)
        if stream.session is not None:
            with self._inside("session"):
                self._check_session(stream.session)

    def _check_points(self, stream: Stream) -> None:
        if stream.kind in (ArrivalKind.PIECEWISE, ArrivalKind.MMPP) and not stream.points:
            raise ValueError("points are missing")
        before = -1.0
        for time, rate in stream.points:
            if stream.kind == ArrivalKind.MMPP:
                self._number("points", min(time, rate), 1e-9, 1e300)
                continue
            self._number("points", time, before)
            self._number("points", rate, 0, 1e9)
            before = time

    def _check_session(self, session: PlannedSession) -> None:
        self._index("first", session.first, self._plan.journeys)
        self._sampler("pause", session.pause)
        rows = session.rows
        reached = {session.first, *(journey for row in rows for journey, _ in row)}
        if max(reached) >= len(rows):
            raise ValueError(f"rows has no entry for journey {max(reached)}")
        for row in rows:
            self._choices("rows", row)

    def _check_rank(self, rank: int) -> None:
        self._whole("rank", rank, 0, _MANY)
        for group in self._plan.groups:
            if group.ranks and rank >= len(group.ranks):
                raise ValueError(f"rank is {rank}, but {group.name} ranks {len(group.ranks)}")

    def _check_fault(self, fault: PlannedFault) -> None:
        plan = self._plan
        self._whole("kind", fault.kind, 0, max(FaultKind))
        self._number("start", fault.start, 0)
        self._number("end", fault.end, 0)
        for operation in fault.operations:
            self._index("operations", operation, plan.operations)
        self._number("factor", fault.factor, 0, 1e9)
        needed = fault.kind in (FaultKind.KILL, FaultKind.RELEASE)
        self._index("group", fault.group, plan.groups, optional=not needed)
        self._whole("count", fault.count, 0, _MANY)
        self._whole("zone", fault.zone, -1, _MANY)
        for cache in fault.caches:
            self._index("caches", cache, plan.caches)
        self._whole("surge", fault.surge, 0, _MANY)
        self._whole("gone", fault.gone, 0, _MANY)
        if fault.kind == FaultKind.RELEASE and fault.surge + fault.gone == 0:
            raise ValueError("a release needs a surge, or nodes that may be gone")
        self._number("start_up", fault.start_up, 0)
        self._number("grace", fault.grace, 0)

    # -- parts ------------------------------------------------------------------------------------

    def _sampler(self, field: str, sampler: Sampler | None) -> None:
        if sampler is None:
            raise ValueError(f"{field} is missing")
        with self._inside(field):
            self._whole("shape", sampler.shape, 0, max(SamplerShape))
            low = -1e9 if sampler.shape == SamplerShape.LOGNORMAL else 0
            self._number("a", sampler.a, low, 1e15)
            least = (
                1e-6
                if sampler.shape in (SamplerShape.GAMMA, SamplerShape.WEIBULL, SamplerShape.PARETO)
                else 0
            )
            self._number("b", sampler.b, least, 1e15)
            if sampler.shape == SamplerShape.EMPIRICAL and not sampler.values:
                raise ValueError("values are missing")
            for value in sampler.values:
                self._number("values", value, 0, 1e15)

    def _keys(self, keys: Keys | None) -> None:
        if keys is not None:
            with self._inside("keys"):
                self._whole("count", keys.count, 1, 2**53)
                self._number("skew", keys.skew, 0, 100)

    def _choices(
        self, field: str, choices: Sequence[tuple[int, float]], *, needed: bool = False
    ) -> None:
        if needed and not choices:
            raise ValueError(f"{field} are missing")
        for journey, reached in choices:
            self._index(field, journey, self._plan.journeys)
            self._number(field, reached, 0, 2)

    # -- single values ----------------------------------------------------------------------------

    def _each(self, name: str, table: Sequence[Any]) -> Iterator[Any]:
        for index, each in enumerate(table):
            self._path = f"{name}[{index}]"
            yield each
        self._path = name

    @contextmanager
    def _inside(self, name: str) -> Iterator[None]:
        before, self._path = self._path, f"{self._path}.{name}"
        yield
        self._path = before

    def _place(self, place: int) -> None:
        self._whole("place", place, 0, _PLACES - 1)

    def _index(self, field: str, index: int, table: Sized, *, optional: bool = False) -> None:
        if not isinstance(index, int) or not (-1 if optional else 0) <= index < len(table):
            raise ValueError(f"{field} is {index!r}, but there are {len(table)} of them")

    def _whole(self, field: str, value: int, low: int, high: int) -> None:
        if not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"{field} must be a whole number from {low} to {high}, got {value!r}")

    def _optional_number(self, field: str, value: float | None) -> None:
        if value is not None:
            self._number(field, value, 0, 1e15)

    def _number(self, field: str, value: float, low: float, high: float = _FOREVER) -> None:
        is_number = isinstance(value, int | float)
        if not is_number or not low <= value <= high or (high < _FOREVER and not isfinite(value)):
            raise ValueError(f"{field} must be a number from {low:g} to {high:g}, got {value!r}")
