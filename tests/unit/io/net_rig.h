// SPDX-License-Identifier: Apache-2.0
/* net_rig.h: a reactor with listeners whose callbacks write what happened into a text
 * ("U:CP1;M:hello;C:peer/1000;"), and plain sockets that play the other end byte by byte. One
 * thread does both ends. */
#ifndef EVEN_TESTS_NET_RIG_H
#define EVEN_TESTS_NET_RIG_H

#include "base/buf.h"
#include "io/net/net.h"

struct rig {
    struct net *net;
    uint16_t ws_port, raw_port, tls_port;
    struct buf log;
    struct net_conn last; /* of the latest on_upgrade or on_open */
    bool no_answer;       /* on_upgrade leaves the answer to the test */
    bool echo;            /* on_message sends the message back */
    bool echo_twice;
    bool pause_each; /* on_message pauses after each message */
    bool close_each; /* on_message closes with 1000 */
    char peer[46];   /* of the latest upgrade */
    bool secure;
};

extern const struct net_handler rig_ws, rig_raw, rig_client;

/** Whether rig_config asks for io_uring: the tests of the network run both ways. */
extern bool rig_batch;
/** Defaults with short times; change cfg before rig_start. */
struct net_config rig_config(void);
void rig_start(struct rig *r, const struct net_config *cfg);
void rig_stop(struct rig *r);
/** Turns until the log contains the text; fails the test after 10 s. */
void rig_until(struct rig *r, const char *text);
/** Turns for about this many real ms. */
void rig_for(struct rig *r, int32_t ms);
const char *rig_log(struct rig *r);
void rig_clear(struct rig *r);

/** A plain socket to the port. */
int peer_open(uint16_t port);
void peer_send(int fd, const void *p, size_t n);
void peer_send_c(int fd, const char *text);
/** Turns the reactor until exactly n bytes came; fails after 10 s or at the end of the stream. */
void peer_take(struct rig *r, int fd, void *p, size_t n);
/** Turns until the peer sees the end of the stream (or a reset), throwing bytes away; returns how
 * many. */
size_t peer_until_end(struct rig *r, int fd);
/** Sends a good upgrade for the identity and takes the 101 answer. */
int peer_upgraded(struct rig *r, const char *identity);
/** Appends a masked frame. */
void put_frame(struct buf *b, bool fin, uint8_t op, struct str payload);
void peer_frame(int fd, bool fin, uint8_t op, struct str payload);
/** Takes one unmasked frame; the payload lands in out (cap 70,000) and its opcode is returned. */
uint8_t peer_take_frame(struct rig *r, int fd, struct buf *out);
/** Takes a close frame and returns its code, 1005 when empty. */
uint16_t peer_take_close(struct rig *r, int fd);

extern const char rig_upgrade_tail[];

#endif
