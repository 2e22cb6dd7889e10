-- SPDX-License-Identifier: Apache-2.0
-- The money story of an order (web/story.h): what stands beside the rows that other pages read as well.

-- name: story_order(tenant id, id id) one
-- out: currency text, seller text, elec money, service money, occupancy money, contract id, contract_name text, contract_from_ms time
-- out: rounding int, unit money, payment id, company id, company_name text
SELECT o.currency, o.seller, o.elec, o.service, o.occupancy, o.contract, COALESCE(c.name, ''), COALESCE(c.from_ms, 0),
       COALESCE(c.rounding, 0), COALESCE(c.unit, 0), o.payment, o.company, COALESCE(m.name, '')
FROM orders o
LEFT JOIN contract c ON c.id = o.contract
LEFT JOIN company m ON m.id = o.company
WHERE o.id = :id AND o.tenant = :tenant;

-- A transfer on the way back through an account, with the payment that it brought, the payout that it was for, and the
-- payment that its order or payout is bound to, or that it corrects, with what brought that, and whether it is for one order. A payout is older than its transfers, and
-- the newest of those is mostly the one: a payee may have a hundred thousand.
-- name: story_move(tenant id, id id, driver id, of_party id) one
-- out: code int, order_id id, effective_ms time, posted_ms time, payment id, payout id, payout_state int, bound id, legs blob, payout_kind int, payout_amount money, payout_order id, whole money, payout_due_ms time, bill id, brought id, single int
SELECT y.code, y.order_id, y.effective_ms, y.posted_ms, y.payment, y.payout, COALESCE(x.state, 0),
       CASE WHEN y.corrects <> 0 THEN y.corrects ELSE COALESCE(o.payment, x.payment, 0) END, y.legs, COALESCE(x.kind, 0), COALESCE(x.amount, 0), COALESCE(x.order_id, 0), y.whole,
       COALESCE(x.due_ms, 0), CASE WHEN y.code = 5 THEN y.contract ELSE 0 END, COALESCE(b.transfer, 0),
       CASE WHEN COALESCE(b.connector, 0) = 0 THEN 0 ELSE 1 END
FROM (
  SELECT t.code, t.order_id, t.effective_ms, t.posted_ms, t.legs, t.amount AS whole, t.contract,
         COALESCE((SELECT max(p.id) FROM payment p WHERE p.driver = :driver AND p.driver <> 0 AND p.transfer = t.id), 0) AS payment,
         CASE WHEN t.code = 4 AND t.reverses <> 0 AND :driver <> 0
              THEN COALESCE((SELECT max(p.id) FROM payment p WHERE p.driver = :driver AND p.transfer = t.reverses), 0)
              ELSE 0 END AS corrects,
         CASE WHEN t.code NOT IN (7, 9) THEN 0
              WHEN :driver <> 0
              THEN COALESCE((SELECT w.id FROM payout w WHERE w.driver = :driver AND w.id < t.id AND (w.transfer = t.id OR w.settled = t.id)
                             ORDER BY w.id DESC LIMIT 1), 0)
              ELSE COALESCE((SELECT w.id FROM payout w WHERE w.party = :of_party AND w.party <> 0 AND w.id < t.id
                               AND (w.transfer = t.id OR w.settled = t.id) ORDER BY w.id DESC LIMIT 1), 0) END AS payout
  FROM transfer t
  WHERE t.id = :id AND t.tenant = :tenant
) y
LEFT JOIN payout x ON x.id = y.payout AND y.payout <> 0
LEFT JOIN orders o ON o.id = y.order_id AND y.order_id <> 0
LEFT JOIN payment b ON b.id = CASE WHEN y.corrects <> 0 THEN y.corrects ELSE COALESCE(o.payment, x.payment, 0) END;

-- The cursor is the channel.
-- name: story_payment(tenant id, id id) one
-- out: payment id, cursor id, method int, provider_no text, at_ms time, cursor2 id
SELECT id, channel, method, provider_no, paid_ms, connector
FROM payment WHERE id = :id AND tenant = :tenant;

-- The cursor is the channel.
-- name: story_payout(tenant id, id id) one
-- out: payout id, state int, amount money, fee money, cursor id, provider_no text, transfer id, settled id, asked_ms time, done_ms time
SELECT id, state, amount, fee, channel, provider_no, transfer, settled, created_ms, done_ms
FROM payout WHERE id = :id AND tenant = :tenant;

-- Single payments whose orders are not over, with what brought them: nothing else is paid from them.
-- name: story_single_open(tenant id, driver id) many
-- out: transfer id, amount money
SELECT transfer, amount - refunded FROM payment
WHERE driver = :driver AND bound = 1 AND state = 3 AND tenant = :tenant ORDER BY id LIMIT 50;

-- What the channel paid to a party out of the payment itself.
-- name: story_shared(tenant id, of_party id, transfer id) one
-- out: id id, state int, due_ms time, amount money
SELECT id, state, due_ms, amount FROM payout
WHERE party = :of_party AND id < :transfer AND transfer = :transfer AND kind = 3 AND tenant = :tenant ORDER BY id DESC LIMIT 1;

-- What came back to the channel of a share that it had paid.
-- name: story_returned(tenant id, transfer id, order id) one
-- out: id id, of_payout id, amount money
SELECT id, of_payout, amount FROM payout
WHERE order_id = :order AND order_id <> 0 AND kind = 4 AND settled = :transfer AND tenant = :tenant ORDER BY id DESC LIMIT 1;

-- Principal of a payment that went back to its source.
-- name: story_payouts_of(tenant id, driver id, payment id) many
-- out: id id
SELECT id FROM payout WHERE driver = :driver AND payment = :payment AND payment <> 0 AND tenant = :tenant ORDER BY id LIMIT 50;

-- A payment or payout in the provider's bill of its day; recon is the state of what differs.
-- name: story_channel(tenant id, channel id, day int, row id) one
-- out: channel id, kind int, name text, bill id, diff id, recon int, close id
SELECT c.id, c.kind, c.name,
       COALESCE((SELECT max(b.id) FROM bill b WHERE b.channel = c.id AND b.day = :day AND b.kind = CASE WHEN c.kind = 1 AND EXISTS (
         SELECT 1 FROM payout o WHERE o.id = :row AND o.kind IN (3, 4)) THEN 1 ELSE 0 END), 0),
       COALESCE((SELECT max(d.id) FROM bill_diff d WHERE d.of_row = :row AND d.of_row <> 0 AND d.tenant = c.tenant), 0),
       COALESCE((SELECT min(d.state) FROM bill_diff d WHERE d.of_row = :row AND d.of_row <> 0 AND d.tenant = c.tenant), 0),
       COALESCE((SELECT max(z.id) FROM day_close z WHERE z.channel = c.id AND z.first_day <= :day AND z.day >= :day), 0)
FROM channel c
WHERE c.id = :channel AND c.tenant = :tenant;

-- name: story_purse(tenant id, of_party id, currency text) one
-- out: pending id, available id, available_last id, debt id, debt_last id, income id, income_last id, refund_days int
SELECT COALESCE(max(CASE WHEN kind = 5 THEN id ELSE 0 END), 0),
       COALESCE(max(CASE WHEN kind = 6 THEN id ELSE 0 END), 0), COALESCE(max(CASE WHEN kind = 6 THEN last_transfer ELSE 0 END), 0),
       COALESCE(max(CASE WHEN kind = 15 THEN id ELSE 0 END), 0), COALESCE(max(CASE WHEN kind = 15 THEN last_transfer ELSE 0 END), 0),
       COALESCE(max(CASE WHEN kind = 7 THEN id ELSE 0 END), 0), COALESCE(max(CASE WHEN kind = 7 THEN last_transfer ELSE 0 END), 0),
       COALESCE((SELECT refund_days FROM tenant WHERE id = :tenant), 0)
FROM account WHERE tenant = :tenant AND kind IN (5, 6, 7, 15) AND owner = :of_party AND currency = :currency AND currency <> '';

-- part: bucket_parts
-- The parts of a bucket, a row a transfer, in the order in which they lie in it.
FROM (
  SELECT h.order_id, x.transfer, min(x.at_ms) AS at_ms, max(x.station) AS station, CAST(sum(x.amount) AS BIGINT) AS share,
         max(CASE WHEN x.fee_kind = 1 THEN 1 ELSE 0 END) + max(CASE WHEN x.fee_kind = 2 THEN 2 ELSE 0 END)
         + max(CASE WHEN x.fee_kind = 4 THEN 4 ELSE 0 END) AS lines
-- use: party_parts
  WHERE x.due_ms = :due
  GROUP BY h.order_id, x.transfer
) y
JOIN transfer t ON t.id = y.transfer
LEFT JOIN orders o ON o.id = y.order_id
LEFT JOIN station s ON s.id = y.station
ORDER BY y.at_ms, y.order_id, y.transfer LIMIT :lim

-- What was given to a bucket of shares between these times, a row a transfer: they mature together, in this order.
-- name: story_bucket(of_party id, due time, from_ms time, to_ms time, lim int) many
-- out: order_id id, transfer id, at_ms time, code int, note text, station id, station_name text, zone text, energy_mwh energy, share money, lines int
-- use: party_shares
SELECT CASE WHEN y.lines = 0 THEN 0 ELSE y.order_id END, y.transfer, y.at_ms, t.code, CASE WHEN y.lines = 0 THEN t.note ELSE '' END,
       y.station, COALESCE(s.name, ''), COALESCE(s.zone, ''), COALESCE(o.energy_mwh, 0), y.share, y.lines
-- use: bucket_parts

-- How far back a bucket is looked for: at most 20,000 transfers that gave the party parts, beside the latest; no row = to the first.
-- name: story_bucket_floor(of_party id, due time) many
-- out: at_ms time
SELECT x.at_ms FROM party_share x WHERE x.party = :of_party AND x.at_ms < :due ORDER BY x.at_ms DESC LIMIT 1 OFFSET 20000;

-- What one order did to the pending account of a party, oldest first: its shares with their bucket, and what its channel paid of them,
-- unless that came back before that transfer. Or what the one transfer did that is for no order.
-- name: story_pending(tenant id, of_party id, order id, own id, before id) many
-- out: id id, code int, posted_ms time, due_ms time, sent_due_ms time, legs blob
SELECT t.id AS id, t.code AS code, t.posted_ms AS posted_ms,
       COALESCE((SELECT max(x.due_ms) FROM split_part x WHERE x.order_id = :order AND x.transfer = t.id AND x.party = :of_party), 0) AS due_ms,
       CASE WHEN t.code <> 19 THEN 0
            ELSE COALESCE((SELECT max(w.due_ms) FROM payout w
                           WHERE w.order_id = :order AND w.order_id <> 0 AND w.kind = 3 AND w.party = :of_party AND w.transfer = t.id
                             AND NOT (w.state IN (6, 7, 8) AND w.settled < :before)), 0) END AS sent_due_ms,
       t.legs AS legs
FROM transfer t
WHERE t.order_id = :order AND t.order_id <> 0 AND t.id < :before AND t.tenant = :tenant
UNION ALL
SELECT t.id, t.code, t.posted_ms,
       COALESCE((SELECT max(x.due_ms) FROM split_part x WHERE x.order_id = t.id AND x.party = :of_party), 0), 0, t.legs
FROM transfer t
WHERE t.id = :own AND t.order_id = 0 AND t.tenant = :tenant
ORDER BY 1 LIMIT 60;

-- What a payout consists of is asked by whoever may see it; the cursors are its order, its payment and the kind of its party.
-- name: story_taken(tenant id, id id, of_party id) one
-- out: kind int, state int, party id, currency text, amount money, transfer id, settled id, cursor id, cursor2 id, cursor3 int
SELECT w.kind, w.state, w.party, w.currency, w.amount, w.transfer, w.settled, w.order_id, w.payment, COALESCE(p.kind, 0)
FROM payout w
LEFT JOIN party p ON p.id = w.party
WHERE w.id = :id AND w.tenant = :tenant AND (:of_party = 0 OR (w.party = :of_party AND w.party <> 0));

-- One transfer and the order that it is for, as a party sees it; there is always a row.
-- name: story_entry(tenant id, of_party id, order id, transfer id) one
-- out: order_id id, transfer id, at_ms time, code int, note text, station id, station_name text, zone text, energy_mwh energy, share money, lines int
SELECT COALESCE(o.id, 0), COALESCE(t.id, 0), COALESCE(t.posted_ms, o.settled_ms, 0), COALESCE(t.code, 0),
       CASE WHEN o.id IS NULL THEN COALESCE(t.note, '') ELSE '' END, COALESCE(o.station, 0), COALESCE(s.name, ''), COALESCE(s.zone, ''),
       COALESCE(o.energy_mwh, 0),
       COALESCE((SELECT CAST(sum(x.amount) AS BIGINT) FROM split_part x WHERE x.order_id = o.id AND x.party = :of_party), 0),
       COALESCE((SELECT max(CASE WHEN x.fee_kind = 1 THEN 1 ELSE 0 END) + max(CASE WHEN x.fee_kind = 2 THEN 2 ELSE 0 END)
                        + max(CASE WHEN x.fee_kind = 4 THEN 4 ELSE 0 END)
                 FROM split_part x WHERE x.order_id = o.id AND x.party = :of_party), 0)
FROM (SELECT 1 AS one) z
LEFT JOIN transfer t ON t.id = :transfer AND t.tenant = :tenant
LEFT JOIN orders o ON o.id = :order AND o.tenant = :tenant
LEFT JOIN station s ON s.id = o.station;

-- What brought a lot of a wallet, and the discharge that earned it.
-- name: story_payment_from(tenant id, id id) one
-- out: transfer id, order_id id
SELECT transfer, CASE WHEN method = 5 THEN order_id ELSE 0 END FROM payment WHERE id = :id AND tenant = :tenant;

-- name: story_statement(tenant id, of_party id, at time) many
-- out: id id, month int, state int
SELECT id, month, state FROM statement
WHERE tenant = :tenant AND party = :of_party AND from_ms <= :at AND to_ms > :at ORDER BY id LIMIT 1;

-- name: story_bills(tenant id, id id) many
-- out: id id, month int, state int, captured money, refunded money, collected money, due_ms time
SELECT b.id, b.month, b.state, b.captured, b.refunded, b.collected, b.due_ms
FROM orders o
JOIN company_bill b ON b.company = o.company AND b.tenant = o.tenant AND b.from_ms <= o.settled_ms AND b.to_ms > o.settled_ms
WHERE o.id = :id AND o.company <> 0 AND o.tenant = :tenant ORDER BY b.id LIMIT 4;

-- When a bill filled, and what still waits for it of a party's shares.
-- name: story_bill(tenant id, of_party id, bill id) one
-- out: from_ms time, to_ms time, waits money, month int
SELECT b.from_ms, b.to_ms, COALESCE((SELECT m.amount FROM maturing m WHERE m.party = :of_party AND m.due_ms = -b.id), 0), b.month
FROM company_bill b WHERE b.id = :bill AND b.tenant = :tenant;

-- The shares of a party that waited for a bill, a row a transfer, in the order of a bucket. The cursor: its legs.
-- name: story_bill_shares(of_party id, due time, from_ms time, to_ms time, lim int) many
-- out: order_id id, transfer id, at_ms time, code int, station id, station_name text, zone text, energy_mwh energy, share money, lines int, legs blob
-- use: party_shares
SELECT y.order_id, y.transfer, y.at_ms, t.code, y.station, COALESCE(s.name, ''), COALESCE(s.zone, ''), COALESCE(o.energy_mwh, 0), y.share,
       y.lines, t.legs
-- use: bucket_parts

-- What took something back of the orders that had a share in it, oldest first.
-- name: story_bill_takes(of_party id, due time, from_ms time, to_ms time, lim int) many
-- out: id id, order_id id, posted_ms time, legs blob
-- use: party_shares
SELECT t.id, t.order_id, t.posted_ms, t.legs
FROM (
  SELECT DISTINCT n.transfer
  FROM (
    SELECT DISTINCT h.order_id
-- use: party_parts
    WHERE x.due_ms = :due
  ) y
  JOIN split_part n ON n.order_id = y.order_id AND n.party = :of_party AND n.amount < 0
) z
JOIN transfer t ON t.id = z.transfer
ORDER BY t.id LIMIT :lim;

-- name: story_bill_freed(of_party id, bill id) many
-- out: id id, paid money, lacked money, waited money, amount money, due_ms time, at_ms time
SELECT s.id, s.paid, s.lacked, s.waited, s.amount, s.due_ms, s.at_ms
FROM bill_share s WHERE s.bill = :bill AND s.party = :of_party ORDER BY s.id LIMIT 401;

-- What bills set free that matured with a bucket.
-- name: story_bill_due(of_party id, due time) many
-- out: id id, bill id
SELECT s.id, s.bill FROM bill_share s WHERE s.party = :of_party AND s.due_ms = :due AND s.due_ms <> 0 ORDER BY s.id LIMIT 401;

-- name: story_invoices(tenant id, id id) many
-- out: id id, red_of id, state int, number text, amount money, rest money, issued_on int, created_ms time
SELECT i.id, i.red_of, i.state, i.number, x.elec + x.service + x.occupancy, x.rest_elec + x.rest_service + x.rest_occupancy,
       i.issued_on, i.created_ms
FROM invoice_order x
JOIN invoice i ON i.id = x.invoice
WHERE x.order_id = :id AND i.tenant = :tenant ORDER BY i.id LIMIT 20;

-- name: story_partner_order(tenant id, party id, id id) one
-- out: order_id id, station id, station_name text, zone text, state int, energy_mwh energy, currency text, at_ms time, contract id, contract_name text, contract_from_ms time, rounding int, unit money
SELECT o.id, o.station, COALESCE(s.name, ''), COALESCE(s.zone, ''), o.state, o.energy_mwh, o.currency, o.settled_ms,
       o.contract, COALESCE(c.name, ''), COALESCE(c.from_ms, 0), COALESCE(c.rounding, 0), COALESCE(c.unit, 0)
FROM orders o
LEFT JOIN station s ON s.id = o.station
LEFT JOIN contract c ON c.id = o.contract
WHERE o.id = :id AND o.tenant = :tenant
  AND EXISTS (SELECT 1 FROM split_part x WHERE x.order_id = o.id AND x.party = :party);

-- What a party has waiting for that day; no row = nothing.
-- name: story_waits(of_party id, due time) many
-- out: amount money
SELECT m.amount FROM maturing m WHERE m.party = :of_party AND m.due_ms = :due;

-- name: story_party_name(tenant id, of_party id) one
-- out: name text, kind int
SELECT name, kind FROM party WHERE id = :of_party AND tenant = :tenant;
