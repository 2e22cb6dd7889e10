-- SPDX-License-Identifier: Apache-2.0
-- What `even check` reads of invoices.

-- name: check_invoices() many
-- out: id id, red_of id, state int, amount money, tax money, back money, lines money, rest money, taxes money, orders money, orders_rest money, number text
SELECT v.id, v.red_of, v.state, v.amount, v.tax, v.back,
       (SELECT CAST(COALESCE(sum(l.amount), 0) AS BIGINT) FROM invoice_line l WHERE l.invoice = v.id) AS lines,
       (SELECT CAST(COALESCE(sum(l.rest), 0) AS BIGINT) FROM invoice_line l WHERE l.invoice = v.id) AS rest,
       (SELECT CAST(COALESCE(sum(l.tax), 0) AS BIGINT) FROM invoice_line l WHERE l.invoice = v.id) AS taxes,
       (SELECT CAST(COALESCE(sum(o.elec + o.service + o.occupancy), 0) AS BIGINT) FROM invoice_order o
        WHERE o.invoice = v.id) AS orders,
       (SELECT CAST(COALESCE(sum(o.rest_elec + o.rest_service + o.rest_occupancy), 0) AS BIGINT) FROM invoice_order o
        WHERE o.invoice = v.id) AS orders_rest,
       v.number
FROM invoice v ORDER BY v.id;

-- name: check_invoice_lines() many
-- out: id id, red_of id, state int, kind int, tax_bp int, amount money, net money, tax money, rest money, red money, red_net money
SELECT l.invoice, v.red_of, v.state, l.kind, l.tax_bp, l.amount, l.net, l.tax, l.rest,
       (SELECT CAST(COALESCE(sum(x.amount), 0) AS BIGINT) FROM invoice r JOIN invoice_line x ON x.invoice = r.id
        WHERE r.red_of = v.id AND r.red_of <> 0 AND x.kind = l.kind AND x.tax_bp = l.tax_bp) AS red,
       (SELECT CAST(COALESCE(sum(x.net), 0) AS BIGINT) FROM invoice r JOIN invoice_line x ON x.invoice = r.id
        WHERE r.red_of = v.id AND r.red_of <> 0 AND x.kind = l.kind AND x.tax_bp = l.tax_bp) AS red_net
FROM invoice_line l
JOIN invoice v ON v.id = l.invoice
ORDER BY l.invoice, l.seq;

-- name: check_invoice_orders() many
-- out: id id, paid money, refunded money, invoice id, paper money, invoices i64, unnamed i64, strangers i64
SELECT i.order_id, COALESCE(min(o.paid), 0), COALESCE(min(o.refunded), 0), COALESCE(min(o.invoice), 0),
       CAST(COALESCE(sum(CASE WHEN v.red_of = 0 AND v.state <= 3 THEN i.rest_elec + i.rest_service + i.rest_occupancy
                              ELSE 0 END), 0) AS BIGINT) AS paper,
       count(CASE WHEN v.red_of = 0 AND v.state <= 3 AND i.rest_elec + i.rest_service + i.rest_occupancy > 0 THEN 1 END) AS invoices,
       count(CASE WHEN v.red_of = 0 AND v.state <= 3 AND i.rest_elec + i.rest_service + i.rest_occupancy > 0
                    AND v.id <> o.invoice AND v.id <> o.invoice_more THEN 1 END) AS unnamed,
       count(CASE WHEN o.id IS NULL OR v.id IS NULL OR v.tenant <> o.tenant OR v.driver <> o.driver OR v.seller <> o.seller
                    OR v.currency <> o.currency THEN 1 END) AS strangers
FROM invoice_order i
LEFT JOIN invoice v ON v.id = i.invoice
LEFT JOIN orders o ON o.id = i.order_id
GROUP BY i.order_id ORDER BY i.order_id;

-- name: check_invoice_named() many
-- out: id id, invoice id, state int, red_of id, alone int
SELECT o.id AS id, o.invoice AS invoice, COALESCE(v.state, 0) AS state, COALESCE(v.red_of, 0) AS red_of, 0 AS alone
FROM orders o
LEFT JOIN invoice v ON v.id = o.invoice
WHERE o.invoice <> 0
UNION ALL
SELECT o.id, o.invoice_more, COALESCE(v.state, 0), COALESCE(v.red_of, 0), CASE WHEN o.invoice = 0 OR o.invoice = o.invoice_more THEN 1 ELSE 0 END
FROM orders o
LEFT JOIN invoice v ON v.id = o.invoice_more
WHERE o.invoice_more <> 0
ORDER BY id, invoice, alone;
