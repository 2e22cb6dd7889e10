// SPDX-License-Identifier: Apache-2.0
/* options.c: the command-line options that every subcommand shares. See app.h. */
#include "app/app.h"

#include "base/err.h"

static int one_setting(struct config *c, const char *text)
{
    struct str value = str_from_c(text);
    struct str name = str_cut(&value, '=');
    char wants[160];
    int err = config_set(c, name, value);
    config_wants(name, wants, sizeof wants);
    if (err == ERR_NOT_FOUND)
        fprintf(stderr, "even: --set %s: no such setting\n", text);
    else if (err)
        fprintf(stderr, "even: --set %s: %s (wanted: %s)\n", text, err_text(err, LANG_EN), wants);
    return err ? 2 : 0;
}

static int one_option(struct config *c, const char *name, const char *value)
{
    if (strcmp(name, "--config") == 0)
        return config_read(c, value, stderr) ? 2 : 0;
    if (strcmp(name, "--set") == 0)
        return one_setting(c, value);
    int err = config_set(c, STR_LIT("data.dir"), str_from_c(value));
    if (err)
        fprintf(stderr, "even: --dir %s: %s\n", value, err_text(err, LANG_EN));
    return err ? 2 : 0;
}

int app_options(int *argc, char **argv, struct config *c)
{
    int kept = 0;
    config_defaults(c);
    for (int i = 0; i < *argc; i++) {
        const char *name = argv[i];
        if (strcmp(name, "--config") != 0 && strcmp(name, "--set") != 0 &&
            strcmp(name, "--dir") != 0) {
            argv[kept++] = argv[i];
            continue;
        }
        if (i + 1 == *argc) {
            fprintf(stderr, "even: %s needs a value\n", name);
            return 2;
        }
        int res = one_option(c, name, argv[++i]);
        if (res)
            return res;
    }
    *argc = kept;
    return config_agrees(c, stderr) ? 2 : 0;
}

int app_names(const char *command, int argc, char **argv, int most)
{
    for (int i = 0; i < argc; i++)
        if (argv[i][0] == '-' || i >= most) {
            fprintf(stderr, "even: %s: what is %s?\n", command, argv[i]);
            return 2;
        }
    return 0;
}
