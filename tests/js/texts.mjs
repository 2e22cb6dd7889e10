// SPDX-License-Identifier: Apache-2.0
// texts.mjs: log-in codes of a real installation, end to end: `even cashier` plays the operator's gateway and both clouds, checks their
// signatures and fails in every way; the official packages of the clouds judge what EVen signs. A code reaches its driver and nobody else: no
// log, audit, metric or flight; a gateway that is slow, down or wrong costs nobody but who asked.
import { spawnSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import openapi from '@alicloud/openapi-util';
import { chromium } from 'playwright-core';
import { check, even, finish, freePort, House, sleep, until } from './house.mjs';
import { Till } from './till.mjs';

const require = createRequire(import.meta.url);
const OpenApi = openapi.default;
const Tencent = require('tencentcloud-sdk-nodejs-common/tencentcloud/common/sign.js').default;

const ODD = { refused: '+8613900000001', slow: '+8613900000002', broken: '+8613900000003', lost: '+8613900000004', busy: '+8613900000005' };
const ID = 'AKIDcashier0000000001', APP = '1400000001', SIGN = '易充', TEMPLATE = 'LOGIN_1';

/** The cashier's keys for who has texts sent, in the house. */
function keys(h, till) {
  const to = join(h.dir, 'keys', 'texts');
  mkdirSync(to, { recursive: true, mode: 0o700 });
  for (const name of ['secret', 'id']) {
    cpSync(join(till.dir, 'merchant', 'texts', name), join(to, name));
    chmodSync(join(to, name), 0o600);
  }
  return to;
}

const hook = (base) => ({ 'texts.kind': 'hook', 'texts.url': `${base}/texts/hook`, 'texts.sign': SIGN, 'texts.template.code': TEMPLATE, 'texts.timeout_s': 2 });
const cloud = (kind, url) => ({ 'texts.kind': kind, 'texts.url': url, 'texts.app': APP, 'texts.sign': SIGN, 'texts.template.code': TEMPLATE, 'texts.timeout_s': 2 });

const codesOf = async (till, phone) => (await till.state()).texts.filter((x) => x.phone === phone).map((x) => x.code);

async function again(h, set) {
  await h.kill('SIGTERM');
  h.options.set = set;
  await h.start();
  const s = await h.ask('GET', '/api/v1/session');
  if (s.body.actor === '0' || s.body.kind === 0) await h.login('admin', 'correct horse battery');
}

const ask = (c, phone, headers) => c.ask('POST', '/api/v1/driver/code', { phone }, headers);
const is = (r, status, name) => r.status === status && r.body.type === `urn:even:${name}`;

/** Asks for a code, reads it off the provider and logs in with it. */
async function login(h, till, phone, e164 = phone) {
  const c = h.client();
  const r = await ask(c, phone);
  check(r.status === 200 && r.body.sent === true && r.body.demo_code === undefined, `a code is sent to ${phone}, and not shown: ${r.status} ${JSON.stringify(r.body)}`);
  const codes = await codesOf(till, e164), code = codes.at(-1);
  check(/^\d{6}$/.test(code), `the provider has the code: ${codes}`);
  const s = await c.must('POST', '/api/v1/driver/login', { phone, code });
  c.csrf = s.csrf;
  check((await c.ask('GET', '/api/v1/me')).status === 200, 'the driver is logged in');
  return code;
}

/** Nothing that is kept or shown holds these codes. The time at the head of a log line is no code. */
async function nowhere(h, codes) {
  const alone = new RegExp(`(?<![0-9a-zA-Z.:])(${codes.join('|')})(?![0-9a-zA-Z])`);
  const log = h.log.split('\n').map((l) => l.replace(/^\S+ /, '')).join('\n');
  check(!alone.test(log), `no code in the log: ${log.split('\n').find((l) => alone.test(l))}`);
  check(!log.includes('13800138000') && !log.includes('139000000'), 'no phone number either');
  const audit = (await h.must('GET', '/api/v1/audit?limit=200')).items.map((x) => `${x.action} ${x.detail}`).join('\n');
  check(!alone.test(audit), 'none in the audit');
  const metrics = (await h.ask('GET', '/metrics')).body.split('\n').map((l) => l.replace(/ \S+$/, '')).join('\n');
  check(metrics.includes('even_texts_total') && !alone.test(metrics), 'none in the metrics');
  const flight = join(h.dir, 'flight');
  for (const f of existsSync(flight) ? readdirSync(flight) : [])
    check(!alone.test(readFileSync(join(flight, f), 'latin1')), `none in the flight recorder: ${f}`);
}

/** Where settings are wrong the program says which, and does not start. */
function starts(set) {
  const h = new House();
  const args = Object.entries({ 'web.port': 0, 'charge.ocpp_port': 0, 'charge.ykc_port': 0, ...set }).flatMap(([k, v]) => ['--set', `${k}=${v}`]);
  const r = spawnSync(even, ['serve', '--dir', h.dir, ...args], { encoding: 'utf8', timeout: 60000 });
  h.end();
  return r;
}

function settings() {
  const rows = [[{ 'texts.kind': 'sms' }, 'texts.kind'], [{ 'texts.kind': 'hook' }, 'texts.url'], [{ 'texts.kind': 'hook', 'texts.url': 'http://gateway.example/' }, 'texts.url'],
    [{ 'texts.kind': 'aliyun', 'texts.template.code': 'T' }, 'texts.sign'], [{ 'texts.kind': 'tencent', 'texts.template.code': 'T' }, 'texts.app'],
    [{ ...cloud('aliyun', ''), 'texts.template.code.params': 'name' }, 'texts.template.code.params'], [{ ...hook('http://127.0.0.1:1'), 'texts.keys': '../x' }, 'texts.keys']];
  for (const [set, named] of rows) {
    const r = starts(set);
    check(r.status === (named === 'texts.kind' ? 2 : 70) && r.stderr.includes(named), `wrong settings end the start and are named (${named}): ${r.status} ${r.stderr}`);
  }
}

/** The faces in a real browser; `who` is logged in there, or nobody. */
async function face(h, who, path, width, fn) {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  try {
    const context = await browser.newContext({ viewport: { width, height: 900 }, locale: 'zh-CN' });
    const at = who?.cookie.indexOf('=');
    if (who) await context.addCookies([{ name: who.cookie.slice(0, at), value: who.cookie.slice(at + 1), url: h.web }]);
    const page = await context.newPage();
    page.on('pageerror', (e) => check(false, `page error on ${path}: ${e.message}`));
    page.setDefaultTimeout(20000);
    await page.goto(h.web + path);
    await fn(page, (id) => page.locator(`[data-testid="${id}"]`));
  } finally {
    await browser.close();
  }
}

/** What the driver's page says when no code comes. */
async function trouble(h, phone, words) {
  await face(h, null, '/d#/login', 390, async (page, id) => {
    const field = (name) => page.locator(`input[name="${name}"]`);
    await field('phone').fill(phone);
    await id('driver-code-send').click();
    await id('driver-code-trouble').waitFor();
    const said = await id('driver-code-trouble').innerText();
    check(said.includes(words), `the driver's page says ${words}: ${said}`);
    check(await id('driver-demo-code').count() === 0, 'and shows no code');
  });
}

/** A driver who types what was sent. */
async function typed(h, till, phone, e164) {
  await face(h, null, '/d#/login', 390, async (page, id) => {
    await page.locator('input[name="phone"]').fill(phone);
    await id('driver-code-send').click();
    const code = await until('the code is sent', async () => (await codesOf(till, e164)).at(-1));
    await page.locator('input[name="code"]').fill(code);
    await id('driver-login').click();
    await page.waitForFunction(() => !location.hash.includes('login'));
    check(await id('driver-code-trouble').count() === 0, 'the driver is in');
  });
}

async function nothing(h) {
  const r = await ask(h.client(), '13800138000');
  check(is(r, 501, 'unsupported') && r.body.detail.includes('no sender'), `without a sender the answer is an error: ${JSON.stringify(r.body)}`);
  const s = await h.must('GET', '/api/v1/texts');
  check(!s.ready && !s.demo && s.kind === '' && s.last_hour === 0, `and staff see it: ${JSON.stringify(s)}`);
  check(h.log.includes('no driver can log in'), 'so does the log');
  check((await h.client().ask('GET', '/api/v1/texts')).status === 401, 'strangers do not');
  await trouble(h, '13800138000', '尚未开通短信');
  await face(h, h, '/#/settings', 1400, async (page, id) => {
    await id('texts-none').waitFor();
    check((await id('texts-none').innerText()).includes('车主无法登录'), 'the settings of the console say it');
  });
}

/** The gateway in all its moods. */
async function gateway(h, till) {
  const codes = [await login(h, till, '13800138000', '+8613800138000')];
  const c = h.client();
  check((await c.ask('POST', '/api/v1/driver/login', { phone: '13800138000', code: codes[0] })).status === 401, 'a code opens once');
  let r = await ask(c, ODD.refused);
  check(is(r, 502, 'text') && (await codesOf(till, ODD.refused)).length === 0, `refused: ${JSON.stringify(r.body)}`);
  check((await h.must('GET', '/api/v1/texts')).problem === 'black-list', 'staff see why');
  const actor = async (phone) => {
    const d = h.client();
    await d.must('POST', '/api/v1/driver/code', { phone });
    return (await d.must('POST', '/api/v1/driver/login', { phone, code: (await codesOf(till, '+8613800138008')).at(-1) })).actor;
  };
  check(await actor('13800138008') === await actor('+8613800138008'), 'one phone is one driver, with +86 or without');
  const order = [];
  const slow = ask(c, ODD.slow).then((x) => { order.push('slow'); return x; });
  await Promise.all([1, 2, 3, 4, 5].map(() => h.client().must('GET', '/api/v1/session').then(() => order.push('other'))));
  codes.push(await login(h, till, '13800138001', '+8613800138001').then((x) => { order.push('login'); return x; }));
  r = await slow;
  check(is(r, 504, 'timeout') && order.at(-1) === 'slow', `a slow gateway holds up nobody else: ${order} ${JSON.stringify(r.body)}`);
  r = await ask(c, ODD.broken);
  check(is(r, 504, 'timeout') && (await codesOf(till, ODD.broken)).length === 0, `after a 500 nothing is known: ${JSON.stringify(r.body)}`);
  r = await ask(c, ODD.lost);
  const lost = await codesOf(till, ODD.lost);
  check(is(r, 504, 'timeout') && lost.length === 1, `an answer that is lost: sent once, and not again: ${lost.length} ${JSON.stringify(r.body)}`);
  check((await h.client().ask('POST', '/api/v1/driver/login', { phone: ODD.lost, code: lost[0] })).status === 200, 'the code that did arrive is good');
  r = await ask(c, ODD.busy);
  check(r.status === 200 && (await codesOf(till, ODD.busy)).length >= 1, `too many at a time: asked again: ${JSON.stringify(r.body)}`);
  for (const phone of ['+85291234567', '8613800138000', '1380013800', '+861380013800', '008613800138000']) {
    r = await ask(c, phone);
    check(is(r, 422, 'range') && r.body.pointer === '/phone', `no text goes to ${phone}: ${r.status}`);
  }
  const s = await h.must('GET', '/api/v1/texts');
  check(s.kind === 'hook' && s.ready && s.sent >= 3 && s.refused >= 1 && s.unknown >= 3 && s.problem === '', `what became of them: ${JSON.stringify(s)}`);
  return [...codes, ...lost];
}

async function wrongKeys(h, till, dir) {
  const good = readFileSync(join(dir, 'secret'));
  const put = async (text, mode) => {
    writeFileSync(join(dir, 'secret'), text);
    chmodSync(join(dir, 'secret'), mode);
    h.serve.kill('SIGHUP');
    await sleep(300);
  };
  const before = (await till.state()).texts.length;
  await put('0123456789abcdef0123456789abcdef', 0o600);
  let r = await ask(h.client(), '13800138002');
  check(is(r, 502, 'text'), `the gateway refuses another secret's signature: ${JSON.stringify(r.body)}`);
  check((await h.must('GET', '/api/v1/texts')).problem === 'bad-signature', 'staff see it');
  await put(good, 0o644);
  r = await ask(h.client(), '13800138003');
  check(is(r, 502, 'text'), 'a secret that others may read is not used');
  const s = await h.must('GET', '/api/v1/texts');
  check(s.problem === 'keys' && !s.ready, `and staff see that: ${JSON.stringify(s)}`);
  check((await till.state()).texts.length === before, 'nothing was sent meanwhile');
  await put(good, 0o600);
  await login(h, till, '13800138004', '+8613800138004');
  check(!h.log.includes(good.toString().trim()), 'the secret is not in the log');
  // What somebody else sends to the gateway.
  const body = JSON.stringify({ id: 'T12345678', kind: 'code', phone: '+8613800138009', params: { code: '123456', minutes: '5' } });
  const say = (at, nonce, key, text = body) => fetch(`${till.base}/texts/hook`, { method: 'POST', body: text, headers: { 'text-time': String(at), 'text-nonce': nonce,
    'text-signature': createHmac('sha256', key).update(`${at}\n${nonce}\n${body}\n`).digest('hex') } });
  const key = good.toString().trim(), now = Date.now();
  check((await say(now, 'n'.repeat(32), 'x')).status === 401 && (await say(now - 400000, 'n'.repeat(32), key)).status === 401 &&
    (await say(now, 'n'.repeat(32), key, body.replace('123456', '654321'))).status === 401, 'forged, stale and altered requests are refused by the gateway');
  check((await say(now, 'm'.repeat(32), key)).status === 200 && (await say(now, 'm'.repeat(32), key)).status === 401, 'a good one is taken, and its replay is not');
  check((await say(now, 'k'.repeat(32), key)).status === 200 && (await codesOf(till, '+8613800138009')).length === 1, 'the same id is sent once');
}

async function down(h, till, port) {
  till.child.kill('SIGKILL');
  await sleep(200);
  for (let i = 0; i < 5; i++) {
    const r = await ask(h.client(), `1380013801${i}`);
    check(is(r, 502, 'text') && Number(r.headers.get('retry-after')) > 0, `the gateway is down: ${JSON.stringify(r.body)}`);
    check((await h.client().ask('GET', '/api/v1/session')).status === 200, 'the rest goes on');
  }
  const metrics = (await h.ask('GET', '/metrics')).body;
  check(/even_texts_breaker_open 1/.test(metrics), 'it is left alone for a while');
  check(!(await h.must('GET', '/api/v1/texts')).ready, 'staff see it');
  till.args = ['--port', String(port)];
  await till.start();
  let n = 20; // a driver each time: one who asks too often is stopped
  await until('the gateway is tried again', async () => (await ask(h.client(), `138001380${n++}`)).status === 200, 90000, 1000);
  check(/even_texts_breaker_open 0/.test((await h.ask('GET', '/metrics')).body), 'and trusted again');
}

/** The clouds, played by the cashier. */
async function clouds(h, till) {
  const codes = [];
  let n = 0;
  for (const kind of ['aliyun', 'tencent']) {
    await again(h, cloud(kind, `${till.base}/texts/${kind}`));
    codes.push(await login(h, till, `1380013810${n}`, `+861380013810${n}`));
    n++;
    const lost = (await codesOf(till, ODD.lost)).length;
    check(is(await ask(h.client(), ODD.refused), 502, 'text'), `${kind}: refused`);
    check(is(await ask(h.client(), ODD.lost), 504, 'timeout') && (await codesOf(till, ODD.lost)).length === lost + 1, `${kind}: lost, and not sent again`);
    check(is(await ask(h.client(), ODD.broken), 504, 'timeout'), `${kind}: broken`);
    writeFileSync(join(h.dir, 'keys', 'texts', 'secret'), 'an0ther-secret-of-somebody-else1');
    h.serve.kill('SIGHUP');
    await sleep(300);
    check(is(await ask(h.client(), `1380013812${n}`), 502, 'text'), `${kind}: the signature of another secret is refused`);
    const word = (await h.must('GET', '/api/v1/texts')).problem;
    check(/^(SignatureDoesNotMatch|AuthFailure\.SignatureFailure)$/.test(word), `${kind}: and staff see that: ${word}`);
    keys(h, till);
  }
  return codes;
}

// ---- judges: what EVen signs, signed once more by who wrote the rules ----

const seen = [];
const answers = {
  hook: () => ({ state: 'sent' }),
  aliyun: () => ({ Code: 'OK', Message: 'OK', BizId: '1^0', RequestId: 'R' }),
  tencent: (b) => ({ Response: { SendStatusSet: [{ SerialNo: '1', PhoneNumber: JSON.parse(b).PhoneNumberSet[0], Code: 'Ok', Message: 'send success' }], RequestId: 'R' } }),
};

const judges = {
  hook: (q, key) => [q.headers['text-signature'], createHmac('sha256', key).update(`${q.headers['text-time']}\n${q.headers['text-nonce']}\n${q.body}\n`).digest('hex')],
  aliyun(q, key) {
    const u = new URL(q.url, 'http://x');
    const request = { method: q.method, pathname: '/', query: Object.fromEntries(u.searchParams), headers: q.headers };
    const hash = createHash('sha256').update(q.body).digest('hex');
    check(hash === q.headers['x-acs-content-sha256'], 'the body is as it was hashed');
    return [q.headers.authorization, OpenApi.getAuthorization(request, 'ACS3-HMAC-SHA256', hash, ID, key)];
  },
  tencent(q, key) {
    // The judge signs the host without its port, as the cloud has none; here the host is what was sent.
    const url = require('url'), whole = url.URL;
    url.URL = class extends whole { get hostname() { return this.host; } };
    const want = Tencent.sign3({ method: q.method, url: `http://${q.headers.host}${q.url}`, payload: Buffer.from(q.body), timestamp: Number(q.headers['x-tc-timestamp']), service: 'sms',
      secretId: ID, secretKey: key, multipart: false, boundary: '', headers: { 'Content-Type': q.headers['content-type'] } });
    url.URL = whole;
    return [q.headers.authorization, want];
  },
};

async function judged(h, key, server) {
  let n = 0;
  for (const kind of Object.keys(judges)) {
    server.kind = kind;
    await again(h, { ...(kind === 'hook' ? hook(server.base) : cloud(kind, server.base)), 'texts.template.code.params': 'code,minutes', 'texts.sign': '易充 +&*~\'()!' });
    seen.length = 0;
    check((await ask(h.client(), `1380013820${n++}`)).status === 200 && seen.length === 1, `${kind}: asked once`);
    const [ours, theirs] = judges[kind](seen[0], key);
    check(ours === theirs && ours.length >= 64, `${kind}: signed as its judge would:\n${ours}\n${theirs}`);
    const altered = { ...seen[0], url: seen[0].url.replace('code', 'kode'), body: seen[0].body.replace('code', 'kode').replace('Set', 'Zet') };
    if (kind !== 'aliyun') check(judges[kind](altered, key)[1] !== ours, `${kind}: the judge minds what was altered`);
  }
}

/** A gateway that never answers: only so many wait for it, and nobody else does. */
async function full(h, server) {
  server.kind = 'silent';
  await again(h, { ...hook(server.base), 'web.proxies': '127.0.0.1', 'texts.per_hour': 1000 });
  const got = Promise.all(Array.from({ length: 200 }, (_, i) =>
    ask(h.client(), `138002${String(i).padStart(5, '0')}`, { 'x-forwarded-for': `192.0.2.${i + 1}` })));
  await sleep(500);
  for (let i = 0; i < 5; i++) check((await h.client().ask('GET', '/api/v1/session')).status === 200, 'others are answered meanwhile');
  const all = await got, count = (status) => all.filter((r) => r.status === status).length;
  check(count(504) > 0 && count(502) >= 72 && count(504) + count(502) === 200, `${count(504)} waited, ${count(502)} were told at once`);
  check(/even_texts_full_total [1-9]/.test((await h.ask('GET', '/metrics')).body), 'that is counted');
}

/** Texts cost money: nobody makes the house send a thousand. */
async function limits(till) {
  const h = new House({ set: { ...hook(till.base), 'web.proxies': '127.0.0.1', 'texts.per_address': 4, 'texts.per_hour': 7 } });
  try {
    await h.start();
    await h.setup();
    keys(h, till);
    h.serve.kill('SIGHUP');
    await sleep(300);
    const before = (await till.state()).texts.length;
    const from = (i, phone) => ask(h.client(), phone, { 'x-forwarded-for': `198.51.100.${i}` });
    for (let i = 0; i < 4; i++) check((await from(1, `1380013830${i}`)).status === 200, 'so many of one address');
    let r = await from(1, '13800138305');
    check(is(r, 429, 'rate-limit') && r.body.detail.includes('this network') && Number(r.headers.get('retry-after')) > 3600, `and no more today: ${JSON.stringify(r.body)}`);
    for (let i = 0; i < 3; i++) check((await from(2 + i, `1380013831${i}`)).status === 200, 'others go on');
    r = await from(9, '13800138315');
    check(is(r, 429, 'rate-limit') && r.body.detail.includes('this hour') && Number(r.headers.get('retry-after')) > 60, `until the house has spent its hour: ${JSON.stringify(r.body)}`);
    check((await till.state()).texts.length - before === 7, 'so many were sent, and not one more');
    check((await from(10, '+8613800138000')).status === 429, 'whoever asks');
    check(/even_texts_limited_total 2/.test((await h.ask('GET', '/metrics')).body), 'that is counted');
    const s = await h.must('GET', '/api/v1/texts');
    check(s.per_hour === 7 && s.last_hour === 7, `staff see it: ${JSON.stringify(s)}`);
    await h.kill('SIGTERM');
    await h.start();
    r = await from(1, '13800138320');
    check(is(r, 429, 'rate-limit'), 'a restart does not forget the day of an address');
    check((await from(11, '13800138321')).status === 200, 'but the hour of the house begins anew');
  } finally {
    await h.end();
  }
}

const port = await freePort();
const till = new Till('texts', ['--port', String(port)]);
const server = createServer((q, res) => {
  let body = '';
  q.on('data', (d) => { body += d; });
  q.on('end', () => {
    if (server.kind === 'silent') return;
    seen.push({ method: q.method, url: q.url, headers: q.headers, body });
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answers[server.kind](body)));
  });
});
await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
server.base = `http://127.0.0.1:${server.address().port}`;
const h = new House({ set: {} });
try {
  settings();
  await till.start();
  await h.start();
  await h.setup();
  await nothing(h);
  const dir = keys(h, till);
  const key = readFileSync(join(dir, 'secret'), 'utf8').trim();
  await again(h, hook(till.base));
  const codes = await gateway(h, till);
  await trouble(h, ODD.refused, '短信未能发送');
  await trouble(h, ODD.slow, '没有收到短信服务的确认');
  await trouble(h, '+85291234567', '该号码无法接收短信');
  await face(h, h, '/#/settings', 1400, async (page, id) => {
    await id('texts-problem').waitFor();
    check(/time-over|black-list/.test(await id('texts-problem').innerText()), 'the console says what went wrong last');
  });
  await typed(h, till, '13800138005', '+8613800138005');
  await wrongKeys(h, till, dir);
  await down(h, till, port);
  codes.push(...await clouds(h, till));
  await judged(h, key, server);
  await nowhere(h, codes);
  await full(h, server);
  await limits(till);
  await h.kill('SIGTERM');
  const books = h.check();
  check(books.code === 0, `the books balance: ${books.text}`);
} catch (e) {
  process.exitCode = 1;
  console.log(`FAILED: ${e.stack}`);
  console.log(h.log.split('\n').slice(-30).join('\n'));
} finally {
  await h.end();
  till.end();
  server.closeAllConnections?.();
  server.close();
}
finish();
