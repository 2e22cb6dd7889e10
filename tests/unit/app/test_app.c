// SPDX-License-Identifier: Apache-2.0
/* test_app.c: runs the groups of test_app.h. */
#include "test_app.h"

#include <curl/curl.h>
#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "io/os/crypto.h"

const char *folder_make(void)
{
    static char path[64];
    (void)str_copy(path, sizeof path, STR_LIT("/tmp/even-app-XXXXXX"));
    assert_non_null(mkdtemp(path));
    return path;
}

static int drop_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void folder_drop(const char *path)
{
    assert_int_equal(nftw(path, drop_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void set(struct config *c, const char *name, const char *value)
{
    assert_int_equal(config_set(c, str_from_c(name), str_from_c(value)), 0);
}

int main(void)
{
    if (crypto_init() != 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return 1;
    log_set_level(LOG_ERROR);
    return settings_tests() + client_tests() + breaker_tests() + gates_tests() + engine_tests();
}
