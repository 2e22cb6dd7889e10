// SPDX-License-Identifier: Apache-2.0
/* model.h: one simulated charger: its guns, the vehicles at them, its meter, its bad habits. Pure:
 * no socket, no clock, no memory but its queue; times are arguments (ms UTC), chance comes from its
 * own seeded generator. The same seed and the same inputs at the same times give the same events,
 * so a world test drives thousands of models in virtual time, and `even sim` drives them over
 * sockets.
 *
 * How to drive one: call model_advance whenever model_next_ms is reached (inputs do it themselves);
 * after any call, while the link is up, send a boot if boot_due, then take events from model_head,
 * deliver each, and model_pop it once the platform has answered (StartTransaction: model_started
 * first). Undelivered events stay and are sent again after the link comes back: so a charger
 * replays what happened while it was away. Connect while link_wanted, drop the link while it is
 * not.
 *
 * Energy is integrated in whole mWh with the remainder carried: it equals ∫ power dt exactly. */
#ifndef EVEN_SIM_MODEL_H
#define EVEN_SIM_MODEL_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/money.h"

#define MODEL_GUNS 2

/** What is peculiar about one visit of a vehicle. Drawn at plug-in from the mix. */
enum model_habit {
    HABIT_NORMAL,
    HABIT_FULL,         /* the vehicle stops taking power; nobody stops the transaction */
    HABIT_UNPLUG,       /* the driver pulls the plug in the middle */
    HABIT_FAULT,        /* the charger fails in the middle */
    HABIT_OFFLINE,      /* the link is lost for a while; all is replayed */
    HABIT_SLOW_STOP,    /* obeys a stop only after 8 to 20 s */
    HABIT_IGNORE_STOP,  /* accepts a stop and goes on */
    HABIT_CLOCK_SKEW,   /* its clock is up to two hours wrong */
    HABIT_PLACEHOLDER,  /* 0 as the register at the start */
    HABIT_DUPLICATE,    /* starts, readings and stops come twice */
    HABIT_REJECT_START, /* refuses a remote start */
    HABIT_SILENT_START, /* accepts a remote start, then nothing */
    HABIT_MUTE_START,   /* does not even answer it */
    HABIT_LOST_RECORD,  /* 云快充: the first telling of a record is lost on the way … */
    HABIT_LOST_ACK,     /* … or what acknowledges it */
    HABIT_COUNT
};
/** "full", "slow-stop", …; NULL past the end. */
const char *model_habit_name(enum model_habit h);

/** A charger's nature; copied at init. */
struct model_traits {
    int32_t power_w;                  /* of one gun, 1,000 to 1,000,000 */
    int32_t second_w;                 /* of the second one, 0 = the same */
    int32_t reading_ms;               /* between readings while charging */
    int32_t stop_min_ms, stop_max_ms; /* from an accepted stop to the open contactor */
    uint8_t guns;                     /* 1 … MODEL_GUNS */
    bool dc;
    bool obeys_trigger, obeys_interval, obeys_profiles;
    bool stops_at_balance; /* 云快充: counts money itself, and stops when the vehicle is full */
    bool autoplug;         /* vehicles come and go by themselves */
    uint16_t walkup_pm;    /* of 1,000 vehicles that come, how many start with a card */
    uint16_t cards;        /* one of CARD0002, CARD0003, …: so many of them; 0 = 5 */
    uint16_t pairs_pm;     /* of 1,000 cards shown beside a plugged gun: one vehicle at both guns */
    bool no_turn;          /* 云快充: does not turn a running session round */
    bool no_balance;       /* … nor hears of a new balance */
};

enum model_gun_state {
    GUN_FREE,
    GUN_PLUGGED,   /* a vehicle, no transaction */
    GUN_ASKING,    /* a card was shown, the platform is asked */
    GUN_STARTING,  /* locking, insulation test, hand-shake */
    GUN_CHARGING,  /* with power, or without when the vehicle suspends */
    GUN_SUSPENDED, /* by the vehicle */
    GUN_FINISHED,  /* transaction over, still plugged */
    GUN_FAULTED,
    GUN_DISABLED, /* ChangeAvailability, 0x52 */
};

/** A vehicle at both guns: which of them was asked first. */
enum model_pair { PAIR_NONE, PAIR_MAIN, PAIR_AUX };

enum model_reason {
    STOPPED_REMOTE,
    STOPPED_LOCAL,
    STOPPED_UNPLUGGED,
    STOPPED_FAULT,
    STOPPED_REFUSED, /* the platform did not accept the start */
    STOPPED_BALANCE,
    STOPPED_FULL,
    STOPPED_RESET,
    STOPPED_UNLOCKED,
    STOPPED_TURNED, /* it turned round */
    STOPPED_FLOOR,  /* the vehicle gave what it may */
};

enum model_event_type {
    MODEL_EVENT_STATUS,
    MODEL_EVENT_AUTHORIZE,
    MODEL_EVENT_START,
    MODEL_EVENT_METER,
    MODEL_EVENT_STOP
};

/** One thing to tell the platform. Times are the charger's own, wrong clock included. */
struct model_event {
    uint8_t type, gun; /* gun 0 … guns-1 */
    uint8_t state;     /* STATUS: enum model_gun_state */
    uint8_t reason;    /* STOP: enum model_reason */
    bool triggered;    /* METER: was asked for */
    int32_t power_w;
    int16_t soc_pm;
    int64_t time_ms, meter_mwh;
};

/** 云快充 prices: electricity + service of the four classes, and the class of each half hour. */
struct model_prices {
    int32_t price_e5[4];
    uint8_t slot[48];
};

struct model_gun {
    uint8_t state, habit;
    bool walkup;
    uint8_t pair;         /* enum model_pair: what was asked for at both guns */
    uint8_t stops_queued; /* not yet delivered; the gun takes no new transaction meanwhile */
    char id[33];          /* tag (OCPP) or order number (云快充) of the transaction */
    int32_t tx;           /* OCPP transaction id, 0 = not told yet */
    int32_t limit_w, vehicle_w, power_w, ramp_ms;
    int32_t later_w;  /* the limit from later_ms on */
    int64_t later_ms; /* INT64_MAX = none */
    int16_t soc0_pm, knee_pm, wobble_pm;
    int64_t capacity_mwh;        /* battery */
    int64_t take_mwh;            /* after this much the vehicle suspends */
    int64_t at_ms;               /* played up to here */
    int64_t due_ms;              /* next change of state by itself */
    int64_t sample_ms;           /* next reading */
    int64_t trouble_ms;          /* when the habit shows */
    int64_t stop_ms;             /* contactor opens, INT64_MAX = no stop asked */
    int64_t meter_mwh, rest;     /* register; W·ms below one mWh */
    int64_t start_mwh, start_ms; /* of the transaction */
    int64_t end_ms;
    int64_t class_mwh[4];
    int64_t balance; /* 1/10,000; stops there */
    uint8_t reason;  /* of the stop asked */
    /* Energy may flow back (云快充): then meter_mwh counts what is given, and the vehicle empties. */
    bool gives, turning; /* turning: what `next` says begins once the last stop was delivered */
    int16_t floor_pm;    /* it gives down to this */
    struct {
        char id[33];
        bool gives;
        int16_t floor_pm;
        int64_t balance;
    } next;
};

struct model {
    struct model_traits traits;
    const uint16_t *mix; /* HABIT_COUNT weights, or NULL: all normal */
    struct rng rng;
    struct buf queue; /* whole events; the first at queue_at */
    size_t queue_at;
    uint64_t lost;    /* readings and states that did not fit */
    int64_t skew_ms;  /* how wrong its clock is: the habit … */
    int64_t clock_ms; /* … and what the platform told, less the time of the caller */
    int64_t link_ms;  /* the link is not wanted before */
    int32_t interval_ms;
    bool boot_due, linked, link_wanted, priced;
    struct model_prices prices;
    struct model_gun guns[MODEL_GUNS];
};

/** Borrows mix. The charger waits for its first link with a boot due. */
void model_init(struct model *m, const struct model_traits *t, const uint16_t *mix, uint64_t seed,
                int64_t now_ms);
void model_free(struct model *m);

/** Plays up to now. Going back in time does nothing. */
void model_advance(struct model *m, int64_t now_ms);
/** When to call model_advance next. */
int64_t model_next_ms(const struct model *m);

/** The oldest undelivered event, or NULL. Valid until the next call. */
const struct model_event *model_head(const struct model *m);
void model_pop(struct model *m);

/** The link came up or went down. */
void model_link(struct model *m, bool up, int64_t now_ms);

/** A vehicle comes. ERR_CONFLICT unless the gun is free. */
EV_MUST_USE int model_plug(struct model *m, unsigned gun, int64_t now_ms);
/** The vehicle leaves; a transaction ends. */
void model_unplug(struct model *m, unsigned gun, int64_t now_ms);
/** Replaces the drawn habit of the present visit. */
void model_set_habit(struct model *m, unsigned gun, enum model_habit h, int64_t now_ms);
/** A card at the reader: asks the platform, or starts at once while offline. ERR_NOT_PLUGGED,
 * ERR_BUSY. */
EV_MUST_USE int model_swipe(struct model *m, unsigned gun, struct str tag, int64_t now_ms);
/** The answer to MODEL_EVENT_AUTHORIZE. */
void model_authorized(struct model *m, unsigned gun, bool ok, int64_t now_ms);
/** The same of a 云快充 pile: yes, under this order number, for so much. */
void model_granted(struct model *m, unsigned gun, struct str order, int64_t balance,
                   int64_t now_ms);
/** The answer to MODEL_EVENT_START; not ok = the charger ends the transaction. */
void model_started(struct model *m, unsigned gun, int32_t tx, bool ok, int64_t now_ms);

/** Remote start. id: tag or order number; balance in 1/10,000, INT64_MAX = none. 0 = accepted;
 * ERR_NOT_PLUGGED, ERR_BUSY, ERR_FAULTED, ERR_REJECTED; ERR_TIMEOUT = give no answer at all. */
EV_MUST_USE int model_remote_start(struct model *m, unsigned gun, struct str id, int64_t balance,
                                   int64_t now_ms);
/** The vehicle gives energy back, down to this state of charge; 0 or as model_remote_start. A start
 * of the other direction while a session runs turns it round, or is ERR_BUSY. */
EV_MUST_USE int model_discharge(struct model *m, unsigned gun, struct str id, int32_t floor_pm,
                                int64_t now_ms);
/** 0 = accepted, ERR_CONFLICT = nothing to stop. */
EV_MUST_USE int model_remote_stop(struct model *m, unsigned gun, int64_t now_ms);
/** A reading was asked for: queues one. ERR_UNSUPPORTED = this charger does not do that. */
EV_MUST_USE int model_read(struct model *m, unsigned gun, int64_t now_ms);
/** Limits the power of one gun; negative = no limit. ERR_UNSUPPORTED. */
EV_MUST_USE int model_limit(struct model *m, unsigned gun, int32_t limit_w, int64_t now_ms);
/** … and from at_ms on to that; forgotten with the next limit and with the transaction. */
EV_MUST_USE int model_limit_later(struct model *m, unsigned gun, int32_t limit_w, int64_t at_ms);
/** Sets the interval of readings. ERR_UNSUPPORTED. */
EV_MUST_USE int model_interval(struct model *m, int32_t interval_ms, int64_t now_ms);
void model_set_prices(struct model *m, const struct model_prices *p);
void model_set_balance(struct model *m, unsigned gun, int64_t balance);
/** False takes the gun out of service as soon as it is free. Returns false when that must wait. */
bool model_enable(struct model *m, unsigned gun, bool on, int64_t now_ms);
/** The platform told the time: the charger's clock is right from now on (but for its habit). */
void model_set_clock(struct model *m, int64_t told_ms, int64_t now_ms);
/** The charger's clock. */
int64_t model_clock_ms(const struct model *m, int64_t now_ms);
/** Queues the state of the gun again. */
void model_status(struct model *m, unsigned gun);
/** Unlocks the plug; a transaction ends first. */
void model_unlock(struct model *m, unsigned gun, int64_t now_ms);
/** Somebody switches it off: its transactions end, and it has a moment left to say so. */
void model_power_off(struct model *m, int64_t now_ms);
/** Ends transactions, drops the link for some seconds and boots again. */
void model_reset(struct model *m, int64_t now_ms);

/** A reading of now; the register as the meter shows it. */
void model_sample(const struct model *m, unsigned gun, struct model_event *out);
/** Energy of the transaction so far, and what a 云快充 pile charges for it (1/10,000 yuan). */
int64_t model_energy_mwh(const struct model *m, unsigned gun);
int64_t model_amount(const struct model *m, unsigned gun);
/** Amount of one price class, 1/10,000 yuan, for energy counted in 1/10,000 kWh. */
int64_t model_class_amount(const struct model *m, unsigned gun, unsigned class);
/** True between the start and the end of a transaction. */
bool model_busy(const struct model *m, unsigned gun);

#endif
