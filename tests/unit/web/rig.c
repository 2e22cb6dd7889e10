// SPDX-License-Identifier: Apache-2.0
/* rig.c: see rig.h. */
#include "rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "base/hash.h"
#include "io/os/clock.h"
#include "io/os/file.h"

const char *rig_proxies, *rig_daily;
uint32_t rig_request_s, rig_in_flight;
static char pass_hash[CRYPTO_PASSWORD_SIZE];

/* ---- rows ---- */

static void put(struct buf *b, enum row_table t, const void *row)
{
    row_pack(b, t, row_metas[t].kind == ROW_KIND_JOURNAL ? ROW_INSERT : ROW_UPSERT, row);
}

static void leg(struct buf *b, int64_t account, int64_t amount, int64_t balance, int64_t prev,
                int64_t party)
{
    buf_put_varint(b, (uint64_t)account);
    buf_put_zigzag(b, amount);
    buf_put_zigzag(b, balance);
    buf_put_varint(b, (uint64_t)prev);
    buf_put_varint(b, (uint64_t)party);
}

static void person(struct buf *b, int64_t id, int64_t tenant, const char *login, int role,
                   int64_t party)
{
    put(b, ROW_PERSON,
        &(struct row_person){.id = id,
                             .tenant = tenant,
                             .login = login,
                             .name = login,
                             .pass_hash = pass_hash,
                             .role = role,
                             .party = party,
                             .version = 1,
                             .created_ms = 1});
}

static void people_rows(struct buf *b)
{
    for (int64_t t = T1; t <= T2; t++)
        put(b, ROW_TENANT,
            &(struct row_tenant){.id = t,
                                 .name = t == T1 ? "Even Ltd" : "Other",
                                 .currency = "CNY",
                                 .zone = "Asia/Shanghai",
                                 .start_timeout_s = 60,
                                 .silence_s = 300,
                                 .doubt_h = 24,
                                 .version = 1,
                                 .created_ms = 1});
    put(b, ROW_PARTY,
        &(struct row_party){
            .id = PLATFORM, .tenant = T1, .kind = 1, .name = "Platform", .version = 1});
    put(b, ROW_PARTY,
        &(struct row_party){
            .id = OWNER, .tenant = T1, .kind = 2, .name = "Property", .version = 1});
    put(b, ROW_PARTY,
        &(struct row_party){.id = P2, .tenant = T2, .kind = 2, .name = "Foreign", .version = 1});
    person(b, ADMIN, T1, "admin", ROLE_ADMIN, 0);
    person(b, PARTNER, T1, "partner", ROLE_PARTNER, OWNER);
    person(b, VIEWER, T1, "viewer", ROLE_VIEWER, 0);
    person(b, ADMIN2, T2, "admin2", ROLE_ADMIN, 0);
    put(b, ROW_PERSON,
        &(struct row_person){.id = LOCKED,
                             .tenant = T1,
                             .login = "locked",
                             .name = "locked",
                             .pass_hash = pass_hash,
                             .role = ROLE_VIEWER,
                             .locked_ms = INT64_MAX / 2,
                             .version = 1,
                             .created_ms = 1});
    put(b, ROW_DRIVER,
        &(struct row_driver){.id = DRIVER,
                             .tenant = T1,
                             .phone = "13812345678",
                             .name = "Li",
                             .version = 1,
                             .created_ms = 5});
    put(b, ROW_DRIVER,
        &(struct row_driver){
            .id = DRIVER2, .tenant = T2, .phone = "13900000000", .name = "Wu", .version = 1});
}

static void occupancy_rows(struct buf *b)
{
    put(b, ROW_OCCUPANCY_RULE,
        &(struct row_occupancy_rule){
            .id = 72, .tenant = T1, .family = 72, .name = "占位费", .cap_order = 500000});
    put(b, ROW_OCCUPANCY_WINDOW,
        &(struct row_occupancy_window){.rule = 72, .to_min = 1440, .price = 5000});
}

static void site_rows(struct buf *b)
{
    put(b, ROW_TARIFF,
        &(struct row_tariff){.id = TARIFF,
                             .tenant = T1,
                             .family = TARIFF,
                             .name = "Day and night",
                             .from_ms = 1,
                             .created_ms = 1});
    put(b, ROW_TARIFF_DAY,
        &(struct row_tariff_day){
            .tariff = TARIFF, .first_mmdd = 101, .last_mmdd = 1231, .weekdays = 127});
    put(b, ROW_TARIFF_SLICE,
        &(struct row_tariff_slice){
            .tariff = TARIFF, .label = "谷", .elec_e5 = 30000, .service_e5 = 40000});
    put(b, ROW_TARIFF_SLICE,
        &(struct row_tariff_slice){.tariff = TARIFF,
                                   .from_min = 480,
                                   .label = "峰",
                                   .elec_e5 = 80000,
                                   .service_e5 = 40000});
    put(b, ROW_CONTRACT,
        &(struct row_contract){.id = CONTRACT,
                               .tenant = T1,
                               .family = CONTRACT,
                               .name = "5:5",
                               .from_ms = 1,
                               .unit = 100});
    put(b, ROW_CONTRACT_PARTY,
        &(struct row_contract_party){
            .contract = CONTRACT, .seq = 0, .party = PLATFORM, .lines = 7, .ratio = 5});
    put(b, ROW_CONTRACT_PARTY,
        &(struct row_contract_party){
            .contract = CONTRACT, .seq = 1, .party = OWNER, .lines = 7, .ratio = 5});
    for (int i = 0; i < 3; i++) {
        put(b, ROW_STATION,
            &(struct row_station){.id = STATION + i,
                                  .tenant = i == 1 ? T2 : T1,
                                  .name = i == 0 ? "Harbour" : "Hill",
                                  .address = "1 Road",
                                  .zone = "Asia/Shanghai",
                                  .tariff = TARIFF,
                                  .contract = CONTRACT,
                                  .seller = "Even Ltd",
                                  .tax_bp = 600,
                                  .version = 3});
        put(b, ROW_CHARGER,
            &(struct row_charger){.id = CHARGER + i,
                                  .tenant = i == 1 ? T2 : T1,
                                  .station = STATION + i,
                                  .path = i == 0   ? "CP1"
                                          : i == 1 ? "CP2"
                                                   : "CP3",
                                  .protocol = i == 2 ? 2 : 1,
                                  .name = "Pile",
                                  .secret_hash = i == 0 ? "ab" : "",
                                  .max_power_w = 120000,
                                  .version = 2});
    }
    for (int i = 0; i < 2; i++)
        put(b, ROW_CONNECTOR,
            &(struct row_connector){.id = CONNECTOR + i,
                                    .tenant = i == 1 ? T2 : T1,
                                    .charger = CHARGER + i,
                                    .number = 1,
                                    .code = i == 0 ? "AAAA" : "BBBB",
                                    .kind = 2,
                                    .max_power_w = 120000,
                                    .status = CS_AVAILABLE,
                                    .version = 4});
}

/* Two cards of the driver: one may charge where a pile has no network. */
static void card_rows(struct buf *b)
{
    for (int i = 0; i < 2; i++)
        put(b, ROW_TOKEN,
            &(struct row_token){.id = TRANSFER_1 + 9000 + i,
                                .tenant = T1,
                                .driver = DRIVER,
                                .tag = i ? "D14B0A55" : "D14B0A54",
                                .folded = i ? "d14b0a55" : "d14b0a54",
                                .kind = TOKEN_CARD,
                                .offline_limit = i ? 0 : 20000,
                                .version = 1});
}

static void money_rows(struct buf *b)
{
    struct buf legs;

    buf_init(&legs, 4000);
    const struct row_account accounts[] = {
        {.id = WALLET,
         .tenant = T1,
         .kind = ACCOUNT_WALLET,
         .owner = DRIVER,
         .currency = "CNY",
         .posted_in = 100000,
         .posted_out = 40000,
         .last_transfer = TRANSFER_2,
         .version = 2},
        {.id = CASH,
         .tenant = T1,
         .kind = ACCOUNT_CASH,
         .currency = "CNY",
         .posted_out = 100000,
         .last_transfer = TRANSFER_1,
         .version = 1},
        {.id = PENDING,
         .tenant = T1,
         .kind = ACCOUNT_PENDING,
         .owner = OWNER,
         .currency = "CNY",
         .posted_in = 20000,
         .last_transfer = TRANSFER_2,
         .version = 1},
        {.id = INCOME,
         .tenant = T1,
         .kind = ACCOUNT_INCOME,
         .owner = PLATFORM,
         .currency = "CNY",
         .posted_in = 20000,
         .last_transfer = TRANSFER_2,
         .version = 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(accounts); i++)
        put(b, ROW_ACCOUNT, &accounts[i]);
    leg(&legs, CASH, -100000, -100000, 0, 0);
    leg(&legs, WALLET, 100000, 100000, 0, 0);
    put(b, ROW_TRANSFER,
        &(struct row_transfer){.id = TRANSFER_1,
                               .tenant = T1,
                               .code = TRANSFER_TOPUP,
                               .currency = "CNY",
                               .amount = 100000,
                               .effective_ms = 10,
                               .posted_ms = 10,
                               .legs = buf_str(&legs),
                               .note = "cash"});
    buf_reset(&legs);
    leg(&legs, WALLET, -40000, 60000, TRANSFER_1, 0);
    leg(&legs, INCOME, 20000, 20000, 0, PLATFORM);
    leg(&legs, PENDING, 20000, 20000, 0, OWNER);
    put(b, ROW_TRANSFER,
        &(struct row_transfer){.id = TRANSFER_2,
                               .tenant = T1,
                               .code = TRANSFER_CAPTURE,
                               .order_id = ORDER,
                               .currency = "CNY",
                               .amount = 40000,
                               .effective_ms = 20,
                               .posted_ms = 20,
                               .legs = buf_str(&legs),
                               .note = ""});
    buf_free(&legs);
}

static void order_rows(struct buf *b)
{
    int64_t now = os_now_ms();

    put(b, ROW_ORDERS,
        &(struct row_orders){.id = ORDER,
                             .tenant = T1,
                             .kind = 1,
                             .payer_kind = 1,
                             .driver = DRIVER,
                             .station = STATION,
                             .charger = CHARGER,
                             .connector = CONNECTOR,
                             .tariff = TARIFF,
                             .contract = CONTRACT,
                             .currency = "CNY",
                             .seller = "Even Ltd",
                             .tax_bp = 600,
                             .state = ORDER_SETTLED,
                             .started_by = 1,
                             .cap = 40000,
                             .energy_mwh = 3333000,
                             .elec = 26700,
                             .service = 13300,
                             .total = 40000,
                             .paid = 40000,
                             .stop_reason = STOP_CAP,
                             .created_ms = now,
                             .transfer = TRANSFER_2,
                             .version = 9});
    put(b, ROW_SESSION,
        &(struct row_session){.id = SESSION,
                              .tenant = T1,
                              .order_id = ORDER,
                              .charger = CHARGER,
                              .connector = CONNECTOR,
                              .tx = 7,
                              .state = SESSION_ENDED,
                              .meter_start = 0,
                              .meter_last = 3333000,
                              .soc_pm = 640});
}

/* Each tenant has one. */
static void firmware_rows(struct buf *b)
{
    for (int i = 0; i < 2; i++)
        put(b, ROW_FIRMWARE,
            &(struct row_firmware){.id = 401 + i,
                                   .tenant = T1 + i,
                                   .name = "fw.bin",
                                   .revision = "1",
                                   .size = 10,
                                   .sha256 = "00",
                                   .state = FIRMWARE_READY,
                                   .version = 1});
}

static void invoice_rows(struct buf *b)
{
    put(b, ROW_INVOICE,
        &(struct row_invoice){.id = ORDER,
                              .tenant = T1,
                              .driver = DRIVER,
                              .state = INVOICE_REQUESTED,
                              .seller = "E",
                              .title = "=buyer",
                              .email = "a@b",
                              .currency = "CNY",
                              .amount = 10000,
                              .version = 1});
    put(b, ROW_INVOICE_LINE,
        &(struct row_invoice_line){ORDER, 1, FEE_ELECTRICITY, 1300, 10000, 8800, 1200, 10000});
}

static void channel_row(struct buf *b)
{
    put(b, ROW_CHANNEL,
        &(struct row_channel){.id = ORDER,
                              .tenant = T1,
                              .kind = CHANNEL_WECHAT,
                              .name = "wechat",
                              .url = "",
                              .app = "",
                              .merchant = "",
                              .keys = "",
                              .version = 1});
}

/* A file for a bank, with no row. */
static void pay_file_row(struct buf *b)
{
    put(b, ROW_PAY_FILE,
        &(struct row_pay_file){.id = ORDER, .tenant = T1, .channel = ORDER, .currency = "CNY"});
}

static void statement_row(struct buf *b, int64_t now)
{
    invoice_rows(b);
    put(b, ROW_STATEMENT,
        &(struct row_statement){.id = ORDER,
                                .tenant = T1,
                                .party = OWNER,
                                .month = 202610,
                                .from_ms = now - 1000000,
                                .to_ms = now + 1000000,
                                .currency = "CNY",
                                .shares = 20000,
                                .closing = 20000,
                                .orders = 1,
                                .state = STATEMENT_ISSUED,
                                .note = "",
                                .version = 1});
    put(b, ROW_CERTIFICATE,
        &(struct row_certificate){.tenant = T1,
                                  .day = ORDER, /* the number that every_list_answers asks for */
                                  .currency = "CNY",
                                  .to_ms = now,
                                  .wallets = 5,
                                  .rest = -5,
                                  .link = 1,
                                  .hash = "ab",
                                  .made_ms = now});
}

/* The driver is a member of a company; ids are those of another table. */
static void company_rows(struct buf *b, int64_t now)
{
    put(b, ROW_COMPANY,
        &(struct row_company){.id = ORDER,
                              .tenant = T1,
                              .name = "Fleet",
                              .tax_no = "",
                              .kind = COMPANY_CREDIT,
                              .credit = 100000,
                              .bill_day = 10,
                              .contact = "Wang",
                              .phone = "13911112222",
                              .version = 1});
    put(b, ROW_COMPANY_MEMBER,
        &(struct row_company_member){.id = ORDER,
                                     .tenant = T1,
                                     .company = ORDER,
                                     .driver = DRIVER,
                                     .name = "",
                                     .plate = "",
                                     .stations = "",
                                     .version = 1});
    put(b, ROW_COMPANY_BILL,
        &(struct row_company_bill){.id = ORDER,
                                   .tenant = T1,
                                   .company = ORDER,
                                   .month = 202610,
                                   .from_ms = now - 2000000,
                                   .to_ms = now - 1000000,
                                   .currency = "CNY",
                                   .captured = 5000,
                                   .state = COMPANY_BILL_ISSUED,
                                   .note = "",
                                   .version = 1});
}

/* A payment, and a share of the order that the channel paid. */
static void channel_money_rows(struct buf *b, int64_t now)
{
    put(b, ROW_PAYMENT,
        &(struct row_payment){.id = ORDER, /* a number of another table */
                              .tenant = T1,
                              .driver = DRIVER,
                              .currency = "CNY",
                              .amount = 100000,
                              .state = PAYMENT_PAID,
                              .provider_no = "42001",
                              .url = "",
                              .payer = "",
                              .transfer = TRANSFER_2});
    put(b, ROW_PAYOUT,
        &(struct row_payout){.id = ORDER, /* a number of another table */
                             .tenant = T1,
                             .kind = PAYOUT_SHARED,
                             .party = OWNER,
                             .order_id = ORDER,
                             .currency = "CNY",
                             .amount = 10000,
                             .state = PAYOUT_SETTLED,
                             .provider_no = "",
                             .payee = "",
                             .payee_name = "",
                             .note = "",
                             .confirm = "",
                             .paper = "",
                             .transfer = TRANSFER_2,
                             .done_ms = now,
                             .version = 1});
}

static void audit_rows(struct buf *b, int64_t now)
{
    put(b, ROW_AUDIT,
        &(struct row_audit){.id = 401,
                            .tenant = T1,
                            .actor_kind = ACTOR_PERSON,
                            .actor = ADMIN,
                            .action = "login",
                            .cause = 0xc0ffee,
                            .at_ms = now});
    put(b, ROW_AUDIT,
        &(struct row_audit){.id = 402, .tenant = T1, .action = "x", .cause = 1, .at_ms = now});
    put(b, ROW_AUDIT,
        &(struct row_audit){
            .id = 403, .tenant = T2, .action = "x", .cause = 0xc0ffee, .at_ms = now});
}

static void story_rows(struct buf *b)
{
    int64_t now = os_now_ms();

    put(b, ROW_FEE_LINE,
        &(struct row_fee_line){.order_id = ORDER,
                               .seq = 1,
                               .kind = FEE_ELECTRICITY,
                               .label = "峰",
                               .energy_mwh = 3333000,
                               .price_e5 = 80000,
                               .amount = 26700});
    put(b, ROW_FEE_LINE,
        &(struct row_fee_line){.order_id = ORDER,
                               .seq = 2,
                               .kind = FEE_SERVICE,
                               .label = "峰",
                               .energy_mwh = 3333000,
                               .price_e5 = 40000,
                               .amount = 13300});
    for (int i = 0; i < 2; i++)
        put(b, ROW_SPLIT_PART,
            &(struct row_split_part){.order_id = ORDER,
                                     .seq = i + 1,
                                     .tenant = T1,
                                     .transfer = TRANSFER_2,
                                     .party = OWNER,
                                     .account = PENDING,
                                     .fee_kind = i + 1,
                                     .base = 20000,
                                     .ratio = 5,
                                     .ratio_sum = 10,
                                     .amount = 10000,
                                     .at_ms = now,
                                     .station = STATION});
    put(b, ROW_PARTY_SHARE_NEW,
        &(struct row_party_share_new){
            .transfer = TRANSFER_2, .party = OWNER, .at_ms = now, .order_id = ORDER});
    channel_money_rows(b, now);
    statement_row(b, now);
    put(b, ROW_ORDER_EVENT,
        &(struct row_order_event){.order_id = ORDER,
                                  .seq = 1,
                                  .at_ms = now,
                                  .state = ORDER_CREATED,
                                  .event = OE_CREATED,
                                  .cause = 0xc0ffee});
    put(b, ROW_COMMAND,
        &(struct row_command){.id = COMMAND,
                              .tenant = T1,
                              .charger = CHARGER,
                              .order_id = ORDER,
                              .action = "RemoteStartTransaction",
                              .payload = "{\"idTag\":\"HUSH1\"}",
                              .state = COMMAND_DONE,
                              .result = "{\"key\":\"HUSH2\"}",
                              .status = "Accepted"});
    audit_rows(b, now);
}

/* ---- the engine ---- */

static int rig_submit(void *ctx, const struct cmd *cmd)
{
    struct rig *rig = ctx;
    struct out o = {.size = (uint32_t)OUT_SIZE(made),
                    .version = CMD_VERSION,
                    .type = OUT_REPLY,
                    .to = cmd->head.from,
                    .cmd_type = cmd->head.type,
                    .err = rig->answer_err,
                    .u.made = rig->answer};
    struct buf rows;

    if (rig->full)
        return ERR_FULL;
    rig->last = (struct cmd){0};
    memcpy(&rig->last, cmd, cmd->head.size);
    rig->commands++;
    if (cmd->head.type == CMD_SESSION_PUT && rig->answer_err == 0) {
        const struct cmd_session_put *s = &cmd->u.session_put;

        buf_init(&rows, 4096);
        put(&rows, ROW_WEB_SESSION,
            &(struct row_web_session){.id = s->id,
                                      .tenant = cmd->head.tenant,
                                      .kind = s->kind,
                                      .actor = s->actor,
                                      .csrf = s->csrf,
                                      .expires_ms = s->expires_ms});
        assert_int_equal(store_commit(rig->store, buf_str(&rows), STR_LIT("")), 0);
        buf_free(&rows);
    }
    if (!rig->silent) {
        web_deliver(rig->web, &o);
        web_delivered(rig->web);
    }
    return 0;
}

void rig_start(struct rig *rig, bool empty)
{
    struct store_config sc = {.create = true};
    struct web_config wc = {.threads = 1,
                            .demo = true,
                            .submit = rig_submit,
                            .submit_ctx = rig,
                            .rate_s = 100000,
                            .firmware_link_ms = 1, /* over at once */
                            .setup_token = "only-once"};
    struct buf rows;

    memset(rig, 0, sizeof(*rig));
    str_copy(rig->dir, sizeof(rig->dir), STR_LIT("/tmp/even-web-XXXXXX"));
    assert_non_null(mkdtemp(rig->dir));
    assert_int_equal(crypto_init(), 0);
    if (!pass_hash[0])
        assert_int_equal(crypto_password_hash(STR_LIT(RIG_PASSWORD), pass_hash), 0);
    sc.dir = rig->dir;
    assert_int_equal(store_open(&sc, &rig->store), 0);
    buf_init(&rows, 1 << 20);
    if (!empty) {
        people_rows(&rows);
        site_rows(&rows);
        occupancy_rows(&rows);
        card_rows(&rows);
        money_rows(&rows);
        order_rows(&rows);
        story_rows(&rows);
        company_rows(&rows, os_now_ms());
        firmware_rows(&rows);
        channel_row(&rows);
        pay_file_row(&rows);
        assert_int_equal(store_commit(rig->store, buf_str(&rows), STR_LIT("")), 0);
    }
    buf_free(&rows);
    rig->answer = (struct reply_made){.id = 777, .version = 5};
    wc.store = rig->store;
    wc.proxies = rig_proxies;
    wc.daily = rig_daily;
    wc.request_s = rig_request_s;
    wc.in_flight = rig_in_flight;
    memset(wc.key, 7, sizeof(wc.key));
    assert_int_equal(web_start(&wc, &rig->web), 0);
    rig->port = web_port(rig->web);
}

static int remove_one(void *ctx, const char *name)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", (const char *)ctx, name);
    (void)!file_remove(path);
    return 0;
}

void rig_stop(struct rig *rig)
{
    char samples[80];

    web_stop(rig->web);
    store_close(rig->store);
    snprintf(samples, sizeof(samples), "%s/samples", rig->dir);
    (void)!dir_list(samples, remove_one, samples);
    (void)rmdir(samples);
    (void)!dir_list(rig->dir, remove_one, rig->dir);
    (void)rmdir(rig->dir);
}

/* ---- the client ---- */

int rig_dial(const struct rig *rig)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(rig->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval wait = {.tv_sec = 120};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static void send_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

        if (sent <= 0)
            return; /* the server may have answered and closed already */
        p += sent;
        n -= (size_t)sent;
    }
}

static void request_send(int fd, const char *method, const char *path, const char *head,
                         const char *body)
{
    struct buf b;

    buf_init(&b, 4 << 20);
    buf_printf(&b, "%s %s HTTP/1.1\r\nHost: even.test\r\nConnection: close\r\n%s", method, path,
               head != NULL ? head : "");
    if (body != NULL && (head == NULL || strstr(head, "Content-Type") == NULL))
        buf_put_c(&b, "Content-Type: application/json\r\n");
    if (body != NULL)
        buf_printf(&b, "Content-Length: %zu\r\n", strlen(body));
    else if (strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0)
        buf_put_c(&b, "Content-Length: 0\r\n");
    buf_put_c(&b, "\r\n");
    buf_put_c(&b, body != NULL ? body : "");
    send_all(fd, b.p, b.n);
    buf_free(&b);
}

const struct reply *rig_call(struct rig *rig, const char *method, const char *path,
                             const char *head, const char *body)
{
    static struct reply r;
    static char all[sizeof(r.body) + sizeof(r.head)];
    size_t n = 0;
    int fd = rig_dial(rig);
    char *end;

    request_send(fd, method, path, head, body);
    while (n < sizeof(all) - 1) {
        ssize_t got = recv(fd, all + n, sizeof(all) - 1 - n, 0);

        if (got < 0 && errno == EINTR)
            continue; /* with a deadline it is not begun again by itself */
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    close(fd);
    all[n] = 0;
    r.status = n > 12 ? (int)strtol(all + 9, NULL, 10) : 0;
    end = strstr(all, "\r\n\r\n");
    r.head[0] = r.body[0] = 0;
    r.n = 0;
    if (end == NULL)
        return &r;
    str_copy(r.head, sizeof(r.head), str_from(all, (size_t)(end - all) + 2));
    r.n = n - (size_t)(end + 4 - all);
    memcpy(r.body, end + 4, r.n);
    r.body[r.n] = 0;
    return &r;
}

const struct reply *rig_as(struct rig *rig, int face, const char *method, const char *path,
                           const char *head, const char *body)
{
    char lines[1024];

    snprintf(lines, sizeof(lines), "Cookie: %s\r\n%s%s%s%s", rig->cookie[face],
             strcmp(method, "GET") != 0 ? "X-CSRF-Token: " : "",
             strcmp(method, "GET") != 0 ? rig->csrf[face] : "",
             strcmp(method, "GET") != 0 ? "\r\n" : "", head != NULL ? head : "");
    return rig_call(rig, method, path, lines, body);
}

const char *rig_header(const struct reply *r, const char *name)
{
    static char value[1024];
    char want[64];
    const char *p;

    snprintf(want, sizeof(want), "\r\n%s: ", name);
    p = strstr(r->head, want);
    if (p == NULL)
        return "";
    p += strlen(want);
    str_copy(value, sizeof(value), str_from(p, strcspn(p, "\r")));
    return value;
}

static void member(const char *body, const char *name, char *out, size_t cap)
{
    char want[40];
    const char *p;

    snprintf(want, sizeof(want), "\"%s\":\"", name);
    p = strstr(body, want);
    assert_non_null(p);
    p += strlen(want);
    str_copy(out, cap, str_from(p, strcspn(p, "\"")));
}

static void session_keep(struct rig *rig, int face, const struct reply *r)
{
    const char *cookie;

    assert_int_equal(r->status, 200);
    cookie = rig_header(r, "Set-Cookie");
    assert_has(cookie, "HttpOnly");
    assert_has(cookie, "SameSite=Strict");
    str_copy(rig->cookie[face], sizeof(rig->cookie[face]), str_from(cookie, strcspn(cookie, ";")));
    member(r->body, "csrf", rig->csrf[face], sizeof(rig->csrf[face]));
}

void rig_login(struct rig *rig, int face, const char *login)
{
    char body[256];

    snprintf(body, sizeof(body), "{\"login\":\"%s\",\"password\":\"" RIG_PASSWORD "\"}", login);
    session_keep(rig, face, rig_call(rig, "POST", "/api/v1/login", NULL, body));
}

void rig_login_driver(struct rig *rig, const char *phone)
{
    char body[256], code[16];
    const struct reply *r;

    snprintf(body, sizeof(body), "{\"phone\":\"%s\"}", phone);
    r = rig_call(rig, "POST", "/api/v1/driver/code", NULL, body);
    assert_int_equal(r->status, 200);
    member(r->body, "demo_code", code, sizeof(code));
    snprintf(body, sizeof(body), "{\"phone\":\"%s\",\"code\":\"%s\",\"tenant\":\"1\"}", phone,
             code);
    rig->answer.id = DRIVER;
    session_keep(rig, 2, rig_call(rig, "POST", "/api/v1/driver/login", NULL, body));
    rig->answer.id = 777;
}

int rig_stream(struct rig *rig, int face, const char *path)
{
    char head[512];
    int fd = rig_dial(rig);

    snprintf(head, sizeof(head), "Cookie: %s\r\nAccept: text/event-stream\r\n", rig->cookie[face]);
    request_send(fd, "GET", path, head, NULL);
    return fd;
}

bool rig_stream_wait(int fd, const char *want, int ms, char *text, size_t cap)
{
    int64_t until = os_mono_ns() + (int64_t)ms * 1000000;
    size_t n = strlen(text);

    while (strstr(text, want) == NULL) {
        int64_t rest = (until - os_mono_ns()) / 1000000;
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t got;

        if (rest <= 0 || poll(&p, 1, (int)rest) <= 0)
            return false;
        got = recv(fd, text + n, cap - 1 - n, 0);
        if (got <= 0)
            return false;
        n += (size_t)got;
        text[n] = 0;
    }
    return true;
}
