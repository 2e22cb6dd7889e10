// SPDX-License-Identifier: Apache-2.0
/* address.c: see address.h. No data, any thread, cannot fail. */
#include "web/address.h"

#include <arpa/inet.h>

/* Bytes of an address of either family; 0 = it is none. IPv4 inside IPv6 counts as IPv4. */
static size_t address_bytes(const char *text, uint8_t out[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    if (inet_pton(AF_INET, text, out) == 1)
        return 4;
    if (inet_pton(AF_INET6, text, out) != 1)
        return 0;
    if (memcmp(out, mapped, sizeof(mapped)) != 0)
        return 16;
    memmove(out, out + sizeof(mapped), 4);
    return 4;
}

/* "10.0.0.0/8", or one address. */
static bool block_has(struct str block, const uint8_t *address, size_t n)
{
    char text[INET6_ADDRSTRLEN];
    uint8_t base[16];
    struct str bits = block, part = str_cut(&bits, '/');
    int64_t len = (int64_t)n * 8;
    size_t whole;

    if (str_copy(text, sizeof(text), part) < part.n || address_bytes(text, base) != n)
        return false;
    if (bits.n > 0 && (str_to_i64(bits, &len) != 0 || len < 0 || len > (int64_t)n * 8))
        return false;
    whole = (size_t)len / 8;
    if (memcmp(base, address, whole) != 0)
        return false;
    return len % 8 == 0 || (base[whole] ^ address[whole]) >> (8 - len % 8) == 0;
}

bool address_trusted(const char *blocks, struct str address)
{
    struct str rest = str_from_c(blocks);
    char text[INET6_ADDRSTRLEN];
    uint8_t bytes[16];
    size_t n;

    if (str_copy(text, sizeof(text), address) < address.n)
        return false;
    n = address_bytes(text, bytes);
    while (n > 0 && rest.n > 0)
        if (block_has(str_trim(str_cut(&rest, ',')), bytes, n))
            return true;
    return false;
}

size_t address_net(const char *text, uint8_t out[ADDRESS_NET])
{
    uint8_t bytes[16];
    size_t n = address_bytes(text, bytes);

    n = n == 16 ? 8 : n;
    memcpy(out, bytes, n);
    return n;
}
