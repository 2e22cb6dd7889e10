// SPDX-License-Identifier: Apache-2.0
// months.mjs: a contract's month goes on over a restart: what a party with a cap had before the program was killed counts for the order after it.
import { charge } from './charger.mjs';
import { check, main } from './house.mjs';

const units = (text) => Math.round(Number(text) * 10000);

await main(async (h) => {
  await h.setup();
  const w = await h.world({ balance: '200.00', elec_e5: 8000000, service_e5: 4000000 });
  const self = (await h.must('GET', '/api/v1/parties')).items.find((p) => p.kind === 1).id;
  const driver = h.client();
  const sent = await driver.must('POST', '/api/v1/driver/code', { phone: '13800138000' });
  driver.csrf = (await driver.must('POST', '/api/v1/driver/login', { phone: '13800138000', code: sent.demo_code })).csrf;
  await h.must('POST', '/api/v1/contracts', { family: w.contract, name: 'capped', from_ms: Date.now(), unit: 1,
    parties: [{ party: self, lines: 7, ratio: 5 }, { party: w.owner, lines: 7, ratio: 5 }], clauses: [{ kind: 7, party: w.owner, amount: '2.00' }] });
  /** What the owner has of one more order of 3.60, which is half of it but for the cap. */
  const owners = async () => {
    const order = await charge(h, driver, w, { cap: '100.00', wh: 30 });
    const { parts } = await h.must('GET', `/api/v1/orders/${order}`);
    return parts.filter((p) => p.party === w.owner).reduce((s, p) => s + units(p.amount), 0);
  };
  const first = await owners();
  check(first === 18000, `half of the first order: ${first}`);
  await h.kill('SIGKILL');
  await h.start();
  const second = await owners();
  check(second === 2000, `what the cap leaves of the month: ${second}`);
  const third = await owners();
  check(third === 0, `nothing of the third: ${third}`);
  const books = h.check();
  check(books.code === 0, `books: ${books.text}`);
}, { demo: true });
