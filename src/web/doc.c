// SPDX-License-Identifier: Apache-2.0
/* doc.c: numbers of documents as people read them; see doc.h. Pure. */
#include "web/doc.h"

#include <inttypes.h>
#include <stdio.h>

/* "-1,234.5" from whole and fraction; places digits of the fraction, of which trailing zeros beyond
 * `least` go. */
static void grouped(int64_t v, int64_t scale, int places, int least, char out[DOC_NUMBER_SIZE])
{
    uint64_t a = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    uint64_t whole = a / (uint64_t)scale, part = a % (uint64_t)scale;
    char digits[24], *o = out;
    int n = snprintf(digits, sizeof digits, "%" PRIu64, whole);
    if (v < 0)
        *o++ = '-';
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            *o++ = ',';
        *o++ = digits[i];
    }
    *o = 0;
    if (!places)
        return;
    o += snprintf(o, 24, ".%0*" PRIu64, places, part);
    while (places > least && o[-1] == '0') {
        *--o = 0;
        places--;
    }
}

void doc_number(const struct doc *d, enum doc_kind kind, int64_t v, char out[DOC_NUMBER_SIZE])
{
    struct civil c;
    out[0] = 0;
    if (kind == DOC_MONEY) {
        grouped(v, 10000, 4, 2, out);
    } else if (kind == DOC_ENERGY) {
        grouped(v, 1000000, 6, 3, out);
    } else if (kind == DOC_COUNT) {
        grouped(v, 1, 0, 0, out);
    } else if (kind == DOC_TIME && v) {
        zone_civil(d->zone, v, &c);
        snprintf(out, DOC_NUMBER_SIZE, "%04d-%02d-%02d %02d:%02d", (int)c.year, (int)c.month,
                 (int)c.day, (int)c.hour, (int)c.minute);
    }
}
