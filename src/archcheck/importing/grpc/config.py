"""Service configs of gRPC: timeouts, retries and hedges of the clients of a service.

A service config is what the owner of a service has all of its clients do (github.com/grpc/grpc,
doc/service_config.md; proposal A6 for retries and hedges).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from archcheck.importing.facts import Path, Remark, Toward
from archcheck.importing.values import Value
from archcheck.model import Hedge, Place, Retry
from archcheck.units import Duration

SCOPE = "grpc"
"""Where services are known by their full names."""
_DURATION = re.compile(r"(\d{1,12}(?:\.\d{0,9})?)s")
_OUTCOMES = {
    "DEADLINE_EXCEEDED": ("timeout",),
    "RESOURCE_EXHAUSTED": ("rejected",),
    "UNAVAILABLE": ("rejected", "failed"),
}
"""Status codes as outcomes of an attempt; all others are failures (grpc.io, Status codes)."""
_ORDER = ("timeout", "rejected", "broken", "failed")
_CODES = (
    "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
    "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip
_KEYS = frozenset({"name", "timeout", "retryPolicy", "hedgingPolicy"})

Held = tuple[tuple[Path, object, Place], ...]
"""What a client can hold of a method's config."""


@dataclass(frozen=True)
class MethodEntry:
    """One entry of ``methodConfig``."""

    value: Value

    def names(self) -> Iterator[tuple[str, str]]:
        """Services and methods that it is for; empty: all of them."""
        for name in self.value.each("name"):
            service, method = name.get("service"), name.get("method")
            if service is None and method is not None:
                name.refuse("a name with a method must have a service")
            yield (
                service.string("service") if service is not None else "",
                method.string("method") if method is not None else "",
            )

    def held(self) -> Held:
        """Timeout, retry and hedge, each with its line."""
        found: list[tuple[Path, object, Place]] = []
        timeout = self.value.get("timeout")
        if timeout is not None:
            found.append((("timeout",), duration(timeout, "timeout"), timeout.place))
        retry, hedge = self.value.get("retryPolicy"), self.value.get("hedgingPolicy")
        if retry is not None and hedge is not None:
            hedge.refuse("a method has a retryPolicy or a hedgingPolicy, not both")
        found += _retry(retry) if retry is not None else ()
        found += _hedge(hedge) if hedge is not None else ()
        return tuple(found)


def is_config(document: Value) -> bool:
    """Whether a document is a service config."""
    raw = document.raw
    configs = raw.get("methodConfig") if isinstance(raw, dict) else None
    return configs is not None and isinstance(configs.raw, list)


def duration(value: Value, what: str) -> Duration:
    """``1.5s``, as Protocol Buffers write durations in JSON."""
    match = _DURATION.fullmatch(value.string(what).strip())
    if match is None:
        value.refuse(f"{what} must be a duration such as 1.5s")
    return Duration(float(match[1]))


def _retry(policy: Value) -> Iterator[tuple[Path, object, Place]]:
    most = policy.need("maxAttempts")
    attempts = most.whole("maxAttempts")
    if attempts < 2:
        most.refuse("maxAttempts must be 2 or more")
    yield ("retry",), Retry, policy.place
    # gRPC takes 5 for all that is more (A6, maxAttempts)
    yield ("retry", "attempts"), min(attempts, 5), most.place
    for key, attribute in (("initialBackoff", "backoff"), ("maxBackoff", "max_backoff")):
        value = policy.get(key)
        if value is not None:
            yield ("retry", attribute), duration(value, key), value.place
    factor = policy.get("backoffMultiplier")
    if factor is not None:
        number = _positive(factor, "backoffMultiplier")
        if number >= 1:
            yield ("retry", "factor"), number, factor.place
    codes = policy.get("retryableStatusCodes")
    if codes is not None:
        yield ("retry", "on"), _outcomes(codes), codes.place


def _positive(value: Value, what: str) -> float:
    try:
        found = float(value.string(what))
    except ValueError:
        found = 0.0
    if not 0 < found <= 100:
        value.refuse(f"{what} must be a number above 0 and at most 100")
    return found


def _outcomes(codes: Value) -> tuple[str, ...]:
    found: set[str] = set()
    for code in codes.each():
        name = code.string("a status code")
        if code.text.isascii() and code.text.isdigit() and 0 < int(code.text[:4]) <= len(_CODES):
            name = _CODES[int(code.text[:4]) - 1]
        if name.upper() not in _CODES:
            code.refuse("a status code must be one of gRPC's, such as UNAVAILABLE")
        found.update(_OUTCOMES.get(name.upper(), ("failed",)))
    return tuple(each for each in _ORDER if each in found)


def _hedge(policy: Value) -> Iterator[tuple[Path, object, Place]]:
    most = policy.need("maxAttempts")
    attempts, delay = most.whole("maxAttempts"), policy.get("hedgingDelay")
    if attempts < 2:
        most.refuse("maxAttempts must be 2 or more")
    yield ("hedge",), Hedge, policy.place
    yield ("hedge", "max_attempts"), min(attempts, 5), most.place
    # without a delay all attempts are made at once (A6, hedgingDelay)
    after = duration(delay, "hedgingDelay") if delay is not None else Duration(0.0)
    yield ("hedge", "after"), after, (delay or policy).place


def config_statements(
    document: Value, methods: Mapping[str, Iterable[str]]
) -> Iterator[Toward | Remark]:
    """What the clients of each service do. ``methods``: those of the services in the files.

    A client holds one value for all calls to a service: what differs between its methods is
    said, and left out.
    """
    entries = [MethodEntry(value) for value in document.each("methodConfig")]
    special: dict[str, dict[str, MethodEntry]] = {}
    whole: dict[str, MethodEntry] = {}
    for entry in entries:
        for service, method in entry.names():
            if method:
                special.setdefault(service, {}).setdefault(method, entry)
            else:
                whole.setdefault(service, entry)
        yield from _unheld(entry)
    default = whole.pop("", None)
    named = [*dict.fromkeys([*whole, *special])]
    for service in [*named, *(each for each in methods if default and each not in named)]:
        base = whole.get(service, default)
        own = special.get(service, {})
        known = [*methods.get(service, ())]
        if not known and base is None:
            yield _by_method(service, own)
            continue
        every = [own.get(method, base) for method in known] or [*own.values(), base]
        yield from _of_service(service, every, own)
    yield from _unread(document)


def _of_service(
    service: str, every: list[MethodEntry | None], own: Mapping[str, MethodEntry]
) -> Iterator[Toward | Remark]:
    held = [each.held() if each is not None else () for each in every]
    differing = []
    for attribute in ("timeout", "retry", "hedge"):
        parts = [tuple(part for part in one if part[0][0] == attribute) for one in held]
        if len({tuple(part[:2] for part in one) for one in parts}) > 1:
            differing.append(attribute)
            continue
        for path, value, place in parts[0] if parts else ():
            yield Toward(service, SCOPE, path, value, place)
    kinds = {path for path, *_ in held[0]} if held else set()
    if ("timeout",) in kinds and ("retry",) in kinds and not differing and held[0]:
        yield Remark(
            f"the timeout of {service} is for all attempts together; a client has one for each",
            held[0][0][2],
        )
    if differing:
        yield _by_method(service, own, differing)


def _by_method(
    service: str, own: Mapping[str, MethodEntry], attributes: Iterable[str] = ()
) -> Remark:
    said = ", ".join(attributes) or "what is said"
    first = next(iter(own.values()))
    return Remark(
        f"{service}: {said} is for single methods ({', '.join(list(own)[:5])}), and a client has "
        "one value for all calls to a service",
        first.value.place,
    )


def _unheld(entry: MethodEntry) -> Iterator[Remark]:
    others = [key for key, _ in entry.value.items() if key not in _KEYS]
    if others:
        yield Remark(f"a client has no word for {', '.join(others)}", entry.value.place)


def _unread(document: Value) -> Iterator[Remark]:
    others = [key for key, _ in document.items() if key != "methodConfig"]
    if others:
        yield Remark(f"a client has no word for {', '.join(others)} of a service config",
                     document.place)  # fmt: skip
