"""The steps that leave a process, flattened: who talks to whom, how often, from where.

Every later part asks these tables instead of walking the steps of endpoints by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from archcheck.graph.protection import Protection, protection_of, stops_late_work
from archcheck.graph.shapes import Shape, shape_of
from archcheck.model import (
    Absent,
    Cached,
    Call,
    Consumer,
    Datastore,
    Endpoint,
    External,
    Fallback,
    GraphQL,
    Grpc,
    Http1,
    Http2,
    LocalCache,
    Mesh,
    Named,
    Protocol,
    Publish,
    Read,
    SagaStep,
    Service,
    Step,
    System,
    Write,
)
from archcheck.model.clients import as_asked
from archcheck.model.steps import Group, RemoteStep
from archcheck.units import Duration

Mode = Literal["call", "read", "write", "publish", "cache"]
_READABLE = (Grpc, Http1, Http2, GraphQL)


@dataclass(frozen=True, eq=False)
class Operation:
    """An endpoint or consumer together with its owner."""

    owner: Service | External
    part: Endpoint | Consumer

    @cached_property
    def name(self) -> str:
        """``service.endpoint``."""
        return f"{self.owner.name}.{self.part.name}"


@dataclass(frozen=True, eq=False)
class Interaction:
    """A step of an operation that leaves the process.

    ``step`` is complete: what it does not declare comes from its service's clients. ``declared`` is
    the step as it stands in the model, for its line, for edits and for telling steps apart.
    ``visits`` is how often one request of the operation executes it: the product of the
    probabilities, repeats and cache misses around it, retries not counted; ``per_item`` says that
    the repeats grow with the data. ``parallel`` is the outermost fan-out that it is a part of.
    ``cached_by`` names the cache that is asked first; ``hit_ratio_unknown`` tells that this cache
    has no declared hit ratio and every request was taken as a miss.
    """

    operation: Operation
    step: RemoteStep | Cached
    declared: RemoteStep | Cached | SagaStep
    mode: Mode
    target: Named
    endpoint: Endpoint | None
    visits: float
    optional: bool
    parallel: Group | None
    repeats: int
    per_item: bool
    hit_ratio_unknown: bool
    cached_by: str | None
    flags: tuple[tuple[str, bool], ...]
    """The feature flags around it, and how each must stand for it to be executed."""
    is_awaited: bool
    """Whether its operation goes on only after it: not in a branch that nobody waits for."""
    misses: tuple[tuple[str, float], ...] = ()
    """The caches that are asked before it, each with its share of misses."""
    fallback: Interaction | None = None
    """The question that is asked instead when it fails, where its fallback asks somebody."""
    is_fallback: bool = False
    """Whether it is such a question itself: no step of its own, and without a retry or timeout but
    those of a client."""

    @cached_property
    def protection(self) -> Protection:
        """What bounds how long it takes and how often it is asked."""
        return protection_of(self.source, self.step, self.target)

    def set_in(self, setting: str) -> str:
        """``setting`` where it can be declared: of what is asked instead only in a client."""
        return f'Client("{self.target.name}", {setting})' if self.is_fallback else setting

    @property
    def in_parallel(self) -> bool:
        """Whether other steps run beside it."""
        return self.parallel is not None

    @property
    def source(self) -> Service | External:
        """Who talks."""
        return self.operation.owner

    @cached_property
    def target_name(self) -> str:
        """``payments.Charge``, or the name of the datastore or topic."""
        return f"{self.target.name}.{self.endpoint.name}" if self.endpoint else self.target.name

    @cached_property
    def name(self) -> str:
        """``frontend.order -> payments.Charge``."""
        return f"{self.operation.name} -> {self.target_name}"

    @property
    def is_synchronous(self) -> bool:
        """Whether the request waits for the answer."""
        return self.mode != "publish"

    @property
    def is_in_process(self) -> bool:
        """Whether it asks a cache in the process of who asks: each replica has one of its own."""
        return isinstance(self.target, LocalCache)

    @property
    def timeout(self) -> Duration | Absent | None:
        """The timeout of an attempt, as the step or a client declares it."""
        return self.step.timeout

    @property
    def protocol(self) -> Protocol | None:
        """How the target is spoken to: what the call names of what is offered, else the first."""
        named = getattr(self.step, "protocol", None)
        return next((p for p in self.offered if type(p).__name__ == named), self._usual_protocol)

    @property
    def offered(self) -> tuple[Protocol, ...]:
        """All protocols under which the target is offered, the usual one first."""
        usual = self._usual_protocol
        also = self.endpoint.also if self.endpoint is not None else ()
        return (*also,) if usual is None else (usual, *also)

    @property
    def _usual_protocol(self) -> Protocol | None:
        if self.endpoint is not None and self.endpoint.protocol is not None:
            return self.endpoint.protocol
        return self.target.protocol if isinstance(self.target, External) else None

    @property
    def deadline_is_kept(self) -> bool | None:
        """Whether its callee learns how much time is left, and stops then.

        ``None``: it learns it, and nobody declares what its runtime makes of it.
        """
        if not self.protection.passes_deadline_on:
            return False
        return stops_late_work(self.target)

    def is_encrypted(self) -> bool | None:
        """As the call says, else the protocol, else (inside) the mesh; ``None``: unknown."""
        own: bool | None = getattr(self.step, "encrypted", None)
        if own is not None:
            return own
        if self.protocol is not None and self.protocol.encrypted is not None:
            return self.protocol.encrypted
        return self.has_mutual_tls

    @property
    def has_mutual_tls(self) -> bool | None:
        """Whether the meshes of both sides encrypt it and prove who asks; ``None``: unknown.

        A callee for which no mesh is declared is taken to be in the mesh of its caller.
        """
        if self.mesh is None or isinstance(self.target, External):
            return None
        there = getattr(self.target, "mesh", None)
        if isinstance(there, Absent) or (isinstance(there, Mesh) and there.mutual_tls is False):
            return False
        if isinstance(there, Mesh) and there.mutual_tls is None and self.mesh.mutual_tls:
            return None
        return self.mesh.mutual_tls

    @property
    def mesh(self) -> Mesh | None:
        """The mesh or sidecar that the caller's requests go through."""
        mesh = getattr(self.source, "mesh", None)
        return mesh if isinstance(mesh, Mesh) else None

    @property
    def is_readable(self) -> bool | None:
        """Whether a mesh's proxy understands what is spoken, beyond bytes; ``None``: unknown."""
        return None if self.protocol is None else isinstance(self.protocol, _READABLE)

    @property
    def can_fail_softly(self) -> bool:
        """Whether the request survives its failure (optional, a fallback, or a cache)."""
        if isinstance(self.step, Cached):
            return True
        has_fallback = self.step.fallback is not None and not isinstance(self.step.fallback, Absent)
        return self.optional or has_fallback


@dataclass(frozen=True)
class _Context:
    """What surrounds a step."""

    visits: float = 1.0
    parallel: Group | None = None
    repeats: int = 1
    per_item: bool = False
    hit_ratio_unknown: bool = False
    cached_by: str | None = None
    flags: tuple[tuple[str, bool], ...] = ()
    is_awaited: bool = True
    misses: tuple[tuple[str, float], ...] = ()
    cold: bool = False


_ALONE = _Context()


def operations(system: System) -> tuple[Operation, ...]:
    """All endpoints and consumers of services, and the endpoints of externals."""
    found: list[Operation] = []
    owners: list[Service | External] = [*system.services, *system.externals]
    for owner in owners:
        found += [Operation(owner, endpoint) for endpoint in owner.endpoints]
        if isinstance(owner, Service):
            found += [Operation(owner, consumer) for consumer in owner.consumers]
    return tuple(found)


def interactions(
    system: System, operation: Operation, *, cold_caches: bool = False
) -> Iterator[Interaction]:
    """The interactions of one operation, in the order of its steps.

    With ``cold_caches`` every lookup is a miss.
    """
    yield from _walk(system, operation, operation.part.steps, _Context(cold=cold_caches))


def _walk(
    system: System, operation: Operation, steps: Sequence[Step], context: _Context
) -> Iterator[Interaction]:
    for step in steps:
        if isinstance(step, RemoteStep):
            yield asking(system, operation, step, context)
        elif isinstance(step, Group):
            shape = shape_of(system, step, cold_caches=context.cold)
            if shape.lookup is not None:
                yield _cache_lookup(system, operation, shape.lookup, context)
            inside = _inside(step, shape, context)
            for sequence, waited in zip(shape.sequences, shape.waited, strict=True):
                around = replace(inside, is_awaited=context.is_awaited and waited)
                yield from _walk(system, operation, sequence, around)


def _inside(group: Group, shape: Shape, context: _Context) -> _Context:
    return replace(
        context,
        visits=context.visits * shape.share * shape.times,
        parallel=context.parallel or (group if shape.is_beside_others else None),
        repeats=context.repeats * shape.times,
        per_item=context.per_item or shape.grows,
        hit_ratio_unknown=context.hit_ratio_unknown or not shape.is_share_known,
        cached_by=str(shape.lookup.cache) if shape.lookup is not None else context.cached_by,
        misses=(*context.misses, *_misses(shape)),
        flags=(*context.flags, shape.flag) if shape.flag is not None else context.flags,
    )


def _misses(shape: Shape) -> tuple[tuple[str, float], ...]:
    return () if shape.lookup is None else ((str(shape.lookup.cache), shape.share),)


def asking(
    system: System, operation: Operation, step: RemoteStep, context: _Context = _ALONE
) -> Interaction:
    """A step of an operation, as if nothing surrounded it if nothing is said."""
    mode: Mode
    endpoint: Endpoint | None = None
    match step:
        case Call():
            mode = "call"
            target: Named
            target, endpoint = system.endpoint(str(step.target))
        case Read() | Write() | Publish():
            mode = "read" if isinstance(step, Read) else "write"
            mode = "publish" if isinstance(step, Publish) else mode
            target = system.find(str(step.target))
        case _:
            raise TypeError(f"{type(step).__name__} is not a known way to leave a process")
    found = _around(operation, step, context, mode=mode, target=target, endpoint=endpoint)
    instead = question_instead(system, step.fallback)
    if instead is None:
        return found
    asked = asking(system, operation, instead, context)
    return replace(found, fallback=replace(asked, declared=step, is_fallback=True))


def question_instead(system: System, fallback: Fallback | Absent | None) -> Call | Read | None:
    """What a fallback asks, if it asks anybody: a datastore is read, all others are called."""
    if not isinstance(fallback, Fallback) or fallback.target is None:
        return None
    if fallback.kind not in ("call", "cache"):
        return None
    name = str(fallback.target)
    asked = system.directory.elements.get(name)
    return Read(name) if isinstance(asked, Datastore) else Call(name)


def _cache_lookup(
    system: System, operation: Operation, step: Cached, context: _Context
) -> Interaction:
    target = system.find(str(step.cache))
    return _around(operation, step, context, mode="cache", target=target, endpoint=None)


def _around(
    operation: Operation,
    step: RemoteStep | Cached,
    context: _Context,
    *,
    mode: Mode,
    target: Named,
    endpoint: Endpoint | None,
) -> Interaction:
    return Interaction(
        operation=operation,
        step=as_asked(operation.owner, step),
        declared=step,
        mode=mode,
        target=target,
        endpoint=endpoint,
        optional=isinstance(step, Cached) or step.optional,
        visits=context.visits,
        parallel=context.parallel,
        repeats=context.repeats,
        per_item=context.per_item,
        hit_ratio_unknown=context.hit_ratio_unknown,
        cached_by=context.cached_by,
        flags=context.flags,
        is_awaited=context.is_awaited,
        misses=context.misses,
    )
