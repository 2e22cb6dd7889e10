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
    if (!setting_form_ok(s->form, value))
        return ERR_SYNTAX;
    (void)str_copy((char *)c + s->offset, s->size, value);
    return 0;
}

void config_wants(struct str name, char *out, size_t cap)
{
    const struct setting *s = find(name);
    if (!s)
        (void)str_copy(out, cap, STR_NONE);
    else if (s->kind == SETTING_INT)
        snprintf(out, cap, "%" PRId64 " to %" PRId64, s->lo, s->hi);
    else if (s->kind == SETTING_BOOL)
        (void)str_copy(out, cap, STR_LIT("1 or 0"));
    else
        snprintf(out, cap, "%s, at most %zu bytes", setting_form_text(s->form), s->size - 1);
}

int config_agrees(const struct config *c, FILE *err)
{
    const char *wrong = NULL;
    if (c->charge_silence_s <= c->charge_ping_s)
        wrong = "charge.silence_s must be above charge.ping_s";
    else if ((c->ftp_passive_from == 0) != (c->ftp_passive_to == 0) ||
             c->ftp_passive_to < c->ftp_passive_from)
        wrong = "ftp.passive_from and ftp.passive_to are two ports, the lower one first";
    else if ((c->charge_tls_cert[0] == 0) != (c->charge_tls_key[0] == 0))
        wrong = "charge.tls_cert and charge.tls_key go together";
    if (wrong)
        fprintf(err, "even: settings: %s\n", wrong);
    return wrong ? ERR_RANGE : 0;
}

bool config_differs(const struct config *c, size_t i, char *out, size_t cap)
{
    const struct setting *s = &settings[i];
    struct config none;
    const char *now = (const char *)c + s->offset;
    config_defaults(&none);
    if (memcmp(now, (const char *)&none + s->offset, s->size) == 0)
        return false;
    if (s->kind == SETTING_TEXT)
        snprintf(out, cap, "%s=%s", s->name, now);
    else
        snprintf(out, cap, "%s=%" PRId64, s->name, *(const int64_t *)(const void *)now);
    return true;
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

static void line_wrong(FILE *err, const char *at, struct str row, int res)
{
    struct str value = row;
    struct str name = str_trim(str_cut(&value, '='));
    char wants[160];
    config_wants(name, wants, sizeof wants);
    if (res == ERR_NOT_FOUND)
        fprintf(err, "even: %s: no such setting: %.*s\n", at, STR_FMT(row));
    else if (!wants[0] || str_find(row, '=') < 0)
        fprintf(err, "even: %s: %s, not name = value: %.*s\n", at, err_text(res, LANG_EN),
                STR_FMT(row));
    else
        fprintf(err, "even: %s: %s: %.*s (wanted: %s)\n", at, err_text(res, LANG_EN), STR_FMT(row),
                wants);
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
        char at[400];
        snprintf(at, sizeof at, "%s:%d", path, line);
        if (res)
            line_wrong(err, at, str_trim(row), res);
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
