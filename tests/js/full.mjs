// SPDX-License-Identifier: Apache-2.0
// full.mjs: no room for the database's journal any more: the program ends and says why; what it had answered is there, and a start with room goes on.
import { check, finish, House, until } from './house.mjs';

const h = new House({ ulimit: '-f 12000', set: { 'flight.mb': 0 } }); // 6 MB a file
try {
  await h.start();
  await h.setup();
  const w = await h.world({ balance: '10.00' });
  const path = `/api/v1/drivers/${w.driver}/topups`;
  const asked = [];
  while (!h.ended && asked.length < 20000)
    asked.push(...await Promise.all(Array.from({ length: 20 }, () => h.ask('POST', path, { amount: '0.01', note: 'x'.repeat(150) }).catch(() => ({ status: 0 })))));
  const count = (of) => asked.filter((r) => of(r.status)).length;
  const good = count((s) => s === 200);
  // A command that was applied and not answered may be there or not: the program ended on its way.
  const open = count((s) => s === 0 || s >= 500);
  check(h.ended?.code === 70, `it ends: ${JSON.stringify(h.ended)} after ${good}`);
  check(/commit: .*full/.test(h.log) && /disk is full/i.test(h.log), `it says why: ${h.log.split('\n').slice(-4).join(' | ')}`);
  check(good > 100, `${good} were answered before`);
  let books = h.check();
  check(books.code === 0, `the books are right: ${books.text}`);

  h.options.ulimit = undefined;
  await h.start();
  const rows = (await h.must('GET', '/api/v1/ledger/trial')).rows;
  const wallets = rows.find((r) => r.kind === 2);
  const cents = Math.round(Number(wallets.balance) * 100) - 1000;
  check(cents >= good && cents <= good + open, `${good} answered, ${open} not: ${cents} are there`);
  await h.must('POST', path, { amount: '0.01', note: 'goes on' });
  await until('ready', async () => (await h.ask('GET', '/readyz')).status === 200);
  books = h.check();
  check(books.code === 0, `the books are right after it: ${books.text}`);
} catch (e) {
  check(false, e.stack);
} finally {
  await h.end();
}
finish();
