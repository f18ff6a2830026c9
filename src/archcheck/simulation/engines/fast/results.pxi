# One run, from a plan to a record.


class StoppedError(Exception):
    """A run that cannot go on: ``reason``, the ``time`` that it had reached, ``stations``."""

    def __init__(self, reason, time, stations):
        super().__init__(reason)
        self.reason = reason
        self.time = time
        self.stations = stations


cdef class Run:
    """One run of a checked plan."""

    cdef Engine *engine
    cdef object plan

    def __cinit__(self, plan, Key seed, double duration, double warmup, share):
        self.engine = <Engine *>calloc(1, sizeof(Engine))
        if self.engine == NULL:
            raise MemoryError
        self.plan = plan
        cdef Engine *engine = self.engine
        engine.seed, engine.warmup = seed, warmup
        engine.duration = engine.until = duration
        engine.node_place = place_hash("node")
        engine.may_deadlock = plan.may_deadlock
        engine.slice = SLICE
        if share is not None:
            engine.is_traced, engine.share, engine.slice = True, share, TRACED_SLICE
            engine.sampling = stream(seed, place_hash("trace"))
        set_slabs(engine)
        for n in range(LATE):
            engine.late[<int>n] = &engine.nothing

    def __init__(self, plan, seed, duration, warmup, share):
        cdef Engine *engine = self.engine
        load_blocks(engine, plan)
        load_operations(engine, plan)
        load_sites(engine, plan)
        load_stations(engine, plan)
        load_policies(engine, plan)
        load_caches(engine, plan)
        load_node_groups(engine, plan)
        self._guarded(start_node_groups)
        load_channels(engine, plan)
        load_journeys(engine, plan)
        load_sources(engine, plan)
        load_faults(engine, plan)
        self._guarded(start)

    def __dealloc__(self):
        if self.engine != NULL:
            give_everything(self.engine)
            free(self.engine.events.heap)
            free(self.engine)

    cdef int _guarded(self, void (*body)(void *) noexcept nogil) except -1:
        cdef int reason
        with nogil:
            reason = run_guarded(&self.engine.escape, body, self.engine)
        if reason == NO_MEMORY:
            raise MemoryError
        if reason:
            raise StoppedError(reason, self.engine.time, self._stuck())
        return 0

    def go_on(self):
        """Simulate the next part of the run; whether it is over."""
        self._guarded(run_slice)
        return bool(self.engine.is_over)

    @property
    def time(self):
        """Seconds that have been simulated."""
        return self.engine.time

    @property
    def pending(self):
        """Events that are still to happen."""
        return self.engine.events.count

    def _stuck(self):
        cdef Recorder *recorder
        cdef size_t n
        stations = set()
        for n in range(self.engine.recorders.count):
            recorder = <Recorder *>self.engine.recorders.items[n]
            if recorder.is_stuck and recorder.station >= 0:
                stations.add(recorder.station)
        return stations

    def spans(self):
        """What has ended since the last time that this was asked, in order.

        (kind, index, root, key, start, end, outcome) of each.
        """
        cdef size_t n
        cdef Span *span
        found = []
        for n in range(self.engine.spans_count):
            span = &self.engine.spans[n]
            found.append(
                (
                    span.kind, span.index, span.root, span.key, span.start, span.end,
                    span.outcome,
                )
            )
        self.engine.spans_count = 0
        return found

    def record(self):
        """Add up, and hand over what was written down."""
        cdef Engine *engine = self.engine
        self._guarded(finish_run)
        record = Record(self.plan, engine.duration, engine.warmup)
        record.end = engine.time
        record.events = engine.processed
        for n in range(engine.operations_count):
            fill_tally(record.operations[n], &engine.operations[<int>n].tally)
        for n in range(engine.sites_count):
            fill_calls(record.calls[n], &engine.sites[<int>n])
        for n in range(engine.stations_count):
            fill_station(record.stations[n], &engine.stations[<int>n].record)
            fill_series(record, n, &engine.stations[<int>n])
        for n in range(engine.pools_count):
            fill_station(record.pools[n], &engine.pools[<int>n].record)
        for n in range(engine.bulkheads_count):
            fill_station(record.bulkheads[n], &engine.bulkheads[<int>n].record)
        fill_counts(record, self.plan, engine)
        return record

    def drain(self, double until):
        """Let the run go on until then, for those who are under way; nobody comes any more."""
        self.engine.until = until
        self.engine.is_draining, self.engine.is_over = True, False

    @property
    def in_flight(self):
        """Journeys that were started after the warm-up and have not ended."""
        cdef const Tally *tally
        cdef int n, outcome
        found = 0
        for n in range(self.engine.journeys_count):
            tally = &self.engine.journeys[n].tally
            found += tally.started
            for outcome in range(6):
                found -= tally.latency[outcome].count
        return found

    def add_journeys(self, record):
        """Write down how the journeys ended."""
        cdef Engine *engine = self.engine
        with nogil:
            count_now(engine)
        for n in range(engine.journeys_count):
            fill_journey(record, n, &engine.journeys[<int>n])


cdef void set_slabs(Engine *engine) noexcept:
    engine.notes.size = sizeof(Note)
    engine.frames.size = sizeof(Frame)
    engine.visits.size = sizeof(Visit)
    engine.requests.size = sizeof(Request)
    engine.walks.size = sizeof(Walk)
    engine.joins.size = sizeof(Join)
    engine.calls.size = sizeof(Call)
    engine.attempts.size = sizeof(Attempt)
    engine.travels.size = sizeof(Travel)
    engine.sessions.size = sizeof(Session)
    engine.entries.size = sizeof(Entry)
    engine.client_buckets.size = sizeof(Bucket)
    engine.small.size = max(
        sizeof(Loading), max(sizeof(Delivery), max(sizeof(Hedge), max(sizeof(Waiter), 24)))
    )


cdef object histogram_of(const Histogram *histogram, object into):
    """Fill in a histogram of the record."""
    cdef long n
    buckets = {}
    for n in range(histogram.room):
        if histogram.buckets[n]:
            buckets[histogram.lowest + n] = histogram.buckets[n]
    into.fill(histogram.count, histogram.sum, histogram.max, histogram.zeros, buckets)


cdef fill_tally(tally, const Tally *measured):
    tally.started, tally.answered = measured.started, measured.answered
    for outcome in range(6):
        if measured.latency[<int>outcome].count:
            histogram_of(&measured.latency[<int>outcome], tally.latency[outcome])


cdef fill_journey(record, index, const Journey *journey):
    cdef int n
    fill_tally(record.journeys[index], &journey.tally)
    fill_attribution(record.attribution[index], &journey.attribution)
    fill_failures(record.failures[index], &journey.failures)
    series, batches = record.series[index], record.batches[index]
    for n in range(INTERVALS):
        series.finished[n], series.failed[n] = journey.finished[n], journey.failed[n]
        if journey.series[n].count:
            histogram_of(&journey.series[n], series.latency[n])
    batches.size, batches.filled = journey.batches.size, journey.batches.filled
    for n in range(<int>journey.batches.count):
        batches.starts.append(journey.batches.starts[n])
        batches.sums.append(journey.batches.sums[n])


cdef fill_failures(failures, const Failures *measured):
    cdef size_t n
    cdef int interval
    for n in range(measured.count):
        code = measured.codes[n]
        if measured.counts[n]:
            failures.counts[code] = measured.counts[n]
        failures.series[code] = [
            measured.series[n * INTERVALS + interval] for interval in range(INTERVALS)
        ]


cdef fill_attribution(attribution, const Attribution *measured):
    cdef long n
    fill_row(attribution, None, measured, &measured.zero)
    for n in range(measured.room):
        fill_row(attribution, measured.lowest + n, measured, &measured.rows[n])


cdef fill_row(attribution, bucket, const Attribution *measured, const Row *row):
    cdef size_t n
    if row.count:
        seconds = {
            measured.codes[n]: row.seconds[n]
            for n in range(row.room)
            if n < measured.columns and row.seconds[n] != 0
        }
        attribution.fill(bucket, row.count, row.total, seconds)


cdef fill_calls(calls, const Site *site):
    calls.calls, calls.retries, calls.hedges = site.calls, site.retries, site.hedged
    calls.outcomes = [site.outcomes[<int>outcome] for outcome in range(6)]


cdef fill_station(station, const StationRecord *measured):
    station.busy, station.waiting = measured.busy, measured.waiting
    station.capacity, station.visits = measured.capacity, measured.visits
    station.ended, station.rejected = measured.ended, measured.rejected
    station.waited, station.residence = measured.waited, measured.residence
    station.busiest, station.left_waiting = measured.busiest, measured.left_waiting
    station.throttled = measured.throttled


cdef fill_series(record, index, const Station *station):
    cdef int n
    for n in range(INTERVALS):
        record.busy_series[index][n] = station.busy_series[n]
        record.capacity_series[index][n] = station.capacity_series[n]
        record.waiting_series[index][n] = station.waiting_series[n]


cdef fill_counts(record, plan, Engine *engine):
    """The names of what was merely counted, as the reference engine calls it."""
    cdef Channel *channel
    cdef int n, m
    found = []
    for n in range(engine.sites_count):
        name = plan.calls[n].name
        found.append((f"hits: {name}", engine.sites[n].hits))
        found.append((f"misses: {name}", engine.sites[n].misses))
        found.append((f"joined: {name}", engine.sites[n].joined))
    for n in range(engine.breakers_count):
        found.append((f"breaker opened: {plan.breakers[n].name}", engine.breakers[n].opened))
    for n in range(engine.node_groups_count):
        name = plan.groups[n].name
        found.append((f"scaled out: {name}", engine.node_groups[n].scaled_out))
        found.append((f"scaled in: {name}", engine.node_groups[n].scaled_in))
    for n in range(engine.channels_count):
        channel = &engine.channels[n]
        found.append((f"nobody reads: {plan.channels[n].name}", channel.unread))
        for m in range(channel.subscriptions):
            name = plan.operations[channel.subscribers[m].operation.index].name
            found.append((f"redelivered: {name}", channel.subscribers[m].redelivered))
            found.append((f"dead letters: {name}", channel.subscribers[m].dead_letters))
            found.append((f"dropped: {name}", channel.subscribers[m].dropped))
    for what, count in found:
        if count:
            record.counts.values[what] += count


def numbers_of_the_plan():
    """The numbers that this module knows of each enumeration; a test compares them."""
    return {
        Outcome: (OK, DEGRADED, TIMED_OUT, REJECTED, BROKEN, FAILED),
        SamplerShape: (CONSTANT, EXPONENTIAL, LOGNORMAL, GAMMA, WEIBULL, PARETO, EMPIRICAL, UNIFORM),
        StepKind: (
            WORKS, CALLS, PUBLISHES, PARALLELS, WITH_PROBABILITY, REPEATS, CACHES, GROUPED, WAITS,
        ),
        Discipline: (FIFO, PRIORITY, SHARING),
        Balance: (ROUND_ROBIN, RANDOM, LEAST_OUTSTANDING, POWER_OF_TWO, SHARD),
        Scope: (PER_REPLICA, PER_SERVICE, PER_CLIENT),
        ArrivalKind: (POISSON, DETERMINISTIC, CLOSED, PIECEWISE, SINE, RECORDED, MMPP),
        FaultKind: (SLOWED, FAILING, KILLED, CUT_OFF, FLUSHED, RELEASED),
        Cause: (
            WORK, OUTSIDE, SLOT, CPU, CONNECTION, BULKHEAD, NETWORK, LOST, BACKOFF, LOADING, CALL,
        ),
        FailureReason: (
            NO_ANSWER, BREAKER_OPEN, OVER_OWN_LIMIT, NOBODY_THERE, CUT, NO_PERMIT, NO_CONNECTION,
            OVER_LIMIT, QUEUE_FULL, SHED, ERRS, DIED, NOT_LOADED,
        ),
    }
