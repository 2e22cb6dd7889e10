// SPDX-License-Identifier: Apache-2.0
/* net.h: the reactor. One thread owns one `struct net` with its epoll, listeners, connections and
 * timers; everything here but nothing else is called from that thread (other threads send to its
 * mailbox). Four kinds of connections share one interface: WebSocket and raw TCP, server and
 * client.
 *
 * Handlers. A listener or an outgoing connection names a `struct net_handler` and a ctx. Callbacks
 * run inside net_turn, never inside one of the calls below, so a handler may send, close, pause,
 * even close other connections at any time. Bytes lent to a callback are valid until it returns.
 *
 * A WebSocket server connection: on_upgrade (once) -> the owner answers now or much later with
 * net_accept or net_refuse
 *   -> on_message … -> on_close (exactly once, also when refused or when the peer left before the
 * answer). A raw server connection:  on_open -> on_raw … -> on_close. A client connection: on_open
 * (connected, upgraded) -> on_message / on_raw … -> on_close; a failed connect is on_close without
 * on_open.
 *
 * Handles go stale: every call on a closed or reused slot answers ERR_CLOSED and touches nothing.
 * After net_close no callback but on_close comes for that connection.
 *
 * Memory: an idle connection costs its 80-byte record; buffers exist only while bytes are pending.
 */
#ifndef EVEN_IO_NET_NET_H
#define EVEN_IO_NET_NET_H

#include "base/str.h"
#include "io/net/http.h"
#include "io/net/ws.h"
#include "io/os/mailbox.h"

struct net;
struct tls_server;

/** Names a connection across threads, nodes and time. Flat; may be kept anywhere. gen 0 = none. */
struct net_conn {
    uint16_t node, reactor;
    uint32_t slot, gen;
};
#define NET_CONN_NONE ((struct net_conn){0, 0, 0, 0})

enum net_kind { NET_WS_SERVER, NET_RAW_SERVER, NET_WS_CLIENT, NET_RAW_CLIENT };

/** Why a connection ended, beside the WebSocket code. */
enum net_why {
    NET_END_PEER,     /* the peer closed: close frame, FIN or reset */
    NET_END_LOCAL,    /* net_close, net_refuse */
    NET_END_SILENT,   /* half open: nothing heard for silence_ms */
    NET_END_PROTOCOL, /* the peer broke the rules; code says which */
    NET_END_SLOW,     /* handshake or first bytes too late, or it did not read what we sent */
    NET_END_DRAIN,    /* we are going away */
    NET_END_CONNECT   /* client: no connection, or the upgrade was refused (code = HTTP status or 0)
                       */
};
const char *net_why_name(enum net_why why);

/** What on_upgrade learns. Borrowed until the callback returns. */
struct net_upgrade {
    const struct http_upgrade *http;
    char peer[46]; /* the client's address; a configured proxy's X-Forwarded-For is believed */
    bool secure;   /* TLS here or, by a configured proxy, before us */
};

struct net_handler {
    /** A well-formed upgrade request. Answer with net_accept or net_refuse, now or later. */
    void (*on_upgrade)(void *ctx, struct net_conn c, const struct net_upgrade *u);
    /** Raw server: accepted. Clients: ready to send. Never for WebSocket servers. */
    void (*on_open)(void *ctx, struct net_conn c);
    /** One whole message, valid UTF-8 if text. */
    void (*on_message)(void *ctx, struct net_conn c, struct str msg, bool binary);
    /** All bytes not consumed so far. Returns how many are done with (0 = wait for more), negative
     * = close as a protocol error. Called again with the rest when more bytes arrive or
     * after net_resume. */
    ptrdiff_t (*on_raw)(void *ctx, struct net_conn c, struct str bytes);
    /** The end; the handle is stale after this. code: a WebSocket close code; after a refused
     * upgrade the HTTP status. */
    void (*on_close)(void *ctx, struct net_conn c, enum net_why why, uint16_t code);
    /** The timer of net_timer_set is due. */
    void (*on_timer)(void *ctx, struct net_conn c);
};

/** An address block such as 10.0.0.0/8 or ::1/128; IPv4 is kept mapped. */
struct net_block {
    uint8_t addr[16];
    uint8_t bits; /* 0-128 */
};
/** "10.0.0.0/8", "192.0.2.7", "::1". ERR_SYNTAX, ERR_RANGE. */
EV_MUST_USE int net_block_parse(struct str text, struct net_block *out);

/** Settings of a reactor; zero members take the default in brackets. Times in real ms. */
struct net_config {
    uint16_t node, reactor;
    uint32_t max_conns;    /* [1,000] slots; bounded by the process's descriptor limit as well */
    uint32_t max_message;  /* [65,536] bytes of an incoming message; also the cap of unconsumed raw
                              bytes */
    uint32_t max_out;      /* [262,144] bytes that may wait for a slow peer before it is dropped */
    uint32_t handshake_ms; /* [10,000] from accept to a complete upgrade request */
    uint32_t ping_ms;      /* [30,000] silence after which a WebSocket peer is pinged */
    uint32_t silence_ms;   /* [75,000] silence after which a connection counts as half open */
    bool batch; /* [no] many connections are read and written with one system call (io_uring) where
                   the system has that; the first turn's thread must be that of all turns */
    const struct net_block *proxies;            /* whose X-Forwarded-For is believed; copied */
    uint32_t proxies_n;                         /* at most 16 */
    struct mailbox *mailbox;                    /* may be NULL; borrowed */
    void (*on_mail)(void *ctx, struct str msg); /* one message of the mailbox */
    /* At the end of every turn, after output was flushed; what it asks for is done before the next
     * wait. May be NULL. */
    void (*on_turn)(void *ctx);
    void *ctx; /* of on_mail and on_turn */
};

/** Gives a reactor. ERR_NOMEM, ERR_IO, ERR_RANGE. */
EV_MUST_USE int net_new(const struct net_config *cfg, struct net **out);
/** Closes everything at once, without callbacks. */
void net_free(struct net *n);

struct net_listen {
    const char *host; /* numeric address; NULL = loopback 127.0.0.1 */
    uint16_t port;    /* 0 = any free one */
    enum net_kind kind;
    const struct net_handler *handler; /* borrowed */
    void *ctx;
    struct tls_server *tls; /* NULL = plain */
    uint32_t first_ms;      /* raw: [30,000] until the first consumed bytes */
    uint32_t silence_ms;    /* 0 = as the reactor */
    uint32_t max_message;   /* 0 = as the reactor */
};
/** Listens; *port (may be NULL) tells the port. Each reactor listens for itself on the same port
 * (SO_REUSEPORT); reactor 0, which comes first, makes sure that no other program has it. At most 8.
 * ERR_BUSY = in use by another program, ERR_DENIED, ERR_SYNTAX (host), ERR_FULL, ERR_IO. */
EV_MUST_USE int net_listen(struct net *n, const struct net_listen *l, uint16_t *port);

struct net_dial {
    const char *host; /* numeric address */
    uint16_t port;
    const char *source; /* local numeric address, or NULL */
    enum net_kind kind;
    const struct net_handler *handler;
    void *ctx;
    uint64_t user;
    /* WebSocket only; copied */
    const char *path;      /* "/ocpp/CP1", already encoded */
    const char *protocols; /* "ocpp1.6", or NULL */
    const char *auth_user; /* Basic authentication, or NULL */
    struct str auth_password;
};
/** Starts connecting. ERR_FULL, ERR_SYNTAX, ERR_IO. */
EV_MUST_USE int net_dial(struct net *n, const struct net_dial *d, struct net_conn *out);

/** Runs until net_stop: turn after turn. */
void net_run(struct net *n);
/** One turn: waits up to timeout_ms (negative = for ever) for events, handles them, flushes. */
void net_turn(struct net *n, int32_t timeout_ms);
/** Makes net_run return after the present turn. */
void net_stop(struct net *n);
/** Graceful end: stops listening, tells every WebSocket peer 1001, flushes, and after deadline_ms
 * drops the rest; net_run returns when no connection is left. */
void net_drain(struct net *n, uint32_t deadline_ms);

/** What a reactor has open before it runs, its mailbox apart: the epoll and the listeners. */
struct net_files {
    uint32_t n;
    int fd[9];
};
/** More connections than one table of descriptors may hold: each reactor's thread takes a table of
 * its own. In order: net_files by whoever opened the reactor; then net_files_own in the thread that
 * will run it, where beside the reactor's only the `also` ones (at most 7) stay open; then
 * net_files_close where it was opened, else no listener would ever close; net_run; and net_close_all
 * in the thread before it ends. Errors of net_files_own: ERR_FULL and those of os_files_own. */
struct net_files net_files(const struct net *n);
EV_MUST_USE int net_files_own(const struct net *n, const int *also, uint32_t also_n);
void net_files_close(const struct net_files *f);
/** Closes every connection, listener and the epoll at once, without callbacks; net_free is left. */
void net_close_all(struct net *n);

/** Answers the upgrade with 101; protocol empty = none chosen. Bytes that came meanwhile are read
 * now. */
EV_MUST_USE int net_accept(struct net *n, struct net_conn c, struct str protocol);
/** Answers the upgrade with an HTTP status (401 brings the Basic challenge) and closes. */
EV_MUST_USE int net_refuse(struct net *n, struct net_conn c, int http_status);
/** Sends a text message (WebSocket) or raw bytes; copied. Sends of one turn leave together.
 * ERR_CLOSED; ERR_FULL = the peer does not read, the connection is being dropped. */
EV_MUST_USE int net_send(struct net *n, struct net_conn c, struct str msg);
EV_MUST_USE int net_send_binary(struct net *n, struct net_conn c, struct str msg);
/** Ends the connection after what was sent before is flushed: WebSocket with this code, raw by FIN.
 */
void net_close(struct net *n, struct net_conn c, uint16_t code);
/** Drops the connection at once, nothing is flushed (load tests, silent chargers). */
void net_abort(struct net *n, struct net_conn c);
/** Stops and restarts reading, so that a peer with too many unanswered calls waits in its own
 * socket. */
void net_pause(struct net *n, struct net_conn c);
void net_resume(struct net *n, struct net_conn c);
/** One timer a connection, real ms from now, resolution 100 ms; 0 = cancel. */
void net_timer_set(struct net *n, struct net_conn c, uint32_t ms);
/** The owner's number of the connection (0 until set). A stale handle reads 0 and ignores writes.
 */
uint64_t net_user(const struct net *n, struct net_conn c);
void net_user_set(struct net *n, struct net_conn c, uint64_t user);
bool net_alive(const struct net *n, struct net_conn c);
/** The peer's socket address as text, e.g. for the log; "" when stale. */
void net_peer(const struct net *n, struct net_conn c, char out[46]);

/** Whether io_uring is in use (after the first turn). */
bool net_batches(const struct net *n);

struct net_stats {
    uint64_t accepted, refused, dialled, closed; /* connections */
    uint64_t in_bytes, out_bytes, in_msgs, out_msgs;
    uint64_t ends[NET_END_CONNECT + 1]; /* closed, by reason */
    uint64_t listen_pauses;             /* times a full reactor stopped listening */
    uint32_t live, live_max;
};
void net_stats_get(const struct net *n, struct net_stats *out);
/** Raises the soft descriptor limit to the hard one and returns it. */
uint64_t net_fd_limit_raise(void);

#endif
