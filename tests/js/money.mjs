// SPDX-License-Identifier: Apache-2.0
// money.mjs: from the order to the bank, as the people who do it see it, in real headless Chromium: a driver charges, the owner's share matures and is
// withdrawn on the phone, a second person approves and settles it by the bank's number, staff refund the order after the withdrawal, and the owner's
// page says what is owed. When the month is over, its statement is made, confirmed and taken away. After each step the amounts are exact and `even check` is content. SHOTS=folder keeps screenshots.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { charge } from './charger.mjs';
import { check, enter, main, sleep, until } from './house.mjs';

const shots = process.env.SHOTS;
const units = (text) => Math.round(Number(String(text).replace('−', '-').replace(/[^0-9.-]/g, '')) * 10000);

await main(async (h) => {
  await h.setup();
  const w = await h.world({ balance: '200.00', elec_e5: 8000000, service_e5: 4000000 });
  const tenant = await h.ask('GET', '/api/v1/tenant');
  // Shares mature at the operator's midnight: it shall be less than an hour away, and after the order the clock of the demonstration runs faster.
  let east = 23 - new Date().getUTCHours();
  if (east > 14) east -= 24;
  await h.must('PUT', '/api/v1/tenant', { ...tenant.body, zone: east === 0 ? 'UTC' : `Etc/GMT${east > 0 ? '-' : '+'}${Math.abs(east)}`, refund_days: 0, payout_min: '0.10', payout_fee: '0.10', payout_check: '0.00' }, { 'if-match': tenant.headers.get('etag') });
  await h.must('POST', '/api/v1/channels', { kind: 4, name: '银行转账', url: '', app: '', merchant: '', keys: '', fee_bp: 0, state: 0 });
  const driver = h.client();
  const sent = await driver.must('POST', '/api/v1/driver/code', { phone: '13800138000' });
  driver.csrf = (await driver.must('POST', '/api/v1/driver/login', { phone: '13800138000', code: sent.demo_code })).csrf;
  const order = await charge(h, driver, w, { cap: '100.00', wh: 30 });
  const o = await h.must('GET', `/api/v1/orders/${order}`);
  const paid = units(o.order.paid), owner = o.parts.filter((p) => p.party === w.owner).reduce((s, p) => s + units(p.amount), 0);
  check(paid === 36000, `30 Wh at 120 yuan are 3.60, paid ${o.order.paid}`);
  check(owner === 18000, `half of it is the owner's: ${owner}`);
  const pending = (await h.must('GET', '/api/v1/parties')).items.find((p) => p.id === w.owner);
  check(units(pending.pending) === owner && units(pending.available) === 0, 'the share waits for the end of the refund window');
  await h.kill('SIGTERM');
  h.options.set['demo.speed'] = 240;
  await h.start();
  await until('the share matures', async () => units((await h.must('GET', '/api/v1/parties')).items.find((p) => p.id === w.owner).available) === owner, 90000, 200);

  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  try {
    const open = (...who) => enter(browser, h, ...who);
    const id = (p, name) => p.locator(`[data-testid="${name}"]`);
    const shot = async (p, name) => { if (shots) { mkdirSync(shots, { recursive: true }); await p.waitForTimeout(400); await p.screenshot({ path: join(shots, `${name}.png`) }); } };
    const books = (when) => { const b = h.check(); check(b.code === 0, `books ${when}: ${b.text}`); };

    // ---- nobody withdraws to an account that was not verified ----
    const phone = await open('/p', 390, 800, 'partner', 'partner password');
    await id(phone, 'tab-withdraw').click();
    await id(phone, 'out-unverified').waitFor();
    await shot(phone, '1-unverified');
    const desk = await open('/', 1400, 900, 'admin', 'correct horse battery');
    await desk.goto(`${h.web}/#/parties`);
    await desk.locator('tr', { hasText: 'Owner' }).locator('button').click();
    await id(desk, 'party-payee').fill('6222020200001234567');
    await id(desk, 'party-verified').click();
    await shot(desk, '2-party');
    await id(desk, 'form-save').click();
    await until('the account is verified', async () => (await h.must('GET', '/api/v1/parties')).items.find((p) => p.id === w.owner).verified);

    // ---- the owner withdraws; what the server would refuse is said before ----
    await phone.reload();
    await id(phone, 'out-form').waitFor();
    const amount = phone.locator('[data-testid="out-amount"] input');
    await amount.fill('99');
    check(await id(phone, 'out-go').isDisabled(), 'more than available cannot be asked for');
    await shot(phone, '3-too-much');
    await id(phone, 'out-all').click();
    check(units(await amount.inputValue()) === owner, 'all of it is the share in whole fen');
    await id(phone, 'out-go').click();
    await id(phone, 'out-row').first().waitFor();
    await until('it is on its way', async () => units(await id(phone, 'out-transit').innerText()) === owner);
    check(units(await id(phone, 'out-available').innerText()) === 0, 'and no longer available');
    await shot(phone, '4-asked');
    books('while it is in transit');

    // ---- a second person approves, the bank pays, the number is noted ----
    await desk.goto(`${h.web}/#/payouts`);
    await id(desk, 'payout-approve').click();
    await shot(desk, '5-approve');
    await id(desk, 'payout-go').click();
    await id(desk, 'payout-settle').click();
    check(await id(desk, 'payout-go').isDisabled(), 'settled needs the number of the bank');
    await id(desk, 'payout-bankno').fill('BK20260001');
    await id(desk, 'payout-go').click();
    const payout = await until('settled', async () => (await h.must('GET', '/api/v1/payouts')).items.find((p) => p.state === 5));
    check(units(payout.amount) === owner && units(payout.fee) === 1000 && payout.provider_no === 'BK20260001', 'amount, fee and number are those of the page');
    await until('the phone hears of it', async () => (await id(phone, 'out-row').first().innerText()).includes('BK20260001'));
    await shot(phone, '6-settled');
    await shot(desk, '7-payouts');
    books('after the withdrawal');

    // ---- a refund after the withdrawal: the owner owes its part ----
    await desk.goto(`${h.web}/#/orders/${order}`);
    await id(desk, 'refund').click();
    await id(desk, 'refund-amount').fill('9.99');
    check(await id(desk, 'refund-go').isDisabled(), 'more than was paid cannot be given back');
    await id(desk, 'refund-amount').fill('1.00');
    await id(desk, 'refund-note').fill('桩上显示屏故障');
    await shot(desk, '8-refund');
    await id(desk, 'refund-go').click();
    await until('refunded', async () => units((await h.must('GET', `/api/v1/orders/${order}`)).order.refunded) === 10000);
    const after = await h.must('GET', `/api/v1/orders/${order}`);
    const kept = after.parts.reduce((s, p) => s + units(p.amount), 0);
    check(kept === paid - 10000, `the parts are what was paid and not given back: ${kept}`);
    const party = (await h.must('GET', '/api/v1/parties')).items.find((p) => p.id === w.owner);
    check(units(party.debt) === 5000 && units(party.available) === 0, `the owner owes its half: ${party.debt}`);
    const wallet = await h.must('GET', `/api/v1/drivers/${w.driver}`);
    check(units(wallet.balance) === 2000000 - paid + 10000, `the driver has it back: ${wallet.balance}`);
    await until('the page tells the refund', async () => units(await id(desk, 'order-refunded').innerText()) === 10000);
    await shot(desk, '9-story');
    await phone.reload();
    await sleep(300);
    await shot(phone, '10-owes');

    // ---- the month is over: a statement, confirmed on the phone, taken away as sheet and print ----
    const day = new Date(after.order.settled_ms + east * 3600000);
    const month = day.getUTCFullYear() * 100 + day.getUTCMonth() + 1;
    check((await h.ask('POST', '/api/v1/statements', { party: w.owner, month })).status === 409, 'a month that is not over has no statement');
    await h.kill('SIGTERM');
    h.options.set['demo.speed'] = 100000;
    await h.start();
    const made = await until('the month is over', async () => {
      const r = await h.ask('POST', '/api/v1/statements', { party: w.owner, month });
      if (r.status === 401) await h.login('admin', 'correct horse battery'); // hours pass: the log-in ends
      return r.status < 300 && r.body.id;
    }, 120000, 200);
    await h.kill('SIGTERM');
    h.options.set['demo.speed'] = 1;
    await h.start();
    await h.login('admin', 'correct horse battery');
    const sheet = (await h.must('GET', '/api/v1/statements')).items.find((s) => s.id === made);
    check(units(sheet.shares) === owner && units(sheet.refunds) === 5000 && units(sheet.withdrawn) + units(sheet.fees) === owner && units(sheet.fees) === 1000 && units(sheet.closing) === -5000,
      `the month adds up: ${JSON.stringify(sheet)}`);
    const portal = await open('/p', 390, 800, 'partner', 'partner password');
    await id(portal, 'tab-account').click();
    await id(portal, 'to-statements').click();
    await id(portal, 'month').waitFor();
    check(units(await id(portal, 'month-closing').innerText()) === -5000, 'the phone shows what the month closed with');
    await shot(portal, '14-month');
    for (const [kind, head] of [['xlsx', 'PK'], ['pdf', '%PDF']]) {
      const [file] = await Promise.all([portal.waitForEvent('download'), id(portal, `month-${kind}`).click()]);
      const bytes = readFileSync(await file.path());
      check(bytes.toString('latin1').startsWith(head), `the ${kind} is one`);
      if (shots) writeFileSync(join(shots, `month.${kind}`), bytes);
    }
    await id(portal, 'month-confirm').click();
    await until('confirmed', async () => (await h.must('GET', '/api/v1/statements')).items.find((s) => s.id === made).state === 2);
    books('after the month');
    const late = await open('/', 1400, 900, 'admin', 'correct horse battery');
    await late.goto(`${h.web}/#/statements`);
    await shot(late, '15-statements');

    // ---- the rest of the wallet goes back to where it came from ----
    await late.goto(`${h.web}/#/payments`);
    await id(late, 'payment-back').first().click();
    await shot(late, '11-back');
    await late.goto(`${h.web}/#/channels`);
    await shot(late, '12-channels');
    await late.goto(`${h.web}/#/settings`);
    await shot(late, '13-settings');
    books('at the end');
    check((await h.must('GET', '/api/v1/ledger/trial')).sum === '0.00', 'the trial balance is zero');
  } finally {
    await browser.close();
  }
}, { demo: true, set: {} });
