-- SPDX-License-Identifier: Apache-2.0
-- What the program itself asks of a file before it serves it.

-- name: fact_get(name text) one
-- out: value text
SELECT value FROM fact WHERE name = :name;

-- name: tenant_count() one
-- out: n i64
SELECT count(*) FROM tenant;

-- name: rail_channel(id id) one
-- out: tenant id, kind int, url text, app text, merchant text, keys text, state int, version int
SELECT tenant, kind, url, app, merchant, keys, state, version FROM channel WHERE id = :id;

-- Whose gift money is good no more, and free.
-- name: gifts_expired(now_ms time, after id, lim int) many
-- out: id id, tenant id
SELECT d.id, d.tenant FROM driver d JOIN tenant t ON t.id = d.tenant
WHERE d.gift_until <> 0 AND d.gift_until <= :now_ms AND d.id > :after
  AND EXISTS (SELECT 1 FROM account a WHERE a.tenant = d.tenant AND a.kind = 3 AND a.owner = d.id AND a.currency = t.currency AND a.currency <> ''
              AND a.posted_in - a.posted_out - a.held > 0)
ORDER BY d.id LIMIT :lim;
