// SPDX-License-Identifier: Apache-2.0
/* ftp.h: a small FTP server that gives each user one file to read, for chargers that know nothing
 * else. One thread with its own epoll; what a client may say is in ftp_talk.h, who it is and where
 * its file lies the owner's callbacks know. IPv4 only. In clear, as FTP is.
 *
 * What it holds against a thief: data goes only to the address of the control connection and is
 * taken from nobody else; a wrong password costs a second, three the connection; whoever has not
 * logged in 20 s after he came is out, and first when there is no place; connections are counted by
 * address; silence ends a connection, and so does a reader who takes less than 4 KiB in that time. */
#ifndef EVEN_IO_NET_FTP_H
#define EVEN_IO_NET_FTP_H

#include "io/net/ftp_talk.h"

struct ftp;

/** A user that is logged in. */
struct ftp_grant {
    struct ftp_file file;
    int64_t own[5]; /* the owner's own numbers */
};

enum ftp_stage { FTP_FLOWS, FTP_BROKE_OFF, FTP_WHOLE };
struct ftp_progress {
    enum ftp_stage stage;
    int64_t from, at; /* where this transfer began, how far in the file it is */
    const char *peer; /* address */
};

struct ftp_config {
    const char *bind;    /* numeric IPv4 address */
    const char *address; /* the IPv4 address that PASV tells: where clients reach us */
    uint16_t port;       /* 0 = any free one */
    uint16_t passive_from, passive_to; /* ports for data; 0 = any free one */
    uint32_t connections, per_address; /* at once; 0 = 128, 16 */
    uint32_t idle_s;                   /* 0 = 60 */
    int64_t rate;                      /* bytes a second of one transfer, 0 = as fast as it goes */
    /* All from the server's thread, and short: they hold up everybody. */
    /** 0, or an error: a wrong user or password. */
    int (*judge)(void *ctx, struct str user, struct str password, struct ftp_grant *out);
    /** Opens the file for one transfer; the server closes it. An error: it may not be had now. */
    int (*open)(void *ctx, const struct ftp_grant *g, int *fd);
    /** At the beginning, every few seconds and at the end of a transfer. */
    void (*told)(void *ctx, const struct ftp_grant *g, const struct ftp_progress *p);
    void *ctx;
};

/** Listens and starts the thread. ERR_SYNTAX (an address), ERR_RANGE (ports), ERR_BUSY (the port is
 * in use), ERR_DENIED, ERR_IO, ERR_NOMEM, ERR_FULL. */
EV_MUST_USE int ftp_start(const struct ftp_config *cfg, struct ftp **out);
/** The port in use. */
uint16_t ftp_port(const struct ftp *f);
/** Drops everybody, joins, frees. NULL is fine. */
void ftp_stop(struct ftp *f);

#endif
