// SPDX-License-Identifier: Apache-2.0
/* gate_rig.h: what the tapes of both gates share: one reactor, a caller on loopback, and in the
 * place of the core a list of its commands, which the tape answers when it likes. Every command is
 * looked at as the core's own door would: right size, known type, texts that end, counts in range. */
#ifndef EVEN_FUZZ_GATE_RIG_H
#define EVEN_FUZZ_GATE_RIG_H

#include "gate/gate.h"
#include "tape.h"

enum { RIG_CMDS = 16, RIG_CHARGER = 7001, RIG_CHARGERS = 512 };

struct rig {
    struct net *net;
    uint16_t port;
    struct net_conn caller;
    bool open, gone;          /* the caller's end */
    struct buf heard;         /* what the caller got */
    struct cmd cmd[RIG_CMDS]; /* not answered yet, oldest first */
    int cmds;
    bool full; /* the core has no room */
    /* Which chargers are let in, RIG_CHARGER the first; rig_let_in says so, CMD_CONN_CLOSED ends it. */
    bool in[RIG_CHARGERS];
    int ins;
    int called, call_result; /* calls of the core that were taken, and their outcomes */
};
extern struct rig rig;

/** A reactor and the configuration of a gate on it, once a program. */
struct gate_config rig_start(void);
/** A new connection of the caller; turns until it is open or gone. */
void rig_call_in(enum net_kind kind, const char *path);
/** Drops the caller and turns until the gate has heard it. */
void rig_hang_up(bool (*idle)(void));
void rig_turns(int n);
/** Takes the oldest command that wants a reply; false when there is none. */
bool rig_cmd_take(struct cmd *out);
/** The reply to a command from the bytes of the tape. */
void rig_reply_make(struct tape *t, const struct cmd *cmd, struct out *o);
/** The charger's log-in was granted; again while it is in, it changes nothing. */
void rig_let_in(int64_t charger);
/** A call of the core from the bytes of the tape, to this connection. */
void rig_call_make(struct tape *t, struct origin to, struct out *o);

#endif
