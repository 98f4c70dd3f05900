-- Reverts 0008_holders.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0008_holders.down.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

DROP INDEX :"schema".messenger_messages_holder;

DELETE FROM :"schema".messenger_migrations WHERE version = 8;
