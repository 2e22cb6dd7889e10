// SPDX-License-Identifier: Apache-2.0
/* story.ts: how the parts of a money story are told, alike on the three faces. */
import type { StoryChannel, StoryLot } from '@/gen/api'
import { TRANSFER_COMPANY_IN, TRANSFER_DISCHARGE, TRANSFER_GIFT, TRANSFER_TOPUP } from '@/gen/enums'

export const dayName = (n: number): string => `${Math.floor(n / 10000)}-${String(Math.floor(n / 100) % 100).padStart(2, '0')}-${String(n % 100).padStart(2, '0')}`
export const monthName = (n: number): string => `${Math.floor(n / 100)}-${String(n % 100).padStart(2, '0')}`

/** Key of the text that names a lot whose channel has no name of its own. */
export function lotKey(l: StoryLot): string {
  if (l.rule >= 3) return `trail.rule.${l.rule}`
  if (l.code === TRANSFER_DISCHARGE) return 'transfer_code.18'
  if (l.order_id !== '0') return 'trail.lot.refund'
  if (l.code === TRANSFER_GIFT) return 'trail.lot.gift'
  if (l.code === TRANSFER_COMPANY_IN) return 'trail.lot.company'
  return l.code === TRANSFER_TOPUP ? 'trail.lot.staff' : 'trail.lot.in'
}

/** Key and argument of what reconciliation says, or null where there is nothing to say. */
export function reconText(c: StoryChannel): { key: string; d: string } | null {
  return c.recon ? { key: `recon_at.${c.recon}`, d: dayName(c.day) } : null
}
