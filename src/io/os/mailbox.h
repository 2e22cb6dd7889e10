// SPDX-License-Identifier: Apache-2.0
/* mailbox.h: how threads talk. A mailbox has one taker and any number of senders. Messages are flat
 * bytes, copied into one buffer; the taker swaps the whole buffer for an empty one, so a turn costs
 * one lock however much arrived. A buffer far larger than what was taken of late is given back. The order of sending is kept over both lanes: a lane is a byte
 * limit of its own, not a queue of its own. Endings (stops, records, closes) keep room when
 * ordinary traffic has filled its limit. */
#ifndef EVEN_IO_OS_MAILBOX_H
#define EVEN_IO_OS_MAILBOX_H

#include "base/str.h"

enum mail_lane { MAIL_NORMAL, MAIL_ENDING };

struct mailbox;

/** What was taken. Zero it once; mailbox_take reuses its buffer; mailbox_batch_free at the end.
 * Messages stay valid until the next take into the same batch. */
struct mailbox_batch {
    uint8_t *p;
    size_t n, size, at; /* bytes held, allocated, already read by mailbox_next */
    size_t much;        /* most bytes of a take of late */
};

/** Gives a mailbox whose lanes hold at most these many bytes each (every message costs its length +
 * 4, rounded up to 8). ERR_NOMEM, ERR_IO. */
EV_MUST_USE int mailbox_new(size_t normal_cap, size_t ending_cap, struct mailbox **out);
/** All senders and the taker must be gone. */
void mailbox_free(struct mailbox *mb);
/** Copies the message in. ERR_FULL when its lane has no room, ERR_TOO_LARGE when it never could
 * have. Any thread. */
EV_MUST_USE int mailbox_send(struct mailbox *mb, enum mail_lane lane, struct str msg);
/** The same for a message in two parts (head and body), so that callers need not join them. */
EV_MUST_USE int mailbox_send2(struct mailbox *mb, enum mail_lane lane, struct str head,
                              struct str body);
/** As mailbox_send2, but lets the taker sleep: for a run of messages that ends with mailbox_wake,
 * so that a turn costs one wake-up however much it sends. */
EV_MUST_USE int mailbox_put(struct mailbox *mb, enum mail_lane lane, struct str head,
                            struct str body);
/** Wakes the taker if something waits that it was not woken for. Any thread. */
void mailbox_wake(struct mailbox *mb);
/** Takes everything that waits; the number of bytes, 0 when there was nothing. Never waits. Taker
 * only. */
size_t mailbox_take(struct mailbox *mb, struct mailbox_batch *batch);
/** The next message of the batch (8-byte aligned), false at its end. */
bool mailbox_next(struct mailbox_batch *batch, struct str *msg);
void mailbox_batch_free(struct mailbox_batch *batch);
/** Readable while something may wait (for epoll); mailbox_take makes it quiet again. */
int mailbox_fd(const struct mailbox *mb);
/** Waits up to timeout_ms (negative = for ever) until something may wait; false at the timeout.
 * Taker only. */
bool mailbox_wait(struct mailbox *mb, int32_t timeout_ms);
/** The same for a taker that always waits like this: senders write nothing while it is up, for it looks
 * before it sleeps; what was put without a wake-up counts as well. True when something waits; false
 * at the timeout, and now and then before, when a wake-up came late. */
bool mailbox_await(struct mailbox *mb, int32_t timeout_ms);
/** Its pieces, for a taker that sleeps on mailbox_fd by other means: mailbox_doze before it sleeps (false:
 * something waits, it is to take that instead), mailbox_rise when it woke (true: something waits), and
 * mailbox_hear when the descriptor was readable. */
bool mailbox_doze(struct mailbox *mb);
bool mailbox_rise(struct mailbox *mb);
void mailbox_hear(struct mailbox *mb);
/** Bytes waiting in a lane (metrics, refusing new work early). Any thread. */
size_t mailbox_waiting(struct mailbox *mb, enum mail_lane lane);

#endif
