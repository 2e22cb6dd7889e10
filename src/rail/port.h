// SPDX-License-Identifier: Apache-2.0
/* port.h: the inside of a rail, shared by the files of this floor: one vtable per kind of provider
 * and what all of them need. Thread: any, all data is constant once the rail is made. */
#ifndef EVEN_RAIL_PORT_H
#define EVEN_RAIL_PORT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/money.h"
#include "rail/keys.h"
#include "rail/rail.h"
#include "wire/wire.h"

#define RAIL_CLOCK_MS   (5 * 60 * 1000) /* how far a provider's clock may be off */
#define RAIL_ARENA_MAX  (256 * 1024)
#define RAIL_SUBJECT_ZH "充电钱包充值"
#define RAIL_REMARK_ZH  "充电分成"
#define RAIL_RETURN_ZH  "充电订单退款"

struct rail_port {
    const char *public_url;
    int (*ask)(const struct rail *r, const struct out_pay *ask, int64_t now_ms,
               struct rail_request *q, struct cmd_pay_result *out);
    /* 0, 1 (unknown key), or why the answer is not believed */
    int (*answer)(const struct rail *r, const struct out_pay *ask, const struct rail_request *q,
                  const struct rail_reply *a, struct arena *m, struct cmd_pay_result *out);
    enum rail_refusal (*notice)(const struct rail *r, const struct rail_reply *in, struct arena *m,
                                struct rail_told *told);
    int (*bill)(const struct rail *r, enum bill_kind kind, struct str day, int64_t now_ms,
                struct rail_request *q);
    int (*bill_answer)(const struct rail *r, const struct rail_request *q,
                       const struct rail_reply *a, struct arena *m, struct rail_request *next,
                       char hash[80]);
    struct str thanks;
    bool wants_secret, wants_serial;
};
extern const struct rail_port rail_wechat, rail_alipay, rail_alloc;

struct rail {
    const struct rail_port *port;
    int64_t channel;
    char url[201], app[41], merchant[41], notify_url[256];
    struct rail_keys keys;
};

/** Of alipay_share.c: the method of such a request, or NULL; its content; what an answer means that is
 * no error. ERR_UNSUPPORTED: it is none of these. */
struct alipay_Out;
const char *alipay_share_method(const struct out_pay *ask);
EV_MUST_USE int alipay_share_content(const struct out_pay *ask, struct arena *m, struct buf *out);
EV_MUST_USE int alipay_share_read(const struct out_pay *ask, const struct alipay_Out *o,
                                  struct cmd_pay_result *out);

/** Empties the request; `path` is put behind the provider's address. */
void rail_request_begin(const struct rail *r, struct rail_request *q, const char *method,
                        const char *path);
/** Adds a header line. */
void rail_request_header(struct rail_request *q, const char *name, struct str value);
/** The error of whatever of the request did not fit; 0. */
EV_MUST_USE int rail_request_end(const struct rail_request *q);
/** The request's path and query as the provider sees it. */
struct str rail_request_path(const struct rail *r, const struct rail_request *q);

/** Row of one of our numbers ("P17": payment, "W17": payout, "A17": sub-account,
 * "S17": shares of a payment, "U17": its rest); 0 when it is none of ours. */
int64_t rail_row_of(struct str no);
/** Local time in China (the one zone that these providers know): with 'T' and "+08:00", or plain
 * "2026-11-25 09:30:00". */
struct str rail_time_text(struct arena *m, int64_t ms, bool rfc);
/** "12.34" of an amount of whole fen. */
struct str rail_yuan_text(struct arena *m, int64_t amount);
/** An amount told as text; -1 when it is none. */
int64_t rail_yuan_read(struct str text);
/** Fills state and err of a result. */
void rail_set(struct cmd_pay_result *out, enum pay_state state, int err);
void rail_set_text(char *dst, size_t size, struct str s);
/** PAY_DONE with the provider's amount in fen (−1 = it does not say) and its number. */
void rail_set_done(struct cmd_pay_result *out, int64_t amount, struct str currency,
                   struct str provider_no);

#endif
