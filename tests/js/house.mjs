// SPDX-License-Identifier: Apache-2.0
// house.mjs: starts the real program on free ports in a folder of its own and talks to it as any client does. Every test that
// uses it ends the program and removes the folder, also when it fails.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';

export const even = process.env.EVEN ?? process.argv[2];
if (!even) throw new Error('usage: node TEST.mjs PATH-OF-even');

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

/** Calls fn until it answers something true; fails after ms with the words of `what`. */
export async function until(what, fn, ms = 20000, step = 50) {
  const end = Date.now() + ms;
  for (;;) {
    const got = await fn();
    if (got) return got;
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await sleep(step);
  }
}

/** Waits until no midnight in China comes within so many minutes: for tests whose figures are those of one day's money. */
export async function sameDay(minutes) {
  const DAY = 86400e3, left = DAY - (Date.now() + 8 * 3600e3) % DAY;
  if (left < minutes * 60e3) await sleep(left + 1000);
}

/** A port that is free, below those that the kernel gives outgoing connections: while the program is down before its restart, no
 * test beside this one gets it. */
export async function freePort() {
  for (;;) {
    const port = 12000 + Math.floor(Math.random() * 20000);
    const server = createServer();
    const free = await new Promise((done) => server.once('error', () => done(false)).listen(port, '127.0.0.1', () => done(true)));
    await new Promise((done) => server.close(done));
    if (free) return port;
  }
}

/** A page of its own in which somebody has logged in with a name and a password. What goes wrong in it is a failed check. */
export async function enter(browser, h, path, width, height, login, password) {
  const p = await (await browser.newContext({ viewport: { width, height }, locale: 'zh-CN' })).newPage();
  p.on('pageerror', (e) => check(false, `page error on ${path}: ${e.message}`));
  await p.goto(h.web + path);
  await p.locator('input[name=login]').fill(login);
  await p.locator('input[name=password]').fill(password);
  await p.locator('[data-testid=login-submit]').click();
  await p.waitForURL(/#\/(?!login)/);
  return p;
}

/** The page as who opens its address sees it: where only what follows the # differs, goto() alone stays on the page that is open. */
export async function visit(page, url) {
  await page.goto('about:blank');
  await page.goto(url);
}

export class House {
  constructor(options = {}) {
    this.dir = options.dir ?? mkdtempSync(join(tmpdir(), 'even-'));
    this.options = options;
    this.children = [];
    this.cookie = '';
    this.csrf = '';
    this.log = '';
  }

  /** Starts `even serve` and waits until it is ready. */
  async start() {
    this.ports ??= { 'web.port': await freePort(), 'charge.ocpp_port': await freePort(), 'charge.ykc_port': await freePort() };
    const set = Object.entries({ ...this.ports, ...this.options.set })
      .flatMap(([k, v]) => ['--set', `${k}=${v}`]);
    const args = ['serve', '--dir', this.dir, ...set, ...(this.options.demo ? ['--demo'] : [])];
    const most = this.options.ulimit; // "-n 64": descriptors of one table; "-f 24000": blocks of 512 bytes of a file
    this.serve = spawn(most ? 'sh' : even, most ? ['-c', `ulimit ${most}; exec "$0" "$@"`, even, ...args] : args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = null;
    this.serve.on('exit', (code, signal) => { this.ended = { code, signal }; });
    const hear = (d) => { this.log += d; if (process.env.EVEN_TEST_LOG) process.stderr.write(d); };
    this.serve.stdout.on('data', hear);
    this.serve.stderr.on('data', hear);
    let text = '';
    this.serve.stdout.on('data', (d) => { text += d; });
    await until('the program says its ports', () => {
      if (this.ended) throw new Error(`even ended at the start: ${JSON.stringify(this.ended)}\n${this.log}`);
      return /云快充\s+\S+:\d+/.test(text);
    });
    const port = (re) => Number(re.exec(text)[1]);
    this.ports = {
      'web.port': port(/http:\/\/[^:]+:(\d+)/),
      'charge.ocpp_port': port(/ws:\/\/[^:]+:(\d+)/),
      'charge.ykc_port': port(/云快充\s+[^:]+:(\d+)/),
    };
    this.web = `http://127.0.0.1:${this.ports['web.port']}`;
    this.ocpp = `ws://127.0.0.1:${this.ports['charge.ocpp_port']}/ocpp`;
    await until('readyz', async () => (await fetch(`${this.web}/readyz`).catch(() => null))?.ok);
  }

  kill(signal = 'SIGKILL') {
    return new Promise((done) => {
      if (this.ended) return done();
      this.serve.once('exit', () => done());
      this.serve.kill(signal);
    });
  }

  /** Another process of the same program, e.g. the simulator; ended with the house. */
  run(args) {
    const child = spawn(even, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.text = '';
    for (const s of [child.stdout, child.stderr])
      s.on('data', (d) => { child.text += d; if (process.env.EVEN_TEST_LOG) process.stderr.write(d); });
    this.children.push(child);
    return child;
  }

  /** `even check` on this house's file: { code, text }. */
  check() {
    const r = spawnSync(even, ['check', '--dir', this.dir], { encoding: 'utf8' });
    return { code: r.status, text: r.stdout + r.stderr };
  }

  async end() {
    for (const c of this.children) c.kill('SIGKILL');
    if (this.serve) await this.kill('SIGTERM');
    if (!this.options.keep) rmSync(this.dir, { recursive: true, force: true });
  }

  /** One request; answers { status, body, headers }. Writes carry CSRF token and a fresh Idempotency-Key unless told. */
  async ask(method, path, body, headers = {}) {
    const h = { cookie: this.cookie, ...headers };
    if (method !== 'GET') {
      for (const [k, v] of [['content-type', 'application/json'], ['x-csrf-token', this.csrf], ['idempotency-key', randomUUID()]])
        if (h[k] === undefined) h[k] = v; // null leaves it out
    }
    for (const k of Object.keys(h)) if (h[k] === null) delete h[k];
    const r = await fetch(this.web + path, { method, headers: h, body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body) });
    const set = r.headers.get('set-cookie'); // one at most; Debian's Node 18 has no getSetCookie() on an answer
    if (set) this.cookie = set.split(';')[0];
    const text = await r.text();
    let json = null;
    try { json = JSON.parse(text); } catch { /* not JSON: text is kept */ }
    return { status: r.status, body: json ?? text, headers: r.headers };
  }

  /** ask() that must succeed. */
  async must(method, path, body, headers) {
    const r = await this.ask(method, path, body, headers);
    if (r.status < 200 || r.status > 299) throw new Error(`${method} ${path}: ${r.status} ${JSON.stringify(r.body)}`);
    return r.body;
  }

  /** First-run set-up; leaves this client logged in as admin. */
  async setup() {
    const s = await this.must('POST', '/api/v1/setup', {
      tenant_name: 'Test operator', currency: 'CNY', zone: 'Asia/Shanghai', login: 'admin', name: 'Admin', password: 'correct horse battery',
    });
    this.csrf = s.csrf;
    return s;
  }

  /** A second client of the same server with its own session. */
  client() {
    const c = Object.create(House.prototype);
    Object.assign(c, { web: this.web, cookie: '', csrf: '', options: this.options });
    return c;
  }

  async login(login, password) {
    const s = await this.must('POST', '/api/v1/login', { login, password });
    this.csrf = s.csrf;
    return s;
  }

  /** The little world of the 4-yuan story: flat 1.2 yuan, 5:5 with a property owner. */
  async world({ chargers = [{ path: 'CP1', protocol: 1, power: 120000 }], balance = '4.00', elec_e5 = 80000, service_e5 = 40000 } = {}) {
    const all = [{ first_mmdd: 101, last_mmdd: 1231, weekdays: 127, plan: 0 }];
    const w = { chargers: [] };
    const self = (await this.must('GET', '/api/v1/parties')).items[0].id;
    w.tariff = (await this.must('POST', '/api/v1/tariffs', { name: 'flat', from_ms: 0, days: all,
      slices: [{ plan: 0, from_min: 0, label: '平', elec_e5, service_e5 }] })).id;
    w.owner = (await this.must('POST', '/api/v1/parties', { kind: 2, name: 'Owner', state: 0 })).id;
    w.contract = (await this.must('POST', '/api/v1/contracts', { name: '5:5', from_ms: 0, unit: 1,
      parties: [{ party: self, lines: 7, ratio: 5 }, { party: w.owner, lines: 7, ratio: 5 }] })).id;
    w.station = (await this.must('POST', '/api/v1/stations', { name: 'Station', address: 'A', zone: 'Asia/Shanghai', lat_e7: 0, lng_e7: 0,
      tariff: w.tariff, contract: w.contract, seller: 'Seller', tax_bp: 1300, state: 0 })).id;
    for (const c of chargers) {
      const id = (await this.must('POST', '/api/v1/chargers', { station: w.station, path: c.path, protocol: c.protocol, name: c.path,
        max_power_w: c.power ?? 120000, state: 0 })).id;
      const connectors = [];
      for (let n = 1; n <= (c.guns ?? 1); n++) {
        const code = `${c.path.slice(-6).toUpperCase().replace(/[^0-9A-Z]/g, '')}G${n}`;
        connectors.push({ number: n, code, id: (await this.must('POST', '/api/v1/connectors',
          { charger: id, number: n, kind: 2, max_power_w: c.power ?? 120000, code })).id });
      }
      const secret = c.protocol === 1 ? (await this.must('POST', `/api/v1/chargers/${id}/secret`)).secret : '';
      w.chargers.push({ ...c, id, connectors, secret });
    }
    w.driver = (await this.must('POST', '/api/v1/drivers', { phone: '13800138000', name: 'Driver', state: 0 })).id;
    await this.must('POST', `/api/v1/drivers/${w.driver}/topups`, { amount: balance, note: 'test' });
    await this.must('POST', '/api/v1/people', { login: 'partner', name: 'P', password: 'partner password', role: 3, party: w.owner, state: 0 });
    return w;
  }
}

let failed = 0;
let passed = 0;
/** A named check; goes on after a failure, the exit code tells. */
export function check(ok, what) {
  if (ok) passed++;
  else {
    failed++;
    console.log(`FAILED: ${what}`);
  }
}
/** For tests that keep house themselves: tells the result and ends the program. */
export function finish() {
  console.log(`${passed} checks held, ${failed} failed`);
  process.exit(process.exitCode || failed || passed === 0 ? 1 : 0);
}
/** Runs the test's main function with a house; always ends it. */
export async function main(fn, options) {
  const house = new House(options);
  try {
    await house.start();
    await fn(house);
  } catch (e) {
    failed++;
    console.log(`FAILED: ${e.stack}`);
    console.log(house.log.split('\n').slice(-40).join('\n'));
  } finally {
    await house.end();
  }
  finish();
}
