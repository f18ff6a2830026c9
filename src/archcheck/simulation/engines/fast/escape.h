/* The way out when a run cannot go on: no memory is left, or the plan has no end.
 *
 * The engine's functions are plain C without anything to clean up: all that a run has allocated is
 * freed with it. So one that cannot go on leaves all of them at once, and none has to ask.
 */
#ifndef ARCHCHECK_ESCAPE_H
#define ARCHCHECK_ESCAPE_H

#include <setjmp.h>

typedef struct {
    jmp_buf back;
    int reason;
} Escape;

#if defined(__GNUC__)
__attribute__((noinline))
#endif
static int run_guarded(Escape *escape, void (*body)(void *), void *argument) {
    escape->reason = 0;
    if (setjmp(escape->back) == 0) body(argument);
    return escape->reason;
}

static inline void leave(Escape *escape, int reason) {
    escape->reason = reason;
    longjmp(escape->back, 1);
}

#endif
