// SPDX-License-Identifier: Apache-2.0
// accounts.mjs: sub-accounts at the allocation rail, end to end: staff and the partner ask, a cashier with every fault checks the identity and
// opens or refuses, payouts go to what is open, the house is killed while it waits; numbers of people are nowhere in its folder.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { charge } from './charger.mjs';
import { check, finish, House, until } from './house.mjs';
import { registered } from './shares.mjs';
import { RAIL, Till, WECHAT } from './till.mjs';

const faults = { clean: '', lost: 'lost=100', duplicate: 'duplicate=100', contradict: 'contradict=100', timeout: 'timeout=60', error: 'error=50' };
const ASKED = 1, CHECKING = 2, OPEN = 3, REFUSED = 4, CLOSED = 5, WAITS = 6;
const ID = '91440300MA5EXAMPLE', BANK = '6222020200112233445';
const owner = (channel, more = {}) => ({ channel, payee_kind: 1, name: '海岸物业有限公司', id_no: ID, bank: BANK, ...more });

const row = async (h, id) => (await h.must('GET', '/api/v1/party-accounts?limit=200')).items.find((a) => a.id === id);
const reaches = (h, id, state) => until(`account ${id} reaches ${state}`, async () => (await row(h, id))?.state === state, 60000, 100)
  .catch(async (e) => { throw new Error(`${e.message}: ${JSON.stringify(await row(h, id))}`); });

/** What the provider decides by itself, whatever it was. */
async function decide(till, id, what) {
  const a = (await till.state()).accounts.find((x) => x.no === `A${id}`);
  await fetch(`${a.page}?${what}`, { method: 'POST' });
}

/** True when a file below the folder holds one of the texts. */
function holds(dir, texts) {
  for (const name of readdirSync(dir)) {
    const at = join(dir, name);
    if (statSync(at).isDirectory() ? holds(at, texts) : texts.some((t) => readFileSync(at).includes(t))) return true;
  }
  return false;
}

/** Every way to ask wrongly: a clear error, no effect. */
async function wrongly(h, w, rail, wechat) {
  const tries = {
    'no party': [owner(rail), 400], 'another\'s party': [owner(rail, { party: w.station }), 404], 'no such channel': [owner('17', { party: w.owner }), 404],
    'a channel without accounts': [owner(wechat, { party: w.owner }), 501], 'no name': [owner(rail, { party: w.owner, name: '' }), 422],
    'a short certificate': [owner(rail, { party: w.owner, id_no: '1 2-3 4' }), 422], 'a certificate of odd characters': [owner(rail, { party: w.owner, id_no: '9144030<script>' }), 422],
    'a long bank account': [owner(rail, { party: w.owner, bank: '6'.repeat(33) }), 422], 'neither person nor company': [owner(rail, { party: w.owner, payee_kind: 3 }), 422],
  };
  for (const [why, [body, status]] of Object.entries(tries)) {
    const r = await h.ask('POST', '/api/v1/party-accounts', body);
    check(r.status === status || (r.status >= 400 && r.status < 500 && status >= 400 && status !== 404), `${why}: ${r.status} ${JSON.stringify(r.body)}`);
    check(!JSON.stringify(r.body).includes(ID), `${why}: the answer repeats no number`);
  }
  check((await h.ask('POST', '/api/v1/party-accounts', owner(rail, { party: w.owner }), { 'idempotency-key': null })).status === 400, 'a key is wanted');
  await h.must('POST', '/api/v1/people', { login: 'viewer', name: 'V', password: 'viewer password', role: 5, party: '0', station: '0', state: 0 });
  const v = h.client();
  await v.login('viewer', 'viewer password');
  check((await v.ask('POST', '/api/v1/party-accounts', owner(rail, { party: w.owner }))).status === 403, 'who may only look opens nothing');
  check((await h.must('GET', '/api/v1/party-accounts')).items.length === 0, 'nothing of that had an effect');
}

async function withdraw(h, party, channel) {
  return h.ask('POST', '/api/v1/payouts', { party, channel, amount: '0.01', note: 'test' });
}

const state = async (h, id) => (await h.must('GET', '/api/v1/payouts?limit=200')).items.find((p) => p.id === id).state;

/** The platform's own account: it has income to send. */
async function way(h, clean, self) {
  const rail = clean.channels[RAIL];
  check((await withdraw(h, self, rail)).status === 403, 'nothing verified, nowhere to send');
  const body = owner(rail, { party: self }), key = { 'idempotency-key': 'once-and-no-more' };
  const id = (await h.must('POST', '/api/v1/party-accounts', body, key)).id;
  const again = await h.must('POST', '/api/v1/party-accounts', body, key);
  check(again.id === id && again.replay, 'the same key again: the same account');
  check((await h.ask('POST', '/api/v1/party-accounts', body)).status === 409, 'a second one is not asked for');
  const early = await withdraw(h, self, rail);
  check(early.status === 409 && early.body.type === 'urn:even:account', `not open yet: ${JSON.stringify(early.body)}`);
  await reaches(h, id, OPEN);
  const a = await row(h, id);
  check(a.id_no === '****MPLE' && a.bank === '****3445' && a.name === '海**' && /^\*{4}\d{4}$/.test(a.number), `masked: ${JSON.stringify(a)}`);
  const p = (await withdraw(h, self, rail)).body.id;
  await until('the payout is settled', async () => await state(h, p) === 5, 60000, 100);
  const theirs = (await clean.state()).accounts.find((x) => x.no === `A${id}`);
  check(theirs.fen === 1, `the money is in that sub-account: ${JSON.stringify(theirs)}`);
  await decide(clean, id, 'close');
  await reaches(h, id, CLOSED);
  check((await withdraw(h, self, rail)).status === 409, 'a closed account takes nothing');
  await decide(clean, id, 'open');
  await reaches(h, id, OPEN);
  await decide(clean, id, 'refuse');
  await reaches(h, id, CLOSED);
  const next = (await h.must('POST', '/api/v1/party-accounts', body)).id;
  await reaches(h, next, OPEN);
}

/** The partner on his own page: refused, told why, asks again. */
async function partner(h, w, rail) {
  await h.must('POST', '/api/v1/people', { login: 'owner2', name: 'P', password: 'partner password', role: 3, party: w.owner, station: '0', state: 0 });
  const c = h.client();
  await c.login('owner2', 'partner password');
  check((await c.ask('POST', '/api/v1/party-accounts', owner(rail, { party: w.owner }))).status === 403, 'the staff\'s way is not his');
  check((await c.ask('POST', '/api/v1/partner/accounts', owner(rail, { party: w.owner }))).status === 422, 'whose account it is, the log-in says');
  const bad = (await c.must('POST', '/api/v1/partner/accounts', owner(rail, { id_no: '0123456789' }))).id;
  await reaches(h, bad, REFUSED);
  const mine = (await c.must('GET', '/api/v1/partner/accounts')).items;
  check(mine.length === 1 && mine[0].id === bad && mine[0].reason === '证件信息不符', `he is told why: ${JSON.stringify(mine)}`);
  const other = owner(rail, { payee_kind: 2, name: '王小明', id_no: '11010119900307123X' });
  const no = await c.ask('POST', '/api/v1/partner/accounts', other);
  check(no.status === 409 && no.body.type === 'urn:even:payee-name', `in another name he opens none: ${JSON.stringify(no.body)}`);
  await second(h, w, other);
  check((await c.must('GET', '/api/v1/partner/accounts')).items.every((a) => a.party === w.owner), 'he sees his own only');
}

/** Staff open one in another name by two people. */
async function second(h, w, other) {
  await h.must('POST', '/api/v1/people', { login: 'second', name: 'Second', password: 'second password', role: 2, party: '0', station: '0', state: 0 });
  const s = h.client();
  await s.login('second', 'second password');
  const body = { ...other, party: w.owner };
  const first = (await h.must('POST', '/api/v1/party-accounts', body)).id;
  check((await row(h, first)).state === WAITS, 'it waits');
  check((await h.ask('POST', '/api/v1/party-accounts', body)).status === 409, 'one at a time');
  const own = await h.ask('POST', `/api/v1/party-accounts/${first}/decide`, { act: 1 });
  check(own.status === 403 && own.body.type === 'urn:even:second', `not by whoever asked: ${JSON.stringify(own.body)}`);
  check((await s.ask('POST', `/api/v1/party-accounts/${first}/decide`, { act: 4 })).status === 422, 'no such act');
  check((await s.ask('POST', `/api/v1/party-accounts/${w.owner}/decide`, { act: 1 })).status === 404, 'no such account');
  await s.must('POST', `/api/v1/party-accounts/${first}/decide`, { act: 2 });
  check((await row(h, first)).state === REFUSED, 'another person may refuse it');
  const good = (await h.must('POST', '/api/v1/party-accounts', body)).id;
  await s.must('POST', `/api/v1/party-accounts/${good}/decide`, { act: 1 });
  await reaches(h, good, OPEN);
  check((await row(h, good)).other === 1, 'and it is shown as what it is');
}

/** Killed while the provider checks: it goes on, once. */
async function restart(h, w, till) {
  const id = (await h.must('POST', '/api/v1/party-accounts', owner(till.channels[RAIL], { party: w.owner }))).id;
  await h.kill('SIGKILL');
  await h.start();
  await reaches(h, id, OPEN);
  check((await till.state()).accounts.filter((a) => a.no === `A${id}`).length === 1, 'opened once');
}

const tills = Object.entries(faults).map(([name, f]) => new Till(name, ['--seed', '11', ...(f ? ['--faults', f] : [])]));
for (const till of tills) await till.start(till === tills[0] ? null : tills[0]);
const h = new House({ demo: true, set: { 'pay.providers': tills.map((t) => t.base).join(',') } });
let bad = false;
try {
  await h.start();
  await h.setup();
  const w = await h.world();
  const t = await h.ask('GET', '/api/v1/tenant');
  await h.must('PUT', '/api/v1/tenant', { ...t.body, refund_days: 0, payout_min: '0.01', payout_fee: '0.00', payout_check: '1000.00', payee_hold_h: 0 }, { 'if-match': t.headers.get('etag') });
  for (const till of tills) till.channels = { [RAIL]: await till.channel(h, RAIL) };
  const clean = tills[0], self = (await h.must('GET', '/api/v1/parties')).items.find((p) => p.kind === 1).id;
  const wechat = await clean.channel(h, WECHAT);
  for (const id of [self, w.owner]) await registered(h, id, '海岸物业有限公司');
  await wrongly(h, w, clean.channels[RAIL], wechat);
  const ids = [];
  for (const till of tills.slice(1)) ids.push((await h.must('POST', '/api/v1/party-accounts', owner(till.channels[RAIL], { party: self }))).id);
  for (const id of ids) await reaches(h, id, OPEN);
  for (const [i, till] of tills.slice(1).entries()) {
    const theirs = (await till.state()).accounts;
    check(theirs.length === 1 && theirs[0].no === `A${ids[i]}`, `${till.name}: one account, however often it was asked for`);
  }
  await partner(h, w, clean.channels[RAIL]);
  await restart(h, w, tills.find((x) => x.name === 'lost'));
  const d = h.client(), { demo_code } = await d.must('POST', '/api/v1/driver/code', { phone: '13700001001' });
  const s = await d.must('POST', '/api/v1/driver/login', { phone: '13700001001', code: demo_code });
  d.csrf = s.csrf;
  await h.must('POST', `/api/v1/drivers/${(await h.must('GET', '/api/v1/drivers?limit=200')).items.find((x) => x.phone === '13700001001').id}/topups`, { amount: '4.00', note: 'test' });
  await charge(h, d, w);
  await way(h, clean, self);
  const audit = (await h.must('GET', '/api/v1/audit?limit=200')).items;
  for (const action of ['account.ask', 'account.checking', 'account.open', 'account.refused', 'account.closed'])
    check(audit.some((a) => a.action === action), `${action} is audited`);
  check(audit.every((a) => !a.detail.includes('海岸')), 'the audit names nobody');
  await h.kill('SIGTERM');
  check(!holds(h.dir, [ID, BANK, '11010119900307123X']), 'no file of the house holds a number in plain');
  const books = h.check();
  check(books.code === 0, `the books balance: ${books.text}`);
} catch (e) {
  bad = true;
  console.log(`FAILED: ${e.stack}`);
  console.log(h.log.split('\n').slice(-30).join('\n'));
} finally {
  await h.end();
  for (const till of tills) till.end();
}
process.exitCode = bad ? 1 : 0;
finish();
