-- SPDX-License-Identifier: Apache-2.0
-- Operators, stations, chargers, connectors, prices and days, for the web front.

-- name: web_tenant(tenant id) one
-- out: id id, name text, currency text, zone text, hold_policy int, hold_default money, overrun_policy int, unknown_policy int, suspended_s int, low_power_w int, start_timeout_s int, silence_s int, doubt_h int, refund_days int, payout_min money, payout_fee money, payout_check money, version int, gift_order int, notices int, quota_calls_s int, payee_hold_h int, eased_ms time, check_was money, hold_was int
SELECT id, name, currency, zone, hold_policy, hold_default, overrun_policy, unknown_policy, suspended_s, low_power_w,
       start_timeout_s, silence_s, doubt_h, refund_days, payout_min, payout_fee, payout_check, version, gift_order, notices, quota_calls_s, payee_hold_h, eased_ms, check_was, hold_was
FROM tenant WHERE id = :tenant;

-- name: web_tenant_row(tenant id, id id) one
-- out: id id, name text, currency text, zone text, state int, hold_policy int, hold_default money, overrun_policy int, unknown_policy int, suspended_s int, low_power_w int, start_timeout_s int, silence_s int, doubt_h int, quota_calls_s int, refund_days int, payout_min money, payout_fee money, payout_check money, version int, created_ms time, gift_order int, notices int, payee_hold_h int, eased_ms time, check_was money, hold_was int
SELECT id, name, currency, zone, state, hold_policy, hold_default, overrun_policy, unknown_policy, suspended_s, low_power_w,
       start_timeout_s, silence_s, doubt_h, quota_calls_s, refund_days, payout_min, payout_fee, payout_check, version, created_ms, gift_order, notices, payee_hold_h, eased_ms, check_was, hold_was
FROM tenant WHERE id = :id AND id = :tenant;

-- name: stations(tenant id, scope id, after id, lim int, today int, word text) many
-- out: id id, name text, address text, state int, lat_e7 i64, lng_e7 i64, chargers i64, connectors i64, charging i64, faulted i64, offline i64, today_orders i64, today_energy_mwh energy, today_paid money, version int
SELECT s.id, s.name, s.address, s.state, s.lat_e7, s.lng_e7,
       (SELECT count(*) FROM charger c WHERE c.station = s.id),
       (SELECT count(*) FROM connector k JOIN charger c ON c.id = k.charger WHERE c.station = s.id),
       (SELECT count(*) FROM connector k JOIN charger c ON c.id = k.charger WHERE c.station = s.id AND k.status IN (3, 4, 5)),
       (SELECT count(*) FROM connector k JOIN charger c ON c.id = k.charger WHERE c.station = s.id AND k.status = 9),
       (SELECT count(*) FROM connector k JOIN charger c ON c.id = k.charger WHERE c.station = s.id AND k.status = 0),
       COALESCE(d.orders, 0), COALESCE(d.energy_mwh, 0), COALESCE(d.paid, 0), s.version
FROM station s
LEFT JOIN stat_day d ON d.station = s.id AND d.day = :today
WHERE s.tenant = :tenant AND s.state <> 2 AND (:scope = 0 OR s.id = :scope) AND s.id < :after
  AND (:word = '' OR replace(lower(s.name), lower(:word), '') <> lower(s.name))
ORDER BY s.id DESC LIMIT :lim;

-- name: web_station(tenant id, scope id, id id) one
-- out: id id, name text, address text, zone text, lat_e7 i64, lng_e7 i64, tariff id, contract id, seller text, tax_bp int, tax_service_bp int, state int, version int, occupancy id, discharge_tariff id
SELECT id, name, address, zone, lat_e7, lng_e7, tariff, contract, seller, tax_bp, tax_service_bp, state, version, occupancy, discharge_tariff
FROM station WHERE id = :id AND tenant = :tenant AND (:scope = 0 OR id = :scope);

-- name: web_chargers(tenant id, scope id, after id, lim int, station id, state int, id id) many
-- out: id id, station id, path text, protocol int, name text, vendor text, model text, serial text, firmware text, max_power_w int, profile int, state int, secured int, online int, boot_ms time, flaps int, version int
SELECT c.id, c.station, c.path, c.protocol, c.name, c.vendor, c.model, c.serial, c.firmware, c.max_power_w, c.profile, c.state,
       CASE WHEN c.secret_hash <> '' THEN 1 ELSE 0 END,
       CASE WHEN EXISTS (SELECT 1 FROM connector k WHERE k.charger = c.id AND k.status <> 0) THEN 1 ELSE 0 END,
       c.boot_ms, c.flaps, c.version
FROM charger c
WHERE c.tenant = :tenant AND (:scope = 0 OR c.station = :scope) AND (:station = 0 OR c.station = :station)
  AND (:state < 0 OR c.state = :state) AND (:id = 0 OR c.id = :id) AND c.id < :after
ORDER BY c.id DESC LIMIT :lim;

-- name: web_charger_row(tenant id, scope id, id id) one
-- out: id id, tenant id, station id, path text, protocol int, name text, vendor text, model text, serial text, firmware text, secret_hash text, max_power_w int, state int, traits int, sample_s int, stop_ms int, last_tx i64, price_tariff id, profile int, boot_ms time, flaps int, version int, created_ms time
SELECT id, tenant, station, path, protocol, name, vendor, model, serial, firmware, '', max_power_w, state, traits, sample_s,
       stop_ms, last_tx, price_tariff, profile, boot_ms, flaps, version, created_ms
FROM charger WHERE id = :id AND tenant = :tenant AND (:scope = 0 OR station = :scope);

-- name: web_wall(tenant id, scope id, station id, charger id, lim int) many
-- out: id id, station id, station_name text, charger id, charger_name text, path text, protocol int, number int, code text, kind int, max_power_w int, status int, error text, status_ms time, parking int, bay int, order_id id, power_w i64, energy_mwh energy, soc_pm int, cost money, cap money, version int, occupancy id, free_ms time
SELECT k.id, c.station, COALESCE(s.name, ''), c.id, c.name, c.path, c.protocol, k.number, k.code, k.kind, k.max_power_w,
       k.status, k.error, k.status_ms, k.parking, k.bay, COALESCE(NULLIF(o.part_of, 0), k.order_id),
       COALESCE(e.power_w, 0), COALESCE(e.energy_mwh, 0), COALESCE(e.soc_pm, 0), 0, COALESCE(o.cap, 0), k.version, k.occupancy, COALESCE(q.free_ms, 0)
FROM connector k
JOIN charger c ON c.id = k.charger
LEFT JOIN station s ON s.id = c.station
LEFT JOIN orders o ON k.order_id <> 0 AND o.id = k.order_id
LEFT JOIN orders q ON k.occupancy <> 0 AND q.id = k.occupancy
LEFT JOIN session e ON k.order_id <> 0 AND e.order_id = k.order_id AND e.state = 1
WHERE k.tenant = :tenant AND (:scope = 0 OR c.station = :scope) AND (:station = 0 OR c.station = :station)
  AND (:charger = 0 OR c.id = :charger)
ORDER BY c.station, c.path, k.number LIMIT :lim;

-- What a text contains is asked by replace, which both engines have and which knows no wildcards.
-- name: wall_stations(tenant id, scope id, after id, lim int, word text, status int) many
-- out: id id, name text, connectors i64, offline i64, available i64, preparing i64, charging i64, suspended_ev i64, suspended_evse i64, finishing i64, reserved i64, unavailable i64, faulted i64
SELECT p.id, p.name, count(k.id), count(CASE WHEN k.status = 0 THEN 1 END), count(CASE WHEN k.status = 1 THEN 1 END), count(CASE WHEN k.status = 2 THEN 1 END),
       count(CASE WHEN k.status = 3 THEN 1 END), count(CASE WHEN k.status = 4 THEN 1 END), count(CASE WHEN k.status = 5 THEN 1 END), count(CASE WHEN k.status = 6 THEN 1 END),
       count(CASE WHEN k.status = 7 THEN 1 END), count(CASE WHEN k.status = 8 THEN 1 END), count(CASE WHEN k.status = 9 THEN 1 END)
FROM (SELECT s.id, s.name FROM station s
      WHERE s.tenant = :tenant AND s.state <> 2 AND (:scope = 0 OR s.id = :scope) AND s.id < :after
        AND (:word = '' OR replace(lower(s.name), lower(:word), '') <> lower(s.name)
             OR EXISTS (SELECT 1 FROM charger h WHERE h.station = s.id
                        AND (replace(lower(h.name), lower(:word), '') <> lower(h.name) OR replace(lower(h.path), lower(:word), '') <> lower(h.path)))
             OR EXISTS (SELECT 1 FROM charger h JOIN connector g ON g.charger = h.id
                        WHERE h.station = s.id AND replace(lower(g.code), lower(:word), '') <> lower(g.code)))
        AND (:status < 0 OR EXISTS (SELECT 1 FROM charger h JOIN connector g ON g.charger = h.id WHERE h.station = s.id AND g.status = :status))
      ORDER BY s.id DESC LIMIT :lim) p
LEFT JOIN charger c ON c.station = p.id
LEFT JOIN connector k ON k.charger = c.id
GROUP BY p.id, p.name ORDER BY p.id DESC;

-- name: wall_total(tenant id, scope id) one
-- out: connectors i64, offline i64, available i64, preparing i64, charging i64, suspended_ev i64, suspended_evse i64, finishing i64, reserved i64, unavailable i64, faulted i64
SELECT count(k.id), count(CASE WHEN k.status = 0 THEN 1 END), count(CASE WHEN k.status = 1 THEN 1 END), count(CASE WHEN k.status = 2 THEN 1 END),
       count(CASE WHEN k.status = 3 THEN 1 END), count(CASE WHEN k.status = 4 THEN 1 END), count(CASE WHEN k.status = 5 THEN 1 END), count(CASE WHEN k.status = 6 THEN 1 END),
       count(CASE WHEN k.status = 7 THEN 1 END), count(CASE WHEN k.status = 8 THEN 1 END), count(CASE WHEN k.status = 9 THEN 1 END)
FROM charger c
JOIN connector k ON k.charger = c.id
WHERE c.tenant = :tenant AND (:scope = 0 OR c.station = :scope);

-- name: web_connector_row(tenant id, scope id, id id) one
-- out: id id, tenant id, charger id, number int, code text, kind int, max_power_w int, status int, error text, status_ms time, order_id id, reported int, version int
SELECT k.id, k.tenant, k.charger, k.number, k.code, k.kind, k.max_power_w, k.status, k.error, k.status_ms, k.order_id,
       k.reported, k.version
FROM connector k
JOIN charger c ON c.id = k.charger
WHERE k.id = :id AND k.tenant = :tenant AND (:scope = 0 OR c.station = :scope);

-- name: web_code(code text) one
-- out: id id, code text, station_name text, address text, charger_name text, number int, kind int, max_power_w int, status int, currency text, tenant id, zone text, tariff id, charger_state int, station_state int, occupancy id, pairs int, discharge_tariff id
SELECT k.id, k.code, s.name, s.address, c.name, k.number, k.kind, k.max_power_w, k.status, t.currency, k.tenant, s.zone,
       s.tariff, c.state, s.state, s.occupancy,
       CASE WHEN c.protocol = 2 AND EXISTS (SELECT 1 FROM connector o WHERE o.charger = k.charger AND o.id <> k.id) THEN 1 ELSE 0 END,
       CASE WHEN c.protocol = 2 THEN s.discharge_tariff ELSE 0 END
FROM connector k
JOIN charger c ON c.id = k.charger
JOIN station s ON s.id = c.station
JOIN tenant t ON t.id = k.tenant
WHERE k.code = :code AND k.code <> '';

-- part: command_row
-- out: id id, charger id, connector int, order_id id, action text, payload text, state int, result text, status text, err int, created_ms time, sent_ms time, done_ms time, progress text, progress_ms time, cause i64
SELECT m.id, m.charger, m.connector, m.order_id, m.action, m.payload, m.state, m.result, m.status, m.err, m.created_ms,
       m.sent_ms, m.done_ms, CASE WHEN c.update_id = m.id THEN c.update_state ELSE '' END,
       CASE WHEN c.update_id = m.id THEN c.update_ms ELSE 0 END, m.cause
FROM command m
JOIN charger c ON c.id = m.charger

-- name: charger_calls(tenant id, scope id, id id, after id, lim int) many
-- use: command_row
WHERE m.charger = :id AND m.tenant = :tenant AND (:scope = 0 OR c.station = :scope) AND m.id < :after
ORDER BY m.id DESC LIMIT :lim;

-- name: command_get(tenant id, scope id, id id) one
-- use: command_row
WHERE m.id = :id AND m.tenant = :tenant AND (:scope = 0 OR c.station = :scope);

-- name: tariffs(tenant id, after id, lim int) many
-- out: id id, family id, name text, from_ms time, created_ms time, slices i64
SELECT t.id, t.family, t.name, t.from_ms, t.created_ms, (SELECT count(*) FROM tariff_slice x WHERE x.tariff = t.id)
FROM tariff t
WHERE t.tenant = :tenant AND t.id < :after
ORDER BY t.id DESC LIMIT :lim;

-- name: web_tariff(tenant id, id id) one
-- out: id id, tenant id, family id, name text, from_ms time, created_ms time
SELECT id, tenant, family, name, from_ms, created_ms FROM tariff WHERE id = :id AND tenant = :tenant;

-- name: web_tariff_now(family id, now_ms time) one
-- out: id id, tenant id, family id, name text, from_ms time, created_ms time
SELECT id, tenant, family, name, from_ms, created_ms
FROM tariff WHERE family = :family AND from_ms <= :now_ms ORDER BY from_ms DESC, id DESC LIMIT 1;

-- name: web_tariff_days(id id) many
-- out: tariff id, seq int, first_mmdd int, last_mmdd int, weekdays int, plan int
SELECT tariff, seq, first_mmdd, last_mmdd, weekdays, plan FROM tariff_day WHERE tariff = :id ORDER BY seq;

-- name: web_tariff_slices(id id) many
-- out: tariff id, plan int, from_min int, label text, elec_e5 i64, service_e5 i64
SELECT tariff, plan, from_min, label, elec_e5, service_e5 FROM tariff_slice WHERE tariff = :id ORDER BY plan, from_min;

-- All stations of a day as one row: what a chart and its sums are made of, whose rows by station may be more than a list gives.
-- name: stats_sums(tenant id, scope id, from int, to int) many
-- out: day int, station id, station_name text, orders i64, energy_mwh energy, elec money, service money, occupancy money, paid money, loss money, minutes i64, discharges i64, discharge_mwh energy, discharged money
SELECT d.day, 0, '', CAST(sum(d.orders) AS BIGINT), CAST(sum(d.energy_mwh) AS BIGINT), CAST(sum(d.elec) AS BIGINT), CAST(sum(d.service) AS BIGINT),
       CAST(sum(d.occupancy) AS BIGINT), CAST(sum(d.paid) AS BIGINT), CAST(sum(d.loss) AS BIGINT), CAST(sum(d.minutes) AS BIGINT),
       CAST(sum(d.discharges) AS BIGINT), CAST(sum(d.discharge_mwh) AS BIGINT), CAST(sum(d.discharged) AS BIGINT)
FROM stat_day d
WHERE d.tenant = :tenant AND (:scope = 0 OR d.station = :scope) AND (:from < 0 OR d.day >= :from) AND (:to < 0 OR d.day <= :to)
GROUP BY d.day ORDER BY d.day DESC LIMIT 5000;

-- name: stats_days(tenant id, scope id, from int, to int, station id) many
-- out: day int, station id, station_name text, orders i64, energy_mwh energy, elec money, service money, occupancy money, paid money, loss money, minutes i64, discharges i64, discharge_mwh energy, discharged money
SELECT d.day, d.station, COALESCE(s.name, ''), d.orders, d.energy_mwh, d.elec, d.service, d.occupancy, d.paid, d.loss, d.minutes,
       d.discharges, d.discharge_mwh, d.discharged
FROM stat_day d
LEFT JOIN station s ON s.id = d.station
WHERE d.tenant = :tenant AND (:scope = 0 OR d.station = :scope) AND (:station = 0 OR d.station = :station)
  AND (:from < 0 OR d.day >= :from) AND (:to < 0 OR d.day <= :to)
ORDER BY d.day DESC, d.station LIMIT 5000;

-- Held orders by the index of what is not over: hence what is said twice of the state, and the + that keeps the tenant's out.
-- name: web_overview(tenant id, scope id, today int) one
-- out: stations i64, chargers i64, chargers_online i64, connectors i64, charging i64, faulted i64, orders_today i64, energy_today_mwh energy, paid_today money, drivers i64, held_orders i64, waiting_chargers i64
SELECT (SELECT count(*) FROM station s WHERE s.tenant = :tenant AND s.state <> 2 AND (:scope = 0 OR s.id = :scope)),
       (SELECT count(*) FROM charger c WHERE c.tenant = :tenant AND c.state <> 2 AND (:scope = 0 OR c.station = :scope)),
       (SELECT count(*) FROM charger c WHERE c.tenant = :tenant AND c.state <> 2 AND (:scope = 0 OR c.station = :scope)
           AND EXISTS (SELECT 1 FROM connector k WHERE k.charger = c.id AND k.status <> 0)),
       (SELECT count(*) FROM connector k JOIN charger c ON c.id = k.charger
           WHERE k.tenant = :tenant AND (:scope = 0 OR c.station = :scope)),
       (SELECT count(*) FROM connector k JOIN charger c ON c.id = k.charger
           WHERE k.tenant = :tenant AND (:scope = 0 OR c.station = :scope) AND k.status IN (3, 4, 5)),
       (SELECT count(*) FROM connector k JOIN charger c ON c.id = k.charger
           WHERE k.tenant = :tenant AND (:scope = 0 OR c.station = :scope) AND k.status = 9),
       (SELECT CAST(COALESCE(sum(d.orders), 0) AS BIGINT) FROM stat_day d
           WHERE d.tenant = :tenant AND d.day = :today AND (:scope = 0 OR d.station = :scope)),
       (SELECT CAST(COALESCE(sum(d.energy_mwh), 0) AS BIGINT) FROM stat_day d
           WHERE d.tenant = :tenant AND d.day = :today AND (:scope = 0 OR d.station = :scope)),
       (SELECT CAST(COALESCE(sum(d.paid), 0) AS BIGINT) FROM stat_day d
           WHERE d.tenant = :tenant AND d.day = :today AND (:scope = 0 OR d.station = :scope)),
       (SELECT count(*) FROM driver v WHERE v.tenant = :tenant AND v.state <> 2),
       (SELECT count(*) FROM orders o WHERE +o.tenant = :tenant AND o.state = 10 AND o.state NOT IN (8, 9) AND (:scope = 0 OR o.station = :scope)),
       (SELECT count(*) FROM charger c WHERE c.tenant = :tenant AND c.state = 2);

-- name: web_family_piles(tenant id, family id) one
-- out: piles i64
SELECT count(*) FROM station s JOIN charger c ON c.station = s.id
WHERE s.tenant = :tenant AND s.tariff = :family AND c.protocol = 2;

-- name: web_station_piles(tenant id, station id) one
-- out: piles i64
SELECT count(*) FROM charger c WHERE c.tenant = :tenant AND c.station = :station AND c.protocol = 2;

-- name: web_card_credit(tenant id, tag text, short text) one
-- out: cards i64
SELECT count(*) FROM token t
JOIN driver d ON d.id = t.driver
JOIN account a ON a.tenant = t.tenant AND a.kind = 2 AND a.owner = t.driver AND a.currency <> ''
WHERE t.tenant = :tenant AND t.folded <> '' AND (t.folded = :tag OR t.folded = :short) AND t.kind = 1 AND t.state = 0 AND d.state = 0
  AND t.offline_limit > 0 AND a.posted_in - a.posted_out - a.held >= t.offline_limit;

-- name: web_firmware(tenant id, after id, lim int) many
-- out: id id, name text, vendor text, model text, version text, size i64, sha256 text, state int, created_ms time
SELECT id, name, vendor, model, revision, size, sha256, state, created_ms
FROM firmware WHERE tenant = :tenant AND id < :after ORDER BY id DESC LIMIT :lim;

-- name: web_firmware_row(tenant id, id id) one
-- out: id id, tenant id, name text, vendor text, model text, revision text, size i64, sha256 text, state int, version int, created_ms time
SELECT id, tenant, name, vendor, model, revision, size, sha256, state, version, created_ms
FROM firmware WHERE id = :id AND tenant = :tenant;

-- name: web_firmware_sum(tenant id) one
-- out: bytes i64
SELECT CAST(COALESCE(sum(size), 0) AS BIGINT) FROM firmware WHERE tenant = :tenant AND state <> 2;

-- name: web_firmware_for(file id, charger id) one
-- out: name text, size i64, sha256 text, created_ms time
SELECT f.name, f.size, f.sha256, f.created_ms
FROM firmware f
JOIN charger c ON c.tenant = f.tenant
WHERE f.id = :file AND c.id = :charger AND f.state = 1 AND c.state = 0;

-- name: firmware_ftp(path text) one
-- out: charger id, tenant id, command id, payload text
SELECT c.id, c.tenant, m.id, m.payload
FROM charger c
JOIN command m ON m.id = c.update_id
WHERE c.path = :path AND c.path <> '' AND c.protocol = 2 AND c.state = 0 AND m.action = 'Update';

-- name: web_charger_ac(charger id) one
-- out: ac i64
SELECT CASE WHEN EXISTS (SELECT 1 FROM connector k WHERE k.charger = :charger AND k.kind = 1)
             AND NOT EXISTS (SELECT 1 FROM connector k WHERE k.charger = :charger AND k.kind = 2) THEN 1 ELSE 0 END;

-- name: occupancy_rules(tenant id, after id, lim int) many
-- out: id id, family id, name text, from_ms time, created_ms time, free_min int, cap_order money, cap_day money
SELECT id, family, name, from_ms, created_ms, free_min, cap_order, cap_day
FROM occupancy_rule WHERE tenant = :tenant AND id < :after ORDER BY id DESC LIMIT :lim;

-- name: web_occupancy_rule(tenant id, id id) one
-- out: id id, family id, name text, from_ms time, free_min int, cap_order money, cap_day money, kinds int, exempt int, pay int, hold bool, bay bool, near_min int, every_min int
SELECT id, family, name, from_ms, free_min, cap_order, cap_day, kinds, exempt, pay, hold, bay, near_min, every_min
FROM occupancy_rule WHERE id = :id AND tenant = :tenant;

-- name: web_occupancy_now(family id, now_ms time) one
-- out: id id, tenant id
SELECT id, tenant FROM occupancy_rule WHERE family = :family AND from_ms <= :now_ms ORDER BY from_ms DESC, id DESC LIMIT 1;

-- name: web_occupancy_windows(id id) many
-- out: from_min int, to_min int, price money
SELECT from_min, to_min, price FROM occupancy_window WHERE rule = :id ORDER BY seq;
