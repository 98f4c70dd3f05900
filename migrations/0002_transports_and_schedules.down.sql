-- Reverts 0002_transports_and_schedules.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0002_transports_and_schedules.down.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

DROP TABLE :"schema".messenger_schedules;
DROP TABLE :"schema".messenger_transports;
DELETE FROM :"schema".messenger_migrations WHERE version = 2;
