-- Reverts 0009_totals.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0009_totals.down.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

DROP TABLE :"schema".messenger_totals;

DELETE FROM :"schema".messenger_migrations WHERE version = 9;
