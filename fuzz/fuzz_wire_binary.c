// SPDX-License-Identifier: Apache-2.0
/* fuzz_wire_binary.c: any bytes as a stream of 云快充 frames and, past the checksum, as any body.
 */
#include <stdlib.h>

#include "base/must.h"
#include "wire/frame.h"
#include "wire/ykc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void body(const struct wire_msg *m, struct str bytes)
{
    struct buf out, again;
    size_t tail = 0;
    void *object = malloc(m->req->size), *copy = malloc(m->req->size);
    must(object && copy);
    buf_init(&out, 4096);
    buf_init(&again, 4096);
    if (wire_bin_decode(m->req, bytes, object, &tail) == 0) {
        must(tail <= bytes.n);
        if (wire_bin_encode(m->req, object, &out) == 0) {
            must(wire_bin_decode(m->req, buf_str(&out), copy, NULL) == 0);
            must(wire_bin_encode(m->req, copy, &again) == 0);
            must(str_eq(buf_str(&out), buf_str(&again)));
        }
    }
    buf_free(&out);
    buf_free(&again);
    free(object);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct str rest = str_from((const char *)data, size);
    struct frame f;
    size_t used = 0;
    body(&ykc_proto.msg[data[0] % ykc_proto.n], str_from(rest.p + 1, rest.n - 1));
    while (rest.n > 0 && frame_next(rest, &f, &used, NULL)) {
        const struct wire_msg *m = wire_msg_by_code(&ykc_proto, f.type);
        must(used <= rest.n && f.body.n <= FRAME_BODY_MAX);
        if (m)
            body(m, f.body);
        rest = str_from(rest.p + used, rest.n - used);
    }
    return 0;
}
