// SPDX-License-Identifier: Apache-2.0
/* show.c: a decoded binary body as JSON, by its rows: what people see of a frame (the answer to a
 * call, the frame viewer). Scaled numbers are decimals, times the pile's wall clock, bytes numbers.
 */
#include "wire/wire.h"

#include "base/calendar.h"

static void value_show(const struct wire_field *f, const char *at, struct buf *out)
{
    char time[TIME_TEXT_SIZE];
    if (f->kind == WIRE_TYPE) {
        wire_bin_show(f->type, at, out);
    } else if (f->kind == WIRE_CP56) {
        time_format(*(const int64_t *)(const void *)at, time);
        time[strcspn(time, "Z")] = 0; /* a wall clock has no zone */
        buf_put_json(out, str_from_c(*(const int64_t *)(const void *)at ? time : ""));
    } else if (f->kind >= WIRE_U8 && f->kind <= WIRE_U64LE) {
        buf_put_decimal(out, *(const int64_t *)(const void *)at, f->scale, f->scale);
    } else {
        buf_put_json(out, str_from_c(at)); /* bcd, hex, ascii */
    }
}

static void field_show(const struct wire_field *f, const char *in, struct buf *out)
{
    if (!(f->flags & WIRE_ARRAY)) {
        value_show(f, in + f->offset, out);
        return;
    }
    uint32_t n = f->count ? *(const uint32_t *)(const void *)(in + f->count) : f->max_n;
    buf_put_char(out, '[');
    for (uint32_t i = 0; i < n && i < f->max_n; i++) {
        if (i)
            buf_put_char(out, ',');
        value_show(f, in + f->offset + (size_t)i * f->size, out);
    }
    buf_put_char(out, ']');
}

void wire_bin_show(const struct wire_type *t, const void *in, struct buf *out)
{
    bool first = true;
    buf_put_char(out, '{');
    for (uint16_t i = 0; i < t->n; i++) {
        const struct wire_field *f = &t->field[i];
        if (f->kind == WIRE_PAD || (f->has && !*(const bool *)((const char *)in + f->has)))
            continue;
        if (!first)
            buf_put_char(out, ',');
        first = false;
        buf_put_json(out, str_from(f->name, f->name_n));
        buf_put_char(out, ':');
        field_show(f, in, out);
    }
    buf_put_char(out, '}');
}
