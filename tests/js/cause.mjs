// SPDX-License-Identifier: Apache-2.0
// cause.mjs: one id leads from what somebody did to all that came of it: a frame or request, rows, live events, calls to the charger, the log; over the API,
// and on the console's pages in real headless Chromium. SHOTS=folder keeps screenshots.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { charge } from './charger.mjs';
import { check, main, until, visit } from './house.mjs';

/** Live events of staff, as they come; end() ends the stream. */
async function listen(h) {
  const stop = new AbortController();
  const events = [];
  const r = await fetch(`${h.web}/api/v1/events`, { headers: { cookie: h.cookie, accept: 'text/event-stream' }, signal: stop.signal });
  (async () => {
    let text = '';
    for await (const part of r.body) {
      text += Buffer.from(part).toString();
      for (let at; (at = text.indexOf('\n\n')) >= 0; text = text.slice(at + 2)) {
        const hit = /event: (.*)\ndata: (.*)/.exec(text.slice(0, at));
        if (hit) events.push({ name: hit[1], ...JSON.parse(hit[2]) });
      }
    }
  })().catch(() => {});
  return { events, end: () => stop.abort() };
}

/** On the page of an order each event has its cause; a click leads to the frames that have it, another to the audit, which has a box for it. */
async function pages(h, cp, order, { started, ended, n }) {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  try {
    const page = await (await browser.newContext({ viewport: { width: 1400, height: 1000 }, locale: 'zh-CN' })).newPage();
    page.on('pageerror', (e) => check(false, `page error: ${e.message}`));
    const id = (name) => page.locator(`[data-testid="${name}"]`);
    const shot = async (name) => {
      if (!process.env.SHOTS) return;
      mkdirSync(process.env.SHOTS, { recursive: true });
      await page.waitForTimeout(400);
      await page.screenshot({ path: join(process.env.SHOTS, `cause-${name}.png`), fullPage: true });
    };
    await page.goto(`${h.web}/`);
    await page.locator('input[name=login]').fill('admin');
    await page.locator('input[name=password]').fill('correct horse battery');
    await id('login-submit').click();
    await page.waitForURL(/#\/(?!login)/);
    await visit(page, `${h.web}/#/orders/${order}`);
    const last = id('event-cause').last();
    await last.waitFor();
    await shot('order');
    check((await last.innerText()).includes(ended) && (await id('event-cause').first().innerText()).includes(started), 'each event tells its cause');

    await last.locator('[data-testid="cause-frames"]').click();
    await page.waitForURL(new RegExp(`#/chargers/${cp.id}\\?`));
    check(await id('frames-text').locator('input').or(page.locator('input[data-testid="frames-text"]')).first().inputValue() === ended, 'a click leads to the frames, searched by it');
    await until('only its frames', async () => (await id('frames-list').locator('button.frames-row').count()) === n);
    check((await id('frames-cause').innerText()).includes(ended), 'the frame says it, too');
    await shot('frames');

    await visit(page, `${h.web}/#/orders/${order}`);
    await id('event-cause').first().locator('[data-testid="cause-audit"]').click();
    await page.waitForURL(/#\/audit\?cause=/);
    const rows = async () => id('audit-cause').allInnerTexts();
    await until('the audit of that cause', async () => (await rows()).length > 0 && (await rows()).every((x) => x === started));
    await shot('audit');
    const box = id('audit-search').locator('input').or(page.locator('input[data-testid="audit-search"]')).first();
    check(await box.inputValue() === started, 'the box says what is searched');
    await box.fill('');
    await id('audit-go').click();
    await until('all of it', async () => new Set(await rows()).size > 2);
    await box.fill('xyz');
    await id('audit-go').click();
    await until('a cause that is none is told', async () => (await page.locator('.datatable').innerText()).includes('16 位十六进制数字'));
    await box.fill(` ${started} `);
    await box.press('Enter');
    await until('by the key, blanks and all', async () => (await rows()).length > 0 && (await rows()).every((x) => x === started));
  } finally {
    await browser.close();
  }
}

await main(async (h) => {
  await h.setup();
  const w = await h.world({ balance: '10.00' });
  const cp = w.chargers[0];
  const form = /^[0-9a-f]{16}$/;

  // ---- a request: answer, audit, transfer ----
  const top = await h.ask('POST', `/api/v1/drivers/${w.driver}/topups`, { amount: '1.00', note: 'n' });
  const asked = top.headers.get('x-cause');
  check(form.test(asked), `X-Cause: ${asked}`);
  const audit = (await h.must('GET', '/api/v1/audit')).items.find((a) => a.action === 'topup' && a.object === top.body.id);
  check(audit?.cause === asked, `the audit entry has the request's cause: ${audit?.cause}, asked ${asked}`);
  check((await h.must('GET', `/api/v1/transfers/${top.body.id}`)).cause === asked, 'so has the transfer');
  const of = async (cause) => (await h.must('GET', `/api/v1/audit?cause=${cause}`)).items;
  for (const told of [asked, asked.toUpperCase()])
    check((await of(told)).map((a) => a.id).join() === audit.id, `the audit is searched by it: ${told}`);
  const ends = asked.endsWith('0') ? '1' : '0';
  check((await of(asked.slice(0, 15) + ends)).every((a) => a.cause === asked.slice(0, 15) + ends), 'another cause finds its own entries, or none');
  for (const wrong of [asked.slice(1), asked + '0', 'g' + asked.slice(1), '0'.repeat(16), String(BigInt(`0x${asked}`))]) {
    const r = await h.ask('GET', `/api/v1/audit?cause=${wrong}`);
    check(r.status === 400 && r.body.pointer === '?cause' && r.body.detail_zh, `no cause: ${wrong}: ${r.status}`);
  }

  // ---- a problem: body, header, log ----
  const bad = await h.ask('POST', `/api/v1/drivers/${w.driver}/topups`, { amount: 1 });
  check(bad.body.cause === bad.headers.get('x-cause'), 'a problem says its cause');
  await until('the log says it, too', () => h.log.includes(`web ${bad.body.cause} drivers_topup`));

  // ---- a charge ----
  const live = await listen(h);
  const driver = h.client();
  const sent = await driver.must('POST', '/api/v1/driver/code', { phone: '13800138000' });
  driver.csrf = (await driver.must('POST', '/api/v1/driver/login', { phone: '13800138000', code: sent.demo_code })).csrf;
  const order = await charge(h, driver, w);
  const story = await h.must('GET', `/api/v1/orders/${order}`);
  const frames = (await h.must('GET', `/api/v1/chargers/${cp.id}/frames?limit=200`)).items;
  const frame = (kind, dir) => frames.find((f) => f.kind === kind && f.dir === dir);
  check(frames.filter((f) => f.dir === 1).every((f) => form.test(f.cause)), 'every frame of the charger has a cause');

  // Who started it: his request is the cause of the order, of the call to the charger and of the frame that carries it.
  check(form.test(story.cause), `the order's cause: ${story.cause}`);
  const start = story.commands.find((c) => c.action === 'RemoteStartTransaction');
  check(start.cause === story.cause, 'the call to the charger has the cause of the order');
  const out = frames.find((f) => f.dir === 2 && f.text.includes('RemoteStartTransaction'));
  check(out.cause === start.cause, `the frame of the call, too: ${out.cause}`);
  const stop = story.commands.find((c) => c.action === 'RemoteStopTransaction');
  check(stop.cause !== start.cause && frames.some((f) => f.dir === 2 && f.text.includes('RemoteStopTransaction') && f.cause === stop.cause), 'the stop has its own');

  // What settled it: the charger's frame is the cause of the capture, of its answer and of the events.
  const ended = frame('StopTransaction', 1);
  const capture = story.transfers.filter((t) => t.cause === ended.cause);
  check(capture.length > 0, `the capture has the cause of the frame: ${ended.cause} in ${JSON.stringify(story.transfers.map((t) => [t.code, t.cause]))}`);
  const id = JSON.parse(ended.text)[1];
  check(frames.some((f) => f.dir === 2 && f.cause === ended.cause && f.text.startsWith(`[3,"${id}"`)), 'its answer has it');
  await until('an event of that cause', () => live.events.some((e) => e.order === order && e.cause === ended.cause));
  check(live.events.some((e) => e.name === 'share' && e.cause === ended.cause), 'the share that the partner hears of has it');
  live.end();

  // Each event of the order has the cause of what it came of; a driver is told none.
  const events = story.events, told = (cause) => events.filter((e) => e.cause === cause).length;
  check(events.length > 4 && events.every((e) => form.test(e.cause)), `every event has a cause: ${JSON.stringify(events.map((e) => [e.event, e.cause]))}`);
  check(told(story.cause) > 0 && told(stop.cause) > 0 && told(ended.cause) > 0 && events.at(-1).cause === ended.cause, 'of the start, of the stop, and of the frame that ended it');
  const mine = await driver.must('GET', `/api/v1/me/orders/${order}`);
  check(mine.events.length === events.length && mine.events.every((e) => e.cause === '') && mine.cause === '', 'a driver is told no cause');
  const found = (await h.must('GET', `/api/v1/chargers/${cp.id}/frames?text=${ended.cause}`)).items;
  check(found.length >= 2 && found.every((f) => f.cause === ended.cause), `frames are found by their cause: ${found.length}`);
  const looks = async (action) => (await h.must('GET', '/api/v1/audit?limit=200')).items.filter((a) => a.action === action && a.object === cp.id);
  check((await looks('frames.read')).length === 1 && (await looks('frames.file')).length === 0, 'that these frames were looked at is in the audit, once for all requests of a look');
  const look = (await looks('frames.read'))[0];
  check(look.actor_kind === 2 && look.actor_name === 'Admin' && look.detail === 'with personal data' && form.test(look.cause), `with who looked, and whether cards were shown: ${JSON.stringify(look)}`);
  check((await fetch(`${h.web}/api/v1/chargers/${cp.id}/frames.txt`, { headers: { cookie: h.cookie } }).then((r) => r.text())).includes(ended.cause), 'the file has it');
  check((await looks('frames.file')).length === 1, 'each file that is taken is an entry');
  await pages(h, cp, order, { started: story.cause, ended: ended.cause, n: found.length });
}, { demo: true, set: { 'log.level': 0 } });
