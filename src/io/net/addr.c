// SPDX-License-Identifier: Apache-2.0
/* addr.c: see reactor.h; addresses as text and blocks of addresses.
 *
 * Data: none.
 *
 * Invariants:
 *  1. IPv4 is compared as its mapped IPv6 form, so one comparison serves both.
 *  2. An address that a client wrote into a header is believed only when every hop to its right is
 *     a configured proxy.
 *
 * Thread: any. Failure: text that is no numeric address is ERR_SYNTAX; names are never looked up.
 * */
#include "io/net/reactor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* Reads a numeric address into its 16-byte form; *v4 tells which family it was. */
static int addr_from_text(struct str text, uint8_t out[16], bool *v4)
{
    char c[46];

    if (text.n == 0 || text.n >= sizeof(c))
        return ERR_SYNTAX;
    str_copy(c, sizeof(c), text);
    *v4 = inet_pton(AF_INET, c, out + 12) == 1;
    if (*v4) {
        memcpy(out, mapped_prefix, 12);
        return 0;
    }
    return inet_pton(AF_INET6, c, out) == 1 ? 0 : ERR_SYNTAX;
}

int net_block_parse(struct str text, struct net_block *out)
{
    struct str rest = text;
    struct str addr = str_cut(&rest, '/');
    int64_t bits;
    bool v4;
    int err = addr_from_text(addr, out->addr, &v4);

    if (err != 0)
        return err;
    bits = v4 ? 32 : 128;
    if (addr.n < text.n) {
        int64_t most = bits;

        err = str_to_i64(rest, &bits);
        if (err != 0 || bits < 0 || bits > most)
            return err != 0 ? err : ERR_RANGE;
    }
    out->bits = (uint8_t)(bits + (v4 ? 96 : 0));
    return 0;
}

static bool block_has(const struct net_block *b, const uint8_t addr[16])
{
    size_t whole = b->bits / 8, rest = b->bits % 8;
    uint8_t mask = (uint8_t)(0xff00 >> rest);

    if (memcmp(b->addr, addr, whole) != 0)
        return false;
    return rest == 0 || ((b->addr[whole] ^ addr[whole]) & mask) == 0;
}

static bool addr_is_proxy(const struct net *n, const uint8_t addr[16])
{
    for (uint32_t i = 0; i < n->cfg.proxies_n; i++)
        if (block_has(&n->proxies[i], addr))
            return true;
    return false;
}

int addr_parse(const char *host, uint16_t port, struct sockaddr_storage *out, socklen_t *n)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)out;

    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        *n = sizeof(*v4);
        return 0;
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
        return ERR_SYNTAX;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    *n = sizeof(*v6);
    return 0;
}

void addr_bytes(const struct sockaddr_storage *a, uint8_t out[16])
{
    memset(out, 0, 16);
    if (a->ss_family == AF_INET) {
        memcpy(out, mapped_prefix, 12);
        memcpy(out + 12, &((const struct sockaddr_in *)(const void *)a)->sin_addr, 4);
    } else if (a->ss_family == AF_INET6) {
        memcpy(out, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, 16);
    }
}

static void v4_text(const uint8_t addr[4], char *out)
{
    for (int i = 0; i < 4; i++) {
        if (addr[i] >= 100)
            *out++ = (char)('0' + addr[i] / 100);
        if (addr[i] >= 10)
            *out++ = (char)('0' + addr[i] / 10 % 10);
        *out++ = (char)('0' + addr[i] % 10);
        *out++ = i < 3 ? '.' : '\0';
    }
}

/* The library takes 1,700 instructions for an IPv4 address. */
void addr_text(const uint8_t addr[16], char out[46])
{
    if (memcmp(addr, mapped_prefix, 12) == 0)
        v4_text(addr + 12, out);
    else if (inet_ntop(AF_INET6, addr, out, 46) == NULL)
        out[0] = '\0';
}

/* Takes the last element off a comma-separated list. */
static struct str list_pop(struct str *list)
{
    size_t i = list->n;
    struct str last;

    while (i > 0 && list->p[i - 1] != ',')
        i--;
    last = str_trim(str_from(list->p + i, list->n - i));
    list->n = i > 0 ? i - 1 : 0;
    return last;
}

bool addr_client(const struct net *n, const uint8_t peer[16], struct str forwarded, char out[46])
{
    uint8_t addr[16], hop[16];
    bool proxied, v4;

    memcpy(addr, peer, sizeof(addr));
    proxied = addr_is_proxy(n, addr);
    while (forwarded.n > 0 && addr_is_proxy(n, addr)) {
        if (addr_from_text(list_pop(&forwarded), hop, &v4) != 0)
            break;
        memcpy(addr, hop, sizeof(addr));
    }
    addr_text(addr, out);
    return proxied;
}
