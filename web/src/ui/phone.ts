// SPDX-License-Identifier: Apache-2.0
/* phone.ts: what the two phone faces do alike: language of Vant, short messages, and lists that come page by page. */
import { ref, watch, type Ref } from 'vue'
import { Locale, showToast } from 'vant'
import enUS from 'vant/es/locale/lang/en-US'
import zhCN from 'vant/es/locale/lang/zh-CN'
import { get, type Page, type Query } from '@/api/client'
import { useText, type Lang } from '@/i18n'
import { tell } from './problem'

function setVantLang(lang: Lang): void {
  if (lang === 'zh') Locale.use('zh-CN', zhCN)
  else Locale.use('en-US', enUS)
}

export function useVantLang(): void {
  const { lang } = useText()
  watch(lang, setVantLang, { immediate: true })
}

/** Says what failed; the cause id stands beneath, small but readable to a hot line. */
export function useFail(): (e: unknown) => void {
  const { t, lang } = useText()
  return (e) => {
    const told = tell(e, lang.value)
    showToast({ message: told.cause ? `${told.text}\n${t('err.cause')} ${told.cause}` : told.text, duration: 3500, wordBreak: 'break-word' })
  }
}

export interface Rows<T> {
  rows: Ref<T[]>
  loaded: Ref<boolean>
  loading: Ref<boolean>
  finished: Ref<boolean>
  error: Ref<boolean>
  more: () => Promise<void>
  refresh: () => Promise<void>
}

/** Rows of a paged list; `more` fetches the next page, `refresh` starts over. */
export function useRows<T>(path: string, query: Query = {}): Rows<T> {
  const rows = ref([]) as Ref<T[]>
  const loaded = ref(false)
  const loading = ref(false)
  const finished = ref(false)
  const error = ref(false)
  let next = ''
  let turn = 0
  async function load(after: string, mine: number): Promise<void> {
    loading.value = true
    error.value = false
    try {
      const page = await get<Page<T>>(path, { ...query, after, limit: 20 })
      if (mine !== turn) return
      rows.value = after ? [...rows.value, ...page.items] : page.items
      next = page.next ?? ''
      finished.value = !next
      loaded.value = true
    } catch {
      if (mine === turn) error.value = true
    } finally {
      if (mine === turn) loading.value = false
    }
  }
  const refresh = () => load('', ++turn)
  const more = () => (loaded.value ? load(next, turn) : refresh())
  return { rows, loaded, loading, finished, error, more, refresh }
}
