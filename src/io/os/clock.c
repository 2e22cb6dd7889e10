// SPDX-License-Identifier: Apache-2.0
/* clock.c: see clock.h.
 *
 * Data: the speed setting, written once at start before other threads exist and only read
 * afterwards.
 *
 * Invariants:
 *  1. With factor 1 and base 0 os_now_ms is the system's wall clock, adjustments included.
 *  2. A driven clock never goes back: it hangs on the monotonic clock.
 *
 * Thread: any. Failure: clock_gettime on these clocks cannot fail. */
#include "io/os/clock.h"

#include <time.h>
#include "base/must.h"

static struct {
    int32_t factor;
    int64_t base_ms, base_mono_ns;
} speed = {1, 0, 0};

static int64_t clock_ns(clockid_t id)
{
    struct timespec ts;

    must(clock_gettime(id, &ts) == 0);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t os_mono_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

int64_t os_cpu_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t os_wall_ms(void)
{
    return clock_ns(CLOCK_REALTIME) / 1000000;
}

int64_t os_now_ms(void)
{
    if (speed.base_mono_ns == 0)
        return os_wall_ms();
    return speed.base_ms + (os_mono_ns() - speed.base_mono_ns) / 1000 * speed.factor / 1000;
}

void os_clock_speed_set(int32_t factor, int64_t base_ms)
{
    must(factor >= 1 && factor <= 100000);
    speed.factor = factor;
    speed.base_ms = base_ms != 0 ? base_ms : os_wall_ms();
    speed.base_mono_ns = factor == 1 && base_ms == 0 ? 0 : os_mono_ns();
}

int32_t os_clock_speed(void)
{
    return speed.factor;
}

int32_t os_clock_wait_ms(int64_t due_ms)
{
    int64_t now = os_now_ms();

    if (due_ms <= now)
        return 0;
    if (due_ms - now > (int64_t)60000 * speed.factor)
        return 60000;
    return (int32_t)((due_ms - now + speed.factor - 1) / speed.factor);
}

void os_sleep_ms(int32_t ms)
{
    struct timespec ts = {ms / 1000, (long)(ms % 1000) * 1000000};

    if (ms > 0)
        nanosleep(&ts, NULL);
}
