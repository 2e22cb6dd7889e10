-- SPDX-License-Identifier: Apache-2.0
-- Companies that pay for their members, for the web front. Contacts and phones are masked unless `clear` is 1. Who is of one
-- station only sees none of it.

-- part: company_row
-- out: id id, name text, tax_no text, kind int, credit money, overrun int, bill_day int, contact text, phone text, account id, balance money, held money, free money, advance money, unbilled money, owed money, overdue money, members i64, state int, version int, created_ms time, overdue_days int, stopped bool
SELECT k.id, k.name, k.tax_no, k.kind, k.credit, k.overrun, k.bill_day,
       CASE WHEN :clear = 1 THEN k.contact ELSE substr(k.contact, 1, 1) || '**' END,
       CASE WHEN :clear = 1 THEN k.phone ELSE substr(k.phone, 1, 3) || '****' END,
       COALESCE(a.id, 0), COALESCE(a.posted_in - a.posted_out, 0), COALESCE(a.held, 0),
       CASE WHEN COALESCE(a.posted_in - a.posted_out - a.held, 0) + k.credit > 0 THEN COALESCE(a.posted_in - a.posted_out - a.held, 0) + k.credit
            ELSE 0 END,
       k.advance,
       (SELECT CAST(COALESCE(sum(b.captured - b.refunded), 0) AS BIGINT) FROM company_bill b WHERE b.company = k.id AND b.state = 1),
       (SELECT CAST(COALESCE(sum(b.captured - b.refunded - b.collected), 0) AS BIGINT) FROM company_bill b WHERE b.company = k.id AND b.state IN (2, 3)),
       (SELECT CAST(COALESCE(sum(b.captured - b.refunded - b.collected), 0) AS BIGINT) FROM company_bill b
        WHERE b.company = k.id AND b.state IN (2, 3) AND b.due_ms <= :now_ms),
       (SELECT count(*) FROM company_member m WHERE m.company = k.id AND m.state <> 2), k.state, k.version, k.created_ms, k.overdue_days,
       CASE WHEN k.overdue_days > 0 AND EXISTS (SELECT 1 FROM company_bill b WHERE b.company = k.id AND b.state IN (2, 3)
            AND b.due_ms <= :now_ms - CAST(k.overdue_days AS BIGINT) * 86400000) THEN 1 ELSE 0 END
FROM company k
JOIN tenant t ON t.id = k.tenant
LEFT JOIN account a ON a.tenant = k.tenant AND a.kind = 17 AND a.owner = k.id AND a.currency = t.currency AND a.currency <> ''

-- name: companies(tenant id, scope id, after id, lim int, clear int, now_ms time) many
-- use: company_row
WHERE k.tenant = :tenant AND :scope = 0 AND k.state <> 2 AND k.id < :after
ORDER BY k.id DESC LIMIT :lim;

-- name: company_get(tenant id, scope id, id id, clear int, now_ms time) one
-- use: company_row
WHERE k.id = :id AND k.tenant = :tenant AND :scope = 0;

-- name: company_overdue_days(tenant id, id id) one
-- out: days int
SELECT overdue_days FROM company WHERE id = :id AND tenant = :tenant;

-- name: company_members(tenant id, scope id, id id, after id, lim int, now_ms time) many
-- out: id id, driver id, driver_phone text, driver_name text, token id, tag text, token_kind int, name text, plate text, cards bool, month_most money, order_most money, month_mwh energy, month_orders int, stations text, used money, used_mwh energy, used_orders int, held money, state int, version int, created_ms time
SELECT m.id, m.driver, COALESCE(substr(d.phone, 1, 3) || '****' || substr(d.phone, length(d.phone) - 1, 2), ''), COALESCE(d.name, ''),
       m.token, COALESCE(x.tag, ''), COALESCE(x.kind, 0), m.name, m.plate, m.cards, m.month_most, m.order_most, m.month_mwh, m.month_orders,
       m.stations, CASE WHEN m.to_ms > :now_ms THEN m.used ELSE 0 END, CASE WHEN m.to_ms > :now_ms THEN m.used_mwh ELSE 0 END,
       CASE WHEN m.to_ms > :now_ms THEN m.used_orders ELSE 0 END, m.held, m.state, m.version, m.created_ms
FROM company_member m
LEFT JOIN driver d ON d.id = m.driver
LEFT JOIN token x ON x.id = m.token
WHERE m.company = :id AND m.tenant = :tenant AND :scope = 0 AND m.state <> 2 AND m.id < :after
ORDER BY m.id DESC LIMIT :lim;

-- name: web_company_member_row(tenant id, id id) one
-- out: id id, tenant id, company id, driver id, token id
SELECT id, tenant, company, driver, token FROM company_member WHERE id = :id AND tenant = :tenant;

-- name: company_orders(tenant id, scope id, id id, after id, lim int) many
-- use: order_row
WHERE o.company = :id AND o.company <> 0 AND o.tenant = :tenant AND :scope = 0 AND o.id < :after
ORDER BY o.id DESC LIMIT :lim;

-- part: company_bill_row
-- out: id id, company id, month int, from_ms time, to_ms time, currency text, captured money, refunded money, amount money, collected money, orders int, state int, overdue bool, over bool, due_ms time, note text, issued_ms time, settled_ms time, version int
SELECT b.id, b.company, b.month, b.from_ms, b.to_ms, b.currency, b.captured, b.refunded, b.captured - b.refunded, b.collected, b.orders, b.state,
       CASE WHEN b.state IN (2, 3) AND b.due_ms <= :now_ms THEN 1 ELSE 0 END,
       CASE WHEN b.state = 1 AND b.to_ms + 300000 <= :now_ms THEN 1 ELSE 0 END, b.due_ms, b.note, b.issued_ms, b.settled_ms, b.version
FROM company_bill b

-- name: company_bills(tenant id, scope id, id id, after id, lim int, now_ms time) many
-- use: company_bill_row
WHERE b.company = :id AND b.tenant = :tenant AND :scope = 0 AND b.id < :after
ORDER BY b.id DESC LIMIT :lim;

-- name: web_company_bill(tenant id, scope id, id id, now_ms time) one
-- use: company_bill_row
WHERE b.id = :id AND b.tenant = :tenant AND :scope = 0;

-- name: web_company_bill_orders(tenant id, company id, from_ms time, to_ms time) many
-- out: order_id id, at_ms time, station_name text, member text, energy_mwh energy, captured money, refunded money
SELECT o.id, min(x.at_ms), COALESCE(min(s.name), ''),
       COALESCE(min(CASE WHEN m.plate <> '' THEN m.plate ELSE m.name END), ''), min(o.energy_mwh),
       CAST(sum(CASE WHEN x.amount > 0 THEN x.amount ELSE 0 END) AS BIGINT),
       CAST(-sum(CASE WHEN x.amount < 0 THEN x.amount ELSE 0 END) AS BIGINT)
FROM orders o
JOIN split_part x ON x.order_id = o.id
LEFT JOIN station s ON s.id = o.station
LEFT JOIN company_member m ON m.id = o.member
WHERE o.company = :company AND o.company <> 0 AND o.tenant = :tenant AND x.at_ms >= :from_ms AND x.at_ms < :to_ms
GROUP BY o.id
ORDER BY min(x.at_ms), o.id LIMIT 100000;

-- name: my_company(tenant id, actor id, now_ms time) many
-- out: member id, company_name text, active bool, month_most money, order_most money, used money, held money
SELECT m.id, k.name, CASE WHEN m.state = 0 AND k.state = 0 THEN 1 ELSE 0 END, m.month_most, m.order_most,
       CASE WHEN m.to_ms > :now_ms THEN m.used ELSE 0 END, m.held
FROM company_member m
JOIN company k ON k.id = m.company
WHERE m.tenant = :tenant AND m.driver = :actor AND m.token = 0 AND m.state <> 2
ORDER BY m.id LIMIT 1;
