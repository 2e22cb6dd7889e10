// SPDX-License-Identifier: Apache-2.0
/* entry.c: libFuzzer's way into one tape, named by TAPE when this file is compiled. */
#include "tape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return TAPE(data, size);
}
