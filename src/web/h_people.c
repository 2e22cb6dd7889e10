// SPDX-License-Identifier: Apache-2.0
/* h_people.c: drivers and their tokens, parties, accounts of people, API keys.
 *
 * Invariants:
 *  1. A password is hashed by the worker before anything is sent; an empty hash keeps the old one.
 *  2. An API key is shown once, only its keyed hash is kept; a key has a staff role, as it has no
 *     party and no wallet.
 *  3. When an account changes, everybody is read again and its live streams end.
 *
 * Thread: the request's. */
#include "web/api_gen.h"
#include "base/err.h"
#include "core/types.h"
#include "web/routes_gen.h"
#include "web/auth.h"
#include "web/phone.h"
#include "web/state.h"

enum { STEP_BEGIN, STEP_HASHED, STEP_DONE };

/* ---- drivers and tokens ---- */

static int driver_put(struct request *r)
{
    const struct api_Driver *in = r->in;
    int64_t version;
    int err;

    if (r->resumed) {
        auth_forget(r->web, r->id);
        return req_made(r);
    }
    err = req_version(r, &version);
    if (err != 0)
        return err;
    for (size_t i = in->phone.p[0] == '+'; i < in->phone.n; i++)
        if (in->phone.p[i] < '0' || in->phone.p[i] > '9')
            return req_fail(r, ERR_RANGE, "/phone", "digits, with an optional + in front");
    struct row_driver row = {.lots = "", /* the core keeps them */
                             .id = r->id,
                             .tenant = r->actor.tenant,
                             .phone = req_copy_c(r, phone_plain(in->phone)),
                             .name = req_copy_c(r, in->name),
                             .state = (int32_t)in->state,
                             .version = (int32_t)version};
    return req_row_put(r, ROW_DRIVER, &row, version == 0, STEP_DONE);
}

int drivers_post(struct request *r)
{
    return driver_put(r);
}

int drivers_put(struct request *r)
{
    return driver_put(r);
}

/* A driver's own choice; what else stands in the row the core keeps. */
int me_notices(struct request *r)
{
    const struct api_NoticesIn *in = r->in;
    struct row_driver row = {.lots = ""};
    int err;

    if (r->resumed)
        return req_made(r);
    err = req_table_row(r, QUERY_WEB_DRIVER_ROW, ROW_DRIVER, r->actor.id, &row);
    if (err != 0)
        return err;
    row.notices_off = (int32_t)in->off;
    return req_row_put(r, ROW_DRIVER, &row, false, STEP_DONE);
}

int drivers_topup(struct request *r)
{
    const struct api_TopupIn *in = r->in;
    struct cmd *cmd;

    if (r->resumed)
        return req_made(r);
    if (in->amount.v <= 0)
        return req_fail(r, ERR_RANGE, "/amount", "more than 0");
    cmd = req_cmd(r, CMD_TOPUP, CMD_SIZE(topup));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.topup.driver = r->id;
    cmd->u.topup.amount = in->amount.v;
    str_copy(cmd->u.topup.currency, sizeof(cmd->u.topup.currency), str_from_c(r->actor.currency));
    if (REQ_TEXT(r, cmd->u.topup.note, in->note, "/note") != 0)
        return ERR_RANGE;
    req_idem(r, cmd);
    return req_submit(r, cmd, STEP_DONE);
}

static int token_put(struct request *r)
{
    const struct api_Token *in = r->in;
    int64_t version;
    int err;

    if (r->resumed)
        return req_made(r);
    err = req_version(r, &version);
    if (err != 0)
        return err;
    struct row_token row = {.id = r->id,
                            .tenant = r->actor.tenant,
                            .driver = in->driver,
                            .tag = req_copy_c(r, in->tag),
                            .kind = (int32_t)in->kind,
                            .offline_limit = in->has.offline_limit ? in->offline_limit.v : 0,
                            .state = (int32_t)in->state,
                            .version = (int32_t)version};
    return req_row_put(r, ROW_TOKEN, &row, version == 0, STEP_DONE);
}

int tokens_post(struct request *r)
{
    return token_put(r);
}

int tokens_put(struct request *r)
{
    return token_put(r);
}

/* ---- parties ---- */

static int party_put(struct request *r)
{
    const struct api_Party *in = r->in;
    int64_t version;
    int err;

    if (r->resumed)
        return req_made(r);
    err = req_version(r, &version);
    if (err != 0)
        return err;
    struct row_party row = {.payee = "", .payee_name = "", .payee_cert = ""};
    if (version != 0)
        err = req_table_row(r, QUERY_WEB_PARTY_ROW, ROW_PARTY, r->id, &row);
    if (err != 0)
        return err;
    row.id = r->id;
    row.tenant = r->actor.tenant;
    row.kind = (int32_t)in->kind;
    row.name = req_copy_c(r, in->name);
    row.state = (int32_t)in->state;
    row.version = (int32_t)version;
    /* Who is paid was verified as it stood: another payee must be verified again. */
    if ((in->has.payee && !str_eq_c(in->payee, row.payee)) ||
        (in->has.payee_name && !str_eq_c(in->payee_name, row.payee_name)))
        row.verified = 0;
    if (in->has.verified)
        row.verified = in->verified;
    if (in->has.payee)
        row.payee = req_copy_c(r, in->payee);
    if (in->has.payee_name)
        row.payee_name = req_copy_c(r, in->payee_name);
    if (in->has.payee_kind)
        row.payee_kind = (int32_t)in->payee_kind;
    if (in->has.payee_cert)
        row.payee_cert = req_copy_c(r, in->payee_cert);
    return req_row_put(r, ROW_PARTY, &row, version == 0, STEP_DONE);
}

int parties_post(struct request *r)
{
    return party_put(r);
}

int parties_put(struct request *r)
{
    return party_put(r);
}

/* ---- people ---- */

static int person_check(struct request *r, const struct api_Person *in)
{
    if (in->role == ROLE_DRIVER)
        return req_fail(r, ERR_RANGE, "/role", "drivers log in by phone");
    if ((in->role == ROLE_PARTNER) != (in->party != 0))
        return req_fail(r, ERR_RANGE, "/party", "a partner has a party, nobody else has");
    if (r->method == ROUTE_POST && !in->has.password)
        return req_fail(r, ERR_REQUIRED, "/password", "a new account needs one");
    if (r->method == ROUTE_PUT && r->id == r->actor.id && in->state != ROW_ACTIVE)
        return req_fail(r, ERR_CONFLICT, "/state", "nobody disables their own account");
    return 0;
}

static int person_send(struct request *r)
{
    const struct api_Person *in = r->in;
    int64_t version = *(int64_t *)r->ctx;
    struct row_person row = {.id = r->id,
                             .tenant = r->actor.tenant,
                             .login = req_copy_c(r, in->login),
                             .name = req_copy_c(r, in->name),
                             .pass_hash = r->hash_out,
                             .role = (int32_t)in->role,
                             .party = in->party,
                             .station = in->station,
                             .state = (int32_t)in->state,
                             .version = (int32_t)version};

    return req_row_put(r, ROW_PERSON, &row, version == 0, STEP_DONE);
}

static int person_put(struct request *r)
{
    const struct api_Person *in = r->in;
    int64_t *version;
    int err;

    if (r->step == STEP_DONE) {
        auth_forget(r->web, r->id);
        return req_made(r);
    }
    if (r->step == STEP_HASHED)
        return r->reply_err != 0 ? r->reply_err : person_send(r);
    r->ctx = version = arena_alloc(&r->arena, sizeof(*version));
    if (version == NULL)
        return ERR_TOO_LARGE;
    err = req_version(r, version);
    if (err == 0)
        err = person_check(r, in);
    if (err != 0)
        return err;
    return in->has.password ? req_password(r, in->password, NULL, STEP_HASHED) : person_send(r);
}

int people_post(struct request *r)
{
    return person_put(r);
}

int people_put(struct request *r)
{
    return person_put(r);
}

/* ---- API keys ---- */

int keys_post(struct request *r)
{
    const struct api_KeyIn *in = r->in;
    struct row_api_key row = {0};
    char *key = r->ctx, hex[65];

    if (r->resumed) {
        struct api_KeyMade made = {.id = r->made.id, .key = str_from_c(key)};

        return r->reply_err != 0 ? r->reply_err : req_json(r, &api_KeyMade_type, &made);
    }
    if (in->role == ROLE_PARTNER || in->role == ROLE_DRIVER)
        return req_fail(r, ERR_RANGE, "/role", "a key has a staff role");
    r->ctx = key = arena_copy(&r->arena, STR_LIT("ev_0123456789012345678901234567890123456789012"));
    if (key == NULL)
        return ERR_TOO_LARGE;
    auth_token_make(key + 3);
    auth_keyed_hex(r->web, str_from_c(key), hex);
    row.tenant = r->actor.tenant;
    row.name = req_copy_c(r, in->name);
    row.key_hash = hex;
    row.role = (int32_t)in->role;
    row.station = in->station;
    row.quota_s = (int32_t)in->quota_s;
    return req_row_put(r, ROW_API_KEY, &row, true, STEP_DONE);
}

int keys_revoke(struct request *r)
{
    struct row_api_key row = {0};
    int err;

    if (r->resumed) {
        auth_forget(r->web, r->id);
        return req_made(r);
    }
    err = req_table_row(r, QUERY_WEB_KEY_ROW, ROW_API_KEY, r->id, &row);
    if (err != 0)
        return err;
    row.state = ROW_DISABLED;
    return req_row_put(r, ROW_API_KEY, &row, false, STEP_DONE);
}
