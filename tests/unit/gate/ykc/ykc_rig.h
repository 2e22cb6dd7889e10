// SPDX-License-Identifier: Apache-2.0
/* ykc_rig.h: the 云快充 gate over real sockets, with the test in the place of the core and of the
 * pile: frames arrive as commands, answers leave as frames. One rig a test (start, stop). */
#ifndef EVEN_TEST_YKC_RIG_H
#define EVEN_TEST_YKC_RIG_H

#include "gate/ykc/ykc_conn.h"

#define PILE     "55031412782305"
#define PILE2    "55031412782306"
#define CHARGER  7001
#define ORDER    "55031412782305012611222130550001"
#define PATIENCE 10000000000

struct rig {
    struct net *net;
    struct ykc_gate *gate;
    uint16_t port;
    struct net_conn pile;
    bool pile_open, pile_gone;
    bool high_first; /* the pile writes its checksums the other way round */
    struct buf in;   /* bytes the pile got */
    struct buf cmds; /* commands the core got, padded to 8 */
    bool full;       /* the core has no room */
    struct framelog *frames;
    int64_t now_ms;
};

extern struct rig *rig;
extern struct origin conn; /* of the pile's connection, as the core knows it */
extern const struct ykc_Login login;
extern const struct ykc_RealtimeData charging;
extern const struct ykc_Record record;

/** The core's mailbox: a gate_config's submit with the rig as ctx. */
int rig_submit(void *ctx, const struct cmd *cmd);
int start(void **state);
int stop(void **state);
void turn_until(const bool *flag);
void turn_for(int32_t ms);
void connect_pile(void);

void put_frame(struct buf *b, uint8_t type, const void *body, uint8_t seq0, uint8_t seq1);
void pile_says(uint8_t type, const void *body, uint8_t seq0, uint8_t seq1);
/** Waits for a frame of this type and decodes it; other frames before it fail the test. */
struct frame pile_hears(uint8_t type, void *body);
void pile_hears_nothing(void);

/** The next command, which must be of this type. Copied: it may be used after the next one came. */
struct cmd core_hears(enum cmd_type type);
void core_hears_nothing(void);
struct out answer_to(const struct cmd *cmd, int err);
void core_says(const struct out *out);
/** The core hears a command of this type and answers it at once, well. */
struct cmd core_answers(enum cmd_type type);
void core_calls(enum call_kind kind, int64_t command, int32_t gun);
/** A call by name, with its parameters. */
void core_calls_raw(const char *action, int64_t command, int32_t gun, const char *payload);
struct cmd result_comes(int64_t command, int err, const char *status);

/** The log-in of a pile, step by step and as a whole. */
void core_lets_in(const char *pile, int64_t charger, int32_t profile);
void pile_is_in(const char *pile, uint8_t seq0, uint8_t seq1);
void log_in(void);
void log_in_as(int32_t profile);

#endif
