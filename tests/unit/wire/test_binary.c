// SPDX-License-Identifier: Apache-2.0
/* test_binary.c: frames and bodies of 云快充: the vectors decode and encode to the same bytes; cut,
 * damaged, longer and noisy input. Usage: test_binary ykc_vectors.tsv */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "base/hash.h"
#include "wire/frame.h"
#include "wire/ykc.h"

static const char *vectors_path;

struct vector {
    uint8_t bytes[300];
    size_t n;
    unsigned type, body_n;
};

static bool vector_next(FILE *f, struct vector *v)
{
    static char line[2048];
    static char hex[1024];
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "%2x\t%u\t%1023[0-9A-F]", &v->type, &v->body_n, hex) != 3)
            continue;
        v->n = strlen(hex) / 2;
        assert_true(v->n <= sizeof v->bytes);
        assert_int_equal(str_from_hex(str_from_c(hex), v->bytes, v->n), 0);
        return true;
    }
    return false;
}

static void each_vector(void (*check)(const struct vector *v))
{
    FILE *f = fopen(vectors_path, "r");
    assert_non_null(f);
    struct vector v;
    int n = 0;
    for (; vector_next(f, &v); n++)
        check(&v);
    fclose(f);
    assert_int_equal(n, 65);
}

static struct frame frame_of(const struct vector *v)
{
    struct frame f = {0};
    size_t used = 0;
    uint64_t garbage = 0;
    assert_int_equal(frame_next(str_from((const char *)v->bytes, v->n), &f, &used, &garbage), 1);
    assert_int_equal(used, v->n);
    assert_int_equal(garbage, 0);
    assert_int_equal(f.type, v->type);
    return f;
}

static void check_vector(const struct vector *v)
{
    struct frame f = frame_of(v);
    struct buf out;
    buf_init(&out, 1024);
    assert_int_equal(frame_build(&f, &out), 0);
    assert_int_equal(out.n, v->n);
    assert_memory_equal(out.p, v->bytes, v->n);
    const struct wire_msg *m = wire_msg_by_code(&ykc_proto, f.type);
    assert_non_null(m);
    assert_int_equal(f.body.n, v->body_n);
    char *object = malloc(m->req->size);
    size_t tail = 99;
    assert_non_null(object);
    assert_int_equal(wire_bin_decode(m->req, f.body, object, &tail), 0);
    assert_int_equal(tail, 0);
    buf_reset(&out);
    assert_int_equal(wire_bin_encode(m->req, object, &out), 0);
    assert_int_equal(out.n, f.body.n);
    if (memcmp(out.p, f.body.p, out.n) != 0)
        fail_msg("frame %02X (%s) does not come back", f.type, m->name);
    free(object);
    buf_free(&out);
}

static void vectors_test(void **state)
{
    (void)state;
    each_vector(check_vector);
}

/* Cut at every byte: an error, unless what is missing is optional or a list to the end. A longer
 * body tells its tail. */
static void check_cut(const struct vector *v)
{
    struct frame f = frame_of(v);
    const struct wire_msg *m = wire_msg_by_code(&ykc_proto, f.type);
    if (!m)
        return;
    const struct wire_field *last = &m->req->field[m->req->n - 1];
    bool open = last->flags & (WIRE_OPTIONAL | WIRE_REST);
    char *object = malloc(m->req->size);
    assert_non_null(object);
    for (size_t n = 0; n < f.body.n; n++) {
        char *cut = malloc(n ? n : 1);
        assert_non_null(cut);
        memcpy(cut, f.body.p, n);
        int err = wire_bin_decode(m->req, str_from(cut, n), object, NULL);
        assert_true(err == ERR_SYNTAX || (err == 0 && open));
        free(cut);
    }
    char longer[300] = {0};
    memcpy(longer, f.body.p, f.body.n);
    size_t tail = 0;
    if (!open) {
        assert_int_equal(wire_bin_decode(m->req, str_from(longer, f.body.n + 5), object, &tail), 0);
        assert_int_equal(tail, 5);
    }
    free(object);
}

static void cut_test(void **state)
{
    (void)state;
    each_vector(check_cut);
}

static void values_test(void **state)
{
    (void)state;
    struct ykc_RealtimeData d = {.voltage = 4000,
                                 .current = 500,
                                 .cable_temp = 20,
                                 .battery_temp = -10,
                                 .order = "1",
                                 .pile = "55031412782305",
                                 .gun = "1",
                                 .cable_code = ""};
    struct ykc_RealtimeData back;
    struct buf out;
    buf_init(&out, 1024);
    assert_int_equal(wire_bin_encode(&ykc_RealtimeData_type, &d, &out), 0);
    assert_int_equal(out.n, 60);
    assert_int_equal(wire_bin_decode(&ykc_RealtimeData_type, buf_str(&out), &back, NULL), 0);
    assert_string_equal(back.order, "00000000000000000000000000000001");
    assert_string_equal(back.gun, "01");
    assert_int_equal(back.voltage, 4000);
    assert_int_equal(back.cable_temp, 20);
    assert_int_equal(back.battery_temp, -10);
    size_t before = out.n;
    d.voltage = 65536;
    assert_int_equal(wire_bin_encode(&ykc_RealtimeData_type, &d, &out), ERR_RANGE);
    d.voltage = -1;
    assert_int_equal(wire_bin_encode(&ykc_RealtimeData_type, &d, &out), ERR_RANGE);
    d.voltage = 0;
    d.gun[0] = 'A'; /* BCD takes decimal digits only */
    assert_int_equal(wire_bin_encode(&ykc_RealtimeData_type, &d, &out), ERR_RANGE);
    assert_int_equal(out.n, before);
    struct ykc_Work w = {.pile = "1", .percent = 20}; /* 30 to 100 */
    assert_int_equal(wire_bin_encode(&ykc_Work_type, &w, &out), ERR_RANGE);
    buf_free(&out);
}

/* The number of a record that is no BCD is acknowledged as it came, or the pile repeats it. */
static void record_number_test(void **state)
{
    (void)state;
    uint8_t body[158] = {0x55, 0x03, 0x14};
    struct ykc_Record record;
    struct ykc_RecordReply reply = {.result = 1};
    struct buf out;
    body[15] = 0xaf;
    assert_int_equal(
        wire_bin_decode(&ykc_Record_type, str_from((char *)body, sizeof body), &record, NULL), 0);
    memcpy(reply.order, record.order, sizeof reply.order);
    buf_init(&out, 100);
    assert_int_equal(wire_bin_encode(&ykc_RecordReply_type, &reply, &out), 0);
    assert_int_equal(out.n, 17);
    assert_memory_equal(out.p, body, 16);
    buf_free(&out);
}

/* A program version that is no ASCII must not become text that is no UTF-8: a database server
 * refuses such a row for ever. */
static void not_ascii_test(void **state)
{
    static const char body[30] = "\x55\x03\x14\x12\x78\x23\x05\0\x02\x0f"
                                 "V4.\xf5\xe4\xb8.0";
    struct ykc_Login login;
    (void)state;
    assert_int_equal(wire_bin_decode(&ykc_Login_type, str_from(body, sizeof body), &login, NULL),
                     0);
    assert_string_equal(login.program, "V4.???.0");
}

static void time_of(const char *hex, const char *expected)
{
    uint8_t body[14] = {0};
    struct ykc_Time t;
    char got[TIME_TEXT_SIZE] = "";
    assert_int_equal(str_from_hex(str_from_c(hex), body + 7, 7), 0);
    assert_int_equal(wire_bin_decode(&ykc_Time_type, str_from((char *)body, 14), &t, NULL), 0);
    if (t.time)
        time_format(t.time, got);
    assert_string_equal(got, expected);
}

static void cp56_test(void **state)
{
    (void)state;
    time_of("98B70E11100314", "2020-03-16T17:14:47.000Z");
    time_of("98B70E11B00314", "2020-03-16T17:14:47.000Z"); /* weekday bits */
    time_of("98B7CEF1100394", "2020-03-16T17:14:47.000Z"); /* reserved bits */
    time_of("00000000000000", "");
    time_of("98B70E111F0214", ""); /* 31 February */
    time_of("98B70E11100014", ""); /* month 0 */
    time_of("FFFF0E11100314", ""); /* 65 s */
}

static void stream_test(void **state)
{
    (void)state;
    static const uint8_t ack[] = {0x68, 0x0C, 0,    0,    0, 2, 0x55, 3,
                                  0x14, 0x12, 0x78, 0x23, 5, 0, 0xDA, 0x4C};
    uint8_t s[64] = {0x00, 0x68, 0x68, 0x02, 0x68, 0x04, 1, 2, 3, 4, 5, 6};
    memcpy(s + 12, ack, sizeof ack);
    struct frame f;
    size_t used = 0;
    uint64_t garbage = 0;
    size_t total = 12 + sizeof ack, from = 0;
    int got = 0;
    for (size_t n = 1; n <= total && !got; n++) { /* byte by byte */
        got = frame_next(str_from((char *)s + from, n - from), &f, &used, &garbage);
        from += used;
    }
    /* The 0x68 0x68 near the start promises a longer frame than came: only more bytes can tell. */
    if (!got) {
        memcpy(s + total, ack, sizeof ack);
        uint8_t more[200] = {0};
        memcpy(more, s + from, total + sizeof ack - from);
        got = frame_next(str_from((char *)more, sizeof more), &f, &used, &garbage);
    }
    assert_int_equal(got, 1);
    assert_int_equal(f.type, 2);
    assert_int_equal(garbage, 12);
    struct frame big = {.body = {(const char *)s, 252}};
    struct buf out;
    buf_init(&out, 1024);
    assert_int_equal(frame_build(&big, &out), ERR_RANGE);
    buf_free(&out);
}

static void noise_test(void **state)
{
    (void)state;
    struct rng rng = {7};
    uint8_t bytes[512];
    for (int i = 0; i < 20000; i++) {
        size_t n = rng_below(&rng, sizeof bytes);
        for (size_t k = 0; k < n; k++)
            bytes[k] = rng_below(&rng, 8) ? (uint8_t)rng_next(&rng) : 0x68;
        struct frame f;
        size_t used = 0;
        (void)frame_next(str_from((char *)bytes, n), &f, &used, NULL);
        assert_true(used <= n);
        const struct wire_msg *m = &ykc_proto.msg[rng_below(&rng, ykc_proto.n)];
        char *object = malloc(m->req->size);
        assert_non_null(object);
        int err = wire_bin_decode(m->req, str_from((char *)bytes, n), object, NULL);
        assert_true(err <= 0);
        free(object);
    }
}

/* Whatever can be read and written comes back the same, of every frame that we may send too. */
static void round_test(void **state)
{
    (void)state;
    struct rng rng = {11};
    struct buf out, again;
    int written = 0;
    buf_init(&out, 1024);
    buf_init(&again, 1024);
    for (uint16_t k = 0; k < ykc_proto.n; k++) {
        const struct wire_msg *m = &ykc_proto.msg[k];
        char *a = malloc(m->req->size), *b = malloc(m->req->size);
        assert_true(a && b);
        for (int i = 0; i < 300; i++) {
            char bytes[FRAME_BODY_MAX];
            for (size_t n = 0; n < sizeof bytes; n++) /* BCD and bounds like small digits */
                bytes[n] = (char)(rng_below(&rng, 8) * 16 + rng_below(&rng, 8));
            buf_reset(&out);
            if (wire_bin_decode(m->req, str_from(bytes, sizeof bytes), a, NULL) != 0 ||
                wire_bin_encode(m->req, a, &out) != 0)
                continue;
            assert_int_equal(wire_bin_decode(m->req, buf_str(&out), b, NULL), 0);
            buf_reset(&again);
            assert_int_equal(wire_bin_encode(m->req, b, &again), 0);
            assert_true(str_eq(buf_str(&out), buf_str(&again)));
            written++;
        }
        free(a);
        free(b);
    }
    assert_true(written > ykc_proto.n * 30);
    buf_free(&again);
    buf_free(&out);
}

static void show_test(void **state)
{
    (void)state;
    struct ykc_RealtimeData d = {
        .order = "1", .pile = "55031412782305", .gun = "01", .voltage = 4005, .cable_temp = -10};
    struct ykc_CardSync c = {.pile = "7", .cards = {{"1", "2"}, {"3", "4"}}, .cards_n = 2};
    struct buf out;
    buf_init(&out, 4096);
    wire_bin_show(&ykc_RealtimeData_type, &d, &out);
    buf_put_char(&out, 0);
    assert_non_null(strstr(out.p, "\"voltage\":400.5,"));
    assert_non_null(strstr(out.p, "\"cable_temp\":-10,"));
    buf_reset(&out);
    wire_bin_show(&ykc_CardSync_type, &c, &out);
    buf_put_char(&out, 0);
    assert_string_equal(out.p, "{\"pile\":\"7\",\"cards\":[{\"logical\":\"1\",\"physical\":\"2\"},"
                               "{\"logical\":\"3\",\"physical\":\"4\"}]}");
    buf_reset(&out);
    struct ykc_Time t = {.pile = "7", .time = 1584378887000};
    wire_bin_show(&ykc_Time_type, &t, &out);
    buf_put_char(&out, 0);
    assert_string_equal(out.p, "{\"pile\":\"7\",\"time\":\"2020-03-16T17:14:47.000\"}");
    buf_free(&out);
}

int main(int argc, char **argv)
{
    vectors_path = argc > 1 ? argv[1] : "ykc_vectors.tsv";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_test),       cmocka_unit_test(cut_test),
        cmocka_unit_test(values_test),        cmocka_unit_test(cp56_test),
        cmocka_unit_test(stream_test),        cmocka_unit_test(noise_test),
        cmocka_unit_test(record_number_test), cmocka_unit_test(round_test),
        cmocka_unit_test(show_test),          cmocka_unit_test(not_ascii_test),
    };
    return cmocka_run_group_tests_name("wire binary", tests, NULL, NULL);
}
