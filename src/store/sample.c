// SPDX-License-Identifier: Apache-2.0
/* sample.c: see sample.h. A sample is a varint mask, then, if bit 0 says so, a varint mask of the
 * fields that are not measured, then one zigzag varint per further bit of the mask: the difference
 * of that field from what was expected, in two's complement arithmetic, so that no value can
 * overflow. Fields that are rarely there or rarely change stand last: a usual mask is one byte.
 * Runs in the committer's thread and in readers; no state of its own. */
#include "store/sample.h"

#define ZLIB_CONST /* input is const to us, and to zlib */
#include <zlib.h>
#include "base/err.h"
#include "base/must.h"

enum { STEADY = 3 }; /* the first fields go on by their last step */
enum { FORM_PLAIN = 1, FORM_ZLIB = 2, STREAM_MAX = 1 << 20 };
enum { F_AT, F_TIME, F_ENERGY, F_POWER, F_CURRENT, F_SOC, F_VOLTAGE, F_TEMP, F_FLAGS, F_COST };

static int64_t wide(int32_t v)
{
    return v == SAMPLE_NONE32 ? SAMPLE_NONE : v;
}

static void fields_get(int64_t at_ms, const struct core_sample *s, int64_t f[SAMPLE_FIELDS])
{
    f[F_AT] = at_ms;
    f[F_TIME] = s->time_ms;
    f[F_ENERGY] = s->energy_mwh;
    f[F_POWER] = s->power_w;
    f[F_CURRENT] = wide(s->current_ma);
    f[F_SOC] = wide(s->soc_pm);
    f[F_VOLTAGE] = wide(s->voltage_mv);
    f[F_TEMP] = wide(s->temp_dc);
    f[F_FLAGS] = s->flags;
    f[F_COST] = s->cost;
}

static int32_t narrow(int64_t v)
{
    return v == SAMPLE_NONE ? SAMPLE_NONE32 : (int32_t)v;
}

static void fields_set(const int64_t f[SAMPLE_FIELDS], int64_t *at_ms, struct core_sample *s)
{
    *at_ms = f[F_AT];
    *s = (struct core_sample){.time_ms = f[F_TIME],
                              .energy_mwh = f[F_ENERGY],
                              .power_w = f[F_POWER],
                              .voltage_mv = narrow(f[F_VOLTAGE]),
                              .current_ma = narrow(f[F_CURRENT]),
                              .soc_pm = narrow(f[F_SOC]),
                              .temp_dc = narrow(f[F_TEMP]),
                              .flags = (uint32_t)f[F_FLAGS],
                              .cost = f[F_COST]};
}

static int64_t expected(const struct sample_state *st, int i)
{
    uint64_t step = i < STEADY ? (uint64_t)st->step[i] : 0;
    return (int64_t)((uint64_t)st->last[i] + step);
}

static void advance(struct sample_state *st, const int64_t f[SAMPLE_FIELDS], uint32_t none)
{
    for (int i = 0; i < SAMPLE_FIELDS; i++) {
        if (none >> i & 1)
            continue;
        st->step[i] = (int64_t)((uint64_t)f[i] - (uint64_t)st->last[i]);
        st->last[i] = f[i];
    }
    st->none = none;
}

void sample_put(struct buf *out, struct sample_state *st, int64_t at_ms,
                const struct core_sample *s)
{
    int64_t f[SAMPLE_FIELDS];
    uint32_t none = 0, mask = 0;
    fields_get(at_ms, s, f);
    for (int i = 0; i < SAMPLE_FIELDS; i++) {
        if (f[i] == SAMPLE_NONE)
            none |= 1u << i;
        else if (f[i] != expected(st, i))
            mask |= 2u << i;
    }
    mask |= none != st->none;
    buf_put_varint(out, mask);
    if (mask & 1)
        buf_put_varint(out, none);
    for (int i = 0; i < SAMPLE_FIELDS; i++)
        if (mask >> (i + 1) & 1)
            buf_put_zigzag(out, (int64_t)((uint64_t)f[i] - (uint64_t)expected(st, i)));
    advance(st, f, none);
}

int sample_take(struct cursor *c, struct sample_state *st, int64_t *at_ms, struct core_sample *s)
{
    uint64_t mask, none = st->none;
    int64_t f[SAMPLE_FIELDS], d;
    int rc = cursor_varint(c, &mask);
    if (rc == 0 && (mask & 1))
        rc = cursor_varint(c, &none);
    if (rc || mask >> (SAMPLE_FIELDS + 1) || none >> SAMPLE_FIELDS)
        return ERR_SYNTAX;
    for (int i = 0; i < SAMPLE_FIELDS; i++) {
        f[i] = none >> i & 1 ? SAMPLE_NONE : expected(st, i);
        if (!(mask >> (i + 1) & 1))
            continue;
        rc = cursor_zigzag(c, &d);
        if (rc)
            return rc;
        f[i] = (int64_t)((uint64_t)f[i] + (uint64_t)d);
    }
    advance(st, f, (uint32_t)none);
    fields_set(f, at_ms, s);
    return 0;
}

/* Most blocks are short, and zlib's usual tables are 256 KiB that must be made and emptied for each:
 * a window as long as the stream finds as much. The room at p is the stream's size; *size is what was
 * used of it, or all when it did not become less. */
static int stream_deflate(struct str stream, char *p, size_t *size)
{
    z_stream z = {.next_in = (const Bytef *)stream.p,
                  .avail_in = (uInt)stream.n,
                  .next_out = (Bytef *)p,
                  .avail_out = (uInt)stream.n};
    int bits = 9;
    while (bits < MAX_WBITS && (size_t)1 << bits < stream.n)
        bits++;
    if (deflateInit2(&z, 6, Z_DEFLATED, bits, bits - 7, Z_DEFAULT_STRATEGY) != Z_OK)
        return ERR_NOMEM;
    *size = deflate(&z, Z_FINISH) == Z_STREAM_END ? z.total_out : stream.n;
    (void)deflateEnd(&z);
    return 0;
}

int block_seal(struct str stream, struct buf *out)
{
    size_t start = out->n, size;
    if (stream.n > STREAM_MAX)
        return ERR_TOO_LARGE;
    buf_put_char(out, FORM_ZLIB);
    buf_put_varint(out, stream.n);
    size_t head = out->n - start;
    char *p = buf_grow(out, stream.n);
    if (!p)
        return out->err;
    int rc = stream_deflate(stream, p, &size);
    if (rc)
        return rc;
    if (size < stream.n) {
        out->n = start + head + size;
        return 0;
    }
    out->n = start + head;
    out->p[start] = FORM_PLAIN;
    buf_put_str(out, stream);
    return out->err;
}

int block_open(struct str block, struct buf *out)
{
    struct cursor c = {(const uint8_t *)block.p, (const uint8_t *)block.p + block.n};
    uint64_t n;
    if (block.n < 2)
        return ERR_CORRUPT;
    uint8_t form = *c.p++;
    if (cursor_varint(&c, &n) || n > STREAM_MAX)
        return ERR_CORRUPT;
    size_t left = (size_t)(c.end - c.p);
    if (form == FORM_PLAIN && left == n) {
        buf_put(out, c.p, left);
        return out->err;
    }
    if (form != FORM_ZLIB)
        return ERR_CORRUPT;
    char *p = buf_grow(out, (size_t)n);
    uLongf got = (uLongf)n;
    if (!p)
        return out->err;
    int code = uncompress((Bytef *)p, &got, c.p, left);
    if (code == Z_MEM_ERROR)
        return ERR_NOMEM;
    return code == Z_OK && got == n ? 0 : ERR_CORRUPT;
}
