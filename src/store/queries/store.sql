-- SPDX-License-Identifier: Apache-2.0
-- What the store itself asks: migrations, facts about the file, sealed samples.

-- name: migration_table() exec
-- @sqlite
CREATE TABLE IF NOT EXISTS migration (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL
) STRICT;
-- @pg
CREATE TABLE IF NOT EXISTS migration (
  number integer PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL
);

-- Tables of somebody else's in a database that has none of ours.
-- name: foreign_tables() one
-- out: n i64
-- @sqlite
SELECT count(*) FROM sqlite_schema
WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' AND NOT EXISTS (SELECT 1 FROM sqlite_schema s WHERE s.name = 'migration');
-- @pg
SELECT count(*) FROM information_schema.tables t
WHERE t.table_schema = current_schema() AND t.table_name <> 'even_writer' AND NOT EXISTS
  (SELECT 1 FROM information_schema.tables s WHERE s.table_schema = current_schema() AND s.table_name = 'migration');

-- name: migration_list() many
-- out: number int, name text, checksum text
SELECT number, name, checksum FROM migration ORDER BY number;

-- name: migration_add(number int, name text, checksum text) exec
INSERT INTO migration (number, name, checksum) VALUES (:number, :name, :checksum)
ON CONFLICT (number) DO UPDATE SET name = excluded.name, checksum = excluded.checksum;

-- name: block_upto(session id) one
-- out: upto i64
SELECT upto FROM meter_block WHERE session = :session ORDER BY upto DESC LIMIT 1;

-- name: block_list(session id) many
-- out: upto i64, n int, data blob
SELECT upto, n, data FROM meter_block WHERE session = :session ORDER BY upto;

-- name: block_after(session id, after time) many
-- out: n int, data blob
SELECT n, data FROM meter_block WHERE session = :session AND t1_ms > :after ORDER BY upto;

-- name: session_open_list() all
-- out: id id, tenant id, check_ms time
SELECT id, tenant, check_ms FROM session
WHERE state = 1 AND order_id IN (SELECT id FROM orders WHERE state NOT IN (8, 9)) ORDER BY id;

-- name: connectors_away(at_ms time) exec
UPDATE connector SET status = 0, status_ms = :at_ms WHERE status <> 0;

-- name: id_last() one
-- out: id i64
SELECT COALESCE(max(id), 0) AS id FROM (
  SELECT max(id) AS id FROM transfer
  UNION ALL SELECT max(id) FROM driver
  UNION ALL SELECT max(id) FROM token
  UNION ALL SELECT max(id) FROM charger
  UNION ALL SELECT max(id) FROM connector
  UNION ALL SELECT max(id) FROM account
  UNION ALL SELECT max(id) FROM hold
  UNION ALL SELECT max(id) FROM orders
  UNION ALL SELECT max(id) FROM session
  UNION ALL SELECT max(id) FROM command
  UNION ALL SELECT max(id) FROM payment
  UNION ALL SELECT max(id) FROM payout
  UNION ALL SELECT max(id) FROM invoice
  UNION ALL SELECT max(id) FROM bill_diff
  UNION ALL SELECT max(id) FROM bill_share
  UNION ALL SELECT max(id) FROM audit
) AS made;

-- name: chain_last() one
-- out: seq id, hash blob
SELECT seq, hash FROM chain ORDER BY seq DESC LIMIT 1;

-- name: chain_get(seq id) one
-- out: seq id, first id, last id, at_ms time, hash blob
SELECT seq, first, last, at_ms, hash FROM chain WHERE seq = :seq;

-- What is certified of each tenant so far; day 0 and link 0 where nothing is.
-- name: certify_tenants() many
-- out: id id, zone text, currency text, created_ms time, day int, link id
SELECT t.id, t.zone, t.currency, t.created_ms, COALESCE(max(c.day), 0), COALESCE(max(c.link), 0)
FROM tenant t LEFT JOIN certificate c ON c.tenant = t.id
GROUP BY t.id, t.zone, t.currency, t.created_ms ORDER BY t.id;

-- name: certify_before(tenant id, day int) many
-- out: tenant id, day int, currency text, to_ms time, transfers i64, debits money, credits money, wallets money, parties money
-- out: transit money, rest money, link id, hash text, made_ms time
SELECT tenant, day, currency, to_ms, transfers, debits, credits, wallets, parties, transit, rest, link, hash, made_ms
FROM certificate WHERE tenant = :tenant AND day = :day ORDER BY currency;

-- name: certify_transfers(first id, last id) all
-- out: tenant id, currency text, legs blob
SELECT tenant, currency, legs FROM transfer WHERE id >= :first AND id <= :last ORDER BY id;

-- name: certify_account(id id) one
-- out: kind int
SELECT kind FROM account WHERE id = :id;
