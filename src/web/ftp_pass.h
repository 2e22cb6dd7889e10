// SPDX-License-Identifier: Apache-2.0
/* ftp_pass.h: the user, password and path by which one pile may fetch one firmware file over FTP
 * until a time. They are what a link of h_firmware.c is over HTTP, in fields that hold 16 and 32
 * characters: the user is the pile's number, the path names the file and the end, the password is a
 * keyed hash over all three (75 bits). Nothing of it is stored but the call that told the pile.
 *
 * Invariant: without the installation's key nobody makes a password, and one is good for nothing
 * else. 15 characters of 16: a pile that ends its texts with a zero has room for it. Any thread. */
#ifndef EVEN_WEB_FTP_PASS_H
#define EVEN_WEB_FTP_PASS_H

#include "base/str.h"
#include "io/os/crypto.h"

#define FTP_USER_MAX 15

struct ftp_link {
    int64_t file, charger, until_s;
};
struct ftp_pass {
    char password[16];
    char path[33]; /* "/" + file + end + "." + the ending of its name */
};

/** name: of the file. */
void ftp_pass_make(const uint8_t key[CRYPTO_KEY_SIZE], const struct ftp_link *l, const char *name,
                   struct ftp_pass *out);
/** Fills file and end of the link from a path that was told to its charger, and judges the
 * password. ERR_LOGIN_FAILED. */
EV_MUST_USE int ftp_pass_read(const uint8_t key[CRYPTO_KEY_SIZE], struct str path,
                              struct str password, struct ftp_link *l);

#endif
