// SPDX-License-Identifier: Apache-2.0
/* auth.c: who asks, and may they. People and drivers come with a cookie of the page they use (one
 * per face, so one browser may show all three), programs with "Authorization: Bearer ev_…". Only
 * hashes are kept: SHA-256 of the cookie's 256 random bits, keyed BLAKE2b of an API key.
 *
 * Invariants:
 *  1. A write with a cookie needs the session's token in X-CSRF-Token and no foreign origin.
 *  2. Roles are read from the rows at most SESSION_FRESH_NS ago.
 *  3. A disabled person, driver, key or tenant is nobody.
 *  4. A session ends with the password or phone it was made with.
 *
 * Thread: the request's. */
#include "web/auth.h"

#include <stdio.h>
#include "web/api_gen.h"
#include "base/err.h"
#include "base/hash.h"
#include "core/types.h"
#include "io/os/clock.h"
#include "web/begin.h"
#include "web/state.h"

static const char *const cookie_names[FACES] = {"even_staff", "even_partner", "even_driver"};
enum { TOKEN_BYTES = 32, KEY_TEXT = 66 };

void auth_token_make(char out[AUTH_TOKEN_SIZE])
{
    uint8_t raw[TOKEN_BYTES];
    char text[4 * ((TOKEN_BYTES + 2) / 3) + 1];

    os_random(raw, sizeof(raw));
    base64_encode(raw, sizeof(raw), text);
    crypto_wipe(raw, sizeof(raw));
    for (size_t i = 0; i < AUTH_TOKEN_SIZE - 1; i++)
        out[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    out[AUTH_TOKEN_SIZE - 1] = 0;
    crypto_wipe(text, sizeof(text));
}

void auth_token_hash(struct str token, char hex[65])
{
    uint8_t hash[32];

    sha256(token.p, token.n, hash);
    str_to_hex(hash, sizeof(hash), hex);
}

void auth_keyed_hex(const struct web *w, struct str secret, char hex[65])
{
    uint8_t hash[CRYPTO_HASH_SIZE];

    crypto_keyed_hash(w->cfg.key, secret, hash);
    str_to_hex(hash, sizeof(hash), hex);
}

void auth_csrf_make(const struct web *w, const char *session, const char *anchor,
                    char out[AUTH_TOKEN_SIZE])
{
    char text[65 + 1 + CRYPTO_PASSWORD_SIZE], hex[65];

    snprintf(text, sizeof(text), "%s\n%s", session, anchor);
    auth_keyed_hex(w, str_from_c(text), hex);
    str_copy(out, AUTH_TOKEN_SIZE, str_from(hex, AUTH_TOKEN_SIZE - 1));
    crypto_wipe(text, sizeof(text));
}

static bool face_named(struct str s, enum face *face)
{
    static const struct {
        const char *prefix;
        enum face face;
    } rows[] = {{"driver", FACE_DRIVER},   {"d", FACE_DRIVER},  {"c", FACE_DRIVER},
                {"partner", FACE_PARTNER}, {"p", FACE_PARTNER}, {"console", FACE_STAFF}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq_c(s, rows[i].prefix)) {
            *face = rows[i].face;
            return true;
        }
    return false;
}

/* "https://host/d/x" → "d" */
static struct str referer_page(const struct request *r)
{
    const char *referer = req_header(r, "Referer");
    const char *host = referer != NULL ? strstr(referer, "://") : NULL;
    const char *path = host != NULL ? strchr(host + 3, '/') : NULL;

    return path != NULL ? str_from(path + 1, strcspn(path + 1, "/?#")) : STR_LIT("");
}

static enum face face_of(const struct request *r)
{
    enum face face = FACE_STAFF;

    if (strcmp(r->route->perm, "me") == 0)
        return FACE_DRIVER;
    if (strcmp(r->route->perm, "partner") == 0)
        return FACE_PARTNER;
    if (strcmp(r->route->perm, "public") != 0 && strcmp(r->route->perm, "self") != 0)
        return FACE_STAFF;
    if (face_named(str_from_c(req_header(r, "X-Even-Face")), &face) ||
        face_named(referer_page(r), &face))
        return face;
    for (int f = 0; f < FACES; f++)
        if (req_cookie(r, cookie_names[f]).n > 0)
            return (enum face)f;
    return FACE_STAFF;
}

struct loaded {
    struct actor actor;
    int64_t expires_ms;
    bool active;
    char anchor[CRYPTO_PASSWORD_SIZE];
};

/* Columns of web_session_actor and web_key_actor. */
static int actor_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct loaded *l = ctx;
    struct actor *a = &l->actor;

    (void)n;
    a->kind = (uint8_t)v[0].i;
    a->id = v[1].i;
    a->tenant = v[2].i;
    str_copy(a->csrf, sizeof(a->csrf), v[3].s);
    l->expires_ms = v[4].i;
    a->role = (uint8_t)v[5].i;
    a->party = v[6].i;
    a->station = v[7].i;
    str_copy(a->name, sizeof(a->name), v[8].s);
    l->active = v[9].i == ROW_ACTIVE && v[10].i == ROW_ACTIVE;
    str_copy(a->tenant_name, sizeof(a->tenant_name), v[11].s);
    str_copy(a->currency, sizeof(a->currency), v[12].s);
    str_copy(a->zone, sizeof(a->zone), v[13].s);
    a->quota_s = (int32_t)v[14].i;
    a->tenant_quota_s = (int32_t)v[15].i;
    str_copy(l->anchor, sizeof(l->anchor), v[16].s);
    return 0;
}

/* Was the session made with the password, or the phone, that its owner has now? */
static bool anchored(const struct web *w, const char *session, const struct loaded *l)
{
    char csrf[AUTH_TOKEN_SIZE];

    auth_csrf_make(w, session, l->anchor, csrf);
    return strcmp(csrf, l->actor.csrf) == 0;
}

/* From memory, else from the rows; key is 's' or 'k' and the hash. */
static int actor_load(struct request *r, const char key[66], enum query q)
{
    struct web *w = r->web;
    struct loaded l = {0};
    struct bind hash = BIND_TEXT("hash", str_from_c(key + 1));
    int64_t now_ms = os_now_ms(), now_ns = os_mono_ns();
    uint64_t drops;
    bool known;
    int err;

    web_lock(w);
    drops = w->sessions.drops;
    known = sessions_get(&w->sessions, str_from_c(key), now_ns, now_ms, &r->actor);
    web_unlock(w);
    if (known)
        return 0;
    err = req_query(r, q, &hash, 1, actor_take, &l);
    if (err != 0)
        return err == ERR_NOT_FOUND ? ERR_UNAUTHENTICATED : err;
    if (!l.active || l.expires_ms <= now_ms || (key[0] == 's' && !anchored(w, key + 1, &l)))
        return ERR_UNAUTHENTICATED;
    l.actor.by_cookie = key[0] == 's';
    str_copy(l.actor.session, sizeof(l.actor.session), str_from_c(key + 1));
    web_lock(w);
    sessions_put_read(&w->sessions, str_from_c(key), &l.actor, l.expires_ms, now_ns, drops);
    web_unlock(w);
    r->actor = l.actor;
    return 0;
}

static int key_actor(struct request *r, struct str header)
{
    struct str scheme = str_cut(&header, ' '), token = str_trim(header);
    char key[KEY_TEXT] = "k";

    if (!str_eq_nocase(scheme, STR_LIT("Bearer")) || !str_starts(token, STR_LIT("ev_")))
        return ERR_UNAUTHENTICATED;
    auth_keyed_hex(r->web, token, key + 1);
    return actor_load(r, key, QUERY_WEB_KEY_ACTOR);
}

/* The cookie of the page. Somebody who is logged in on another page only is known, and refused by
 * role; but a page that asks who it is must not hear of another page's session. */
static struct str cookie_of(struct request *r)
{
    struct str cookie = req_cookie(r, cookie_names[r->face]);

    if (cookie.n > 0 || (r->route->roles & 1u << ROLE_NONE))
        return cookie;
    for (int f = 0; f < FACES && cookie.n == 0; f++)
        cookie = req_cookie(r, cookie_names[f]);
    return cookie;
}

int auth_actor(struct request *r)
{
    const char *header = req_header(r, "Authorization");
    char key[KEY_TEXT] = "s";
    struct str cookie;
    int err;

    r->face = face_of(r);
    if (header != NULL)
        return key_actor(r, str_from_c(header));
    cookie = cookie_of(r);
    if (cookie.n == 0)
        return 0;
    auth_token_hash(cookie, key + 1);
    err = actor_load(r, key, QUERY_WEB_SESSION_ACTOR);
    if (err == ERR_UNAUTHENTICATED && (r->route->roles & 1u << ROLE_NONE))
        return 0;
    return err;
}

static bool csrf_good(const struct request *r)
{
    struct str given = str_from_c(req_header(r, "X-CSRF-Token"));
    size_t n = strlen(r->actor.csrf);

    return n > 0 && given.n == n && str_eq_const_time(given.p, r->actor.csrf, n);
}

/* What belongs to the operator as a whole is not for those who have one station only: their rows
 * carry no station by which a query could tell. */
static bool beyond_station(const char *perm)
{
    static const char *const whole[] = {
        "driver.read",   "driver.write", "ledger.read",   "contract.write", "tariff.write",
        "person.read",   "person.write", "tenant.write",  "audit.read",     "metrics.read",
        "channel.write", "invoice.read", "invoice.write", "company.read",   "company.write"};

    for (size_t i = 0; i < ARRAY_LEN(whole); i++)
        if (strcmp(perm, whole[i]) == 0)
            return true;
    return false;
}

bool auth_has(const struct request *r, uint32_t roles, const char *perm)
{
    return (roles & 1u << r->actor.role) && !(r->actor.station != 0 && beyond_station(perm));
}

int auth_check(struct request *r)
{
    const char *site = req_header(r, "Sec-Fetch-Site");
    bool write = r->method != ROUTE_GET, open = (r->route->roles & 1u << ROLE_NONE) != 0;

    if (!auth_has(r, r->route->roles, r->route->perm))
        return r->actor.kind == ACTOR_NONE ? ERR_UNAUTHENTICATED : ERR_DENIED;
    if (!write)
        return 0;
    if (site != NULL && (strcmp(site, "cross-site") == 0 || strcmp(site, "same-site") == 0))
        return ERR_CSRF;
    return open || !r->actor.by_cookie || csrf_good(r) ? 0 : ERR_CSRF;
}

void auth_cookie_set(struct request *r, enum face face, const char *token, int64_t life_s)
{
    req_header_add(
        r, "Set-Cookie",
        arena_printf(&r->arena, "%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Strict%s",
                     cookie_names[face], token, (long long)life_s, r->https ? "; Secure" : ""));
}

void auth_forget(struct web *w, int64_t actor)
{
    web_lock(w);
    sessions_drop_all(&w->sessions);
    if (actor != 0)
        events_end(w, actor, "");
    web_unlock(w);
}
