// SPDX-License-Identifier: Apache-2.0
/* store.h: the durable half of the house. DIR/even.db, or a PostgreSQL database, holds every row,
 * DIR/samples/ the shared log of meter samples that are not sealed into rows yet, DIR/even.lock
 * keeps a second program out (and on a server the claim of io/db/db.h one of another machine).
 *
 *   store         one per process: open, load, commit. Thread: the opener's until the committer
 * starts, then the committer's. store_fetcher point look-ups for the core thread's prefetch, on a
 * connection of its own store_keeper  housekeeping thread: moves the journal into place, makes
 * online backups store_reader  named queries on read-only snapshots: query.h. Any thread, one at a
 * time.
 *
 * Invariants:
 *  1. When store_commit answers 0, all rows and all samples given to it survive a power loss; when
 *     it does not, the rows have no effect at all and the process must end (the restart replays).
 *  2. Rows of one commit become visible to readers together.
 *  3. A sample is in the log or in exactly one sealed block, and is given out once either way.
 *  4. A file of a newer program, or one whose applied migrations differ from ours, is not opened.
 * Errors are logged here with the engine's words (area "store") and returned. */
#ifndef EVEN_STORE_STORE_H
#define EVEN_STORE_STORE_H

#include <stdio.h>
#include "base/arena.h"
#include "core/core.h"
#include "core/rows.h"

struct store;

struct store_config {
    const char *dir;    /* borrowed during store_open only, as is db */
    const char *db;     /* NULL or "": SQLite in dir; else a PostgreSQL server as in io/db/db.h */
    bool create;        /* make the folder and an empty database when there is none */
    size_t cache_bytes; /* page cache of the writer; 0 = 64 MiB */
    uint32_t sessions;  /* most sessions with unsealed samples; 0 = 200,000 */
    uint32_t shares;    /* so many new shares wait before they are moved (shares.h); 0 = 10,000 */
};

/** Takes the lock, opens or creates, migrates, reads the sample log and cuts its torn tail.
 * ERR_LOCKED, ERR_NEWER, ERR_CORRUPT (also: an applied migration was altered), ERR_NOT_FOUND,
 * ERR_DISK_FULL, ERR_DENIED, ERR_IO, ERR_NOMEM. */
EV_MUST_USE int store_open(const struct store_config *config, struct store **out);
/** Every reader, fetcher and keeper must be closed before. NULL is fine. */
void store_close(struct store *s);

/** Gets one row; texts and blobs are valid during the call only. A non-zero answer ends the walk
 * and is returned. */
typedef int store_row_fn(void *ctx, enum row_table table, const void *row);

/** Streams what the core has in memory from the start: every row of every directory table in the
 * order of enum row_table, then of the others, in that order too, what schema.tbl says under load and
 * under find open or waiting: what is not over, and who belongs to an order that is not. A row may come
 * twice. Everything else is fetched by need. */
EV_MUST_USE int store_load(struct store *s, store_row_fn *fn, void *ctx);
/** Nobody is connected at a start: marks every connector OFFLINE, at once, however many chargers were
 * cut off. After an end by store_leave there is nothing to look for. */
EV_MUST_USE int store_arrive(struct store *s, int64_t now_ms);
/** The orderly end, after the last commit: marks every connector OFFLINE and notes that it was done;
 * the first commit of the next start takes the note away. */
EV_MUST_USE int store_leave(struct store *s, int64_t now_ms);
/** After store_load: every sample of open sessions with at_ms > check_ms of the session, sealed or
 * not, session by session, in the order they came: what core_load_sample wants. */
typedef int store_sample_fn(void *ctx, const struct sample_record *record);
EV_MUST_USE int store_load_samples(struct store *s, store_sample_fn *fn, void *ctx);
/** posted_ms of the last transfer, 0 when there is none: where ledger time goes on. */
EV_MUST_USE int store_ledger_time(struct store *s, int64_t *posted_ms);
/** The greatest id ever made of a table whose rows are not all loaded, 0 when there is none: what
 * core_id_floor wants. */
EV_MUST_USE int store_last_id(struct store *s, int64_t *id);

/** One transaction: `rows` is a run of packed rows (row_pack), `samples` a run of struct
 * sample_record, as core_seal leaves them. Samples are on disk before the transaction starts;
 * without rows there is no transaction. Blocks of samples that are due are sealed in the same
 * transaction. Any error is final for the process. */
EV_MUST_USE int store_commit(struct store *s, struct str rows, struct str samples);

/** After much was done and while little is: gives back what is kept in memory only to be faster. */
void store_shrink(struct store *s);

/** Counters since store_open; the store's thread only. */
struct store_stats {
    uint64_t commits, rows, samples, blocks, tails;
    int64_t log_bytes;
};
void store_stats(const struct store *s, struct store_stats *out);

/* ---- point look-ups ---- */

struct store_fetcher;
EV_MUST_USE int store_fetcher_open(struct store *s, struct store_fetcher **out);
void store_fetcher_close(struct store_fetcher *f);
/** On: look-ups from now on see one snapshot, that of the first. Off: it is over, and each sees its own. */
void store_fetcher_share(struct store_fetcher *f, bool on);
/** As store_shrink. */
void store_fetcher_shrink(struct store_fetcher *f);
/** What was committed when the call is made: whoever dropped rows from memory waits for their
 * commit first. Each calls fn for the rows found, and gives ERR_NOT_FOUND when there is none, fn's
 * error, or a store error. Order: its row, its hold (if it has one), its sessions, its fee lines,
 * its split parts, and its last order_event. */
EV_MUST_USE int store_fetch_order(struct store_fetcher *f, int64_t order, store_row_fn *fn,
                                  void *ctx);
/** The order (rows as above) of the session with this OCPP transaction id, the newest if there are
 * several. */
EV_MUST_USE int store_fetch_tx(struct store_fetcher *f, int64_t charger, int64_t tx,
                               store_row_fn *fn, void *ctx);
/** The same by 云快充 transaction number. */
EV_MUST_USE int store_fetch_tx_no(struct store_fetcher *f, const char *tx_no, store_row_fn *fn,
                                  void *ctx);
EV_MUST_USE int store_fetch_idem(struct store_fetcher *f, const char *key, store_row_fn *fn,
                                 void *ctx);
EV_MUST_USE int store_fetch_web_session(struct store_fetcher *f, const char *id, store_row_fn *fn,
                                        void *ctx);
/** Answers one core_need by the look-up it names. A charger (by id, path, connector or code) comes
 * with all its connectors, a driver (by id or phone) with all its accounts, the charger or driver
 * first. */
EV_MUST_USE int store_fetch_need(struct store_fetcher *f, const struct core_need *need,
                                 store_row_fn *fn, void *ctx);

/* ---- housekeeping ---- */

struct store_keeper;
EV_MUST_USE int store_keeper_open(struct store *s, struct store_keeper **out);
void store_keeper_close(struct store_keeper *k);
/** Call every second or so: moves the journal into place, the first time, when 16 MiB of it have come
 * and at every sixth call; cuts it short when it has grown too long.
 * On a server: renews the claim of the store's writer; ERR_LOCKED once another has taken over. */
EV_MUST_USE int store_keeper_run(struct store_keeper *k);

/** Online backup (SQLite; a server has its own): a consistent copy of the database of the folder
 * into `target` (a new file), with the samples not sealed yet in `target`.samples/, the files that its rows
 * name in `target`.bills/ and `target`.firmware/, and `target`.manifest: format and each file with size
 * and SHA-256. Keys are in none. Works beside a running
 * program. ERR_CONFLICT when a target is there already. */
EV_MUST_USE int store_backup(const char *dir, const char *target);
/** Compares a backup with its manifest. 0, ERR_NOT_FOUND, ERR_CORRUPT (each difference is printed
 * to out). */
EV_MUST_USE int store_backup_check(const char *target, FILE *out);

/** `even check`: re-derives every invariant of the books from the file (or server) alone and prints
 * a trial balance and the violations to out. 0 = the books are right, 1 = they are not, negative =
 * could not be read. */
EV_MUST_USE int store_check(const char *path, FILE *out);
/** The same, held against what was kept elsewhere, without which a tail that was cut off cannot be
 * seen: certificates (store/certificate.h, one or more texts) and the hash of a link in hex. ERR_SYNTAX
 * when the text is no certificate. */
struct store_witness {
    struct str certificates; /* STR_NONE = none */
    const char *head;        /* NULL = none */
};
EV_MUST_USE int store_check_against(const char *path, const struct store_witness *witness,
                                    FILE *out);

#endif
