-- SPDX-License-Identifier: Apache-2.0
-- Drivers, tokens, parties and contracts, for the web front. Phones are masked unless `clear` is 1.

-- part: driver_row
-- out: id id, phone text, name text, state int, balance money, held money, debt money, orders i64, created_ms time, version int, gift money, gift_until time, frozen int, close_ask money, close_by id, close_name text
SELECT d.id,
       CASE WHEN :clear = 1 THEN d.phone ELSE substr(d.phone, 1, 3) || '****' || substr(d.phone, length(d.phone) - 1, 2) END,
       d.name, d.state, COALESCE(a.posted_in - a.posted_out, 0), COALESCE(a.held, 0),
       COALESCE(x.posted_out - x.posted_in, 0), (SELECT count(*) FROM orders o WHERE o.driver = d.id), d.created_ms, d.version,
       COALESCE(g.posted_in - g.posted_out, 0), d.gift_until, d.frozen, d.close_ask, d.close_by, COALESCE(w.name, '')
FROM driver d
LEFT JOIN person w ON w.id = d.close_by
JOIN tenant t ON t.id = d.tenant
LEFT JOIN account a ON a.tenant = d.tenant AND a.kind = 2 AND a.owner = d.id AND a.currency = t.currency AND a.currency <> ''
LEFT JOIN account x ON x.tenant = d.tenant AND x.kind = 4 AND x.owner = d.id AND x.currency = t.currency AND x.currency <> ''
LEFT JOIN account g ON g.tenant = d.tenant AND g.kind = 3 AND g.owner = d.id AND g.currency = t.currency AND g.currency <> ''

-- name: drivers(tenant id, after id, lim int, phone text, clear int) many
-- use: driver_row
WHERE d.tenant = :tenant AND d.state <> 2 AND (:phone = '' OR d.phone = :phone) AND d.id < :after
ORDER BY d.id DESC LIMIT :lim;

-- name: driver_get(tenant id, id id, clear int) one
-- use: driver_row
WHERE d.id = :id AND d.tenant = :tenant;

-- name: web_me(tenant id, actor id, now_ms time) one
-- out: id id, name text, phone text, balance money, held money, available money, debt money, currency text, order id, occupancy id, gift money, gift_until time, frozen int, notices int, notices_off int
SELECT d.id, d.name, d.phone, COALESCE(a.posted_in - a.posted_out, 0), COALESCE(a.held, 0),
       COALESCE(a.posted_in - a.posted_out - a.held, 0) + CASE WHEN d.gift_until = 0 OR d.gift_until > :now_ms THEN COALESCE(g.posted_in - g.posted_out - g.held, 0) ELSE 0 END,
       COALESCE(x.posted_out - x.posted_in, 0), t.currency,
       COALESCE((SELECT max(o.id) FROM orders o WHERE o.driver = d.id AND o.state < 8 AND o.kind <> 2), 0),
       COALESCE((SELECT max(o.id) FROM orders o WHERE o.driver = d.id AND o.state < 7 AND o.kind = 2), 0),
       CASE WHEN d.gift_until = 0 OR d.gift_until > :now_ms THEN COALESCE(g.posted_in - g.posted_out, 0) ELSE 0 END, d.gift_until, d.frozen, t.notices, d.notices_off
FROM driver d
JOIN tenant t ON t.id = d.tenant
LEFT JOIN account a ON a.tenant = d.tenant AND a.kind = 2 AND a.owner = d.id AND a.currency = t.currency AND a.currency <> ''
LEFT JOIN account x ON x.tenant = d.tenant AND x.kind = 4 AND x.owner = d.id AND x.currency = t.currency AND x.currency <> ''
LEFT JOIN account g ON g.tenant = d.tenant AND g.kind = 3 AND g.owner = d.id AND g.currency = t.currency AND g.currency <> ''
WHERE d.id = :actor AND d.tenant = :tenant;

-- name: web_driver_row(tenant id, id id) one
-- out: id id, tenant id, phone text, name text, state int, version int, created_ms time
SELECT id, tenant, phone, name, state, version, created_ms FROM driver WHERE id = :id AND tenant = :tenant;

-- name: tokens(tenant id, after id, lim int, driver id) many
-- out: id id, driver id, tag text, kind int, offline_limit money, state int, version int
SELECT id, driver, tag, kind, offline_limit, state, version
FROM token
WHERE tenant = :tenant AND state <> 2 AND (:driver = 0 OR driver = :driver) AND id < :after
ORDER BY id DESC LIMIT :lim;

-- name: web_token_row(tenant id, id id) one
-- out: id id, tenant id, driver id, tag text, kind int, offline_limit money, state int, version int, created_ms time
SELECT id, tenant, driver, tag, kind, offline_limit, state, version, created_ms FROM token WHERE id = :id AND tenant = :tenant;

-- name: parties(tenant id, after id, lim int) many
-- out: id id, kind int, name text, state int, pending money, available money, debt money, verified bool, payee text, payee_kind int, version int, payee_cert text
SELECT p.id, p.kind, p.name, p.state,
       COALESCE(a.posted_in - a.posted_out, 0), COALESCE(b.posted_in - b.posted_out, 0),
       COALESCE(x.posted_out - x.posted_in, 0), p.verified,
       CASE WHEN length(p.payee) > 4 THEN '****' || substr(p.payee, length(p.payee) - 3, 4) ELSE '' END, p.payee_kind, p.version,
       CASE WHEN length(p.payee_cert) > 4 THEN '****' || substr(p.payee_cert, length(p.payee_cert) - 3, 4) ELSE '' END
FROM party p
JOIN tenant t ON t.id = p.tenant
LEFT JOIN account a ON a.tenant = p.tenant AND a.kind = 5 AND a.owner = p.id AND a.currency = t.currency AND a.currency <> ''
LEFT JOIN account b ON b.tenant = p.tenant AND b.owner = p.id AND b.currency = t.currency AND b.currency <> ''
     AND b.kind = CASE WHEN p.kind = 1 THEN 7 ELSE 6 END
LEFT JOIN account x ON x.tenant = p.tenant AND x.kind = 15 AND x.owner = p.id AND x.currency = t.currency AND x.currency <> ''
WHERE p.tenant = :tenant AND p.state <> 2 AND p.id < :after
ORDER BY p.id DESC LIMIT :lim;

-- name: web_party_row(tenant id, id id) one
-- out: id id, tenant id, kind int, name text, verified int, payee text, payee_name text, payee_kind int, state int, version int, created_ms time, payee_cert text
SELECT id, tenant, kind, name, verified, payee, payee_name, payee_kind, state, version, created_ms, payee_cert FROM party WHERE id = :id AND tenant = :tenant;

-- name: contracts(tenant id, after id, lim int) many
-- out: id id, family id, name text, from_ms time, unit i64, parties i64, to_ms time, rounding int, clauses i64
SELECT c.id, c.family, c.name, c.from_ms, c.unit, (SELECT count(*) FROM contract_party x WHERE x.contract = c.id),
       c.to_ms, c.rounding, (SELECT count(*) FROM contract_clause x WHERE x.contract = c.id)
FROM contract c
WHERE c.tenant = :tenant AND c.id < :after
ORDER BY c.id DESC LIMIT :lim;

-- name: web_contract(tenant id, id id) one
-- out: id id, family id, name text, from_ms time, unit i64, to_ms time, rounding int, gift_rule int
SELECT id, family, name, from_ms, unit, to_ms, rounding, gift_rule FROM contract WHERE id = :id AND tenant = :tenant;

-- name: web_contract_parties(tenant id, id id) many
-- out: party id, party_name text, lines int, ratio int
SELECT x.party, COALESCE(p.name, ''), x.lines, x.ratio
FROM contract_party x
JOIN contract c ON c.id = x.contract
LEFT JOIN party p ON p.id = x.party
WHERE x.contract = :id AND c.tenant = :tenant
ORDER BY x.seq;
