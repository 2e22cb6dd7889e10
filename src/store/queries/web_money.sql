-- SPDX-License-Identifier: Apache-2.0
-- Channels, payments and payouts, for the web front. Who is paid is masked unless `clear` is 1.

-- name: channels(tenant id) many
-- out: id id, kind int, name text, url text, app text, merchant text, keys text, fee_bp int, state int, version int, share_bp int, most money, day_most money, named_from money
SELECT id, kind, name, url, app, merchant, keys, fee_bp, state, version, share_bp, most, day_most, named_from
FROM channel WHERE tenant = :tenant AND state <> 2 ORDER BY id LIMIT 1000;

-- name: channels_public(tenant id) many
-- out: id id, kind int, name text
SELECT id, kind, name FROM channel WHERE tenant = :tenant AND state = 0 ORDER BY id LIMIT 100;

-- part: payment_row
-- out: id id, driver id, channel id, channel_name text, method int, amount money, refunded money, state int, provider_no text, url text, transfer id, created_ms time, expires_ms time, paid_ms time, package id, gift money, gift_back money, connector id, order_id id
SELECT p.id, p.driver, p.channel, COALESCE(c.name, ''), p.method, p.amount, p.refunded, p.state, p.provider_no, p.url,
       p.transfer, p.created_ms, p.expires_ms, p.paid_ms,
       p.package, p.gift, p.gift_back, p.connector, p.order_id
FROM payment p
LEFT JOIN channel c ON c.id = p.channel

-- name: me_payments(tenant id, actor id, after id, lim int) many
-- use: payment_row
WHERE p.driver = :actor AND p.tenant = :tenant AND p.id < :after
ORDER BY p.id DESC LIMIT :lim;

-- name: me_payment_get(tenant id, actor id, id id) one
-- use: payment_row
WHERE p.id = :id AND p.driver = :actor AND p.tenant = :tenant;

-- name: payments(tenant id, after id, lim int, driver id, state int) many
-- use: payment_row
WHERE p.tenant = :tenant AND (:driver = 0 OR p.driver = :driver) AND (:state < 0 OR p.state = :state) AND p.id < :after
ORDER BY p.id DESC LIMIT :lim;

-- part: payout_row
-- out: id id, kind int, party id, party_name text, driver id, payment id, channel id, channel_name text, amount money, fee money, state int, payee text, provider_no text, confirm text, note text, payee_kind int, paper text, paper_amount money, asked_kind int, asked_by id, checked_by id, err int, created_ms time, checked_ms time, sent_ms time, done_ms time, version int, said money, tax money, claim money, claim_by id, doubt int, file id
SELECT o.id, o.kind, o.party, COALESCE(p.name, ''), o.driver, o.payment, o.channel, COALESCE(c.name, ''), o.amount, o.fee,
       o.state, CASE WHEN length(o.payee) > 4 THEN '****' || substr(o.payee, length(o.payee) - 3, 4) ELSE '' END,
       o.provider_no, CASE WHEN o.state = 4 THEN o.confirm ELSE '' END, o.note, COALESCE(p.payee_kind, 0), o.paper, o.paper_amount, o.asked_kind, o.asked_by,
       o.checked_by, o.err, o.created_ms, o.checked_ms, o.sent_ms, o.done_ms, o.version, o.said, o.tax, o.claim, o.claim_by, o.doubt, o.file
FROM payout o
LEFT JOIN party p ON p.id = o.party
LEFT JOIN channel c ON c.id = o.channel

-- name: payouts(tenant id, after id, lim int, state int) many
-- use: payout_row
WHERE o.tenant = :tenant AND (:state < 0 OR o.state = :state) AND o.id < :after
ORDER BY o.id DESC LIMIT :lim;

-- name: payout_get(tenant id, id id) one
-- use: payout_row
WHERE o.id = :id AND o.tenant = :tenant;

-- part: partner_payout_row
-- out: id id, kind int, party id, party_name text, driver id, payment id, channel id, channel_name text, amount money, fee money, state int, payee text, provider_no text, confirm text, note text, payee_kind int, paper text, paper_amount money, asked_kind int, asked_by id, checked_by id, err int, created_ms time, checked_ms time, sent_ms time, done_ms time, version int, said money, tax money, claim money, claim_by id, doubt int, file id
SELECT o.id, o.kind, o.party, COALESCE(p.name, ''), 0, 0, o.channel, COALESCE(c.name, ''), o.amount, o.fee,
       o.state, CASE WHEN length(o.payee) > 4 THEN '****' || substr(o.payee, length(o.payee) - 3, 4) ELSE '' END,
       o.provider_no, CASE WHEN o.state = 4 THEN o.confirm ELSE '' END, o.note, COALESCE(p.payee_kind, 0), o.paper, o.paper_amount, o.asked_kind, 0, 0, o.err,
       o.created_ms, o.checked_ms, o.sent_ms, o.done_ms, o.version, o.said, o.tax, 0, 0, o.doubt, 0
FROM payout o
LEFT JOIN party p ON p.id = o.party
LEFT JOIN channel c ON c.id = o.channel

-- name: partner_payouts(tenant id, party id, after id, lim int) many
-- use: partner_payout_row
WHERE o.party = :party AND o.tenant = :tenant AND o.id < :after
ORDER BY o.id DESC LIMIT :lim;

-- name: partner_payout_get(tenant id, party id, id id) one
-- use: partner_payout_row
WHERE o.id = :id AND o.party = :party AND o.party <> 0 AND o.tenant = :tenant;

-- What a bank may be asked to pay: what waits in this channel and stands in no file, and (enum payout_left) why it may not go there any more; 0 = it may.
-- As the core looks (payout_stopped). That the state is none of those that are over is said again for the index.
-- part: bank_free
FROM (SELECT o.id, o.currency, o.amount, o.amount - o.fee - o.tax AS net, o.asked_kind, o.asked_by, o.created_ms,
             COALESCE(p.name, '') AS party_name, CASE WHEN length(o.payee) > 4 THEN '****' || substr(o.payee, length(o.payee) - 3, 4) ELSE '' END AS payee,
             CASE WHEN p.state <> 0 THEN 1
                  WHEN p.verified = 0 OR p.payee = '' OR p.payee <> o.payee OR p.payee_name <> o.payee_name THEN 2
                  WHEN d.state = 2 THEN 4
                  WHEN d.frozen <> 0 THEN 3
                  ELSE 0 END AS why
      FROM payout o
      LEFT JOIN party p ON p.id = o.party AND o.kind = 1
      LEFT JOIN driver d ON d.id = o.driver AND o.driver <> 0
      WHERE o.tenant = :tenant AND o.channel = :id AND o.state = 2 AND o.state NOT IN (5, 6, 7, 8) AND o.file = 0) w

-- A file is made of it, the oldest first (net, whole fen: what the core takes).
-- name: bank_waiting(tenant id, id id) many
-- out: id id, currency text
SELECT w.id, w.currency
-- use: bank_free
WHERE w.why = 0 AND w.net > 0 AND w.net % 100 = 0
ORDER BY w.id LIMIT 500;

-- What no file lists, newest first.
-- name: bank_left(tenant id, id id, after id, lim int) many
-- out: id id, party_name text, amount money, currency text, payee text, why int, asked_kind int, asked_by id, created_ms time
SELECT w.id, w.party_name, w.amount, w.currency, w.payee, w.why, w.asked_kind, w.asked_by, w.created_ms
-- use: bank_free
WHERE w.why <> 0 AND w.id < :after
ORDER BY w.id DESC LIMIT :lim;

-- What a bank was asked to pay, or shall be, by a payout that waits there; in a file or not.
-- name: bank_asked(tenant id, id id, payout id) one
-- out: amount money
SELECT o.amount - o.fee - o.tax
FROM payout o
JOIN channel c ON c.id = o.channel AND c.kind = 4 AND c.tenant = o.tenant
WHERE o.id = :payout AND o.tenant = :tenant AND o.channel = :id AND o.state = 2;

-- How many files it left.
-- name: bank_taken_out(tenant id, payout id) one
-- out: n i64
SELECT count(*) FROM pay_file_row r WHERE r.payout = :payout AND r.tenant = :tenant AND r.out_ms <> 0;

-- part: pay_file_cols
-- out: id id, channel id, currency text, n int, amount money, made_kind int, made_by id, made_name text, made_ms time, waiting int, settled int, failed int, taken_out int, out_amount money
SELECT f.id, f.channel, f.currency, f.n, f.amount, f.made_kind, f.made_by, COALESCE(p.name, k.name, ''), f.made_ms,
       CAST(COALESCE(sum(CASE WHEN r.out_ms = 0 AND o.state = 2 THEN 1 ELSE 0 END), 0) AS BIGINT),
       CAST(COALESCE(sum(CASE WHEN r.out_ms = 0 AND o.state = 5 THEN 1 ELSE 0 END), 0) AS BIGINT),
       CAST(COALESCE(sum(CASE WHEN r.out_ms = 0 AND o.state = 6 THEN 1 ELSE 0 END), 0) AS BIGINT),
       CAST(COALESCE(sum(CASE WHEN r.out_ms <> 0 THEN 1 ELSE 0 END), 0) AS BIGINT),
       CAST(COALESCE(sum(CASE WHEN r.out_ms <> 0 THEN r.amount ELSE 0 END), 0) AS BIGINT)

-- part: pay_file_joins
LEFT JOIN person p ON p.id = f.made_by AND f.made_kind = 2
LEFT JOIN api_key k ON k.id = f.made_by AND f.made_kind = 4
LEFT JOIN pay_file_row r ON r.file = f.id
LEFT JOIN payout o ON o.id = r.payout
GROUP BY f.id, f.channel, f.currency, f.n, f.amount, f.made_kind, f.made_by, p.name, k.name, f.made_ms

-- name: pay_files(tenant id, id id, after id, lim int) many
-- use: pay_file_cols
FROM (SELECT * FROM pay_file WHERE tenant = :tenant AND channel = :id AND id < :after ORDER BY id DESC LIMIT :lim) f
-- use: pay_file_joins
ORDER BY f.id DESC;

-- name: pay_file_get(tenant id, id id) one
-- use: pay_file_cols
FROM (SELECT * FROM pay_file WHERE tenant = :tenant AND id = :id) f
-- use: pay_file_joins
ORDER BY f.id;

-- The rows of a file that still wait, as they were when it was made: without what was taken out again, and what is over, since a file
-- that is fetched late may go to the bank late.
-- name: pay_file_rows(tenant id, id id) many
-- out: id id, payee text, payee_name text, amount money, currency text, note text
SELECT r.payout, r.payee, r.payee_name, r.amount, f.currency, r.note
FROM pay_file_row r
JOIN pay_file f ON f.id = r.file
JOIN payout o ON o.id = r.payout AND o.state = 2
WHERE r.file = :id AND f.tenant = :tenant AND r.out_ms = 0
ORDER BY r.payout;
