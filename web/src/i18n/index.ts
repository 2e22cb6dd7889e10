// SPDX-License-Identifier: Apache-2.0
/* Two languages. Every text stands as a pair [zh, en] under one key, so that neither is forgotten. The first visit follows
 * the browser, later ones the switch. */
import { computed, type WritableComputedRef } from 'vue'
import { createI18n, useI18n } from 'vue-i18n'
import { common } from './common'
import { dischargeTexts } from './discharge'
import { noticeTexts } from './notices'
import { occupancyTexts } from './occupancy'
import { statementTexts } from './statement'
import { storyTexts } from './story'
import { takenTexts } from './taken'

export type Lang = 'zh' | 'en'
export type Pairs = Record<string, readonly [string, string]>

const STORE = 'even.lang'

function firstLang(): Lang {
  try {
    const kept = localStorage.getItem(STORE)
    if (kept === 'zh' || kept === 'en') return kept
  } catch {
    // Private windows may forbid storage: then the browser's language decides each time.
  }
  const first = navigator.languages?.[0] ?? navigator.language ?? 'zh'
  return first.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

function side(pairs: Pairs, i: 0 | 1): Record<string, string> {
  return Object.fromEntries(Object.entries(pairs).map(([k, v]) => [k, v[i]]))
}

export function makeI18n(own: Pairs) {
  const pairs = { ...common, ...occupancyTexts, ...dischargeTexts, ...storyTexts, ...statementTexts, ...noticeTexts, ...takenTexts, ...own }
  const lang = firstLang()
  document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en'
  return createI18n({
    legacy: false,
    locale: lang,
    fallbackLocale: 'en',
    // Keys are taken as they stand: a dot separates words, not objects.
    messageResolver: (messages, key) => (messages as Record<string, string>)[key] ?? null,
    missingWarn: false,
    fallbackWarn: false,
    messages: { zh: side(pairs, 0), en: side(pairs, 1) },
  })
}

export function useText(): { t: (key: string, named?: Record<string, unknown>) => string; lang: WritableComputedRef<Lang> } {
  const { t, locale } = useI18n({ useScope: 'global' })
  const lang = computed<Lang>({
    get: () => (locale.value === 'zh' ? 'zh' : 'en'),
    set(v) {
      locale.value = v
      document.documentElement.lang = v === 'zh' ? 'zh-CN' : 'en'
      try {
        localStorage.setItem(STORE, v)
      } catch {
        // Not kept; the page at hand is switched all the same.
      }
    },
  })
  return { t: (key, named) => (named ? t(key, named) : t(key)), lang }
}
