# What a caller puts between itself and a callee: token buckets, retry budgets, circuit breakers.
#
# A window of calls is a ring of seconds (or of single calls) that holds no more than the window is
# long.


cdef bint takes_token(Bucket *bucket, double now) noexcept nogil:
    """Whether there is a token; it is then gone."""
    bucket.tokens = min(bucket.burst, bucket.tokens + (now - bucket.since) * bucket.rate)
    bucket.since = now
    if bucket.tokens < 1 - 1e-9:
        return False
    bucket.tokens -= 1
    return True


cdef void fill(Bucket *bucket, const LimitSpec *spec) noexcept nogil:
    bucket.rate, bucket.burst, bucket.tokens, bucket.since = spec.rate, spec.burst, spec.burst, 0.0


cdef Bucket *bucket_of_client(Engine *engine, Key client, int limit) noexcept nogil:
    cdef Key key = child(client, 0, <Key>limit)
    cdef Bucket *found = <Bucket *>look(&engine.buckets_of_clients, key)
    if found == NULL:
        found = <Bucket *>piece(engine, &engine.client_buckets)
        fill(found, &engine.limits[limit])
        store(engine, &engine.buckets_of_clients, key, <uint64_t>found)
    return found


cdef void forget_client(Engine *engine, Key client) noexcept nogil:
    """A client has gone and will not come again."""
    cdef Bucket *found
    cdef Key key
    cdef int n
    for n in range(engine.limits_count):
        if engine.limits[n].scope == PER_CLIENT:
            key = child(client, 0, <Key>n)
            found = <Bucket *>look(&engine.buckets_of_clients, key)
            if found != NULL:
                forget(&engine.buckets_of_clients, key)
                put_back(engine, &engine.client_buckets, found)


# -- windows ---------------------------------------------------------------------------------------

cdef inline Second *oldest(Window *window) noexcept nogil:
    return &window.seconds[window.first]


cdef inline Second *newest(Window *window) noexcept nogil:
    return &window.seconds[(window.first + window.count - 1) & (window.room - 1)]


cdef void open_second(Engine *engine, Window *window, int64_t second) noexcept nogil:
    """Add an empty second."""
    cdef Second *seconds
    cdef Second *new
    cdef size_t n, room
    if window.count == window.room:
        room = 2 * window.room if window.room else 8
        seconds = <Second *>take(engine, room * sizeof(Second))
        for n in range(window.count):
            seconds[n] = window.seconds[(window.first + n) & (window.room - 1)]
        give(engine, window.seconds)
        window.seconds, window.first, window.room = seconds, 0, room
    window.count += 1
    new = newest(window)
    new.second, new.calls, new.failed, new.slow = second, 0, 0, 0


cdef inline void close_oldest(Window *window) noexcept nogil:
    window.first = (window.first + 1) & (window.room - 1)
    window.count -= 1


# -- retry budgets ---------------------------------------------------------------------------------

cdef Second *budget_second(Engine *engine, Budget *budget, double now) noexcept nogil:
    cdef int64_t second = <int64_t>now
    cdef Window *window = &budget.window
    while window.count and oldest(window).second <= second - BUDGET_SECONDS:
        budget.firsts -= oldest(window).calls
        budget.retries -= oldest(window).failed
        close_oldest(window)
    if window.count == 0 or newest(window).second != second:
        open_second(engine, window, second)
    return newest(window)


cdef void first_try(Engine *engine, Budget *budget, double now) noexcept nogil:
    budget_second(engine, budget, now).calls += 1
    budget.firsts += 1


cdef bint allows_retry(Engine *engine, Budget *budget, double now) noexcept nogil:
    """Whether one more retry fits; it is then counted."""
    cdef Second *second = budget_second(engine, budget, now)
    cdef BudgetSpec *spec = budget.spec
    if budget.retries + 1 > spec.ratio * budget.firsts + spec.floor * BUDGET_SECONDS:
        return False
    second.failed += 1
    budget.retries += 1
    return True


# -- circuit breakers ------------------------------------------------------------------------------

cdef void clear_breaker(Breaker *breaker, double window, bint timed, double minimum) noexcept nogil:
    breaker.window.count = 0
    breaker.calls = breaker.failed = breaker.slow = 0
    breaker.size, breaker.timed = window, timed
    breaker.minimum = minimum if timed else min(minimum, window)


cdef void close_breaker(Breaker *breaker) noexcept nogil:
    clear_breaker(breaker, breaker.spec.window, breaker.spec.timed, breaker.spec.minimum)


cdef int64_t permits(Breaker *breaker, double now) noexcept nogil:
    """A ticket for ``record_call``, or -1: the call must not be made."""
    if breaker.is_open:
        if now < breaker.open_until:
            return -1
        breaker.is_open, breaker.is_half_open = False, True
        breaker.probes_left = <int64_t>breaker.spec.probes
        breaker.generation += 1
        clear_breaker(breaker, breaker.spec.probes, False, breaker.spec.minimum)
    if breaker.is_half_open:
        if breaker.probes_left == 0:
            return -1
        breaker.probes_left -= 1
    return breaker.generation


cdef void hand_back(Breaker *breaker, int64_t ticket) noexcept nogil:
    """A permitted call was given up without a result: its probe may be made again."""
    if breaker.is_half_open and ticket == breaker.generation:
        breaker.probes_left += 1


cdef void forget_oldest(Breaker *breaker) noexcept nogil:
    cdef Second *second = oldest(&breaker.window)
    breaker.calls -= second.calls
    breaker.failed -= second.failed
    breaker.slow -= second.slow
    close_oldest(&breaker.window)


cdef void record_call(
    Engine *engine, Breaker *breaker, int64_t ticket, bint failed, double seconds
) noexcept nogil:
    """A permitted call has ended; calls of an earlier state do not count any more."""
    cdef Window *window = &breaker.window
    cdef int64_t second = <int64_t>engine.time
    cdef bint slow
    if ticket != breaker.generation:
        return
    slow = seconds > breaker.spec.slow
    while breaker.timed and window.count and oldest(window).second <= second - breaker.size:
        forget_oldest(breaker)
    if not breaker.timed or window.count == 0 or newest(window).second != second:
        open_second(engine, window, second)
    newest(window).calls += 1
    newest(window).failed += failed
    newest(window).slow += slow
    breaker.calls += 1
    breaker.failed += failed
    breaker.slow += slow
    if not breaker.timed and breaker.calls > breaker.size:
        forget_oldest(breaker)
    judge(engine, breaker)


cdef void judge(Engine *engine, Breaker *breaker) noexcept nogil:
    cdef BreakerSpec *spec = breaker.spec
    if breaker.calls < breaker.minimum:
        return
    if (
        breaker.failed >= spec.failure_rate * breaker.calls
        or breaker.slow >= spec.slow_rate * breaker.calls
    ):
        breaker.opened += 1
        breaker.is_open, breaker.is_half_open = True, False
        breaker.open_until = engine.time + spec.open_for
        breaker.generation += 1
        if engine.time >= engine.warmup:
            spec.opened += 1
    elif breaker.is_half_open:
        breaker.is_half_open = False
        breaker.generation += 1
        close_breaker(breaker)
