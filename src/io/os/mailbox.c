// SPDX-License-Identifier: Apache-2.0
/* mailbox.c: see mailbox.h.
 *
 * Data: one byte buffer with its two lane counters, under one mutex, and an eventfd.
 *
 * Invariants:
 *  1. n = used[NORMAL] + used[ENDING]; every message starts at a multiple of 8 with a u32 length
 *     and 4 bytes of padding, so that its bytes are 8-byte aligned.
 *  2. The eventfd is written once between two takes, and the taker reads it before it swaps: a
 *     wake-up may be superfluous, never missing (mailbox_put leaves it to the mailbox_wake that
 *     follows).
 *  3. The buffer grows by doubling up to the sum of both limits and is swapped, never copied, on a
 *     take.
 *  4. While the taker is up (mailbox_await, mailbox_rise) nobody writes the eventfd: it looks into
 *     the buffer before it sleeps. A write that was on its way then wakes it once for nothing.
 *
 * Threads: any sender, one taker. Failure: no memory while growing is ERR_FULL, as a full lane is.
 * */
#include "io/os/mailbox.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/err.h"
#include "base/must.h"

#define MAIL_HEAD 8                                           /* u32 length, 4 bytes of padding */
enum { MAIL_SMALL = 16384, MAIL_SLACK = 8, MAIL_FADES = 16 }; /* when a buffer is too large */

struct mailbox {
    pthread_mutex_t lock;
    uint8_t *p;
    size_t n, size;
    size_t used[2], cap[2];
    int fd;
    bool woken; /* the eventfd was written since the last take */
    bool up;    /* set by the taker alone, under the lock */
};

static size_t mail_cost(size_t len)
{
    return (MAIL_HEAD + len + 7) & ~(size_t)7;
}

int mailbox_new(size_t normal_cap, size_t ending_cap, struct mailbox **out)
{
    struct mailbox *mb = calloc(1, sizeof(*mb));

    *out = NULL;
    if (mb == NULL)
        return ERR_NOMEM;
    mb->cap[MAIL_NORMAL] = normal_cap;
    mb->cap[MAIL_ENDING] = ending_cap;
    mb->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (mb->fd < 0) {
        free(mb);
        return ERR_IO;
    }
    must(pthread_mutex_init(&mb->lock, NULL) == 0);
    *out = mb;
    return 0;
}

void mailbox_free(struct mailbox *mb)
{
    if (mb == NULL)
        return;
    pthread_mutex_destroy(&mb->lock);
    close(mb->fd);
    free(mb->p);
    free(mb);
}

/* Under the lock: room for `need` more bytes. */
static int mail_reserve(struct mailbox *mb, size_t need)
{
    size_t size = mb->size != 0 ? mb->size : 4096;
    uint8_t *p;

    if (mb->n + need <= mb->size)
        return 0;
    while (size < mb->n + need)
        size *= 2;
    p = realloc(mb->p, size);
    if (p == NULL)
        return ERR_FULL;
    mb->p = p;
    mb->size = size;
    return 0;
}

static void mail_append(struct mailbox *mb, struct str head, struct str body, size_t cost)
{
    uint8_t *at = mb->p + mb->n;
    uint32_t len = (uint32_t)(head.n + body.n);

    memset(at, 0, MAIL_HEAD);
    memcpy(at, &len, sizeof(len));
    if (head.n != 0)
        memcpy(at + MAIL_HEAD, head.p, head.n);
    if (body.n != 0)
        memcpy(at + MAIL_HEAD + head.n, body.p, body.n);
    mb->n += cost;
}

static void mail_wake_now(const struct mailbox *mb)
{
    uint64_t one = 1;

    /* It can only fail by overflow, and then the taker is awake anyway. */
    if (write(mb->fd, &one, sizeof(one)) < 0)
        must(errno == EAGAIN);
}

int mailbox_put(struct mailbox *mb, enum mail_lane lane, struct str head, struct str body)
{
    size_t len = head.n + body.n, cost = mail_cost(len);
    int err;

    if (len > UINT32_MAX || cost > mb->cap[lane])
        return ERR_TOO_LARGE;
    must(pthread_mutex_lock(&mb->lock) == 0);
    err = mb->used[lane] + cost > mb->cap[lane] ? ERR_FULL : mail_reserve(mb, cost);
    if (err == 0) {
        mail_append(mb, head, body, cost);
        mb->used[lane] += cost;
    }
    pthread_mutex_unlock(&mb->lock);
    return err;
}

void mailbox_wake(struct mailbox *mb)
{
    bool wake;

    must(pthread_mutex_lock(&mb->lock) == 0);
    wake = mb->n != 0 && !mb->woken && !mb->up;
    mb->woken = mb->woken || wake;
    pthread_mutex_unlock(&mb->lock);
    if (wake)
        mail_wake_now(mb);
}

int mailbox_send2(struct mailbox *mb, enum mail_lane lane, struct str head, struct str body)
{
    int err = mailbox_put(mb, lane, head, body);

    if (err == 0)
        mailbox_wake(mb);
    return err;
}

int mailbox_send(struct mailbox *mb, enum mail_lane lane, struct str msg)
{
    return mailbox_send2(mb, lane, msg, STR_NONE);
}

/* The buffer that goes back to be filled: none when it is one of a storm. */
static void mail_slim(struct mailbox_batch *batch)
{
    batch->much -= batch->much / MAIL_FADES;
    if (batch->n > batch->much)
        batch->much = batch->n;
    if (batch->size <= MAIL_SMALL || batch->size / MAIL_SLACK <= batch->much)
        return;
    free(batch->p);
    batch->p = NULL;
    batch->size = 0;
}

void mailbox_hear(struct mailbox *mb)
{
    uint64_t count;

    if (read(mb->fd, &count, sizeof(count)) < 0)
        must(errno == EAGAIN || errno == EINTR);
}

size_t mailbox_take(struct mailbox *mb, struct mailbox_batch *batch)
{
    uint8_t *p;
    size_t size;

    mail_slim(batch);
    p = batch->p;
    size = batch->size;

    if (!mb->up)
        mailbox_hear(mb);
    must(pthread_mutex_lock(&mb->lock) == 0);
    batch->p = mb->p;
    batch->n = mb->n;
    batch->size = mb->size;
    batch->at = 0;
    mb->p = p;
    mb->size = size;
    mb->n = mb->used[0] = mb->used[1] = 0;
    mb->woken = false;
    pthread_mutex_unlock(&mb->lock);
    return batch->n;
}

bool mailbox_next(struct mailbox_batch *batch, struct str *msg)
{
    uint32_t len;

    if (batch->at >= batch->n)
        return false;
    memcpy(&len, batch->p + batch->at, sizeof(len));
    *msg = str_from((const char *)batch->p + batch->at + MAIL_HEAD, len);
    batch->at += mail_cost(len);
    return true;
}

void mailbox_batch_free(struct mailbox_batch *batch)
{
    free(batch->p);
    *batch = (struct mailbox_batch){0};
}

int mailbox_fd(const struct mailbox *mb)
{
    return mb->fd;
}

bool mailbox_wait(struct mailbox *mb, int32_t timeout_ms)
{
    struct pollfd pfd = {.fd = mb->fd, .events = POLLIN};

    return poll(&pfd, 1, timeout_ms) > 0;
}

/* Sets whether the taker is up, unless it may not sleep; true when something waits. */
static bool mail_turn(struct mailbox *mb, bool up)
{
    bool waits;

    must(pthread_mutex_lock(&mb->lock) == 0);
    waits = mb->n != 0;
    mb->up = up || waits;
    mb->woken = false;
    pthread_mutex_unlock(&mb->lock);
    return waits;
}

bool mailbox_doze(struct mailbox *mb)
{
    return !mail_turn(mb, false);
}

bool mailbox_rise(struct mailbox *mb)
{
    return mail_turn(mb, true);
}

bool mailbox_await(struct mailbox *mb, int32_t timeout_ms)
{
    if (!mailbox_doze(mb))
        return true;
    if (mailbox_wait(mb, timeout_ms))
        mailbox_hear(mb);
    return mailbox_rise(mb);
}

size_t mailbox_waiting(struct mailbox *mb, enum mail_lane lane)
{
    size_t used;

    must(pthread_mutex_lock(&mb->lock) == 0);
    used = mb->used[lane];
    pthread_mutex_unlock(&mb->lock);
    return used;
}
