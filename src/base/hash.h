// SPDX-License-Identifier: Apache-2.0
/* hash.h: checksums and hashes that need no secret library. */
#ifndef EVEN_BASE_HASH_H
#define EVEN_BASE_HASH_H

#include "base/str.h"

/** SipHash-1-3 style keyed hash for tables (not for secrets). */
uint64_t hash_bytes(const void *p, size_t n, uint64_t seed);
uint64_t hash_u64(uint64_t x, uint64_t seed);
/** CRC-32C (Castagnoli), chained through `crc` (start with 0). */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);
/** CRC-16/MODBUS (poly 0xA001 reflected, init 0xFFFF). */
uint16_t crc16_modbus(const void *p, size_t n);
/** SHA-1 (RFC 3174), only for the WebSocket accept key. */
void sha1(const void *p, size_t n, uint8_t out[20]);
/** SHA-256 (FIPS 180-4): fingerprints of requests, migrations. */
void sha256(const void *p, size_t n, uint8_t out[32]);
/** The same in pieces (files): every piece but the last is a multiple of 64 bytes. */
struct sha256 {
    uint32_t h[8];
    uint64_t n;
};
void sha256_start(struct sha256 *s);
void sha256_blocks(struct sha256 *s, const void *p, size_t n);
void sha256_end(struct sha256 *s, const void *rest, size_t n, uint8_t out[32]);
/** Base64 (RFC 4648 4). Encode returns the length; out holds 4*((n+2)/3)+1. */
size_t base64_encode(const void *p, size_t n, char *out);
/** Accepts padding or none; ERR_SYNTAX, ERR_TOO_LARGE. */
EV_MUST_USE int base64_decode(struct str s, uint8_t *out, size_t cap, size_t *n);

/** Seeded generator for simulation and property tests (splitmix64). Never for secrets. */
struct rng {
    uint64_t s;
};
uint64_t rng_next(struct rng *r);
/** Uniform in [0, n); n > 0. */
uint64_t rng_below(struct rng *r, uint64_t n);
/** Uniform in [lo, hi]. */
int64_t rng_range(struct rng *r, int64_t lo, int64_t hi);

#endif
