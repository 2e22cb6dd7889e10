// SPDX-License-Identifier: Apache-2.0
// sharing.mjs: shares that WeChat Pay and Alipay pay out of a single payment, end to end: receivers are made known, a driver pays for one order, the rest
// goes back, the owner's share is paid by the channel up to its greatest ratio, what is left of it is withdrawn as ever; after refunds WeChat is
// asked to give it back, and it comes back or does not; with every fault, and a house that is killed in between. Both sides' books are compared, `even check` is clean.
import { spawnSync } from 'node:child_process';
import { Charger } from './charger.mjs';
import { check, even, finish, House, sameDay, until } from './house.mjs';
import { FAILED, login, most, order, receiver, REFUSED, SETTLED } from './shares.mjs';
import { stories } from './stories.mjs';
import { ALIPAY, Till, WECHAT } from './till.mjs';

const faults = { keeps: '', late: '', clean: '', lost: 'lost=100', duplicate: 'duplicate=100', contradict: 'contradict=100', timeout: 'timeout=60', error: 'error=50',
  'a-clean': '', 'a-takes-none': '', 'a-lost': 'lost=100', 'a-duplicate': 'duplicate=100', 'a-contradict': 'contradict=100', 'a-timeout': 'timeout=60', 'a-error': 'error=50' };
const kindOf = (till) => (till.name.startsWith('a-') ? ALIPAY : WECHAT);
const wechat = (till) => kindOf(till) === WECHAT;
const money = (s) => Math.round(Number(s) * 10000);
/** The driver pays on the cashier's page; Alipay's signed address leads there. */
async function atTheTill(p) {
  const page = p.url.includes('/pay/') ? p.url : await until('the pay page', async () => { const r = await fetch(p.url).catch(() => null); return r?.ok && r.url.includes('/pay/') && r.url; }, 60000, 100);
  await fetch(`${page}?pay`, { method: 'POST' });
}

const payouts = async (h) => (await h.must('GET', '/api/v1/payouts?limit=200')).items;
/** Who gets the share there: some do not give anything back. */
const account = (till) => ({ keeps: 'keep-1', late: 'late-1', 'a-takes-none': '2088100000000001' }[till.name] ?? (wechat(till) ? '1900000109' : '2088000000000109'));
const share = async (h, p) => (await payouts(h)).find((x) => x.payment === p.id && x.kind === 3);
const reaches = (h, p, state) => until(`the share of ${p.id} reaches ${state}`, async () => { const s = await share(h, p); return s?.state === state && s; }, 120000, 200)
  .catch(async (e) => { throw new Error(`${e.message}: ${JSON.stringify(await share(h, p))}`); });
const trade = async (till, p) => (await till.state()).trades.find((x) => x.no === `P${p.id}`);
const unfrozen = (till, p) => until(`${till.name}: the rest is unfrozen`, async () => !(await trade(till, p)).frozen, 120000, 200);

/** What the provider holds of us is what our channel accounts say. */
async function compare(h, tills) {
  const accounts = (await h.must('GET', '/api/v1/accounts?kind=10&limit=200')).items;
  for (const till of tills) {
    const theirs = ((await till.state()).balance[kindOf(till) - 1] - 100000000) * 100;
    const ours = accounts.filter((a) => a.owner === till.channel_id).reduce((n, a) => n - money(a.balance), 0);
    check(ours === theirs, `${till.name}: ours ${ours}, theirs ${theirs}`);
  }
}

// A refund takes what is pending of the same day first: who owes how much, and which bill names it, is that of one day here.
await sameDay(8);
const tills = Object.entries(faults).map(([name, f]) => new Till(name, ['--seed', '5', ...(f ? ['--faults', f] : [])]));
for (const till of tills) await till.start(till === tills[0] ? null : tills[0]);
const h = new House({ demo: true, set: { 'pay.providers': tills.map((t) => t.base).join(',') } });
let bad = false;
try {
  await h.start();
  await h.setup();
  const w = await h.world({ elec_e5: 8000000, service_e5: 4000000 }), cp = w.chargers[0], clean = tills.find((t) => t.name === 'clean'), alipay = tills.find((t) => t.name === 'a-clean');
  for (const till of tills) {
    till.channel_id = await till.channel(h, kindOf(till));
    check((await most(h, till.channel_id, 10001)).status === 422, 'no more than all of it');
    check((await most(h, till.channel_id, 3000)).status === 200, 'what the channel may pay at most is set');
  }
  check((await h.ask('POST', '/api/v1/party-accounts', { party: w.owner, channel: clean.channel_id, payee_kind: 1, name: 'x' })).status >= 400, 'who gets it there must be said');
  const no = await receiver(h, w.owner, clean.channel_id, 'bad-1', { state: REFUSED });
  check((await h.ask('POST', '/api/v1/party-accounts', { party: w.owner, channel: alipay.channel_id, payee_kind: 1, name: 'x', account: 'owner@example.test' })).status === 422, 'Alipay knows receivers by their user id');
  const none = await receiver(h, w.owner, alipay.channel_id, '2088900000000001', { state: REFUSED });
  check(none.reason !== '', `so does Alipay: ${JSON.stringify(none)}`);
  check(no.reason !== '', `a receiver that is nobody is refused, with a reason: ${JSON.stringify(no)}`);
  for (const till of tills) await receiver(h, w.owner, till.channel_id, account(till));
  const d = await login(h, '13700001001'), charger = new Charger(h, cp);
  await charger.open();
  await charger.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
  const paid = [];
  for (const till of tills) paid.push([till, await order(h, d, charger, cp, till.channel_id, atTheTill, { method: wechat(till) ? 1 : 2 })]);
  for (const [till, p] of paid) {
    const s = await reaches(h, p, till.name === 'a-takes-none' ? FAILED : SETTLED);
    check(s.amount === '1.08' && s.party === w.owner, `${till.name}: 30 % of 3.60, of the owner's 1.80: ${s.amount}`);
    const theirs = (await till.state()).moves.filter((m) => m.what === 'share');
    check(theirs.length === 1 && theirs[0].no === `W${s.id}` && theirs[0].fen === 108, `${till.name}: paid once: ${JSON.stringify(theirs)}`);
    check(theirs[0].state === (s.state === SETTLED ? 'done' : 'failed'), `${till.name}: both know what became of it`);
    await unfrozen(till, p);
  }
  // ---- where a code is scanned, Alipay takes a part of each refund back by itself: such payments are not shared ----
  const scanned = await order(h, d, charger, cp, alipay.channel_id, atTheTill, { method: 1 });
  check((await trade(alipay, scanned)).frozen === 0 && !await share(h, scanned), 'a payment by code at Alipay is not shared');
  await h.must('POST', `/api/v1/orders/${scanned.order_id}/refund`, { amount: '3.60', note: 'test' });
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
  check(money(home.pending) === (paid.length + 1) * 7200 + 10800 && home.transit === '0.00', `what exceeds the ratio is still his, pending: ${JSON.stringify(home)}`);
  check((await c.must('GET', '/api/v1/partner/payouts')).items.filter((x) => x.kind === 3 && x.state === SETTLED).length === paid.length, 'he sees what the channel paid him');
  const told = (await stories(h)).get(p.order_id);
  const [his] = told.shares.filter((x) => x.party === w.owner);
  check(told.shares.filter((x) => x.party === w.owner).length === 1 && his.withdrawn === '1.08' && his.waits === '0.72' && his.payouts.length === 1 && his.payouts[0].taken === '1.08',
    `the story says what of his share the channel paid: ${JSON.stringify(told.shares)}`);
  // ---- refunds after the shares are paid: the drivers have it at once, the owner owes, and what the channels paid comes back to them ----
  paid.push([clean, p]);
  // Refunds take what is pending of him first, whatever order it is of: those of Alipay, which is not asked, take all of it. Then he owes.
  paid.sort(([a], [b]) => wechat(a) - wechat(b));
  for (const [, x] of paid) await h.must('POST', `/api/v1/orders/${x.order_id}/refund`, { amount: '3.60', note: 'test' });
  for (const [till, x] of paid) {
    await until('the refund went to its source', async () => (await payouts(h)).some((y) => y.payment === x.id && y.kind === 2 && y.amount === '3.60' && y.state === SETTLED), 180000, 200);
    if (!wechat(till)) continue; // Alipay is not asked
    const back = await until(`${till.name}: what comes back of the share is certain`, async () => (await payouts(h)).find((y) => y.payment === x.id && y.kind === 4 && [SETTLED, FAILED].includes(y.state)), 180000, 200);
    const state = ['keeps', 'late'].includes(till.name) ? FAILED : SETTLED;
    check(back.state === state && back.amount === '-1.08', `${till.name}: it came back, or did not: ${JSON.stringify(back)}`);
    const moves = (await till.state()).moves.filter((m) => m.what === 'share-return' && m.no === `W${back.id}`);
    check(moves.length === (till.name === 'keeps' ? 0 : 1) && moves.every((m) => m.fen === 108 && m.state === (state === SETTLED ? 'done' : 'failed')), `${till.name}: asked once: ${JSON.stringify(moves)}`);
  }
  check((await h.ask('POST', `/api/v1/payouts/${(await payouts(h)).find((x) => x.kind === 4).id}/decide`, { act: 2 })).status === 409, 'nobody decides about it');
  const all = await stories(h), of = (x) => all.get(x.order_id).shares.filter((y) => y.party === w.owner);
  const [left, owed] = of(p);
  check(left.withdrawn === '1.08' && left.payouts.length === 2 && left.payouts[1].taken === '-1.08' && owed.owed === '-1.80', `the story says that it came back: ${JSON.stringify([left, owed])}`);
  const [kept] = of(paid.find(([till]) => till.name === 'keeps')[1]);
  check(kept.withdrawn === '1.08' && kept.payouts.length === 1, `what does not come back stays with him: ${JSON.stringify(kept)}`);
  const after = await c.must('GET', '/api/v1/partner'), backs = paid.filter(([till]) => wechat(till) && !['keeps', 'late'].includes(till.name)).length;
  check(money(after.debt) === paid.length * 18000 - money(home.pending) - backs * 10800 && after.pending === '0.00' && after.available === '0.00', `he owes what did not come back: ${JSON.stringify(after)}`);
  await compare(h, tills);
  await h.kill('SIGTERM');
  const books = h.check();
  check(books.code === 0, `the books balance: ${books.text}`);
  // ---- the day ends: its bills agree with the books line by line, that of the shares also in what came back ----
  const date = new Date(Date.now() + 8 * 3600e3).toISOString().slice(0, 10), day = date.replaceAll('-', '');
  const [file, apart] = [[], ['shares']].map((more) => spawnSync(even, ['bill', '--dir', h.dir, '--set', `pay.providers=${clean.base}`, clean.channel_id, date, ...more], { encoding: 'utf8' }));
  check(file.status === 0 && !/share|分账/.test(file.stdout), `the bill of payments has no shares: ${file.stderr} ${file.stdout}`);
  check(apart.status === 0 && apart.stdout.split('\n').filter((l) => l.includes('`分账回退,')).length === 2, `their bill names what came back: ${apart.stderr} ${apart.stdout}`);
  h.options.set['demo.speed'] = 20000;
  await h.start();
  const compared = (csv, kind) => until('the day is over', async () => {
    const r = await h.ask('POST', `/api/v1/channels/${clean.channel_id}/bill?day=${day}&kind=${kind}&try=1`, csv, { 'content-type': 'text/csv' });
    if (r.status === 401) await h.login('admin', 'correct horse battery');
    return r.status === 200 && r.body;
  }, 120000, 200);
  for (const [csv, kind, least] of [[file.stdout, 0, 5], [apart.stdout, 1, 5]]) {
    const report = await compared(csv, kind);
    check(report.rows === report.matched && report.rows > least && [report.amount, report.fee, report.theirs_only, report.ours_only].every((n) => Number(n) === 0), `nothing differs: ${JSON.stringify(report)}`);
  }
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
