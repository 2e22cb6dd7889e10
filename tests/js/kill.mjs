// SPDX-License-Identifier: Apache-2.0
// kill.mjs: `kill -9` of the real program at moments chosen by seed while simulated chargers charge and drivers start orders; after every restart
// open orders go on, what was answered is there, and at the end `even check` is clean. KILLS=n sets the number.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, main, sleep, until } from './house.mjs';

const kills = Number(process.env.KILLS ?? 4);
let seed = Number(process.env.SEED ?? 42);
const random = () => { seed = (seed * 1103515245 + 12345) % 2147483648; return seed / 2147483648; };

await main(async (h) => {
  await h.setup();
  const fleet = Array.from({ length: 8 }, (_, i) => ({ path: `EVEN-${String(i + 1).padStart(3, '0')}`, protocol: 1, power: 120000 }))
    .concat(Array.from({ length: 4 }, (_, i) => ({ path: `3201060001${9214 + i}`, protocol: 2, power: 120000 })));
  const w = await h.world({ chargers: fleet, balance: '2000.00' });
  const key = (await h.must('POST', '/api/v1/keys', { name: 'kill', role: 2, quota_s: 5000 })).key;
  const auth = { authorization: `Bearer ${key}`, cookie: '' };
  writeFileSync(join(h.dir, 'chargers.txt'), w.chargers.filter((c) => c.secret).map((c) => `${c.path}\t${c.secret}\n`).join(''));
  const sim = h.run(['sim', '--url', `${h.ocpp}/`, '--ykc', `127.0.0.1:${h.ports['charge.ykc_port']}`, '--ocpp', '8', '--ykc-piles', '4',
    '--password-file', join(h.dir, 'chargers.txt'), '--seed', '5', '--autoplug', '--walkups', '--power', '60-120']);
  const told = new Map(); // what the server acknowledged: order id → nothing lost may be missing
  const topups = [];
  const drive = async () => {
    const wall = await h.ask('GET', '/api/v1/connectors', undefined, auth).catch(() => null);
    const plugged = (wall?.body?.items ?? []).filter((c) => c.status === 2);
    const c = plugged[Math.floor(random() * plugged.length)] ?? w.chargers[Math.floor(random() * w.chargers.length)].connectors[0];
    const cap = `${1 + Math.floor(random() * 2)}.00`; // a car of 60 kW takes 50 s for a yuan
    const r = await h.ask('POST', '/api/v1/orders', { connector: c.id, driver: w.driver, cap }, auth).catch(() => null);
    if (r?.status >= 200 && r.status < 300) told.set(r.body.id, cap);
    await sleep(40);
    const t = await h.ask('POST', `/api/v1/drivers/${w.driver}/topups`, { amount: '1.00', note: 'k' }, auth).catch(() => null);
    if (t?.status >= 200 && t.status < 300) topups.push(t.body.id);
  };
  for (let i = 0; i < kills; i++) {
    const end = Date.now() + 1500 + Math.floor(random() * 2500);
    while (Date.now() < end) await drive();
    const dying = drive(); // one in flight as it dies
    await h.kill('SIGKILL');
    await dying;
    const books = h.check();
    check(books.code === 0, `books are right after kill ${i + 1}: ${books.text}`);
    await h.start();
    for (const id of [...told.keys()].slice(-5)) check((await h.ask('GET', `/api/v1/orders/${id}`, undefined, auth)).status === 200, `order ${id} is there`);
  }
  check(sim.exitCode === null, `the simulator lives: ${sim.text.slice(-500)}`);
  check(told.size > 0, 'orders were started');
  for (const id of topups) check((await h.ask('GET', `/api/v1/transfers/${id}`, undefined, auth)).status === 200, `top-up ${id} is there`);
  // Everything open comes to an end by itself: caps are small.
  const open = async () => {
    const n = [];
    for (const id of told.keys()) {
      const o = (await h.must('GET', `/api/v1/orders/${id}`, undefined, auth)).order;
      if (![8, 9, 10].includes(o.state)) n.push(o);
    }
    return n;
  };
  await until('all orders end', async () => (await open()).length === 0, 240000, 1000).catch(async (e) => {
    check(false, `${e.message}: ${JSON.stringify((await open()).slice(0, 3))}`);
  });
  let settled = 0;
  for (const [id, cap] of told) {
    const o = (await h.must('GET', `/api/v1/orders/${id}`, undefined, auth)).order;
    if (o.state === 8) settled++;
    check(Number(o.paid) <= Number(cap), `order ${id} paid ${o.paid} of cap ${cap}`);
  }
  check(settled > 0, 'some orders were settled');
  console.log(`${kills} kills, ${told.size} orders told, ${settled} settled, ${topups.length} top-ups`);
  await sleep(500);
  await h.kill('SIGTERM');
  const books = h.check();
  check(books.code === 0, `books are right at the end: ${books.text}`);
});
