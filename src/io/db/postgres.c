// SPDX-License-Identifier: Apache-2.0
/* postgres.c: the port of db.h on PostgreSQL, the only file that sees libpq-fe.h; one of the
 * engines of engine.h.
 *
 * Data: a connection; per statement its name on the server, the types that the server inferred for
 * its parameters and columns, and the result at hand. Everything goes in binary form. Invariants:
 * 1. statements without rows in a transaction of the writer are gathered in libpq's pipeline, BEGIN
 * in front and COMMIT behind, so that a batch is one way to the server and back; at most PIPE_MAX
 * are under way at a time, which bounds what either side has to keep; 2. whatever must see a result
 * (a select, db_exec, a new statement) first empties the pipeline; 3. a writer holds the row of
 * even_writer: its epoch is compared inside every transaction, right before COMMIT, so that a
 * writer that was stopped or cut off and then replaced cannot commit any more, whatever the clocks
 * say;
 * 4. a reader's session can only read, and sees one snapshot between begin and commit.
 *
 * The claim: it lasts CLAIM_MS by the server's clock and is renewed by every commit and by the
 * keeper. A second writer waits as long as nobody renews it, and takes over when it has lapsed or
 * the holder's session is gone; it never takes from one that renews. Time only says when one may
 * take over; the epoch alone decides who may commit.
 *
 * Texts that are not UTF-8, or hold a NUL, get '?' for each such byte: the server would refuse
 * them, and one charger's byte must not stop the house. Thread: one at a time per connection.
 * Failure: SQLSTATEs become our errors in one place, state_error. A lost connection of a writer is
 * final; those of readers and keepers are made anew by their next use outside a transaction. */
#include "io/db/engine.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"

/* Types of the server, from its catalogue; they never change. */
enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TEXT = 25 };
enum { PIPE_MAX = 256, PIECE_ROWS = 1000, CLAIM_MS = 10000, POLL_MS = 100, DETAIL_SIZE = 300 };

#define NOW_MS   "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"
#define LASTS_MS "(" NOW_MS " + 10000)"
_Static_assert(CLAIM_MS == 10000, "LASTS_MS says it as text");
#define SESSION_US "CAST(extract(epoch FROM a.backend_start) * 1000000 AS bigint)"
/* A session of another role may hide its start; then its number alone must do. */
#define SESSION_IS_HOLDER                                                                          \
    "a.pid = even_writer.pid AND coalesce(" SESSION_US ", even_writer.started_us) = "              \
    "even_writer.started_us"

enum tx { TX_NONE, TX_DUE, TX_OPEN };

struct pg {
    struct db port;
    PGconn *conn;
    enum db_mode mode;
    int64_t claim, changed;
    unsigned statements; /* named so far */
    unsigned life;       /* counts connections: a statement of an older one is prepared anew */
    enum tx tx;          /* DUE: begun by the caller, not yet on its way */
    bool piping;
    int queued, failed; /* in the pipeline: results to come, first error so far */
    struct db_stmt *fence, *renew;
    char detail[DETAIL_SIZE];
};

struct param {
    Oid type;
    char number[8];
    char *own; /* a text that had to be repaired */
};

struct pg_stmt {
    struct db_stmt port;
    struct pg *db;
    char *sql;
    char name[16];
    unsigned life;
    int params_n, columns_n;
    struct param *params;
    const char **values;
    int *lengths, *formats;
    Oid *columns;
    int bad;                  /* error of a value that its parameter cannot hold */
    bool many, own_tx, piece; /* rows in pieces; in a transaction of ours; a cursor is open */
    PGresult *rows;
    int at;
};

static struct pg *pg_of(const struct db *db)
{
    return CONTAINER_OF(db, struct pg, port);
}

static struct pg_stmt *stmt_of(const struct db_stmt *st)
{
    return CONTAINER_OF(st, struct pg_stmt, port);
}

/* ---- errors ---- */

/* The first row whose text begins the SQLSTATE counts. */
static int state_error(const char *state)
{
    static const struct {
        const char *begin;
        int err;
    } map[] = {
        // clang-format off: a row a line
        {"40001", ERR_AGAIN},                            /* not serializable */
        {"40P01", ERR_AGAIN},                            /* deadlock */
        {"23", ERR_CONFLICT},     {"22012", ERR_LOCKED}, /* only the fence divides */
        {"22001", ERR_TOO_LARGE}, {"22003", ERR_RANGE},   {"22", ERR_SYNTAX},
        {"25006", ERR_DENIED},    {"42501", ERR_DENIED},  {"28", ERR_DENIED},
        {"42", ERR_SYNTAX},       {"0A", ERR_SYNTAX},     {"53100", ERR_DISK_FULL},
        {"53200", ERR_NOMEM},     {"53", ERR_FULL},       {"54", ERR_TOO_LARGE},
        {"55P03", ERR_LOCKED},    {"57014", ERR_TIMEOUT}, {"57", ERR_CLOSED}, /* shut down */
        {"08", ERR_CLOSED},       {"XX001", ERR_CORRUPT}, {"XX002", ERR_CORRUPT},
        // clang-format on
    };
    for (size_t i = 0; state && i < ARRAY_LEN(map); i++)
        if (strncmp(state, map[i].begin, strlen(map[i].begin)) == 0)
            return map[i].err;
    return ERR_IO;
}

static int detail_set(struct pg *db, int rc, const char *text)
{
    struct str s = str_trim(str_from_c(text));
    str_copy(db->detail, sizeof db->detail, s);
    return rc;
}

/* The error of a result, or of the connection when there is none. */
static int result_error(struct pg *db, const PGresult *res)
{
    const char *state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
    const char *text = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    if (!text)
        text = PQerrorMessage(db->conn);
    if (!state && PQstatus(db->conn) == CONNECTION_BAD)
        return detail_set(db, ERR_CLOSED, text);
    int rc = state_error(state);
    return detail_set(db, rc,
                      state && strcmp(state, "22012") == 0
                          ? "another program has taken the database over"
                          : text);
}

/* Takes the result: 0 when it is one, with its rows counted. */
static int result_end(struct pg *db, PGresult *res)
{
    ExecStatusType status = PQresultStatus(res);
    int rc = 0;
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
        int64_t n;
        const char *text = PQcmdTuples(res);
        db->changed = str_to_i64(str_from_c(text), &n) ? 0 : n;
    } else {
        rc = result_error(db, res);
    }
    PQclear(res);
    return rc;
}

/* ---- the pipeline ---- */

static void pipe_fail(struct pg *db, int rc)
{
    if (!db->failed)
        db->failed = rc;
}

/* The result of one statement that was sent. */
static void pipe_take(struct pg *db)
{
    PGresult *res = PQgetResult(db->conn);
    db->queued--;
    if (!res) {
        pipe_fail(db, result_error(db, NULL));
        return;
    }
    if (PQresultStatus(res) == PGRES_PIPELINE_ABORTED) {
        PQclear(res); /* because of an earlier one, whose error counts */
        pipe_fail(db, ERR_IO);
    } else if (db->failed) {
        PQclear(res);
    } else {
        pipe_fail(db, result_end(db, res));
    }
    while ((res = PQgetResult(db->conn)) != NULL)
        PQclear(res);
}

static int pipe_drain(struct pg *db)
{
    if (!PQsendFlushRequest(db->conn))
        pipe_fail(db, result_error(db, NULL));
    while (db->queued)
        pipe_take(db);
    return db->failed;
}

/* Ends the pipeline; answers the first error of what was in it. */
static int pipe_leave(struct pg *db)
{
    if (!db->piping)
        return 0;
    int sent = PQpipelineSync(db->conn);
    if (!sent)
        pipe_fail(db, result_error(db, NULL));
    while (db->queued)
        pipe_take(db);
    PGresult *res = sent ? PQgetResult(db->conn) : NULL;
    if (sent && PQresultStatus(res) != PGRES_PIPELINE_SYNC)
        pipe_fail(db, result_error(db, res));
    PQclear(res);
    if (!PQexitPipelineMode(db->conn))
        pipe_fail(db, result_error(db, NULL));
    db->piping = false;
    int rc = db->failed;
    db->failed = 0;
    return rc;
}

static int pipe_sent(struct pg *db, int ok)
{
    if (!ok)
        return result_error(db, NULL);
    db->changed = -1;
    db->queued++;
    return db->queued < PIPE_MAX ? 0 : pipe_drain(db);
}

static int pipe_command(struct pg *db, const char *sql)
{
    return pipe_sent(db, PQsendQueryParams(db->conn, sql, 0, NULL, NULL, NULL, NULL, 1));
}

static int pipe_enter(struct pg *db)
{
    if (!db->piping && !PQenterPipelineMode(db->conn))
        return result_error(db, NULL);
    db->piping = true;
    if (db->tx != TX_DUE)
        return 0;
    db->tx = TX_OPEN;
    return pipe_command(db, "BEGIN");
}

static int pipe_statement(struct pg_stmt *st)
{
    int rc = st->bad ? st->bad : pipe_enter(st->db);
    return rc ? rc
              : pipe_sent(st->db, PQsendQueryPrepared(st->db->conn, st->name, st->params_n,
                                                      st->values, st->lengths, st->formats, 1));
}

/* ---- single commands ---- */

/* Before anything whose result is wanted at once. */
static int settle(struct pg *db)
{
    int rc = pipe_leave(db);
    if (rc || db->tx != TX_DUE)
        return rc;
    db->tx = TX_OPEN;
    return result_end(db, PQexec(db->conn, "BEGIN"));
}

static int command(struct pg *db, const char *sql)
{
    return result_end(db, PQexec(db->conn, sql));
}

/* A number that a command answers in its only row; ERR_NOT_FOUND when there is no row. */
static int command_number(struct pg *db, const char *sql, int64_t *v)
{
    PGresult *res = PQexec(db->conn, sql);
    int rc = 0;
    if (PQresultStatus(res) != PGRES_TUPLES_OK)
        rc = result_error(db, res);
    else if (PQntuples(res) == 0 || PQgetisnull(res, 0, 0))
        rc = ERR_NOT_FOUND;
    else
        rc = str_to_i64(str_from_c(PQgetvalue(res, 0, 0)), v);
    PQclear(res);
    return rc;
}

static int pg_exec(struct db *port, const char *sql)
{
    struct pg *db = pg_of(port);
    int rc = settle(db);
    return rc ? rc : command(db, sql);
}

/* ---- the claim ---- */

static const char claim_table[] =
    "CREATE TABLE IF NOT EXISTS even_writer (id integer PRIMARY KEY, epoch bigint NOT NULL, "
    "until_ms bigint NOT NULL, pid integer NOT NULL, started_us bigint NOT NULL)";
static const char claim_until[] = "SELECT until_ms FROM even_writer WHERE id = 1";
/* Who has not renewed in time but is still in a transaction holds rows that we shall need. */
static const char claim_clear[] =
    "SELECT count(pg_terminate_backend(a.pid)) FROM even_writer "
    "JOIN pg_stat_activity a ON " SESSION_IS_HOLDER " WHERE even_writer.until_ms < " NOW_MS
    " AND a.xact_start IS NOT NULL";
static const char claim_take[] =
    "INSERT INTO even_writer (id, epoch, until_ms, pid, started_us) "
    "SELECT 1, 1, " LASTS_MS ", a.pid, " SESSION_US
    " FROM pg_stat_activity a WHERE a.pid = pg_backend_pid() "
    "ON CONFLICT (id) DO UPDATE SET epoch = even_writer.epoch + 1, until_ms = excluded.until_ms, "
    "pid = excluded.pid, started_us = excluded.started_us WHERE even_writer.until_ms < " NOW_MS
    " OR NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE " SESSION_IS_HOLDER ") "
    "RETURNING epoch";
#define CLAIM_RENEW "UPDATE even_writer SET until_ms = " LASTS_MS " WHERE id = 1 AND epoch = $1"
static const char claim_renew[] = CLAIM_RENEW;
/* Without the row of our epoch there is nothing to divide by: the transaction fails. */
static const char claim_fence[] =
    "WITH mine AS (" CLAIM_RENEW " RETURNING 1) SELECT 1 / count(*) FROM mine";

static void pause_ms(int ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

static int claim_get(struct pg *db, int32_t wait_ms)
{
    int64_t first = 0, until = 0, cleared;
    int rc = command(db, claim_table);
    if (rc)
        return rc;
    for (int32_t waited = 0;; waited += POLL_MS) {
        rc = command_number(db, claim_clear, &cleared);
        if (rc == 0)
            rc = command_number(db, claim_take, &db->claim);
        if (rc != ERR_NOT_FOUND)
            return rc;
        rc = command_number(db, claim_until, &until);
        if (rc && rc != ERR_NOT_FOUND)
            return rc;
        if (waited == 0)
            first = until;
        if (until != first || waited >= wait_ms)
            return detail_set(db, ERR_LOCKED, "another program writes to the database");
        pause_ms(POLL_MS);
    }
}

/* ---- open and close ---- */

static void quiet(void *ctx, const PGresult *res)
{
    (void)ctx;
    (void)res; /* notices such as "exists already, skipping" */
}

static int setting_is(struct pg *db, const char *show, const char *value, bool *yes)
{
    PGresult *res = PQexec(db->conn, show);
    *yes = PQresultStatus(res) == PGRES_TUPLES_OK && strcmp(PQgetvalue(res, 0, 0), value) == 0;
    return result_end(db, res);
}

/* What a commit promises must hold, as far as a session can see to it. */
static int durable(struct pg *db)
{
    bool off = false, weak = false;
    int rc = setting_is(db, "SHOW synchronous_commit", "off", &weak);
    if (rc == 0 && weak)
        rc = command(db, "SET synchronous_commit = on");
    if (rc == 0)
        rc = setting_is(db, "SHOW fsync", "off", &off);
    if (rc == 0 && off)
        log_line(LOG_WARN, "db", 0, "the server runs with fsync off: a power cut can lose money");
    return rc;
}

static int session_setup(struct pg *db)
{
    const char *coding = PQparameterStatus(db->conn, "server_encoding");
    PQsetNoticeReceiver(db->conn, quiet, NULL);
    if (!coding || strcmp(coding, "UTF8") != 0)
        return detail_set(db, ERR_UNSUPPORTED, "the database must be of encoding UTF8");
    if (db->mode == DB_READER)
        return command(db, "SET default_transaction_read_only = on");
    return 0;
}

static int connect_to(struct pg *db, const char *path)
{
    /* Later ones win: a path may set the first, but not the last. */
    static const char *const keys[] = {
        "connect_timeout",  "keepalives_idle", "keepalives_interval", "tcp_user_timeout",
        "application_name", "dbname",          "client_encoding",     NULL};
    const char *values[] = {"10", "10", "5", "20000", "even", path, "UTF8", NULL};
    db->conn = PQconnectdbParams(keys, values, 1);
    if (!db->conn)
        return ERR_NOMEM;
    db->life++;
    if (PQstatus(db->conn) != CONNECTION_OK)
        return result_error(db, NULL);
    return session_setup(db);
}

static int exists(struct pg *db)
{
    int64_t n;
    return command_number(db, "SELECT 1 WHERE to_regclass('even_writer') IS NOT NULL", &n);
}

static void pg_close(struct db *port);
static int pg_prepare(struct db *port, const char *sql, struct db_stmt **out);

static int open_as(struct pg *db, const struct db_config *config)
{
    int rc = 0;
    if (config->mode != DB_WRITER || !config->create)
        rc = exists(db);
    if (rc == 0 && config->mode == DB_WRITER)
        rc = durable(db);
    if (rc == 0 && config->mode == DB_WRITER)
        rc = claim_get(db, config->busy_ms ? config->busy_ms : CLAIM_MS + 1000);
    if (rc == 0 && config->mode == DB_WRITER)
        rc = pg_prepare(&db->port, claim_fence, &db->fence);
    if (rc == 0 && config->mode == DB_KEEPER)
        rc = pg_prepare(&db->port, claim_renew, &db->renew);
    return rc;
}

static int pg_open(const struct db_config *config, struct db **out)
{
    struct pg *db = calloc(1, sizeof *db);
    if (!db)
        return ERR_NOMEM;
    db->mode = config->mode;
    int rc = connect_to(db, config->path);
    if (rc == 0)
        rc = open_as(db, config);
    if (rc) {
        log_line(LOG_ERROR, "db", 0, "%s: %s", err_name(rc), db->detail);
        pg_close(&db->port);
        return rc;
    }
    if (config->mode == DB_KEEPER)
        db->claim = config->claim;
    *out = &db->port;
    return 0;
}

static void stmt_free(struct pg_stmt *st)
{
    PQclear(st->rows);
    for (int i = 0; st->params && i < st->params_n; i++)
        free(st->params[i].own);
    free(st->params);
    free(st->values);
    free(st->lengths);
    free(st->formats);
    free(st->columns);
    free(st->sql);
    free(st);
}

static void pg_close(struct db *port)
{
    struct pg *db = pg_of(port);
    if (db->fence)
        stmt_free(stmt_of(db->fence));
    if (db->renew)
        stmt_free(stmt_of(db->renew));
    PQfinish(db->conn); /* an open transaction and every statement end with the session */
    free(db);
}

static const char *pg_detail(const struct db *db)
{
    return pg_of(db)->detail;
}

static int64_t pg_claim(const struct db *db)
{
    return pg_of(db)->claim;
}

/* A reader or keeper whose server was restarted goes on with a new session. */
static int revive(struct pg *db)
{
    if (db->mode == DB_WRITER || db->tx != TX_NONE || PQstatus(db->conn) == CONNECTION_OK)
        return 0;
    PQreset(db->conn);
    db->life++;
    return PQstatus(db->conn) == CONNECTION_OK ? session_setup(db) : result_error(db, NULL);
}

/* ---- statements ---- */

static bool type_known(Oid type)
{
    return type == OID_INT8 || type == OID_INT4 || type == OID_INT2 || type == OID_BOOL ||
           type == OID_TEXT || type == OID_BYTEA;
}

static int prepare_named(struct pg_stmt *st)
{
    struct pg *db = st->db;
    int n = snprintf(st->name, sizeof st->name, "s%u", db->statements++);
    must(n > 0 && (size_t)n < sizeof st->name);
    st->life = db->life;
    return result_end(db, PQprepare(db->conn, st->name, st->sql, 0, NULL));
}

static int arrays_make(struct pg_stmt *st)
{
    size_t n = (size_t)st->params_n + 1, m = (size_t)st->columns_n + 1;
    st->params = calloc(n, sizeof *st->params);
    st->values = calloc(n, sizeof *st->values);
    st->lengths = calloc(n, sizeof *st->lengths);
    st->formats = calloc(n, sizeof *st->formats);
    st->columns = calloc(m, sizeof *st->columns);
    return st->params && st->values && st->lengths && st->formats && st->columns ? 0 : ERR_NOMEM;
}

/* What the server made of the statement. A sum of bigints is of a type that no column of ours is:
 * that is found here, not when the numbers have grown. */
static int describe(struct pg_stmt *st)
{
    struct pg *db = st->db;
    PGresult *res = PQdescribePrepared(db->conn, st->name);
    int rc = PQresultStatus(res) == PGRES_COMMAND_OK ? 0 : result_error(db, res);
    if (rc)
        goto out;
    st->params_n = PQnparams(res);
    st->columns_n = PQnfields(res);
    rc = arrays_make(st);
    for (int i = 0; i < st->params_n && rc == 0; i++) {
        st->params[i].type = PQparamtype(res, i);
        st->formats[i] = 1;
        if (!type_known(st->params[i].type))
            rc = detail_set(db, ERR_SYNTAX, "a parameter is of no type that we use");
    }
    for (int i = 0; i < st->columns_n && rc == 0; i++) {
        st->columns[i] = PQftype(res, i);
        if (!type_known(st->columns[i]))
            rc = detail_set(db, ERR_SYNTAX, "a column is of no type that we use; CAST it");
    }
out:
    PQclear(res);
    return rc;
}

static int pg_prepare(struct db *port, const char *sql, struct db_stmt **out)
{
    struct pg *db = pg_of(port);
    int rc = settle(db);
    if (rc)
        return rc;
    size_t n = strlen(sql) + 1;
    struct pg_stmt *st = calloc(1, sizeof *st);
    if (st)
        st->sql = malloc(n);
    if (!st || !st->sql) {
        free(st);
        return ERR_NOMEM;
    }
    memcpy(st->sql, sql, n);
    st->db = db;
    rc = prepare_named(st);
    if (rc == 0)
        rc = describe(st);
    if (rc)
        stmt_free(st);
    else
        *out = &st->port;
    return rc;
}

static void pg_reset(struct db_stmt *port);

static void pg_finish(struct db_stmt *port)
{
    struct pg_stmt *st = stmt_of(port);
    char sql[40];
    int n = snprintf(sql, sizeof sql, "DEALLOCATE %s", st->name);
    must(n > 0 && (size_t)n < sizeof sql);
    pg_reset(port);
    /* What is in the pipeline has its statements bound already; its errors stay for db_commit. */
    if (!st->db->piping && st->life == st->db->life)
        PQclear(PQexec(st->db->conn, sql));
    stmt_free(st);
}

static void pg_expect_many(struct db_stmt *st)
{
    must(stmt_of(st)->columns_n > 0);
    stmt_of(st)->many = true;
}

/* ---- parameters ---- */

static void big_endian(char *out, int n, uint64_t v)
{
    for (int i = n - 1; i >= 0; i--, v >>= 8)
        out[i] = (char)(v & 0xff);
}

static struct param *param_at(struct pg_stmt *st, int place)
{
    must(place >= 1 && place <= st->params_n);
    return &st->params[place - 1];
}

static void value_set(struct pg_stmt *st, int place, const char *p, size_t n)
{
    if (n > INT32_MAX) {
        st->bad = ERR_TOO_LARGE;
        return;
    }
    st->values[place - 1] = p;
    st->lengths[place - 1] = (int)n;
}

static void pg_bind_i64(struct db_stmt *port, int place, int64_t v)
{
    struct pg_stmt *st = stmt_of(port);
    struct param *p = param_at(st, place);
    must(p->type == OID_INT8 || p->type == OID_INT4);
    int n = p->type == OID_INT8 ? 8 : 4;
    if (n == 4 && (v < INT32_MIN || v > INT32_MAX))
        st->bad = ERR_RANGE;
    big_endian(p->number, n, (uint64_t)v);
    value_set(st, place, p->number, (size_t)n);
}

static bool text_fine(struct str s)
{
    return str_utf8_valid(s) && str_find(s, 0) < 0;
}

/* A copy in which each byte that cannot stand in a text is a '?'. */
static char *text_repair(struct str s)
{
    char *p = malloc(s.n);
    if (!p)
        return NULL;
    memcpy(p, s.p, s.n);
    for (size_t i = 0; i < s.n;) {
        size_t step = s.p[i] ? str_utf8_step(str_from(s.p + i, s.n - i)) : 0;
        if (!step)
            p[i] = '?';
        i += step ? step : 1;
    }
    return p;
}

static void pg_bind_text(struct db_stmt *port, int place, struct str v)
{
    struct pg_stmt *st = stmt_of(port);
    struct param *p = param_at(st, place);
    must(p->type == OID_TEXT);
    if (v.n == 0 || text_fine(v)) {
        value_set(st, place, v.n ? v.p : "", v.n);
        return;
    }
    free(p->own);
    p->own = text_repair(v);
    if (!p->own)
        st->bad = ERR_NOMEM;
    else
        value_set(st, place, p->own, v.n);
}

static void pg_bind_blob(struct db_stmt *port, int place, struct str v)
{
    struct pg_stmt *st = stmt_of(port);
    must(param_at(st, place)->type == OID_BYTEA);
    value_set(st, place, v.n ? v.p : "", v.n);
}

/* ---- running ---- */

/* Takes the rows of a result in place of those before. */
static int rows_take(struct pg_stmt *st, PGresult *res)
{
    PQclear(st->rows);
    st->rows = NULL;
    st->at = -1;
    if (PQresultStatus(res) != PGRES_TUPLES_OK)
        return result_end(st->db, res);
    st->rows = res;
    return 0;
}

static int piece_fetch(struct pg_stmt *st)
{
    char sql[60];
    int n = snprintf(sql, sizeof sql, "FETCH %d FROM c%s", PIECE_ROWS, st->name);
    must(n > 0 && (size_t)n < sizeof sql);
    int rc = settle(st->db);
    return rc ? rc : rows_take(st, PQexecParams(st->db->conn, sql, 0, NULL, NULL, NULL, NULL, 1));
}

/* A cursor needs a transaction: the caller's, or one that lasts until db_reset. */
static int piece_start(struct pg_stmt *st)
{
    struct pg *db = st->db;
    size_t size = strlen(st->sql) + 60;
    char *sql = malloc(size);
    Oid *types = calloc((size_t)st->params_n + 1, sizeof *types);
    int rc = sql && types ? 0 : ERR_NOMEM;
    if (rc == 0 && db->tx == TX_NONE) {
        rc = command(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        st->own_tx = rc == 0;
        db->tx = st->own_tx ? TX_OPEN : TX_NONE;
    }
    if (rc == 0) {
        int n = snprintf(sql, size, "DECLARE c%s NO SCROLL CURSOR FOR %s", st->name, st->sql);
        must(n > 0 && (size_t)n < size);
        for (int i = 0; i < st->params_n; i++)
            types[i] = st->params[i].type;
        rc = result_end(db, PQexecParams(db->conn, sql, st->params_n, types, st->values,
                                         st->lengths, st->formats, 1));
        st->piece = rc == 0;
    }
    free(sql);
    free(types);
    return rc ? rc : piece_fetch(st);
}

static void piece_end(struct pg_stmt *st)
{
    struct pg *db = st->db;
    char sql[40];
    int n = snprintf(sql, sizeof sql, "CLOSE c%s", st->name);
    must(n > 0 && (size_t)n < sizeof sql);
    if (st->own_tx) {
        PQclear(PQexec(db->conn, "ROLLBACK"));
        db->tx = TX_NONE;
    } else if (st->piece && db->tx == TX_OPEN && !db->piping) {
        PQclear(PQexec(db->conn, sql));
    }
    st->own_tx = st->piece = false;
}

static int start(struct pg_stmt *st)
{
    struct pg *db = st->db;
    int rc = st->bad ? st->bad : settle(db);
    if (rc == 0)
        rc = revive(db);
    if (rc == 0 && st->life != db->life)
        rc = prepare_named(st);
    if (rc)
        return rc;
    if (st->many)
        return piece_start(st);
    return rows_take(st, PQexecPrepared(db->conn, st->name, st->params_n, st->values, st->lengths,
                                        st->formats, 1));
}

static int pg_step(struct db_stmt *port)
{
    struct pg_stmt *st = stmt_of(port);
    if (!st->rows) {
        int rc = start(st);
        if (rc || !st->rows)
            return rc;
    }
    if (++st->at < PQntuples(st->rows))
        return 1;
    if (!st->piece || PQntuples(st->rows) < PIECE_ROWS)
        return 0;
    int rc = piece_fetch(st);
    if (rc)
        return rc;
    st->at = 0;
    return PQntuples(st->rows) > 0;
}

static void pg_reset(struct db_stmt *port)
{
    struct pg_stmt *st = stmt_of(port);
    if (st->piece || st->own_tx)
        piece_end(st);
    PQclear(st->rows);
    st->rows = NULL;
    st->bad = 0;
    for (int i = 0; i < st->params_n; i++) {
        st->values[i] = NULL;
        free(st->params[i].own);
        st->params[i].own = NULL;
    }
}

static int pg_run(struct db_stmt *port)
{
    struct pg_stmt *st = stmt_of(port);
    int rc;
    if (st->db->mode == DB_WRITER && st->db->tx != TX_NONE && st->columns_n == 0) {
        rc = pipe_statement(st);
    } else {
        rc = pg_step(port);
        while (rc == 1)
            rc = pg_step(port);
    }
    pg_reset(port);
    return rc;
}

static int64_t pg_changed(const struct db *db)
{
    return pg_of(db)->changed;
}

/* ---- columns ---- */

static int pg_columns(const struct db_stmt *st)
{
    return stmt_of(st)->columns_n;
}

static int64_t pg_column_i64(struct db_stmt *port, int i)
{
    struct pg_stmt *st = stmt_of(port);
    if (PQgetisnull(st->rows, st->at, i))
        return 0;
    must(st->columns[i] != OID_TEXT && st->columns[i] != OID_BYTEA);
    const uint8_t *p = (const uint8_t *)PQgetvalue(st->rows, st->at, i);
    int n = PQgetlength(st->rows, st->at, i);
    uint64_t v = n && p[0] & 0x80 && st->columns[i] != OID_BOOL ? UINT64_MAX : 0;
    for (int k = 0; k < n; k++)
        v = v << 8 | p[k];
    return (int64_t)v;
}

static struct str pg_column_bytes(struct db_stmt *port, int i)
{
    struct pg_stmt *st = stmt_of(port);
    if (PQgetisnull(st->rows, st->at, i))
        return str_from("", 0);
    must(st->columns[i] == OID_TEXT || st->columns[i] == OID_BYTEA);
    return str_from(PQgetvalue(st->rows, st->at, i), (size_t)PQgetlength(st->rows, st->at, i));
}

static bool pg_column_null(struct db_stmt *port, int i)
{
    struct pg_stmt *st = stmt_of(port);
    return PQgetisnull(st->rows, st->at, i) != 0;
}

static int pg_params(const struct db_stmt *st)
{
    return stmt_of(st)->params_n;
}

static bool pg_read_only(const struct db_stmt *port)
{
    const struct pg_stmt *st = stmt_of(port);
    return st->columns_n > 0 && db_sql_reads(st->sql);
}

/* ---- transactions ---- */

static int pg_begin(struct db *port)
{
    struct pg *db = pg_of(port);
    must(db->tx == TX_NONE);
    if (db->mode == DB_WRITER) {
        db->tx = TX_DUE;
        return 0;
    }
    int rc = revive(db);
    /* BEGIN alone fixes nothing; the first statement does. */
    if (rc == 0)
        rc = command(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1");
    if (rc == 0)
        db->tx = TX_OPEN;
    return rc;
}

static int commit_fenced(struct pg *db)
{
    int rc = pipe_enter(db);
    if (rc)
        return rc;
    pg_bind_i64(db->fence, 1, db->claim);
    rc = pipe_statement(stmt_of(db->fence));
    pg_reset(db->fence);
    if (rc == 0)
        rc = pipe_command(db, "COMMIT");
    return rc ? rc : pipe_leave(db);
}

static int pg_commit(struct db *port)
{
    struct pg *db = pg_of(port);
    int rc = 0;
    if (db->mode != DB_WRITER)
        rc = command(db, "COMMIT");
    else if (db->tx == TX_OPEN)
        rc = commit_fenced(db);
    if (rc == 0)
        db->tx = TX_NONE;
    return rc;
}

static void pg_rollback(struct db *port)
{
    struct pg *db = pg_of(port);
    if (db->piping) {
        int rc = pipe_leave(db);
        (void)rc; /* whatever it was, it is taken back now */
    }
    if (db->tx == TX_OPEN)
        PQclear(PQexec(db->conn, "ROLLBACK"));
    db->tx = TX_NONE;
}

static void pg_shrink(struct db *port)
{
    (void)port; /* the server keeps its own */
}

/* ---- housekeeping ---- */

static int64_t pg_journal_bytes(const struct db *db)
{
    (void)db;
    return -1;
}

static int pg_tidy(struct db *port, bool all, int64_t *left)
{
    struct pg *db = pg_of(port);
    (void)all;
    *left = 0;
    if (!db->claim || !db->renew)
        return 0;
    pg_bind_i64(db->renew, 1, db->claim);
    int rc = pg_run(db->renew);
    if (rc == 0 && db->changed != 1)
        rc = detail_set(db, ERR_LOCKED, "another program has taken the database over");
    return rc;
}

static int pg_copy(struct db *port, const char *target)
{
    (void)target;
    return detail_set(pg_of(port), ERR_UNSUPPORTED, "use the server's own backup, such as pg_dump");
}

/* The server checks its pages as it reads them. */
static int pg_verify(struct db *port, void (*fn)(void *ctx, const char *text), void *ctx)
{
    (void)port;
    (void)fn;
    (void)ctx;
    return 0;
}

/* A pipeline of single statements is as good here. */
static int pg_run_rows(struct db_stmt *st, struct db_rows *rows)
{
    (void)st;
    (void)rows;
    return ERR_UNSUPPORTED;
}

const struct db_engine db_engine_postgres = {.dialect = DB_POSTGRES,
                                             .open = pg_open,
                                             .close = pg_close,
                                             .detail = pg_detail,
                                             .claim = pg_claim,
                                             .exec = pg_exec,
                                             .prepare = pg_prepare,
                                             .finish = pg_finish,
                                             .expect_many = pg_expect_many,
                                             .bind_i64 = pg_bind_i64,
                                             .bind_text = pg_bind_text,
                                             .bind_blob = pg_bind_blob,
                                             .step = pg_step,
                                             .reset = pg_reset,
                                             .run = pg_run,
                                             .run_rows = pg_run_rows,
                                             .changed = pg_changed,
                                             .columns = pg_columns,
                                             .column_i64 = pg_column_i64,
                                             .column_bytes = pg_column_bytes,
                                             .column_null = pg_column_null,
                                             .params = pg_params,
                                             .read_only = pg_read_only,
                                             .begin = pg_begin,
                                             .commit = pg_commit,
                                             .rollback = pg_rollback,
                                             .shrink = pg_shrink,
                                             .journal_bytes = pg_journal_bytes,
                                             .tidy = pg_tidy,
                                             .copy = pg_copy,
                                             .verify = pg_verify};
