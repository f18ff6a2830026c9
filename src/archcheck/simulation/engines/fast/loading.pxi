# From the tables of a plan to those of a run.
#
# The plan has been checked: every index is inside its table, every number in its range. What does
# not change during a run is computed here: streams of random numbers, the ends of Zipf's law.


cdef void *room_for(Engine *engine, size_t size) except NULL:
    """Memory, zeroed; here Python can be told that there is none."""
    cdef void *found = take_if_any(engine, size)
    if found == NULL:
        raise MemoryError
    return found


cdef Key hash_of(object place, str what=""):
    return place ^ place_hash(what) if what else place


cdef Key stream_at(Engine *engine, object place) except? 0:
    return stream(engine.seed, <Key>place)


cdef double number_of(object value) except? -1:
    """``None`` is unlimited."""
    return INFINITY if value is None else value


cdef int *indexes(Engine *engine, object values) except NULL:
    cdef int *items = <int *>room_for(engine, max(1, len(values)) * sizeof(int))
    for n, value in enumerate(values):
        items[n] = value
    return items


cdef double *numbers(Engine *engine, object values) except NULL:
    cdef double *items = <double *>room_for(engine, max(1, len(values)) * sizeof(double))
    for n, value in enumerate(values):
        items[n] = value
    return items


cdef int load_sampler(Engine *engine, Sampler *sampler, object spec) except -1:
    sampler.shape = spec.shape
    sampler.a, sampler.b = spec.a, spec.b
    sampler.count = len(spec.values)
    sampler.values = numbers(engine, spec.values)
    return 0


cdef int load_keys(Zipf *keys, object spec) except -1:
    if spec is None:
        return 0
    keys.is_given = True
    keys.count, keys.skew = spec.count, spec.skew
    keys.first, keys.last = zipf_ends(spec)
    return 0


cdef int load_blocks(Engine *engine, object plan) except -1:
    cdef Step *step
    engine.blocks = <Block *>room_for(engine, max(1, len(plan.blocks)) * sizeof(Block))
    for n, steps in enumerate(plan.blocks):
        engine.blocks[n].count = len(steps)
        engine.blocks[n].steps = <Step *>room_for(engine, max(1, len(steps)) * sizeof(Step))
        for m, spec in enumerate(steps):
            step = &engine.blocks[n].steps[m]
            step.kind, step.place = spec.kind, spec.place
            step.draws = stream_at(engine, spec.place)
            if spec.sampler is not None:
                load_sampler(engine, &step.sampler, spec.sampler)
            step.call, step.channel, step.cache = spec.call, spec.channel, spec.cache
            step.branches = len(spec.blocks)
            step.blocks = indexes(engine, spec.blocks)
            step.waited = <flag *>room_for(engine, max(1, len(spec.blocks)))
            for k, waited in enumerate(spec.waited):
                step.waited[k] = waited
            step.required = sum(spec.waited)
            step.number = spec.number
            load_keys(&step.keys, spec.keys)
    return 0


cdef int load_operations(Engine *engine, object plan) except -1:
    cdef Operation *operation
    engine.operations_count = len(plan.operations)
    engine.operations = <Operation *>room_for(
        engine, max(1, len(plan.operations)) * sizeof(Operation)
    )
    for n, spec in enumerate(plan.operations):
        operation = &engine.operations[n]
        operation.index, operation.place = n, spec.place
        operation.draws = stream_at(engine, spec.place)
        operation.group, operation.block, operation.limit = spec.group, spec.block, spec.limit
        operation.error_rate = operation.errors = spec.error_rate
        operation.slowness = 1.0
        operation.beside = spec.beside
    return 0


cdef int load_sites(Engine *engine, object plan) except -1:
    cdef Site *site
    engine.sites_count = len(plan.calls)
    engine.sites = <Site *>room_for(engine, max(1, len(plan.calls)) * sizeof(Site))
    for n, spec in enumerate(plan.calls):
        site = &engine.sites[n]
        site.index, site.place = n, spec.place
        site.operation = &engine.operations[<int>spec.operation]
        site.node_draws = stream_at(engine, hash_of(spec.place, "node"))
        site.jitter_draws = stream_at(engine, hash_of(spec.place, "jitter"))
        site.balance, site.pool = spec.balance, spec.pool
        site.source, site.target = spec.source, spec.target
        site.there, site.back, site.across = spec.there, spec.back, spec.across
        site.counts_outstanding = (
            site.balance == LEAST_OUTSTANDING or site.balance == POWER_OF_TWO
        )
        load_keys(&site.keys, spec.keys)
        load_policy(site, spec.policy)
    return 0


cdef int load_policy(Site *site, object spec) except -1:
    site.timeout, site.attempts = spec.timeout, spec.attempts
    site.backoff, site.factor, site.max_backoff = spec.backoff, spec.factor, spec.max_backoff
    site.jitter, site.retried, site.optional = spec.jitter, spec.retried, spec.optional
    site.fallback, site.inherits, site.tells = spec.fallback, spec.inherits, spec.tells
    site.drops, site.stops = spec.drops, spec.stops
    site.hedges, site.hedge_after = spec.hedges, spec.hedge_after
    site.bulkhead, site.breaker, site.limit = spec.bulkhead, spec.breaker, spec.limit
    site.budget, site.ejects = spec.budget, spec.ejects
    return 0


cdef int load_stations(Engine *engine, object plan) except -1:
    cdef Station *station
    engine.stations_count = len(plan.stations)
    engine.stations = <Station *>room_for(engine, max(1, len(plan.stations)) * sizeof(Station))
    for n, spec in enumerate(plan.stations):
        station = &engine.stations[n]
        station.servers = number_of(spec.servers)
        station.is_limited = spec.servers is not None
        station.quota = INFINITY if spec.limit is None else spec.limit * PERIOD
        station.lasting = number_of(spec.lasting)
        station.queue, station.is_bounded = number_of(spec.queue), spec.queue is not None
        station.discipline = spec.discipline
        station.busy_series = <double *>room_for(engine, INTERVALS * sizeof(double))
        station.capacity_series = <double *>room_for(engine, INTERVALS * sizeof(double))
        station.waiting_series = <double *>room_for(engine, INTERVALS * sizeof(double))
    return 0


cdef int load_policies(Engine *engine, object plan) except -1:
    engine.pools_count, engine.bulkheads_count = len(plan.pools), len(plan.bulkheads)
    engine.pools = <Pool *>room_for(engine, max(1, len(plan.pools)) * sizeof(Pool))
    for n, spec in enumerate(plan.pools):
        engine.pools[n].size, engine.pools[n].max_wait = spec.size, spec.max_wait
    engine.bulkheads = <Pool *>room_for(engine, max(1, len(plan.bulkheads)) * sizeof(Pool))
    for n, spec in enumerate(plan.bulkheads):
        engine.bulkheads[n].size, engine.bulkheads[n].max_wait = spec.size, spec.max_wait
    engine.breakers_count = len(plan.breakers)
    engine.breakers = <BreakerSpec *>room_for(
        engine, max(1, len(plan.breakers)) * sizeof(BreakerSpec)
    )
    for n, spec in enumerate(plan.breakers):
        engine.breakers[n] = BreakerSpec(
            failure_rate=spec.failure_rate,
            slow_rate=spec.slow_rate,
            slow=spec.slow,
            window=spec.window,
            timed=spec.timed,
            minimum=spec.minimum,
            open_for=spec.open_for,
            probes=spec.probes,
            opened=0,
        )
    engine.limits_count = len(plan.limits)
    engine.limits = <LimitSpec *>room_for(engine, max(1, len(plan.limits)) * sizeof(LimitSpec))
    engine.buckets = <Bucket *>room_for(engine, max(1, len(plan.limits)) * sizeof(Bucket))
    for n, spec in enumerate(plan.limits):
        engine.limits[n] = LimitSpec(rate=spec.rate, burst=spec.burst, scope=spec.scope)
        fill(&engine.buckets[n], &engine.limits[n])
        engine.has_clients = engine.has_clients or spec.scope == PER_CLIENT
    engine.budgets = <BudgetSpec *>room_for(engine, max(1, len(plan.budgets)) * sizeof(BudgetSpec))
    for n, spec in enumerate(plan.budgets):
        engine.budgets[n] = BudgetSpec(ratio=spec.ratio, floor=spec.floor)
    engine.clients = <Key *>room_for(engine, (len(plan.groups) + 1) * sizeof(Key))
    for n in range(len(plan.groups) + 1):
        engine.clients[n] = place_hash(f"clients {n - 1}")
    return 0


cdef int load_caches(Engine *engine, object plan) except -1:
    engine.caches_count = len(plan.caches)
    engine.caches = <CacheSpec *>room_for(engine, max(1, len(plan.caches)) * sizeof(CacheSpec))
    engine.contents = <Content *>room_for(engine, max(1, len(plan.caches)) * sizeof(Content))
    for n, spec in enumerate(plan.caches):
        engine.caches[n] = CacheSpec(
            index=n,
            life_draws=stream_at(engine, hash_of(spec.place, "life")),
            shared=spec.shared,
            capacity=spec.capacity,
            ttl=spec.ttl,
            jitter=spec.jitter,
            coalesced=spec.coalesced,
        )
        engine.contents[n].spec = &engine.caches[n]
    return 0


cdef int load_node_groups(Engine *engine, object plan) except -1:
    cdef NodeGroup *node_group
    engine.node_groups_count = len(plan.groups)
    engine.node_groups = <NodeGroup *>room_for(engine, max(1, len(plan.groups)) * sizeof(NodeGroup))
    for n, spec in enumerate(plan.groups):
        node_group = &engine.node_groups[n]
        node_group.index, node_group.place, node_group.initial = n, place_hash(spec.name), spec.nodes
        node_group.slots, node_group.cores, node_group.host = spec.slots, spec.cores, spec.host
        node_group.zones_count, node_group.zones = len(spec.zones), indexes(engine, spec.zones)
        node_group.detection, node_group.shed = spec.detection, spec.shed
        node_group.ranks_count, node_group.ranks = len(spec.ranks), indexes(engine, spec.ranks)
        node_group.lines = max(spec.ranks, default=0) + 1
    return load_scalers(engine, plan)


cdef void start_node_groups(void *argument) noexcept nogil:
    """The nodes that are there at the beginning."""
    cdef Engine *engine = <Engine *>argument
    cdef int n
    cdef int64_t m
    for n in range(engine.node_groups_count):
        for m in range(engine.node_groups[n].initial):
            add_node(engine, &engine.node_groups[n], -1)


cdef int load_scalers(Engine *engine, object plan) except -1:
    cdef Autoscaler *scaler
    scaled = [(n, spec.scaling) for n, spec in enumerate(plan.groups) if spec.scaling is not None]
    engine.scalers_count = len(scaled)
    engine.scalers = <Autoscaler *>room_for(engine, max(1, len(scaled)) * sizeof(Autoscaler))
    for n, (group, spec) in enumerate(scaled):
        scaler = &engine.scalers[n]
        scaler.node_group = &engine.node_groups[<int>group]
        scaler.least, scaler.most, scaler.target = spec.least, spec.most, spec.target
        scaler.requested, scaler.period = spec.requested, spec.period
        scaler.tolerance, scaler.stabilisation = spec.tolerance, spec.stabilisation
        scaler.start_up = spec.start_up
    return 0


cdef int load_channels(Engine *engine, object plan) except -1:
    cdef Channel *channel
    cdef Subscribers *group
    engine.channels = <Channel *>room_for(engine, max(1, len(plan.channels)) * sizeof(Channel))
    for n, spec in enumerate(plan.channels):
        channel = &engine.channels[n]
        channel.keyed, channel.delay = spec.keyed, spec.delay
        channel.draws = stream_at(engine, hash_of(spec.place, "partition"))
        channel.subscriptions = len(spec.subscriptions)
        channel.subscribers = <Subscribers *>room_for(
            engine, max(1, len(spec.subscriptions)) * sizeof(Subscribers)
        )
        for m, read in enumerate(spec.subscriptions):
            group = &channel.subscribers[m]
            group.channel = channel
            group.operation = &engine.operations[<int>read.operation]
            group.place = group.operation.place
            group.concurrency, group.partitions = read.concurrency, read.partitions
            group.ordered, group.members = read.ordered, 1
            group.deliveries, group.visibility = read.deliveries, read.visibility
            group.dead, group.once = read.dead, read.once
            group.node_group = &engine.node_groups[group.operation.group]
            group.host = &engine.node_groups[group.node_group.host]
    engine.channels_count = len(plan.channels)
    return 0


cdef int load_journeys(Engine *engine, object plan) except -1:
    cdef Journey *journey
    engine.journeys_count = len(plan.journeys)
    engine.journeys = <Journey *>room_for(engine, max(1, len(plan.journeys)) * sizeof(Journey))
    for n, spec in enumerate(plan.journeys):
        journey = &engine.journeys[n]
        journey.count, journey.rank = len(spec.entries), spec.rank
        journey.entries = indexes(engine, spec.entries)
        journey.finished = <uint64_t *>room_for(engine, INTERVALS * sizeof(uint64_t))
        journey.failed = <uint64_t *>room_for(engine, INTERVALS * sizeof(uint64_t))
        journey.series = <Histogram *>room_for(engine, INTERVALS * sizeof(Histogram))
        journey.batches.size = 1
        journey.batches.starts = <double *>room_for(engine, MOST_BATCHES * sizeof(double))
        journey.batches.sums = <double *>room_for(engine, MOST_BATCHES * sizeof(double))
    return 0


cdef int load_choices(Engine *engine, Choices *choices, object spec) except -1:
    choices.count = len(spec)
    choices.items = <Choice *>room_for(engine, max(1, len(spec)) * sizeof(Choice))
    for n, (journey, reached_) in enumerate(spec):
        choices.items[n] = Choice(journey=journey, reached=reached_)
    return 0


cdef int load_sources(Engine *engine, object plan) except -1:
    cdef Source *source
    engine.sources_count = len(plan.streams)
    engine.sources = <Source *>room_for(engine, max(1, len(plan.streams)) * sizeof(Source))
    for n, spec in enumerate(plan.streams):
        source = &engine.sources[n]
        source.kind, source.place = spec.kind, spec.place
        source.draws = stream_at(engine, spec.place)
        load_choices(engine, &source.mix, spec.choices)
        source.rate, source.high, source.period = spec.rate, spec.high, spec.period
        source.users, source.clients = spec.users, spec.clients
        if spec.think is not None:
            load_sampler(engine, &source.think, spec.think)
        source.points_count = len(spec.points)
        source.points = numbers(engine, [number for point in spec.points for number in point])
        source.times_count, source.times = len(spec.times), numbers(engine, spec.times)
        source.start, source.end, source.factor = spec.start, spec.end, spec.factor
        source.state_rate = source.rate
        if spec.session is not None:
            source.has_session = True
            source.first_journey = spec.session.first
            load_sampler(engine, &source.pause, spec.session.pause)
            source.rows = <Choices *>room_for(
                engine, max(1, len(spec.session.rows)) * sizeof(Choices)
            )
            for m, row in enumerate(spec.session.rows):
                load_choices(engine, &source.rows[m], row)
    return 0


cdef int load_faults(Engine *engine, object plan) except -1:
    cdef Fault *fault
    engine.faults_count = len(plan.faults)
    engine.faults = <Fault *>room_for(engine, max(1, len(plan.faults)) * sizeof(Fault))
    for n, spec in enumerate(plan.faults):
        fault = &engine.faults[n]
        operations = list(dict.fromkeys(spec.operations))
        fault.kind, fault.start, fault.end = spec.kind, spec.start, spec.end
        fault.count, fault.operations = len(operations), indexes(engine, operations)
        fault.factor, fault.group, fault.nodes = spec.factor, spec.group, spec.count
        fault.zone = spec.zone
        fault.caches_count, fault.caches = len(spec.caches), indexes(engine, spec.caches)
        fault.surge, fault.gone = spec.surge, spec.gone
        fault.start_up, fault.grace = spec.start_up, spec.grace
    return 0
