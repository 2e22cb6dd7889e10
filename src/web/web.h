// SPDX-License-Identifier: Apache-2.0
/* web.h: the front that people and programs talk to: REST, log-in, live events, the three faces.
 * Reads are answered from read-only snapshots of the store; a write becomes one flat command to the
 * core, the request sleeps until the reply that is durable, and is answered then. The front holds
 * no truth of its own: sessions, quotas and live figures in memory are caches, and the core checks
 * every scope again.
 *
 * Threads: libmicrohttpd's pool, one pump (replies, events, deadlines), one password worker.
 * web_deliver only copies into the pump's mailbox, so the engine never waits for the web. */
#ifndef EVEN_WEB_WEB_H
#define EVEN_WEB_WEB_H

#include "base/str.h"
#include "core/cmd.h"
#include "io/os/crypto.h"
#include "web/metrics.h"

struct framelog;
struct framewatch;
struct web;
struct store;

/** A log-in code on its way to a phone; borrowed for the call. */
struct web_text {
    struct origin from; /* whom the outcome is for */
    uint64_t cause;
    const char *phone, *code;
    int32_t minutes; /* for which it is good */
};
/** How the sending of texts goes, for staff. */
struct web_text_state {
    bool ready;
    const char *kind;
    char problem[64]; /* why the last one was not sent, a word; "" = it was */
    uint64_t sent, refused, unknown;
};
/** The sender of texts. Functions may be called by any thread and never wait. */
struct web_texts {
    /** May a text go to that number at all? 0, ERR_RANGE. */
    int (*fit)(void *ctx, const char *phone);
    /** Sends a code. The outcome comes by web_deliver as an OUT_REPLY to `from`: 0 (the provider took
     * it), ERR_TEXT (nothing was sent), ERR_TIMEOUT (it is not known). ERR_TEXT: too many wait; then
     * nothing comes. */
    int (*send)(void *ctx, const struct web_text *t);
    void (*state)(void *ctx, struct web_text_state *out);
    void *ctx;
    int32_t per_net;  /* codes a day for one client network */
    int32_t per_hour; /* codes an hour for all */
};

/** What a payment provider posted. */
struct web_notice {
    int64_t channel;
    struct str body;
    struct str (*header)(const void *ctx, const char *name); /* "" = not there */
    const void *ctx;
};

struct web_config {
    const char *bind;     /* address to listen on; NULL = "127.0.0.1" */
    uint16_t port;        /* 0 = any free one, see web_port */
    uint32_t threads;     /* of the HTTP pool, 1 to 16; 0 = 3 */
    uint32_t connections; /* at once, 0 = 2,048 */
    uint32_t per_address; /* connections of one network, 0 = half of all */
    uint32_t request_s;   /* a request is complete by then, 0 = 40 */
    uint32_t in_flight;   /* writes that wait for the core, 0 = 1,024 */
    uint32_t rate_s;      /* requests a second of one session or address, 0 = 200 */
    bool demo;            /* log-in codes are shown instead of sent */
    bool behind_tls;      /* cookies are marked Secure; links are https */
    const char *base_url; /* printed into QR codes, "https://host"; NULL = from the Host header */
    const char *proxies;  /* addresses or blocks (10.0.0.0/8) whose X-Forwarded-* are believed,
                             comma-separated; NULL = none */
    const char *setup_token; /* allows the first-run set-up from elsewhere than loopback; NULL =
                                loopback only */
    uint8_t key[CRYPTO_KEY_SIZE]; /* keyed hashes of charger passwords and API keys: the gates use
                                     the same */
    const char *dir;              /* data folder: bills are kept below it; NULL = none are taken */
    struct store *store;          /* borrowed; must outlive web_stop */
    const char *daily; /* file of the counts of a day (daily.h); NULL = a restart forgets them */

    /** Puts a command into the core's mailbox (copies head.size bytes). 0, ERR_FULL, ERR_CLOSED.
     * Any thread. */
    int (*submit)(void *ctx, const struct cmd *cmd);
    void *submit_ctx;
    const struct web_texts
        *texts; /* borrowed; NULL: codes can be asked for in a demonstration only */
    /** Makes /readyz say no (draining, replaying) with a reason; NULL = always ready. Any thread.
     */
    bool (*ready)(void *ctx, const char **why);
    void *ready_ctx;
    /** Judges a notice: 0 fills the command to submit and the text that the provider wants to hear
     * when it was taken; else why not, of which the provider is told nothing more. NULL: this
     * program takes none. Any thread. */
    int (*notice)(void *ctx, const struct web_notice *n, struct cmd_pay_result *result,
                  struct str *thanks);
    void *notice_ctx;
    const struct metric_row *metrics; /* figures of the engine and the gates; borrowed */
    uint32_t metrics_n;
    /** Figures that come and go: fills at most `max` rows and answers how many. NULL = none. Any
     * thread. */
    uint32_t (*metrics_more)(void *ctx, struct metric_row *rows, uint32_t max);
    void *metrics_ctx;
    struct framelog *const *frames; /* logs of frames, borrowed; NULL = there is nothing to see */
    uint32_t frames_n;
    struct framewatch *watch; /* whose frames are kept apart; written under the guard */
    int32_t watch_min;        /* for how long; 0 = 30 */
    int64_t firmware_max,
        firmware_total;       /* bytes of one file, of all of a tenant; 0 = 64, 2,048 MiB */
    int64_t disk_reserve;     /* bytes of the disk that files of firmware leave free; 0 = none */
    int64_t firmware_link_ms; /* how long a link to a file is good; 0 = a day */
    const char *ftp_address; /* where 云快充 piles fetch files: an IPv4 address; NULL = nowhere */
    uint16_t ftp_port;
    int32_t bill_diffs; /* rows of one bill that may differ; 0 = 50,000 */
};

/** Starts listening. Gives the front. ERR_IO (address in use), ERR_NOMEM, ERR_FULL (threads). */
EV_MUST_USE int web_start(const struct web_config *config, struct web **out);
/** The port in use. */
uint16_t web_port(const struct web *web);
/** Takes a copy of an OUT_REPLY whose origin is FROM_WEB, or of any OUT_EVENT; others are ignored.
 * Never blocks; when the pages cannot follow, events are dropped and every page gets a fresh
 * snapshot instead. Any thread. */
void web_deliver(struct web *web, const struct out *out);
/** After a run of web_deliver: wakes the pump. */
void web_delivered(struct web *web);
/** Stops accepting, ends the live streams, answers what waits (503), joins the threads, frees. NULL
 * is allowed. */
void web_stop(struct web *web);

/** The OpenAPI 3.1 description, and the TypeScript types with the list of routes. */
struct str web_openapi(void);
struct str web_typescript(void);

#endif
