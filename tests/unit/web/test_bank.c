// SPDX-License-Identifier: Apache-2.0
/* test_bank.c: files of payouts for a bank as the web front makes and shows them: which payouts it names,
 * the bytes of the file, what the list counts, and what a result that comes back is judged by. */
#include "rig.h"

#include <stdio.h>

static struct rig rig;

/* Of T1, unless said; ids of payouts ascend. */
enum {
    BANK = 701,
    EMPTY_BANK,
    BANK_OF_T2,
    PAID = 711,
    BACK,
    LISTED,
    OUT,
    EURO,
    LATE,
    ASKED,
    CRUMB,
    ELSEWHERE,
    GONE, /* to a party that is disabled … */
    MOVED,
    RENAMED,
    UNCHECKED,
    FROZEN, /* … and to drivers */
    CLOSED,
    IDLE,
    FILE_1 = 731,
    FILE_2,
    FILE_OF_T2,
    SEEN_KEY,
    PARTY_1 = 741,
    DRIVER_1 = 751
};

static void put(struct buf *b, enum row_table t, const void *row)
{
    row_pack(b, t, ROW_UPSERT, row);
}

static void channel(struct buf *b, int64_t id, int64_t tenant)
{
    put(b, ROW_CHANNEL,
        &(struct row_channel){
            .id = id, .tenant = tenant, .kind = CHANNEL_BANK, .name = "bank", .version = 1});
}

static void payout(struct buf *b, int64_t id, enum payout_state s, int64_t file)
{
    put(b, ROW_PAYOUT,
        &(struct row_payout){.id = id,
                             .tenant = T1,
                             .kind = PAYOUT_SHARE,
                             .party = OWNER,
                             .channel = id == ELSEWHERE ? EMPTY_BANK : BANK,
                             .currency = id == EURO ? "EUR" : "CNY",
                             .amount = id == CRUMB ? 10050 : 10000 * (id - 710),
                             .fee = 1000,
                             .tax = 500,
                             .state = (int32_t)s,
                             .payee = "6222 1",
                             .payee_name = "Li",
                             .file = file,
                             .version = 1});
}

/* The owner's payee is as its payouts say. */
static void party(struct buf *b, int64_t id, int32_t state, int32_t verified, const char *payee,
                  const char *name)
{
    put(b, ROW_PARTY,
        &(struct row_party){.id = id,
                            .tenant = T1,
                            .kind = 2,
                            .name = id == OWNER ? "Property" : "Partner",
                            .state = state,
                            .verified = verified,
                            .payee = payee,
                            .payee_name = name,
                            .version = 1});
}

static void driver(struct buf *b, int64_t id, int32_t state, int32_t frozen)
{
    const char phone[] = {'1', (char)('0' + id % 10), 0};

    put(b, ROW_DRIVER,
        &(struct row_driver){
            .id = id, .tenant = T1, .phone = phone, .state = state, .frozen = frozen});
}

/* What waits and may not go there any more; the last may. */
static void left_rows(struct buf *b)
{
    party(b, PARTY_1, ROW_DISABLED, 1, "6222 1", "Li");
    party(b, PARTY_1 + 1, ROW_ACTIVE, 1, "6222 2", "Li");
    party(b, PARTY_1 + 2, ROW_ACTIVE, 1, "6222 1", "Lu");
    party(b, PARTY_1 + 3, ROW_ACTIVE, 0, "6222 1", "Li");
    driver(b, DRIVER_1, ROW_ACTIVE, 1);
    driver(b, DRIVER_1 + 1, ROW_DELETED, 0);
    driver(b, DRIVER_1 + 2, ROW_DISABLED, 0);
    for (int64_t id = GONE; id <= IDLE; id++)
        put(b, ROW_PAYOUT,
            &(struct row_payout){.id = id,
                                 .tenant = T1,
                                 .kind = id < FROZEN ? PAYOUT_SHARE : PAYOUT_PRINCIPAL,
                                 .party = id < FROZEN ? PARTY_1 + id - GONE : 0,
                                 .driver = id < FROZEN ? 0 : DRIVER_1 + id - FROZEN,
                                 .channel = BANK,
                                 .currency = "CNY",
                                 .amount = 20000,
                                 .state = PAYOUT_APPROVED,
                                 .payee = "6222 1",
                                 .payee_name = "Li",
                                 .asked_kind = ACTOR_PERSON,
                                 .asked_by = ADMIN,
                                 .created_ms = 7000,
                                 .version = 1});
}

static void file_row(struct buf *b, int64_t file, int64_t id, int64_t out_ms)
{
    put(b, ROW_PAY_FILE_ROW,
        &(struct row_pay_file_row){.file = file,
                                   .payout = id,
                                   .tenant = file == FILE_OF_T2 ? T2 : T1,
                                   .amount = 10000 * (id - 710) - 1500,
                                   .payee = "=6222 0202",
                                   .payee_name = "Li, \"Ming\"",
                                   .note = id == BACK ? "十月" : "",
                                   .out_by = out_ms ? ADMIN2 : 0,
                                   .out_ms = out_ms});
}

static void file(struct buf *b, int64_t id, int32_t kind, int64_t by, int32_t n)
{
    put(b, ROW_PAY_FILE,
        &(struct row_pay_file){.id = id,
                               .tenant = id == FILE_OF_T2 ? T2 : T1,
                               .channel = id == FILE_OF_T2 ? BANK_OF_T2 : BANK,
                               .currency = "CNY",
                               .n = n,
                               .amount = 12345600,
                               .made_kind = kind,
                               .made_by = by,
                               .made_ms = 5000});
}

static int setup(void **state)
{
    struct buf b;

    (void)state;
    rig_start(&rig, false);
    rig_login(&rig, 0, "admin");
    rig_login(&rig, 1, "partner");
    buf_init(&b, 1 << 20);
    channel(&b, BANK, T1);
    channel(&b, EMPTY_BANK, T1);
    channel(&b, BANK_OF_T2, T2);
    payout(&b, PAID, PAYOUT_SETTLED, FILE_1);
    payout(&b, BACK, PAYOUT_FAILED, FILE_1);
    payout(&b, LISTED, PAYOUT_APPROVED, FILE_1);
    payout(&b, OUT, PAYOUT_APPROVED, 0);
    payout(&b, EURO, PAYOUT_APPROVED, 0);
    payout(&b, LATE, PAYOUT_APPROVED, 0);
    payout(&b, ASKED, PAYOUT_REQUESTED, 0);
    payout(&b, CRUMB, PAYOUT_APPROVED, 0);
    payout(&b, ELSEWHERE, PAYOUT_APPROVED, 0);
    party(&b, OWNER, ROW_ACTIVE, 1, "6222 1", "Li");
    left_rows(&b);
    for (int64_t id = PAID; id <= OUT; id++)
        file_row(&b, FILE_1, id, id == OUT ? 9000 : 0);
    file_row(&b, FILE_OF_T2, PAID, 0);
    file(&b, FILE_1, ACTOR_PERSON, ADMIN, 4);
    file(&b, FILE_2, ACTOR_API_KEY, SEEN_KEY, 0);
    file(&b, FILE_OF_T2, ACTOR_PERSON, ADMIN2, 1);
    put(&b, ROW_API_KEY,
        &(struct row_api_key){.id = SEEN_KEY, .tenant = T1, .name = "desk", .key_hash = "k9"});
    assert_int_equal(store_commit(rig.store, buf_str(&b), STR_LIT("")), 0);
    buf_free(&b);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

#define KEY      "Idempotency-Key: k1\r\n"
#define FILES    "/api/v1/channels/701/payout-files"
#define FILE_URL "/api/v1/payout-files/731/file"

static const struct reply *staff(const char *method, const char *path, const char *body)
{
    return rig_as(&rig, 0, method, path, body ? KEY : NULL, body);
}

/* ---- making ---- */

/* All that waits there and may go, is in no file, in whole fen and in one currency: that of the oldest. */
static void all_that_waits_is_named(void **state)
{
    const struct reply *r;

    (void)state;
    rig.answer.id = FILE_1;
    r = staff("POST", FILES, "{}");
    assert_int_equal(r->status, 200);
    assert_int_equal(rig.last.head.type, CMD_PAY_FILE_NEW);
    assert_int_equal(rig.last.head.tenant, T1);
    assert_int_equal(rig.last.head.idem_set, 1);
    assert_int_equal(rig.last.u.pay_file_new.channel, BANK);
    assert_int_equal(rig.last.u.pay_file_new.n, 3);
    assert_int_equal(rig.last.u.pay_file_new.payout[0], OUT);
    assert_int_equal(rig.last.u.pay_file_new.payout[1], LATE);
    assert_int_equal(rig.last.u.pay_file_new.payout[2], IDLE);
    assert_has(r->body, "{\"id\":\"731\",\"channel\":\"701\",\"currency\":\"CNY\",\"n\":4,");
    rig.answer.replay = 1;
    r = staff("POST", FILES, "{}");
    rig.answer.replay = 0;
    assert_string_equal(rig_header(r, "Idempotency-Replayed"), "true");
}

static void some_are_named(void **state)
{
    const struct reply *r;

    (void)state;
    rig.answer.id = FILE_1;
    r = staff("POST", FILES, "{\"payouts\":[\"716\",\"714\",\"715\"]}");
    assert_int_equal(r->status, 200);
    assert_int_equal(rig.last.u.pay_file_new.n, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rig.last.u.pay_file_new.payout[i], 714 + i); /* the core wants them so */
    int before = rig.commands;
    r = staff("POST", FILES, "{\"payouts\":[\"716\",\"714\",\"716\"]}");
    assert_int_equal(r->status, 422);
    assert_has(r->body, "given twice");
    assert_int_equal(staff("POST", FILES, "{\"payouts\":[]}")->status, 422); /* not: all */
    assert_int_equal(rig_as(&rig, 0, "POST", FILES, NULL, "{}")->status, 400);
    assert_int_equal(rig_as(&rig, 1, "POST", FILES, KEY, "{}")->status, 403);
    assert_int_equal(rig.commands, before);
}

/* The core is asked even so: the same key again is the same file. */
static void nothing_waits(void **state)
{
    const struct reply *r;

    (void)state;
    rig.answer_err = ERR_CONFLICT;
    r = staff("POST", "/api/v1/channels/703/payout-files", "{}");
    assert_int_equal(rig.last.u.pay_file_new.n, 0);
    assert_int_equal(r->status, 409);
    assert_has(r->body, "no payout waits that stands in no file");
    assert_has(r->body, "没有待付且未列入付款文件的出款");
    r = staff("POST", FILES, "{}");
    assert_int_equal(r->status, 409);
    assert_has(r->body, "a payout waits here no more, or stands in a file");
    rig.answer_err = 0;
}

/* The list says why, and so does the answer to who names one of them: of the first that stands in it. */
static void what_may_not_go_is_left_out(void **state)
{
    static const char left[] = "/api/v1/channels/701/payouts-left";
    static const struct {
        int64_t id;
        int why;
        const char *en;
    } want[] = {{CLOSED, PAYOUT_LEFT_CLOSED, "its driver's account is closed"},
                {FROZEN, PAYOUT_LEFT_FROZEN, "its driver's wallet is frozen"},
                {UNCHECKED, PAYOUT_LEFT_PAYEE, "its party's payee is another one by now, or is"},
                {RENAMED, PAYOUT_LEFT_PAYEE, "its party's payee is another one by now, or is"},
                {MOVED, PAYOUT_LEFT_PAYEE, "its party's payee is another one by now, or is"},
                {GONE, PAYOUT_LEFT_PARTY, "its party is disabled"}};
    const struct reply *r = staff("GET", left, NULL);
    const char *at = r->body;

    (void)state;
    assert_int_equal(r->status, 200);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        char row[200];

        snprintf(row, sizeof row,
                 "{\"id\":\"%lld\",\"party_name\":\"%s\",\"amount\":\"2.00\","
                 "\"currency\":\"CNY\",\"payee\":\"****22 1\",\"why\":%d,\"asked_kind\":2,"
                 "\"asked_by\":\"21\",\"created_ms\":7000}",
                 (long long)want[i].id, want[i].id < FROZEN ? "Partner" : "", want[i].why);
        at = strstr(at, row);
        assert_non_null(at);
    }
    assert_has(at, "]");
    assert_has_not(at, "},{"); /* no others */
    assert_has(staff("GET", "/api/v1/channels/703/payouts-left", NULL)->body, "\"items\":[]");
    assert_int_equal(rig_as(&rig, 1, "GET", left, NULL, NULL)->status, 403);
    rig.answer_err = ERR_CONFLICT;
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        char body[100];

        snprintf(body, sizeof body, "{\"payouts\":[\"714\",\"%lld\",\"720\"]}",
                 (long long)want[i].id);
        if (want[i].id == GONE)
            snprintf(body, sizeof body, "{\"payouts\":[\"714\",\"720\"]}");
        r = staff("POST", FILES, body);
        assert_int_equal(r->status, 409);
        assert_has(r->body, want[i].en);
        assert_has(r->body, "\"pointer\":\"/payouts/1\"");
    }
    assert_has(r->body, "该分成方已停用");
    r = staff("POST", FILES, "{\"payouts\":[\"720\",\"725\"]}");
    assert_has(r->body, "\"pointer\":\"/payouts/0\"");
    r = staff("POST", FILES, "{\"payouts\":[\"714\",\"713\"]}");
    assert_has(r->body, "a payout waits here no more, or stands in a file");
    rig.answer_err = 0;
}

/* ---- showing ---- */

static void files_are_counted(void **state)
{
    const struct reply *r = staff("GET", FILES, NULL);

    (void)state;
    assert_int_equal(r->status, 200);
    assert_has(r->body,
               "{\"items\":[{\"id\":\"732\",\"channel\":\"701\",\"currency\":\"CNY\",\"n\":0,"
               "\"amount\":\"1234.56\",\"made_kind\":4,\"made_by\":\"734\",\"made_name\":\"desk\","
               "\"made_ms\":5000,\"waiting\":0,\"settled\":0,\"failed\":0,\"taken_out\":0,"
               "\"out_amount\":\"0.00\"},{\"id\":\"731\",");
    assert_has(r->body, "\"made_by\":\"21\",\"made_name\":\"admin\",\"made_ms\":5000,\"waiting\":1,"
                        "\"settled\":1,\"failed\":1,\"taken_out\":1,\"out_amount\":\"3.85\"}]");
    assert_has_not(r->body, "733"); /* another operator's */
    r = staff("GET", FILES "?limit=1", NULL);
    assert_has_not(r->body, "\"731\",");
    assert_has_not(staff("GET", "/api/v1/channels/703/payout-files", NULL)->body, "\"id\"");
    assert_has(staff("GET", "/api/v1/payouts/713", NULL)->body, "\"file\":\"731\"");
    assert_int_equal(rig_as(&rig, 1, "GET", FILES, NULL, NULL)->status, 403);
}

/* What the bank was told when the file was made, whatever the payouts say now, of those that wait; no cell is a formula. */
static void a_file_has_its_bytes(void **state)
{
    static const char want[] =
        "\xef\xbb\xbf"
        "payout,payee,payee_name,amount,currency,result,bank_no,note,file\r\n"
        "713,\"'=6222 0202\",\"Li, \"\"Ming\"\"\",2.85,CNY,,,\"\",731\r\n";

    (void)state;
    for (int i = 0; i < 2; i++) {
        const struct reply *r = staff("GET", FILE_URL, NULL);

        assert_int_equal(r->status, 200);
        assert_string_equal(r->body, want);
        assert_has(rig_header(r, "Content-Disposition"), "payouts-731.csv");
        assert_int_equal(rig.last.head.type, CMD_AUDIT);
        assert_string_equal(rig.last.u.audit.action, "payout.file");
        assert_int_equal(rig.last.u.audit.object, FILE_1);
        assert_string_equal(rig.last.u.audit.detail, "1 rows");
    }
    int before = rig.commands;
    assert_int_equal(staff("GET", "/api/v1/payout-files/733/file", NULL)->status, 404);
    assert_int_equal(staff("GET", "/api/v1/payout-files/701/file", NULL)->status, 404);
    assert_int_equal(rig_as(&rig, 1, "GET", FILE_URL, NULL, NULL)->status, 403);
    assert_int_equal(rig.commands, before);
    assert_has(staff("GET", "/api/v1/payout-files/732/file", NULL)->body, "bank_no,note,file\r\n");
}

/* The same rows, for whom the same is asked; its cells are looked at by second.mjs. */
static void a_file_is_a_sheet(void **state)
{
    static const char url[] = "/api/v1/payout-files/731/sheet.xlsx";
    const struct reply *r = staff("GET", url, NULL);

    (void)state;
    assert_int_equal(r->status, 200);
    assert_memory_equal(r->body, "PK\3\4", 4);
    assert_has(rig_header(r, "Content-Disposition"), "payouts-731.xlsx");
    assert_int_equal(rig.last.head.type, CMD_AUDIT);
    assert_string_equal(rig.last.u.audit.action, "payout.file");
    assert_int_equal(rig.last.u.audit.object, FILE_1);
    assert_string_equal(rig.last.u.audit.detail, "1 rows");
    int before = rig.commands;
    assert_int_equal(staff("GET", "/api/v1/payout-files/733/sheet.xlsx", NULL)->status, 404);
    assert_int_equal(rig_as(&rig, 1, "GET", url, NULL, NULL)->status, 403);
    assert_int_equal(rig.commands, before);
}

/* ---- taking out, and results ---- */

static void one_is_taken_out(void **state)
{
    const struct reply *r;

    (void)state;
    rig.answer.id = LISTED;
    r = staff("POST", "/api/v1/payouts/713/file-out", "{\"note\":\"the bank lost it\"}");
    assert_int_equal(r->status, 200);
    assert_int_equal(rig.last.head.type, CMD_PAY_FILE_OUT);
    assert_int_equal(rig.last.head.idem_set, 1);
    assert_int_equal(rig.last.u.pay_file_out.payout, LISTED);
    assert_string_equal(rig.last.u.pay_file_out.note, "the bank lost it");
    int before = rig.commands;
    assert_int_equal(staff("POST", "/api/v1/payouts/713/file-out", "{}")->status, 422);
    assert_int_equal(staff("POST", "/api/v1/payouts/713/file-out", "{\"note\":\"\"}")->status, 422);
    assert_int_equal(rig.commands, before);
    rig.answer_err = ERR_SECOND;
    r = staff("POST", "/api/v1/payouts/713/file-out", "{\"note\":\"x\"}");
    rig.answer_err = 0;
    assert_int_equal(r->status, 403);
    assert_has(r->body, "not whoever made the file or asked for the payout");
    rig.answer_err = ERR_SECOND;
    r = staff("POST", "/api/v1/payouts/713/decide", "{\"act\":5}"); /* that it failed */
    assert_int_equal(r->status, 403);
    assert_has(r->body, "不能由生成文件者或申请该笔出款者操作");
    r = staff("POST", "/api/v1/payouts/713/decide", "{\"act\":1}");
    rig.answer_err = 0;
    assert_int_equal(r->status, 403);
    assert_has_not(r->body, "not whoever made the file");
}

/* In a file or in none; of this channel, and waiting; with the net amount. */
static void results_are_judged(void **state)
{
    const struct reply *r;
    int before = rig.commands;

    (void)state;
    r = rig_as(&rig, 0, "POST", "/api/v1/channels/701/payouts-file", "Content-Type: text/csv\r\n",
               "payout,amount,result,note,bank_no\n"
               "713,2.85,settled,,B1\n"   /* in a file */
               "716,5.85,failed,no,\n"    /* in none: it was paid by hand */
               "716,6.00,settled,,B2\n"   /* before fee and tax */
               "711,0.85,settled,,B3\n"   /* over */
               "719,8.85,settled,,B4\n"); /* another channel's */
    assert_int_equal(r->status, 200);
    assert_has(r->body,
               "{\"line\":2,\"id\":\"713\",\"outcome\":\"settled\",\"err\":0,\"amount\":\"2.85\"}");
    assert_has(r->body,
               "{\"line\":3,\"id\":\"716\",\"outcome\":\"failed\",\"err\":0,\"amount\":\"5.85\"}");
    assert_has(
        r->body,
        "{\"line\":4,\"id\":\"716\",\"outcome\":\"refused\",\"err\":-9,\"amount\":\"0.00\"}");
    assert_has(
        r->body,
        "{\"line\":5,\"id\":\"711\",\"outcome\":\"refused\",\"err\":-8,\"amount\":\"0.00\"}");
    assert_has(
        r->body,
        "{\"line\":6,\"id\":\"719\",\"outcome\":\"refused\",\"err\":-8,\"amount\":\"0.00\"}");
    assert_int_equal(rig.commands, before + 2);
}

/* What left a file counts by the file that is named only; the core looks whether it stands in that. */
static void results_name_their_file(void **state)
{
    const struct reply *r;
    int before = rig.commands;

    (void)state;
    r = rig_as(&rig, 0, "POST", "/api/v1/channels/701/payouts-file", "Content-Type: text/csv\r\n",
               "payout,amount,result,note,bank_no,file\n"
               "714,3.85,failed,no,,\n"
               "714,3.85,failed,no,,x\n"
               "713,2.85,failed,no,,-731\n"
               "714,3.85,failed,no,,732\n");
    assert_int_equal(r->status, 200);
    assert_has(
        r->body,
        "{\"line\":2,\"id\":\"714\",\"outcome\":\"refused\",\"err\":-13,\"amount\":\"0.00\"}");
    assert_has(
        r->body,
        "{\"line\":3,\"id\":\"714\",\"outcome\":\"refused\",\"err\":-5,\"amount\":\"0.00\"}");
    assert_has(
        r->body,
        "{\"line\":4,\"id\":\"713\",\"outcome\":\"refused\",\"err\":-5,\"amount\":\"0.00\"}");
    assert_has(r->body,
               "{\"line\":5,\"id\":\"714\",\"outcome\":\"failed\",\"err\":0,\"amount\":\"3.85\"}");
    assert_int_equal(rig.commands, before + 1);
    assert_int_equal(rig.last.u.payout_decide.file, FILE_2);
    r = rig_as(&rig, 0, "POST", "/api/v1/channels/701/payouts-file", "Content-Type: text/csv\r\n",
               "payout,amount,result,note,bank_no\n714,3.85,failed,no,\n");
    assert_has(r->body, "\"outcome\":\"refused\",\"err\":-13,\"amount\":\"0.00\"}");
}

/* Each of these is refused whole, and says which line: no row of it was sent. */
static void bad_results_change_nothing(void **state)
{
    static const struct {
        const char *text, *en, *zh;
        int status;
    } bad[] = {
        {"", "no header line", "缺少表头行", 422},
        {"payout,amount,result,note,bank_no,teller\n", "unknown column 6: teller",
         "第 6 列不认识：teller", 422},
        {"payout,amount,result,note\n713,2.85,settled,\n", "no column bank_no", "缺少列 bank_no",
         422},
        {"payout,amount,result,note,bank_no,note\n", "a column twice", "有重复的列", 422},
        {"payout,amount,result,note,bank_no\n713,2.85,settled,,B1\n716,5.8",
         "line 3 has other cells", "第 3 行的列数与表头不符", 400}, /* cut off */
        {"payout,amount,result,note,bank_no\n713,2.85,settled,,B1\n716,5.85,fai,,\n",
         "line 3: result is settled, failed or nothing",
         "第 3 行：结果只能是 settled、failed 或留空", 422},
        {"payout,amount,result,note,bank_no\n713,2.85,settled,,\"B1\n", "line 3 has other cells",
         "引号未闭合", 400},
        {"payout,amount,result,note,bank_no\n713,2.85,settled,\xb9\xa4,B1\n",
         "line 2 has other cells", "不是 UTF-8", 400},
        {"payout,amount,result,note,bank_no\n713,2.85,settled,,B1\n6.2E+18,1.00,settled,,B2\n",
         "line 3: payout is not a number", "第 3 行：payout 不是数字", 400}, /* a spreadsheet's */
        {"payout,amount,result,note,bank_no\n713,2.85,settled,,B1\n713,2.85,failed,,\n",
         "lines 2 and 3 are of the same one", "第 2 行与第 3 行是同一笔", 422},
    };
    int before = rig.commands;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct reply *r = rig_as(&rig, 0, "POST", "/api/v1/channels/701/payouts-file",
                                       "Content-Type: text/csv\r\n", bad[i].text);

        assert_int_equal(r->status, bad[i].status);
        assert_has(r->body, bad[i].en);
        assert_has(r->body, bad[i].zh);
    }
    assert_int_equal(rig.commands, before);
}

/* A row that the core refuses is its own matter: the others count. */
static void results_of_one_person(void **state)
{
    const struct reply *r;

    (void)state;
    rig.answer_err = ERR_SECOND;
    r = rig_as(
        &rig, 0, "POST", "/api/v1/channels/701/payouts-file", "Content-Type: text/csv\r\n",
        "payout,amount,result,note,bank_no\n713,2.85,failed,,\n716,4.50,,,\n717,x,failed,,\n");
    rig.answer_err = 0;
    assert_int_equal(r->status, 200);
    assert_has(
        r->body,
        "\"line\":2,\"id\":\"713\",\"outcome\":\"refused\",\"err\":-80,\"amount\":\"0.00\"}");
    assert_has(r->body,
               "\"line\":3,\"id\":\"716\",\"outcome\":\"skipped\",\"err\":0,\"amount\":\"0.00\"}");
    assert_has(r->body, "\"line\":4,\"id\":\"717\",\"outcome\":\"refused\"");
}

int bank_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_waits_is_named), cmocka_unit_test(some_are_named),
        cmocka_unit_test(nothing_waits),           cmocka_unit_test(what_may_not_go_is_left_out),
        cmocka_unit_test(files_are_counted),       cmocka_unit_test(a_file_has_its_bytes),
        cmocka_unit_test(a_file_is_a_sheet),       cmocka_unit_test(one_is_taken_out),
        cmocka_unit_test(results_are_judged),      cmocka_unit_test(bad_results_change_nothing),
        cmocka_unit_test(results_of_one_person),   cmocka_unit_test(results_name_their_file),
    };

    return cmocka_run_group_tests_name("web bank", tests, setup, teardown);
}
