// SPDX-License-Identifier: Apache-2.0
// notices.mjs: texts to drivers about their charges, end to end, with a gateway of our own that checks signatures and fails in every way: what a charge
// cost, when the free time ends, that a fee runs; what became of each stands in the order. A gateway that is down, slow or says no leaves the orders as they
// are; the program killed while a text is on its way never sends it again; who wants none gets none; log-in codes come whatever notices do.
import { spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { Charger } from './charger.mjs';
import { check, even, finish, freePort, House, sleep, until } from './house.mjs';

const SECRET = '0123456789abcdef0123456789abcdef', PHONE = '+8613800138000';
const SENT = 61, NOT_SENT = 62, UNKNOWN = 63;
const clock = (ms) => new Date(ms + 8 * 3600e3).toISOString().slice(11, 16);

/** The operator's gateway. `mood`: what it does with notices; codes it always takes. */
class Gateway {
  constructor(port) {
    Object.assign(this, { port, mood: 'good', texts: [], sockets: new Set() });
  }
  open() {
    this.server = createServer((q, res) => {
      let body = '';
      q.on('data', (d) => { body += d; });
      q.on('end', () => this.hear(q, body, res));
    });
    this.server.on('connection', (s) => { this.sockets.add(s); s.on('close', () => this.sockets.delete(s)); });
    return new Promise((done) => { this.server.listen(this.port, '127.0.0.1', done); });
  }
  close() {
    for (const s of this.sockets) s.destroy();
    return new Promise((done) => this.server.close(done));
  }
  hear(q, body, res) {
    const want = createHmac('sha256', SECRET).update(`${q.headers['text-time']}\n${q.headers['text-nonce']}\n${body}\n`).digest('hex');
    check(q.headers['text-signature'] === want, 'every text is signed');
    const text = JSON.parse(body), say = (status, o) => res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(o));
    this.texts.push(text);
    if (text.kind === 'code' || this.mood === 'good') say(200, { state: 'sent' });
    else if (this.mood === 'refuses') say(200, { state: 'refused', reason: 'black-list' });
    else if (this.mood === 'broken') say(500, {});
    else if (this.mood === 'busy') { this.mood = 'good'; say(429, {}); }
    // 'silent': it never answers
  }
  of(order) { return this.texts.filter((x) => x.params.order === order); }
  code(phone) { return this.texts.filter((x) => x.kind === 'code' && x.phone === phone).at(-1)?.params.code; }
}

const settings = (g, more) => ({ 'texts.kind': 'hook', 'texts.url': `http://127.0.0.1:${g.port}/`, 'texts.sign': '易充', 'texts.timeout_s': 2, 'texts.notices_wait_s': 3,
  'texts.notices_per_phone': 1000, ...more });

function keys(h) {
  const to = join(h.dir, 'keys', 'texts');
  mkdirSync(to, { recursive: true, mode: 0o700 });
  writeFileSync(join(to, 'secret'), SECRET, { mode: 0o600 });
}

async function login(h, g, phone) {
  const c = h.client();
  await c.must('POST', '/api/v1/driver/code', { phone });
  c.csrf = (await c.must('POST', '/api/v1/driver/login', { phone, code: g ? g.code(PHONE) : undefined })).csrf;
  return c;
}

const story = (h, id) => h.must('GET', `/api/v1/orders/${id}`);
const outcomes = (o) => o.events.filter((e) => e.event >= SENT && e.event <= UNKNOWN);
const outcome = (h, id, kind) => until(`what became of the text of kind ${kind}`, async () =>
  outcomes(await story(h, id)).find((e) => e.detail.startsWith(`${kind} `)), 30000);

async function gun(h, cp) {
  const at = new Charger(h, cp);
  await at.open();
  await at.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
  return at;
}

/** The driver charges 20 Wh and ends it; the plug stays in. */
async function charge(driver, at, cp) {
  at.stop = new Promise((done) => { at.stopped = done; });
  at.started = null;
  await at.status('Available');
  await at.status('Preparing');
  const made = await driver.must('POST', '/api/v1/me/orders', { code: cp.connectors[0].code, cap: '20.00' });
  await until('remote start', async () => at.started);
  const now = () => new Date().toISOString();
  const start = await at.call('StartTransaction', { connectorId: 1, idTag: at.started.idTag, meterStart: 1000, timestamp: now() });
  await at.status('Charging');
  await sleep(300);
  await at.meter(start.transactionId, 1010, 60000);
  await sleep(300);
  await driver.must('POST', `/api/v1/me/orders/${made.id}/stop`);
  await at.stop;
  await at.call('StopTransaction', { transactionId: start.transactionId, meterStop: 1020, timestamp: now(), reason: 'Remote' });
  await until('settled', async () => (await driver.must('GET', `/api/v1/me/orders/${made.id}`)).order.state >= 8);
  return made.id;
}

async function wants(h, set) {
  const now = await h.ask('GET', '/api/v1/tenant');
  return h.ask('PUT', '/api/v1/tenant', { ...now.body, notices: set }, { 'if-match': now.headers.get('etag') });
}

const is = (r, status, name) => r.status === status && r.body.type === `urn:even:${name}`;

async function again(h, set) {
  await h.kill('SIGTERM');
  if (set) h.options.set = set;
  await h.start();
}

/** Wrong settings end the start, and are named. */
function wrongSettings() {
  const rows = [[{ 'texts.template.near.params': 'code' }, 'texts.template.near.params'], [{ 'texts.template.ended.params': 'station,name' }, 'texts.template.ended.params'],
    [{ 'texts.notices_per_phone': 0 }, 'texts.notices_per_phone']];
  for (const [set, named] of rows) {
    const h = new House();
    const all = { 'web.port': 0, 'charge.ocpp_port': 0, 'charge.ykc_port': 0, 'texts.kind': 'hook', 'texts.url': 'http://127.0.0.1:1/', ...set };
    const r = spawnSync(even, ['serve', '--dir', h.dir, ...Object.entries(all).flatMap(([k, v]) => ['--set', `${k}=${v}`])], { encoding: 'utf8', timeout: 60000 });
    h.end();
    check(r.status !== 0 && r.stderr.includes(named), `${named} ends the start: ${r.status} ${r.stderr}`);
  }
}

/** A charge, and the text with what it cost. */
async function ended(h, g, driver, at, cp) {
  const id = await charge(driver, at, cp);
  const e = await outcome(h, id, 1), o = await story(h, id), [text, ...more] = g.of(id);
  check(e.event === SENT && e.detail === '1 0' && e.actor_kind === 1, `it was sent: ${JSON.stringify(e)}`);
  check(text.kind === 'ended' && text.phone === PHONE && text.sign === '易充' && more.length === 0, `one text: ${JSON.stringify(g.of(id))}`);
  check(Number(text.params.amount) === Number(o.order.paid) && Number(o.order.paid) > 0, `it says what was paid: ${text.params.amount}, ${o.order.paid}`);
  check(text.params.energy === '0.02' && text.params.currency === 'CNY' && text.params.station === 'Station' && text.params.reason === 'driver', `and the rest: ${JSON.stringify(text.params)}`);
  check(text.params.time === clock(o.order.end_ms), `at the station's time: ${text.params.time}`);
  return id;
}

/** The bay stays taken: near, then the fee. Answers the occupancy order. */
async function stays(h, g, of, at) {
  await at.status('Finishing');
  const occ = await until('the occupancy order', async () => (await story(h, of)).links.find((o) => o.kind === 2));
  const near = await outcome(h, occ.id, 2), o = await story(h, occ.id);
  check(near.event === SENT && near.detail === `2 ${o.order.free_ms}`, `the driver was told when the free time ends: ${JSON.stringify(near)}`);
  const [text] = g.of(occ.id);
  check(text.kind === 'near' && text.params.until === clock(o.order.free_ms) && text.params.minutes === '1', `the text says it: ${JSON.stringify(text.params)}`);
  return occ.id;
}

async function fee(h, g, occ, at) {
  await until('the free time is over', async () => (await story(h, occ)).order.state === 4, 90000, 500);
  const e = await outcome(h, occ, 3), o = await story(h, occ), [near, text, ...more] = g.of(occ);
  check(e.event === SENT && near.kind === 'near' && text.kind === 'fee' && more.length === 0, `the fee is told once: ${JSON.stringify(g.of(occ))}`);
  check(text.params.time === clock(o.order.free_ms), `since when: ${text.params.time}`);
  await until('the fee still runs', async () => g.of(occ).length >= 3, 90000, 500);
  const runs = g.of(occ)[2];
  check(runs.kind === 'runs' && Number(runs.params.amount) > 0 && /^\d+\.\d\d$/.test(runs.params.amount), `what it comes to: ${JSON.stringify(runs.params)}`);
  await at.status('Available');
  await until('it is over', async () => (await story(h, occ)).order.state === 8);
}

/** A gateway that fails: the order is what it would be without. */
async function failures(h, g, driver, at, cp) {
  const paid = async (id) => (await story(h, id)).order;
  g.mood = 'refuses';
  let id = await charge(driver, at, cp);
  let e = await outcome(h, id, 1);
  check(e.event === NOT_SENT && e.detail === '1 0 black-list', `refused: ${JSON.stringify(e)}`);
  g.mood = 'broken';
  id = await charge(driver, at, cp);
  e = await outcome(h, id, 1);
  check(e.event === UNKNOWN && g.of(id).length === 1, `after a 500 nothing is known, and it is not sent again: ${JSON.stringify(e)} ${g.of(id).length}`);
  g.mood = 'busy';
  id = await charge(driver, at, cp);
  e = await outcome(h, id, 1);
  check(e.event === SENT && g.of(id).length === 2 && g.of(id)[0].id === g.of(id)[1].id, `too many at a time: asked again, under its id: ${JSON.stringify(e)}`);
  await g.close();
  id = await charge(driver, at, cp);
  check((await paid(id)).state === 8 && Number((await paid(id)).paid) > 0, 'the gateway is down: the order is settled and paid');
  e = await outcome(h, id, 1);
  check(e.event === NOT_SENT && e.detail === '1 0 no-answer' && outcomes(await story(h, id)).length === 1, `and says that nobody was told: ${JSON.stringify(e)}`);
  await g.open();
  g.mood = 'good';
  id = await until('the gateway is trusted again', async () => {
    const next = await charge(driver, at, cp);
    return (await outcome(h, next, 1)).event === SENT && next;
  }, 90000, 1000);
  check(g.of(id).length === 1, 'once');
}

/** Codes come while notices hang. */
async function beside(h, g, driver, at, cp) {
  g.mood = 'silent';
  const id = await charge(driver, at, cp);
  await until('the text is on its way', async () => g.of(id).length === 1);
  const other = h.client();
  check((await other.ask('POST', '/api/v1/driver/code', { phone: '13900139000' })).status === 200, 'a code is sent meanwhile');
  const e = await outcome(h, id, 1);
  check(e.event === UNKNOWN && e.detail === '1 0 time-over', `a gateway that never answers: not known: ${JSON.stringify(e)}`);
  g.mood = 'good';
}

/** Killed while a text is on its way. Answers the driver, whose session lived through it. */
async function killed(h, g, driver, cp) {
  await again(h, settings(g, { 'texts.timeout_s': 9 })); // the kill shall come first, on a slow machine too
  let at = await gun(h, cp);
  g.mood = 'silent';
  const id = await charge(driver, at, cp);
  await at.status('Finishing');
  const occ = (await until('the occupancy order', async () => (await story(h, id)).links.find((o) => o.kind === 2))).id;
  await until('both texts are on their way', async () => g.of(id).length === 1 && g.of(occ).length === 1);
  await h.kill('SIGKILL');
  at.ws.close();
  g.mood = 'good';
  await h.start();
  const e = await outcome(h, occ, 2);
  check(e.event === UNKNOWN && / restart$/.test(e.detail), `what became of it is not known: ${JSON.stringify(e)}`);
  at = await gun(h, cp);
  await at.status('Finishing');
  await sleep(4000);
  check(g.of(id).length === 1 && g.of(occ).length === 1, `neither is sent again: ${g.of(id).length} ${g.of(occ).length}`);
  // Where the machine was slow, the gateway's time was over before the kill: that was said then.
  check(outcomes(await story(h, id)).every((x) => x.detail === '1 0 time-over'), 'of an order that was over nothing more is said');
  await h.kill('SIGKILL');
  at.ws.close();
  await h.start();
  check(outcomes(await story(h, occ)).filter((x) => x.detail.startsWith('2 ')).length === 1, 'a second start says it no second time');
  at = await gun(h, cp);
  await at.status('Available');
  await until('the bay is free', async () => (await story(h, occ)).order.state === 8);
  return at;
}

/** Who wants none. */
async function choice(h, g, driver, at, cp) {
  check((await driver.must('GET', '/api/v1/me')).notices === 62, 'the driver sees what the operator sends');
  check(is(await driver.ask('POST', '/api/v1/me/notices', { off: 2 }), 422, 'range') || (await driver.ask('POST', '/api/v1/me/notices', { off: 2 })).status === 422, 'on or off');
  check((await h.client().ask('POST', '/api/v1/me/notices', { off: 1 })).status === 401, 'strangers say nothing');
  check((await h.ask('POST', '/api/v1/me/notices', { off: 1 })).status === 403, 'nor do staff');
  await driver.must('POST', '/api/v1/me/notices', { off: 1 });
  const me = await driver.must('GET', '/api/v1/me');
  check(me.notices_off === 1 && me.phone === '13800138000' && me.name === 'Driver', `nothing else has changed: ${JSON.stringify(me)}`);
  const before = g.texts.length;
  const id = await charge(driver, at, cp);
  await sleep(1000);
  check(g.texts.length === before && outcomes(await story(h, id)).length === 0, 'switched off: no text, no event');
  const d = (await h.must('GET', '/api/v1/drivers?phone=13800138000')).items[0];
  await h.must('PUT', `/api/v1/drivers/${d.id}`, { phone: d.phone, name: 'Renamed', state: 0 }, { 'if-match': `"${d.version}"` });
  check((await driver.must('GET', '/api/v1/me')).notices_off === 1, 'staff who change the driver leave the choice');
  for (const set of [1, 64, -1, 63]) check((await wants(h, set)).status === 422, `no such set: ${set}`);
  check((await wants(h, undefined)).status === 200 && (await h.must('GET', '/api/v1/tenant')).notices === 62, 'who does not name them keeps them');
}

/** The faces: staff choose, the driver chooses, the order tells. */
async function faces(h, driver, order) {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  const open = async (who, path, width) => {
    const context = await browser.newContext({ viewport: { width, height: 900 }, locale: 'zh-CN' });
    const at = who.cookie.indexOf('=');
    await context.addCookies([{ name: who.cookie.slice(0, at), value: who.cookie.slice(at + 1), url: h.web }]);
    const page = await context.newPage();
    page.on('pageerror', (e) => check(false, `page error on ${path}: ${e.message}`));
    page.setDefaultTimeout(20000);
    await page.goto(h.web + path);
    return page;
  };
  const shot = async (page, name) => { if (process.env.SHOTS) { mkdirSync(process.env.SHOTS, { recursive: true }); await page.waitForTimeout(400); await page.screenshot({ path: join(process.env.SHOTS, `${name}.png`), fullPage: true }); } };
  try {
    const desk = await open(h, `/#/orders/${order}`, 1400);
    const line = desk.locator('[data-testid="order-timeline"] li', { hasText: '短信已发送' });
    await line.waitFor();
    check((await line.innerText()).includes('充电结束'), 'the order says in words what was told');
    await shot(desk, 'order');
    await desk.goto(`${h.web}/#/settings`);
    const box = (k) => desk.locator(`[data-testid="notice-${k}"] input`);
    await box(4).waitFor({ state: 'attached' });
    check(await box(4).isChecked(), 'the settings show what is sent');
    await desk.locator('[data-testid="notice-4"]').click();
    await shot(desk, 'settings');
    await desk.locator('[data-testid="form-save"]').click();
    await until('it is kept', async () => (await h.must('GET', '/api/v1/tenant')).notices === 46);
    const phone = await open(driver, '/d#/wallet', 390);
    await phone.locator('[data-testid="notices-on"]').click();
    await until('switched on', async () => (await driver.must('GET', '/api/v1/me')).notices_off === 0);
    await shot(phone, 'wallet');
    await phone.locator('[data-testid="notices-on"][aria-checked="true"]').waitFor();
    await phone.locator('[data-testid="notices-on"]').click();
    await until('and off', async () => (await driver.must('GET', '/api/v1/me')).notices_off === 1);
  } finally {
    await browser.close();
  }
  await wants(h, 62);
  await driver.must('POST', '/api/v1/me/notices', { off: 0 });
}

async function limits(h, g, driver, cp) {
  await again(h, settings(g, { 'texts.notices_per_phone': 1 }));
  let at = await gun(h, cp);
  check((await outcome(h, await charge(driver, at, cp), 1)).event === SENT, 'one a day');
  let id = await charge(driver, at, cp);
  let e = await outcome(h, id, 1);
  check(e.event === NOT_SENT && e.detail === '1 0 limit-phone' && g.of(id).length === 0, `and no more: ${JSON.stringify(e)}`);
  await again(h, settings(g, { 'texts.notices_per_hour': 0 }));
  at = await gun(h, cp);
  id = await charge(driver, at, cp);
  e = await outcome(h, id, 1);
  check(e.event === NOT_SENT && e.detail === '1 0 limit-hour', `the house has its own: ${JSON.stringify(e)}`);
  check((await h.client().ask('POST', '/api/v1/driver/code', { phone: '13900139001' })).status === 200, 'codes are not counted with them');
  const metrics = (await h.ask('GET', '/metrics')).body;
  check(/even_notices_total\{kind="ended",outcome="refused"\} 1/.test(metrics) && /even_notices_limited_total 1/.test(metrics), 'that is counted');
  await again(h, settings(g, { 'texts.countries': '852' }));
  at = await gun(h, cp);
  e = await outcome(h, await charge(driver, at, cp), 1);
  check(e.event === NOT_SENT && e.detail === '1 0 country', `numbers elsewhere get none: ${JSON.stringify(e)}`);
  await again(h, {});
  at = await gun(h, cp);
  e = await outcome(h, await charge(driver, at, cp), 1);
  check(e.event === NOT_SENT && e.detail === '1 0 no-sender', `nobody sends: ${JSON.stringify(e)}`);
}

/** Phone numbers are in no log, no metric, and in no flight but where a driver is made. */
async function nowhere(h) {
  check(!h.log.includes('13800138000') && !h.log.includes('13900139'), 'no phone number in the log');
  check(!(await h.ask('GET', '/metrics')).body.includes('13800138000'), 'none in the metrics');
  check(!(await h.must('GET', '/api/v1/audit?limit=200')).items.some((x) => `${x.action} ${x.detail}`.includes('138001')), 'none in the audit');
  const flight = join(h.dir, 'flight');
  const files = existsSync(flight) ? readdirSync(flight).filter((f) => !readFileSync(join(flight, f), 'latin1').includes('13800138000')) : [];
  check(existsSync(flight) ? files.length > 0 : true, 'the flight of a later start has none either');
}

/** A charger that is started at many guns. */
class Many extends Charger {
  hear(m) {
    if (m[2] === 'RemoteStartTransaction') (this.tags ??= {})[m[3].connectorId] = m[3].idTag;
    super.hear(m);
  }
}

/** Forty charges end at once and the gateway hangs: a code gets through all the same, and each order says what became of its text. */
async function crowd(g) {
  const n = 40, h = new House({ set: settings(g) });
  try {
    await h.start();
    await h.setup();
    keys(h);
    h.serve.kill('SIGHUP');
    await sleep(300);
    const w = await h.world({ chargers: [{ path: 'CROWD1', protocol: 1, power: 120000, guns: n }] });
    check((await wants(h, 62)).status === 200, 'chosen');
    const at = new Many(h, w.chargers[0]);
    await at.open();
    await at.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
    const orders = [], txs = [], now = () => new Date().toISOString();
    for (let i = 1; i <= n; i++) {
      const driver = (await h.must('POST', '/api/v1/drivers', { phone: `138111${String(10000 + i)}`, name: 'D', state: 0 })).id;
      await h.must('POST', `/api/v1/drivers/${driver}/topups`, { amount: '10.00', note: 'test' });
      await at.call('StatusNotification', { connectorId: i, errorCode: 'NoError', status: 'Preparing', timestamp: now() });
      orders.push((await h.must('POST', '/api/v1/orders', { connector: w.chargers[0].connectors[i - 1].id, driver, cap: '5.00' })).id);
      await until('remote start', async () => at.tags?.[i]);
      txs.push((await at.call('StartTransaction', { connectorId: i, idTag: at.tags[i], meterStart: 1000, timestamp: now() })).transactionId);
    }
    await sleep(1000);
    g.mood = 'silent';
    const before = g.texts.length;
    await Promise.all(txs.map((tx) => at.call('StopTransaction', { transactionId: tx, meterStop: 1001, timestamp: now(), reason: 'Local' })));
    await until('texts are on their way', async () => g.texts.length - before >= 16, 3000, 20);
    const code = await h.client().ask('POST', '/api/v1/driver/code', { phone: '13900139009' });
    check(code.status === 200, `a code gets through: ${code.status} ${JSON.stringify(code.body)}`);
    const notices = () => g.texts.slice(before).filter((x) => x.kind !== 'code');
    check(notices().length === 16, `no more than so many notices at once: ${notices().length}`);
    const all = [];
    for (const id of orders) {
      const e = await outcome(h, id, 1);
      all.push(e.event);
      check(outcomes(await story(h, id)).length === 1, 'one outcome each');
    }
    const told = (event) => all.filter((e) => e === event).length;
    check(told(SENT) === 0 && told(UNKNOWN) === notices().length && told(UNKNOWN) + told(NOT_SENT) === n, `${told(UNKNOWN)} not known, ${told(NOT_SENT)} not sent, ${notices().length} went out`);
    check(new Set(notices().map((x) => x.id)).size === notices().length, 'none twice');
    at.ws.close();
    await h.kill('SIGTERM');
    check(h.check().code === 0, 'the books balance');
  } finally {
    g.mood = 'good';
    await h.end();
  }
}

/** A demonstration sends nothing, and says so. */
async function demonstration(g) {
  const h = new House({ demo: true, set: settings(g) });
  try {
    await h.start();
    await h.setup();
    const w = await h.world({ balance: '50.00' });
    check((await wants(h, 62)).status === 200, 'chosen');
    const c = h.client(), sent = await c.must('POST', '/api/v1/driver/code', { phone: '13800138000' });
    c.csrf = (await c.must('POST', '/api/v1/driver/login', { phone: '13800138000', code: sent.demo_code })).csrf;
    const before = g.texts.length, id = await charge(c, await gun(h, w.chargers[0]), w.chargers[0]);
    const e = await outcome(h, id, 1);
    check(e.event === NOT_SENT && e.detail === '1 0 demo' && g.texts.length === before, `a demonstration sends nothing: ${JSON.stringify(e)}`);
  } finally {
    await h.end();
  }
}

const g = new Gateway(await freePort());
await g.open();
const h = new House({ set: settings(g) });
try {
  wrongSettings();
  await h.start();
  await h.setup();
  keys(h);
  h.serve.kill('SIGHUP');
  await sleep(300);
  const w = await h.world({ balance: '400.00', elec_e5: 8000000, service_e5: 4000000 });
  const cp = w.chargers[0];
  const driver = await login(h, g, '13800138000');
  let at = await gun(h, cp);
  const none = await charge(driver, at, cp);
  await sleep(500);
  check(outcomes(await story(h, none)).length === 0 && g.of(none).length === 0, 'of an operator who chose nothing nobody hears');
  check((await wants(h, 62)).status === 200, 'the operator chooses all');
  const first = await ended(h, g, driver, at, cp);
  const rule = await h.must('POST', '/api/v1/occupancy-rules', { name: 'R', from_ms: 0, free_min: 1, near_min: 0, every_min: 1, cap_order: '20.00', cap_day: '0.00', kinds: 0, exempt: 0, pay: 0, hold: false, bay: false,
    windows: [{ from_min: 0, to_min: 1440, price: '0.50' }] });
  const family = (await h.must('GET', '/api/v1/occupancy-rules')).items.find((r) => r.id === rule.id || r.family === rule.id).family;
  const station = await h.ask('GET', `/api/v1/stations/${w.station}`);
  await h.must('PUT', `/api/v1/stations/${w.station}`, { ...station.body, occupancy: family }, { 'if-match': station.headers.get('etag') });
  const occ = await stays(h, g, await charge(driver, at, cp), at);
  await fee(h, g, occ, at);
  await failures(h, g, driver, at, cp);
  await beside(h, g, driver, at, cp);
  at = await killed(h, g, driver, cp);
  await choice(h, g, driver, at, cp);
  await faces(h, driver, first);
  await limits(h, g, driver, cp);
  await nowhere(h);
  await demonstration(g);
  await crowd(g);
  const ids = g.texts.filter((x) => x.kind !== 'code').map((x) => x.id);
  check(new Set(ids).size >= ids.length - 1, 'no text was sent twice but the one that was asked to wait');
  await h.kill('SIGTERM');
  const books = h.check();
  check(books.code === 0, `the books balance: ${books.text}`);
} catch (e) {
  process.exitCode = 1;
  console.log(`FAILED: ${e.stack}`);
  console.log(h.log.split('\n').slice(-30).join('\n'));
} finally {
  await h.end();
  await g.close();
}
finish();
