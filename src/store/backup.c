// SPDX-License-Identifier: Apache-2.0
/* backup.c: online backups; see store.h. A backup is the database, copied as one snapshot, the samples
 * that are not in it yet, and the files that its rows name: bills of channels and firmware. Keys are in
 * none: they are kept apart, so that a backup alone opens nothing.
 *
 * Order: samples first, since what is sealed while we copy is then in the copy of the database; the files
 * last, since each is written before its row and stays. A firmware file deleted meanwhile is in neither
 * way asked for again.
 *
 * Invariant: the manifest is written when everything else is whole; without one nothing passes for a
 * backup. Thread: any; opens what it needs itself and may run in another program beside the first.
 * Failure: logged; the partial files stay for the operator to look at. */
#include "store/store_internal.h"

#include "base/calendar.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "io/os/clock.h"
#include "io/os/file.h"

enum { MANIFEST_CAP = 16 << 20, PIECE = 1 << 16 };

struct backup {
    const char *dir, *target;
    struct buf manifest;
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

static int db_backup(struct backup *b)
{
    struct db *db;
    char path[STORE_PATH_CAP];
    int rc = store_path(b->dir, STORE_DB_NAME, path);
    if (rc == 0)
        rc = db_open(&(struct db_config){.path = path, .mode = DB_KEEPER}, &db);
    if (rc)
        return rc;
    rc = db_copy(db, b->target);
    if (rc)
        rc = store_fail(db, rc, b->target);
    db_close(db);
    return rc ? rc : manifest_add(b, b->target);
}

/* ---- files ---- */

struct folder {
    struct backup *b;
    const char *from, *to;
};

static int file_take(void *ctx, const char *name)
{
    const struct folder *f = ctx;
    char from[STORE_PATH_CAP], to[STORE_PATH_CAP];
    size_t len = strlen(name);
    if (store_path(f->from, name, from) || store_path(f->to, name, to))
        return ERR_TOO_LARGE;
    if (len > 5 && strcmp(name + len - 5, ".part") == 0)
        return 0; /* an upload under way: no row names it */
    int rc = file_copy(from, to);
    if (rc == ERR_NOT_FOUND)
        return 0;
    return rc ? rc : manifest_add(f->b, to);
}

/* What is sealed meanwhile is gone, and in the copy of the database, made later. */
static int log_take(void *ctx, const char *name)
{
    size_t len = strlen(name);
    return len < 4 || strcmp(name + len - 4, ".log") != 0 ? 0 : file_take(ctx, name);
}

/* What is not there need not be copied. */
static int folder_take(struct backup *b, const char *from, const char *to,
                       int (*each)(void *ctx, const char *name))
{
    struct folder f = {.b = b, .from = from, .to = to};
    if (!file_exists(from))
        return 0;
    int rc = file_exists(to) ? ERR_CONFLICT : dir_make(to, 0700);
    if (rc == 0)
        rc = dir_list(from, each, &f);
    return rc;
}

static int channel_take(void *ctx, const char *name)
{
    const struct folder *f = ctx;
    char from[STORE_PATH_CAP], to[STORE_PATH_CAP];
    if (store_path(f->from, name, from) || store_path(f->to, name, to))
        return ERR_TOO_LARGE;
    return folder_take(f->b, from, to, file_take);
}

/* DIR/name into TARGET.name. */
static int beside(struct backup *b, const char *name, int (*each)(void *ctx, const char *name))
{
    char from[STORE_PATH_CAP], to[STORE_PATH_CAP];
    int n = snprintf(to, sizeof to, "%s.%s", b->target, name);
    int rc = n > 0 && n < STORE_PATH_CAP ? store_path(b->dir, name, from) : ERR_TOO_LARGE;
    return rc ? rc : folder_take(b, from, to, each);
}

/* ---- the whole ---- */

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
    time_format(os_now_ms(), at);
    buf_printf(&b.manifest, "even-backup 1\nat %s\n", at);
    int rc = beside(&b, STORE_SAMPLES_NAME, log_take);
    if (rc == 0)
        rc = db_backup(&b);
    if (rc == 0)
        rc = beside(&b, "bills", channel_take);
    if (rc == 0)
        rc = beside(&b, "firmware", file_take);
    if (rc == 0)
        rc = b.manifest.err;
    if (rc == 0)
        rc = file_write_atomic(path, buf_str(&b.manifest), 0600);
    if (rc)
        log_line(LOG_ERROR, "store", 0, "backup to %s: %s", target, err_name(rc));
    buf_free(&b.manifest);
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
