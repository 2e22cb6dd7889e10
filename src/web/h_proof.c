// SPDX-License-Identifier: Apache-2.0
/* h_proof.c: the certificates of a day as the text that an accountant files away and that `even check
 * --certificate` reads. The list needs no code (routes.tbl). Thread: the request's. */
#include "base/err.h"
#include "store/certificate.h"
#include "web/api_gen.h"
#include "web/routes_gen.h"
#include "web/state.h"

static int certificate_put(void *ctx, const struct sql_value *v, size_t n)
{
    struct request *r = ctx;
    struct certificate c;

    (void)n;
    certificate_read(&c, v);
    if (r->out.n > 0)
        buf_put_char(&r->out, '\n');
    certificate_write(&c, &r->out);
    return r->out.err;
}

int certificates_text(struct request *r)
{
    const struct bind of = BIND_I64("day", r->id);
    int err = req_query(r, QUERY_CERTIFY_BEFORE, &of, 1, certificate_put, r);

    if (err == 0 && r->out.n == 0)
        err = ERR_NOT_FOUND;
    if (err != 0)
        return err;
    r->mime = "text/plain; charset=utf-8";
    req_header_add(r, "Content-Disposition",
                   arena_printf(&r->arena, "attachment; filename=\"certificate-%lld-%lld.txt\"",
                                (long long)r->actor.tenant, (long long)r->id));
    return 0;
}
