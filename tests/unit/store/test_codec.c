// SPDX-License-Identifier: Apache-2.0
/* test_codec.c: samples and sealed blocks: lossless for every value, small for usual ones, refused
 * when damaged. */
#include "test_store.h"

#include "base/err.h"
#include "store/sample.h"

static void sample_equal(const struct core_sample *a, const struct core_sample *b)
{
    assert_int_equal(a->time_ms, b->time_ms);
    assert_int_equal(a->energy_mwh, b->energy_mwh);
    assert_int_equal(a->power_w, b->power_w);
    assert_int_equal(a->voltage_mv, b->voltage_mv);
    assert_int_equal(a->current_ma, b->current_ma);
    assert_int_equal(a->soc_pm, b->soc_pm);
    assert_int_equal(a->temp_dc, b->temp_dc);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->cost, b->cost);
}

static int64_t odd(struct rng *r)
{
    static const int64_t edges[] = {0, 1, -1, INT64_MIN, INT64_MIN + 1, INT64_MAX, INT64_MAX - 1};
    return rng_below(r, 2) ? edges[rng_below(r, ARRAY_LEN(edges))] : (int64_t)rng_next(r);
}

static struct core_sample sample_odd(struct rng *r)
{
    return (struct core_sample){odd(r),          odd(r),           odd(r),
                                (int32_t)odd(r), (int32_t)odd(r),  (int32_t)odd(r),
                                SAMPLE_NONE32,   (uint32_t)odd(r), odd(r)};
}

static void any_sample_survives(void **state)
{
    (void)state;
    enum { N = 5000 };
    static struct core_sample in[N];
    static int64_t at[N];
    struct rng r = {21};
    struct sample_state put = {0}, take = {0};
    struct buf b;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < N; i++) {
        size_t before = b.n;
        in[i] = rng_below(&r, 3) ? sample_plain(i) : sample_odd(&r);
        at[i] = odd(&r);
        sample_put(&b, &put, at[i], &in[i]);
        assert_true(b.n - before <= SAMPLE_BYTES_MAX);
    }
    struct cursor c = {(const uint8_t *)b.p, (const uint8_t *)b.p + b.n};
    for (int i = 0; i < N; i++) {
        struct core_sample s;
        int64_t at_ms;
        assert_int_equal(sample_take(&c, &take, &at_ms, &s), 0);
        assert_int_equal(at_ms, at[i]);
        sample_equal(&s, &in[i]);
    }
    assert_ptr_equal(c.p, c.end);
    buf_free(&b);
}

static void usual_streams_are_small(void **state)
{
    (void)state;
    struct sample_state st = {0};
    struct buf b, block, back;
    buf_init(&b, 1 << 20);
    buf_init(&block, 1 << 20);
    buf_init(&back, 1 << 20);
    for (int i = 0; i < BLOCK_SAMPLES; i++) {
        struct core_sample s = sample_plain(i);
        sample_put(&b, &st, s.time_ms + 40, &s);
    }
    assert_true(b.n < BLOCK_SAMPLES * 10);
    assert_int_equal(block_seal(buf_str(&b), &block), 0);
    assert_true(block.n < b.n);
    assert_int_equal(block_open(buf_str(&block), &back), 0);
    assert_int_equal(back.n, b.n);
    assert_memory_equal(back.p, b.p, b.n);
    buf_free(&b);
    buf_free(&block);
    buf_free(&back);
}

static void noise_is_kept_plain(void **state)
{
    (void)state;
    char noise[300];
    struct rng r = {22};
    struct buf block, back;
    buf_init(&block, 1 << 20);
    buf_init(&back, 1 << 20);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)rng_next(&r);
    assert_int_equal(block_seal(str_from(noise, sizeof noise), &block), 0);
    assert_true(block.n <= sizeof noise + 4);
    assert_int_equal(block_open(buf_str(&block), &back), 0);
    assert_memory_equal(back.p, noise, sizeof noise);
    buf_free(&block);
    buf_free(&back);
}

static void damaged_blocks_are_refused(void **state)
{
    (void)state;
    struct rng r = {23};
    struct sample_state st = {0};
    struct buf b, block, back;
    buf_init(&b, 1 << 20);
    buf_init(&block, 1 << 20);
    buf_init(&back, 4 << 20);
    for (int i = 0; i < 100; i++) {
        struct core_sample s = sample_plain(i);
        sample_put(&b, &st, s.time_ms, &s);
    }
    assert_int_equal(block_seal(buf_str(&b), &block), 0);
    for (size_t n = 0; n < block.n; n++) {
        buf_reset(&back);
        assert_int_equal(block_open(str_from(block.p, n), &back), ERR_CORRUPT);
    }
    for (int round = 0; round < 2000; round++) {
        size_t at = (size_t)rng_below(&r, block.n);
        char keep = block.p[at];
        block.p[at] = (char)(keep ^ (1 + (int)rng_below(&r, 255)));
        buf_reset(&back);
        int rc = block_open(buf_str(&block), &back);
        assert_true(rc == 0 || rc == ERR_CORRUPT);
        block.p[at] = keep;
    }
    buf_free(&b);
    buf_free(&block);
    buf_free(&back);
}

int codec_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_sample_survives),
        cmocka_unit_test(usual_streams_are_small),
        cmocka_unit_test(noise_is_kept_plain),
        cmocka_unit_test(damaged_blocks_are_refused),
    };
    return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
