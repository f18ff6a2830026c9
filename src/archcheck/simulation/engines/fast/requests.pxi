# The life of a request at an operation: its admission, its steps, its answer.
#
# A walk goes through the steps of a block; a request is one, and so is each branch of a parallel
# step. A walk waits for one thing at a time: an event, a server, the answer of a call, a join, a
# cache that is being filled. It ends with its last step, or when what it waits for finds that its
# process has died. A request is referred to by its own walk, by its branches, and by itself until
# it has answered.


cdef Request *new_request(
    Engine *engine,
    Operation *operation,
    Replica *replica,
    void *origin,
    bint is_message,
    Key key,
    int rank,
) noexcept nogil:
    cdef Request *request = <Request *>piece(engine, &engine.requests)
    init_walk(&request.walk, request, key, rank, INFINITY)
    request.walk.parent = NULL
    request.operation = operation
    request.replica = request.home = replica
    request.origin, request.is_message = origin, is_message
    request.since = engine.time
    request.is_late = request.is_cancelled = request.is_degraded = False
    request.is_over = request.is_stopped = False
    request.is_inside = request.has_visit = False
    request.loading = 0
    request.refs = 2
    return request


cdef inline void init_walk(
    Walk *walk, Request *request, Key key, int rank, double deadline
) noexcept nogil:
    walk.request = request
    walk.key, walk.rank, walk.deadline = key, rank, deadline
    walk.notes.first = NULL
    walk.stack = NULL
    walk.call = NULL
    walk.join = NULL
    walk.answered = NULL
    walk.position = 0


cdef inline void drop_request(Engine *engine, Request *request) noexcept nogil:
    request.refs -= 1
    if request.refs == 0:
        drop_notes(engine, &request.walk.notes)
        put_back(engine, &engine.requests, request)


# -- coming in -------------------------------------------------------------------------------------

cdef void admit(Engine *engine, Request *request, bint first) noexcept nogil:
    """Enter, wait for a server, or be turned away; ``first``: in front of all others."""
    cdef Replica *replica = request.replica
    cdef int rank, refusal
    if request.since >= engine.warmup:
        request.operation.tally.started += 1
    if request.operation.limit >= 0 and not has_token(engine, request):
        turn_away(engine, request, REJECTED, OVER_LIMIT)
        return
    if replica == NULL:
        begin_request(engine, request)
        return
    if replica.caller.is_dead:
        turn_away(engine, request, FAILED, DIED)
        return
    rank = rank_at(replica, request.walk.rank)
    refusal = turns_away(engine, replica, rank) if replica.is_gated else 0
    if refusal:
        turn_away(engine, request, REJECTED, refusal)
        return
    enter_replica(replica, request)
    if replica.slots != NULL:
        request.has_visit = True
        if not acquire(engine, replica.slots, &request.visit, GRANTED, request, rank, first):
            return
    begin_in_time(engine, request)


cdef inline void begin_in_time(Engine *engine, Request *request) noexcept nogil:
    """Begin, unless nobody waits any more and late requests are dropped."""
    if request.is_late:
        leave_request(engine, request, TIMED_OUT)
        end_walk(engine, &request.walk)
    else:
        begin_request(engine, request)


cdef inline int rank_at(const Replica *replica, int rank) noexcept nogil:
    """How important a class of requests is here."""
    return replica.node_group.ranks[rank] if replica.node_group.ranks_count else 0


cdef void turn_away(Engine *engine, Request *request, int outcome, int reason) noexcept nogil:
    note(engine, &request.walk.notes, reason, request.operation.index, 0)
    finish(engine, request, outcome)
    drop_request(engine, request)


cdef bint has_token(Engine *engine, Request *request) noexcept nogil:
    """Whether the server-side limit of a request's operation lets it in."""
    cdef int limit = request.operation.limit
    cdef Bucket *bucket = &engine.buckets[limit]
    cdef int scope = engine.limits[limit].scope
    if scope == PER_REPLICA and request.replica != NULL:
        bucket = bucket_of_caller(engine, &request.replica.caller, limit)
    elif scope == PER_CLIENT and not request.is_message:
        bucket = bucket_of_client(engine, (<Attempt *>request.origin).call.client, limit)
    return takes_token(bucket, engine.time)


cdef inline void enter_replica(Replica *replica, Request *request) noexcept nogil:
    request.is_inside = True
    request.after = NULL
    request.before = replica.last
    if replica.last != NULL:
        replica.last.after = request
    else:
        replica.first = request
    replica.last = request


cdef inline void leave_replica(Request *request) noexcept nogil:
    cdef Replica *replica = request.replica
    if not request.is_inside:
        return
    request.is_inside = False
    if request.before != NULL:
        request.before.after = request.after
    else:
        replica.first = request.after
    if request.after != NULL:
        request.after.before = request.before
    else:
        replica.last = request.before


cdef void granted(Engine *engine, Request *request) noexcept nogil:
    if request.is_over:
        end_walk(engine, &request.walk)
        return
    note_slot(engine, request)
    begin_in_time(engine, request)


cdef inline void note_slot(Engine *engine, Request *request) noexcept nogil:
    note(engine, &request.walk.notes, SLOT, request.operation.group, engine.time - request.since)


cdef void begin_request(Engine *engine, Request *request) noexcept nogil:
    cdef Operation *operation = request.operation
    if request.is_message:
        take_message(engine, request)
        message_taken(engine, <Delivery *>request.origin)
    if operation.errors > 0 and uniform(operation.draws, request.walk.key, 0) < operation.errors:
        note(engine, &request.walk.notes, ERRS, operation.index, 0)
        leave_request(engine, request, FAILED)
        end_walk(engine, &request.walk)
        return
    request.walk.block = &engine.blocks[operation.block]
    advance(engine, &request.walk)


# -- going out -------------------------------------------------------------------------------------

cdef void displace(Engine *engine, Request *request) noexcept nogil:
    """Somebody more important takes the place in the queue."""
    note_slot(engine, request)
    note(engine, &request.walk.notes, SHED, request.operation.index, 0)
    leave_request(engine, request, REJECTED)
    end_walk(engine, &request.walk)


cdef void leave_request(Engine *engine, Request *request, int outcome) noexcept nogil:
    """Give the server back, then answer."""
    cdef Replica *replica = request.replica
    cdef Replica *home = request.home
    cdef bint is_message = request.is_message
    if is_message:
        give_message_back(engine, request)
    if replica != NULL:
        leave_replica(request)
        if request.has_visit:
            release(engine, &request.visit)
        if replica.is_draining:
            go_if_drained(engine, replica)
    finish(engine, request, outcome)
    if is_message and home != NULL:
        go_if_drained(engine, home)


cdef void hang_up(Engine *engine, Request *request) noexcept nogil:
    """Who asked a sidecar has gone: it gives its own call up. The callee goes on."""
    cdef Call *call = request.walk.call
    if call != NULL:
        request.walk.call = NULL
        give_call_up(engine, call)
    fail(engine, &request.walk, True)


cdef void abort(Engine *engine, Request *request) noexcept nogil:
    """The process has died: everything stops, and the connection breaks."""
    cdef bint waits = request.has_visit and not request.visit.is_served
    if request.is_over:
        return
    request.is_stopped = True
    drop_notes(engine, &request.walk.notes)
    note(engine, &request.walk.notes, WORK, request.operation.group, engine.time - request.since)
    note(engine, &request.walk.notes, DIED, request.operation.index, 0)
    request.refs += 1
    finish(engine, request, FAILED)
    if waits:
        end_walk(engine, &request.walk)
    drop_request(engine, request)


cdef void finish(Engine *engine, Request *request, int outcome) noexcept nogil:
    """Answer; the request itself is not needed any more."""
    cdef Operation *operation = request.operation
    request.is_over = True
    if engine.is_traced:
        trace(
            engine,
            REQUEST_SPAN,
            operation.index,
            request.root,
            request.walk.key,
            request.since,
            outcome,
        )
    operation.tally.answered += engine.time >= engine.warmup and outcome <= DEGRADED
    if request.since >= engine.warmup:
        add_latency(engine, &operation.tally.latency[outcome], engine.time - request.since)
    if request.is_message:
        answer_delivery(engine, <Delivery *>request.origin, request, outcome)
    else:
        answer_attempt(engine, <Attempt *>request.origin, outcome, &request.walk.notes)
    drop_request(engine, request)


cdef Caller *caller_of(Engine *engine, Request *request) noexcept nogil:
    """Who makes the calls of a request: the process that it runs in."""
    if request.home != NULL:
        return &request.home.caller
    if request.operation.beside and not request.is_message:
        return (<Attempt *>request.origin).call.caller
    if request.operation.outsider == NULL:
        request.operation.outsider = outsider(engine, request.operation.place)
    return request.operation.outsider


# -- walks -----------------------------------------------------------------------------------------

cdef void advance(Engine *engine, Walk *walk) noexcept nogil:
    """The step before has ended well: go on until a step has to wait, or to the end."""
    cdef Request *request = walk.request
    cdef Step *step
    while True:
        if request.is_stopped:
            end_walk(engine, walk)
            return
        if walk.position == walk.block.count:
            if walk.stack == NULL:
                done(engine, walk, True, False)
                return
            pop_frame(engine, walk)
            continue
        if request.is_cancelled:
            fail(engine, walk, True)
            return
        step = &walk.block.steps[walk.position]
        walk.position += 1
        if not take_step(engine, walk, step):
            return


cdef inline bint take_step(Engine *engine, Walk *walk, Step *step) noexcept nogil:
    """Whether the walk can go on at once; else it waits, or has ended."""
    cdef int kind = step.kind
    if kind == WORKS or kind == WAITS:
        work(engine, walk, step)
        return False
    if kind == CALLS:
        return ask(engine, walk, step, NULL)
    if kind == CACHES:
        return ask(engine, walk, step, step)
    if kind == PUBLISHES:
        publish_step(engine, walk, step)
        return False
    if kind == PARALLELS:
        return parallel(engine, walk, step)
    if kind == WITH_PROBABILITY:
        if uniform(step.draws, walk.key, 0) < step.number:
            push_frame(engine, walk, step.blocks[0], NULL)
        return True
    if kind == REPEATS:
        push_frame(engine, walk, step.blocks[0], NULL)
        walk.stack.again, walk.stack.number = step, 1
        walk.key = child(walk.key, step.place, 1)
        return True
    push_frame(engine, walk, step.blocks[0], NULL)
    return True


cdef void push_frame(Engine *engine, Walk *walk, int block, Loading *loading) noexcept nogil:
    """Run a block before going on."""
    cdef Frame *frame = <Frame *>piece(engine, &engine.frames)
    frame.below = walk.stack
    frame.block, frame.position, frame.key = walk.block, walk.position, walk.key
    frame.again, frame.number, frame.loading = NULL, 0, loading
    walk.stack = frame
    walk.block, walk.position = &engine.blocks[block], 0


cdef void pop_frame(Engine *engine, Walk *walk) noexcept nogil:
    cdef Frame *frame = walk.stack
    if frame.loading != NULL:
        succeed(engine, frame.loading)
        frame.loading = NULL
    if frame.again != NULL and frame.number < <int64_t>frame.again.number:
        frame.number += 1
        no_time_passes(engine)
        walk.position = 0
        walk.key = child(frame.key, frame.again.place, <Key>frame.number)
        return
    walk.block, walk.position, walk.key = frame.block, frame.position, frame.key
    walk.stack = frame.below
    put_back(engine, &engine.frames, frame)


cdef void drop_frames(Engine *engine, Walk *walk) noexcept nogil:
    """Nothing is gone on with; caches that were to be filled are not."""
    cdef Frame *frame
    while walk.stack != NULL:
        frame = walk.stack
        walk.stack = frame.below
        if frame.loading != NULL:
            wake(engine, frame.loading, False)
            put_back(engine, &engine.small, frame.loading)
        put_back(engine, &engine.frames, frame)


cdef void fail(Engine *engine, Walk *walk, bint cancelled) noexcept nogil:
    """A step has failed, or nobody waits any more: the block ends."""
    if walk.request.is_stopped:
        end_walk(engine, walk)
        return
    drop_frames(engine, walk)
    done(engine, walk, False, cancelled)


cdef void done(Engine *engine, Walk *walk, bint succeeded, bint cancelled) noexcept nogil:
    """The block has ended, and with it the walk."""
    cdef Request *request = walk.request
    if walk != &request.walk:
        branch_done(engine, walk, succeeded, cancelled)
        return
    if not request.is_over:
        if not succeeded:
            leave_request(engine, request, TIMED_OUT if cancelled else FAILED)
        else:
            leave_request(engine, request, DEGRADED if request.is_degraded else OK)
    end_walk(engine, walk)


cdef void end_walk(Engine *engine, Walk *walk) noexcept nogil:
    """A walk goes no further, and nothing will continue it."""
    cdef Request *request = walk.request
    cdef Join *join = walk.parent
    drop_frames(engine, walk)
    if walk != &request.walk:
        if join != NULL:
            leave_join(engine, join, walk)
        drop_notes(engine, &walk.notes)
        put_back(engine, &engine.walks, walk)
    drop_request(engine, request)


# -- steps -----------------------------------------------------------------------------------------

cdef void work(Engine *engine, Walk *walk, Step *step) noexcept nogil:
    cdef Request *request = walk.request
    cdef Replica *home = request.home
    cdef double seconds = sample(&step.sampler, step.draws, walk.key)
    seconds *= request.operation.slowness
    if home == NULL:
        note(engine, &walk.notes, OUTSIDE, request.operation.index, seconds)
        after(engine, seconds, ADVANCES, walk)
        return
    note(engine, &walk.notes, WORK, home.node_group.index, seconds)
    if home.cores == NULL or step.kind == WAITS:
        after(engine, seconds, ADVANCES, walk)
    elif not home.caller.is_dead:
        walk.asked, walk.seconds = engine.time, seconds
        work_at(engine, home.cores, seconds, walk, rank_at(home, walk.rank))
    else:
        fail(engine, walk, False)


cdef void worked(Engine *engine, Walk *walk) noexcept nogil:
    cdef double waited = engine.time - walk.asked - walk.seconds
    if waited > ROUNDING:
        note(engine, &walk.notes, CPU, walk.request.home.node_group.index, waited)
    advance(engine, walk)


cdef bint ask(Engine *engine, Walk *walk, Step *step, Step *lookup) noexcept nogil:
    """Call; an answer that is there at once is taken here, so that calls do not nest."""
    cdef int answered = NOT_YET
    walk.answered = &answered
    call_operation(
        engine, caller_of(engine, walk.request), step.call, walk, NULL, lookup, walk.key
    )
    if answered == NOT_YET:
        walk.answered = NULL
    return answered == GOES_ON


cdef void call_answered(Engine *engine, Walk *walk, int outcome, int fallback) noexcept nogil:
    """The call of this step is over."""
    cdef int *answered = walk.answered
    cdef bint goes_on = outcome <= DEGRADED or fallback >= 0
    walk.call = NULL
    walk.answered = NULL
    if answered != NULL:
        answered[0] = GOES_ON if goes_on else ENDED
    if not goes_on:
        fail(engine, walk, False)
        return
    if outcome != OK:
        walk.request.is_degraded = True
    if outcome > DEGRADED:
        push_frame(engine, walk, fallback, NULL)
    if answered == NULL:
        advance(engine, walk)


cdef void publish_step(Engine *engine, Walk *walk, Step *step) noexcept nogil:
    publish(engine, step.channel, walk.request.root, child(walk.key, step.place, 0))
    if step.number > 0:
        note(engine, &walk.notes, NETWORK, 0, step.number)
    after(engine, step.number, ADVANCES, walk)


# -- parallel steps --------------------------------------------------------------------------------

cdef bint parallel(Engine *engine, Walk *walk, Step *step) noexcept nogil:
    """Begin all branches; whether none of them is waited for."""
    cdef Request *request = walk.request
    cdef Key key = walk.key
    cdef int rank = walk.rank, required = step.required, n
    cdef double deadline = walk.deadline
    cdef Join *join = NULL
    cdef Walk *branch
    if required:
        join = <Join *>piece(engine, &engine.joins)
        join.walk, join.branches, join.is_over = walk, NULL, False
        join.missing, join.refs = required, required + 1
        walk.join = join
    request.refs += 1
    for n in range(step.branches):
        branch = <Walk *>piece(engine, &engine.walks)
        init_walk(branch, request, key, rank, deadline)
        branch.block = &engine.blocks[step.blocks[n]]
        branch.parent = join if step.waited[n] else NULL
        request.refs += 1
        if branch.parent != NULL:
            branch.sibling = join.branches
            join.branches = branch
        advance(engine, branch)
    if join != NULL:
        drop_join(engine, join)
    drop_request(engine, request)
    return required == 0


cdef void branch_done(Engine *engine, Walk *branch, bint succeeded, bint cancelled) noexcept nogil:
    """A branch has ended; the step is over when all required ones have, or one of them failed."""
    cdef Join *join = branch.parent
    cdef Walk *walk
    if join != NULL and not join.is_over:
        join.missing -= 1
        if not succeeded or join.missing == 0:
            join.is_over = True
            walk = join.walk
            walk.join = NULL
            append_notes(&walk.notes, &branch.notes)
            if succeeded:
                soon(engine, ADVANCES, walk)
            else:
                fail(engine, walk, cancelled)
    end_walk(engine, branch)


cdef void leave_join(Engine *engine, Join *join, Walk *branch) noexcept nogil:
    """A branch is gone; when all are, and none has ended the step, its walk goes with them."""
    cdef Walk **place = &join.branches
    while place[0] != branch:
        place = &place[0].sibling
    place[0] = branch.sibling
    drop_join(engine, join)


cdef void drop_join(Engine *engine, Join *join) noexcept nogil:
    cdef Walk *walk
    join.refs -= 1
    if join.refs:
        return
    walk = NULL if join.is_over else join.walk
    put_back(engine, &engine.joins, join)
    if walk != NULL:
        walk.join = NULL
        end_walk(engine, walk)
