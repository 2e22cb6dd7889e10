// SPDX-License-Identifier: Apache-2.0
/* ocpp_frame.h: the arrays of OCPP-J: [2,id,action,payload], [3,id,payload],
 * [4,id,code,description,details]. Reading is lenient about blanks, a missing payload and further
 * elements. Pure. */
#ifndef EVEN_GATE_OCPP_OCPP_FRAME_H
#define EVEN_GATE_OCPP_OCPP_FRAME_H

#include "base/arena.h"
#include "base/buf.h"

enum ocpp_frame_kind { OCPP_CALL = 2, OCPP_RESULT = 3, OCPP_ERROR = 4 };

#define OCPP_ID_MAX 64 /* bytes of a message id that we take; the protocol says 36 */

/** Strs borrow the message or the arena. */
struct ocpp_frame {
    int64_t kind;       /* enum ocpp_frame_kind, or whatever number stood there; 0 = unreadable */
    struct str id;      /* "" = unreadable */
    struct str action;  /* CALL */
    struct str payload; /* CALL, RESULT: JSON object; ERROR: the details, or "" */
    struct str code, description; /* ERROR */
    const char *why;              /* what is wrong when parsing failed */
};

/** 0, or ERR_SYNTAX (not JSON, not such an array, id too long), ERR_TOO_LARGE; then kind and id
 * hold what could be read. */
EV_MUST_USE int ocpp_frame_parse(struct str msg, struct arena *a, struct ocpp_frame *f);
/** Reads `[2,"id","action",payload]` without looking into the payload: true when the text has that
 * form and its strings no escapes. The payload is what stands before the last bracket and may be
 * anything: whoever decodes it to its last byte, as wire_json_decode does, knows afterwards that
 * the whole message was in order, and has read it once instead of three times. On false, and when
 * the payload turns out to be bad, ocpp_frame_parse tells what the message is. */
bool ocpp_frame_call_ahead(struct str msg, struct ocpp_frame *f);
/** Appends "[3,id," … the caller appends the payload and "]". */
void ocpp_frame_put_result(struct buf *out, struct str id);
void ocpp_frame_put_call(struct buf *out, struct str id, struct str action);
/** Appends a whole CALLERROR; an empty id becomes "-1". */
void ocpp_frame_put_error(struct buf *out, struct str id, const char *code, struct str description);

#endif
