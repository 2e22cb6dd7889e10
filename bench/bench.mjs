// SPDX-License-Identifier: Apache-2.0
// bench.mjs: figures of the charger path as ratios to a floor measured in the same run: `bench.mjs EVEN BENCH_LOAD [name,name]` → build/bench.tsv.
// Floor (raw TCP epoll echo with the same byte counts) and subject alternate five times; medians and spread. CPU is user + system of all threads of the
// server, from /proc. The disk must be real.
import { spawn, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { House, even, until } from '../tests/js/house.mjs';

const load = process.argv[3];
const only = (process.argv[4] ?? '').split(',').filter(Boolean);
const conns = 1000;
const rounds = 5;
const seconds = 4;
const kinds = { heartbeat: { in: 28, out: 61 }, metervalues: { in: 382, out: 14 } };

const cpu = (pid) => {
  const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(f[11]) + Number(f[12])) / 100; // seconds of user + system, all threads
};
const median = (v) => [...v].sort((a, b) => a - b)[v.length >> 1];

/** One drive; answers messages per second of the server's CPU and the latencies. */
function drive(pid, args) {
  return new Promise((done, fail) => {
    const c = spawn(load, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '', err = '', before;
    c.stderr.on('data', (d) => { err += d; if (before === undefined && err.includes('ready')) before = cpu(pid); });
    c.stdout.on('data', (d) => { out += d; });
    c.on('exit', (code) => {
      const [messages, , p50, p99] = out.trim().split(' ').map(Number);
      if (code || !messages) fail(new Error(`load: ${err}`));
      else done({ rate: messages / (cpu(pid) - before), p50, p99 });
    });
  });
}

if (/tmpfs|ramfs/.test(execFileSync('stat', ['-f', '-c', '%T', 'build']).toString())) throw new Error('refusing a disk in memory');
mkdirSync('build/bench-data', { recursive: true });
const h = new House({ dir: 'build/bench-data', set: { 'charge.max_conns': 4000 } });
const rows = [['name', 'value', 'unit', 'floor', 'ratio', 'spread']];
try {
  await h.start();
  await h.setup();
  const chargers = Array.from({ length: conns }, (_, i) => ({ path: `B${i}`, protocol: 1 }));
  const w = await h.world({ chargers });
  const file = join(h.dir, 'chargers.txt');
  writeFileSync(file, w.chargers.map((c) => `${c.path}\t${c.secret}\n`).join(''));
  for (const [name, k] of Object.entries(kinds)) {
    if (only.length && !only.includes(name)) continue;
    const floors = [], subjects = [], p99 = [];
    for (let i = 0; i < rounds; i++) {
      const port = 20000 + Math.floor(Math.random() * 9000);
      const echo = spawn(load, ['echo', String(port), String(k.in), String(k.out)]);
      await new Promise((r) => setTimeout(r, 200));
      floors.push((await drive(echo.pid, ['raw', String(port), String(conns), String(seconds), String(k.in), String(k.out)])).rate);
      echo.kill('SIGKILL');
      const s = await drive(h.serve.pid, ['ws', String(h.ports['charge.ocpp_port']), String(conns), String(seconds), name, file]);
      subjects.push(s.rate);
      p99.push(s.p99);
    }
    const value = median(subjects), floor = median(floors);
    const spread = `${(Math.min(...subjects) / value).toFixed(2)}..${(Math.max(...subjects) / value).toFixed(2)}`;
    rows.push([name, Math.round(value), 'msg/s of server CPU', Math.round(floor), (value / floor).toFixed(3), spread]);
    console.log(`${name}: ${Math.round(value)}/s of CPU, floor ${Math.round(floor)} (${(1e6 / floor).toFixed(2)} us), ratio ${(value / floor).toFixed(3)}, spread ${spread}, p99 ${median(p99)} us`);
  }
} finally {
  await h.end();
}
writeFileSync('build/bench.tsv', rows.map((r) => r.join('\t')).join('\n') + '\n');
