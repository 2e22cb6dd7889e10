// SPDX-License-Identifier: Apache-2.0
/* hash.c: see hash.h. Pure; no data but constant tables. Everything is written from the standards
 * named in the header; words are read with memcpy, so any alignment will do. */
#include "base/hash.h"

#include "base/err.h"
#include "base/must.h"

static uint64_t read64(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, 8);
    return w;
}

static uint64_t rotl64(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static uint64_t mix64(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

/* One SipHash round over the four state words. */
static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotl64(v[1], 13) ^ v[0];
    v[3] = rotl64(v[3], 16) ^ v[2];
    v[0] = rotl64(v[0], 32) + v[3];
    v[2] += v[1];
    v[1] = rotl64(v[1], 17) ^ v[2];
    v[3] = rotl64(v[3], 21) ^ v[0];
    v[2] = rotl64(v[2], 32);
}

uint64_t hash_bytes(const void *data, size_t n, uint64_t seed)
{
    const uint8_t *p = data;
    const uint64_t k1 = mix64(seed + UINT64_C(0x9E3779B97F4A7C15));
    uint64_t v[4] = {seed ^ UINT64_C(0x736F6D6570736575), k1 ^ UINT64_C(0x646F72616E646F6D),
                     seed ^ UINT64_C(0x6C7967656E657261), k1 ^ UINT64_C(0x7465646279746573)};
    uint64_t last = (uint64_t)n << 56;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t w = read64(p);
        v[3] ^= w;
        sip_round(v);
        v[0] ^= w;
    }
    for (size_t i = 0; i < n; i++)
        last |= (uint64_t)p[i] << (8 * i);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xFF;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t hash_u64(uint64_t x, uint64_t seed)
{
    return mix64(mix64(x ^ seed) + UINT64_C(0x9E3779B97F4A7C15) + seed);
}

/* Reflected CRC of one 4-bit step at a time: tables of 16 words stay in one cache line. */
static uint32_t crc32c_table(uint32_t crc, const uint8_t *p, size_t n)
{
    static const uint32_t t[16] = {0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1,
                                   0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
                                   0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9,
                                   0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75};
    while (n--) {
        crc ^= *p++;
        crc = crc >> 4 ^ t[crc & 15];
        crc = crc >> 4 ^ t[crc & 15];
    }
    return crc;
}

#ifdef EV_HAVE_SSE42
EV_TARGET_SSE42 static uint32_t crc32c_sse42(uint32_t crc, const uint8_t *p, size_t n)
{
    uint64_t c = crc;
    for (; n >= 8; n -= 8, p += 8)
        c = ev_crc32c_u64(c, read64(p));
    crc = (uint32_t)c;
    while (n--)
        crc = ev_crc32c_u8(crc, *p++);
    return crc;
}
#endif

uint32_t crc32c(uint32_t crc, const void *p, size_t n)
{
#ifdef EV_HAVE_SSE42
    if (ev_cpu_has_sse42())
        return ~crc32c_sse42(~crc, p, n);
#endif
    return ~crc32c_table(~crc, p, n);
}

uint16_t crc16_modbus(const void *data, size_t n)
{
    static const uint16_t t[16] = {0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
                                   0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400};
    const uint8_t *p = data;
    uint32_t crc = 0xFFFF;
    while (n--) {
        crc ^= *p++;
        crc = crc >> 4 ^ t[crc & 15];
        crc = crc >> 4 ^ t[crc & 15];
    }
    return (uint16_t)crc;
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_be32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t rotl32(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

/* Twenty steps whose function and constant are the same; always inlined, so that both are known. */
static inline uint32_t sha1_mix(int phase, uint32_t b, uint32_t c, uint32_t d)
{
    if (phase == 0)
        return d ^ (b & (c ^ d));
    return phase == 2 ? (b & c) | (d & (b | c)) : b ^ c ^ d;
}

static inline void sha1_phase(int phase, uint32_t k, const uint32_t w[20], uint32_t v[5])
{
    uint32_t a = v[0], b = v[1], c = v[2], d = v[3], e = v[4];
    for (int i = 0; i < 20; i++) {
        uint32_t next = rotl32(a, 5) + sha1_mix(phase, b, c, d) + e + k + w[i];
        e = d;
        d = c;
        c = rotl32(b, 30);
        b = a;
        a = next;
    }
    v[0] = a;
    v[1] = b;
    v[2] = c;
    v[3] = d;
    v[4] = e;
}

static void sha1_block(uint32_t h[5], const uint8_t *p)
{
    uint32_t w[80], v[5];
    for (int i = 0; i < 16; i++)
        w[i] = be32(p + 4 * i);
    for (int i = 16; i < 80; i++)
        w[i] = rotl32(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    memcpy(v, h, sizeof v);
    sha1_phase(0, 0x5A827999, w, v);
    sha1_phase(1, 0x6ED9EBA1, w + 20, v);
    sha1_phase(2, 0x8F1BBCDC, w + 40, v);
    sha1_phase(3, 0xCA62C1D6, w + 60, v);
    for (int i = 0; i < 5; i++)
        h[i] += v[i];
}

static uint32_t rotr32(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static const uint32_t sha256_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static void sha256_block(uint32_t h[8], const uint8_t *p)
{
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = be32(p + 4 * i);
    for (int i = 16; i < 64; i++) {
        uint32_t x = w[i - 15], y = w[i - 2];
        w[i] = w[i - 16] + (rotr32(x, 7) ^ rotr32(x, 18) ^ x >> 3) + w[i - 7] +
               (rotr32(y, 17) ^ rotr32(y, 19) ^ y >> 10);
    }
    memcpy(s, h, sizeof s);
    for (int i = 0; i < 64; i++) {
        uint32_t e = s[4], a = s[0];
        uint32_t t1 = s[7] + (rotr32(e, 6) ^ rotr32(e, 11) ^ rotr32(e, 25)) +
                      ((e & s[5]) ^ (~e & s[6])) + sha256_k[i] + w[i];
        uint32_t t2 = (rotr32(a, 2) ^ rotr32(a, 13) ^ rotr32(a, 22)) +
                      ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof s[0]);
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        h[i] += s[i];
}

/* Feeds whole blocks, then the padding of both SHAs: 0x80, zeros, length in bits of all `total`
 * bytes. */
static void sha_run(uint32_t *h, void (*block)(uint32_t *, const uint8_t *), const void *data,
                    size_t left, uint64_t total)
{
    const uint8_t *p = data;
    for (; left >= 64; left -= 64, p += 64)
        block(h, p);
    uint8_t end[128] = {0};
    if (left)
        memcpy(end, p, left);
    end[left] = 0x80;
    size_t size = left < 56 ? 64 : 128;
    put_be32(end + size - 8, (uint32_t)(total >> 29));
    put_be32(end + size - 4, (uint32_t)(total << 3));
    for (size_t i = 0; i < size; i += 64)
        block(h, end + i);
}

void sha1(const void *p, size_t n, uint8_t out[20])
{
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    sha_run(h, sha1_block, p, n, n);
    for (int i = 0; i < 5; i++)
        put_be32(out + 4 * i, h[i]);
}

void sha256_start(struct sha256 *s)
{
    *s = (struct sha256){{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
                          0x1f83d9ab, 0x5be0cd19},
                         0};
}

void sha256_blocks(struct sha256 *s, const void *data, size_t n)
{
    must(n % 64 == 0);
    const uint8_t *p = data;
    for (size_t i = 0; i < n; i += 64)
        sha256_block(s->h, p + i);
    s->n += n;
}

void sha256_end(struct sha256 *s, const void *rest, size_t n, uint8_t out[32])
{
    sha_run(s->h, sha256_block, rest, n, s->n + n);
    for (int i = 0; i < 8; i++)
        put_be32(out + 4 * i, s->h[i]);
}

void sha256(const void *p, size_t n, uint8_t out[32])
{
    struct sha256 s;
    sha256_start(&s);
    sha256_end(&s, p, n, out);
}

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encode(const void *data, size_t n, char *out)
{
    const uint8_t *p = data;
    char *o = out;
    for (size_t i = 0; i < n; i += 3) {
        size_t k = n - i < 3 ? n - i : 3;
        uint32_t w = (uint32_t)p[i] << 16 | (k > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                     (k > 2 ? (uint32_t)p[i + 2] : 0);
        *o++ = base64_alphabet[w >> 18];
        *o++ = base64_alphabet[w >> 12 & 63];
        *o++ = '=';
        *o++ = '=';
        if (k > 1)
            o[-2] = base64_alphabet[w >> 6 & 63];
        if (k > 2)
            o[-1] = base64_alphabet[w & 63];
    }
    *o = 0;
    return (size_t)(o - out);
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(struct str s, uint8_t *out, size_t cap, size_t *n)
{
    if (s.n && s.n % 4 == 0)
        s.n -= s.p[s.n - 1] != '=' ? 0 : s.p[s.n - 2] != '=' ? 1 : 2;
    if (s.n % 4 == 1)
        return ERR_SYNTAX;
    size_t len = s.n / 4 * 3 + (s.n % 4 ? s.n % 4 - 1 : 0), at = 0;
    if (len > cap)
        return ERR_TOO_LARGE;
    uint32_t w = 0;
    for (size_t i = 0; i < s.n; i++) {
        int d = base64_digit(s.p[i]);
        if (d < 0)
            return ERR_SYNTAX;
        w = w << 6 | (uint32_t)d;
        if (i % 4)
            out[at++] = (uint8_t)(w >> (6 - i % 4 * 2));
    }
    *n = len;
    return 0;
}

uint64_t rng_next(struct rng *r)
{
    return mix64(r->s += UINT64_C(0x9E3779B97F4A7C15));
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
    return (uint64_t)((ev_u128)rng_next(r) * n >> 64);
}

int64_t rng_range(struct rng *r, int64_t lo, int64_t hi)
{
    uint64_t span = (uint64_t)hi - (uint64_t)lo + 1;
    uint64_t x = span ? rng_below(r, span) : rng_next(r);
    return (int64_t)((uint64_t)lo + x);
}
