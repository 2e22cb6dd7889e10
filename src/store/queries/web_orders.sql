-- SPDX-License-Identifier: Apache-2.0
-- Orders and their whole story, for the web front. A driver's phone is always masked here.

-- part: order_columns
-- out: id id, kind int, payer_kind int, driver id, driver_phone text, station id, station_name text, zone text, charger id, charger_name text, connector id, connector_number int, state int, started_by int, cap money, energy_mwh energy, total money, paid money, refunded money, loss money, stop_reason int, fail int, doubt int, estimated bool, created_ms time, start_ms time, end_ms time, settled_ms time, linked id, free_ms time

-- part: order_row
-- use: order_columns
SELECT o.id, o.kind, o.payer_kind, o.driver,
       COALESCE(substr(d.phone, 1, 3) || '****' || substr(d.phone, length(d.phone) - 1, 2), ''),
       o.station, COALESCE(s.name, ''), COALESCE(s.zone, ''), o.charger, COALESCE(c.name, ''), o.connector, COALESCE(k.number, 0), o.state,
       o.started_by, o.cap, o.energy_mwh, o.total, o.paid, o.refunded, o.loss, o.stop_reason, o.fail, o.doubt, o.estimated, o.created_ms,
       o.start_ms, o.end_ms, o.settled_ms, o.linked, o.free_ms
FROM orders o
LEFT JOIN driver d ON d.id = o.driver
LEFT JOIN station s ON s.id = o.station
LEFT JOIN charger c ON c.id = o.charger
LEFT JOIN connector k ON k.id = o.connector

-- What a list of orders may be narrowed by. The + keeps an index from being taken: of a million orders of a tenant a driver has a few.
-- part: orders_narrow
  AND (:scope = 0 OR +o.station = :scope) AND (:state < 0 OR +o.state = :state)
  AND (:station = 0 OR +o.station = :station) AND (:driver = 0 OR +o.driver = :driver)
  AND o.kind <> 5
  AND (:connector = 0 OR o.connector = :connector
       OR (o.part <> 0 AND EXISTS (SELECT 1 FROM orders q WHERE q.id = o.part AND q.connector = :connector)))
  AND (:from = 0 OR o.created_ms >= :from)
  AND (:to = 0 OR o.created_ms < :to) AND o.id < :after AND o.id >= :least
ORDER BY o.id DESC LIMIT :lim;

-- name: orders(tenant id, scope id, after id, lim int, state int, station id, driver id, connector id, from time, to time, least id) many
-- use: order_row
WHERE o.tenant = :tenant
-- use: orders_narrow

-- name: orders_of_station(tenant id, scope id, after id, lim int, state int, station id, driver id, connector id, from time, to time, least id) many
-- use: order_row
WHERE o.station = :station AND +o.tenant = :tenant
-- use: orders_narrow

-- name: orders_of_driver(tenant id, scope id, after id, lim int, state int, station id, driver id, connector id, from time, to time, least id) many
-- use: order_row
WHERE o.driver = :driver AND +o.tenant = :tenant
-- use: orders_narrow

-- name: orders_not_over(tenant id, scope id, after id, lim int, state int, station id, driver id, connector id, from time, to time, least id) many
-- use: order_row
WHERE o.state NOT IN (8, 9) AND +o.tenant = :tenant
-- use: orders_narrow

-- name: orders_held(tenant id, scope id, after id, lim int) many
-- use: order_row
WHERE o.state NOT IN (8, 9) AND +o.state = 10 AND +o.tenant = :tenant AND (:scope = 0 OR +o.station = :scope) AND o.id < :after
ORDER BY o.id DESC LIMIT :lim;

-- name: me_orders(tenant id, actor id, after id, lim int) many
-- use: order_columns
SELECT o.id, o.kind, o.payer_kind, o.driver, '', o.station, COALESCE(s.name, ''), COALESCE(s.zone, ''), o.charger, COALESCE(c.name, ''), o.connector,
       COALESCE(k.number, 0), o.state, o.started_by, o.cap, o.energy_mwh, o.total, o.paid, o.refunded, 0, o.stop_reason, o.fail, o.doubt,
       o.estimated, o.created_ms, o.start_ms, o.end_ms, o.settled_ms, o.linked, o.free_ms
FROM orders o
LEFT JOIN station s ON s.id = o.station
LEFT JOIN charger c ON c.id = o.charger
LEFT JOIN connector k ON k.id = o.connector
WHERE o.driver = :actor AND o.tenant = :tenant AND o.id < :after
ORDER BY o.id DESC LIMIT :lim;

-- name: web_order(tenant id, scope id, id id, driver id) one
-- use: order_row
WHERE o.id = :id AND o.kind <> 5 AND o.tenant = :tenant AND (:scope = 0 OR o.station = :scope) AND (:driver = 0 OR o.driver = :driver);

-- A part's page is that of its main order.
-- name: web_order_main(tenant id, id id) one
-- out: part_of id
SELECT part_of FROM orders WHERE id = :id AND tenant = :tenant AND part_of <> 0;

-- name: web_order_more(id id) one
-- out: tariff id, contract id, currency text, seller text, tax_bp int, elec money, service money, occupancy money, doubt_mwh energy, decide_ms time, rule id, cause i64
SELECT tariff, contract, currency, seller, tax_bp, elec, service, occupancy, doubt_mwh, decide_ms, rule, cause FROM orders WHERE id = :id;

-- name: web_order_lines(id id) many
-- out: seq int, kind int, label text, from_ms time, to_ms time, energy_mwh energy, price_e5 i64, amount money
SELECT seq, kind, label, from_ms, to_ms, energy_mwh, price_e5, amount FROM fee_line WHERE order_id = :id ORDER BY seq;

-- name: web_order_sessions(id id) many
-- out: id id, tx i64, tx_no text, state int, meter_start energy, meter_last energy, meter_stop energy, energy_mwh energy, power_w i64, soc_pm int, evidence int, start_ms time, last_ms time, charger_start_ms time, charger_stop_ms time, end_ms time, stop_text text, record_amount money, connector_number int, direction int, to_soc int
SELECT s.id, s.tx, s.tx_no, s.state, s.meter_start, s.meter_last, s.meter_stop, s.energy_mwh, s.power_w, s.soc_pm, s.evidence, s.start_ms,
       s.last_ms, s.charger_start_ms, s.charger_stop_ms, s.end_ms, s.stop_text, s.record_amount, COALESCE(k.number, 0), s.direction, s.to_soc
FROM session s
LEFT JOIN connector k ON k.id = s.connector
WHERE s.order_id IN (:id, NULLIF((SELECT part FROM orders WHERE id = :id), 0)) ORDER BY s.id;

-- name: web_order_parts(id id) many
-- out: seq int, party id, party_name text, account id, fee_kind int, base money, ratio int, ratio_sum int, amount money, at_ms time, due_ms time, transfer id, clause int, clause_kind int
SELECT x.seq, x.party, COALESCE(p.name, ''), x.account, x.fee_kind, x.base, x.ratio, x.ratio_sum, x.amount, x.at_ms, x.due_ms, x.transfer,
       x.clause, COALESCE((SELECT k.kind FROM orders o JOIN contract_clause k ON k.contract = o.contract
                           WHERE o.id = x.order_id AND k.seq = x.clause), 0)
FROM split_part x
LEFT JOIN party p ON p.id = x.party
WHERE x.order_id = :id ORDER BY x.seq;

-- name: web_order_events(id id) many
-- out: seq int, at_ms time, state int, event int, detail text, actor_kind int, actor id, cause i64
SELECT seq, at_ms, state, event, detail, actor_kind, actor, cause FROM order_event WHERE order_id = :id ORDER BY seq;

-- name: web_order_holds(id id) many
-- out: id id, account id, amount money, captured money, released money, state int, created_ms time, resolved_ms time
SELECT id, account, amount, captured, released, state, created_ms, resolved_ms FROM hold WHERE order_id = :id ORDER BY id;

-- name: web_order_commands(id id, charger id) many
-- out: id id, charger id, connector int, order_id id, action text, payload text, state int, result text, status text, err int, created_ms time, sent_ms time, done_ms time, cause i64
SELECT id, charger, connector, order_id, action, payload, state, result, status, err, created_ms, sent_ms, done_ms, cause
FROM command WHERE charger = :charger AND order_id IN (:id, NULLIF((SELECT part FROM orders WHERE id = :id), 0)) ORDER BY id LIMIT 50;

-- name: order_battery(tenant id, scope id, id id) many
-- out: session id, order_id id, phase int, at_ms time, vin text, chemistry int, made int, cycles int, capacity_mah i64, energy_mwh energy, voltage_mv int, soc_pm int, cell_min_mv int, cell_max_mv int, temp_min_dc int, temp_max_dc int, minutes int, detail text
SELECT b.session, b.order_id, b.phase, b.at_ms, b.vin, b.chemistry, b.made, b.cycles, b.capacity_mah, b.energy_mwh,
       b.voltage_mv, b.soc_pm, b.cell_min_mv, b.cell_max_mv, b.temp_min_dc, b.temp_max_dc, b.minutes, b.detail
FROM battery b
JOIN orders o ON o.id = b.order_id
WHERE (b.order_id = :id OR o.part_of = :id) AND b.tenant = :tenant AND (:scope = 0 OR o.station = :scope)
ORDER BY b.at_ms, b.phase;

-- name: vehicle_battery(tenant id, scope id, vin text) many
-- out: session id, order_id id, phase int, at_ms time, vin text, chemistry int, made int, cycles int, capacity_mah i64, energy_mwh energy, voltage_mv int, soc_pm int, cell_min_mv int, cell_max_mv int, temp_min_dc int, temp_max_dc int, minutes int, detail text
SELECT b.session, b.order_id, b.phase, b.at_ms, v.vin, b.chemistry, b.made, b.cycles, b.capacity_mah, b.energy_mwh,
       b.voltage_mv, b.soc_pm, b.cell_min_mv, b.cell_max_mv, b.temp_min_dc, b.temp_max_dc, b.minutes, b.detail
FROM battery v
JOIN battery b ON b.session = v.session
JOIN orders o ON o.id = b.order_id
WHERE v.vin = :vin AND v.vin <> '' AND v.tenant = :tenant AND (:scope = 0 OR o.station = :scope)
ORDER BY b.session DESC, b.phase LIMIT 500;

-- name: strays(tenant id, scope id) many
-- out: charger id, charger_name text, path text, connector int, tx_no text, reason int, ended bool, energy_mwh energy, amount money, start_ms time, end_ms time, card text, mark int, at_ms time
SELECT x.charger, c.name, c.path, x.connector, x.tx_no, x.reason, x.ended, x.energy_mwh, x.amount, x.start_ms, x.end_ms,
       x.card, x.mark, x.at_ms
FROM stray x
JOIN charger c ON c.id = x.charger
WHERE x.tenant = :tenant AND (:scope = 0 OR c.station = :scope)
ORDER BY x.at_ms DESC, x.tx_no, x.charger LIMIT 500;

-- name: web_order_links(tenant id, scope id, id id, to id, driver id) many
-- use: order_row
WHERE ((o.linked = :id AND o.linked <> 0) OR o.id = :to) AND o.tenant = :tenant AND (:scope = 0 OR o.station = :scope)
  AND (:driver = 0 OR o.driver = :driver)
ORDER BY o.id LIMIT 8;
