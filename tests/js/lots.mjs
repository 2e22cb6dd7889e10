// SPDX-License-Identifier: Apache-2.0
// lots.mjs: what the channel really charges, order by order, with `even cashier` as the provider: 2.00 of cash, then top-ups at 0.6 % and at 1 %. A contract
// takes the channel's fee of the lots before it divides; orders spend the oldest money, a refund puts it back in front, the program is killed between.
// After each step `even check` counts the lots again. What no contract may say of such a clause is refused.
import { charge } from './charger.mjs';
import { check, main, until } from './house.mjs';
import { Till, WECHAT } from './till.mjs';

const units = (text) => Math.round(Number(text) * 10000);
// Two fee lines are rounded by themselves, to 0.0001 each.
const near = (a, b) => Math.abs(a - b) <= 2;

const till = await new Till('clean').start();
await main(async (h) => {
  await h.setup();
  const w = await h.world({ balance: '2.00', elec_e5: 8000000, service_e5: 4000000 }); // 120 yuan per kWh: 10 Wh are 1.20
  const books = (when) => { const b = h.check(); check(b.code === 0, `books ${when}: ${b.text}`); };
  try {
    const channel = await till.channel(h, WECHAT);
    const fee = async (bp) => {
      const c = (await h.must('GET', '/api/v1/channels')).items.find((x) => x.id === channel);
      await h.must('PUT', `/api/v1/channels/${channel}`, { ...c, id: undefined, version: undefined, fee_bp: bp }, { 'if-match': `"${c.version}"` });
    };
    const self = (await h.must('GET', '/api/v1/parties')).items.find((p) => p.kind === 1).id;
    const draft = (clauses) => ({ family: w.contract, name: 'lots', from_ms: Date.now(), unit: 1, clauses,
      parties: [{ party: self, lines: 7, ratio: 5 }, { party: w.owner, lines: 7, ratio: 5 }] });
    const clause = { kind: 10, party: self, lines: 7, rate: 0 };
    for (const [what, bad, status] of [['a rate of its own', [{ ...clause, rate: 60 }], 422], ['no fee line', [{ ...clause, lines: 0 }], 422], ['twice', [clause, clause], 409],
      ['a kind that is none', [{ ...clause, kind: 11 }], 422]]) {
      const r = await h.ask('POST', '/api/v1/contracts', draft(bad));
      check(r.status === status || (status === 422 && r.status === 400), `${what}: ${r.status} ${JSON.stringify(r.body)}`);
    }
    await h.must('POST', '/api/v1/contracts', draft([clause]));
    const login = async () => {
      const c = h.client();
      const { demo_code } = await c.must('POST', '/api/v1/driver/code', { phone: '13800138000' });
      c.csrf = (await c.must('POST', '/api/v1/driver/login', { phone: '13800138000', code: demo_code })).csrf;
      return c;
    };
    const d = await login();
    const pay = async (amount) => {
      const { id } = await d.must('POST', '/api/v1/me/payments', { method: 1, channel, amount });
      const get = () => d.must('GET', `/api/v1/me/payments/${id}`);
      const p = await until('a place to pay', async () => { const r = await get(); return r.url && r; }, 60000, 100);
      await fetch(`${p.url}?pay`, { method: 'POST' });
      await until('paid', async () => (await get()).state === 3, 60000, 100);
    };
    await fee(60);
    await pay('2.00');
    await fee(100);
    await pay('100.00');
    books('with three lots');

    const shares = async (order) => {
      const o = await h.must('GET', `/api/v1/orders/${order}`);
      const of = (party) => o.parts.filter((p) => p.party === party).reduce((s, p) => s + units(p.amount), 0);
      return { paid: units(o.order.paid), self: of(self), owner: of(w.owner) };
    };
    // 1.20, all of it cash: nothing is charged.
    const a = await shares(await charge(h, d, w, { cap: '100.00', wh: 10 }));
    check(a.paid === 12000 && a.self === 6000 && a.owner === 6000, `cash costs nothing: ${JSON.stringify(a)}`);
    await h.kill('SIGKILL');
    await h.start();
    // 3.60: 0.80 of cash, 2.00 at 0.6 % (0.0120), 0.80 at 1 % (0.0080).
    const order = await charge(h, d, w, { cap: '100.00', wh: 30 });
    const b = await shares(order);
    check(b.paid === 36000 && near(b.owner, (36000 - 200) / 2) && b.self + b.owner === 36000, `0.0200 first, then 5:5: ${JSON.stringify(b)}`);
    books('after an order across three lots');
    await h.must('POST', `/api/v1/orders/${order}/refund`, { amount: '1.00', note: 'half of it' });
    const back = await shares(order);
    check(back.self + back.owner === 26000 && back.owner <= b.owner && back.self <= b.self, `given back: ${JSON.stringify(back)}`);
    books('after a refund');
    await h.kill('SIGKILL');
    await h.start();
    // 1.20 again: 0.20 at 0.6 % and 0.80 at 1 % came back to the front, then 0.20 at 1 %: 0.0012 + 0.0100.
    const c = await shares(await charge(h, d, w, { cap: '100.00', wh: 10 }));
    check(c.paid === 12000 && near(c.owner, (12000 - 112) / 2) && c.self + c.owner === 12000, `what came back is spent first: ${JSON.stringify(c)}`);
    books('at the end');
    check((await h.must('GET', '/api/v1/ledger/trial')).sum === '0.00', 'the trial balance is zero');
  } finally {
    till.end();
  }
}, { demo: true, set: { 'pay.providers': till.base } });
