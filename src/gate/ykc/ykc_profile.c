// SPDX-License-Identifier: Apache-2.0
/* ykc_profile.c: what vendors do otherwise than the standard, as a table. The number of a row
 * stands in row_charger.profile: rows are never renumbered, new ones go to the end. A pile of an
 * unknown vendor works with row 0 in nearly all cases: longer bodies, both orders of the checksum
 * and any sequence numbers need no row. */
#include "gate/ykc/ykc_conn.h"

/* Stop reasons above those of the standard, as the forks of the 1.8 line count them. */
static const struct ykc_reason fork_reasons[] = {
    {0x78, STOP_FAULT}, /* output shorted */
    {0x91, STOP_FAULT}, /* pilot line */
    {0x92, STOP_FAULT}, /* earth */
    {0x93, STOP_FAULT}, /* relay welded */
    {0x94, STOP_FAULT}, /* leakage self-test */
    {0x95, STOP_FAULT}, /* diode */
    {0, STOP_NONE},
};

static const struct ykc_reason no_reasons[] = {{0, STOP_NONE}};

static const struct ykc_profile profiles[] = {
    {"standard", "标准 1.5/1.6/1.7", "Standard 1.5, 1.6, 1.7", 0, no_reasons},
    {"fork-1.8", "1.8 分支（并网、放电）", "Fork 1.8 (storage, discharge)",
     YKC_START_RELAY | YKC_WORK_GUN, fork_reasons},
    {"card-reversed", "卡号倒序", "Card numbers the other way round", YKC_CARD_REVERSED,
     no_reasons},
    {"qr-plain", "二维码无格式字节", "QR prefix without its format byte", YKC_QR_PLAIN, no_reasons},
    {"qr-one", "二维码应答 1 为成功", "QR reply 1 means accepted", YKC_QR_ONE_IS_OK, no_reasons},
};

const struct ykc_profile *ykc_profile(int32_t number)
{
    return &profiles[number > 0 && (size_t)number < ARRAY_LEN(profiles) ? number : 0];
}
