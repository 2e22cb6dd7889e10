// SPDX-License-Identifier: Apache-2.0
/* seeds.c: see seeds.h. Owns nothing. A backslash that means nothing stands for itself. */
#include "seeds.h"

static size_t escaped(struct str s, char *out)
{
    static const char names[] = "nrt\\", bytes[] = "\n\r\t\\";
    uint8_t byte;
    const char *name = s.n > 1 ? strchr(names, s.p[1]) : NULL;
    if (name && *name) {
        *out = bytes[name - names];
        return 2;
    }
    if (s.n >= 4 && s.p[1] == 'x' && str_from_hex(str_from(s.p + 2, 2), &byte, 1) == 0) {
        *out = (char)byte;
        return 4;
    }
    *out = '\\';
    return 1;
}

bool seeds_next(struct str *text, struct buf *out)
{
    struct str line = STR_NONE;
    buf_reset(out);
    do {
        if (text->n == 0)
            return false;
        line = str_cut(text, '\n');
    } while (line.n == 0 || line.p[0] == '#');
    for (size_t i = 0; i < line.n;) {
        char c = line.p[i];
        i += c == '\\' ? escaped(str_from(line.p + i, line.n - i), &c) : 1;
        buf_put_char(out, c);
    }
    return true;
}

static void byte_put(struct buf *text, char c, bool first)
{
    bool utf8 = (uint8_t)c >= 0x80;
    if (c == '\n')
        buf_put_c(text, "\\n");
    else if (c == '\r')
        buf_put_c(text, "\\r");
    else if (c == '\t')
        buf_put_c(text, "\\t");
    else if (c == '\\')
        buf_put_c(text, "\\\\");
    else if ((uint8_t)c < 0x20 || c == 0x7f || utf8 || (first && c == '#'))
        buf_printf(text, "\\x%02x", (uint8_t)c);
    else
        buf_put_char(text, c);
}

void seeds_put(struct buf *text, struct str tape)
{
    for (size_t i = 0; i < tape.n;) {
        size_t step =
            (uint8_t)tape.p[i] >= 0x80 ? str_utf8_step(str_from(tape.p + i, tape.n - i)) : 0;
        if (step > 1) {
            buf_put_str(text, str_from(tape.p + i, step));
            i += step;
        } else {
            byte_put(text, tape.p[i], i == 0);
            i++;
        }
    }
    if (tape.n == 0)
        buf_put_c(text, "\\x");
    buf_put_char(text, '\n');
}
