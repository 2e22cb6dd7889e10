// SPDX-License-Identifier: Apache-2.0
/* people_notice.c: drivers get texts about their charges: mostly the platform hears what became of them, some outcomes
 * it hears twice, some never; see people.h. Chance comes from the text itself, so that a town is what it was. */
#include "town/people.h"

#include "base/hash.h"

void people_notice(void *ctx, const struct out_notice *n)
{
    struct town *t = ctx;
    uint64_t chance = hash_u64((uint64_t)n->order, (uint64_t)n->n + t->seed);
    struct cmd cmd;
    audit_notice(&t->audit, n);
    cmd.head = (struct cmd_head){.size = CMD_SIZE(notice_result),
                                 .version = CMD_VERSION,
                                 .type = CMD_NOTICE_RESULT,
                                 .tenant = n->tenant,
                                 .actor_kind = ACTOR_SYSTEM};
    cmd.u.notice_result = (struct cmd_notice_result){.order = n->order,
                                                     .until_ms = n->until_ms,
                                                     .kind = n->kind,
                                                     .n = n->n,
                                                     .outcome = 1 + (int32_t)(chance % 3)};
    /* A full inbox is one more that is never heard of. */
    for (uint64_t i = 0; i < chance / 3 % 3; i++)
        (void)!people_pay_result(t, &cmd);
}
