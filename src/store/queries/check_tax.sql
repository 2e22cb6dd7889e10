-- SPDX-License-Identifier: Apache-2.0
-- What `even check` reads of tax withheld of persons (check_tax.c). Payouts in 6, 7, 8 came to nothing, when `settled` was posted.

-- name: check_tax_rates() many
-- out: rule id, tenant id, from_ms time, deduct money, deduct_bp int, seq int, above money, rate_bp int
SELECT r.id, r.tenant, r.from_ms, r.deduct, r.deduct_bp, k.seq, k.above, k.rate_bp
FROM withhold_rule r JOIN withhold_rate k ON k.rule = r.id ORDER BY r.id, k.seq;

-- What a payout was withheld by, and what its person had been approved and withheld in the month until then.
-- name: check_tax_payouts() many
-- out: id id, tenant id, rule id, amount money, fee money, tax money, tax_base money, tax_had money, is_base money, is_had money,
-- out: withheld id, posted money, kind int, party id
SELECT o.id, o.tenant, o.tax_rule, o.amount, o.fee, o.tax, o.tax_base, o.tax_had,
       o.amount + (SELECT CAST(COALESCE(sum(x.amount), 0) AS BIGINT) FROM payout x
                   WHERE x.party = o.party AND x.tax_month = o.tax_month AND x.tax_at <> 0 AND x.tax_at < o.tax_at
                     AND (x.state NOT IN (6, 7, 8) OR x.settled > o.tax_at)) AS is_base,
       (SELECT CAST(COALESCE(sum(x.tax), 0) AS BIGINT) FROM payout x
        WHERE x.party = o.party AND x.tax_month = o.tax_month AND x.tax_at <> 0 AND x.tax_at < o.tax_at
          AND (x.state NOT IN (6, 7, 8) OR x.settled > o.tax_at)) AS is_had,
       o.withheld, COALESCE((SELECT t.amount FROM transfer t WHERE t.id = o.withheld AND t.code = 20), 0) AS posted, o.kind, o.party
FROM payout o WHERE o.tax_at <> 0 OR o.tax <> 0 OR o.tax_rule <> 0 ORDER BY o.id;

-- name: check_tax_months() many
-- out: id id, tenant id, withheld money, paid money, is_withheld money, is_paid money
SELECT m.id, m.tenant, m.withheld, m.paid,
       (SELECT CAST(COALESCE(sum(o.tax), 0) AS BIGINT) FROM payout o
        WHERE o.tenant = m.tenant AND o.tax_month = m.month AND o.state NOT IN (6, 7, 8)) AS is_withheld,
       (SELECT CAST(COALESCE(sum(p.amount), 0) AS BIGINT) FROM tax_paid p WHERE p.tenant = m.tenant AND p.month = m.month) AS is_paid
FROM tax_month m ORDER BY m.id;

-- Of a tenant: its tax account, and what its payouts and the office's receipts come to.
-- name: check_tax_accounts() many
-- out: tenant id, there money, withheld money, paid money, months money
SELECT t.id,
       (SELECT CAST(COALESCE(sum(a.posted_in - a.posted_out), 0) AS BIGINT) FROM account a WHERE a.tenant = t.id AND a.kind = 14) AS there,
       (SELECT CAST(COALESCE(sum(o.tax), 0) AS BIGINT) FROM payout o WHERE o.tenant = t.id AND o.state NOT IN (6, 7, 8)) AS withheld,
       (SELECT CAST(COALESCE(sum(p.amount), 0) AS BIGINT) FROM tax_paid p WHERE p.tenant = t.id) AS paid,
       (SELECT CAST(COALESCE(sum(m.withheld - m.paid), 0) AS BIGINT) FROM tax_month m WHERE m.tenant = t.id) AS months
FROM tenant t ORDER BY t.id;

-- name: check_tax_receipts() many
-- out: id id, amount money, posted money
SELECT p.id, p.amount, COALESCE((SELECT t.amount FROM transfer t WHERE t.id = p.transfer AND t.code = 22), 0) AS posted
FROM tax_paid p ORDER BY p.id;

-- name: check_tax_parties() many
-- out: id id, sum money, held money, is_sum money, is_held money
SELECT p.id, p.tax_sum, p.tax_held,
       (SELECT CAST(COALESCE(sum(o.amount), 0) AS BIGINT) FROM payout o
        WHERE o.party = p.id AND o.tax_month = p.tax_month AND o.tax_at <> 0 AND o.state NOT IN (6, 7, 8)) AS is_sum,
       (SELECT CAST(COALESCE(sum(o.tax), 0) AS BIGINT) FROM payout o
        WHERE o.party = p.id AND o.tax_month = p.tax_month AND o.tax_at <> 0 AND o.state NOT IN (6, 7, 8)) AS is_held
FROM party p WHERE p.tax_month <> 0 OR p.tax_sum <> 0 OR p.tax_held <> 0 ORDER BY p.id;
