-- SPDX-License-Identifier: Apache-2.0
-- Statements of parties. A party's position is what it got less what it took out: pending + available + in transit - debt. The code of a
-- part's transfer says in which line it stands (core/types.h): 2 shares, 6 refunds, 3 4 24 corrections, 14 guarantees, 23 rents, 11 suspense.

-- part: statement_row
-- out: id id, party id, party_name text, month int, from_ms time, to_ms time, currency text, opening money, shares money, refunds money, withdrawn money, fees money, closing money, orders int, state int, note text, made_ms time, decided_ms time, tax money,
-- out: corrections money, guarantees money, rents money, suspense money, capped money
SELECT s.id, s.party, COALESCE(p.name, ''), s.month, s.from_ms, s.to_ms, s.currency, s.opening, s.shares, s.refunds, s.withdrawn,
       s.fees, s.closing, s.orders, s.state, s.note, s.made_ms, s.decided_ms, s.tax, s.corrections, s.guarantees, s.rents, s.suspense, s.capped
FROM statement s
LEFT JOIN party p ON p.id = s.party

-- name: statements(tenant id, after id, lim int, of_party id, state int) many
-- use: statement_row
WHERE s.tenant = :tenant AND (:of_party = 0 OR s.party = :of_party) AND (:state < 0 OR s.state = :state) AND s.id < :after
ORDER BY s.id DESC LIMIT :lim;

-- name: partner_statements(tenant id, party id, after id, lim int) many
-- use: statement_row
WHERE s.tenant = :tenant AND s.party = :party AND s.id < :after
ORDER BY s.id DESC LIMIT :lim;

-- name: web_statement(tenant id, id id) one
-- use: statement_row
WHERE s.tenant = :tenant AND s.id = :id;

-- name: partner_statement_get(tenant id, party id, id id) one
-- use: statement_row
WHERE s.tenant = :tenant AND s.party = :party AND s.id = :id;

-- The parts of a party in a period (which ends with the cursor, if that is earlier), newest first: with no order's number what a month's end or suspense gave.
-- name: statement_entries(of_party id, from_ms time, to_ms time, after id, after2 id, after3 id, lim int) many
-- out: order_id id, transfer id, at_ms time, code int, note text, station id, station_name text, zone text, energy_mwh energy, amount money, lines int, cursor id, cursor2 id, cursor3 id
WITH h AS (
  SELECT at_ms, order_id FROM (
    SELECT at_ms, order_id FROM party_share
    WHERE party = :of_party AND at_ms >= :from_ms AND at_ms < :to_ms AND at_ms <= :after AND (at_ms < :after OR order_id <= :after2)
    ORDER BY at_ms DESC, order_id DESC LIMIT :lim + 1) f
  UNION
  SELECT at_ms, order_id FROM party_share_new
  WHERE party = :of_party AND at_ms >= :from_ms AND at_ms < :to_ms AND at_ms <= :after AND (at_ms < :after OR order_id <= :after2)
)
SELECT CASE WHEN x.fee_kind = 0 THEN 0 ELSE x.order_id END, x.transfer, x.at_ms, t.code, CASE WHEN x.fee_kind = 0 THEN t.note ELSE '' END,
       x.station, COALESCE(s.name, ''), COALESCE(s.zone, ''), COALESCE(o.energy_mwh, 0), x.amount, x.fee_kind, x.at_ms, x.order_id, x.seq
-- use: party_parts
JOIN transfer t ON t.id = x.transfer
LEFT JOIN orders o ON o.id = x.order_id
LEFT JOIN station s ON s.id = x.station
WHERE (x.at_ms < :after OR x.order_id < :after2 OR (x.order_id = :after2 AND x.seq < :after3))
ORDER BY x.at_ms DESC, x.order_id DESC, x.seq DESC LIMIT :lim;

-- name: web_statement_near(tenant id, of_party id, before int, after int) many
-- out: month int, from_ms time, to_ms time
SELECT month, from_ms, to_ms FROM statement WHERE tenant = :tenant AND party = :of_party AND month IN (:before, :after);

-- What a party got in a period, by line.
-- name: web_statement_parts(of_party id, from_ms time, to_ms time) one
-- out: shares money, refunds money, corrections money, guarantees money, rents money, suspense money, orders i64
-- use: party_shares
SELECT CAST(COALESCE(sum(CASE WHEN t.code = 2 THEN x.amount ELSE 0 END), 0) AS BIGINT) AS shares,
       CAST(COALESCE(sum(CASE WHEN t.code = 6 THEN -x.amount ELSE 0 END), 0) AS BIGINT) AS refunds,
       CAST(COALESCE(sum(CASE WHEN t.code IN (3, 4, 24) THEN x.amount ELSE 0 END), 0) AS BIGINT) AS corrections,
       CAST(COALESCE(sum(CASE WHEN t.code = 14 THEN x.amount ELSE 0 END), 0) AS BIGINT) AS guarantees,
       CAST(COALESCE(sum(CASE WHEN t.code = 23 THEN x.amount ELSE 0 END), 0) AS BIGINT) AS rents,
       CAST(COALESCE(sum(CASE WHEN t.code = 11 THEN x.amount ELSE 0 END), 0) AS BIGINT) AS suspense,
       count(DISTINCT CASE WHEN x.fee_kind <> 0 THEN x.order_id END) AS orders
-- use: party_parts
JOIN transfer t ON t.id = x.transfer;

-- What exceeded a cap of the party and stayed with the operator.
-- name: web_statement_capped(of_party id, from_ms time, to_ms time) one
-- out: capped money
-- use: party_shares
SELECT CAST(COALESCE(sum(y.amount), 0) AS BIGINT) AS capped
FROM split_part y
JOIN orders o ON o.id = y.order_id
JOIN contract_clause k ON k.contract = o.contract AND k.seq = y.clause AND k.kind = 7 AND k.party = :of_party
WHERE y.order_id IN (SELECT x.order_id
-- use: party_parts
                     WHERE x.passed > 0)
  AND y.clause <> 0 AND y.amount > 0 AND y.at_ms >= :from_ms AND y.at_ms < :to_ms;

-- Tax counts when it is withheld, and again when its payout comes back; the rest when a payout settles.
-- name: web_statement_sums(tenant id, of_party id, from_ms time, to_ms time) one
-- out: opening money, withdrawn money, fees money, tax money
WITH h AS (
  SELECT at_ms, order_id FROM party_share WHERE party = :of_party AND at_ms < :from_ms
  UNION
  SELECT at_ms, order_id FROM party_share_new WHERE party = :of_party AND at_ms < :from_ms
)
SELECT (SELECT CAST(COALESCE(sum(x.amount), 0) AS BIGINT)
-- use: party_parts
       )
     - (SELECT CAST(COALESCE(sum(o.amount - o.tax), 0) AS BIGINT) FROM payout o
        WHERE o.party = p.id AND o.kind IN (1, 3, 4) AND o.state = 5 AND o.done_ms < :from_ms)
     - (SELECT CAST(COALESCE(sum(o.tax), 0) AS BIGINT) FROM payout o JOIN transfer t ON t.id = o.withheld
        WHERE o.party = p.id AND o.tax <> 0 AND t.posted_ms < :from_ms)
     + (SELECT CAST(COALESCE(sum(o.tax), 0) AS BIGINT) FROM payout o
        WHERE o.party = p.id AND o.tax <> 0 AND o.state IN (6, 7, 8) AND o.done_ms < :from_ms) AS opening,
       (SELECT CAST(COALESCE(sum(o.amount - o.tax - o.fee), 0) AS BIGINT) FROM payout o
        WHERE o.party = p.id AND o.kind IN (1, 3, 4) AND o.state = 5 AND o.done_ms >= :from_ms AND o.done_ms < :to_ms) AS withdrawn,
       (SELECT CAST(COALESCE(sum(o.fee), 0) AS BIGINT) FROM payout o
        WHERE o.party = p.id AND o.kind IN (1, 3, 4) AND o.state = 5 AND o.done_ms >= :from_ms AND o.done_ms < :to_ms) AS fees,
       (SELECT CAST(COALESCE(sum(o.tax), 0) AS BIGINT) FROM payout o JOIN transfer t ON t.id = o.withheld
        WHERE o.party = p.id AND o.tax <> 0 AND t.posted_ms >= :from_ms AND t.posted_ms < :to_ms)
     - (SELECT CAST(COALESCE(sum(o.tax), 0) AS BIGINT) FROM payout o
        WHERE o.party = p.id AND o.tax <> 0 AND o.state IN (6, 7, 8) AND o.done_ms >= :from_ms AND o.done_ms < :to_ms) AS tax
FROM party p
WHERE p.id = :of_party AND p.tenant = :tenant;

-- name: web_statement_orders(of_party id, from_ms time, to_ms time) many
-- out: order_id id, at_ms time, station_name text, energy_mwh energy, share money, refund money, correction money
-- use: party_shares
SELECT h.order_id, min(x.at_ms), COALESCE(min(s.name), ''), COALESCE(min(o.energy_mwh), 0),
       CAST(sum(CASE WHEN t.code = 2 THEN x.amount ELSE 0 END) AS BIGINT),
       CAST(sum(CASE WHEN t.code = 6 THEN -x.amount ELSE 0 END) AS BIGINT),
       CAST(sum(CASE WHEN t.code IN (3, 4, 24) THEN x.amount ELSE 0 END) AS BIGINT)
-- use: party_parts
JOIN transfer t ON t.id = x.transfer
LEFT JOIN station s ON s.id = x.station
LEFT JOIN orders o ON o.id = x.order_id
WHERE x.fee_kind <> 0
GROUP BY h.order_id
ORDER BY min(x.at_ms), h.order_id LIMIT 100000;

-- What is no order and no withdrawal: month's ends, suspense, and tax as it is withheld and comes back. The kind is the transfer's code.
-- name: web_statement_others(of_party id, from_ms time, to_ms time) many
-- out: id id, at_ms time, code int, note text, amount money
-- use: party_shares
SELECT x.transfer AS id, x.at_ms AS at_ms, t.code AS code, t.note AS note, x.amount AS amount
-- use: party_parts
JOIN transfer t ON t.id = x.transfer
WHERE x.fee_kind = 0
UNION ALL
SELECT o.withheld, t.posted_ms, 20, '', -o.tax FROM payout o JOIN transfer t ON t.id = o.withheld
WHERE o.party = :of_party AND o.tax <> 0 AND t.posted_ms >= :from_ms AND t.posted_ms < :to_ms
UNION ALL
SELECT o.settled, o.done_ms, 9, '', o.tax FROM payout o
WHERE o.party = :of_party AND o.tax <> 0 AND o.state IN (6, 7, 8) AND o.done_ms >= :from_ms AND o.done_ms < :to_ms
ORDER BY 2, 1 LIMIT 100000;

-- name: web_statement_payouts(of_party id, from_ms time, to_ms time) many
-- out: id id, done_ms time, channel_name text, provider_no text, amount money, fee money
SELECT o.id, o.done_ms, COALESCE(c.name, ''), o.provider_no, o.amount - o.tax - o.fee, o.fee
FROM payout o
LEFT JOIN channel c ON c.id = o.channel
WHERE o.party = :of_party AND o.kind IN (1, 3, 4) AND o.state = 5 AND o.done_ms >= :from_ms AND o.done_ms < :to_ms
ORDER BY o.done_ms, o.id LIMIT 100000;
