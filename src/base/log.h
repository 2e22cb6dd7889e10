// SPDX-License-Identifier: Apache-2.0
/* log.h: one line a fact, `time level area cause text`, to stderr (journald adds the rest). Errors
 * are logged once, where they are handled. A full pipe drops lines and counts them; logging never
 * blocks the caller for ever. */
#ifndef EVEN_BASE_LOG_H
#define EVEN_BASE_LOG_H

#include "base/compiler.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_NOTE, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level min);
/** area: short lower-case word ("ocpp", "store"); cause: id that joins frame, row, log and event,
 * or 0. */
void log_line(enum log_level level, const char *area, uint64_t cause, const char *fmt, ...)
    EV_PRINTF(4, 5);
/** The clock of log lines; io/os sets it at start so that base needs none. NULL = no time printed.
 */
void log_set_clock(int64_t (*now_ms)(void));

#endif
