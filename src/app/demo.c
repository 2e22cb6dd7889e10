// SPDX-License-Identifier: Apache-2.0
/* demo.c: `even demo`: the platform, its simulated chargers, the cashier that plays payment providers
 * and a few drivers living their day, in four processes that talk over real sockets. This one owns
 * the others (`even serve --demo`, `even sim`, `even cashier`), seeds an empty installation through the REST API and then plays the drivers with an
 * API key. When one part ends, all end. Nothing here is a way into the server that others do not
 * have. */
#define _GNU_SOURCE
#include "app/app.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/client.h"
#include "app/demo_pay.h"
#include "app/demo_seed.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"
#include "io/os/clock.h"
#include "io/os/file.h"
#include "io/os/thread.h"

enum { SPEED_MAX = 600, RUN_S_MAX = 100000000 };
enum { ARGS_MAX = 32, ARG_MAX = 1100, START_WAIT_MS = 20000, DAY_STEP_MS = 4000 };

struct demo {
    struct config settings;
    struct demo_facts facts;
    struct client *client;
    char web[120], ocpp[120], ykc[120], speed[16], secrets[300];
    char pay[120]; /* the cashier; "" = none */
    int64_t run_s; /* 0 = until a signal */
    bool drivers;  /* do they live their day */
    pid_t serve, sim, cashier;
    FILE *said; /* what the platform prints: its ports */
    struct rng rng;
};

/* A child that dies with its parent; out_fd is its standard output, -1 = ours. */
static pid_t start(char *const args[], int out_fd)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (out_fd >= 0 && dup2(out_fd, STDOUT_FILENO) < 0)
        _exit(70);
    execv("/proc/self/exe", args);
    fprintf(stderr, "even: cannot start %s: errno %d\n", args[1], errno);
    _exit(70);
}

static void end_child(pid_t *pid)
{
    int status;
    if (*pid <= 0)
        return;
    kill(*pid, SIGTERM);
    while (waitpid(*pid, &status, 0) < 0 && errno == EINTR)
        ;
    *pid = 0;
}

static bool child_ended(pid_t *pid)
{
    int status;
    if (*pid <= 0 || waitpid(*pid, &status, WNOHANG) != *pid)
        return false;
    *pid = 0;
    return true;
}

/* The platform gets every setting that is not at its default; "--set" and "name=value" by turns. */
static void settings_hand(const struct demo *d, char **args, char (*text)[ARG_MAX])
{
    static char set[] = "--set";
    size_t n = 0;
    for (size_t i = 0; i < settings_n; i++) {
        if (strcmp(settings[i].name, "data.dir") == 0 ||
            !config_differs(&d->settings, i, text[n / 2], ARG_MAX))
            continue;
        args[n] = set;
        args[n + 1] = text[n / 2];
        n += 2;
    }
}

static pid_t start_serve(struct demo *d)
{
    char dir[] = "--dir", name[] = "even", sub[] = "serve", demo[] = "--demo";
    char **args = calloc(2 * settings_n + 6, sizeof *args);
    char(*text)[ARG_MAX] = calloc(settings_n, sizeof *text);
    pid_t pid = -1;
    must(args && text);
    char *first[] = {name, sub, demo, dir, d->settings.data_dir};
    memcpy(args, first, sizeof first);
    settings_hand(d, args + ARRAY_LEN(first), text);
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) == 0) {
        pid = start(args, fds[1]);
        close(fds[1]);
        d->said = fdopen(fds[0], "r");
    }
    free(text);
    free(args);
    return pid;
}

/* The port behind "…host:" in a line that begins with `what`; false when it is not there. */
static bool port_of(const char *line, const char *what, const char *host, int64_t *port)
{
    char mark[120];
    snprintf(mark, sizeof mark, "%s:", host);
    const char *at = strncmp(line, what, strlen(what)) == 0 ? strstr(line, mark) : NULL;
    if (!at)
        return false;
    at += strlen(mark);
    return str_to_i64(str_from(at, strspn(at, "0123456789")), port) == 0;
}

/* Hears where the platform listens, which it chose itself where a port was 0. It prints that of
 * 云快充 last. */
static int hear_ports(struct demo *d)
{
    struct config *c = &d->settings;
    char line[400];
    while (d->said && fgets(line, sizeof line, d->said)) {
        fputs(line, stdout);
        if (port_of(line, "even: pages", c->web_bind, &c->web_port) ||
            port_of(line, "even: OCPP", c->charge_bind, &c->charge_ocpp_port))
            continue;
        if (port_of(line, "even: 云快充", c->charge_bind, &c->charge_ykc_port))
            return 0;
    }
    return ERR_CLOSED; /* it said why */
}

static void addresses(struct demo *d)
{
    const struct config *c = &d->settings;
    snprintf(d->web, sizeof d->web, "http://%s:%" PRId64, c->web_bind, c->web_port);
    snprintf(d->ocpp, sizeof d->ocpp, "ws://%s:%" PRId64 "/ocpp/", c->charge_bind,
             c->charge_ocpp_port);
    snprintf(d->ykc, sizeof d->ykc, "%s:%" PRId64, c->charge_bind, c->charge_ykc_port);
}

static pid_t start_sim(struct demo *d)
{
    char name[] = "even", sub[] = "sim", url[] = "--url", ykc[] = "--ykc", no[] = "--ocpp",
         ny[] = "--ykc-piles";
    char fourteen[] = "14", six[] = "6", pw[] = "--password-file", speed[] = "--speed",
         seed[] = "--seed", one[] = "7";
    char plug[] = "--autoplug", walk[] = "--walkups";
    char *args[ARGS_MAX] = {name,     sub, url,  d->ocpp, ykc,        d->ykc, no,
                            fourteen, ny,  six,  pw,      d->secrets, speed,  d->speed,
                            seed,     one, plug, walk,    NULL};
    return start(args, -1);
}

static int wait_for(struct client *c, pid_t *child, const char *path)
{
    struct str reply;
    for (int64_t end = os_mono_ns() + (int64_t)START_WAIT_MS * 1000000; os_mono_ns() < end;
         os_sleep_ms(100)) {
        if (child_ended(child))
            return ERR_CLOSED; /* it said why */
        if (client_call(c, "GET", path, NULL, &reply) == 0)
            return 0;
    }
    return ERR_TIMEOUT;
}

/* The cashier is there before the platform: it makes the merchant's keys at its first start. */
static int start_cashier(struct demo *d)
{
    char name[] = "even", sub[] = "cashier", opt_dir[] = "--dir", opt_bind[] = "--bind",
         opt_port[] = "--port";
    char dir[300], port[16];
    struct client *c;
    if (!d->pay[0])
        return 0;
    snprintf(dir, sizeof dir, "%s/cashier", d->settings.data_dir);
    snprintf(port, sizeof port, "%" PRId64, d->settings.demo_pay_port);
    char *args[ARGS_MAX] = {name,     sub,  opt_dir, dir, opt_bind, d->settings.web_bind,
                            opt_port, port, NULL};
    int err = dir_make(dir, 0700);
    if (!err)
        err = client_new(d->pay, &c);
    if (err)
        return err;
    d->cashier = start(args, -1);
    err = d->cashier < 0 ? ERR_IO : wait_for(c, &d->cashier, "/state");
    client_free(c);
    return err ? err : demo_pay_keys(d->settings.data_dir);
}

static int seed(struct demo *d)
{
    struct str reply;
    int err = client_call(d->client, "GET", "/api/v1/session", NULL, &reply);
    if (err)
        return err;
    if (!str_eq_c(client_member(reply, "setup"), "true"))
        return demo_facts_read(d->settings.data_dir, &d->facts);
    printf("even: first start: making the demonstration operator …\n");
    err = demo_seed(d->client, d->settings.data_dir, &d->facts);
    return err || !d->pay[0] ? err : demo_pay_channels(d->client, d->pay);
}

static void tell(const struct demo *d)
{
    const struct demo_facts *f = &d->facts;
    printf("\n  Console   %s/           admin    %s\n", d->web, f->admin_password);
    printf("                                            operator %s\n", f->operator_password);
    printf("  Partner   %s/p          partner  %s\n", d->web, f->partner_password);
    printf("  Driver    %s/c/DEMO1001 phone    13800138000 (4.00 yuan in the wallet; the page "
           "shows its code)\n",
           d->web);
    if (d->pay[0])
        printf("  Cashier   %s/state    plays WeChat Pay, Alipay and the allocation provider\n",
               d->pay);
    printf("            other codes: DEMO1001 … DEMO%d; stop with Ctrl-C\n\n",
           1000 + f->connectors);
    fflush(stdout);
}

/* ---- the drivers' day ---- */

/* Driver 0 is the visitor's: the demonstration never spends his four yuan. */
static void driver_starts(struct demo *d)
{
    char body[256];
    int64_t id;
    int who = 1 + (int)rng_below(&d->rng, DEMO_DRIVERS - 1);
    int where = 4 + (int)rng_below(&d->rng, (uint64_t)(d->facts.connectors -
                                                       4)); /* the first four are the visitor's */
    int yuan = (int)rng_range(&d->rng, 4, 30);
    struct str reply;
    snprintf(body, sizeof body,
             "{\"connector\":\"%" PRId64 "\",\"driver\":\"%" PRId64 "\",\"cap\":\"%d.00\"}",
             d->facts.connector[where], d->facts.driver[who], yuan);
    int err = client_call(d->client, "POST", "/api/v1/orders", body, &reply);
    if (err != ERR_NO_FUNDS)
        return; /* busy and unplugged connectors are a driver's ordinary day */
    char path[80];
    snprintf(path, sizeof path, "/api/v1/drivers/%" PRId64 "/topups", d->facts.driver[who]);
    err = client_make(d->client, path, "{\"amount\":\"200.00\",\"note\":\"demo\"}", &id);
    if (err)
        fprintf(stderr, "even: demo top-up: %s\n", err_text(err, LANG_EN));
}

static int live(struct demo *d)
{
    int64_t end = d->run_s > 0 ? os_mono_ns() + d->run_s * 1000000000 : INT64_MAX;
    int32_t step = DAY_STEP_MS / (int32_t)d->settings.demo_speed;
    client_key(d->client, d->facts.key);
    while (os_mono_ns() < end) {
        if (os_signals_wait(step > 200 ? step : 200) != 0)
            return 0;
        if (child_ended(&d->serve) || child_ended(&d->sim) || child_ended(&d->cashier)) {
            fprintf(stderr, "even: a part of the demonstration ended; stopping\n");
            return ERR_CLOSED;
        }
        if (d->drivers)
            driver_starts(d);
    }
    return 0;
}

static int run(struct demo *d)
{
    int err = start_cashier(d);
    if (!err) {
        d->serve = start_serve(d);
        err = d->serve < 0 ? ERR_IO : hear_ports(d);
    }
    addresses(d);
    if (!err)
        err = client_new(d->web, &d->client);
    if (!err)
        err = wait_for(d->client, &d->serve, "/readyz");
    if (!err)
        err = seed(d);
    if (err) {
        fprintf(stderr, "even: the demonstration did not start: %s\n", err_text(err, LANG_EN));
        return err;
    }
    d->sim = start_sim(d);
    tell(d);
    err = live(d);
    return err;
}

/* The value of an option; text is NULL where the line ends. */
static int number_take(const char *option, const char *text, int64_t most, int64_t *to)
{
    int64_t v = 0;
    if (text && str_to_i64(str_from_c(text), &v) == 0 && v >= 1 && v <= most) {
        *to = v;
        return 0;
    }
    fprintf(stderr, "even: demo: %s %s: 1 to %" PRId64 " is expected\n", option, text ? text : "",
            most);
    return 2;
}

static int demo_options(struct demo *d, int argc, char **argv)
{
    int res = app_options(&argc, argv, &d->settings);
    for (int i = 0; !res && i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        int64_t *speed = &d->settings.demo_speed;
        bool quiet = strcmp(name, "--quiet") == 0, run = strcmp(name, "--for") == 0;
        if (quiet)
            d->drivers = false;
        else if (run || strcmp(name, "--speed") == 0)
            res = number_take(name, value, run ? RUN_S_MAX : SPEED_MAX, run ? &d->run_s : speed);
        else
            res = app_names("demo", 1, &argv[i], 0);
        i += !quiet;
    }
    return res;
}

/* The cashier is one of the providers. */
static int provider_add(struct demo *d)
{
    struct config *c = &d->settings;
    size_t n = strlen(c->pay_providers), room = sizeof c->pay_providers - n;
    snprintf(d->pay, sizeof d->pay, "http://%s:%" PRId64, c->web_bind, c->demo_pay_port);
    int more = snprintf(c->pay_providers + n, room, "%s%s", n ? "," : "", d->pay);
    if ((size_t)more < room)
        return 0;
    fprintf(stderr, "even: demo: pay.providers is too long\n");
    return ERR_TOO_LARGE;
}

int demo_main(int argc, char **argv)
{
    static struct demo d = {.drivers = true, .rng = {20260101}};
    int res = demo_options(&d, argc, argv);
    if (res)
        return res;
    const struct config *c = &d.settings;
    snprintf(d.speed, sizeof d.speed, "%" PRId64, c->demo_speed);
    if (c->demo_pay_port && provider_add(&d) != 0)
        return 2;
    snprintf(d.secrets, sizeof d.secrets, "%s/chargers.txt", c->data_dir);
    int err = run(&d);
    end_child(&d.sim);
    end_child(&d.serve);
    end_child(&d.cashier);
    if (d.said)
        fclose(d.said);
    client_free(d.client);
    return err ? 70 : 0;
}
