// SPDX-License-Identifier: Apache-2.0
/* test_gates.c: real reactors with a charger on a real socket; the test stands in for the core. A
 * reactor is held up by a core that does not return from taking a command. */
#include "test_app.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/gates.h"
#include "base/err.h"
#include "io/os/clock.h"
#include "io/os/crypto.h"

enum { CHARGER = 7001, PATIENCE_MS = 20000 };

static struct {
    struct config settings;
    struct gates *gates;
    uint16_t ocpp, ykc;
    uint8_t key[CRYPTO_KEY_SIZE];
    int fd;           /* the charger's */
    _Atomic int hold; /* 1: the core holds up who brings a StatusNotification; 2: it does now */
    _Atomic int opens, statuses, closed;
    struct origin conn, asked; /* of the last CONN_OPEN and STATUS */
} rig;

static int submit(void *ctx, const struct cmd *cmd)
{
    (void)ctx;
    if (cmd->head.type == CMD_CONN_OPEN) {
        rig.conn = cmd->head.from;
        atomic_fetch_add(&rig.opens, 1);
    } else if (cmd->head.type == CMD_CONN_CLOSED && cmd->u.conn_closed.charger == CHARGER) {
        atomic_fetch_add(&rig.closed, 1);
    } else if (cmd->head.type == CMD_STATUS) {
        rig.asked = cmd->head.from;
        atomic_fetch_add(&rig.statuses, 1);
        if (atomic_load(&rig.hold) == 1)
            atomic_store(&rig.hold, 2);
        while (atomic_load(&rig.hold) == 2)
            os_sleep_ms(1);
    }
    return 0;
}

static void submitted(void *ctx)
{
    (void)ctx;
}

static void wait_for(_Atomic int *what, int value)
{
    for (int i = 0; i < PATIENCE_MS && atomic_load(what) != value; i++)
        os_sleep_ms(1);
    assert_int_equal(atomic_load(what), value);
}

/* ---- the charger ---- */

static void charger_dials(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(rig.ocpp)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    rig.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(rig.fd, (struct sockaddr *)(void *)&to, sizeof to), 0);
    static const char hello[] = "GET /ocpp/P1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n";
    assert_int_equal(send(rig.fd, hello, sizeof hello - 1, 0), sizeof hello - 1);
}

static void charger_says(const char *text)
{
    size_t n = strlen(text);
    char frame[256] = {(char)0x81, (char)(0x80 | (n < 126 ? n : 126))};
    size_t at = 2;
    if (n >= 126) {
        frame[at++] = (char)(n >> 8);
        frame[at++] = (char)n;
    }
    at += 4; /* a mask of zeros */
    memcpy(frame + at, text, n);
    assert_int_equal(send(rig.fd, frame, at + n, 0), at + n);
}

/* Reads until these bytes came or the other side ended. */
static bool charger_hears(const char *bytes, size_t n)
{
    static char got[65536];
    size_t have = 0;
    struct pollfd p = {.fd = rig.fd, .events = POLLIN};
    while (have < sizeof got && poll(&p, 1, PATIENCE_MS) == 1) {
        ssize_t r = recv(rig.fd, got + have, sizeof got - have, 0);
        if (r <= 0)
            break;
        have += (size_t)r;
        if (memmem(got, have, bytes, n))
            return true;
    }
    return false;
}

/* ---- the core ---- */

static struct out reply_to(struct origin to, enum cmd_type type)
{
    return (struct out){.size = OUT_SIZE(conn),
                        .version = CMD_VERSION,
                        .type = OUT_REPLY,
                        .to = to,
                        .cmd_type = (uint16_t)type};
}

static void core_lets_in(void)
{
    struct out out = reply_to(rig.conn, CMD_CONN_OPEN);
    out.u.conn = (struct reply_conn){.charger = CHARGER, .guns = 1, .heartbeat_s = 300};
    gates_deliver(rig.gates, &out);
    gates_delivered(rig.gates);
}

static uint64_t figure(const char *name)
{
    struct metric_row rows[GATES_METRICS];
    uint32_t n = gates_metrics(rig.gates, rows);
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(rows[i].name, name) == 0)
            return atomic_load(rows[i].value);
    fail();
    return 0;
}

static uint64_t dropped(void)
{
    return figure("even_answers_dropped_total");
}

/* Answers for a connection that is long gone, until nothing goes in. */
static void core_fills_up(void)
{
    struct out out = {.size = OUT_SIZE(call), .version = CMD_VERSION, .type = OUT_CALL};
    uint64_t before = dropped();
    out.to = (struct origin){.kind = FROM_GATE, .reactor = rig.conn.reactor, .slot = 5, .gen = 98};
    while (dropped() == before)
        gates_deliver(rig.gates, &out);
    struct out small = reply_to(out.to, CMD_STATUS); /* the last gap */
    for (before = dropped(); dropped() == before;)
        gates_deliver(rig.gates, &small);
}

static void defaults(void)
{
    memset(&rig, 0, sizeof rig);
    config_defaults(&rig.settings);
    set(&rig.settings, "charge.ocpp_port", "0");
    set(&rig.settings, "charge.ykc_port", "0");
    set(&rig.settings, "charge.max_conns", "20");
    set(&rig.settings, "charge.outbox_mb", "1");
}

static void begin(void)
{
    struct gates_config gc = {
        .settings = &rig.settings, .submit = submit, .submitted = submitted, .key = rig.key};
    assert_int_equal(gates_new(&gc, &rig.gates), 0);
    assert_int_equal(gates_listen(rig.gates, &rig.ocpp, &rig.ykc), 0);
    assert_int_equal(gates_start(rig.gates, STDERR_FILENO), 0);
    charger_dials();
    wait_for(&rig.opens, 1);
}

static int up(void **state)
{
    (void)state;
    defaults();
    begin();
    return 0;
}

static int down(void **state)
{
    (void)state;
    close(rig.fd);
    gates_stop(rig.gates);
    gates_free(rig.gates);
    return 0;
}

static const char status[] =
    "[2,\"s1\",\"StatusNotification\",{\"connectorId\":1,\"errorCode\":\"NoError\","
    "\"status\":\"Available\"}]";

/* The answer arrives; nothing is closed. */
static void answers(void **state)
{
    (void)state;
    core_lets_in();
    assert_true(charger_hears("\r\n\r\n", 4));
    charger_says(status);
    wait_for(&rig.statuses, 1);
    struct out out = reply_to(rig.asked, CMD_STATUS);
    gates_deliver(rig.gates, &out);
    gates_delivered(rig.gates);
    assert_true(charger_hears("[3,\"s1\",{}]", 11));
    assert_int_equal(dropped(), 0);
    assert_int_equal(atomic_load(&rig.closed), 0);
}

/* A reactor that is held up while more answers come than its mailbox holds: the connection whose
 * answer was dropped is closed, so that the charger comes back and says it again. */
static void lost_answer_closes(void **state)
{
    (void)state;
    core_lets_in();
    assert_true(charger_hears("\r\n\r\n", 4));
    atomic_store(&rig.hold, 1);
    charger_says(status);
    wait_for(&rig.hold, 2);
    core_fills_up();
    struct out out = reply_to(rig.asked, CMD_STATUS);
    uint64_t before = dropped();
    gates_deliver(rig.gates, &out);
    assert_int_equal(dropped(), before + 1);
    gates_delivered(rig.gates);
    atomic_store(&rig.hold, 0);
    assert_true(charger_hears("\x88\x02\x03\xf3", 4)); /* close, 1011 */
    close(rig.fd);
    wait_for(&rig.closed, 1);
    /* It comes back and is heard. */
    charger_dials();
    wait_for(&rig.opens, 2);
    core_lets_in();
    assert_true(charger_hears("\r\n\r\n", 4));
}

/* Who may speak is told even then: the core would think of it as connected for ever. */
static void open_has_room(void **state)
{
    (void)state;
    core_lets_in();
    assert_true(charger_hears("\r\n\r\n", 4));
    atomic_store(&rig.hold, 1);
    charger_says(status);
    wait_for(&rig.hold, 2);
    core_fills_up();
    uint64_t before = dropped();
    core_lets_in();
    assert_int_equal(dropped(), before);
    atomic_store(&rig.hold, 0);
}

static void figures(void **state)
{
    struct metric_row rows[GATES_METRICS];
    uint32_t n = gates_metrics(rig.gates, rows);
    (void)state;
    for (uint32_t i = 0; i < n; i++) {
        assert_non_null(rows[i].value);
        assert_int_equal(strncmp(rows[i].name, "even_", 5), 0);
        for (uint32_t k = i + 1; k < n; k++)
            assert_false(strcmp(rows[i].name, rows[k].name) == 0 &&
                         strcmp(rows[i].label, rows[k].label) == 0);
    }
}

/* Oddities are told by the model that the charger said at its boot. */
static void oddities_by_model(void **state)
{
    struct metric_row rows[8];
    uint32_t n = 0;
    (void)state;
    core_lets_in();
    assert_true(charger_hears("\r\n\r\n", 4));
    charger_says("[2,\"b\",\"BootNotification\",{\"chargePointVendor\":\"A\\\"cme\","
                 "\"chargePointModel\":\"X1\",\"notInTheStandard\":1}]");
    for (int i = 0; i < PATIENCE_MS && n == 0; i++) {
        n = gates_models(rig.gates, rows, ARRAY_LEN(rows));
        os_sleep_ms(1);
    }
    assert_int_equal(n, 1);
    assert_string_equal(rows[0].name, "even_oddities_total");
    assert_string_equal(rows[0].label, "reactor=\"0\",vendor=\"A_cme\",model=\"X1\"");
    assert_int_equal(atomic_load(rows[0].value), 1);
}

/* ---- reactors with tables of descriptors of their own ---- */

static int up_apart(void **state)
{
    (void)state;
    defaults();
    set(&rig.settings, "charge.own_files", "1");
    set(&rig.settings, "charge.reactors", "2");
    set(&rig.settings, "charge.max_conns", "10");
    begin();
    return 0;
}

static void await_figure(const char *name, uint64_t value)
{
    for (int i = 0; i < PATIENCE_MS && figure(name) < value; i++)
        os_sleep_ms(1);
    assert_true(figure(name) >= value);
}

/* What this thread's table holds. */
static int open_here(void)
{
    int n = 0;
    DIR *d = opendir("/proc/thread-self/fd");
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static int dial_raw(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(rig.ykc)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)(void *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Each end of a connection is in one table only, and full reactors refuse: no copy of a listener is
 * left open anywhere, in whose queue chargers would wait for ever. */
static void apart_full_refuses(void **state)
{
    int fds[40], n = 0, before = open_here();
    (void)state;
    while (figure("even_net_listen_pauses_total") < 2 && n < 40) {
        uint64_t accepted = figure("even_net_accepted_total");
        if ((fds[n] = dial_raw()) < 0)
            break;
        n++;
        await_figure("even_net_accepted_total", accepted + 1);
    }
    await_figure("even_net_listen_pauses_total", 2);
    assert_int_equal(figure("even_net_accepted_total"), 20);
    assert_int_equal(open_here(), before + n);
    assert_int_equal(dial_raw(), -1);
    for (int i = 0; i < n; i++)
        close(fds[i]);
    await_figure("even_net_closed_total", (uint64_t)n);
}

static bool locked(int fd)
{
    int how = 0;
    pid_t child = fork();
    if (child == 0) {
        struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        _exit(fcntl(fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    return WIFEXITED(how) && WEXITSTATUS(how) == 0;
}

/* Record locks, by which the database keeps other programs out, outlive the closing of copies. */
static void apart_locks_stay(void **state)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    FILE *f = tmpfile();
    int fd = fileno(f);
    (void)state;
    assert_int_equal(fcntl(fd, F_SETLK, &l), 0);
    (void)up_apart(NULL);
    assert_true(locked(fd));
    core_lets_in();
    assert_true(charger_hears("\r\n\r\n", 4));
    (void)down(NULL);
    assert_true(locked(fd));
    l.l_type = F_UNLCK;
    assert_int_equal(fcntl(fd, F_SETLK, &l), 0);
    assert_false(locked(fd));
    fclose(f);
}

static int apart_tests(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up_apart, down)
    const struct CMUnitTest tests[] = {T(answers), T(lost_answer_closes), T(apart_full_refuses),
                                       cmocka_unit_test(apart_locks_stay)};
#undef T
    return EV_TSAN ? 0 : cmocka_run_group_tests_name("gates apart", tests, NULL, NULL);
}

int gates_tests(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
    const struct CMUnitTest tests[] = {T(answers), T(lost_answer_closes), T(open_has_room),
                                       T(figures), T(oddities_by_model)};
    return cmocka_run_group_tests_name("gates", tests, NULL, NULL) + apart_tests();
}
