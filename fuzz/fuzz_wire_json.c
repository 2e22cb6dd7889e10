// SPDX-License-Identifier: Apache-2.0
/* fuzz_wire_json.c: any bytes as any OCPP 1.6 message. The first byte chooses type and mode. What
 * is accepted in strict mode must encode, and decode again to the same text. */
#include <stdlib.h>

#include "base/must.h"
#include "wire/ocpp16.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct wire_type *t, const void *object, struct arena *a)
{
    struct buf one, two;
    buf_init(&one, 1 << 20);
    buf_init(&two, 1 << 20);
    void *copy = arena_alloc(a, t->size);
    if (copy && wire_json_encode(t, object, &one) == 0) {
        must(wire_json_decode(t, buf_str(&one), a, copy, WIRE_STRICT, NULL) == 0);
        must(wire_json_encode(t, copy, &two) == 0);
        must(str_eq(buf_str(&one), buf_str(&two)));
    }
    buf_free(&one);
    buf_free(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct arena a;
    struct wire_error e;
    arena_init(&a, 4 << 20);
    const struct wire_type *t = ocpp16_proto.type[(data[0] >> 1) % ocpp16_proto.type_n];
    unsigned mode = data[0] & 1 ? WIRE_STRICT : WIRE_LENIENT;
    void *object = arena_alloc(&a, t->size);
    must(object != NULL);
    int err = wire_json_decode(t, str_from((const char *)data + 1, size - 1), &a, object, mode, &e);
    must(err <= 0 && e.err == err);
    if (err == 0 && mode == WIRE_STRICT)
        again(t, object, &a);
    arena_free(&a);
    return 0;
}
