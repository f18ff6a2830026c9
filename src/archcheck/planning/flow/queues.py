"""What a visitor waits at one node: the queue of Allen and Cunneen, with or without an end.

A queue without an end: the wait of the M/M/c, times the mean of the two variabilities, less where
arrivals are more even than at random; those who wait at all wait for an exponential time. With
room for so many: the M/M/c/K (Kleinrock, Queueing Systems 1, 1975, section 3.6), where the rest is
turned away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from archcheck.capacity.queueing import erlang_c
from archcheck.planning.flow.moments import Moments

if TYPE_CHECKING:
    import numpy as np

_NONE = Moments()
_EVEN = 0.7
"""The spread that sharing adds to work which always takes as long, over that of exponential work:
fitted to simulations of 1 to 8 cores, whose 95th percentiles are within 16% with it."""


@dataclass(frozen=True, slots=True)
class QueueFlow:
    """``load``: busy servers over servers, as offered; ``rejected``: the share turned away."""

    wait: Moments = _NONE
    load: float = 0.0
    rejected: float = 0.0


def waiting(
    servers: float | None,
    room: int | None,
    rate: float,
    service: Moments,
    arrivals: float = 1.0,
) -> QueueFlow:
    """The queue of a node with ``servers`` and ``room`` for those who wait; ``None``: unlimited.

    ``rate``: arrivals a second; ``arrivals``: squared coefficient of variation between them.
    """
    if servers is None or rate <= 0 or service.mean <= 0:
        return QueueFlow()
    count = max(1, int(servers))
    if math.isinf(service.mean):
        return QueueFlow(Moments(math.inf, math.inf), math.inf, 0.0)
    offered = rate * service.mean
    factor = _spread(min(offered / count, 1.0), arrivals, service.variability)
    if room is not None:
        delayed, mean, rejected = _bounded(count, room, float(f"{offered:.9g}"))
        wait = mean * service.mean * factor
        return QueueFlow(_wait(wait, delayed), offered / count, rejected)
    if offered >= count:
        return QueueFlow(Moments(math.inf, math.inf), offered / count, 0.0)
    delayed = erlang_c(count, offered)
    wait = delayed * service.mean / (count - offered) * factor
    return QueueFlow(_wait(wait, delayed), offered / count, 0.0)


def impatient(servers: float, rate: float, service: Moments, longest: float) -> QueueFlow:
    """The queue of those who give up after waiting ``longest`` seconds.

    Nobody waits: the M/M/c/c (Erlang's loss formula). Else those who would wait longer, by the
    exponential tail of the M/M/c, are turned away; of more than can be served, the rest.
    """
    if math.isinf(longest):
        return waiting(servers, None, rate, service)
    if longest <= 0 or rate <= 0 or service.mean <= 0:
        return waiting(servers, 0, rate, service)
    queue = waiting(servers, None, rate, service)
    if queue.load >= 1:
        return QueueFlow(
            Moments(longest), queue.load, 1 - 1 / queue.load if queue.load < 1e9 else 1.0
        )
    delayed = erlang_c(int(servers), rate * service.mean)
    lost = delayed * math.exp(-(servers / service.mean - rate) * longest)
    wait = queue.wait if queue.wait.mean <= longest else Moments(longest)
    return QueueFlow(wait, queue.load, lost)


def _spread(load: float, arrivals: float, services: float) -> float:
    """The wait over that of the M/M/c: Kraemer and Langenbach-Belz, as in QNA (Whitt, 1983)."""
    mean = (arrivals + services) / 2
    if arrivals >= 1 or not mean:
        return mean
    return mean * math.exp(-(1 - load) * (1 - arrivals) ** 2 / (3 * load * mean))


def _wait(mean: float, delayed: float) -> Moments:
    """Nothing, or with probability ``delayed`` an exponential time."""
    if not delayed:
        return Moments()
    return Moments(mean, 2 * mean**2 / delayed - mean**2)


@lru_cache(maxsize=4096)
def _bounded(servers: int, room: int, offered: float) -> tuple[float, float, float]:
    """Who is let in but waits, their wait over a time of service, and who is turned away."""
    import numpy as np

    most = min(room, 20_000)
    states = np.arange(servers + most + 1)
    steps = math.log(max(offered, 1e-300)) - np.log(np.minimum(states[1:], servers))
    logs = np.concatenate([[0.0], np.cumsum(steps)])
    chances = np.exp(logs - logs.max())
    chances /= chances.sum()
    rejected = float(chances[-1])
    queue = float(chances @ np.maximum(states - servers, 0))
    accepted = max(1 - rejected, 1e-12)
    delayed = float(chances[servers:-1].sum()) / accepted
    return delayed, queue / (offered * accepted), rejected


def sharing(servers: float | None, rate: float, work: Moments, arrivals: float = 1.0) -> QueueFlow:
    """How much longer work takes where all share the cores, for one second of work.

    Processor sharing: of M/M/1, 1 / (1 - load) times as long whatever the distribution; with
    several cores the factor of the M/M/c. ``wait`` is what comes on top of the mean work. Its
    spread is that of the M/M/1 (Coffman, Muntz and Trotter, Waiting Time Distributions for
    Processor-Sharing Systems, 1970) that stretches work as much; less of it where work is even.
    """
    if servers is None or rate <= 0 or work.mean <= 0:
        return QueueFlow()
    exponential = Moments(work.mean, work.mean**2)
    queue = waiting(max(1.0, float(servers)), None, rate, exponential, arrivals)
    if math.isinf(queue.wait.mean):
        return queue
    stretch = 1 + queue.wait.mean / work.mean
    held = 1 - 1 / stretch
    spread = _EVEN + (1 - _EVEN) * min(1.0, work.variability)
    extra = spread * stretch**2 * work.mean**2 * 2 * held / (2 - held)
    widened = (stretch**2 - 1) * work.variance
    return QueueFlow(Moments(queue.wait.mean, extra + widened), queue.load, 0.0)


# -- threads that wait for cores -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Holding:
    """What requests of one node hold a thread for: ``work`` seconds on one of ``cores``, in so many
    ``bursts``, and ``outside`` seconds in which they wait for others.

    ``room``: for those who wait for a thread; ``None``: for all. ``variability``: the squared
    coefficient of variation of a burst. ``lasting``: the cores that there are in the long run.
    """

    threads: int
    room: int | None
    cores: int
    work: float
    bursts: float
    outside: float
    variability: float
    lasting: float

    @property
    def stands_still(self) -> bool:
        """Whether the cores do now and then."""
        return self.lasting < self.cores


def for_cores(queue: QueueFlow, rate: float, holding: Holding) -> QueueFlow:
    """The wait for a core of which only those ask who have a thread.

    ``queue``: of each burst, were there threads without end; ``rate``: bursts a second.
    """
    count = holding.cores
    found = _node(rate / holding.bursts, holding)
    waits = max(0.0, found.held - holding.work - holding.outside) / holding.bursts
    load = rate * holding.work / holding.bursts
    if load >= count or math.isinf(queue.wait.mean):
        return QueueFlow(Moments(waits, waits**2), queue.load, queue.rejected)
    unbounded = erlang_c(count, load) * holding.work / (count - load) / holding.bursts
    less = min(1.0, waits / unbounded) if unbounded else 1.0
    return QueueFlow(queue.wait.longer(less), queue.load, queue.rejected)


def for_threads(
    queue: QueueFlow, rate: float, service: Moments, arrivals: float, holding: Holding
) -> QueueFlow:
    """The wait for a thread where those who have one slow each other down.

    ``queue``: were they not to. The fuller the cores are, the more threads become free as evenly as
    work gets done, and not as evenly as they are held.
    """
    found = _node(rate, holding)
    if math.isinf(found.wait):
        return QueueFlow(Moments(math.inf, math.inf), queue.load, found.rejected)
    full = min(1.0, rate * holding.work / holding.cores)
    variability = full * holding.variability + (1 - full) * service.variability
    wait = found.wait * _spread(min(queue.load, 1.0), arrivals, variability)
    if not holding.stands_still:
        return QueueFlow(_wait(wait, found.delayed), queue.load, found.rejected)
    # pauses hold all threads, and use none of them up: they end when there is a quota again
    load = max(rate * found.held / holding.threads, rate * holding.work / holding.lasting)
    rejected = found.rejected if holding.room is None else _slow(rate, holding).rejected
    return QueueFlow(_wait(wait, found.delayed), min(queue.load, load), rejected)


def waits_when_slow(rate: float, holding: Holding) -> float:
    """What a burst waits, for its thread and for cores, were they slower all the time.

    ``rate``: bursts a second.
    """
    found = _slow(rate / holding.bursts, holding)
    return max(0.0, found.held - holding.work - holding.outside + found.wait) / holding.bursts


@dataclass(frozen=True, slots=True)
class _Node:
    """Seconds with a thread, seconds of waiting for one, who waits, who is turned away."""

    held: float
    wait: float
    delayed: float = 1.0
    rejected: float = 0.0


def _node(rate: float, holding: Holding) -> _Node:
    """Rounded to what no solution can tell, so that a question is answered once."""
    work, outside = float(f"{holding.work:.6g}"), float(f"{max(0.0, holding.outside):.6g}")
    rounded = replace(
        holding, work=work, outside=outside, bursts=1.0, variability=1.0, lasting=holding.cores
    )
    return _solved(float(f"{rate:.6g}"), rounded)


def _slow(rate: float, holding: Holding) -> _Node:
    """With the cores that there are in the long run."""
    count = math.ceil(holding.lasting)
    slowed = replace(holding, work=holding.work * count / holding.lasting, cores=count)
    return _node(rate, slowed)


@lru_cache(maxsize=4096)
def _solved(rate: float, holding: Holding) -> _Node:
    """A node as one server whose speed depends on how many have a thread.

    Its speed is the throughput of a closed network of the cores and of a delay, with as many users
    as threads are taken (Chandy, Herzog and Woo, Parametric Analysis of Queuing Networks, 1975).
    """
    import numpy as np

    threads = holding.threads
    speeds = _throughputs(holding.work, holding.outside, threads, holding.cores)
    if holding.room is None:
        return _without_end(rate, speeds)
    most = threads + min(holding.room, 20_000)
    leaving = np.log(speeds[np.minimum(np.arange(most), threads - 1)])
    chances = _chances(math.log(rate) - leaving)
    rejected = float(chances[-1])
    delayed = float(chances[threads:-1].sum())
    states = np.arange(most + 1)
    accepted = rate * max(1 - rejected, 1e-12)
    held = float(chances @ np.minimum(states, threads)) / accepted
    queue = float(chances @ np.maximum(states - threads, 0)) / accepted
    return _Node(held, queue, delayed / max(1 - rejected, 1e-12), rejected)


def _without_end(rate: float, speeds: np.ndarray) -> _Node:
    import numpy as np

    threads, last = len(speeds), rate / float(speeds[-1])
    if last >= 1:
        return _Node(threads / float(speeds[-1]), math.inf)
    chances = _chances(math.log(rate) - np.log(speeds))
    beyond = float(chances[-1]) * last / (1 - last)  # a geometric series
    total = 1 + beyond
    held = float(chances @ np.arange(threads + 1) + beyond * threads) / total / rate
    queue = float(chances[-1]) * last / (1 - last) ** 2 / total
    return _Node(held, queue / rate, (float(chances[-1]) + beyond) / total)


def _chances(steps: np.ndarray) -> np.ndarray:
    import numpy as np

    logs = np.concatenate([[0.0], np.cumsum(steps)])
    found = np.exp(logs - logs.max())
    return np.asarray(found / found.sum())


@lru_cache(maxsize=1024)
def _throughputs(work: float, outside: float, threads: int, cores: int) -> np.ndarray:
    """Requests a second that 1 to ``threads`` users get done who compute and then are away.

    By the normalising constants of the product form, as logarithms.
    """
    import numpy as np

    counts = np.arange(1, threads + 1)
    if outside <= 0:
        return np.minimum(counts, cores) / work
    steps = math.log(work) - np.log(np.minimum(counts, cores))
    at_cores = np.concatenate([[0.0], np.cumsum(steps)])
    away = np.concatenate([[0.0], np.cumsum(math.log(outside) - np.log(counts))])
    constants = [
        np.logaddexp.reduce(at_cores[: number + 1] + away[number::-1])
        for number in range(threads + 1)
    ]
    return np.asarray(np.exp(-np.diff(constants)))
