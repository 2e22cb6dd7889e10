// SPDX-License-Identifier: Apache-2.0
// SHA-256 against the engine's own, at lengths around the block's edges.
import { expect, it } from 'vitest'
import { sha256 } from '../src/sha256'

it('agrees with another implementation', async () => {
  for (const n of [0, 1, 3, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000, 100_003]) {
    const bytes = Uint8Array.from({ length: n }, (_, i) => (i * 7 + n) & 255)
    const other = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
    expect(sha256(bytes)).toBe([...other].map((b) => b.toString(16).padStart(2, '0')).join(''))
  }
})
