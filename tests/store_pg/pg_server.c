// SPDX-License-Identifier: Apache-2.0
/* pg_server.c: see pg_server.h. Processes are started by fork and exec, and ended by their number.
 */
#include "pg_server.h"

#include <fcntl.h>
#include <glob.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/must.h"
#include "base/str.h"
#include "io/os/file.h"

static char bin[200], folder[100];
static pid_t server;
static int databases;

/* PG_BIN, or where Debian puts it; the newest. */
static bool bin_find(void)
{
    const char *told = getenv("PG_BIN");
    glob_t g = {0};
    int n = 0;
    if (told)
        n = snprintf(bin, sizeof bin, "%s", told);
    else if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &g) == 0)
        n = snprintf(bin, sizeof bin, "%s", g.gl_pathv[g.gl_pathc - 1]);
    globfree(&g);
    char initdb[220];
    must(n >= 0 && (size_t)n < sizeof bin);
    (void)snprintf(initdb, sizeof initdb, "%s/initdb", bin);
    return n > 0 && access(initdb, X_OK) == 0;
}

/* The server refuses to run as root. */
static const struct passwd *user(void)
{
    const struct passwd *p = geteuid() == 0 ? getpwnam("postgres") : NULL;
    return p || geteuid() != 0 ? p : getpwnam("nobody");
}

static void child_become(void)
{
    const struct passwd *p = user();
    if (p && (setgid(p->pw_gid) != 0 || setuid(p->pw_uid) != 0))
        _exit(126);
    int null = open("/dev/null", O_RDWR), out = open("log", O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (null < 0 || out < 0 || chdir(folder) != 0)
        _exit(126);
    (void)dup2(null, 0);
    (void)dup2(out, 1);
    (void)dup2(out, 2);
    (void)prctl(PR_SET_PDEATHSIG, SIGQUIT);
}

static pid_t start(const char *program, char *const argv[])
{
    char path[220];
    (void)snprintf(path, sizeof path, "%s/%s", bin, program);
    pid_t pid = fork();
    must(pid >= 0);
    if (pid == 0) {
        if (chdir(folder) != 0)
            _exit(126);
        child_become();
        execv(path, argv);
        _exit(127);
    }
    return pid;
}

static void data_make(void)
{
    char *const argv[] = {"initdb", "-D",         "data", "-U",    "even",      "-E",
                          "UTF8",   "--locale=C", "-A",   "trust", "--no-sync", NULL};
    int status;
    pid_t pid = start("initdb", argv);
    must(waitpid(pid, &status, 0) == pid);
    must(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void wait_ready(const char *path)
{
    const struct timespec moment = {.tv_nsec = 50000000};
    for (int i = 0; i < 600; i++) {
        if (PQping(path) == PQPING_OK)
            return;
        must(waitpid(server, NULL, WNOHANG) == 0);
        nanosleep(&moment, NULL);
    }
    must_fail(__FILE__, __LINE__, "the server does not answer");
}

bool server_start(void)
{
    char path[160];
    if (!bin_find())
        return false;
    (void)snprintf(folder, sizeof folder, "/tmp/even-pg-XXXXXX");
    must(mkdtemp(folder));
    const struct passwd *p = user();
    must(!p || chown(folder, p->pw_uid, p->pw_gid) == 0);
    data_make();
    char *const argv[] = {"postgres",
                          "-D",
                          "data",
                          "-k",
                          folder,
                          "-c",
                          "listen_addresses=",
                          "-c",
                          "fsync=off",
                          "-c",
                          "shared_buffers=32MB",
                          "-c",
                          "deadlock_timeout=100ms",
                          "-c",
                          "max_connections=60",
                          NULL};
    server = start("postgres", argv);
    (void)snprintf(path, sizeof path, "host=%s user=even dbname=postgres", folder);
    wait_ready(path);
    return true;
}

static int entry_remove(void *ctx, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", (const char *)ctx, name);
    if (unlink(path) != 0) {
        (void)!dir_list(path, entry_remove, path);
        (void)rmdir(path);
    }
    return 0;
}

void server_stop(void)
{
    must(kill(server, SIGINT) == 0);
    must(waitpid(server, NULL, 0) == server);
    (void)!dir_list(folder, entry_remove, folder);
    (void)rmdir(folder);
}

const char *server_database(void)
{
    static char paths[8][160];
    char sql[60], *path = paths[databases % 8];
    (void)snprintf(path, sizeof paths[0], "host=%s user=even dbname=postgres", folder);
    (void)snprintf(sql, sizeof sql, "CREATE DATABASE t%d", databases);
    server_exec(path, sql);
    (void)snprintf(path, sizeof paths[0], "host=%s user=even dbname=t%d", folder, databases++);
    return path;
}

static PGresult *run(const char *path, const char *sql)
{
    PGconn *conn = PQconnectdb(path);
    PGresult *res = PQexec(conn, sql);
    if (PQresultStatus(res) != PGRES_COMMAND_OK && PQresultStatus(res) != PGRES_TUPLES_OK)
        must_fail(__FILE__, __LINE__, PQerrorMessage(conn));
    PQfinish(conn);
    return res;
}

void server_exec(const char *path, const char *sql)
{
    PQclear(run(path, sql));
}

int64_t server_number(const char *path, const char *sql)
{
    int64_t v;
    PGresult *res = run(path, sql);
    must(PQntuples(res) > 0 && str_to_i64(str_from_c(PQgetvalue(res, 0, 0)), &v) == 0);
    PQclear(res);
    return v;
}
