// SPDX-License-Identifier: Apache-2.0
// discharge.mjs: drivers are paid for what their vehicles give back, with the simulator's piles and a clock thirty times faster: a charge turned round and
// back, the floor that a driver set, stops of driver and staff, records that come twice, late or whose acknowledgement is lost, the program killed in the
// middle, starts that are refused; then the wallet and its lots, statistics, the station's profit and loss, and the books, to the fen. What was earned pays
// the next charge and is paid out, and the money story tells it, both ways, at the desk and on the driver's phone. SHOTS=folder keeps screenshots.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { check, main, until, visit } from './house.mjs';

const speed = Number(process.env.SPEED ?? 30);
const units = (m) => Math.round(Number(m) * 10000);
const PILE = (n) => `3201060000000${n}`;
const story = (h, id) => h.must('GET', `/api/v1/orders/${id}`);
const over = (h, id) => until(`order ${id} is over`, async () => { const o = await story(h, id); return [8, 9, 10].includes(o.order.state) && o; }, 60000);
const runs = (h, id, mwh = 1) => until(`order ${id} runs`, async () => { const o = await story(h, id); return o.order.state === 4 && o.live_energy_mwh >= mwh && o; }, 60000);

async function login(h, phone) {
  const c = h.client();
  const sent = await c.must('POST', '/api/v1/driver/code', { phone });
  c.csrf = (await c.must('POST', '/api/v1/driver/login', { phone, code: sent.demo_code })).csrf;
  return c;
}

/** A discharge is its lines, each its energy times its price, rounded once, and all of it was paid. */
function proven(o, what) {
  let sum = 0, mwh = 0;
  for (const l of o.lines) {
    const exact = (BigInt(l.energy_mwh) * BigInt(l.price_e5) + 500000000n) / 1000000000n;
    check(l.kind === 8 && l.price_e5 > 0 && BigInt(units(l.amount)) === exact * 100n, `${what}: line ${l.seq} is ${l.amount}`);
    sum += units(l.amount);
    mwh += l.energy_mwh;
  }
  check(o.order.kind === 3 && o.order.state === 8 && o.lines.length > 0, `${what}: kind ${o.order.kind}, state ${o.order.state}, ${o.lines.length} lines`);
  check(sum === units(o.order.total) && sum === units(o.order.paid) && mwh === o.order.energy_mwh, `${what}: lines ${sum}, total ${o.order.total}, paid ${o.order.paid}`);
  check(units(o.elec) === 0 && units(o.service) === 0 && o.parts.length === 0, `${what}: nobody shares in it`);
  check(o.sessions[0].direction === -1 && o.transfers.length === (sum ? 1 : 0), `${what}: one transfer`);
  return sum;
}

const id = (p, name) => p.locator(`[data-testid="${name}"]:visible`);
async function page(browser, h, path, width, locale = 'zh-CN') {
  const p = await (await browser.newContext({ viewport: { width, height: 900 }, locale })).newPage();
  p.on('pageerror', (e) => check(false, `page error on ${path}: ${e.message}`));
  await p.goto(h.web + path);
  return p;
}
async function enter(browser, h, path, width, login, password, locale) {
  const p = await page(browser, h, path, width, locale);
  await p.locator('input[name=login]').fill(login);
  await p.locator('input[name=password]').fill(password);
  await id(p, 'login-submit').click();
  await p.waitForURL(/#\/(?!login)/);
  return p;
}
async function shot(p, name) {
  if (!process.env.SHOTS) return;
  mkdirSync(process.env.SHOTS, { recursive: true });
  await p.waitForTimeout(500);
  await p.screenshot({ path: join(process.env.SHOTS, `discharge-${name}.png`), fullPage: true });
}
/** No page shows the key of a text. */
async function worded(p, what) {
  const text = await p.locator('body').innerText();
  check(!/\b(trail|give|transfer_code|payout_state)\.[a-z0-9]/.test(text), `${what} shows a key: ${text.match(/\b(trail|give|transfer_code|payout_state)\.\S*/)?.[0]}`);
  return text;
}

/** The story of one discharge, to which page it leads and back; the driver's part of it; nothing for a partner. */
async function pages(h, given, charge, sold) {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  try {
    for (const locale of ['en-GB', 'zh-CN']) {
      const desk = await enter(browser, h, '/', 1200, 'admin', 'correct horse battery', locale);
      await visit(desk, `${h.web}/#/orders/${given}`);
      await id(desk, 'to-story').click();
      await id(desk, 'earned-row').first().waitFor();
      check((await id(desk, 'story-even').innerText()).startsWith('✓'), 'the desk sees that all of it adds up');
      check((await id(desk, 'story-line').count()) > 0 && /kWh/.test(await id(desk, 'story-kwh').innerText()), 'and for which energy it was');
      await shot(desk, `story-${locale}`);
      await worded(desk, 'the story');
      await id(desk, 'earned-order').first().click();
      await desk.waitForURL(new RegExp(`#/orders/${charge}/story`));
      const lots = id(desk, 'lot-row');
      await lots.first().waitFor();
      check((await lots.first().innerText()).includes(locale === 'zh-CN' ? '放电付款' : 'Paid for a discharge'), `the charge names what paid it: ${await lots.allInnerTexts()}`);
      await lots.first().locator(`a[href$="/orders/${given}/story"]`).click();
      await id(desk, 'earned-row').first().waitFor();
      await visit(desk, `${h.web}/#/orders/${sold}/story`);
      await id(desk, 'earned-payout').waitFor();
      await shot(desk, `sold-${locale}`);
      await worded(desk, 'the story of what was paid out');
      await id(desk, 'earned-payout').locator('a[href*="#/payouts/"]').click();
      await id(desk, 'taken-order').waitFor();
      check((await id(desk, 'taken-order').innerText()).includes(sold), 'the payout names the discharge');
      await shot(desk, `payout-${locale}`);
      await desk.context().close();
    }
    const phone = await page(browser, h, '/d#/login', 390);
    await phone.locator('input[name=phone]').fill('13800138000');
    await id(phone, 'driver-code-send').click();
    await phone.locator('input[name=code]').fill((await id(phone, 'driver-demo-code').innerText()).replace(/\D/g, ''));
    await id(phone, 'driver-login').click();
    await phone.waitForURL(/#\/(?!login)/);
    await visit(phone, `${h.web}/d#/orders/${given}`);
    await id(phone, 'receipt-earned').waitFor();
    await shot(phone, 'phone');
    await worded(phone, "the driver's receipt");
    await id(phone, 'earned-order').first().click();
    await id(phone, 'receipt-sources').waitFor();
    check((await id(phone, 'lot-row').first().innerText()).includes('放电付款'), 'a click leads to what it paid, which names it');
    const owner = await enter(browser, h, '/p', 390, 'partner', 'partner password');
    await visit(owner, `${h.web}/p#/orders/${given}`);
    await owner.getByText('这笔订单没有您的分成').waitFor();
    check((await id(owner, 'share-trail').count()) === 0, 'nobody shares in it');
  } finally {
    await browser.close();
  }
}

const refused = (r, status, code, what) => check(r.status === status && r.body.type === `urn:even:${code}`, `${what}: ${r.status} ${JSON.stringify(r.body)}`);

await main(async (h) => {
  await h.setup();
  const piles = [1, 2, 3, 4, 5, 6].map((n) => ({ path: PILE(n), protocol: 2, guns: 2 }));
  const w = await h.world({ chargers: [...piles, { path: PILE(7), protocol: 2 }], balance: '100.00' });
  const all = [{ first_mmdd: 101, last_mmdd: 1231, weekdays: 127, plan: 0 }];
  const slices = Array.from({ length: 48 }, (_, i) => ({ plan: 0, from_min: 30 * i, label: i % 2 ? '峰' : '谷', elec_e5: i % 2 ? 80000 : 50003, service_e5: 0 }));
  const buys = (await h.must('POST', '/api/v1/tariffs', { name: '放电', from_ms: 0, days: all, slices })).id;
  const put = async (id, change) => {
    const now = await h.ask('GET', `/api/v1/stations/${id}`);
    return h.ask('PUT', `/api/v1/stations/${id}`, { ...now.body, ...change }, { 'if-match': now.headers.get('etag') });
  };
  const code = (n, gun = 1) => w.chargers[n - 1].connectors[gun - 1].code;
  const driver = await login(h, '13800138000');
  const other = await login(h, '13900139000');
  const give = (c, n, gun, to) => driver.ask('POST', '/api/v1/me/orders', { code: code(n, gun), discharge_to: to });

  // ---- the station buys ----
  refused(await put(w.station, { discharge_tariff: w.tariff }), 422, 'range', 'a tariff with a service price buys nothing');
  refused(await put(w.station, { discharge_tariff: w.station }), 404, 'not-found', 'no such tariff');
  check((await put(w.station, { discharge_tariff: buys })).status < 300, 'the station buys');
  check((await put(w.station, { discharge_tariff: undefined })).status < 300, 'who does not name it …');
  check((await h.must('GET', `/api/v1/stations/${w.station}`)).discharge_tariff === buys, '… keeps it');
  refused(await h.ask('POST', '/api/v1/tariffs', { family: buys, name: '放电', from_ms: Date.now() * 2, days: all, slices: [{ ...slices[0], service_e5: 1 }] }), 422, 'range', 'nor does a new version have one');
  const shown = await driver.must('GET', `/api/v1/codes/${code(1)}`);
  check(shown.discharge.length === 48 && shown.discharge[0].elec_e5 === 50003, 'the code shows what is paid');

  const sims = [[1, 'normal', []], [2, 'duplicate', []], [3, 'lost-ack', []], [4, 'lost-record', []], [5, 'normal', ['--no-turn']], [6, 'slow-stop', []]]
    .map(([n, habit, more]) => h.run(['sim', '--ykc', `127.0.0.1:${h.ports['charge.ykc_port']}`, '--ykc-piles', '1', '--first-pile', PILE(n), '--seed', String(20 + n),
      '--speed', String(speed), '--behaviours', habit, '--autoplug', ...more]));
  h.run(['sim', '--ykc', `127.0.0.1:${h.ports['charge.ykc_port']}`, '--ykc-piles', '1', '--first-pile', PILE(7), '--speed', String(speed)]); // no vehicle comes
  const at = async (n, gun = 1) => (await h.must('GET', '/api/v1/connectors')).items.find((c) => c.charger === w.chargers[n - 1].id && c.number === gun);
  const plugged = (n, gun = 1) => until(`a vehicle at pile ${n}`, async () => { const c = await at(n, gun); return [2, 6].includes(c.status) && c.order_id === '0'; }, 60000);

  // ---- refused ----
  await plugged(1);
  refused(await driver.ask('POST', '/api/v1/me/orders', { code: code(1), discharge_to: 30, cap: '1.00' }), 422, 'range', 'a discharge is not prepaid');
  refused(await driver.ask('POST', '/api/v1/me/orders', { code: code(1), discharge_to: 30, payer: 3 }), 422, 'range', 'nor does a company pay');
  refused(await driver.ask('POST', '/api/v1/me/orders', { code: code(1), discharge_to: 0 }), 422, 'range', 'down to nothing');
  refused(await driver.ask('POST', '/api/v1/me/orders', { code: code(1), discharge_to: 101 }), 422, 'range', 'down to more than all');
  refused(await driver.ask('POST', '/api/v1/me/orders', { code: code(1), discharge_to: 30, driver: w.driver }), 422, 'range', 'a driver names no driver');
  refused(await h.ask('POST', '/api/v1/orders', { connector: w.chargers[0].connectors[0].id, driver: w.station, discharge_to: 30 }), 404, 'not-found', 'no such driver');
  await until('pile 7 is there', async () => (await at(7)).status === 1, 60000);
  const none = await driver.must('POST', '/api/v1/me/orders', { code: code(7), discharge_to: 30 });
  check((await over(h, none.id)).order.state === 9, 'nothing is plugged in');

  // ---- a charge turned round, down to the floor ----
  let earned = 0, spent = 0;
  await plugged(1);
  const charge = await driver.must('POST', '/api/v1/me/orders', { code: code(1), cap: '20.00' });
  const before = await runs(h, charge.id, 100000);
  refused(await other.ask('POST', '/api/v1/me/orders', { code: code(1), discharge_to: 5 }), 409, 'busy', 'somebody else turns it round');
  const floor = Math.max(1, Math.floor(before.live_soc_pm / 10) - 1);
  const turned = await give(driver, 1, 1, floor);
  check(turned.status < 300, `turned round: ${turned.status} ${JSON.stringify(turned.body)}`);
  const charged = await over(h, charge.id);
  check(charged.order.state === 8 && units(charged.order.paid) > 0 && !charged.order.estimated, 'the charge ended with its record');
  spent += units(charged.order.paid);
  const given = await over(h, turned.body.id);
  earned += proven(given, 'turned round');
  check(given.order.stop_reason === 13 && given.sessions[0].to_soc === floor, `it ended at ${floor} %: reason ${given.order.stop_reason}`);
  check(given.sessions[0].soc_pm <= 10 * (floor + 1), `at ${given.sessions[0].soc_pm} per mille`);

  // ---- and back; staff stop ----
  await plugged(1, 2);
  const first = await give(driver, 1, 2, 1);
  await runs(h, first.body.id, 200000);
  const back = await driver.must('POST', '/api/v1/me/orders', { code: code(1, 2), cap: '10.00' });
  earned += proven(await over(h, first.body.id), 'before it was turned back');
  await runs(h, back.id, 100000);
  await h.must('POST', `/api/v1/orders/${back.id}/stop`);
  spent += units((await over(h, back.id)).order.paid);

  // ---- a pile that does not turn ----
  await plugged(5);
  const stays = await driver.must('POST', '/api/v1/me/orders', { code: code(5), cap: '10.00' });
  await runs(h, stays.id, 50000);
  const no = await give(driver, 5, 1, 1);
  check((await over(h, no.body.id)).order.state === 9, 'the pile refuses to turn');
  check((await story(h, stays.id)).order.state === 4, 'and goes on');
  await driver.must('POST', `/api/v1/me/orders/${stays.id}/stop`);
  spent += units((await over(h, stays.id)).order.paid);

  // ---- records twice, late, their acknowledgement lost; staff for a driver ----
  for (const [n, what] of [[2, 'twice'], [3, 'its acknowledgement is lost'], [4, 'the record comes late'], [6, 'a slow stop']]) {
    await plugged(n);
    const made = n === 3 ? await h.ask('POST', '/api/v1/orders', { connector: w.chargers[n - 1].connectors[0].id, driver: w.driver, discharge_to: 2 }) : await give(driver, n, 1, 2);
    check(made.status < 300, `${what}: ${made.status} ${JSON.stringify(made.body)}`);
    await runs(h, made.body.id, 300000);
    if (n === 4) { // the program dies with the session open
      await h.kill('SIGKILL');
      await h.start();
      await until('the pile is back', async () => (await at(n)).status === 3, 60000);
    }
    await driver.must('POST', `/api/v1/me/orders/${made.body.id}/stop`);
    earned += proven(await over(h, made.body.id), what);
  }

  // ---- a station that buys nothing; staff without a driver ----
  await put(w.station, { discharge_tariff: '0' });
  await plugged(2, 2);
  refused(await give(driver, 2, 2, 5), 409, 'no-discharge', 'it buys nothing');
  const free = await h.must('POST', '/api/v1/orders', { connector: w.chargers[1].connectors[1].id, discharge_to: 2 });
  await runs(h, free.id, 100000);
  await h.must('POST', `/api/v1/orders/${free.id}/stop`);
  const unpaid = await over(h, free.id);
  check(unpaid.order.energy_mwh > 0 && units(unpaid.order.total) === 0 && unpaid.lines.length === 0, 'of staff it moves no money');

  // ---- the wallet, its lots, what is not possible ----
  const me = await driver.must('GET', '/api/v1/me');
  check(units(me.balance) === 1000000 - spent + earned, `wallet ${JSON.stringify(me)}: 100.00 − ${spent} + ${earned}`);
  const lots = (await driver.must('GET', '/api/v1/me/lots')).items;
  check(lots.some((l) => l.method === 5), `a lot of a discharge: ${JSON.stringify(lots)}`);
  refused(await h.ask('POST', `/api/v1/orders/${given.order.id}/refund`, { amount: '0.01', note: 'x' }), 409, 'discharge', 'no refund');
  refused(await driver.ask('POST', '/api/v1/me/invoices', { orders: [given.order.id], buyer: 1, title: '个人', email: 'a@b.cn' }), 409, 'discharge', 'no invoice');
  check(!(await driver.must('GET', '/api/v1/me/invoiceable')).items.some((o) => o.id === given.order.id), 'nor is it offered');

  // ---- statistics and profit and loss ----
  const days = (await h.must('GET', '/api/v1/stats/days')).items;
  const sum = (f) => days.reduce((s, d) => s + f(d), 0);
  check(sum((d) => units(d.discharged)) === earned, `the days paid ${sum((d) => units(d.discharged))}, should be ${earned}`);
  check(sum((d) => units(d.paid)) === spent && sum((d) => d.orders) === 3, 'charges are counted beside it');
  const profit = (await h.must('GET', '/api/v1/reports/stations')).total;
  check(units(profit.discharged) === earned, `the station paid ${profit.discharged}`);
  check(units(profit.result) === units(profit.own) - units(profit.channel_fee) - earned, `result ${profit.result}`);
  check(units((await h.must('GET', '/api/v1/ledger/trial')).sum) === 0, 'the trial balance is zero');

  // ---- where it went: the top-up is paid out, so the next charge is paid with what was earned, the oldest first; some of the newest is paid out ----
  const pay = async (lot, amount) => h.must('POST', '/api/v1/payouts', { payment: lot, amount });
  const desk = await driver.must('GET', '/api/v1/me/lots');
  for (const l of desk.items.filter((x) => x.method === 0)) await pay(l.id, l.rest);
  await plugged(5);
  const next = await driver.must('POST', '/api/v1/me/orders', { code: code(5), cap: '0.50' });
  const bought = await over(h, next.id);
  const newest = (await driver.must('GET', '/api/v1/me/lots')).items.at(-1);
  await pay(newest.id, '0.05');
  const money = (o, who = h, path = 'orders') => who.must('GET', `/api/v1/${path}/${o}/story`);
  const gave = (await h.must('GET', '/api/v1/orders?limit=100')).items.filter((o) => o.kind === 3 && units(o.paid) > 0).map((o) => o.id);
  let there = 0, used = 0, out = 0, sold;
  for (const o of gave) {
    const s = await money(o), e = s.earned[0], sums = s.earned_sum;
    check(s.sum.even && s.earned.length === 1 && e.rule === 2 && units(sums.given) === units(s.order.paid), `it adds up: ${JSON.stringify(sums)}`);
    check(units(e.there) + units(e.spent) + units(e.withdrawn) === units(e.wallet), `each is somewhere: ${JSON.stringify(e)}`);
    there += units(e.there);
    used += e.uses.filter((u) => u.order_id === next.id).reduce((a, u) => a + units(u.amount), 0);
    out += units(e.withdrawn);
    if (e.payouts.length) sold = o;
    const own = await money(o, driver, 'me/orders');
    check(JSON.stringify(own.earned_sum) === JSON.stringify(sums) && own.earned[0].payouts.every((p) => p.channel.recon === 0), 'the driver is told the same');
    check((await other.ask('GET', `/api/v1/me/orders/${o}/story`)).status === 404, 'nobody else is');
  }
  check(there === units((await driver.must('GET', '/api/v1/me')).balance), `what is there is the wallet: ${there}`);
  check(used === units(bought.order.paid) && used > 0 && out === 500, `the charge took ${used}, should be ${bought.order.paid}; paid out: ${out}`);
  const back2 = (await money(next.id)).lots.filter((l) => l.code === 18);
  check(back2.reduce((a, l) => a + units(l.used), 0) === used && back2.every((l) => gave.includes(l.order_id)), 'its story names the same');
  await pages(h, back2[0].order_id, next.id, sold);

  for (const s of sims) s.kill('SIGTERM');
  await until('the piles are gone', () => sims.every((s) => s.exitCode !== null || s.signalCode !== null), 30000);
  check(sims[0].text.includes('kWh back'), `the simulator tells: ${sims[0].text.slice(-300)}`);
  await h.kill('SIGTERM');
  const books = h.check();
  check(books.code === 0 && / grid /.test(books.text), `the books: ${books.text}`);
}, { demo: true, set: { 'demo.speed': speed } });
