// SPDX-License-Identifier: Apache-2.0
/* options.h: the command line of `even sim`. */
#ifndef EVEN_SIM_OPTIONS_H
#define EVEN_SIM_OPTIONS_H

#include "sim/model.h"

struct sim_options {
    char ocpp_host[64], ocpp_path[128], ykc_host[64]; /* numeric addresses */
    uint16_t ocpp_port, ykc_port;
    int64_t ocpp, piles; /* how many */
    char first_id[25], first_pile[15];
    const char *password_file; /* or NULL */
    int64_t seed, speed, run_s;
    int64_t power_lo_w, power_hi_w; /* 0 = the demonstration's mixture */
    int64_t second_w;               /* of the second gun, 0 = as the first */
    int64_t reading_s, stop_lo_ms, stop_hi_ms, walkup_pm, cards, pairs;
    bool autoplug, no_trigger, no_interval, no_profiles, no_turn, no_balance, help;
    uint16_t mix[HABIT_COUNT];
};

/** Reads the options; on ERR_SYNTAX one line on stderr has said what is wrong. */
EV_MUST_USE int sim_options_read(int argc, char **argv, struct sim_options *o);
void sim_options_help(void);
/** The id of charger i: the digits at the end of `first` count up, keeping their width. ERR_RANGE
 * when they run out or the text does not fit. */
EV_MUST_USE int sim_id(const char *first, int64_t i, char *out, size_t cap);

#endif
