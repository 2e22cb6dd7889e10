// SPDX-License-Identifier: Apache-2.0
// pay.mjs: money through payment channels, end to end: drivers top up at a cashier that loses, delays, doubles, reorders and contradicts its
// notices, breaks answers off after having done what was asked, answers 500, and is short of balance; a refund to its source; withdrawals by
// merchant transfer (the payee confirms), by Alipay and over the allocation rail. Both sides' books are compared at the end.
import { constants, createPublicKey, createSign, publicEncrypt, randomBytes } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { RPCClient } from 'ocpp-rpc';
import { check, even, finish, House, sleep, until } from './house.mjs';
import { ALIPAY, RAIL, Till, WECHAT, merchants } from './till.mjs';

const faults = { clean: '', lost: 'lost=100', late: 'late=100', duplicate: 'duplicate=100', reorder: 'reorder=60', contradict: 'contradict=100',
  timeout: 'timeout=60', error: 'error=50', short: 'no-funds=70' };

const money = (s) => Math.round(Number(s) * 10000);

async function driver(h, phone) {
  const c = h.client();
  const { demo_code } = await c.must('POST', '/api/v1/driver/code', { phone });
  const s = await c.must('POST', '/api/v1/driver/login', { phone, code: demo_code });
  c.csrf = s.csrf;
  return c;
}

/** Asks for a top-up, pays on the provider's page, and waits for the wallet. */
async function topup(c, till, channel, method, amount) {
  const before = money((await c.must('GET', '/api/v1/me')).balance);
  const id = (await c.must('POST', '/api/v1/me/payments', { channel, amount, method })).id;
  const get = () => c.must('GET', `/api/v1/me/payments/${id}`);
  const p = await until(`${till.name}: a place to pay`, async () => { const r = await get(); return r.url && r; }, 60000, 100);
  const page = await fetch(p.url); // Alipay's address leads to the page
  await fetch(`${page.url}?pay`, { method: 'POST' });
  await until(`${till.name}: paid`, async () => (await get()).state === 3, 60000, 100);
  const after = money((await c.must('GET', '/api/v1/me')).balance);
  return { id, gained: after - before };
}

/** One little order at the charger, so that there are shares. */
async function order(h, w) {
  const cp = w.chargers[0];
  const cli = new RPCClient({ endpoint: h.ocpp, identity: cp.path, password: cp.secret, protocols: ['ocpp1.6'], reconnect: false });
  let tag = '';
  cli.handle('RemoteStartTransaction', ({ params }) => { tag = params.idTag; return { status: 'Accepted' }; });
  cli.handle('GetConfiguration', () => ({ configurationKey: [], unknownKey: [] }));
  cli.handle('ChangeConfiguration', () => ({ status: 'NotSupported' }));
  cli.handle('SetChargingProfile', () => ({ status: 'NotSupported' }));
  cli.handle('TriggerMessage', () => ({ status: 'NotImplemented' }));
  await cli.connect();
  await cli.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
  await cli.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Preparing' });
  const id = (await h.must('POST', '/api/v1/orders', { connector: cp.connectors[0].id, driver: w.driver, cap: '1.00' })).id;
  await until('remote start', () => tag);
  const st = await cli.call('StartTransaction', { connectorId: 1, idTag: tag, meterStart: 1000, timestamp: new Date().toISOString() });
  for (let i = 1; i <= 4; i++) {
    await sleep(300);
    await cli.call('MeterValues', { connectorId: 1, transactionId: st.transactionId, meterValue: [{ timestamp: new Date().toISOString(),
      sampledValue: [{ value: String(1000 + i * 9), measurand: 'Energy.Active.Import.Register', unit: 'Wh' },
        { value: '110000', measurand: 'Power.Active.Import', unit: 'W' }] }] });
  }
  await cli.call('StopTransaction', { transactionId: st.transactionId, meterStop: 1040, timestamp: new Date().toISOString(), reason: 'Local', idTag: tag });
  const get = () => h.must('GET', `/api/v1/orders/${id}`);
  await until('settled', async () => (await get()).order.state === 8).catch(async (e) => { throw new Error(`${e.message}: ${JSON.stringify(await get())}`); });
  await cli.close();
}

/** Asks for a sub-account by a request of our own making: the protocol is as its document says. */
async function askAccount(till, account) {
  const key = createPublicKey(till.file(RAIL, `provider/${till.serial(RAIL)}.pem`));
  const hide = (text) => publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING }, Buffer.from(text)).toString('base64');
  const body = JSON.stringify({ account, kind: 'company', name: 'Owner', id_no: hide('91110000MA00000000'), bank: hide('6222020000000000') });
  const time = String(Date.now()), nonce = randomBytes(12).toString('hex'), path = '/alloc/v1/accounts';
  const sign = createSign('RSA-SHA256').update(`POST\n${path}\n${time}\n${nonce}\n${body}\n`).sign(till.file(RAIL, 'merchant.pem'), 'base64');
  const r = await fetch(till.base + path, { method: 'POST', body, headers: { 'rail-merchant': merchants[RAIL].merchant,
    'rail-serial': till.file(RAIL, 'merchant.serial'), 'rail-time': time, 'rail-nonce': nonce, 'rail-signature': sign } });
  return r.json();
}

/** The identity is checked for a while; asked again under the same number, the same account answers. */
async function open(till, account) {
  const first = await askAccount(till, account);
  check(first.state === 'opening', `the identity is checked first: ${JSON.stringify(first)}`);
  await until('the sub-account is open', async () => (await askAccount(till, account)).state === 'open');
}

/** The house is killed while a payment waits and while a withdrawal is under way; both go on after the restart, each once. */
async function restart(h, clean) {
  const c = clean.driver, before = money((await c.must('GET', '/api/v1/me')).balance);
  const id = (await c.must('POST', '/api/v1/me/payments', { channel: clean.channels[WECHAT], amount: '3.00', method: 1 })).id;
  const get = () => c.must('GET', `/api/v1/me/payments/${id}`);
  const p = await until('a place to pay', async () => { const r = await get(); return r.url && r; });
  const self = (await h.must('GET', '/api/v1/parties')).items.find((x) => x.kind === 1);
  const out = await withdraw(h, self.id, clean.channels[RAIL], '0.01');
  await h.kill('SIGKILL');
  await fetch(`${p.url}?pay`, { method: 'POST' }); // its notice finds nobody
  await h.start();
  await until('paid after the restart', async () => (await get()).state === 3, 60000, 100);
  await settled(h, out);
  check(money((await c.must('GET', '/api/v1/me')).balance) - before === 30000, 'paid while the house was dead: credited once');
  check((await clean.state()).moves.filter((m) => m.no === `W${out}`).length === 1, 'the withdrawal went out once');
  clean.given -= 30000;
}

const payout = async (h, id) => (await h.must('GET', '/api/v1/payouts?limit=200')).items.find((p) => p.id === id);

async function withdraw(h, party, channel, amount) {
  return (await h.must('POST', '/api/v1/payouts', { party, channel, amount, note: 'test' })).id;
}

async function settled(h, id, state = 5, ms = 60000) {
  await until(`payout ${id} reaches ${state}`, async () => (await payout(h, id)).state === state, ms, 100);
}

/** One driver a till, who tops up in four ways, one after the other. */
async function topups(h, tills) {
  const ways = [[WECHAT, 1], [WECHAT, 2], [ALIPAY, 1], [ALIPAY, 2]];
  await Promise.all(tills.map(async (till, n) => {
    const c = await driver(h, `1370000100${n}`);
    till.driver = c;
    till.lots = [];
    till.given = 0;
    for (const [kind, method] of ways) {
      const t = await topup(c, till, till.channels[kind], method, '10.00');
      check(t.gained === 100000, `${till.name} kind ${kind} method ${method}: credited once, ${t.gained}`);
      if (method === 1) till.lots.push({ kind, payment: t.id });
    }
  }));
}

async function refunds(h, till) {
  const balance = async () => money((await till.driver.must('GET', '/api/v1/me')).balance);
  for (const lot of till.lots) {
    const before = await balance();
    const id = (await h.must('POST', '/api/v1/payouts', { payment: lot.payment, channel: till.channels[lot.kind], amount: '4.00', note: 'unused' })).id;
    await settled(h, id);
    till.given += 40000;
    check(before - await balance() === 40000, `${till.name} kind ${lot.kind}: 4 yuan went back`);
    const over = await h.ask('POST', '/api/v1/payouts', { payment: lot.payment, channel: till.channels[lot.kind], amount: '6.01', note: 'more' });
    check(over.status >= 400, 'no more than what is left of the lot goes back');
  }
}

async function withdrawals(h, w, clean, short) {
  const self = (await h.must('GET', '/api/v1/parties')).items.find((p) => p.kind === 1);
  const payee = async (text) => {
    const r = await h.ask('GET', `/api/v1/parties/${self.id}`);
    const version = r.status === 200 ? r.body.version : (await h.must('GET', '/api/v1/parties')).items.find((p) => p.id === self.id).version;
    await h.must('PUT', `/api/v1/parties/${self.id}`, { kind: 1, name: self.name, verified: true, payee: text, payee_name: 'Payee', state: 0 }, { 'if-match': `"${version}"` });
  };
  await payee('openid-of-the-payee');
  const id = await withdraw(h, self.id, clean.channels[WECHAT], '0.01');
  await settled(h, id, 4);
  const wait = await payout(h, id);
  check(wait.confirm.length > 0, 'the payee is given what he confirms with');
  await fetch(`${clean.base}/confirm/${wait.confirm}?yes`, { method: 'POST' });
  await settled(h, id);
  const no = await withdraw(h, self.id, clean.channels[WECHAT], '0.01');
  await settled(h, no, 4);
  await fetch(`${clean.base}/confirm/${(await payout(h, no)).confirm}?no`, { method: 'POST' });
  await settled(h, no, 6);
  await payee('bad-openid');
  const bad = await withdraw(h, self.id, clean.channels[WECHAT], '0.01');
  await settled(h, bad, 6);
  check((await clean.state()).moves.every((m) => m.no !== `W${bad}`), 'a refused transfer failed: the provider never took it');
  await payee('13800000000');
  await settled(h, await withdraw(h, self.id, clean.channels[ALIPAY], '0.01'));
  await payee('SUB-1');
  await open(clean, 'SUB-1');
  await settled(h, await withdraw(h, self.id, clean.channels[RAIL], '0.01'));
  const dry = await withdraw(h, self.id, short.channels[ALIPAY], '0.01');
  await until('a short balance leaves the payout waiting, or it went through', async () => [2, 5].includes((await payout(h, dry)).state), 60000, 100);
}

/** By bank: a file goes out, comes back with results, and is judged row by row. */
async function bank(h) {
  const self = (await h.must('GET', '/api/v1/parties')).items.find((p) => p.kind === 1);
  const ch = (await h.must('POST', '/api/v1/channels', { kind: 4, name: 'Bank', url: '', app: '', merchant: '', keys: '', fee_bp: 0, state: 0 })).id;
  const ids = [];
  for (let i = 0; i < 3; i++) ids.push(await withdraw(h, self.id, ch, '0.01'));
  // Whoever asks may not settle: a second person does.
  await h.must('POST', '/api/v1/people', { login: 'checker', name: 'C', password: 'checker password', role: 1, party: '0', station: '0', state: 0 });
  const c = h.client();
  await c.login('checker', 'checker password');
  const path = `/api/v1/channels/${ch}/payouts-file`;
  const made = await h.must('POST', `/api/v1/channels/${ch}/payout-files`, {});
  check(made.n === 3 && made.amount === '0.03' && made.waiting === 3, `a file of what waits: ${JSON.stringify(made)}`);
  const file = (await c.must('GET', `/api/v1/payout-files/${made.id}/file`)).replace(/^\ufeff/, '');
  check((await h.ask('POST', `/api/v1/channels/${ch}/payout-files`, {})).status === 409, 'nothing waits that stands in no file');
  const lines = file.trim().split('\r\n');
  check(lines[0] === 'payout,payee,payee_name,amount,currency,result,bank_no,note,file' && lines.length === 4, `the file has a row each: ${file}`);
  check(lines.slice(1).every((l, i) => l.startsWith(`${ids[i]},"SUB-1","Payee",0.01,CNY,,,`)), `whole payees, our amounts: ${lines}`);
  const raw = { 'content-type': 'text/csv' };
  const send = (who, text) => who.ask('POST', path, text, raw);
  const done = (l, result, no = '') => l.replace(',CNY,,,', `,CNY,${result},${no},`);
  const [head, a, b, d] = lines;
  for (const [why, text] of Object.entries({ 'another column': `${head},x\n${a},1`, 'a missing column': 'payout,amount\n1,1', 'a cut row': `${head}\n${ids[0]},x`,
    'a wrong word': [head, done(a, 'ok', 'B1')].join('\n'), 'an open quote': `${head}\n${ids[0]},"`, nothing: '', 'a column twice': `${head},note\n${a},` }))
    check((await send(c, text)).status >= 400, `a file with ${why} is refused`);
  const self_made = await send(h, [head, done(a, 'settled', 'B1')].join('\r\n'));
  check(self_made.body.items[0].outcome === 'refused' && self_made.body.items[0].err === -10, 'who asked does not settle');
  const got = (await send(c, [head, done(a, 'settled', 'B1'), done(b, 'failed'), d.replace(',0.01,', ',0.02,').replace(',CNY,,,', ',CNY,settled,B3,'),
    done(a, 'settled', 'B1').replace(ids[0], '17171717'), done(d, 'settled')].join('\r\n'))).body.items;
  check(got.map((x) => x.outcome + x.err).join() === 'settled0,failed0,refused-9,refused-8,refused-13', `each row is judged: ${JSON.stringify(got)}`);
  const wide = (await send(c, [head, d.replace(',CNY,,,', `,CNY,settled,${'9'.repeat(65)},`)].join('\r\n'))).body.items;
  check(wide[0].outcome === 'refused' && wide[0].err === -5, `a bank's number is taken whole or not: ${JSON.stringify(wide)}`);
  check((await payout(h, ids[0])).state === 5 && (await payout(h, ids[0])).provider_no === 'B1', 'settled with the bank\'s number');
  check((await payout(h, ids[1])).state === 6 && (await payout(h, ids[2])).state === 2, 'failed, and still waiting');
  const again = (await send(c, [head, done(a, 'settled', 'B1')].join('\r\n'))).body.items;
  check(again[0].outcome === 'refused', 'the same row again does nothing');
  const audit = (await h.must('GET', '/api/v1/audit?limit=200')).items;
  check(audit.some((x) => x.action === 'payout.file'), 'that the file was taken is audited');
}

/** Bills: fetched with the channel's keys, compared with the books; then bills that differ. */
async function bills(h, clean, other) {
  const day = new Date(Date.now() + 8 * 3600e3).toISOString().slice(0, 10), at = day.replaceAll('-', '');
  const raw = { 'content-type': 'text/csv' };
  const send = (ch, text, when = at) => h.ask('POST', `/api/v1/channels/${ch}/bill?day=${when}&try=1`, text, raw); // today is not over: it is only compared
  const fetched = (ch) => spawnSync(even, ['bill', '--dir', h.dir, '--set', `pay.providers=${clean.base},${other.base}`, ch, day], { encoding: 'utf8' });
  for (const kind of [WECHAT, ALIPAY, RAIL]) {
    const f = fetched(clean.channels[kind]);
    check(f.status === 0 && f.stdout.startsWith('time,type,number'), `even bill fetches kind ${kind}: ${f.status} ${f.stderr}`);
    const r = await send(clean.channels[kind], f.stdout);
    const { rows, matched, day_cut } = r.body;
    check(r.status === 200 && rows > 0 && matched + day_cut === rows && r.body.items.every((x) => x.class === 'day_cut'), `kind ${kind}: everything matches: ${JSON.stringify(r.body)}`);
    const early = await h.ask('POST', `/api/v1/channels/${clean.channels[kind]}/bill?day=${at}`, f.stdout, raw);
    check(early.status === 409 && (await h.must('GET', '/api/v1/bills')).items.length === 0, 'a day that is not over is not imported');
  }
  const ch = other.channels[WECHAT], text = fetched(ch).stdout, lines = text.trim().split('\n'), n = lines.length - 3;
  check(n >= 2, `rows to change: ${text}`);
  for (const [why, bad] of Object.entries({ 'a changed column': text.replace('amount', 'amounts'), 'cut off': lines.slice(0, -2).join('\n'), 'a row short': [...lines.slice(0, 1), ...lines.slice(2)].join('\n'),
    'a cell short': text.replace(lines[1], lines[1].slice(0, lines[1].lastIndexOf(','))), 'an amount that is none': text.replace('10.00', 'ten'), empty: '' }))
    check((await send(ch, bad)).status === 400 || (await send(ch, bad)).status === 422, `a bill with ${why} is refused`);
  check((await send(ch, text, '20261332')).status === 422, 'a day that is none is refused');
  const changed = [lines[0], lines[1].replace('10.00', '10.01'), ...lines.slice(3, 1 + n), `${lines[1].split(',').slice(0, 2).join(',')},P17171717,,42,7.00`, 'rows', String(n)].join('\n');
  const { body } = await send(ch, changed);
  check(body.amount === 1 && body.theirs_only === 1 && body.ours_only + body.day_cut >= 1 && body.matched === n - 2, `each difference has its class: ${JSON.stringify(body)}`);
  check(body.items.some((x) => x.class === 'amount' && x.ours === '10.00' && x.theirs === '10.01'), 'and says both amounts');
  check((await h.must('GET', '/api/v1/audit?limit=200')).items.some((x) => x.action === 'bill.compared' && x.detail.includes(body.sha256)), 'the comparison is audited with the hash of the file');
}

/** Both sides' books: what the providers hold of us is what our channel accounts say, once what is under way has come through (the till
 * that was short tries its payout again and again). */
async function compare(h, tills) {
  const sides = async (till, kind) => {
    const theirs = ((await till.state()).balance[kind - 1] - 100000000) * 100; // it began with a million yuan
    const accounts = (await h.must('GET', '/api/v1/accounts?kind=10&limit=200')).items;
    return [accounts.filter((a) => a.owner === till.channels[kind]).reduce((n, a) => n - money(a.balance), 0), theirs];
  };
  for (const till of tills) {
    for (const kind of [WECHAT, ALIPAY, RAIL]) {
      let ours, theirs;
      const same = async () => { [ours, theirs] = await sides(till, kind); return ours === theirs; };
      check(await until('both sides agree', same, 20000, 200).catch(() => false), `${till.name} kind ${kind}: ours ${ours}, theirs ${theirs}`);
    }
  }
}

const tills = Object.entries(faults).map(([name, f]) => new Till(name, ['--seed', '7', ...(f ? ['--faults', f] : [])]));
for (const till of tills) await till.start(till === tills[0] ? null : tills[0]);
const h = new House({ demo: true, set: { 'pay.providers': tills.map((t) => t.base).join(',') } });
let bad = false;
try {
  await h.start();
  await h.setup();
  const w = await h.world();
  const t = await h.ask('GET', '/api/v1/tenant');
  await h.must('PUT', '/api/v1/tenant', { ...t.body, refund_days: 0, payout_min: '0.01', payout_fee: '0.00', payout_check: '1000.00', payee_hold_h: 0 }, { 'if-match': t.headers.get('etag') });
  for (const till of tills) {
    till.channels = {};
    for (const kind of [WECHAT, ALIPAY, RAIL]) till.channels[kind] = await till.channel(h, kind);
  }
  for (let i = 0; i < 5; i++) await order(h, w);
  const clean = tills[0];
  await topups(h, tills);
  for (const name of ['clean', 'timeout', 'error', 'contradict']) await refunds(h, tills.find((x) => x.name === name));
  await withdrawals(h, w, clean, tills.find((x) => x.name === 'short'));
  const figures = await (await fetch(`${h.web}/metrics`, { headers: { cookie: h.cookie } })).text(); // they begin anew with the program
  check(/even_pay_asks_total\{kind="wechat"\} [1-9]/.test(figures), 'asks are counted');
  check(/even_pay_notices_total(\{\})? [1-9]/.test(figures), 'notices are counted');
  await restart(h, clean);
  await bank(h);
  await bills(h, clean, tills.find((x) => x.name === 'late'));
  for (const till of tills) // late and doubled notices have come by now: nothing was credited twice
    if (till.name !== 'short') check(money((await till.driver.must('GET', '/api/v1/me')).balance) === 400000 - till.given, `${till.name}: the wallet holds what was paid`);
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
