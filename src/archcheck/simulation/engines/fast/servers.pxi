# Servers behind a queue: threads, cores, connections, permits.
#
# One kind of recorder for all of them. Those that are held serve in order of arrival, the most
# important class first; those that are shared serve everybody at once, in virtual time: the work
# that every job has received so far, and so do cores under a CPU limit (throttling.pxi). Visits are
# linked twice, in the order of coming and in line, so that anybody can leave from anywhere at once.


cdef Recorder *new_recorder(Engine *engine, StationRecord *record, double servers, int station) noexcept nogil:
    """Servers that are there from now on; infinitely many are not counted."""
    cdef Recorder *recorder = <Recorder *>take(engine, sizeof(Recorder))
    recorder.record = record
    recorder.station = station
    recorder.servers = servers
    recorder.is_limited = servers < INFINITY
    recorder.last = engine.time
    recorder.lines_count = 1
    recorder.lines = &recorder.line
    add_to(engine, &engine.recorders, recorder)
    return recorder


cdef Recorder *held_servers(Engine *engine, int index, int lines) noexcept nogil:
    """The servers of a station that are held by one visitor each."""
    cdef Station *station = &engine.stations[index]
    cdef Recorder *recorder = new_recorder(engine, &station.record, station.servers, index)
    recorder.is_bounded, recorder.limit = station.is_bounded, station.queue
    if station.discipline == PRIORITY and lines > 1:
        recorder.lines_count = lines
        recorder.lines = <Line *>take(engine, lines * sizeof(Line))
    return recorder


cdef Recorder *working_servers(Engine *engine, int index, int lines) noexcept nogil:
    """The cores of a station."""
    cdef Station *station = &engine.stations[index]
    cdef Recorder *recorder
    if station.quota < INFINITY:
        return throttled_cores(engine, index, lines)
    if station.discipline != SHARING or not station.is_limited:
        return held_servers(engine, index, lines)
    recorder = new_recorder(engine, &station.record, station.servers, index)
    recorder.is_bounded, recorder.limit = station.is_bounded, station.queue
    recorder.is_shared, recorder.cores, recorder.changed = True, station.servers, engine.time
    return recorder


cdef Recorder *servers_of_caller(Engine *engine, Caller *caller, Pool *pool) noexcept nogil:
    """Connections or permits, which were there, idle, before they were first asked for."""
    cdef Recorder *recorder = new_recorder(engine, &pool.record, pool.size, -1)
    if recorder.is_limited:
        recorder.server_seconds = recorder.servers * (recorder.last - caller.born)
        if recorder.last >= engine.warmup:
            recorder.start_servers = recorder.servers * max(
                0.0, min(recorder.last, engine.warmup) - caller.born
            )
    return recorder


cdef inline void tick(Recorder *recorder, double now) noexcept nogil:
    """Time has passed; called before anything changes."""
    cdef double span = now - recorder.last
    if span > 0:
        recorder.last = now
        recorder.busy_seconds += recorder.busy * span
        recorder.waiting_seconds += recorder.waiting * span
        if recorder.is_limited:
            recorder.server_seconds += recorder.servers * span


cdef inline void come_in(Engine *engine, Recorder *recorder, Visit *visit) noexcept nogil:
    """Somebody is there."""
    visit.recorder = recorder
    visit.since = engine.time
    visit.is_gone = False
    visit.after = NULL
    visit.before = recorder.final
    if recorder.final != NULL:
        recorder.final.after = visit
    else:
        recorder.first = visit
    recorder.final = visit
    if engine.time >= engine.warmup:
        recorder.record.visits += 1


cdef inline void go_out(Engine *engine, Recorder *recorder, Visit *visit) noexcept nogil:
    """Somebody gives a server back, or gives up waiting."""
    cdef double now = engine.time
    if visit.before != NULL:
        visit.before.after = visit.after
    else:
        recorder.first = visit.after
    if visit.after != NULL:
        visit.after.before = visit.before
    else:
        recorder.final = visit.before
    visit.is_gone = True
    if now >= engine.warmup:
        recorder.record.ended += 1
        recorder.record.residence += now - (visit.since if visit.since > engine.warmup else engine.warmup)


cdef inline void reject(Engine *engine, Recorder *recorder) noexcept nogil:
    if engine.time >= engine.warmup:
        recorder.record.rejected += 1


cdef inline bint is_full(const Recorder *recorder) noexcept nogil:
    """Whether a newcomer would be turned away."""
    if not recorder.is_bounded:
        return False
    if recorder.throttle != NULL:
        return recorder.inside >= recorder.cores + recorder.limit
    if recorder.is_shared:
        return recorder.jobs_count >= recorder.cores + recorder.limit
    return recorder.waiting >= recorder.limit and recorder.is_limited and recorder.busy >= recorder.servers


cdef inline bint is_busier_than(const Recorder *recorder, double share) noexcept nogil:
    """Whether at least this share of the servers is busy; of cores, or their quota is used up."""
    if recorder.throttle != NULL:
        return recorder.throttle.stands_still or recorder.busy >= share * recorder.cores
    return recorder.is_limited and recorder.servers > 0 and recorder.busy >= share * recorder.servers


cdef bint acquire(
    Engine *engine, Recorder *recorder, Visit *visit, int granted, void *owner, int rank, bint first
) noexcept nogil:
    """Ask for a server; whether one is there at once. Else ``granted`` happens when it is."""
    cdef Line *line
    visit.granted, visit.owner = granted, owner
    come_in(engine, recorder, visit)
    tick(recorder, engine.time)
    if recorder.busy < recorder.servers:
        recorder.busy += 1
        visit.is_served = True
        return True
    visit.is_served = False
    recorder.waiting += 1
    visit.line = rank if recorder.lines_count > 1 else 0
    if not first:
        stand_in_line(recorder, visit)
        return False
    line = &recorder.lines[visit.line]
    visit.ahead, visit.behind = NULL, line.first
    if line.first != NULL:
        line.first.ahead = visit
    else:
        line.last = visit
    line.first = visit
    return False


cdef inline void stand_in_line(Recorder *recorder, Visit *visit) noexcept nogil:
    cdef Line *line = &recorder.lines[visit.line]
    visit.ahead, visit.behind = line.last, NULL
    if line.last != NULL:
        line.last.behind = visit
    else:
        line.first = visit
    line.last = visit


cdef void leave_line(Recorder *recorder, Visit *visit) noexcept nogil:
    cdef Line *line = &recorder.lines[visit.line]
    if visit.ahead != NULL:
        visit.ahead.behind = visit.behind
    else:
        line.first = visit.behind
    if visit.behind != NULL:
        visit.behind.ahead = visit.ahead
    else:
        line.last = visit.ahead


cdef void release(Engine *engine, Visit *visit) noexcept nogil:
    """Give the server back, or leave the queue; the next in line gets a free server."""
    cdef Recorder *recorder = visit.recorder
    if visit.is_gone:
        return
    tick(recorder, engine.time)
    go_out(engine, recorder, visit)
    if not visit.is_served:
        leave_line(recorder, visit)
        recorder.waiting -= 1
    else:
        recorder.busy -= 1
        if recorder.waiting > 0:
            serve_next(engine, recorder)


cdef void serve_next(Engine *engine, Recorder *recorder) noexcept nogil:
    """Free servers are given to those who wait."""
    cdef double now = engine.time
    cdef Visit *visit
    cdef int n
    while recorder.waiting > 0 and recorder.busy < recorder.servers:
        for n in range(recorder.lines_count):
            visit = recorder.lines[n].first
            if visit != NULL:
                leave_line(recorder, visit)
                recorder.waiting -= 1
                recorder.busy += 1
                visit.is_served = True
                if now > engine.warmup:
                    recorder.record.waited += now - max(visit.since, engine.warmup)
                soon(engine, visit.granted, visit.owner)
                break


cdef Visit *least_important(Recorder *recorder, int rank) noexcept nogil:
    """The last in line of those who are less important than ``rank``; NULL: nobody can go."""
    cdef int n
    if recorder.is_shared:
        return NULL
    for n in range(recorder.lines_count - 1, rank, -1):
        if recorder.lines[n].last != NULL and recorder.lines[n].last.granted == GRANTED:
            return recorder.lines[n].last
    return NULL


# -- work ------------------------------------------------------------------------------------------

cdef void work_at(Engine *engine, Recorder *recorder, double seconds, Walk *walk, int rank) noexcept nogil:
    """Occupy a server for ``seconds``, or receive so much work of all; then the walk goes on."""
    if recorder.throttle != NULL:
        work_within_quota(engine, recorder, walk, rank)
        return
    if not recorder.is_shared:
        if acquire(engine, recorder, &walk.visit, JOB_BEGINS, walk, rank, False):
            after(engine, seconds, JOB_ENDS, walk)
        return
    advance_virtual(engine, recorder)
    walk.visit.granted, walk.visit.owner, walk.visit.is_served = JOB_ENDS, walk, True
    come_in(engine, recorder, &walk.visit)
    recorder.number += 1
    push_job(engine, recorder, recorder.virtual + seconds, walk)
    change(engine, recorder)


cdef void job_begins(Engine *engine, Walk *walk) noexcept nogil:
    after(engine, walk.seconds, JOB_ENDS, walk)


cdef void job_ends(Engine *engine, Walk *walk) noexcept nogil:
    if walk.visit.is_gone:
        end_walk(engine, walk)
        return
    release(engine, &walk.visit)
    worked(engine, walk)


cdef void push_job(Engine *engine, Recorder *recorder, double due, Walk *walk) noexcept nogil:
    cdef size_t place, parent
    cdef Job *jobs
    if recorder.jobs_count == recorder.jobs_room:
        recorder.jobs_room = 2 * recorder.jobs_room if recorder.jobs_room else 8
        recorder.jobs = <Job *>take_more(
            engine, recorder.jobs, recorder.jobs_count * sizeof(Job), recorder.jobs_room * sizeof(Job)
        )
    jobs = recorder.jobs
    place = recorder.jobs_count
    recorder.jobs_count += 1
    while place:
        parent = (place - 1) // 2
        if jobs[parent].due <= due:
            break
        jobs[place] = jobs[parent]
        place = parent
    jobs[place].due, jobs[place].number, jobs[place].walk = due, recorder.number, walk


cdef Job pop_job(Recorder *recorder) noexcept nogil:
    cdef Job *jobs = recorder.jobs
    cdef Job first = jobs[0], last
    cdef size_t place = 0, below
    recorder.jobs_count -= 1
    last = jobs[recorder.jobs_count]
    while True:
        below = 2 * place + 1
        if below >= recorder.jobs_count:
            break
        if below + 1 < recorder.jobs_count and is_job_before(&jobs[below + 1], &jobs[below]):
            below += 1
        if not is_job_before(&jobs[below], &last):
            break
        jobs[place] = jobs[below]
        place = below
    jobs[place] = last
    return first


cdef inline bint is_job_before(const Job *a, const Job *b) noexcept nogil:
    return a.due < b.due or (a.due == b.due and a.number < b.number)


cdef void advance_virtual(Engine *engine, Recorder *recorder) noexcept nogil:
    cdef double now = engine.time
    if recorder.jobs_count:
        recorder.virtual += (now - recorder.changed) * min(1.0, recorder.cores / <double>recorder.jobs_count)
    recorder.changed = now
    tick(recorder, now)


cdef void change(Engine *engine, Recorder *recorder) noexcept nogil:
    """The number of jobs has changed, and with it the speed of each."""
    cdef double jobs = <double>recorder.jobs_count, left
    cdef Finish *finish
    recorder.busy = min(jobs, recorder.cores)
    recorder.waiting = jobs - recorder.busy
    recorder.version += 1
    if recorder.jobs_count:
        left = max(0.0, recorder.jobs[0].due - recorder.virtual) / min(1.0, recorder.cores / jobs)
        finish = <Finish *>piece(engine, &engine.small)
        finish.recorder, finish.version = recorder, recorder.version
        timer(engine, left, FINISHED, finish)


cdef void finished(Engine *engine, Finish *finish) noexcept nogil:
    """The first of the jobs that share is done, if nothing has changed since it was foreseen."""
    cdef Recorder *recorder = finish.recorder
    cdef bint is_current = finish.version == recorder.version
    cdef double now = engine.time
    cdef Job job
    put_back(engine, &engine.small, finish)
    if not is_current:
        return
    if recorder.throttle != NULL:
        happens(engine, recorder)
        return
    advance_virtual(engine, recorder)
    job = pop_job(recorder)
    recorder.virtual = max(recorder.virtual, job.due)
    go_out(engine, recorder, &job.walk.visit)
    if now > engine.warmup:
        recorder.record.waited += max(
            0.0, now - max(job.walk.visit.since, engine.warmup) - job.walk.seconds
        )
    change(engine, recorder)
    worked(engine, job.walk)


# -- the end of servers ----------------------------------------------------------------------------

cdef void throw_out(Engine *engine, Recorder *recorder) noexcept nogil:
    """Everybody goes, without an answer; a walk that would be continued from here ends."""
    cdef Visit *visit = recorder.first
    cdef Visit *following
    cdef int n
    if recorder.throttle != NULL:
        advance_throttled(engine, recorder)
    elif recorder.is_shared:
        advance_virtual(engine, recorder)
    else:
        tick(recorder, engine.time)
    recorder.jobs_count = recorder.inside = 0
    while visit != NULL:
        following = visit.after
        go_out(engine, recorder, visit)
        if visit.granted == JOB_ENDS or (visit.granted == JOB_BEGINS and not visit.is_served):
            end_walk(engine, <Walk *>visit.owner)
        visit = following
    recorder.busy = recorder.waiting = 0
    for n in range(recorder.lines_count):
        recorder.lines[n].first = recorder.lines[n].last = NULL
    if recorder.throttle != NULL:
        change_throttled(engine, recorder)
    elif recorder.is_shared:
        change(engine, recorder)


cdef void start_recorder(Recorder *recorder, double now) noexcept nogil:
    """The warm-up is over: what was so far does not count."""
    tick(recorder, now)
    recorder.start_busy = recorder.busy_seconds
    recorder.start_waiting = recorder.waiting_seconds
    recorder.start_servers = recorder.server_seconds
    if recorder.throttle != NULL:
        recorder.throttle.start_seconds = recorder.throttle.seconds


cdef void close_recorder(Engine *engine, Recorder *recorder, double now) noexcept nogil:
    """The servers are gone."""
    if recorder.is_closed:
        return
    recorder.is_closed = True
    add_up(engine, recorder, now)
    if recorder.is_limited:
        recorder.servers = 0


cdef void add_up(Engine *engine, Recorder *recorder, double now) noexcept nogil:
    """Write down what has come together: the servers are gone, or the run is over."""
    cdef StationRecord *record = recorder.record
    cdef Visit *visit = recorder.first
    cdef double busy, servers
    tick(recorder, now)
    while visit != NULL:
        record.residence += max(0.0, now - max(visit.since, engine.warmup))
        visit = visit.after
    if now < engine.warmup:
        start_recorder(recorder, now)  # all of it was before
    busy = recorder.busy_seconds - recorder.start_busy
    servers = recorder.server_seconds - recorder.start_servers
    record.busy += busy
    record.waiting += recorder.waiting_seconds - recorder.start_waiting
    record.capacity += servers
    if recorder.throttle != NULL:
        record.throttled += recorder.throttle.seconds - recorder.throttle.start_seconds
    record.left_waiting += <uint64_t>recorder.waiting
    if recorder.server_seconds > recorder.start_servers:
        record.busiest = max(record.busiest, busy / servers)
