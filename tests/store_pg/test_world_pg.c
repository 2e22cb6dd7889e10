// SPDX-License-Identifier: Apache-2.0
/* test_world_pg.c: a day of the world test, every sealed batch of which goes to both engines as
 * well: the journals must be the same rows, and `even check` must say the same of both. */
#include "test_pg.h"

#include <stdio.h>
#include "base/must.h"
#include "world/runs.h"

static struct pair *both;
static int batches;

void __real_keep_commit(struct keep *k, struct str rows, struct str samples);
void __wrap_keep_commit(struct keep *k, struct str rows, struct str samples);

/* The linker puts this in front of the world's row memory. */
void __wrap_keep_commit(struct keep *k, struct str rows, struct str samples)
{
    __real_keep_commit(k, rows, samples);
    must(pair_commit(both, rows, samples) == 0);
    batches++;
}

static void check_text(const struct pair *p, int which, struct buf *out)
{
    FILE *f = tmpfile();
    assert_non_null(f);
    assert_int_equal(store_check(p->path[which], f), 0);
    long n = ftell(f);
    assert_true(n > 0);
    rewind(f);
    void *room = buf_grow(out, (size_t)n);
    assert_non_null(room);
    assert_int_equal(fread(room, 1, (size_t)n, f), (size_t)n);
    (void)fclose(f);
}

static void a_day_makes_the_same_journal(void **state)
{
    struct buf text[2];
    both = *state;
    batches = 0;
    assert_int_equal(run_days(1, 1), 0);
    assert_true(batches > 100);
    int64_t rows = pair_same(both);
    for (int i = 0; i < 2; i++) {
        buf_init(&text[i], 1 << 24);
        check_text(both, i, &text[i]);
        buf_put_char(&text[i], 0);
    }
    assert_string_equal(text[0].p, text[1].p);
    printf("%d batches, %lld rows, the same on both engines; %s", batches, (long long)rows,
           strstr(text[1].p, " accounts, ") ? "books checked\n" : text[1].p);
    buf_free(&text[0]);
    buf_free(&text[1]);
}

int world_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_day_makes_the_same_journal, pair_make, pair_drop),
    };
    return cmocka_run_group_tests_name("pg world", tests, NULL, NULL);
}
