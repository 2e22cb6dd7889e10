// SPDX-License-Identifier: Apache-2.0
/* compiler.h: the only door to GNU extensions. Everything else in EVen is plain C17. */
#ifndef EVEN_BASE_COMPILER_H
#define EVEN_BASE_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EV_MUST_USE     __attribute__((warn_unused_result))
#define EV_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define EV_NORETURN     __attribute__((noreturn))
#define EV_UNUSED       __attribute__((unused))
#define EV_LIKELY(x)    __builtin_expect(!!(x), 1)
#define EV_UNLIKELY(x)  __builtin_expect(!!(x), 0)
#define EV_FALLTHROUGH  __attribute__((fallthrough))

/** Number of elements of an array (never of a pointer). */
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
/** The object of type `type` whose member `m` is at `p`. */
#define CONTAINER_OF(p, type, m) ((type *)(void *)((char *)(p)-offsetof(type, m)))

__extension__ typedef __int128 ev_i128;
__extension__ typedef unsigned __int128 ev_u128;

#endif
