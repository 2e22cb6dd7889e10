// SPDX-License-Identifier: Apache-2.0
/* house.h: the real core and the real store in one thread, joined as app/engine.c joins them, and
 * the people around them: drivers who pay in, start by app or card, charge and stop on three
 * chargers with two guns each. What these people know is flat, so that it can be kept beside each
 * acknowledgement and given to a house that starts again. */
#ifndef EVEN_CRASH_HOUSE_H
#define EVEN_CRASH_HOUSE_H

#include "base/hash.h"
#include "core/core.h"
#include "store/store.h"

enum { CHARGERS = 3, GUNS = 6, DRIVERS = 4, CALLS = 8, ASKED = 16 };

enum gun_state { GUN_FREE, GUN_ORDERED, GUN_PLUGGED, GUN_STARTING, GUN_CHARGING, GUN_STOPPING };

struct gun {
    enum gun_state state;
    int32_t turns; /* in this state */
    bool stop;     /* the platform asked for it */
    int64_t id, tx, meter_mwh, start_ms;
    char tag[37];
};

/** A call of the platform that its charger has not answered yet. */
struct house_call {
    int64_t charger, command;
    struct origin to;
};

/** What a command asked for that was sent with the present batch. */
struct asked {
    uint32_t ref;
    uint16_t type;
    int32_t gun;
    int64_t *id; /* where the made id goes, of a set-up step */
};

struct people {
    struct rng rng;
    int64_t now_ms;
    uint32_t ref, gen;
    int32_t stage; /* steps of the set-up that are done */
    bool connected;
    int64_t tenant, owner, tariff, contract, station, charger[CHARGERS], driver[DRIVERS], token;
    struct gun gun[GUNS];
    struct house_call call[CALLS];
    int32_t calls;
};

struct house {
    struct store *store;
    struct store_keeper *keeper;
    struct store_fetcher *fetcher;
    struct core *core;
    struct core_batch batch;
    struct zone *zone;
    struct people people;
    struct asked asked[ASKED];
    int32_t asked_n;
    int err;        /* of a look-up: the disk failed, nothing more is sent */
    struct cmd cmd; /* scratch */
};

enum { HOUSE_STAGES = 2 + 3 + CHARGERS + GUNS + 2 * DRIVERS };

/** Opens the folder and loads a core from it; people as they are. 0 or the error of the store; then
 * nothing is open. */
EV_MUST_USE int house_open(struct house *h, const char *folder, const struct people *people);
/** Opens what steps need besides. 0 or an error; then nothing is open. */
EV_MUST_USE int house_begin(struct house *h);
/** Closes as a program that ends, or whose disk is gone. */
void house_close(struct house *h);

/** One step: the next of the set-up, or what a few people do. Leaves a sealed batch. */
void house_step(struct house *h);
/** True when the batch has something to commit. */
bool house_has_rows(const struct house *h);
/** After the commit (or, wrongly, before): the people hear their answers. */
void house_deliver(struct house *h);

#endif
