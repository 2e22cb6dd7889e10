// SPDX-License-Identifier: Apache-2.0
// sharing.mjs: shares that WeChat Pay pays out of a single payment, end to end: receivers are made known, a driver pays for one order, the rest
// goes back, the owner's share is paid by the channel up to its greatest ratio, what is left of it is withdrawn as ever; with every fault, a house
// that is killed in between, and a receiver who takes nothing. Both sides' books are compared, `even check` is clean.
import { Charger } from './charger.mjs';
import { check, finish, House, sleep, until } from './house.mjs';
import { stories } from './stories.mjs';
import { Till, WECHAT } from './till.mjs';

const faults = { clean: '', lost: 'lost=100', duplicate: 'duplicate=100', contradict: 'contradict=100', timeout: 'timeout=60', error: 'error=50' };
const money = (s) => Math.round(Number(s) * 10000);
const OPEN = 3, REFUSED = 4, SETTLED = 5, FAILED = 6;

async function login(h, phone) {
  const c = h.client(), { demo_code } = await c.must('POST', '/api/v1/driver/code', { phone });
  c.csrf = (await c.must('POST', '/api/v1/driver/login', { phone, code: demo_code })).csrf;
  return c;
}

/** Makes a receiver known at a till; its account's row once the provider has answered. */
async function receiver(h, party, channel, account, state = OPEN) {
  const id = (await h.must('POST', '/api/v1/party-accounts', { party, channel, payee_kind: 1, name: '海岸物业有限公司', account })).id;
  const get = async () => (await h.must('GET', '/api/v1/party-accounts?limit=200')).items.find((a) => a.id === id);
  return until(`receiver ${account} reaches ${state}`, async () => { const a = await get(); return a.state === state && a; }, 60000, 100);
}

/** A driver pays 5.00 for one order of 3.60 at the charger: its payment. */
async function order(h, d, charger, cp, channel) {
  charger.started = null;
  await charger.status('Preparing');
  await until('connector is ready', async () => (await h.must('GET', `/api/v1/connectors?charger=${cp.id}`)).items[0].status === 2);
  const id = (await d.must('POST', '/api/v1/me/payments', { channel, method: 1, amount: '5.00', connector: cp.connectors[0].id })).id;
  const get = () => d.must('GET', `/api/v1/me/payments/${id}`);
  const p = await until('a place to pay', async () => { const r = await get(); return r.url && r; }, 60000, 100);
  await fetch(`${p.url}?pay`, { method: 'POST' });
  await until('paid', async () => (await get()).state === 3, 60000, 100);
  await until('remote start', async () => charger.started);
  const tx = (await charger.call('StartTransaction', { connectorId: 1, idTag: charger.started.idTag, meterStart: 1000, timestamp: new Date().toISOString() })).transactionId;
  for (let i = 1; i <= 3; i++) {
    await sleep(300);
    await charger.meter(tx, 1000 + i * 7, 60000);
  }
  await charger.call('StopTransaction', { transactionId: tx, meterStop: 1030, timestamp: new Date().toISOString(), reason: 'Local' });
  await charger.status('Available');
  const o = (await get()).order_id;
  await until('settled', async () => (await d.must('GET', `/api/v1/me/orders/${o}`)).order.state === 8, 60000, 100);
  return get();
}

const payouts = async (h) => (await h.must('GET', '/api/v1/payouts?limit=200')).items;
const share = async (h, p) => (await payouts(h)).find((x) => x.payment === p.id && x.kind === 3);
const reaches = (h, p, state) => until(`the share of ${p.id} reaches ${state}`, async () => { const s = await share(h, p); return s?.state === state && s; }, 120000, 200)
  .catch(async (e) => { throw new Error(`${e.message}: ${JSON.stringify(await share(h, p))}`); });
const trade = async (till, p) => (await till.state()).trades.find((x) => x.no === `P${p.id}`);
const unfrozen = (till, p) => until(`${till.name}: the rest is unfrozen`, async () => !(await trade(till, p)).frozen, 120000, 200);

/** What the provider holds of us is what our channel accounts say. */
async function compare(h, tills) {
  const accounts = (await h.must('GET', '/api/v1/accounts?kind=10&limit=200')).items;
  for (const till of tills) {
    const theirs = ((await till.state()).balance[WECHAT - 1] - 100000000) * 100;
    const ours = accounts.filter((a) => a.owner === till.channel_id).reduce((n, a) => n - money(a.balance), 0);
    check(ours === theirs, `${till.name}: ours ${ours}, theirs ${theirs}`);
  }
}

const tills = Object.entries(faults).map(([name, f]) => new Till(name, ['--seed', '5', ...(f ? ['--faults', f] : [])]));
for (const till of tills) await till.start(till === tills[0] ? null : tills[0]);
const h = new House({ demo: true, set: { 'pay.providers': tills.map((t) => t.base).join(',') } });
let bad = false;
try {
  await h.start();
  await h.setup();
  const w = await h.world({ elec_e5: 8000000, service_e5: 4000000 }), cp = w.chargers[0], clean = tills[0];
  for (const till of tills) {
    till.channel_id = await till.channel(h, WECHAT);
    const c = (await h.must('GET', '/api/v1/channels')).items.find((x) => x.id === till.channel_id);
    const { version, id, ...rest } = c;
    check((await h.ask('PUT', `/api/v1/channels/${id}`, { ...rest, share_bp: 10001 }, { 'if-match': `"${version}"` })).status === 422, 'no more than all of it');
    await h.must('PUT', `/api/v1/channels/${id}`, { ...rest, share_bp: 3000 }, { 'if-match': `"${version}"` });
  }
  check((await h.ask('POST', '/api/v1/party-accounts', { party: w.owner, channel: clean.channel_id, payee_kind: 1, name: 'x' })).status >= 400, 'who gets it there must be said');
  const no = await receiver(h, w.owner, clean.channel_id, 'bad-1', REFUSED);
  check(no.reason !== '', `a receiver that is nobody is refused, with a reason: ${JSON.stringify(no)}`);
  for (const till of tills) await receiver(h, w.owner, till.channel_id, '1900000109');
  const d = await login(h, '13700001001'), charger = new Charger(h, cp);
  await charger.open();
  await charger.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
  const paid = [];
  for (const till of tills) paid.push([till, await order(h, d, charger, cp, till.channel_id)]);
  for (const [till, p] of paid) {
    const s = await reaches(h, p, SETTLED);
    check(s.amount === '1.08' && s.party === w.owner, `${till.name}: 30 % of 3.60, of the owner's 1.80: ${s.amount}`);
    const theirs = (await till.state()).moves.filter((m) => m.what === 'share');
    check(theirs.length === 1 && theirs[0].no === `W${s.id}` && theirs[0].fen === 108, `${till.name}: paid once: ${JSON.stringify(theirs)}`);
    await unfrozen(till, p);
  }
  // ---- the house is killed while a share is due ----
  const p = await order(h, d, charger, cp, clean.channel_id);
  check((await trade(clean, p)).frozen, 'until then the payment is frozen');
  await h.kill('SIGKILL');
  await h.start();
  await reaches(h, p, SETTLED);
  check((await clean.state()).moves.filter((m) => m.what === 'share').length === 2, 'shared once each');
  await unfrozen(clean, p);
  // ---- what the parties see ----
  const c = h.client();
  await c.login('partner', 'partner password');
  const home = await c.must('GET', '/api/v1/partner');
  check(money(home.pending) === paid.length * 7200 + 7200 && home.transit === '0.00', `what exceeds the ratio is still his, pending: ${JSON.stringify(home)}`);
  check((await c.must('GET', '/api/v1/partner/payouts')).items.filter((x) => x.kind === 3 && x.state === SETTLED).length === paid.length + 1, 'he sees what the channel paid him');
  const told = (await stories(h)).get(p.order_id);
  const [his] = told.shares.filter((x) => x.party === w.owner);
  check(told.shares.filter((x) => x.party === w.owner).length === 1 && his.withdrawn === '1.08' && his.waits === '0.72' && his.payouts.length === 1 && his.payouts[0].taken === '1.08',
    `the story says what of his share the channel paid: ${JSON.stringify(told.shares)}`);
  // ---- a refund after the share is paid: the driver has it at once, the owner owes ----
  await h.must('POST', `/api/v1/orders/${p.order_id}/refund`, { amount: '3.60', note: 'test' });
  await until('the refund went to its source', async () => (await payouts(h)).some((x) => x.payment === p.id && x.kind === 2 && x.amount === '3.60' && x.state === SETTLED), 60000, 200);
  const [left] = (await stories(h)).get(p.order_id).shares.filter((x) => x.party === w.owner);
  check(left.withdrawn === '1.08' && left.returned === '0.72' && left.waits === '0.00', `what the channel paid stays with him: ${JSON.stringify(left)}`);
  await compare(h, tills);
  await h.kill('SIGTERM');
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
