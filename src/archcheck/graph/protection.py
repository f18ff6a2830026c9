"""What protects a call, decided once: how long it may last, and how often it is asked.

From the outside in: the code makes *tries* (the first and its retries, with backoffs between them);
a try is one *attempt*, or several with hedging; each attempt has the client's timeout. Inside an
attempt the mesh makes attempts of its own, each with a per-try timeout, all of them within its
overall timeout. A mesh sees calls (HTTP, gRPC) and no queries. So attempts multiply, and an attempt
of the code lasts the smaller of the two timeouts at most.

Rules, proofs, syntheses and the compiler of runs ask here; none of them reads a timeout or a retry
to find out by itself what counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from archcheck.graph.exact import Rational, exact, shown
from archcheck.model import (
    Absent,
    Bulkhead,
    Call,
    CircuitBreaker,
    Effective,
    Hedge,
    LoadShedding,
    Mesh,
    Named,
    RateLimit,
    Retry,
    Step,
    effective,
)
from archcheck.model.clients import as_asked
from archcheck.units import Duration

T = TypeVar("T")
OPEN_FOR = Duration(60.0)
"""How long a breaker stays open that does not say: Resilience4j's ``waitDurationInOpenState``."""


@dataclass(frozen=True)
class Protection:
    """What bounds one call, query or lookup. ``None`` is unknown, ``Absent`` deliberately nothing.

    ``mesh`` is the caller's, where it sees the step.
    """

    timeout: Duration | Absent | None = None
    retry: Retry | Absent | None = None
    hedge: Hedge | None = None
    breaker: CircuitBreaker | None = None
    bulkhead: Bulkhead | None = None
    rate_limit: RateLimit | None = None
    mesh: Mesh | None = None
    deadline: Effective = field(default_factory=lambda: Effective(None, "unknown"))
    """Whether the callee learns how much time is left: as the step says, else the runtime."""
    is_silent: bool = False
    """Whether the step says that the callee does not learn of its deadline."""
    waits_to_be_rejected: bool = True
    """Whether an attempt may wait before it is turned away, bulkheads apart."""

    @property
    def passes_deadline_on(self) -> bool:
        """Whether it is declared, or documented, that the callee learns how much time is left."""
        return bool(self.deadline.value)

    # -- how often ------------------------------------------------------------------------------

    @property
    def tries(self) -> int:
        """How often the code tries, the first time included; undeclared retries are none."""
        return self.retry.attempts if isinstance(self.retry, Retry) else 1

    def that_ask(self, tries: int) -> int:
        """How many of so many tries reach the callee: what is retried only while a breaker is open
        has not been asked."""
        own = self.retry if isinstance(self.retry, Retry) else None
        return tries if own is None or set(own.on) - {"broken"} else min(tries, 1)

    def that_last(self, tries: int) -> int:
        """How many of so many tries may last as long as an attempt may.

        What is retried only after rejections has been rejected at once, but where it may wait
        first: at a bulkhead, for a connection of a pool, in a queue from which others displace it.
        """
        own = self.retry if isinstance(self.retry, Retry) else None
        waits = self.waits_to_be_rejected or (
            self.bulkhead is not None and self.bulkhead.max_wait != Duration(0)
        )
        is_quick = own is not None and set(own.on) <= {"rejected", "broken"} and not waits
        return min(self.that_ask(tries), 1) if is_quick else self.that_ask(tries)

    @property
    def mesh_retry(self) -> Retry | None:
        """The retries of the mesh, where it makes any."""
        retry = self.mesh.retry if self.mesh is not None else None
        return retry if retry is not None and retry.attempts > 1 else None

    @property
    def retries(self) -> tuple[Retry, ...]:
        """Who tries again, the code before the mesh."""
        own = self.retry if isinstance(self.retry, Retry) and self.retry.attempts > 1 else None
        return tuple(retry for retry in (own, self.mesh_retry) if retry is not None)

    @property
    def mesh_tries(self) -> int:
        """How often the mesh tries each attempt of the code."""
        return self.mesh_retry.attempts if self.mesh_retry is not None else 1

    @property
    def hedged(self) -> int:
        """Attempts of each try, hedges included."""
        return self.hedge.max_attempts if self.hedge is not None else 1

    @property
    def attempts(self) -> int | None:
        """Attempts by code and mesh together, hedges aside; ``None``: nobody declares retries."""
        if self.retry is None and self.mesh_retry is None:
            return None
        return self.tries * self.mesh_tries

    # -- how long -------------------------------------------------------------------------------

    @property
    def mesh_timeout(self) -> Duration | None:
        """The timeout of the mesh over all its attempts."""
        return self.mesh.timeout if self.mesh is not None else None

    @property
    def per_try_timeout(self) -> Duration | None:
        """The timeout of each attempt of the mesh."""
        return self.mesh.per_try_timeout if self.mesh is not None else None

    @property
    def mesh_limit(self) -> Rational | None:
        """The longest that an attempt of the code lasts because of the mesh, in seconds.

        A per-try timeout bounds it only where all retries and backoffs of the mesh are declared.
        """
        limits = [exact(self.mesh_timeout)] if self.mesh_timeout is not None else []
        if self.per_try_timeout is not None and self._knows_mesh_tries:
            limits.append(self._in_the_mesh(exact(self.per_try_timeout)))
        return min(limits, default=None)

    @property
    def _knows_mesh_tries(self) -> bool:
        retry = self.mesh.retry if self.mesh is not None else None
        return retry is not None and (retry.attempts == 1 or retry.backoff is not None)

    @property
    def has_sidecar(self) -> bool:
        """Whether the mesh makes attempts of its own, inside each attempt of the code."""
        return self.mesh_retry is not None or self.per_try_timeout is not None

    def attempt(self, timeout: Rational | None = None) -> Rational | None:
        """The longest that an attempt of the code lasts, in seconds; ``None``: nothing bounds it.

        ``timeout`` instead of the one that the client declares.
        """
        if timeout is None and isinstance(self.timeout, Duration):
            timeout = exact(self.timeout)
        limits = [limit for limit in (timeout, self.mesh_limit) if limit is not None]
        return min(limits, default=None)

    def unbounded_attempt(self, callee: Rational) -> Rational:
        """The longest that an attempt lasts which only its callee bounds, by ``callee`` seconds."""
        return self._in_the_mesh(callee)

    def _in_the_mesh(self, each: Rational) -> Rational:
        return each * self.mesh_tries + sum(backoffs(self.mesh_retry))

    def a_try(self, attempt: Rational) -> Rational:
        """The longest that a try lasts whose attempts last ``attempt`` seconds: hedges start late.

        A hedge is sent while no answer is there, at the very end of the first attempt, too.
        """
        return attempt + self.hedged_after(attempt)

    def hedged_after(self, attempt: Rational) -> Rational:
        """How late the last hedge of a try is sent, if attempts last ``attempt`` seconds."""
        if self.hedge is None or exact(self.hedge.after) > attempt:
            return Rational(0)
        return exact(self.hedge.after) * (self.hedge.max_attempts - 1)

    def pauses(self, tries: int) -> list[Rational]:
        """The longest backoffs between so many tries; an undeclared one counts as zero."""
        retry = self.retry if isinstance(self.retry, Retry) else None
        if retry is not None and set(retry.on) == {"broken"} and self.breaker is None:
            return []  # without a breaker nothing is ever retried
        return backoffs(retry)[: tries - 1]

    def undeclared(self, *, is_bounded: bool) -> list[str]:
        """The attributes of retries that nobody declares and the longest wait depends on.

        ``is_bounded``: whether a timeout bounds each attempt, whatever the mesh does in it.
        """
        own = self.retry if isinstance(self.retry, Retry) else None
        found = []
        if own is not None and own.attempts > 1 and own.backoff is None:
            found.append("retry.backoff")
        if not is_bounded and self.mesh_retry is not None and self.mesh_retry.backoff is None:
            found.append("mesh.retry.backoff")
        return found

    def longest_wait(self, attempt: Rational, tries: int | None = None) -> tuple[Rational, str]:
        """The longest wait for the call whose attempts last ``attempt`` seconds, and the sum of it.

        ``tries`` instead of the declared ones, if given.
        """
        each, text = self.a_try(attempt), shown(attempt)
        if later := self.hedged_after(attempt):
            text = f"({text} + hedged after {shown(later)})"
        count = tries or self.tries
        if count == 1:
            return each, text
        pauses, asked = self.pauses(count), self.that_last(count)
        if asked == 1 and not any(pauses):
            return each, text
        total = each * asked + sum(pauses)
        waits = f" + backoff {' + '.join(map(shown, pauses))}" if any(pauses) else ""
        times = f"{asked} x " if asked > 1 else ""
        return total, f"{times}{text}{waits} = {shown(total)}"


def protection_of(source: Named, step: Step, target: Named | None = None) -> Protection:
    """What protects a step of ``source`` that leaves the process, its clients' part included.

    ``target``: who is asked, where that is known.
    """
    step = as_asked(source, step)
    is_call = isinstance(step, Call)
    mesh = getattr(source, "mesh", None) if is_call else None
    own = getattr(step, "propagates_deadline", None)
    runtime = getattr(source, "runtime", None)
    deadline = effective(runtime, "deadline_propagation")
    sheds = isinstance(getattr(target, "shedding", None), LoadShedding)
    return Protection(
        timeout=getattr(step, "timeout", None),
        retry=getattr(step, "retry", None),
        hedge=_present(step, "hedge", Hedge),
        breaker=_present(step, "breaker", CircuitBreaker),
        bulkhead=_present(step, "bulkhead", Bulkhead),
        rate_limit=_present(step, "rate_limit", RateLimit),
        mesh=mesh if isinstance(mesh, Mesh) else None,
        deadline=deadline if own is None else Effective(own, "declared"),
        is_silent=own is False,
        waits_to_be_rejected=not is_call or sheds,
    )


def stops_late_work(target: object) -> bool | None:
    """Whether who is asked stops when the deadline that it is told has passed; ``None``: unknown.

    Who passes a deadline on to the calls it makes stops as well, unless it says otherwise.
    """
    runtime = getattr(target, "runtime", None)
    own: bool | None = effective(runtime, "stops_late_work").value
    if own is not None:
        return own
    passed_on: bool | None = effective(runtime, "deadline_propagation").value
    return passed_on


def drops_late_requests(target: object) -> bool | None:
    """Whether who is asked drops what waited past its deadline; ``None``: unknown."""
    own: bool | None = effective(getattr(target, "runtime", None), "drops_late_requests").value
    return own if own is not None else stops_late_work(target)


def _present(step: Step, name: str, kind: type[T]) -> T | None:
    value = getattr(step, name, None)
    return value if isinstance(value, kind) else None


def backoffs(retry: Retry | None) -> list[Rational]:
    """The longest wait after each attempt but the last, in seconds; an undeclared one is zero.

    With jitter a wait is drawn between zero and this.
    """
    if retry is None or retry.backoff is None:
        return []
    first, ceiling = exact(retry.backoff), retry.max_backoff
    waits = [first * exact(retry.factor) ** n for n in range(retry.attempts - 1)]
    return [min(wait, exact(ceiling)) if ceiling is not None else wait for wait in waits]
