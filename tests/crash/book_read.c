// SPDX-License-Identifier: Apache-2.0
/* book_read.c: the read side of book.h: a folder into sums. Plain SQLite under its usual files; the
 * sample log by a reader that shares only the sample codec with the store.
 *
 * A block holds the samples of its session up to the group `upto`; the log holds the rest, and also
 * what is in blocks until its file goes. So blocks come first, and of the log only groups after the
 * last block of the session. */
#include "crash/book.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/must.h"
#include "crash/book_hash.h"
#include "io/os/file.h"
#include "store/sample.h"

enum { LOG_CAP = 64 << 20, BLOCK_CAP = 1 << 20, SESSIONS = 1 << 20, SQL_CAP = 4096 };

struct reading {
    const char *folder;
    sqlite3 *db;
    struct map chains, upto; /* by session */
    struct buf file, block;
    const char *wrong;
};

/* ---- rows ---- */

static uint64_t row_hash(sqlite3_stmt *st, enum row_table t)
{
    uint64_t h = hash_u64(t, 1);
    for (uint32_t i = 0; i < row_metas[t].n; i++) {
        if (column_is_number(&row_metas[t].columns[i])) {
            h = hash_number(h, sqlite3_column_int64(st, (int)i));
        } else {
            const char *p = sqlite3_column_blob(st, (int)i);
            int n = sqlite3_column_bytes(st, (int)i);
            h = hash_text(h, str_from(p ? p : "", (size_t)n));
        }
    }
    return h ? h : 1;
}

static void table_read(struct reading *r, enum row_table t, uint64_t *sum)
{
    char sql[SQL_CAP];
    sqlite3_stmt *st = NULL;
    size_t n = (size_t)snprintf(sql, sizeof sql, "SELECT ");
    for (uint32_t i = 0; i < row_metas[t].n; i++)
        n += (size_t)snprintf(sql + n, sizeof sql - n, "%s%s", i ? ", " : "",
                              row_metas[t].columns[i].name);
    n += (size_t)snprintf(sql + n, sizeof sql - n, " FROM %s", row_metas[t].name);
    must(n < sizeof sql);
    int res = sqlite3_prepare_v2(r->db, sql, -1, &st, NULL);
    while (res == SQLITE_OK && (res = sqlite3_step(st)) == SQLITE_ROW) {
        *sum += row_hash(st, t);
        res = SQLITE_OK;
    }
    sqlite3_finalize(st);
    if (res != SQLITE_DONE)
        r->wrong = "a table cannot be read";
}

/* ---- samples ---- */

static void sample_count(struct reading *r, int64_t session, int64_t at_ms,
                         const struct core_sample *s)
{
    uint64_t chain = 0;
    (void)map_get(&r->chains, (uint64_t)session, &chain);
    must(map_put(&r->chains, (uint64_t)session, hash_sample(chain, at_ms, s)) == 0);
}

static void block_read(struct reading *r, int64_t session, struct str data)
{
    struct sample_state state = {0};
    buf_reset(&r->block);
    if (block_open(data, &r->block)) {
        r->wrong = "a block cannot be opened";
        return;
    }
    struct cursor c = {(const uint8_t *)r->block.p, (const uint8_t *)r->block.p + r->block.n};
    while (c.p < c.end) {
        int64_t at_ms;
        struct core_sample s;
        if (sample_take(&c, &state, &at_ms, &s)) {
            r->wrong = "a block cannot be read";
            return;
        }
        sample_count(r, session, at_ms, &s);
    }
}

static void blocks_read(struct reading *r)
{
    sqlite3_stmt *st = NULL;
    int res = sqlite3_prepare_v2(
        r->db, "SELECT session, upto, data FROM meter_block ORDER BY session, upto", -1, &st, NULL);
    while (res == SQLITE_OK && (res = sqlite3_step(st)) == SQLITE_ROW) {
        int64_t session = sqlite3_column_int64(st, 0);
        must(map_put(&r->upto, (uint64_t)session, (uint64_t)sqlite3_column_int64(st, 1)) == 0);
        const char *p = sqlite3_column_blob(st, 2);
        block_read(r, session, str_from(p ? p : "", (size_t)sqlite3_column_bytes(st, 2)));
        res = SQLITE_OK;
    }
    sqlite3_finalize(st);
    if (res != SQLITE_DONE)
        r->wrong = "the blocks cannot be read";
}

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The records behind the head of a group. */
static bool group_read(struct reading *r, struct cursor c)
{
    uint64_t group, session, upto;
    int64_t base, at_ms;
    if (cursor_varint(&c, &group) || cursor_zigzag(&c, &base))
        return false;
    while (c.p < c.end) {
        struct core_sample s;
        struct sample_state state = {.last = {base, base}};
        if (cursor_varint(&c, &session) || c.p == c.end || *c.p > c.end - c.p - 1)
            return false;
        struct cursor body = {c.p + 1, c.p + 1 + *c.p};
        c.p = body.end;
        if (sample_take(&body, &state, &at_ms, &s) || body.p != body.end)
            return false;
        if (!map_get(&r->upto, session, &upto) || group > upto)
            sample_count(r, (int64_t)session, at_ms, &s);
    }
    return true;
}

static int log_read(void *ctx, const char *name)
{
    struct reading *r = ctx;
    char path[600];
    const char *dot = strrchr(name, '.');
    if (!dot || strcmp(dot, ".log") != 0)
        return 0;
    snprintf(path, sizeof path, "%s/samples/%s", r->folder, name);
    buf_reset(&r->file);
    must(file_read(path, LOG_CAP, &r->file) == 0);
    const uint8_t *p = (const uint8_t *)r->file.p, *end = p + r->file.n;
    while (r->file.n && end - p >= 8) {
        uint32_t n = u32(p);
        if (n == 0 || n > end - p - 8 || crc32c(0, p + 8, n) != u32(p + 4))
            break;
        if (!group_read(r, (struct cursor){p + 8, p + 8 + n}))
            r->wrong = "a whole group of the sample log cannot be read";
        p += 8 + n;
    }
    return 0;
}

/* ---- all ---- */

const char *book_read(const char *folder, struct book_sum *out)
{
    struct reading r = {.folder = folder};
    char path[600], samples[600];
    size_t i = 0;
    uint64_t session, chain;
    *out = (struct book_sum){0};
    map_init(&r.chains, SESSIONS, 7);
    map_init(&r.upto, SESSIONS, 7);
    buf_init(&r.file, LOG_CAP);
    buf_init(&r.block, BLOCK_CAP);
    snprintf(path, sizeof path, "%s/even.db", folder);
    snprintf(samples, sizeof samples, "%s/samples", folder);
    if (sqlite3_open_v2(path, &r.db, SQLITE_OPEN_READONLY, "unix") != SQLITE_OK)
        r.wrong = "the database cannot be opened";
    for (int t = 1; t < ROW_TABLE_N && !r.wrong; t++)
        if (t != ROW_METER_BLOCK && t != ROW_CHAIN && !book_moves((enum row_table)t))
            table_read(&r, (enum row_table)t, &out->rows);
    if (!r.wrong)
        blocks_read(&r);
    if (!r.wrong)
        must(dir_list(samples, log_read, &r) == 0);
    while (map_next(&r.chains, &i, &session, &chain))
        out->samples += hash_session((int64_t)session, chain);
    sqlite3_close(r.db);
    map_free(&r.chains);
    map_free(&r.upto);
    buf_free(&r.file);
    buf_free(&r.block);
    return r.wrong;
}
