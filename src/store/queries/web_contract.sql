-- SPDX-License-Identifier: Apache-2.0
-- Contracts with their clauses, and what the simulator of contracts reads.

-- name: web_contract_clauses(tenant id, id id) many
-- out: kind int, party id, party_name text, parent id, parent_name text, lines int, rate i64, above i64
SELECT x.kind, x.party, COALESCE(p.name, ''), x.parent, COALESCE(q.name, ''), x.lines, x.rate, x.above
FROM contract_clause x
JOIN contract c ON c.id = x.contract
LEFT JOIN party p ON p.id = x.party
LEFT JOIN party q ON q.id = x.parent
WHERE x.contract = :id AND c.tenant = :tenant
ORDER BY x.seq;

-- name: web_contract_operator(tenant id) one
-- out: id id, name text
SELECT id, name FROM party WHERE tenant = :tenant AND kind = 1 ORDER BY id LIMIT 1;

-- name: web_contract_party(tenant id, of_party id) one
-- out: id id, name text, state int
SELECT id, name, state FROM party WHERE tenant = :tenant AND id = :of_party;

-- name: simulate_parts(tenant id, family id, station id, from_ms time, to_ms time) many
-- out: id id, at_ms time, energy_mwh energy, fee_kind int, party id, party_name text, amount money, lot_fee money
SELECT o.id, o.settled_ms, o.energy_mwh, x.fee_kind, x.party, COALESCE(min(p.name), ''), CAST(sum(x.amount) AS BIGINT), o.lot_fee
FROM orders o
JOIN split_part x ON x.order_id = o.id
LEFT JOIN party p ON p.id = x.party
WHERE o.tenant = :tenant AND o.settled_ms >= :from_ms AND o.settled_ms < :to_ms AND x.amount >= 0
  AND (:station = 0 OR o.station = :station)
  AND (:family = 0 OR EXISTS (SELECT 1 FROM contract c WHERE c.id = o.contract AND c.family = :family))
GROUP BY o.id, o.settled_ms, o.energy_mwh, o.lot_fee, x.fee_kind, x.party
ORDER BY o.settled_ms, o.id, x.fee_kind, x.party;

-- name: simulate_month_ends(tenant id, family id, month int) many
-- out: party id, party_name text, amount money
SELECT m.party, COALESCE(min(p.name), ''), CAST(sum(m.posted) AS BIGINT)
FROM contract_month m
LEFT JOIN party p ON p.id = m.party
WHERE m.tenant = :tenant AND m.month = :month AND m.party <> 0 AND (:family = 0 OR m.family = :family)
GROUP BY m.party ORDER BY m.party;

-- name: partner_clauses(tenant id, party id) many
-- out: contract id, seq int, kind int, mine bool, parent_mine bool, party_name text, lines int, rate i64, above i64
SELECT x.contract, x.seq, x.kind, CASE WHEN x.party = :party THEN 1 ELSE 0 END, CASE WHEN x.parent = :party THEN 1 ELSE 0 END,
       CASE WHEN x.parent = :party THEN COALESCE(p.name, '') ELSE '' END, x.lines, x.rate, x.above
FROM contract_clause x
JOIN contract c ON c.id = x.contract
LEFT JOIN party p ON p.id = x.party
WHERE c.tenant = :tenant AND (x.party = :party OR x.parent = :party OR x.kind IN (1, 2, 3, 10))
  AND (EXISTS (SELECT 1 FROM contract_party q WHERE q.contract = c.id AND q.party = :party)
       OR EXISTS (SELECT 1 FROM contract_clause y WHERE y.contract = c.id AND y.party = :party))
ORDER BY x.contract DESC, x.seq LIMIT 2000;
