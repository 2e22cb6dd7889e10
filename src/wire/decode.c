// SPDX-License-Identifier: Apache-2.0
/* decode.c: JSON text → C struct by rows (wire.h). The reader goes over the text once; each
 * member's row says what is expected and where it goes. Only objects inside objects recurse, as
 * deep as the table nests its types. The path of an error is put together while the calls return,
 * so that good input pays nothing for it. */
#include "wire/wire.h"

#include <stdio.h>

#include "base/calendar.h"
#include "wire/json.h"

struct decoder {
    struct json_reader r;
    struct arena *a;
    struct wire_error *e;
    bool lenient;
};

static int fail(struct decoder *d, int err, const char *why)
{
    if (d->e->err == 0) {
        d->e->err = err;
        d->e->at = d->r.pos;
        str_copy(d->e->reason, sizeof d->e->reason, str_from_c(why));
    }
    return err;
}

/* Another kind of value stands here, or no value at all. */
static int wrong_type(struct decoder *d, const char *why)
{
    struct json_reader ahead = d->r;
    struct str value;
    if (json_skip(&ahead, WIRE_DEPTH, &value))
        return fail(d, ERR_SYNTAX, ahead.why);
    return fail(d, ERR_TYPE, why);
}

/* Passes on what the reader found. */
static int passed(struct decoder *d, int err)
{
    if (!err)
        return 0;
    return fail(d, err, err == ERR_TOO_LARGE ? "message too large" : d->r.why);
}

static void path_prepend(struct wire_error *e, struct str name, bool dot)
{
    char old[sizeof e->path];
    size_t n = str_copy(old, sizeof old, str_from_c(e->path));
    size_t at = str_copy(e->path, sizeof e->path, name);
    if (dot && n > 0 && old[0] != '[')
        at += str_copy(e->path + at, sizeof e->path - at, STR_LIT("."));
    str_copy(e->path + at, sizeof e->path - at, str_from(old, n));
}

static int failed_in_member(struct decoder *d, struct str name, int err)
{
    path_prepend(d->e, name, true);
    return err;
}

static int failed_in_element(struct decoder *d, uint32_t i, int err)
{
    char text[16];
    snprintf(text, sizeof text, "[%u]", (unsigned)i);
    path_prepend(d->e, str_from_c(text), true);
    return err;
}

/* The text of a scalar: a string, or (lenient) a number or a word in place of one. */
static int scalar_text(struct decoder *d, bool want_string, struct str *out)
{
    char c = json_peek(&d->r);
    bool is_string = c == '"';
    if (c == '{' || c == '[' || (is_string != want_string && !d->lenient))
        return wrong_type(d, want_string ? "a string is expected" : "a number is expected");
    d->e->odd += is_string != want_string;
    if (!is_string)
        return passed(d, json_skip(&d->r, WIRE_DEPTH, out));
    int err = passed(d, json_string(&d->r, d->a, out));
    /* A charger may fill its texts up with them; of anybody else's the rest would be lost. */
    if (!err && !d->lenient && out->n > 0 && memchr(out->p, 0, out->n))
        return fail(d, ERR_SYNTAX, "a text has no \\u0000 in it");
    return err;
}

static int range_check(struct decoder *d, const struct wire_field *f, int64_t v)
{
    if (v < f->lo)
        return fail(d, ERR_RANGE, "below the least value");
    return v > f->hi ? fail(d, ERR_RANGE, "above the greatest value") : 0;
}

static int store_number(struct decoder *d, const struct wire_field *f, int err, int64_t v, void *to)
{
    if (err)
        return fail(d, err == ERR_RANGE ? ERR_RANGE : ERR_TYPE,
                    err == ERR_RANGE ? "number too large" : "not a number of this kind");
    *(int64_t *)to = v;
    return range_check(d, f, v);
}

static int decode_int(struct decoder *d, const struct wire_field *f, void *to)
{
    struct str s;
    int64_t v = 0;
    int err = scalar_text(d, f->kind == WIRE_ID, &s);
    if (err)
        return err;
    s = d->lenient ? str_trim(s) : s;
    err = str_to_i64(s, &v);
    if (err == ERR_SYNTAX && d->lenient && s.n > 0) { /* 12.0, 1e3 */
        d->e->odd++;
        err = decimal_parse(s, 0, &v);
    }
    return store_number(d, f, err, v, to);
}

static int decode_decimal(struct decoder *d, const struct wire_field *f, void *to)
{
    struct str s;
    int64_t v = 0;
    bool money = f->kind == WIRE_MONEY;
    bool text = money || json_peek(&d->r) == '"'; /* a dec may be either, in both modes */
    int err = scalar_text(d, text, &s);
    if (err)
        return err;
    if (money) {
        struct money m = MONEY_ZERO;
        err = money_parse(s, &m);
        v = m.v;
    } else {
        err = decimal_parse(d->lenient ? str_trim(s) : s, f->scale, &v);
    }
    return store_number(d, f, err, v, to);
}

/* A malformed time of a charger is no reason to lose the message: it becomes 0, "unknown". */
static int decode_datetime(struct decoder *d, const struct wire_field *f, void *to)
{
    struct str s;
    int64_t v = 0;
    int err = scalar_text(d, true, &s);
    if (err)
        return err;
    err = time_parse(d->lenient ? str_trim(s) : s, &v);
    if (err && d->lenient) {
        d->e->odd++;
        *(int64_t *)to = 0;
        return 0;
    }
    return err ? fail(d, ERR_TYPE, "not a date and time") : store_number(d, f, 0, v, to);
}

static int decode_bool(struct decoder *d, void *to)
{
    struct str s;
    char c = json_peek(&d->r);
    if (c != 't' && c != 'f' && !d->lenient)
        return wrong_type(d, "true or false is expected");
    int err = scalar_text(d, c == '"', &s);
    if (err)
        return err;
    *(bool *)to = str_eq_c(s, "true") || str_eq_c(s, "1");
    if (*(bool *)to || str_eq_c(s, "false") || str_eq_c(s, "0")) {
        d->e->odd += c != 't' && c != 'f';
        return 0;
    }
    return fail(d, ERR_TYPE, "true or false is expected");
}

static int64_t characters(struct str s)
{
    int64_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += (s.p[i] & 0xC0) != 0x80;
    return n;
}

static int decode_text(struct decoder *d, const struct wire_field *f, void *to)
{
    struct str s;
    int err = scalar_text(d, true, &s);
    if (err)
        return err;
    *(struct str *)to = s;
    if ((int64_t)s.n > f->hi && characters(s) > f->hi) {
        if (!d->lenient)
            return fail(d, ERR_RANGE, "text too long");
        d->e->overlong++;
    }
    if (f->lo > 0 && characters(s) < f->lo) {
        if (!d->lenient)
            return fail(d, ERR_RANGE, "text too short");
        d->e->odd++;
    }
    return 0;
}

static int enum_find_nocase(const struct wire_enum *en, struct str s)
{
    for (uint16_t i = 0; i < en->n; i++)
        if (str_eq_nocase(en->value[i], s))
            return i + 1;
    return 0;
}

static int decode_enum(struct decoder *d, const struct wire_field *f, void *to)
{
    struct str s;
    int err = scalar_text(d, true, &s);
    if (err)
        return err;
    int v = wire_enum_find(f->en, s);
    if (v == 0) {
        if (!d->lenient)
            return fail(d, ERR_RANGE, "not one of the known values");
        v = enum_find_nocase(f->en, str_trim(s));
        d->e->odd += v != 0;
        d->e->unknown += v == 0;
    }
    *(int *)to = v;
    return 0;
}

static int decode_object(struct decoder *d, const struct wire_type *t, char *to);

static int decode_one(struct decoder *d, const struct wire_field *f, char *to)
{
    switch ((enum wire_kind)f->kind) {
    case WIRE_INT:
    case WIRE_ID:
    case WIRE_TIME:
        return decode_int(d, f, to);
    case WIRE_DEC:
    case WIRE_MONEY:
        return decode_decimal(d, f, to);
    case WIRE_DATETIME:
        return decode_datetime(d, f, to);
    case WIRE_BOOL:
        return decode_bool(d, to);
    case WIRE_TEXT:
        return decode_text(d, f, to);
    case WIRE_JSON:
        return passed(d, json_skip(&d->r, WIRE_DEPTH, (struct str *)(void *)to));
    case WIRE_ENUM:
        return decode_enum(d, f, to);
    case WIRE_TYPE:
        return decode_object(d, f->type, to);
    case WIRE_U8:
    case WIRE_U16LE:
    case WIRE_U32LE:
    case WIRE_U40LE:
    case WIRE_U64LE:
    case WIRE_BCD:
    case WIRE_HEX:
    case WIRE_ASCII:
    case WIRE_CP56:
    case WIRE_PAD:
        break;
    }
    return fail(d, ERR_INTERNAL, "a binary row in a JSON table");
}

/* Room for one more element; the arena cannot shrink, so arrays double. */
static char *array_room(struct decoder *d, const struct wire_field *f, char **v, uint32_t n,
                        uint32_t *room)
{
    if (n < *room)
        return *v + (size_t)n * f->size;
    uint32_t more = *room ? *room * 2 : 4;
    char *grown = more > *room ? arena_array(d->a, more, f->size) : NULL;
    if (!grown)
        return NULL;
    if (n)
        memcpy(grown, *v, (size_t)n * f->size);
    *v = grown;
    *room = more;
    return grown + (size_t)n * f->size;
}

static int array_bounds(struct decoder *d, const struct wire_field *f, uint32_t n)
{
    if (n >= f->min_n && n <= f->max_n)
        return 0;
    if (!d->lenient)
        return fail(d, ERR_RANGE, n < f->min_n ? "too few elements" : "too many elements");
    d->e->odd++;
    return 0;
}

static int decode_array(struct decoder *d, const struct wire_field *f, char *out)
{
    char *v = NULL;
    uint32_t n = 0, room = 0;
    if (!json_take(&d->r, '['))
        return wrong_type(d, "an array is expected");
    for (bool more = !json_take(&d->r, ']'); more; n++) {
        if (n == f->max_n && !d->lenient)
            return fail(d, ERR_RANGE, "too many elements");
        char *to = array_room(d, f, &v, n, &room);
        if (!to)
            return fail(d, ERR_TOO_LARGE, "message too large");
        int err = decode_one(d, f, to);
        if (err)
            return failed_in_element(d, n, err);
        more = json_take(&d->r, ',');
        if (!more && !json_take(&d->r, ']'))
            return fail(d, ERR_SYNTAX, "',' or ']' is expected");
    }
    memcpy(out + f->offset, &v, sizeof v);
    memcpy(out + f->count, &n, sizeof n);
    return array_bounds(d, f, n);
}

/* null means absent, except where any JSON is welcome. */
static int take_null(struct decoder *d, const struct wire_field *f, bool *null)
{
    struct str word;
    *null = false;
    if (json_peek(&d->r) != 'n' || f->kind == WIRE_JSON)
        return 0;
    int err = passed(d, json_skip(&d->r, WIRE_DEPTH, &word));
    if (err)
        return err;
    *null = true;
    if (f->flags & WIRE_OPTIONAL)
        return 0;
    return fail(d, ERR_REQUIRED, "null where a value is required");
}

static bool empty_is_absent(struct decoder *d, const struct wire_field *f)
{
    const struct json_reader *r = &d->r;
    if (!d->lenient || !(f->flags & WIRE_OPTIONAL) || f->kind == WIRE_TEXT || f->kind == WIRE_JSON)
        return false;
    json_peek(&d->r);
    return r->n - r->pos >= 2 && r->p[r->pos] == '"' && r->p[r->pos + 1] == '"';
}

static int decode_member(struct decoder *d, const struct wire_field *f, char *out)
{
    bool null;
    int err = take_null(d, f, &null);
    if (err || null)
        return err;
    if (empty_is_absent(d, f)) {
        d->r.pos += 2;
        d->e->odd++;
        return 0;
    }
    if (f->has)
        *(bool *)(out + f->has) = true;
    return f->flags & WIRE_ARRAY ? decode_array(d, f, out) : decode_one(d, f, out + f->offset);
}

/* Members mostly come in table order: the search begins at the row after the last one. */
static const struct wire_field *field_find(const struct wire_type *t, struct str name,
                                           uint16_t from)
{
    for (uint16_t i = 0; i < t->n; i++) {
        const struct wire_field *f = &t->field[(from + i) % t->n];
        if (f->name_n == name.n && memcmp(f->name, name.p, name.n) == 0)
            return f;
    }
    return NULL;
}

static int unknown_member(struct decoder *d, struct str name)
{
    struct str skipped;
    if (!d->lenient)
        return failed_in_member(d, name, fail(d, ERR_NOT_FOUND, "unknown member"));
    d->e->unknown++;
    int err = passed(d, json_skip(&d->r, WIRE_DEPTH, &skipped));
    return err ? failed_in_member(d, name, err) : 0;
}

/* Takes `"name":` when it is one of the rows from `from` on, written as everybody writes it: no
 * escapes, no blank before the colon. Anything else is left to be read as text and looked for. */
static const struct wire_field *field_take(struct decoder *d, const struct wire_type *t,
                                           uint16_t from)
{
    struct json_reader *r = &d->r;
    if (json_peek(r) != '"')
        return NULL;
    const char *p = r->p + r->pos + 1;
    size_t left = r->n - r->pos - 1;
    for (uint16_t i = from; i < t->n; i++) {
        const struct wire_field *f = &t->field[i];
        size_t n = f->name_n;
        if (left < n + 2 || p[n] != '"' || p[n + 1] != ':' || memcmp(f->name, p, n) != 0)
            continue;
        r->pos += n + 3;
        return f;
    }
    return NULL;
}

static int decode_pair(struct decoder *d, const struct wire_type *t, char *to, uint64_t *seen,
                       uint16_t *next)
{
    const struct wire_field *f = field_take(d, t, *next);
    struct str name = STR_NONE;
    int err = 0;
    if (f) {
        name = str_from(f->name, f->name_n);
    } else {
        err = passed(d, json_string(&d->r, d->a, &name));
        if (err)
            return err;
        if (!json_take(&d->r, ':'))
            return fail(d, ERR_SYNTAX, "':' is expected");
        f = field_find(t, name, *next);
    }
    if (!f)
        return unknown_member(d, name);
    uint16_t i = (uint16_t)(f - t->field);
    if (*seen >> i & 1) {
        if (!d->lenient)
            return failed_in_member(d, name, fail(d, ERR_CONFLICT, "member given twice"));
        d->e->odd++;
        if (f->has)
            *(bool *)(to + f->has) = false;
    }
    err = decode_member(d, f, to);
    if (err)
        return failed_in_member(d, name, err);
    *seen |= UINT64_C(1) << i;
    *next = (uint16_t)(i + 1);
    return 0;
}

static int required_check(struct decoder *d, const struct wire_type *t, uint64_t seen)
{
    for (uint16_t i = 0; i < t->n; i++) {
        const struct wire_field *f = &t->field[i];
        if (!(f->flags & WIRE_OPTIONAL) && !(seen >> i & 1))
            return failed_in_member(d, str_from(f->name, f->name_n),
                                    fail(d, ERR_REQUIRED, "required member missing"));
    }
    return 0;
}

static int decode_object(struct decoder *d, const struct wire_type *t, char *to)
{
    uint64_t seen = 0;
    uint16_t next = 0;
    if (!json_take(&d->r, '{'))
        return wrong_type(d, "an object is expected");
    for (bool more = !json_take(&d->r, '}'); more;) {
        int err = decode_pair(d, t, to, &seen, &next);
        if (err)
            return err;
        more = json_take(&d->r, ',');
        if (!more && !json_take(&d->r, '}'))
            return fail(d, ERR_SYNTAX, "',' or '}' is expected");
    }
    return required_check(d, t, seen);
}

/* Texts are empty rather than zeroed: most messages are in order. */
static void error_clear(struct wire_error *e)
{
    e->err = 0;
    e->at = 0;
    e->path[0] = e->reason[0] = 0;
    e->overlong = e->unknown = e->odd = 0;
}

int wire_json_decode(const struct wire_type *t, struct str json, struct arena *a, void *out,
                     unsigned mode, struct wire_error *e)
{
    struct wire_error own;
    // cppcheck-suppress uninitvar ; error_clear writes what is read
    struct decoder d = {.a = a, .e = e ? e : &own, .lenient = mode == WIRE_LENIENT};
    error_clear(d.e);
    memset(out, 0, t->size);
    json_reader_init(&d.r, json);
    int err = decode_object(&d, t, out);
    return err ? err : passed(&d, json_end(&d.r));
}
