// SPDX-License-Identifier: Apache-2.0
// months.mjs: a contract's month goes on over a restart: what a party with a cap had before the program was killed counts for the order after it. Then two
// months end: what they post, rent and guarantee, has lines of its own in the owner's statement, at the desk, on the phone and on paper.
import { chromium } from 'playwright-core';
import { charge } from './charger.mjs';
import { check, enter, main, until } from './house.mjs';

const units = (text) => Math.round(Number(text) * 10000);

await main(async (h) => {
  await h.setup();
  const w = await h.world({ balance: '200.00', elec_e5: 8000000, service_e5: 4000000 });
  const self = (await h.must('GET', '/api/v1/parties')).items.find((p) => p.kind === 1).id;
  const driver = h.client();
  const sent = await driver.must('POST', '/api/v1/driver/code', { phone: '13800138000' });
  driver.csrf = (await driver.must('POST', '/api/v1/driver/login', { phone: '13800138000', code: sent.demo_code })).csrf;
  await h.must('POST', '/api/v1/contracts', { family: w.contract, name: 'capped', from_ms: Date.now(), unit: 1,
    parties: [{ party: self, lines: 7, ratio: 5 }, { party: w.owner, lines: 7, ratio: 5 }], clauses: [{ kind: 7, party: w.owner, amount: '2.00' }] });
  /** What the owner has of one more order of 3.60, which is half of it but for the cap. */
  const owners = async () => {
    const order = await charge(h, driver, w, { cap: '100.00', wh: 30 });
    const { parts } = await h.must('GET', `/api/v1/orders/${order}`);
    return parts.filter((p) => p.party === w.owner).reduce((s, p) => s + units(p.amount), 0);
  };
  const first = await owners();
  check(first === 18000, `half of the first order: ${first}`);
  await h.kill('SIGKILL');
  await h.start();
  const second = await owners();
  check(second === 2000, `what the cap leaves of the month: ${second}`);
  const third = await owners();
  check(third === 0, `nothing of the third: ${third}`);
  const books = (when) => { const b = h.check(); check(b.code === 0, `books ${when}: ${b.text}`); };
  books('before the month ends');

  // ---- two months end ----
  await h.must('POST', '/api/v1/contracts', { family: w.contract, name: 'rent and guarantee', from_ms: Date.now(), unit: 1,
    parties: [{ party: self, lines: 7, ratio: 5 }, { party: w.owner, lines: 7, ratio: 5 }],
    clauses: [{ kind: 9, party: w.owner, amount: '100.00' }, { kind: 8, party: w.owner, amount: '500.00' }] });
  const here = new Date(Date.now() + 8 * 3600e3);
  const month = (ahead) => { const d = new Date(Date.UTC(here.getUTCFullYear(), here.getUTCMonth() + ahead, 1)); return d.getUTCFullYear() * 100 + d.getUTCMonth() + 1; };
  await h.kill('SIGTERM');
  h.options.set['demo.speed'] = 100000;
  await h.start();
  const made = [];
  for (const ahead of [0, 1]) made.push(await until(`the end of ${month(ahead)}`, async () => {
    const r = await h.ask('POST', '/api/v1/statements', { party: w.owner, month: month(ahead) });
    if (r.status === 401) await h.login('admin', 'correct horse battery'); // hours pass: the log-in ends
    return r.status < 300 && r.body.id;
  }, 120000, 100));
  await h.kill('SIGTERM');
  h.options.set['demo.speed'] = 1;
  await h.start();
  await h.login('admin', 'correct horse battery');
  const sheets = (await h.must('GET', '/api/v1/statements')).items;
  const [now, next] = made.map((id) => sheets.find((s) => s.id === id));
  const lines = (s) => units(s.shares) - units(s.refunds) + units(s.corrections) + units(s.guarantees) + units(s.rents) + units(s.suspense) - units(s.withdrawn) - units(s.fees) - units(s.tax);
  for (const s of [now, next]) check(units(s.closing) - units(s.opening) === lines(s), `the lines are the difference: ${JSON.stringify(s)}`);
  check(units(now.shares) === 20000 && units(now.capped) === 34000 && units(now.rents) === 0, `the month of the orders: ${JSON.stringify(now)}`);
  check(units(next.rents) > 0 && units(next.rents) <= 1000000 && units(next.guarantees) > units(next.rents) && units(next.shares) === 0 && units(next.capped) === 0,
    `what its end posted is in the next: ${JSON.stringify(next)}`);
  const codes = async (code) => (await h.must('GET', `/api/v1/transfers?code=${code}&limit=200`)).items;
  check((await codes(23)).some((t) => t.amount === next.rents && t.note.startsWith(String(month(0)).slice(0, 4))), 'the rent is a transfer of its own');
  check((await codes(14)).some((t) => t.amount === next.guarantees), 'and so is the guarantee');
  books('after the months');
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  try {
    const open = (path, ...who) => enter(browser, h, path, 1280, 900, ...who);
    const read = (text) => Math.round(Number(text.replace('−', '-').replace(/[^0-9.-]/g, '')) * 10000);
    const desk = await open('/', 'admin', 'correct horse battery');
    await desk.goto(`${h.web}/#/statements`);
    for (const [line, text] of [['rents', '月末租金'], ['guarantees', '月末保底']]) {
      const cell = desk.locator(`[data-testid=months-${line}]`).first();
      await cell.waitFor();
      check(read(await cell.innerText()) === units(next[line]) && (await cell.locator('..').innerText()).includes(text), `the desk shows ${line}`);
    }
    const phone = await open('/p', 'partner', 'partner password');
    await phone.goto(`${h.web}/p#/statements`);
    for (const line of ['rents', 'guarantees']) {
      const cell = phone.locator(`[data-testid=month-${line}]`).first();
      await cell.waitFor();
      check(read(await cell.innerText()) === units(next[line]), `the phone shows ${line}`);
    }
    check((await phone.locator('[data-testid=month-capped]').first().innerText()).includes('3.40'), 'and what exceeded the cap');
  } finally {
    await browser.close();
  }
  for (const [kind, head] of [['xlsx', 'PK'], ['pdf', '%PDF']]) {
    const r = await fetch(`${h.web}/api/v1/statements/${made[1]}/sheet.${kind}?lang=zh`, { headers: { cookie: h.cookie } });
    check(r.status === 200 && Buffer.from(await r.arrayBuffer()).toString('latin1').startsWith(head), `and so does the ${kind}`);
  }
}, { demo: true, set: {} });
