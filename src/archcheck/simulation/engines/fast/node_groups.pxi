# Replicas, and who chooses among them.
#
# A caller is a process that calls; what its client library keeps, it makes when it is first asked
# for, and finds again by kind and index.


cdef inline Key kept_at(int kind, int index) noexcept nogil:
    return (<Key>kind << 32) | <Key>index


cdef void init_caller(Engine *engine, Caller *caller, Key place, int zone) noexcept nogil:
    memset(caller, 0, sizeof(Caller))
    caller.place, caller.zone, caller.born = place, zone, engine.time


cdef Link *link_of(Engine *engine, Caller *caller, Site *site) noexcept nogil:
    """What a caller keeps for a call site."""
    cdef Key key = kept_at(A_LINK, site.index)
    cdef Link *link = <Link *>look(&caller.kept, key)
    if link == NULL:
        link = <Link *>take(engine, sizeof(Link))
        store(engine, &caller.kept, key, <uint64_t>link)
    return link


cdef Recorder *pool_of(Engine *engine, Caller *caller, int index) noexcept nogil:
    cdef Key key = kept_at(A_POOL, index)
    cdef Recorder *found = <Recorder *>look(&caller.kept, key)
    if found == NULL:
        found = servers_of_caller(engine, caller, &engine.pools[index])
        store(engine, &caller.kept, key, <uint64_t>found)
    return found


cdef Recorder *bulkhead_of(Engine *engine, Caller *caller, int index) noexcept nogil:
    cdef Key key = kept_at(A_BULKHEAD, index)
    cdef Recorder *found = <Recorder *>look(&caller.kept, key)
    if found == NULL:
        found = servers_of_caller(engine, caller, &engine.bulkheads[index])
        store(engine, &caller.kept, key, <uint64_t>found)
    return found


cdef Breaker *breaker_of(Engine *engine, Caller *caller, int index) noexcept nogil:
    cdef Key key = kept_at(A_BREAKER, index)
    cdef Breaker *found = <Breaker *>look(&caller.kept, key)
    if found == NULL:
        found = <Breaker *>take(engine, sizeof(Breaker))
        found.spec = &engine.breakers[index]
        found.open_until = -1.0
        close_breaker(found)
        store(engine, &caller.kept, key, <uint64_t>found)
    return found


cdef Budget *budget_of(Engine *engine, Caller *caller, int index) noexcept nogil:
    cdef Key key = kept_at(A_BUDGET, index)
    cdef Budget *found = <Budget *>look(&caller.kept, key)
    if found == NULL:
        found = <Budget *>take(engine, sizeof(Budget))
        found.spec = &engine.budgets[index]
        store(engine, &caller.kept, key, <uint64_t>found)
    return found


cdef Bucket *bucket_of_caller(Engine *engine, Caller *caller, int index) noexcept nogil:
    cdef Key key = kept_at(A_LIMIT, index)
    cdef Bucket *found = <Bucket *>look(&caller.kept, key)
    if found == NULL:
        found = <Bucket *>take(engine, sizeof(Bucket))
        fill(found, &engine.limits[index])
        store(engine, &caller.kept, key, <uint64_t>found)
    return found


cdef Content *content_of(Engine *engine, Caller *caller, int index) noexcept nogil:
    cdef Key key = kept_at(A_CONTENT, index)
    cdef Content *found = <Content *>look(&caller.kept, key)
    if found == NULL:
        found = <Content *>take(engine, sizeof(Content))
        found.spec = &engine.caches[index]
        store(engine, &caller.kept, key, <uint64_t>found)
    return found


cdef Caller *outsider(Engine *engine, Key place) noexcept nogil:
    """A caller that is no replica of the system."""
    cdef Caller *found = <Caller *>look(&engine.outsiders, place)
    if found == NULL:
        found = <Caller *>take(engine, sizeof(Caller))
        init_caller(engine, found, place, -1)
        store(engine, &engine.outsiders, place, <uint64_t>found)
    return found


# -- choosing a replica ----------------------------------------------------------------------------

cdef inline int64_t outstanding(const Caller *caller, const Replica *replica) noexcept nogil:
    cdef uint64_t found = look(&caller.outstanding, replica.serial)
    return <int64_t>found - 1 if found else 0


cdef void count_outstanding(Engine *engine, Caller *caller, Replica *replica, int change) noexcept nogil:
    cdef int64_t now = outstanding(caller, replica) + change
    if now == 0 and replica.caller.is_dead:
        forget(&caller.outstanding, replica.serial)
    else:
        store(engine, &caller.outstanding, replica.serial, <uint64_t>(now + 1))


cdef Replica *choose(Engine *engine, Caller *caller, Site *site, Key key) noexcept nogil:
    """The replica that a request goes to; NULL when none is known to be up."""
    cdef NodeGroup *node_group = &engine.node_groups[site.target]
    cdef Replica **nodes = <Replica **>node_group.rotation.items
    cdef size_t count = node_group.rotation.count
    cdef Replica *chosen
    cdef List kept
    if caller.ejected_count:
        kept = without_ejected(engine, caller, &node_group.rotation)
        chosen = choose_of(engine, caller, site, node_group, key, <Replica **>kept.items, kept.count)
        give(engine, kept.items)
        return chosen
    return choose_of(engine, caller, site, node_group, key, nodes, count)


cdef inline Replica *choose_of(
    Engine *engine,
    Caller *caller,
    Site *site,
    NodeGroup *node_group,
    Key key,
    Replica **nodes,
    size_t count,
) noexcept nogil:
    cdef uint64_t turn
    cdef int64_t load, least
    cdef size_t first, second, n, best
    if count <= 1:
        return nodes[0] if count else NULL
    if site.balance == ROUND_ROBIN:
        turn = look(&caller.turns, node_group.index)
        if turn == 0:
            turn = 1 + <uint64_t>(
                uniform(stream(engine.seed, caller.place), node_group.place, 0) * <double>count
            )
        store(engine, &caller.turns, node_group.index, turn + 1)
        return nodes[(turn - 1) % count]
    first = <size_t>(uniform(site.node_draws, key, 0) * <double>count)
    if site.balance == RANDOM:
        return nodes[first]
    if site.balance == POWER_OF_TWO:
        second = <size_t>(uniform(site.node_draws, key, 1) * <double>(count - 1))
        second = (first + 1 + second) % count
        if outstanding(caller, nodes[first]) <= outstanding(caller, nodes[second]):
            return nodes[first]
        return nodes[second]
    best, least = first, outstanding(caller, nodes[first])
    for n in range(1, count):
        second = (first + n) % count
        load = outstanding(caller, nodes[second])
        if load < least:
            best, least = second, load
    return nodes[best]


cdef void tell_ejection(Engine *engine, Caller *caller, Replica *replica, bint failed) noexcept nogil:
    """Outlier ejection: five failures in a row, and a replica is left alone for 30 s."""
    cdef uint64_t failures
    cdef Ejection *ejection = NULL
    cdef size_t n
    if not failed:
        forget(&caller.failures, replica.serial)
        return
    failures = look(&caller.failures, replica.serial) + 1
    if failures < EJECT_AFTER:
        store(engine, &caller.failures, replica.serial, failures)
        return
    forget(&caller.failures, replica.serial)
    for n in range(caller.ejected_count):
        if caller.ejected[n].replica == replica:
            ejection = &caller.ejected[n]
    if ejection == NULL:
        if caller.ejected_count == caller.ejected_room:
            caller.ejected_room = 2 * caller.ejected_room if caller.ejected_room else 4
            caller.ejected = <Ejection *>take_more(
                engine,
                caller.ejected,
                caller.ejected_count * sizeof(Ejection),
                caller.ejected_room * sizeof(Ejection),
            )
        ejection = &caller.ejected[caller.ejected_count]
        caller.ejected_count += 1
    ejection.replica, ejection.until = replica, engine.time + EJECT_FOR


cdef List without_ejected(Engine *engine, Caller *caller, const List *nodes) noexcept nogil:
    """The nodes that are not ejected, or all if none is left; a list to be given back."""
    cdef List kept
    cdef size_t n, m, left = 0
    cdef bint is_ejected
    kept.items, kept.count, kept.room = NULL, 0, 0
    for n in range(caller.ejected_count):
        if caller.ejected[n].until > engine.time:
            caller.ejected[left] = caller.ejected[n]
            left += 1
    caller.ejected_count = left
    for n in range(nodes.count):
        is_ejected = False
        for m in range(left):
            if caller.ejected[m].replica == nodes.items[n]:
                is_ejected = True
        if not is_ejected:
            add_to(engine, &kept, nodes.items[n])
    if kept.count == 0:
        for n in range(nodes.count):
            add_to(engine, &kept, nodes.items[n])
    return kept


# -- replicas --------------------------------------------------------------------------------------

cdef Replica *new_replica(Engine *engine, NodeGroup *node_group, int64_t index) noexcept nogil:
    cdef Replica *replica = <Replica *>take(engine, sizeof(Replica))
    cdef int zone = -1
    if node_group.zones_count:
        zone = node_group.zones[index % node_group.zones_count]
    init_caller(engine, &replica.caller, child(node_group.place, engine.node_place, <Key>index), zone)
    engine.serial += 1
    replica.serial, replica.node_group, replica.index = engine.serial, node_group, index
    if node_group.slots >= 0:
        replica.slots = held_servers(engine, node_group.slots, node_group.lines)
    if node_group.cores >= 0:
        replica.cores = working_servers(engine, node_group.cores, node_group.lines)
    replica.gate = replica.slots if replica.slots != NULL else replica.cores
    replica.is_gated = node_group.shed < INFINITY or (
        replica.gate != NULL and replica.gate.is_bounded
    )
    return replica


cdef int turns_away(Engine *engine, Replica *replica, int rank) noexcept nogil:
    """Why a newcomer is rejected: shed, or because the queue is full; zero: it is not.

    A more important newcomer takes the place of the least important one that waits.
    """
    cdef Recorder *gate = replica.gate
    cdef Visit *loser
    if gate == NULL:
        return 0
    if (
        (rank > 0 or replica.node_group.ranks_count == 0)  # without priorities, whoever comes
        and is_busier_than(gate, replica.node_group.shed)
    ):
        reject(engine, gate)
        return SHED
    if not is_full(gate):
        return 0
    reject(engine, gate)
    loser = least_important(gate, rank)
    if loser == NULL:
        return QUEUE_FULL
    displace(engine, <Request *>loser.owner)
    return 0


cdef void go_if_drained(Engine *engine, Replica *replica) noexcept nogil:
    """The last request of a replica that is to go has ended."""
    cdef bint is_empty = replica.first == NULL and replica.messages == 0
    if replica.is_draining and is_empty and not replica.caller.is_dead:
        crash(engine, replica)


cdef int64_t free_index(Engine *engine, NodeGroup *node_group) noexcept nogil:
    """The index of a further node, in the next zone that is there; -1: all are lost."""
    cdef int64_t index
    cdef int n
    for n in range(max(1, node_group.zones_count)):
        index = node_group.started
        node_group.started += 1
        if node_group.zones_count == 0:
            return index
        if not is_lost(engine, node_group, node_group.zones[index % node_group.zones_count]):
            return index
    return -1


cdef bint is_lost(Engine *engine, const NodeGroup *node_group, int zone) noexcept nogil:
    """Whether all nodes of a group in a zone are gone at the moment."""
    cdef const Fault *fault
    cdef int n
    for n in range(engine.faults_count):
        fault = &engine.faults[n]
        if fault.kind == KILLED and fault.group == node_group.index and fault.zone == zone:
            if fault.start <= engine.time and engine.time < fault.end:
                return True
    return False


cdef Replica *add_node(Engine *engine, NodeGroup *node_group, int64_t index) noexcept nogil:
    """A new process is ready, cold and empty: one more node (-1), or the one with this index."""
    cdef Replica *replica
    cdef Replica *before
    if index < 0:
        index = node_group.started
        node_group.started += 1
    replica = new_replica(engine, node_group, index)
    before = <Replica *>look(&node_group.by_index, index)
    if before != NULL:
        remove_from(&node_group.rotation, before)  # dead, and nobody had noticed yet
    store(engine, &node_group.by_index, index, <uint64_t>replica)
    add_by_index(engine, &node_group.nodes, replica)
    add_by_index(engine, &node_group.rotation, replica)
    hosts_have_changed(engine, node_group, NULL)
    return replica


cdef void add_by_index(Engine *engine, List *nodes, Replica *replica) noexcept nogil:
    cdef size_t place = nodes.count
    while place and (<Replica *>nodes.items[place - 1]).index > replica.index:
        place -= 1
    insert_into(engine, nodes, place, replica)


cdef void crash(Engine *engine, Replica *replica) noexcept nogil:
    """A process dies, and all that is inside fails; callers choose it until they notice."""
    cdef Request *request
    if replica.caller.is_dead:
        return
    remove_from(&replica.node_group.nodes, replica)
    replica.caller.is_dead = True
    while replica.caller.loadings_first != NULL:
        wake(engine, replica.caller.loadings_first, False)
    if replica.slots != NULL:
        throw_out(engine, replica.slots)
        close_recorder(engine, replica.slots, engine.time)
    if replica.cores != NULL:
        throw_out(engine, replica.cores)
        close_recorder(engine, replica.cores, engine.time)
    hosts_have_changed(engine, replica.node_group, replica)
    while replica.first != NULL:
        request = replica.first
        leave_replica(request)
        abort(engine, request)


cdef void leave_rotation(Replica *replica) noexcept nogil:
    """Callers do not choose this replica any more."""
    remove_from(&replica.node_group.rotation, replica)


cdef void drain(Engine *engine, Replica *replica) noexcept nogil:
    """A replica gets no new requests, and goes when it is empty."""
    replica.is_draining = True
    leave_rotation(replica)
    hosts_have_changed(engine, replica.node_group, NULL)
    go_if_drained(engine, replica)
