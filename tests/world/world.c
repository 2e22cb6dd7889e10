// SPDX-License-Identifier: Apache-2.0
/* world.c: see world.h. */
#include "world/world.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/must.h"

#define SEAL_MS         20
#define FLAT_ELEC_E5    80000
#define FLAT_SERVICE_E5 40000

/* ---- batches ---- */

static struct pile *pile_of(struct world *w, const struct origin *to)
{
    struct pile *p = to->slot < (uint32_t)w->piles_n ? &w->piles[to->slot] : NULL;
    return p && p->up && p->gen == to->gen ? p : NULL;
}

static void out_deliver(struct world *w, const struct out *o)
{
    if (o->type == OUT_EVENT)
        return;
    if (o->to.kind == FROM_GATE) {
        struct pile *p = pile_of(w, &o->to);
        if (p)
            pile_deliver(p, o);
        return;
    }
    if (o->type == OUT_REPLY && o->to.kind == FROM_WEB)
        w->reply =
            (struct world_reply){.ref = o->to.ref, .err = o->err, .id = o->err ? 0 : o->u.made.id};
}

static void world_seal(struct world *w)
{
    w->seal_ms = INT64_MAX;
    if (!core_pending(w->core))
        return;
    core_seal(w->core, &w->batch);
    must(!w->batch.rows.err && !w->batch.samples.err && !w->batch.outs.err);
    keep_commit(&w->keep, buf_str(&w->batch.rows), buf_str(&w->batch.samples));
    audit_batch(&w->audit, buf_str(&w->batch.rows));
    w->settled = w->batch.number;
    for (size_t at = 0; at < w->batch.outs.n;) {
        const struct out *o = (const void *)(w->batch.outs.p + at);
        at += ((size_t)o->size + 7) & ~(size_t)7;
        out_deliver(w, o);
    }
}

static void needs_fill(struct world *w, const struct cmd *cmd)
{
    struct core_need needs[CORE_NEEDS_MAX];
    (void)core_rest(w->core, w->settled, 0);
    for (int round = 0; round < 8; round++) {
        int n = core_needs(w->core, cmd, needs);
        if (n == 0)
            return;
        for (int i = 0; i < n; i++) {
            if (core_need_waits(&needs[i]))
                world_seal(w); /* what was dropped from memory is in the batch at the latest */
            keep_fetch(&w->keep, w->core, &needs[i]);
        }
    }
    must_fail(__FILE__, __LINE__, "core_needs asks for ever");
}

static void sealed_soon(struct world *w)
{
    if (!core_pending(w->core))
        return;
    if (w->instant)
        world_seal(w);
    else if (w->seal_ms == INT64_MAX)
        w->seal_ms = w->now_ms + rng_range(&w->rng, 0, SEAL_MS);
}

void world_apply(struct world *w, struct cmd *cmd, size_t size)
{
    cmd->head.size = (uint32_t)size;
    cmd->head.version = CMD_VERSION;
    cmd->head.now_ms = w->now_ms;
    cmd->head.cause = ++w->ref;
    needs_fill(w, cmd);
    core_apply(w->core, cmd);
    sealed_soon(w);
}

/* ---- the web front ---- */

static struct cmd *web_cmd(struct world *w, uint16_t type)
{
    memset(w->cmd, 0, sizeof *w->cmd);
    w->cmd->head.type = type;
    w->cmd->head.from = (struct origin){.kind = FROM_WEB, .slot = 1, .ref = ++w->ref};
    w->cmd->head.tenant = w->tenant;
    w->cmd->head.actor_kind = ACTOR_PERSON;
    w->cmd->head.role = ROLE_ADMIN;
    w->cmd->head.actor = 1;
    return w->cmd;
}

static int web_do(struct world *w, size_t size)
{
    uint32_t ref = w->cmd->head.from.ref;
    world_apply(w, w->cmd, size);
    world_seal(w);
    must(w->reply.ref == ref); /* one command, one reply */
    return w->reply.err;
}

static int64_t web_row(struct world *w, enum row_table t, const void *row)
{
    struct cmd *cmd = web_cmd(w, CMD_ROW_PUT);
    struct buf packed;
    buf_init(&packed, sizeof cmd->u.row_put.row);
    row_pack(&packed, t, ROW_UPSERT, row);
    must(!packed.err);
    cmd->u.row_put.table = (int32_t)t;
    cmd->u.row_put.create = 1;
    cmd->u.row_put.n = (uint32_t)packed.n;
    memcpy(cmd->u.row_put.row, packed.p, packed.n);
    buf_free(&packed);
    must(web_do(w, CMD_SIZE(row_put)) == 0);
    return w->reply.id;
}

int world_topup(struct world *w, int64_t driver, int64_t amount)
{
    struct cmd *cmd = web_cmd(w, CMD_TOPUP);
    cmd->u.topup.driver = driver;
    cmd->u.topup.amount = amount;
    memcpy(cmd->u.topup.currency, "CNY", 4);
    int rc = web_do(w, CMD_SIZE(topup));
    if (!rc)
        audit_topup_add(&w->audit, driver, amount);
    return rc;
}

void world_verdict(struct world *w)
{
    struct audit_terms terms = {.flat = w->flat,
                                .elec_e5 = FLAT_ELEC_E5,
                                .service_e5 = FLAT_SERVICE_E5,
                                .contract = {w->contract[0], w->contract[1]},
                                .property_ratio = {5, 1},
                                .ratio_sum = {10, 3},
                                .unit = {100, 1}};
    audit_finish(&w->audit, &terms);
}

int world_start(struct world *w, int64_t driver, int64_t connector, int64_t cap)
{
    struct cmd *cmd = web_cmd(w, CMD_ORDER_START);
    cmd->head.role = ROLE_DRIVER;
    cmd->head.actor_kind = ACTOR_DRIVER;
    cmd->head.actor = driver;
    cmd->u.order_start = (struct cmd_order_start){
        .driver = driver, .connector = connector, .cap = cap, .payer_kind = PAYER_WALLET};
    return web_do(w, CMD_SIZE(order_start));
}

int world_stop(struct world *w, int64_t order)
{
    struct cmd *cmd = web_cmd(w, CMD_ORDER_STOP);
    cmd->u.order_stop.order = order;
    return web_do(w, CMD_SIZE(order_stop));
}

/* ---- setting up ---- */

static void make_tariff(struct world *w, int64_t *id, int n, const struct tariff_slice_in *slice)
{
    struct cmd *cmd = web_cmd(w, CMD_TARIFF_PUT);
    struct cmd_tariff_put *t = &cmd->u.tariff_put;
    (void)snprintf(t->name, sizeof t->name, "tariff of %d", n);
    t->from_ms = 1;
    t->days = 1;
    t->day[0] =
        (struct tariff_day_in){.first_mmdd = 101, .last_mmdd = 1231, .weekdays = 127, .plan = 1};
    t->slices = n;
    memcpy(t->slice, slice, (size_t)n * sizeof *slice);
    must(web_do(w, CMD_SIZE(tariff_put)) == 0);
    *id = w->reply.id;
}

static void make_contract(struct world *w, int64_t *id, int32_t ours, int32_t theirs, int64_t unit)
{
    struct cmd *cmd = web_cmd(w, CMD_CONTRACT_PUT);
    struct cmd_contract_put *c = &cmd->u.contract_put;
    (void)snprintf(c->name, sizeof c->name, "%d to %d", ours, theirs);
    c->from_ms = 1;
    c->unit = unit;
    c->n = 2;
    c->party[0] = (struct contract_party_in){.party = w->platform, .lines = 7, .ratio = ours};
    c->party[1] = (struct contract_party_in){.party = w->property, .lines = 7, .ratio = theirs};
    must(web_do(w, CMD_SIZE(contract_put)) == 0);
    *id = w->reply.id;
}

/** The family of a tariff or contract is named by its first version, or has an id of its own: the
 * rows say. */
struct family {
    enum row_table t;
    int64_t id, family, platform;
};
static void family_see(struct keep *k, struct family *f)
{
    for (size_t i = 0; i < k->n; i++) {
        struct cursor c = {(const uint8_t *)k->rows[i].packed,
                           (const uint8_t *)k->rows[i].packed + k->rows[i].n};
        enum row_table t;
        enum row_op op;
        void *row;
        if (!k->rows[i].packed)
            continue;
        must(row_unpack(&c, &k->scratch, &t, &op, &row) == 0);
        if (t == ROW_TARIFF && f->t == t && ((struct row_tariff *)row)->id == f->id)
            f->family = ((struct row_tariff *)row)->family;
        if (t == ROW_CONTRACT && f->t == t && ((struct row_contract *)row)->id == f->id)
            f->family = ((struct row_contract *)row)->family;
        if (t == ROW_PARTY && ((struct row_party *)row)->kind == PARTY_PLATFORM)
            f->platform = ((struct row_party *)row)->id;
        arena_reset(&k->scratch);
    }
}

static int64_t family_of(struct world *w, enum row_table t, int64_t id)
{
    struct family f = {.t = t, .id = id};
    family_see(&w->keep, &f);
    return f.family;
}

static void make_prices(struct world *w)
{
    static const struct tariff_slice_in flat[1] = {
        {.plan = 1, .label = "平", .elec_e5 = FLAT_ELEC_E5, .service_e5 = FLAT_SERVICE_E5}};
    static const struct tariff_slice_in steps[4] = {
        {.plan = 1, .from_min = 0, .label = "谷", .elec_e5 = 32150, .service_e5 = 40000},
        {.plan = 1, .from_min = 420, .label = "平", .elec_e5 = 63980, .service_e5 = 45000},
        {.plan = 1, .from_min = 600, .label = "峰", .elec_e5 = 102310, .service_e5 = 45000},
        {.plan = 1, .from_min = 900, .label = "平", .elec_e5 = 63980, .service_e5 = 45000}};
    make_tariff(w, &w->flat, 1, flat);
    make_tariff(w, &w->steps, 4, steps);
    make_contract(w, &w->contract[0], 5, 5, 100);
    make_contract(w, &w->contract[1], 2, 1, 1);
}

static void make_drivers(struct world *w, int n)
{
    w->driver = calloc((size_t)n, sizeof *w->driver);
    must(w->driver);
    w->drivers_n = n;
    for (int i = 0; i < n; i++) {
        struct cmd *cmd = web_cmd(w, CMD_REGISTER_DRIVER);
        char tag[20];
        (void)snprintf(cmd->u.register_driver.phone, sizeof cmd->u.register_driver.phone, "138%08d",
                       i);
        (void)snprintf(cmd->u.register_driver.name, sizeof cmd->u.register_driver.name, "D%d", i);
        must(web_do(w, CMD_SIZE(register_driver)) == 0);
        w->driver[i] = w->reply.id;
        (void)snprintf(tag, sizeof tag, "CARD%04d", i + 1);
        struct row_token token = {
            .tenant = w->tenant, .driver = w->driver[i], .tag = tag, .kind = TOKEN_CARD};
        (void)web_row(w, ROW_TOKEN, &token);
    }
}

static void core_start(struct world *w)
{
    struct core_limits limits = {.chargers = 4096,
                                 .connectors = 8192,
                                 .drivers = 65536,
                                 .accounts = 262144,
                                 .orders = 16384,
                                 .commands = 16384,
                                 .hot = 2, /* so that idle chargers come and go */
                                 .seed = 5,
                                 .secret = 11};
    must(core_new(&limits, &w->core) == 0);
    w->settled = 0;
    must(core_zone_add(w->core, "Asia/Shanghai", w->zone) == 0);
}

void world_open(struct world *w, uint64_t seed, int drivers, int piles_max)
{
    *w = (struct world){.rng = {seed}, .now_ms = WORLD_START_MS, .seal_ms = INT64_MAX};
    w->cmd = calloc(1, sizeof *w->cmd);
    w->piles = calloc((size_t)piles_max, sizeof *w->piles);
    must(w->cmd && w->piles);
    must(zone_fixed(8 * 3600, &w->zone) == 0);
    keep_init(&w->keep);
    audit_init(&w->audit);
    core_batch_init(&w->batch);
    heap_init(&w->timers, (uint32_t)piles_max);
    core_start(w);
    core_started(w->core, w->now_ms);
    struct cmd *cmd = web_cmd(w, CMD_SETUP);
    (void)snprintf(cmd->u.setup.tenant_name, sizeof cmd->u.setup.tenant_name, "World");
    memcpy(cmd->u.setup.currency, "CNY", 4);
    (void)snprintf(cmd->u.setup.zone, sizeof cmd->u.setup.zone, "Asia/Shanghai");
    (void)snprintf(cmd->u.setup.login, sizeof cmd->u.setup.login, "admin");
    (void)snprintf(cmd->u.setup.name, sizeof cmd->u.setup.name, "Admin");
    (void)snprintf(cmd->u.setup.pass_hash, sizeof cmd->u.setup.pass_hash, "x");
    must(web_do(w, CMD_SIZE(setup)) == 0);
    w->tenant = w->reply.id;
    struct family f = {0};
    family_see(&w->keep, &f);
    w->platform = f.platform;
    struct row_party party = {.tenant = w->tenant, .kind = PARTY_PROPERTY, .name = "Owner"};
    w->property = web_row(w, ROW_PARTY, &party);
    make_prices(w);
    for (int i = 0; i < 2; i++) {
        struct row_station station = {.tenant = w->tenant,
                                      .name = i ? "Steps" : "Flat",
                                      .zone = "Asia/Shanghai",
                                      .seller = "World Ltd",
                                      .tariff = family_of(w, ROW_TARIFF, i ? w->steps : w->flat),
                                      .contract = family_of(w, ROW_CONTRACT, w->contract[i])};
        w->station[i] = web_row(w, ROW_STATION, &station);
    }
    make_drivers(w, drivers);
}

void world_close(struct world *w)
{
    for (int i = 0; i < w->piles_n; i++)
        model_free(&w->piles[i].m);
    core_batch_free(&w->batch);
    core_free(w->core);
    audit_free(&w->audit);
    keep_free(&w->keep);
    heap_free(&w->timers);
    zone_free(w->zone);
    free(w->driver);
    free(w->piles);
    free(w->cmd);
}

struct pile *world_pile(struct world *w, int32_t protocol, const struct model_traits *t,
                        const uint16_t *mix, int station)
{
    struct pile *p = &w->piles[w->piles_n];
    *p = (struct pile){.w = w, .index = w->piles_n, .protocol = protocol};
    p->rng.s = rng_next(&w->rng);
    (void)snprintf(p->path, sizeof p->path, "%014d", 32010000 + w->piles_n);
    w->piles_n++;
    struct row_charger charger = {.tenant = w->tenant,
                                  .station = w->station[station],
                                  .path = p->path,
                                  .protocol = protocol,
                                  .name = p->path,
                                  .max_power_w = t->power_w,
                                  .traits = (t->obeys_trigger ? TRAIT_TRIGGER : 0) |
                                            (t->obeys_interval ? TRAIT_INTERVAL : 0) |
                                            (t->obeys_profiles ? TRAIT_PROFILE : 0),
                                  .sample_s = t->reading_ms / 1000};
    p->charger = web_row(w, ROW_CHARGER, &charger);
    for (int i = 0; i < t->guns; i++) {
        struct row_connector connector = {.tenant = w->tenant,
                                          .charger = p->charger,
                                          .number = i + 1,
                                          .kind = t->dc ? CONNECTOR_DC : CONNECTOR_AC,
                                          .max_power_w = t->power_w};
        p->connector[i] = web_row(w, ROW_CONNECTOR, &connector);
    }
    model_init(&p->m, t, mix, rng_next(&w->rng), w->now_ms);
    pile_init(p);
    return p;
}

/* ---- time ---- */

void world_run(struct world *w, int64_t until_ms)
{
    for (;;) {
        int64_t core_ms = core_due_ms(w->core), pile_ms = heap_due(&w->timers);
        int64_t next = core_ms < pile_ms ? core_ms : pile_ms;
        if (w->seal_ms <= next)
            next = w->seal_ms;
        if (next > until_ms)
            break;
        if (next > w->now_ms)
            w->now_ms = next;
        if (w->seal_ms <= w->now_ms) {
            world_seal(w);
            continue;
        }
        if (core_ms <= w->now_ms) {
            core_tick(w->core, w->now_ms);
            sealed_soon(w);
            continue;
        }
        struct timer *t = heap_pop(&w->timers, w->now_ms);
        if (t)
            pile_tick(CONTAINER_OF(t, struct pile, timer));
    }
    w->now_ms = until_ms;
}

void world_kill(struct world *w)
{
    core_free(w->core); /* whatever was not sealed is lost, as with kill -9 */
    w->seal_ms = INT64_MAX;
    w->kills++;
    for (int i = 0; i < w->piles_n; i++)
        pile_cut(&w->piles[i]);
    w->now_ms += 2000;
    core_start(w);
    keep_load(&w->keep, w->core);
    core_started(w->core, w->now_ms);
    sealed_soon(w);
}
