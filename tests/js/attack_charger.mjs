// SPDX-License-Identifier: Apache-2.0
// attack_charger.mjs: broken and malicious OCPP chargers: absurd registers, wrong transactions, stops twice, twins, flapping, floods, sockets that never
// finish. Nobody pays more than the cap, nobody pays for what others say, and the server answers the others all the while.
import net from 'node:net';
import { check, main, sleep, until } from './house.mjs';
import { Cp, E, P, audit, charge, driver, iso, order, over, units } from './rogue.mjs';

const YEAR = 365 * 86400000;

async function absurd(h, w, d, cp) {
  const o = await charge(d, cp, w.chargers[0].connectors[0], '1.00', 100000);
  check(o.status === 'Accepted', `the start is accepted, got ${o.status}`);
  const values = ['-1', 'NaN', 'Infinity', '1e300', '1e-300', '99999999999999999999', '-99999999999999999999', '9223372036854775807', '-9223372036854775808',
    '9223372036854775.807', '-9007199254740991.807', '0', '1e15', '', ' ', '0x10', '1,5', '１００', '100000', '50', '9'.repeat(500)];
  for (const v of values) for (const m of [E, P]) {
    const a = await cp.meter(o.tx, { [m]: v });
    check(a[0] === 3 || a[0] === 4, `${m} = ${v.slice(0, 30)} is answered, got ${JSON.stringify(a).slice(0, 80)}`);
  }
  for (const at of [0, Date.now() - 10 * YEAR, Date.now() + 10 * YEAR, Date.UTC(9999, 11, 31), -62135596800000])
    check((await cp.meter(o.tx, { [E]: 100001, [P]: 1000 }, new Date(at).toISOString()))[0] === 3, `a reading of the year ${new Date(at).getUTCFullYear()} is taken`);
  for (const ts of ['"yesterday"', '"2026-13-45T99:99:99Z"', '0', 'null', '""'])
    check([3, 4].includes((await cp.ask('MeterValues', `{"connectorId":1,"transactionId":${o.tx},"meterValue":[{"timestamp":${ts},"sampledValue":[{"value":"1"}]}]}`))[0]), `time ${ts}`);
  for (const tx of [-1, 0, 2147483647, 99999999999, o.tx + 1]) await cp.ask('MeterValues', { connectorId: 1, transactionId: tx, meterValue: [{ timestamp: iso(), sampledValue: [{ value: '999999999' }] }] });
  await cp.stopTx(o.tx, 100002);
  const done = await over(h, o.id);
  check(units(done.order.paid) <= 10000, `absurd values: paid ${done.order.paid} of 1.00`);
  check(done.order.energy_mwh <= 1000000, `absurd values: energy ${done.order.energy_mwh} mWh`);
}

/** Registers of starts and stops themselves. */
async function registers(h, w, d, cp) {
  const cases = [['falls below the start', 5000, 4000], ['stays', 5000, 5000], ['leaps', 0, 2000000000], ['negative', 5000, -5], ['largest', 9007199254740991, 9007199254740991],
    ['from the largest down', 9007199254740991, -9007199254740991], ['from the smallest up', -9007199254740991, 9007199254740991]];
  for (const [what, from, to] of cases) {
    const o = await charge(d, cp, w.chargers[0].connectors[0], '0.50', from);
    await cp.meter(o.tx, { [E]: String(to), [P]: '1000' });
    await cp.meter(o.tx, { [E]: String(from), [P]: '1000' });
    const stopped = await cp.stopTx(o.tx, to);
    const first = await over(h, o.id).catch((e) => { throw new Error(`${what}: ${JSON.stringify(stopped)} ${e.message}`); });
    // Again, otherwise, and late readings: nothing moves any more.
    check((await cp.stopTx(o.tx, 1))[0] === 3 && (await cp.stopTx(o.tx, to + 1000000 > Number.MAX_SAFE_INTEGER ? to : to + 1000000))[0] === 3, `${what}: a repeated stop is answered`);
    await cp.meter(o.tx, { [E]: '123456789', [P]: '120000' });
    const again = await order(h, o.id);
    check(units(first.order.paid) <= 5000, `${what}: paid ${first.order.paid}`);
    check(again.order.paid === first.order.paid && again.order.total === first.order.total, `${what}: a second stop changes nothing`);
  }
}

/** Another charger speaks of this one's transaction. */
async function foreign(h, w, d, cp, evil) {
  const o = await charge(d, cp, w.chargers[0].connectors[0], '1.00', 0);
  for (let i = 0; i < 5; i++) await evil.meter(o.tx, { [E]: 1000000 + i, [P]: 100000 });
  await evil.stopTx(o.tx, 5000000, { idTag: o.tag });
  const s = await evil.startTx(o.tag, 0);
  check(s.status === 'Invalid', `the tag of an order at another charger is refused, got ${s.status}`);
  if (s.tx) await evil.stopTx(s.tx, 10000000);
  check([4, 5, 6].includes((await order(h, o.id)).order.state), 'the order still runs');
  // The same tag on the other connector of the same charger while the first runs.
  const twin = await cp.startTx(o.tag, 0, 2);
  check(twin.status !== 'Accepted', `the tag of a running order starts no second session, got ${twin.status}`);
  if (twin.tx) await cp.stopTx(twin.tx, 9000000);
  await sleep(300);
  await cp.meter(o.tx, { [E]: 5, [P]: 50000 });
  await cp.stopTx(o.tx, 5);
  const done = await over(h, o.id);
  check(units(done.order.paid) <= 200, `a stranger's readings cost nothing, paid ${done.order.paid}`);
}

/** A card: two connectors at once, and a flood of starts. */
async function cards(h, w, cp) {
  const [a, b] = [await cp.startTx('CARD1', 0, 1), await cp.startTx('CARD1', 0, 2)];
  check(!(a.status === 'Accepted' && b.status === 'Accepted'), `one wallet of less than two holds starts once: ${a.status} ${b.status}`);
  for (const s of [a, b]) if (s.tx) await cp.stopTx(s.tx, 100);
  const again = await cp.startTx('CARD1', 0, 1, '2026-01-01T00:00:00Z');
  const same = await cp.startTx('CARD1', 0, 1, '2026-01-01T00:00:00Z');
  check(again.tx === same.tx && again.status === same.status, `the same start, the same answer: ${again.tx} ${same.tx}`);
  if (again.tx) await cp.stopTx(again.tx, 0);
  const flood = await Promise.all(Array.from({ length: 300 }, (_, i) => cp.startTx(i % 3 ? 'CARD1' : 'NOBODY', i, 1 + (i % 2), iso(Date.now() - i)).catch(() => ({}))));
  const txs = flood.filter((s) => s.tx).map((s) => s.tx);
  check(new Set(txs).size === txs.length, 'no transaction id is given twice');
  for (const tx of txs) if ((await cp.stopTx(tx, 0))[0] === 'closed') break;
}

async function flips(h, w, d, cp) {
  const o = await charge(d, cp, w.chargers[0].connectors[0], '1.00', 0);
  await Promise.all(Array.from({ length: 1500 }, (_, i) => cp.status(['SuspendedEV', 'Charging', 'SuspendedEVSE', 'Charging'][i % 4])));
  const busy = await h.ask('GET', `/api/v1/orders/${o.id}`);
  check(busy.status === 200, `the story of a flapping order is told, got ${busy.status} ${JSON.stringify(busy.body).slice(0, 120)}`);
  check((await d.ask('GET', `/api/v1/me/orders/${o.id}`)).status === 200, 'also to the driver');
  await cp.status('Available');
  await cp.stopTx(o.tx, 1);
  const done = await over(h, o.id);
  check(done.order.state === 8, 'and ends');
}

async function twins(h, w, d, cp0) {
  cp0.drop();
  let cp = await (await Cp.open(h, w.chargers[0])).boot();
  const o = await charge(d, cp, w.chargers[0].connectors[0], '1.00', 0);
  const other = await Cp.open(h, w.chargers[0]);
  await until('the older twin is closed', () => cp.closed !== null, 5000);
  await other.meter(o.tx, { [E]: 3, [P]: 1000 });
  for (let i = 0; i < 150; i++) { // flapping: each drops the one before
    const c = await Cp.open(h, w.chargers[0]);
    if (i % 3 === 0) c.drop();
    cp = c;
  }
  if (cp.closed !== null) cp = await Cp.open(h, w.chargers[0]);
  await cp.boot();
  check((await h.ask('GET', '/readyz')).status === 200, 'the server is well after the flapping');
  check((await order(h, o.id)).order.state < 7, 'the order still runs');
  await cp.stopTx(o.tx, 4);
  const done = await over(h, o.id);
  check(done.order.energy_mwh === 4000, `the session survives its connections: ${done.order.energy_mwh} mWh`);
  return cp;
}

/** A charger that starts although refused, and one that does not stop. */
async function stubborn(h, w, d) {
  const path = w.chargers[0];
  const cp = await (await Cp.open(h, path, { RemoteStartTransaction: () => ({ status: 'Rejected' }) })).boot();
  const made = await d.must('POST', '/api/v1/me/orders', { code: path.connectors[0].code, cap: '0.50' });
  const call = await cp.expect('RemoteStartTransaction');
  await over(h, made.id);
  check((await d.must('GET', '/api/v1/me')).held === '0.00', 'a refused start releases the hold');
  const s = await cp.startTx(call.idTag, 0);
  check(s.status === 'Invalid', `a start after the refusal is refused, got ${s.status}`);
  await cp.expect('RemoteStopTransaction');
  await cp.stopTx(s.tx, 7000);
  check((await order(h, made.id)).order.paid === '0.00', 'and costs the driver nothing');
  cp.drop();
  const mule = await (await Cp.open(h, path, { RemoteStopTransaction: () => ({ status: 'Rejected' }) })).boot();
  const o = await charge(d, mule, path.connectors[0], '0.10', 0);
  await d.must('POST', `/api/v1/me/orders/${o.id}/stop`);
  await mule.expect('RemoteStopTransaction');
  await mule.expect('RemoteStopTransaction', 12000); // it is asked again
  for (let i = 1; i <= 5; i++) { await sleep(300); await mule.meter(o.tx, { [E]: i * 10, [P]: 120000 }); }
  await mule.stopTx(o.tx, 60);
  const done = await over(h, o.id);
  check(units(done.order.paid) <= 1000, `a charger that does not stop costs the driver no more than the cap: ${done.order.paid}`);
  mule.drop();
}

/** Bytes that never end, on all three ports; frames too large. */
async function slow(h, w) {
  const ports = [h.ports['web.port'], h.ports['charge.ocpp_port'], h.ports['charge.ykc_port']];
  const socks = [];
  for (const port of ports) for (let i = 0; i < 100; i++) {
    const s = net.connect(port, '127.0.0.1');
    s.on('error', () => {});
    s.write(port === ports[2] ? Buffer.from([0x68, 0xff, 0]) : 'GET /ocpp/CP1 HTTP/1.1\r\nHost: x\r\nX-');
    socks.push(s);
  }
  await sleep(300);
  for (const s of socks) if (!s.destroyed) s.write('a');
  const began = Date.now();
  check((await h.ask('GET', '/readyz')).status === 200 && Date.now() - began < 5000, 'pages are served beside 100 slow readers');
  const cp = await Cp.open(h, w.chargers[0]);
  check(cp.closed === null && (await cp.ask('Heartbeat', {}))[0] === 3, 'a charger is served beside 100 slow ones');
  for (const s of socks) s.destroy();
  const big = await Cp.open(h, w.chargers[1]);
  const a = await big.ask('DataTransfer', JSON.stringify({ vendorId: 'v', data: 'x'.repeat(70000) })).catch(() => ['silent']);
  check(a[0] === 'closed' || a[0] === 4, `a message above 64 KiB is refused, got ${JSON.stringify(a).slice(0, 80)}`);
  const deep = await Cp.open(h, w.chargers[1]);
  const b = await deep.ask('DataTransfer', `{"vendorId":"v","data":${'['.repeat(20000)}${']'.repeat(20000)}}`).catch(() => ['silent']);
  check(b[0] === 'closed' || b[0] === 4, `nesting without end is refused, got ${JSON.stringify(b).slice(0, 80)}`);
  cp.drop();
  check((await h.ask('GET', '/readyz')).status === 200, 'the server is well');
}

await main(async (h) => {
  await h.setup();
  const w = await h.world({ balance: '100.00', chargers: [{ path: 'CP1', protocol: 1, guns: 2 }, { path: 'EVIL', protocol: 1 }] });
  await h.must('POST', '/api/v1/tokens', { driver: w.driver, tag: 'CARD1', kind: 1, state: 0 });
  const d = await driver(h);
  const cp = await (await Cp.open(h, w.chargers[0])).boot(), evil = await (await Cp.open(h, w.chargers[1])).boot();
  await cp.status('Available', 2);
  await absurd(h, w, d, cp);
  await registers(h, w, d, cp);
  await foreign(h, w, d, cp, evil);
  await audit(h, 'after registers');
  await flips(h, w, d, cp);
  let now = await twins(h, w, d, cp);
  now.drop();
  await stubborn(h, w, d);
  now = await (await Cp.open(h, w.chargers[0])).boot();
  await now.status('Available', 2);
  await cards(h, w, now);
  now.drop();
  await slow(h, w);
  await sleep(500);
  for (const row of (await h.must('GET', '/api/v1/orders?limit=200')).items.filter((x) => x.state < 8)) {
    now = await Cp.open(h, w.chargers[0]);
    const s = (await order(h, row.id)).sessions[0];
    await now.stopTx(s.tx, 0);
    await over(h, row.id);
    now.drop();
  }
  await audit(h, 'at the end');
}, { demo: true });
