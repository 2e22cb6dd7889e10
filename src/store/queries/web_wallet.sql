-- SPDX-License-Identifier: Apache-2.0
-- Wallets: packages, and the lots that may go back to their sources. Wallets spend the oldest lot first, so what is left of
-- a wallet is in its newest lots. A refund takes the lot's gift back, out of principal where it is spent. What a single
-- payment's order keeps of it is spent.

-- name: packages(tenant id, after id, lim int) many
-- out: id id, name text, pay money, gift money, gift_days int, from_ms time, to_ms time, state int, version int
SELECT id, name, pay, gift, gift_days, from_ms, to_ms, state, version
FROM package WHERE tenant = :tenant AND state <> 2 AND id < :after ORDER BY id DESC LIMIT :lim;

-- name: packages_public(tenant id, now_ms time) many
-- out: id id, name text, pay money, gift money, gift_days int, from_ms time, to_ms time, state int, version int
SELECT id, name, pay, gift, gift_days, from_ms, to_ms, state, version
FROM package WHERE tenant = :tenant AND state = 0 AND from_ms <= :now_ms AND (to_ms = 0 OR to_ms > :now_ms)
ORDER BY pay, id LIMIT 50;

-- part: lots
-- out: id id, channel id, channel_name text, method int, amount money, refunded money, rest money, gift_due money, cost money, back money, paid_ms time
SELECT x.id, x.channel, x.channel_name, x.method, x.amount, x.refunded, x.rest, x.gift_due,
       CASE WHEN x.gift_due > x.gift THEN x.gift_due - x.gift ELSE 0 END AS cost,
       CASE WHEN x.have - CASE WHEN x.gift_due > x.gift THEN x.gift_due - x.gift ELSE 0 END < x.rest
            THEN CASE WHEN x.have > x.gift_due - x.gift THEN x.have - (x.gift_due - x.gift) ELSE 0 END
            ELSE x.rest END AS back, x.paid_ms
FROM (
  SELECT y.*, CASE WHEN y.have <= y.newer THEN 0 WHEN y.have - y.newer < y.own THEN y.have - y.newer
                   ELSE y.own END AS rest
  FROM (
    SELECT p.id, p.channel, COALESCE(c.name, '') AS channel_name, p.method, p.amount, p.refunded,
           p.gift - p.gift_back - p.gift_lost AS gift_due, p.paid_ms, COALESCE(a.posted_in - a.posted_out - a.held, 0) AS have,
           COALESCE(g.posted_in - g.posted_out - g.held, 0) AS gift,
           p.amount - p.refunded - COALESCE(o.paid - o.refunded, 0) AS own,
           CAST(COALESCE(sum(p.amount - p.refunded - COALESCE(o.paid - o.refunded, 0)) OVER (ORDER BY p.id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS BIGINT) AS newer
    FROM payment p
    JOIN tenant t ON t.id = p.tenant
    LEFT JOIN channel c ON c.id = p.channel
    LEFT JOIN orders o ON o.id = p.order_id AND o.payment = p.id
    LEFT JOIN account a ON a.tenant = p.tenant AND a.kind = 2 AND a.owner = p.driver AND a.currency = t.currency AND a.currency <> ''
    LEFT JOIN account g ON g.tenant = p.tenant AND g.kind = 3 AND g.owner = p.driver AND g.currency = t.currency AND g.currency <> ''

-- part: lots_end
      AND p.tenant = :tenant AND p.state = 3 AND p.amount > p.refunded AND p.bound = 0
  ) y
) x
WHERE x.rest > 0 ORDER BY x.id LIMIT 200;

-- name: me_lots(tenant id, actor id) many
-- use: lots
    WHERE p.driver = :actor
-- use: lots_end

-- name: driver_lots(tenant id, id id) many
-- use: lots
    WHERE p.driver = :id
-- use: lots_end

-- What is left of one lot: see lots.
-- name: lot_rest(tenant id, payment id) one
-- out: version int, rest money
SELECT y.version, CASE WHEN y.have <= y.newer THEN 0 WHEN y.have - y.newer < y.own THEN y.have - y.newer ELSE y.own END
FROM (
  SELECT p.version, p.amount - p.refunded - COALESCE(o.paid - o.refunded, 0) AS own,
         COALESCE(a.posted_in - a.posted_out - a.held, 0) AS have,
         (SELECT CAST(COALESCE(sum(q.amount - q.refunded - COALESCE(w.paid - w.refunded, 0)), 0) AS BIGINT)
          FROM payment q LEFT JOIN orders w ON w.id = q.order_id AND w.payment = q.id
          WHERE q.driver = p.driver AND q.tenant = p.tenant AND q.state = 3 AND q.bound = 0 AND q.id > p.id) AS newer
  FROM payment p
  LEFT JOIN orders o ON o.id = p.order_id AND o.payment = p.id
  LEFT JOIN account a ON a.tenant = p.tenant AND a.kind = 2 AND a.owner = p.driver AND a.currency = p.currency AND a.currency <> ''
  WHERE p.id = :payment AND p.tenant = :tenant
) y;

-- Our balance at the provider was short (ERR_NO_FUNDS): they are sent again and again until it is not.
-- name: payouts_waiting(tenant id, err i64) one
-- out: n i64, amount money, oldest_ms time
SELECT count(*), CAST(COALESCE(sum(amount), 0) AS BIGINT), COALESCE(min(created_ms), 0)
FROM payout WHERE tenant = :tenant AND state = 2 AND err = :err;
