-- SPDX-License-Identifier: Apache-2.0
-- Bills of providers, what differs, and the close of days, for the web front. Days of bills are in China's time: 28800000 ms east.

-- name: bill_channel(tenant id, id id) one
-- out: fee_bp int
SELECT fee_bp FROM channel WHERE id = :id AND tenant = :tenant AND state <> 2 AND kind <> 4;

-- name: bill_channel_kind(tenant id, id id) one
-- out: kind int
SELECT kind FROM channel WHERE id = :id AND tenant = :tenant;

-- A share of this payment by the provider's number of it.
-- name: bill_share(tenant id, id id, payment id, detail text) one
-- out: row_id id
SELECT COALESCE(max(o.id), 0) AS row_id FROM payout o
WHERE o.tenant = :tenant AND o.channel = :id AND o.payment = :payment AND o.payment <> 0 AND o.kind = 3 AND o.provider_no = :detail AND o.provider_no <> '';

-- What went through a channel in a window of time: payments (1), payouts and refunds (2), shares that came back (3); part 0 all of it, 1 without shares
-- that the channel paid and those that came back, 2 these alone (`share`: the payout's kind). With what is known of each from
-- other bills: `half` is an open difference that lacks their side, `late` one that lacks ours, `other` counts bills that have it.
-- A payment that turned out to be paid by a bill came with that bill and is not looked for again.
-- name: bill_ours(tenant id, id id, from_ms time, to_ms time, day int, part int) many
-- out: kind int, row_id id, amount money, at_ms time, half id, half_state int, late id, other i64, share int, payment id
SELECT 1, p.id, CASE WHEN p.state = 6 THEN COALESCE((SELECT t.amount FROM transfer t WHERE t.id = p.transfer), 0) ELSE p.amount END,
       p.paid_ms,
       (SELECT COALESCE(max(d.id), 0) FROM bill_diff d WHERE d.of_row = p.id AND d.of_row <> 0 AND d.bill <> 0 AND d.class IN (3, 5)
          AND d.state <> 3 AND d.theirs_day = 0 AND d.asked_by = 0) AS half,
       (SELECT COALESCE(max(d.state), 0) FROM bill_diff d WHERE d.of_row = p.id AND d.of_row <> 0 AND d.bill <> 0 AND d.class IN (3, 5)
          AND d.state <> 3 AND d.theirs_day = 0 AND d.asked_by = 0) AS half_state,
       (SELECT COALESCE(max(d.id), 0) FROM bill_diff d WHERE d.of_row = p.id AND d.of_row <> 0 AND d.bill <> 0 AND d.class = 4
          AND d.state = 2 AND d.asked_by = 0 AND d.theirs = p.amount) AS late,
       (SELECT count(*) FROM bill_diff d WHERE d.of_row = p.id AND d.of_row <> 0 AND d.bill <> 0 AND d.class IN (1, 2, 3, 5)
          AND d.theirs_day <> 0 AND d.theirs_day <> :day) AS other,
       0 AS share, p.id AS payment
FROM payment p
WHERE :part <> 2 AND p.tenant = :tenant AND p.channel = :id AND p.state IN (3, 6) AND p.paid_ms >= :from_ms AND p.paid_ms < :to_ms
  AND NOT EXISTS (SELECT 1 FROM bill_diff d WHERE d.of_row = p.id AND d.of_row <> 0 AND d.way = 2 AND d.state = 3)
UNION ALL
SELECT CASE WHEN o.kind = 4 THEN 3 ELSE 2 END, o.id,
       CASE WHEN o.kind = 4 THEN -o.amount WHEN o.said <> 0 THEN o.said ELSE o.amount - o.fee - o.tax END, o.done_ms,
       (SELECT COALESCE(max(d.id), 0) FROM bill_diff d WHERE d.of_row = o.id AND d.of_row <> 0 AND d.bill <> 0 AND d.class IN (3, 5)
          AND d.state <> 3 AND d.theirs_day = 0 AND d.asked_by = 0) AS half,
       (SELECT COALESCE(max(d.state), 0) FROM bill_diff d WHERE d.of_row = o.id AND d.of_row <> 0 AND d.bill <> 0 AND d.class IN (3, 5)
          AND d.state <> 3 AND d.theirs_day = 0 AND d.asked_by = 0) AS half_state,
       (SELECT COALESCE(max(d.id), 0) FROM bill_diff d WHERE d.of_row = o.id AND d.of_row <> 0 AND d.bill <> 0 AND d.class = 4
          AND d.state = 2 AND d.asked_by = 0 AND d.theirs = -(CASE WHEN o.kind <> 4 AND o.said <> 0 THEN o.said ELSE o.amount - o.fee - o.tax END)) AS late,
       (SELECT count(*) FROM bill_diff d WHERE d.of_row = o.id AND d.of_row <> 0 AND d.bill <> 0 AND d.class IN (1, 2, 3, 5)
          AND d.theirs_day <> 0 AND d.theirs_day <> :day) AS other,
       CASE WHEN o.kind IN (3, 4) THEN o.kind ELSE 0 END AS share, o.payment
FROM payout o
WHERE (:part = 0 OR (:part = 1 AND o.kind NOT IN (3, 4)) OR (:part = 2 AND o.kind IN (3, 4))) AND o.tenant = :tenant AND o.channel = :id AND o.state = 5 AND o.done_ms >= :from_ms AND o.done_ms < :to_ms
ORDER BY 2;

-- A number of a bill that is not of those days: whose is it? `booked` 0: we know it, but it never came to money.
-- name: bill_row(tenant id, row_id id, day int) many
-- out: kind int, channel id, booked int, amount money, at_ms time, half id, half_state int, other i64, share int, payment id
SELECT 1, p.channel, CASE WHEN p.state IN (3, 6) AND NOT EXISTS (SELECT 1 FROM bill_diff d WHERE d.of_row = p.id AND d.of_row <> 0
         AND d.way = 2 AND d.state = 3) THEN 1 ELSE 0 END,
       CASE WHEN p.state = 6 THEN COALESCE((SELECT t.amount FROM transfer t WHERE t.id = p.transfer), 0) ELSE p.amount END, p.paid_ms,
       (SELECT COALESCE(max(d.id), 0) FROM bill_diff d WHERE d.of_row = p.id AND d.of_row <> 0 AND d.bill <> 0 AND d.class IN (3, 5)
          AND d.state <> 3 AND d.theirs_day = 0 AND d.asked_by = 0) AS half,
       (SELECT COALESCE(max(d.state), 0) FROM bill_diff d WHERE d.of_row = p.id AND d.of_row <> 0 AND d.bill <> 0 AND d.class IN (3, 5)
          AND d.state <> 3 AND d.theirs_day = 0 AND d.asked_by = 0) AS half_state,
       (SELECT count(*) FROM bill_diff d WHERE d.of_row = p.id AND d.of_row <> 0 AND d.bill <> 0 AND d.class IN (1, 2, 3, 5)
          AND d.theirs_day <> 0 AND d.theirs_day <> :day) AS other,
       0 AS share, p.id AS payment
FROM payment p WHERE p.id = :row_id AND p.tenant = :tenant
UNION ALL
SELECT CASE WHEN o.kind = 4 THEN 3 ELSE 2 END, o.channel, CASE WHEN o.state = 5 THEN 1 ELSE 0 END,
       CASE WHEN o.kind = 4 THEN -o.amount WHEN o.said <> 0 THEN o.said ELSE o.amount - o.fee - o.tax END, o.done_ms,
       (SELECT COALESCE(max(d.id), 0) FROM bill_diff d WHERE d.of_row = o.id AND d.of_row <> 0 AND d.bill <> 0 AND d.class IN (3, 5)
          AND d.state <> 3 AND d.theirs_day = 0 AND d.asked_by = 0) AS half,
       (SELECT COALESCE(max(d.state), 0) FROM bill_diff d WHERE d.of_row = o.id AND d.of_row <> 0 AND d.bill <> 0 AND d.class IN (3, 5)
          AND d.state <> 3 AND d.theirs_day = 0 AND d.asked_by = 0) AS half_state,
       (SELECT count(*) FROM bill_diff d WHERE d.of_row = o.id AND d.of_row <> 0 AND d.bill <> 0 AND d.class IN (1, 2, 3, 5)
          AND d.theirs_day <> 0 AND d.theirs_day <> :day) AS other,
       CASE WHEN o.kind IN (3, 4) THEN o.kind ELSE 0 END AS share, o.payment
FROM payout o WHERE o.id = :row_id AND o.tenant = :tenant
ORDER BY 1;

-- name: bill_of_day(tenant id, id id, of_day int, of_kind int) one
-- out: id id, sha256 text
SELECT b.id, b.sha256 FROM bill b WHERE b.channel = :id AND b.day = :of_day AND b.kind = :of_kind AND b.tenant = :tenant;

-- name: bills(tenant id, after id, lim int, channel id) many
-- out: id id, channel id, channel_name text, day int, sha256 text, rows int, matched int, differ int, took money, gave money, fees money, open i64, ownerless i64, closed id, made_ms time, kind int
SELECT b.id, b.channel, COALESCE(c.name, ''), b.day, b.sha256, b.rows, b.matched, b.differ, b.took, b.gave, b.fees,
       (SELECT count(*) FROM bill_diff d WHERE d.channel = b.channel AND d.day = b.day AND d.state <> 3 AND (d.kind IN (3, 4)) = (b.kind = 1)),
       (SELECT count(*) FROM bill_diff d WHERE d.channel = b.channel AND d.day = b.day AND d.state <> 3 AND d.owner = 0 AND (d.kind IN (3, 4)) = (b.kind = 1)),
       (SELECT COALESCE(max(e.id), 0) FROM day_close e WHERE e.channel = b.channel AND e.first_day <= b.day AND e.day >= b.day),
       b.made_ms, b.kind
FROM bill b
LEFT JOIN channel c ON c.id = b.channel
WHERE b.tenant = :tenant AND (:channel = 0 OR b.channel = :channel) AND b.id < :after
ORDER BY b.id DESC LIMIT :lim;

-- name: web_diff_state(tenant id, id id) one
-- out: state int
SELECT state FROM bill_diff WHERE id = :id AND tenant = :tenant;

-- state 0: all that are not resolved.
-- name: bill_diffs(tenant id, after id, lim int, channel id, state int, day int) many
-- out: id id, channel id, channel_name text, bill id, day int, class int, kind int, of_row id, no text, provider_no text, currency text, ours money, theirs money, ours_ms time, theirs_day int, suspense money, state int, owner id, owner_name text, way int, target id, asked_by id, checked_by id, transfer id, resolved id, note text, made_ms time, done_ms time, version int
SELECT d.id, d.channel, COALESCE(c.name, ''), d.bill, d.day, d.class, d.kind, d.of_row, d.no, d.provider_no, d.currency, d.ours, d.theirs,
       d.ours_ms, d.theirs_day, d.suspense, d.state, d.owner, COALESCE(p.name, ''), d.way, d.target, d.asked_by, d.checked_by,
       d.transfer, d.resolved, d.note, d.made_ms, d.done_ms, d.version
FROM bill_diff d
LEFT JOIN channel c ON c.id = d.channel
LEFT JOIN person p ON p.id = d.owner
WHERE d.tenant = :tenant AND (:channel = 0 OR d.channel = :channel) AND (:day < 0 OR d.day = :day)
  AND (:state < 0 OR d.state = :state OR (:state = 0 AND d.state <> 3)) AND d.id < :after
ORDER BY d.id DESC LIMIT :lim;

-- name: day_closes(tenant id, after id, lim int, channel id) many
-- out: id id, channel id, channel_name text, day int, first_day int, currency text, opening money, took money, gave money, fees money, settled money, theirs money, held money, lines money, made_ms time, made_by id
SELECT d.id, d.channel, COALESCE(c.name, ''), d.day, d.first_day, d.currency, d.opening, d.took, d.gave, d.fees, d.settled, d.theirs,
       d.held, d.lines, d.made_ms, d.made_by
FROM day_close d
LEFT JOIN channel c ON c.id = d.channel
WHERE d.tenant = :tenant AND (:channel = 0 OR d.channel = :channel) AND d.id < :after
ORDER BY d.id DESC LIMIT :lim;

-- name: settlements(tenant id, after id, lim int, channel id) many
-- out: id id, channel id, channel_name text, bank id, bank_name text, day int, currency text, amount money, fee money, bank_no text, note text, transfer id, made_ms time, made_by id
SELECT s.id, s.channel, COALESCE(c.name, ''), s.bank, COALESCE(b.name, ''), s.day, s.currency, s.amount, s.fee, s.bank_no, s.note,
       s.transfer, s.made_ms, s.made_by
FROM settlement s
LEFT JOIN channel c ON c.id = s.channel
LEFT JOIN channel b ON b.id = s.bank
WHERE s.tenant = :tenant AND (:channel = 0 OR s.channel = :channel) AND s.id < :after
ORDER BY s.id DESC LIMIT :lim;

-- name: day_last(tenant id, id id) many
-- out: day int, theirs money
SELECT d.day, d.theirs FROM day_close d WHERE d.channel = :id AND d.tenant = :tenant ORDER BY d.day DESC LIMIT 1;

-- name: day_bills(tenant id, id id, first_day int, last_day int) many
-- out: day int, took money, gave money, fees money, kind int
SELECT b.day, b.took, b.gave, b.fees, b.kind FROM bill b
WHERE b.channel = :id AND b.tenant = :tenant AND b.day >= :first_day AND b.day <= :last_day ORDER BY b.day, b.kind;

-- name: day_settled(tenant id, id id, first_day int, last_day int) one
-- out: settled money
SELECT CAST(COALESCE(sum(s.amount + s.fee), 0) AS BIGINT) AS settled FROM settlement s
WHERE s.channel = :id AND s.tenant = :tenant AND s.day >= :first_day AND s.day <= :last_day;

-- Days since 1970 (in China's time) on which something went through the channel, and which kind of bill has it.
-- name: day_moves(tenant id, id id, from_ms time, to_ms time) many
-- out: n i64, kind int
SELECT (p.paid_ms + 28800000) / 86400000 AS n, 0 AS kind FROM payment p
WHERE p.tenant = :tenant AND p.channel = :id AND p.state IN (3, 6) AND p.paid_ms >= :from_ms AND p.paid_ms < :to_ms
  AND NOT EXISTS (SELECT 1 FROM bill_diff d WHERE d.of_row = p.id AND d.of_row <> 0 AND d.way = 2 AND d.state = 3)
UNION
SELECT (o.done_ms + 28800000) / 86400000 AS n, CASE WHEN o.kind IN (3, 4) AND c.kind = 1 THEN 1 ELSE 0 END AS kind
FROM payout o JOIN channel c ON c.id = o.channel
WHERE o.tenant = :tenant AND o.channel = :id AND o.state = 5 AND o.done_ms >= :from_ms AND o.done_ms < :to_ms
ORDER BY 1, 2;

-- What the books have with the provider and its bills have not, line by line, as a day ends.
-- name: day_lines(tenant id, id id, last_day int, to_ms time) one
-- out: lines money
SELECT CAST(COALESCE(sum(
    CASE WHEN d.ours_ms <> 0 AND d.ours_ms < :to_ms THEN d.ours ELSE 0 END
  + CASE WHEN d.posted_ms <> 0 AND d.posted_ms < :to_ms THEN d.suspense ELSE 0 END
  - CASE WHEN d.posted_ms <> 0 AND d.way = 7 AND d.state = 3 AND d.done_ms < :to_ms THEN d.suspense ELSE 0 END
  - CASE WHEN d.theirs_day <> 0 AND d.theirs_day <= :last_day THEN d.theirs ELSE 0 END), 0) AS BIGINT) AS lines
FROM bill_diff d WHERE d.channel = :id AND d.tenant = :tenant AND d.bill <> 0;

-- name: day_open(tenant id, id id, last_day int) one
-- out: open i64, ownerless i64
SELECT count(*) AS open, CAST(COALESCE(sum(CASE WHEN d.owner = 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS ownerless
FROM bill_diff d WHERE d.channel = :id AND d.tenant = :tenant AND d.day <= :last_day AND d.state <> 3;

-- name: day_account(tenant id, id id) many
-- out: id id, balance money, last_transfer id
SELECT a.id, a.posted_in - a.posted_out, a.last_transfer FROM account a
WHERE a.tenant = :tenant AND a.kind = 10 AND a.owner = :id AND a.currency <> '' ORDER BY a.id;

-- What customers and parties are owed, against what is held for them. Accounts of our own money outside are negative.
-- name: safeguarding(tenant id) many
-- out: currency text, wallets money, bonus money, pending money, available money, transit money, suspense money, bank money, channels money, cash money, driver_debt money, party_debt money
SELECT a.currency,
       CAST(sum(CASE WHEN a.kind = 2 OR (a.kind = 17 AND a.posted_in > a.posted_out) THEN a.posted_in - a.posted_out ELSE 0 END) AS BIGINT),
       CAST(sum(CASE WHEN a.kind = 3 THEN a.posted_in - a.posted_out ELSE 0 END) AS BIGINT),
       CAST(sum(CASE WHEN a.kind = 5 THEN a.posted_in - a.posted_out ELSE 0 END) AS BIGINT),
       CAST(sum(CASE WHEN a.kind = 6 THEN a.posted_in - a.posted_out ELSE 0 END) AS BIGINT),
       CAST(sum(CASE WHEN a.kind = 13 THEN a.posted_in - a.posted_out ELSE 0 END) AS BIGINT),
       CAST(sum(CASE WHEN a.kind = 9 AND a.posted_in > a.posted_out THEN a.posted_in - a.posted_out ELSE 0 END) AS BIGINT),
       CAST(sum(CASE WHEN a.kind = 12 THEN a.posted_out - a.posted_in ELSE 0 END) AS BIGINT),
       CAST(sum(CASE WHEN a.kind = 10 THEN a.posted_out - a.posted_in ELSE 0 END) AS BIGINT),
       CAST(sum(CASE WHEN a.kind = 1 THEN a.posted_out - a.posted_in ELSE 0 END) AS BIGINT),
       CAST(sum(CASE WHEN a.kind = 4 THEN a.posted_out - a.posted_in ELSE 0 END) AS BIGINT),
       CAST(sum(CASE WHEN a.kind = 15 THEN a.posted_out - a.posted_in ELSE 0 END) AS BIGINT)
FROM account a WHERE a.tenant = :tenant AND a.currency <> '' GROUP BY a.currency ORDER BY a.currency;
