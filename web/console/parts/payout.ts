// SPDX-License-Identifier: Apache-2.0
/* payout.ts: what people may do to a payout (enum payout_act of core/cmd.h, which is no table of the faces), beside its states. */
export { CHANNEL_BANK, PAYOUT_APPROVED, PAYOUT_REQUESTED, PAYOUT_SETTLED, PAYOUT_FAILED, PAYOUT_REFUSED, PAYOUT_CANCELLED, PAYOUT_RETURNED, PAYOUT_UNKNOWN } from '@/gen/enums'
export const PAYOUT_ACT_APPROVE = 1
export const PAYOUT_ACT_REFUSE = 2
export const PAYOUT_ACT_CANCEL = 3
export const PAYOUT_ACT_SETTLED = 4
export const PAYOUT_ACT_FAILED = 5
export const PAYOUT_ACT_PAID = 6
