// SPDX-License-Identifier: Apache-2.0
// attack_tenant.mjs: two operators in one installation (the second is put into the file while the program rests): neither reads, names or moves anything of
// the other, by id in the path, in the query or in any body. python3 is there wherever meson is.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { check, main } from './house.mjs';
import { Cp, E, all, audit, charge, driver, over } from './rogue.mjs';

const copy = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1]); db.row_factory = sqlite3.Row
def clone(table, where, change):
    r = dict(db.execute('SELECT * FROM %s WHERE %s' % (table, where)).fetchone()); r.update(change)
    db.execute('INSERT INTO %s (%s) VALUES (%s)' % (table, ','.join(r), ','.join('?' * len(r))), list(r.values()))
clone('tenant', '1=1 ORDER BY id LIMIT 1', {'id': 1001, 'name': 'Second'})
clone('party', 'kind=1', {'id': 1002, 'tenant': 1001})
clone('person', "login='admin'", {'id': 1003, 'tenant': 1001, 'login': 'second'})
db.commit()
`;

await main(async (h) => {
  await h.setup();
  const w = await h.world();
  const d = await driver(h);
  let cp = await (await Cp.open(h, w.chargers[0])).boot();
  const o = await charge(d, cp, w.chargers[0].connectors[0], '1.00', 0);
  await cp.stopTx(o.tx, 0);
  const done = await over(h, o.id);
  const admin = [h.cookie, h.csrf];
  await h.kill('SIGTERM');
  const file = readdirSync(h.dir).find((f) => f.endsWith('.db'));
  const r = spawnSync('python3', ['-c', copy, join(h.dir, file)], { encoding: 'utf8' });
  check(r.status === 0, `the second operator is in the file: ${r.stderr}`);
  await h.start();
  const b = h.client();
  await b.login('second', 'correct horse battery');
  cp = await (await Cp.open(h, w.chargers[0])).boot();
  const run = await charge(d, cp, w.chargers[0].connectors[0], '1.00', 0);
  [h.cookie, h.csrf] = admin;
  const con = w.chargers[0].connectors[0], acc = (await all(h, '/api/v1/accounts')), person = (await h.must('GET', '/api/v1/people')).items[0];
  const token = (await h.must('POST', '/api/v1/tokens', { driver: w.driver, tag: 'T1', kind: 1, state: 0 })).id;
  const key = (await h.must('POST', '/api/v1/keys', { name: 'k', role: 1, quota_s: 0 }));
  const transfer = (await h.must('GET', '/api/v1/transfers')).items[0].id;

  for (const p of ['stations', 'chargers', 'connectors', 'drivers', 'tokens', 'tariffs', 'contracts', 'orders', 'orders/held', 'transfers', 'audit', 'keys', 'stats/days?from=20000101&to=29991231',
    `orders?driver=${w.driver}`, `orders?station=${w.station}`, `orders?connector=${con.id}`, `chargers?station=${w.station}`, `connectors?charger=${w.chargers[0].id}`, `tokens?driver=${w.driver}`,
    `transfers?order=${o.id}`, 'drivers?phone=13800138000', `stats/days?from=20000101&to=29991231&station=${w.station}`]) {
    const got = await b.must('GET', `/api/v1/${p}`);
    const own = p === 'audit' ? got.items.filter((x) => x.action !== 'login') : got.items;
    check(own.length === 0, `the second operator sees nothing in ${p}: ${JSON.stringify(own).slice(0, 150)}`);
  }
  for (const p of ['parties', 'people', 'accounts'])
    check(!(await b.must('GET', `/api/v1/${p}`)).items.some((x) => [w.owner, person.id, ...acc.map((a) => a.id)].includes(x.id)), `no foreign row in ${p}`);
  const trial = await b.must('GET', '/api/v1/ledger/trial');
  check(trial.rows.every((x) => x.balance === '0.00'), 'its trial balance is its own');
  const paths = [`stations/${w.station}`, `chargers/${w.chargers[0].id}`, `drivers/${w.driver}`, `drivers/${w.driver}/statement`, `tariffs/${w.tariff}`, `contracts/${w.contract}`, `orders/${o.id}`,
    `orders/${o.id}/samples`, `accounts/${acc[0].id}`, `accounts/${acc[0].id}/statement`, `transfers/${transfer}`, `connectors/${con.id}/qr.svg`];
  for (const p of paths) {
    const x = await b.ask('GET', `/api/v1/${p}`, undefined, { accept: '*/*' });
    check(x.status === 404 || (p.endsWith('/statement') && x.body.items?.length === 0), `the second operator is told 404 for ${p}, got ${x.status} ${JSON.stringify(x.body).slice(0, 80)}`);
  }
  check([404, 200].includes((await b.ask('GET', `/api/v1/chargers/${w.chargers[0].id}/calls`)).status) &&
    !((await b.ask('GET', `/api/v1/chargers/${w.chargers[0].id}/calls`)).body.items ?? []).length, 'no foreign calls');

  // Its own little world, and the other's ids in every member of a body.
  const day = [{ first_mmdd: 101, last_mmdd: 1231, weekdays: 127, plan: 0 }], slice = [{ plan: 0, from_min: 0, label: '平', elec_e5: 1, service_e5: 1 }];
  const tariff = (await b.must('POST', '/api/v1/tariffs', { name: 't', from_ms: 0, days: day, slices: slice })).id;
  const party = (await b.must('POST', '/api/v1/parties', { kind: 2, name: 'P', state: 0 })).id;
  const contract = (await b.must('POST', '/api/v1/contracts', { name: 'c', from_ms: 0, unit: 1, parties: [{ party, lines: 7, ratio: 1 }] })).id;
  const place = { name: 'S', address: '', zone: 'UTC', lat_e7: 0, lng_e7: 0, tariff, contract, seller: '', tax_bp: 0, state: 0 };
  const station = (await b.must('POST', '/api/v1/stations', place)).id;
  const mine = (await b.must('POST', '/api/v1/drivers', { phone: '13800138000', name: 'Same phone', state: 0 })).id;
  check(mine !== w.driver, 'the same phone is another driver of another operator');
  const pile = { station, path: 'CP-B', protocol: 1, name: 'B', max_power_w: 1, state: 0 };
  const own = (await b.must('POST', '/api/v1/chargers', pile)).id;
  const plug = (await b.must('POST', '/api/v1/connectors', { charger: own, number: 1, kind: 2, max_power_w: 1 })).id;
  const v = { 'if-match': '"1"' };
  const writes = [
    ['POST', 'stations', { ...place, tariff: w.tariff }], ['POST', 'stations', { ...place, contract: w.contract }], ['PUT', `stations/${station}`, { ...place, tariff: w.tariff }],
    ['PUT', `stations/${w.station}`, place], ['POST', 'chargers', { ...pile, path: 'CP-C', station: w.station }], ['POST', 'chargers', { ...pile, path: 'CP1' }],
    ['PUT', `chargers/${w.chargers[0].id}`, { ...pile, path: 'CP1' }], ['PUT', `chargers/${own}`, { ...pile, station: w.station }], ['PUT', `chargers/${own}`, { ...pile, path: 'CP1' }],
    ['POST', `chargers/${w.chargers[0].id}/secret`], ['POST', `chargers/${w.chargers[0].id}/calls`, { action: 'Reset', payload: { type: 'Hard' } }],
    ['POST', 'connectors', { charger: w.chargers[0].id, number: 2, kind: 2, max_power_w: 1 }], ['PUT', `connectors/${con.id}`, { charger: w.chargers[0].id, number: 1, kind: 2, max_power_w: 1 }],
    ['PUT', `connectors/${plug}`, { charger: w.chargers[0].id, number: 1, kind: 2, max_power_w: 1 }], ['PUT', `connectors/${plug}`, { charger: own, number: 1, kind: 2, max_power_w: 1, code: con.code }],
    ['PUT', `drivers/${w.driver}`, { phone: '13800138000', name: 'X', state: 0 }], ['POST', `drivers/${w.driver}/topups`, { amount: '1.00' }],
    ['POST', 'tokens', { driver: w.driver, tag: 'X', kind: 1, state: 0 }], ['PUT', `tokens/${token}`, { driver: mine, tag: 'T1', kind: 1, state: 0 }],
    ['PUT', `parties/${w.owner}`, { kind: 2, name: 'X', state: 0 }], ['POST', 'people', { login: 'spy', name: 'x', password: 'spy spy spy spy', role: 3, party: w.owner, state: 0 }],
    ['POST', 'people', { login: 'spy', name: 'x', password: 'spy spy spy spy', role: 5, station: w.station, state: 0 }], ['PUT', `people/${person.id}`, { login: 'admin', name: 'x', password: 'spy spy spy spy', role: 1, state: 0 }],
    ['POST', 'people', { login: 'admin', name: 'x', password: 'spy spy spy spy', role: 1, state: 0 }], ['POST', 'keys', { name: 'k', role: 1, station: w.station, quota_s: 0 }], ['POST', `keys/${key.id}/revoke`],
    ['POST', 'tariffs', { name: 't', family: w.tariff, from_ms: Date.now(), days: day, slices: slice }], ['POST', 'contracts', { name: 'c', family: w.contract, from_ms: Date.now(), unit: 1, parties: [{ party, lines: 7, ratio: 1 }] }],
    ['POST', 'contracts', { name: 'c', from_ms: 0, unit: 1, parties: [{ party: w.owner, lines: 7, ratio: 1 }] }],
    ['POST', 'orders', { connector: con.id }], ['POST', 'orders', { connector: con.id, driver: w.driver, cap: '1.00' }], ['POST', 'orders', { connector: plug, driver: w.driver, cap: '1.00' }],
    ['POST', 'orders', { connector: con.id, driver: mine, cap: '1.00' }], ['POST', `orders/${run.id}/stop`], ['POST', `orders/${o.id}/decide`, { accept: true }],
  ];
  for (const [m, p, body] of writes) {
    const x = await b.ask(m, `/api/v1/${p}`, body, m === 'PUT' ? v : {});
    check([400, 403, 404, 409, 422].includes(x.status), `${m} ${p} ${JSON.stringify(body)}: refused, got ${x.status} ${JSON.stringify(x.body).slice(0, 80)}`);
  }
  check((await h.ask('GET', '/api/v1/orders', undefined, { authorization: `Bearer ${key.key}`, cookie: null })).status === 200, 'the first operator\'s key still works');
  check(cp.heard.every((x) => x.action !== 'RemoteStopTransaction' && x.action !== 'Reset'), 'the first operator\'s charger hears nothing');
  await cp.meter(run.tx, { [E]: 10 });
  await cp.stopTx(run.tx, 10);
  await over(h, run.id);
  check((await h.must('GET', `/api/v1/orders/${o.id}`)).order.paid === done.order.paid, 'the first order is as it was');
  await audit(h, 'the first operator');
}, { demo: true });
