"""Gateways: whom the routes of Spring Cloud Gateway and Zuul lead to, and how long they wait."""

from __future__ import annotations

from collections.abc import Iterator

from archcheck.importing.addresses import Address, addresses_in
from archcheck.importing.facts import Reaches, Toward
from archcheck.importing.spring.resilience import EVERYWHERE
from archcheck.importing.spring.settings import SpringSettings, compared, duration
from archcheck.importing.values import Value

_CLOUD = (
    "spring.cloud.gateway", "spring.cloud.gateway.server.webflux",
    "spring.cloud.gateway.server.webmvc", "spring.cloud.gateway.mvc",
)  # fmt: skip
_LIMITS = (("response-timeout", "timeout"), ("connect-timeout", "connect_timeout"))
_HYSTRIX = "execution.isolation.thread.timeoutInMilliseconds"


def is_gateway(settings: SpringSettings) -> bool:
    """Whether an application has routes to others."""
    return settings.has("spring.cloud.gateway") or settings.has("zuul.routes")


def routes_by_id(settings: SpringSettings, element: str) -> Iterator[Reaches]:
    """Services that Zuul leads to by their names in the registry."""
    for route, service, value in _by_id(settings):
        said = f"the route {route}"
        yield Reaches(element, Address(service), EVERYWHERE, said, value.place)


def _by_id(settings: SpringSettings) -> Iterator[tuple[str, str, Value]]:
    for name in settings.names("zuul.routes"):
        prefix = f"zuul.routes.{name}"
        found = settings.get(f"{prefix}.serviceId")
        if found is None and not settings.has(f"{prefix}.url"):
            path = settings.get(f"{prefix}.path", prefix)
            if path is not None:  # the route is called as the service (Spring Cloud Netflix)
                yield name, name, path
        elif found is not None:
            yield name, found.text, found


def time_limits(settings: SpringSettings, element: str) -> Iterator[Toward]:
    """How long a gateway waits for those behind its routes."""
    yield from _of_cloud_gateway(settings, element)
    yield from _of_zuul(settings, element)


def _of_cloud_gateway(settings: SpringSettings, element: str) -> Iterator[Toward]:
    """The limits of all routes, and before them those of one (Spring Cloud Gateway, HTTP timeouts
    configuration)."""
    for prefix in _CLOUD:
        start = (*compared(prefix), "routes")
        for written, key, raw in settings:
            uri = settings.known(raw)
            if key[: len(start)] != start or key[len(start) + 1 :] != ("uri",) or uri is None:
                continue
            route = written.removesuffix(".uri")
            for name, attribute in _LIMITS:
                limit = settings.get(f"{route}.metadata.{name}", f"{prefix}.httpclient.{name}")
                yield from _toward(element, uri, attribute, limit, name)


def _of_zuul(settings: SpringSettings, element: str) -> Iterator[Toward]:
    for name in settings.names("zuul.routes"):
        url = settings.get(f"zuul.routes.{name}.url")
        if url is not None:
            for key, attribute in (("socket", "timeout"), ("connect", "connect_timeout")):
                limit = settings.get(f"zuul.host.{key}-timeout-millis")
                yield from _toward(element, url, attribute, limit, f"{key}-timeout-millis")
    for _, service, _ in _by_id(settings):
        for limit, attribute in _of_ribbon(settings, service):
            found = duration(limit, attribute)
            yield Toward(service, EVERYWHERE, (attribute,), found, limit.place, element)


def _of_ribbon(settings: SpringSettings, service: str) -> Iterator[tuple[Value, str]]:
    """What Ribbon waits for every service, and Hystrix around it: the shorter one ends the wait.
    A limit for one service is its own client's."""
    if not settings.has(f"{service}.ribbon.ReadTimeout"):
        around = settings.get(f"hystrix.command.{service}.{_HYSTRIX}",
                              f"hystrix.command.default.{_HYSTRIX}")  # fmt: skip
        both = [each for each in (settings.get("ribbon.ReadTimeout"), around) if each is not None]
        if both:
            yield min(both, key=lambda each: duration(each, "a time limit")), "timeout"
    connect = settings.get("ribbon.ConnectTimeout")
    if connect is not None and not settings.has(f"{service}.ribbon.ConnectTimeout"):
        yield connect, "connect_timeout"


def _toward(
    element: str, url: Value, attribute: str, limit: Value | None, what: str
) -> Iterator[Toward]:
    if limit is None or limit.text.startswith("-"):  # negative: no limit
        return
    found = duration(limit, what)
    for address in addresses_in(url.text, bare=False):
        yield Toward(address.host, EVERYWHERE, (attribute,), found, limit.place, element)
