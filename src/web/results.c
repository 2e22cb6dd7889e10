// SPDX-License-Identifier: Apache-2.0
/* results.c: see results.h. Data: the request's arena; cells borrow its body. Thread: the request's. */
#include "web/results.h"

#include "base/err.h"
#include "base/money.h"
#include "web/api_gen.h"
#include "web/sheet.h"

enum { NAME_MAX_SHOWN = 40 }; /* of a column that is none of ours */

struct results {
    struct request *r;
    const struct result_kind *kind;
    void *ctx;
    int col[RESULT_CELLS], by; /* columns; by: −1 = the file has none */
    struct result_row *row;
    uint32_t n, at;
};

static int column_known(struct results *m, const struct sheet *c, int i)
{
    struct str name = c->cell[i].n <= NAME_MAX_SHOWN ? c->cell[i] : STR_NONE;
    int k = 0;

    while (k < m->kind->columns_n && !str_eq_c(c->cell[i], m->kind->columns[k]))
        k++;
    if (k == m->kind->columns_n)
        return req_fail(
            m->r, ERR_RANGE, NULL,
            arena_printf(&m->r->arena, "unknown column %d: %.*s", i + 1, STR_FMT(name)).p);
    return sheet_column(c, m->kind->columns[k]) == i
               ? 0
               : req_fail(m->r, ERR_RANGE, NULL, "a column twice");
}

static int header_read(struct results *m, struct sheet *c)
{
    int got = sheet_next(c, &m->r->arena), err = 0;

    if (got <= 0)
        return req_fail(m->r, got == 0 ? ERR_REQUIRED : got, NULL, "no header line");
    for (int i = 0; err == 0 && i < c->n; i++)
        err = column_known(m, c, i);
    for (int i = 0; err == 0 && i < m->kind->used_n; i++) {
        m->col[i] = sheet_column(c, m->kind->used[i]);
        if (m->col[i] < 0)
            err = req_fail(m->r, ERR_REQUIRED, NULL,
                           arena_printf(&m->r->arena, "no column %s", m->kind->used[i]).p);
    }
    m->by = m->kind->by ? sheet_column(c, m->kind->by) : -1;
    return err;
}

static int row_judge(const struct results *m, struct result_row *x)
{
    struct money said;
    int err = m->kind->asked(m->r, m->ctx, x, &x->amount);

    if (err != 0)
        return err;
    if (money_parse(x->cell[RESULT_AMOUNT], &said) != 0 || said.v != x->amount)
        return ERR_CONFLICT;
    for (int i = RESULT_MORE; x->act == m->kind->acts[0].act && i < m->kind->used_n; i++)
        if (x->cell[i].n == 0)
            return ERR_REQUIRED;
    return 0;
}

static int act_read(struct results *m, struct result_row *x)
{
    struct str says = x->cell[RESULT_SAYS];

    for (size_t i = 0; i < ARRAY_LEN(m->kind->acts); i++)
        if (str_eq_c(says, m->kind->acts[i].word))
            x->act = m->kind->acts[i].act;
    if (x->act != 0 || says.n == 0)
        return 0;
    return req_fail(m->r, ERR_RANGE, NULL,
                    arena_printf(&m->r->arena, "line %lld: result is %s, %s or nothing",
                                 (long long)x->line, m->kind->acts[0].word, m->kind->acts[1].word)
                        .p);
}

/* Of two that would both count it would be chance which one does. */
static int row_once(const struct results *m, const struct result_row *x)
{
    for (const struct result_row *y = m->row; x->act != 0 && x->err == 0 && y < x; y++)
        if (y->id == x->id && y->act != 0 && y->err == 0)
            return req_fail(m->r, ERR_RANGE, NULL,
                            arena_printf(&m->r->arena, "lines %lld and %lld are of the same one",
                                         (long long)y->line, (long long)x->line)
                                .p);
    return 0;
}

static int row_read(struct results *m, const struct sheet *c, struct result_row *x)
{
    int err;

    x->line = c->line;
    for (int i = 0; i < m->kind->used_n; i++)
        x->cell[i] = c->cell[m->col[i]];
    x->by = m->by < 0 ? STR_NONE : c->cell[m->by];
    if (str_to_i64(x->cell[RESULT_ID], &x->id) != 0 || x->id <= 0)
        return req_fail(m->r, ERR_SYNTAX, NULL,
                        arena_printf(&m->r->arena, "line %lld: %s is not a number",
                                     (long long)x->line, m->kind->used[0])
                            .p);
    err = act_read(m, x);
    if (err == 0 && x->act != 0)
        x->err = row_judge(m, x);
    return err != 0 ? err : row_once(m, x);
}

static int file_read_all(struct results *m)
{
    struct request *r = m->r;
    struct sheet *c = ARENA_NEW(&r->arena, struct sheet);
    int got, width, err;

    m->row = ARENA_ARRAY(&r->arena, RESULTS_MAX, struct result_row);
    if (c == NULL || m->row == NULL)
        return ERR_NOMEM;
    sheet_open(c, buf_str(&r->body));
    err = header_read(m, c);
    width = c->n;
    while (err == 0 && (got = sheet_next(c, &r->arena)) != 0) {
        if (got < 0 || c->n != width)
            return req_fail(r, ERR_SYNTAX, NULL,
                            arena_printf(&r->arena,
                                         "line %lld has other cells than the header, a quote that "
                                         "does not close, or is no UTF-8",
                                         (long long)c->line)
                                .p);
        if (m->n == RESULTS_MAX)
            return req_fail(r, ERR_TOO_LARGE, NULL, "at most 1,000 rows");
        err = row_read(m, c, &m->row[m->n++]);
    }
    return err;
}

static int reply(const struct results *m)
{
    struct api_ResultRow *out = ARENA_ARRAY(&m->r->arena, m->n + 1, struct api_ResultRow);

    if (out == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < m->n; i++) {
        const struct result_row *x = &m->row[i];
        int act = x->act == m->kind->acts[0].act ? 0 : 1;

        out[i] = (struct api_ResultRow){.line = x->line, .id = x->id, .err = x->err};
        if (x->act != 0 && x->err == 0)
            out[i].amount.v = x->amount;
        out[i].outcome = str_from_c(x->err != 0   ? "refused"
                                    : x->act == 0 ? "skipped"
                                                  : m->kind->acts[act].word);
    }
    return req_list(m->r, &api_ResultRow_type, out, m->n, STR_LIT(""));
}

/* Sends the next row that counts, or replies. */
static int next_send(struct results *m)
{
    for (; m->at < m->n; m->at++) {
        struct result_row *x = &m->row[m->at];
        struct cmd *cmd;

        if (x->act == 0 || x->err != 0)
            continue;
        cmd = req_cmd(m->r, m->kind->type, m->kind->size);
        if (cmd == NULL)
            return ERR_TOO_LARGE;
        x->err = m->kind->fill(m->r, x, cmd);
        if (x->err == 0)
            return req_submit(m->r, cmd, 1);
    }
    return reply(m);
}

int results_import(struct request *r, const struct result_kind *kind, void *ctx)
{
    struct results *m = r->ctx;
    int err;

    if (r->resumed) {
        m->row[m->at++].err = r->reply_err;
        return next_send(m);
    }
    m = r->ctx = ARENA_NEW(&r->arena, struct results);
    if (m == NULL)
        return ERR_NOMEM;
    *m = (struct results){.r = r, .kind = kind, .ctx = ctx};
    err = file_read_all(m);
    m->ctx = NULL; /* its time is over */
    return err != 0 ? err : next_send(m);
}
