// SPDX-License-Identifier: Apache-2.0
/* config.h: the settings of the program. The rows stand in tables/settings.tbl; a file and the
 * command line set them; whatever is wrong is told with its place and ends the start. Plain values,
 * copied freely, read-only once threads run. */
#ifndef EVEN_APP_CONFIG_H
#define EVEN_APP_CONFIG_H

#include <stdio.h>
#include <stddef.h>
#include "app/config_form.h"
#include "base/str.h"
#include "config_gen.h"

enum setting_kind { SETTING_INT, SETTING_BOOL, SETTING_TEXT };

struct setting {
    const char *name;
    enum setting_kind kind;
    size_t offset, size;
    const char *none; /* the default as text */
    int64_t lo, hi;
    const char *en, *zh;
    enum setting_form form;
};
extern const struct setting settings[];
extern const size_t settings_n;

/** Every setting at its default. */
void config_defaults(struct config *c);
/** Sets one by its text. ERR_NOT_FOUND (no such setting), ERR_SYNTAX, ERR_RANGE, ERR_TOO_LARGE;
 * prints nothing. */
EV_MUST_USE int config_set(struct config *c, struct str name, struct str value);
/** What a setting takes: "0 to 65535", "an IP address …"; "" when there is no such setting. */
void config_wants(struct str name, char *out, size_t cap);
/** What holds between several settings; prints what is wrong to `err`. ERR_RANGE. */
EV_MUST_USE int config_agrees(const struct config *c, FILE *err);
/** "name=value" of settings[i]; false when it stands at its default. */
bool config_differs(const struct config *c, size_t i, char *out, size_t cap);
/** Reads `name = value` lines, '#' comments. On error prints "file:line: what" to `err` and answers
 * the error. */
EV_MUST_USE int config_read(struct config *c, const char *path, FILE *err);
/** Prints every setting with its value, bounds and meaning. */
void config_print(const struct config *c, FILE *out);
/** The same as a man page section (roff). */
void config_print_man(FILE *out);

#endif
