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
/** Begins to fetch the cache line of an address that will be needed soon; any address will do. */
#define EV_PREFETCH(p) __builtin_prefetch(p)
#define EV_FALLTHROUGH __attribute__((fallthrough))

/* Built with ThreadSanitizer? */
#if defined(__SANITIZE_THREAD__)
#define EV_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define EV_TSAN 1
#endif
#endif
#ifndef EV_TSAN
#define EV_TSAN 0
#endif

/** Number of elements of an array (never of a pointer). */
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
/** The object of type `type` whose member `m` is at `p`. */
#define CONTAINER_OF(p, type, m) ((type *)(void *)((char *)(p)-offsetof(type, m)))

/** Index of the first byte in memory order with any bit set, in a word read by memcpy; w != 0. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ev_first_byte(w) ((size_t)__builtin_ctzll(w) / 8)
#else
#define ev_first_byte(w) ((size_t)__builtin_clzll(w) / 8)
#endif

/* The CRC-32C instructions of SSE 4.2, in functions marked EV_TARGET_SSE42 behind ev_cpu_has_sse42.
 */
#ifdef __x86_64__
#define EV_HAVE_SSE42
#define EV_TARGET_SSE42     __attribute__((target("sse4.2")))
#define ev_cpu_has_sse42()  __builtin_cpu_supports("sse4.2")
#define ev_crc32c_u64(c, w) __builtin_ia32_crc32di((c), (w))
#define ev_crc32c_u8(c, b)  __builtin_ia32_crc32qi((c), (b))
#endif

__extension__ typedef __int128 ev_i128;
__extension__ typedef unsigned __int128 ev_u128;

#endif
