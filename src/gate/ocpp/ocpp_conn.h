// SPDX-License-Identifier: Apache-2.0
/* ocpp_conn.h: what the files of the OCPP gate share: the gate, a connection, its
 * unanswered calls. ocpp_gate.c owns connections and their order, ocpp_in.c knows the charger's
 * calls, ocpp_out.c the core's calls. */
#ifndef EVEN_GATE_OCPP_OCPP_CONN_H
#define EVEN_GATE_OCPP_OCPP_CONN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/slab.h"
#include "gate/backlog.h"
#include "gate/models.h"
#include "gate/ocpp/ocpp_frame.h"
#include "gate/ocpp/ocpp_gate.h"
#include "wire/ocpp16.h"

#define OCPP_UNANSWERED_MAX 8 /* calls of the charger */
/* Calls to the charger: the core sends one at a time, and the next only after it heard what became
 * of the last: the second is for one that it gave up before we did. */
#define OCPP_CALLS_MAX 2

struct ocpp_action;

#define OCPP_WHY_SIZE 120

/** One unanswered call; those of a connection are a list. Two cache lines: with a thousand calls
 * waiting for a commit, each slot is cold when it is made and cold again when it is answered. */
struct ocpp_slot {
    struct ocpp_slot *next;
    const struct ocpp_action *action; /* NULL: no such, err is set */
    union {
        int64_t tx, time_ms; /* of the answers that carry a tag; of all others */
    } u;
    struct slab_ref self, why; /* why: detail of err in g->whys, gen 0 = none */
    uint64_t cause;            /* of the call */
    uint32_t ref;              /* of the command; 0 = answered here */
    int32_t err, interval_s;
    int16_t status;
    bool ready : 1;      /* the answer is known; it waits for those before it */
    bool tag_wanted : 1; /* the answer carries idTagInfo */
    uint8_t id_n;        /* an id may hold any character, NUL as well */
    char id[OCPP_ID_MAX];
};
_Static_assert(sizeof(struct ocpp_slot) <= 128, "a slot is two cache lines");

struct ocpp_call {
    int64_t command, due_ms; /* command 0 = free */
};
enum ocpp_state { OCPP_ASKED, OCPP_OPEN, OCPP_REFUSED };

struct ocpp_conn {
    struct net_conn net;
    int64_t charger;
    struct slab_ref self;
    struct ocpp_slot *first, *last; /* unanswered, in the order of the calls */
    uint32_t next_ref;
    uint8_t waiting; /* how many are unanswered */
    uint8_t state;   /* enum ocpp_state */
    bool named : 1;  /* the charger offered our subprotocol */
    bool paused : 1;
    uint8_t model; /* of gate_models; 0 until it boots */
    /* Open: commands that the core had no room for, in order. Asked: calls of the core that came
     * before its answer. Each padded to 8. */
    struct buf stalled;
    struct ocpp_call call[OCPP_CALLS_MAX];
};

struct ocpp_gate {
    struct gate_config cfg;
    struct slab conns, slots, whys;
    struct map orphans; /* asked for, gone before the core answered */
    struct buf backlog; /* commands of connections that are gone */
    struct buf out;     /* the text being written */
    struct arena arena; /* of the message being read */
    struct gate_stats stats;
    struct gate_models models;
    uint64_t cause;
    struct cmd cmd; /* the command being written */
};

/** One action of chargers. take: request → command (0, or the error that answers the call); answer:
 * reply → response. */
struct ocpp_action {
    const char *name;
    const struct wire_type *req, *res;
    int (*take)(struct ocpp_gate *g, struct ocpp_conn *c, struct ocpp_slot *s, const void *req);
    void (*answer)(const struct ocpp_slot *s, void *res);
};
/** Something odd was taken all the same. */
static inline void ocpp_odd(struct ocpp_gate *g, const struct ocpp_conn *c)
{
    g->stats.lenient++;
    gate_models_odd(&g->models, c->model);
}
/** The action of that name, or NULL. */
const struct ocpp_action *ocpp_action_find(struct str name);

/** Begins a command of this connection in g->cmd: zeroed up to size, head filled. ref 0 = no reply
 * wanted. */
struct cmd *ocpp_cmd(struct ocpp_gate *g, const struct ocpp_conn *c, enum cmd_type type,
                     size_t size, uint32_t ref);
/** Sends g->cmd, or keeps it while the core has no room. An error means that it was refused for
 * good. */
EV_MUST_USE int ocpp_submit(struct ocpp_gate *g, struct ocpp_conn *c);

/** Appends the CALL frame of a core's call. ERR_UNSUPPORTED, ERR_UNKNOWN_ACTION, or what is wrong
 * with its payload. */
EV_MUST_USE int ocpp_call_build(const struct out_call *call, struct arena *a, struct buf *out);
/** Fills a CMD_CALL_RESULT payload from the charger's answer: `status` and as much of the payload
 * as fits. */
void ocpp_call_result(struct str payload, struct arena *a, struct cmd_call_result *r);

#endif
