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
