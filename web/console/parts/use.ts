// SPDX-License-Identifier: Apache-2.0
/* use.ts: what the pages of the console do alike: lists page by page, a write with its result shown, one fetch with error and retry. */
import { ElMessage } from 'element-plus'
import { onMounted, ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { get, type Page, type Query } from '@/api/client'
import { useText } from '@/i18n'
import { tell, type Told } from '@/ui/problem'

export interface List<T> {
  rows: ShallowRef<T[]>
  loading: Ref<boolean>
  loaded: Ref<boolean>
  error: Ref<Told | null>
  more: Ref<boolean>
  load: () => Promise<void>
  next: () => Promise<void>
}

/** A paged list (limit 0: one that comes whole); `query` is asked at each load, so filters need only call load(). Starts when the page is mounted. */
export function useList<T>(path: string | (() => string), query: () => Query = () => ({}), limit = 50): List<T> {
  const { lang } = useText()
  const rows = shallowRef<T[]>([])
  const loading = ref(false)
  const loaded = ref(false)
  const error = ref<Told | null>(null)
  const more = ref(false)
  let cursor = ''
  let turn = 0
  async function fetchPage(after: string): Promise<void> {
    const mine = ++turn
    loading.value = true
    try {
      const page = await get<Page<T>>(typeof path === 'string' ? path : path(), { ...query(), after, limit: limit || undefined })
      if (mine !== turn) return
      rows.value = after ? [...rows.value, ...page.items] : page.items
      cursor = page.next ?? ''
      more.value = cursor !== ''
      loaded.value = true
      error.value = null
    } catch (e) {
      if (mine === turn) error.value = tell(e, lang.value)
    } finally {
      if (mine === turn) loading.value = false
    }
  }
  const load = () => fetchPage('')
  onMounted(load)
  return { rows, loading, loaded, error, more, load, next: () => fetchPage(cursor) }
}

/** One object, fetched when the page is mounted and whenever load() is called. */
export function useOne<T>(fetcher: () => Promise<T>): { value: Ref<T | null>; error: Ref<Told | null>; load: () => Promise<void> } {
  const { lang } = useText()
  const value = ref(null) as Ref<T | null>
  const error = ref<Told | null>(null)
  async function load(): Promise<void> {
    try {
      value.value = await fetcher()
      error.value = null
    } catch (e) {
      error.value = tell(e, lang.value)
    }
  }
  onMounted(load)
  return { value, error, load }
}

export function useSay() {
  const { t, lang } = useText()
  function fail(e: unknown): void {
    const told = tell(e, lang.value)
    ElMessage({ type: 'error', duration: 6000, showClose: true, message: told.cause ? `${told.text} · ${t('err.cause')} ${told.cause}` : told.text })
  }
  const good = (text: string) => void ElMessage({ type: 'success', message: text })
  return { fail, good }
}

/** A write: busy while it runs, its result as a message; resolves to whether it went well. */
export function useWrite() {
  const { t } = useText()
  const { fail, good } = useSay()
  const busy = ref(false)
  async function write(fn: () => Promise<unknown>, done?: string): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    try {
      await fn()
      good(done ?? t('done.saved'))
      return true
    } catch (e) {
      fail(e)
      return false
    } finally {
      busy.value = false
    }
  }
  return { busy, write }
}

export { Action } from '@/api/client'
