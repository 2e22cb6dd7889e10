// SPDX-License-Identifier: Apache-2.0
/* tape_ftp.c: what a client says to the FTP server. Pieces do not matter; every reply is a reply;
 * nothing is sent, listed or listened for before the right password; data goes to the client's own
 * address; while something is sent only ABOR gets through; what is asked for lies in the file. */
#include "tape.h"

#include <ctype.h>
#include "io/net/ftp_talk.h"

static const struct ftp_file file = {.name = "f.bin", .size = 4096, .modified_ms = 1};
static const uint8_t address[4] = {192, 0, 2, 1}, peer[4] = {10, 0, 0, 7};

struct run {
    struct ftp_talk talk;
    struct buf out, held; /* replies; bytes that are not used up */
    bool lazy;            /* transfers last until ABOR */
    bool in, over;
};

/* "123 text", "123-text" until "123 text". */
static void replies_judge(struct str s)
{
    bool many = false;
    while (s.n > 0) {
        struct str line = str_cut(&s, '\n');
        must(line.n >= 4 && line.p[line.n - 1] == '\r');
        if (many && line.p[0] == ' ')
            continue;
        must(isdigit((unsigned char)line.p[0]) && isdigit((unsigned char)line.p[1]) &&
             isdigit((unsigned char)line.p[2]));
        must(line.p[3] == ' ' || line.p[3] == '-');
        many = line.p[3] == '-';
        for (size_t i = 0; i < line.n - 1; i++)
            must(line.p[i] >= ' ' && line.p[i] < 0x7f);
    }
    must(!many);
}

static enum ftp_act judged(struct run *r)
{
    bool right = strcmp(r->talk.user, "1") == 0 && strcmp(r->talk.password, "2") == 0;
    r->in = right;
    return ftp_talk_judged(&r->talk, right ? &file : NULL, &r->out);
}

static void act_do(struct run *r, enum ftp_act act)
{
    if (act == FTP_LOGIN)
        act = judged(r);
    must(act == FTP_NOTHING || act == FTP_QUIT || r->in);
    if (act == FTP_LISTEN)
        ftp_talk_listening(&r->talk, address, 4660, &r->out);
    if (act == FTP_DIAL)
        must(r->talk.port >= FTP_PORT_LEAST);
    if (act == FTP_SEND)
        must(r->talk.from >= 0 && r->talk.from <= file.size);
    if (act == FTP_LIST)
        ftp_talk_listing(&r->talk, &r->held); /* only that it can */
    if (act == FTP_SEND || act == FTP_LIST)
        ftp_talk_begun(&r->talk, &r->out);
    if (act == FTP_ABORT || (!r->lazy && (act == FTP_SEND || act == FTP_LIST)))
        ftp_talk_ended(&r->talk, act == FTP_ABORT ? FTP_BROKEN : FTP_SENT, &r->out);
    r->over = act == FTP_QUIT;
}

static void hear(struct run *r, struct str bytes)
{
    enum ftp_act act;
    struct buf all;
    size_t at = 0;
    buf_init(&all, SIZE_MAX);
    buf_put_str(&all, buf_str(&r->held));
    buf_put_str(&all, bytes);
    buf_reset(&r->held);
    while (!r->over) {
        bool busy = r->talk.busy;
        size_t used = ftp_talk_take(&r->talk, str_from(all.p + at, all.n - at), &r->out, &act);
        must(used <= all.n - at);
        if (used == 0)
            break;
        must(!busy || act == FTP_ABORT || r->talk.skipping);
        at += used;
        act_do(r, act);
        buf_reset(&r->held);
    }
    buf_put(&r->held, all.p + at, all.n - at);
    buf_free(&all);
}

static void play(struct run *r, struct str bytes, size_t piece, bool lazy)
{
    *r = (struct run){.lazy = lazy};
    buf_init(&r->out, SIZE_MAX);
    buf_init(&r->held, SIZE_MAX);
    ftp_talk_start(&r->talk, peer, &r->out);
    for (size_t at = 0; at < bytes.n && !r->over; at += piece)
        hear(r, str_from(bytes.p + at, piece < bytes.n - at ? piece : bytes.n - at));
    replies_judge(buf_str(&r->out));
}

int tape_ftp(const uint8_t *p, size_t n)
{
    struct tape t = {p, p + n};
    struct run whole, pieces;
    uint8_t way = tape_byte(&t);
    struct str rest = tape_rest(&t);
    play(&whole, rest, rest.n ? rest.n : 1, way & 1);
    play(&pieces, rest, 1 + way / 2 % 32, way & 1);
    must(str_eq(buf_str(&whole.out), buf_str(&pieces.out)) && whole.over == pieces.over);
    must(whole.in == pieces.in && whole.talk.busy == pieces.talk.busy);
    buf_free(&whole.out);
    buf_free(&whole.held);
    buf_free(&pieces.out);
    buf_free(&pieces.held);
    return 0;
}
