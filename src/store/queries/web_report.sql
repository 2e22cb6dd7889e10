-- SPDX-License-Identifier: Apache-2.0
-- The operator's reports of a month, from the books: statistics of days (by the day on which an order ended), parts of splits (by when
-- they were posted), costs that staff entered.

-- name: report_stations(tenant id, scope id) many
-- out: station id, station_name text
SELECT id, name FROM station WHERE tenant = :tenant AND (:scope = 0 OR id = :scope) ORDER BY id LIMIT 5000;

-- name: report_days(tenant id, scope id, from_day int, to_day int) many
-- out: station id, orders i64, energy_mwh energy, elec money, service money, occupancy money, loss money, paid money, discharges i64, discharge_mwh energy, discharged money
SELECT station, CAST(sum(orders) AS BIGINT), CAST(sum(energy_mwh) AS BIGINT), CAST(sum(elec) AS BIGINT), CAST(sum(service) AS BIGINT),
       CAST(sum(occupancy) AS BIGINT), CAST(sum(loss) AS BIGINT), CAST(sum(paid) AS BIGINT), CAST(sum(discharges) AS BIGINT),
       CAST(sum(discharge_mwh) AS BIGINT), CAST(sum(discharged) AS BIGINT)
FROM stat_day
WHERE tenant = :tenant AND day >= :from_day AND day <= :to_day AND (:scope = 0 OR station = :scope)
GROUP BY station ORDER BY station;

-- name: report_parties(tenant id) many
-- out: id id, name text, kind int
SELECT id, name, kind FROM party WHERE tenant = :tenant ORDER BY id;

-- What was posted, part by part: orders first, each once however many parties share in it, for by party it would be as many searches as
-- there are shares. Summed in C (report_parts.c): to group millions of rows the engine sorts them all. Their order says nothing; on
-- SQLite it is this one by itself.
-- part: report_parts_rows
WITH h AS (
  SELECT e.order_id, e.at_ms FROM party q JOIN party_share e ON e.party = q.id AND e.at_ms >= :from_ms AND e.at_ms < :to_ms
  WHERE q.tenant = :tenant
  UNION
  SELECT e.order_id, e.at_ms FROM party_share_new e JOIN party q ON q.id = e.party AND q.tenant = :tenant
  WHERE e.at_ms >= :from_ms AND e.at_ms < :to_ms
)
SELECT x.station, x.party, x.fee_kind,
       CASE WHEN x.fee_kind <> 1 AND o.tax_service_bp > 0 THEN o.tax_service_bp ELSE COALESCE(o.tax_bp, 0) END, x.amount
FROM h
LEFT JOIN orders o ON o.id = h.order_id
JOIN split_part x ON x.order_id = h.order_id AND x.at_ms = h.at_ms
WHERE :scope = 0 OR x.station = :scope

-- name: report_parts(tenant id, scope id, from_ms time, to_ms time) all
-- out: station id, party id, fee_kind int, tax_bp int, amount money
-- @sqlite
-- use: report_parts_rows
;
-- @pg
-- use: report_parts_rows
ORDER BY h.order_id, h.at_ms, x.seq;

-- name: report_costs(tenant id, scope id, of_month int) many
-- out: station id, kind int, amount money, note text
SELECT station, kind, amount, note FROM station_cost
WHERE tenant = :tenant AND month = :of_month AND (:scope = 0 OR station = :scope)
ORDER BY station, kind;

-- name: report_fees(tenant id, from_id id, to_id id, from_ms time, to_ms time) one
-- out: paid money, fees i64
SELECT CAST(COALESCE(sum(p.amount), 0) AS BIGINT), CAST(COALESCE(sum(p.amount * COALESCE(c.fee_bp, 0)), 0) AS BIGINT)
FROM payment p
LEFT JOIN channel c ON c.id = p.channel
WHERE p.tenant = :tenant AND p.id >= :from_id AND p.id < :to_id AND p.paid_ms >= :from_ms AND p.paid_ms < :to_ms AND p.state = 3;
