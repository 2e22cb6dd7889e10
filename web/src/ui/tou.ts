// SPDX-License-Identifier: Apache-2.0
/* tou.ts: time-of-use slices as a day of 1,440 minutes: lengths, colours by price, names of the usual labels. Labels are
 * data of the operator; those that are no usual word are shown as they are. */
import type { Lang } from '@/i18n'

export interface Slice {
  from_min: number
  label: string
  elec_e5: number
  service_e5: number
}
export interface Span extends Slice {
  to_min: number
  color: string
}

const EN: Record<string, string> = { 尖: 'Sharp', 峰: 'Peak', 平: 'Flat', 谷: 'Valley', 深谷: 'Deep valley' }
// Cheap to dear.
const SCALE = ['#2f9e78', '#6dbb8f', '#e3b34a', '#e58a3a', '#d4574a']

export function labelText(label: string, lang: Lang): string {
  return lang === 'en' ? (EN[label] ?? label) : label
}

export function spans(slices: readonly Slice[]): Span[] {
  const sorted = [...slices].sort((a, b) => a.from_min - b.from_min)
  const prices = [...new Set(sorted.map((s) => s.elec_e5 + s.service_e5))].sort((a, b) => a - b)
  return sorted.map((s, i) => {
    const rank = prices.indexOf(s.elec_e5 + s.service_e5)
    const at = prices.length > 1 ? Math.round((rank * (SCALE.length - 1)) / (prices.length - 1)) : 1
    return { ...s, to_min: sorted[i + 1]?.from_min ?? 1440, color: SCALE[at]! }
  })
}

/** Index of the span that holds the minute; -1 for an empty day. */
export function spanAt(list: readonly Span[], min: number): number {
  return list.findIndex((s) => min >= s.from_min && min < s.to_min)
}
