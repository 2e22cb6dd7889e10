// SPDX-License-Identifier: Apache-2.0
/* check_chain.c: `even check`, the hash chain and the certificates that stand on it. Walks the links
 * and the certificates beside the transfers that check.c reads anyway.
 *
 *   link         each hash follows from the hash before it, the transfers of the link and its own
 *                numbers (store/chain.c says how); links have no gap; each transfer is in one
 *   certificate  a certificate's figures are what the transfers up to its link come to, and its hash
 *                is that link's; one that was filed away is in the file as it was
 *
 * A link that does not fit is named, and the next one is judged by the hash that the file has for it:
 * so the first one named is where the change is. A tail that was cut off together with its links and
 * certificates shows only against a certificate or a hash that was kept elsewhere (struct
 * store_witness). Shares no code with the writer of the chain but the hash. Memory: one line a tenant
 * and currency, the certificates given. */
#include "store/check.h"

#include "base/err.h"
#include "store/certificate.h"
#include "store/chain.h"

enum { L_SEQ, L_FIRST, L_LAST, L_N, L_AT, L_HASH };
enum { T_ID = 0, T_POSTED = 6, ROW_CAP = 1 << 20, TEXT_CAP = 64 << 20 };

/* Columns of check_transfers in the order of schema.tbl. */
static const uint8_t columns[] = {0, 1, 2, 8, 3, 4, 5, 9, 10, 11, 12, 13, 6, 7, 14};

/* ---- sums ---- */

static struct check_sum *sums(const struct check *c)
{
    return (struct check_sum *)(void *)c->sums.p;
}

static int sum_find(struct check *c, int64_t tenant, const char currency[4], uint32_t *at)
{
    struct check_sum fresh = {.tenant = tenant};
    memcpy(fresh.currency, currency, 4);
    const struct str key = str_from((const char *)&fresh, offsetof(struct check_sum, n));
    uint64_t i = c->sums.n / sizeof fresh;
    if (!strmap_get(&c->sum_ids, key, &i)) {
        buf_put(&c->sums, &fresh, sizeof fresh);
        int rc = c->sums.err ? c->sums.err : strmap_put(&c->sum_ids, key, i);
        if (rc)
            return rc;
    }
    *at = (uint32_t)i;
    return 0;
}

int check_chain_account(struct check *c, struct check_account *a)
{
    return sum_find(c, a->tenant, a->currency, &a->sum);
}

void check_chain_leg(struct check *c, const struct check_account *a, int64_t amount)
{
    struct check_sum *s = &sums(c)[a->sum];
    int64_t *of = &s->rest;
    if (a->kind == ACCOUNT_WALLET || a->kind == ACCOUNT_WALLET_BONUS || a->kind == ACCOUNT_COMPANY)
        of = &s->wallets;
    else if (a->kind == ACCOUNT_PENDING || a->kind == ACCOUNT_AVAILABLE ||
             a->kind == ACCOUNT_PARTY_DEBT)
        of = &s->parties;
    else if (a->kind == ACCOUNT_TRANSIT)
        of = &s->transit;
    *of = check_add(*of, amount);
    if (amount < 0)
        s->debits = check_sub(s->debits, amount);
    else
        s->credits = check_add(s->credits, amount);
}

/* ---- certificates ---- */

static void given_look(struct check *c, const struct certificate *stored)
{
    struct check_given *g = (struct check_given *)(void *)c->given.p;
    for (size_t i = 0; i < c->given.n / sizeof *g; i++) {
        const struct certificate *x = &g[i].certificate;
        if (x->tenant != stored->tenant || x->day != stored->day ||
            strcmp(x->currency, stored->currency) != 0)
            continue;
        const char *what = certificate_differs(x, stored);
        g[i].seen = true;
        if (what)
            check_bad(c, "certificate", x->day, "the one given differs in: %s", what);
    }
}

static void figures_check(struct check *c, const struct certificate *x, struct check_sum *s)
{
    const int64_t day[] = {check_sub(s->n, s->day_n), check_sub(s->debits, s->day_debits),
                           check_sub(s->credits, s->day_credits)};
    check_equal(c, "certificate", x->day, "transfers", x->transfers, day[0]);
    check_equal(c, "certificate", x->day, "debits", x->debits, day[1]);
    check_equal(c, "certificate", x->day, "credits", x->credits, day[2]);
    check_equal(c, "certificate", x->day, "wallets", x->wallets, s->wallets);
    check_equal(c, "certificate", x->day, "parties", x->parties, s->parties);
    check_equal(c, "certificate", x->day, "transit", x->transit, s->transit);
    check_equal(c, "certificate", x->day, "rest", x->rest, s->rest);
    check_equal(c, "certificate", x->day, "sum of all accounts", certificate_sum(x), 0);
    s->day_n = s->n;
    s->day_debits = s->debits;
    s->day_credits = s->credits;
}

/* Those that end with this link; hex is its hash in the file. */
static int certificates_check(struct check *c, int64_t seq, const char *hex)
{
    struct check_chain *h = &c->chain;
    while (h->certificate && h->certificates.v[11].i <= seq) {
        struct certificate x;
        uint32_t at;
        certificate_read(&x, h->certificates.v);
        int rc = sum_find(c, x.tenant, x.currency, &at);
        if (rc)
            return rc;
        if (x.link != seq || strcmp(x.hash, hex) != 0)
            check_bad(c, "certificate", x.day, "link %lld of tenant %lld has not its hash",
                      (long long)x.link, (long long)x.tenant);
        figures_check(c, &x, &sums(c)[at]);
        given_look(c, &x);
        c->certificates++;
        rc = query_walk_next(&h->certificates);
        h->certificate = rc == 1;
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- links ---- */

static int link_begin(struct check *c)
{
    struct check_chain *h = &c->chain;
    const struct sql_value *v = h->links.v;
    int rc = query_walk_next(&h->links);
    h->link = rc == 1;
    if (rc != 1)
        return rc;
    if (v[L_SEQ].i != check_add(h->seq, 1))
        check_bad(c, "link", v[L_SEQ].i, "follows link %lld", (long long)h->seq);
    if (v[L_FIRST].i <= h->last || v[L_LAST].i < v[L_FIRST].i)
        check_bad(c, "link", v[L_SEQ].i, "transfers %lld to %lld after %lld",
                  (long long)v[L_FIRST].i, (long long)v[L_LAST].i, (long long)h->last);
    h->n = 0;
    buf_reset(&h->row);
    crypto_digest_start(&h->digest);
    crypto_digest_add(&h->digest, h->hash, sizeof h->hash);
    return 0;
}

static int link_end(struct check *c)
{
    struct check_chain *h = &c->chain;
    const struct sql_value *v = h->links.v;
    uint8_t hash[CRYPTO_HASH_SIZE];
    char hex[2 * CRYPTO_HASH_SIZE + 1];
    for (int i = L_SEQ; i <= L_AT; i++)
        buf_put_zigzag(&h->row, v[i].i);
    if (h->row.err)
        return h->row.err;
    crypto_digest_add(&h->digest, h->row.p, h->row.n);
    crypto_digest_end(&h->digest, hash);
    if (h->n != v[L_N].i)
        check_bad(c, "link", v[L_SEQ].i, "%lld transfers from %lld to %lld, should be %lld",
                  (long long)h->n, (long long)v[L_FIRST].i, (long long)v[L_LAST].i,
                  (long long)v[L_N].i);
    else if (!str_eq(v[L_HASH].s, str_from((const char *)hash, sizeof hash)))
        check_bad(c, "link", v[L_SEQ].i,
                  "transfers %lld to %lld, the link or the one before it are not as they were",
                  (long long)v[L_FIRST].i, (long long)v[L_LAST].i);
    if (v[L_HASH].s.n == sizeof h->hash)
        memcpy(h->hash, v[L_HASH].s.p, sizeof h->hash);
    str_to_hex(h->hash, sizeof h->hash, hex);
    h->head_seen |= c->head && strcmp(c->head, hex) == 0;
    h->seq = v[L_SEQ].i;
    h->last = v[L_LAST].i;
    return certificates_check(c, h->seq, hex);
}

int check_chain_transfer(struct check *c, const struct sql_value *v)
{
    struct check_chain *h = &c->chain;
    uint32_t sum;
    char currency[4] = "";
    int rc = 0;
    while (h->link && v[T_ID].i > h->links.v[L_LAST].i && rc == 0) {
        rc = link_end(c);
        if (rc == 0)
            rc = link_begin(c);
    }
    (void)str_copy(currency, sizeof currency, v[4].s);
    if (rc == 0)
        rc = sum_find(c, v[1].i, currency, &sum);
    if (rc)
        return rc;
    sums(c)[sum].n++;
    if (!h->link || v[T_ID].i < h->links.v[L_FIRST].i) {
        check_bad(c, "link", h->seq, "transfer %lld is in no link", (long long)v[T_ID].i);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
        const struct sql_value *k = &v[columns[i]];
        if (k->kind == COLUMN_TEXT || k->kind == COLUMN_BLOB) {
            buf_put_varint(&h->row, k->s.n);
            buf_put_str(&h->row, k->s);
        } else {
            buf_put_zigzag(&h->row, k->i);
        }
    }
    h->n++;
    if (h->row.n > ROW_CAP / 2) {
        crypto_digest_add(&h->digest, h->row.p, h->row.n);
        buf_reset(&h->row);
    }
    return h->row.err;
}

/* ---- begin and end ---- */

int check_chain_begin(struct check *c)
{
    struct check_chain *h = &c->chain;
    memcpy(h->hash, CHAIN_WORDS, sizeof CHAIN_WORDS - 1);
    buf_init(&h->row, ROW_CAP);
    query_walk_begin(&h->links, c->r, QUERY_CHECK_CHAIN, NULL, 0);
    query_walk_begin(&h->certificates, c->r, QUERY_CHECK_CERTIFICATES, NULL, 0);
    int rc = query_walk_next(&h->certificates);
    h->certificate = rc == 1;
    return rc < 0 ? rc : link_begin(c);
}

static void witness_check(struct check *c)
{
    const struct check_given *g = (const struct check_given *)(void *)c->given.p;
    for (size_t i = 0; i < c->given.n / sizeof *g; i++)
        if (!g[i].seen)
            check_bad(c, "certificate", g[i].certificate.day,
                      "the one given, of tenant %lld up to link %lld, is not in the file",
                      (long long)g[i].certificate.tenant, (long long)g[i].certificate.link);
    if (c->head && !c->chain.head_seen)
        check_bad(c, "link", c->chain.seq,
                  "no link has the hash given: the file was cut or changed");
}

int check_chain_end(struct check *c)
{
    struct check_chain *h = &c->chain;
    char hex[2 * CRYPTO_HASH_SIZE + 1];
    int rc = 0;
    while (h->link && rc == 0) {
        rc = link_end(c);
        if (rc == 0)
            rc = link_begin(c);
    }
    if (rc == 0)
        rc = certificates_check(c, INT64_MAX, "");
    if (rc)
        return rc;
    witness_check(c);
    str_to_hex(h->hash, sizeof h->hash, hex);
    fprintf(c->out, "chain of %lld links, %llu certificates, head %s\n", (long long)h->seq,
            (unsigned long long)c->certificates, h->seq ? hex : "none");
    return 0;
}

void check_chain_free(struct check *c)
{
    query_walk_end(&c->chain.links);
    query_walk_end(&c->chain.certificates);
    buf_free(&c->chain.row);
    buf_free(&c->sums);
    buf_free(&c->given);
    strmap_free(&c->sum_ids);
}

int check_chain_witness(struct check *c, const struct store_witness *w)
{
    struct str text = w ? w->certificates : STR_NONE;
    struct check_given g = {0};
    int more;
    buf_init(&c->sums, SIZE_MAX);
    buf_init(&c->given, TEXT_CAP);
    strmap_init(&c->sum_ids, UINT32_MAX >> 1, 0xc4ec8);
    c->head = w ? w->head : NULL;
    while ((more = certificate_take(&text, &g.certificate)) == 1)
        buf_put(&c->given, &g, sizeof g);
    return more ? more : c->given.err;
}
