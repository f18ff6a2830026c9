"""How many attempts a pattern of failures makes: what stands behind a refuted claim of retries.

The product over a path is a bound: it takes each layer to see a failure that it retries, in the
time that the layers above leave. Two patterns are followed from the element that fails to the
entry, and each tells how long a layer takes to fail and what it sees: the element fails at once, or
it never answers. Who gives up on an attempt leaves the layers below at work, unless they are told
the deadline and keep it. Backoffs with jitter, declared or not, are as short as they can be drawn.

What else a request does on its way, and what it meets before the element fails, takes no time here:
a pattern is an account of the layers, and ``prove --replay`` plays it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from archcheck.graph import Interaction
from archcheck.graph.exact import Rational, exact
from archcheck.graph.protection import Protection
from archcheck.model import Retry

_NEVER = math.inf
_ONCE = Rational(1)


@dataclass(frozen=True)
class _Seen:
    """What who asks sees of its callee: an answer or a failure after so many seconds."""

    lasts: float
    fails: bool = True

    def within(self, limit: float) -> tuple[float, str]:
        """How long an attempt takes, and what of it can be retried."""
        if self.lasts > limit:
            return limit, "timeout"
        return self.lasts, "failed" if self.fails else ""


def attempts_made(path: Sequence[Interaction], factors: Sequence[Rational]) -> Rational:
    """The attempts at the end of ``path`` that the worse of both patterns makes for one request.

    ``factors``: the bound of each step.
    """
    return max(_made(path, factors, _Seen(lasts)) for lasts in (0.0, _NEVER))


def _made(path: Sequence[Interaction], factors: Sequence[Rational], seen: _Seen) -> Rational:
    made = bound = _ONCE
    for step, most in zip(reversed(path), reversed(factors), strict=True):
        bound *= most
        if step.mode == "publish":  # the message comes again until its consumer gives it up
            made *= most if seen.fails else _ONCE
            seen = _Seen(0.0, fails=False)  # who published it does not notice
            continue
        limit = _seconds(step.protection.attempt())
        if step.deadline_is_kept and seen.lasts > limit:
            made = max(_ONCE, made * exact(limit / seen.lasts))
        count, lasts = _layer(step.protection, seen)
        made *= count
        seen = _Seen(lasts, fails=not step.can_fail_softly)
    return min(made, bound)


def _layer(guard: Protection, seen: _Seen) -> tuple[int, float]:
    """How often a callee is asked of which this is seen, and how long the step then lasts."""
    limit = _seconds(guard.attempt())
    behind, taken = _mesh(guard, seen, limit)
    each, why = _Seen(taken, seen.fails).within(limit)
    if each == _NEVER:
        return behind, each
    hedged = 1
    if guard.hedge is not None and guard.hedge.after:
        sent = math.ceil(each / float(guard.hedge.after))
        hedged = max(1, min(guard.hedge.max_attempts, sent))
        each += float(guard.hedge.after) * (hedged - 1)
    own = guard.retry if isinstance(guard.retry, Retry) else None
    tries = guard.tries if own is not None and why in own.on else 1
    waits = 0.0 if own is not None and own.jitter is not False else float(sum(guard.pauses(tries)))
    return behind * hedged * tries, tries * each + waits


def _mesh(guard: Protection, seen: _Seen, limit: float) -> tuple[int, float]:
    """The attempts of a mesh within one of the code, and how long they last."""
    most = _seconds(exact(guard.per_try_timeout) if guard.per_try_timeout is not None else None)
    each, why = seen.within(most)
    retry = guard.mesh_retry
    if retry is None or each == _NEVER or why not in retry.on:
        return 1, each
    step = each + (0.0 if retry.jitter is not False else float(retry.backoff or 0))
    room = math.ceil(limit / step) if step and limit < _NEVER else retry.attempts
    return max(1, min(retry.attempts, room)), step * (retry.attempts - 1) + each


def _seconds(limit: Rational | None) -> float:
    return _NEVER if limit is None else float(limit)
