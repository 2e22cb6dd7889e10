// SPDX-License-Identifier: Apache-2.0
// openapi.mjs: the real program against its own description. One order is charged over a real socket; then every GET of openapi.json is asked by
// somebody who may, and ajv judges the answer by the schema that stands there. The order's story must add up.
import { createRequire } from 'node:module';
import { charge } from '../js/charger.mjs';
import { check, main, sleep } from '../js/house.mjs';

const require = createRequire(new URL('../js/package.json', import.meta.url));
const Ajv = require('ajv/dist/2020').default;

/** The first event of a name on a stream, or null after ms. */
async function firstEvent(h, path, name, act, ms = 5000) {
  const stop = new AbortController();
  const r = await fetch(h.web + path, { headers: { cookie: h.cookie, accept: 'text/event-stream' }, signal: stop.signal });
  const timer = setTimeout(() => stop.abort(), ms);
  let text = '';
  await act();
  try {
    for await (const part of r.body) {
      text += Buffer.from(part).toString();
      const hit = new RegExp(`event: ${name}\ndata: (.*)\n`).exec(text);
      if (hit) return JSON.parse(hit[1]);
    }
  } catch { /* the time is over */ } finally {
    clearTimeout(timer);
    stop.abort();
  }
  return null;
}

const cents = (s) => Math.round(Number(s) * 10000);
const sum = (rows, of) => rows.reduce((n, r) => n + cents(of(r)), 0);

await main(async (h) => {
  await h.setup();
  const w = await h.world({ balance: '10.00' });
  const driver = h.client();
  const sent = await driver.must('POST', '/api/v1/driver/code', { phone: '13800138000' });
  driver.csrf = (await driver.must('POST', '/api/v1/driver/login', { phone: '13800138000', code: sent.demo_code })).csrf;
  const partner = h.client();
  await partner.login('partner', 'partner password');
  const share = firstEvent(partner, '/api/v1/partner/events', 'share', async () => {}, 60000);
  const order = await charge(h, driver, w);
  check((await share)?.order === order, 'the partner hears of the share');

  // ---- the story adds up ----
  const story = await h.must('GET', `/api/v1/orders/${order}`);
  check(story.order.energy_mwh === 20000, `20 Wh, got ${story.order.energy_mwh}`);
  check(sum(story.lines, (l) => l.amount) === cents(story.order.total), 'the lines are the total');
  check(sum(story.parts, (p) => p.amount) === cents(story.order.paid), 'the parts are what was paid');
  for (const t of story.transfers) check(sum(t.legs, (l) => l.amount) === 0, `legs of transfer ${t.id} sum to 0`);
  check(story.transfers.length > 0 && story.holds.length === 1 && story.events.length > 3 && story.commands.length > 1, 'transfers, hold, events, commands are there');
  const mine = await driver.must('GET', `/api/v1/me/orders/${order}`);
  check(mine.parts.length === 0 && mine.transfers.length === 0 && mine.commands.length === 0, 'a driver sees no split');
  const samples = await h.must('GET', `/api/v1/orders/${order}/samples`);
  check(samples.items.length >= 3, `the curve has ${samples.items.length} readings`);
  const me = await driver.must('GET', '/api/v1/me');
  const statement = await driver.must('GET', '/api/v1/me/statement');
  check(statement.items[0].balance === me.balance, 'the statement ends at the balance');
  check(sum(statement.items, (r) => r.amount) === cents(me.balance), 'the statement sums to the balance');
  const home = await partner.must('GET', '/api/v1/partner');
  check(cents(home.today) === sum(story.parts.filter((p) => p.party === w.owner), (p) => p.amount), 'today is the share of the order');
  const shares = JSON.stringify((await partner.must('GET', '/api/v1/partner/shares')).items);
  check(!/13800138000|138\*|driver|phone/.test(shares) && !shares.includes(w.driver), 'shares name no driver'); // by no digits that an id may hold
  check((await h.must('GET', '/api/v1/ledger/trial')).sum === '0.00', 'the books balance');

  // ---- every GET keeps to its schema ----
  const api = await h.must('GET', '/api/v1/openapi.json');
  const ajv = new Ajv({ strict: false, schemas: [{ $id: 'api', components: api.components }] });
  const transfer = story.transfers[0];
  const lot = (await driver.must('GET', '/api/v1/me/payments')).items[0].id; // staff's top-up is a lot like any other
  const invoice = (await driver.must('POST', '/api/v1/me/invoices', { orders: [order], buyer: 1, title: 'Somebody', email: 'a@example.com' })).id;
  const channel = (await h.must('POST', '/api/v1/channels', { kind: 1, name: 'channel', url: '', app: '', merchant: '', keys: '', fee_bp: 0, state: 0 })).id;
  const rule = await h.must('POST', '/api/v1/occupancy-rules', { name: 'stay', from_ms: 0, free_min: 15, cap_order: '5.00', cap_day: '0.00', kinds: 0, exempt: 0, pay: 0,
    hold: false, bay: false, near_min: 0, every_min: 0, windows: [{ from_min: 0, to_min: 1440, price: '0.10' }] });
  const company = (await h.must('POST', '/api/v1/companies', { name: 'Carriers', tax_no: '', contact: '', phone: '', kind: 2, credit: '100.00', overrun: 0, bill_day: 1, state: 0 })).id;
  // A withdrawal on the first day can be the operator's own only, whose income waits for nothing: his party has a log-in, too. A statement: of the month before.
  const self = (await h.must('GET', '/api/v1/parties')).items.find((p) => p.kind === 1);
  await h.must('PUT', `/api/v1/parties/${self.id}`, { kind: 1, name: self.name, state: 0, verified: true, payee: '6222020200001234567', payee_name: 'Seller' }, { 'if-match': `"${self.version}"` });
  await h.must('POST', '/api/v1/people', { login: 'ours', name: 'O', password: 'ours password', role: 3, party: self.id, state: 0 });
  const ours = h.client();
  await ours.login('ours', 'ours password');
  const bank = (await h.must('POST', '/api/v1/channels', { kind: 4, name: 'bank', url: '', app: '', merchant: '', keys: '', fee_bp: 0, state: 0 })).id;
  const payout = (await h.must('POST', '/api/v1/payouts', { party: self.id, channel: bank, amount: '0.01' })).id;
  const before = new Date(Date.now() - 32 * 86400e3);
  const month = (await h.must('POST', '/api/v1/statements', { party: w.owner, month: before.getUTCFullYear() * 100 + before.getUTCMonth() + 1 })).id;
  const ids = { payouts: payout, statements: month, companies: company, invoices: invoice, 'occupancy-rules': rule.id, channels: channel, stations: w.station, chargers: w.chargers[0].id, connectors: w.chargers[0].connectors[0].id, drivers: w.driver, tariffs: w.tariff,
    contracts: w.contract, parties: w.owner, orders: order, accounts: transfer.legs[0].account, transfers: transfer.id, commands: story.commands[0].id, payments: lot };
  let judged = 0;
  for (const [path, methods] of Object.entries(api.paths)) {
    const get = methods.get;
    const content = get?.responses['200'].content['application/json'];
    if (!content || path.endsWith('openapi.json')) continue;
    const who = get['x-permission'] === 'me' ? driver : get['x-permission'] !== 'partner' ? h : path.includes('/payouts/{id}') ? ours : partner;
    const kind = path.replace(/\/(me|partner)\//, '/').split('/')[3];
    const real = path.replace('{id}', ids[kind]).replace('{code}', w.chargers[0].connectors[0].code);
    const r = await who.ask('GET', real);
    check(r.status === 200, `${real}: ${r.status} ${JSON.stringify(r.body).slice(0, 200)}`);
    const schema = JSON.parse(JSON.stringify(content.schema).replaceAll('#/components', 'api#/components'));
    const good = ajv.validate(schema, r.body);
    check(good, `${real}: ${ajv.errorsText()} in ${JSON.stringify(r.body).slice(0, 300)}`);
    const again = await who.ask('GET', real, undefined, { 'if-none-match': r.headers.get('etag') ?? '' });
    check(again.status === 304 || (again.status === 200 && /live|session|trial|safeguarding|connectors|orders/.test(real)), `${real}: an unchanged answer is 304, got ${again.status}`);
    judged++;
  }
  check(judged > 40, `${judged} routes were judged`);

  // ---- changes by two people ----
  const station = await h.ask('GET', `/api/v1/stations/${w.station}`);
  const tag = station.headers.get('etag');
  const { id, version, ...body } = station.body;
  check(tag === `"${version}"` && id === w.station, 'the tag is the version');
  check((await h.ask('PUT', `/api/v1/stations/${w.station}`, { ...body, name: 'New name' }, { 'if-match': tag })).status === 200, 'the first change');
  check((await h.ask('PUT', `/api/v1/stations/${w.station}`, { ...body, name: 'Other' }, { 'if-match': tag })).status === 412, 'the second finds it changed');

  // ---- keys ----
  const key = await h.must('POST', '/api/v1/keys', { name: 'erp', role: 5, quota_s: 5 });
  const bearer = { authorization: `Bearer ${key.key}` };
  const other = h.client();
  check((await other.ask('GET', '/api/v1/orders', undefined, bearer)).status === 200, 'a key reads');
  check((await other.ask('POST', `/api/v1/drivers/${w.driver}/topups`, { amount: '1.00' }, bearer)).status === 403, 'a viewer key does not write');
  let limited = 0;
  for (let i = 0; i < 40; i++) {
    const r = await other.ask('GET', '/api/v1/session', undefined, bearer);
    if (r.status === 429) limited += Number(r.headers.get('retry-after')) >= 1;
  }
  check(limited > 0, 'its quota ends');
  await h.must('POST', `/api/v1/keys/${key.id}/revoke`);
  await sleep(500);
  check((await other.ask('GET', '/api/v1/orders', undefined, bearer)).status === 401, 'a revoked key is nobody');

  // ---- the operator's own quota: all its people, keys and drivers together ----
  const quota = async (n) => {
    const r = await h.ask('GET', '/api/v1/tenant');
    return r.status !== 200 ? r : h.ask('PUT', '/api/v1/tenant', { ...r.body, quota_calls_s: n }, { 'if-match': r.headers.get('etag') });
  };
  const few = await quota(5);
  check(few.status === 422 && few.body.pointer === '/quota_calls_s', `too few to work with are refused: ${JSON.stringify(few.body)}`);
  check((await quota(20)).status === 200, 'a quota of 20 a second');
  const burst = [];
  for (let n = 0; n < 20 && !burst.some((r) => r.status === 429); n++)
    burst.push(...await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? h : driver).ask('GET', i % 2 ? '/api/v1/stations' : '/api/v1/me'))));
  const over = burst.filter((r) => r.status === 429);
  check(over.length > 0 && over.every((r) => Number(r.headers.get('retry-after')) >= 1), `two people together are over it: ${over.length} of ${burst.length}`);
  check((await Promise.all(Array.from({ length: 20 }, () => partner.ask('GET', '/api/v1/partner')))).some((r) => r.status === 429), 'the third pays for them, too');
  await sleep(1500);
  check((await quota(0)).status === 200 && (await h.must('GET', '/api/v1/tenant')).quota_calls_s === 0, 'and it is taken away again');

  // ---- a disabled person is out at once ----
  const people = (await h.must('GET', '/api/v1/people')).items.find((p) => p.login === 'partner');
  const { id: pid, version: pv, ...person } = people;
  check((await h.ask('PUT', `/api/v1/people/${pid}`, { ...person, state: 1 }, { 'if-match': `"${pv}"` })).status === 200, 'the partner is disabled');
  check((await partner.ask('GET', '/api/v1/partner')).status === 401, 'a disabled partner is nobody');
  check(h.check().code === 0, '`even check` is content');
}, { demo: true });
