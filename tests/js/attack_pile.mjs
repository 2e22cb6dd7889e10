// SPDX-License-Identifier: Apache-2.0
// attack_pile.mjs: broken and malicious 云快充 piles: altered, repeated, foreign and invented records, frames that lie about their length or checksum, a pile
// that speaks for another, two with one number, log-in storms. Records never make a driver pay above the cap or for what another pile says.
import { check, main, sleep, until } from './house.mjs';
import { Pile, audit, bcd, cp56, driver, frame, le, order, over, units } from './rogue.mjs';

const A = '32010600019214', B = '32010600019215';

/** A 3B record; energies in 1/10,000 kWh, amounts in 1/10,000 yuan. */
function record(no, { pile = A, gun = '01', from = Date.now() - 60000, to = Date.now(), classes = [0, 0, 0, 0], amounts = [0, 0, 0, 0], meter = [0, 0], energy, amount = 0, reason = 0x40 } = {}) {
  const fee = classes.map((e, i) => Buffer.concat([le(4, 120000), le(4, e), le(4, e), le(4, amounts[i])]));
  const sum = energy ?? classes.reduce((s, e) => s + e, 0);
  const u40 = (v) => { const b = Buffer.alloc(5); b.writeUIntLE(v, 0, 5); return b; };
  return Buffer.concat([bcd(no), bcd(pile), bcd(gun), cp56(from), cp56(to), ...fee, u40(meter[0]), u40(meter[1]), le(4, sum), le(4, sum), le(4, amount),
    Buffer.alloc(17, 0x41), Buffer.from([1]), cp56(to), Buffer.from([reason]), Buffer.alloc(8)]);
}
async function send(p, body, what) {
  p.frames = p.frames.filter((f) => f.type !== 0x40);
  p.send(0x3b, body);
  return (await p.on(0x40).catch(() => { check(false, `${what}: a record is answered`); return { body: Buffer.alloc(17, 9) }; })).body[16];
}

/** An order at pile A from the app to its first reading. */
async function begin(d, p, con, cap) {
  p.live('0'.repeat(32), { state: 2 });
  await sleep(100);
  const made = await d.must('POST', '/api/v1/me/orders', { code: con.code, cap });
  const ask = await p.on(0x34);
  const no = ask.body.subarray(0, 16).toString('hex');
  p.send(0x33, Buffer.concat([bcd(no), bcd(A), bcd('01'), Buffer.from([1, 0])]), { seq: ask.seq });
  await sleep(100);
  p.live(no, { energy: 0 });
  return { id: made.id, no };
}

async function records(h, w, d, p, q) {
  const con = w.chargers[0].connectors[0];
  const cases = [
    ['a record of a million yuan', { classes: [0, 0, 4000000000, 0], energy: 4000000000, amount: 4000000000 }],
    ['classes that do not sum', { classes: [100, 100, 100, 100], energy: 4000000000 }],
    ['an amount of its own', { classes: [0, 0, 100, 0], amounts: [0, 0, 4294967295, 0], amount: 4294967295 }],
    ['a meter that falls', { classes: [0, 0, 500, 0], meter: [1099511627775, 0] }],
    ['a meter that leaps', { classes: [0, 0, 500, 0], meter: [0, 1099511627775] }],
    ['an end before its start', { classes: [0, 0, 500, 0], from: Date.now(), to: Date.now() - 86400000 }],
    ['years ago', { classes: [0, 0, 500, 0], from: Date.now() - 9e11 / 3, to: Date.now() - 9e11 / 3 + 60000 }],
    ['years ahead', { classes: [0, 0, 500, 0], from: Date.now() + 3e11, to: Date.now() + 3e11 + 60000 }],
    ['nothing', {}],
    ['a reason that is none', { classes: [0, 0, 10, 0], reason: 0xff }],
  ];
  for (const [what, spec] of cases) {
    const o = await begin(d, p, con, '0.50');
    check((await send(q, record(o.no, { ...spec, pile: B }), `${what}, from another pile`)) <= 1, `${what}: another pile's record is answered`);
    q.send(0x3b, record(o.no, spec)); // in the name of pile A over the connection of B
    for (let i = 0; i < 3; i++) q.live(o.no, { number: B, energy: 9999999, amount: 9999999 });
    p.live(o.no, { energy: 4294967295, amount: 4294967295 });
    p.live(o.no, { energy: 5 });
    await sleep(150);
    check([4, 5, 6].includes((await order(h, o.id)).order.state), `${what}: the order runs although another pile said otherwise`);
    check((await send(p, record(o.no, spec), what)) === 0, `${what}: the own record is acknowledged`);
    const done = await over(h, o.id);
    check(units(done.order.paid) <= 5000, `${what}: paid ${done.order.paid} of 0.50`);
    check((await send(p, record(o.no, { classes: [0, 0, 777, 0] }), `${what}, altered`)) === 0, `${what}: an altered repetition is acknowledged`);
    const again = await order(h, o.id);
    check(again.order.paid === done.order.paid && again.order.total === done.order.total, `${what}: and changes nothing`);
  }
  const before = (await h.must('GET', '/api/v1/orders?limit=200')).items.length;
  for (const no of ['0'.repeat(32), '9'.repeat(32), A + '01' + '2601010000009999'])
    check((await send(p, record(no, { classes: [0, 0, 50000, 0] }), `record ${no}`)) <= 1, `a record of the unknown order ${no} is answered`);
  check((await h.must('GET', '/api/v1/orders?limit=200')).items.length === before, 'unknown records make no orders');
}

/** A refused start that happens all the same: nobody pays. */
async function afterwards(h, w, d, p) {
  p.live('0'.repeat(32), { state: 2 });
  await sleep(100);
  const made = await d.must('POST', '/api/v1/me/orders', { code: w.chargers[0].connectors[0].code, cap: '0.50' });
  const ask = await p.on(0x34);
  const no = ask.body.subarray(0, 16).toString('hex');
  p.send(0x33, Buffer.concat([bcd(no), bcd(A), bcd('01'), Buffer.from([0, 1])]), { seq: ask.seq });
  await over(h, made.id);
  check((await send(p, record(no, { classes: [0, 0, 1000, 0] }), 'a late record')) === 0, 'the record of a refused start is acknowledged');
  check((await send(p, record(no, { classes: [0, 0, 1000, 0] }), 'a late record again')) === 0, 'also again');
  check((await order(h, made.id)).order.paid === '0.00' && (await d.must('GET', '/api/v1/me')).held === '0.00', 'and nobody pays');
  const loss = (await h.must('GET', '/api/v1/orders?limit=200')).items.filter((o) => o.payer_kind === 0);
  check(loss.length === 1, `one order records the loss, got ${loss.length}`);
}

async function frames(h, w, p) {
  const odd = [frame(0x03, Buffer.alloc(0)), frame(0x13, Buffer.alloc(3)), frame(0x3b, Buffer.alloc(200, 0xff)), frame(0x01, Buffer.alloc(2)), frame(0xee, Buffer.alloc(40)),
    frame(0x03, Buffer.concat([bcd(A), bcd('01'), Buffer.from([0])]), { badCrc: true }), frame(0x03, Buffer.concat([bcd(A), bcd('99'), Buffer.from([0])])),
    frame(0x03, Buffer.concat([bcd(A), bcd('01'), Buffer.from([0])]), { length: 255 }), frame(0x03, Buffer.concat([bcd(A), bcd('01'), Buffer.from([0])]), { length: 0 }),
    frame(0x03, Buffer.concat([bcd(A), bcd('01'), Buffer.from([0])]), { length: 4 }), frame(0x33, Buffer.alloc(25, 0xaa)), Buffer.alloc(3000, 0x68), Buffer.alloc(3000)];
  for (const bytes of odd) {
    const x = await Pile.open(h, B);
    x.s.write(bytes);
    x.s.write(frame(0x13, Buffer.alloc(60)));
    await sleep(20);
    x.drop();
  }
  const flood = await Pile.open(h, B);
  for (let i = 0; i < 5000 && !flood.closed; i++) flood.send(0x03, Buffer.concat([bcd(B), bcd('01'), Buffer.from([0])]), { badCrc: true });
  // A pile that did not log in, or speaks for one that is not its own.
  const silent = await Pile.open(h, B);
  silent.live('0'.repeat(32), { number: A, state: 1 });
  silent.beat(A);
  // The twin: the first lives, the second must not take its place.
  const twin = await Pile.open(h, A);
  const result = await twin.login(A).catch(() => 1);
  check(result === 1, `a second pile with the number of a living one is refused, got ${result}`);
  const unknown = await Pile.open(h, '99999999999999');
  check((await unknown.login().catch(() => 1)) === 1, 'an unknown pile is refused');
  for (let i = 0; i < 200; i++) (await Pile.open(h, A)).login(A).catch(() => {});
  p.beat();
  await p.on(0x04);
  check((await h.ask('GET', '/readyz')).status === 200, 'the server is well');
  check(!p.closed, 'the honest pile is still connected');
}

await main(async (h) => {
  await h.setup();
  const w = await h.world({ balance: '100.00', chargers: [{ path: A, protocol: 2 }, { path: B, protocol: 2 }] });
  const d = await driver(h);
  const p = await Pile.open(h, A), q = await Pile.open(h, B);
  check((await p.login()) === 0 && (await q.login()) === 0, 'both piles log in');
  p.live('0'.repeat(32), { state: 2, plugged: 1 });
  await records(h, w, d, p, q);
  await afterwards(h, w, d, p);
  await frames(h, w, p);
  await audit(h, 'at the end');
}, { demo: true });
