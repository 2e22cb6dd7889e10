// SPDX-License-Identifier: Apache-2.0
// slice.mjs: the seed story in real headless Chromium, all three faces open: balance 4.00, cap 4.00, one OCPP charger and then one 云快充 pile at 120 kW.
// The driver scans, pays 4 yuan, charges, the platform stops at the cap, and the property owner's page shows the share within two seconds of the stop.
// SHOTS=folder keeps screenshots.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { check, main, until } from './house.mjs';

const shots = process.env.SHOTS;
const units = (text) => Math.round(Number(String(text).replace(/[^0-9.-]/g, '')) * 10000);

await main(async (h) => {
  await h.setup();
  const w = await h.world({ chargers: [{ path: 'EVEN-001', protocol: 1 }, { path: '32010600019214', protocol: 2 }] });
  writeFileSync(join(h.dir, 'chargers.txt'), `EVEN-001\t${w.chargers[0].secret}\n`);
  h.run(['sim', '--url', `${h.ocpp}/`, '--ykc', `127.0.0.1:${h.ports['charge.ykc_port']}`, '--ocpp', '1', '--ykc-piles', '1',
    '--password-file', join(h.dir, 'chargers.txt'), '--seed', '3', '--autoplug', '--behaviours', 'normal', '--speed', String(h.options.set['demo.speed'] ?? 1)]);
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  try {
    const page = async (path, width, height) => {
      const ctx = await browser.newContext({ viewport: { width, height }, locale: 'zh-CN' });
      const p = await ctx.newPage();
      p.on('pageerror', (e) => check(false, `page error on ${path}: ${e.message}`));
      await p.goto(h.web + path);
      return p;
    };
    const id = (p, name) => p.locator(`[data-testid="${name}"]`);
    const shot = async (p, name) => { if (shots) { mkdirSync(shots, { recursive: true }); await p.screenshot({ path: join(shots, `${name}.png`) }); } };

    const desk = await page('/', 1400, 900);
    await desk.locator('input[name=login]').fill('admin');
    await desk.locator('input[name=password]').fill('correct horse battery');
    await id(desk, 'login-submit').click();
    await desk.waitForURL(/#\//);
    await desk.goto(`${h.web}/#/wall`);
    await id(desk, 'wall-tile').first().waitFor();
    const phone = await page('/p', 390, 800);
    await phone.locator('input[name=login]').fill('partner');
    await phone.locator('input[name=password]').fill('partner password');
    await id(phone, 'login-submit').click();
    await id(phone, 'partner-today').waitFor();

    // The page counts up for half a second; data-value is the exact figure at once.
    const todayOf = async (p) => (await p.locator('[data-testid=partner-today] .num').getAttribute('data-value').catch(() => null)) ?? id(p, 'partner-today').innerText();
    let share = units(await todayOf(phone)), balance = 40000;
    check(share === 0, `the partner starts at zero, got ${share}`);
    for (const [i, cp] of w.chargers.entries()) {
      const name = i === 0 ? 'OCPP' : '云快充';
      if (i > 0) {
        await h.must('POST', `/api/v1/drivers/${w.driver}/topups`, { amount: '4.00' });
        balance += 40000;
      }
      await until(`${name} is plugged in`, async () => [2, 1].includes((await h.must('GET', '/api/v1/connectors')).items.find((c) => c.charger === cp.id)?.status), 60000, 300);
      const drv = await page(`/c/${cp.connectors[0].code}`, 390, 800);
      await shot(drv, `${i}-driver-scan`);
      await id(drv, 'start').click(); // nobody is logged in: the page asks first
      await drv.locator('input[name=phone]').fill('13800138000');
      await id(drv, 'driver-code-send').click();
      const code = (await id(drv, 'driver-demo-code').innerText()).replace(/\D/g, '');
      await drv.locator('input[name=code]').fill(code);
      await id(drv, 'driver-login').click();
      await id(drv, 'amount-4').click();
      await drv.waitForTimeout(300);
      await shot(drv, `${i}-driver-choose`);
      await id(drv, 'start').click();
      await id(drv, 'live-cost').waitFor({ timeout: 60000 });
      await shot(drv, `${i}-driver-live`);
      await shot(desk, `${i}-wall`);
      await id(drv, 'receipt-total').waitFor({ timeout: 240000 });
      const seen = Date.now();
      await until(`${name}: the partner's page shows the share`, async () => units(await todayOf(phone)) > share, 2000, 50)
        .then(() => check(true, 'share in time'), (e) => check(false, e.message));
      const took = Date.now() - seen;
      await shot(drv, `${i}-driver-receipt`);
      const order = (await h.must('GET', '/api/v1/orders')).items[0];
      const o = await h.must('GET', `/api/v1/orders/${order.id}`);
      const total = units(o.order.total), paid = units(o.order.paid);
      check(paid <= 40000 && paid > 30000, `${name}: paid ${paid} of 40000`);
      check(units(await id(drv, 'receipt-total').innerText()) === paid, `${name}: the receipt says what was paid`);
      check(o.lines.reduce((s, l) => s + units(l.amount), 0) === total, `${name}: lines sum to the total`);
      const parts = o.parts.map((p) => ({ mine: p.party === w.owner, v: units(p.amount) }));
      check(parts.reduce((s, p) => s + p.v, 0) === paid, `${name}: parts sum to what was paid`);
      const owner = parts.filter((p) => p.mine).reduce((s, p) => s + p.v, 0);
      check(Math.abs(owner * 2 - paid) <= 100, `${name}: 5:5 to the fen: ${owner} of ${paid}`);
      const now = units(await todayOf(phone));
      check(Math.abs(now - share - owner) < 100, `${name}: the partner's page grew by ${now - share}, owner's part ${owner}`);
      share = now;
      const me = await h.must('GET', `/api/v1/drivers/${w.driver}`);
      balance -= paid;
      check(units(me.held) === 0 && units(me.balance) === balance, `${name}: nothing stays held, and ${balance} is left: held ${me.held}, balance ${me.balance}`);
      console.log(`${name}: paid ${paid / 10000}, owner ${owner / 10000}, share on the page ${took} ms after the receipt`);
      await drv.context().close();
    }
    await shot(phone, 'partner');
    await desk.goto(`${h.web}/#/orders/${(await h.must('GET', '/api/v1/orders')).items[0].id}`);
    await desk.waitForTimeout(1500);
    await shot(desk, 'order-story');
  } finally {
    await browser.close();
  }
  const books = h.check();
  check(books.code === 0, `even check: ${books.text}`);
}, { demo: true, set: { 'demo.speed': 8 } });
