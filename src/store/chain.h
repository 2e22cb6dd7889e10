// SPDX-License-Identifier: Apache-2.0
/* chain.h: the hash chain over the journal of transfers: one link a commit. Inside the store only, on
 * its writer's thread. */
#ifndef EVEN_STORE_CHAIN_H
#define EVEN_STORE_CHAIN_H

#include "base/buf.h"
#include "io/os/crypto.h"

#define CHAIN_WORDS "EVen chain 1" /* what the first link follows, filled up with zeros */

struct chain {
    int64_t seq; /* of the last link that is durable; 0 = none yet */
    uint8_t hash[CRYPTO_HASH_SIZE];
    int64_t next_seq; /* of the one under way */
    uint8_t next_hash[CRYPTO_HASH_SIZE];
    struct crypto_digest digest;
    uint32_t posted; /* column of a transfer */
};

/** A chain without links. */
void chain_init(struct chain *c);
/** Goes on behind the last link of the file. ERR_CORRUPT when that is none. */
EV_MUST_USE int chain_resume(struct chain *c, int64_t seq, struct str hash);
/** Makes the link of the transfers that are inserted by these packed rows and appends its row to out;
 * nothing when there is none. May be called again for the same rows until chain_settle. ERR_SYNTAX,
 * or out's error. */
EV_MUST_USE int chain_seal(struct chain *c, struct str rows, struct buf *out);
/** The commit is durable: the next link follows the one that was sealed last, if one was. */
void chain_settle(struct chain *c);

#endif
