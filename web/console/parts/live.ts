// SPDX-License-Identifier: Apache-2.0
/* live.ts: the console's one stream, and the picture of connectors that it keeps up to date: of all, or, of an operator with too many
 * (parts/wall.ts), of the one station that a page looks at, with counts of the rest. Whoever needs more (an order's page) listens as well. */
import { defineStore } from 'pinia'
import { onScopeDispose, reactive, ref, shallowRef, watch } from 'vue'
import { get, type Page } from '@/api/client'
import { openLive, throttled, type LiveEvent, type LiveName } from '@/api/live'
import type { ConnectorRow, Overview, WallTotal } from '@/gen/api'
import { CS_CHARGING, ORDER_ENDED } from '@/gen/enums'
import { isLarge, isTooMany } from './wall'

type Listener = (name: LiveName | 'refetch', e: LiveEvent) => void

export const useLive = defineStore('live', () => {
  const connectors = reactive(new Map<string, ConnectorRow>())
  const overview = ref<Overview | null>(null)
  const online = ref(true)
  const loaded = ref(false)
  const large = ref(false)
  const station = ref('') // the one that is looked at; matters to large ones only
  const total = ref<WallTotal | null>(null)
  const error = shallowRef<unknown>(null) // why the wall could not be fetched
  const overviewError = shallowRef<unknown>(null)
  const listeners = new Set<Listener>()
  let close: (() => void) | null = null
  let connected = false
  let turn = 0
  let follower: object | null = null

  function put(rows: ConnectorRow[]): void {
    const ids = new Set(rows.map((c) => c.id))
    for (const id of connectors.keys()) if (!ids.has(id)) connectors.delete(id)
    for (const c of rows) connectors.set(c.id, c)
  }
  async function fetchRows(): Promise<ConnectorRow[]> {
    if (large.value && !station.value) return []
    return (await get<Page<ConnectorRow>>('/connectors', large.value ? { station: station.value } : {})).items
  }
  /** What the wall shows now; a failure stands in `error` until the next that goes well. */
  async function fetchWall(): Promise<void> {
    const mine = ++turn
    try {
      const [rows, sums] = await Promise.all([fetchRows(), large.value ? get<WallTotal>('/wall') : null])
      if (mine !== turn) return
      put(rows)
      total.value = sums
      error.value = null
      loaded.value = true
    } catch (e) {
      if (mine !== turn) return
      if (isTooMany(e) && !large.value) return grow()
      error.value = e
    }
  }
  async function fetchOverview(): Promise<void> {
    try {
      overview.value = await get<Overview>('/overview')
      overviewError.value = null
    } catch (e) {
      overviewError.value = e
    }
  }
  /** From now on by station: never back, for a wall that comes and goes would be worse. */
  function grow(): Promise<void> {
    large.value = true
    if (close) openStream()
    return fetchWall()
  }
  const wallSoon = throttled(() => { if (connected) void fetchWall() }, 2500)
  const wallLater = throttled(() => { if (connected) void fetchWall() }, 10_000)
  const overviewSoon = throttled(() => { if (connected) void fetchOverview() }, 3000)
  const overviewLater = throttled(() => { if (connected) void fetchOverview() }, 10_000)
  /** Of a large house something changes all the time, and its counts take the server longer. */
  function refreshSoon(e?: LiveEvent): void {
    if (!large.value || (e?.station && e.station === station.value)) wallSoon()
    else wallLater()
    if (large.value) overviewLater()
    else overviewSoon()
  }

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
    if (name === 'order' || name === 'connector' || name === 'charger') refreshSoon(e)
  }
  function openStream(): void {
    close?.()
    close = openLive(large.value ? `/events?quiet=1&station=${station.value || 0}` : '/events', {
      event(name, e) {
        apply(name, e)
        for (const fn of listeners) fn(name, e)
      },
      refetch() {
        refreshSoon()
        for (const fn of listeners) fn('refetch', {})
      },
      online: (on) => (online.value = on),
    })
  }
  /** The overview first: it says how large the house is. */
  async function connect(): Promise<void> {
    if (connected) return
    connected = true
    await fetchOverview()
    if (!connected || close) return
    large.value = large.value || isLarge(overview.value)
    openStream()
    await fetchWall()
  }
  function disconnect(): void {
    close?.()
    close = null
    connected = false
    turn++
    connectors.clear()
    overview.value = null
    total.value = null
    error.value = null
    overviewError.value = null
    loaded.value = false
    large.value = false
    station.value = ''
  }
  function look(id: string): void {
    if (station.value === id) return
    station.value = id
    if (!large.value || !close) return
    connectors.clear()
    loaded.value = false
    openStream()
    void fetchWall()
  }
  /** Follows the station that a page is about as long as the page stands; the page that came last has the say. */
  function follow(id: () => string | undefined): void {
    const me = {}
    watch(id, (s) => { follower = me; look(s ?? '') }, { immediate: true })
    onScopeDispose(() => { if (follower === me) look('') })
  }
  function listen(fn: Listener): () => void {
    listeners.add(fn)
    return () => listeners.delete(fn)
  }
  return { connectors, overview, online, loaded, large, station, total, error, overviewError, fetchWall, fetchOverview, connect, disconnect, follow, listen }
})
