// SPDX-License-Identifier: Apache-2.0
// ftp.mjs: firmware over FTP. A pile is told (0x94) where its file lies; curl and Python's ftplib, who know nothing of us, fetch it as piles do: passive,
// extended, active, from the middle, again after a kill. Then who may not: other piles, guesses, old calls, withdrawn files, thieves of all kinds. The
// simulator's pile does it all by itself; staff do it on the pile's page. SHOTS=folder keeps a screenshot.
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import net from 'node:net';
import { chromium } from 'playwright-core';
import { check, freePort, main, sleep, until } from './house.mjs';
import { Cp, Pile } from './rogue.mjs';

const PILE = '32010600019236', OTHER = '32010600019237', SIM = '32010600019238';
const port = await freePort(), passive = await freePort();
const settings = { 'ftp.port': port, 'ftp.passive_from': passive, 'ftp.passive_to': passive + 9, 'ftp.idle_s': 5, 'ftp.per_address': 6 };

async function upload(h, bytes, extra = {}) {
  const id = (await h.must('POST', '/api/v1/firmware', { name: 'fw-2.0.hex', vendor: '', model: '', version: '2.0', size: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'), ...extra })).id;
  const r = await fetch(`${h.web}/api/v1/firmware/${id}/data?at=0`, { method: 'PUT', body: bytes,
    headers: { cookie: h.cookie, 'x-csrf-token': h.csrf, 'content-type': 'application/octet-stream' } });
  check(r.ok, `the file is uploaded: ${r.status}`);
  return id;
}

const text = (b) => b.toString('latin1').replace(/\0+$/, '');
/** The body of 0x94. */
function told(b) {
  return { pile: b.subarray(0, 7).toString('hex'), model: b[7], power: b.readUInt16LE(8), host: text(b.subarray(10, 26)), port: b.readUInt16LE(26),
    user: text(b.subarray(28, 44)), password: text(b.subarray(44, 60)), path: text(b.subarray(60, 92)), when: b[92], minutes: b[93], n: b.length };
}

async function update(h, p, charger, firmware, extra = {}) {
  const made = await h.ask('POST', `/api/v1/chargers/${charger}/firmware`, { firmware, ...extra });
  check(made.status === 200, `the update is sent: ${JSON.stringify(made.body)}`);
  return { ...told((await p.on(0x94)).body), id: made.body.id };
}
const url = (u, path = u.path) => `ftp://${u.user}:${u.password}@${u.host}:${u.port}${path}`;
/** A program beside this one, without stopping it. */
const run = (command, args, input = '') => new Promise((done) => {
  const child = spawn(command, args), out = [];
  let err = '';
  child.stdout.on('data', (d) => out.push(d));
  child.stderr.on('data', (d) => { err += d; });
  child.on('close', (code) => done({ code, out: Buffer.concat(out), err }));
  child.stdin.end(input);
});
const curl = (u, ...args) => run('curl', ['-sS', '--max-time', '20', ...args, typeof u === 'string' ? u : url(u)]);
const progress = async (h, u) => (await h.must('GET', `/api/v1/commands/${u.id}`)).progress ?? '';

/** Lines to the control connection, and what came back until it is silent or closed. */
function talk(lines, { from, wait = 400, keep = false } = {}) {
  return new Promise((done) => {
    const s = net.connect({ port, host: '127.0.0.1', localAddress: from });
    const me = { s, text: '', closed: false };
    const end = () => { if (!keep) s.destroy(); done(me); };
    let timer = setTimeout(end, 5000);
    s.on('data', (d) => { me.text += d; clearTimeout(timer); timer = setTimeout(end, wait); });
    s.on('error', () => {});
    s.on('close', () => { me.closed = true; clearTimeout(timer); done(me); });
    s.write(lines);
  });
}

async function curls(h, u, bytes) {
  for (const [what, args] of [['EPSV', []], ['PASV', ['--disable-epsv']], ['PORT', ['--ftp-port', '127.0.0.1', '--disable-eprt']],
    ['no CWD', ['--ftp-method', 'nocwd']], ['one CWD', ['--ftp-method', 'singlecwd']]]) {
    const r = await curl(u, ...args);
    check(r.code === 0 && r.out.equals(bytes), `curl by ${what}: ${r.code}, ${r.out.length} bytes ${r.err}`);
  }
  for (const [what, args, from, to] of [['a range', ['-r', '1000-1999'], 1000, 2000], ['from the middle', ['-C', '777777'], 777777, bytes.length],
    ['the last byte', ['-C', String(bytes.length - 1)], bytes.length - 1, bytes.length]]) {
    const r = await curl(u, ...args);
    check(r.out.equals(bytes.subarray(from, to)), `curl, ${what}: ${r.code}, ${r.out.length} bytes ${r.err}`);
  }
  const head = await curl(u, '-I');
  check(head.out.includes(`Content-Length: ${bytes.length}`) && /Last-Modified: .*20\d\d/.test(head.out), `SIZE and MDTM: ${head.out}`);
  const list = await curl(url(u, '/')), names = await curl(url(u, '/'), '-l');
  check(list.out.toString().trim().endsWith(`${u.path.slice(1)}`) && list.out.includes(String(bytes.length)), `LIST: ${list.out}`);
  check(names.out.toString().trim() === u.path.slice(1), `NLST: ${names.out}`);
  const put = await run('curl', ['-sS', '-T', '-', url(u)], 'x');
  check(put.code === 25, `nothing is taken: ${put.code} ${put.err}`);
  check((await curl(url(u, '/../../key'), '--path-as-is')).code !== 0 && (await curl(url(u, '/%2e%2e/key'))).code !== 0, 'no way out of the folder');
}

const script = `
import ftplib, hashlib, json, sys
host, port, user, password, path, size = sys.argv[1:7]
out = {}
f = ftplib.FTP()
f.connect(host, int(port), timeout=15)
f.login(user, password)
def fetch(rest=None):
    h = hashlib.sha256()
    f.retrbinary('RETR ' + path, h.update, rest=rest)
    return h.hexdigest()
out['pwd'] = f.pwd()
f.cwd('/')
out['size'] = f.size(path)
out['whole'] = fetch()
out['rest'] = fetch(500000)
f.set_pasv(False)
out['active'] = fetch()
f.set_pasv(True)
out['nlst'] = f.nlst()
lines = []
f.retrlines('LIST', lines.append)
out['lines'] = len(lines)
for what, go in (('stor', lambda: f.storbinary('STOR x', sys.stdin.buffer)), ('dele', lambda: f.delete(path)), ('mkd', lambda: f.mkd('x')), ('up', lambda: f.cwd('/etc'))):
    try:
        go()
        out[what] = 'done'
    except ftplib.error_perm as e:
        out[what] = str(e)[:3]
conn = f.transfercmd('RETR ' + path)
conn.recv(10)
out['abort'] = f.abort()[:3]
conn.close()
try:
    out['after'] = f.voidresp()[:3]
except ftplib.all_errors as e:
    out['after'] = str(e)[:3]
out['again'] = fetch()
f.quit()
print(json.dumps(out))
`;

async function python(u, bytes) {
  const r = await run('python3', ['-', u.host, String(u.port), u.user, u.password, u.path, String(bytes.length)], script);
  const out = r.code === 0 ? JSON.parse(r.out) : {};
  const sha = (b) => createHash('sha256').update(b).digest('hex');
  check(r.code === 0 && out.pwd === '/' && out.size === bytes.length, `ftplib: ${r.code} ${r.err}`);
  check(out.whole === sha(bytes) && out.rest === sha(bytes.subarray(500000)) && out.active === sha(bytes) && out.again === sha(bytes), `ftplib fetches in three ways: ${JSON.stringify(out)}`);
  check(JSON.stringify(out.nlst) === JSON.stringify([u.path.slice(1)]) && out.lines === 1, 'one file');
  check(out.stor === '550' && out.dele === '550' && out.mkd === '550' && out.up === '550', `read only: ${JSON.stringify(out)}`);
  check(['226', '426'].includes(out.abort) && ['226', '426'].includes(out.after), `an abort with urgent bytes is answered: ${out.abort} ${out.after}`);
}

async function strangers(h, u) {
  const login = async (user, password) => (await talk(`USER ${user}\r\nPASS ${password}\r\nPWD\r\n`, { wait: 1600 })).text;
  const swap = (s, i) => s.slice(0, i) + (s[i] === 'a' ? 'b' : 'a') + s.slice(i + 1);
  const all = await Promise.all([[OTHER, u.password], [u.user, swap(u.password, 3)], [u.user, ''], [u.user, u.password + 'a'], ['anonymous', 'x@y'], ["' OR 1=1 --", u.password]]
    .map(([user, password]) => login(user, password)));
  check(all.every((t) => t.includes('\r\n530 ') && !t.includes('230 ') && !t.includes('257 ')), `nobody else logs in: ${JSON.stringify(all)}`);
  const three = await talk('USER 1\r\nPASS 2\r\n'.repeat(5), { wait: 4000 });
  check(three.closed && three.text.split('530 ').length === 3 && three.text.includes('421 '), `three guesses: ${JSON.stringify(three.text)}`);
  const go = (lines) => talk(`USER ${u.user}\r\nPASS ${u.password}\r\n${lines}`);
  check((await go('PORT 8,8,8,8,19,136\r\nRETR x\r\n')).text.includes('501 '), 'no bounce');
  check((await go(`RETR ${u.path}\r\n`)).text.includes('425 '), 'no data without a port');
  check((await go(`${'x'.repeat(100000)}\r\nNOOP\r\n`)).text.trim().endsWith('200 OK'), 'a long line is no harm');
  check((await go('MLSD\r\nSITE EXEC ls\r\nEPRT |1|127.0.0.1|9999|\r\n')).text.match(/502 /g)?.length === 3, 'what it does not know');
  const pasv = await talk(`USER ${u.user}\r\nPASS ${u.password}\r\nPASV\r\n`, { keep: true });
  const at = /227 [^(]*\((\d+),(\d+),(\d+),(\d+),(\d+),(\d+)\)/.exec(pasv.text), data = Number(at[5]) * 256 + Number(at[6]);
  check(at.slice(1, 5).join('.') === '127.0.0.1' && data >= passive && data <= passive + 9, `a port of the range: ${data}`);
  const stolen = await new Promise((done) => {
    const s = net.connect({ port: data, host: '127.0.0.1', localAddress: '127.0.0.9' });
    let got = 0;
    s.on('data', (d) => { got += d.length; });
    s.on('error', () => {});
    s.on('close', () => done(got));
    s.on('connect', () => pasv.s.write(`RETR ${u.path}\r\n`));
  });
  check(stolen === 0, `the port is no good to a stranger: ${stolen} bytes`);
  pasv.s.destroy();
  const crowd = await Promise.all(Array.from({ length: 10 }, () => talk('', { keep: true })));
  check(crowd.filter((c) => c.text.startsWith('421 ')).length >= 4 && crowd.some((c) => c.text.startsWith('220 ')), `six of one address: ${crowd.map((c) => c.text.slice(0, 3))}`);
  check((await talk('', { from: '127.0.0.8' })).text.startsWith('220 '), 'others come in meanwhile');
  for (const c of crowd) c.s.destroy();
  await sleep(200);
}

async function refusals(h, w, viewer, id) {
  const [pile, other, cp] = w.chargers;
  const go = (who, charger, body) => who.ask('POST', `/api/v1/chargers/${charger}/firmware`, body);
  const is = (r, status, code, what) => check(r.status === status && r.body.type === `urn:even:${code}`, `${what}: ${r.status} ${JSON.stringify(r.body)}`);
  is(await go(viewer, pile.id, { firmware: id }), 403, 'denied', 'a viewer updates nothing');
  is(await go(h, other.id, { firmware: id }), 409, 'offline', 'a pile that is away');
  is(await go(h, pile.id, { firmware: '1' }), 404, 'not-found', 'no such file');
  is(await go(h, '1', { firmware: id }), 404, 'not-found', 'no such pile');
  check([400, 422].includes((await go(h, pile.id, { firmware: id, minutes: 0 })).status), 'no time is no time');
  const c = await Cp.open(h, cp);
  await c.boot();
  check((await go(h, cp.id, { firmware: id })).status === 200 && (await c.expect('UpdateFirmware')).location.startsWith('http'), 'OCPP chargers fetch over HTTP as before');
  c.drop();
}

async function ended(h, p, pile, id, u) {
  await sleep(1100); // the end of a password is told in seconds
  const v = await update(h, p, pile.id, id, { idle: true, minutes: 7 });
  check(v.when === 2 && v.minutes === 7 && v.password !== u.password, 'when nothing charges, and how long it may take');
  const seen = JSON.stringify((await h.must('GET', `/api/v1/chargers/${pile.id}/frames?limit=200`)).items);
  check(seen.includes('0x94') && seen.includes(v.path) && !seen.includes(v.password) && !seen.includes(Buffer.from(v.password).toString('hex')), 'the frame viewer shows the path, not the password');
  check((await curl(u)).code === 67, 'the password of the call before is over');
  check((await curl(v)).code === 0, 'that of the last is good');
  const alien = { user: PILE, password: 'abcdefghijkmnpq', path: '/firmware.bin' };
  await h.must('POST', `/api/v1/chargers/${pile.id}/calls`, { action: 'Update', payload: { host: '192.0.2.1', port: 21, ...alien } });
  check(told((await p.on(0x94)).body).host === '192.0.2.1', 'a foreign address can be told as before');
  check((await curl({ ...alien, host: '127.0.0.1', port })).code === 67, 'and makes nobody a user of ours');
  check((await curl(v)).code === 67, 'nor the call before it');
  const x = await update(h, p, pile.id, id);
  const put = async (state) => {
    const now = await h.ask('GET', `/api/v1/chargers/${pile.id}`);
    await h.must('PUT', `/api/v1/chargers/${pile.id}`, { ...now.body, state }, { 'if-match': now.headers.get('etag') });
  };
  await put(1);
  check((await curl(x)).code === 67, 'a disabled pile fetches nothing');
  await put(0);
  const open = await talk(`USER ${x.user}\r\nPASS ${x.password}\r\nEPSV\r\n`, { keep: true });
  check(open.text.includes('229 '), 'somebody is logged in');
  await h.must('POST', `/api/v1/firmware/${id}/withdraw`, {});
  open.s.write(`RETR ${x.path}\r\n`);
  check(await until('the file is gone', () => /\r\n(550|425|421) /.test(open.text)).catch(() => false) && open.text.includes('550 '), `a withdrawn file ends what is open: ${open.text}`);
  open.s.destroy();
  check((await curl(x)).code === 67, 'and lets nobody in');
}

/** The simulator's pile fetches by itself and says that it is done. */
async function simulated(h, pile, id) {
  h.run(['sim', '--ykc', `127.0.0.1:${h.ports['charge.ykc_port']}`, '--ykc-piles', '1', '--first-pile', SIM]);
  await until('the simulated pile is there', async () => (await h.must('GET', `/api/v1/chargers/${pile.id}`)).online);
  const made = await h.must('POST', `/api/v1/chargers/${pile.id}/firmware`, { firmware: id });
  check(await until('it has installed it', async () => (await progress(h, made)) === 'Installed').catch(() => false), `the simulated pile: ${await progress(h, made)}`);
  const audit = (await h.must('GET', '/api/v1/audit?limit=200')).items.filter((a) => a.object === pile.id && a.action.startsWith('firmware.'));
  check(audit.length === 2, `it came, it has it: ${JSON.stringify(audit.map((a) => a.action))}`);
}

/** One click on the pile's page, and what the page says of it then. */
async function clicked(h, p, pile, bytes) {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  try {
    const desk = await (await browser.newContext({ viewport: { width: 1400, height: 900 }, locale: 'zh-CN' })).newPage();
    const id = (name) => desk.locator(`[data-testid="${name}"]`);
    desk.on('pageerror', (e) => check(false, `page error: ${e.message}`));
    await desk.goto(`${h.web}/`);
    await desk.locator('input[name=login]').fill('admin');
    await desk.locator('input[name=password]').fill('correct horse battery');
    await id('login-submit').click();
    await desk.waitForURL(/#\/(?!login)/);
    await desk.goto(`${h.web}/#/chargers/${pile.id}`);
    await desk.locator('.el-tabs__item', { hasText: '固件' }).click();
    await id('firmware-pick').click();
    await desk.locator('.el-select-dropdown__item', { hasText: 'fw-2.0.hex' }).first().click();
    await id('firmware-start').click();
    await desk.locator('.el-message-box__btns .el-button--primary').click();
    const u = told((await p.on(0x94)).body);
    const r = await curl(u);
    check(r.out.equals(bytes), `the file by the page's click: ${r.code} ${r.err}`);
    await desk.locator('[data-testid="firmware-progress"]', { hasText: 'Downloaded' }).first().waitFor({ timeout: 20000 });
    if (process.env.SHOTS) await desk.screenshot({ path: `${process.env.SHOTS}/ftp-page.png` });
    check(true, 'the page says that it has been fetched');
  } finally {
    await browser.close();
  }
}

await main(async (h) => {
  const judges = ['curl', 'python3'].filter((c) => spawnSync(c, ['--version']).status === 0);
  check(judges.length === 2, `curl and python3 are there: ${judges}`);
  await h.setup();
  const w = await h.world({ chargers: [{ path: PILE, protocol: 2 }, { path: OTHER, protocol: 2, power: 60000 }, { path: 'CP1', protocol: 1 }, { path: SIM, protocol: 2, guns: 2 }] });
  await h.must('POST', '/api/v1/people', { login: 'viewer', name: 'V', password: 'viewer password', role: 5, state: 0 });
  const viewer = h.client();
  await viewer.login('viewer', 'viewer password');
  const bytes = randomBytes(1500000), [pile, , , sim] = w.chargers;
  const id = await upload(h, bytes);
  let p = await Pile.open(h, PILE);
  check((await p.login()) === 0, 'the pile logs in');
  const beat = setInterval(() => p.beat(), 5000);

  // Two who do not log in: one is silent, one says a letter now and then.
  const mute = await talk('', { from: '127.0.0.7', keep: true }), slow = await talk('U', { from: '127.0.0.7', keep: true });
  const letters = setInterval(() => { if (!slow.closed) slow.s.write('x'); }, 1000);

  const u = await update(h, p, pile.id, id);
  check(u.n === 94 && u.pile === PILE && u.model === 1 && u.power === 120 && u.when === 1 && u.minutes === 30, `0x94: ${JSON.stringify(u)}`);
  check(u.host === '127.0.0.1' && u.port === port && u.user === PILE && u.password.length === 15 && u.path.length <= 31 && u.path.endsWith('.hex'), `where: ${JSON.stringify(u)}`);
  check((await progress(h, u)) === '', 'it did not come yet');
  await refusals(h, w, viewer, id);

  // Half of it, then the power fails; the rest after the restart.
  const half = await talk(`USER ${u.user}\r\nPASS ${u.password}\r\nEPSV\r\n`, { keep: true });
  const data = net.connect({ port: Number(/\|\|\|(\d+)\|/.exec(half.text)[1]), host: '127.0.0.1' });
  data.on('error', () => {});
  data.once('data', () => data.destroy());
  half.s.write(`RETR ${u.path}\r\n`);
  await until('it broke off', async () => /^BrokenOff \d+%$/.test(await progress(h, u)));
  half.s.destroy();
  await until('who does not log in is shown out', () => mute.closed && slow.closed, 60000);
  clearInterval(letters);
  await h.kill();
  p.drop();
  await h.start();
  p = await Pile.open(h, PILE);
  await until('the pile is let in again', async () => (await p.login()) === 0);
  const rest = await curl(u, '-C', '700000');
  check(rest.out.equals(bytes.subarray(700000)), `the rest after a kill: ${rest.code} ${rest.out.length} ${rest.err}`);
  await until('all is fetched', async () => (await progress(h, u)) === 'Downloaded');
  await curls(h, u, bytes);
  await python(u, bytes);
  check((await progress(h, u)) === 'Downloaded', 'once fetched is fetched');
  await strangers(h, u);
  const audit = (await h.must('GET', '/api/v1/audit?limit=200')).items.filter((a) => a.object === pile.id && a.action.startsWith('firmware.'));
  check(audit.length === 2 && audit.every((a) => a.actor_kind === 5 && a.detail === `firmware ${id} to 127.0.0.1`) && audit[0].action === 'firmware.fetched' && audit[1].action === 'firmware.fetch',
    `the audit says who fetched what, twice and no more: ${JSON.stringify(audit)}`);
  p.send(0x93, Buffer.concat([Buffer.from(PILE, 'hex'), Buffer.from([0])]));
  await until('the pile says that it is done', async () => (await progress(h, u)) === 'Installed');
  await curl(u);
  check((await progress(h, u)) === 'Installed', 'what the pile says is the last word');
  await simulated(h, sim, id);
  await clicked(h, p, pile, bytes);
  await ended(h, p, pile, id, u);
  clearInterval(beat);
  p.drop();
  const books = h.check();
  check(books.code === 0, `the books are in order: ${books.text.slice(0, 400)}`);
}, { set: settings });
