// SPDX-License-Identifier: Apache-2.0
/* taken.ts: rows of what a payout or a statement consists of, told alike in the console and on the phone. */
import type { OrderShare, PartyStatement } from '@/gen/api'
import { TRANSFER_CAPTURE } from '@/gen/enums'
import { cmpMoney, moneyText, units } from '@/format'

/** Key of the text that says what a row is; '' for a plain share of an order. */
export function takenKey(s: OrderShare): string {
  if (s.rule >= 4) return `taken.rule.${s.rule}`
  if (s.order_id !== '0' && s.code === TRANSFER_CAPTURE) return ''
  return s.order_id !== '0' && cmpMoney(s.amount, '0') < 0 && s.rule === 1 && s.code !== 25 ? 'trail.takenback' : `transfer_code.${s.code}`
}

export const takenSum = (rows: readonly OrderShare[]): string => moneyText(rows.reduce((n, s) => n + units(s.amount), 0n))

/** Lines of a statement that its rows add up to; the others are of withdrawals. */
export const GIVEN = new Set(['shares', 'refunds', 'corrections', 'guarantees', 'rents', 'suspense'])

/** What the rows of a statement add up to. */
export const statementShares = (s: PartyStatement): string =>
  moneyText(units(s.shares) - units(s.refunds) + units(s.corrections) + units(s.guarantees) + units(s.rents) + units(s.suspense))

/** Kinds of fee in the bit set, as keys of their names. */
export const feeKeys = (lines: number): string[] => [1, 2, 4].filter((b) => lines & b).map((b) => `fee_kind.${b}`)
