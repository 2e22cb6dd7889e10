// SPDX-License-Identifier: Apache-2.0
// sharing.mjs: shares that WeChat Pay pays out of a single payment, end to end: receivers are made known, a driver pays for one order, the rest
// goes back, the owner's share is paid by the channel up to its greatest ratio, what is left of it is withdrawn as ever; with every fault, a house
// that is killed in between, and a receiver who takes nothing. Both sides' books are compared, `even check` is clean.
import { Charger } from './charger.mjs';
import { check, finish, House, until } from './house.mjs';
import { login, most, order, receiver, REFUSED, SETTLED } from './shares.mjs';
import { stories } from './stories.mjs';
import { Till, WECHAT } from './till.mjs';

const faults = { clean: '', lost: 'lost=100', duplicate: 'duplicate=100', contradict: 'contradict=100', timeout: 'timeout=60', error: 'error=50' };
const money = (s) => Math.round(Number(s) * 10000);
/** The driver pays on the cashier's page. */
const atTheTill = (p) => fetch(`${p.url}?pay`, { method: 'POST' });

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
    check((await most(h, till.channel_id, 10001)).status === 422, 'no more than all of it');
    check((await most(h, till.channel_id, 3000)).status === 200, 'what the channel may pay at most is set');
  }
  check((await h.ask('POST', '/api/v1/party-accounts', { party: w.owner, channel: clean.channel_id, payee_kind: 1, name: 'x' })).status >= 400, 'who gets it there must be said');
  const no = await receiver(h, w.owner, clean.channel_id, 'bad-1', { state: REFUSED });
  check(no.reason !== '', `a receiver that is nobody is refused, with a reason: ${JSON.stringify(no)}`);
  for (const till of tills) await receiver(h, w.owner, till.channel_id, '1900000109');
  const d = await login(h, '13700001001'), charger = new Charger(h, cp);
  await charger.open();
  await charger.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
  const paid = [];
  for (const till of tills) paid.push([till, await order(h, d, charger, cp, till.channel_id, atTheTill)]);
  for (const [till, p] of paid) {
    const s = await reaches(h, p, SETTLED);
    check(s.amount === '1.08' && s.party === w.owner, `${till.name}: 30 % of 3.60, of the owner's 1.80: ${s.amount}`);
    const theirs = (await till.state()).moves.filter((m) => m.what === 'share');
    check(theirs.length === 1 && theirs[0].no === `W${s.id}` && theirs[0].fen === 108, `${till.name}: paid once: ${JSON.stringify(theirs)}`);
    await unfrozen(till, p);
  }
  // ---- the house is killed while a share is due ----
  const p = await order(h, d, charger, cp, clean.channel_id, atTheTill);
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
