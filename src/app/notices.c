// SPDX-License-Identifier: Apache-2.0
/* notices.c: see notices.h. Data: the counts. Cannot fail; what finds no room counts as spent.
 *
 * The id of a text is its order and number: the same notice has the same id for ever, so a gateway that
 * minds ids (doc/protocol/texts.md) sends none twice, whatever we do. */
#include "app/notices.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/calendar.h"
#include "base/hash.h"
#include "base/must.h"

_Static_assert((int)TEXT_ENDED == (int)NOTICE_ENDED && (int)TEXT_NEAR == (int)NOTICE_NEAR &&
                   (int)TEXT_FEE == (int)NOTICE_FEE && (int)TEXT_RUNS == (int)NOTICE_RUNS &&
                   (int)TEXT_DOUBT == (int)NOTICE_DOUBT && (int)TEXT_KINDS == (int)NOTICE_KINDS,
               "the kinds of both floors are the same");

enum { PHONES_MAX = 200000, MINUTE_MS = 60000 };
#define DAY_MS INT64_C(86400000)

/* ---- limits ---- */

void notices_begin(struct notices *s, uint64_t seed)
{
    s->seed = seed;
    map_init(&s->phones, PHONES_MAX, seed);
}

void notices_free(struct notices *s)
{
    map_free(&s->phones);
}

static const char *spent(struct notices *s, const struct config *c, const char *e164,
                         int64_t mono_ns, int64_t now_ms)
{
    uint64_t phone = hash_bytes(e164, strlen(e164), s->seed), n = 0;
    if (now_ms / DAY_MS != s->day) {
        map_free(&s->phones);
        map_init(&s->phones, PHONES_MAX, s->seed);
        s->day = now_ms / DAY_MS;
    }
    if (c->texts_notices_per_hour == 0 ||
        hourly_wait(&s->hour, (int32_t)c->texts_notices_per_hour, mono_ns) > 0)
        return "limit-hour";
    (void)map_get(&s->phones, phone, &n);
    if ((int64_t)n >= c->texts_notices_per_phone || map_put(&s->phones, phone, n + 1) != 0)
        return "limit-phone";
    hourly_count(&s->hour, mono_ns);
    return NULL;
}

const char *notices_spent(struct notices *s, const struct config *c, const char *e164,
                          int64_t mono_ns, int64_t now_ms)
{
    const char *word = spent(s, c, e164, mono_ns, now_ms);
    if (word)
        metric_add(&s->limited, 1);
    return word;
}

/* ---- figures ---- */

void notices_count(struct notices *s, int32_t kind, enum notice_outcome outcome)
{
    must(kind > 0 && kind < NOTICE_KINDS);
    metric_add(&s->outcome[kind][outcome], 1);
}

uint32_t notices_metrics(struct notices *s, struct metric_row rows[NOTICES_METRICS])
{
#define OF(kind)                                                                                   \
    {                                                                                              \
        "kind=\"" kind "\",outcome=\"sent\"", "kind=\"" kind "\",outcome=\"refused\"",             \
            "kind=\"" kind "\",outcome=\"unknown\""                                                \
    }
    static const char *const labels[NOTICE_KINDS - 1][3] = {OF("ended"), OF("near"), OF("fee"),
                                                            OF("runs"), OF("doubt")};
#undef OF
    uint32_t n = 0;
    for (int k = 1; k < NOTICE_KINDS; k++)
        for (int o = NOTICE_SENT; o <= NOTICE_UNKNOWN; o++)
            rows[n++] = (struct metric_row){"even_notices_total",
                                            labels[k - 1][o - 1],
                                            "Notices to drivers by kind and what became of them",
                                            METRIC_COUNTER,
                                            &s->outcome[k][o],
                                            NULL};
    rows[n++] = (struct metric_row){"even_notices_limited_total",
                                    "",
                                    "Notices not sent because a limit was spent",
                                    METRIC_COUNTER,
                                    &s->limited,
                                    NULL};
    must(n == NOTICES_METRICS);
    return n;
}

/* ---- words ---- */

static const struct {
    const char *word, *zh;
} reasons[] = {
    [STOP_NONE] = {"other", "其他"},
    [STOP_DRIVER] = {"driver", "车主停止"},
    [STOP_CAP] = {"cap", "达到预付金额"},
    [STOP_FULL] = {"full", "已充满"},
    [STOP_UNPLUGGED] = {"unplugged", "已拔枪"},
    [STOP_STAFF] = {"staff", "运营停止"},
    [STOP_LOCAL] = {"local", "桩端停止"},
    [STOP_FAULT] = {"fault", "设备故障"},
    [STOP_EMERGENCY] = {"emergency", "急停"},
    [STOP_POWER_LOSS] = {"power-loss", "停电"},
    [STOP_REBOOT] = {"reboot", "设备重启"},
    [STOP_SILENCE] = {"silence", "设备失联"},
    [STOP_DEAUTHORIZED] = {"deauthorized", "授权失效"},
    [STOP_LIMIT] = {"limit", "达到限值"},
    [STOP_OTHER] = {"other", "其他"},
};

/* The first `most` characters; control characters and the brackets that signatures stand in are left
 * out, as no cloud takes them. */
static void words_put(char out[TEXTS_VALUE_SIZE], const char *text, int32_t most)
{
    size_t n = 0;
    for (const char *p = text; *p && most > 0; most--) {
        size_t len = 1;
        while (((unsigned char)p[len] & 0xc0) == 0x80)
            len++;
        bool bracket = strncmp(p, "【", len) == 0 || strncmp(p, "】", len) == 0;
        bool control = (unsigned char)*p < ' ' || *p == 0x7f;
        if (n + len >= TEXTS_VALUE_SIZE)
            break;
        if (!bracket && !control) {
            memcpy(out + n, p, len);
            n += len;
        }
        p += len;
    }
    out[n] = 0;
}

static void clock_put(char out[TEXTS_VALUE_SIZE], int64_t ms, int32_t offset_s, bool day)
{
    struct civil d;
    if (!ms)
        return;
    civil_from_ms(ms + offset_s * INT64_C(1000), &d);
    if (day)
        snprintf(out, TEXTS_VALUE_SIZE, "%02d-%02d %02d:%02d", d.month, d.day, d.hour, d.minute);
    else
        snprintf(out, TEXTS_VALUE_SIZE, "%02d:%02d", d.hour, d.minute);
}

static void hundredths_put(char out[TEXTS_VALUE_SIZE], int64_t v)
{
    snprintf(out, TEXTS_VALUE_SIZE, "%" PRId64 ".%02d", v / 100, (int)(v % 100));
}

static bool has(const struct text *x, enum text_param p)
{
    return texts_kind_has((enum text_kind)x->kind, p);
}

void notice_text(const struct out_notice *n, int64_t now_ms, bool words, int32_t most,
                 struct text *out)
{
    *out = (struct text){.kind = n->kind};
    bool doubt = n->kind == NOTICE_DOUBT, known = (size_t)n->reason < ARRAY_LEN(reasons);
    size_t reason = known ? (size_t)n->reason : STOP_OTHER;
    snprintf(out->id, sizeof out->id, "N%" PRId64 "-%" PRId32, n->order, n->n);
    words_put(out->value[PARAM_STATION], n->station, most);
    snprintf(out->value[PARAM_ORDER], TEXTS_VALUE_SIZE, "%" PRId64, n->order);
    if (has(out, PARAM_ENERGY))
        hundredths_put(out->value[PARAM_ENERGY], (n->energy_mwh + 5000) / 10000);
    if (has(out, PARAM_AMOUNT))
        hundredths_put(out->value[PARAM_AMOUNT], n->amount / 100);
    if (has(out, PARAM_CURRENCY))
        words_put(out->value[PARAM_CURRENCY], n->currency, 3);
    if (has(out, PARAM_REASON))
        words_put(out->value[PARAM_REASON], words ? reasons[reason].word : reasons[reason].zh,
                  words ? TEXTS_VALUE_SIZE : most);
    if (has(out, PARAM_TIME))
        clock_put(out->value[PARAM_TIME], n->at_ms, n->zone_offset_s, false);
    if (has(out, PARAM_UNTIL))
        clock_put(out->value[PARAM_UNTIL], n->until_ms, n->zone_offset_s, doubt);
    if (has(out, PARAM_MINUTES) && n->until_ms > now_ms)
        snprintf(out->value[PARAM_MINUTES], TEXTS_VALUE_SIZE, "%" PRId64,
                 (n->until_ms - now_ms + MINUTE_MS - 1) / MINUTE_MS);
}

void notice_result_make(const struct out_notice *n, uint64_t cause, enum notice_outcome outcome,
                        const char *word, struct cmd *out)
{
    out->head = (struct cmd_head){.size = CMD_SIZE(notice_result),
                                  .version = CMD_VERSION,
                                  .type = CMD_NOTICE_RESULT,
                                  .cause = cause,
                                  .tenant = n->tenant,
                                  .actor_kind = ACTOR_SYSTEM};
    out->u.notice_result = (struct cmd_notice_result){.order = n->order,
                                                      .until_ms = n->until_ms,
                                                      .kind = n->kind,
                                                      .n = n->n,
                                                      .outcome = (int32_t)outcome};
    (void)str_copy(out->u.notice_result.word, sizeof out->u.notice_result.word, str_from_c(word));
}
