// SPDX-License-Identifier: Apache-2.0
// tax.mjs: tax withheld of persons, as the people who do it see it: an owner who is a person earns 1.80, sees on his phone what a withdrawal will be
// withheld, takes it out in two pieces, which cost what one costs; the bank's file carries the net, what fails comes back whole, the month's list goes to
// the office and its receipt is noted. Bad input changes nothing. After each step `even check` is content. SHOTS=folder keeps screenshots.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { charge } from './charger.mjs';
import { check, enter, main, sleep, until } from './house.mjs';

const shots = process.env.SHOTS;
const units = (text) => Math.round(Number(String(text).replace('−', '-').replace(/[^0-9.-]/g, '')) * 10000);
const rule = (from_ms, more = {}) => ({ name: '劳务报酬', from_ms, deduct: '0.40', deduct_bp: 0, rates: [{ above: '0.00', rate_bp: 2500 }, { above: '1.00', rate_bp: 5000 }], ...more });

await main(async (h) => {
  await h.setup();
  const w = await h.world({ balance: '200.00', elec_e5: 8000000, service_e5: 4000000 });
  const books = (when) => { const b = h.check(); check(b.code === 0, `books ${when}: ${b.text}`); };
  const tenant = await h.ask('GET', '/api/v1/tenant');
  let east = 23 - new Date().getUTCHours(); // shares mature at the operator's midnight: less than an hour away
  if (east > 14) east -= 24;
  const zone = east === 0 ? 'UTC' : `Etc/GMT${east > 0 ? '-' : '+'}${Math.abs(east)}`;
  await h.must('PUT', '/api/v1/tenant', { ...tenant.body, zone, refund_days: 0, payout_min: '0.10', payout_fee: '0.10', payout_check: '0.00' }, { 'if-match': tenant.headers.get('etag') });
  const bank = { kind: 4, name: '银行转账', url: '', app: '', merchant: '', keys: '', fee_bp: 0, state: 0 };
  const channel = (await h.must('POST', '/api/v1/channels', bank)).id;
  const driver = h.client();
  const sent = await driver.must('POST', '/api/v1/driver/code', { phone: '13800138000' });
  driver.csrf = (await driver.must('POST', '/api/v1/driver/login', { phone: '13800138000', code: sent.demo_code })).csrf;
  await charge(h, driver, w, { cap: '100.00', wh: 30 });
  await h.kill('SIGTERM');
  h.options.set['demo.speed'] = 240;
  await h.start();
  const owner = async () => (await h.must('GET', '/api/v1/parties')).items.find((p) => p.id === w.owner);
  await until('the share matures', async () => units((await owner()).available) === 18000, 90000, 200);
  await h.kill('SIGTERM');
  h.options.set['demo.speed'] = 1;
  await h.start();
  await h.login('admin', 'correct horse battery');
  const partner = h.client();
  await partner.login('partner', 'partner password');
  const party = async (more) => {
    const p = await owner();
    return h.ask('PUT', `/api/v1/parties/${w.owner}`, { kind: p.kind, name: p.name, state: 0, ...more }, { 'if-match': `"${p.version}"` });
  };

  // ---- without a rule nothing is withheld; with one it must be known who is paid ----
  check(units((await partner.must('GET', '/api/v1/partner/withhold?amount=1.80')).tax) === 0, 'off by default');
  const status = async (want, who, method, path, body, headers, what) => {
    const r = await who.ask(method, path, body, headers);
    check(r.status === want, `${what ?? path}: ${want}, got ${r.status} ${JSON.stringify(r.body)}`);
    return r;
  };
  for (const [want, body, what] of [[422, rule(0, { deduct: '-0.40' }), 'a negative deduction'], [422, rule(0, { deduct: '0.405' }), 'half a fen'],
    [422, rule(0, { rates: [{ above: '1.00', rate_bp: 5000 }, { above: '1.00', rate_bp: 2500 }] }), 'brackets that do not rise'],
    [422, rule(0, { rates: [{ above: '0.00', rate_bp: 10000 }] }), 'all of it']])
    await status(want, h, 'POST', '/api/v1/taxes/rules', body, {}, what);
  await status(403, partner, 'POST', '/api/v1/taxes/rules', rule(0));
  check((await h.must('GET', '/api/v1/taxes/rules')).items.length === 0, 'no bad rule is kept');
  await h.must('POST', '/api/v1/taxes/rules', rule(0));
  await status(409, h, 'POST', '/api/v1/taxes/rules', rule(0), {}, 'a rule that does not begin after the newest');
  await party({ payee: '6222020200001234567', payee_name: '王小明' });
  await party({ verified: true });
  await status(409, partner, 'GET', '/api/v1/partner/withhold?amount=1.80', undefined, {}, 'a payee of unknown kind, previewed');
  const ask = (amount, headers) => partner.ask('POST', '/api/v1/partner/payouts', { channel, amount }, headers);
  check((await ask('0.90')).status === 409, 'a payee of unknown kind');
  await party({ payee_kind: 2, payee_cert: '11010519491231002X' });
  check((await owner()).payee_cert === '****002X', 'a certificate number is masked');
  await status(409, h, 'POST', '/api/v1/parties', { kind: 3, name: 'Twin', state: 0, payee_cert: '11010519491231002x' }, {}, 'the same person twice');
  await status(422, partner, 'GET', '/api/v1/partner/withhold?amount=-1', undefined, {}, 'less than nothing');
  const seen = await partner.must('GET', '/api/v1/partner/withhold?amount=0.90');
  check(units(seen.tax) === 1300 && units(seen.fee) === 1000 && units(seen.net) === 6700, `previewed: ${JSON.stringify(seen)}`);
  check(units((await h.must('GET', `/api/v1/parties/${w.owner}/withhold?amount=1.80`)).tax) === 4500, 'staff see it too');

  // ---- on the phone: what arrives is said before it is asked for ----
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  try {
    const open = (...who) => enter(browser, h, ...who);
    const id = (p, name) => p.locator(`[data-testid="${name}"]`);
    const shot = async (p, name) => { if (shots) { mkdirSync(shots, { recursive: true }); await p.waitForTimeout(400); await p.screenshot({ path: join(shots, `${name}.png`) }); } };
    const phone = await open('/p', 390, 800, 'partner', 'partner password');
    await id(phone, 'tab-withdraw').click();
    await phone.locator('[data-testid="out-amount"] input').fill('0.90');
    await until('the phone says what arrives', async () => units(await id(phone, 'out-net').innerText()) === 6700);
    check(units(await id(phone, 'out-tax').innerText()) === 1300, 'and what is withheld');
    await shot(phone, 'tax-1-phone');
    await id(phone, 'out-go').click();
    await id(phone, 'out-row').first().waitFor();
    const payouts = async () => (await h.must('GET', '/api/v1/payouts')).items;
    const first = (await payouts())[0];
    check(units(first.tax) === 0, 'nothing is withheld before it is approved');
    await h.must('POST', `/api/v1/payouts/${first.id}/decide`, { act: 1 });
    check(units((await payouts())[0].tax) === 1300, 'withheld as it was previewed');
    books('with tax withheld');

    // ---- the second piece: together they cost what one costs ----
    check((await ask('0.90')).status < 300, 'the rest');
    const second = (await payouts())[0];
    await h.must('POST', `/api/v1/payouts/${second.id}/decide`, { act: 1 });
    check(units((await payouts())[0].tax) === 3200, '0.13 + 0.32 = T(1.80)');
    await h.must('POST', '/api/v1/people', { login: 'teller', name: 'T', password: 'teller password', role: 2, state: 0 });
    const teller = h.client(); // who makes the file does not say what failed
    await teller.login('teller', 'teller password');
    const made = await teller.must('POST', `/api/v1/channels/${channel}/payout-files`, {});
    check(units(made.amount) === 6700 + 4800, `the file comes to the net of both: ${JSON.stringify(made)}`);
    const file = await h.must('GET', `/api/v1/payout-files/${made.id}/file`);
    check(file.includes(',0.67,CNY') && file.includes(',0.48,CNY'), `the bank pays the net: ${file}`);
    await h.kill('SIGKILL');
    await h.start();
    books('after a kill');
    await h.login('admin', 'correct horse battery');
    const head = 'payout,amount,result,bank_no,note\r\n';
    const back = async (rows) => (await h.ask('POST', `/api/v1/channels/${channel}/payouts-file`, head + rows, { 'content-type': 'text/csv' })).body.items;
    check((await back(`${first.id},0.80,settled,B-1,\r\n`))[0].err !== 0, 'the gross amount is not what was asked of the bank');
    const done = await back(`${first.id},0.67,settled,B-1,\r\n${second.id},0.48,failed,,账号错误\r\n`);
    check(done.every((x) => x.err === 0), `settled and failed: ${JSON.stringify(done)}`);
    check(units((await owner()).available) === 9000, 'what failed is back, whole');
    const trial = await h.must('GET', '/api/v1/ledger/trial');
    check(trial.sum === '0.00', 'the trial balance is zero');
    books('after the bank');

    // ---- the month, by person, and the office ----
    const months = (await h.must('GET', '/api/v1/taxes/months')).items;
    check(months.length === 1 && units(months[0].withheld) === 1300 && units(months[0].paid) === 0 && months[0].persons === 1, `months: ${JSON.stringify(months)}`);
    const month = months[0].month;
    const people = (await h.must('GET', `/api/v1/taxes/persons?month=${month}`)).items;
    check(people.length === 1 && people[0].cert === '****002X' && people[0].payee_name === '王**' && units(people[0].amount) === 9000 && people[0].payouts === 1, `masked: ${JSON.stringify(people)}`);
    const csv = await h.must('GET', `/api/v1/taxes/persons.csv?month=${month}`);
    check(csv.includes('王小明') && csv.includes('11010519491231002X') && csv.includes(',1,0.90,0.13'), `for the office: ${csv}`);
    check((await h.must('GET', '/api/v1/audit')).items.some((a) => a.action === 'tax.file'), 'the file is audited');
    const sheet = await h.ask('GET', `/api/v1/taxes/persons.xlsx?month=${month}`);
    check(sheet.status === 200 && String(sheet.body).startsWith('PK'), 'as a sheet');
    await status(422, h, 'GET', '/api/v1/taxes/persons?month=202613', undefined, {}, 'no such month');
    await h.must('POST', '/api/v1/people', { login: 'viewer', name: 'V', password: 'viewer password', role: 5, state: 0 });
    const viewer = h.client();
    await viewer.login('viewer', 'viewer password');
    await status(403, viewer, 'GET', `/api/v1/taxes/persons.csv?month=${month}`, undefined, {}, 'a viewer does not get whole names');
    const pay = (amount, number, more = {}) => h.ask('POST', '/api/v1/taxes/paid', { month, amount, bank: channel, number, ...more });
    check((await pay('0.14', 'R-1')).status === 422, 'more than was withheld');
    check((await pay('0.00', 'R-1')).status === 422, 'nothing');
    check((await pay('0.13', 'R-1', { month: 202001 })).status === 404, 'a month without tax');
    check((await viewer.ask('POST', '/api/v1/taxes/paid', { month, amount: '0.13', number: 'R-1' })).status === 403, 'a viewer notes nothing');
    const key = 'pay-once';
    const once = await h.must('POST', '/api/v1/taxes/paid', { month, amount: '0.13', bank: channel, number: 'R-1' }, { 'idempotency-key': key });
    check((await h.must('POST', '/api/v1/taxes/paid', { month, amount: '0.13', bank: channel, number: 'R-1' }, { 'idempotency-key': key })).id === once.id, 'the same key pays once');
    check((await pay('0.01', 'R-1')).status === 409, 'a receipt is noted once');
    check((await pay('0.01', 'R-2')).status === 422, 'nothing is left to pay');
    check((await h.must('GET', '/api/v1/taxes/paid')).items.length === 1, 'one receipt');
    books('after the office');

    // ---- the console: rules, the month, the dialog; the phone's row says what was withheld ----
    const desk = await open('/', 1400, 900, 'admin', 'correct horse battery');
    await desk.goto(`${h.web}/#/taxes`);
    await id(desk, 'tax-month').first().waitFor();
    await id(desk, 'tax-month').first().click();
    await id(desk, 'tax-person').first().waitFor();
    await shot(desk, 'tax-2-console');
    await id(desk, 'tax-new').click();
    await id(desk, 'tax-form').waitFor();
    await shot(desk, 'tax-3-rule');
    await phone.reload();
    await id(phone, 'out-row').first().waitFor();
    await until('withheld, on the phone', async () => (await id(phone, 'out-row').allInnerTexts()).some((x) => x.includes('0.13')));
    await shot(phone, 'tax-4-rows');

    // ---- what the channel lets through ----
    const ch = (await h.must('GET', '/api/v1/channels')).items.find((c) => c.id === channel);
    await h.must('PUT', `/api/v1/channels/${channel}`, { ...ch, most: '0.50', day_most: '0.60', named_from: '0.30' }, { 'if-match': `"${ch.version}"` });
    await partner.login('partner', 'partner password');
    check((await ask('0.61')).status === 409, 'over the limit of one transfer: 0.51 of it would leave');
    books('at the end');
    await sleep(10);
  } finally {
    await browser.close();
  }
}, { demo: true, set: {} });
