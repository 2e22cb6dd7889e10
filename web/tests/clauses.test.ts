// SPDX-License-Identifier: Apache-2.0
// Clauses of contracts: form, API and words.
import { describe, expect, it } from 'vitest'
import { type ClauseForm, clauseBody, clauseForm, clauseWords, parsePercent } from '../src/clauses'
import { clauseTexts } from '../src/i18n/clauses'

const form = (f: Partial<ClauseForm>): ClauseForm => ({ kind: 1, party: '7', parent: '', lines: [1], value: '1', above: '', ...f })

describe('clauses', () => {
  it('reads percentages of two places and nothing else', () => {
    expect(parsePercent('0.6')).toBe(60)
    expect(parsePercent('100')).toBe(10_000)
    expect(parsePercent('12.34')).toBe(1_234)
    for (const bad of ['', '0', '100.01', '-1', '1.234', '1e1', '%']) expect(parsePercent(bad)).toBeNull()
  })
  it('comes back from the API as it was written', () => {
    const all = [form({ value: '0.6' }), form({ kind: 2, value: '0.20', lines: [2] }), form({ kind: 3, value: '0.6', lines: [1, 2, 4] }), form({ kind: 4, parent: '8', value: '20' }),
      form({ kind: 5, value: '6', above: '1000.00' }), form({ kind: 6, value: '0', above: '5000' }), form({ kind: 7, value: '800.00', lines: [] }), form({ kind: 8, value: '100.00', lines: [] }), form({ kind: 9, value: '10.00', lines: [] })]
    for (const f of all) {
      const body = clauseBody(f)
      expect(body).not.toBeNull()
      expect(clauseBody(clauseForm(body!))).toEqual(body)
    }
    expect(clauseBody(all[0]!)).toEqual({ kind: 1, party: '7', lines: 1, rate: 60_000 })
    expect(clauseBody(all[5]!)).toEqual({ kind: 6, party: '7', lines: 1, rate: 0, above_mwh: 5_000_000_000 })
  })
  it('refuses what is not complete', () => {
    for (const bad of [form({ party: '' }), form({ lines: [] }), form({ value: '' }), form({ value: '0' }), form({ kind: 4, value: '20' }), form({ kind: 5, value: '6' }), form({ kind: 5, value: '6', above: '0' }), form({ kind: 6, value: '6', above: '1.5' }), form({ kind: 9, value: '-1' })])
      expect(clauseBody(bad)).toBeNull()
  })
  it('is said in words', () => {
    const t = (key: string, named: Record<string, unknown> = {}) => (clauseTexts[key] ?? [key, key])[1].replace(/\{(\w+)\}/g, (_, n: string) => String(named[n]))
    expect(clauseWords(t, { kind: 3, lines: 2, who: 'Grid', rate: 60 })).toBe('0.6% of fee_kind.2 goes first to Grid')
    expect(clauseWords(t, { kind: 8, lines: 0, who: 'you', rate: '1000.00' })).toBe('you: no less than ¥1,000.00 a month; the operator adds what is missing')
    expect(clauseWords(t, { kind: 6, lines: 1, who: 'you', rate: 6, above: 5_000_000_000 })).toContain('5000 kWh')
  })
})
