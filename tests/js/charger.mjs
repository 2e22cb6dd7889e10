// SPDX-License-Identifier: Apache-2.0
// charger.mjs: a charger that does as it is told, over a real socket, and one whole order with it: for tests whose subject is what comes after.
import { createRequire } from 'node:module';
import { check, sleep, until } from './house.mjs';

const WebSocket = createRequire(import.meta.url)('ws');

/** A charger that does as it is told; rises by 1 kWh with each reading. */
export class Charger {
  constructor(h, cp) {
    this.n = 0;
    this.waiting = new Map();
    this.ws = new WebSocket(`${h.ocpp}/${cp.path}`, ['ocpp1.6'],
      { headers: { authorization: 'Basic ' + Buffer.from(`${cp.path}:${cp.secret}`).toString('base64') } });
    this.ws.on('message', (data) => this.hear(JSON.parse(data.toString())));
    this.stop = new Promise((done) => { this.stopped = done; });
  }
  hear(m) {
    if (m[0] === 3) {
      this.waiting.get(m[1])?.(m[2]);
      return;
    }
    if (m[0] !== 2) return;
    this.ws.send(JSON.stringify([3, m[1], { status: 'Accepted' }]));
    if (m[2] === 'RemoteStartTransaction') this.started = m[3];
    if (m[2] === 'RemoteStopTransaction') this.stopped();
  }
  open() {
    return new Promise((ok, no) => { this.ws.on('open', ok); this.ws.on('error', no); });
  }
  call(action, payload) {
    const id = `c${++this.n}`;
    this.ws.send(JSON.stringify([2, id, action, payload]));
    return new Promise((done) => this.waiting.set(id, done));
  }
  status(status) {
    return this.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status, timestamp: new Date().toISOString() });
  }
  meter(tx, wh, w) {
    return this.call('MeterValues', { connectorId: 1, transactionId: tx, meterValue: [{ timestamp: new Date().toISOString(), sampledValue: [
      { value: String(wh), measurand: 'Energy.Active.Import.Register', unit: 'Wh' },
      { value: String(w), measurand: 'Power.Active.Import', unit: 'W' }, { value: '55', measurand: 'SoC', unit: 'Percent' }] }] });
  }
}

/** A driver who is logged in charges `wh` for a cap; answers the id of the settled order. */
export async function charge(h, driver, w, { cap = '4.00', wh = 20, payer } = {}) {
  const cp = w.chargers[0];
  const charger = new Charger(h, cp);
  await charger.open();
  await charger.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' });
  await charger.status('Preparing');
  await until('connector is ready', async () => (await h.must('GET', `/api/v1/connectors?charger=${cp.id}`)).items[0].status === 2);
  const made = await driver.must('POST', '/api/v1/me/orders', { code: cp.connectors[0].code, cap, payer });
  await until('remote start', async () => charger.started);
  const start = await charger.call('StartTransaction', { connectorId: 1, idTag: charger.started.idTag, meterStart: 1000, timestamp: new Date().toISOString() });
  await charger.status('Charging');
  for (let i = 1; i <= 3; i++) {
    await sleep(400);
    await charger.meter(start.transactionId, 1000 + Math.round((i * wh) / 4), 60000);
  }
  const live = await until('live figures', async () => {
    const o = await driver.must('GET', `/api/v1/me/orders/${made.id}`);
    return o.live_power_w > 0 && o;
  });
  check(live.order.state === 4, 'the order is charging');
  await driver.must('POST', `/api/v1/me/orders/${made.id}/stop`);
  await charger.stop;
  await charger.call('StopTransaction', { transactionId: start.transactionId, meterStop: 1000 + wh, timestamp: new Date().toISOString(), reason: 'Remote' });
  await charger.status('Available');
  await until('settled', async () => (await driver.must('GET', `/api/v1/me/orders/${made.id}`)).order.state >= 8);
  charger.ws.close();
  return made.id;
}
