// SPDX-License-Identifier: Apache-2.0
/* h_frames.c: the last frames of one charger: a list, a text file, and watching it for a while.
 * The logs are read without stopping the threads that write them (io/os/framelog.h); what is shown
 * to whom is the matter of frameview.h.
 *
 * Data: copies in the request's arena, GATHER_MOST bytes at most: the newest.
 *
 * Invariants: 1. only a charger of the asker's tenant and station; 2. a frame of which no charger
 * is known yet counts for the one whose name or number it carries; 3. nobody sees frames before the
 * audit has it: one entry a look (look.h), each file, each beginning and end of watching.
 *
 * Thread: the request's; the table of watched chargers is written under the guard. */
#include <stdlib.h>
#include "base/calendar.h"
#include "base/err.h"
#include "io/os/clock.h"
#include "web/audit.h"
#include "web/frameview.h"
#include "web/routes_gen.h"
#include "web/state.h"

enum {
    GATHER_MAX = 4 << 20,
    GATHER_MOST = 5 << 20, /* with what came while it was counted */
    SHOTS_FIRST = 64,
    LOOK_BACK = 400, /* rows in which the call of an answer is looked for */
    TEXT_MAX = 12 << 20,
    SHOW_MAX = 1 << 20 /* memory of one frame that is shown */
};

struct gather {
    struct request *r;
    const struct row_charger *charger;
    uint8_t number[7]; /* of a pile */
    bool is_pile;
    uint32_t slot, gen; /* the connection that asked in its name last */
    uint16_t reactor;
    struct frame_shot *at;
    uint32_t n, cap;
    bool counting; /* the first time round: how much is there? */
    size_t bytes;  /* seen so far */
    size_t skip;   /* the oldest, which find no room */
};

/* ---- which rows ---- */

static bool names_pile(const struct gather *g, struct str b)
{
    if (b.n >= 13 && memcmp(b.p + 6, g->number, 7) == 0)
        return true;
    return b.n >= 29 && memcmp(b.p + 22, g->number, 7) == 0;
}

/* A row without a charger: is it about this one? */
static bool is_about(struct gather *g, const struct framelog_row *row, struct str b)
{
    struct str path = str_from_c(g->charger->path);

    if (row->protocol != g->charger->protocol)
        return false;
    if (row->protocol == PROTOCOL_YKC)
        return g->is_pile && row->dir != FRAME_NOTE && names_pile(g, b);
    if (b.n == path.n + 5 && memcmp(b.p, "asks ", 5) == 0 && memcmp(b.p + 5, path.p, path.n) == 0) {
        g->reactor = framelog_reactor(row->id);
        g->slot = row->slot;
        g->gen = row->gen;
        return true;
    }
    return b.n > 0 && !str_starts(b, STR_LIT("asks ")) && row->gen == g->gen &&
           row->slot == g->slot && framelog_reactor(row->id) == g->reactor;
}

static int shot_add(struct gather *g, const struct framelog_row *row, struct str bytes)
{
    struct frame_shot *p;
    char *kept;

    if (g->n == g->cap) {
        uint32_t cap = g->cap ? g->cap * 2 : SHOTS_FIRST;

        p = ARENA_ARRAY(&g->r->arena, cap, struct frame_shot);
        if (p == NULL)
            return ERR_TOO_LARGE;
        if (g->n > 0)
            memcpy(p, g->at, g->n * sizeof(*p));
        g->at = p;
        g->cap = cap;
    }
    kept = arena_copy(&g->r->arena, bytes);
    if (kept == NULL)
        return ERR_TOO_LARGE;
    g->at[g->n++] = (struct frame_shot){.row = *row, .bytes = str_from(kept, bytes.n)};
    return 0;
}

static int log_gather(struct gather *g, const struct framelog *log, char *bytes)
{
    struct framelog_reader rd;
    struct framelog_row row;
    int err = 0;

    g->gen = g->slot = UINT32_MAX;
    framelog_read(log, &rd);
    while (err == 0 && framelog_next(&rd, g->charger->id, &row, bytes)) {
        struct str b = str_from(bytes, row.n);

        if (row.charger == 0 && !is_about(g, &row, b))
            continue;
        g->bytes += b.n + sizeof(struct frame_shot);
        if (!g->counting && g->bytes > g->skip && g->bytes - g->skip < GATHER_MOST)
            err = shot_add(g, &row, b);
    }
    return err;
}

static int logs_gather(struct gather *g, char *bytes, bool counting)
{
    const struct web_config *c = &g->r->web->cfg;
    int err = 0;

    g->counting = counting;
    g->bytes = 0;
    for (uint32_t i = 0; err == 0 && i < c->frames_n; i++)
        err = log_gather(g, c->frames[i], bytes);
    return err;
}

static int shot_order(const void *a, const void *b)
{
    int64_t x = ((const struct frame_shot *)a)->row.id, y = ((const struct frame_shot *)b)->row.id;

    return (x > y) - (x < y);
}

/* Sorts by time and drops what was in both rings. */
static void shots_sort(struct gather *g)
{
    uint32_t n = 0;

    if (g->n > 0)
        qsort(g->at, g->n, sizeof(g->at[0]), shot_order);
    for (uint32_t i = 0; i < g->n; i++)
        if (n == 0 || g->at[n - 1].row.id != g->at[i].row.id)
            g->at[n++] = g->at[i];
    g->n = n;
}

/* An answer carries the id of its call, which went the other way on the same connection. */
static const struct frame_shot *call_of(const struct gather *g, uint32_t i)
{
    const struct frame_shot *s = &g->at[i];
    uint32_t end = i > LOOK_BACK ? i - LOOK_BACK : 0;

    for (uint32_t k = i; k > end; k--) {
        const struct frame_shot *c = &g->at[k - 1];

        if (c->call == 2 && c->row.dir != s->row.dir && c->row.slot == s->row.slot &&
            c->row.gen == s->row.gen && str_eq(c->id, s->id))
            return c;
    }
    return NULL;
}

static int frames_gather(struct request *r, struct gather *g)
{
    struct row_charger *row = ARENA_NEW(&r->arena, struct row_charger);
    char *bytes = arena_alloc(&r->arena, FRAMELOG_BODY_MAX);
    int err;

    *g = (struct gather){.r = r, .charger = row};
    if (row == NULL || bytes == NULL)
        return ERR_TOO_LARGE;
    err = req_table_row(r, QUERY_WEB_CHARGER_ROW, ROW_CHARGER, r->id, row);
    if (err != 0)
        return err;
    g->is_pile = row->protocol == PROTOCOL_YKC &&
                 str_from_hex(str_from_c(row->path), g->number, sizeof(g->number)) == 0;
    err = logs_gather(g, bytes, true);
    g->skip = g->bytes > GATHER_MAX ? g->bytes - GATHER_MAX : 0;
    if (err == 0)
        err = logs_gather(g, bytes, false);
    if (err != 0)
        return err;
    shots_sort(g);
    for (uint32_t i = 0; i < g->n; i++) {
        frameview_head(&g->at[i], &r->arena);
        if (g->at[i].call > 2)
            g->at[i].asked = call_of(g, i);
    }
    return 0;
}

static bool clear_of(const struct request *r)
{
    return (PERM_DRIVER_WRITE >> r->actor.role & 1) != 0;
}

static bool is_wanted(struct request *r, const struct frame_shot *s)
{
    struct str kind = req_arg(r, "kind"), is = frameview_kind(s, &r->arena);
    int64_t dir = req_arg_i64(r, "dir");

    if (s->row.id <= req_arg_i64(r, "since") || (dir != 0 && dir != s->row.dir))
        return false;
    if (kind.n == 0 || str_eq_nocase(kind, is))
        return true;
    is = str_cut(&is, '.'); /* an answer is of its call's kind, too */
    return str_eq_nocase(kind, is);
}

/* ---- who looks ---- */

static int charger_known(struct request *r)
{
    struct row_charger row = {0};

    return req_table_row(r, QUERY_WEB_CHARGER_ROW, ROW_CHARGER, r->id, &row);
}

static int64_t mono_ms(void)
{
    return os_mono_ns() / 1000000;
}

static bool is_new_look(struct request *r, const struct look *who)
{
    bool due;

    web_lock(r->web);
    due = look_due(&r->web->looks, who, mono_ms());
    web_unlock(r->web);
    return due;
}

/* The detail says whether cards and the like were shown. */
static int look_audit(struct request *r, const char *action)
{
    const struct web_audit a = {.action = action,
                                .object = r->id,
                                .detail = clear_of(r) ? STR_LIT("with personal data")
                                                      : STR_LIT("personal data masked")};

    return req_audit(r, &a, 1);
}

/* 1: go on; 0: the audit is asked first; or an error. */
static int look_begin(struct request *r)
{
    const struct look who = {.kind = r->actor.kind, .actor = r->actor.id, .charger = r->id};
    int err = r->resumed ? r->reply_err : charger_known(r);

    if (err != 0)
        return err;
    if (!r->resumed && is_new_look(r, &who))
        return look_audit(r, "frames.read");
    if (r->resumed) {
        web_lock(r->web);
        look_told(&r->web->looks, &who, mono_ms());
        web_unlock(r->web);
    }
    return 1;
}

/* ---- the list ---- */

/* Looked at in memory of its own: most frames do not have the word. */
static bool has_text(struct request *r, const struct frame_shot *s, struct arena *a)
{
    struct str text = req_arg(r, "text");
    struct api_Frame f;

    if (text.n == 0)
        return true;
    arena_reset(a);
    return frameview_show(s, clear_of(r), a, &f) == 0 && frameview_has(&f, text);
}

static int page_fill(struct gather *g, struct rows *rows, struct arena *a)
{
    struct request *r = g->r;
    int64_t after = r->after[0] != 0 ? r->after[0] : INT64_MAX;

    for (uint32_t i = g->n; i > 0; i--) {
        const struct frame_shot *s = &g->at[i - 1];
        struct api_Frame *out;

        if (s->row.id >= after || !is_wanted(r, s) || !has_text(r, s, a))
            continue;
        rows->more = rows->n == (uint32_t)r->limit;
        out = rows->more ? NULL : rows_add(r, rows);
        if (out == NULL)
            return 0;
        if (frameview_show(s, clear_of(r), &r->arena, out) != 0) {
            rows->n--; /* large ones: fewer on a page */
            rows->more = true;
            return rows->n > 0 ? 0 : ERR_TOO_LARGE;
        }
        rows->next[0] = s->row.id;
    }
    return 0;
}

int frames_list(struct request *r)
{
    struct gather g;
    struct rows rows = {.type = &api_Frame_type};
    struct arena a;
    int err = look_begin(r);

    if (err <= 0)
        return err;
    err = frames_gather(r, &g);
    if (err != 0)
        return err;
    arena_init(&a, SHOW_MAX);
    err = page_fill(&g, &rows, &a);
    arena_free(&a);
    return err != 0 ? err : req_page(r, &rows);
}

/* ---- the file ---- */

static void frame_print(const struct api_Frame *f, bool zh, struct buf *out)
{
    static const char *const dirs[] = {"?", "<-", "->", "--"};
    static const char *const results[] = {"", "  odd", "  refused"};
    char time[TIME_TEXT_SIZE];

    time_format(f->at_ms, time);
    buf_printf(out, "%s %s %.*s", time, dirs[f->dir & 3], STR_FMT(f->kind));
    if (f->has.zh) {
        buf_put_char(out, ' ');
        buf_put_str(out, zh ? f->zh : f->en);
    }
    buf_printf(out, "  [%.*s]  %lld B%s  %.*s\n", STR_FMT(f->conn), (long long)f->size,
               f->result < 3 ? results[f->result] : "", STR_FMT(f->cause));
    buf_put_c(out, "    ");
    buf_put_str(out, f->has.hex ? f->hex : f->text);
    buf_put_char(out, '\n');
    for (uint32_t i = 0; i < f->fields_n; i++) {
        const struct api_FrameField *x = &f->fields[i];

        buf_printf(out, "    %lld+%lld  %.*s", (long long)x->at, (long long)x->n, STR_FMT(x->path));
        if (x->has.zh)
            buf_printf(out, " (%.*s)", STR_FMT(zh ? x->zh : x->en));
        buf_printf(out, " = %.*s %.*s\n", STR_FMT(x->value), STR_FMT(x->unit));
    }
}

static void text_head(const struct gather *g)
{
    char time[TIME_TEXT_SIZE];

    time_format(os_now_ms(), time);
    buf_printf(&g->r->out, "%s %s %s\n", time, g->charger->path, g->charger->name);
}

int frames_text(struct request *r)
{
    struct gather g;
    struct str text = req_arg(r, "text");
    bool zh = !req_english(r);
    struct arena a;
    int err = r->resumed ? r->reply_err : charger_known(r);

    if (err == 0 && !r->resumed)
        return look_audit(r, "frames.file");
    if (err == 0)
        err = frames_gather(r, &g);
    if (err != 0)
        return err;
    text_head(&g);
    arena_init(&a, SHOW_MAX);
    for (uint32_t i = 0; i < g.n && r->out.n < TEXT_MAX; i++) {
        struct api_Frame f;

        arena_reset(&a);
        if (is_wanted(r, &g.at[i]) && frameview_show(&g.at[i], clear_of(r), &a, &f) == 0 &&
            frameview_has(&f, text))
            frame_print(&f, zh, &r->out);
    }
    arena_free(&a);
    req_header_add(
        r, "Content-Disposition",
        arena_printf(&r->arena, "attachment; filename=\"frames-%lld.txt\"", (long long)r->id));
    return 0;
}

/* ---- watching ---- */

static int watch_reply(struct request *r)
{
    struct api_FrameWatch out = {.until_ms =
                                     framewatch_until(r->web->cfg.watch, r->id, os_now_ms())};

    return req_json(r, &api_FrameWatch_type, &out);
}

int frames_watch_get(struct request *r)
{
    int err = charger_known(r);

    return err != 0 ? err : watch_reply(r);
}

static int watch_set(struct request *r, int64_t minutes)
{
    int64_t now = os_now_ms();
    int err;

    web_lock(r->web);
    err = framewatch_set(r->web->cfg.watch, r->id, now + minutes * 60000, now);
    web_unlock(r->web);
    return err != 0 ? err : watch_reply(r);
}

int frames_watch(struct request *r)
{
    const struct api_FrameWatchIn *in = r->in;
    int64_t minutes = in->has.minutes ? in->minutes : r->web->cfg.watch_min;
    struct web_audit a = {.action = "frames.watch", .object = r->id};
    int err = r->resumed ? r->reply_err : charger_known(r);

    if (err == 0 && r->web->cfg.watch == NULL)
        err = ERR_UNSUPPORTED;
    if (err != 0)
        return err;
    if (r->resumed)
        return watch_set(r, minutes);
    a.detail =
        minutes > 0 ? arena_printf(&r->arena, "%lld minutes", (long long)minutes) : STR_LIT("over");
    return req_audit(r, &a, 1);
}
