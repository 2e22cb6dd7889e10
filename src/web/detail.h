// SPDX-License-Identifier: Apache-2.0
/* detail.h: the detail of a problem in Chinese. Handlers and the decoder say in English what is wrong;
 * people read it in their language. Any thread; cannot fail: what is unknown has no translation. */
#ifndef EVEN_WEB_DETAIL_H
#define EVEN_WEB_DETAIL_H

#include "base/arena.h"

/** The same in Chinese, in the arena or a literal; n = 0: there is none. */
struct str detail_zh(struct arena *a, const char *detail);

#endif
