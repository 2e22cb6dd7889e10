// SPDX-License-Identifier: Apache-2.0
/* demo_seed.c: see demo_seed.h. Three stations with three contracts (one with a clause), two tariffs
 * for charging and one at which the first station, where most piles are, buys energy, and
 * an occupancy fee at one station, twenty chargers (fourteen OCPP 1.6, six 云快充), six drivers with
 * wallets and cards, a top-up package and a company that pays for one of them. Runs once, in the
 * demonstration's own process; any refusal ends it with the server's words. */
#include "app/demo_seed.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"
#include "base/log.h"
#include "core/types.h"
#include "io/os/crypto.h"
#include "io/os/file.h"

/* A seeding step: formatted body, id of what was made. */
static int make(struct client *c, const char *path, int64_t *id, const char *fmt, ...)
    EV_PRINTF(4, 5);
static int make(struct client *c, const char *path, int64_t *id, const char *fmt, ...)
{
    char body[4096];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(body, sizeof body, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof body)
        return ERR_TOO_LARGE;
    return client_make(c, path, body, id);
}

struct plan {
    int64_t flat, tou;            /* tariff families */
    int64_t owner, agent, self;   /* parties */
    int64_t even, three, service; /* contract families */
    int64_t occupancy;            /* rule family */
    int64_t discharge;            /* tariff family */
};

static int seed_tariffs(struct client *c, struct plan *p)
{
    int err = make(
        c, "/api/v1/tariffs", &p->flat,
        "{\"name\":\"统一价 Flat\",\"from_ms\":0,\"days\":[{\"first_mmdd\":101,\"last_mmdd\":1231,"
        "\"weekdays\":127,\"plan\":0}],\"slices\":[{\"plan\":0,\"from_min\":0,\"label\":\"平\","
        "\"elec_e5\":80000,\"service_e5\":40000}]}");
    if (err)
        return err;
    return make(
        c, "/api/v1/tariffs", &p->tou,
        "{\"name\":\"峰谷分时 Time of "
        "use\",\"from_ms\":0,\"days\":[{\"first_mmdd\":101,\"last_mmdd\":1231,"
        "\"weekdays\":127,\"plan\":0}],\"slices\":["
        "{\"plan\":0,\"from_min\":0,\"label\":\"谷\",\"elec_e5\":31000,\"service_e5\":45000},"
        "{\"plan\":0,\"from_min\":480,\"label\":\"平\",\"elec_e5\":68000,\"service_e5\":45000},"
        "{\"plan\":0,\"from_min\":600,\"label\":\"峰\",\"elec_e5\":102000,\"service_e5\":45000},"
        "{\"plan\":0,\"from_min\":720,\"label\":\"平\",\"elec_e5\":68000,\"service_e5\":45000},"
        "{\"plan\":0,\"from_min\":840,\"label\":\"尖\",\"elec_e5\":127000,\"service_e5\":45000},"
        "{\"plan\":0,\"from_min\":1020,\"label\":\"峰\",\"elec_e5\":102000,\"service_e5\":45000},"
        "{\"plan\":0,\"from_min\":1200,\"label\":\"平\",\"elec_e5\":68000,\"service_e5\":45000}]}");
}

/* What vehicles are paid: little at night, most when the grid is short; never what they charge for. */
static int seed_discharge(struct client *c, struct plan *p)
{
    return make(
        c, "/api/v1/tariffs", &p->discharge,
        "{\"name\":\"放电 Discharge\",\"from_ms\":0,\"days\":[{\"first_mmdd\":101,"
        "\"last_mmdd\":1231,\"weekdays\":127,\"plan\":0}],\"slices\":["
        "{\"plan\":0,\"from_min\":0,\"label\":\"谷\",\"elec_e5\":30000,\"service_e5\":0},"
        "{\"plan\":0,\"from_min\":480,\"label\":\"平\",\"elec_e5\":70000,\"service_e5\":0},"
        "{\"plan\":0,\"from_min\":840,\"label\":\"尖\",\"elec_e5\":110000,\"service_e5\":0},"
        "{\"plan\":0,\"from_min\":1200,\"label\":\"平\",\"elec_e5\":70000,\"service_e5\":0}]}");
}

/* The platform's own party was made by the set-up; it is the only one there is. */
static int find_self(struct client *c, int64_t *id)
{
    struct str reply;
    int err = client_call(c, "GET", "/api/v1/parties", NULL, &reply);
    return err ? err : str_to_i64(client_member(reply, "id"), id);
}

static int seed_contracts(struct client *c, struct plan *p)
{
    int err = find_self(c, &p->self);
    if (!err)
        err = make(c, "/api/v1/parties", &p->owner,
                   "{\"kind\":%d,\"name\":\"海岸物业 Coast "
                   "Property\",\"verified\":true,\"payee\":\"demo-openid\","
                   "\"payee_name\":\"海岸物业\",\"state\":0}",
                   PARTY_PROPERTY);
    if (!err)
        err = make(c, "/api/v1/parties", &p->agent,
                   "{\"kind\":%d,\"name\":\"南山代理 Nanshan Agent\",\"state\":0}", PARTY_AGENT);
    if (!err)
        err = make(c, "/api/v1/contracts", &p->even,
                   "{\"name\":\"五五分成 5:5\",\"from_ms\":0,\"unit\":1,\"parties\":["
                   "{\"party\":\"%" PRId64 "\",\"lines\":7,\"ratio\":5},{\"party\":\"%" PRId64
                   "\",\"lines\":7,\"ratio\":5}]}",
                   p->self, p->owner);
    if (!err)
        err = make(c, "/api/v1/contracts", &p->three,
                   "{\"name\":\"三方 70/20/10\",\"from_ms\":0,\"unit\":1,\"parties\":["
                   "{\"party\":\"%" PRId64 "\",\"lines\":7,\"ratio\":70},{\"party\":\"%" PRId64
                   "\",\"lines\":7,\"ratio\":20},{\"party\":\"%" PRId64
                   "\",\"lines\":7,\"ratio\":10}],\"clauses\":[{\"kind\":%d,\"party\":\"%" PRId64
                   "\",\"lines\":%d,\"rate\":300}]}",
                   p->self, p->owner, p->agent, CLAUSE_PERCENT, p->agent, FEE_SERVICE);
    if (!err)
        err = make(c, "/api/v1/contracts", &p->service,
                   "{\"name\":\"电费归平台，服务费对半 Service fee "
                   "only\",\"from_ms\":0,\"unit\":1,\"parties\":["
                   "{\"party\":\"%" PRId64 "\",\"lines\":1,\"ratio\":1},{\"party\":\"%" PRId64
                   "\",\"lines\":6,\"ratio\":1},{\"party\":\"%" PRId64
                   "\",\"lines\":6,\"ratio\":1}]}",
                   p->self, p->self, p->owner);
    return err;
}

/* Fifteen minutes are free, then 0.50 yuan a minute up to 20 yuan. */
static int seed_occupancy(struct client *c, struct plan *p)
{
    return make(
        c, "/api/v1/occupancy-rules", &p->occupancy,
        "{\"name\":\"占位费 Occupancy\",\"from_ms\":0,\"free_min\":15,\"cap_order\":\"20.00\","
        "\"cap_day\":\"0.00\",\"kinds\":0,\"exempt\":1,\"pay\":%d,\"hold\":false,\"bay\":false,"
        "\"near_min\":5,\"every_min\":0,"
        "\"windows\":[{\"from_min\":0,\"to_min\":1440,\"price\":\"0.50\"}]}",
        OCC_PAY_LOSS);
}

static int seed_stations(struct client *c, const struct plan *p, struct demo_facts *f)
{
    static const struct {
        const char *name, *address;
        int lat_e7, lng_e7;
    } rows[3] = {
        {"海岸城超充站 Coast City", "深圳市南山区文心五路", 225170000, 1139360000},
        {"大运枢纽站 Universiade Hub", "深圳市龙岗区龙翔大道", 226980000, 1142250000},
        {"科苑路园区站 Keyuan Park", "深圳市南山区科苑路", 225400000, 1139440000},
    };
    const int64_t tariff[3] = {p->flat, p->tou, p->tou},
                  contract[3] = {p->even, p->three, p->service};
    for (int i = 0; i < 3; i++) {
        int err = make(c, "/api/v1/stations", &f->station[i],
                       "{\"name\":\"%s\",\"address\":\"%s\",\"zone\":\"Asia/"
                       "Shanghai\",\"lat_e7\":%d,\"lng_e7\":%d,"
                       "\"tariff\":\"%" PRId64 "\",\"contract\":\"%" PRId64
                       "\",\"occupancy\":\"%" PRId64 "\",\"discharge_tariff\":\"%" PRId64
                       "\",\"seller\":\"示范充电运营 EVen Demo\",\"tax_bp\":1300,\"state\":0}",
                       rows[i].name, rows[i].address, rows[i].lat_e7, rows[i].lng_e7, tariff[i],
                       contract[i], i == 2 ? p->occupancy : 0, i == 0 ? p->discharge : 0);
        if (err)
            return err;
    }
    return 0;
}

static int seed_connector(struct client *c, struct demo_facts *f, int64_t charger, int number,
                          bool dc, int power_w)
{
    int64_t *id = &f->connector[f->connectors];
    char code[17];
    snprintf(code, sizeof code, "DEMO%04d", 1001 + f->connectors);
    int err = make(c, "/api/v1/connectors", id,
                   "{\"charger\":\"%" PRId64
                   "\",\"number\":%d,\"kind\":%d,\"max_power_w\":%d,\"code\":\"%s\"}",
                   charger, number, dc ? CONNECTOR_DC : CONNECTOR_AC, power_w, code);
    if (err)
        return err;
    (void)str_copy(f->code[f->connectors++], sizeof f->code[0], str_from_c(code));
    return 0;
}

/* Chargers 0-13 speak OCPP, 14-19 云快充. Numbers 1, 2 and 14, 15 stand at the first station with
 * 120 kW. */
static int seed_charger(struct client *c, struct demo_facts *f, int i, struct buf *secrets)
{
    bool ykc = i >= 14, dc = ykc || i % 3 != 2;
    int power_w = dc ? (i % 4 == 3 ? 60000 : 120000) : 7000;
    char path[49], call[80];
    struct str reply;
    int64_t id;
    if (ykc)
        snprintf(path, sizeof path, "3201060001%04d", 9200 + i);
    else
        snprintf(path, sizeof path, "EVEN-%03d", i + 1);
    int err = make(c, "/api/v1/chargers", &id,
                   "{\"station\":\"%" PRId64
                   "\",\"path\":\"%s\",\"protocol\":%d,\"name\":\"%s %02d号桩\",\"max_power_w\":%d,"
                   "\"state\":0}",
                   f->station[i < 6 || (ykc && i < 17) ? 0 : i % 2 + 1], path,
                   ykc ? PROTOCOL_YKC : PROTOCOL_OCPP16, dc ? "直流" : "交流", i + 1, power_w);
    for (int n = 1; !err && n <= (dc ? 2 : 1); n++)
        err = seed_connector(c, f, id, n, dc, power_w);
    if (err || ykc)
        return err;
    snprintf(call, sizeof call, "/api/v1/chargers/%" PRId64 "/secret", id);
    err = client_call(c, "POST", call, NULL, &reply);
    if (!err)
        buf_printf(secrets, "%s\t%.*s\n", path, STR_FMT(client_member(reply, "secret")));
    return err;
}

static int seed_drivers(struct client *c, struct demo_facts *f)
{
    static const char *const names[DEMO_DRIVERS] = {"陈一", "李二", "王三", "张四", "赵五", "钱六"};
    static const char *const amounts[DEMO_DRIVERS] = {"4.00",   "200.00", "200.00",
                                                      "300.00", "100.00", "500.00"};
    for (int i = 0; i < DEMO_DRIVERS; i++) {
        char path[80];
        int64_t id;
        int err = make(c, "/api/v1/drivers", &f->driver[i],
                       "{\"phone\":\"1380013800%d\",\"name\":\"%s\",\"state\":0}", i, names[i]);
        if (err)
            return err;
        snprintf(path, sizeof path, "/api/v1/drivers/%" PRId64 "/topups", f->driver[i]);
        err =
            make(c, path, &id, "{\"amount\":\"%s\",\"note\":\"演示充值 demo top-up\"}", amounts[i]);
        if (!err)
            err = make(c, "/api/v1/tokens", &id,
                       "{\"driver\":\"%" PRId64 "\",\"tag\":\"CARD%04d\",\"kind\":1,\"state\":0}",
                       f->driver[i], i + 1);
        if (err)
            return err;
    }
    return 0;
}

/* A package that drivers may buy, and a company that pays for the last of them. */
static int seed_payers(struct client *c, const struct demo_facts *f)
{
    char path[80];
    int64_t id;
    int err = make(c, "/api/v1/packages", &id,
                   "{\"name\":\"充100送10 Pay 100, get 10\",\"pay\":\"100.00\",\"gift\":\"10.00\","
                   "\"gift_days\":90,\"state\":0}");
    if (!err)
        err = make(c, "/api/v1/companies", &id,
                   "{\"name\":\"快行物流 Swift Logistics\",\"tax_no\":\"\",\"kind\":%d,\"credit\":"
                   "\"2000.00\",\"overrun\":0,\"bill_day\":10,\"contact\":\"\",\"phone\":\"\","
                   "\"state\":0}",
                   COMPANY_CREDIT);
    if (err)
        return err;
    snprintf(path, sizeof path, "/api/v1/companies/%" PRId64 "/members", id);
    return make(
        c, path, &id,
        "{\"driver\":\"%" PRId64
        "\",\"name\":\"钱六\",\"plate\":\"粤B12345\",\"cards\":false,\"month_most\":\"500.00\","
        "\"order_most\":\"0.00\",\"month_mwh\":0,\"month_orders\":0,\"stations\":\"\","
        "\"state\":0}",
        f->driver[DEMO_DRIVERS - 1]);
}

static int seed_people(struct client *c, const struct plan *p, struct demo_facts *f)
{
    int64_t id;
    struct str reply;
    int err = make(
        c, "/api/v1/people", &id,
        "{\"login\":\"operator\",\"name\":\"运营员\",\"password\":\"%s\",\"role\":%d,\"state\":0}",
        f->operator_password, ROLE_OPERATOR);
    if (!err)
        err = make(c, "/api/v1/people", &id,
                   "{\"login\":\"partner\",\"name\":\"海岸物业\",\"password\":\"%s\",\"role\":%d,"
                   "\"party\":\"%" PRId64 "\",\"state\":0}",
                   f->partner_password, ROLE_PARTNER, p->owner);
    if (err)
        return err;
    char body[100];
    snprintf(body, sizeof body, "{\"name\":\"demo\",\"role\":%d,\"quota_s\":0}", ROLE_OPERATOR);
    err = client_call(c, "POST", "/api/v1/keys", body, &reply);
    if (!err)
        (void)str_copy(f->key, sizeof f->key, client_member(reply, "key"));
    return err;
}

static int facts_write(const char *dir, const struct demo_facts *f)
{
    char path[300];
    struct buf b;
    buf_init(&b, 1 << 16);
    buf_printf(&b, "admin %s\noperator %s\npartner %s\nkey %s\n", f->admin_password,
               f->operator_password, f->partner_password, f->key);
    for (int i = 0; i < DEMO_DRIVERS; i++)
        buf_printf(&b, "driver %" PRId64 "\n", f->driver[i]);
    for (int i = 0; i < f->connectors; i++)
        buf_printf(&b, "connector %" PRId64 "\n", f->connector[i]);
    snprintf(path, sizeof path, "%s/demo.txt", dir);
    int err = b.err ? b.err : file_write_atomic(path, buf_str(&b), 0600);
    buf_free(&b);
    return err;
}

static void facts_line(struct demo_facts *f, struct str name, struct str value, int *drivers)
{
    if (str_eq_c(name, "admin"))
        (void)str_copy(f->admin_password, sizeof f->admin_password, value);
    else if (str_eq_c(name, "operator"))
        (void)str_copy(f->operator_password, sizeof f->operator_password, value);
    else if (str_eq_c(name, "partner"))
        (void)str_copy(f->partner_password, sizeof f->partner_password, value);
    else if (str_eq_c(name, "key"))
        (void)str_copy(f->key, sizeof f->key, value);
    else if (str_eq_c(name, "driver") && *drivers < DEMO_DRIVERS &&
             str_to_i64(value, &f->driver[*drivers]) == 0)
        (*drivers)++;
    else if (str_eq_c(name, "connector") && f->connectors < DEMO_CHARGERS * 2 &&
             str_to_i64(value, &f->connector[f->connectors]) == 0)
        f->connectors++;
}

int demo_facts_read(const char *dir, struct demo_facts *f)
{
    char path[300];
    struct buf b;
    int drivers = 0;
    memset(f, 0, sizeof *f);
    snprintf(path, sizeof path, "%s/demo.txt", dir);
    buf_init(&b, 1 << 16);
    int err = file_read(path, 1 << 16, &b);
    struct str rest = buf_str(&b);
    while (!err && rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        struct str name = str_cut(&line, ' ');
        facts_line(f, name, str_trim(line), &drivers);
    }
    buf_free(&b);
    return err;
}

static int seed_setup(struct client *c, struct demo_facts *f)
{
    char body[600];
    os_random_text(f->admin_password, 16);
    os_random_text(f->operator_password, 16);
    os_random_text(f->partner_password, 16);
    snprintf(body, sizeof body,
             "{\"tenant_name\":\"示范充电运营 EVen "
             "Demo\",\"currency\":\"CNY\",\"zone\":\"Asia/Shanghai\",\"login\":\"admin\","
             "\"name\":\"管理员\",\"password\":\"%s\"}",
             f->admin_password);
    return client_open(c, "/api/v1/setup", body);
}

int demo_seed(struct client *c, const char *dir, struct demo_facts *f)
{
    struct plan p = {0};
    struct buf secrets;
    char path[300];
    memset(f, 0, sizeof *f);
    buf_init(&secrets, 1 << 16);
    int err = seed_setup(c, f);
    if (!err)
        err = seed_tariffs(c, &p);
    if (!err)
        err = seed_contracts(c, &p);
    if (!err)
        err = seed_occupancy(c, &p);
    if (!err)
        err = seed_discharge(c, &p);
    if (!err)
        err = seed_stations(c, &p, f);
    for (int i = 0; !err && i < DEMO_CHARGERS; i++)
        err = seed_charger(c, f, i, &secrets);
    if (!err)
        err = seed_drivers(c, f);
    if (!err)
        err = seed_payers(c, f);
    if (!err)
        err = seed_people(c, &p, f);
    snprintf(path, sizeof path, "%s/chargers.txt", dir);
    if (!err)
        err = file_write_atomic(path, buf_str(&secrets), 0600);
    if (!err)
        err = facts_write(dir, f);
    buf_free(&secrets);
    return err;
}
