-- SPDX-License-Identifier: Apache-2.0
-- What a partner may see: own shares, own stations, own contracts; never a driver.

-- name: web_partner_home(tenant id, party id) one
-- out: party id, name text, currency text, pending money, available money, transit money, debt money, verified int, payee text, payout_min money, payout_fee money
SELECT p.id, p.name, t.currency, COALESCE(a.posted_in - a.posted_out, 0), COALESCE(b.posted_in - b.posted_out, 0),
       COALESCE(v.posted_in - v.posted_out, 0), COALESCE(d.posted_out - d.posted_in, 0), p.verified,
       CASE WHEN length(p.payee) > 4 THEN '****' || substr(p.payee, length(p.payee) - 3, 4) ELSE '' END, t.payout_min, t.payout_fee
FROM party p
JOIN tenant t ON t.id = p.tenant
LEFT JOIN account a ON a.tenant = p.tenant AND a.kind = 5 AND a.owner = p.id AND a.currency = t.currency AND a.currency <> ''
LEFT JOIN account b ON b.tenant = p.tenant AND b.kind = 6 AND b.owner = p.id AND b.currency = t.currency AND b.currency <> ''
LEFT JOIN account v ON v.tenant = p.tenant AND v.kind = 13 AND v.owner = p.id AND v.currency = t.currency AND v.currency <> ''
LEFT JOIN account d ON d.tenant = p.tenant AND d.kind = 15 AND d.owner = p.id AND d.currency = t.currency AND d.currency <> ''
WHERE p.id = :party AND p.tenant = :tenant;

-- Of today; of all since the sum that is known; what of that is before the newest, and when that was.
-- name: web_partner_sums(party id, from_ms time, today_ms time, since_ms time) one
-- out: today money, today_orders i64, since money, fixed money, newest_ms time
WITH h AS (
  SELECT at_ms, order_id FROM party_share WHERE party = :party AND at_ms >= :from_ms
  UNION
  SELECT at_ms, order_id FROM party_share_new WHERE party = :party AND at_ms >= :from_ms
), n AS (
  SELECT CAST(COALESCE(max(at_ms), 0) AS BIGINT) AS ms FROM h
)
SELECT CAST(COALESCE(sum(CASE WHEN x.at_ms >= :today_ms THEN x.amount ELSE 0 END), 0) AS BIGINT),
       count(DISTINCT CASE WHEN x.at_ms >= :today_ms AND x.fee_kind <> 0 THEN x.order_id END),
       CAST(COALESCE(sum(CASE WHEN x.at_ms >= :since_ms THEN x.amount ELSE 0 END), 0) AS BIGINT),
       CAST(COALESCE(sum(CASE WHEN x.at_ms >= :since_ms AND x.at_ms < n.ms THEN x.amount ELSE 0 END), 0) AS BIGINT),
       CAST(COALESCE(max(n.ms), 0) AS BIGINT)
FROM n CROSS JOIN h JOIN split_part x ON x.order_id = h.order_id AND x.at_ms = h.at_ms AND x.party = :party;

-- name: partner_stations(tenant id, party id, today int, today_ms time) many
-- out: id id, name text, connectors i64, charging i64, faulted i64, today_orders i64, today_energy_mwh energy, today_share money
WITH h AS (
  SELECT at_ms, order_id FROM party_share WHERE party = :party AND at_ms >= :today_ms
  UNION
  SELECT at_ms, order_id FROM party_share_new WHERE party = :party AND at_ms >= :today_ms
)
SELECT s.id, s.name,
       (SELECT count(*) FROM connector k JOIN charger c ON c.id = k.charger WHERE c.station = s.id),
       (SELECT count(*) FROM connector k JOIN charger c ON c.id = k.charger WHERE c.station = s.id AND k.status IN (3, 4, 5)),
       (SELECT count(*) FROM connector k JOIN charger c ON c.id = k.charger WHERE c.station = s.id AND k.status = 9),
       COALESCE(d.orders, 0), COALESCE(d.energy_mwh, 0),
       COALESCE(y.share, 0)
FROM station s
LEFT JOIN stat_day d ON d.station = s.id AND d.day = :today
LEFT JOIN (SELECT x.station, CAST(sum(x.amount) AS BIGINT) AS share
           FROM h JOIN split_part x ON x.order_id = h.order_id AND x.at_ms = h.at_ms AND x.party = :party
           GROUP BY x.station) y ON y.station = s.id
WHERE s.tenant = :tenant AND s.state <> 2
  AND (EXISTS (SELECT 1 FROM contract c JOIN contract_party q ON q.contract = c.id
               WHERE c.family = s.contract AND c.tenant = :tenant AND q.party = :party)
       OR EXISTS (SELECT 1 FROM contract c JOIN contract_clause q ON q.contract = c.id
                  WHERE c.family = s.contract AND c.tenant = :tenant AND q.party = :party))
ORDER BY s.id LIMIT 1000;

-- name: partner_shares(tenant id, party id, after id, after2 id, after3 id, lim int) many
-- out: order_id id, at_ms time, station id, station_name text, zone text, energy_mwh energy, total money, fee_kind int, base money, ratio int, ratio_sum int, amount money, transfer id, clause_kind int, cursor id, cursor2 id, cursor3 id
WITH h AS (
  SELECT at_ms, order_id FROM (
    SELECT at_ms, order_id FROM party_share
    WHERE party = :party AND at_ms <= :after AND (at_ms < :after OR order_id <= :after2)
    ORDER BY at_ms DESC, order_id DESC LIMIT :lim + 1) f
  UNION
  SELECT at_ms, order_id FROM party_share_new WHERE party = :party AND at_ms <= :after AND (at_ms < :after OR order_id <= :after2)
)
SELECT x.order_id, x.at_ms, x.station, COALESCE(s.name, ''), COALESCE(s.zone, ''), COALESCE(o.energy_mwh, 0), COALESCE(o.total, 0), x.fee_kind,
       x.base, x.ratio, x.ratio_sum, x.amount, x.transfer,
       COALESCE((SELECT k.kind FROM contract_clause k WHERE k.contract = o.contract AND k.seq = x.clause), 0), x.at_ms, x.order_id, x.seq
FROM h
JOIN split_part x ON x.order_id = h.order_id AND x.at_ms = h.at_ms AND x.party = :party
LEFT JOIN station s ON s.id = x.station
LEFT JOIN orders o ON o.id = x.order_id
WHERE x.tenant = :tenant
  AND (x.at_ms < :after OR x.order_id < :after2 OR (x.order_id = :after2 AND x.seq < :after3))
ORDER BY x.at_ms DESC, x.order_id DESC, x.seq DESC LIMIT :lim;

-- name: partner_contracts(tenant id, party id, now_ms time) many
-- out: id id, name text, from_ms time, lines int, ratio int, ratio_sum i64, to_ms time, state int
SELECT v.id, v.name, v.from_ms, v.lines, v.ratio, v.ratio_sum, v.ends,
       CASE WHEN v.from_ms > :now_ms THEN 1 WHEN v.ends <> 0 AND v.ends <= :now_ms THEN 2 ELSE 0 END
FROM (SELECT c.id, c.name, c.from_ms, COALESCE(q.lines, 0) AS lines, COALESCE(q.ratio, 0) AS ratio, COALESCE(q.seq, 0) AS seq,
             COALESCE((SELECT CAST(sum(z.ratio) AS BIGINT) FROM contract_party z
                       WHERE z.contract = c.id AND (z.lines & CASE WHEN (q.lines & 1) <> 0 THEN 1 WHEN (q.lines & 2) <> 0 THEN 2 ELSE 4 END) <> 0), 0) AS ratio_sum,
             CASE WHEN c.to_ms <> 0 THEN c.to_ms
                  ELSE COALESCE((SELECT min(n.from_ms) FROM contract n WHERE n.family = c.family AND n.from_ms > c.from_ms), 0) END AS ends
      FROM contract c
      LEFT JOIN contract_party q ON q.contract = c.id AND q.party = :party
      WHERE c.tenant = :tenant
        AND (q.party IS NOT NULL OR EXISTS (SELECT 1 FROM contract_clause x WHERE x.contract = c.id AND x.party = :party))) v
ORDER BY CASE WHEN v.from_ms <= :now_ms AND (v.ends = 0 OR v.ends > :now_ms) THEN 0 ELSE 1 END, v.from_ms DESC, v.id DESC, v.seq
LIMIT 200;
