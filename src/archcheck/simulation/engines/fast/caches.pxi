# Cache-aside: a lookup, then, on a miss, the steps that a miss costs.
#
# The content of a cache that is simulated key by key is a map and a list from the least to the most
# recently used entry. A loading is a request that fills in a key; others may wait for it. It is
# over at the latest when the process that it runs in dies.


cdef bint has_key(Engine *engine, Content *content, Key key) noexcept nogil:
    """Whether the cache answers for a key."""
    cdef Entry *entry = <Entry *>look(&content.entries, key)
    if entry == NULL:
        return False
    if entry.expires <= engine.time:
        remove_entry(engine, content, entry)
        return False
    unlink_entry(content, entry)
    link_entry(content, entry)
    return True


cdef void put_key(Engine *engine, Content *content, Key key, Key filler) noexcept nogil:
    """A request has filled in a key."""
    cdef CacheSpec *spec = content.spec
    cdef Entry *entry = <Entry *>look(&content.entries, key)
    cdef double life = spec.ttl
    if spec.jitter:
        life *= 1 + LIFE_JITTER * (2 * uniform(spec.life_draws, filler, 0) - 1)
    if entry == NULL:
        entry = <Entry *>piece(engine, &engine.entries)
        entry.key = key
        store(engine, &content.entries, key, <uint64_t>entry)
    else:
        unlink_entry(content, entry)
    entry.expires = engine.time + life
    link_entry(content, entry)
    if spec.capacity and <double>content.entries.count > spec.capacity:
        remove_entry(engine, content, content.oldest)


cdef inline void link_entry(Content *content, Entry *entry) noexcept nogil:
    entry.newer, entry.older = NULL, content.newest
    if content.newest != NULL:
        content.newest.newer = entry
    else:
        content.oldest = entry
    content.newest = entry


cdef inline void unlink_entry(Content *content, Entry *entry) noexcept nogil:
    if entry.older != NULL:
        entry.older.newer = entry.newer
    else:
        content.oldest = entry.newer
    if entry.newer != NULL:
        entry.newer.older = entry.older
    else:
        content.newest = entry.older


cdef void remove_entry(Engine *engine, Content *content, Entry *entry) noexcept nogil:
    forget(&content.entries, entry.key)
    unlink_entry(content, entry)
    put_back(engine, &engine.entries, entry)


cdef void flush(Engine *engine, Content *content) noexcept nogil:
    """The content is lost."""
    cdef Entry *entry
    while content.oldest != NULL:
        entry = content.oldest
        content.oldest = entry.newer
        put_back(engine, &engine.entries, entry)
    content.newest = NULL
    empty_map(&content.entries)


# -- filling in ------------------------------------------------------------------------------------

cdef Loading *new_loading(Engine *engine, Content *content, Key key, Walk *walk) noexcept nogil:
    cdef Caller *caller = caller_of(engine, walk.request)
    cdef Loading *loading = <Loading *>piece(engine, &engine.small)
    loading.content, loading.key, loading.filler = content, key, walk.key
    loading.request, loading.caller = walk.request, caller
    loading.first = loading.last = NULL
    loading.is_over = False
    loading.after, loading.before = NULL, caller.loadings_last
    if caller.loadings_last != NULL:
        caller.loadings_last.after = loading
    else:
        caller.loadings_first = loading
    caller.loadings_last = loading
    walk.request.loading += 1
    return loading


cdef void succeed(Engine *engine, Loading *loading) noexcept nogil:
    """The value is there: fill the cache, wake the others."""
    put_key(engine, loading.content, loading.key, loading.filler)
    wake(engine, loading, True)
    put_back(engine, &engine.small, loading)


cdef void wake(Engine *engine, Loading *loading, bint succeeded) noexcept nogil:
    """The value is there, or there is none: those who wait go on, or fail too."""
    cdef Content *content = loading.content
    cdef Caller *caller = loading.caller
    cdef Waiter *waiter
    if loading.is_over:
        return
    loading.is_over = True
    loading.request.loading -= 1
    if loading.before != NULL:
        loading.before.after = loading.after
    else:
        caller.loadings_first = loading.after
    if loading.after != NULL:
        loading.after.before = loading.before
    else:
        caller.loadings_last = loading.before
    if look(&content.loading, loading.key) == <uint64_t>loading:
        forget(&content.loading, loading.key)
    while loading.first != NULL:
        waiter = loading.first
        loading.first = waiter.next
        note(
            engine, &waiter.walk.notes, LOADING, content.spec.index, engine.time - waiter.since
        )
        if not succeeded:
            note(engine, &waiter.walk.notes, NOT_LOADED, content.spec.index, 0)
        soon(engine, ADVANCES if succeeded else FAILS, waiter.walk)
        put_back(engine, &engine.small, waiter)


# -- looking up ------------------------------------------------------------------------------------

cdef void cache_answered(Engine *engine, Walk *walk, Step *step, int outcome) noexcept nogil:
    """The cache has answered, or not."""
    cdef int *answered = walk.answered
    cdef bint goes_on = walk.request.is_stopped or look_in(engine, walk, step, outcome == OK)
    walk.call = NULL
    walk.answered = NULL
    if answered != NULL:
        answered[0] = GOES_ON if goes_on else ENDED
    elif goes_on:
        advance(engine, walk)


cdef bint look_in(Engine *engine, Walk *walk, Step *step, bint answers) noexcept nogil:
    """Whether the walk can go on; else it waits for another request's value."""
    cdef Site *site = &engine.sites[step.call]
    cdef Content *content
    cdef Loading *loading = NULL
    cdef Waiter *waiter
    cdef Key key
    if not step.keys.is_given:
        if answers and uniform(step.draws, walk.key, 0) < step.number and (
            site.operation.flushed == 0
        ):
            return count_hit(engine, site)
        return miss(engine, walk, step, site, NULL)
    key = <Key>zipf(&step.keys, step.draws, walk.key)
    if not answers:
        return miss(engine, walk, step, site, NULL)
    content = &engine.contents[step.cache]
    if not content.spec.shared:
        content = content_of(engine, caller_of(engine, walk.request), step.cache)
    if has_key(engine, content, key):
        return count_hit(engine, site)
    if content.spec.coalesced:
        loading = <Loading *>look(&content.loading, key)
        if loading != NULL and walk.request.loading == 0:  # who loads does not wait: no circles
            waiter = <Waiter *>piece(engine, &engine.small)
            waiter.walk, waiter.since, waiter.next = walk, engine.time, NULL
            if loading.first == NULL:
                loading.first = waiter
            else:
                loading.last.next = waiter
            loading.last = waiter
            if engine.time >= engine.warmup:
                site.joined += 1
            return False
    loading = new_loading(engine, content, key, walk)
    if content.spec.coalesced and look(&content.loading, key) == 0:
        store(engine, &content.loading, key, <uint64_t>loading)
    return miss(engine, walk, step, site, loading)


cdef bint count_hit(Engine *engine, Site *site) noexcept nogil:
    if engine.time >= engine.warmup:
        site.hits += 1
    return True


cdef bint miss(
    Engine *engine, Walk *walk, Step *step, Site *site, Loading *loading
) noexcept nogil:
    if engine.time >= engine.warmup:
        site.misses += 1
    push_frame(engine, walk, step.blocks[0], loading)
    return True
