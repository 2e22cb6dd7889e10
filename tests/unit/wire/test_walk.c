// SPDX-License-Identifier: Apache-2.0
/* test_walk.c: messages field by field: paths, places, names, what no table knows, broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "wire/ocpp16.h"
#include "wire/walk.h"
#include "wire/ykc.h"

struct seen {
    struct buf text;
    size_t end; /* of the last leaf */
    int personal, secret, unknown, named, leaves;
};
static struct seen seen;

static int note(void *ctx, const struct wire_leaf *l)
{
    struct seen *s = ctx;

    assert_true(l->at >= s->end);
    s->end = l->at + l->n;
    s->leaves++;
    s->unknown += l->field == NULL;
    s->named += l->field != NULL && l->field->zh != NULL && l->field->label != NULL;
    s->personal += l->field != NULL && (l->field->flags & WIRE_PERSONAL);
    s->secret += l->field != NULL && (l->field->flags & WIRE_SECRET);
    buf_printf(&s->text, "%.*s@%zu+%zu=%.*s;", STR_FMT(l->path), l->at, l->n, STR_FMT(l->value));
    return 0;
}

static int walk_json(const struct wire_type *t, const char *json)
{
    struct arena a;

    arena_init(&a, 1 << 20);
    buf_reset(&seen.text);
    seen.end = 0;
    seen.personal = seen.secret = seen.unknown = seen.named = seen.leaves = 0;
    int err = wire_json_walk(t, str_from_c(json), &a, note, &seen);

    buf_put_char(&seen.text, '\0');
    arena_free(&a);
    return err;
}

static int walk_bin(const struct wire_type *t, struct str body)
{
    buf_reset(&seen.text);
    seen.end = 0;
    seen.personal = seen.secret = seen.unknown = seen.named = seen.leaves = 0;
    int err = wire_bin_walk(t, body, note, &seen);

    buf_put_char(&seen.text, '\0');
    return err;
}

static void json_test(void **state)
{
    (void)state;
    assert_int_equal(walk_json(&ocpp16_Authorize_req_type, "{\"idTag\":\"AB\"}"), 0);
    assert_string_equal(seen.text.p, "idTag@9+4=AB;");
    assert_int_equal(seen.personal, 1);
    assert_int_equal(walk_json(&ocpp16_MeterValues_req_type,
                               "{ \"connectorId\" : 1,\"meterValue\":[{\"timestamp\":\"t\","
                               "\"sampledValue\":[{\"value\":\"5\"},{\"value\":7,\"x\":null}]}]}"),
                     0);
    assert_string_equal(seen.text.p, "connectorId@18+1=1;meterValue[0].timestamp@47+3=t;"
                                     "meterValue[0].sampledValue[0].value@76+3=5;"
                                     "meterValue[0].sampledValue[1].value@90+1=7;"
                                     "meterValue[0].sampledValue[1].x@96+4=null;");
    assert_int_equal(seen.unknown, 1);
    assert_int_equal(seen.named, 4);
    assert_int_equal(walk_json(&ocpp16_UpdateFirmware_req_type, "{\"location\":\"http://x\"}"), 0);
    assert_int_equal(seen.secret, 1);
    assert_int_equal(walk_json(NULL, "{\"a\":{\"b\":[true]}}"), 0);
    assert_string_equal(seen.text.p, "a.b[0]@11+4=true;");
}

static void broken_json_test(void **state)
{
    static const char *const bad[] = {
        "",           "{",  "{\"a\"",    "{\"a\":",  "{\"a\":1",
        "{\"a\":1,}", "[1", "{\"a\" 1}", "nonsense", "{\"a\":\"\\u12\"}"};
    char deep[200];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(walk_json(NULL, bad[i]), ERR_SYNTAX);
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = 0;
    assert_int_equal(walk_json(NULL, deep), ERR_SYNTAX);
}

static void binary_test(void **state)
{
    struct ykc_RealtimeData d = {.order = "1",
                                 .pile = "55031412782305",
                                 .gun = "01",
                                 .state = 3,
                                 .voltage = 4005,
                                 .cable_temp = -10};
    struct ykc_CardSync c = {.pile = "7", .cards = {{"1", "2"}, {"3", "4"}}, .cards_n = 2};
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    assert_int_equal(wire_bin_encode(&ykc_RealtimeData_type, &d, &b), 0);
    assert_int_equal(walk_bin(&ykc_RealtimeData_type, buf_str(&b)), 0);
    assert_non_null(strstr(seen.text.p, "pile@16+7=55031412782305;gun@23+1=01;state@24+1=3;"));
    assert_non_null(strstr(seen.text.p, "voltage@27+2=400.5;"));
    assert_non_null(strstr(seen.text.p, "cable_temp@31+1=-10;"));
    assert_int_equal(seen.named, ykc_RealtimeData_type.n);
    assert_int_equal(seen.end, b.n);
    buf_put(&b, "tail", 4); /* what no table knows is told, too */
    assert_int_equal(walk_bin(&ykc_RealtimeData_type, buf_str(&b)), 0);
    assert_int_equal(seen.unknown, 1);
    assert_int_equal(seen.end, b.n);
    for (size_t n = 0; n + 4 < b.n; n++)
        assert_int_equal(walk_bin(&ykc_RealtimeData_type, str_from(b.p, n)), ERR_SYNTAX);
    buf_reset(&b);
    assert_int_equal(wire_bin_encode(&ykc_CardSync_type, &c, &b), 0);
    assert_int_equal(walk_bin(&ykc_CardSync_type, buf_str(&b)), 0);
    assert_non_null(strstr(seen.text.p, "cards[1].physical@32+8=0000000000000004;"));
    assert_int_equal(seen.personal, 4);
    buf_free(&b);
}

/* Every field of both protocols is named in both languages; a password or card is never plain. */
static void all_are_named_test(void **state)
{
    const struct wire_proto *const protos[] = {&ykc_proto, &ocpp16_proto};

    (void)state;
    for (size_t p = 0; p < 2; p++)
        for (uint16_t i = 0; i < protos[p]->type_n; i++)
            for (uint16_t k = 0; k < protos[p]->type[i]->n; k++) {
                const struct wire_field *f = &protos[p]->type[i]->field[k];

                if (f->kind == WIRE_PAD)
                    continue;
                if (f->zh == NULL || f->label == NULL)
                    fail_msg("%s.%s has no name", protos[p]->type[i]->name, f->name);
                if (strcmp(f->name, "password") == 0)
                    assert_true(f->flags & WIRE_SECRET);
                if (strcmp(f->name, "vin") == 0 || strcmp(f->name, "card") == 0 ||
                    strcmp(f->name, "idTag") == 0)
                    assert_true(f->flags & WIRE_PERSONAL);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_test),
        cmocka_unit_test(broken_json_test),
        cmocka_unit_test(binary_test),
        cmocka_unit_test(all_are_named_test),
    };

    buf_init(&seen.text, 1 << 20);
    int failed = cmocka_run_group_tests_name("wire walk", tests, NULL, NULL);

    buf_free(&seen.text);
    return failed;
}
