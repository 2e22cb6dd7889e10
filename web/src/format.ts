// SPDX-License-Identifier: Apache-2.0
/* format.ts: quantities as text and back. Money comes as a decimal string ("4.00", at most four places) and is counted
 * here in bigint units of 1/10,000; it never becomes a floating-point number. Energy is mWh, power W, price 1/100,000
 * yuan per kWh: integers below 2^53, so numbers are exact; only the last step, the digits on the screen, rounds. */

export const UNIT = 10_000n
const SYMBOL: Record<string, string> = { CNY: '¥', USD: '$', EUR: '€', GBP: '£', JPY: '¥', HKD: 'HK$' }

let zone: string | undefined

/** The name if this browser knows the zone, else nothing. */
function known(name: string | undefined): string | undefined {
  try {
    if (name) new Intl.DateTimeFormat('en', { timeZone: name })
    return name || undefined
  } catch {
    return undefined
  }
}

/** All times are shown in this zone from now on, where no other is given; an unknown name is ignored and the browser's zone stays. */
export function setZone(name: string | undefined): void {
  zone = known(name)
}

/** Exact decimal text with at most four places to units, or null when it is no such thing. */
export function parseMoney(text: string): bigint | null {
  const m = /^\s*(-?)(\d{1,14})(?:\.(\d{0,4}))?\s*$/.exec(text)
  if (!m) return null
  const v = BigInt(m[2]!) * UNIT + BigInt((m[3] ?? '').padEnd(4, '0'))
  return m[1] ? -v : v
}

/** Units as the API writes money: at least two decimals, at most four. */
export function moneyText(v: bigint): string {
  const a = v < 0n ? -v : v
  const frac = (a % UNIT).toString().padStart(4, '0').replace(/0{1,2}$/, '')
  return `${v < 0n ? '-' : ''}${a / UNIT}.${frac}`
}

/** Units of a money string of the API; a broken one counts as zero so that a page never dies of it. */
export function units(text: string | undefined | null): bigint {
  return parseMoney(text ?? '') ?? 0n
}

export function addMoney(...texts: (string | undefined)[]): string {
  return moneyText(texts.reduce((sum, t) => sum + units(t), 0n))
}

export function subMoney(a: string, b: string): string {
  return moneyText(units(a) - units(b))
}

export function cmpMoney(a: string, b: string): number {
  const d = units(a) - units(b)
  return d < 0n ? -1 : d > 0n ? 1 : 0
}

function group(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, ',')
}

export interface MoneyStyle {
  currency?: string
  sign?: boolean // a plus before positive amounts
  bare?: boolean // no currency symbol
}

/** What stands before an amount: "¥", or the code itself. */
export function symbol(currency = 'CNY'): string {
  return SYMBOL[currency] ?? `${currency} `
}

/** Money for people: "¥1,234.50", "−¥0.01", and all four places where the ledger has them. */
export function money(text: string | bigint | undefined | null, style: MoneyStyle = {}): string {
  const v = typeof text === 'bigint' ? text : units(text)
  const plain = moneyText(v < 0n ? -v : v)
  const [whole, frac] = plain.split('.') as [string, string]
  const mark = style.bare ? '' : symbol(style.currency)
  const sign = v < 0n ? '−' : style.sign && v > 0n ? '+' : ''
  return `${sign}${mark}${group(whole)}.${frac}`
}

/** Rounds a whole number of 10^-scale to `places` decimals, half away from zero, as text. */
function decimal(value: number, scale: number, places: number): string {
  let v = BigInt(Math.round(value))
  const neg = v < 0n
  if (neg) v = -v
  const cut = 10n ** BigInt(scale - places)
  const q = (v + cut / 2n) / cut
  const one = 10n ** BigInt(places)
  const frac = places ? `.${(q % one).toString().padStart(places, '0')}` : ''
  return `${neg && q > 0n ? '−' : ''}${group((q / one).toString())}${frac}`
}

/** Energy in kWh, without the unit: 3338000 mWh is "3.338". */
export function kwh(mwh: number | undefined, places = 3): string {
  return decimal(mwh ?? 0, 6, places)
}

/** Power in kW, without the unit. */
export function kw(watt: number | undefined, places = 1): string {
  return decimal(watt ?? 0, 3, places)
}

/** A price in yuan per kWh: at least two decimals, all five where needed. */
export function price(e5: number | undefined): string {
  return decimal(e5 ?? 0, 5, 5).replace(/0{1,3}$/, '')
}

/** Text of a form to 1/100,000 yuan, or null. */
export function parsePrice(text: string): number | null {
  const m = /^\s*(\d{1,4})(?:\.(\d{0,5}))?\s*$/.exec(text)
  return m ? Number(m[1]) * 100_000 + Number((m[2] ?? '').padEnd(5, '0')) : null
}

/** State of charge from per mille; empty where it is not known. */
export function soc(pm: number | undefined): string {
  return pm === undefined || pm < 0 || pm > 1000 ? '' : `${Math.round(pm / 10)}%`
}

export interface Proof {
  energy: string // kWh, all digits
  price: string // yuan per kWh
  exact: string // the product before rounding
  rounded: string // half up to the fen
  holds: boolean // equals the amount that was billed
}

/** Recomputes a fee line: energy × price, rounded half up to the fen, in exact arithmetic. */
export function proveLine(energyMwh: number, priceE5: number, amount: string): Proof {
  const product = BigInt(energyMwh) * BigInt(priceE5) // 10^-11 yuan
  const fen = (product + 500_000_000n) / 1_000_000_000n
  const rounded = moneyText(fen * 100n)
  const digits = product.toString().padStart(12, '0')
  const exact = `${digits.slice(0, -11)}.${digits.slice(-11).replace(/0+$/, '').padEnd(2, '0')}`
  return {
    energy: decimal(energyMwh, 6, 6).replace(/0{1,3}$/, ''),
    price: price(priceE5),
    exact,
    rounded,
    holds: units(rounded) === units(amount),
  }
}

/** How near the cap the cost is, 0 to 1; 0 where there is no cap. */
export function capProgress(cost: string | undefined, cap: string | undefined): number {
  const c = units(cap)
  if (c <= 0n) return 0
  const part = Number((units(cost) * 10_000n) / c) / 10_000
  return Math.min(1, Math.max(0, part))
}

/** Weighted share in per cent with at most two decimals: 333 of 1000 is "33.3%". */
export function percent(part: number, whole: number): string {
  if (whole <= 0) return '—'
  return `${decimal(Math.round((part * 1_000_000) / whole), 4, 2).replace(/\.?0+$/, '')}%`
}

const clocks = new Map<string, Intl.DateTimeFormat>()

function clock(lang: string, kind: string, at: string | undefined, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${lang}|${kind}|${at || zone || ''}`
  let f = clocks.get(key)
  if (!f) {
    f = new Intl.DateTimeFormat(lang === 'zh' ? 'zh-CN' : 'en-GB', { timeZone: known(at) ?? zone, hourCycle: 'h23', ...options })
    clocks.set(key, f)
  }
  return f
}

const DAY: Intl.DateTimeFormatOptions = { year: 'numeric', month: '2-digit', day: '2-digit' }
const TIME: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit' }

/** Date and time to the second; a dash for 0, which stands for "never". A bill names the zone of its station. */
export function dateTime(ms: number | undefined, lang: string, at?: string): string {
  return ms ? clock(lang, 'dt', at, { ...DAY, ...TIME }).format(ms) : '—'
}
/** Month, day, hour, minute. */
export function shortTime(ms: number | undefined, lang: string, at?: string): string {
  return ms ? clock(lang, 'st', at, { month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' }).format(ms) : '—'
}
export function timeOnly(ms: number | undefined, lang: string, at?: string): string {
  return ms ? clock(lang, 't', at, TIME).format(ms) : '—'
}
export function dateOnly(ms: number | undefined, lang: string, at?: string): string {
  return ms ? clock(lang, 'd', at, DAY).format(ms) : '—'
}
/** Minute of the day in a zone: 8:30 is 510. */
export function dayMinute(ms: number, at?: string): number {
  const parts = clock('en', 'dm', at, { hour: '2-digit', minute: '2-digit' }).format(ms).split(':')
  return Number(parts[0]) * 60 + Number(parts[1])
}
/** The zone as people call it, where it is not that of this phone: "GMT+8"; else empty. */
export function zoneNote(ms: number, at: string | undefined, lang: string): string {
  const there = known(at)
  if (!there || dayMinute(ms, there) === dayMinute(ms, Intl.DateTimeFormat().resolvedOptions().timeZone)) return ''
  const parts = new Intl.DateTimeFormat(lang === 'zh' ? 'zh-CN' : 'en-GB', { timeZone: there, timeZoneName: 'short' }).formatToParts(ms)
  return parts.find((p) => p.type === 'timeZoneName')?.value ?? ''
}

/** yyyymmdd of the given instant in the zone that is shown. */
export function dayNumber(ms: number): number {
  const parts = new Intl.DateTimeFormat('en-CA', { timeZone: zone, ...DAY }).format(ms)
  return Number(parts.replace(/-/g, ''))
}

/** "1:05:09" or "5:09". */
export function duration(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000))
  const two = (n: number) => String(n).padStart(2, '0')
  const h = Math.floor(s / 3600)
  return h ? `${h}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`
}

/** Minute of the day as "08:30"; 1440 is "24:00". */
export function minuteText(min: number): string {
  return `${String(Math.floor(min / 60)).padStart(2, '0')}:${String(min % 60).padStart(2, '0')}`
}

/** "08:30" to the minute of the day, or null. */
export function parseMinute(text: string): number | null {
  const m = /^(\d{1,2}):(\d{2})$/.exec(text)
  if (!m || Number(m[1]) > 24 || Number(m[2]) > 59) return null
  const v = Number(m[1]) * 60 + Number(m[2])
  return v <= 1440 ? v : null
}
