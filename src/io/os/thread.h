// SPDX-License-Identifier: Apache-2.0
/* thread.h: threads and the signals of the process. Signals are blocked everywhere and read in one
 * place, so no handler ever interrupts anything. */
#ifndef EVEN_IO_OS_THREAD_H
#define EVEN_IO_OS_THREAD_H

#include "base/compiler.h"

struct os_thread;

/** Starts fn(arg) in a thread named `name` (15 characters at most are shown). Gives a handle that
 * os_thread_join takes. ERR_NOMEM, ERR_FULL (the system's limit of threads). */
EV_MUST_USE int os_thread_start(const char *name, void (*fn)(void *arg), void *arg,
                                struct os_thread **out);
/** Waits for the end of the thread and frees the handle; NULL is allowed. */
void os_thread_join(struct os_thread *t);
/** Lets others that are ready run on this processor first; returns at once when there is none. */
void os_thread_yield(void);

/** The calling thread steps back for the rest of its life: where the processor is short, others get
 * ten turns to its one. For long work that nobody waits for; never for a thread that takes a lock
 * which others need soon. */
void os_thread_step_back(void);

/** Gives the calling thread a table of descriptors of its own until it ends: 0 to 2 and the named ones
 * stay open in it, all others are closed in it, and what other threads open later is not in it. The
 * limit of open descriptors holds for each table. Record locks of files belong to the old table and
 * stay. ERR_UNSUPPORTED (ThreadSanitizer keeps an account of descriptors that knows one table only),
 * ERR_NOMEM, ERR_DENIED, ERR_IO. */
EV_MUST_USE int os_files_own(const int *keep, uint32_t n);

/** Blocks SIGTERM, SIGINT, SIGHUP and ignores SIGPIPE. First thing in main: threads inherit it. */
void os_signals_block(void);
/** A descriptor that becomes readable when one of the blocked signals is pending (for epoll). The
 * caller closes it with os_signals_close. ERR_IO. */
EV_MUST_USE int os_signals_open(int *fd);
void os_signals_close(int fd);
/** Takes one pending signal number from the descriptor; 0 when none is pending. */
int os_signals_take(int fd);
/** Waits up to timeout_ms (negative = for ever) for a signal; its number, or 0 at the timeout. */
int os_signals_wait(int32_t timeout_ms);

#endif
