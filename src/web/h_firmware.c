// SPDX-License-Identifier: Apache-2.0
/* h_firmware.c: firmware files that the server offers to chargers itself: staff upload them in
 * parts, a charger fetches one over HTTP by a link that is its own, a 云快充 pile over FTP by a
 * password that is (ftp_pass.h; the server of that is the program's).
 *
 * Data: DIR/firmware/<id>.part while it comes, <id>.bin when its hash is right; a row of the table
 * `firmware` says what it is.
 *
 * Invariants:
 *  1. A file is served only whole and only with the hash that was announced.
 *  2. A link names one file, one charger and its end, and carries a keyed hash over all three:
 *     whoever does not have it cannot make one, and it is good for nothing else. Nothing of the
 *     request's text becomes part of a path.
 *  3. A link to a withdrawn file, or of a charger that is gone or disabled, is void.
 *  4. One part of a file is taken at a time: nobody writes into what another request is judging.
 *  5. The audit has the beginning of an upload before its first byte is kept, how it ended (also when
 *     the file was not the one announced), and each link that was given out.
 *
 * Thread: the request's. Fails: a part that does not continue the file is refused with what is
 * there, so that an upload goes on after a break. */
#include <stdio.h>
#include "base/calendar.h"
#include "base/err.h"
#include "base/log.h"
#include "io/os/clock.h"
#include "io/os/file.h"
#include "web/api_gen.h"
#include "web/audit.h"
#include "web/ftp_pass.h"
#include "web/routes_gen.h"
#include "web/state.h"
#include "wire/ocpp16.h"
#include "wire/pilecall.h"

enum { MAC = 16, PATH_CAP = 320, RETRIES_USUAL = 3 };

static int path_of(const struct request *r, int64_t id, const char *ending, char out[PATH_CAP])
{
    const char *dir = r->web->cfg.dir;
    int n = dir == NULL
                ? PATH_CAP
                : snprintf(out, PATH_CAP, "%s/firmware/%lld.%s", dir, (long long)id, ending);

    return n < PATH_CAP ? 0 : ERR_UNSUPPORTED;
}

/* ---- the list and the announcement ---- */

static int64_t got_of(const struct request *r, int64_t id)
{
    char path[PATH_CAP];
    int64_t bytes = 0;

    if (path_of(r, id, "part", path) != 0 || file_size(path, &bytes) != 0)
        return 0;
    return bytes;
}

int firmware_list(struct request *r)
{
    struct rows rows = {.type = &api_Firmware_type, .max = (uint32_t)r->limit};
    int err = req_rows(r, QUERY_WEB_FIRMWARE, NULL, 0, &rows);

    if (err != 0)
        return err;
    for (uint32_t i = 0; i < rows.n; i++) {
        struct api_Firmware *f = (struct api_Firmware *)(void *)rows.p + i;

        f->has.got = f->state == FIRMWARE_COMING;
        f->got = f->has.got ? got_of(r, f->id) : 0;
    }
    return req_page(r, &rows);
}

int firmware_post(struct request *r)
{
    const struct api_FirmwareIn *in = r->in;
    const struct web_config *c = &r->web->cfg;
    int64_t all = 0;
    int err;

    if (r->resumed)
        return req_made(r);
    if (in->size > c->firmware_max)
        return req_fail(r, ERR_TOO_LARGE, "/size", "more than firmware.max_mb");
    err = req_number(r, QUERY_WEB_FIRMWARE_SUM, NULL, 0, &all);
    if (err == 0 && all + in->size > c->firmware_total)
        err = req_fail(r, ERR_FULL, "/size", "all files together: more than firmware.total_mb");
    if (err != 0)
        return err;
    struct row_firmware row = {.tenant = r->actor.tenant,
                               .name = req_copy_c(r, in->name),
                               .vendor = req_copy_c(r, in->vendor),
                               .model = req_copy_c(r, in->model),
                               .revision = req_copy_c(r, in->version),
                               .size = in->size,
                               .sha256 = req_copy_c(r, in->sha256),
                               .state = FIRMWARE_COMING};
    return req_row_put(r, ROW_FIRMWARE, &row, true, 1);
}

/* ---- the upload ---- */

/* What is waited for: the audit of the beginning; the file's row; the audit of the end. */
enum { STEP_BEGUN = 1, STEP_KEPT, STEP_TOLD, STEP_REFUSED };

struct upload {
    struct row_firmware row;
    bool judged; /* its last byte was here */
};

static int part_append(const char *path, int64_t at, struct str bytes)
{
    struct file_log *log;
    int err = file_log_open(path, 0, &log);

    if (err != 0)
        return err;
    err = file_log_seek(log, at);
    if (err == 0)
        err = file_log_append(log, bytes);
    if (err == 0)
        err = file_log_sync(log);
    file_log_close(log);
    return err;
}

/* The last part is there: the file is what was announced, or it is thrown away. */
static int part_judge(struct request *r, const struct row_firmware *row, const char *part)
{
    char whole[PATH_CAP], hex[65];
    uint8_t hash[32];
    int err = file_sha256(part, hash);

    if (err == 0)
        err = path_of(r, row->id, "bin", whole);
    if (err != 0)
        return err;
    str_to_hex(hash, sizeof(hash), hex);
    if (strcmp(hex, row->sha256) != 0) {
        if (file_remove(part) != 0)
            log_line(LOG_WARN, "web", r->cause, "%s stays behind", part);
        return req_fail(r, ERR_CONFLICT, "/sha256", "the file is not the one announced");
    }
    return file_rename(part, whole);
}

static int firmware_reply(struct request *r, const struct row_firmware *row)
{
    struct api_Firmware out = {.id = row->id,
                               .name = str_from_c(row->name),
                               .vendor = str_from_c(row->vendor),
                               .model = str_from_c(row->model),
                               .version = str_from_c(row->revision),
                               .size = row->size,
                               .sha256 = str_from_c(row->sha256),
                               .state = row->state,
                               .created_ms = row->created_ms};

    out.has.got = row->state == FIRMWARE_COMING;
    out.got = out.has.got ? got_of(r, row->id) : 0;
    return req_json(r, &api_Firmware_type, &out);
}

/* The place of the upload, or NULL when another part of that file is being taken. A thread takes one
 * part at a time, so there is always a place. */
static int64_t *upload_begin(struct web *w, int64_t id)
{
    int64_t *place = NULL;

    web_lock(w);
    for (size_t i = 0; i < ARRAY_LEN(w->uploads); i++)
        if (w->uploads[i] == id) {
            place = NULL;
            break;
        } else if (w->uploads[i] == 0) {
            place = &w->uploads[i];
        }
    if (place != NULL)
        *place = id;
    web_unlock(w);
    return place;
}

static void upload_end(struct web *w, int64_t *place)
{
    web_lock(w);
    *place = 0;
    web_unlock(w);
}

/* The books are on the same disk: they end when it is full, firmware can wait. */
static int room_check(struct request *r, const char *dir, size_t bytes)
{
    int64_t free_bytes;
    int err = file_free_bytes(dir, &free_bytes);

    if (err == 0 && free_bytes - (int64_t)bytes < r->web->cfg.disk_reserve)
        err = req_fail(r, ERR_DISK_FULL, NULL, "what is left is for orders and money");
    return err;
}

/* May this part come now? */
static int part_check(struct request *r, const struct row_firmware *row)
{
    int64_t at = req_arg_i64(r, "at"), got = got_of(r, row->id);
    size_t n = r->body.n;

    if (row->state != FIRMWARE_COMING)
        return req_fail(r, ERR_CONFLICT, NULL, "it is complete, or withdrawn");
    if (at > got || at < 0)
        return req_fail(r, ERR_CONFLICT, "/at",
                        arena_printf(&r->arena, "%lld bytes are here", (long long)got).p);
    if (n == 0 || at + (int64_t)n > row->size)
        return req_fail(r, ERR_RANGE, NULL, "nothing, or more than was announced");
    return 0;
}

/* A part into its file. */
static int part_take(struct request *r, struct upload *u)
{
    const struct row_firmware *row = &u->row;
    struct str bytes = buf_str(&r->body);
    int64_t at = req_arg_i64(r, "at");
    char part[PATH_CAP], dir[PATH_CAP];
    int err = path_of(r, row->id, "part", part);

    if (err == 0)
        err = part_check(r, row);
    if (err != 0)
        return err;
    snprintf(dir, sizeof(dir), "%s/firmware", r->web->cfg.dir);
    err = dir_make(dir, 0700);
    if (err == 0)
        err = room_check(r, dir, bytes.n);
    if (err == 0)
        err = part_append(part, at, bytes);
    if (err != 0 || at + (int64_t)bytes.n < row->size)
        return err;
    u->judged = true;
    return part_judge(r, row, part);
}

static int upload_audit(struct request *r, const struct upload *u, int outcome, int step)
{
    const struct web_audit a = {.action =
                                    step == STEP_BEGUN ? "firmware.upload" : "firmware.uploaded",
                                .object = u->row.id,
                                .detail = arena_printf(&r->arena, "%lld bytes, SHA-256 %s",
                                                       (long long)u->row.size, u->row.sha256),
                                .outcome = outcome};

    return req_audit(r, &a, step);
}

static int data_take(struct request *r, struct upload *u)
{
    int64_t *place = upload_begin(r->web, u->row.id);
    int err;

    if (place == NULL)
        return req_fail(r, ERR_AGAIN, NULL, "another part of it is being taken");
    err = part_take(r, u);
    upload_end(r->web, place);
    if (u->judged && err == ERR_CONFLICT)
        return upload_audit(r, u, err, STEP_REFUSED);
    if (err != 0)
        return err;
    if (!u->judged)
        return firmware_reply(r, &u->row);
    u->row.state = FIRMWARE_READY;
    return req_row_put(r, ROW_FIRMWARE, &u->row, false, STEP_KEPT);
}

static int data_begin(struct request *r)
{
    struct upload *u = ARENA_NEW(&r->arena, struct upload);
    int err;

    r->ctx = u;
    if (u == NULL)
        return ERR_TOO_LARGE;
    if (r->actor.station != 0)
        return ERR_DENIED; /* files are for chargers of all stations */
    err = req_table_row(r, QUERY_WEB_FIRMWARE_ROW, ROW_FIRMWARE, r->id, &u->row);
    if (err == 0)
        err = part_check(r, &u->row);
    if (err != 0)
        return err;
    return got_of(r, r->id) > 0 ? data_take(r, u) : upload_audit(r, u, 0, STEP_BEGUN);
}

int firmware_data(struct request *r)
{
    struct upload *u = r->ctx;
    int err;

    if (!r->resumed)
        return data_begin(r);
    if (r->reply_err != 0)
        return r->reply_err;
    if (r->step == STEP_REFUSED)
        return ERR_CONFLICT; /* why is noted */
    if (r->step == STEP_KEPT)
        return upload_audit(r, u, 0, STEP_TOLD);
    if (r->step == STEP_TOLD)
        return firmware_reply(r, &u->row);
    /* Others may have been at it meanwhile. */
    err = req_table_row(r, QUERY_WEB_FIRMWARE_ROW, ROW_FIRMWARE, r->id, &u->row);
    return err != 0 ? err : data_take(r, u);
}

static int withdrawn(struct request *r)
{
    char path[PATH_CAP];

    if (r->reply_err == 0)
        for (int i = 0; i < 2; i++)
            if (path_of(r, r->id, i ? "bin" : "part", path) == 0 && file_exists(path) &&
                file_remove(path) != 0)
                log_line(LOG_WARN, "web", r->cause, "%s stays behind", path);
    return req_made(r);
}

int firmware_withdraw(struct request *r)
{
    struct row_firmware row = {0};
    int err;

    if (r->resumed)
        return withdrawn(r);
    err = req_table_row(r, QUERY_WEB_FIRMWARE_ROW, ROW_FIRMWARE, r->id, &row);
    if (err != 0)
        return err;
    row.state = FIRMWARE_WITHDRAWN;
    return req_row_put(r, ROW_FIRMWARE, &row, false, 1);
}

/* ---- links ---- */

struct link {
    int64_t file, charger, until_s;
};

static void link_mac(const struct web *w, const struct link *l, char hex[2 * MAC + 1])
{
    char text[96];
    uint8_t mac[CRYPTO_HASH_SIZE];
    int n = snprintf(text, sizeof(text), "firmware link %lld %lld %lld", (long long)l->file,
                     (long long)l->charger, (long long)l->until_s);

    crypto_keyed_hash(w->cfg.key, str_from(text, (size_t)n), mac);
    str_to_hex(mac, MAC, hex);
}

static const char *ending_of(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot != NULL && dot[1] != '\0' ? dot + 1 : "bin";
}

/* http://host/firmware/FILE-CHARGER-UNTIL-MAC.bin */
static struct str link_text(struct request *r, const struct link *l, const char *name)
{
    const char *host = req_header(r, "Host"), *base = r->web->cfg.base_url;
    char hex[2 * MAC + 1];

    link_mac(r->web, l, hex);
    if (base == NULL)
        base = arena_printf(&r->arena, "%s://%s", r->https ? "https" : "http",
                            host != NULL ? host : "localhost")
                   .p;
    return arena_printf(&r->arena, "%s/firmware/%lld-%lld-%lld-%s.%s", base != NULL ? base : "",
                        (long long)l->file, (long long)l->charger, (long long)l->until_s, hex,
                        ending_of(name));
}

static int link_read(struct request *r, struct str code, struct link *l)
{
    char hex[2 * MAC + 1];
    struct str rest = str_cut(&code, '.');
    struct str file = str_cut(&rest, '-'), charger = str_cut(&rest, '-');
    struct str until = str_cut(&rest, '-');

    if (str_to_i64(file, &l->file) != 0 || str_to_i64(charger, &l->charger) != 0 ||
        str_to_i64(until, &l->until_s) != 0 || rest.n != 2 * MAC)
        return ERR_NOT_FOUND;
    link_mac(r->web, l, hex);
    if (!str_eq_const_time(hex, rest.p, 2 * MAC))
        return ERR_NOT_FOUND;
    return l->until_s * 1000 > os_wall_ms() ? 0 : ERR_LINK_EXPIRED;
}

/* The file and the charger of a new link: theirs, ready, and made for one another. */
static int link_check(struct request *r, int64_t file, int64_t charger, struct row_charger *ch,
                      struct row_firmware *row)
{
    int err = req_table_row(r, QUERY_WEB_CHARGER_ROW, ROW_CHARGER, charger, ch);

    if (err == 0)
        err = req_table_row(r, QUERY_WEB_FIRMWARE_ROW, ROW_FIRMWARE, file, row);
    if (err != 0)
        return err;
    if (row->state != FIRMWARE_READY)
        return req_fail(r, ERR_CONFLICT, "/firmware", "it is not complete, or withdrawn");
    if (row->vendor[0] && ch->vendor[0] &&
        !str_eq_nocase(str_from_c(row->vendor), str_from_c(ch->vendor)))
        return req_fail(r, ERR_CONFLICT, "/firmware", "it is for chargers of another vendor");
    if (row->model[0] && ch->model[0] &&
        !str_eq_nocase(str_from_c(row->model), str_from_c(ch->model)))
        return req_fail(r, ERR_CONFLICT, "/firmware", "it is for chargers of another model");
    return 0;
}

static int64_t link_until_s(const struct request *r)
{
    return (os_wall_ms() + r->web->cfg.firmware_link_ms) / 1000;
}

static int link_make(struct request *r, const struct row_firmware *row, int64_t charger,
                     struct str *url)
{
    struct link l = {row->id, charger, link_until_s(r)};

    *url = link_text(r, &l, row->name);
    return url->n > 0 ? 0 : ERR_TOO_LARGE;
}

static int link_audit(struct request *r, int64_t charger)
{
    const struct web_audit a = {
        .action = "firmware.link",
        .object = r->id,
        .detail = arena_printf(&r->arena, "for charger %lld", (long long)charger)};

    return req_audit(r, &a, 1);
}

int firmware_link(struct request *r)
{
    const struct api_FirmwareLinkIn *in = r->in;
    struct row_charger ch = {0};
    struct row_firmware row = {0};
    struct api_FirmwareLink out = {.until_ms = os_wall_ms() + r->web->cfg.firmware_link_ms};
    int err = r->resumed ? r->reply_err : 0;

    if (err == 0)
        err = link_check(r, r->id, in->charger, &ch, &row);
    if (err == 0 && !r->resumed)
        return link_audit(r, in->charger);
    if (err == 0)
        err = link_make(r, &row, in->charger, &out.url);
    return err != 0 ? err : req_json(r, &api_FirmwareLink_type, &out);
}

/* ---- an update ---- */

static int call_send(struct request *r, const char *action, const struct wire_type *type,
                     const void *params)
{
    struct cmd *cmd = req_cmd(r, CMD_CALL, CMD_SIZE(call));
    struct buf b;
    int err;

    if (cmd == NULL)
        return ERR_TOO_LARGE;
    buf_init(&b, sizeof(cmd->u.call.payload) - 1);
    err = wire_json_encode(type, params, &b);
    if (err == 0) {
        cmd->u.call.charger = r->id;
        str_copy(cmd->u.call.action, sizeof(cmd->u.call.action), str_from_c(action));
        memcpy(cmd->u.call.payload, b.p, b.n);
        cmd->u.call.n = (uint32_t)b.n;
    }
    buf_free(&b);
    if (err != 0)
        return err;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}

static int update_ocpp(struct request *r, const struct row_firmware *row)
{
    const struct api_FirmwareStartIn *in = r->in;
    struct ocpp16_UpdateFirmware_req req = {.retrieveDate = in->has.at_ms ? in->at_ms : os_now_ms(),
                                            .retries =
                                                in->has.retries ? in->retries : RETRIES_USUAL};
    int err = link_make(r, row, r->id, &req.location);

    req.has.retries = true;
    return err != 0 ? err : call_send(r, "UpdateFirmware", &ocpp16_UpdateFirmware_req_type, &req);
}

/* The pile compares kind and power with its own. */
static int update_ykc(struct request *r, const struct row_firmware *row,
                      const struct row_charger *ch)
{
    const struct api_FirmwareStartIn *in = r->in;
    const struct web_config *c = &r->web->cfg;
    const struct ftp_link l = {row->id, r->id, link_until_s(r)};
    const struct bind b[] = {BIND_I64("charger", r->id)};
    struct ftp_pass pass;
    int64_t ac = 0;
    int err;

    if (c->ftp_address == NULL || c->ftp_port == 0)
        return req_fail(r, ERR_FTP_OFF, NULL, NULL);
    if (strlen(ch->path) > FTP_USER_MAX)
        return req_fail(r, ERR_UNSUPPORTED, NULL, "its number is longer than a user's name");
    err = req_number(r, QUERY_WEB_CHARGER_AC, b, ARRAY_LEN(b), &ac);
    if (err != 0)
        return err;
    ftp_pass_make(c->key, &l, row->name, &pass);
    struct pilecall_Update_req req = {.ac = ac != 0,
                                      .power_kw = ch->max_power_w / 1000,
                                      .host = str_from_c(c->ftp_address),
                                      .port = c->ftp_port,
                                      .user = str_from_c(ch->path),
                                      .password = str_from_c(pass.password),
                                      .path = str_from_c(pass.path),
                                      .when = in->has.idle && in->idle ? pilecall_PileWhen_Idle
                                                                       : pilecall_PileWhen_Now,
                                      .minutes = in->has.minutes ? in->minutes : 0};

    req.has.ac = req.has.power_kw = req.has.when = true;
    req.has.minutes = in->has.minutes;
    return call_send(r, "Update", &pilecall_Update_req_type, &req);
}

int firmware_start(struct request *r)
{
    const struct api_FirmwareStartIn *in = r->in;
    struct row_charger ch = {0};
    struct row_firmware row = {0};
    int err;

    if (r->resumed)
        return req_made(r);
    err = link_check(r, in->firmware, r->id, &ch, &row);
    if (err != 0)
        return err;
    return ch.protocol == PROTOCOL_YKC ? update_ykc(r, &row, &ch) : update_ocpp(r, &row);
}

/* ---- what chargers fetch ---- */

struct served {
    int64_t size;
    char etag[70];
};

static int served_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct served *s = ctx;

    (void)n;
    s->size = v[1].i;
    snprintf(s->etag, sizeof(s->etag), "\"%.*s\"", STR_FMT(v[2].s));
    return 0;
}

static int64_t digits_read(struct str *s)
{
    int64_t v = 0;
    size_t n = 0;

    while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9' && v < INT64_C(1) << 50)
        v = v * 10 + (s->p[n++] - '0');
    *s = str_from(s->p + n, s->n - n);
    return n > 0 ? v : -1;
}

/* "bytes=a-b", "bytes=a-", "bytes=-n"; anything else asks for all. ERR_RANGE: none of it is there.
 */
static int range_read(struct str text, int64_t size, int64_t *from, int64_t *n)
{
    int64_t a, b;

    *from = 0;
    *n = size;
    if (!str_starts(text, STR_LIT("bytes=")))
        return 0;
    text = str_from(text.p + 6, text.n - 6);
    a = digits_read(&text);
    if (text.n == 0 || text.p[0] != '-')
        return 0;
    text = str_from(text.p + 1, text.n - 1);
    b = digits_read(&text);
    if (text.n > 0 || (a < 0 && b < 0) || (b >= 0 && a > b))
        return 0; /* several ranges, or nonsense */
    if (a < 0) {
        a = b < size ? size - b : 0;
        b = size - 1;
    }
    if (a >= size)
        return ERR_RANGE;
    *from = a;
    *n = (b < 0 || b >= size ? size - 1 : b) - a + 1;
    return *n > 0 ? 0 : ERR_RANGE;
}

/* A range of another version of the file is none. */
static struct str range_asked(const struct request *r, const char *etag)
{
    const char *range = req_header(r, "Range"), *when = req_header(r, "If-Range");

    return when != NULL && strcmp(when, etag) != 0 ? STR_NONE : str_from_c(range);
}

static int file_reply(struct request *r, const struct link *l, const struct served *s)
{
    char path[PATH_CAP];
    int64_t bytes = 0;
    int err = path_of(r, l->file, "bin", path);

    if (err == 0)
        err = file_open_read(path, &r->fd, &bytes);
    if (err != 0)
        return err == ERR_UNSUPPORTED ? ERR_NOT_FOUND : err;
    r->has_fd = true;
    if (bytes != s->size)
        return ERR_CORRUPT;
    str_copy(r->etag, sizeof(r->etag), str_from_c(s->etag));
    req_header_add(r, "Accept-Ranges", STR_LIT("bytes"));
    if (range_read(range_asked(r, s->etag), bytes, &r->fd_at, &r->fd_n) != 0) {
        r->status = 416;
        req_header_add(r, "Content-Range",
                       arena_printf(&r->arena, "bytes */%lld", (long long)bytes));
        return 0;
    }
    if (r->fd_n != bytes) {
        r->status = 206;
        req_header_add(r, "Content-Range",
                       arena_printf(&r->arena, "bytes %lld-%lld/%lld", (long long)r->fd_at,
                                    (long long)(r->fd_at + r->fd_n - 1), (long long)bytes));
    }
    log_line(LOG_NOTE, "web", r->cause, "charger %lld fetches %lld+%lld of firmware %lld",
             (long long)l->charger, (long long)r->fd_at, (long long)r->fd_n, (long long)l->file);
    return 0;
}

int firmware_get(struct request *r)
{
    struct link l;
    struct served s = {0};
    int err = link_read(r, r->param, &l);
    struct bind b[] = {BIND_I64("file", l.file), BIND_I64("charger", l.charger)};

    if (err == 0)
        err = req_query(r, QUERY_WEB_FIRMWARE_FOR, b, ARRAY_LEN(b), served_take, &s);
    if (err == 0 && s.size == 0)
        err = ERR_NOT_FOUND;
    return err != 0 ? err : file_reply(r, &l, &s);
}
