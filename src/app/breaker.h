// SPDX-License-Identifier: Apache-2.0
/* breaker.h: whom to leave alone for a while. Closed, open until a time, or one probe under way: after
 * five failures in a row it opens for 2 s, doubled up to a minute; then one request goes out to try. Plain
 * data of its owner's thread. Cannot fail. */
#ifndef EVEN_APP_BREAKER_H
#define EVEN_APP_BREAKER_H

#include "base/compiler.h"

struct breaker {
    int failures; /* in a row */
    int64_t open_until_ns;
    bool open, probing;
};

/** May a request go out? The one that may while it is open is the probe. */
bool breaker_lets(struct breaker *b, int64_t now_ns);
/** The other side answered. True when it was open. */
bool breaker_close(struct breaker *b);
/** It did not. True when that opens it. */
bool breaker_fail(struct breaker *b, int64_t now_ns);

#endif
