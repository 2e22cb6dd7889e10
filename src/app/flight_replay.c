// SPDX-License-Identifier: Apache-2.0
/* flight_replay.c: see flight_replay.h. Data: one part at a time in memory (a part is an eighth of
 * flight.mb). A record that was cut off at the end of the last part is what a crash leaves, and ends
 * the replay quietly; anywhere else it is damage. */
#include "app/flight_replay.h"

#include <inttypes.h>
#include <stdlib.h>

#include "app/pulse.h"
#include "base/calendar.h"
#include "base/err.h"
#include "base/hash.h"
#include "io/os/file.h"

enum { PART_MOST = 1 << 30 };

struct replay {
    FILE *out;
    struct flight_score *score;
    struct store *store;
    struct pulse *pulse;
    struct core_batch batch;
    struct flight_head head; /* of the first part */
    struct buf file;
    struct cmd cmd; /* the last one, aligned */
    uint64_t settled;
    const char *path;
};

static int complain(const struct replay *r, size_t at, int err, const char *what)
{
    fprintf(r->out, "%s: byte %zu: %s\n", r->path, at, what);
    return err;
}

/* ---- the parts ---- */

static int head_read(struct replay *r, const char *path, struct flight_head *h)
{
    r->path = path;
    buf_reset(&r->file);
    int err = file_read(path, PART_MOST, &r->file);
    if (err)
        return complain(r, 0, err, err_text(err, LANG_EN));
    if (r->file.n < sizeof *h)
        return complain(r, 0, ERR_CORRUPT, "too short for a flight");
    memcpy(h, r->file.p, sizeof *h);
    if (h->magic != FLIGHT_MAGIC || h->crc != flight_head_crc(h))
        return complain(r, 0, ERR_CORRUPT, "its head is damaged, or it is no flight");
    if (h->version != FLIGHT_VERSION || h->cmd_version != CMD_VERSION)
        return complain(r, 0, ERR_NEWER, "another version recorded it");
    return 0;
}

static int part_check(struct replay *r, const struct flight_head *h, int i)
{
    if (i == 0)
        r->head = *h;
    if (h->run != r->head.run)
        return complain(r, 0, ERR_STALE, "it belongs to another start of the program");
    if (h->part != (uint32_t)i)
        return complain(r, 0, ERR_STALE,
                        i ? "a part before it is missing" : "the beginning of this run is missing");
    return 0;
}

/* ---- opening ---- */

static int begin(struct replay *r, const char *dir)
{
    int err = store_open(&(struct store_config){.dir = dir, .create = true}, &r->store);
    if (err)
        return err;
    const struct pulse_config pc = {
        .limits = r->head.limits, .store = r->store, .now_ms = r->head.now_ms};
    err = pulse_new(&pc, &r->pulse);
    if (err)
        return err;
    if (pulse_state(r->pulse) != r->head.state) {
        fprintf(r->out, "%s: the flight began from another state than %s\n", r->path, dir);
        return ERR_STALE;
    }
    return 0;
}

/* ---- records ---- */

static int cmd_take(struct replay *r, const struct flight_record *rec, const char *body, size_t at)
{
    if (rec->n < offsetof(struct cmd, u) || rec->n > sizeof r->cmd)
        return complain(r, at, ERR_CORRUPT, "a command of an impossible size");
    memset(&r->cmd, 0, sizeof r->cmd);
    memcpy(&r->cmd, body, rec->n);
    if (r->cmd.head.size != rec->n)
        return complain(r, at, ERR_CORRUPT, "a command of another size than its own");
    r->score->commands++;
    return pulse_apply(r->pulse, &r->cmd, r->cmd.head.now_ms);
}

static int seal_take(struct replay *r, const struct flight_record *rec, const char *body, size_t at)
{
    struct flight_seal want, is;
    char when[TIME_TEXT_SIZE];
    bool wrote;
    if (rec->n != sizeof want)
        return complain(r, at, ERR_CORRUPT, "a seal of another size");
    memcpy(&want, body, sizeof want);
    pulse_seal(r->pulse, &r->batch);
    is = flight_hash(&r->batch);
    if (is.rows != want.rows || is.samples != want.samples || is.outs != want.outs ||
        is.commands != want.commands) {
        time_format(want.now_ms, when);
        fprintf(r->out,
                "%s: byte %zu: batch %" PRIu64 " at %s differs in its%s%s%s%s; the last command "
                "before it: type %u, cause %" PRIu64 "\n",
                r->path, at, want.number, when, is.rows != want.rows ? " rows" : "",
                is.samples != want.samples ? " samples" : "",
                is.outs != want.outs ? " answers" : "",
                is.commands != want.commands ? " number of commands" : "", r->cmd.head.type,
                r->cmd.head.cause);
        return ERR_CONFLICT;
    }
    r->score->batches++;
    return pulse_commit(r->store, &r->batch, &wrote);
}

static int tick_take(struct replay *r, const struct flight_record *rec, const char *body, size_t at)
{
    int64_t now_ms;
    if (rec->n != sizeof now_ms)
        return complain(r, at, ERR_CORRUPT, "a tick of another size");
    memcpy(&now_ms, body, sizeof now_ms);
    r->score->ticks++;
    pulse_tick(r->pulse, now_ms);
    return 0;
}

static int rest_take(struct replay *r, const struct flight_record *rec, const char *body, size_t at)
{
    uint64_t settled;
    if (rec->n != sizeof settled)
        return complain(r, at, ERR_CORRUPT, "a rest of another size");
    memcpy(&settled, body, sizeof settled);
    if (settled > r->batch.number || settled < r->settled)
        return complain(r, at, ERR_CORRUPT, "a rest before its batch");
    r->settled = settled;
    (void)pulse_rest(r->pulse, settled, 0);
    return 0;
}

static int record_take(struct replay *r, const struct flight_record *rec, const char *body,
                       size_t at)
{
    switch ((enum flight_kind)rec->kind) {
    case FLIGHT_CMD:
        return cmd_take(r, rec, body, at);
    case FLIGHT_TICK:
        return tick_take(r, rec, body, at);
    case FLIGHT_REST:
        return rest_take(r, rec, body, at);
    case FLIGHT_SEAL:
        return seal_take(r, rec, body, at);
    }
    return complain(r, at, ERR_CORRUPT, "a record of an unknown kind");
}

/* The record at `at`: 1 = whole, 0 = cut off, or damage. */
static int record_read(const struct replay *r, size_t at, struct flight_record *rec)
{
    size_t left = r->file.n - at;
    if (left < sizeof *rec)
        return 0;
    memcpy(rec, r->file.p + at, sizeof *rec);
    if (rec->crc != flight_record_crc(rec))
        return complain(r, at, ERR_CORRUPT, "a damaged record");
    if (left - sizeof *rec < flight_padded(rec->n))
        return 0;
    if (rec->body_crc != crc32c(0, r->file.p + at + sizeof *rec, flight_padded(rec->n)))
        return complain(r, at, ERR_CORRUPT, "a damaged record");
    return 1;
}

static int part_play(struct replay *r, bool last)
{
    size_t at = sizeof(struct flight_head);
    while (at < r->file.n) {
        struct flight_record rec;
        int found = record_read(r, at, &rec);
        if (found == 0)
            return last ? 0 : complain(r, at, ERR_CORRUPT, "cut off");
        int err = found < 0 ? found : record_take(r, &rec, r->file.p + at + sizeof rec, at);
        if (err)
            return err;
        at += sizeof rec + flight_padded(rec.n);
    }
    return 0;
}

int flight_replay(const char *dir, const char *const *parts, int n, FILE *out,
                  struct flight_score *score)
{
    struct replay *r = calloc(1, sizeof *r);
    int err = 0;
    if (!r)
        return ERR_NOMEM;
    *score = (struct flight_score){0};
    r->out = out;
    r->score = score;
    buf_init(&r->file, PART_MOST);
    core_batch_init(&r->batch);
    for (int i = 0; i < n && !err; i++) {
        struct flight_head h;
        err = head_read(r, parts[i], &h);
        if (!err)
            err = part_check(r, &h, i);
        if (!err && i == 0)
            err = begin(r, dir);
        if (!err)
            err = part_play(r, i + 1 == n);
    }
    pulse_free(r->pulse);
    store_close(r->store);
    core_batch_free(&r->batch);
    buf_free(&r->file);
    free(r);
    return err;
}
