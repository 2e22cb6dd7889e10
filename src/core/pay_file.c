// SPDX-License-Identifier: Apache-2.0
/* pay_file.c: files of payouts for a bank. A channel of kind bank has no rail: people hand the bank a file
 * of what it shall pay, and say later what became of each row (payout.c).
 *
 * The same payout in two files is paid twice. So a file is made once, by one command, of payouts that stand
 * in no other; what stands in it is kept as it was then, and whoever fetches the file later gets the same
 * rows, of those that still wait. A payout leaves its file in one way only: somebody says that the bank will not pay it by that
 * file, and the next one may list it. That is the act by which it could be paid twice, so it is another
 * person's: neither whoever made the file nor whoever asked for the payout (second.c). To say that it failed
 * is such an act, too: its money goes back and can be asked for again, while the bank may still pay it.
 *
 * Days may pass between an approval and the file: what may not go any more to where it was asked for
 * (payout_stopped) is not listed. It waits until that is put right, or somebody says that it failed.
 *
 *  payout        file   its row in that file
 *  APPROVED      0      none, or taken out (out_ms)
 *  APPROVED      set    stands; taken out → file 0, failed → over: by a second person
 *  over          set    stands for ever: what came of it changes no file
 *
 * Data: a file is a row of the directory; rows of files are written and never read here: all that they say
 * of a payout that waits stands in the payout, which does not change while it waits.
 *
 * Invariants: 1. a payout's row stands in the file that the payout names, and in no other; 2. n and amount
 * of a file are those of all rows that it was made with; 3. a command names all of its payouts rightly, or
 * changes nothing. Whatever waits is in memory (purse.c), and its driver (schema.tbl), so nothing is looked
 * up. `even check` has the rule payfile. The core's thread. */
#include "core/pay_file.h"

/* ---- rows ---- */

/* Of a payout that waits, always the same but for what is said as it is taken out. */
static struct row_pay_file_row row_of(const struct payout *p, int64_t file)
{
    return (struct row_pay_file_row){.file = file,
                                     .payout = p->row.id,
                                     .tenant = p->row.tenant,
                                     .amount = payout_net(p),
                                     .payee = p->row.payee,
                                     .payee_name = p->row.payee_name,
                                     .note = p->row.note,
                                     .out_note = ""};
}

/* Nothing but its file changes; who looks at it is told. */
static void file_set(struct core *c, struct payout *p, int64_t file)
{
    p->row.file = file;
    payout_state_set(c, p, PAYOUT_APPROVED);
}

/* ---- making one ---- */

/* In that channel, and so the same tenant's. */
static bool waits(const struct payout *p, int64_t channel)
{
    return p && p->row.channel == channel && p->row.state == PAYOUT_APPROVED && !p->row.file;
}

/* The i-th payout; they ascend, so none stands twice. */
static int payout_check(const struct core *c, const struct cmd *cmd, int32_t i)
{
    const int64_t *id = cmd->u.pay_file_new.payout;
    const struct payout *p = payout_find(c, id[i]);
    if (i && id[i] <= id[i - 1])
        return ERR_RANGE;
    if (!waits(p, cmd->u.pay_file_new.channel) || payout_stopped(c, p) != 0)
        return ERR_CONFLICT;
    if (strcmp(p->row.currency, payout_find(c, id[0])->row.currency) != 0)
        return ERR_CURRENCY;
    int64_t net = payout_net(p);
    return net < MONEY_FEN || net % MONEY_FEN ? ERR_RANGE : 0;
}

static int new_check(const struct core *c, const struct cmd *cmd)
{
    const struct cmd_pay_file_new *in = &cmd->u.pay_file_new;
    const struct channel *ch = channel_find(c, in->channel);
    int rc = 0;
    if (!ch || ch->row.tenant != cmd->head.tenant || cmd->head.station)
        return ERR_NOT_FOUND;
    if (ch->row.kind != CHANNEL_BANK)
        return ERR_UNSUPPORTED;
    if (in->n < 0 || in->n > PAY_FILE_MAX)
        return ERR_RANGE;
    if (in->n == 0)
        return ERR_CONFLICT; /* nothing waits */
    for (int32_t i = 0; i < in->n && !rc; i++)
        rc = payout_check(c, cmd, i);
    return !rc && dir_full(c, ROW_PAY_FILE) ? ERR_FULL : rc;
}

int pay_file_new(struct core *c, const struct cmd *cmd)
{
    const struct cmd_pay_file_new *in = &cmd->u.pay_file_new;
    struct money sum = MONEY_ZERO;
    int rc = new_check(c, cmd);
    if (rc)
        return rc;
    int64_t id = core_id(c);
    for (int32_t i = 0; i < in->n; i++) {
        struct payout *p = payout_find(c, in->payout[i]);
        const struct row_pay_file_row row = row_of(p, id);
        row_put(c, ROW_PAY_FILE_ROW, ROW_UPSERT, &row);
        sum = money_add(sum, MONEY(row.amount));
        file_set(c, p, id);
    }
    const struct row_pay_file r = {.id = id,
                                   .tenant = cmd->head.tenant,
                                   .channel = in->channel,
                                   .currency = payout_find(c, in->payout[0])->row.currency,
                                   .n = in->n,
                                   .amount = sum.v,
                                   .made_kind = cmd->head.actor_kind,
                                   .made_by = cmd->head.actor,
                                   .made_ms = c->now};
    struct pay_file *f = dir_add(c, ROW_PAY_FILE, &r);
    must(f); /* new_check has seen that there is room */
    obj_dirty(c, &f->o);
    c->made_id = id;
    c->made_version = 1;
    return 0;
}

/* ---- taking one out ---- */

bool pay_file_second(const struct core *c, const struct cmd *cmd, const struct payout *p)
{
    const struct pay_file *f = dir_find(c, ROW_PAY_FILE, p->row.file);
    return f && second_may(c, cmd, f->row.made_kind, f->row.made_by) &&
           second_may(c, cmd, p->row.asked_kind, p->row.asked_by);
}

static int out_check(const struct core *c, const struct cmd *cmd, const struct payout *p)
{
    if (!p || p->row.tenant != cmd->head.tenant || cmd->head.station)
        return ERR_NOT_FOUND;
    if (!p->row.file || p->row.state != PAYOUT_APPROVED)
        return ERR_CONFLICT;
    if (!pay_file_second(c, cmd, p))
        return ERR_SECOND;
    return cmd->u.pay_file_out.note[0] ? 0 : ERR_REQUIRED;
}

int pay_file_out(struct core *c, const struct cmd *cmd)
{
    struct payout *p = payout_find(c, cmd->u.pay_file_out.payout);
    int rc = out_check(c, cmd, p);
    if (rc)
        return rc;
    struct row_pay_file_row row = row_of(p, p->row.file);
    row.out_by = cmd->head.actor;
    row.out_ms = c->now;
    row.out_note = cmd->u.pay_file_out.note;
    row_put(c, ROW_PAY_FILE_ROW, ROW_UPSERT, &row);
    file_set(c, p, 0);
    c->made_id = p->row.id;
    c->made_version = p->row.version;
    return 0;
}
