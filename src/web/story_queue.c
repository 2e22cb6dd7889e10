// SPDX-License-Identifier: Apache-2.0
/* story_queue.c: an account of a party as a queue: what came in stands in a line, and what left took the
 * oldest of it. Both stories, of an order's shares and of a withdrawal, read it.
 *
 * Places are counted from the newest money backwards: the newest that came in ends at 0, and the newest
 * that left ends where the balance of now begins. So a walk needs nothing that lies before it.
 *
 * A withdrawal that came back never happened: neither it nor its return stands in the queue. But what its
 * return settled of the party's debts is gone: it left when the return was posted.
 *
 * Invariants: 1. places of what came in do not overlap, nor do those of what left; 2. the walk is bounded
 * (story.h), and says when it did not come to what was asked for. Owns nothing. The request's thread. */
#include "web/story.h"

#include "base/err.h"
#include "core/types.h"

enum { QUEUE_MAX = 5000, BACK_MAX = 256 };

bool story_came_back(int64_t state)
{
    return state == PAYOUT_FAILED || state == PAYOUT_REFUSED || state == PAYOUT_CANCELLED;
}

int64_t story_overlap(int64_t a, int64_t an, int64_t b, int64_t bn)
{
    int64_t from = a > b ? a : b, to = a + an < b + bn ? a + an : b + bn;

    return to > from ? to - from : 0;
}

struct queue_walk {
    struct story_queue *q;
    int64_t came, left;     /* where the next older ones end, below 0 */
    int64_t back[BACK_MAX]; /* payouts whose return was met */
    uint32_t back_n;
    bool begun;
};

static int came_put(struct queue_walk *w, const struct story_move *m, int64_t n)
{
    struct story_queue *q = w->q;

    if (q->in_n == QUEUE_MAX)
        return ERR_FULL;
    w->came += n;
    q->in[q->in_n++] = (struct story_place){*m, -w->came, n};
    return 0;
}

static int left_put(struct queue_walk *w, const struct story_move *m, int64_t n)
{
    struct story_queue *q = w->q;

    if (n <= 0)
        return 0;
    if (q->out_n == QUEUE_MAX)
        return ERR_FULL;
    w->left += n;
    q->out[q->out_n++] = (struct story_place){*m, -w->left, n};
    return 0;
}

/* Newest first, so its return is met before it; unless all of that settled what the party owed. */
static int returned_put(struct queue_walk *w, const struct story_move *m)
{
    if (m->amount < 0) {
        for (uint32_t i = 0; i < w->back_n; i++)
            if (w->back[i] == m->payout)
                return 0;
        return left_put(w, m, -m->amount);
    }
    if (w->back_n == BACK_MAX)
        return ERR_FULL;
    w->back[w->back_n++] = m->payout;
    return left_put(w, m, m->payout_amount - m->amount);
}

/* All that was asked for is there. */
static bool queue_enough(struct queue_walk *w, const struct story_move *m)
{
    struct story_queue *q = w->q;

    if (q->transfer != 0 && m->transfer == q->transfer && m->amount > 0)
        q->found = &q->in[q->in_n - 1];
    if (q->transfer != 0)
        return q->found != NULL || m->transfer < q->transfer;
    if (q->due != 0 && m->code == TRANSFER_MATURE && m->effective_ms == q->due && m->bill == 0 &&
        m->amount > 0)
        q->found = &q->in[q->in_n - 1];
    if (q->due != 0)
        return q->found != NULL || m->posted_ms < q->due;
    if (m->payout == q->payout && m->code == TRANSFER_WITHDRAWAL && q->out_n > 0)
        q->found = &q->out[q->out_n - 1];
    return q->found != NULL && -w->came <= q->found->at;
}

static int queue_take(void *ctx, const struct story_move *m)
{
    struct queue_walk *w = ctx;
    bool back = m->payout_kind == PAYOUT_SHARE && story_came_back(m->payout_state);
    int err;

    if (!w->begun)
        w->left = m->balance;
    w->begun = true;
    if (back)
        err = returned_put(w, m);
    else
        err = m->amount > 0 ? came_put(w, m, m->amount) : left_put(w, m, -m->amount);
    if (err == 0 && queue_enough(w, m))
        err = 1;
    return err;
}

int story_queue(struct request *r, const struct story_account *a, int64_t last,
                struct story_queue *q)
{
    struct queue_walk w = {.q = q};
    int err;

    if (q->in == NULL)
        q->in = ARENA_ARRAY(&r->arena, QUEUE_MAX, struct story_place);
    if (q->out == NULL)
        q->out = ARENA_ARRAY(&r->arena, QUEUE_MAX, struct story_place);
    if (q->in == NULL || q->out == NULL)
        return ERR_TOO_LARGE;
    q->in_n = q->out_n = 0;
    q->found = NULL;
    q->all = true;
    err = story_walk(r, a, last, queue_take, &w, &q->all);
    if (err == ERR_FULL)
        q->all = false;
    return err == ERR_FULL ? 0 : err;
}

static int purse_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct story_purse *p = ctx;

    (void)n;
    p->pending = v[0].i;
    p->available = v[1].i;
    p->available_last = v[2].i;
    p->debt = v[3].i;
    p->debt_last = v[4].i;
    p->income = v[5].i;
    p->income_last = v[6].i;
    p->refund_days = v[7].i;
    return 0;
}

int story_purse(struct request *r, int64_t party, struct str currency, struct story_purse *out)
{
    const struct bind keys[] = {BIND_I64("of_party", party), BIND_TEXT("currency", currency)};

    *out = (struct story_purse){.party = party};
    return req_query(r, QUERY_STORY_PURSE, keys, ARRAY_LEN(keys), purse_take, out);
}
