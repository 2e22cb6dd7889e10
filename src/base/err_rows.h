// SPDX-License-Identifier: Apache-2.0
/* err_rows.h: the shape of a generated row of errors.tsv; only err.c and errors_gen.c see it. */
#ifndef EVEN_BASE_ERR_ROWS_H
#define EVEN_BASE_ERR_ROWS_H

struct err_row {
    const char *name;
    int http_status;
    const char *ocpp_code, *level, *en, *zh;
};
extern const struct err_row err_rows[];
extern const int err_rows_n;

#endif
