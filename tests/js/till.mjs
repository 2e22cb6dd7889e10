// SPDX-License-Identifier: Apache-2.0
// till.mjs: starts `even cashier` on a free port and makes channels of a house out of it. What a test sees of the money on the provider's
// side comes from the cashier's own books (/state).
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { even, until } from './house.mjs';

export const WECHAT = 1, ALIPAY = 2, RAIL = 3;
export const merchants = {
  [WECHAT]: { kind: WECHAT, folder: 'wechat', path: '/wechat', app: 'wx0000000000cashier', merchant: '1900000001' },
  [ALIPAY]: { kind: ALIPAY, folder: 'alipay', path: '/alipay/gateway.do', app: '2021000000000001', merchant: '2088000000000001' },
  [RAIL]: { kind: RAIL, folder: 'alloc', path: '/alloc', app: '', merchant: 'even-merchant' },
};

/** Every file below a folder becomes its owner's alone. */
function lock(path) {
  for (const name of readdirSync(path)) {
    const at = join(path, name);
    if (statSync(at).isDirectory()) lock(at);
    else chmodSync(at, 0o600);
  }
}

export class Till {
  constructor(name, args = []) {
    this.name = name;
    this.args = args;
    this.dir = mkdtempSync(join(tmpdir(), 'even-till-'));
  }

  /** Keys take a second to make: with `like`, those of another till are taken. */
  async start(like) {
    if (like) for (const f of ['provider', 'merchant']) cpSync(join(like.dir, f), join(this.dir, f), { recursive: true });
    this.child = spawn(even, ['cashier', '--dir', this.dir, '--port', '0', ...this.args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const s of [this.child.stdout, this.child.stderr])
      s.on('data', (d) => { text += d; if (process.env.EVEN_TEST_LOG) process.stderr.write(d); });
    this.base = (await until(`the cashier ${this.name} says its port`, () => /(http:\/\/[^/]+)\//.exec(text), 60000))[1];
    return this;
  }

  url(kind) { return this.base + merchants[kind].path; }

  file(kind, name) { return readFileSync(join(this.dir, 'merchant', merchants[kind].folder, name), 'utf8'); }

  /** What the provider signs with, for forging and for playing it. */
  own(kind) { return readFileSync(join(this.dir, 'provider', `${merchants[kind].folder}.pem`), 'utf8'); }

  serial(kind) { return readdirSync(join(this.dir, 'merchant', merchants[kind].folder, 'provider'))[0].replace('.pem', ''); }

  /** Puts the merchant's keys into the house and makes the channel; its id. */
  async channel(house, kind) {
    const m = merchants[kind], keys = `${this.name}-${m.folder}`;
    const to = join(house.dir, 'keys', keys);
    cpSync(join(this.dir, 'merchant', m.folder), to, { recursive: true });
    lock(to);
    return (await house.must('POST', '/api/v1/channels', { kind, name: keys, url: this.url(kind), app: m.app, merchant: m.merchant, keys,
      fee_bp: 0, state: 0 })).id;
  }

  async state() { return (await fetch(`${this.base}/state`)).json(); }

  end() {
    this.child?.kill('SIGTERM');
    rmSync(this.dir, { recursive: true, force: true });
  }
}
