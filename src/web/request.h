// SPDX-License-Identifier: Apache-2.0
/* request.h: one HTTP request from its first byte to its answer, and what handlers may do with it.
 *
 * A handler is `int fn(struct request *r)`. It answers 0 when the reply is in r->out (req_json,
 * req_made, …) or when it asked to wait (req_submit, req_password); a negative ERR_* becomes an RFC
 * 9457 problem. After a wait it is called again with the r->step it chose; r->reply_err and r->made
 * then hold the core's answer. r->ctx is the handler's own.
 *
 * Invariants:
 *  1. The request belongs to the HTTP thread that runs it, but while it waits to the pump or the
 *     password worker, and only under its slot.
 *  2. Everything it points to lives in its arena and dies with it.
 *  3. Nothing is sent to the core before permission, CSRF token, body and arguments have been
 *     checked. */
#ifndef EVEN_WEB_REQUEST_H
#define EVEN_WEB_REQUEST_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/slab.h"
#include "core/cmd.h"
#include "core/rows.h"
#include "io/os/crypto.h"
#include "web/address.h"
#include "web/route.h"

#define WEB_BODY_MAX    (256 * 1024)
#define WEB_OPEN_MAX    (64 * 1024)       /* the body of who is not logged in */
#define WEB_FILE_MAX    (8 * 1024 * 1024) /* a file that somebody who is logged in sends */
#define WEB_OUT_MAX     (16 * 1024 * 1024)
#define WEB_KEPT_MAX    (64 * 1024 * 1024)
#define WEB_ARENA_MAX   (16 * 1024 * 1024)
#define WEB_ARGS_MAX    16
#define WEB_HEADERS_MAX 8
#define WEB_LIMIT_MAX   200

struct web;
struct web_text;
struct sub;

/** Which of the three pages the request belongs to: each has a cookie of its own, so that one
 * browser may show all three side by side. */
enum face { FACE_STAFF, FACE_PARTNER, FACE_DRIVER, FACES };

/** Who asks. kind 0: nobody. */
struct actor {
    uint8_t kind, role; /* enum actor_kind, enum role */
    bool by_cookie;
    int64_t id, tenant, party, station; /* station: scope, 0 = all */
    int32_t quota_s;
    int32_t tenant_quota_s;
    char name[257];
    char tenant_name[401], currency[4], zone[41];
    char csrf[44];
    char session[65]; /* hex SHA-256 of the cookie's token */
};

struct request_arg {
    struct str name, value;
};
struct request_header {
    const char *name;
    struct str value;
};

struct request {
    struct web *web;
    void *conn; /* the HTTP library's connection */
    const struct route *route;
    struct arena arena;
    int64_t t0_ns;
    uint64_t cause;
    enum route_method method;
    bool head, https, loopback, begun, complete, answered;
    struct str target, path; /* raw request target; decoded path */
    struct request_arg args[WEB_ARGS_MAX];
    uint32_t args_n;
    char address[46];
    uint8_t net[ADDRESS_NET]; /* of the address, net_n bytes: what limits are counted by */
    size_t net_n;
    struct str param; /* the {parameter} of the path */
    int64_t id;       /* … as a number, when it is {id} */
    int64_t after[3]; /* the cursor's parts */
    int32_t limit;
    struct actor actor;
    enum face face;
    struct buf body;
    size_t drained;     /* bytes of a body too large that were read and dropped */
    int begin_err;      /* what is wrong with the head */
    bool options, page; /* OPTIONS; a file of the faces */
    int32_t retry_s;    /* for 429 */
    void *in;           /* the decoded body, of type route->in */
    struct store_reader *reader;
    bool snapshot; /* the reader stands on one */

    int step;
    void *ctx;
    bool wait, resumed;
    struct slab_ref slot;
    int reply_err;
    struct reply_made made;
    struct str password;                 /* job of the password worker */
    const char *hash;                    /* to verify against; NULL = make one */
    char hash_out[CRYPTO_PASSWORD_SIZE]; /* what was made */

    int status;
    struct buf out;
    struct buf kept; /* what a handler keeps between its steps, larger than the arena may be */
    struct str file; /* instead of out: constant bytes */
    bool has_fd; /* instead of out: fd_n bytes of this file from fd_at on; closed by the front */
    int fd;
    int64_t fd_at, fd_n;
    const char *mime;
    char etag[80];
    struct request_header headers[WEB_HEADERS_MAX];
    uint32_t headers_n;
    struct sub *sub; /* answer with a live stream */
    const char *pointer, *detail;
};

/* ---- from the front ---- */

/** Value of a request header, or NULL. */
const char *req_header(const struct request *r, const char *name);
/** All that lines of this name say, in their order, with commas between; "" = nothing, or too much. */
struct str req_header_joined(struct request *r, const char *name);
/** Value of a cookie, or the empty str. */
struct str req_cookie(const struct request *r, const char *name);
/** The client's network, as limits count it. */
static inline struct str req_net(const struct request *r)
{
    return str_from((const char *)r->net, r->net_n);
}
/** Adds a reply header; name is a literal, the value lives in the arena. */
void req_header_add(struct request *r, const char *name, struct str value);
/** Value of a query-string argument, or the empty str. */
struct str req_arg(const struct request *r, const char *name);
/** The same as a number; 0 when it is not there. Kinds were checked before the handler ran. */
int64_t req_arg_i64(const struct request *r, const char *name);

/** ?lang=en; documents are Chinese otherwise. */
bool req_english(const struct request *r);

/* ---- replies ---- */

/** Notes which member is wrong (JSON pointer without '#') and why, both literal or in the arena;
 * gives err back. */
EV_MUST_USE int req_fail(struct request *r, int err, const char *pointer, const char *detail);
/** Replies with one object. */
EV_MUST_USE int req_json(struct request *r, const struct wire_type *t, const void *obj);
/** Replies with {"items":[…],"next":"…"}; the items stand in an array of t->size bytes each. */
EV_MUST_USE int req_list(struct request *r, const struct wire_type *t, const void *items,
                         uint32_t n, struct str next);
/** Replies with the Made of the core's answer, or its error. */
EV_MUST_USE int req_made(struct request *r);
/** Sets the entity tag of a versioned object. */
void req_etag(struct request *r, int64_t version);
/** The version that If-Match names. ERR_PRECONDITION without one, ERR_STALE when it can match
 * nothing. */
EV_MUST_USE int req_if_match(struct request *r, int64_t *version);
/** The version that a PUT changes, by If-Match; 0 for a POST, which makes a new one. */
EV_MUST_USE int req_version(struct request *r, int64_t *version);
/** Fills r->out with the problem of an error. */
void req_problem(struct request *r, int err);

/* ---- commands ---- */

/** A zeroed command of that many bytes (CMD_SIZE) with its head filled from the request; NULL when
 * the arena is full. */
struct cmd *req_cmd(struct request *r, enum cmd_type type, size_t size);
/** Copies a text into a command, whole: what does not fit is refused with its pointer. The API counts
 * characters, commands count bytes. ERR_RANGE. */
EV_MUST_USE int req_text(struct request *r, char *to, size_t cap, struct str text,
                         const char *pointer);
#define REQ_TEXT(r, to, text, pointer) req_text((r), (to), sizeof(to), (text), (pointer))
/** Marks the command with the request's Idempotency-Key and fingerprint. */
void req_idem(struct request *r, struct cmd *cmd);
/** Sends the command and waits; the handler runs again at `step`. */
EV_MUST_USE int req_submit(struct request *r, struct cmd *cmd, int step);
/** Hands a code to the sender of texts and waits; the handler runs again at `step`, reply_err tells. */
EV_MUST_USE int req_text_send(struct request *r, struct web_text *t, int step);
/** Has the password worker hash (hash NULL) or verify; the handler runs again at `step`, reply_err
 * tells. */
EV_MUST_USE int req_password(struct request *r, struct str password, const char *hash, int step);
/** Sends CMD_ROW_PUT for the row and waits. */
EV_MUST_USE int req_row_put(struct request *r, enum row_table table, const void *row, bool create,
                            int step);
/** … of a station at which 云快充 piles stand, or not. */
EV_MUST_USE int req_row_put_piles(struct request *r, enum row_table table, const void *row,
                                  bool create, bool piles, int step);

/* ---- queries ---- */

struct bind {
    const char *name;
    struct sql_value v;
};
#define BIND_I64(n, x)  ((struct bind){(n), SQL_I64(x)})
#define BIND_TEXT(n, x) ((struct bind){(n), SQL_TEXT(x)})

/** Borrows a reader for this run of the handler, on one snapshot; given back when the handler
 * returns. ERR_AGAIN. */
EV_MUST_USE int req_reader(struct request *r);
/** Leaves the snapshot (samples are read without one). */
void req_snapshot_end(struct request *r);
/** Runs a query; parameters are bound by name from `extra`, then from the request: tenant, scope
 * (station), actor, party, id, after (INT64_MAX on
 * the first page), after2, after3, lim, clear (may see phones), now_ms, today,
 * today_ms, month_ms and the arguments of the route. */
EV_MUST_USE int req_query(struct request *r, enum query q, const struct bind *extra, size_t n,
                          query_row_fn *fn, void *ctx);

/** The number in the first column of the query's row; *out stays when there is none. ERR_NOT_FOUND
 * as the query has it. */
EV_MUST_USE int req_number(struct request *r, enum query q, const struct bind *extra, size_t n,
                           int64_t *out);

struct rows {
    const struct wire_type *type;
    char *p;               /* n structs of type->size bytes */
    uint32_t n, size, max; /* max 0 = all */
    bool more;             /* the query had rows beyond max */
    int64_t next[3];       /* columns cursor, cursor2, cursor3 of the last row kept, else its id */
};
/** All rows as structs of an API type, columns matched by name; at most `max` rows are kept. */
EV_MUST_USE int req_rows(struct request *r, enum query q, const struct bind *extra, size_t n,
                         struct rows *out);
/** One row; ERR_NOT_FOUND. */
EV_MUST_USE int req_one(struct request *r, enum query q, const struct bind *extra, size_t n,
                        const struct wire_type *t, void *obj);
/** One row as the row struct of a table (arena); columns that the query has not are left zero.
 * ERR_NOT_FOUND also for another tenant's. */
EV_MUST_USE int req_table_row(struct request *r, enum query q, enum row_table t, int64_t id,
                              void *row);
/** Puts one more cleared struct at the end of the rows, or NULL. */
void *rows_add(struct request *r, struct rows *rows);
/** Replies with a page of rows; its cursor when there are more. */
EV_MUST_USE int req_page(struct request *r, const struct rows *rows);
/** Answers a route that has only a query. */
EV_MUST_USE int req_query_route(struct request *r);
/** The same by a query that its handler chose. */
EV_MUST_USE int req_query_answer(struct request *r, enum query q, const struct bind *extra,
                                 size_t n);

/** Copies into the arena; the empty text when it is full. */
struct str req_copy(struct request *r, struct str s);
const char *req_copy_c(struct request *r, struct str s);
/** Begin and end of a month (yyyymm) in the tenant's zone. */
void req_month(const struct request *r, int64_t month, int64_t *from_ms, int64_t *to_ms);
/** Local midnight and date of the tenant. */
void req_today(struct request *r, int64_t *today_ms, int64_t *month_ms, int64_t *yyyymmdd);

#endif
