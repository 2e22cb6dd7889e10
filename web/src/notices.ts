// SPDX-License-Identifier: Apache-2.0
/* notices.ts: what an order's event says of a text to its driver. Its detail is "KIND UNTIL_MS WORD": enum notice_kind, when what
 * it speaks of ends (0 = nothing), and why it was not sent; a provider's own words stay as they are. */
import type { OrderEvent } from '@/gen/api'
import { OE_NOTICE_SENT, OE_NOTICE_UNKNOWN } from '@/gen/enums'
import { shortTime, timeOnly } from '@/format'

type T = (key: string, named?: Record<string, unknown>) => string

export const isNotice = (e: { event: number }) => e.event >= OE_NOTICE_SENT && e.event <= OE_NOTICE_UNKNOWN

export function noticeDetail(e: Pick<OrderEvent, 'detail'>, t: T, lang: string, zone?: string): string {
  const [, kind, until, word] = /^(\d+) (\d+)(?: (\S+))?$/.exec(e.detail) ?? []
  if (!kind) return e.detail
  const at = kind === '5' ? shortTime(Number(until), lang, zone) : timeOnly(Number(until), lang, zone)
  const what = until === '0' ? t(`notice_kind.${kind}`) : t('notice.until', { what: t(`notice_kind.${kind}`), at })
  if (!word) return what
  const why = t(`notice_why.${word}`)
  return t('notice.why', { what, why: why === `notice_why.${word}` ? word : why })
}
