// SPDX-License-Identifier: Apache-2.0
/* client.ts: the one door to /api/v1. It adds the security token to writes and the idempotency key where a row of the
 * route table asks for one, retries an idempotent request when the network (not the server) failed, and turns every failure into a
 * Problem that a person can read in their language, with the cause id that also stands in the server's log. */
import { reactive } from 'vue'
import type { Problem as ProblemBody, Session } from '@/gen/api'
import { PERMISSIONS } from '@/gen/permissions'

export const session = reactive<{ ready: boolean; value: Session | null }>({ ready: false, value: null })

export type Face = 'console' | 'driver' | 'partner'
let face: Face = 'console'
/** Which page this is. The three keep log-ins of their own, so that all can be open in one browser. */
export function setFace(f: Face): void {
  face = f
}

const ROLE_NAMES = ['none', 'admin', 'operator', 'partner', 'driver', 'viewer']

/** Whether the logged-in person may do that; the server decides again. */
export function can(permission: string): boolean {
  return PERMISSIONS[permission]?.includes(ROLE_NAMES[session.value?.role ?? 0] ?? 'none') ?? false
}

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly titleZh: string,
    readonly detail: string,
    readonly pointer: string,
    readonly cause_id: string,
    readonly kind: string,
    readonly detailZh = '',
  ) {
    super(detail ? `${title}: ${detail}` : title)
  }
  text(lang: string): string {
    const head = lang === 'zh' ? this.titleZh || this.title : this.title
    const detail = (lang === 'zh' && this.detailZh) || this.detail
    const where = this.pointer ? ` (${this.pointer})` : ''
    return `${head}${detail ? ` — ${detail}` : ''}${where}`
  }
  /** The server may still come to do it: the same key must be sent again. */
  get open(): boolean {
    return this.status === 0 || this.status >= 500 || this.status === 429
  }
}

export type Query = Record<string, string | number | undefined | null>
export interface Page<T> {
  items: T[]
  next: string
}
export interface Options {
  file?: string | Uint8Array<ArrayBuffer> // a file as it is instead of a body: CSV, if headers say nothing else
  query?: Query
  body?: unknown
  key?: string // Idempotency-Key
  version?: number | string // If-Match
  signal?: AbortSignal
  headers?: Record<string, string>
}

let onLogout: () => void = () => {}
/** Called once when the server says that nobody is logged in any more. */
export function whenLoggedOut(fn: () => void): void {
  onLogout = fn
}

function address(path: string, query?: Query): string {
  const q = new URLSearchParams()
  for (const [k, v] of Object.entries(query ?? {})) if (v !== undefined && v !== null && v !== '') q.set(k, String(v))
  const text = q.toString()
  return `/api/v1${path}${text ? `?${text}` : ''}`
}

async function problemOf(r: Response): Promise<Problem> {
  let b: Partial<ProblemBody> = {}
  try {
    b = (await r.json()) as Partial<ProblemBody>
  } catch {
    // A proxy in between may answer with something else than a problem; the status has to do.
  }
  const fallback = `HTTP ${r.status}`
  return new Problem(r.status, b.title ?? fallback, b.title_zh ?? b.title ?? fallback, b.detail ?? '', b.pointer ?? '',
    b.cause ?? '', b.type ?? '', b.detail_zh ?? '')
}

function networkProblem(): Problem {
  return new Problem(0, 'The server cannot be reached', '无法连接服务器', '', '', '', 'network')
}

function headersOf(method: string, o: Options): Record<string, string> {
  const h: Record<string, string> = { Accept: 'application/json', 'X-Even-Face': face }
  if (o.body !== undefined) h['Content-Type'] = 'application/json'
  if (o.file !== undefined) h['Content-Type'] = 'text/csv'
  if (method !== 'GET' && session.value?.csrf) h['X-CSRF-Token'] = session.value.csrf
  if (o.key) h['Idempotency-Key'] = o.key
  if (o.version !== undefined) h['If-Match'] = `"${o.version}"`
  return { ...h, ...o.headers }
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms))

async function send(method: string, path: string, o: Options): Promise<Response> {
  const repeatable = method === 'GET' || o.key !== undefined
  for (let turn = 0; ; turn++) {
    try {
      return await fetch(address(path, o.query), {
        method,
        headers: headersOf(method, o),
        body: o.file ?? (o.body === undefined ? undefined : JSON.stringify(o.body)),
        credentials: 'same-origin',
        cache: 'no-store',
        signal: o.signal ?? null,
      })
    } catch (e) {
      if (o.signal?.aborted) throw e
      if (!repeatable || turn >= 2) throw networkProblem()
      await pause(400 * (turn + 1))
    }
  }
}

export async function request<T>(method: string, path: string, o: Options = {}): Promise<T> {
  const r = await send(method, path, o)
  if (!r.ok) {
    const p = await problemOf(r)
    if (p.status === 401 && session.value?.kind) {
      session.value = { ...session.value, kind: 0 }
      onLogout()
    }
    throw p
  }
  const text = await r.text()
  return (text ? JSON.parse(text) : {}) as T
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal) =>
  request<T>('GET', path, { query, signal })
export const post = <T>(path: string, body: unknown, o: Options = {}) => request<T>('POST', path, { ...o, body })
export const put = <T>(path: string, body: unknown, version: number | string | undefined) =>
  request<T>('PUT', path, { body, version: version ?? 0 })

/** A file as text: of a route that answers none of our types. */
export async function fetchFile(method: string, path: string, o: Options = {}): Promise<string> {
  const r = await send(method, path, { ...o, headers: { Accept: '*/*', ...o.headers } })
  if (!r.ok) throw await problemOf(r)
  return r.text()
}

/** The pages of a list, up to `most` rows; `cut` says that there are more. */
export async function upTo<T>(path: string, query: Query, most: number): Promise<{ rows: T[]; cut: boolean }> {
  const rows: T[] = []
  let after = ''
  do {
    const page = await get<Page<T>>(path, { ...query, after, limit: 200 })
    rows.push(...page.items)
    after = page.next ?? ''
  } while (after && rows.length < most)
  return { rows, cut: after !== '' }
}
/** The same of a list that is short by its nature: for choices in forms, not for journals. */
export const all = async <T>(path: string, query: Query = {}, most = 2000): Promise<T[]> => (await upTo<T>(path, query, most)).rows

export async function loadSession(): Promise<Session> {
  session.value = await get<Session>('/session')
  session.ready = true
  return session.value
}

/** Takes the answer of a log-in; its token is good for the writes that follow. */
export function takeSession(s: Session): void {
  session.value = s
  session.ready = true
}

export async function logout(): Promise<void> {
  await post('/logout', undefined)
  await loadSession()
}

/** randomUUID exists only on https and loopback; a phone on the local network may come by plain http. */
function newKey(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID()
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, '0')).join('')
}

/** One user action: the key stays the same while the outcome is open and the content unchanged, and is new otherwise. */
export class Action {
  private key = ''
  private finger = ''
  async post<T>(path: string, body: unknown): Promise<T> {
    const finger = `${path} ${JSON.stringify(body)}`
    if (finger !== this.finger || !this.key) {
      this.key = newKey()
      this.finger = finger
    }
    try {
      const made = await post<T>(path, body, { key: this.key })
      this.key = ''
      return made
    } catch (e) {
      if (!(e instanceof Problem && e.open)) this.key = ''
      throw e
    }
  }
}
