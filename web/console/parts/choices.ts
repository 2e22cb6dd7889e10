// SPDX-License-Identifier: Apache-2.0
/* choices.ts: short lists that forms and filters offer, fetched once and again after a change. Tariffs and contracts are offered as
 * families, named by their newest version. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { all, can } from '@/api/client'
import type { Channel, Charger, ContractRow, PartyRow, StationRow, TariffRow, Tenant, OccupancyRuleRow } from '@/gen/api'
import { get } from '@/api/client'
import { setZone } from '@/format'

type Kind = 'channels' | 'stations' | 'tariffs' | 'contracts' | 'parties' | 'chargers' | 'occupancy'

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
  const chargers = ref<Charger[]>([])
  const channels = ref<Channel[]>([])
  const occupancy = ref<OccupancyRuleRow[]>([])
  const tenant = ref<Tenant | null>(null)
  const have = new Set<Kind>()

  async function fetchKind(k: Kind): Promise<void> {
    if (k === 'stations') stations.value = await all<StationRow>('/stations')
    else if (k === 'chargers') chargers.value = await all<Charger>('/chargers')
    else if (k === 'tariffs') tariffs.value = newestOfFamily(await all<TariffRow>('/tariffs'))
    else if (k === 'occupancy') occupancy.value = newestOfFamily(await all<OccupancyRuleRow>('/occupancy-rules'))
    else if (!can('ledger.read')) return
    else if (k === 'channels') channels.value = (await get<{ items: Channel[] }>('/channels')).items
    else if (k === 'contracts') contracts.value = newestOfFamily(await all<ContractRow>('/contracts'))
    else parties.value = await all<PartyRow>('/parties')
    have.add(k)
  }
  /** Fetches what is not there yet; a failure leaves the list empty, and the page's own fetch tells the person. */
  async function need(...kinds: Kind[]): Promise<void> {
    await Promise.all(kinds.filter((k) => !have.has(k)).map((k) => fetchKind(k).catch(() => {})))
  }
  const renew = (k: Kind) => fetchKind(k).catch(() => {})
  async function loadTenant(): Promise<void> {
    tenant.value = await get<Tenant>('/tenant')
    setZone(tenant.value.zone)
  }
  function forget(): void {
    have.clear()
    tenant.value = null
  }
  return { stations, tariffs, contracts, parties, chargers, channels, occupancy, tenant, need, renew, loadTenant, forget }
})
