// SPDX-License-Identifier: Apache-2.0
// peer.mjs: the npm package ocpp-rpc as a server that answers what a bench drives: `peer.mjs PORT`. Passwords are looked at, calls are validated
// (strict mode), as ours does. Ends with its input.
import { createRequire } from 'node:module';
const { RPCServer } = createRequire(new URL('../tests/js/package.json', import.meta.url))('ocpp-rpc');

const server = new RPCServer({ protocols: ['ocpp1.6'], strictMode: true, pingIntervalMs: 60000 });
server.auth((accept, reject, handshake) => (handshake.password?.length ? accept() : reject(401)));
server.on('client', (client) => {
  client.handle('BootNotification', () => ({ status: 'Accepted', interval: 300, currentTime: new Date().toISOString() }));
  client.handle('Heartbeat', () => ({ currentTime: new Date().toISOString() }));
  client.handle('StatusNotification', () => ({}));
});
await server.listen(Number(process.argv[2]), '127.0.0.1');
console.log('ready');
process.stdin.on('end', () => process.exit(0)).resume();
