"""What the settings of an application of Spring Boot or Micronaut say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archcheck.importing.addresses import Address, addresses_in, doubt_about, names_an_address
from archcheck.importing.facts import (
    ElementPlace,
    KnownAs,
    Promised,
    Reaches,
    Remark,
    Statement,
    Toward,
)
from archcheck.importing.spring.gateways import is_gateway, routes_by_id, time_limits
from archcheck.importing.spring.resilience import EVERYWHERE, http_clients, protected
from archcheck.importing.spring.settings import Key, SpringSettings, compared, duration
from archcheck.importing.values import Value
from archcheck.model import Gateway, Micronaut, Place, Service, SpringBoot, SpringWebFlux

_HOSTS = {
    "spring.data.mongodb": "mongodb", "spring.mongodb": "mongodb", "spring.data.redis": "redis",
    "spring.redis": "redis", "spring.rabbitmq": "amqp", "spring.data.cassandra": "cassandra",
    "spring.cassandra": "cassandra", "spring.mail": "smtp",
}  # fmt: skip
"""Prefixes with a host, and the scheme of what listens there."""
_LISTS = {
    "spring.kafka.bootstrap-servers": "kafka", "spring.cloud.stream.kafka.binder.brokers": "kafka",
    "kafka.bootstrap.servers": "kafka", "spring.rabbitmq.addresses": "amqp",
    "spring.data.redis.cluster.nodes": "redis", "spring.redis.cluster.nodes": "redis",
    "spring.cassandra.contact-points": "cassandra",
    "spring.data.cassandra.contact-points": "cassandra",
}  # fmt: skip
"""Settings with hosts, and the scheme of what listens there."""
_REACTIVE = ("spring.webflux", "server.netty", "spring.cloud.gateway")
_SERVLET = ("server.tomcat", "server.servlet", "server.jetty", "server.undertow", "spring.mvc")
_THREADS = (
    "server.tomcat.threads.max", "server.tomcat.max-threads", "server.jetty.threads.max",
    "server.undertow.threads.worker", "server.undertow.worker-threads",
)  # fmt: skip
_TOMCAT_CONNECTIONS, _TOMCAT_THREADS = 8_192, 200
"""Spring Boot: server.tomcat.max-connections and threads.max."""
_OWN = (
    "eureka.instance", "server", "management.server", "info", "logging", "springdoc", "swagger",
    "spring.application", "spring.profiles", "micronaut.server", "micronaut.application",
    "spring.h2",
)  # fmt: skip
"""Settings that are about the application itself: addresses in them are its own."""


@dataclass(frozen=True)
class SpringApplication:
    """An application: its element, its settings, and the folder of its source."""

    element: str
    name: Value | None
    settings: SpringSettings
    folder: str
    place: Place
    is_micronaut: bool


def statements(one: SpringApplication) -> Iterator[Statement]:
    """All that the settings say."""
    part, settings = ElementPlace(one.element), one.settings
    yield part.is_a(Gateway if is_gateway(settings) else Service, one.place)
    yield Promised(one.element, one.place, one.folder, runs=one.name is not None)
    if one.name is not None:
        yield KnownAs(one.element, one.name.text, "", one.name.place)
    yield from _runtime(part, one)
    yield from _pools(part, one)
    yield from _reached(one)
    yield from protected(settings, one.element)
    for target, said, value in http_clients(settings, one.element):
        if said is None:
            yield Remark(f"{one.element}: a timeout of all clients of Feign is left out, because "
                         "it is not for stores", value.place)  # fmt: skip
            continue
        address = Address(target.element)
        yield Reaches(one.element, address, EVERYWHERE, "its HTTP client", value.place)
        yield said
    yield from time_limits(settings, one.element)
    yield from _micronaut_clients(one)
    yield from _unread(one)


# -- the runtime -----------------------------------------------------------------------------------


def _runtime(part: ElementPlace, one: SpringApplication) -> Iterator[Statement]:
    settings, runtime = one.settings, part.inside("runtime")
    if one.is_micronaut:
        yield runtime.is_a(Micronaut, one.place)
        loops = settings.get("micronaut.netty.event-loops.default.num-threads")
        if loops is not None and loops.whole("num-threads") >= 1:
            yield runtime.says("parallelism", loops.whole("num-threads"), loops.place)
        return
    kind = settings.get("spring.main.web-application-type")
    reactive = kind is not None and kind.text.lower() == "reactive"
    if kind is None and not any(map(settings.has, _SERVLET)):
        reactive = any(map(settings.has, _REACTIVE))
    yield runtime.is_a(SpringWebFlux if reactive else SpringBoot, one.place)
    if not reactive:
        yield from _servlet(runtime, settings)
    yield from _stopping(runtime, settings)


def _servlet(runtime: ElementPlace, settings: SpringSettings) -> Iterator[Statement]:
    virtual = settings.get("spring.threads.virtual.enabled")
    if virtual is not None and virtual.flag("spring.threads.virtual.enabled"):
        yield runtime.says("concurrency", "lightweight", virtual.place)
    threads = settings.get(*_THREADS)
    if threads is not None and threads.whole("threads") >= 1:
        yield runtime.says("threads", threads.whole("threads"), threads.place)
    waiting = settings.get("server.tomcat.accept-count")
    if waiting is not None:
        most = settings.get("server.tomcat.max-connections")
        open_ = most.whole("max-connections") if most is not None else _TOMCAT_CONNECTIONS
        working = threads.whole("threads") if threads is not None else _TOMCAT_THREADS
        queue = waiting.whole("accept-count") + max(0, open_ - working)
        if open_ >= 0 and queue >= 0:  # what Tomcat has accepted and no thread works on waits too
            yield runtime.says("accept_queue", queue, waiting.place)


def _stopping(runtime: ElementPlace, settings: SpringSettings) -> Iterator[Statement]:
    graceful = settings.get("server.shutdown")
    phase = settings.get("spring.lifecycle.timeout-per-shutdown-phase")
    if phase is not None and (graceful is None or graceful.text.lower() == "graceful"):
        found = duration(phase, "timeout-per-shutdown-phase")
        yield runtime.says("graceful_stop", found, phase.place)


# -- stores ----------------------------------------------------------------------------------------


def _datasources(one: SpringApplication) -> Iterator[tuple[str, str]]:
    """Each datasource: where its URL is, and where its pool is."""
    if not one.is_micronaut:
        yield "spring.datasource", "spring.datasource.hikari"
        yield "spring.r2dbc", "spring.r2dbc.pool"
    settings = one.settings
    for above in ("datasources", "spring.datasource", "r2dbc.datasources"):
        for name in settings.names(above):
            prefix = f"{above}.{name}"
            if settings.has(f"{prefix}.url") or settings.has(f"{prefix}.jdbc-url"):
                yield prefix, f"{prefix}.hikari" if settings.has(f"{prefix}.hikari") else prefix


def _pools(part: ElementPlace, one: SpringApplication) -> Iterator[Statement]:
    """The pool of each datasource: toward its host, if that is known."""
    settings = one.settings
    for prefix, pool in _datasources(one):
        size = settings.get(f"{pool}.maximum-pool-size", f"{pool}.max-size",
                            f"{prefix}.tomcat.max-active", f"{prefix}.dbcp2.max-total")  # fmt: skip
        if size is None or size.whole("the size of the pool") < 1:
            continue
        count = size.whole("the size of the pool")
        url = settings.get(f"{prefix}.url", f"{prefix}.jdbc-url", f"{pool}.jdbc-url")
        hosts = [each.host for each in addresses_in(url.text, bare=False)] if url else []
        if len(hosts) != 1:
            yield part.inside("runtime").says("connection_pool", count, size.place)
            continue
        wait = settings.get(f"{pool}.connection-timeout", f"{pool}.max-acquire-time")
        yield _toward(one, hosts[0], "size", count, size.place)
        if wait is not None:
            found = duration(wait, "connection-timeout")
            yield _toward(one, hosts[0], "max_wait", found, wait.place)


def _toward(
    one: SpringApplication, host: str, attribute: str, value: object, place: Place
) -> Toward:
    return Toward(host, EVERYWHERE, (attribute,), value, place, one.element, "pools")


# -- addresses -------------------------------------------------------------------------------------


def _reached(one: SpringApplication) -> Iterator[Statement]:
    settings, lists = one.settings, {compared(key): scheme for key, scheme in _LISTS.items()}
    own = [compared(key) for key in _OWN]
    hosts = {(*compared(key), "host"): (key, scheme) for key, scheme in _HOSTS.items()}
    for written, key, raw in settings:
        value = settings.known(raw)
        if value is None or any(key[: len(start)] == start for start in own):
            continue
        said = f"the setting {written}"
        if key in hosts:
            prefix, scheme = hosts[key]
            settings.used.add(key)
            yield from _host(one, value, scheme, f"{prefix}.port", said)
            continue
        base = key[:-1] if key[-1].startswith("[") else key
        listed = lists.get(base)
        is_bare = listed is not None or names_an_address(written.rpartition(".")[2])
        if listed is None and not _may_be_address(key, value):
            continue
        for address in addresses_in(value.text, bare=is_bare):
            settings.used.add(key)
            found = Address(address.host, address.port, address.scheme or listed or "")
            if found.scheme == "lb":  # a name of the registry, and no scheme of a protocol
                found = Address(found.host, found.port)
            yield Reaches(one.element, found, EVERYWHERE, said, value.place, None,
                          doubt_about(written))  # fmt: skip
    yield from routes_by_id(settings, one.element)


def _host(
    one: SpringApplication, value: Value, scheme: str, port_key: str, said: str
) -> Iterator[Reaches]:
    port = one.settings.get(port_key)
    number = port.whole("port") if port is not None else None
    for address in addresses_in(value.text, bare=True):
        found = Address(address.host, address.port or number, scheme)
        yield Reaches(one.element, found, EVERYWHERE, said, value.place)


def _may_be_address(key: Key, value: Value) -> bool:
    """Whether a value may hold an address: texts with one that are meant for people may not."""
    words = {"description", "title", "license", "docs", "username", "password", "topic", "message"}
    return not words & {*key} and len(value.text) < 2_000


def _micronaut_clients(one: SpringApplication) -> Iterator[Statement]:
    """HTTP clients of Micronaut by the ids of services."""
    for name in one.settings.names("micronaut.http.services") if one.is_micronaut else ():
        prefix = f"micronaut.http.services.{name}"
        place = next(v.place for _, k, v in one.settings if k[: len(compared(prefix))]
                     == compared(prefix))  # fmt: skip
        yield Reaches(one.element, Address(name), EVERYWHERE, "its HTTP client", place)
        for key, attribute in (("read-timeout", "timeout"), ("connect-timeout", "connect_timeout")):
            value = one.settings.get(f"{prefix}.{key}")
            if value is not None:
                found = duration(value, key)
                yield Toward(name, EVERYWHERE, (attribute,), found, value.place, one.element)


def _unread(one: SpringApplication) -> Iterator[Remark]:
    """One line for all settings that a model has no words for, by their first words."""
    groups: dict[str, int] = {}
    first: Place | None = None
    for _, key, value in one.settings:
        if key in one.settings.used or any(addresses_in(value.text, bare=False)):
            continue
        name = ".".join(key[:2])
        groups[name] = groups.get(name, 0) + 1
        first = first or value.place
    if first is not None:
        shown = ", ".join([*groups][:12]) + (" ..." if len(groups) > 12 else "")
        yield Remark(f"{one.element}: {sum(groups.values())} settings have no word in a model "
                     f"({shown})", first)  # fmt: skip
