-- SPDX-License-Identifier: Apache-2.0
-- What `even check` reads of reconciliation (check_recon.c).

-- name: check_diffs() many
-- out: id id, tenant id, currency text, suspense money, state int, transfer id, resolved id, way int, code int, out_code int
SELECT d.id, d.tenant, d.currency, d.suspense, d.state, d.transfer, d.resolved, d.way,
       COALESCE((SELECT t.code FROM transfer t WHERE t.id = d.transfer), 0),
       COALESCE((SELECT t.code FROM transfer t WHERE t.id = d.resolved), 0)
FROM bill_diff d ORDER BY d.id;

-- What went from suspense to a party: the difference and the party's part, each with the other.
-- name: check_diff_parts() many
-- out: id id, transfer id
SELECT d.id, d.resolved AS transfer
FROM bill_diff d LEFT JOIN split_part x ON x.order_id = d.resolved AND x.seq = 1
WHERE d.way = 8 AND d.state = 3 AND (x.order_id IS NULL OR x.transfer <> d.resolved OR x.party <> d.target OR x.amount <> d.suspense
  OR x.tenant <> d.tenant OR x.fee_kind <> 0 OR d.checked_by = 0 OR d.checked_by = d.asked_by)
UNION ALL
SELECT COALESCE(d.id, 0) AS id, x.transfer
FROM split_part x JOIN transfer t ON t.id = x.transfer AND t.code = 11 LEFT JOIN bill_diff d ON d.resolved = x.transfer AND d.way = 8
WHERE x.fee_kind = 0 AND x.clause = 0 AND d.id IS NULL
ORDER BY transfer, id;

-- name: check_bills() many
-- out: id id, channel id, rows int, matched int, fees money, fee_due money, transfer id, posted money, extra money, kind int, strangers i64, apart int
SELECT b.id, b.channel, b.rows, b.matched, b.fees, b.fee_due, b.transfer,
       COALESCE((SELECT t.amount FROM transfer t WHERE t.id = b.transfer AND t.code = 12), 0),
       (SELECT CAST(COALESCE(sum(d.ours - d.theirs), 0) AS BIGINT) FROM bill_diff d WHERE d.bill = b.id AND d.class = 2),
       b.kind, (SELECT count(*) FROM bill_diff d WHERE d.bill = b.id AND (d.kind IN (3, 4)) <> (b.kind = 1)),
       CASE WHEN c.kind = 1 THEN 1 ELSE 0 END AS apart
FROM bill b LEFT JOIN channel c ON c.id = b.channel ORDER BY b.id;

-- name: check_settlements() many
-- out: id id, amount money, fee money, posted money
SELECT s.id, s.amount, s.fee, COALESCE((SELECT t.amount FROM transfer t WHERE t.id = s.transfer AND t.code = 12), 0)
FROM settlement s ORDER BY s.id;

-- The journal of a channel and its closed days: `took` … by its bills and settlements, `lines` by its differences.
-- name: check_closes() many
-- out: id id, tenant id, channel id, day int, first_day int, opening money, took money, gave money, fees money, settled money, theirs money, held money, lines money, sum_took money, sum_gave money, sum_fees money, sum_settled money
SELECT e.id, e.tenant, e.channel, e.day, e.first_day, e.opening, e.took, e.gave, e.fees, e.settled, e.theirs, e.held, e.lines,
       (SELECT CAST(COALESCE(sum(b.took), 0) AS BIGINT) FROM bill b WHERE b.channel = e.channel AND b.day BETWEEN e.first_day AND e.day),
       (SELECT CAST(COALESCE(sum(b.gave), 0) AS BIGINT) FROM bill b WHERE b.channel = e.channel AND b.day BETWEEN e.first_day AND e.day),
       (SELECT CAST(COALESCE(sum(b.fees), 0) AS BIGINT) FROM bill b WHERE b.channel = e.channel AND b.day BETWEEN e.first_day AND e.day),
       (SELECT CAST(COALESCE(sum(s.amount + s.fee), 0) AS BIGINT) FROM settlement s
        WHERE s.channel = e.channel AND s.day BETWEEN e.first_day AND e.day)
FROM day_close e ORDER BY e.channel, e.day;

-- name: check_close_lines(channel id, last_day int, to_ms time) one
-- out: lines money
SELECT CAST(COALESCE(sum(
    CASE WHEN d.ours_ms <> 0 AND d.ours_ms < :to_ms THEN d.ours ELSE 0 END
  + CASE WHEN d.posted_ms <> 0 AND d.posted_ms < :to_ms
          AND NOT (d.way = 7 AND d.state = 3 AND d.done_ms < :to_ms) THEN d.suspense ELSE 0 END
  - CASE WHEN d.theirs_day <> 0 AND d.theirs_day <= :last_day THEN d.theirs ELSE 0 END), 0) AS BIGINT) AS lines
FROM bill_diff d WHERE d.channel = :channel AND d.bill <> 0;

-- name: check_close_account(tenant id, channel id) many
-- out: id id, balance money, last_transfer id
SELECT a.id, a.posted_in - a.posted_out, a.last_transfer FROM account a
WHERE a.tenant = :tenant AND a.kind = 10 AND a.owner = :channel ORDER BY a.id;

-- name: check_close_transfer(id id) one
-- out: effective_ms time, posted_ms time, legs blob
SELECT effective_ms, posted_ms, legs FROM transfer WHERE id = :id;
