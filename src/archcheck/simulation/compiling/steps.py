"""Operations and their steps, and the call sites between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from archcheck.graph.error_rates import error_rate_of
from archcheck.graph.interactions import question_instead
from archcheck.graph.pools import pool_of
from archcheck.graph.protection import Protection, protection_of
from archcheck.graph.shapes import shape_of
from archcheck.graph.transfer import waits_for_broker
from archcheck.model import (
    Absent,
    Cached,
    Call,
    Consumer,
    Datastore,
    Endpoint,
    External,
    LocalCache,
    Publish,
    RateLimit,
    Read,
    ScenarioError,
    Service,
    ShardKey,
    Step,
    Wait,
    Work,
    Write,
)
from archcheck.model.clients import as_asked
from archcheck.model.steps import Group as StepGroup
from archcheck.simulation import plan as p
from archcheck.simulation.compiling.assumed import CACHE_LOOKUP, QUERY
from archcheck.simulation.compiling.channels import ChannelCompiler, channel_called
from archcheck.simulation.compiling.groups import add_consumers, replicas_of
from archcheck.simulation.compiling.protection import (
    add_limit,
    compile_mesh_policy,
    compile_policy,
    optional_policy,
)
from archcheck.simulation.compiling.tables import PlanRows
from archcheck.simulation.compiling.transfer import Transfer
from archcheck.simulation.randomness import place_hash
from archcheck.simulation.sampling import compile_time
from archcheck.units import Duration

_BALANCE = {
    "round_robin": p.Balance.ROUND_ROBIN,
    "random": p.Balance.RANDOM,
    "least_outstanding": p.Balance.LEAST_OUTSTANDING,
    "power_of_two": p.Balance.POWER_OF_TWO,
}
_KEYS = 1_000_000
"""Assumed cardinality of a skewed shard key."""


@dataclass(frozen=True)
class _Site:
    """Where a step stands: whose it is, in which operation, and its unique name."""

    owner: Service
    operation: str
    name: str

    def inner(self, index: int | str) -> _Site:
        return _Site(self.owner, self.operation, f"{self.name}/{index}")


class StepCompiler:
    """Fills in operations; each may ask for others that are reserved already."""

    def __init__(self, tables: PlanRows) -> None:
        self.tables = tables
        self.system = tables.system
        self.assumed = tables.assumed
        self.delay = self.assumed.delay(tables.system.network)
        self.transfer = Transfer(tables)
        self.channels = ChannelCompiler(tables, self.delay)

    # -- operations ---------------------------------------------------------------------------

    def reserve(self, name: str, owner: str) -> None:
        """Make room for an endpoint or consumer, so that calls can refer to it."""
        self.tables.add_operation(
            p.OperationSpec(name, place_hash(name), -1, 0, 0.0, -1, True), owner
        )

    def fill(self, name: str) -> None:
        """Compile an endpoint or consumer into its reserved row."""
        found = self.tables.graph.operations[name]
        owner, part = found.owner, found.part
        if isinstance(owner, External):
            row = self._external(owner, part if isinstance(part, Endpoint) else None)
        else:
            row = self._own(owner, name, part)
        self.tables.operations[self.tables.operation_of[name]] = row

    def _own(self, owner: Service, name: str, part: Endpoint | Consumer) -> p.OperationSpec:
        tables = self.tables
        steps = self._steps(_Site(owner, name, name), part.steps)
        group, limit = tables.group_of[owner.name], -1
        if isinstance(part, Consumer):
            channel = channel_called(tables.system, str(part.topic))
            group = add_consumers(tables, owner, name, part, channel)
        else:
            before, after = self.transfer.at_callee(part, name)
            steps = (*before, *steps, *after)
            if part.rate_limit is not None and not isinstance(part.rate_limit, Absent):
                limit = add_limit(tables, name, part.rate_limit)
        block = tables.add_block(steps)
        errors = error_rate_of(owner, part)
        return p.OperationSpec(name, place_hash(name), group, block, errors, limit, True)

    def _external(self, owner: External, part: Endpoint | None) -> p.OperationSpec:
        name = f"{owner.name}.{part.name}" if part else owner.name
        latency = self.assumed.time(owner.latency, Duration(0.0), owner.name, "latency")
        work = p.StepSpec(p.StepKind.WAIT, place_hash(f"{name}#latency"), sampler=latency)
        limit = self._limit_of(owner, name, part)
        if part is not None and part.steps:
            self.assumed.leave_out("steps of external parties (their latency is declared)")
        block = self.tables.add_block((work,))
        errors = error_rate_of(owner, part)
        return p.OperationSpec(name, place_hash(name), -1, block, errors, limit, True)

    def _limit_of(self, owner: External, name: str, part: Endpoint | None) -> int:
        """The limit of an endpoint of a third party, or else the one of all its endpoints."""
        own = part.rate_limit if part is not None else None
        if isinstance(own, RateLimit):
            if owner.rate_limit:
                self.assumed.leave_out("a party's limit beside that of its endpoint")
            return add_limit(self.tables, name, own)
        return add_limit(self.tables, owner.name, owner.rate_limit) if owner.rate_limit else -1

    def callee(self, reference: str) -> int:
        """The operation that a call asks."""
        target, endpoint = self.system.endpoint(reference)
        if endpoint is not None:
            return self.tables.operation_of[f"{target.name}.{endpoint.name}"]
        if not isinstance(target, External):
            raise ScenarioError(f"{target.name} is called and has no endpoint")
        return self.tables.add_operation(self._external(target, None), target.name)

    def _query(self, step: Read | Write | Cached, site: _Site) -> int:
        store = self._store(step)
        verb = "write" if isinstance(step, Write) else "read"
        own = None if isinstance(step, Cached) else step.time
        stale = isinstance(step, Read) and bool(step.stale)
        group = replicas_of(self.tables, store) if stale else self.tables.group_of[store.name]
        asked = self.tables.groups[group].name
        label = f"{asked}.{verb}" if own is None else f"{asked}.{verb}@{site.name}"
        declared = own if own is not None else getattr(store, verb)
        if isinstance(store, LocalCache):
            assumed, group = Duration(0.0), -1
        else:
            assumed = CACHE_LOOKUP if store.is_cache else QUERY
        sampler = self.assumed.time(declared, assumed, store.name, verb)
        work = p.StepSpec(p.StepKind.WORK, place_hash(f"{label}#time"), sampler=sampler)
        block = self.tables.add_block((work,))
        operation = p.OperationSpec(label, place_hash(label), group, block, 0.0, -1, own is None)
        return self.tables.add_operation(operation, store.name)

    def _store(self, step: Read | Write | Cached) -> Datastore:
        store = self.system.find(str(step.cache if isinstance(step, Cached) else step.target))
        if not isinstance(store, Datastore):
            raise ScenarioError(f"{store.name} is asked for data and is no datastore")
        return store

    # -- steps --------------------------------------------------------------------------------

    def _steps(self, site: _Site, steps: Iterable[Step]) -> tuple[p.StepSpec, ...]:
        compiled: list[p.StepSpec] = []
        for index, step in enumerate(steps):
            compiled += self._step(site.inner(index), step)
        return tuple(compiled)

    def _block(self, site: _Site, steps: Iterable[Step]) -> int:
        return self.tables.add_block(self._steps(site, steps))

    def _step(self, site: _Site, step: Step) -> list[p.StepSpec]:
        place = place_hash(site.name)
        step = as_asked(site.owner, step)
        match step:
            case Work():
                return [p.StepSpec(self._kind_of_work(site, step), place, compile_time(step.time))]
            case Wait():
                return [p.StepSpec(p.StepKind.WAIT, place, compile_time(step.time))]
            case Call():
                return self.transfer.around(step, site.name, self._ask(site, step))
            case Read() | Write():
                return [self._ask(site, step)]
            case Publish():
                channel = self.channels.published(step)
                waits = 2 * self.channels.delay if waits_for_broker(step) else 0.0
                return [p.StepSpec(p.StepKind.PUBLISH, place, channel=channel, number=waits)]
            case StepGroup():
                return self._group(site, step)
            case _:
                raise ScenarioError(f"the engines do not know the step {type(step).__name__}")

    def _kind_of_work(self, site: _Site, step: Work) -> p.StepKind:
        """Sleeping holds a thread and no core; an event loop is held by both."""
        threads = self.tables.groups[self.tables.group_of[site.owner.name]].slots >= 0
        return p.StepKind.WAIT if step.blocking and threads else p.StepKind.WORK

    def _group(self, site: _Site, group: StepGroup) -> list[p.StepSpec]:
        shape, place = shape_of(self.system, group), place_hash(site.name)
        if shape.lookup is not None:
            return [self._cached(site, shape.lookup)]
        if shape.is_parallel:
            branches = [site.inner(f"branch{index}") for index in range(len(shape.sequences))]
            blocks = tuple(map(self._block, branches, shape.sequences))
            return [p.StepSpec(p.StepKind.PARALLEL, place, blocks=blocks, waited=shape.waited)]
        if not shape.share:
            return []
        block = (self._block(site, shape.steps),)
        if shape.times > 1:
            return [p.StepSpec(p.StepKind.REPEAT, place, blocks=block, number=shape.times)]
        if shape.share < 1:
            return [
                p.StepSpec(p.StepKind.WITH_PROBABILITY, place, blocks=block, number=shape.share)
            ]
        return [p.StepSpec(p.StepKind.SERIES, place, blocks=block)]

    # -- call sites -----------------------------------------------------------------------------

    def _ask(self, site: _Site, step: Call | Read | Write) -> p.StepSpec:
        if isinstance(step, Call):
            operation, balance, keys = self.callee(str(step.target)), self._balance(step), None
        else:
            operation, balance = self._query(step, site), p.Balance.SHARD
            keys = self._shard_keys(self._store(step))
        callee = self.tables.operations[operation].name
        if step.blocking and self.tables.groups[self.tables.group_of[site.owner.name]].slots < 0:
            self.assumed.leave_out("client libraries that block an event loop")
        policy = compile_policy(self.tables, site.owner, step, callee, self._fallback(site, step))
        there, back = self.transfer.seconds(step, self.delay)
        store = None if isinstance(step, Call) else self._store(step)
        asked = self._site(site, operation, policy, balance, there, back, keys, store)
        guard = protection_of(site.owner, step)
        if guard.has_sidecar:
            asked = self._through_mesh(site, guard, asked)
        return p.StepSpec(p.StepKind.CALL, asked.place, call=self.tables.add_call(asked))

    def _through_mesh(self, site: _Site, guard: Protection, asked: p.CallSite) -> p.CallSite:
        """The code asks its sidecar, which asks the callee as often as the mesh tries."""
        name = self.tables.operations[asked.operation].name
        callee = name.partition(".")[0]
        link = f"{site.owner.name} -> {callee}"
        outgoing = replace(
            asked,
            name=f"{asked.name}{p.THROUGH_MESH}",
            place=place_hash(f"{site.name}#mesh"),
            policy=compile_mesh_policy(self.tables, f"{link}{p.THROUGH_MESH}", guard, name),
            pool=-1,
        )
        call = self.tables.add_call(outgoing)
        block = self.tables.add_block((p.StepSpec(p.StepKind.CALL, outgoing.place, call=call),))
        sidecar = self.tables.add_sidecar(f"sidecar of {site.name}", block)
        return replace(
            asked,
            operation=sidecar,
            balance=p.Balance.ROUND_ROBIN,
            there=0.0,
            back=0.0,
            across=0.0,
            target=-1,
        )

    def _site(
        self,
        site: _Site,
        operation: int,
        policy: p.PolicySpec,
        balance: p.Balance,
        there: float,
        back: float,
        keys: p.Keys | None,
        store: Datastore | None,
    ) -> p.CallSite:
        row = self.tables.operations[operation]
        target = site.name.partition("/")[0]
        return p.CallSite(
            f"{target} -> {row.name.partition('@')[0]}",
            place_hash(site.name),
            operation,
            policy,
            balance,
            self._pool(site.owner, row.name.partition(".")[0], store),
            there,
            back,
            self.transfer.across,
            self.tables.group_of[site.owner.name],
            self._target_group(row, store),
            keys,
        )

    def _target_group(self, row: p.OperationSpec, store: Datastore | None) -> int:
        """Reserved operations do not know their group yet: an endpoint's is its service's."""
        if store is not None or row.group >= 0:
            return row.group
        return self.tables.group_of.get(row.name.partition(".")[0], -1)

    def _balance(self, step: Call) -> p.Balance:
        if isinstance(step.balancing, str):
            return _BALANCE[step.balancing]
        if isinstance(step.balancing, Absent):
            self.assumed.leave_out("calls without load balancing, which stay with one replica")
        self.assumed.add("calls", "balancing", "round_robin", "where a call does not declare it")
        return p.Balance.ROUND_ROBIN

    def _shard_keys(self, store: Datastore) -> p.Keys | None:
        key = getattr(store, "shard_key", None)
        if not isinstance(key, ShardKey) or not key.skew:
            return None
        if key.cardinality is None:
            reason = "the shard key does not declare it"
            self.assumed.add(store.name, "shard_key.cardinality", f"{_KEYS:,}", reason)
        return p.Keys(key.cardinality or _KEYS, key.skew)

    def _fallback(self, site: _Site, step: Call | Read | Write) -> int:
        """The block of a fallback that asks somebody else.

        Of a step that is optional nobody needs the answer, and so not that of its fallback.
        """
        question = question_instead(self.system, step.fallback)
        if question is None:
            return -1
        question = replace(question, optional=step.optional)
        return self._block(site.inner("fallback"), [question])

    def _pool(self, owner: Service, target: str, store: Datastore | None) -> int:
        name = f"{owner.name} -> {target}"
        for pool in owner.pools:
            if pool.target == target:
                wait = float(pool.max_wait) if pool.max_wait is not None else p.FOREVER
                if pool.max_wait is None:
                    self.assumed.add(name, "max_wait", "unlimited", "the pool does not declare it")
                size = pool.size * pool.processes
                return self._pool_row(owner, name, size, wait)
        found = pool_of(owner, store) if store is not None else None
        if found is None:
            return -1
        size, source = found
        if source:
            self.assumed.add(name, "connections", size, source)
        return self._pool_row(owner, name, size, p.FOREVER)

    def _pool_row(self, owner: Service, name: str, size: int, wait: float) -> int:
        row = p.PoolSpec(name, self.tables.group_of[owner.name], size, wait)
        return self.tables.pools.place_of(row)

    def _cached(self, site: _Site, step: Cached) -> p.StepSpec:
        store = self._store(step)
        if step.hit_ratio is None and step.keys is None:
            reason = f"cache {step.cache}: all miss"
            self.assumed.add(site.operation, "hit_ratio", "0%", reason)
        operation = self._query(step, site)
        local = isinstance(store, LocalCache)
        delay = 0.0 if local else self.delay
        lookup = self._site(
            site, operation, optional_policy(step.timeout), p.Balance.SHARD, delay, delay,
            None, store,
        )  # fmt: skip
        return p.StepSpec(
            p.StepKind.CACHED,
            place_hash(site.name),
            call=self.tables.add_call(lookup),
            blocks=(self._block(site, step.steps),),
            number=float(step.hit_ratio or 0),
            cache=self._content(store, step) if step.keys is not None else -1,
            keys=p.Keys(step.keys.count, step.keys.skew) if step.keys is not None else None,
        )

    def _content(self, store: Datastore, step: Cached) -> int:
        """The content of a cache; steps with the same target and key space share it."""
        ttl = step.ttl if step.ttl is not None else getattr(store, "ttl", None)
        seconds = float(ttl) if isinstance(ttl, Duration) else p.FOREVER
        if ttl is None:
            self.assumed.add(store.name, "ttl", "for ever", "neither the step nor the cache say")
        capacity = getattr(store, "max_entries", None)
        if capacity is None:
            reason = "the cache does not declare it"
            self.assumed.add(store.name, "max_entries", "unlimited", reason)
        spec = p.CacheSpec(
            store.name,
            place_hash(f"cache {store.name}"),
            not isinstance(store, LocalCache),
            capacity or 0,
            seconds,
            bool(getattr(store, "jitter", None)),
            bool(getattr(store, "coalesced", None)),
        )
        index = self.tables.caches.place_of(spec)
        if index not in self.tables.caches_of[store.name]:
            self.tables.caches_of[store.name].append(index)
        return index
