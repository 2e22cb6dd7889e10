// SPDX-License-Identifier: Apache-2.0
/* rig.h: a merchant and a provider with fresh keys in a folder of their own, and what both sign. */
#ifndef EVEN_TEST_RAIL_RIG_H
#define EVEN_TEST_RAIL_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/err.h"
#include "io/net/sign.h"
#include "rail/rail.h"

#define NOW    INT64_C(1795500000000)
#define SECRET "0123456789abcdef0123456789abcdef"
#define NONCE  "abcdefghabcdefghabcdefghabcdefgh"
#define SERIAL "PUB_KEY_ID_1"

struct rig {
    char dir[200];
    struct buf merchant[2], provider[2]; /* private and public PEM */
    struct sign_key *own, *theirs, *own_public;
    struct rail *wechat, *alipay, *alloc;
};
extern struct rig rig;

int rig_setup(void **state);
int rig_teardown(void **state);
/** Writes a file below the folder of keys. */
void rig_file(const char *name, const char *text, size_t n, unsigned mode);
int rig_rail(int32_t kind, struct rail **out);

/** A reply with up to four headers, signed as its provider would. */
struct said {
    struct rail_reply reply;
    char value[4][SIGN_TEXT_MAX + 4];
    const char *const *names;
};
void said_wechat(struct said *s, int status, const char *body, int64_t at_ms);
void said_alloc(struct said *s, int status, const char *first, const char *body, int64_t at_ms);
void said_alipay(struct said *s, const char *node, const char *content, char *body, size_t size);

/** The node that answers a request of Alipay's: its method says which. */
void rig_node(const struct rail_request *q, char out[100]);
struct out_pay rig_ask(enum pay_op op, int32_t kind);
int run_answer_tests(void);
int run_notice_tests(void);
int run_doubt_tests(void);
int run_edge_tests(void);

#endif
