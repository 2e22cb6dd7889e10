// SPDX-License-Identifier: Apache-2.0
// company.mjs: a company with credit pays for a driver's charging, as the people who do it see it: quotas and limits refuse, shares wait, the month is
// billed and collected in two parts, shares become available in proportion, order by order, and are withdrawn, what is given back lowers the next bill, and
// the pages tell it. And thieves: two starts on one quota,
// a member removed while charging, a card of a disabled company, another operator's company. After each step the amounts are exact and `even check` is
// content; and it is not when the file is changed behind its back. python3 is there wherever meson is.
import { execFile, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { check, enter, even, main, until, visit } from './house.mjs';
import { stories } from './stories.mjs';
import { Cp, driver, order, over, units } from './rogue.mjs';
import { pages } from './taken.mjs';

const sql = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1]); db.row_factory = sqlite3.Row
def clone(table, where, change):
    r = dict(db.execute('SELECT * FROM %s WHERE %s' % (table, where)).fetchone()); r.update(change)
    db.execute('INSERT INTO %s (%s) VALUES (%s)' % (table, ','.join(r), ','.join('?' * len(r))), list(r.values()))
if sys.argv[2] == 'second':
    clone('tenant', '1=1 ORDER BY id LIMIT 1', {'id': 1001, 'name': 'Second'})
    clone('party', 'kind=1', {'id': 1002, 'tenant': 1001})
    clone('person', "login='admin'", {'id': 1003, 'tenant': 1001, 'login': 'second'})
else:
    db.execute(sys.argv[2])
db.commit()
`;
const file = (dir) => join(dir, readdirSync(dir).find((f) => f.endsWith('.db')));
const change = (dir, what) => spawnSync('python3', ['-c', sql, file(dir), what], { encoding: 'utf8' });

const run = (program, args) => new Promise((done) => execFile(program, args, (error, out, err) => done({ code: error ? 1 : 0, text: out + err })));

/** Each statement, on a copy of the books, must be found by the rule. */
const wrong = [
  ['member', "UPDATE company_member SET used = used + 100 WHERE used > 0"],
  ['member', 'UPDATE company_member SET held = held + 100'],
  ['member', 'UPDATE company_member SET used_orders = used_orders + 1'],
  ['bill', 'UPDATE company_bill SET captured = captured + 100'],
  ['bill', 'UPDATE company_bill SET refunded = refunded + 100'],
  ['bill', 'UPDATE company_bill SET orders = orders + 1'],
  ['bill', 'UPDATE company_bill SET state = 4'],
  ['company', 'UPDATE company SET advance = advance + 100'],
  ['company', 'UPDATE company SET credit = credit + 100'],
  ['company', 'UPDATE account_cold SET min_balance = min_balance - 100 WHERE kind = 17'],
  ['share', 'UPDATE maturing SET due_ms = -7 WHERE due_ms < 0'],
  ['share', 'UPDATE company_bill SET state = 4, collected = captured - refunded, settled_ms = 1'],
  ['maturing', 'DELETE FROM maturing WHERE due_ms < 0'],
  ['paid', 'UPDATE orders SET company = 7 WHERE company <> 0'],
];
const paid = [
  ['company', 'UPDATE transfer SET code = 1 WHERE code = 17'],
  ['bill', 'UPDATE company_bill SET collected = collected - 100 WHERE collected <> 0'],
  ['share', 'UPDATE transfer SET contract = 0 WHERE code = 5'],
  ['share', 'UPDATE transfer SET contract = contract + 1 WHERE code = 5'],
  ['share', 'UPDATE bill_share SET bill = bill + 1'],
  ['share', 'UPDATE bill_share SET party = party + 1'],
  ['share', 'UPDATE bill_share SET amount = amount - 100, waited = waited - 100'],
  ['share', 'UPDATE bill_share SET paid = paid - 100 WHERE paid < lacked'],
  ['share', 'UPDATE bill_share SET lacked = lacked + 100, paid = paid + 100 WHERE paid = lacked'],
  ['share', 'UPDATE bill_share SET at_ms = 1'],
  ['share', 'UPDATE bill_share SET due_ms = at_ms + 1'],
  ['share', 'DELETE FROM bill_share WHERE paid = lacked'],
  ['share', 'DELETE FROM bill_share'],
];
async function tamper(h, statements) {
  for (const [rule, statement] of statements) {
    const dir = mkdtempSync(join(tmpdir(), 'even-tamper-'));
    for (const end of ['', '-wal']) if (existsSync(file(h.dir) + end)) copyFileSync(file(h.dir) + end, join(dir, 'even.db' + end));
    const done = await run('python3', ['-c', sql, file(dir), statement]);
    const r = await run(even, ['check', '--dir', dir]);
    check(done.code === 0 && r.code !== 0 && r.text.includes(`violation ${rule} `), `found: ${statement}: ${done.text} ${r.text.slice(-500)}`);
    rmSync(dir, { recursive: true, force: true });
  }
}

await main(async (h) => {
  await h.setup();
  const w = await h.world({ balance: '20.00', elec_e5: 8000000, service_e5: 4000000, chargers: [{ path: 'CP1', protocol: 1, guns: 2 }] });
  const gun = w.chargers[0].connectors;
  const tenant = await h.ask('GET', '/api/v1/tenant');
  await h.must('PUT', '/api/v1/tenant', { ...tenant.body, refund_days: 0, start_timeout_s: 60 }, { 'if-match': tenant.headers.get('etag') });
  await h.kill('SIGTERM');
  check(change(h.dir, 'second').status === 0, 'a second operator is in the file');
  await h.start();
  await h.login('admin', 'correct horse battery');
  const foreign = h.client();
  await foreign.login('second', 'correct horse battery');
  const books = (when) => { const b = h.check(); check(b.code === 0, `books ${when}: ${b.text}`); };
  const party = async () => (await h.must('GET', '/api/v1/parties')).items.find((p) => p.id === w.owner);
  const d = await driver(h, '13800138000', tenant.body.id), other = await driver(h, '13900139000', tenant.body.id);
  const start = (who, n, cap, payer = 3) => who.ask('POST', '/api/v1/me/orders', { code: gun[n].code, cap, payer });

  // ---- a company and its member ----
  const form = { name: '顺达物流', tax_no: '91310000MA1', kind: 2, credit: '10.00', overrun: 0, bill_day: 10, contact: '王', phone: '13911112222', state: 0 };
  check((await h.ask('POST', '/api/v1/companies', { ...form, kind: 1 })).status === 422, 'a prepaid company has no credit');
  check((await h.ask('POST', '/api/v1/companies', { ...form, bill_day: 31 })).status === 422, 'a bill has a day that every month has');
  const co = (await h.must('POST', '/api/v1/companies', form)).id;
  const quota = { name: '', plate: '沪A12345', cards: false, month_most: '8.00', order_most: '5.00', month_mwh: 0, month_orders: 0, stations: '', state: 0 };
  const row = async () => h.must('GET', `/api/v1/companies/${co}`);
  const members = async () => (await h.must('GET', `/api/v1/companies/${co}/members`)).items;
  check((await h.ask('POST', `/api/v1/companies/${co}/members`, quota)).status === 422, 'a member is somebody');
  check((await foreign.ask('POST', `/api/v1/companies/${co}/members`, { ...quota, driver: w.driver })).status === 404, 'not by another operator');
  const m = (await h.must('POST', `/api/v1/companies/${co}/members`, { ...quota, driver: w.driver })).id;
  check((await h.ask('POST', `/api/v1/companies/${co}/members`, { ...quota, driver: w.driver })).status === 409, 'a driver is a member once');
  const put = async (more) => { const at = (await members()).find((x) => x.id === m); return h.ask('PUT', `/api/v1/company-members/${m}`, { ...quota, ...more }, { 'if-match': `"${at.version}"` }); };
  const company = async (more) => h.ask('PUT', `/api/v1/companies/${co}`, { ...form, ...more }, { 'if-match': `"${(await row()).version}"` });
  const mine = (await d.must('GET', '/api/v1/me/company')).items;
  check(mine.length === 1 && mine[0].company_name === form.name && mine[0].month_most === '8.00' && mine[0].active, `the driver sees who pays: ${JSON.stringify(mine)}`);
  check((await other.must('GET', '/api/v1/me/company')).items.length === 0, 'another driver sees nothing');
  for (const p of [`companies/${co}`, `companies/${co}/members`, `companies/${co}/orders`, `companies/${co}/bills`]) {
    const got = await foreign.ask('GET', `/api/v1/${p}`);
    check(got.status === 404 || got.body.items?.length === 0, `another operator sees nothing of ${p}: ${got.status}`);
  }
  check((await d.ask('GET', `/api/v1/companies/${co}`)).status === 403, 'a driver sees no company of staff');
  await h.must('POST', '/api/v1/people', { login: 'clerk', name: 'K', password: 'clerk password', role: 2, party: '0', station: w.station, state: 0 });
  const clerk = h.client();
  await clerk.login('clerk', 'clerk password');
  for (const p of ['companies', `companies/${co}`, `companies/${co}/members`, `companies/${co}/orders`, `companies/${co}/bills`])
    check((await clerk.ask('GET', `/api/v1/${p}`)).status === 403, `who has one station sees nothing of ${p}`);
  check((await clerk.ask('POST', `/api/v1/companies/${co}/payments`, { amount: '1.00' })).status === 404, 'and takes no money of a company');

  // ---- quotas and limits refuse, with their own errors ----
  let cp = await (await Cp.open(h, w.chargers[0])).boot();
  await cp.status('Available', 2);
  const refused = async (what, r, status, type) => check(r.status === status && r.body.type === `urn:even:${type}`, `${what}: ${status} ${type}, got ${r.status} ${JSON.stringify(r.body)}`);
  await refused('above the quota of an order', await start(d, 0, '5.01'), 409, 'quota');
  await refused('a member of nothing', await start(other, 0, '1.00'), 403, 'not-member');
  await put({ stations: w.station });
  check((await put({ stations: '12' })).status === 404, 'a station that is not there');
  await company({ credit: '2.00' });
  await refused('above the credit', await start(d, 0, '3.00'), 402, 'no-funds');
  await company({});
  await put({ state: 1 });
  await refused('a member who is disabled', await start(d, 0, '3.00'), 409, 'disabled');
  await put({});
  books('after refusals');

  // ---- two starts at once share one quota ----
  await put({ month_most: '5.00' });
  const both = await Promise.all([start(d, 0, '3.00'), start(d, 1, '3.00')]);
  check(both.filter((r) => r.status === 200).length === 1 && both.filter((r) => r.status === 409).length === 1, `one of two starts: ${both.map((r) => r.status)}`);
  await put({});
  const n = both[0].status === 200 ? 1 : 2, first = both[n - 1].body.id;
  const call = await cp.expect('RemoteStartTransaction');
  const tx = (await cp.startTx(call.idTag, 1000, n)).tx;
  check(units((await row()).held) === 30000 && units((await row()).free) === 70000, 'its cap is held of the company');
  check((await company({ state: 2 })).status === 409, 'a company with money under way is not deleted');

  // ---- the member is removed while charging: paid as it was begun; nothing more after it ----
  await put({ state: 2 });
  check((await d.must('GET', '/api/v1/me/company')).items.length === 0, 'he is no member any more');
  await new Promise((r) => setTimeout(r, 1500));
  await cp.stopTx(tx, 1020);
  let o = await over(h, first);
  check(o.order.payer_kind === 3 && units(o.order.paid) === 24000, `20 Wh at 120 yuan are 2.40: ${o.order.paid}`);
  check(units((await row()).balance) === -24000, 'owed by the company');
  check(units((await h.must('GET', `/api/v1/drivers/${w.driver}`)).balance) === 200000, 'not by the driver');
  check(units((await party()).pending) === 12000 && units((await party()).available) === 0, 'the owner waits for it');
  check(o.parts.every((p) => p.party !== w.owner || p.due_ms < 0), 'his parts say that they wait for a bill');
  await refused('removed', await start(d, 0, '1.00'), 403, 'not-member');
  books('after the first order');

  // ---- a card at the company's expense; and after the company was disabled ----
  const card = (await h.must('POST', '/api/v1/tokens', { driver: w.driver, tag: 'FLEET1', kind: 1, state: 0 })).id;
  const vehicle = (await h.must('POST', `/api/v1/companies/${co}/members`, { ...quota, token: card })).id;
  check((await members()).find((x) => x.id === vehicle)?.tag === 'FLEET1', 'the card is a member');
  const swipe = await cp.startTx('FLEET1', 2000, 1);
  check(swipe.status === 'Accepted', `the card is accepted: ${swipe.status}`);
  const second = (await h.must('GET', `/api/v1/companies/${co}/orders`)).items[0];
  check(second.payer_kind === 3 && second.cap === '5.00' && second.started_by === 2, `the company pays for the card: ${JSON.stringify(second)}`);
  await company({ state: 1 });
  await new Promise((r) => setTimeout(r, 1500));
  await cp.stopTx(swipe.tx, 2030);
  o = await over(h, second.id);
  check(units(o.order.paid) === 36000, `what ran is paid: ${o.order.paid}`);
  check((await cp.startTx('FLEET1', 3000, 2)).status === 'Blocked', 'a card of a disabled company is blocked');
  check((await cp.ask('Authorize', { idTag: 'FLEET1' }))[2].idTagInfo.status === 'Blocked', 'nor authorized');
  check((await h.must('GET', '/api/v1/orders')).items.length === 2, 'and it does not fall back on the wallet');
  await company({});
  books('after the card');

  // ---- the month is billed ----
  const day = new Date(Date.now() + 8 * 3600000), month = day.getUTCFullYear() * 100 + day.getUTCMonth() + 1;
  const bills = async () => (await h.must('GET', `/api/v1/companies/${co}/bills`)).items;
  const now = (await bills())[0];
  check(now.over === false && now.state === 1 && now.amount === '6.00' && now.month === month && now.orders === 2, `the month fills: ${JSON.stringify(now)}`);
  check((await h.ask('POST', `/api/v1/companies/${co}/bills`, { month })).status === 409, 'a month that is not over has no bill');
  check((await h.ask('POST', `/api/v1/companies/${co}/payments`, { amount: '1.00', bill: now.id })).status === 409, 'and is not collected');
  await h.must('POST', `/api/v1/orders/${first}/refund`, { amount: '0.40', note: 'screen' });
  check(units((await party()).pending) === 28000, 'the owner gives back his half, of what waits');
  check((await bills())[0].amount === '5.60', 'the bill gives it back');
  cp.drop();
  await h.kill('SIGTERM');
  h.options.set['demo.speed'] = 100000;
  await h.start();
  const made = await until('the month is over', async () => {
    const r = await h.ask('POST', `/api/v1/companies/${co}/bills`, { month, note: 'by post' });
    if (r.status === 401) await h.login('admin', 'correct horse battery'); // hours pass: the log-in ends
    return r.status < 300 && r.body.id;
  }, 120000, 200);
  await h.login('admin', 'correct horse battery'); // from now on the clock runs fast: a log-in lasts as long as ever in real time
  await foreign.login('second', 'correct horse battery');
  let bill = (await bills()).find((b) => b.id === made);
  check(bill.state === 2 && bill.amount === '5.60' && bill.refunded === '0.40' && bill.collected === '0.00', `issued: ${JSON.stringify(bill)}`);
  check(units((await party()).available) === 0, 'days alone do not mature the shares');
  books('with the bill');
  await tamper(h, wrong);

  // ---- it is overdue: from the day that the operator says nothing new begins ----
  check((await company({ overdue_days: 3651 })).status === 422 && (await company({ overdue_days: -1 })).status === 422, 'days in bounds');
  check((await row()).overdue_days === 0 && !(await row()).stopped, 'never, unless the operator says so');
  check((await company({ overdue_days: 1 })).status === 200 && (await company({})).status === 200, 'a change that does not name it');
  check((await row()).overdue_days === 1, 'leaves it');
  await until('overdue for a day', async () => (await row()).stopped, 120000, 300);

  // ---- it is collected in two parts ----
  const collect = (amount, more = {}) => h.ask('POST', `/api/v1/companies/${co}/payments`, { amount, bill: made, note: 'bank', ...more });
  check((await foreign.ask('POST', `/api/v1/companies/${co}/payments`, { amount: '1.00', bill: made })).status === 404, 'not by another operator');
  check((await collect('5.61')).status === 422, 'not more than it lacks');
  check((await collect('-1.00')).status === 422 && (await collect('0.001')).status >= 400, 'nor less than a fen');
  check((await h.ask('POST', `/api/v1/companies/${co}/payments`, { amount: '1.00', bill: made }, { 'idempotency-key': null })).status === 400, 'nor without a key');
  const key = { 'idempotency-key': 'the-first-part' };
  for (let i = 0; i < 2; i++) await h.must('POST', `/api/v1/companies/${co}/payments`, { amount: '1.40', bill: made, note: 'bank' }, key);
  bill = (await bills()).find((b) => b.id === made);
  check(bill.state === 3 && bill.collected === '1.40', 'a quarter, once');
  check(units((await party()).available) === 7000 && units((await party()).pending) === 21000, `a quarter of the shares: ${JSON.stringify(await party())}`);
  books('with a part collected');
  const story = (id, who = h, path = 'orders') => who.must('GET', `/api/v1/${path}/${id}/story`);
  const owners = async (id) => (await story(id)).shares.find((x) => x.party === w.owner && x.due_ms < 0);
  let part = await owners(first), more = await owners(second.id);
  check(part.bill_month === month && part.collected.length === 1 && part.collected[0].paid === '1.40' && part.collected[0].lacked === '5.60' && part.collected[0].amount === '0.25', `a quarter of its 1.00: ${JSON.stringify(part)}`);
  check(units(part.free) === 2500 && units(part.waits) === 7500 && units(part.returned) === 2000 && units(more.free) === 4500 && units(more.waits) === 13500, `the rest waits: ${JSON.stringify(more)}`);
  check((await collect('4.20')).status === 200, 'the rest');
  bill = (await bills()).find((b) => b.id === made);
  check(bill.state === 4 && bill.settled_ms > 0, 'settled');
  check(!(await row()).stopped, 'and nothing is stopped any more');
  check(units((await party()).available) === 28000 && units((await party()).pending) === 0, 'all shares are available');
  check(units((await row()).balance) === 0 && (await row()).owed === '0.00', 'nothing is owed');
  check((await collect('1.00')).status === 409, 'nothing more to collect');
  books('collected');
  await tamper(h, paid);

  // ---- and given back afterwards: the next month's ----
  await h.must('POST', `/api/v1/orders/${second.id}/refund`, { amount: '1.00', note: 'screen' });
  check(units((await party()).available) === 23000, 'out of what is available');
  check(units((await row()).balance) === 10000, 'to the company');
  check((await bills()).find((b) => b.id === made).amount === '5.60', 'the bill stays as it was');
  check((await row()).unbilled === '-1.00', 'it lowers the next one');
  const trail = (await h.must('GET', `/api/v1/accounts/${(await row()).account}/statement`)).items;
  check(trail.filter((t) => t.code === 17).length === 2, 'both payments stand in the account');
  for (const [kind, head] of [['xlsx', 'PK'], ['pdf', '%PDF']]) {
    const r = await fetch(`${h.web}/api/v1/company-bills/${made}/sheet.${kind}?lang=zh`, { headers: { cookie: h.cookie } });
    check(r.status === 200 && Buffer.from(await r.arrayBuffer()).toString('latin1').startsWith(head), `the bill as ${kind}`);
    check((await foreign.ask('GET', `/api/v1/company-bills/${made}/sheet.${kind}`)).status === 404, `not to another operator as ${kind}`);
  }

  // ---- and withdrawn: the owner sees which orders it is, and each order where it went ----
  const owner = await party();
  const bank = (await h.must('POST', '/api/v1/channels', { kind: 4, name: '银行转账', url: '', app: '', merchant: '', keys: '', fee_bp: 0, state: 0 })).id;
  await h.must('PUT', `/api/v1/parties/${w.owner}`, { kind: owner.kind, name: owner.name, state: 0, verified: true, payee: '6222020200001234567', payee_name: owner.name }, { 'if-match': `"${owner.version}"` });
  const payout = (await h.must('POST', '/api/v1/payouts', { party: w.owner, channel: bank, amount: '1.00' })).id;
  const taken = await pages(h, `/api/v1/payouts/${payout}/orders`, 1);
  check(taken.map((x) => `${x.order_id}:${units(x.amount)}`).join() === [`${second.id}:500`, `${first}:7500`, `${second.id}:2000`].join(), `0.20 of the first collection, of which the refund took the oldest; then the second: ${JSON.stringify(taken)}`);
  check(taken.every((x) => x.rule === 4 && x.bill === made && x.matured === x.collected) && taken[0].matured === taken[1].matured && taken[1].matured !== taken[2].matured, 'each names its bill and the collection');
  part = await owners(first);
  more = await owners(second.id);
  check(part.collected.map((x) => x.amount).join() === '0.25,0.75' && units(part.withdrawn) === 7500 && units(part.other) === 2500 && units(part.waits) === 0, `all of it is told: ${JSON.stringify(part)}`);
  check(units(more.withdrawn) === 2500 && units(more.free) === 13000 && part.payouts[0].payout === payout, `and of the other: ${JSON.stringify(more)}`);
  const owns = h.client();
  await owns.login('partner', 'partner password');
  const his = (await story(first, owns, 'partner/orders')).shares.find((x) => x.due_ms < 0);
  check(his.collected.map((x) => x.amount).join() === '0.25,0.75' && his.collected.every((x) => units(x.paid) === 0 && units(x.lacked) === 0), `the owner sees his own, not what the company paid: ${JSON.stringify(his)}`);
  check(JSON.stringify(await pages(owns, `/api/v1/partner/payouts/${payout}/orders`)) === JSON.stringify(taken), 'and the same orders');
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  try {
    const id = (p, name) => p.locator(`[data-testid="${name}"]:visible`);
    const desk = await enter(browser, h, '/', 1400, 900, 'admin', 'correct horse battery');
    await visit(desk, `${h.web}/#/orders/${first}/story`);
    await id(desk, 'share-collected').first().waitFor();
    const lines = await id(desk, 'share-collected').allInnerTexts();
    check(lines.length === 2 && /5\.60.*1\.40/s.test(lines[0]) && lines[0].includes('0.25') && lines[1].includes('0.75'), `the desk tells each collection: ${lines}`);
    check((await id(desk, 'story-even').innerText()).startsWith('✓'), 'and that all of it adds up');
    await id(desk, 'payout-link').first().click();
    await id(desk, 'taken-even').waitFor();
    check((await id(desk, 'taken-row').count()) === 3 && (await id(desk, 'taken-even').innerText()).startsWith('✓'), 'the way back has the same rows');
    check((await desk.locator('main').innerText()).includes('企业账单收款'), 'and says that a bill was collected');
    const phone = await enter(browser, h, '/p', 390, 900, 'partner', 'partner password');
    await visit(phone, `${h.web}/p#/payouts/${payout}`);
    await id(phone, 'taken-even').waitFor();
    check((await id(phone, 'taken-row').count()) === 3, 'the phone has them, too');
    await visit(phone, `${h.web}/p#/orders/${first}`);
    await id(phone, 'share-collected').first().waitFor();
    check(!(await phone.locator('body').innerText()).includes('5.60'), "without the company's figures");
  } finally {
    await browser.close();
  }
  const told = await stories(h);
  check([...told.values()].some((s) => s.bills.length === 1 && s.shares.some((x) => x.rule === 4)), 'a company\'s order names its bill, and its shares follow it');
  check([...told.values()].some((s) => s.lots.some((l) => l.rule === 4)), 'what it owes stands on its bill');
  books('at the end');
  check((await order(h, second.id)).order.refunded === '1.00', 'the order says so');
  check((await h.must('GET', '/api/v1/ledger/trial')).sum === '0.00', 'the trial balance is zero');
}, { demo: true, set: {} });
