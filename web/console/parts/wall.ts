// SPDX-License-Identifier: Apache-2.0
/* wall.ts: when the wall of connectors is shown by station, and the order of states in which its counts are told. */
import { Problem } from '@/api/client'
import type { ConnectorRow, Overview, WallTotal } from '@/gen/api'

/** With more connectors one wall of all is too slow to read and to renew; the server refuses it some thousands later. */
export const WALL_MOST = 2000

export const isLarge = (o: Overview | null): boolean => !!o && o.connectors > WALL_MOST

/** The server's word that the list asked for would be too long. */
export const isTooMany = (e: unknown): boolean => e instanceof Problem && e.status === 413

export interface StateCount {
  status: number
  count: number
}

/** Counts of a row by connector status (enum connector_status), those that are not there left out. */
export function statesOf(r: Omit<WallTotal, 'power_w'>): StateCount[] {
  return [r.offline, r.available, r.preparing, r.charging, r.suspended_ev, r.suspended_evse, r.finishing, r.reserved, r.unavailable, r.faulted]
    .map((count, status) => ({ status, count })).filter((x) => x.count)
}

/** The same of connectors that are here one by one. */
export function statesOfAll(rows: Iterable<ConnectorRow>): StateCount[] {
  const n = new Array<number>(10).fill(0)
  for (const c of rows) n[c.status] = (n[c.status] ?? 0) + 1
  return n.map((count, status) => ({ status, count })).filter((x) => x.count)
}

/** Rows page by page, as many as stand on the screen: a list that is renewed while somebody reads it keeps its length. */
export async function atLeast<T>(most: number, page: (after: string) => Promise<{ items: T[]; next: string }>): Promise<{ rows: T[]; next: string }> {
  const rows: T[] = []
  let next = ''
  do {
    const p = await page(next)
    rows.push(...p.items)
    next = p.next
  } while (next && rows.length < most)
  return { rows, next }
}
