// SPDX-License-Identifier: Apache-2.0
/* test_bad.c: bad input. Each row gets its status and a problem body, and nothing reaches the core.
 */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;

static int setup(void **state)
{
    (void)state;
    rig_start(&rig, false);
    rig_login(&rig, 0, "admin");
    rig_login(&rig, 1, "partner");
    rig_login_driver(&rig, "13812345678");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

#define KEY      "Idempotency-Key: k1\r\n"
#define TOPUP    "/api/v1/drivers/31/topups"
#define STATIONS "/api/v1/stations"
/* 34 characters, 102 bytes: the API counts those, commands these. */
#define WIDE "一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四"
#define COMPANY                                                                                    \
    "{\"name\":\"C\",\"tax_no\":\"\",\"kind\":1,\"overrun\":0,\"contact\":\"\",\"phone\":\"\","    \
    "\"state\":0,"
#define MEMBER                                                                                     \
    "\"name\":\"\",\"plate\":\"\",\"cards\":false,\"month_most\":\"0.00\",\"order_most\":\"0."     \
    "00\","                                                                                        \
    "\"month_mwh\":0,\"stations\":\"\",\"state\":0"
#define CHANNEL                                                                                    \
    "\"kind\":1,\"name\":\"C\",\"url\":\"\",\"app\":\"\",\"merchant\":\"\",\"keys\":\"\",\"fee_"   \
    "bp\":0,\"state\":0"
#define MEMBERS "/api/v1/companies/101/members"
#define DRAFT                                                                                      \
    "\"name\":\"N\",\"from_ms\":1,\"unit\":1,\"parties\":[{\"party\":\"11\",\"lines\":7,"          \
    "\"ratio\":1}]"
#define RULE                                                                                       \
    "{\"name\":\"R\",\"from_ms\":0,\"free_min\":0,\"cap_order\":\"1.00\",\"cap_day\":\"0.00\","    \
    "\"kinds\":0,\"exempt\":0,\"pay\":0,\"hold\":false,\"bay\":false,\"near_min\":0,\"every_"      \
    "min\":0,"

static const struct bad {
    int face; /* -1 nobody, 9 staff without the security token */
    const char *method, *path, *head, *body;
    int status;
    const char *name; /* of the problem */
    const char *hint; /* in the body, or NULL */
} bads[] = {
    /* bodies */
    {0, "POST", TOPUP, KEY, "{\"amount\":\"1.00\"", 400, "syntax", NULL},
    {0, "POST", TOPUP, KEY, "", 400, "syntax", NULL},
    {0, "POST", TOPUP, KEY, "[]", 422, "type", NULL},
    {0, "POST", TOPUP, KEY, "{}", 422, "required", "\"pointer\":\"/amount\""},
    {0, "POST", TOPUP, KEY, "{\"amount\":4}", 422, "type", "\"pointer\":\"/amount\""},
    {0, "POST", TOPUP, KEY, "{\"amount\":\"1e3\"}", 422, NULL, "\"pointer\":\"/amount\""},
    {0, "POST", TOPUP, KEY, "{\"amount\":\"0.00\"}", 422, "range", "/amount"},
    {0, "POST", TOPUP, KEY, "{\"amount\":\"-1.00\"}", 422, "range", "/amount"},
    {0, "POST", TOPUP, KEY, "{\"amount\":\"1.00001\"}", 422, NULL, "/amount"},
    {0, "POST", TOPUP, KEY, "{\"amount\":\"1.00\",\"x\":1}", 422, "range", "\"pointer\":\"/x\""},
    {0, "POST", TOPUP, KEY, "{\"amount\":\"1.00\",\"amount\":\"2.00\"}", 400, "syntax", NULL},
    {0, "POST", TOPUP, KEY, "{\"amount\":\"1.00\",\"note\":\"\xff\"}", 400, "syntax", NULL},
    {0, "POST", "/api/v1/tariffs", NULL,
     "{\"name\":\"T\",\"from_ms\":1,\"days\":[{\"first_mmdd\":0,\"last_mmdd\":1231,\"weekdays\":"
     "127,\"plan\":0}],\"slices\":[]}",
     422, "range", "\"pointer\":\"/days/0/first_mmdd\""},
    {0, "POST", "/api/v1/logout", NULL, "{\"x\":1}", 400, "syntax", NULL},
    /* reconciliation: what one member of the body can be told at once */
    {0, "POST", "/api/v1/payouts/9/decide", KEY, "{\"act\":6}", 422, "range", "/amount"},
    {0, "POST", "/api/v1/payouts/9/decide", KEY, "{\"act\":6,\"amount\":\"-1.00\"}", 422, "range",
     "/amount"},
    {0, "POST", "/api/v1/payouts/9/decide", KEY, "{\"act\":6,\"amount\":\"1.00\"}", 422, "required",
     "/note"},
    {0, "POST", "/api/v1/payouts/9/decide", KEY, "{\"act\":7}", 422, "range", "/act"},
    {0, "POST", "/api/v1/diffs/9/decide", KEY, "{\"act\":1}", 422, "required", "/owner"},
    {0, "POST", "/api/v1/diffs/9/decide", KEY, "{\"act\":3}", 422, "required", "/way"},
    {0, "POST", "/api/v1/diffs/9/decide", KEY, "{\"act\":3,\"way\":9}", 422, "range", "/way"},
    {0, "POST", "/api/v1/diffs/9/decide", KEY, "{\"act\":3,\"way\":5}", 422, "required", "/note"},
    {0, "POST", "/api/v1/diffs/9/decide", KEY, "{\"act\":0}", 422, "range", "/act"},
    {0, "POST", "/api/v1/diffs/9/decide", NULL, "{\"act\":2}", 400, "idem-required", NULL},
    {1, "POST", "/api/v1/diffs/9/decide", KEY, "{\"act\":2}", 403, "denied", NULL},
    {1, "GET", "/api/v1/ledger/safeguarding", NULL, NULL, 403, "denied", NULL},
    {0, "POST", "/api/v1/channels/101/close", KEY, "{\"day\":20260230}", 422, "range", "/day"},
    {0, "POST", "/api/v1/channels/101/close", KEY, "{\"day\":20}", 422, "range", "/day"},
    {0, "POST", "/api/v1/channels/102/close", KEY, "{\"day\":20260101}", 404, "not-found", NULL},
    {0, "GET", "/api/v1/channels/101/close?day=20260230", NULL, NULL, 422, "range", "?day"},
    {0, "POST", "/api/v1/channels/101/settlements", KEY,
     "{\"amount\":\"0.00\",\"day\":20260101,\"bank_no\":\"B\"}", 422, "range", "/amount"},
    {0, "POST", "/api/v1/channels/101/settlements", KEY,
     "{\"amount\":\"1.00\",\"fee\":\"-0.01\",\"day\":20260101,\"bank_no\":\"B\"}", 422, "range",
     "/fee"},
    {0, "POST", "/api/v1/channels/101/settlements", KEY, "{\"amount\":\"1.00\",\"day\":20260101}",
     422, "required", "/bank_no"},
    /* what does not fit a command is refused, never cut */
    {0, "POST", "/api/v1/payouts", KEY,
     "{\"party\":\"12\",\"channel\":\"101\",\"amount\":\"1.00\",\"payee_name\":\"" WIDE "\"}", 422,
     "range", "/payee_name"},
    {1, "POST", "/api/v1/partner/payouts", KEY,
     "{\"channel\":\"101\",\"amount\":\"1.00\",\"payee\":\"" WIDE WIDE "\"}", 422, "range",
     "/payee"},
    {0, "POST", "/api/v1/payouts/9/decide", KEY, "{\"act\":4,\"bank_no\":\"" WIDE "\"}", 422,
     "range", "/bank_no"},
    /* a change of a channel that leaves its limits out does not end them */
    {0, "PUT", "/api/v1/channels/101", "If-Match: \"1\"\r\n", "{" CHANNEL "}", 422, "required",
     "/share_bp"},
    {0, "PUT", "/api/v1/channels/101", "If-Match: \"1\"\r\n",
     "{" CHANNEL ",\"share_bp\":0,\"day_most\":\"0.00\",\"named_from\":\"0.00\"}", 422, "required",
     "\"pointer\":\"/most\""},
    {0, "PUT", "/api/v1/channels/101", "If-Match: \"1\"\r\n",
     "{" CHANNEL ",\"share_bp\":0,\"most\":\"1.00\",\"named_from\":\"0.00\"}", 422, "required",
     "/day_most"},
    {0, "PUT", "/api/v1/channels/101", "If-Match: \"1\"\r\n",
     "{" CHANNEL ",\"share_bp\":0,\"most\":\"1.00\",\"day_most\":\"0.00\"}", 422, "required",
     "/named_from"},
    /* a receiver of shares, and whose account it is, is not the partner's to say */
    {1, "POST", "/api/v1/partner/accounts", KEY,
     "{\"channel\":\"101\",\"payee_kind\":1,\"name\":\"N\",\"account\":\"1900000109\"}", 422,
     "range", "/account"},
    {1, "POST", "/api/v1/partner/accounts", KEY,
     "{\"party\":\"12\",\"channel\":\"101\",\"payee_kind\":1,\"name\":\"N\"}", 422, "range",
     "/party"},
    /* wallets */
    {0, "POST", "/api/v1/drivers/31/gifts", NULL, "{\"amount\":\"1.00\",\"note\":\"n\"}", 400,
     "idem-required", NULL},
    {0, "POST", "/api/v1/drivers/31/gifts", KEY, "{\"amount\":\"0.00\",\"note\":\"n\"}", 422,
     "range", "/amount"},
    {0, "POST", "/api/v1/drivers/31/gifts", KEY, "{\"amount\":\"1.00\"}", 422, "required", "/note"},
    {0, "POST", "/api/v1/drivers/31/gifts", KEY,
     "{\"amount\":\"1.00\",\"days\":3651,\"note\":\"n\"}", 422, "range", "/days"},
    {1, "POST", "/api/v1/drivers/31/gifts", KEY, "{\"amount\":\"1.00\",\"note\":\"n\"}", 403,
     "denied", NULL},
    {0, "POST", "/api/v1/drivers/31/freeze", KEY, "{\"frozen\":2,\"reason\":\"r\"}", 422, "range",
     "/frozen"},
    {0, "POST", "/api/v1/drivers/31/freeze", KEY, "{\"frozen\":1}", 422, "required", "/reason"},
    {0, "POST", "/api/v1/drivers/31/close", NULL, "{}", 400, "idem-required", NULL},
    {2, "POST", "/api/v1/me/close", NULL, "{}", 400, "idem-required", NULL},
    {2, "POST", "/api/v1/me/payments", NULL,
     "{\"channel\":\"101\",\"amount\":\"1.00\",\"method\":1}", 400, "idem-required", NULL},
    {2, "POST", "/api/v1/me/payments/999/refund", KEY, "{\"amount\":\"1.00\"}", 404, "not-found",
     NULL},
    {2, "POST", "/api/v1/me/payments/101/refund", KEY, "{\"amount\":\"-1.00\"}", 422, "range",
     "/amount"},
    {0, "PUT", "/api/v1/packages/9", NULL,
     "{\"name\":\"P\",\"pay\":\"1.00\",\"gift\":\"1.00\",\"gift_days\":0,\"state\":0}", 428,
     "precondition", NULL},
    {0, "POST", "/api/v1/packages", NULL,
     "{\"name\":\"P\",\"pay\":\"1.00\",\"gift\":\"1.00\",\"gift_days\":-1,\"state\":0}", 422,
     "range", "/gift_days"},
    {1, "POST", "/api/v1/packages", NULL, "{}", 403, "denied", NULL},
    /* companies */
    {0, "POST", "/api/v1/companies", NULL, COMPANY "\"credit\":\"1.00\",\"bill_day\":1}", 422,
     "range", "/credit"},
    {0, "POST", "/api/v1/companies", NULL, COMPANY "\"credit\":\"0.00\",\"bill_day\":29}", 422,
     "range", "/bill_day"},
    {0, "PUT", "/api/v1/companies/101", NULL, COMPANY "\"credit\":\"0.00\",\"bill_day\":1}", 428,
     "precondition", NULL},
    {1, "GET", "/api/v1/companies", NULL, NULL, 403, "denied", NULL},
    {0, "POST", MEMBERS, NULL, "{\"month_orders\":0," MEMBER "}", 422, "required", "/driver"},
    {0, "POST", MEMBERS, NULL, "{\"driver\":\"31\",\"token\":\"9\",\"month_orders\":0," MEMBER "}",
     422, "required", "/driver"},
    {0, "POST", MEMBERS, NULL, "{\"token\":\"9\",\"month_orders\":0," MEMBER "}", 404, "not-found",
     "/token"},
    {0, "POST", MEMBERS, NULL, "{\"driver\":\"31\",\"month_orders\":4294967297," MEMBER "}", 422,
     "range", "/month_orders"},
    {0, "POST", "/api/v1/companies/101/payments", NULL, "{\"amount\":\"1.00\"}", 400,
     "idem-required", NULL},
    {0, "POST", "/api/v1/companies/101/payments", KEY, "{\"amount\":\"0.00\"}", 422, "range",
     "/amount"},
    {0, "POST", "/api/v1/companies/101/bills", KEY, "{\"month\":202613}", 422, "range", "/month"},
    /* invoices */
    {2, "POST", "/api/v1/me/invoices", NULL,
     "{\"orders\":[\"101\"],\"buyer\":2,\"title\":\"T\",\"email\":\"a@b\"}", 400, "idem-required",
     NULL},
    {2, "POST", "/api/v1/me/invoices", KEY,
     "{\"orders\":[\"101\"],\"buyer\":3,\"title\":\"T\",\"email\":\"a@b\"}", 422, "range",
     "/buyer"},
    {2, "POST", "/api/v1/me/invoices", KEY,
     "{\"orders\":[],\"buyer\":2,\"title\":\"T\",\"email\":\"a@b\"}", 422, NULL, "/orders"},
    {2, "GET", "/api/v1/me/invoices/999", NULL, NULL, 404, "not-found", NULL},
    {0, "POST", "/api/v1/invoices/101/decide", NULL, "{\"act\":3}", 400, "idem-required", NULL},
    {0, "POST", "/api/v1/invoices/101/decide", KEY, "{\"act\":7}", 422, "range", "/act"},
    {0, "POST", "/api/v1/invoices/101/decide", KEY, "{\"act\":2,\"issued_on\":99999999999}", 422,
     "range", "/issued_on"},
    {1, "GET", "/api/v1/invoices", NULL, NULL, 403, "denied", NULL},
    {0, "POST", "/api/v1/payouts/9/paper", NULL, "{\"number\":\"1\",\"amount\":\"1.00\"}", 400,
     "idem-required", NULL},
    /* occupancy */
    {0, "POST", "/api/v1/occupancy-rules", NULL, RULE "\"windows\":[]}", 422, NULL, "/windows"},
    {0, "POST", "/api/v1/occupancy-rules", NULL,
     RULE "\"windows\":[{\"from_min\":1440,\"to_min\":1,\"price\":\"1.00\"}]}", 422, "range",
     "/windows"},
    {0, "POST", "/api/v1/orders/101/waive", NULL, "{\"note\":\"n\"}", 400, "idem-required", NULL},
    {0, "POST", "/api/v1/orders/101/waive", KEY, "{}", 422, "required", "/note"},
    /* firmware and frames */
    {0, "POST", "/api/v1/firmware", NULL,
     "{\"name\":\"f\",\"version\":\"1\",\"size\":0,\"sha256\":\"0\"}", 422, "range", "/size"},
    {0, "POST", "/api/v1/firmware", NULL,
     "{\"name\":\"f\",\"version\":\"1\",\"size\":1000000000,\"sha256\":\"0\"}", 413, "too-large",
     "/size"},
    {0, "POST", "/api/v1/firmware/402/link", NULL, "{\"charger\":\"51\"}", 404, "not-found", NULL},
    {0, "POST", "/api/v1/firmware/401/link", NULL, "{\"charger\":\"52\"}", 404, "not-found", NULL},
    {0, "POST", "/api/v1/firmware/402/withdraw", NULL, NULL, 404, "not-found", NULL},
    {0, "POST", "/api/v1/chargers/51/firmware", NULL, "{\"firmware\":\"401\"}", 400,
     "idem-required", NULL},
    {0, "POST", "/api/v1/chargers/53/firmware", KEY, "{\"firmware\":\"401\"}", 409, "ftp-off",
     NULL},
    {0, "POST", "/api/v1/chargers/51/watch", NULL, "{\"minutes\":1441}", 422, "range", "/minutes"},
    {0, "POST", "/api/v1/chargers/52/watch", NULL, "{}", 404, "not-found", NULL},
    {0, "GET", "/api/v1/chargers/52/frames", NULL, NULL, 404, "not-found", NULL},
    /* reports: a month whose instants no id can hold is none */
    {0, "GET", "/api/v1/reports/stations?month=202613", NULL, NULL, 422, "range", NULL},
    {0, "GET", "/api/v1/reports/stations?month=299912", NULL, NULL, 422, "range", NULL},
    {0, "GET", "/api/v1/reports/revenue?from=202602&to=202601", NULL, NULL, 422, "range", NULL},
    {0, "GET", "/api/v1/reports/revenue?from=202501&to=202601", NULL, NULL, 422, "range", NULL},
    {0, "POST", "/api/v1/reports/costs", NULL,
     "{\"station\":\"41\",\"month\":202601,\"kind\":1,\"amount\":\"1.00\"}", 400, "idem-required",
     NULL},
    {0, "POST", "/api/v1/reports/costs", KEY,
     "{\"station\":\"41\",\"month\":202601,\"kind\":5,\"amount\":\"1.00\"}", 422, "range", "/kind"},
    /* contracts */
    {0, "POST", "/api/v1/contracts", NULL,
     "{" DRAFT ",\"clauses\":[{\"kind\":10,\"party\":\"12\"}]}", 422, "range", "/clauses"},
    {0, "POST", "/api/v1/contracts", NULL,
     "{" DRAFT ",\"clauses\":[{\"kind\":3,\"party\":\"13\"}]}", 404, "not-found", "/clauses/0"},
    {0, "POST", "/api/v1/contracts/simulate", NULL, "{\"draft\":{" DRAFT "},\"month\":202613}", 422,
     "range", "/month"},
    {0, "GET", "/api/v1/ledger/certificates/999/text", NULL, NULL, 404, "not-found", NULL},
    {0, "POST", "/api/v1/people", NULL,
     "{\"login\":\"abc\",\"name\":\"Z\",\"password\":\"long enough\",\"role\":3,\"state\":0}", 422,
     "range", "/party"},
    /* Texts are C's further in: what is behind a NUL would be lost. */
    {0, "POST", "/api/v1/people", NULL,
     "{\"login\":\"abc\\u0000def\",\"name\":\"Z\",\"password\":\"long enough\",\"role\":2,"
     "\"station\":\"0\",\"state\":0}",
     400, "syntax", "/login"},
    {-1, "POST", "/api/v1/login", NULL, "{\"login\":\"admin\\u0000\",\"password\":\"x\"}", 400,
     "syntax", "/login"},
    {0, "POST", "/api/v1/people", NULL, "{\"login\":\"abc\",\"name\":\"Z\",\"role\":2,\"state\":0}",
     422, "required", "/password"},
    {0, "POST", "/api/v1/keys", NULL, "{\"name\":\"k\",\"role\":3,\"quota_s\":0}", 422, "range",
     "/role"},
    {0, "POST", STATIONS, NULL,
     "{\"name\":\"Q\",\"address\":\"\",\"zone\":\"Moon/"
     "Base\",\"lat_e7\":1,\"lng_e7\":2,\"tariff\":\"0\",\"contract\":\"0\",\"seller\":\"\",\"tax_"
     "bp\":0,\"state\":0}",
     422, "range", "/zone"},
    {0, "POST", "/api/v1/chargers/51/calls", KEY,
     "{\"action\":\"Reset\",\"payload\":{\"type\":\"Medium\"}}", 422, NULL, "/payload"},
    {0, "POST", "/api/v1/chargers/51/calls", KEY, "{\"action\":\"Explode\",\"payload\":{}}", 422,
     "range", "/action"},
    {0, "POST", "/api/v1/chargers/51/calls", KEY, "{\"action\":\"Reset\",\"payload\":7}", 422,
     "type", "/payload"},
    /* headers */
    {0, "POST", TOPUP, NULL, "{\"amount\":\"1.00\"}", 400, "idem-required", NULL},
    {0, "POST", TOPUP, KEY "Content-Type: text/plain\r\n", "{\"amount\":\"1.00\"}", 415,
     "media-type", NULL},
    {0, "GET", STATIONS, "Accept: text/html\r\n", NULL, 406, "not-acceptable", NULL},
    {9, "POST", TOPUP, KEY, "{\"amount\":\"1.00\"}", 403, "csrf", NULL},
    {9, "POST", TOPUP, KEY "X-CSRF-Token: wrong\r\n", "{\"amount\":\"1.00\"}", 403, "csrf", NULL},
    {0, "POST", TOPUP, KEY "Sec-Fetch-Site: cross-site\r\n", "{\"amount\":\"1.00\"}", 403, "csrf",
     NULL},
    {0, "PUT", "/api/v1/drivers/31", "If-Match: \"x\"\r\n",
     "{\"phone\":\"13812345678\",\"name\":\"L\",\"state\":0}", 412, "stale", NULL},
    {0, "PUT", "/api/v1/drivers/31", NULL, "{\"phone\":\"13812345678\",\"name\":\"L\",\"state\":0}",
     428, "precondition", NULL},
    {-1, "GET", STATIONS, "Authorization: Bearer ev_wrong\r\n", NULL, 401, "unauthenticated", NULL},
    {-1, "GET", STATIONS, "Authorization: Basic QTpC\r\n", NULL, 401, "unauthenticated", NULL},
    {-1, "GET", STATIONS, "Cookie: even_staff=0123456789\r\n", NULL, 401, "unauthenticated", NULL},
    /* who */
    {-1, "GET", STATIONS, NULL, NULL, 401, "unauthenticated", NULL},
    {-1, "POST", TOPUP, KEY, "{\"amount\":\"1.00\"}", 401, "unauthenticated", NULL},
    {2, "GET", "/api/v1/partner", NULL, NULL, 403, "denied", NULL},
    {1, "GET", "/api/v1/orders", NULL, NULL, 403, "denied", NULL},
    {0, "GET", "/api/v1/me", NULL, NULL, 403, "denied", NULL},
    /* other tenants' ids */
    {0, "GET", "/api/v1/stations/42", NULL, NULL, 404, "not-found", NULL},
    {0, "GET", "/api/v1/chargers/52", NULL, NULL, 404, "not-found", NULL},
    {0, "GET", "/api/v1/drivers/32", NULL, NULL, 404, "not-found", NULL},
    {0, "GET", "/api/v1/orders/999", NULL, NULL, 404, "not-found", NULL},
    {0, "POST", "/api/v1/chargers/52/secret", NULL, NULL, 404, "not-found", NULL},
    {0, "POST", "/api/v1/chargers/52/calls", KEY,
     "{\"action\":\"Reset\",\"payload\":{\"type\":\"Soft\"}}", 404, "not-found", NULL},
    {2, "POST", "/api/v1/me/orders", KEY, "{\"code\":\"BBBB\",\"cap\":\"1.00\"}", 404, "not-found",
     "/code"},
    {2, "POST", "/api/v1/me/orders", KEY, "{\"code\":\"AAAA\"}", 422, "required", "/cap"},
    {2, "POST", "/api/v1/me/orders", KEY, "{\"cap\":\"1.00\"}", 422, "required", "/code"},
    {2, "POST", "/api/v1/me/orders", KEY, "{\"code\":\"AAAA\",\"cap\":\"1.00\",\"driver\":\"32\"}",
     422, "range", "/driver"},
    /* paths and arguments */
    {0, "GET", "/api/v1/nothing", NULL, NULL, 404, "not-found", NULL},
    {0, "GET", "/api/v1/stations/abc", NULL, NULL, 404, "not-found", NULL},
    {0, "GET", "/api/v1/stations/-5", NULL, NULL, 404, "not-found", NULL},
    {0, "GET", "/api/v1/stations/99999999999999999999", NULL, NULL, 404, "not-found", NULL},
    {0, "GET", "/api/v1//stations", NULL, NULL, 400, "syntax", NULL},
    {0, "GET", "/api/v1/../v1/stations", NULL, NULL, 400, "syntax", NULL},
    {0, "GET", "/api/v1/%2e%2e/stations", NULL, NULL, 400, "syntax", NULL},
    {0, "GET", "/api/v1/x%2fstations", NULL, NULL, 400, "syntax", NULL},
    {0, "GET", "/api/v1/stations%00", NULL, NULL, 400, "syntax", NULL},
    {0, "GET", "/api/v1/stations%zz", NULL, NULL, 400, "syntax", NULL},
    {0, "GET", "/api/v1/stations%f", NULL, NULL, 400, "syntax", NULL},
    {0, "GET", "/..%2f..%2fetc/passwd", NULL, NULL, 400, "syntax", NULL},
    {0, "GET", "/api/v1/stations?colour=red", NULL, NULL, 400, "syntax", "?colour"},
    {0, "GET", "/api/v1/stations?limit=0", NULL, NULL, 400, "syntax", "?limit"},
    {0, "GET", "/api/v1/stations?limit=201", NULL, NULL, 400, "syntax", "?limit"},
    {0, "GET", "/api/v1/stations?limit=5&limit=6", NULL, NULL, 400, "syntax", "?limit"},
    {0, "GET", "/api/v1/stations?after=x", NULL, NULL, 400, "syntax", "?after"},
    {0, "GET", "/api/v1/stations?after=1.2.3.4", NULL, NULL, 400, "syntax", "?after"},
    {0, "GET", "/api/v1/stations/41?after=1", NULL, NULL, 400, "syntax", "?after"},
    {0, "GET", "/api/v1/orders?state=many", NULL, NULL, 400, "syntax", "?state"},
    {0, "GET", "/api/v1/orders?state=-1", NULL, NULL, 400, "syntax", "?state"},
    /* methods */
    {0, "PUT", STATIONS, NULL, "{}", 405, "method", NULL},
    {0, "PATCH", STATIONS, NULL, "{}", 405, "method", NULL},
    {-1, "POST", "/", NULL, "{}", 405, "method", NULL},
    /* log-in */
    {-1, "POST", "/api/v1/driver/code", NULL, "{\"phone\":\"not a phone\"}", 422, "range",
     "/phone"},
    {-1, "POST", "/api/v1/driver/login", NULL,
     "{\"phone\":\"13812345678\",\"code\":\"0000\",\"tenant\":\"1\"}", 401, "login-failed", NULL},
    {0, "POST", "/api/v1/drivers/1/keep", NULL, "{}", 400, "idem-required", NULL},
    {0, "POST", "/api/v1/party-accounts/1/decide", KEY, "{\"act\":4}", 422, "range", "/act"},
    {0, "POST", "/api/v1/party-accounts/1/decide", KEY, "{}", 422, "required", "/act"},
    {1, "POST", "/api/v1/party-accounts/1/decide", KEY, "{\"act\":1}", 403, "denied", NULL},
    {1, "POST", "/api/v1/drivers/1/keep", KEY, "{}", 403, "denied", NULL},
    {2, "POST", "/api/v1/drivers/1/keep", KEY, "{}", 403, "denied", NULL},
};

static const struct reply *bad_call(const struct bad *b)
{
    char head[1024];

    if (b->face == 9) {
        snprintf(head, sizeof(head), "Cookie: %s\r\n%s", rig.cookie[0],
                 b->head != NULL ? b->head : "");
        return rig_call(&rig, b->method, b->path, head, b->body);
    }
    if (b->face < 0)
        return rig_call(&rig, b->method, b->path, b->head, b->body);
    return rig_as(&rig, b->face, b->method, b->path, b->head, b->body);
}

static void bad_input_is_refused(void **state)
{
    int before = rig.commands;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bads); i++) {
        const struct bad *b = &bads[i];
        const struct reply *r = bad_call(b);
        char want[80];

        if (r->status != b->status)
            fail_msg("row %zu: %s %s %s: %d instead of %d: %s", i, b->method, b->path,
                     b->body ? b->body : "", r->status, b->status, r->body);
        assert_string_equal(rig_header(r, "Content-Type"), "application/problem+json");
        snprintf(want, sizeof(want), "\"type\":\"urn:even:%s\"", b->name ? b->name : "");
        if (b->name != NULL && strstr(r->body, want) == NULL)
            fail_msg("row %zu: %s: not %s", i, r->body, b->name);
        if (b->hint != NULL && strstr(r->body, b->hint) == NULL)
            fail_msg("row %zu: %s: no %s", i, r->body, b->hint);
        assert_has(r->body, "\"title_zh\":");
        assert_has(r->body, "\"cause\":");
        if (b->status == 405)
            assert_true(rig_header(r, "Allow")[0] != 0);
    }
    assert_int_equal(rig.commands, before);
}

static void long_bodies_are_refused(void **state)
{
    int before = rig.commands;
    size_t n = 300 * 1024;
    char *body = malloc(n + 1);
    const struct reply *r;

    (void)state;
    assert_non_null(body);
    memset(body, ' ', n);
    body[n] = 0;
    r = rig_as(&rig, 0, "POST", TOPUP, KEY, body);
    free(body);
    assert_int_equal(r->status, 413);
    assert_has(r->body, "urn:even:too-large");
    assert_int_equal(rig.commands, before);
}

/* A stranger has less room: what he may say is short. */
static void strangers_have_less_room(void **state)
{
    size_t n = 100 * 1024;
    char *body = malloc(n + 1);
    const struct reply *r;

    (void)state;
    assert_non_null(body);
    memset(body, ' ', n);
    body[n] = 0;
    r = rig_as(&rig, 0, "POST", TOPUP, KEY, body);
    assert_true(r->status != 413 && r->status >= 400);
    r = rig_call(&rig, "POST", "/api/v1/driver/code", NULL, body);
    assert_int_equal(r->status, 413);
    r = rig_call(&rig, "POST", TOPUP, KEY, body); /* what is wrong with the head comes first */
    assert_int_equal(r->status, 401);
    free(body);
}

static void long_heads_are_refused(void **state)
{
    size_t n = 60 * 1024;
    char *head = malloc(n + 64);
    const struct reply *r;

    (void)state;
    assert_non_null(head);
    memcpy(head, "X-Long: ", 8);
    memset(head + 8, 'a', n);
    memcpy(head + 8 + n, "\r\n", 3);
    r = rig_call(&rig, "GET", "/healthz", head, NULL);
    free(head);
    assert_true(r->status == 431 || r->status == 413 || r->status == 0);
    assert_int_equal(rig_call(&rig, "GET", "/healthz", NULL, NULL)->status, 200);
}

static void core_errors_become_problems(void **state)
{
    static const struct {
        int err, status;
        const char *name;
    } rows[] = {{ERR_NO_FUNDS, 402, "no-funds"},
                {ERR_OFFLINE, 409, "offline"},
                {ERR_IDEM_MISMATCH, 422, "idem-mismatch"},
                {ERR_STALE, 412, "stale"},
                {ERR_FULL, 503, "full"},
                {ERR_DISK_FULL, 507, "disk-full"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct reply *r;

        rig.answer_err = rows[i].err;
        r = rig_as(&rig, 0, "POST", TOPUP, KEY, "{\"amount\":\"1.00\"}");
        assert_int_equal(r->status, rows[i].status);
        assert_has(r->body, rows[i].name);
    }
    rig.answer_err = 0;
    rig.full = true;
    assert_int_equal(rig_as(&rig, 0, "POST", TOPUP, KEY, "{\"amount\":\"1.00\"}")->status, 503);
    rig.full = false;
    assert_int_equal(rig_as(&rig, 0, "POST", TOPUP, KEY, "{\"amount\":\"1.00\"}")->status, 200);
}

static void failed_login_is_counted(void **state)
{
    const struct reply *r;
    int limited = 0;

    (void)state;
    r = rig_call(&rig, "POST", "/api/v1/login", NULL,
                 "{\"login\":\"viewer\",\"password\":\"wrong\"}");
    assert_int_equal(r->status, 401);
    assert_int_equal(rig.last.head.type, CMD_AUDIT);
    assert_int_equal(rig.last.u.audit.failed_login, 1);
    assert_int_equal(rig.last.u.audit.object, VIEWER);
    for (int i = 0; i < 300 && limited == 0; i++) /* a slow machine fills the bucket again */
        if (rig_call(&rig, "POST", "/api/v1/login", NULL,
                     "{\"login\":\"viewer\",\"password\":\"wrong\"}")
                ->status == 429)
            limited = 1;
    assert_int_equal(limited, 1);
}

/* An unknown name, a locked one and a wrong password: the same steps, the same answer. */
static void names_are_not_told(void **state)
{
    static const struct {
        const char *body;
        int64_t object;
        int failed, outcome;
    } tries[] = {
        {"{\"login\":\"partner\",\"password\":\"wrong\"}", PARTNER, 1, ERR_LOGIN_FAILED},
        {"{\"login\":\"nobody\",\"password\":\"wrong\"}", 0, 1, ERR_LOGIN_FAILED},
        {"{\"login\":\"locked\",\"password\":\"wrong\"}", LOCKED, 0, ERR_RATE_LIMIT},
        {"{\"login\":\"locked\",\"password\":\"" RIG_PASSWORD "\"}", LOCKED, 0, ERR_RATE_LIMIT},
    };
    char first[600] = "";

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
        int before = rig.commands;
        const struct reply *r = rig_call(&rig, "POST", "/api/v1/login", NULL, tries[i].body);
        char body[600], *cause;

        assert_int_equal(r->status, 401);
        assert_string_equal(rig_header(r, "Retry-After"), "");
        assert_string_equal(rig_header(r, "Set-Cookie"), "");
        assert_int_equal(rig.commands, before + 1);
        assert_int_equal(rig.last.head.type, CMD_AUDIT);
        assert_int_equal(rig.last.u.audit.object, tries[i].object);
        assert_int_equal(rig.last.u.audit.failed_login, tries[i].failed);
        assert_int_equal(rig.last.u.audit.outcome, tries[i].outcome);
        (void)str_copy(body, sizeof(body), str_from_c(r->body));
        cause = strstr(body, "\"cause\"");
        assert_non_null(cause);
        *cause = 0; /* the request's own number */
        if (i == 0)
            (void)str_copy(first, sizeof(first), str_from_c(body));
        assert_string_equal(body, first);
    }
}

static void options_tell_methods(void **state)
{
    const struct reply *r = rig_call(&rig, "OPTIONS", STATIONS, NULL, NULL);

    (void)state;
    assert_int_equal(r->status, 204);
    assert_string_equal(rig_header(r, "Allow"), "GET, HEAD, POST, OPTIONS");
}

int bad_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_input_is_refused),        cmocka_unit_test(long_bodies_are_refused),
        cmocka_unit_test(strangers_have_less_room),    cmocka_unit_test(long_heads_are_refused),
        cmocka_unit_test(core_errors_become_problems), cmocka_unit_test(failed_login_is_counted),
        cmocka_unit_test(names_are_not_told),          cmocka_unit_test(options_tell_methods),
    };

    return cmocka_run_group_tests_name("web bad input", tests, setup, teardown);
}
