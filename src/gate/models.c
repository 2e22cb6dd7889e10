// SPDX-License-Identifier: Apache-2.0
/* models.c: see models.h. Cannot fail: who finds no room is "other". */
#include "gate/models.h"

#include <stdio.h>

enum { UNKNOWN, OTHER, FIRST, WORD = 24 };

/* Printable ASCII without what a label would have to escape. */
static void word_clean(struct str text, char out[WORD + 1])
{
    size_t n = 0;
    text = str_trim(text);
    for (; n < text.n && n < WORD; n++) {
        char c = text.p[n];
        out[n] = c >= ' ' && c < 0x7f && c != '"' && c != '\\' ? c : '_';
    }
    out[n] = 0;
}

static void label_write(const struct gate_models *m, const char *vendor, const char *model,
                        char out[96])
{
    (void)snprintf(out, 96, "reactor=\"%u\",vendor=\"%s\",model=\"%s\"", (unsigned)m->reactor,
                   vendor, model);
}

void gate_models_init(struct gate_models *m, uint16_t reactor)
{
    m->reactor = reactor;
    label_write(m, "", "unknown", m->at[UNKNOWN].label);
    label_write(m, "", "other", m->at[OTHER].label);
    atomic_store(&m->n, FIRST);
}

uint8_t gate_models_find(struct gate_models *m, struct str vendor, struct str model)
{
    char v[WORD + 1], k[WORD + 1], label[96];
    uint32_t n = atomic_load_explicit(&m->n, memory_order_relaxed);
    word_clean(vendor, v);
    word_clean(model, k);
    label_write(m, v, k, label);
    for (uint32_t i = FIRST; i < n; i++)
        if (strcmp(m->at[i].label, label) == 0)
            return (uint8_t)i;
    if (n == GATE_MODELS)
        return OTHER;
    memcpy(m->at[n].label, label, sizeof label);
    atomic_store_explicit(&m->n, n + 1, memory_order_release);
    return (uint8_t)n;
}
