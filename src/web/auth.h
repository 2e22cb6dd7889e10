// SPDX-License-Identifier: Apache-2.0
/* auth.h: tokens, cookies and hashes of log-ins, for the handlers that make them. */
#ifndef EVEN_WEB_AUTH_H
#define EVEN_WEB_AUTH_H

#include "web/request.h"

#define AUTH_TOKEN_SIZE 44 /* 256 random bits as text, NUL included */

void auth_token_make(char out[AUTH_TOKEN_SIZE]);
/** Hex of SHA-256: how a token stands in the rows. */
void auth_token_hash(struct str token, char hex[65]);
/** The CSRF token of a session: made of its hash and of what its owner logs in with (password hash,
 * phone), so that changing that ends the sessions made with it. */
void auth_csrf_make(const struct web *w, const char *session, const char *anchor,
                    char out[AUTH_TOKEN_SIZE]);
/** Hex of keyed BLAKE2b: API keys, passwords of chargers. */
void auth_keyed_hex(const struct web *w, struct str secret, char hex[65]);
/** Sets (or with life_s 0 clears) the cookie of a face. */
void auth_cookie_set(struct request *r, enum face face, const char *token, int64_t life_s);
/** Accounts have changed: everybody is read again; the live streams of that actor (0 = none) end.
 */
void auth_forget(struct web *w, int64_t actor);

#endif
