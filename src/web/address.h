// SPDX-License-Identifier: Apache-2.0
/* address.h: addresses of clients as text: which are of proxies that we trust, and which belong to
 * one customer's network and so share a limit. IPv4 inside IPv6 counts as IPv4. */
#ifndef EVEN_WEB_ADDRESS_H
#define EVEN_WEB_ADDRESS_H

#include "base/str.h"

#define ADDRESS_NET 8

/** True when the address is in one of the blocks ("10.0.0.0/8, ::1"); blocks may be NULL. */
bool address_trusted(const char *blocks, struct str address);
/** What a limit is counted by: an IPv4 address, the first 64 bits of an IPv6 one. The number of
 * bytes, 0 when the text is no address. */
size_t address_net(const char *text, uint8_t out[ADDRESS_NET]);

#endif
