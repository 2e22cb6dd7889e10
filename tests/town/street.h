// SPDX-License-Identifier: Apache-2.0
/* street.h: the chargers of a town: models behind the real faces of the simulator (OCPP JSON and
 * 云快充 frames) and a real client reactor, over the streams of vnet.h. What a charger told and was
 * answered is noted here for the auditor: it is the truth about energy. */
#ifndef EVEN_TOWN_STREET_H
#define EVEN_TOWN_STREET_H

#include "sim/options.h"
#include "sim/peer.h"

enum { STREET_MAX = 8 };

/** One transaction of a charger, as the charger knows it. */
struct truth {
    int charger, gun; /* indexes */
    int64_t tx;       /* OCPP, 0 = never told */
    char id[33];      /* tag or 云快充 number */
    int64_t start_mwh, stop_mwh;
    int64_t sent_mwh;          /* what the platform was told flowed */
    int64_t start_ms, stop_ms; /* real times */
    uint8_t habit, reason;
    bool placeholder; /* it said 0 for its register at the start */
    bool refused;     /* the platform did not accept the start */
    bool stopped;     /* stop_* are known */
    bool told;        /* the platform has acknowledged the stop */
    int64_t left_ms;  /* the plug was pulled, 0 = not yet */
};

struct street {
    struct sim sim;
    struct sim_options opt;
    uint16_t mix[HABIT_COUNT];
    char password[STREET_MAX][20];
    struct truth *truth;
    int truths, truths_size;
    int open[STREET_MAX][MODEL_GUNS]; /* running transaction, index + 1 */
    struct rng linger;                /* vehicles that stay after the charging */
    bool lingers;
    int ended[STREET_MAX][MODEL_GUNS]; /* … whose plug is in, index + 1 */
};

/** Chargers with ids from `first` on (OCPP first, then piles); they begin to dial. */
void street_open(struct street *s, uint64_t seed, int ocpp, int piles);
void street_close(struct street *s);
void street_step(struct street *s);
int64_t street_due_ms(struct street *s);
/** No more vehicles; those that are there leave. */
void street_calm(struct street *s);
/** True when nothing waits to be told and nothing runs. */
bool street_quiet(const struct street *s);
/** Everybody pulls the plug of the charger itself. */
void street_dark(struct street *s);
void street_reboot(struct street *s, int charger);

#endif
