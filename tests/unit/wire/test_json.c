// SPDX-License-Identifier: Apache-2.0
/* test_json.c: the JSON side of the message engine, against the OCPP 1.6 table: every action both
 * ways with random content, every field of every message with what must be refused, and odd but
 * acceptable input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "wire/json.h"
#include "wire/ocpp16.h"

static struct arena arena, arena2;
static struct buf text, text2;
static struct rng rng;
static _Alignas(16) char object[4096], object2[4096];

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    arena_init(&arena2, 1 << 20);
    buf_init(&text, 1 << 20);
    buf_init(&text2, 1 << 20);
    rng.s = 20250131;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    arena_free(&arena2);
    buf_free(&text);
    buf_free(&text2);
    return 0;
}

/* ---- random content by the same rows ---- */

static struct str random_text(int64_t hi)
{
    static const char *const parts[] = {"a", "Z",  "7",    " ", "\"", "\\",
                                        "/", "\n", "\x01", "é", "充", "😀"};
    char *p = arena_alloc(&arena, 256);
    size_t n = 0, chars = (size_t)rng_below(&rng, (uint64_t)(hi > 30 ? 30 : hi) + 1);
    assert_non_null(p);
    for (size_t i = 0; i < chars; i++) {
        struct str part = str_from_c(parts[rng_below(&rng, ARRAY_LEN(parts))]);
        memcpy(p + n, part.p, part.n);
        n += part.n;
    }
    return str_from(p, n);
}

static void random_object(const struct wire_type *t, char *out);

static void random_one(const struct wire_field *f, char *to)
{
    switch (f->kind) {
    case WIRE_BOOL:
        *(bool *)to = rng_below(&rng, 2);
        break;
    case WIRE_TEXT:
        *(struct str *)(void *)to = random_text(f->hi);
        break;
    case WIRE_ENUM:
        *(int *)(void *)to = 1 + (int)rng_below(&rng, f->en->n);
        break;
    case WIRE_TYPE:
        random_object(f->type, to);
        break;
    case WIRE_DATETIME:
        *(int64_t *)(void *)to = rng_range(&rng, 0, INT64_C(4102444800000));
        break;
    default:
        *(int64_t *)(void *)to = rng_range(&rng, -2000000000, 2000000000);
    }
}

static void random_field(const struct wire_field *f, char *out)
{
    if (f->has) {
        *(bool *)(out + f->has) = rng_below(&rng, 2);
        if (!*(bool *)(out + f->has))
            return;
    }
    if (!(f->flags & WIRE_ARRAY)) {
        random_one(f, out + f->offset);
        return;
    }
    uint32_t n = f->min_n + (uint32_t)rng_below(&rng, 7);
    char *v = arena_array(&arena, n + 1, f->size);
    assert_non_null(v);
    for (uint32_t i = 0; i < n; i++)
        random_one(f, v + (size_t)i * f->size);
    memcpy(out + f->offset, &v, sizeof v);
    memcpy(out + f->count, &n, sizeof n);
}

static void random_object(const struct wire_type *t, char *out)
{
    for (uint16_t i = 0; i < t->n; i++)
        random_field(&t->field[i], out);
}

/* Leaves a random message in `object` and its text in `text`. */
static void random_message(const struct wire_type *t)
{
    arena_reset(&arena);
    buf_reset(&text);
    assert_true(t->size <= sizeof object);
    memset(object, 0, sizeof object);
    random_object(t, object);
    assert_int_equal(wire_json_encode(t, object, &text), 0);
}

static int decode(const struct wire_type *t, struct str s, unsigned mode, struct wire_error *e)
{
    arena_reset(&arena2);
    return wire_json_decode(t, s, &arena2, object2, mode, e);
}

static void each_type(void (*check)(const struct wire_type *t))
{
    for (uint16_t i = 0; i < ocpp16_proto.type_n; i++)
        check(ocpp16_proto.type[i]);
}

static void check_round_trip(const struct wire_type *t)
{
    struct wire_error e;
    for (int i = 0; i < 200; i++) {
        random_message(t);
        unsigned mode = i % 2 ? WIRE_STRICT : WIRE_LENIENT;
        if (decode(t, buf_str(&text), mode, &e) != 0)
            fail_msg("%s: %s: %s in %.*s", t->name, e.path, e.reason, STR_FMT(buf_str(&text)));
        assert_int_equal(e.overlong + e.unknown + e.odd, 0);
        buf_reset(&text2);
        assert_int_equal(wire_json_encode(t, object2, &text2), 0);
        assert_true(str_eq(buf_str(&text), buf_str(&text2)));
    }
}

static void round_trip_test(void **state)
{
    (void)state;
    assert_int_equal(ocpp16_proto.n, 28);
    each_type(check_round_trip);
}

/* A message cut anywhere is refused; the bytes sit at the end of their own block so that a
 * sanitizer sees any step over it. */
static void check_truncated(const struct wire_type *t)
{
    random_message(t);
    for (size_t n = 0; n < text.n; n++) {
        char *cut = malloc(n ? n : 1);
        assert_non_null(cut);
        memcpy(cut, text.p, n);
        assert_int_equal(decode(t, str_from(cut, n), n % 2, NULL), ERR_SYNTAX);
        free(cut);
    }
}

static void truncated_test(void **state)
{
    (void)state;
    each_type(check_truncated);
}

/* Random bytes in random places: any answer will do, but memory stays whole. */
static void check_noise(const struct wire_type *t)
{
    for (int i = 0; i < 200; i++) {
        random_message(t);
        for (int k = 0; k < 3; k++)
            text.p[rng_below(&rng, text.n)] = (char)rng_next(&rng);
        int err = decode(t, buf_str(&text), (unsigned)i % 2, NULL);
        assert_true(err <= 0);
    }
}

static void noise_test(void **state)
{
    (void)state;
    each_type(check_noise);
}

/* The full form of a type as text with one member replaced by `value`, or left out when value is
 * NULL. */
static void message_with(const struct wire_type *t, uint16_t which, const char *value)
{
    random_message(t);
    struct json_reader r;
    json_reader_init(&r, buf_str(&text));
    buf_reset(&text2);
    buf_put_char(&text2, '{');
    char c = json_take(&r, '{') ? 0 : 1;
    assert_int_equal(c, 0);
    const struct wire_field *f = &t->field[which];
    while (!json_take(&r, '}')) {
        struct str name, v;
        assert_int_equal(json_string(&r, &arena, &name), 0);
        assert_true(json_take(&r, ':'));
        assert_int_equal(json_skip(&r, 64, &v), 0);
        json_take(&r, ',');
        if (str_eq_c(name, f->name))
            continue;
        if (text2.n > 1)
            buf_put_char(&text2, ',');
        buf_put_json(&text2, name);
        buf_put_char(&text2, ':');
        buf_put_str(&text2, v);
    }
    if (value)
        buf_printf(&text2, "%s\"%s\":%s", text2.n > 1 ? "," : "", f->name, value);
    buf_put_char(&text2, '}');
}

static int judge(const struct wire_type *t, uint16_t which, const char *value, unsigned mode,
                 struct wire_error *e)
{
    message_with(t, which, value);
    return decode(t, buf_str(&text2), mode, e);
}

static void check_bad_fields(const struct wire_type *t)
{
    struct wire_error e;
    for (uint16_t i = 0; i < t->n; i++) {
        const struct wire_field *f = &t->field[i];
        bool optional = f->flags & WIRE_OPTIONAL, array = f->flags & WIRE_ARRAY;
        assert_int_equal(judge(t, i, NULL, WIRE_STRICT, &e), optional ? 0 : ERR_REQUIRED);
        if (!optional)
            assert_string_equal(e.path, f->name);
        assert_int_equal(judge(t, i, "null", WIRE_LENIENT, &e), optional ? 0 : ERR_REQUIRED);
        const char *wrong = array ? "7" : f->kind == WIRE_TYPE ? "[]" : "{\"a\":[1]}";
        assert_int_equal(judge(t, i, wrong, WIRE_STRICT, &e), ERR_TYPE);
        assert_int_equal(judge(t, i, wrong, WIRE_LENIENT, &e), ERR_TYPE);
        assert_string_equal(e.path, f->name);
        if (f->kind == WIRE_INT && !array) {
            assert_int_equal(judge(t, i, "99999999999999999999", WIRE_LENIENT, &e), ERR_RANGE);
            assert_int_equal(judge(t, i, "\"7\"", WIRE_STRICT, &e), ERR_TYPE);
            assert_int_equal(judge(t, i, "7.5", WIRE_STRICT, &e), ERR_TYPE);
            assert_int_equal(judge(t, i, "\"7\"", WIRE_LENIENT, &e), 0);
            assert_int_equal(e.odd, 1);
        }
        if (f->kind == WIRE_ENUM && !array) {
            assert_int_equal(judge(t, i, "\"Nonsense\"", WIRE_STRICT, &e), ERR_RANGE);
            assert_int_equal(judge(t, i, "\"Nonsense\"", WIRE_LENIENT, &e), 0);
            assert_int_equal(e.unknown, 1);
        }
        if (f->kind == WIRE_TEXT && !array && f->hi < 1000) {
            char longer[1100] = "\"";
            memset(longer + 1, 'x', (size_t)f->hi + 1);
            longer[f->hi + 2] = '"';
            assert_int_equal(judge(t, i, longer, WIRE_STRICT, &e), ERR_RANGE);
            assert_int_equal(judge(t, i, longer, WIRE_LENIENT, &e), 0);
            assert_int_equal(e.overlong, 1);
            assert_int_equal(((struct str *)(void *)(object2 + f->offset))->n, f->hi + 1);
        }
        if (f->kind == WIRE_TEXT && !array) {
            assert_int_equal(judge(t, i, "\"\xC3\x28\"", WIRE_LENIENT, &e), ERR_SYNTAX);
            assert_int_equal(judge(t, i, "\"\xED\xA0\x80\"", WIRE_LENIENT, &e), ERR_SYNTAX);
            assert_int_equal(judge(t, i, "\"\\ud800x\"", WIRE_LENIENT, &e), ERR_SYNTAX);
        }
        if (f->kind == WIRE_DATETIME)
            assert_int_equal(judge(t, i, "\"yesterday\"", WIRE_STRICT, &e), ERR_TYPE);
        if (array && f->min_n)
            assert_int_equal(judge(t, i, "[]", WIRE_STRICT, &e), ERR_RANGE);
    }
}

static void bad_fields_test(void **state)
{
    (void)state;
    each_type(check_bad_fields);
}

static void unknown_and_twice_test(void **state)
{
    (void)state;
    struct wire_error e;
    const struct wire_type *t = &ocpp16_Authorize_req_type;
    struct str extra =
        STR_LIT(" { \"x\" : [ {\"y\":[1,2,{}]} , null ] ,\r\n\t\"idTag\" : \"A\" } ");
    assert_int_equal(decode(t, extra, WIRE_STRICT, &e), ERR_NOT_FOUND);
    assert_string_equal(e.path, "x");
    assert_int_equal(decode(t, extra, WIRE_LENIENT, &e), 0);
    assert_int_equal(e.unknown, 1);
    struct str twice = STR_LIT("{\"idTag\":\"A\",\"idTag\":\"B\"}");
    assert_int_equal(decode(t, twice, WIRE_STRICT, &e), ERR_CONFLICT);
    assert_int_equal(decode(t, twice, WIRE_LENIENT, &e), 0);
    assert_int_equal(decode(t, STR_LIT("{\"idTag\":\"A\"} x"), WIRE_LENIENT, &e), ERR_SYNTAX);
    assert_int_equal(decode(t, STR_LIT("[]"), WIRE_LENIENT, &e), ERR_TYPE);
    assert_int_equal(decode(t, STR_LIT("{\"idTag\":\"A\",}"), WIRE_LENIENT, &e), ERR_SYNTAX);
}

static void depth_test(void **state)
{
    (void)state;
    struct wire_error e;
    char deep[200];
    for (int depth = 31; depth <= 34; depth++) {
        size_t n = 0;
        n += (size_t)snprintf(deep, sizeof deep, "{\"idTag\":\"A\",\"x\":");
        for (int i = 0; i < depth; i++)
            deep[n++] = '[';
        for (int i = 0; i < depth; i++)
            deep[n++] = ']';
        deep[n++] = '}';
        int err = decode(&ocpp16_Authorize_req_type, str_from(deep, n), WIRE_LENIENT, &e);
        assert_int_equal(err, depth <= WIRE_DEPTH ? 0 : ERR_SYNTAX);
    }
}

static void path_test(void **state)
{
    (void)state;
    struct wire_error e;
    struct str s = STR_LIT("{\"connectorId\":1,\"meterValue\":[{\"timestamp\":\"2026-01-01T00:00:"
                           "00Z\",\"sampledValue\":[{\"value\":"
                           "\"1\"},{\"value\":{}}]}]}");
    assert_int_equal(decode(&ocpp16_MeterValues_req_type, s, WIRE_LENIENT, &e), ERR_TYPE);
    assert_string_equal(e.path, "meterValue[0].sampledValue[1].value");
    assert_string_equal(e.reason, "a string is expected");
    assert_int_equal(e.err, ERR_TYPE);
}

/* What the field sends: empty texts, numbers for texts, odd case, odd times. */
static void field_notes_test(void **state)
{
    (void)state;
    struct wire_error e;
    struct ocpp16_StopTransaction_req stop;
    struct str s = STR_LIT("{\"transactionId\":-1,\"meterStop\":\"1500.0\",\"timestamp\":\"\","
                           "\"reason\":\"\",\"idTag\":\"\","
                           "\"transactionData\":[]}");
    arena_reset(&arena2);
    assert_int_equal(
        wire_json_decode(&ocpp16_StopTransaction_req_type, s, &arena2, &stop, WIRE_LENIENT, &e), 0);
    assert_int_equal(stop.transactionId, -1);
    assert_int_equal(stop.meterStop, 1500);
    assert_int_equal(stop.timestamp, 0);
    assert_false(stop.has.reason);
    assert_true(stop.has.idTag && stop.idTag.n == 0);
    struct ocpp16_StatusNotification_req st;
    s = STR_LIT(
        "{\"connectorId\":1,\"errorCode\":\"noerror\",\"status\":\"Charging\",\"info\":12}");
    assert_int_equal(
        wire_json_decode(&ocpp16_StatusNotification_req_type, s, &arena2, &st, WIRE_LENIENT, &e),
        0);
    assert_int_equal(st.errorCode, ocpp16_ChargePointErrorCode_NoError);
    assert_int_equal(st.status, ocpp16_ChargePointStatus_Charging);
    assert_true(st.has.info && str_eq_c(st.info, "12"));
}

static void outbound_limits_test(void **state)
{
    (void)state;
    struct ocpp16_RemoteStartTransaction_req m = {.idTag = STR_LIT("123456789012345678901")};
    buf_reset(&text);
    buf_put_c(&text, "kept");
    assert_int_equal(wire_json_encode(&ocpp16_RemoteStartTransaction_req_type, &m, &text),
                     ERR_RANGE);
    assert_int_equal(text.n, 4);
    struct ocpp16_Reset_req none = {0};
    /* Twenty-one bytes that are no UTF-8 would become as many characters. */
    m.idTag = str_from(
        "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", 21);
    assert_int_equal(wire_json_encode(&ocpp16_RemoteStartTransaction_req_type, &m, &text),
                     ERR_RANGE);
    assert_int_equal(wire_json_encode(&ocpp16_Reset_req_type, &none, &text), ERR_RANGE);
    struct ocpp16_MeterValues_req empty = {.connectorId = 1};
    assert_int_equal(wire_json_encode(&ocpp16_MeterValues_req_type, &empty, &text), ERR_RANGE);
    struct ocpp16_ChargingSchedulePeriod p = {.limit = 161};
    buf_reset(&text);
    assert_int_equal(wire_json_encode(&ocpp16_ChargingSchedulePeriod_type, &p, &text), 0);
    assert_true(str_eq_c(buf_str(&text), "{\"startPeriod\":0,\"limit\":16.1}"));
}

static void arena_limit_test(void **state)
{
    (void)state;
    struct arena small;
    struct wire_error e;
    arena_init(&small, 256);
    random_message(&ocpp16_Authorize_req_type);
    buf_reset(&text);
    buf_put_c(&text, "{\"connectorId\":1,\"meterValue\":[");
    for (int i = 0; i < 100; i++)
        buf_put_c(&text,
                  i ? ",{}" : "{\"timestamp\":\"2026-01-01T00:00:00Z\",\"sampledValue\":[]}");
    buf_put_c(&text, "]}");
    assert_true(wire_json_decode(&ocpp16_MeterValues_req_type, buf_str(&text), &small, object2,
                                 WIRE_LENIENT, &e) < 0);
    arena_free(&small);
}

static void lookup_test(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < ocpp16_proto.n; i++)
        assert_ptr_equal(wire_msg_find(&ocpp16_proto, str_from_c(ocpp16_proto.msg[i].name)),
                         &ocpp16_proto.msg[i]);
    assert_null(wire_msg_find(&ocpp16_proto, STR_LIT("Nope")));
    assert_null(wire_msg_find(&ocpp16_proto, STR_NONE));
    assert_int_equal(wire_enum_find(&ocpp16_Phase_enum, STR_LIT("L1-N")), ocpp16_Phase_L1_N);
    assert_int_equal(wire_enum_text(&ocpp16_Phase_enum, 0).n, 0);
    assert_int_equal(wire_enum_text(&ocpp16_Phase_enum, 99).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip_test),
        cmocka_unit_test(truncated_test),
        cmocka_unit_test(noise_test),
        cmocka_unit_test(bad_fields_test),
        cmocka_unit_test(unknown_and_twice_test),
        cmocka_unit_test(depth_test),
        cmocka_unit_test(path_test),
        cmocka_unit_test(field_notes_test),
        cmocka_unit_test(outbound_limits_test),
        cmocka_unit_test(arena_limit_test),
        cmocka_unit_test(lookup_test),
    };
    return cmocka_run_group_tests_name("wire json", tests, setup, teardown);
}
