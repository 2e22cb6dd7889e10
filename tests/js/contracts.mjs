// SPDX-License-Identifier: Apache-2.0
// contracts.mjs: a contract with clauses, as the people who sign it see it, in real headless Chromium: staff write purchased electricity and an agent
// into a new version and try it over this month's orders before they save it; the next order is divided by it, refunded and found right by `even check`;
// the owner's phone says its clauses in words. Before that everything that no contract may say is refused with what is wrong. SHOTS=folder keeps screenshots.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { charge } from './charger.mjs';
import { check, enter, main, until } from './house.mjs';
import { stories } from './stories.mjs';

const shots = process.env.SHOTS;
const units = (text) => Math.round(Number(String(text).replace('−', '-').replace(/[^0-9.-]/g, '')) * 10000);
const monthOf = (ms) => { const d = new Date(ms + 8 * 3600000); return d.getUTCFullYear() * 100 + d.getUTCMonth() + 1; };

await main(async (h) => {
  await h.setup();
  const w = await h.world({ balance: '200.00', elec_e5: 8000000, service_e5: 4000000 });
  const self = (await h.must('GET', '/api/v1/parties')).items.find((p) => p.kind === 1).id;
  const grid = (await h.must('POST', '/api/v1/parties', { kind: 4, name: 'Grid', state: 0 })).id;
  const agent = (await h.must('POST', '/api/v1/parties', { kind: 3, name: 'Agent', state: 0 })).id;
  const driver = h.client();
  const sent = await driver.must('POST', '/api/v1/driver/code', { phone: '13800138000' });
  driver.csrf = (await driver.must('POST', '/api/v1/driver/login', { phone: '13800138000', code: sent.demo_code })).csrf;
  const order = await charge(h, driver, w, { cap: '100.00', wh: 30 });
  const month = monthOf(Date.now());
  const of = (list, party, key = 'amount') => list.filter((p) => p.party === party).reduce((s, p) => s + units(p[key]), 0);
  const books = (when) => { const b = h.check(); check(b.code === 0, `books ${when}: ${b.text}`); };

  // ---- what no contract may say, told with its place ----
  const base = { family: w.contract, name: 'clauses', from_ms: Date.now(), unit: 1, parties: [{ party: self, lines: 7, ratio: 5 }, { party: w.owner, lines: 7, ratio: 5 }] };
  const had = (await h.must('GET', '/api/v1/contracts')).items.length;
  const agentOf = (party, parent, rate = 2000) => ({ kind: 4, party, parent, lines: 7, rate });
  const bad = [
    ['a party of nobody', { clauses: [{ kind: 3, party: '12345', lines: 7, rate: 100 }] }, 404, '/clauses/0'],
    ['a parent of nobody', { clauses: [agentOf(agent, '12345')] }, 404, '/clauses/0'],
    ['percentages over all', { clauses: [{ kind: 3, party: grid, lines: 1, rate: 6000 }, { kind: 3, party: agent, lines: 3, rate: 4001 }] }, 422, '/clauses/1'],
    ['agents in a circle', { clauses: [agentOf(agent, grid), agentOf(grid, agent)] }, 409, '/clauses/0'],
    ['an agent with a ratio', { clauses: [agentOf(w.owner, self)] }, 409, '/clauses/0'],
    ['a tier of another sum', { clauses: [{ kind: 5, party: w.owner, lines: 7, rate: 6, above: '100.00' }] }, 422, '/clauses'],
    ['a guarantee above the cap', { clauses: [{ kind: 8, party: w.owner, amount: '10.00' }, { kind: 7, party: w.owner, amount: '9.00' }] }, 422, '/clauses/0'],
    ['a rent of the operator', { clauses: [{ kind: 9, party: self, amount: '10.00' }] }, 422, '/clauses/0'],
    ['an end before the beginning', { to_ms: 5 }, 422, '/parties'],
    ['half up without the operator', { rounding: 1, parties: [{ party: w.owner, lines: 7, ratio: 1 }] }, 422, '/parties'],
    ['a version that overlaps', { from_ms: 0 }, 409, undefined],
  ];
  for (const [what, draft, status, pointer] of bad) {
    const r = await h.ask('POST', '/api/v1/contracts', { ...base, ...draft });
    check(r.status === status || (status === 422 && r.status === 400), `${what}: ${r.status} ${JSON.stringify(r.body)}`);
    check(pointer === undefined || String(r.body.pointer).replace(/^#/, '') === pointer, `${what} is told at ${pointer}: ${r.body.pointer} (${r.body.detail})`);
  }
  check((await h.must('GET', '/api/v1/contracts')).items.length === had, 'what was refused left nothing');
  const partner = h.client();
  await partner.login('partner', 'partner password');
  check((await partner.ask('POST', '/api/v1/contracts', base)).status === 403, 'a partner writes no contract');
  check((await partner.ask('POST', '/api/v1/contracts/simulate', { draft: base, month })).status === 403, 'and simulates none');
  const wrong = await h.ask('POST', '/api/v1/contracts/simulate', { draft: base, month: 202613 });
  check(wrong.status >= 400 && wrong.status < 500, `no thirteenth month: ${wrong.status}`);

  // ---- the simulator: nothing moves, sums agree, filters hold ----
  const draft = { ...base, clauses: [{ kind: 1, party: grid, lines: 3, rate: 1000000 }, agentOf(agent, w.owner), { kind: 9, party: w.owner, amount: '10.00' }] };
  const sim = await h.must('POST', '/api/v1/contracts/simulate', { draft, month, family: w.contract });
  check(sim.orders === 1 && units(sim.divided) === 36000, `one order of 3.60: ${JSON.stringify(sim)}`);
  const parts = sim.parts.filter((p) => p.fee_kind !== 0);
  check(of(parts, w.owner, 'now') === 18000, 'the owner had half');
  // 30 Wh at 10 yuan a kWh are 0.30; of the rest, 3.30, the owner has half, and the agent a fifth of that.
  check(of(parts, grid, 'draft') === 3000 && of(parts, w.owner, 'draft') === 13200 && of(parts, agent, 'draft') === 3300 && of(parts, self, 'draft') === 16500, `by the draft: ${JSON.stringify(parts)}`);
  for (const key of ['now', 'draft']) check(parts.reduce((s, p) => s + units(p[key]), 0) === 36000, `${key} sums to what was divided`);
  check(of(sim.parts.filter((p) => p.fee_kind === 0), w.owner, 'draft') === 100000, 'and the rent at the end of the month');
  check(sim.examples.length === 1 && sim.examples[0].order === order, 'the order is shown');
  check((await h.must('POST', '/api/v1/contracts/simulate', { draft, month: month % 100 === 1 ? month - 89 : month - 1 })).orders === 0, 'last month had none');
  check((await h.must('POST', '/api/v1/contracts/simulate', { draft, month, station: w.station })).orders === 1, 'one at the station');
  check((await h.must('POST', '/api/v1/contracts/simulate', { draft, month, station: self })).orders === 0, 'none elsewhere');
  books('after simulating');

  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  try {
    const open = (...who) => enter(browser, h, ...who);
    const id = (p, name) => p.locator(`[data-testid="${name}"]`);
    const shot = async (p, name) => { if (shots) { mkdirSync(shots, { recursive: true }); await p.waitForTimeout(400); await p.screenshot({ path: join(shots, `${name}.png`) }); } };
    const desk = await open('/', 1400, 1000, 'admin', 'correct horse battery');
    const choose = async (name, text) => { // a list that is closing may still be there: then once more
      for (let n = 1; ; n++) {
        await id(desk, name).click();
        const item = desk.locator('.el-select-dropdown:visible .el-select-dropdown__item', { hasText: text }).first();
        const chosen = await item.click({ timeout: n < 6 ? 4000 : 30000 }).then(() => true, (e) => { if (n === 6) throw e; });
        if (chosen) return;
      }
    };
    await desk.goto(`${h.web}/#/contracts`);
    await desk.locator('tr', { hasText: '5:5' }).locator('button').last().click();
    await id(desk, 'clause-add').click();
    await choose('clause-party-0', 'Grid');
    check(await id(desk, 'form-save').isDisabled(), 'a clause without its number cannot be saved');
    await id(desk, 'clause-value-0').locator('input').or(desk.locator('input[data-testid="clause-value-0"]')).first().fill('10');
    await id(desk, 'clause-add').click();
    await choose('clause-kind-1', '下级代理');
    await choose('clause-party-1', 'Agent');
    await choose('clause-parent-1', 'Owner');
    await id(desk, 'clause-value-1').locator('input').or(desk.locator('input[data-testid="clause-value-1"]')).first().fill('20');
    for (const label of ['服务费', '占位费']) await id(desk, 'clause-row').nth(1).locator('.el-checkbox', { hasText: label }).click();
    await shot(desk, '1-clauses');

    // ---- tried over this month before it is saved ----
    await desk.locator('.el-date-editor--month input').fill(`${Math.floor(month / 100)}-${String(month % 100).padStart(2, '0')}`);
    await desk.keyboard.press('Enter');
    await id(desk, 'simulate-go').click();
    await id(desk, 'simulate-table').waitFor();
    const row = async (name) => (await id(desk, 'simulate-party').filter({ hasText: name }).locator('td').allInnerTexts()).slice(1).map(units);
    check(JSON.stringify(await row('Owner')) === '[18000,13200,-4800]', `the owner's row: ${await row('Owner')}`);
    check(JSON.stringify(await row('Grid')) === '[0,3000,3000]', `the grid's row: ${await row('Grid')}`);
    check(await id(desk, 'simulate-example').count() === 1, 'the order is an example');
    await id(desk, 'simulator').scrollIntoViewIfNeeded();
    await shot(desk, '2-simulator');
    await id(desk, 'form-save').click();
    await until('the version is there', async () => (await h.must('GET', '/api/v1/contracts')).items.length === had + 1);
    const made = (await h.must('GET', '/api/v1/contracts')).items[0];
    const read = await h.must('GET', `/api/v1/contracts/${made.id}`);
    check(made.clauses === 2 && read.clauses[0].rate === 1000000 && read.clauses[1].parent === w.owner, `what was written: ${JSON.stringify(read.clauses)}`);

    // ---- the next order goes by it, also after a restart ----
    await h.kill('SIGTERM');
    await h.start();
    const next = await charge(h, driver, w, { cap: '100.00', wh: 30 });
    const o = await h.must('GET', `/api/v1/orders/${next}`);
    check(units(o.order.paid) === 36000 && of(o.parts, grid) === 3000 && of(o.parts, w.owner) === 13200 && of(o.parts, agent) === 3300 && of(o.parts, self) === 16500, `divided: ${JSON.stringify(o.parts)}`);
    check(o.parts.find((p) => p.party === grid).clause_kind === 1, 'the part names its clause');
    books('after an order by clauses');
    await h.must('POST', `/api/v1/orders/${next}/refund`, { amount: '1.20', note: 'a third' });
    await h.must('POST', `/api/v1/orders/${next}/refund`, { amount: '2.40', note: 'the rest' });
    const back = await h.must('GET', `/api/v1/orders/${next}`);
    for (const p of [grid, w.owner, agent, self]) check(of(back.parts, p) === 0, `${p} gave all of it back`);
    books('after refunds');

    // ---- the owner reads it ----
    const phone = await open('/p', 390, 800, 'partner', 'partner password');
    await id(phone, 'tab-account').click();
    await id(phone, 'partner-clauses').first().waitFor();
    const words = await id(phone, 'partner-contract').first().innerText();
    check(words.includes('50%') && words.includes('每度电') && words.includes('Agent得您所得的 20%'), `in words: ${words}`);
    check(!words.includes('Grid'), 'but not who else is paid');
    check(await id(phone, 'partner-contract').count() === 1, 'one is in force');
    await id(phone, 'contracts-past').click();
    check(await id(phone, 'partner-contract').count() === 2, 'and one before it');
    await shot(phone, '3-owner');
    await stories(h);
  } finally {
    await browser.close();
  }
}, { demo: true });
