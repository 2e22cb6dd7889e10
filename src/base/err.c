// SPDX-License-Identifier: Apache-2.0
/* err.c: see err.h. Rows are in the order of their numbers (the generator checks), so row i is
 * error -(i+1). ERR_OK has no row of its own and reads "ok". */
#include "base/err.h"

#include "base/err_rows.h"

static const struct err_row ok_row = {"ok", 200, "", "debug", "Done", "成功"};

static const struct err_row *row(int err)
{
    if (err == 0)
        return &ok_row;
    if (err > 0 || err < -err_rows_n)
        return &err_rows[0];
    return &err_rows[-err - 1];
}

const char *err_name(int err)
{
    return row(err)->name;
}

const char *err_text(int err, enum lang lang)
{
    return lang == LANG_ZH ? row(err)->zh : row(err)->en;
}

int err_http_status(int err)
{
    return row(err)->http_status;
}

const char *err_ocpp_code(int err)
{
    return row(err)->ocpp_code;
}
