// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { Problem } from '@/api/client'
import type { ConnectorRow, Overview, WallStation } from '@/gen/api'
import { atLeast, isLarge, isTooMany, statesOf, statesOfAll, WALL_MOST } from '../console/parts/wall'

describe('the wall of very many connectors', () => {
  it('is by station beyond a number, or when the server says that a list would be too long', () => {
    const house = (connectors: number) => ({ connectors }) as Overview
    expect([isLarge(null), isLarge(house(WALL_MOST)), isLarge(house(WALL_MOST + 1))]).toEqual([false, false, true])
    const problem = (status: number) => new Problem(status, '', '', '', '', '', '')
    expect([isTooMany(problem(413)), isTooMany(problem(500)), isTooMany(new Error('413'))]).toEqual([true, false, false])
  })
  it('tells counts in the order of the states', () => {
    const s: WallStation = { id: '1', name: 'A', connectors: 10, offline: 4, available: 0, preparing: 0, charging: 3, suspended_ev: 0, suspended_evse: 0, finishing: 0, reserved: 0, unavailable: 1, faulted: 2, power_w: 5 }
    const want = [{ status: 0, count: 4 }, { status: 3, count: 3 }, { status: 8, count: 1 }, { status: 9, count: 2 }]
    expect(statesOf(s)).toEqual(want)
    expect(statesOfAll([0, 3, 0, 9, 3, 8, 0, 9, 3, 0].map((status) => ({ status }) as ConnectorRow))).toEqual(want)
  })
  it('renews as many rows as are shown', async () => {
    const asked: string[] = []
    const page = async (after: string) => {
      asked.push(after)
      const from = Number(after || 0)
      return { items: [from, from + 1], next: from < 4 ? String(from + 2) : '' }
    }
    expect(await atLeast(3, page)).toEqual({ rows: [0, 1, 2, 3], next: '4' })
    expect(await atLeast(99, page)).toEqual({ rows: [0, 1, 2, 3, 4, 5], next: '' })
    expect(asked).toEqual(['', '2', '', '2', '4'])
  })
})
