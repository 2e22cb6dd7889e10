-- SPDX-License-Identifier: Apache-2.0
-- Sub-accounts of parties at allocation rails, masked: nobody is shown a whole number again.

-- part: party_account_row
-- out: id id, party id, party_name text, channel id, channel_name text, state int, payee_kind int, name text, id_no text, bank text, number text, reason text, err int, asked_kind int, asked_by id, asked_ms time, done_ms time, version int, other int, checked_by id
SELECT a.id, a.party, COALESCE(p.name, ''), a.channel, COALESCE(c.name, ''), a.state, a.payee_kind, substr(a.name, 1, 1) || '**',
       CASE WHEN a.id_tail <> '' THEN '****' || a.id_tail ELSE '' END, CASE WHEN a.bank_tail <> '' THEN '****' || a.bank_tail ELSE '' END,
       CASE WHEN length(a.number) > 4 THEN '****' || substr(a.number, length(a.number) - 3, 4) ELSE '' END,
       a.reason, a.err, a.asked_kind, a.asked_by, a.asked_ms, a.done_ms, a.version, a.other, a.checked_by
FROM party_account a
LEFT JOIN party p ON p.id = a.party
LEFT JOIN channel c ON c.id = a.channel

-- name: party_accounts(tenant id, after id, lim int, of_party id) many
-- use: party_account_row
WHERE a.tenant = :tenant AND (:of_party = 0 OR a.party = :of_party) AND a.id < :after
ORDER BY a.id DESC LIMIT :lim;

-- name: partner_accounts(tenant id, party id, after id, lim int) many
-- use: party_account_row
WHERE a.party = :party AND a.tenant = :tenant AND a.id < :after
ORDER BY a.id DESC LIMIT :lim;

-- By what a sub-account's number is compared, as far as it is known: a person's certificate.
-- name: party_cert(tenant id, of_party id) one
-- out: cert text
SELECT payee_cert FROM party WHERE id = :of_party AND tenant = :tenant;
