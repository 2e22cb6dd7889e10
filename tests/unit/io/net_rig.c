// SPDX-License-Identifier: Apache-2.0
/* net_rig.c: see net_rig.h. */
#include "io_tests.h"
#include "net_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/err.h"
#include "io/os/clock.h"

#define PATIENCE_NS 10000000000

bool rig_batch;

const char rig_upgrade_tail[] =
    " HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ocpp1.6\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static void on_upgrade(void *ctx, struct net_conn c, const struct net_upgrade *u)
{
    struct rig *r = ctx;

    buf_printf(&r->log, "U:%.*s;", STR_FMT(u->http->identity));
    r->last = c;
    r->secure = u->secure;
    snprintf(r->peer, sizeof(r->peer), "%s", u->peer);
    if (!r->no_answer)
        assert_int_equal(net_accept(r->net, c, STR_LIT("ocpp1.6")), 0);
}

static void on_open(void *ctx, struct net_conn c)
{
    struct rig *r = ctx;

    buf_put_c(&r->log, "O;");
    r->last = c;
}

static void on_client_open(void *ctx, struct net_conn c)
{
    struct rig *r = ctx;

    buf_printf(&r->log, "o%llu;", (unsigned long long)net_user(r->net, c));
}

static void on_message(void *ctx, struct net_conn c, struct str msg, bool binary)
{
    struct rig *r = ctx;
    int err = 0;

    if (msg.n > 60)
        buf_printf(&r->log, "M:%zu bytes;", msg.n);
    else
        buf_printf(&r->log, "%c:%.*s;", binary ? 'B' : 'M', STR_FMT(msg));
    if (r->pause_each)
        net_pause(r->net, c);
    if (r->close_each)
        net_close(r->net, c, WS_NORMAL);
    for (int i = 0; i < (r->echo_twice ? 2 : r->echo ? 1 : 0); i++)
        err = binary ? net_send_binary(r->net, c, msg) : net_send(r->net, c, msg);
    if (err != 0)
        buf_printf(&r->log, "S:%s;", err_name(err));
}

static void on_client_message(void *ctx, struct net_conn c, struct str msg, bool binary)
{
    struct rig *r = ctx;

    (void)c;
    buf_printf(&r->log, "%c:%.*s;", binary ? 'b' : 'm', STR_FMT(msg));
}

/* Lines; a line "bad" is a protocol error. */
static ptrdiff_t on_raw(void *ctx, struct net_conn c, struct str bytes)
{
    struct rig *r = ctx;
    struct str rest = bytes;
    ptrdiff_t used = 0;

    (void)c;
    while (str_find(rest, '\n') >= 0) {
        struct str line = str_cut(&rest, '\n');

        used += (ptrdiff_t)line.n + 1;
        buf_printf(&r->log, "R:%.*s;", STR_FMT(line));
        if (str_eq_c(line, "bad"))
            return -1;
        if (r->echo && net_send(r->net, c, str_from(line.p, line.n + 1)) != 0)
            buf_put_c(&r->log, "S:err;");
    }
    return used;
}

static void on_close(void *ctx, struct net_conn c, enum net_why why, uint16_t code)
{
    struct rig *r = ctx;

    buf_printf(&r->log, "C%llu:%s/%u;", (unsigned long long)net_user(r->net, c), net_why_name(why),
               code);
}

static void on_timer(void *ctx, struct net_conn c)
{
    struct rig *r = ctx;

    (void)c;
    buf_put_c(&r->log, "T;");
}

const struct net_handler rig_ws = {
    .on_upgrade = on_upgrade, .on_message = on_message, .on_close = on_close, .on_timer = on_timer};
const struct net_handler rig_raw = {
    .on_open = on_open, .on_raw = on_raw, .on_close = on_close, .on_timer = on_timer};
const struct net_handler rig_client = {.on_open = on_client_open,
                                       .on_message = on_client_message,
                                       .on_raw = on_raw,
                                       .on_close = on_close,
                                       .on_timer = on_timer};

struct net_config rig_config(void)
{
    return (struct net_config){.node = 3, .reactor = 1, .max_conns = 64, .batch = rig_batch};
}

void rig_start(struct rig *r, const struct net_config *cfg)
{
    struct net_listen ws = {.kind = NET_WS_SERVER, .handler = &rig_ws, .ctx = r};
    struct net_listen raw = {
        .kind = NET_RAW_SERVER, .handler = &rig_raw, .ctx = r, .first_ms = 600};

    memset(r, 0, sizeof(*r));
    buf_init(&r->log, 1 << 20);
    assert_int_equal(net_new(cfg, &r->net), 0);
    assert_int_equal(net_listen(r->net, &ws, &r->ws_port), 0);
    assert_int_equal(net_listen(r->net, &raw, &r->raw_port), 0);
}

void rig_stop(struct rig *r)
{
    net_free(r->net);
    buf_free(&r->log);
}

const char *rig_log(struct rig *r)
{
    buf_put_char(&r->log, '\0');
    r->log.n--;
    return r->log.p;
}

void rig_clear(struct rig *r)
{
    buf_reset(&r->log);
}

void rig_until(struct rig *r, const char *text)
{
    int64_t end = os_mono_ns() + PATIENCE_NS;

    while (strstr(rig_log(r), text) == NULL) {
        if (os_mono_ns() > end)
            fail_msg("waited for \"%s\", have \"%s\"", text, rig_log(r));
        net_turn(r->net, 20);
    }
}

void rig_for(struct rig *r, int32_t ms)
{
    int64_t end = os_mono_ns() + (int64_t)ms * 1000000;

    do
        net_turn(r->net, 5);
    while (os_mono_ns() < end);
}

int peer_open(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    assert_true(fd >= 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

void peer_send(int fd, const void *p, size_t n)
{
    assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
}

void peer_send_c(int fd, const char *text)
{
    peer_send(fd, text, strlen(text));
}

void peer_take(struct rig *r, int fd, void *p, size_t n)
{
    int64_t end = os_mono_ns() + PATIENCE_NS;
    size_t have = 0;

    while (have < n) {
        ssize_t got = recv(fd, (char *)p + have, n - have, MSG_DONTWAIT);

        if (got == 0 || (got < 0 && errno != EAGAIN))
            fail_msg("the stream ended after %zu of %zu bytes; log %s", have, n, rig_log(r));
        if (got > 0)
            have += (size_t)got;
        else
            net_turn(r->net, 5);
        if (os_mono_ns() > end)
            fail_msg("waited for %zu bytes, have %zu; log %s", n, have, rig_log(r));
    }
}

size_t peer_until_end(struct rig *r, int fd)
{
    int64_t end = os_mono_ns() + PATIENCE_NS;
    char waste[4096];
    size_t n = 0;

    while (os_mono_ns() < end) {
        ssize_t got = recv(fd, waste, sizeof(waste), MSG_DONTWAIT);

        if (got == 0 || (got < 0 && errno != EAGAIN))
            return n;
        if (got > 0)
            n += (size_t)got;
        else
            net_turn(r->net, 5);
    }
    fail_msg("the stream does not end; log %s", rig_log(r));
    return n;
}

int peer_upgraded(struct rig *r, const char *identity)
{
    int fd = peer_open(r->ws_port);
    char head[512] = "";
    size_t n = 0;

    peer_send_c(fd, "GET /ocpp/");
    peer_send_c(fd, identity);
    peer_send_c(fd, rig_upgrade_tail);
    while (strstr(head, "\r\n\r\n") == NULL && n + 1 < sizeof(head))
        peer_take(r, fd, &head[n++], 1);
    assert_non_null(strstr(head, "HTTP/1.1 101 "));
    assert_non_null(strstr(head, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    assert_non_null(strstr(head, "Sec-WebSocket-Protocol: ocpp1.6\r\n"));
    assert_null(strstr(head, "Extensions"));
    return fd;
}

void put_frame(struct buf *b, bool fin, uint8_t op, struct str payload)
{
    const uint8_t mask[4] = {0xa1, 0x52, 0x33, 0x94};
    uint8_t head[WS_HEAD_MAX];
    size_t n = ws_head_write(head, (enum ws_opcode)op, payload.n, mask);

    if (!fin)
        head[0] &= 0x7f;
    buf_put(b, head, n);
    buf_put_str(b, payload);
    ws_mask((uint8_t *)b->p + b->n - payload.n, payload.n, mask, 0);
}

void peer_frame(int fd, bool fin, uint8_t op, struct str payload)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    put_frame(&b, fin, op, payload);
    peer_send(fd, b.p, b.n);
    buf_free(&b);
}

uint8_t peer_take_frame(struct rig *r, int fd, struct buf *out)
{
    uint8_t head[WS_HEAD_MAX];
    struct ws_head h;
    size_t n = 0;
    char *p;

    do
        peer_take(r, fd, &head[n++], 1);
    while (ws_head_read(head, n, false, &h) == 0);
    assert_int_equal(ws_head_read(head, n, false, &h), 1);
    assert_true(h.fin && h.len <= 70000);
    p = buf_grow(out, (size_t)h.len + 1);
    peer_take(r, fd, p, (size_t)h.len);
    out->n--;
    return h.opcode;
}

uint16_t peer_take_close(struct rig *r, int fd)
{
    struct buf b;
    uint16_t code = WS_NO_CODE;

    buf_init(&b, 70000);
    assert_int_equal(peer_take_frame(r, fd, &b), WS_CLOSE);
    if (b.n >= 2)
        code = (uint16_t)((uint8_t)b.p[0] << 8 | (uint8_t)b.p[1]);
    buf_free(&b);
    return code;
}
