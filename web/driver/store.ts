// SPDX-License-Identifier: Apache-2.0
/* store.ts: who I am, my money, my running order, and the one live stream of this page. Pages that show an order register for
 * its events; the wallet is fetched again (not computed) whenever an event says that it changed. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { get } from '@/api/client'
import { openLive, throttled, type LiveEvent, type LiveName } from '@/api/live'
import type { Me } from '@/gen/api'

export const useMe = defineStore('me', () => {
  const me = ref<Me | null>(null)
  const online = ref(true)
  const listeners = new Set<(name: LiveName | 'refetch', e: LiveEvent) => void>()
  let close: (() => void) | null = null

  async function fetchMe(): Promise<void> {
    me.value = await get<Me>('/me')
  }
  const refresh = throttled(() => { if (close) void fetchMe().catch(() => {}) }, 1000)

  function connect(): void {
    if (close) return
    close = openLive('/me/events', {
      event(name, e) {
        if (name === 'wallet' || name === 'order') refresh()
        for (const fn of listeners) fn(name, e)
      },
      refetch() {
        refresh()
        for (const fn of listeners) fn('refetch', {})
      },
      online: (on) => (online.value = on),
    })
  }
  function disconnect(): void {
    close?.()
    close = null
    me.value = null
  }
  function listen(fn: (name: LiveName | 'refetch', e: LiveEvent) => void): () => void {
    listeners.add(fn)
    return () => listeners.delete(fn)
  }
  return { me, online, fetchMe, refresh, connect, disconnect, listen }
})
