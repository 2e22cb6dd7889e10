// SPDX-License-Identifier: Apache-2.0
// wallet.mjs: wallets whole, end to end, with `even cashier` as the provider: a top-up package is bought and credited once, gift money beside
// principal pays an order, a refund of the package takes the gift back first, a wallet is frozen and thawed, one order is paid by itself (pay and
// charge) and its rest goes back to the source, an account is closed and its phone registers anew. The provider's own books are compared, and
// `even check` is content after each step. What a thief would try stands beside it.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { Charger, charge } from './charger.mjs';
import { check, main, sleep, until } from './house.mjs';
import { Till, WECHAT } from './till.mjs';
import { stories } from './stories.mjs';

const units = (text) => Math.round(Number(text) * 10000);

async function login(h, phone) {
  const c = h.client();
  const { demo_code } = await c.must('POST', '/api/v1/driver/code', { phone });
  c.csrf = (await c.must('POST', '/api/v1/driver/login', { phone, code: demo_code })).csrf;
  return c;
}

const me = (c) => c.must('GET', '/api/v1/me');

/** Asks for a payment and pays it on the provider's page; answers its row. */
async function pay(c, body, page = true) {
  const { id } = await c.must('POST', '/api/v1/me/payments', { method: 1, ...body });
  const get = () => c.must('GET', `/api/v1/me/payments/${id}`);
  const p = await until('a place to pay', async () => { const r = await get(); return r.url && r; }, 60000, 100);
  if (page) await fetch(`${p.url}?pay`, { method: 'POST' });
  if (page) await until('paid', async () => (await get()).state === 3, 60000, 100);
  return get();
}

/** The faces in a real browser, with a log-in that is there already. */
async function faces(h, who, path, width, fn) {
  const shots = process.env.SHOTS;
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  try {
    const context = await browser.newContext({ viewport: { width, height: 900 }, locale: 'zh-CN' });
    const at = who.cookie.indexOf('=');
    await context.addCookies([{ name: who.cookie.slice(0, at), value: who.cookie.slice(at + 1), url: h.web }]);
    const page = await context.newPage();
    page.on('pageerror', (e) => check(false, `page error on ${path}: ${e.message}`));
    await page.goto(h.web + path);
    const shot = async (title) => { if (shots) { mkdirSync(shots, { recursive: true }); await page.waitForTimeout(500); await page.screenshot({ path: join(shots, `${title}.png`), fullPage: true }); } };
    page.setDefaultTimeout(15000);
    await fn(page, (id) => page.locator(`[data-testid="${id}"]`), shot);
  } finally {
    await browser.close();
  }
}

const till = await new Till('clean').start();
const dry = await new Till('short', ['--seed', '7', '--faults', 'no-funds=100']).start(till);
await main(async (h) => {
  await h.setup();
  const w = await h.world({ balance: '10.00', elec_e5: 8000000, service_e5: 4000000 }); // 120 yuan per kWh
  const books = (when) => { const b = h.check(); check(b.code === 0, `books ${when}: ${b.text}`); };
  try {
    const channel = await till.channel(h, WECHAT);
    const tenant = await h.ask('GET', '/api/v1/tenant');
    await h.must('PUT', '/api/v1/tenant', { ...tenant.body, payout_check: '1000.00', payee_hold_h: 0 }, { 'if-match': tenant.headers.get('etag') });
    const d = await login(h, '13800138000');

    // ---- packages ----
    const big = { name: '充100送20', pay: '100.00', gift: '20.00', gift_days: 365, state: 0 };
    for (const [why, bad] of Object.entries({ 'no gift': { gift: '0.00' }, 'a part of a fen': { gift: '1.005' }, 'a negative price': { pay: '-1.00' },
      'no name': { name: '' }, 'an end before its begin': { from_ms: 2000, to_ms: 1000 } }))
      check((await h.ask('POST', '/api/v1/packages', { ...big, ...bad })).status >= 400, `a package with ${why} is refused`);
    check((await d.ask('POST', '/api/v1/packages', big)).status === 403, 'a driver makes no package');
    const pack = (await h.must('POST', '/api/v1/packages', big)).id;
    const shown = (await d.must('GET', '/api/v1/me/packages')).items;
    check(shown.length === 1 && shown[0].gift === '20.00', 'the driver sees it');
    check((await d.ask('POST', '/api/v1/me/payments', { channel, method: 1, amount: '1.00', package: pack })).status === 409, 'not for another price');
    const bought = await pay(d, { channel, amount: '100.00', package: pack });
    await fetch(`${bought.url}?pay`, { method: 'POST' }); // again
    let m = await me(d);
    check(m.balance === '110.00' && m.gift === '20.00' && m.available === '130.00', `principal and gift apart: ${JSON.stringify(m)}`);
    books('after a package');

    await faces(h, h, '/#/packages', 1400, async (page, id, shot) => {
      await page.locator('tr', { hasText: '充100送20' }).waitFor();
      await shot('packages');
      await id('new').click();
      await id('package-name').fill('充50送5');
      await id('package-pay').fill('50');
      await id('package-gift').fill('5');
      await id('form-save').click();
      await page.locator('tr', { hasText: '充50送5' }).waitFor();
    });
    await faces(h, d, '/d#/topup', 390, async (page, id, shot) => {
      await until('both packages are offered', async () => (await id('topup-package').count()) === 2);
      await id('topup-package').first().click();
      check((await id('topup-go').innerText()).includes('50.00'), 'a package has its price');
      await shot('topup');
      await page.goto(`${h.web}/d#/wallet`);
      await until('the gift is shown', async () => (await id('gift').innerText()).includes('20.00'));
      await until('both lots may go back', async () => (await id('lot-back').count()) === 2);
      await shot('wallet');
      await page.goto(`${h.web}/d#/c/${w.chargers[0].connectors[0].code}`);
      await id('connector-card').waitFor();
      await shot('start');
    });

    // ---- an order over both accounts; the gift is spent last ----
    check((await d.ask('POST', '/api/v1/me/orders', { code: w.chargers[0].connectors[0].code, cap: '130.01' })).status >= 400, 'no cap above both');
    await charge(h, d, w, { cap: '130.00', wh: 30 });
    m = await me(d);
    check(m.balance === '106.40' && m.gift === '20.00' && m.held === '0.00', `3.60 of principal: ${JSON.stringify(m)}`);
    books('after an order');

    // ---- a refund of the package takes the gift back first ----
    const lots = (await d.must('GET', '/api/v1/me/lots')).items;
    const lot = lots.find((l) => l.channel === channel), cash = lots.find((l) => l.channel === '0');
    check(lot.rest === '100.00' && lot.gift_due === '20.00' && cash.rest === '6.40', `the oldest lot is spent first: ${JSON.stringify(lots)}`);
    check((await d.ask('POST', `/api/v1/me/payments/${lot.id}/refund`, { amount: '100.01' })).status >= 400, 'not more than was paid');
    check((await d.ask('POST', `/api/v1/me/payments/${cash.id}/refund`, { amount: '6.41' })).status === 422, "not more than is left of it: the package's principal takes its gift along");
    const other = await login(h, '13900139000');
    check((await other.ask('POST', `/api/v1/me/payments/${lot.id}/refund`, { amount: '1.00' })).status === 404, "not another's");

    // ---- frozen: no start, no refund ----
    check((await h.ask('POST', `/api/v1/drivers/${w.driver}/freeze`, { frozen: 1, reason: '' })).status >= 400, 'a reason is needed');
    check((await d.ask('POST', `/api/v1/drivers/${w.driver}/freeze`, { frozen: 0, reason: 'x' })).status === 403, 'a driver thaws nothing');
    await faces(h, h, `/#/drivers/${w.driver}`, 1400, async (page, id, shot) => {
      await id('driver-freeze').click();
      check(await id('wallet-go').isDisabled(), 'no freezing without a reason');
      await id('wallet-why').fill('phone lost');
      await shot('freeze');
      await id('wallet-go').click();
      await id('driver-frozen').waitFor();
      await shot('frozen');
    });
    await faces(h, d, '/d#/wallet', 390, async (page, id, shot) => {
      await id('wallet-frozen').waitFor();
      check(await id('lot-back').first().isDisabled(), 'a frozen wallet gives nothing back');
      await shot('frozen-phone');
    });
    check((await d.ask('POST', '/api/v1/me/orders', { code: w.chargers[0].connectors[0].code, cap: '1.00' })).status >= 400, 'a frozen wallet starts nothing');
    check((await d.ask('POST', `/api/v1/me/payments/${lot.id}/refund`, { amount: '1.00' })).status >= 400, 'nor gives anything back');
    check((await d.ask('POST', '/api/v1/me/close', {})).status >= 400, 'nor is it closed');
    check((await me(d)).frozen === 1, 'the driver is told');
    await h.must('POST', `/api/v1/drivers/${w.driver}/freeze`, { frozen: 0, reason: 'found again' });
    const audit = (await h.must('GET', '/api/v1/audit?limit=200')).items;
    check(['wallet.freeze', 'wallet.unfreeze'].every((a) => audit.some((x) => x.action === a && x.detail.length > 3)), 'both are audited, with their reasons');

    const back = await d.must('POST', `/api/v1/me/payments/${lot.id}/refund`, { amount: '50.00' });
    check((await h.must('GET', '/api/v1/payouts/waiting')).n === 0, 'no payout waits for money');
    await until('it went back', async () => (await h.must('GET', '/api/v1/payouts?limit=50')).items.find((p) => p.id === back.id).state === 5, 60000, 100);
    m = await me(d);
    check(m.balance === '56.40' && m.gift === '0.00', `unspent gift first: ${JSON.stringify(m)}`);
    books('after the refund of a package');

    // ---- our balance at the provider is short: the refund waits, and staff are told ----
    const poor = await login(h, '13700137000'), short = await dry.channel(h, WECHAT);
    const small = await pay(poor, { channel: short, amount: '2.00' });
    const dried = await poor.must('POST', `/api/v1/me/payments/${small.id}/refund`, { amount: '2.00' });
    const waiting = await until('it waits for money', async () => { const f = await h.must('GET', '/api/v1/payouts/waiting'); return f.n > 0 && f; }, 60000, 100);
    check(waiting.n === 1 && waiting.amount === '2.00', `one waits: ${JSON.stringify(waiting)}`);
    check((await me(poor)).balance === '0.00', 'and cannot be spent meanwhile');
    await faces(h, h, '/#/payouts', 1400, async (page, id, shot) => {
      await id('funds-short').waitFor();
      await shot('funds-short');
    });
    check((await h.must('GET', '/api/v1/audit?limit=200')).items.some((x) => x.action === 'payout.no_funds' && x.object === dried.id), 'the alarm is in the audit');
    books('with a short balance');

    // ---- gift money from staff: never cash ----
    check((await h.ask('POST', `/api/v1/drivers/${w.driver}/gifts`, { amount: '5.00', note: '' })).status >= 400, 'a gift has a reason');
    await h.must('POST', `/api/v1/drivers/${w.driver}/gifts`, { amount: '5.00', days: 30, note: '开业活动' });
    const gift = (await h.must('GET', `/api/v1/payments?driver=${w.driver}`)).items.find((p) => p.method === 4);
    check(gift.gift === '5.00' && (await h.ask('POST', '/api/v1/payouts', { payment: gift.id, channel: '0', amount: '5.00' })).status >= 400, 'a gift is not paid out');

    // ---- pay and charge ----
    const cp = w.chargers[0], connector = cp.connectors[0].id;
    const charger = new Charger(h, cp);
    await charger.open();
    await charger.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
    await charger.status('Preparing');
    await until('connector is ready', async () => (await h.must('GET', `/api/v1/connectors?charger=${cp.id}`)).items[0].status === 2);
    check((await d.ask('POST', '/api/v1/me/payments', { channel, method: 1, amount: '5.00', connector: '17' })).status === 404, 'not at a place that is none');
    let single = '';
    await faces(h, other, `/d#/c/${cp.connectors[0].code}`, 390, async (page, id, shot) => {
      await id('start-single').click();
      await page.locator('[data-testid="topup-own"] input').fill('5');
      await shot('single');
      await id('topup-go').click();
      const row = () => other.must('GET', '/api/v1/me/payments').then((r) => r.items[0]);
      const p = await until('a place to pay', async () => { const r = await row(); return r?.url && r; }, 60000, 100);
      check(p.connector === connector, 'the payment names the place');
      const at = await fetch(p.url);
      await fetch(`${at.url}?pay`, { method: 'POST' });
      await until('paid', async () => (await row()).state === 3, 60000, 100);
      single = await row();
      await id('topup-order').click();
      await page.waitForURL(/orders\/\d+/);
      await shot('single-order');
    });
    check(single.order_id !== '0', 'an order began by itself');
    await until('remote start', async () => charger.started);
    const tx = (await charger.call('StartTransaction', { connectorId: 1, idTag: charger.started.idTag, meterStart: 1000, timestamp: new Date().toISOString() })).transactionId;
    for (let i = 1; i <= 3; i++) {
      await sleep(300);
      await charger.meter(tx, 1000 + i * 7, 60000);
    }
    check((await other.ask('POST', `/api/v1/me/payments/${single.id}/refund`, { amount: '1.00' })).status >= 400, 'not while it runs');
    await charger.call('StopTransaction', { transactionId: tx, meterStop: 1030, timestamp: new Date().toISOString(), reason: 'Local' });
    await charger.status('Available');
    const rest = await until('the rest goes back', async () => (await h.must('GET', '/api/v1/payouts?limit=50')).items.find((p) => p.payment === single.id && p.state === 5), 60000, 100);
    check(rest.amount === '1.40', `5.00 less 3.60: ${rest.amount}`);
    m = await me(other);
    check(m.balance === '0.00' && m.available === '0.00', 'nothing stays in the wallet');
    const moves = (await till.state()).moves ?? [];
    check(moves.some((x) => x.no === `W${rest.id}`), `the provider gave it back: ${JSON.stringify(moves).slice(0, 300)}`);
    const o = await other.must('GET', `/api/v1/me/orders/${single.order_id}`);
    check(o.order.paid === '3.60', 'the order was paid by it');
    books('after a single payment');

    // ---- nobody is let pay where nothing can begin ----
    charger.ws.close();
    await until('the charger is away', async () => (await h.must('GET', `/api/v1/connectors?charger=${cp.id}`)).items[0].status === 0);
    check((await other.ask('POST', '/api/v1/me/payments', { channel, method: 1, amount: '2.00', connector })).status >= 400, 'not at a charger that is away');

    // ---- closing ----
    const shut = (give_up) => d.ask('POST', '/api/v1/me/close', give_up ? { give_up } : {});
    check((await shut()).status === 409, 'principal must go back first');
    check((await shut('1.00')).status === 409, 'what is waived is waived whole');
    for (;;) {
      const left = (await d.must('GET', '/api/v1/me/lots')).items.filter((l) => units(l.back) > 0);
      if (!left.length) break;
      await d.must('POST', `/api/v1/me/payments/${left[0].id}/refund`, { amount: left[0].back });
    }
    check((await me(d)).balance === '0.00', 'all of it is on its way');
    check((await shut()).status === 409, 'on its way is not there');
    const waits = (await h.must('GET', '/api/v1/payouts?limit=50')).items.find((p) => p.channel === '0' && p.state === 2);
    await h.must('POST', '/api/v1/people', { login: 'checker', name: 'C', password: 'checker password', role: 1, party: '0', station: '0', state: 0 });
    const checker = h.client();
    await checker.login('checker', 'checker password');
    await checker.must('POST', `/api/v1/payouts/${waits.id}/decide`, { act: 4, bank_no: 'CASH-1' });
    await until('all of it arrived', async () => (await h.must('GET', '/api/v1/payouts?limit=50')).items.every((p) => p.state === 5 || p.id === dried.id), 60000, 100);
    const closed = await shut();
    check(closed.status < 300, `closed: ${JSON.stringify(closed.body)}`);
    check((await d.ask('GET', '/api/v1/me')).status === 401, 'the log-in is over');
    books('after closing');
    const told = [...(await stories(h)).values()];
    check(told.some((s) => s.payment !== '0' && s.lots.every((l) => l.rule === 1 && l.payment === s.payment) && s.returns.length > 0), 'a single payment paid its own order, and its rest went back');
    const again = await login(h, '13800138000');
    check((await me(again)).id !== w.driver && (await me(again)).gift === '0.00', 'the same phone is a new driver');
    check((await h.must('GET', '/api/v1/ledger/trial')).sum === '0.00', 'the trial balance is zero');
    await h.kill('SIGKILL');
    await h.start();
    books('after a crash');
  } finally {
    till.end();
    dry.end();
  }
}, { demo: true, set: { 'pay.providers': `${till.base},${dry.base}` } });
