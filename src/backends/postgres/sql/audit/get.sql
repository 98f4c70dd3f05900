-- One entry of the audit. Index: the primary key of messenger_audit.
SELECT
  :entry
FROM :"schema".messenger_audit
WHERE id = $1
