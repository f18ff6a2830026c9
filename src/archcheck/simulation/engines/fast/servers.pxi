# Servers behind a queue: threads, cores, connections, permits.
#
# One kind of books for all of them. Those that are held serve in order of arrival, the most
# important class first; those that are shared serve everybody at once, in virtual time: the work
# that every job has received so far. Visits are linked twice, in the order of coming and in line,
# so that anybody can leave from anywhere at once.


cdef Books *new_books(Engine *engine, StationRecord *record, double servers, int station) noexcept nogil:
    """Servers that are there from now on; infinitely many are not counted."""
    cdef Books *books = <Books *>take(engine, sizeof(Books))
    books.record = record
    books.station = station
    books.servers = servers
    books.is_limited = servers < INFINITY
    books.last = engine.time
    books.lines_count = 1
    books.lines = &books.line
    add_to(engine, &engine.books, books)
    return books


cdef Books *held_servers(Engine *engine, int index, int lines) noexcept nogil:
    """The servers of a station that are held by one visitor each."""
    cdef Station *station = &engine.stations[index]
    cdef Books *books = new_books(engine, &station.record, station.servers, index)
    books.is_bounded, books.limit = station.is_bounded, station.queue
    if station.discipline == PRIORITY and lines > 1:
        books.lines_count = lines
        books.lines = <Line *>take(engine, lines * sizeof(Line))
    return books


cdef Books *working_servers(Engine *engine, int index, int lines) noexcept nogil:
    """The cores of a station."""
    cdef Station *station = &engine.stations[index]
    cdef Books *books
    if station.discipline != SHARING or not station.is_limited:
        return held_servers(engine, index, lines)
    books = new_books(engine, &station.record, station.servers, index)
    books.is_bounded, books.limit = station.is_bounded, station.queue
    books.is_shared, books.cores, books.changed = True, station.servers, engine.time
    return books


cdef Books *servers_of_caller(Engine *engine, Caller *caller, Pool *pool) noexcept nogil:
    """Connections or permits, which were there, idle, before they were first asked for."""
    cdef Books *books = new_books(engine, &pool.record, pool.size, -1)
    if books.is_limited:
        books.server_seconds = books.servers * (books.last - caller.born)
        if books.last >= engine.warmup:
            books.start_servers = books.servers * max(
                0.0, min(books.last, engine.warmup) - caller.born
            )
    return books


cdef inline void tick(Books *books, double now) noexcept nogil:
    """Time has passed; called before anything changes."""
    cdef double span = now - books.last
    if span > 0:
        books.last = now
        books.busy_seconds += books.busy * span
        books.waiting_seconds += books.waiting * span
        if books.is_limited:
            books.server_seconds += books.servers * span


cdef inline void come_in(Engine *engine, Books *books, Visit *visit) noexcept nogil:
    """Somebody is there."""
    visit.books = books
    visit.since = engine.time
    visit.is_gone = False
    visit.after = NULL
    visit.before = books.final
    if books.final != NULL:
        books.final.after = visit
    else:
        books.first = visit
    books.final = visit
    if engine.time >= engine.warmup:
        books.record.visits += 1


cdef inline void go_out(Engine *engine, Books *books, Visit *visit) noexcept nogil:
    """Somebody gives a server back, or gives up waiting."""
    cdef double now = engine.time
    if visit.before != NULL:
        visit.before.after = visit.after
    else:
        books.first = visit.after
    if visit.after != NULL:
        visit.after.before = visit.before
    else:
        books.final = visit.before
    visit.is_gone = True
    if now >= engine.warmup:
        books.record.ended += 1
        books.record.residence += now - (visit.since if visit.since > engine.warmup else engine.warmup)


cdef inline void reject(Engine *engine, Books *books) noexcept nogil:
    if engine.time >= engine.warmup:
        books.record.rejected += 1


cdef inline bint is_full(const Books *books) noexcept nogil:
    """Whether a newcomer would be turned away."""
    if not books.is_bounded:
        return False
    if books.is_shared:
        return books.jobs_count >= books.cores + books.limit
    return books.waiting >= books.limit and books.is_limited and books.busy >= books.servers


cdef bint acquire(
    Engine *engine, Books *books, Visit *visit, int granted, void *owner, int rank, bint first
) noexcept nogil:
    """Ask for a server; whether one is there at once. Else ``granted`` happens when it is."""
    cdef Line *line
    visit.granted, visit.owner = granted, owner
    come_in(engine, books, visit)
    tick(books, engine.time)
    if books.busy < books.servers:
        books.busy += 1
        visit.is_served = True
        return True
    visit.is_served = False
    books.waiting += 1
    visit.line = rank if books.lines_count > 1 else 0
    line = &books.lines[visit.line]
    if first:
        visit.ahead, visit.behind = NULL, line.first
        if line.first != NULL:
            line.first.ahead = visit
        else:
            line.last = visit
        line.first = visit
    else:
        visit.ahead, visit.behind = line.last, NULL
        if line.last != NULL:
            line.last.behind = visit
        else:
            line.first = visit
        line.last = visit
    return False


cdef void leave_line(Books *books, Visit *visit) noexcept nogil:
    cdef Line *line = &books.lines[visit.line]
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
    cdef Books *books = visit.books
    if visit.is_gone:
        return
    tick(books, engine.time)
    go_out(engine, books, visit)
    if not visit.is_served:
        leave_line(books, visit)
        books.waiting -= 1
    else:
        books.busy -= 1
        if books.waiting > 0:
            serve_next(engine, books)


cdef void serve_next(Engine *engine, Books *books) noexcept nogil:
    """Free servers are given to those who wait."""
    cdef double now = engine.time
    cdef Visit *visit
    cdef int n
    while books.waiting > 0 and books.busy < books.servers:
        for n in range(books.lines_count):
            visit = books.lines[n].first
            if visit != NULL:
                leave_line(books, visit)
                books.waiting -= 1
                books.busy += 1
                visit.is_served = True
                if now > engine.warmup:
                    books.record.waited += now - max(visit.since, engine.warmup)
                soon(engine, visit.granted, visit.owner)
                break


cdef Visit *least_important(Books *books, int rank) noexcept nogil:
    """The last in line of those who are less important than ``rank``; NULL: nobody can go."""
    cdef int n
    if books.is_shared:
        return NULL
    for n in range(books.lines_count - 1, rank, -1):
        if books.lines[n].last != NULL and books.lines[n].last.granted == GRANTED:
            return books.lines[n].last
    return NULL


# -- work ------------------------------------------------------------------------------------------

cdef void work_at(Engine *engine, Books *books, double seconds, Walk *walk, int rank) noexcept nogil:
    """Occupy a server for ``seconds``, or receive so much work of all; then the walk goes on."""
    if not books.is_shared:
        if acquire(engine, books, &walk.visit, JOB_BEGINS, walk, rank, False):
            after(engine, seconds, JOB_ENDS, walk)
        return
    advance_virtual(engine, books)
    walk.visit.granted, walk.visit.owner, walk.visit.is_served = JOB_ENDS, walk, True
    come_in(engine, books, &walk.visit)
    books.number += 1
    push_job(engine, books, books.virtual + seconds, walk)
    change(engine, books)


cdef void job_begins(Engine *engine, Walk *walk) noexcept nogil:
    after(engine, walk.seconds, JOB_ENDS, walk)


cdef void job_ends(Engine *engine, Walk *walk) noexcept nogil:
    if walk.visit.is_gone:
        end_walk(engine, walk)
        return
    release(engine, &walk.visit)
    worked(engine, walk)


cdef void push_job(Engine *engine, Books *books, double due, Walk *walk) noexcept nogil:
    cdef size_t place, parent
    cdef Job *jobs
    if books.jobs_count == books.jobs_room:
        books.jobs_room = 2 * books.jobs_room if books.jobs_room else 8
        books.jobs = <Job *>take_more(
            engine, books.jobs, books.jobs_count * sizeof(Job), books.jobs_room * sizeof(Job)
        )
    jobs = books.jobs
    place = books.jobs_count
    books.jobs_count += 1
    while place:
        parent = (place - 1) // 2
        if jobs[parent].due <= due:
            break
        jobs[place] = jobs[parent]
        place = parent
    jobs[place].due, jobs[place].number, jobs[place].walk = due, books.number, walk


cdef Job pop_job(Books *books) noexcept nogil:
    cdef Job *jobs = books.jobs
    cdef Job first = jobs[0], last
    cdef size_t place = 0, below
    books.jobs_count -= 1
    last = jobs[books.jobs_count]
    while True:
        below = 2 * place + 1
        if below >= books.jobs_count:
            break
        if below + 1 < books.jobs_count and is_job_before(&jobs[below + 1], &jobs[below]):
            below += 1
        if not is_job_before(&jobs[below], &last):
            break
        jobs[place] = jobs[below]
        place = below
    jobs[place] = last
    return first


cdef inline bint is_job_before(const Job *a, const Job *b) noexcept nogil:
    return a.due < b.due or (a.due == b.due and a.number < b.number)


cdef void advance_virtual(Engine *engine, Books *books) noexcept nogil:
    cdef double now = engine.time
    if books.jobs_count:
        books.virtual += (now - books.changed) * min(1.0, books.cores / <double>books.jobs_count)
    books.changed = now
    tick(books, now)


cdef void change(Engine *engine, Books *books) noexcept nogil:
    """The number of jobs has changed, and with it the speed of each."""
    cdef double jobs = <double>books.jobs_count, left
    cdef Finish *finish
    books.busy = min(jobs, books.cores)
    books.waiting = jobs - books.busy
    books.version += 1
    if books.jobs_count:
        left = max(0.0, books.jobs[0].due - books.virtual) / min(1.0, books.cores / jobs)
        finish = <Finish *>piece(engine, &engine.small)
        finish.books, finish.version = books, books.version
        timer(engine, left, FINISHED, finish)


cdef void finished(Engine *engine, Finish *finish) noexcept nogil:
    """The first of the jobs that share is done, if nothing has changed since it was foreseen."""
    cdef Books *books = finish.books
    cdef bint is_current = finish.version == books.version
    cdef double now = engine.time
    cdef Job job
    put_back(engine, &engine.small, finish)
    if not is_current:
        return
    advance_virtual(engine, books)
    job = pop_job(books)
    books.virtual = max(books.virtual, job.due)
    go_out(engine, books, &job.walk.visit)
    if now > engine.warmup:
        books.record.waited += max(
            0.0, now - max(job.walk.visit.since, engine.warmup) - job.walk.seconds
        )
    change(engine, books)
    worked(engine, job.walk)


# -- the end of servers ----------------------------------------------------------------------------

cdef void throw_out(Engine *engine, Books *books) noexcept nogil:
    """Everybody goes, without an answer; a walk that would be continued from here ends."""
    cdef Visit *visit = books.first
    cdef Visit *following
    cdef int n
    if books.is_shared:
        advance_virtual(engine, books)
    else:
        tick(books, engine.time)
    books.jobs_count = 0
    while visit != NULL:
        following = visit.after
        go_out(engine, books, visit)
        if visit.granted == JOB_ENDS or (visit.granted == JOB_BEGINS and not visit.is_served):
            end_walk(engine, <Walk *>visit.owner)
        visit = following
    books.busy = books.waiting = 0
    for n in range(books.lines_count):
        books.lines[n].first = books.lines[n].last = NULL
    if books.is_shared:
        change(engine, books)


cdef void start_books(Books *books, double now) noexcept nogil:
    """The warm-up is over: what was so far does not count."""
    tick(books, now)
    books.start_busy = books.busy_seconds
    books.start_waiting = books.waiting_seconds
    books.start_servers = books.server_seconds


cdef void close_books(Engine *engine, Books *books, double now) noexcept nogil:
    """The servers are gone, or the run is over: add up."""
    cdef StationRecord *record = books.record
    cdef Visit *visit = books.first
    cdef double busy, servers
    if books.is_closed:
        return
    books.is_closed = True
    tick(books, now)
    while visit != NULL:
        record.residence += max(0.0, now - max(visit.since, engine.warmup))
        visit = visit.after
    if now < engine.warmup:
        start_books(books, now)  # all of it was before
    busy = books.busy_seconds - books.start_busy
    servers = books.server_seconds - books.start_servers
    record.busy += busy
    record.waiting += books.waiting_seconds - books.start_waiting
    record.capacity += servers
    record.left_waiting += <uint64_t>books.waiting
    if books.server_seconds > books.start_servers:
        record.busiest = max(record.busiest, busy / servers)
    if books.is_limited:
        books.servers = 0
