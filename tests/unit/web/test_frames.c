// SPDX-License-Identifier: Apache-2.0
/* test_frames.c: who sees what of a frame, and links to firmware that are over. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/hash.h"
#include "web/frameview.h"

static struct rig rig;

/* ---- masks ---- */

static struct api_Frame shown;
static struct arena arena;

static void show(struct frame_shot *s, bool clear)
{
    arena_reset(&arena);
    frameview_head(s, &arena);
    assert_int_equal(frameview_show(s, clear, &arena, &shown), 0);
}

static void ocpp(struct str text, enum framelog_dir dir, bool clear, const char *want)
{
    struct frame_shot s = {.row = {.id = 1,
                                   .protocol = PROTOCOL_OCPP16,
                                   .dir = (uint8_t)dir,
                                   .n = (uint32_t)text.n,
                                   .size = (uint32_t)text.n},
                           .bytes = text};

    show(&s, clear);
    if (!str_eq_c(shown.text, want))
        fail_msg("got %.*s, want %s", STR_FMT(shown.text), want);
}

static void cards_are_masked(void **state)
{
    static const char plain[] = "[2,\"1\",\"Authorize\",{\"idTag\":\"CARD\"}]";
    static const char unknown[] = "[2,\"1\",\"Heartbeat\",{\"who\":{\"name\":\"Li\",\"n\":5}}]";

    (void)state;
    ocpp(str_from_c(plain), FRAME_IN, true, plain);
    ocpp(str_from_c(plain), FRAME_IN, false, "[2,\"1\",\"Authorize\",{\"idTag\":\"****\"}]");
    assert_true(str_eq_c(shown.fields[0].value, "***"));
    assert_true(shown.fields[0].masked);
    assert_false(frameview_has(&shown, STR_LIT("CARD")));
    assert_true(frameview_has(&shown, STR_LIT("authorize")));
    ocpp(str_from_c(unknown), FRAME_IN, true, unknown);
    ocpp(str_from_c(unknown), FRAME_IN, false,
         "[2,\"1\",\"Heartbeat\",{\"who\":{\"name\":\"**\",\"n\":*}}]");
}

static void what_cannot_be_read_is_masked(void **state)
{
    (void)state;
    ocpp(STR_LIT("my card is 4711"), FRAME_IN, false, "***************");
    ocpp(STR_LIT("my card is 4711"), FRAME_IN, true, "my card is 4711");
    ocpp(STR_LIT("[2,\"1\",\"Authorize\",{\"x\":1,\"idTag\":\"CA"), FRAME_IN, false,
         "[2,\"1\",\"Authorize\",{\"x\":*************");
    ocpp(STR_LIT("[4,\"1\",\"InternalError\",\"no\",{\"idTag\":\"CARD\"}]"), FRAME_IN, false,
         "[4,\"1\",\"InternalError\",\"no\",{\"idTag\":\"****\"}]");
    ocpp(STR_LIT("\xff\xfe{"), FRAME_IN, true, "??{");
}

static void secrets_are_nobodys(void **state)
{
    (void)state;
    ocpp(STR_LIT(
             "[2,\"1\",\"ChangeConfiguration\",{\"value\":\"hush\",\"key\":\"AuthorizationKey\"}]"),
         FRAME_OUT, true,
         "[2,\"1\",\"ChangeConfiguration\",{\"value\":\"****\",\"key\":\"AuthorizationKey\"}]");
    ocpp(
        STR_LIT("[2,\"1\",\"ChangeConfiguration\",{\"key\":\"WebPortalPassword\",\"value\":\"\"}]"),
        FRAME_OUT, true,
        "[2,\"1\",\"ChangeConfiguration\",{\"key\":\"WebPortalPassword\",\"value\":\"\"}]");
    ocpp(STR_LIT("[2,\"1\",\"GetDiagnostics\",{\"location\":\"ftp://u:p@h/\"}]"), FRAME_OUT, true,
         "[2,\"1\",\"GetDiagnostics\",{\"location\":\"************\"}]");
    /* An answer is known by its call. */
    struct frame_shot call = {.call = 2, .action = STR_LIT("GetConfiguration")};
    struct str text = STR_LIT("[3,\"1\",{\"configurationKey\":[{\"key\":\"a\",\"value\":\"b\"},"
                              "{\"key\":\"SecretX\",\"readonly\":true,\"value\":\"hush\"}]}]");
    struct frame_shot s = {.row = {.protocol = PROTOCOL_OCPP16, .dir = FRAME_IN, .n = 99},
                           .bytes = text,
                           .asked = &call};

    show(&s, true);
    assert_false(frameview_has(&shown, STR_LIT("hush")));
    assert_true(frameview_has(&shown, STR_LIT("\"value\":\"b\"")));
    assert_true(str_eq_c(shown.kind, "GetConfiguration.conf"));
}

static void bytes_are_masked(void **state)
{
    /* 0x48: pile, one card */
    static const char frame[] = "\x68\x14\x00\x00\x00\x48"
                                "\x55\x03\x14\x12\x78\x23\x05\x01\x00\x00\x00\x00\xd1\x4b\x0a\x54"
                                "\x01\x02";
    struct frame_shot s = {.row = {.protocol = PROTOCOL_YKC,
                                   .dir = FRAME_OUT,
                                   .kind = 0x48,
                                   .n = sizeof(frame) - 1,
                                   .size = sizeof(frame) - 1},
                           .bytes = {frame, sizeof(frame) - 1}};

    (void)state;
    show(&s, false);
    assert_true(str_eq_c(shown.hex, "681400000048550314127823050"
                                    "1****************0102"));
    show(&s, true);
    assert_true(frameview_has(&shown, STR_LIT("d14b0a54")));
    s.bytes.n = 12; /* a body that ends too early */
    show(&s, false);
    assert_true(str_eq_c(shown.hex, "681400000048********7823"));
    s.row.kind = 0; /* garbage */
    show(&s, false);
    assert_true(str_eq_c(shown.hex, "************************"));
}

/* Whatever stands in a frame, it is shown in its length, and nothing that a card looks like. */
static void anything_can_be_shown(void **state)
{
    static const char seed[] =
        "[2,\"1\",\"StartTransaction\",{\"idTag\":\"CARD\",\"connectorId\":1,"
        "\"meterStart\":[{\"a\":\"b\\u00e9\"}],\"x\":\"CARD\"}]";
    struct rng rng = {11};

    (void)state;
    for (int i = 0; i < 60000; i++) {
        char bytes[300];
        bool text = i % 2;
        size_t n = text ? sizeof(seed) - 1 : rng_below(&rng, sizeof(bytes));
        struct frame_shot s = {.row = {.protocol = text ? PROTOCOL_OCPP16 : PROTOCOL_YKC,
                                       .dir = FRAME_IN,
                                       .kind = (uint8_t)(text ? 0 : rng_next(&rng))}};

        for (size_t k = 0; k < n; k++)
            bytes[k] = text ? seed[k] : (char)rng_next(&rng);
        for (uint64_t k = rng_below(&rng, 4); text && k > 0; k--)
            bytes[rng_below(&rng, n)] = (char)rng_next(&rng);
        if (text && rng_below(&rng, 4) == 0)
            n = rng_below(&rng, n);
        s.bytes = str_from(bytes, n);
        s.row.n = s.row.size = (uint32_t)n;
        show(&s, i % 4 < 2);
        assert_int_equal(text ? shown.text.n : shown.hex.n, text ? n : 2 * n);
        for (uint32_t k = 0; k < shown.fields_n; k++)
            assert_true(shown.fields[k].at >= 0 && shown.fields[k].n >= 0 &&
                        (size_t)(shown.fields[k].at + shown.fields[k].n) <= n);
        if (text && i % 4 >= 2)
            if (frameview_has(&shown, STR_LIT("CARD")))
                fail_msg("%d: %.*s\n%.*s", i, (int)n, bytes, STR_FMT(shown.text));
    }
}

/* ---- links ---- */

static void a_link_ends(void **state)
{
    const struct reply *r;
    char url[400], *path;

    (void)state;
    rig_start(&rig, false);
    rig_login(&rig, 0, "admin");
    r = rig_as(&rig, 0, "POST", "/api/v1/firmware/401/link", "Content-Type: application/json\r\n",
               "{\"charger\":\"51\"}");
    assert_int_equal(r->status, 200);
    path = strstr(r->body, "/firmware/");
    assert_non_null(path);
    str_copy(url, sizeof(url), str_from(path, strcspn(path, "\"")));
    assert_int_equal(rig_call(&rig, "GET", url, NULL, NULL)->status, 410);
    url[strlen(url) - 5] ^= 1; /* a digit of the hash, before ".bin" */
    assert_int_equal(rig_call(&rig, "GET", url, NULL, NULL)->status, 404);
    assert_int_equal(rig_as(&rig, 0, "POST", "/api/v1/firmware/401/link",
                            "Content-Type: application/json\r\n", "{\"charger\":\"52\"}")
                         ->status,
                     404);
    assert_int_equal(rig_as(&rig, 0, "POST", "/api/v1/firmware/402/link",
                            "Content-Type: application/json\r\n", "{\"charger\":\"51\"}")
                         ->status,
                     404);
    rig_stop(&rig);
}

/* ---- calls ---- */

/* What goes to a charger and comes from it may open something: who may not call sees that it went. */
static void calls_are_for_callers(void **state)
{
    static const char *const paths[] = {"/api/v1/chargers/51/calls", "/api/v1/commands/301"};

    (void)state;
    rig_start(&rig, false);
    for (int viewer = 0; viewer < 2; viewer++)
        for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
            const struct reply *r;

            rig_login(&rig, 0, viewer ? "viewer" : "admin");
            r = rig_as(&rig, 0, "GET", paths[i], NULL, NULL);
            assert_int_equal(r->status, 200);
            assert_has(r->body, "\"status\":\"Accepted\"");
            assert_int_equal(strstr(r->body, "HUSH1") == NULL, viewer);
            assert_int_equal(strstr(r->body, "HUSH2") == NULL, viewer);
        }
    rig_stop(&rig);
}

int frame_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cards_are_masked),      cmocka_unit_test(what_cannot_be_read_is_masked),
        cmocka_unit_test(secrets_are_nobodys),   cmocka_unit_test(bytes_are_masked),
        cmocka_unit_test(anything_can_be_shown), cmocka_unit_test(a_link_ends),
        cmocka_unit_test(calls_are_for_callers),
    };

    arena_init(&arena, 1 << 20);
    int failed = cmocka_run_group_tests_name("web frames", tests, NULL, NULL);

    arena_free(&arena);
    return failed;
}
