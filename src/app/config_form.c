// SPDX-License-Identifier: Apache-2.0
/* config_form.c: see config_form.h. No data. Fails by saying no. */
#include "app/config_form.h"

#include "base/compiler.h"
#include "io/net/net.h"

enum { COUNTRY_DIGITS = 3 };

static bool address(struct str s)
{
    struct net_block b;
    return str_find(s, '/') < 0 && net_block_parse(s, &b) == 0;
}

static bool address4(struct str s)
{
    return str_find(s, ':') < 0 && address(s);
}

static bool block(struct str s)
{
    struct net_block b;
    return net_block_parse(s, &b) == 0;
}

static bool url(struct str s)
{
    struct str host;
    if (str_starts(s, STR_LIT("https://")))
        host = str_from(s.p + 8, s.n - 8);
    else if (str_starts(s, STR_LIT("http://")))
        host = str_from(s.p + 7, s.n - 7);
    else
        return false;
    for (size_t i = 0; i < host.n; i++)
        if ((unsigned char)host.p[i] <= ' ' || host.p[i] == 0x7F)
            return false;
    return host.n > 0 && host.p[0] != '/' && host.p[0] != ':';
}

static bool country(struct str s)
{
    bool ok = s.n > 0 && s.n <= COUNTRY_DIGITS && s.p[0] != '0';
    for (size_t i = 0; i < s.n; i++)
        ok = ok && s.p[i] >= '0' && s.p[i] <= '9';
    return ok;
}

static bool sender(struct str s)
{
    return str_eq_c(s, "hook") || str_eq_c(s, "aliyun") || str_eq_c(s, "tencent");
}

static const struct {
    bool (*ok)(struct str one);
    bool list;
    const char *text;
} forms[FORMS] = {
    [FORM_ANY] = {NULL, false, "a text"},
    [FORM_ADDRESS] = {address, false, "an IP address, such as 127.0.0.1, 0.0.0.0 or ::"},
    [FORM_ADDRESS4] = {address4, false, "an IPv4 address, such as 127.0.0.1 or 0.0.0.0"},
    [FORM_BLOCKS] = {block, true, "at most 16 address blocks, such as 10.0.0.0/8, ::1"},
    [FORM_URL] = {url, false, "an address that begins with https:// or http://"},
    [FORM_URLS] = {url, true, "addresses that begin with https:// or http://"},
    [FORM_COUNTRIES] = {country, true, "country codes, such as 86,852, or *"},
    [FORM_SENDER] = {sender, false, "hook, aliyun or tencent"},
};

bool setting_form_ok(enum setting_form form, struct str text)
{
    struct str rest = text;
    int n = 0;
    if (text.n == 0 || !forms[form].ok || (form == FORM_COUNTRIES && str_eq_c(text, "*")))
        return true;
    if (!forms[form].list)
        return forms[form].ok(text);
    for (; rest.n > 0; n++)
        if (!forms[form].ok(str_trim(str_cut(&rest, ','))))
            return false;
    return text.p[text.n - 1] != ',' && (form != FORM_BLOCKS || n <= FORM_BLOCKS_MAX);
}

const char *setting_form_text(enum setting_form form)
{
    return forms[form].text;
}
