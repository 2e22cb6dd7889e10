-- SPDX-License-Identifier: Apache-2.0
-- Where a party finds its parts (store/shares.h), and the entries of one party in a period, for whoever reads.

-- part: party_shares
-- An entry that is being moved stands in both tables.
WITH h AS (
  SELECT at_ms, order_id FROM party_share WHERE party = :of_party AND at_ms >= :from_ms AND at_ms < :to_ms
  UNION
  SELECT at_ms, order_id FROM party_share_new WHERE party = :of_party AND at_ms >= :from_ms AND at_ms < :to_ms
)

-- part: party_parts
-- The parts themselves, as x. (Who groups them by order names that of h, or SQLite may walk all parts in that order.)
FROM h JOIN split_part x ON x.order_id = h.order_id AND x.at_ms = h.at_ms AND x.party = :of_party

-- name: shares_waiting() one
-- out: n i64, upto id
SELECT count(*), COALESCE(max(transfer), 0) FROM party_share_new;

-- name: shares_move(upto id, slices int, slice int) exec
INSERT INTO party_share (party, at_ms, order_id)
SELECT party, at_ms, order_id FROM party_share_new WHERE transfer <= :upto AND party % :slices = :slice
ORDER BY party, at_ms, order_id
ON CONFLICT (party, at_ms, order_id) DO NOTHING;

-- name: shares_moved(upto id) exec
DELETE FROM party_share_new WHERE transfer <= :upto;

-- name: check_share_entries() all
-- What is being moved counts once.
-- out: party id, at_ms time, order_id id
SELECT party, at_ms, order_id FROM party_share
UNION ALL
SELECT DISTINCT n.party, n.at_ms, n.order_id FROM party_share_new n
WHERE NOT EXISTS (SELECT 1 FROM party_share e WHERE e.party = n.party AND e.at_ms = n.at_ms AND e.order_id = n.order_id)
ORDER BY 1, 2, 3;

-- name: check_shares_lost() many
-- out: order_id id, party id, stray int
SELECT DISTINCT x.order_id AS order_id, x.party AS party, 0 AS stray FROM split_part x
WHERE NOT EXISTS (SELECT 1 FROM party_share e WHERE e.party = x.party AND e.at_ms = x.at_ms AND e.order_id = x.order_id)
  AND NOT EXISTS (SELECT 1 FROM party_share_new e WHERE e.transfer = x.transfer AND e.party = x.party AND e.at_ms = x.at_ms AND e.order_id = x.order_id)
UNION ALL
SELECT e.order_id, e.party, 1 FROM party_share e
WHERE NOT EXISTS (SELECT 1 FROM split_part x WHERE x.order_id = e.order_id AND x.party = e.party AND x.at_ms = e.at_ms)
UNION ALL
SELECT e.order_id, e.party, 1 FROM party_share_new e
WHERE NOT EXISTS (SELECT 1 FROM split_part x WHERE x.order_id = e.order_id AND x.party = e.party AND x.at_ms = e.at_ms)
ORDER BY 1, 2, 3;
