// SPDX-License-Identifier: Apache-2.0
/* problem.ts: any failure as one line for people and, beneath it, the cause id that leads to the server's log. */
import { Problem } from '@/api/client'
import { ERRORS } from '@/gen/errors'
import type { Lang } from '@/i18n'

export interface Told {
  text: string
  cause: string
}

export function tell(e: unknown, lang: Lang): Told {
  if (e instanceof Problem) return { text: e.text(lang), cause: e.cause_id }
  return { text: e instanceof Error ? e.message : String(e), cause: '' }
}

/** Text of an ERR_ number that stands in a row (failed start, failed call). */
export function errorText(code: number, lang: Lang): string {
  const row = ERRORS[code]
  return row ? row[lang] : String(code)
}
