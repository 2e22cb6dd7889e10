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

-- name: report_shares(tenant id, scope id, from_ms time, to_ms time) many
-- out: station id, party id, party_name text, kind int, shares money, back money
-- use: tenant_shares
SELECT x.station, x.party, min(p.name), min(p.kind),
       CAST(sum(CASE WHEN x.amount > 0 THEN x.amount ELSE 0 END) AS BIGINT),
       CAST(-sum(CASE WHEN x.amount < 0 THEN x.amount ELSE 0 END) AS BIGINT)
-- use: tenant_parts
WHERE :scope = 0 OR x.station = :scope
GROUP BY x.station, x.party ORDER BY x.station, x.party;

-- name: report_tax(tenant id, scope id, from_ms time, to_ms time) many
-- out: kind int, tax_bp int, gross money, own money
-- use: tenant_shares
SELECT x.fee_kind, CASE WHEN x.fee_kind <> 1 AND o.tax_service_bp > 0 THEN o.tax_service_bp ELSE o.tax_bp END,
       CAST(sum(x.amount) AS BIGINT), CAST(sum(CASE WHEN p.kind = 1 THEN x.amount ELSE 0 END) AS BIGINT)
-- use: tenant_parts
JOIN orders o ON o.id = x.order_id
WHERE :scope = 0 OR x.station = :scope
GROUP BY 1, 2 ORDER BY 1, 2;

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
