// SPDX-License-Identifier: Apache-2.0
/* server.h: the whole platform but its threads and its pages, in one thread: the gates on their
 * reactors, the inbox, the pulse, two batches and a committer that takes its time, the store on a
 * disk that remembers. server_step does what each thread of the engine would do now; a commit begins
 * when the committer is free and is over some milliseconds later, and nothing is delivered before.
 *
 * A power cut leaves the other folder with what was durable, and of the rest what chance says; the
 * server then opens there. */
#ifndef EVEN_TOWN_SERVER_H
#define EVEN_TOWN_SERVER_H

#include "app/gates.h"
#include "app/pulse.h"
#include "crash/disk.h"
#include "io/os/crypto.h"
#include "store/store.h"

enum { SERVER_BATCHES = 2 };

struct server_stats {
    uint64_t commands, batches, commits, cuts, cuts_inside, torn, faults, stops, full;
    uint64_t flights, flown_batches; /* lives that were lived again */
    int flight_err;                  /* of the first that was not the same */
};

struct server {
    /* set by the owner before server_open */
    const char *folder[2]; /* the first is lived in */
    struct rng rng;
    struct config settings;
    uint8_t key[CRYPTO_KEY_SIZE];
    int32_t commit_lo_ms, commit_hi_ms;
    uint32_t hot; /* idle chargers that stay in memory; 0 = the usual many */
    bool early;   /* control: answers leave before the commit */
    /* Both or none: each life is recorded, and lived again on a copy of what it began from. */
    const char *flight_dir, *state_dir;
    /** What the web front is handed. */
    void (*hear)(void *ctx, const struct out *out);
    /** A gate hands on what a charger said; a gate is handed an answer. */
    void (*asked)(void *ctx, const struct cmd *cmd);
    void (*answered)(void *ctx, const struct out *out);
    /** What an integration worker is handed. */
    void (*pay)(void *ctx, const struct out_pay *ask);
    /** What the sender of texts is handed. */
    void (*notice)(void *ctx, const struct out_notice *n);
    void *ctx;
    /* its own */
    struct store *store;
    struct store_keeper *keeper;
    struct pulse *pulse;
    struct flight *flight;
    struct gates *gates;
    struct mailbox *inbox;
    struct mailbox_batch mail;
    struct core_batch batch[SERVER_BATCHES];
    int first, sealed; /* ring of sealed batches; the first is being committed */
    int64_t commit_ms; /* when that is over */
    int64_t keep_ms;
    uint64_t settled;   /* number of the last batch that is durable */
    bool up, cut_armed; /* the next commit is cut */
    bool failed;        /* the store did: the program ends */
    struct server_stats stats;
};

void server_settings(struct server *s);
/** Opens the folder and listens. Any error is a finding. */
EV_MUST_USE int server_open(struct server *s);
/** Ends as a signal would: everything taken is committed and delivered. */
void server_stop(struct server *s);
/** Everything that is due now. */
void server_step(struct server *s);
int64_t server_due_ms(const struct server *s);
/** Into the inbox, as the web front does. ERR_FULL. */
EV_MUST_USE int server_submit(struct server *s, const struct cmd *cmd);
/** The power goes. cut: what becomes of unsynced writes; told: clients' streams are reset (the
 * program was killed), else they hear nothing. */
void server_cut(struct server *s, enum cut cut, bool told);
/** Path of the database file it lives in. */
void server_db(const struct server *s, char out[600]);

#endif
