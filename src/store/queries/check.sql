-- SPDX-License-Identifier: Apache-2.0
-- What `even check` reads: every row of the books once, and per order what belongs to it.

-- name: check_accounts() all
-- out: id id, tenant id, kind int, currency text, posted_in money, posted_out money, held money, min_balance money
-- out: last_transfer id, owner id
SELECT c.id, c.tenant, c.kind, c.currency, h.posted_in, h.posted_out, h.held, c.min_balance, h.last_transfer, c.owner
FROM account_cold c JOIN account_hot h ON h.id = c.id ORDER BY c.id;

-- name: check_maturing() many
-- out: party id, tenant id, currency text, amount money
SELECT party, tenant, currency, CAST(sum(amount) AS BIGINT) AS amount FROM maturing GROUP BY party, tenant, currency
ORDER BY party, tenant, currency;

-- name: check_payouts() many
-- out: id id, tenant id, kind int, party id, driver id, payment id, currency text, amount money, fee money, state int,
-- out: transfer id, settled id, tax money
SELECT id, tenant, kind, party, driver, payment, currency, amount, fee, state, transfer, settled, tax FROM payout ORDER BY id;

-- name: check_papers() many
-- out: id id, party id, n i64
SELECT max(id) AS id, party, count(*) AS n FROM payout
WHERE paper <> '' AND state NOT IN (6, 7, 8) GROUP BY party, paper HAVING count(*) > 1 ORDER BY id;

-- Shares that a channel paid out of payments: of each order and party, what it got there, and how many by another payment.
-- name: check_shared() many
-- out: order_id id, party id, shared money, got money, strangers i64
SELECT o.order_id, o.party, CAST(sum(o.amount) AS BIGINT) AS shared,
       (SELECT CAST(COALESCE(sum(x.amount), 0) AS BIGINT) FROM split_part x
        WHERE x.order_id = o.order_id AND x.party = o.party AND x.amount > 0) AS got,
       CAST(sum(CASE WHEN r.payment = o.payment THEN 0 ELSE 1 END) AS BIGINT) AS strangers
FROM payout o LEFT JOIN orders r ON r.id = o.order_id
WHERE o.kind = 3 AND o.state NOT IN (6, 7, 8)
GROUP BY o.order_id, o.party ORDER BY o.order_id, o.party;

-- Shares that were asked back after a refund: of each, the share that it is of, and the transfer by which it came back.
-- name: check_returned() many
-- out: id id, amount money, state int, transfer id, settled id, share money, back money, moved money, n i64, claim money, claim_by id, checked_by id
SELECT o.id, o.amount, o.state, o.transfer, o.settled,
       COALESCE((SELECT CASE WHEN s.said <> 0 THEN s.said ELSE s.amount END FROM payout s
                 WHERE s.id = o.of_payout AND s.kind = 3 AND s.state NOT IN (6, 7, 8) AND s.party = o.party AND s.order_id = o.order_id
                   AND s.payment = o.payment AND s.channel = o.channel AND s.currency = o.currency AND s.tenant = o.tenant), 0) AS share,
       (SELECT CAST(COALESCE(-sum(x.amount), 0) AS BIGINT) FROM payout x
        WHERE x.order_id = o.order_id AND x.order_id <> 0 AND x.kind = 4 AND x.of_payout = o.of_payout AND x.state NOT IN (6, 7, 8)) AS back,
       COALESCE((SELECT t.amount FROM transfer t WHERE t.id = o.settled AND t.code = 25 AND t.order_id = o.order_id
                   AND t.tenant = o.tenant AND t.currency = o.currency), 0) AS moved,
       (SELECT count(*) FROM payout y WHERE y.order_id = o.order_id AND y.order_id <> 0 AND y.settled = o.settled AND y.settled <> 0) AS n,
       o.claim, o.claim_by, o.checked_by
FROM payout o WHERE o.kind = 4 ORDER BY o.id;

-- Transfers of shares that came back which no return names.
-- name: check_returned_strays() many
-- out: id id
SELECT t.id FROM transfer t WHERE t.code = 25
  AND NOT EXISTS (SELECT 1 FROM payout o WHERE o.order_id = t.order_id AND o.order_id <> 0 AND o.kind = 4 AND o.settled = t.id) ORDER BY t.id;

-- name: check_payments() many
-- out: id id, tenant id, driver id, currency text, amount money, refunded money, state int, transfer id, given money
SELECT p.id, p.tenant, p.driver, p.currency, p.amount, p.refunded, p.state, p.transfer,
  (SELECT CAST(COALESCE(sum(o.amount), 0) AS BIGINT) FROM payout o WHERE o.payment = p.id AND o.kind = 2 AND o.state NOT IN (6, 7, 8)) AS given
FROM payment p WHERE p.state IN (3, 6) ORDER BY p.id;

-- name: check_transfers() all
-- out: id id, tenant id, code int, reverses id, currency text, amount money, posted_ms time, legs blob
-- out: order_id id, contract id, cause i64, actor_kind int, actor id, effective_ms time, note text
SELECT id, tenant, code, reverses, currency, amount, posted_ms, legs,
  order_id, contract, cause, actor_kind, actor, effective_ms, note
FROM transfer ORDER BY id;

-- name: check_chain() all
-- out: seq id, first id, last id, n int, at_ms time, hash blob
SELECT seq, first, last, n, at_ms, hash FROM chain ORDER BY seq;

-- name: check_certificates() all
-- out: tenant id, day int, currency text, to_ms time, transfers i64, debits money, credits money, wallets money, parties money
-- out: transit money, rest money, link id, hash text, made_ms time
SELECT tenant, day, currency, to_ms, transfers, debits, credits, wallets, parties, transit, rest, link, hash, made_ms
FROM certificate ORDER BY link, tenant, day, currency;

-- name: check_reversals() many
-- out: reverses id, n i64
SELECT t.reverses, count(*) AS n FROM transfer t
WHERE t.code = 3 GROUP BY t.reverses HAVING count(*) > 1 ORDER BY t.reverses;

-- name: check_holds() all
-- out: id id, tenant id, account id, order_id id, amount money, captured money, released money, state int
-- out: resolved_ms time, order_state int
SELECT h.id, h.tenant, h.account, h.order_id, h.amount, h.captured, h.released, h.state, h.resolved_ms,
  coalesce(o.state, 0) AS order_state
FROM hold h LEFT JOIN orders o ON o.id = h.order_id ORDER BY h.id;

-- name: check_orders() all
-- out: id id, tenant id, state int, hold id, energy_mwh energy, elec money, service money, occupancy money
-- out: total money, paid money, loss money, transfer id, settled_ms time, lines int, parts int, kind int, refunded money, contract id, gift money,
-- out: company id
SELECT id, tenant, state, hold, energy_mwh, elec, service, occupancy, total, paid, loss, transfer,
  settled_ms, lines, parts, kind, refunded, contract, gift, company
FROM orders ORDER BY id;

-- Walked beside the orders; the order stands first.
-- name: check_fee_lines() all
-- out: order_id id, seq int, kind int, energy_mwh energy, price_e5 i64, amount money
SELECT order_id, seq, kind, energy_mwh, price_e5, amount FROM fee_line ORDER BY order_id, seq;

-- name: check_split_parts() all
-- out: order_id id, seq int, transfer id, account id, party id, fee_kind int, base money, ratio int, ratio_sum int
-- out: amount money, tenant id, clause int, passed money, due i64, at_ms time
SELECT order_id, seq, transfer, account, party, fee_kind, base, ratio, ratio_sum, amount, tenant, clause,
  passed, due, at_ms
FROM split_part ORDER BY order_id, seq;

-- name: check_order_transfers() all
-- out: order_id id, id id, tenant id, code int, legs blob
SELECT order_id, id, tenant, code, legs FROM transfer WHERE order_id <> 0 ORDER BY order_id, id;

-- name: check_order_holds() all
-- out: order_id id, id id, state int, captured money, leg_of id
SELECT order_id, id, state, captured, leg_of FROM hold ORDER BY order_id, id;

-- name: check_order_sessions() all
-- out: order_id id, id id, tenant id, state int, energy_mwh energy
SELECT order_id, id, tenant, state, energy_mwh FROM session ORDER BY order_id, id;

-- name: check_orphans() many
-- out: what text, id id
SELECT 'fee_line' AS what, f.order_id AS id FROM fee_line f
WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.id = f.order_id)
UNION ALL
SELECT 'split_part' AS what, p.order_id AS id FROM split_part p
WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.id = p.order_id)
  AND NOT (p.fee_kind = 0 AND EXISTS (SELECT 1 FROM transfer t WHERE t.id = p.order_id AND t.code IN (11, 14, 23)))
UNION ALL
SELECT 'session' AS what, s.id AS id FROM session s
WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.id = s.order_id)
UNION ALL
SELECT 'account_hot' AS what, h.id AS id FROM account_hot h
WHERE NOT EXISTS (SELECT 1 FROM account_cold c WHERE c.id = h.id)
UNION ALL
SELECT 'account_cold' AS what, c.id AS id FROM account_cold c
WHERE NOT EXISTS (SELECT 1 FROM account_hot h WHERE h.id = c.id)
ORDER BY id, what;

-- name: check_stations() many
-- out: id id, tenant id, zone text, tenant_zone text
SELECT s.id, s.tenant, s.zone, coalesce(t.zone, '') AS tenant_zone
FROM station s LEFT JOIN tenant t ON t.id = s.tenant ORDER BY s.id;

-- name: check_station_orders(station id) all
-- out: id id, end_ms time, start_ms time, energy_mwh energy, elec money, service money, occupancy money, paid money
-- out: loss money, state int, kind int
SELECT id, end_ms, start_ms, energy_mwh, elec, service, occupancy, paid, loss, state, kind
FROM orders WHERE station = :station AND state IN (8, 10) AND kind <> 5 AND (kind <> 3 OR driver <> 0) ORDER BY id;

-- name: check_station_days(station id) many
-- out: day int, orders i64, energy_mwh energy, elec money, service money, occupancy money, paid money, loss money
-- out: minutes i64, discharges i64, discharge_mwh energy, discharged money
SELECT day, orders, energy_mwh, elec, service, occupancy, paid, loss, minutes, discharges, discharge_mwh, discharged
FROM stat_day WHERE station = :station ORDER BY day;

-- name: check_contract_parties() many
-- out: contract id, party id, lines int, residue_e i64, residue_s i64, residue_o i64, rounding int
SELECT x.contract, x.party, x.lines, x.residue_e, x.residue_s, x.residue_o, COALESCE(c.rounding, 0)
FROM contract_party x LEFT JOIN contract c ON c.id = x.contract ORDER BY x.contract, x.seq;

-- name: check_contract_clauses() many
-- out: contract id, seq int, kind int, residue_e i64, residue_s i64, residue_o i64, rounding int
SELECT x.contract, x.seq, x.kind, x.residue_e, x.residue_s, x.residue_o, COALESCE(c.rounding, 0)
FROM contract_clause x LEFT JOIN contract c ON c.id = x.contract ORDER BY x.contract, x.seq;

-- name: check_contract_months() many
-- out: party id, posted money
SELECT party, CAST(sum(posted) AS BIGINT) AS posted FROM contract_month GROUP BY party HAVING sum(posted) <> 0 ORDER BY party;

-- name: check_passed() many
-- Orders whose parts passed on another sum than agents and caps got of them.
-- out: order_id id, passed money, got money
SELECT x.order_id, CAST(sum(x.passed) AS BIGINT) AS passed,
       CAST(sum(CASE WHEN k.kind IN (4, 7) THEN x.amount + x.passed ELSE 0 END) AS BIGINT) AS got
FROM split_part x
JOIN orders o ON o.id = x.order_id
LEFT JOIN contract_clause k ON k.contract = o.contract AND k.seq = x.clause
WHERE x.amount >= 0 AND (x.passed <> 0 OR x.clause <> 0)
GROUP BY x.order_id, x.fee_kind
HAVING sum(x.passed) <> sum(CASE WHEN k.kind IN (4, 7) THEN x.amount + x.passed ELSE 0 END)
ORDER BY x.order_id, x.fee_kind;

-- name: check_rounded() many
-- Parts under rules without memory, but the operator's, who takes what is left.
-- out: order_id id, seq int, base money, ratio int, ratio_sum int, amount money, passed money, due i64, kind int, unit i64
SELECT o.id AS order_id, x.seq, x.base, x.ratio, x.ratio_sum, x.amount, x.passed, x.due, COALESCE(k.kind, 0), c.unit
FROM orders o
CROSS JOIN contract c
CROSS JOIN split_part x
LEFT JOIN contract_clause k ON k.contract = o.contract AND k.seq = x.clause
WHERE c.id = o.contract AND c.rounding <> 0 AND x.order_id = o.id AND x.amount >= 0 AND x.party <> c.operator
ORDER BY o.id, x.seq;

-- name: check_positions() many
-- out: party id, taken money, there money
SELECT p.id,
       (SELECT CAST(COALESCE(sum(CASE WHEN o.state = 5 THEN o.amount ELSE o.tax END), 0) AS BIGINT) FROM payout o
        WHERE o.party = p.id AND o.kind IN (1, 3, 4) AND o.state NOT IN (6, 7, 8)) AS taken,
       (SELECT CAST(COALESCE(sum(a.posted_in - a.posted_out), 0) AS BIGINT) FROM account a
        WHERE a.tenant = p.tenant AND a.kind IN (5, 6, 13, 15) AND a.owner = p.id AND a.currency <> '') AS there
FROM party p WHERE p.kind <> 1 ORDER BY p.id;

-- name: check_companies() many
-- out: id id, tenant id, kind int, credit money, advance money, account id, captured money, refunded money, collected money
SELECT k.id, k.tenant, k.kind, k.credit, k.advance, COALESCE(a.id, 0) AS account,
       (SELECT CAST(COALESCE(sum(b.captured), 0) AS BIGINT) FROM company_bill b WHERE b.company = k.id) AS captured,
       (SELECT CAST(COALESCE(sum(b.refunded), 0) AS BIGINT) FROM company_bill b WHERE b.company = k.id) AS refunded,
       (SELECT CAST(COALESCE(sum(b.collected), 0) AS BIGINT) FROM company_bill b WHERE b.company = k.id) AS collected
FROM company k
JOIN tenant t ON t.id = k.tenant
LEFT JOIN account a ON a.tenant = k.tenant AND a.kind = 17 AND a.owner = k.id AND a.currency = t.currency AND a.currency <> ''
ORDER BY k.id;

-- Each order of a company is read once, however many members and months the company has.
-- name: check_company_members() many
-- out: id id, tenant id, company_tenant id, used money, held money, used_orders int, is_used money, is_held money, is_orders i64
SELECT m.id, m.tenant, COALESCE(k.tenant, 0) AS company_tenant, m.used, m.held, m.used_orders, COALESCE(u.amount, 0) AS is_used,
       COALESCE(h.amount, 0) AS is_held, COALESCE(c.n, 0) AS is_orders
FROM company_member m
LEFT JOIN company k ON k.id = m.company
LEFT JOIN (SELECT o.member, CAST(sum(x.amount) AS BIGINT) AS amount
           FROM orders o
           JOIN company_member w ON w.id = o.member AND w.company = o.company
           JOIN split_part x ON x.order_id = o.id AND x.at_ms >= w.from_ms
           WHERE o.company <> 0 GROUP BY o.member) u ON u.member = m.id
LEFT JOIN (SELECT o.member, CAST(sum(x.amount) AS BIGINT) AS amount
           FROM orders o
           JOIN company_member w ON w.id = o.member AND w.company = o.company
           JOIN hold x ON x.order_id = o.id AND x.state = 1
           WHERE o.company <> 0 GROUP BY o.member) h ON h.member = m.id
LEFT JOIN (SELECT o.member, count(*) AS n
           FROM orders o
           JOIN company_member w ON w.id = o.member AND w.company = o.company
           WHERE o.company <> 0 AND o.created_ms >= w.from_ms AND o.state <> 9 AND o.kind <> 2 GROUP BY o.member) c ON c.member = m.id
ORDER BY m.id;

-- name: check_company_bills() many
-- out: id id, tenant id, company_tenant id, kind int, captured money, refunded money, orders int, collected money, state int, issued_ms time, settled_ms time, is_captured money, is_refunded money, is_orders i64
SELECT b.id, b.tenant, COALESCE(k.tenant, 0) AS company_tenant, COALESCE(k.kind, 0) AS kind, b.captured, b.refunded, b.orders, b.collected,
       b.state, b.issued_ms, b.settled_ms, COALESCE(u.captured, 0) AS is_captured, COALESCE(u.refunded, 0) AS is_refunded,
       COALESCE(c.n, 0) AS is_orders
FROM company_bill b
LEFT JOIN company k ON k.id = b.company
LEFT JOIN (SELECT w.id, CAST(sum(CASE WHEN x.amount > 0 THEN x.amount ELSE 0 END) AS BIGINT) AS captured,
                  CAST(-sum(CASE WHEN x.amount < 0 THEN x.amount ELSE 0 END) AS BIGINT) AS refunded
           FROM orders o
           JOIN split_part x ON x.order_id = o.id
           JOIN company_bill w ON w.company = o.company AND x.at_ms >= w.from_ms AND x.at_ms < w.to_ms
           WHERE o.company <> 0 GROUP BY w.id) u ON u.id = b.id
LEFT JOIN (SELECT w.id, count(*) AS n
           FROM (SELECT o.company, min(x.at_ms) AS first_ms
                 FROM orders o
                 JOIN split_part x ON x.order_id = o.id
                 WHERE o.company <> 0 GROUP BY o.id, o.company) f
           JOIN company_bill w ON w.company = f.company AND f.first_ms >= w.from_ms AND f.first_ms < w.to_ms
           GROUP BY w.id) c ON c.id = b.id
ORDER BY b.id;

-- name: check_company_shares() many
-- out: party id, bill id, tenant id, amount money, bill_tenant id, state int, shares money
SELECT m.party, -m.due_ms AS bill, m.tenant, m.amount, COALESCE(b.tenant, 0) AS bill_tenant, COALESCE(b.state, 0) AS state,
       COALESCE(u.amount, 0) AS shares
FROM maturing m
LEFT JOIN company_bill b ON b.id = -m.due_ms
LEFT JOIN (SELECT o.company, x.party, x.due_ms, CAST(sum(x.amount) AS BIGINT) AS amount
           FROM orders o
           JOIN split_part x ON x.order_id = o.id
           WHERE o.company <> 0 AND x.due_ms < 0 GROUP BY o.company, x.party, x.due_ms) u
  ON u.company = b.company AND u.party = m.party AND u.due_ms = m.due_ms
WHERE m.due_ms < 0 ORDER BY m.party, m.due_ms;

-- What the collection of bills set free, a bill and party at a time in the order in which it happened, with the transfer that did.
-- name: check_bill_shares() many
-- out: id id, tenant id, bill id, party id, paid money, lacked money, waited money, amount money, due_ms time, at_ms time
-- out: code int, contract id, transfer_tenant id, posted_ms time, legs blob, bill_tenant id, bill_amount money, collected money, issued_ms time
SELECT s.id, s.tenant, s.bill, s.party, s.paid, s.lacked, s.waited, s.amount, s.due_ms, s.at_ms,
       COALESCE(t.code, 0) AS code, COALESCE(t.contract, 0) AS contract, COALESCE(t.tenant, 0) AS transfer_tenant,
       COALESCE(t.posted_ms, 0) AS posted_ms, t.legs AS legs, COALESCE(b.tenant, 0) AS bill_tenant,
       COALESCE(b.captured - b.refunded, 0) AS bill_amount, COALESCE(b.collected, 0) AS collected, COALESCE(b.issued_ms, 0) AS issued_ms
FROM bill_share s
LEFT JOIN transfer t ON t.id = s.id
LEFT JOIN company_bill b ON b.id = s.bill
ORDER BY s.bill, s.party, s.id;

-- Of each bill and party: what its shares were, what still waits, what was set free; and what the rest can be, which is not more than what
-- the same orders took back and what the party owed.
-- name: check_bill_parties() many
-- out: bill id, party id, shares money, waits money, freed money, rest money
SELECT -u.due_ms AS bill, u.party, u.amount AS shares, COALESCE(m.amount, 0) AS waits, COALESCE(f.amount, 0) AS freed,
       COALESCE(g.amount, 0) + (SELECT CAST(COALESCE(sum(a.posted_in), 0) AS BIGINT) FROM account a
                                WHERE a.tenant = u.tenant AND a.kind = 15 AND a.owner = u.party AND a.currency <> '') AS rest
FROM (SELECT x.tenant, x.party, x.due_ms, CAST(sum(x.amount) AS BIGINT) AS amount
      FROM orders o
      JOIN split_part x ON x.order_id = o.id
      WHERE o.company <> 0 AND x.due_ms < 0 GROUP BY x.tenant, x.party, x.due_ms) u
LEFT JOIN (SELECT y.party, y.due_ms, CAST(-sum(n.amount) AS BIGINT) AS amount
           FROM (SELECT DISTINCT x.order_id, x.party, x.due_ms
                 FROM orders o
                 JOIN split_part x ON x.order_id = o.id
                 WHERE o.company <> 0 AND x.due_ms < 0) y
           JOIN split_part n ON n.order_id = y.order_id AND n.party = y.party AND n.amount < 0
           GROUP BY y.party, y.due_ms) g ON g.party = u.party AND g.due_ms = u.due_ms
LEFT JOIN maturing m ON m.party = u.party AND m.due_ms = u.due_ms
LEFT JOIN (SELECT s.bill, s.party, CAST(sum(s.amount) AS BIGINT) AS amount FROM bill_share s GROUP BY s.bill, s.party) f
  ON f.bill = -u.due_ms AND f.party = u.party
ORDER BY u.due_ms, u.party;

-- name: check_occupancies() all
-- out: id id, tenant id, state int, driver id, connector id, start_ms time, free_ms time, end_ms time, total money, other money
-- out: of_kind int, of_tenant id, of_driver id, of_connector id, of_state int, of_end_ms time, of_settled_ms time
-- out: rule id, rule_tenant id, cap_order money, cap_day money, named id, zone text
SELECT o.id, o.tenant, o.state, o.driver, o.connector, o.start_ms, o.free_ms, o.end_ms, o.total,
  o.elec + o.service + o.energy_mwh AS other,
  COALESCE(p.kind, 0) AS of_kind, COALESCE(p.tenant, 0) AS of_tenant, COALESCE(p.driver, 0) AS of_driver,
  COALESCE(p.connector, 0) AS of_connector, COALESCE(p.state, 0) AS of_state, COALESCE(p.end_ms, 0) AS of_end_ms,
  COALESCE(p.settled_ms, 0) AS of_settled_ms, COALESCE(r.id, 0) AS rule, COALESCE(r.tenant, 0) AS rule_tenant,
  COALESCE(r.cap_order, 0) AS cap_order, COALESCE(r.cap_day, 0) AS cap_day, COALESCE(k.occupancy, 0) AS named,
  COALESCE(NULLIF(s.zone, ''), t.zone, '') AS zone
FROM orders o
LEFT JOIN orders p ON p.id = o.linked
LEFT JOIN occupancy_rule r ON r.id = o.rule
LEFT JOIN connector k ON k.id = o.connector
LEFT JOIN station s ON s.id = o.station
LEFT JOIN tenant t ON t.id = o.tenant
WHERE o.kind = 2 ORDER BY o.id;

-- name: check_occupancy_lines(order_id id) many
-- out: seq int, kind int, label text, from_ms time, to_ms time, price_e5 i64, amount money
SELECT seq, kind, label, from_ms, to_ms, price_e5, amount FROM fee_line WHERE order_id = :order_id ORDER BY seq;

-- name: check_occupancy_windows(rule id) many
-- out: from_min int, to_min int, price money
SELECT from_min, to_min, price FROM occupancy_window WHERE rule = :rule ORDER BY seq;

-- name: check_occupied() many
-- out: id id, occupancy id, kind int, state int, connector id
SELECT k.id, k.occupancy, COALESCE(o.kind, 0) AS kind, COALESCE(o.state, 0) AS state, COALESCE(o.connector, 0) AS connector
FROM connector k LEFT JOIN orders o ON o.id = k.occupancy
WHERE k.occupancy <> 0 ORDER BY k.id;

-- name: check_gifts() many
-- out: driver id, given money, lost money, noted money
SELECT d.id AS driver, CAST(COALESCE(sum(p.gift - p.gift_back), 0) AS BIGINT) AS given, d.gift_lost AS lost,
  CAST(COALESCE(sum(p.gift_lost), 0) AS BIGINT) AS noted
FROM driver d LEFT JOIN payment p ON p.driver = d.id AND p.state = 3 AND p.gift > 0
WHERE p.id IS NOT NULL OR d.gift_lost <> 0 GROUP BY d.id, d.gift_lost ORDER BY d.id;

-- name: check_gift_lots() many
-- out: id id, gift money, gone money
SELECT id, gift, gift_back + gift_lost AS gone FROM payment
WHERE gift < 0 OR gift_back < 0 OR gift_lost < 0 OR gift_back + gift_lost > gift ORDER BY id;

-- name: check_hold_legs() many
-- out: id id, leg_of id
SELECT h.id, h.leg_of FROM hold h LEFT JOIN hold f ON f.id = h.leg_of
WHERE h.leg_of <> 0 AND (f.id IS NULL OR f.leg_of <> 0 OR f.order_id <> h.order_id OR f.state <> h.state)
ORDER BY h.id;

-- name: check_singles() many
-- out: id id, state int, driver id, payment id, payer id, amount money, refunded money, taken money, bound int
SELECT o.id, o.state, o.driver, COALESCE(p.id, 0) AS payment, COALESCE(p.driver, 0) AS payer,
  COALESCE(p.amount, 0) AS amount, COALESCE(p.refunded, 0) AS refunded, o.paid - o.refunded AS taken,
  COALESCE(p.bound, 0) AS bound
FROM orders o LEFT JOIN payment p ON p.id = o.payment WHERE o.payer_kind = 2 ORDER BY o.id;

-- name: check_parts() all
-- out: id id, kind int, tenant id, charger id, connector id, state int, amounts i64, energy_mwh energy, doubt_mwh energy, session energy
-- out: m_id id, m_kind int, m_tenant id, m_charger id, m_connector id, m_state int, m_part id, m_energy_mwh energy, m_doubt_mwh energy, m_session energy
-- out: allot money, m_allot money, m_cap money
SELECT p.id, p.kind, p.tenant, p.charger, p.connector, p.state,
  CASE WHEN p.payer_kind <> 0 OR p.driver <> 0 OR p.cap <> 0 OR p.hold <> 0 OR p.elec <> 0 OR p.service <> 0 OR p.occupancy <> 0
         OR p.total <> 0 OR p.paid <> 0 OR p.refunded <> 0 OR p.loss <> 0 OR p.transfer <> 0 OR p.lines <> 0 OR p.parts <> 0
         OR p.company <> 0 OR p.invoice <> 0 OR p.invoice_more <> 0 OR p.gift <> 0 OR p.payment <> 0 THEN 1 ELSE 0 END AS amounts,
  p.energy_mwh, p.doubt_mwh,
  (SELECT CAST(COALESCE(sum(s.energy_mwh), 0) AS BIGINT) FROM session s WHERE s.order_id = p.id) AS session,
  COALESCE(m.id, 0) AS m_id, COALESCE(m.kind, 0) AS m_kind, COALESCE(m.tenant, 0) AS m_tenant, COALESCE(m.charger, 0) AS m_charger,
  COALESCE(m.connector, 0) AS m_connector, COALESCE(m.state, 0) AS m_state, COALESCE(m.part, 0) AS m_part,
  COALESCE(m.energy_mwh, 0) AS m_energy_mwh, COALESCE(m.doubt_mwh, 0) AS m_doubt_mwh,
  (SELECT CAST(COALESCE(sum(s.energy_mwh), 0) AS BIGINT) FROM session s WHERE s.order_id = m.id) AS m_session,
  p.allot, COALESCE(m.allot, 0) AS m_allot, COALESCE(m.cap, 0) AS m_cap
FROM orders p LEFT JOIN orders m ON m.id = p.part_of
WHERE p.part_of <> 0 OR p.kind = 5 ORDER BY p.id;

-- name: check_parts_alone() all
-- out: id id, kind int, part id
SELECT o.id, o.kind, o.part FROM orders o LEFT JOIN orders p ON p.id = o.part
WHERE (o.part <> 0 OR (o.allot <> 0 AND o.part_of = 0)) AND COALESCE(p.part_of, 0) <> o.id ORDER BY o.id;

-- Payments for discharges and their lots; each has the other. The transfer's amount is what the driver got.
-- name: check_discharge_lots() many
-- out: id id, transfer id
SELECT COALESCE(p.id, 0) AS id, t.id AS transfer
FROM transfer t
LEFT JOIN payment p ON p.transfer = t.id AND p.method = 5
LEFT JOIN orders o ON o.id = t.order_id
WHERE t.code = 18 AND (p.id IS NULL OR o.id IS NULL OR o.kind <> 3 OR p.amount <> t.amount OR p.order_id <> t.order_id
  OR p.driver <> o.driver OR p.tenant <> t.tenant OR p.currency <> t.currency OR p.state <> 3 OR p.channel <> 0)
UNION ALL
SELECT p.id AS id, p.transfer AS transfer
FROM payment p LEFT JOIN transfer t ON t.id = p.transfer
WHERE p.method = 5 AND (t.id IS NULL OR t.code <> 18)
ORDER BY transfer, id;

-- What drivers were paid, beside the account that it came from.
-- name: check_discharge_paid() many
-- out: id id, balance money, paid money
SELECT a.id, a.posted_in - a.posted_out AS balance, CAST(COALESCE(sum(o.paid), 0) AS BIGINT) AS paid
FROM account a
LEFT JOIN orders o ON o.tenant = a.tenant AND o.kind = 3 AND o.currency = a.currency
WHERE a.kind = 18 GROUP BY a.id, a.posted_in, a.posted_out ORDER BY a.id;

-- What of a party's withdrawals counts in its day (payout_check), and payouts in doubt that nobody can look at.
-- name: check_asked_days() many
-- out: id id, day int, sum money, is_sum money
SELECT p.id, p.asked_day, p.asked_sum,
       (SELECT CAST(COALESCE(sum(o.amount), 0) AS BIGINT) FROM payout o
        WHERE o.party = p.id AND o.asked_day = p.asked_day AND o.asked_day <> 0 AND o.kind = 1 AND o.state NOT IN (6, 7, 8)) AS is_sum
FROM party p WHERE p.asked_day <> 0 OR p.asked_sum <> 0 ORDER BY p.id;

-- name: check_doubts() many
-- out: id id, state int, doubt int, said money
SELECT id, state, doubt, said FROM payout WHERE doubt <> 0 AND (state <> 9 OR doubt NOT IN (1, 2, 3) OR (doubt = 1 AND said = 0) OR (doubt = 2 AND said <> 0))
ORDER BY id;

-- What one person asked for and approved, himself or by a key that he made.
-- name: check_hands() many
-- out: id id, checked_by id
SELECT o.id, o.checked_by FROM payout o LEFT JOIN api_key k ON k.id = o.asked_by AND o.asked_kind = 4
WHERE o.checked_by <> 0 AND (o.checked_by = o.asked_by OR COALESCE(k.made_by, 0) = o.checked_by)
UNION ALL
SELECT id, checked_by FROM party_account WHERE checked_by <> 0 AND checked_by = asked_by
ORDER BY 1;

-- Closed accounts that somebody still asks to close.
-- name: check_closed() many
-- out: id id, close_by id
SELECT id, close_by FROM driver WHERE state = 2 AND phone = '' AND close_by <> 0 ORDER BY id;

-- Files for a bank against their rows: how many, and what they come to.
-- name: check_pay_files() many
-- out: id id, n int, amount money, is_n i64, is_amount money
SELECT f.id, f.n, f.amount, count(r.payout) AS is_n, CAST(COALESCE(sum(r.amount), 0) AS BIGINT) AS is_amount
FROM pay_file f LEFT JOIN pay_file_row r ON r.file = f.id GROUP BY f.id, f.n, f.amount ORDER BY f.id;

-- What stands in a file and is not what its payout says: the payout names another file or none, is of another channel, or the bank is told
-- to pay something else. And a payout that names a file in which it does not stand, or that never was approved.
-- name: check_pay_file_rows() many
-- out: id id, file id, row_file id
SELECT r.payout AS id, COALESCE(o.file, 0) AS file, r.file AS row_file
FROM pay_file_row r LEFT JOIN payout o ON o.id = r.payout LEFT JOIN pay_file f ON f.id = r.file
WHERE f.id IS NULL OR o.id IS NULL OR r.tenant <> o.tenant OR r.tenant <> f.tenant OR o.channel <> f.channel OR o.currency <> f.currency
   OR r.amount <> o.amount - o.fee - o.tax OR r.payee <> o.payee OR r.payee_name <> o.payee_name OR r.amount <= 0
   OR (r.out_ms = 0 AND o.file <> r.file)
UNION ALL
SELECT o.id, o.file, COALESCE(r.file, 0) AS row_file
FROM payout o LEFT JOIN pay_file_row r ON r.file = o.file AND r.payout = o.id AND r.out_ms = 0
WHERE o.file <> 0 AND (r.payout IS NULL OR o.state NOT IN (2, 5, 6))
ORDER BY id, row_file;

-- What was taken out, or failed in its file, by whoever made the file or asked for the payout, himself or by his key; and half taken out.
-- name: check_pay_file_hands() many
-- out: id id, out_by id, out_ms time, file id
SELECT r.payout AS id, r.out_by, r.out_ms, r.file
FROM pay_file_row r
JOIN pay_file f ON f.id = r.file
LEFT JOIN payout o ON o.id = r.payout
LEFT JOIN api_key k ON k.id = f.made_by AND f.made_kind = 4
LEFT JOIN api_key a ON a.id = o.asked_by AND o.asked_kind = 4
WHERE (r.out_by = 0 AND (r.out_ms <> 0 OR r.out_note <> '')) OR (r.out_by <> 0 AND (r.out_ms < f.made_ms OR r.out_note = ''
   OR r.out_by = f.made_by OR r.out_by = COALESCE(k.made_by, 0) OR r.out_by = COALESCE(o.asked_by, 0) OR r.out_by = COALESCE(a.made_by, 0)))
UNION ALL
SELECT o.id, o.checked_by, o.done_ms, o.file
FROM payout o
JOIN pay_file f ON f.id = o.file
LEFT JOIN api_key k ON k.id = f.made_by AND f.made_kind = 4
LEFT JOIN api_key a ON a.id = o.asked_by AND o.asked_kind = 4
WHERE o.state = 6 AND o.checked_by IN (0, f.made_by, o.asked_by, COALESCE(k.made_by, 0), COALESCE(a.made_by, 0))
ORDER BY id, file, out_ms;
