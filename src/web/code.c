// SPDX-License-Identifier: Apache-2.0
/* code.c: see code.h. Data: one array of CODES_N entries, a phone may stand in any of WAYS
 * neighbouring places. Fails by refusing. Under the web's guard. */
#include "web/code.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/err.h"
#include "base/hash.h"
#include "io/os/crypto.h"

enum { WAYS = 4 };

int codes_init(struct codes *c, uint64_t seed)
{
    c->seed = seed;
    c->at = calloc(CODES_N, sizeof(c->at[0]));
    return c->at == NULL ? ERR_NOMEM : 0;
}

void codes_free(struct codes *c)
{
    if (c->at != NULL)
        crypto_wipe(c->at, CODES_N * sizeof(c->at[0]));
    free(c->at);
    c->at = NULL;
}

static struct code *code_row(struct codes *c, const char *phone)
{
    uint64_t h = hash_bytes(phone, strlen(phone), c->seed);

    return &c->at[h % (CODES_N / WAYS) * WAYS];
}

void codes_put(struct codes *c, const char *phone, uint64_t random, int64_t now_ns, char out[7])
{
    struct code *row = code_row(c, phone), *put = &row[0];

    for (int i = 0; i < WAYS; i++) {
        if (strcmp(row[i].phone, phone) == 0) {
            put = &row[i];
            break;
        }
        if (row[i].until_ns < put->until_ns)
            put = &row[i];
    }
    str_copy(put->phone, sizeof(put->phone), str_from_c(phone));
    snprintf(put->digits, sizeof(put->digits), "%06u", (unsigned)(random % 1000000));
    put->tries = 0;
    put->until_ns = now_ns + CODE_LIFE_NS;
    memcpy(out, put->digits, sizeof(put->digits));
}

int codes_check(struct codes *c, const char *phone, struct str digits, int64_t now_ns)
{
    struct code *row = code_row(c, phone);

    for (int i = 0; i < WAYS; i++) {
        struct code *k = &row[i];

        if (strcmp(k->phone, phone) != 0 || k->until_ns < now_ns || ++k->tries > CODE_TRIES)
            continue;
        if (digits.n != 6 || !str_eq_const_time(digits.p, k->digits, 6))
            return ERR_LOGIN_FAILED;
        *k = (struct code){0};
        return 0;
    }
    return ERR_NOT_FOUND;
}
