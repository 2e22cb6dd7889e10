// SPDX-License-Identifier: Apache-2.0
/* tape.h: what reads bytes from outside, as functions over a byte tape. libFuzzer calls them with
 * whatever it finds (entry.c), `make test` with the committed corpus and a fixed number of seeded
 * tapes (tests/prop). Each holds its parser to properties, not only to not crashing: must() ends
 * the program where one is broken. Each answers 0. One thread. */
#ifndef EVEN_FUZZ_TAPE_H
#define EVEN_FUZZ_TAPE_H

#include "base/buf.h"
#include "base/must.h"

/* No I/O: floors base and wire, core's rows, store's codecs, sim's files. */
int tape_number(const uint8_t *p, size_t n);
int tape_zone(const uint8_t *p, size_t n);
int tape_json(const uint8_t *p, size_t n);
int tape_binary(const uint8_t *p, size_t n);
int tape_ykc(const uint8_t *p, size_t n);
int tape_ocpp(const uint8_t *p, size_t n);
int tape_http(const uint8_t *p, size_t n);
int tape_rows(const uint8_t *p, size_t n);
int tape_sample(const uint8_t *p, size_t n);
int tape_csv(const uint8_t *p, size_t n);
int tape_config(const uint8_t *p, size_t n);
int tape_web(const uint8_t *p, size_t n);
int tape_ftp(const uint8_t *p, size_t n);
/* Over real sockets on loopback: the reactor and the gates. */
int tape_ws(const uint8_t *p, size_t n);
int tape_ocpp_gate(const uint8_t *p, size_t n);
int tape_ykc_gate(const uint8_t *p, size_t n);

/** A tape being read; past its end it reads zeros. */
struct tape {
    const uint8_t *p, *end;
};

static inline bool tape_more(const struct tape *t)
{
    return t->p < t->end;
}

static inline uint64_t tape_uint(struct tape *t, int bytes)
{
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++)
        v = v << 8 | (tape_more(t) ? *t->p++ : 0);
    return v;
}

static inline uint8_t tape_byte(struct tape *t)
{
    return (uint8_t)tape_uint(t, 1);
}

/** At most n bytes, fewer at the end. */
static inline struct str tape_take(struct tape *t, size_t n)
{
    size_t left = (size_t)(t->end - t->p);
    struct str s = str_from((const char *)t->p, n < left ? n : left);
    t->p += s.n;
    return s;
}

static inline struct str tape_rest(struct tape *t)
{
    return tape_take(t, SIZE_MAX);
}

#endif
