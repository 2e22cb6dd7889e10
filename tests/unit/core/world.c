// SPDX-License-Identifier: Apache-2.0
/* world.c: see world.h. The store keeps each row packed under its primary key, applies upserts
 * (with the columns that are sums), inserts (the key must be new) and deletes as the real one does;
 * world_load.c loads a core from it. */
#include "world.h"

#include "core/purse.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

/* ---- store ---- */

static void key_of(enum row_table t, const void *row, struct buf *key)
{
    const struct row_meta *m = &row_metas[t];
    for (uint32_t i = 0; i < m->n; i++) {
        const struct row_column *k = &m->columns[i];
        const char *at = (const char *)row + k->offset;
        if (!k->pk)
            continue;
        if (k->kind == COLUMN_TEXT)
            buf_put_c(key, *(const char *const *)(const void *)at);
        else if (k->kind == COLUMN_INT || k->kind == COLUMN_BOOL)
            buf_put_i64(key, *(const int32_t *)(const void *)at);
        else
            buf_put_i64(key, *(const int64_t *)(const void *)at);
        buf_put_char(key, '|');
    }
}

static struct stored *stored_find(struct world *w, enum row_table t, const struct buf *key)
{
    for (size_t i = 0; i < w->rows_n; i++)
        if (w->rows[i].table == t && str_eq(buf_str(&w->rows[i].key), buf_str(key)))
            return &w->rows[i];
    return NULL;
}

void *world_unpacked_to(struct arena *a, const struct stored *s)
{
    struct cursor c = {(const uint8_t *)s->row.p, (const uint8_t *)s->row.p + s->row.n};
    enum row_table t;
    enum row_op op;
    void *row;
    assert_int_equal(row_unpack(&c, a, &t, &op, &row), 0);
    return row;
}

void *world_unpacked(struct world *w, const struct stored *s)
{
    return world_unpacked_to(&w->arena, s);
}

static void sums_add(enum row_table t, void *row, const void *old)
{
    const struct row_meta *m = &row_metas[t];
    for (uint32_t i = 0; i < m->n; i++)
        if (m->columns[i].sum)
            *(int64_t *)(void *)((char *)row + m->columns[i].offset) +=
                *(const int64_t *)(const void *)((const char *)old + m->columns[i].offset);
}

static void stored_put(struct world *w, enum row_table t, enum row_op op, void *row)
{
    struct buf key;
    buf_init(&key, 1000);
    key_of(t, row, &key);
    struct stored *s = stored_find(w, t, &key);
    if (op == ROW_DELETE) {
        if (s) {
            buf_free(&s->key);
            buf_free(&s->row);
            memmove(s, s + 1, (size_t)(w->rows + w->rows_n - s - 1) * sizeof *s);
            w->rows_n--;
        }
        buf_free(&key);
        return;
    }
    assert_false(op == ROW_INSERT && s);
    if (!s) {
        if (w->rows_n == w->rows_cap) {
            w->rows_cap = w->rows_cap ? w->rows_cap * 2 : 256;
            w->rows = realloc(w->rows, w->rows_cap * sizeof *w->rows);
        }
        s = &w->rows[w->rows_n++];
        s->table = t;
        s->key = key;
        buf_init(&s->row, SIZE_MAX);
    } else {
        sums_add(t, row, world_unpacked(w, s));
        buf_free(&key);
    }
    buf_reset(&s->row);
    row_pack(&s->row, t, ROW_UPSERT, row);
}

static void rows_apply(struct world *w, struct str rows)
{
    w->changed = 0;
    struct cursor c = {(const uint8_t *)rows.p, (const uint8_t *)rows.p + rows.n};
    while (c.p < c.end) {
        enum row_table t;
        enum row_op op;
        void *row;
        assert_int_equal(row_unpack(&c, &w->arena, &t, &op, &row), 0);
        w->changed += t != ROW_AUDIT;
        stored_put(w, t, op, row);
    }
}

static void samples_apply(struct world *w, struct str s)
{
    for (size_t at = 0; at < s.n; at += sizeof(struct sample_record)) {
        if (w->samples_n == w->samples_cap) {
            w->samples_cap = w->samples_cap ? w->samples_cap * 2 : 64;
            w->samples = realloc(w->samples, w->samples_cap * sizeof *w->samples);
        }
        memcpy(&w->samples[w->samples_n++], s.p + at, sizeof(struct sample_record));
    }
}

const void *world_row(struct world *w, enum row_table t, int64_t id)
{
    for (size_t i = 0; i < w->rows_n; i++) {
        if (w->rows[i].table != t)
            continue;
        if (*(const int64_t *)world_unpacked(w, &w->rows[i]) == id)
            return world_unpacked_to(&w->kept, &w->rows[i]);
    }
    return NULL;
}

const void *world_last(struct world *w, enum row_table t)
{
    for (size_t i = w->rows_n; i > 0; i--)
        if (w->rows[i - 1].table == t)
            return world_unpacked_to(&w->kept, &w->rows[i - 1]);
    return NULL;
}

size_t world_count(const struct world *w, enum row_table t)
{
    size_t n = 0;
    for (size_t i = 0; i < w->rows_n; i++)
        n += w->rows[i].table == t;
    return n;
}

const struct row_orders *world_order(struct world *w, int64_t id)
{
    return world_row(w, ROW_ORDERS, id);
}

const struct row_session *world_session(struct world *w, int64_t order)
{
    for (size_t i = 0; i < w->rows_n; i++) {
        if (w->rows[i].table != ROW_SESSION)
            continue;
        const struct row_session *s = world_unpacked(w, &w->rows[i]);
        if (s->order_id == order)
            return world_unpacked_to(&w->kept, &w->rows[i]);
    }
    return NULL;
}

bool world_event(struct world *w, int64_t order, enum order_event_kind e)
{
    for (size_t i = 0; i < w->rows_n; i++) {
        if (w->rows[i].table != ROW_ORDER_EVENT)
            continue;
        const struct row_order_event *r = world_unpacked(w, &w->rows[i]);
        if (r->order_id == order && r->event == (int32_t)e)
            return true;
    }
    return false;
}

int64_t world_balance(struct world *w, int32_t kind, int64_t owner)
{
    for (size_t i = 0; i < w->rows_n; i++) {
        if (w->rows[i].table != ROW_ACCOUNT)
            continue;
        const struct row_account *a = world_unpacked(w, &w->rows[i]);
        if (a->kind == kind && a->owner == owner)
            return a->posted_in - a->posted_out;
    }
    return 0;
}

/* ---- steps ---- */

static void outs_take(struct world *w, struct str outs)
{
    w->outs_n = 0;
    for (size_t at = 0; at < outs.n;) {
        uint32_t size;
        memcpy(&size, outs.p + at, sizeof size);
        assert_true(size % 8 == 0 && size && at + size <= outs.n);
        if (w->outs_n < ARRAY_LEN(w->outs)) {
            struct out *o = &w->outs[w->outs_n++];
            memset(o, 0, sizeof *o);
            memcpy(o, outs.p + at, size < sizeof *o ? size : sizeof *o);
            if (o->type == OUT_NOTICE && w->notices_n++ < ARRAY_LEN(w->notices))
                w->notices[w->notices_n - 1] = o->u.notice;
        }
        at += size;
    }
}

/* What matures is what is pending, what is on its way is what lies in transit; who owes has nothing
 * available. */
static void waits_verify(const struct world *w)
{
    const struct purse *p = w->core->purse;
    int64_t pending = 0, transit = 0;
    for (uint32_t i = 0; i < p->buckets.len; i++) {
        const struct bucket *b = slab_at(&p->buckets, i);
        if (b)
            assert_true(b->row.amount >= 0);
        pending += b ? b->row.amount : 0;
    }
    for (uint32_t i = 0; i < p->payouts.len; i++) {
        const struct payout *o = slab_at(&p->payouts, i);
        bool over = o && o->row.state >= PAYOUT_SETTLED && o->row.state <= PAYOUT_CANCELLED;
        bool waits = o && !over && o->row.kind != PAYOUT_RETURNED; /* that is nowhere yet */
        transit += waits ? o->row.amount - o->row.tax : 0;
    }
    for (uint32_t i = 0; i < ledger_accounts(w->core->ledger); i++) {
        const struct ledger_account *a = ledger_account_at(w->core->ledger, i);
        if (a->kind == ACCOUNT_PENDING)
            pending -= ledger_balance(a).v;
        if (a->kind == ACCOUNT_TRANSIT)
            transit -= ledger_balance(a).v;
        if (a->kind != ACCOUNT_PARTY_DEBT || !ledger_balance(a).v)
            continue;
        const struct ledger_account *free = ledger_account_find(
            w->core->ledger, a->tenant, ACCOUNT_AVAILABLE, a->owner, a->currency);
        assert_true(!free || ledger_balance(free).v == 0);
    }
    assert_int_equal(pending, 0);
    assert_int_equal(transit, 0);
}

void world_seal(struct world *w)
{
    core_seal(w->core, &w->batch);
    arena_reset(&w->arena);
    w->rows_last = w->batch.rows.n;
    rows_apply(w, buf_str(&w->batch.rows));
    samples_apply(w, buf_str(&w->batch.samples));
    outs_take(w, buf_str(&w->batch.outs));
    if (w->taping) {
        buf_put(&w->tape, w->batch.rows.p, w->batch.rows.n);
        buf_put(&w->tape, w->batch.samples.p, w->batch.samples.n);
        buf_put(&w->tape, w->batch.outs.p, w->batch.outs.n);
    }
    /* The sums of a tenant are zero over all accounts: when all are there. */
    if (ledger_accounts(w->core->ledger) == world_count(w, ROW_ACCOUNT))
        assert_int_equal(ledger_verify(w->core->ledger), 0);
    waits_verify(w);
    assert_false(core_pending(w->core));
    (void)core_rest(w->core, w->batch.number, w->now);
}

int world_send(struct world *w, struct cmd *cmd)
{
    struct core_need needs[CORE_NEEDS_MAX];
    cmd->head.now_ms = w->now;
    cmd->head.from.ref = ++w->ref;
    for (int round = 0;; round++) {
        assert_true(round < 6);
        int n = core_needs(w->core, cmd, needs);
        if (!n)
            break;
        for (int i = 0; i < n; i++)
            world_fetch(w, &needs[i]);
    }
    core_apply(w->core, cmd);
    world_seal(w);
    int replies = 0;
    for (size_t i = 0; i < w->outs_n; i++) {
        if (w->outs[i].type != OUT_REPLY)
            continue;
        w->reply = w->outs[i];
        replies++;
        assert_int_equal(w->reply.to.ref, w->ref);
    }
    if (cmd->head.type == CMD_CALL_RESULT || cmd->head.type == CMD_CONN_CLOSED ||
        cmd->head.type == CMD_PRICE_HELD || cmd->head.type == CMD_BATTERY ||
        cmd->head.type == CMD_PARKING)
        return 0;
    assert_int_equal(replies, 1);
    if (w->reply.err)
        assert_int_equal(w->changed, 0); /* an error changed nothing; the audit may tell of it */
    return w->reply.err;
}

void world_tick(struct world *w, int64_t to_ms)
{
    w->now = to_ms;
    core_tick(w->core, to_ms);
    world_seal(w);
}

void world_run(struct world *w, int64_t ms)
{
    int64_t end = w->now + ms;
    while (core_due_ms(w->core) <= end)
        world_tick(w, core_due_ms(w->core) > w->now ? core_due_ms(w->core) : w->now);
    world_tick(w, end);
}

void world_core_new(struct world *w)
{
    const struct core_limits lim = {.chargers = 50,
                                    .connectors = 100,
                                    .drivers = 100,
                                    .accounts = 500,
                                    .orders = 200,
                                    .commands = 100,
                                    .hot = w->eager ? 100 : 1,
                                    .seed = 7,
                                    .secret = 11};
    assert_int_equal(core_new(&lim, &w->core), 0);
    assert_int_equal(core_zone_add(w->core, "Asia/Shanghai", w->zone), 0);
}

/* ---- commands ---- */

static struct cmd *cmd_new(enum cmd_type type)
{
    static struct cmd cmd;
    memset(&cmd, 0, sizeof cmd);
    cmd.head.size = sizeof cmd;
    cmd.head.version = CMD_VERSION;
    cmd.head.type = (uint16_t)type;
    cmd.head.cause = 42;
    return &cmd;
}

struct cmd *world_web(struct world *w, enum cmd_type type, int64_t actor, enum actor_kind kind)
{
    struct cmd *c = cmd_new(type);
    c->head.from.kind = FROM_WEB;
    c->head.tenant = w->tenant;
    c->head.actor = actor;
    c->head.actor_kind = (uint8_t)kind;
    return c;
}

struct cmd *world_gate(struct world *w, enum cmd_type type)
{
    struct cmd *c = cmd_new(type);
    c->head.from = w->conn;
    c->u.charger.charger = w->charger;
    return c;
}

int world_put(struct world *w, enum row_table t, bool create, const void *row)
{
    struct cmd *c = world_web(w, CMD_ROW_PUT, w->person, ACTOR_PERSON);
    struct buf b;
    buf_init(&b, sizeof c->u.row_put.row);
    row_pack(&b, t, ROW_UPSERT, row);
    assert_int_equal(b.err, 0);
    c->u.row_put.table = (int32_t)t;
    c->u.row_put.create = create;
    c->u.row_put.n = (uint32_t)b.n;
    memcpy(c->u.row_put.row, b.p, b.n);
    buf_free(&b);
    return world_send(w, c);
}

static int64_t made(struct world *w, int err)
{
    assert_int_equal(err, 0);
    assert_true(w->reply.u.made.id > 0);
    return w->reply.u.made.id;
}

const struct out *world_call(const struct world *w, enum call_kind kind)
{
    const struct out *found = NULL;
    for (size_t i = 0; i < w->outs_n; i++)
        if (w->outs[i].type == OUT_CALL && w->outs[i].u.call.kind == (int32_t)kind)
            found = &w->outs[i];
    return found;
}

const struct out *world_out(const struct world *w, enum out_type type)
{
    for (size_t i = 0; i < w->outs_n; i++)
        if (w->outs[i].type == (uint16_t)type)
            return &w->outs[i];
    return NULL;
}

int world_answer(struct world *w, const struct out *call, int err, const char *status)
{
    assert_non_null(call);
    struct cmd *c = cmd_new(CMD_CALL_RESULT);
    c->head.from = call->to;
    c->u.call_result.charger = call->u.call.charger;
    c->u.call_result.command = call->u.call.command;
    c->u.call_result.err = err;
    (void)str_copy(c->u.call_result.status, 33, str_from_c(status));
    return world_send(w, c);
}

struct cmd *world_pile(struct world *w, enum cmd_type type)
{
    struct cmd *c = world_gate(w, type);
    c->head.from = w->pile_conn;
    c->u.charger.charger = w->pile;
    return c;
}

void world_reading(struct world *w, int32_t gun, const char *tx_no, int64_t energy, int64_t power,
                   int32_t soc_pm)
{
    struct cmd *c = world_pile(w, CMD_METER);
    c->u.meter.connector = gun;
    c->u.meter.n = 1;
    (void)str_copy(c->u.meter.tx_no, 33, str_from_c(tx_no));
    c->u.meter.samples[0] = (struct core_sample){.energy_mwh = energy,
                                                 .power_w = power,
                                                 .voltage_mv = SAMPLE_NONE32,
                                                 .current_ma = SAMPLE_NONE32,
                                                 .soc_pm = soc_pm,
                                                 .temp_dc = SAMPLE_NONE32,
                                                 .cost = SAMPLE_NONE};
    assert_int_equal(world_send(w, c), 0);
}

void world_answer_pile(struct world *w)
{
    const struct charger *ch = charger_find(w->core, w->pile);
    while (ch && ch->calling) {
        struct cmd *c = world_pile(w, CMD_CALL_RESULT);
        c->u.call_result.command = ch->calling->row.id;
        (void)str_copy(c->u.call_result.status, 33, STR_LIT("Accepted"));
        world_send(w, c);
    }
}

/* Every order of step[k …], behind what stands before. */
static int sequences_from(int *step, int n, int k, void (*play)(const int *step, int n))
{
    int count = 0;
    if (k == n) {
        play(step, n);
        return 1;
    }
    for (int i = k; i < n; i++) {
        int t = step[k];
        step[k] = step[i];
        step[i] = t;
        count += sequences_from(step, n, k + 1, play);
        step[i] = step[k];
        step[k] = t;
    }
    return count;
}

int world_sequences(int steps, int most, void (*play)(const int *step, int n))
{
    int count = 0, step[8];
    assert_in_range(steps, 1, ARRAY_LEN(step));
    for (unsigned set = 0; set < 1U << steps; set++) {
        int n = 0;
        for (int s = 0; s < steps; s++)
            if (set >> s & 1)
                step[n++] = s;
        count += n <= most ? sequences_from(step, n, 0, play) : 0;
    }
    return count;
}

static int conn_open(struct world *w, enum protocol p, const char *path, struct origin conn)
{
    struct cmd *c = cmd_new(CMD_CONN_OPEN);
    c->head.from = conn;
    c->u.conn_open.protocol = p;
    (void)str_copy(c->u.conn_open.path, 49, str_from_c(path));
    c->u.conn_open.has_secret = 1;
    (void)str_copy(c->u.conn_open.secret_hash, 65, str_from_c("abcd"));
    return world_send(w, c);
}

int world_open(struct world *w)
{
    w->conn.gen++;
    return conn_open(w, PROTOCOL_OCPP16, "CP-1", w->conn);
}

int world_open_pile(struct world *w)
{
    w->pile_conn.gen++;
    return conn_open(w, PROTOCOL_YKC, "32010600019236", w->pile_conn);
}

int world_close(struct world *w)
{
    struct cmd *c = world_gate(w, CMD_CONN_CLOSED);
    c->u.conn_closed.reason = 1006;
    return world_send(w, c);
}

int world_topup(struct world *w, int64_t amount)
{
    struct cmd *c = world_web(w, CMD_TOPUP, w->person, ACTOR_PERSON);
    c->u.topup.driver = w->driver;
    c->u.topup.amount = amount;
    (void)str_copy(c->u.topup.currency, 4, STR_LIT("CNY"));
    return world_send(w, c);
}

int world_refund(struct world *w, int64_t order, int64_t amount)
{
    struct cmd *c = world_web(w, CMD_ORDER_REFUND, w->person, ACTOR_PERSON);
    c->u.order_refund.order = order;
    c->u.order_refund.amount = amount;
    (void)str_copy(c->u.order_refund.note, 201, STR_LIT("charger stopped early"));
    return world_send(w, c);
}

int world_told(struct world *w, int64_t row, int64_t channel, enum pay_op op, enum pay_state s,
               int64_t amount)
{
    struct cmd *c = world_web(w, CMD_PAY_RESULT, 0, ACTOR_SYSTEM);
    struct cmd_pay_result *r = &c->u.pay_result;
    r->row = row;
    r->channel = channel;
    r->op = op;
    r->state = s;
    r->amount = amount;
    (void)str_copy(r->currency, 4, STR_LIT("CNY"));
    (void)str_copy(r->provider_no, 65, STR_LIT("42000001"));
    if (op == PAY_CREATE)
        (void)str_copy(r->url, 513, STR_LIT("weixin://wxpay/bizpayurl?pr=x"));
    if (s == PAY_UNKNOWN)
        r->err = ERR_TIMEOUT;
    return world_send(w, c);
}

int world_start(struct world *w, int64_t gun, int64_t cap)
{
    struct cmd *c = world_web(w, CMD_ORDER_START, w->driver, ACTOR_DRIVER);
    c->u.order_start.driver = w->driver;
    c->u.order_start.connector = gun;
    c->u.order_start.cap = cap;
    c->u.order_start.payer_kind = PAYER_WALLET;
    return world_send(w, c);
}

int world_tx_start(struct world *w, int32_t connector, const char *tag, int64_t meter, int64_t time)
{
    struct cmd *c = world_gate(w, CMD_TX_START);
    c->u.tx_start.connector = connector;
    (void)str_copy(c->u.tx_start.tag, 37, str_from_c(tag));
    c->u.tx_start.meter_mwh = meter;
    c->u.tx_start.time_ms = time;
    assert_int_equal(world_send(w, c), 0);
    return w->reply.u.tag.status;
}

int world_meter(struct world *w, int64_t tx, int64_t meter, int64_t power)
{
    struct cmd *c = world_gate(w, CMD_METER);
    c->u.meter.connector = 1;
    c->u.meter.tx = tx;
    c->u.meter.n = 1;
    c->u.meter.samples[0] = (struct core_sample){.time_ms = w->now,
                                                 .energy_mwh = meter,
                                                 .power_w = power,
                                                 .voltage_mv = SAMPLE_NONE32,
                                                 .current_ma = SAMPLE_NONE32,
                                                 .soc_pm = 500,
                                                 .temp_dc = SAMPLE_NONE32,
                                                 .cost = SAMPLE_NONE};
    return world_send(w, c);
}

int world_tx_stop(struct world *w, int64_t tx, int64_t meter, int64_t time)
{
    struct cmd *c = world_gate(w, CMD_TX_STOP);
    c->u.tx_stop.tx = tx;
    c->u.tx_stop.meter_mwh = meter;
    c->u.tx_stop.time_ms = time;
    c->u.tx_stop.stop = STOP_LOCAL;
    return world_send(w, c);
}

int world_status(struct world *w, int32_t connector, enum connector_status s)
{
    struct cmd *c = world_gate(w, CMD_STATUS);
    c->u.status.connector = connector;
    c->u.status.status = s;
    return world_send(w, c);
}

int64_t world_charging(struct world *w, int64_t cap, int64_t *tx)
{
    int64_t order = made(w, world_start(w, w->gun, cap));
    const struct out *call = world_call(w, CALL_REMOTE_START);
    assert_non_null(call);
    char tag[37];
    (void)str_copy(tag, sizeof tag, str_from_c(call->u.call.tag));
    world_answer(w, call, 0, "Accepted");
    assert_int_equal(world_order(w, order)->state, ORDER_STARTING);
    assert_int_equal(world_tx_start(w, 1, tag, 1000000, w->now), TAG_ACCEPTED);
    *tx = w->reply.u.tag.tx;
    assert_int_equal(world_order(w, order)->state, ORDER_CHARGING);
    return order;
}

/* ---- the world ---- */

static void setup(struct world *w)
{
    struct cmd *c = cmd_new(CMD_SETUP);
    c->head.from.kind = FROM_WEB;
    (void)str_copy(c->u.setup.tenant_name, 101, STR_LIT("EVen"));
    (void)str_copy(c->u.setup.currency, 4, STR_LIT("CNY"));
    (void)str_copy(c->u.setup.zone, 41, STR_LIT("Asia/Shanghai"));
    (void)str_copy(c->u.setup.login, 65, STR_LIT("admin"));
    (void)str_copy(c->u.setup.name, 65, STR_LIT("Admin"));
    (void)str_copy(c->u.setup.pass_hash, 129, STR_LIT("hash"));
    w->tenant = made(w, world_send(w, c));
    w->platform = w->tenant + 1;
    w->person = w->tenant + 2;
    assert_non_null(world_row(w, ROW_PARTY, w->platform));
    assert_non_null(world_row(w, ROW_PERSON, w->person));
}

static void prices(struct world *w)
{
    struct cmd *c = world_web(w, CMD_TARIFF_PUT, w->person, ACTOR_PERSON);
    (void)str_copy(c->u.tariff_put.name, 101, STR_LIT("flat"));
    c->u.tariff_put.days = c->u.tariff_put.slices = 1;
    c->u.tariff_put.day[0] = (struct tariff_day_in){101, 1231, 127, 0};
    c->u.tariff_put.slice[0] = (struct tariff_slice_in){0, 0, "平", 80000, 40000};
    w->tariff = made(w, world_send(w, c));
    w->owner = made(w, world_put(w, ROW_PARTY, true,
                                 &(struct row_party){.kind = PARTY_PROPERTY, .name = "Owner"}));
    c = world_web(w, CMD_CONTRACT_PUT, w->person, ACTOR_PERSON);
    (void)str_copy(c->u.contract_put.name, 101, STR_LIT("5:5"));
    c->u.contract_put.unit = 1;
    c->u.contract_put.n = 2;
    c->u.contract_put.party[0] = (struct contract_party_in){w->platform, 7, 5};
    c->u.contract_put.party[1] = (struct contract_party_in){w->owner, 7, 5};
    w->contract = made(w, world_send(w, c));
}

static int64_t gun_add(struct world *w, int64_t charger, int32_t number)
{
    return made(w, world_put(w, ROW_CONNECTOR, true,
                             &(struct row_connector){.charger = charger,
                                                     .number = number,
                                                     .kind = CONNECTOR_DC,
                                                     .max_power_w = 120000}));
}

static void places(struct world *w)
{
    w->station = made(w, world_put(w, ROW_STATION, true,
                                   &(struct row_station){.name = "Station",
                                                         .zone = "Asia/Shanghai",
                                                         .tariff = w->tariff,
                                                         .contract = w->contract}));
    w->charger =
        made(w, world_put(w, ROW_CHARGER, true,
                          &(struct row_charger){.station = w->station,
                                                .path = "CP-1",
                                                .protocol = PROTOCOL_OCPP16,
                                                .secret_hash = "abcd",
                                                .traits = TRAIT_NO_TRIGGER | TRAIT_NO_INTERVAL |
                                                          TRAIT_NO_PROFILE,
                                                .max_power_w = 120000}));
    w->gun = gun_add(w, w->charger, 1);
    w->gun2 = gun_add(w, w->charger, 2);
    w->pile = made(w, world_put(w, ROW_CHARGER, true,
                                &(struct row_charger){.station = w->station,
                                                      .path = "32010600019236",
                                                      .protocol = PROTOCOL_YKC,
                                                      .max_power_w = 120000}));
    w->pile_gun = gun_add(w, w->pile, 1);
}

void world_init_eager(struct world *w, bool eager)
{
    memset(w, 0, sizeof *w);
    w->eager = eager;
    w->now = T0;
    w->conn = (struct origin){.kind = FROM_GATE, .slot = 1};
    w->pile_conn = (struct origin){.kind = FROM_GATE, .slot = 2};
    arena_init(&w->arena, SIZE_MAX);
    arena_init(&w->kept, SIZE_MAX);
    buf_init(&w->tape, SIZE_MAX);
    core_batch_init(&w->batch);
    assert_int_equal(zone_fixed(8 * 3600, &w->zone), 0);
    world_core_new(w);
    core_started(w->core, w->now);
    setup(w);
    prices(w);
    places(w);
    struct cmd *c = world_web(w, CMD_REGISTER_DRIVER, 0, ACTOR_NONE);
    (void)str_copy(c->u.register_driver.phone, 21, STR_LIT("13800000000"));
    w->driver = made(w, world_send(w, c));
    assert_int_equal(world_topup(w, 4 * MONEY_UNIT), 0);
    assert_int_equal(world_open(w), 0);
    assert_int_equal(w->reply.u.conn.guns, 2);
    assert_int_equal(world_open_pile(w), 0);
}

void world_init(struct world *w)
{
    world_init_eager(w, false);
}

void world_free(struct world *w)
{
    for (size_t i = 0; i < w->rows_n; i++) {
        buf_free(&w->rows[i].key);
        buf_free(&w->rows[i].row);
    }
    free(w->rows);
    free(w->samples);
    core_free(w->core);
    core_batch_free(&w->batch);
    buf_free(&w->tape);
    arena_free(&w->arena);
    arena_free(&w->kept);
    zone_free(w->zone);
}

int64_t world_order_of(struct world *w, int64_t energy_mwh)
{
    int64_t tx, order = world_charging(w, world_balance(w, ACCOUNT_WALLET, w->driver), &tx);
    world_run(w, 200000);
    assert_int_equal(world_tx_stop(w, tx, 1000000 + energy_mwh, w->now), 0);
    assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
    return order;
}

int64_t world_channel(struct world *w, int32_t kind)
{
    const struct row_channel row = {
        .kind = kind, .name = "channel", .url = "", .app = "", .merchant = "", .keys = ""};
    assert_int_equal(world_put(w, ROW_CHANNEL, true, &row), 0);
    return w->reply.u.made.id;
}

void world_owner_payee(struct world *w, int32_t verified, const char *payee)
{
    struct row_party p = *(const struct row_party *)world_row(w, ROW_PARTY, w->owner);
    p.verified = verified;
    p.payee = payee;
    p.payee_name = "property";
    assert_int_equal(world_put(w, ROW_PARTY, false, &p), 0);
}
