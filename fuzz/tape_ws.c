// SPDX-License-Identifier: Apache-2.0
/* tape_ws.c: any bytes as what a charger sends after the upgrade, through the real reactor over
 * loopback. A plain reading of RFC 6455 (below; it sees the whole stream at once and knows nothing
 * of buffers) says which messages arrive, what is answered and how it ends; the reactor must say the
 * same when the stream comes whole and when it comes in pieces. */
#include "tape.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/hash.h"
#include "io/net/net.h"

enum { STREAM_MAX = 24 * 1024, MESSAGE_MAX = 2000, LOG_MAX = 1 << 20 };

/* ---- what should happen ---- */

struct story {
    struct buf said;     /* messages: kind, length, bytes */
    struct buf answered; /* bytes sent back */
    int why, code;
};

static void story_init(struct story *s)
{
    buf_init(&s->said, LOG_MAX);
    buf_init(&s->answered, LOG_MAX);
    s->why = s->code = -1;
}

static void story_free(struct story *s)
{
    must(!s->said.err && !s->answered.err);
    buf_free(&s->said);
    buf_free(&s->answered);
}

static void said(struct story *s, bool binary, struct str msg)
{
    buf_put_char(&s->said, binary ? 'B' : 'T');
    buf_put_varint(&s->said, msg.n);
    buf_put_str(&s->said, msg);
}

static void ends(struct story *s, enum net_why why, uint16_t code)
{
    uint8_t frame[] = {0x88, 2, (uint8_t)(code >> 8), (uint8_t)code};
    if (code == WS_NO_CODE)
        frame[1] = 0;
    if (code != WS_ABNORMAL)
        buf_put(&s->answered, frame, frame[1] + 2u);
    s->why = (int)why;
    s->code = code;
}

static void peer_closes(struct story *s, struct str payload)
{
    unsigned code =
        payload.n < 2 ? WS_NO_CODE : (unsigned)(uint8_t)payload.p[0] << 8 | (uint8_t)payload.p[1];
    bool known = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                 (code >= 3000 && code <= 4999);
    if (payload.n == 1 || (payload.n > 1 && !known))
        ends(s, NET_END_PROTOCOL, WS_PROTOCOL);
    else if (payload.n > 1 && !str_utf8_valid(str_from(payload.p + 2, payload.n - 2)))
        ends(s, NET_END_PROTOCOL, WS_BAD_DATA);
    else
        ends(s, NET_END_PEER, (uint16_t)code);
}

struct reading {
    struct buf msg; /* of the fragments so far */
    int op;         /* 0 = none is open */
};

static void data_frame(struct story *s, struct reading *r, int op, bool fin, struct str payload)
{
    if (op)
        r->op = op;
    buf_put_str(&r->msg, payload);
    if (!fin)
        return;
    if (r->op == 1 && !str_utf8_valid(buf_str(&r->msg)))
        ends(s, NET_END_PROTOCOL, WS_BAD_DATA);
    else
        said(s, r->op == 2, buf_str(&r->msg));
    buf_reset(&r->msg);
    r->op = 0;
}

/* What is wrong with a head of which the first two bytes are there: a close code, or 0. */
static int head_fault(uint8_t b0, uint8_t b1)
{
    int op = b0 & 15, len = b1 & 127;
    bool control = op & 8;
    if ((b0 & 0x70) || !(b1 & 0x80) || (op & 7) > 2)
        return WS_PROTOCOL;
    return control && (!(b0 & 0x80) || len > 125) ? WS_PROTOCOL : 0;
}

/* The length that a head tells, of which `ext` bytes follow the first two; -1 = not the shortest
 * form. */
static int64_t length_of(const uint8_t *p, size_t ext)
{
    uint64_t len = p[1] & 127;
    if (ext)
        len = 0;
    for (size_t i = 0; i < ext; i++)
        len = len << 8 | p[2 + i];
    if ((ext == 2 && len < 126) || (ext == 8 && (len < 65536 || len >> 63)))
        return -1;
    return (int64_t)len;
}

/* One frame; its bytes, or 0 when it is not whole or the end was reached. */
static size_t frame_read(struct story *s, struct reading *r, const uint8_t *p, size_t n)
{
    uint8_t payload[MESSAGE_MAX + 1];
    if (n < 2)
        return 0;
    int fault = head_fault(p[0], p[1]), op = p[0] & 15;
    size_t ext = (p[1] & 127) == 127 ? 8 : (p[1] & 127) == 126 ? 2 : 0, size = 2 + ext + 4;
    if (!fault && n < size)
        return 0;
    int64_t len = fault ? 0 : length_of(p, ext);
    if (!fault && len < 0)
        fault = WS_PROTOCOL;
    if (!fault && op < 8 && (op == 0) != (r->op != 0))
        fault = WS_PROTOCOL;
    if (!fault && op < 8 && (uint64_t)len + r->msg.n > MESSAGE_MAX)
        fault = WS_TOO_BIG;
    if (fault)
        ends(s, NET_END_PROTOCOL, (uint16_t)fault);
    if (fault || n - size < (size_t)len)
        return 0;
    for (int64_t i = 0; i < len; i++)
        payload[i] = p[size + (size_t)i] ^ p[size - 4 + (size_t)i % 4];
    struct str body = str_from((const char *)payload, (size_t)len);
    if (op < 8) {
        data_frame(s, r, op, p[0] & 0x80, body);
    } else if (op == 8) {
        peer_closes(s, body);
    } else if (op == 9) {
        buf_put_char(&s->answered, (char)0x8a);
        buf_put_char(&s->answered, (char)len);
        buf_put_str(&s->answered, body);
    }
    return size + (size_t)len;
}

static void predict(struct str stream, struct story *s)
{
    struct reading r = {.op = 0};
    const uint8_t *p = (const uint8_t *)stream.p;
    size_t at = 0, used = 1;
    buf_init(&r.msg, MESSAGE_MAX);
    while (used > 0 && s->why < 0) {
        used = frame_read(s, &r, p + at, stream.n - at);
        at += used;
    }
    if (s->why < 0)
        ends(s, NET_END_PEER, WS_ABNORMAL);
    buf_free(&r.msg);
}

/* ---- what happens ---- */

static struct {
    struct net *net;
    uint16_t port;
    uint32_t from; /* counts the addresses that we call from: one has too few ports */
    struct story *now;
} house;

static void on_upgrade(void *ctx, struct net_conn c, const struct net_upgrade *u)
{
    (void)ctx;
    (void)u;
    must(net_accept(house.net, c, STR_NONE) == 0);
}

static void on_message(void *ctx, struct net_conn c, struct str msg, bool binary)
{
    (void)ctx;
    (void)c;
    said(house.now, binary, msg);
}

static void on_close(void *ctx, struct net_conn c, enum net_why why, uint16_t code)
{
    (void)ctx;
    (void)c;
    must(house.now->why < 0);
    house.now->why = (int)why;
    house.now->code = code;
}

static void house_open(void)
{
    static const struct net_handler handler = {
        .on_upgrade = on_upgrade, .on_message = on_message, .on_close = on_close};
    const struct net_config cfg = {.max_conns = 16};
    const struct net_listen l = {
        .kind = NET_WS_SERVER, .handler = &handler, .max_message = MESSAGE_MAX};
    if (house.net)
        return;
    must(net_new(&cfg, &house.net) == 0);
    must(net_listen(house.net, &l, &house.port) == 0);
}

static int call_in(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(house.port)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    must(fd >= 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    from.sin_addr.s_addr = htonl(0x7f010000u + 1 + house.from++ % 60000);
    must(bind(fd, (const struct sockaddr *)&from, sizeof from) == 0);
    while (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0 && errno != EISCONN)
        must(errno == EINTR || errno == EALREADY); /* the fuzzer's alarm clock */
    must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
    return fd;
}

/* Takes what was sent to us; true at the end of the stream. */
static bool take(int fd, struct buf *out)
{
    char bytes[4096];
    ssize_t n;
    while ((n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        buf_put(out, bytes, (size_t)n);
    return n == 0;
}

static void upgrade(int fd)
{
    static const char head[] = "GET /ocpp/T HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
                               "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    struct buf answer;
    buf_init(&answer, 4096);
    must(send(fd, head, sizeof head - 1, MSG_NOSIGNAL) == (ssize_t)sizeof head - 1);
    while (http_head_end(buf_str(&answer)) == 0) {
        net_turn(house.net, 1);
        must(!take(fd, &answer));
    }
    must(http_head_end(buf_str(&answer)) == answer.n);
    buf_free(&answer);
}

/* The stream in pieces of at most `most` bytes, each in a turn of its own. */
static void play(struct str stream, size_t most, struct rng *rng, struct story *s)
{
    house.now = s;
    int fd = call_in();
    upgrade(fd);
    for (size_t at = 0; at < stream.n && s->why < 0;) {
        size_t n = 1 + rng_below(rng, most);
        n = n < stream.n - at ? n : stream.n - at;
        must(send(fd, stream.p + at, n, MSG_NOSIGNAL) == (ssize_t)n);
        at += n;
        net_turn(house.net, 0);
    }
    (void)shutdown(fd, SHUT_WR);
    while (!take(fd, &s->answered) || s->why < 0)
        net_turn(house.net, 1);
    close(fd);
    net_turn(house.net, 0);
}

static void same(const struct story *a, const struct story *b)
{
    must(str_eq(buf_str(&a->said), buf_str(&b->said)));
    must(a->why == b->why && a->code == b->code);
    must(str_eq(buf_str(&a->answered), buf_str(&b->answered)));
}

int tape_ws(const uint8_t *p, size_t n)
{
    struct str stream = str_from((const char *)p, n);
    struct rng rng = {hash_bytes(p, n, 7)};
    struct story expected, whole, pieces;
    if (n > STREAM_MAX)
        return 0;
    house_open();
    story_init(&expected);
    story_init(&whole);
    story_init(&pieces);
    predict(stream, &expected);
    play(stream, STREAM_MAX, &(struct rng){0}, &whole);
    same(&expected, &whole);
    play(stream, 1 + n / 4, &rng, &pieces);
    same(&expected, &pieces);
    story_free(&expected);
    story_free(&whole);
    story_free(&pieces);
    return 0;
}
