"""Resilience4j's instances, and timeouts of HTTP clients, as what a client holds toward a callee.

An instance has the name that the code gives it. It is about a callee only where the name is the
callee's.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck.importing.facts import ElementPlace, Path, Toward
from archcheck.importing.spring.settings import SpringSettings, compared, duration
from archcheck.importing.values import Value
from archcheck.model import Bulkhead, CircuitBreaker, Place, RateLimit, Retry
from archcheck.units import Duration, Rate, percent

EVERYWHERE = "*"
"""The scope of names that an application reads, wherever it runs."""
Said = tuple[Path, object, Place]
_FAILURE_RATE = 50
"""resilience4j.readme.io, CircuitBreaker: failureRateThreshold."""
_ATTEMPTS, _PERIOD_CALLS, _PERIOD = 3, 50, Duration(500e-9)
"""resilience4j.readme.io, Retry: maxAttempts; RateLimiter: limitForPeriod, limitRefreshPeriod."""
_CONCURRENT = 25
"""resilience4j.readme.io, Bulkhead: maxConcurrentCalls."""


class _Instance:
    """An instance with its base: its own settings, else its config's, else those of ``default``."""

    def __init__(self, settings: SpringSettings, module: str, name: str) -> None:
        self._settings = settings
        own = self._prefix(module, name)
        base = settings.get(f"{own}.baseConfig")
        config = base.text if base is not None else "default"
        self._prefixes = [own, f"resilience4j.{module}.configs.{config}",
                          f"resilience4j.{module}.configs.default"]  # fmt: skip
        first = [value.place for _, key, value in settings if _under(key, own)]
        self.place = first[0] if first else Place("", 1)

    def _prefix(self, module: str, name: str) -> str:
        for kind in ("instances", "backends"):
            prefix = f"resilience4j.{module}.{kind}.{name}"
            if self._settings.has(prefix):
                return prefix
        return f"resilience4j.{module}.instances.{name}"

    def get(self, *keys: str) -> Value | None:
        """A setting."""
        every = [f"{prefix}.{key}" for prefix in self._prefixes for key in keys]
        return self._settings.get(*every)

    def at(self, value: Value | None) -> Place:
        """The line of a setting, else of the instance."""
        return value.place if value is not None else self.place


def _under(key: tuple[str, ...], prefix: str) -> bool:
    start = compared(prefix)
    return key[: len(start)] == start


def protected(settings: SpringSettings, element: str) -> Iterator[Toward]:
    """What an application does about its calls, by instances that are called as the callee."""
    for module, statements in _MODULES.items():
        names = [
            *settings.names(f"resilience4j.{module}.instances"),
            *settings.names(f"resilience4j.{module}.backends"),
        ]
        for name in dict.fromkeys(names):
            for path, value, place in statements(_Instance(settings, module, name)):
                yield Toward(name, EVERYWHERE, path, value, place, element)


def _breaker(instance: _Instance) -> Iterator[Said]:
    yield ("breaker",), CircuitBreaker, instance.place
    rate = instance.get("failureRateThreshold")
    share = _share(rate, "failureRateThreshold") if rate is not None else _FAILURE_RATE
    yield ("breaker", "failure_rate"), share * percent, instance.at(rate)
    kind, size = instance.get("slidingWindowType"), instance.get("slidingWindowSize")
    if size is not None:
        count = _count(size, "slidingWindowSize")
        timed = kind is not None and "time" in kind.text.lower()
        yield ("breaker", "window"), Duration(float(count)) if timed else count, size.place
    for key, attribute in (
        ("minimumNumberOfCalls", "minimum_calls"),
        ("permittedNumberOfCallsInHalfOpenState", "half_open_calls"),
    ):
        value = instance.get(key)
        if value is not None:
            yield ("breaker", attribute), _count(value, key), value.place
    for key, attribute in (
        ("waitDurationInOpenState", "open_for"),
        ("slowCallDurationThreshold", "slow_call"),
    ):
        value = instance.get(key)
        if value is not None:
            yield ("breaker", attribute), duration(value, key), value.place
    slow = instance.get("slowCallRateThreshold")
    if slow is not None:
        slow_share = _share(slow, "slowCallRateThreshold") * percent
        yield ("breaker", "slow_call_rate"), slow_share, slow.place


def _retry(instance: _Instance) -> Iterator[Said]:
    yield ("retry",), Retry, instance.place
    most = instance.get("maxAttempts", "maxRetryAttempts")
    attempts = _count(most, "maxAttempts") if most is not None else _ATTEMPTS
    yield ("retry", "attempts"), attempts, instance.at(most)
    wait = instance.get("waitDuration")
    if wait is not None:
        yield ("retry", "backoff"), duration(wait, "waitDuration"), wait.place
    grows = instance.get("enableExponentialBackoff")
    factor = instance.get("exponentialBackoffMultiplier")
    if grows is None or not grows.flag("enableExponentialBackoff"):
        yield ("retry", "factor"), 1.0, instance.at(grows)
    elif factor is not None:
        yield ("retry", "factor"), _number(factor, "exponentialBackoffMultiplier"), factor.place
    most_wait = instance.get("exponentialMaxWaitDuration")
    if most_wait is not None:
        what = "exponentialMaxWaitDuration"
        yield ("retry", "max_backoff"), duration(most_wait, what), most_wait.place
    random = instance.get("enableRandomizedWait")
    if random is not None:
        yield ("retry", "jitter"), random.flag("enableRandomizedWait"), random.place


def _bulkhead(instance: _Instance) -> Iterator[Said]:
    most = instance.get("maxConcurrentCalls", "maxConcurrentCall")
    count = _count(most, "maxConcurrentCalls") if most is not None else _CONCURRENT
    yield ("bulkhead",), Bulkhead, instance.place
    yield ("bulkhead", "max_concurrent"), count, instance.at(most)
    wait = instance.get("maxWaitDuration", "maxWaitTime")
    if wait is not None:
        yield ("bulkhead", "max_wait"), duration(wait, "maxWaitDuration"), wait.place


def _limiter(instance: _Instance) -> Iterator[Said]:
    most, period = instance.get("limitForPeriod"), instance.get("limitRefreshPeriod")
    if most is None or period is None:
        return
    length = float(duration(period, "limitRefreshPeriod") / Duration(1.0))
    count = _count(most, "limitForPeriod")
    if length <= 0:
        period.refuse("limitRefreshPeriod must be more than 0")
    yield ("rate_limit",), RateLimit, instance.place
    yield ("rate_limit", "rate"), Rate(count / length), most.place
    yield ("rate_limit", "burst"), count, most.place
    yield ("rate_limit", "per"), "replica", instance.place


def _time_limiter(instance: _Instance) -> Iterator[Said]:
    value = instance.get("timeoutDuration")
    if value is not None:
        yield ("timeout",), duration(value, "timeoutDuration"), value.place


_MODULES = {
    "circuitbreaker": _breaker,
    "retry": _retry,
    "bulkhead": _bulkhead,
    "ratelimiter": _limiter,
    "timelimiter": _time_limiter,
}


def _count(value: Value, what: str) -> int:
    count = value.whole(what)
    if not 1 <= count <= 1_000_000:
        value.refuse(f"{what} must be a whole number of at least 1")
    return count


def _share(value: Value, what: str) -> float:
    share = _number(value, what, least=0.0)
    if not 0 < share <= 100:
        value.refuse(f"{what} must be above 0 and at most 100")
    return share


def _number(value: Value, what: str, least: float = 1.0) -> float:
    try:
        found = float(value.string(what))
    except ValueError:
        found = -1.0
    if not least <= found <= 100:
        value.refuse(f"{what} must be a number between {least:g} and 100")
    return found


# -- HTTP clients ----------------------------------------------------------------------------------

_FEIGN = ("spring.cloud.openfeign.client.config", "feign.client.config")


def http_clients(
    settings: SpringSettings, element: str
) -> Iterator[tuple[ElementPlace, Toward | None, Value]]:
    """Feign's and Ribbon's clients by the names of the services that they call."""
    for prefix in _FEIGN:
        for name in settings.names(prefix):
            yield from _client(settings, element, f"{prefix}.{name}", name, name == "default")
    for name in settings.names(""):
        if settings.has(f"{name}.ribbon"):
            yield from _client(settings, element, f"{name}.ribbon", name, False)


def _client(
    settings: SpringSettings, element: str, prefix: str, name: str, is_default: bool
) -> Iterator[tuple[ElementPlace, Toward | None, Value]]:
    for key, attribute in (("readTimeout", "timeout"), ("connectTimeout", "connect_timeout")):
        value = settings.get(f"{prefix}.{key}")
        if value is None:
            continue
        said = None
        if not is_default:
            found = duration(value, key)
            said = Toward(name, EVERYWHERE, (attribute,), found, value.place, element)
        yield ElementPlace(name), said, value
