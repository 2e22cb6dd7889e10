// SPDX-License-Identifier: Apache-2.0
/* people_stay.c: staff waive what a bay that stayed taken costs, while it runs or afterwards; see people.h. */
#include "town/people.h"

void people_stay_act(struct town *t)
{
    const struct audit *a = &t->audit;
    struct rng *r = &t->chance[TOPIC_STAY];
    struct cmd *c = people_cmd(t, CMD_ORDER_WAIVE, CMD_SIZE(order_waive));
    const struct seen_order *o = NULL;
    for (size_t i = 0; i < a->orders; i++) /* the last ones mostly */
        if ((!a->order[i].connector || rng_below(r, 40) == 0) && (!o || rng_below(r, 3)))
            o = &a->order[i];
    c->u.order_waive.order = o ? o->id : 77;
    if (rng_below(r, 10))
        (void)str_copy(c->u.order_waive.note, 201, STR_LIT("ill"));
    if (o && rng_below(r, 12) == 0)
        people_as_driver(t, o->driver);
    people_ask(t);
}
