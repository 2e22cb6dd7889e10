// SPDX-License-Identifier: Apache-2.0
/* drive.h: what the load generators share: sockets, the CPU of the server, latencies, the line at
 * the end. One thread; fails with one line and exit code 1. */
#ifndef EVEN_BENCH_DRIVE_H
#define EVEN_BENCH_DRIVE_H

#include <stddef.h>
#include <stdint.h>

_Noreturn void die(const char *what);
int64_t now_ns(void);
/** User and system time of all threads that live; the server's threads live as long as it does. */
int64_t cpu_ns(int pid);
/** A connection over loopback, or -1; dial ends the program instead. */
int dial_try(uint16_t port);
int dial(uint16_t port);
/** From here on connections go to 127.0.0.host: one address has ports for some 28,000. */
void dial_at(uint8_t host);
void send_all(int fd, const char *p, size_t n);
int watch_new(void);
void watch_add(int ep, int fd, void *ptr);
void latency_note(int64_t ns);
/** Prints: done seconds cpu_ns p50_us p99_us. */
void report(uint64_t done, int64_t ns, int64_t cpu);

#endif
