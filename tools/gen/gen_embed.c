// SPDX-License-Identifier: Apache-2.0
/* gen_embed.c: files → one run of bytes that the program carries, with a table of paths
 * (src/web/assets.h). Text that gzip makes at least a tenth smaller is kept in both forms,
 * compressed without a time stamp so that the build is reproducible.
 *
 * Usage: gen_embed out.S out.c out.bin out.d [path=file … | @folder …]
 * A folder gives all files below it, by their path in it; a missing one gives nothing. The
 * dependency file names each folder and file read. The assembler finds out.bin by its name on the
 * include path. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum { FILES_MAX = 4096, PATH_SIZE = 1024 };

struct file {
    char path[PATH_SIZE], from[PATH_SIZE];
    uint64_t hash;
    size_t at, n, gz_at, gz_n;
};
static struct file files[FILES_MAX];
static size_t files_n;
static FILE *deps, *bin;
static size_t bin_at;

static void die(const char *what, const char *path)
{
    fprintf(stderr, "gen_embed: %s: %s\n", what, path);
    exit(1);
}

static void file_add(const char *path, const char *from)
{
    if (files_n == FILES_MAX || strlen(path) >= PATH_SIZE || strlen(from) >= PATH_SIZE)
        die("too many files or a long path", from);
    struct file *f = &files[files_n++];
    snprintf(f->path, sizeof f->path, "%s", path);
    snprintf(f->from, sizeof f->from, "%s", from);
    fprintf(deps, " %s", from);
}

/* Folders still to be read stand in a list, so nothing recurses. */
static void folder_add(const char *root)
{
    static char todo[FILES_MAX][PATH_SIZE];
    size_t n = 0, root_n = strlen(root);
    snprintf(todo[n++], PATH_SIZE, "%s", root);
    struct stat there;
    if (stat(root, &there) != 0) { /* not there yet: its parent's time tells when it comes */
        const char *slash = strrchr(root, '/');
        fprintf(deps, " %.*s", slash ? (int)(slash - root) : 1, slash ? root : ".");
        return;
    }
    while (n > 0) {
        char dir[PATH_SIZE];
        memcpy(dir, todo[--n], sizeof dir);
        DIR *d = opendir(dir);
        if (!d)
            continue;
        fprintf(deps, " %s", dir);
        for (struct dirent *e; (e = readdir(d)) != NULL;) {
            char full[PATH_SIZE];
            struct stat st;
            if (e->d_name[0] == '.')
                continue;
            if (snprintf(full, sizeof full, "%s/%s", dir, e->d_name) >= (int)sizeof full)
                die("long path", dir);
            if (stat(full, &st) != 0)
                die("cannot read", full);
            if (!S_ISDIR(st.st_mode))
                file_add(full + root_n + 1, full);
            else if (n < FILES_MAX)
                memcpy(todo[n++], full, sizeof full);
        }
        closedir(d);
    }
}

static unsigned char *content_read(const char *path, size_t *n)
{
    struct stat st;
    FILE *f = fopen(path, "rb");
    if (!f || stat(path, &st) != 0)
        die("cannot read", path);
    size_t size = (size_t)st.st_size;
    unsigned char *p = malloc(size + 1);
    if (!p || fread(p, 1, size, f) != size)
        die("cannot read", path);
    fclose(f);
    *n = size;
    return p;
}

static size_t bin_put(const void *p, size_t n)
{
    size_t at = bin_at;
    if (fwrite(p, 1, n, bin) != n)
        die("cannot write", "the bytes");
    bin_at += n;
    return at;
}

static void gzip_put(struct file *f, const unsigned char *p)
{
    z_stream z = {0};
    if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        die("no memory", f->path);
    size_t cap = deflateBound(&z, f->n);
    unsigned char *out = malloc(cap);
    if (!out)
        die("no memory", f->path);
    z.next_in = (unsigned char *)p;
    z.avail_in = (unsigned)f->n;
    z.next_out = out;
    z.avail_out = (unsigned)cap;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        die("cannot compress", f->path);
    if (z.total_out < f->n - f->n / 10) {
        f->gz_n = z.total_out;
        f->gz_at = bin_put(out, f->gz_n);
    }
    deflateEnd(&z);
    free(out);
}

static void content_put(struct file *f)
{
    unsigned char *p = content_read(f->from, &f->n);
    f->hash = 14695981039346656037u;
    for (size_t i = 0; i < f->n; i++)
        f->hash = (f->hash ^ p[i]) * 1099511628211u;
    f->at = bin_put(p, f->n);
    gzip_put(f, p);
    free(p);
}

static const char *mime_of(const char *path)
{
    static const char *const kinds[][2] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".webmanifest", "application/manifest+json"},
        {".ts", "text/plain; charset=utf-8"},
        {".jpg", "image/jpeg"},
        {".txt", "text/plain; charset=utf-8"},
    };
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(dot, kinds[i][0]) == 0)
            return kinds[i][1];
    return "application/octet-stream";
}

static int path_cmp(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

static void table_write(const char *path)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        die("cannot write", path);
    fprintf(f, "/* Generated by gen_embed. Do not edit. */\n#include \"web/assets.h\"\n"
               "const struct asset_row asset_rows[] = {\n");
    for (size_t i = 0; i < files_n; i++)
        fprintf(f, "    {\"%s\", \"%s\", \"\\\"%016llx\\\"\", %zu, %zu, %zu, %zu},\n",
                files[i].path, mime_of(files[i].path), (unsigned long long)files[i].hash,
                files[i].at, files[i].n, files[i].gz_at, files[i].gz_n);
    fprintf(f, "};\nconst uint32_t asset_rows_n = %zu;\n", files_n);
    if (fclose(f))
        die("cannot write", path);
}

static void assembler_write(const char *path, const char *bin_path)
{
    const char *slash = strrchr(bin_path, '/');
    FILE *f = fopen(path, "wb");
    if (!f)
        die("cannot write", path);
    fprintf(f,
            "/* Generated by gen_embed. Do not edit. */\n"
            "    .section .rodata\n    .balign 16\n    .globl asset_bytes\n    .type asset_bytes, "
            "%%object\nasset_bytes:\n    .incbin \"%s\"\n    .size asset_bytes, . - asset_bytes\n"
            "    .section .note.GNU-stack,\"\",%%progbits\n",
            slash ? slash + 1 : bin_path);
    if (fclose(f))
        die("cannot write", path);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        die("usage", "gen_embed out.S out.c out.bin out.d [path=file | @folder] ...");
    deps = fopen(argv[4], "wb");
    bin = fopen(argv[3], "wb");
    if (!deps || !bin)
        die("cannot write", argv[3]);
    fprintf(deps, "%s %s %s:", argv[1], argv[2], argv[3]);
    for (int i = 5; i < argc; i++) {
        char *eq = strchr(argv[i], '=');
        if (argv[i][0] == '@') {
            folder_add(argv[i] + 1);
        } else if (eq) {
            *eq = 0;
            file_add(argv[i], eq + 1);
        }
    }
    qsort(files, files_n, sizeof files[0], path_cmp);
    for (size_t i = 0; i < files_n; i++)
        content_put(&files[i]);
    fprintf(deps, "\n");
    if (fclose(deps) || fclose(bin))
        die("cannot write", argv[3]);
    table_write(argv[2]);
    assembler_write(argv[1], argv[3]);
    return 0;
}
