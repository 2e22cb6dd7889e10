// SPDX-License-Identifier: Apache-2.0
// pay_signs.mjs: signatures judged by implementations that are not ours. npm's wechatpay-axios-plugin and alipay-sdk verify every request that
// EVen sends to a provider played here, sign what it reads, and talk to `even cashier` as clients of their own. Then the table of notices
// that are forged, replayed, stale or altered: each is refused and moves nothing; and answers that are not to be believed.
import { spawn } from 'node:child_process';
import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import wechat from 'wechatpay-axios-plugin';
import { AlipaySdk } from 'alipay-sdk';
import { Charger } from './charger.mjs';
import { check, even, finish, House, sleep, until } from './house.mjs';
import { alipayBodies, login, most, order, receiver, wechatBodies, wrongs } from './shares.mjs';
import { ALIPAY, RAIL, Till, WECHAT, merchants } from './till.mjs';

const { Wechatpay, Rsa, Formatter, Aes } = wechat;
const pair = () => generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' } });
const stranger = pair(), provider = pair(), merchant = pair();
const SECRET = '0123456789abcdef0123456789abcdef', SERIAL = 'PUB_KEY_ID_0116000000012026', OWN = '3775B6A45ACD588826D15E583A95F5DD00000001';
const bare = (pem) => pem.replace(/-----[^-]+-----|\s/g, '');

// ---- a provider played by npm's implementations ----

const seen = { wechat: 0, alipay: 0, bad: [], queries: {}, bodies: [], hidden: {} };
let odd = '', answerAs = 'good'; // how queries of this number are answered
let paid = true;

function signed(body, { key = provider.privateKey, serial = SERIAL, at = Math.floor(Date.now() / 1000), nonce = Formatter.nonce() } = {}) {
  return { 'wechatpay-timestamp': String(at), 'wechatpay-nonce': nonce, 'wechatpay-serial': serial,
    'wechatpay-signature': Rsa.sign(Formatter.response(String(at), nonce, body), key) };
}

const trade = (no, more = {}) => ({ appid: merchants[WECHAT].app, mchid: merchants[WECHAT].merchant, out_trade_no: no, transaction_id: '4200000000',
  trade_state: paid ? 'SUCCESS' : 'NOTPAY', amount: { total: 1000, payer_total: 1000, currency: 'CNY' }, ...more });

const answers = {
  good: (no) => [JSON.stringify(trade(no))],
  unsigned: (no) => [JSON.stringify(trade(no)), {}],
  'of another order': () => [JSON.stringify(trade('P17171717'))],
  'of another merchant': (no) => [JSON.stringify(trade(no, { mchid: '1900000002' }))],
  stale: (no) => { const b = JSON.stringify(trade(no)); return [b, signed(b, { at: Math.floor(Date.now() / 1000) - 400 })]; },
  'with an unknown serial': (no) => { const b = JSON.stringify(trade(no)); return [b, signed(b, { serial: 'PUB_KEY_ID_9' })]; },
  'signed by a stranger': (no) => { const b = JSON.stringify(trade(no)); return [b, signed(b, { key: stranger.privateKey })]; },
  'signed by ourselves': (no) => { const b = JSON.stringify(trade(no)); return [b, signed(b, { key: merchant.privateKey })]; },
  altered: (no) => { const b = JSON.stringify(trade(no)); return [b.replace('"total":1000', '"total":9000'), signed(b)]; },
  truncated: (no) => [JSON.stringify(trade(no)).slice(0, -5)],
  'not JSON': () => ['<html>'],
};

// ---- shares that the provider pays out of a payment: what is asked is kept, and answered as the public pages say ----

let shares = null; // the one request for them

function refunded(asked, status) {
  return { refund_id: '5030', out_refund_no: asked.out_refund_no, out_trade_no: asked.out_trade_no, status, amount: { ...asked.amount } };
}

/** Adds what is wrong with a body to what was seen. */
function judge(path, body, rules = wechatBodies[path]) {
  const b = JSON.parse(body);
  seen.bodies.push(path);
  seen.bad.push(...wrongs(b, rules).map((w) => `${path}: ${w}`));
  return b;
}

function sharing(method, url, body) {
  const at = url.pathname, post = method === 'POST';
  if (at === '/v3/profitsharing/receivers/add') {
    const b = judge(at, body);
    seen.hidden[b.account] = b.name && Rsa.decrypt(b.name, provider.privateKey);
    return { type: b.type, account: b.account, relation_type: b.relation_type };
  }
  if (at === '/v3/profitsharing/orders/unfreeze') {
    const b = judge(at, body);
    seen.unfrozen = b;
    return { transaction_id: b.transaction_id, out_order_no: b.out_order_no, order_id: '3008', state: 'FINISHED' };
  }
  if (at.startsWith('/v3/profitsharing/return-orders')) {
    if (post) seen.back = judge(at, body);
    else if (at.split('/').pop() !== seen.back.out_return_no || url.search !== `?out_order_no=${seen.back.out_order_no}`) seen.bad.push(`the query of a return: ${at}${url.search}`);
    else seen.bodies.push('the query of a return');
    return { ...seen.back, order_id: '3008', return_id: '5001', result: post ? 'PROCESSING' : 'SUCCESS', create_time: '2026-11-26T00:00:00+08:00' };
  }
  if (at === '/v3/profitsharing/orders' && post) shares = judge(at, body);
  else if (at.startsWith('/v3/profitsharing/orders/')) {
    const named = at.split('/').pop() === shares?.out_order_no && url.search === `?transaction_id=${shares.transaction_id}`;
    seen.bodies.push('the query');
    if (!named) seen.bad.push(`the query of shares: ${at}${url.search}`);
  } else if (at.startsWith('/v3/refund/domestic/refunds')) {
    if (post) seen.refund = JSON.parse(body);
    return refunded(seen.refund, post ? 'PROCESSING' : 'SUCCESS');
  } else return null;
  return { transaction_id: shares.transaction_id, out_order_no: shares.out_order_no, order_id: '3008', state: post ? 'PROCESSING' : 'FINISHED',
    receivers: shares.receivers.map((r, i) => ({ amount: r.amount, description: r.description, type: r.type, account: r.account,
      result: post ? 'PENDING' : 'SUCCESS', detail_id: `36011${i}`, create_time: '2026-11-26T00:00:00+08:00', finish_time: '2026-11-26T00:00:00+08:00' })) };
}

let royalty = null; // the one request for them

/** The same of Alipay: a node of its answer, or null. */
function royalties(method, text) {
  if (!alipayBodies[method]) return null;
  const b = judge(method, text, alipayBodies[method]), ok = { code: '10000', msg: 'Success' };
  if (method.endsWith('bind')) {
    seen.bound = b.receiver_list[0];
    return { ...ok, result_code: 'SUCCESS' };
  }
  if (method.endsWith('query')) {
    if (b.out_request_no !== royalty.out_request_no || b.trade_no !== royalty.trade_no) seen.bad.push(`the query of shares: ${text}`);
    return { ...ok, out_request_no: b.out_request_no, operation_dt: '2026-11-26 12:00:00', royalty_detail_list: royalty.royalty_parameters.map((r) => ({ operation_type: 'transfer',
      execute_dt: '2026-11-26 12:00:00', trans_out: '2088000000000001', trans_out_type: 'userId', trans_in: r.trans_in, trans_in_type: 'userId', amount: r.amount, state: 'SUCCESS', detail_id: '20260001' })) };
  }
  if (Boolean(b.royalty_parameters) === Boolean(b.extend_params)) seen.bad.push(`shares, or the end of them: ${text}`);
  if (b.royalty_parameters) royalty = b;
  else seen.finished = b;
  return { ...ok, trade_no: b.trade_no, settle_no: '2026' };
}

const SHEET = '分账时间,金额\n`2026-11-25 10:00:00,`1.08\n总条数\n`1\n';
let billAs = 'good';

/** Where the bill of shares is, signed, and the file, packed and unsigned. */
function shareBill(url, res) {
  if (url.pathname === '/v3/billdownload/file') {
    const file = gzipSync(billAs === 'another file' ? SHEET.replace('1.08', '9.08') : SHEET);
    res.writeHead(200, { 'content-type': 'application/octet-stream' }).end(billAs === 'cut off' ? file.subarray(0, -9) : file);
    return;
  }
  const where = JSON.stringify({ hash_type: 'SHA1', hash_value: createHash('sha1').update(SHEET).digest('hex'),
    download_url: `${billAs === 'elsewhere' ? 'https://evil.test' : base}/v3/billdownload/file?token=x` });
  const [status, out] = billAs === 'none' ? [400, '{"code":"NO_STATEMENT_EXIST","message":"none"}'] : [200, where];
  seen.bill = url.search;
  const signature = billAs === 'unsigned' ? {} : signed(out, billAs === 'a stranger' ? { key: stranger.privateKey } : {});
  res.writeHead(status, { 'content-type': 'application/json', ...signature }).end(out);
}

function wechatServer(req, url, body, res) {
  const auth = Object.fromEntries([...(req.headers.authorization ?? '').matchAll(/(\w+)="([^"]*)"/g)].map((m) => [m[1], m[2]]));
  const ok = req.headers.authorization?.startsWith('WECHATPAY2-SHA256-RSA2048 ') && auth.mchid === merchants[WECHAT].merchant && auth.serial_no === OWN &&
    Rsa.verify(Formatter.request(req.method, url.pathname + url.search, auth.timestamp, auth.nonce_str, body), auth.signature, merchant.publicKey);
  seen.wechat++;
  if (!ok) seen.bad.push(`wechat ${req.method} ${url.pathname}`);
  if (url.pathname === '/v3/profitsharing/bills' || url.pathname === '/v3/billdownload/file') {
    shareBill(url, res);
    return;
  }
  let out = JSON.stringify({ code_url: 'weixin://wxpay/bizpayurl?pr=test' }), headers;
  const shared = sharing(req.method, url, body);
  if (shared) out = JSON.stringify(shared);
  else if (req.method === 'GET') {
    const no = url.pathname.split('/').pop();
    seen.queries[no] = (seen.queries[no] ?? 0) + 1;
    [out, headers] = answers[no === odd ? answerAs : 'good'](no);
  } else if (url.pathname.endsWith('jsapi')) out = JSON.stringify({ prepay_id: 'wx201410272009395522657a690389285100' });
  else if (url.pathname.endsWith('native')) seen.frozen = JSON.parse(body).settle_info?.profit_sharing;
  else if (url.pathname.endsWith('transfer-bills')) {
    const t = JSON.parse(body);
    seen.name = t.user_name && Rsa.decrypt(t.user_name, provider.privateKey);
    out = JSON.stringify({ out_bill_no: t.out_bill_no, transfer_bill_no: '133', state: 'SUCCESS', transfer_amount: t.transfer_amount });
  }
  res.writeHead(200, { 'content-type': 'application/json', ...(headers ?? signed(out)) }).end(out);
}

function alipayServer(url, body, res) {
  const form = Object.fromEntries(new URLSearchParams(body));
  const judge = new AlipaySdk({ appId: form.app_id, privateKey: bare(provider.privateKey), alipayPublicKey: bare(merchant.publicKey), keyType: 'PKCS8' });
  seen.alipay++;
  if (!judge.checkNotifySignV2(form)) seen.bad.push(`alipay ${form.method}`);
  const content = JSON.parse(form.biz_content);
  const shared = royalties(form.method, form.biz_content);
  const node = JSON.stringify(shared ?? (form.method === 'alipay.trade.refund'
    ? { code: '10000', msg: 'Success', out_trade_no: content.out_trade_no, trade_no: '2026', fund_change: 'Y', refund_fee: content.refund_amount }
    : form.method === 'alipay.trade.precreate'
    ? { code: '10000', msg: 'Success', out_trade_no: content.out_trade_no, qr_code: 'https://qr.example/x' }
    : { code: '10000', msg: 'Success', out_trade_no: content.out_trade_no, trade_no: '2026', trade_status: paid ? 'TRADE_SUCCESS' : 'WAIT_BUYER_PAY', total_amount: '10.00' }));
  const sign = createSign('RSA-SHA256').update(node).sign(provider.privateKey, 'base64');
  res.writeHead(200).end(`{"${form.method.replaceAll('.', '_')}_response":${node},"sign":"${sign}"}`);
}

const server = createServer((req, res) => {
  let body = '';
  req.on('data', (d) => { body += d; });
  req.on('end', () => {
    const url = new URL(req.url, 'http://x');
    if (url.pathname.startsWith('/v3/')) wechatServer(req, url, body, res);
    else alipayServer(url, body, res);
  });
});
await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
const base = `http://127.0.0.1:${server.address().port}`;

// ---- notices ----

const seal = (plain, { key = SECRET, iv = Formatter.nonce(12), aad = 'transaction' } = {}) => ({ algorithm: 'AEAD_AES_256_GCM', original_type: 'transaction',
  associated_data: aad, nonce: iv, ciphertext: Aes.AesGcm.encrypt(JSON.stringify(plain), key, iv, aad) });
const notice = (resource, type = 'TRANSACTION.SUCCESS') => JSON.stringify({ id: randomBytes(8).toString('hex'), create_time: new Date().toISOString(),
  resource_type: 'encrypt-resource', event_type: type, summary: '支付成功', resource });
const json = { 'content-type': 'application/json' };
const without = (o, k) => Object.fromEntries(Object.entries(o).filter(([n]) => n !== k));

/** name → [body, headers] for payment number `no`. */
function wechatForgeries(no, taken) {
  const body = notice(seal(trade(no))), h = signed(body), now = Math.floor(Date.now() / 1000);
  const resealed = (change) => { const n = JSON.parse(body); change(n.resource); return JSON.stringify(n); };
  const own = (b, how) => [b, signed(b, how)];
  const flip = (s, at) => s.slice(0, at) + (s[at] === 'A' ? 'B' : 'A') + s.slice(at + 1);
  return {
    'no signature': [body, without(h, 'wechatpay-signature')],
    'no timestamp': [body, without(h, 'wechatpay-timestamp')],
    'no nonce': [body, without(h, 'wechatpay-nonce')],
    'no serial': [body, without(h, 'wechatpay-serial')],
    'no headers at all': [body, {}],
    'a timestamp that is no number': [body, { ...h, 'wechatpay-timestamp': 'now' }],
    'an unknown serial': own(body, { serial: 'PUB_KEY_ID_2' }),
    'signed by a stranger': own(body, { key: stranger.privateKey }),
    'signed with the merchant\'s own key': own(body, { key: merchant.privateKey }),
    'the signature of another body': [body, signed(`${body} `)],
    'an altered signature': [body, { ...h, 'wechatpay-signature': flip(h['wechatpay-signature'], 20) }],
    'half a signature': [body, { ...h, 'wechatpay-signature': h['wechatpay-signature'].slice(0, 172) }],
    'a signature that is no Base64': [body, { ...h, 'wechatpay-signature': '***' }],
    'six minutes old': own(body, { at: now - 360 }),
    'six minutes ahead': own(body, { at: now + 360 }),
    'a fresh time over an old signature': [body, { ...signed(body, { at: now - 360 }), 'wechatpay-timestamp': String(now) }],
    'another nonce': [body, { ...h, 'wechatpay-nonce': Formatter.nonce() }],
    'a body with one byte changed': [body.replace('encrypt-resource', 'encrypt-resourcf'), h],
    'an empty body': own(''),
    'a body that is no JSON': own('SUCCESS'),
    'an array': own(`[${body}]`),
    'an altered cipher text, signed': own(resealed((r) => { r.ciphertext = flip(r.ciphertext, 30); })),
    'an empty cipher text, signed': own(resealed((r) => { r.ciphertext = ''; })),
    'sealed with another secret': own(notice(seal(trade(no), { key: 'f'.repeat(32) }))),
    'other associated data, signed': own(resealed((r) => { r.associated_data = 'refund'; })),
    'another cipher nonce, signed': own(resealed((r) => { r.nonce = Formatter.nonce(12); })),
    'another algorithm': own(resealed((r) => { r.algorithm = 'AEAD_SM4_GCM'; })),
    'another merchant\'s': own(notice(seal(trade(no, { mchid: '1900000002' })))),
    'another application\'s': own(notice(seal(trade(no, { appid: 'wx1' })))),
    'a number that is none of ours': own(notice(seal(trade('ORDER-77')))),
    'an event that we do not know': own(notice(seal(trade(no)), 'COUPON.USE')),
    'a replay of one that was taken': taken,
  };
}

function form(members, key = provider.privateKey) {
  const text = Object.keys(members).sort().map((k) => `${k}=${members[k]}`).join('&');
  return { ...members, sign_type: 'RSA2', sign: createSign('RSA-SHA256').update(text).sign(key, 'base64') };
}
const china = (ms) => new Date(ms + 8 * 3600e3).toISOString().slice(0, 19).replace('T', ' ');
const members = (no, more = {}) => ({ app_id: merchants[ALIPAY].app, charset: 'utf-8', notify_id: randomBytes(8).toString('hex'), notify_time: china(Date.now()),
  notify_type: 'trade_status_sync', out_trade_no: no, seller_id: merchants[ALIPAY].merchant, subject: '充电 & 钱包=100%', total_amount: '10.00', trade_no: '2026',
  trade_status: 'TRADE_SUCCESS', version: '1.0', ...more });
const encoded = (f) => new URLSearchParams(f).toString();

function alipayForgeries(no, taken) {
  const good = form(members(no));
  return {
    'no signature': encoded(without(good, 'sign')),
    'an altered amount': encoded({ ...good, total_amount: '9999.00' }),
    'an altered number': encoded({ ...good, out_trade_no: 'P17171717' }),
    'a member added': encoded({ ...good, gmt_payment: china(Date.now()) }),
    'a member left out': encoded(without(good, 'seller_id')),
    'a member twice': `${encoded(good)}&total_amount=10.00`,
    'signed by a stranger': encoded(form(members(no), stranger.privateKey)),
    'signed with the merchant\'s own key': encoded(form(members(no), merchant.privateKey)),
    'the old signature type': encoded({ ...good, sign_type: 'RSA' }),
    'two days old': encoded(form(members(no, { notify_time: china(Date.now() - 2 * 86400e3) }))),
    'an hour ahead': encoded(form(members(no, { notify_time: china(Date.now() + 3600e3) }))),
    'another application\'s': encoded(form(members(no, { app_id: '2021000000000002' }))),
    'another seller\'s': encoded(form(members(no, { seller_id: '2088000000000002' }))),
    'a bad escape': `${encoded(good)}&x=%zz`,
    'a replay of one that was taken': taken,
  };
}

function rail(body, { first = `NOTICE\n${merchants[RAIL].merchant}`, key = provider.privateKey, at = Date.now(), serial = SERIAL } = {}) {
  const nonce = randomBytes(12).toString('hex');
  return [body, { 'rail-time': String(at), 'rail-nonce': nonce, 'rail-serial': serial,
    'rail-signature': createSign('RSA-SHA256').update(`${first}\n${at}\n${nonce}\n${body}\n`).sign(key, 'base64') }];
}
function railForgeries() {
  const body = JSON.stringify({ id: 'n1', no: 'W17171717', state: 'done', amount: 1 });
  return {
    'bound to another merchant': rail(body, { first: 'NOTICE\nother' }),
    'an answer shown as a notice': rail(body, { first: '200\nnonce' }),
    'stale': rail(body, { at: Date.now() - 400e3 }),
    'signed by a stranger': rail(body, { key: stranger.privateKey }),
    'an altered amount': [body.replace('"amount":1', '"amount":2'), rail(body)[1]],
  };
}

// ---- the house ----

function keys(h, name, extra) {
  const dir = join(h.dir, 'keys', name);
  mkdirSync(join(dir, 'provider'), { recursive: true });
  const files = { 'merchant.pem': merchant.privateKey, 'merchant.serial': OWN, [`provider/${SERIAL}.pem`]: provider.publicKey, ...extra };
  for (const [f, text] of Object.entries(files)) writeFileSync(join(dir, f), text, { mode: 0o600 });
}

const channel = async (h, kind, path, name = `c${kind}`) => (await h.must('POST', '/api/v1/channels', { kind, name, url: base + path, app: merchants[kind].app,
  merchant: merchants[kind].merchant, keys: `k${kind}`, fee_bp: 0, state: 0 })).id;

const tell = async (h, channelId, body, headers) => {
  const r = await fetch(`${h.web}/notify/${channelId}`, { method: 'POST', body, headers });
  return [r.status, await r.text()];
};

async function payment(c, channelId, method, payer) {
  const id = (await c.must('POST', '/api/v1/me/payments', { channel: channelId, amount: '10.00', method, ...(payer ? { payer } : {}) })).id;
  return until('the provider was asked', async () => { const p = await c.must('GET', `/api/v1/me/payments/${id}`); return p.url && p; });
}

const takenCount = async (h) => Number(/even_pay_notices_total(?:\{\})? (\d+)/.exec(await (await fetch(`${h.web}/metrics`, { headers: { cookie: h.cookie } })).text())[1]);

async function refusals(h, c, what, channelId, p, table) {
  let n = 0;
  const before = await takenCount(h);
  for (const [name, [body, headers]] of Object.entries(table)) {
    const [status, text] = await tell(h, channelId, body, headers);
    check(status === 403, `${what}: ${name}: refused, got ${status} ${text.slice(0, 100)}`);
    n++;
  }
  check(await takenCount(h) === before, `${what}: none of them was taken`);
  if (p) check((await c.must('GET', `/api/v1/me/payments/${p.id}`)).state === 2, `${what}: still waiting after ${n} forgeries`);
  return n;
}

/** A good notice makes EVen ask; the answer is of this kind. What becomes of the payment? */
async function believed(h, c, channelId, name, before) {
  const p = before ?? await payment(c, channelId, 1), no = `P${p.id}`;
  [odd, answerAs] = [no, name];
  const n = seen.queries[no] ?? 0, body = notice(seal(trade(no)));
  const [status] = await tell(h, channelId, body, { ...json, ...signed(body) });
  check(status === 200, `a good notice is taken, got ${status}`);
  await until('it is a reason to ask', () => (seen.queries[no] ?? 0) > n);
  if (name === 'good') await until('paid', async () => (await c.must('GET', `/api/v1/me/payments/${p.id}`)).state === 3);
  else await sleep(200);
  const { state } = await c.must('GET', `/api/v1/me/payments/${p.id}`);
  odd = '';
  return state;
}

async function clients() {
  const till = await new Till('clients').start();
  const serial = till.serial(WECHAT);
  const wx = new Wechatpay({ mchid: merchants[WECHAT].merchant, serial: till.file(WECHAT, 'merchant.serial'), privateKey: till.file(WECHAT, 'merchant.pem'),
    certs: { [serial]: till.file(WECHAT, `provider/${serial}.pem`) }, baseURL: `${till.base}/` });
  const made = await wx.chain('wechat/v3/pay/transactions/native').post({ appid: merchants[WECHAT].app, mchid: merchants[WECHAT].merchant, description: 'd',
    out_trade_no: 'JUDGE-1', notify_url: 'https://example.test/n', amount: { total: 1, currency: 'CNY' } });
  check(made.data.code_url?.startsWith(till.base), 'wechatpay-axios-plugin makes a payment at the cashier and believes its answer');
  const got = await wx.chain('wechat/v3/pay/transactions/out-trade-no/JUDGE-1').get({ params: { mchid: merchants[WECHAT].merchant } });
  check(got.data.trade_state === 'NOTPAY', 'and queries it');
  const ali = new AlipaySdk({ appId: merchants[ALIPAY].app, privateKey: bare(till.file(ALIPAY, 'merchant.pem')), keyType: 'PKCS8', gateway: till.url(ALIPAY),
    alipayPublicKey: bare(till.file(ALIPAY, `provider/${till.serial(ALIPAY)}.pem`)) });
  const pre = await ali.exec('alipay.trade.precreate', { bizContent: { out_trade_no: 'JUDGE-2', total_amount: '0.01', subject: '充电' } }, { validateSign: true });
  check(pre.code === '10000' && pre.qrCode?.startsWith(till.base), 'alipay-sdk makes a payment at the cashier and believes its answer');
  const q = await ali.exec('alipay.trade.query', { bizContent: { out_trade_no: 'JUDGE-2' } }, { validateSign: true });
  check(q.tradeStatus === 'WAIT_BUYER_PAY', 'and queries it');
  const page = await fetch(ali.pageExecute('alipay.trade.wap.pay', 'GET', { bizContent: { out_trade_no: 'JUDGE-3', total_amount: '0.01', subject: 'd',
    product_code: 'QUICK_WAP_WAY' } }));
  check(page.status === 200 && page.url.includes('/pay/'), 'its address leads to the pay page');
  till.end();
}

/** `even bill` asks npm's provider, whose every signature it judges, and is judged by. */
async function billOf(h, wx) {
  const fetched = () => new Promise((done) => {
    let text = '';
    const child = spawn(even, ['bill', '--dir', h.dir, '--set', `pay.providers=${base}`, wx, '2026-11-25', 'shares'], { stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout.on('data', (d) => { text += d; });
    child.on('close', (code) => done([code, text]));
  });
  const bad = seen.bad.length;
  for (const [how, code] of Object.entries({ good: 0, none: 1, unsigned: 70, 'a stranger': 70, elsewhere: 70, 'another file': 70, 'cut off': 70 })) {
    billAs = how;
    const [status, text] = await fetched();
    check(status === code && text === (code ? '' : SHEET), `the bill of shares, ${how}: ${status} ${text}`);
  }
  check(seen.bill === '?bill_date=2026-11-25&tar_type=GZIP' && seen.bad.length === bad, `asked for as the public page says, and signed: ${seen.bill} ${seen.bad}`);
}

/** The whole way of shares at the provider that npm plays: every request of it is as the public pages say. */
async function sharesOf(h, w) {
  const wx = await channel(h, WECHAT, '', 'wx-shares'), two = await channel(h, WECHAT, '', 'wx-persons');
  check((await most(h, wx, 3000)).status === 200, 'what the channel may pay at most is set');
  await receiver(h, w.owner, wx, '1900000109');
  await receiver(h, w.owner, two, 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o', { payee_kind: 2, name: '王小明' });
  check(seen.hidden['1900000109'] === '海岸物业有限公司' && seen.hidden.oUpF8uMuAJO_M2pxb1Q9zNjWeS6o === '王小明', 'names of receivers are sealed for the provider');
  const d = await login(h, '13700000002'), cp = w.chargers[0], charger = new Charger(h, cp);
  await charger.open();
  await charger.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
  const p = await order(h, d, charger, cp, wx, async (at) => {
    const body = notice(seal(trade(`P${at.id}`)));
    check((await tell(h, wx, body, { ...json, ...signed(body) }))[0] === 200, 'the notice of the payment is taken');
  }, { amount: '10.00' });
  const of = async () => (await h.must('GET', '/api/v1/payouts?limit=200')).items.find((x) => x.payment === p.id && x.kind === 3);
  const s = await until('the share is paid', async () => { const x = await of(); return x?.state === 5 && x; }, 60000, 200);
  await until('the rest is unfrozen', () => seen.unfrozen, 60000, 100);
  check(seen.frozen === true, 'the payment was flagged');
  check(shares.unfreeze_unsplit === false && shares.receivers.length === 1 && shares.receivers[0].account === '1900000109' && shares.receivers[0].amount === 108 &&
    shares.receivers[0].type === 'MERCHANT_ID' && shares.receivers[0].description === `W${s.id}`, `the share as it was asked for: ${JSON.stringify(shares)}`);
  check(seen.unfrozen.transaction_id === shares.transaction_id && seen.unfrozen.out_order_no !== shares.out_order_no, 'the rest is unfrozen under a number of its own');
  await h.must('POST', `/api/v1/orders/${p.order_id}/refund`, { amount: '3.60', note: 'test' });
  const back = await until('the share came back', async () => (await h.must('GET', '/api/v1/payouts?limit=200')).items.find((x) => x.payment === p.id && x.kind === 4 && x.state === 5), 60000, 200);
  check(seen.back.amount === 108 && seen.back.return_mchid === '1900000109' && seen.back.out_order_no === shares.out_order_no && seen.back.out_return_no === `W${back.id}`,
    `the return as it was asked for: ${JSON.stringify(seen.back)}`);
  const told = await h.must('GET', `/api/v1/orders/${p.order_id}/story`), [got, took] = told.shares.filter((x) => x.party === w.owner);
  check(told.sum.even && got.withdrawn === '1.08' && got.returned === '0.72' && got.waits === '0.00' && got.payouts.length === 2 && got.payouts[1].payout === back.id &&
    got.payouts[1].taken === '-1.08' && took.owed === '-1.08' && took.settled === '1.08', `the story says that it came back and settled what he owed: ${JSON.stringify(told.shares)}`);
  await billOf(h, wx);
  check([...Object.keys(wechatBodies), 'the query', 'the query of a return'].every((x) => seen.bodies.includes(x)), `each kind of request was judged: ${seen.bodies}`);
  charger.ws.close();
}

/** The same at Alipay: a payment in the browser of a phone, whose signed address says that it is to be frozen. */
async function royaltiesOf(h, w) {
  const ali = await channel(h, ALIPAY, '/gateway.do', 'ali-shares');
  check((await most(h, ali, 3000)).status === 200, 'what Alipay may pay at most is set');
  await receiver(h, w.owner, ali, '2088000000000109');
  check(seen.bound.account === '2088000000000109' && seen.bound.name === '海岸物业有限公司', `the receiver is bound: ${JSON.stringify(seen.bound)}`);
  const d = await login(h, '13700000003'), cp = w.chargers[0], charger = new Charger(h, cp);
  await charger.open();
  await charger.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
  let frozen;
  const p = await order(h, d, charger, cp, ali, async (at) => {
    frozen = JSON.parse(new URL(at.url).searchParams.get('biz_content')).extend_params;
    check((await tell(h, ali, encoded(form(members(`P${at.id}`))), { 'content-type': 'application/x-www-form-urlencoded' }))[0] === 200, 'the notice of the payment is taken');
  }, { amount: '10.00', method: 2 });
  check(JSON.stringify(frozen) === '{"royalty_freeze":"true"}', `the payment was flagged: ${JSON.stringify(frozen)}`);
  const s = await until('the share is paid', async () => (await h.must('GET', '/api/v1/payouts?limit=200')).items.find((x) => x.payment === p.id && x.kind === 3 && x.state === 5), 60000, 200);
  await until('the rest is released', () => seen.finished, 60000, 100);
  const [one] = royalty.royalty_parameters;
  check(royalty.royalty_parameters.length === 1 && one.trans_in === '2088000000000109' && one.amount === '1.08' && one.desc === `W${s.id}` && royalty.trade_no === '2026',
    `the share as it was asked for: ${JSON.stringify(royalty)}`);
  check(seen.finished.out_request_no !== royalty.out_request_no && seen.finished.trade_no === royalty.trade_no, 'the rest is released under a number of its own');
  check(Object.keys(alipayBodies).every((x) => seen.bodies.includes(x)), `each kind of request was judged: ${seen.bodies}`);
  charger.ws.close();
}

/** The judge of bodies says no to what is not as it should be. */
function judgeJudges() {
  const good = { appid: 'wx1', transaction_id: '4200', out_order_no: 'S1', unfreeze_unsplit: false,
    receivers: [{ type: 'MERCHANT_ID', account: '19', amount: 1, description: 'd' }] };
  const no = (change) => { const b = structuredClone(good); change(b); return wrongs(b, wechatBodies['/v3/profitsharing/orders']).length === 1; };
  check(wrongs(good, wechatBodies['/v3/profitsharing/orders']).length === 0, 'a good body is good');
  check(no((b) => { delete b.appid; }) && no((b) => { b.extra = 1; }) && no((b) => { b.receivers[0].amount = 0.5; }) && no((b) => { b.receivers[0].type = 'X'; }) &&
    no((b) => { b.receivers = []; }) && no((b) => { b.out_order_no = 'S 1'; }) && no((b) => { b.receivers[0].more = ''; }), 'a body with one fault is not');
}

const h = new House({ demo: true, set: { 'pay.providers': base } });
try {
  judgeJudges();
  await clients();
  await h.start();
  await h.setup();
  const w = await h.world({ elec_e5: 8000000, service_e5: 4000000 });
  keys(h, 'k1', { secret: SECRET });
  keys(h, 'k2', {});
  keys(h, 'k3', {});
  const wx = await channel(h, WECHAT, ''), ali = await channel(h, ALIPAY, '/gateway.do'), alloc = await channel(h, RAIL, '/rail');
  const c = h.client();
  const { demo_code } = await c.must('POST', '/api/v1/driver/code', { phone: '13700000001' });
  c.csrf = (await c.must('POST', '/api/v1/driver/login', { phone: '13700000001', code: demo_code })).csrf;

  // Inside WeChat: what the page hands to the client is signed with our key.
  const inside = JSON.parse((await payment(c, wx, 3, 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o')).url);
  check(Rsa.verify(Formatter.joinedByLineFeed(inside.appId, inside.timeStamp, inside.nonceStr, inside.package), inside.paySign, merchant.publicKey),
    'the parameters of JSAPI are signed as npm would');
  const wap = new URL((await payment(c, ali, 2)).url);
  const judge = new AlipaySdk({ appId: 'x', privateKey: bare(provider.privateKey), alipayPublicKey: bare(merchant.publicKey), keyType: 'PKCS8' });
  check(judge.checkNotifySignV2(Object.fromEntries(wap.searchParams)), 'the address of trade.wap.pay is signed as npm would');

  // Answers.
  paid = true;
  for (const name of Object.keys(answers).filter((n) => n !== 'good'))
    check(await believed(h, c, wx, name) === 2, `an answer ${name} credits nothing`);
  check(await believed(h, c, wx, 'good') === 3, 'the good answer does');

  // Notices.
  paid = false;
  const p = await payment(c, wx, 1), body = notice(seal(trade(`P${p.id}`)));
  const taken = [body, { ...json, ...signed(body) }];
  const first = await tell(h, wx, ...taken);
  check(first[0] === 200 && JSON.parse(first[1]).code === 'SUCCESS', `a good notice is thanked for: ${first}`);
  const a = await payment(c, ali, 1), good = form(members(`P${a.id}`));
  check(judge && new AlipaySdk({ appId: 'x', privateKey: bare(merchant.privateKey), alipayPublicKey: bare(provider.publicKey), keyType: 'PKCS8' }).checkNotifySignV2(good),
    'alipay-sdk takes our notice for good');
  const urlencoded = { 'content-type': 'application/x-www-form-urlencoded' };
  const thanks = await tell(h, ali, encoded(good), urlencoded);
  check(thanks[0] === 200 && thanks[1] === 'success', `and so does EVen: ${thanks}`);
  await sleep(300); // what the good ones caused to be asked is over
  let n = await refusals(h, c, 'WeChat', wx, p, wechatForgeries(`P${p.id}`, taken));
  n += await refusals(h, c, 'Alipay', ali, a, Object.fromEntries(Object.entries(alipayForgeries(`P${a.id}`, encoded(good))).map(([k, v]) => [k, [v, urlencoded]])));
  n += await refusals(h, c, 'allocation', alloc, null, railForgeries());
  n += await refusals(h, c, 'channels', '17171717', null, { 'no such channel': taken });
  check(!h.log.includes('17171717'), 'what is no channel takes no room among them');
  n += await refusals(h, c, 'channels', ali, null, { 'a notice of the other provider': taken });
  check(n >= 30, `${n} forged, replayed, stale or altered notices`);
  check((await tell(h, wx, 'x'.repeat(70000), json))[0] === 413, 'a body too long is refused');
  console.log(`${n} notices refused`);
  paid = true;
  check(await believed(h, c, wx, 'good', p) === 3, 'after all that the real one still counts');

  const audit = (await h.must('GET', '/api/v1/audit?limit=200')).items.filter((x) => x.action === 'notice.refused');
  const words = ['bad-form', 'stale', 'unknown-key', 'bad-signature', 'bad-cipher', 'not-ours', 'replayed'];
  check(audit.length >= 30, `refusals are audited: ${audit.length}`);
  check(audit.every((x) => words.includes(x.detail)) && words.every((w) => audit.some((x) => x.detail === w)), 'the audit says why in a word, and nothing of what was sent');
  await sharesOf(h, w);
  await royaltiesOf(h, w);
  check(seen.bad.length === 0, `every request of ours verifies: ${seen.wechat} of WeChat, ${seen.alipay} of Alipay; bad: ${seen.bad}`);
  check(!h.log.includes('BEGIN') && !h.log.includes(SECRET), 'no key in the log');
  await h.kill('SIGTERM');
  const books = h.check();
  check(books.code === 0, `the books balance: ${books.text}`);
} catch (e) {
  process.exitCode = 1;
  console.log(`FAILED: ${e.stack}`);
  console.log(h.log.split('\n').slice(-30).join('\n'));
} finally {
  await h.end();
  server.close();
}
finish();
