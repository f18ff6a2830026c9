/* Event lists under the hold model, and what a timeout costs that never fires.
 *
 * Hold (Vaucher and Duval, 1975): with n events pending, take the first and add one an exponential
 * time later; nanoseconds for each pair. Four lists: the engine's, a textbook heap, a 4-ary heap,
 * and a calendar queue (Brown, 1988).
 *
 * Timeouts: n calls are in flight; each sets a timeout of a hundred mean call times and is answered
 * long before. Three ways: deleted when it comes up in the heap (lazy), a wheel of slots (Varghese
 * and Lauck, 1987), and a list for each duration of timeouts of which only the first is an event.
 */
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "event_list.h"

static uint64_t state = 88172645463325252ULL;

static double uniform(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return ((state >> 11) + 0.5) * 0x1p-53;
}

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

/* -- a textbook heap: compares a double, then a number --------------------------------------- */

typedef struct { double time; uint64_t number; void *what; } Item;
static Item *heap;
static size_t count;

static int item_before(const Item *a, const Item *b) {
    if (a->time != b->time) return a->time < b->time;
    return a->number < b->number;
}

static void plain_push(Item item, size_t ways) {
    size_t place = count++;
    while (place) {
        size_t parent = (place - 1) / ways;
        if (!item_before(&item, &heap[parent])) break;
        heap[place] = heap[parent];
        place = parent;
    }
    heap[place] = item;
}

static Item plain_pop(size_t ways) {
    Item first = heap[0], last = heap[--count];
    size_t place = 0;
    for (;;) {
        size_t child = ways * place + 1, best = child, end = child + ways;
        if (child >= count) break;
        if (end > count) end = count;
        for (size_t n = child + 1; n < end; n++)
            if (item_before(&heap[n], &heap[best])) best = n;
        if (!item_before(&heap[best], &last)) break;
        heap[place] = heap[best];
        place = best;
    }
    heap[place] = last;
    return first;
}

/* -- a calendar queue: sorted lists of days, the width set for about one event a day ------------ */

typedef struct Day { struct Day *next; double time; uint64_t number; } Day;
static Day **days, *spare;
static size_t day_count;
static double width, today_end;
static size_t today;

static void calendar_push(double time, uint64_t number) {
    Day *entry = spare, **place = &days[(size_t)(time / width) & (day_count - 1)];
    spare = entry->next;
    entry->time = time;
    entry->number = number;
    while (*place && ((*place)->time < time || ((*place)->time == time && (*place)->number < number)))
        place = &(*place)->next;
    entry->next = *place;
    *place = entry;
}

static double calendar_pop(void) {
    for (;;) {
        Day *first = days[today];
        if (first && first->time < today_end) {
            days[today] = first->next;
            first->next = spare;
            spare = first;
            return first->time;
        }
        today = (today + 1) & (day_count - 1);
        today_end += width;
    }
}

/* -- hold ------------------------------------------------------------------------------------------ */

static double hold_engine(size_t pending, size_t holds) {
    EventList list = {0};
    for (size_t n = 0; n < pending; n++) event_list_push(&list, -log(uniform()), 0, NULL);
    double start = now_ns();
    for (size_t n = 0; n < holds; n++) {
        double time = time_of(event_list_next(&list)->time);
        event_list_take(&list);
        event_list_push(&list, time - log(uniform()), 0, NULL);
    }
    double spent = now_ns() - start;
    free(list.heap);
    return spent / holds;
}

static double hold_plain(size_t pending, size_t holds, size_t ways) {
    heap = malloc((pending + 1) * sizeof(Item));
    count = 0;
    for (size_t n = 0; n < pending; n++) plain_push((Item){-log(uniform()), n, NULL}, ways);
    double start = now_ns();
    for (size_t n = 0; n < holds; n++) {
        Item item = plain_pop(ways);
        plain_push((Item){item.time - log(uniform()), pending + n, NULL}, ways);
    }
    double spent = now_ns() - start;
    free(heap);
    return spent / holds;
}

static double hold_calendar(size_t pending, size_t holds) {
    day_count = 1;
    while (day_count < pending) day_count *= 2;
    width = 1.0 / pending;
    days = calloc(day_count, sizeof(Day *));
    Day *all = calloc(pending + 1, sizeof(Day));
    spare = NULL;
    for (size_t n = 0; n <= pending; n++) all[n].next = spare, spare = &all[n];
    today = 0;
    today_end = width;
    for (size_t n = 0; n < pending; n++) calendar_push(-log(uniform()), n);
    double start = now_ns();
    for (size_t n = 0; n < holds; n++)
        calendar_push(calendar_pop() - log(uniform()), pending + n);
    double spent = now_ns() - start;
    free(days);
    free(all);
    return spent / holds;
}

/* The draws alone, which every figure contains. */
static double draws(size_t holds) {
    double start = now_ns(), sum = 0;
    for (size_t n = 0; n < holds; n++) sum -= log(uniform());
    return (now_ns() - start) / holds + (sum < 0);
}

/* -- timeouts ---------------------------------------------------------------------------------------- */

#define AHEAD 100.0 /* the timeout, in mean call times */
#define SLOTS 4096

typedef struct Timeout { struct Timeout *before, *after; double time; } Timeout;

static void unlink_timeout(Timeout *t) {
    t->before->after = t->after;
    t->after->before = t->before;
}

static void link_timeout(Timeout *head, Timeout *t) {
    t->before = head->before;
    t->after = head;
    head->before->after = t;
    head->before = t;
}

enum { LAZY, WHEEL, LIST };

static double with_timeouts(int way, size_t flying, size_t holds, size_t *peak) {
    static Timeout wheel[SLOTS], fifo;
    EventList list = {0};
    Timeout *timeouts = calloc(flying, sizeof(Timeout));
    double slot = AHEAD / (SLOTS / 2), turned = 0;
    size_t at = 0;
    int is_set = 0;
    for (size_t n = 0; n < SLOTS; n++) wheel[n].before = wheel[n].after = &wheel[n];
    fifo.before = fifo.after = &fifo;
    for (size_t n = 0; n < flying; n++) {
        event_list_push(&list, -log(uniform()), 0, &timeouts[n]);
        link_timeout(&fifo, &timeouts[n]);
    }
    *peak = 0;
    double start = now_ns();
    for (size_t done = 0; done < holds;) {
        Event event = *event_list_next(&list);
        double time = time_of(event.time);
        Timeout *t = event.what;
        event_list_take(&list);
        if ((event.order & 63) == 1) { /* a timeout comes up */
            if (way == LIST) {
                is_set = 0;
                if (fifo.after != &fifo && fifo.after->time > time) {
                    event_list_push(&list, fifo.after->time, 1, NULL);
                    is_set = 1;
                }
            }
            continue;
        }
        done++;
        unlink_timeout(t); /* the answer */
        t->time = time + AHEAD;
        if (way == LAZY) {
            link_timeout(&fifo, t);
            event_list_push(&list, t->time, 1, t);
        } else if (way == LIST) {
            link_timeout(&fifo, t);
            if (!is_set) event_list_push(&list, t->time, 1, NULL), is_set = 1;
        } else {
            link_timeout(&wheel[(size_t)(t->time / slot) % SLOTS], t);
            while (turned + slot <= time) turned += slot, at = (at + 1) % SLOTS;
        }
        event_list_push(&list, time - log(uniform()), 0, t);
        if (list.count > *peak) *peak = list.count;
    }
    double spent = now_ns() - start;
    free(list.heap);
    free(timeouts);
    return spent / holds;
}

int main(int count_of_sizes, char **sizes) {
    double base = draws(10000000);
    if (count_of_sizes > 1) { /* only the engine's list, at these sizes */
        for (int n = 1; n < count_of_sizes; n++)
            printf("%.1f\n", hold_engine(strtoul(sizes[n], NULL, 10), 4000000) - base);
        return 0;
    }
    printf("pending     engine  textbook    4-ary  calendar   (ns for taking one and adding one)\n");
    for (size_t pending = 10; pending <= 1000000; pending *= 10) {
        size_t holds = 4000000;
        printf("%-9zu %8.1f %9.1f %8.1f %9.1f\n", pending, hold_engine(pending, holds) - base,
               hold_plain(pending, holds, 2) - base, hold_plain(pending, holds, 4) - base,
               hold_calendar(pending, holds) - base);
    }
    printf("\nin flight     lazy (peak)      wheel (peak)       list (peak)   (ns a call)\n");
    for (size_t flying = 10; flying <= 10000; flying *= 10) {
        printf("%-9zu", flying);
        for (int way = LAZY; way <= LIST; way++) {
            size_t peak;
            double spent = with_timeouts(way, flying, 4000000, &peak) - base;
            printf(" %8.1f (%7zu)", spent, peak);
        }
        printf("\n");
    }
    return 0;
}
