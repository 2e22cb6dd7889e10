// SPDX-License-Identifier: Apache-2.0
/* ykc_update.c: see ykc_update.h. One table: which reply leads to which command. Owns the places in
 * struct sim; a place that ended hears no more of its connections, because it has forgotten their
 * names. Fails: anything unexpected, silence of 30 s, fewer bytes than SIZE said. */
#include "sim/ykc_update.h"

#include "base/err.h"
#include "sim/peer.h"
#include "sim/ykc_peer.h"
#include "wire/ykc.h"

#include <stdio.h>

enum { SILENCE_MS = 30000, DONE = 0, TIMEOUT = 3 };
enum { AT_GREETING, AT_USER, AT_PASS, AT_TYPE, AT_SIZE, AT_EPSV, AT_RETR, AT_BYTES };

static const struct net_handler control_handler, data_handler;

static void update_end(struct sim *s, struct ykc_update *u, int64_t result)
{
    struct peer *p = u->peer;
    struct net_conn control = u->control, data = u->data;
    *u = (struct ykc_update){0};
    net_close(s->net, control, 0);
    net_close(s->net, data, 0);
    ykc_peer_updated(s, p, result);
}

static bool same(struct net_conn a, struct net_conn b)
{
    return a.gen != 0 && a.slot == b.slot && a.gen == b.gen;
}

static struct ykc_update *update_of(struct sim *s, struct net_conn c)
{
    struct ykc_update *u = &s->updates[net_user(s->net, c) % YKC_UPDATES];
    return u->peer && (same(u->control, c) || same(u->data, c)) ? u : NULL;
}

static int dial(struct sim *s, struct ykc_update *u, uint16_t port, bool data)
{
    const struct net_dial d = {.host = u->host,
                               .port = port,
                               .kind = NET_RAW_CLIENT,
                               .handler = data ? &data_handler : &control_handler,
                               .ctx = s,
                               .user = (uint64_t)(u - s->updates)};
    return net_dial(s->net, &d, data ? &u->data : &u->control);
}

int ykc_update_begin(struct sim *s, struct peer *p, const struct ykc_Update *m)
{
    struct ykc_update *u = s->updates;
    while (u < s->updates + YKC_UPDATES && u->peer)
        u++;
    if (u == s->updates + YKC_UPDATES)
        return ERR_FULL;
    *u = (struct ykc_update){.peer = p};
    (void)str_copy(u->host, sizeof u->host, str_from_c(m->host));
    (void)str_copy(u->user, sizeof u->user, str_from_c(m->user));
    (void)str_copy(u->password, sizeof u->password, str_from_c(m->password));
    (void)str_copy(u->path, sizeof u->path, str_from_c(m->path));
    int err = dial(s, u, (uint16_t)m->port, false);
    if (err)
        u->peer = NULL;
    return err;
}

/* ---- the control connection ---- */

static int64_t number_behind(struct str line, const char *before)
{
    int64_t v = -1;
    size_t at = 0, n = strlen(before), end;
    while (at + n <= line.n && memcmp(line.p + at, before, n) != 0)
        at++;
    at += n;
    for (end = at; end < line.n && line.p[end] >= '0' && line.p[end] <= '9'; end++)
        ;
    return at < end && str_to_i64(str_from(line.p + at, end - at), &v) == 0 ? v : -1;
}

static void over_if_all(struct sim *s, struct ykc_update *u)
{
    if (u->data_over && u->all_sent)
        update_end(s, u, u->got == u->size ? DONE : TIMEOUT);
}

static int say(struct sim *s, struct ykc_update *u, const char *verb, const char *arg)
{
    char line[64];
    int n = snprintf(line, sizeof line, "%s%s%s\r\n", verb, arg[0] ? " " : "", arg);
    u->step++;
    net_timer_set(s->net, u->control, SILENCE_MS);
    return net_send(s->net, u->control, str_from(line, (size_t)n));
}

/* What a reply leads to. Negative: this was not expected. */
static int reply_take(struct sim *s, struct ykc_update *u, struct str line)
{
    static const int wanted[] = {220, 331, 230, 200, 213, 229, 150, 226};
    int64_t code = -1, port;
    if (line.n < 4 || str_to_i64(str_from(line.p, 3), &code) != 0 || code != wanted[u->step])
        return ERR_REJECTED;
    switch (u->step) {
    case AT_GREETING:
        return say(s, u, "USER", u->user);
    case AT_USER:
        return say(s, u, "PASS", u->password);
    case AT_PASS:
        return say(s, u, "TYPE", "I");
    case AT_TYPE:
        return say(s, u, "SIZE", u->path);
    case AT_SIZE:
        u->size = number_behind(line, "213 ");
        return u->size < 0 ? ERR_SYNTAX : say(s, u, "EPSV", "");
    case AT_EPSV:
        port = number_behind(line, "|||");
        if (port < 1 || port > 65535 || dial(s, u, (uint16_t)port, true) != 0)
            return ERR_SYNTAX;
        return say(s, u, "RETR", u->path);
    case AT_RETR:
        u->step++;
        return 0;
    default:
        u->all_sent = true;
        over_if_all(s, u);
        return 0;
    }
}

static ptrdiff_t on_control(void *ctx, struct net_conn c, struct str bytes)
{
    struct sim *s = ctx;
    struct str rest = bytes;
    while (str_find(rest, '\n') >= 0) {
        struct ykc_update *u = update_of(s, c);
        struct str line = str_cut(&rest, '\n');
        if (u && reply_take(s, u, line) != 0)
            update_end(s, u, TIMEOUT);
    }
    return rest.n > 512 ? -1 : (ptrdiff_t)(bytes.n - rest.n);
}

static void on_end(void *ctx, struct net_conn c, enum net_why why, uint16_t code)
{
    struct sim *s = ctx;
    struct ykc_update *u = update_of(s, c);
    (void)why;
    (void)code;
    if (u)
        update_end(s, u, TIMEOUT);
}

static void on_silence(void *ctx, struct net_conn c)
{
    on_end(ctx, c, NET_END_SILENT, 0);
}

/* ---- the data connection ---- */

static ptrdiff_t on_data(void *ctx, struct net_conn c, struct str bytes)
{
    struct sim *s = ctx;
    struct ykc_update *u = update_of(s, c);
    if (u) {
        u->got += (int64_t)bytes.n;
        net_timer_set(s->net, u->control, SILENCE_MS);
    }
    return (ptrdiff_t)bytes.n;
}

static void on_data_end(void *ctx, struct net_conn c, enum net_why why, uint16_t code)
{
    struct sim *s = ctx;
    struct ykc_update *u = update_of(s, c);
    (void)why;
    (void)code;
    if (!u)
        return;
    u->data_over = true;
    over_if_all(s, u);
}

static const struct net_handler control_handler = {
    .on_raw = on_control, .on_close = on_end, .on_timer = on_silence};
static const struct net_handler data_handler = {.on_raw = on_data, .on_close = on_data_end};
