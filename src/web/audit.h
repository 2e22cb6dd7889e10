// SPDX-License-Identifier: Apache-2.0
/* audit.h: an audit entry for what a request reads or takes without any other command, durable before
 * the request goes on. Data: none. Thread: the request's. */
#ifndef EVEN_WEB_AUDIT_H
#define EVEN_WEB_AUDIT_H

#include "web/request.h"

struct web_audit {
    const char *action;
    int64_t object;
    struct str detail; /* never personal data */
    int outcome;       /* 0 or ERR_* */
};

/** Waits until the entry is durable; the handler goes on at `step`, where r->reply_err tells when it
 * is not. */
EV_MUST_USE int req_audit(struct request *r, const struct web_audit *a, int step);

#endif
