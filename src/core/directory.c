// SPDX-License-Identifier: Apache-2.0
/* directory.c: tenants, parties, people, keys, drivers, tokens, stations, chargers, connectors:
 * how a row comes in, is checked, and is changed. One path for all tables; what is special about a
 * table is its check function and its after function.
 *
 * A check sees the row as sent and the object as it stands (NULL = create), answers an error or
 * fills into the row what the sender does not own (tenant, counters, what the charger reported).
 * Nothing is changed before the check and the key test passed.
 *
 * Invariants: 1. references stay inside one tenant; 2. natural keys are unique; 3. `version` counts
 * only changes made here; 4. an empty secret in a change keeps the old one; 5. what is outside the
 * actor's tenant or station does not exist for it (ERR_NOT_FOUND). */
#include "core/company.h"
#include "core/discharge.h"
#include "core/notice.h"
#include "core/occupancy.h"
#include "core/purse.h"
#include "core/recon.h"
#include "core/withhold.h"

#include <stdio.h>

struct put {
    const struct cmd *cmd;
    enum row_table table;
    void *row;
    struct obj *old; /* NULL = create */
};
typedef int check_fn(struct core *c, struct put *p);

bool station_scope_ok(const struct cmd *cmd, int64_t station)
{
    return cmd->head.station == 0 || cmd->head.station == station;
}

/* ---- accounts that belong to directory rows ---- */

struct ledger_ctx ledger_ctx_now(struct core *c)
{
    const struct cmd_head *h = c->cmd ? &c->cmd->head : NULL;
    return (struct ledger_ctx){
        .now_ms = c->now,
        .id = core_id(c),
        .cause = (int64_t)c->cause,
        .actor = h ? h->actor : 0,
        .actor_kind = h && h->from.kind == FROM_WEB ? h->actor_kind : ACTOR_SYSTEM,
        .rows = &c->rows,
    };
}

int account_open(struct core *c, int64_t tenant, int32_t kind, int64_t owner, const char *currency,
                 int64_t *id)
{
    const struct ledger_account *a = ledger_account_find(c->ledger, tenant, kind, owner, currency);
    if (a) {
        *id = a->id;
        return 0;
    }
    struct ledger_account key = {.tenant = tenant, .kind = kind, .owner = owner};
    (void)str_copy(key.currency, sizeof key.currency, str_from_c(currency));
    struct ledger_ctx ctx = ledger_ctx_now(c);
    return ledger_account_open(c->ledger, &ctx, &key, id, NULL);
}

int wallet_open(struct core *c, int64_t tenant, int64_t driver, const char *currency, int64_t *id)
{
    return account_open(c, tenant, ACCOUNT_WALLET, driver, currency, id);
}

int64_t debt_of(const struct core *c, int64_t tenant, int64_t driver, const char *currency)
{
    const struct ledger_account *a =
        ledger_account_find(c->ledger, tenant, ACCOUNT_DEBT, driver, currency);
    int64_t v = a ? ledger_balance(a).v : 0;
    return v < 0 ? -v : 0;
}

/* ---- checks ---- */

static bool state_ok(int32_t state)
{
    return state >= ROW_ACTIVE && state <= ROW_DELETED;
}

#define LIMIT_MOST (INT64_C(100000000) * MONEY_UNIT)

static bool in(int64_t v, int64_t lo, int64_t hi)
{
    return v >= lo && v <= hi;
}

/* The object of that id if it is of the tenant, else NULL. */
static void *of_tenant(struct core *c, enum row_table t, int64_t id, int64_t tenant)
{
    struct obj *o = dir_find(c, t, id);
    const int64_t *owner = o ? row_field(t, o->row, "tenant") : NULL;
    return owner && *owner == tenant ? o : NULL;
}

static int check_tenant(struct core *c, struct put *p)
{
    struct row_tenant *r = p->row;
    const struct row_tenant *old = p->old ? p->old->row : NULL;
    if (!old || old->id != p->cmd->head.tenant)
        return ERR_NOT_FOUND;
    r->currency = old->currency;
    r->created_ms = old->created_ms;
    if (!r->name[0])
        return ERR_REQUIRED;
    if (!core_zone_known(c, r->zone))
        return ERR_NOT_FOUND;
    bool ok = state_ok(r->state) && in(r->hold_policy, 0, 2) && in(r->overrun_policy, 0, 1) &&
              in(r->unknown_policy, 0, 1) && money_limit_ok(r->hold_default, 100000 * MONEY_UNIT) &&
              in(r->suspended_s, 0, 86400) && in(r->low_power_w, 0, 100000) &&
              in(r->start_timeout_s, START_TIMEOUT_MIN_S, START_TIMEOUT_MAX_S) &&
              (r->silence_s == 0 || in(r->silence_s, 30, 86400)) && in(r->doubt_h, 1, 720) &&
              r->quota_calls_s >= 0 && in(r->refund_days, 0, 3650) &&
              in(r->payout_min, 0, 100000 * MONEY_UNIT) &&
              in(r->payout_fee, 0, 1000 * MONEY_UNIT) && r->payout_fee % MONEY_FEN == 0 &&
              r->payout_check >= 0 && in(r->gift_order, GIFT_LAST, GIFT_EVENLY) &&
              notice_set_ok(r->notices) && in(r->payee_hold_h, 0, 8760);
    second_limits(c, r, old);
    return ok ? 0 : ERR_RANGE;
}

static int check_party(struct core *c, struct put *p)
{
    struct row_party *r = p->row;
    const struct row_party *old = p->old ? p->old->row : NULL;
    withhold_keep(r, old);
    payee_note(c, r, old);
    if (!r->name[0])
        return ERR_REQUIRED;
    if (!in(r->kind, PARTY_PLATFORM, PARTY_PARTNER) || !state_ok(r->state))
        return ERR_RANGE;
    /* There is one platform party, made with the tenant: its share is income, not a debt to it. */
    bool was = old && old->kind == PARTY_PLATFORM;
    if (!in(r->verified, 0, 1) || !in(r->payee_kind, PAYEE_UNKNOWN, PAYEE_PERSON))
        return ERR_RANGE;
    return (r->kind == PARTY_PLATFORM) != was ? ERR_CONFLICT : 0;
}

static int check_person(struct core *c, struct put *p)
{
    struct row_person *r = p->row;
    const struct row_person *old = p->old ? p->old->row : NULL;
    int64_t tenant = p->cmd->head.tenant;
    r->failed = old ? old->failed : 0;
    r->locked_ms = old ? old->locked_ms : 0;
    second_let_in(c, p->cmd, r, old);
    if (!r->login[0] || !r->pass_hash[0])
        return ERR_REQUIRED;
    if (!in(r->role, ROLE_ADMIN, ROLE_VIEWER) || !state_ok(r->state))
        return ERR_RANGE;
    if ((r->role == ROLE_PARTNER) != (r->party != 0))
        return ERR_RANGE;
    if (r->party && !of_tenant(c, ROW_PARTY, r->party, tenant))
        return ERR_NOT_FOUND;
    return r->station && !of_tenant(c, ROW_STATION, r->station, tenant) ? ERR_NOT_FOUND : 0;
}

static int check_api_key(struct core *c, struct put *p)
{
    struct row_api_key *r = p->row;
    const struct row_api_key *old = p->old ? p->old->row : NULL;
    r->made_by = old ? old->made_by : second_maker(c, p->cmd);
    if (!r->name[0] || !r->key_hash[0])
        return ERR_REQUIRED;
    if (!in(r->role, ROLE_ADMIN, ROLE_VIEWER) || !state_ok(r->state) || r->quota_s < 0)
        return ERR_RANGE;
    bool ok = !r->station || of_tenant(c, ROW_STATION, r->station, p->cmd->head.tenant);
    return ok ? 0 : ERR_NOT_FOUND;
}

/* Drivers say of themselves only whether they want texts. */
static int own_choice(struct put *p)
{
    struct row_driver *r = p->row;
    const struct row_driver *old = p->old ? p->old->row : NULL;
    if (!old || old->id != p->cmd->head.actor || old->state != ROW_ACTIVE)
        return ERR_NOT_FOUND;
    r->phone = old->phone;
    r->name = old->name;
    r->state = old->state;
    return in(r->notices_off, 0, 1) ? 0 : ERR_RANGE;
}

static int check_driver(struct core *c, struct put *p)
{
    struct row_driver *r = p->row;
    const struct row_driver *old = p->old ? p->old->row : NULL;
    (void)c;
    r->frozen = old ? old->frozen : 0;
    r->gift_until = old ? old->gift_until : 0;
    r->gift_lost = old ? old->gift_lost : 0;
    r->lots = old ? old->lots : "";
    r->close_ask = old ? old->close_ask : 0;
    r->close_by = old ? old->close_by : 0;
    r->close_ms = old ? old->close_ms : 0;
    if (p->cmd->head.actor_kind == ACTOR_DRIVER)
        return own_choice(p);
    r->notices_off = old ? old->notices_off : 0;
    if (old && old->state == ROW_DELETED && !old->phone[0])
        return ERR_READ_ONLY; /* closed for good (wallet.c) */
    if (!r->phone[0])
        return ERR_REQUIRED;
    return state_ok(r->state) ? 0 : ERR_RANGE;
}

static int check_token(struct core *c, struct put *p)
{
    struct row_token *r = p->row;
    char folded[TAG_SIZE];
    if (!r->tag[0])
        return ERR_REQUIRED;
    tag_fold(r->tag, folded);
    r->folded = arena_copy(&c->scratch, str_from_c(folded));
    if (!r->folded)
        return ERR_TOO_LARGE;
    if (!in(r->kind, TOKEN_CARD, TOKEN_VIN) || !state_ok(r->state) ||
        !money_limit_ok(r->offline_limit, LIMIT_MOST) ||
        (r->offline_limit && r->kind != TOKEN_CARD))
        return ERR_RANGE;
    return of_tenant(c, ROW_DRIVER, r->driver, p->cmd->head.tenant) ? 0 : ERR_NOT_FOUND;
}

/* Could a pile hold every version of this family that is in force, or will be? */
static bool fits_piles(const struct core *c, int64_t family)
{
    const struct tariff *now = tariff_in_force(c, family, c->now);
    const struct tariff_node *n = map_get_ptr(&c->tariff_families, (uint64_t)family);
    for (; n; n = n->next)
        if ((n->t == now || n->t->from_ms > c->now) && tariff_classes_check(n->t) != 0)
            return false;
    return true;
}

static int check_station(struct core *c, struct put *p)
{
    const struct row_station *r = p->row;
    int64_t tenant = p->cmd->head.tenant;
    if (p->cmd->head.station && (!p->old || p->cmd->head.station != r->id))
        return ERR_NOT_FOUND;
    if (!r->name[0])
        return ERR_REQUIRED;
    if (!core_zone_known(c, r->zone))
        return ERR_NOT_FOUND;
    if (!state_ok(r->state) || !in(r->tax_bp, 0, 10000) || !in(r->tax_service_bp, 0, 10000) ||
        !in(r->lat_e7, -900000000, 900000000) || !in(r->lng_e7, -1800000000, 1800000000))
        return ERR_RANGE;
    const struct tariff_node *t = map_get_ptr(&c->tariff_families, (uint64_t)r->tariff);
    const struct contract_node *k = map_get_ptr(&c->contract_families, (uint64_t)r->contract);
    const struct occ_rule *o = map_get_ptr(&c->occ_families, (uint64_t)r->occupancy);
    if ((r->tariff && (!t || t->t->tenant != tenant)) ||
        (r->occupancy && (!o || o->row.tenant != tenant)))
        return ERR_NOT_FOUND;
    if (r->contract && (!k || k->c.tenant != tenant))
        return ERR_NOT_FOUND;
    const struct row_station *old = p->old ? p->old->row : NULL;
    bool other = old && old->tariff != r->tariff; /* else they would be told nothing new */
    if (other && p->cmd->u.row_put.on_piles && !fits_piles(c, r->tariff))
        return ERR_PILE_TARIFF;
    return discharge_family_check(c, tenant, r->discharge_tariff);
}

static bool path_ok(const struct row_charger *r)
{
    size_t n = strlen(r->path);
    size_t digits = strspn(r->path, "0123456789");
    if (r->protocol == PROTOCOL_YKC)
        return n == 14 && digits == 14;
    return n > 0 && !strchr(r->path, '/');
}

/* What the charger told, or we learnt, is not the sender's. */
static void charger_keep(struct row_charger *r, const struct row_charger *old)
{
    static const struct row_charger none = {
        .vendor = "", .model = "", .serial = "", .firmware = "", .update_state = ""};
    const struct row_charger *k = old ? old : &none;
    r->traits |= k->traits;
    r->sample_s = k->sample_s;
    r->short_s = k->short_s;
    r->stop_min_ms = k->stop_min_ms;
    r->stop_ms = k->stop_ms;
    r->last_tx = k->last_tx;
    r->price_tariff = k->price_tariff;
    r->boot_ms = k->boot_ms;
    r->flaps = k->flaps;
    r->update_id = k->update_id;
    r->update_state = k->update_state;
    r->update_ms = k->update_ms;
    r->vendor = r->vendor[0] ? r->vendor : k->vendor;
    r->model = r->model[0] ? r->model : k->model;
    r->serial = r->serial[0] ? r->serial : k->serial;
    r->firmware = r->firmware[0] ? r->firmware : k->firmware;
}

/* A pile holds its prices itself: four of them, by the half hour. */
static bool fits_pile(const struct core *c, int64_t station)
{
    const struct station *s = station_find(c, station);
    const struct tariff *t = s ? tariff_in_force(c, s->row.tariff, c->now) : NULL;
    return !t || tariff_classes_check(t) == 0;
}

static int check_charger(struct core *c, struct put *p)
{
    struct row_charger *r = p->row;
    const struct row_charger *old = p->old ? p->old->row : NULL;
    if (!station_scope_ok(p->cmd, r->station) || (old && !station_scope_ok(p->cmd, old->station)))
        return ERR_NOT_FOUND;
    if (!of_tenant(c, ROW_STATION, r->station, p->cmd->head.tenant))
        return ERR_NOT_FOUND;
    if (!in(r->protocol, PROTOCOL_OCPP16, PROTOCOL_YKC) || !path_ok(r) || !in(r->profile, 0, 255) ||
        !in(r->state, CHARGER_ACTIVE, CHARGER_DISABLED) || !in(r->max_power_w, 0, 5000000))
        return ERR_RANGE;
    if (r->protocol == PROTOCOL_YKC && !fits_pile(c, r->station))
        return ERR_UNSUPPORTED;
    /* An identity that carries sessions keeps its protocol: its transaction ids mean something. */
    if (old && old->last_tx && old->protocol != r->protocol)
        return ERR_CONFLICT;
    charger_keep(r, old);
    return 0;
}

/* 40 bits of a keyed mix of the id as 8 characters that cannot be taken for one another. */
void code_make(const struct core *c, int64_t id, uint64_t turn, char out[CODE_SIZE])
{
    static const char alphabet[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    uint64_t text[2] = {(uint64_t)id, turn};
    uint64_t mix = hash_bytes(text, sizeof text, c->lim.secret);
    for (int i = 0; i < CODE_SIZE - 1; i++, mix >>= 5)
        out[i] = alphabet[mix & 31];
    out[CODE_SIZE - 1] = 0;
}

static const char *code_free(struct core *c, int64_t id)
{
    char code[CODE_SIZE];
    for (uint64_t turn = 0;; turn++) {
        code_make(c, id, turn, code);
        if (!dir_find_key(c, ROW_CONNECTOR, code))
            return arena_copy(&c->scratch, str_from_c(code));
    }
}

static int check_connector(struct core *c, struct put *p)
{
    struct row_connector *r = p->row;
    const struct row_connector *old = p->old ? p->old->row : NULL;
    const struct charger *ch = of_tenant(c, ROW_CHARGER, r->charger, p->cmd->head.tenant);
    if (!ch || !station_scope_ok(p->cmd, ch->row.station) || (old && old->charger != r->charger))
        return ERR_NOT_FOUND;
    if (!in(r->number, 1, 255) || !in(r->kind, CONNECTOR_AC, CONNECTOR_SLOT) ||
        !in(r->max_power_w, 0, 5000000))
        return ERR_RANGE;
    const struct connector *same = connector_of(ch, r->number);
    if (same && (!old || same->row.id != r->id))
        return ERR_CONFLICT;
    if (old && (old->order_id || old->occupancy) && old->number != r->number)
        return ERR_CONFLICT; /* the stop of a running order goes to this number */
    r->status = old ? old->status : CS_OFFLINE;
    r->reported = old ? old->reported : CS_OFFLINE;
    r->error = old ? old->error : "";
    r->status_ms = old ? old->status_ms : 0;
    r->order_id = old ? old->order_id : 0;
    r->parking = old ? old->parking : LOCK_UNKNOWN;
    r->bay = old ? old->bay : BAY_UNKNOWN;
    r->after_order = old ? old->after_order : 0;
    r->after_driver = old ? old->after_driver : 0;
    r->occupancy = old ? old->occupancy : 0;
    r->told_tx = old ? old->told_tx : 0;
    r->told_ms = old ? old->told_ms : 0;
    r->told_mwh = old ? old->told_mwh : 0;
    r->told_status = old ? old->told_status : 0;
    r->told_tag = old ? old->told_tag : "";
    if (!r->code[0])
        r->code = old ? old->code : code_free(c, r->id);
    return r->code ? 0 : ERR_TOO_LARGE;
}

static int check_channel(struct core *c, struct put *p)
{
    const struct row_channel *r = p->row;
    const struct row_channel *old = p->old ? p->old->row : NULL;
    const struct tenant *t = tenant_find(c, p->cmd->head.tenant);
    if (!r->name[0])
        return ERR_REQUIRED;
    if (!in(r->kind, CHANNEL_WECHAT, CHANNEL_BANK) || !state_ok(r->state) ||
        !in(r->fee_bp, 0, 1000) || !in(r->share_bp, 0, 10000) ||
        (r->share_bp && r->kind != CHANNEL_WECHAT && r->kind != CHANNEL_ALIPAY) ||
        !money_limit_ok(r->most, LIMIT_MOST) || !money_limit_ok(r->day_most, LIMIT_MOST) ||
        !money_limit_ok(r->named_from, LIMIT_MOST) || strchr(r->keys, '/') || r->keys[0] == '.')
        return ERR_RANGE;
    if (!old && r->kind != CHANNEL_BANK && strcmp(t->row.currency, "CNY") != 0)
        return ERR_CURRENCY; /* those providers know no other, and many answers do not name it */
    return old && old->kind != r->kind ? ERR_CONFLICT : 0; /* its numbers mean something */
}

static int check_package(struct core *c, struct put *p)
{
    const struct row_package *r = p->row;
    (void)c;
    if (!r->name[0])
        return ERR_REQUIRED;
    bool ok = in(r->pay, MONEY_FEN, 10000 * MONEY_UNIT) && r->pay % MONEY_FEN == 0 &&
              in(r->gift, MONEY_FEN, 10000 * MONEY_UNIT) && r->gift % MONEY_FEN == 0 &&
              in(r->gift_days, 0, 3650) && r->from_ms >= 0 &&
              (r->to_ms == 0 || r->to_ms > r->from_ms) && state_ok(r->state);
    return ok ? 0 : ERR_RANGE;
}

static int prepare_channel(struct core *c, struct put *p)
{
    const struct row_channel *r = p->row;
    const struct tenant *t = tenant_find(c, p->cmd->head.tenant);
    int32_t kind = r->kind == CHANNEL_BANK ? ACCOUNT_BANK : ACCOUNT_CHANNEL;
    int64_t id;
    return p->old ? 0 : account_open(c, t->row.id, kind, r->id, t->row.currency, &id);
}

static int check_company(struct core *c, struct put *p)
{
    return company_check(c, p->row, p->old ? p->old->row : NULL);
}

static int check_company_member(struct core *c, struct put *p)
{
    return company_member_check(c, p->row, p->old ? p->old->row : NULL);
}

static int prepare_company(struct core *c, struct put *p)
{
    const struct row_company *r = p->row;
    const struct tenant *t = tenant_find(c, p->cmd->head.tenant);
    int64_t id;
    return p->old ? 0 : account_open(c, t->row.id, ACCOUNT_COMPANY, r->id, t->row.currency, &id);
}

static bool ends_plain(const char *name)
{
    return name[0] && name[0] != '.' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               strlen(name);
}

/* What a file is was said when it was announced: later only its state changes, and only forward. */
static int check_firmware(struct core *c, struct put *p)
{
    const struct row_firmware *r = p->row, *old = p->old ? p->old->row : NULL;
    (void)c;
    if (!ends_plain(r->name) || !r->revision[0] || r->size < 1 || strlen(r->sha256) != 64 ||
        strspn(r->sha256, "0123456789abcdef") != 64)
        return ERR_RANGE;
    if (!old)
        return r->state == FIRMWARE_COMING ? 0 : ERR_RANGE;
    if (strcmp(r->name, old->name) != 0 || strcmp(r->sha256, old->sha256) != 0 ||
        r->size != old->size || !in(r->state, old->state, FIRMWARE_WITHDRAWN))
        return ERR_CONFLICT;
    return 0;
}

/* ---- what follows a change ---- */

static int prepare_party(struct core *c, struct put *p)
{
    const struct row_party *r = p->row;
    const struct tenant *t = tenant_find(c, p->cmd->head.tenant);
    int32_t kind = r->kind == PARTY_PLATFORM ? ACCOUNT_INCOME : ACCOUNT_PENDING;
    int64_t id;
    return p->old ? 0 : account_open(c, t->row.id, kind, r->id, t->row.currency, &id);
}

static int prepare_driver(struct core *c, struct put *p)
{
    const struct row_driver *r = p->row;
    const struct tenant *t = tenant_find(c, p->cmd->head.tenant);
    int64_t id;
    return p->old ? 0 : wallet_open(c, t->row.id, r->id, t->row.currency, &id);
}

static void after_zone(struct core *c, const char *name, const struct zone **zone)
{
    uint64_t at;
    *zone =
        strmap_get(&c->zones, str_from_c(name), &at) ? (const struct zone *)(uintptr_t)at : NULL;
}

static void charger_init(struct core *c, struct charger *ch)
{
    ch->lag_ms = INT64_MAX;
    for (int i = 0; i < TC_N; i++)
        ch->timer[i].kind = (uint16_t)(TO_N + i);
    hot_add(c, ch);
}

static int connector_link(struct core *c, struct connector *k)
{
    struct charger *ch = charger_find(c, k->row.charger);
    if (!ch)
        return ERR_CORRUPT;
    k->charger = ch;
    struct connector **at = &ch->connectors;
    while (*at && (*at)->row.number < k->row.number)
        at = &(*at)->next;
    k->next = *at;
    *at = k;
    hot_add_gun(c, k);
    if (c->started && !ch->online)
        link_away(c, ch); /* a row from before the start may say otherwise */
    return 0;
}

/* Of a new or changed object: pointers that hang on its row. */
static int object_ready(struct core *c, struct obj *o, bool fresh)
{
    if (o->table == ROW_TENANT)
        after_zone(c, ((struct row_tenant *)o->row)->zone, &((struct tenant *)o)->zone);
    else if (o->table == ROW_STATION)
        after_zone(c, ((struct row_station *)o->row)->zone, &((struct station *)o)->zone);
    else if (o->table == ROW_CHARGER && fresh)
        charger_init(c, (struct charger *)o);
    else if (o->table == ROW_CONNECTOR && fresh)
        return connector_link(c, (struct connector *)o);
    else if (o->table == ROW_DAY_CLOSE)
        return recon_closed(c, (const struct row_day_close *)o->row);
    else if (o->table == ROW_PARTY_ACCOUNT && fresh)
        return party_account_ready(c, (struct party_account *)o);
    return 0;
}

static void after_put(struct core *c, struct obj *o)
{
    if (o->table == ROW_CHARGER) {
        struct charger *ch = (struct charger *)o;
        if (ch->row.state == CHARGER_DISABLED && ch->online)
            close_send(c, ch, ch->conn, 1008);
        event_charger(c, ch);
    } else if (o->table == ROW_CONNECTOR) {
        event_connector(c, (struct connector *)o);
    } else if (o->table == ROW_COMPANY) {
        company_floor(c, (struct company *)o);
    }
}

/* ---- the one path ---- */

static const struct {
    check_fn *check;
    int (*prepare)(struct core *c, struct put *p); /* may fail, changes only accounts */
} rules[ROW_TABLE_N] = {
    [ROW_TENANT] = {check_tenant, NULL},
    [ROW_PARTY] = {check_party, prepare_party},
    [ROW_PERSON] = {check_person, NULL},
    [ROW_API_KEY] = {check_api_key, NULL},
    [ROW_DRIVER] = {check_driver, prepare_driver},
    [ROW_TOKEN] = {check_token, NULL},
    [ROW_STATION] = {check_station, NULL},
    [ROW_CHARGER] = {check_charger, NULL},
    [ROW_CONNECTOR] = {check_connector, NULL},
    [ROW_CHANNEL] = {check_channel, prepare_channel},
    [ROW_FIRMWARE] = {check_firmware, NULL},
    [ROW_PACKAGE] = {check_package, NULL},
    [ROW_COMPANY] = {check_company, prepare_company},
    [ROW_COMPANY_MEMBER] = {check_company_member, NULL},
};

static size_t characters(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static int texts_check(enum row_table t, const void *row)
{
    const struct row_meta *m = &row_metas[t];
    for (uint32_t i = 0; i < m->n; i++) {
        const struct row_column *k = &m->columns[i];
        if (k->kind != COLUMN_TEXT)
            continue;
        const char *s = *(const char *const *)(const void *)((const char *)row + k->offset);
        if (!str_utf8_valid(str_from_c(s)))
            return ERR_SYNTAX;
        if (characters(s) > k->max)
            return ERR_RANGE;
    }
    return 0;
}

static void secrets_keep(enum row_table t, void *row, const void *old)
{
    const struct row_meta *m = &row_metas[t];
    for (uint32_t i = 0; i < m->n; i++) {
        const struct row_column *k = &m->columns[i];
        if (k->class != CLASS_SECRET || k->kind != COLUMN_TEXT)
            continue;
        const char **now = (const char **)(void *)((char *)row + k->offset);
        if (!(*now)[0])
            *now = *(const char *const *)(const void *)((const char *)old + k->offset);
    }
}

int directory_unpack(struct core *c, const struct cmd *cmd, enum row_table *t, void **row)
{
    const struct cmd_row_put *in_cmd = &cmd->u.row_put;
    struct cursor cur = {(const uint8_t *)in_cmd->row, (const uint8_t *)in_cmd->row + in_cmd->n};
    enum row_op op;
    if (in_cmd->n > sizeof in_cmd->row)
        return ERR_TOO_LARGE;
    int rc = row_unpack(&cur, &c->scratch, t, &op, row);
    if (rc)
        return rc;
    if (in_cmd->table != (int32_t)*t || !rules[*t].check)
        return ERR_UNSUPPORTED;
    return texts_check(*t, *row);
}

/* An unregistered charger that was seen on the wire is taken over by whoever registers its path. */
static struct obj *waiting_adopt(struct core *c, const struct put *p)
{
    char key[DIR_KEY_SIZE];
    if (p->table != ROW_CHARGER)
        return NULL;
    dir_key(ROW_CHARGER, p->row, key);
    struct charger *ch = dir_find_key(c, ROW_CHARGER, key);
    return ch && ch->row.state == CHARGER_WAITING ? &ch->o : NULL;
}

static int64_t obj_tenant(const struct core *c, const struct obj *o)
{
    if (o->table == ROW_TENANT)
        return *(const int64_t *)o->row;
    if (o->table == ROW_CONNECTOR) {
        const struct charger *ch = charger_find(c, ((const struct row_connector *)o->row)->charger);
        return ch ? ch->row.tenant : 0;
    }
    return *(const int64_t *)row_field(o->table, o->row, "tenant");
}

static int put_resolve(struct core *c, struct put *p)
{
    int64_t *id = row_field(p->table, p->row, "id");
    int32_t *version = row_field(p->table, p->row, "version");
    int64_t *tenant = row_field(p->table, p->row, "tenant");
    int64_t *created = row_field(p->table, p->row, "created_ms");
    if (p->cmd->u.row_put.create) {
        p->old = waiting_adopt(c, p);
        *id = p->old ? *(int64_t *)p->old->row : core_id(c);
        *version = p->old ? *(int32_t *)row_field(p->table, p->old->row, "version") + 1 : 1;
        if (created)
            *created = c->now;
    } else {
        p->old = dir_find(c, p->table, *id);
        if (!p->old || obj_tenant(c, p->old) != p->cmd->head.tenant)
            return ERR_NOT_FOUND;
        if (*version != *(int32_t *)row_field(p->table, p->old->row, "version"))
            return ERR_STALE;
        ++*version;
        if (created)
            *created = *(int64_t *)row_field(p->table, p->old->row, "created_ms");
        secrets_keep(p->table, p->row, p->old->row);
    }
    if (tenant)
        *tenant = p->cmd->head.tenant;
    return 0;
}

static int put_key(struct core *c, const struct put *p)
{
    char key[DIR_KEY_SIZE];
    dir_key(p->table, p->row, key);
    const struct obj *same = dir_find_key(c, p->table, key);
    if (same && same != p->old)
        return ERR_CONFLICT;
    return !p->old && dir_full(c, p->table) ? ERR_FULL : 0;
}

static struct obj *put_store(struct core *c, struct put *p)
{
    struct obj *o = p->old;
    bool fresh = !o;
    if (o)
        dir_change(c, o, p->row);
    else
        o = dir_add(c, p->table, p->row);
    must(o);
    must(object_ready(c, o, fresh) == 0);
    obj_dirty(c, o);
    after_put(c, o);
    return o;
}

int directory_put(struct core *c, const struct cmd *cmd)
{
    struct put p = {.cmd = cmd};
    int rc = directory_unpack(c, cmd, &p.table, &p.row);
    bool place = p.table == ROW_STATION || p.table == ROW_CHARGER || p.table == ROW_CONNECTOR;
    if (!rc && cmd->head.station && !place)
        rc = ERR_DENIED; /* who is of one station makes no people, keys or wallets of all of them */
    if (!rc && !tenant_find(c, cmd->head.tenant))
        rc = ERR_NOT_FOUND;
    if (!rc)
        rc = put_resolve(c, &p);
    if (!rc)
        rc = rules[p.table].check(c, &p);
    if (!rc)
        rc = put_key(c, &p);
    if (!rc && rules[p.table].prepare)
        rc = rules[p.table].prepare(c, &p);
    if (rc)
        return rc;
    struct obj *o = put_store(c, &p);
    c->made_id = *(int64_t *)o->row;
    c->made_version = *(int32_t *)row_field(p.table, o->row, "version");
    return 0;
}

int directory_load(struct core *c, enum row_table t, const void *row)
{
    if (dir_find(c, t, *(const int64_t *)row)) /* else: what is in memory is newer */
        return row_metas[t].kind == ROW_KIND_DIRECTORY ? ERR_CORRUPT : 0;
    struct obj *o = dir_add(c, t, row);
    if (!o)
        return ERR_FULL;
    return object_ready(c, o, true);
}

/* ---- set-up and drivers ---- */

static const struct row_tenant tenant_usual = {
    .state = ROW_ACTIVE,
    .hold_policy = HOLD_DEFAULT_OR_REFUSE,
    .hold_default = 50 * MONEY_UNIT,
    .overrun_policy = OVERRUN_LOSS,
    .unknown_policy = UNKNOWN_REFUSE,
    .suspended_s = 900,
    .low_power_w = 200,
    .start_timeout_s = 60,
    .silence_s = 1800,
    .doubt_h = 24,
    .refund_days = 7,
    .payee_hold_h = 72,
    .version = 1,
};

static int setup_check(const struct core *c, const struct cmd_setup *s)
{
    if (c->dir[ROW_TENANT].slab.live)
        return ERR_CONFLICT;
    if (!s->tenant_name[0] || !s->login[0] || !s->pass_hash[0])
        return ERR_REQUIRED;
    if (!core_zone_known(c, s->zone))
        return ERR_NOT_FOUND;
    for (int i = 0; i < 3; i++)
        if (s->currency[i] < 'A' || s->currency[i] > 'Z')
            return ERR_CURRENCY;
    return s->currency[3] ? ERR_CURRENCY : 0;
}

static void setup_add(struct core *c, enum row_table t, const void *row)
{
    struct obj *o = dir_add(c, t, row);
    must(o); /* the tables are empty */
    must(object_ready(c, o, true) == 0);
    obj_dirty(c, o);
}

int directory_setup(struct core *c, const struct cmd *cmd)
{
    const struct cmd_setup *s = &cmd->u.setup;
    int rc = setup_check(c, s);
    if (rc)
        return rc;
    struct row_tenant tenant = tenant_usual;
    tenant.id = core_id(c);
    tenant.name = s->tenant_name;
    tenant.currency = s->currency;
    tenant.zone = s->zone;
    tenant.created_ms = c->now;
    setup_add(c, ROW_TENANT, &tenant);
    const struct row_party party = {.id = core_id(c),
                                    .tenant = tenant.id,
                                    .kind = PARTY_PLATFORM,
                                    .name = s->tenant_name,
                                    .version = 1,
                                    .created_ms = c->now};
    setup_add(c, ROW_PARTY, &party);
    const struct row_person person = {.id = core_id(c),
                                      .tenant = tenant.id,
                                      .login = s->login,
                                      .name = s->name,
                                      .pass_hash = s->pass_hash,
                                      .role = ROLE_ADMIN,
                                      .version = 1,
                                      .created_ms = c->now};
    setup_add(c, ROW_PERSON, &person);
    int64_t account;
    must(account_open(c, tenant.id, ACCOUNT_INCOME, party.id, tenant.currency, &account) == 0);
    must(account_open(c, tenant.id, ACCOUNT_CASH, 0, tenant.currency, &account) == 0);
    c->made_id = tenant.id;
    c->made_version = 1;
    return 0;
}

int directory_register(struct core *c, const struct cmd *cmd)
{
    const struct cmd_register_driver *r = &cmd->u.register_driver;
    const struct tenant *t = tenant_find(c, cmd->head.tenant);
    char key[DIR_KEY_SIZE];
    if (!t)
        return ERR_NOT_FOUND;
    if (!r->phone[0])
        return ERR_REQUIRED;
    struct row_driver row = {.tenant = t->row.id,
                             .lots = "",
                             .phone = r->phone,
                             .name = r->name,
                             .version = 1,
                             .created_ms = c->now};
    int rc = texts_check(ROW_DRIVER, &row);
    if (rc)
        return rc;
    dir_key(ROW_DRIVER, &row, key);
    const struct driver *d = dir_find_key(c, ROW_DRIVER, key);
    if (d && d->row.state != ROW_ACTIVE)
        return ERR_DISABLED;
    if (!d) {
        if (dir_full(c, ROW_DRIVER))
            return ERR_FULL;
        int64_t wallet;
        row.id = core_id(c);
        rc = wallet_open(c, t->row.id, row.id, t->row.currency, &wallet);
        if (rc)
            return rc;
        struct driver *made = dir_add(c, ROW_DRIVER, &row);
        must(made);
        obj_dirty(c, &made->o);
        d = made;
    }
    // cppcheck-suppress nullPointerRedundantCheck ; must() does not return
    c->made_id = d->row.id;
    // cppcheck-suppress nullPointerRedundantCheck
    c->made_version = d->row.version;
    return 0;
}
