// SPDX-License-Identifier: Apache-2.0
/* route.c: see route.h. Owns nothing; the trie is generated and constant. Fails by answering NULL.
 */
#include "web/route.h"

#include <stdio.h>

const struct route_node *route_find(const struct str *seg, size_t n, struct str *param)
{
    const struct route_node *at = &route_nodes[0];

    *param = STR_LIT("");
    for (size_t i = 0; i < n; i++) {
        int next = at->child;

        for (; next >= 0; next = route_nodes[next].sibling) {
            const struct route_node *d = &route_nodes[next];

            if (d->seg[0] == '{') {
                *param = seg[i];
                break;
            }
            if (str_eq(seg[i], str_from(d->seg, d->seg_n)))
                break;
        }
        if (next < 0)
            return NULL;
        at = &route_nodes[next];
    }
    for (int m = 0; m < ROUTE_METHODS; m++)
        if (at->route[m] >= 0)
            return at;
    return NULL;
}

void route_allow(const struct route_node *node, char out[64])
{
    static const char *const names[] = {"GET, HEAD, ", "POST, ", "PUT, ", "DELETE, "};

    snprintf(out, 64, "%s%s%s%sOPTIONS", node->route[0] >= 0 ? names[0] : "",
             node->route[1] >= 0 ? names[1] : "", node->route[2] >= 0 ? names[2] : "",
             node->route[3] >= 0 ? names[3] : "");
}
