// SPDX-License-Identifier: Apache-2.0
/* must.h: the assert that stays on in release. It guards our own invariants, never input: a
 * failed must() means that memory can no longer be trusted, so the process ends at once and the
 * restart replays from what is durable. */
#ifndef EVEN_BASE_MUST_H
#define EVEN_BASE_MUST_H

#include "base/compiler.h"

/** Prints `file:line: must(text)` to stderr and aborts. Never returns. */
EV_NORETURN void must_fail(const char *file, int line, const char *text);

#define must(cond) ((cond) ? (void)0 : must_fail(__FILE__, __LINE__, #cond))

#endif
