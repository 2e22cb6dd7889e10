// SPDX-License-Identifier: Apache-2.0
/* h_account.c: sub-accounts of parties at an allocation rail, asked for by staff or by the partner.
 *
 * Invariants: 1. certificate and bank number are sealed here, before anything is sent: no queue,
 * tape, row or log holds them in plain; 2. a partner's party comes from the log-in, never from the
 * body; 3. who is paid shares by a channel, without a second person or an invoice, only staff say:
 * a partner names no receiver, and without one the core refuses such a channel; 4. the core sees the
 * end of a number only: whether it is the party's own is compared here.
 *
 * Thread: the request's. */
#include "base/err.h"
#include "core/types.h"
#include "io/os/personal.h"
#include "web/api_gen.h"
#include "web/routes_gen.h"
#include "web/state.h"

/* Letters and digits, as certificates and bank accounts have them; blanks are for the eye. */
static int number_seal(struct request *r, struct str in, const char *pointer, char *sealed,
                       char tail[5])
{
    char text[PERSONAL_PLAIN_SIZE];
    size_t n = 0;

    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];
        bool good = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

        if (!good && c != ' ' && c != '-')
            return req_fail(r, ERR_RANGE, pointer, "letters and digits");
        if (good && n < sizeof text - 1)
            text[n++] = c;
    }
    if (n < 6)
        return req_fail(r, ERR_RANGE, pointer, "at least 6 letters and digits");
    (void)str_copy(tail, 5, str_from(text + n - 4, 4));
    int err = personal_seal(r->web->cfg.key, str_from(text, n), sealed);
    crypto_wipe(text, sizeof text);
    return err;
}

static int cert_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    (void)str_copy(ctx, PERSONAL_PLAIN_SIZE, v[0].s);
    return 0;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

/* Letters and digits alone, whatever their case. */
static bool same_number(struct str in, const char *known)
{
    for (size_t i = 0; i < in.n; i++) {
        if (in.p[i] == ' ' || in.p[i] == '-')
            continue;
        if (*known == 0 || upper(in.p[i]) != upper(*known++))
            return false;
    }
    return *known == 0;
}

/* 1: another number than the one that the party is known by; nothing is known of most companies. */
static int number_other(struct request *r, int64_t party, struct str in, int32_t *other)
{
    char known[PERSONAL_PLAIN_SIZE] = "";
    const struct bind of = BIND_I64("of_party", party);
    int err = req_query(r, QUERY_PARTY_CERT, &of, 1, cert_take, known);

    *other = known[0] != 0 && !same_number(in, known);
    crypto_wipe(known, sizeof known);
    return err == ERR_NOT_FOUND ? 0 : err; /* the core says so */
}

static int account_send(struct request *r, int64_t party)
{
    const struct api_PartyAccountIn *in = r->in;
    struct cmd *cmd = req_cmd(r, CMD_PARTY_ACCOUNT, CMD_SIZE(party_account));
    struct cmd_party_account *to;
    int err;

    if (cmd == NULL)
        return ERR_TOO_LARGE;
    to = &cmd->u.party_account;
    _Static_assert(sizeof to->id_no >= PERSONAL_TEXT_SIZE, "a sealed number fits");
    to->party = party;
    to->channel = in->channel;
    to->payee_kind = (int32_t)in->payee_kind;
    err = REQ_TEXT(r, to->name, in->name, "/name");
    if (err == 0)
        err = REQ_TEXT(r, to->account, in->account, "/account");
    if (err == 0 && in->has.id_no)
        err = number_seal(r, in->id_no, "/id_no", to->id_no, to->id_tail);
    if (err == 0 && in->has.id_no)
        err = number_other(r, party, in->id_no, &to->other);
    if (err == 0 && in->has.bank)
        err = number_seal(r, in->bank, "/bank", to->bank, to->bank_tail);
    if (err != 0)
        return err;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

int party_accounts_post(struct request *r)
{
    const struct api_PartyAccountIn *in = r->in;

    if (r->resumed)
        return req_made(r);
    if (in->party == 0)
        return req_fail(r, ERR_REQUIRED, "/party", "whose account it is");
    return account_send(r, in->party);
}

int partner_account_post(struct request *r)
{
    const struct api_PartyAccountIn *in = r->in;

    if (r->resumed)
        return req_made(r);
    if (in->party != 0 || in->has.account)
        return req_fail(r, ERR_RANGE, in->party != 0 ? "/party" : "/account", "for staff only");
    return account_send(r, r->actor.party);
}

int party_accounts_decide(struct request *r)
{
    const struct api_PartyAccountDecideIn *in = r->in;
    struct cmd *cmd;

    if (r->resumed)
        return req_made(r);
    cmd = req_cmd(r, CMD_PARTY_ACCOUNT_DECIDE, CMD_SIZE(party_account_decide));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.party_account_decide.account = r->id;
    cmd->u.party_account_decide.act = (int32_t)in->act;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}
