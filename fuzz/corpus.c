// SPDX-License-Identifier: Apache-2.0
/* corpus.c: moves a corpus between its text (seeds.h) and the folder of files that libFuzzer wants:
 *   corpus unpack FILE FOLDER     a file a tape
 *   corpus pack FOLDER            the text on stdout, in the order of the names */
#include <stdio.h>
#include <stdlib.h>
#include "base/err.h"
#include "io/os/file.h"
#include "seeds.h"

enum { FILE_MAX_BYTES = 1 << 22, PATH_BYTES = 1200 };

static int unpack(const char *from, const char *to)
{
    struct buf text, tape;
    char path[PATH_BYTES];
    buf_init(&text, FILE_MAX_BYTES);
    buf_init(&tape, FILE_MAX_BYTES);
    int err = file_read(from, FILE_MAX_BYTES, &text);
    struct str rest = buf_str(&text);
    for (int n = 0; !err && seeds_next(&rest, &tape); n++) {
        snprintf(path, sizeof path, "%s/seed-%04d", to, n);
        err = file_write_atomic(path, buf_str(&tape), 0600);
    }
    buf_free(&text);
    buf_free(&tape);
    return err;
}

struct packing {
    const char *folder;
    struct buf text;
};

static int pack_one(void *ctx, const char *name)
{
    struct packing *p = ctx;
    struct buf tape;
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", p->folder, name);
    buf_init(&tape, FILE_MAX_BYTES);
    int err = file_read(path, FILE_MAX_BYTES, &tape);
    if (!err)
        seeds_put(&p->text, buf_str(&tape));
    buf_free(&tape);
    return err ? err : p->text.err;
}

static int pack(const char *folder)
{
    struct packing p = {.folder = folder};
    buf_init(&p.text, FILE_MAX_BYTES);
    int err = dir_list(folder, pack_one, &p);
    if (!err && fwrite(p.text.p, 1, p.text.n, stdout) != p.text.n)
        err = ERR_IO;
    buf_free(&p.text);
    return err;
}

int main(int argc, char **argv)
{
    int err = ERR_SYNTAX;
    if (argc == 4 && strcmp(argv[1], "unpack") == 0)
        err = unpack(argv[2], argv[3]);
    else if (argc == 3 && strcmp(argv[1], "pack") == 0)
        err = pack(argv[2]);
    else
        fprintf(stderr, "usage: corpus unpack FILE FOLDER | corpus pack FOLDER\n");
    if (err && err != ERR_SYNTAX)
        fprintf(stderr, "corpus: %s\n", err_text(err, LANG_EN));
    return err ? 1 : 0;
}
