# Messages: consumer groups of topics and queues, redelivery, dead letters.


cdef double publish(Engine *engine, int index, Key root, Key key) noexcept nogil:
    """Send a message to everybody who reads the channel; returns the network's delay."""
    cdef Channel *channel = &engine.channels[index]
    cdef Message *message
    cdef int n
    for n in range(channel.subscriptions):
        message = <Message *>piece(engine, &engine.small)
        message.group, message.root, message.key = &channel.subscribers[n], root, key
        after(engine, channel.delay, REACHES_BROKER, message)
    if channel.subscriptions == 0 and engine.time >= engine.warmup:
        channel.unread += 1
    return channel.delay


cdef void reach_broker(Engine *engine, Message *message) noexcept nogil:
    """A message has arrived at the broker."""
    cdef Subscribers *group = message.group
    cdef Key root = message.root, key = message.key
    cdef Delivery *delivery
    cdef int64_t partition
    put_back(engine, &engine.small, message)
    if group.channel.keyed:
        partition = <int64_t>(
            uniform(group.channel.draws, key, 0) * <double>group.partitions
        )
    else:
        partition = group.turn % group.partitions
        group.turn += 1
    delivery = <Delivery *>piece(engine, &engine.small)
    delivery.group, delivery.root, delivery.key = group, root, child(key, group.place, 0)
    delivery.partition, delivery.number = partition, 0
    deliver(engine, delivery, False)


cdef void deliver(Engine *engine, Delivery *delivery, bint first) noexcept nogil:
    """Give the message to a member of the group; without one it stays with the broker."""
    cdef Subscribers *group = delivery.group
    cdef Replica *member = member_of(group, delivery.partition)
    cdef Request *request
    cdef Key key = delivery.key
    if member == NULL:
        add_to(engine, &group.stranded, delivery)
        return
    delivery.number += 1
    if delivery.number > 1:
        key = child(key, 0, <Key>delivery.number)
    request = new_request(engine, group.operation, member, delivery, True, key, 0)
    request.root = delivery.root
    request.home = home_of(group, member.index)
    admit(engine, request, first)


cdef Replica *member_of(Subscribers *group, int64_t partition) noexcept nogil:
    """The live member that a partition belongs to; NULL when all are gone."""
    cdef List *nodes = &group.node_group.nodes
    cdef size_t n, alive = 0
    if group.host.nodes.count == 0 or nodes.count == 0:
        return NULL
    if not group.ordered:
        return <Replica *>nodes.items[0]
    for n in range(nodes.count):
        alive += home_of(group, (<Replica *>nodes.items[n]).index) != NULL
    if alive == 0:
        return NULL
    partition %= <int64_t>alive
    for n in range(nodes.count):
        if home_of(group, (<Replica *>nodes.items[n]).index) != NULL:
            if partition == 0:
                return <Replica *>nodes.items[n]
            partition -= 1
    return NULL


cdef Replica *home_of(Subscribers *group, int64_t member) noexcept nogil:
    """The replica that a member lives on, if it is up."""
    cdef NodeGroup *host = group.host
    cdef Replica *home
    if not group.ordered:
        group.turn += 1
        if host.nodes.count == 0:
            return NULL
        return <Replica *>host.nodes.items[<size_t>group.turn % host.nodes.count]
    home = <Replica *>look(&host.by_index, <Key>(member % host.initial))
    if home != NULL and not home.caller.is_dead:
        return home
    if host.is_renewed and host.nodes.count:
        return <Replica *>host.nodes.items[<size_t>member % host.nodes.count]
    return NULL


cdef void answer_delivery(Engine *engine, Delivery *delivery, int outcome) noexcept nogil:
    """The consumer is done with it, or has failed."""
    if outcome > DEGRADED:
        soon(engine, DELIVERY_FAILS, delivery)
    else:
        put_back(engine, &engine.small, delivery)


cdef void delivery_failed(Engine *engine, Delivery *delivery) noexcept nogil:
    cdef Subscribers *group = delivery.group
    cdef bint counts = engine.time >= engine.warmup
    cdef Key root = delivery.root, key = delivery.key
    if delivery.number < group.deliveries:
        group.redelivered += counts
        if group.ordered:
            deliver(engine, delivery, True)
        else:
            after(engine, group.visibility, DELIVERS, delivery)
        return
    put_back(engine, &engine.small, delivery)
    if group.dead >= 0:
        group.dead_letters += counts
        publish(engine, group.dead, root, key)
    else:
        group.dropped += counts


# -- members whose service comes and goes ----------------------------------------------------------

cdef void hosts_are_lost(Engine *engine, Replica *replica) noexcept nogil:
    """A replica of a service is gone: its messages go to the other members."""
    cdef Channel *channel
    cdef int n, m
    for n in range(engine.channels_count):
        channel = &engine.channels[n]
        for m in range(channel.subscriptions):
            if channel.subscribers[m].host == replica.node_group:
                host_is_lost(engine, &channel.subscribers[m], replica)


cdef void host_is_lost(Engine *engine, Subscribers *group, Replica *replica) noexcept nogil:
    cdef List moved
    cdef Request *request
    cdef Replica *node
    cdef size_t n
    cdef bint waits
    moved.items, moved.count, moved.room = NULL, 0, 0
    for n in range(group.node_group.nodes.count):
        node = <Replica *>group.node_group.nodes.items[n]
        request = node.first
        while request != NULL:
            waits = request.has_visit and not request.visit.is_served
            if request.home == replica or (waits and home_of(group, node.index) == NULL):
                add_to(engine, &moved, request)
            request = request.after
    for n in range(moved.count):
        interrupt(engine, <Request *>moved.items[n])
    give(engine, moved.items)
    resize(engine, group)


cdef void interrupt(Engine *engine, Request *request) noexcept nogil:
    """The process that held a message is gone: another one gets it."""
    cdef Delivery *delivery = <Delivery *>request.origin
    leave_replica(request)
    if request.has_visit:
        release(engine, &request.visit)
    delivery.number = min(delivery.number, delivery.group.deliveries - 1)
    abort(engine, request)


cdef void hosts_are_back(Engine *engine, NodeGroup *node_group) noexcept nogil:
    """A replica of a service is up again."""
    cdef Channel *channel
    cdef Subscribers *group
    cdef List stranded
    cdef int n, m
    cdef size_t k
    for n in range(engine.channels_count):
        channel = &engine.channels[n]
        for m in range(channel.subscriptions):
            group = &channel.subscribers[m]
            if group.host != node_group:
                continue
            resize(engine, group)
            stranded = group.stranded
            group.stranded.items, group.stranded.count, group.stranded.room = NULL, 0, 0
            for k in range(stranded.count):
                deliver(engine, <Delivery *>stranded.items[k], False)
            give(engine, stranded.items)


cdef void resize(Engine *engine, Subscribers *group) noexcept nogil:
    """Competing consumers are as many as the replicas that are up give."""
    cdef Recorder *slots
    if group.ordered or group.node_group.nodes.count == 0:
        return
    slots = (<Replica *>group.node_group.nodes.items[0]).slots
    if slots == NULL:
        return
    tick(slots, engine.time)
    slots.servers = max(1.0, rint(group.share * <double>group.host.nodes.count))
    slots.is_limited = True
    serve_next(engine, slots)
