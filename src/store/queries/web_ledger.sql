-- SPDX-License-Identifier: Apache-2.0
-- Accounts and transfers, for the web front. The owner of an account is a driver or a party, by the account's kind.

-- name: accounts(tenant id, after id, lim int, kind int) many
-- out: id id, kind int, owner id, owner_name text, currency text, posted_in money, posted_out money, held money, balance money, version i64
SELECT a.id, a.kind, a.owner,
       COALESCE(CASE WHEN d.name <> '' THEN d.name
                ELSE substr(d.phone, 1, 3) || '****' || substr(d.phone, length(d.phone) - 1, 2) END, p.name, ''),
       a.currency, a.posted_in, a.posted_out, a.held, a.posted_in - a.posted_out, a.version
FROM account a
LEFT JOIN driver d ON a.kind IN (2, 3, 4) AND d.id = a.owner
LEFT JOIN party p ON a.kind IN (5, 6, 7, 15) AND p.id = a.owner
WHERE a.tenant = :tenant AND (:kind < 0 OR a.kind = :kind) AND a.id < :after
ORDER BY a.id DESC LIMIT :lim;

-- name: account_get(tenant id, id id) one
-- out: id id, kind int, owner id, owner_name text, currency text, posted_in money, posted_out money, held money, balance money, version i64
SELECT a.id, a.kind, a.owner,
       COALESCE(CASE WHEN d.name <> '' THEN d.name
                ELSE substr(d.phone, 1, 3) || '****' || substr(d.phone, length(d.phone) - 1, 2) END, p.name, ''),
       a.currency, a.posted_in, a.posted_out, a.held, a.posted_in - a.posted_out, a.version
FROM account a
LEFT JOIN driver d ON a.kind IN (2, 3, 4) AND d.id = a.owner
LEFT JOIN party p ON a.kind IN (5, 6, 7, 15) AND p.id = a.owner
WHERE a.id = :id AND a.tenant = :tenant;

-- name: web_account_head(tenant id, kind int, owner id) many
-- out: id id, last_transfer id
SELECT id, last_transfer FROM account WHERE tenant = :tenant AND kind = :kind AND owner = :owner AND currency <> '' ORDER BY id;

-- name: web_account_last(tenant id, id id) one
-- out: id id, last_transfer id
SELECT id, last_transfer FROM account WHERE id = :id AND tenant = :tenant;

-- name: web_transfer(tenant id, id id) one
-- out: id id, code int, order_id id, reverses id, currency text, amount money, effective_ms time, posted_ms time, note text, actor_kind int, actor id, legs blob, cause i64
SELECT id, code, order_id, reverses, currency, amount, effective_ms, posted_ms, note, actor_kind, actor, legs, cause
FROM transfer WHERE id = :id AND tenant = :tenant;

-- The journal is in the order of time and has no index by tenant: a page looks at the next 20,000 transfers of everybody at
-- most, and web_transfers_floor says where it stopped looking (0 = at the first transfer).
-- name: web_transfers_floor(after id) one
-- out: floor id
SELECT CASE WHEN count(*) < 20000 THEN 0 ELSE COALESCE(min(w.id), 0) END
FROM (SELECT id FROM transfer WHERE id < :after ORDER BY id DESC LIMIT 20000) w;

-- name: web_transfers(tenant id, after id, floor id, lim int, code int) many
-- out: id id, code int, order_id id, reverses id, currency text, amount money, effective_ms time, posted_ms time, note text, actor_kind int, actor id, legs blob, cause i64
SELECT id, code, order_id, reverses, currency, amount, effective_ms, posted_ms, note, actor_kind, actor, legs, cause
FROM transfer
WHERE id >= :floor AND id < :after AND tenant = :tenant AND (:code < 0 OR code = :code)
ORDER BY id DESC LIMIT :lim;

-- name: web_transfers_order(tenant id, after id, lim int, code int, order id) many
-- out: id id, code int, order_id id, reverses id, currency text, amount money, effective_ms time, posted_ms time, note text, actor_kind int, actor id, legs blob, cause i64
SELECT id, code, order_id, reverses, currency, amount, effective_ms, posted_ms, note, actor_kind, actor, legs, cause
FROM transfer
WHERE order_id = :order AND order_id <> 0 AND tenant = :tenant AND (:code < 0 OR code = :code) AND id < :after
ORDER BY id DESC LIMIT :lim;

-- name: web_trial(tenant id) many
-- out: kind int, currency text, accounts i64, posted_in money, posted_out money, held money, balance money
SELECT kind, currency, count(*), CAST(sum(posted_in) AS BIGINT), CAST(sum(posted_out) AS BIGINT), CAST(sum(held) AS BIGINT),
       CAST(sum(posted_in - posted_out) AS BIGINT)
FROM account WHERE tenant = :tenant AND currency <> ''
GROUP BY kind, currency ORDER BY kind, currency LIMIT 64;

-- The cursor is the day and the place of the currency in it.
-- name: web_certificates(tenant id, after id, after2 id, lim int) many
-- out: cursor i64, cursor2 i64, day int, currency text, to_ms time, transfers i64, debits money, credits money, wallets money
-- out: parties money, transit money, rest money, total money, link id, hash text, made_ms time
SELECT x.day, x.n, x.day, x.currency, x.to_ms, x.transfers, x.debits, x.credits, x.wallets, x.parties, x.transit, x.rest,
       x.wallets + x.parties + x.transit + x.rest, x.link, x.hash, x.made_ms
FROM (SELECT c.*, row_number() OVER (PARTITION BY c.day ORDER BY c.currency) AS n FROM certificate c WHERE c.tenant = :tenant) x
WHERE x.day < :after OR (x.day = :after AND x.n > :after2)
ORDER BY x.day DESC, x.n LIMIT :lim;
