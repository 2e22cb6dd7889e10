// SPDX-License-Identifier: Apache-2.0
// bad.mjs: what strangers send. Every row must get a clear answer, change nothing, and leave the server well for others.
import net from 'node:net';
import { createRequire } from 'node:module';
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, even, main, until } from './house.mjs';

const require = createRequire(import.meta.url);
const WebSocket = require('ws');

function raw(port, bytes, wait = 1500) {
  return new Promise((done) => {
    const s = net.connect(port, '127.0.0.1', () => s.write(bytes));
    let got = Buffer.alloc(0);
    s.on('data', (d) => { got = Buffer.concat([got, d]); });
    const end = () => { s.destroy(); done(got.toString('latin1')); };
    s.on('close', end);
    s.on('error', end);
    setTimeout(end, wait);
  });
}

/** Of each subcommand: an option that there is not, a value that is missing or out of range, an argument too many. */
function commandLine(dir) {
  const cashier = ['cashier', '--dir', join(dir, 'till')];
  const replay = ['replay', 'sessions.csv', '--mapping', 'm', '--web', 'http://127.0.0.1:1', '--key-file', 'k'];
  return [
    ['serve', 'more'], ['serve', '--dir'],
    ['demo', '--dance'], ['demo', 'more'], ['demo', '--speed'], ['demo', '--speed', '0'], ['demo', '--speed', 'x'], ['demo', '--for', '-1'], ['demo', '--set', 'no.such=1'],
    ['sim', '--dance'], ['sim', 'more'], ['sim', '--ocpp'], ['sim', '--ocpp', 'x'], ['sim', '--speed', '0'], ['sim', '--url', 'http://x'], ['sim', '--ocpp', '1'],
    ['bill', '--dance'], ['bill', '7'], ['bill', 'x', '2026-11-25'], ['bill', '0', '2026-11-25'], ['bill', '7', '2026-13-25'], ['bill', '7', '2026.11.25'],
    ['bill', '7', '2026-11-25', 'parts'], ['bill', '7', '2026-11-25', 'shares', 'more'],
    [...cashier, '--dance'], [...cashier, '--dance', '1'], [...cashier, '--port'], [...cashier, '--port', '70000'], [...cashier, '--port', 'x'], [...cashier, '--seed', '-1'],
    [...cashier, '--faults', 'lost=101'], [...cashier, '--faults', 'luck=1'], [...cashier, 'more'], ['cashier'], ['cashier', '--dir', 'x'.repeat(500)],
    [...replay, '--dance'], [...replay, '--url'], [...replay, 'more'], [...replay, '--elec', '-1', '--url', 'ws://127.0.0.1:1/'], replay, [...replay, '--url', 'http://x'], ['replay'],
    ['replay-core'], ['replay-core', dir], ['replay-core', dir, '--dance', 'x'], ['replay-core', dir, '--flight'],
    ['backup', '--dance'], ['backup', '--dir', dir, 'a', 'b'], ['check', '--dance'], ['check', 'a', 'b'], ['check', '--certificate'],
    ['certificate', '--dance'], ['certificate'], ['certificate', 'a', '20261125', 'b'], ['config', '--set'], ['types', 'x'], ['help', 'x'],
  ];
}

await main(async (h) => {
  await h.setup();
  const w = await h.world();
  const cp = w.chargers[0];
  const trial = async () => JSON.stringify((await h.must('GET', '/api/v1/ledger/trial')).rows);
  const before = await trial();

  // ---- REST ----
  const topup = `/api/v1/drivers/${w.driver}/topups`;
  const rest = [
    ['malformed JSON', 'POST', topup, '{"amount":', {}, 400],
    ['unknown member', 'POST', topup, { amount: '1.00', extra: 1 }, {}, [400, 422]],
    ['money as a number', 'POST', topup, { amount: 1.5 }, {}, [400, 422]],
    ['too many decimals', 'POST', topup, { amount: '1.00001' }, {}, [400, 422]],
    ['zero', 'POST', topup, { amount: '0.00' }, {}, [400, 409, 422]],
    ['negative', 'POST', topup, { amount: '-1.00' }, {}, [400, 409, 422]],
    ['beyond every limit', 'POST', topup, { amount: '99999999999999999999.00' }, {}, [400, 422]],
    ['missing member', 'POST', topup, {}, {}, [400, 422]],
    ['no key of idempotency', 'POST', topup, { amount: '1.00' }, { 'idempotency-key': null }, 400],
    ['no CSRF token', 'POST', topup, { amount: '1.00' }, { 'x-csrf-token': null }, 403],
    ['wrong CSRF token', 'POST', topup, { amount: '1.00' }, { 'x-csrf-token': 'x'.repeat(43) }, 403],
    ['not logged in', 'POST', topup, { amount: '1.00' }, { cookie: '' }, [401, 403]],
    ['wrong content type', 'POST', topup, 'amount=1', { 'content-type': 'application/x-www-form-urlencoded' }, [400, 415]],
    ['a body too large', 'POST', topup, `{"note":"${'x'.repeat(400000)}"}`, {}, 413],
    ['another driver id', 'POST', '/api/v1/drivers/12345/topups', { amount: '1.00' }, {}, 404],
    ['an id that is none', 'POST', '/api/v1/drivers/abc/topups', { amount: '1.00' }, {}, [400, 404, 422]],
    ['no such path', 'GET', '/api/v1/nothing', undefined, {}, 404],
    ['wrong method', 'PUT', '/api/v1/login', {}, {}, 405],
    ['path tricks', 'GET', '/..%2f..%2fetc/passwd', undefined, {}, [400, 404]],
    ['unknown query argument', 'GET', '/api/v1/orders?dance=1', undefined, {}, [400, 422]],
    ['a limit that is none', 'GET', '/api/v1/orders?limit=9999999', undefined, {}, [400, 422]],
    ['a cursor that is none', 'GET', '/api/v1/orders?after=zzz', undefined, {}, [400, 422]],
    ['cap above the balance', 'POST', '/api/v1/orders', { connector: cp.connectors[0].id, driver: w.driver, cap: '4.01' }, {}, [402, 409]],
    ['charger offline', 'POST', '/api/v1/orders', { connector: cp.connectors[0].id, driver: w.driver, cap: '4.00' }, {}, 409],
    ['a zone that is none', 'POST', '/api/v1/stations', { name: 'S', address: '', zone: 'Mars/Base', lat_e7: 0, lng_e7: 0, tariff: w.tariff, contract: w.contract, seller: '', tax_bp: 0, state: 0 }, {}, [400, 409, 422]],
    ['a tariff that starts late', 'POST', '/api/v1/tariffs', { name: 't', from_ms: 0, days: [{ first_mmdd: 101, last_mmdd: 1231, weekdays: 127, plan: 0 }], slices: [{ plan: 0, from_min: 60, label: 'x', elec_e5: 1, service_e5: 1 }] }, {}, [400, 409, 422]],
    ['a calendar with holes', 'POST', '/api/v1/tariffs', { name: 't', from_ms: 0, days: [{ first_mmdd: 101, last_mmdd: 601, weekdays: 127, plan: 0 }], slices: [{ plan: 0, from_min: 0, label: 'x', elec_e5: 1, service_e5: 1 }] }, {}, [400, 409, 422]],
    ['a contract with a stranger', 'POST', '/api/v1/contracts', { name: 'c', from_ms: 0, unit: 1, parties: [{ party: '42', lines: 7, ratio: 1 }] }, {}, [400, 404, 409, 422]],
    ['a contract without electricity', 'POST', '/api/v1/contracts', { name: 'c', from_ms: 0, unit: 1, parties: [{ party: w.owner, lines: 2, ratio: 1 }] }, {}, [200, 201, 400, 409, 422]],
    ['a login taken', 'POST', '/api/v1/people', { login: 'partner', name: 'x', password: 'long enough pass', role: 3, party: w.owner, state: 0 }, {}, [409, 422]],
    ['a second set-up', 'POST', '/api/v1/setup', { tenant_name: 'x', currency: 'CNY', zone: 'UTC', login: 'evil', name: 'x', password: 'long enough pass' }, {}, [403, 404, 409]],
  ];
  for (const [what, method, path, body, headers, want] of rest) {
    const r = await h.ask(method, path, body, headers);
    check([want].flat().includes(r.status), `${what}: wanted ${want}, got ${r.status} ${JSON.stringify(r.body).slice(0, 200)}`);
    if (r.status >= 400) check(r.body && typeof r.body === 'object' && r.body.title && r.body.title_zh, `${what}: a problem in two languages, got ${JSON.stringify(r.body).slice(0, 120)}`);
    if (r.body?.detail) check(/[\u4e00-\u9fff]/.test(r.body.detail_zh ?? ''), `${what}: its detail, too, got ${JSON.stringify(r.body).slice(0, 200)}`);
  }
  check((await trial()) === before, 'no money moved');
  const same = 'key-1';
  const one = await h.must('POST', topup, { amount: '1.00' }, { 'idempotency-key': same });
  const two = await h.must('POST', topup, { amount: '1.00' }, { 'idempotency-key': same });
  check(one.id === two.id && two.replay === true, 'the same key and content: the same transfer');
  check((await h.ask('POST', topup, { amount: '2.00' }, { 'idempotency-key': same })).status === 422, 'the same key, other content: refused');

  // ---- a partner may not look elsewhere ----
  const partner = h.client();
  await partner.login('partner', 'partner password');
  for (const path of ['/api/v1/orders', '/api/v1/drivers', '/api/v1/accounts', '/api/v1/audit', '/api/v1/me'])
    {
      const r = await partner.ask('GET', path);
      check(r.status === 403, `a partner is refused ${path}, got ${r.status} ${JSON.stringify(r.body).slice(0, 100)}`);
    }
  check((await partner.ask('POST', topup, { amount: '1.00' })).status === 403, 'a partner cannot top up');
  check((await partner.ask('GET', '/api/v1/partner')).status === 200, 'but sees the own share');
  for (let i = 0; i < 3; i++) check((await h.client().ask('POST', '/api/v1/login', { login: 'admin', password: 'wrong wrong' })).status === 401, 'a wrong password');

  // ---- the chargers' ports ----
  const port = h.ports['charge.ocpp_port'];
  const plain = await raw(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  check(/^HTTP\/1\.1 4(00|04|26) /.test(plain), `no upgrade: 400 or 426, got ${plain.slice(0, 40)}`);
  check(!/^HTTP\/1\.1 101/.test(await raw(port, 'nonsense\r\n\r\n')), 'nonsense is refused');
  check(!/^HTTP\/1\.1 101/.test(await raw(port, `GET /ocpp/${cp.path} HTTP/1.1\r\n${'X: y\r\n'.repeat(3000)}\r\n`)), 'headers without end are refused');
  const dial = (path, password) => new Promise((done) => {
    const ws = new WebSocket(`${h.ocpp}/${path}`, ['ocpp1.6'], password ? { headers: { authorization: 'Basic ' + Buffer.from(`${path}:${password}`).toString('base64') } } : {});
    ws.on('open', () => done(ws));
    ws.on('unexpected-response', (_, res) => { done(res.statusCode); });
    ws.on('error', () => done(0));
  });
  check((await dial('NOBODY', 'x')) === 404, 'an unknown charger: 404');
  check((await dial(cp.path, 'wrong')) === 401, 'a wrong password: 401');
  check((await dial(cp.path)) === 401, 'no password: 401');
  const ws = await dial(cp.path, cp.secret);
  check(typeof ws === 'object', 'the right password opens');
  const heard = [];
  ws.on('message', (d) => heard.push(JSON.parse(d.toString())));
  const say = async (text) => {
    const n = heard.length;
    ws.send(text);
    return until(`an answer to ${text.slice(0, 60)}`, () => heard.length > n && heard[heard.length - 1], 5000);
  };
  const frames = [
    ['[2,"a","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]', 3, null],
    ['  [ 2 , "b" , "Heartbeat" , { } ]  ', 3, null],
    ['[2,"c","Dance",{}]', 4, 'NotImplemented'],
    ['[2,"d","StatusNotification",{"connectorId":1}]', 4, 'OccurrenceConstraintViolation'],
    ['[2,"e","StatusNotification",{"connectorId":"x","errorCode":"NoError","status":"Available"}]', 4, 'TypeConstraintViolation'],
    ['[2,"f","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Sleeping"}]', 3, null], // counted, ignored
    ['[2,"g","StopTransaction",{"transactionId":-1,"meterStop":5,"timestamp":"2026-01-01T00:00:00Z"}]', 3, null],
    ['[2,"h","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-01-01T00:00:00Z","sampledValue":[{"value":"0.15002000000000001","unit":"kWh"}]}]}]', 3, null],
    ['[2,"i","StartTransaction",{"connectorId":1,"idTag":"NOBODY","meterStart":0,"timestamp":"2026-01-01T00:00:00Z"}]', 3, null],
    ['[2,"j\\u0000k","Heartbeat",{}]', 3, null],
    ['[2,"l\\u0000m","Dance",{}]', 4, 'NotImplemented'],
  ];
  for (const [text, kind, code] of frames) {
    const a = await say(text);
    check(a[1] === JSON.parse(text)[1], `the answer to ${text} has its whole id: ${JSON.stringify(a)}`);
    check(a[0] === kind && (!code || a[2] === code), `${text}: wanted ${kind} ${code ?? ''}, got ${JSON.stringify(a)}`);
  }
  ws.send('{"not":"an array"');
  ws.send('[3,"nobody asked",{}]');
  check((await say('[2,"z","Heartbeat",{}]'))[1] === 'z', 'still well after a malformed frame');
  ws.terminate();
  const ykc = h.ports['charge.ykc_port'];
  await raw(ykc, Buffer.from('deadbeef'.repeat(50), 'hex'), 500);
  check((await h.ask('GET', '/readyz')).status === 200, 'the server is well');
  const torn = await dial(cp.path, cp.secret);
  torn._socket.write(Buffer.from([0xc1, 0x80, 0, 0, 0, 0])); // a reserved bit
  check(await new Promise((done) => torn.on('close', done)) === 1002, 'a frame against the rules: 1002');
  const ended = async (why) => Number(new RegExp(`^even_net_ends_total\\{why="${why}"\\} (\\d+)$`, 'm').exec((await h.ask('GET', '/metrics')).body)?.[1]);
  await until('it is counted why connections end', async () => await ended('protocol') >= 1 && await ended('peer') >= 1);

  // ---- files and the command line ----
  const run = (...args) => spawnSync(even, args, { encoding: 'utf8', timeout: 20000 });
  const conf = join(h.dir, 'bad.conf');
  writeFileSync(conf, 'web.port = 99999\n');
  const lines = [
    [['dance'], 2], [['serve', '--dance'], 2], [['serve', '--set', 'no.such=1'], 2], [['serve', '--set', 'web.port=x'], 2],
    [['serve', '--config', '/nonexistent'], 2], [['config', '--check', '--config', conf], 2], [['check', '/nonexistent.db'], 70],
    [['serve', '--dir', h.dir], 70], // locked by the running one
    [['backup'], 2], [['config', '--dance'], 2], [['openapi', 'x'], 2], [['version', 'x'], 2], [['config', '--check', '--set', 'web.proxies=me'], 2],
    [['config', '--check', '--set', 'charge.silence_s=20'], 2], [['check', '--dir', h.dir, '--certificate', conf], 70], [['check', '--dir', h.dir, '--head', 'zz'], 2],
    [['certificate', '--dir', h.dir, '20261399'], 2],
    ...commandLine(h.dir).map((args) => [args, 2]),
  ];
  for (const [args, code] of lines) {
    const r = run(...args);
    check(r.status === code && r.stderr.trim().length > 0, `even ${args.join(' ')}: wanted ${code} and a word, got ${r.status} ${JSON.stringify(r.stderr.slice(0, 200))}`);
    if (code === 2) check(r.stderr.trim().split('\n').length === 1, `even ${args.join(' ')}: one line, got ${r.stderr}`);
  }
  for (const port of Object.keys(h.ports)) { // each is the running one's
    const others = Object.keys(h.ports).flatMap((p) => ['--set', `${p}=${p === port ? h.ports[p] : 0}`]);
    const r = spawnSync(even, ['serve', '--dir', join(h.dir, 'second'), ...others], { encoding: 'utf8', timeout: 20000 });
    check(r.status === 70 && /cannot listen on .*: (Busy|Address already in use)/.test(r.stderr), `a second program at ${port} ends, and says why: ${r.status} ${r.stderr.slice(-300)}`);
  }
  check(!existsSync('--dance') && !existsSync(join(h.dir, 'till')), 'a wrong option is no name of a file, and leaves none');
  for (const command of ['sim', 'cashier', 'replay']) {
    const r = run(command, '--help');
    check(r.status === 0 && r.stdout.includes(`even ${command}`) && r.stderr === '', `even ${command} --help tells its options`);
  }
  const bad = h.run(['version']);
  await until('version', () => bad.exitCode === 0);
  const books = h.check();
  check(books.code === 0, `even check: ${books.text}`);
});
