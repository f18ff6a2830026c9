# What is written down while a run goes on: histograms, sums of time, batches, spans.
#
# A latency is a counter in an array of logarithmic buckets that grows with the range of what came,
# so a million million requests need no more memory than a thousand. Counters have 64 bits. Where
# time went is a table for each journey: a row for each bucket of its duration, a column for each
# cause and place that it ever had.


cdef inline long bucket_of(Engine *engine, double seconds) noexcept nogil:
    """The bucket of a positive number; the last one is remembered: a journey and its request often
    take the same time."""
    cdef double exact
    cdef long below
    if seconds != engine.bucket_seconds:
        exact = log(seconds) * PER_LOG
        below = <long>exact
        engine.bucket_seconds = seconds
        engine.bucket = below + (<double>below < exact)  # rounded up, without a call
    return engine.bucket


cdef inline void add_latency(Engine *engine, Histogram *histogram, double seconds) noexcept nogil:
    add_in_bucket(
        engine, histogram, seconds, bucket_of(engine, seconds) if seconds > 0 else 0
    )


cdef inline void add_in_bucket(
    Engine *engine, Histogram *histogram, double seconds, long bucket
) noexcept nogil:
    """Count a latency whose bucket is known."""
    cdef long place
    histogram.count += 1
    histogram.sum += seconds
    if seconds > histogram.max:
        histogram.max = seconds
    if not seconds > 0:
        histogram.zeros += 1
        return
    place = bucket - histogram.lowest
    if place < 0 or place >= histogram.room:
        make_room_for(engine, histogram, bucket)
        place = bucket - histogram.lowest
    count_later(engine, &histogram.buckets[place])


cdef inline void count_later(Engine *engine, uint64_t *counter) noexcept nogil:
    """Count up when the counter has come from memory, eight others later.

    In a large system it is hardly ever near, and nothing else waits for it.
    """
    cdef size_t place = engine.late_next & (LATE - 1)
    engine.late[place][0] += 1
    engine.late[place] = counter
    engine.late_next += 1
    FETCH(counter)


cdef void count_now(Engine *engine) noexcept nogil:
    """Count up all that is still to be counted."""
    cdef int n
    for n in range(LATE):
        engine.late[n][0] += 1
        engine.late[n] = &engine.nothing


cdef void make_room_for(Engine *engine, Histogram *histogram, long bucket) noexcept nogil:
    """Let the array reach a bucket, with as much to spare as it has, at least 16 each way."""
    cdef long lowest = bucket - 16, end = bucket + 16, spare = histogram.room // 2
    cdef uint64_t *buckets
    count_now(engine)
    if histogram.room:
        lowest = min(histogram.lowest, bucket - spare - 16)
        end = max(histogram.lowest + histogram.room, bucket + spare + 16)
    buckets = <uint64_t *>take(engine, (end - lowest) * sizeof(uint64_t))
    if histogram.room:
        memcpy(
            buckets + (histogram.lowest - lowest),
            histogram.buckets,
            histogram.room * sizeof(uint64_t),
        )
        give(engine, histogram.buckets)
    histogram.buckets = buckets
    histogram.lowest = lowest
    histogram.room = end - lowest


# -- where the time went ---------------------------------------------------------------------------

cdef Row *row_of(Engine *engine, Attribution *attribution, double seconds, long bucket) noexcept nogil:
    cdef long lowest, end, spare
    cdef Row *rows
    if not seconds > 0:
        return &attribution.zero
    if attribution.room == 0 or bucket < attribution.lowest or (
        bucket >= attribution.lowest + attribution.room
    ):
        lowest, end, spare = bucket - 16, bucket + 16, attribution.room // 2
        if attribution.room:
            lowest = min(attribution.lowest, bucket - spare - 16)
            end = max(attribution.lowest + attribution.room, bucket + spare + 16)
        rows = <Row *>take(engine, (end - lowest) * sizeof(Row))
        if attribution.room:
            memcpy(
                rows + (attribution.lowest - lowest),
                attribution.rows,
                attribution.room * sizeof(Row),
            )
            give(engine, attribution.rows)
        attribution.rows = rows
        attribution.lowest = lowest
        attribution.room = end - lowest
    return &attribution.rows[bucket - attribution.lowest]


cdef size_t column_of(Engine *engine, Attribution *attribution, uint32_t code) noexcept nogil:
    cdef uint64_t found = look(&attribution.places, code)
    cdef size_t room
    if found:
        return found - 1
    if attribution.columns == attribution.columns_room:
        room = 2 * attribution.columns_room if attribution.columns_room else 16
        attribution.codes = <uint32_t *>take_more(
            engine,
            attribution.codes,
            attribution.columns * sizeof(uint32_t),
            room * sizeof(uint32_t),
        )
        attribution.columns_room = room
    attribution.codes[attribution.columns] = code
    attribution.columns += 1
    store(engine, &attribution.places, code, attribution.columns)
    return attribution.columns - 1


cdef void attribute(
    Engine *engine, Attribution *attribution, double seconds, long bucket, const Notes *notes
) noexcept nogil:
    """A journey took ``seconds``; ``notes`` say what for."""
    cdef Row *row = row_of(engine, attribution, seconds, bucket)
    cdef const Note *each = notes.first
    cdef size_t column
    row.count += 1
    row.total += seconds
    while each != NULL:
        if each.seconds == 0:
            each = each.next
            continue
        column = column_of(engine, attribution, each.code)
        if column >= row.room:
            row.seconds = <double *>take_more(
                engine,
                row.seconds,
                row.room * sizeof(double),
                attribution.columns_room * sizeof(double),
            )
            row.room = attribution.columns_room
        row.seconds[column] += each.seconds
        each = each.next


# -- why journeys failed ---------------------------------------------------------------------------

cdef size_t row_of_reason(Engine *engine, Failures *failures, uint32_t code) noexcept nogil:
    cdef uint64_t found = look(&failures.places, code)
    cdef size_t count = failures.count, room = failures.room, wide = sizeof(uint64_t)
    if found:
        return found - 1
    if count == room:
        room = 2 * room if room else 16
        failures.codes = <uint32_t *>take_more(
            engine, failures.codes, count * sizeof(uint32_t), room * sizeof(uint32_t)
        )
        failures.counts = <uint64_t *>take_more(
            engine, failures.counts, count * wide, room * wide
        )
        failures.series = <uint64_t *>take_more(
            engine, failures.series, count * INTERVALS * wide, room * INTERVALS * wide
        )
        failures.room = room
    failures.codes[count] = code
    failures.count += 1
    store(engine, &failures.places, code, failures.count)
    return count


cdef void count_failure(
    Engine *engine, Failures *failures, double start, int interval, const Notes *notes
) noexcept nogil:
    """A journey has failed: where that began is the last reason among its notes."""
    cdef const Note *each = notes.first
    cdef uint32_t code = 0
    cdef size_t row
    while each != NULL:
        if each.code & REASON:
            code = each.code
        each = each.next
    if code:
        row = row_of_reason(engine, failures, code)
        if interval != NO_INTERVAL:
            failures.series[row * INTERVALS + interval] += 1
        failures.counts[row] += start >= engine.warmup


# -- the series of latencies -----------------------------------------------------------------------

cdef void add_to_batches(Batches *batches, double start, double seconds) noexcept nogil:
    """Add to the last batch; when there are too many, two become one."""
    cdef size_t n
    if batches.filled == 0:
        if batches.count == MOST_BATCHES:
            for n in range(MOST_BATCHES // 2):
                batches.starts[n] = batches.starts[2 * n]
                batches.sums[n] = batches.sums[2 * n] + batches.sums[2 * n + 1]
            batches.count = MOST_BATCHES // 2
            batches.size *= 2
        batches.starts[batches.count] = start
        batches.sums[batches.count] = 0
        batches.count += 1
    batches.sums[batches.count - 1] += seconds
    batches.filled += 1
    if batches.filled == batches.size:
        batches.filled = 0


cdef void journey_finished(
    Engine *engine, Journey *journey, int outcome, double start, Notes *notes
) noexcept nogil:
    """A journey has its answer, or its user has given up; in the series only while the run lasts."""
    cdef double now = engine.time, seconds = now - start
    cdef long bucket = bucket_of(engine, seconds) if seconds > 0 else 0
    cdef int interval = NO_INTERVAL
    if now < engine.duration:
        interval = min(INTERVALS - 1, <int>(now / engine.duration * INTERVALS))
        journey.tally.answered += now >= engine.warmup and outcome <= DEGRADED
        journey.finished[interval] += 1
        journey.failed[interval] += outcome > DEGRADED
        add_in_bucket(engine, &journey.series[interval], seconds, bucket)
    if start >= engine.warmup:
        add_in_bucket(engine, &journey.tally.latency[outcome], seconds, bucket)
        attribute(engine, &journey.attribution, seconds, bucket, notes)
    add_to_batches(&journey.batches, start, seconds)
    if outcome > DEGRADED:
        count_failure(engine, &journey.failures, start, interval, notes)


# -- the trace -------------------------------------------------------------------------------------

cdef void trace(
    Engine *engine, int kind, int index, Key root, Key key, double start, int outcome
) noexcept nogil:
    """Keep what has just ended, if it belongs to a journey that is looked at."""
    cdef Span *span
    if engine.share < 1 and uniform(engine.sampling, root, 0) >= engine.share:
        return
    if engine.spans_count == engine.spans_room:
        engine.spans_room = 2 * engine.spans_room if engine.spans_room else 1024
        engine.spans = <Span *>take_more(
            engine,
            engine.spans,
            engine.spans_count * sizeof(Span),
            engine.spans_room * sizeof(Span),
        )
    span = &engine.spans[engine.spans_count]
    span.kind, span.index, span.root, span.key = kind, index, root, key
    span.start, span.end, span.outcome = start, engine.time, outcome
    engine.spans_count += 1
