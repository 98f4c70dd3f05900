-- Reverts 0003_monitoring.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0003_monitoring.down.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

DROP VIEW :"schema".messenger_schedules_summary;
DROP VIEW :"schema".messenger_failed_summary;
DROP VIEW :"schema".messenger_queue_depth;
DELETE FROM :"schema".messenger_migrations WHERE version = 3;
