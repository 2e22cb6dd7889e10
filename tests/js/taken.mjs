// SPDX-License-Identifier: Apache-2.0
// taken.mjs: the way back agrees with the way there. Of every payout of a house: its rows, page by page, add up to its amount; and what they say of an
// order is what the order's own story says of that payout.
import { check } from './house.mjs';
import { units } from './rogue.mjs';

/** All pages of a list. */
export async function pages(h, path, limit = 200) {
  const rows = [];
  let after = '', page;
  do {
    page = await h.must('GET', `${path}${path.includes('?') ? '&' : '?'}limit=${limit}${after ? `&after=${after}` : ''}`);
    rows.push(...page.items);
    after = page.next;
  } while (after);
  return rows;
}

const sum = (rows) => rows.reduce((n, x) => n + units(x.amount), 0);
const short = (rows) => JSON.stringify(rows.map((x) => [x.order_id, x.code, x.rule, x.amount]));

/** Checks all payouts against these stories (by the order's id); answers the rows of each by its id. `limit` rows a page. */
export async function bothWays(h, stories, limit = 200) {
  const all = new Map();
  for (const p of await pages(h, '/api/v1/payouts')) {
    const rows = await pages(h, `/api/v1/payouts/${p.id}/orders`, limit);
    check(sum(rows) === units(p.amount), `payout ${p.id} (kind ${p.kind}, state ${p.state}) of ${p.amount} is what its rows add up to: ${short(rows)}`);
    all.set(p.id, rows);
    if (p.party === '0' || rows.some((x) => x.rule === 5)) continue;
    for (const [id, s] of stories) {
      const there = s.shares.flatMap((x) => (x.party === p.party ? x.payouts : [])).filter((x) => x.payout === p.id).reduce((n, x) => n + units(x.taken), 0);
      const back = sum(rows.filter((x) => x.order_id === id && x.rule !== 6 && x.code !== 25 && p.kind !== 4));
      if (s.shares.some((x) => x.party === p.party && x.party_kind === 1) || p.kind === 4) continue; // the operator's income is not followed from the order
      check(there === back, `order ${id} and payout ${p.id} (kind ${p.kind}): there ${there}, back ${back}: ${short(rows)} ${JSON.stringify(s.shares.filter((x) => x.party === p.party))}`);
    }
  }
  return all;
}
