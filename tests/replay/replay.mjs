// SPDX-License-Identifier: Apache-2.0
// replay.mjs: real sessions through the front door. `even replay` tells them to the real program with their own times; every row must
// be billed, held or refused, and those that are not billed whole must be the ones of expected.tsv. Without more it takes the sample;
// REPLAY_FILE=path takes another file of the same form (the whole of it), REPLAY_LIST=path keeps the list of what was not billed.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check, main } from '../js/house.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const file = process.env.REPLAY_FILE ?? join(here, 'perth_sample.csv');
const ended = (child) => new Promise((done) => child.on('exit', (code) => done(code)));

await main(async (h) => {
  await h.setup();
  const key = join(h.dir, 'key');
  writeFileSync(key, (await h.must('POST', '/api/v1/keys', { name: 'replay', role: 1, quota_s: 5000 })).key, { mode: 0o600 });
  const common = ['--mapping', join(here, 'perth.map'), '--url', `${h.ocpp}/`, '--web', h.web, '--key-file', key];
  const list = process.env.REPLAY_LIST ? ['--list', process.env.REPLAY_LIST] : [];
  const t0 = Date.now();
  const run = h.run(['replay', file, ...common, '--expect', join(here, 'expected.tsv'), ...list]);
  check((await ended(run)) === 0, 'every row is accounted for and as expected');
  console.log(run.text.trimEnd());
  console.log(`${((Date.now() - t0) / 1000).toFixed(1)} s`);
  const again = h.run(['replay', file, ...common]);
  check((await ended(again)) === 70, `a second replay touches no charger that is there: ${again.text}`);
  const trial = await h.must('GET', '/api/v1/ledger/trial');
  check(Number(trial.sum) === 0, 'the trial balance is zero');
  const open = (await h.must('GET', '/api/v1/connectors')).items.filter((c) => c.order_id !== '0');
  check(open.length === 0, `no order is left open: ${open.length}`);
  const books = h.check();
  check(books.code === 0, `the books are right: ${books.text.slice(-2000)}`);
  for (const [what, name, text] of [
    ['a quote that does not end', 'quote.csv', '_id,CP ID\n"1,2\n'],
    ['a missing column', 'column.csv', '_id,CP ID\n1,2\n'],
    ['an empty file', 'empty.csv', ''],
  ]) {
    const path = join(h.dir, name);
    writeFileSync(path, text);
    const bad = h.run(['replay', path, ...common]);
    check((await ended(bad)) === 70 && bad.text.startsWith('even replay: '), `${what} is told: ${bad.text}`);
  }
  const map = join(h.dir, 'bad.map');
  writeFileSync(map, 'charger = CP ID\nenergy_unit = GWh\n');
  const bad = h.run(['replay', file, '--mapping', map, ...common.slice(2)]);
  check((await ended(bad)) === 70 && bad.text.includes('bad.map:2: energy_unit = GWh'), `a wrong mapping is told: ${bad.text}`);
});
