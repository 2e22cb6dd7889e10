// SPDX-License-Identifier: Apache-2.0
// invoice.mjs: from paid orders to paper and back, in real headless Chromium: a driver asks for an invoice on the phone, staff hand the file to the tax
// system and take its numbers back, a refund makes a red invoice that goes the same way; then what the month brought: the reports of stations and revenue
// are worked out again here from orders, parts of splits and days. `even check` is content after each step. SHOTS=folder keeps screenshots.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { charge } from './charger.mjs';
import { check, main, until, visit } from './house.mjs';

const shots = process.env.SHOTS;
const units = (text) => Math.round(Number(String(text).replace('−', '-').replace(/[^0-9.-]/g, '')) * 10000);
/** Net in whole fen, half up, away from zero: with integers only. */
const net = (gross, bp) => {
  const g = BigInt(Math.abs(gross)), d = BigInt(10000 + bp) * 100n;
  const fen = (2n * g * 10000n + d) / (2n * d);
  return Number(fen * 100n) * Math.sign(gross);
};
/** Records of a CSV without quoted line breaks. */
const csv = (text) => {
  const lines = text.replace(/^\ufeff/, '').trim().split('\r\n').map((l) => [...l.matchAll(/("([^"]|"")*"|[^,]*)(,|$)/g)].slice(0, -1).map((m) => m[1].replace(/^"|"$/g, '').replaceAll('""', '"')));
  const heads = lines[0];
  return lines.slice(1).map((l) => Object.fromEntries(heads.map((k, i) => [k, l[i] ?? ''])));
};

await main(async (h) => {
  await h.setup();
  const w = await h.world({ balance: '200.00', elec_e5: 8000000, service_e5: 4000000 });
  const station = await h.ask('GET', `/api/v1/stations/${w.station}`);
  await h.must('PUT', `/api/v1/stations/${w.station}`, { ...station.body, id: undefined, tax_bp: 1300, tax_service_bp: 600 }, { 'if-match': station.headers.get('etag') });
  const driver = h.client();
  const login = async (c, phone) => { const sent = await c.must('POST', '/api/v1/driver/code', { phone }); c.csrf = (await c.must('POST', '/api/v1/driver/login', { phone, code: sent.demo_code })).csrf; };
  await login(driver, '13800138000');
  const books = (when) => { const b = h.check(); check(b.code === 0, `books ${when}: ${b.text}`); };
  const orders = [await charge(h, driver, w, { cap: '50.00', wh: 31 }), await charge(h, driver, w, { cap: '50.00', wh: 17 }), await charge(h, driver, w, { cap: '50.00', wh: 23 })];
  const paid = {};
  for (const o of orders) paid[o] = units((await h.must('GET', `/api/v1/orders/${o}`)).order.paid);
  check(paid[orders[0]] === 37200 && paid[orders[1]] === 20400 && paid[orders[2]] === 27600, `3.72, 2.04 and 2.76 were paid: ${JSON.stringify(paid)}`);
  await h.must('POST', `/api/v1/orders/${orders[1]}/refund`, { amount: '0.05', note: 'before' });
  const open = await driver.must('GET', '/api/v1/me/invoiceable');
  check(open.items.length === 3 && units(open.items.find((o) => o.id === orders[1]).amount) === 19900, 'what was given back is not invoiceable');

  // ---- bad input: a clear error, no effect ----
  const stranger = h.client();
  await login(stranger, '13900139000');
  const good = { orders: [orders[0]], buyer: 2, title: '上海某某科技有限公司', tax_no: '91310000MA1FL0000X', email: 'fp@example.com' };
  const bad = [
    ['no orders', driver, { ...good, orders: [] }, [400, 422]],
    ['too many', driver, { ...good, orders: Array(51).fill(orders[0]) }, [400, 413, 422]],
    ['an order twice', driver, { ...good, orders: [orders[0], orders[0]] }, 422],
    ['an order that is none', driver, { ...good, orders: ['12345'] }, 404],
    ['somebody else\'s order', stranger, good, 404],
    ['no title', driver, { ...good, title: '' }, [400, 422]],
    ['a company without a tax number', driver, { ...good, tax_no: undefined }, 422],
    ['a tax number that is none', driver, { ...good, tax_no: '123' }, 400],
    ['a person with a tax number', driver, { ...good, buyer: 1 }, 422],
    ['a kind that is none', driver, { ...good, buyer: 3 }, [400, 422]],
    ['an address that is none', driver, { ...good, email: 'nobody' }, 400],
    ['staff on the driver\'s page', h, good, 403],
  ];
  for (const [what, who, body, want] of bad) {
    const r = await who.ask('POST', '/api/v1/me/invoices', body);
    check([want].flat().includes(r.status), `${what}: ${r.status} ${JSON.stringify(r.body)}`);
  }
  check((await driver.ask('GET', '/api/v1/invoices')).status === 403, 'drivers do not see what others asked for');
  await h.must('POST', '/api/v1/people', { login: 'viewer', name: 'V', password: 'viewer password', role: 5, party: '0', state: 0 });
  const viewer = h.client();
  await viewer.login('viewer', 'viewer password');
  check((await viewer.ask('GET', '/api/v1/invoices/file')).status === 403, 'files with names are not for who only looks on');
  check((await h.must('GET', '/api/v1/invoices')).items.length === 0, 'nothing came of it');

  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  try {
    const id = (p, name) => p.locator(`[data-testid="${name}"]`);
    const shot = async (p, name) => { if (shots) { mkdirSync(shots, { recursive: true }); await p.waitForTimeout(400); await p.screenshot({ path: join(shots, `${name}.png`), fullPage: true }); } };
    const page = async (width, height, locale = 'zh-CN') => {
      const p = await (await browser.newContext({ viewport: { width, height }, locale })).newPage();
      p.on('pageerror', (e) => check(false, `page error: ${e.message}`));
      return p;
    };
    const desk = await page(1500, 900);
    await desk.goto(`${h.web}/`);
    await desk.locator('input[name=login]').fill('admin');
    await desk.locator('input[name=password]').fill('correct horse battery');
    await id(desk, 'login-submit').click();
    await desk.waitForURL(/#\/(?!login)/);

    // ---- the driver asks on the phone: two orders at once ----
    const phone = await page(390, 844);
    await phone.context().addCookies([{ name: driver.cookie.split('=')[0], value: driver.cookie.slice(driver.cookie.indexOf('=') + 1), url: h.web }]);
    await phone.goto(`${h.web}/d#/wallet`);
    await id(phone, 'wallet-invoices').click();
    await id(phone, 'invoice-ask').click();
    await id(phone, 'invoice-pick').first().waitFor();
    check(await id(phone, 'invoice-pick').count() === 3, 'three orders may be chosen');
    check(await id(phone, 'invoice-go').isDisabled(), 'nothing is chosen yet');
    await id(phone, 'invoice-pick').nth(2).click(); // the newest stands first
    await id(phone, 'invoice-pick').nth(1).click();
    const field = (name) => phone.locator(`[data-testid="${name}"] input`);
    await field('invoice-title').fill('上海某某科技有限公司');
    await field('invoice-taxno').fill('91310000');
    check(await id(phone, 'invoice-go').isDisabled(), 'a short tax number is told before it is sent');
    await field('invoice-taxno').fill('91310000MA1FL0000X');
    await field('invoice-email').fill('fp@example.com');
    check(units((await id(phone, 'invoice-sum').innerText()).split(/共|orders/)[1]) === 57100, 'the sum of both');
    await shot(phone, 'invoice-1-ask');
    await id(phone, 'invoice-go').click();
    await id(phone, 'invoice-state').waitFor();
    check(units(await id(phone, 'invoice-amount').innerText()) === 57100, '5.71 are asked for');
    await shot(phone, 'invoice-2-asked');
    const invoice = (await h.must('GET', '/api/v1/invoices')).items[0];
    const masked = (await viewer.must('GET', '/api/v1/invoices')).items[0];
    check(invoice.title === good.title && masked.title === '上**' && masked.tax_no === '****000X' && masked.email === '',
      `whose it is is not for who only looks on: ${masked.title} ${masked.tax_no}`);
    check((await driver.must('GET', '/api/v1/me/invoices')).items[0].title === good.title, 'but for himself');
    books('after the request');
    check((await driver.ask('POST', '/api/v1/me/invoices', good)).status === 409, 'an order is invoiced once');
    const story = await h.must('GET', `/api/v1/invoices/${invoice.id}`);
    for (const l of story.lines)
      check(units(l.net) === net(units(l.amount), l.tax_bp) && units(l.net) + units(l.tax) === units(l.amount), `tax of line ${l.seq} is exact: ${JSON.stringify(l)}`);
    check(JSON.stringify(story.lines.map((l) => l.tax_bp)) === '[1300,600]', 'electricity and service have their own rates');

    // ---- one is rejected, with its reason; then asked for again and taken back ----
    const second = await driver.must('POST', '/api/v1/me/invoices', { ...good, orders: [orders[2]], buyer: 1, tax_no: undefined, title: '李四' });
    check((await h.ask('POST', `/api/v1/invoices/${second.id}/decide`, { act: 3 })).status === 422, 'a rejection has a reason');
    await h.must('POST', `/api/v1/invoices/${second.id}/decide`, { act: 3, note: '抬头有误' });
    check((await driver.must('GET', `/api/v1/me/invoices/${second.id}`)).invoice.note === '抬头有误', 'the driver reads why');
    const third = await driver.must('POST', '/api/v1/me/invoices', { ...good, orders: [orders[2]], buyer: 1, tax_no: undefined, title: '李四' });
    check((await stranger.ask('POST', `/api/v1/me/invoices/${third.id}/cancel`)).status === 404, 'nobody takes back what is not his');
    await driver.must('POST', `/api/v1/me/invoices/${third.id}/cancel`);
    check((await driver.ask('POST', `/api/v1/me/invoices/${third.id}/cancel`)).status === 409, 'once');
    const fourth = await driver.must('POST', '/api/v1/me/invoices', { ...good, orders: [orders[2]], buyer: 1, tax_no: undefined, title: '=李四' });
    books('after a rejection');

    // ---- staff hand it out and take the numbers back ----
    await desk.goto(`${h.web}/#/invoices`);
    await until('two requests wait', async () => (await id(desk, 'inv-export').innerText()).includes('2'));
    await shot(desk, 'invoice-3-requests');
    const [file] = await Promise.all([desk.waitForEvent('download'), id(desk, 'inv-export').click()]);
    const lines = csv(readFileSync(await file.path(), 'utf8'));
    check(lines.length === 4 && lines.every((l) => l.kind === 'blue'), `a row a tax line: ${JSON.stringify(lines)}`);
    for (const v of [invoice.id, fourth.id]) {
      const mine = lines.filter((l) => l.invoice === v);
      const sum = (k) => mine.reduce((s, l) => s + units(l[k]), 0);
      check(sum('amount') === sum('net') + sum('tax') && sum('amount') === (v === invoice.id ? 57100 : 27600), 'the file adds up');
      check(mine.map((l) => l.tax_rate).join() === '0.13,0.06' && mine.map((l) => l.item).join() === '电费,充电服务费', 'with items and rates');
    }
    check(lines.some((l) => l.title === "'=李四"), 'no cell is a formula');
    check((await driver.ask('POST', `/api/v1/me/invoices/${invoice.id}/cancel`)).status === 409, 'what is handed out is not taken back');
    const issued = async (rows) => (await h.must('POST', '/api/v1/invoices/issued', 'invoice,amount,result,number,issued_on,note\r\n' + rows, { 'content-type': 'text/csv' })).items;
    for (const [what, text, want] of [['no header', '', 422], ['a missing column', 'invoice,amount,result,number,issued_on\r\n', 422],
      ['another column', 'invoice,amount,result,number,issued_on,remark\r\n', 422], ['no number of ours', 'invoice,amount,result,number,issued_on,note\r\nx,1.00,issued,1,2026-01-01,\r\n', 400],
      ['a word that is none', `invoice,amount,result,number,issued_on,note\r\n${invoice.id},5.71,done,1,2026-01-01,\r\n`, 422]]) {
      const r = await h.ask('POST', '/api/v1/invoices/issued', text, { 'content-type': 'text/csv' });
      check(r.status === want, `${what}: ${r.status}`);
    }
    const tries = await issued([`${invoice.id},5.72,issued,24312000000012345678,2026-01-01,`, `99,5.71,issued,1,2026-01-01,`, `${invoice.id},5.71,issued,,2026-01-01,`,
      `${invoice.id},5.71,issued,1,2026-02-30,`, `${invoice.id},5.71,,1,2026-01-01,`].join('\r\n'));
    check(tries.map((r) => r.outcome).join() === 'refused,refused,refused,refused,skipped', `bad rows do nothing: ${JSON.stringify(tries)}`);
    const result = join(h.dir, 'issued.csv');
    writeFileSync(result, `invoice,amount,result,number,issued_on,note\r\n${invoice.id},5.71,issued,24312000000012345678,2026-01-01,\r\n${fourth.id},2.76,issued,24312000000012345678,2026-01-01,\r\n`);
    await id(desk, 'inv-file').setInputFiles(result);
    await id(desk, 'inv-refused').waitFor();
    check((await id(desk, 'inv-refused').innerText()).includes(fourth.id), 'a number is used once');
    await shot(desk, 'invoice-4-imported');
    const row = desk.locator('tr', { hasText: '=李四' }).first();
    await row.locator('[data-testid=inv-issue]').click();
    check(await id(desk, 'inv-go').isDisabled(), 'issued needs a number');
    await id(desk, 'inv-number').fill('24312000000012345679');
    await shot(desk, 'invoice-5-issue');
    await id(desk, 'inv-go').click();
    await until('both are issued', async () => (await h.must('GET', '/api/v1/invoices?state=3')).items.length === 2);
    books('after they were issued');

    // ---- a refund: red, exported, issued ----
    await h.must('POST', `/api/v1/orders/${orders[0]}/refund`, { amount: '1.00', note: '充电中断' });
    const red = (await h.must('GET', '/api/v1/invoices?state=1')).items[0];
    check(red?.red_of === invoice.id && units(red.amount) === -10000 && red.note === '充电中断', `a red request for the refund: ${JSON.stringify(red)}`);
    const parts = (await h.must('GET', `/api/v1/orders/${orders[0]}`)).parts.filter((p) => units(p.amount) < 0);
    const redStory = await h.must('GET', `/api/v1/invoices/${red.id}`);
    for (const l of redStory.lines) {
      const took = parts.filter((p) => p.fee_kind === l.kind).reduce((s, p) => s + units(p.amount), 0);
      check(Math.abs(units(l.amount) - took) < 200, `line ${l.kind} is what the refund took, in whole fen: ${l.amount} of ${took}`);
      check(units(l.amount) === units(l.net) + units(l.tax), 'and adds up');
    }
    check((await h.ask('POST', `/api/v1/invoices/${red.id}/decide`, { act: 3, note: 'no' })).status === 409, 'a refund is not rejected');
    books('with a red request');
    const csvText = await (async () => { const r = await h.ask('POST', '/api/v1/invoices/file?lang=en', undefined); check(r.status === 200, `exported: ${r.status}`); return r.body; })();
    const redLines = csv(csvText);
    check(redLines.every((l) => l.kind === 'red' && l.red_of_number === '24312000000012345678') && redLines.reduce((s, l) => s + units(l.amount), 0) === -10000, `the red file: ${csvText}`);
    check(csv(await (await h.ask('GET', '/api/v1/invoices/file?state=2')).body).length === redLines.length, 'exported ones may be fetched again');
    check((await issued(`${red.id},-1.00,issued,24312000000099999999,2026-01-02,\r\n`))[0].outcome === 'issued', 'the red number is taken');
    await desk.reload();
    await desk.locator('tr', { hasText: '24312000000012345678' }).locator('[data-testid=inv-show]').last().click();
    await id(desk, 'inv-drawer').waitFor();
    await shot(desk, 'invoice-6-drawer');
    await visit(phone, `${h.web}/d#/invoices`);
    await id(phone, 'invoice-row').first().waitFor();
    await shot(phone, 'invoice-7-phone');
    books('after the red one');

    // ---- a wrong title: the whole paper is taken back, then asked for again ----
    await h.must('POST', `/api/v1/invoices/${fourth.id}/decide`, { act: 5, note: '抬头错误' });
    check((await driver.ask('POST', '/api/v1/me/invoices', { ...good, orders: [orders[2]] })).status === 409, 'not before the red one is issued');
    const whole = (await h.must('GET', '/api/v1/invoices?state=1')).items[0];
    await h.must('POST', `/api/v1/invoices/${whole.id}/decide`, { act: 2, number: '24312000000088888888', issued_on: 20260102 });
    await driver.must('POST', '/api/v1/me/invoices', { ...good, orders: [orders[2]] });
    books('after a reversal');

    // ---- what the month brought ----
    const settled = (await h.must('GET', `/api/v1/orders/${orders[0]}`)).order.settled_ms;
    const day = new Date(settled + 8 * 3600000), month = day.getUTCFullYear() * 100 + day.getUTCMonth() + 1;
    for (const [body, want] of [[{ kind: 5, amount: '1.00' }, [400, 422]], [{ kind: 1, amount: '-1.00' }, 422], [{ kind: 1, amount: '1.00', month: 202613 }, 422],
      [{ kind: 1, amount: '1.00', station: '77' }, 404]]) {
      const r = await h.ask('POST', '/api/v1/reports/costs', { station: w.station, month, ...body });
      check([want].flat().includes(r.status), `bad cost ${JSON.stringify(body)}: ${r.status}`);
    }
    check((await viewer.ask('POST', '/api/v1/reports/costs', { station: w.station, month, kind: 1, amount: '1.00' })).status === 403, 'who looks on enters nothing');
    for (const q of ['month=202613', 'month=5']) check((await h.ask('GET', `/api/v1/reports/stations?${q}`)).status === 422, `no month: ${q}`);
    check((await h.ask('GET', '/api/v1/reports/revenue?from=202601&to=202512')).status === 422, 'from after to');
    check((await h.ask('GET', '/api/v1/reports/revenue?from=202401&to=202512')).status === 422, 'too many months');
    await desk.goto(`${h.web}/#/profit`);
    await id(desk, 'profit-cost').click();
    await id(desk, 'cost-amount').fill('1.50');
    await shot(desk, 'invoice-8-cost');
    await id(desk, 'form-save').click();
    await until('the cost is entered', async () => (await h.must('GET', `/api/v1/reports/costs?month=${month}`)).items.length === 1);
    await h.must('POST', '/api/v1/reports/costs', { station: w.station, month, kind: 2, amount: '2.00', note: '租金' });
    await h.must('POST', '/api/v1/reports/costs', { station: w.station, month, kind: 2, amount: '0.25', note: '租金' });
    await h.must('POST', '/api/v1/reports/costs', { station: w.station, month, kind: 3, amount: '9.00' });
    await h.must('POST', '/api/v1/reports/costs', { station: w.station, month, kind: 3, amount: '0.00' });
    const report = await h.must('GET', `/api/v1/reports/stations?month=${month}`);
    const s = report.rows.find((x) => x.station === w.station);
    // Worked out again from the orders themselves.
    const all = await Promise.all(orders.map((o) => h.must('GET', `/api/v1/orders/${o}`)));
    const sum = (f) => all.reduce((n, o) => n + f(o), 0);
    const ofParts = (f) => sum((o) => o.parts.filter(f).reduce((n, p) => n + units(p.amount), 0));
    const days = (await h.must('GET', `/api/v1/stats/days?from=${month}01&to=${month}31`)).items;
    check(units(s.elec) === sum((o) => units(o.elec)) && units(s.elec) === days.reduce((n, d) => n + units(d.elec), 0), 'billed electricity is that of the orders and of the days');
    check(units(s.service) === sum((o) => units(o.service)) && units(s.paid) === sum((o) => units(o.order.paid)), 'so are service and what was paid');
    check(units(s.partners) === ofParts((p) => p.party === w.owner), `the partner's share is that of the parts: ${s.partners}`);
    check(units(s.own) === ofParts((p) => p.party !== w.owner), 'so is our own');
    check(units(s.back) === 10500 && units(s.moved) === 0, `1.05 were given back: ${s.back}`);
    check(units(s.paid) + units(s.moved) - units(s.back) === units(s.own) + units(s.partners), 'both sides agree');
    check(units(s.result) === units(s.own) - 15000 - 2500 && units(s.cost_maintenance) === 0, `the last entry counts, 0 takes it away: ${s.result}`);
    check(s.shares.length === 2 && s.shares.every((x) => units(x.shares) - units(x.back) === ofParts((p) => p.party === x.party)), 'share by share');
    const revenue = (await h.must('GET', `/api/v1/reports/revenue?from=${month}&to=${month}`)).items[0];
    const kinds = [1, 2].map((k) => ({ k, bp: k === 1 ? 1300 : 600, gross: ofParts((p) => p.fee_kind === k), own: ofParts((p) => p.fee_kind === k && p.party !== w.owner) }));
    const tax = (f) => kinds.reduce((n, x) => n + f(x) - net(f(x), x.bp), 0);
    check(units(revenue.gross) === sum((o) => units(o.order.paid)) - 10500 && units(revenue.gross_tax) === tax((x) => x.gross), `gross and its tax: ${JSON.stringify(revenue)}`);
    check(units(revenue.own) === units(s.own) && units(revenue.own_tax) === tax((x) => x.own) && units(revenue.own_net) === units(revenue.own) - units(revenue.own_tax), 'net and its tax');
    await desk.reload();
    await until('the page has the result', async () => units(await id(desk, 'profit-result').first().innerText()) === units(s.result));
    await desk.locator('.el-table__expand-icon').first().click();
    await shot(desk, 'invoice-9-profit');
    for (const name of ['profit', 'revenue']) {
      const [sheet] = await Promise.all([desk.waitForEvent('download'), id(desk, `${name}-xlsx`).click()]);
      const bytes = readFileSync(await sheet.path());
      check(bytes.toString('latin1').startsWith('PK'), `${name} as a workbook`);
      if (shots) writeFileSync(join(shots, `${name}.xlsx`), bytes);
    }
    if (shots) {
      const english = await page(1500, 900, 'en-GB');
      await english.context().addCookies(await desk.context().cookies());
      for (const name of ['invoices', 'profit']) {
        await english.goto(`${h.web}/#/${name}`);
        await english.waitForTimeout(700);
        await shot(english, `invoice-en-${name}`);
      }
    }

    // ---- and after a restart all is as it was ----
    const before = JSON.stringify((await h.must('GET', '/api/v1/invoices')).items);
    await h.kill('SIGKILL');
    await h.start();
    check(JSON.stringify((await h.must('GET', '/api/v1/invoices')).items) === before, 'invoices survive a kill');
    await h.must('POST', `/api/v1/orders/${orders[0]}/refund`, { amount: '2.72', note: 'the rest' });
    const rest = (await h.must('GET', `/api/v1/invoices/${invoice.id}`));
    check(units(rest.invoice.back) === 37200 && rest.reds.length === 2, 'the rest of the order is taken back too');
    const off = rest.reds.reduce((n, r) => n + units(r.tax), 0);
    check(off < 0 && -off <= units(rest.invoice.tax), 'no more tax than it had');
    books('at the end');
    const personal = (await h.must('GET', '/api/v1/audit?limit=200')).items.map((a) => a.detail).join(' ');
    check(!personal.includes('91310000') && !personal.includes('example.com'), 'the audit log tells no tax number and no address');
  } finally {
    await browser.close();
  }
}, { demo: true, set: {} });
