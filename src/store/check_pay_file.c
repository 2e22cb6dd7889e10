// SPDX-License-Identifier: Apache-2.0
/* check_pay_file.c: `even check`, files of payouts for a bank. A payout that stood in two of them would be
 * paid twice.
 *
 *   payfile   a file's n and amount are those of its rows; each row says what its payout says (channel,
 *             payee, net); a payout stands in the file that it names and in no other, and was approved;
 *             what was taken out, or failed while it stood there, was so by the word of somebody else than
 *             who made the file or asked for the payout, himself or by his key; what was taken out says why
 *
 * Shares no code with the core. */
#include "store/check.h"

#include "base/compiler.h"

static int file_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    (void)n;
    check_equal(c, "payfile", v[0].i, "rows", v[1].i, v[3].i);
    check_equal(c, "payfile", v[0].i, "amount", v[2].i, v[4].i);
    return 0;
}

static int row_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    check_bad(ctx, "payfile", v[0].i, "names file %lld, its row is of file %lld, or says otherwise",
              (long long)v[1].i, (long long)v[2].i);
    return 0;
}

static int hand_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    check_bad(ctx, "payfile", v[0].i, "taken out, or said to have failed, by %lld at %lld",
              (long long)v[1].i, (long long)v[2].i);
    return 0;
}

int check_pay_files(struct check *c)
{
    int rc = store_query(c->r, QUERY_CHECK_PAY_FILES, NULL, 0, file_take, c);
    if (rc == 0)
        rc = store_query(c->r, QUERY_CHECK_PAY_FILE_ROWS, NULL, 0, row_take, c);
    return rc ? rc : store_query(c->r, QUERY_CHECK_PAY_FILE_HANDS, NULL, 0, hand_take, c);
}
