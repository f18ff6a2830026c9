/* The event list: what is still to happen, ordered by time and then by the order of creation.
 *
 * An implicit binary heap. An event is a key of 128 bits, the time and a sequence number, and what
 * it is about. Times are not negative, so the bits of a double are ordered as the numbers are, and
 * two keys are compared as one number, without a branch that the processor could guess wrong. The
 * kind of the event is in the low bits of the sequence number: 58 bits are left to count with, which
 * last for 450 years at 20 million events a second.
 *
 * The root is not filled when an event is taken: most events cause another one at once, which takes
 * the free place. Below the last event is a sentinel, later than all, so that each event has two
 * children. What was tried besides is in docs/decisions/the-event-list.md.
 */
#ifndef ARCHCHECK_EVENT_LIST_H
#define ARCHCHECK_EVENT_LIST_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define KIND_BITS 6
#define LARGE 8192 /* events that do not fit into a fast cache */

#if defined(__GNUC__)
#define FETCH(address) __builtin_prefetch(address)
#else
#define FETCH(address) ((void)0)
#endif

typedef struct {
    uint64_t time;
    uint64_t order; /* sequence number and kind */
    void *what;
} Event;

typedef struct {
    Event *heap;
    size_t count; /* the root included, also while it is free */
    size_t room;
    uint64_t sequence;
    int root_is_free;
} EventList;

static inline uint64_t bits_of(double time) {
    uint64_t bits;
    memcpy(&bits, &time, sizeof bits);
    return bits;
}

static inline double time_of(uint64_t bits) {
    double time;
    memcpy(&time, &bits, sizeof time);
    return time;
}

static inline int is_before(const Event *a, const Event *b) {
#ifdef __SIZEOF_INT128__
    return (((unsigned __int128)a->time << 64) | a->order)
         < (((unsigned __int128)b->time << 64) | b->order);
#else
    return (a->time < b->time) | ((a->time == b->time) & (a->order < b->order));
#endif
}

static inline void end_with_sentinel(EventList *list) {
    list->heap[list->count].time = list->heap[list->count].order = UINT64_MAX;
}

static inline void sift_down(EventList *list, Event event) {
    Event *heap = list->heap;
    size_t place = 0, count = list->count;
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= count) break;
        if (count > LARGE) { /* for the next round, whichever child it goes to */
            FETCH(&heap[2 * child + 1]);
            FETCH(&heap[2 * child + 4]);
        }
        child += is_before(&heap[child + 1], &heap[child]);
        if (!is_before(&heap[child], &event)) break;
        heap[place] = heap[child];
        place = child;
    }
    heap[place] = event;
}

/* Room for one more event and the sentinel; 0 when there is no memory. */
static inline int event_list_grow(EventList *list) {
    size_t room = list->room ? 2 * list->room : 256;
    Event *heap = (Event *)realloc(list->heap, room * sizeof(Event));
    if (!heap) return 0;
    list->heap = heap;
    list->room = room;
    return 1;
}

/* Add an event; 0 when there is no memory. */
static inline int event_list_push(EventList *list, double time, unsigned kind, void *what) {
    Event event = {bits_of(time), (list->sequence++ << KIND_BITS) | kind, what};
    if (list->root_is_free) {
        list->root_is_free = 0;
        sift_down(list, event);
        return 1;
    }
    if (list->count + 2 > list->room && !event_list_grow(list)) return 0;
    Event *heap = list->heap;
    size_t place = list->count++;
    end_with_sentinel(list);
    while (place) {
        size_t parent = (place - 1) / 2;
        if (!is_before(&event, &heap[parent])) break;
        heap[place] = heap[parent];
        place = parent;
    }
    heap[place] = event;
    return 1;
}

/* The next event, or NULL. */
static inline const Event *event_list_next(EventList *list) {
    if (list->root_is_free) {
        list->root_is_free = 0;
        list->count--;
        Event last = list->heap[list->count];
        end_with_sentinel(list);
        if (list->count) sift_down(list, last);
    }
    return list->count ? list->heap : NULL;
}

/* The next event has happened. */
static inline void event_list_take(EventList *list) { list->root_is_free = 1; }

#endif
