// SPDX-License-Identifier: Apache-2.0
/* options.c: see options.h. One table: a row is an option. Borrows argv. */
#include "sim/options.h"

#include "base/err.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- one function for each kind of value; text is "" where the option takes none ---- */

static int take_address(struct str s, char host[64], uint16_t *port)
{
    struct str rest = s, name = str_cut(&rest, ':');
    int64_t n;
    if (str_eq_c(name, "localhost"))
        name = STR_LIT("127.0.0.1");
    if (!name.n || name.n >= 64 || str_to_i64(rest, &n) || n < 1 || n > 65535)
        return ERR_SYNTAX;
    (void)str_copy(host, 64, name);
    *port = (uint16_t)n;
    return 0;
}

static int take_url(struct sim_options *o, struct str s)
{
    const struct str scheme = STR_LIT("ws://");
    if (!str_starts(s, scheme))
        return ERR_SYNTAX;
    struct str rest = {s.p + scheme.n, s.n - scheme.n};
    ptrdiff_t slash = str_find(rest, '/');
    struct str host = slash < 0 ? rest : (struct str){rest.p, (size_t)slash};
    struct str path = slash < 0 ? STR_LIT("/") : (struct str){host.p + host.n, rest.n - host.n};
    if (path.n >= sizeof o->ocpp_path - 30)
        return ERR_TOO_LARGE;
    (void)str_copy(o->ocpp_path, sizeof o->ocpp_path, path);
    return take_address(host, o->ocpp_host, &o->ocpp_port);
}

static int take_ykc(struct sim_options *o, struct str s)
{
    return take_address(s, o->ykc_host, &o->ykc_port);
}

static int take_first_id(struct sim_options *o, struct str s)
{
    return str_copy(o->first_id, sizeof o->first_id, s) == s.n && s.n ? 0 : ERR_SYNTAX;
}

static int take_first_pile(struct sim_options *o, struct str s)
{
    int64_t n;
    if (s.n != 14 || str_to_i64(s, &n) || n < 0)
        return ERR_SYNTAX;
    (void)str_copy(o->first_pile, sizeof o->first_pile, s);
    return 0;
}

static int take_password_file(struct sim_options *o, struct str s)
{
    o->password_file = s.p; /* a whole argument, so it ends with a NUL */
    return 0;
}

/* "4", "1-5": a range times `unit`. */
static int take_range(struct str s, int64_t unit, int64_t hi_max, int64_t *lo, int64_t *hi)
{
    struct str rest = s, first = str_cut(&rest, '-');
    int64_t a, b;
    if (str_to_i64(first, &a))
        return ERR_SYNTAX;
    b = a;
    if (rest.n && str_to_i64(rest, &b))
        return ERR_SYNTAX;
    if (a < 1 || b < a || b > hi_max)
        return ERR_RANGE;
    *lo = a * unit;
    *hi = b * unit;
    return 0;
}

static int take_power(struct sim_options *o, struct str s)
{
    return take_range(s, 1000, 1000, &o->power_lo_w, &o->power_hi_w);
}

static int take_latency(struct sim_options *o, struct str s)
{
    return take_range(s, 1000, 60, &o->stop_lo_ms, &o->stop_hi_ms);
}

static int habit_find(struct str name)
{
    int h = 0;
    while (h < HABIT_COUNT && !str_eq_c(name, model_habit_name((enum model_habit)h)))
        h++;
    return h;
}

/* "all", or "normal:90,full:5,fault". */
static int take_behaviours(struct sim_options *o, struct str s)
{
    bool all = str_eq_c(s, "all");
    for (int h = 0; h < HABIT_COUNT; h++)
        o->mix[h] = all;
    while (s.n && !all) {
        struct str weight = str_cut(&s, ','), name = str_cut(&weight, ':');
        int h = habit_find(name);
        int64_t n = 1;
        if (h == HABIT_COUNT || (weight.n && str_to_i64(weight, &n)))
            return ERR_SYNTAX;
        if (n < 0 || n > 10000)
            return ERR_RANGE;
        o->mix[h] = (uint16_t)n;
    }
    return 0;
}

static int take_autoplug(struct sim_options *o, struct str s)
{
    (void)s;
    o->autoplug = true;
    return 0;
}

static int take_walkups(struct sim_options *o, struct str s)
{
    (void)s;
    o->walkup_pm = 150;
    return 0;
}

static int take_no_trigger(struct sim_options *o, struct str s)
{
    (void)s;
    o->no_trigger = true;
    return 0;
}

static int take_no_interval(struct sim_options *o, struct str s)
{
    (void)s;
    o->no_interval = true;
    return 0;
}

static int take_no_profiles(struct sim_options *o, struct str s)
{
    (void)s;
    o->no_profiles = true;
    return 0;
}

static int take_no_balance(struct sim_options *o, struct str s)
{
    (void)s;
    o->no_balance = true;
    return 0;
}

static int take_second_power(struct sim_options *o, struct str s)
{
    int64_t most = 0;
    int err = take_range(s, 1000, 1000, &o->second_w, &most);
    return err ? err : most == o->second_w ? 0 : ERR_SYNTAX;
}

static int take_no_turn(struct sim_options *o, struct str s)
{
    (void)s;
    o->no_turn = true;
    return 0;
}

static int take_help(struct sim_options *o, struct str s)
{
    (void)s;
    o->help = true;
    return 0;
}

static const struct option {
    const char *name, *arg; /* arg NULL: takes no value */
    int (*take)(struct sim_options *o, struct str s);
    size_t number; /* offset of an int64 member, where take is NULL */
    int64_t lo, hi;
    const char *what;
} options[] = {
    {"--url", "URL", take_url, 0, 0, 0, "ws://ADDRESS:PORT/ocpp/, the charger's id is added"},
    {"--ykc", "ADDRESS:PORT", take_ykc, 0, 0, 0, "where 云快充 piles connect"},
    {"--ocpp", "N", NULL, offsetof(struct sim_options, ocpp), 0, 1000000, "OCPP 1.6 chargers"},
    {"--ykc-piles", "N", NULL, offsetof(struct sim_options, piles), 0, 1000000, "云快充 piles"},
    {"--first-id", "ID", take_first_id, 0, 0, 0, "id of the first charger [EVEN-001]"},
    {"--first-pile", "NUMBER", take_first_pile, 0, 0, 0, "of the first pile [32010600019214]"},
    {"--password-file", "FILE", take_password_file, 0, 0, 0, "lines of: id TAB password"},
    {"--seed", "S", NULL, offsetof(struct sim_options, seed), 0, INT64_MAX, "of all chance [1]"},
    {"--speed", "K", NULL, offsetof(struct sim_options, speed), 1, 3600,
     "so much faster than real time [1]"},
    {"--for", "SECONDS", NULL, offsetof(struct sim_options, run_s), 1, 100000000,
     "end after so much real time"},
    {"--behaviours", "LIST", take_behaviours, 0, 0, 0,
     "all, or NAME[:WEIGHT],… [normal]; the names are listed below"},
    {"--power", "KW[-KW]", take_power, 0, 0, 0, "of a gun, drawn for each charger"},
    {"--second-power", "KW", take_second_power, 0, 0, 0, "… of the second gun [as the first]"},
    {"--reading", "SECONDS", NULL, offsetof(struct sim_options, reading_s), 1, 3600,
     "between readings while charging [15]"},
    {"--stop-latency", "S[-S]", take_latency, 0, 0, 0, "from a stop to the end of power [1-5]"},
    {"--autoplug", NULL, take_autoplug, 0, 0, 0, "vehicles come and go by themselves"},
    {"--walkups", NULL, take_walkups, 0, 0, 0, "some of them start with a card"},
    {"--cards", "N", NULL, offsetof(struct sim_options, cards), 1, 9998,
     "… which is one of so many, CARD0002 and on [5]"},
    {"--pairs", "N", NULL, offsetof(struct sim_options, pairs), 0, 1000,
     "of 1,000 cards beside a plugged gun: one vehicle at both (云快充) [0]"},
    {"--no-trigger", NULL, take_no_trigger, 0, 0, 0, "chargers know no TriggerMessage"},
    {"--no-interval", NULL, take_no_interval, 0, 0, 0, "… obey no sample interval"},
    {"--no-profiles", NULL, take_no_profiles, 0, 0, 0, "… obey no charging profiles"},
    {"--no-turn", NULL, take_no_turn, 0, 0, 0, "… do not turn a session round into a discharge"},
    {"--no-balance", NULL, take_no_balance, 0, 0, 0,
     "… do not hear of a balance while they charge"},
    {"--help", NULL, take_help, 0, 0, 0, "print this"},
};

void sim_options_help(void)
{
    printf("even sim [options]: simulated chargers against a running platform\n\n");
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        printf("  %-15s %-13s %s\n", options[i].name, options[i].arg ? options[i].arg : "",
               options[i].what);
    printf("\nbehaviours:");
    for (int h = 0; h < HABIT_COUNT; h++)
        printf(" %s", model_habit_name((enum model_habit)h));
    printf("\n");
}

static const struct option *option_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    }
    return NULL;
}

static int option_take(const struct option *opt, struct sim_options *o, struct str value)
{
    if (opt->take)
        return opt->take(o, value);
    int64_t n;
    int err = str_to_i64(value, &n);
    if (!err && (n < opt->lo || n > opt->hi))
        err = ERR_RANGE;
    if (!err)
        memcpy((char *)o + opt->number, &n, sizeof n);
    return err;
}

static int check(const struct sim_options *o)
{
    if (o->help)
        return 0;
    if (o->ocpp && !o->ocpp_port)
        fprintf(stderr, "even sim: --ocpp needs --url\n");
    else if (o->piles && !o->ykc_port)
        fprintf(stderr, "even sim: --ykc-piles needs --ykc\n");
    else if (!o->ocpp && !o->piles)
        fprintf(stderr, "even sim: no chargers; say --ocpp N or --ykc-piles N (--help)\n");
    else
        return 0;
    return ERR_SYNTAX;
}

int sim_options_read(int argc, char **argv, struct sim_options *o)
{
    *o = (struct sim_options){.first_id = "EVEN-001",
                              .first_pile = "32010600019214",
                              .seed = 1,
                              .speed = 1,
                              .reading_s = 15,
                              .stop_lo_ms = 1000,
                              .stop_hi_ms = 5000,
                              .mix = {1}};
    for (int i = 1; i < argc; i++) {
        const struct option *opt = option_find(argv[i]);
        if (!opt) {
            fprintf(stderr, "even sim: unknown option %s (--help)\n", argv[i]);
            return ERR_SYNTAX;
        }
        if (opt->arg && i + 1 == argc) {
            fprintf(stderr, "even sim: %s needs %s\n", opt->name, opt->arg);
            return ERR_SYNTAX;
        }
        struct str value = opt->arg ? str_from_c(argv[++i]) : STR_LIT("");
        int err = option_take(opt, o, value);
        if (err) {
            fprintf(stderr, "even sim: %s %s: %s, wanted %s\n", opt->name, argv[i],
                    err_text(err, LANG_EN), opt->arg);
            return ERR_SYNTAX;
        }
    }
    return check(o);
}

int sim_id(const char *first, int64_t i, char *out, size_t cap)
{
    size_t n = strlen(first), head = n;
    int64_t number = 0;
    while (head && n - head < 18 && first[head - 1] >= '0' && first[head - 1] <= '9')
        head--;
    if (head < n && str_to_i64(str_from(first + head, n - head), &number))
        return ERR_RANGE;
    int width = (int)(n - head);
    int len = snprintf(out, cap, "%.*s%0*" PRId64, (int)head, first, width, number + i);
    return len > 0 && (size_t)len < cap ? 0 : ERR_RANGE;
}
