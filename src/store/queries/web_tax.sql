-- SPDX-License-Identifier: Apache-2.0
-- Tax withheld of payouts to persons, for the web front. Certificate numbers are masked unless `whole` is 1.

-- name: web_tax_rules(tenant id) many
-- out: id id, name text, from_ms time, deduct money, deduct_bp int, created_ms time
SELECT id, name, from_ms, deduct, deduct_bp, created_ms FROM withhold_rule WHERE tenant = :tenant ORDER BY from_ms DESC, id DESC LIMIT 1000;

-- name: web_tax_rates(tenant id) many
-- out: rule id, above money, rate_bp int
SELECT k.rule, k.above, k.rate_bp FROM withhold_rate k JOIN withhold_rule r ON r.id = k.rule WHERE r.tenant = :tenant ORDER BY k.rule, k.seq;

-- name: web_tax_party(tenant id, of_party id) one
-- out: kind int, payee_kind int, tax_month int, tax_sum money, tax_held money, payout_fee money
SELECT p.kind, p.payee_kind, p.tax_month, p.tax_sum, p.tax_held, t.payout_fee
FROM party p JOIN tenant t ON t.id = p.tenant WHERE p.id = :of_party AND p.tenant = :tenant;

-- name: tax_months(tenant id, after id, lim int) many
-- out: id id, month int, withheld money, paid money, persons i64
SELECT m.id, m.month, m.withheld, m.paid,
       (SELECT count(DISTINCT o.party) FROM payout o
        WHERE o.tenant = m.tenant AND o.tax_month = m.month AND o.tax_rule <> 0 AND o.state NOT IN (6, 7, 8))
FROM tax_month m WHERE m.tenant = :tenant AND m.id < :after ORDER BY m.id DESC LIMIT :lim;

-- Who was paid in a month and what was withheld of it: what came to nothing counts nowhere.
-- name: web_tax_persons(tenant id, of_month int, whole int) many
-- out: party id, party_name text, payee_name text, cert text, payouts i64, amount money, tax money
SELECT p.id, p.name, CASE WHEN :whole = 1 OR length(p.payee_name) < 2 THEN p.payee_name ELSE substr(p.payee_name, 1, 1) || '**' END,
       CASE WHEN :whole = 1 OR length(p.payee_cert) < 5 THEN p.payee_cert ELSE '****' || substr(p.payee_cert, length(p.payee_cert) - 3, 4) END,
       s.payouts, s.amount, s.tax
FROM (SELECT o.party AS party, count(*) AS payouts, CAST(sum(o.amount) AS BIGINT) AS amount, CAST(sum(o.tax) AS BIGINT) AS tax
      FROM payout o
      WHERE o.tenant = :tenant AND o.tax_month = :of_month AND o.tax_rule <> 0 AND o.state NOT IN (6, 7, 8)
      GROUP BY o.party) s
JOIN party p ON p.id = s.party
ORDER BY p.id LIMIT 100000;

-- name: tax_receipts(tenant id, after id, lim int) many
-- out: id id, month int, bank id, bank_name text, amount money, number text, note text, transfer id, made_ms time
SELECT x.id, x.month, x.bank, COALESCE(c.name, ''), x.amount, x.number, x.note, x.transfer, x.made_ms
FROM tax_paid x LEFT JOIN channel c ON c.id = x.bank
WHERE x.tenant = :tenant AND x.id < :after ORDER BY x.id DESC LIMIT :lim;
