-- SPDX-License-Identifier: Apache-2.0
-- What `even check` reads of the months of contracts (check_month.c). Families without rows in contract_month count nothing.

-- name: check_month_versions() many
-- out: family id, tenant id, id id, from_ms time, to_ms time, kind int, party id, rate i64
SELECT c.family, c.tenant, c.id, c.from_ms, c.to_ms, COALESCE(k.kind, 0), COALESCE(k.party, 0), COALESCE(k.rate, 0)
FROM contract c
LEFT JOIN contract_clause k ON k.contract = c.id AND k.kind BETWEEN 5 AND 9
ORDER BY c.family, c.from_ms, c.id, COALESCE(k.seq, 0);

-- name: check_month_rows() many
-- out: family id, month int, party id, tenant id, base money, energy_mwh energy, amount money, open int, posted money, rent money,
-- out: from_id id, from_ms time, to_ms time
SELECT family, month, party, tenant, base, energy_mwh, amount, open, posted, rent, from_id, from_ms, to_ms
FROM contract_month ORDER BY family, month, party;

-- Each transfer that charged an order of such a family: what it divided, of the lines that somebody shares in, and the energy of the
-- lines that it charged. An order may have three kinds of electricity lines: those of its end; of a doubtful rest, at one instant; and
-- what a true end differed by, at one instant and priced at nothing, whose energy the order's story tells (`late`).
-- name: check_month_charged() all
-- out: family id, transfer id, order_id id, posted_ms time, code int, base money, ended energy, rest energy, first int, late text
SELECT k.family, t.id, o.id, t.posted_ms, t.code,
       (SELECT CAST(COALESCE(sum(x.amount), 0) AS BIGINT) FROM split_part x
        WHERE x.order_id = o.id AND x.transfer = t.id
          AND (x.fee_kind <> 4 OR EXISTS (SELECT 1 FROM contract_party p WHERE p.contract = k.id AND p.lines IN (4, 5, 6, 7)))) AS base,
       (SELECT CAST(COALESCE(sum(f.energy_mwh), 0) AS BIGINT) FROM fee_line f
        WHERE f.order_id = o.id AND f.kind = 1 AND NOT (f.from_ms = f.to_ms AND f.price_e5 = 0 AND f.label = '')
          AND NOT (f.from_ms = f.to_ms AND EXISTS (SELECT 1 FROM order_event e WHERE e.order_id = o.id AND e.event = 16)
            AND NOT (NOT EXISTS (SELECT 1 FROM order_event e WHERE e.order_id = o.id AND e.event = 17)
              AND (SELECT COALESCE(sum(g.energy_mwh), 0) FROM fee_line g WHERE g.order_id = o.id AND g.kind = 1 AND g.seq <= f.seq)
                <= (SELECT COALESCE(sum(s.energy_mwh), 0) FROM session s WHERE s.order_id = o.id)))) AS ended,
       (SELECT CAST(COALESCE(sum(f.energy_mwh), 0) AS BIGINT) FROM fee_line f
        WHERE f.order_id = o.id AND f.kind = 1 AND f.from_ms = f.to_ms AND NOT (f.price_e5 = 0 AND f.label = '')
          AND NOT (NOT EXISTS (SELECT 1 FROM order_event e WHERE e.order_id = o.id AND e.event = 17)
            AND (SELECT COALESCE(sum(g.energy_mwh), 0) FROM fee_line g WHERE g.order_id = o.id AND g.kind = 1 AND g.seq <= f.seq)
              <= (SELECT COALESCE(sum(s.energy_mwh), 0) FROM session s WHERE s.order_id = o.id))) AS rest,
       CASE WHEN t.id = o.transfer AND (t.posted_ms <= o.settled_ms
         OR NOT EXISTS (SELECT 1 FROM order_event e WHERE e.order_id = o.id AND e.event = 16)) THEN 1 ELSE 0 END AS first,
       COALESCE((SELECT max(e.detail) FROM order_event e
                 WHERE e.order_id = o.id AND e.event = 17 AND e.at_ms = t.posted_ms AND e.detail <> ''), '') AS late
FROM transfer t
JOIN contract k ON k.id = t.contract
JOIN orders o ON o.id = t.order_id
WHERE t.code IN (2, 24) AND t.amount > 0 AND k.family IN (SELECT family FROM contract_month)
ORDER BY t.id;

-- What orders of such a family gave to parties and took back.
-- name: check_month_parts() all
-- out: family id, transfer id, party id, amount money
SELECT k.family, x.transfer, x.party, x.amount
FROM orders o
JOIN contract k ON k.id = o.contract
JOIN split_part x ON x.order_id = o.id
WHERE k.family IN (SELECT family FROM contract_month)
ORDER BY x.order_id, x.seq;
