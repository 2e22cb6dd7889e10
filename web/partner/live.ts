// SPDX-License-Identifier: Apache-2.0
/* live.ts: the partner's figures and the one stream that says when they changed. The amount of an event only starts the
 * counting; the figures shown are those fetched afterwards. */
import { ref } from 'vue'
import { get } from '@/api/client'
import { openLive, throttled } from '@/api/live'
import type { PartnerHome } from '@/gen/api'

export const home = ref<PartnerHome | null>(null)
export const online = ref(true)
export const broken = ref(false)
const listeners = new Set<() => void>()
let close: (() => void) | null = null

export async function fetchHome(): Promise<void> {
  try {
    home.value = await get<PartnerHome>('/partner')
    broken.value = false
  } catch {
    broken.value = !home.value
  }
}
const changed = throttled(() => {
  void fetchHome()
  for (const fn of listeners) fn()
}, 600)

export function connect(): void {
  if (close) return
  void fetchHome()
  close = openLive('/partner/events', {
    event: (name) => { if (name === 'share' || name === 'order' || name === 'payout') changed() },
    refetch: changed,
    online: (on) => (online.value = on),
  })
}
export function disconnect(): void {
  close?.()
  close = null
  home.value = null
}
/** Called after each change; the function that comes back ends it. */
export function onShare(fn: () => void): () => void {
  listeners.add(fn)
  return () => listeners.delete(fn)
}
