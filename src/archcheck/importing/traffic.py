"""What meshes and gateways say about calls: timeouts, retries, limits, in a client's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from archcheck.importing.facts import Path, Remark, Toward
from archcheck.importing.values import Value
from archcheck.model import Absent, Bulkhead, Place, Retry
from archcheck.model.resilience import Balancing
from archcheck.units import Duration

_DURATION = re.compile(r"(?:(\d{1,9}(?:\.\d{1,9})?)(h|ms|us|µs|ns|m|s))")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
UNLIMITED = 1_000_000
"""Limits of this size and above bound nothing; Envoy writes 4294967295 for none."""
LEAST_REQUEST: Balancing = "power_of_two"
"""Envoy's ``LEAST_REQUEST``, also under Istio and Envoy Gateway: of two hosts that it draws, the
one with fewer requests (envoyproxy.io, Supported load balancers, Weighted least request)."""
_OUTCOMES: dict[str, tuple[str, ...]] = {
    "5xx": ("timeout", "rejected", "failed"),
    "gateway-error": ("timeout", "rejected", "failed"),
    "reset": ("timeout", "failed"),
    "reset-before-request": ("failed",),
    "connect-failure": ("failed",),
    "refused-stream": ("rejected",),
    "deadline-exceeded": ("timeout",),
    "resource-exhausted": ("rejected",),
    "unavailable": ("rejected", "failed"),
    "408": ("timeout",), "504": ("timeout",), "429": ("rejected",), "503": ("rejected", "failed"),
}  # fmt: skip
"""Conditions of Envoy's retries and status codes as outcomes of an attempt; all others are failures
(envoyproxy.io, Router filter, x-envoy-retry-on; RFC 9110 and 6585)."""
_ORDER = ("timeout", "rejected", "broken", "failed")

Said = tuple[Path, object, Place]
"""A field inside of a client, its value, and its line."""


@dataclass(frozen=True)
class Rules:
    """What is said about the calls of one kind: some fields of a client."""

    said: tuple[Said, ...]

    @property
    def shown(self) -> tuple[object, ...]:
        """What it says, without where."""
        return tuple((path, value) for path, value, _ in self.said)


def duration(value: Value, what: str) -> Duration:
    """``1.5s``, ``1m30s``, as Go writes durations."""
    text = value.string(what).strip()
    found = _DURATION.findall(text)
    if not found or _DURATION.sub("", text):
        value.refuse(f"{what} must be a duration such as 1.5s or 250ms")
    return Duration(sum(float(number) * _UNITS[unit] for number, unit in found))


def timeout_of(value: Value, what: str) -> Said:
    """A timeout; zero turns it off."""
    found = duration(value, what)
    off = Absent(f"{what} is 0, which turns it off")
    return (("timeout",), off if float(found / Duration(1.0)) == 0 else found, value.place)


def retry_of(
    policy: Value, retries: Value | None, conditions: Iterable[Value] | None = None
) -> Iterator[Said]:
    """A retry of so many tries after the first one; none of them turns it off."""
    if retries is None:
        yield ("retry",), Retry, policy.place
        yield ("retry", "attempts"), 3, policy.place  # the callers' default of two retries
        return
    count = retries.whole("the number of retries")
    if not 0 <= count < 10_000:
        retries.refuse("the number of retries must be between 0 and 9,999")
    if count == 0:
        yield ("retry",), Absent("the number of retries is 0"), retries.place
        return
    yield ("retry",), Retry, policy.place
    yield ("retry", "attempts"), count + 1, retries.place
    words = [value for value in conditions or () if value.string("a condition").strip()]
    if words:
        found = outcomes(word.text for word in words)
        yield ("retry", "on"), found, words[0].place


def outcomes(words: Iterable[str]) -> tuple[str, ...]:
    """The outcomes of an attempt that conditions mean."""
    found = {each for word in words for each in _OUTCOMES.get(word.strip().lower(), ("failed",))}
    return tuple(each for each in _ORDER if each in found)


def backoff_of(value: Value | None, key: str, attribute: str) -> Iterator[Said]:
    """A wait between tries."""
    if value is not None:
        yield ("retry", attribute), duration(value, key), value.place


def limit_of(value: Value | None, what: str) -> Iterator[Said]:
    """Concurrent requests at most."""
    if value is not None and 1 <= value.whole(what) < UNLIMITED:
        yield ("bulkhead",), Bulkhead, value.place
        yield ("bulkhead", "max_concurrent"), value.whole(what), value.place


def toward(host: str, scope: str, rules: Iterable[Said], element: str = "") -> Iterator[Toward]:
    """The rules for calls to a host."""
    for path, value, place in rules:
        yield Toward(host, scope, path, value, place, element)


def same_for_all(
    found: dict[tuple[str, str, str], list[Rules]], where: str
) -> Iterator[Toward | Remark]:
    """The rules of each element and host, where all of its routes have the same ones.

    A client holds one value for all calls to a callee: what differs between routes is left out.
    """
    for (element, host, scope), every in found.items():
        if len({rules.shown for rules in every}) == 1:
            yield from toward(host, scope, every[0].said, element)
            continue
        paths = {said[0][0] for rules in every for said in rules.said}
        for attribute in sorted(map(str, paths)):
            parts = [tuple(s for s in r.said if s[0][0] == attribute) for r in every]
            if len({tuple(said[:2] for said in part) for part in parts}) == 1:
                yield from toward(host, scope, parts[0], element)
                continue
            place = next(part[0][2] for part in parts if part)
            yield Remark(
                f"{where}: the routes to {host} differ in {attribute}, and a client has one value "
                "for all calls to a service",
                place,
            )
