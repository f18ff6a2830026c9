# Messages: consumer groups of topics and queues, redelivery, dead letters.


cdef void publish(Engine *engine, int index, Key root, Key key) noexcept nogil:
    """Send a message to everybody who reads the channel."""
    cdef Channel *channel = &engine.channels[index]
    cdef Message *message
    cdef int n
    for n in range(channel.subscriptions):
        message = <Message *>piece(engine, &engine.small)
        message.group, message.root, message.key = &channel.subscribers[n], root, key
        after(engine, channel.delay, REACHES_BROKER, message)
    if channel.subscriptions == 0 and engine.time >= engine.warmup:
        channel.unread += 1


cdef void reach_broker(Engine *engine, Message *message) noexcept nogil:
    """A message has arrived at the broker."""
    cdef Subscribers *group = message.group
    cdef Key root = message.root, key = message.key
    cdef Delivery *delivery
    cdef int64_t partition = 0
    put_back(engine, &engine.small, message)
    if group.ordered and group.channel.keyed:
        partition = <int64_t>(
            uniform(group.channel.draws, key, 0) * <double>group.partitions
        )
    elif group.ordered:
        partition = group.next_partition % group.partitions
        group.next_partition += 1
    delivery = <Delivery *>piece(engine, &engine.small)
    delivery.group, delivery.root, delivery.key = group, root, child(key, group.place, 0)
    delivery.partition, delivery.number = partition, 0
    delivery.latest, delivery.refs = NULL, 1
    delivery.is_done = delivery.is_out_of_time = False
    deliver(engine, delivery, False)


cdef void deliver(Engine *engine, Delivery *delivery, bint first) noexcept nogil:
    """Let the message wait for a member of the group; the caller's reference goes with it."""
    cdef Subscribers *group = delivery.group
    cdef Request *request
    cdef Key key = delivery.key
    delivery.number += 1
    if delivery.number > 1:
        key = child(key, 0, <Key>delivery.number)
    request = new_request(
        engine, group.operation, line_of(group, delivery.partition), delivery, True, key, 0
    )
    request.root = delivery.root
    request.home = NULL
    delivery.latest = request
    admit(engine, request, first)


cdef inline Replica *line_of(Subscribers *group, int64_t partition) noexcept nogil:
    """The node at which the messages of a partition wait."""
    return <Replica *>group.node_group.nodes.items[partition % group.members if group.ordered else 0]


# -- who works on a message ------------------------------------------------------------------------

cdef void take_message(Engine *engine, Request *request) noexcept nogil:
    """The replica that works on a message: the member's, or the one with most to spare."""
    cdef Subscribers *group = (<Delivery *>request.origin).group
    cdef Replica *home
    if group.ordered:
        home = <Replica *>group.homes.items[<size_t>request.replica.index % group.homes.count]
    else:
        home = free_home(group)
    store(engine, &group.held, home.serial, <uint64_t>(held_by(group, home) + 2))
    home.messages += 1
    request.home = home


cdef inline int64_t held_by(const Subscribers *group, const Replica *home) noexcept nogil:
    cdef uint64_t found = look(&group.held, home.serial)
    return <int64_t>found - 1 if found else 0


cdef Replica *free_home(Subscribers *group) noexcept nogil:
    """The replica that works on the fewest messages; of several, the next in turn."""
    cdef Replica **homes = <Replica **>group.homes.items
    cdef size_t count = group.homes.count, step, other
    cdef size_t first = group.next_home % count
    cdef size_t best = first
    for step in range(1, count):
        other = (first + step) % count
        if held_by(group, homes[other]) < held_by(group, homes[best]):
            best = other
    group.next_home = best + 1
    return homes[best]


cdef void give_message_back(Engine *engine, Request *request) noexcept nogil:
    """A message is done with; a replica that is to go takes no other one."""
    cdef Subscribers *group = (<Delivery *>request.origin).group
    cdef Replica *home = request.home
    if home == NULL or home.caller.is_dead:
        return
    store(engine, &group.held, home.serial, <uint64_t>held_by(group, home))  # one less, plus one
    home.messages -= 1
    if home.is_draining:
        resize(engine, group, request)


cdef inline void drop_delivery(Engine *engine, Delivery *delivery) noexcept nogil:
    delivery.refs -= 1
    if delivery.refs == 0:
        put_back(engine, &engine.small, delivery)


cdef void message_taken(Engine *engine, Delivery *delivery) noexcept nogil:
    """A consumer has taken it: it comes again after a time, unless it is done by then."""
    cdef Visibility *ends
    if delivery.group.visibility > 0:
        ends = <Visibility *>piece(engine, &engine.small)
        ends.delivery, ends.number = delivery, delivery.number
        delivery.refs += 1
        timer(engine, delivery.group.visibility, VISIBLE, ends)


cdef void answer_delivery(
    Engine *engine, Delivery *delivery, Request *request, int outcome
) noexcept nogil:
    """One delivery of a message has ended: well, or its consumer has failed.

    Who ends after the message was taken again cannot acknowledge it any more.
    """
    cdef Request *latest = delivery.latest
    if request != latest:
        if outcome <= DEGRADED and latest != NULL and latest.home == NULL:
            end_delivery(delivery)
            withdraw(engine, latest)
        drop_delivery(engine, delivery)
        return
    delivery.latest = NULL
    if outcome <= DEGRADED:
        end_delivery(delivery)
    elif delivery.group.visibility <= 0 or request.home == NULL:
        soon(engine, DELIVERY_FAILS, delivery)
        return
    elif delivery.is_out_of_time:
        soon(engine, GIVES_MESSAGE_UP, delivery)
        return
    drop_delivery(engine, delivery)


cdef inline void end_delivery(Delivery *delivery) noexcept nogil:
    delivery.is_done, delivery.latest = True, NULL


cdef void withdraw(Engine *engine, Request *request) noexcept nogil:
    """The message is done with while this copy of it waits: as if it had not come."""
    cdef bint waits = request.has_visit and not request.visit.is_served
    request.is_over = True
    leave_replica(request)
    if request.has_visit:
        release(engine, &request.visit)
    if request.since >= engine.warmup:
        request.operation.tally.started -= 1
    drop_delivery(engine, <Delivery *>request.origin)
    if waits:
        end_walk(engine, &request.walk)
    drop_request(engine, request)


cdef void message_visible(Engine *engine, Visibility *ends) noexcept nogil:
    """Its time is over; whoever is done at this very moment is done in time."""
    cdef Delivery *delivery = ends.delivery
    if not delivery.is_done and delivery.number == ends.number:
        timer(engine, 0.0, EXPIRES, ends)
        return
    put_back(engine, &engine.small, ends)
    drop_delivery(engine, delivery)


cdef void message_expires(Engine *engine, Visibility *ends) noexcept nogil:
    cdef Delivery *delivery = ends.delivery
    cdef Subscribers *group = delivery.group
    cdef bint is_late = not delivery.is_done and delivery.number == ends.number
    put_back(engine, &engine.small, ends)
    if not is_late:
        drop_delivery(engine, delivery)
    elif delivery.number >= group.deliveries and group.dead < 0 and delivery.latest != NULL:
        delivery.is_out_of_time = True  # its last consumer may still succeed
        drop_delivery(engine, delivery)
    else:
        deliver_again(engine, delivery)


cdef void deliver_again(Engine *engine, Delivery *delivery) noexcept nogil:
    """It comes again, or was delivered as often as it may be."""
    cdef Subscribers *group = delivery.group
    if delivery.number >= group.deliveries:
        give_message_up(engine, delivery)
        return
    if engine.time >= engine.warmup:
        group.redelivered += 1
    if group.ordered:
        deliver(engine, delivery, True)
    else:
        after(engine, 0.0, DELIVERS, delivery)


cdef void give_message_up(Engine *engine, Delivery *delivery) noexcept nogil:
    cdef Subscribers *group = delivery.group
    cdef bint counts = engine.time >= engine.warmup
    end_delivery(delivery)
    if group.dead >= 0:
        group.dead_letters += counts
        publish(engine, group.dead, delivery.root, delivery.key)
    else:
        group.dropped += counts
    drop_delivery(engine, delivery)


# -- members whose service comes and goes ----------------------------------------------------------

cdef void start_subscribers(Engine *engine) noexcept nogil:
    """The first replicas of all services are there."""
    cdef int n, m
    for n in range(engine.channels_count):
        for m in range(engine.channels[n].subscriptions):
            close_lines(engine, &engine.channels[n].subscribers[m])
            reopen_lines(engine, &engine.channels[n].subscribers[m])


cdef void hosts_have_changed(Engine *engine, NodeGroup *host, Replica *lost) noexcept nogil:
    """Replicas of a service have come or gone."""
    cdef Channel *channel
    cdef int n, m
    for n in range(engine.channels_count):
        channel = &engine.channels[n]
        for m in range(channel.subscriptions):
            if channel.subscribers[m].host == host:
                rebalance(engine, &channel.subscribers[m], lost)


cdef void rebalance(Engine *engine, Subscribers *group, Replica *lost) noexcept nogil:
    """Whoever has no member any more gets another one.

    Until all messages that were held by a lost replica are back in line, nobody takes one.
    """
    cdef List moved
    cdef Request *request
    cdef size_t n
    close_lines(engine, group)
    if lost != NULL:
        forget(&group.held, lost.serial)
    moved.items, moved.count, moved.room = NULL, 0, 0
    for n in range(group.node_group.nodes.count):
        request = (<Replica *>group.node_group.nodes.items[n]).first
        while request != NULL:
            if request.home == lost if request.home != NULL else is_orphan(group, request):
                add_to(engine, &moved, request)
            request = request.after
    for n in range(moved.count):
        interrupt(engine, <Request *>moved.items[n])
    give(engine, moved.items)
    soon(engine, REOPENS, group)


cdef void close_lines(Engine *engine, Subscribers *group) noexcept nogil:
    """Count who is up; the lines are closed until all is back in line."""
    cdef Replica *home
    cdef int64_t members
    cdef size_t n
    group.homes.count = 0
    for n in range(group.host.nodes.count):
        home = <Replica *>group.host.nodes.items[n]
        if not home.is_draining:
            add_to(engine, &group.homes, home)
    members = members_up(group)
    if members and group.ordered:
        group.members = members
    while <int64_t>group.node_group.nodes.count < group.members:
        add_node(engine, group.node_group, -1)
    for n in range(group.node_group.nodes.count):
        set_servers(engine, <Replica *>group.node_group.nodes.items[n], 0)


cdef inline int64_t members_up(const Subscribers *group) noexcept nogil:
    return min(group.partitions, <int64_t>group.homes.count * group.concurrency)


cdef bint is_orphan(const Subscribers *group, const Request *request) noexcept nogil:
    """Whether a message was just given to a member that is gone before it began."""
    cdef bint has_member = group.homes.count > 0 and request.replica.index < group.members
    return request.visit.is_served and not has_member


cdef void interrupt(Engine *engine, Request *request) noexcept nogil:
    """The process that held a message is gone: another one gets it, unless it comes only once."""
    cdef Delivery *delivery = <Delivery *>request.origin
    leave_replica(request)
    if request.has_visit:
        release(engine, &request.visit)
    if delivery.group.once and request.home != NULL:
        end_delivery(delivery)
        delivery.group.dropped += engine.time >= engine.warmup
    elif delivery.group.visibility <= 0 or request.home == NULL:
        delivery.number = min(delivery.number, delivery.group.deliveries - 1)
    abort(engine, request)


cdef void reopen_lines(Engine *engine, Subscribers *group) noexcept nogil:
    """Messages that wait go to the member that has their partition now."""
    cdef List *nodes = &group.node_group.nodes
    cdef Replica *node
    cdef Replica *line
    cdef Visit *visit
    cdef Visit *behind
    cdef size_t n
    resize(engine, group, NULL)
    for n in range(nodes.count):
        node = <Replica *>nodes.items[n]
        visit = node.slots.line.first
        while visit != NULL:
            behind = visit.behind
            line = line_of(group, (<Delivery *>(<Request *>visit.owner).origin).partition)
            if line != node:
                move(engine, <Request *>visit.owner, line)
            visit = behind
    for n in range(nodes.count):
        serve_next(engine, (<Replica *>nodes.items[n]).slots)


cdef void move(Engine *engine, Request *request, Replica *line) noexcept nogil:
    """Wait in the line of another member, at its end."""
    leave_replica(request)
    release(engine, &request.visit)
    request.replica = line
    enter_replica(line, request)
    if acquire(engine, line.slots, &request.visit, GRANTED, request, 0, False):
        soon(engine, GRANTED, request)


cdef void resize(Engine *engine, Subscribers *group, Request *but) noexcept nogil:
    """As many servers as consumers are there, and as still work where a replica is to go."""
    cdef Replica *node
    cdef Request *request
    cdef int64_t up, leaving
    cdef size_t n
    for n in range(group.node_group.nodes.count):
        node = <Replica *>group.node_group.nodes.items[n]
        up = members_up(group)
        if group.ordered:
            up = group.homes.count > 0 and node.index < group.members
        leaving = 0
        request = node.first
        while request != NULL:
            if request != but and request.home != NULL:
                leaving += request.home.is_draining
            request = request.after
        set_servers(engine, node, max(up, leaving) if group.ordered else up + leaving)


cdef void set_servers(Engine *engine, Replica *node, int64_t servers) noexcept nogil:
    tick(node.slots, engine.time)
    node.slots.servers = <double>servers
    node.slots.is_limited = True
