-- Reverts 0014_roles.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0014_roles.down.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

ALTER TABLE :"schema".messenger_audit DROP COLUMN role;

DELETE FROM :"schema".messenger_migrations WHERE version = 14;
