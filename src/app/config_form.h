// SPDX-License-Identifier: Apache-2.0
/* config_form.h: what a setting's text has to look like (`form=` in settings.tbl). A wrong text is
 * refused when it is read, by `even config --check` too: a proxy that nobody trusts, or an address
 * that no charger reaches, would be found much later. An empty text is always good. Pure. */
#ifndef EVEN_APP_CONFIG_FORM_H
#define EVEN_APP_CONFIG_FORM_H

#include "base/str.h"

enum setting_form {
    FORM_ANY,
    FORM_ADDRESS,   /* of this machine: 127.0.0.1, 0.0.0.0, :: */
    FORM_ADDRESS4,  /* the same, IPv4 only */
    FORM_BLOCKS,    /* at most FORM_BLOCKS_MAX of 10.0.0.0/8, ::1 */
    FORM_URL,       /* http:// or https:// and a host */
    FORM_URLS,      /* a list of them */
    FORM_COUNTRIES, /* a list of country codes, or * */
    FORM_SENDER,    /* hook, aliyun, tencent */
    FORMS
};
enum { FORM_BLOCKS_MAX = 16 };

/** Is the text of that form? */
bool setting_form_ok(enum setting_form form, struct str text);
/** What is wanted, in words. */
const char *setting_form_text(enum setting_form form);

#endif
