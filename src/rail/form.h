// SPDX-License-Identifier: Apache-2.0
/* form.h: bodies of application/x-www-form-urlencoded, and the text over them that Alipay signs:
 * all members but `sign` (and `sign_type` in notices), sorted by name, as name=value joined by '&'. Pure. */
#ifndef EVEN_RAIL_FORM_H
#define EVEN_RAIL_FORM_H

#include "base/arena.h"
#include "base/buf.h"

#define FORM_MAX 64

struct form_pair {
    struct str name, value;
};
struct form {
    struct form_pair pair[FORM_MAX];
    size_t n;
};

/** Decodes into the arena. ERR_SYNTAX (bad escape, not UTF-8, a name twice), ERR_FULL, ERR_NOMEM. */
EV_MUST_USE int form_read(struct str body, struct arena *a, struct form *f);
/** The empty str when it is not there. */
struct str form_get(const struct form *f, const char *name);
/** Appends what is signed; sorts the form. With `typed` the member sign_type belongs to it, as in
 * requests (notices leave it out). */
void form_sign_text(struct form *f, bool typed, struct buf *out);

#endif
