// SPDX-License-Identifier: Apache-2.0
/* binary.c: frame bodies ⇄ C structs by rows (wire.h). Reading is lenient: piles put hex digits
 * into BCD, nonsense into dates and more bytes at the end than any document tells; the gate judges
 * values. Writing keeps every bound. */
#include "wire/wire.h"

#include "base/calendar.h"

struct reader {
    const uint8_t *p, *end;
};

static bool is_number(uint8_t kind)
{
    return kind >= WIRE_U8 && kind <= WIRE_U64LE;
}

/* ---- reading ---- */

static int64_t number_read(const uint8_t *p, uint16_t width, int64_t bias)
{
    uint64_t raw = 0;
    for (uint16_t i = width; i > 0; i--)
        raw = raw << 8 | p[i - 1];
    return raw > INT64_MAX ? INT64_MAX
                           : (int64_t)raw + bias; /* bias is small and only on short fields */
}

/* Seven bytes: ms of the minute, minute, hour, day, month, year. Bits that mean other things are
 * masked. */
static int64_t cp56_read(const uint8_t *p)
{
    unsigned ms = p[0] | (unsigned)p[1] << 8;
    struct civil c = {.year = 2000 + (p[6] & 0x7F),
                      .month = (int8_t)(p[5] & 0x0F),
                      .day = (int8_t)(p[4] & 0x1F),
                      .hour = (int8_t)(p[3] & 0x1F),
                      .minute = (int8_t)(p[2] & 0x3F),
                      .second = (int8_t)(ms / 1000 % 60),
                      .ms = (int16_t)(ms % 1000)};
    if (ms > 59999 || c.minute > 59 || c.hour > 23 || c.month < 1 || c.month > 12 || c.day < 1)
        return 0;
    int64_t first = civil_days(c.year, c.month, 1);
    int64_t next =
        civil_days(c.month == 12 ? c.year + 1 : c.year, c.month == 12 ? 1 : c.month + 1, 1);
    return c.day > next - first ? 0 : civil_to_ms(&c);
}

static void hex_read(const uint8_t *p, uint16_t width, char *to)
{
    static const char digit[] = "0123456789ABCDEF";
    for (uint16_t i = 0; i < width; i++) {
        to[2 * i] = digit[p[i] >> 4];
        to[2 * i + 1] = digit[p[i] & 0x0F];
    }
    to[2 * width] = 0;
}

/* Not every pile keeps to ASCII; what is no ASCII could be no UTF-8 either (wire.h, 2). */
static void ascii_read(const uint8_t *p, uint16_t width, char *to)
{
    for (uint16_t i = 0; i < width; i++)
        to[i] = p[i] < 0x80 ? (char)p[i] : '?';
    to[width] = 0;
}

static int type_read(const struct wire_type *t, struct reader *r, char *out);

static int one_read(const struct wire_field *f, struct reader *r, char *to)
{
    if (f->kind == WIRE_TYPE)
        return type_read(f->type, r, to);
    if (r->end - r->p < f->width)
        return ERR_SYNTAX;
    const uint8_t *p = r->p;
    r->p += f->width;
    if (is_number(f->kind)) {
        *(int64_t *)(void *)to = number_read(p, f->width, f->bias);
    } else if (f->kind == WIRE_CP56) {
        *(int64_t *)(void *)to = cp56_read(p);
    } else if (f->kind == WIRE_ASCII) {
        ascii_read(p, f->width, to);
    } else if (f->kind == WIRE_BCD || f->kind == WIRE_HEX) {
        hex_read(p, f->width, to);
    }
    return 0;
}

static int array_read(const struct wire_field *f, struct reader *r, char *out)
{
    uint32_t n = f->max_n;
    if (f->flags & WIRE_COUNTED) {
        if (r->p == r->end)
            return ERR_SYNTAX;
        n = *r->p++;
        if (n > f->max_n)
            return ERR_RANGE;
    }
    uint32_t i = 0;
    for (; i < n && !((f->flags & WIRE_REST) && r->p == r->end); i++) {
        int err = one_read(f, r, out + f->offset + (size_t)i * f->size);
        if (err)
            return err;
    }
    if (f->count)
        *(uint32_t *)(void *)(out + f->count) = i;
    return 0;
}

static int type_read(const struct wire_type *t, struct reader *r, char *out)
{
    for (uint16_t i = 0; i < t->n; i++) {
        const struct wire_field *f = &t->field[i];
        if ((f->flags & WIRE_OPTIONAL) && r->p == r->end)
            continue;
        int err = f->flags & WIRE_ARRAY ? array_read(f, r, out) : one_read(f, r, out + f->offset);
        if (err)
            return err;
        if (f->has)
            *(bool *)(out + f->has) = true;
    }
    return 0;
}

int wire_bin_decode(const struct wire_type *t, struct str body, void *out, size_t *tail)
{
    struct reader r = {(const uint8_t *)body.p, (const uint8_t *)body.p + body.n};
    memset(out, 0, t->size);
    int err = type_read(t, &r, out);
    if (!err && tail)
        *tail = (size_t)(r.end - r.p);
    return err;
}

/* ---- writing ---- */

static int number_write(const struct wire_field *f, int64_t v, uint8_t *to)
{
    if (v < f->lo || v > f->hi || v < f->bias)
        return ERR_RANGE;
    uint64_t raw = (uint64_t)v - (uint64_t)f->bias;
    if (f->width < 8 && raw >> (8 * f->width))
        return ERR_RANGE;
    for (uint16_t i = 0; i < f->width; i++)
        to[i] = (uint8_t)(raw >> (8 * i));
    return 0;
}

static int cp56_write(int64_t ms, uint8_t *to)
{
    struct civil c;
    if (ms == 0)
        return 0; /* seven zeros: no time */
    civil_from_ms(ms, &c);
    if (c.year < 2000 || c.year > 2127)
        return ERR_RANGE;
    unsigned in_minute = (unsigned)c.second * 1000 + (unsigned)c.ms;
    to[0] = (uint8_t)in_minute;
    to[1] = (uint8_t)(in_minute >> 8);
    to[2] = (uint8_t)c.minute;
    to[3] = (uint8_t)c.hour;
    to[4] = (uint8_t)c.day;
    to[5] = (uint8_t)c.month;
    to[6] = (uint8_t)(c.year - 2000);
    return 0;
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char low = (char)(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : 16;
}

/* Right-aligned, left-padded with zeros. */
static int digits_write(const struct wire_field *f, const char *text, uint8_t *to)
{
    int most = f->kind == WIRE_BCD ? 9 : 15;
    size_t digits = 2u * f->width, n = strnlen(text, digits + 1);
    if (n > digits)
        return ERR_RANGE;
    for (size_t i = 0; i < n; i++) {
        int v = nibble(text[i]);
        size_t at = digits - n + i;
        if (v > most)
            return ERR_RANGE;
        to[at / 2] |= (uint8_t)(at % 2 ? v : v << 4);
    }
    return 0;
}

static int ascii_write(const struct wire_field *f, const char *text, uint8_t *to)
{
    size_t n = strnlen(text, (size_t)f->width + 1);
    if (n > f->width)
        return ERR_RANGE;
    memcpy(to, text, n);
    return 0;
}

static int type_write(const struct wire_type *t, const char *in, struct buf *out);

static int one_write(const struct wire_field *f, const char *in, struct buf *out)
{
    if (f->kind == WIRE_TYPE)
        return type_write(f->type, in, out);
    uint8_t *to = buf_grow(out, f->width);
    if (!to)
        return ERR_TOO_LARGE;
    if (is_number(f->kind))
        return number_write(f, *(const int64_t *)(const void *)in, to);
    if (f->kind == WIRE_CP56)
        return cp56_write(*(const int64_t *)(const void *)in, to);
    if (f->kind == WIRE_ASCII)
        return ascii_write(f, in, to);
    return f->kind == WIRE_PAD ? 0 : digits_write(f, in, to);
}

static int array_write(const struct wire_field *f, const char *in, struct buf *out)
{
    uint32_t n = f->count ? *(const uint32_t *)(const void *)(in + f->count) : f->max_n;
    if (n < f->min_n || n > f->max_n)
        return ERR_RANGE;
    if (f->flags & WIRE_COUNTED)
        buf_put_char(out, (char)n);
    for (uint32_t i = 0; i < n; i++) {
        int err = one_write(f, in + f->offset + (size_t)i * f->size, out);
        if (err)
            return err;
    }
    return 0;
}

static int type_write(const struct wire_type *t, const char *in, struct buf *out)
{
    for (uint16_t i = 0; i < t->n; i++) {
        const struct wire_field *f = &t->field[i];
        if (f->has && !*(const bool *)(in + f->has))
            break; /* optional fields are the last ones: what follows cannot be there either */
        int err =
            f->flags & WIRE_ARRAY ? array_write(f, in, out) : one_write(f, in + f->offset, out);
        if (err)
            return err;
    }
    return 0;
}

int wire_bin_encode(const struct wire_type *t, const void *in, struct buf *out)
{
    size_t before = out->n;
    int err = type_write(t, in, out);
    if (!err)
        err = out->err;
    if (err)
        out->n = before;
    return err;
}
