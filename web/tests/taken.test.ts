// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { OrderShare, PartyStatement } from '@/gen/api'
import { feeKeys, GIVEN, statementShares, takenKey, takenSum } from '@/taken'
import { takenTexts } from '@/i18n/taken'

const row = (more: Partial<OrderShare>) => ({ order_id: '5', code: 2, rule: 2, amount: '1.00', ...more }) as OrderShare

describe('what a payout or a statement consists of', () => {
  it('says what a row is', () => {
    expect(takenKey(row({}))).toBe('')
    expect(takenKey(row({ code: 24 }))).toBe('transfer_code.24')
    expect(takenKey(row({ code: 6, rule: 1, amount: '-0.50' }))).toBe('trail.takenback')
    expect(takenKey(row({ code: 25, rule: 1, amount: '-0.50' }))).toBe('transfer_code.25') // came back to the channel
    expect(takenKey(row({ order_id: '0', code: 23 }))).toBe('transfer_code.23')
    for (const rule of [4, 5, 6]) expect(takenTexts[takenKey(row({ order_id: '0', rule }))]).toHaveLength(2)
  })
  it('adds up to the last ten-thousandth', () => {
    expect(takenSum([row({ amount: '0.0001' }), row({ amount: '90071992547.4099' }), row({ amount: '-0.50' })])).toBe('90071992546.91')
    const s = { shares: '7.20', refunds: '1.40', corrections: '-0.10', guarantees: '2.00', rents: '3.00', suspense: '0.0001', withdrawn: '9.00', fees: '0.10', tax: '1.00' }
    expect(statementShares(s as PartyStatement)).toBe('10.7001')
    expect(GIVEN.has('withdrawn') || GIVEN.has('fees') || GIVEN.has('tax')).toBe(false)
  })
  it('names the kinds of fee', () => expect(feeKeys(5)).toEqual(['fee_kind.1', 'fee_kind.4']))
})
