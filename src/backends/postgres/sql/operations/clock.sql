-- The clock of the database, and the newest operation: what comes later is not among what matches now.
-- Index: messenger_audit_at.
SELECT now(), (SELECT max(at) FROM :"schema".messenger_audit)
