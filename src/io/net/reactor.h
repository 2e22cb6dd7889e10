// SPDX-License-Identifier: Apache-2.0
/* reactor.h: what the files of the reactor share; nobody outside io/net includes it.
 *
 *   reactor.c  the loop, listeners, accepting, draining, the public calls on the whole reactor
 *   conn.c     one connection: record, buffers, reading, flushing, ending, the public calls on it
 *   batch.c    the plain case of many connections with one system call, by ring.c
 *   wheel.c    deadlines
 *   ws_conn.c  the WebSocket protocol on a connection: handshake, frames, control frames
 *   dial.c     outgoing connections
 *   addr.c     addresses as text, address blocks, believing a proxy
 */
#ifndef EVEN_IO_NET_REACTOR_H
#define EVEN_IO_NET_REACTOR_H

#include <sys/epoll.h>
#include <sys/socket.h>
#include "base/err.h"
#include "base/hash.h"
#include "base/slab.h"
#include "io/net/net.h"
#include "io/net/ring.h"

#define NET_LISTEN_MAX   8
#define NET_ENDPOINT_MAX 40
#define NET_PROXY_MAX    16
#define NET_READ_SIZE    65536
#define NET_BATCH        32   /* connections read or written with one system call */
#define NET_RECV_SIZE    2048 /* bytes of each; what brings more is read once more */
#define NET_TICK_MS      100
#define NET_WHEEL_SLOTS  4096
#define NET_LINGER_MS    2000

/** In order: everything before CONN_CLOSING still hears its owner's sends. */
enum conn_state {
    CONN_CONNECTING, /* client: TCP not yet there */
    CONN_HANDSHAKE,  /* WebSocket: request (server) or answer (client) incomplete */
    CONN_ASKED,      /* WebSocket server: the owner has not answered yet */
    CONN_OPEN,
    CONN_CLOSING, /* output is being flushed, input thrown away */
    CONN_LINGER,  /* our side is shut; waiting for the peer's end */
    CONN_DEAD     /* freed when it is settled */
};

enum conn_flag {
    CONN_DIRTY = 1 << 0,    /* in the chain of what is to be settled */
    CONN_REWORK = 1 << 1,   /* buffered input is to be looked at again */
    CONN_PAUSED = 1 << 2,   /* by the owner */
    CONN_KNOWN = 1 << 3,    /* the owner has heard of it, so it will hear the end */
    CONN_REPORTED = 1 << 4, /* on_close is done, the handle is stale */
    CONN_PINGED = 1 << 5,   /* a ping is out since the last bytes */
    CONN_FIRST = 1 << 6,    /* raw server: first bytes were consumed */
    CONN_EV_IN = 1 << 7,    /* what epoll watches for us */
    CONN_EV_OUT = 1 << 8,
    CONN_QUEUED = 1 << 9,     /* its output leaves with others' (batch.c) */
    CONN_TLS_OUT = 1 << 10,   /* TLS wants to write before it can read */
    CONN_CONNECTED = 1 << 11, /* client: on_open was called */
    CONN_IN_WHEEL = 1 << 12,
    CONN_MORE = 1 << 13, /* there may be more to read than the last read gave */
    CONN_LATER = 1 << 14 /* bytes came before the owner answered: read once it has */
};

/** Input that could not be used up yet: p[0 … msg) is a message being put together from fragments,
 * p[msg … n) are raw bytes. Exists only while n > 0 or a handshake is under way. */
struct conn_in {
    uint32_t n, msg, size;
    uint8_t op;      /* opcode of the message in p[0 … msg) */
    bool fragmented; /* a first fragment came, its last did not */
    char accept[29]; /* Sec-WebSocket-Accept to send or to expect */
    uint8_t p[];
};

/** Output the socket did not take yet: p[at … n). */
struct conn_out {
    uint32_t n, at, size;
    uint8_t p[];
};

struct conn {
    int fd;
    uint32_t gen, slot;
    uint32_t wheel_next, wheel_prev; /* slot + 1; 0 = end */
    uint32_t due_tick;               /* where it sits in the wheel */
    uint32_t user_tick;              /* the owner's timer; 0 = none */
    uint32_t heard_tick; /* last bytes; before CONN_OPEN and while closing: since when */
    uint32_t dirty_next; /* slot + 1 */
    uint8_t state, why, endpoint;
    uint16_t flags, code;
    uint64_t user;
    struct conn_in *in;
    struct conn_out *out;
    struct tls_conn *tls;
};
_Static_assert(sizeof(struct conn) <= 80, "an idle connection is its record and nothing else");

/** What connections have in common: a listener, or all outgoing connections of one handler. */
struct endpoint {
    const struct net_handler *handler;
    void *ctx;
    enum net_kind kind;
    struct tls_server *tls;
    uint32_t first_ticks, ping_ticks, silence_ticks, max_message;
    bool listens; /* it is a listener, open or paused */
    int fd;       /* -1 = paused */
    struct sockaddr_storage addr;
    socklen_t addr_n;
};

/* Whom connections of late came from, as accept told: most ask for their upgrade before others take
 * their place here, which saves asking the system. */
enum { NET_LATELY = 128 };
struct lately {
    uint32_t slot, gen;
    uint8_t addr[16];
};

struct net {
    struct net_config cfg;
    struct net_block proxies[NET_PROXY_MAX];
    int epoll;
    struct slab conns;
    struct endpoint ends[NET_ENDPOINT_MAX];
    uint32_t ends_n;
    uint32_t dirty;            /* slot + 1 of the first dirty connection */
    uint32_t tick, wheel_tick; /* now; the wheel is visited up to here */
    uint32_t handshake_ticks, reopen_tick, drain_tick;
    int64_t start_ns;
    uint32_t wheel[NET_WHEEL_SLOTS]; /* slot + 1 of the first connection */
    struct rng rng;                  /* masks */
    bool stopping, draining;
    struct net_stats stats;
    struct mailbox_batch mail;
    struct lately lately[NET_LATELY]; /* by slot */
    bool batch_wanted;                /* the first turn opens the ring */
    struct ring *ring;                /* NULL = one by one */
    uint8_t *received;                /* NET_BATCH pieces of NET_RECV_SIZE */
    uint32_t queued_n;
    struct conn *queued[NET_BATCH];
    uint8_t scratch[NET_READ_SIZE];
};

/* A run of input that may be changed in place: in the scratch buffer or in conn_in. */
struct view {
    uint8_t *p;
    uint32_t n, at, msg;
    uint8_t op;
    bool fragmented;
};

/* batch.c */
void batch_begin(struct net *n);
void batch_end(struct net *n);
/** Reads what can be read plainly of a round of events (count <= NET_BATCH): result[i] is what came for
 * event i into batch_bytes, or RING_UNDONE. */
void batch_read(struct net *n, const struct epoll_event *ev, uint32_t count,
                ptrdiff_t result[RING_MOST]);
/** Its output leaves at the next batch_flush, which then settles it. */
void batch_queue(struct net *n, struct conn *c);
void batch_flush(struct net *n);

/* conn.c */
/** The connection of an event, NULL when it is gone or the event is no connection's. */
struct conn *conn_of_event(const struct net *n, const struct epoll_event *ev);
/** Whether the event asks for nothing but a read of an unencrypted socket. */
bool conn_reads_plain(const struct conn *c, uint32_t events);
/** Whether it has output for an unencrypted socket that took all so far. */
bool conn_writes_plain(const struct conn *c);
/** What a read into p[0 … size), which may be changed in place, brought: bytes, 0, ERR_AGAIN, ERR_IO. */
void conn_take(struct net *n, struct conn *c, uint8_t *p, size_t size, ptrdiff_t got);
/** What a write of its output came to: bytes, ERR_AGAIN or another error. */
void conn_sent(struct net *n, struct conn *c, ptrdiff_t done);
struct conn *conn_find(const struct net *n, struct net_conn c);
struct conn *conn_at(const struct net *n, uint32_t slot);
struct net_conn conn_name(const struct net *n, const struct conn *c);
const struct endpoint *conn_end_of(const struct net *n, const struct conn *c);
/** A record for the socket, which it takes; NULL when full (the socket stays the caller's). */
struct conn *conn_new(struct net *n, int fd, uint8_t endpoint, bool connected,
                      struct net_conn *name);
void conn_mark(struct net *n, struct conn *c);
EV_MUST_USE int conn_put(struct net *n, struct conn *c, const void *p, size_t len);
/** Makes sure that conn_in exists with room for n more bytes. */
EV_MUST_USE int conn_in_reserve(struct conn *c, size_t n);
/** Begins the end: what is queued is still flushed. */
void conn_finish(struct net *n, struct conn *c, enum net_why why, uint16_t code);
/** Ends at once. */
void conn_kill(struct net *n, struct conn *c, enum net_why why, uint16_t code);
void conn_event(struct net *n, struct conn *c, uint32_t events);
/** What is done after an event: buffered input, flush, report, free. */
void conn_settle(struct net *n, struct conn *c);
void conn_free_all(struct net *n);
/** Notes whom it came from. */
void conn_peer_note(struct net *n, const struct conn *c, const struct sockaddr_storage *peer);
/** The address of the peer; false when it is gone. */
EV_MUST_USE bool conn_peer(const struct net *n, const struct conn *c, uint8_t out[16]);

/* wheel.c */
void wheel_set(struct net *n, struct conn *c);
void wheel_remove(struct net *n, struct conn *c);
void wheel_advance(struct net *n);
/** Real ms until the next slot that is not empty, at most 6,400. */
int32_t wheel_wait_ms(const struct net *n);

/* ws_conn.c */
/** Uses up what it can of the view. */
void ws_conn_input(struct net *n, struct conn *c, struct net_conn name, struct view *v);
EV_MUST_USE int ws_conn_send(struct net *n, struct conn *c, enum ws_opcode op, struct str payload);
/** Queues the close frame if the handshake was complete, and finishes. */
void ws_conn_close(struct net *n, struct conn *c, enum net_why why, uint16_t code);
void ws_conn_refuse(struct net *n, struct conn *c, enum net_why why, int http_status);

/* dial.c */
void dial_connected(struct net *n, struct conn *c, struct net_conn name);

/* addr.c */
EV_MUST_USE int addr_parse(const char *host, uint16_t port, struct sockaddr_storage *out,
                           socklen_t *n);
void addr_text(const uint8_t addr[16], char out[46]);
void addr_bytes(const struct sockaddr_storage *a, uint8_t out[16]);
/** The client behind the peer: believes X-Forwarded-For as far as configured proxies wrote it. True
 * when the peer is a configured proxy. */
bool addr_client(const struct net *n, const uint8_t peer[16], struct str forwarded, char out[46]);

#endif
