// SPDX-License-Identifier: Apache-2.0
/* tariff.ts: a tariff version as the editor holds it (day plans with slices in text, calendar rows with dates) and its translation from
 * and to the API's flat rows. */
import type { Tariff, TariffDay, TariffSlice } from '@/gen/api'
import { minuteText, parseMinute, parsePrice, price } from '@/format'

export interface SliceForm {
  from: string // "08:30"
  label: string
  elec: string
  service: string
}
export interface PlanForm {
  slices: SliceForm[]
}
export interface DayForm {
  first: string // "MM-DD"
  last: string
  weekdays: number[] // 0 Sunday … 6 Saturday
  plan: number
}
export interface TariffForm {
  name: string
  plans: PlanForm[]
  days: DayForm[]
}

const two = (n: number) => String(n).padStart(2, '0')
export const mmddText = (v: number) => `${two(Math.floor(v / 100))}-${two(v % 100)}`
const MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

export function parseMmdd(text: string): number | null {
  const m = /^(\d{1,2})-(\d{1,2})$/.exec(text.trim())
  if (!m) return null
  const month = Number(m[1])
  const day = Number(m[2])
  return month >= 1 && month <= 12 && day >= 1 && day <= MONTH[month - 1]! ? month * 100 + day : null
}

export function blankTariff(): TariffForm {
  return {
    name: '',
    plans: [{ slices: [{ from: '00:00', label: '平', elec: '0.80', service: '0.40' }] }],
    days: [{ first: '01-01', last: '12-31', weekdays: [0, 1, 2, 3, 4, 5, 6], plan: 0 }],
  }
}

export function formOf(t: Tariff): TariffForm {
  const most = Math.max(...t.slices.map((s) => s.plan), ...t.days.map((d) => d.plan))
  const plans: PlanForm[] = Array.from({ length: most + 1 }, () => ({ slices: [] }))
  for (const s of [...t.slices].sort((a, b) => a.from_min - b.from_min)) {
    plans[s.plan]!.slices.push({ from: minuteText(s.from_min), label: s.label, elec: price(s.elec_e5), service: price(s.service_e5) })
  }
  const days = t.days.map((d) => ({ first: mmddText(d.first_mmdd), last: mmddText(d.last_mmdd), weekdays: [0, 1, 2, 3, 4, 5, 6].filter((b) => d.weekdays & (1 << b)), plan: d.plan }))
  return { name: t.name, plans, days }
}

export type TariffFault = { key: string; named?: Record<string, unknown> }
const fault = (key: string, named?: Record<string, unknown>): TariffFault => ({ key, named })

function slicesOf(plan: PlanForm, p: number, out: TariffSlice[]): TariffFault | null {
  let last = -1
  if (!plan.slices.length) return fault('tariffs.bad.empty', { n: p + 1 })
  if (plan.slices.length > 96) return fault('tariffs.bad.many', { n: p + 1 })
  for (const s of plan.slices) {
    const from = parseMinute(s.from)
    const elec = parsePrice(s.elec)
    const service = parsePrice(s.service)
    if (from === null || from >= 1440) return fault('tariffs.bad.time', { n: p + 1, v: s.from })
    if (last < 0 && from !== 0) return fault('tariffs.bad.zero', { n: p + 1 })
    if (from <= last) return fault('tariffs.bad.order', { n: p + 1, v: s.from })
    if (elec === null || service === null) return fault('tariffs.bad.price', { n: p + 1, v: s.from })
    if (new TextEncoder().encode(s.label).length > 16) return fault('tariffs.bad.label', { n: p + 1, v: s.label })
    out.push({ plan: p, from_min: from, label: s.label.trim(), elec_e5: elec, service_e5: service })
    last = from
  }
  return null
}

/** The rows of the API, or the first fault found. */
export function rowsOf(form: TariffForm): { days: TariffDay[]; slices: TariffSlice[]; fault: TariffFault | null } {
  const slices: TariffSlice[] = []
  const days: TariffDay[] = []
  for (const [p, plan] of form.plans.entries()) {
    const bad = slicesOf(plan, p, slices)
    if (bad) return { days, slices, fault: bad }
  }
  for (const [i, d] of form.days.entries()) {
    const first = parseMmdd(d.first)
    const last = parseMmdd(d.last)
    if (first === null || last === null) return { days, slices, fault: fault('tariffs.bad.date', { n: i + 1 }) }
    if (!d.weekdays.length) return { days, slices, fault: fault('tariffs.bad.weekdays', { n: i + 1 }) }
    days.push({ first_mmdd: first, last_mmdd: last, weekdays: d.weekdays.reduce((bits, b) => bits | (1 << b), 0), plan: d.plan })
  }
  if (!coversYear(days)) return { days, slices, fault: fault('tariffs.bad.gap') }
  return { days, slices, fault: form.name.trim() ? null : fault('tariffs.bad.name') }
}

/** Whether each day of a leap year with each weekday finds a row. */
export function coversYear(days: TariffDay[]): boolean {
  for (let month = 1; month <= 12; month++)
    for (let day = 1; day <= MONTH[month - 1]!; day++)
      for (let w = 0; w < 7; w++) if (planOf(days, month * 100 + day, w) < 0) return false
  return true
}

/** Plan of a day: the first row that matches wins; a row whose first day is after its last wraps over the year's end. -1 = none. */
export function planOf(days: TariffDay[], mmdd: number, weekday: number): number {
  for (const d of days) {
    const inside = d.first_mmdd <= d.last_mmdd ? mmdd >= d.first_mmdd && mmdd <= d.last_mmdd : mmdd >= d.first_mmdd || mmdd <= d.last_mmdd
    if (inside && d.weekdays & (1 << weekday)) return d.plan
  }
  return -1
}
