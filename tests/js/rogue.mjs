// SPDX-License-Identifier: Apache-2.0
// rogue.mjs: a charger whose every byte the test decides (OCPP over WebSocket, 云快充 over TCP), a driver with a phone, and the auditor's own sums:
// what is asked of the program is worked out here a second time, from its answers, not from its own check.
import net from 'node:net';
import { createRequire } from 'node:module';
import { check, sleep, until } from './house.mjs';

const require = createRequire(import.meta.url);
const WebSocket = require('ws');

export const units = (text) => {
  const m = /^(-?)(\d+)(?:\.(\d{1,4}))?$/.exec(String(text));
  if (!m) throw new Error(`not money: ${text}`);
  const v = Number(m[2]) * 10000 + Number((m[3] ?? '').padEnd(4, '0'));
  return m[1] ? -v : v;
};
export const iso = (ms = Date.now()) => new Date(ms).toISOString();

/** One OCPP connection. `answer[action]` makes the payload of an answer (default: Accepted); null = stay silent. */
export class Cp {
  static open(h, cp, answer = {}) {
    return new Promise((done) => {
      const auth = cp.secret ? { authorization: 'Basic ' + Buffer.from(`${cp.path}:${cp.secret}`).toString('base64') } : {};
      const ws = new WebSocket(`${h.ocpp}/${cp.path}`, ['ocpp1.6'], { headers: auth, perMessageDeflate: false });
      const me = new Cp();
      Object.assign(me, { ws, answer, waits: new Map(), heard: [], seq: 0, closed: null });
      ws.on('open', () => done(me));
      ws.on('unexpected-response', (_, res) => { me.closed = res.statusCode; done(me); });
      ws.on('error', () => { me.closed ??= 0; done(me); });
      ws.on('close', (code) => { me.closed ??= code; for (const w of me.waits.values()) w(['closed', code]); me.waits.clear(); });
      ws.on('message', (d) => me.hear(JSON.parse(d.toString())));
    });
  }
  hear(m) {
    if (m[0] !== 2) {
      this.waits.get(m[1])?.(m);
      this.waits.delete(m[1]);
      return;
    }
    this.heard.push({ action: m[2], payload: m[3], id: m[1] });
    const make = this.answer[m[2]];
    const payload = make === undefined ? { status: 'Accepted' } : make === null ? null : make(m[3]);
    if (payload) this.ws.send(JSON.stringify([3, m[1], payload]));
  }
  /** A call; answers the whole frame ([3,…], [4,…] or ['closed', code]). Text payloads go out as they are. */
  ask(action, payload, ms = 10000) {
    const id = `r${++this.seq}`;
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    return new Promise((done, fail) => {
      if (this.ws.readyState !== WebSocket.OPEN) return done(['closed', this.closed]);
      this.waits.set(id, done);
      setTimeout(() => { if (this.waits.delete(id)) fail(new Error(`no answer to ${action} ${text.slice(0, 80)}`)); }, ms).unref();
      this.ws.send(`[2,"${id}","${action}",${text}]`);
    });
  }
  async boot() {
    await this.ask('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
    await this.status('Available');
    return this;
  }
  status(status, connectorId = 1) {
    return this.ask('StatusNotification', { connectorId, errorCode: 'NoError', status });
  }
  async startTx(idTag, meterStart = 0, connectorId = 1, at = iso()) {
    const a = await this.ask('StartTransaction', { connectorId, idTag, meterStart, timestamp: at });
    return { tx: a[2]?.transactionId, status: a[2]?.idTagInfo?.status, raw: a };
  }
  meter(transactionId, values, at = iso(), connectorId = 1) {
    const sampledValue = Object.entries(values).map(([measurand, value]) => ({ measurand, value: String(value),
      ...(measurand.startsWith('Energy') ? { unit: 'Wh' } : measurand.startsWith('Power') ? { unit: 'W' } : {}) }));
    return this.ask('MeterValues', { connectorId, transactionId, meterValue: [{ timestamp: at, sampledValue }] });
  }
  stopTx(transactionId, meterStop, extra = {}) {
    return this.ask('StopTransaction', { transactionId, meterStop, timestamp: iso(), ...extra });
  }
  /** Waits for the platform's call. */
  async expect(action, ms = 8000) {
    const m = await until(`the platform calls ${action}`, () => this.heard.find((x) => x.action === action && !x.taken), ms, 20);
    m.taken = true;
    return m.payload;
  }
  drop() { this.ws.terminate(); }
}
export const E = 'Energy.Active.Import.Register';
export const P = 'Power.Active.Import';

/** The driver of that phone, logged in (a demonstration shows the code). */
export async function driver(h, phone = '13800138000', tenant = undefined) {
  const d = h.client();
  const { demo_code } = await d.must('POST', '/api/v1/driver/code', { phone });
  const s = await d.must('POST', '/api/v1/driver/login', { phone, code: demo_code, ...(tenant ? { tenant } : {}) });
  d.csrf = s.csrf;
  d.id = s.actor;
  return d;
}

/** An order started by the driver through to its StartTransaction; answers { id, tx, tag }. */
export async function charge(d, cp, connector, cap, meterStart = 0, number = 1) {
  const made = await d.must('POST', '/api/v1/me/orders', { code: connector.code, cap });
  const call = await cp.expect('RemoteStartTransaction');
  const s = await cp.startTx(call.idTag, meterStart, number);
  return { id: made.id, tag: call.idTag, tx: s.tx, status: s.status };
}

export const order = (h, id) => h.must('GET', `/api/v1/orders/${id}`);
export const over = (h, id, ms = 10000) =>
  until(`order ${id} is over`, async () => { const o = await order(h, id); return [8, 9, 10].includes(o.order.state) && o; }, ms, 50);

/** Every list to its end. */
export async function all(h, path) {
  const items = [];
  for (let after = ''; ;) {
    const page = await h.must('GET', `${path}${path.includes('?') ? '&' : '?'}limit=200${after ? `&after=${after}` : ''}`);
    items.push(...page.items);
    if (!page.next) return items;
    after = page.next;
  }
}

/** The auditor: wallets, holds, caps, parts and days by hand, then the program's own check. `open`: orders that may still run. */
export async function audit(h, what, { open = [] } = {}) {
  const trial = await h.must('GET', '/api/v1/ledger/trial');
  check(units(trial.sum) === 0, `${what}: the trial balance is zero, got ${trial.sum}`);
  const orders = await all(h, '/api/v1/orders');
  const days = new Map(), parties = new Map(), takenOf = new Map();
  let holds = 0;
  for (const row of orders) {
    const o = await order(h, row.id);
    const total = units(o.order.total), paid = units(o.order.paid), loss = units(o.order.loss), cap = units(o.order.cap);
    const done = [8, 9, 10].includes(o.order.state);
    check(done || open.includes(row.id), `${what}: order ${row.id} is over, state ${o.order.state}`);
    check(cap === 0 || paid <= cap, `${what}: order ${row.id} paid ${paid} with cap ${cap}`);
    check(paid >= 0 && loss >= 0 && total >= 0, `${what}: order ${row.id} has nothing negative: ${total} ${paid} ${loss}`);
    check(!done || paid + loss === total, `${what}: order ${row.id}: ${paid} + ${loss} = ${total}`);
    check(o.lines.reduce((s, l) => s + units(l.amount), 0) === total, `${what}: order ${row.id}: lines sum to ${total}`);
    check(o.parts.reduce((s, p) => s + units(p.amount), 0) === paid, `${what}: order ${row.id}: parts sum to ${paid}`);
    for (const p of o.parts) parties.set(p.account, (parties.get(p.account) ?? 0) + units(p.amount));
    for (const x of o.holds) {
      if (done) check(units(x.captured) + units(x.released) === units(x.amount) && x.state === 2, `${what}: hold ${x.id} of order ${row.id} is resolved`);
      else holds += units(x.amount);
    }
    if (o.order.payer_kind === 1) takenOf.set(o.order.driver, (takenOf.get(o.order.driver) ?? 0) + paid);
    if (o.order.state === 8 || o.order.state === 10) {
      const d = days.get(row.station) ?? { orders: 0, energy: 0, paid: 0, loss: 0 };
      d.orders++;
      d.energy += o.order.energy_mwh;
      d.paid += paid;
      d.loss += loss;
      days.set(row.station, d);
    }
  }
  let held = 0;
  for (const a of await all(h, '/api/v1/accounts')) {
    held += units(a.held);
    check(units(a.posted_in) - units(a.posted_out) === units(a.balance), `${what}: account ${a.id} adds up`);
    if (a.kind === 5 || a.kind === 7) check((parties.get(a.id) ?? 0) === units(a.balance), `${what}: party account ${a.id} is the sum of its parts`);
    if (a.kind === 2) {
      check(units(a.balance) >= units(a.held) && units(a.held) >= 0, `${what}: wallet ${a.id} covers its holds`);
      const topped = (await all(h, `/api/v1/accounts/${a.id}/statement`)).filter((s) => s.code === 1).reduce((s, t) => s + units(t.amount), 0);
      const debt = 0;
      check(topped - (takenOf.get(a.owner) ?? 0) === units(a.balance) - debt, `${what}: wallet of ${a.owner}: topped ${topped} less ${takenOf.get(a.owner) ?? 0} is ${a.balance}`);
    }
  }
  check(held === holds, `${what}: held ${held}, open holds ${holds}`);
  const stats = await h.must('GET', '/api/v1/stats/days?from=20000101&to=29991231');
  for (const [station, d] of days) {
    const rows = stats.items.filter((s) => s.station === station);
    const sum = (f) => rows.reduce((t, s) => t + f(s), 0);
    check(sum((s) => s.orders) === d.orders && sum((s) => s.energy_mwh) === d.energy && sum((s) => units(s.paid)) === d.paid &&
      sum((s) => units(s.loss)) === d.loss, `${what}: days of station ${station} agree with its orders`);
  }
  const books = h.check();
  check(books.code === 0, `${what}: even check: ${books.text.slice(0, 600)}`);
}

// ---- 云快充 ----

export const crc = (b) => {
  let v = 0xffff;
  for (const x of b) {
    v ^= x;
    for (let i = 0; i < 8; i++) v = v & 1 ? (v >> 1) ^ 0xa001 : v >> 1;
  }
  return v;
};
export const bcd = (digits) => Buffer.from(digits, 'hex');
export const le = (n, v) => { const b = Buffer.alloc(n); b.writeUIntLE(v, 0, n); return b; };
export function frame(type, body, { seq = 0, badCrc = false, length } = {}) {
  const inner = Buffer.concat([le(2, seq), Buffer.from([0, type]), body]);
  return Buffer.concat([Buffer.from([0x68, length ?? inner.length]), inner, le(2, crc(inner) ^ (badCrc ? 0x5555 : 0))]);
}
export const cp56 = (ms = Date.now()) => {
  const d = new Date(ms + 8 * 3600000); // the piles' clock is the station's
  return Buffer.concat([le(2, d.getUTCSeconds() * 1000), Buffer.from([d.getUTCMinutes(), d.getUTCHours(), d.getUTCDate(), d.getUTCMonth() + 1, d.getUTCFullYear() % 100])]);
};
/** One 云快充 connection; `frames` is what came, `on(type)` waits for the next of that type. */
export class Pile {
  static open(h, number) {
    return new Promise((done) => {
      const me = new Pile();
      Object.assign(me, { number, frames: [], seq: 0, closed: false, buf: Buffer.alloc(0) });
      me.s = net.connect(h.ports['charge.ykc_port'], '127.0.0.1', () => done(me));
      me.s.on('error', () => {});
      me.s.on('close', () => { me.closed = true; });
      me.s.on('data', (d) => me.data(d));
    });
  }
  data(d) {
    this.buf = Buffer.concat([this.buf, d]);
    while (this.buf.length >= 2 && this.buf.length >= this.buf[1] + 4) {
      const n = this.buf[1] + 4;
      this.frames.push({ type: this.buf[5], seq: this.buf.readUInt16LE(2), body: this.buf.subarray(6, n - 2) });
      this.buf = this.buf.subarray(n);
    }
  }
  send(type, body, opt = {}) { if (!this.closed) this.s.write(frame(type, body, { seq: this.seq++ & 0xffff, ...opt })); }
  async on(type, ms = 8000) {
    const f = await until(`frame 0x${type.toString(16)}`, () => this.frames.find((x) => x.type === type && !x.taken), ms, 20);
    f.taken = true;
    return f;
  }
  async login(number = this.number, guns = 1) {
    this.send(0x01, Buffer.concat([bcd(number), Buffer.from([0, guns, 15]), Buffer.alloc(8, 0x31), Buffer.from([1]), Buffer.alloc(10), Buffer.from([4])]));
    return (await this.on(0x02)).body[7];
  }
  beat(number = this.number) { this.send(0x03, Buffer.concat([bcd(number), bcd('01'), Buffer.from([0])])); }
  live(orderNo, { number = this.number, gun = '01', state = 3, plugged = 1, energy = 0, amount = 0, volts = 4000, amps = 1000 } = {}) {
    this.send(0x13, Buffer.concat([bcd(orderNo), bcd(number), bcd(gun), Buffer.from([state, 1, plugged]), le(2, volts), le(2, amps), Buffer.from([70]), Buffer.alloc(8),
      Buffer.from([50, 70]), le(2, 1), le(2, 30), le(4, energy), le(4, energy), le(4, amount), le(2, 0)]));
  }
  drop() { this.s.destroy(); }
}
export { sleep };
