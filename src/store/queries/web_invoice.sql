-- SPDX-License-Identifier: Apache-2.0
-- Invoices, for the web front. Titles, tax numbers and addresses are personal: routes that show them to staff ask for invoice.read.

-- What of an order is not on an invoice: all of it, or what its true end added since it is on one (further 1). Gift money is on none.
-- name: me_invoiceable(tenant id, actor id, after id, lim int) many
-- out: id id, station_name text, seller text, currency text, zone text, energy_mwh energy, amount money, start_ms time, end_ms time, further int
SELECT o.id, COALESCE(s.name, ''), o.seller, o.currency, COALESCE(s.zone, ''), o.energy_mwh,
       o.paid - o.refunded - o.gift - COALESCE(i.rest_elec + i.rest_service + i.rest_occupancy, 0), o.start_ms, o.end_ms,
       CASE WHEN o.invoice <> 0 THEN 1 ELSE 0 END
FROM orders o
LEFT JOIN station s ON s.id = o.station
LEFT JOIN invoice_order i ON i.invoice = o.invoice AND i.order_id = o.id AND o.invoice <> 0
WHERE o.driver = :actor AND o.tenant = :tenant AND o.state = 8 AND o.payer_kind IN (1, 2) AND o.invoice_more = 0
  AND o.paid - o.refunded - o.gift > COALESCE(i.rest_elec + i.rest_service + i.rest_occupancy, 0)
  AND (o.invoice = 0 OR i.rest_elec + i.rest_service + i.rest_occupancy > 0) AND o.id < :after
ORDER BY o.id DESC LIMIT :lim;

-- Who is invoiced is seen by himself and by whoever may see drivers.
-- part: invoice_row
-- out: id id, driver id, red_of id, red_of_number text, state int, seller text, buyer int, title text, tax_no text, email text, currency text, amount money, tax money, back money, orders int, number text, issued_on int, note text, created_ms time, exported_ms time, decided_ms time, version int
SELECT v.id, v.driver, v.red_of, COALESCE(b.number, ''), v.state, v.seller, v.buyer,
       CASE WHEN :clear = 1 OR v.driver = :actor THEN v.title ELSE substr(v.title, 1, 1) || '**' END,
       CASE WHEN :clear = 1 OR v.driver = :actor OR v.tax_no = '' THEN v.tax_no
            WHEN length(v.tax_no) < 5 THEN '****' ELSE '****' || substr(v.tax_no, length(v.tax_no) - 3, 4) END,
       CASE WHEN :clear = 1 OR v.driver = :actor THEN v.email ELSE '' END,
       v.currency, v.amount, v.tax, v.back, v.orders, v.number, v.issued_on, v.note, v.created_ms, v.exported_ms, v.decided_ms, v.version
FROM invoice v
LEFT JOIN invoice b ON b.id = v.red_of

-- name: me_invoices(tenant id, actor id, after id, lim int, clear int) many
-- use: invoice_row
WHERE v.driver = :actor AND v.tenant = :tenant AND v.id < :after
ORDER BY v.id DESC LIMIT :lim;

-- name: invoices(tenant id, actor id, after id, lim int, state int, driver id, clear int) many
-- use: invoice_row
WHERE v.tenant = :tenant AND (:state < 0 OR v.state = :state) AND (:driver = 0 OR v.driver = :driver) AND v.id < :after
ORDER BY v.id DESC LIMIT :lim;

-- name: web_invoice(tenant id, actor id, id id, of_driver id, clear int) one
-- use: invoice_row
WHERE v.id = :id AND v.tenant = :tenant AND (:of_driver = 0 OR v.driver = :of_driver);

-- name: web_invoice_reds(id id, actor id, clear int) many
-- use: invoice_row
WHERE v.red_of = :id AND v.red_of <> 0
ORDER BY v.id LIMIT 200;

-- name: web_invoice_lines(id id) many
-- out: seq int, kind int, tax_bp int, amount money, net money, tax money, rest money
SELECT seq, kind, tax_bp, amount, net, tax, rest FROM invoice_line WHERE invoice = :id ORDER BY seq;

-- name: web_invoice_orders(id id) many
-- out: order_id id, station_name text, end_ms time, elec money, service money, occupancy money, rest money
SELECT i.order_id, COALESCE(s.name, ''), COALESCE(o.end_ms, 0), i.elec, i.service, i.occupancy,
       i.rest_elec + i.rest_service + i.rest_occupancy
FROM invoice_order i
LEFT JOIN orders o ON o.id = i.order_id
LEFT JOIN station s ON s.id = o.station
WHERE i.invoice = :id ORDER BY i.order_id;

-- name: invoice_file(tenant id, of_state int, since_ms time) many
-- out: id id, red_of id, red_of_number text, seller text, buyer int, title text, tax_no text, email text, currency text, note text, line int, kind int, tax_bp int, amount money, net money, tax money
SELECT v.id, v.red_of, COALESCE(b.number, ''), v.seller, v.buyer, v.title, v.tax_no, v.email, v.currency, v.note, l.seq, l.kind,
       l.tax_bp, l.amount, l.net, l.tax
FROM invoice v
LEFT JOIN invoice b ON b.id = v.red_of
JOIN invoice_line l ON l.invoice = v.id
WHERE v.tenant = :tenant AND v.state = :of_state AND v.exported_ms >= :since_ms AND l.amount <> 0
ORDER BY CASE WHEN v.red_of <> 0 THEN 0 ELSE 1 END, v.id, l.seq LIMIT 20000;

-- name: invoice_waiting(tenant id, id id) one
-- out: state int, amount money
SELECT state, amount FROM invoice WHERE id = :id AND tenant = :tenant;
