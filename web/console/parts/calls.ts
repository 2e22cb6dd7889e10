// SPDX-License-Identifier: Apache-2.0
/* calls.ts: what staff may call on a charger: the nineteen OCPP 1.6 actions of the platform with a good starting point for
 * each payload, and the four parameterless calls of a 云快充 pile. The server judges every payload by the protocol's table. */

export interface CallTemplate {
  action: string
  group: 'use' | 'setup' | 'smart' | 'upkeep' | 'local'
  danger?: boolean // asks before it is sent
  payload: (connector: number) => unknown
}

const inAnHour = (hours = 1) => new Date(Date.now() + hours * 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z')

export const OCPP16: CallTemplate[] = [
  { action: 'RemoteStartTransaction', group: 'use', danger: true, payload: (n) => ({ connectorId: n || 1, idTag: '' }) },
  { action: 'RemoteStopTransaction', group: 'use', danger: true, payload: () => ({ transactionId: 0 }) },
  { action: 'UnlockConnector', group: 'use', payload: (n) => ({ connectorId: n || 1 }) },
  { action: 'ReserveNow', group: 'use', payload: (n) => ({ connectorId: n || 1, expiryDate: inAnHour(), idTag: '', reservationId: 1 }) },
  { action: 'CancelReservation', group: 'use', payload: () => ({ reservationId: 1 }) },
  { action: 'GetConfiguration', group: 'setup', payload: () => ({}) },
  { action: 'ChangeConfiguration', group: 'setup', payload: () => ({ key: 'MeterValueSampleInterval', value: '15' }) },
  { action: 'ChangeAvailability', group: 'setup', danger: true, payload: (n) => ({ connectorId: n, type: 'Operative' }) },
  { action: 'TriggerMessage', group: 'setup', payload: (n) => (n ? { requestedMessage: 'MeterValues', connectorId: n } : { requestedMessage: 'StatusNotification' }) },
  { action: 'DataTransfer', group: 'setup', payload: () => ({ vendorId: 'com.example', messageId: '', data: '' }) },
  {
    action: 'SetChargingProfile', group: 'smart',
    payload: (n) => ({ connectorId: n || 1, csChargingProfiles: { chargingProfileId: 1, stackLevel: 0, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Absolute',
      chargingSchedule: { chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit: 60000 }] } } }),
  },
  { action: 'ClearChargingProfile', group: 'smart', payload: (n) => (n ? { connectorId: n } : {}) },
  { action: 'GetCompositeSchedule', group: 'smart', payload: (n) => ({ connectorId: n, duration: 3600, chargingRateUnit: 'W' }) },
  { action: 'Reset', group: 'upkeep', danger: true, payload: () => ({ type: 'Soft' }) },
  { action: 'UpdateFirmware', group: 'upkeep', danger: true, payload: () => ({ location: 'https://', retrieveDate: inAnHour(), retries: 1 }) },
  { action: 'GetDiagnostics', group: 'upkeep', payload: () => ({ location: 'ftp://' }) },
  { action: 'ClearCache', group: 'local', payload: () => ({}) },
  { action: 'GetLocalListVersion', group: 'local', payload: () => ({}) },
  { action: 'SendLocalList', group: 'local', payload: () => ({ listVersion: 1, localAuthorizationList: [], updateType: 'Full' }) },
]

export const YKC: CallTemplate[] = [
  { action: 'ReadData', group: 'use', payload: () => ({}) },
  { action: 'SetPrices', group: 'setup', payload: () => ({}) },
  { action: 'Time', group: 'setup', payload: () => ({}) },
  { action: 'Work', group: 'setup', payload: () => ({ locked: false, percent: 100 }) },
  { action: 'GunPower', group: 'smart', payload: () => ({ power_w: 60000 }) },
  { action: 'ParkingLock', group: 'use', payload: () => ({ up: false }) },
  { action: 'AskVin', group: 'use', payload: () => ({}) },
  { action: 'QrPrefix', group: 'setup', payload: () => ({ prefix: 'https://', with_gun: true }) },
  { action: 'CardSync', group: 'local', payload: () => ({ cards: [{ physical: '00000000D14B0A54' }] }) },
  { action: 'CardQuery', group: 'local', payload: () => ({ cards: [{ physical: '00000000D14B0A54' }] }) },
  { action: 'CardClear', group: 'local', payload: () => ({ cards: [{ physical: '00000000D14B0A54' }] }) },
  { action: 'Update', group: 'upkeep', danger: true, payload: () => ({ host: '10.0.0.1', port: 21, user: '', password: '', path: 'pile.bin', when: 'Idle' }) },
  { action: 'Reboot', group: 'upkeep', danger: true, payload: () => ({ when: 'Idle' }) },
]

export const GROUPS = ['use', 'setup', 'smart', 'upkeep', 'local'] as const
