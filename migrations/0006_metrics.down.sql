-- Reverts 0006_metrics. The metrics are dropped with their tables.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0006_metrics.down.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

DROP TABLE :"schema".messenger_notifications;
DROP TABLE :"schema".messenger_circuits;
DROP TABLE :"schema".messenger_metrics;
DELETE FROM :"schema".messenger_migrations WHERE version = 6;
