// SPDX-License-Identifier: Apache-2.0
/* err.h: the one list of errors. The numbers, names, HTTP status, OCPP code, log level and the
 * texts in zh and en are rows of src/base/tables/errors.tsv; tools/gen makes errors_gen.h and
 * errors_gen.c of them. */
#ifndef EVEN_BASE_ERR_H
#define EVEN_BASE_ERR_H

#include "base/compiler.h"
#include "errors_gen.h" /* enum err { ERR_... = -1 … } */

enum lang { LANG_EN, LANG_ZH };

/** "no-funds": stable kebab name for API, logs and i18n. Unknown numbers give "internal". */
const char *err_name(int err);
const char *err_text(int err, enum lang lang);
int err_http_status(int err);
/** OCPP-J error code, e.g. "PropertyConstraintViolation". */
const char *err_ocpp_code(int err);

#endif
