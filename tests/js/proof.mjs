// SPDX-License-Identifier: Apache-2.0
// proof.mjs: the certificate of a day that is over is made by the running program, listed, downloaded, and `even check` holds the file against it.
// A test cannot wait for midnight, so the stopped file is told that all happened four days before, and told the truth again at the end.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, even, main, until } from './house.mjs';

const DAYS = 4 * 86400000;

function sql(h, text) {
  const r = spawnSync('python3', ['-c', 'import sqlite3,sys\nd=sqlite3.connect(sys.argv[1])\nd.executescript(sys.argv[2])\nd.commit()', join(h.dir, 'even.db'), text], { encoding: 'utf8' });
  if (r.status !== 0) throw new Error(r.stderr);
}
const run = (...args) => spawnSync(even, args, { encoding: 'utf8' });

await main(async (h) => {
  await h.setup();
  const w = await h.world({ balance: '40.00' });
  const none = await h.must('GET', '/api/v1/ledger/certificates');
  check(none.items.length === 0 && none.next === '', 'no day is over yet');
  check((await h.ask('GET', '/api/v1/ledger/certificates/20260101/text')).status === 404, 'a day without a certificate has no text');
  check((await h.client().ask('GET', '/api/v1/ledger/certificates')).status === 401, 'strangers see none');
  const p = h.client();
  await p.login('partner', 'partner password');
  check((await p.ask('GET', '/api/v1/ledger/certificates')).status === 403, 'a partner sees none');
  await h.kill('SIGTERM');

  sql(h, `UPDATE chain SET at_ms = at_ms - ${DAYS}; UPDATE tenant SET created_ms = created_ms - ${DAYS}`);
  await h.start();
  const days = await until('certificates of three days', async () => {
    await h.must('POST', `/api/v1/drivers/${w.driver}/topups`, { amount: '0.01', note: 'a commit' }); // what was made is written with the next commit
    const got = (await h.must('GET', '/api/v1/ledger/certificates')).items;
    return got.length >= 3 && got;
  }, 60000, 500);
  const first = days[days.length - 1], second = days[days.length - 2];
  check(days.every((d, i) => i === 0 || d.day < days[i - 1].day), 'the newest day comes first');
  check(first.transfers === 1 && first.debits === '40.00' && first.credits === '40.00', `one top-up on the first day: ${JSON.stringify(first)}`);
  check(first.wallets === '40.00' && first.rest === '-40.00' && first.total === '0.00', 'owed to drivers, and all accounts come to zero');
  check(second.transfers === 0 && second.wallets === '40.00' && second.link === first.link, 'the day after says the same of a quiet house');
  const page = await h.must('GET', '/api/v1/ledger/certificates?limit=2');
  const rest = await h.must('GET', `/api/v1/ledger/certificates?limit=2&after=${page.next}`);
  check(page.items.length === 2 && rest.items[0].day === days[2].day, 'pages follow each other');
  const text = (await h.must('GET', `/api/v1/ledger/certificates/${first.day}/text`));
  check(text.includes(first.hash) && text.includes('零和证明') && text.includes('wallets 40.00'), 'the text says it too');
  await h.kill('SIGTERM');

  sql(h, `UPDATE chain SET at_ms = at_ms + ${DAYS} WHERE seq <= ${first.link}`);
  const file = join(h.dir, 'kept.txt'), db = join(h.dir, 'even.db');
  writeFileSync(file, text);
  const printed = run('certificate', db, String(first.day));
  check(printed.status === 0 && printed.stdout === text, 'the command line prints the same text');
  check(run('certificate', db, '20260101').status === 1, 'and says when there is none');
  const good = run('check', '--certificate', file, '--head', first.hash, db);
  check(good.status === 0, `the file is as it was certified: ${good.stdout}`);
  writeFileSync(file, text.replace('wallets 40.00', 'wallets 41.00'));
  const bad = run('check', '--certificate', file, db);
  check(bad.status === 1 && bad.stdout.includes('violation certificate'), 'another certificate is told');
  check(run('check', '--head', '0'.repeat(64), db).status === 1, 'another hash is told');
  writeFileSync(file, 'no certificate');
  check(run('check', '--certificate', file, db).status === 70, 'what is no certificate is refused');
});
