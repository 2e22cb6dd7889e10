// SPDX-License-Identifier: Apache-2.0
/* h_audit.c: the audit log: a page of it, or what came of one cause; and entries of what is no other
 * command (audit.h).
 *
 * Data: none. Invariant: a cause is the one that stands in X-Cause, in the log and with the frames,
 * 16 hexadecimal digits; anything else is refused, so that a slip of the pen is not taken for "nothing
 * was found". Thread: the request's. */
#include "web/audit.h"

#include "base/err.h"
#include "web/api_gen.h"
#include "web/routes_gen.h"

static int cause_read(struct request *r, struct str text, int64_t *cause)
{
    uint8_t b[8];
    uint64_t v = 0;

    if (str_from_hex(text, b, sizeof(b)) != 0)
        return req_fail(r, ERR_SYNTAX, "?cause", "16 hexadecimal digits");
    for (size_t i = 0; i < sizeof(b); i++)
        v = v << 8 | b[i];
    *cause = (int64_t)v;
    return v != 0 ? 0 : req_fail(r, ERR_SYNTAX, "?cause", "16 hexadecimal digits");
}

int audit_list(struct request *r)
{
    struct rows rows = {.type = &api_AuditRow_type, .max = (uint32_t)r->limit};
    struct str text = req_arg(r, "cause");
    int64_t cause = 0;
    int err = text.n > 0 ? cause_read(r, text, &cause) : 0;
    struct bind b[] = {BIND_I64("of_cause", cause)};

    if (err == 0)
        err = cause == 0 ? req_rows(r, QUERY_AUDIT, NULL, 0, &rows)
                         : req_rows(r, QUERY_AUDIT_OF_CAUSE, b, ARRAY_LEN(b), &rows);
    return err != 0 ? err : req_page(r, &rows);
}

int req_audit(struct request *r, const struct web_audit *a, int step)
{
    struct cmd *cmd = req_cmd(r, CMD_AUDIT, CMD_SIZE(audit));

    if (cmd == NULL)
        return ERR_TOO_LARGE;
    (void)str_copy(cmd->u.audit.action, sizeof(cmd->u.audit.action), str_from_c(a->action));
    (void)str_copy(cmd->u.audit.detail, sizeof(cmd->u.audit.detail), a->detail);
    cmd->u.audit.object = a->object;
    cmd->u.audit.outcome = a->outcome;
    return req_submit(r, cmd, step);
}
