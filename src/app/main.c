// SPDX-License-Identifier: Apache-2.0
/* main.c: the program `even` and its subcommands. Owns nothing; each subcommand is a function.
 * Errors are one line on stderr and a non-zero exit. */
#include "app/app.h"
#include "app/replay.h"
#include "app/replay_core.h"

#include <curl/curl.h>

#include "base/err.h"
#include "cashier/cashier.h"
#include "base/log.h"
#include "io/os/clock.h"
#include "io/os/crypto.h"
#include "io/os/thread.h"
#include "io/os/memory.h"
#include "sim/sim.h"
#include "store/store.h"
#include "web/web.h"

#define EVEN_VERSION "0.1.0"

static int usage(FILE *out, int code);
static int wrong(const char *command, const char *arg);

static int config_main(int argc, char **argv)
{
    struct config c;
    bool man = argc > 0 && strcmp(argv[0], "--man") == 0;
    if (argc > 0 && (man || strcmp(argv[0], "--check") == 0)) {
        argc--;
        argv++;
    }
    int res = app_options(&argc, argv, &c);
    if (res || argc > 0)
        return res ? res : wrong("config", argv[0]);
    if (man)
        config_print_man(stdout);
    else
        config_print(&c, stdout);
    return 0;
}

/* Needs no settings: a backup may lie on a machine that runs nothing. */
static int verify_main(const char *file)
{
    int res = store_backup_check(file, stdout);
    if (res == 0)
        printf("even: %s is as its manifest says\n", file);
    else
        fprintf(stderr, "even: backup %s: %s\n", file, err_text(res, LANG_EN));
    return res ? 1 : 0;
}

static int backup_main(int argc, char **argv)
{
    struct config c;
    if (argc == 2 && strcmp(argv[0], "--verify") == 0)
        return verify_main(argv[1]);
    int res = app_options(&argc, argv, &c);
    if (!res)
        res = app_names("backup", argc, argv, 1);
    if (res)
        return res;
    if (argc != 1)
        return wrong("backup", NULL);
    if (c.data_db[0]) {
        fprintf(stderr, "even: data.db is a server: copy %s/samples and %s/key, then use pg_dump\n",
                c.data_dir, c.data_dir);
        return 2;
    }
    res = store_backup(c.data_dir, argv[0]);
    if (res) {
        fprintf(stderr, "even: backup of %s to %s: %s\n", c.data_dir, argv[0],
                err_text(res, LANG_EN));
        return 70;
    }
    return 0;
}

static int print_main(struct str text)
{
    return fwrite(text.p, 1, text.n, stdout) == text.n && fflush(stdout) == 0 ? 0 : 70;
}

static int openapi_main(int argc, char **argv)
{
    return argc ? wrong("openapi", argv[0]) : print_main(web_openapi());
}

static int types_main(int argc, char **argv)
{
    return argc ? wrong("types", argv[0]) : print_main(web_typescript());
}

static int version_main(int argc, char **argv)
{
    if (argc)
        return wrong("version", argv[0]);
    printf("even %s\n", EVEN_VERSION);
    return 0;
}

static int help_main(int argc, char **argv)
{
    return argc ? wrong("help", argv[0]) : usage(stdout, 0);
}

/* sim_main takes its arguments like a program of its own. */
static int sim_sub(int argc, char **argv)
{
    return sim_main(argc + 1, argv - 1);
}

static const struct {
    const char *name;
    int (*fn)(int argc, char **argv);
    const char *args, *what;
} commands[] = {
    {"serve", serve_main, "[--demo] [options]", "run the platform"},
    {"demo", demo_main, "[--speed K] [--for SECONDS] [options]",
     "run a demonstration with simulated chargers and drivers"},
    {"sim", sim_sub, "--help", "simulate chargers against a running platform"},
    {"bill", bill_main, "[options] CHANNEL DAY [shares]",
     "fetch a payment provider's bill of one day"},
    {"cashier", cashier_main, "--dir FOLDER [--port N] [--faults …]",
     "play payment providers on this machine, with real signatures"},
    {"replay", replay_main, "FILE --mapping FILE …",
     "tell real sessions to a running platform and account for every row"},
    {"replay-core", replay_core_main, "DIR|BACKUP --flight FILE …",
     "live a recorded flight again and compare every batch"},
    {"backup", backup_main, "[options] FILE | --verify FILE",
     "copy the data of a running platform, consistently; verify a copy"},
    {"check", check_main, "[options] [--certificate FILE] [FILE]",
     "re-derive the books from the file and print a trial balance"},
    {"certificate", certificate_main, "[options] [FILE] YYYYMMDD|all",
     "print the zero-sum certificates of a day, to be kept elsewhere"},
    {"config", config_main, "[--check|--man] [options]", "check and print the settings"},
    {"openapi", openapi_main, "", "print the description of the API"},
    {"types", types_main, "", "print the TypeScript types of the API"},
    {"version", version_main, "", "print the version"},
    {"help", help_main, "", "print this"},
};

static int usage(FILE *out, int code)
{
    fprintf(out, "usage: even COMMAND\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(out, "  %-11s %-42s %s\n", commands[i].name, commands[i].args, commands[i].what);
    fprintf(out, "options: --config FILE, --dir FOLDER, --set name=value\n");
    return code;
}

/* One line: what was not understood, and what would be. */
static int wrong(const char *command, const char *arg)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, command) == 0)
            fprintf(stderr, "even: %s: %s%s; usage: even %s %s\n", command,
                    arg ? "what is " : "something is missing", arg ? arg : "", command,
                    commands[i].args);
    return 2;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return usage(stderr, 2);
    os_memory_begin();
    os_signals_block();
    log_set_clock(os_now_ms);
    if (crypto_init() != 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        fprintf(stderr, "even: the cryptographic library does not work here\n");
        return 70;
    }
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].fn(argc - 2, argv + 2);
    fprintf(stderr, "even: no such command: %s (`even help` lists them)\n", argv[1]);
    return 2;
}
