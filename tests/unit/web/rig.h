// SPDX-License-Identifier: Apache-2.0
/* rig.h: a front over a real store in a temporary folder, with an engine that answers from a
 * script, and a small HTTP client over loopback. One rig at a time; the front has one HTTP thread,
 * which is also the thread that the engine's answers are made in. */
#ifndef EVEN_TEST_WEB_RIG_H
#define EVEN_TEST_WEB_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/err.h"
#include "core/types.h"
#include "store/query.h"
#include "store/store.h"
#include "web/web.h"

/* Ids of what every rig holds. Tenant 2 is a stranger with one of everything that matters. */
enum {
    T1 = 1,
    T2 = 2,
    PLATFORM = 11,
    OWNER = 12,
    P2 = 13,
    ADMIN = 21,
    PARTNER = 22,
    VIEWER = 23,
    ADMIN2 = 24,
    LOCKED = 25,
    DRIVER = 31,
    DRIVER2 = 32,
    STATION = 41,
    STATION2 = 42,
    STATION_B = 43,
    CHARGER = 51,
    CHARGER2 = 52,
    CHARGER_B = 53,
    CONNECTOR = 61,
    CONNECTOR2 = 62,
    TARIFF = 71,
    CONTRACT = 81,
    WALLET = 91,
    CASH = 92,
    PENDING = 93,
    INCOME = 94,
    ORDER = 101,
    SESSION = 111,
    TRANSFER_1 = 201,
    TRANSFER_2 = 202,
    COMMAND = 301
};
#define RIG_PASSWORD "correct horse battery"

struct rig {
    char dir[64];
    struct store *store;
    struct web *web;
    uint16_t port;
    struct cmd last;      /* the last command submitted */
    _Atomic int commands; /* how many */
    int answer_err;       /* what the engine says */
    struct reply_made answer;
    bool silent;         /* the engine does not answer */
    bool full;           /* the mailbox is full */
    char cookie[3][160]; /* by enum face */
    char csrf[3][64];
};

/** Starts; with `empty` there is no tenant yet. The configuration's list of proxies, file of daily
 * counts, time for a request and how many requests may wait; the front's own by default. */
extern const char *rig_proxies, *rig_daily;
extern uint32_t rig_request_s, rig_in_flight;
void rig_start(struct rig *rig, bool empty);
void rig_stop(struct rig *rig);

struct reply {
    int status;
    char head[4096];
    char body[512 * 1024];
    size_t n;
};
/** One exchange. head: extra header lines, each with CR LF, may be NULL; body may be NULL. The
 * reply is valid until the next. */
const struct reply *rig_call(struct rig *rig, const char *method, const char *path,
                             const char *head, const char *body);
/** The same as somebody who is logged in (enum face of request.h): cookie and, for writes, CSRF
 * token. */
const struct reply *rig_as(struct rig *rig, int face, const char *method, const char *path,
                           const char *head, const char *body);
/** Logs in and keeps cookie and token. */
void rig_login(struct rig *rig, int face, const char *login);
void rig_login_driver(struct rig *rig, const char *phone);
/** Value of a header of the reply, cut at the line's end, or "". */
const char *rig_header(const struct reply *r, const char *name);
/** A bare connection. */
int rig_dial(const struct rig *rig);
/** Opens a stream: the socket after the request was sent. */
int rig_stream(struct rig *rig, int face, const char *path);
/** Reads from the stream until `want` has been seen (true) or ms have passed. Everything read is in
 * text. */
bool rig_stream_wait(int fd, const char *want, int ms, char *text, size_t cap);

/* The groups of the other files. */
int api_tests(void);
int bad_tests(void);
int live_tests(void);
int limit_tests(void);
int sheet_tests(void);
int ftp_pass_tests(void);
int frame_tests(void);
int taken_tests(void);
int earned_tests(void);
int look_tests(void);
int home_tests(void);
int desk_tests(void);
int bank_tests(void);
int wall_tests(void);

#define assert_has(text, part)     assert_non_null(strstr((text), (part)))
#define assert_has_not(text, part) assert_null(strstr((text), (part)))

#endif
