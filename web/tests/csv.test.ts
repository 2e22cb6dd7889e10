// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { csvText } from '@/csv'

describe('the bytes of a CSV', () => {
  it('are UTF-8, with or without a mark, or GBK', () => {
    expect(csvText(new TextEncoder().encode('payout,工行\n') as Uint8Array<ArrayBuffer>)).toBe('payout,工行\n')
    expect(csvText(new Uint8Array([0xef, 0xbb, 0xbf, 0x61]))).toBe('a')
    expect(csvText(new Uint8Array([0xb9, 0xa4, 0xd0, 0xd0]))).toBe('工行')
    expect(csvText(new Uint8Array([]))).toBe('')
  })
  it('may be neither: the server says where', () => {
    const bytes = new Uint8Array([0x61, 0xff, 0xff])
    expect(csvText(bytes)).toBe(bytes)
  })
  it('are no workbook', () => {
    expect(csvText(new Uint8Array([0x50, 0x4b, 3, 4, 20]))).toBeNull()
  })
})
