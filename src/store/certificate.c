// SPDX-License-Identifier: Apache-2.0
/* certificate.c: see certificate.h. One table says which figure stands on which line, so that what is
 * written is what is read. A text begins with HEAD and ends with the line "end"; lines that begin with
 * # are for people. Failure: ERR_SYNTAX for anything that certificate_write would not have written but
 * for blank lines and remarks. */
#include "store/certificate.h"

#include <stddef.h>
#include "base/calendar.h"
#include "base/err.h"
#include "base/money.h"

#define HEAD "even-certificate 1"

enum form { FORM_NUMBER, FORM_MONEY, FORM_TIME, FORM_TEXT };

struct line {
    const char *key;
    enum form form;
    size_t at, size; /* size of a text */
    const char *words;
};
#define AT(m) offsetof(struct certificate, m), sizeof(((struct certificate *)0)->m)
static const struct line lines[] = {
    {"tenant", FORM_NUMBER, AT(tenant), "租户 tenant"},
    {"day", FORM_NUMBER, AT(day), "日期 day"},
    {"currency", FORM_TEXT, AT(currency), "币种 currency"},
    {"until", FORM_TIME, AT(to_ms), "截止时间 end of the day"},
    {"transfers", FORM_NUMBER, AT(transfers), "当日转账笔数 transfers of the day"},
    {"debits", FORM_MONEY, AT(debits), "当日借方合计 taken from accounts that day"},
    {"credits", FORM_MONEY, AT(credits), "当日贷方合计 given to accounts that day"},
    {"wallets", FORM_MONEY, AT(wallets), "车主与企业余额（负债） owed to drivers and companies"},
    {"parties", FORM_MONEY, AT(parties), "分成方余额（负债） owed to parties"},
    {"transit", FORM_MONEY, AT(transit), "出款途中 on its way out"},
    {"rest", FORM_MONEY, AT(rest), "其余账户 all other accounts"},
    {"link", FORM_NUMBER, AT(link), "账链序号 last link of the chain"},
    {"hash", FORM_TEXT, AT(hash), "账链哈希 its hash"},
    {"made", FORM_TIME, AT(made_ms), "出具时间 made at"},
};

int64_t certificate_sum(const struct certificate *c)
{
    uint64_t sum = (uint64_t)c->wallets + (uint64_t)c->parties + (uint64_t)c->transit;
    return (int64_t)(sum + (uint64_t)c->rest);
}

void certificate_read(struct certificate *c, const struct sql_value *v)
{
    *c = (struct certificate){.tenant = v[0].i,
                              .day = v[1].i,
                              .to_ms = v[3].i,
                              .transfers = v[4].i,
                              .debits = v[5].i,
                              .credits = v[6].i,
                              .wallets = v[7].i,
                              .parties = v[8].i,
                              .transit = v[9].i,
                              .rest = v[10].i,
                              .link = v[11].i,
                              .made_ms = v[13].i};
    (void)str_copy(c->currency, sizeof c->currency, v[2].s);
    (void)str_copy(c->hash, sizeof c->hash, v[12].s);
}

/* ---- text ---- */

static int64_t number(const struct certificate *c, const struct line *l)
{
    int64_t v;
    memcpy(&v, (const char *)c + l->at, sizeof v);
    return v;
}

static void line_write(const struct certificate *c, const struct line *l, struct buf *out)
{
    char text[MONEY_TEXT_SIZE > TIME_TEXT_SIZE ? MONEY_TEXT_SIZE : TIME_TEXT_SIZE];
    buf_printf(out, "# %s\n%s ", l->words, l->key);
    switch (l->form) {
    case FORM_NUMBER:
        buf_put_i64(out, number(c, l));
        break;
    case FORM_MONEY:
        money_format(MONEY(number(c, l)), text);
        buf_put_c(out, text);
        break;
    case FORM_TIME:
        time_format(number(c, l), text);
        buf_put_c(out, text);
        break;
    case FORM_TEXT:
        buf_put_c(out, (const char *)c + l->at);
    }
    buf_put_char(out, '\n');
}

void certificate_write(const struct certificate *c, struct buf *out)
{
    char sum[MONEY_TEXT_SIZE];
    money_format(MONEY(certificate_sum(c)), sum);
    buf_put_c(out, HEAD "\n# 零和证明 Zero-sum certificate\n");
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        line_write(c, &lines[i], out);
    buf_printf(out, "# 全部账户合计 sum of all accounts: %s\nend\n", sum);
}

static int value_take(struct certificate *c, const struct line *l, struct str value)
{
    struct money m = MONEY_ZERO;
    char *at = (char *)c + l->at;
    int64_t v = 0;
    int rc = 0;
    if (l->form == FORM_TEXT)
        return str_copy(at, l->size, value) == value.n ? 0 : ERR_SYNTAX;
    if (l->form == FORM_NUMBER)
        rc = str_to_i64(value, &v);
    else if (l->form == FORM_TIME)
        rc = time_parse(value, &v);
    else
        rc = money_parse(value, &m);
    if (l->form == FORM_MONEY)
        v = m.v;
    memcpy(at, &v, sizeof v);
    return rc ? ERR_SYNTAX : 0;
}

/* The next line that is neither blank nor a remark; false at the end. */
static bool line_next(struct str *text, struct str *line)
{
    while (text->n) {
        *line = str_trim(str_cut(text, '\n'));
        if (line->n && line->p[0] != '#')
            return true;
    }
    return false;
}

int certificate_take(struct str *text, struct certificate *out)
{
    struct str line;
    *out = (struct certificate){0};
    if (!line_next(text, &line))
        return 0;
    if (!str_eq_c(line, HEAD))
        return ERR_SYNTAX;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        if (!line_next(text, &line) || !str_eq_c(str_cut(&line, ' '), lines[i].key) ||
            value_take(out, &lines[i], line))
            return ERR_SYNTAX;
    }
    return line_next(text, &line) && str_eq_c(line, "end") ? 1 : ERR_SYNTAX;
}

const char *certificate_differs(const struct certificate *a, const struct certificate *b)
{
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        const struct line *l = &lines[i];
        const char *x = (const char *)a + l->at, *y = (const char *)b + l->at;
        bool same = l->form == FORM_TEXT ? strcmp(x, y) == 0 : number(a, l) == number(b, l);
        if (!same)
            return l->key;
    }
    return NULL;
}
