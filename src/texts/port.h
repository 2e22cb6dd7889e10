// SPDX-License-Identifier: Apache-2.0
/* port.h: the inside of a sender of texts, shared by the files of this floor: one vtable a kind, and what
 * all of them need. Thread: any, all data is constant once the sender is made. */
#ifndef EVEN_TEXTS_PORT_H
#define EVEN_TEXTS_PORT_H

#include "base/arena.h"
#include "base/err.h"
#include "texts/texts.h"

#define TEXTS_SECRET_LEAST 16
#define TEXTS_PARAMS_MAX   8

struct texts_port {
    const char *name, *public_url;
    bool wants_url, wants_id, wants_app, wants_sign, wants_template;
    int (*ask)(const struct texts *t, const struct text *x, int64_t now_ms, const char *nonce,
               struct texts_request *q);
    void (*answer)(const struct texts *t, const struct text *x, const struct texts_reply *a,
                   struct arena *m, struct text_result *out);
};
extern const struct texts_port texts_hook, texts_aliyun, texts_tencent;

struct texts {
    const struct texts_port *port;
    char url[201], app[41], region[41], sign[61];
    struct texts_template {
        char name[65];
        uint8_t param[TEXTS_PARAMS_MAX];
        size_t params_n;
    } template[TEXT_KINDS];
    char id[129], secret[257];
};

/** Name of a parameter that a template takes. */
const char *texts_param_name(enum text_param p);
/** The template of a text. */
static inline const struct texts_template *texts_template_of(const struct texts *t,
                                                             const struct text *x)
{
    return &t->template[x->kind];
}

/** "host" or "host:port" of the sender's address, as an HTTP client says it. */
struct str texts_host(const struct texts *t);
/** Adds a header line. */
void texts_header(struct texts_request *q, const char *name, struct str value);
/** Lower-case hex of SHA-256, and of HMAC-SHA256. */
void texts_sha256_hex(struct str s, char out[65]);
void texts_hmac_hex(struct str key, struct str s, char out[65]);

void texts_set(struct text_result *out, enum text_state state, struct str reason);
/** Refused, but for what the provider's own code says of itself: `unsure` begins codes after which
 * it may have been sent, `later` those of limits that pass; both end at NULL. */
void texts_set_refused(struct text_result *out, struct str code, const char *const *unsure,
                       const char *const *later);

/** What a cloud signs, so that published vectors can be tried. */
struct acs3 {
    struct str method, host, action, version, query, body, date, nonce;
};
void aliyun_authorize(const struct acs3 *a, struct str id, struct str secret, struct buf *out);
struct tc3 {
    struct str host, service, body;
    int64_t now_s;
};
void tencent_authorize(const struct tc3 *a, struct str id, struct str secret, struct buf *out);

#endif
