// SPDX-License-Identifier: Apache-2.0
/* thread.c: see thread.h.
 *
 * Data: one heap record a thread, owned by whoever started it.
 *
 * Invariants:
 *  1. The record outlives the thread, because join frees it.
 *  2. Signals are blocked in every thread, so they arrive at a descriptor only.
 *
 * Failure: a thread that cannot start is an error for the caller; a join that fails is our bug. */
#include "io/os/thread.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "base/err.h"
#include "base/must.h"

struct os_thread {
    pthread_t id;
    void (*fn)(void *arg);
    void *arg;
    char name[16];
};

static void *thread_main(void *arg)
{
    struct os_thread *t = arg;

    pthread_setname_np(pthread_self(), t->name);
    t->fn(t->arg);
    return NULL;
}

int os_thread_start(const char *name, void (*fn)(void *arg), void *arg, struct os_thread **out)
{
    struct os_thread *t = calloc(1, sizeof(*t));

    *out = NULL;
    if (t == NULL)
        return ERR_NOMEM;
    t->fn = fn;
    t->arg = arg;
    snprintf(t->name, sizeof(t->name), "%s", name);
    if (pthread_create(&t->id, NULL, thread_main, t) != 0) {
        free(t);
        return ERR_FULL;
    }
    *out = t;
    return 0;
}

void os_thread_yield(void)
{
    (void)sched_yield();
}

void os_thread_join(struct os_thread *t)
{
    if (t == NULL)
        return;
    must(pthread_join(t->id, NULL) == 0);
    free(t);
}

/* The smallest kept descriptor that is not below `from`; UINT_MAX = none is left. */
static unsigned kept_next(const int *keep, uint32_t n, unsigned from)
{
    unsigned least = UINT_MAX;

    for (uint32_t i = 0; i < n; i++)
        if ((unsigned)keep[i] >= from && (unsigned)keep[i] < least)
            least = (unsigned)keep[i];
    return least;
}

static int others_close(const int *keep, uint32_t n)
{
    unsigned from = STDERR_FILENO + 1, kept;

    do {
        kept = kept_next(keep, n, from);
        if (kept > from && close_range(from, kept - 1, 0) != 0)
            return ERR_IO;
        from = kept + 1;
    } while (kept != UINT_MAX);
    return 0;
}

void os_thread_step_back(void)
{
    enum { NICE = 10 };
    /* On Linux each thread has its own, and 0 is the calling one. EACCES: it stood further back. */
    must(setpriority(PRIO_PROCESS, 0, NICE) == 0 || errno == EACCES);
}

int os_files_own(const int *keep, uint32_t n)
{
    if (EV_TSAN)
        return ERR_UNSUPPORTED;
    if (unshare(CLONE_FILES) != 0)
        return errno == ENOMEM ? ERR_NOMEM : ERR_DENIED;
    return others_close(keep, n);
}

static void signals_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

void os_signals_block(void)
{
    sigset_t set;
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    signals_set(&set);
    must(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    must(sigaction(SIGPIPE, &ignore, NULL) == 0);
    must(sigaction(SIGXFSZ, &ignore, NULL) == 0); /* a file at its limit is an error of its write */
}

int os_signals_open(int *fd)
{
    sigset_t set;

    signals_set(&set);
    *fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return *fd < 0 ? ERR_IO : 0;
}

void os_signals_close(int fd)
{
    close(fd);
}

int os_signals_take(int fd)
{
    struct signalfd_siginfo info;

    if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return 0;
    return (int)info.ssi_signo;
}

int os_signals_wait(int32_t timeout_ms)
{
    sigset_t set;
    struct timespec ts = {timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000};
    int got;

    signals_set(&set);
    if (timeout_ms >= 0)
        got = sigtimedwait(&set, NULL, &ts);
    else
        got = sigwaitinfo(&set, NULL);
    return got > 0 ? got : 0;
}
