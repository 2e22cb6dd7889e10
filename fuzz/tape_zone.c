// SPDX-License-Identifier: Apache-2.0
/* tape_zone.c: time zone files. Any bytes: answers stay within bounds. And files made here of
 * changes like those of real zones: every offset is what a plain search says, an instant told as
 * local time comes back as itself or as its first twin, midnights follow. */
#include "tape.h"

#include <stdlib.h>
#include "base/zone.h"

enum { CHANGES = 24, DAY_S = 86400 };

struct made {
    int n;
    int64_t at_s[CHANGES];
    int32_t offset_s[CHANGES + 1]; /* [0] before the first */
};

static void put_be(struct buf *b, uint64_t v, int bytes)
{
    while (bytes-- > 0)
        buf_put_char(b, (char)(uint8_t)(v >> (8 * bytes)));
}

static void header(struct buf *b, uint32_t changes, uint32_t types)
{
    static const char zero[15];
    buf_put_c(b, "TZif2");
    buf_put(b, zero, 15);
    put_be(b, 0, 4);
    put_be(b, 0, 4);
    put_be(b, 0, 4);
    put_be(b, changes, 4);
    put_be(b, types, 4);
    put_be(b, 4, 4);
}

/* Version 2: an empty block of version 1, then one type a change. */
static void file_write(const struct made *m, struct buf *b)
{
    header(b, 0, 1);
    put_be(b, 0, 6);
    buf_put(b, "UTC", 4);
    header(b, (uint32_t)m->n, (uint32_t)m->n + 1);
    for (int i = 0; i < m->n; i++)
        put_be(b, (uint64_t)m->at_s[i], 8);
    for (int i = 0; i < m->n; i++)
        buf_put_char(b, (char)(i + 1));
    for (int i = 0; i <= m->n; i++) {
        put_be(b, (uint32_t)m->offset_s[i], 4);
        put_be(b, 0, 2);
    }
    buf_put(b, "ABC", 4);
    buf_put_c(b, "\n\n");
}

/* Changes lie days apart and move the clock by at most two hours, within -12 h to +14 h. */
static void made_take(struct tape *t, struct made *m)
{
    int64_t at = -(int64_t)tape_uint(t, 4);
    int32_t base = (int32_t)(tape_uint(t, 2) % (22 * 3600)) - 10 * 3600;
    *m = (struct made){.n = tape_byte(t) % (CHANGES + 1), .offset_s = {base}};
    for (int i = 0; i < m->n; i++) {
        at += 3 * DAY_S + (int64_t)tape_uint(t, 3);
        m->at_s[i] = at;
        m->offset_s[i + 1] = base + (tape_byte(t) % 5 - 2) * 1800;
    }
}

static int32_t made_offset_s(const struct made *m, int64_t at_s)
{
    int i = 0;
    while (i < m->n && m->at_s[i] <= at_s)
        i++;
    return m->offset_s[i];
}

static void instant(const struct zone *z, const struct made *m, int64_t at_s)
{
    struct civil c, again;
    must(zone_offset_s(z, at_s * 1000) == made_offset_s(m, at_s));
    zone_civil(z, at_s * 1000, &c);
    int64_t first = zone_instant(z, &c);
    zone_civil(z, first, &again);
    must(first <= at_s * 1000 && civil_to_ms(&again) == civil_to_ms(&c));
    if (made_offset_s(m, first / 1000) == made_offset_s(m, at_s))
        must(first == at_s * 1000);
    int64_t next = zone_next_midnight(z, at_s * 1000);
    must(next > at_s * 1000 && next - at_s * 1000 <= 27 * INT64_C(3600000));
    zone_civil(z, next, &again);
    /* Where the clock falls back over midnight, the second reading of a date is none. */
    int64_t days =
        civil_days(again.year, again.month, again.day) - civil_days(c.year, c.month, c.day);
    must(days == 1 || days == 2);
    if (made_offset_s(m, next / 1000) == made_offset_s(m, next / 1000 - 1))
        must(again.hour == 0 && again.minute == 0 && again.second == 0);
}

static void made_zone(struct tape *t)
{
    struct made m;
    struct buf b;
    struct zone *z = NULL;
    made_take(t, &m);
    buf_init(&b, 65536);
    file_write(&m, &b);
    must(zone_parse(buf_str(&b), &z) == 0);
    for (int i = 0; i < m.n; i++)
        for (int k = -2; k <= 2; k++)
            instant(z, &m, m.at_s[i] + k * (1 + tape_byte(t) * 60));
    instant(z, &m, (int64_t)tape_uint(t, 4));
    zone_free(z);
    for (size_t cut = 0; cut < b.n; cut += 1 + b.n / 16)
        must(zone_parse(str_from(b.p, cut), &z) < 0);
    buf_free(&b);
}

static void any_file(struct str bytes)
{
    static const int64_t when[] = {
        INT64_C(-99999999999999), -1, 0, INT64_C(1764000000000), INT64_C(4102444800000),
        INT64_C(253402300799999)};
    struct zone *z = NULL;
    if (zone_parse(bytes, &z))
        return;
    for (size_t i = 0; i < ARRAY_LEN(when); i++) {
        struct civil c;
        int32_t offset = zone_offset_s(z, when[i]);
        must(offset >= -26 * 3600 && offset <= 26 * 3600);
        zone_civil(z, when[i], &c);
        must(civil_to_ms(&c) == when[i] + offset * INT64_C(1000));
        (void)zone_instant(z, &c);
        must(zone_next_midnight(z, when[i]) > when[i]);
    }
    zone_free(z);
}

int tape_zone(const uint8_t *p, size_t n)
{
    struct tape t = {p, p + n};
    if (tape_byte(&t) % 2)
        made_zone(&t);
    else
        any_file(tape_rest(&t));
    return 0;
}
