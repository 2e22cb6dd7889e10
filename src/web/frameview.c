// SPDX-License-Identifier: Apache-2.0
/* frameview.c: see frameview.h. Data: the arena given.
 *
 * Invariant: text and hex are masked before anybody looks at them; nothing reads the frame's bytes
 * afterwards. */
#include "web/frameview.h"

#include "core/types.h"
#include "web/begin.h"
#include "wire/json.h"
#include "wire/ocpp16.h"
#include "wire/walk.h"
#include "wire/ykc.h"

enum { FRAME_HEAD = 6, FRAME_TAIL = 2, FIELDS_FIRST = 16, FIELDS_MAX = 4096 };

struct view {
    const struct frame_shot *shot;
    struct arena *a;
    struct api_FrameField *field;
    uint32_t n, cap;
    bool clear;
    size_t base; /* of the walked bytes in the frame */
    size_t seen; /* end of the last leaf */
    char *text;  /* what is shown: the text, or two digits a byte */
    size_t digits;
};

/* ---- heads ---- */

static void ocpp_head(struct frame_shot *s, struct arena *a)
{
    struct json_reader r;
    struct str kind, skipped;
    int64_t n = 0;

    json_reader_init(&r, s->bytes);
    if (!json_take(&r, '[') || json_number(&r, &kind) != 0 || str_to_i64(kind, &n) != 0 || n < 2 ||
        n > 4 || !json_take(&r, ',') || json_string(&r, a, &s->id) != 0 || !json_take(&r, ','))
        return;
    if (n == 2 && (json_string(&r, a, &s->action) != 0 || !json_take(&r, ',')))
        return;
    if (n == 4 && (json_string(&r, a, &s->action) != 0 || !json_take(&r, ',') ||
                   json_string(&r, a, &skipped) != 0 || !json_take(&r, ',')))
        return;
    s->call = (int)n;
    (void)json_peek(&r);
    s->payload = str_from(s->bytes.p + r.pos, s->bytes.n - r.pos);
    if (json_skip(&r, WIRE_DEPTH, &skipped) == 0)
        s->payload = skipped;
}

void frameview_head(struct frame_shot *s, struct arena *a)
{
    if (s->row.protocol == PROTOCOL_OCPP16 && s->row.dir != FRAME_NOTE)
        ocpp_head(s, a);
}

/* The action of a call, or of the call that this answers. */
static struct str action_of(const struct frame_shot *s)
{
    return s->call == 2 ? s->action : s->asked != NULL ? s->asked->action : STR_NONE;
}

struct str frameview_kind(const struct frame_shot *s, struct arena *a)
{
    struct str action = action_of(s);

    if (s->row.dir == FRAME_NOTE)
        return STR_LIT("connection");
    if (s->row.protocol == PROTOCOL_YKC)
        return s->row.kind != 0 ? arena_printf(a, "0x%02X", s->row.kind) : STR_LIT("");
    if (s->call == 3 && action.n > 0)
        return arena_printf(a, "%.*s.conf", STR_FMT(action));
    if (s->call == 4)
        return arena_printf(a, "%.*s.error", STR_FMT(action));
    return action;
}

/* ---- masking ---- */

static bool has_word(struct str s, struct str word)
{
    for (size_t i = 0; word.n > 0 && i + word.n <= s.n; i++)
        if (str_eq_nocase(str_from(s.p + i, word.n), word))
            return true;
    return false;
}

/* A setting of that name opens something. */
static bool key_is_secret(struct str key)
{
    static const char *const words[] = {
        "authorizationkey", "password", "passwd", "secret", "psk", "token", "privatekey"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (has_word(key, str_from_c(words[i])))
            return true;
    return false;
}

/* Stars for the bytes from..to of the frame. A text keeps its quotes. */
static void cover(struct view *v, size_t from, size_t to)
{
    if (v->digits == 1 && to - from >= 2 && v->text[from] == '"' && v->text[to - 1] == '"') {
        from++;
        to--;
    }
    memset(v->text + from * v->digits, '*', (to - from) * v->digits);
}

static void field_mask(struct view *v, struct api_FrameField *f)
{
    if (f->n == 0)
        return;
    cover(v, (size_t)f->at, (size_t)(f->at + f->n));
    f->value = STR_LIT("***");
    f->masked = f->has.masked = true;
}

static bool may_see(const struct view *v, const struct wire_field *row)
{
    if (row != NULL && (row->flags & WIRE_SECRET))
        return false;
    return v->clear || (row != NULL && !(row->flags & WIRE_PERSONAL));
}

/* "a[1].value" and the member beside it, "a[1].key". */
static bool beside(struct str path, struct str other, const char *name, const char *sibling)
{
    size_t n = strlen(name), m = strlen(sibling);

    return path.n >= n && other.n >= m && path.n - n == other.n - m &&
           memcmp(path.p, other.p, path.n - n) == 0 && memcmp(path.p + path.n - n, name, n) == 0 &&
           memcmp(other.p + other.n - m, sibling, m) == 0;
}

/* The key itself is plain, its value is not. */
static void secrets_mask(struct view *v)
{
    for (uint32_t i = 0; i < v->n; i++) {
        if (!beside(v->field[i].path, v->field[i].path, "key", "key") ||
            !key_is_secret(v->field[i].value))
            continue;
        for (uint32_t k = 0; k < v->n; k++)
            if (beside(v->field[k].path, v->field[i].path, "value", "key"))
                field_mask(v, &v->field[k]);
    }
}

/* ---- fields ---- */

static struct api_FrameField *field_add(struct view *v)
{
    if (v->n == v->cap) {
        uint32_t cap = v->cap ? v->cap * 2 : FIELDS_FIRST;
        struct api_FrameField *p =
            cap <= FIELDS_MAX ? ARENA_ARRAY(v->a, cap, struct api_FrameField) : NULL;

        if (p == NULL)
            return NULL;
        if (v->n > 0)
            memcpy(p, v->field, v->n * sizeof(*p));
        v->field = p;
        v->cap = cap;
    }
    memset(&v->field[v->n], 0, sizeof(v->field[v->n]));
    return &v->field[v->n++];
}

static struct str copy(struct arena *a, struct str s)
{
    char *p = arena_copy(a, s);

    return p != NULL ? str_from(p, s.n) : STR_LIT("");
}

/* Bytes that are no UTF-8 become question marks, one each: places stay right. */
static void utf8_mend(char *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t step = str_utf8_step(str_from(p + i, n - i));

        if (step == 0)
            p[i] = '?';
        i += step != 0 ? step : 1;
    }
}

static void names_give(struct api_FrameField *f, const char *zh, const char *en, const char *unit)
{
    f->zh = str_from_c(zh);
    f->en = str_from_c(en);
    f->unit = str_from_c(unit);
    f->has.zh = zh != NULL;
    f->has.en = en != NULL;
    f->has.unit = unit != NULL;
}

static int leaf_take(void *ctx, const struct wire_leaf *leaf)
{
    struct view *v = ctx;
    struct api_FrameField *f = field_add(v);

    if (f == NULL)
        return ERR_TOO_LARGE;
    f->path = leaf->path.n > 0 ? copy(v->a, leaf->path) : STR_LIT("…");
    f->value = copy(v->a, leaf->value);
    utf8_mend((char *)(uintptr_t)f->path.p, leaf->path.n > 0 ? f->path.n : 0);
    utf8_mend((char *)(uintptr_t)f->value.p, f->value.n);
    f->at = (int64_t)(v->base + leaf->at);
    f->n = (int64_t)leaf->n;
    if (leaf->field != NULL)
        names_give(f, leaf->field->zh, leaf->field->label, leaf->field->unit);
    if (!may_see(v, leaf->field))
        field_mask(v, f);
    v->seen = v->base + leaf->at + leaf->n;
    return 0;
}

/* What could not be read, up to `end`. */
static void rest_mask(struct view *v, size_t end)
{
    if (!v->clear && v->seen < end)
        cover(v, v->seen, end);
}

/* ---- the protocols ---- */

static int ocpp_show(struct view *v)
{
    const struct frame_shot *s = v->shot;
    const struct wire_msg *m = wire_msg_find(&ocpp16_proto, action_of(s));
    const struct wire_type *t = m == NULL || s->call == 4 ? NULL : s->call == 3 ? m->res : m->req;
    int err;

    if (s->call == 0) {
        rest_mask(v, s->bytes.n);
        return 0;
    }
    v->base = v->seen = (size_t)(s->payload.p - s->bytes.p);
    err = wire_json_walk(t, s->payload, v->a, leaf_take, v);
    if (err == ERR_TOO_LARGE)
        return err;
    if (err != 0) {
        rest_mask(v, s->bytes.n);
    } else { /* behind the payload only the bracket is expected */
        size_t end = (size_t)(s->payload.p - s->bytes.p) + s->payload.n;

        v->seen = end;
        if (!str_eq_c(str_trim(str_from(s->bytes.p + end, s->bytes.n - end)), "]"))
            rest_mask(v, s->bytes.n);
    }
    secrets_mask(v);
    return 0;
}

static int head_field(struct view *v, size_t at, size_t n, const char *zh, const char *en)
{
    struct api_FrameField *f = field_add(v);
    char hex[2 * FRAME_HEAD + 1];

    if (f == NULL)
        return ERR_TOO_LARGE;
    str_to_hex((const uint8_t *)v->shot->bytes.p + at, n, hex);
    f->path = STR_LIT("");
    f->value = copy(v->a, str_from_c(hex));
    f->at = (int64_t)at;
    f->n = (int64_t)n;
    names_give(f, zh, en, NULL);
    return 0;
}

static int ykc_show(struct view *v)
{
    const struct frame_shot *s = v->shot;
    const struct wire_msg *m = s->row.kind ? wire_msg_by_code(&ykc_proto, s->row.kind) : NULL;
    struct str body;
    int err;

    if (s->row.kind == 0 || s->bytes.n < FRAME_HEAD + FRAME_TAIL) {
        rest_mask(v, s->bytes.n);
        return 0;
    }
    body = str_from(s->bytes.p + FRAME_HEAD, s->bytes.n - FRAME_HEAD - FRAME_TAIL);
    v->base = v->seen = FRAME_HEAD;
    err = head_field(v, 1, 1, "数据长度", "length");
    if (err == 0)
        err = head_field(v, 2, 2, "序列号", "sequence");
    if (err == 0)
        err = head_field(v, 5, 1, "帧类型", "type");
    if (err == 0)
        err = wire_bin_walk(m != NULL ? m->req : NULL, body, leaf_take, v);
    if (err == ERR_TOO_LARGE)
        return err;
    if (err != 0)
        rest_mask(v, s->bytes.n - FRAME_TAIL);
    return head_field(v, s->bytes.n - FRAME_TAIL, FRAME_TAIL, "校验", "checksum");
}

static int text_begin(struct view *v)
{
    const struct frame_shot *s = v->shot;
    bool binary = s->row.protocol == PROTOCOL_YKC && s->row.dir != FRAME_NOTE;

    v->digits = binary ? 2 : 1;
    v->text = arena_alloc(v->a, s->bytes.n * v->digits + 1);
    if (v->text == NULL)
        return ERR_TOO_LARGE;
    if (binary)
        str_to_hex((const uint8_t *)s->bytes.p, s->bytes.n, v->text);
    else if (s->bytes.n > 0)
        memcpy(v->text, s->bytes.p, s->bytes.n);
    return 0;
}

static void names_of(const struct frame_shot *s, struct api_Frame *out)
{
    const struct wire_msg *m =
        s->row.dir == FRAME_NOTE ? NULL
        : s->row.protocol == PROTOCOL_YKC
            ? (s->row.kind ? wire_msg_by_code(&ykc_proto, s->row.kind) : NULL)
            : wire_msg_find(&ocpp16_proto, action_of(s));

    out->has.zh = out->has.en = m != NULL && m->zh != NULL && m->label != NULL;
    if (out->has.zh) {
        out->zh = str_from_c(m->zh);
        out->en = str_from_c(m->label);
    }
}

int frameview_show(const struct frame_shot *s, bool clear, struct arena *a, struct api_Frame *out)
{
    struct view v = {.shot = s, .a = a, .clear = clear};
    int err = text_begin(&v);

    memset(out, 0, sizeof(*out));
    if (err == 0 && s->row.dir != FRAME_NOTE)
        err = s->row.protocol == PROTOCOL_YKC ? ykc_show(&v) : ocpp_show(&v);
    if (err != 0)
        return err;
    if (v.digits == 1)
        utf8_mend(v.text, s->bytes.n);
    out->id = s->row.id;
    out->at_ms = framelog_time(s->row.id);
    out->dir = s->row.dir;
    out->protocol = s->row.protocol;
    out->conn = arena_printf(a, "%u.%u.%u", framelog_reactor(s->row.id), s->row.slot, s->row.gen);
    out->kind = copy(a, frameview_kind(s, a));
    utf8_mend((char *)(uintptr_t)out->kind.p, out->kind.n);
    names_of(s, out);
    out->result = s->row.result;
    out->size = s->row.size;
    out->cut = out->has.cut = s->row.n < s->row.size;
    out->has.text = v.digits == 1;
    out->has.hex = v.digits == 2;
    out->text = out->has.text ? str_from(v.text, s->bytes.n) : STR_NONE;
    out->hex = out->has.hex ? str_from(v.text, s->bytes.n * 2) : STR_NONE;
    out->fields = v.field;
    out->fields_n = v.n;
    out->cause = begin_cause_of(a, s->row.cause);
    return 0;
}

bool frameview_has(const struct api_Frame *f, struct str word)
{
    if (word.n == 0 || has_word(f->kind, word) || has_word(f->zh, word) || has_word(f->en, word) ||
        has_word(f->text, word) || has_word(f->hex, word) || has_word(f->cause, word))
        return true;
    for (uint32_t i = 0; i < f->fields_n; i++)
        if (has_word(f->fields[i].value, word))
            return true;
    return false;
}
