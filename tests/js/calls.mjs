// SPDX-License-Identifier: Apache-2.0
// calls.mjs: all 19 calls that OCPP 1.6 gives a central system, over a real socket, each answered with success, with a refusal (status or CALLERROR) and not
// at all. The outcome stands in the command row; every frame is judged by typed-ocpp.
import { OCPP16 } from 'typed-ocpp';
import { createRequire } from 'node:module';
import { check, main, until } from './house.mjs';

const require = createRequire(import.meta.url);
const WebSocket = require('ws');
const soon = new Date(Date.now() + 3600000).toISOString().replace(/\.\d+/, '');
const profile = { chargingProfileId: 1, stackLevel: 0, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Absolute',
  chargingSchedule: { chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit: 7000.0 }] } };
const table = [
  ['CancelReservation', { reservationId: 1 }, { status: 'Accepted' }, { status: 'Rejected' }],
  ['ChangeAvailability', { connectorId: 1, type: 'Operative' }, { status: 'Accepted' }, { status: 'Rejected' }],
  ['ChangeConfiguration', { key: 'HeartbeatInterval', value: '300' }, { status: 'Accepted' }, { status: 'NotSupported' }],
  ['ClearCache', {}, { status: 'Accepted' }, { status: 'Rejected' }],
  ['ClearChargingProfile', { id: 1 }, { status: 'Accepted' }, { status: 'Unknown' }],
  ['DataTransfer', { vendorId: 'even.test', data: 'x' }, { status: 'Accepted' }, { status: 'UnknownVendorId' }],
  ['GetCompositeSchedule', { connectorId: 1, duration: 60 }, { status: 'Accepted' }, { status: 'Rejected' }],
  ['GetConfiguration', { key: ['HeartbeatInterval'] }, { configurationKey: [{ key: 'HeartbeatInterval', readonly: false, value: '300' }] }, null],
  ['GetDiagnostics', { location: 'ftp://127.0.0.1/d' }, { fileName: 'd.zip' }, null],
  ['GetLocalListVersion', {}, { listVersion: 3 }, null],
  ['RemoteStartTransaction', { connectorId: 1, idTag: 'CARD1' }, { status: 'Accepted' }, { status: 'Rejected' }],
  ['RemoteStopTransaction', { transactionId: 99 }, { status: 'Accepted' }, { status: 'Rejected' }],
  ['ReserveNow', { connectorId: 1, expiryDate: soon, idTag: 'CARD1', reservationId: 7 }, { status: 'Accepted' }, { status: 'Occupied' }],
  ['Reset', { type: 'Soft' }, { status: 'Accepted' }, { status: 'Rejected' }],
  ['SendLocalList', { listVersion: 4, updateType: 'Full', localAuthorizationList: [{ idTag: 'A', idTagInfo: { status: 'Accepted' } }] }, { status: 'Accepted' }, { status: 'Failed' }],
  ['SetChargingProfile', { connectorId: 1, csChargingProfiles: profile }, { status: 'Accepted' }, { status: 'NotSupported' }],
  ['TriggerMessage', { requestedMessage: 'Heartbeat' }, { status: 'Accepted' }, { status: 'NotImplemented' }],
  ['UnlockConnector', { connectorId: 1 }, { status: 'Unlocked' }, { status: 'UnlockFailed' }],
  ['UpdateFirmware', { location: 'ftp://127.0.0.1/f', retrieveDate: soon }, {}, null],
];

await main(async (h) => {
  await h.setup();
  const w = await h.world();
  const cp = w.chargers[0];
  const ws = new WebSocket(`${h.ocpp}/${cp.path}`, ['ocpp1.6'], { headers: { authorization: 'Basic ' + Buffer.from(`${cp.path}:${cp.secret}`).toString('base64') } });
  await new Promise((ok, no) => { ws.on('open', ok); ws.on('error', no); });
  let answer = () => null;
  let bad = 0;
  const seen = [];
  ws.on('message', (data) => {
    const m = JSON.parse(data.toString());
    if (m[0] !== 2) return;
    if (!OCPP16.validate(m)) { bad++; console.log('typed-ocpp refuses', data.toString()); }
    seen.push(m);
    const a = answer(m);
    if (a) ws.send(JSON.stringify(a));
  });
  ws.send(JSON.stringify([2, '1', 'BootNotification', { chargePointVendor: 'V', chargePointModel: 'M' }]));
  ws.send(JSON.stringify([2, '2', 'StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Available' }]));
  await until('online', async () => (await h.must('GET', `/api/v1/chargers/${cp.id}`)).online);

  const call = async (action, payload) => {
    const made = await h.must('POST', `/api/v1/chargers/${cp.id}/calls`, { action, connector: 1, payload });
    return until(`${action} is over`, async () => {
      const c = await h.must('GET', `/api/v1/commands/${made.id}`);
      return c.state >= 3 && c;
    }, 15000);
  };
  for (const [action, payload, yes, no] of table) {
    answer = (m) => [3, m[1], yes];
    let c = await call(action, payload);
    check(c.state === 3 && c.err === 0, `${action}: success, got ${JSON.stringify(c)}`);
    if (yes.status) check(c.status === yes.status, `${action}: status ${yes.status}, got ${c.status}`);
    check(JSON.stringify(JSON.parse(c.result || 'null')) === JSON.stringify(yes), `${action}: the answer is kept, got ${c.result}`);
    answer = (m) => (no ? [3, m[1], no] : [4, m[1], 'NotSupported', 'no', {}]);
    c = await call(action, payload);
    check(no ? c.state === 3 && c.status === no.status : c.state === 4 && c.err !== 0, `${action}: refusal, got ${JSON.stringify(c)}`);
  }
  check(seen.length >= 38, `38 frames seen, got ${seen.length}`);
  // Silence: all 19 queue up, one is outstanding at a time, each runs into its own time-out.
  answer = () => null;
  const late = [];
  for (const [action, payload] of table) late.push([action, (await h.must('POST', `/api/v1/chargers/${cp.id}/calls`, { action, connector: 1, payload })).id]);
  for (const [action, id] of late) {
    const c = await until(`${action} times out`, async () => {
      const x = await h.must('GET', `/api/v1/commands/${id}`);
      return x.state >= 3 && x;
    }, 120000, 200);
    check(c.state === 5, `${action}: timeout, got state ${c.state} err ${c.err}`);
  }
  check(bad === 0, `${bad} frames refused by typed-ocpp`);
  const wrong = await h.ask('POST', `/api/v1/chargers/${cp.id}/calls`, { action: 'Reset', connector: 0, payload: { type: 'Medium' } });
  check(wrong.status === 422, `a payload that the table refuses is not sent, got ${wrong.status}`);
  const none = await h.ask('POST', `/api/v1/chargers/${cp.id}/calls`, { action: 'Dance', connector: 0, payload: {} });
  check(none.status >= 400 && none.status < 500, `an unknown action is not sent, got ${none.status}`);
  ws.close();
}, { set: { 'core.command_s': 5 } });
