// SPDX-License-Identifier: Apache-2.0
/* occupancy.ts: rules, lines and notices of occupancy fees as text. */
import type { FeeLine, OccupancyRule, OrderEvent } from '@/gen/api'
import { cmpMoney, minuteText, money, timeOnly } from '@/format'

type T = (key: string, named?: Record<string, unknown>) => string

/** A rule in short sentences, as it must be announced. */
export function ruleTexts(r: OccupancyRule, t: T, currency?: string): string[] {
  const m = (v: string) => money(v, { currency })
  const out = [r.free_min ? t('occ.free', { n: r.free_min }) : t('occ.nofree')]
  for (const w of r.windows) {
    const all = w.from_min === 0 && w.to_min === 1440
    out.push(all ? t('occ.allday', { v: m(w.price) }) : t('occ.window', { from: minuteText(w.from_min), to: minuteText(w.to_min), v: m(w.price) }))
  }
  if (cmpMoney(r.cap_order, '0') > 0) out.push(t('occ.caporder', { v: m(r.cap_order) }))
  if (cmpMoney(r.cap_day, '0') > 0) out.push(t('occ.capday', { v: m(r.cap_day) }))
  return out
}

export const lineMinutes = (l: FeeLine) => Math.floor((l.to_ms - l.from_ms) / 60000)
/** Of a line of time 1/100,000 yuan a minute. */
export const minutePrice = (l: FeeLine, currency?: string) => money(BigInt(Math.round(l.price_e5 / 10)), { currency })

/** What the detail of an event says: a time, an amount, a reason. */
export function occupancyDetail(e: OrderEvent, t: T, lang: string, zone?: string, currency?: string): string {
  if (!e.detail) return ''
  if (e.event === 40 || e.event === 41) return t('occ.until', { at: timeOnly(Number(e.detail), lang, zone) })
  if (e.event === 43 || e.event === 46) return /^\d+$/.test(e.detail) ? t('occ.sofar', { v: money(BigInt(e.detail), { currency }) }) : ''
  if (e.event === 42) return e.detail === '0' ? '' : t('occ.held', { v: money(BigInt(e.detail), { currency }) })
  if (e.event === 44 || e.event === 47) {
    const text = t(`occ.why.${e.detail}`)
    return text === `occ.why.${e.detail}` ? e.detail : text
  }
  return e.event === 45 ? '' : e.detail
}
