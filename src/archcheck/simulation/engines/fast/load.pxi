# What comes from outside: arrivals, and users who run journeys.


cdef double next_arrival(Source *source, double until) noexcept nogil:
    """The time of the next arrival of an open stream; infinite when there is none."""
    cdef double time
    while source.copies == 0:
        time = next_time(source, until)
        if time >= source.end or time > until:
            return INFINITY
        source.accepted += 1
        if time < source.start:
            continue
        source.copies = 1
        if source.factor != 1:
            source.copies = <int64_t>(
                source.factor + uniform(source.draws, source.accepted - 1, DRAW_COPIES)
            )
        source.copied = time
    source.copies -= 1
    return source.copied


cdef double next_time(Source *source, double until) noexcept nogil:
    cdef Key number = source.accepted
    cdef double peak
    if source.kind == RECORDED:
        return source.times[number] if <int64_t>number < source.times_count else INFINITY
    if source.kind == DETERMINISTIC:
        return <double>(number + 1) / source.rate
    if source.kind == POISSON:
        return next_poisson(source, source.rate)
    if source.kind == MMPP:
        peak = max(source.rate, source.high)
    else:
        peak = peak_of(source)
    while True:
        if next_poisson(source, peak) > until:
            return INFINITY
        number = source.candidates
        source.candidates += 1
        if source.kind == MMPP:
            change_state(source)
            if uniform(source.draws, number, DRAW_THIN) * peak <= source.state_rate:
                return source.now
        elif uniform(source.draws, number, DRAW_THIN) * peak <= rate_at(source, source.now):
            return source.now


cdef double next_poisson(Source *source, double rate) noexcept nogil:
    if not rate > 0:
        return INFINITY
    source.now -= log(uniform(source.draws, source.gaps, DRAW_GAP)) / rate
    source.gaps += 1
    return source.now


cdef double peak_of(const Source *source) noexcept nogil:
    cdef double peak
    cdef int n
    if source.points_count == 0:
        return source.high
    peak = source.points[1]
    for n in range(1, source.points_count):
        peak = max(peak, source.points[2 * n + 1])
    return peak


cdef double rate_at(const Source *source, double now) noexcept nogil:
    """The rate of a stream of varying rate at a time."""
    cdef double swing, share
    cdef const double *before
    cdef const double *point
    cdef int n
    if source.kind == SINE:
        swing = (1 - cos(CIRCLE * now / source.period)) / 2
        return source.rate + (source.high - source.rate) * swing
    before = source.points
    for n in range(1, source.points_count):
        point = source.points + 2 * n
        if now < point[0]:
            share = (now - before[0]) / (point[0] - before[0])
            return before[1] + share * (point[1] - before[1])
        before = point
    return before[1]


cdef void change_state(Source *source) noexcept nogil:
    cdef double lasts
    while source.now >= source.until:
        if source.changes:
            source.busy = not source.busy
        source.state_rate = source.high if source.busy else source.rate
        lasts = source.points[1] if source.busy else source.points[0]
        source.until -= lasts * log(uniform(source.draws, source.changes, DRAW_STATE))
        source.changes += 1


# -- open streams ----------------------------------------------------------------------------------

cdef void start_source(Engine *engine, Source *source) noexcept nogil:
    """Begin the arrivals of a stream."""
    cdef User *user
    cdef int64_t number
    if source.kind != CLOSED:
        source.caller = <Caller *>take(engine, sizeof(Caller))
        init_caller(engine, source.caller, source.place, -1)
        schedule(engine, source)
        return
    for number in range(source.users):
        user = <User *>take(engine, sizeof(User))
        user.source, user.key = source, mix(source.place + <Key>number)
        user.client = user.key
        if source.clients:
            user.client = mix(source.place + <Key>number % source.clients)
        user.caller = <Caller *>take(engine, sizeof(Caller))
        init_caller(engine, user.caller, mix(source.place + <Key>number), -1)
        timer(engine, source.start, THINKS, user)


cdef void schedule(Engine *engine, Source *source) noexcept nogil:
    """Wait for the next arrival, if there is one."""
    cdef double time = next_arrival(source, engine.duration)
    source.number = source.next_number
    if time <= engine.duration:
        source.next_number += 1
        timer(engine, time - engine.time, COMES, source)


cdef void come(Engine *engine, Source *source) noexcept nogil:
    cdef Key key = mix(source.place + source.number)
    schedule(engine, source)
    begin(engine, source, source.caller, key, NULL)


cdef inline Key client_of(Source *source, Key key) noexcept nogil:
    """The client that the request or session with a key comes from, in an open stream."""
    cdef double point
    if source.clients == 0:
        return key
    point = uniform(source.draws, key, DRAW_CLIENT)
    return mix(source.place + <Key>(point * <double>source.clients))


cdef void begin(
    Engine *engine, Source *source, Caller *caller, Key key, User *user
) noexcept nogil:
    """Somebody comes, for one journey or for a whole session."""
    cdef Session *session
    cdef int journey
    cdef Key client
    if engine.is_draining:
        return
    client = user.client if user != NULL else client_of(source, key)
    if source.has_session:
        session = <Session *>piece(engine, &engine.sessions)
        session.source, session.caller, session.key, session.user = source, caller, key, user
        session.client = client
        session.round, session.journey = 0, source.first_journey
        next_in_session(engine, session)
        return
    journey = source.mix.items[0].journey
    if source.mix.count > 1:
        journey = reached(&source.mix, uniform(source.draws, key, DRAW_CHOICE))
        if journey < 0:
            journey = source.mix.items[source.mix.count - 1].journey
    travel(engine, source, journey, caller, key, client, user, NULL)


cdef int reached(const Choices *choices, double point) noexcept nogil:
    cdef int n
    for n in range(choices.count):
        if point <= choices.items[n].reached:
            return choices.items[n].journey
    return -1


# -- journeys --------------------------------------------------------------------------------------

cdef void travel(
    Engine *engine,
    Source *source,
    int index,
    Caller *caller,
    Key key,
    Key client,
    User *user,
    Session *session,
) noexcept nogil:
    """One user runs a journey: its entries one after the other."""
    cdef Travel *new = <Travel *>piece(engine, &engine.travels)
    new.journey = &engine.journeys[index]
    new.source, new.caller, new.key, new.client = source, caller, key, client
    new.since = engine.time
    new.notes.first = NULL
    new.next, new.is_degraded = 0, False
    new.user, new.session = user, session
    if new.since >= engine.warmup:
        new.journey.tally.started += 1
    enter(engine, new)


cdef void enter(Engine *engine, Travel *user) noexcept nogil:
    cdef int site = user.journey.entries[user.next]
    user.next += 1
    call_operation(engine, user.caller, site, NULL, user, NULL, user.key)


cdef void entry_answered(Engine *engine, Travel *traveller, int outcome) noexcept nogil:
    """An entry has answered."""
    cdef User *user = traveller.user
    cdef Session *session = traveller.session
    cdef Source *source = traveller.source
    cdef Key client = traveller.client
    if outcome == DEGRADED:
        traveller.is_degraded = True
    if outcome <= DEGRADED:
        if traveller.next < traveller.journey.count:
            enter(engine, traveller)
            return
        outcome = DEGRADED if traveller.is_degraded else OK
    if engine.is_traced:
        trace(
            engine,
            JOURNEY_SPAN,
            <int>(traveller.journey - engine.journeys),
            traveller.key,
            traveller.key,
            traveller.since,
            outcome,
        )
    journey_finished(engine, traveller.journey, outcome, traveller.since, &traveller.notes)
    drop_notes(engine, &traveller.notes)
    put_back(engine, &engine.travels, traveller)
    if session != NULL:
        arrived(engine, session)
    elif user != NULL:
        think(engine, user)
    elif engine.has_clients and source.clients == 0:
        forget_client(engine, client)


# -- closed users and sessions ---------------------------------------------------------------------

cdef void think(Engine *engine, User *user) noexcept nogil:
    """Wait, then begin."""
    cdef Source *source = user.source
    if engine.time >= source.end:
        return
    user.round += 1
    user.entry = child(user.key, source.place, user.round)
    timer(engine, sample(&source.think, source.draws, user.entry), BEGINS, user)


cdef void next_in_session(Engine *engine, Session *session) noexcept nogil:
    """Run the next journey of a session."""
    cdef Key key
    if engine.is_draining:
        return
    session.round += 1
    key = child(session.key, session.source.place, session.round)
    travel(
        engine,
        session.source,
        session.journey,
        session.caller,
        key,
        session.client,
        NULL,
        session,
    )


cdef void arrived(Engine *engine, Session *session) noexcept nogil:
    cdef Source *source = session.source
    cdef User *user = session.user
    cdef Key key = child(session.key, source.place, session.round), client = session.client
    cdef int following = reached(
        &source.rows[session.journey], uniform(source.draws, key, DRAW_NEXT)
    )
    if following < 0:
        put_back(engine, &engine.sessions, session)
        if user != NULL:
            think(engine, user)
        elif engine.has_clients and source.clients == 0:
            forget_client(engine, client)
        return
    session.journey = following
    timer(engine, sample(&source.pause, source.draws, key), GOES_TO_NEXT, session)
