// SPDX-License-Identifier: Apache-2.0
// The tariff editor's rows, the calendar rule, and the contract preview.
import { describe, expect, it } from 'vitest'
import { previewSplit } from '../console/parts/split'
import { blankTariff, coversYear, formOf, parseMmdd, planOf, rowsOf } from '../console/parts/tariff'
import { spanAt, spans } from '../src/ui/tou'

describe('tariff form', () => {
  it('goes to rows and back unchanged', () => {
    const form = blankTariff()
    form.name = '分时'
    form.plans[0]!.slices = [{ from: '00:00', label: '谷', elec: '0.32', service: '0.38' }, { from: '08:30', label: '峰', elec: '0.98765', service: '0.50' }]
    const { days, slices, fault } = rowsOf(form)
    expect(fault).toBeNull()
    expect(slices[1]).toEqual({ plan: 0, from_min: 510, label: '峰', elec_e5: 98765, service_e5: 50000 })
    expect(formOf({ name: form.name, from_ms: 0, days, slices })).toEqual(form)
  })
  it('names the first fault', () => {
    const form = blankTariff()
    form.name = 'x'
    form.plans[0]!.slices[0]!.from = '01:00'
    expect(rowsOf(form).fault?.key).toBe('tariffs.bad.zero')
    form.plans[0]!.slices = [{ from: '00:00', label: '', elec: '1', service: '0' }, { from: '00:00', label: '', elec: '1', service: '0' }]
    expect(rowsOf(form).fault?.key).toBe('tariffs.bad.order')
    form.plans[0]!.slices = [{ from: '00:00', label: '深谷深谷深谷', elec: '1', service: '0' }]
    expect(rowsOf(form).fault?.key).toBe('tariffs.bad.label')
  })
  it('knows dates and gaps of the calendar', () => {
    expect(parseMmdd('02-29')).toBe(229)
    expect(parseMmdd('02-30')).toBeNull()
    expect(parseMmdd('13-01')).toBeNull()
    expect(coversYear([{ first_mmdd: 101, last_mmdd: 1230, weekdays: 127, plan: 0 }])).toBe(false)
    expect(coversYear([{ first_mmdd: 901, last_mmdd: 831, weekdays: 127, plan: 0 }])).toBe(true)
  })
  it('lets the first matching row win and wraps over the new year', () => {
    const days = [{ first_mmdd: 1201, last_mmdd: 228, weekdays: 1 << 6 | 1, plan: 1 }, { first_mmdd: 101, last_mmdd: 1231, weekdays: 127, plan: 0 }]
    expect(planOf(days, 115, 0)).toBe(1)
    expect(planOf(days, 115, 1)).toBe(0)
    expect(planOf(days, 615, 6)).toBe(0)
    expect(planOf([], 615, 6)).toBe(-1)
  })
})

describe('day of slices', () => {
  it('covers 1,440 minutes', () => {
    const list = spans([{ from_min: 600, label: '峰', elec_e5: 2, service_e5: 1 }, { from_min: 0, label: '谷', elec_e5: 1, service_e5: 1 }])
    expect(list.map((s) => [s.from_min, s.to_min])).toEqual([[0, 600], [600, 1440]])
    expect(spanAt(list, 599)).toBe(0)
    expect(spanAt(list, 1439)).toBe(1)
    expect(spanAt([], 3)).toBe(-1)
  })
})

describe('contract preview', () => {
  it('sums exactly, whatever the ratios', () => {
    for (const [amount, ratios] of [[24_000n, [5, 5]], [10_100n, [333, 333, 334]], [100n, [1, 1, 1]], [24_001n, [70, 20, 10]]] as const) {
      const parts = previewSplit(ratios.map((ratio) => ({ lines: 7, ratio })), 1, amount, 100)
      expect(parts.reduce((a, b) => a + b, 0n)).toBe(amount)
      expect(parts.every((p) => p >= 0n)).toBe(true)
    }
  })
  it('gives nothing of a line to those who do not share in it', () => {
    expect(previewSplit([{ lines: 1, ratio: 1 }, { lines: 2, ratio: 1 }], 1, 100n, 100)).toEqual([100n, 0n])
    expect(previewSplit([{ lines: 2, ratio: 1 }], 1, 100n, 100)).toEqual([0n])
  })
})
