// SPDX-License-Identifier: Apache-2.0
/* backlog.c: see backlog.h. */
#include "gate/backlog.h"

#include "base/err.h"
#include "base/log.h"

int backlog_put(struct buf *b, const void *message, uint32_t size)
{
    static const char zero[8];
    size_t before = b->n;
    buf_put(b, message, size);
    buf_put(b, zero, backlog_padded(size) - size);
    if (!b->err)
        return 0;
    b->n = before;
    b->err = 0;
    return ERR_FULL;
}

bool backlog_send(struct buf *b, const struct gate_config *cfg, const char *area)
{
    size_t at = 0;
    while (at < b->n) {
        const struct cmd *cmd = (const struct cmd *)(const void *)(b->p + at);
        int err = cfg->submit(cfg->ctx, cmd);
        if (err == ERR_FULL)
            break;
        if (err)
            log_line(LOG_WARN, area, cmd->head.cause, "command %u refused: %s",
                     (unsigned)cmd->head.type, err_text(err, LANG_EN));
        at += backlog_padded(cmd->head.size);
    }
    buf_drop(b, at);
    return b->n == 0;
}

void backlog_submit(struct buf *b, const struct gate_config *cfg, const struct cmd *cmd,
                    const char *area)
{
    int err = b->n > 0 ? ERR_FULL : cfg->submit(cfg->ctx, cmd);
    if (err == ERR_FULL)
        err = backlog_put(b, cmd, cmd->head.size);
    if (err)
        log_line(LOG_ERROR, area, cmd->head.cause, "command %u lost: %s", (unsigned)cmd->head.type,
                 err_text(err, LANG_EN));
}
