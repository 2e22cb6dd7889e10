// SPDX-License-Identifier: Apache-2.0
/* tape_json.c: any text as any OCPP 1.6 type through the table engine. The first two bytes choose
 * type, mode and memory. What is accepted is well-formed UTF-8; what encodes reads back strictly as
 * the same; the same text read strictly and leniently means the same; little memory is an error,
 * nothing else. */
#include "tape.h"

#include "wire/json.h"
#include "wire/ocpp16.h"

enum { MEMORY = 4 << 20 };

/* The encoding is canonical: it parses as JSON, is UTF-8, and encodes to itself. */
static void again(const struct wire_type *t, const void *object, struct arena *a, struct buf *one)
{
    struct json_reader r;
    struct str all;
    struct buf two;
    void *copy = arena_alloc(a, t->size);
    if (!copy || wire_json_encode(t, object, one))
        return;
    json_reader_init(&r, buf_str(one));
    must(json_skip(&r, WIRE_DEPTH + 1, &all) == 0 && json_end(&r) == 0 && all.n == one->n);
    must(str_utf8_valid(buf_str(one)));
    if (wire_json_decode(t, buf_str(one), a, copy, WIRE_STRICT, NULL) == ERR_TOO_LARGE)
        return;
    must(wire_json_decode(t, buf_str(one), a, copy, WIRE_STRICT, NULL) == 0);
    buf_init(&two, MEMORY);
    must(wire_json_encode(t, copy, &two) == 0);
    must(str_eq(buf_str(one), buf_str(&two)));
    buf_free(&two);
}

static void lenient_is_wider(const struct wire_type *t, struct str text, struct str strict,
                             struct arena *a)
{
    struct wire_error e;
    struct buf b;
    void *object = arena_alloc(a, t->size);
    if (!object)
        return;
    int err = wire_json_decode(t, text, a, object, WIRE_LENIENT, &e);
    if (err == ERR_TOO_LARGE)
        return;
    must(err == 0 && e.overlong == 0 && e.unknown == 0);
    buf_init(&b, MEMORY);
    must(wire_json_encode(t, object, &b) == 0 && str_eq(buf_str(&b), strict));
    buf_free(&b);
}

int tape_json(const uint8_t *p, size_t n)
{
    struct tape tape = {p, p + n};
    uint8_t which = tape_byte(&tape), how = tape_byte(&tape);
    const struct wire_type *t = ocpp16_proto.type[which % ocpp16_proto.type_n];
    unsigned mode = how & 1 ? WIRE_STRICT : WIRE_LENIENT;
    struct str text = tape_rest(&tape);
    struct wire_error e;
    struct arena a;
    struct buf one;
    arena_init(&a, how & 2 ? 8192 : MEMORY);
    buf_init(&one, MEMORY);
    void *object = arena_alloc(&a, t->size);
    must(object);
    int err = wire_json_decode(t, text, &a, object, mode, &e);
    must(err <= 0 && e.err == err && e.at <= text.n);
    must(err || str_utf8_valid(text));
    if (err == 0)
        again(t, object, &a, &one);
    if (err == 0 && mode == WIRE_STRICT && one.n)
        lenient_is_wider(t, text, buf_str(&one), &a);
    buf_free(&one);
    arena_free(&a);
    return 0;
}
