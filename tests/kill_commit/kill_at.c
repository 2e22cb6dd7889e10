// SPDX-License-Identifier: Apache-2.0
/* kill_at.c: kills a running server inside a commit. `kill_at PID WAL-NAME NTH` traces the thread
 * that commits, stops it at the entry or the exit of its NTH call that writes or syncs the file
 * whose name ends so, and sends SIGKILL to the whole process before the thread goes on. So the kill
 * falls between the first page of a transaction and its answers, and the server has no path for it.
 *
 * Prints one line: the call, entry or exit, the file. Linux on x86-64 or arm64; one thread. Fails
 * with one line and exit code 1; with 2 when the server was idle for ten seconds. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { IDLE_S = 10 };

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "kill_at: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* The committer's thread id, by the name it gave itself. */
static pid_t committer(int pid)
{
    char path[300], name[32];
    pid_t found = 0;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *d = opendir(path);
    if (!d)
        die(path);
    for (struct dirent *e; !found && (e = readdir(d)) != NULL;) {
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/comm", pid, e->d_name);
        FILE *f = e->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (f && fgets(name, sizeof name, f) && strcmp(name, "committer\n") == 0)
            found = (pid_t)strtol(e->d_name, NULL, 10);
        if (f)
            fclose(f);
    }
    closedir(d);
    return found;
}

static const char *call_name(long nr)
{
    switch (nr) {
    case SYS_pwrite64:
        return "pwrite";
    case SYS_write:
        return "write";
    case SYS_fsync:
        return "fsync";
    case SYS_fdatasync:
        return "fdatasync";
    default:
        return NULL;
    }
}

static bool file_is(int pid, long fd, const char *end, char *name, size_t size)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/%d/fd/%ld", pid, fd);
    ssize_t n = readlink(link, name, size - 1);
    if (n < 0)
        return false;
    name[n] = 0;
    size_t want = strlen(end);
    return (size_t)n >= want && strcmp(name + n - want, end) == 0;
}

static bool alarmed;

static void on_alarm(int sig)
{
    (void)sig;
    alarmed = true;
}

/* Lets the thread run to the next entry or exit of a system call. */
static void next_stop(pid_t tid)
{
    int status;
    if (ptrace(PTRACE_SYSCALL, tid, 0, 0))
        die("ptrace");
    while (waitpid(tid, &status, __WALL) < 0)
        if (errno != EINTR || alarmed) {
            fprintf(stderr, "kill_at: no commit in %d s\n", IDLE_S);
            exit(2);
        }
    if (!WIFSTOPPED(status))
        die("the server ended by itself");
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: kill_at PID END-OF-FILE-NAME NTH\n");
        return 2;
    }
    int pid = (int)strtol(argv[1], NULL, 10);
    long nth = strtol(argv[3], NULL, 10), left = nth;
    pid_t tid = committer(pid);
    int status;
    struct __ptrace_syscall_info info = {0};
    char name[512] = "";
    const char *call = NULL;
    struct sigaction sa = {.sa_handler = on_alarm}; /* no SA_RESTART: it ends a wait */
    sigaction(SIGALRM, &sa, NULL);
    alarm(IDLE_S);
    if (!tid || ptrace(PTRACE_SEIZE, tid, 0, PTRACE_O_TRACESYSGOOD) ||
        ptrace(PTRACE_INTERRUPT, tid, 0, 0) || waitpid(tid, &status, __WALL) != tid)
        die("cannot trace the committer");
    bool ours = false;
    for (;;) {
        next_stop(tid);
        if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info) <= 0)
            continue; /* another kind of stop */
        if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
            call = call_name((long)info.entry.nr);
            ours = call && file_is(pid, (long)info.entry.args[0], argv[2], name, sizeof name);
        } else if (info.op != PTRACE_SYSCALL_INFO_EXIT) {
            continue;
        }
        if (ours && --left <= 0)
            break;
    }
    bool entry = info.op == PTRACE_SYSCALL_INFO_ENTRY;
    if (kill(pid, SIGKILL))
        die("kill");
    const char *slash = strrchr(name, '/');
    printf("%s %s %s\n", call, entry ? "entry" : "exit", slash ? slash + 1 : name);
    return 0;
}
