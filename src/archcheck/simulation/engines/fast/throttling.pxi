# Cores under a CPU limit: a quota of CPU time in each period, for all that runs together; as
# engines/reference/throttling.py, which says what it is. Jobs that run are on the heap of those
# that share, jobs that wait for a core of their own are in line.


cdef Recorder *throttled_cores(Engine *engine, int index, int lines) noexcept nogil:
    cdef Station *station = &engine.stations[index]
    cdef Recorder *recorder = new_recorder(engine, &station.record, station.lasting, index)
    cdef Throttle *throttle = <Throttle *>take(engine, sizeof(Throttle))
    recorder.is_bounded, recorder.limit = station.is_bounded, station.queue
    recorder.is_shared, recorder.cores, recorder.changed = True, station.servers, engine.time
    if station.discipline == PRIORITY and lines > 1:
        recorder.lines_count = lines
        recorder.lines = <Line *>take(engine, lines * sizeof(Line))
    recorder.throttle = throttle
    throttle.is_for_all = station.discipline == SHARING
    throttle.quota = station.quota
    throttle.born, throttle.periods = engine.time, 1
    throttle.period_ends = engine.time + PERIOD
    return recorder


cdef void work_within_quota(Engine *engine, Recorder *recorder, Walk *walk, int rank) noexcept nogil:
    """Receive the seconds of a walk; then it goes on."""
    cdef Throttle *throttle = recorder.throttle
    advance_throttled(engine, recorder)
    if recorder.jobs_count == 0 and engine.time >= throttle.period_ends:  # nobody has looked
        throttle.periods = <uint64_t>((engine.time - throttle.born) / PERIOD) + 1
        begin_period(throttle)
    walk.visit.owner = walk
    come_in(engine, recorder, &walk.visit)
    recorder.inside += 1
    if throttle.is_for_all or recorder.jobs_count < recorder.cores:
        run_job(engine, recorder, walk)
    else:
        walk.visit.granted, walk.visit.is_served = JOB_BEGINS, False
        walk.visit.line = rank if recorder.lines_count > 1 else 0
        stand_in_line(recorder, &walk.visit)
    change_throttled(engine, recorder)


cdef void run_job(Engine *engine, Recorder *recorder, Walk *walk) noexcept nogil:
    walk.visit.granted, walk.visit.is_served = JOB_ENDS, True
    recorder.number += 1
    push_job(engine, recorder, recorder.virtual + walk.seconds, walk)


cdef void begin_period(Throttle *throttle) noexcept nogil:
    throttle.period_ends = throttle.born + <double>throttle.periods * PERIOD
    throttle.used = 0.0
    throttle.stands_still = False


cdef void advance_throttled(Engine *engine, Recorder *recorder) noexcept nogil:
    cdef Throttle *throttle = recorder.throttle
    cdef double now = engine.time, jobs = <double>recorder.jobs_count
    cdef double span = now - recorder.changed
    if throttle.stands_still:
        throttle.seconds += span if recorder.jobs_count else 0.0
    elif recorder.jobs_count:
        recorder.virtual += span * min(1.0, recorder.cores / jobs)
        throttle.used += span * min(jobs, recorder.cores)
    recorder.changed = now
    tick(recorder, now)


cdef void change_throttled(Engine *engine, Recorder *recorder) noexcept nogil:
    """What happens next, as things are now."""
    cdef Throttle *throttle = recorder.throttle
    cdef double jobs = <double>recorder.jobs_count, speed = min(jobs, recorder.cores)
    cdef double left, to_done, to_used_up
    cdef Finish *finish
    recorder.busy = 0.0 if throttle.stands_still else speed
    recorder.waiting = <double>recorder.inside - recorder.busy
    recorder.version += 1
    if recorder.jobs_count == 0:
        return
    left = max(0.0, throttle.period_ends - engine.time)
    throttle.happening = NEW_PERIOD
    if not throttle.stands_still:
        to_done = max(0.0, recorder.jobs[0].due - recorder.virtual) / min(1.0, recorder.cores / jobs)
        to_used_up = max(0.0, throttle.quota - throttle.used) / speed
        if to_done < left:
            left = to_done
            throttle.happening = DONE
        if to_used_up < left - NANOSECOND:
            left = to_used_up
            throttle.happening = USED_UP
    finish = <Finish *>piece(engine, &engine.small)
    finish.recorder, finish.version = recorder, recorder.version
    timer(engine, left, FINISHED, finish)


cdef void happens(Engine *engine, Recorder *recorder) noexcept nogil:
    cdef Throttle *throttle = recorder.throttle
    advance_throttled(engine, recorder)
    if throttle.happening == DONE:
        finish_job(engine, recorder)
        return
    if throttle.happening == NEW_PERIOD:
        throttle.periods += 1
        begin_period(throttle)
    else:
        throttle.stands_still = True
    change_throttled(engine, recorder)


cdef void finish_job(Engine *engine, Recorder *recorder) noexcept nogil:
    cdef double now = engine.time
    cdef Job job = pop_job(recorder)
    cdef Visit *following
    cdef int n
    recorder.virtual = max(recorder.virtual, job.due)
    recorder.inside -= 1
    go_out(engine, recorder, &job.walk.visit)
    if now > engine.warmup:
        recorder.record.waited += max(
            0.0, now - max(job.walk.visit.since, engine.warmup) - job.walk.seconds
        )
    for n in range(recorder.lines_count):
        following = recorder.lines[n].first
        if following != NULL:
            leave_line(recorder, following)
            run_job(engine, recorder, <Walk *>following.owner)
            break
    change_throttled(engine, recorder)
    worked(engine, job.walk)
