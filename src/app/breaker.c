// SPDX-License-Identifier: Apache-2.0
/* breaker.c: see breaker.h. */
#include "app/breaker.h"

enum { FAILURES_MOST = 5, OPEN_MS = 2000, OPEN_MOST_MS = 60000 };

bool breaker_lets(struct breaker *b, int64_t now_ns)
{
    if (!b->open)
        return true;
    if (b->probing || now_ns < b->open_until_ns)
        return false;
    b->probing = true;
    return true;
}

bool breaker_close(struct breaker *b)
{
    bool was = b->open;
    *b = (struct breaker){0};
    return was;
}

bool breaker_fail(struct breaker *b, int64_t now_ns)
{
    b->probing = false;
    if (++b->failures < FAILURES_MOST)
        return false;
    int more = b->failures - FAILURES_MOST;
    int64_t ms = OPEN_MS << (more < 5 ? more : 5);
    b->open_until_ns = now_ns + (ms < OPEN_MOST_MS ? ms : OPEN_MOST_MS) * 1000000;
    bool opens = !b->open;
    b->open = true;
    return opens;
}
