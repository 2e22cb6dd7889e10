// SPDX-License-Identifier: Apache-2.0
// recon.mjs: reconciliation, end to end: drivers pay at a cashier that loses every notice, one of them while the house is dead, so that the
// payment counts as closed; the day ends; its bill, changed by hand, is imported; each difference gets an owner and is resolved, above the limit
// by two people; what the provider paid out is noted; the day is closed in the browser, and the books are zero. Bad bills have no effect.
// SHOTS=folder keeps screenshots.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { check, even, finish, House, sleep, until, visit } from './house.mjs';
import { ALIPAY, Till, WECHAT } from './till.mjs';

const shots = process.env.SHOTS;
const units = (s) => Math.round(Number(String(s).replace('−', '-').replace(/[^0-9.-]/g, '')) * 10000);
const china = () => new Date(Date.now() + 8 * 3600e3);
const minute = () => china().getUTCHours() * 60 + china().getUTCMinutes();
const raw = { 'content-type': 'text/csv' };

const till = new Till('recon', ['--seed', '5', '--faults', 'lost=100']);
const h = new House({ demo: true, set: {} });
let browser;

async function pay(c, channel, amount) {
  const id = (await c.must('POST', '/api/v1/me/payments', { channel, amount, method: 1 })).id;
  const get = () => c.must('GET', `/api/v1/me/payments/${id}`);
  const p = await until('a place to pay', async () => { const r = await get(); return r.url && r; }, 60000, 100);
  const go = async () => { const page = await fetch(p.url); await fetch(`${page.url}?pay`, { method: 'POST' }); };
  return { id, go, paid: () => until('paid', async () => (await get()).state === 3, 60000, 100) };
}

const fetched = (channel, day) => {
  const f = spawnSync(even, ['bill', '--dir', h.dir, '--set', `pay.providers=${till.base}`, channel, day], { encoding: 'utf8' });
  check(f.status === 0, `even bill: ${f.stderr}`);
  return f.stdout;
};

/** The bill with fees, a wrong amount, a row too few and one too many, and another fee than agreed. */
function changed(text, p) {
  const [head, ...rows] = text.trim().split('\n').slice(0, -2);
  const fee = { [p.fee]: '0.10', [p.amount]: '0.12', [p.late]: '0.04' };
  const is = (r, id) => r.split(',')[2] === `P${id}`;
  const out = rows.filter((r) => !is(r, p.missing)).map((r) => (is(r, p.amount) ? r.replace('20.00', '20.10') : r))
    .map((r) => `${r},${Object.entries(fee).find(([id]) => is(r, id))?.[1] ?? '0.00'}`);
  out.push(`${rows[0].slice(0, 19)},payment,QR-0001,,42001,3.00,0.02`);
  return [`${head},fee`, ...out, 'rows', String(out.length)].join('\n');
}

try {
  if (minute() >= 1437) await sleep((1441 - minute()) * 60e3); // all of it shall be of one day
  const cut = minute() < 31 || minute() >= 1409; // so near to midnight that the next bill may have what this one has not
  await till.start();
  h.options.set['pay.providers'] = till.base;
  await h.start();
  await h.setup();
  const w = await h.world({ balance: '4.00' });
  await h.must('POST', '/api/v1/people', { login: 'checker', name: '复核', password: 'checker password', role: 2, party: '0', station: '0', state: 0 });
  const t = await h.ask('GET', '/api/v1/tenant');
  await h.must('PUT', '/api/v1/tenant', { ...t.body, payout_check: '2.00', payee_hold_h: 0 }, { 'if-match': t.headers.get('etag') });
  const ch = await till.channel(h, WECHAT), other = await till.channel(h, ALIPAY);
  const mine = (await h.must('GET', '/api/v1/channels')).items.find((c) => c.id === ch);
  await h.must('PUT', `/api/v1/channels/${ch}`, { ...mine, fee_bp: 60 }, { 'if-match': `"${mine.version}"` });
  const bank = (await h.must('POST', '/api/v1/channels', { kind: 4, name: '招商银行', url: '', app: '', merchant: '', keys: '', fee_bp: 0, state: 0 })).id;
  const c = h.client();
  const sent = await c.must('POST', '/api/v1/driver/code', { phone: '13800138000' });
  c.csrf = (await c.must('POST', '/api/v1/driver/login', { phone: '13800138000', code: sent.demo_code })).csrf;

  // ---- a day of money: three payments, a refund, one at the other provider, and one that nobody tells us of ----
  const ids = {};
  for (const [name, channel, amount] of [['fee', ch, '10.00'], ['amount', ch, '20.00'], ['missing', ch, '5.00'], ['away', other, '6.00']]) {
    const p = await pay(c, channel, amount);
    await p.go();
    await p.paid();
    ids[name] = p.id;
  }
  const back = (await h.must('POST', '/api/v1/payouts', { payment: ids.fee, channel: ch, amount: '1.00', note: 'unused' })).id;
  await until('the refund went through', async () => (await h.must('GET', '/api/v1/payouts')).items.find((x) => x.id === back).state === 5, 60000, 100);
  const late = await pay(c, ch, '7.00');
  ids.late = late.id;
  let wallet = units((await c.must('GET', '/api/v1/me')).balance);
  await h.kill('SIGKILL');
  await late.go(); // its notice is lost, and the house is dead
  const date = china().toISOString().slice(0, 10), day = Number(date.replaceAll('-', ''));
  const text = fetched(ch, date), foreign = fetched(other, date);
  await till.end();

  // ---- the day ends; the provider cannot be reached, and the payment counts as closed ----
  h.options.set['demo.speed'] = 100000;
  await h.start();
  await h.login('admin', 'correct horse battery');
  const next = Number(new Date(Date.UTC(Math.floor(day / 10000), Math.floor(day / 100) % 100 - 1, day % 100 + 1)).toISOString().slice(0, 10).replaceAll('-', ''));
  const figures = async (of = day) => {
    const r = await h.ask('GET', `/api/v1/channels/${ch}/close?day=${of}`);
    if (r.status === 401) await h.login('admin', 'correct horse battery'); // hours pass: the log-in ends
    return r.status === 200 ? r.body : null;
  };
  await until('the day is over, and the next', async () => (await figures(next))?.over, 120000, 50);
  await until('the payment counts as closed', async () => {
    const r = await h.ask('GET', '/api/v1/payments?state=4');
    if (r.status === 401) await h.login('admin', 'correct horse battery');
    return r.status === 200 && r.body.items.some((p) => p.id === ids.late);
  }, 120000, 50);
  await until('the books are of the next day', async () => { // a demonstration goes on where its books are
    const r = await h.ask('POST', `/api/v1/drivers/${w.driver}/topups`, { amount: '0.01', note: 'a day later' });
    if (r.status === 401) await h.login('admin', 'correct horse battery');
    return r.status < 300;
  }, 60000, 50);
  wallet += 100;
  await h.kill('SIGTERM');
  h.options.set['demo.speed'] = 2;
  await h.start();
  await h.login('admin', 'correct horse battery');
  const second = h.client();
  await second.login('checker', 'checker password');
  const books = (when) => { const b = h.check(); check(b.code === 0, `books ${when}: ${b.text}`); };
  books('as the day is over');

  // ---- bad bills: a clear error, an audit entry, no effect ----
  const put = (csv, when = day, to = ch, extra = '') => h.ask('POST', `/api/v1/channels/${to}/bill?day=${when}${extra}`, csv, raw);
  const bill = changed(text, ids);
  const lines = bill.split('\n');
  const bad = { 'a changed column': [bill.replace('amount', 'amounts'), 422], 'cut off': [lines.slice(0, -2).join('\n'), 400],
    'a row short': [[lines[0], ...lines.slice(2)].join('\n'), 400], 'of another channel': [foreign, 409], empty: ['', 400], 'an amount that is none': [bill.replace('10.00', 'ten'), 400] };
  for (const [why, [csv, status]] of Object.entries(bad)) {
    const r = await put(csv);
    check(r.status === status && r.body.detail, `a bill ${why} is refused: ${r.status} ${JSON.stringify(r.body)}`);
  }
  check((await put(bill, 22000101)).status === 409, 'a day that is not over is refused');
  check((await put(bill, 20260230)).status === 422, 'a day that is none is refused');
  check((await put(bill, '9999999999990101')).status === 422, 'nor one of a year that no calendar has');
  check((await put(bill.replace('10.00', '92233720368547.00'))).status === 422, 'an amount beyond all bounds is refused');
  writeFileSync(join(h.dir, 'bills'), ''); // no folder can be made
  check((await put(bill)).status >= 400, 'a bill that cannot be kept is refused');
  rmSync(join(h.dir, 'bills'));
  check((await put(bill, day, bank)).status >= 400, 'a bank has no bill of this kind');
  check((await second.ask('POST', `/api/v1/channels/${ch}/bill?day=${day}`, bill, { ...raw, 'x-csrf-token': null })).status === 403, 'without its token nothing is imported');
  check((await h.must('GET', '/api/v1/bills')).items.length === 0 && (await h.must('GET', '/api/v1/diffs')).items.length === 0, 'none of them had an effect');
  const refused = (await h.must('GET', '/api/v1/audit?limit=200')).items.filter((a) => a.action === 'bill.refused');
  check(refused.length >= 11 && refused.every((a) => a.outcome < 0), `each left an audit entry: ${refused.length}`);
  const tried = (await put(bill, day, ch, '&try=1')).body;
  // WxJava 1275, 1241: bills come in several layouts. Here: the header says which column is which.
  const turned = (await put(bill.split('\n').map((l) => l.split(',').reverse().join(',')).join('\n'), day, ch, '&try=1')).body;
  check(JSON.stringify({ ...turned, sha256: '' }) === JSON.stringify({ ...tried, sha256: '' }), `columns in another order say the same: ${JSON.stringify(turned).slice(0, 300)}`);
  check(tried.bill === '0' && (await h.must('GET', '/api/v1/bills')).items.length === 0, 'a try is only compared');

  // ---- the bill: each difference has its class and is on suspense ----
  const report = await put(bill);
  const n = report.body;
  check(report.status === 200 && n.bill !== '0' && n.rows === 5 && n.fee === 1 && n.amount === 1 && n.theirs_only === 2 && n.matched === 1 && n.ours_only + n.day_cut === 1,
    `the report: ${JSON.stringify(n)}`);
  check(units(n.took) === 401000 && units(n.gave) === 10000 && units(n.fees) === 2800, `the sums: ${n.took} ${n.gave} ${n.fees}`);
  const account = async (kind, owner) => (await h.must('GET', `/api/v1/accounts?kind=${kind}&limit=200`)).items.filter((a) => !owner || a.owner === owner).reduce((s, a) => s + units(a.balance), 0);
  check(await account(9) === 70000 + 30000 + 1000 - 400, `what differs is on suspense: ${await account(9)}`);
  check(await account(11, ch) === -2400, 'the fees as agreed are a cost');
  check((await put(bill)).body.bill === n.bill, 'the same file again has no effect');
  check((await put(bill.replace('3.00', '3.01'))).status === 409, 'another file for that day is a conflict');
  books('after the import');
  const diffs = async () => (await h.must('GET', '/api/v1/diffs?limit=200')).items;
  const by = async (number) => (await diffs()).find((d) => d.no === number);
  check((await diffs()).length === 5 && (await diffs()).every((d) => d.owner === '0'), 'five differences that nobody looks after');
  const early = await h.ask('POST', `/api/v1/channels/${ch}/close`, { day });
  check(early.status === 409 && /5 differences/.test(early.body.detail), `no close while nobody looks after them: ${JSON.stringify(early.body)}`);

  // ---- people: an owner in the browser, a resolution, and one by two people ----
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'zh-CN' })).newPage();
  page.on('pageerror', (e) => check(false, `page error: ${e.message}`));
  const id = (name) => page.locator(`[data-testid="${name}"]`);
  const shot = async (name) => { if (shots) { mkdirSync(shots, { recursive: true }); await page.waitForTimeout(400); await page.screenshot({ path: join(shots, `${name}.png`) }); } };
  await page.goto(`${h.web}/`);
  await page.locator('input[name=login]').fill('admin');
  await page.locator('input[name=password]').fill('correct horse battery');
  await id('login-submit').click();
  await page.waitForURL(/#\/(?!login)/);
  await page.goto(`${h.web}/#/recon`);
  await id('day-close').click();
  await id('close-why').waitFor();
  check(await id('close-go').isDisabled(), 'the page does not offer what would be refused');
  await shot('recon-1-why');
  await page.keyboard.press('Escape');
  await visit(page, `${h.web}/#/recon?tab=diffs`);
  await id('diff-class').first().waitFor();
  await shot('recon-2-diffs');
  const row = page.locator('tr', { hasText: `P${ids.late}` });
  await row.locator('[data-testid=diff-assign]').click();
  await id('diff-go').click();
  await until('it has an owner', async () => (await by(`P${ids.late}`)).owner !== '0');
  await row.locator('[data-testid=diff-resolve]').click();
  await id('diff-way').click();
  await page.locator('.el-select-dropdown__item', { hasText: '属于某笔收款' }).click();
  check(await id('diff-target').inputValue() === ids.late, 'the page knows which payment it is');
  await shot('recon-3-resolve');
  await id('diff-go').click();
  const wish = await until('above the limit it is a wish', async () => { const d = await by(`P${ids.late}`); return d.way === 2 && d; });
  check(wish.state === 2 && await account(9) === 70000 + 30000 + 1000 - 400, 'nothing moved yet');
  const decide = (who, d, body) => who.ask('POST', `/api/v1/diffs/${d.id}/decide`, body);
  check((await decide(h, wish, { act: 4 })).status === 403, 'nobody approves his own wish');
  check((await decide(second, wish, { act: 4 })).status === 200, 'a second person does');
  const paid = (await h.must('GET', '/api/v1/payments?limit=200')).items.find((p) => p.id === ids.late);
  const driver = async () => units((await h.must('GET', `/api/v1/drivers/${w.driver}`)).balance);
  check(paid.state === 3 && paid.transfer !== '0' && await driver() === wallet + 70000, `the payment is paid, and credited once: ${JSON.stringify(paid)}`);
  const strange = await by('QR-0001');
  check((await decide(h, strange, { act: 3, way: 3 })).status === 422, 'a loss needs a reason');
  check((await decide(h, strange, { act: 3, way: 1, target: '1' })).status === 404, 'nobody there');
  check((await decide(h, strange, { act: 3, way: 1, target: w.driver, note: '静态码收款' })).status === 200 && (await decide(second, strange, { act: 4 })).status === 200, 'it is the driver\'s');
  check(await driver() === wallet + 100000, 'in his wallet');
  const amount = await by(`P${ids.amount}`), fee = await by(`P${ids.fee}`), missing = await by(`P${ids.missing}`);
  check((await decide(h, amount, { act: 3, way: 3, note: '多收一角' })).status === 200, 'a small one needs one person');
  check((await decide(h, amount, { act: 3, way: 3, note: '再来' })).status === 409, 'and once');
  check((await decide(h, fee, { act: 3, way: 4 })).status === 200, 'a fee it was');
  check(await account(11, ch) === -2800, 'all that was kept is a cost');
  const people = (await h.must('GET', '/api/v1/people')).items;
  check((await decide(h, missing, { act: 1, owner: people.find((p) => p.login === 'checker').id })).status === 200, 'the last has an owner');
  check((await decide(h, missing, { act: 1, owner: w.driver })).status === 404, 'a driver looks after nothing');
  check(await account(9) === 0, 'suspense is empty');
  if (!cut) check(missing.class === 5 && missing.state === 1, 'what only we have stays in sight');
  books('after the decisions');

  // ---- what arrived at the bank, and the close ----
  const arrive = (body) => h.ask('POST', `/api/v1/channels/${ch}/settlements`, body);
  check((await arrive({ amount: '20.00', fee: '0.05', bank, day, bank_no: 'CMB-1' })).status === 200, 'what the provider paid out is noted');
  check((await arrive({ amount: '20.00', fee: '0.05', bank, day, bank_no: 'CMB-1' })).status === 409, 'once');
  check((await arrive({ amount: '-1.00', bank, day, bank_no: 'CMB-2' })).status === 422 && (await arrive({ amount: '1.00', bank: other, day, bank_no: 'CMB-3' })).status === 404, 'nonsense is refused');
  const f = await figures();
  check(f.ready && units(f.off) === 0 && units(f.lines) === 50000 && units(f.theirs) === 401000 - 10000 - 2800 - 200500 && units(f.held) === units(f.theirs) + 50000, `the account explains itself: ${JSON.stringify(f)}`);
  await visit(page, `${h.web}/#/recon?tab=days`);
  await id('day-close').click();
  await id('close-ready').waitFor();
  await shot('recon-4-ready');
  await id('close-go').click();
  const closed = await until('closed', async () => (await h.must('GET', '/api/v1/closes')).items[0]);
  check(closed.held === f.held && closed.theirs === f.theirs && closed.lines === f.lines && units(closed.settled) === 200500, `the figures are kept: ${JSON.stringify(closed)}`);
  check((await h.ask('POST', `/api/v1/channels/${ch}/close`, { day })).status === 409, 'a closed day is closed');
  check((await put(bill)).status === 409 && (await put(bill.replace('3.00', '3.01'))).status === 409, 'and takes no bill');
  check((await arrive({ amount: '1.00', bank, day, bank_no: 'CMB-4' })).status === 409, 'and no payment to the bank');

  // ---- the next day's bill has what this one had not, and two rows again that it had: nothing is booked twice ----
  const again = [`${date} 09:00:00,payment,P${ids.missing},,42002,5.00,0.03`, `${date} 09:00:00,payment,P${ids.fee},,42003,10.00,0.06`, `${date} 09:00:00,refund,W${back},P${ids.fee},42004,1.00,0.00`, `${date} 09:00:00,payment,QR-0002,,42009,9.00,0.05`];
  const tomorrow = (await put([lines[0], ...again, 'rows', '4'].join('\n'), next)).body;
  check(tomorrow.day_cut === 1 && tomorrow.theirs_only === 3 && tomorrow.matched === 0, `the next day: ${JSON.stringify(tomorrow)}`);
  const found = await until('the other half', async () => (await h.must('GET', '/api/v1/diffs?state=3&limit=200')).items.find((d) => d.id === missing.id));
  check(found.way === 7 && found.theirs_day === next && found.transfer === '0', `both halves are one: ${JSON.stringify(found)}`);
  check(await account(9) === 180000, 'what it has twice is on suspense');
  for (const d of await diffs()) if (d.state === 2) {
    if (d.no !== 'QR-0002') {
      check((await decide(h, d, { act: 3, way: 3, note: '渠道重复' })).status === 200, 'twice');
      if (d.no === `P${ids.fee}`) check((await decide(second, d, { act: 4 })).status === 200, 'approved');
      continue;
    }
    // ---- one of them is the owner's: a share of his, by two people ----
    const owner = async () => (await h.must('GET', '/api/v1/parties')).items.find((p) => p.id === w.owner);
    const had = await owner(), self = (await h.must('GET', '/api/v1/parties')).items.find((p) => p.kind === 1).id;
    check((await decide(h, d, { act: 3, way: 8, target: w.owner })).status === 422, 'it needs a reason');
    check((await decide(h, d, { act: 3, way: 8, target: self, note: '场地方的' })).status === 422 && (await decide(h, d, { act: 3, way: 8, target: w.driver, note: '场地方的' })).status === 404, 'and a party');
    await visit(page, `${h.web}/#/recon?tab=diffs`);
    const its = page.locator('tr', { hasText: d.no }).first();
    await its.locator('[data-testid=diff-resolve]').click();
    await id('diff-way').click();
    await page.locator('.el-select-dropdown__item', { hasText: '入分成方分成' }).click();
    await id('diff-party').click();
    await page.locator('.el-select-dropdown__item', { hasText: had.name }).last().click();
    check(await id('diff-go').isDisabled(), 'the page asks for the reason');
    await id('diff-note').fill('场地方代收的款');
    await id('diff-go').click();
    await until('asked', async () => (await by(d.no)).way === 8);
    check((await decide(h, d, { act: 4 })).status === 403 && (await owner()).pending === had.pending, 'nobody approves his own wish');
    check((await decide(second, d, { act: 4 })).status === 200, 'a second person does');
    check(units((await owner()).pending) === units(had.pending) + units(d.suspense), 'it is pending like any share');
    const gave = await until('resolved', async () => (await h.must('GET', '/api/v1/diffs?state=3&limit=200')).items.find((x) => x.id === d.id));
    const moved = (await h.must('GET', `/api/v1/transfers?code=11&limit=200`)).items.find((x) => x.id === gave.resolved);
    check(moved && moved.note.startsWith(`D${d.id}`), 'by one transfer that names it');
    check((await h.must('GET', '/api/v1/audit?limit=200')).items.some((a) => a.object === d.id), 'the audit has it');
    books('after a share of suspense');
  }
  check((await h.ask('POST', `/api/v1/channels/${ch}/close`, { day: next })).status === 200, 'the next day is closed');
  const two = (await h.must('GET', '/api/v1/closes')).items[0];
  check(two.day === next && two.opening === closed.theirs && units(two.lines) === 0 && two.held === two.theirs, `it goes on where the day before stopped: ${JSON.stringify(two)}`);
  for (const tab of ['days', 'diffs', 'closes', 'settlements', 'guard']) {
    await visit(page, `${h.web}/#/recon?tab=${tab}`);
    await sleep(300);
    await shot(`recon-5-${tab}`);
  }
  const guard = (await h.must('GET', '/api/v1/ledger/safeguarding')).items[0];
  check(units(guard.wallets) === wallet + 100000 && units(guard.suspense) === 0 && units(guard.bank) === 200000 && units(guard.cover) === units(guard.held) - units(guard.owed), `safeguarding: ${JSON.stringify(guard)}`);
  check(units(await id('guard-cover').innerText()) === units(guard.cover), 'the page says the same');
  const sheet = await fetch(`${h.web}/api/v1/ledger/safeguarding.xlsx`, { headers: { cookie: h.cookie } });
  check(sheet.status === 200 && Buffer.from(await sheet.arrayBuffer()).toString('latin1').startsWith('PK'), 'and so does the sheet');
  books('at the end');
  check((await h.must('GET', '/api/v1/ledger/trial')).sum === '0.00', 'the trial balance is zero');
  const nobody = h.client();
  await nobody.login('partner', 'partner password');
  for (const path of ['/api/v1/diffs', '/api/v1/bills', '/api/v1/closes', '/api/v1/ledger/safeguarding'])
    check((await nobody.ask('GET', path)).status === 403, `a partner does not see ${path}`);
  // ---- a bill of which thousands of rows differ is taken whole, and its differences come in pages ----
  const [top, ...few] = foreign.trim().split('\n').slice(0, -2), many = 2500;
  const crowd = Array.from({ length: many }, (_, i) => `${few[0].slice(0, 19)},payment,QX-${i},,77${i},0.01`);
  const big = (await put([top, ...few, ...crowd, 'rows', String(few.length + many)].join('\n'), day, other)).body;
  check(big.theirs_only === many && big.bill !== '0', `all of it: ${JSON.stringify({ ...big, items: 0 })}`);
  let seen = 0;
  for (let after = ''; ;) {
    const p = await h.must('GET', `/api/v1/diffs?channel=${other}&limit=200${after && `&after=${after}`}`);
    seen += p.items.length;
    if (!p.next) break;
    after = p.next;
  }
  check(seen === many, `page by page: ${seen}`);
  check(await account(9) === many * 100, 'all of it is on suspense');
  books('after a crowd of differences');
  // What was resolved is not in memory after a restart, and is resolved all the same.
  await h.kill('SIGTERM');
  await h.start();
  await h.login('admin', 'correct horse battery');
  check((await decide(h, amount, { act: 3, way: 3, note: '再来' })).status === 409, 'resolved is resolved');
  check((await h.ask('POST', '/api/v1/diffs/12345/decide', { act: 3, way: 3, note: 'x' })).status === 404, 'and what never was is not');
} catch (e) {
  check(false, e.stack);
  console.log(h.log.split('\n').slice(-30).join('\n'));
} finally {
  await browser?.close();
  await h.end();
  till.end();
}
finish();
