// SPDX-License-Identifier: Apache-2.0
// attack_wallet.mjs: people who want money, free energy or others' data: two starts at once, keys used again, tiny and absurd amounts, others' orders,
// forged versions, ids of strangers, roles they do not have, cookies of another page, codes of another phone. Afterwards every fen is counted.
import { check, main, until } from './house.mjs';
import { Cp, E, P, audit, charge, driver, order, over, sleep, units } from './rogue.mjs';

const refused = (r) => r.status >= 400 && r.status < 500;

async function amounts(h, w, d, code) {
  const me = async () => h.must('GET', `/api/v1/drivers/${w.driver}`);
  const before = await me();
  const odd = ['0.001', '0.0099', '-0.01', '-0.00', '0', '0.00', '1e3', '0x10', ' 1.00', '1.00 ', '+1.00', '1,00', '.', '.5', '1.', '٣.00', 'NaN', 'Infinity', '',
    '922337203685477.5807', '922337203685477.5808', '9223372036854775807', '1844674407370955.16', '100000.01', 1, null, true, ['1.00'], {}];
  for (const v of odd) {
    const t = await h.ask('POST', `/api/v1/drivers/${w.driver}/topups`, { amount: v });
    check(refused(t), `a top-up of ${JSON.stringify(v)} is refused, got ${t.status} ${JSON.stringify(t.body)}`);
    const o = await d.ask('POST', '/api/v1/me/orders', { code, cap: v });
    check(refused(o), `a cap of ${JSON.stringify(v)} is refused, got ${o.status} ${JSON.stringify(o.body)}`);
  }
  const after = await me();
  check(before.balance === after.balance && after.held === '0.00', `odd amounts moved nothing: ${before.balance} ${after.balance} held ${after.held}`);
}

/** Twenty starts of one wallet in the same instant on two connectors: one hold, one order. */
async function together(h, w, d, cps) {
  const codes = w.chargers.map((c) => c.connectors[0].code);
  const all = await Promise.all(Array.from({ length: 20 }, (_, i) => d.ask('POST', '/api/v1/me/orders', { code: codes[i % 2], cap: '4.00' })));
  const good = all.filter((r) => r.status < 300);
  check(good.length === 1, `twenty starts of 4.00 with a balance of 4.00: one succeeds, got ${good.length}`);
  check(all.every((r) => r.status < 500), `no start makes the server stumble: ${all.map((r) => r.status)}`);
  const me = await d.must('GET', '/api/v1/me');
  check(me.held === '4.00' && me.available === '0.00', `held ${me.held}, available ${me.available}`);
  const id = good[0].body.id;
  const key = { 'idempotency-key': 'stop-1' };
  const stops = await Promise.all(Array.from({ length: 10 }, () => d.ask('POST', `/api/v1/me/orders/${id}/stop`, undefined, key)));
  check(stops.every((r) => r.status < 300), `ten stops with one key: ${stops.map((r) => r.status)}`);
  // The charger starts all the same, too late or just in time: nobody pays for more than was delivered.
  const cp = cps.find((c) => c.heard.some((x) => x.action === 'RemoteStartTransaction' && !x.taken));
  if (cp) {
    const call = await cp.expect('RemoteStartTransaction');
    const s = await cp.startTx(call.idTag, 1000);
    if (s.tx) await cp.stopTx(s.tx, 1000);
  }
  await over(h, id, 20000);
  check((await d.must('GET', '/api/v1/me')).held === '0.00', 'nothing stays held');
}

async function others(h, w, thief, mine, id, cp) {
  const admin = h;
  check((await thief.ask('GET', `/api/v1/me/orders/${id}`)).status === 404, "another driver's order is not there");
  check((await thief.ask('POST', `/api/v1/me/orders/${id}/stop`)).status === 404, "another driver's order is not stopped");
  check(cp.heard.every((x) => x.taken || x.action !== 'RemoteStopTransaction'), 'the charger hears no stop');
  for (const path of [`/api/v1/orders/${id}`, `/api/v1/drivers/${w.driver}`, '/api/v1/people', '/api/v1/partner', `/api/v1/orders/${id}/samples`, '/api/v1/events', '/metrics'])
    check([401, 403].includes((await thief.ask('GET', path)).status), `a driver is refused ${path}`);
  const self = (await mine.must('GET', `/api/v1/me/orders/${id}`));
  check(self.parts.length === 0 && self.transfers.length === 0 && self.commands.length === 0, 'a driver sees neither split nor commands');
  // The cookie of one page on another, under every name.
  const token = thief.cookie.split('=')[1];
  for (const name of ['even_staff', 'even_partner', 'even_driver'])
    for (const face of ['console', 'p', 'd', undefined]) {
      const r = await thief.ask('GET', '/api/v1/overview', undefined, { cookie: `${name}=${token}`, 'x-even-face': face ?? null });
      check([401, 403].includes(r.status), `a driver's cookie named ${name} on page ${face} opens nothing, got ${r.status}`);
    }
  const both = `${thief.cookie}; ${admin.cookie}`;
  const r = await thief.ask('GET', '/api/v1/me', undefined, { cookie: both });
  check(r.status === 200 && r.body.id === thief.id, 'with both cookies the driver page is still the driver');
  const w1 = await thief.ask('POST', `/api/v1/drivers/${thief.id}/topups`, { amount: '1.00' }, { cookie: both });
  check(w1.status === 403, `the staff cookie with the driver's token: refused, got ${w1.status}`);
  // A cookie chosen by the attacker never becomes a session.
  const fixed = h.client();
  fixed.cookie = `even_staff=${'A'.repeat(43)}`;
  const s = await fixed.ask('POST', '/api/v1/login', { login: 'admin', password: 'correct horse battery' });
  check(s.status === 200 && !fixed.cookie.includes('AAAA'), 'a log-in makes a new cookie');
  check([401, 403].includes((await h.client().ask('GET', '/api/v1/overview', undefined, { cookie: `even_staff=${'A'.repeat(43)}` })).status), 'the chosen cookie opens nothing');
  for (const site of ['cross-site', 'same-site'])
    check((await h.ask('POST', `/api/v1/drivers/${w.driver}/topups`, { amount: '1.00' }, { 'sec-fetch-site': site })).status === 403, `a write from ${site} is refused`);
}

async function staff(h, w, id) {
  await h.must('POST', '/api/v1/people', { login: 'viewer', name: 'V', password: 'viewer password', role: 5, state: 0 });
  await h.must('POST', '/api/v1/people', { login: 'clerk', name: 'C', password: 'operator password', role: 2, state: 0 });
  const viewer = h.client(), clerk = h.client(), partner = h.client();
  await viewer.login('viewer', 'viewer password');
  await clerk.login('clerk', 'operator password');
  await partner.login('partner', 'partner password');
  const writes = [
    ['POST', `/api/v1/drivers/${w.driver}/topups`, { amount: '1.00' }], ['POST', `/api/v1/orders/${id}/stop`, undefined], ['POST', '/api/v1/orders', { connector: w.chargers[0].connectors[0].id }],
    ['POST', '/api/v1/people', { login: 'evil', name: 'E', password: 'evil password', role: 1, state: 0 }], ['POST', '/api/v1/keys', { name: 'k', role: 1, quota_s: 0 }],
    ['POST', '/api/v1/parties', { kind: 2, name: 'Evil', state: 0 }], ['POST', '/api/v1/contracts', { name: 'c', from_ms: 0, unit: 1, parties: [{ party: w.owner, lines: 7, ratio: 1 }] }],
  ];
  for (const [m, p, b] of writes) for (const [who, c] of [['a viewer', viewer], ['a partner', partner]])
    check((await c.ask(m, p, b, { 'if-match': '"1"' })).status === 403, `${who} is refused ${m} ${p}`);
  for (const [m, p, b] of writes.slice(3)) check((await clerk.ask(m, p, b)).status === 403, `an operator is refused ${m} ${p}`);
  const people = (await h.must('GET', '/api/v1/people')).items;
  const row = people.find((x) => x.login === 'viewer');
  for (const c of [viewer, clerk, partner])
    check((await c.ask('PUT', `/api/v1/people/${row.id}`, { ...row, role: 1, id: undefined, version: undefined }, { 'if-match': `"${row.version}"` })).status === 403, 'nobody makes themselves admin');
  // A session ends with the password it was made with.
  const again = h.client();
  await again.login('viewer', 'viewer password');
  await h.must('PUT', `/api/v1/people/${row.id}`, { login: 'viewer', name: 'V', password: 'another password', role: 5, state: 0 }, { 'if-match': `"${row.version}"` });
  for (const c of [viewer, again]) check((await c.ask('GET', '/api/v1/orders')).status === 401, 'a session of the old password is over');
  await viewer.login('viewer', 'another password');
  check((await viewer.ask('GET', '/api/v1/orders')).status === 200, 'and one of the new one opens');
  check(!JSON.stringify(people).includes('argon2'), 'no hash leaves the house');
  // Forged versions.
  const driverRow = await h.ask('GET', `/api/v1/drivers/${w.driver}`);
  for (const tag of [undefined, '*', '"0"', '"-1"', '"99"', 'W/"1"', '"1', '"18446744073709551617"', '"4294967297"']) {
    const r = await h.ask('PUT', `/api/v1/drivers/${w.driver}`, { phone: '13800138000', name: 'X', state: 0 }, tag === undefined ? {} : { 'if-match': tag });
    const now = await h.must('GET', `/api/v1/drivers/${w.driver}`);
    check(now.name === driverRow.body.name && r.status >= 400, `If-Match ${tag}: refused, got ${r.status}`);
  }
  // An API key of a viewer, and one of a station: what they may not.
  const key = (await h.must('POST', '/api/v1/keys', { name: 'reader', role: 5, quota_s: 0 })).key;
  const other = await h.must('POST', '/api/v1/stations', { name: 'Other', address: '', zone: 'Asia/Shanghai', lat_e7: 0, lng_e7: 0, tariff: w.tariff, contract: w.contract, seller: '', tax_bp: 0, state: 0 });
  const scoped = (await h.must('POST', '/api/v1/keys', { name: 'scoped', role: 1, station: other.id, quota_s: 0 })).key;
  const with_ = (k) => ({ authorization: `Bearer ${k}`, cookie: null, 'x-csrf-token': null });
  const c = h.client();
  check((await c.ask('GET', '/api/v1/orders', undefined, with_(key))).status === 200, 'a reader key reads');
  for (const [m, p, b] of writes) check((await c.ask(m, p, b, with_(key))).status === 403, `a reader key is refused ${m} ${p}`);
  check((await c.ask('GET', '/api/v1/orders', undefined, with_(key + 'x'))).status === 401, 'a changed key is nobody');
  const foreign = [
    ['GET', `/api/v1/orders/${id}`], ['POST', `/api/v1/orders/${id}/stop`], ['GET', `/api/v1/stations/${w.station}`], ['GET', `/api/v1/chargers/${w.chargers[0].id}`],
    ['POST', `/api/v1/chargers/${w.chargers[0].id}/secret`], ['POST', '/api/v1/orders', { connector: w.chargers[0].connectors[0].id }],
    ['POST', `/api/v1/drivers/${w.driver}/topups`, { amount: '1.00' }],
  ];
  for (const [m, p, b] of foreign) {
    const r = await c.ask(m, p, b, with_(scoped));
    check([403, 404].includes(r.status), `a key of another station is refused ${m} ${p}, got ${r.status}`);
  }
  for (const p of ['drivers', `drivers/${w.driver}`, 'people', 'keys', 'accounts', 'transfers', 'ledger/trial', 'audit', 'tokens', 'parties', 'contracts'])
    check((await c.ask('GET', `/api/v1/${p}`, undefined, with_(scoped))).status === 403, `a key of one station does not read ${p}`);
  for (const p of ['orders', 'chargers', 'connectors', 'stats/days?from=20000101&to=29991231'])
    check((await c.must('GET', `/api/v1/${p}`, undefined, with_(scoped))).items.length === 0, `a key of another station sees nothing in ${p}`);
  // A scope cannot be left by making somebody without one.
  const escapes = [
    ['POST', '/api/v1/people', { login: 'escaped', name: 'E', password: 'escaped password', role: 1, state: 0 }], ['POST', '/api/v1/keys', { name: 'escaped', role: 1, quota_s: 0 }],
    ['PUT', '/api/v1/tenant', undefined], ['POST', '/api/v1/contracts', { name: 'mine', from_ms: 0, unit: 1, family: w.contract, parties: [{ party: w.owner, lines: 7, ratio: 1 }] }],
    ['POST', '/api/v1/tariffs', { name: 'free', family: w.tariff, from_ms: 0, days: [{ first_mmdd: 101, last_mmdd: 1231, weekdays: 127, plan: 0 }], slices: [{ plan: 0, from_min: 0, label: '平', elec_e5: 0, service_e5: 0 }] }],
    ['POST', '/api/v1/parties', { kind: 2, name: 'Evil', state: 0 }], ['POST', '/api/v1/drivers', { phone: '13900000001', name: 'x', state: 0 }],
  ];
  const tenant = await h.ask('GET', '/api/v1/tenant');
  for (const [m, p, b] of escapes) {
    const body = p === '/api/v1/tenant' ? { ...tenant.body, name: 'Mine' } : b;
    const r = await c.ask(m, p, body, { ...with_(scoped), 'if-match': tenant.headers.get('etag') });
    check([403, 404].includes(r.status), `a key of one station is refused ${m} ${p}, got ${r.status} ${JSON.stringify(r.body).slice(0, 100)}`);
  }
}

async function codes(h) {
  const phone = '13700000000';
  const c = h.client();
  await c.must('POST', '/api/v1/driver/code', { phone });
  const seen = [];
  for (let i = 0; i < 12; i++) seen.push((await c.ask('POST', '/api/v1/driver/login', { phone, code: '000000' })).status);
  check(seen.every((s) => s === 401 || s === 429) && seen.includes(429), `guessing a phone's code is slowed down: ${seen}`);
  const again = [];
  for (let i = 0; i < 8; i++) again.push((await c.ask('POST', '/api/v1/driver/code', { phone })).status);
  check(again.includes(429), `sending codes is slowed down: ${again}`);
  const { demo_code } = await c.must('POST', '/api/v1/driver/code', { phone: '13700000001' });
  check((await c.ask('POST', '/api/v1/driver/login', { phone: '13700000002', code: demo_code })).status === 401, 'a code serves its own phone only');
  check((await c.ask('POST', '/api/v1/driver/login', { phone: '13700000001', code: demo_code })).status === 200, 'and that phone');
  check((await c.ask('POST', '/api/v1/driver/login', { phone: '13700000001', code: demo_code })).status === 401, 'once');
}

await main(async (h) => {
  await h.setup();
  const w = await h.world({ chargers: [{ path: 'CP1', protocol: 1 }, { path: 'CP2', protocol: 1 }] });
  const d = await driver(h), thief = await driver(h, '13900139000');
  const cps = [];
  for (const c of w.chargers) cps.push(await (await Cp.open(h, c)).boot());
  await amounts(h, w, d, w.chargers[0].connectors[0].code);
  await together(h, w, d, cps);
  await audit(h, 'after starts at once');

  // The smallest cap.
  const tiny = await charge(d, cps[0], w.chargers[0].connectors[0], '0.01', 5000);
  await cps[0].expect('RemoteStopTransaction').catch(() => check(false, 'a cap of 0.01 is stopped'));
  await cps[0].stopTx(tiny.tx, 5000);
  const t = await over(h, tiny.id);
  check(units(t.order.paid) <= 100, `a cap of 0.01 paid ${t.order.paid}`);

  // One order runs while everything about it is changed.
  const run = await charge(d, cps[0], w.chargers[0].connectors[0], '3.00', 10000);
  await others(h, w, thief, d, run.id, cps[0]);
  await staff(h, w, run.id);
  await codes(h);
  await h.must('POST', '/api/v1/tariffs', { name: 'dear', family: w.tariff, from_ms: Date.now(), days: [{ first_mmdd: 101, last_mmdd: 1231, weekdays: 127, plan: 0 }],
    slices: [{ plan: 0, from_min: 0, label: '峰', elec_e5: 9000000, service_e5: 9000000 }] });
  await h.must('POST', '/api/v1/contracts', { name: 'other', family: w.contract, from_ms: Date.now(), unit: 1, parties: [{ party: w.owner, lines: 7, ratio: 1 }] });
  const owner = (await h.must('GET', '/api/v1/parties')).items.find((p) => p.id === w.owner);
  await h.must('PUT', `/api/v1/parties/${w.owner}`, { kind: 2, name: 'Owner', state: 2 }, { 'if-match': `"${owner.version}"` });
  const row = await h.must('GET', `/api/v1/drivers/${w.driver}`);
  await h.must('PUT', `/api/v1/drivers/${w.driver}`, { phone: '13800138000', name: 'Driver', state: 1 }, { 'if-match': `"${row.version}"` });
  check([401, 403].includes((await d.ask('GET', '/api/v1/me')).status), 'a disabled driver is nobody at once');
  check(refused(await h.ask('POST', `/api/v1/drivers/${w.driver}/topups`, { amount: '1.00' })), 'and gets no top-up');
  const con = w.chargers[0].connectors[0];
  const wall = (await h.must('GET', '/api/v1/connectors')).items.find((x) => x.id === con.id);
  const moved = await h.ask('PUT', `/api/v1/connectors/${con.id}`, { charger: w.chargers[1].id, number: 1, kind: 2, max_power_w: 1 }, { 'if-match': `"${wall.version}"` });
  check(refused(moved), `a connector does not move to another charger, got ${moved.status}`);
  const renum = await h.ask('PUT', `/api/v1/connectors/${con.id}`, { charger: w.chargers[0].id, number: 7, kind: 2, max_power_w: 120000 }, { 'if-match': `"${wall.version}"` });
  check(refused(renum), `a connector with an open order keeps its number, got ${renum.status}`);
  await sleep(1200);
  await cps[0].meter(run.tx, { [E]: 10010, [P]: 30000 });
  await cps[0].stopTx(run.tx, 10010);
  const o = await over(h, run.id);
  check(units(o.order.total) <= 200 && o.contract !== '0' && o.parts.length <= 4, `the bill is that of the start: ${o.order.total}`);
  check(o.parts.some((p) => p.party === w.owner && units(p.amount) > 0) && o.parts.some((p) => p.party !== w.owner), 'the split is that of the start, a deleted party gets its share');

  // Nothing disabled may begin anew.
  const ch = (await h.must('GET', `/api/v1/chargers/${w.chargers[1].id}`));
  await h.must('PUT', `/api/v1/chargers/${w.chargers[1].id}`, { station: w.station, path: 'CP2', protocol: 1, name: 'CP2', max_power_w: 120000, state: 1 }, { 'if-match': `"${ch.version}"` });
  await until('a disabled charger is closed', () => cps[1].closed !== null, 5000);
  check((await Cp.open(h, w.chargers[1])).closed === 403, 'and stays out');
  await audit(h, 'at the end');
}, { demo: true });
