// SPDX-License-Identifier: Apache-2.0
/* doc_xlsx.c: a document as a workbook; see doc.h. The only file that sees libxlsxwriter. The library
 * writes to a path: it gets one of the process's own memory files, so nothing of the document touches
 * the disk but the library's temporary parts. */
#define _GNU_SOURCE /* memfd_create */
#include "web/doc.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "base/err.h"

enum { PIECE = 1 << 16, NAME_WIDTH = 26, VALUE_WIDTH = 40, DAYS_TO_1970 = 25569 };
enum { STAYS_TEXT = 49 }; /* the format @ as all spreadsheets know it */

struct sheet {
    lxw_workbook *book;
    lxw_worksheet *sheet;
    lxw_format *head, *strong, *of[DOC_DIGITS + 1]; /* of DOC_TEXT: none */
    const struct doc *doc;
};

static void formats_make(struct sheet *s)
{
    static const char *const shown[] = {[DOC_MONEY] = "#,##0.00##",
                                        [DOC_ENERGY] = "#,##0.000",
                                        [DOC_TIME] = "yyyy-mm-dd hh:mm",
                                        [DOC_COUNT] = "#,##0"};
    s->head = workbook_add_format(s->book);
    format_set_bold(s->head);
    format_set_bottom(s->head, LXW_BORDER_THIN);
    s->strong = workbook_add_format(s->book);
    format_set_bold(s->strong);
    for (int k = DOC_MONEY; k <= DOC_COUNT; k++) {
        s->of[k] = workbook_add_format(s->book);
        format_set_num_format(s->of[k], shown[k]);
    }
    s->of[DOC_DIGITS] = workbook_add_format(s->book);
    format_set_num_format_index(s->of[DOC_DIGITS], STAYS_TEXT);
}

/* Days since the epoch of workbooks, in the document's own zone. */
static double serial_day(const struct doc *d, int64_t ms)
{
    int64_t local = ms + INT64_C(1000) * zone_offset_s(d->zone, ms);
    return (double)DAYS_TO_1970 + (double)local / 86400000.0;
}

static void cell_write(const struct sheet *s, uint32_t row, int column, enum doc_kind kind,
                       const struct doc_cell *cell)
{
    lxw_col_t at = (lxw_col_t)column;
    char text[512]; /* the longest payee, 120 characters of four bytes, is whole */
    switch (kind) {
    case DOC_TEXT:
    case DOC_DIGITS:
        snprintf(text, sizeof text, "%.*s", STR_FMT(cell->text));
        worksheet_write_string(s->sheet, row, at, text, s->of[kind]);
        break;
    case DOC_MONEY:
        worksheet_write_number(s->sheet, row, at, (double)cell->v / 10000.0, s->of[kind]);
        break;
    case DOC_ENERGY:
        worksheet_write_number(s->sheet, row, at, (double)cell->v / 1000000.0, s->of[kind]);
        break;
    case DOC_TIME:
        if (cell->v)
            worksheet_write_number(s->sheet, row, at, serial_day(s->doc, cell->v), s->of[kind]);
        break;
    case DOC_COUNT:
        worksheet_write_number(s->sheet, row, at, (double)cell->v, s->of[kind]);
        break;
    }
}

static void facts_write(struct sheet *s)
{
    const struct doc *d = s->doc;
    uint32_t row = 0;
    s->sheet = workbook_add_worksheet(s->book, NULL);
    worksheet_set_column(s->sheet, 0, 0, NAME_WIDTH, NULL);
    worksheet_set_column(s->sheet, 1, 1, VALUE_WIDTH, NULL);
    worksheet_write_string(s->sheet, row++, 0, d->title, s->strong);
    row++;
    for (int i = 0; i < d->facts_n; i++, row++) {
        const struct doc_fact *f = &d->fact[i];
        worksheet_write_string(s->sheet, row, 0, f->name, f->strong ? s->strong : NULL);
        cell_write(s, row, 1, f->kind, &f->v);
    }
    if (d->foot)
        worksheet_write_string(s->sheet, row + 1, 0, d->foot, NULL);
}

static void table_write(struct sheet *s, const struct doc_table *t)
{
    s->sheet = workbook_add_worksheet(s->book, t->name);
    if (!s->sheet)
        return;
    for (int k = 0; k < t->columns_n; k++) {
        lxw_format *all = t->column[k].kind == DOC_DIGITS ? s->of[DOC_DIGITS] : NULL;
        worksheet_set_column(s->sheet, (lxw_col_t)k, (lxw_col_t)k, t->column[k].width, all);
        worksheet_write_string(s->sheet, 0, (lxw_col_t)k, t->column[k].name, s->head);
    }
    worksheet_freeze_panes(s->sheet, 1, 0);
    for (uint32_t i = 0; i < t->rows_n; i++)
        for (int k = 0; k < t->columns_n; k++)
            cell_write(s, i + 1, k, t->column[k].kind,
                       &t->cell[(size_t)i * (size_t)t->columns_n + (size_t)k]);
}

static int file_take(int fd, struct buf *out)
{
    char piece[PIECE];
    ssize_t n;
    if (lseek(fd, 0, SEEK_SET) != 0)
        return ERR_IO;
    while ((n = read(fd, piece, sizeof piece)) > 0)
        buf_put(out, piece, (size_t)n);
    return n < 0 ? ERR_IO : out->err;
}

int doc_xlsx(const struct doc *d, struct buf *out)
{
    char path[40];
    struct sheet s = {.doc = d};
    int rc = ERR_NOMEM, fd = memfd_create("sheet", MFD_CLOEXEC);
    if (fd < 0)
        return ERR_IO;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    s.book = workbook_new(path);
    if (!s.book)
        goto out;
    formats_make(&s);
    if (d->facts_n > 0)
        facts_write(&s);
    for (int i = 0; i < d->tables_n; i++)
        table_write(&s, &d->table[i]);
    rc = workbook_close(s.book) == LXW_NO_ERROR ? file_take(fd, out) : ERR_IO;
out:
    close(fd);
    return rc;
}
