// SPDX-License-Identifier: Apache-2.0
/* clauses.ts: clauses of a contract as a form writes them, as the API takes them, and as words. A clause has one number; what it is
 * goes by its kind (enum clause_kind), and so does its text: yuan a kWh, yuan, percent, or a ratio. */
import type { ContractClause } from './gen/api'
import { money, moneyText, parseMoney, parsePrice, price } from './format'

export const CLAUSE_KINDS = [1, 2, 3, 10, 4, 5, 6, 7, 8, 9] as const
export const LINES = [1, 2, 4] as const

export interface ClauseForm {
  kind: number
  party: string
  parent: string
  lines: number[]
  value: string
  above: string
}
export const isAmount = (kind: number) => kind === 2 || (kind >= 7 && kind <= 9)
export const isPercent = (kind: number) => kind === 3 || kind === 4
export const isTier = (kind: number) => kind === 5 || kind === 6
export const hasLines = (kind: number) => kind <= 6 || kind === 10
/** A clause without a number of its own: what channels charge for the money that paid. */
export const isBare = (kind: number) => kind === 10

/** "12.5" as 1,250 basis points; null when it is no percentage of 0.01 to 100. */
export function parsePercent(text: string): number | null {
  const m = /^\s*(\d{1,3})(?:\.(\d{1,2}))?\s*$/.exec(text)
  if (!m) return null
  const bp = Number(m[1]) * 100 + Number((m[2] ?? '').padEnd(2, '0') || 0)
  return bp >= 1 && bp <= 10_000 ? bp : null
}
export const percentText = (bp: number) => String(bp / 100)

export function clauseForm(k: ContractClause): ClauseForm {
  const value = isAmount(k.kind) ? (k.amount ?? '') : isPercent(k.kind) ? percentText(k.rate ?? 0) : k.kind === 1 ? price(k.rate) : String(k.rate ?? 0)
  const above = k.kind === 5 ? (k.above ?? '') : k.kind === 6 ? String((k.above_mwh ?? 0) / 1_000_000) : ''
  return { kind: k.kind, party: k.party, parent: k.parent && k.parent !== '0' ? k.parent : '', lines: LINES.filter((b) => (k.lines ?? 0) & b), value, above }
}

/** What the API takes, or null when something is missing or no number. */
export function clauseBody(f: ClauseForm): ContractClause | null {
  const out: ContractClause = { kind: f.kind, party: f.party }
  if (!f.party || (f.kind === 4 && !f.parent) || (hasLines(f.kind) && !f.lines.length)) return null
  if (f.kind === 4) out.parent = f.parent
  if (hasLines(f.kind)) out.lines = f.lines.reduce((a, b) => a | b, 0)
  if (isBare(f.kind)) {
    out.rate = 0
  } else if (isAmount(f.kind)) {
    const v = parseMoney(f.value)
    if (v === null || v <= 0n) return null
    out.amount = moneyText(v)
  } else {
    const v = f.kind === 1 ? parsePrice(f.value) : isPercent(f.kind) ? parsePercent(f.value) : /^\s*\d{1,7}\s*$/.test(f.value) ? Number(f.value) : null
    if (v === null || (v <= 0 && !isTier(f.kind))) return null
    out.rate = v
  }
  if (f.kind === 5) {
    const v = parseMoney(f.above)
    if (v === null || v <= 0n) return null
    out.above = moneyText(v)
  }
  if (f.kind === 6) {
    const v = Number(f.above)
    if (!/^\s*\d{1,9}\s*$/.test(f.above) || v <= 0) return null
    out.above_mwh = v * 1_000_000
  }
  return out
}

type Text = (key: string, named?: Record<string, unknown>) => string
export interface Saying {
  kind: number
  lines: number
  who: string
  parent?: string
  rate: number | string /* amount, for kinds that have one */
  above?: number | string
}
/** The clause in a sentence. */
export function clauseWords(t: Text, k: Saying, currency?: string): string {
  const v = isAmount(k.kind) ? money(String(k.rate), { currency }) : k.kind === 1 ? money(price(Number(k.rate)), { currency }) : isPercent(k.kind) ? `${percentText(Number(k.rate))}%` : String(k.rate)
  const above = k.kind === 5 ? money(String(k.above), { currency }) : k.kind === 6 ? `${Number(k.above) / 1_000_000} kWh` : ''
  const lines = LINES.filter((b) => k.lines & b).map((b) => t(`fee_kind.${b}`)).join(t('clause.and'))
  return t(`clause.say.${k.kind}`, { v, above, lines, who: k.who, parent: k.parent ?? '' })
}
