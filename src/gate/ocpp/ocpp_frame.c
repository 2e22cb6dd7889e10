// SPDX-License-Identifier: Apache-2.0
/* ocpp_frame.c: see ocpp_frame.h. */
#include "gate/ocpp/ocpp_frame.h"

#include "base/err.h"
#include "wire/json.h"
#include "wire/wire.h"

static int fail(struct ocpp_frame *f, const char *why)
{
    f->why = why;
    return ERR_SYNTAX;
}

/* The whole text must be JSON before its parts are believed. */
static int whole(struct json_reader *r, struct ocpp_frame *f)
{
    struct json_reader ahead = *r;
    struct str all;
    int err = json_skip(&ahead, WIRE_DEPTH + 1, &all);
    if (!err)
        err = json_end(&ahead);
    return err ? fail(f, ahead.why) : 0;
}

static int number_take(struct json_reader *r, struct ocpp_frame *f)
{
    struct str s;
    if (json_number(r, &s) || str_to_i64(s, &f->kind))
        return fail(f, "the message type is no number");
    return 0;
}

static int string_take(struct json_reader *r, struct arena *a, struct str *out)
{
    if (!json_take(r, ',') || json_peek(r) != '"')
        return ERR_SYNTAX;
    return json_string(r, a, out);
}

static int id_take(struct json_reader *r, struct arena *a, struct ocpp_frame *f)
{
    struct str id;
    int err = string_take(r, a, &id);
    if (err)
        return err == ERR_SYNTAX ? fail(f, "the message id is no string") : err;
    if (id.n == 0 || id.n > OCPP_ID_MAX)
        return fail(f, "the message id is empty or too long");
    f->id = id;
    return 0;
}

/* An object; missing counts as {} because some chargers leave it out where nothing is in it. */
static int payload_take(struct json_reader *r, struct ocpp_frame *f)
{
    f->payload = STR_LIT("{}");
    if (!json_take(r, ','))
        return 0;
    if (json_peek(r) != '{')
        return fail(f, "the payload is no object");
    return json_skip(r, WIRE_DEPTH, &f->payload) ? fail(f, r->why) : 0;
}

static int error_take(struct json_reader *r, struct arena *a, struct ocpp_frame *f)
{
    struct str details = STR_NONE;
    int err = string_take(r, a, &f->code);
    if (!err && json_peek(r) == ',')
        err = string_take(r, a, &f->description);
    if (err)
        return err == ERR_SYNTAX ? fail(f, "error code and description are expected") : err;
    if (json_take(r, ',') && json_skip(r, WIRE_DEPTH, &details))
        return fail(f, r->why);
    f->payload = details;
    return 0;
}

static int tail_check(struct json_reader *r, struct ocpp_frame *f)
{
    struct str extra;
    while (json_take(r, ','))
        if (json_skip(r, WIRE_DEPTH, &extra))
            return fail(f, r->why);
    return json_take(r, ']') ? 0 : fail(f, "']' is expected");
}

static int parts_take(struct json_reader *r, struct arena *a, struct ocpp_frame *f)
{
    if (!json_take(r, '['))
        return fail(f, "an array is expected");
    int err = number_take(r, f);
    if (!err)
        err = id_take(r, a, f);
    if (err)
        return err;
    if (f->kind == OCPP_CALL) {
        err = string_take(r, a, &f->action);
        if (err)
            return err == ERR_SYNTAX ? fail(f, "the action is no string") : err;
    }
    err = f->kind == OCPP_ERROR ? error_take(r, a, f) : payload_take(r, f);
    return err ? err : tail_check(r, f);
}

int ocpp_frame_parse(struct str msg, struct arena *a, struct ocpp_frame *f)
{
    struct json_reader r;
    *f = (struct ocpp_frame){.why = ""};
    json_reader_init(&r, msg);
    struct ocpp_frame text = {0};
    int bad = whole(&r, &text);
    int err = parts_take(&r, a, f);
    if (bad)
        f->why = text.why;
    return bad ? bad : err;
}

/* `"…",` at the front of rest; false when it is written in any other way. */
static bool plain_take(struct str *rest, struct str *out)
{
    if (rest->n < 3 || rest->p[0] != '"')
        return false;
    size_t n = str_plain_run(str_from(rest->p + 1, rest->n - 1));
    if (n + 2 >= rest->n || rest->p[n + 1] != '"' || rest->p[n + 2] != ',')
        return false;
    *out = str_from(rest->p + 1, n);
    *rest = str_from(rest->p + n + 3, rest->n - n - 3);
    return true;
}

bool ocpp_frame_call_ahead(struct str msg, struct ocpp_frame *f)
{
    struct str rest = msg;
    *f = (struct ocpp_frame){.kind = OCPP_CALL, .why = ""};
    if (!str_starts(rest, STR_LIT("[2,")) || rest.p[rest.n - 1] != ']')
        return false;
    rest = str_from(rest.p + 3, rest.n - 4);
    if (!plain_take(&rest, &f->id) || !plain_take(&rest, &f->action))
        return false;
    f->payload = rest;
    return f->id.n > 0 && f->id.n <= OCPP_ID_MAX;
}

void ocpp_frame_put_result(struct buf *out, struct str id)
{
    buf_put_c(out, "[3,");
    buf_put_json(out, id);
    buf_put_char(out, ',');
}

void ocpp_frame_put_call(struct buf *out, struct str id, struct str action)
{
    buf_put_c(out, "[2,");
    buf_put_json(out, id);
    buf_put_char(out, ',');
    buf_put_json(out, action);
    buf_put_char(out, ',');
}

void ocpp_frame_put_error(struct buf *out, struct str id, const char *code, struct str description)
{
    char cut[256]; /* the protocol allows 255 characters */
    str_copy(cut, sizeof cut, description);
    buf_put_c(out, "[4,");
    buf_put_json(out, id.n ? id : STR_LIT("-1"));
    buf_put_char(out, ',');
    buf_put_json(out, str_from_c(code));
    buf_put_char(out, ',');
    buf_put_json(out, str_from_c(cut));
    buf_put_c(out, ",{}]");
}
