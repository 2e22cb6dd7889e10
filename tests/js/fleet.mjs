// SPDX-License-Identifier: Apache-2.0
// fleet.mjs: a mixed fleet lives an accelerated day: half OCPP chargers, half 云快充 piles, all habits of vehicles, one population of drivers
// (app and cards), and the program dies by `kill -9` twice. At the end `even check` is clean and every order explains itself.
// FLEET=n chargers of each kind, HOURS=n of the fleet's time, SPEED=n times faster than real time.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, main, sleep, until } from './house.mjs';

const fleet = Number(process.env.FLEET ?? 30);
const speed = Number(process.env.SPEED ?? 240);
const hours = Number(process.env.HOURS ?? 3);
const drivers = Math.max(10, Math.min(9000, fleet));
const seconds = Math.ceil((hours * 3600) / speed);
let seed = Number(process.env.SEED ?? 7);
const random = (n) => { seed = (seed * 1103515245 + 12345) % 2147483648; return Math.floor((seed / 2147483648) * n); };
const OPEN = (o) => ![8, 9, 10].includes(o.state);
const fen = (m) => Math.round(Number(m) * 10000);

/** Runs fn(i) for i below n, so many at a time. */
async function spread(n, wide, fn) {
  let i = 0;
  await Promise.all(Array.from({ length: wide }, async () => { while (i < n) await fn(i++); }));
}

async function all(h, path, auth) {
  const items = [];
  for (let after = ''; ;) {
    const page = await h.must('GET', `${path}${path.includes('?') ? '&' : '?'}limit=200${after && `&after=${after}`}`, undefined, auth);
    items.push(...page.items);
    if (!page.next) return items;
    after = page.next;
  }
}

async function build(h) {
  await h.setup();
  const key = (await h.must('POST', '/api/v1/keys', { name: 'fleet', role: 1, quota_s: 100000 })).key;
  const auth = { authorization: `Bearer ${key}`, cookie: '' };
  const w = await h.world({ chargers: [], balance: '1.00' });
  const secrets = [], connectors = [];
  await spread(2 * fleet, 8, async (i) => {
    const ocpp = i < fleet;
    const path = ocpp ? `EVEN-${String(i + 1).padStart(5, '0')}` : String(32010600000001n + BigInt(i - fleet));
    const id = (await h.must('POST', '/api/v1/chargers', { station: w.station, path, protocol: ocpp ? 1 : 2, name: path, max_power_w: 120000, state: 0 }, auth)).id;
    for (let n = 1; n <= 2; n++) // the simulator's AC chargers use one of them
      connectors.push((await h.must('POST', '/api/v1/connectors', { charger: id, number: n, kind: 2, max_power_w: 120000,
        code: `${ocpp ? 'A' : 'B'}${path.slice(-5)}${n}` }, auth)).id);
    if (ocpp) secrets.push(`${path}\t${(await h.must('POST', `/api/v1/chargers/${id}/secret`, undefined, auth)).secret}\n`);
  });
  writeFileSync(join(h.dir, 'chargers.txt'), secrets.join(''));
  const people = [];
  await spread(drivers, 8, async (i) => {
    const id = (await h.must('POST', '/api/v1/drivers', { phone: `139${String(i).padStart(8, '0')}`, name: 'D', state: 0 }, auth)).id;
    await h.must('POST', `/api/v1/drivers/${id}/topups`, { amount: '300.00', note: 'fleet' }, auth);
    for (const tag of [`CARD${String(i + 2).padStart(4, '0')}`, String(i + 2).padStart(16, '0')])
      await h.must('POST', '/api/v1/tokens', { driver: id, tag, kind: 1, state: 0 }, auth);
    people.push(id);
  });
  return { auth, people, connectors };
}

/** Drivers scan where a vehicle is plugged in, now and then somewhere else. */
async function drive(h, w, told, until_ms) {
  let wall = [], read = 0, busy = false;
  while (Date.now() < until_ms) {
    if (Date.now() - read > 1000 && !busy) { // one reads for all
      busy = true;
      read = Date.now();
      wall = ((await h.ask('GET', '/api/v1/connectors', undefined, w.auth).catch(() => null))?.body?.items ?? []).filter((c) => c.status === 2);
      busy = false;
    }
    const c = wall.splice(random(wall.length || 1), 1)[0]?.id ?? w.connectors[random(w.connectors.length)];
    const cap = `${5 + random(60)}.00`;
    const r = await h.ask('POST', '/api/v1/orders', { connector: c, driver: w.people[random(w.people.length)], cap }, w.auth).catch(() => null);
    if (r?.status >= 200 && r.status < 300) told.set(r.body.id, cap);
    await sleep(wall.length ? 2 : 50);
  }
}

function explained(o) {
  if (o.state === 9) return o.fail < 0 && fen(o.paid) === 0;
  if (fen(o.paid) + fen(o.loss) !== fen(o.total) || !o.end_ms || !o.settled_ms) return false;
  return o.state === 8 ? o.stop_reason > 0 : o.doubt > 0;
}

await main(async (h) => {
  const w = await build(h);
  const told = new Map();
  const sim = h.run(['sim', '--url', `${h.ocpp}/`, '--ykc', `127.0.0.1:${h.ports['charge.ykc_port']}`, '--ocpp', String(fleet), '--ykc-piles', String(fleet),
    '--first-id', 'EVEN-00001', '--first-pile', '32010600000001', '--password-file', join(h.dir, 'chargers.txt'), '--seed', '11', '--speed', String(speed),
    '--behaviours', 'normal:70,full:10,unplug:5,fault:2,offline:4,slow-stop:2,ignore-stop:1,clock-skew:1,placeholder:1,duplicate:2,reject-start:1,silent-start:1,mute-start:1',
    '--autoplug', '--walkups', '--cards', String(drivers), '--reading', '60', '--for', String(seconds)]);
  const begin = Date.now();
  for (let third = 1; third <= 3; third++) {
    const running = Promise.all(Array.from({ length: 4 }, () => drive(h, w, told, begin + (third * seconds * 1000) / 3)));
    if (third < 3) {
      await sleep(begin + (third * seconds * 1000) / 3 - Date.now() - 300); // in the middle of it
      await h.kill('SIGKILL');
      await running;
      await h.start();
    } else await running;
  }
  await until('the simulator ends', () => sim.exitCode !== null, 60000);
  check(sim.exitCode === 0, `the simulator ended well: ${sim.text.slice(-400)}`);
  const open = async () => (await all(h, '/api/v1/orders', w.auth)).filter(OPEN);
  await until('every order ends', async () => (await open()).length === 0, 120000, 2000).catch(async (e) => check(false, `${e.message}: ${JSON.stringify((await open()).slice(0, 2))}`));
  const orders = await all(h, '/api/v1/orders', w.auth);
  const odd = orders.filter((o) => !explained(o));
  check(odd.length === 0, `every order explains itself; not these ${odd.length}: ${JSON.stringify(odd.slice(0, 3))}`);
  const there = new Map(orders.map((o) => [o.id, o]));
  const lost = [...told.keys()].filter((id) => !there.has(id));
  check(lost.length === 0, `what was answered is there; lost: ${lost.slice(0, 5)}`);
  const over = [...told].filter(([id, cap]) => there.has(id) && fen(there.get(id).paid) > fen(cap));
  check(over.length === 0, `nobody paid above the cap: ${JSON.stringify(over.slice(0, 3))}`);
  const strays = (await h.must('GET', '/api/v1/strays', undefined, w.auth)).items;
  check(strays.every((s) => s.reason < 0), 'every stray record has its reason');
  check(fen((await h.must('GET', '/api/v1/ledger/trial', undefined, w.auth)).sum) === 0, 'the trial balance is zero');
  const by = (f) => orders.filter(f).length;
  for (const [what, n] of [['settled', by((o) => o.state === 8)], ['by card', by((o) => o.started_by === 2)], ['told', told.size]])
    check(n > 0, `${what} orders: ${n}`);
  console.log(`${2 * fleet} chargers, ${hours} h at ${speed} times: ${orders.length} orders, ${by((o) => o.state === 8)} settled, ${by((o) => o.state === 9)} not started, `
    + `${by((o) => o.state === 10)} in doubt, ${by((o) => o.started_by === 2)} by card, ${by((o) => o.started_by === 3)} offline, ${strays.length} strays, `
    + `${(orders.reduce((s, o) => s + fen(o.paid), 0) / 10000).toFixed(2)} paid, ${(orders.reduce((s, o) => s + fen(o.loss), 0) / 10000).toFixed(2)} lost`);
  const doubts = {};
  for (const o of orders.filter((x) => x.doubt)) doubts[o.doubt] = (doubts[o.doubt] ?? 0) + 1;
  console.log(`doubts by reason: ${JSON.stringify(doubts)}`);
  await h.kill('SIGTERM');
  const books = h.check();
  check(books.code === 0, `books are right at the end: ${books.text.slice(0, 2000)}`);
}, { demo: true, set: { 'demo.speed': speed } });
