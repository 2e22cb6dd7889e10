// SPDX-License-Identifier: Apache-2.0
/* audit_notice.c: texts to drivers, as the auditor sees them: each is asked for once, whatever crashes come
 * between, and every charge whose end was known in time asked for one; what became of them stands in the file, once. */
#include "town/audit.h"

#include <stdlib.h>

#include "core/types.h"
#include "town/audit_sql.h"

enum { LATE_MS = 15 * 60 * 1000, MOST = 15 };

void audit_notice(struct audit *a, const struct out_notice *n)
{
    if (n->n < 0 || n->n >= MOST || n->kind < NOTICE_ENDED || n->kind > NOTICE_DOUBT)
        audit_differ(a, "text %d of order %lld is of kind %d", (int)n->n, (long long)n->order,
                     (int)n->kind);
    for (size_t i = 0; i < a->notices; i++) {
        const struct seen_notice *s = &a->notice[i];
        bool same = s->n == n->n || (s->kind == n->kind && n->kind != NOTICE_RUNS);
        if (s->order == n->order && same)
            audit_differ(a, "order %lld asks twice for a text: number %d, kind %d",
                         (long long)n->order, (int)n->n, (int)n->kind);
    }
    if (a->notices == a->notices_size) {
        a->notices_size = a->notices_size ? 2 * a->notices_size : 64;
        a->notice = realloc(a->notice, a->notices_size * sizeof *a->notice);
        must(a->notice);
    }
    a->notice[a->notices++] =
        (struct seen_notice){.order = n->order, .amount = n->amount, .kind = n->kind, .n = n->n};
}

static int32_t kind_of(int64_t set, int32_t n)
{
    return (int32_t)((uint64_t)set >> 4 * n & 7);
}

/* What was heard is noted; a charge that ended in time asked, and said what it cost then. */
static void order_check(struct audit *a, const int64_t v[COLUMNS])
{
    bool ended = false, corrected = v[8] != 0;
    int32_t asked = 0;
    for (int32_t n = 0; n < MOST && kind_of(v[1], n); n++) {
        ended |= kind_of(v[1], n) == NOTICE_ENDED || kind_of(v[1], n) == NOTICE_DOUBT;
        asked++;
    }
    for (size_t i = 0; i < a->notices; i++) {
        struct seen_notice *s = &a->notice[i];
        bool sum = s->kind == NOTICE_ENDED || s->kind == NOTICE_DOUBT;
        if (s->order != v[0])
            continue;
        s->found = true;
        if (kind_of(v[1], s->n) != s->kind)
            audit_differ(a, "text %d of order %lld is not noted", (int)s->n, (long long)v[0]);
        if (sum && !corrected && s->amount != v[2])
            audit_differ(a, "order %lld: the text says %lld, paid was %lld", (long long)v[0],
                         (long long)s->amount, (long long)v[2]);
        a->told += sum;
    }
    if (v[7] > asked)
        audit_differ(a, "order %lld has %lld outcomes of %d texts", (long long)v[0],
                     (long long)v[7], (int)asked);
    bool due = v[3] == ORDER_CHARGE && v[4] && v[5] && v[6] - v[5] <= LATE_MS && v[9];
    if (due && !ended)
        audit_differ(a, "order %lld ended, and its driver was not told", (long long)v[0]);
}

void audit_notice_file(struct audit *a, sqlite3 *db)
{
    int64_t v[COLUMNS];
    sqlite3_stmt *st =
        ask(db, "SELECT o.id, o.notices, o.paid, o.kind, o.settled_ms, o.end_ms, o.settled_ms, "
                "(SELECT count(*) FROM order_event e WHERE e.order_id = o.id AND e.event IN "
                "(61, 62, 63)), (SELECT count(*) FROM order_event e WHERE e.order_id = o.id AND "
                "e.event IN (16, 17)), (SELECT count(*) FROM driver d WHERE d.id = o.driver AND "
                "d.phone <> '' AND d.state = 0) FROM orders o ORDER BY o.id");
    while (row(st, v))
        order_check(a, v);
    for (size_t i = 0; i < a->notices; i++)
        if (!a->notice[i].found)
            audit_differ(a, "a text about order %lld, which is not there",
                         (long long)a->notice[i].order);
}
