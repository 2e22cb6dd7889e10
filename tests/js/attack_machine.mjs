// SPDX-License-Identifier: Apache-2.0
// attack_machine.mjs: the machine turns against the program: no room to write, a locked file, a newer file, a cut sample log, a lost key, a stopped process.
// Nothing that was answered is lost, nothing is answered that is not kept, and what cannot work says so instead of going on.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, even, main, sleep, until } from './house.mjs';
import { Cp, E, P, audit, charge, driver, order, over, units } from './rogue.mjs';

const python = (code, ...args) => spawnSync('python3', ['-c', code, ...args], { encoding: 'utf8' });
const top = (h, w, amount = '0.01') => h.ask('POST', `/api/v1/drivers/${w.driver}/topups`, { amount, note: 'x'.repeat(150) }).catch((e) => ({ status: 0, body: String(e) }));

/** A serve that must end by itself and say why; answers { code, text }. */
async function refuses(h) {
  const child = spawn(even, ['serve', '--dir', h.dir, '--demo', '--set', 'web.port=0', '--set', 'charge.ocpp_port=0', '--set', 'charge.ykc_port=0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '', code = null;
  for (const s of [child.stdout, child.stderr]) s.on('data', (d) => { text += d; });
  child.on('exit', (c, sig) => { code = c ?? sig; });
  await until('serve ends', () => code !== null, 8000).catch(() => child.kill('SIGKILL'));
  return { code, text };
}

/** Files may grow no more; top-ups go on. What was answered with 200 is there afterwards, and no more than was asked for. */
async function full(h, w) {
  const before = units((await h.must('GET', `/api/v1/drivers/${w.driver}`)).balance);
  const wal = readdirSync(h.dir).filter((f) => statSync(join(h.dir, f)).isFile()).reduce((m, f) => Math.max(m, statSync(join(h.dir, f)).size), 0);
  check(spawnSync('prlimit', ['--pid', String(h.serve.pid), `--fsize=${wal + 65536}:${wal + 65536}`]).status === 0, 'prlimit');
  let good = 0, asked = 0;
  for (let i = 0; i < 60 && !h.ended; i++) {
    const all = await Promise.all(Array.from({ length: 10 }, () => top(h, w)));
    asked += all.length;
    good += all.filter((r) => r.status >= 200 && r.status < 300).length;
    if (all.some((r) => r.status === 0 || r.status >= 500)) break;
  }
  check(good > 0 && good < asked, `the limit was met: ${good} of ${asked} answered`);
  await sleep(1500);
  if (!h.ended) {
    const books = h.check();
    check(books.code === 0, `books while nothing can be written: ${books.text.slice(0, 300)}`);
    await h.kill('SIGKILL');
  } else console.log(`no room: the program ended with ${JSON.stringify(h.ended)}`);
  await h.start();
  const after = units((await h.must('GET', `/api/v1/drivers/${w.driver}`)).balance);
  check(after - before >= good * 100 && after - before <= asked * 100, `answered ${good}, asked ${asked}, there are ${(after - before) / 100}`);
  return after;
}

async function locked(h, w) {
  const db = join(h.dir, 'even.db');
  const holder = spawn('python3', ['-c', 'import sqlite3,sys,time\nd=sqlite3.connect(sys.argv[1],isolation_level=None)\nd.execute("BEGIN IMMEDIATE")\nprint("held",flush=True)\ntime.sleep(3)\nd.execute("ROLLBACK")', db]);
  await new Promise((done) => holder.stdout.once('data', done));
  const r = await top(h, w);
  await until('the holder ends', () => holder.exitCode !== null, 8000);
  if (h.ended) {
    console.log(`locked: the program ended with ${JSON.stringify(h.ended)}`);
    check(!(r.status >= 200 && r.status < 300), 'what was not written is not answered as done');
    await h.start();
  } else check(r.status > 0, `a top-up while the file is locked for 3 s: ${r.status}`);
  const again = await top(h, w);
  check(again.status === 200, `afterwards top-ups work, got ${again.status} ${JSON.stringify(again.body)}`);
}

async function stopped(h, w, d, cp0) {
  let cp = cp0;
  const o = await charge(d, cp, w.chargers[0].connectors[0], '1.00', 0);
  h.serve.kill('SIGSTOP');
  const late = [cp.meter(o.tx, { [E]: 20, [P]: 7000 }, undefined).catch(() => null), top(h, w)];
  await sleep(6000);
  h.serve.kill('SIGCONT');
  await Promise.all(late);
  if (cp.closed !== null) cp = await (await Cp.open(h, w.chargers[0])).boot();
  check([4, 5, 6].includes((await order(h, o.id)).order.state), 'the order lives through the stop');
  await cp.stopTx(o.tx, 20);
  const done = await over(h, o.id);
  check(done.order.energy_mwh === 20000 || done.order.state === 10, `energy ${done.order.energy_mwh}`);
  return cp;
}

await main(async (h) => {
  await h.setup();
  const w = await h.world({ balance: '50.00' });
  const d = await driver(h);
  let cp = await (await Cp.open(h, w.chargers[0])).boot();
  cp = await stopped(h, w, d, cp);
  await locked(h, w);
  if (cp.closed !== null) cp = await (await Cp.open(h, w.chargers[0])).boot();
  const o = await charge(d, cp, w.chargers[0].connectors[0], '2.00', 0);
  await sleep(1100);
  await cp.meter(o.tx, { [E]: 20, [P]: 60000 });
  await full(h, w);
  cp = await (await Cp.open(h, w.chargers[0])).boot();
  check([4, 5, 6].includes((await order(h, o.id)).order.state), 'the order is still there');

  // The sample log is cut in the middle of a record: what is left is used, the rest of the truth comes with the stop.
  await cp.meter(o.tx, { [E]: 30, [P]: 60000 });
  await h.kill('SIGKILL');
  const dir = join(h.dir, 'samples');
  const log = join(dir, readdirSync(dir).sort().pop());
  const bytes = readFileSync(log);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  truncateSync(log, Math.max(0, end - 7));
  await h.start();
  cp = await (await Cp.open(h, w.chargers[0])).boot();
  await sleep(1100);
  await cp.stopTx(o.tx, 40);
  const done = await over(h, o.id);
  check(done.order.energy_mwh === 40000, `the stop says the whole energy: ${done.order.energy_mwh}`);
  await audit(h, 'after a cut log');

  // Without the key every password and API key would be void: that must not happen silently.
  await h.kill('SIGTERM');
  renameSync(join(h.dir, 'key'), join(h.dir, 'kept'));
  const lost = await refuses(h);
  check(lost.code !== null && lost.code !== 0 && /key/i.test(lost.text), `without its key the program refuses and says so: ${lost.code} ${lost.text.slice(0, 300)}`);
  renameSync(join(h.dir, 'kept'), join(h.dir, 'key'));
  const key = readFileSync(join(h.dir, 'key'));
  writeFileSync(join(h.dir, 'key'), key.subarray(0, 20));
  const short = await refuses(h);
  check(short.code !== null && short.code !== 0 && /key/i.test(short.text), `half a key is none: ${short.code} ${short.text.slice(0, 300)}`);
  writeFileSync(join(h.dir, 'key'), key);

  // A file of a newer program, and one that is none.
  const db = join(h.dir, 'even.db');
  const up = python('import sqlite3,sys\nd=sqlite3.connect(sys.argv[1])\nt=[r[0] for r in d.execute("select name from sqlite_master where type=\'table\' and name like \'%migration%\'")]\nprint(t)\nc=[r[1] for r in d.execute("pragma table_info(%s)"%t[0])]\nr=list(d.execute("select * from %s order by 1 desc limit 1"%t[0]).fetchone())\nr[0]=r[0]+1000 if isinstance(r[0],int) else "9999_future"\nd.execute("insert into %s values (%s)"%(t[0],",".join("?"*len(r))),r)\nd.commit()', db);
  check(up.status === 0, `a newer schema: ${up.stdout} ${up.stderr}`);
  const newer = await refuses(h);
  check(newer.code !== null && newer.code !== 0 && newer.text.length > 20, `a newer file is refused, in words: ${newer.code} ${newer.text.slice(0, 300)}`);
  writeFileSync(db, Buffer.alloc(8192, 0x41));
  const none = await refuses(h);
  check(none.code !== null && none.code !== 0 && none.text.length > 20, `a file that is no database is refused: ${none.code} ${none.text.slice(0, 300)}`);
}, { demo: true });
