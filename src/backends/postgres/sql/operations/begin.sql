-- An operation begins: $3 is what it does, $4 to what, JSON text, $6 how many match, and $7 in which role. The same id
-- begins once.
INSERT INTO :"schema".messenger_audit (id, actor, action, target, reason, matched, role)
VALUES ($1, $2, $3, jsonb_strip_nulls($4::jsonb), $5, $6, $7)
ON CONFLICT (id) DO NOTHING
RETURNING
  :entry
