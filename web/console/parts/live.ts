// SPDX-License-Identifier: Apache-2.0
/* live.ts: the console's one stream, and the picture of all connectors that it keeps up to date. Whoever needs more (an order's page)
 * listens as well. */
import { defineStore } from 'pinia'
import { reactive, ref } from 'vue'
import { get, type Page } from '@/api/client'
import { openLive, throttled, type LiveEvent, type LiveName } from '@/api/live'
import type { ConnectorRow, Overview } from '@/gen/api'
import { CS_CHARGING, ORDER_ENDED } from '@/gen/enums'

type Listener = (name: LiveName | 'refetch', e: LiveEvent) => void

export const useLive = defineStore('live', () => {
  const connectors = reactive(new Map<string, ConnectorRow>())
  const overview = ref<Overview | null>(null)
  const online = ref(true)
  const loaded = ref(false)
  const listeners = new Set<Listener>()
  let close: (() => void) | null = null

  async function fetchWall(): Promise<void> {
    const page = await get<Page<ConnectorRow>>('/connectors')
    const ids = new Set(page.items.map((c) => c.id))
    for (const id of connectors.keys()) if (!ids.has(id)) connectors.delete(id)
    for (const c of page.items) connectors.set(c.id, c)
    loaded.value = true
  }
  async function fetchOverview(): Promise<void> {
    overview.value = await get<Overview>('/overview')
  }
  const wallSoon = throttled(() => { if (close) void fetchWall().catch(() => {}) }, 2500)
  const overviewSoon = throttled(() => { if (close) void fetchOverview().catch(() => {}) }, 3000)

  function apply(name: LiveName, e: LiveEvent): void {
    const c = e.connector ? connectors.get(e.connector) : undefined
    if (name === 'meter' && c) {
      if (e.order) c.order_id = e.order
      if (e.power_w !== undefined) c.power_w = e.power_w
      if (e.energy_mwh !== undefined) c.energy_mwh = e.energy_mwh
      if (e.soc_pm !== undefined) c.soc_pm = e.soc_pm
      if (e.cost !== undefined) c.cost = e.cost
      if (e.cap !== undefined) c.cap = e.cap
      return
    }
    if (name === 'connector' && c && e.status !== undefined) {
      c.status = e.status
      c.status_ms = e.at_ms ?? c.status_ms
      if (c.status !== CS_CHARGING) c.power_w = 0
    }
    if (name === 'order' && c && e.state !== undefined && e.state >= ORDER_ENDED) {
      c.order_id = '0'
      c.power_w = 0
    }
    if (name === 'order' || name === 'connector' || name === 'charger') {
      wallSoon()
      overviewSoon()
    }
  }
  function connect(): void {
    if (close) return
    void fetchWall().catch(() => {})
    void fetchOverview().catch(() => {})
    close = openLive('/events', {
      event(name, e) {
        apply(name, e)
        for (const fn of listeners) fn(name, e)
      },
      refetch() {
        wallSoon()
        overviewSoon()
        for (const fn of listeners) fn('refetch', {})
      },
      online: (on) => (online.value = on),
    })
  }
  function disconnect(): void {
    close?.()
    close = null
    connectors.clear()
    overview.value = null
    loaded.value = false
  }
  function listen(fn: Listener): () => void {
    listeners.add(fn)
    return () => listeners.delete(fn)
  }
  return { connectors, overview, online, loaded, fetchWall, fetchOverview, connect, disconnect, listen }
})
