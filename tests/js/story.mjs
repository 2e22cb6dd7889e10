// SPDX-License-Identifier: Apache-2.0
// story.mjs: what the money story of an order does not tell. A driver whose company pays learns nothing of the company's other money; staff of one station
// learn nothing of what became of the parties' shares; and what paid an order is not guessed when it came in longer ago than is looked at.
import { charge } from './charger.mjs';
import { check, main } from './house.mjs';
import { driver, units } from './rogue.mjs';

const PAYER_COMPANY = 3, ACCOUNT_COMPANY = 17, TOO_FAR = 5, LOOKED_AT = 5000;

await main(async (h) => {
  await h.setup();
  const w = await h.world({ balance: '110.00', elec_e5: 8000000, service_e5: 4000000 }); // 120 yuan per kWh: 20 Wh are 2.40
  const d = await driver(h);
  const story = (order) => h.must('GET', `/api/v1/orders/${order}/story`);

  // ---- a prepaid company's order ----
  const co = (await h.must('POST', '/api/v1/companies', { name: '顺达物流', tax_no: '', kind: 1, credit: '0.00', overrun: 0, bill_day: 10, contact: '', phone: '', state: 0 })).id;
  await h.must('POST', `/api/v1/companies/${co}/members`, { driver: w.driver, name: '', plate: '', cards: false, month_most: '0.00', order_most: '0.00', month_mwh: 0, month_orders: 0, stations: '', state: 0 });
  for (const amount of ['1.00', '777.00']) await h.must('POST', `/api/v1/companies/${co}/payments`, { amount, note: 'bank' });
  const fleet = await charge(h, d, w, { payer: PAYER_COMPANY, cap: '100.00' });
  const whole = await story(fleet);
  check(whole.lots.length === 2 && whole.lots.every((l) => l.account === ACCOUNT_COMPANY && l.transfer !== '0') && units(whole.lots[1].amount) === 7770000,
    `staff see which payments of the company it was: ${JSON.stringify(whole.lots)}`);
  const own = await d.must('GET', `/api/v1/me/orders/${fleet}/story`);
  check(own.lots.length === 1 && own.lots[0].account === ACCOUNT_COMPANY && own.lots[0].used === own.paid && units(own.paid) === 24000, `the driver that the company paid: ${JSON.stringify(own.lots)}`);
  check(own.lots.every((l) => units(l.amount) === 0 && l.transfer === '0' && l.order_id === '0' && l.at_ms === 0) && !JSON.stringify(own).includes('777.'), 'but nothing of its money');

  // ---- staff of that station ----
  await h.must('POST', '/api/v1/people', { login: 'clerk', name: 'K', password: 'clerk password', role: 2, party: '0', station: w.station, state: 0 });
  const clerk = h.client();
  await clerk.login('clerk', 'clerk password');
  check((await clerk.ask('GET', `/api/v1/orders/${fleet}`)).status === 200, 'who has one station sees its orders');
  check((await clerk.ask('GET', `/api/v1/orders/${fleet}/story`)).status === 403, "but not what became of the parties' money");

  // ---- longer ago than is looked at ----
  const first = await charge(h, d, w, { cap: '100.00' });
  const near = await story(first);
  check(near.lots.length === 1 && near.lots[0].rule === 2 && units(near.lots[0].amount) === 1100000, `the first money pays: ${JSON.stringify(near.lots)}`);
  const { key } = await h.must('POST', '/api/v1/keys', { name: 'many', role: 2, quota_s: 100000 });
  let left = LOOKED_AT + 10;
  const put = async () => { while (left-- > 0) await h.must('POST', `/api/v1/drivers/${w.driver}/topups`, { amount: '0.01', note: '' }, { authorization: `Bearer ${key}`, cookie: null }); };
  await Promise.all(Array.from({ length: 40 }, put));
  const far = await story(await charge(h, d, w, { cap: '100.00' }));
  check(far.lots.length === 1 && far.lots[0].rule === TOO_FAR && units(far.lots[0].used) === 24000 && far.lots[0].transfer === '0',
    `the first money still pays, but that is not looked at any more: ${JSON.stringify(far.lots.slice(0, 3))} … ${far.lots.length}`);
  check(far.sum.even && units(far.sum.came) === 24000, `and the sums hold: ${JSON.stringify(far.sum)}`);
  const b = h.check();
  check(b.code === 0, `books: ${b.text}`);
}, { demo: true, set: {} });
