-- An operation begins: $3 is what it does, $4 to what, JSON text, and $6 how many match. The same id begins once.
INSERT INTO :"schema".messenger_audit (id, actor, action, target, reason, matched)
VALUES ($1, $2, $3, jsonb_strip_nulls($4::jsonb), $5, $6)
ON CONFLICT (id) DO NOTHING
RETURNING
  :entry
