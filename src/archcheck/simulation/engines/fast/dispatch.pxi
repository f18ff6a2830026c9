# What can happen, and who it happens to: the whole engine on one page.
#
# An event is taken from the list, time moves to it, and what it causes without delay is worked off
# first in, first out, before the next one. Events of the same time happen in the order in which
# they were made.


cdef void run_slice(void *argument) noexcept nogil:
    """Go on until the end of the run, or until so many events have happened."""
    cdef Engine *engine = <Engine *>argument
    cdef EventList *events = &engine.events
    cdef const Event *event
    cdef void *what
    cdef double time
    cdef int kind
    cdef uint64_t last = engine.processed + engine.slice
    while engine.processed < last:
        event = event_list_next(events)
        if event == NULL or time_of(event.time) >= engine.until:
            engine.is_over = True
            return
        time = time_of(event.time)
        if time > engine.time:
            engine.time, engine.still = time, 0
        kind, what = <int>(event.order & KINDS), event.what
        event_list_take(events)
        engine.processed += 1
        no_time_passes(engine)
        happen(engine, kind, what)
        work_off(engine)


cdef inline void work_off(Engine *engine) noexcept nogil:
    """What is due now."""
    cdef Ring *ring = &engine.soon
    cdef Thunk thunk
    while ring.count:
        thunk = ring.thunks[ring.first]
        ring.first = (ring.first + 1) & (ring.room - 1)
        ring.count -= 1
        no_time_passes(engine)
        happen(engine, <int>thunk.kind, thunk.what)


cdef inline void no_time_passes(Engine *engine) noexcept nogil:
    """Something happens at the same time as what happened last; not for ever."""
    engine.still += 1
    if engine.still > MOST_AT_ONCE:
        leave(&engine.escape, STANDSTILL)


cdef inline void happen(Engine *engine, int kind, void *what) noexcept nogil:
    cdef Attempt *attempt
    if kind == ADVANCES:
        advance(engine, <Walk *>what)
    elif kind == FAILS:
        fail(engine, <Walk *>what, False)
    elif kind == JOB_BEGINS:
        job_begins(engine, <Walk *>what)
    elif kind == JOB_ENDS:
        job_ends(engine, <Walk *>what)
    elif kind == FINISHED:
        finished(engine, <Finish *>what)
    elif kind == ARRIVES:
        arrive(engine, <Attempt *>what)
    elif kind == RECEIVES:
        receive(engine, <Attempt *>what)
    elif kind == GRANTED:
        granted(engine, <Request *>what)
    elif kind == CONNECTED:
        connected(engine, <Attempt *>what)
    elif kind == PERMITTED:
        permitted(engine, <Attempt *>what)
    elif kind == LOSES:
        lose(engine, <Attempt *>what)
    elif kind == TIMES_OUT:
        time_out(engine, <Attempt *>what)
        drop_attempt(engine, <Attempt *>what)
    elif kind == GIVES_UP_PERMIT:
        attempt = <Attempt *>what
        give_up(engine, attempt, attempt.permit, BULKHEAD, attempt.call.site.bulkhead)
    elif kind == GIVES_UP_CONNECTION:
        attempt = <Attempt *>what
        give_up(engine, attempt, attempt.connection, CONNECTION, attempt.call.site.pool)
    elif kind == RETRIES:
        make_try(engine, <Call *>what)
    elif kind == HEDGES:
        hedge_call(engine, <Hedge *>what)
    elif kind == RINGS:
        ring(engine, <Site *>what)
    elif kind == COMES:
        come(engine, <Source *>what)
    elif kind == THINKS:
        think(engine, <User *>what)
    elif kind == BEGINS:
        begin(
            engine,
            (<User *>what).source,
            (<User *>what).caller,
            (<User *>what).entry,
            <User *>what,
        )
    elif kind == GOES_TO_NEXT:
        next_in_session(engine, <Session *>what)
    elif kind == REACHES_BROKER:
        reach_broker(engine, <Message *>what)
    elif kind == DELIVERS:
        deliver(engine, <Delivery *>what, False)
    elif kind == DELIVERY_FAILS:
        deliver_again(engine, <Delivery *>what)
    elif kind == VISIBLE:
        message_visible(engine, <Visibility *>what)
    elif kind == EXPIRES:
        message_expires(engine, <Visibility *>what)
    elif kind == GIVES_MESSAGE_UP:
        give_message_up(engine, <Delivery *>what)
    elif kind == REOPENS:
        reopen_lines(engine, <Subscribers *>what)
    elif kind == FAULT_BEGINS:
        fault_begins(engine, <Fault *>what)
    elif kind == FAULT_ENDS:
        fault_ends(engine, <Fault *>what)
    elif kind == LEAVES_ROTATION:
        leave_rotation(<Replica *>what)
    elif kind == LOOKS:
        look_at_node_group(engine, <Autoscaler *>what)
    elif kind == STARTS:
        replica_starts(engine, <Start *>what)
    elif kind == REPLACES:
        replacement_ready(engine, <Replacement *>what)
    elif kind == GRACE_ENDS:
        crash(engine, <Replica *>what)
    elif kind == WARMED_UP:
        warm_up_is_over(engine)
    elif kind == SHOWS:
        show(engine)


cdef void start(void *argument) noexcept nogil:
    """What is known at the beginning, in the order in which it was made."""
    cdef Engine *engine = <Engine *>argument
    cdef int n
    start_subscribers(engine)
    for n in range(engine.faults_count):
        if engine.faults[n].start > 0:
            after(engine, engine.faults[n].start, FAULT_BEGINS, &engine.faults[n])
        else:
            fault_begins(engine, &engine.faults[n])  # before anybody comes
        if engine.faults[n].kind != RELEASED:
            after(engine, engine.faults[n].end, FAULT_ENDS, &engine.faults[n])
    work_off(engine)
    for n in range(engine.sources_count):
        start_source(engine, &engine.sources[n])
    for n in range(engine.scalers_count):
        after(engine, engine.scalers[n].period, LOOKS, &engine.scalers[n])
    if engine.warmup > 0:
        after(engine, engine.warmup, WARMED_UP, NULL)
    for n in range(1, INTERVALS):
        after(engine, engine.duration * n / INTERVALS, SHOWS, NULL)


cdef void warm_up_is_over(Engine *engine) noexcept nogil:
    cdef size_t n
    for n in range(engine.recorders.count):
        start_recorder(<Recorder *>engine.recorders.items[n], engine.time)


cdef void show(Engine *engine) noexcept nogil:
    """An interval of the time series is over."""
    cdef Recorder *recorder
    cdef Station *station
    cdef size_t n
    for n in range(engine.recorders.count):
        recorder = <Recorder *>engine.recorders.items[n]
        tick(recorder, engine.time)
        if recorder.station >= 0:
            station = &engine.stations[recorder.station]
            station.busy_series[engine.interval] += recorder.busy_seconds - recorder.shown_busy
            station.waiting_series[engine.interval] += recorder.waiting_seconds - recorder.shown_waiting
            station.capacity_series[engine.interval] += recorder.server_seconds - recorder.shown_servers
        recorder.shown_busy = recorder.busy_seconds
        recorder.shown_waiting = recorder.waiting_seconds
        recorder.shown_servers = recorder.server_seconds
    engine.interval += 1
    if engine.may_deadlock:
        check_progress(engine)


cdef void finish_run(void *argument) noexcept nogil:
    """Add up, at the end or where the run was stopped."""
    cdef Engine *engine = <Engine *>argument
    cdef Recorder *recorder
    cdef size_t n
    count_now(engine)
    if engine.is_over:
        engine.time = engine.until
        show(engine)
    for n in range(engine.recorders.count):
        recorder = <Recorder *>engine.recorders.items[n]
        if not recorder.is_closed:
            add_up(engine, recorder, engine.time)
