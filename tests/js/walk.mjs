// SPDX-License-Identifier: Apache-2.0
// walk.mjs: the money of two orders as the people see it who live by it, in real headless Chromium: a driver tops up on the cashier's page and charges; the
// shares stand on the owner's phone; the month ends, its statement is made and confirmed; the owner withdraws, a second person approves, the cashier pays;
// the providers' bills are imported, their days reconciled and closed, and the certificates come to zero. Then an order is refunded whose share has left:
// the owner owes it, and the next order's share settles it. Every figure stands on a page and in the money story, which must add up at each step.
// SHOTS=folder keeps screenshots.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { charge, Charger } from './charger.mjs';
import { check, even, finish, House, sleep, until, visit } from './house.mjs';
import { ALIPAY, Till, WECHAT } from './till.mjs';

const shots = process.env.SHOTS;
const units = (text) => Math.round(Number(String(text).replace('−', '-').replace(/[^0-9.-]/g, '')) * 10000);
const sum = (list, pick) => list.reduce((s, x) => s + units(pick(x)), 0);
const dayOf = (ms) => new Date(ms + 8 * 3600e3).toISOString().slice(0, 10);
const number = (day) => Number(day.replaceAll('-', ''));
const PAID = 37200; // 31 Wh at 80 and 40 yuan: 2.48 + 1.24

const till = new Till('walk', ['--seed', '11']);
const h = new House({ demo: true, set: {} });
let browser;

const id = (p, name) => p.locator(`[data-testid="${name}"]`);
const figure = async (p, name) => units(await id(p, name).first().innerText());
let shotN = 0;
async function shot(p, name) {
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  await p.waitForTimeout(500);
  await p.screenshot({ path: join(shots, `${String(++shotN).padStart(2, '0')}-${name}.png`), fullPage: true });
}
async function page(path, width = 390, height = 800, locale = 'zh-CN') {
  const p = await (await browser.newContext({ viewport: { width, height }, locale })).newPage();
  p.on('pageerror', (e) => check(false, `page error on ${path}: ${e.message}`));
  await p.goto(h.web + path);
  return p;
}
async function enter(path, width, login, password) {
  const p = await page(path, width, width > 800 ? 900 : 800);
  await p.locator('input[name=login]').fill(login);
  await p.locator('input[name=password]').fill(password);
  await id(p, 'login-submit').click();
  await p.waitForURL(/#\/(?!login)/);
  return p;
}
async function driverIn(p) {
  await p.locator('input[name=phone]').fill('13800138000');
  await id(p, 'driver-code-send').click();
  await p.locator('input[name=code]').fill((await id(p, 'driver-demo-code').innerText()).replace(/\D/g, ''));
  await id(p, 'driver-login').click();
}
async function driverApi() {
  const c = h.client();
  const sent = await c.must('POST', '/api/v1/driver/code', { phone: '13800138000' });
  c.csrf = (await c.must('POST', '/api/v1/driver/login', { phone: '13800138000', code: sent.demo_code })).csrf;
  return c;
}
const books = (when) => { const b = h.check(); check(b.code === 0, `books ${when}: ${b.text}`); };
/** The story of an order: it adds up, whatever else it says. */
async function story(order, when) {
  const s = await h.must('GET', `/api/v1/orders/${order}/story`);
  const u = s.sum;
  check(u.even && ['off', 'bill_off', 'parts_off', 'shares_off', 'holds_off'].every((k) => units(u[k]) === 0), `${when}: the story adds up: ${JSON.stringify(u)}`);
  check(units(u.came) === units(u.went) && units(u.lots) === sum(s.lots, (l) => l.used), `${when}: lots are what came in`);
  check(sum(s.parts, (p) => p.amount) === units(u.parties), `${when}: parts are what parties have`);
  return s;
}
const ownerOf = (s, w, code = 2) => s.shares.filter((x) => x.party === w.owner && x.code === code);

/** What a stranger, another tenant's staff or the wrong role gets of it: nothing. */
async function strangers(w, order) {
  const nobody = h.client(), partner = h.client(), driver = await driverApi(), elsewhere = h.client(), viewer = h.client();
  await h.must('POST', '/api/v1/people', { login: 'lookonly', name: 'V', password: 'viewer password', role: 5, party: '0', station: '0', state: 0 });
  const other = (await h.must('POST', '/api/v1/stations', { name: 'Other', address: 'B', zone: 'Asia/Shanghai', lat_e7: 0, lng_e7: 0, tariff: w.tariff, contract: w.contract, seller: 'Seller', tax_bp: 1300, state: 0 })).id;
  await h.must('POST', '/api/v1/people', { login: 'elsewhere', name: 'E', password: 'another password', role: 2, party: '0', station: other, state: 0 });
  const third = (await h.must('POST', '/api/v1/parties', { kind: 3, name: 'Third', state: 0 })).id;
  await h.must('POST', '/api/v1/people', { login: 'third', name: 'T', password: 'third password', role: 3, party: third, state: 0 });
  const stranger = h.client();
  await partner.login('partner', 'partner password');
  await elsewhere.login('elsewhere', 'another password');
  await stranger.login('third', 'third password');
  await viewer.login('lookonly', 'viewer password');
  const path = `/api/v1/orders/${order}/story`;
  const status = async (c, p) => (await c.ask('GET', p)).status;
  check(await status(nobody, path) === 401, 'nobody sees no story');
  check(await status(partner, path) === 403 && await status(driver, path) === 403, 'nor does a partner or a driver see the whole one');
  check(await status(elsewhere, path) === 403, 'nor staff of one station');
  check(await status(viewer, path) === 200, 'a viewer does');
  check(await status(viewer, '/api/v1/invoices') === 200 && await status(viewer, '/api/v1/invoices/file') === 403, 'and sees invoices, but no file of whose they are');
  check((await viewer.ask('POST', '/api/v1/invoices/file')).status === 403, 'but changes none');
  check(await status(h, '/api/v1/orders/1/story') === 404 && await status(h, '/api/v1/orders/none/story') === 404, 'an order that is none is not found');
  const own = await partner.must('GET', `/api/v1/partner/orders/${order}/story`);
  check(own.shares.length > 0 && own.shares.every((x) => x.party === w.owner) && own.parts.every((x) => x.party === w.owner), 'a partner sees his own shares alone');
  check(!/lots|driver|13800138000|138\*+8000/.test(JSON.stringify(own).replaceAll(order, '')) , 'and nothing of the driver');
  check(await status(stranger, `/api/v1/partner/orders/${order}/story`) === 404, 'and who has no share sees nothing');
  check(await status(driver, `/api/v1/me/orders/${order}/story`) === 200 && await status(driver, '/api/v1/me/orders/1/story') === 404, 'a driver sees his own');
  const mine = JSON.stringify(await driver.must('GET', `/api/v1/me/orders/${order}/story`));
  check(!/parties|shares|loss|contract/.test(mine), `and nobody else's money: ${mine}`);
}

try {
  await till.start();
  h.options.set['pay.providers'] = till.base;
  await h.start();
  await h.setup();
  const w = await h.world({ balance: '0.50', elec_e5: 8000000, service_e5: 4000000 });
  const t = await h.ask('GET', '/api/v1/tenant');
  await h.must('PUT', '/api/v1/tenant', { ...t.body, refund_days: 1, payout_min: '0.10', payout_fee: '0.10', payout_check: '0.00' }, { 'if-match': t.headers.get('etag') });
  const self = (await h.must('GET', '/api/v1/parties')).items.find((p) => p.kind === 1);
  const contract = (await h.must('POST', '/api/v1/contracts', { name: '2:1', from_ms: 0, unit: 1, parties: [{ party: self.id, lines: 7, ratio: 2 }, { party: w.owner, lines: 7, ratio: 1 }] })).id;
  const st = await h.ask('GET', `/api/v1/stations/${w.station}`);
  await h.must('PUT', `/api/v1/stations/${w.station}`, { ...st.body, contract }, { 'if-match': st.headers.get('etag') });
  await h.must('POST', '/api/v1/people', { login: 'checker', name: '复核', password: 'checker password', role: 2, party: '0', station: '0', state: 0 });
  const owner = (await h.must('GET', '/api/v1/parties')).items.find((p) => p.id === w.owner);
  await h.must('PUT', `/api/v1/parties/${w.owner}`, { kind: 2, name: '万象物业', state: 0, verified: true, payee: '2088102146225135', payee_name: '万象物业' }, { 'if-match': `"${owner.version}"` });
  const pay = await till.channel(h, WECHAT), out = await till.channel(h, ALIPAY);
  for (const [ch, name] of [[pay, '微信支付'], [out, '支付宝转账']]) {
    const c = (await h.must('GET', '/api/v1/channels')).items.find((x) => x.id === ch);
    await h.must('PUT', `/api/v1/channels/${ch}`, { ...c, name }, { 'if-match': `"${c.version}"` });
  }
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });

  // ---- the driver tops up on the cashier's page ----
  const drv = await page('/d');
  await drv.goto(`${h.web}/d#/login`);
  await driverIn(drv);
  await id(drv, 'available').waitFor();
  await until('the wallet begins with what staff put in', async () => await figure(drv, 'available') === 5000);
  await drv.goto(`${h.web}/d#/topup`);
  await id(drv, 'topup-form').waitFor();
  await drv.locator('.amount', { hasText: '100.00' }).first().click();
  await drv.locator('.van-radio', { hasText: '微信支付' }).click();
  await shot(drv, 'topup');
  await id(drv, 'topup-go').click();
  const [cash] = await Promise.all([drv.context().waitForEvent('page'), id(drv, 'topup-pay').click({ timeout: 60000 })]);
  await cash.locator('#pay').waitFor();
  check((await cash.locator('b').innerText()) === '¥100.00', 'the cashier asks for what was chosen');
  await shot(cash, 'cashier');
  await cash.locator('#pay').click();
  await cash.locator('#state[data-state=paid]').waitFor();
  await cash.close();
  await drv.locator('[data-testid=topup-state][data-state="3"]').waitFor({ timeout: 60000 });
  await shot(drv, 'topped-up');
  await id(drv, 'topup-done').click();
  await until('the wallet has it', async () => await figure(drv, 'balance') === 1005000);
  const payment = (await h.must('GET', '/api/v1/payments?state=3')).items.find((p) => p.channel === pay);
  check(units(payment.amount) === 1000000 && payment.provider_no, 'and the books too');
  books('after the top-up');

  // ---- an order on the driver's page ----
  const charger = new Charger(h, w.chargers[0]);
  await charger.open();
  await charger.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
  await charger.status('Preparing');
  await drv.goto(`${h.web}/c/${w.chargers[0].connectors[0].code}`);
  await id(drv, 'amount-own').click();
  await drv.locator('[data-testid=amount-own-input] input').fill('90');
  await shot(drv, 'choose');
  await id(drv, 'start').click();
  await until('remote start', async () => charger.started);
  const tx = (await charger.call('StartTransaction', { connectorId: 1, idTag: charger.started.idTag, meterStart: 1000, timestamp: new Date().toISOString() })).transactionId;
  await charger.status('Charging');
  for (let i = 1; i <= 3; i++) {
    await sleep(400);
    await charger.meter(tx, 1000 + i * 7, 60000);
  }
  await until('live figures', async () => await figure(drv, 'live-cost') > 0);
  const running = (await h.must('GET', '/api/v1/orders')).items[0].id;
  const open = await story(running, 'while it charges');
  check(open.transfers.length === 0 && open.lots.length === 0 && open.shares.length === 0 && open.holds.length === 1, 'an order that is not settled moved nothing yet');
  await id(drv, 'stop').click();
  await drv.locator('.van-dialog__confirm').click({ timeout: 2000 }).catch(() => {});
  await charger.stop;
  await charger.call('StopTransaction', { transactionId: tx, meterStop: 1031, timestamp: new Date().toISOString(), reason: 'Remote' });
  await charger.status('Available');
  charger.ws.close();
  await id(drv, 'receipt-total').waitFor({ timeout: 60000 });
  check(await figure(drv, 'receipt-total') === PAID, `31 Wh at 120 yuan are 3.72: ${await id(drv, 'receipt-total').innerText()}`);
  await id(drv, 'receipt-sources').waitFor();
  const used = await id(drv, 'lot-used').allInnerTexts();
  check(used.length === 2 && units(used[0]) === 5000 && units(used[1]) === PAID - 5000, `the desk's 0.50 first, then the cashier's: ${used}`);
  await shot(drv, 'receipt');

  // ---- the share on the owner's phone, and the story so far ----
  const first = running;
  const s1 = await story(first, 'after the first order');
  const share = sum(ownerOf(s1, w), (x) => x.amount);
  check(s1.lots.length === 2 && s1.lots[1].payment === payment.id && s1.lots[1].provider_no === payment.provider_no && s1.lots[1].rule === 2 && s1.lots[1].channel.recon === 1,
    `the lots: ${JSON.stringify(s1.lots)}`);
  check(share >= PAID / 3 - 2 && share <= PAID / 3 + 2 && units(ownerOf(s1, w)[0].waits) === share, `a third of it waits for the window: ${share}`);
  check(s1.contract_name === '2:1' && s1.rounding === 0 && units(s1.unit) === 1, 'by this contract and rule');
  check(units(s1.sum.income) === PAID - share && units(s1.sum.waits) === share, 'the rest is income');
  let phone = await enter('/p', 390, 'partner', 'partner password');
  await id(phone, 'share-row').first().waitFor();
  check(await figure(phone, 'share-amount') === share && await figure(phone, 'partner-pending') === share, 'the phone says the same');
  await shot(phone, 'partner-home');
  await id(phone, 'share-row').first().click();
  await id(phone, 'share-waits').waitFor();
  check(await figure(phone, 'share-sum') === share && await figure(phone, 'share-waits') === share, 'and follows it');
  await shot(phone, 'partner-story');
  const c = await driverApi();
  const second = await charge(h, c, w, { cap: '80.00', wh: 31 });
  const s2 = await story(second, 'after the second order');
  check(s2.lots.length === 1 && s2.lots[0].payment === payment.id && units(s2.lots[0].used) === PAID, 'the second is all of the cashier');
  const share2 = sum(ownerOf(s2, w), (x) => x.amount);
  check(Math.abs(share + share2 - PAID * 2 / 3) <= 2, `rounding favours nobody: ${share} ${share2}`);
  await strangers(w, first);
  books('after two orders');

  // ---- the month ends: its statement is made at the desk and confirmed on the phone ----
  const settled = (await h.must('GET', `/api/v1/orders/${first}`)).order.settled_ms, paidDay = dayOf(payment.paid_ms);
  const month = number(dayOf(settled)) / 100 | 0;
  const ask = async (method, path, body) => {
    const r = await h.ask(method, path, body);
    if (r.status === 401) await h.login('admin', 'correct horse battery'); // hours pass: the log-in ends
    return r.status < 300 ? r.body : null;
  };
  const pass = async (what, fn, speed = 100000) => {
    await h.kill('SIGTERM');
    h.options.set['demo.speed'] = speed;
    await h.start();
    const got = await until(what, fn, 180000, 50);
    // A demonstration goes on where its books are: a commit carries the hour over the restart.
    await until('a commit', () => ask('POST', `/api/v1/drivers/${w.driver}/topups`, { amount: '0.01', note: 'the time' }), 30000, 50);
    await h.kill('SIGTERM');
    h.options.set['demo.speed'] = 2; // a driven clock goes on where its books are; an undriven one would tell the true time
    await h.start();
    await h.login('admin', 'correct horse battery');
    return got;
  };
  await pass('the month is over', async () => {
    const o = await ask('GET', '/api/v1/ledger/certificates?limit=1');
    const now = o?.items?.[0]?.day ?? 0;
    await ask('POST', `/api/v1/drivers/${w.driver}/topups`, { amount: '0.01', note: 'the time' });
    return Math.floor(now / 100) > month || (now && new Date(Date.UTC(Math.floor(now / 10000), Math.floor(now / 100) % 100 - 1, now % 100 + 1)).getUTCMonth() + 1 !== month % 100);
  });
  books('as the month is over');
  const m1 = await story(first, 'after the maturity');
  const mine = ownerOf(m1, w)[0];
  check(mine.matured !== '0' && units(mine.waits) === 0 && units(mine.free) === share && mine.statement === '0', `the share matured: ${JSON.stringify(mine)}`);
  const desk = await enter('/', 1400, 'admin', 'correct horse battery');
  await desk.goto(`${h.web}/#/statements`);
  await desk.locator('.pagehead input').fill(`${Math.floor(month / 100)}-${String(month % 100).padStart(2, '0')}`);
  await desk.keyboard.press('Enter');
  await shot(desk, 'statements-none');
  await id(desk, 'months-make').click();
  await shot(desk, 'statements-made');
  await until('the statement', async () => (await h.must('GET', '/api/v1/statements')).items.some((x) => x.party === w.owner && x.month === month));
  await desk.waitForTimeout(300);
  await shot(desk, 'statements');
  phone = await enter('/p', 390, 'partner', 'partner password');
  await phone.goto(`${h.web}/p#/statements`);
  await id(phone, 'month').waitFor();
  check(await figure(phone, 'month-closing') === share + share2, 'the month closed with both shares');
  await shot(phone, 'statement');
  await id(phone, 'month-confirm').click();
  await until('confirmed', async () => (await h.must('GET', '/api/v1/statements')).items[0].state === 2);
  check(ownerOf(await story(first, 'confirmed'), w)[0].statement_state === 2, 'the story says so');

  // ---- withdrawn on the phone, approved by a second person, paid by the cashier ----
  await phone.goto(`${h.web}/p#/withdraw`);
  await id(phone, 'out-form').waitFor();
  const whole = Math.floor((share + share2) / 100) * 100;
  check(await figure(phone, 'out-available') === share + share2, 'both shares may be withdrawn');
  await phone.locator('.van-radio', { hasText: '支付宝转账' }).click();
  await id(phone, 'out-all').click();
  check(units(await phone.locator('[data-testid=out-amount] input').inputValue()) === whole, 'in whole fen');
  await shot(phone, 'withdraw');
  await id(phone, 'out-go').click();
  await id(phone, 'out-row').first().waitFor();
  const asked = await story(second, 'while the withdrawal waits');
  check(units(asked.sum.withdrawn) === share2 - (share + share2 - whole) && units(asked.sum.free) === share + share2 - whole && ownerOf(asked, w)[0].payouts[0].state === 1, 'it is on its way, what is less than a fen stays');
  const checker = await enter('/', 1400, 'checker', 'checker password');
  await checker.goto(`${h.web}/#/payouts`);
  await id(checker, 'payout-approve').click();
  await shot(checker, 'approve');
  await id(checker, 'payout-go').click();
  const payout = await until('the cashier paid', async () => (await h.must('GET', '/api/v1/payouts')).items.find((x) => x.party === w.owner && x.state === 5), 60000);
  check(units(payout.amount) === whole && units(payout.fee) === 1000 && payout.provider_no, 'amount, fee and number');
  await until('the phone hears of it', async () => (await id(phone, 'out-row').first().innerText()).includes(payout.provider_no));
  await shot(phone, 'withdrawn');
  const moved = (await till.state()).moves.find((x) => x.no === `W${payout.id}`);
  check(moved, 'the cashier knows the transfer by our number');
  const p1 = ownerOf(await story(first, 'withdrawn'), w)[0];
  check(p1.payouts.length === 1 && p1.payouts[0].payout === payout.id && units(p1.payouts[0].taken) === share && units(p1.withdrawn) === share, `all of the first share left with it: ${JSON.stringify(p1.payouts)}`);
  books('after the withdrawal');

  // ---- the bills of both days: imported, reconciled, closed ----
  const fetched = (channel, day) => {
    const f = spawnSync(even, ['bill', '--dir', h.dir, '--set', `pay.providers=${till.base}`, channel, day], { encoding: 'utf8' });
    check(f.status === 0, `even bill: ${f.stderr}`);
    return f.stdout;
  };
  const outDay = dayOf(payout.done_ms), today = dayOf(Date.now());
  writeFileSync(join(h.dir, 'in.csv'), fetched(pay, paidDay));
  writeFileSync(join(h.dir, 'out.csv'), fetched(out, today).replaceAll(today, outDay)); // the cashier lives today, the house a month later
  await pass('the day is over', async () => (await ask('GET', `/api/v1/channels/${out}/close?day=${number(outDay)}`))?.over, 20000);
  const late = await enter('/', 1400, 'admin', 'correct horse battery');
  await late.goto(`${h.web}/#/recon`);
  for (const [name, day, file] of [['微信支付', paidDay, 'in.csv'], ['支付宝转账', outDay, 'out.csv']]) {
    await id(late, 'bill-open').click();
    await id(late, 'bill-channel').click();
    await late.locator('.el-select-dropdown__item:visible', { hasText: name }).click();
    await late.locator('[data-testid=bill-form] .el-date-editor input, .formdrawer .el-date-editor input').first().fill(day);
    await late.keyboard.press('Enter');
    await id(late, 'bill-file').setInputFiles(join(h.dir, file));
    await shot(late, `bill-${file.slice(0, -4)}`);
    await id(late, 'form-save').click();
    await until(`the bill of ${day}`, async () => (await h.must('GET', '/api/v1/bills')).items.find((b) => b.day === number(day) && b.channel_name === name));
    await late.waitForTimeout(400);
  }
  const bills = (await h.must('GET', '/api/v1/bills')).items;
  check(bills.every((b) => b.rows === 1 && b.matched === 1 && b.differ === 0), `everything agrees: ${JSON.stringify(bills)}`);
  for (const name of ['微信支付', '支付宝转账']) {
    await late.reload();
    await late.locator('tr', { hasText: name }).locator('[data-testid=day-close]').click();
    await id(late, 'close-ready').waitFor();
    await shot(late, 'close');
    await id(late, 'close-go').click();
    await until(`${name} closed`, async () => (await h.must('GET', '/api/v1/closes')).items.some((x) => x.channel_name === name));
  }
  await visit(late, `${h.web}/#/recon?tab=closes`);
  await late.waitForTimeout(400);
  await shot(late, 'closes');
  const done = await story(first, 'after the days were closed');
  check(done.lots[1].channel.recon === 2 && done.lots[1].channel.close !== '0' && ownerOf(done, w)[0].payouts[0].channel.recon === 2 && ownerOf(done, w)[0].payouts[0].channel.close !== '0', 'both ends are matched in bills of closed days');

  // ---- the certificates come to zero ----
  await visit(late, `${h.web}/#/certificates`);
  await late.locator('[data-testid=certificates] tbody tr').first().waitFor();
  const totals = await late.locator('[data-testid=certificates] tbody tr').evaluateAll((rows) => rows.map((r) => r.querySelector('b.num')?.textContent));
  check(totals.length > 1 && totals.every((x) => units(x) === 0), `every day came to zero: ${totals}`);
  await shot(late, 'certificates');

  // ---- a refund after the withdrawal: the owner owes its part, and the next share settles it ----
  await late.goto(`${h.web}/#/orders/${second}`);
  await id(late, 'refund').click();
  await id(late, 'refund-amount').fill('1.20');
  await id(late, 'refund-note').fill('充电枪接触不良');
  await id(late, 'refund-go').click();
  await until('refunded', async () => units((await h.must('GET', `/api/v1/orders/${second}`)).order.refunded) === 12000);
  const r2 = await story(second, 'after the refund');
  const [back] = ownerOf(r2, w, 6);
  const rest = share + share2 - whole, owed = -units(back.owed);
  check(units(back.amount) === -(owed + rest) && units(back.available) === -rest && owed > 0, `what is less than a fen first, the rest is owed: ${JSON.stringify(back)}`);
  check(Math.abs(owed + rest - 4000) <= 2 && r2.backs.length === 1 && units(r2.backs[0].wallet) === 12000 && r2.backs[0].note === '充电枪接触不良', 'a third of the refund is the owner’s');
  check(units(r2.sum.owed) === -owed && units(r2.sum.came) === PAID - 12000, 'the story says what is owed');
  books('after the refund');
  phone = await enter('/p', 390, 'partner', 'partner password');
  await phone.goto(`${h.web}/p#/withdraw`);
  await id(phone, 'out-available').waitFor();
  check((await phone.locator('.bar-note').first().innerText()).includes((owed / 10000).toFixed(4).replace(/00$/, '')), 'the phone says what is owed');
  await shot(phone, 'owes');
  const now = await h.ask('GET', '/api/v1/tenant');
  await h.must('PUT', '/api/v1/tenant', { ...now.body, gift_order: 1 }, { 'if-match': now.headers.get('etag') });
  await h.must('POST', `/api/v1/drivers/${w.driver}/gifts`, { amount: '0.30', note: '开业活动' });
  const c3 = await driverApi();
  const third = await charge(h, c3, w, { cap: '80.00', wh: 31 });
  const s3 = await story(third, 'after the third order');
  const [x3] = ownerOf(s3, w);
  check(s3.lots.some((l) => l.account === 3 && l.code === 15 && units(l.used) === 3000) && units(s3.sum.marketing) === 3000, `a gift pays first and is nobody's share: ${JSON.stringify(s3.lots)}`);
  check(units(x3.repaid) === owed && units(x3.pending) === units(x3.amount) - owed, `its share settles the debt first: ${JSON.stringify(x3)}`);
  const [after] = ownerOf(await story(second, 'after the debt was settled'), w, 6);
  check(units(after.settled) === owed, 'and the refund’s story says that it was');
  check(units((await h.must('GET', '/api/v1/parties')).items.find((p) => p.id === w.owner).debt) === 0, 'nothing is owed any more');

  // ---- the same on the pages ----
  await late.goto(`${h.web}/#/orders/${second}`);
  await id(late, 'to-story').click();
  await id(late, 'story-even').waitFor();
  check(await figure(late, 'story-came') === PAID - 12000 && await figure(late, 'story-went') === PAID - 12000 && await figure(late, 'story-paid') === PAID, 'the page has the sums');
  check(await figure(late, 'story-owed') === -owed && await figure(late, 'share-owed') === -owed && units((await id(late, 'share-netted').innerText())) === owed, 'and the debt, and that it was settled');
  check(await figure(late, 'payout-taken') === share2 - rest && await figure(late, 'story-withdrawn') === share2 - rest, 'and the withdrawal');
  await shot(late, 'story-second');
  await visit(late, `${h.web}/#/orders/${first}/story`);
  await id(late, 'story-even').waitFor();
  const lots = (await id(late, 'lot-used').allInnerTexts()).map(units);
  check(lots.length === 2 && lots[0] === 5000 && lots[1] === PAID - 5000 && (await id(late, 'lot-recon').innerText()).includes(paidDay), 'the lots and their bill');
  check(await figure(late, 'payout-taken') === share, 'the first share left whole');
  await shot(late, 'story-first');
  await id(late, 'lang').click();
  await late.waitForTimeout(300);
  check(!/trail\.|recon_at\./.test(await late.locator('main').innerText()), 'every text is there in English');
  await shot(late, 'story-english');
  await late.emulateMedia({ media: 'print' });
  await shot(late, 'story-print');
  await late.emulateMedia({ media: 'screen' });
  await late.setViewportSize({ width: 390, height: 800 });
  await shot(late, 'story-narrow');
  await late.setViewportSize({ width: 1400, height: 900 });
  await phone.goto(`${h.web}/p#/orders/${second}`);
  await id(phone, 'share-owed').waitFor();
  check((await id(phone, 'share-sum').allInnerTexts()).map(units).join() === [share2, units(back.amount)].join(), 'the owner sees the share and what was taken back');
  check(await figure(phone, 'payout-taken') === share2 - rest, 'and the withdrawal that took it');
  await shot(phone, 'partner-refund');
  const again = await page('/d');
  await again.goto(`${h.web}/d#/login`);
  await driverIn(again);
  await id(again, 'available').waitFor();
  await again.goto(`${h.web}/d#/orders/${second}`);
  await id(again, 'receipt-back').waitFor();
  check(await figure(again, 'receipt-back') === 12000, 'the driver sees what came back');
  await shot(again, 'driver-refund');

  // ---- every page of money, for whoever looks at the pictures ----
  if (shots) {
    await id(late, 'lang').click();
    for (const width of [1400, 390]) {
      await late.setViewportSize({ width, height: 900 });
      for (const path of ['payments', 'packages', 'payouts', 'recon?tab=days', 'recon?tab=diffs', 'recon?tab=settlements', 'recon?tab=guard', 'channels', 'contracts', 'parties', 'statements', 'ledger', 'certificates', 'invoices', 'profit', 'companies', `drivers/${w.driver}`, `orders/${third}`]) {
        await visit(late, `${h.web}/#/${path}`);
        await shot(late, `desk-${width}-${path.replace(/[^a-z]+/g, '-')}`);
      }
    }
    for (const path of ['', 'stations', 'withdraw', 'account', 'statements']) {
      await phone.goto(`${h.web}/p#/${path}`);
      await shot(phone, `partner-${path || 'home'}`);
    }
    for (const path of ['', 'orders', 'wallet', 'topup', 'invoices', 'invoices/new']) {
      await again.goto(`${h.web}/d#/${path}`);
      await shot(again, `driver-${path.replace('/', '-') || 'home'}`);
    }
    const viewer = await enter('/', 1400, 'lookonly', 'viewer password');
    await viewer.goto(`${h.web}/#/invoices`);
    await shot(viewer, 'viewer-invoices');
  }

  // ---- the books, held against a certificate that was kept outside ----
  const certificate = (await h.must('GET', '/api/v1/ledger/certificates')).items[0];
  writeFileSync(join(h.dir, 'kept.txt'), await h.must('GET', `/api/v1/ledger/certificates/${certificate.day}/text`));
  const proof = spawnSync(even, ['check', '--dir', h.dir, '--certificate', join(h.dir, 'kept.txt')], { encoding: 'utf8' });
  check(proof.status === 0, `even check --certificate: ${proof.stdout}${proof.stderr}`);
  check((await h.must('GET', '/api/v1/ledger/trial')).sum === '0.00', 'the trial balance is zero');
} catch (e) {
  check(false, e.stack);
  console.log(h.log.split('\n').slice(-20).join('\n'));
} finally {
  await browser?.close();
  await h.end();
  till.end();
}
finish();
