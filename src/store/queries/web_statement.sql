-- SPDX-License-Identifier: Apache-2.0
-- Statements of parties. A party's position is what it got of orders less what it took out: pending + available + in transit - debt.

-- part: statement_row
-- out: id id, party id, party_name text, month int, from_ms time, to_ms time, currency text, opening money, shares money, refunds money, withdrawn money, fees money, closing money, orders int, state int, note text, made_ms time, decided_ms time, tax money
SELECT s.id, s.party, COALESCE(p.name, ''), s.month, s.from_ms, s.to_ms, s.currency, s.opening, s.shares, s.refunds, s.withdrawn,
       s.fees, s.closing, s.orders, s.state, s.note, s.made_ms, s.decided_ms, s.tax
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

-- name: web_statement_near(tenant id, of_party id, before int, after int) many
-- out: month int, from_ms time, to_ms time
SELECT month, from_ms, to_ms FROM statement WHERE tenant = :tenant AND party = :of_party AND month IN (:before, :after);

-- name: web_statement_sums(tenant id, of_party id, from_ms time, to_ms time) one
-- out: opening money, shares money, refunds money, withdrawn money, fees money, orders i64, tax money
SELECT (SELECT CAST(COALESCE(sum(x.amount), 0) AS BIGINT) FROM split_part x WHERE x.party = p.id AND x.at_ms < :from_ms)
     - (SELECT CAST(COALESCE(sum(o.amount), 0) AS BIGINT) FROM payout o
        WHERE o.party = p.id AND o.kind IN (1, 3, 4) AND o.state = 5 AND o.done_ms < :from_ms) AS opening,
       (SELECT CAST(COALESCE(sum(x.amount), 0) AS BIGINT) FROM split_part x
        WHERE x.party = p.id AND x.at_ms >= :from_ms AND x.at_ms < :to_ms AND x.amount > 0) AS shares,
       (SELECT CAST(COALESCE(-sum(x.amount), 0) AS BIGINT) FROM split_part x
        WHERE x.party = p.id AND x.at_ms >= :from_ms AND x.at_ms < :to_ms AND x.amount < 0) AS refunds,
       (SELECT CAST(COALESCE(sum(o.amount), 0) AS BIGINT) FROM payout o
        WHERE o.party = p.id AND o.kind IN (1, 3, 4) AND o.state = 5 AND o.done_ms >= :from_ms AND o.done_ms < :to_ms) AS withdrawn,
       (SELECT CAST(COALESCE(sum(o.fee), 0) AS BIGINT) FROM payout o
        WHERE o.party = p.id AND o.kind IN (1, 3, 4) AND o.state = 5 AND o.done_ms >= :from_ms AND o.done_ms < :to_ms) AS fees,
       (SELECT count(DISTINCT x.order_id) FROM split_part x
        WHERE x.party = p.id AND x.at_ms >= :from_ms AND x.at_ms < :to_ms AND x.fee_kind <> 0) AS orders,
       (SELECT CAST(COALESCE(sum(o.tax), 0) AS BIGINT) FROM payout o
        WHERE o.party = p.id AND o.kind = 1 AND o.state = 5 AND o.done_ms >= :from_ms AND o.done_ms < :to_ms) AS tax
FROM party p
WHERE p.id = :of_party AND p.tenant = :tenant;

-- Guarantees and rents of a month's end have no fee: they are no orders, and stand in the list as what they are.
-- name: web_statement_orders(of_party id, from_ms time, to_ms time) many
-- out: order_id id, at_ms time, station_name text, energy_mwh energy, share money, refund money
SELECT x.order_id, min(x.at_ms), CASE WHEN max(x.fee_kind) = 0 THEN '月末 month end' ELSE COALESCE(min(s.name), '') END, COALESCE(min(o.energy_mwh), 0),
       CAST(sum(CASE WHEN x.amount > 0 THEN x.amount ELSE 0 END) AS BIGINT),
       CAST(-sum(CASE WHEN x.amount < 0 THEN x.amount ELSE 0 END) AS BIGINT)
FROM split_part x
LEFT JOIN station s ON s.id = x.station
LEFT JOIN orders o ON o.id = x.order_id
WHERE x.party = :of_party AND x.at_ms >= :from_ms AND x.at_ms < :to_ms
GROUP BY x.order_id
ORDER BY min(x.at_ms), x.order_id LIMIT 100000;

-- name: web_statement_payouts(of_party id, from_ms time, to_ms time) many
-- out: id id, done_ms time, channel_name text, provider_no text, amount money, fee money, tax money
SELECT o.id, o.done_ms, COALESCE(c.name, ''), o.provider_no, o.amount, o.fee, o.tax
FROM payout o
LEFT JOIN channel c ON c.id = o.channel
WHERE o.party = :of_party AND o.kind IN (1, 3, 4) AND o.state = 5 AND o.done_ms >= :from_ms AND o.done_ms < :to_ms
ORDER BY o.done_ms, o.id LIMIT 100000;
