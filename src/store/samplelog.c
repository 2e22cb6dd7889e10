// SPDX-License-Identifier: Apache-2.0
/* samplelog.c: see samplelog.h.
 *
 * Files: DIR/<first group, 16 digits>.log. A group is u32 length (little endian, not 0), u32
 * CRC-32C of the payload, payload: varint sequence, varint time base, then records: varint session,
 * u8 length, sample (sample.h) whose stream starts at the base. Zeros behind the last group are
 * reserved space. Each record can be read alone, so a reader skips other sessions cheaply.
 *
 * Failure: a torn group at the end of the last file is what a power loss leaves and is cut; a bad
 * group in an earlier file is logged, and the rest of that file is given up, because a chart must
 * not keep the platform down. */
#include "store/samplelog.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/map.h"
#include "base/must.h"
#include "io/os/file.h"

enum { PATH_CAP = 4096, FILES_MAX = 8192, HEAD = 8, SWEEP = 16, SEALS = 32, HOUR_MS = 3600000 };
enum { FILE_BYTES = 4 << 20, GROUP_BYTES = 1 << 20, GROUP_MAX = 64 << 20 };
enum { STEP = 256 << 10 }; /* a step more to write for one sync in some ten thousand samples */
enum { FILE_MAX = FILE_BYTES + GROUP_MAX + STEP }; /* files are reserved in whole steps */
enum { STREAM_CAP = BLOCK_SAMPLES * SAMPLE_BYTES_MAX * 4 };
enum { SESSIONS_SEEN = 50000000 };

/* First groups of the files, in order. */
struct file_list {
    struct buf b; /* of uint64_t */
    uint32_t n;
};

/* Tails in the order in which they became due: blocks of one session are sealed in that of its
 * samples, so that what a crash leaves unsealed lies behind `upto`. */
struct tail_list {
    struct sample_tail *first, *last;
};

struct samplelog {
    char dir[PATH_CAP];
    struct file_list files; /* the last one is written to */
    struct file_log *file;
    uint64_t seq; /* last group */
    struct slab tails;
    struct map by_session;
    struct tail_list due, sealed;
    uint32_t due_n;
    uint32_t sweep;
    int64_t now_ms;
    int64_t base;     /* of the group at hand */
    struct buf group; /* being gathered; empty between two commits */
};

/* ---- groups ---- */

static uint32_t u32_read(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void u32_write(char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (char)(uint8_t)(v >> (8 * i));
}

/* The payload of the next whole group; false at the end of the valid bytes. */
static bool group_next(struct cursor *c, struct cursor *payload)
{
    size_t left = (size_t)(c->end - c->p);
    if (left < HEAD)
        return false;
    uint32_t n = u32_read(c->p);
    if (n == 0 || n > left - HEAD || crc32c(0, c->p + HEAD, n) != u32_read(c->p + 4))
        return false;
    *payload = (struct cursor){c->p + HEAD, c->p + HEAD + n};
    c->p += HEAD + n;
    return true;
}

static int record_next(struct cursor *c, int64_t *session, struct cursor *body)
{
    uint64_t id;
    struct str s;
    int rc = cursor_varint(c, &id);
    if (rc || c->p == c->end)
        return ERR_SYNTAX;
    uint8_t n = *c->p++;
    rc = cursor_bytes(c, n, &s);
    if (rc)
        return rc;
    *session = (int64_t)id;
    *body = (struct cursor){(const uint8_t *)s.p, (const uint8_t *)s.p + s.n};
    return 0;
}

static struct sample_state state_at(int64_t base)
{
    return (struct sample_state){.last = {base, base}};
}

/* Calls fn for the records of one group: of all sessions, or of `only`. */
typedef int record_fn(void *ctx, uint64_t group, int64_t session, int64_t at_ms,
                      const struct core_sample *s);
static int group_walk(struct cursor c, int64_t only, record_fn *fn, void *ctx)
{
    uint64_t seq;
    int64_t base;
    int rc = cursor_varint(&c, &seq);
    if (rc == 0)
        rc = cursor_zigzag(&c, &base);
    while (rc == 0 && c.p < c.end) {
        struct cursor body;
        int64_t session, at_ms;
        struct core_sample s;
        rc = record_next(&c, &session, &body);
        if (rc || (only && session != only))
            continue;
        struct sample_state st = state_at(base);
        rc = sample_take(&body, &st, &at_ms, &s);
        if (rc == 0)
            rc = fn(ctx, seq, session, at_ms, &s);
    }
    return rc;
}

/* ---- files ---- */

static uint64_t file_first(const struct file_list *files, uint32_t i)
{
    uint64_t first;
    must(i < files->n);
    memcpy(&first, files->b.p + i * sizeof first, sizeof first);
    return first;
}

static int file_push(struct file_list *files, uint64_t first)
{
    buf_put(&files->b, &first, sizeof first);
    files->n += files->b.err == 0;
    return files->b.err;
}

static int path_make(const char *dir, uint64_t first, char out[PATH_CAP])
{
    int n = snprintf(out, PATH_CAP, "%s/%016llu.log", dir, (unsigned long long)first);
    return n > 0 && n < PATH_CAP ? 0 : ERR_TOO_LARGE;
}

static int name_add(void *ctx, const char *name)
{
    struct file_list *files = ctx;
    int64_t first;
    struct str s = str_from_c(name);
    if (s.n != 20 || strcmp(name + 16, ".log") != 0 || str_to_i64(str_from(name, 16), &first))
        return 0;
    return file_push(files, (uint64_t)first);
}

/* dir_list goes by the bytes of the names, which is the order of the numbers. */
static int files_list(const char *dir, struct file_list *files)
{
    files->n = 0;
    buf_reset(&files->b);
    return dir_list(dir, name_add, files);
}

static int file_start(struct samplelog *l)
{
    char path[PATH_CAP];
    int rc = path_make(l->dir, l->seq + 1, path);
    /* An atomic write makes the name durable, which opening for append would not. */
    if (rc == 0)
        rc = file_write_atomic(path, STR_NONE, 0600);
    if (rc == 0)
        rc = file_log_open(path, STEP, &l->file);
    if (rc == 0)
        rc = file_log_seek(l->file, 0);
    if (rc == 0)
        rc = file_push(&l->files, l->seq + 1);
    return rc;
}

/* Removes the files whose groups are all sealed. */
static int files_trim(struct samplelog *l)
{
    uint64_t oldest = l->seq + 1;
    for (uint32_t i = 0; i < l->tails.len; i++) {
        const struct sample_tail *t = slab_at(&l->tails, i);
        if (t && t->first < oldest)
            oldest = t->first;
    }
    uint32_t gone = 0;
    while (gone + 1 < l->files.n && file_first(&l->files, gone + 1) <= oldest) {
        char path[PATH_CAP];
        int rc = path_make(l->dir, file_first(&l->files, gone), path);
        if (rc == 0)
            rc = file_remove(path);
        if (rc && rc != ERR_NOT_FOUND)
            return rc;
        gone++;
    }
    l->files.n -= gone;
    buf_drop(&l->files.b, gone * sizeof(uint64_t));
    return 0;
}

static int file_roll(struct samplelog *l)
{
    if (file_log_position(l->file) < FILE_BYTES)
        return 0;
    int rc = file_log_sync(l->file); /* groups of this commit may stand in it */
    if (rc)
        return rc;
    file_log_close(l->file);
    l->file = NULL;
    rc = file_start(l);
    return rc ? rc : files_trim(l);
}

/* ---- tails ---- */

static void list_add(struct tail_list *list, struct sample_tail *t)
{
    t->next = NULL;
    if (list->last)
        list->last->next = t;
    else
        list->first = t;
    list->last = t;
}

static struct sample_tail *list_take(struct tail_list *list)
{
    struct sample_tail *t = list->first;
    if (t)
        list->first = t->next;
    if (!list->first)
        list->last = NULL;
    return t;
}

static void tail_due(struct samplelog *l, struct sample_tail *t)
{
    if (t->due)
        return;
    t->due = true;
    list_add(&l->due, t);
    l->due_n++;
}

static struct sample_tail *tail_make(struct samplelog *l, int64_t session)
{
    struct slab_ref ref;
    struct sample_tail *t = slab_get(&l->tails, &ref);
    if (!t)
        return NULL;
    t->session = session;
    t->ref = ref;
    buf_init(&t->stream, STREAM_CAP);
    if (map_put_ptr(&l->by_session, (uint64_t)session, t) == 0)
        return t;
    slab_put(&l->tails, ref);
    return NULL;
}

/* `t` is the session's tail, or NULL. */
static int tail_add(struct samplelog *l, struct sample_tail *t, uint64_t group, int64_t session,
                    int64_t at_ms, const struct core_sample *s)
{
    if (t && t->n >= BLOCK_SAMPLES && t->upto != group)
        t = NULL; /* it is due and waits for its seal */
    if (!t)
        t = tail_make(l, session);
    if (!t)
        return ERR_FULL;
    sample_put(&t->stream, &t->state, at_ms, s);
    if (t->n == 0) {
        t->t0_ms = at_ms;
        t->first = group;
    }
    t->t1_ms = at_ms;
    t->upto = group;
    t->n++;
    if (at_ms > l->now_ms)
        l->now_ms = at_ms;
    if (t->n >= BLOCK_SAMPLES || at_ms - t->t0_ms >= HOUR_MS)
        tail_due(l, t);
    return t->stream.err;
}

/* A few places a commit: whoever fell silent is sealed too, so that old files can go. */
static void tails_sweep(struct samplelog *l)
{
    for (int i = 0; i < SWEEP && l->tails.len; i++) {
        l->sweep = (l->sweep + 1) % l->tails.len;
        struct sample_tail *t = slab_at(&l->tails, l->sweep);
        if (t && l->now_ms - t->t0_ms >= HOUR_MS)
            tail_due(l, t);
    }
}

struct sample_tail *samplelog_due(struct samplelog *l)
{
    return l->due.first;
}

void samplelog_sealed(struct samplelog *l, struct sample_tail *t)
{
    must(t == l->due.first);
    list_add(&l->sealed, list_take(&l->due));
    l->due_n--;
}

void samplelog_unsealed(struct samplelog *l)
{
    struct tail_list behind = l->due;
    struct sample_tail *t;
    l->due = (struct tail_list){0};
    l->due_n = 0;
    while ((t = list_take(&l->sealed)) != NULL || (t = list_take(&behind)) != NULL) {
        list_add(&l->due, t);
        l->due_n++;
    }
}

uint32_t samplelog_share(const struct samplelog *l)
{
    return SEALS + l->due_n / 8;
}

void samplelog_settle(struct samplelog *l)
{
    struct sample_tail *t;
    while ((t = list_take(&l->sealed)) != NULL) {
        if (samplelog_tail(l, t->session) == t)
            map_del(&l->by_session, (uint64_t)t->session);
        buf_free(&t->stream);
        slab_put(&l->tails, t->ref);
    }
}

void samplelog_end(struct samplelog *l, int64_t session)
{
    struct sample_tail *t = map_get_ptr(&l->by_session, (uint64_t)session);
    if (t)
        tail_due(l, t);
}

const struct sample_tail *samplelog_tail(const struct samplelog *l, int64_t session)
{
    return map_get_ptr(&l->by_session, (uint64_t)session);
}

uint32_t samplelog_tails(const struct samplelog *l)
{
    return l->tails.live;
}

int64_t samplelog_bytes(const struct samplelog *l)
{
    return ((int64_t)l->files.n - 1) * FILE_BYTES + file_log_position(l->file);
}

/* ---- appending ---- */

static void record_put(struct buf *out, const struct sample_record *r, int64_t base)
{
    struct sample_state st = state_at(base);
    buf_put_varint(out, (uint64_t)r->session);
    size_t at = out->n;
    buf_put_char(out, 0);
    sample_put(out, &st, r->at_ms, &r->sample);
    if (out->err)
        return;
    must(out->n - at - 1 <= SAMPLE_BYTES_MAX);
    out->p[at] = (char)(out->n - at - 1);
}

static void group_begin(struct samplelog *l, int64_t base)
{
    buf_reset(&l->group);
    (void)buf_grow(&l->group, HEAD); /* its failure stays in err */
    buf_put_varint(&l->group, l->seq + 1);
    buf_put_zigzag(&l->group, base);
    l->base = base;
}

/* Writes the group, if there is one. */
static int group_end(struct samplelog *l)
{
    struct buf *b = &l->group;
    if (b->err || b->n == 0)
        return b->err;
    uint32_t n = (uint32_t)(b->n - HEAD);
    u32_write(b->p, n);
    u32_write(b->p + 4, crc32c(0, b->p + HEAD, n));
    int rc = file_roll(l);
    if (rc == 0)
        rc = file_log_append(l->file, buf_str(b));
    l->seq++;
    buf_reset(b);
    return rc;
}

/* Begins to fetch the tails of records that will be appended soon. */
static void tails_ahead(const struct samplelog *l, const char *records, size_t n, size_t at)
{
    enum { KEY = 4 * sizeof(struct sample_record), TAIL = 2 * sizeof(struct sample_record) };
    struct sample_record r;
    if (at + KEY < n) {
        memcpy(&r.session, records + at + KEY + offsetof(struct sample_record, session), 8);
        map_ahead(&l->by_session, (uint64_t)r.session);
    }
    if (at + TAIL >= n)
        return;
    memcpy(&r.session, records + at + TAIL + offsetof(struct sample_record, session), 8);
    const char *tail = map_get_ptr(&l->by_session, (uint64_t)r.session);
    for (size_t i = 0; tail && i < sizeof(struct sample_tail); i += 64)
        EV_PREFETCH(tail + i);
}

/* One record into the group at hand, and into its tail. A block ends where a group ends, because
 * `upto` names a group: so a full tail ends the group, and a new tail begins with the next. */
static int record_append(struct samplelog *l, const struct sample_record *r)
{
    struct sample_tail *t = map_get_ptr(&l->by_session, (uint64_t)r->session);
    bool full = t && t->n >= BLOCK_SAMPLES;
    int rc = full || l->group.n >= GROUP_BYTES ? group_end(l) : 0;
    if (rc)
        return rc;
    if (l->group.n == 0)
        group_begin(l, r->at_ms);
    record_put(&l->group, r, l->base);
    return tail_add(l, t, l->seq + 1, r->session, r->at_ms, &r->sample);
}

int samplelog_append(struct samplelog *l, struct str records)
{
    struct sample_record r;
    int rc = 0;
    if (records.n == 0)
        return 0;
    if (records.n % sizeof r)
        return ERR_SYNTAX;
    for (size_t i = 0; i < records.n && rc == 0; i += sizeof r) {
        tails_ahead(l, records.p, records.n, i);
        memcpy(&r, records.p + i, sizeof r);
        rc = record_append(l, &r);
    }
    if (rc == 0)
        rc = group_end(l);
    if (rc == 0)
        rc = file_log_sync(l->file);
    tails_sweep(l);
    return rc;
}

/* ---- opening ---- */

struct replay {
    struct samplelog *log;
    samplelog_upto_fn *fn;
    void *ctx;
    struct map upto; /* session → last group sealed */
};

static int replay_record(void *ctx, uint64_t group, int64_t session, int64_t at_ms,
                         const struct core_sample *s)
{
    struct replay *r = ctx;
    uint64_t upto;
    if (!map_get(&r->upto, (uint64_t)session, &upto)) {
        int rc = r->fn(r->ctx, session, &upto);
        if (rc == 0)
            rc = map_put(&r->upto, (uint64_t)session, upto);
        if (rc)
            return rc;
    }
    struct sample_tail *t = map_get_ptr(&r->log->by_session, (uint64_t)session);
    return group > upto ? tail_add(r->log, t, group, session, at_ms, s) : 0;
}

/* Takes the whole groups of one file; *valid gets their length. */
static int replay_file(struct replay *r, const char *path, int64_t *valid, size_t *total)
{
    struct buf b;
    buf_init(&b, FILE_MAX);
    int rc = file_read(path, FILE_MAX, &b);
    struct cursor c = {(const uint8_t *)b.p, (const uint8_t *)b.p + b.n}, payload;
    while (rc == 0 && group_next(&c, &payload)) {
        struct cursor head = payload;
        uint64_t seq;
        rc = cursor_varint(&head, &seq);
        if (rc == 0 && seq > r->log->seq)
            r->log->seq = seq;
        if (rc == 0)
            rc = group_walk(payload, 0, replay_record, r);
    }
    *valid = b.n ? (int64_t)(c.p - (const uint8_t *)b.p) : 0;
    for (*total = b.n; *total && b.p[*total - 1] == 0;)
        --*total;
    buf_free(&b);
    return rc;
}

static int replay(struct samplelog *l, samplelog_upto_fn *fn, void *ctx)
{
    struct replay r = {.log = l, .fn = fn, .ctx = ctx};
    map_init(&r.upto, SESSIONS_SEEN, 0x5eed);
    int rc = files_list(l->dir, &l->files);
    for (uint32_t i = 0; rc == 0 && i < l->files.n; i++) {
        char path[PATH_CAP];
        int64_t valid = 0;
        size_t total = 0;
        if (file_first(&l->files, i) > l->seq + 1)
            l->seq = file_first(&l->files, i) - 1;
        rc = path_make(l->dir, file_first(&l->files, i), path);
        if (rc == 0)
            rc = replay_file(&r, path, &valid, &total);
        if (rc == 0 && (int64_t)total > valid)
            log_line(LOG_WARN, "store", 0, "sample log %llu: %lld bytes after %lld are torn",
                     (unsigned long long)file_first(&l->files, i),
                     (long long)total - (long long)valid, (long long)valid);
        if (rc || i + 1 < l->files.n)
            continue;
        rc = file_log_open(path, STEP, &l->file);
        if (rc == 0)
            rc = file_log_seek(l->file, valid);
    }
    map_free(&r.upto);
    return rc;
}

int samplelog_open(const char *dir, uint32_t sessions, samplelog_upto_fn *fn, void *ctx,
                   struct samplelog **out)
{
    *out = NULL;
    struct samplelog *l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    /* A session's full tail waits for its seal beside the next one. */
    slab_init(&l->tails, sizeof(struct sample_tail), 2 * sessions);
    map_init(&l->by_session, sessions, 0x5eed);
    buf_init(&l->group, GROUP_MAX);
    buf_init(&l->files.b, FILES_MAX * sizeof(uint64_t));
    int rc = str_copy(l->dir, sizeof l->dir, str_from_c(dir)) == strlen(dir) ? 0 : ERR_TOO_LARGE;
    if (rc == 0)
        rc = dir_make(dir, 0700);
    if (rc == 0)
        rc = replay(l, fn, ctx);
    if (rc == 0 && !l->file)
        rc = file_start(l);
    if (rc == 0)
        rc = files_trim(l);
    if (rc) {
        samplelog_close(l);
        return rc;
    }
    *out = l;
    return 0;
}

void samplelog_close(struct samplelog *l)
{
    if (!l)
        return;
    for (uint32_t i = 0; i < l->tails.len; i++) {
        struct sample_tail *t = slab_at(&l->tails, i);
        if (t)
            buf_free(&t->stream);
    }
    file_log_close(l->file);
    slab_free(&l->tails);
    map_free(&l->by_session);
    buf_free(&l->group);
    buf_free(&l->files.b);
    free(l);
}

/* ---- reading beside the writer ---- */

struct scan {
    uint64_t after;
    samplelog_fn *fn;
    void *ctx;
};

static int scan_record(void *ctx, uint64_t group, int64_t session, int64_t at_ms,
                       const struct core_sample *s)
{
    struct scan *scan = ctx;
    (void)session;
    return group > scan->after ? scan->fn(scan->ctx, group, at_ms, s) : 0;
}

static int scan_file(const char *path, int64_t session, struct scan *scan, struct buf *b)
{
    buf_reset(b);
    int rc = file_read(path, FILE_MAX, b);
    if (rc == ERR_NOT_FOUND)
        return 0; /* sealed meanwhile: the samples are in the database */
    struct cursor c = {(const uint8_t *)b->p, (const uint8_t *)b->p + b->n}, payload;
    while (rc == 0 && group_next(&c, &payload))
        rc = group_walk(payload, session, scan_record, scan);
    return rc;
}

int samplelog_scan(const char *dir, int64_t session, uint64_t after, samplelog_fn *fn, void *ctx)
{
    struct scan scan = {after, fn, ctx};
    struct file_list files = {0};
    struct buf b;
    buf_init(&files.b, FILES_MAX * sizeof(uint64_t));
    buf_init(&b, FILE_MAX);
    int rc = files_list(dir, &files);
    if (rc == ERR_NOT_FOUND)
        rc = 0;
    for (uint32_t i = 0; rc == 0 && i < files.n; i++) {
        char path[PATH_CAP];
        if (i + 1 < files.n && file_first(&files, i + 1) <= after + 1)
            continue;
        rc = path_make(dir, file_first(&files, i), path);
        if (rc == 0)
            rc = scan_file(path, session, &scan, &b);
    }
    buf_free(&b);
    buf_free(&files.b);
    return rc;
}
