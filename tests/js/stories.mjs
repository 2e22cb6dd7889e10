// SPDX-License-Identifier: Apache-2.0
// stories.mjs: for tests that made orders of other kinds: the money story of every order of a house adds up, whoever paid it and however it ended; and
// what it says of payouts is what these say of it.
import { check } from './house.mjs';
import { bothWays } from './taken.mjs';

const units = (v) => Math.round(Number(v) * 10000);
const OFF = ['off', 'bill_off', 'parts_off', 'shares_off', 'holds_off'];

/** Checks them all; answers them by the order's id. */
export async function stories(h) {
  const all = new Map();
  let after = '';
  do {
    const page = await h.must('GET', `/api/v1/orders?limit=200${after ? `&after=${after}` : ''}`);
    for (const o of page.items) {
      const s = await h.must('GET', `/api/v1/orders/${o.id}/story`);
      check(s.sum.even && OFF.every((k) => units(s.sum[k]) === 0), `the story of order ${o.id} (payer ${o.payer_kind}, state ${o.state}) adds up: ${JSON.stringify(s.sum)} ${JSON.stringify(s.shares)}`);
      check(s.lots.reduce((n, l) => n + units(l.used), 0) === units(s.sum.lots) && s.lots.every((l) => l.rule !== 5 && units(l.used) > 0), `order ${o.id}: every fen has a source: ${JSON.stringify(s.lots)}`);
      check(units(s.sum.came) === units(o.paid) - units(o.refunded), `order ${o.id}: what came in is what was paid and kept: ${s.sum.came} of ${o.paid}`);
      all.set(o.id, s);
    }
    after = page.next;
  } while (after);
  check(all.size > 0, 'there were orders');
  await bothWays(h, all);
  return all;
}
