// SPDX-License-Identifier: Apache-2.0
/* password.c: the one thread that hashes and verifies passwords of people. Argon2id takes 65 ms and
 * 64 MiB by design, so one at a time is also the limit that keeps a flood of log-ins from taking
 * the machine.
 *
 * Data: a mailbox of slot handles; the job itself stands in the suspended request, which nobody
 * else touches until the slot ends. Invariants: 1. job slots have no deadline, so the request
 * outlives the job; 2. jobs hold at most one slot in JOBS_PART, so a flood of log-ins leaves the
 * others to who starts and stops charging. Fails: a full queue is ERR_FULL. */
#include "web/state.h"

#include "base/err.h"
#include "io/os/crypto.h"
#include "web/request.h"

enum { JOBS_BYTES = 64 * 1024, JOBS_WAIT_MS = 500, JOBS_PART = 8 };

int password_send(struct web *w, struct slab_ref ref)
{
    int err = ERR_FULL;

    if (w->hashing < w->cfg.in_flight / JOBS_PART)
        err = mailbox_send(w->jobs, MAIL_NORMAL, str_from((const char *)&ref, sizeof(ref)));
    w->hashing += err == 0;
    return err;
}

static void job_run(struct web *w, struct slab_ref ref)
{
    struct slot *s;
    struct request *r;
    int err;

    web_lock(w);
    s = slab_find(&w->slots, ref);
    r = s != NULL ? s->r : NULL;
    w->hashing -= r == NULL;
    web_unlock(w);
    if (r == NULL)
        return;
    if (r->hash == NULL)
        err = crypto_password_hash(r->password, r->hash_out);
    else
        err = crypto_password_verify(r->hash, r->password);
    web_lock(w);
    w->hashing--;
    slot_end(w, ref, err);
    web_unlock(w);
}

static void password_run(void *arg)
{
    struct web *w = arg;
    struct mailbox_batch batch = {0};
    struct str msg;

    while (!w->stopping) {
        (void)mailbox_wait(w->jobs, JOBS_WAIT_MS);
        if (mailbox_take(w->jobs, &batch) == 0)
            continue;
        while (!w->stopping && mailbox_next(&batch, &msg)) {
            struct slab_ref ref;

            memcpy(&ref, msg.p, sizeof(ref));
            job_run(w, ref);
        }
    }
    mailbox_batch_free(&batch);
}

/* What an unknown name is verified against costs what a real one does: it is made the same way. */
static int no_hash_make(struct web *w)
{
    char secret[33];
    int err;

    os_random_text(secret, sizeof(secret) - 1);
    err = crypto_password_hash(str_from_c(secret), w->no_hash);
    crypto_wipe(secret, sizeof(secret));
    return err;
}

int password_start(struct web *w)
{
    int err = no_hash_make(w);

    if (err == 0)
        err = mailbox_new(JOBS_BYTES, 64, &w->jobs);
    return err != 0 ? err : os_thread_start("web-password", password_run, w, &w->worker);
}

void password_stop(struct web *w)
{
    w->stopping = true;
    os_thread_join(w->worker);
    w->worker = NULL;
}
