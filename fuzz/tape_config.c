// SPDX-License-Identifier: Apache-2.0
/* tape_config.c: files of settings. What is read lies within the bounds of its row; what is printed
 * reads back as the same settings. */
#include "tape.h"

#include <stdio.h>
#include <stdlib.h>
#include "app/config.h"
#include "base/err.h"
#include "tape_file.h"

enum { TEXT_MAX = 1 << 16 };

static void in_bounds(const struct config *c)
{
    for (size_t i = 0; i < settings_n; i++) {
        const struct setting *s = &settings[i];
        const char *at = (const char *)c + s->offset;
        int64_t v;
        memcpy(&v, at, s->kind == SETTING_TEXT ? 0 : sizeof v);
        if (s->kind == SETTING_TEXT)
            must(memchr(at, 0, s->size));
        else if (s->kind == SETTING_INT)
            must(v >= s->lo && v <= s->hi);
        else
            must(v == 0 || v == 1);
    }
}

static char *printed(const struct config *c, size_t *n)
{
    char *text = NULL;
    FILE *f = open_memstream(&text, n);
    must(f);
    config_print(c, f);
    must(fclose(f) == 0);
    return text;
}

int tape_config(const uint8_t *p, size_t n)
{
    static FILE *nowhere;
    static struct config c, again;
    size_t one_n, two_n;
    if (!nowhere)
        nowhere = fopen("/dev/null", "w");
    if (n > TEXT_MAX)
        return 0;
    config_defaults(&c);
    int err = config_read(&c, tape_file(str_from((const char *)p, n)), nowhere);
    in_bounds(&c);
    if (err)
        return 0;
    char *one = printed(&c, &one_n);
    config_defaults(&again);
    must(config_read(&again, tape_file(str_from(one, one_n)), nowhere) == 0);
    char *two = printed(&again, &two_n);
    must(one_n == two_n && memcmp(one, two, one_n) == 0);
    free(one);
    free(two);
    return 0;
}
