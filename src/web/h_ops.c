// SPDX-License-Identifier: Apache-2.0
/* h_ops.c: health, readiness, metrics, the description of the API. Metrics are the front's own and
 * the rows that the engine and the gates handed in at start; printing reads plain counters and
 * locks nothing. Thread: the request's. */
#include <inttypes.h>
#include "base/err.h"
#include "io/os/clock.h"
#include "web/routes_gen.h"
#include "web/state.h"

enum { WEB_MORE_METRICS = 1000 };

int ops_health(struct request *r)
{
    buf_put_c(&r->out, "ok\n");
    return 0;
}

int ops_ready(struct request *r)
{
    const struct web_config *c = &r->web->cfg;
    const char *why = NULL;
    int err = req_reader(r);

    if (err != 0)
        return err;
    if (c->ready != NULL && !c->ready(c->ready_ctx, &why))
        return req_fail(r, ERR_AGAIN, NULL, why);
    buf_put_c(&r->out, "ready\n");
    return 0;
}

int ops_openapi(struct request *r)
{
    r->file = web_openapi();
    return r->file.n > 0 ? 0 : ERR_INTERNAL;
}

static void hist_write(struct buf *out, const struct metric_row *m)
{
    const char *comma = m->label[0] ? "," : "";
    uint64_t sum = 0, us = atomic_load(&m->hist->sum_us);

    for (int i = 0; i < METRIC_BUCKETS; i++) {
        sum += atomic_load(&m->hist->bucket[i]);
        if (i + 1 < METRIC_BUCKETS)
            buf_printf(out, "%s_bucket{%s%sle=\"%d.%06d\"} %" PRIu64 "\n", m->name, m->label, comma,
                       (1 << i) / 1000000, (1 << i) % 1000000, sum);
        else
            buf_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", m->name, m->label, comma,
                       sum);
    }
    buf_printf(out, "%s_sum{%s} %" PRIu64 ".%06" PRIu64 "\n%s_count{%s} %" PRIu64 "\n", m->name,
               m->label, us / 1000000, us % 1000000, m->name, m->label, sum);
}

static void metric_write(struct buf *out, const struct metric_row *m, const char *before)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};

    if (before == NULL || strcmp(before, m->name) != 0)
        buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, kinds[m->kind]);
    if (m->kind == METRIC_HISTOGRAM)
        hist_write(out, m);
    else if (m->label[0])
        buf_printf(out, "%s{%s} %" PRIu64 "\n", m->name, m->label, atomic_load(m->value));
    else
        buf_printf(out, "%s %" PRIu64 "\n", m->name, atomic_load(m->value));
}

static void gauge_write(struct buf *out, const char *name, const char *help, uint64_t v)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %" PRIu64 "\n", name, help, name, name, v);
}

static int more_write(struct request *r)
{
    const struct web_config *c = &r->web->cfg;
    struct metric_row *rows;
    const char *before = NULL;
    uint32_t n;

    if (c->metrics_more == NULL)
        return 0;
    rows = arena_alloc(&r->arena, WEB_MORE_METRICS * sizeof(*rows));
    if (rows == NULL)
        return ERR_TOO_LARGE;
    n = c->metrics_more(c->metrics_ctx, rows, WEB_MORE_METRICS);
    for (uint32_t i = 0; i < n; i++) {
        metric_write(&r->out, &rows[i], before);
        before = rows[i].name;
    }
    return 0;
}

int ops_metrics(struct request *r)
{
    struct web *w = r->web;
    const struct metric_row own[] = {
        {"even_http_requests_total", "", "Requests answered", METRIC_COUNTER, &w->requests, NULL},
        {"even_http_problems_total", "", "Answers of 400 and above", METRIC_COUNTER, &w->problems,
         NULL},
        {"even_web_dropped_total", "", "Events and replies that found no room", METRIC_COUNTER,
         &w->dropped, NULL},
        {"even_texts_limited_total", "", "Codes not sent as the hour had enough", METRIC_COUNTER,
         &w->limited, NULL},
        {"even_stage_seconds", "stage=\"http\"", "Time per stage", METRIC_HISTOGRAM, NULL,
         &w->http},
    };
    const char *before = NULL;
    uint32_t waiting, streams, sessions, reports;

    web_lock(w);
    waiting = w->slots.live;
    streams = w->events.subs.live;
    sessions = w->sessions.n;
    reports = w->desk.n;
    web_unlock(w);
    gauge_write(&r->out, "even_web_waiting", "Writes that wait for the core", waiting);
    gauge_write(&r->out, "even_web_reports", "Reports that are made or wait", reports);
    gauge_write(&r->out, "even_web_streams", "Live event streams", streams);
    gauge_write(&r->out, "even_web_sessions", "Log-ins remembered", sessions);
    gauge_write(&r->out, "even_cpu_seconds", "CPU time of the process",
                (uint64_t)(os_cpu_ns() / 1000000000));
    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        metric_write(&r->out, &own[i], before);
        before = own[i].name;
    }
    for (uint32_t i = 0; i < w->cfg.metrics_n; i++) {
        metric_write(&r->out, &w->cfg.metrics[i], before);
        before = w->cfg.metrics[i].name;
    }
    r->mime = "text/plain; version=0.0.4; charset=utf-8";
    return more_write(r);
}
