-- Reverts 0013_operations. What is paused goes on.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0013_operations.down.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

DROP TABLE :"schema".messenger_audit;
DROP TABLE :"schema".messenger_controls;

DELETE FROM :"schema".messenger_migrations WHERE version = 13;
