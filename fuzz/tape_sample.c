// SPDX-License-Identifier: Apache-2.0
/* tape_sample.c: the codec of meter samples and its sealed blocks. Samples of any values come back
 * as they were, in the bytes that were promised; bytes that read as samples write as samples that
 * read the same; a sealed stream opens as itself, and a damaged block is corrupt or a stream. */
#include "tape.h"

#include "base/err.h"
#include "store/sample.h"

enum { SAMPLES = 64, MEMORY = 4 << 20 };

struct told {
    int64_t at_ms;
    struct core_sample s;
};

static void same(const struct told *a, const struct told *b)
{
    must(a->at_ms == b->at_ms && a->s.time_ms == b->s.time_ms);
    must(a->s.energy_mwh == b->s.energy_mwh && a->s.power_w == b->s.power_w);
    must(a->s.voltage_mv == b->s.voltage_mv && a->s.current_ma == b->s.current_ma);
    must(a->s.soc_pm == b->s.soc_pm && a->s.temp_dc == b->s.temp_dc);
    must(a->s.flags == b->s.flags && a->s.cost == b->s.cost);
}

static void there_and_back(const struct told *told, int n)
{
    struct sample_state out = {0}, in = {0};
    struct buf b, block, stream;
    if (n == 0)
        return;
    buf_init(&b, MEMORY);
    buf_init(&block, MEMORY);
    buf_init(&stream, MEMORY);
    for (int i = 0; i < n; i++) {
        size_t before = b.n;
        sample_put(&b, &out, told[i].at_ms, &told[i].s);
        must(!b.err && b.n - before <= SAMPLE_BYTES_MAX);
    }
    struct cursor c = {(const uint8_t *)b.p, (const uint8_t *)b.p + b.n};
    for (int i = 0; i < n; i++) {
        struct told got;
        must(sample_take(&c, &in, &got.at_ms, &got.s) == 0);
        same(&told[i], &got);
    }
    must(c.p == c.end);
    must(block_seal(buf_str(&b), &block) == 0 && block_open(buf_str(&block), &stream) == 0);
    must(str_eq(buf_str(&stream), buf_str(&b)));
    buf_free(&b);
    buf_free(&block);
    buf_free(&stream);
}

/* A value near the last one, far from it, or not measured. */
static int64_t value(struct tape *t, int64_t last)
{
    uint8_t how = tape_byte(t);
    if (how < 160)
        return (int64_t)((uint64_t)last + how % 16);
    if (how < 192)
        return SAMPLE_NONE;
    uint64_t far = tape_uint(t, 1 + how % 8);
    return (int64_t)(how & 8 ? far : 0 - far);
}

static int32_t narrow(int64_t v)
{
    return v == SAMPLE_NONE ? SAMPLE_NONE32 : (int32_t)v;
}

static void any_values(struct tape *t)
{
    struct told told[SAMPLES] = {0};
    int n = 0;
    for (const struct told *last = told; tape_more(t) && n < SAMPLES; last = &told[n++])
        told[n] = (struct told){
            .at_ms = value(t, last->at_ms),
            .s = {.time_ms = value(t, last->s.time_ms),
                  .energy_mwh = value(t, last->s.energy_mwh),
                  .power_w = value(t, last->s.power_w),
                  .voltage_mv = narrow(value(t, last->s.voltage_mv)),
                  .current_ma = narrow(value(t, last->s.current_ma)),
                  .soc_pm = narrow(value(t, last->s.soc_pm)),
                  .temp_dc = narrow(value(t, last->s.temp_dc)),
                  .flags = (uint32_t)value(t, last->s.flags),
                  .cost = value(t, last->s.cost)},
        };
    there_and_back(told, n);
}

static void any_bytes(struct str bytes)
{
    struct told told[SAMPLES];
    struct sample_state st = {0};
    struct cursor c = {(const uint8_t *)bytes.p, (const uint8_t *)bytes.p + bytes.n};
    int n = 0;
    if (bytes.n == 0)
        return;
    while (n < SAMPLES && sample_take(&c, &st, &told[n].at_ms, &told[n].s) == 0)
        n++;
    there_and_back(told, n);
}

static void any_block(struct str bytes)
{
    struct buf stream, block, again;
    buf_init(&stream, MEMORY);
    buf_init(&block, MEMORY);
    buf_init(&again, MEMORY);
    int err = block_open(bytes, &stream);
    must(err == 0 || err == ERR_CORRUPT);
    if (err == 0) {
        must(block_seal(buf_str(&stream), &block) == 0);
        must(block_open(buf_str(&block), &again) == 0);
        must(str_eq(buf_str(&stream), buf_str(&again)));
    }
    buf_free(&stream);
    buf_free(&block);
    buf_free(&again);
}

int tape_sample(const uint8_t *p, size_t n)
{
    struct tape t = {p, p + n};
    uint8_t way = tape_byte(&t) % 3;
    if (way == 0)
        any_values(&t);
    else if (way == 1)
        any_bytes(tape_rest(&t));
    else
        any_block(tape_rest(&t));
    return 0;
}
