// SPDX-License-Identifier: Apache-2.0
/* zonefile.c: see zonefile.h.
 *
 * Data: none. Invariants: 1. no name leaves the zone folder: only letters, digits, _ + - and single
 * inner slashes pass. Thread: any. Failure: a missing or damaged file is an error of the setting
 * that named it. */
#include "io/os/zonefile.h"

#include <stdio.h>
#include "base/err.h"
#include "io/os/file.h"

#define ZONE_FOLDER   "/usr/share/zoneinfo/"
#define ZONE_NAME_MAX 64
#define ZONE_FILE_MAX 65536

static bool zone_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '+' || c == '-';
}

static bool zone_name_valid(struct str name)
{
    if (name.n == 0 || name.n > ZONE_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        bool inner_slash = name.p[i] == '/' && i > 0 && i + 1 < name.n && name.p[i - 1] != '/';

        if (!zone_char(name.p[i]) && !inner_slash)
            return false;
    }
    return true;
}

int os_zone_load(const char *name, struct zone **out)
{
    char path[sizeof(ZONE_FOLDER) + ZONE_NAME_MAX];
    struct buf bytes;
    int err;

    *out = NULL;
    if (!zone_name_valid(str_from_c(name)))
        return ERR_RANGE;
    snprintf(path, sizeof(path), "%s%s", ZONE_FOLDER, name);
    buf_init(&bytes, ZONE_FILE_MAX);
    err = file_read(path, ZONE_FILE_MAX, &bytes);
    if (err == 0)
        err = zone_parse(buf_str(&bytes), out);
    buf_free(&bytes);
    return err;
}
