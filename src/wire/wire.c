// SPDX-License-Identifier: Apache-2.0
/* wire.c: looking things up in the generated tables. */
#include "wire/wire.h"

const struct wire_msg *wire_msg_find(const struct wire_proto *p, struct str name)
{
    size_t lo = 0, hi = p->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int cmp = str_cmp(name, str_from_c(p->msg[mid].name));
        if (cmp == 0)
            return &p->msg[mid];
        if (cmp < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

const struct wire_msg *wire_msg_by_code(const struct wire_proto *p, uint8_t code)
{
    for (uint16_t i = 0; i < p->n; i++)
        if (p->msg[i].code == code)
            return &p->msg[i];
    return NULL;
}

struct str wire_enum_text(const struct wire_enum *e, int value)
{
    return value >= 1 && value <= e->n ? e->value[value - 1] : STR_NONE;
}

int wire_enum_find(const struct wire_enum *e, struct str text)
{
    for (uint16_t i = 0; i < e->n; i++)
        if (str_eq(e->value[i], text))
            return i + 1;
    return 0;
}
