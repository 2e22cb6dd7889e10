// SPDX-License-Identifier: Apache-2.0
/* tape_ykc.c: any bytes as a stream of 云快充 frames. However the stream is cut, the same frames
 * come out and the same bytes count as garbage; each frame is what its writer would write; a good
 * frame behind rubbish is found; what a gate makes of a body stays within its fields. */
#include "tape.h"

#include <stdlib.h>
#include "base/hash.h"
#include "gate/ykc/ykc_conn.h"
#include "wire/frame.h"
#include "wire/ykc.h"

enum { STREAM_MAX = 1 << 16 };

struct seen {
    uint64_t frames, sum, garbage;
    size_t left; /* bytes that wait for more */
};

static void frame_see(struct seen *s, const struct frame *f, struct str bytes)
{
    struct buf b;
    buf_init(&b, FRAME_MAX);
    must(f->body.n <= FRAME_BODY_MAX && frame_build(f, &b) == 0);
    must(b.n <= bytes.n && memcmp(b.p, bytes.p + bytes.n - b.n, b.n) == 0);
    s->sum = hash_bytes(b.p, b.n, s->sum);
    s->frames++;
    buf_free(&b);
}

/* Gives the stream in pieces of 1 to `most` bytes. */
static void stream_read(struct str all, struct rng *rng, size_t most, struct seen *s)
{
    struct buf have;
    *s = (struct seen){0};
    buf_init(&have, STREAM_MAX);
    for (size_t at = 0; at < all.n;) {
        struct frame f;
        size_t used, n = 1 + rng_below(rng, most);
        n = n < all.n - at ? n : all.n - at;
        buf_put(&have, all.p + at, n);
        at += n;
        while (frame_next(buf_str(&have), &f, &used, &s->garbage)) {
            must(used <= have.n);
            frame_see(s, &f, str_from(have.p, used));
            buf_drop(&have, used);
        }
        must(used <= have.n);
        buf_drop(&have, used);
    }
    s->left = have.n;
    must(!have.err);
    buf_free(&have);
}

static void pieces(struct str all)
{
    struct rng rng = {hash_bytes(all.p, all.n, 1)};
    struct seen whole, cut, single;
    if (all.n == 0)
        return;
    stream_read(all, &rng, all.n, &whole);
    stream_read(all, &rng, 7, &cut);
    stream_read(all, &rng, 1, &single);
    must(whole.frames == cut.frames && whole.sum == cut.sum && whole.garbage == cut.garbage);
    must(whole.frames == single.frames && whole.sum == single.sum && whole.left == single.left);
    must(whole.left == cut.left && whole.left <= FRAME_MAX);
}

/* Rubbish without the start byte, then a frame of these bytes. */
static void found_again(struct tape *t)
{
    struct str rubbish = tape_take(t, tape_byte(t));
    struct frame f = {.type = tape_byte(t),
                      .enc = tape_byte(t),
                      .seq = {tape_byte(t), tape_byte(t)},
                      .crc_high_first = tape_byte(t) & 1},
                 got;
    struct buf b;
    size_t used;
    uint64_t garbage = 0;
    if (str_find(rubbish, 0x68) >= 0)
        return;
    f.body = tape_take(t, FRAME_BODY_MAX);
    buf_init(&b, STREAM_MAX);
    buf_put_str(&b, rubbish);
    must(frame_build(&f, &b) == 0);
    must(frame_next(buf_str(&b), &got, &used, &garbage) == 1);
    must(garbage == rubbish.n && used == b.n && str_eq(got.body, f.body) && got.type == f.type);
    must(got.enc == f.enc && memcmp(got.seq, f.seq, 2) == 0);
    buf_free(&b);
}

static void record(const struct ykc_Record *r)
{
    struct cmd_tx_record out = {0};
    ykc_record(ykc_profile(0), r, 8 * 3600, &out);
    must(memchr(out.tx_no, 0, sizeof out.tx_no) && memchr(out.vin, 0, sizeof out.vin) &&
         memchr(out.card, 0, sizeof out.card));
    must(out.stop >= STOP_NONE && out.stop <= STOP_OTHER);
}

static void meaning(uint8_t type, struct str body)
{
    const struct wire_msg *m = wire_msg_by_code(&ykc_proto, type);
    void *object = m ? malloc(m->req->size) : NULL;
    if (m && wire_bin_decode(m->req, body, object, NULL) == 0) {
        if (m->req == &ykc_RealtimeData_type) {
            struct core_sample s;
            enum connector_status state = ykc_status(object, CS_CHARGING);
            ykc_sample(object, &s);
            must(state >= CS_OFFLINE && state <= CS_FAULTED);
            must(ykc_fault(((const struct ykc_RealtimeData *)object)->faults));
        } else if (m->req == &ykc_Record_type) {
            record(object);
        } else if (m->req == &ykc_Record17_type) {
            struct ykc_Record r;
            ykc_record17(object, &r);
            record(&r);
        }
    }
    free(object);
}

int tape_ykc(const uint8_t *p, size_t n)
{
    struct tape t = {p, p + n};
    uint8_t way = tape_byte(&t);
    if (n > STREAM_MAX)
        return 0;
    if (way == 'F')
        found_again(&t);
    else if (way == 'B')
        meaning(tape_byte(&t), tape_rest(&t));
    else
        pieces(str_from((const char *)p, n));
    return 0;
}
