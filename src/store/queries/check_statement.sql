-- SPDX-License-Identifier: Apache-2.0
-- What `even check` reads of statements of parties (check_statement.c), by party and time.

-- name: check_statements() many
-- out: id id, party id, from_ms time, to_ms time, opening money, closing money, shares money, refunds money, corrections money,
-- out: guarantees money, rents money, suspense money, withdrawn money, fees money, tax money, capped money, is_capped money
SELECT s.id, s.party, s.from_ms, s.to_ms, s.opening, s.closing, s.shares, s.refunds, s.corrections, s.guarantees, s.rents, s.suspense,
       s.withdrawn, s.fees, s.tax, s.capped,
       (SELECT CAST(COALESCE(sum(y.amount), 0) AS BIGINT)
        FROM split_part y
        JOIN orders o ON o.id = y.order_id
        JOIN contract_clause k ON k.contract = o.contract AND k.seq = y.clause AND k.kind = 7 AND k.party = s.party
        WHERE y.order_id IN (SELECT x.order_id FROM party_share h
                             JOIN split_part x ON x.order_id = h.order_id AND x.at_ms = h.at_ms AND x.party = h.party
                             WHERE h.party = s.party AND h.at_ms >= s.from_ms AND h.at_ms < s.to_ms AND x.passed > 0
                             UNION
                             SELECT x.order_id FROM party_share_new h
                             JOIN split_part x ON x.order_id = h.order_id AND x.at_ms = h.at_ms AND x.party = h.party
                             WHERE h.party = s.party AND h.at_ms >= s.from_ms AND h.at_ms < s.to_ms AND x.passed > 0)
          AND y.clause <> 0 AND y.amount > 0 AND y.at_ms >= s.from_ms AND y.at_ms < s.to_ms) AS is_capped
FROM statement s ORDER BY s.party, s.from_ms, s.id;
