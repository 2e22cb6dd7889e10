// SPDX-License-Identifier: Apache-2.0
/* tape_ocpp.c: any text as an OCPP-J message, down to the samples in it. A call that is understood
 * can be written and reads back as the same call, action and payload; answers, errors and the
 * core's own calls are frames that we would read ourselves. */
#include "tape.h"

#include "base/err.h"
#include "gate/ocpp/ocpp_conn.h"
#include "gate/ocpp/ocpp_sample.h"

enum { MEMORY = 4 << 20, TEXT_MAX = 1 << 20 };

static void meter_values(const struct ocpp16_MeterValue *v, uint32_t n)
{
    struct core_sample s[OCPP_SAMPLES_PER_VALUE];
    uint64_t odd = 0;
    for (uint32_t i = 0; i < n; i++) {
        int got = ocpp_samples(&v[i], s, &odd);
        must(got >= 0 && got <= OCPP_SAMPLES_PER_VALUE);
        for (int k = 0; k < got; k++)
            must(s[k].soc_pm == SAMPLE_NONE32 || (s[k].soc_pm >= 0 && s[k].soc_pm <= 1000));
    }
}

static void same_call(const struct ocpp_frame *f, const struct wire_type *t, const void *req,
                      struct arena *a)
{
    struct ocpp_frame again;
    struct buf text, payload;
    void *copy = arena_alloc(a, t->size);
    buf_init(&payload, TEXT_MAX);
    buf_init(&text, TEXT_MAX);
    if (copy && wire_json_encode(t, req, &payload) == 0) {
        ocpp_frame_put_call(&text, f->id, f->action);
        buf_put_str(&text, buf_str(&payload));
        buf_put_char(&text, ']');
        int err = ocpp_frame_parse(buf_str(&text), a, &again);
        must(err == 0 || err == ERR_TOO_LARGE);
        if (err == 0) {
            must(again.kind == OCPP_CALL && str_eq(again.id, f->id));
            must(str_eq(again.action, f->action) && str_eq(again.payload, buf_str(&payload)));
        }
    }
    buf_free(&payload);
    buf_free(&text);
}

static void call(const struct ocpp_frame *f, struct arena *a)
{
    const struct wire_msg *m = wire_msg_find(&ocpp16_proto, f->action);
    void *req = m ? arena_alloc(a, m->req->size) : NULL;
    if (!req || wire_json_decode(m->req, f->payload, a, req, WIRE_LENIENT, NULL))
        return;
    same_call(f, m->req, req, a);
    if (m->req == &ocpp16_MeterValues_req_type) {
        const struct ocpp16_MeterValues_req *r = req;
        meter_values(r->meterValue, r->meterValue_n);
    } else if (m->req == &ocpp16_StopTransaction_req_type) {
        const struct ocpp16_StopTransaction_req *r = req;
        meter_values(r->transactionData, r->transactionData_n);
    }
}

static void result(const struct ocpp_frame *f, struct arena *a)
{
    static struct cmd_call_result r; /* large */
    memset(&r, 0, sizeof r);
    ocpp_call_result(f->payload, a, &r);
    must(memchr(r.status, 0, sizeof r.status) && r.n <= sizeof r.payload);
    must(str_utf8_valid(str_from(r.payload, r.n)));
}

/* An error with these words is a frame with these words, as many as fit. */
static void refusal(const struct ocpp_frame *f, struct arena *a)
{
    struct ocpp_frame again;
    struct buf b;
    buf_init(&b, TEXT_MAX);
    ocpp_frame_put_error(&b, f->id, "GenericError", f->action);
    int err = ocpp_frame_parse(buf_str(&b), a, &again);
    must(err == 0 || err == ERR_TOO_LARGE);
    if (err == 0) {
        must(again.kind == OCPP_ERROR && str_eq(again.id, f->id));
        must(str_eq_c(again.code, "GenericError") && str_starts(f->action, again.description));
        must(again.description.n == f->action.n || again.description.n > 250);
    }
    buf_free(&b);
}

/* A call that the console sends: what leaves is right or it does not leave. */
static void raw_call(struct tape *t, struct arena *a)
{
    static struct out_call c; /* large */
    struct ocpp_frame f;
    struct buf b;
    memset(&c, 0, sizeof c);
    c.command = 1 + tape_byte(t);
    c.kind = tape_byte(t) % 10;
    c.connector = tape_byte(t);
    c.tx = (int32_t)tape_uint(t, 4);
    c.limit_w = (int32_t)tape_uint(t, 4);
    c.zero_after_s = tape_byte(t);
    c.interval_s = tape_byte(t);
    str_copy(c.action, sizeof c.action, tape_take(t, tape_byte(t) % 41));
    str_copy(c.tag, sizeof c.tag, tape_take(t, tape_byte(t) % 37));
    struct str payload = tape_rest(t);
    c.n = (uint32_t)(payload.n < sizeof c.payload ? payload.n : sizeof c.payload);
    if (c.n)
        memcpy(c.payload, payload.p, c.n);
    buf_init(&b, TEXT_MAX);
    if (ocpp_call_build(&c, a, &b) == 0) {
        must(ocpp_frame_parse(buf_str(&b), a, &f) == 0 && f.kind == OCPP_CALL);
        const struct wire_msg *m = wire_msg_find(&ocpp16_proto, f.action);
        void *req = m ? arena_alloc(a, m->req->size) : NULL;
        must(req && wire_json_decode(m->req, f.payload, a, req, WIRE_STRICT, NULL) == 0);
    }
    buf_free(&b);
}

int tape_ocpp(const uint8_t *p, size_t n)
{
    struct tape t = {p, p + n};
    struct arena a;
    struct ocpp_frame f;
    arena_init(&a, MEMORY);
    if (n > 0 && *p == 'R') {
        (void)tape_byte(&t);
        raw_call(&t, &a);
    } else if (n <= TEXT_MAX / 8 && ocpp_frame_parse(tape_rest(&t), &a, &f) == 0) {
        must(f.id.n > 0 && f.id.n <= OCPP_ID_MAX && str_utf8_valid(f.id));
        must(str_utf8_valid(str_from((const char *)p, n)));
        if (f.kind == OCPP_CALL) {
            call(&f, &a);
            refusal(&f, &a);
        } else if (f.kind == OCPP_RESULT) {
            result(&f, &a);
        }
    }
    arena_free(&a);
    return 0;
}
