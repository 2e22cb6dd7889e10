// SPDX-License-Identifier: Apache-2.0
/* ftp_talk.c: see ftp_talk.h. One table: a row is a command.
 *
 * Invariants:
 *  1. Nothing but the log-in is answered to who is not logged in; whether a user exists is told by
 *     nothing but the right password.
 *  2. Data goes to the client's own address: PORT to another one is refused (the bounce attack).
 *  3. A line is used up or waits; while something is sent only ABOR goes ahead.
 *  4. Nothing of the client's bytes is ever sent back to it.
 *
 * Thread: the owner's. Cannot fail; replies that find no room in `out` set its err. */
#include "io/net/ftp_talk.h"

#include "base/calendar.h"

enum { IAC = 0xff, REST_MAX_DIGITS = 15 };

static void say(struct buf *out, int code, const char *text)
{
    buf_printf(out, "%d %s\r\n", code, text);
}

/* ---- arguments ---- */

static bool digits(struct str *s, int64_t *v)
{
    size_t n = 0;

    for (*v = 0; n < s->n && n <= REST_MAX_DIGITS && s->p[n] >= '0' && s->p[n] <= '9'; n++)
        *v = *v * 10 + (s->p[n] - '0');
    *s = str_from(s->p + n, s->n - n);
    return n > 0 && n <= REST_MAX_DIGITS;
}

static bool is_root(struct str path)
{
    return path.n == 0 || str_eq_c(path, "/") || str_eq_c(path, ".") || str_eq_c(path, "./") ||
           str_eq_c(path, "/.");
}

static bool is_file(const struct ftp_talk *t, struct str path)
{
    if (str_starts(path, STR_LIT("./")))
        path = str_from(path.p + 2, path.n - 2);
    else if (str_starts(path, STR_LIT("/")))
        path = str_from(path.p + 1, path.n - 1);
    return path.n > 0 && str_eq_c(path, t->file.name);
}

/* Options of ls are no path. */
static struct str list_path(struct str arg)
{
    while (str_starts(arg, STR_LIT("-"))) {
        (void)str_cut(&arg, ' ');
        arg = str_trim(arg);
    }
    return arg;
}

/* ---- commands: each writes its reply, or answers an act that will ---- */

typedef enum ftp_act command_fn(struct ftp_talk *t, struct str arg, struct buf *out);

static enum ftp_act do_user(struct ftp_talk *t, struct str arg, struct buf *out)
{
    t->in = t->data = false;
    t->rest = 0;
    t->named = arg.n > 0 && arg.n < sizeof(t->user);
    str_copy(t->user, sizeof(t->user), arg);
    if (t->named)
        say(out, 331, "Password, please");
    else
        say(out, 501, "No such name can be");
    return FTP_NOTHING;
}

static enum ftp_act do_pass(struct ftp_talk *t, struct str arg, struct buf *out)
{
    if (!t->named) {
        say(out, 503, "USER first");
        return FTP_NOTHING;
    }
    t->named = false;
    /* One that is too long is wrong by its length: it is cut, and compared all the same. */
    str_copy(t->password, sizeof(t->password), arg);
    return FTP_LOGIN;
}

static enum ftp_act do_quit(struct ftp_talk *t, struct str arg, struct buf *out)
{
    (void)t;
    (void)arg;
    say(out, 221, "Bye");
    return FTP_QUIT;
}

static enum ftp_act do_opts(struct ftp_talk *t, struct str arg, struct buf *out)
{
    bool utf8 = str_eq_nocase(arg, STR_LIT("UTF8")) || str_eq_nocase(arg, STR_LIT("UTF8 ON"));

    (void)t;
    say(out, utf8 ? 200 : 501, utf8 ? "OK" : "No such option");
    return FTP_NOTHING;
}

/* TYPE, MODE, STRU: the letters that are fine. */
static void one_of(struct str arg, const char *fine, struct buf *out)
{
    char c = arg.n > 0 ? (char)(arg.p[0] & ~0x20) : '\0';

    if (c != '\0' && strchr(fine, c) != NULL && (arg.n == 1 || arg.p[1] == ' '))
        say(out, 200, "OK");
    else
        say(out, 504, "Not that one");
}

static enum ftp_act do_pasv(struct ftp_talk *t, struct str arg, struct buf *out)
{
    (void)arg;
    if (t->extended_only) {
        say(out, 501, "EPSV ALL was said");
        return FTP_NOTHING;
    }
    t->extended = false;
    return FTP_LISTEN;
}

static enum ftp_act do_epsv(struct ftp_talk *t, struct str arg, struct buf *out)
{
    if (str_eq_nocase(arg, STR_LIT("ALL"))) {
        t->extended_only = true;
        say(out, 200, "OK");
        return FTP_NOTHING;
    }
    if (arg.n > 0 && !str_eq_c(arg, "1")) {
        say(out, 522, "Only IPv4 (1)");
        return FTP_NOTHING;
    }
    t->extended = true;
    return FTP_LISTEN;
}

static enum ftp_act do_port(struct ftp_talk *t, struct str arg, struct buf *out)
{
    int64_t v[6] = {0};
    bool fine = !t->extended_only;

    for (int i = 0; i < 6 && fine; i++) {
        fine = digits(&arg, &v[i]) && v[i] <= 255 && (i < 4 ? v[i] == t->peer[i] : true);
        if (fine && i < 5) {
            fine = arg.n > 0 && arg.p[0] == ',';
            arg = fine ? str_from(arg.p + 1, arg.n - 1) : arg;
        }
    }
    if (!fine || arg.n > 0 || v[4] * 256 + v[5] < FTP_PORT_LEAST) {
        say(out, 501, "Only to a port of your own address");
        return FTP_NOTHING;
    }
    t->port = (uint16_t)(v[4] * 256 + v[5]);
    t->data = true;
    say(out, 200, "OK");
    return FTP_DIAL;
}

static enum ftp_act do_cwd(struct ftp_talk *t, struct str arg, struct buf *out)
{
    (void)t;
    say(out, is_root(arg) ? 250 : 550, is_root(arg) ? "OK" : "No such folder");
    return FTP_NOTHING;
}

static enum ftp_act do_size(struct ftp_talk *t, struct str arg, struct buf *out)
{
    if (is_file(t, arg))
        buf_printf(out, "213 %lld\r\n", (long long)t->file.size);
    else
        say(out, 550, "No such file");
    return FTP_NOTHING;
}

static enum ftp_act do_mdtm(struct ftp_talk *t, struct str arg, struct buf *out)
{
    struct civil c;

    civil_from_ms(t->file.modified_ms, &c);
    if (is_file(t, arg))
        buf_printf(out, "213 %04d%02d%02d%02d%02d%02d\r\n", c.year, c.month, c.day, c.hour,
                   c.minute, c.second);
    else
        say(out, 550, "No such file");
    return FTP_NOTHING;
}

static enum ftp_act do_rest(struct ftp_talk *t, struct str arg, struct buf *out)
{
    int64_t at;

    if (!digits(&arg, &at) || arg.n > 0) {
        say(out, 501, "A number of bytes, please");
        return FTP_NOTHING;
    }
    t->rest = at;
    say(out, 350, "RETR goes on from there");
    return FTP_NOTHING;
}

static enum ftp_act send_act(struct ftp_talk *t, enum ftp_act act, struct buf *out)
{
    if (!t->data) {
        say(out, 425, "PASV, EPSV or PORT first");
        return FTP_NOTHING;
    }
    t->data = false;
    t->busy = true;
    return act;
}

static enum ftp_act do_retr(struct ftp_talk *t, struct str arg, struct buf *out)
{
    t->from = t->rest;
    t->rest = 0;
    if (!is_file(t, arg))
        say(out, 550, "No such file");
    else if (t->from > t->file.size)
        say(out, 554, "The file is shorter than that");
    else
        return send_act(t, FTP_SEND, out);
    return FTP_NOTHING;
}

static enum ftp_act do_list(struct ftp_talk *t, struct str arg, struct buf *out)
{
    struct str path = list_path(arg);

    t->rest = 0;
    if (is_root(path) || is_file(t, path))
        return send_act(t, FTP_LIST, out);
    say(out, 550, "No such file");
    return FTP_NOTHING;
}

static enum ftp_act do_abor(struct ftp_talk *t, struct str arg, struct buf *out)
{
    (void)arg;
    if (t->busy) {
        t->aborting = true;
        return FTP_ABORT;
    }
    say(out, 226, "Nothing was being sent");
    return FTP_NOTHING;
}

#define FEATURES                                                                                   \
    "211-Features:\r\n EPSV\r\n MDTM\r\n PASV\r\n REST STREAM\r\n SIZE\r\n UTF8\r\n211 End\r\n"

/* Those without a function say their text, as it is or after their code. */
static const struct command {
    char name[5];
    bool open; /* also before the log-in */
    int code;
    const char *text, *fine;
    command_fn *run;
} commands[] = {
    {"USER", .open = true, .run = do_user},
    {"PASS", .open = true, .run = do_pass},
    {"QUIT", .open = true, .run = do_quit},
    {"NOOP", .open = true, 200, "OK"},
    {"SYST", .open = true, 215, "UNIX Type: L8"},
    {"FEAT", .open = true, 0, FEATURES},
    {"OPTS", .open = true, .run = do_opts},
    {"TYPE", .fine = "AIL"},
    {"MODE", .fine = "S"},
    {"STRU", .fine = "F"},
    {"PASV", .run = do_pasv},
    {"EPSV", .run = do_epsv},
    {"PORT", .run = do_port},
    {"PWD", .code = 257, .text = "\"/\" is where you are"},
    {"XPWD", .code = 257, .text = "\"/\" is where you are"},
    {"CWD", .run = do_cwd},
    {"XCWD", .run = do_cwd},
    {"CDUP", .code = 250, .text = "OK"},
    {"XCUP", .code = 250, .text = "OK"},
    {"SIZE", .run = do_size},
    {"MDTM", .run = do_mdtm},
    {"REST", .run = do_rest},
    {"RETR", .run = do_retr},
    {"LIST", .run = do_list},
    {"NLST", .run = do_list},
    {"ABOR", .run = do_abor},
    {"STOR", .code = 550, .text = "Read only"},
    {"STOU", .code = 550, .text = "Read only"},
    {"APPE", .code = 550, .text = "Read only"},
    {"DELE", .code = 550, .text = "Read only"},
    {"MKD", .code = 550, .text = "Read only"},
    {"RMD", .code = 550, .text = "Read only"},
    {"RNFR", .code = 550, .text = "Read only"},
    {"RNTO", .code = 550, .text = "Read only"},
};

/* ---- lines ---- */

static const struct command *command_find(struct str verb)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (str_eq_nocase(verb, str_from_c(commands[i].name)))
            return &commands[i];
    return NULL;
}

static enum ftp_act run(struct ftp_talk *t, struct str line, struct buf *out)
{
    struct str arg = line, verb = str_cut(&arg, ' ');
    const struct command *c = command_find(verb);

    if (line.n == 0)
        return FTP_NOTHING;
    for (size_t i = 0; i < line.n; i++)
        if ((uint8_t)line.p[i] < ' ' || line.p[i] == 0x7f) {
            say(out, 501, "No such character can be");
            return FTP_NOTHING;
        }
    if (c == NULL) {
        say(out, t->in ? 502 : 530, t->in ? "No such command" : "Log in first");
        return FTP_NOTHING;
    }
    if (!c->open && !t->in) {
        say(out, 530, "Log in first");
        return FTP_NOTHING;
    }
    t->commands++;
    t->names = c->name[0] == 'N';
    if (c->run != NULL)
        return c->run(t, arg, out);
    if (c->fine != NULL)
        one_of(arg, c->fine, out);
    else if (c->code != 0)
        say(out, c->code, c->text);
    else
        buf_put_c(out, c->text);
    return FTP_NOTHING;
}

/* Without the Telnet commands that some clients send before ABOR, and without the line's end. */
static struct str line_clean(struct str in, char clean[FTP_LINE + 1])
{
    size_t n = 0;

    for (size_t i = 0; i < in.n && n <= FTP_LINE; i++)
        if ((uint8_t)in.p[i] == IAC)
            i++;
        else
            clean[n++] = in.p[i];
    while (n > 0 && clean[n - 1] == '\r')
        n--;
    return str_from(clean, n);
}

static bool is_abor(struct str line)
{
    return str_eq_nocase(line, STR_LIT("ABOR"));
}

size_t ftp_talk_take(struct ftp_talk *t, struct str bytes, struct buf *out, enum ftp_act *act)
{
    ptrdiff_t end = str_find(bytes, '\n');
    char clean[FTP_LINE + 1];
    struct str line;

    *act = FTP_NOTHING;
    if (end < 0 && bytes.n <= FTP_LINE && !t->skipping)
        return 0;
    if (end < 0) {
        t->skipping = true;
        return bytes.n;
    }
    line = line_clean(str_from(bytes.p, (size_t)end), clean);
    if (t->busy && (t->skipping || end > FTP_LINE || !is_abor(line)))
        return 0;
    if (t->skipping || end > FTP_LINE)
        say(out, 500, "Too long");
    else
        *act = run(t, line, out);
    t->skipping = false;
    return (size_t)end + 1;
}

/* ---- what the owner answers ---- */

void ftp_talk_start(struct ftp_talk *t, const uint8_t peer[4], struct buf *out)
{
    *t = (struct ftp_talk){0};
    memcpy(t->peer, peer, sizeof(t->peer));
    say(out, 220, "Firmware");
}

enum ftp_act ftp_talk_judged(struct ftp_talk *t, const struct ftp_file *file, struct buf *out)
{
    if (file != NULL) {
        t->in = true;
        t->wrong = 0;
        t->file = *file;
        say(out, 230, "One file, read only");
        return FTP_NOTHING;
    }
    if (++t->wrong < FTP_GUESSES) {
        say(out, 530, "Wrong");
        return FTP_NOTHING;
    }
    say(out, 421, "Wrong too often");
    return FTP_QUIT;
}

void ftp_talk_listening(struct ftp_talk *t, const uint8_t a[4], uint16_t port, struct buf *out)
{
    t->data = port != 0;
    if (port == 0)
        say(out, 425, "No port is free");
    else if (t->extended)
        buf_printf(out, "229 Here (|||%u|)\r\n", port);
    else
        buf_printf(out, "227 Here (%u,%u,%u,%u,%u,%u)\r\n", a[0], a[1], a[2], a[3], port >> 8,
                   port & 255u);
}

void ftp_talk_begun(struct ftp_talk *t, struct buf *out)
{
    (void)t;
    say(out, 150, "Here it comes");
}

void ftp_talk_ended(struct ftp_talk *t, enum ftp_end how, struct buf *out)
{
    static const struct {
        int code;
        const char *text;
    } ends[] = {[FTP_SENT] = {226, "That was all"},
                [FTP_BROKEN] = {426, "Broken off"},
                [FTP_NO_DATA] = {425, "No connection for data"},
                [FTP_GONE] = {550, "The file is gone"}};

    t->busy = false;
    say(out, ends[how].code, ends[how].text);
    if (t->aborting)
        say(out, 226, "Stopped");
    t->aborting = false;
}

void ftp_talk_listing(const struct ftp_talk *t, struct buf *out)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct civil c;

    civil_from_ms(t->file.modified_ms, &c);
    if (!t->names)
        buf_printf(out, "-r--r--r-- 1 even even %lld %.3s %2d  %04d ", (long long)t->file.size,
                   months + 3 * (c.month - 1), c.day, c.year);
    buf_printf(out, "%s\r\n", t->file.name);
}
