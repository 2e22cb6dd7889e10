// SPDX-License-Identifier: Apache-2.0
/* doc.h: documents that people take away: a title, lines of facts, and tables; written as a workbook
 * (XLSX) or to print (PDF). Both carry Chinese. A document is built in a request's arena and borrows
 * everything it points to.
 *
 * Amounts and energies are numbers in a workbook, so that an accountant can add them up: they come in
 * the units of the house and are divided here, where they leave it. Times are shown in the zone that
 * the document names. Digits that are no number (accounts, cards, our ids) are text, in cells that stay text
 * whatever people type into them: a spreadsheet rounds numbers beyond their fifteenth digit. Thread: the request's; libhpdf and libxlsxwriter keep no state between calls. */
#ifndef EVEN_WEB_DOC_H
#define EVEN_WEB_DOC_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/zone.h"

enum doc_kind { DOC_TEXT, DOC_MONEY, DOC_ENERGY, DOC_TIME, DOC_COUNT, DOC_DIGITS };

#define DOC_COLUMNS_MAX 20
#define DOC_TABLES_MAX  4
#define DOC_FACTS_MAX   20

struct doc_column {
    const char *name;
    enum doc_kind kind;
    int width; /* characters */
};
struct doc_cell {
    struct str text; /* DOC_TEXT, DOC_DIGITS */
    int64_t v;       /* the others: 1/10,000 yuan, mWh, ms UTC, a count */
};
struct doc_table {
    const char *name;
    int columns_n;
    struct doc_column column[DOC_COLUMNS_MAX];
    const struct doc_cell *cell; /* rows_n × columns_n */
    uint32_t rows_n;
};
struct doc_fact {
    const char *name;
    enum doc_kind kind;
    struct doc_cell v;
    bool strong;
};
struct doc {
    const char *title;
    const struct zone *zone;
    int facts_n, tables_n;
    struct doc_fact fact[DOC_FACTS_MAX];
    struct doc_table table[DOC_TABLES_MAX];
    const char *foot; /* one line at the end */
};

#define DOC_NUMBER_SIZE 48
/** A cell as people read it: "1,234.50", "12.345", "2026-11-25 08:30". */
void doc_number(const struct doc *d, enum doc_kind kind, int64_t v, char out[DOC_NUMBER_SIZE]);

static inline bool doc_is_text(enum doc_kind kind)
{
    return kind == DOC_TEXT || kind == DOC_DIGITS;
}

/** Writes the workbook: a sheet of the facts if there are any, a sheet a table. ERR_NOMEM, ERR_IO. */
EV_MUST_USE int doc_xlsx(const struct doc *d, struct buf *out);
/** Writes pages of A4 with their numbers. Needs a font with Chinese (fonts-wqy-zenhei); without one
 * ERR_UNSUPPORTED. ERR_NOMEM. */
EV_MUST_USE int doc_pdf(const struct doc *d, struct buf *out);

#endif
