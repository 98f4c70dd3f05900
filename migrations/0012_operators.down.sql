-- Reverts 0012_operators.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0012_operators.down.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

DROP INDEX :"schema".messenger_deduplication_refused;
ALTER TABLE :"schema".messenger_workers
  DROP COLUMN kind, DROP COLUMN concurrency, DROP COLUMN version, DROP COLUMN release, DROP COLUMN stop_at;
DROP TABLE :"schema".messenger_releases;
DROP TABLE :"schema".messenger_error_groups;
DROP TABLE :"schema".messenger_depths;
DROP TABLE :"schema".messenger_metrics_hourly;
ALTER TABLE :"schema".messenger_metrics
  DROP COLUMN queue_name, DROP COLUMN wait_buckets, DROP COLUMN wait_counts, DROP COLUMN hourly;
COMMENT ON COLUMN :"schema".messenger_metrics.source IS 'The worker or invocation that counted; any id for merged rows.';

DELETE FROM :"schema".messenger_migrations WHERE version = 12;
