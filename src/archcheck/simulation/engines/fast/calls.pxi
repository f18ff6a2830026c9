# A call: attempts at an operation, with all that a caller does about slowness and failure.
#
# An attempt is referred to by its call while it is open, by its timeouts, and by whatever carries
# it on: the way there, the request, the way back. A call is referred to by its attempts and its
# timers, and by itself until it has an answer.


cdef void call_operation(
    Engine *engine, Caller *caller, int site, Walk *walk, Travel *travel, Step *lookup, Key key
) noexcept nogil:
    """Ask; the answer goes to a walk (or to its lookup in a cache) or to a travelling user."""
    cdef Call *call = <Call *>piece(engine, &engine.calls)
    call.caller = caller
    call.site = &engine.sites[site]
    call.link = link_of(engine, caller, call.site)
    call.lookup = lookup
    call.key = key
    if walk != NULL:
        call.asker, call.is_journey = walk, False
        call.rank, call.deadline, call.root = walk.rank, walk.deadline, walk.request.root
        call.client = engine.clients[call.site.source + 1]
        walk.call = call
    else:
        call.asker, call.is_journey = travel, True
        call.rank, call.deadline, call.root = travel.journey.rank, INFINITY, travel.key
        call.client = travel.client
    call.number = call.tries = 0
    call.since = call.try_since = engine.time
    call.open = NULL
    call.is_given_up = False
    call.refs = 1
    if call.since >= engine.warmup:
        call.site.calls += 1
    make_try(engine, call)


cdef void drop_call(Engine *engine, Call *call) noexcept nogil:
    call.refs -= 1
    if call.refs == 0:
        put_back(engine, &engine.calls, call)


cdef void make_try(Engine *engine, Call *call) noexcept nogil:
    cdef Site *site = call.site
    if call.is_given_up:
        drop_call(engine, call)
        return
    engine.nested += 1
    if engine.nested > DEEPEST:
        leave(&engine.escape, TOO_DEEP)
    if call.tries == 0 and site.budget >= 0:
        if call.link.budget == NULL:
            call.link.budget = budget_of(engine, call.caller, site.budget)
        first_try(engine, call.link.budget, call.since)
    call.try_since = engine.time
    call.tries += 1
    call.refs += 1
    make_attempt(engine, call)
    if site.hedges > 1 and call.open != NULL:
        plan_hedge(engine, call, call.number, 1)
    drop_call(engine, call)
    engine.nested -= 1


cdef void plan_hedge(Engine *engine, Call *call, int64_t first, int64_t made) noexcept nogil:
    cdef Hedge *hedge = <Hedge *>piece(engine, &engine.small)
    hedge.call, hedge.first, hedge.made = call, first, made
    call.refs += 1
    timer(engine, call.site.hedge_after, HEDGES, hedge)


cdef void hedge_call(Engine *engine, Hedge *hedge) noexcept nogil:
    """The try that began with attempt ``first`` has no answer yet: ask once more."""
    cdef Call *call = hedge.call
    cdef int64_t first = hedge.first, made = hedge.made
    put_back(engine, &engine.small, hedge)
    if call.open != NULL and call.number == first + made - 1 and not call.caller.is_dead:
        if engine.time >= engine.warmup:
            call.site.hedged += 1
        make_attempt(engine, call)
        if made + 1 < call.site.hedges and call.open != NULL:
            plan_hedge(engine, call, first, made + 1)
    drop_call(engine, call)


cdef void settled(Engine *engine, Attempt *attempt, int outcome) noexcept nogil:
    """An attempt has ended: the first good answer counts, or the last bad one."""
    cdef Call *call = attempt.call
    cdef Site *site = call.site
    cdef Attempt *other
    cdef Attempt **place = &call.open
    cdef Notes *notes
    if engine.is_traced:
        trace(engine, ATTEMPT_SPAN, site.index, call.root, attempt.key, attempt.since, outcome)
    if call.since >= engine.warmup:
        site.outcomes[outcome] += 1
    while place[0] != attempt:
        place = &place[0].next
    place[0] = attempt.next
    if call.open != NULL:
        if outcome > DEGRADED:
            drop_notes(engine, &attempt.notes)
            drop_attempt(engine, attempt)
            return
        while call.open != NULL:
            other = call.open
            call.open = other.next
            abandon(engine, other)
    notes = &(<Travel *>call.asker).notes if call.is_journey else &(<Walk *>call.asker).notes
    if attempt.since > call.try_since:
        note(engine, notes, LOST, site.index, attempt.since - call.try_since)
    append_notes(notes, &attempt.notes)
    drop_attempt(engine, attempt)
    if outcome > DEGRADED and tries_again(engine, call, notes, outcome):
        return
    note(engine, notes, CALL, site.index, engine.time - call.since)
    if outcome > DEGRADED and site.optional and site.fallback < 0:
        outcome = DEGRADED
    answer_asker(engine, call, outcome)


cdef void give_call_up(Engine *engine, Call *call) noexcept nogil:
    """Who asked has gone: no attempt is waited for, and none follows."""
    cdef Attempt *other
    call.is_given_up = True
    if call.open == NULL:  # it pauses before its next try, which will find that it is over
        return
    while call.open != NULL:
        other = call.open
        call.open = other.next
        abandon(engine, other)
    drop_call(engine, call)


cdef void answer_asker(Engine *engine, Call *call, int outcome) noexcept nogil:
    cdef void *asker = call.asker
    cdef bint is_journey = call.is_journey
    cdef Step *lookup = call.lookup
    cdef int fallback = call.site.fallback
    drop_call(engine, call)
    if is_journey:
        entry_answered(engine, <Travel *>asker, outcome)
    elif lookup != NULL:
        cache_answered(engine, <Walk *>asker, lookup, outcome)
    else:
        call_answered(engine, <Walk *>asker, outcome, fallback)


cdef bint tries_again(Engine *engine, Call *call, Notes *notes, int outcome) noexcept nogil:
    cdef Site *site = call.site
    cdef double wait
    if (
        not (site.retried >> outcome) & 1
        or call.tries >= site.attempts
        or engine.time >= call.deadline
        or call.caller.is_dead
    ):
        return False
    if site.budget >= 0 and not allows_retry(engine, call.link.budget, engine.time):
        return False
    if call.since >= engine.warmup:
        site.retries += 1
    wait = min(site.backoff * pow(site.factor, <double>(call.tries - 1)), site.max_backoff)
    if site.jitter:
        wait *= uniform(site.jitter_draws, call.key, <Key>call.number)
    if wait > 0:
        note(engine, notes, BACKOFF, site.index, wait)
    after(engine, wait, RETRIES, call)
    return True


# -- attempts --------------------------------------------------------------------------------------

cdef void make_attempt(Engine *engine, Call *call) noexcept nogil:
    """Pass the breaker and the limit; then the time runs."""
    cdef Site *site = call.site
    cdef Link *link = call.link
    cdef Attempt *attempt = <Attempt *>piece(engine, &engine.attempts)
    cdef Attempt **place = &call.open
    cdef double now = engine.time
    call.number += 1
    call.refs += 1
    attempt.call = call
    attempt.key = child(call.key, site.place, <Key>call.number)
    attempt.since = now
    attempt.deadline = INFINITY
    attempt.travel = 0.0
    attempt.notes.first = attempt.answer.first = NULL
    attempt.connection = attempt.permit = NULL
    attempt.request = NULL
    attempt.replica = NULL
    attempt.next = NULL
    attempt.ticket = -1
    attempt.refs = 1
    attempt.is_settled = attempt.is_watched = attempt.is_cut = False
    while place[0] != NULL:
        place = &place[0].next
    place[0] = attempt
    if site.breaker >= 0:
        if link.breaker == NULL:
            link.breaker = breaker_of(engine, call.caller, site.breaker)
        attempt.ticket = permits(link.breaker, now)
        if attempt.ticket < 0:
            refuse(engine, attempt, BROKEN, BREAKER_OPEN, site.index)
            return
    if site.limit >= 0 and not attempt_has_token(engine, call):
        refuse(engine, attempt, REJECTED, OVER_OWN_LIMIT, site.index)
        return
    attempt.refs += 1
    if site.inherits:
        attempt.deadline = min(now + site.timeout, call.deadline)
    if attempt.deadline < now + site.timeout:
        attempt.refs += 1
        timer(engine, attempt.deadline - now, TIMES_OUT, attempt)
    elif site.timeout < INFINITY:
        watch(engine, site, attempt)
    if site.bulkhead >= 0:
        enter_bulkhead(engine, attempt)
    else:
        connect(engine, attempt)
    drop_attempt(engine, attempt)


cdef void drop_attempt(Engine *engine, Attempt *attempt) noexcept nogil:
    cdef Call *call
    attempt.refs -= 1
    if attempt.refs == 0:
        call = attempt.call
        drop_notes(engine, &attempt.notes)
        if attempt.connection != NULL:
            put_back(engine, &engine.visits, attempt.connection)
        if attempt.permit != NULL:
            put_back(engine, &engine.visits, attempt.permit)
        put_back(engine, &engine.attempts, attempt)
        drop_call(engine, call)


cdef bint attempt_has_token(Engine *engine, Call *call) noexcept nogil:
    cdef int limit = call.site.limit
    if engine.limits[limit].scope != PER_REPLICA:
        return takes_token(&engine.buckets[limit], engine.time)
    if call.link.limit == NULL:
        call.link.limit = bucket_of_caller(engine, call.caller, limit)
    return takes_token(call.link.limit, engine.time)


cdef void enter_bulkhead(Engine *engine, Attempt *attempt) noexcept nogil:
    cdef Call *call = attempt.call
    cdef int index = call.site.bulkhead
    cdef double wait = engine.bulkheads[index].max_wait
    cdef Recorder *bulkhead = call.link.bulkhead
    if bulkhead == NULL:
        bulkhead = call.link.bulkhead = bulkhead_of(engine, call.caller, index)
    if wait <= 0 and bulkhead.busy >= bulkhead.servers:
        reject(engine, bulkhead)
        refuse(engine, attempt, REJECTED, NO_PERMIT, index)
        return
    attempt.permit = <Visit *>piece(engine, &engine.visits)
    if acquire(engine, bulkhead, attempt.permit, PERMITTED, attempt, 0, False):
        connect(engine, attempt)
        return
    if wait < INFINITY:
        attempt.refs += 1
        timer(engine, wait, GIVES_UP_PERMIT, attempt)
    attempt.refs += 1


cdef void permitted(Engine *engine, Attempt *attempt) noexcept nogil:
    if not attempt.is_settled:
        note(
            engine,
            &attempt.notes,
            BULKHEAD,
            attempt.call.site.bulkhead,
            engine.time - attempt.since,
        )
        connect(engine, attempt)
    drop_attempt(engine, attempt)


cdef void connect(Engine *engine, Attempt *attempt) noexcept nogil:
    """Take a connection, if there is a pool, and send the request."""
    cdef Call *call = attempt.call
    cdef int index = call.site.pool
    cdef double wait
    if index < 0:
        send(engine, attempt)
        return
    if call.link.pool == NULL:
        call.link.pool = pool_of(engine, call.caller, index)
    attempt.connection = <Visit *>piece(engine, &engine.visits)
    if acquire(engine, call.link.pool, attempt.connection, CONNECTED, attempt, 0, False):
        send(engine, attempt)
        return
    wait = engine.pools[index].max_wait
    if wait < INFINITY:
        attempt.refs += 1
        timer(engine, wait, GIVES_UP_CONNECTION, attempt)
    attempt.refs += 1


cdef void connected(Engine *engine, Attempt *attempt) noexcept nogil:
    if not attempt.is_settled:
        note(
            engine,
            &attempt.notes,
            CONNECTION,
            attempt.call.site.pool,
            engine.time - attempt.connection.since,
        )
        send(engine, attempt)
    drop_attempt(engine, attempt)


cdef void give_up(Engine *engine, Attempt *attempt, Visit *visit, int cause, int index) noexcept nogil:
    """The longest wait for a permit or a connection is over."""
    if not visit.is_served and not attempt.is_settled:
        note(engine, &attempt.notes, cause, index, engine.time - visit.since)
        refuse(engine, attempt, REJECTED, NO_PERMIT if cause == BULKHEAD else NO_CONNECTION, index)
    drop_attempt(engine, attempt)


cdef void send(Engine *engine, Attempt *attempt) noexcept nogil:
    cdef Call *call = attempt.call
    cdef Site *site = call.site
    cdef Caller *caller = call.caller
    cdef double there = site.there
    if caller.is_dead:
        settle(engine, attempt, FAILED)  # nobody waits for it
        return
    if site.target >= 0:
        attempt.replica = choose_node(engine, caller, site, attempt.key, call.key)
        if attempt.replica == NULL:
            refuse(engine, attempt, FAILED, NOBODY_THERE, site.index)
            return
        if site.across and is_across(caller.zone, attempt.replica.caller.zone):
            there += site.across
        if site.counts_outstanding:
            count_outstanding(engine, caller, attempt.replica, 1)
    attempt.refs += 1
    if engine.cuts.count and is_cut(engine, site, attempt):
        attempt.is_cut = True
        return
    attempt.travel = there
    if there > 0:
        fetch_callee(engine, site.operation, attempt.replica)
        after(engine, there, ARRIVES, attempt)
    else:
        arrive(engine, attempt)


cdef inline void fetch_callee(
    Engine *engine, Operation *operation, Replica *replica
) noexcept nogil:
    """Let come from memory what the request will touch when it arrives."""
    FETCH(engine.blocks[operation.block].steps)
    FETCH(&operation.tally)
    if replica != NULL:
        fetch_recorder(replica.slots)
        fetch_recorder(replica.cores)


cdef inline void fetch_recorder(const Recorder *recorder) noexcept nogil:
    if recorder != NULL:
        FETCH(recorder)
        FETCH(&recorder.first)
        FETCH(&recorder.virtual)
        FETCH(recorder.record)


cdef Replica *choose_node(
    Engine *engine, Caller *caller, Site *site, Key key, Key call_key
) noexcept nogil:
    cdef NodeGroup *node_group = &engine.node_groups[site.target]
    cdef int64_t index
    cdef Key drawn
    if site.balance != SHARD:
        return choose(engine, caller, site, key)
    if node_group.initial == 1:
        index = 0
    elif not site.keys.is_given:
        index = <int64_t>(uniform(site.node_draws, key, 0) * <double>node_group.initial)
    else:
        drawn = <Key>zipf(&site.keys, site.node_draws, call_key)
        index = <int64_t>(child(node_group.place, drawn, 0) % <Key>node_group.initial)
    return <Replica *>look(&node_group.by_index, <Key>index)


cdef inline bint is_across(int zone, int other) noexcept nogil:
    """Whether two known zones are not the same."""
    return zone != other and zone >= 0 and other >= 0


cdef void lose(Engine *engine, Attempt *attempt) noexcept nogil:
    """The link was cut and is back: the connection has failed in the meantime."""
    cdef double waited = 0.0
    cdef Note *each = attempt.notes.first
    while each != NULL:
        waited += each.seconds
        each = each.next
    note(
        engine,
        &attempt.answer,
        LOST,
        attempt.call.site.index,
        engine.time - attempt.since - waited,
    )
    note(engine, &attempt.answer, CUT, attempt.call.site.index, 0)
    attempt.outcome = FAILED
    receive(engine, attempt)


cdef void arrive(Engine *engine, Attempt *attempt) noexcept nogil:
    cdef Call *call = attempt.call
    cdef Request *request = new_request(
        engine, call.site.operation, attempt.replica, attempt, False, attempt.key, call.rank
    )
    request.root = call.root
    attempt.request = request
    if call.site.tells:
        request.walk.deadline = attempt.deadline
    request.is_late = attempt.is_settled and call.site.drops
    request.is_cancelled = attempt.is_settled and call.site.stops
    admit(engine, request, False)


cdef void answer_attempt(Engine *engine, Attempt *attempt, int outcome, Notes *notes) noexcept nogil:
    """The callee has an answer; it travels back."""
    cdef Site *site = attempt.call.site
    cdef double back = site.back
    attempt.request = NULL
    attempt.outcome = outcome
    append_notes(&attempt.answer, notes)
    if site.across and attempt.replica != NULL and is_across(
        attempt.call.caller.zone, attempt.replica.caller.zone
    ):
        back += site.across
    if back > 0:
        attempt.travel += back
    after(engine, back, RECEIVES, attempt)


cdef void receive(Engine *engine, Attempt *attempt) noexcept nogil:
    cdef Call *call = attempt.call
    cdef Site *site = call.site
    if attempt.replica != NULL and site.counts_outstanding:
        count_outstanding(engine, call.caller, attempt.replica, -1)
    if attempt.is_settled:
        drop_notes(engine, &attempt.answer)
    else:
        if attempt.travel > 0:
            note(engine, &attempt.answer, NETWORK, site.index, attempt.travel)
        append_notes(&attempt.answer, &attempt.notes)
        append_notes(&attempt.notes, &attempt.answer)
        settle(engine, attempt, attempt.outcome)
    drop_attempt(engine, attempt)


cdef void time_out(Engine *engine, Attempt *attempt) noexcept nogil:
    """There is no answer in time."""
    if not attempt.is_settled:
        drop_notes(engine, &attempt.notes)
        note(
            engine,
            &attempt.notes,
            LOST,
            attempt.call.site.index,
            engine.time - attempt.since,
        )
        if attempt.permit != NULL and not attempt.permit.is_served:
            refuse(engine, attempt, TIMED_OUT, NO_PERMIT, attempt.call.site.bulkhead)
        elif attempt.connection != NULL and not attempt.connection.is_served:
            refuse(engine, attempt, TIMED_OUT, NO_CONNECTION, attempt.call.site.pool)
        else:
            refuse(
                engine,
                attempt,
                TIMED_OUT,
                CUT if attempt.is_cut else NO_ANSWER,
                attempt.call.site.index,
            )


cdef void abandon(Engine *engine, Attempt *attempt) noexcept nogil:
    """Another attempt was faster."""
    give_back(engine, attempt)
    drop_notes(engine, &attempt.notes)
    if attempt.ticket >= 0:
        hand_back(attempt.call.link.breaker, attempt.ticket)
    drop_attempt(engine, attempt)


cdef void give_back(Engine *engine, Attempt *attempt) noexcept nogil:
    """Give back what the attempt holds; a callee that knows the deadline may stop."""
    attempt.is_settled = True
    if attempt.is_watched:
        unwatch(engine, attempt.call.site, attempt)
    if attempt.request != NULL:
        attempt.request.is_late = attempt.call.site.drops
        attempt.request.is_cancelled = attempt.call.site.stops
    if attempt.request != NULL and attempt.request.operation.beside:
        hang_up(engine, attempt.request)
    if attempt.connection != NULL:
        release_of_attempt(engine, attempt, attempt.connection)
    if attempt.permit != NULL:
        release_of_attempt(engine, attempt, attempt.permit)


cdef void release_of_attempt(Engine *engine, Attempt *attempt, Visit *visit) noexcept nogil:
    cdef bint waits = not visit.is_served and not visit.is_gone
    release(engine, visit)
    if waits:
        attempt.refs -= 1  # what would have happened with the server will not


cdef void refuse(
    Engine *engine, Attempt *attempt, int outcome, int reason, int index
) noexcept nogil:
    """End an attempt for a reason of its own."""
    note(engine, &attempt.notes, reason, index, 0)
    settle(engine, attempt, outcome)


cdef void settle(Engine *engine, Attempt *attempt, int outcome) noexcept nogil:
    cdef Call *call = attempt.call
    cdef Breaker *breaker
    if attempt.is_settled:
        return
    give_back(engine, attempt)
    if attempt.ticket >= 0:
        breaker = call.link.breaker
        record_call(
            engine, breaker, attempt.ticket, outcome > DEGRADED, engine.time - attempt.since
        )
    if attempt.replica != NULL and call.site.ejects:
        tell_ejection(
            engine, call.caller, attempt.replica, outcome == TIMED_OUT or outcome == FAILED
        )
    settled(engine, attempt, outcome)


# -- timeouts --------------------------------------------------------------------------------------
# All attempts of a call site have the same timeout, so they come in order: a list, of which only
# the first is an event. One that has its answer leaves the list.

cdef void watch(Engine *engine, Site *site, Attempt *attempt) noexcept nogil:
    attempt.is_watched = True
    attempt.refs += 1
    attempt.watched_after = NULL
    attempt.watched_before = site.watched_last
    if site.watched_last != NULL:
        site.watched_last.watched_after = attempt
    else:
        site.watched_first = attempt
    site.watched_last = attempt
    if not site.is_set:
        site.is_set = True
        timer(engine, site.timeout, RINGS, site)


cdef void unwatch(Engine *engine, Site *site, Attempt *attempt) noexcept nogil:
    attempt.is_watched = False
    if attempt.watched_before != NULL:
        attempt.watched_before.watched_after = attempt.watched_after
    else:
        site.watched_first = attempt.watched_after
    if attempt.watched_after != NULL:
        attempt.watched_after.watched_before = attempt.watched_before
    else:
        site.watched_last = attempt.watched_before
    attempt.refs -= 1


cdef void ring(Engine *engine, Site *site) noexcept nogil:
    # What is made meanwhile, because an attempt timed out, comes last: it must not set the timer.
    cdef double now = engine.time, left
    while site.watched_first != NULL:
        left = site.watched_first.since + site.timeout - now
        if left > ROUNDING * now:
            timer(engine, left, RINGS, site)
            return
        time_out(engine, site.watched_first)
    site.is_set = False
