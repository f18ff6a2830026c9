"""Faults as people say them: ``payments slow x5 from 60s to 90s``.

=================================  =========================================================
``TARGET slow xF``                 everything at TARGET takes F times as long
``TARGET fails P%``                that share of its requests fails
``TARGET loses N replicas``        N of its nodes are gone (``a replica`` for one)
``zone NAME lost``                 everything in a zone is gone
``SOURCE -> TARGET cut``           SOURCE cannot reach TARGET
``TARGET flushed``                 a cache loses its content
``TARGET released``                a new version replaces the old one
``load xF``, ``JOURNEY load xF``   F times the declared load
=================================  =========================================================

Each is followed by ``from TIME to TIME``, or by ``from TIME`` or ``at TIME``, which last until the
end of the run.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from archcheck.model import (
    Burst,
    CutLink,
    Errors,
    Fault,
    FlushCache,
    Kill,
    Release,
    ScenarioError,
    Slow,
    ZoneLoss,
)
from archcheck.units import Duration, Fraction

_TIME = r"[0-9][0-9.]*\s*[a-zµ]+"
_WHEN = re.compile(
    rf"^(?P<what>.+?)\s+(?:from\s+(?P<start>{_TIME})(?:\s+to\s+(?P<end>{_TIME}))?"
    rf"|at\s+(?P<at>{_TIME}))$",
    re.IGNORECASE,
)
_NAME = r"(?P<target>\S(?:.*\S)?)"
_NUMBER = r"(?P<number>[0-9]+(?:\.[0-9]+)?)"
_FORMS: tuple[tuple[str, Callable[..., Fault]], ...] = (
    (rf"{_NAME}\s+slow\s+x\s*{_NUMBER}", lambda t, n, **w: Slow(t, factor=float(n), **w)),
    (
        rf"{_NAME}\s+fails\s+{_NUMBER}\s*%",
        lambda t, n, **w: Errors(t, rate=Fraction(float(n) / 100), **w),
    ),
    (
        rf"{_NAME}\s+loses\s+(?:{_NUMBER}|an?)\s+replicas?",
        lambda t, n, **w: Kill(t, replicas=int(float(n or 1)), **w),
    ),
    (rf"zone\s+{_NAME}\s+lost", lambda t, n, **w: ZoneLoss(t, **w)),
    (r"(?P<source>\S.*?)\s*->\s*(?P<target>\S.*?)\s+cut", lambda t, n, **w: CutLink(target=t, **w)),
    (rf"{_NAME}\s+flushed", lambda t, n, **w: FlushCache(t, **w)),
    (rf"{_NAME}\s+released", lambda t, n, **w: Release(t, **w)),
    (rf"load\s+x\s*{_NUMBER}", lambda t, n, **w: Burst(float(n), **w)),
    (rf"{_NAME}\s+load\s+x\s*{_NUMBER}", lambda t, n, **w: Burst(float(n), journey=t, **w)),
)
EXAMPLE = "payments slow x5 from 60s to 90s"


def parse_fault(text: str) -> Fault:
    """The fault that a sentence describes. Raises :class:`ScenarioError` when it does not."""
    found = _WHEN.match(text.strip())
    if found is None:
        raise ScenarioError(f"the fault {text!r} does not say when; write it as in {EXAMPLE!r}")
    window = _window(found, text)
    for pattern, make in _FORMS:
        form = re.fullmatch(pattern, found["what"], re.IGNORECASE)
        if form is not None:
            return _made(make, form, window, text)
    raise ScenarioError(
        f"the fault {text!r} does not say what goes wrong; write it as in {EXAMPLE!r}, or with "
        "'fails 30%', 'loses a replica', 'flushed', 'released', 'load x3', 'zone a lost' or "
        "'a -> b cut'"
    )


def _window(found: re.Match[str], text: str) -> dict[str, Any]:
    try:
        if found["at"]:
            start = Duration.parse(found["at"])
            return {"start": start}
        window = {"start": Duration.parse(found["start"])}
        if found["end"]:
            window["end"] = Duration.parse(found["end"])
    except ValueError as error:
        raise ScenarioError(f"the fault {text!r}: {error}") from None
    return window


def _made(
    make: Callable[..., Fault], form: re.Match[str], window: dict[str, Any], text: str
) -> Fault:
    groups = form.groupdict()
    if "source" in groups:
        window = {**window, "source": groups["source"]}
    try:
        return make(groups.get("target"), groups.get("number"), **window)
    except (ValueError, TypeError) as error:
        raise ScenarioError(f"the fault {text!r}: {error}") from None
