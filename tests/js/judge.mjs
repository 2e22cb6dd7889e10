// SPDX-License-Identifier: Apache-2.0
// judge.mjs: the client of npm's ocpp-rpc in strict mode plays a charger through a whole order; every message that the server sends is judged twice,
// by ocpp-rpc's own schemas (strict mode) and by typed-ocpp's. Issue row: "no violation".
import { RPCClient } from 'ocpp-rpc';
import { OCPP16 } from 'typed-ocpp';
import { check, main, sleep, until } from './house.mjs';

await main(async (h) => {
  await h.setup();
  const w = await h.world();
  const cp = w.chargers[0];
  const calls = [];
  let violations = 0;
  const cli = new RPCClient({ endpoint: h.ocpp, identity: cp.path, password: cp.secret, protocols: ['ocpp1.6'], strictMode: true, reconnect: false });
  cli.on('strictValidationFailure', (e) => { violations++; console.log('violation', JSON.stringify(e)); });
  cli.on('badMessage', (e) => { violations++; console.log('bad message', String(e?.error ?? e)); });
  const sent = new Map();
  cli.on('message', ({ message, outbound }) => {
    const m = JSON.parse(message.toString());
    if (outbound) {
      if (m[0] === 2) sent.set(m[1], m);
      return;
    }
    const ok = m[0] === 3 && sent.has(m[1]) ? OCPP16.checkCallResult(m, sent.get(m[1])) : OCPP16.validate(m);
    if (!ok) { violations++; console.log('typed-ocpp refuses', message.toString(), OCPP16.validate.errors); }
  });
  const tx = {};
  cli.handle('RemoteStartTransaction', ({ params }) => { calls.push(['RemoteStart', params]); return { status: 'Accepted' }; });
  cli.handle('RemoteStopTransaction', ({ params }) => { calls.push(['RemoteStop', params]); return { status: 'Accepted' }; });
  cli.handle('TriggerMessage', ({ params }) => { calls.push(['Trigger', params]); return { status: 'NotImplemented' }; });
  cli.handle('SetChargingProfile', ({ params }) => { calls.push(['Profile', params]); return { status: 'NotSupported' }; });
  cli.handle('ChangeConfiguration', ({ params }) => { calls.push(['Config', params]); return { status: 'NotSupported' }; });
  cli.handle('GetConfiguration', () => ({ configurationKey: [], unknownKey: [] }));
  cli.handle(({ method }) => { calls.push([method]); throw new Error('not here'); });
  await cli.connect();
  const boot = await cli.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
  check(boot.status === 'Accepted', 'boot accepted');
  await cli.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Preparing' });
  check(typeof (await cli.call('Heartbeat', {})).currentTime === 'string', 'heartbeat');
  const order = (await h.must('POST', '/api/v1/orders', { connector: cp.connectors[0].id, driver: w.driver, cap: '4.00' })).id;
  const start = await until('remote start', () => calls.find((c) => c[0] === 'RemoteStart'));
  tx.tag = start[1].idTag;
  check((await cli.call('Authorize', { idTag: tx.tag })).idTagInfo.status === 'Accepted', 'authorize');
  const t0 = Date.now();
  const st = await cli.call('StartTransaction', { connectorId: 1, idTag: tx.tag, meterStart: 100000, timestamp: new Date(t0).toISOString() });
  check(st.idTagInfo.status === 'Accepted' && st.transactionId > 0, 'transaction started');
  const again = await cli.call('StartTransaction', { connectorId: 1, idTag: tx.tag, meterStart: 100000, timestamp: new Date(t0).toISOString() });
  check(again.transactionId === st.transactionId, 'a retried start is the same transaction');
  await cli.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging' });
  const sample = (wh, at, w) => ({ connectorId: 1, transactionId: st.transactionId, meterValue: [{ timestamp: new Date(at).toISOString(), sampledValue: [
    { value: String(wh), measurand: 'Energy.Active.Import.Register', unit: 'Wh' }, { value: String(w), measurand: 'Power.Active.Import', unit: 'W' },
    { value: '41', measurand: 'SoC', unit: 'Percent' }] }] });
  for (let i = 1; i <= 4; i++) {
    await sleep(250);
    await cli.call('MeterValues', sample(100000 + i * 8, Date.now(), 115000));
  }
  await h.must('POST', `/api/v1/orders/${order}/stop`);
  const stop = await until('remote stop', () => calls.find((c) => c[0] === 'RemoteStop'));
  check(stop[1].transactionId === st.transactionId, 'remote stop names the transaction');
  const end = await cli.call('StopTransaction', { transactionId: st.transactionId, meterStop: 100040, timestamp: new Date().toISOString(), reason: 'Remote', idTag: tx.tag });
  check(end !== undefined, 'stop answered');
  await cli.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Available' });
  const o = await until('the order is settled', async () => {
    const x = await h.must('GET', `/api/v1/orders/${order}`);
    return x.order.state === 8 && x;
  });
  // 40 Wh at 0.8 and 0.4 yuan: 0.032 → 0.03 and 0.016 → 0.02
  check(o.order.total === '0.05', `total is 0.05, got ${o.order.total}`);
  const parts = o.parts.reduce((s, p) => s + Math.round(Number(p.amount) * 10000), 0);
  check(parts === 500, `parts sum to the total, got ${parts}`);
  check(violations === 0, `${violations} violations`);
  await cli.close();
  const books = h.check();
  check(books.code === 0, `even check: ${books.text}`);
}, { set: { 'core.command_s': 5 } });
