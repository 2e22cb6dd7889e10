// SPDX-License-Identifier: Apache-2.0
/* live.ts: one stream of server-sent events. A broken stream is opened again with growing pauses; after each opening
 * but the first, and whenever the page comes back to the foreground, the owner fetches afresh, because events in between are
 * lost for good. Events only say what changed: the rows fetched are the truth. */

export interface LiveEvent {
  order?: string
  payment?: string
  payout?: string
  station?: string
  charger?: string
  connector?: string
  driver?: string
  party?: string
  at_ms?: number
  energy_mwh?: number
  power_w?: number
  cost?: string
  cap?: string
  amount?: string
  soc_pm?: number
  state?: number
  status?: number
  reason?: number
  doubt?: number
}
export type LiveName = 'connector' | 'charger' | 'order' | 'meter' | 'share' | 'wallet' | 'command' | 'payment' | 'payout'
const NAMES: readonly LiveName[] = ['connector', 'charger', 'order', 'meter', 'share', 'wallet', 'command', 'payment', 'payout']

export interface LiveHooks {
  event: (name: LiveName, e: LiveEvent) => void
  refetch: () => void
  online?: (on: boolean) => void
}

/** Opens the stream; the function that comes back closes it. */
export function openLive(path: string, hooks: LiveHooks): () => void {
  let source: EventSource | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let failures = 0
  let opened = false
  let closed = false

  function retry(): void {
    source?.close()
    source = null
    hooks.online?.(false)
    if (closed) return
    const wait = Math.min(30_000, 1000 * 2 ** Math.min(failures++, 5)) * (0.75 + Math.random() / 2)
    clearTimeout(timer)
    timer = setTimeout(open, wait)
  }
  function open(): void {
    if (closed) return
    source?.close()
    source = new EventSource(`/api/v1${path}`)
    source.onopen = () => {
      failures = 0
      hooks.online?.(true)
      if (opened) hooks.refetch()
      opened = true
    }
    source.onerror = retry
    for (const name of NAMES) {
      source.addEventListener(name, (m) => {
        try {
          hooks.event(name, JSON.parse((m as MessageEvent<string>).data) as LiveEvent)
        } catch {
          hooks.refetch() // an event that cannot be read still says that something changed
        }
      })
    }
  }
  function visible(): void {
    if (document.visibilityState !== 'visible') return
    if (!source) {
      failures = 0
      clearTimeout(timer)
      open()
    }
    hooks.refetch()
  }
  document.addEventListener('visibilitychange', visible)
  open()
  return () => {
    closed = true
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', visible)
    source?.close()
  }
}

/** Runs `fn` at once and then at most every `gap` ms, however often it is asked. */
export function throttled(fn: () => void, gap: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let last = 0
  return () => {
    if (timer) return
    const wait = Math.max(0, last + gap - Date.now())
    timer = setTimeout(() => {
      timer = undefined
      last = Date.now()
      fn()
    }, wait)
  }
}
