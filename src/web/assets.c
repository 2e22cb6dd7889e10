// SPDX-License-Identifier: Apache-2.0
/* assets.c: see assets.h. Paths are looked up in a constant table and nowhere else, so no path
 * trick reaches a file system. Pages of the faces route by themselves: a path without a file below
 * /console, /d, /c, /p is their index. */
#include "web/assets.h"

#include <stdlib.h>
#include "base/err.h"
#include "web/request.h"

static int row_cmp(const void *key, const void *row)
{
    const struct asset_row *a = row;

    return str_cmp(*(const struct str *)key, str_from_c(a->path));
}

/* vite writes name-XXXXXXXX.ext */
static bool name_hashed(struct str path)
{
    return str_starts(path, STR_LIT("assets/"));
}

const struct asset *asset_find(struct str path)
{
    static _Thread_local struct asset found;
    const struct asset_row *row =
        bsearch(&path, asset_rows, asset_rows_n, sizeof(asset_rows[0]), row_cmp);

    if (row == NULL)
        return NULL;
    found = (struct asset){row->path,
                           row->mime,
                           row->etag,
                           str_from(asset_bytes + row->at, row->n),
                           str_from(asset_bytes + row->gz_at, row->gz_n),
                           name_hashed(path)};
    return &found;
}

/* The page that a path without a file belongs to, or the empty str. */
static struct str page_of(struct str path)
{
    static const struct {
        struct str prefix, page;
    } pages[] = {{{"console", 7}, {"console/index.html", 18}},
                 {{"d", 1}, {"driver/index.html", 17}},
                 {{"c", 1}, {"driver/index.html", 17}},
                 {{"p", 1}, {"partner/index.html", 18}}};
    struct str rest = path, first = str_cut(&rest, '/');

    if (path.n == 0)
        return pages[0].page;
    for (size_t i = 0; i < ARRAY_LEN(pages); i++)
        if (str_eq(first, pages[i].prefix) && str_find(rest, '.') < 0)
            return pages[i].page;
    return STR_LIT("");
}

static bool gzip_accepted(const struct request *r)
{
    const char *accept = req_header(r, "Accept-Encoding");

    return accept != NULL && strstr(accept, "gzip") != NULL;
}

int assets_serve(struct request *r)
{
    struct str path = r->path;
    const struct asset *a;

    if (path.n > 0 && path.p[0] == '/')
        path = str_from(path.p + 1, path.n - 1);
    a = asset_find(path);
    if (a == NULL)
        a = asset_find(page_of(path));
    if (a == NULL)
        a = page_of(path).n > 0 ? asset_find(STR_LIT("index.html")) : NULL;
    if (a == NULL || str_starts(path, STR_LIT("api/")))
        return ERR_NOT_FOUND;
    r->mime = a->mime;
    r->status = 200;
    r->file = a->body;
    str_copy(r->etag, sizeof(r->etag), str_from_c(a->etag));
    req_header_add(r, "Cache-Control",
                   a->immutable ? STR_LIT("public, max-age=31536000, immutable")
                                : STR_LIT("no-cache"));
    req_header_add(r, "Vary", STR_LIT("Accept-Encoding"));
    if (a->gz.n > 0 && gzip_accepted(r)) {
        r->file = a->gz;
        req_header_add(r, "Content-Encoding", STR_LIT("gzip"));
    }
    return 0;
}
