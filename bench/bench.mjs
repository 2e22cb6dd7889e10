// SPDX-License-Identifier: Apache-2.0
// bench.mjs: every figure beside its floor: `bench.mjs BUILD [name,name]` → build/bench.tsv (name, value, unit, floor, ratio, spread).
// Floor and subject alternate five times; medians, and the smallest and largest subject as parts of its median. CPU is user + system of all
// threads of the server, in ns. The server runs as it is shipped: production pragmas, passwords, metrics and audit on. Its database is made
// by bench_house and kept in build/bench-data between runs, since making a million orders takes longer than a row may.
import { spawn, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const build = process.argv[2];
const only = (process.argv[3] ?? '').split(',').filter(Boolean);
const even = `${build}/src/app/even`;
const load = `${build}/bench/bench_load`, loadYkc = `${load}_ykc`;
const data = 'build/bench-data';
const rounds = 5;
const conns = 1000;
const rows = [['name', 'value', 'unit', 'floor', 'ratio', 'spread']];
const running = new Set();

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const median = (v) => [...v].sort((a, b) => a - b)[v.length >> 1];
const spread = (v) => `${(Math.min(...v) / median(v)).toFixed(2)}..${(Math.max(...v) / median(v)).toFixed(2)}`;

function row(name, value, unit, floor, ratio, of, words = '') {
  rows.push([name, value, unit, floor, ratio, spread(of)]);
  console.log(`${name}: ${value} ${unit}${floor === '' ? '' : `, floor ${floor}, ratio ${ratio}`}, spread ${spread(of)}${words ? `; ${words}` : ''}`);
}

/** A port that nobody listens on now. */
const port = () => new Promise((done) => {
  const s = createServer().listen(0, '127.0.0.1', () => { const p = s.address().port; s.close(() => done(p)); });
});

function start(program, args) {
  const c = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  c.text = c.out = '';
  c.ended = new Promise((r) => {
    c.on('exit', (code) => { running.delete(c); r(code); });
    c.on('error', (e) => { c.text += e; r(1); });
  });
  for (const s of [c.stdout, c.stderr]) s.on('data', (d) => { c.text += d; });
  c.stdout.on('data', (d) => { c.out += d; });
  running.add(c);
  return c;
}
async function said(c, words) {
  while (!words.test(c.text)) {
    if (c.exitCode !== null || c.signalCode !== null) throw new Error(`ended at once: ${c.text}`);
    await sleep(20);
  }
}
async function run(program, args) {
  const c = start(program, args.map(String));
  if (await c.ended) throw new Error(`${program} ${args.join(' ')}: ${c.text}`);
  return c.out.trim();
}
/** One drive of bench_load: per second of the server's CPU, and latencies. */
async function driven(program, args) {
  const [done, seconds, cpu, p50, p99] = (await run(program, args)).split(' ').map(Number);
  return { done, seconds, cpu, p50, p99, rate: done / (cpu / 1e9) };
}
const drive = (...args) => driven(load, args);

/** A folder made by bench_house, kept between runs. */
function house(name, chargers, orders, ...kind) {
  const dir = `${data}/${name}`;
  if (existsSync(dir)) return dir;
  console.log(`making ${dir}: ${chargers} chargers, ${orders} orders`);
  rmSync(`${dir}.part`, { recursive: true, force: true });
  execFileSync(`${build}/bench/bench_house`, [`${dir}.part`, String(chargers), String(orders), ...kind], { stdio: 'inherit' });
  renameSync(`${dir}.part`, dir);
  return dir;
}
const big = () => house('big', 100000, 1000000);
/** A copy for a row that must find each charger as it was made. */
function fresh(name, chargers, ...kind) {
  rmSync(`${data}/${name}`, { recursive: true, force: true });
  return house(name, chargers, 0, ...kind);
}
/** A journal of 10,000,000 transfers: 1,000,000 orders with everything, the rest top-ups and payments. */
function journal() {
  const dir = `${data}/check`;
  if (existsSync(dir)) return dir;
  rmSync(`${data}/check.part`, { recursive: true, force: true });
  const part = house('check.part', 20000, 1000000);
  execFileSync(`${build}/bench/bench_ledger`, ['fill', part, '8800000'], { stdio: 'inherit' }); // the orders and what wallets were topped up with are 1,200,000
  renameSync(part, dir);
  return dir;
}
const rss = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
/** Memory of a server without any charger. */
async function bareBytes() {
  rmSync(`${data}/empty`, { recursive: true, force: true });
  const none = await serve(`${data}/empty`), bare = rss(none.pid);
  await none.end();
  return bare;
}

async function serve(dir, set = {}) {
  const p = await port(), ykc = await port();
  const all = { 'web.port': 0, 'charge.ykc_port': ykc, 'charge.ocpp_port': p, 'charge.max_conns': 18000, ...set };
  const c = start(even, ['serve', '--dir', dir, ...Object.entries(all).flatMap(([k, v]) => ['--set', `${k}=${v}`])]);
  await said(c, /云快充/);
  await sleep(300);
  return { pid: c.pid, port: p, ykc, file: `${dir}/chargers.txt`, end: async () => { c.kill('SIGTERM'); await c.ended; } };
}
async function echo(bytesIn, bytesOut, ms) {
  const p = await port();
  const e = start(load, ['echo', String(p), String(bytesOut)]);
  await sleep(100);
  const r = await drive('raw', p, e.pid, conns, ms, bytesIn, bytesOut);
  e.kill('SIGKILL');
  await e.ended;
  return r.rate;
}

async function against(name, bytes, subject, words) {
  const floors = [], values = [];
  for (let i = 0; i < rounds; i++) {
    floors.push(await echo(bytes.in, bytes.out, 2000));
    values.push(await subject());
  }
  const rate = values.map((v) => v.rate), floor = median(floors);
  row(name, Math.round(median(rate)), 'msg per s of server CPU', Math.round(floor), (median(rate) / floor).toFixed(3), rate,
    `echo ${(1e6 / floor).toFixed(2)} us, ours ${(1e6 / median(rate)).toFixed(2)} us; p99 ${median(values.map((v) => v.p99))} us${words ?? ''}`);
  return median(rate);
}

const peerOnly = async () => {
  const p = await port();
  const c = start(process.execPath, [fileURLToPath(new URL('peer.mjs', import.meta.url)), String(p)]);
  await said(c, /ready/);
  return { pid: c.pid, port: p, end: async () => { c.kill('SIGKILL'); await c.ended; } };
};

const benches = {
  async heartbeat() {
    const s = await serve(big()), peer = await peerOnly(), theirs = [];
    const ours = await against('heartbeat', { in: 28, out: 61 }, async () => {
      theirs.push((await drive('heartbeat', peer.port, peer.pid, conns, 2000, s.file, 0)).rate);
      return drive('heartbeat', s.port, s.pid, conns, 2000, s.file, 0);
    });
    const floor = median(theirs);
    row('heartbeat_ocpp_rpc', Math.round(ours), 'msg per s of server CPU', Math.round(floor), (ours / floor).toFixed(2), theirs, 'floor: npm ocpp-rpc; spread: of the floor');
    await s.end();
    await peer.end();
  },
  async metervalues() {
    const s = await serve(big());
    await against('metervalues', { in: 398, out: 14 }, () => drive('meter', s.port, s.pid, conns, 2500, s.file, 0));
    await s.end();
  },
  async metervalues_open() {
    const s = await serve(big()), ours = [], disk = [], idle = [];
    for (let i = 0; i < rounds; i++) {
      disk.push(Number((await run(`${build}/bench/bench_ledger`, ['sync', data, 2000])).split(' ')[1]));
      ours.push((await drive('meter', s.port, s.pid, conns, 3000, s.file, 5000)).p99);
      idle.push((await drive('heartbeat', s.port, s.pid, conns, 2000, s.file, 5000)).p99);
    }
    const bar = 10000 + 3 * median(disk);
    row('metervalues_open', median(ours), 'us p99 at 5,000/s', median(disk), (median(ours) / bar).toFixed(3), ours, `floor: p99 of fdatasync; ratio: to 10 ms + 3 x floor = ${bar} us; heartbeats, which wait for no disk: p99 ${median(idle)} us`);
    await s.end();
  },
  async orders() {
    const s = await serve(big()), values = [];
    for (let i = 0; i < rounds; i++) values.push(await drive('orders', s.port, s.pid, conns, 5000, s.file));
    const rate = values.map((v) => v.rate);
    row('orders', Math.round(median(rate)), 'orders per s of server CPU', '', '', rate,
      `eight messages an order; ${Math.round(median(values.map((v) => v.done / v.seconds)))} a second of the clock`);
    await s.end();
  },
  async ledger(batch) {
    const text = await run(`${build}/bench/bench_ledger`, [big(), batch, 2500, rounds]);
    const got = text.split('\n').map((l) => l.split(' ').map(Number));
    const floor = median(got.map((g) => g[0])), value = median(got.map((g) => g[1]));
    row(`ledger_${batch}`, Math.round(value), 'durable transfers per s', Math.round(floor), (value / floor).toFixed(3), got.map((g) => g[1]),
      `${(median(got.map((g) => g[2])) / 1000).toFixed(1)} us CPU a transfer; ratios of the rounds ${got.map((g) => (g[1] / g[0]).toFixed(3)).join(' ')}`);
  },
  async captures() {
    const dir = house('captures', 20000, 1000000); // its own: contracts get a version with five parties
    const text = await run(`${build}/bench/bench_captures`, [dir, 100, 4000, rounds]);
    const got = text.split('\n').map((l) => l.split(' ').map(Number));
    const perCpu = (n, ns) => n / (ns / 1e9);
    const values = got.map((g) => perCpu(g[0], g[1])), value = median(values), floor = median(got.map((g) => perCpu(g[0], g[3])));
    row('captures', Math.round(value), 'captures per s of CPU', Math.round(floor), (value / floor).toFixed(4), values,
      `five parties, durable, 100 a commit; ${(1e6 / value).toFixed(1)} us of CPU each, ${Math.round(median(got.map((g) => perCpu(g[0], g[2]))))} a second of the clock; floor: log records`);
  },
  async boot() {
    const dir = fresh('boot', 15000), s = await serve(dir), groups = [], us = [];
    for (let i = 0; i < rounds; i++) {
      const g = start(load, ['boot', s.port, s.pid, 3000 * i, 3000, s.file].map(String));
      groups.push(g);
      await said(g, /\n/);
      const [n, , cpu] = g.text.split(' ').map(Number);
      us.push(cpu / 1000 / n);
    }
    if (!only.length || only.includes('boot_cpu')) row('boot_cpu', median(us).toFixed(1), 'us of server CPU per charger', '', '', us);
    await sleep(20000); // what was heard of long ago leaves memory after ten seconds
    const full = rss(s.pid);
    await s.end();
    groups.forEach((g) => g.kill('SIGKILL'));
    const bare = await bareBytes();
    if (!only.length || only.includes('idle_bytes')) row('idle_bytes', Math.round((full - bare) / 15000), 'B of RSS per charger', bare, '', [1], `RSS ${full} with 15,000 booted`);
  },
  async ykc_realtime() {
    const s = await serve(house('piles', 2000, 1, 'piles'));
    await against('ykc_realtime', { in: 85, out: 17 }, () => driven(loadYkc, ['realtime', s.ykc, s.pid, conns, 2500, s.file]),
      '; a pair of 0x13 and 03 in one write, 04 when the reading is durable');
    await s.end();
  },
  // PILES=100000 BEATING=600: the form of tests/soak.sh. Each 16,667 have a network thread with a table of descriptors of its own, and each 18,000
  // another process of the load, so that a limit of 20,000 descriptors is enough.
  async ykc_idle_bytes() {
    const n = Number(process.env.PILES ?? 15000), seconds = Number(process.env.BEATING ?? 30); // 30: three heartbeats of each gun
    const apart = n > 18000, reactors = apart ? Math.ceil(n / 16667) : 1;
    const s = await serve(fresh('idle_piles', n, 'piles'),
      { 'charge.bind': '0.0.0.0', 'charge.reactors': reactors, 'charge.own_files': Number(apart), 'charge.max_conns': 19000, 'limits.chargers': Math.max(100000, n + 3000) });
    const before = rss(s.pid), groups = [];
    for (let first = 0; first < n; first += 18000) {
      const g = start(loadYkc, ['idle', s.ykc, s.pid, first, Math.min(18000, n - first), s.file].map(String));
      groups.push(g);
      await said(g, /\n/);
    }
    await sleep(seconds * 1000);
    const lost = groups.find((g) => g.exitCode !== null);
    if (lost) throw new Error(lost.text);
    const full = rss(s.pid);
    for (const g of groups) g.stdin.end();
    for (const g of groups) await g.ended;
    await s.end();
    const bare = await bareBytes();
    row('ykc_idle_bytes', Math.round((full - bare) / n), 'B of RSS per pile', bare, '', [1],
      `RSS ${full} with ${n} logged in and beating for ${seconds} s, ${before} before the first came; log-ins: ${groups.map((g) => g.text.trim()).join(', ')}`);
  },
  async check() {
    const file = `${journal()}/even.db`, took = [], peaks = [];
    let text = '';
    for (let i = 0; i < 3; i++) {
      const began = process.hrtime.bigint(), c = start(even, ['check', file]);
      let peak = 0, done = false;
      c.ended.then(() => { done = true; });
      while (!done) {
        try {
          peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${c.pid}/status`, 'utf8'))?.[1] ?? 0));
        } catch { /* it has just ended */ }
        await sleep(50);
      }
      if (await c.ended) throw new Error(c.text.slice(-2000));
      took.push(Number(process.hrtime.bigint() - began) / 1e9);
      peaks.push(peak / 1024);
      text = c.out.trim().split('\n').pop();
    }
    row('check', median(took).toFixed(1), 's of the clock', '', '', took, `${Math.round(median(peaks))} MiB at most; ${text}`);
  },
  async startup() {
    const dir = big(), values = [], cpu = [];
    for (let i = 0; i < rounds; i++) {
      const v = await drive('startup', even, dir, await port(), 1000, `${dir}/chargers.txt`);
      values.push(v.seconds);
      cpu.push(v.cpu / 1e9);
    }
    row('startup', median(values).toFixed(3), 's from exec to the 1,000th boot answered', '', '', values, `${median(cpu).toFixed(3)} s of CPU`);
  },
};

const list = [['heartbeat', benches.heartbeat], ['metervalues', benches.metervalues], ['metervalues_open', benches.metervalues_open],
  ['orders', benches.orders], ...[1, 100, 1000, 10000].map((n) => [`ledger_${n}`, () => benches.ledger(n)]), ['captures', benches.captures], ['boot_cpu', benches.boot],
  ['idle_bytes', only.includes('boot_cpu') || !only.length ? async () => {} : benches.boot], ['startup', benches.startup], ['check', benches.check], ['ykc_realtime', benches.ykc_realtime], ['ykc_idle_bytes', benches.ykc_idle_bytes]];
const unknown = only.filter((n) => !list.some(([name]) => name === n));
if (unknown.length) throw new Error(`no such bench: ${unknown}; there are ${list.map(([n]) => n).join(' ')}`);
mkdirSync(data, { recursive: true });
if (/tmpfs|ramfs/.test(execFileSync('stat', ['-f', '-c', '%T', data]).toString())) throw new Error('refusing a disk in memory');
try {
  for (const [name, bench] of list) if (!only.length || only.includes(name)) await bench();
} finally {
  for (const c of running) c.kill('SIGKILL');
}
writeFileSync('build/bench.tsv', rows.map((r) => r.join('\t')).join('\n') + '\n');
