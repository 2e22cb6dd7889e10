// SPDX-License-Identifier: Apache-2.0
/* tax.c: see tax.h. The one place where a tax is rounded. */
#include "base/tax.h"

#include "base/must.h"

struct tax_parts tax_inclusive(struct money gross, int32_t bp)
{
    must(bp >= 0 && bp <= TAX_BP_MAX);
    int64_t fen = muldiv_half_up(gross.v, TAX_BP_MAX, (TAX_BP_MAX + bp) * (int64_t)MONEY_FEN);
    struct money net = bp ? MONEY(fen * MONEY_FEN) : gross;
    return (struct tax_parts){.net = net, .tax = money_sub(gross, net)};
}

void tax_lines(const int64_t *took, const int64_t *room, int n, int64_t *out)
{
    int64_t sum = 0, upto = 0, given = 0;
    for (int i = 0; i < n; i++)
        sum += took[i];
    /* The running sum is rounded, not each share: so the rounding adds up to nothing. */
    for (int i = 0; i < n; i++) {
        upto += took[i];
        int64_t want = i == n - 1 ? sum : money_round_fen(MONEY(upto)).v;
        want = want < sum ? want : sum;
        out[i] = want - given < room[i] ? want - given : room[i];
        out[i] = out[i] > 0 ? out[i] : 0;
        given += out[i];
    }
    /* What the later lines had no room for goes to the earlier ones. */
    for (int i = 0; i < n; i++) {
        int64_t more = sum - given < room[i] - out[i] ? sum - given : room[i] - out[i];
        out[i] += more;
        given += more;
    }
    must(given == sum);
}
