// SPDX-License-Identifier: Apache-2.0
/* chain.c: the hash chain over the transfers, so that whoever has the hash of one link sees every later
 * change of what came before it: a changed, removed, added or moved transfer.
 *
 * One link a commit: its hash is BLAKE2b-256 of
 *
 *   the hash before it (of the first link: CHAIN_WORDS and zeros, 32 bytes)
 *   each transfer of the commit in the order of the journal, which is that of their ids: all its
 *     columns in the order of schema.tbl, numbers as zigzag varints, texts and blobs as their length
 *     (a varint) and bytes
 *   seq, first, last, n, at_ms of the link, as zigzag varints
 *
 * Those columns are the packed row (core/rows.h) as the core sealed it, so nothing is encoded a second
 * time; check_chain.c does it again from the tables, by its own code. Nothing here depends on the
 * engine, on a clock or on chance: the same commits make the same chain.
 *
 * Data: the last durable link and the one under way. Invariants: 1. a link is in the transaction of its
 * transfers; 2. the state moves on only when that is durable (chain_settle); a transaction run once
 * more makes the same link. Thread: the writer's. Fails only by malformed rows and memory. */
#include "store/chain.h"

#include "base/err.h"
#include "core/rows.h"
#include "store/rowio.h"

void chain_init(struct chain *c)
{
    *c = (struct chain){.posted = rowio_column(ROW_TRANSFER, "posted_ms")};
    memcpy(c->hash, CHAIN_WORDS, sizeof CHAIN_WORDS - 1);
}

int chain_resume(struct chain *c, int64_t seq, struct str hash)
{
    if (seq <= 0 || hash.n != sizeof c->hash)
        return ERR_CORRUPT;
    c->seq = seq;
    memcpy(c->hash, hash.p, sizeof c->hash);
    return 0;
}

/* One transfer's columns into the digest. */
static int transfer_add(struct chain *c, struct cursor columns, struct row_chain *link)
{
    int64_t id;
    int rc = rowio_number(ROW_TRANSFER, columns, 0, &id);
    if (rc)
        return rc;
    if (link->n++ == 0) {
        link->first = id;
        crypto_digest_start(&c->digest);
        crypto_digest_add(&c->digest, c->hash, sizeof c->hash);
    }
    link->last = id;
    crypto_digest_add(&c->digest, columns.p, (size_t)(columns.end - columns.p));
    return 0;
}

/* The row's own numbers, and out with it. */
static int link_end(struct chain *c, struct row_chain *link, struct buf *out)
{
    const int64_t own[] = {link->seq, link->first, link->last, link->n, link->at_ms};
    size_t before = out->n;
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        buf_put_zigzag(out, own[i]);
    if (out->err)
        return out->err;
    crypto_digest_add(&c->digest, out->p + before, out->n - before);
    out->n = before;
    crypto_digest_end(&c->digest, c->next_hash);
    c->next_seq = link->seq;
    link->hash = str_from((const char *)c->next_hash, sizeof c->next_hash);
    row_pack(out, ROW_CHAIN, ROW_INSERT, link);
    return out->err;
}

int chain_seal(struct chain *c, struct str rows, struct buf *out)
{
    struct cursor at = {(const uint8_t *)rows.p, (const uint8_t *)rows.p + rows.n};
    struct cursor columns, last = {NULL, NULL};
    struct row_chain link = {.seq = c->seq + 1};
    c->next_seq = 0;
    while (at.p < at.end) {
        enum row_table t;
        enum row_op op;
        int rc = row_head(&at, &t, &op, &columns);
        if (rc)
            return rc;
        if (t != ROW_TRANSFER || op != ROW_INSERT)
            continue;
        rc = transfer_add(c, columns, &link);
        if (rc)
            return rc;
        last = columns;
    }
    if (link.n == 0)
        return 0;
    int rc = rowio_number(ROW_TRANSFER, last, c->posted, &link.at_ms);
    return rc ? rc : link_end(c, &link, out);
}

void chain_settle(struct chain *c)
{
    if (c->next_seq == 0)
        return;
    c->seq = c->next_seq;
    memcpy(c->hash, c->next_hash, sizeof c->hash);
    c->next_seq = 0;
}
