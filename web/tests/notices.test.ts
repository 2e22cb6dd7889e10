// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { isNotice, noticeDetail } from '../src/notices'
import { noticeTexts } from '../src/i18n/notices'

const t = (key: string, named: Record<string, unknown> = {}): string =>
  (noticeTexts[key]?.[1] ?? key).replace(/\{(\w+)\}/g, (_, name: string) => String(named[name]))
const detail = (text: string) => noticeDetail({ detail: text }, t, 'en', 'Asia/Shanghai')

describe('noticeDetail', () => {
  it('says what it was about', () => expect(detail('1 0')).toBe('charge ended'))
  it('says what ends when, at the station', () => expect(detail('2 1767225600000')).toMatch(/^free time ends: 0?8:00/))
  it('says the day of a decision', () => expect(detail('5 1767312000000')).toMatch(/^charge ended, a part in doubt: .*02/))
  it('says why not', () => expect(detail('1 0 limit-phone')).toBe('charge ended (the limit of the phone is spent for today)'))
  it("keeps a provider's own word", () => expect(detail('3 0 isv.AMOUNT_NOT_ENOUGH')).toBe('occupancy fee begins (isv.AMOUNT_NOT_ENOUGH)'))
  it('keeps what it does not know', () => expect(detail('nonsense')).toBe('nonsense'))
})

describe('isNotice', () => {
  it('knows its events', () => expect([60, 61, 62, 63, 64].map((event) => isNotice({ event }))).toEqual([false, true, true, true, false]))
})
