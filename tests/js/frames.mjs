// SPDX-License-Identifier: Apache-2.0
// frames.mjs: what staff see of the wire. A charger and a pile speak; their frames are listed with fields in two languages and the bytes these stand in,
// masked by who asks; filters, pages, the text file, watching. Then firmware: upload in parts, links that are nobody else's, ranges, an update and what
// the charger tells of it.
import { createHash, randomBytes } from 'node:crypto';
import { check, main, sleep, until } from './house.mjs';
import { Cp, Pile, bcd, frame } from './rogue.mjs';

const PILE = '32010600019236', OTHER = '32010600019237';

/** A request with any body; answers { status, headers, bytes }. */
async function raw(h, method, path, body, headers = {}) {
  const r = await fetch(path.startsWith('http') ? path : h.web + path, { method, body, headers: { cookie: h.cookie, 'x-csrf-token': h.csrf, ...headers } });
  return { status: r.status, headers: r.headers, bytes: Buffer.from(await r.arrayBuffer()) };
}
const frames = async (h, id, args = '') => (await h.must('GET', `/api/v1/chargers/${id}/frames?limit=200${args}`)).items;
const find = (list, kind, dir) => list.find((f) => f.kind === kind && (!dir || f.dir === dir));
const value = (f, path) => f?.fields.find((x) => x.path === path);

async function ocpp(h, viewer, cp) {
  const c = await Cp.open(h, cp);
  await c.ask('BootNotification', { chargePointVendor: 'Vendor', chargePointModel: 'Model', firmwareVersion: '1.0' });
  await c.status('Available');
  await c.ask('Authorize', { idTag: 'CARD4711' });
  await c.ask('DataTransfer', { vendorId: 'x', data: 'name of a driver' });
  c.ws.send('{"broken');
  c.ws.send(JSON.stringify([2, 'odd', 'StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Available', mood: 'GOOD4712' }]));
  await c.ask('Heartbeat', {});
  await h.must('POST', `/api/v1/chargers/${cp.id}/calls`, { action: 'ChangeConfiguration', payload: { key: 'AuthorizationKey', value: 'HUSH8888' } });
  await c.expect('ChangeConfiguration');
  await h.must('POST', `/api/v1/chargers/${cp.id}/calls`, { action: 'GetDiagnostics', payload: { location: 'ftp://u:HUSH9999@host/x' } });
  await c.expect('GetDiagnostics');
  await sleep(200);

  const list = await frames(h, cp.id);
  check(list.every((f, i) => i === 0 || BigInt(list[i - 1].id) > BigInt(f.id)), 'newest first, each once');
  const boot = find(list, 'BootNotification', 1), booted = find(list, 'BootNotification.conf', 2);
  check(value(boot, 'chargePointVendor')?.value === 'Vendor' && value(boot, 'chargePointVendor').zh === '厂商', 'a member has its name in Chinese');
  check(boot?.en === 'boot' && boot.zh === '启动通知' && boot.protocol === 1, 'the message has its names');
  const f = value(boot, 'chargePointVendor');
  check(Buffer.from(boot.text).subarray(f.at, f.at + f.n).toString() === '"Vendor"', 'the bytes of a member are its own');
  check(value(booted, 'status')?.value === 'Accepted', `an answer is named by its call: ${JSON.stringify(booted?.fields)}`);
  check(list.some((x) => x.dir === 3 && x.text === `asks ${cp.path}`) && list.some((x) => x.dir === 3 && x.text.startsWith('open')), 'the connection is told');
  const card = value(find(list, 'Authorize', 1), 'idTag');
  check(card?.value === 'CARD4711' && !card.masked, 'who may see drivers sees the card');
  check(list.filter((x) => x.result === 2).some((x) => x.text === '{"broken'), 'a broken message is refused and shown');
  check(list.some((x) => x.result === 1 && x.text.includes('GOOD4712')), 'an unknown member is odd');
  check(!JSON.stringify(list).includes('HUSH'), 'secrets are shown to nobody');
  const set = find(list, 'ChangeConfiguration', 2);
  check(value(set, 'value')?.masked && value(set, 'key').value === 'AuthorizationKey' && set.text.includes('"********"'), 'the key is there, its value is not');

  const seen = await frames(viewer, cp.id);
  check(seen.length === list.length, 'a viewer sees as many frames');
  check(!/CARD4711|name of a driver|GOOD4712|broken|HUSH/.test(JSON.stringify(seen)), 'but no cards, no free text, nothing unreadable');
  check(value(find(seen, 'BootNotification', 1), 'chargePointVendor').value === 'Vendor', 'what is nobody\'s business is plain');
  check((await frames(viewer, cp.id, '&text=CARD4711')).length === 0 && (await frames(h, cp.id, '&text=card4711')).length === 1, 'a search finds only what its asker may see');
  check((await frames(h, cp.id, '&kind=BootNotification')).length === 2 && (await frames(h, cp.id, '&kind=BootNotification&dir=1')).length === 1, 'kind and direction filter');
  check((await frames(h, cp.id, `&since=${list[3].id}`)).length === 3, 'since gives what is newer');
  const page = await h.must('GET', `/api/v1/chargers/${cp.id}/frames?limit=5`);
  const next = await h.must('GET', `/api/v1/chargers/${cp.id}/frames?limit=5&after=${page.next}`);
  check(page.items.length === 5 && next.items[0].id === list[5].id, 'pages follow one another');
  const text = await raw(viewer, 'GET', `/api/v1/chargers/${cp.id}/frames.txt?lang=zh`);
  check(text.status === 200 && /attachment/.test(text.headers.get('content-disposition')) && text.bytes.includes('启动通知') && !text.bytes.includes('CARD4711'),
    'the file has names and no cards');
  return c;
}

async function ykc(h, viewer, w) {
  const [, pile, other] = w.chargers;
  const p = await Pile.open(h, PILE), q = await Pile.open(h, OTHER);
  check((await p.login()) === 0 && (await q.login()) === 0, 'the piles log in');
  p.beat();
  await p.on(0x04);
  p.live('0'.repeat(32), { state: 2, plugged: 1 });
  p.s.write(frame(0x03, Buffer.alloc(9), { badCrc: true }));
  const card = '00000000d14b0a54';
  p.send(0x31, Buffer.concat([bcd(PILE), bcd('01'), Buffer.from([1, 1]), bcd(card), Buffer.from('0123456789abcdef'), Buffer.alloc(17, 0x30)]));
  await p.on(0x32);
  await sleep(200);
  const list = await frames(h, pile.id), hex = (f) => f.hex;
  check(find(list, '0x01', 1) && find(list, '0x02', 2), 'the log-in is there, of a pile that was not known yet');
  const live = find(list, '0x13', 1), state = value(live, 'state');
  check(state?.value === '2' && state.at === 6 + 24 && state.n === 1 && hex(live).slice(2 * state.at, 2 * state.at + 2) === '02', 'a field and its byte');
  check(live?.zh === '实时监测数据' && value(live, 'voltage').unit === 'V' && /电压/.test(value(live, 'voltage').zh), 'names and units');
  check(list.some((f) => f.result === 2), 'a frame with a wrong checksum is kept as refused');
  const ask = find(list, '0x31', 1);
  check(value(ask, 'card').value.toLowerCase() === card && value(ask, 'password').masked && !hex(ask).includes(Buffer.from('0123456789abcdef').toString('hex')),
    'the card is shown, its password is not');
  const masked = find(await frames(viewer, pile.id), '0x31', 1);
  check(masked && value(masked, 'card').masked && !masked.hex.toLowerCase().includes('d14b0a54') && masked.hex.length === ask.hex.length, 'a viewer sees stars in place of the card');
  check((await frames(h, other.id)).every((f) => !f.hex?.includes(PILE)), 'another pile has its own frames');
  check(!(await frames(h, pile.id)).some((f) => f.hex?.includes(OTHER)), 'and so has this');
  p.drop();
  q.drop();
}

async function watching(h, viewer, cp, c) {
  const at = `/api/v1/chargers/${cp.id}/watch`;
  check((await h.must('GET', at)).until_ms === 0, 'nobody watches');
  check((await h.must('POST', at, { minutes: 5 })).until_ms > Date.now() + 200000, 'five minutes');
  check((await viewer.ask('POST', at, { minutes: 5 })).status === 403, 'a viewer may not begin');
  check((await h.ask('POST', at, { minutes: 5000 })).status === 422 || (await h.ask('POST', at, { minutes: 5000 })).status === 400, 'not for days');
  const before = (await frames(h, cp.id)).length;
  for (let i = 0; i < 40; i++) await c.ask('Heartbeat', {});
  const list = await frames(h, cp.id);
  check(new Set(list.map((f) => f.id)).size === list.length && list.length === Math.min(200, before + 80), `each frame once although two rings hold it: ${before}, ${list.length}`);
  check((await h.must('POST', at, { minutes: 0 })).until_ms === 0 && (await h.must('GET', at)).until_ms === 0, 'and over');
  const seen = await told(h, cp.id, 'frames.');
  const count = (action) => seen.filter((a) => a.action === action).length;
  check(seen.filter((a) => a.action === 'frames.watch').map((a) => a.detail).join() === '5 minutes,over', `the audit has both: ${JSON.stringify(seen)}`);
  check(count('frames.read') === 2 && count('frames.file') === 1 && seen.find((a) => a.action === 'frames.file').actor_name === 'V',
    `and one look of each of two people, and the file: ${JSON.stringify(seen.map((a) => [a.action, a.actor_name]))}`);
}

async function strangers(h, w) {
  const id = w.chargers[0].id;
  const nobody = h.client();
  check((await nobody.ask('GET', `/api/v1/chargers/${id}/frames`)).status === 401, 'nobody sees frames');
  check((await h.ask('GET', '/api/v1/chargers/1/frames')).status === 404, 'of no charger there are none');
  const partner = h.client();
  await partner.login('partner', 'partner password');
  for (const path of ['frames', 'frames.txt', 'watch'])
    check((await partner.ask('GET', `/api/v1/chargers/${id}/${path}`)).status === 403, `a partner sees no ${path}`);
  const station = (await h.must('POST', '/api/v1/stations', { name: 'Other', address: 'A', zone: 'Asia/Shanghai', lat_e7: 0, lng_e7: 0, tariff: w.tariff, contract: w.contract,
    seller: 'Seller', tax_bp: 1300, state: 0 })).id;
  await h.must('POST', '/api/v1/people', { login: 'other', name: 'O', password: 'other password', role: 2, station, state: 0 });
  const other = h.client();
  await other.login('other', 'other password');
  check((await other.ask('GET', `/api/v1/chargers/${id}/frames`)).status === 404, 'who is of another station finds no such charger');
  check((await other.ask('POST', `/api/v1/chargers/${id}/watch`, {})).status === 404, 'nor can watch it');
  check((await told(h, id, 'frames.')).every((a) => ['Admin', 'V'].includes(a.actor_name)), 'who saw nothing is not told of');
}

const announce = (bytes, extra = {}) => ({ name: 'fw-2.0.bin', vendor: 'Vendor', model: '', version: '2.0', size: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'), ...extra });
const put = async (h, id, at, bytes) => {
  const r = await raw(h, 'PUT', `/api/v1/firmware/${id}/data?at=${at}`, bytes, { 'content-type': 'application/octet-stream' });
  return { status: r.status, body: JSON.parse(r.bytes.toString() || 'null') };
};

/** What the audit has of one thing, oldest first: "action outcome". */
const told = async (h, id, prefix) => (await h.must('GET', '/api/v1/audit?limit=200')).items.filter((a) => a.object === id && a.action.startsWith(prefix)).reverse();
const words = (list) => list.map((a) => `${a.action} ${a.outcome ? 'failed' : 'done'}`).join(', ');

async function upload(h, viewer, bytes) {
  for (const [what, extra] of [['a path', { name: '../x.bin' }], ['a slash', { name: 'a/b' }], ['a dot', { name: '.x' }], ['no hash', { sha256: 'x'.repeat(64) }],
    ['65 MiB', { size: 65 << 20 }], ['nothing', { size: 0 }]])
    check((await h.ask('POST', '/api/v1/firmware', announce(bytes, extra))).status >= 400, `${what} is refused`);
  check((await viewer.ask('POST', '/api/v1/firmware', announce(bytes))).status === 403, 'a viewer uploads nothing');
  const id = (await h.must('POST', '/api/v1/firmware', announce(bytes))).id;
  const half = bytes.length >> 1;
  check((await put(h, id, 5, bytes)).status === 409, 'no hole at the beginning');
  check((await put(h, id, 0, Buffer.concat([bytes, bytes]))).status >= 400, 'not more than announced');
  check((await put(h, id, 0, bytes.subarray(0, half))).body.got === half, 'the first half is there');
  check((await h.must('GET', '/api/v1/firmware')).items[0].got === half, 'and the list says so');
  check((await h.ask('POST', `/api/v1/firmware/${id}/link`, { charger: '1' })).status === 404, 'no link for no charger');
  const done = await put(h, id, half, bytes.subarray(half));
  check(done.status === 200 && done.body.state === 1, `complete: ${JSON.stringify(done)}`);
  check((await put(h, id, 0, bytes)).status === 409, 'what is complete does not change');
  const wrong = (await h.must('POST', '/api/v1/firmware', announce(bytes, { name: 'wrong.bin', sha256: 'a'.repeat(64) }))).id;
  check((await put(h, wrong, 0, bytes)).status === 409 && (await h.must('GET', '/api/v1/firmware')).items.find((x) => x.id === wrong).got === 0, 'a wrong hash is thrown away');
  const [fine, not] = [await told(h, id, 'firmware.'), await told(h, wrong, 'firmware.')];
  check(words(fine) === 'firmware.upload done, firmware.uploaded done', `an upload of two parts has its beginning and its end in the audit: ${words(fine)}`);
  check(fine.every((a) => a.actor_kind === 2 && a.detail.includes(announce(bytes).sha256) && a.detail.includes(`${bytes.length} bytes`)), `with size and hash: ${fine[0]?.detail}`);
  check(words(not) === 'firmware.upload done, firmware.uploaded failed', `so has one that was thrown away: ${words(not)}`);
  return { id, wrong };
}

async function download(h, cp, id, bytes) {
  const { url, until_ms } = await h.must('POST', `/api/v1/firmware/${id}/link`, { charger: cp.id });
  const nobody = { web: h.web, cookie: '', csrf: '' };
  const get = (u, headers, method = 'GET') => raw(nobody, method, u, undefined, headers);
  check(url.startsWith(h.web) && url.endsWith('.bin') && until_ms > Date.now(), 'a link with the file\'s ending');
  const whole = await get(url);
  check(whole.status === 200 && whole.bytes.equals(bytes) && whole.headers.get('accept-ranges') === 'bytes', 'the whole file');
  const etag = whole.headers.get('etag');
  const head = await get(url, {}, 'HEAD');
  check(head.status === 200 && head.bytes.length === 0 && Number(head.headers.get('content-length')) === bytes.length, 'HEAD tells its length');
  for (const [range, from, to] of [['bytes=0-0', 0, 1], ['bytes=100-199', 100, 200], [`bytes=${bytes.length - 5}-`, bytes.length - 5, bytes.length],
    ['bytes=-7', bytes.length - 7, bytes.length], [`bytes=10-${bytes.length * 2}`, 10, bytes.length], [`bytes=-${bytes.length * 2}`, 0, bytes.length]]) {
    const r = await get(url, { range });
    const part = to - from < bytes.length;
    check(r.status === (part ? 206 : 200) && r.bytes.equals(bytes.subarray(from, to)), `${range}: ${r.status} ${r.bytes.length}`);
    check(!part || r.headers.get('content-range') === `bytes ${from}-${to - 1}/${bytes.length}`, `${range} is told`);
  }
  for (const range of [`bytes=${bytes.length}-`, 'bytes=-0'])
    check((await get(url, { range })).status === 416, `${range} cannot be`);
  for (const range of ['bytes=5-2', 'bytes=a-b', 'lines=1-2', 'bytes=0-1,4-5', 'bytes=-'])
    check((await get(url, { range })).status === 200, `${range} asks for all`);
  check((await get(url, { range: 'bytes=0-9', 'if-range': '"other"' })).status === 200 && (await get(url, { range: 'bytes=0-9', 'if-range': etag })).status === 206, 'if-range');
  const [file, charger, until, mac] = url.split('/').pop().split('.')[0].split('-');
  const bad = [`${file}-${charger}-${until}-${'0'.repeat(32)}.bin`, `${file}-${charger}-${Number(until) + 1}-${mac}.bin`, `${BigInt(file) + 1n}-${charger}-${until}-${mac}.bin`,
    `${file}-${BigInt(charger) + 1n}-${until}-${mac}.bin`, `${file}-${charger}-${until}-${mac.slice(1)}.bin`, `${file}-${charger}-${until}.bin`, 'x', `${file}.bin`, `${file}.part`,
    '..%2F..%2Fkey', '..%5ckey', `${file}-${charger}-${until}-${mac}%00.bin`, `-${file}-${charger}-${until}-${mac}.bin`];
  for (const code of bad) check([400, 404].includes((await get(`${h.web}/firmware/${code}`)).status), `a link made up: ${code}`);
  return url;
}

async function update(h, w, c, id) {
  const [cp, pile] = w.chargers;
  const go = (charger, body) => h.ask('POST', `/api/v1/chargers/${charger}/firmware`, body);
  const off = await go(pile.id, { firmware: id });
  check(off.status === 409 && off.body.type === 'urn:even:ftp-off', `a pile fetches by FTP only, which is off: ${JSON.stringify(off.body)}`);
  check((await go(cp.id, { firmware: '1' })).status === 404, 'no such file');
  const alien = (await h.must('POST', '/api/v1/firmware', announce(Buffer.from('x'), { vendor: 'Somebody else' }))).id;
  await put(h, alien, 0, Buffer.from('x'));
  check((await go(cp.id, { firmware: alien })).status === 409, 'not a file for the chargers of another vendor');
  const made = await go(cp.id, { firmware: id });
  check(made.status === 200, `the update is sent: ${JSON.stringify(made.body)}`);
  const ask = await c.expect('UpdateFirmware');
  check((await raw(h, 'GET', ask.location)).status === 200 && ask.retries === 3 && Date.parse(ask.retrieveDate) <= Date.now(), 'the charger can fetch it now');
  for (const status of ['Downloading', 'Downloaded', 'Installing', 'Installed']) {
    await c.ask('FirmwareStatusNotification', { status });
    await until(`progress ${status}`, async () => (await h.must('GET', `/api/v1/commands/${made.body.id}`)).progress === status);
  }
  const list = await frames(h, cp.id);
  const sent = list.find((f) => f.kind === 'UpdateFirmware');
  check(sent && !sent.text.includes(ask.location.split('/').pop()) && value(sent, 'location').masked, 'the link is no matter for the frame viewer');
  check(value(list.find((f) => f.kind === 'FirmwareStatusNotification'), 'status').value === 'Installed', 'the last state is the first in the list');
}

await main(async (h) => {
  await h.setup();
  const w = await h.world({ chargers: [{ path: 'CP1', protocol: 1 }, { path: PILE, protocol: 2 }, { path: OTHER, protocol: 2 }, { path: 'CP2', protocol: 1 }] });
  await h.must('POST', '/api/v1/people', { login: 'viewer', name: 'V', password: 'viewer password', role: 5, state: 0 });
  const viewer = h.client();
  await viewer.login('viewer', 'viewer password');
  const c = await ocpp(h, viewer, w.chargers[0]);
  const fool = await Cp.open(h, { ...w.chargers[3], secret: 'wrong' }).catch(() => null);
  fool?.drop?.();
  await until('a refused charger is told', async () => (await frames(h, w.chargers[3].id)).some((f) => f.dir === 3 && /^refused/.test(f.text)));
  check(!JSON.stringify(await frames(h, w.chargers[3].id)).includes('wrong'), 'without its password');
  await ykc(h, viewer, w);
  await watching(h, viewer, w.chargers[0], c);
  await strangers(h, w);
  const bytes = randomBytes(300000);
  const { id, wrong } = await upload(h, viewer, bytes);
  const url = await download(h, w.chargers[0], id, bytes);
  await update(h, w, c, id);
  await h.must('POST', `/api/v1/firmware/${id}/withdraw`, {});
  check((await raw(h, 'GET', url)).status === 404, 'a withdrawn file is gone');
  check((await h.ask('POST', `/api/v1/firmware/${id}/link`, { charger: w.chargers[0].id })).status === 409, 'and gives no link');
  await h.must('POST', `/api/v1/firmware/${wrong}/withdraw`, {});
  c.drop();
  check(h.check().code === 0, 'the books are in order');
});
