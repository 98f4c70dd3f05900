-- Deletes at most $2 entries of the audit that are older than $1 ms. Index: messenger_audit_at.
DELETE FROM :"schema".messenger_audit
WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM :"schema".messenger_audit
  WHERE at < now() - $1 * interval '1 millisecond'
  ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED))
RETURNING 1
