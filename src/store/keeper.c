// SPDX-License-Identifier: Apache-2.0
/* keeper.c: housekeeping and online backups; see store.h. Thread: the keeper's own connection is
 * used by one thread; store_backup opens what it needs itself and may run in another program beside
 * the first. Failure: logged; a failed backup leaves its partial files for the operator to look at,
 * but never a manifest, so it cannot pass for whole. */
#include "store/store_internal.h"

#include <stdlib.h>
#include "base/calendar.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "io/os/clock.h"
#include "io/os/file.h"

enum { JOURNAL_MAX = 256 << 20, LOG_FILE_MAX = 128 << 20, MANIFEST_CAP = 16 << 20 };
enum { PIECE = 1 << 16 };

/* Moving often moves the same pages often: so much journal is waited for, but not for ever. */
enum { MOVE_BYTES = 16 << 20, MOVE_CALLS = 5 };

struct store_keeper {
    struct db *db;
    const struct store *store; /* NULL: of a backup, which moves nothing */
    int64_t moved;             /* bytes of journal at the last move */
    int calls;                 /* since */
};

static int keeper_open(const char *path, const struct store *store, struct store_keeper **out)
{
    *out = NULL;
    struct store_keeper *k = calloc(1, sizeof *k);
    if (!k)
        return ERR_NOMEM;
    k->store = store;
    k->calls = MOVE_CALLS;
    int64_t claim = store ? store_claim(store) : 0;
    int rc = db_open(&(struct db_config){.path = path, .mode = DB_KEEPER, .claim = claim}, &k->db);
    if (rc) {
        free(k);
        return store_fail(NULL, rc, "open keeper");
    }
    *out = k;
    return 0;
}

int store_keeper_open(struct store *s, struct store_keeper **out)
{
    return keeper_open(store_db_path(s), s, out);
}

void store_keeper_close(struct store_keeper *k)
{
    if (!k)
        return;
    db_close(k->db);
    free(k);
}

static bool move_due(struct store_keeper *k)
{
    int64_t bytes = store_journal_bytes(k->store);
    if (bytes < k->moved) /* it began anew */
        k->moved = 0;
    bool due = bytes < 0 || ++k->calls > MOVE_CALLS || bytes - k->moved >= MOVE_BYTES;
    if (due) {
        k->moved = bytes;
        k->calls = 0;
    }
    return due;
}

int store_keeper_run(struct store_keeper *k)
{
    int64_t left;
    if (!move_due(k))
        return 0;
    int rc = db_tidy(k->db, false, &left);
    /* Only when readers kept it growing: cutting makes the writer wait. */
    if (rc == 0 && left > JOURNAL_MAX)
        rc = db_tidy(k->db, true, &left);
    return rc ? store_fail(k->db, rc, "housekeeping") : 0;
}

/* ---- backup ---- */

struct backup {
    const char *dir, *target;
    struct buf manifest, file;
};

/* SHA-256 and size of a file of any size. */
static int file_sum(const char *path, char hex[65], int64_t *size)
{
    static const size_t piece = PIECE;
    char bytes[PIECE];
    struct sha256 sum;
    uint8_t raw[32];
    FILE *in = fopen(path, "rb");
    if (!in)
        return ERR_NOT_FOUND;
    *size = 0;
    sha256_start(&sum);
    size_t got;
    while ((got = fread(bytes, 1, piece, in)) == piece) {
        sha256_blocks(&sum, bytes, piece);
        *size += (int64_t)piece;
    }
    int bad = ferror(in);
    fclose(in);
    sha256_end(&sum, bytes, got, raw);
    *size += (int64_t)got;
    str_to_hex(raw, sizeof raw, hex);
    return bad ? ERR_IO : 0;
}

static int manifest_add(struct backup *b, const char *path)
{
    char hex[65];
    int64_t size;
    const char *slash = strrchr(b->target, '/');
    size_t folder = slash ? (size_t)(slash - b->target) + 1 : 0;
    int rc = file_sum(path, hex, &size);
    if (rc == 0)
        buf_printf(&b->manifest, "file %s %lld %s\n", hex, (long long)size, path + folder);
    return rc;
}

static int samples_copy(void *ctx, const char *name)
{
    struct backup *b = ctx;
    char from[STORE_PATH_CAP], to[STORE_PATH_CAP];
    int n = snprintf(from, sizeof from, "%s/" STORE_SAMPLES_NAME "/%s", b->dir, name);
    int m = snprintf(to, sizeof to, "%s." STORE_SAMPLES_NAME "/%s", b->target, name);
    size_t len = strlen(name);
    if (n < 0 || m < 0 || n >= STORE_PATH_CAP || m >= STORE_PATH_CAP)
        return ERR_TOO_LARGE;
    if (len < 4 || strcmp(name + len - 4, ".log") != 0)
        return 0;
    buf_reset(&b->file);
    int rc = file_read(from, LOG_FILE_MAX, &b->file);
    if (rc == ERR_NOT_FOUND)
        return 0; /* sealed meanwhile: the copy of the database, made later, has its samples */
    if (rc == 0)
        rc = file_write_atomic(to, buf_str(&b->file), 0600);
    return rc ? rc : manifest_add(b, to);
}

static int samples_backup(struct backup *b)
{
    char from[STORE_PATH_CAP], to[STORE_PATH_CAP];
    int n = snprintf(to, sizeof to, "%s." STORE_SAMPLES_NAME, b->target);
    int rc =
        n > 0 && n < STORE_PATH_CAP ? store_path(b->dir, STORE_SAMPLES_NAME, from) : ERR_TOO_LARGE;
    if (rc)
        return rc;
    if (file_exists(to))
        return ERR_CONFLICT;
    rc = dir_make(to, 0700);
    if (rc == 0)
        rc = dir_list(from, samples_copy, b);
    return rc == ERR_NOT_FOUND ? 0 : rc;
}

static int db_backup(struct backup *b)
{
    struct store_keeper *k;
    char path[STORE_PATH_CAP];
    int rc = store_path(b->dir, STORE_DB_NAME, path);
    if (rc == 0)
        rc = keeper_open(path, NULL, &k);
    if (rc || !k)
        return rc;
    rc = db_copy(k->db, b->target);
    if (rc)
        rc = store_fail(k->db, rc, b->target);
    store_keeper_close(k);
    return rc ? rc : manifest_add(b, b->target);
}

int store_backup(const char *dir, const char *target)
{
    struct backup b = {.dir = dir, .target = target};
    char path[STORE_PATH_CAP], at[TIME_TEXT_SIZE];
    int n = snprintf(path, sizeof path, "%s.manifest", target);
    if (n < 0 || n >= STORE_PATH_CAP)
        return ERR_TOO_LARGE;
    if (file_exists(target) || file_exists(path))
        return ERR_CONFLICT;
    buf_init(&b.manifest, MANIFEST_CAP);
    buf_init(&b.file, LOG_FILE_MAX);
    time_format(os_now_ms(), at);
    buf_printf(&b.manifest, "even-backup 1\nat %s\n", at);
    /* The log first: what is sealed while we copy is then in the copy of the database. */
    int rc = samples_backup(&b);
    if (rc == 0)
        rc = db_backup(&b);
    if (rc == 0)
        rc = b.manifest.err;
    if (rc == 0)
        rc = file_write_atomic(path, buf_str(&b.manifest), 0600);
    if (rc)
        log_line(LOG_ERROR, "store", 0, "backup to %s: %s", target, err_name(rc));
    buf_free(&b.manifest);
    buf_free(&b.file);
    return rc;
}

/* One "file" line: the words after it are sum, size and name beside the manifest. */
static int line_check(const char *target, struct str line, FILE *out)
{
    char path[STORE_PATH_CAP], hex[65];
    int64_t size, want;
    struct str sum = str_cut(&line, ' '), bytes = str_cut(&line, ' ');
    const char *slash = strrchr(target, '/');
    int n = snprintf(path, sizeof path, "%.*s%.*s", slash ? (int)(slash - target) + 1 : 0, target,
                     STR_FMT(line));
    if (n < 0 || n >= STORE_PATH_CAP || str_to_i64(bytes, &want))
        return ERR_CORRUPT;
    int rc = file_sum(path, hex, &size);
    if (rc == 0 && (size != want || !str_eq_c(sum, hex)))
        rc = ERR_CORRUPT;
    if (rc)
        fprintf(out, "%s: %s\n", path, err_name(rc));
    return rc;
}

int store_backup_check(const char *target, FILE *out)
{
    char path[STORE_PATH_CAP];
    struct buf b;
    int n = snprintf(path, sizeof path, "%s.manifest", target), bad = 0, files = 0;
    if (n < 0 || n >= STORE_PATH_CAP)
        return ERR_TOO_LARGE;
    buf_init(&b, MANIFEST_CAP);
    int rc = file_read(path, MANIFEST_CAP, &b);
    struct str rest = buf_str(&b), head = str_cut(&rest, '\n');
    if (rc == 0 && !str_eq_c(head, "even-backup 1"))
        rc = ERR_CORRUPT;
    while (rc == 0 && rest.n) {
        struct str line = str_cut(&rest, '\n');
        if (!str_starts(line, STR_LIT("file ")))
            continue;
        line = str_from(line.p + 5, line.n - 5);
        bad = line_check(target, line, out) ? ERR_CORRUPT : bad;
        files++;
    }
    if (rc == 0 && files == 0)
        rc = ERR_CORRUPT; /* it names not even the database */
    buf_free(&b);
    return rc ? rc : bad;
}
