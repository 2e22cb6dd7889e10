// SPDX-License-Identifier: Apache-2.0
// payout_orders.mjs: a payout names its orders, a statement its orders, and both ways of the story agree: several orders on several days, refunds before
// and after their shares matured, withdrawals of a part, one that was refused, one that is on its way, rent at a month's end. Then the pages of it, at the
// desk and on the owner's phone, in real headless Chromium; and who must not see it. SHOTS=folder keeps screenshots.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { charge } from './charger.mjs';
import { check, enter, main, until, visit } from './house.mjs';
import { driver, units } from './rogue.mjs';
import { bothWays, pages } from './taken.mjs';

const shots = process.env.SHOTS;
const APPROVE = 1, REFUSE = 2, SETTLED = 4;
const sum = (rows) => rows.reduce((n, x) => n + units(x.amount), 0);
const seen = (text) => Math.round(Number(String(text).replace('−', '-').replace(/[^0-9.-]/g, '')) * 10000);

await main(async (h) => {
  await h.setup();
  const w = await h.world({ balance: '200.00', elec_e5: 8000000, service_e5: 4000000 }); // 120 yuan per kWh: 30 Wh are 3.60, half of it the owner's
  const tenant = await h.ask('GET', '/api/v1/tenant');
  await h.must('PUT', '/api/v1/tenant', { ...tenant.body, refund_days: 1, payout_min: '0.10', payout_fee: '0.10', payout_check: '0.00' }, { 'if-match': tenant.headers.get('etag') });
  const self = (await h.must('GET', '/api/v1/parties')).items.find((p) => p.kind === 1).id;
  const bank = (await h.must('POST', '/api/v1/channels', { kind: 4, name: '银行转账', url: '', app: '', merchant: '', keys: '', fee_bp: 0, state: 0 })).id;
  const owner = (await h.must('GET', '/api/v1/parties')).items.find((p) => p.id === w.owner);
  await h.must('PUT', `/api/v1/parties/${w.owner}`, { kind: 2, name: '万象物业', state: 0, verified: true, payee: '6222020200001234567', payee_name: '万象物业' }, { 'if-match': `"${owner.version}"` });
  await h.must('POST', '/api/v1/people', { login: 'checker', name: '复核', password: 'checker password', role: 2, party: '0', station: '0', state: 0 });
  const logins = async () => { await h.login('admin', 'correct horse battery'); };
  const party = async () => (await h.must('GET', '/api/v1/parties')).items.find((p) => p.id === w.owner);
  const books = (when) => { const b = h.check(); check(b.code === 0, `books ${when}: ${b.text}`); };
  const ask = async (method, path, body) => {
    const r = await h.ask(method, path, body);
    if (r.status === 401) await logins(); // hours pass: the log-in ends
    return r.status < 300 ? r.body : null;
  };
  /** The clock runs until something is so; then it goes on at an even pace where the books are. */
  const pass = async (what, fn) => {
    await h.kill('SIGTERM');
    h.options.set['demo.speed'] = 100000;
    await h.start();
    const got = await until(what, fn, 120000, 20);
    await until('a commit', () => ask('POST', `/api/v1/drivers/${w.driver}/topups`, { amount: '0.01', note: 'the time' }), 30000, 20);
    await h.kill('SIGTERM');
    h.options.set['demo.speed'] = 2;
    await h.start();
    await logins();
    return got;
  };
  const free = (least) => pass(`the owner has ${least}`, async () => { const p = (await ask('GET', '/api/v1/parties'))?.items.find((x) => x.id === w.owner); return p && units(p.available) >= least && units(p.pending) === 0; });
  const order = async (wh) => charge(h, await driver(h), w, { cap: '100.00', wh });
  const refund = (id, amount) => h.must('POST', `/api/v1/orders/${id}/refund`, { amount, note: 'faulty' });
  const withdraw = async (amount) => (await h.must('POST', '/api/v1/payouts', { party: w.owner, channel: bank, amount })).id;
  const decide = async (id, act, more = {}) => {
    const c = h.client();
    await c.login('checker', 'checker password');
    await c.must('POST', `/api/v1/payouts/${id}/decide`, { act, ...more });
  };
  const story = (id) => h.must('GET', `/api/v1/orders/${id}/story`);
  const of = (id, limit) => pages(h, `/api/v1/payouts/${id}/orders`, limit);
  /** All stories of these orders against all payouts; `small`: with pages as small as can be, too. */
  const agree = async (ids, small = false) => {
    const told = new Map();
    for (const id of ids) {
      const s = await story(id);
      check(s.sum.even, `the story of ${id} adds up: ${JSON.stringify(s.sum)} ${JSON.stringify(s.shares)}`);
      told.set(id, s);
    }
    const whole = await bothWays(h, told), one = small ? await bothWays(h, told, 1) : whole;
    for (const [id, rows] of whole) check(JSON.stringify(rows) === JSON.stringify(one.get(id)), `page by page it is the same: ${id}`);
    return told;
  };

  // ---- three orders of one day; the first gives half back while it is pending ----
  const a = await order(30), b = await order(40), c = await order(20); // the owner's: 1.80, 2.40, 1.20
  await refund(a, '1.80'); // its share is 0.90 now
  await free(45000);
  const first = await withdraw('2.00'); // all of a, 1.10 of b
  let rows = await of(first);
  check(rows.length === 2 && rows[0].order_id === b && units(rows[0].amount) === 11000 && rows[1].order_id === a && units(rows[1].amount) === 9000, `a whole, of b a part, newest first: ${JSON.stringify(rows)}`);
  check(rows.every((x) => x.code === 2 && x.rule === 2 && x.station_name === 'Station' && x.at_ms > 0 && x.matured !== '0' && x.lines === 3) && units(rows[1].share) === 18000 && units(rows[0].share) === 24000, `with what a reader needs: ${JSON.stringify(rows)}`);
  await agree([a, b, c]);

  // ---- a withdrawal that is refused never happened; a refund takes of what is available ----
  const refused = await withdraw('1.00');
  check((await of(refused)).map((x) => `${x.order_id}:${units(x.amount)}`).join() === `${b}:10000`, 'while it is asked for it holds a part of b');
  await refund(c, '1.00'); // 0.50 of the owner's: the oldest of what is left, which is b's
  await agree([a, b, c]);
  await decide(refused, REFUSE, { note: 'no' });
  rows = await of(refused);
  check(rows.length === 1 && rows[0].rule === 6 && rows[0].order_id === '0' && units(rows[0].amount) === 10000, `it came back whole: ${JSON.stringify(rows)}`);
  const second = await withdraw('1.00');
  rows = await of(second);
  check(rows.map((x) => `${x.order_id}:${units(x.amount)}`).join() === `${c}:2000,${b}:8000`, `b: 2.40 − 1.10 − 0.50 that the refund took; the rest is of c: ${JSON.stringify(rows)}`);
  await agree([a, b, c]);
  await decide(first, APPROVE);
  await decide(first, SETTLED, { bank_no: 'BK1' });
  books('after two withdrawals');

  // ---- another day: behind what is left; and a withdrawal of more than one day's shares ----
  const d = await order(30);
  await free(20000);
  const third = await withdraw('2.00'); // 1.00 of c, 1.00 of d
  rows = await of(third);
  check(rows.map((x) => `${x.order_id}:${units(x.amount)}`).join() === `${d}:10000,${c}:10000`, `two days in one withdrawal: ${JSON.stringify(rows)}`);
  check(rows[0].matured !== rows[1].matured, 'which matured apart');
  await decide(third, APPROVE);
  await decide(third, SETTLED, { bank_no: 'BK3' });
  const house = (await h.must('GET', '/api/v1/parties')).items.find((p) => p.id === self);
  await h.must('PUT', `/api/v1/parties/${self}`, { kind: 1, name: house.name, state: 0, verified: true, payee: '6222020200007654321', payee_name: '运营商' }, { 'if-match': `"${house.version}"` });
  const ours = await of((await h.must('POST', '/api/v1/payouts', { party: self, channel: bank, amount: '1.00' })).id);
  check(ours.map((x) => `${x.order_id}:${units(x.amount)}`).join() === `${b}:6000,${a}:4000`, `the operator's own: of a what refunds left, then b: ${JSON.stringify(ours)}`);
  const e = await order(20); // 1.20
  await refund(e, '2.40'); // all of it, while it is pending
  const { now_ms } = (await agree([a, b, c, d, e])).get(e);

  // ---- the month ends: rent is no order; the statement's orders are its lines ----
  const day = new Date((await h.must('GET', `/api/v1/orders/${a}`)).order.settled_ms + 8 * 3600e3);
  const month = day.getUTCFullYear() * 100 + day.getUTCMonth() + 1;
  await h.must('POST', '/api/v1/contracts', { family: w.contract, name: 'with rent', from_ms: now_ms, unit: 1,
    parties: [{ party: self, lines: 7, ratio: 5 }, { party: w.owner, lines: 7, ratio: 5 }], clauses: [{ kind: 9, party: w.owner, amount: '100.00' }] });
  let made;
  await pass('the month is over, and its rent matures', async () => {
    made ??= (await ask('POST', '/api/v1/statements', { party: w.owner, month }))?.id;
    const p = (await ask('GET', '/api/v1/parties'))?.items.find((x) => x.id === w.owner);
    return made && p && units(p.pending) === 0 && units(p.available) > 100000;
  });
  const fourth = await withdraw('10.00');
  rows = await of(fourth);
  const rents = rows.slice(0, -1), left = rows.at(-1);
  check(rents.length > 0 && rents.every((x) => x.order_id === '0' && x.code === 23 && /^\d{4}-\d\d$/.test(x.note)) && left.order_id === d && units(left.amount) === 8000, `what is left of d, and rent: ${JSON.stringify(rows)}`);
  const told = await agree([a, b, c, d, e], true);
  check(units(told.get(e).shares.find((x) => x.party === w.owner).returned) === 12000 && !rows.some((x) => x.order_id === e), 'nothing is left of what was given back');
  const sheet = await h.must('GET', `/api/v1/statements/${made}`);
  const entries = await pages(h, `/api/v1/statements/${made}/orders`);
  const line = (codes) => sum(entries.filter((x) => codes.includes(x.code)));
  check(line([2]) === units(sheet.shares) && -line([6]) === units(sheet.refunds) && line([23]) === units(sheet.rents) && line([3, 4, 24]) === units(sheet.corrections), `its rows are its lines: ${JSON.stringify(sheet)} ${JSON.stringify(entries)}`);
  check(new Set(entries.filter((x) => x.order_id !== '0').map((x) => x.order_id)).size === Number(sheet.orders), `and its orders: ${sheet.orders}`);
  check(JSON.stringify(await pages(h, `/api/v1/statements/${made}/orders`, 1)) === JSON.stringify(entries), 'page by page it is the same');
  books('at the end');

  // ---- who sees it ----
  const mine = h.client(), stranger = h.client(), nobody = h.client(), clerk = h.client(), rider = await driver(h);
  await mine.login('partner', 'partner password');
  const third_party = (await h.must('POST', '/api/v1/parties', { kind: 3, name: 'Third', state: 0 })).id;
  await h.must('POST', '/api/v1/people', { login: 'third', name: 'T', password: 'third password', role: 3, party: third_party, state: 0 });
  await stranger.login('third', 'third password');
  await h.must('POST', '/api/v1/people', { login: 'clerk', name: 'K', password: 'clerk password', role: 2, party: '0', station: w.station, state: 0 });
  await clerk.login('clerk', 'clerk password');
  const status = async (x, path) => (await x.ask('GET', path)).status;
  for (const [kind, id] of [['payouts', third], ['statements', made]]) {
    for (const tail of ['', '/orders']) {
      check(await status(mine, `/api/v1/partner/${kind}/${id}${tail}`) === 200, `the owner sees it: ${kind}${tail}`);
      check(await status(stranger, `/api/v1/partner/${kind}/${id}${tail}`) === 404, `another party does not: ${kind}${tail}`);
      check(await status(mine, `/api/v1/partner/${kind}/1${tail}`) === 404 && await status(h, `/api/v1/${kind}/1${tail}`) === 404, `what is not there: ${kind}${tail}`);
      check(await status(h, `/api/v1/${kind}/x${tail}`) === 404, `no number: ${kind}${tail}`);
      for (const [x, want] of [[mine, 403], [rider, 403], [nobody, 401], [clerk, 403]]) check(await status(x, `/api/v1/${kind}/${id}${tail}`) === want, `staff's ${kind}${tail} is for staff: ${want}`);
    }
    const own = await pages(mine, `/api/v1/partner/${kind}/${id}/orders`);
    check(JSON.stringify(own) === JSON.stringify(await pages(h, `/api/v1/${kind}/${id}/orders`)), `the owner sees what staff see: ${kind}`);
    check(!/driver|phone|1380013|faulty/i.test(JSON.stringify(own)), `and nothing of who charged: ${kind}`);
  }
  check((await h.ask('GET', `/api/v1/payouts/${third}/orders?after=x`)).status >= 400, 'a cursor that is none is refused');

  // ---- the pages ----
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  try {
    const open = (path, width, ...who) => enter(browser, h, path, width, 900, ...who);
    const id = (p, name) => p.locator(`[data-testid="${name}"]:visible`); // Element draws each cell once more where nobody sees it
    const shot = async (p, name) => { if (shots) { mkdirSync(shots, { recursive: true }); await p.waitForTimeout(500); await p.screenshot({ path: join(shots, `${name}.png`), fullPage: true }); } };
    const figures = async (p) => (await id(p, 'taken-row').allInnerTexts()).map(seen);
    const desk = await open('/', 1400, 'admin', 'correct horse battery');
    await visit(desk, `${h.web}/#/payouts`);
    await id(desk, 'payout-orders').nth(2).click(); // newest first: the third
    await id(desk, 'taken-even').waitFor();
    check((await figures(desk)).join() === '10000,10000' && seen(await id(desk, 'taken-amount').innerText()) === 20000, 'the desk shows the orders of a payout');
    check((await id(desk, 'taken-even').innerText()).startsWith('✓'), 'and that they add up to it');
    await shot(desk, 'desk-payout');
    await id(desk, 'taken-order').first().click();
    await id(desk, 'story-even').waitFor();
    await id(desk, 'payout-link').first().click();
    await id(desk, 'taken-even').waitFor();
    await visit(desk, `${h.web}/#/statements`);
    await id(desk, 'months-orders').first().click();
    await id(desk, 'taken-even').waitFor();
    check((await id(desk, 'taken-even').innerText()).startsWith('✓') && (await figures(desk)).length === entries.length, 'and those of a statement');
    await shot(desk, 'desk-statement');
    await id(desk, 'lang').click();
    await until('English', async () => (await id(desk, 'taken-even').innerText()).includes('rows add up'));
    check(!/taken\.|trail\.|transfer_code\./.test(await desk.locator('main').innerText()), 'every text is there in English');
    await shot(desk, 'desk-english');
    const phone = await open('/p', 390, 'partner', 'partner password');
    await visit(phone, `${h.web}/p#/withdraw`);
    await id(phone, 'out-orders').first().click(); // the fourth
    await id(phone, 'taken-even').waitFor();
    check((await figures(phone)).join() === rows.map((x) => units(x.amount)).join(), 'the phone has the same rows');
    await shot(phone, 'phone-payout');
    await visit(phone, `${h.web}/p#/payouts/${third}`);
    await id(phone, 'taken-even').waitFor();
    await shot(phone, 'phone-two-days');
    await id(phone, 'taken-line').first().click();
    await id(phone, 'share-sum').first().waitFor();
    await id(phone, 'payout-link').first().click();
    await id(phone, 'taken-even').waitFor();
    await visit(phone, `${h.web}/p#/statements`);
    await id(phone, 'month-orders').first().click();
    await id(phone, 'taken-even').waitFor();
    check((await id(phone, 'taken-even').innerText()).startsWith('✓') && (await figures(phone)).length === entries.length, 'and of the statement');
    await shot(phone, 'phone-statement');
    await visit(phone, `${h.web}/p#/payouts/1`);
    await phone.locator('.empty').waitFor();
  } finally {
    await browser.close();
  }
}, { demo: true, set: {} });
