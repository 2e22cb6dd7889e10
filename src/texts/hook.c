// SPDX-License-Identifier: Apache-2.0
/* hook.c: the operator's own gateway, which turns our JSON into whatever its provider wants
 * (doc/protocol/texts.md). The signature is HMAC-SHA256 over time, nonce and body, each ended by a line
 * feed. Its answer is believed because it came over TLS from the address in the settings. Owns nothing.
 * Fails with TEXT_UNKNOWN. */
#include <inttypes.h>
#include <stdio.h>

#include "io/os/crypto.h"
#include "texts/port.h"
#include "wire/texts.h"

static void params_put(const struct text *x, struct texts_Params *out)
{
    const struct {
        struct str *value;
        bool *has;
        enum text_param p;
    } rows[] = {
#define PARAM(name, p) {&out->name, &out->has.name, p}
        PARAM(code, PARAM_CODE),     PARAM(minutes, PARAM_MINUTES), PARAM(station, PARAM_STATION),
        PARAM(energy, PARAM_ENERGY), PARAM(amount, PARAM_AMOUNT),   PARAM(currency, PARAM_CURRENCY),
        PARAM(reason, PARAM_REASON), PARAM(time, PARAM_TIME),       PARAM(until, PARAM_UNTIL),
        PARAM(order, PARAM_ORDER),
#undef PARAM
    };
    _Static_assert(ARRAY_LEN(rows) == PARAMS, "every parameter");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        *rows[i].value = str_from_c(x->value[rows[i].p]);
        *rows[i].has = rows[i].value->n > 0;
    }
}

static int hook_body(const struct texts *t, const struct text *x, struct texts_request *q)
{
    struct texts_HookIn in = {.id = str_from_c(x->id),
                              .kind = str_from_c(texts_kind_name((enum text_kind)x->kind)),
                              .phone = str_from_c(x->phone),
                              .sign = str_from_c(t->sign),
                              .template = str_from_c(texts_template_of(t, x)->name)};
    in.has.sign = in.sign.n > 0;
    in.has.template = in.template.n > 0;
    params_put(x, &in.params);
    return wire_json_encode(&texts_HookIn_type, &in, &q->body);
}

static int hook_ask(const struct texts *t, const struct text *x, int64_t now_ms, const char *nonce,
                    struct texts_request *q)
{
    struct buf signed_text;
    char hex[65], at[24];
    int err = hook_body(t, x, q);
    if (err)
        return err;
    snprintf(at, sizeof at, "%" PRId64, now_ms);
    buf_init(&signed_text, TEXTS_MAX);
    buf_printf(&signed_text, "%s\n%s\n", at, nonce);
    buf_put_str(&signed_text, buf_str(&q->body));
    buf_put_char(&signed_text, '\n');
    texts_hmac_hex(str_from_c(t->secret), buf_str(&signed_text), hex);
    err = signed_text.err;
    crypto_wipe(signed_text.p, signed_text.n);
    buf_free(&signed_text);
    texts_header(q, "Content-Type", STR_LIT("application/json"));
    texts_header(q, "Text-Time", str_from_c(at));
    texts_header(q, "Text-Nonce", str_from_c(nonce));
    texts_header(q, "Text-Signature", str_from_c(hex));
    return err;
}

static void hook_answer(const struct texts *t, const struct text *x, const struct texts_reply *a,
                        struct arena *m, struct text_result *out)
{
    struct texts_HookOut said;
    (void)t;
    (void)x;
    bool read = wire_json_decode(&texts_HookOut_type, a->body, m, &said, WIRE_LENIENT, NULL) == 0;
    struct str reason = read && said.has.reason ? said.reason : STR_LIT("");
    if (a->status == 429) {
        texts_set(out, TEXT_REFUSED, STR_LIT("too-many"));
        out->again = true;
    } else if (a->status / 100 == 4) {
        texts_set(out, TEXT_REFUSED, reason.n ? reason : STR_LIT("refused"));
    } else if (a->status / 100 == 2 && read && str_eq_c(said.state, "sent")) {
        texts_set(out, TEXT_SENT, STR_LIT(""));
    } else if (a->status / 100 == 2 && read && str_eq_c(said.state, "refused")) {
        texts_set(out, TEXT_REFUSED, reason.n ? reason : STR_LIT("refused"));
    } else {
        texts_set(out, TEXT_UNKNOWN, STR_LIT("no-usable-answer"));
    }
}

const struct texts_port texts_hook = {
    .name = "hook", .public_url = "", .wants_url = true, .ask = hook_ask, .answer = hook_answer};
