// SPDX-License-Identifier: Apache-2.0
/* password.c: the one thread that hashes and verifies passwords of people. Argon2id takes 65 ms and
 * 64 MiB by design, so one at a time is also the limit that keeps a flood of log-ins from taking
 * the machine.
 *
 * Data: a worker (worker.h). Invariant: jobs hold at most one slot in JOBS_PART, so a flood of log-ins leaves
 * the others to who starts and stops charging. Fails: a full queue is ERR_FULL. */
#include "web/state.h"

#include "base/err.h"
#include "io/os/crypto.h"
#include "web/request.h"

enum { JOBS_PART = 8 };

int password_send(struct web *w, struct slab_ref ref)
{
    int err = ERR_FULL;

    if (w->hashing < w->cfg.in_flight / JOBS_PART)
        err = worker_send(&w->hasher, ref);
    w->hashing += err == 0;
    return err;
}

static int password_job(struct request *r)
{
    return r->hash == NULL ? crypto_password_hash(r->password, r->hash_out)
                           : crypto_password_verify(r->hash, r->password);
}

static void password_done(struct web *w, const struct request *r)
{
    (void)r;
    w->hashing--;
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

    w->hasher = (struct worker){.w = w, .job = password_job, .done = password_done};
    return err != 0 ? err : worker_start(&w->hasher, "web-password");
}
