// SPDX-License-Identifier: Apache-2.0
// company_pages.mjs: a prepaid company on the pages, in real headless Chromium: staff make it, top it up and take a driver in as its member with a quota; the
// driver chooses on the phone who pays and charges; the company's page shows what was used. A second company, with credit, is shown what it owes.
// SHOTS=folder keeps screenshots.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { check, main, until } from './house.mjs';
import { Cp, over, units } from './rogue.mjs';

const shots = process.env.SHOTS;
const shown = (text) => Math.round(Number(String(text).replace('−', '-').replace(/[^0-9.-]/g, '')) * 10000);

await main(async (h) => {
  await h.setup();
  const w = await h.world({ balance: '1.00', elec_e5: 8000000, service_e5: 4000000 });
  const cp = await (await Cp.open(h, w.chargers[0])).boot();
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  try {
    const page = async (path, width, height) => {
      const p = await (await browser.newContext({ viewport: { width, height }, locale: 'zh-CN' })).newPage();
      p.on('pageerror', (e) => check(false, `page error on ${path}: ${e.message}`));
      await p.goto(h.web + path);
      return p;
    };
    const id = (p, name) => p.locator(`[data-testid="${name}"]`);
    const shot = async (p, name) => { if (shots) { mkdirSync(shots, { recursive: true }); await p.waitForTimeout(400); await p.screenshot({ path: join(shots, `${name}.png`) }); } };

    // ---- staff: a company, its money, its member ----
    const desk = await page('/', 1400, 900);
    await desk.locator('input[name=login]').fill('admin');
    await desk.locator('input[name=password]').fill('correct horse battery');
    await id(desk, 'login-submit').click();
    await desk.waitForURL(/#\/(?!login)/);
    await id(desk, 'nav-companies').click();
    await id(desk, 'new').click();
    await id(desk, 'company-name').fill('顺达物流');
    check(await id(desk, 'form-save').isDisabled(), 'a company with credit has a limit');
    await id(desk, 'company-kind-1').click();
    await shot(desk, 'company-1-form');
    await id(desk, 'form-save').click();
    await desk.waitForURL(/companies\/\d+/);
    const co = /companies\/(\d+)/.exec(desk.url())[1];
    await id(desk, 'company-pay').click();
    await id(desk, 'pay-amount').fill('50');
    await id(desk, 'pay-note').fill('转账 20260101');
    await id(desk, 'pay-go').click();
    await until('the balance is there', async () => shown(await id(desk, 'company-balance').innerText()) === 500000);
    await id(desk, 'member-new').click();
    await id(desk, 'member-phone').fill('13800138000');
    await id(desk, 'member-found').waitFor();
    await id(desk, 'member-plate').fill('沪A12345');
    await id(desk, 'member-month').fill('8');
    await id(desk, 'member-order').fill('5');
    await shot(desk, 'company-2-member');
    await id(desk, 'form-save').click();
    const member = await until('he is a member', async () => (await h.must('GET', `/api/v1/companies/${co}/members`)).items[0]);
    check(member.driver === w.driver && member.month_most === '8.00' && member.order_most === '5.00' && member.plate === '沪A12345', `as written: ${JSON.stringify(member)}`);

    // ---- the driver chooses who pays ----
    const phone = await page(`/c/${w.chargers[0].connectors[0].code}`, 390, 800);
    await id(phone, 'start').click();
    await phone.locator('input[name=phone]').fill('13800138000');
    await id(phone, 'driver-code-send').click();
    await phone.locator('input[name=code]').fill((await id(phone, 'driver-demo-code').innerText()).replace(/\D/g, ''));
    await id(phone, 'driver-login').click();
    await id(phone, 'payer-company').waitFor();
    check(await id(phone, 'amount-4').isDisabled(), 'the own wallet has 1.00');
    await id(phone, 'payer-company').click();
    check(shown(await id(phone, 'company-most').innerText()) === 50000, 'the company lets him use 5.00 at once');
    check(await id(phone, 'amount-10').isDisabled(), 'and not more');
    await id(phone, 'amount-4').click();
    await shot(phone, 'company-3-phone');
    await id(phone, 'start').click();
    const call = await cp.expect('RemoteStartTransaction');
    const tx = (await cp.startTx(call.idTag, 1000)).tx;
    const order = (await h.must('GET', '/api/v1/orders')).items[0];
    check(order.payer_kind === 3 && order.cap === '4.00', `the company pays: ${JSON.stringify(order)}`);
    await phone.waitForTimeout(1500);
    await cp.stopTx(tx, 1020);
    const done = await over(h, order.id);
    check(units(done.order.paid) === 24000, `20 Wh at 120 yuan: ${done.order.paid}`);
    await id(phone, 'receipt-total').waitFor();
    await shot(phone, 'company-4-receipt');

    // ---- and the company's page says so ----
    await desk.reload();
    await until('the balance is less', async () => shown(await id(desk, 'company-balance').innerText()) === 476000);
    await shot(desk, 'company-5-members');
    await desk.locator('.el-tabs__item', { hasText: '账单' }).click();
    await id(desk, 'bill-state').first().waitFor();
    check((await id(desk, 'bill-issue').count()) === 0, 'the month runs: no bill yet');
    check((await id(desk, 'bill-state').first().innerText()).includes('未出账'), 'it fills yet');
    await shot(desk, 'company-6-bills');
    await desk.locator('.el-tabs__item', { hasText: '订单' }).click();
    await shot(desk, 'company-7-orders');
    await desk.goto(`${h.web}/#/companies`);
    await shot(desk, 'company-8-list');
    check((await h.must('GET', `/api/v1/drivers/${w.driver}`)).balance === '1.00', "the driver's wallet is as it was");
  } finally {
    await browser.close();
  }
  const books = h.check();
  check(books.code === 0, `even check: ${books.text}`);
}, { demo: true, set: {} });
