// SPDX-License-Identifier: Apache-2.0
/* hot.c: which chargers are in memory. All that something happens at (an open order, a call under
 * way, a timer, a row that is not durable yet) are pinned; of the others only those heard of last stay
 * (core_limits.hot_busy), the rest leave with their connectors and are fetched again by need. A hundred
 * thousand chargers that stand idle are a hundred thousand lines: what a connection is known by and no
 * row holds.
 *
 * In a storm of log-ins each finds itself where it was a message ago. Once more than a quiet house needs
 * (core_limits.hot) are in memory, all those leave of which nothing but heartbeats was heard for
 * HOT_MS, until hardly any is left: the last ones would keep the storm's pages. Pages are given back each
 * time that half of what was there has left, not with each that leaves.
 *
 * Data: the chargers in memory in a list, last touched first; a line for each charger that left after
 * it was connected, as it was when it left.
 *
 * What is forgotten: the last StartTransaction of a connector after EVICT_MS, as by a restart.
 *
 * Invariants:
 *  1. a charger is in memory with all its connectors, or not at all, and then its line means
 *     nothing;
 *  2. what leaves is durable: the look-up that brings it back waits for no commit, and finds what
 *     left;
 *  3. coming back changes nothing else that a command or a timer could see.
 * Fails by keeping: without room for its line a charger stays. */
#include "core/core_state.h"
#include "core/invoice.h"

enum { HOT_STEPS = 512, HOT_MS = 10000 }; /* chargers looked at in one go */
enum { HOT_EBB = 8 };                     /* after a storm this part of core_limits.hot may stay */

void hot_init(struct core *c)
{
    map_init(&c->lines, c->lim.chargers, c->lim.seed);
}

void hot_free(struct core *c)
{
    map_free(&c->lines);
}

/* ---- lines ---- */

struct line *hot_line(const struct core *c, int64_t charger)
{
    return map_get_ptr(&c->lines, (uint64_t)charger);
}

/* The latest time up to now with these low bits. */
static int64_t time_of(const struct core *c, uint32_t low)
{
    return c->now - (int64_t)(uint32_t)((uint32_t)c->now - low);
}

/* Its line, made for ever when there is none yet; NULL: no room. */
static struct line *line_of(struct core *c, int64_t charger)
{
    struct line *l = hot_line(c, charger);
    if (l || c->lines.n >= c->lines.cap)
        return l;
    l = ARENA_NEW(&c->arena, struct line);
    return l && map_put_ptr(&c->lines, (uint64_t)charger, l) == 0 ? l : NULL;
}

/* Counters far beyond their quotas. */
static uint16_t low16(uint32_t n)
{
    return n < UINT16_MAX ? (uint16_t)n : UINT16_MAX;
}

static bool line_save(struct core *c, const struct charger *ch)
{
    if (!ch->opened_ms)
        return true; /* never connected: its row says it all */
    struct line *l = line_of(c, ch->row.id);
    if (!l)
        return false;
    *l = (struct line){.conn = ch->conn,
                       .opened_ms = ch->opened_ms,
                       .lag_ms = ch->lag_ms,
                       .heard_at = (uint32_t)ch->heard_ms,
                       .quota_at = (uint32_t)ch->quota_ms,
                       .quota_txn_at = (uint32_t)ch->quota_txn_ms,
                       .quota_n = low16(ch->quota_n),
                       .quota_txn_n = low16(ch->quota_txn_n),
                       .quota_over = low16(ch->quota_over),
                       .online = ch->online,
                       .probed = ch->probed,
                       .quota_again = ch->quota_again};
    const struct connector *k = ch->connectors;
    for (int i = 0; k && i < LINE_GUNS; i++, k = k->next) {
        l->flap_gun[i] = (uint8_t)k->row.number;
        l->flap_at[i] = (uint32_t)k->flap.from_ms;
        l->flap_changes[i] = (uint8_t)k->flap.changes; /* up to STATUS_BURST */
    }
    return true;
}

static void line_take(struct core *c, struct charger *ch, const struct line *l)
{
    ch->conn = l->conn;
    ch->opened_ms = l->opened_ms;
    ch->heard_ms = time_of(c, l->heard_at);
    ch->lag_ms = l->lag_ms;
    ch->quota_ms = time_of(c, l->quota_at);
    ch->quota_txn_ms = time_of(c, l->quota_txn_at);
    ch->quota_n = l->quota_n;
    ch->quota_txn_n = l->quota_txn_n;
    ch->quota_over = l->quota_over;
    ch->online = l->online;
    ch->probed = l->probed;
    ch->quota_again = l->quota_again;
}

/* ---- the list ---- */

static void list_out(struct core *c, struct charger *ch)
{
    *(ch->newer ? &ch->newer->older : &c->hot_first) = ch->older;
    *(ch->older ? &ch->older->newer : &c->hot_last) = ch->newer;
    ch->newer = ch->older = NULL;
}

static void list_in(struct core *c, struct charger *ch)
{
    ch->touched_ms = c->now;
    ch->older = c->hot_first;
    *(c->hot_first ? &c->hot_first->newer : &c->hot_last) = ch;
    c->hot_first = ch;
}

void hot_add(struct core *c, struct charger *ch)
{
    const struct line *l = hot_line(c, ch->row.id);
    if (l)
        line_take(c, ch, l);
    list_in(c, ch);
}

void hot_add_gun(struct core *c, struct connector *k)
{
    const struct line *l = hot_line(c, k->row.charger);
    for (int i = 0; l && i < LINE_GUNS; i++)
        if (l->flap_gun[i] == k->row.number) {
            k->flap.from_ms = time_of(c, l->flap_at[i]);
            k->flap.changes = l->flap_changes[i];
        }
}

void hot_touch(struct core *c, struct charger *ch)
{
    ch->touched_ms = c->now;
    if (c->hot_first == ch)
        return;
    list_out(c, ch);
    list_in(c, ch);
}

/* ---- leaving ---- */

static bool durable(const struct core *c, const struct obj *o)
{
    return !o->dirty && o->sealed <= c->settled;
}

/* A gun beyond those that a line has room for. */
static bool flaps(const struct core *c, const struct connector *k, int i)
{
    return i >= LINE_GUNS && k->flap.changes && c->now - k->flap.from_ms < STATUS_WINDOW_MS;
}

static bool idle(const struct core *c, const struct charger *ch)
{
    if (ch->order_ms && c->now - ch->order_ms < NEXT_MS)
        return false;
    if (!durable(c, &ch->o) || ch->orders || ch->calling || ch->queue ||
        ch->row.state == CHARGER_WAITING)
        return false;
    for (int i = 0; i < TC_N; i++)
        if (ch->timer[i].pos)
            return false;
    int i = 0;
    for (const struct connector *k = ch->connectors; k; k = k->next)
        if (!durable(c, &k->o) || k->row.order_id || flaps(c, k, i++) ||
            (k->told_at_ms && c->now - k->told_at_ms < EVICT_MS))
            return false;
    return true;
}

static void leave(struct core *c, struct charger *ch)
{
    list_out(c, ch);
    for (struct connector *k = ch->connectors, *next; k; k = next) {
        next = k->next;
        dir_drop(c, &k->o);
    }
    dir_drop(c, &ch->o);
}

/* The one that was touched longest ago, if it can; else it is looked at again when its turn comes. */
static void last_leave(struct core *c, int64_t now_ms)
{
    struct charger *ch = c->hot_last;
    if (idle(c, ch) && line_save(c, ch)) {
        leave(c, ch);
    } else {
        hot_touch(c, ch);
        ch->touched_ms = now_ms;
    }
}

static bool last_must(struct core *c, int64_t now_ms)
{
    uint32_t live = c->dir[ROW_CHARGER].slab.live, few = c->lim.hot / HOT_EBB;
    c->hot_ebb = live > c->lim.hot + c->busy || (c->hot_ebb && live > few + c->busy);
    bool stale = c->hot_last && now_ms - c->hot_last->touched_ms >= HOT_MS;
    return (c->hot_ebb && stale) || live > c->lim.hot_busy + c->busy;
}

/* True when so many left since pages were given back that it is worth it. */
static bool pages_due(struct core *c)
{
    uint32_t live = c->dir[ROW_CHARGER].slab.live;
    if (c->hot_peak <= c->lim.hot / HOT_EBB || live > c->hot_peak / 2)
        return false;
    c->hot_peak = live;
    return true;
}

bool core_rest(struct core *c, uint64_t settled, int64_t now_ms)
{
    must(settled <= c->sealed && settled >= c->settled);
    c->settled = settled;
    invoice_rest(c);
    now_ms = now_ms > c->now ? now_ms : c->now;
    if (c->hot_peak < c->dir[ROW_CHARGER].slab.live)
        c->hot_peak = c->dir[ROW_CHARGER].slab.live;
    for (int i = 0; i < HOT_STEPS && last_must(c, now_ms); i++)
        last_leave(c, now_ms);
    if (!pages_due(c))
        return false;
    dir_trim(c, ROW_CHARGER);
    dir_trim(c, ROW_CONNECTOR);
    return true;
}
