// SPDX-License-Identifier: Apache-2.0
/* encode.c: C struct → JSON text by rows (wire.h). Outbound is strict: members in table order, no
 * blanks, every limit checked, because some peers compare text and all of them may refuse what
 * breaks the schema. */
#include "wire/wire.h"

#include "base/calendar.h"

static int encode_number(const struct wire_field *f, int64_t v, struct buf *out)
{
    if (v < f->lo || v > f->hi)
        return ERR_RANGE;
    switch ((enum wire_kind)f->kind) {
    case WIRE_ID:
        buf_put_char(out, '"');
        buf_put_i64(out, v);
        buf_put_char(out, '"');
        break;
    case WIRE_DEC:
        buf_put_decimal(out, v, f->scale, 0);
        break;
    case WIRE_MONEY: {
        char text[MONEY_TEXT_SIZE];
        money_format(MONEY(v), text);
        buf_put_char(out, '"');
        buf_put_c(out, text);
        buf_put_char(out, '"');
        break;
    }
    case WIRE_DATETIME: {
        char text[TIME_TEXT_SIZE];
        time_format(v, text);
        buf_put_char(out, '"');
        buf_put_c(out, text);
        buf_put_char(out, '"');
        break;
    }
    default:
        buf_put_i64(out, v);
    }
    return 0;
}

/* As buf_put_json writes them: a byte that is no UTF-8 becomes a character of its own. */
static int64_t characters(struct str s)
{
    int64_t n = 0;
    for (size_t step; s.n > 0; n++) {
        step = str_utf8_step(s);
        s = str_from(s.p + (step ? step : 1), s.n - (step ? step : 1));
    }
    return n;
}

static int encode_text(const struct wire_field *f, struct str s, struct buf *out)
{
    if ((int64_t)s.n > f->hi || f->lo > 0) {
        int64_t n = characters(s);
        if (n > f->hi || n < f->lo)
            return ERR_RANGE;
    }
    buf_put_json(out, s);
    return 0;
}

static int encode_enum(const struct wire_field *f, int v, struct buf *out)
{
    struct str s = wire_enum_text(f->en, v);
    if (s.n == 0)
        return ERR_RANGE;
    buf_put_json(out, s);
    return 0;
}

static int encode_object(const struct wire_type *t, const char *in, struct buf *out);

static int encode_one(const struct wire_field *f, const char *in, struct buf *out)
{
    switch (f->kind) {
    case WIRE_BOOL:
        buf_put_c(out, *(const bool *)in ? "true" : "false");
        return 0;
    case WIRE_TEXT:
        return encode_text(f, *(const struct str *)(const void *)in, out);
    case WIRE_JSON: {
        struct str s = *(const struct str *)(const void *)in;
        buf_put_str(out, s);
        return s.n ? 0 : ERR_RANGE;
    }
    case WIRE_ENUM:
        return encode_enum(f, *(const int *)(const void *)in, out);
    case WIRE_TYPE:
        return encode_object(f->type, in, out);
    default:
        return encode_number(f, *(const int64_t *)(const void *)in, out);
    }
}

static int encode_array(const struct wire_field *f, const char *in, struct buf *out)
{
    const char *v;
    uint32_t n;
    memcpy(&v, in + f->offset, sizeof v);
    memcpy(&n, in + f->count, sizeof n);
    if (n < f->min_n || n > f->max_n)
        return ERR_RANGE;
    buf_put_char(out, '[');
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            buf_put_char(out, ',');
        int err = encode_one(f, v + (size_t)i * f->size, out);
        if (err)
            return err;
    }
    buf_put_char(out, ']');
    return 0;
}

static int encode_object(const struct wire_type *t, const char *in, struct buf *out)
{
    char sep = '{';
    for (uint16_t i = 0; i < t->n; i++) {
        const struct wire_field *f = &t->field[i];
        if (f->has && !*(const bool *)(in + f->has))
            continue;
        buf_put_char(out, sep);
        buf_put_char(out, '"');
        buf_put(out, f->name, f->name_n);
        buf_put(out, "\":", 2);
        sep = ',';
        int err =
            f->flags & WIRE_ARRAY ? encode_array(f, in, out) : encode_one(f, in + f->offset, out);
        if (err)
            return err;
    }
    if (sep == '{')
        buf_put_char(out, '{');
    buf_put_char(out, '}');
    return 0;
}

int wire_json_encode(const struct wire_type *t, const void *in, struct buf *out)
{
    size_t before = out->n;
    int err = encode_object(t, in, out);
    if (!err)
        err = out->err;
    if (err)
        out->n = before;
    return err;
}
