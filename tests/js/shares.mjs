// SPDX-License-Identifier: Apache-2.0
// shares.mjs: steps of the tests in which a channel pays shares out of a single payment, and the bodies of those requests as the providers'
// public pages describe them: sharing.mjs goes the whole way with them, pay_signs.mjs judges what is sent.
import { sleep, until } from './house.mjs';

export const OPEN = 3, REFUSED = 4, SETTLED = 5, FAILED = 6;

export async function login(h, phone) {
  const c = h.client(), { demo_code } = await c.must('POST', '/api/v1/driver/code', { phone });
  c.csrf = (await c.must('POST', '/api/v1/driver/login', { phone, code: demo_code })).csrf;
  return c;
}

/** The name that a party is registered with, beside its own: accounts of its own stand in it. */
export async function registered(h, id, payee_name) {
  const t = await h.ask('GET', '/api/v1/tenant');
  if (t.body.payee_hold_h) await h.must('PUT', '/api/v1/tenant', { ...t.body, payee_hold_h: 0 }, { 'if-match': t.headers.get('etag') }); // a new name waits
  const p = (await h.must('GET', '/api/v1/parties')).items.find((x) => x.id === id);
  await h.must('PUT', `/api/v1/parties/${id}`, { kind: p.kind, name: p.name, state: p.state, payee_name }, { 'if-match': `"${p.version}"` });
}

/** Makes a receiver known at a channel; its account's row once the provider has answered. payee_kind 1: a company, 2: a person. */
export async function receiver(h, party, channel, account, { state = OPEN, payee_kind = 1, name = '海岸物业有限公司' } = {}) {
  await registered(h, party, name);
  const id = (await h.must('POST', '/api/v1/party-accounts', { party, channel, payee_kind, name, account })).id;
  const get = async () => (await h.must('GET', '/api/v1/party-accounts?limit=200')).items.find((a) => a.id === id);
  return until(`receiver ${account} reaches ${state}`, async () => { const a = await get(); return a.state === state && a; }, 60000, 100);
}

/** Sets what a channel may pay out of a payment at most, in 1/10,000. */
export async function most(h, channel, share_bp) {
  const { version, id, ...rest } = (await h.must('GET', '/api/v1/channels')).items.find((x) => x.id === channel);
  return h.ask('PUT', `/api/v1/channels/${id}`, { ...rest, share_bp }, { 'if-match': `"${version}"` });
}

/** A driver pays `amount` for one order of 3.60 at the charger; `pay` does what he does with the place to pay. Answers his payment. */
export async function order(h, d, charger, cp, channel, pay, { amount = '5.00', method = 1, payer } = {}) {
  charger.started = null;
  await charger.status('Preparing');
  await until('connector is ready', async () => (await h.must('GET', `/api/v1/connectors?charger=${cp.id}`)).items[0].status === 2);
  const id = (await d.must('POST', '/api/v1/me/payments', { channel, method, amount, connector: cp.connectors[0].id, ...(payer ? { payer } : {}) })).id;
  const get = () => d.must('GET', `/api/v1/me/payments/${id}`);
  await pay(await until('a place to pay', async () => { const r = await get(); return r.url && r; }, 60000, 100));
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

// ---- bodies ----

const text = (max, re = /./) => (v) => typeof v === 'string' && v.length > 0 && v.length <= max && re.test(v);
const one = (...words) => (v) => words.includes(v);
const fen = (v) => Number.isSafeInteger(v) && v > 0;
const maybe = (rule) => Object.assign((v) => rule(v), { maybe: true });
const list = (most, rule) => Object.assign((v) => Array.isArray(v) && v.length > 0 && v.length <= most, { each: rule });
const no = text(64, /^[0-9A-Za-z_\-|*@]+$/);
const kinds = one('MERCHANT_ID', 'PERSONAL_OPENID');

/** Of a direct merchant: what has no `maybe` must be there, and nothing else may be. */
export const wechatBodies = {
  '/v3/profitsharing/receivers/add': { appid: text(32), type: kinds, account: text(64), name: maybe(text(1024, /^[A-Za-z0-9+/]+=*$/)),
    relation_type: one('SERVICE_PROVIDER', 'STORE', 'STAFF', 'STORE_OWNER', 'PARTNER', 'HEADQUARTER', 'BRAND', 'DISTRIBUTOR', 'USER', 'SUPPLIER', 'CUSTOM'),
    custom_relation: maybe(text(10)) },
  '/v3/profitsharing/orders': { appid: text(32), transaction_id: text(32), out_order_no: no, unfreeze_unsplit: one(true, false),
    receivers: list(50, { type: kinds, account: text(64), name: maybe(text(1024)), amount: fen, description: text(80) }) },
  '/v3/profitsharing/return-orders': { order_id: maybe(text(64)), out_order_no: no, out_return_no: no, return_mchid: text(32), amount: fen, description: text(80) },
  '/v3/profitsharing/orders/unfreeze': { transaction_id: text(32), out_order_no: no, description: text(80) },
};

const yuan = text(20, /^\d+\.\d\d$/), user = text(16, /^2088\d{12}$/), alnum = text(32, /^[0-9A-Za-z_]+$/);
const object = (rules) => Object.assign((v) => typeof v === 'object' && v !== null, { inside: rules });

/** The same of what stands in Alipay's biz_content. */
export const alipayBodies = {
  'alipay.trade.royalty.relation.bind': { out_request_no: alnum,
    receiver_list: list(20, { type: one('userId'), account: user, name: maybe(text(256)), memo: maybe(text(256)) }) },
  'alipay.trade.order.settle': { out_request_no: alnum, trade_no: text(64), royalty_mode: one('async'),
    royalty_parameters: Object.assign(list(50, { royalty_type: one('transfer'), trans_in_type: one('userId'), trans_in: user, amount: yuan, desc: text(1000) }), { maybe: true }),
    extend_params: Object.assign(object({ royalty_finish: one('true') }), { maybe: true }) },
  'alipay.trade.order.settle.query': { out_request_no: alnum, trade_no: text(64) },
};

/** What of a body is not as it should be: names, '' when all is. */
export function wrongs(body, rules, at = '') {
  const bad = [];
  for (const [k, rule] of Object.entries(rules)) {
    if (body[k] === undefined) {
      if (!rule.maybe) bad.push(`${at}${k} is missing`);
    } else if (!rule(body[k])) bad.push(`${at}${k} is ${JSON.stringify(body[k])}`);
    else if (rule.inside) bad.push(...wrongs(body[k], rule.inside, `${at}${k}.`));
    else if (rule.each) body[k].forEach((v, i) => bad.push(...wrongs(v, rule.each, `${at}${k}[${i}].`)));
  }
  return bad.concat(Object.keys(body).filter((k) => !rules[k]).map((k) => `${at}${k} is not known`));
}
