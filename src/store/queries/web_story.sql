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
-- payment that its order or payout is bound to. A payout is older than its transfers, and the newest of those is mostly the one:
-- a payee may have a hundred thousand.
-- name: story_move(tenant id, id id, driver id, of_party id) one
-- out: code int, order_id id, effective_ms time, posted_ms time, payment id, payout id, payout_state int, bound id, legs blob
SELECT y.code, y.order_id, y.effective_ms, y.posted_ms, y.payment, y.payout, COALESCE(x.state, 0),
       COALESCE(o.payment, x.payment, 0), y.legs
FROM (
  SELECT t.code, t.order_id, t.effective_ms, t.posted_ms, t.legs,
         COALESCE((SELECT max(p.id) FROM payment p WHERE p.driver = :driver AND p.driver <> 0 AND p.transfer = t.id), 0) AS payment,
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
LEFT JOIN orders o ON o.id = y.order_id AND y.order_id <> 0;

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

-- What of one bucket of shares came before: they mature together, in this order.
-- name: story_before(of_party id, due time, at time, order id) one
-- out: amount money
SELECT CAST(COALESCE(sum(x.amount), 0) AS BIGINT)
FROM split_part x
WHERE x.party = :of_party AND x.due_ms = :due AND x.at_ms <= :at AND (x.at_ms < :at OR x.order_id < :order);

-- name: story_amount(tenant id, id id) one
-- out: amount money
SELECT amount FROM transfer WHERE id = :id AND tenant = :tenant;

-- name: story_heads(tenant id, of_party id, currency text) one
-- out: available id, available_last id, debt id, debt_last id
SELECT COALESCE(max(CASE WHEN kind = 6 THEN id ELSE 0 END), 0), COALESCE(max(CASE WHEN kind = 6 THEN last_transfer ELSE 0 END), 0),
       COALESCE(max(CASE WHEN kind = 15 THEN id ELSE 0 END), 0), COALESCE(max(CASE WHEN kind = 15 THEN last_transfer ELSE 0 END), 0)
FROM account WHERE tenant = :tenant AND kind IN (6, 15) AND owner = :of_party AND currency = :currency;

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

-- name: story_bill(tenant id, id id) one
-- out: id id, month int, state int, captured money, refunded money, collected money, due_ms time
SELECT id, month, state, captured, refunded, collected, due_ms FROM company_bill WHERE id = :id AND tenant = :tenant;

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

-- name: story_party_name(tenant id, of_party id) one
-- out: name text, kind int
SELECT name, kind FROM party WHERE id = :of_party AND tenant = :tenant;
