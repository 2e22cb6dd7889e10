// SPDX-License-Identifier: Apache-2.0
// kill_commit.mjs: `kill_commit.mjs EVEN KILL_AT`: the real program dies inside commits: kill_at stops the committing thread at a write or a sync
// of the journal or of the sample log and kills the process there. Clients note what was acknowledged to them: top-ups, and whole sessions of
// chargers (start, readings, stop). After each kill: `even check` clean, every acknowledged fact there, once. A control cuts the journal to
// pieces before the restart and must be found. KILLS=n.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import WebSocket from '../js/node_modules/ws/wrapper.mjs';
import { check, main, sleep, until } from '../js/house.mjs';

const killAt = process.argv[3];
const kills = Number(process.env.KILLS ?? 100);
let seed = Number(process.env.SEED ?? 7);
const random = (n) => { seed = (seed * 1103515245 + 12345) % 2147483648; return Math.floor((seed / 2147483648) * n); };
const kinds = {};

/** A charger whose card starts and stops sessions for as long as the connection lasts; notes what was answered. */
function charger(h, c, facts) {
  const ws = new WebSocket(`${h.ocpp}/${c.path}`, 'ocpp1.6', { headers: { authorization: `Basic ${Buffer.from(`${c.path}:${c.secret}`).toString('base64')}` } });
  let n = 0;
  const waits = new Map();
  const call = (action, body) => new Promise((done, fail) => {
    const id = `k${++n}`;
    waits.set(id, { done, fail });
    ws.send(JSON.stringify([2, id, action, body]), (e) => e && fail(e));
  });
  ws.on('message', (d) => {
    const m = JSON.parse(d);
    if (m[0] === 2) ws.send(JSON.stringify([3, m[1], { status: 'Accepted' }]));
    else { const w = waits.get(m[1]); waits.delete(m[1]); if (m[0] === 3) w?.done(m[2]); else w?.fail(new Error(m[2])); }
  });
  const over = new Promise((r) => { ws.on('close', r); ws.on('error', r); });
  over.then(() => { for (const w of waits.values()) w.fail(new Error('closed')); });
  const live = async () => {
    await new Promise((r, f) => { ws.on('open', r); over.then(() => f(new Error('closed'))); });
    await call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
    for (;;) {
      const at = () => new Date().toISOString();
      const s = await call('StartTransaction', { connectorId: 1, idTag: c.card, meterStart: c.meter, timestamp: at() });
      if (s.idTagInfo.status !== 'Accepted') { await sleep(20); continue; }
      facts.starts.push({ charger: c.id, tx: s.transactionId });
      for (let i = 0; i < 2; i++) {
        c.meter += 2;
        await call('MeterValues', { connectorId: 1, transactionId: s.transactionId, meterValue: [{ timestamp: at(), sampledValue: [{ value: String(c.meter), unit: 'Wh' }] }] });
        facts.readings.push({ charger: c.id, tx: s.transactionId, mwh: c.meter * 1000 });
      }
      await call('StopTransaction', { transactionId: s.transactionId, meterStop: c.meter, timestamp: at(), reason: 'Local' });
      facts.stops.push({ charger: c.id, tx: s.transactionId });
    }
  };
  return live().catch(() => ws.terminate());
}

/** Every item of a list that is not older than `since` (newest first). */
async function newest(h, path, since, at) {
  const all = [];
  for (let after = ''; ;) {
    const page = await h.must('GET', `${path}?limit=200${after && `&after=${encodeURIComponent(after)}`}`);
    all.push(...page.items.filter((x) => x[at] >= since));
    if (!page.next || page.items.some((x) => x[at] < since)) return all;
    after = page.next;
  }
}

/** What was acknowledged and is not there, or is there twice. */
async function lost(h, facts) {
  const gone = [];
  const have = new Set((await newest(h, '/api/v1/transfers', facts.since, 'posted_ms')).map((t) => t.id));
  for (const id of facts.topups) if (!have.has(id)) gone.push(`top-up ${id}`);
  const sessions = new Map(), orders = new Map();
  for (const o of await newest(h, '/api/v1/orders', facts.since, 'created_ms')) {
    for (const s of (await h.must('GET', `/api/v1/orders/${o.id}`)).sessions) {
      const key = `${o.charger}:${s.tx}`;
      if (sessions.has(key)) gone.push(`session ${key} twice`);
      sessions.set(key, s);
      orders.set(key, o.id);
    }
  }
  for (const f of facts.starts) if (!sessions.has(`${f.charger}:${f.tx}`)) gone.push(`start ${f.charger}:${f.tx}`);
  for (const f of facts.stops) if (sessions.get(`${f.charger}:${f.tx}`)?.state !== 2) gone.push(`stop ${f.charger}:${f.tx}`);
  const curves = new Map(); // of the sessions that were under way as it died: the others have their stops
  for (const f of facts.readings) {
    const key = `${f.charger}:${f.tx}`;
    if (facts.stops.some((x) => x.charger === f.charger && x.tx === f.tx) || !orders.has(key)) continue;
    if (!curves.has(key)) curves.set(key, (await h.must('GET', `/api/v1/orders/${orders.get(key)}/samples`)).items.map((x) => Number(x.energy_mwh)));
    if (curves.get(key).filter((x) => x === f.mwh).length !== 1) gone.push(`reading ${key} ${f.mwh} mWh`);
  }
  return gone;
}

const total = { topups: 0, starts: 0, stops: 0, readings: 0 };

async function round(h, w, key, i) {
  const facts = { topups: [], starts: [], stops: [], readings: [], since: Date.now() - 50 };
  const auth = { authorization: `Bearer ${key}`, cookie: '' };
  const life = w.chargers.map((c) => charger(h, c, facts));
  let dying = false;
  const topups = Array.from({ length: 6 }, async () => {
    while (!dying) {
      const t = await h.ask('POST', `/api/v1/drivers/${w.driver}/topups`, { amount: '0.01', note: 'k' }, auth).catch(() => null);
      if (t?.status >= 200 && t.status < 300) facts.topups.push(t.body.id);
      else if (!t) return;
      else await sleep(5);
    }
  });
  await sleep(100 + random(100));
  const file = i % 3 === 2 ? '.log' : '-wal';
  const killer = spawn(killAt, [String(h.serve.pid), file, String(1 + random(40))], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  killer.stdout.on('data', (d) => { said += d; });
  killer.stderr.on('data', (d) => { said += d; });
  const code = await new Promise((r) => killer.on('exit', r));
  dying = true;
  await until('the server is dead', () => h.ended, 10000);
  await Promise.allSettled([...topups, ...life]);
  check(code === 0, `kill ${i + 1} fell inside a commit: ${said}`);
  if (code === 0) { const k = said.trim(); kinds[k] = (kinds[k] ?? 0) + 1; }
  return facts;
}

function biggest(dir, end) {
  return readdirSync(dir).filter((f) => f.endsWith(end)).map((f) => join(dir, f)).sort((a, b) => statSync(b).size - statSync(a).size)[0];
}

await main(async (h) => {
  await h.setup();
  const w = await h.world({ chargers: Array.from({ length: 6 }, (_, i) => ({ path: `KC${i + 1}`, protocol: 1, power: 120000 })), balance: '5000.00' });
  for (const [i, c] of w.chargers.entries()) {
    c.card = `CARD${i}`;
    c.meter = 1000;
    await h.must('POST', '/api/v1/tokens', { driver: w.driver, tag: c.card, kind: 1, state: 0 });
  }
  const tenant = await h.ask('GET', '/api/v1/tenant');
  await h.must('PUT', '/api/v1/tenant', { ...tenant.body, hold_policy: 0, hold_default: '1.00' }, { 'if-match': tenant.headers.get('etag') });
  const key = (await h.must('POST', '/api/v1/keys', { name: 'kill', role: 2, quota_s: 100000 })).key;
  let facts;
  for (let i = 0; i < kills; i++) {
    facts = await round(h, w, key, i);
    if (i === kills - 1) cpSync(h.dir, `${h.dir}-control`, { recursive: true });
    const books = h.check();
    check(books.code === 0, `books are right after kill ${i + 1}: ${books.text}`);
    await h.start();
    const gone = await lost(h, facts);
    check(gone.length === 0, `after kill ${i + 1} lost: ${gone.slice(0, 5).join(', ')}`);
    for (const k of Object.keys(total)) total[k] += facts[k].length;
  }
  // The control: a journal that lost its tail, as if commits had not reached the disk. The comparison must see it.
  await h.kill('SIGKILL');
  rmSync(h.dir, { recursive: true });
  cpSync(`${h.dir}-control`, h.dir, { recursive: true });
  rmSync(`${h.dir}-control`, { recursive: true });
  const wal = biggest(h.dir, '-wal');
  truncateSync(wal, Math.floor(statSync(wal).size / 10));
  await h.start();
  check((await lost(h, facts)).length > 0, 'the control is found: a cut journal has lost facts');
  check(total.topups > kills && total.starts > 0 && total.stops > 0 && total.readings > 0, `there was load: ${JSON.stringify(total)}`);
  console.log(`${kills} kills inside commits: ${JSON.stringify(kinds)}`);
  console.log(`acknowledged and kept: ${JSON.stringify(total)}`);
});
