// SPDX-License-Identifier: Apache-2.0
/* alipay_share.c: shares that Alipay pays out of a payment (分账): what is said in biz_content, and what
 * its answers mean. The asynchronous mode is used throughout: a request takes up to 50 receivers, may
 * pay some of them and not others, and its query tells of each; the modes must not be mixed.
 *
 *  PAY_ACCOUNT_OPEN, _QUERY  trade.royalty.relation.bind: a receiver by its user id; the same again
 *                            changes nothing, and so tells how it stands
 *  PAY_SHARE                 trade.order.settle with royalty_parameters
 *  PAY_SHARE_QUERY           trade.order.settle.query
 *  PAY_UNFREEZE              trade.order.settle with royalty_finish and no parameters
 *
 * What the query tells bears no number of ours: it is matched by receiver and amount. TRADE_SETTLE_ERROR
 * may mean either; asked again under the same number, Alipay pays once.
 *
 * Thread: any, owns nothing. */
#include <inttypes.h>
#include <stdio.h>

#include "core/types.h"
#include "rail/port.h"
#include "wire/alipay.h"

#define MODE STR_LIT("async")

const char *alipay_share_method(const struct out_pay *ask)
{
    switch ((enum pay_op)ask->op) {
    case PAY_ACCOUNT_OPEN:
    case PAY_ACCOUNT_QUERY:
        return "alipay.trade.royalty.relation.bind";
    case PAY_SHARE:
    case PAY_UNFREEZE:
        return "alipay.trade.order.settle";
    case PAY_SHARE_QUERY:
        return "alipay.trade.order.settle.query";
    default:
        return NULL;
    }
}

static int content_bind(const struct out_pay *ask, struct buf *out)
{
    const struct pay_open *o = &ask->u.open;
    struct alipay_RoyaltyEntity who = {.type = STR_LIT("userId"),
                                       .account = str_from_c(o->account),
                                       .name = str_from_c(o->name),
                                       .memo = STR_LIT(RAIL_REMARK_ZH)};
    struct alipay_BindIn in = {
        .receiver_list = &who, .receiver_list_n = 1, .out_request_no = str_from_c(ask->no)};
    if (!o->account[0] || !o->name[0])
        return ERR_REQUIRED;
    who.has.name = who.has.memo = true;
    return wire_json_encode(&alipay_BindIn_type, &in, out);
}

static int content_share(const struct out_pay *ask, struct arena *m, struct buf *out)
{
    const struct pay_share *s = &ask->u.share;
    struct alipay_Royalty to[PAY_SHARES_MAX] = {0};
    struct alipay_SettleIn in = {.out_request_no = str_from_c(ask->no),
                                 .trade_no = str_from_c(ask->provider_no),
                                 .royalty_parameters = to,
                                 .royalty_mode = MODE};
    if (s->n < 1 || s->n > PAY_SHARES_MAX || !ask->provider_no[0])
        return ERR_REQUIRED;
    for (int32_t i = 0; i < s->n; i++) {
        // cppcheck-suppress unreadVariable ; `in` points at them
        to[i] = (struct alipay_Royalty){.royalty_type = STR_LIT("transfer"),
                                        .trans_in_type = STR_LIT("userId"),
                                        .trans_in = str_from_c(s->to[i].account),
                                        .amount = rail_yuan_text(m, s->to[i].amount),
                                        .desc = arena_printf(m, "W%" PRId64, s->to[i].payout)};
    }
    in.has.royalty_parameters = true;
    in.royalty_parameters_n = (size_t)s->n;
    return wire_json_encode(&alipay_SettleIn_type, &in, out);
}

static int content_finish(const struct out_pay *ask, struct buf *out)
{
    struct alipay_SettleIn in = {.out_request_no = str_from_c(ask->no),
                                 .trade_no = str_from_c(ask->provider_no),
                                 .extend_params = {.royalty_finish = STR_LIT("true")},
                                 .royalty_mode = MODE};
    in.has.extend_params = true;
    return ask->provider_no[0] ? wire_json_encode(&alipay_SettleIn_type, &in, out) : ERR_REQUIRED;
}

int alipay_share_content(const struct out_pay *ask, struct arena *m, struct buf *out)
{
    struct alipay_SettleRef ref = {.out_request_no = str_from_c(ask->no),
                                   .trade_no = str_from_c(ask->provider_no)};
    switch ((enum pay_op)ask->op) {
    case PAY_ACCOUNT_OPEN:
    case PAY_ACCOUNT_QUERY:
        return content_bind(ask, out);
    case PAY_SHARE:
        return content_share(ask, m, out);
    case PAY_UNFREEZE:
        return content_finish(ask, out);
    case PAY_SHARE_QUERY:
        return wire_json_encode(&alipay_SettleRef_type, &ref, out);
    default:
        return ERR_UNSUPPORTED;
    }
}

/* ---- answers ---- */

/* The share of ours that a detail is of, among those that no earlier one was; -1. So no more are found than
 * were asked for. */
static int32_t share_of(const struct pay_share *s, const struct alipay_RoyaltyDetail *v,
                        const bool *seen)
{
    for (int32_t i = 0; i < s->n; i++)
        if (!seen[i] && str_eq_c(v->trans_in, s->to[i].account) &&
            rail_yuan_read(v->amount) == s->to[i].amount)
            return i;
    return -1;
}

static void read_details(const struct out_pay *ask, const struct alipay_Out *o,
                         struct cmd_pay_result *out)
{
    bool seen[PAY_SHARES_MAX] = {0};
    for (size_t i = 0; i < o->royalty_detail_list_n; i++) {
        const struct alipay_RoyaltyDetail *v = &o->royalty_detail_list[i];
        bool done = str_eq_c(v->state, "SUCCESS"), failed = str_eq_c(v->state, "FAIL");
        int32_t of =
            str_eq_c(v->operation_type, "transfer") ? share_of(&ask->u.share, v, seen) : -1;
        if (of < 0)
            continue; /* no share of ours */
        seen[of] = true;
        struct pay_shared *to = &out->shared[out->shared_n++];
        *to = (struct pay_shared){.payout = ask->u.share.to[of].payout,
                                  .amount = ask->u.share.to[of].amount,
                                  .state = done     ? PAY_DONE
                                           : failed ? PAY_FAILED
                                                    : PAY_PENDING};
        rail_set_text(to->provider_no, sizeof to->provider_no, v->detail_id);
    }
}

int alipay_share_read(const struct out_pay *ask, const struct alipay_Out *o,
                      struct cmd_pay_result *out)
{
    switch ((enum pay_op)ask->op) {
    case PAY_ACCOUNT_OPEN:
    case PAY_ACCOUNT_QUERY:
        if (!str_eq_c(o->result_code, "SUCCESS"))
            return 0; /* nothing is certain */
        rail_set(out, PAY_DONE, 0);
        rail_set_text(out->provider_no, sizeof out->provider_no, str_from_c(ask->u.open.account));
        return 0;
    case PAY_SHARE:
    case PAY_UNFREEZE:
        if (!str_eq_c(o->trade_no, ask->provider_no))
            return ERR_DENIED;
        rail_set(out, ask->op == PAY_SHARE ? PAY_PENDING : PAY_DONE, 0);
        return 0;
    case PAY_SHARE_QUERY:
        if (!str_eq_c(o->out_request_no, ask->no))
            return ERR_DENIED;
        rail_set(out, PAY_PENDING, 0);
        read_details(ask, o, out);
        return 0;
    default:
        return ERR_UNSUPPORTED;
    }
}
