# Where structures come from and go to.
#
# ``take`` and ``give`` are malloc and free, with a list of what was taken: all of it is freed with
# the run, however it ends. Slabs cut pieces of one size from large blocks and keep those that were
# given back in a list, so a piece costs two instructions and was used a moment ago. Lists, rings
# and maps grow by doubling; where there is no memory the run ends with an error.
#
# Built with ARCHCHECK_PLAIN_MEMORY, every piece is a block of its own: then the address sanitizer
# sees each use of a piece that was given back.

cdef extern from *:
    """
    #ifdef ARCHCHECK_PLAIN_MEMORY
    #define PLAIN_MEMORY 1
    #else
    #define PLAIN_MEMORY 0
    #endif
    """
    const bint PLAIN_MEMORY

cdef enum:
    PIECES = 512

cdef enum Reason:
    NO_MEMORY = 1
    DEADLOCK = 2
    TOO_DEEP = 3
    STANDSTILL = 4


cdef struct Taken:
    Taken *before
    Taken *after


cdef void *take(Engine *engine, size_t size) noexcept nogil:
    """Memory, zeroed; where there is none the run ends."""
    cdef void *found = take_if_any(engine, size)
    if found == NULL:
        leave(&engine.escape, NO_MEMORY)
    return found


cdef void *take_if_any(Engine *engine, size_t size) noexcept nogil:
    cdef Taken *taken = <Taken *>calloc(1, size + sizeof(Taken))
    cdef Taken *newest = <Taken *>engine.memory
    if taken == NULL:
        return NULL
    taken.after = newest
    if newest != NULL:
        newest.before = taken
    engine.memory = taken
    return taken + 1


cdef void give(Engine *engine, void *memory) noexcept nogil:
    """Give back what ``take`` has given."""
    if memory == NULL:
        return
    cdef Taken *taken = <Taken *>memory - 1
    if taken.before != NULL:
        taken.before.after = taken.after
    else:
        engine.memory = taken.after
    if taken.after != NULL:
        taken.after.before = taken.before
    free(taken)


cdef void *take_more(Engine *engine, void *memory, size_t size, size_t wanted) noexcept nogil:
    """A larger copy, zeroed behind what was there."""
    cdef void *larger = take(engine, wanted)
    if size:
        memcpy(larger, memory, size)
    give(engine, memory)
    return larger


cdef void give_everything(Engine *engine) noexcept nogil:
    """The run is over."""
    cdef Taken *taken = <Taken *>engine.memory
    cdef Taken *following
    while taken != NULL:
        following = taken.after
        free(taken)
        taken = following
    engine.memory = NULL


cdef inline void *piece(Engine *engine, Slab *slab) noexcept nogil:
    """A piece of a slab; what is in it is undefined."""
    cdef void *found = slab.free
    if found == NULL:
        return cut(engine, slab)
    slab.free = (<void **>found)[0]
    return found


cdef void *cut(Engine *engine, Slab *slab) noexcept nogil:
    if PLAIN_MEMORY:
        return take(engine, slab.size)
    cdef char *block = <char *>take(engine, slab.size * PIECES)
    cdef size_t n
    for n in range(1, PIECES - 1):
        (<void **>(block + n * slab.size))[0] = block + (n + 1) * slab.size
    (<void **>(block + (PIECES - 1) * slab.size))[0] = NULL
    slab.free = block + slab.size
    return block


cdef inline void put_back(Engine *engine, Slab *slab, void *old) noexcept nogil:
    """Nobody needs a piece any more."""
    if PLAIN_MEMORY:
        give(engine, old)
        return
    (<void **>old)[0] = slab.free
    slab.free = old


# -- lists -----------------------------------------------------------------------------------------

cdef void add_to(Engine *engine, List *items, void *item) noexcept nogil:
    if items.count == items.room:
        items.room = 2 * items.room if items.room else 4
        items.items = <void **>take_more(
            engine, items.items, items.count * sizeof(void *), items.room * sizeof(void *)
        )
    items.items[items.count] = item
    items.count += 1


cdef void insert_into(Engine *engine, List *items, size_t place, void *item) noexcept nogil:
    add_to(engine, items, item)
    memmove(
        items.items + place + 1, items.items + place, (items.count - 1 - place) * sizeof(void *)
    )
    items.items[place] = item


cdef bint remove_from(List *items, void *item) noexcept nogil:
    """Whether it was there; the order stays."""
    cdef size_t n
    for n in range(items.count):
        if items.items[n] == item:
            items.count -= 1
            memmove(items.items + n, items.items + n + 1, (items.count - n) * sizeof(void *))
            return True
    return False


# -- what happens without delay --------------------------------------------------------------------

cdef inline void soon(Engine *engine, int kind, void *what) noexcept nogil:
    """To be done after what is already due now."""
    cdef Ring *ring = &engine.soon
    cdef Thunk *thunk
    if ring.count == ring.room:
        grow_ring(engine, ring)
    thunk = &ring.thunks[(ring.first + ring.count) & (ring.room - 1)]
    thunk.kind = kind
    thunk.what = what
    ring.count += 1


cdef void grow_ring(Engine *engine, Ring *ring) noexcept nogil:
    cdef size_t room = 2 * ring.room if ring.room else 64
    cdef Thunk *thunks = <Thunk *>take(engine, room * sizeof(Thunk))
    cdef size_t n
    for n in range(ring.count):
        thunks[n] = ring.thunks[(ring.first + n) & (ring.room - 1)]
    give(engine, ring.thunks)
    ring.thunks = thunks
    ring.first = 0
    ring.room = room


cdef inline void after(Engine *engine, double delay, int kind, void *what) noexcept nogil:
    """To be done after a delay; without delay, after what is already due now."""
    if delay > 0:
        if not event_list_push(&engine.events, engine.time + delay, kind, what):
            leave(&engine.escape, NO_MEMORY)
    else:
        soon(engine, kind, what)


cdef inline void timer(Engine *engine, double delay, int kind, void *what) noexcept nogil:
    """To be done in an event of its own, which does not overtake what is due now."""
    after(engine, delay if delay > 0 else INSTANT, kind, what)


# -- maps from 64-bit keys to values that are not zero ---------------------------------------------

cdef inline size_t home_of_key(const Map *table, Key key) noexcept nogil:
    return <size_t>((key * GOLDEN) >> 32) & (table.room - 1)


cdef inline uint64_t look(const Map *table, Key key) noexcept nogil:
    """The value of a key; 0 without one."""
    cdef size_t place
    if table.count == 0:
        return 0
    place = home_of_key(table, key)
    while table.slots[place].value:
        if table.slots[place].key == key:
            return table.slots[place].value
        place = (place + 1) & (table.room - 1)
    return 0


cdef void store(Engine *engine, Map *table, Key key, uint64_t value) noexcept nogil:
    """Set the value of a key."""
    cdef size_t place
    if 2 * (table.count + 1) > table.room:
        grow_map(engine, table)
    place = home_of_key(table, key)
    while table.slots[place].value:
        if table.slots[place].key == key:
            table.slots[place].value = value
            return
        place = (place + 1) & (table.room - 1)
    table.slots[place].key = key
    table.slots[place].value = value
    table.count += 1


cdef void grow_map(Engine *engine, Map *table) noexcept nogil:
    cdef Map larger
    cdef size_t n
    larger.room = 2 * table.room if table.room else 8
    larger.count = 0
    larger.slots = <Slot *>take(engine, larger.room * sizeof(Slot))
    for n in range(table.room):
        if table.slots[n].value:
            store(engine, &larger, table.slots[n].key, table.slots[n].value)
    give(engine, table.slots)
    table[0] = larger


cdef void forget(Map *table, Key key) noexcept nogil:
    """Take a key out; those behind it move up (Knuth, volume 3, 6.4, algorithm R)."""
    cdef size_t mask, place, following, home
    if table.count == 0:
        return
    mask = table.room - 1
    place = home_of_key(table, key)
    while table.slots[place].value and table.slots[place].key != key:
        place = (place + 1) & mask
    if not table.slots[place].value:
        return
    table.count -= 1
    following = place
    while True:
        table.slots[place].value = 0
        while True:
            following = (following + 1) & mask
            if not table.slots[following].value:
                return
            home = home_of_key(table, table.slots[following].key)
            if ((following - home) & mask) >= ((following - place) & mask):
                break
        table.slots[place] = table.slots[following]
        place = following


cdef void empty_map(Map *table) noexcept nogil:
    if table.count:
        memset(table.slots, 0, table.room * sizeof(Slot))
        table.count = 0


# -- notes -----------------------------------------------------------------------------------------

cdef inline void note(Engine *engine, Notes *notes, int cause, int index, double seconds) noexcept nogil:
    """Write down why time has passed."""
    cdef Note *new = <Note *>piece(engine, &engine.notes)
    new.next = NULL
    new.seconds = seconds
    new.code = <uint32_t>(cause + (index << SHIFT))
    if notes.first == NULL:
        notes.first = new
    else:
        notes.last.next = new
    notes.last = new


cdef inline void append_notes(Notes *notes, Notes *others) noexcept nogil:
    """Move the notes of ``others`` to the end."""
    if others.first == NULL:
        return
    if notes.first == NULL:
        notes.first = others.first
    else:
        notes.last.next = others.first
    notes.last = others.last
    others.first = NULL


cdef inline void drop_notes(Engine *engine, Notes *notes) noexcept nogil:
    cdef Note *following
    if PLAIN_MEMORY:
        while notes.first != NULL:
            following = notes.first.next
            give(engine, notes.first)
            notes.first = following
    elif notes.first != NULL:
        # A note begins with the pointer to the next, as a free piece does.
        notes.last.next = <Note *>engine.notes.free
        engine.notes.free = notes.first
        notes.first = NULL
