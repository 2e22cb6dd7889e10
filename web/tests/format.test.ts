// SPDX-License-Identifier: Apache-2.0
// Money, energy, price and proof as text: the rules of DESIGN 4 as a browser shows them.
import { afterEach, describe, expect, it } from 'vitest'
import * as f from '../src/format'

describe('money', () => {
  it('reads exact decimals and nothing else', () => {
    expect(f.parseMoney('4.00')).toBe(40_000n)
    expect(f.parseMoney(' 20 ')).toBe(200_000n)
    expect(f.parseMoney('-0.0001')).toBe(-1n)
    expect(f.parseMoney('4.')).toBe(40_000n)
    for (const bad of ['', '4.00001', '1e3', '.5', '4,00', '--1', 'NaN', '999999999999999']) expect(f.parseMoney(bad)).toBeNull()
  })
  it('writes two to four decimals', () => {
    expect(f.moneyText(40_000n)).toBe('4.00')
    expect(f.moneyText(40_100n)).toBe('4.01')
    expect(f.moneyText(-12_345n)).toBe('-1.2345')
    expect(f.moneyText(12_340n)).toBe('1.234')
    expect(f.moneyText(0n)).toBe('0.00')
  })
  it('keeps digits that a double would lose', () => {
    expect(f.addMoney('90071992547409.93', '0.0001')).toBe('90071992547409.9301')
    expect(f.subMoney('0.30', '0.10')).toBe('0.20')
    expect(f.addMoney('0.1', '0.2', undefined)).toBe('0.30')
  })
  it('shows symbol, groups and sign', () => {
    expect(f.money('1234567.5')).toBe('¥1,234,567.50')
    expect(f.money('-0.01')).toBe('−¥0.01')
    expect(f.money('2.00', { sign: true })).toBe('+¥2.00')
    expect(f.money('0.00', { sign: true })).toBe('¥0.00')
    expect(f.money('2.00', { currency: 'XAF' })).toBe('XAF 2.00')
    expect(f.money('nonsense')).toBe('¥0.00')
  })
  it('compares', () => {
    expect(f.cmpMoney('4.0', '4.00')).toBe(0)
    expect(f.cmpMoney('10.00', '9.99')).toBe(1)
    expect(f.cmpMoney('-1.00', '0.00')).toBe(-1)
  })
})

describe('energy, power, price', () => {
  it('rounds half away from zero at the last shown digit only', () => {
    expect(f.kwh(3_338_000)).toBe('3.338')
    expect(f.kwh(3_338_500)).toBe('3.339')
    expect(f.kwh(0, 2)).toBe('0.00')
    expect(f.kwh(1_234_567_890_123, 0)).toBe('1,234,568')
    expect(f.kw(119_950)).toBe('120.0')
    expect(f.kw(-7_040)).toBe('−7.0')
    expect(f.kw(-10)).toBe('0.0')
  })
  it('shows all digits of a price that matter', () => {
    expect(f.price(120_000)).toBe('1.20')
    expect(f.price(86_543)).toBe('0.86543')
    expect(f.price(0)).toBe('0.00')
    expect(f.parsePrice('1.2')).toBe(120_000)
    expect(f.parsePrice('0.86543')).toBe(86_543)
    expect(f.parsePrice('0.865431')).toBeNull()
    expect(f.parsePrice('-1')).toBeNull()
  })
  it('hides an unknown state of charge', () => {
    expect(f.soc(805)).toBe('81%')
    expect(f.soc(-1)).toBe('')
  })
})

describe('price proof', () => {
  it('rounds half up to the fen, exactly', () => {
    const p = f.proveLine(3_338_000, 120_000, '4.01')
    expect(p.exact).toBe('4.0056')
    expect(p.rounded).toBe('4.01')
    expect(p.holds).toBe(true)
    expect(f.proveLine(1_000_000, 500, '0.01').rounded).toBe('0.01')
    expect(f.proveLine(1_000_000, 499, '0.00').holds).toBe(true)
    expect(f.proveLine(3_338_000, 120_000, '4.00').holds).toBe(false)
  })
  it('survives products beyond 2^53', () => {
    expect(f.proveLine(9_007_199_254_740_991, 100_000_000, '9007199254740.99').exact).toBe('9007199254740.991')
  })
})

describe('cap approach', () => {
  it('stays between nothing and full', () => {
    expect(f.capProgress('1.00', '4.00')).toBe(0.25)
    expect(f.capProgress('3.999', '4.00')).toBe(0.9997)
    expect(f.capProgress('4.20', '4.00')).toBe(1)
    expect(f.capProgress('1.00', '0.00')).toBe(0)
    expect(f.capProgress(undefined, undefined)).toBe(0)
  })
})

describe('shares and clocks', () => {
  afterEach(() => f.setZone(undefined))
  it('gives per cent without noise', () => {
    expect(f.percent(5, 10)).toBe('50%')
    expect(f.percent(333, 1000)).toBe('33.3%')
    expect(f.percent(1, 3)).toBe('33.33%')
    expect(f.percent(1, 0)).toBe('—')
  })
  it('shows times in the zone of the operator', () => {
    f.setZone('Asia/Shanghai')
    expect(f.dateTime(Date.UTC(2026, 0, 31, 16, 5, 9), 'en')).toBe('01/02/2026, 00:05:09')
    expect(f.dayNumber(Date.UTC(2026, 0, 31, 16, 5, 9))).toBe(20260201)
    f.setZone('No/Such')
    expect(f.dateTime(0, 'zh')).toBe('—')
  })
  it('counts durations and minutes of a day', () => {
    expect(f.duration(65_900)).toBe('1:05')
    expect(f.duration(3_909_000)).toBe('1:05:09')
    expect(f.minuteText(1440)).toBe('24:00')
    expect(f.parseMinute('08:30')).toBe(510)
    expect(f.parseMinute('24:01')).toBeNull()
  })
})
