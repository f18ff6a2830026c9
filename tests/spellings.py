"""The same system said in another way that the vocabulary allows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from in_clients import in_clients
from unions import renamed

from archcheck import (
    Absent,
    Boundary,
    Broker,
    Cached,
    Call,
    Channel,
    CircuitBreaker,
    Client,
    Consumer,
    Datastore,
    Element,
    Endpoint,
    External,
    Fallback,
    Journey,
    Managed,
    Mesh,
    Parallel,
    Person,
    Probe,
    Queue,
    Read,
    Repeat,
    Retry,
    SagaStep,
    Schedule,
    Series,
    Service,
    Step,
    System,
    WithProbability,
    Work,
    Write,
    effective,
)
from archcheck.model import Exponential
from archcheck.model.element import field_names
from archcheck.model.linking import walk
from archcheck.model.steps import RemoteStep
from archcheck.model.values import Documented
from archcheck.units import Duration, percent

E = TypeVar("E", bound=Element)


def _changed(part: Any, change: Callable[[Element], Element]) -> Any:
    """``part`` with each element in it replaced by what the change makes of it, innermost first."""
    if isinstance(part, tuple):
        return tuple(_changed(item, change) for item in part)
    if not isinstance(part, Element):
        return part
    inside = {name: getattr(part, name) for name in field_names(type(part))}
    new = {name: _changed(value, change) for name, value in inside.items()}
    differs = any(new[name] is not inside[name] for name in inside if new[name] != inside[name])
    return change(dataclasses.replace(part, **new) if differs else part)  # type: ignore[type-var]  # a dataclass


def _with(part: E, **values: Any) -> E:
    return dataclasses.replace(part, **values)  # type: ignore[type-var]  # a dataclass


def defaults_written_out(system: System) -> System:
    """What a product's documentation says is declared."""

    def change(part: Element) -> Element:
        known = part.documented if isinstance(part, Documented) else {}
        said = {name: effective(part, name).value for name in known}
        return _with(part, **said) if said else part

    return _changed(system, change)


def in_a_group(wrap: Callable[[Step], Step]) -> Callable[[System], System]:
    """Each step that asks somebody is alone in a group that changes nothing.

    But for optional ones: nobody waits for an optional branch, and for an optional step they do.
    """

    def change(part: Element) -> Element:
        if not isinstance(part, Endpoint | Consumer | Cached):
            return part
        steps = [wrap(step) if _is_needed(step) else step for step in part.steps]
        return _with(part, steps=steps) if steps != list(part.steps) else part

    return lambda system: _changed(system, change)


def _is_needed(step: Step) -> bool:
    return isinstance(step, Cached) or (isinstance(step, RemoteStep) and not step.optional)


def _of_elements(system: System, kind: type[E], change: Callable[[E], Element]) -> System:
    elements = [change(each) if isinstance(each, kind) else each for each in system.elements]
    return _with(system, elements=elements)


def the_other_way_round(system: System) -> System:
    """What is declared first is declared last."""
    changed = _of_elements(
        system,
        Service,
        lambda each: _with(
            each,
            endpoints=each.endpoints[::-1],
            consumers=each.consumers[::-1],  # type: ignore[index]
        ),
    )
    return _with(
        changed,
        elements=changed.elements[::-1],
        journeys=changed.journeys[::-1],
        policies=changed.policies[::-1],
        scenarios=changed.scenarios[::-1],
    )


def a_second_journey(system: System) -> System:
    """A journey that nobody misses takes the same way."""
    more = [
        Journey(
            f"again {each.name}",
            entries=each.all_entries(),
            critical=False,
            public=each.public,
            users=each.users,
        )
        for each in system.journeys
    ]
    return _with(system, journeys=[*system.journeys, *more])


def entries_as_a_list(system: System) -> System:
    """A journey has a list of the one endpoint that it begins at."""
    journeys = [_with(each, entry=None, entries=each.all_entries()) for each in system.journeys]
    return _with(system, journeys=journeys)


def callees_in_full(system: System) -> System:
    """A call names the endpoint, also the only one of its service."""

    def change(part: Element) -> Element:
        if not isinstance(part, Call):
            return part
        owner, endpoint = system.endpoint(str(part.target))
        return _with(part, target=f"{owner.name}.{endpoint.name}" if endpoint else owner.name)

    return _changed(system, change)


def callees_in_short(system: System) -> System:
    """A call names the service where it has a single endpoint."""

    def change(part: Element) -> Element:
        if not isinstance(part, Call):
            return part
        owner, _ = system.endpoint(str(part.target))
        return _with(part, target=owner.name) if len(owner.endpoints) == 1 else part

    return _changed(system, change)


def work_as_a_distribution(system: System) -> System:
    """A plain duration is the mean of an exponential distribution."""

    def change(part: Element) -> Element:
        is_plain = isinstance(part, Work) and isinstance(part.time, Duration)
        return _with(part, time=Exponential(part.time)) if is_plain else part

    return _changed(system, change)


def times_of_queries(system: System) -> System:
    """Each query says what its datastore says of all."""

    def change(part: Element) -> Element:
        if isinstance(part, Read | Write) and part.time is None:
            store = system.find(str(part.target))
            return _with(part, time=store.read if isinstance(part, Read) else store.write)
        return part

    return _changed(system, change)


def expiry_of_lookups(system: System) -> System:
    """Each lookup says when entries of its cache expire."""

    def change(part: Element) -> Element:
        if isinstance(part, Cached) and part.ttl is None:
            return _with(part, ttl=getattr(system.find(str(part.cache)), "ttl", None))
        return part

    return _changed(system, change)


def promises_of_channels(system: System) -> System:
    """Each topic and queue says what its broker promises."""

    def change(part: Channel) -> Element:
        broker = system.find(str(part.broker)) if part.broker else None
        names = ("delivery", "retention")
        said = {n: effective(broker, n).value for n in names if getattr(part, n) is None and broker}
        return _with(part, **said) if said else part

    return _of_elements(system, Channel, change)  # type: ignore[type-abstract]


def dead_letters_of_consumers(system: System) -> System:
    """Consumers say where what they cannot process goes, not the topic that they read."""
    read = {str(each.topic) for service in system.services for each in service.consumers}

    def change(part: Element) -> Element:
        if isinstance(part, Consumer) and part.dead_letter is None:
            return _with(
                part, dead_letter=getattr(system.find(str(part.topic)), "dead_letter", None)
            )
        if isinstance(part, Channel) and part.name in read:
            return _with(part, dead_letter=None)
        return part

    return _changed(system, change)


def through_a_helper(system: System) -> System:
    """An endpoint asks another one of its own service, which does all that it did."""

    def change(service: Service) -> Element:
        endpoints: list[Endpoint] = []
        for each in service.endpoints:
            if not each.steps or each.atomicity is not None:
                endpoints.append(each)
                continue
            helper = f"{each.name} in full"
            endpoints += [
                _with(each, steps=[Call(f"{service.name}.{helper}")]),
                Endpoint(helper, idempotent=each.idempotent, steps=each.steps),
            ]
        return _with(service, endpoints=endpoints)

    return _of_elements(callees_in_full(system), Service, change)


def timeouts_in_the_mesh(system: System) -> System:
    """A mesh sets the timeout that all calls of a service have, and they leave it to the mesh."""

    def change(service: Service) -> Element:
        calls = [part for part in walk(service) if isinstance(part, Call)]
        limits = {call.timeout for call in calls}
        alone = service.mesh is None and not service.clients and not any(map(_falls_back, calls))
        if not alone or len(limits) != 1 or not isinstance(limit := limits.pop(), Duration):
            return service
        if any(call.retry is not None and call.retry != Retry(attempts=1) for call in calls):
            return service  # the timeout of a mesh is one over all attempts
        bare = _changed(
            service, lambda part: _with(part, timeout=None) if isinstance(part, Call) else part
        )
        return _with(bare, mesh=Mesh("istio", timeout=limit))

    return _of_elements(system, Service, change)


def retries_in_the_mesh(system: System) -> System:
    """A mesh makes the retries of all calls of a service; where they have no timeout, it is equal
    who makes them."""

    def change(service: Service) -> Element:
        calls = [part for part in walk(service) if isinstance(part, Call)]
        retries = {call.retry for call in calls}
        alone = service.mesh is None and not service.clients and not any(map(_falls_back, calls))
        if not alone or len(retries) != 1 or not isinstance(retry := retries.pop(), Retry):
            return service
        if any(call.timeout is not None or call.hedge is not None for call in calls):
            return service
        none = Absent("the mesh makes them")
        bare = _changed(
            service, lambda part: _with(part, retry=none) if isinstance(part, Call) else part
        )
        return _with(bare, mesh=Mesh("istio", retry=retry))

    return _of_elements(system, Service, change)


def a_client_for_all(system: System) -> System:
    """What all that a service asks have in common, it says once, for everybody."""

    def change(service: Service) -> Element:
        steps = [part for part in walk(service) if isinstance(part, RemoteStep | Cached)]
        limits = {step.timeout for step in steps}
        if service.clients or len(limits) != 1 or any(_falls_back(step) for step in steps):
            return service
        bare = _changed(
            service,
            lambda part: (
                _with(part, timeout=None) if isinstance(part, RemoteStep | Cached) else part
            ),
        )
        return _with(bare, clients=[Client(timeout=limits.pop())])

    return _of_elements(system, Service, change)


def _falls_back(step: Step) -> bool:
    """Whether it asks somebody instead, who would get the timeout as well."""
    fallback = getattr(step, "fallback", None)
    return isinstance(fallback, Fallback) and fallback.target is not None


def partners_with_an_endpoint(system: System) -> System:
    """A partner declares the only endpoint that is used of it."""

    def change(partner: External) -> Element:
        if partner.endpoints:
            return partner
        return _with(partner, endpoints=[Endpoint("ask", protocol=partner.protocol)])

    return _of_elements(system, External, change)


def sizes_of_calls(system: System) -> System:
    """Each call says how large its request and response are, as its endpoint does."""

    def change(part: Element) -> Element:
        if not isinstance(part, Call):
            return part
        _, endpoint = system.endpoint(str(part.target))
        names = ("request_size", "response_size")
        said = {n: getattr(endpoint, n, None) for n in names if getattr(part, n) is None}
        return _with(part, **said)

    return _changed(system, change)


def zones_by_boundary(system: System) -> System:
    """A boundary says in which trust zone its services are."""
    places: dict[str, set[str | None]] = {}
    for service in system.services:
        if service.boundary is not None:
            places.setdefault(service.boundary, set()).add(service.trust_zone)
    stores = {getattr(each, "boundary", None) for each in system.elements} - {None}
    if system.boundaries or not stores <= set(places):
        return system
    zones = {name: found.pop() for name, found in places.items() if len(found) == 1}
    bare = _of_elements(
        system,
        Service,
        lambda each: _with(each, trust_zone=None) if each.boundary in zones else each,
    )
    drawn = [Boundary(name, trust_zone=zones.get(name)) for name in places]
    return _with(bare, elements=[*drawn, *bare.elements])


def breakers_in_the_mesh(system: System) -> System:
    """A mesh ejects what keeps failing, in place of the breakers of all calls of a service."""

    def change(service: Service) -> Element:
        calls = [part for part in walk(service) if isinstance(part, Call)]
        guarded = all(isinstance(call.breaker, CircuitBreaker) for call in calls)
        if not calls or not guarded or service.mesh is not None or service.clients:
            return service
        if any(isinstance(system.find(_name(call)), External) for call in calls):
            return service
        none = Absent("the mesh does it")
        bare = _changed(
            service, lambda part: _with(part, breaker=none) if isinstance(part, Call) else part
        )
        return _with(bare, mesh=Mesh("istio", outlier_detection=True))

    return _of_elements(callees_in_full(system), Service, change)


def _name(call: Call) -> str:
    return str(call.target).partition(".")[0]


def pools_of_the_runtime(system: System) -> System:
    """A runtime has a pool for each datastore, in place of pools of the same size."""

    def change(service: Service) -> Element:
        sizes = {pool.size for pool in service.pools}
        plain = all(pool.max_wait is None and pool.processes == 1 for pool in service.pools)
        named = {str(pool.target) for pool in service.pools}
        used = {str(part.target) for part in walk(service) if isinstance(part, Read | Write)} | {
            str(part.cache) for part in walk(service) if isinstance(part, Cached)
        }
        runtime = service.runtime
        if len(sizes) != 1 or not plain or named != used or runtime is None:
            return service
        if getattr(runtime, "connection_pool", 1) is not None:
            return service
        return _with(service, pools=(), runtime=_with(runtime, connection_pool=sizes.pop()))

    return _of_elements(system, Service, change)


def started_by_messages(system: System) -> System:
    """What an endpoint does that nobody asks, a consumer does."""
    system = callees_in_full(system)
    asked = {str(part.target) for part in walk(system) if isinstance(part, Call | Fallback)}
    clocks = any(isinstance(part, Person | Schedule) for part in system.elements)
    if system.journeys or clocks or any(isinstance(p, SagaStep | Probe) for p in walk(system)):
        return system
    elements: list[Element] = []
    for part in system.elements:
        moved = [e for e in _plain(part) if f"{part.name}.{e.name}" not in asked]
        if not isinstance(part, Service):
            elements.append(part)
            continue
        kept = [each for each in part.endpoints if each not in moved]
        queues = [Queue(f"for {part.name} {each.name}") for each in moved]
        consumers = [
            Consumer(queue.name, name=each.name, idempotent=each.idempotent, steps=each.steps)
            for each, queue in zip(moved, queues, strict=True)
        ]
        elements.append(_with(part, endpoints=kept, consumers=[*part.consumers, *consumers]))
        elements += queues
    return _with(system, elements=elements)


def _plain(part: Element) -> list[Endpoint]:
    """Endpoints that are no more than their steps."""
    endpoints = part.endpoints if isinstance(part, Service) else ()
    return [
        each
        for each in endpoints
        if each.steps and each == Endpoint(each.name, idempotent=each.idempotent, steps=each.steps)
    ]


def a_schedule_beside(system: System) -> System:
    """A clock, of which nobody says how often it strikes, begins what a journey begins."""
    entries = dict.fromkeys(str(name) for each in system.journeys for name in each.all_entries())
    clocks = [Schedule(f"clock {n}", calls=name) for n, name in enumerate(entries)]
    return _with(system, elements=[*system.elements, *clocks]) if clocks else system


def owners_by_boundary(system: System) -> System:
    """A boundary says which team answers for its services."""
    teams: dict[str, set[str | None]] = {}
    for part in system.elements:
        if isinstance(part, Service | Datastore | Broker) and part.boundary is not None:
            teams.setdefault(part.boundary, set()).add(part.owner)
    if system.boundaries:
        return system
    owners = {name: found.pop() for name, found in teams.items() if len(found) == 1}
    bare = _of_elements(
        system,
        Service,
        lambda each: _with(each, owner=None) if each.boundary in owners else each,
    )
    drawn = [Boundary(name, owner=owners.get(name)) for name in teams]
    return _with(bare, elements=[*drawn, *bare.elements])


def zones_of_deployments(system: System) -> System:
    """What a datastore or broker is spread over, its deployment says."""

    def change(part: Element) -> Element:
        if not isinstance(part, Datastore | Broker) or not getattr(part, "zones", ()):
            return part
        held = part.deployment
        if held is not None and held.zones:
            return part
        placed = Managed(zones=part.zones) if held is None else _with(held, zones=part.zones)
        return _with(part, zones=(), deployment=placed)

    return _changed(system, change)


SPELLINGS: Mapping[str, Callable[[System], System]] = {
    "clients": in_clients,
    "other names": lambda system: renamed(system, "a-"),
    "the other way round": the_other_way_round,
    "defaults written out": defaults_written_out,
    "one branch": in_a_group(lambda step: Parallel([step])),
    "a series": in_a_group(lambda step: Series([step])),
    "once": in_a_group(lambda step: Repeat(1, [step])),
    "surely": in_a_group(lambda step: WithProbability(100 * percent, [step])),
    "a second journey": a_second_journey,
    "entries as a list": entries_as_a_list,
    "callees in full": callees_in_full,
    "callees in short": callees_in_short,
    "work as a distribution": work_as_a_distribution,
    "times of queries": times_of_queries,
    "expiry of lookups": expiry_of_lookups,
    "promises of channels": promises_of_channels,
    "dead letters of consumers": dead_letters_of_consumers,
    "through a helper": through_a_helper,
    "timeouts in the mesh": timeouts_in_the_mesh,
    "retries in the mesh": retries_in_the_mesh,
    "breakers in the mesh": breakers_in_the_mesh,
    "pools of the runtime": pools_of_the_runtime,
    "started by messages": started_by_messages,
    "a schedule beside": a_schedule_beside,
    "a client for all": a_client_for_all,
    "partners with an endpoint": partners_with_an_endpoint,
    "sizes of calls": sizes_of_calls,
    "zones by boundary": zones_by_boundary,
    "owners by boundary": owners_by_boundary,
    "zones of deployments": zones_of_deployments,
}
"""What the other way is called, and what makes it of a system."""
