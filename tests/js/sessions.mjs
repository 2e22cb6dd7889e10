// SPDX-License-Identifier: Apache-2.0
// sessions.mjs: who logged out, was lowered or has a new password, is so at once, although pages with the same session go on asking all the while.
import { check, main } from './house.mjs';

/** Asks with the session of `who` until done() resolves; then waits for the last answers. */
async function meanwhile(who, path, work) {
  let over = false;
  const ask = async () => { while (!over) await fetch(who.web + path, { headers: { cookie: who.cookie } }).then((r) => r.arrayBuffer()); };
  const all = Array.from({ length: 8 }, ask);
  try { return await work(); } finally { over = true; await Promise.all(all); }
}

await main(async (h) => {
  await h.setup();
  for (let i = 0; i < 8; i++) {
    const person = { login: `second-${i}`, name: 'S', password: 'second password', role: 1, station: '0', state: 0 }; // each name may log in a few times only
    const id = (await h.must('POST', '/api/v1/people', person)).id;
    const version = async () => (await h.must('GET', '/api/v1/people')).items.find((p) => p.id === id).version;
    const change = async (what) => h.must('PUT', `/api/v1/people/${id}`, { ...person, ...what }, { 'if-match': `"${await version()}"` });
    const out = h.client();
    await out.login(person.login, 'second password');
    const kept = out.cookie;
    await meanwhile(out, '/api/v1/people', () => out.must('POST', '/api/v1/logout'));
    out.cookie = kept;
    check((await out.ask('GET', '/api/v1/people')).status === 401, 'logged out');

    const low = h.client();
    await low.login(person.login, 'second password');
    await meanwhile(low, '/api/v1/people', () => change({ role: 5, password: undefined }));
    check((await low.ask('GET', '/api/v1/people')).status === 403, 'a viewer since a moment ago sees no accounts');
    await meanwhile(low, '/api/v1/stations', () => change({ password: 'another password' }));
    check((await low.ask('GET', '/api/v1/stations')).status === 401, 'the session of the old password is over');
  }
});
