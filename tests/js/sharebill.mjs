// SPDX-License-Identifier: Apache-2.0
// sharebill.mjs: the bill of the shares that WeChat Pay paid out of payments, end to end: it is fetched packed, with every fault that it may
// have, matched with shares and what came back of them, and a day on which the channel shared closes with both of its bills only. Where what
// came back contradicts what was asked for, two people say what it was. Bad bills have no effect; the books are judged throughout.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { Charger } from './charger.mjs';
import { check, even, finish, House, sameDay, until, visit } from './house.mjs';
import { login, most, order, receiver, SETTLED } from './shares.mjs';
import { Till, WECHAT } from './till.mjs';

const UNKNOWN = 9, SHARED = 3, RETURNED = 4;
const units = (s) => Math.round(Number(s) * 10000);
const raw = { 'content-type': 'text/csv' };
const admin = ['admin', 'correct horse battery'];

await sameDay(8);
const tills = [new Till('clean', ['--seed', '5']), new Till('part', ['--seed', '5'])], [clean, part] = tills;
await clean.start();
await part.start(clean);
const h = new House({ demo: true, set: { 'pay.providers': tills.map((t) => t.base).join(',') } });
const payouts = async () => (await h.must('GET', '/api/v1/payouts?limit=200')).items;
const atTheTill = async (p) => { await fetch(`${p.url}?pay`, { method: 'POST' }); };
const fetched = (till, date, ...more) => spawnSync(even, ['bill', '--dir', h.dir, '--set', `pay.providers=${tills.map((t) => t.base).join(',')}`, till.channel_id, date, ...more], { encoding: 'utf8' });
const books = (when) => { const b = h.check(); check(b.code === 0, `books ${when}: ${b.text}`); };

let browser, page;
const id = (name) => page.locator(`[data-testid="${name}"]`);
/** Staff in the browser; each log-in anew, for hours pass. */
async function staff(login, password) {
  browser ??= await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'zh-CN' })).newPage();
  page.on('pageerror', (e) => check(false, `page error: ${e.message}`));
  await page.goto(`${h.web}/`);
  await page.locator('input[name=login]').fill(login);
  await page.locator('input[name=password]').fill(password);
  await id('login-submit').click();
  await page.waitForURL(/#\/(?!login)/);
}

/** The same cashier once more, with other faults, at its old port: the keys and bills stay. */
async function again(till, faults) {
  const gone = new Promise((done) => till.child.once('exit', done));
  till.child.kill('SIGTERM');
  await gone;
  till.args = ['--seed', '5', '--port', new URL(till.base).port, ...(faults ? ['--faults', faults] : [])];
  await till.start();
}

try {
  await h.start();
  await h.setup();
  const w = await h.world({ elec_e5: 8000000, service_e5: 4000000 }), cp = w.chargers[0];
  await h.must('POST', '/api/v1/people', { login: 'checker', name: '复核', password: 'checker password', role: 2, party: '0', station: '0', state: 0 });
  const t = await h.ask('GET', '/api/v1/tenant');
  await h.must('PUT', '/api/v1/tenant', { ...t.body, payout_check: '0.00' }, { 'if-match': t.headers.get('etag') });
  for (const till of tills) {
    till.channel_id = await till.channel(h, WECHAT);
    check((await most(h, till.channel_id, 3000)).status === 200, 'what the channel may pay at most');
    await receiver(h, w.owner, till.channel_id, till === part ? 'part-1' : '1900000109');
  }
  const d = await login(h, '13700001001'), charger = new Charger(h, cp);
  await charger.open();
  await charger.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
  const paid = [];
  for (const till of [clean, clean, clean, part]) paid.push(await order(h, d, charger, cp, till.channel_id, atTheTill));
  const [, spent, back, odd] = paid;
  for (const p of paid) await until('shared', async () => (await payouts()).some((x) => x.payment === p.id && x.kind === SHARED && x.state === SETTLED), 120000, 200);
  for (const p of paid) await until('the rest is free', async () => !(await (p === odd ? part : clean).state()).trades.find((x) => x.no === `P${p.id}`).frozen, 120000, 200);

  // ---- 0.72 of each order are pending: the first refund takes of them, what the next two lack is asked back ----
  const refund = (p) => h.must('POST', `/api/v1/orders/${p.order_id}/refund`, { amount: '3.60', note: 'test' });
  const returned = async (p) => (await payouts()).find((x) => x.payment === p.id && x.kind === RETURNED);
  await refund(spent);
  await refund(back);
  const came = await until('it came back', async () => { const r = await returned(back); return r?.state === SETTLED && r; }, 120000, 200);
  check(came.amount === '-0.72' && !await returned(spent), `what he owed: ${JSON.stringify(came)}`);
  await refund(odd);
  const unsure = await until('the provider contradicts', async () => { const r = await returned(odd); return r?.state === UNKNOWN && r; }, 120000, 200);
  check(unsure.amount === '-1.08' && unsure.said === '1.07' && unsure.claim === '0.00', `asked for a fen more than came: ${JSON.stringify(unsure)}`);
  for (const p of [spent, back, odd]) await until('the refunds are through', async () => (await payouts()).some((y) => y.payment === p.id && y.kind === 2 && y.amount === '3.60' && y.state === SETTLED), 180000, 200);

  // ---- two people say what came back ----
  const second = h.client(), partner = h.client();
  await second.login('checker', 'checker password');
  await partner.login('partner', 'partner password');
  const say = (who, body, id = unsure.id) => who.ask('POST', `/api/v1/payouts/${id}/decide`, body);
  const seen = { act: 6, amount: '1.07', note: '渠道账单为 1.07' };
  check((await say(h, { act: 6, amount: '1.07' })).status === 422 && (await say(h, { ...seen, amount: '0.00' })).status === 422, 'what came back, and where it was seen');
  check((await say(h, { ...seen, amount: '1.09' })).status === 422 && (await say(h, { ...seen, amount: '1.075' })).status === 422, 'no more than the share, and whole fen');
  check((await say(h, seen, came.id)).status === 409 && (await say(h, seen, '12345')).status === 404, 'only where the provider contradicts');
  check((await say(partner, seen)).status === 403, 'a partner decides nothing of it');
  check((await say(h, { act: 2 })).status === 409, 'nothing to refuse yet');
  await staff(...admin);
  await visit(page, `${h.web}/#/payouts`);
  await id('payout-paid').click();
  check(await id('payout-amount').inputValue() === '1.07', 'the page knows what the provider says');
  await id('payout-note').fill('渠道账单为 1.07');
  await id('payout-go').click();
  await until('one says it', async () => (await returned(odd)).claim === '1.07');
  await id('payout-claim').waitFor();
  check(await id('payout-paid').count() === 0, 'and is not offered to say it twice');
  const word = await returned(odd);
  check(word.state === UNKNOWN && word.claim === '1.07' && word.amount === '-1.08', `nothing happens until another one does: ${JSON.stringify(word)}`);
  check((await say(h, seen)).status === 403 && (await say(h, { act: 2 })).status === 403, 'the same one is not another');
  check((await say(second, { act: 2, note: '再查' })).status === 200 && (await returned(odd)).claim === '0.00', 'refused');
  check((await say(h, seen)).status === 200, 'said again');
  books('while somebody\'s word waits');
  await staff('checker', 'checker password');
  await visit(page, `${h.web}/#/payouts`);
  await id('payout-paid').click();
  check(await id('payout-amount').inputValue() === '1.07' && await id('payout-go').isDisabled(), 'another one sees the word, and must say why');
  await id('payout-note').fill('已核对');
  await id('payout-go').click();
  await until('it is settled', async () => (await returned(odd)).state === SETTLED);
  const sure = await returned(odd);
  check(sure.state === SETTLED && sure.amount === '-1.07' && sure.claim === '1.07', `that came back: ${JSON.stringify(sure)}`);
  check((await say(second, seen)).status === 409, 'once');
  const log = (await h.must('GET', '/api/v1/audit?limit=200')).items;
  check(log.filter((a) => a.action === 'payout.decide' && a.object === unsure.id && a.outcome === 0).length >= 4 && log.some((a) => a.action === 'return.amount' && a.object === unsure.id), 'the audit has each word, and what was asked for');
  const home = await partner.must('GET', '/api/v1/partner');
  check(home.pending === '0.00' && units(home.debt) === 7300, `he owes what did not come back: ${JSON.stringify(home)}`); // 1.80 × 3 − 0.72 × 4 − 0.72 − 1.07
  const accounts = (await h.must('GET', '/api/v1/accounts?kind=10&limit=200')).items;
  for (const till of tills) {
    const ours = accounts.filter((a) => a.owner === till.channel_id).reduce((n, a) => n - units(a.balance), 0), theirs = ((await till.state()).balance[0] - 100000000) * 100;
    check(ours === theirs, `${till.name}: ours ${ours}, theirs ${theirs}`);
  }
  books('after the returns');

  // ---- the bill is fetched, or not: each fault is told apart ----
  const date = new Date(Date.now() + 8 * 3600e3).toISOString().slice(0, 10), day = Number(date.replaceAll('-', ''));
  const next = Number(new Date(Date.UTC(Math.floor(day / 10000), Math.floor(day / 100) % 100 - 1, day % 100 + 1)).toISOString().slice(0, 10).replaceAll('-', ''));
  const trade = fetched(clean, date), oddTrade = fetched(part, date), shares = fetched(clean, date, 'shares'), oddShares = fetched(part, date, 'shares');
  check([trade, oddTrade, shares, oddShares].every((f) => f.status === 0), `fetched: ${trade.stderr}${oddTrade.stderr}${shares.stderr}${oddShares.stderr}`);
  check(!/share/.test(trade.stdout) && /分账回退/.test(shares.stdout) && /解冻/.test(shares.stdout) && /^分账时间/.test(shares.stdout), `one bill has the shares, unpacked: ${shares.stdout}`);
  check(fetched(clean, date, 'nonsense').status === 2 && fetched(clean, '2026-01-01', 'shares').status === 1, 'nonsense, and a day without one');
  const cuts = [];
  for (const [fault, status, text] of [['bill-early', 1, /.../], ['bill-made', 70, /.../], ['bill-hash', 70, /.../], ['error', 70, /.../], ['timeout', 70, /.../], ['bill-cut', 0, /^$/]]) {
    await again(clean, `${fault}=100`);
    const f = fetched(clean, date, 'shares');
    check(f.status === status && text.test(f.stderr) && (status === 0 || f.stdout === ''), `${fault}: ${f.status} ${f.stderr}`);
    if (status === 0) cuts.push(f.stdout);
  }
  await again(clean, '');
  check(fetched(clean, date, 'shares').stdout === shares.stdout, 'and after all of them it is what it was');

  // ---- the day ends ----
  await h.kill('SIGTERM');
  h.options.set['demo.speed'] = 100000;
  await h.start();
  await h.login(...admin);
  const figures = async (till, of = day) => {
    const r = await h.ask('GET', `/api/v1/channels/${till.channel_id}/close?day=${of}`);
    if (r.status === 401) await h.login(...admin);
    return r.status === 200 ? r.body : null;
  };
  await until('the day is over, and the next', async () => (await figures(clean, next))?.over, 120000, 50);
  await until('the books are of the day after', async () => {
    const r = await h.ask('POST', `/api/v1/drivers/${w.driver}/topups`, { amount: '0.01', note: 'a day later' });
    if (r.status === 401) await h.login(...admin);
    return r.status < 300;
  }, 60000, 50);
  await h.kill('SIGTERM');
  h.options.set['demo.speed'] = 2;
  await h.start();
  await h.login(...admin);

  // ---- bad bills: a clear error, no effect ----
  const put = (till, csv, { kind = 1, of = day, more = '' } = {}) => h.ask('POST', `/api/v1/channels/${till.channel_id}/bill?day=${of}&kind=${kind}${more}`, csv, raw);
  const good = shares.stdout, lines = good.trimEnd().split('\n');
  const bad = { 'a changed column': [good.replace('商户分账/回退单号', '单号'), 422], 'no amounts': [good.replace(',金额,', ',金额(分),'), 422], 'cut off': [lines.slice(0, -2).join('\n'), 400],
    'cut off by the provider': [cuts[0], 400], 'a row short': [[lines[0], ...lines.slice(2)].join('\n'), 400], 'a row wider than the header': [good.replace('处理成功', '处理成功,x'), 400],
    'of a later day': [good.replace(date, '2100-01-01'), 409], 'a time that is none': [good.replace(date, 'yesterday'), 400],
    'an amount that is none': [good.replace('`1.08', '`ten'), 400], 'half a fen': [good.replace('`1.08', '`1.085'), 422], 'a type that is not known': [good.replace('分账回退', '差错'), 422],
    'the bill of payments': [trade.stdout, 422], empty: ['', 400], 'of another channel': [oddShares.stdout, 409] };
  for (const [why, [csv, status]] of Object.entries(bad)) {
    const r = await put(clean, csv);
    check(r.status === status && r.body.detail, `a bill of shares, ${why}, is refused: ${r.status} ${JSON.stringify(r.body)}`);
  }
  check((await put(clean, good, { kind: 2 })).status === 422 && (await put(clean, good, { of: 20260230 })).status === 422 && (await put(clean, good, { of: 22000101 })).status === 409, 'no such kind, no such day, not over');
  const before = await put(clean, good, { of: next });
  check(before.status === 409 && /another day/.test(before.body.detail), `nor the bill of the day before: ${JSON.stringify(before.body)}`);
  check((await put(clean, good, { kind: 0 })).status === 422, 'nor is it the bill of payments');
  const bank = (await h.must('POST', '/api/v1/channels', { kind: 2, name: '支付宝', url: '', app: '', merchant: '', keys: '', fee_bp: 0, state: 0 })).id;
  check((await put({ channel_id: bank }, good)).status >= 400, 'only WeChat Pay has one');
  check((await put(clean, good, { more: '&try=1' })).body.matched === lines.length - 3, 'a try compares');
  check((await h.must('GET', '/api/v1/bills')).items.length === 0 && (await h.must('GET', '/api/v1/diffs')).items.length === 0, 'none of them had an effect');

  // ---- both bills of a day on which nothing differs ----
  const close = (till, of = day) => h.ask('POST', `/api/v1/channels/${till.channel_id}/close`, { day: of });
  const first = (await put(clean, trade.stdout, { kind: 0 })).body;
  check(first.rows === 8 && first.matched === 8 && first.items.length === 0, `payments, what was too much of them, and refunds: ${JSON.stringify(first)}`);
  const waits = await figures(clean), early = await close(clean);
  check(waits.missing === day && waits.missing_kind === 1 && !waits.ready, `the day waits for the other bill: ${JSON.stringify(waits)}`);
  check(early.status === 409 && /shares/.test(early.body.detail), `and says so: ${JSON.stringify(early.body)}`);
  await staff(...admin);
  await page.goto(`${h.web}/#/recon`);
  await id('day-close').first().click();
  check((await id('close-why').innerText()).includes('分账账单') && await id('close-go').isDisabled(), 'the page says so, too');
  await page.keyboard.press('Escape');
  writeFileSync(join(h.dir, 'shares.csv'), good);
  await id('bill-open').click();
  await id('bill-channel').click();
  await page.locator('.el-select-dropdown__item', { hasText: 'clean-wechat' }).click();
  await id('bill-kind-shares').click();
  await page.locator('[data-testid=bill-form] .el-date-editor input').fill(date);
  await page.keyboard.press('Enter');
  await id('bill-file').setInputFiles(join(h.dir, 'shares.csv'));
  await id('form-save').click();
  await id('bill-shares').waitFor();
  const report = (await put(clean, good)).body;
  check(report.rows === 7 && report.matched === 7 && units(report.gave) === 3 * 10800 && units(report.took) === 7200 && units(report.fees) === 0, `three shares, one that came back, what was set free: ${JSON.stringify(report)}`);
  check((await h.must('GET', '/api/v1/bills')).items.some((b) => b.kind === 1 && b.rows === 7 && b.matched === 7), 'imported by the page');
  check((await put(clean, good.replace('`1.08', '`1.09'))).status === 409, 'the same file again has no effect, another one is refused');
  check((await h.must('GET', '/api/v1/bills')).items.map((b) => b.kind).sort().join() === '0,1', 'both are in the list');
  const whole = await figures(clean);
  check(whole.ready && units(whole.off) === 0 && units(whole.lines) === 0, `it explains itself: ${JSON.stringify(whole)}`);
  check((await close(clean)).status === 200, 'closed');
  books('after a day that agrees');

  // ---- the other channel's: another amount, one that is missing, one that nobody knows ----
  const mine = oddShares.stdout.trimEnd().split('\n'), sum = mine.slice(-2), rows = mine.slice(1, -2);
  const gone = rows.find((r) => r.includes('分账回退'));
  const other = [mine[0], ...rows.filter((r) => r !== gone).map((r) => r.replace(',`1.08,`分账,', ',`1.18,`分账,')),
    rows.find((r) => /,`分账,/.test(r)).replace(/`S\d+/, '`S999').replace('`1.08', '`0.50'), sum[0]].concat(`\`${rows.length}`).join('\n');
  await put(part, oddTrade.stdout, { kind: 0 });
  const differs = (await put(part, other)).body;
  check(differs.rows === 3 && differs.matched === 1 && differs.amount === 1 && differs.theirs_only === 1 && differs.ours_only + differs.day_cut === 1, `each has its class: ${JSON.stringify(differs)}`);
  const diffs = async (state = 0) => (await h.must('GET', `/api/v1/diffs?state=${state}&limit=200`)).items;
  const suspense = async () => (await h.must('GET', '/api/v1/accounts?kind=9&limit=200')).items.reduce((s, a) => s + units(a.balance), 0);
  check(await suspense() === -6000, `what it gave beyond is on suspense: ${await suspense()}`);
  const by = Object.fromEntries((await diffs()).map((x) => [x.class, x])), lost = (await diffs()).find((x) => x.state === 1);
  check(by[1].kind === SHARED && by[1].no.startsWith('W') && by[4].no === 'S999' && lost.kind === RETURNED && lost.of_row === unsure.id && lost.ours === '1.07', `ours and theirs: ${JSON.stringify(await diffs())}`);
  check((await close(part)).status === 409, 'nobody looks after them');
  const people = (await h.must('GET', '/api/v1/people')).items, checker = h.client();
  await checker.login('checker', 'checker password');
  const decide = (who, x, body) => who.ask('POST', `/api/v1/diffs/${x.id}/decide`, body);
  for (const x of [by[1], by[4]]) {
    check((await decide(h, x, { act: 3, way: 2, target: odd.id })).status >= 400, 'it is no payment of a driver');
    check((await decide(h, x, { act: 3, way: 3, note: '渠道多分' })).status === 200 && (await decide(checker, x, { act: 4 })).status === 200, 'a loss, by two people');
  }
  check((await decide(h, lost, { act: 1, owner: people.find((p) => p.login === 'checker').id })).status === 200 && await suspense() === 0, 'the last has an owner');
  const ready = await figures(part);
  check(ready.ready && units(ready.lines) === 10700, `but for what the next bill has: ${JSON.stringify(ready)}`);
  check((await close(part)).status === 200, 'closed');
  books('after a day that differs');

  // ---- the next day's bill has it, and one again that it had ----
  const tomorrow = `${String(next).slice(0, 4)}-${String(next).slice(4, 6)}-${String(next).slice(6)}`;
  const late = [mine[0], gone.replace(date, tomorrow), rows.find((r) => /,`分账,/.test(r)), sum[0], '`2'].join('\n');
  const found = (await put(part, late, { of: next })).body;
  check(found.rows === 2 && found.theirs_only === 1 && found.day_cut === 1 && found.matched === 0, `the next day: ${JSON.stringify(found)}`);
  const paired = (await diffs(3)).find((x) => x.id === lost.id);
  check(paired.way === 7 && paired.theirs_day === next, `both halves are one: ${JSON.stringify(paired)}`);
  check(await suspense() === -10800, 'what it has twice is on suspense');
  books('at the end');
} catch (e) {
  check(false, e.stack);
  console.log(h.log.split('\n').slice(-30).join('\n'));
} finally {
  await browser?.close();
  await h.end();
  for (const till of tills) till.end();
}
finish();
