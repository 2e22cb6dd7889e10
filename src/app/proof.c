// SPDX-License-Identifier: Apache-2.0
/* proof.c: `even check` and `even certificate`: what an auditor runs. Both read a file (or server) and
 * change nothing; neither needs a running platform. Fails with one line that says what and where. */
#include "app/app.h"

#include "base/err.h"
#include "io/os/file.h"
#include "store/certificate.h"
#include "store/store.h"

enum { TEXT_MAX = 16 << 20, PATH_CAP = 300 };

/* The file named, or what the settings say. */
static const char *file_of(const struct config *c, int argc, char **argv, char path[PATH_CAP])
{
    if (argc)
        return argv[0];
    if (c->data_db[0])
        return c->data_db;
    snprintf(path, PATH_CAP, "%s/even.db", c->data_dir);
    return path;
}

static int failed(const struct config *c, const char *file, int err)
{
    fprintf(stderr, "even: %s: %s\n", file == c->data_db ? "data.db" : file, /* no password */
            err_text(err, LANG_EN));
    return 70;
}

/* Appends a file of certificates; one without any proves nothing. Gives an exit code. */
static int certificates_take(const char *path, struct buf *text)
{
    size_t from = text->n;
    struct certificate c;
    int n = 0, more = 0, err = file_read(path, TEXT_MAX, text);
    buf_put_char(text, '\n');
    if (!err)
        err = text->err;
    struct str rest = err ? STR_NONE : str_from(text->p + from, text->n - from);
    while (!err && (more = certificate_take(&rest, &c)) == 1)
        n++;
    if (err)
        fprintf(stderr, "even: %s: %s\n", path, err_text(err, LANG_EN));
    else if (more < 0 || n == 0)
        fprintf(stderr, "even: %s: after %d certificates: what `even certificate` does not write\n",
                path, n);
    return err ? 2 : more < 0 || n == 0 ? 70 : 0;
}

static bool hash_ok(const char *hex)
{
    return strlen(hex) == 64 && strspn(hex, "0123456789abcdef") == 64;
}

/* Takes `--certificate FILE` and `--head HASH` out of the arguments. */
static int witness_take(int *argc, char **argv, struct buf *text, struct store_witness *w)
{
    int kept = 0;
    for (int i = 0; i < *argc; i++) {
        bool file = strcmp(argv[i], "--certificate") == 0, head = strcmp(argv[i], "--head") == 0;
        if (!file && !head) {
            argv[kept++] = argv[i];
            continue;
        }
        if (++i == *argc) {
            fprintf(stderr, "even: %s needs a value\n", argv[i - 1]);
            return 2;
        }
        if (head && !hash_ok(argv[i])) {
            fprintf(stderr, "even: --head %s: not 64 hexadecimal digits\n", argv[i]);
            return 2;
        }
        if (head)
            w->head = argv[i];
        int res = head ? 0 : certificates_take(argv[i], text);
        if (res)
            return res;
    }
    *argc = kept;
    return 0;
}

int check_main(int argc, char **argv)
{
    struct config c;
    struct store_witness w = {0};
    struct buf text;
    char path[PATH_CAP];
    buf_init(&text, TEXT_MAX);
    int res = app_options(&argc, argv, &c);
    if (!res)
        res = witness_take(&argc, argv, &text, &w);
    if (!res)
        res = app_names("check", argc, argv, 1);
    if (!res) {
        const char *file = file_of(&c, argc, argv, path);
        w.certificates = buf_str(&text);
        res = store_check_against(file, &w, stdout);
        if (res < 0)
            res = failed(&c, file, res);
    }
    buf_free(&text);
    return res;
}

/* ---- certificates ---- */

struct printing {
    int64_t day;
    struct buf out;
    int n;
};

static int certificate_put(void *ctx, const struct sql_value *v, size_t n)
{
    struct printing *p = ctx;
    struct certificate c;
    (void)n;
    certificate_read(&c, v);
    if (p->day && c.day != p->day)
        return 0;
    if (p->n++)
        buf_put_char(&p->out, '\n');
    certificate_write(&c, &p->out);
    return p->out.err;
}

static int certificates_print(const char *file, struct printing *p)
{
    struct store_reader *r;
    int err = store_reader_open_path(file, &r);
    if (err)
        return err;
    err = store_query(r, QUERY_CHECK_CERTIFICATES, NULL, 0, certificate_put, p);
    store_reader_close(r);
    if (!err && (fwrite(p->out.p, 1, p->out.n, stdout) != p->out.n || fflush(stdout) != 0))
        err = ERR_IO;
    return err;
}

/* A day by its number, or all of them (0). */
static bool day_take(const char *text, int64_t *day)
{
    if (strcmp(text, "all") == 0)
        return true;
    return str_to_i64(str_from_c(text), day) == 0 && *day >= 20200101 && *day <= 99991231 &&
           *day / 100 % 100 >= 1 && *day / 100 % 100 <= 12 && *day % 100 >= 1 && *day % 100 <= 31;
}

int certificate_main(int argc, char **argv)
{
    struct config c;
    struct printing p = {0};
    char path[PATH_CAP];
    int res = app_options(&argc, argv, &c);
    if (!res)
        res = app_names("certificate", argc, argv, 2);
    if (res)
        return res;
    if (argc < 1 || !day_take(argv[argc - 1], &p.day)) {
        fprintf(stderr, "usage: even certificate [options] [FILE] YYYYMMDD|all\n");
        return 2;
    }
    const char *file = file_of(&c, argc - 1, argv, path);
    buf_init(&p.out, SIZE_MAX);
    int err = certificates_print(file, &p);
    buf_free(&p.out);
    if (err)
        return failed(&c, file, err);
    if (p.n == 0)
        fprintf(stderr, "even: no certificate of that day\n");
    return p.n == 0;
}
