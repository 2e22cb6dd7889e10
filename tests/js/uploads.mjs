// SPDX-License-Identifier: Apache-2.0
// uploads.mjs: firmware that is sent twice at once, as a client does whose answer was lost on the way: a file stays what it was announced as, and none is
// thrown away because of a part that is being sent again. And no upload takes the room that the books need.
import { createHash, randomBytes } from 'node:crypto';
import { House, check, main, sleep } from './house.mjs';

const SIZE = 16 << 20, TAIL = 1000;
const PART = 8 << 20; // the most that one request may carry

async function put(h, id, at, bytes) {
  const r = await fetch(`${h.web}/api/v1/firmware/${id}/data?at=${at}`, { method: 'PUT', body: bytes,
    headers: { cookie: h.cookie, 'x-csrf-token': h.csrf, 'content-type': 'application/octet-stream' } });
  return { status: r.status, body: await r.json() };
}

const row = async (h, id) => (await h.must('GET', '/api/v1/firmware')).items.find((f) => f.id === id);

/** Announces a file of these bytes. */
const announce = async (h, bytes) => (await h.must('POST', '/api/v1/firmware', { name: 'fw.bin', vendor: '', model: '', version: '1', size: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex') })).id;

/** A disk with less room than the operator reserves. */
async function no_room() {
  const h = new House({ set: { 'data.reserve_mb': 1000000 } });
  try {
    await h.start();
    await h.setup();
    const bytes = randomBytes(1000), id = await announce(h, bytes);
    const said = await put(h, id, 0, bytes);
    check(said.status === 507 && said.body.type.endsWith('disk-full'), `the disk is needed for other things: ${JSON.stringify(said)}`);
    check((await row(h, id)).got === 0, 'and nothing of it is there');
  } finally {
    await h.end();
  }
}

await main(async (h) => {
  await h.setup();
  const w = await h.world();
  for (let round = 0; round < 6; round++) {
    const bytes = randomBytes(SIZE + TAIL);
    const id = await announce(h, bytes);
    for (let at = 0; at < SIZE; at += PART)
      check((await put(h, id, at, bytes.subarray(at, at + PART))).status === 200, 'a part is taken');
    // The last part, and while the whole is being judged the last part again: the same, or nonsense.
    const last = bytes.subarray(SIZE), again = round % 2 ? randomBytes(TAIL) : last;
    const [first, ...later] = await Promise.all([put(h, id, SIZE, last), sleep(15).then(() => put(h, id, SIZE, again)), sleep(30).then(() => put(h, id, SIZE, again))]);
    const said = JSON.stringify([first, ...later].map((a) => [a.status, a.body.title, a.body.detail]));
    check(first.body.detail !== 'the file is not the one announced', `nobody writes into what is being judged: ${said}`);
    check([first, ...later].every((a) => [200, 409, 503].includes(a.status)), `each is told what to do: ${said}`);
    if (round % 2 === 0) check((await row(h, id)).state === 1, 'and it is complete');
    if ((await row(h, id)).state !== 1) continue; // a slow machine: the nonsense came first, and the file is thrown away
    const { url } = await h.must('POST', `/api/v1/firmware/${id}/link`, { charger: w.chargers[0].id });
    const got = Buffer.from(await (await fetch(url)).arrayBuffer());
    check(got.equals(bytes), 'what chargers fetch is what was announced');
  }
  await no_room();
});
