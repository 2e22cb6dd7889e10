// SPDX-License-Identifier: Apache-2.0
/* ftp_talk.h: one control connection of the FTP server as a pure state machine: bytes of the client
 * in, replies out, and at most one act at a time for whoever has the sockets. No socket, no clock,
 * no file.
 *
 * It speaks what embedded clients use of RFC 959, 2428 and 3659, and shows one folder with one file
 * that may be read. A path is compared with the file's name and becomes no path of ours. Bytes are
 * sent as they are in either TYPE: firmware is no text.
 *
 * The owner calls ftp_talk_take until it uses nothing more, and answers each act:
 *   FTP_LOGIN    judge user and password -> ftp_talk_judged
 *   FTP_LISTEN   open a port for data -> ftp_talk_listening
 *   FTP_DIAL     data goes to t->port of the client's own address; nothing to answer
 *   FTP_SEND     the file from t->from on -> ftp_talk_begun when data flows, ftp_talk_ended
 *   FTP_LIST     ftp_talk_listing -> the same
 *   FTP_ABORT    stop sending -> ftp_talk_ended(FTP_BROKEN)
 *   FTP_QUIT     flush the replies and close
 * Between FTP_SEND or FTP_LIST and ftp_talk_ended every line but ABOR waits where it is. */
#ifndef EVEN_IO_NET_FTP_TALK_H
#define EVEN_IO_NET_FTP_TALK_H

#include "base/buf.h"

enum {
    FTP_LINE = 256,       /* a longer line is refused and thrown away */
    FTP_FIELD = 33,       /* user, password, file name, with the NUL */
    FTP_GUESSES = 3,      /* wrong passwords until the connection is closed */
    FTP_PORT_LEAST = 1024 /* a client's own port for data */
};

enum ftp_act {
    FTP_NOTHING,
    FTP_LOGIN,
    FTP_LISTEN,
    FTP_DIAL,
    FTP_SEND,
    FTP_LIST,
    FTP_ABORT,
    FTP_QUIT
};
enum ftp_end {
    FTP_SENT,
    FTP_BROKEN,  /* the data connection broke, or ABOR */
    FTP_NO_DATA, /* it never came */
    FTP_GONE     /* the file is not there any more */
};

/** What a user may fetch. */
struct ftp_file {
    char name[FTP_FIELD]; /* without a slash */
    int64_t size, modified_ms;
};

struct ftp_talk {
    char user[FTP_FIELD], password[FTP_FIELD];
    struct ftp_file file; /* once logged in */
    uint8_t peer[4];      /* the client's address */
    int64_t rest, from;   /* REST; where FTP_SEND begins */
    uint32_t commands;    /* understood so far */
    uint16_t port;        /* FTP_DIAL */
    uint8_t wrong;        /* passwords */
    bool named, in, busy, skipping, aborting;
    bool data;                    /* PASV, EPSV or PORT came and was not used yet */
    bool extended, extended_only; /* asked by EPSV; EPSV ALL came */
    bool names;                   /* NLST, not LIST */
};

/** A new client. Writes the greeting. */
void ftp_talk_start(struct ftp_talk *t, const uint8_t peer[4], struct buf *out);
/** Uses up at most one line; returns the bytes used, 0 = more are needed, or the line must wait. */
EV_MUST_USE size_t ftp_talk_take(struct ftp_talk *t, struct str bytes, struct buf *out,
                                 enum ftp_act *act);
/** NULL: wrong. FTP_QUIT when that was one guess too many. */
enum ftp_act ftp_talk_judged(struct ftp_talk *t, const struct ftp_file *file, struct buf *out);
/** 0: no port is free. */
void ftp_talk_listening(struct ftp_talk *t, const uint8_t address[4], uint16_t port,
                        struct buf *out);
void ftp_talk_begun(struct ftp_talk *t, struct buf *out);
void ftp_talk_ended(struct ftp_talk *t, enum ftp_end how, struct buf *out);
/** The folder as LIST shows it, or the name alone after NLST. */
void ftp_talk_listing(const struct ftp_talk *t, struct buf *out);

#endif
