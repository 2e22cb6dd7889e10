// SPDX-License-Identifier: Apache-2.0
/* h_notify.c: POST /notify/{channel}: a payment provider tells that something happened. Nobody is
 * logged in here: what counts is the signature, judged by the integration side (web.h). A notice
 * that is taken makes the core ask the provider; only that answer moves money.
 *
 * Invariants: 1. a refused notice changes nothing and learns nothing but that it was refused;
 * 2. the provider is thanked only when what it said is durable.
 *
 * Thread: the request's. */
#include "base/err.h"
#include "core/types.h"
#include "web/state.h"
#include "web/routes_gen.h"

enum { NOTICE_MAX = 64 * 1024 };

static struct str notice_header(const void *ctx, const char *name)
{
    return str_from_c(req_header(ctx, name));
}

static int notice_thanks(struct request *r)
{
    const struct str *thanks = r->ctx;

    if (r->reply_err != 0)
        return r->reply_err;
    buf_put_str(&r->out, *thanks);
    r->mime = thanks->n > 0 && thanks->p[0] == '{' ? "application/json" : "text/plain";
    return 0;
}

int notify_post(struct request *r)
{
    const struct web_config *c = &r->web->cfg;
    struct web_notice n = {
        .channel = r->id, .body = buf_str(&r->body), .header = notice_header, .ctx = r};
    struct str *thanks = ARENA_NEW(&r->arena, struct str);
    struct cmd *cmd;
    int err;

    if (r->resumed)
        return notice_thanks(r);
    if (c->notice == NULL)
        return ERR_UNSUPPORTED;
    if (r->body.n > NOTICE_MAX)
        return ERR_TOO_LARGE;
    cmd = req_cmd(r, CMD_PAY_RESULT, CMD_SIZE(pay_result));
    if (cmd == NULL || thanks == NULL)
        return ERR_NOMEM;
    err = c->notice(c->notice_ctx, &n, &cmd->u.pay_result, thanks);
    if (err != 0)
        return err;
    cmd->head.actor_kind = ACTOR_SYSTEM;
    r->ctx = thanks;
    return req_submit(r, cmd, 1);
}
