// SPDX-License-Identifier: Apache-2.0
/* replay.h: real sessions of the past through the front door. A file of sessions becomes chargers
 * that were offline all that time and now deliver: StartTransaction, MeterValues, StopTransaction,
 * with the sessions' own times, one call at a time, over the OCPP socket of a running platform.
 *
 * A row that no charger could ever have told (no end, no energy, an end before the start) is not
 * sent, and says why. Everything else is sent as it stands, however odd: to judge it is the
 * platform's business. */
#ifndef EVEN_SIM_REPLAY_H
#define EVEN_SIM_REPLAY_H

#include "base/buf.h"

enum replay_reason {
    REPLAY_SENT,
    REPLAY_NO_CHARGER,
    REPLAY_NO_START,
    REPLAY_NO_END,
    REPLAY_NO_ENERGY,
    REPLAY_END_FIRST, /* it ends before it starts */
    REPLAY_OVERLAP,   /* it starts before the one before it on its connector ends */
    REPLAY_REGISTER,  /* its register would be below zero, or more than a message can say */
    REPLAY_REFUSED,   /* the platform gave the start no transaction */
    REPLAY_REASONS
};

struct replay_row {
    struct str id;     /* as the file has it; empty without such a column */
    size_t line;       /* where it stands in the file */
    uint32_t charger;  /* index */
    int32_t connector; /* number, from 1 */
    int64_t start_ms, end_ms;
    int64_t energy_mwh;        /* of the file; 0 when it has none */
    int64_t start_wh, stop_wh; /* registers told */
    enum replay_reason reason;
    int64_t tx; /* given by the platform */
};

struct replay_charger {
    char id[49], site[101], model[51], secret[65]; /* secret: filled in before driving */
    int32_t guns;
    int64_t power_w; /* 0 = the mapping does not say */
};

struct replay {
    struct buf text; /* the file; rows borrow it */
    struct replay_row *rows;
    size_t n, size;
    struct replay_charger *chargers;
    size_t chargers_n, chargers_size;
    uint32_t *order; /* rows that are sent: by charger, connector, time */
    size_t order_n;
    int64_t energy_mwh; /* of all rows */
    char zone[64];
};

/** Reads both files; on an error one line on stderr has said what and where. */
EV_MUST_USE int replay_read(const char *csv_path, const char *map_path, struct replay *r);
void replay_free(struct replay *r);
/** "no-end": for lists. */
const char *replay_reason_word(enum replay_reason reason);

struct replay_link {
    const char *host, *path; /* numeric address; path in front of the charger's identity */
    uint16_t port;
    const char *tag;                          /* card that starts every session */
    void (*progress)(void *ctx, size_t done); /* rows told; a few times a second */
    void *ctx;
};
/** Delivers everything. 0; ERR_CLOSED when the platform stays away, ERR_TIMEOUT when it stops
 * answering, ERR_DENIED when it refuses a charger. */
EV_MUST_USE int replay_drive(struct replay *r, const struct replay_link *link);

#endif
