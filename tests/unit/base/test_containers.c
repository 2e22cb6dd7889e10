// SPDX-License-Identifier: Apache-2.0
/* test_containers.c: map, strmap, slab and heap against naive models under seeded random
 * operations. */
#include "test_base.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/idset.h"
#include "base/map.h"
#include "base/slab.h"

#include <stdio.h>

enum { KEYS = 300, STEPS = 60000 };

static size_t count(const struct map *m, const uint64_t *want, const bool *in)
{
    size_t i = 0, n = 0;
    uint64_t k, v;
    while (map_next(m, &i, &k, &v)) {
        assert_true(k < KEYS && in[k] && v == want[k]);
        n++;
    }
    return n;
}

static void map_is_a_list(void **state)
{
    (void)state;
    struct rng r = {42};
    struct map m;
    map_init(&m, KEYS, 99);
    uint64_t want[KEYS] = {0}, v;
    bool in[KEYS] = {0};
    size_t n = 0;
    for (int step = 0; step < STEPS; step++) {
        uint64_t k = rng_below(&r, KEYS);
        if (rng_below(&r, 2)) {
            n += !in[k];
            in[k] = true;
            want[k] = rng_next(&r);
            assert_int_equal(map_put(&m, k, want[k]), 0);
        } else {
            assert_int_equal(map_del(&m, k), in[k]);
            n -= in[k];
            in[k] = false;
        }
        k = rng_below(&r, KEYS);
        assert_int_equal(map_get(&m, k, &v), in[k]);
        assert_true(!in[k] || v == want[k]);
        assert_int_equal(m.n, n);
    }
    assert_int_equal(count(&m, want, in), n);
    map_free(&m);
}

static void map_has_a_cap(void **state)
{
    (void)state;
    struct map m;
    uint64_t v;
    map_init(&m, 3, 1);
    assert_false(map_get(&m, 1, &v));
    assert_false(map_del(&m, 1));
    for (uint64_t k = 0; k < 3; k++)
        assert_int_equal(map_put(&m, k, k), 0);
    assert_int_equal(map_put(&m, 4, 4), ERR_FULL);
    assert_int_equal(map_put(&m, 2, 22), 0); /* replacing is not growing */
    assert_int_equal(map_put_ptr(&m, 1, &m), 0);
    assert_ptr_equal(map_get_ptr(&m, 1), &m);
    assert_null(map_get_ptr(&m, 9));
    map_free(&m);
}

/* Against an array of flags; grows to many, falls to few, and its table with it. */
static void idset_is_a_set(void **state)
{
    enum { IDS = 3000 };
    static bool in[IDS];
    struct idset s;
    struct rng r = {.s = 5};
    size_t n = 0, widest = 0;
    (void)state;
    idset_init(&s, IDS, 7);
    assert_false(idset_has(&s, 1));
    assert_false(idset_del(&s, 1));
    for (int i = 0; i < 60000; i++) {
        uint32_t k = (uint32_t)rng_below(&r, IDS - 1) + 1;
        bool put = rng_below(&r, 100) < (i < 30000 ? 90 : 2);
        int64_t id = (int64_t)k * (1 << 20);
        assert_int_equal(idset_has(&s, id), in[k]);
        if (put)
            assert_int_equal(idset_add(&s, id), 0);
        else
            assert_int_equal(idset_del(&s, id), in[k]);
        n += put && !in[k];
        n -= !put && in[k];
        in[k] = put;
        assert_int_equal(s.n, n);
        widest = s.mask > widest ? s.mask : widest;
    }
    for (uint32_t k = 1; k < IDS; k++)
        assert_int_equal(idset_has(&s, (int64_t)k * (1 << 20)), in[k]);
    assert_int_equal(widest, 4095);
    assert_true(s.mask < 1024);
    idset_free(&s);
}

static void idset_has_a_cap(void **state)
{
    struct idset s;
    (void)state;
    idset_init(&s, 3, 1);
    for (int64_t id = -1; id <= 2; id++)
        if (id)
            assert_int_equal(idset_add(&s, id), 0);
    assert_int_equal(idset_add(&s, 9), ERR_FULL);
    assert_int_equal(idset_add(&s, 2), 0); /* it is there */
    assert_true(idset_del(&s, -1));
    assert_false(idset_has(&s, 0));
    assert_int_equal(idset_add(&s, 9), 0);
    idset_free(&s);
}

/* What is left of many is still there in a smaller table. */
static void map_gives_back(void **state)
{
    struct map m;
    uint64_t v;
    (void)state;
    map_init(&m, 100000, 7);
    map_trim(&m);
    for (uint64_t k = 0; k < 5000; k++)
        assert_int_equal(map_put(&m, k, k * 3), 0);
    size_t wide = m.mask;
    map_trim(&m);
    assert_int_equal(m.mask, wide);
    for (uint64_t k = 0; k < 5000; k++)
        if (k % 100)
            assert_true(map_del(&m, k));
    map_trim(&m);
    assert_int_equal(m.mask, 127);
    for (uint64_t k = 0; k < 5000; k++) {
        assert_int_equal(map_get(&m, k, &v), k % 100 == 0);
        assert_true(k % 100 || v == k * 3);
    }
    for (uint64_t k = 0; k < 300; k++)
        assert_int_equal(map_put(&m, k, 1), 0);
    assert_int_equal(m.n, 347);
    map_free(&m);
}

static struct str key_text(char *text, size_t cap, uint64_t k)
{
    int n = snprintf(text, cap, "%.*s%llu", (int)(k % 7), "chargers", (unsigned long long)k);
    return str_from(text, (size_t)n);
}

static void strmap_is_a_list(void **state)
{
    (void)state;
    struct rng r = {43};
    struct strmap m;
    strmap_init(&m, KEYS, 5);
    uint64_t want[KEYS] = {0}, v;
    bool in[KEYS] = {0};
    char text[64];
    for (int step = 0; step < STEPS; step++) {
        uint64_t k = rng_below(&r, KEYS);
        struct str key = key_text(text, sizeof text, k);
        if (rng_below(&r, 2)) {
            in[k] = true;
            want[k] = rng_next(&r);
            assert_int_equal(strmap_put(&m, key, want[k]), 0);
        } else {
            assert_int_equal(strmap_del(&m, key), in[k]);
            in[k] = false;
        }
        k = rng_below(&r, KEYS);
        key = key_text(text, sizeof text, k);
        assert_int_equal(strmap_get(&m, key, &v), in[k]);
        assert_true(!in[k] || v == want[k]);
    }
    strmap_free(&m);
}

static void strmap_gives_back(void **state)
{
    struct strmap m;
    char text[64];
    uint64_t v;
    (void)state;
    strmap_init(&m, 100000, 7);
    strmap_trim(&m);
    for (uint64_t k = 0; k < 5000; k++)
        assert_int_equal(strmap_put(&m, key_text(text, sizeof text, k), k), 0);
    for (uint64_t k = 0; k < 5000; k++)
        if (k % 100)
            assert_true(strmap_del(&m, key_text(text, sizeof text, k)));
    strmap_trim(&m);
    assert_int_equal(m.mask, 127);
    for (uint64_t k = 0; k < 5000; k++) {
        assert_int_equal(strmap_get(&m, key_text(text, sizeof text, k), &v), k % 100 == 0);
        assert_true(k % 100 || v == k);
    }
    strmap_free(&m);
}

static void strmap_edges(void **state)
{
    (void)state;
    struct strmap m;
    uint64_t v = 0;
    strmap_init(&m, 2, 5);
    assert_false(strmap_get(&m, STR_NONE, &v));
    assert_int_equal(strmap_put(&m, STR_NONE, 1), 0);
    assert_int_equal(strmap_put(&m, str_from("a\0b", 3), 2), 0);
    assert_int_equal(strmap_put(&m, STR_LIT("c"), 3), ERR_FULL);
    assert_true(strmap_get(&m, STR_LIT(""), &v));
    assert_int_equal(v, 1);
    assert_false(strmap_get(&m, STR_LIT("a"), &v));
    strmap_free(&m);
}

static void slab_handles_go_stale(void **state)
{
    (void)state;
    struct slab s;
    slab_init(&s, 24, 600);
    struct slab_ref refs[600], extra;
    for (uint32_t i = 0; i < 600; i++) {
        uint64_t *p = slab_get(&s, &refs[i]);
        assert_non_null(p);
        assert_int_equal(p[0] | p[1] | p[2], 0);
        p[0] = i;
    }
    assert_null(slab_get(&s, &extra));
    uint64_t *seven = slab_find(&s, refs[7]);
    assert_int_equal(*seven, 7);
    slab_put(&s, refs[7]);
    assert_null(slab_find(&s, refs[7]));
    assert_null(slab_at(&s, 7));
    assert_int_equal(s.live, 599);
    assert_ptr_equal(slab_get(&s, &extra), seven);
    assert_ptr_equal(slab_find(&s, slab_ref_of(&s, 7)), seven);
    assert_int_equal(slab_ref_of(&s, 7).gen, extra.gen);
    assert_int_equal(extra.index, 7);
    assert_int_equal(*seven, 0);
    assert_null(slab_find(&s, refs[7]));
    assert_null(slab_find(&s, (struct slab_ref){0, 0}));
    assert_null(slab_find(&s, (struct slab_ref){600, 1}));
    slab_free(&s);
}

/* A page without objects goes and comes back, whichever place is asked for. */
static void slab_gives_pages_back(void **state)
{
    (void)state;
    struct slab s;
    struct slab_ref refs[600], again;
    slab_init(&s, 24, 600);
    for (uint32_t i = 0; i < 600; i++)
        *(uint64_t *)slab_get(&s, &refs[i]) = i;
    for (uint32_t i = 0; i < 600; i++)
        if (i != 300)
            slab_put(&s, refs[i]);
    slab_trim(&s);
    assert_null(s.pages[0]);
    assert_non_null(s.pages[1]);
    assert_null(s.pages[2]);
    slab_ahead(&s, 7);
    assert_null(slab_at(&s, 7));
    assert_null(slab_find(&s, refs[7]));
    assert_int_equal(*(uint64_t *)slab_find(&s, refs[300]), 300);
    for (uint32_t i = 0; i < 599; i++) {
        uint64_t *p = slab_get(&s, &again);
        assert_non_null(p);
        assert_int_equal(p[0] | p[1] | p[2], 0);
        p[0] = again.index;
    }
    assert_null(slab_get(&s, &again));
    for (uint32_t i = 0; i < 600; i++)
        assert_int_equal(*(uint64_t *)slab_at(&s, i), i);
    slab_free(&s);
}

/* The model: the set timer with the least (due, seq). */
static struct timer *least(struct timer *t, size_t n)
{
    struct timer *best = NULL;
    for (size_t i = 0; i < n; i++) {
        if (t[i].pos && (!best || t[i].due_ms < best->due_ms ||
                         (t[i].due_ms == best->due_ms && t[i].seq < best->seq)))
            best = &t[i];
    }
    return best;
}

static void heap_fires_in_order(void **state)
{
    (void)state;
    struct rng r = {44};
    struct heap h;
    heap_init(&h, 200);
    struct timer t[200] = {0};
    for (int step = 0; step < 30000; step++) {
        struct timer *one = &t[rng_below(&r, 200)];
        switch (rng_below(&r, 4)) {
        case 0:
        case 1:
            assert_int_equal(heap_set(&h, one, rng_range(&r, -50, 50)), 0);
            break;
        case 2:
            heap_cancel(&h, one);
            assert_int_equal(one->pos, 0);
            break;
        default: {
            struct timer *want = least(t, 200);
            assert_true(heap_due(&h) == (want ? want->due_ms : INT64_MAX));
            int64_t now = rng_range(&r, -50, 50);
            struct timer *got = heap_pop(&h, now);
            assert_ptr_equal(got, want && want->due_ms <= now ? want : NULL);
        }
        }
    }
    heap_free(&h);
}

static void heap_has_a_cap(void **state)
{
    (void)state;
    struct heap h;
    heap_init(&h, 1);
    struct timer a = {0}, b = {0};
    assert_true(heap_due(&h) == INT64_MAX);
    assert_null(heap_pop(&h, INT64_MAX));
    assert_int_equal(heap_set(&h, &a, 1), 0);
    assert_int_equal(heap_set(&h, &b, 1), ERR_FULL);
    assert_int_equal(heap_set(&h, &a, 5), 0);
    assert_null(heap_pop(&h, 4));
    assert_ptr_equal(heap_pop(&h, 5), &a);
    heap_free(&h);
}

int container_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_gives_back),        cmocka_unit_test(strmap_gives_back),
        cmocka_unit_test(map_is_a_list),         cmocka_unit_test(map_has_a_cap),
        cmocka_unit_test(strmap_is_a_list),      cmocka_unit_test(strmap_edges),
        cmocka_unit_test(heap_has_a_cap),        cmocka_unit_test(slab_handles_go_stale),
        cmocka_unit_test(idset_is_a_set),        cmocka_unit_test(idset_has_a_cap),
        cmocka_unit_test(slab_gives_pages_back), cmocka_unit_test(heap_fires_in_order),
    };
    return cmocka_run_group_tests_name("containers", tests, NULL, NULL);
}
