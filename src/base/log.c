// SPDX-License-Identifier: Apache-2.0
/* log.c: see log.h. Data: the level, the clock and the count of dropped lines, all atomic.
 *
 * Invariants:
 *  1. A line is one write() of at most LINE_MAX_ bytes, less than PIPE_BUF, so that lines of
 *     several threads never mix.
 *  2. Text holds no control characters, so that input cannot forge a line.
 *  3. When stderr takes nothing at once the line is dropped and counted, and the count is told
 *     first on the next line that gets through.
 *
 * Any thread. */
#include "base/log.h"

#include "base/calendar.h"

#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_MAX_ = 1024 };

static atomic_int min_level = LOG_INFO;
static _Atomic(int64_t (*)(void)) clock_ms;
static atomic_ulong dropped;

void log_set_level(enum log_level min)
{
    atomic_store(&min_level, (int)min);
}

void log_set_clock(int64_t (*now_ms)(void))
{
    atomic_store(&clock_ms, now_ms);
}

static bool writable(void)
{
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
}

static void emit(const char *line, size_t n)
{
    if (!writable() || write(STDERR_FILENO, line, n) != (ssize_t)n)
        atomic_fetch_add(&dropped, 1);
}

static void tell_dropped(void)
{
    unsigned long n = atomic_load(&dropped);
    if (!n || !writable())
        return;
    atomic_fetch_sub(&dropped, n);
    char line[64];
    int len = snprintf(line, sizeof line, "warn log - %lu lines dropped\n", n);
    emit(line, (size_t)len);
}

static size_t clip(int n, size_t room)
{
    return n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

static size_t put_head(char *line, enum log_level level, const char *area, uint64_t cause)
{
    static const char *const names[] = {"debug", "info", "note", "warn", "error"};
    size_t at = 0;
    int64_t (*now)(void) = atomic_load(&clock_ms);
    if (now) {
        time_format(now(), line);
        at = strlen(line);
        line[at++] = ' ';
    }
    const char *name = (size_t)level < ARRAY_LEN(names) ? names[level] : "error";
    size_t room = LINE_MAX_ - at;
    int n = cause
                ? snprintf(line + at, room, "%s %s %016llx ", name, area, (unsigned long long)cause)
                : snprintf(line + at, room, "%s %s - ", name, area);
    return at + clip(n, room);
}

void log_line(enum log_level level, const char *area, uint64_t cause, const char *fmt, ...)
{
    if ((int)level < atomic_load(&min_level))
        return;
    char line[LINE_MAX_];
    size_t head = put_head(line, level, area, cause), room = LINE_MAX_ - head;
    va_list ap;
    va_start(ap, fmt);
    size_t n = head + clip(vsnprintf(line + head, room, fmt, ap), room);
    va_end(ap);
    for (size_t i = head; i < n; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7F)
            line[i] = '?';
    }
    line[n] = '\n'; /* in the place of the NUL */
    tell_dropped();
    emit(line, n + 1);
}
