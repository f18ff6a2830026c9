# What goes wrong, and replicas that come and go on purpose.
#
# All of it is rare: written for reading, with lists that are walked through.


cdef bint is_on(Engine *engine, const Fault *fault, const Fault *but) noexcept nogil:
    """Whether another fault of the same kind goes on at the moment."""
    return (
        fault != but
        and fault.kind == but.kind
        and fault.start <= engine.time
        and engine.time < fault.end
    )


cdef bint concerns(const Fault *fault, int operation) noexcept nogil:
    cdef int n
    for n in range(fault.count):
        if fault.operations[n] == operation:
            return True
    return False


cdef void fault_begins(Engine *engine, Fault *fault) noexcept nogil:
    cdef int n
    if fault.kind == KILLED:
        kill_nodes(engine, fault)
    elif fault.kind == FLUSHED:
        flush_caches(engine, fault)
    elif fault.kind == RELEASED:
        begin_replacement(engine, fault)
    for n in range(fault.count):
        fault_begins_at(engine, fault, &engine.operations[fault.operations[n]])


cdef void fault_begins_at(Engine *engine, Fault *fault, Operation *operation) noexcept nogil:
    if fault.kind == SLOWED:
        operation.slowness *= fault.factor
    elif fault.kind == FAILING:
        operation.errors = 1 - (1 - operation.errors) * (1 - fault.factor)
    elif fault.kind == CUT_OFF:
        cut_link(engine, fault.group, operation.index)
    elif fault.kind == FLUSHED:
        operation.flushed += 1


cdef void fault_ends(Engine *engine, Fault *fault) noexcept nogil:
    cdef int n
    if fault.kind == KILLED:
        restart_nodes(engine, fault)
    for n in range(fault.count):
        fault_ends_at(engine, fault, &engine.operations[fault.operations[n]])


cdef void fault_ends_at(Engine *engine, Fault *fault, Operation *operation) noexcept nogil:
    """It is as it was before; faults of the same kind that go on count again."""
    cdef Fault *other
    cdef int n
    if fault.kind == FLUSHED:
        operation.flushed -= 1
        return
    if fault.kind == SLOWED:
        operation.slowness = 1.0
    elif fault.kind == FAILING:
        operation.errors = operation.error_rate
    for n in range(engine.faults_count):
        other = &engine.faults[n]
        if is_on(engine, other, fault) and concerns(other, operation.index):
            if fault.kind == CUT_OFF:
                if other.group == fault.group:
                    return
            else:
                fault_begins_at(engine, other, operation)
    if fault.kind == CUT_OFF:
        restore_link(engine, fault.group, operation.index)


# -- links -----------------------------------------------------------------------------------------

cdef inline Key link_between(int group, int operation) noexcept nogil:
    return (<Key>(group + 1) << 32) | <Key>operation


cdef bint is_cut(Engine *engine, Site *site, Attempt *attempt) noexcept nogil:
    """Whether a request gets nowhere; then it waits until the link is back."""
    cdef List *waiting = <List *>look(
        &engine.cuts, link_between(site.source, site.operation.index)
    )
    if waiting == NULL:
        return False
    add_to(engine, waiting, attempt)
    return True


cdef void cut_link(Engine *engine, int group, int operation) noexcept nogil:
    cdef Key link = link_between(group, operation)
    if look(&engine.cuts, link) == 0:
        store(engine, &engine.cuts, link, <uint64_t>take(engine, sizeof(List)))


cdef void restore_link(Engine *engine, int group, int operation) noexcept nogil:
    cdef Key link = link_between(group, operation)
    cdef List *waiting = <List *>look(&engine.cuts, link)
    cdef size_t n
    if waiting == NULL:
        return
    forget(&engine.cuts, link)
    for n in range(waiting.count):
        soon(engine, LOSES, waiting.items[n])
    give(engine, waiting.items)
    give(engine, waiting)


# -- nodes -----------------------------------------------------------------------------------------

cdef void kill_nodes(Engine *engine, Fault *fault) noexcept nogil:
    """The last nodes, or those in a zone, whatever their number is by now."""
    cdef NodeGroup *node_group = &engine.node_groups[fault.group]
    cdef size_t first = fault.victims.count, n
    cdef Replica *replica
    for n in range(node_group.nodes.count):
        replica = <Replica *>node_group.nodes.items[n]
        if (
            replica.caller.zone == fault.zone
            if fault.zone >= 0
            else <int64_t>n >= <int64_t>node_group.nodes.count - fault.nodes
        ):
            add_to(engine, &fault.victims, replica)
    for n in range(first, fault.victims.count):
        replica = <Replica *>fault.victims.items[n]
        crash(engine, replica)
        if node_group.detection < fault.end - fault.start:
            after(engine, node_group.detection, LEAVES_ROTATION, replica)


cdef void restart_nodes(Engine *engine, Fault *fault) noexcept nogil:
    """What was killed is back, unless its zone is lost in the meantime."""
    cdef List victims = fault.victims
    cdef Replica *replica
    cdef Fault *other
    cdef Fault *lost
    cdef size_t n
    cdef int m
    fault.victims.items, fault.victims.count, fault.victims.room = NULL, 0, 0
    for n in range(victims.count):
        replica = <Replica *>victims.items[n]
        lost = NULL
        for m in range(engine.faults_count):
            other = &engine.faults[m]
            if lost == NULL and is_on(engine, other, fault) and other.group == fault.group:
                if other.zone == replica.caller.zone and other.zone >= 0:
                    lost = other
        if lost != NULL:
            add_to(engine, &lost.victims, replica)
        elif not replica.is_draining:
            add_node(engine, replica.node_group, replica.index)
    give(engine, victims.items)


cdef void flush_caches(Engine *engine, Fault *fault) noexcept nogil:
    cdef Content *content
    cdef Replica *replica
    cdef size_t k
    cdef int n, m
    for n in range(fault.caches_count):
        flush(engine, &engine.contents[fault.caches[n]])
        for m in range(engine.node_groups_count):
            for k in range(engine.node_groups[m].nodes.count):
                replica = <Replica *>engine.node_groups[m].nodes.items[k]
                content = <Content *>look(
                    &replica.caller.kept, kept_at(A_CONTENT, fault.caches[n])
                )
                if content != NULL:
                    flush(engine, content)


# -- releases --------------------------------------------------------------------------------------
# Old replicas are replaced by new ones, a few at a time: as many new ones start as the surge
# allows; as soon as enough are ready, old ones get no new requests and go.

cdef void begin_replacement(Engine *engine, Fault *fault) noexcept nogil:
    cdef Replacement *release_ = <Replacement *>take(engine, sizeof(Replacement))
    cdef Replica *replica
    cdef size_t n
    release_.node_group, release_.fault = &engine.node_groups[fault.group], fault
    for n in range(release_.node_group.nodes.count):
        replica = <Replica *>release_.node_group.nodes.items[n]
        if not replica.is_draining:
            add_to(engine, &release_.old, replica)
    release_.size = <int64_t>release_.old.count
    replace_more(engine, release_)


cdef void replace_more(Engine *engine, Replacement *release_) noexcept nogil:
    cdef Fault *fault = release_.fault
    cdef Replica *replica
    cdef int64_t n, room
    while release_.old.count and (
        release_.ready + <int64_t>release_.old.count > release_.size - fault.gone
    ):
        replica = <Replica *>release_.old.items[0]
        remove_from(&release_.old, replica)
        drain(engine, replica)
        after(engine, fault.grace, GRACE_ENDS, replica)
    room = release_.size + fault.surge - release_.ready
    room -= <int64_t>release_.old.count + release_.starting
    room = min(room, release_.size - release_.ready - release_.starting)
    for n in range(room):
        release_.starting += 1
        after(engine, fault.start_up, REPLACES, release_)


cdef void replacement_ready(Engine *engine, Replacement *release_) noexcept nogil:
    cdef int64_t index = free_index(engine, release_.node_group)
    if index < 0:
        after(engine, PENDING, REPLACES, release_)
        return
    release_.starting -= 1
    release_.ready += 1
    add_node(engine, release_.node_group, index)
    replace_more(engine, release_)


# -- the autoscaler --------------------------------------------------------------------------------

cdef void look_at_node_group(Engine *engine, Autoscaler *scaler) noexcept nogil:
    """Kubernetes' horizontal autoscaler, once every period."""
    cdef NodeGroup *node_group = scaler.node_group
    cdef double now = engine.time, usage
    cdef int64_t ready = 0, count, wish, least = 0, n
    after(engine, scaler.period, LOOKS, scaler)
    usage = usage_of(engine, scaler)
    for n in range(<int64_t>node_group.nodes.count):
        ready += not (<Replica *>node_group.nodes.items[n]).is_draining
    count = ready + <int64_t>scaler.starting.count
    wish = wish_of(scaler, usage, ready, count)
    add_wish(engine, scaler, now, wish)
    if wish > count:
        grow(engine, scaler, min(wish, max(2 * count, count + 4)) - count)
        return
    for n in range(<int64_t>scaler.wishes_count):
        least = max(least, scaler.wishes[n].size)
    shrink(engine, scaler, count - least)


cdef void grow(Engine *engine, Autoscaler *scaler, int64_t number) noexcept nogil:
    cdef Start *start
    cdef int64_t n
    for n in range(number):
        if engine.time >= engine.warmup:
            scaler.node_group.scaled_out += 1
        start = <Start *>piece(engine, &engine.small)
        start.scaler, start.is_cancelled = scaler, False
        add_to(engine, &scaler.starting, start)
        after(engine, scaler.start_up, STARTS, start)


cdef void replica_starts(Engine *engine, Start *start) noexcept nogil:
    """A new replica is ready, if it is still wanted."""
    cdef Autoscaler *scaler = start.scaler
    cdef int64_t index
    if not start.is_cancelled:
        index = free_index(engine, scaler.node_group)
        if index < 0:
            after(engine, PENDING, STARTS, start)
            return
        remove_from(&scaler.starting, start)
        add_node(engine, scaler.node_group, index)
    put_back(engine, &engine.small, start)


cdef void shrink(Engine *engine, Autoscaler *scaler, int64_t number) noexcept nogil:
    """Replicas that are starting go first, then ready ones, the newest first of each."""
    cdef NodeGroup *node_group = scaler.node_group
    cdef Replica *replica
    cdef int64_t n
    for n in range(number):
        if scaler.starting.count:
            scaler.starting.count -= 1
            (<Start *>scaler.starting.items[scaler.starting.count]).is_cancelled = True
        else:
            replica = newest_ready(node_group)
            if replica == NULL:
                return
            drain(engine, replica)
        if engine.time >= engine.warmup:
            node_group.scaled_in += 1


cdef Replica *newest_ready(const NodeGroup *node_group) noexcept nogil:
    cdef size_t n
    for n in range(node_group.nodes.count, 0, -1):
        if not (<Replica *>node_group.nodes.items[n - 1]).is_draining:
            return <Replica *>node_group.nodes.items[n - 1]
    return NULL


cdef double usage_of(Engine *engine, Autoscaler *scaler) noexcept nogil:
    """Mean share of the requested CPU that the ready replicas used in the last period."""
    cdef NodeGroup *node_group = scaler.node_group
    cdef Replica *replica
    cdef Recorder *recorder
    cdef double total = 0.0, measured, now = engine.time
    cdef int64_t counted = 0
    cdef size_t n
    for n in range(node_group.nodes.count):
        replica = <Replica *>node_group.nodes.items[n]
        recorder = replica.cores if replica.cores != NULL else replica.slots
        if recorder == NULL or replica.is_draining:
            continue
        tick(recorder, now)
        measured = min(scaler.period, now - replica.caller.born)
        if measured:
            total += (recorder.busy_seconds - replica.used) / measured
        replica.used = recorder.busy_seconds
        counted += 1
    return total / <double>counted / scaler.requested if counted else 0.0


cdef int64_t wish_of(
    const Autoscaler *scaler, double usage, int64_t ready, int64_t count
) noexcept nogil:
    cdef double ratio = usage / scaler.target
    cdef double wanted
    if ratio > 1 and count > ready:
        ratio = max(1.0, ratio * <double>ready / <double>count)
    if fabs(ratio - 1) <= scaler.tolerance + SCALING_TOLERANCE:
        return count
    wanted = ceil(<double>(count if ratio > 1 else ready) * ratio - SCALING_TOLERANCE)
    return <int64_t>min(max(wanted, <double>scaler.least), <double>scaler.most)


cdef void add_wish(Engine *engine, Autoscaler *scaler, double now, int64_t wish) noexcept nogil:
    """Keep a wish as long as the stabilisation window lasts."""
    cdef size_t n, old = 0
    if scaler.wishes_count == scaler.wishes_room:
        scaler.wishes_room = 2 * scaler.wishes_room if scaler.wishes_room else 32
        scaler.wishes = <Wish *>take_more(
            engine,
            scaler.wishes,
            scaler.wishes_count * sizeof(Wish),
            scaler.wishes_room * sizeof(Wish),
        )
    scaler.wishes[scaler.wishes_count].time = now
    scaler.wishes[scaler.wishes_count].size = wish
    scaler.wishes_count += 1
    while old + 1 < scaler.wishes_count and scaler.wishes[old].time <= now - scaler.stabilisation:
        old += 1
    for n in range(old, scaler.wishes_count):
        scaler.wishes[n - old] = scaler.wishes[n]
    scaler.wishes_count -= old


# -- deadlock --------------------------------------------------------------------------------------
# The same search as in the reference engine: servers of which every one is held by somebody who
# waits, without a timeout, for servers of the same kind.

cdef void check_progress(Engine *engine) noexcept nogil:
    cdef Recorder *recorder
    cdef bint changed = True, any_stuck = False
    cdef size_t n
    for n in range(engine.recorders.count):
        recorder = <Recorder *>engine.recorders.items[n]
        recorder.is_stuck = (
            not recorder.is_shared
            and recorder.waiting > 0
            and recorder.busy == recorder.servers
            and recorder.busy > 0  # where all consumers are down, messages wait for them to come back
        )
    while changed:
        changed = False
        for n in range(engine.recorders.count):
            recorder = <Recorder *>engine.recorders.items[n]
            if recorder.is_stuck and not all_wait(recorder):
                recorder.is_stuck = False
                changed = True
    for n in range(engine.recorders.count):
        recorder = <Recorder *>engine.recorders.items[n]
        if recorder.is_stuck and recorder.station >= 0:
            any_stuck = True
    if any_stuck:
        leave(&engine.escape, DEADLOCK)


cdef bint all_wait(const Recorder *recorder) noexcept nogil:
    cdef const Visit *visit = recorder.first
    cdef Attempt *attempt
    while visit != NULL:
        if visit.is_served:
            if visit.granted == GRANTED:
                if not walk_waits(&(<Request *>visit.owner).walk):
                    return False
            elif visit.granted == PERMITTED or visit.granted == CONNECTED:
                attempt = <Attempt *>visit.owner
                if attempt.request == NULL or not request_waits(attempt.request):
                    return False
            else:
                return False
        visit = visit.after
    return True


cdef bint walk_waits(const Walk *walk) noexcept nogil:
    cdef const Walk *branch
    if walk.join != NULL:
        branch = walk.join.branches
        while branch != NULL:
            if walk_waits(branch):
                return True
            branch = branch.sibling
        return False
    return walk.call != NULL and call_waits(walk.call)


cdef bint call_waits(const Call *call) noexcept nogil:
    """A call waits for ever when it has no timeout and its attempt waits for ever."""
    cdef const Attempt *attempt = call.open
    if call.site.timeout < INFINITY or attempt == NULL or attempt.next != NULL:
        return False
    if attempt.deadline < INFINITY:
        return False
    if attempt.request != NULL:
        return request_waits(attempt.request)
    return (
        attempt.connection != NULL
        and not attempt.connection.is_served
        and attempt.connection.recorder.is_stuck
    )


cdef bint request_waits(const Request *request) noexcept nogil:
    if request.is_over or request.is_cancelled:
        return False
    if request.has_visit and not request.visit.is_served:
        return request.visit.recorder.is_stuck
    return walk_waits(&request.walk)
