// SPDX-License-Identifier: Apache-2.0
// mock.mjs: a small pretend server for work on the faces without the real one. Development only: nothing of it is built
// into dist. It keeps a lively world in memory (three stations, twenty chargers, orders that run) and answers the routes the
// faces use with the same content policy as the server.
//   node dev/mock.mjs --dev            vite on 5173 with /api passed to this server on 8199
//   node dev/mock.mjs --port 8199      serves dist/ as built (--empty: an installation that waits for its set-up)
import { randomUUID } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const web = dirname(dirname(fileURLToPath(import.meta.url)))
const argument = (name, fallback) => {
  const i = process.argv.indexOf(`--${name}`)
  return i < 0 ? fallback : (process.argv[i + 1] ?? true)
}
const dev = process.argv.includes('--dev')
const empty = process.argv.includes('--empty')
const port = Number(argument('port', 8199))
const CSP = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"

// ---- the world ----
let lastId = 7300000000000000
const id = () => String((lastId += 7))
const now = () => Date.now()
const M = (v) => { const a = Math.abs(Math.round(v)); return `${v < 0 ? '-' : ''}${Math.floor(a / 1e4)}.${String(a % 1e4).padStart(4, '0').replace(/0{1,2}$/, '')}` }
const U = (s) => Math.round(Number(s) * 1e4)
const fen = (v) => Math.round(v / 100) * 100
let seed = 42
const rnd = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648
const pick = (a) => a[Math.floor(rnd() * a.length)]

const W = { setup: empty, tenant: null, stations: [], chargers: [], connectors: [], drivers: [], tokens: [], parties: [],
  people: [], keys: [], tariffs: [], contracts: [], orders: [], accounts: [], transfers: [], commands: [], audit: [], idem: new Map() }
const sessions = new Map()
const streams = new Set()

const account = (kind, owner, owner_name) => {
  let a = W.accounts.find((x) => x.kind === kind && x.owner === owner)
  if (!a) W.accounts.push((a = { id: id(), kind, owner, owner_name, currency: 'CNY', in: 0, out: 0, held: 0, version: 1 }))
  return a
}
const balance = (a) => a.in - a.out
function post(code, order_id, note, legs, at = now(), actor_kind = 1) {
  const t = { id: id(), code, order_id, reverses: '0', currency: 'CNY', effective_ms: at, posted_ms: at, note, actor_kind, actor: '0',
    amount: M(legs.reduce((s, l) => s + Math.max(0, l.v), 0)),
    legs: legs.map(({ a, v, party }) => {
      if (v > 0) a.in += v
      else a.out -= v
      a.version++
      return { account: a.id, kind: a.kind, owner_name: a.owner_name, amount: M(v), balance: M(balance(a)), party: party ?? '0' }
    }) }
  W.transfers.unshift(t)
  return t
}
function emit(name, e) {
  for (const s of streams) {
    if (s.driver && e.driver !== s.driver) continue
    if (s.party && !(name === 'share' && e.party === s.party) && name !== 'connector') continue
    s.res.write(`event: ${name}\ndata: ${JSON.stringify({ at_ms: now(), ...e })}\n\n`)
  }
}

function build() {
  W.tenant = { id: id(), name: '示范充电运营', currency: 'CNY', zone: 'Asia/Shanghai', hold_policy: 0, hold_default: '20.00', overrun_policy: 0,
    unknown_policy: 1, suspended_s: 900, low_power_w: 300, start_timeout_s: 60, silence_s: 600, doubt_h: 24, quota_calls_s: 0, version: 1 }
  for (const [kind, name] of [[1, '示范充电运营'], [2, '星河物业'], [3, '湾区代理']])
    W.parties.push({ id: id(), kind, name, state: 0, version: 1 })
  const t1 = { id: id(), family: '', name: '分时电价 2026', from_ms: Date.UTC(2025, 11, 31, 16), created_ms: now() - 9e9,
    days: [{ first_mmdd: 101, last_mmdd: 1231, weekdays: 127, plan: 0 }],
    slices: [[0, '谷', 32000, 38000], [420, '平', 62000, 45000], [600, '峰', 98000, 50000], [720, '平', 62000, 45000], [840, '峰', 98000, 50000],
      [1080, '尖', 125000, 55000], [1260, '平', 62000, 45000], [1380, '谷', 32000, 38000]]
      .map(([from_min, label, elec_e5, service_e5]) => ({ plan: 0, from_min, label, elec_e5, service_e5 })) }
  t1.family = t1.id
  W.tariffs.push(t1)
  const [own, prop, agent] = W.parties
  for (const [name, parties] of [['五五分成', [[own, 5], [prop, 5]]], ['七二一分成', [[own, 70], [prop, 20], [agent, 10]]]]) {
    const c = { id: id(), family: '', name, from_ms: Date.UTC(2025, 11, 31, 16), unit: 100,
      parties: parties.map(([p, ratio]) => ({ party: p.id, party_name: p.name, lines: 7, ratio })) }
    c.family = c.id
    W.contracts.push(c)
  }
  const places = [['南山科技园站', '深圳市南山区科苑路 15 号', 225430000, 1139430000], ['福田中心站', '深圳市福田区深南大道 4001 号', 225410000, 1140570000],
    ['宝安机场站', '深圳市宝安区领航四路', 226390000, 1138100000]]
  places.forEach(([name, address, lat_e7, lng_e7], i) => W.stations.push({ id: id(), name, address, zone: 'Asia/Shanghai', lat_e7: lat_e7 * 1, lng_e7: lng_e7 * 1,
    tariff: t1.family, contract: W.contracts[i ? 0 : 1 - 1].family, seller: '示范充电运营有限公司', tax_bp: 1300, state: 0, version: 1 }))
  for (let i = 0; i < 20; i++) {
    const ykc = i % 3 === 2
    const dc = i % 5 !== 4
    const c = { id: id(), station: W.stations[i % 3].id, path: ykc ? `320106000000${String(10 + i)}` : `SZ-${String(100 + i)}`, protocol: ykc ? 2 : 1,
      name: `${String.fromCharCode(65 + (i % 3))}${Math.floor(i / 3) + 1} 号桩`, vendor: ykc ? '云桩' : pick(['Wallbe', 'StarTec', 'Volta']), model: dc ? 'DC-120' : 'AC-7', serial: `SN${9000 + i}`,
      firmware: '2.4.1', max_power_w: dc ? 120000 : 7000, state: 0, secured: !ykc, online: i !== 13, boot_ms: now() - 8e7 + i * 1e5, flaps: i === 7 ? 9 : 0, version: 1 }
    W.chargers.push(c)
    for (let n = 1; n <= (dc ? 2 : 1); n++)
      W.connectors.push({ id: id(), charger: c.id, number: n, code: `${100000 + i * 11 + n}`, kind: dc ? 2 : 1, max_power_w: c.max_power_w,
        status: i === 13 ? 0 : i === 9 && n === 1 ? 9 : 1, error: i === 9 && n === 1 ? 'OverTemperature' : 'NoError', status_ms: now() - 3e5, order_id: '0', power_w: 0, energy_mwh: 0, soc_pm: -1, cost: 0, cap: 0, version: 1, occupancy: '0', free_ms: 0 })
  }
  W.chargers.push({ id: id(), station: '0', path: 'UNKNOWN-77', protocol: 1, name: '', vendor: 'Acme', model: 'X1', serial: 'X-77', firmware: '1.0', max_power_w: 0, state: 2, secured: false, online: true, boot_ms: now() - 6e4, flaps: 0, version: 1 })
  ;['13800000001', '13900000002', '13700000003', '13600000004', '15000000005'].forEach((phone, i) => addDriver(phone, ['李明', '王芳', '陈强', '赵敏', ''][i], i === 3 ? 4 : 50 + i * 30))
  W.tokens.push({ id: id(), driver: W.drivers[0].id, tag: '04A2BC881F', kind: 1, state: 0, version: 1 })
  for (const [login, name, role, party] of [['admin', '管理员', 1], ['ops', '值班员', 2], ['partner', '星河物业', 3, W.parties[1].id], ['viewer', '审计', 5]])
    W.people.push({ id: id(), login, name, role, party: party ?? '0', station: '0', state: 0, version: 1 })
  W.keys.push({ id: id(), name: '财务对账', role: 5, station: '0', quota_s: 20, state: 0, created_ms: now() - 8e8, version: 1 })
  for (let i = 0; i < 70; i++) history(now() - (70 - i) * 2.1e6 - 1e6)
  const d = W.orders.slice(3, 6)
  d.forEach((o, i) => Object.assign(o, { state: 10, doubt: [3, 5, 1][i], doubt_mwh: 1200000 * (i + 1), decide_ms: now() + 6e7 * (i + 0.4) }))
  const failed = history(now() - 5e5)
  Object.assign(failed, { state: 9, fail: -33, energy_mwh: 0, total: 0, paid: 0, lines: [], parts: [], stop_reason: 0 })
  for (let i = 0; i < 9; i++) startOrder(pick(W.drivers.slice(0, 3)), pick(free()), pick([100000, 200000, 500000]), now() - Math.floor(rnd() * 8e5))
}
const free = () => W.connectors.filter((c) => c.status === 1 && c.order_id === '0')
function addDriver(phone, name, yuan) {
  const d = { id: id(), phone, name, state: 0, version: 1, created_ms: now() - 4e9 * rnd() }
  W.drivers.push(d)
  account(2, d.id, phone)
  if (yuan) topup(d, yuan * 1e4, '开户充值', now() - 2e8)
  return d
}
const topup = (d, v, note, at) => post(1, '0', note, [{ a: account(1, '0', W.tenant.name), v: -v }, { a: account(2, d.id, d.phone), v }], at, 2)
const chargerOf = (k) => W.chargers.find((c) => c.id === k.charger)
const stationOf = (c) => W.stations.find((s) => s.id === c.station)
const tariffNow = (at) => {
  const min = Math.floor(((at + 8 * 36e5) % 864e5) / 6e4)
  return [...W.tariffs[0].slices].reverse().find((s) => s.plan === 0 && s.from_min <= min)
}
const event = (o, ev, state, detail = '', at = now(), actor_kind = 1) => {
  o.state = state
  o.events.push({ seq: o.events.length + 1, at_ms: at, state, event: ev, detail, actor_kind, actor: '0', cause: (BigInt(Math.floor(at)) << 16n).toString(16).padStart(16, '0') })
}
function startOrder(d, k, cap, at = now()) {
  const c = chargerOf(k)
  const s = stationOf(c)
  const o = { id: id(), kind: 1, payer_kind: d ? 1 : 0, driver: d?.id ?? '0', station: s.id, charger: c.id, connector: k.id, state: 1, started_by: d ? 1 : 4, cap, energy_mwh: 0,
    total: 0, paid: 0, loss: 0, stop_reason: 0, fail: 0, doubt: 0, doubt_mwh: 0, decide_ms: 0, estimated: 0, created_ms: at, start_ms: 0, end_ms: 0, settled_ms: 0,
    lines: [], parts: [], events: [], holds: [], samples: [], soc: 200 + Math.floor(rnd() * 400), power: 0, meter0: 120000000 + Math.floor(rnd() * 1e9), tx: W.orders.length + 1 }
  W.orders.unshift(o)
  event(o, 1, 1, '', at, d ? 3 : 2)
  if (d) {
    account(2, d.id).held += cap
    o.holds.push({ id: id(), account: account(2, d.id).id, amount: cap, captured: 0, released: 0, state: 1, created_ms: at, resolved_ms: 0 })
  }
  event(o, 2, 2, '', at + 20)
  event(o, 3, 3, 'RemoteStartTransaction', at + 40)
  k.order_id = o.id
  k.cap = cap
  k.status = 2
  k.cost = 0
  k.energy_mwh = 0
  W.commands.unshift({ id: id(), charger: c.id, connector: k.number, order_id: o.id, action: 'RemoteStartTransaction', payload: JSON.stringify({ connectorId: k.number, idTag: 'EV' + o.id.slice(-8) }), state: 3, result: '{"status":"Accepted"}', status: 'Accepted', err: 0, created_ms: at, sent_ms: at + 4, done_ms: at + 160 })
  o.goAt = at + 3000
  return o
}
function advance(o, at, dt) {
  const k = W.connectors.find((x) => x.id === o.connector)
  if (o.state === 3 && at >= o.goAt) {
    event(o, 4, 3, 'Accepted', at - 2000)
    event(o, 7, 4, `tx ${o.tx}`, at)
    o.start_ms = at
    k.status = 3
  }
  if (o.state !== 4) return
  const ramp = Math.min(1, (at - o.start_ms) / 12000)
  const taper = o.soc > 800 ? Math.max(0.15, (1000 - o.soc) / 200) : 1
  o.power = Math.round(k.max_power_w * 0.97 * ramp * taper)
  const e = Math.round((o.power * dt) / 3600)
  const p = tariffNow(at)
  let line = o.lines.at(-2)
  if (!line || line.label !== p.label)
    for (const kind of [1, 2])
      o.lines.push({ seq: o.lines.length + 1, kind, label: p.label, from_ms: at, to_ms: at, energy_mwh: 0, price_e5: kind === 1 ? p.elec_e5 : p.service_e5, amount: 0 })
  for (const l of o.lines.slice(-2)) Object.assign(l, { energy_mwh: l.energy_mwh + e, to_ms: at, amount: fen(((l.energy_mwh + e) * l.price_e5) / 1e7) })
  o.energy_mwh += e
  o.soc = Math.min(1000, o.soc + e / 60000)
  o.total = o.lines.reduce((s, l) => s + l.amount, 0)
  if (o.samples.length < 900) o.samples.push({ at_ms: at, energy_mwh: o.meter0 + o.energy_mwh, power_w: o.power, soc_pm: Math.round(o.soc), voltage_mv: 420000, current_ma: Math.round(o.power / 0.42) })
  Object.assign(k, { power_w: o.power, energy_mwh: o.energy_mwh, soc_pm: Math.round(o.soc), cost: o.total, status: 3 })
  if (o.cap && o.total >= o.cap - 500) stopOrder(o, 2, at)
  else if (o.soc >= 990) stopOrder(o, 3, at)
}
function stopOrder(o, reason, at = now()) {
  const k = W.connectors.find((x) => x.id === o.connector)
  o.stop_reason = reason
  event(o, 10, 6, 'RemoteStopTransaction', at)
  event(o, 13, 7, '', at + 900)
  o.end_ms = at + 900
  if (o.cap) o.total = Math.min(o.total, o.cap)
  settle(o, at + 950)
  Object.assign(k, { order_id: '0', power_w: 0, status: 6, cap: 0 })
  setTimeout(() => { if (k.status === 6) { k.status = 1; emit('connector', { connector: k.id, status: 1 }) } }, 6000).unref()
}
function settle(o, at) {
  const s = W.stations.find((x) => x.id === o.station)
  const c = W.contracts.find((x) => x.family === s.contract)
  const diff = o.lines.reduce((t, l) => t + l.amount, 0) - o.total
  if (diff && o.lines.length) o.lines.at(-1).amount -= diff
  o.paid = o.payer_kind ? o.total : 0
  o.settled_ms = at
  if (o.paid) {
    const w = account(2, o.driver)
    w.held -= o.cap
    Object.assign(o.holds[0], { captured: o.paid, released: o.cap - o.paid, state: 2, resolved_ms: at })
    const sums = {}
    for (const kind of [1, 2]) {
      const base = o.lines.filter((l) => l.kind === kind).reduce((t, l) => t + l.amount, 0)
      const ratio_sum = c.parties.reduce((t, p) => t + p.ratio, 0)
      let left = base
      c.parties.forEach((p, i) => {
        const v = i === c.parties.length - 1 ? left : Math.min(left, fen((base * p.ratio) / ratio_sum))
        left -= v
        sums[p.party] = (sums[p.party] ?? 0) + v
        const own = W.parties.find((x) => x.id === p.party).kind === 1
        o.parts.push({ seq: o.parts.length + 1, party: p.party, party_name: p.party_name, account: account(own ? 7 : 5, p.party, p.party_name).id, fee_kind: kind, base, ratio: p.ratio, ratio_sum, amount: v })
      })
    }
    const t = post(2, o.id, '', [{ a: w, v: -o.paid }, ...Object.entries(sums).map(([party, v]) => ({ a: W.accounts.find((a) => a.owner === party && (a.kind === 5 || a.kind === 7)), v, party }))], at)
    o.transfer = t.id
    for (const [party, v] of Object.entries(sums)) emit('share', { party, order: o.id, station: o.station, amount: M(v) })
    emit('wallet', { driver: o.driver })
  }
  event(o, 14, 8, '', at)
  emit('order', { order: o.id, driver: o.driver, state: 8, station: o.station, connector: o.connector, cost: M(o.total), reason: o.stop_reason })
}
function history(at) {
  const k = pick(free())
  const o = startOrder(pick(W.drivers.slice(0, 3)), k, pick([100000, 200000, 50000]), at)
  const w = account(2, o.driver)
  if (balance(w) < 6e5) topup(W.drivers.find((d) => d.id === o.driver), 2e6, '线下充值', at - 5e4)
  let t = at
  while (o.state < 7 && t < at + 4e6) advance(o, (t += 10000), 10000 * 0.9)
  if (o.state < 7) stopOrder(o, 1, t)
  k.status = 1
  return o
}
if (!empty) build()
setInterval(() => {
  for (const o of W.orders) {
    if (![3, 4].includes(o.state)) continue
    const before = o.state
    advance(o, now(), 1000)
    const k = W.connectors.find((x) => x.id === o.connector)
    const e = { order: o.id, driver: o.driver, station: o.station, charger: o.charger, connector: o.connector, energy_mwh: o.energy_mwh, power_w: o.power, soc_pm: Math.round(o.soc), cost: M(o.total), cap: M(o.cap), state: o.state }
    if (o.state !== before) { emit('order', e); emit('connector', { connector: k.id, status: k.status, order: o.id, cap: M(o.cap) }) }
    else if (o.state === 4) emit('meter', e)
  }
  if (!empty && W.orders.filter((o) => o.state === 4).length < 7 && free().length) startOrder(W.drivers[0], pick(free()), 200000)
}, 1000).unref()

// ---- rows as the API shows them ----
const mask = (p) => p.replace(/^(\d{3})\d+(\d{4})$/, '$1****$2')
const orderRow = (o) => {
  const c = W.chargers.find((x) => x.id === o.charger)
  const d = W.drivers.find((x) => x.id === o.driver)
  return { id: o.id, kind: 1, payer_kind: o.payer_kind, driver: o.driver, driver_phone: d ? mask(d.phone) : '', station: o.station, station_name: stationOf(c).name, zone: stationOf(c).zone, charger: c.id, charger_name: c.name,
    connector: o.connector, connector_number: W.connectors.find((k) => k.id === o.connector).number, state: o.state, started_by: o.started_by, cap: M(o.cap), energy_mwh: o.energy_mwh, total: M(o.state >= 7 ? o.total : 0),
    paid: M(o.paid), loss: M(o.loss), stop_reason: o.stop_reason, fail: o.fail, doubt: o.doubt, estimated: 0, created_ms: o.created_ms, start_ms: o.start_ms, end_ms: o.end_ms, settled_ms: o.settled_ms }
}
const orderFull = (o, staff) => {
  const sum = (k) => M(o.lines.filter((l) => l.kind === k).reduce((t, l) => t + l.amount, 0))
  const live = o.state < 7 && o.state > 2
  return { order: orderRow(o), tariff: W.tariffs[0].id, contract: staff ? W.contracts[0].id : '0', currency: 'CNY', seller: '示范充电运营有限公司', tax_bp: 1300, elec: sum(1), service: sum(2), occupancy: '0.00',
    doubt_mwh: o.doubt_mwh, decide_ms: o.decide_ms, ...(live ? { live_power_w: o.power, live_energy_mwh: o.energy_mwh, live_cost: M(o.total), live_soc_pm: Math.round(o.soc) } : {}),
    lines: o.state >= 7 ? o.lines.map((l) => ({ ...l, amount: M(l.amount) })) : [],
    sessions: o.start_ms ? [{ id: id(), tx: o.tx, tx_no: '', state: live ? 1 : 2, meter_start: o.meter0, meter_last: o.meter0 + o.energy_mwh, meter_stop: live ? -1 : o.meter0 + o.energy_mwh, energy_mwh: o.energy_mwh, power_w: o.power, soc_pm: Math.round(o.soc), evidence: o.doubt ? 16 : 0, start_ms: o.start_ms, last_ms: o.end_ms || now(), charger_start_ms: o.start_ms - 400, charger_stop_ms: o.end_ms, end_ms: o.end_ms, stop_text: 'Remote', record_amount: '0.00' }] : [],
    parts: staff ? o.parts.map((p) => ({ ...p, base: M(p.base), amount: M(p.amount) })) : [], events: o.events, holds: o.holds.map((h) => ({ ...h, amount: M(h.amount), captured: M(h.captured), released: M(h.released) })),
    rule: '0', occupancy_rule: [], links: [], now_ms: now(),
    transfers: staff ? W.transfers.filter((t) => t.order_id === o.id) : [], commands: staff ? W.commands.filter((c) => c.order_id === o.id) : [] }
}
const accountRow = (a) => ({ id: a.id, kind: a.kind, owner: a.owner, owner_name: a.owner_name, currency: a.currency, posted_in: M(a.in), posted_out: M(a.out), held: M(a.held), balance: M(balance(a)), version: a.version })
const statement = (ids) => W.transfers.flatMap((t) => t.legs.filter((l) => ids.includes(l.account)).map((l) => ({ transfer: t.id, code: t.code, order_id: t.order_id, amount: l.amount, balance: l.balance, posted_ms: t.posted_ms, note: t.note })))
const connectorRow = (k) => {
  const c = chargerOf(k)
  const s = stationOf(c)
  return { ...k, station: s.id, station_name: s.name, charger_name: c.name, path: c.path, protocol: c.protocol, cost: M(k.cost), cap: M(k.cap) }
}
const midnight = () => now() - ((now() + 8 * 36e5) % 864e5)
const today = () => W.orders.filter((o) => o.end_ms >= midnight() && o.state !== 9)
const driverRow = (d) => {
  const a = account(2, d.id)
  return { ...d, phone: mask(d.phone), balance: M(balance(a)), held: M(a.held), debt: '0.00', orders: W.orders.filter((o) => o.driver === d.id).length }
}
const partyRow = (p) => ({ ...p, pending: M(balance(account(5, p.id, p.name))), available: M(balance(account(6, p.id, p.name)) + (p.kind === 1 ? balance(account(7, p.id, p.name)) : 0)) })

class Fail extends Error { constructor(status, title, title_zh, detail = '', pointer = '') { super(title); Object.assign(this, { status, title, title_zh, detail, pointer }) } }
const need = (x) => { if (!x) throw new Fail(404, 'Not found', '不存在'); return x }
const list = (rows, q) => {
  const limit = Number(q.get('limit') ?? 50)
  const at = q.get('after') ? rows.findIndex((r) => String(r.id ?? r.transfer ?? r.order_id) === q.get('after')) + 1 : 0
  const items = rows.slice(at, at + limit)
  return { items, next: at + limit < rows.length ? String(items.at(-1).id ?? items.at(-1).transfer ?? items.at(-1).order_id) : '' }
}
const made = (x) => ({ id: x.id, version: x.version ?? 1 })
const by = (rows, k) => need(rows.find((r) => r.id === k))
function log(s, action, object, detail = '') {
  W.audit.unshift({ id: id(), actor_kind: s.kind, actor: s.actor, actor_name: s.name, action, object, detail, outcome: 0, cause: Math.floor(rnd() * 2 ** 40).toString(16).padStart(16, '0'), at_ms: now() })
}

// ---- routes ----
const R = []
const on = (method, path, fn) => R.push({ method, re: new RegExp(`^/api/v1${path.replace(/\{\w+\}/g, '([^/]+)')}$`), fn })
const crud = (path, rows, extra = {}) => {
  on('GET', path, ({ q }) => list(W[rows].filter(extra.filter?.(q) ?? (() => true)).map(extra.row ?? ((x) => x)), q))
  on('POST', path, ({ b, s }) => { const x = { state: 0, version: 1, created_ms: now(), ...b, id: id() }; delete x.password; extra.made?.(x); W[rows].unshift(x); log(s, `${rows}.create`, x.id); return made(x) })
  if (!extra.noGet) on('GET', `${path}/{id}`, ({ p }) => (extra.one ?? extra.row ?? ((x) => x))(by(W[rows], p[0])))
  on('PUT', `${path}/{id}`, ({ p, b, req, s }) => {
    const x = by(W[rows], p[0])
    if (req.headers['if-match'] !== `"${x.version}"`) throw new Fail(412, 'Changed by somebody else meanwhile', '数据已被他人修改')
    Object.assign(x, b, { id: x.id, version: x.version + 1 })
    log(s, `${rows}.change`, x.id)
    return made(x)
  })
}
const nobody = () => ({ kind: 0, actor: '0', name: '', role: 0, tenant: '0', tenant_name: W.tenant?.name ?? '', currency: 'CNY', zone: 'Asia/Shanghai', csrf: '', ...(W.setup ? { setup: true } : {}) })
const open = (ctx, s) => {
  const token = randomUUID()
  const full = { tenant: W.tenant.id, tenant_name: W.tenant.name, currency: 'CNY', zone: 'Asia/Shanghai', csrf: randomUUID(), party: '0', ...s }
  sessions.set(token, full)
  ctx.cookie = token
  return full
}
on('GET', '/session', ({ s }) => s)
on('POST', '/setup', (ctx) => {
  build()
  W.setup = false
  W.tenant.name = ctx.b.tenant_name
  return open(ctx, { kind: 2, actor: W.people[0].id, name: ctx.b.name, role: 1 })
})
on('POST', '/login', (ctx) => {
  const x = W.people.find((y) => y.login === ctx.b.login)
  if (!x || ctx.b.password !== 'demo-password') throw new Fail(401, 'Name or password is wrong', '账号或密码错误')
  return open(ctx, { kind: 2, actor: x.id, name: x.name, role: x.role, party: x.party })
})
on('POST', '/logout', (ctx) => { sessions.delete(ctx.token); return { id: '0' } })
on('GET', '/driver/operators', () => ({ items: [{ id: W.tenant.id, name: W.tenant.name }, { id: '2', name: '城东能源' }], next: '' }))
on('POST', '/driver/code', () => ({ sent: true, demo_code: '246810' }))
on('POST', '/driver/login', (ctx) => {
  if (ctx.b.code !== '246810') throw new Fail(401, 'Name or password is wrong', '账号或密码错误')
  const d = W.drivers.find((x) => x.phone === ctx.b.phone) ?? addDriver(ctx.b.phone, '', 0)
  return open(ctx, { kind: 3, actor: d.id, name: d.name, role: 4 })
})
on('GET', '/codes/{c}', ({ p }) => {
  const k = need(W.connectors.find((x) => x.code === p[0]))
  const c = chargerOf(k)
  const s = stationOf(c)
  const t = tariffNow(now())
  return { id: k.id, code: k.code, station_name: s.name, address: s.address, charger_name: c.name, number: k.number, kind: k.kind, max_power_w: k.max_power_w, status: k.status, elec_e5: t.elec_e5, service_e5: t.service_e5, label: t.label, until_ms: now() + 4e6, currency: 'CNY', tenant: W.tenant.id, zone: s.zone, slices: W.tariffs[0].slices.map(({ from_min, label, elec_e5, service_e5 }) => ({ from_min, label, elec_e5, service_e5 })) }
})
on('GET', '/me', ({ s }) => {
  const d = by(W.drivers, s.actor)
  const a = account(2, d.id)
  return { id: d.id, name: d.name, phone: d.phone, balance: M(balance(a)), held: M(a.held), available: M(balance(a) - a.held), debt: '0.00', currency: 'CNY', order: W.orders.find((o) => o.driver === d.id && o.state < 7)?.id ?? '0', occupancy: '0' }
})
on('GET', '/me/orders', ({ s, q }) => list(W.orders.filter((o) => o.driver === s.actor).map(orderRow), q))
on('POST', '/me/orders', ({ s, b }) => {
  const d = by(W.drivers, s.actor)
  const k = need(W.connectors.find((x) => x.code === b.code))
  const cap = U(b.cap)
  if (k.status === 9) throw new Fail(409, 'The charger reports a fault', '充电桩故障')
  if (k.order_id !== '0') throw new Fail(409, 'Busy', '正忙')
  const a = account(2, d.id)
  if (balance(a) - a.held < cap) throw new Fail(402, 'The balance is too small', '余额不足')
  return made(startOrder(d, k, cap))
})
on('GET', '/me/orders/{id}', ({ p }) => orderFull(by(W.orders, p[0]), false))
on('POST', '/me/orders/{id}/stop', ({ p }) => { const o = by(W.orders, p[0]); if (o.state === 4) stopOrder(o, 1); return made(o) })
on('GET', '/me/statement', ({ s, q }) => list(statement([account(2, s.actor).id]), q))
const shares = (party) => W.orders.filter((o) => o.settled_ms).flatMap((o) => o.parts.filter((x) => x.party === party).map((x) => ({ order_id: o.id, at_ms: o.settled_ms, station: o.station, station_name: W.stations.find((y) => y.id === o.station).name, zone: 'Asia/Shanghai', energy_mwh: o.energy_mwh, total: M(o.total), fee_kind: x.fee_kind, base: M(x.base), ratio: x.ratio, ratio_sum: x.ratio_sum, amount: M(x.amount), transfer: o.transfer ?? '0' })))
const sumM = (rows) => M(rows.reduce((t, r) => t + U(r.amount), 0))
on('GET', '/partner', ({ s }) => {
  const p = by(W.parties, s.party)
  const t = shares(p.id).filter((x) => x.at_ms >= midnight())
  return { party: p.id, name: p.name, currency: 'CNY', pending: partyRow(p).pending, available: partyRow(p).available, today: sumM(t), today_orders: new Set(t.map((x) => x.order_id)).size, month: sumM(shares(p.id)) }
})
on('GET', '/partner/stations', ({ s }) => ({ items: W.stations.map((x) => {
  const ks = W.connectors.filter((k) => chargerOf(k).station === x.id)
  const os = today().filter((o) => o.station === x.id)
  return { id: x.id, name: x.name, connectors: ks.length, charging: ks.filter((k) => k.status === 3).length, faulted: ks.filter((k) => k.status === 9).length, today_orders: os.length, today_energy_mwh: os.reduce((t, o) => t + o.energy_mwh, 0), today_share: sumM(shares(s.party).filter((y) => y.station === x.id && y.at_ms >= midnight())) }
}), next: '' }))
on('GET', '/partner/shares', ({ s, q }) => list(shares(s.party), q))
on('GET', '/partner/contracts', ({ s }) => ({ items: W.contracts.flatMap((c) => c.parties.filter((x) => x.party === s.party).map((x) => ({ id: c.id, name: c.name, from_ms: c.from_ms, lines: x.lines, ratio: x.ratio, ratio_sum: c.parties.reduce((t, y) => t + y.ratio, 0) }))), next: '' }))
on('GET', '/partner/statement', ({ s, q }) => list(statement([account(5, s.party).id]), q))
on('GET', '/overview', () => ({ stations: W.stations.length, chargers: W.chargers.length, chargers_online: W.chargers.filter((c) => c.online).length, connectors: W.connectors.length, charging: W.connectors.filter((k) => k.status === 3).length, faulted: W.connectors.filter((k) => k.status === 9).length,
  orders_today: today().length, energy_today_mwh: today().reduce((t, o) => t + o.energy_mwh, 0), paid_today: M(today().reduce((t, o) => t + o.paid, 0)), drivers: W.drivers.length, held_orders: W.orders.filter((o) => o.state === 10).length, waiting_chargers: W.chargers.filter((c) => c.state === 2).length }))
on('GET', '/tenant', () => W.tenant)
on('GET', '/texts', () => ({ ready: true, demo: true, kind: '', problem: '', sent: 0, refused: 0, unknown: 0, per_hour: 600, last_hour: 3 }))
on('PUT', '/tenant', ({ b }) => { Object.assign(W.tenant, b, { version: W.tenant.version + 1 }); return made(W.tenant) })
crud('/stations', 'stations', { one: (x) => x, row: (x) => {
  const cs = W.chargers.filter((c) => c.station === x.id)
  const ks = W.connectors.filter((k) => chargerOf(k).station === x.id)
  const os = today().filter((o) => o.station === x.id)
  const { id: i, name, address, state, lat_e7, lng_e7, version } = x
  return { id: i, name, address, state, lat_e7, lng_e7, version, chargers: cs.length, connectors: ks.length, charging: ks.filter((k) => k.status === 3).length, faulted: ks.filter((k) => k.status === 9).length, offline: cs.filter((c) => !c.online).length, today_orders: os.length, today_energy_mwh: os.reduce((t, o) => t + o.energy_mwh, 0), today_paid: M(os.reduce((t, o) => t + o.paid, 0)) }
} })
crud('/chargers', 'chargers', { filter: (q) => (c) => (!q.get('station') || c.station === q.get('station')) && (!q.get('state') || String(c.state) === q.get('state')), made: (c) => Object.assign(c, { online: false, secured: false, boot_ms: 0, flaps: 0 }) })
on('POST', '/chargers/{id}/secret', ({ p }) => { by(W.chargers, p[0]).secured = true; return { secret: randomUUID().replaceAll('-', '').slice(0, 20) } })
on('POST', '/chargers/{id}/calls', ({ p, b }) => {
  const c = by(W.chargers, p[0])
  if (!c.online) throw new Fail(409, 'The charger is offline', '充电桩离线')
  const x = { id: id(), charger: c.id, connector: b.connector ?? 0, order_id: '0', action: b.action, payload: JSON.stringify(b.payload), state: 2, result: '', status: '', err: 0, created_ms: now(), sent_ms: now(), done_ms: 0 }
  W.commands.unshift(x)
  setTimeout(() => {
    const result = b.action === 'GetConfiguration' ? { configurationKey: [['HeartbeatInterval', false, '300'], ['MeterValueSampleInterval', false, '15'], ['ConnectorPhaseRotation', true, 'NotApplicable'], ['SupportedFeatureProfiles', true, 'Core,SmartCharging']].map(([key, readonly, value]) => ({ key, readonly, value })), unknownKey: [] } : { status: 'Accepted' }
    Object.assign(x, { state: 3, status: result.status ?? '', result: JSON.stringify(result), done_ms: now() })
    emit('command', { charger: c.id })
  }, 700)
  return made(x)
})
on('GET', '/chargers/{id}/calls', ({ p, q }) => list(W.commands.filter((c) => c.charger === p[0]), q))
on('GET', '/commands/{id}', ({ p }) => by(W.commands, p[0]))
on('GET', '/connectors', ({ q }) => ({ items: W.connectors.filter((k) => (!q.get('charger') || k.charger === q.get('charger')) && (!q.get('station') || chargerOf(k).station === q.get('station'))).map(connectorRow), next: '' }))
on('POST', '/connectors', ({ b }) => { const k = { status: 0, error: '', status_ms: 0, order_id: '0', power_w: 0, energy_mwh: 0, soc_pm: -1, cost: 0, cap: 0, version: 1, ...b, id: id(), code: String(200000 + W.connectors.length) }; W.connectors.push(k); return made(k) })
on('PUT', '/connectors/{id}', ({ p, b }) => { const k = by(W.connectors, p[0]); Object.assign(k, b, { id: k.id, version: k.version + 1 }); return made(k) })
on('GET', '/connectors/{id}/qr.svg', () => ({ svg: "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 21 21' shape-rendering='crispEdges'><path fill='#fff' d='M0 0h21v21H0z'/>" + Array.from({ length: 190 }, () => `<rect x='${1 + Math.floor(rnd() * 19)}' y='${1 + Math.floor(rnd() * 19)}' width='1' height='1'/>`).join('') + '</svg>' }))
crud('/drivers', 'drivers', { row: driverRow, filter: (q) => (d) => !q.get('phone') || d.phone.includes(q.get('phone')) })
on('POST', '/drivers/{id}/topups', ({ p, b }) => { const t = topup(by(W.drivers, p[0]), U(b.amount), b.note ?? ''); emit('wallet', { driver: p[0] }); return { id: t.id } })
on('GET', '/drivers/{id}/statement', ({ p, q }) => list(statement([account(2, p[0]).id]), q))
crud('/tokens', 'tokens', { noGet: true, filter: (q) => (t) => !q.get('driver') || t.driver === q.get('driver') })
crud('/parties', 'parties', { noGet: true, row: partyRow })
crud('/people', 'people', { noGet: true })
on('GET', '/keys', ({ q }) => list(W.keys, q))
on('POST', '/keys', ({ b }) => { const k = { state: 0, version: 1, created_ms: now(), station: '0', quota_s: 0, ...b, id: id() }; W.keys.unshift(k); return { id: k.id, key: `ev_${randomUUID()}` } })
on('POST', '/keys/{id}/revoke', ({ p }) => { by(W.keys, p[0]).state = 1; return { id: p[0] } })
for (const [path, rows, n] of [['/tariffs', 'tariffs', 'slices'], ['/contracts', 'contracts', 'parties']]) {
  on('GET', path, ({ q }) => list(W[rows].map((t) => ({ id: t.id, family: t.family, name: t.name, from_ms: t.from_ms, created_ms: t.created_ms, unit: t.unit, [n]: t[n].length })), q))
  on('POST', path, ({ b }) => { const t = { created_ms: now(), ...b, id: id() }; if (!b.family || b.family === '0') t.family = t.id; t.parties?.forEach((x) => (x.party_name = by(W.parties, x.party).name)); W[rows].unshift(t); return { id: t.id } })
  on('GET', `${path}/{id}`, ({ p }) => by(W[rows], p[0]))
}
on('GET', '/orders', ({ q }) => list(W.orders.filter((o) => ['state', 'station', 'driver', 'connector'].every((f) => !q.get(f) || String(o[f]) === q.get(f)) && (!q.get('from') || o.created_ms >= Number(q.get('from'))) && (!q.get('to') || o.created_ms < Number(q.get('to')))).map(orderRow), q))
on('POST', '/orders', ({ b }) => {
  const k = by(W.connectors, b.connector)
  if (k.order_id !== '0') throw new Fail(409, 'Busy', '正忙')
  return made(startOrder(b.driver && b.driver !== '0' ? by(W.drivers, b.driver) : null, k, U(b.cap ?? '0')))
})
on('GET', '/orders/held', ({ q }) => list(W.orders.filter((o) => o.state === 10).map(orderRow), q))
on('GET', '/orders/{id}', ({ p }) => orderFull(by(W.orders, p[0]), true))
on('POST', '/orders/{id}/stop', ({ p }) => { const o = by(W.orders, p[0]); if (o.state === 4) stopOrder(o, 5); return made(o) })
on('POST', '/orders/{id}/decide', ({ p, b }) => { const o = by(W.orders, p[0]); o.doubt = 0; event(o, 16, 8, b.accept ? 'accepted' : 'dropped', now(), 2); return made(o) })
on('GET', '/orders/{id}/samples', ({ p }) => ({ items: by(W.orders, p[0]).samples, next: '' }))
on('GET', '/accounts', ({ q }) => list(W.accounts.filter((a) => !q.get('kind') || String(a.kind) === q.get('kind')).map(accountRow), q))
on('GET', '/accounts/{id}', ({ p }) => accountRow(by(W.accounts, p[0])))
on('GET', '/accounts/{id}/statement', ({ p, q }) => list(statement([p[0]]), q))
on('GET', '/transfers', ({ q }) => list(W.transfers.filter((t) => ['order', 'code'].every((f) => !q.get(f) || String(f === 'order' ? t.order_id : t.code) === q.get(f))).map(({ legs, ...t }) => t), q))
on('GET', '/transfers/{id}', ({ p }) => by(W.transfers, p[0]))
on('GET', '/ledger/trial', () => {
  const kinds = [...new Set(W.accounts.map((a) => a.kind))].sort((a, b) => a - b)
  return { rows: kinds.map((kind) => { const as = W.accounts.filter((a) => a.kind === kind); const s = (f) => M(as.reduce((t, a) => t + f(a), 0)); return { kind, currency: 'CNY', accounts: as.length, posted_in: s((a) => a.in), posted_out: s((a) => a.out), held: s((a) => a.held), balance: s(balance) } }), sum: M(W.accounts.reduce((t, a) => t + balance(a), 0)), as_of_ms: now() }
})
on('GET', '/stats/days', ({ q }) => ({ items: Array.from({ length: 30 }, (_, i) => {
  const day = Number(new Date(now() + 8 * 36e5 - (29 - i) * 864e5).toISOString().slice(0, 10).replaceAll('-', ''))
  return W.stations.map((s, j) => { const n = 20 + ((i * 7 + j * 13) % 25); const e = n * 9000000; return { day, station: s.id, station_name: s.name, orders: n, energy_mwh: e, elec: M(e * 0.0062), service: M(e * 0.0045), occupancy: '0.00', paid: M(e * 0.0107), loss: '0.00', minutes: n * 31 } })
}).flat().filter((r) => (!q.get('station') || r.station === q.get('station')) && r.day >= Number(q.get('from') ?? 0) && r.day <= Number(q.get('to') ?? 99999999)), next: '' }))
on('GET', '/audit', ({ q }) => list(W.audit.filter((a) => !q.get('cause') || a.cause === q.get('cause').toLowerCase()), q))

// ---- the server ----
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.png': 'image/png' }
function stream(s, req, res) {
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
  res.write(': hello\n\n')
  const x = { res, driver: s.kind === 3 ? s.actor : null, party: s.role === 3 ? s.party : null }
  streams.add(x)
  req.on('close', () => streams.delete(x))
}
async function api(req, res, url) {
  const face = url.pathname.startsWith('/api/v1/me') ? 'driver' : url.pathname.startsWith('/api/v1/partner') ? 'partner' : (req.headers['x-even-face'] ?? 'console')
  const token = new RegExp(`(?:^|; )even_${face}=([^;]+)`).exec(req.headers.cookie ?? '')?.[1]
  const s = sessions.get(token) ?? nobody()
  if (/^\/api\/v1\/(me\/|partner\/)?events$/.test(url.pathname)) return stream(s, req, res)
  let text = ''
  for await (const part of req) text += part
  const r = R.find((x) => x.method === req.method && x.re.test(url.pathname))
  const ctx = { req, q: url.searchParams, b: text ? JSON.parse(text) : {}, s, token, p: r ? r.re.exec(url.pathname).slice(1).map(decodeURIComponent) : [] }
  try {
    if (!r) throw new Fail(404, 'Not found', '不存在', url.pathname)
    const open = /\/(session|login|setup|driver\/\w+|codes\/.*)$/.test(url.pathname)
    if (!open && !s.kind) throw new Fail(401, 'Log in first', '请先登录')
    if (!open && req.method !== 'GET' && req.headers['x-csrf-token'] !== s.csrf) throw new Fail(403, 'The request lacks its security token', '缺少安全令牌')
    const key = req.headers['idempotency-key']
    const out = key && W.idem.get(key) ? W.idem.get(key) : r.fn(ctx)
    if (key) W.idem.set(key, out)
    if (out.svg) return res.writeHead(200, { 'Content-Type': 'image/svg+xml' }).end(out.svg)
    res.writeHead(200, { 'Content-Type': 'application/json', ...(ctx.cookie ? { 'Set-Cookie': `even_${face}=${ctx.cookie}; HttpOnly; SameSite=Lax; Path=/` } : {}) }).end(JSON.stringify(out))
  } catch (e) {
    if (!(e instanceof Fail)) process.stderr.write(`${e.stack}\n`)
    const b = e instanceof Fail ? e : new Fail(500, 'Internal error', '内部错误', e.message)
    res.writeHead(b.status, { 'Content-Type': 'application/problem+json' }).end(JSON.stringify({ type: 'about:blank', title: b.title, title_zh: b.title_zh, status: b.status, detail: b.detail || undefined, cause: Math.floor(rnd() * 2 ** 32).toString(16) }))
  }
}
function file(res, url) {
  const p = url.pathname
  const page = p === '/' || p.startsWith('/console') ? 'console' : p === '/d' || p.startsWith('/c/') ? 'driver' : p === '/p' ? 'partner' : ''
  const path = page ? join(web, 'dist', page, 'index.html') : normalize(join(web, 'dist', p))
  if (!path.startsWith(join(web, 'dist')) || !existsSync(path)) return res.writeHead(404).end('not found')
  res.writeHead(200, { 'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream', 'Content-Security-Policy': CSP })
  createReadStream(path).pipe(res)
}
createServer((req, res) => {
  const url = new URL(req.url, 'http://x')
  if (url.pathname.startsWith('/api/')) void api(req, res, url)
  else file(res, url)
}).listen(port, '127.0.0.1', () => process.stdout.write(`mock on http://127.0.0.1:${port}\n`))

if (dev) {
  const { createServer: vite } = await import('vite')
  const v = await vite({ root: web, server: { port: 5173, proxy: { '/api': `http://127.0.0.1:${port}` } }, plugins: [{
    name: 'faces',
    configureServer: (x) => void x.middlewares.use((req, _res, next) => {
      const p = req.url.split('?')[0]
      if (p === '/' || p === '/console' || p === '/console/') req.url = '/console/index.html'
      else if (p === '/d' || p.startsWith('/c/')) req.url = '/driver/index.html'
      else if (p === '/p') req.url = '/partner/index.html'
      next()
    }),
  }] })
  await v.listen()
  v.printUrls()
}
