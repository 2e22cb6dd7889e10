// SPDX-License-Identifier: Apache-2.0
/* wire.h: the one message engine. A generator turns a table (*.msg) into C structs and constant
 * rows; this engine walks the rows and decodes, validates and encodes JSON text or binary frame
 * bodies in one pass, without a tree.
 *
 * What the generator makes of `proto p`, `type T`, `enum E`, `msg M`:
 *   struct p_T               plain C struct of a type;  struct p_M_req, p_M_res of a JSON message;
 *                            struct p_M of a binary message
 *   const struct wire_type   p_T_type, p_M_req_type, p_M_res_type, p_M_type
 *   enum p_E                 p_E_NONE = 0 (absent, or a text that the table does not know), then
 * p_E_<value> = 1 … (signs other than letters and digits become '_'), and const struct wire_enum
 * p_E_enum const struct wire_proto  p_proto
 *
 * Members of the C struct by kind:
 *   int id dec time datetime   int64_t (dec: value × 10^scale; time, datetime: ms UTC; id: as is)
 *   money                      struct money          bool   bool
 *   text json                  struct str, borrows the input or the arena (json: the raw JSON text,
 * validated) enum                       enum p_E              type   struct p_T, inline x[lo..hi]
 * T *x; uint32_t x_n;   memory in the arena optional (?)               bool has.x; the value is
 * meaningful only when it is true u8 u16le u32le u40le u64le int64_t = raw + bias  cp56   int64_t
 * ms of the local wall clock as if UTC, 0 = none or nonsense bcd n, hex n, ascii n      char
 * x[2n+1], char x[2n+1] (upper-case), char x[n+1], NUL-terminated x[n] (binary)              T x[n]
 * inline;  x[lo..hi] (binary): T x[hi]; uint32_t x_n pad n                      no member; skipped
 * inbound, zeros outbound
 *
 * Invariants:
 *  1. The engine never reads outside the given bytes nor writes outside the struct and the arena.
 *  2. Text that it accepts is well-formed UTF-8.
 *  3. Numbers never pass through floating point.
 *  4. What it encodes keeps every limit of the table, members in table order, without blanks.
 *
 * Thread: none of its own; all tables are constant. Fails with ERR_* and, for JSON, a path and a
 * reason. */
#ifndef EVEN_WIRE_WIRE_H
#define EVEN_WIRE_WIRE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/money.h"
#include "base/str.h"

enum wire_kind {
    WIRE_INT,      /* JSON number without fraction */
    WIRE_ID,       /* int64 as a JSON string */
    WIRE_DEC,      /* JSON number or decimal string × 10^scale */
    WIRE_MONEY,    /* int64 1/10,000 as a JSON decimal string "4.00" */
    WIRE_TIME,     /* int64 ms as a JSON number */
    WIRE_DATETIME, /* RFC 3339 text */
    WIRE_BOOL,
    WIRE_TEXT,
    WIRE_JSON, /* any JSON value, kept as text */
    WIRE_ENUM,
    WIRE_TYPE, /* a nested struct */
    WIRE_U8,   /* binary kinds from here on */
    WIRE_U16LE,
    WIRE_U32LE,
    WIRE_U40LE,
    WIRE_U64LE,
    WIRE_BCD,
    WIRE_HEX,
    WIRE_ASCII,
    WIRE_CP56,
    WIRE_PAD,
};

enum wire_flag {
    WIRE_OPTIONAL = 1,
    WIRE_ARRAY = 2,     /* JSON: pointer and count; binary: inline and fixed */
    WIRE_COUNTED = 4,   /* binary array with a count byte in front */
    WIRE_REST = 8,      /* binary array up to the end of the body */
    WIRE_PERSONAL = 16, /* tells of a person: shown to those who may see drivers */
    WIRE_SECRET = 32,   /* a password or a link that opens something: shown to nobody */
};

struct wire_enum {
    const char *name;
    const struct str *value; /* value[0] belongs to the number 1 */
    uint16_t n;
};

/** One row. Bounds: lo..hi of the scaled number, or of the length of a text in characters. */
struct wire_field {
    const char *name;
    uint8_t name_n, kind, flags, scale;
    uint16_t offset, has, count; /* places in the struct; has and count 0 = none */
    uint16_t width;              /* binary: bytes of one element */
    uint32_t size;               /* bytes of one element in the struct */
    uint32_t min_n, max_n;       /* of an array */
    int64_t lo, hi, bias;
    const struct wire_type *type;
    const struct wire_enum *en;
    const char *unit, *zh, *label;
};
struct wire_type {
    const char *name;
    const struct wire_field *field;
    uint16_t n;
    uint32_t size;
};

enum wire_dir { WIRE_UP = 1, WIRE_DOWN = 2 }; /* from the charger, to the charger */

struct wire_msg {
    const char *name;                  /* "BootNotification" */
    uint8_t code;                      /* frame type of a binary message, else 0 */
    uint8_t dir;                       /* WIRE_UP | WIRE_DOWN */
    const struct wire_type *req, *res; /* binary: req is the body, res is NULL */
    const char *zh, *label;
};
struct wire_proto {
    const char *name;
    const struct wire_msg *msg; /* sorted by name */
    uint16_t n;
    const struct wire_type *const *type; /* every type of the table */
    uint16_t type_n;
    const struct wire_enum *const *en;
    uint16_t en_n;
};

/** Strict: unknown or repeated members, over-long texts, unknown enum texts and numbers in strings
 * are errors (REST bodies). Lenient: they are kept or skipped, and counted (chargers). */
enum wire_mode { WIRE_STRICT, WIRE_LENIENT };

#define WIRE_DEPTH 32 /* nesting that is read at all */

/** What went wrong and what was odd. wire_json_decode clears it first. */
struct wire_error {
    int err;         /* as returned */
    size_t at;       /* byte of the input */
    char path[96];   /* "meterValue[2].sampledValue[0].value", "" for the whole */
    char reason[96]; /* English, for logs and details */
    uint32_t overlong, unknown,
        odd; /* lenient mode: longer texts, unknown members or enum texts, other oddities */
};

/** Decodes the object `json` into `out` (a zeroed or any struct of type t; it is cleared first).
 * Texts without escapes borrow from `json`, the rest and all arrays live in `a`. ERR_SYNTAX (not
 * JSON, bad UTF-8, too deep), ERR_TYPE, ERR_REQUIRED, ERR_RANGE, ERR_NOT_FOUND (unknown member,
 * strict), ERR_CONFLICT (repeated member, strict), ERR_TOO_LARGE (arena). `e` may be NULL. */
EV_MUST_USE int wire_json_decode(const struct wire_type *t, struct str json, struct arena *a,
                                 void *out, unsigned mode, struct wire_error *e);
/** Appends the struct as a JSON object. ERR_RANGE when a limit of the table is broken or a required
 * text or enum is not set, ERR_TOO_LARGE at the cap of `out`; then `out` is as before the call. */
EV_MUST_USE int wire_json_encode(const struct wire_type *t, const void *in, struct buf *out);

/** Decodes a frame body. A longer body is accepted: `*tail` (may be NULL) is the count of bytes
 * past the known ones. A body that ends inside a required field is ERR_SYNTAX. Numbers out of the
 * row's bounds are kept (the gate judges). */
EV_MUST_USE int wire_bin_decode(const struct wire_type *t, struct str body, void *out,
                                size_t *tail);
/** Appends the body bytes. ERR_RANGE when a value does not fit its bytes, digits or bounds. */
EV_MUST_USE int wire_bin_encode(const struct wire_type *t, const void *in, struct buf *out);
/** Appends a decoded binary body as JSON for people: scaled numbers as decimals. */
void wire_bin_show(const struct wire_type *t, const void *in, struct buf *out);

/** The message of that name, or NULL. */
const struct wire_msg *wire_msg_find(const struct wire_proto *p, struct str name);
/** The binary message with that frame type, or NULL. */
const struct wire_msg *wire_msg_by_code(const struct wire_proto *p, uint8_t code);
/** Text of an enum number; the empty str for 0 and unknown numbers. */
struct str wire_enum_text(const struct wire_enum *e, int value);
/** Number of an enum text, or 0. */
int wire_enum_find(const struct wire_enum *e, struct str text);

#endif
