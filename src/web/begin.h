// SPDX-License-Identifier: Apache-2.0
/* begin.h: what happens to every request before and after its handler: path, route, address, quota,
 * who asks, may they, what they accept, token, key, body; then the handler; then tags and problems.
 */
#ifndef EVEN_WEB_BEGIN_H
#define EVEN_WEB_BEGIN_H

#include "web/request.h"

/** Looks at the head. What is wrong is kept and answered by begin_run, when the body has been read.
 */
void begin_head(struct request *r, struct str method);
/** Runs the handler (again). False: the answer is ready. True: it sleeps, and may be another thread's,
 * so that it is not touched before it is resumed. */
bool begin_run(struct request *r);
/** The desk's part of it: the handler of a slow route, whole. Its error. */
EV_MUST_USE int begin_work(struct request *r);
/** The cause id as the client sees it, and as it stands in the log; out[17]. */
void begin_cause_text(const struct request *r, char out[17]);
/** The same of a row, a frame: "" when it has none. */
struct str begin_cause_of(struct arena *a, uint64_t cause);

/* auth.c */

/** Finds out who asks: API key, or the cookie of the page. ERR_UNAUTHENTICATED for a key or cookie
 * that is not (or no longer) good on a route that needs one, else nobody. */
EV_MUST_USE int auth_actor(struct request *r);
/** Has this actor the permission, with its roles (PERM_*)? Who has one station only has none of those
 * that belong to the operator as a whole. */
bool auth_has(const struct request *r, uint32_t roles, const char *perm);
/** May this actor use the route? ERR_UNAUTHENTICATED, ERR_DENIED, ERR_CSRF. */
EV_MUST_USE int auth_check(struct request *r);

#endif
