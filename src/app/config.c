// SPDX-License-Identifier: Apache-2.0
/* config.c: see config.h. Runs once, before any thread, and again never. Fails with the place and
 * the reason. */
#include "app/config.h"

#include <inttypes.h>

#include "base/err.h"
#include "base/must.h"
#include "io/os/file.h"

static int64_t *int_at(struct config *c, const struct setting *s)
{
    return (int64_t *)(void *)((char *)c + s->offset);
}

static const struct setting *find(struct str name)
{
    for (size_t i = 0; i < settings_n; i++)
        if (str_eq_c(name, settings[i].name))
            return &settings[i];
    return NULL;
}

static int set_int(struct config *c, const struct setting *s, struct str value)
{
    int64_t v;
    int err = str_to_i64(value, &v);
    if (err)
        return err;
    if (v < s->lo || v > s->hi)
        return ERR_RANGE;
    *int_at(c, s) = v;
    return 0;
}

static int set_bool(struct config *c, const struct setting *s, struct str value)
{
    bool yes = str_eq_c(value, "1") || str_eq_c(value, "true") || str_eq_c(value, "yes");
    bool no = str_eq_c(value, "0") || str_eq_c(value, "false") || str_eq_c(value, "no");
    if (!yes && !no)
        return ERR_SYNTAX;
    *int_at(c, s) = yes;
    return 0;
}

int config_set(struct config *c, struct str name, struct str value)
{
    const struct setting *s = find(name);
    if (!s)
        return ERR_NOT_FOUND;
    if (s->kind == SETTING_INT)
        return set_int(c, s, value);
    if (s->kind == SETTING_BOOL)
        return set_bool(c, s, value);
    if (value.n >= s->size)
        return ERR_TOO_LARGE;
    if (value.n && memchr(value.p, 0, value.n))
        return ERR_SYNTAX; /* it would end there */
    (void)str_copy((char *)c + s->offset, s->size, value);
    return 0;
}

void config_defaults(struct config *c)
{
    memset(c, 0, sizeof *c);
    for (size_t i = 0; i < settings_n; i++)
        must(config_set(c, str_from_c(settings[i].name), str_from_c(settings[i].none)) == 0);
}

/* One line of a file; blank and comment lines are fine. */
static int read_line(struct config *c, struct str line)
{
    line = str_trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return 0;
    if (str_find(line, '=') < 0)
        return ERR_SYNTAX;
    struct str value = line;
    struct str name = str_trim(str_cut(&value, '='));
    return config_set(c, name, str_trim(value));
}

int config_read(struct config *c, const char *path, FILE *err)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    int res = file_read(path, 1 << 20, &text);
    if (res) {
        fprintf(err, "even: %s: %s\n", path, err_text(res, LANG_EN));
        goto out;
    }
    struct str rest = buf_str(&text);
    for (int line = 1; rest.n > 0 && !res; line++) {
        struct str row = str_cut(&rest, '\n');
        res = read_line(c, row);
        if (res == ERR_NOT_FOUND)
            fprintf(err, "even: %s:%d: no such setting: %.*s\n", path, line,
                    STR_FMT(str_trim(row)));
        else if (res)
            fprintf(err, "even: %s:%d: %s: %.*s\n", path, line, err_text(res, LANG_EN),
                    STR_FMT(str_trim(row)));
    }
out:
    buf_free(&text);
    return res;
}

void config_print(const struct config *c, FILE *out)
{
    for (size_t i = 0; i < settings_n; i++) {
        const struct setting *s = &settings[i];
        const char *at = (const char *)c + s->offset;
        fprintf(out, "# %s / %s", s->en, s->zh);
        if (s->kind == SETTING_TEXT)
            fprintf(out, "\n%s = %s\n", s->name, at);
        else
            fprintf(out, " (%" PRId64 " to %" PRId64 ")\n%s = %" PRId64 "\n", s->lo, s->hi, s->name,
                    *(const int64_t *)(const void *)at);
    }
}

void config_print_man(FILE *out)
{
    fprintf(out, ".TH EVEN.CONF 5\n.SH NAME\neven.conf \\- settings of even\n.SH SETTINGS\n");
    for (size_t i = 0; i < settings_n; i++)
        fprintf(out, ".TP\n.B %s\n%s. Default: %s.\n", settings[i].name, settings[i].en,
                settings[i].none[0] ? settings[i].none : "empty");
}
