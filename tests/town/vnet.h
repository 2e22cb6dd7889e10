// SPDX-License-Identifier: Apache-2.0
/* vnet.h: a network and a clock that a test owns. The calls by which io/net makes and uses sockets
 * are interposed at link time (vnet_wrap.c): the real reactor, WebSocket and frame code run over
 * streams that live here, in one thread, in virtual time. A stream delays, splits and merges what is
 * sent, holds no more than its window, and may be reset, fall silent in both directions while both
 * ends think it stands, or lose one end only.
 *
 * Two sides: descriptors that the server made (it listens, or accepted them) and those of its
 * clients. Descriptors are never used twice within a run, so that one that was kept too long is
 * found out.
 *
 * One network at a time, one thread: the interposed calls have nobody to ask which one is meant. */
#ifndef EVEN_TOWN_VNET_H
#define EVEN_TOWN_VNET_H

#include "base/buf.h"
#include "base/hash.h"

#define VNET_FIRST_FD 1000000
#define VNET_NEVER    INT64_MAX

/** What the lines are like. */
struct vnet_weather {
    int32_t delay_lo_ms, delay_hi_ms; /* of one packet; at least 1 */
    int32_t split_pm;                 /* of 1,000 sends, how many leave in two packets */
    size_t window;                    /* bytes on the way and unread, each direction */
};

/** Starts anew at this time. The random numbers that the program asks the system for come from the
 * seed, too. */
void vnet_begin(uint64_t seed, const struct vnet_weather *w, int64_t now_ms);
/** Frees everything; every descriptor must be closed. */
void vnet_end(void);

int64_t vnet_now_ms(void);
/** … and as the program is told it. */
int64_t vnet_wall_ms(void);
void vnet_advance(int64_t now_ms);
/** The wall clock of the program is that much off; its monotonic clock never is. */
void vnet_skew_set(int64_t ms);
/** A network is on: between vnet_begin and vnet_end. */
bool vnet_on(void);
/** close(2) of a descriptor of ours; false when it is none. For disk_close_set (crash/disk.h). */
bool vnet_close_ours(int fd, int *res);

/** When the next thing happens by itself: bytes arrive, or a reactor wants to look at its timers. */
int64_t vnet_due_ms(void);

enum vnet_break {
    VNET_RESET,    /* both ends hear of it */
    VNET_SILENT,   /* neither does: what is sent from now on is lost */
    VNET_ONE_SIDE, /* the client hears of it, the server does not */
    VNET_STALL,    /* nothing moves for a while, then all of it */
    VNET_BREAKS
};
/** Breaks one established stream; which one, `pick` decides. False when there is none. */
bool vnet_break(enum vnet_break how, uint64_t pick);
/** The server's machine is gone: its descriptors with it. told: its system still ran and reset the
 * streams (a killed program); else its clients find out by themselves (a power cut). */
void vnet_server_gone(bool told);

/** Figures of the run. */
struct vnet_stats {
    uint64_t connects, packets, bytes, splits, full, breaks;
};
void vnet_stats_get(struct vnet_stats *out);

#endif
