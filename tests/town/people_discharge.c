// SPDX-License-Identifier: Apache-2.0
/* people_discharge.c: drivers who sell energy of their vehicles (放电) at stations that buy it: they start a
 * discharge where a vehicle stands, or turn their own charge round, and back; see people.h. */
#include "town/people.h"

static int64_t below(struct town *t, int64_t n)
{
    return (int64_t)rng_below(&t->chance[TOPIC_DISCHARGE], (uint64_t)n);
}

int64_t people_discharge_tariff(struct town *t, int station)
{
    int64_t price = 20000 + below(t, 100000);
    const struct tariff_slice_in slice = {0, 0, "放", price, 0};
    if (below(t, 4) == 0)
        return 0;
    t->audit.give_e5[station] = price;
    return people_tariff(t, &slice, 1);
}

/* Mostly of a pile; of one where something runs already every other time, if there is one. */
static const struct seen_connector *connector_any(struct town *t, int64_t *driver)
{
    const struct audit *a = &t->audit;
    const struct seen_connector *k = &a->connector[below(t, a->connectors)];
    for (int i = 0; i < 8 && !k->pile; i++)
        k = &a->connector[below(t, a->connectors)];
    if (below(t, 2))
        return k;
    for (size_t i = 0; i < a->orders; i++)
        for (int c = 0; c < a->connectors; c++)
            if (a->order[i].state == ORDER_CHARGING && a->connector[c].pile &&
                a->connector[c].id == a->order[i].connector) {
                k = &a->connector[c];
                *driver = below(t, 8) ? a->order[i].driver : *driver;
            }
    return k;
}

void people_discharge_act(struct town *t)
{
    const struct audit *a = &t->audit;
    struct cmd *c = people_cmd(t, CMD_ORDER_START, CMD_SIZE(order_start));
    struct cmd_order_start *in = &c->u.order_start;
    in->driver = below(t, 40) ? a->driver[below(t, AUDIT_DRIVERS)] : 12345;
    in->connector = connector_any(t, &in->driver)->id;
    if (below(t, 5) == 0) { /* the other way */
        in->payer_kind = PAYER_WALLET;
        in->cap = 20000;
    } else {
        in->direction = -1;
        in->to_soc = (int32_t)below(t, 60);
        in->cap = below(t, 20) ? 0 : 20000;
        in->payer_kind = below(t, 20) ? PAYER_NONE : PAYER_WALLET;
    }
    if (below(t, 4))
        people_as_driver(t, below(t, 20) ? in->driver : a->driver[below(t, AUDIT_DRIVERS)]);
    people_ask(t);
}
