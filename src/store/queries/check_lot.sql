-- SPDX-License-Identifier: Apache-2.0
-- What `even check` reads of channel fees that follow top-up lots (check_lot.c), besides the journal.

-- Rates by transfer: of top-ups, and of principal that went back to its source or came back from there.
-- name: check_lot_rates() many
-- out: transfer id, bp int
SELECT p.transfer, p.fee_bp FROM payment p WHERE p.fee_bp <> 0 AND p.transfer <> 0
UNION ALL
SELECT o.transfer, p.fee_bp FROM payout o JOIN payment p ON p.id = o.payment WHERE p.fee_bp <> 0 AND o.transfer <> 0
UNION ALL
SELECT o.settled, p.fee_bp FROM payout o JOIN payment p ON p.id = o.payment
WHERE p.fee_bp <> 0 AND o.settled <> 0 AND o.state IN (6, 7, 8)
ORDER BY 1, 2;

-- Orders that a single payment paid: its own lot's rate.
-- name: check_lot_singles() many
-- out: order_id id, bp int
SELECT o.id, p.fee_bp FROM orders o JOIN payment p ON p.id = o.payment WHERE o.payer_kind = 2 ORDER BY o.id;

-- name: check_lot_orders() many
-- out: id id, lots text, lot_fee money
SELECT id, lots, lot_fee FROM orders WHERE lot_fee <> 0 OR lots <> '' ORDER BY id;

-- name: check_lot_drivers() many
-- out: id id, lots text
SELECT id, lots FROM driver WHERE lots <> '' ORDER BY id;

-- What the clause of an order took: no more than its fee; all of it where it comes first and on all lines.
-- name: check_lot_clauses() many
-- out: id id, lot_fee money, due i64, first int
SELECT o.id, o.lot_fee, CAST(sum(x.due) AS BIGINT), CASE WHEN min(k.seq) = 1 AND min(k.lines) = 7 AND max(o.occupancy) = 0 THEN 1 ELSE 0 END
FROM contract_clause k
JOIN orders o ON o.contract = k.contract
JOIN split_part x ON x.order_id = o.id AND x.clause = k.seq AND x.amount >= 0
WHERE k.kind = 10
GROUP BY o.id, o.lot_fee ORDER BY o.id;
