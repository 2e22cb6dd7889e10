// SPDX-License-Identifier: Apache-2.0
/* doc_pdf.c: a document as pages of A4; see doc.h. The only file that sees libhpdf. The font is
 * WenQuanYi Zen Hei (doc/decisions/font-of-documents.md); only the glyphs in use are carried.
 *
 * A page is filled from the top; when a row does not fit, the next page begins with the table's head.
 * Fails: libhpdf calls back on the first error, which is kept; everything after it does nothing. */
#include "web/doc.h"

#include <hpdf.h>
#include <stdio.h>

#include "base/err.h"

#define FONT_FILE "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"

enum { MARGIN = 48, LINE = 17, SIZE_TEXT = 9, SIZE_HEAD = 11, SIZE_TITLE = 17, PADDING = 4 };
enum { TEXT_MAX = 400 };

struct print {
    const struct doc *doc;
    HPDF_Doc pdf;
    HPDF_Page page;
    HPDF_Font font;
    float y, width, height;
    int pages;
    HPDF_STATUS failed;
};

static void on_error(HPDF_STATUS error, HPDF_STATUS detail, void *ctx)
{
    struct print *p = ctx;
    (void)detail;
    if (!p->failed)
        p->failed = error;
}

static void text_at(struct print *p, float x, float size, const char *text)
{
    HPDF_Page_SetFontAndSize(p->page, p->font, size);
    HPDF_Page_BeginText(p->page);
    HPDF_Page_TextOut(p->page, x, p->y, text);
    HPDF_Page_EndText(p->page);
}

static void rule(struct print *p, float y)
{
    HPDF_Page_SetLineWidth(p->page, 0.5F);
    HPDF_Page_MoveTo(p->page, MARGIN, y);
    HPDF_Page_LineTo(p->page, p->width - MARGIN, y);
    HPDF_Page_Stroke(p->page);
}

static void page_new(struct print *p)
{
    char number[16];
    p->page = HPDF_AddPage(p->pdf);
    if (!p->page)
        return;
    HPDF_Page_SetSize(p->page, HPDF_PAGE_SIZE_A4, HPDF_PAGE_PORTRAIT);
    p->width = HPDF_Page_GetWidth(p->page);
    p->height = HPDF_Page_GetHeight(p->page);
    p->y = MARGIN / 2.0F;
    snprintf(number, sizeof number, "%d", ++p->pages);
    text_at(p, p->width / 2, SIZE_TEXT, number);
    p->y = p->height - MARGIN;
}

/* Cuts the text at whole characters so that it fits the width. */
static void fit(struct print *p, char *text, float width)
{
    HPDF_Page_SetFontAndSize(p->page, p->font, SIZE_TEXT);
    for (size_t n = strlen(text); n > 0 && HPDF_Page_TextWidth(p->page, text) > width;) {
        do {
            n--;
        } while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80);
        text[n] = 0;
    }
}

static void cell_text(const struct print *p, enum doc_kind kind, const struct doc_cell *c,
                      char out[TEXT_MAX])
{
    char number[DOC_NUMBER_SIZE];
    if (doc_is_text(kind)) {
        snprintf(out, TEXT_MAX, "%.*s", STR_FMT(c->text));
        return;
    }
    doc_number(p->doc, kind, c->v, number);
    snprintf(out, TEXT_MAX, "%s", number);
}

static void cell_print(struct print *p, float x, float width, enum doc_kind kind, char *text)
{
    fit(p, text, width - PADDING);
    if (!doc_is_text(kind) && kind != DOC_TIME)
        x += width - PADDING - HPDF_Page_TextWidth(p->page, text);
    text_at(p, x, SIZE_TEXT, text);
}

static float column_width(const struct print *p, const struct doc_table *t, int k)
{
    int sum = 0;
    for (int i = 0; i < t->columns_n; i++)
        sum += t->column[i].width;
    return (p->width - 2 * MARGIN) * (float)t->column[k].width / (float)sum;
}

static void table_head(struct print *p, const struct doc_table *t)
{
    char text[TEXT_MAX];
    float x = MARGIN;
    for (int k = 0; k < t->columns_n; k++) {
        snprintf(text, sizeof text, "%s", t->column[k].name);
        cell_print(p, x, column_width(p, t, k), t->column[k].kind, text);
        x += column_width(p, t, k);
    }
    rule(p, p->y - PADDING);
    p->y -= LINE;
}

static void table_print(struct print *p, const struct doc_table *t)
{
    char text[TEXT_MAX];
    p->y -= LINE;
    if (p->y < MARGIN + 4 * LINE)
        page_new(p);
    text_at(p, MARGIN, SIZE_HEAD, t->name);
    p->y -= LINE + PADDING;
    table_head(p, t);
    for (uint32_t i = 0; i < t->rows_n && !p->failed; i++) {
        float x = MARGIN;
        if (p->y < MARGIN + LINE) {
            page_new(p);
            table_head(p, t);
        }
        for (int k = 0; k < t->columns_n; k++) {
            cell_text(p, t->column[k].kind, &t->cell[(size_t)i * (size_t)t->columns_n + (size_t)k],
                      text);
            cell_print(p, x, column_width(p, t, k), t->column[k].kind, text);
            x += column_width(p, t, k);
        }
        p->y -= LINE;
    }
}

static void facts_print(struct print *p)
{
    char text[TEXT_MAX];
    text_at(p, MARGIN, SIZE_TITLE, p->doc->title);
    p->y -= 2 * LINE;
    for (int i = 0; i < p->doc->facts_n; i++) {
        const struct doc_fact *f = &p->doc->fact[i];
        float size = f->strong ? SIZE_HEAD : SIZE_TEXT;
        text_at(p, MARGIN, size, f->name);
        cell_text(p, f->kind, &f->v, text);
        text_at(p, MARGIN + 150, size, text);
        p->y -= LINE;
    }
}

static int pdf_take(struct print *p, struct buf *out)
{
    HPDF_BYTE piece[4096];
    HPDF_UINT32 n = sizeof piece;
    if (p->failed || HPDF_SaveToStream(p->pdf) != HPDF_OK)
        return ERR_INTERNAL;
    HPDF_ResetStream(p->pdf);
    while (HPDF_ReadFromStream(p->pdf, piece, &n) == HPDF_OK || n > 0) {
        buf_put(out, piece, n);
        n = sizeof piece;
    }
    return out->err;
}

int doc_pdf(const struct doc *d, struct buf *out)
{
    struct print p = {.doc = d};
    int rc = ERR_UNSUPPORTED;
    p.pdf = HPDF_New(on_error, &p);
    if (!p.pdf)
        return ERR_NOMEM;
    HPDF_UseUTFEncodings(p.pdf);
    HPDF_SetCompressionMode(p.pdf, HPDF_COMP_ALL);
    const char *name = HPDF_LoadTTFontFromFile2(p.pdf, FONT_FILE, 0, HPDF_TRUE);
    if (!name)
        goto out;
    p.font = HPDF_GetFont(p.pdf, name, "UTF-8");
    page_new(&p);
    rc = ERR_NOMEM;
    if (!p.font || !p.page)
        goto out;
    facts_print(&p);
    for (int i = 0; i < d->tables_n; i++)
        table_print(&p, &d->table[i]);
    if (d->foot) {
        p.y -= LINE;
        text_at(&p, MARGIN, SIZE_TEXT, d->foot);
    }
    rc = pdf_take(&p, out);
out:
    HPDF_Free(p.pdf);
    return rc;
}
