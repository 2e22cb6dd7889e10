// SPDX-License-Identifier: Apache-2.0
/* choices.ts: short lists that forms and filters offer, fetched once and again after a change. Tariffs and contracts are offered as
 * families, named by their newest version. A list that could not be loaded stands in `failed`, one that is longer than what is offered
 * in `cut`; ChoiceNote.vue says so where it is offered, and StationSelect.vue searches on the server. */
import { defineStore } from 'pinia'
import { reactive, ref } from 'vue'
import { can, upTo } from '@/api/client'
import type { Channel, ContractRow, PartyRow, StationRow, TariffRow, Tenant, OccupancyRuleRow } from '@/gen/api'
import { get } from '@/api/client'
import { setZone } from '@/format'

export type Kind = 'channels' | 'stations' | 'tariffs' | 'contracts' | 'parties' | 'occupancy'

const MOST = 2000

export function newestOfFamily<T extends { family: string; from_ms: number; created_ms?: number; id: string }>(rows: T[]): T[] {
  const best = new Map<string, T>()
  for (const r of rows) {
    const b = best.get(r.family)
    if (!b || r.from_ms > b.from_ms || (r.from_ms === b.from_ms && BigInt(r.id) > BigInt(b.id))) best.set(r.family, r)
  }
  return [...best.values()]
}

export const useChoices = defineStore('choices', () => {
  const stations = ref<StationRow[]>([])
  const tariffs = ref<TariffRow[]>([])
  const contracts = ref<ContractRow[]>([])
  const parties = ref<PartyRow[]>([])
  const channels = ref<Channel[]>([])
  const occupancy = ref<OccupancyRuleRow[]>([])
  const tenant = ref<Tenant | null>(null)
  const have = new Set<Kind>()
  const failed = reactive(new Map<Kind, unknown>())
  const cut = reactive(new Set<Kind>())

  async function whole<T>(k: Kind, path: string): Promise<T[]> {
    const got = await upTo<T>(path, {}, MOST)
    if (got.cut) cut.add(k)
    else cut.delete(k)
    return got.rows
  }
  async function fetchKind(k: Kind): Promise<void> {
    if (k === 'stations') stations.value = await whole<StationRow>(k, '/stations')
    else if (k === 'tariffs') tariffs.value = newestOfFamily(await whole<TariffRow>(k, '/tariffs'))
    else if (k === 'occupancy') occupancy.value = newestOfFamily(await whole<OccupancyRuleRow>(k, '/occupancy-rules'))
    else if (!can('ledger.read')) return
    else if (k === 'channels') channels.value = (await get<{ items: Channel[] }>('/channels')).items
    else if (k === 'contracts') contracts.value = newestOfFamily(await whole<ContractRow>(k, '/contracts'))
    else parties.value = await whole<PartyRow>(k, '/parties')
    have.add(k)
  }
  async function renew(k: Kind): Promise<void> {
    try {
      await fetchKind(k)
      failed.delete(k)
    } catch (e) {
      failed.set(k, e)
    }
  }
  /** Fetches what is not there yet; a failure leaves the list as it was, and says so where it is offered. */
  async function need(...kinds: Kind[]): Promise<void> {
    await Promise.all(kinds.filter((k) => !have.has(k)).map(renew))
  }
  async function loadTenant(): Promise<void> {
    tenant.value = await get<Tenant>('/tenant')
    setZone(tenant.value.zone)
  }
  /** A station that no list names is told by its number: to say nothing, or "all", of it would be wrong. */
  function stationName(id?: string): string {
    if (!id || id === '0') return ''
    return stations.value.find((s) => s.id === id)?.name ?? `#${id}`
  }
  function forget(): void {
    have.clear()
    failed.clear()
    cut.clear()
    tenant.value = null
  }
  return { stations, tariffs, contracts, parties, channels, occupancy, tenant, failed, cut, need, renew, loadTenant, stationName, forget }
})
