// SPDX-License-Identifier: Apache-2.0
/* statement.ts: what may be done to a statement (enum statement_act of core/cmd.h, which is no table of the faces), beside its states. */
import type { PartyStatement } from '@/gen/api'
import { moneyText, units } from '@/format'
export { STATEMENT_CONFIRMED, STATEMENT_DISPUTED, STATEMENT_ISSUED } from '@/gen/enums'
export const STATEMENT_CONFIRM = 1
export const STATEMENT_DISPUTE = 2
export const STATEMENT_ANSWER = 3

/* The lines of a statement, signed: opening and they are the closing. A line of nothing is left out, but for shares. */
const LINES = [['shares', 1n], ['refunds', -1n], ['corrections', 1n], ['guarantees', 1n], ['rents', 1n], ['suspense', 1n],
  ['withdrawn', -1n], ['fees', -1n], ['tax', -1n]] as const
export function statementLines(s: PartyStatement): { line: string; amount: string }[] {
  return LINES.filter(([k]) => k === 'shares' || units(s[k]) !== 0n).map(([k, sign]) => ({ line: k, amount: moneyText(sign * units(s[k])) }))
}
