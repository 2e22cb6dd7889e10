// SPDX-License-Identifier: Apache-2.0
/* request.c: replies, problems and commands of a request; see request.h. Thread: the request's.
 * Fails with ERR_*; a reply larger than WEB_OUT_MAX is ERR_TOO_LARGE. */
#include "web/request.h"

#include <inttypes.h>
#include <stdio.h>
#include "web/api_gen.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"
#include "io/os/clock.h"
#include "web/begin.h"
#include "web/detail.h"
#include "web/state.h"

struct str req_copy(struct request *r, struct str s)
{
    char *p = arena_copy(&r->arena, s);

    return p != NULL ? str_from(p, s.n) : STR_LIT("");
}

const char *req_copy_c(struct request *r, struct str s)
{
    return req_copy(r, s).p;
}

void req_header_add(struct request *r, const char *name, struct str value)
{
    must(r->headers_n < WEB_HEADERS_MAX);
    r->headers[r->headers_n++] = (struct request_header){name, value};
}

bool req_english(const struct request *r)
{
    return str_eq_c(req_arg(r, "lang"), "en");
}

int req_fail(struct request *r, int err, const char *pointer, const char *detail)
{
    r->pointer = pointer;
    r->detail = detail;
    return err;
}

int req_json(struct request *r, const struct wire_type *t, const void *obj)
{
    return wire_json_encode(t, obj, &r->out);
}

int req_list(struct request *r, const struct wire_type *t, const void *items, uint32_t n,
             struct str next)
{
    const char *p = items;
    int err = 0;

    buf_put_c(&r->out, "{\"items\":[");
    for (uint32_t i = 0; err == 0 && i < n; i++) {
        if (i > 0)
            buf_put_char(&r->out, ',');
        err = wire_json_encode(t, p + (size_t)i * t->size, &r->out);
    }
    buf_put_c(&r->out, "],\"next\":");
    buf_put_json(&r->out, next);
    buf_put_char(&r->out, '}');
    return err;
}

int req_made(struct request *r)
{
    struct api_Made made = {.id = r->made.id, .version = r->made.version};

    if (r->reply_err != 0)
        return r->reply_err;
    made.has.version = r->made.version != 0;
    made.replay = made.has.replay = r->made.replay != 0;
    if (made.replay)
        req_header_add(r, "Idempotency-Replayed", STR_LIT("true"));
    if (r->made.version != 0)
        req_etag(r, r->made.version);
    return req_json(r, &api_Made_type, &made);
}

void req_etag(struct request *r, int64_t version)
{
    snprintf(r->etag, sizeof(r->etag), "\"%" PRId64 "\"", version);
}

int req_if_match(struct request *r, int64_t *version)
{
    const char *header = req_header(r, "If-Match");
    struct str s = str_trim(str_from_c(header));

    if (s.n == 0)
        return ERR_PRECONDITION;
    if (str_starts(s, STR_LIT("W/")))
        return ERR_STALE;
    if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
        s = str_from(s.p + 1, s.n - 2);
    /* Versions are 32 bits in the rows: a greater number must not come round to one of them. */
    return str_to_i64(s, version) == 0 && *version > 0 && *version <= INT32_MAX ? 0 : ERR_STALE;
}

static void retry_header(struct request *r, int err)
{
    int32_t s = r->retry_s > 0 ? r->retry_s : 1;

    if (err == ERR_RATE_LIMIT || err == ERR_FULL || err == ERR_AGAIN || err == ERR_CLOSED ||
        err == ERR_TEXT)
        req_header_add(r, "Retry-After", arena_printf(&r->arena, "%d", s));
}

int req_version(struct request *r, int64_t *version)
{
    *version = 0;
    return r->method == ROUTE_PUT ? req_if_match(r, version) : 0;
}

int req_text(struct request *r, char *to, size_t cap, struct str text, const char *pointer)
{
    if (str_copy(to, cap, text) == text.n)
        return 0;
    return req_fail(r, ERR_RANGE, pointer, arena_printf(&r->arena, "at most %zu bytes", cap - 1).p);
}

/* Where a text is the asker's own (the name of an argument), it may be longer than the member holds. */
static struct str cut_to(struct request *r, const char *text, size_t most)
{
    char *p = text != NULL ? arena_alloc(&r->arena, most + 1) : NULL;

    if (p == NULL)
        return STR_NONE;
    return str_from(p, str_copy(p, most + 1, str_from_c(text)));
}

void req_problem(struct request *r, int err)
{
    char cause[17];
    struct api_Problem p = {.title = str_from_c(err_text(err, LANG_EN)),
                            .title_zh = str_from_c(err_text(err, LANG_ZH)),
                            .status = err_http_status(err)};

    begin_cause_text(r, cause);
    p.type = arena_printf(&r->arena, "urn:even:%s", err_name(err));
    p.cause = str_from_c(cause);
    p.detail = cut_to(r, r->detail, 400);
    p.has.detail = p.detail.n > 0;
    p.detail_zh = detail_zh(&r->arena, r->detail);
    p.has.detail_zh = p.detail_zh.n > 0;
    p.pointer = cut_to(r, r->pointer, 200);
    p.has.pointer = p.pointer.n > 0;
    buf_reset(&r->out);
    r->file = STR_NONE;
    r->etag[0] = 0;
    r->mime = "application/problem+json";
    r->status = (int)p.status;
    retry_header(r, err);
    if (err == ERR_UNAUTHENTICATED && r->route != NULL)
        req_header_add(r, "WWW-Authenticate", STR_LIT("Bearer realm=\"even\""));
    if (wire_json_encode(&api_Problem_type, &p, &r->out) != 0)
        buf_put_c(&r->out, "{}");
}

struct cmd *req_cmd(struct request *r, enum cmd_type type, size_t size)
{
    struct cmd *cmd = arena_alloc(&r->arena, size);

    if (cmd == NULL)
        return NULL;
    cmd->head.size = (uint32_t)size;
    cmd->head.version = CMD_VERSION;
    cmd->head.type = (uint16_t)type;
    cmd->head.cause = r->cause;
    cmd->head.tenant = r->actor.tenant;
    cmd->head.actor = r->actor.id;
    cmd->head.actor_kind = r->actor.kind;
    cmd->head.role = r->actor.role;
    cmd->head.station = r->actor.station;
    return cmd;
}

static void sha256_hex(const struct buf *b, char out[65])
{
    uint8_t hash[32];

    sha256(b->p, b->n, hash);
    str_to_hex(hash, sizeof(hash), out);
}

void req_idem(struct request *r, struct cmd *cmd)
{
    struct buf b;

    buf_init(&b, WEB_BODY_MAX + 4096);
    buf_printf(&b, "%" PRId64 "\n%d\n%" PRId64 "\n%s", r->actor.tenant, r->actor.kind, r->actor.id,
               req_header(r, "Idempotency-Key"));
    sha256_hex(&b, cmd->head.idem_key);
    buf_reset(&b);
    buf_printf(&b, "%d %.*s\n", r->method, STR_FMT(r->path));
    buf_put(&b, r->body.p, r->body.n);
    sha256_hex(&b, cmd->head.idem_finger);
    cmd->head.idem_set = 1;
    buf_free(&b);
}

/* The request sleeps until somebody answers to `from`. */
static int wait_begin(struct request *r, int64_t wait_ns, int step, struct origin *from)
{
    struct web *w = r->web;
    int err;

    r->step = step;
    web_lock(w);
    err = slot_take(w, r, wait_ns, from);
    if (err == 0) {
        r->wait = true;
        r->made = (struct reply_made){0};
        front_suspend(r->conn);
    }
    web_unlock(w);
    return err;
}

/* … or it wakes by itself, as nobody will. */
static void wait_end(struct web *w, const struct origin *from, int err)
{
    if (err == 0)
        return;
    web_lock(w);
    slot_end(w, (struct slab_ref){from->slot, from->gen}, err);
    web_unlock(w);
}

int req_submit(struct request *r, struct cmd *cmd, int step)
{
    struct web *w = r->web;
    struct origin from;
    int err;

    if (cmd == NULL)
        return ERR_TOO_LARGE;
    err = wait_begin(r, WEB_WAIT_NS, step, &cmd->head.from);
    if (err != 0)
        return err;
    from = cmd->head.from; /* the request may be over before submit returns */
    wait_end(w, &from, w->cfg.submit(w->cfg.submit_ctx, cmd));
    return 0;
}

int req_text_send(struct request *r, struct web_text *t, int step)
{
    struct web *w = r->web;
    const struct web_texts *texts = w->cfg.texts;
    struct origin from;
    int err = wait_begin(r, WEB_TEXT_NS, step, &t->from);

    if (err != 0)
        return err;
    from = t->from;
    wait_end(w, &from, texts->send(texts->ctx, t));
    return 0;
}

int req_password(struct request *r, struct str password, const char *hash, int step)
{
    struct web *w = r->web;
    struct origin from = {0};
    struct slab_ref ref;
    int err;

    r->step = step;
    r->password = password;
    r->hash = hash;
    web_lock(w);
    err = slot_take(w, r, 0, &from);
    ref = (struct slab_ref){from.slot, from.gen};
    if (err == 0)
        err = password_send(w, ref);
    if (err == 0) {
        r->wait = true;
        front_suspend(r->conn);
    } else if (err != ERR_CLOSED && slab_find(&w->slots, ref) != NULL) {
        slab_put(&w->slots, ref);
    }
    web_unlock(w);
    return err;
}

int req_row_put(struct request *r, enum row_table table, const void *row, bool create, int step)
{
    return req_row_put_piles(r, table, row, create, false, step);
}

int req_row_put_piles(struct request *r, enum row_table table, const void *row, bool create,
                      bool piles, int step)
{
    struct cmd *cmd = req_cmd(r, CMD_ROW_PUT, CMD_SIZE(row_put));
    struct buf b;

    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.row_put.table = table;
    cmd->u.row_put.create = create;
    cmd->u.row_put.on_piles = piles;
    buf_init(&b, sizeof(cmd->u.row_put.row));
    row_pack(&b, table, ROW_UPSERT, row);
    if (b.err == 0) {
        memcpy(cmd->u.row_put.row, b.p, b.n);
        cmd->u.row_put.n = (uint32_t)b.n;
    }
    buf_free(&b);
    return cmd->u.row_put.n == 0 ? ERR_TOO_LARGE : req_submit(r, cmd, step);
}
