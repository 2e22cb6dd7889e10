// SPDX-License-Identifier: Apache-2.0
/* json.c: see json.h. */
#include "wire/json.h"

#include "base/err.h"

void json_reader_init(struct json_reader *r, struct str text)
{
    *r = (struct json_reader){.p = text.p, .n = text.n, .why = ""};
}

static int fail(struct json_reader *r, const char *why)
{
    r->why = why;
    return ERR_SYNTAX;
}

char json_peek_blank(struct json_reader *r)
{
    while (r->pos < r->n) {
        char c = r->p[r->pos];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return c;
        r->pos++;
    }
    return 0;
}

int json_end(struct json_reader *r)
{
    json_peek(r);
    return r->pos == r->n ? 0 : fail(r, "text after the end of the value");
}

static int hex4(struct json_reader *r, uint32_t *out)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++, r->pos++) {
        if (r->pos >= r->n)
            return fail(r, "text ends inside an escape");
        char c = r->p[r->pos];
        if (c >= '0' && c <= '9')
            v = v << 4 | (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            v = v << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return fail(r, "bad \\u escape");
    }
    *out = v;
    return 0;
}

static size_t utf8_put(char *p, uint32_t u)
{
    if (u < 0x80) {
        p[0] = (char)u;
        return 1;
    }
    if (u < 0x800) {
        p[0] = (char)(0xC0 | u >> 6);
        p[1] = (char)(0x80 | (u & 0x3F));
        return 2;
    }
    if (u < 0x10000) {
        p[0] = (char)(0xE0 | u >> 12);
        p[1] = (char)(0x80 | (u >> 6 & 0x3F));
        p[2] = (char)(0x80 | (u & 0x3F));
        return 3;
    }
    p[0] = (char)(0xF0 | u >> 18);
    p[1] = (char)(0x80 | (u >> 12 & 0x3F));
    p[2] = (char)(0x80 | (u >> 6 & 0x3F));
    p[3] = (char)(0x80 | (u & 0x3F));
    return 4;
}

/* After "\u": one code point, two halves of a surrogate pair included. */
static int unicode_escape(struct json_reader *r, uint32_t *u)
{
    uint32_t low;
    int err = hex4(r, u);
    if (err)
        return err;
    if (*u >= 0xDC00 && *u <= 0xDFFF)
        return fail(r, "lone surrogate");
    if (*u < 0xD800 || *u > 0xDBFF)
        return 0;
    if (r->n - r->pos < 2 || r->p[r->pos] != '\\' || r->p[r->pos + 1] != 'u')
        return fail(r, "lone surrogate");
    r->pos += 2;
    err = hex4(r, &low);
    if (err)
        return err;
    if (low < 0xDC00 || low > 0xDFFF)
        return fail(r, "lone surrogate");
    *u = 0x10000 + ((*u - 0xD800) << 10) + (low - 0xDC00);
    return 0;
}

/* pos stands after the backslash. `dst` may be NULL (only checking). */
static int escape(struct json_reader *r, char *dst, size_t *n)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char scratch[4];
    char *out = dst ? dst + *n : scratch;
    if (r->pos >= r->n)
        return fail(r, "text ends inside a string");
    char c = r->p[r->pos];
    if (c == 'u') {
        uint32_t u = 0;
        r->pos++;
        int err = unicode_escape(r, &u);
        if (!err)
            *n += utf8_put(out, u);
        return err;
    }
    const char *hit = c ? strchr(from, c) : NULL;
    if (!hit)
        return fail(r, "bad escape");
    out[0] = to[hit - from];
    ++*n;
    r->pos++;
    return 0;
}

/* Finds the closing quote; pos stands after the opening one. Checks escapes, control characters and
 * UTF-8. Plain ASCII, which is nearly everything, goes eight bytes at a time. */
static int string_scan(struct json_reader *r, struct str *raw, bool *escaped)
{
    size_t start = r->pos, n = 0;
    bool ascii = true;
    *escaped = false;
    for (;;) {
        r->pos += str_plain_run(str_from(r->p + r->pos, r->n - r->pos));
        if (r->pos >= r->n)
            return fail(r, "text ends inside a string");
        unsigned char c = (unsigned char)r->p[r->pos];
        if (c == '"')
            break;
        if (c < 0x20)
            return fail(r, "control character in a string");
        r->pos++;
        ascii = ascii && c < 0x80;
        if (c != '\\')
            continue;
        *escaped = true;
        int err = escape(r, NULL, &n);
        if (err)
            return err;
    }
    *raw = str_from(r->p + start, r->pos - start);
    if (!ascii && !str_utf8_valid(*raw)) {
        r->pos = start;
        return fail(r, "not well-formed UTF-8");
    }
    r->pos++;
    return 0;
}

static int unescape(struct str raw, struct arena *a, struct str *out)
{
    char *p = arena_alloc(a, raw.n + 1);
    if (!p)
        return ERR_TOO_LARGE;
    struct json_reader r;
    json_reader_init(&r, raw);
    size_t n = 0;
    while (r.pos < r.n) {
        char c = r.p[r.pos++];
        if (c != '\\')
            p[n++] = c;
        else if (escape(&r, p, &n))
            return ERR_SYNTAX;
    }
    *out = str_from(p, n);
    return 0;
}

int json_string(struct json_reader *r, struct arena *a, struct str *out)
{
    bool escaped;
    struct str raw;
    if (!json_take(r, '"'))
        return fail(r, "a string is expected");
    int err = string_scan(r, &raw, &escaped);
    if (err)
        return err;
    *out = raw;
    return escaped ? unescape(raw, a, out) : 0;
}

static size_t digits(struct json_reader *r)
{
    size_t start = r->pos;
    while (r->pos < r->n && r->p[r->pos] >= '0' && r->p[r->pos] <= '9')
        r->pos++;
    return r->pos - start;
}

static bool one_of(struct json_reader *r, char a, char b)
{
    if (r->pos >= r->n || (r->p[r->pos] != a && r->p[r->pos] != b))
        return false;
    r->pos++;
    return true;
}

int json_number(struct json_reader *r, struct str *out)
{
    json_peek(r);
    size_t start = r->pos;
    one_of(r, '-', '-');
    bool zero = r->pos < r->n && r->p[r->pos] == '0';
    size_t n = digits(r);
    if (n == 0 || (zero && n > 1))
        return fail(r, "bad number");
    if (one_of(r, '.', '.') && digits(r) == 0)
        return fail(r, "bad number");
    if (one_of(r, 'e', 'E')) {
        one_of(r, '+', '-');
        if (digits(r) == 0)
            return fail(r, "bad number");
    }
    *out = str_from(r->p + start, r->pos - start);
    return 0;
}

static int word_skip(struct json_reader *r)
{
    static const struct str words[] = {{"true", 4}, {"false", 5}, {"null", 4}};
    struct str rest = str_from(r->p + r->pos, r->n - r->pos);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_starts(rest, words[i])) {
            r->pos += words[i].n;
            return 0;
        }
    return fail(r, rest.n ? "a value is expected" : "text ends where a value is expected");
}

static int scalar_skip(struct json_reader *r, char c)
{
    struct str raw;
    bool escaped;
    if (c == '"') {
        r->pos++;
        return string_scan(r, &raw, &escaped);
    }
    if (c == '-' || (c >= '0' && c <= '9'))
        return json_number(r, &raw);
    return word_skip(r);
}

static int key_skip(struct json_reader *r)
{
    if (json_peek(r) != '"')
        return fail(r, "a member name is expected");
    int err = scalar_skip(r, '"');
    if (err)
        return err;
    return json_take(r, ':') ? 0 : fail(r, "':' is expected");
}

/* After a value: closes what ends here. Gives 1 when another value follows, 0 when the whole is
 * done. */
static int after_value(struct json_reader *r, uint64_t *objects, int *depth)
{
    while (*depth > 0) {
        bool object = *objects & 1;
        if (json_take(r, ',')) {
            int err = object ? key_skip(r) : 0;
            return err ? err : 1;
        }
        if (!json_take(r, object ? '}' : ']'))
            return fail(r, object ? "',' or '}' is expected" : "',' or ']' is expected");
        *objects >>= 1;
        --*depth;
    }
    return 0;
}

/* Takes an opening bracket. Gives 1 when a value follows inside it, 0 when it closed at once. */
static int open_take(struct json_reader *r, char c)
{
    r->pos++;
    if (json_take(r, c == '{' ? '}' : ']'))
        return 0;
    int err = c == '{' ? key_skip(r) : 0;
    return err ? err : 1;
}

/* The open brackets are a stack of bits (1 = object), so that no input can exhaust ours. */
int json_skip(struct json_reader *r, int depth, struct str *out)
{
    uint64_t objects = 0;
    int open = 0, more = 1;
    json_peek(r);
    size_t start = r->pos;
    depth = depth > 64 ? 64 : depth;
    while (more == 1) {
        char c = json_peek(r);
        if (c != '{' && c != '[') {
            more = scalar_skip(r, c);
        } else if (open == depth) {
            more = fail(r, "nested too deep");
        } else {
            more = open_take(r, c);
            if (more == 1) {
                objects = objects << 1 | (c == '{');
                open++;
            }
        }
        if (more == 0)
            more = after_value(r, &objects, &open);
    }
    if (more < 0)
        return more;
    *out = str_from(r->p + start, r->pos - start);
    return 0;
}
