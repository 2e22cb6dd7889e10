// SPDX-License-Identifier: Apache-2.0
// demo.mjs: the demonstration on any free ports: it says where it listens, its chargers come, its drivers charge, and when it is told to
// end every charger says how its sessions ended, so that the books need no estimate and a second start finds nothing open.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { even, until } from './house.mjs';

const dir = mkdtempSync(join(tmpdir(), 'even-demo-'));
const fail = (why) => { throw new Error(why); };

async function live() {
  const ports = ['web.port', 'charge.ocpp_port', 'charge.ykc_port'].flatMap((p) => ['--set', `${p}=0`]);
  const demo = spawn(even, ['demo', '--speed', '20', '--dir', dir, ...ports], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  let ended = null;
  demo.stdout.on('data', (d) => { text += d; });
  demo.stderr.on('data', (d) => { text += d; });
  demo.on('exit', (code) => { ended = code; });
  try {
    await until('the demonstration says its addresses', () => {
      if (ended !== null) fail(`it ended: ${ended}\n${text}`);
      return /Console\s+http:\/\/\S+/.test(text);
    }, 60000);
    const [, web, admin] = /Console\s+(http:\/\/\S+?)\/?\s+admin\s+(\S+)/.exec(text);
    if (/:0\b/.test(web)) fail(`that is no port: ${web}`);
    const login = await fetch(`${web}/api/v1/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ login: 'admin', password: admin }) });
    const cookie = login.headers.getSetCookie()[0]?.split(';')[0] ?? fail(`the printed log-in is refused: ${login.status}`);
    const ask = async (path) => (await fetch(`${web}/api/v1/${path}`, { headers: { cookie } })).json();
    await until('somebody charges', async () => (await ask('orders?state=4')).items.length >= 2, 60000, 300);
    return [demo, ask, () => text, () => ended];
  } catch (e) {
    demo.kill('SIGTERM');
    throw e;
  }
}

try {
  for (let round = 0; round < 2; round++) {
    const [demo, ask, text, ended] = await live();
    const estimated = (await ask('orders?limit=200')).items.filter((o) => o.estimated);
    demo.kill('SIGTERM');
    await until('the demonstration ends', () => ended() !== null, 30000);
    if (ended() !== 0) fail(`it ended with ${ended()}\n${text()}`);
    if (!/stops left untold 0/.test(text())) fail(`stops were not told:\n${text()}`);
    if (estimated.length) fail(`${estimated.length} orders were closed by estimate`);
  }
  const r = spawnSync(even, ['check', '--dir', dir], { encoding: 'utf8' });
  if (r.status !== 0) fail(`check: ${r.stdout}`);
  console.log('demo.mjs: twice started, twice ended, nothing open, nothing estimated');
} finally {
  rmSync(dir, { recursive: true, force: true });
}
