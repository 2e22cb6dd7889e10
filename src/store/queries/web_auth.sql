-- SPDX-License-Identifier: Apache-2.0
-- Log-in, sessions and keys, for the web front.

-- name: web_tenant_first() one
-- out: id id
SELECT id FROM tenant WHERE state = 0 ORDER BY id LIMIT 1;

-- name: web_tenant_facts(id id) one
-- out: name text, currency text, zone text, quota int
SELECT name, currency, zone, quota_calls_s FROM tenant WHERE id = :id AND state = 0;

-- name: operators() many
-- out: id id, name text
SELECT id, name FROM tenant WHERE state = 0 ORDER BY id LIMIT 200;

-- name: web_session_actor(hash text) one
-- out: kind int, actor id, tenant id, csrf text, expires_ms time, role int, party id, station id, name text, state int, tenant_state int, tenant_name text, currency text, zone text, quota_s int, tenant_quota_s int, anchor text
SELECT w.kind, w.actor, w.tenant, w.csrf, w.expires_ms,
       CASE WHEN w.kind = 3 THEN 4 ELSE COALESCE(p.role, 0) END,
       COALESCE(p.party, 0), COALESCE(p.station, 0), COALESCE(p.name, d.name, ''),
       COALESCE(p.state, d.state, 2), t.state, t.name, t.currency, t.zone, 0, t.quota_calls_s,
       COALESCE(p.pass_hash, d.phone, '')
FROM web_session w
JOIN tenant t ON t.id = w.tenant
LEFT JOIN person p ON w.kind = 2 AND p.id = w.actor
LEFT JOIN driver d ON w.kind = 3 AND d.id = w.actor
WHERE w.id = :hash AND w.state = 0;

-- name: web_key_actor(hash text) one
-- out: kind int, actor id, tenant id, csrf text, expires_ms time, role int, party id, station id, name text, state int, tenant_state int, tenant_name text, currency text, zone text, quota_s int, tenant_quota_s int, anchor text
SELECT 4, k.id, k.tenant, '', 9000000000000, k.role, 0, k.station, k.name, k.state, t.state, t.name, t.currency, t.zone,
       k.quota_s, t.quota_calls_s, ''
FROM api_key k
JOIN tenant t ON t.id = k.tenant
WHERE k.key_hash = :hash AND k.key_hash <> '';

-- name: web_person_login(login text) one
-- out: id id, tenant id, name text, pass_hash text, role int, party id, station id, locked_ms time, state int, tenant_state int, tenant_name text, currency text, zone text, tenant_quota_s int
SELECT p.id, p.tenant, p.name, p.pass_hash, p.role, p.party, p.station, p.locked_ms, p.state, t.state, t.name, t.currency,
       t.zone, t.quota_calls_s
FROM person p
JOIN tenant t ON t.id = p.tenant
WHERE p.login = :login AND p.login <> '';

-- name: web_driver_name(id id) one
-- out: name text
SELECT name FROM driver WHERE id = :id;

-- name: people(tenant id, after id, lim int) many
-- out: id id, login text, name text, role int, party id, station id, state int, version int
SELECT id, login, name, role, party, station, state, version
FROM person
WHERE tenant = :tenant AND state <> 2 AND id < :after
ORDER BY id DESC LIMIT :lim;

-- name: web_person_row(tenant id, id id) one
-- out: id id, tenant id, login text, name text, pass_hash text, role int, party id, station id, state int, failed int, locked_ms time, version int, created_ms time, let_by id, let_ms time
SELECT id, tenant, login, name, '', role, party, station, state, failed, locked_ms, version, created_ms, let_by, let_ms
FROM person WHERE id = :id AND tenant = :tenant;

-- name: api_keys(tenant id, after id, lim int) many
-- out: id id, name text, role int, station id, quota_s int, state int, created_ms time, version int
SELECT id, name, role, station, quota_s, state, created_ms, version
FROM api_key
WHERE tenant = :tenant AND id < :after
ORDER BY id DESC LIMIT :lim;

-- name: web_key_row(tenant id, id id) one
-- out: id id, tenant id, name text, key_hash text, role int, station id, quota_s int, state int, version int, created_ms time, made_by id
SELECT id, tenant, name, '', role, station, quota_s, state, version, created_ms, made_by
FROM api_key WHERE id = :id AND tenant = :tenant;

-- part: audit_row
-- out: id id, actor_kind int, actor id, actor_name text, action text, object id, detail text, outcome int, cause i64, at_ms time
SELECT a.id, a.actor_kind, a.actor, COALESCE(p.name, k.name, ''), a.action, a.object, a.detail, a.outcome, a.cause, a.at_ms
FROM audit a
LEFT JOIN person p ON a.actor_kind = 2 AND p.id = a.actor
LEFT JOIN api_key k ON a.actor_kind = 4 AND k.id = a.actor

-- name: audit(tenant id, after id, lim int) many
-- use: audit_row
WHERE a.tenant = :tenant AND a.id < :after
ORDER BY a.id DESC LIMIT :lim;

-- name: audit_of_cause(tenant id, of_cause i64, after id, lim int) many
-- use: audit_row
WHERE a.cause = :of_cause AND a.tenant = :tenant AND a.id < :after
ORDER BY a.id DESC LIMIT :lim;
