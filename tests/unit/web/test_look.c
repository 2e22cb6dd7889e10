// SPDX-License-Identifier: Apache-2.0
/* test_look.c: what of reading frames and sending firmware the audit hears, and its search by cause. */
#include "rig.h"

#include <stdio.h>
#include "base/hash.h"
#include "web/look.h"

static struct rig rig;

/* ---- the table of looks ---- */

static bool ask(struct looks *l, int64_t actor, int64_t charger, int64_t now)
{
    const struct look who = {.kind = ACTOR_PERSON, .actor = actor, .charger = charger};
    bool due = look_due(l, &who, now);

    if (due)
        look_told(l, &who, now);
    return due;
}

static void a_look_is_told_once(void **state)
{
    static struct looks l;
    const struct look key = {.kind = ACTOR_API_KEY, .actor = 1, .charger = 5};
    int told = 0;

    (void)state;
    l = (struct looks){0};
    assert_true(ask(&l, 1, 5, 1000));
    for (int64_t t = 1000; t < 1000 + LOOK_TOLD_MS; t += 2000)
        assert_false(ask(&l, 1, 5, t));
    assert_true(ask(&l, 1, 5, 1000 + LOOK_TOLD_MS)); /* it goes on: told every hour */
    assert_true(ask(&l, 2, 5, 1000 + LOOK_TOLD_MS)); /* another person, another charger, a key */
    assert_true(ask(&l, 1, 6, 1000 + LOOK_TOLD_MS));
    assert_true(look_due(&l, &key, 1000 + LOOK_TOLD_MS));
    assert_true(look_due(&l, &key, 1000 + LOOK_TOLD_MS)); /* until it was told */
    for (int64_t t = 0; t < 10; t++)                      /* a minute apart: each is a look */
        told += ask(&l, 1, 7, LOOK_TOLD_MS + t * LOOK_GAP_MS);
    assert_int_equal(told, 10);
    assert_false(ask(&l, 1, 7, LOOK_TOLD_MS + 10 * LOOK_GAP_MS - 1));
}

/* More lookers than places: too many entries, never one too few. */
static void a_crowd_of_lookers(void **state)
{
    static struct looks l;
    static int64_t told[4 * LOOKS_MAX], seen[4 * LOOKS_MAX];
    struct rng r = {3};
    int quiet = 0;

    (void)state;
    l = (struct looks){0};
    for (int64_t t = LOOK_GAP_MS; t < LOOK_GAP_MS + 200000; t += 10) {
        size_t who = rng_below(&r, t % 20 ? 4 * LOOKS_MAX : LOOKS_MAX / 2);
        bool due = ask(&l, (int64_t)who + 1, 5, t);

        if (!due)
            assert_true(told[who] > 0 && t - seen[who] < LOOK_GAP_MS);
        quiet += !due;
        told[who] += due;
        seen[who] = t;
    }
    assert_true(quiet > 1000);
    l = (struct looks){0};
    for (int64_t who = 1; who <= LOOKS_MAX; who++)
        assert_true(ask(&l, who, 5, 100000 + who));
    for (int64_t who = 1; who <= LOOKS_MAX; who++) /* as many as there are places */
        assert_false(ask(&l, who, 5, 101000));
    for (int64_t who = 1; who <= 10 * LOOKS_MAX; who++) { /* who goes on looking keeps the place */
        assert_false(ask(&l, 1, 5, 101000 + who));
        assert_true(ask(&l, LOOKS_MAX + who, 5, 101000 + who));
    }
}

/* ---- over the wire ---- */

static int call(const char *method, const char *path, const char *head, const char *body)
{
    return rig_as(&rig, 0, method, path, head, body)->status;
}

/* How many commands a request makes; the last is an audit entry of this action, of this charger. */
static int entries(const char *path, const char *action)
{
    int before = rig.commands;

    assert_int_equal(call("GET", path, NULL, NULL), 200);
    if (rig.commands > before) {
        assert_int_equal(rig.last.head.type, CMD_AUDIT);
        assert_string_equal(rig.last.u.audit.action, action);
        assert_int_equal(rig.last.u.audit.object, CHARGER);
    }
    return rig.commands - before;
}

static void looking_is_told(void **state)
{
    static const char list[] = "/api/v1/chargers/51/frames",
                      file[] = "/api/v1/chargers/51/frames.txt";
    int before;

    (void)state;
    rig_start(&rig, false);
    rig_login(&rig, 0, "admin");
    assert_int_equal(entries(list, "frames.read"), 1);
    assert_string_equal(rig.last.u.audit.detail, "with personal data");
    assert_int_equal(rig.last.head.actor, ADMIN);
    for (int i = 0; i < 5; i++)
        assert_int_equal(entries("/api/v1/chargers/51/frames?since=1", "frames.read"), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(entries(file, "frames.file"), 1);
    rig_login(&rig, 0, "viewer");
    assert_int_equal(entries(list, "frames.read"), 1);
    assert_string_equal(rig.last.u.audit.detail, "personal data masked");
    assert_int_equal(entries(list, "frames.read"), 0);
    before = rig.commands;
    assert_int_equal(call("GET", "/api/v1/chargers/52/frames", NULL, NULL), 404);
    assert_int_equal(call("GET", "/api/v1/chargers/52/frames.txt", NULL, NULL), 404);
    assert_int_equal(rig.commands, before); /* what was not there was not seen */
    rig_stop(&rig);
}

/* No entry, no frames: the next look is not silent either. */
static void no_look_without_an_entry(void **state)
{
    (void)state;
    rig_start(&rig, false);
    rig_login(&rig, 0, "admin");
    rig.answer_err = ERR_FULL;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(call("GET", "/api/v1/chargers/51/frames", NULL, NULL), 503);
        assert_int_equal(call("GET", "/api/v1/chargers/51/frames.txt", NULL, NULL), 503);
    }
    rig.answer_err = 0;
    assert_int_equal(entries("/api/v1/chargers/51/frames", "frames.read"), 1);
    rig_stop(&rig);
}

static void a_link_is_told(void **state)
{
    static const char json[] = "Content-Type: application/json\r\n";

    (void)state;
    rig_start(&rig, false);
    rig_login(&rig, 0, "admin");
    assert_int_equal(call("POST", "/api/v1/firmware/401/link", json, "{\"charger\":\"51\"}"), 200);
    assert_int_equal(rig.last.head.type, CMD_AUDIT);
    assert_string_equal(rig.last.u.audit.action, "firmware.link");
    assert_string_equal(rig.last.u.audit.detail, "for charger 51");
    assert_int_equal(rig.last.u.audit.object, 401);
    rig.answer_err = ERR_FULL;
    assert_int_equal(call("POST", "/api/v1/firmware/401/link", json, "{\"charger\":\"51\"}"), 503);
    rig_stop(&rig);
}

static void the_audit_by_cause(void **state)
{
    static const char *const bad[] = {"0000000000c0ffe",  "0000000000c0ffeex",
                                      "0000000000c0ffeg", "0000000000000000",
                                      "12648430",         "%200000000000c0ffe"};
    const struct reply *r;
    char path[100];

    (void)state;
    rig_start(&rig, false);
    rig_login(&rig, 0, "admin");
    r = rig_as(&rig, 0, "GET", "/api/v1/audit?cause=0000000000C0FFEE", NULL, NULL);
    assert_int_equal(r->status, 200);
    assert_has(r->body, "\"id\":\"401\"");
    assert_has_not(r->body, "\"id\":\"402\"");
    assert_has_not(r->body, "\"id\":\"403\""); /* another tenant's of the same cause */
    r = rig_as(&rig, 0, "GET", "/api/v1/audit?cause=0000000000c0ffef", NULL, NULL);
    assert_has(r->body, "\"items\":[]");
    r = rig_as(&rig, 0, "GET", "/api/v1/audit", NULL, NULL);
    assert_has(r->body, "\"id\":\"402\"");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        snprintf(path, sizeof(path), "/api/v1/audit?cause=%s", bad[i]);
        r = rig_as(&rig, 0, "GET", path, NULL, NULL);
        assert_int_equal(r->status, 400);
        assert_has(r->body, "\"pointer\":\"?cause\"");
    }
    rig_login(&rig, 0, "viewer");
    assert_int_equal(call("GET", "/api/v1/audit?cause=0000000000c0ffee", NULL, NULL), 403);
    rig_stop(&rig);
}

int look_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_look_is_told_once), cmocka_unit_test(a_crowd_of_lookers),
        cmocka_unit_test(looking_is_told),     cmocka_unit_test(no_look_without_an_entry),
        cmocka_unit_test(a_link_is_told),      cmocka_unit_test(the_audit_by_cause),
    };

    return cmocka_run_group_tests_name("web looks", tests, NULL, NULL);
}
