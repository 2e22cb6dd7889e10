// SPDX-License-Identifier: Apache-2.0
/* assets.h: the files built into the program: the three faces, openapi.json, api.gen.ts.
 * tools/gen/gen_embed makes the table and one object with all bytes; it compresses what gets
 * smaller. Constant data, any thread. */
#ifndef EVEN_WEB_ASSETS_H
#define EVEN_WEB_ASSETS_H

#include "base/str.h"

struct request;

struct asset_row { /* generated, sorted by path */
    const char *path, *mime, *etag;
    uint32_t at, n, gz_at, gz_n; /* gz_n 0 = not compressed */
};
extern const struct asset_row asset_rows[];
extern const uint32_t asset_rows_n;
extern const char asset_bytes[];

struct asset {
    const char *path, *mime, *etag;
    struct str body, gz;
    bool immutable; /* its name carries a hash of its content */
};

/** The file of that path ("console/index.html"), or NULL. Valid until the next call of this thread.
 */
const struct asset *asset_find(struct str path);
/** Answers GET of a page or file; ERR_NOT_FOUND. */
EV_MUST_USE int assets_serve(struct request *r);

#endif
