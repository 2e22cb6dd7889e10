// SPDX-License-Identifier: Apache-2.0
/* fuzz_ocpp_frame.c: any bytes as an OCPP-J message, and the samples of whatever meter values are
 * in it. */
#include "base/must.h"
#include "gate/ocpp/ocpp_frame.h"
#include "gate/ocpp/ocpp_sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void meter_values(struct str payload, struct arena *a)
{
    struct ocpp16_MeterValues_req req;
    struct core_sample s[OCPP_SAMPLES_PER_VALUE];
    uint64_t odd = 0;
    if (wire_json_decode(&ocpp16_MeterValues_req_type, payload, a, &req, WIRE_LENIENT, NULL))
        return;
    for (uint32_t i = 0; i < req.meterValue_n; i++) {
        int n = ocpp_samples(&req.meterValue[i], s, &odd);
        must(n >= 0 && n <= OCPP_SAMPLES_PER_VALUE);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct ocpp_frame f;
    arena_init(&a, 4 << 20);
    if (ocpp_frame_parse(str_from((const char *)data, size), &a, &f) == 0) {
        must(f.id.n > 0 && f.id.n <= OCPP_ID_MAX);
        meter_values(f.payload, &a);
    }
    arena_free(&a);
    return 0;
}
