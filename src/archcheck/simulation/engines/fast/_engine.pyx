# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The compiled engine: one run of a plan, outside of Python's lock.

The same semantics as the reference engine, event by event and draw by draw. ``dispatch`` is the
engine on one page; ``event_list.h`` orders what is still to happen; ``load``, ``calls``,
``requests``, ``servers``, ``guards``, ``node_groups``, ``caches``, ``messages`` and ``faults`` are the
semantics, named as the modules of the reference engine; ``randomness``, ``writing`` and ``memory``
are what they stand on; ``loading`` makes the tables of a plan, ``results`` the record.
"""

from libc.math cimport (
    INFINITY, ceil, cos, exp, expm1, fabs, floor, log, log1p, pow, rint, sqrt,
)
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memmove, memset

from archcheck.simulation.attribution import Cause, FailureReason
from archcheck.simulation.histogram import PER_LOG as _PER_LOG
from archcheck.simulation.plan import (
    ArrivalKind, Balance, Discipline, FaultKind, Outcome, SamplerShape, Scope, StepKind,
)
from archcheck.simulation.plan import PERIOD as _PERIOD
from archcheck.simulation.randomness import place_hash
from archcheck.simulation.randomness import stream as stream_of
from archcheck.simulation.record import BUCKETS, Record
from archcheck.simulation.sampling import zipf_ends

cdef extern from "event_list.h":
    const int KIND_BITS
    void FETCH(const void *address) noexcept nogil
    ctypedef struct Event:
        uint64_t time
        uint64_t order
        void *what
    ctypedef struct EventList:
        Event *heap
        size_t count
    double time_of(uint64_t bits) noexcept nogil
    int event_list_push(EventList *events, double time, unsigned kind, void *what) noexcept nogil
    const Event *event_list_next(EventList *events) noexcept nogil
    void event_list_take(EventList *events) noexcept nogil

cdef extern from "escape.h":
    ctypedef struct Escape:
        int reason
    int run_guarded(Escape *escape, void (*body)(void *) noexcept nogil, void *argument) noexcept nogil
    void leave(Escape *escape, int reason) noexcept nogil

include "structures.pxi"

cdef enum:  # what can happen
    ADVANCES
    FAILS
    JOB_BEGINS
    JOB_ENDS
    FINISHED
    ARRIVES
    RECEIVES
    GRANTED
    CONNECTED
    PERMITTED
    LOSES
    TIMES_OUT
    GIVES_UP_PERMIT
    GIVES_UP_CONNECTION
    RETRIES
    HEDGES
    RINGS
    COMES
    THINKS
    BEGINS
    GOES_TO_NEXT
    REACHES_BROKER
    DELIVERS
    DELIVERY_FAILS
    VISIBLE
    EXPIRES
    GIVES_MESSAGE_UP
    REOPENS
    FAULT_BEGINS
    FAULT_ENDS
    LEAVES_ROTATION
    LOOKS
    STARTS
    REPLACES
    GRACE_ENDS
    WARMED_UP
    SHOWS

cdef enum:  # what a caller keeps
    A_LINK
    A_POOL
    A_BULKHEAD
    A_BREAKER
    A_BUDGET
    A_LIMIT
    A_CONTENT

cdef enum:  # what became of a call that was just made
    NOT_YET
    GOES_ON
    ENDED

cdef enum:  # numbers of the plan's enumerations; ``check_numbers`` compares them
    OK = 0, DEGRADED = 1, TIMED_OUT = 2, REJECTED = 3, BROKEN = 4, FAILED = 5
    CONSTANT = 0, EXPONENTIAL = 1, LOGNORMAL = 2, GAMMA = 3, WEIBULL = 4, PARETO = 5, EMPIRICAL = 6
    UNIFORM = 7
    WORKS = 0, CALLS = 1, PUBLISHES = 2, PARALLELS = 3, WITH_PROBABILITY = 4, REPEATS = 5, CACHES = 6
    GROUPED = 7, WAITS = 8
    FIFO = 0, PRIORITY = 1, SHARING = 2
    ROUND_ROBIN = 0, RANDOM = 1, LEAST_OUTSTANDING = 2, POWER_OF_TWO = 3, SHARD = 4
    PER_REPLICA = 0, PER_SERVICE = 1, PER_CLIENT = 2
    POISSON = 0, DETERMINISTIC = 1, CLOSED = 2, PIECEWISE = 3, SINE = 4, RECORDED = 5, MMPP = 6
    SLOWED = 0, FAILING = 1, KILLED = 2, CUT_OFF = 3, FLUSHED = 4, RELEASED = 5
    WORK = 0, OUTSIDE = 1, SLOT = 2, CPU = 3, CONNECTION = 4, BULKHEAD = 5, NETWORK = 6, LOST = 7
    BACKOFF = 8, LOADING = 9, CALL = 10
    NO_ANSWER = 16, BREAKER_OPEN = 17, OVER_OWN_LIMIT = 18, NOBODY_THERE = 19, CUT = 20, NO_PERMIT = 21
    NO_CONNECTION = 22, OVER_LIMIT = 23, QUEUE_FULL = 24, SHED = 25, ERRS = 26, DIED = 27
    NOT_LOADED = 28

cdef enum:  # the numbers of a stream's draws, as in ``arrivals.py``
    DRAW_GAP
    DRAW_THIN
    DRAW_CHOICE
    DRAW_COPIES
    DRAW_STATE
    DRAW_NEXT
    DRAW_CLIENT

cdef enum:
    KINDS = 63  # mask of the bits of an event's kind
    INTERVALS = 60
    MOST_BATCHES = 8192
    LATE = 8  # a power of two
    BUDGET_SECONDS = 10
    EJECT_AFTER = 5
    DEEPEST = 200
    MOST_AT_ONCE = 100_000_000
    SLICE = 1_000_000
    TRACED_SLICE = 20_000
    NO_INTERVAL = -1
    JOURNEY_SPAN = 0
    REQUEST_SPAN = 1
    ATTEMPT_SPAN = 2

cdef extern from *:
    """
    #define INSTANT 5e-324
    #define ROUNDING 1e-12
    #define EJECT_FOR 30.0
    #define LIFE_JITTER 0.1
    #define SCALING_TOLERANCE 1e-9
    #define PENDING 10.0  /* as in reference/scaling.py */
    #define NANOSECOND 1e-9
    #define CIRCLE 6.283185307179586
    """
    const double INSTANT
    const double ROUNDING
    const double EJECT_FOR
    const double LIFE_JITTER
    const double SCALING_TOLERANCE
    const double PENDING
    const double NANOSECOND
    const double CIRCLE

cdef double PER_LOG = _PER_LOG
cdef double PERIOD = _PERIOD

include "memory.pxi"
include "randomness.pxi"
include "writing.pxi"
include "servers.pxi"
include "throttling.pxi"
include "client_state.pxi"
include "node_groups.pxi"
include "calls.pxi"
include "requests.pxi"
include "caches.pxi"
include "messages.pxi"
include "load.pxi"
include "faults.pxi"
include "dispatch.pxi"
include "loading.pxi"
include "results.pxi"
