// SPDX-License-Identifier: Apache-2.0
/* ykc_pair.c: parallel charging that begins at the pile: A1 comes once for each gun, both with the
 * number that the pile gave the pair, and each wants its own A2. All guns must be approved, so the
 * core is asked once, when both are known, and what it says goes to both.
 *
 * A pair is kept here until its decision is a minute old: of what is repeated because an answer was
 * lost, the decision is told again. One whose other gun does not come is refused.
 *
 * Invariants: 1. the core is asked about a pair once at a time; 2. a pair goes with its pile. */
#include "gate/ykc/ykc_conn.h"

#include <stdio.h>
#include "base/log.h"

enum { PAIRS_A_PILE = 4, BOTH_MS = 15000, KEEP_MS = 60000 };
enum { MAIN, AUX };

struct ykc_pair {
    struct slab_ref self;
    struct ykc_pair *next;
    const struct ykc_pile *pile;
    int64_t due_ms;
    struct {
        bool here, wants; /* it was heard of; it waits for its A2 */
        uint8_t seq[2];
        char gun[3], card[17], tag[18];
        int32_t kind; /* enum start_kind, 0 = none that we know */
    } gun[2];
    char number[13];
    bool asked, decided;
    struct reply_pile_start said;
};

size_t ykc_pair_size(void)
{
    return sizeof(struct ykc_pair);
}

bool ykc_pairs_open(const struct ykc_gate *g, const struct ykc_pile *p)
{
    for (const struct ykc_pair *k = g->pairs; k != NULL; k = k->next)
        if (k->pile == p)
            return true;
    return false;
}

static struct ykc_pair *pair_find(const struct ykc_gate *g, const struct ykc_pile *p,
                                  const char *number)
{
    struct ykc_pair *k = g->pairs;

    while (k != NULL && (k->pile != p || strcmp(k->number, number) != 0))
        k = k->next;
    return k;
}

static struct ykc_pair *pair_add(struct ykc_gate *g, const struct ykc_pile *p, const char *number)
{
    struct slab_ref ref;
    struct ykc_pair *k;
    int n = 0;

    for (k = g->pairs; k != NULL; k = k->next)
        n += k->pile == p;
    k = n < PAIRS_A_PILE ? slab_get(&g->pair_slab, &ref) : NULL;
    if (k == NULL)
        return NULL;
    k->self = ref;
    k->pile = p;
    str_copy(k->number, sizeof(k->number), str_from_c(number));
    k->due_ms = g->cfg.now_ms() + BOTH_MS;
    k->next = g->pairs;
    g->pairs = k;
    return k;
}

static void pair_free(struct ykc_gate *g, struct ykc_pair *pair)
{
    struct ykc_pair **at = &g->pairs;

    while (*at != pair)
        at = &(*at)->next;
    *at = pair->next;
    slab_put(&g->pair_slab, pair->self);
}

void ykc_pairs_drop(struct ykc_gate *g, const struct ykc_pile *p)
{
    for (struct ykc_pair *k = g->pairs, *next; k != NULL; k = next) {
        next = k->next;
        if (k->pile == p)
            pair_free(g, k);
    }
}

/* ---- A2 ---- */

static void refuse(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_ParallelRequest *in,
                   const uint8_t seq[2], int32_t reason)
{
    struct ykc_ParallelDecision out = {.result = 0, .reason = reason};

    memset(out.order, '0', sizeof(out.order) - 1);
    memcpy(out.pile, in->pile, sizeof(out.pile));
    memcpy(out.gun, in->gun, sizeof(out.gun));
    memset(out.card, '0', sizeof(out.card) - 1);
    memcpy(out.parallel, in->parallel, sizeof(out.parallel));
    ykc_send(g, c, ykc_msg(0xa2), &out, seq);
}

/* Tells what was decided to the guns that wait for it. */
static void tell(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pair *k)
{
    const struct reply_pile_start *r = &k->said;

    for (int i = MAIN; i <= AUX; i++) {
        struct ykc_ParallelDecision out = {.result = r->reason == 0, .reason = r->reason};

        if (!k->gun[i].wants)
            continue;
        k->gun[i].wants = false;
        memset(out.order, '0', sizeof(out.order) - 1);
        if (r->reason == 0) {
            memcpy(out.order, i == MAIN ? r->tx_no : r->second_no, sizeof(out.order));
            out.balance = ykc_fen(i == MAIN ? r->balance : r->second_balance);
        }
        memcpy(out.pile, k->pile->number, sizeof(out.pile));
        memcpy(out.gun, k->gun[i].gun, sizeof(out.gun));
        ykc_logical_card(k->gun[i].card, out.card);
        memcpy(out.parallel, k->number, sizeof(out.parallel));
        ykc_send(g, c, ykc_msg(0xa2), &out, k->gun[i].seq);
    }
}

static void decide(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pair *k,
                   const struct reply_pile_start *r)
{
    k->said = *r;
    k->decided = true;
    k->due_ms = g->cfg.now_ms() + KEEP_MS;
    tell(g, c, k);
}

static void decide_no(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pair *k, int32_t reason)
{
    decide(g, c, k, &(struct reply_pile_start){.reason = reason});
}

void ykc_pair_decided(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w,
                      const struct out *out)
{
    struct ykc_pair *k = pair_find(g, w->pile, w->u.order);

    if (k == NULL || k->decided)
        return;
    if (out->err != 0)
        decide_no(g, c, k, REFUSAL_DISABLED);
    else
        decide(g, c, k, &out->u.pile_start);
}

void ykc_pairs_expire(struct ykc_gate *g, struct ykc_conn *c)
{
    int64_t now_ms = g->cfg.now_ms();

    for (struct ykc_pair *k = g->pairs, *next; k != NULL; k = next) {
        next = k->next;
        if (k->due_ms > now_ms || ykc_pile_of(c, k->pile->charger) != k->pile)
            continue;
        if (!k->decided && !k->asked)
            decide_no(g, c, k, REFUSAL_UNSUPPORTED); /* one gun alone is no pair */
        else
            pair_free(g, k);
    }
}

/* ---- A1 ---- */

/* One vehicle, so one card or VIN, at two guns. */
static bool fits(const struct ykc_pair *k)
{
    return k->gun[MAIN].kind != 0 && k->gun[MAIN].kind == k->gun[AUX].kind &&
           strcmp(k->gun[MAIN].tag, k->gun[AUX].tag) == 0 &&
           strcmp(k->gun[MAIN].gun, k->gun[AUX].gun) != 0;
}

static void ask(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p, struct ykc_pair *k)
{
    struct cmd_pile_start *s = &ykc_cmd(g, c, CMD_PILE_START, CMD_SIZE(pile_start))->u.pile_start;
    struct ykc_wait *w;

    s->charger = p->charger;
    s->connector = (int32_t)ykc_gun(k->gun[MAIN].gun);
    s->second = (int32_t)ykc_gun(k->gun[AUX].gun);
    s->kind = k->gun[MAIN].kind;
    str_copy(s->tag, sizeof(s->tag), str_from_c(k->gun[MAIN].tag));
    w = ykc_ask(g, c, p, 0xa1, k->gun[MAIN].seq);
    if (w == NULL)
        return; /* it asks again */
    k->asked = true;
    k->due_ms = g->cfg.now_ms() + KEEP_MS;
    str_copy(w->u.order, sizeof(w->u.order), str_from_c(k->number));
}

/* A password is not asked of cards here, as with 31. */
static void gun_take(const struct ykc_pile *p, const struct ykc_ParallelRequest *in,
                     const uint8_t seq[2], struct ykc_pair *k)
{
    int i = in->aux == 0 ? MAIN : AUX;

    k->gun[i].here = k->gun[i].wants = true;
    memcpy(k->gun[i].seq, seq, 2);
    str_copy(k->gun[i].gun, sizeof(k->gun[i].gun), str_from_c(in->gun));
    k->gun[i].card[0] = '\0';
    k->gun[i].kind = in->kind == 1 ? START_CARD : in->kind == 3 ? START_VIN : 0;
    if (in->kind == 1) {
        str_copy(k->gun[i].card, sizeof(k->gun[i].card), str_from_c(in->card));
        ykc_card(ykc_profile(p->profile), in->card, k->gun[i].tag);
    } else {
        ykc_vin(in->vin, true, k->gun[i].tag);
    }
}

void ykc_pair_take(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p,
                   const struct ykc_ParallelRequest *in, const uint8_t seq[2])
{
    struct ykc_pair *k = pair_find(g, p, in->parallel);

    bool sense = in->aux <= 1 && ykc_gun(in->gun) != 0;

    if (k == NULL && sense)
        k = pair_add(g, p, in->parallel);
    if (k == NULL || !sense) {
        refuse(g, c, in, seq, sense ? REFUSAL_PILE_BUSY : REFUSAL_UNSUPPORTED);
        return;
    }
    gun_take(p, in, seq, k);
    if (k->decided)
        tell(g, c, k);
    else if (k->gun[MAIN].here && k->gun[AUX].here && !fits(k))
        decide_no(g, c, k, REFUSAL_UNSUPPORTED);
    else if (k->gun[MAIN].here && k->gun[AUX].here && !k->asked)
        ask(g, c, p, k);
    ykc_calls_watch(g, c);
}
