// SPDX-License-Identifier: Apache-2.0
// descriptors.mjs: more connections than one table of descriptors may hold. Network threads with tables of their own (charge.own_files) carry them,
// charge and settle, stop when told to and come back after a kill; threads that share a table do not get so far.
import { connect } from 'node:net';
import { charge } from './charger.mjs';
import { check, main, sleep, until } from './house.mjs';
import { driver, units } from './rogue.mjs';

const MOST = 160, COME = 240;

const figure = async (h, name) => Number(new RegExp(`${name}(?:\\{\\})? (\\d+)`).exec(await (await fetch(`${h.web}/metrics`, { headers: { cookie: h.cookie } })).text())[1]);

/** So many connections, which say nothing; those that the program refused or dropped are not counted. */
async function crowd(h, n) {
  const all = [];
  for (let i = 0; i < n; i++) {
    const s = connect(h.ports['charge.ykc_port'], '127.0.0.1');
    s.up = new Promise((done) => { s.on('connect', () => done(true)); s.on('error', () => done(false)); });
    s.on('close', () => { s.gone = true; });
    all.push(s);
    await s.up;
  }
  return all;
}
const here = (all) => all.filter((s) => !s.gone).length;

await main(async (h) => {
  await h.setup();
  const w = await h.world({ balance: '110.00', elec_e5: 8000000, service_e5: 4000000 });
  const d = await driver(h);
  const first = await crowd(h, COME);
  await until('all were accepted', async () => await figure(h, 'even_net_accepted_total') >= COME);
  check(here(first) === COME && COME > MOST, `${COME} connections stay open where a table holds ${MOST}`);
  const order = await charge(h, d, w, { cap: '100.00' });
  check(units((await h.must('GET', `/api/v1/orders/${order}`)).order.paid) === 24000, 'beside them a charge is made and paid');

  // ---- the end of the crowd, and another ----
  for (const s of first) s.destroy();
  await until('their descriptors are free again', async () => await figure(h, 'even_net_closed_total') >= COME);
  const second = await crowd(h, COME);
  await until('the next came', async () => await figure(h, 'even_net_accepted_total') >= 2 * COME);
  check(here(second) === COME, 'and as many again');
  await h.kill('SIGTERM');
  check(h.ended.code === 0, `told to stop it ends well: ${JSON.stringify(h.ended)}`);
  check(h.check().code === 0, 'books right');
  await until('all were let go', () => here(second) === 0);

  // ---- after a kill; then the same house with one table ----
  await h.start();
  const third = await crowd(h, COME);
  await until('they came after a restart', async () => await figure(h, 'even_net_accepted_total') >= COME);
  check(here(third) === COME, 'a restart holds as many');
  await h.kill('SIGKILL');
  h.options.set = { ...h.options.set, 'charge.own_files': 0 };
  await h.start();
  const shared = await crowd(h, COME);
  await sleep(500);
  const held = await figure(h, 'even_net_accepted_total');
  check(held > 20 && held < MOST, `control: one table for all holds ${held}`);
  for (const s of shared) s.destroy();
  await until('who was let in is gone', async () => await figure(h, 'even_net_closed_total') >= held);
  check(units((await h.must('GET', `/api/v1/orders/${order}`)).order.paid) === 24000, 'the order is still there');
// Five, so that chance never gives one of them all that a table holds: a full thread resets who waits in its queue.
}, { demo: true, ulimit: `-n ${MOST}`, set: { 'charge.own_files': 1, 'charge.reactors': 5, 'charge.max_conns': 95 } });
