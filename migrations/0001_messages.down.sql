-- Reverts 0001_messages; every message and dead letter is lost.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0001_messages.down.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

DROP TABLE :"schema".messenger_deduplication;
DROP TABLE :"schema".messenger_workers;
DROP TABLE :"schema".messenger_failed_messages;
DROP TABLE :"schema".messenger_messages;
DROP TABLE :"schema".messenger_migrations;
