// SPDX-License-Identifier: Apache-2.0
/* depot.c: see depot.h.
 *
 * Data: a reader of the store, and of some piles when they were last told to the core.
 *
 * Invariants:
 *  1. A log-in is good for the pile's last Update only, until its end, while the pile is enabled and
 *     the file is not withdrawn; the last three are looked up again for each transfer.
 *  2. The path of the file is made of its number; nothing that a client said is in it.
 *  3. A pile that comes again and again costs the core TELLS commands in TELL_MS, no more. (The
 *     table of that is small: piles that share a place share that number.)
 *
 * Thread: the FTP server's. Fails: a log-in or a transfer is refused; the pile tries again. */
#include "app/depot.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "io/net/ftp.h"
#include "io/os/clock.h"
#include "io/os/file.h"
#include "store/query.h"
#include "store/store.h"
#include "web/ftp_pass.h"
#include "wire/pilecall.h"

enum { TELLS = 12, TELL_MS = 10000, PLACES = 1024, DIGITS = 14 };
enum { OWN_FILE, OWN_CHARGER, OWN_TENANT, OWN_COMMAND, OWN_UNTIL_S }; /* of ftp_grant.own */

struct place {
    int64_t from_ms;
    int n;
};

struct depot {
    struct depot_config cfg;
    const char *address;
    struct store_reader *reader;
    struct ftp *ftp;
    struct arena arena;
    struct place places[PLACES];
};

/* ---- who comes ---- */

struct asked {
    int64_t charger, tenant, command;
    char payload[2048]; /* of Update, which is far shorter */
};

static int asked_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct asked *a = ctx;
    (void)n;
    a->charger = v[0].i;
    a->tenant = v[1].i;
    a->command = v[2].i;
    return str_copy(a->payload, sizeof a->payload, v[3].s) == v[3].s.n ? 0 : ERR_TOO_LARGE;
}

static int file_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct ftp_file *f = ctx;
    (void)n;
    f->size = v[1].i;
    f->modified_ms = v[3].i;
    return 0;
}

/* The file as it is now: there, not withdrawn, of a pile that is enabled. */
static int file_look(struct depot *d, const int64_t own[5], struct ftp_file *f)
{
    const struct sql_value p[] = {SQL_I64(own[OWN_FILE]), SQL_I64(own[OWN_CHARGER])};
    if (own[OWN_UNTIL_S] * 1000 <= os_wall_ms())
        return ERR_LINK_EXPIRED;
    return store_query(d->reader, QUERY_WEB_FIRMWARE_FOR, p, ARRAY_LEN(p), file_take, f);
}

/* What the pile was told; the path becomes the file's name. */
static int asked_judge(struct depot *d, const struct asked *a, struct str password,
                       struct ftp_grant *g)
{
    struct pilecall_Update_req told = {0};
    struct ftp_link l = {.charger = a->charger};
    arena_reset(&d->arena);
    int err = wire_json_decode(&pilecall_Update_req_type, str_from_c(a->payload), &d->arena, &told,
                               WIRE_STRICT, NULL);
    if (!err)
        err = ftp_pass_read(d->cfg.key, told.path, password, &l);
    if (err)
        return err;
    g->own[OWN_FILE] = l.file;
    g->own[OWN_CHARGER] = a->charger;
    g->own[OWN_TENANT] = a->tenant;
    g->own[OWN_COMMAND] = a->command;
    g->own[OWN_UNTIL_S] = l.until_s;
    (void)str_copy(g->file.name, sizeof g->file.name, str_from(told.path.p + 1, told.path.n - 1));
    return file_look(d, g->own, &g->file);
}

static int judge(void *ctx, struct str user, struct str password, struct ftp_grant *out)
{
    struct depot *d = ctx;
    struct asked a = {0};
    *out = (struct ftp_grant){0};
    for (size_t i = 0; i < user.n; i++)
        if (user.p[i] < '0' || user.p[i] > '9')
            return ERR_LOGIN_FAILED;
    if (user.n != DIGITS)
        return ERR_LOGIN_FAILED;
    int err = store_query(d->reader, QUERY_FIRMWARE_FTP, &SQL_TEXT(user), 1, asked_take, &a);
    return err == ERR_NOT_FOUND ? ERR_LOGIN_FAILED : err ? err : asked_judge(d, &a, password, out);
}

static int open_file(void *ctx, const struct ftp_grant *g, int *fd)
{
    struct depot *d = ctx;
    struct ftp_file now = {0};
    char path[320];
    int64_t bytes = 0;
    int err = file_look(d, g->own, &now);
    if (err)
        return err;
    snprintf(path, sizeof path, "%s/firmware/%lld.bin", d->cfg.settings->data_dir,
             (long long)g->own[OWN_FILE]);
    err = file_open_read(path, fd, &bytes);
    if (!err && (bytes != now.size || bytes != g->file.size)) {
        file_close(*fd);
        err = ERR_CORRUPT;
    }
    if (err)
        log_line(LOG_WARN, "ftp", 0, "%s: %s", path, err_text(err, LANG_EN));
    return err;
}

/* ---- how far it has come ---- */

static bool tell_allowed(struct depot *d, int64_t charger)
{
    struct place *p = &d->places[(uint64_t)charger * UINT64_C(0x9e3779b97f4a7c15) >> 54];
    int64_t now_ms = os_mono_ns() / 1000000;
    if (now_ms - p->from_ms >= TELL_MS)
        *p = (struct place){.from_ms = now_ms};
    return p->n++ < TELLS;
}

static void told(void *ctx, const struct ftp_grant *g, const struct ftp_progress *p)
{
    static const struct {
        int32_t stage;
        const char *text;
    } stages[] = {[FTP_FLOWS] = {FETCH_FLOWS, "fetches"},
                  [FTP_BROKE_OFF] = {FETCH_BROKE_OFF, "broke off"},
                  [FTP_WHOLE] = {FETCH_WHOLE, "has all of"}};
    struct depot *d = ctx;
    struct cmd cmd = {.head = {.size = CMD_SIZE(fetched),
                               .version = CMD_VERSION,
                               .type = CMD_FETCHED,
                               .tenant = g->own[OWN_TENANT],
                               .actor_kind = ACTOR_CHARGER}};
    cmd.u.fetched = (struct cmd_fetched){.charger = g->own[OWN_CHARGER],
                                         .command = g->own[OWN_COMMAND],
                                         .firmware = g->own[OWN_FILE],
                                         .at = p->at,
                                         .size = g->file.size,
                                         .stage = stages[p->stage].stage};
    (void)str_copy(cmd.u.fetched.peer, sizeof cmd.u.fetched.peer, str_from_c(p->peer));
    if (!tell_allowed(d, g->own[OWN_CHARGER]))
        return;
    log_line(LOG_NOTE, "ftp", 0, "charger %lld at %s %s firmware %lld: %lld to %lld of %lld",
             (long long)g->own[OWN_CHARGER], p->peer, stages[p->stage].text,
             (long long)g->own[OWN_FILE], (long long)p->from, (long long)p->at,
             (long long)g->file.size);
    int err = d->cfg.submit(d->cfg.ctx, &cmd);
    if (err)
        log_line(LOG_WARN, "ftp", 0, "the core did not hear of it: %s", err_text(err, LANG_EN));
}

/* ---- start and end ---- */

int depot_start(const struct depot_config *cfg, struct depot **out)
{
    const struct config *c = cfg->settings;
    struct depot *d = calloc(1, sizeof *d);
    *out = NULL;
    if (!d)
        return ERR_NOMEM;
    d->cfg = *cfg;
    d->address = c->ftp_address[0] ? c->ftp_address : c->ftp_bind;
    arena_init(&d->arena, 65536);
    struct ftp_config fc = {.bind = c->ftp_bind,
                            .address = d->address,
                            .port = (uint16_t)c->ftp_port,
                            .passive_from = (uint16_t)c->ftp_passive_from,
                            .passive_to = (uint16_t)c->ftp_passive_to,
                            .connections = (uint32_t)c->ftp_connections,
                            .per_address = (uint32_t)c->ftp_per_address,
                            .idle_s = (uint32_t)c->ftp_idle_s,
                            .rate = c->ftp_rate_kb * 1024,
                            .judge = judge,
                            .open = open_file,
                            .told = told,
                            .ctx = d};
    int err = strcmp(d->address, "0.0.0.0") == 0 || strlen(d->address) > 15 ? ERR_SYNTAX : 0;
    if (!err)
        err = store_reader_open(cfg->store, &d->reader);
    if (!err)
        err = ftp_start(&fc, &d->ftp);
    if (err) {
        depot_stop(d);
        return err;
    }
    *out = d;
    return 0;
}

const char *depot_address(const struct depot *d)
{
    return d->address;
}

void depot_stop(struct depot *d)
{
    if (!d)
        return;
    ftp_stop(d->ftp);
    store_reader_close(d->reader);
    arena_free(&d->arena);
    free(d);
}
