// SPDX-License-Identifier: Apache-2.0
/* route.h: the generated table of routes and the search in it. Rows come from tables/routes.tbl;
 * the trie is walked a segment at a time, literals before parameters. Constant data, any thread. */
#ifndef EVEN_WEB_ROUTE_H
#define EVEN_WEB_ROUTE_H

#include "base/str.h"
#include "store/query.h"
#include "wire/wire.h"

struct request;

enum route_method { ROUTE_GET, ROUTE_POST, ROUTE_PUT, ROUTE_DELETE, ROUTE_METHODS };
enum route_flag { ROUTE_IDEM = 1, ROUTE_PAGE = 2, ROUTE_LIST = 4, ROUTE_RAW = 8, ROUTE_SLOW = 16 };
enum reply_kind {
    REPLY_TYPE,
    REPLY_TEXT,
    REPLY_JSON,
    REPLY_SVG,
    REPLY_SSE,
    REPLY_XLSX,
    REPLY_PDF,
    REPLY_FILE
};
enum arg_kind { ARG_ID, ARG_INT, ARG_TIME, ARG_TEXT };

struct route_arg {
    const char *name;
    enum arg_kind kind;
};
struct route {
    const char *name, *path;
    uint8_t method, flags, reply;
    uint32_t roles; /* bit 1 << enum role */
    const char *perm;
    const struct wire_type *in, *out;
    int (*fn)(struct request *r); /* NULL: `query` answers */
    int query;                    /* enum query, -1 = none */
    const struct route_arg *args;
    uint8_t args_n;
};
struct route_node {
    const char *seg;
    uint8_t seg_n;
    int16_t child, sibling; /* -1 = none */
    int16_t route[ROUTE_METHODS];
};

extern const struct route routes[];
extern const int routes_n;
extern const struct route_node route_nodes[];

/** The node of a path already cut into n decoded segments, or NULL. *param gets the segment that
 * stood for the {parameter}, or the empty str. */
const struct route_node *route_find(const struct str *seg, size_t n, struct str *param);
/** "GET, HEAD, POST, OPTIONS" for the Allow header; writes out[64]. */
void route_allow(const struct route_node *node, char out[64]);

#endif
