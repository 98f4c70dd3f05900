-- Reverts 0007_executions.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0007_executions.down.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

DROP TABLE :"schema".messenger_executions;
DROP INDEX :"schema".messenger_failed_messages_message;

DELETE FROM :"schema".messenger_migrations WHERE version = 7;
