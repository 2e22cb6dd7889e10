// SPDX-License-Identifier: Apache-2.0
/* check_statement.c: `even check`, statements of parties against the journal alone. A party's position
 * is what lies on its accounts: pending + available + in transit − debt. Whatever moves it between the
 * begin and the end of a statement stands in one of its lines, and the code of the transfer says in
 * which:
 *
 *   shares       capture                     guarantees   what a month lacked to a guarantee
 *   refunds      refund                      rents        rent of a month
 *   corrections  correction, reversal,       suspense     out of suspense
 *                what a true end added       withdrawn    payout settled: what the payee got …
 *                                            (a share that came back lessens it)
 *   tax          withheld, less what came    fees         … and what the platform kept of it
 *                back with a payout
 *
 * Maturing, asking for money and shares that a channel pays move it between accounts of the party: 0.
 *
 *   statement  each line, opening and closing are what the journal says; closing − opening = the lines;
 *              what exceeded caps is what the parts of the orders say
 *
 * Data: the statements, by party and time, and for each party that has some, its position so far. The
 * walk over the transfers goes forward in time, so each party is in one statement at a time. Shares no
 * code with the core. */
#include "store/check.h"

#include "base/err.h"
#include "core/types.h"

enum line {
    LINE_SHARES,
    LINE_REFUNDS,
    LINE_CORRECTIONS,
    LINE_GUARANTEES,
    LINE_RENTS,
    LINE_SUSPENSE,
    LINE_WITHDRAWN,
    LINE_FEES,
    LINE_TAX,
    LINE_NONE, /* of none: must come to 0 */
    LINES
};
static const char *const line_names[] = {"shares", "refunds",  "corrections", "guarantees",
                                         "rents",  "suspense", "withdrawn",   "fees",
                                         "tax",    "no line"};
/* How a line counts in the closing: what leaves stands as a positive amount. */
static const int64_t line_signs[] = {1, -1, 1, 1, 1, 1, -1, -1, -1, 0};

struct sheet {
    int64_t id, party, from_ms, to_ms, opening, closing, line[LINES], capped, is_capped;
    int64_t is_opening, is_closing, is[LINES];
};
/* A party's statements are those from `at` to `end`, in time; `at` is the one that runs. */
struct run {
    int64_t party, position;
    size_t at, end;
    bool open; /* that one has begun */
};

static struct sheet *sheets_of(const struct check *c)
{
    return (struct sheet *)(void *)c->statements.sheets.p;
}

static struct run *run_of(const struct check *c, int64_t party)
{
    uint64_t at;
    if (!map_get(&c->statements.runs_by, (uint64_t)party, &at))
        return NULL;
    return (struct run *)(void *)c->statements.runs.p + at;
}

static int sheet_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct check *c = ctx;
    struct check_statements *s = &c->statements;
    struct sheet sheet = {.id = v[0].i,
                          .party = v[1].i,
                          .from_ms = v[2].i,
                          .to_ms = v[3].i,
                          .opening = v[4].i,
                          .closing = v[5].i,
                          .capped = v[15].i,
                          .is_capped = v[16].i};
    (void)n;
    for (int k = 0; k < LINE_NONE; k++)
        sheet.line[k] = v[6 + k].i;
    size_t at = s->sheets.n / sizeof sheet;
    struct run *run = run_of(c, sheet.party);
    buf_put(&s->sheets, &sheet, sizeof sheet);
    if (run) {
        run->end++;
        return s->sheets.err;
    }
    const struct run fresh = {.party = sheet.party, .at = at, .end = at + 1};
    uint64_t place = s->runs.n / sizeof fresh;
    buf_put(&s->runs, &fresh, sizeof fresh);
    int rc = s->sheets.err ? s->sheets.err : s->runs.err;
    return rc ? rc : map_put(&s->runs_by, (uint64_t)sheet.party, place);
}

int check_statement_begin(struct check *c)
{
    buf_init(&c->statements.sheets, SIZE_MAX);
    buf_init(&c->statements.runs, SIZE_MAX);
    map_init(&c->statements.runs_by, 50000000, 0xc4ecb);
    return store_query(c->r, QUERY_CHECK_STATEMENTS, NULL, 0, sheet_take, c);
}

/* Brings a party up to that time: statements that are over by then close. */
static void run_until(struct check *c, struct run *run, int64_t ms)
{
    while (run->at < run->end) {
        struct sheet *s = sheets_of(c) + run->at;
        if (!run->open && ms < s->from_ms)
            return;
        if (!run->open)
            s->is_opening = run->position;
        run->open = true;
        if (ms < s->to_ms)
            return;
        s->is_closing = run->position;
        run->open = false;
        run->at++;
    }
}

static enum line line_of(int64_t code)
{
    switch ((enum transfer_code)code) {
    case TRANSFER_CAPTURE:
        return LINE_SHARES;
    case TRANSFER_REFUND:
        return LINE_REFUNDS;
    case TRANSFER_CORRECTION:
    case TRANSFER_REVERSAL:
    case TRANSFER_LATE:
        return LINE_CORRECTIONS;
    case TRANSFER_CLAUSE:
        return LINE_GUARANTEES;
    case TRANSFER_RENT:
        return LINE_RENTS;
    case TRANSFER_SUSPENSE_OUT:
        return LINE_SUSPENSE;
    case TRANSFER_PAYOUT_DONE:
    case TRANSFER_SHARE_RETURN:
        return LINE_WITHDRAWN;
    case TRANSFER_WITHHELD:
    case TRANSFER_PAYOUT_BACK:
        return LINE_TAX;
    default:
        return LINE_NONE;
    }
}

static void line_add(struct sheet *s, enum line line, int64_t moved)
{
    s->is[line] =
        line_signs[line] < 0 ? check_sub(s->is[line], moved) : check_add(s->is[line], moved);
}

/* The fee is the platform's leg of the transfer that settles a payout; its legs come in any order. */
static void fee_move(struct check_statements *s, struct sheet *sheet, int64_t fee)
{
    if (sheet) {
        line_add(sheet, LINE_WITHDRAWN, fee);
        line_add(sheet, LINE_FEES, check_sub(0, fee));
        s->fee = 0;
    }
}

void check_statement_leg(struct check *c, const struct check_account *a, const struct sql_value *v,
                         int64_t amount)
{
    struct check_statements *s = &c->statements;
    bool done = v[2].i == TRANSFER_PAYOUT_DONE;
    if (s->transfer != v[0].i) {
        s->transfer = v[0].i;
        s->sheet = s->fee = 0;
    }
    if (done && a->kind == ACCOUNT_INCOME) {
        s->fee = check_add(s->fee, amount);
        fee_move(s, s->sheet ? sheets_of(c) + s->sheet - 1 : NULL, s->fee);
        return;
    }
    bool of_party = a->kind == ACCOUNT_PENDING || a->kind == ACCOUNT_AVAILABLE ||
                    a->kind == ACCOUNT_TRANSIT || a->kind == ACCOUNT_PARTY_DEBT;
    struct run *run = of_party ? run_of(c, a->owner) : NULL;
    if (!run)
        return;
    run_until(c, run, v[6].i);
    run->position = check_add(run->position, amount);
    if (!run->open)
        return;
    line_add(sheets_of(c) + run->at, line_of(v[2].i), amount);
    s->sheet = run->at + 1;
    if (done)
        fee_move(s, sheets_of(c) + run->at, s->fee);
}

static void sheet_check(struct check *c, const struct sheet *s)
{
    int64_t sum = s->opening;
    for (int k = 0; k < LINE_NONE; k++) {
        sum = line_signs[k] < 0 ? check_sub(sum, s->line[k]) : check_add(sum, s->line[k]);
        check_equal(c, "statement", s->id, line_names[k], s->line[k], s->is[k]);
    }
    check_equal(c, "statement", s->id, "in no line", 0, s->is[LINE_NONE]);
    check_equal(c, "statement", s->id, "closing by its lines", s->closing, sum);
    check_equal(c, "statement", s->id, "position as it begins", s->opening, s->is_opening);
    check_equal(c, "statement", s->id, "position as it ends", s->closing, s->is_closing);
    check_equal(c, "statement", s->id, "over caps", s->capped, s->is_capped);
}

int check_statements(struct check *c)
{
    struct check_statements *s = &c->statements;
    struct run *run = (struct run *)(void *)s->runs.p;
    for (size_t i = 0; i < s->runs.n / sizeof *run; i++)
        run_until(c, &run[i], INT64_MAX);
    for (size_t i = 0; i < s->sheets.n / sizeof(struct sheet); i++)
        sheet_check(c, sheets_of(c) + i);
    return 0;
}

void check_statement_free(struct check *c)
{
    buf_free(&c->statements.sheets);
    buf_free(&c->statements.runs);
    map_free(&c->statements.runs_by);
}
