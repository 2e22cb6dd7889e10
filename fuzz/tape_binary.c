// SPDX-License-Identifier: Apache-2.0
/* tape_binary.c: any bytes as any 云快充 body; the first byte chooses the message. What encodes
 * reads back as the same bytes; a body that ends early is refused or lacks optional fields only;
 * more bytes behind it change nothing but the tail. */
#include "tape.h"

#include <stdlib.h>
#include "base/err.h"
#include "wire/ykc.h"

static void longer(const struct wire_type *t, struct str body, size_t tail, const struct buf *one)
{
    struct buf more, out;
    void *object = malloc(t->size);
    size_t rest = 0;
    must(object);
    buf_init(&more, 4096);
    buf_init(&out, 4096);
    buf_put(&more, body.p, body.n - tail);
    buf_put_c(&more, "tail");
    /* Optional fields and arrays to the end may take what follows. */
    if (wire_bin_decode(t, buf_str(&more), object, &rest) == 0 && rest == 4) {
        must(wire_bin_encode(t, object, &out) == 0);
        must(str_eq(buf_str(&out), buf_str(one)));
    }
    buf_free(&more);
    buf_free(&out);
    free(object);
}

static void body_try(const struct wire_msg *m, struct str body)
{
    const struct wire_type *t = m->req;
    void *object = malloc(t->size), *copy = malloc(t->size);
    struct buf one, two;
    size_t tail = 0, none = 0;
    must(object && copy);
    buf_init(&one, 4096);
    buf_init(&two, 4096);
    int err = wire_bin_decode(t, body, object, &tail);
    must(err || tail <= body.n);
    if (err == 0 && wire_bin_encode(t, object, &one) == 0) {
        must(wire_bin_decode(t, buf_str(&one), copy, &none) == 0 && none == 0);
        must(wire_bin_encode(t, copy, &two) == 0);
        must(str_eq(buf_str(&one), buf_str(&two)));
        longer(t, body, tail, &one);
    }
    buf_free(&one);
    buf_free(&two);
    free(object);
    free(copy);
}

int tape_binary(const uint8_t *p, size_t n)
{
    struct tape t = {p, p + n};
    const struct wire_msg *m = &ykc_proto.msg[tape_byte(&t) % ykc_proto.n];
    body_try(m, tape_rest(&t));
    return 0;
}
