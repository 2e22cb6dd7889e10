// SPDX-License-Identifier: Apache-2.0
/* test_framelog.c: bounds, wrap, order, cuts, who is watched, and a reader beside the writer. */
#include "io_tests.h"

#include <stdatomic.h>
#include <string.h>
#include "base/hash.h"
#include "base/must.h"
#include "io/os/framelog.h"
#include "io/os/thread.h"

#define NOW INT64_C(1764000000000)

static char body[FRAMELOG_BODY_MAX];

static struct framelog *log_new(size_t recent, size_t watched, const struct framewatch *w)
{
    const struct framelog_config cfg = {
        .reactor = 5, .recent = recent, .watched = watched, .watch = w};
    struct framelog *l;

    must(framelog_new(&cfg, &l) == 0);
    return l;
}

static int64_t put(struct framelog *l, int64_t charger, int64_t at, struct str bytes)
{
    const struct framelog_row row = {.id = framelog_id(l, at),
                                     .charger = charger,
                                     .slot = 7,
                                     .gen = 9,
                                     .protocol = 2,
                                     .dir = FRAME_OUT,
                                     .kind = 0x13,
                                     .result = FRAME_ODD};

    framelog_put(l, &row, bytes);
    return row.id;
}

static int count(const struct framelog *l, int64_t charger)
{
    struct framelog_reader r;
    struct framelog_row row;
    int n = 0;

    framelog_read(l, &r);
    while (framelog_next(&r, charger, &row, body))
        n++;
    return n;
}

static void what_goes_in_comes_out(void **state)
{
    struct framelog *l = log_new(65536, 0, NULL);
    struct framelog_reader r;
    struct framelog_row row;
    int64_t id = put(l, 42, NOW, STR_LIT("hello, frame"));

    (void)state;
    assert_int_equal(framelog_time(id), NOW);
    assert_int_equal(framelog_reactor(id), 5);
    put(l, 43, NOW, STR_LIT("another's"));
    put(l, 0, NOW, STR_LIT("nobody's"));
    assert_true(put(l, 42, NOW, STR_NONE) > id);
    framelog_read(l, &r);
    assert_true(framelog_next(&r, 42, &row, body));
    assert_int_equal(row.id, id);
    assert_int_equal(row.charger, 42);
    assert_int_equal(row.slot, 7);
    assert_int_equal(row.gen, 9);
    assert_int_equal(row.protocol, 2);
    assert_int_equal(row.dir, FRAME_OUT);
    assert_int_equal(row.kind, 0x13);
    assert_int_equal(row.result, FRAME_ODD);
    assert_int_equal(row.size, 12);
    assert_memory_equal(body, "hello, frame", 12);
    assert_true(framelog_next(&r, 42, &row, body));
    assert_int_equal(row.charger, 0);
    assert_true(framelog_next(&r, 42, &row, body));
    assert_int_equal(row.n, 0);
    assert_false(framelog_next(&r, 42, &row, body));
    framelog_free(l);
}

/* Whatever the lengths, the newest rows are there, whole and in order, and the memory is the same. */
static void it_wraps(void **state)
{
    struct framelog *l = log_new(4096, 0, NULL);
    struct framelog_reader r;
    struct framelog_row row;
    struct rng rng = {7};
    char text[900];
    int64_t last = 0;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        size_t n = rng_below(&rng, sizeof(text));

        memset(text, 'a' + i % 26, n);
        last = put(l, 1, NOW + i, str_from(text, n));
        if (i % 97 != 0)
            continue;
        int64_t before = 0;
        int rows = 0;

        framelog_read(l, &r);
        for (; framelog_next(&r, 1, &row, body); rows++) {
            char c = (char)('a' + (framelog_time(row.id) - NOW) % 26);

            assert_true(row.id > before);
            before = row.id;
            for (uint32_t k = 0; k < row.n; k++)
                assert_int_equal(body[k], c);
        }
        assert_int_equal(before, last);
        assert_true(rows >= 1 && rows <= 4096 / 40);
    }
    framelog_free(l);
}

static void long_ones_are_cut(void **state)
{
    static char much[200000];
    struct framelog *l = log_new(65536, 0, NULL), *small = log_new(1, 0, NULL);
    struct framelog_reader r;
    struct framelog_row row;

    (void)state;
    memset(much, 'x', sizeof(much));
    put(l, 1, NOW, str_from(much, sizeof(much)));
    put(small, 1, NOW, str_from(much, sizeof(much)));
    framelog_read(l, &r);
    assert_true(framelog_next(&r, 1, &row, body));
    assert_int_equal(row.size, sizeof(much));
    assert_int_equal(row.n, FRAMELOG_BODY_MAX);
    framelog_read(small, &r);
    assert_true(framelog_next(&r, 1, &row, body));
    assert_true(row.n > 0 && row.n < 100);
    framelog_free(l);
    framelog_free(small);
}

static void a_crowd_does_not_push_out_the_watched(void **state)
{
    struct framewatch *w;
    struct framelog *l, *off;

    (void)state;
    must(framewatch_new(&w) == 0);
    l = log_new(4096, 65536, w);
    off = log_new(0, 65536, w);
    assert_int_equal(framewatch_set(w, 42, NOW + 60000, NOW), 0);
    assert_int_equal(framewatch_until(w, 42, NOW), NOW + 60000);
    assert_int_equal(framewatch_until(w, 43, NOW), 0);
    for (int i = 0; i < 1000; i++) {
        if (i < 100)
            put(l, 42, NOW + i, STR_LIT("watched"));
        put(l, 43, NOW + i, STR_LIT("the crowd that says much more"));
        put(off, i % 2 ? 42 : 43, NOW + i, STR_LIT("x"));
    }
    assert_int_equal(count(l, 42), 100);
    assert_true(count(l, 43) < 100);
    assert_int_equal(count(off, 42), 500);
    assert_int_equal(count(off, 43), 0);
    put(l, 42, NOW + 60001, STR_LIT("too late"));
    for (int i = 0; i < 1000; i++)
        put(l, 43, NOW + 60002 + i, STR_LIT("the crowd that says much more"));
    assert_int_equal(count(l, 42), 100);
    assert_int_equal(framewatch_set(w, 42, 0, NOW), 0);
    put(l, 42, NOW, STR_LIT("ended"));
    assert_int_equal(framewatch_until(w, 42, NOW), 0);
    framelog_free(l);
    framelog_free(off);
    framewatch_free(w);
}

static void so_many_and_no_more(void **state)
{
    struct framewatch *w;

    (void)state;
    must(framewatch_new(&w) == 0);
    assert_int_equal(framewatch_set(w, 99, NOW - 1, NOW), 0); /* ends what is not there */
    for (int i = 1; i <= FRAMEWATCH_MAX; i++)
        assert_int_equal(framewatch_set(w, i, NOW + i, NOW), 0);
    assert_true(framewatch_set(w, 1000, NOW + 5, NOW) < 0);
    assert_int_equal(framewatch_set(w, 3, NOW + 99, NOW), 0);
    assert_int_equal(framewatch_until(w, 3, NOW), NOW + 99);
    assert_int_equal(framewatch_set(w, 1000, NOW + 50, NOW + 1), 0); /* the first is over */
    assert_int_equal(framewatch_until(w, 1, NOW + 1), 0);
    assert_int_equal(framewatch_until(w, 1000, NOW + 1), NOW + 50);
    framewatch_free(w);
}

/* ---- beside the writer ---- */

struct race {
    struct framelog *log;
    _Atomic bool over;
};

static void write_on(void *arg)
{
    struct race *r = arg;
    char text[400];

    for (int i = 0; !r->over; i++) {
        size_t n = 1 + (size_t)i * 37 % sizeof(text);

        memset(text, i & 0x7f, n);
        put(r->log, 1 + i % 2, NOW + i, str_from(text, n));
    }
}

static void a_reader_gets_whole_rows(void **state)
{
    struct race race = {.log = log_new(4096, 0, NULL)};
    struct os_thread *t;
    int rows = 0;

    (void)state;
    must(os_thread_start("writer", write_on, &race, &t) == 0);
    for (int i = 0; i < 3000 || rows < 1000; i++) {
        struct framelog_reader r;
        struct framelog_row row;
        int64_t before = 0;

        framelog_read(race.log, &r);
        while (framelog_next(&r, 1, &row, body)) {
            assert_true(row.id > before);
            before = row.id;
            assert_true(row.n >= 1 && row.n <= 400 && row.n == row.size);
            for (uint32_t k = 1; k < row.n; k++)
                assert_int_equal(body[k], body[0]);
            rows++;
        }
    }
    race.over = true;
    os_thread_join(t);
    framelog_free(race.log);
}

int run_framelog_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out),
        cmocka_unit_test(it_wraps),
        cmocka_unit_test(long_ones_are_cut),
        cmocka_unit_test(a_crowd_does_not_push_out_the_watched),
        cmocka_unit_test(so_many_and_no_more),
        cmocka_unit_test(a_reader_gets_whole_rows),
    };

    return cmocka_run_group_tests_name("frame log", tests, NULL, NULL);
}
