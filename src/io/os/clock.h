// SPDX-License-Identifier: Apache-2.0
/* clock.h: the one clock of the house. Every other module gets times as arguments. A demonstration
 * may drive the wall clock faster; the monotonic clock always tells real time. */
#ifndef EVEN_IO_OS_CLOCK_H
#define EVEN_IO_OS_CLOCK_H

#include "base/compiler.h"

/** Wall clock, ms UTC since 1970, after the speed setting. Any thread. */
int64_t os_now_ms(void);
/** Wall clock, ms UTC, never accelerated: what other machines see when they look at their clocks. */
int64_t os_wall_ms(void);
/** Monotonic real time in ns, never accelerated: timeouts of sockets, measurements. Any thread. */
int64_t os_mono_ns(void);
/** CPU time of the whole process in ns. Any thread. */
int64_t os_cpu_ns(void);
/** From this call on os_now_ms() starts at base_ms (0 = the present) and runs `factor` times as
 * fast as real time (1 to 100000). Demonstration and simulation only; call before other threads
 * start. */
void os_clock_speed_set(int32_t factor, int64_t base_ms);
/** The factor in force; 1 = real time. */
int32_t os_clock_speed(void);
/** Real ms to wait until `due_ms` of the wall clock: 0 when it is past, rounded up, at most 60,000.
 */
int32_t os_clock_wait_ms(int64_t due_ms);
/** Sleeps real time; a signal may end it early. */
void os_sleep_ms(int32_t ms);

#endif
