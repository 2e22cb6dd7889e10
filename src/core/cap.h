// SPDX-License-Identifier: Apache-2.0
/* cap.h: the prepaid cap. The platform stops a session so that the bill ends just under the amount
 * held: not by waiting for a reading above it but by timer between readings, from the last cost,
 * the power, the highest price ahead and the time this charger takes to obey a stop. Near the cap
 * it asks for readings, shortens the sample interval, and tapers the power where the charger obeys.
 *
 * cap_decide is pure: the caller gives what is known now, does what the answer says, and asks again
 * at answer.again_ms or with the next reading, whichever is earlier. The estimate of energy between
 * readings uses the last power and its trend.
 *
 * Aim: an overrun of at most 0.03 yuan when this charger takes its longest to stop;
 * the hold is the limit of what a driver pays in any case, what is above it is a loss or a debt by
 * the tenant's policy. */
#ifndef EVEN_CORE_CAP_H
#define EVEN_CORE_CAP_H

#include "base/money.h"
#include "core/types.h"

/** What a charger of which nothing is known is taken to need for a stop. */
#define CAP_LATENCY_MIN_MS 1000
#define CAP_LATENCY_MAX_MS 5000
#define CAP_POLL_MS        1500 /* the shortest time between two readings that we ask for */
#define CAP_INTERVAL_S     2    /* the shortest sample interval that we set */

/** What is known of a session now. Amounts in 1/10,000, prices 1/100,000 per kWh. */
struct cap_view {
    int64_t now_ms;
    struct money cap, spent; /* spent: fee_sum().total at the last good reading */
    int64_t reading_ms; /* its time, server's clock; the start of the session when there is none */
    int64_t power_w;    /* last known, from the sample or the registers; -1 = no reading yet */
    int64_t prev_power_w; /* the one before, -1 = none */
    int64_t prev_ms;      /* its time */
    int64_t power_max_w;  /* of the connector */
    int64_t price_e5;     /* electricity + service, highest until the cap can be reached */
    int32_t interval_ms;  /* sample interval in force */
    int32_t latency_min_ms, latency_max_ms; /* learnt; 0 = CAP_LATENCY_* */
    uint32_t traits;                        /* enum charger_trait */
    int64_t asked_ms;                       /* a reading was asked for and has not come; 0 = none */
    int32_t unanswered;                     /* readings asked for in a row that did not come */
    int64_t limit_w;                        /* power limit that we set; 0 = none */
    bool interval_set;                      /* the short interval was set already */
};

enum cap_action {
    CAP_WAIT = 0,     /* nothing now */
    CAP_READ = 1,     /* ask for a reading (TriggerMessage, 云快充 0x12) */
    CAP_INTERVAL = 2, /* set the sample interval to answer.interval_s */
    CAP_TAPER = 3,    /* limit the power to answer.limit_w */
    CAP_STOP = 4      /* stop now */
};

struct cap_answer {
    enum cap_action action;
    int64_t again_ms; /* ask again then, even without a reading; > now_ms unless CAP_STOP */
    int32_t interval_s;
    int64_t limit_w;
};

void cap_decide(const struct cap_view *v, struct cap_answer *out);

/** When a charger that hears no more of us should fall to zero by itself (the dead-man limit): a
 * margin after the moment at which the cap is reached if the power stays as it is, or, while it
 * rises or is not known, if it becomes all that the connector has. Later than now_ms. */
int64_t cap_zero_ms(const struct cap_view *v);

/** True when the moment that was left in the charger (0 = none) is wrong enough to be told anew:
 * far too late, or so early that a session that goes well would meet it. */
bool cap_zero_moved(const struct cap_view *v, int64_t zero_ms);

/** Learns from a stop that took latency_ms (sent → energy stopped): widens at once, narrows
 * slowly, the longest slower than the shortest. */
void cap_learn(int32_t *latency_min_ms, int32_t *latency_max_ms, int64_t latency_ms);

/** Cost of power_w during ms at price_e5, in 1/10,000, rounded up. */
struct money cap_cost(int64_t power_w, int64_t ms, int64_t price_e5);

#endif
