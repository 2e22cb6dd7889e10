// SPDX-License-Identifier: Apache-2.0
/* account.c: what staff and the log-in do that is neither a directory row nor an order: top-ups,
 * web sessions, audit entries, the lock after failed log-ins.
 *
 * Invariants: 1. a top-up pays an open debt first; 2. a person is locked after LOCK_FAILURES failed
 * log-ins in a row, for LOCK_MS; 3. no audit row holds personal data. */
#include "core/core_state.h"
#include "core/purse.h"

#define TOPUP_MAX (INT64_C(100000) * MONEY_UNIT)

static int topup_check(const struct core *c, const struct cmd *cmd)
{
    const struct cmd_topup *in = &cmd->u.topup;
    const struct tenant *t = tenant_find(c, cmd->head.tenant);
    const struct driver *d = driver_find(c, in->driver);
    if (!t || !d || d->row.tenant != cmd->head.tenant || cmd->head.station)
        return ERR_NOT_FOUND;
    if (d->row.state != ROW_ACTIVE)
        return ERR_DISABLED;
    if (strcmp(in->currency, t->row.currency) != 0)
        return ERR_CURRENCY;
    bool ok = in->amount >= MONEY_FEN && in->amount <= TOPUP_MAX && in->amount % MONEY_FEN == 0;
    return ok ? 0 : ERR_RANGE;
}

int account_topup(struct core *c, const struct cmd *cmd)
{
    const struct cmd_topup *in = &cmd->u.topup;
    int64_t cash, wallet, tenant = cmd->head.tenant;
    int rc = topup_check(c, cmd);
    if (!rc)
        rc = account_open(c, tenant, ACCOUNT_CASH, 0, in->currency, &cash);
    if (!rc)
        rc = wallet_open(c, tenant, in->driver, in->currency, &wallet);
    if (rc)
        return rc;
    c->made_id = payment_credit(c, tenant, in->driver, cash, in->currency, in->amount, in->note);
    (void)payment_note(c, &(struct row_payment){.tenant = tenant,
                                                .driver = in->driver,
                                                .method = PAY_METHOD_STAFF,
                                                .currency = in->currency,
                                                .amount = in->amount,
                                                .transfer = c->made_id});
    return 0;
}

/* ---- web sessions ---- */

int account_session_put(struct core *c, const struct cmd *cmd)
{
    const struct cmd_session_put *in = &cmd->u.session_put;
    if (!in->id[0] || !tenant_find(c, cmd->head.tenant))
        return ERR_REQUIRED;
    row_put(c, ROW_WEB_SESSION, ROW_UPSERT,
            &(struct row_web_session){.id = in->id,
                                      .tenant = cmd->head.tenant,
                                      .kind = in->kind,
                                      .actor = in->actor,
                                      .csrf = in->csrf,
                                      .created_ms = c->now,
                                      .expires_ms = in->expires_ms});
    if (in->kind == ACTOR_DRIVER) /* a person's log-in was noted with its address */
        audit_put(c, cmd->head.tenant, "driver.login", in->actor, "", 0);
    return 0;
}

int account_session_end(struct core *c, const struct cmd *cmd)
{
    if (!cmd->u.session_put.id[0])
        return ERR_REQUIRED;
    row_put(c, ROW_WEB_SESSION, ROW_DELETE, &(struct row_web_session){.id = cmd->u.session_put.id});
    audit_put(c, cmd->head.tenant, "logout", cmd->head.actor, "", 0);
    return 0;
}

/* ---- audit ---- */

static void login_count(struct core *c, int64_t person, bool failed)
{
    struct person *p = dir_find(c, ROW_PERSON, person);
    if (!p || (!failed && !p->row.failed && !p->row.locked_ms))
        return;
    p->row.failed = failed ? p->row.failed + 1 : 0;
    if (!failed)
        p->row.locked_ms = 0;
    if (p->row.failed >= LOCK_FAILURES) {
        p->row.failed = 0;
        p->row.locked_ms = c->now + LOCK_MS;
    }
    obj_dirty(c, &p->o);
}

int account_audit(struct core *c, const struct cmd *cmd)
{
    const struct cmd_audit *in = &cmd->u.audit;
    if (in->failed_login)
        login_count(c, in->object, in->failed_login == 1);
    audit_put(c, cmd->head.tenant, in->action, in->object, in->detail, in->outcome);
    return 0;
}
