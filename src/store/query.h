// SPDX-License-Identifier: Apache-2.0
/* query.h: named SQL. A statement is written once in src/store/queries/<file>.sql (list the
 * file in src/store/queries/meson.build):
 *
 *   -- name: station_list(tenant id, after id, lim int) many
 *   -- out: id id, name text, orders i64, total money
 *   SELECT s.id, s.name, … WHERE s.tenant = :tenant AND s.id > :after
 *   ORDER BY s.id LIMIT :lim;
 *
 * What several statements share is written once as a part, in a file that stands before theirs, with
 * its own `-- out:` if it has columns, and put in by `-- use:`:
 *
 *   -- part: order_row
 *   -- out: id id, …
 *   SELECT o.id, … FROM orders o …
 *   -- name: orders(…) many
 *   -- use: order_row
 *   WHERE o.tenant = :tenant …
 *
 * `many`, `all` (like many, for whole tables: the rows come in pieces), `one` (at most one row) or
 * `exec` (no rows; only the store itself runs those). Types of
 * parameters and columns are those of schema.tbl: id i64 money energy time int bool text blob. `--
 * @sqlite` or `-- @pg` before a text makes it the variant of one engine; without, the text serves
 * both. tools/gen/gen_sql makes of it enum query (QUERY_STATION_LIST) and the rows below. Portable
 * subset only; sum(), avg() and || of bigint differ between engines: cast to BIGINT. Order by
 * something unique, and never by what may be NULL. A unique text is looked up with AND x <> '':
 * its index leaves the empty ones out, and is not used otherwise.
 *
 * A reader is a read-only connection with its own prepared statements. Thread: any, one at a time
 * (io/os/pool.h). Between store_reader_begin and store_reader_end all queries see one snapshot;
 * keep that under 5 s. Without begin each query sees its own. */
#ifndef EVEN_STORE_QUERY_H
#define EVEN_STORE_QUERY_H

#include "core/core.h"
#include "core/rows.h"
#include "query_gen.h"

struct store;

/** A parameter or a column. Numbers of all kinds (id, money, time, bool …) are in i; text and blob
 * in s. */
struct sql_value {
    enum column_kind kind;
    int64_t i;
    struct str s; /* column: valid during the row callback only; texts end with NUL */
};
#define SQL_I64(v)  ((struct sql_value){.kind = COLUMN_I64, .i = (v)})
#define SQL_TEXT(v) ((struct sql_value){.kind = COLUMN_TEXT, .s = (v)})
#define SQL_BLOB(v) ((struct sql_value){.kind = COLUMN_BLOB, .s = (v)})

enum query_shape { QUERY_MANY = 1, QUERY_ALL, QUERY_ONE, QUERY_EXEC };
struct query_field {
    const char *name;
    enum column_kind kind;
};
struct query_meta {
    const char *name;
    enum query_shape shape;
    uint32_t params_n, columns_n;
    const struct query_field *params, *columns; /* columns as declared by `-- out:` */
    const char *sql[2];                         /* by enum db_dialect; parameters as $1 … $n */
};
#define QUERY_COLUMNS_MAX 48

/** Indexed by enum query, QUERY_N entries. */
extern const struct query_meta query_metas[];

struct store_reader;
EV_MUST_USE int store_reader_open(struct store *s, struct store_reader **out);
/** The same without an open store (tools, tests): the database file itself, or a server as in
 * io/db/db.h, of which only the sealed samples are known then. */
EV_MUST_USE int store_reader_open_path(const char *db_path, struct store_reader **out);
void store_reader_close(struct store_reader *r);

EV_MUST_USE int store_reader_begin(struct store_reader *r);
/** Begins both on one snapshot: ERR_AGAIN, ERR_UNSUPPORTED as db_begin_same says. */
EV_MUST_USE int store_readers_begin(struct store_reader *a, struct store_reader *b);
void store_reader_end(struct store_reader *r);

/** Gets one row, v[0 … n-1] in the order of `-- out:`. 0 = go on; anything else ends the query and
 * is returned by it. */
typedef int query_row_fn(void *ctx, const struct sql_value *v, size_t n);

/** Runs a named query. params must match the declaration (must). 0 also when there was no row; for
 * QUERY_ONE ERR_NOT_FOUND then. fn's answer, or a store error (logged). */
EV_MUST_USE int store_query(struct store_reader *r, enum query q, const struct sql_value *params,
                            size_t n, query_row_fn *fn, void *ctx);

/** The same, row by row as they are asked for: for walks side by side. Begin and end inside one
 * snapshot; a query is in one walk at a time. After an error only the end may follow. */
struct query_walk {
    struct store_reader *r;
    enum query q;
    struct db_stmt *st;
    int rc;                                /* of the begin, told by the first next */
    struct sql_value v[QUERY_COLUMNS_MAX]; /* the present row, until the next */
};
void query_walk_begin(struct query_walk *w, struct store_reader *r, enum query q,
                      const struct sql_value *params, size_t n);
/** 1 = a row is there, 0 = there is none, or a store error (logged). */
EV_MUST_USE int query_walk_next(struct query_walk *w);
void query_walk_end(struct query_walk *w);

/** Samples of a session in the order they came, sealed or not. Not inside store_reader_begin. */
typedef int sample_fn(void *ctx, int64_t at_ms, const struct core_sample *sample);
EV_MUST_USE int store_samples(struct store_reader *r, int64_t session, sample_fn *fn, void *ctx);

#endif
